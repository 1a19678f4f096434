//! `synscope flood` as a whole: what it says of an attack and of a crowd, to people, files and programs.
#![allow(clippy::unwrap_used, reason = "a test may end so")]

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use synscope::craft::traffic::kinds::Kind;
use synscope::craft::traffic::kinds::Plan;
use synscope::craft::traffic::kinds::View;
use synscope::craft::traffic::write_pcap;
use synscope::packet::TcpFlags;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_synscope");

fn capture(plan: &Plan) -> Vec<u8> {
    let mut octets = Vec::new();
    write_pcap(plan.play(), &mut octets).unwrap();
    octets
}

/// A flood of 200 SYN/s, from second 8 to second 30, beside 20 good handshakes a second.
fn flooded() -> Plan {
    Plan { rate: 200.0, lasts: 22.0, ..Plan::new(Kind::Spoofed, 5) }
}

fn crowded() -> Plan {
    Plan { rate: 300.0, lasts: 6.0, ..Plan::new(Kind::Crowd, 6) }
}

struct Room {
    folder: TempDir,
}

impl Room {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn with(&self, name: &str, plan: &Plan) -> PathBuf {
        fs::write(self.path(name), capture(plan)).unwrap();
        self.path(name)
    }
}

fn flood(file: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(PROGRAM).arg("flood").arg(file).args(more).output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn states(objects: &[Value]) -> Vec<&str> {
    objects.iter().filter(|object| object["type"] == "finding").map(|o| o["state"].as_str().unwrap()).collect()
}

#[test]
fn a_flood_is_answered_in_the_first_line_and_shown_on_eighty_columns() {
    let room = Room::new();
    let (code, text, talk) = flood(&room.with("flood.pcap", &flooded()), &[]);
    assert_eq!((code, talk.as_str()), (Some(1), ""), "{text}");
    assert_eq!(text.lines().next(), Some("#1 start: FLOOD"));
    for word in
        ["flood-spoofed at 10.77.1.10:80", "innocent?", "port-limit 64 attempts", "both directions", "#1 end: FLOOD"]
    {
        assert!(text.contains(word), "{word} in {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.lines().any(|line| line.starts_with("1 flood: ")), "{text}");
}

#[test]
fn a_crowd_is_no_flood_and_the_line_says_what_it_rests_on() {
    let room = Room::new();
    let (code, text, _) = flood(&room.with("crowd.pcap", &crowded()), &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("#1 start: NO ATTACK, a crowd, and it is served\n"), "{text}");
    let last = text.lines().position(|line| line.starts_with("no flood: ")).map(|at| text.lines().skip(at));
    let last = last.unwrap().collect::<Vec<_>>().join(" ");
    assert!(last.contains("% completed, half-open peak") && text.contains("; 1 crowd that was"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let steady = Plan { lasts: 12.0, crowd: 20.0, ..Plan::new(Kind::Steady, 6) };
    let (code, text, _) = flood(&room.with("steady.pcap", &steady), &[]);
    assert_eq!(code, Some(0));
    assert!(text.starts_with("no flood: ") && text.contains("% completed, half-open peak"), "{text}");
}

#[test]
fn a_crowd_is_a_note_with_its_numbers_in_flood_and_in_analyze() {
    let room = Room::new();
    let file = room.with("crowd.pcap", &crowded());
    let (code, text, _) = flood(&file, &["--format", "jsonl", "--fail-on", "warning"]);
    let objects = objects(&text);
    assert_eq!((code, states(&objects)), (Some(0), vec!["start", "end"]));
    let end = objects.iter().find(|object| object["state"] == "end").unwrap();
    assert_eq!((end["code"].as_str(), end["severity"].as_str()), (Some("syn-surge"), Some("note")));
    let number = |key: &str| end[key].as_f64().unwrap();
    assert!((250.0..370.0).contains(&number("rate")) && (15.0..25.0).contains(&number("usual_rate")), "{end}");
    assert!(number("completion") > 0.95 && number("distinct_sources") > 200.0, "{end}");
    assert!(end["thresholds"].as_str().unwrap().contains("surge-factor 5 times"), "{end}");
    let attempts = objects.iter().find(|object| object["type"] == "attempts").unwrap();
    assert_eq!((&attempts["incidents"]["surge"], &attempts["incidents"]["flood"]), (&1.into(), &0.into()));

    let output = Command::new(PROGRAM).args(["analyze", "--format", "jsonl"]).arg(&file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains("\"code\":\"syn-surge\"")).count(), 1);
    let output = Command::new(PROGRAM)
        .args(["analyze", "--format", "jsonl", "--flood", "surge-factor=1000"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(!String::from_utf8(output.stdout).unwrap().contains("syn-surge"));
}

/// Only the first `octets` of each frame, as a snap length leaves them.
fn snapped(capture: &[u8], octets: usize) -> Vec<u8> {
    let (header, mut rest) = capture.split_at(24);
    let mut snapped = header.to_vec();
    while let Some((record, frames)) = rest.split_at_checked(16) {
        let captured = u32::from_le_bytes(record[8..12].try_into().unwrap()) as usize;
        let kept = captured.min(octets);
        snapped.extend(&record[..8]);
        snapped.extend((kept as u32).to_le_bytes());
        snapped.extend(&record[12..]);
        snapped.extend(&frames[..kept]);
        rest = &frames[captured..];
    }
    snapped
}

/// A crowd's SYNs alone, cut before their options: nothing says that they had none.
#[test]
fn options_that_the_snap_length_cut_off_are_not_missing() {
    let room = Room::new();
    let syns = Plan { view: View::Syns, ..crowded() };
    let file = room.path("cut.pcap");
    fs::write(&file, snapped(&capture(&syns), 54)).unwrap();
    let (code, text, _) = flood(&file, &[]);
    assert_eq!(code, Some(0), "{text}");
    let bare = Plan { view: View::Syns, crowd: 0.0, ..flooded() };
    fs::write(&file, snapped(&capture(&bare), 54)).unwrap();
    let (code, text, _) = flood(&file, &[]);
    assert_eq!(code, Some(1), "SYNs that had none by their headers: {text}");
}

/// Also what is only estimated: sources by the thousand, ports, hosts.
#[test]
fn the_same_file_gives_the_same_words_each_time() {
    let room = Room::new();
    for (name, kind) in [("spoofed", Kind::Spoofed), ("everything", Kind::Everything), ("scan", Kind::ScanPorts)] {
        let plan = Plan { rate: 500.0, lead: 1.0, lasts: 2.0, crowd: 5.0, ..Plan::new(kind, 8) };
        let file = room.with(name, &plan);
        assert_eq!(flood(&file, &[]), flood(&file, &[]), "{name}");
        let analyze =
            || Command::new(PROGRAM).args(["analyze", "--format", "jsonl"]).arg(&file).output().unwrap().stdout;
        assert!(analyze() == analyze(), "{name}");
    }
}

#[test]
fn objects_carry_the_contract_from_start_to_end() {
    let room = Room::new();
    let (code, text, _) = flood(&room.with("flood.pcap", &flooded()), &["--format", "jsonl"]);
    let objects = objects(&text);
    assert_eq!(code, Some(1));
    assert_eq!(states(&objects), ["start", "update", "update", "end"]);
    let end = objects.iter().find(|object| object["state"] == "end").unwrap();
    assert_eq!((end["code"].as_str(), end["kind"].as_str()), (Some("syn-flood"), Some("flood-spoofed")));
    for key in [
        "victim",
        "start",
        "end",
        "flagged_at",
        "peak_syn_rate",
        "half_open_peak",
        "completion",
        "distinct_sources",
        "top_sources",
        "confidence",
        "innocent_reading",
        "thresholds",
        "clients_late",
        "answered_once",
    ] {
        assert!(!end[key].is_null(), "{key}");
    }
    let attempts = objects.iter().find(|object| object["type"] == "attempts").unwrap();
    let by_outcome: u64 = ["completed", "half_open", "unanswered", "refused", "reset", "forged_ack"]
        .iter()
        .chain(&["resent_half_open", "resent_unanswered"])
        .map(|name| attempts[name].as_u64().unwrap())
        .sum();
    assert_eq!(attempts["attempts"].as_u64(), Some(by_outcome));
    assert_eq!(attempts["incidents"]["flood"], 1);
}

#[test]
fn a_file_and_a_command_get_every_change_as_one_line() {
    let room = Room::new();
    let file = room.with("flood.pcap", &flooded());
    let (lines, heard) = (room.path("lines.jsonl"), room.path("heard.jsonl"));
    let exec = format!("cat >> '{}'", heard.display());
    let (code, _, talk) = flood(&file, &["--out", lines.to_str().unwrap(), "--exec", &exec]);
    assert_eq!((code, talk.as_str()), (Some(1), ""));
    let lines = fs::read_to_string(lines).unwrap();
    assert_eq!(states(&objects(&lines)), ["start", "update", "update", "end"]);
    assert_eq!(fs::read_to_string(heard).unwrap(), lines);
}

#[test]
fn a_command_that_fails_is_told_of_and_nothing_else_changes() {
    let room = Room::new();
    let (code, text, talk) = flood(&room.with("flood.pcap", &flooded()), &["--exec", "exit 3"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("#1 end: FLOOD"));
    assert!(talk.contains("--exec: the command ended with exit status: 3"), "{talk}");
}

#[test]
fn thresholds_decide_are_repeated_in_the_alert_and_are_checked() {
    let room = Room::new();
    let file = room.with("flood.pcap", &flooded());
    let (code, text, _) = flood(&file, &["--port-limit", "100000", "--wide-limit", "100000", "--fast-pending", "1e9"]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text, _) = flood(&file, &["--port-limit", "500"]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, Some(1));
    assert!(words.contains("port-limit 500 attempts") && words.contains("not as usual: port-limit 500 (64)"), "{text}");
    for wrong in [["--tolerated", "2"], ["--port-limit", "many"], ["--half-open-after", "9"]] {
        let (code, _, talk) = flood(&file, &wrong);
        assert_eq!((code, talk.lines().count()), (Some(2), 1), "{wrong:?}: {talk}");
    }
}

#[test]
fn analyze_takes_the_same_thresholds_by_name() {
    let room = Room::new();
    let file = room.with("flood.pcap", &flooded());
    let floods = |more: &[&str]| {
        let output = Command::new(PROGRAM).arg("analyze").arg(&file).args(more).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap().contains("flood-spoofed at"))
    };
    assert_eq!(floods(&[]), (Some(1), true));
    let high = ["--flood", "port-limit=1e6", "--flood", "wide-limit=1e6", "--flood", "fast-pending=1e9"];
    assert!(!floods(&high).1);
    assert_eq!(floods(&["--flood", "no-such=1"]), (Some(2), false));
}

#[test]
fn gravity_decides_the_exit_code() {
    let room = Room::new();
    let scan = room.with("scan.pcap", &Plan::new(Kind::ScanPorts, 4));
    assert_eq!(flood(&scan, &[]).0, Some(0));
    let (code, text, _) = flood(&scan, &["--fail-on", "warning"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("SCAN, no flood"), "{text}");
}

/// Packets stop, the pipe stays open: the incident still ends, by the time that passes.
#[test]
fn an_incident_ends_in_silence() {
    let mut child = Command::new(PROGRAM)
        .args(["flood", "-", "--format", "jsonl", "--quiet", "0.5"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let attack = Plan { rate: 400.0, lead: 1.0, lasts: 4.0, crowd: 0.0, ..Plan::new(Kind::Spoofed, 9) };
    let mut octets = Vec::new();
    write_pcap(attack.play().take_while(|segment| segment.at < 5.0), &mut octets).unwrap();
    pipe.write_all(&octets).unwrap();
    pipe.flush().unwrap();
    // If it told nothing until the pipe closes, this would wait for ever: so somebody closes it.
    let (told, patience) = std::sync::mpsc::channel::<()>();
    let closer = std::thread::spawn(move || {
        let in_time = patience.recv_timeout(Duration::from_secs(60)).is_ok();
        drop(pipe);
        in_time
    });
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("\"state\":\"end\"")));
    let _ = told.send(());
    assert!(closer.join().unwrap(), "told before the pipe closes");
    assert!(lines.any(|line| line.contains("\"type\":\"attempts\"")));
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

/// What a GET of that path brings.
fn get(addr: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {addr}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A command that reads standard input and answers for its numbers: itself, where it answers, and the open end of what it
/// says further.
fn measured(command: &str, out: Stdio) -> (Child, String, impl Sized) {
    let mut child = Command::new(PROGRAM)
        .args([command, "-", "--metrics", "0", "--format", "jsonl"])
        .stdin(Stdio::piped())
        .stdout(out)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = talk.next().unwrap().unwrap();
    let addr = line.strip_prefix("metrics at http://").and_then(|rest| rest.strip_suffix("/metrics")).unwrap();
    (child, addr.to_owned(), talk)
}

/// Of a scrape, the value of that line.
fn value(answer: &str, name: &str) -> Option<f64> {
    answer.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[test]
fn numbers_are_answered_over_http_and_a_reader_who_dawdles_holds_up_nobody() {
    let (mut child, addr, _talk) = measured("flood", Stdio::piped());
    assert!(addr.starts_with("127.0.0.1:"), "{addr}");

    // One says nothing, one half a request, one too much: the capture goes on, and so does the next reader.
    let _silent = TcpStream::connect(&addr).unwrap();
    let mut half = TcpStream::connect(&addr).unwrap();
    half.write_all(b"GET /met").unwrap();
    let mut endless = TcpStream::connect(&addr).unwrap();
    let _ = endless.write_all(&[b'x'; 100_000]);

    let mut pipe = child.stdin.take().unwrap();
    let plan = flooded();
    let segments: Vec<_> = plan.play().collect();
    write_pcap(segments.iter().copied(), &mut pipe).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("\"state\":\"start\"")), "told whatever the readers do");

    let deadline = Instant::now() + Duration::from_secs(60);
    let answer = loop {
        let answer = get(&addr, "/metrics");
        if value(&answer, "synscope_packets_total") == Some(segments.len() as f64) || Instant::now() > deadline {
            break answer;
        }
    };
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("# EOF\n"), "{answer}");
    assert_eq!(value(&answer, "synscope_packets_total"), Some(segments.len() as f64));
    let syns = segments.iter().filter(|segment| segment.flags == TcpFlags::SYN).count();
    assert_eq!(value(&answer, "synscope_syns_total"), Some(syns as f64));
    let completed = segments.iter().filter(|segment| segment.len == 100).count();
    assert_eq!(value(&answer, "synscope_attempts_total{outcome=\"completed\"}"), Some(completed as f64));
    assert!(value(&answer, "synscope_half_open_peak") > Some(100.0), "{answer}");
    assert!(get(&addr, "/else").starts_with("HTTP/1.1 404 "));
    drop(pipe);
    assert_eq!(lines.filter(|line| line.contains("\"type\":\"attempts\"")).count(), 1);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_port_in_use_is_said_with_its_cure() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let room = Room::new();
    let (code, _, talk) = flood(&room.with("crowd.pcap", &crowded()), &["--metrics", &addr]);
    assert_eq!((code, talk.lines().count()), (Some(2), 1), "{talk}");
    assert!(talk.contains("cannot answer for metrics at"), "{talk}");
}

/// A command of half a second for each change, and more changes than its queue holds: nobody waits for it, and what it
/// missed is told of.
#[test]
fn a_slow_command_holds_up_nothing_and_what_it_missed_is_told() {
    let room = Room::new();
    let file = room.with("flood.pcap", &Plan { rate: 200.0, lasts: 22.0, ..Plan::new(Kind::Spoofed, 5) });
    let (heard, lines) = (room.path("heard"), room.path("lines.jsonl"));
    let exec = format!("sleep 0.5; cat >> '{}'", heard.display());
    let mut child = Command::new(PROGRAM)
        .arg("flood")
        .arg(&file)
        .args(["--format", "jsonl", "--update-every", "0.1", "--exec", &exec, "--out", lines.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The whole capture is read and told of while the first commands still sleep: after it only the queue is waited for.
    let mut told = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(told.any(|line| line.contains("\"type\":\"attempts\"")));
    let after_all_was_told = fs::read_to_string(&heard).unwrap_or_default().lines().count();
    let changes = states(&objects(&fs::read_to_string(&lines).unwrap())).len();
    assert!(changes > 66, "more than the queue of 64, one that runs, and one more: {changes}");
    assert!(after_all_was_told < changes / 2, "{after_all_was_told} of {changes} commands were over by then");
    let mut talk = String::new();
    child.stderr.take().unwrap().read_to_string(&mut talk).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let missed: usize = talk
        .lines()
        .find_map(|line| line.strip_prefix("synscope: --exec: ")?.strip_suffix(SLOW)?.parse().ok())
        .unwrap_or_else(|| panic!("{talk}"));
    let handed = fs::read_to_string(&heard).unwrap().lines().count();
    assert!(handed > 0 && handed + missed <= changes, "{handed} handed over, {missed} missed, of {changes}");
    assert!(missed >= changes - 64 - after_all_was_told - 1, "{missed} of {changes} missed, the queue holds 64");
    assert!(talk.contains("the command is too slow: some changes at the end were not handed to it"), "{talk}");
}

const SLOW: &str = " changes found no room in the queue of 64: make it faster";

/// A trace that waits at a pipe answers with what it has seen, and goes on.
#[test]
fn trace_answers_for_its_numbers_over_http() {
    let (mut child, addr, _talk) = measured("trace", Stdio::null());
    let mut pipe = child.stdin.take().unwrap();
    let segments: Vec<_> = crowded().play().collect();
    write_pcap(segments.iter().copied(), &mut pipe).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let answer = loop {
        let answer = get(&addr, "/metrics");
        if value(&answer, "synscope_packets_total") == Some(segments.len() as f64) || Instant::now() > deadline {
            break answer;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("# EOF\n"), "{answer}");
    assert_eq!(value(&answer, "synscope_packets_total"), Some(segments.len() as f64), "{answer}");
    let syns = segments.iter().filter(|segment| segment.flags == TcpFlags::SYN).count();
    assert_eq!(value(&answer, "synscope_syns_total"), Some(syns as f64), "{answer}");
    let completed = segments.iter().filter(|segment| segment.len == 100).count();
    assert_eq!(value(&answer, "synscope_attempts_total{outcome=\"completed\"}"), Some(completed as f64), "{answer}");
    drop(pipe);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
