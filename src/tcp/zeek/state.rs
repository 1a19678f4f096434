//! Where an endpoint stands in Zeek's eyes, how a segment moves it, and the word that conn.log has for a pair of states.

use crate::packet::TcpFlags;

/// State of one endpoint. Zeek's own, coarser than RFC 9293's: it follows what was *sent* only.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum State {
    /// Nothing that counts was sent.
    #[default]
    Inactive,
    /// SYN sent.
    SynSent,
    /// The first thing sent was a SYN,ACK.
    SynAckSent,
    /// Something was sent without a SYN before it.
    Partial,
    /// SYN answered.
    Established,
    /// FIN sent.
    Closed,
    /// RST sent.
    Reset,
}

impl State {
    /// It has not got beyond its SYN.
    pub(super) const fn is_opening(self) -> bool {
        matches!(self, Self::Inactive | Self::SynSent | Self::SynAckSent)
    }

    /// No SYN was seen of it.
    const fn is_absent(self) -> bool {
        matches!(self, Self::Inactive | Self::Partial)
    }
}

/// A state and the one before it, which Zeek asks for in a few places.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    pub(super) now: State,
    pub(super) before: State,
}

impl Standing {
    /// Moves; staying leaves `before` alone.
    pub(super) fn set(&mut self, to: State) {
        if to != self.now {
            self.before = self.now;
            self.now = to;
        }
    }

    /// Open, or closed from there: gaps in such a stream are believed.
    pub(super) fn is_clean(self) -> bool {
        self.now == State::Established || self.now == State::Closed && self.before == State::Established
    }
}

/// One segment, as far as states go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    pub(super) flags: TcpFlags,
    pub(super) by_originator: bool,
    pub(super) has_payload: bool,
    /// Its SYN has the number that the originator's SYN,ACK acknowledged: the two were captured in the wrong order.
    pub(super) answers_early_syn_ack: bool,
}

/// What a move did beside changing states.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Moved {
    /// The roles are to be swapped.
    pub(super) flips: bool,
    /// An originator without SYN turned out to be sound: the connection no longer counts as partial.
    pub(super) makes_whole: bool,
    /// The sender closed or reset.
    pub(super) closes: bool,
}

/// Moves the sender, and sometimes its peer, by what the sender sent.
pub(super) fn step(sender: &mut Standing, peer: &mut Standing, seen: Move) -> Moved {
    match sender.now {
        State::Inactive => from_inactive(sender, peer, seen),
        State::SynSent | State::SynAckSent => from_opening(sender, seen.flags),
        State::Established | State::Partial => from_open(sender, peer, seen.flags),
        State::Closed => from_closed(sender, peer, seen.flags),
        State::Reset => Moved::default(),
    }
}

fn from_inactive(sender: &mut Standing, peer: &mut Standing, seen: Move) -> Moved {
    let flags = seen.flags;
    let mut moved = Moved::default();
    if flags.has(TcpFlags::SYN) && seen.by_originator {
        sender.set(if flags.has(TcpFlags::ACK) { State::SynAckSent } else { State::SynSent });
    } else if flags.has(TcpFlags::SYN) {
        let reordered = !flags.has(TcpFlags::ACK) && peer.now == State::SynAckSent && seen.answers_early_syn_ack;
        if reordered || peer.now == State::SynSent {
            peer.set(State::Established);
        }
        moved.flips = reordered;
        sender.set(State::Established);
    }
    if flags.has(TcpFlags::FIN) {
        sender.set(State::Closed);
        moved.closes = true;
    }
    if flags.has(TcpFlags::RST) {
        sender.set(State::Reset);
        moved.closes = true;
    }
    if sender.now == State::Inactive {
        // Some stacks acknowledge a SYN before they answer it; that opens nothing.
        let early_ack = !seen.by_originator && !seen.has_payload && peer.now == State::SynSent;
        if !early_ack && flags.has(TcpFlags::ACK) && peer.now == State::Established {
            sender.set(State::Established);
            moved.makes_whole = true;
        } else if !early_ack {
            sender.set(State::Partial);
        }
    }
    moved
}

fn from_opening(sender: &mut Standing, flags: TcpFlags) -> Moved {
    if flags.has(TcpFlags::FIN) {
        sender.set(State::Closed);
    }
    if flags.has(TcpFlags::RST) {
        sender.set(State::Reset);
    }
    Moved { closes: flags.any(TcpFlags::FIN.with(TcpFlags::RST)), ..Moved::default() }
}

fn from_open(sender: &mut Standing, peer: &mut Standing, flags: TcpFlags) -> Moved {
    let alone = sender.now == State::Partial && peer.now == State::Inactive;
    if alone && flags.has(TcpFlags::SYN) && !flags.has(TcpFlags::ACK) {
        sender.set(State::SynSent);
    }
    if flags.has(TcpFlags::RST) {
        sender.set(State::Reset);
    } else if flags.has(TcpFlags::FIN) {
        sender.set(State::Closed);
        // A FIN, then a RST, then our FIN: after all that was an orderly end.
        if peer.now == State::Reset && peer.before == State::Closed {
            peer.set(State::Closed);
        }
    }
    Moved { closes: flags.any(TcpFlags::FIN.with(TcpFlags::RST)), ..Moved::default() }
}

fn from_closed(sender: &mut Standing, peer: &Standing, flags: TcpFlags) -> Moved {
    let resets = flags.has(TcpFlags::RST) && peer.now != State::Closed;
    if resets {
        sender.set(State::Reset);
    }
    Moved { closes: resets, ..Moved::default() }
}

/// The word of conn.log for the states of originator and responder.
pub(super) fn conn_state(originator: State, responder: State, both_empty: bool, history: &str) -> &'static str {
    match (originator, responder) {
        (State::SynSent | State::SynAckSent, State::Reset) => "REJ",
        (State::Reset, State::Reset) if both_empty => "REJ",
        (o, State::Reset) if o.is_absent() => "RSTRH",
        (_, State::Reset) => "RSTR",
        (State::Reset, r) if r.is_absent() && resets_its_syn(history) => "RSTOS0",
        (State::Reset, r) if r.is_absent() => "OTH",
        (State::Reset, _) => "RSTO",
        (State::Closed, State::Closed) => "SF",
        (State::Closed, r) if r.is_absent() => "SH",
        (State::Closed, _) => "S2",
        (o, State::Closed) if o.is_absent() => "SHR",
        (_, State::Closed) => "S3",
        (State::SynSent, State::Inactive) => "S0",
        (State::Established, State::Established) => "S1",
        (
            State::Inactive | State::SynSent | State::SynAckSent | State::Partial | State::Established,
            State::Inactive | State::SynSent | State::SynAckSent | State::Partial | State::Established,
        ) => "OTH",
    }
}

/// The originator sent a SYN, and nothing but SYNs and what is no answer before its RST.
fn resets_its_syn(history: &str) -> bool {
    let history = history.strip_prefix('^').unwrap_or(history);
    history.strip_prefix('S').is_some_and(|rest| {
        let end = rest.find(['H', 'A', 'F', 'G', 'I', 'Q']).unwrap_or(rest.len());
        rest[..end].contains('R')
    })
}
