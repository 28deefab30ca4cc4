# shellcheck shell=bash
# The whole test suite against the private servers; or a part of it against RabbitMQ 4.

# What another version of the broker may change: deliveries and how they are counted, limits, dead letters, headers. Left
# out are the tests that are about the network, and last a minute.
BROKER_TESTS=(--test traps --test faults --test dead_letters -- --skip a_network_that_fails --skip a_database_that_hangs)

# Those that mostly wait, for servers that are stopped and for time to pass: they run beside the others.
PATIENT_TESTS=(bad_input broker faults health lanes stopping traps)

cmd_test() {
  local tests=("$@")
  hold_services
  eval "$(print_variables)"
  # More at once than there are cores: they mostly wait, for servers and processes.
  export RUST_TEST_THREADS=${RUST_TEST_THREADS:-6}
  (($# > 0)) || {
    test_everything
    return
  }
  if [[ ${1:-} == --rabbitmq-4 ]]; then
    tests=("${@:2}")
    ((${#tests[@]} > 0)) || tests=("${BROKER_TESTS[@]}")
    rabbitmq4_start
  fi
  # The whole workspace, unless told otherwise (-p).
  cargo test "${tests[@]}"
}

test_everything() {
  local file name patient=() others=() status=0
  for file in */tests/*.rs */tests/*/main.rs; do
    name=${file#*/tests/}
    name=${name%/main.rs}
    name=${name%.rs}
    if [[ " ${PATIENT_TESTS[*]} " == *" $name "* ]]; then patient+=(--test "$name"); else others+=(--test "$name"); fi
  done
  cargo test --workspace --no-run || return
  BESIDE_LOG=$(mktemp)
  # In a group of its own, so that all of it can be ended.
  setsid cargo test --workspace --no-fail-fast "${patient[@]}" >"$BESIDE_LOG" 2>&1 &
  BESIDE=$!
  at_exit end_beside
  cargo test --workspace --no-fail-fast --lib --bins "${others[@]}" || status=1
  wait "$BESIDE" || status=1
  cat "$BESIDE_LOG"
  cargo test --workspace --doc || status=1
  return "$status"
}
end_beside() {
  kill -- "-$BESIDE" 2>/dev/null || true
  rm -f "$BESIDE_LOG"
}

# A broker in a container, as docker-compose.yml has one, for as long as this ./dev runs.
rabbitmq4_start() {
  local ports
  docker_answers || die "no Docker engine answers: install and start one (docker info says why)" 69
  rabbitmq4_end
  keep_ports "$STATE/rabbitmq4.ports" 2
  read -r -a ports <"$STATE/rabbitmq4.ports"
  at_exit rabbitmq4_end
  docker_rabbitmq "$DOCKER_NAME-rabbitmq4" "${ports[@]}"
  export TEST_AMQP_URL=amqp://guest:guest@127.0.0.1:${ports[0]}/%2f
  export TEST_AMQP_MANAGEMENT_URL=http://guest:guest@127.0.0.1:${ports[1]}
  wait_until 120 "RabbitMQ 4" rabbitmq4_is_up || die "RabbitMQ 4 does not start: docker logs $DOCKER_NAME-rabbitmq4"
}
rabbitmq4_is_up() {
  port_answers "$(cut -d ' ' -f 1 "$STATE/rabbitmq4.ports")" &&
    curl --silent --fail --max-time 5 "$TEST_AMQP_MANAGEMENT_URL/api/overview" 2>/dev/null | grep -qF '"rabbitmq_version":"4.'
}
rabbitmq4_end() { docker rm --force --volumes "$DOCKER_NAME-rabbitmq4" >/dev/null 2>&1 || true; }
