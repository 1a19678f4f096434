//! How long each side of a connection kept silent, and how regularly it asked whether the other is still there.
//!
//! What middleboxes and deadlines forget is found by its length: the longest gap between two packets of one side, and
//! between any two, with the frames around it; and for keep-alives (RFC 9293 §3.8.4) how far apart they came. Constant
//! size, fed once per segment.

use crate::packet::Span;
use crate::tcp::event::Event;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;

/// A time without packets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Gap {
    /// How long.
    pub span: Span,
    /// The packet before it.
    pub from: u64,
    /// The packet that ended it.
    pub to: u64,
}

/// Keep-alives of one side.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct KeepAlives {
    /// How many.
    pub count: u32,
    /// Shortest and longest time from one to the next, where there were two.
    pub apart: Option<(Span, Span)>,
}

/// The silences of one connection.
#[derive(Clone, Debug, Default)]
pub struct Silences {
    sides: [Kept; 2],
    latest: Option<Mark>,
    longest: Option<Gap>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    latest: Option<Mark>,
    longest: Option<Gap>,
    asked: Option<Mark>,
    keep_alives: KeepAlives,
}

impl Silences {
    /// The longest between two packets of `side`, the first of those equally long. `None` with fewer than two packets.
    pub const fn of(&self, side: Side) -> Option<Gap> {
        self.sides[side.index()].longest
    }

    /// The longest between any two packets.
    pub const fn of_both(&self) -> Option<Gap> {
        self.longest
    }

    /// The keep-alives that `side` sent.
    pub const fn keep_alives(&self, side: Side) -> KeepAlives {
        self.sides[side.index()].keep_alives
    }

    /// Takes note of a segment of `side` and what it did.
    pub(super) fn observe(&mut self, mark: Mark, side: Side, events: &[Event]) {
        lengthen(&mut self.longest, self.latest.replace(mark), mark);
        let kept = &mut self.sides[side.index()];
        lengthen(&mut kept.longest, kept.latest.replace(mark), mark);
        if events.iter().any(|event| matches!(event, Event::KeepAlive)) {
            kept.asks(mark);
        }
    }
}

impl Kept {
    fn asks(&mut self, mark: Mark) {
        self.keep_alives.count = self.keep_alives.count.saturating_add(1);
        let Some(before) = self.asked.replace(mark) else { return };
        let apart = mark.at.since(before.at).max(Span::ZERO);
        let (least, most) = self.keep_alives.apart.unwrap_or((apart, apart));
        self.keep_alives.apart = Some((least.min(apart), most.max(apart)));
    }
}

/// A clock that steps back makes no gap.
fn lengthen(longest: &mut Option<Gap>, before: Option<Mark>, now: Mark) {
    let Some(before) = before else { return };
    let span = now.at.since(before.at).max(Span::ZERO);
    if longest.is_none_or(|longest| longest.span < span) {
        *longest = Some(Gap { span, from: before.frame, to: now.frame });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::tests::lived;

    fn silences(script: &str) -> Silences {
        lived(script).silences().expect("they were asked for").clone()
    }

    const OPENED: &str = "
        +0.0  C > S  S   1000:1000(0)          win 500
        +0.1  S > C  S.  5000:5000(0) ack 1001 win 500
        +0.1  C > S  .   1001:1001(0) ack 5001 win 500
    ";

    #[test]
    fn the_longest_silence_of_each_side_has_its_length_and_the_frames_around_it() {
        let silences = silences(&format!(
            "{OPENED}
            +1.0  C > S  P.  1001:1011(10) ack 5001 win 500
            +0.1  S > C  .   5001:5001(0)  ack 1011 win 500
            +30.0 S > C  P.  5001:5011(10) ack 1011 win 500
            +0.1  C > S  .   1011:1011(0)  ack 5011 win 500"
        ));
        assert_eq!(silences.of(Side::Server), Some(Gap { span: Span::from_secs(30), from: 5, to: 6 }));
        assert_eq!(silences.of(Side::Client), Some(Gap { span: Span::from_millis(30_200), from: 4, to: 7 }));
        assert_eq!(silences.of_both(), Some(Gap { span: Span::from_secs(30), from: 5, to: 6 }));
    }

    #[test]
    fn state_per_connection_is_what_the_documentation_says() {
        assert_eq!(size_of::<Silences>(), 280);
    }

    #[test]
    fn one_packet_is_no_silence() {
        let silences = silences("+0 C > S S 1000:1000(0) win 500");
        assert_eq!((silences.of(Side::Client), silences.of(Side::Server), silences.of_both()), (None, None, None));
    }

    #[test]
    fn a_clock_that_steps_back_makes_no_silence() {
        let silences = silences(&format!("{OPENED}-5.0 C > S P. 1001:1011(10) ack 5001 win 500"));
        assert_eq!(silences.of_both().map(|gap| gap.span), Some(Span::from_millis(100)));
    }

    #[test]
    fn keep_alives_are_counted_with_the_shortest_and_the_longest_time_between_them() {
        let asks = "C > S . 1010:1010(0) ack 5001 win 500\n+0.1 S > C . 5001:5001(0) ack 1011 win 500\n";
        let silences = silences(&format!(
            "{OPENED}
            +1.0  C > S  P.  1001:1011(10) ack 5001 win 500
            +0.1  S > C  .   5001:5001(0)  ack 1011 win 500
            +75.0 {asks}+74.9 {asks}+75.4 {asks}"
        ));
        let apart = Some((Span::from_secs(75), Span::from_millis(75_500)));
        assert_eq!(silences.keep_alives(Side::Client), KeepAlives { count: 3, apart });
        assert_eq!(silences.keep_alives(Side::Server), KeepAlives::default());
    }
}
