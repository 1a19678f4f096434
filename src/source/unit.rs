//! From the units of an interface's clock (`if_tsresol`) to nanoseconds: exact, rounded down, saturating.

use crate::source::Resolution;

/// How many nanoseconds a unit has, or how many units a nanosecond.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    Times(u64),
    Over(u64),
    Shifted(u8),
    /// Units so fine that 2^64 of them are less than a nanosecond.
    Nothing,
}

impl Unit {
    pub(super) const fn of(resolution: Resolution) -> Self {
        match resolution {
            _ if resolution.is_too_fine() => Self::Nothing,
            Resolution::Decimal(power @ 0..=9) => Self::Times(10_u64.pow(9 - power as u32)),
            Resolution::Decimal(power) => Self::Over(10_u64.pow(power as u32 - 9)),
            Resolution::Binary(power) => Self::Shifted(power),
        }
    }

    #[inline]
    pub(super) fn nanos(self, ticks: u64) -> i64 {
        let saturated = |nanos: u64| i64::try_from(nanos).unwrap_or(i64::MAX);
        match self {
            Self::Times(factor) => ticks.checked_mul(factor).map_or(i64::MAX, saturated),
            Self::Over(divisor) => saturated(ticks / divisor),
            Self::Shifted(power) => i64::try_from((u128::from(ticks) * 1_000_000_000) >> power).unwrap_or(i64::MAX),
            Self::Nothing => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_too_fine_where_all_that_can_be_counted_makes_no_nanosecond() {
        for power in 0..=127 {
            for resolution in [Resolution::Decimal(power), Resolution::Binary(power)] {
                let (numerator, divisor) = match resolution {
                    Resolution::Decimal(power) => (u128::from(u64::MAX), 10_u128.checked_pow(u32::from(power))),
                    Resolution::Binary(power) => (u128::from(u64::MAX), Some(1_u128 << power)),
                };
                let nanos = divisor.map_or(0, |divisor| numerator * 1_000_000_000 / divisor);
                assert_eq!(resolution.is_too_fine(), nanos == 0, "{resolution}");
                let expected = i64::try_from(nanos).unwrap_or(i64::MAX);
                assert_eq!(Unit::of(resolution).nanos(u64::MAX), expected, "{resolution}");
            }
        }
    }
}
