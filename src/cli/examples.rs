//! What `--help` shows of each command behind its options: examples, and how it may end.

/// Examples, then how the command may end.
pub(super) fn told(examples: &str, exit_code: &str) -> String {
    format!("{examples}\n\n{exit_code}")
}

pub(super) const RAN: &str =
    "Exit code: 0 it ran, 2 it could not, or not read every file: one line on standard error says why.";

pub(super) const FOUND: &str = "\
Exit code: 0 nothing as grave as --fail-on was found, 1 something was, 2 it could not run, or not read every file: one
line on standard error says why.";

pub(super) const EXAMPLES: &str = "\
The three main uses:
  synscope trace lo --port 5656     watch handshakes, messages and closes as they happen
  synscope analyze capture.pcapng   every connection of a capture, and what is wrong with it
  synscope headers capture.pcap 1   every bit of one packet's headers

Each command has its own --help with examples; synscope demo needs no capture at all.
Exit code: 0 nothing found, 1 findings (see analyze --fail-on), 2 could not run.";

pub(super) const TRACE: &str = "\
Examples:
  synscope trace lo --port 5656
  synscope trace capture.pcap --stream 3 --absolute
  synscope trace lo --port 5656 --framing json
  synscope trace eth0 --host 192.0.2.7 --duration 30s --format jsonl
  synscope trace lo --filter 'tcp portrange 8000-8099 and not host 192.0.2.7'
  tcpdump -U -w growing.pcap & synscope trace growing.pcap --follow
  ssh host tcpdump -U -w - | synscope trace -

An interface wins over a file of the same name; ./lo means the file.
Live capture needs CAP_NET_RAW: sudo, or once setcap cap_net_raw,cap_net_admin=eip on the program.";

pub(super) const ANALYZE: &str = "\
Examples:
  synscope analyze capture.pcapng
  synscope analyze capture.pcapng --stream 3        one connection from opening to close
  synscope analyze capture.pcapng --worst 5         the five worst, in sentences
  synscope analyze capture.pcapng --sort rtt --limit 10
  synscope analyze before.pcap after.pcap --port 443
  synscope analyze it.pcap --stream 0 --framing line    which segments carry which message
  synscope analyze a.pcap b.pcapng --merge      as one capture, in time order
  synscope analyze capture.pcapng --stream 3 --states
  synscope analyze capture.pcapng --since +10s --until +20s
  synscope analyze a.pcap --filter 'net 10.0.0.0/8' --code no-answer
  synscope analyze it.pcap --fail-on warning        exit code 1 when something is wrong
  synscope analyze big.pcap --format jsonl | jq 'select(.type == \"finding\")'
  synscope analyze big.pcap --format csv > connections.csv
  synscope analyze it.pcap --format csv --table findings
  synscope analyze it.pcap --format markdown        a page to paste
  zstd -dc big.pcap.zst | synscope analyze -";

pub(super) const FLOOD: &str = "\
Examples:
  synscope flood eth0                        an incident when it starts, every 10 s, and when it ends
  synscope flood eth0 --port 443 --duration 1m
  synscope flood capture.pcapng              exit code 1 where a flood is found
  synscope flood eth0 --out floods.jsonl --exec 'logger -t synscope'
  synscope flood capture.pcap --port-limit 32 --tolerated 0.2

docs/syn-flood.md explains an alert in five minutes. Thresholds may be changed; each alert repeats those in force.";

pub(super) const HEADERS: &str = "\
Examples:
  synscope headers capture.pcap 1        the first frame
  synscope headers capture.pcap 3-7 --brief
  synscope headers capture.pcap 1 --ruler
  synscope headers capture.pcap 1 --hex
  synscope headers a.pcap b.pcap --format jsonl
  synscope headers a.pcap --brief --filter 'udp port 53'
  synscope headers a.pcap --brief --code zero-window --code zero-window-probe
  synscope headers a.pcap --brief --dialect wireshark-4.0
  synscope headers a.pcap --format jsonl --dialect wireshark-4.0";

pub(super) const EXPLAIN: &str = "\
Examples:
  synscope explain capture.pcap 8
  synscope explain capture.pcap 8 --state --absolute
  synscope explain capture.pcap --stream 3
  synscope explain --code tail-loss-probe";

pub(super) const LADDER: &str = "\
Examples:
  synscope ladder capture.pcap --stream 0
  synscope ladder capture.pcap --stream 2 --udp";

pub(super) const CUT: &str = "\
Examples:
  synscope cut big.pcapng --stream 3 -o one.pcapng
  synscope cut capture.pcap --code refused -o refused.pcapng.gz
  synscope cut capture.pcap --filter 'port 53' --since +10s --until +20s -o dns.pcap
  synscope cut a.pcap b.pcapng --merge -o both.pcapng

Comments, names, interfaces, time resolution, flags and drop counts are kept; a pcap file has no room for them, and what
is lost is told. The file is there when it is complete; the input is never overwritten.

Exit code: 0 written, 2 not: a file could not be read, a stream is not there, or the format cannot hold the frames.";

pub(super) const MSS: &str = "\
Examples:
  synscope mss --mtu 1500 --timestamps
  synscope mss --mtu 1280 --ipv6
  synscope mss --mtu 1500 --tunnel pppoe --tunnel wireguard --timestamps
  synscope mss capture.pcap         advertised, effective, largest, path: both ways
  synscope mss eth0                 what this interface will advertise
  synscope mss eth0 --duration 30s  what connections advertise there, beside its MTU";

pub(super) const INTERFACES: &str = "\
Examples:
  synscope interfaces
  synscope interfaces --format jsonl | jq -r .name";

pub(super) const CRAFT: &str = "\
A script draws packets as tcpdump prints them; fixtures/scripts/ has many:
  +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7>
  +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400, sackOK, wscale 8>
  +0.001  C > S  .   1001:1001(0)  ack 5001  win 502

Examples:
  synscope craft handshake.pkt handshake.pcap       then analyze, headers, ladder it
  synscope craft handshake.pkt - | synscope trace -  without a file between";

pub(super) const DEMO: &str = "\
Starts an adder server on a free port of 127.0.0.1, asks it three sums over TCP and three over UDP, and shows what
passed on the loopback interface. Without the right to capture it shows a recording of the same.";
