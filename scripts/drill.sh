# shellcheck shell=bash
# The fault drill: everything that can go wrong goes wrong, by a seeded schedule; then the books are checked.

# drill ARGUMENTS…, which the binary reads: see its --help
cmd_drill() {
  local built word command
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
  command=("$FAULT_DRILL/bin/drill" --folder "$FAULT_DRILL")
  if is_root && has unshare && unshare --mount true 2>/dev/null; then
    # A disk that can be full: in memory, seen by the drill and its servers alone, and gone with the last of them.
    mkdir "$FAULT_DRILL/disk"
    # shellcheck disable=SC2016 # expanded by that shell
    command=(unshare --mount --propagation private bash -ec '
      mount -t tmpfs -o size=2G,mode=755 drill "$1"
      install -d -m 700 -o postgres "$1/tables"
      exec "${@:2}" --small-disk "$1"' drill "$FAULT_DRILL/disk" "${command[@]}")
  fi
  # A session of its own, which is ended as a whole: workers and all.
  setsid "${command[@]}" "$@" &
  echo "-$!" >"$FAULT_DRILL/drill.pid"
  wait $! || FAULT_DRILL_STATUS=$?
  return "$FAULT_DRILL_STATUS"
}

fault_drill_end() {
  fault_drill_end_processes "$FAULT_DRILL"
  if [[ $FAULT_DRILL_STATUS -eq 1 || -e $FAULT_DRILL/keep ]]; then
    say "what the programs and the servers logged is in $FAULT_DRILL/log"
  else
    rm -rf "$FAULT_DRILL"
  fi
}

# Of one drill; ./dev down does so for those that were killed outright.
fault_drill_end_processes() {
  end_process "$1/drill.pid" "$1" TERM
  "$ROOT/dev" broker end "$1" || true
  "$ROOT/dev" database end "$1" || true
  rm -rf "${1:?}/bin"
  rmdir "$1/disk" 2>/dev/null || true
}
