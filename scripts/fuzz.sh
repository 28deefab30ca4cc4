# shellcheck shell=bash
# libFuzzer on what strangers write: bodies of the API, types that change, messages, variables. What it finds becomes an ordinary test.

FUZZ_TARGETS=(normalize drift message config)
CARGO_FUZZ_VERSION=0.13.2

# fuzz [TARGET] [SECONDS]
cmd_fuzz() {
  local target=${1:-} seconds=${2:-600} targets=("${FUZZ_TARGETS[@]}") fuzz seeds
  if [[ $target == said ]]; then
    SAID_CASES=${2:-100000} cargo test --release -p consumer --test said
    return
  fi
  if [[ -n $target ]]; then
    [[ " ${FUZZ_TARGETS[*]} " == *" $target "* ]] || die "no such target: $target; there are ${FUZZ_TARGETS[*]}" 64
    targets=("$target")
  fi
  [[ $seconds =~ ^[1-9][0-9]*$ ]] || die "seconds are a whole number: $seconds" 64
  fuzz=$(cargo_fuzz) || die "cargo-fuzz could not be installed" 69
  fuzz_versions
  for target in "${targets[@]}"; do
    heading "$target, $seconds s"
    seeds=fuzz/seeds/$target
    mkdir -p "fuzz/corpus/$target"
    case $target in
      normalize)
        seeds=consumer/tests/fixtures
        fuzz_bodies "fuzz/corpus/$target"
        ;;
      # Every variable there is.
      config) sed -nE 's/^#?([A-Z_]+=)/\1/p' .env.example >"fuzz/corpus/$target/example" ;;
    esac
    # Our code is without `unsafe`, so there is nothing for a sanitizer, which would need a nightly compiler.
    "$fuzz" run --sanitizer none --fuzz-dir fuzz "$target" "fuzz/corpus/$target" "$seeds" -- \
      -dict="fuzz/$target.dict" -max_len=16384 -rss_limit_mb=2048 -timeout=20 -max_total_time="$seconds" ||
      die "a finding lies below fuzz/artifacts/$target: mend it, and make an ordinary test of it"
  done
}

# The same versions as the other workspace's; libFuzzer's own come to them.
fuzz_versions() { cp Cargo.lock fuzz/Cargo.lock; }

# What `./dev check` asks: that the targets compile. Its dependencies have been compiled for the lints already.
check_fuzz() {
  fuzz_versions
  CARGO_TARGET_DIR=target cargo check --manifest-path fuzz/Cargo.toml --no-default-features
}

# The simulator's bodies, which show more than one fixture can: once, they are the same each time.
fuzz_bodies() {
  local folder=$1 log=$STATE/fuzz-simulator base id
  [[ ! -e $folder/.bodies ]] || return 0
  make_state_folder
  cargo build --quiet -p simulator
  target/debug/simulator --conversations 100 --newest-start 2026-11-22T12:00:00Z >"$log" 2>/dev/null &
  FUZZ_SIMULATOR=$!
  at_exit end_fuzz_simulator
  wait_until 30 "the simulator" test -s "$log" || die "the simulator does not start" 69
  base=$(cat "$log")/v1/convai/conversations
  for id in $(fuzz_get "$base?page_size=100" | grep -o '"conversation_id":"[^"]*"' | cut -d '"' -f 4); do
    fuzz_get "$base/$id" >"$folder/$id" || rm -f "$folder/$id"
  done
  # Longer ones would be cut, and be no JSON any more.
  find "$folder" -type f -size +16k -delete
  touch "$folder/.bodies"
  end_fuzz_simulator
}
fuzz_get() { curl --silent --fail --header 'xi-api-key: sk_simulator' "$1"; }
end_fuzz_simulator() { kill "$FUZZ_SIMULATOR" 2>/dev/null || true; }

# The path of cargo-fuzz, in a private folder when it is not installed.
cargo_fuzz() {
  local folder=$CACHE/cargo-fuzz-$CARGO_FUZZ_VERSION
  if has cargo-fuzz; then
    command -v cargo-fuzz
    return
  fi
  [[ -x $folder/bin/cargo-fuzz ]] ||
    cargo install --quiet --locked --root "$folder" "cargo-fuzz@$CARGO_FUZZ_VERSION" >&2 || return 1
  echo "$folder/bin/cargo-fuzz"
}
