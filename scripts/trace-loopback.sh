#!/bin/sh
# Starts an adder on free ports of 127.0.0.1, asks it five sums over TCP and five over UDP, and shows with
# `synscope trace lo` what passed. Needs the right to capture (root, or scripts/setcap.sh) and a build:
#
#   cargo build --release && scripts/trace-loopback.sh
#
# Arguments go to both traces, as in: scripts/trace-loopback.sh --absolute
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
bin=${SYNSCOPE_BIN:-$root/target/release}
for program in synscope adder; do
    if [ ! -x "$bin/$program" ]; then
        echo "trace-loopback: $bin/$program is not there: cargo build --release, or set SYNSCOPE_BIN" >&2
        exit 2
    fi
done

work=$(mktemp -d)
server='' tracer=''
end() {
    for pid in $tracer $server; do
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM

# Waits until a file has a line that begins so; gives up when the process is gone or after five seconds.
await() { # FILE BEGINNING PID
    tries=0
    until grep -q "^$2" "$1"; do
        tries=$((tries + 1))
        if [ $tries -gt 100 ] || ! kill -0 "$3" 2>/dev/null; then
            cat "$1" >&2
            exit 2
        fi
        sleep 0.05
    done
}

# SIGTERM, since a background process of a script ignores SIGINT from the start.
traced() { # PORT, then the arguments of the call; the trace's own arguments are in $options
    port=$1
    shift
    # shellcheck disable=SC2086 # options are words
    "$bin/synscope" trace lo --port "$port" $options 2>"$work/tracer" &
    tracer=$!
    await "$work/tracer" capturing $tracer
    "$bin/adder" call --addr "127.0.0.1:$port" --rounds 5 "$@" 7 4 >"$work/sums"
    kill -TERM $tracer
    wait $tracer
    tracer=''
    echo
    cat "$work/sums"
    tail -n 1 "$work/tracer"
}

options=$*
"$bin/adder" serve --tcp 127.0.0.1:0 --udp 127.0.0.1:0 >"$work/server" 2>&1 &
server=$!
await "$work/server" 'tcp ' $server
await "$work/server" 'udp ' $server
traced "$(sed -n 's/^tcp [^ ]*:\([0-9]*\).*/\1/p' "$work/server")"
echo
traced "$(sed -n 's/^udp [^ ]*:\([0-9]*\).*/\1/p' "$work/server")" --udp
