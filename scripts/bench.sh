# shellcheck shell=bash
# The benchmark: release binaries, private servers, and the program `bench`, which does the rest.

cmd_bench() {
  local build=release target
  case " $* " in
    # Seconds, not figures: the binaries that the tests have built will do.
    *' --quick '*) build=debug ;;
  esac
  install_missing
  if [[ $build == release ]]; then
    # As they ship: the benchmark itself asks for features of `shared` that they do not have.
    cargo build --release --locked --bins -p producer -p consumer -p simulator
    cargo build --release --locked -p bench
  else
    cargo build --locked --workspace --bins
  fi
  target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
  hold_services
  eval "$(print_variables)"
  "$target/$build/bench" "$@"
}
