//! An opening that waits, in as few octets as it can be followed on from.
//!
//! What an observer knows of a connection after SYN and SYN,ACK follows from these two headers. So a connection that
//! waits can be let go for its [`Opening`], and brought back by playing the two segments again: the same numbers,
//! options, round trips and outcome, by the same code. Where more has happened than the opening can hold, there is
//! none: nothing is guessed.

use crate::packet::ChecksumState;
use crate::packet::OptionSummary;
use crate::packet::SeqNumber;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::tcp::connection::Connection;
use crate::tcp::endpoint::Offer;
use crate::tcp::event::Mark;
use crate::tcp::event::Side;

/// Repetitions that an opening can tell, of either segment.
pub const MAX_RETRIES: u16 = 7;

/// SYN, SYN,ACK, or both; nothing else was seen, and nothing out of the ordinary.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Opening {
    /// First SYN.
    pub syn: Option<Mark>,
    /// First SYN,ACK.
    pub syn_ack: Option<Mark>,
    /// Sequence number of either SYN; the client's is one below the acknowledgment where only that was seen.
    pub isn: [SeqNumber; 2],
    /// What they offered.
    pub offers: [Offer; 2],
    /// Windows of both, not scaled. The client's may be unknown to the connection: then 0.
    pub windows: [u16; 2],
    /// TTL or hop limit of either.
    pub ttls: [u8; 2],
    /// Repetitions of either, at most [`MAX_RETRIES`]. When they came is not kept.
    pub retries: [u16; 2],
    /// The SYN,ACK answers the one SYN before it.
    pub timed: bool,
}

impl Connection {
    /// The opening from which this connection can be brought back.
    pub fn opening(&self) -> Option<Opening> {
        let handshake = &self.handshake;
        let (syn, syn_ack) = (handshake.syn, handshake.syn_ack);
        let [client, server] = &self.sides;
        let retries = [handshake.syn_retries, handshake.syn_ack_retries];
        let plain = !handshake.is_settled() && self.oriented && self.notable.is_none() && self.ip_options == 0;
        let plain = plain
            && handshake.fast_open.is_none()
            && !self.to_itself
            && !self.blemishes.cut
            && !self.blemishes.options_cut;
        let in_order = match (syn, syn_ack) {
            (Some(syn), Some(syn_ack)) => syn.frame < syn_ack.frame && syn.at <= syn_ack.at,
            (syn, syn_ack) => syn.is_some() || syn_ack.is_some(),
        };
        let nothing_else = |side: Side, first: Option<Mark>| {
            let (view, retries) = (self.side(side), retries[side.index()]);
            let packets = if first.is_some() { 1 + u64::from(retries) } else { 0 };
            let options = view.offer.seen == first.is_some() && view.offer.mss != Some(0);
            view.packets == packets && view.bytes == 0 && view.bad_checksums == 0 && options && retries <= MAX_RETRIES
        };
        let told = plain && in_order && nothing_else(Side::Client, syn) && nothing_else(Side::Server, syn_ack);
        (told && client.isn.is_some() && server.isn.is_some() == syn_ack.is_some()).then(|| Opening {
            syn,
            syn_ack,
            isn: [client.isn.unwrap_or_default(), server.isn.unwrap_or_default()],
            offers: [client.offer, server.offer],
            windows: [0, server.rcv_wnd.and_then(|window| window.try_into().ok()).unwrap_or(0)],
            ttls: [client.ttl, server.ttl],
            retries,
            timed: handshake.server_rtt.is_some(),
        })
    }
}

impl Opening {
    /// Its segments, between these ports, for whoever follows the connection. Repetitions stand where they can have come.
    pub fn segments(&self, ports: [u16; 2]) -> impl Iterator<Item = (Mark, Side, TcpHeader<'static>)> {
        let first = |side: Side| {
            let mark = if side == Side::Client { self.syn } else { self.syn_ack };
            mark.map(|mark| (mark, side, self.header(side, ports)))
        };
        let again = |side: Side| std::iter::repeat_n(first(side), usize::from(self.retries[side.index()])).flatten();
        let (client, server) = (Side::Client, Side::Server);
        // A SYN,ACK that cannot be timed came after the SYN had been repeated.
        let (before, after) = if self.timed { (None, Some(again(client))) } else { (Some(again(client)), None) };
        let before = first(client).into_iter().chain(before.into_iter().flatten());
        before.chain(first(server)).chain(after.into_iter().flatten()).chain(again(server))
    }

    fn header(&self, side: Side, ports: [u16; 2]) -> TcpHeader<'static> {
        let (own, peer) = (side.index(), side.peer().index());
        let (flags, ack) = match side {
            Side::Client => (TcpFlags::SYN, SeqNumber(0)),
            Side::Server => (TcpFlags::SYN.with(TcpFlags::ACK), self.isn[peer].plus(1)),
        };
        let offer = self.offers[own];
        // RFC 3168 §6.1.1: a SYN offers ECN by ECE and CWR, its answer takes the offer by ECE alone.
        let flags = match (offer.ecn, side) {
            (false, Side::Client | Side::Server) => flags,
            (true, Side::Client) => flags.with(TcpFlags::ECE).with(TcpFlags::CWR),
            (true, Side::Server) => flags.with(TcpFlags::ECE),
        };
        TcpHeader {
            src_port: ports[own],
            dst_port: ports[peer],
            seq: self.isn[own],
            ack,
            header_len: 20,
            flags,
            window: self.windows[own],
            checksum_field: 0,
            checksum: ChecksumState::Unverifiable,
            urgent: 0,
            options: &[],
            said: OptionSummary {
                mss: offer.mss,
                window_scale: offer.wscale,
                sack_permitted: offer.sack,
                // Their values are not kept; that they were there is.
                timestamps: offer.timestamps.then_some((0, 0)),
                ..OptionSummary::default()
            },
            len: 0,
            payload: &[],
            sound: true,
        }
    }
}
