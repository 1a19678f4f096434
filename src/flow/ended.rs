//! Conversations that are over, as they are handed to detectors and reports.

use crate::flow::timeouts::Leaves;
use crate::packet::Endpoint;
use crate::packet::Timestamp;
use crate::tcp::Blind;
use crate::tcp::Connection;
use crate::tcp::Ledger;
use crate::tcp::Side;
use crate::tcp::framing::Messages;
use crate::udp::Exchange;

/// A TCP connection that left the table.
#[derive(Clone, Copy, Debug)]
pub struct EndedConnection<'a> {
    /// Its number, counted from 0 in order of first packets: the one that Wireshark shows.
    pub stream: u64,
    /// Who opened it; sender of the first packet where no SYN told.
    pub client: Endpoint,
    /// The other side.
    pub server: Endpoint,
    /// All that is known.
    pub connection: &'a Connection,
    /// What other observers would have written down, if the analysis was asked to keep it.
    pub ledger: Option<&'a Ledger>,
    /// Wireshark's `tcp.completeness`, kept with the ledger, where its number of the stream is this one.
    pub completeness: Option<u8>,
    /// Its messages, if the analysis was asked to look for them.
    pub messages: Option<&'a Messages>,
    /// Time of the capture's last frame, for a connection that was followed until then.
    pub until: Option<Timestamp>,
    /// Why it left.
    pub why: Leaves,
    /// It was told of before, when very many attempts waited: this takes its place.
    pub resumed: bool,
    /// What the capture was known to have missed by then.
    pub blind: Blind,
}

impl EndedConnection<'_> {
    /// Address and port of one side.
    pub const fn endpoint(&self, side: Side) -> Endpoint {
        match side {
            Side::Client => self.client,
            Side::Server => self.server,
        }
    }
}

/// A UDP conversation that left the table.
#[derive(Clone, Copy, Debug)]
pub struct EndedExchange<'a> {
    /// Its number, counted apart from TCP's.
    pub stream: u64,
    /// Sender of the first datagram.
    pub a: Endpoint,
    /// The other side.
    pub b: Endpoint,
    /// All that is known.
    pub exchange: &'a Exchange,
    /// Why it left.
    pub why: Leaves,
}
