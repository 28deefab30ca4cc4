#!/usr/bin/env bash
# Run as root: installs the packages named, and lets none of them start a server on a standard port.
set -euo pipefail

POLICY=/usr/sbin/policy-rc.d
CLUSTERS=/etc/postgresql-common/createcluster.d
MARK="# placed by Backend-089's ./dev while it installs packages"

# Only what is ours goes, also what an earlier run that was killed left behind.
restore() {
  local file
  for file in "$POLICY" "$CLUSTERS/backend-089.conf"; do
    if grep -qsF "$MARK" "$file"; then rm -f "$file"; fi
  done
}
trap restore EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# 101 is "forbidden by policy". A machine that has a policy of its own keeps it.
if [[ ! -e $POLICY ]]; then
  printf '#!/bin/sh\n%s\nexit 101\n' "$MARK" >"$POLICY"
  chmod 755 "$POLICY"
fi
mkdir -p "$CLUSTERS"
printf '%s\ncreate_main_cluster = false\n' "$MARK" >"$CLUSTERS/backend-089.conf"

had_erlang=no
if dpkg -s erlang-base >/dev/null 2>&1; then had_erlang=yes; fi

export DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1
install() {
  apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --yes --fix-broken --no-install-recommends "$@" >/dev/null
}
dpkg --configure -a # what an interrupted installation left half done
install "$@" 2>/dev/null || {
  # The package lists are missing or too old.
  apt-get -qq update
  install "$@"
}

# On a machine with systemd the packages also enable themselves for the next boot.
if [[ -d /run/systemd/system && " $* " == *" rabbitmq-server "* ]]; then
  systemctl --quiet disable --now rabbitmq-server.service || true
  if [[ $had_erlang == no ]]; then systemctl --quiet disable --now epmd.socket epmd.service || true; fi
fi
