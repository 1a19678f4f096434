//! What other observers would have written down about a connection: a line of Zeek's conn.log, a page of tcptrace.
//!
//! Kept only where it was asked for, in a box beside the connection, so that an analysis without it stays as small and
//! fast as it was. Nothing in here enters our own judgement.

use crate::packet::IpHeader;
use crate::packet::Span;
use crate::packet::TcpHeader;
use crate::packet::Timestamp;
use crate::tcp::event::Side;
use crate::tcp::tcptrace::Tcptrace;
use crate::tcp::zeek::Zeek;

/// A value of another program's table, as the machine contract writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// A count, or a number of octets.
    Number(u64),
    /// A number of octets that may lie below zero.
    Signed(i64),
    /// Yes or no.
    Yes(bool),
    /// A length of time.
    Time(Span),
    /// One of a few words, or letters.
    Word(&'a str),
}

/// Both tables of one connection.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// As Zeek would.
    pub zeek: Zeek,
    /// As tcptrace would.
    pub tcptrace: Tcptrace,
}

impl Ledger {
    /// A connection whose first segment is `tcp`, sent by `by`. It is still to be observed.
    pub fn new(at: Timestamp, by: Side, tcp: &TcpHeader<'_>) -> Self {
        Self { zeek: Zeek::new(at, by, tcp), tcptrace: Tcptrace::new(by) }
    }

    /// Feeds one segment, in capture order. Of its payload, `captured` octets are there.
    pub fn observe(&mut self, at: Timestamp, by: Side, ip: &IpHeader, tcp: &TcpHeader<'_>, captured: u32) {
        self.zeek.observe(at, by, ip, tcp, captured);
        self.tcptrace.observe(at, by, tcp, captured);
    }
}
