//! The machine's interfaces, with what a tracer asks of them: state, addresses, MTU, how their frames begin.

use std::net::IpAddr;

use crate::packet::LinkType;
use crate::packet::MacAddr;
use crate::source::SourceError;

/// A network interface of this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Interface {
    /// `lo`, `eth0`.
    pub name: String,
    /// The kernel's number for it.
    pub index: u32,
    /// Administratively up.
    pub up: bool,
    /// Able to pass packets: up, and with a carrier.
    pub running: bool,
    /// What is sent here comes back here.
    pub loopback: bool,
    /// Its link-layer address, where it has one.
    pub mac: Option<MacAddr>,
    /// Its addresses, IPv4 and IPv6.
    pub addresses: Vec<Address>,
    /// Largest packet without link header, in octets.
    pub mtu: Option<u32>,
    /// How frames captured from it begin, or `None` where we cannot tell.
    pub link_type: Option<LinkType>,
}

/// An address with the length of its network's prefix, in bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// Bits that name the network.
    pub prefix: u8,
}

/// `127.0.0.1/8`.
impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix)
    }
}

/// All interfaces, in the kernel's order. Needs no privilege.
///
/// # Errors
/// [`SourceError::NoLive`] in a build without live capture.
#[cfg(all(target_os = "linux", feature = "live"))]
pub fn interfaces() -> Result<Vec<Interface>, SourceError> {
    Ok(pnet::datalink::interfaces().iter().map(described).collect())
}

/// All interfaces, in a build that knows of them.
///
/// # Errors
/// Always [`SourceError::NoLive`].
#[cfg(not(all(target_os = "linux", feature = "live")))]
pub fn interfaces() -> Result<Vec<Interface>, SourceError> {
    Err(SourceError::NoLive)
}

#[cfg(all(target_os = "linux", feature = "live"))]
pub(super) fn described(interface: &pnet::datalink::NetworkInterface) -> Interface {
    use crate::source::socket;

    let mac = interface.mac.map(|mac| MacAddr(mac.octets()));
    let addresses = interface.ips.iter().map(|net| Address { ip: net.ip(), prefix: net.prefix() }).collect();
    Interface {
        name: interface.name.clone(),
        index: interface.index,
        up: interface.is_up(),
        running: interface.is_running(),
        loopback: interface.is_loopback(),
        mac,
        addresses,
        mtu: socket::mtu(&interface.name).ok(),
        link_type: socket::hardware_type(&interface.name).ok().and_then(link_type_of),
    }
}

/// How frames of a raw packet socket begin, by the kernel's hardware type (ARPHRD).
#[cfg(all(target_os = "linux", feature = "live"))]
fn link_type_of(hardware: u16) -> Option<LinkType> {
    match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Some(LinkType::ETHERNET),
        // Interfaces without link header: tun, WireGuard, IP in IP, SIT.
        libc::ARPHRD_NONE | ARPHRD_RAWIP | libc::ARPHRD_TUNNEL | libc::ARPHRD_TUNNEL6 | libc::ARPHRD_SIT => {
            Some(LinkType::RAW)
        }
        _ => None,
    }
}

#[cfg(all(target_os = "linux", feature = "live"))]
const ARPHRD_RAWIP: u16 = 519;

#[cfg(all(test, target_os = "linux", feature = "live"))]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_among_them_with_its_mtu() {
        let all = interfaces().expect("this build has them");
        let lo = all.iter().find(|interface| interface.loopback).expect("every Linux has a loopback interface");
        assert_eq!(lo.link_type, Some(LinkType::ETHERNET));
        assert!(lo.index > 0);
        assert!(lo.mtu.is_some_and(|mtu| mtu >= 1280), "mtu {:?}", lo.mtu);
        if lo.up {
            let addresses: Vec<_> = lo.addresses.iter().map(Address::to_string).collect();
            assert!(addresses.contains(&"127.0.0.1/8".to_owned()), "{addresses:?}");
        }
    }

    #[test]
    fn hardware_types_map_to_what_a_raw_packet_socket_delivers() {
        assert_eq!(link_type_of(1), Some(LinkType::ETHERNET));
        assert_eq!(link_type_of(772), Some(LinkType::ETHERNET));
        assert_eq!(link_type_of(0xfffe), Some(LinkType::RAW));
        assert_eq!(link_type_of(803), None, "802.11 with radiotap has no room in the decoder yet");
    }
}
