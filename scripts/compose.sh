# shellcheck shell=bash
# The containers as they ship, really run: a project of its own with three workers and the simulator, then what goes
# wrong in real life. At the end of each part the books must be exact, by id.

DRILL=$STATE/compose
DRILL_CALLS=4000

cmd_compose() {
  local plan=drill_one_broker
  case $* in
    '') ;;
    --cluster) plan=drill_three_brokers ;;
    *) die "compose takes --cluster and nothing else: $*" 64 ;;
  esac
  docker_answers || die "no Docker engine answers: install and start one (docker info says why)" 69
  docker compose version >/dev/null 2>&1 || die "the Compose plugin is missing: docker compose version" 69
  has curl || die "curl is missing" 69
  drill_environment
  at_exit drill_end
  # What a drill that was killed left behind: its passwords are not this one's.
  dc down --volumes --timeout 5 >/dev/null 2>&1 || true

  heading "1. Configuration and images"
  drill_config
  dc build --quiet
  docker image ls --format '  {{.Repository}}: {{.Size}}' | grep backend-089/

  "$plan"
  heading "Done"
}

drill_one_broker() {
  heading "2. up --scale consumer=3, and what the containers may do"
  drill_up 7
  drill_rights

  heading "3. $DRILL_CALLS calls; meanwhile a worker is killed twice and the broker restarted"
  drill_faults

  heading "4. down in the middle of work, and up again"
  drill_down

  heading "5. Last night's dump is restored, and the producer completes it"
  drill_restore

  heading "6. The older system's database, on a server of its own"
  drill_upgrade
}

# deploy/cluster.yml: the node that leads the work queue is killed in mid-run.
drill_three_brokers() {
  local leader
  DRILL_FILES+=(--file deploy/cluster.yml)
  heading "2. up --scale consumer=3, with three RabbitMQ nodes"
  drill_up 9
  dc exec -T rabbitmq rabbitmq-diagnostics --quiet cluster_status | sed -n '/Running Nodes/,/^Versions/p' | grep '^rabbit@' | sed 's/^/  /'

  heading "3. $DRILL_CALLS calls; meanwhile the node that leads the work queue is killed"
  drill_control POST "conversations?n=$DRILL_CALLS"
  wait_until 60 "the first calls" drill_stored_more_than 500 || drill_fail "nothing is stored"
  leader=$(dc exec -T rabbitmq rabbitmqctl --quiet list_queues name leader | awk '$1 == "089.fetch" { print $2 }')
  leader=${leader#rabbit@}
  docker kill "$(dc ps --quiet "${leader/rabbitmq-1/rabbitmq}")" >/dev/null
  echo "  docker kill of $leader at $(drill_stored) stored"
  DRILL_NODE=$([[ $leader == rabbitmq-1 ]] && echo rabbitmq-2 || echo rabbitmq)
  drill_books
  dc up --detach
  wait_until 120 "the node that was killed" drill_is_healthy 9 || drill_fail "it does not come back"
  echo "  and is back"
}

# Nothing from the caller's settings or ./.env: a name, ports, secrets and waits of the drill's own.
drill_environment() {
  local name ports
  for name in $(compgen -e | grep -E '^(AMQP|COMPOSE|DATABASE|DATA|DB|ELEVENLABS|RECONCILE|REPORT|SYNC|WORKER)_|^(TIMEZONE|RUST_LOG|LOG_FORMAT)$'); do
    unset "$name"
  done
  make_state_folder
  rm -rf "$DRILL"
  mkdir -m 700 "$DRILL"
  touch "$DRILL/gone"
  keep_ports "$STATE/compose.ports" 3
  read -r -a ports <"$STATE/compose.ports"
  export POSTGRES_PORT=${ports[0]} RABBITMQ_MANAGEMENT_PORT=${ports[1]} SIMULATOR_PORT=${ports[2]}
  export SECRETS=$DRILL/secrets
  ELEVENLABS_API_KEY=drill-key deploy/make-secrets "$SECRETS" 2>/dev/null
  export SIMULATOR_CONVERSATIONS=100 SIMULATOR_LATENCY=100ms WATCH_EVERY=2s CONSUMERS=3
  # Seconds instead of minutes and hours.
  export AMQP_RETRY_DELAYS=500ms,1s,2s AMQP_UNFINISHED_DELAYS=1s,2s
  DRILL_PROJECT=${STATE##*/}
  DRILL_FILES=(--file docker-compose.yml)
  DRILL_POSTGRES=$DRILL_PROJECT-postgres-1
  DRILL_NODE=rabbitmq
}
dc() { docker compose --project-name "$DRILL_PROJECT" --env-file deploy/simulator.env --progress quiet "${DRILL_FILES[@]}" "$@"; }
drill_end() {
  docker rm --force --volumes "$DRILL_PROJECT-older" >/dev/null 2>&1
  dc down --volumes --timeout 5 >/dev/null 2>&1
  # Compose forgets the volumes of a service that an override has put away.
  docker volume ls --quiet --filter "label=com.docker.compose.project=$DRILL_PROJECT" | xargs --no-run-if-empty docker volume rm >/dev/null 2>&1
  rm -rf "$DRILL"
}
drill_fail() {
  dc ps --all >&2
  dc logs --tail 15 producer consumer migrate >&2
  die "compose: $1"
}
drill_is() { [[ $2 == "$3" ]] || drill_fail "$1: expected '$3', got '$2'"; }

drill_config() {
  local files warnings
  for files in docker-compose.yml 'docker-compose.yml deploy/own-postgres.yml' 'docker-compose.yml deploy/cluster.yml'; do
    # shellcheck disable=SC2046,SC2086 # one --file for each
    warnings=$(docker compose --env-file /dev/null $(printf -- '--file %s ' $files) config --quiet 2>&1) || drill_fail "$files: $warnings"
    drill_is "docker compose config of $files" "$warnings" ""
  done
  echo "  docker compose config: clean"
}

drill_up() {
  local start=$SECONDS
  dc up --detach simulator
  wait_until 30 "the simulator" drill_control GET served || drill_fail "the simulator does not answer"
  drill_control PATCH faults '{"error_5xx":0.02,"missing":0.01,"malformed":0.005}'
  dc up --detach --scale consumer=3
  wait_until 180 "healthy containers" drill_is_healthy "$1" || drill_fail "not all containers are healthy"
  echo "  all healthy after $((SECONDS - start)) s"
}
# So many containers run and are healthy (the simulator has nothing to ask), and migrate has ended.
drill_is_healthy() {
  local states
  states=$(dc ps --all --format '{{.State}} {{.Health}} {{.ExitCode}}')
  (($(grep -cE '^running (healthy|) 0$' <<<"$states") == $1)) && [[ $(grep -v '^running' <<<"$states") == 'exited  0' ]]
}
drill_control() {
  curl --silent --fail --output /dev/null --request "$1" --header 'content-type: application/json' --data "${3:-{\}}" \
    "http://127.0.0.1:$SIMULATOR_PORT/control/$2"
}

drill_rights() {
  local id service
  for id in $(dc ps --quiet producer consumer simulator); do
    service=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}}' "$id")
    drill_is "$service" "$(docker inspect --format '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} {{.HostConfig.Privileged}}' "$id")" \
      "10089:10089 true [ALL] [] false"
    drill_is "$service's capabilities" "$(docker exec "$id" sh -c "grep -E 'Cap(Prm|Eff|Bnd)|NoNewPrivs' /proc/1/status | cut -f 2 | sort -u | xargs")" \
      "0000000000000000 1"
    drill_is "$service writes" "$(docker exec "$id" sh -c 'touch /etc/x /usr/local/bin/x 2>/dev/null || echo refused')" refused
  done
  for service in postgres rabbitmq; do
    id=$(dc ps --quiet "$service")
    drill_is "$service" "$(docker inspect --format '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.Privileged}}' "$id")" "true [ALL] false"
    drill_is "$service's user" "$(docker exec "$id" sh -c 'stat -c %U /proc/1')" "$service"
  done
  drill_is "ports on other addresses" "$(docker ps --filter "name=$DRILL_PROJECT" --format '{{.Ports}}' | grep -E '0\.0\.0\.0|\[?::' || true)" ""
  echo "  ours: user 10089, read-only, no capability; the servers: read-only, users of their own; ports: 127.0.0.1 alone"
}

drill_psql() { docker exec "$DRILL_POSTGRES" psql --quiet -v ON_ERROR_STOP=1 -U postgres -d llamadas -Atc "$1"; }
drill_stored() { drill_psql 'select count(*) from conversaciones'; }
drill_stored_more_than() { (($(drill_stored 2>/dev/null || echo 0) > $1)); }

drill_faults() {
  local workers pid
  drill_control POST "conversations?n=$DRILL_CALLS"
  wait_until 60 "the first calls" drill_stored_more_than 500 || drill_fail "nothing is stored"
  mapfile -t workers < <(dc ps --quiet consumer)
  docker kill "${workers[0]}" >/dev/null
  echo "  docker kill of one worker at $(drill_stored) stored"
  # What its supervisor sees as a crash, and mends by itself. Only root may do it.
  pid=$(docker inspect --format '{{.State.Pid}}' "${workers[1]}")
  if kill -KILL "$pid" 2>/dev/null; then
    echo "  SIGKILL of another's process at $(drill_stored) stored"
    wait_until 60 "the restart" drill_was_restarted "${workers[1]}" || drill_fail "a worker that crashed was not restarted"
  fi
  wait_until 60 "more calls" drill_stored_more_than 1500 || drill_fail "it goes no further"
  dc restart rabbitmq
  echo "  broker restarted at $(drill_stored) stored"
  dc up --detach --scale consumer=3
  drill_books
}
drill_was_restarted() { [[ $(docker inspect --format '{{.RestartCount}} {{.State.Running}}' "$1") =~ ^[1-9].*true ]]; }

# What the API lists is stored or set aside, each once, by id; and nothing waits any more.
drill_books() {
  local start=$SECONDS
  # A call that is stored and listed no more is there all the same.
  { drill_listed && cat "$DRILL/gone"; } | sort >"$DRILL/listed" || drill_fail "the simulator's list cannot be read"
  wait_until 240 "exact books" drill_is_exact || {
    diff "$DRILL/listed" "$DRILL/booked" | head -n 5 >&2
    drill_fail "the books are not exact"
  }
  drill_is "reports beside calls" "$(drill_psql 'select count(*) = count(distinct folio) and count(*) = count(distinct id_conversacion) from reportes')" t
  drill_is "calls without a report, but those that are nobody's" "$(drill_psql "select count(*) from conversaciones
    where coalesce(origen, '') not in ('subagent_tool', 'template_preview', 'agent_testing') and not exists (select from reportes where reportes.id_conversacion = conversaciones.id_conversacion)")" 0
  echo "  exact after $((SECONDS - start)) s: $(wc -l <"$DRILL/listed") listed = $(drill_stored) stored + $(drill_psql 'select count(*) from trabajos where muerto_en is not null') set aside"
}
drill_is_exact() {
  drill_psql 'select id_eleven from conversaciones union all select id_eleven from trabajos where muerto_en is not null' |
    sort >"$DRILL/booked" || return 1
  cmp --silent "$DRILL/listed" "$DRILL/booked" &&
    [[ $(dc exec -T "$DRILL_NODE" rabbitmqctl --quiet list_queues name messages 2>/dev/null | awk '$1 !~ /dead$/ && $1 != "name" { sum += $2 } END { print sum + 0 }') -eq 0 ]]
}
# Every id that the API lists.
drill_listed() {
  local cursor='' page
  while :; do
    # Its faults are meant for others.
    page=$(curl --silent --fail --retry 10 --retry-delay 1 --retry-all-errors --header 'xi-api-key: drill-key' \
      "http://127.0.0.1:$SIMULATOR_PORT/v1/convai/conversations?page_size=100${cursor:+&cursor=$cursor}") || return 1
    grep -o '"conversation_id":"[^"]*"' <<<"$page" | cut -d '"' -f 4
    cursor=$(grep -o '"next_cursor":"[^"]*"' <<<"$page" | cut -d '"' -f 4) || return 0
  done
}

drill_down() {
  local before codes
  before=$(drill_stored)
  drill_control POST 'conversations?n=900'
  wait_until 60 "some of the new calls" drill_stored_more_than $((before + 50)) || drill_fail "new calls do not come in"
  local start=$SECONDS since
  since=$(date +%s)
  # The simulator is an account elsewhere: it goes on, and keeps the calls it was given.
  COMPOSE_PROFILES='' dc down 2>/dev/null
  # Containers that are gone can only be asked of in the engine's own memory.
  codes=$(docker events --since "$since" --until "$(date +%s)" --filter event=die \
    --filter "label=com.docker.compose.project=$DRILL_PROJECT" \
    --format '{{index .Actor.Attributes "com.docker.compose.service"}} {{index .Actor.Attributes "exitCode"}}')
  drill_is "how producer and consumers ended" "$(grep -E '^(consumer|producer) ' <<<"$codes" | sort | xargs)" \
    "consumer 0 consumer 0 consumer 0 producer 0"
  echo "  down took $((SECONDS - start)) s; the producer and three workers ended with 0"
  dc up --detach
  drill_books
}

# As docs/operations.md says.
drill_restore() {
  dc exec -T postgres pg_dump --username postgres --format custom llamadas >"$DRILL/last-night.dump"
  local before later
  before=$(drill_stored)
  drill_control POST 'conversations?n=150'
  wait_until 60 "calls after the dump" drill_stored_more_than $((before + 100)) || drill_fail "new calls do not come in"
  drill_books
  later=$(($(drill_stored) - before))
  dc stop producer consumer
  dc exec -T postgres pg_restore --username postgres --clean --create --exit-on-error --dbname postgres <"$DRILL/last-night.dump"
  drill_is "calls in the restored dump" "$(drill_stored)" "$before"
  echo "  restored: $before calls; the $later that came later are gone"
  dc up --detach
  drill_books
}

# The older system's tables, with what its script would have stored of half of the calls, with gaps between the folios, a
# correction that a person made, and a call that the API lists no more.
drill_upgrade() {
  local older=$DRILL_PROJECT-older
  docker run --detach --name "$older" --network "${DRILL_PROJECT}_default" --env POSTGRES_PASSWORD=older --env POSTGRES_DB=llamadas \
    --volume "$ROOT/deploy/postgres:/deploy:ro" --volume "$SECRETS:/run/secrets:ro" postgres:17-trixie >/dev/null
  wait_until 60 "the older server" docker exec "$older" pg_isready --quiet --host 127.0.0.1 || die "the older server does not start"
  docker exec -i "$older" psql --quiet -v ON_ERROR_STOP=1 -U postgres -d llamadas <<'SQL'
create table agentes (id_agente text primary key, nombre text);
create table conversaciones (id_conversacion bigserial primary key, id_eleven text unique not null,
    id_agente text references agentes (id_agente), fecha date, hora_inicio time, hora_fin time, duracion text, transcripcion text);
create table reportes (folio bigserial primary key, id_conversacion bigint unique not null references conversaciones (id_conversacion),
    id_extorsion text, modo text, tiempo text, lugar text);
SQL
  drill_copy "$older" agentes 'select id_agente, nombre from agentes'
  drill_copy "$older" conversaciones 'select id_conversacion * 3, id_eleven, id_agente, fecha, hora_inicio, hora_fin, duracion, transcripcion from conversaciones join reportes using (id_conversacion) where id_conversacion % 2 = 0'
  drill_copy "$older" reportes 'select folio * 2, id_conversacion * 3, id_extorsion, modo, tiempo, lugar from reportes where id_conversacion % 2 = 0'
  COMPOSE_PROFILES='' dc down 2>/dev/null

  DRILL_POSTGRES=$older
  drill_psql "insert into conversaciones (id_conversacion, id_eleven, transcripcion) values (1, 'conv_que_ya_no_existe', '[0.0s] AGENT: 089')
    returning id_conversacion" >/dev/null
  drill_psql "insert into reportes (folio, id_conversacion, modo) values (1, 1, 'presencial')"
  drill_psql "update reportes set modo = 'corregido a mano' where folio = (select max(folio) from reportes)"
  drill_psql "select setval('conversaciones_id_conversacion_seq', (select max(id_conversacion) from conversaciones)),
    setval('reportes_folio_seq', (select max(folio) from reportes))" >/dev/null
  drill_older >"$DRILL/older"
  docker exec "$older" psql --quiet -U postgres -d llamadas -v ON_ERROR_STOP=1 -f /deploy/10-roles.sql -f /deploy/20-logins.sql >/dev/null

  DRILL_FILES+=(--file deploy/own-postgres.yml)
  DB_HOST=$older dc up --detach --scale consumer=3
  echo conv_que_ya_no_existe >"$DRILL/gone"
  drill_books
  drill_older >"$DRILL/upgraded"
  # New rows may come between; none of the older ones may change.
  drill_is "older rows that changed" "$(comm -23 "$DRILL/older" "$DRILL/upgraded" | head -n 3)" ""
  echo "  $(wc -l <"$DRILL/older") older rows and folios are as they were; $(drill_stored) stored in all"
}
# drill_copy CONTAINER TABLE QUERY: what the query finds in the drill's database, into the older one.
drill_copy() {
  drill_psql "copy ($3 order by 1) to stdout" | docker exec -i "$1" psql --quiet -U postgres -d llamadas -c "copy $2 from stdin"
}
drill_older() {
  drill_psql 'select id_conversacion, id_eleven, id_agente, fecha, hora_inicio, hora_fin, duracion, md5(transcripcion), folio, id_extorsion, modo,
    tiempo, lugar from conversaciones join reportes using (id_conversacion)' | sort
}
