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

/// Frames of a capture, as objects without what depends on its name.
fn objects(desk: &Desk, name: &str) -> Vec<serde_json::Value> {
    let run = desk.run(&["headers", name, "--format", "jsonl"]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{name}");
    let object = |line: &str| {
        let mut object: serde_json::Value = serde_json::from_str(line).unwrap();
        for key in ["schema", "file", "frame", "stream", "verdicts"] {
            object.as_object_mut().unwrap().remove(key);
        }
        object
    };
    run.out.lines().map(object).collect()
}

fn pick(all: &[serde_json::Value], frames: &[usize]) -> Vec<serde_json::Value> {
    frames.iter().map(|frame| all[frame - 1].clone()).collect()
}

#[test]
fn a_cut_holds_what_was_chosen_and_nothing_else_in_every_format() {
    let desk = Desk::new();
    let all = objects(&desk, "whole.pcap");
    let cases: &[(&[&str], &[usize])] = &[
        (&[], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]),
        (&["--stream", "0"], &[1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (&["--stream", "1", "--udp-stream", "0"], &[10, 11, 12, 13]),
        (&["--code", "refused"], &[10, 11]),
        (&["--port", "53"], &[12, 13]),
        (&["--filter", "src port 80"], &[2, 5, 8]),
        (&["--frames", "3-5"], &[3, 4, 5]),
        (&["--frames", "3-5", "--stream", "1"], &[]),
        (&["--since", "+0.02s", "--until", "+0.031"], &[2, 3]),
        (&["--since", "1700000000.163"], &[10, 11, 12, 13]),
        (&["--until", "2023-11-14T22:13:20.020Z"], &[1]),
    ];
    for name in ["out.pcapng", "out.pcap", "out.pcap.gz", "out.pcapng.zst", "out.lz4"] {
        for (chosen, frames) in cases {
            let run = desk.run(&[&["cut", "whole.pcap", "-o", name], *chosen].concat());
            assert_eq!((run.code, run.out.as_str()), (Some(0), ""), "{chosen:?}: {}", run.err);
            assert!(run.err.ends_with(&format!("{} of 13 frames written\n", frames.len())), "{chosen:?}: {}", run.err);
            assert_eq!(objects(&desk, name), pick(&all, frames), "{chosen:?} into {name}");
        }
    }
    let left: Vec<_> = fs::read_dir(desk.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 6, "the input and five captures: {left:?}");
}

#[test]
fn a_cut_keeps_the_fragments_of_its_conversations() {
    let desk = Desk::new();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pcap/ip-fragments.pcap");
    desk.file("fragments.pcap", &fs::read(fixture).unwrap());
    let run = desk.run(&["cut", "fragments.pcap", "-o", "one.pcapng", "--udp-stream", "0"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let summary = |name: &str| desk.run(&["analyze", name, "--format", "jsonl"]).out;
    let first = |text: String| {
        let flow = text.lines().find(|line| line.contains("\"udp_flow\"")).map(str::to_owned);
        let mut flow: serde_json::Value = serde_json::from_str(&flow.expect("a conversation")).unwrap();
        flow.as_object_mut().unwrap().remove("file");
        flow
    };
    let (before, after) = (first(summary("fragments.pcap")), first(summary("one.pcapng")));
    for key in ["a", "b", "packets", "bytes", "start", "end"] {
        assert_eq!(before[key], after[key], "{key}");
    }
}

#[test]
fn a_cut_goes_to_standard_output_and_comes_from_standard_input() {
    let desk = Desk::new();
    let pcap = fs::read(desk.path("whole.pcap")).unwrap();
    let mut cut = desk.command(&["cut", "-", "-o", "-", "--filter", "udp"]);
    let mut child = cut.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &pcap).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    desk.file("out.pcapng", &output.stdout);
    assert_eq!(objects(&desk, "out.pcapng"), pick(&objects(&desk, "whole.pcap"), &[12, 13]));
    let twice = desk.run(&["cut", "-", "-o", "x.pcap", "--stream", "0"]);
    assert!(
        twice.code == Some(2) && twice.err.contains("read twice") && twice.err.lines().count() == 1,
        "{}",
        twice.err
    );
}

#[test]
fn a_cut_never_overwrites_its_input_and_leaves_no_half_file() {
    let desk = Desk::new();
    std::os::unix::fs::symlink(desk.path("whole.pcap"), desk.path("link.pcap")).unwrap();
    fs::hard_link(desk.path("whole.pcap"), desk.path("second.pcap")).unwrap();
    let before = fs::read(desk.path("whole.pcap")).unwrap();
    for out in ["whole.pcap", "./whole.pcap", "link.pcap", "second.pcap"] {
        let run = desk.run(&["cut", "whole.pcap", "-o", out]);
        assert!(run.code == Some(2) && run.err.contains("its own input") && run.err.lines().count() == 1, "{run:?}");
    }
    assert!(fs::read(desk.path("whole.pcap")).unwrap() == before);
    let nowhere = desk.run(&["cut", "whole.pcap", "-o", "no/such/folder.pcap"]);
    assert!(nowhere.code == Some(2) && nowhere.err.contains("cannot write the capture"), "{}", nowhere.err);
    let missing = desk.run(&["cut", "whole.pcap", "-o", "old.pcap", "--stream", "7"]);
    assert!(missing.code == Some(2) && missing.err.contains("no tcp stream 7"), "{}", missing.err);
    assert!(!desk.path("old.pcap").exists());

    // Interrupted while its input still goes on.
    desk.file("old.pcap", b"precious");
    let mut child =
        desk.command(&["cut", "-", "-o", "old.pcap"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, &before).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    drop(input);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read(desk.path("old.pcap")).unwrap(), b"precious");
    let left = fs::read_dir(desk.dir.path()).unwrap().count();
    assert_eq!(left, 4, "whole, link, second, old and nothing else");
}

#[test]
fn a_cut_into_pcap_says_what_is_lost_and_refuses_what_it_cannot_hold() {
    let desk = Desk::new();
    let fixture = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pcap").join(name);
    let (raw, null) = (fixture("link-raw.pcap"), fixture("link-null.pcap"));
    let (raw, null) = (raw.to_str().unwrap(), null.to_str().unwrap());
    let merged = desk.run(&["cut", raw, null, "--merge", "-o", "both.pcapng"]);
    assert_eq!(merged.code, Some(0), "{}", merged.err);
    let refused = desk.run(&["cut", "both.pcapng", "-o", "both.pcap"]);
    assert!(refused.code == Some(2) && refused.err.contains("several link types"), "{}", refused.err);
    assert!(!desk.path("both.pcap").exists());
    let run = desk.run(&["cut", "both.pcapng", "-o", "raw.pcap", "--filter", "udp or tcp", "--frames", "1"]);
    assert!(run.err.contains("a pcap file cannot hold: interfaces kept apart (1)"), "{}", run.err);
}

#[test]
fn files_cut_together_come_in_time_order_or_one_after_the_other() {
    let desk = Desk::new();
    let all = objects(&desk, "whole.pcap");
    for (name, frames) in [("odd.pcapng", "1-5"), ("even.pcap", "6-13")] {
        assert_eq!(desk.run(&["cut", "whole.pcap", "-o", name, "--frames", frames]).code, Some(0));
    }
    let merged = desk.run(&["cut", "even.pcap", "odd.pcapng", "--merge", "-o", "merged.pcapng"]);
    assert_eq!(merged.code, Some(0), "{}", merged.err);
    assert_eq!(objects(&desk, "merged.pcapng"), all);
    let behind = desk.run(&["cut", "even.pcap", "odd.pcapng", "-o", "behind.pcapng"]);
    assert_eq!(behind.code, Some(0), "{}", behind.err);
    assert_eq!(objects(&desk, "behind.pcapng"), pick(&all, &[6, 7, 8, 9, 10, 11, 12, 13, 1, 2, 3, 4, 5]));
}

#[test]
fn files_that_are_merged_are_one_capture_and_frames_keep_their_file_and_number() {
    let desk = Desk::new();
    for (name, filter) in [("client.pcap", "src host 10.0.0.1"), ("server.pcapng", "src host 10.0.0.2")] {
        assert_eq!(desk.run(&["cut", "whole.pcap", "-o", name, "--filter", filter]).code, Some(0));
    }
    let both = ["client.pcap", "server.pcapng", "--merge"];
    let whole = desk.run(&["analyze", "whole.pcap", "--format", "jsonl"]);
    let merged = desk.run(&[&["analyze"], &both[..], &["--format", "jsonl"]].concat());
    let of = |run: &Run| -> Vec<String> {
        let lines = run.out.lines().filter(|line| line.contains("\"connection\"") || line.contains("\"finding\""));
        lines.map(|line| line.replace("client.pcap + server.pcapng", "whole.pcap")).collect()
    };
    assert_eq!(of(&merged), of(&whole));
    assert_eq!(merged.code, whole.code);

    let run = desk.run(&[&["headers"], &both[..], &["--format", "jsonl"]].concat());
    let places = |line: &str| {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        let number = |key: &str| object[key].as_u64().unwrap();
        (object["file"].as_str().unwrap().to_owned(), number("frame"), number("merged_frame"))
    };
    let places: Vec<_> = run.out.lines().map(places).collect();
    assert_eq!(places.len(), 13);
    assert_eq!(places[0], ("client.pcap".to_owned(), 1, 1));
    assert_eq!(places[1], ("server.pcapng".to_owned(), 1, 2));
    assert_eq!(places[4], ("server.pcapng".to_owned(), 2, 5));
    let brief = desk.run(&[&["headers"], &both[..], &["2", "--brief"]].concat());
    assert!(brief.out.starts_with("server.pcapng:1 2 "), "{}", brief.out);

    let traced = desk.run(&[&["trace"], &both[..]].concat());
    assert_eq!(traced.out, desk.run(&["trace", "./whole.pcap"]).out);
    let behind = desk.run(&["trace", "client.pcap", "server.pcapng"]);
    assert!(behind.code == Some(0) && behind.out != traced.out, "one after the other are two captures");
}

#[test]
fn wrong_uses_of_merging_and_following_are_told_in_one_line() {
    let desk = Desk::new();
    let cases: &[(&[&str], &str)] = &[
        (&["headers", "whole.pcap", "--follow", "--merge"], "cannot be used with"),
        (&["headers", "-", "--follow"], "name it alone"),
        (&["analyze", "whole.pcap", "whole.pcap", "--follow"], "name it alone"),
        (&["trace", "nothing.pcap", "--follow"], "nothing.pcap"),
        (&["analyze", "whole.pcap", "nothing.pcap", "--merge"], "no such file"),
        (&["cut", "whole.pcap"], "--out"),
        (&["cut", "whole.pcap", "-o", "x.pcap", "--frames", "0"], "counted from 1"),
        (&["cut", "whole.pcap", "-o", "x.pcap", "--since", "soon"], "no point in time"),
        (&["cut", "whole.pcap", "-o", "x.pcap", "--code", "refusd"], "did you mean"),
    ];
    for (args, words) in cases {
        let run = desk.run(args);
        assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{args:?}");
        assert!(run.err.contains(words) && run.err.lines().count() == 1, "{args:?}: {}", run.err);
    }
}

/// A pcapng block.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let len = (body.len() as u32 + 12).to_le_bytes();
    [&kind.to_le_bytes()[..], &len, &body, &len].concat()
}

/// Options of a block, and their end mark.
fn options(list: &[(u16, &[u8])]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (code, value) in list {
        octets.extend(code.to_le_bytes());
        octets.extend((value.len() as u16).to_le_bytes());
        octets.extend(*value);
        octets.resize(octets.len().next_multiple_of(4), 0);
    }
    [octets, vec![0; 4]].concat()
}

#[test]
fn what_a_file_remarks_is_shown_and_survives_a_cut() {
    let desk = Desk::new();
    let datagram = fs::read(desk.path("whole.pcap")).unwrap()[24 + 16..24 + 16 + 20].to_vec();
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let section = [words(&[0x1a2b_3c4d, 1]), vec![0xff; 8], options(&[(1, b"the lab"), (4, b"dumper 1")])].concat();
    let names = [&[1, 0, 9, 0, 10, 0, 0, 1][..], b"gate\0\0\0\0", &[0; 4]].concat();
    let packet = |marks: &[(u16, &[u8])]| {
        let marks = if marks.is_empty() { Vec::new() } else { options(marks) };
        let len = datagram.len() as u32;
        block(6, &[words(&[0, 0, 7, len, len]), datagram.clone(), marks].concat())
    };
    let flags = 1_u32.to_le_bytes();
    let octets = [
        block(0x0a0d_0d0a, &section),
        block(1, &words(&[101, 0])),
        block(4, &names),
        packet(&[(1, b"look here"), (2, &flags), (4, &5_u64.to_le_bytes())]),
        packet(&[]),
    ]
    .concat();
    desk.file("remarked.pcapng", &octets);

    let table = desk.run(&["headers", "remarked.pcapng", "1"]);
    for words in ["comment: look here", "direction: inbound", "lost 5 frames before"] {
        assert!(table.out.contains(words), "{words}: {}", table.out);
    }
    let objects = desk.run(&["headers", "remarked.pcapng", "--format", "jsonl"]);
    let of = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let [first, second] = [0, 1].map(|at| of(objects.out.lines().nth(at).unwrap()));
    assert_eq!(
        (&first["comments"][0], &first["direction"], &first["dropped_before"]),
        (&serde_json::json!("look here"), &serde_json::json!("inbound"), &serde_json::json!(5))
    );
    assert!(second.get("comments").is_none() && second.get("direction").is_none(), "{second}");
    let merged = desk.run(&["headers", "remarked.pcapng", "whole.pcap", "--merge", "--format", "jsonl"]);
    assert_eq!(of(merged.out.lines().next().unwrap())["comments"][0], "look here");
    assert!(of(merged.out.lines().nth(1).unwrap()).get("comments").is_none());

    let page = desk.run(&["analyze", "remarked.pcapng"]);
    for words in ["captured by: dumper 1", "names: 10.0.0.1 gate", "comment: the lab"] {
        assert!(page.out.contains(words), "{words}: {}", page.out);
    }
    let page = desk.run(&["analyze", "remarked.pcapng", "--format", "jsonl"]);
    let capture = page.out.lines().map(of).find(|object| object["type"] == "capture").unwrap();
    assert_eq!(capture["names"][0], serde_json::json!({"addr": "10.0.0.1", "name": "gate"}));

    let cut = desk.run(&["cut", "remarked.pcapng", "-o", "one.pcapng", "--frames", "1"]);
    assert_eq!(cut.code, Some(0), "{}", cut.err);
    assert!(fs::read(desk.path("one.pcapng")).unwrap() == octets[..octets.len() - packet(&[]).len()]);
    let classic = desk.run(&["cut", "remarked.pcapng", "-o", "one.pcap"]);
    assert!(classic.err.contains("blocks of names (1)") && classic.err.contains("comments (2)"), "{}", classic.err);
}

#[test]
fn a_link_type_that_nobody_reads_is_named_and_counted_and_reading_goes_on() {
    let desk = Desk::new();
    let mut octets = craft::play(CONVERSATION).unwrap().to_pcap();
    // The link type stands in the last four octets of the file's header: 143, DOCSIS.
    let at = octets[..24].len() - 4;
    let order = if octets[0] == 0xa1 { 143_u32.to_be_bytes() } else { 143_u32.to_le_bytes() };
    octets[at..24].copy_from_slice(&order);
    desk.file("cable.pcap", &octets);
    let run = desk.run(&["analyze", "cable.pcap", "whole.pcap"]);
    assert_eq!(run.code, Some(1), "the refused connection of the second file is found: {run:?}");
    assert!(run.out.contains("13 frames of link type LINKTYPE 143 are not decoded\n"), "{}", run.out);
    assert!(!run.out.contains("malformed"), "{}", run.out);
    let run = desk.run(&["analyze", "cable.pcap", "--format", "jsonl"]);
    assert!(run.out.contains(r#""unread_link_types":{"LINKTYPE 143":13}"#), "{}", run.out);
    let run = desk.run(&["headers", "cable.pcap", "--brief"]);
    assert_eq!((run.code, run.out.lines().count()), (Some(0), 13));
    assert!(run.out.starts_with("1 0.000000 LINKTYPE 143, length 66 [unknown-link]\n"), "{}", run.out);
}

#[test]
fn frames_with_defects_are_counted_by_what_is_wrong_with_them() {
    let desk = Desk::new();
    let script = "+0 C > S udp (4) ipopt 0x94030001\n+0 C > S udp (4) checksum bad\n+0 C > S udp (4) checksum bad";
    desk.file("bad.pcap", &craft::play(script).unwrap().to_pcap());
    let run = desk.run(&["analyze", "bad.pcap"]);
    assert!(run.out.contains("3 frames have malformed headers: 1 ip-option-size, 2 udp-checksum\n"), "{}", run.out);
    let run = desk.run(&["analyze", "bad.pcap", "--format", "jsonl"]);
    assert!(run.out.contains(r#""defects":{"ip-option-size":1,"udp-checksum":2}"#), "{}", run.out);
    assert!(!run.out.contains("unread_link_types"), "{}", run.out);
}
