# shellcheck shell=bash
# The whole test suite against the private servers.

cmd_test() {
  hold_services
  eval "$(print_variables)"
  # More at once than there are cores: they mostly wait, for servers and processes.
  RUST_TEST_THREADS=${RUST_TEST_THREADS:-6} cargo test --workspace "$@"
}
