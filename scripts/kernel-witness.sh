#!/usr/bin/env bash
# Real kernels as witnesses: two Linux hosts in network namespaces talk over a cable that loses, delays, doubles and
# disorders what passes, and what synscope counts in the capture stands beside what the sending kernel counted itself.
#
#   scripts/kernel-witness.sh [SCENARIO...]     all if none is named; KEEP=DIR keeps captures and counters
#   scripts/kernel-witness.sh --fixtures DIR    records the three small captures of fixtures/pcap instead
#   scripts/kernel-witness.sh --list            names and descriptions
#
# Prints the table of docs/accuracy.md; exit 1 if the sum of what was sent again differs anywhere. Takes a minute and a
# half, at most 4 MB and 15 s a scenario. Needs root (namespaces), ip, ethtool, nstat, ss, tcpdump and jq. The cable is
# examples/cable.rs: it needs no netem, which many kernels are built without, and hits the frames that it is told to, so
# that a scenario means the same on every machine. SEED=N lets its percentages hit others. Nothing leaves the namespaces,
# which are gone when the script ends.
# BIN names a directory of built programs (synscope, examples/); otherwise cargo builds them.
set -euo pipefail
cd "$(dirname "$0")/.."

a=witness-a-$$ b=witness-b-$$ c=witness-c-$$
port=5757
work=$(mktemp -d)
keep=${KEEP:-$work}
started=()

# Ends what this script started, by process number, and takes its namespaces away.
clean_up() {
    local pid
    for pid in "${started[@]}"; do
        kill -TERM "$pid" 2>/dev/null || true
        { wait "$pid" || true; } 2>/dev/null
    done
    for pid in "$a" "$b" "$c"; do
        ip netns del "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

fail() {
    echo "kernel-witness: $*" >&2
    exit 2
}

# ---------------------------------------------------------------- the scenarios
# name | what happens | cable | sink | push | settings of both hosts
# Places are those of frames with data from the sender, counted from 1; the handshake carries none.
scenarios() {
    cat <<'END'
clean | 2 MB, nothing spoilt | --delay 10 | --octets 2000000 | --octets 2000000 |
loss-2 | 2 MB, 2 % of data lost | --delay 10 --loss 2 | --octets 2000000 | --octets 2000000 |
loss-5 | 1 MB, 5 % of data lost | --delay 10 --loss 5 | --octets 1000000 | --octets 1000000 |
loss-no-sack | 1 MB, 2 % of data lost, neither SACK nor timestamps | --delay 10 --loss 2 | --octets 1000000 | --octets 1000000 | tcp_sack=0 tcp_timestamps=0
reorder | 2 MB, 25 % of data 6 ms late | --delay 10 --late 25 6 | --octets 2000000 | --octets 2000000 |
duplicate | 2 MB, 2 % of data doubled | --delay 10 --duplicate 2 | --octets 2000000 | --octets 2000000 |
delay-jump | 1 MB, way of 10 ms suddenly 400 ms longer, for 1 s | --delay 10 --from 200 400 1000 | --octets 1000000 | --octets 1000000 |
tail-loss | ten bursts of ten segments, the last of each lost | --delay 10 --drop 10,21,32,43,54,65,76,87,98,109 | --octets 144800 | --octets 144800 --burst 14480 400 |
late-tail | ten bursts of ten segments, the last of each 300 ms late | --delay 10 --hold 10=300,21=300,32=300,43=300,54=300,65=300,76=300,87=300,98=300,109=300 | --octets 144800 | --octets 144800 --burst 14480 600 |
burst-lost | ten bursts of ten segments, two of them lost whole | --delay 10 --drop 21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,72,73,74,75,76,77,78,79,80,81 | --octets 144800 | --octets 144800 --burst 14480 1200 |
zero-window | 200 kB to a reader that sleeps for 4 s, 8 KB of room | --delay 10 | --octets 200000 --buffer 8192 --pause 4000 | --octets 200000 |
slow-reader | 200 kB to a reader that rests 300 ms after every 20 kB | --delay 10 | --octets 200000 --buffer 8192 --stutter 20000 300 | --octets 200000 |
refused | nobody listens | --delay 10 | | --octets 1 |
keep-alive | one segment, then 5 s of silence, keep-alive after 1 s | --delay 10 | --octets 100 | --octets 100 --linger 5500 --keep-alive 1 |
END
}

# The same, small enough to be kept: fixtures/INDEX.toml has their rows.
fixture_scenarios() {
    cat <<'END'
witness-fast-retransmission | 72 kB, the 15th and the 30th segment lost | --delay 10 --drop 15,30 | --octets 72400 | --octets 72400 |
witness-tail-loss-probe | three bursts, the last segment of each 300 ms late | --delay 10 --hold 10=300,21=300,32=300 | --octets 43440 | --octets 43440 --burst 14480 600 |
witness-zero-window | 40 kB to a reader that sleeps for 3 s, 8 KB of room | --delay 10 | --octets 40000 --buffer 8192 --pause 3000 | --octets 40000 |
END
}

# ---------------------------------------------------------------- the two hosts
lacks() {
    [ "$(id -u)" = 0 ] || { echo "root, for network namespaces"; return; }
    local tool
    for tool in ip ethtool nstat ss tcpdump jq; do
        command -v "$tool" >/dev/null || { echo "$tool (Debian: apt-get install iproute2 ethtool tcpdump jq)"; return; }
    done
}

# Two hosts and between them the room in which the cable runs. Offloads off: what is captured is what is sent, segment by
# segment. No metrics kept: a scenario learns nothing from the one before. Small buffers: bursts that a cable can carry.
namespaces() {
    local ns
    for ns in "$a" "$b" "$c"; do
        ip netns add "$ns"
        ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    done
    ip -n "$a" link add wire type veth peer name left netns "$c"
    ip -n "$b" link add wire type veth peer name right netns "$c"
    local mac_a mac_b
    for ns in "$a wire" "$b wire" "$c left" "$c right"; do
        # shellcheck disable=SC2086 # a namespace and an interface
        set -- $ns
        ip netns exec "$1" ethtool -K "$2" tso off gso off gro off tx off rx off >/dev/null
        ip -n "$1" link set "$2" up
    done
    mac_a=$(ip netns exec "$a" cat /sys/class/net/wire/address)
    mac_b=$(ip netns exec "$b" cat /sys/class/net/wire/address)
    ip -n "$a" addr add 10.0.0.1/24 dev wire
    ip -n "$b" addr add 10.0.0.2/24 dev wire
    ip -n "$a" neigh replace 10.0.0.2 lladdr "$mac_b" dev wire
    ip -n "$b" neigh replace 10.0.0.1 lladdr "$mac_a" dev wire
    for ns in "$a" "$b"; do
        ip netns exec "$ns" sysctl -qw net.ipv4.tcp_no_metrics_save=1 \
            net.ipv4.tcp_rmem="4096 65536 131072" net.ipv4.tcp_wmem="4096 65536 262144"
    done
}

set_both() { # SYSCTL=VALUE...
    local ns word
    for ns in "$a" "$b"; do
        for word in "$@"; do ip netns exec "$ns" sysctl -qw "net.ipv4.$word"; done
    done
}

# Waits until a file holds a line: until_says FILE PATTERN
until_says() {
    local tries
    for tries in $(seq 300); do
        grep -q "$2" "$1" 2>/dev/null && return
        sleep 0.05
    done
    fail "$1 never said $2 (${tries} tries): $(cat "$1")"
}

# Ends one of ours and forgets it.
end() { # SIGNAL PID
    kill "-$1" "$2" 2>/dev/null || true
    { wait "$2" || true; } 2>/dev/null
}

# ---------------------------------------------------------------- one scenario
counters() { # FILE: name and value of each of the sending kernel's counters
    ip netns exec "$a" nstat -asz 2>/dev/null | awk '/^(Tcp|TcpExt)/ { print $1, $2 }' >"$1"
}

trim() { sed 's/^ *//; s/ *$//' <<<"$1"; }

# Runs one line of the list: capture, counters and socket end up in $keep/NAME.*
run() { # NAME CABLE SINK PUSH SETTINGS SNAPLEN
    local name=$1 cable sink push
    # shellcheck disable=SC2086 # settings and options are words
    set_both tcp_sack=1 tcp_timestamps=1 $5
    # shellcheck disable=SC2086
    ip netns exec "$c" "$bin/examples/cable" left right --seed "${SEED:-1}" $2 >"$work/cable" 2>&1 &
    cable=$! && started+=("$cable")
    until_says "$work/cable" "^cable left right"
    ip netns exec "$a" tcpdump -Z root -i wire --immediate-mode -B 8192 -s "$6" --time-stamp-precision=nano \
        -w "$keep/$name.pcap" tcp 2>"$work/tcpdump" &
    local dump=$! && started+=("$dump")
    until_says "$work/tcpdump" "listening on"
    rm -f "$work/sink" "$work/push"
    if [ -n "$3" ]; then
        # shellcheck disable=SC2086
        ip netns exec "$b" "$bin/examples/bulk" sink "10.0.0.2:$port" $3 >"$work/sink" 2>&1 &
        sink=$! && started+=("$sink")
        until_says "$work/sink" "^listening"
    fi
    counters "$keep/$name.before"
    # shellcheck disable=SC2086
    timeout 25 ip netns exec "$a" "$bin/examples/bulk" push "10.0.0.2:$port" --control cubic --linger 300 $4 >"$work/push" 2>&1 &
    push=$! && started+=("$push")
    if [ -n "$3" ]; then
        until_says "$work/push" "^answered"
        ip netns exec "$a" ss -tinH dst 10.0.0.2 >"$keep/$name.ss"
        wait "$push" || fail "$name: $(cat "$work/push")"
        wait "$sink" || fail "$name: $(cat "$work/sink")"
    else
        wait "$push" && fail "$name: somebody listens"
        : >"$keep/$name.ss"
    fi
    # Long enough for last acknowledgments, short enough that nobody speaks again.
    sleep 0.2
    counters "$keep/$name.after"
    end INT "$dump"
    grep -q "^0 packets dropped by kernel" "$work/tcpdump" || fail "$name: tcpdump lost packets: $(cat "$work/tcpdump")"
    end TERM "$cable"
}

# ---------------------------------------------------------------- the two accounts
kernel() { # NAME COUNTER: by how much it grew
    join "$keep/$1.before" "$keep/$1.after" | awk -v counter="$2" '$1 == counter { print $3 - $2; seen = 1 } END { if (!seen) print "?" }'
}

# What synscope says of each segment: side that sent it, code and count, a line each.
judge() { # NAME
    "$bin/synscope" headers "$keep/$1.pcap" --format jsonl | jq -r --argjson port "$port" '
        (if .dst_port == $port then "client" else "server" end) as $side
        | .verdicts[] | select(.verdict | IN("found", "broken", null)) | "\($side) \(.code)"' |
        sort | uniq -c | awk '{ print $2, $3, $1 }' >"$keep/$1.ours"
}

ours() { # NAME SIDE CODE...
    local name=$1 side=$2
    shift 2
    awk -v side="$side" -v codes=" $* " '$1 == side && index(codes, " " $2 " ") { sum += $3 } END { print sum + 0 }' "$keep/$name.ours"
}

cell() { # KERNEL OURS
    if [ "$1" = "$2" ]; then
        [ "$1" = 0 ] && echo "–" || echo "$1"
    else
        echo "**$1 / $2**"
    fi
}

resent="fast-retransmission tail-loss-probe timeout-retransmission retransmission-unexplained retransmission-of-acknowledged syn-retransmission"

row() { # NAME WHAT
    local name=$1 told
    told=$(($(kernel "$name" TcpExtTCPDSACKRecv) + $(kernel "$name" TcpExtTCPDSACKOfoRecv)))
    [ "$(kernel "$name" TcpRetransSegs)" = "$(ours "$name" client $resent)" ] || differs=1
    echo "| $name | $2 | $(kernel "$name" TcpOutSegs)" \
        "| $(cell "$(kernel "$name" TcpRetransSegs)" "$(ours "$name" client $resent)")" \
        "| $(cell "$(kernel "$name" TcpExtTCPFastRetrans)" "$(ours "$name" client fast-retransmission)")" \
        "| $(cell "$(($(kernel "$name" TcpExtTCPTimeouts) + $(kernel "$name" TcpExtTCPSlowStartRetrans)))" "$(ours "$name" client timeout-retransmission syn-retransmission)")" \
        "| $(cell "$(kernel "$name" TcpExtTCPLossProbes)" "$(ours "$name" client tail-loss-probe)")" \
        "| $(cell "$told" "$(ours "$name" server spurious-retransmission)")" \
        "| $(cell "$(kernel "$name" TcpExtTCPWinProbe)" "$(ours "$name" client zero-window-probe)")" \
        "| $(cell "$(kernel "$name" TcpExtTCPKeepAlive)" "$(ours "$name" client keep-alive)")" \
        "| $(cell "$(kernel "$name" TcpAttemptFails)" "$(ours "$name" server refused)") |"
}

# ---------------------------------------------------------------- main
fixtures='' wanted=()
while [ $# -gt 0 ]; do
    case $1 in
    --list) scenarios | awk -F'|' '{ gsub(/ +$/, "", $2); printf "%-14s%s\n", $1, $2 }'; exit ;;
    --fixtures) [ $# -ge 2 ] || fail "--fixtures takes a directory"; fixtures=$2; shift 2 ;;
    -*) fail "what is $1? --list, --fixtures DIR, or names of scenarios" ;;
    *) wanted+=("$1"); shift ;;
    esac
done
missing=$(lacks)
[ -z "$missing" ] || fail "needs $missing"
bin=${BIN:-}
if [ -z "$bin" ]; then
    cargo build --quiet --release --bin synscope --example bulk --example cable
    bin=target/release
fi
bin=$(realpath "$bin")
for program in synscope examples/bulk examples/cable; do
    [ -x "$bin/$program" ] || fail "$bin/$program is not there: cargo build --release --examples, or set BIN"
done
mkdir -p "$keep"
namespaces

if [ -n "$fixtures" ]; then
    keep=$work
    while IFS='|' read -r name what cable sink push settings <&3; do
        name=$(trim "$name")
        run "$name" "$cable" "$(trim "$sink")" "$push" "$settings" 96
        mv "$work/$name.pcap" "$fixtures/"
        echo "recorded: $name ($(stat -c %s "$fixtures/$name.pcap") octets; the kernel sent $(kernel "$name" TcpRetransSegs) again," \
            "$(kernel "$name" TcpExtTCPFastRetrans) of them fast, probed $(kernel "$name" TcpExtTCPLossProbes) tails and" \
            "$(kernel "$name" TcpExtTCPWinProbe) windows, was told of $(kernel "$name" TcpExtTCPDSACKRecv) duplicates)"
    done 3< <(fixture_scenarios)
    exit
fi

done_names=() done_whats=()
while IFS='|' read -r name what cable sink push settings <&3; do
    name=$(trim "$name")
    [ ${#wanted[@]} = 0 ] || [[ " ${wanted[*]} " = *" $name "* ]] || continue
    run "$name" "$cable" "$(trim "$sink")" "$push" "$settings" 128
    judge "$name"
    done_names+=("$name")
    done_whats+=("$(trim "$what")")
done 3< <(scenarios)

echo "Linux $(uname -r | cut -d. -f1,2), $(tcpdump --version 2>&1 | head -1). One number: both agree. Two: kernel / synscope."
echo
echo "| scenario | what happens | segments sent | sent again | fast | by timeout | tail loss probes | needless | window probes | keep-alives | refused |"
echo "|---|---|---|---|---|---|---|---|---|---|---|"
differs=0
for at in "${!done_names[@]}"; do row "${done_names[$at]}" "${done_whats[$at]}"; done
exit "$differs"
