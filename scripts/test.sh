# shellcheck shell=bash
# The whole test suite against the private servers.

cmd_test() {
  hold_services
  eval "$(print_variables)"
  cargo test --workspace "$@"
}
