//! The parts that a connection's life is split into, and what each of them got.

use crate::packet::Span;
use crate::tcp::event::Side;

/// What a stretch of time was spent on. `docs/time-budget.md` has the rule of each.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// From the first SYN until the opening was complete, or for ever.
    Handshake,
    /// The server had spoken, the client had not yet.
    ClientThinking,
    /// The client had spoken, the server had not yet.
    ServerThinking,
    /// Octets, or their acknowledgments, were on their way.
    Transfer,
    /// The sender might have sent more, and had nothing to send or held it back.
    SenderLimited,
    /// The receiver had no room (RFC 9293 §3.8.6.1).
    ZeroWindow,
    /// All that the receiver offered was on its way.
    FullWindow,
    /// The receiver offered less than a segment, so the sender waited (RFC 9293 §3.8.6.2.1).
    SmallWindow,
    /// Until a loss was seen and mended that the receiver told of (RFC 5681 §3.2).
    FastRecovery,
    /// Until a timer ran out, and what was lost had arrived (RFC 6298 §5).
    TimeoutRecovery,
    /// Until the last segment was sent again as a probe, and answered (RFC 8985 §7).
    ProbeRecovery,
    /// Until something was sent again, the capture does not show why.
    OtherRecovery,
    /// Nothing was on its way and nobody went on.
    Idle,
    /// From the first FIN or RST on, as far as no data moved.
    Close,
}

/// How many there are.
pub(super) const PARTS: usize = Part::ALL.len();

impl Part {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 14] = [
        Self::Handshake,
        Self::ClientThinking,
        Self::ServerThinking,
        Self::Transfer,
        Self::SenderLimited,
        Self::ZeroWindow,
        Self::FullWindow,
        Self::SmallWindow,
        Self::FastRecovery,
        Self::TimeoutRecovery,
        Self::ProbeRecovery,
        Self::OtherRecovery,
        Self::Idle,
        Self::Close,
    ];

    /// Key of the machine contract.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::ClientThinking => "client_thinking",
            Self::ServerThinking => "server_thinking",
            Self::Transfer => "transfer",
            Self::SenderLimited => "sender_limited",
            Self::ZeroWindow => "zero_window",
            Self::FullWindow => "full_window",
            Self::SmallWindow => "small_window",
            Self::FastRecovery => "recovery_fast",
            Self::TimeoutRecovery => "recovery_timeout",
            Self::ProbeRecovery => "recovery_tail_probe",
            Self::OtherRecovery => "recovery_other",
            Self::Idle => "idle",
            Self::Close => "close",
        }
    }

    /// Time that something could give back: a receiver's window, a loss, a server or sender that is slow.
    pub const fn holds_back(self) -> bool {
        match self {
            Self::ServerThinking
            | Self::SenderLimited
            | Self::ZeroWindow
            | Self::FullWindow
            | Self::SmallWindow
            | Self::FastRecovery
            | Self::TimeoutRecovery
            | Self::ProbeRecovery
            | Self::OtherRecovery => true,
            Self::Handshake | Self::ClientThinking | Self::Transfer | Self::Idle | Self::Close => false,
        }
    }

    pub(super) const fn thinking(side: Side) -> Self {
        match side {
            Side::Client => Self::ClientThinking,
            Side::Server => Self::ServerThinking,
        }
    }
}

/// What every part got: together they are the connection's life, to the nanosecond.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TimeBudget {
    pub(super) spent: [u64; PARTS],
    pub(super) waits: [u32; PARTS],
    pub(super) filled: u32,
}

impl TimeBudget {
    /// Nanoseconds of a part.
    pub const fn nanos(&self, part: Part) -> u64 {
        self.spent[part as usize]
    }

    /// The same as a length of time, which ends at 292 years.
    pub fn span(&self, part: Part) -> Span {
        Span(i64::try_from(self.nanos(part)).unwrap_or(i64::MAX))
    }

    /// Stretches of time that were put to a part.
    pub const fn waits(&self, part: Part) -> u32 {
        self.waits[part as usize]
    }

    /// The widest window, in octets, that was all on its way at once; 0 where none was.
    pub const fn filled_window(&self) -> u32 {
        self.filled
    }

    /// All parts together: from the first packet to the last. No sum of them is larger than the range of
    /// [`Timestamp`](crate::packet::Timestamp), which has 64 bits.
    pub fn total(&self) -> u64 {
        self.spent.iter().sum()
    }

    /// Nanoseconds that something could give back.
    pub fn held_back(&self) -> u64 {
        Part::ALL.iter().filter(|part| part.holds_back()).map(|part| self.nanos(*part)).sum()
    }

    /// Of the parts that hold back the one that took longest; the earlier one of two equals.
    pub fn worst(&self) -> Option<Part> {
        let held = Part::ALL.into_iter().filter(|part| part.holds_back() && self.nanos(*part) > 0);
        held.rev().max_by_key(|part| self.nanos(*part))
    }

    /// Tenths of a percent of each part, which add up to 1000: what rounding down leaves goes to the largest remainders.
    /// `None` where no time passed.
    pub fn permille(&self) -> Option<[u32; PARTS]> {
        let total = u128::from(self.total());
        if total == 0 {
            return None;
        }
        let shares = self.spent.map(|spent| u128::from(spent) * 1_000);
        let mut permille = shares.map(|share| (share / total) as u32);
        let mut order: [usize; PARTS] = std::array::from_fn(|at| at);
        order.sort_by_key(|&at| (std::cmp::Reverse(shares[at] % total), at));
        let missing = 1_000 - permille.iter().sum::<u32>();
        for &at in order.iter().take(missing as usize) {
            permille[at] += 1;
        }
        Some(permille)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(Part, u64)]) -> TimeBudget {
        let mut budget = TimeBudget::default();
        for &(part, nanos) in pairs {
            budget.spent[part as usize] = nanos;
        }
        budget
    }

    #[test]
    fn printed_shares_add_up_to_a_hundred_percent() {
        let thirds = of(&[(Part::Handshake, 1), (Part::Transfer, 1), (Part::Close, 1)]);
        let permille = thirds.permille().expect("time passed");
        assert_eq!(permille.iter().sum::<u32>(), 1_000);
        assert_eq!((permille[Part::Handshake as usize], permille[Part::Close as usize]), (334, 333));
        assert_eq!(of(&[]).permille(), None);
        assert_eq!(of(&[(Part::Idle, u64::MAX)]).permille().map(|all| all[Part::Idle as usize]), Some(1_000));
    }

    #[test]
    fn the_worst_part_is_one_that_could_be_mended() {
        let budget = of(&[(Part::Idle, 900), (Part::SmallWindow, 50), (Part::ZeroWindow, 50), (Part::Transfer, 70)]);
        assert_eq!((budget.worst(), budget.held_back(), budget.total()), (Some(Part::ZeroWindow), 100, 1_070));
        assert_eq!(of(&[(Part::Transfer, 9)]).worst(), None);
    }

    #[test]
    fn parts_stand_at_their_own_places_and_have_their_own_keys() {
        for (at, part) in Part::ALL.into_iter().enumerate() {
            assert_eq!(part as usize, at);
            assert_eq!(Part::ALL.iter().filter(|other| other.key() == part.key()).count(), 1);
        }
    }
}
