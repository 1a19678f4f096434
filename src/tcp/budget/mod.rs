//! Where the time of a connection went: its life cut into waits, and each wait put to the part that it was spent on.
//!
//! A wait begins where the one before ended, and ends at the first segment that moves something: new octets, a new
//! acknowledgment, a repetition, room in a closed window, FIN, RST. What ended it, and how things stood when the segment before had
//! passed, name it; so the parts add up to the whole by construction. `docs/time-budget.md` has the rules in words.
//! RFC 9293 §3.8.6 (windows), RFC 6298, RFC 5681, RFC 8985 (recoveries). Constant size, fed once per segment.

mod part;
mod standing;

pub use part::Part;
pub use part::TimeBudget;

use crate::finding::Code;
use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::tcp::budget::standing::Phase;
use crate::tcp::budget::standing::Room;
use crate::tcp::budget::standing::Standing;
use crate::tcp::connection::Connection;
use crate::tcp::event::Event;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;
use crate::tcp::verdict::Judgement;

/// A host that waits for room sends as soon as it hears of it: later than this, and its own way there and back, it had
/// nothing to send.
const REACTION: Span = Span::from_millis(10);

/// A speaker that goes on after so long, with everything acknowledged, was not sending: it had stopped.
const LONG_PAUSE: Span = Span::from_secs(5);

/// The budget of a connection that goes on.
#[derive(Clone, Debug)]
pub struct Budget {
    so_far: TimeBudget,
    /// Where the present wait began.
    since: Timestamp,
    /// Room for a segment came during the present wait, though nothing was on its way.
    made_room: Option<Timestamp>,
    standing: Standing,
    recovering: Option<Recovering>,
}

/// Octets below `until` are being sent again.
#[derive(Clone, Copy, Debug)]
struct Recovering {
    side: Side,
    part: Part,
    until: SeqNumber,
}

/// What one segment did, as far as it ends waits.
#[derive(Clone, Copy, Debug, Default)]
struct Did {
    settled_opening: bool,
    new_data: bool,
    acked_data: bool,
    opened_window: bool,
    closed: bool,
    waited_for_small_window: bool,
    repeats: Option<Part>,
}

impl Did {
    fn of(events: &[Event], judgements: &[Judgement]) -> Self {
        let mut did = Self::default();
        // Numbers that SYN and FIN take are no data.
        let (mut acked, mut controls) = (0, 0);
        for event in events {
            match *event {
                Event::Data { new, .. } => did.new_data |= new > 0,
                Event::Acked { octets, .. } => acked = octets,
                Event::FinAcked => controls += 1,
                Event::Established { .. } => {
                    did.settled_opening = true;
                    controls += 1;
                }
                Event::Refused { .. } => did.settled_opening = true,
                Event::WindowOpened { .. } => did.opened_window = true,
                Event::Fin { retry, .. } => did.closed |= !retry,
                Event::Reset(_) => did.closed = true,
                Event::MidStream
                | Event::Syn { .. }
                | Event::SynAck { .. }
                | Event::SynAckChanged { .. }
                | Event::SimultaneousOpen
                | Event::SplitHandshake
                | Event::StrayAck { .. }
                | Event::WrongAck(_)
                | Event::Gap { .. }
                | Event::FillsGap { .. }
                | Event::Answer { .. }
                | Event::AckedUnseen { .. }
                | Event::KeepAlive
                | Event::ZeroWindow
                | Event::BeyondWindow { .. }
                | Event::ResetIgnored { .. }
                | Event::Closed { .. }
                | Event::Moved { .. }
                | Event::Unexpected { .. } => {}
            }
        }
        did.acked_data = acked > controls;
        for judgement in judgements.iter().filter(|judgement| judgement.is_broken()) {
            did.waited_for_small_window |= judgement.code == Code::WindowUnderSegment;
            did.repeats = recovery(judgement.code).or(did.repeats);
        }
        did
    }
}

/// The part that a repetition of this cause is mended in. One that repeats what was acknowledged mends nothing.
const fn recovery(code: Code) -> Option<Part> {
    match code {
        Code::FastRetransmission => Some(Part::FastRecovery),
        Code::TimeoutRetransmission => Some(Part::TimeoutRecovery),
        Code::TailLossProbe => Some(Part::ProbeRecovery),
        Code::RetransmissionUnexplained => Some(Part::OtherRecovery),
        _ => None,
    }
}

impl Budget {
    /// A life that begins.
    pub fn new(first: Timestamp) -> Self {
        Self {
            so_far: TimeBudget::default(),
            since: first,
            made_room: None,
            standing: Standing::default(),
            recovering: None,
        }
    }

    /// Feeds one segment of `side`, with what it did and how it was judged; `connection` has observed it already.
    pub(super) fn observe(
        &mut self,
        mark: Mark,
        side: Side,
        tcp: &TcpHeader<'_>,
        connection: &Connection,
        events: &[Event],
        judgements: &[Judgement],
    ) {
        let did = Did::of(events, judgements);
        let half = match side {
            Side::Client => connection.handshake.client_rtt,
            Side::Server => connection.handshake.server_rtt,
        };
        let ended = self.ended_by(mark.at, side, did, half.unwrap_or(Span::ZERO).max(Span::ZERO));
        if ended {
            self.made_room = None;
        }
        self.recover(side, did, connection);
        let before = self.standing;
        self.standing.becomes(side, tcp, did.new_data, connection);
        // The peer of `side` may go on now, if it was the window that it waited for.
        let grew = before.room(side.peer()) == Room::UnderSegment && self.standing.room(side.peer()) == Room::Enough;
        if grew && !ended && !before.flying(side.peer()) && before.spoke_last(side.peer()) {
            self.made_room = Some(mark.at);
        }
    }

    /// All parts, once nothing more comes: the last wait ends with the last packet.
    pub fn until(&self, last: Timestamp) -> TimeBudget {
        let mut whole = self.clone();
        let standing = self.standing;
        let part = match (standing.phase, self.recovering) {
            (Phase::Opening, _) => Part::Handshake,
            (Phase::Over | Phase::Closing, _) => Part::Close,
            (Phase::Open, Some(recovering)) => recovering.part,
            (Phase::Open, None) if standing.is_shut() => Part::ZeroWindow,
            (Phase::Open, None) if standing.anything_flies() => Part::Transfer,
            (Phase::Open, None) => Part::Idle,
        };
        whole.spend(last, part);
        whole.so_far
    }

    /// Names the present wait, if this segment ends it; whether it did.
    fn ended_by(&mut self, at: Timestamp, side: Side, did: Did, half: Span) -> bool {
        let standing = self.standing;
        match standing.phase {
            Phase::Opening if did.settled_opening || did.closed => return self.spend(at, Part::Handshake),
            Phase::Opening => return false,
            Phase::Over => return self.spend(at, Part::Close),
            Phase::Open | Phase::Closing => {}
        }
        if let Some(part) = did.repeats {
            return self.spend(at, part);
        }
        // What moves the octets that are being mended: more of them, or their acknowledgment.
        if let Some(recovering) = self.recovering
            && (did.new_data && recovering.side == side || did.acked_data && recovering.side == side.peer())
        {
            return self.spend(at, recovering.part);
        }
        if did.new_data {
            return self.speaks(at, side, did, half);
        }
        if did.acked_data {
            let part = match standing.room(side.peer()) {
                Room::None => Part::ZeroWindow,
                Room::UnderSegment => {
                    self.so_far.filled = self.so_far.filled.max(standing.window(side.peer()));
                    Part::FullWindow
                }
                Room::Enough => Part::Transfer,
            };
            return self.spend(at, part);
        }
        if did.opened_window && standing.spoke_last(side.peer()) {
            return self.spend(at, Part::ZeroWindow);
        }
        match (did.closed, standing.phase) {
            (false, _) => false,
            (true, Phase::Closing) => self.spend(at, Part::Close),
            (true, _) if standing.anything_flies() => self.spend(at, Part::Transfer),
            (true, _) => self.spend_behind(at, self.since.plus(half), Part::Idle),
        }
    }

    /// New octets of `side`: why only now?
    fn speaks(&mut self, at: Timestamp, side: Side, did: Did, half: Span) -> bool {
        let standing = self.standing;
        if standing.room(side) == Room::None && standing.spoke_last(side) {
            return self.spend(at, Part::ZeroWindow);
        }
        if did.waited_for_small_window {
            return self.spend(at, Part::SmallWindow);
        }
        if standing.flying(side) {
            return self.spend(at, if standing.drained(side) { Part::SenderLimited } else { Part::Transfer });
        }
        match standing.spoke {
            // What it answers came to it, and its answer to us, over its own way.
            Some((speaker, when)) if speaker == side.peer() => {
                self.spend_behind(at, when.plus(half), Part::thinking(side))
            }
            None => self.spend_behind(at, self.since.plus(half), Part::thinking(side)),
            Some(_) => match self.made_room {
                Some(room) if at.since(room) <= Span(half.0.saturating_add(REACTION.0)) => {
                    self.spend(room, Part::SmallWindow);
                    self.spend(at, Part::Transfer)
                }
                _ => {
                    let part = if at.since(self.since) < LONG_PAUSE { Part::SenderLimited } else { Part::Idle };
                    self.spend_behind(at, self.since.plus(half), part)
                }
            },
        }
    }

    fn recover(&mut self, side: Side, did: Did, connection: &Connection) {
        if let (Some(part), Some(until)) = (did.repeats, connection.side(side).snd_max) {
            // A recovery that goes on ends where it was going to end when it began.
            let goes_on = self.recovering.filter(|known| known.side == side && known.part == part);
            let until = goes_on.map_or(until, |known| known.until);
            self.recovering = Some(Recovering { side, part, until });
        }
        self.recovering = self.recovering.filter(|known| {
            let una = connection.side(known.side).snd_una;
            !connection.teardown.is_over() && una.is_none_or(|una| una.before(known.until))
        });
    }

    /// The wait up to `arrived` was the way there, and what came behind it is the part's.
    fn spend_behind(&mut self, at: Timestamp, arrived: Timestamp, part: Part) -> bool {
        self.spend(arrived.min(at), Part::Transfer);
        self.spend(at, part)
    }

    /// Puts the time up to `at` to a part. A clock that stepped back spends nothing, until it has caught up.
    fn spend(&mut self, at: Timestamp, part: Part) -> bool {
        let nanos = at.nanos().abs_diff(self.since.nanos());
        if self.since < at {
            self.so_far.spent[part as usize] += nanos;
            self.so_far.waits[part as usize] = self.so_far.waits[part as usize].saturating_add(1);
            self.since = at;
        }
        true
    }
}

#[cfg(test)]
mod tests;
