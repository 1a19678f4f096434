//! Where on the path a connection was captured: at the client, at the server, or in between.
//!
//! Three signs. The card's: checksums left for it on what one side sends show that this side's host made the capture. The
//! handshake's (RFC 9293 §3.5): SYN to SYN,ACK is the way to the server and back, SYN,ACK to ACK the way to the client.
//! The routers': hosts begin with a TTL of 64, 128 or 255, so a packet that still has it has met none. The stronger sign
//! decides; where two point to opposite ends, nothing is told.

use crate::finding::Code;
use crate::finding::Gap;
use crate::packet::Span;
use crate::tcp::Connection;
use crate::tcp::Side;
use crate::tcp::verdict::Judgement;

/// A place on the path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Position {
    /// At the client, or near it.
    Client,
    /// Away from both.
    Middle,
    /// At the server, or near it.
    Server,
}

impl Position {
    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client-side",
            Self::Middle => "middle",
            Self::Server => "server-side",
        }
    }

    /// At the end of that side.
    pub const fn is_at(self, side: Side) -> bool {
        matches!((self, side), (Self::Client, Side::Client) | (Self::Server, Side::Server))
    }

    const fn is_opposite(self, other: Self) -> bool {
        matches!((self, other), (Self::Client, Self::Server) | (Self::Server, Self::Client))
    }
}

/// What each sign says of one connection.
#[derive(Clone, Copy, Debug)]
pub struct Signs {
    /// Whose checksums were left for the card.
    card: Option<Position>,
    /// The way to the server and back, and to the client and back; or why that says nothing.
    split: Result<Position, Gap>,
    /// Routers passed by what the client, the server sent.
    hops: [Option<u8>; 2],
}

impl Signs {
    /// Reads them off a connection.
    pub fn of(connection: &Connection) -> Self {
        let [client, server] = [Side::Client, Side::Server].map(|side| connection.side(side));
        let card = match (client.partial_checksums, server.partial_checksums) {
            (1.., 0) if server.packets > 0 => Some(Position::Client),
            (0, 1..) if client.packets > 0 => Some(Position::Server),
            // Both: a link inside one machine. One side alone was captured: nothing to compare it with.
            (0.., 0..) => None,
        };
        Self { card, split: split(connection), hops: [hops(client.ttl), hops(server.ttl)] }
    }

    /// The place, or why it cannot be told.
    ///
    /// # Errors
    /// The gap: no sign at all, or two that contradict each other.
    pub fn position(&self) -> Result<Position, Gap> {
        let signs = [self.card, self.split.ok(), self.routers()];
        let mut told = signs.into_iter().flatten();
        let Some(strongest) = told.next() else { return self.split };
        if told.any(|weaker| weaker.is_opposite(strongest)) { Err(Gap::SignsDisagree) } else { Ok(strongest) }
    }

    /// Signs that say what the strongest one says, itself counted.
    fn agreeing(&self, position: Position) -> u64 {
        let signs = [self.card, self.split.ok(), self.routers()];
        signs.iter().filter(|sign| **sign == Some(position)).count() as u64
    }

    const fn routers(&self) -> Option<Position> {
        match self.hops {
            // On one link with both: either may be the one that captured.
            [Some(0), Some(0)] | [None, _] | [_, None] => None,
            [Some(0), Some(_)] => Some(Position::Client),
            [Some(_), Some(0)] => Some(Position::Server),
            [Some(_), Some(_)] => Some(Position::Middle),
        }
    }

    /// The place with the numbers that it rests on.
    pub fn judged(&self, connection: &Connection) -> Judgement {
        let judged = match self.position() {
            Ok(position) => Judgement::broken(Code::CapturePosition)
                .word("at", position.name())
                .count("signs", self.agreeing(position)),
            Err(gap) => Judgement::cannot_tell(Code::CapturePosition, gap),
        };
        let handshake = &connection.handshake;
        let judged = match (handshake.server_rtt, handshake.client_rtt) {
            (Some(server), Some(client)) => {
                let judged = judged.span("server_rtt", server).span("client_rtt", client);
                share(server, client).map_or(judged.clone(), |share| judged.count("client_percent", share / 10))
            }
            (Some(server), None) => judged.span("server_rtt", server),
            (None, Some(client)) => judged.span("client_rtt", client),
            (None, None) => judged,
        };
        let [client, server] = self.hops;
        let judged = client.map_or(judged.clone(), |hops| judged.count("client_hops", hops));
        server.map_or(judged.clone(), |hops| judged.count("server_hops", hops))
    }
}

/// By the round trips of the handshake, where both are known and long enough.
fn split(connection: &Connection) -> Result<Position, Gap> {
    let handshake = &connection.handshake;
    let (Some(server), Some(client)) = (handshake.server_rtt, handshake.client_rtt) else {
        return Err(Gap::NoHandshake);
    };
    let Some(share) = share(server, client).filter(|_| server.0.saturating_add(client.0) >= HOSTS_TAKE.0) else {
        return Err(Gap::TooClose);
    };
    Ok(match share {
        ..=NEAR => Position::Client,
        FAR.. => Position::Server,
        _ => Position::Middle,
    })
}

/// Thousandths of the whole way that lie on the client's side; `None` where a clock that stepped makes no sense of it.
fn share(server: Span, client: Span) -> Option<u64> {
    let (server, client) = (u64::try_from(server.0).ok()?, u64::try_from(client.0).ok()?);
    let whole = u128::from(server) + u128::from(client);
    u64::try_from(u128::from(client) * 1000 / whole.max(1)).ok()
}

/// Routers passed, where the TTL that is left comes from one of the three that hosts begin with.
fn hops(ttl: u8) -> Option<u8> {
    let first = FIRST_TTLS.into_iter().find(|first| ttl > 0 && ttl <= *first)?;
    Some(first - ttl).filter(|hops| *hops <= LONGEST_PATH)
}

/// What hosts put into a packet: Unix 64, Windows 128, routers and some stacks 255.
const FIRST_TTLS: [u8; 3] = [64, 128, 255];
/// Longer paths are not met; a TTL this far from all three says nothing.
const LONGEST_PATH: u8 = 40;
/// Two hosts together may take this long to answer a SYN and a SYN,ACK: below, the split tells of them and not of the way.
const HOSTS_TAKE: Span = Span::from_millis(1);
/// Thousandths: an eighth of the way or less on the client's side is near the client.
const NEAR: u64 = 125;
/// Seven eighths or more: near the server.
const FAR: u64 = 875;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_tells_the_routers_passed_or_nothing() {
        assert_eq!([64, 63, 128, 115, 255, 250].map(hops), [0, 1, 0, 13, 0, 5].map(Some));
        assert_eq!([0, 20, 87, 200].map(hops), [None, None, None, None]);
    }

    #[test]
    fn the_share_of_the_way_is_exact_and_a_negative_time_has_none() {
        assert_eq!(share(Span::from_millis(7), Span::from_millis(1)), Some(125));
        assert_eq!(share(Span::ZERO, Span::ZERO), Some(0));
        assert_eq!(share(Span(i64::MAX), Span(i64::MAX)), Some(500));
        assert_eq!(share(Span(-1), Span::from_millis(1)), None);
    }

    fn signs(card: Option<Position>, split: Result<Position, Gap>, hops: [Option<u8>; 2]) -> Signs {
        Signs { card, split, hops }
    }

    #[test]
    fn the_stronger_sign_decides_unless_another_points_to_the_other_end() {
        use Position::*;
        let told = |card, split, hops| signs(card, split, hops).position();
        assert_eq!(told(None, Ok(Client), [Some(0), Some(9)]), Ok(Client));
        assert_eq!(told(None, Ok(Client), [Some(1), Some(9)]), Ok(Client), "one router, and still near");
        assert_eq!(told(None, Err(Gap::TooClose), [Some(9), Some(0)]), Ok(Server));
        assert_eq!(told(Some(Client), Ok(Middle), [None, None]), Ok(Client), "a client that takes its time");
        assert_eq!(told(None, Ok(Client), [Some(9), Some(0)]), Err(Gap::SignsDisagree));
        assert_eq!(told(Some(Server), Ok(Client), [None, None]), Err(Gap::SignsDisagree));
        assert_eq!(told(None, Err(Gap::NoHandshake), [Some(0), Some(0)]), Err(Gap::NoHandshake));
    }
}
