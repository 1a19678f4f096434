//! The program as people run it: what goes where, exit codes, and a line for everything that can go wrong.

#![allow(clippy::unwrap_used, reason = "a test may end so")]

use std::fs;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use synscope::craft;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_synscope");

/// A whole connection, a refused one, and a question over UDP. Frames 1 to 13.
const CONVERSATION: &str = "
    T = 10.0.0.2:81
    U = 10.0.0.2:53
    D = 10.0.0.1:5353
    +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7>
    +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400, sackOK, wscale 8>
    +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
    +0.010  C > S  P.  1001:1005(4)  ack 5001  win 502  \"GET \"
    +0.010  S > C  P.  5001:5004(3)  ack 1005  win 502  \"yes\"
    +0.001  C > S  .   1005:1005(0)  ack 5004  win 502
    +0.010  C > S  F.  1005:1005(0)  ack 5004  win 502
    +0.010  S > C  F.  5004:5004(0)  ack 1006  win 502
    +0.001  C > S  .   1006:1006(0)  ack 5005  win 502
    +0.100  C > T  S   9000:9000(0)            win 65535  <mss 1460>
    +0.001  T > C  R.  0:0(0)        ack 9001  win 0
    +0.100  D > U  udp \"who is it?\"
    +0.005  U > D  udp \"me\"
";
const FRAMES: usize = 13;

/// A directory with captures in it.
struct Desk {
    dir: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().unwrap() };
        let pcap = craft::play(CONVERSATION).unwrap().to_pcap();
        desk.file("cut.pcap", &pcap[..pcap.len() - 5]);
        desk.file("header.pcap", &pcap[..10]);
        desk.file("whole.pcap", &pcap);
        desk.file("none.pcap", &pcap[..24]);
        desk.file("empty", b"");
        desk.file("text", b"hello, I am no capture\n");
        desk.file("packed.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        desk.file("packed.bz2", b"BZh91AY&SY and so on");
        desk
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null());
        command.env_remove("NO_COLOR").env_remove("COLUMNS");
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }

    fn run_piped(&self, args: &[&str], input: &[u8]) -> Run {
        let mut child =
            self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Run::of(child.wait_with_output().unwrap())
    }
}

#[derive(Debug)]
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Every line of the output as an object.
    fn objects(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }
}

#[test]
fn messages_are_found_by_their_rule_in_a_trace_a_table_and_objects() {
    let desk = Desk::new();
    let split = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pcap/messages-split.pcap");
    let split = split.to_str().unwrap();
    let trace = desk.run(&["trace", split, "--framing", "line"]);
    assert!(trace.out.contains("messages 1–2 and part of 3: 2½ messages in 1 segment"), "{}", trace.out);
    assert!(trace.out.contains("ends message 3: 1 message / 2 segments (frames 4, 5)"), "{}", trace.out);
    let table = desk.run(&["analyze", split, "--framing", "line", "--port", "80"]);
    assert!(table.out.contains("messages by the rule line: 6"), "{}", table.out);
    let objects = desk.run(&["analyze", split, "--framing", "line", "--stream", "0", "--format", "jsonl"]).objects();
    let messages = of_type(&objects, "message");
    assert_eq!(
        messages.iter().map(|message| message["text"].as_str().unwrap()).collect::<Vec<_>>(),
        ["1 2\n", "3 4\n", "5 6\n", "3\n", "7\n", "11\n"]
    );
    assert_eq!(messages[2]["frames"], serde_json::json!([4, 5]));
    let both = &of_type(&objects, "connection")[0]["messages"];
    assert_eq!(both["client_to_server"]["segments"], 2);
    assert_eq!(both["server_to_client"]["most_in_one_segment"], 3);
    let without = desk.run(&["analyze", split, "--stream", "0", "--format", "jsonl"]).objects();
    assert!(of_type(&without, "connection")[0].get("messages").is_none());
}

#[test]
fn segment_sizes_are_told_with_what_the_path_showed() {
    let desk = Desk::new();
    let fixture = |name: &str| format!("{}/fixtures/pcap/{name}", env!("CARGO_MANIFEST_DIR"));
    let table = desk.run(&["mss", &fixture("data-fragmentation-needed.pcap")]);
    assert!(table.out.contains("1460       1360     1460  1400 (ICMP)\n"), "{}", table.out);
    let hole = desk.run(&["mss", &fixture("path-black-hole.pcap")]);
    assert!(hole.out.contains("#0 C→S black hole: 1460 octets went 2 times again from frame 5 on"), "{}", hole.out);
    let clamped = desk.run(&["mss", &fixture("mss-clamped.pcap")]);
    assert!(clamped.out.contains("MSS 1460 became 1412 in frame 2"), "{}", clamped.out);
    for run in [&table, &hole, &clamped] {
        assert!(run.out.lines().all(|line| line.chars().count() <= 80), "{}", run.out);
    }
    let objects = desk.run(&["mss", &fixture("path-black-hole.pcap"), "--format", "jsonl"]).objects();
    let sizes = &of_type(&objects, "mss")[0]["mss"]["client_to_server"];
    assert_eq!((&sizes["black_hole"], &sizes["path_takes"]), (&"broken".into(), &1064.into()));
    let worked =
        desk.run(&["mss", "--mtu", "1500", "--tunnel", "pppoe", "--timestamps", "--format", "jsonl"]).objects();
    assert_eq!((&worked[0]["inner_mtu"], &worked[0]["effective"]), (&1492.into(), &1440.into()));
}

#[test]
fn udp_is_told_with_what_a_short_read_would_lose_and_by_server() {
    let desk = Desk::new();
    let script = "
        S = 10.0.0.2:53
        C = 10.0.0.1:40001
        +0.000 C > S udp (1472)
        +0.001 S > C udp \"b\"
        C = 10.0.0.3:40001
        +0.000 C > S udp (1024)
        +0.003 S > C udp \"b\"
    ";
    desk.file("udp.pcap", &craft::play(script).unwrap().to_pcap());
    let short = desk.run(&["analyze", "udp.pcap", "--read-size", "1024", "--fail-on", "warning"]);
    assert_eq!(short.code, Some(1), "{short:?}");
    let words = short.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("1472 would be cut to 1024: 448 octets lost"), "{}", short.out);
    assert!(words.contains("UDP servers with several clients: 1"), "{}", short.out);
    assert_eq!(desk.run(&["analyze", "udp.pcap", "--read-size", "1472", "--fail-on", "warning"]).code, Some(0));
    let objects = desk.run(&["analyze", "udp.pcap", "--read-size", "1024", "--format", "jsonl"]).objects();
    let flows = of_type(&objects, "udp_flow");
    assert_eq!(
        (&flows[0]["read_short"]["octets_lost"], &flows[1]["read_short"]["octets_lost"]),
        (&448.into(), &0.into())
    );
    assert_eq!(flows[0]["latency"]["median"], "0.001000000");
    assert_eq!(of_type(&objects, "udp_server")[0]["clients"], 2);
}

fn of_type<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["type"] == kind).collect()
}

#[test]
fn every_wrong_use_is_told_in_one_line_and_ends_with_2() {
    let desk = Desk::new();
    let cases: &[(&[&str], &str)] = &[
        (&[], "no command given"),
        (&["bogus"], "'bogus'"),
        (&["analyse", "whole.pcap"], "similar subcommand"),
        (&["--color", "blue", "demo"], "auto, always, never"),
        (&["trace"], "IFACE|FILE"),
        (&["analyze"], "<FILE>"),
        (&["analyze", "whole.pcap", "--states"], "add --stream N"),
        (&["analyze", "whole.pcap", "--states", "--stream", "7"], "7"),
        (&["headers"], "FILE"),
        (&["ladder", "whole.pcap"], "--stream"),
        (&["mss"], "--mtu"),
        (&["analyze", "missing.pcap"], "missing.pcap: no such file"),
        (&["trace", "missing.pcap"], "neither an interface (there are: "),
        (&["trace", "./missing.pcap"], "no such file"),
        (&["analyze", "."], "is a directory"),
        (&["analyze", "empty"], "is empty"),
        (&["trace", "./empty"], "is empty"),
        (&["analyze", "text"], "is no capture file"),
        (&["headers", "text"], "is no capture file"),
        (&["analyze", "header.pcap"], "cut off within its file header"),
        (&["analyze", "packed.gz"], "is empty"),
        (&["analyze", "packed.bz2"], "bzip2 -dc packed.bz2 | synscope"),
        (&["analyze", "lo"], "synscope trace lo"),
        (&["analyze", "-"], "standard input is empty"),
        (&["analyze", "-", "-"], "only once"),
        (&["headers", "-", "-", "1"], "only once"),
        (&["trace", "nosuch0"], "nosuch0 is neither"),
        (&["trace", "lo", "--stream", "3"], "--stream is for files"),
        (&["trace", "lo", "--port", "0"], "1..=65535"),
        (&["trace", "lo", "--port", "70000"], "1..=65535"),
        (&["trace", "lo", "--host", "localhost"], "not an IP address"),
        (&["trace", "lo", "--count", "0"], "--count"),
        (&["trace", "lo", "--duration", "soon"], "10s, 500ms"),
        (&["trace", "lo", "--duration", "0s"], "over zero"),
        (&["trace", "lo", "--duration"], "--duration"),
        (&["trace", "whole.pcap", "--format", "xml"], "table, jsonl"),
        (&["trace", "whole.pcap", "--format", "jsonl", "--absolute"], "leave one of them out"),
        (&["trace", "whole.pcap", "--stream", "9"], "2 TCP connections (0 to 1)"),
        (&["analyze", "whole.pcap", "--stream", "9"], "2 TCP connections (0 to 1)"),
        (&["analyze", "whole.pcap", "--framing", "line"], "choose its connections with --port, --host or --stream"),
        (&["analyze", "whole.pcap", "--stream", "0", "--framing", "lines"], "line, json, len16, len32, or fixed:N"),
        (&["trace", "whole.pcap", "--framing", "fixed:0"], "from 1 on, as in fixed:12"),
        (&["analyze", "whole.pcap", "--fail-on", "panic"], "note, warning, error, never"),
        (&["analyze", "whole.pcap", "--limit", "abc"], "not a whole number"),
        (&["analyze", "whole.pcap", "--max-connections", "0"], "at least one"),
        (&["analyze", "whole.pcap", "--worst", "0"], "at least one"),
        (&["analyze", "whole.pcap", "--worst", "3", "--limit", "2"], "cannot be used with"),
        (&["analyze", "whole.pcap", "--worst", "3", "--sort", "rtt"], "cannot be used with"),
        (&["analyze", "whole.pcap", "--worst", "3", "--stream", "0"], "cannot be used with"),
        (&["analyze", "whole.pcap", "--sort", "colour"], "worst, start, duration, bytes"),
        (&["analyze", "whole.pcap", "--stream", "0", "--limit", "2"], "leave --sort and --limit out"),
        (&["analyze", "whole.pcap", "--format", "xml"], "table, jsonl, csv, markdown"),
        (&["analyze", "whole.pcap", "--table", "udp"], "--format csv"),
        (&["analyze", "whole.pcap", "--format", "jsonl", "--table", "udp"], "--format csv"),
        (&["analyze", "whole.pcap", "--format", "csv", "--table", "tcp"], "connections, udp, findings"),
        (&["analyze", "whole.pcap", "--format", "csv", "--all-findings"], "--table findings"),
        (&["analyze", "whole.pcap", "--format", "csv", "--table", "findings", "--sort", "rtt"], "order of time"),
        (&["analyze", "whole.pcap", "--since", "yesterday"], "+90s"),
        (&["headers", "whole.pcap", "--until", "2023-13-01"], "1700000000.5"),
        (&["trace", "lo", "--since", "+1s"], "--duration instead"),
        (&["analyze", "whole.pcap", "--format", "jsonl", "--all-findings"], "leave --all-findings out"),
        (&["headers", "whole.pcap", "0"], "counted from 1"),
        (&["headers", "whole.pcap", "7-3"], "backwards"),
        (&["headers", "whole.pcap", "99"], "whole.pcap has 13 frames: there is no frame 99"),
        (&["headers", "none.pcap", "1"], "none.pcap has 0 frames"),
        (&["headers", "whole.pcap", "--brief", "--format", "jsonl"], "leave one out"),
        (&["explain"], "explain FILE FRAME"),
        (&["explain", "whole.pcap"], "which frame?"),
        (&["explain", "whole.pcap", "0"], "counted from 1"),
        (&["explain", "whole.pcap", "99"], "whole.pcap has 13 frames: there is no frame 99"),
        (&["explain", "whole.pcap", "3-7"], "one frame at a time"),
        (&["explain", "whole.pcap", "x\u{1b}"], "no frame number"),
        (&["explain", "whole.pcap", "3", "--stream", "0"], "not both"),
        (&["explain", "whole.pcap", "--stream", "0", "--state"], "after one frame"),
        (&["explain", "whole.pcap", "--stream", "9"], "2 TCP connections (0 to 1)"),
        (&["explain", "missing.pcap", "1"], "no such file"),
        (&["explain", "--code", "keep-alvie"], "did you mean keep-alive, "),
        (&["explain", "whole.pcap", "--code", "refused"], "leave the rest out"),
        (&["headers", "whole.pcap", "--format", "jsonl", "--dialect", "klingon"], "wireshark-4.0"),
        (&["headers", "whole.pcap", "--absolute"], "--brief"),
        (&["headers", "whole.pcap", "--ruler", "--hex"], "choose one"),
        (&["headers", "whole.pcap", "--brief", "--hex"], "choose one"),
        (&["headers", "whole.pcap", "--ruler", "--format", "jsonl"], "leave one out"),
        (&["ladder", "whole.pcap", "--stream", "x"], "not a whole number"),
        (&["ladder", "whole.pcap", "--stream", "2"], "2 TCP connections (0 to 1)"),
        (&["ladder", "whole.pcap", "--stream", "5", "--udp"], "1 UDP conversation (number 0)"),
        (&["ladder", "none.pcap", "--stream", "0"], "no TCP connection"),
        (&["mss", "--mtu", "0"], "at least 68"),
        (&["mss", "--mtu", "1279", "--ipv6"], "at least 1280"),
        (&["mss", "--mtu", "99999"], "too large"),
        (&["mss", "--mtu", "-5"], "not a whole number"),
        (&["mss", "--mtu", "1500", "whole.pcap"], "give one of them"),
        (&["mss", "whole.pcap", "--ipv6"], "go with --mtu"),
        (&["mss", "whole.pcap", "--tunnel", "gre"], "go with --mtu"),
        (&["mss", "--mtu", "1500", "--tunnel", "ipsec"], "no tunnel known: gre, "),
        (&["mss", "--mtu", "1500", "--ip-options", "6"], "a multiple of 4 octets"),
        (&["mss", "--mtu", "1500", "--ext-headers", "8"], "goes with --ipv6"),
        (&["mss", "--mtu", "1300", "--ipv6", "--tunnel", "vxlan"], "an MTU of 1250 is too small for IPv6"),
        (&["mss", "--mtu", "1500", "--duration", "3s"], "leave one out"),
        (&["mss", "whole.pcap", "--duration", "3s"], "read to its end"),
        (&["mss", "lo", "--format", "jsonl"], "say with --duration how long"),
        (&["interfaces", "lo"], "'lo'"),
        (&["analyze", "a\nb\u{1b}[2J"], "no such file"),
    ];
    for (args, part) in cases {
        let run = desk.run(args);
        assert_eq!(run.code, Some(2), "{args:?}: {run:?}");
        assert!(run.out.is_empty(), "{args:?}: {run:?}");
        assert!(run.err.starts_with("synscope: ") && run.err.contains(part), "{args:?}: {}", run.err);
        assert_eq!(run.err.trim_end_matches('\n').lines().count(), 1, "{args:?}: {}", run.err);
        assert!(!run.err.trim_end_matches('\n').contains(char::is_control), "{args:?}: {:?}", run.err);
    }
}

#[test]
fn help_and_version_go_to_standard_output_with_success() {
    let desk = Desk::new();
    let main = desk.run(&["--help"]);
    assert_eq!(main.code, Some(0));
    for usage in ["synscope trace lo", "synscope analyze capture", "synscope headers capture"] {
        assert!(main.out.contains(usage), "{}", main.out);
    }
    for command in ["trace", "analyze", "headers", "explain", "ladder", "mss", "interfaces"] {
        let help = desk.run(&[command, "--help"]);
        assert_eq!((help.code, help.err.as_str()), (Some(0), ""), "{command}");
        assert!(help.out.contains("Examples:\n  synscope "), "{command}: {}", help.out);
    }
    let version = desk.run(&["--version"]);
    assert_eq!(version.out, concat!("synscope ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let desk = Desk::new();
    let cases: &[&[&str]] = &[
        &["--help"],
        &["trace", "whole.pcap"],
        &["trace", "whole.pcap", "--format", "jsonl"],
        &["analyze", "whole.pcap"],
        &["analyze", "whole.pcap", "--format", "jsonl"],
        &["headers", "whole.pcap"],
        &["headers", "whole.pcap", "--brief"],
        &["headers", "whole.pcap", "--ruler"],
        &["headers", "whole.pcap", "--hex"],
        &["headers", "whole.pcap", "--format", "jsonl"],
        &["ladder", "whole.pcap", "--stream", "0"],
        &["mss", "whole.pcap"],
        &["mss", "--mtu", "1500"],
        &["interfaces"],
    ];
    for args in cases {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let run = Run::of(desk.command(args).stdout(writer).stderr(Stdio::piped()).output().unwrap());
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn an_output_that_cannot_be_written_is_told() {
    let desk = Desk::new();
    let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let run = Run::of(desk.command(&["analyze", "whole.pcap"]).stdout(full).output().unwrap());
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("is the disk full?"), "{}", run.err);
}

#[test]
fn analyze_shows_every_conversation_of_a_file_and_of_standard_input_alike() {
    let desk = Desk::new();
    let run = desk.run(&["analyze", "whole.pcap", "--fail-on", "never"]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    for part in ["13 frames", "TCP connections: 2", "10.0.0.1:40000 → 10.0.0.2:80", "established", "refused"] {
        assert!(run.out.contains(part), "{part}: {}", run.out);
    }
    assert!(run.out.contains("UDP conversations: 1") && run.out.contains("10.0.0.1:5353 → 10.0.0.2:53"), "{}", run.out);
    let pcap = fs::read(desk.dir.path().join("whole.pcap")).unwrap();
    let piped = desk.run_piped(&["analyze", "-", "--fail-on", "never"], &pcap);
    assert_eq!(piped.out.replace("standard input", "whole.pcap"), run.out);
}

#[test]
fn analyze_writes_the_contracts_objects_header_first_and_summary_last() {
    let desk = Desk::new();
    let objects = desk.run(&["analyze", "whole.pcap", "cut.pcap", "--format", "jsonl"]).objects();
    assert_eq!((&objects[0]["type"], &objects[0]["schema"]), (&"header".into(), &1.into()));
    assert_eq!(objects.last().unwrap()["type"], "summary");
    assert_eq!(of_type(&objects, "summary").len(), 1);
    let connection = &of_type(&objects, "connection").into_iter().find(|one| one["stream"] == 0).unwrap();
    assert_eq!(connection["client"]["addr"], "10.0.0.1");
    assert_eq!(connection["client"]["port"], 40_000);
    assert_eq!(connection["start"], "1700000000.000000000");
    let handshake = &connection["handshake"];
    assert_eq!(handshake["outcome"], "established");
    assert_eq!(
        [1, 2, 3].map(Value::from),
        ["syn_frame", "syn_ack_frame", "ack_frame"].map(|key| handshake[key].clone())
    );
    assert_eq!(handshake["client_isn"], 1000);
    assert_eq!(handshake["server_rtt"], "0.020000000");
    assert_eq!(handshake["rtt"], "0.021000000");
    assert_eq!(connection["completeness"], 31);
    assert_eq!(connection["close"]["kind"], "three-segment");
    assert_eq!(connection["close"]["first_by"], "client");
    assert_eq!(connection["close"]["fin_frames"], serde_json::json!([7, 8]));
    assert_eq!(connection["close"]["time_wait"], serde_json::json!(["client"]));
    let to_server = &connection["mss"]["client_to_server"];
    assert_eq!([&to_server["advertised"], &to_server["peer_limit"], &to_server["effective"]], [1460, 1400, 1400]);
    let captures = of_type(&objects, "capture");
    assert_eq!((&captures[0]["file"], &captures[0]["frames"]), (&"whole.pcap".into(), &FRAMES.into()));
    assert_eq!(captures[0]["truncated"], false);
    assert!(captures[0].get("problem").is_none());
    assert_eq!(captures[1]["truncated"], true);
    assert!(captures[1]["problem"].as_str().unwrap().contains("after frame 12"), "{}", captures[1]);
    let flow = of_type(&objects, "udp_flow")[0];
    assert_eq!((&flow["pairs"], &flow["unanswered"]), (&1.into(), &0.into()));
    assert_eq!(flow["latency"]["mean"], "0.005000000");
}

#[test]
fn findings_that_reach_the_level_end_with_1() {
    let desk = Desk::new();
    let refused = desk.run(&["analyze", "whole.pcap"]);
    assert_eq!((refused.code, refused.err.as_str()), (Some(1), ""), "{}", refused.out);
    assert!(refused.out.contains("error   refused"), "{}", refused.out);
    assert_eq!(desk.run(&["analyze", "whole.pcap", "--fail-on", "never"]).code, Some(0));
    assert_eq!(desk.run(&["analyze", "whole.pcap", "--port", "80"]).code, Some(0), "the refused one is another's");
    let objects = desk.run(&["analyze", "whole.pcap", "--format", "jsonl"]).objects();
    let findings = of_type(&objects, "finding");
    let finding = findings.iter().find(|finding| finding["code"] == "refused").unwrap();
    assert_eq!((&finding["severity"], &finding["streams"]), (&"error".into(), &serde_json::json!([1])));
    assert!(finding["text"].is_string() && finding["rfc"].is_string() && finding["frames"].is_array());
    assert_eq!(objects.last().unwrap()["findings"]["refused"], 1);
}

#[test]
fn a_capture_that_ends_badly_is_analysed_and_counts_as_a_warning() {
    let desk = Desk::new();
    let run = desk.run(&["analyze", "cut.pcap", "--fail-on", "never"]);
    assert_eq!(run.code, Some(0));
    assert!(run.out.contains("12 frames") && run.out.contains("ends badly"), "{}", run.out);
    assert_eq!(desk.run(&["analyze", "cut.pcap", "--fail-on", "warning"]).code, Some(1));
    let trace = desk.run(&["trace", "cut.pcap"]);
    assert_eq!((trace.code, trace.err.lines().count()), (Some(0), 1), "{}", trace.err);
    assert!(trace.err.contains("cut.pcap: after frame 12"), "{}", trace.err);
}

#[test]
fn files_that_cannot_be_read_do_not_keep_the_others_from_being_analysed() {
    let desk = Desk::new();
    for format in ["table", "jsonl"] {
        let run = desk.run(&["analyze", "text", "whole.pcap", "missing", "--format", format]);
        assert_eq!(run.code, Some(2));
        assert_eq!(run.err.lines().count(), 2, "{}", run.err);
        assert!(run.out.contains("whole.pcap"), "{}", run.out);
    }
}

#[test]
fn a_port_or_host_selects_conversations_and_keeps_their_numbers() {
    let desk = Desk::new();
    let objects = desk.run(&["analyze", "whole.pcap", "--port", "81", "--format", "jsonl"]).objects();
    let streams: Vec<_> = of_type(&objects, "connection").iter().map(|one| one["stream"].clone()).collect();
    assert_eq!(streams, [1]);
    assert!(of_type(&objects, "udp_flow").is_empty());
    let none = desk.run(&["trace", "whole.pcap", "--host", "192.0.2.1"]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""));
    assert!(!desk.run(&["trace", "whole.pcap", "--host", "10.0.0.2"]).out.is_empty());
}

#[test]
fn streams_that_are_named_are_told_whole_in_the_order_of_their_numbers() {
    let desk = Desk::new();
    let run = desk.run(&["analyze", "whole.pcap", "--stream", "1", "--stream", "0", "--fail-on", "never"]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    let at = |text: &str| run.out.find(text).unwrap_or_else(|| panic!("{text}: {}", run.out));
    assert!(at("stream 0  ") < at("closed by client") && at("closed by client") < at("stream 1  "), "{}", run.out);
    assert!(at("stream 1  ") < at("error refused"), "{}", run.out);
    assert!(run.out.contains("completeness 31 = 1 SYN + 2 SYN,ACK"), "{}", run.out);
    let missing = desk.run(&["analyze", "whole.pcap", "--stream", "0", "--stream", "9"]);
    assert_eq!((missing.code, missing.err.lines().count()), (Some(2), 1), "{}", missing.err);
}

#[test]
fn trace_tells_the_handshake_and_stops_after_the_count() {
    let desk = Desk::new();
    let run = desk.run(&["trace", "whole.pcap", "--stream", "0"]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    assert!(run.out.contains("SYN,ACK") && run.out.contains("ESTABLISHED"), "{}", run.out);
    assert!(!run.out.contains("10.0.0.2:81"), "{}", run.out);
    let counted = desk.run(&["trace", "whole.pcap", "--count", "2"]);
    assert!(counted.out.contains("SYN,ACK") && !counted.out.contains("ESTABLISHED"), "{}", counted.out);
    let short = desk.run(&["trace", "whole.pcap", "--duration", "20ms"]);
    assert!(short.out.contains("SYN,ACK") && !short.out.contains("ESTABLISHED"), "{}", short.out);
    let absolute = desk.run(&["trace", "whole.pcap", "--absolute"]);
    assert!(absolute.out.contains("1001") && absolute.out.contains("5004"), "{}", absolute.out);
}

#[test]
fn headers_shows_the_frames_asked_for() {
    let desk = Desk::new();
    let objects = desk.run(&["headers", "whole.pcap", "--format", "jsonl"]).objects();
    assert_eq!(objects.len(), FRAMES);
    assert_eq!(objects[0]["tcp"]["sequence_number"], 1000, "{}", objects[0]);
    let range = desk.run(&["headers", "whole.pcap", "3-5", "--format", "jsonl"]).objects();
    assert_eq!(range.iter().map(|one| one["frame"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 4, 5]);
    let two = desk.run(&["headers", "whole.pcap", "cut.pcap", "2", "--format", "jsonl"]).objects();
    assert_eq!(two.iter().map(|one| one["file"].as_str().unwrap()).collect::<Vec<_>>(), ["whole.pcap", "cut.pcap"]);
    let brief = desk.run(&["headers", "whole.pcap", "2", "--brief"]);
    assert_eq!((brief.code, brief.out.lines().count()), (Some(0), 1));
    assert!(brief.out.contains("[S.]") && brief.out.contains("ack 1"), "{}", brief.out);
    let beyond = desk.run(&["headers", "whole.pcap", "12-20", "--brief"]);
    assert_eq!((beyond.code, beyond.out.lines().count()), (Some(0), 2));
    assert!(beyond.err.contains("ends with frame 13"), "{}", beyond.err);
    let table = desk.run(&["headers", "whole.pcap", "1"]);
    assert!(table.out.contains("1000") && table.out.contains("1460"), "{}", table.out);
}

#[test]
fn a_file_named_like_a_number_is_a_file() {
    let desk = Desk::new();
    fs::copy(desk.dir.path().join("whole.pcap"), desk.dir.path().join("7")).unwrap();
    let objects = desk.run(&["headers", "whole.pcap", "7", "--format", "jsonl"]).objects();
    assert_eq!(objects.len(), 2 * FRAMES);
}

#[test]
fn the_dialect_adds_wiresharks_words_from_a_file_and_from_a_pipe() {
    let desk = Desk::new();
    let args = |file| ["headers", file, "--format", "jsonl", "--dialect", "wireshark-4.0"];
    let file = desk.run(&args("whole.pcap")).objects();
    assert_eq!(file[3]["wireshark"]["tcp.stream"], 0);
    assert_eq!(file[3]["wireshark"]["tcp.seq"], 1);
    assert_eq!(file[0]["wireshark"]["tcp.completeness"], 31, "the final value, known from the first pass");
    let pcap = fs::read(desk.dir.path().join("whole.pcap")).unwrap();
    let pipe = desk.run_piped(&args("-"), &pcap).objects();
    assert_eq!(pipe.len(), FRAMES);
    assert_eq!(pipe[3]["wireshark"]["tcp.seq"], 1);
    assert!(desk.run(&["headers", "whole.pcap", "4", "--format", "jsonl"]).objects()[0].get("wireshark").is_none());
}

#[test]
fn ladder_draws_one_conversation() {
    let desk = Desk::new();
    let tcp = desk.run(&["ladder", "whole.pcap", "--stream", "0"]);
    assert_eq!((tcp.code, tcp.err.as_str()), (Some(0), ""));
    assert!(tcp.out.contains("SYN") && tcp.out.contains("FIN") && !tcp.out.contains("RST"), "{}", tcp.out);
    let udp = desk.run(&["ladder", "whole.pcap", "--stream", "0", "--udp"]);
    assert!(udp.out.contains("who is it?"), "{}", udp.out);
}

#[test]
fn mss_computes_and_measures() {
    let desk = Desk::new();
    let computed = desk.run(&["mss", "--mtu", "1500", "--timestamps"]);
    assert!(computed.out.contains("1460") && computed.out.contains("1448"), "{}", computed.out);
    let measured = desk.run(&["mss", "whole.pcap"]);
    assert!(measured.out.contains("1400") && measured.out.contains("1460"), "{}", measured.out);
    assert_eq!(desk.run(&["mss", "none.pcap"]).out, "no TCP connection in this capture\n");
}

#[test]
fn an_interface_wins_over_a_file_of_its_name_and_says_so() {
    let desk = Desk::new();
    fs::copy(desk.dir.path().join("whole.pcap"), desk.dir.path().join("lo")).unwrap();
    let interface = desk.run(&["mss", "lo"]);
    assert!(interface.out.contains("lo: MTU") && interface.err.contains("./lo is the file"), "{interface:?}");
    assert!(desk.run(&["mss", "./lo"]).out.contains("10.0.0.1:40000"));
}

#[test]
fn interfaces_lists_the_loopback_interface_in_both_formats() {
    let desk = Desk::new();
    assert!(desk.run(&["interfaces"]).out.lines().any(|line| line.starts_with("lo ")));
    let objects = desk.run(&["interfaces", "--format", "jsonl"]).objects();
    let lo = of_type(&objects, "interface").into_iter().find(|one| one["name"] == "lo").unwrap();
    assert_eq!(lo["loopback"], true);
    assert!(lo["mss_ipv4"].is_u64());
}

#[test]
fn tables_fit_the_width_and_colour_is_only_for_those_who_ask() {
    let desk = Desk::new();
    for columns in ["60", "80", "120"] {
        let run = Run::of(desk.command(&["analyze", "whole.pcap"]).env("COLUMNS", columns).output().unwrap());
        let width: usize = columns.parse().unwrap();
        let too_long = run.out.lines().find(|line| line.chars().count() > width);
        assert_eq!(too_long, None, "at {columns}");
        assert!(!run.out.contains('\u{1b}'));
    }
    let colour = desk.run(&["analyze", "whole.pcap", "--color", "always"]);
    assert!(colour.out.contains("\u{1b}["));
    let plain = desk.run(&["analyze", "whole.pcap", "--color", "never"]);
    assert_eq!(strip_escapes(&colour.out), plain.out);
}

fn strip_escapes(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |all, piece| all + piece.split_once('m').map_or(piece, |(_, rest)| rest))
}

/// A copy of the program that anybody may run and that has no privilege of its own. `None` where we are not root and
/// cannot take anything away.
fn run_as_nobody(desk: &Desk, args: &[&str]) -> Option<Run> {
    if !is_root() {
        return None;
    }
    let program = desk.dir.path().join("synscope");
    // Another process copies: a file that we have open for writing could not be run while another test forks.
    assert!(Command::new("cp").arg(PROGRAM).arg(&program).status().unwrap().success());
    for path in [desk.dir.path(), &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(&program);
    command.args(args).current_dir(desk.dir.path()).stdin(Stdio::null()).uid(65_534).gid(65_534);
    Some(Run::of(command.output().unwrap()))
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    let ours = Path::new("/proc/self");
    fs::metadata(ours).is_ok_and(|meta| meta.uid() == 0)
}

#[test]
fn without_privilege_a_capture_is_refused_with_the_cure() {
    let desk = Desk::new();
    let Some(run) = run_as_nobody(&desk, &["trace", "lo"]) else { return };
    assert_eq!((run.code, run.out.as_str()), (Some(2), ""));
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    assert!(run.err.contains("CAP_NET_RAW") && run.err.contains("setcap"), "{}", run.err);
}

#[test]
fn a_file_that_may_not_be_read_says_so() {
    let desk = Desk::new();
    let path = desk.file("secret.pcap", b"x");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    let Some(run) = run_as_nobody(&desk, &["analyze", "secret.pcap"]) else { return };
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("permission denied"), "{}", run.err);
}

#[test]
fn without_privilege_the_demonstration_shows_a_recording() {
    let desk = Desk::new();
    let Some(run) = run_as_nobody(&desk, &["demo"]) else { return };
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    assert!(run.err.contains("setcap") && run.err.contains("recording"), "{}", run.err);
    assert!(run.out.contains("ESTABLISHED") && run.out.contains("findings: none"), "{}", run.out);
}

/// Needs CAP_NET_RAW; without it there is nothing to be seen.
#[test]
fn a_live_trace_loses_nothing_of_what_came_before_ctrl_c() {
    if !is_root() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let desk = Desk::new();
    let mut child =
        desk.command(&["trace", "lo", "--port", &port]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    err.read_line(&mut line).unwrap();
    assert_eq!(line, "capturing on lo (Ctrl-C to stop)\n");
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    drop(client);
    assert_eq!(server.read(&mut [0]).unwrap(), 0);
    drop(server);
    let asked = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let run = Run::of(child.wait_with_output().unwrap());
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    line.clear();
    err.read_line(&mut line).unwrap();
    // Six, or seven where the server's kernel acknowledged the FIN before its program closed.
    let whole = ["6 packets captured, 0 dropped by the kernel\n", "7 packets captured, 0 dropped by the kernel\n"];
    assert!(run.code == Some(0) && whole.contains(&line.as_str()), "{:?} {line}{}", run.code, run.out);
    assert!(run.out.contains("ESTABLISHED") && run.out.contains("closed by client"), "{}", run.out);
}
