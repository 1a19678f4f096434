#!/usr/bin/env bash
# Holds synscope against the field's reference programs, where their written-down answers lie beside the checkout.
# A user's checkout has none and passes without them.
#   scripts/compare.sh [PROGRAM]
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-${CARGO_TARGET_DIR:-target}/release/synscope}

# Agreement that was reached, percent of the values of each field where either side has one, and must not be lost again. What
# is left is explained in comparison-exceptions.tsv.
TSHARK_FLOOR=100
ZEEK_FLOOR=100
TCPTRACE_FLOOR=97.9
shared=${SYNSCOPE_SHARED:-../shared}

if [ ! -d "$shared/tools" ] || [ ! -d "$shared/corpus" ]; then
    echo "no reference answers at $shared: nothing to compare"
    exit 0
fi

echo "-- every capture is read without panic"
unreadable=0 read=0
while IFS= read -r -d '' file; do
    set +e
    message=$(timeout 60 "$program" analyze --format jsonl "$file" 2>&1 >/dev/null)
    code=$?
    set -e
    if [ "$code" -gt 2 ]; then
        echo "$file: exit $code: $message"
        exit 1
    elif [ "$code" -eq 2 ]; then
        if [ "$(printf '%s\n' "$message" | wc -l)" -ne 1 ]; then
            echo "$file: more than one line: $message"
            exit 1
        fi
        unreadable=$((unreadable + 1))
    else
        read=$((read + 1))
    fi
done < <(find "$shared/corpus" "$shared/floods" -type f ! -name '*.tsv' -print0 | sort -z)
echo "read $read captures, $unreadable refused in one line each"

echo "-- the parts of every connection's time add up to its whole"
find "$shared/corpus" "$shared/floods" -type f ! -name '*.tsv' -print0 | sort -z \
    | { xargs -0 -n 100 timeout 300 "$program" analyze --format jsonl --fail-on never 2>/dev/null || true; } \
    | python3 -c '
import json, sys
nanos = lambda text: int(text.replace(".", ""))
connections = wrong = longer = 0
for line in sys.stdin:
    it = json.loads(line)
    if it["type"] != "connection":
        continue
    parts = dict(it["time_budget"])
    total = nanos(parts.pop("total"))
    connections += 1
    wrong += sum(map(nanos, parts.values())) != total or any(part.startswith("-") for part in parts.values())
    longer += total != nanos(it["end"]) - nanos(it["start"])
print(f"{connections} connections, {wrong} whose parts do not add up; {longer} whose clock stepped back in between")
sys.exit(wrong > 0 or connections == 0)'

echo "-- Wireshark 4.0's verdicts, frame by frame (the floor is what was reached before)"
"$shared/tools/parity-tshark" --bin "$program" --min "$TSHARK_FLOOR" --jobs 2 --examples 0

echo "-- Zeek's conn.log and tcptrace's long report, connection by connection"
"$shared/tools/parity-zeek" --bin "$program" --min "$ZEEK_FLOOR" --jobs 2 --examples 0
"$shared/tools/parity-tcptrace" --bin "$program" --min "$TCPTRACE_FLOOR" --jobs 2 --examples 0 | grep -v '100.000 %  100.000 %'

echo "-- floods, scans and crowds with labels"
"$shared/tools/score-floods" --bin "$program" "$shared/floods"

echo "known differences, with their reasons:"
cut -f1,2,4,5 scripts/comparison-exceptions.tsv | tail -n +2
