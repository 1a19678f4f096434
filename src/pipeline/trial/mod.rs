//! The capture on trial: before the network is blamed, what this capture itself cannot know.
//!
//! One direction only, a start in mid-stream, the snap length, frames lost while capturing, a tail that is cut off, copies,
//! a clock that was set back, merged segments, checksums left for the card, and where on the path it was made. Each item is
//! found, ruled out, or cannot be told, with its sum. [`Trial`] adds up connections as they end, in constant memory;
//! [`of_connection`] is about one. What rests on a gap is weakened where it is judged, by the catalogue's list
//! ([`Code::gaps`]): for segments in [`tcp::verdict`](crate::tcp::verdict), for conversations in `detect`.

mod connection;
mod position;

use crate::finding::Code;
use crate::finding::Gap;
use crate::flow::Leaves;
use crate::pipeline::facts::Facts;
use crate::pipeline::trial::connection::Sides;
use crate::source::CaptureInfo;
use crate::source::ProblemKind;
use crate::tcp::Blind;
use crate::tcp::Connection;
use crate::tcp::Side;
use crate::tcp::verdict::Judgement;

pub use connection::of_connection;
pub use position::Position;
pub use position::Signs;

/// What the connections that ended so far say of the capture. Fixed size.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    connections: u64,
    two_sided: u64,
    one_sided: u64,
    begun_before: u64,
    open_at_end: u64,
    gapped: u64,
    unseen: u64,
    packets: u64,
    copies: u64,
    merged: [u64; 2],
    largest: Option<(Side, u32, u32)>,
    partial: [u64; 2],
    near_client: u64,
    between: u64,
    near_server: u64,
}

impl Trial {
    /// A connection is over, or is told of early; one that goes on after that counts again at its end.
    pub fn connection(&mut self, connection: &Connection, why: Leaves) {
        self.connections += 1;
        match Sides::of(connection) {
            Sides::Both => self.two_sided += 1,
            Sides::Only(_) => self.one_sided += 1,
            Sides::Unanswered => {}
        }
        self.begun_before += u64::from(connection::began_inside(connection));
        self.open_at_end += u64::from(why == Leaves::CaptureEnd && !connection.teardown.is_over());
        if let Some(octets @ 1..) = connection::unseen(connection) {
            self.gapped += 1;
            self.unseen = self.unseen.saturating_add(octets);
        }
        self.copies += connection::copies_of(connection);
        for side in [Side::Client, Side::Server] {
            self.packets += connection.side(side).packets;
            self.partial[side.index()] += u64::from(connection.side(side).partial_checksums);
        }
        if let Some(merged @ (side, largest, _)) = connection::largest_merged(connection) {
            self.merged[side.index()] += 1;
            if self.largest.is_none_or(|(_, known, _)| known < largest) {
                self.largest = Some(merged);
            }
        }
        match Signs::of(connection).position() {
            Ok(Position::Client) => self.near_client += 1,
            Ok(Position::Middle) => self.between += 1,
            Ok(Position::Server) => self.near_server += 1,
            Err(_) => {}
        }
    }

    /// Of all connections so far only one side was captured, and there were some.
    pub const fn is_one_sided(&self) -> bool {
        self.one_sided > 0 && self.two_sided == 0
    }

    /// Every item, in the order in which they are told.
    pub fn of_capture(&self, facts: &Facts, info: &CaptureInfo, dropped: Option<u64>, blind: &Blind) -> Vec<Judgement> {
        vec![
            self.one_sided(),
            self.begun_before(),
            snapped(facts),
            drops(facts, dropped),
            self.tail(info),
            self.gaps(),
            self.copies(blind),
            clock(facts),
            self.super_segments(),
            self.checksums(facts),
            self.position(),
        ]
    }

    fn one_sided(&self) -> Judgement {
        let code = Code::CaptureOneSided;
        let judged = match (self.one_sided, self.two_sided) {
            (0, 0) => Judgement::cannot_tell(code, Gap::NothingSeen),
            (one_sided, _) => Judgement::of(code, one_sided > 0),
        };
        judged
            .count("one_sided", self.one_sided)
            .count("two_sided", self.two_sided)
            .count("connections", self.connections)
    }

    fn begun_before(&self) -> Judgement {
        if self.connections == 0 {
            return Judgement::cannot_tell(Code::MidStream, Gap::NothingSeen);
        }
        let judged = Judgement::of(Code::MidStream, self.begun_before > 0);
        judged.count("begun", self.begun_before).count("connections", self.connections)
    }

    fn tail(&self, info: &CaptureInfo) -> Judgement {
        let end = match info.problem.as_ref().map(|problem| problem.kind) {
            None => "after a whole record",
            Some(ProblemKind::Truncated) => "inside a record",
            Some(ProblemKind::Corrupt) => "at a record that contradicts itself",
            Some(ProblemKind::ReadFailed) => "where reading failed",
            Some(ProblemKind::InterfaceGone) => "with the interface",
        };
        let judged = Judgement::of(Code::CaptureTruncated, info.problem.is_some());
        judged.word("end", end).count("open", self.open_at_end).count("connections", self.connections)
    }

    fn gaps(&self) -> Judgement {
        let judged = match self.two_sided {
            0 if self.one_sided > 0 => return Judgement::cannot_tell(Code::CaptureGap, Gap::OneSided),
            0 => return Judgement::cannot_tell(Code::CaptureGap, Gap::NothingSeen),
            _ => Judgement::of(Code::CaptureGap, self.unseen > 0),
        };
        judged.count("octets", self.unseen).count("gapped", self.gapped).count("connections", self.two_sided)
    }

    fn copies(&self, blind: &Blind) -> Judgement {
        let judged = match (self.copies, blind.judged) {
            (0, false) => return Judgement::cannot_tell(Code::CaptureDuplicate, Gap::NotTold),
            (0, true) if self.packets == 0 => return Judgement::cannot_tell(Code::CaptureDuplicate, Gap::NothingSeen),
            (copies, _) => Judgement::of(Code::CaptureDuplicate, copies > 0),
        };
        judged.count("copies", self.copies).count("packets", self.packets)
    }

    fn super_segments(&self) -> Judgement {
        let [by_client, by_server] = self.merged;
        let Some((side, largest, mss)) = self.largest else {
            return match (self.connections, self.begun_before) {
                (0, _) => Judgement::cannot_tell(Code::SuperSegments, Gap::NothingSeen),
                (all, before) if all == before => Judgement::cannot_tell(Code::SuperSegments, Gap::NoHandshake),
                _ => Judgement::holds(Code::SuperSegments),
            };
        };
        Judgement::broken(Code::SuperSegments)
            .count("by_client", by_client)
            .count("by_server", by_server)
            .count("connections", self.connections)
            .count("largest", largest)
            .count("times", largest.div_ceil(mss))
            .count("mss", mss)
            .word("side", side.name())
    }

    fn checksums(&self, facts: &Facts) -> Judgement {
        let sums = facts.checksums;
        let checked = sums.good + sums.partial + sums.bad;
        let code = Code::PartialChecksums;
        let judged = match (checked, sums.unverifiable) {
            (0, 0) => return Judgement::cannot_tell(code, Gap::NothingSeen),
            (0, _) => return Judgement::cannot_tell(code, Gap::Snapped),
            (1.., _) => Judgement::of(code, sums.partial > 0),
        };
        let judged = judged.count("partial", sums.partial).count("checked", checked);
        let [by_client, by_server] = self.partial;
        judged.count("by_client", by_client).count("by_server", by_server)
    }

    /// Where most of the connections whose place can be told say that it was.
    fn position(&self) -> Judgement {
        let code = Code::CapturePosition;
        let places = [
            (self.near_client, Position::Client),
            (self.between, Position::Middle),
            (self.near_server, Position::Server),
        ];
        let told: u64 = places.iter().map(|(count, _)| count).sum();
        let most = places.into_iter().max_by_key(|(count, _)| *count).filter(|(count, _)| *count > 0);
        let judged = match most {
            None if self.connections == 0 => return Judgement::cannot_tell(code, Gap::NothingSeen),
            None if self.connections == self.begun_before => Judgement::cannot_tell(code, Gap::NoHandshake),
            None => Judgement::cannot_tell(code, Gap::TooClose),
            // A host that both calls and is called stands at the client of some and at the server of others.
            Some((count, _)) if count * MOST.1 < told * MOST.0 => Judgement::cannot_tell(code, Gap::SignsDisagree),
            Some((_, position)) => Judgement::broken(code).word("at", position.name()),
        };
        judged
            .count("near_client", self.near_client)
            .count("between", self.between)
            .count("near_server", self.near_server)
            .count("untold", self.connections - told)
            .count("connections", self.connections)
    }
}

fn snapped(facts: &Facts) -> Judgement {
    let judged = match facts.frames {
        0 => return Judgement::cannot_tell(Code::CaptureSnapped, Gap::NothingSeen),
        frames => Judgement::of(Code::CaptureSnapped, facts.snapped > 0).count("frames", frames),
    };
    let judged = judged.count("snapped", facts.snapped);
    if facts.snapped == 0 {
        return judged;
    }
    let missing = facts.bytes.saturating_sub(facts.captured_bytes);
    judged.count("snaplen", facts.longest_cut).count("octets", missing).count("bytes", facts.bytes)
}

fn drops(facts: &Facts, dropped: Option<u64>) -> Judgement {
    match dropped {
        None => Judgement::cannot_tell(Code::CaptureDrops, Gap::NotTold),
        Some(dropped) => {
            Judgement::of(Code::CaptureDrops, dropped > 0).count("dropped", dropped).count("frames", facts.frames)
        }
    }
}

fn clock(facts: &Facts) -> Judgement {
    match facts.frames {
        0 => Judgement::cannot_tell(Code::ClockSteps, Gap::NothingSeen),
        frames => Judgement::of(Code::ClockSteps, facts.clock_steps > 0)
            .count("steps", facts.clock_steps)
            .count("frames", frames)
            .span("widest", facts.widest_step),
    }
}

/// Three of four must agree on the place of the capture.
const MOST: (u64, u64) = (3, 4);

#[cfg(test)]
mod tests;
