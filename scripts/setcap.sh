#!/bin/sh
# Gives the built program the right to capture, so that it need not run as root:
#
#   cargo build --release && sudo scripts/setcap.sh [PROGRAM]
#
# CAP_NET_RAW opens the packet socket, CAP_NET_ADMIN lets its buffer exceed the system's limit. A new build is a new
# file and has no rights: run this again after it. Anybody who may run the program may then capture with it.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
program=${1:-$root/target/release/synscope}
if [ ! -x "$program" ]; then
    echo "setcap: $program is not there: cargo build --release, or name the program" >&2
    exit 2
fi
if ! command -v setcap >/dev/null; then
    echo "setcap: the program setcap is not there: it comes with libcap (Debian: apt install libcap2-bin)" >&2
    exit 2
fi
setcap cap_net_raw,cap_net_admin=eip "$program"
getcap "$program"
