# shellcheck shell=bash
# A PostgreSQL of one drill's own, in a folder of its own: for what nobody may do to a server that others use.

# database start | restart MODE | fill DISK | free DISK | end, with FOLDER after the action
cmd_database() {
  local action=${1:-} bin
  [[ -d ${2:-} ]] || die "database needs an action and a folder" 64
  STATE=$2
  shift 2
  PG_DATA=$STATE/postgres
  PG_LOG=$STATE/log/postgres.log
  # A crash must not take back what was committed.
  # shellcheck disable=SC2034 # read by postgres_settings
  PG_SYNCHRONOUS_COMMIT=on
  use_private_packages
  bin=$(postgres_bin) || die "PostgreSQL is not installed here, only in a container" 69
  make_state_folder
  case $action in
    start)
      postgres_start || postgres_start || die "PostgreSQL did not start: $(tail -n 5 "$PG_LOG")"
      postgres_url postgres
      ;;
    restart)
      (cd "$PG_DATA" && as_user postgres "$bin/pg_ctl" -D "$PG_DATA" -l "$PG_LOG" -w -t 120 -m "$1" restart) \
        >/dev/null 2>&1 </dev/null || die "PostgreSQL did not restart: $(tail -n 5 "$PG_LOG")"
      ;;
    # As small as what lies on it, and as large as anyone needs.
    fill) mount -o "remount,size=$(df --block-size=1 --output=used "$1" | tail -n 1)" "$1" ;;
    free) mount -o remount,size=4G "$1" ;;
    end) postgres_stop ;;
    *) die "no such action: $action" 64 ;;
  esac
}
