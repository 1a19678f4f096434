//! The connection that had these ports before: may a new one follow it so soon?
//!
//! A side in TIME-WAIT accepts a new SYN only if it cannot be taken for an old one: its number lies above the last that was
//! used, or its timestamp is younger (RFC 9293 §3.6.1, RFC 6191 §2).

use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpHeader;
use crate::tcp::connection::Connection;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;

/// How long TIME-WAIT lasts by RFC 9293 §3.4.2: twice an MSL of two minutes.
pub const TIME_WAIT_RFC: Span = Span::from_secs(240);
/// How long Linux makes it.
pub const TIME_WAIT_LINUX: Span = Span::from_secs(60);

/// What a connection leaves to the next one on its ports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Left {
    /// TIME-WAIT.
    TimeWait(Predecessor),
    /// An opening whose SYN was acknowledged, and nothing more: this SYN is the other half of the answer.
    HalfAnOpening,
}

/// A SYN that came while TIME-WAIT should still have been held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Predecessor {
    /// The last packet of the connection before.
    pub ended: Mark,
    /// Time from then to the SYN.
    pub since: Span,
    /// The first number that the SYN's sender had not used.
    pub next: SeqNumber,
    /// The SYN's own.
    pub isn: SeqNumber,
    /// Latest timestamp of its sender, and the SYN's, where both are known.
    pub stamps: Option<(u32, u32)>,
}

impl Predecessor {
    /// The SYN's number lies above everything that was used, or its timestamp is younger.
    pub fn is_acceptable(&self) -> bool {
        self.next.at_or_before(self.isn) || self.is_younger()
    }

    /// By its timestamp (RFC 6191 §2).
    pub fn is_younger(&self) -> bool {
        self.stamps.is_some_and(|(before, now)| (now.wrapping_sub(before) as i32) > 0)
    }
}

impl Connection {
    /// What this connection leaves to the one that the SYN `tcp` of `side` begins. TIME-WAIT only where its end was clean,
    /// and not too long ago.
    pub fn leaves_behind(&self, at: Mark, side: Side, tcp: &TcpHeader<'_>) -> Option<Left> {
        if side == Side::Server && self.handshake.is_acknowledged_alone() {
            return Some(Left::HalfAnOpening);
        }
        let since = at.at.since(self.last.at);
        if !self.teardown.is_clean() || self.teardown.reset.is_some() || since > TIME_WAIT_RFC {
            return None;
        }
        let before = self.latest_stamp(side);
        let now = tcp.said.timestamps.map(|(value, _)| value);
        Some(Left::TimeWait(Predecessor {
            ended: self.last,
            since,
            next: self.side(side).snd_max?,
            isn: tcp.seq,
            stamps: before.zip(now),
        }))
    }

    /// The same connection, behind another one on its ports.
    #[must_use]
    pub fn following(mut self, left: Option<Left>) -> Self {
        let (first, notable) = (self.first, &mut self.notable);
        match left {
            Some(Left::TimeWait(before)) => notable.get_or_insert_default().predecessor = Some(before),
            // It began with that SYN, so its sender is taken for the client here.
            Some(Left::HalfAnOpening) => notable.get_or_insert_default().split = Some((first, Side::Client)),
            None => {}
        }
        self
    }
}
