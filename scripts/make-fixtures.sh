#!/usr/bin/env bash
# Writes fixtures/pcap anew: crafted captures from their scripts, recordings of our own adder program.
#
#   scripts/make-fixtures.sh [crafted|recorded]      both if nothing is said
#
# Crafted ones come out the same every time. Recorded ones do not: times, ports and sequence numbers are new, and so may
# be the order in which two sides close, so look at `cargo test --test fixtures` and at the rows of fixtures/INDEX.toml
# afterwards. Recording needs root (network namespaces), ip, ethtool and tcpdump, and says so where they are missing;
# the captures with losses come from scripts/kernel-witness.sh, which also needs nstat, ss and jq.
# All traffic stays inside two network namespaces of its own, which are gone when the script ends.
# SYNSCOPE, ADDER and BULK name programs that are built already; otherwise cargo builds them.
set -euo pipefail
cd "$(dirname "$0")/.."

part=${1:-all}
case $part in all | crafted | recorded) ;; *) echo "usage: $0 [crafted|recorded]" >&2; exit 2 ;; esac

pcap=fixtures/pcap
port=5656
a=fixtures-a-$$
b=fixtures-b-$$
work=$(mktemp -d)
started=()

# Ends what this script started, by process number, and takes its namespaces away.
clean_up() {
    local pid
    for pid in "${started[@]}"; do
        kill -CONT "$pid" 2>/dev/null || true
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    ip netns del "$a" 2>/dev/null || true
    ip netns del "$b" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

craft_all() {
    local synscope=${SYNSCOPE:-} script name
    if [ -z "$synscope" ]; then
        cargo build --quiet --release --bin synscope
        synscope=target/release/synscope
    fi
    for script in fixtures/scripts/*.pkt; do
        name=$(basename "$script" .pkt)
        "$synscope" craft "$script" "$pcap/$name.pcap"
    done
    echo "crafted: $(ls fixtures/scripts/*.pkt | wc -l) captures"
}

# What recording lacks on this machine, or nothing.
lacks() {
    [ "$(id -u)" = 0 ] || { echo "root, for network namespaces"; return; }
    local tool
    for tool in ip ethtool tcpdump; do
        command -v "$tool" >/dev/null || { echo "$tool (Debian: apt-get install iproute2 ethtool tcpdump)"; return; }
    done
}

# Two hosts, a cable between them, offloads off so that checksums on it are real.
namespaces() {
    local ns
    ip netns add "$a"
    ip netns add "$b"
    ip -n "$a" link add wire type veth peer name wire netns "$b"
    for ns in "$a" "$b"; do
        ip netns exec "$ns" ethtool -K wire tso off gso off gro off tx off rx off >/dev/null
        ip -n "$ns" link set lo up
        ip -n "$ns" link set wire up
    done
    ip -n "$a" addr add 10.0.0.1/24 dev wire
    ip -n "$b" addr add 10.0.0.2/24 dev wire
    ip -n "$a" addr add 2001:db8::1/64 dev wire nodad
    ip -n "$b" addr add 2001:db8::2/64 dev wire nodad
    until ip -n "$a" link show wire | grep -q "state UP" && ip -n "$b" link show wire | grep -q "state UP"; do
        sleep 0.05
    done
}

# Waits until a file holds a line: until_says FILE PATTERN
until_says() {
    local tries
    for tries in $(seq 100); do
        grep -q "$2" "$1" 2>/dev/null && return
        sleep 0.05
    done
    echo "$0: $1 never said $2 (${tries} tries)" >&2
    exit 1
}

# record NAME NAMESPACE INTERFACE [SNAPLEN]: begins a recording; `recorded` ends it.
record() {
    recording=$1
    ip netns exec "$2" tcpdump -Z root -i "$3" -s "${4:-0}" --immediate-mode -U --time-stamp-precision=nano \
        -w "$work/$1.pcap" "port $port or icmp[0] = 3" 2>"$work/tcpdump" &
    recorder=$!
    started+=("$recorder")
    until_says "$work/tcpdump" "listening on"
}

recorded() {
    sleep 0.3
    kill -INT "$recorder"
    wait "$recorder" || true
    mv "$work/$recording.pcap" "$pcap/$recording.pcap"
    echo "recorded: $recording ($(stat -c %s "$pcap/$recording.pcap") octets)"
}

# serve NAMESPACE HOST [OPTION...]: starts an adder on TCP and UDP and waits until it serves.
serve() {
    local ns=$1 host=$2
    shift 2
    rm -f "$work/server"
    ip netns exec "$ns" "$adder" serve --tcp "$host:$port" --udp "$host:$port" "$@" >"$work/server" 2>&1 &
    server=$!
    started+=("$server")
    until_says "$work/server" "^udp"
}

stop_server() {
    kill -TERM "$server"
    wait "$server" || true
}

# ask NAMESPACE OPTION...: three sums, one connection.
ask() {
    local ns=$1
    shift
    ip netns exec "$ns" "$adder" call --rounds 3 "$@" 7 4 >/dev/null
}

# Starts a client that pauses long between its rounds and waits for its first answer.
slow_client() {
    rm -f "$work/client"
    ip netns exec "$a" "$adder" call --addr "10.0.0.2:$port" --rounds 2 --interval "$1" --timeout 20s 7 4 \
        >"$work/client" 2>&1 &
    client=$!
    started+=("$client")
    until_says "$work/client" "7 + 4"
}

kill_client() {
    kill -KILL "$client"
    # Without the shell's own word about it.
    { wait "$client" || true; } 2>/dev/null
}

# A program that shrinks its receive buffer once the connection is there: the window is never a segment wide again.
record_small_window() {
    bulk=${BULK:-}
    if [ -z "$bulk" ]; then
        cargo build --quiet --release --example bulk
        bulk=target/release/examples/bulk
    fi
    record bulk-small-window "$a" lo 96
    rm -f "$work/sink"
    ip netns exec "$a" "$bulk" sink "127.0.0.1:$port" --octets 1000000 --shrink 4096 >"$work/sink" 2>&1 &
    sink=$!
    started+=("$sink")
    until_says "$work/sink" "^listening"
    ip netns exec "$a" "$bulk" push "127.0.0.1:$port" --octets 1000000 >/dev/null
    wait "$sink"
    recorded
}

record_all() {
    adder=${ADDER:-}
    if [ -z "$adder" ]; then
        cargo build --quiet --release --bin adder
        adder=target/release/adder
    fi
    adder=$(realpath "$adder")
    namespaces

    # Loopback: both directions pass one interface, checksums are left for a card that is not there.
    serve "$a" 127.0.0.1
    record adder-demo "$a" lo
    ask "$a" --addr "127.0.0.1:$port"
    ask "$a" --addr "127.0.0.1:$port" --udp
    recorded
    stop_server

    serve "$a" "[::1]"
    record adder-lo-v6 "$a" lo
    ask "$a" --addr "[::1]:$port"
    ask "$a" --addr "[::1]:$port" --udp
    recorded
    stop_server

    # The cable, seen from the client's end.
    serve "$b" 10.0.0.2
    record adder-veth "$a" wire
    ask "$a" --addr "10.0.0.2:$port"
    ask "$a" --addr "10.0.0.2:$port" --udp
    recorded
    # All interfaces at once: Linux cooked capture.
    record adder-any "$a" any
    ask "$a" --addr "10.0.0.2:$port"
    recorded
    # Four workers share one socket, so requests overtake answers.
    record adder-workers "$a" wire
    ask "$a" --addr "10.0.0.2:$port" --workers 4
    ask "$a" --addr "10.0.0.2:$port" --workers 4 --udp
    recorded
    stop_server

    serve "$b" "[2001:db8::2]"
    record adder-veth-v6 "$a" wire
    ask "$a" --addr "[2001:db8::2]:$port"
    ask "$a" --addr "[2001:db8::2]:$port" --udp
    recorded
    stop_server

    # Nobody listens.
    record adder-refused "$a" wire
    ask "$a" --addr "10.0.0.2:$port" 2>/dev/null && exit 1
    ask "$a" --addr "10.0.0.2:$port" --udp 2>/dev/null && exit 1
    recorded

    # Killed between two rounds: its kernel closes for it, in order.
    serve "$b" 10.0.0.2
    record adder-killed-idle "$a" wire
    slow_client 10s
    kill_client
    recorded
    stop_server

    # Killed while it waits for an answer: the server (stopped so long) answers a socket that is gone.
    serve "$b" 10.0.0.2
    record adder-killed-waiting "$a" wire
    slow_client 1s
    kill -STOP "$server"
    sleep 1.5
    kill_client
    kill -CONT "$server"
    recorded
    stop_server

    # The server's read deadline of 6 s ends a connection whose client pauses for 8.
    serve "$b" 10.0.0.2 --idle-timeout 6s
    record adder-idle-deadline "$a" wire
    slow_client 8s
    wait "$client" || true
    recorded
    stop_server

    # The server is stopped in order while a client is connected.
    serve "$b" 10.0.0.2
    record adder-server-stopped "$a" wire
    slow_client 2s
    stop_server
    wait "$client" || true
    recorded

    record_small_window
}

mkdir -p "$pcap"
[ "$part" = recorded ] || craft_all
if [ "$part" != crafted ]; then
    missing=$(lacks)
    if [ -n "$missing" ]; then
        echo "recorded: skipped, the captures in $pcap stay as they are; needs $missing"
    else
        record_all
        scripts/kernel-witness.sh --fixtures "$pcap"
    fi
fi
