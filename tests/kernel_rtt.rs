//! Round trips measured from the packets, beside what the sending kernel says of its socket (`tcpi_rtt`). Needs
//! CAP_NET_RAW; without it the test says so and passes.
#![cfg(all(target_os = "linux", feature = "live"))]
#![allow(clippy::print_stderr)]

use std::io::Read;
use std::io::Write;
use std::mem::size_of;
use std::net::TcpListener;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::thread;
use std::time::Duration;

use synscope::decode::decode;
use synscope::finding::Finding;
use synscope::flow::EndedConnection;
use synscope::flow::EndedExchange;
use synscope::packet::Frame;
use synscope::packet::Span;
use synscope::pipeline::Analyzer;
use synscope::pipeline::Judging;
use synscope::pipeline::Sink;
use synscope::source::Flow;
use synscope::source::LiveConfig;
use synscope::source::LiveSource;
use synscope::source::Poll;
use synscope::source::Source;
use synscope::source::SourceError;
use synscope::tcp::Side;
use synscope::tcp::life::Course;
use synscope::tcp::rtt::How;

/// Smoothed and shortest round trip of the client's octets, and how many were measured.
#[derive(Debug, Default)]
struct Measured {
    smoothed: Option<Span>,
    samples: u64,
    least: Option<Span>,
    most: Option<Span>,
}

impl Sink for Measured {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        self.smoothed = ended.connection.judged(Side::Client).and_then(|tcb| tcb.rtt.srtt);
        let round_trips = ended.connection.round_trips().expect("they are kept");
        let samples = round_trips.of(Side::Client, How::Karn).expect("something was acknowledged");
        (self.samples, self.least, self.most) = (samples.count(), samples.least(), samples.most());
    }

    fn exchange(&mut self, _: &EndedExchange<'_>) {}

    fn finding(&mut self, _: Finding) {}
}

#[test]
fn the_round_trip_is_what_the_senders_kernel_says_less_its_own_way_to_the_capture() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let mut source = match LiveSource::open(&LiveConfig { port: Some(port), ..LiveConfig::new("lo") }) {
        Ok(source) => source,
        Err(SourceError::NoPrivilege { .. }) => return eprintln!("skipped: needs CAP_NET_RAW"),
        Err(error) => panic!("{error}"),
    };
    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let (mut server, _) = listener.accept().expect("a client came");
    client.set_nodelay(true).expect("an option");
    for _ in 0..ROUNDS {
        client.write_all(b"ping").expect("it is open");
        server.read_exact(&mut [0; 4]).expect("it is open");
        // The answer carries the acknowledgment: this long after the question, as both must find.
        thread::sleep(THINKING);
        server.write_all(b"pong").expect("it is open");
        client.read_exact(&mut [0; 4]).expect("it is open");
    }
    let kernel = smoothed_by_kernel(&client);
    source.finish();
    let (mut analyzer, mut ours) =
        (Analyzer::default().judging(Judging::Broken).keeping_life(Course::RoundTrips), Measured::default());
    let mut take = |frame: &Frame<'_>| {
        analyzer.observe(&decode(frame), &mut ours);
        Flow::Continue
    };
    while source.poll(&mut take).expect("lo is up") != Poll::End {}
    analyzer.finish(&mut ours);
    let smoothed = ours.smoothed.expect("there were samples");
    eprintln!("kernel {} µs, packets {smoothed}; {ours:?}", kernel.0 / 1_000);
    // The handshake's SYN as well.
    assert_eq!(ours.samples, ROUNDS + 1);
    let apart = (kernel.0 - smoothed.0).abs();
    assert!(apart <= GRANULARITY.0, "{apart} ns apart: the kernel says {} ns, the packets {} ns", kernel.0, smoothed.0);
    assert!(ours.least <= ours.smoothed && ours.smoothed <= ours.most);
}

/// `tcpi_rtt`: the kernel's SRTT, whole microseconds.
#[allow(unsafe_code)]
fn smoothed_by_kernel(stream: &TcpStream) -> Span {
    // SAFETY: all zeros are a tcp_info; it only holds numbers.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut len = size_of::<libc::tcp_info>() as libc::socklen_t;
    let to = (&raw mut info).cast();
    // SAFETY: `info` is as large as `len` says, and both live beyond the call.
    let answer = unsafe { libc::getsockopt(stream.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, to, &raw mut len) };
    assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
    Span(i64::from(info.tcpi_rtt) * 1_000)
}

const ROUNDS: u64 = 40;
const THINKING: Duration = Duration::from_millis(3);
/// Whole microseconds on one side, and the way from the socket to the capture point and back.
const GRANULARITY: Span = Span(100_000);
