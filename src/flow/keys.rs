//! Keyed hashes of tuples: under a secret of this run, so nobody outside can choose tuples that collide.

use std::hash::BuildHasher;
use std::hash::Hasher;
use std::net::IpAddr;

use foldhash::quality::RandomState;

use crate::packet::Endpoint;
use crate::packet::Tuple;

/// The secret.
#[derive(Clone, Debug, Default)]
pub struct Keys(RandomState);

impl Keys {
    /// Hash of a tuple, never 0.
    pub fn of(&self, tuple: &Tuple) -> u64 {
        let mut hasher = self.0.build_hasher();
        for end in [&tuple.low, &tuple.high] {
            write_endpoint(&mut hasher, end);
        }
        hasher.finish().max(1)
    }
}

fn write_endpoint(hasher: &mut impl Hasher, end: &Endpoint) {
    match end.addr {
        IpAddr::V4(v4) => hasher.write_u64(u64::from(v4.to_bits()) << 16 | u64::from(end.port)),
        IpAddr::V6(v6) => {
            hasher.write_u128(v6.to_bits());
            hasher.write_u16(end.port);
        }
    }
}
