//! How things stand between two segments: what is on its way, who has room, who spoke last.

use crate::packet::SeqNumber;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::tcp::connection::Connection;
use crate::tcp::event::Side;
use crate::tcp::mss;

/// Where in its life the connection is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Phase {
    /// The opening is not complete.
    #[default]
    Opening,
    /// Data may move both ways.
    Open,
    /// One side has sent FIN.
    Closing,
    /// Nothing more is to come.
    Over,
}

/// What the peer's window leaves for a side to send.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Room {
    /// A segment, or half of the best window: a sender does not wait (RFC 9293 §3.8.6.2.1). Also where it is not known.
    #[default]
    Enough,
    /// Less than that.
    UnderSegment,
    /// The peer closed its window.
    None,
}

/// After one segment, before the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    pub(super) phase: Phase,
    /// Who sent the latest new octets, and when.
    pub(super) spoke: Option<(Side, Timestamp)>,
    flying: [bool; 2],
    room: [Room; 2],
    window: [u32; 2],
    drained: [bool; 2],
}

impl Standing {
    /// Octets of `side` are not acknowledged.
    pub(super) const fn flying(&self, side: Side) -> bool {
        self.flying[side.index()]
    }

    pub(super) const fn anything_flies(&self) -> bool {
        self.flying[0] || self.flying[1]
    }

    /// What `side` may send.
    pub(super) const fn room(&self, side: Side) -> Room {
        self.room[side.index()]
    }

    /// What the peer of `side` offers it, octets; 0 where that is not known.
    pub(super) const fn window(&self, side: Side) -> u32 {
        self.window[side.index()]
    }

    /// The latest octets of `side` ended within a segment although there was room for more: it had no more.
    pub(super) const fn drained(&self, side: Side) -> bool {
        self.drained[side.index()]
    }

    pub(super) fn spoke_last(&self, side: Side) -> bool {
        self.spoke.is_some_and(|(speaker, _)| speaker == side)
    }

    /// Who spoke last may not go on.
    pub(super) fn is_shut(&self) -> bool {
        self.spoke.is_some_and(|(speaker, _)| self.room(speaker) == Room::None)
    }

    /// Takes note of a segment of `side` that the connection has observed.
    pub(super) fn becomes(&mut self, side: Side, tcp: &TcpHeader<'_>, new_data: bool, connection: &Connection) {
        self.phase = phase(connection);
        if new_data {
            self.spoke = connection.turns.last.map(|(speaker, mark)| (speaker, mark.at));
        }
        for side in [Side::Client, Side::Server] {
            self.flying[side.index()] = data_in_flight(connection, side);
            self.room[side.index()] = room(connection, side);
            self.window[side.index()] = connection.side(side.peer()).rcv_wnd.unwrap_or(0);
        }
        if new_data {
            let segment = segment_size(connection, side);
            let ends_within = segment.is_some_and(|segment| !tcp.len.is_multiple_of(segment));
            self.drained[side.index()] = ends_within && self.room(side) == Room::Enough;
        }
    }
}

fn phase(connection: &Connection) -> Phase {
    let closers = connection.teardown.fin.iter().flatten().count();
    match (connection.teardown.is_over(), closers) {
        (true, _) => Phase::Over,
        (false, 1..) => Phase::Closing,
        // Nobody was seen opening a connection that was there before the capture.
        (false, _) if connection.oriented && !connection.handshake.is_settled() => Phase::Opening,
        (false, _) => Phase::Open,
    }
}

/// A FIN on its way is no data.
fn data_in_flight(connection: &Connection, side: Side) -> bool {
    let view = connection.side(side);
    let behind_data = view.fin.or(view.snd_max);
    matches!((view.snd_una, behind_data), (Some(una), Some(end)) if una.before(end))
}

fn room(connection: &Connection, side: Side) -> Room {
    let (sender, receiver) = (connection.side(side), connection.side(side.peer()));
    if receiver.window_closed {
        return Room::None;
    }
    // The latest offer counts, also where it took back an earlier one (RFC 9293 §3.10.7.4, SND.WND).
    let (Some(window), Some(una), Some(max)) = (receiver.rcv_wnd, sender.snd_una, sender.snd_max) else {
        return Room::Enough;
    };
    let Some(segment) = segment_size(connection, side) else { return Room::Enough };
    let best = connection.judged(side.peer()).map_or(u32::MAX, |tcb| tcb.largest_window);
    let left = left(max, una.plus(window));
    if left < segment.min(best / 2) { Room::UnderSegment } else { Room::Enough }
}

fn left(max: SeqNumber, edge: SeqNumber) -> u32 {
    if max.before(edge) { max.offset_to(edge) } else { 0 }
}

/// Octets that `side` puts into a full segment: by the MSS options, else the most that was seen. Never 0.
fn segment_size(connection: &Connection, side: Side) -> Option<u32> {
    let by_option = connection.known_of_mss(side).map(mss::effective_octets);
    by_option.or(Some(connection.side(side).largest_segment)).filter(|&octets| octets > 0)
}
