//! A scenario: traffic, what is true of it, and how a capture shows it.

use std::net::IpAddr;

use synscope::craft::step::Link;
use synscope::craft::traffic::Segment;
use synscope::packet::Endpoint;
use synscope::packet::LinkType;

/// Makes the traffic of a seed.
pub(crate) type Case = Box<dyn Fn(u64) -> Run>;
/// Takes a scenario with its name.
pub(crate) type Add<'a> = &'a mut dyn FnMut(String, Case);

/// Traffic with the truth about it.
pub(crate) struct Run {
    /// What passes, in order of time.
    pub(crate) segments: Box<dyn Iterator<Item = Segment>>,
    /// What must be found; nothing else may be.
    pub(crate) attacks: Vec<Attack>,
    /// How it is written down.
    pub(crate) written: Written,
}

impl Run {
    /// As an ordinary capture.
    pub(crate) fn of(segments: impl Iterator<Item = Segment> + 'static, attacks: Vec<Attack>) -> Self {
        Self { segments: Box::new(segments), attacks, written: Written::default() }
    }

    /// What is left of it after `keep`.
    pub(crate) fn only(self, keep: impl Fn(&Segment) -> bool + 'static) -> Self {
        Self { segments: Box::new(self.segments.filter(move |segment| keep(segment))), ..self }
    }

    /// The capture begins at `from` and ends at `to`; so do the attacks in it.
    pub(crate) fn cut(mut self, from: f64, to: f64) -> Self {
        for attack in &mut self.attacks {
            attack.cut |= attack.to > to;
            (attack.from, attack.to) = (attack.from.max(from), attack.to.min(to));
        }
        let span = self.segments.skip_while(move |segment| segment.at < from);
        Self { segments: Box::new(span.take_while(move |segment| segment.at <= to)), ..self }
    }
}

/// Something that must be found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attack {
    /// By this code,
    pub(crate) code: &'static str,
    /// at this victim,
    pub(crate) place: Place,
    /// from its first SYN on
    pub(crate) from: f64,
    /// to its last,
    pub(crate) to: f64,
    /// at so many a second.
    pub(crate) rate: f64,
    /// The capture ends before it does.
    pub(crate) cut: bool,
}

/// A victim.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Port(Endpoint),
    Host(IpAddr),
    Prefix(IpAddr, u8),
}

impl Place {
    /// The same address or prefix; a port may be left out or given with a host or prefix, as labels are compared.
    pub(crate) fn is(&self, said: &str) -> bool {
        match self {
            Self::Port(server) => said == server.to_string() || said == server.addr.to_string(),
            Self::Host(addr) => said == addr.to_string(),
            Self::Prefix(net, len) => {
                let prefix = format!("{net}/{len}");
                said == prefix || said.trim_start_matches('[').starts_with(&prefix) && said.contains(':')
            }
        }
    }
}

/// How a capture writes frames down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// VLAN tags of each.
    pub(crate) vlans: usize,
    /// Octets kept of each.
    pub(crate) snaplen: usize,
    /// With a link layer.
    pub(crate) ethernet: bool,
}

impl Default for Written {
    fn default() -> Self {
        Self { vlans: 0, snaplen: 262_144, ethernet: false }
    }
}

impl Written {
    /// The frame as captured, and its length on the wire.
    pub(crate) fn frame(&self, segment: &Segment, number: u64) -> (Vec<u8>, u32) {
        let mut bytes = segment.to_frame(if self.ethernet { Link::Ethernet } else { Link::Raw }, number);
        for vlan in 0..self.vlans {
            // 802.1Q between the addresses and the EtherType; the outer one as 802.1ad where there are two.
            let kind = if vlan > 0 { [0x88, 0xa8] } else { [0x81, 0x00] };
            bytes.splice(12..12, [kind[0], kind[1], 0, 100 + vlan as u8]);
        }
        let length = bytes.len() as u32;
        bytes.truncate(self.snaplen);
        (bytes, length)
    }

    /// Its link type.
    pub(crate) const fn link_type(&self) -> LinkType {
        if self.ethernet { LinkType::ETHERNET } else { LinkType::RAW }
    }
}
