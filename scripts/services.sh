# shellcheck shell=bash
# The private servers as a pair: up, down, and who still needs them.
#
# $STATE/holders has one file per running ./dev that uses the servers, named by its pid; $STATE/kept says that a
# person asked for them by `./dev up`. Whoever leaves last, with no such wish, ends them.

cmd_up() {
  hold_services
  touch "$STATE/kept"
  print_variables
}

cmd_down() {
  local drill
  [[ -d $STATE ]] || return 0
  make_state_folder
  locked services_stop
  for drill in "$STATE"/drill-*/; do
    if [[ -d $drill ]]; then fault_drill_end_processes "${drill%/}"; fi
  done
  rm -rf "$STATE/kept" "$STATE/holders"
  say "nothing runs any more; the logs stay in $STATE/log"
}

# Starts the servers, or joins those that run, until this ./dev ends.
hold_services() {
  install_missing
  make_state_folder
  touch "$STATE/holders/$$"
  at_exit release_services
  locked services_start
}

release_services() {
  rm -f "$STATE/holders/$$"
  locked services_stop_if_unused
}

services_stop_if_unused() {
  local holder
  [[ ! -e $STATE/kept ]] || return 0
  for holder in "$STATE"/holders/*; do
    # The file of one that was killed outright holds nothing.
    if is_process "${holder##*/}" dev; then return; fi
  done
  services_stop
}

# One ./dev at a time starts or ends servers. They must not inherit the lock: hence 9>&- where they are launched.
locked() {
  if has flock; then
    (
      flock 9
      "$@"
    ) 9>"$STATE/lock"
  else
    "$@"
  fi
}

services_start() {
  local launched=no
  if [[ $SERVERS == docker ]]; then
    docker_is_up || docker_start || die "the containers did not start: docker logs $DOCKER_NAME-postgres, -rabbitmq"
    return
  fi
  # A server that does not answer as ours is a leftover of a crash: it is ended and made anew.
  if ! rabbitmq_answers; then
    # Both gone: whoever said `up` did so before a reboot.
    postgres_answers || rm -f "$STATE/kept"
    say "starting RabbitMQ"
    launched=yes
    rabbitmq_launch
  fi
  if ! postgres_answers; then
    say "starting PostgreSQL"
    # Another process may have taken the port between the look and the start; then the second try takes another.
    postgres_start || postgres_start || die "PostgreSQL did not start: $(tail -n 5 "$PG_LOG")"
  fi
  if [[ $launched == yes ]]; then
    # Another process may have taken one of its ports, too.
    rabbitmq_await || { rabbitmq_launch && rabbitmq_await; } || rabbitmq_failed
  fi
}

services_stop() {
  docker_stop
  postgres_stop
  rabbitmq_stop
}

print_variables() {
  variable DATABASE_URL "$(postgres_url backend089)"
  variable AMQP_URL "$(amqp_url)"
  variable AMQP_MANAGEMENT_URL "$(management_url)"
  variable TEST_DATABASE_URL "$(postgres_url postgres)"
  variable TEST_AMQP_URL "$(amqp_url)"
  variable TEST_AMQP_MANAGEMENT_URL "$(management_url)"
  variable TEST_POSTGRES_LOG "$PG_LOG"
  variable TEST_RABBITMQ_LOG "$RMQ_LOG"
  if [[ -d $PRIVATE ]]; then
    variable PATH "$PATH"
    variable LD_LIBRARY_PATH "$LD_LIBRARY_PATH"
    if [[ -n ${PQ_LIB_DIR:-} ]]; then variable PQ_LIB_DIR "$PQ_LIB_DIR"; fi
  fi
}
variable() { printf 'export %s=%q\n' "$1" "$2"; }
