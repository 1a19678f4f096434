//! Addresses of both versions in one shape.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

/// An IP address in 16 octets of alignment 8; IPv4 as ::ffff:0:0/96.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Address {
    pub(crate) high: u64,
    pub(crate) low: u64,
}

impl Address {
    const MAPPED: u64 = 0xffff_0000_0000;

    pub(crate) fn of(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(v4) => Self { high: 0, low: Self::MAPPED | u64::from(v4.to_bits()) },
            IpAddr::V6(v6) => Self { high: (v6.to_bits() >> 64) as u64, low: v6.to_bits() as u64 },
        }
    }

    pub(crate) const fn of_v4(bits: u32) -> Self {
        Self { high: 0, low: Self::MAPPED | bits as u64 }
    }

    pub(crate) const fn is_v4(self) -> bool {
        self.high == 0 && self.low >> 32 == Self::MAPPED >> 32
    }

    pub(crate) fn ip(self) -> IpAddr {
        if self.is_v4() {
            IpAddr::V4(Ipv4Addr::from_bits(self.low as u32))
        } else {
            IpAddr::V6(Ipv6Addr::from_bits(u128::from(self.high) << 64 | u128::from(self.low)))
        }
    }

    /// The first and the last IPv4 address.
    pub(crate) const EDGES: (Self, Self) =
        (Self { high: 0, low: Self::MAPPED }, Self { high: 0, low: Self::MAPPED | 0xffff_ffff });

    /// /24 or /64.
    pub(crate) const fn prefix(self) -> Self {
        if self.is_v4() { Self { high: 0, low: self.low & !0xff } } else { Self { high: self.high, low: 0 } }
    }

    /// /16 or /48.
    pub(crate) const fn wide_prefix(self) -> Self {
        if self.is_v4() {
            Self { high: 0, low: self.low & !0xffff }
        } else {
            Self { high: self.high & !0xffff, low: 0 }
        }
    }

    /// The last address of that.
    pub(crate) const fn wide_end(self) -> Self {
        if self.is_v4() {
            Self { high: 0, low: self.low | 0xffff }
        } else {
            Self { high: self.high | 0xffff, low: u64::MAX }
        }
    }

    /// The first octet of IPv4; of IPv6 the octet that ends a /32, where registries' blocks differ.
    pub(crate) const fn spread_octet(self) -> u8 {
        if self.is_v4() { (self.low >> 24) as u8 } else { (self.high >> 32) as u8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_went_in() {
        for text in ["192.0.2.1", "255.255.255.255", "0.0.0.0", "2001:db8:1:2:3:4:5:6", "::1"] {
            let addr: IpAddr = text.parse().expect("an address");
            assert_eq!(Address::of(addr).ip(), addr);
        }
        assert_eq!(Address::of("192.0.2.77".parse().expect("an address")).prefix().ip().to_string(), "192.0.2.0");
        assert_eq!(
            Address::of("2001:db8:1:2:3::1".parse().expect("v6")).wide_prefix().ip().to_string(),
            "2001:db8:1::"
        );
    }
}
