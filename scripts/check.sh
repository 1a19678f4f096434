#!/usr/bin/env bash
# What CI runs, the same at a desk: format, lints, documentation, tests, the demo, comparisons where they can be made.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step "format"
cargo fmt --check
step "lints"
cargo clippy --all-targets -- -D warnings
step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --quiet
step "tests"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo test 2>&1 | tee "$log"
step "packages"
if cargo deny --version >/dev/null 2>&1; then
    cargo deny --offline check licenses bans sources
else
    echo "cargo-deny is not installed: licences and sources were held to deny.toml by tests/packages.rs"
fi
if [ -n "${SYNSCOPE_FUZZ:-}" ]; then
    step "fuzz targets, ten seconds each"
    scripts/fuzz.sh 10
else
    echo "libFuzzer is asked for by SYNSCOPE_FUZZ=1: it builds for minutes; the steps below play its targets without it"
fi
step "demo"
target=${CARGO_TARGET_DIR:-target}/release
cargo build --release --quiet
"$target/synscope" demo
step "benchmarks build"
cargo bench --no-run --quiet
step "hostile input"
scripts/hostile.sh --short
step "comparisons"
scripts/compare.sh "$target/synscope"

step "all of it holds"
awk '/^test result:/ { passed += $4; failed += $6 } END { printf "%d passed, %d failed\n", passed, failed }' "$log"
