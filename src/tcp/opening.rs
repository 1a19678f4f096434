//! What is rarer in an opening: what both sides agreed on, what became of Fast Open, an answer that belongs to another
//! connection. RFC 9293 §3.5, RFC 7413 §4.1, RFC 5961 §4.

use crate::packet::Control;
use crate::packet::TcpFlags;
use crate::packet::TcpHeader;
use crate::tcp::connection::Connection;
use crate::tcp::endpoint::EndpointView;
use crate::tcp::event::Side;
use crate::tcp::handshake::AckFault;
use crate::tcp::handshake::Handshake;

/// What became of Fast Open (RFC 7413 §4.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FastOpen {
    /// The client asked for a cookie.
    CookieAsked,
    /// The server gave one.
    CookieGiven,
    /// The SYN carried a cookie or data, and no answer is known.
    Offered,
    /// The SYN,ACK acknowledges data of the SYN.
    Accepted,
    /// It acknowledges the SYN alone, so the data goes again.
    Ignored,
}

impl FastOpen {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CookieAsked => "cookie-asked",
            Self::CookieGiven => "cookie-given",
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Ignored => "ignored",
        }
    }
}

impl Handshake {
    /// The answer to the SYN that `tcp` of the server is, while none came: does it acknowledge the SYN without another?
    pub(super) fn is_stray(&self, side: Side, tcp: &TcpHeader<'_>, client: &EndpointView) -> bool {
        let waits = !self.is_settled() && self.syn.is_some() && self.syn_ack.is_none() && side == Side::Server;
        let plain = tcp.flags.control() == Control::None && tcp.flags.has(TcpFlags::ACK) && tcp.len == 0;
        let (Some(isn), Some(snd_max)) = (client.isn, client.snd_max) else { return false };
        waits && plain && !AckFault::check(tcp.ack, isn, snd_max).holds()
    }

    /// Takes note of what an acceptable SYN,ACK makes of it.
    pub(super) fn answers_fast_open(&mut self, tcp: &TcpHeader<'_>, client: &EndpointView) {
        let beyond_syn = client.isn.is_some_and(|isn| isn.plus(1).before(tcp.ack));
        self.fast_open = match (self.fast_open, self.syn_data, tcp.said.fast_open) {
            (Some(_), 1.., _) if beyond_syn => Some(FastOpen::Accepted),
            (Some(_), 1.., _) => Some(FastOpen::Ignored),
            (Some(_), 0, Some(1..)) => Some(FastOpen::CookieGiven),
            (known, _, _) => known,
        };
    }
}

impl Connection {
    /// What both SYNs offered, by name: none of it is in use unless both did. `None` where a SYN is missing.
    pub fn negotiated(&self) -> Option<impl Iterator<Item = &'static str>> {
        let [a, b] = [self.sides[0].offer, self.sides[1].offer];
        let agreed = [
            ("mss", a.mss.is_some() && b.mss.is_some()),
            ("wscale", a.wscale.is_some() && b.wscale.is_some()),
            ("sack", a.sack && b.sack),
            ("timestamps", a.timestamps && b.timestamps),
            ("ecn", a.ecn && b.ecn),
        ];
        (a.seen && b.seen).then(|| agreed.into_iter().filter(|(_, agreed)| *agreed).map(|(name, _)| name))
    }
}
