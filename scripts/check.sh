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
cargo test
step "demo"
cargo build --release --quiet
target/release/synscope demo
step "benchmarks build"
cargo bench --no-run --quiet
step "comparisons"
scripts/compare.sh target/release/synscope
