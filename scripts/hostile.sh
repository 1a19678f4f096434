#!/usr/bin/env bash
# Hostile input by the thousand: captures cut anywhere, single octets changed, memory per capture. No panic, no case over
# 5 s, at most 256 MiB allocated at once; no capture needs more than 64 MiB beyond its size. Prints counts, seed and the
# worst cases; exit 1 if a claim does not hold.
#   scripts/hostile.sh [--short]      SEED=N makes other cases
#
# The whole takes some three minutes: 200 captures × 64 cuts, 10,000 mutations for each of five container formats, 20,000
# changed seeds for each fuzz target, and one run of the program per capture. Captures are those of ../shared/corpus if it is there, else our fixtures.
set -euo pipefail
cd "$(dirname "$0")/.."

seed=${SEED:-1}
shared=${SYNSCOPE_SHARED:-../shared}
captures=$shared/corpus
[ -d "$captures" ] || captures=fixtures/pcap
files=200 cuts=64 mutations=10000
case ${1:-} in
'') ;;
--short) files=40 cuts=8 mutations=500 ;;
*) echo "usage: $0 [--short]" >&2; exit 2 ;;
esac

cargo build --quiet --release --bin synscope --example hostile
target=${CARGO_TARGET_DIR:-target}/release
# A brake, should the count in the program itself be wrong: address space, in KiB.
ulimit -v $((2 << 20))
"$target/examples/hostile" prefixes "$files" "$cuts" "$seed" "$captures"
"$target/examples/hostile" mutations "$mutations" "$seed"
"$target/examples/hostile" wounds $((mutations / 10)) "$seed"
"$target/examples/hostile" targets $((mutations * 2)) "$seed"
if [ -z "${1:-}" ]; then
    "$target/examples/hostile" memory "$target/synscope" "$captures"
else
    "$target/examples/hostile" memory "$target/synscope" fixtures/pcap
fi
