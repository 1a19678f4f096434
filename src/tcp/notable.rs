//! What a connection's end has to remember of its segments: firsts, counts, worst cases.
//!
//! Events pass by and are gone; this is the part of them that a finding at the end rests on. Fixed size.

use crate::packet::SeqNumber;
use crate::packet::Span;
use crate::tcp::event::Event;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;
use crate::tcp::handshake::AckFault;
use crate::tcp::predecessor::Predecessor;
use crate::tcp::reset::ResetForm;
use crate::tcp::verdict::Counts;

/// How often something happened, and where first.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Times.
    pub count: u32,
    /// First time: frame, and which side sent it.
    pub first: Option<(u64, Side)>,
}

impl Tally {
    const NONE: Self = Self { count: 0, first: None };

    pub(super) fn add(&mut self, mark: Mark, side: Side) {
        self.count = self.count.saturating_add(1);
        self.first.get_or_insert((mark.frame, side));
    }
}

/// The memorable part of a connection's events.
#[derive(Clone, Debug)]
pub struct Notable {
    /// Handshake acknowledgments that fit nothing: the first one, and how many.
    pub wrong_ack: Option<(Mark, Side, AckFault)>,
    /// Another SYN,ACK with another ISN.
    pub syn_ack_changed: Option<(Mark, SeqNumber)>,
    /// The SYN that came apart from its sender's acknowledgment, and who sent it.
    pub split: Option<(Mark, Side)>,
    /// A plain acknowledgment of something else instead of a SYN,ACK.
    pub stray_ack: Option<(Mark, SeqNumber)>,
    /// The reset that answered it.
    pub stray_reset: Option<Mark>,
    /// What its reset looked like.
    pub reset_form: Option<ResetForm>,
    /// Segments that the side which had reset it went on to send.
    pub after_reset: Tally,
    /// The latest long silence, and the segment that ended it.
    pub silence: Option<(Mark, Span)>,
    /// The connection that had these ports before.
    pub predecessor: Option<Predecessor>,
    /// The FIN that ended a long silence.
    pub idle_close: Option<(Mark, Side, Span)>,
    /// Segments that carried octets again.
    pub repeated: Tally,
    /// Jumps ahead of the next expected number.
    pub gaps: Tally,
    /// Late octets that filled a jump.
    pub fills: Tally,
    /// Acknowledgments of octets that the capture does not hold.
    pub unseen: Tally,
    /// Segments beyond the offered window, and the worst excess in octets.
    pub beyond_window: Tally,
    /// Worst excess.
    pub beyond_by: u32,
    /// Windows closed.
    pub zero_window: Tally,
    /// Keep-alives.
    pub keep_alive: Tally,
    /// What no host in that state sends.
    pub unexpected: Tally,
    /// Resets that end nothing.
    pub resets_ignored: Tally,
    /// The SYNs crossed.
    pub simultaneous: bool,
    /// What was found or broken on single segments, by code, where judging was asked for.
    pub(super) counts: Counts,
}

impl Default for Notable {
    fn default() -> Self {
        Self::NOTHING
    }
}

impl Notable {
    /// A connection about which there is nothing to say.
    pub const NOTHING: Self = Self {
        wrong_ack: None,
        syn_ack_changed: None,
        split: None,
        stray_ack: None,
        stray_reset: None,
        reset_form: None,
        after_reset: Tally::NONE,
        silence: None,
        predecessor: None,
        idle_close: None,
        repeated: Tally::NONE,
        gaps: Tally::NONE,
        fills: Tally::NONE,
        unseen: Tally::NONE,
        beyond_window: Tally::NONE,
        beyond_by: 0,
        zero_window: Tally::NONE,
        keep_alive: Tally::NONE,
        unexpected: Tally::NONE,
        resets_ignored: Tally::NONE,
        simultaneous: false,
        counts: Counts::NONE,
    };

    /// Keeps what is worth it; `slot` is only filled once something is.
    pub(super) fn remember(slot: &mut Option<Box<Self>>, mark: Mark, side: Side, events: &[Event]) {
        for event in events {
            match *event {
                Event::WrongAck(fault) => {
                    slot.get_or_insert_default().wrong_ack.get_or_insert((mark, side, fault));
                }
                Event::SynAck { check, .. } => {
                    if let Some(&fault) = check.fault() {
                        slot.get_or_insert_default().wrong_ack.get_or_insert((mark, side, fault));
                    }
                }
                Event::SynAckChanged { before } => {
                    slot.get_or_insert_default().syn_ack_changed.get_or_insert((mark, before));
                }
                Event::SplitHandshake => {
                    slot.get_or_insert_default().split.get_or_insert((mark, side));
                }
                Event::StrayAck { ack } => {
                    slot.get_or_insert_default().stray_ack.get_or_insert((mark, ack));
                }
                Event::Fin { idle: Some(idle), .. } => {
                    slot.get_or_insert_default().idle_close = Some((mark, side, idle))
                }
                Event::Data { repeated, .. } if repeated > 0 => slot.get_or_insert_default().repeated.add(mark, side),
                Event::Gap { .. } => slot.get_or_insert_default().gaps.add(mark, side),
                Event::FillsGap { .. } => slot.get_or_insert_default().fills.add(mark, side),
                Event::AckedUnseen { .. } => slot.get_or_insert_default().unseen.add(mark, side),
                Event::BeyondWindow { over_by } => {
                    let notable = slot.get_or_insert_default();
                    notable.beyond_window.add(mark, side);
                    notable.beyond_by = notable.beyond_by.max(over_by);
                }
                Event::ZeroWindow => slot.get_or_insert_default().zero_window.add(mark, side),
                Event::KeepAlive => slot.get_or_insert_default().keep_alive.add(mark, side),
                Event::Unexpected { .. } => slot.get_or_insert_default().unexpected.add(mark, side),
                Event::ResetIgnored { .. } => slot.get_or_insert_default().resets_ignored.add(mark, side),
                Event::SimultaneousOpen => slot.get_or_insert_default().simultaneous = true,
                Event::MidStream
                | Event::Syn { .. }
                | Event::Established { .. }
                | Event::Refused { .. }
                | Event::Data { .. }
                | Event::Answer { .. }
                | Event::Acked { .. }
                | Event::WindowOpened { .. }
                | Event::Fin { .. }
                | Event::FinAcked
                | Event::Reset(_)
                | Event::Closed { .. }
                | Event::Moved { .. } => {}
            }
        }
    }
}
