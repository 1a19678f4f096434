//! What an analysis hands on: each packet's part in its conversation, and whatever is over.

use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Endpoint;
use crate::packet::Protocol;
use crate::tcp;
use crate::tcp::Blind;
use crate::tcp::Connection;
use crate::tcp::Side;
use crate::tcp::framing::Told;
use crate::tcp::verdict::Judgement;
use crate::udp;
use crate::udp::Exchange;

/// Where finished things go.
pub trait Sink {
    /// A TCP connection left the table.
    fn connection(&mut self, ended: &EndedConnection<'_>);
    /// A UDP conversation left the table.
    fn exchange(&mut self, ended: &EndedExchange<'_>);
    /// Something is to be said.
    fn finding(&mut self, finding: Finding);
}

/// What one packet was.
#[derive(Debug)]
pub enum Seen<'a> {
    /// A segment of a connection.
    Tcp(TcpSeen<'a>),
    /// A datagram of a conversation.
    Udp(UdpSeen<'a>),
    /// An ICMP error about a conversation that we know; what it did to it follows.
    Unreachable {
        /// TCP or UDP.
        protocol: Protocol,
        /// The stream of that protocol.
        stream: u64,
        /// It ended the attempt, or answered the request.
        ends: bool,
    },
    /// Nothing that is followed: no TCP or UDP, a fragment, a header cut off.
    Other,
}

/// A segment in its connection.
#[derive(Debug)]
pub struct TcpSeen<'a> {
    /// The connection's number.
    pub stream: u64,
    /// It is the first packet of it.
    pub is_first: bool,
    /// Who sent it.
    pub side: Side,
    /// Who opened.
    pub client: Endpoint,
    /// Who was called.
    pub server: Endpoint,
    /// The connection after it.
    pub connection: &'a Connection,
    /// What it did, in order.
    pub events: &'a [tcp::Event],
    /// Messages that it made known, and in whose direction; empty unless the analysis was asked to look for some.
    pub told: &'a [(Side, Told)],
    /// How it was judged; empty unless the analysis was asked to.
    pub judgements: &'a [Judgement],
    /// What the capture was known to have missed by then.
    pub blind: Blind,
}

/// A datagram in its conversation.
#[derive(Debug)]
pub struct UdpSeen<'a> {
    /// The conversation's number, counted apart from TCP's.
    pub stream: u64,
    /// It is the first of it.
    pub is_first: bool,
    /// Sent by the side that sent the first.
    pub by_a: bool,
    /// Sender of the first datagram.
    pub a: Endpoint,
    /// The other side.
    pub b: Endpoint,
    /// The conversation after it.
    pub exchange: &'a Exchange,
    /// What it did.
    pub event: udp::Event,
}
