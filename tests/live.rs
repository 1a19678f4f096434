//! Live capture on the loopback interface, against the kernel itself. Needs CAP_NET_RAW; without it every test
//! says so and passes.
#![cfg(all(target_os = "linux", feature = "live"))]
#![allow(clippy::print_stderr)]

use std::env;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::process::Command;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use synscope::packet::Clock;
use synscope::packet::FrameMeta;
use synscope::packet::LinkType;
use synscope::source::Flow;
use synscope::source::LiveConfig;
use synscope::source::LiveSource;
use synscope::source::Poll;
use synscope::source::ProblemKind;
use synscope::source::Source;
use synscope::source::SourceError;

/// A frame that was seen, cut to what the claims need.
struct Seen {
    meta: FrameMeta,
    bytes: Vec<u8>,
}

impl Seen {
    /// Source and destination port of TCP or UDP over IPv4, after checking that it is that.
    fn ports(&self) -> Option<(u16, u16)> {
        let ip = self.bytes.get(14..)?;
        let is_v4 = self.bytes[12..14] == [8, 0] && matches!(ip.get(9)?, 6 | 17);
        let behind = ip.get(usize::from(ip[0] & 15) * 4..).filter(|_| is_v4)?;
        let port = |at: usize| Some(u16::from_be_bytes([*behind.get(at)?, *behind.get(at + 1)?]));
        Some((port(0)?, port(2)?))
    }

    fn is_of(&self, port: u16) -> bool {
        self.ports().is_some_and(|(from, to)| from == port || to == port)
    }

    fn tcp_flags(&self) -> u8 {
        self.bytes[14 + 20 + 13]
    }
}

/// One test at a time: a flood next door can fill the kernel's queue before the frames reach any capture.
fn alone() -> MutexGuard<'static, ()> {
    static LOOPBACK: Mutex<()> = Mutex::new(());
    LOOPBACK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A capture on lo, or `None` with a word on stderr where we may not.
fn capture(port: Option<u16>) -> Option<LiveSource> {
    open(&LiveConfig { port, ..LiveConfig::new("lo") })
}

fn open(config: &LiveConfig) -> Option<LiveSource> {
    match LiveSource::open(config) {
        Ok(source) => Some(source),
        Err(SourceError::NoPrivilege { .. }) => {
            eprintln!("skipped: needs CAP_NET_RAW");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Everything until the end, after no more is wanted; and how long that took.
fn finish(source: &mut LiveSource) -> (Vec<Seen>, Duration) {
    let begin = Instant::now();
    source.finish();
    let mut seen = Vec::new();
    loop {
        let poll = source.poll(&mut |frame| {
            seen.push(Seen { meta: frame.meta, bytes: frame.bytes.to_vec() });
            Flow::Continue
        });
        if poll.expect("lo is up") == Poll::End {
            return (seen, begin.elapsed());
        }
    }
}

fn now_nanos() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_nanos()).expect("before 2262")
}

/// Two sockets on loopback that know each other.
fn udp_pair() -> (UdpSocket, UdpSocket, u16) {
    let (a, b) = (UdpSocket::bind("127.0.0.1:0").expect("bound"), UdpSocket::bind("127.0.0.1:0").expect("bound"));
    let port = b.local_addr().expect("bound").port();
    a.connect(b.local_addr().expect("bound")).expect("connected");
    b.connect(a.local_addr().expect("bound")).expect("connected");
    (a, b, port)
}

#[test]
fn every_datagram_is_seen_exactly_once_with_kernel_times_in_order_and_within_the_test() {
    let _alone = alone();
    let Some(mut source) = capture(None) else { return };
    let begin = now_nanos();
    let (a, b, port) = udp_pair();
    for n in 0..50_u8 {
        a.send(&[n]).expect("sent");
        b.send(&[n, n]).expect("answered");
    }
    let (seen, _) = finish(&mut source);
    let ours: Vec<_> = seen.iter().filter(|frame| frame.is_of(port)).collect();
    let payloads: Vec<_> = ours.iter().map(|frame| &frame.bytes[14 + 20 + 8..]).collect();
    let expected: Vec<_> = (0..50_u8).flat_map(|n| [vec![n], vec![n, n]]).collect();
    assert_eq!(payloads, expected);

    let metas: Vec<_> = ours.iter().map(|frame| frame.meta).collect();
    assert!(metas.iter().all(|meta| meta.clock == Clock::Kernel && meta.link_type == LinkType::ETHERNET));
    assert!(metas.is_sorted_by_key(|meta| meta.at), "stamps run forward");
    assert!(begin <= metas[0].at.nanos() && metas[metas.len() - 1].at.nanos() <= now_nanos());
    assert!(seen.iter().zip(1..).all(|(frame, number)| frame.meta.number == number));
    let stats = source.stats();
    assert_eq!((stats.frames, stats.dropped), (seen.len() as u64, Some(0)));
    let info = source.info();
    assert!(info.interfaces[0].mtu.is_some_and(|mtu| mtu >= 1280), "{info:?}");
    assert_eq!((info.name.as_str(), &info.problem), ("lo", &None));
}

#[test]
fn a_tcp_connection_with_a_write_of_60_000_octets_is_seen_once_and_uncut() {
    let _alone = alone();
    let Some(mut source) = capture(None) else { return };
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let port = listener.local_addr().expect("bound").port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).expect("readable");
        octets.len()
    });
    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    client.write_all(&[7; 60_000]).expect("written");
    drop(client);
    assert_eq!(server.join().expect("no panic"), 60_000);

    let (seen, _) = finish(&mut source);
    let ours: Vec<_> = seen.iter().filter(|frame| frame.is_of(port)).collect();
    let (syn, fin, ack) = (0x02, 0x01, 0x10);
    let with = |mask: u8, flags: u8| ours.iter().filter(|frame| frame.tcp_flags() & mask == flags).count();
    assert_eq!(with(syn | ack, syn), 1, "one SYN");
    assert_eq!(with(syn | ack, syn | ack), 1, "one SYN-ACK");
    assert_eq!(with(fin, fin), 2, "one FIN each");
    for (n, frame) in ours.iter().enumerate() {
        let total = usize::from(u16::from_be_bytes([frame.bytes[16], frame.bytes[17]]));
        assert_eq!(frame.bytes.len(), 14 + total, "as long as its IP header says");
        assert_eq!(frame.meta.caplen, frame.meta.origlen);
        assert!(ours[..n].iter().all(|earlier| earlier.bytes != frame.bytes), "frame {n} came twice");
    }
    let payload = |frame: &&Seen| frame.bytes.len() - 34 - usize::from(frame.bytes[46] >> 4) * 4;
    assert_eq!(ours.iter().map(payload).sum::<usize>(), 60_000);
    let longest = ours.iter().map(|frame| frame.meta.caplen).max();
    assert!(longest.is_some_and(|octets| octets > 32_000), "lo carries large segments whole: {longest:?}");
}

#[test]
fn a_burst_before_the_stop_is_kept_and_the_stop_takes_under_200_ms() {
    let _alone = alone();
    let Some(mut source) = capture(None) else { return };
    let (a, _b, port) = udp_pair();
    for n in 0..1000_u16 {
        a.send(&n.to_be_bytes()).expect("sent");
    }
    let (seen, took) = finish(&mut source);
    let numbers: Vec<_> = seen
        .iter()
        .filter(|frame| frame.is_of(port))
        .map(|frame| u16::from_be_bytes([frame.bytes[42], frame.bytes[43]]))
        .collect();
    assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
    assert!(took < Duration::from_millis(200), "{took:?}");
    assert_eq!(source.stats().dropped, Some(0));
    assert_eq!(source.poll(&mut |_| Flow::Continue).expect("over"), Poll::End, "the end stays the end");
}

#[test]
fn traffic_that_goes_on_does_not_keep_a_finished_capture_open() {
    let _alone = alone();
    let Some(mut source) = capture(None) else { return };
    let (a, _b, _) = udp_pair();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Bounded even if the capture never ends.
            for _ in 0..3_000_000 {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                a.send(b"on and on").expect("sent");
            }
        });
        while source.stats().frames == 0 {
            source.poll(&mut |_| Flow::Continue).expect("lo is up");
        }
        let asked = now_nanos();
        let (seen, _) = finish(&mut source);
        stop.store(true, Ordering::Relaxed);
        let late = seen.iter().filter(|frame| frame.meta.at.nanos() > asked + 100_000_000).count();
        assert_eq!(late, 0, "of {} frames", seen.len());
    });
}

#[test]
fn an_idle_poll_comes_back_within_100_ms() {
    let _alone = alone();
    // A port that nobody uses keeps other traffic of the machine away.
    let (_, _, port) = udp_pair();
    let Some(mut source) = capture(Some(port)) else { return };
    // ICMP passes the filter, so frames may come; the time counts.
    let begin = Instant::now();
    source.poll(&mut |_| Flow::Continue).expect("lo is up");
    assert!(begin.elapsed() < Duration::from_millis(100 + 50), "{:?}", begin.elapsed());
}

#[test]
fn the_port_filter_keeps_other_ports_out_and_its_own_in() {
    let _alone = alone();
    let (a, b, port) = udp_pair();
    let (other, _other_peer, _) = udp_pair();
    let Some(mut source) = capture(Some(port)) else { return };
    for _ in 0..10 {
        a.send(b"to").expect("sent");
        other.send(b"not asked for").expect("sent");
        b.send(b"from").expect("sent");
    }
    let (seen, _) = finish(&mut source);
    assert_eq!(seen.iter().filter(|frame| frame.is_of(port)).count(), 20);
    assert!(seen.iter().all(|frame| frame.ports().is_none() || frame.is_of(port)), "nothing of other ports");
}

#[test]
fn a_snap_length_cuts_what_is_handed_up_and_says_how_long_it_was() {
    let _alone = alone();
    let (a, _b, port) = udp_pair();
    let config = LiveConfig { port: Some(port), snaplen: 60, ..LiveConfig::new("lo") };
    let Some(mut source) = open(&config) else { return };
    a.send(&[1; 1000]).expect("sent");
    let (seen, _) = finish(&mut source);
    let lengths: Vec<_> =
        seen.iter().filter(|frame| frame.is_of(port)).map(|frame| (frame.meta.caplen, frame.meta.origlen)).collect();
    assert_eq!(lengths, [(60, 1042)]);
}

#[test]
fn what_does_not_fit_the_buffer_is_counted() {
    let _alone = alone();
    let (a, _b, port) = udp_pair();
    let config = LiveConfig { port: Some(port), buffer: 100_000, ..LiveConfig::new("lo") };
    let Some(mut source) = open(&config) else { return };
    for _ in 0..1000 {
        a.send(b"too many").expect("sent");
    }
    let (seen, _) = finish(&mut source);
    let stats = source.stats();
    assert!(seen.len() < 1000, "the buffer is too small for all");
    assert_eq!(stats.frames + stats.dropped.expect("the kernel counts"), 1000);
    assert_eq!(source.stats(), stats, "asking again counts nothing twice");
}

#[test]
fn interfaces_that_cannot_be_captured_are_refused_with_a_cure() {
    let message = |name: &str| LiveSource::open(&LiveConfig::new(name)).err().expect("no such capture").to_string();
    let unknown = message("nosuch0");
    assert!(unknown.starts_with("no interface nosuch0; there are: ") && unknown.contains("lo"), "{unknown}");
    assert!(message("any").contains("name one of them"), "{}", message("any"));
}

/// In a network of its own, because it takes lo down. The test runs itself again in there.
#[test]
fn an_interface_that_goes_down_ends_the_capture_with_a_word_and_keeps_what_came_before() {
    const INSIDE: &str = "SYNSCOPE_TEST_OWN_NETWORK";
    let ip = |state: &str| Command::new("ip").args(["link", "set", "lo", state]).status().is_ok_and(|s| s.success());
    if env::var_os(INSIDE).is_none() {
        let this = env::current_exe().expect("a test program");
        let name = "an_interface_that_goes_down_ends_the_capture_with_a_word_and_keeps_what_came_before";
        let run = Command::new("unshare").arg("-n").arg(this).args(["--exact", name]).env(INSIDE, "1").output();
        match run {
            Ok(output) if output.status.success() => {}
            Ok(output) if String::from_utf8_lossy(&output.stderr).contains("unshare failed") => {
                eprintln!("skipped: needs a network namespace");
            }
            Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stdout)),
            Err(_) => eprintln!("skipped: needs unshare"),
        }
        return;
    }
    let refused = LiveSource::open(&LiveConfig::new("lo")).err().expect("a new network's lo is down").to_string();
    assert_eq!(refused, "interface lo is down: sudo ip link set lo up");
    if !ip("up") {
        return eprintln!("skipped: needs ip");
    }
    let _alone = alone();
    let Some(mut source) = capture(None) else { return };
    let (a, _b, port) = udp_pair();
    a.send(b"before").expect("sent");
    assert!(ip("down"));
    let mut seen = 0;
    let mut polls = 0;
    loop {
        polls += 1;
        assert!(polls < 100, "never ends");
        let poll = source.poll(&mut |frame| {
            let frame = Seen { meta: frame.meta, bytes: frame.bytes.to_vec() };
            seen += usize::from(frame.is_of(port));
            Flow::Continue
        });
        if poll.expect("a gone interface is no error") == Poll::End {
            break;
        }
    }
    assert_eq!(seen, 1);
    let problem = source.info().problem.clone().expect("it went down");
    assert_eq!(problem.kind, ProblemKind::InterfaceGone);
    assert!(problem.text.starts_with("interface lo went down or away after frame "), "{problem}");
}
