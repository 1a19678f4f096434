//! What goes in and how it is chosen, as people type it: filters, fields.

#![allow(clippy::unwrap_used, reason = "a test may end so")]

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

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

/// A directory with captures in it, and no libpcap to be found unless a test asks for it.
struct Desk {
    dir: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().unwrap() };
        desk.file("whole.pcap", &craft::play(CONVERSATION).unwrap().to_pcap());
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null());
        command.env_remove("NO_COLOR").env_remove("COLUMNS").env("SYNSCOPE_LIBPCAP", "/nowhere/libpcap.so");
        command
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(&mut self.command(args))
    }

    /// Numbers of the frames that `headers --brief` shows.
    fn frames(&self, args: &[&str]) -> Vec<u64> {
        let run = self.run(&[&["headers", "whole.pcap", "--brief"], args].concat());
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{args:?}");
        run.out.lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
    }
}

#[derive(Debug)]
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn has_libpcap() -> bool {
    let folders = ["/usr/lib", "/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
    let names = ["libpcap.so.1", "libpcap.so.0.8", "libpcap.so"];
    folders.iter().any(|folder| names.iter().any(|name| Path::new(folder).join(name).exists()))
}

#[test]
fn a_filter_selects_packets_under_the_numbers_of_the_whole_capture() {
    let desk = Desk::new();
    assert_eq!(desk.frames(&["--filter", "tcp port 81"]), [10, 11]);
    assert_eq!(desk.frames(&["--filter", "udp and src port 53"]), [13]);
    assert_eq!(desk.frames(&["--filter", "not (tcp or udp)"]), [0_u64; 0]);
    assert_eq!(desk.frames(&["--filter", "dst port 81 or 53", "--host", "10.0.0.1"]), [10, 12]);
    assert_eq!(desk.frames(&["--stream", "1"]), [10, 11]);
    let run = desk.run(&["trace", "./whole.pcap", "--filter", "port 81"]);
    assert!(run.out.starts_with("#1 10.0.0.1:40000 → 10.0.0.2:81") && run.code == Some(0), "{run:?}");
    let run = desk.run(&["analyze", "whole.pcap", "--filter", "port 81", "--format", "jsonl"]);
    assert_eq!(run.code, Some(1), "the refused connection is the finding");
    let connections: Vec<_> = run.out.lines().filter(|line| line.contains("\"connection\"")).collect();
    assert!(connections.len() == 1 && connections[0].contains("\"stream\":1"), "{connections:?}");
    assert!(!run.out.contains("\"udp_flow\""), "{}", run.out);
    let run = desk.run(&["ladder", "whole.pcap", "--stream", "0", "--filter", "src port 80"]);
    assert!(run.out.contains("SYN,ACK") && !run.out.contains("SYN J"), "{}", run.out);
}

#[test]
fn without_libpcap_the_error_names_the_package_and_the_words_that_work() {
    let run = Desk::new().run(&["headers", "whole.pcap", "--filter", "tcp[13] = 2"]);
    assert_eq!((run.code, run.out.as_str()), (Some(2), ""));
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    for word in ["'tcp[13] = 2'", "libpcap0.8", "portrange"] {
        assert!(run.err.contains(word), "{word}: {}", run.err);
    }
}

#[test]
fn with_libpcap_the_whole_language_is_there_and_its_complaints_are_passed_on() {
    if !has_libpcap() {
        return eprintln!("no libpcap on this machine: not tried");
    }
    let desk = Desk::new();
    let with = |filter: &str| {
        let args = ["headers", "whole.pcap", "--brief", "--filter", filter];
        Run::of(desk.command(&args).env_remove("SYNSCOPE_LIBPCAP"))
    };
    let syns = with("tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn");
    let numbers: Vec<_> = syns.out.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!((syns.code, numbers), (Some(0), vec!["1", "10"]), "{}", syns.err);
    let wrong = with("tcp prt 80");
    assert_eq!((wrong.code, wrong.err.lines().count()), (Some(2), 1));
    assert!(wrong.err.contains("'tcp prt 80'") && wrong.err.contains("syntax error"), "{}", wrong.err);
}

#[test]
fn a_code_or_an_outcome_selects_what_was_judged_so() {
    let desk = Desk::new();
    assert_eq!(desk.frames(&["--code", "refused"]), [11]);
    assert_eq!(desk.frames(&["--code", "fin-ack", "--verdict", "holds"]), [8, 9]);
    assert_eq!(desk.frames(&["--code", "fin-ack", "--verdict", "broken"]), [0_u64; 0]);
    assert_eq!(desk.frames(&["--verdict", "broken"]), [11], "found counts as broken");
    let run = desk.run(&["analyze", "whole.pcap", "--code", "refused", "--format", "jsonl"]);
    let of = |kind: &str| run.out.lines().filter(|line| line.contains(kind)).count();
    assert_eq!((of("\"connection\""), of("\"finding\""), of("\"udp_flow\"")), (1, 1, 0), "{}", run.out);
    let wrong = desk.run(&["headers", "whole.pcap", "--code", "refusd"]);
    assert!(wrong.code == Some(2) && wrong.err.contains("refused"), "{}", wrong.err);
}
