#![cfg(test)]
//! Traces that a stranger can draw, and what the tracker says of them.

mod closing;
mod numbers;
mod opening;
mod properties;

use crate::craft;
use crate::decode::decode;
use crate::packet::Endpoint;
use crate::packet::Packet;
use crate::packet::TcpFlags;
use crate::tcp::Connection;
use crate::tcp::Event;
use crate::tcp::Hearing;
use crate::tcp::Mark;
use crate::tcp::Side;
use crate::tcp::life::Course;

/// A connection after its trace, and every event with the number of its packet.
pub(super) struct Seen {
    pub(super) connection: Connection,
    pub(super) events: Vec<(u64, Event)>,
}

impl Seen {
    /// Events of one packet.
    pub(super) fn of(&self, frame: u64) -> Vec<Event> {
        self.events.iter().filter(|(number, _)| *number == frame).map(|(_, event)| *event).collect()
    }

    /// Did any packet cause this?
    pub(super) fn has(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(|(_, event)| wanted(event))
    }
}

/// Plays a script of one connection; `C` is the client where a SYN says so.
pub(super) fn play(script: &str) -> Seen {
    play_from(script, 0)
}

/// The same with the first `skip` packets cut off, as if the capture had begun later.
pub(super) fn play_from(script: &str, skip: usize) -> Seen {
    let trace = craft::play(script).unwrap_or_else(|error| panic!("{error}"));
    let mut seen: Option<(Connection, Endpoint)> = None;
    let mut all = Vec::new();
    for frame in trace.frames().skip(skip) {
        let packet = decode(&frame);
        let mut events = Vec::new();
        feed(&packet, &mut seen, &mut events);
        all.extend(events.into_iter().map(|event| (packet.meta.number, event)));
    }
    let (connection, _) = seen.expect("a script has packets");
    Seen { connection, events: all }
}

fn feed(packet: &Packet<'_>, seen: &mut Option<(Connection, Endpoint)>, events: &mut Vec<Event>) {
    let mark = Mark { frame: packet.meta.number, at: packet.meta.at };
    let (Some(ip), Some((_, src, dst))) = (packet.ip, packet.endpoints()) else { return };
    let Some(tcp) = packet.tcp() else {
        return;
    };
    let answers = tcp.flags.has(crate::packet::TcpFlags::SYN.with(crate::packet::TcpFlags::ACK));
    let oriented = tcp.flags.has(crate::packet::TcpFlags::SYN);
    let (connection, client) =
        seen.get_or_insert_with(|| (Connection::new(mark, ip.version == 6, oriented), if answers { dst } else { src }));
    let side = if src == *client { Side::Client } else { Side::Server };
    connection.observe(mark, side, &ip, tcp, events);
}

/// The connection of a script, judged, with its course kept.
pub(in crate::tcp) fn lived(script: &str) -> Connection {
    let trace = craft::play(script).unwrap_or_else(|error| panic!("{error}\n{script}"));
    let mut seen: Option<(Connection, Endpoint)> = None;
    for frame in trace.frames() {
        let packet = decode(&frame);
        let mark = Mark { frame: packet.meta.number, at: packet.meta.at };
        let (Some(ip), Some((_, src, dst)), Some(tcp)) = (packet.ip, packet.endpoints(), packet.tcp()) else {
            continue;
        };
        let answers = tcp.flags.has(TcpFlags::SYN.with(TcpFlags::ACK));
        let oriented = tcp.flags.has(TcpFlags::SYN);
        let (connection, client) = seen.get_or_insert_with(|| {
            let connection = Connection::new(mark, ip.version == 6, oriented).keeping_life(Some(Course::States));
            (connection, if answers { dst } else { src })
        });
        let side = if src == *client { Side::Client } else { Side::Server };
        let (mut judgements, mut events) = (Vec::new(), Vec::new());
        connection.judge(mark, side, &ip, tcp, Hearing::default(), &mut judgements);
        connection.observe(mark, side, &ip, tcp, &mut events);
        connection.tell(mark, side, tcp, &events, false, &mut judgements);
    }
    seen.expect("a script has packets").0
}

/// SYN, SYN,ACK, ACK with J = 1000, K = 5000, 20 ms to the server, 1 ms to the client.
pub(super) const OPEN: &str = "
    +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460, sackOK, wscale 7>
    +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400, sackOK, wscale 8>
    +0.001  C > S  .   1001:1001(0)  ack 5001  win 502
";

/// [`OPEN`] and what follows.
pub(super) fn open_then(rest: &str) -> Seen {
    play(&format!("{OPEN}{rest}"))
}
