#!/usr/bin/env bash
# What a SYN flood costs: memory beside a small capture, time per packet beside ordinary traffic, and how many of the honest
# handshakes during it are still told as established. Prints a line per flood; exit 1 if a claim does not hold:
# at most 48 MB more, at least 97 % of the handshakes, at most 4 times the time per packet.
#   scripts/flood-cost.sh [--short] [--live] [table|jsonl] [FLOOD…]     FLOOD: slow fast everywhere ipv6 (all), none
#
# The whole makes 5 million SYNs per flood, on the fly; --short a fifth, which still fills the table. --live adds a flood between two network namespaces
# of its own (root; nothing leaves them): LIVE_RATE SYNs a second, 10,000 unless told otherwise, and their answers. Sender and
# watcher share the machine: a rate that both cores cannot carry shows as drops. Needs GNU time.
set -euo pipefail
cd "$(dirname "$0")/.."

most_memory=48 least_told=97 most_time=4
syns=5000000 live= live_rate=${LIVE_RATE:-10000}
floods=() formats=()
for word in "$@"; do
    case $word in
    --short) syns=1000000 ;;
    --live) live=1 ;;
    table | jsonl) formats+=("$word") ;;
    slow | fast | everywhere | ipv6 | none) floods+=("$word") ;;
    *) echo "usage: $0 [--short] [--live] [table|jsonl] [slow|fast|everywhere|ipv6|none …]" >&2; exit 2 ;;
    esac
done
[ ${#floods[@]} -gt 0 ] || floods=(slow fast everywhere ipv6)
[ ${#formats[@]} -gt 0 ] || formats=(table jsonl)

[ -n "${BUILT:-}" ] || cargo build --quiet --release --bin synscope --example traffic
target=${CARGO_TARGET_DIR:-target}/release
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 small=() usual=()

# run FORMAT COUNT TRAFFIC…: the traffic goes through `analyze`; sets megabytes, seconds of processor time, frames, good
# handshakes, and how many lines hold COUNT.
run() {
    local format=$1 count=$2
    shift 2
    "$target/examples/traffic" "$@" 2>"$work/truth" |
        { /usr/bin/time -f '%M %U %S' -o "$work/time" "$target/synscope" analyze - --format "$format" 2>"$work/said" || [ $? -le 1 ]; } |
        { grep -c "$count" || true; } >"$work/count"
    read -r kilobytes user system < <(tail -n 1 "$work/time")
    megabytes=$(awk "BEGIN { print $kilobytes / 1000 }")
    seconds=$(awk "BEGIN { print $user + $system }")
    frames=$(sed 's/.*frames \([0-9]*\).*/\1/' "$work/truth")
    good=$(sed 's/.*good \([0-9]*\).*/\1/' "$work/truth")
    counted=$(cat "$work/count")
    each=$(awk "BEGIN { printf \"%.0f\", $seconds * 1e9 / $frames }")
}

# holds CLAIM…: an expression of numbers.
holds() {
    awk "BEGIN { exit !($*) }" || { echo "  ! not so: $*"; failed=1; }
}

# The server answers every SYN; honest clients are 100 ms away at most, a hundred a second, for as long as it lasts.
flood() {
    local kind=$1 rate=$2
    shift 2
    echo "$kind" - --rate "$rate" --lasts "$(awk "BEGIN { print $syns / $rate }")" --lead 2 --crowd 100 --slowest 100 \
        --backlog 0 "$@"
}

established='"outcome":"established"'
for format in "${formats[@]}"; do
    run $format "$established" steady - --lead 0 --lasts 20 --crowd 0
    small[${#small[@]}]=$megabytes
    run $format "$established" crowd - --rate 2000 --lead 0 --lasts 40 --crowd 0
    usual[${#usual[@]}]=$each
done
printf '%-12s %-6s %9s %12s %10s %12s\n' flood format frames 'MB more' 'ns/packet' 'handshakes'
for name in "${floods[@]}"; do
    case $name in
    slow) traffic=$(flood spoofed 100000) ;;
    fast) traffic=$(flood spoofed 1000000) ;;
    everywhere) traffic=$(flood everything 500000) ;;
    ipv6) traffic=$(flood spoofed 500000 --server '[2001:db8:77::10]:80') ;;
    none) continue ;;
    esac
    nth=0
    for format in "${formats[@]}"; do
        # shellcheck disable=SC2086 # words
        run $format "$established" $traffic
        more=$(awk "BEGIN { printf \"%.1f\", $megabytes - ${small[$nth]} }")
        share=-
        [ $format = table ] || share=$(awk "BEGIN { printf \"%.1f\", 100 * $counted / $good }")
        printf '%-12s %-6s %9s %12s %10s %12s\n' "$name" $format "$frames" "$more" "$each" "$share %"
        holds "$more <= $most_memory"
        holds "$each <= $most_time * ${usual[$nth]}"
        [ $format = table ] || holds "$share >= $least_told"
        nth=$((nth + 1))
    done
done
echo "${formats[*]}: ordinary traffic ${usual[*]} ns/packet; a small capture ${small[*]} MB"

if [ -n "$live" ]; then
    from=flood-cost-a$$ to=flood-cost-b$$
    trap 'ip netns del $from; ip netns del $to; rm -rf "$work"' EXIT
    ip netns add $from
    ip netns add $to
    ip -n $from link add wire type veth peer name wire netns $to
    ip -n $from link set wire up
    ip -n $to link set wire up
    # watched TRAFFIC…: the traffic goes over the wire while `trace` looks on, until a moment after its end, however long a
    # busy machine takes to send it; sets megabytes, good, counted.
    watched() {
        local watcher
        rm -f "$work/count"
        ip netns exec $to /usr/bin/time -f '%M %U %S' -o "$work/time" "$target/synscope" trace wire \
            --format jsonl 2>"$work/said" \
            > >({ grep '"type":"connection"' || true; } | { grep -c "$established" || true; } >"$work/count") &
        watcher=$!
        sleep 1
        ip netns exec $from "$target/examples/traffic" "$@" 2>"$work/truth"
        sleep 3
        # GNU time is the watcher's parent, and passes no signal on.
        kill -INT "$(pgrep -P $watcher -x synscope)"
        wait $watcher || true
        read -r kilobytes user system < <(tail -n 1 "$work/time")
        megabytes=$(awk "BEGIN { print $kilobytes / 1000 }")
        good=$(sed 's/.*good \([0-9]*\).*/\1/' "$work/truth")
        frames=$(sed 's/.*frames \([0-9]*\).*/\1/' "$work/truth")
        until [ -s "$work/count" ]; do sleep 0.1; done
        counted=$(cat "$work/count")
    }
    watched steady --out wire --lead 0 --lasts 4 --crowd 0
    quiet=$megabytes
    watched spoofed --out wire --rate "$live_rate" --lasts $((syns / live_rate)) --lead 0 --crowd 100 --backlog 0 --slowest 100 \
        --count $((syns * 6))
    more=$(awk "BEGIN { printf \"%.1f\", $megabytes - $quiet }")
    share=$(awk "BEGIN { printf \"%.1f\", 100 * $counted / $good }")
    echo "live: $frames frames, $more MB more than $quiet, $share % of $good handshakes; $(tail -n 1 "$work/said")"
    holds "$more <= $most_memory"
    holds "$share >= $least_told"
fi
exit $failed
