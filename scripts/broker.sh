# shellcheck shell=bash
# A RabbitMQ of one test's own, in a folder of its own: for what nobody may do to a broker that others use.

# broker start | stop | kill | ctl | end, FOLDER, and for ctl what rabbitmqctl is told
cmd_broker() {
  local action=${1:-} environment prefix
  [[ -d ${2:-} ]] || die "broker needs an action and a folder" 64
  STATE=$2
  shift 2
  RMQ_HOME=$STATE/rabbitmq
  # shellcheck disable=SC2034 # read where the broker is started
  RMQ_LOG=$STATE/log/rabbitmq
  use_private_packages
  rabbitmq_bin >/dev/null || die "RabbitMQ is not installed here, only in a container" 69
  make_state_folder
  case $action in
    start)
      [[ -d $RMQ_HOME ]] || rabbitmq_prepare
      rabbitmq_run
      rabbitmq_await || rabbitmq_failed
      echo "$(amqp_url) $(management_url)"
      ;;
    stop) end_process "$STATE/broker.pid" "$STATE" TERM ;;
    kill) end_process "$STATE/broker.pid" "$STATE" KILL ;;
    ctl)
      rabbitmq_environment
      user_prefix rabbitmq
      (cd "$RMQ_HOME" && "${prefix[@]}" "${environment[@]}" "$(rabbitmq_bin)/rabbitmqctl" --longnames --node "$(rabbitmq_node)" "$@")
      ;;
    end) rabbitmq_stop ;;
    *) die "no such action: $action" 64 ;;
  esac
}
