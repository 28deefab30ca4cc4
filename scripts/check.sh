# shellcheck shell=bash
# Everything that must hold before a commit, apart from the tests. All steps run, also after one failed.

cmd_check() {
  CHECK_FAILED=0
  CHECK_LOG=$(mktemp)
  at_exit remove_check_log
  hold_services
  eval "$(print_variables)"

  step formatting cargo fmt --all --check
  step lints cargo clippy --workspace --all-targets -- -D warnings
  step "fuzz targets" check_fuzz
  step documentation env RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
  step "dependencies: bans, licences, sources" check_dependencies bans licenses sources
  if advisories_can_be_had; then
    step "dependencies: advisories" check_dependencies advisories
  else
    echo "- dependencies: advisories: skipped, their database cannot be reached from here"
  fi
  step scripts check_scripts
  if has systemd-analyze || system_install systemd; then
    step "systemd units" check_units
  else
    echo "- systemd units: skipped, there is no systemd-analyze on this machine"
  fi
  # Two tests: migrations_go_up_down_and_up_again, schema_rs_is_what_the_migrations_make.
  step "migrations and schema.rs" cargo test --workspace --test schema

  ((CHECK_FAILED == 0)) || die "$CHECK_FAILED of these failed"
}
remove_check_log() { rm -f "$CHECK_LOG"; }

# step NAME COMMAND…: what the command says is of interest only when it fails.
step() {
  local name=$1 start=$SECONDS back=
  shift
  if [[ -t 1 ]]; then
    printf '… %s' "$name"
    back=$'\r'
  fi
  if "$@" >"$CHECK_LOG" 2>&1 </dev/null; then
    printf '%s✓ %s (%d s)\n' "$back" "$name" $((SECONDS - start))
  else
    printf '%s✗ %s: FAILED (%d s)\n' "$back" "$name" $((SECONDS - start))
    sed 's/^/    /' "$CHECK_LOG"
    CHECK_FAILED=$((CHECK_FAILED + 1))
  fi
}

check_dependencies() {
  local deny
  deny=$(cargo_deny) && "$deny" --workspace check "$@"
}
advisories_can_be_had() {
  local deny
  deny=$(cargo_deny) && GIT_TERMINAL_PROMPT=0 timeout 120 "$deny" fetch db >/dev/null 2>&1 </dev/null
}

check_scripts() {
  has shellcheck || system_install shellcheck || {
    echo "shellcheck is missing: install it with your system's package manager"
    return 1
  }
  shellcheck --external-sources dev scripts/*.sh .ci/run deploy/make-secrets deploy/systemd/089
}

# What systemd itself says of the units, with programs that exist; and that nothing has opened their walls: of 100, which
# is a service without any, they are at 12.
check_units() {
  local folder unit units status=0
  folder=$(mktemp -d)
  cp -r deploy/systemd/089* "$folder"
  mv "$folder/089-consumer@.service" "$folder/089-consumer@1.service"
  sed -i 's|^ExecStart=/opt/backend-089/bin/[a-z]*|ExecStart=/bin/true|' "$folder"/*.service
  units=("$folder"/*.service "$folder"/*.timer)
  # Whatever it has to say is a fault; it exits with 0 for an unknown setting.
  systemd-analyze verify --man=no "${units[@]}" 2>&1 | grep "$folder" && status=1
  for unit in "$folder"/*.service; do
    # It can do so since version 250.
    [[ $(systemd-analyze --help) == *--offline* ]] || break
    SYSTEMD_UNIT_PATH="$folder:" systemd-analyze security --no-pager --offline=yes --threshold=15 "${unit##*/}" || status=1
  done
  rm -rf "$folder"
  return "$status"
}
