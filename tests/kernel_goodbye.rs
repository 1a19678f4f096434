//! Each way of parting, played by the kernel and recognised from the packets alone; who holds TIME_WAIT is asked of the
//! kernel itself. Needs CAP_NET_RAW; without it every test says so and passes.
#![cfg(all(target_os = "linux", feature = "live"))]
#![allow(clippy::print_stderr)]

#[path = "../examples/goodbye/ways.rs"]
mod ways;

use std::fs;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::PoisonError;

use synscope::decode::decode;
use synscope::finding::Finding;
use synscope::flow::EndedConnection;
use synscope::flow::EndedExchange;
use synscope::packet::Frame;
use synscope::pipeline::Analyzer;
use synscope::pipeline::Judging;
use synscope::pipeline::Sink;
use synscope::source::Flow;
use synscope::source::LiveConfig;
use synscope::source::LiveSource;
use synscope::source::Poll;
use synscope::source::Source;
use synscope::source::SourceError;
use synscope::tcp::CloseKind;
use synscope::tcp::Side;
use synscope::tcp::life::Course;
use synscope::tcp::reset::ResetCause;

use ways::Ports;
use ways::Way;

/// What was said of one connection.
#[derive(Debug, Eq, PartialEq)]
struct Told {
    kind: CloseKind,
    first_by: Option<Side>,
    /// Client, server.
    time_wait: [bool; 2],
    cause: Option<ResetCause>,
}

struct Ends(Vec<Told>);

impl Sink for Ends {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        let connection = ended.connection;
        self.0.push(Told {
            kind: connection.close_kind(),
            first_by: connection.teardown.first_by(),
            time_wait: connection.teardown.time_wait(),
            cause: connection.reset_cause(),
        });
    }

    fn exchange(&mut self, _: &EndedExchange<'_>) {}

    fn finding(&mut self, _: Finding) {}
}

/// Parts in this way while watching; what was told, and which sides the kernel has in TIME_WAIT afterwards.
fn watched(way: Way) -> Option<(Told, [bool; 2])> {
    static LOOPBACK: Mutex<()> = Mutex::new(());
    let _alone = LOOPBACK.lock().unwrap_or_else(PoisonError::into_inner);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let config = LiveConfig { port: Some(port), ..LiveConfig::new("lo") };
    let mut source = match LiveSource::open(&config) {
        Ok(source) => source,
        Err(SourceError::NoPrivilege { .. }) => {
            eprintln!("skipped: needs CAP_NET_RAW");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let ports = ways::part_at(&listener, way).expect("loopback works");
    let truth = in_time_wait(ports);
    source.finish();
    let mut analyzer = Analyzer::default().judging(Judging::Broken).keeping_life(Course::RoundTrips);
    let mut ends = Ends(Vec::new());
    let mut take = |frame: &Frame<'_>| {
        analyzer.observe(&decode(frame), &mut ends);
        Flow::Continue
    };
    while source.poll(&mut take).expect("lo is up") != Poll::End {}
    analyzer.finish(&mut ends);
    assert_eq!(ends.0.len(), 1, "one connection: {:?}", ends.0);
    Some((ends.0.remove(0), truth))
}

/// Whether the kernel has the client's and the server's end in TIME_WAIT (state 06 of /proc/net/tcp).
fn in_time_wait(ports: Ports) -> [bool; 2] {
    let table = fs::read_to_string("/proc/net/tcp").expect("Linux tells its sockets");
    let rows: Vec<(String, String, String)> = table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(1).map(str::to_owned);
            Some((words.next()?, words.next()?, words.next()?))
        })
        .collect();
    let waits = |own: u16, other: u16| {
        let is = |end: &str, port: u16| end.ends_with(&format!(":{port:04X}"));
        rows.iter().any(|(local, remote, state)| state == "06" && is(local, own) && is(remote, other))
    };
    [waits(ports.client, ports.server), waits(ports.server, ports.client)]
}

fn orderly(way: Way, kinds: &[CloseKind]) {
    let Some((told, truth)) = watched(way) else { return };
    assert!(kinds.contains(&told.kind), "{way:?}: {told:?}");
    assert_eq!((told.first_by, told.cause), (Some(Side::Client), None), "{way:?}");
    assert_eq!(told.time_wait, truth, "{way:?}: the kernel on the right");
    assert_eq!(truth, [true, false], "{way:?}: who closes first waits");
}

fn reset(way: Way, kind: CloseKind, cause: ResetCause) {
    let Some((told, truth)) = watched(way) else { return };
    let expected = Told { kind, first_by: Some(Side::Client), time_wait: [false, false], cause: Some(cause) };
    assert_eq!(told, expected, "{way:?}");
    assert_eq!(truth, [false, false], "{way:?}: nobody waits after a reset");
}

#[test]
fn a_server_that_follows_at_once_closes_in_three_segments_or_four() {
    // Whether the acknowledgment waits for the FIN is the kernel's choice.
    orderly(Way::Together, &[CloseKind::ThreeSegment, CloseKind::FourWay]);
}

#[test]
fn a_server_that_follows_later_closes_in_four_segments() {
    orderly(Way::Apart, &[CloseKind::FourWay]);
}

#[test]
fn a_server_that_goes_on_sending_makes_it_a_half_close() {
    orderly(Way::HalfClose, &[CloseKind::HalfClose]);
}

#[test]
fn closing_with_linger_0_is_told_from_closing_with_data_unread() {
    reset(Way::Linger, CloseKind::Abort, ResetCause::Linger);
    reset(Way::Unread, CloseKind::Abort, ResetCause::UnreadData);
}

#[test]
fn a_write_to_a_socket_that_was_closed_is_answered_by_a_reset_after_the_fin() {
    reset(Way::WriteAfterClose, CloseKind::ResetAfterFin, ResetCause::WriteAfterClose);
}

/// Loopback delivers at once, so the FINs cross only when both processors send at the same moment.
#[test]
fn who_waits_after_both_closed_at_one_moment_is_who_the_kernel_says() {
    for _ in 0..TRIES {
        let Some((told, truth)) = watched(Way::Simultaneous) else { return };
        assert_eq!(told.time_wait, truth, "the kernel on the right: {told:?}");
        if told.kind == CloseKind::Simultaneous {
            assert_eq!(truth, [true, true]);
            return;
        }
        assert!(matches!(told.kind, CloseKind::ThreeSegment | CloseKind::FourWay), "{told:?}");
    }
    eprintln!("the FINs never crossed in {TRIES} tries: nothing to recognise");
}

const TRIES: usize = 30;
