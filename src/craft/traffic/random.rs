//! Chance from a seed: the same seed gives the same traffic on every machine.

/// Marsaglia's xorshift of 64 bits. No secret and no cipher: traffic is to be repeated, not to be kept from anybody.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Chance that follows from `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number from 0 to `n` − 1; 0 where `n` is 0.
    pub const fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { (self.bits() >> 11) % n }
    }

    /// A number from 0 to just under 1.
    pub const fn unit(&mut self) -> f64 {
        self.below(1 << 40) as f64 / (1_u64 << 40) as f64
    }

    /// `true` with this probability.
    pub const fn hits(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.unit() < probability
    }

    /// Seconds until the next of about `rate` events per second (a Poisson process).
    pub fn pause(&mut self, rate: f64) -> f64 {
        -(1.0 - self.unit()).ln() / rate
    }
}
