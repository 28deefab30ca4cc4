# shellcheck shell=bash
# The stand-in where there is no apt but a Docker engine: the same two servers in containers, on loopback ports.

DOCKER_NAME=${STATE##*/}

docker_answers() { has docker && docker info >/dev/null 2>&1; }

docker_is_up() {
  [[ $(docker ps --quiet --filter "name=^$DOCKER_NAME-" 2>/dev/null | wc -l) -eq 2 ]] &&
    psql_in backend089 -Atc 'select 1' >/dev/null 2>&1 &&
    curl --silent --fail --max-time 5 --output /dev/null "$(management_url)/api/overview"
}

docker_start() {
  docker_stop
  keep_ports "$STATE/postgres.ports" 1
  keep_ports "$STATE/rabbitmq.ports" 2
  # The containers' users have ids of their own and write their logs here.
  mkdir -p "$RMQ_LOG"
  chmod 777 "$STATE/log" "$RMQ_LOG"
  touch "$STATE/docker"
  docker run --detach --rm --name "$DOCKER_NAME-postgres" --publish "127.0.0.1:$(postgres_port):5432" \
    --env POSTGRES_PASSWORD=postgres --env POSTGRES_DB=backend089 --volume "$STATE/log:/log" postgres:17 \
    -c max_connections=400 -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
    -c logging_collector=on -c log_directory=/log -c log_filename=postgres.log -c log_file_mode=0644 \
    -c log_statement=none -c log_min_error_statement=panic -c log_error_verbosity=terse \
    -c log_parameter_max_length=0 -c log_parameter_max_length_on_error=0 >/dev/null
  docker_rabbitmq "$DOCKER_NAME-rabbitmq" "$(rabbitmq_port amqp)" "$(rabbitmq_port management)" \
    --volume "$RMQ_LOG:/var/log/rabbitmq" --env RABBITMQ_LOGS=/var/log/rabbitmq/rabbitmq.log
  wait_until 120 "the containers" docker_is_up
}

# docker_rabbitmq NAME AMQP-PORT MANAGEMENT-PORT ARGUMENTS…
docker_rabbitmq() {
  docker run --detach --rm --name "$1" --publish "127.0.0.1:$2:5672" --publish "127.0.0.1:$3:15672" \
    --env RABBITMQ_DEFAULT_USER=guest --env RABBITMQ_DEFAULT_PASS=guest "${@:4}" rabbitmq:4-management >/dev/null
}

docker_stop() {
  [[ -e $STATE/docker ]] || return 0
  docker rm --force --volumes "$DOCKER_NAME-postgres" "$DOCKER_NAME-rabbitmq" >/dev/null 2>&1 || true
  rm -f "$STATE/docker"
}
