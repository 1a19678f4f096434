#![cfg(test)]
//! For each judgement a trace where it is broken, a near twin where it holds, and one where it cannot be told.

mod blind;
mod causes;
mod probes;
mod properties;
mod rules;

use crate::craft;
use crate::decode::decode;
use crate::finding::Code;
use crate::finding::Gap;
use crate::finding::Verdict;
use crate::packet::Endpoint;
use crate::packet::TcpFlags;
use crate::tcp::Blind;
use crate::tcp::Connection;
use crate::tcp::Hearing;
use crate::tcp::Mark;
use crate::tcp::Side;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Number;

/// Everything that was judged, with the number of the packet.
pub(super) struct Judged {
    pub(super) connection: Connection,
    pub(super) all: Vec<(u64, Judgement)>,
}

impl Judged {
    /// How one rule came out for one packet, if it was asked.
    pub(super) fn verdict(&self, frame: u64, code: Code) -> Option<Verdict<()>> {
        self.of(frame, code).map(|judgement| judgement.verdict)
    }

    /// One judgement of one packet.
    pub(super) fn of(&self, frame: u64, code: Code) -> Option<&Judgement> {
        self.all
            .iter()
            .find(|(number, judgement)| *number == frame && judgement.code == code)
            .map(|(_, judgement)| judgement)
    }

    /// Causes and broken rules of one packet.
    pub(super) fn broken(&self, frame: u64) -> Vec<Code> {
        let of_frame = self.all.iter().filter(|(number, _)| *number == frame);
        of_frame.filter(|(_, judgement)| judgement.verdict == BROKEN).map(|(_, judgement)| judgement.code).collect()
    }
}

pub(super) const BROKEN: Verdict<()> = Verdict::Broken(());
pub(super) const HOLDS: Option<Verdict<()>> = Some(Verdict::Holds);

pub(super) const fn cannot_tell(gap: Gap) -> Option<Verdict<()>> {
    Some(Verdict::CannotTell(gap))
}

/// Plays a script of one connection without its first `skip` packets, judging thoroughly.
pub(super) fn judge_from(script: &str, skip: usize) -> Judged {
    judge_knowing(script, skip, &[])
}

/// The same, where from the frames given on the capture is known to have missed something.
pub(super) fn judge_knowing(script: &str, skip: usize, known: &[(u64, Blind)]) -> Judged {
    let trace = craft::play(script).unwrap_or_else(|error| panic!("{error}\n{script}"));
    let mut seen: Option<(Connection, Endpoint)> = None;
    let mut all = Vec::new();
    for frame in trace.frames().skip(skip) {
        let packet = decode(&frame);
        let mark = Mark { frame: packet.meta.number, at: packet.meta.at };
        let (Some(ip), Some((_, src, dst)), Some(tcp)) = (packet.ip, packet.endpoints(), packet.tcp()) else {
            continue;
        };
        let answers = tcp.flags.has(TcpFlags::SYN.with(TcpFlags::ACK));
        let oriented = tcp.flags.has(TcpFlags::SYN);
        let (connection, client) = seen
            .get_or_insert_with(|| (Connection::new(mark, ip.version == 6, oriented), if answers { dst } else { src }));
        let side = if src == *client { Side::Client } else { Side::Server };
        let mut judgements = Vec::new();
        let known = known.iter().rev().find(|(from, _)| *from <= mark.frame);
        let blind = known.map_or(Blind::default(), |(_, blind)| *blind);
        connection.beware(mark, &blind, tcp);
        connection.judge(mark, side, &ip, tcp, Hearing { thorough: true, blind }, &mut judgements);
        connection.observe(mark, side, &ip, tcp, &mut Vec::new());
        all.extend(judgements.into_iter().map(|judgement| (mark.frame, judgement)));
    }
    let (connection, _) = seen.expect("a script has packets");
    Judged { connection, all }
}

/// J = 100, K = 900, no scaling, no timestamps, 10 ms to the server, 10 ms to the client.
pub(super) const OPEN: &str = "
    +0.000  C > S  S   100:100(0)            win 10000  <mss 1460, sackOK>
    +0.010  S > C  S.  900:900(0)   ack 101  win 10000  <mss 1460, sackOK>
    +0.010  C > S  .   101:101(0)   ack 901  win 10000
";

/// The same with timestamps.
pub(super) const OPEN_TS: &str = "
    +0.000  C > S  S   100:100(0)            win 10000  <mss 1460, sackOK, ts 1000 0>
    +0.010  S > C  S.  900:900(0)   ack 101  win 10000  <mss 1460, sackOK, ts 7000 1000>
    +0.010  C > S  .   101:101(0)   ack 901  win 10000  <ts 1020 7000>
";

/// [`OPEN`] and what follows; the first packet of `rest` is number 4.
pub(super) fn open_then(rest: &str) -> Judged {
    judge_from(&format!("{OPEN}{rest}"), 0)
}

/// [`OPEN_TS`] and what follows.
pub(super) fn open_ts_then(rest: &str) -> Judged {
    judge_from(&format!("{OPEN_TS}{rest}"), 0)
}

/// `rest` alone: the capture began after the handshake; its first packet is number 1.
pub(super) fn mid_stream(rest: &str) -> Judged {
    judge_from(rest, 0)
}

/// What is found or broken, with what the connection's events tell; ends that are one are known by their address.
pub(super) fn told_of(script: &str) -> Vec<(u64, Code)> {
    let trace = craft::play(script).unwrap_or_else(|error| panic!("{error}\n{script}"));
    let mut seen: Option<(Connection, Endpoint)> = None;
    let mut told = Vec::new();
    for frame in trace.frames() {
        let packet = decode(&frame);
        let mark = Mark { frame: packet.meta.number, at: packet.meta.at };
        let (Some(ip), Some((_, src, dst)), Some(tcp)) = (packet.ip, packet.endpoints(), packet.tcp()) else {
            continue;
        };
        let (connection, client) =
            seen.get_or_insert_with(|| (Connection::new(mark, false, tcp.flags.has(TcpFlags::SYN)), src));
        connection.to_itself = src == dst;
        let side = if src == *client { Side::Client } else { Side::Server };
        let (mut said, mut events) = (Vec::new(), Vec::new());
        connection.judge(mark, side, &ip, tcp, Hearing { thorough: true, ..Hearing::default() }, &mut said);
        connection.observe(mark, side, &ip, tcp, &mut events);
        connection.tell(mark, side, tcp, &events, true, &mut said);
        let broken = said.iter().filter(|judgement| judgement.is_broken());
        told.extend(broken.map(|judgement| (mark.frame, judgement.code)));
    }
    told
}
