#!/bin/sh
# Holds the flood detector against seeded traffic over many rates, shapes, losses and views, and prints a table:
# found, one incident each, delay, error of the start, and what was said that should not have been.
#
#   scripts/flood-sweep.sh                  5 seeds per scenario
#   scripts/flood-sweep.sh --seeds 20       more of them
#   scripts/flood-sweep.sh --only carpet    some; add --failures to see what was said instead
#
# Exit code 1 where an attack was missed or a false alarm raised. Needs cargo and nothing else.
set -eu
cd "$(dirname "$0")/.."
exec cargo run --release --quiet --example flood_sweep -- "$@"
