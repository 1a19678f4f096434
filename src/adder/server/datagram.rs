//! One datagram in, at most one out.

use std::io;
use std::net::SocketAddr;

use crate::adder::framer::sole_value;
use crate::adder::protocol::Answer;
use crate::adder::protocol::looks_like_answer;
use crate::adder::server::totals::Tally;
use crate::adder::server::totals::count;

/// The answer to a datagram; `None` when it is an answer itself.
pub(super) fn answer(datagram: &[u8], tally: &Tally) -> Option<Vec<u8>> {
    let value = sole_value(datagram);
    if value.as_ref().is_ok_and(|value| looks_like_answer(*value)) {
        count(&tally.unanswered);
        return None;
    }
    let answer = Answer::to(value);
    count(match answer {
        Answer::Sum(_) => &tally.udp_sums,
        Answer::Error(_) => &tally.errors,
    });
    let mut out = Vec::new();
    answer.write(&mut out);
    Some(out)
}

/// A UDP socket that never blocks, of the standard library or of mio.
pub(super) trait Datagrams {
    /// As recvfrom(2).
    fn receive(&self, octets: &mut [u8]) -> io::Result<(usize, SocketAddr)>;
    /// As sendto(2).
    fn send(&self, octets: &[u8], peer: SocketAddr) -> io::Result<usize>;
}

impl Datagrams for std::net::UdpSocket {
    fn receive(&self, octets: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.recv_from(octets)
    }

    fn send(&self, octets: &[u8], peer: SocketAddr) -> io::Result<usize> {
        self.send_to(octets, peer)
    }
}

impl Datagrams for mio::net::UdpSocket {
    fn receive(&self, octets: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.recv_from(octets)
    }

    fn send(&self, octets: &[u8], peer: SocketAddr) -> io::Result<usize> {
        self.send_to(octets, peer)
    }
}

/// Answers what waits, up to [`DATAGRAMS_PER_TURN`]. How many there were.
///
/// A failed receive counts as one: it may be an ICMP error about an earlier answer, with more datagrams behind it.
pub(super) fn answer_waiting(socket: &impl Datagrams, octets: &mut [u8], tally: &Tally) -> usize {
    for turn in 0..DATAGRAMS_PER_TURN {
        match socket.receive(octets) {
            Ok((read, peer)) => {
                if let Some(answer) = answer(&octets[..read], tally)
                    && socket.send(&answer, peer).is_err()
                {
                    count(&tally.unanswered);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return turn,
            Err(_) => {}
        }
    }
    DATAGRAMS_PER_TURN
}

/// Datagrams in one turn; a flood must not starve the TCP clients.
pub(super) const DATAGRAMS_PER_TURN: usize = 64;
/// Room for any datagram, so that one too long is seen whole instead of cut in silence (RFC 768: 16-bit length).
pub(super) const BUFFER_SIZE: usize = 65_536;
