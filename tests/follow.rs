//! Files that grow: each packet is shown soon after it was written, and rotation loses none.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may end so")]

use std::fs;
use std::fs::OpenOptions;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use synscope::craft;

const PROGRAM: &str = env!("CARGO_BIN_EXE_synscope");

/// A program that follows, and its lines with the time at which each came.
struct Follower {
    child: Child,
    lines: Receiver<(Instant, String)>,
}

impl Follower {
    fn start(args: &[&str], folder: &Path) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(args)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in out.lines() {
                let _ = send.send((Instant::now(), line.unwrap()));
            }
        });
        Self { child, lines }
    }

    fn line(&self) -> (Instant, String) {
        self.lines.recv_timeout(Duration::from_secs(10)).expect("a line within ten seconds")
    }

    /// Ctrl-C: exit code, the lines that came after, and what was said.
    fn stop(mut self) -> (Option<i32>, Vec<String>, String) {
        signal("-INT", self.child.id());
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        let code = self.child.wait().unwrap().code();
        (code, self.lines.iter().map(|(_, line)| line).collect(), said)
    }
}

fn signal(kind: &str, pid: u32) {
    assert!(Command::new("kill").args([kind, &pid.to_string()]).status().unwrap().success());
}

/// A file header and so many records, each with the name of its datagram in it.
fn datagrams(from: usize, count: usize) -> (Vec<u8>, Vec<Vec<u8>>) {
    let lines: String = (from..from + count).map(|n| format!("+0.010  C > S  udp \"packet {n:03}\"\n")).collect();
    let pcap = craft::play(&lines).unwrap().to_pcap();
    let (header, records) = pcap.split_at(24);
    let len = records.len() / count;
    (header.to_vec(), records.chunks(len).map(<[u8]>::to_vec).collect())
}

fn append(path: &Path, octets: &[u8]) -> Instant {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(octets).unwrap();
    Instant::now()
}

/// The `percent`th of a hundred delays.
fn quantile(delays: &mut [Duration], percent: usize) -> Duration {
    delays.sort();
    delays[(delays.len() - 1) * percent / 100]
}

#[test]
fn packets_are_shown_within_a_tenth_of_a_second_through_two_rotations() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grow.pcap");
    let (header, records) = datagrams(0, 60);
    append(&path, &header);
    let follower = Follower::start(&["headers", "grow.pcap", "--follow", "--brief"], folder.path());
    let mut delays = Vec::new();
    for (at, record) in records.iter().enumerate() {
        if at == 20 {
            fs::rename(&path, folder.path().join("grow.pcap.1")).unwrap();
            append(&path, &header);
        }
        if at == 40 {
            // As logrotate's copytruncate does.
            fs::copy(&path, folder.path().join("grow.pcap.2")).unwrap();
            OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
            thread::sleep(Duration::from_millis(50));
            append(&path, &header);
        }
        // In two halves: half a record shows nothing.
        append(&path, &record[..record.len() / 2]);
        let written = append(&path, &record[record.len() / 2..]);
        let (shown, line) = follower.line();
        assert!(line.starts_with(&format!("{} ", at + 1)), "frames are numbered through: {line}");
        delays.push(shown.saturating_duration_since(written));
        thread::sleep(Duration::from_millis((at % 7) as u64));
    }
    let (code, more, said) = follower.stop();
    assert_eq!((code, more, said.as_str()), (Some(0), vec![], ""));
    let [median, most] = [50, 90].map(|percent| quantile(&mut delays, percent));
    let longest = quantile(&mut delays, 100);
    eprintln!("shown after: median {median:?}, nine in ten within {most:?}, longest {longest:?}");
    // The program itself waits 10 ms; a busy machine may keep one or the other line for longer.
    assert!(most < Duration::from_millis(100), "median {median:?}, nine in ten within {most:?}, longest {longest:?}");
}

#[test]
fn ctrl_c_ends_it_with_what_was_written_by_then_and_the_whole_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grow.pcap");
    let (header, records) = datagrams(0, 3);
    append(&path, &[header, records.concat()].concat());
    let follower = Follower::start(&["trace", "grow.pcap", "--follow"], folder.path());
    let first = follower.line().1;
    assert!(first.contains("udp"), "{first}");
    let (code, more, said) = follower.stop();
    assert_eq!((code, said.as_str()), (Some(0), ""), "{more:?}");
    assert!(more.iter().any(|line| line.contains("packet 002")), "{more:?}");

    let follower = Follower::start(&["analyze", "grow.pcap", "--follow"], folder.path());
    thread::sleep(Duration::from_millis(200));
    let (code, report, _) = follower.stop();
    assert_eq!(code, Some(0));
    assert!(report[0].contains("3 frames"), "{report:?}");
}

#[test]
fn what_tcpdump_writes_is_shown_as_it_flushes() {
    let folder = tempfile::tempdir().unwrap();
    // A port of our own, so that nobody else's traffic is seen.
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = receiver.local_addr().unwrap();
    let filter = format!("udp dst port {}", address.port());
    let path = folder.path().join("live.pcap");
    // As root tcpdump would become another user, who may not write here.
    let tcpdump = Command::new("tcpdump")
        .args(["-i", "lo", "-U", "--immediate-mode", "-Z", "root", "-w", path.to_str().unwrap(), &filter])
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut tcpdump) = tcpdump else { return eprintln!("no tcpdump on this machine: not tried") };
    let begun = Instant::now();
    while !fs::metadata(&path).is_ok_and(|file| file.len() >= 24) {
        if tcpdump.try_wait().unwrap().is_some() || begun.elapsed() > Duration::from_secs(5) {
            let _ = tcpdump.kill();
            let _ = tcpdump.wait();
            return eprintln!("tcpdump may not capture here: not tried");
        }
        thread::sleep(Duration::from_millis(10));
    }
    let follower = Follower::start(&["headers", "live.pcap", "--follow", "--brief"], folder.path());
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut delays = Vec::new();
    for n in 0..30 {
        let sent = Instant::now();
        sender.send_to(format!("packet {n}").as_bytes(), address).unwrap();
        delays.push(follower.line().0.saturating_duration_since(sent));
        thread::sleep(Duration::from_millis(n % 5 * 3));
    }
    signal("-INT", tcpdump.id());
    tcpdump.wait().unwrap();
    assert_eq!(follower.stop().0, Some(0));
    let [median, most, longest] = [50, 90, 100].map(|percent| quantile(&mut delays, percent));
    eprintln!("shown after it was sent: median {median:?}, nine in ten within {most:?}, longest {longest:?}");
    assert!(most < Duration::from_millis(100), "median {median:?}, nine in ten within {most:?}, longest {longest:?}");
}
