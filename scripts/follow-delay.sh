#!/bin/sh
# How long after it was flushed a packet is shown by `headers --follow`: tcpdump -U writes what passes on the loopback
# interface, through a rotation, and every delay is printed. Needs tcpdump, and the right to capture. Says so without.
set -eu
cd "$(dirname "$0")/.."
command -v tcpdump > /dev/null || { echo "no tcpdump: not measured"; exit 0; }
cargo build --quiet
exec python3 - "${CARGO_TARGET_DIR:-$PWD/target}/debug/synscope" <<'PY'
import os, select, signal, socket, subprocess, sys, tempfile, time

program = sys.argv[1]
folder = tempfile.mkdtemp(prefix="synscope-follow-")
path = os.path.join(folder, "live.pcap")
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
port = receiver.getsockname()[1]


def tcpdump():
    command = ["tcpdump", "-i", "lo", "-U", "--immediate-mode", "-Z", "root", "-w", path, f"udp dst port {port}"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    for _ in range(500):
        if os.path.exists(path) and os.path.getsize(path) >= 24:
            return process
        if process.poll() is not None:
            sys.exit("tcpdump may not capture here: not measured")
        time.sleep(0.01)
    sys.exit("tcpdump does not begin: not measured")


def end(process):
    process.send_signal(signal.SIGINT)
    process.wait()


writer = tcpdump()
follower = subprocess.Popen([program, "headers", path, "--follow", "--brief"], stdout=subprocess.PIPE)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
delays = []
for n in range(60):
    if n == 30:
        end(writer)
        os.rename(path, path + ".1")
        writer = tcpdump()
    sent = time.monotonic()
    sender.sendto(b"packet", ("127.0.0.1", port))
    if not select.select([follower.stdout], [], [], 5)[0]:
        sys.exit(f"packet {n + 1} was not shown within 5 s")
    line = follower.stdout.readline().decode()
    assert line.startswith(f"{n + 1} "), line
    delays.append((time.monotonic() - sent) * 1000)
    time.sleep(0.003 * (n % 5))
end(writer)
end(follower)
for at in range(0, len(delays), 10):
    print("  ".join(f"{delay:6.1f}" for delay in delays[at : at + 10]))
print(f"ms from sending to showing; rotated after 30; longest {max(delays):.1f} ms")
for name in os.listdir(folder):
    os.remove(os.path.join(folder, name))
os.rmdir(folder)
sys.exit(0 if max(delays) < 100 else 1)
PY
