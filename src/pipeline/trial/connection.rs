//! What the capture can and cannot know of one connection.

use crate::finding::Code;
use crate::finding::Gap;
use crate::pipeline::trial::position::Position;
use crate::pipeline::trial::position::Signs;
use crate::tcp::Blind;
use crate::tcp::Connection;
use crate::tcp::Side;
use crate::tcp::verdict::Judgement;

const SIDES: [Side; 2] = [Side::Client, Side::Server];

/// Every item of the trial for one connection, in the order in which they are told.
pub fn of_connection(connection: &Connection, blind: &Blind) -> Vec<Judgement> {
    vec![
        one_sided(connection),
        begun_before(connection),
        snapped(connection),
        drops(connection, blind),
        gaps(connection),
        copies(connection, blind),
        clock(connection),
        super_segments(connection),
        checksums(connection),
        Signs::of(connection).judged(connection),
    ]
}

/// How much of the two sides was captured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sides {
    Both,
    /// This one's packets are there, and acknowledge what the other never sent here.
    Only(Side),
    /// One side's packets, and nothing that speaks of an answer.
    Unanswered,
}

impl Sides {
    pub(super) fn of(connection: &Connection) -> Self {
        let silent = SIDES.into_iter().find(|&side| connection.side(side).packets == 0);
        match silent {
            // What it sends it also hears.
            _ if connection.to_itself => Self::Both,
            None => Self::Both,
            Some(side) if connection.side(side).snd_una.is_some() => Self::Only(side.peer()),
            Some(_) => Self::Unanswered,
        }
    }
}

fn one_sided(connection: &Connection) -> Judgement {
    match Sides::of(connection) {
        Sides::Both => Judgement::holds(Code::CaptureOneSided),
        Sides::Only(side) => Judgement::broken(Code::CaptureOneSided)
            .count("packets", connection.side(side).packets)
            .word("side", side.name()),
        Sides::Unanswered => Judgement::cannot_tell(Code::CaptureOneSided, Gap::NothingSeen),
    }
}

/// Neither SYN nor SYN,ACK came first.
pub(super) const fn began_inside(connection: &Connection) -> bool {
    connection.handshake.syn.is_none()
}

fn begun_before(connection: &Connection) -> Judgement {
    match (began_inside(connection), connection.blemishes.lost) {
        (true, true) => Judgement::cannot_tell(Code::MidStream, Gap::KernelDrops),
        (inside, _) => Judgement::of(Code::MidStream, inside),
    }
}

fn snapped(connection: &Connection) -> Judgement {
    let blemishes = connection.blemishes;
    let judged = Judgement::of(Code::CaptureSnapped, blemishes.cut || blemishes.options_cut);
    match (blemishes.cut, blemishes.options_cut) {
        (_, true) => judged.word("here", "options of this connection are cut"),
        (true, false) => judged.word("here", "payload of this connection is cut"),
        (false, false) => judged,
    }
}

fn drops(connection: &Connection, blind: &Blind) -> Judgement {
    match (connection.blemishes.lost, blind.losses_told) {
        (true, _) => Judgement::broken(Code::CaptureDrops).word("here", "some while this connection was followed"),
        // After its last packet, or somewhere: counters at the end of a file do not say when.
        (false, true) if blind.lost_since(connection.last.frame) => {
            Judgement::cannot_tell(Code::CaptureDrops, Gap::NotTold)
        }
        (false, true) => Judgement::holds(Code::CaptureDrops),
        (false, false) => Judgement::cannot_tell(Code::CaptureDrops, Gap::NotTold),
    }
}

/// Octets that were acknowledged and are not in the capture; only where both sides are.
pub(super) fn unseen(connection: &Connection) -> Option<u64> {
    let octets = SIDES.map(|side| connection.side(side).unseen_bytes).iter().sum();
    (Sides::of(connection) == Sides::Both).then_some(octets)
}

fn gaps(connection: &Connection) -> Judgement {
    match (unseen(connection), Sides::of(connection)) {
        (Some(0), _) => Judgement::holds(Code::CaptureGap),
        (Some(octets), _) => Judgement::broken(Code::CaptureGap).count("octets", octets),
        (None, Sides::Only(_)) => Judgement::cannot_tell(Code::CaptureGap, Gap::OneSided),
        (None, Sides::Both | Sides::Unanswered) => Judgement::cannot_tell(Code::CaptureGap, Gap::NothingSeen),
    }
}

/// Packets of it that were captured twice, as far as they were known again.
pub(super) fn copies_of(connection: &Connection) -> u64 {
    let counted = connection.counts().iter().find(|count| count.code == Code::CaptureDuplicate);
    counted.map_or(0, |count| count.count.into())
}

fn copies(connection: &Connection, blind: &Blind) -> Judgement {
    let packets: u64 = SIDES.map(|side| connection.side(side).packets).iter().sum();
    match (copies_of(connection), blind.judged) {
        (0, true) => Judgement::holds(Code::CaptureDuplicate),
        (0, false) => Judgement::cannot_tell(Code::CaptureDuplicate, Gap::NotTold),
        (copies, _) => Judgement::broken(Code::CaptureDuplicate).count("copies", copies).count("packets", packets),
    }
}

fn clock(connection: &Connection) -> Judgement {
    match connection.blemishes.stepped {
        true => Judgement::broken(Code::ClockSteps).word("here", "some while this connection was followed"),
        false => Judgement::holds(Code::ClockSteps),
    }
}

/// The side with the largest segment beyond what one packet takes, its octets, and what fits in one.
pub(super) fn largest_merged(connection: &Connection) -> Option<(Side, u32, u32)> {
    let beyond = |side: Side| {
        let mss = connection.effective_mss(side)?.value.max(1);
        let largest = connection.side(side).largest_segment;
        (largest > mss).then_some((side, largest, mss))
    };
    SIDES.into_iter().filter_map(beyond).max_by_key(|(_, largest, _)| *largest)
}

fn super_segments(connection: &Connection) -> Judgement {
    if let Some((side, largest, mss)) = largest_merged(connection) {
        let judged = Judgement::broken(Code::SuperSegments)
            .count("largest", largest)
            .count("times", largest.div_ceil(mss))
            .count("mss", mss)
            .word("side", side.name());
        return match Signs::of(connection).position() {
            Ok(Position::Middle) | Err(_) => judged,
            Ok(end) if end.is_at(side) => judged.word("merged", "not cut yet by the sender's card (TSO, GSO)"),
            Ok(_) => judged.word("merged", "merged by the receiver's card (GRO, LRO)"),
        };
    }
    let known = SIDES.iter().any(|&side| connection.effective_mss(side).is_some());
    let sent = SIDES.iter().any(|&side| connection.side(side).bytes > 0);
    match (known, sent) {
        (_, false) => Judgement::cannot_tell(Code::SuperSegments, Gap::NothingSeen),
        (false, true) => Judgement::cannot_tell(Code::SuperSegments, Gap::NoHandshake),
        (true, true) => Judgement::holds(Code::SuperSegments),
    }
}

fn checksums(connection: &Connection) -> Judgement {
    let [client, server] = SIDES.map(|side| connection.side(side).partial_checksums);
    let code = Code::PartialChecksums;
    match (u64::from(client) + u64::from(server), connection.blemishes.cut) {
        (0, true) => Judgement::cannot_tell(code, Gap::Snapped),
        (0, false) => Judgement::holds(code),
        (1.., _) => Judgement::broken(code).count("by_client", client).count("by_server", server),
    }
}
