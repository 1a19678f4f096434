//! What a socket says of itself is what its packets show: real connections between two network namespaces, over links of
//! different MTUs, with and without timestamps, IPv4 and IPv6.
//!
//! `TCP_MAXSEG` of a connected socket is the kernel's own effective MSS; `tcpi_rtt` right after `connect` is the round trip
//! of SYN and SYN,ACK as the kernel measured it. Needs root for the namespaces, and ip; without them it says so and passes.
#![cfg(all(target_os = "linux", feature = "live"))]
#![allow(clippy::print_stderr, clippy::unwrap_used, reason = "a test may end so")]
#![allow(unsafe_code, reason = "setns and getsockopt have no safe face")]

use std::fs::File;
use std::io::Read;
use std::io::Write;
use std::mem::MaybeUninit;
use std::mem::size_of;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use synscope::decode::decode;
use synscope::finding::Finding;
use synscope::flow::EndedConnection;
use synscope::flow::EndedExchange;
use synscope::packet::Span;
use synscope::pipeline::Analyzer;
use synscope::pipeline::Sink;
use synscope::source::Flow;
use synscope::source::LiveConfig;
use synscope::source::LiveSource;
use synscope::source::Poll;
use synscope::source::Source;
use synscope::tcp::Side;
use synscope::tcp::path::BlackHole;

/// MTU of the link, IPv6, timestamps.
const CASES: &[(u32, bool, bool)] = &[
    (576, false, true),
    (1280, true, true),
    (1280, true, false),
    (1492, false, true),
    (1500, false, true),
    (1500, false, false),
    (1500, true, true),
    (1500, true, false),
    (9000, false, true),
    (9000, true, true),
];

#[test]
fn the_effective_mss_is_the_sockets_own_and_the_round_trip_lies_within_the_kernels() {
    let Some(hosts) = Hosts::new() else {
        eprintln!("not run: network namespaces need root and ip");
        return;
    };
    for &(mtu, ipv6, timestamps) in CASES {
        hosts.set(mtu, timestamps);
        let (socket, seen) = hosts.talk(ipv6);
        let case = format!("MTU {mtu}, IPv{}, timestamps {timestamps}", if ipv6 { 6 } else { 4 });
        eprintln!("{case}: socket {socket:?}, packets {seen:?}");
        assert_eq!(seen.effective, Some(socket.maxseg), "{case}");
        assert_eq!(seen.advertised, Some(mtu - if ipv6 { 60 } else { 40 }), "{case}");
        // A full segment was acknowledged: the path is no black hole, and carries exactly the MTU.
        assert_eq!(seen.path_takes, mtu, "{case}");
        assert!(seen.holds, "{case}");
        // SYN and SYN,ACK pass the interface between the kernel's two looks at its clock; it counts whole microseconds.
        let rtt = Duration::from_nanos(seen.rtt.unwrap().0 as u64);
        assert!(rtt <= socket.rtt + Duration::from_micros(1), "{case}: {rtt:?} > {:?}", socket.rtt);
    }
}

/// What the sending socket says.
#[derive(Clone, Copy, Debug)]
struct Told {
    maxseg: u32,
    rtt: Duration,
}

/// What its packets show.
#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    advertised: Option<u32>,
    effective: Option<u32>,
    path_takes: u32,
    holds: bool,
    rtt: Option<Span>,
}

impl Sink for Shown {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        let connection = ended.connection;
        let timestamps = if connection.timestamps_agreed() { 12 } else { 0 };
        let headers = timestamps + if connection.ipv6 { 60 } else { 40 };
        let hole: synscope::finding::Verdict<BlackHole> = connection.black_hole(Side::Client);
        *self = Self {
            advertised: connection.side(Side::Client).offer.mss.map(u32::from),
            effective: connection.effective_mss(Side::Client).map(|sum| sum.value),
            path_takes: connection.path(Side::Client).carried + headers,
            holds: hole == synscope::finding::Verdict::Holds,
            rtt: connection.handshake.server_rtt,
        };
    }

    fn exchange(&mut self, _: &EndedExchange<'_>) {}

    fn finding(&mut self, _: Finding) {}
}

/// Two namespaces and a cable, gone when dropped.
struct Hosts {
    a: String,
    b: String,
}

impl Hosts {
    fn new() -> Option<Self> {
        let hosts = Self { a: format!("mss-a-{}", std::process::id()), b: format!("mss-b-{}", std::process::id()) };
        let ready = run(&["netns", "add", &hosts.a])
            && run(&["netns", "add", &hosts.b])
            && run(&["-n", &hosts.a, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", &hosts.b])
            && [(&hosts.a, 1), (&hosts.b, 2)].into_iter().all(|(host, number)| {
                run(&["-n", host, "addr", "add", &format!("10.77.0.{number}/24"), "dev", "wire"])
                    && run(&["-n", host, "addr", "add", &format!("fd77::{number}/64"), "dev", "wire", "nodad"])
                    && run(&["-n", host, "link", "set", "wire", "up"])
            });
        ready.then_some(hosts)
    }

    fn set(&self, mtu: u32, timestamps: bool) {
        for host in [&self.a, &self.b] {
            // Below 1280 there is no IPv6, and its addresses go; they are put back with the next larger MTU.
            assert!(run(&["-n", host, "link", "set", "wire", "mtu", &mtu.to_string()]));
            let number = if host == &self.a { 1 } else { 2 };
            run(&["-n", host, "addr", "add", &format!("fd77::{number}/64"), "dev", "wire", "nodad"]);
            let value = format!("net.ipv4.tcp_timestamps={}", u8::from(timestamps));
            assert!(run(&["netns", "exec", host, "sysctl", "-qw", &value]));
        }
    }

    /// One connection from `a` to `b` that moves 300 kB and one octet back, told by both witnesses.
    fn talk(&self, ipv6: bool) -> (Told, Shown) {
        let (ready, listening) = mpsc::channel();
        let at: SocketAddr = if ipv6 { "[fd77::2]:0" } else { "10.77.0.2:0" }.parse().unwrap();
        thread::scope(|scope| {
            scope.spawn(move || {
                enter(&self.b);
                let listener = TcpListener::bind(at).unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                let (mut client, _) = listener.accept().unwrap();
                client.read_exact(&mut vec![0; OCTETS]).unwrap();
                client.write_all(b"!").unwrap();
            });
            scope
                .spawn(move || {
                    enter(&self.a);
                    let server = listening.recv_timeout(PATIENCE).unwrap();
                    let mut source = LiveSource::open(&LiveConfig::new("wire")).unwrap();
                    // The kernel turns time stamps on a moment after the first socket asked for them.
                    thread::sleep(Duration::from_millis(100));
                    let mut socket = TcpStream::connect_timeout(&server, PATIENCE).unwrap();
                    let told = Told { maxseg: maxseg(&socket), rtt: rtt(&socket) };
                    socket.set_read_timeout(Some(PATIENCE)).unwrap();
                    socket.write_all(&vec![b'.'; OCTETS]).unwrap();
                    socket.read_exact(&mut [0]).unwrap();
                    drop(socket);
                    (told, shown(&mut source))
                })
                .join()
                .unwrap()
        })
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        run(&["netns", "del", &self.a]);
        run(&["netns", "del", &self.b]);
    }
}

/// Reads what was captured until both sides have closed.
fn shown(source: &mut LiveSource) -> Shown {
    let (mut analyzer, mut shown) = (Analyzer::default(), Shown::default());
    let deadline = Instant::now() + Duration::from_millis(300);
    let mut ending = false;
    loop {
        if !ending && Instant::now() > deadline {
            source.finish();
            ending = true;
        }
        let poll = source.poll(&mut |frame| {
            analyzer.observe(&decode(frame), &mut shown);
            Flow::Continue
        });
        if poll.unwrap() == Poll::End {
            analyzer.finish(&mut shown);
            return shown;
        }
    }
}

fn run(args: &[&str]) -> bool {
    Command::new("ip").args(args).output().is_ok_and(|output| output.status.success())
}

/// Moves this thread, and the sockets that it opens, into a namespace.
fn enter(namespace: &str) {
    let file = File::open(format!("/run/netns/{namespace}")).unwrap();
    // SAFETY: the descriptor is open for the whole call, which changes nothing but this thread.
    assert_eq!(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
}

fn maxseg(socket: &TcpStream) -> u32 {
    option::<libc::c_int>(socket, libc::TCP_MAXSEG) as u32
}

fn rtt(socket: &TcpStream) -> Duration {
    let info: libc::tcp_info = option(socket, libc::TCP_INFO);
    Duration::from_micros(info.tcpi_rtt.into())
}

/// A socket option of TCP whose type is plain integers.
fn option<T: Copy>(socket: &TcpStream, name: libc::c_int) -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut len = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` octets, and any octets make a value of these types.
    unsafe {
        let at = value.as_mut_ptr().cast();
        assert_eq!(libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, name, at, &mut len), 0);
        value.assume_init()
    }
}

const OCTETS: usize = 300_000;
const PATIENCE: Duration = Duration::from_secs(5);
