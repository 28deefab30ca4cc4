# shellcheck shell=bash
# The main job, for real: a simulated API with faults -> producer -> RabbitMQ -> three consumers -> PostgreSQL.

DEMO=$STATE/demo
WORKERS=(1 2 3)
CHILDREN=()

cmd_demo() {
  local keep=no
  case $* in
    '') ;;
    --keep) keep=yes ;;
    *) die "demo takes --keep and nothing else: $*" 64 ;;
  esac

  heading "1. Build, private servers, a simulated API"
  install_missing
  cargo build --workspace --bins
  DEMO_BIN=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug
  hold_services
  at_exit end_children
  demo_environment
  demo_start_simulator

  heading "2. producer migrate"
  "$DEMO_BIN/producer" migrate
  heading "3. producer sync: asks the API which calls there are, and publishes one job for each"
  "$DEMO_BIN/producer" sync
  heading "4. consumer --drain, ${#WORKERS[@]} at once: fetch, normalize, persist, settle"
  demo_drain
  heading "5. What came in, although some of the API's answers were broken on purpose"
  demo_counts
  demo_rows
  echo
  echo "Set aside, with the reason (producer dead list --limit 5):"
  "$DEMO_BIN/producer" dead list --limit 5
  heading "6. Repair the cause, replay, drain again"
  demo_repair
  heading "Done"
  demo_counts
  demo_farewell "$keep"
}

# A database and a broker namespace of the demo's own, and not one setting from the caller: neither a variable nor
# a `.env` (which the programs look for in their working folder, so that is an empty one).
demo_environment() {
  local name
  for name in $(compgen -e); do
    case $name in
      ELEVENLABS_* | DATABASE_* | DB_* | AMQP_* | SYNC_* | REPORT_* | DATA_ITEMS | WORKER_* | RECONCILE_* | \
        METRICS_ADDR | PANEL_* | TIMEZONE | LOG_FORMAT) unset "$name" ;;
    esac
  done
  rm -rf "$DEMO"
  mkdir "$DEMO"
  cd "$DEMO" || exit

  PGOPTIONS='-c client_min_messages=warning' psql_in postgres -c 'drop database if exists demo with (force)'
  psql_in postgres -c 'create database demo'
  demo_sweep_broker
  DATABASE_URL=$(postgres_url demo)
  AMQP_URL=$(amqp_url)
  AMQP_MANAGEMENT_URL=$(management_url)
  AMQP_NAMESPACE=demo-$(date +%s)
  export DATABASE_URL AMQP_URL AMQP_MANAGEMENT_URL AMQP_NAMESPACE
  export ELEVENLABS_API_KEY=demo-key
  # Seconds instead of minutes and hours: nobody wants to watch the real ladder.
  export AMQP_RETRY_DELAYS=300ms,600ms,1s AMQP_UNFINISHED_DELAYS=1s,1s
  export RUST_LOG=warn
}

# Queues and exchanges of this and earlier demos.
demo_sweep_broker() {
  local kind name
  for kind in queues exchanges; do
    for name in $(curl --silent "$(management_url)/api/$kind/%2F?columns=name" | grep -o '"name":"demo-[^"]*"' | cut -d '"' -f 4); do
      curl --silent --output /dev/null --request DELETE "$(management_url)/api/$kind/%2F/$name"
    done
  done
}

demo_start_simulator() {
  "$DEMO_BIN/simulator" --port 0 --conversations "${DEMO_CONVERSATIONS:-1500}" --agents 4 --seed 89 --api-key demo-key \
    --latency 20ms --error-5xx 0.05 --dropped 0.02 --html 0.01 --malformed 0.01 --missing 0.01 --in-progress 0.02 \
    >"$DEMO/simulator.url" 2>"$DEMO/simulator.log" &
  SIMULATOR=$!
  CHILDREN=("$SIMULATOR")
  wait_until 30 "the simulator" grep -q http "$DEMO/simulator.url" || demo_fail "the simulator does not listen" simulator.log
  ELEVENLABS_BASE_URL=$(grep -o -m 1 'http[^ ]*' "$DEMO/simulator.url")
  export ELEVENLABS_BASE_URL
}

# demo_control METHOD PATH [BODY]: the simulator's switches.
demo_control() {
  curl --silent --show-error --fail --output /dev/null --request "$1" --header 'content-type: application/json' \
    --data "${3:-{\}}" "${ELEVENLABS_BASE_URL%/}/control/$2" || demo_fail "the simulator refused $1 $2" simulator.log
}

demo_count() { psql_in demo -Atc "select count(*) from $1"; }
listed() { demo_count trabajos; }
stored() { demo_count conversaciones; }
SET_ASIDE="trabajos where muerto_en is not null and descartado_en is null"

demo_drain() {
  local worker pids=() total
  total=$(listed)
  for worker in "${WORKERS[@]}"; do
    "$DEMO_BIN/consumer" --drain >>"$DEMO/consumer-$worker.log" 2>&1 &
    pids+=($!)
  done
  CHILDREN=("$SIMULATOR" "${pids[@]}")
  while any_alive "${pids[@]}"; do
    bar "$(stored)" "$total"
    sleep 0.5
  done
  if [[ -t 2 ]]; then
    bar "$(stored)" "$total"
    echo >&2
  fi
  for worker in "${WORKERS[@]}"; do
    wait "${pids[worker - 1]}" || demo_fail "consumer $worker ended with exit code $?" "consumer-$worker.log"
  done
  CHILDREN=("$SIMULATOR")
}
any_alive() {
  local pid
  for pid in "$@"; do
    if kill -0 "$pid" 2>/dev/null; then return 0; fi
  done
  return 1
}
bar() {
  local width=40 filled rest
  [[ -t 2 ]] || return 0
  filled=$(($2 ? $1 * width / $2 : 0))
  printf -v rest '%*s' $((width - filled)) ''
  printf -v filled '%*s' "$filled" ''
  printf '\r  %s%s %d of %d stored ' "${filled// /█}" "${rest// /░}" "$1" "$2" >&2
}

demo_counts() {
  local all kept aside waiting
  all=$(listed)
  kept=$(stored)
  aside=$(demo_count "$SET_ASIDE")
  waiting=$((all - kept - aside))
  echo "$all listed, $kept stored, $aside set aside$( ((waiting == 0)) || echo ", $waiting not finished at the source yet")"
  psql_in demo -Atc "select '  ' || clase || ': ' || count(*) from $SET_ASIDE group by clase order by count(*) desc"
}

demo_rows() {
  psql_in demo -P footer=off -c "select folio, fecha, hora_inicio, duracion, left(id_extorsion::text, 24) as id_extorsion,
    left(modo, 24) as modo, left(lugar, 24) as lugar from reportes join conversaciones using (id_conversacion)
    order by folio limit 5"
}

demo_repair() {
  local round
  demo_control PATCH faults '{"error_5xx":0,"dropped":0,"html":0,"malformed":0,"missing":0}'
  demo_control POST finish
  echo "The API answers every request properly now, and the calls that were going on have ended."
  "$DEMO_BIN/producer" dead replay
  for ((round = 0; round < 20; round++)); do
    demo_drain
    # An unfinished call comes back by itself when its pause is over; a drain does not wait for that.
    if [[ $(stored) -eq $(listed) ]]; then return; fi
    sleep 1
  done
  demo_fail "$(stored) of $(listed) are stored, and it goes no further" consumer-1.log
}

demo_farewell() {
  local psql
  psql="psql \"$(postgres_url demo)\""
  if [[ $SERVERS == docker ]]; then
    psql="docker exec -it $DOCKER_NAME-postgres psql -U postgres demo"
  elif ! has psql; then
    psql=$(postgres_bin)/$psql
  fi
  echo
  if [[ $1 == yes ]]; then
    touch "$STATE/kept"
    echo "The servers stay up until ./dev down. To look further:"
  else
    at_exit demo_sweep_broker
    echo "To look further, run ./dev demo --keep, which leaves the servers up for:"
  fi
  echo "  $psql -c 'select * from reportes join conversaciones using (id_conversacion) limit 20'"
  echo "What the programs logged is in $DEMO until the next demo."
}

# demo_fail MESSAGE LOG
demo_fail() {
  say "the last lines of $DEMO/$2:"
  tail -n 20 "$DEMO/$2" >&2 || true
  die "demo: $1"
}

end_children() {
  local pid
  for pid in ${CHILDREN[@]+"${CHILDREN[@]}"}; do kill -TERM "$pid" 2>/dev/null || true; done
  wait_until 10 "the demo's processes" none_alive || kill -KILL "${CHILDREN[@]}" 2>/dev/null || true
}
none_alive() { ! any_alive ${CHILDREN[@]+"${CHILDREN[@]}"}; }
