//! What one direction has sent, segment by segment, and what acknowledgments make of it.
//!
//! Sequence space is kept in four quarters, as tcptrace keeps it: numbers are compared plainly within a quarter, a
//! segment across an edge is two, and the first segment in a quarter clears the one across the circle. Acknowledged
//! neighbours are joined, so the lists hold little more than what is under way.

use crate::packet::Span;
use crate::packet::Timestamp;

/// Segments kept per quarter. With more, the older half is joined into one, and what depends on its parts is no longer
/// told once they are touched.
pub(super) const MAX_SEGMENTS: usize = 1_024;
const HALF: usize = MAX_SEGMENTS / 2;
/// Duplicates after which an acknowledgment counts as a triple one, its first occurrence counted.
const TRIPLE: u32 = 4;

/// A stretch of sequence space within one quarter.
#[derive(Clone, Copy, Debug)]
struct Segment {
    first: u32,
    /// The last number, not the one behind it.
    last: u32,
    /// Latest transmission.
    sent: Timestamp,
    resent: u32,
    /// Not acknowledged, or how often in a row.
    acked: u32,
    joined: Joined,
}

/// What a stretch was made of when the list was full.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Joined {
    No,
    /// Neighbours.
    Whole,
    /// Holes lay between its parts.
    WithHoles,
}

/// What can still be told after lists were full.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Blurred {
    /// Not how often segments were resent or which of them was acknowledged when.
    pub(super) segments: bool,
    /// Nor which octets were sent before.
    pub(super) octets: bool,
}

/// What became of a segment sent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Placed {
    /// Octets that had been sent before, SYN and FIN counted.
    pub(super) repeated: u32,
    /// It begins before a segment that ends behind it.
    pub(super) out_of_order: bool,
}

/// What an acknowledgment did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Acked {
    /// The round trip of a segment that it ends exactly at.
    pub(super) sample: Option<Span>,
    /// It ends exactly at a segment that gives none.
    pub(super) unclear: bool,
    /// Exact, but something before the segment was sent after it.
    pub(super) post_loss: u32,
    /// Segments that end before it, or behind it.
    pub(super) cumulative: u32,
    /// It repeats the one before.
    pub(super) duplicate: bool,
    /// For the third time.
    pub(super) triple: bool,
}

/// Segments of one direction, by quarter of the circle.
#[derive(Clone, Debug, Default)]
pub(super) struct Segments {
    quarters: [Vec<Segment>; 4],
    /// Most repetitions of one segment that was not acknowledged yet.
    pub(super) most_resent: u32,
    pub(super) blurred: Blurred,
}

impl Segments {
    /// A segment of `len` numbers passed; at least one.
    pub(super) fn send(&mut self, first: u32, len: u32, at: Timestamp) -> Placed {
        let last = first.wrapping_add(len - 1);
        let (from, to) = (quarter(first), quarter(last));
        for quarter in [from, to] {
            if self.quarters[quarter].is_empty() {
                self.quarters[(quarter + 2) % 4].clear();
            }
        }
        let mut placed = Placed::default();
        if from == to {
            self.place(first, last, at, &mut placed);
        } else {
            let edge = first | (QUARTER - 1);
            self.place(first, edge, at, &mut placed);
            self.place(edge.wrapping_add(1), last, at, &mut placed);
        }
        placed
    }

    fn place(&mut self, mut first: u32, last: u32, at: Timestamp, placed: &mut Placed) {
        let list = &mut self.quarters[quarter(first)];
        if list.len() >= MAX_SEGMENTS - 1 {
            join_older_half(list);
        }
        let new = |first, last| Segment { first, last, sent: at, resent: 0, acked: 0, joined: Joined::No };
        let mut untouched = true;
        let mut index = list.partition_point(|segment| segment.last < first);
        while let Some(segment) = list.get(index).copied() {
            if first < segment.first {
                placed.out_of_order |= last < segment.last;
                list.insert(index, new(first, last.min(segment.first - 1)));
                if last < segment.first {
                    return;
                }
                index += 1;
                first = segment.first;
            }
            self.blurred.segments |= segment.joined > Joined::No;
            self.blurred.octets |= segment.joined == Joined::WithHoles;
            let segment = &mut list[index];
            segment.resent += 1;
            // Only the first one that is met is dated anew and counted.
            if std::mem::take(&mut untouched) {
                segment.sent = at;
                if segment.acked == 0 {
                    self.most_resent = self.most_resent.max(segment.resent);
                }
            }
            placed.repeated += last.min(segment.last) - first + 1;
            if last <= segment.last {
                return;
            }
            first = segment.last + 1;
            index += 1;
        }
        list.push(new(first, last));
    }

    /// The peer acknowledged up to `ack`. `may_repeat`: it carries nothing else, so that it would be a duplicate if it
    /// brings nothing new.
    pub(super) fn acknowledge(&mut self, ack: u32, at: Timestamp, may_repeat: bool) -> Acked {
        let mut acked = Acked::default();
        let mut latest = Timestamp::from_nanos(i64::MIN);
        let current = quarter(ack);
        let below = &mut self.quarters[(current + 3) % 4];
        let mut changed = false;
        for segment in below.iter_mut() {
            if segment.acked == 0 {
                latest = latest.max(segment.sent);
                segment.acked = 1;
                // Even where it ends exactly here.
                acked.cumulative += 1;
                changed = true;
                self.blurred.segments |= segment.joined > Joined::No;
            }
        }
        if changed {
            join_acknowledged(below);
        }
        let list = &mut self.quarters[current];
        let mut changed = false;
        for segment in list.iter_mut().take_while(|segment| segment.first < ack) {
            let overtaken = latest > segment.sent;
            latest = latest.max(segment.sent);
            let is_exact = segment.last.wrapping_add(1) == ack;
            if segment.acked > 0 {
                if is_exact {
                    segment.acked = if may_repeat { segment.acked + 1 } else { 1 };
                    acked.duplicate = may_repeat;
                    acked.triple = segment.acked == TRIPLE;
                }
                continue;
            }
            segment.acked = 1;
            changed = true;
            self.blurred.segments |= segment.joined > Joined::No;
            match (is_exact, overtaken) {
                (false, _) => acked.cumulative += 1,
                (true, true) => {
                    acked.post_loss += 1;
                    acked.unclear = true;
                }
                // Of one that was resent, nobody knows which transmission it answers (Karn).
                (true, false) if segment.resent > 0 => acked.unclear = true,
                (true, false) => acked.sample = Some(at.since(segment.sent)),
            }
        }
        if changed {
            join_acknowledged(list);
        }
        acked
    }
}

const QUARTER: u32 = 1 << 30;

const fn quarter(seq: u32) -> usize {
    (seq / QUARTER) as usize
}

/// Neighbours that were both acknowledged become one, as long acknowledged and as lately sent as the later of them.
fn join_acknowledged(list: &mut Vec<Segment>) {
    list.dedup_by(|next, segment| {
        let joins = segment.acked > 0 && next.acked > 0 && segment.last.wrapping_add(1) == next.first;
        if joins {
            segment.last = next.last;
            segment.acked = next.acked;
            segment.resent = next.resent;
            segment.sent = segment.sent.max(next.sent);
            segment.joined = segment.joined.max(next.joined);
        }
        joins
    });
}

/// Makes room: the older half becomes one stretch.
fn join_older_half(list: &mut Vec<Segment>) {
    let Some(joined) = list.drain(..HALF).reduce(|all, next| Segment {
        first: all.first,
        last: next.last,
        sent: all.sent.max(next.sent),
        resent: all.resent.max(next.resent),
        acked: all.acked.min(next.acked),
        joined: all.joined.max(next.joined).max(if all.last.wrapping_add(1) == next.first {
            Joined::Whole
        } else {
            Joined::WithHoles
        }),
    }) else {
        return;
    };
    list.insert(0, joined);
}
