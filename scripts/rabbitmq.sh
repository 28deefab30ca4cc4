# shellcheck shell=bash
# The private RabbitMQ: $STATE/rabbitmq holds its data, settings and cookie, $STATE/log/rabbitmq what it says. Its
# name server (epmd) is private too: started here and ended here, since one that a broker starts outlives it.

RMQ_HOME=$STATE/rabbitmq
RMQ_LOG=$STATE/log/rabbitmq

# rabbitmq_port amqp | management | distribution | epmd
rabbitmq_port() {
  local amqp management distribution epmd
  # shellcheck disable=SC2034 # named by the argument
  read -r amqp management distribution epmd 2>/dev/null <"$STATE/rabbitmq.ports" || true
  echo "${!1:-0}"
}
rabbitmq_node() { echo "backend089-${STATE##*-}@127.0.0.1"; }
amqp_url() { echo "amqp://guest:guest@127.0.0.1:$(rabbitmq_port amqp)/%2f"; }
management_url() { echo "http://guest:guest@127.0.0.1:$(rabbitmq_port management)"; }

# Ours, with both listeners: each opens at its own moment of the start.
rabbitmq_is_up() {
  port_answers "$(rabbitmq_port amqp)" &&
    curl --silent --fail --max-time 5 "$(management_url)/api/overview" 2>/dev/null | grep -qF "\"node\":\"$(rabbitmq_node)\""
}

rabbitmq_await() { wait_until 120 RabbitMQ rabbitmq_is_up_or_gone && rabbitmq_is_there; }
rabbitmq_is_there() { is_process "$(cat "$STATE/broker.pid" 2>/dev/null || echo 0)" "$STATE"; }
rabbitmq_is_up_or_gone() { rabbitmq_is_up || ! rabbitmq_is_there; }
# At once or, on a busy machine, a while later.
rabbitmq_answers() { rabbitmq_is_up || { rabbitmq_is_there && wait_until 60 RabbitMQ rabbitmq_is_up; }; }
rabbitmq_failed() { die "RabbitMQ did not start: $(tail -n 5 "$STATE/log/broker.out")"; }

# Only launches it: the start takes a while, and PostgreSQL's can happen meanwhile.
rabbitmq_launch() {
  rabbitmq_stop
  rabbitmq_prepare
  rabbitmq_run
}

rabbitmq_prepare() {
  keep_ports "$STATE/rabbitmq.ports" 4
  install -d -m 700 "$RMQ_HOME"
  rm -rf "$RMQ_LOG"
  install -d -m 755 "$RMQ_LOG"
  rabbitmq_settings >"$RMQ_HOME/rabbitmq.conf"
  echo '[rabbitmq_management].' >"$RMQ_HOME/enabled_plugins"
  : >"$RMQ_HOME/none"
  if is_root; then chown -R rabbitmq: "$RMQ_HOME" "$RMQ_LOG"; fi
}

# Sets the caller's `environment`, a clean one: neither the system's settings nor the user's reach this broker. An
# address as host (hence the long name): neither the machine's own name nor `localhost` need resolve.
rabbitmq_environment() {
  environment=(
    env -i "PATH=$PATH" LANG=C.UTF-8 "LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}" "HOME=$RMQ_HOME"
    "ERL_EPMD_PORT=$(rabbitmq_port epmd)" ERL_EPMD_ADDRESS=127.0.0.1 "ERL_CRASH_DUMP=$RMQ_LOG/erl_crash.dump"
    RABBITMQ_USE_LONGNAME=true "RABBITMQ_NODENAME=$(rabbitmq_node)"
    "RABBITMQ_DIST_PORT=$(rabbitmq_port distribution)"
    "RABBITMQ_MNESIA_BASE=$RMQ_HOME/data" "RABBITMQ_LOG_BASE=$RMQ_LOG" "RABBITMQ_LOGS=$RMQ_LOG/rabbitmq.log"
    "RABBITMQ_ENABLED_PLUGINS_FILE=$RMQ_HOME/enabled_plugins" "RABBITMQ_CONFIG_FILE=$RMQ_HOME/rabbitmq.conf"
    "RABBITMQ_ADVANCED_CONFIG_FILE=$RMQ_HOME/advanced.config" "RABBITMQ_CONF_ENV_FILE=$RMQ_HOME/none"
    "RABBITMQ_GENERATED_CONFIG_DIR=$RMQ_HOME/config" "RABBITMQ_PID_FILE=$RMQ_HOME/broker.pid"
    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}"
  )
}

# Begins, with the data that there is.
rabbitmq_run() {
  local bin epmd environment
  bin=$(rabbitmq_bin)
  epmd=$(command -v epmd)
  rabbitmq_environment
  is_process "$(cat "$STATE/epmd.pid" 2>/dev/null || echo 0)" "-port $(rabbitmq_port epmd)" ||
    launch epmd "${environment[@]}" "$epmd" -address 127.0.0.1 -port "$(rabbitmq_port epmd)"
  # The argument means nothing to Erlang; it tells this broker's processes from all others.
  launch broker "${environment[@]}" "$bin/rabbitmq-server" -backend089 "$STATE"
}

# launch NAME COMMAND…: in the background, in a session of its own that a Ctrl-C does not reach.
launch() {
  local name=$1 pid prefix
  shift
  user_prefix rabbitmq
  (
    cd "$RMQ_HOME" || exit
    setsid "${prefix[@]}" "$@" >"$STATE/log/$name.out" 2>&1 </dev/null 9>&- &
    pid=$!
    echo "-$pid" >"$STATE/$name.pid"
    # Before it leads its session it would be taken for one that has ended.
    while [[ $(ps -o sid= -p "$pid" | tr -d ' ') != "$pid" ]] && kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
  )
}

rabbitmq_settings() {
  cat <<SETTINGS
listeners.tcp.1 = 127.0.0.1:$(rabbitmq_port amqp)
management.tcp.ip = 127.0.0.1
management.tcp.port = $(rabbitmq_port management)
log.file.level = info
# A test run makes many quorum queues, all of which write to one log of this size before it is compacted.
raft.wal_max_size_bytes = 64000000
disk_free_limit.absolute = 50MB
SETTINGS
}

rabbitmq_stop() {
  end_process "$STATE/broker.pid" "$STATE" TERM
  end_process "$STATE/epmd.pid" "-port $(rabbitmq_port epmd)" TERM
  rm -rf "$RMQ_HOME"
}
