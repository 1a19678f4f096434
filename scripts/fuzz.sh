#!/usr/bin/env bash
# Runs the fuzz targets under libFuzzer, each for so many seconds, from seeds made of our fixtures.
#   scripts/fuzz.sh [SECONDS] [TARGET...]       60 s and all of them, if nothing is said
#   TIMEOUT=30 scripts/fuzz.sh                  on a busy machine: what a case may take is told by the clock on the wall
# Building takes minutes, after each change of the library again. What was learnt stays in fuzz/corpus. Needs cargo-fuzz;
# without it, says so and passes: `cargo test --test fuzz` plays the same targets with no tool at all.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(container decode options reassembly analyzer)

if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "cargo-fuzz is not installed (cargo install cargo-fuzz): nothing run"
    exit 0
fi
toolchain=()
if rustup run nightly rustc --version >/dev/null 2>&1; then
    toolchain=(+nightly)
else
    export RUSTC_BOOTSTRAP=1
fi

cargo run --quiet --release --example hostile -- seeds fuzz/corpus
cargo "${toolchain[@]}" fuzz build --fuzz-dir fuzz
for target in "${targets[@]}"; do
    echo "-- $target, $seconds s"
    # One process, two gibibytes, five seconds a case. The last words are executions, coverage and what was found.
    code=0
    cargo "${toolchain[@]}" fuzz run --fuzz-dir fuzz "$target" -- \
        -detect_leaks=0 -max_total_time="$seconds" -timeout="${TIMEOUT:-5}" -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
        >"fuzz/target/$target.log" 2>&1 || code=$?
    grep -E '^(#[0-9]+[[:space:]]+(INITED|DONE)|stat::(number|new|slowest|peak)|==|SUMMARY|thread|Done)|panicked' "fuzz/target/$target.log" || true
    if [ "$code" -ne 0 ]; then
        echo "found: fuzz/artifacts/$target, told in fuzz/target/$target.log"
        exit 1
    fi
done
