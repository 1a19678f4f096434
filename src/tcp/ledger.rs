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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::net::Ipv4Addr;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::packet::ChecksumState;
    use crate::packet::OptionSummary;
    use crate::packet::SeqNumber;
    use crate::packet::TcpFlags;

    /// Time, direction, flags, sequence and acknowledgment number, payload, window.
    type Raw = (i64, bool, u16, u32, u32, u32, u16);

    fn raw() -> impl Strategy<Value = Raw> {
        // Near an edge of the circle more often than not, so that segments meet.
        let seq = || prop_oneof![any::<u32>(), 0u32..60, (u32::MAX - 60)..=u32::MAX, (1 << 30) - 60..(1u32 << 30) + 60];
        let len = prop_oneof![Just(0), 1u32..40, any::<u32>()];
        (-1_000_000_000i64..10_000_000_000, any::<bool>(), 0u16..0x200, seq(), seq(), len, 0u16..4)
    }

    fn segment(&(_, _, flags, seq, ack, len, window): &Raw) -> TcpHeader<'static> {
        let flags = TcpFlags::from_bits(flags);
        TcpHeader {
            src_port: 40_000,
            dst_port: 80,
            seq: SeqNumber(seq),
            ack: SeqNumber(ack),
            header_len: 20,
            flags,
            window,
            checksum_field: 0,
            checksum: ChecksumState::Good,
            urgent: 0,
            options: &[],
            said: OptionSummary { window_scale: flags.has(TcpFlags::SYN).then_some(200), ..OptionSummary::default() },
            // A length that IP and frame can claim between them: no more than 4 GB, headers included.
            len: len.min(u32::MAX - 40),
            payload: &[],
            sound: true,
        }
    }

    fn ip() -> IpHeader {
        let end = IpAddr::V4(Ipv4Addr::LOCALHOST);
        IpHeader {
            version: 4,
            src: end,
            dst: end,
            ttl: 64,
            traffic_class: 0,
            id: None,
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
            header_len: 20,
            payload_len: 20,
            protocol: 6,
            checksum: ChecksumState::Good,
        }
    }

    proptest! {
        #[test]
        fn any_segments_in_any_order_are_written_down(raws in vec(raw(), 1..60)) {
            let mut ledger: Option<Ledger> = None;
            let mut at = Timestamp::EPOCH;
            for raw in &raws {
                at = at.plus(Span(raw.0));
                let (tcp, by) = (segment(raw), if raw.1 { Side::Client } else { Side::Server });
                let ledger = ledger.get_or_insert_with(|| Ledger::new(at, by, &tcp));
                ledger.observe(at, by, &ip(), &tcp, tcp.len);
            }
            let ledger = ledger.expect("one segment at least");
            let log = ledger.zeek.conn_log();
            let packets: u64 = log.packets.iter().sum();
            prop_assert!(packets <= raws.len() as u64 && (log.goes_on || packets == raws.len() as u64));
            let report = ledger.tcptrace.report(Some(at));
            let total: u64 = report.directions.iter().flat_map(|sheet| sheet.pairs()).filter_map(|pair| match pair {
                ("total_packets", Cell::Number(number)) => Some(number),
                _ => None,
            }).sum();
            prop_assert_eq!(total, raws.len() as u64);
        }
    }

    #[test]
    fn state_per_connection_is_what_the_documentation_says() {
        assert_eq!((size_of::<Zeek>(), size_of::<Tcptrace>(), size_of::<Ledger>()), (424, 1104, 1528));
    }
}

/// Scripts, played into a ledger.
#[cfg(test)]
pub(in crate::tcp) mod testing {
    use super::Ledger;
    use crate::craft;
    use crate::decode::decode;
    use crate::tcp::Side;

    /// What is written down about the only connection of a script. Its client has the address of `C`.
    pub(in crate::tcp) fn written(script: &str) -> Ledger {
        let trace = craft::play(script).unwrap_or_else(|error| panic!("{error}"));
        let mut ledger: Option<Ledger> = None;
        for frame in trace.frames() {
            let packet = decode(&frame);
            let (ip, tcp) = (packet.ip.as_ref().expect("an IP packet"), packet.tcp().expect("a segment"));
            let by = if ip.src.to_string() == "10.0.0.1" { Side::Client } else { Side::Server };
            let at = packet.meta.at;
            let ledger = ledger.get_or_insert_with(|| Ledger::new(at, by, tcp));
            ledger.observe(at, by, ip, tcp, tcp.payload.len() as u32);
        }
        ledger.expect("a script with a packet")
    }
}
