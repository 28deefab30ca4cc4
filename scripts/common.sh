# shellcheck shell=bash
# What every verb needs: messages, the state folder, processes, ports, and tidying up at the end.

say() { printf '%s\n' "$*" >&2; }
heading() { if [[ -t 1 ]]; then printf '\n\033[1m%s\033[0m\n' "$*"; else printf '\n== %s\n' "$*"; fi; }

# die MESSAGE [EXIT CODE]
die() {
  say "./dev: $1"
  exit "${2:-1}"
}

has() { command -v "$1" >/dev/null 2>&1; }
is_root() { [[ $(id -u) -eq 0 ]]; }

# as_user USER COMMAND…: PostgreSQL refuses to run as root, so root's servers run as the users their packages
# made. setpriv replaces itself with the command: no extra process, and none of runuser's PAM sessions.
as_user() {
  local prefix
  user_prefix "$1"
  "${prefix[@]}" "${@:2}"
}
# Sets the caller's `prefix`, for where the command must be started directly and not by a function.
user_prefix() {
  prefix=(env)
  if is_root; then prefix=(setpriv --reuid="$1" --regid="$(id -g "$1")" --init-groups); fi
}

# One folder per checkout and user, so that two clones, or root and an ordinary user, never meet.
state_folder() {
  local base=${TMPDIR:-/tmp}
  # root's service users cannot enter a private TMPDIR.
  if is_root && ! as_user nobody test -x "$base"; then base=/tmp; fi
  printf '%s/backend-089-%s-%s' "${base%/}" "$(id -u)" "$(printf '%s' "$ROOT" | cksum | cut -d' ' -f1)"
}
STATE=$(state_folder)

make_state_folder() {
  # Searchable by root's service users; what is private lies in folders of their own, with mode 700.
  local mode=700
  if is_root; then mode=711; fi
  mkdir -m "$mode" "$STATE" 2>/dev/null || true
  # The name can be guessed and /tmp is everyone's: never trust a folder that someone else put there.
  [[ -d $STATE && ! -L $STATE && -O $STATE ]] || die "$STATE exists and belongs to someone else"
  mkdir -p "$STATE/holders" "$STATE/log"
  chmod "$mode" "$STATE" "$STATE/log"
}

# is_process TARGET TEXT: whether process PID, or for "-PID" any process of the session it began, lives and has
# TEXT in its command line. A pid alone proves nothing: after a reboot it may be anyone's.
is_process() {
  local by=-p
  [[ $1 != -* ]] || by=-s
  # shellcheck disable=SC2009 # pgrep cannot be told to look at one process only
  ps -ww -o args= "$by" "${1#-}" 2>/dev/null | grep -qF -- "$2"
}

# end_process PIDFILE TEXT SIGNAL: ends the process, or for "-PID" the group it leads.
end_process() {
  local target i
  target=$(head -n 1 "$1" 2>/dev/null) || return 0
  if is_process "$target" "$2"; then
    kill -s "$3" -- "$target" 2>/dev/null || true
    for ((i = 0; i < 100; i++)); do
      is_process "$target" "$2" || break
      sleep 0.1
    done
    kill -s KILL -- "$target" 2>/dev/null || true
  fi
  rm -f "$1"
}

# wait_until SECONDS WHAT COMMAND…: asks four times a second, and says something when it takes long.
wait_until() {
  local seconds=$1 what=$2 start=$SECONDS told=0
  shift 2
  until "$@"; do
    ((SECONDS - start < seconds)) || return 1
    if ((SECONDS - start >= told + 10)); then
      told=$((SECONDS - start))
      say "still waiting for $what (${told}s)"
    fi
    sleep 0.25
  done
}

port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Between the standard ports of either server and the range that outgoing connections draw from.
free_port() {
  local port i
  for ((i = 0; i < 200; i++)); do
    port=$((20000 + RANDOM % 5000))
    port_answers "$port" || {
      echo "$port"
      return
    }
  done
  die "found no free port between 20000 and 25000"
}

# keep_ports FILE N: N ports into FILE. The same ones as last time where they are still free, so that variables
# exported earlier stay right.
keep_ports() {
  local file=$1 n=$2 port ports=() old=()
  read -r -a old 2>/dev/null <"$file" || true
  while ((${#ports[@]} < n)); do
    port=${old[${#ports[@]}]:-}
    if [[ -z $port ]] || port_answers "$port" || [[ " ${ports[*]:-} " == *" $port "* ]]; then
      port=$(free_port)
      [[ " ${ports[*]:-} " != *" $port "* ]] || continue
      old[${#ports[@]}]=$port
    fi
    ports+=("$port")
  done
  echo "${ports[*]}" >"$file"
}

# at_exit FUNCTION: called when ./dev ends, however it ends, the last one first.
CLEANUPS=()
at_exit() { CLEANUPS=("$1" ${CLEANUPS[@]+"${CLEANUPS[@]}"}); }
run_cleanups() {
  local status=$? cleanup
  trap - EXIT
  trap '' INT TERM HUP # a second Ctrl-C must not leave half of it running
  for cleanup in ${CLEANUPS[@]+"${CLEANUPS[@]}"}; do "$cleanup" || true; done
  exit "$status"
}
trap run_cleanups EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
