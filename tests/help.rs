//! What `--help` promises: every command says what it is for, shows examples that work as they stand, and how it may end.

#![allow(clippy::unwrap_used, reason = "a test may end so")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use synscope::craft;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_synscope");

fn help(args: &[&str]) -> String {
    let output = Command::new(PROGRAM).args(args).arg("--help").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that the program's own help lists.
fn commands() -> Vec<String> {
    let text = help(&[]);
    let listed = text.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands: Vec<_> = listed
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect();
    assert!(commands.len() >= 9, "{text}");
    commands
}

/// Lines of help that can be typed: what stands behind two blanks is said about them.
fn examples(text: &str) -> Vec<String> {
    let told = text.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    told.filter(|line| line.starts_with("synscope ") || line.contains("| synscope "))
        .map(|line| line.split("   ").next().unwrap().split("  ").next().unwrap().trim().to_owned())
        .collect()
}

#[test]
fn every_command_says_what_it_is_for_how_it_is_used_and_how_it_may_end() {
    for command in commands() {
        let text = help(&[&command]);
        let purpose = text.lines().next().unwrap();
        assert!(purpose.len() > 20, "{command}: {purpose}");
        assert!(text.contains("Exit code: 0 "), "{command}: {text}");
        assert!(command == "demo" || !examples(&text).is_empty(), "{command} shows no example: {text}");
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{command}: {text}");
    }
    assert!(help(&[]).contains("Exit code: 0 "));
}

#[test]
fn every_example_works_as_it_stands() {
    let desk = desk();
    let mut ran = 0;
    for command in commands().iter().map(String::as_str).chain([""]) {
        let args: &[&str] = if command.is_empty() { &[] } else { &[command] };
        for line in examples(&help(args)) {
            let Some(line) = prepared(&line) else { continue };
            let output = typed(desk.path(), &line);
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(matches!(output.status.code(), Some(0 | 1)), "{line}: {told}");
            let writes_a_file = [" > ", " -o ", "synscope craft"].iter().any(|sign| line.contains(sign));
            assert!(!output.stdout.is_empty() || writes_a_file, "{line} showed nothing");
            assert!(!told.contains("error"), "{line}: {told}");
            ran += 1;
        }
    }
    assert!(ran > 20, "only {ran} examples ran");
}

/// A line with what this machine lacks put in place of it; `None` where it cannot be done here at all.
fn prepared(line: &str) -> Option<String> {
    let mut line = line.replace("ssh host tcpdump -U -w -", "cat capture.pcap");
    line = line.replace("zstd -dc big.pcap.zst", "cat big.pcap").replace("eth0", "lo");
    if !exists("jq") {
        line = line.split(" | jq ").next().unwrap().to_owned();
    }
    if ["trace", "flood", "mss"].iter().any(|command| line.starts_with(&format!("synscope {command} lo"))) {
        let id = Command::new("id").arg("-u").output().unwrap();
        // Needs the right to capture, and shows only what happens to pass.
        if id.stdout != b"0\n" {
            return None;
        }
        let kept =
            ["30s", "10s", "1m", "1h"].iter().fold(line, |line, long| line.replace(&format!("--duration {long}"), ""));
        return Some(format!("{kept} --duration 100ms; echo"));
    }
    Some(line)
}

fn exists(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn typed(folder: &Path, line: &str) -> Output {
    let programs = Path::new(PROGRAM).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([programs].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", line]).env("PATH", path).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

/// Files under all the names that examples use.
fn desk() -> TempDir {
    let desk = tempfile::tempdir().unwrap();
    let mut script = String::new();
    for port in 81..86 {
        script += &format!(
            "
            T = 10.0.0.2:{port}
            +0.000  C > T  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7>
            +0.020  T > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400, sackOK, wscale 8>
            +0.001  C > T  .   1001:1001(0)  ack 5001  win 502
            +0.010  C > T  P.  1001:1005(4)  ack 5001  win 502  \"GET \"
            +0.010  T > C  P.  5001:5004(3)  ack 1005  win 502  \"yes\"
            +5.000  C > T  R.  1005:1005(0)  ack 5004  win 502
            T = 10.0.0.2:{udp}
            +0.100  C > T  udp \"who is it?\"
            +0.005  T > C  udp \"me\"
            ",
            udp = port - 28,
        );
    }
    script += "
        R = 10.0.0.2:99
        +0.100  C > R  S   9000:9000(0)            win 65535  <mss 1460>
        +0.001  R > C  R.  0:0(0)        ack 9001  win 0
        T = 10.0.0.2:90
        +0.000  C > T  S   1000:1000(0)            win 65535  <mss 1460>
        +0.020  T > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1460>
        +0.001  C > T  .   1001:1001(0)  ack 5001  win 502
        +0.010  C > T  P.  1001:1005(4)  ack 5001  win 502  \"GET \"
        +0.010  T > C  .   5001:5001(0)  ack 1005  win 0
    ";
    let capture = craft::play(&script).unwrap().to_pcap();
    for name in ["capture", "a", "b", "before", "after", "it", "big"] {
        for ending in ["pcap", "pcapng"] {
            fs::write(desk.path().join(name).with_extension(ending), &capture).unwrap();
        }
    }
    let handshake = "
        +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7>
        +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400, sackOK, wscale 8>
        +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
    ";
    fs::write(desk.path().join("handshake.pkt"), handshake).unwrap();
    desk
}
