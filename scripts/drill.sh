# shellcheck shell=bash
# The fault drill: everything that can go wrong goes wrong, by a seeded schedule; then the books are checked.

# drill ARGUMENTS…, which the binary reads: see its --help
cmd_drill() {
  local built binary word
  install_missing
  cargo build --quiet --workspace --bins
  built=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug
  for word in "$@"; do
    case $word in --plan | --help | -h | --version | -V) exec "$built/drill" "$@" ;; esac
  done
  make_state_folder
  FAULT_DRILL=$(mktemp -d "$STATE/drill-XXXXXX")
  FAULT_DRILL_STATUS=0
  at_exit fault_drill_end
  # Its own copies: a long one starts them again and again, whatever is built meanwhile.
  mkdir "$FAULT_DRILL/bin"
  cp "$built"/{drill,producer,consumer} "$FAULT_DRILL/bin"
  binary=$FAULT_DRILL/bin/drill
  if is_root && has unshare && unshare --mount true 2>/dev/null; then
    # A disk that can be full: in memory, seen by the drill and its servers alone, and gone with the last of them.
    mkdir "$FAULT_DRILL/disk"
    # shellcheck disable=SC2016 # expanded by that shell
    unshare --mount --propagation private bash -ec '
      mount -t tmpfs -o size=2G,mode=755 drill "$1/disk"
      install -d -m 700 -o postgres "$1/disk/tables"
      exec "${@:2}"' drill "$FAULT_DRILL" "$binary" --folder "$FAULT_DRILL" --small-disk "$FAULT_DRILL/disk" "$@" &
  else
    "$binary" --folder "$FAULT_DRILL" "$@" &
  fi
  FAULT_DRILL_PID=$!
  wait "$FAULT_DRILL_PID" || FAULT_DRILL_STATUS=$?
  return "$FAULT_DRILL_STATUS"
}

fault_drill_end() {
  if [[ -n ${FAULT_DRILL_PID:-} ]] && kill -TERM "$FAULT_DRILL_PID" 2>/dev/null; then wait "$FAULT_DRILL_PID" || true; fi
  fault_drill_end_servers "$FAULT_DRILL"
  if [[ $FAULT_DRILL_STATUS -eq 1 || -e $FAULT_DRILL/keep ]]; then
    say "what the programs and the servers logged is in $FAULT_DRILL/log"
  else
    rm -rf "$FAULT_DRILL"
  fi
}

# Of one drill; ./dev down does so for those that were killed outright.
fault_drill_end_servers() {
  "$ROOT/dev" broker end "$1" || true
  "$ROOT/dev" database end "$1" || true
  rm -rf "${1:?}/bin"
  rmdir "$1/disk" 2>/dev/null || true
}
