//! What is known of one direction of a connection, for tables and objects alike.

use std::io;
use std::io::Write;
use std::net::IpAddr;

use serde::Serialize;

use crate::finding::Verdict;
use crate::flow::EndedConnection;
use crate::report::json;
use crate::report::json::Address;
use crate::report::mss::TermObject;
use crate::tcp::Side;
use crate::tcp::mss;
use crate::tcp::mss::Sum;
use crate::tcp::path::BlackHole;
use crate::tcp::path::Clamped;

/// The interface at which was captured: what its own side of a connection has to advertise.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Local {
    /// Its MTU in octets.
    pub mtu: u32,
    /// Its addresses: who sends from one of them sends from here.
    pub addresses: Vec<IpAddr>,
}

/// What is known of one direction of a connection.
#[derive(Clone, Debug)]
pub struct Direction {
    /// The option in the sender's own SYN.
    pub advertised: Option<u16>,
    /// A SYN of the sender was captured.
    pub offer_seen: bool,
    /// The receiver's option.
    pub peer_limit: Option<u16>,
    /// The receiver's SYN was captured and had no option: this is taken instead (RFC 9293 §3.7.1).
    pub assumed: Option<u32>,
    /// What fits in a segment.
    pub effective: Option<Sum>,
    /// The same before a router said less.
    pub full: Option<u32>,
    /// Largest payload seen.
    pub largest_segment: u32,
    /// It is more than fits on the wire: segmentation offload at the capture point.
    pub offload: bool,
    /// The least MTU that the sender's option tells of, in octets.
    pub implied_mtu: Option<u32>,
    /// What a router said that the path takes.
    pub path_mtu: Option<u32>,
    /// Octets of the largest packet that was acknowledged: so much the path takes at least.
    pub path_takes: Option<u32>,
    /// Do full segments vanish?
    pub black_hole: Verdict<BlackHole>,
    /// Was the sender's option changed on its way?
    pub clamped: Verdict<Clamped>,
    /// What the interface's MTU has the sender advertise, where it sends from there.
    pub interface: Option<u32>,
}

impl Direction {
    /// The direction in which `sender` sends.
    pub fn of(ended: &EndedConnection<'_>, sender: Side, local: Option<&Local>) -> Self {
        let connection = ended.connection;
        let (own, peer) = (connection.side(sender), connection.side(sender.peer()));
        let full = connection.full_segment(sender);
        let default = if connection.ipv6 { mss::DEFAULT_V6 } else { mss::DEFAULT_V4 };
        let timestamps = if connection.timestamps_agreed() { mss::TIMESTAMPS } else { 0 };
        let headers = mss::implied_mtu(0, connection.ipv6) + timestamps + connection.ip_options;
        let carried = connection.path(sender).carried;
        let here = local.filter(|local| local.addresses.contains(&ended.endpoint(sender).addr));
        Self {
            advertised: own.offer.mss,
            offer_seen: own.offer.seen,
            peer_limit: peer.offer.mss,
            assumed: (peer.offer.seen && peer.offer.mss.is_none()).then_some(default),
            offload: full.is_some_and(|full| own.largest_segment > full),
            effective: connection.effective_mss(sender),
            full,
            largest_segment: own.largest_segment,
            implied_mtu: own.offer.mss.map(|option| mss::implied_mtu(option, connection.ipv6)),
            path_mtu: connection.path_mtu(sender),
            path_takes: (carried > 0).then_some(carried + headers),
            black_hole: connection.black_hole(sender),
            clamped: connection.clamped(sender),
            interface: here.map(|local| mss::advertised(local.mtu, connection.ipv6).value),
        }
    }

    /// `none` where a SYN without the option was seen, `?` where no SYN was.
    pub(super) fn missing_option(&self) -> &'static str {
        if self.offer_seen { "none" } else { "?" }
    }

    /// `65160 = 45 × 1448`, `1448`, `-` where no data went this way.
    pub(in crate::report) fn largest_in_words(&self) -> String {
        let largest = self.largest_segment;
        match self.full.filter(|full| self.offload && *full > 0) {
            _ if largest == 0 => "-".to_owned(),
            Some(full) if largest.is_multiple_of(full) => format!("{largest} = {} × {full}", largest / full),
            Some(full) => format!("{largest} > {} × {full}", largest / full),
            None => largest.to_string(),
        }
    }

    /// `1400 (ICMP)`, `black hole`, `≥ 1500`, `?`.
    pub(in crate::report) fn path_in_words(&self) -> String {
        match (self.path_mtu, &self.black_hole, self.path_takes) {
            (Some(mtu), _, _) => format!("{mtu} (ICMP)"),
            (None, Verdict::Broken(_), _) => "black hole".to_owned(),
            (None, _, Some(takes)) => format!("≥ {takes}"),
            (None, _, None) => "?".to_owned(),
        }
    }
}

/// Key `mss` of a connection.
#[derive(Serialize)]
pub(in crate::report) struct BothWays {
    client_to_server: Mss,
    server_to_client: Mss,
}

#[derive(Serialize)]
struct Mss {
    #[serde(skip_serializing_if = "Option::is_none")]
    advertised: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    implied_mtu: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assumed: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_limit: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_mtu: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_takes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective: Option<u32>,
    largest_segment: u32,
    offload: bool,
    black_hole: &'static str,
    clamped: &'static str,
    terms: Vec<TermObject>,
}

impl BothWays {
    pub(in crate::report) fn of(ended: &EndedConnection<'_>, local: Option<&Local>) -> Self {
        let of = |sender| {
            let direction = Direction::of(ended, sender, local);
            let terms = direction.effective.iter().flat_map(|sum| &sum.terms);
            Mss {
                advertised: direction.advertised,
                implied_mtu: direction.implied_mtu,
                interface: direction.interface,
                assumed: direction.assumed,
                peer_limit: direction.peer_limit,
                path_mtu: direction.path_mtu,
                path_takes: direction.path_takes,
                effective: direction.effective.as_ref().map(|sum| sum.value),
                largest_segment: direction.largest_segment,
                offload: direction.offload,
                black_hole: direction.black_hole.name(),
                clamped: direction.clamped.name(),
                terms: terms.map(|&mss::Term { what, octets }| TermObject { what, octets }).collect(),
            }
        };
        Self { client_to_server: of(Side::Client), server_to_client: of(Side::Server) }
    }
}

/// Both directions of a connection as an object of their own.
///
/// # Errors
/// Those of the writer.
pub fn object(out: &mut dyn Write, file: &str, ended: &EndedConnection<'_>, local: Option<&Local>) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        r#type: &'static str,
        file: &'a str,
        stream: u64,
        client: Address,
        server: Address,
        #[serde(skip_serializing_if = "Option::is_none")]
        interface_mtu: Option<u32>,
        mss: BothWays,
    }
    json::line(
        out,
        &Line {
            r#type: "mss",
            file,
            stream: ended.stream,
            client: ended.client.into(),
            server: ended.server.into(),
            interface_mtu: local.map(|local| local.mtu),
            mss: BothWays::of(ended, local),
        },
    )
}
