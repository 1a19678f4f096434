//! Which packets and conversations are shown. Everything is analysed, so that numbers stay those of the whole
//! capture; what nobody asked for is left out on the way to the sink.

use std::net::IpAddr;

use crate::cli::args::Only;
use crate::finding::Finding;
use crate::finding::Severity;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Endpoint;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::pipeline::Framed;
use crate::pipeline::Seen;
use crate::pipeline::Sink;
use crate::tcp::framing::Framing;

/// What to show.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Selection {
    port: Option<u16>,
    host: Option<IpAddr>,
    stream: Option<u64>,
}

impl Selection {
    pub(super) fn of(only: &Only, stream: Option<u64>) -> Self {
        Self { port: only.port, host: only.host.map(|host| host.0), stream }
    }

    /// Where messages are looked for, if a rule for them was given.
    pub(super) fn framed(&self, framing: Option<Framing>) -> Option<Framed> {
        framing.map(|framing| Framed { framing, stream: self.stream, port: self.port, host: self.host })
    }

    fn is_everything(&self) -> bool {
        self.port.is_none() && self.host.is_none() && self.stream.is_none()
    }

    /// Whether a packet is wanted that was seen as `seen`.
    pub(super) fn wants(&self, packet: &Packet<'_>, seen: &Seen<'_>) -> bool {
        self.wants_stream(seen) && self.wants_addresses(packet)
    }

    fn wants_stream(&self, seen: &Seen<'_>) -> bool {
        let Some(wanted) = self.stream else { return true };
        match seen {
            Seen::Tcp(tcp) => tcp.stream == wanted,
            Seen::Unreachable { protocol: Protocol::Tcp, stream, .. } => *stream == wanted,
            Seen::Unreachable { .. } | Seen::Udp(_) | Seen::Other => false,
        }
    }

    /// Whether addresses and ports of a packet are wanted, those that an ICMP error quotes included.
    pub(super) fn wants_addresses(&self, packet: &Packet<'_>) -> bool {
        if self.port.is_none() && self.host.is_none() {
            return true;
        }
        let quoted = packet.icmp().and_then(|icmp| icmp.quoted).map(|quoted| (quoted.src, quoted.dst));
        let ends = packet.endpoints().map(|(_, src, dst)| (src, dst)).or(quoted);
        match (ends, packet.ip) {
            (Some((src, dst)), _) => self.wants_ends(src, dst),
            (None, Some(ip)) => self.port.is_none() && self.host.is_none_or(|host| host == ip.src || host == ip.dst),
            (None, None) => false,
        }
    }

    fn wants_ends(&self, one: Endpoint, other: Endpoint) -> bool {
        let port = self.port.is_none_or(|port| one.port == port || other.port == port);
        let host = self.host.is_none_or(|host| one.addr == host || other.addr == host);
        port && host
    }

    fn wants_connection(&self, ended: &EndedConnection<'_>) -> bool {
        self.stream.is_none_or(|stream| stream == ended.stream) && self.wants_ends(ended.client, ended.server)
    }

    fn wants_exchange(&self, ended: &EndedExchange<'_>) -> bool {
        self.stream.is_none() && self.wants_ends(ended.a, ended.b)
    }
}

/// A sink behind a [`Selection`]. Findings are held back until it is known whether their conversation is wanted, and
/// until the packet that caused them was shown.
#[derive(Debug)]
pub(super) struct Chosen<S> {
    pub(super) selection: Selection,
    pub(super) sink: S,
    /// The gravest finding so far.
    pub(super) worst: Option<Severity>,
    /// Streams of TCP that were seen, wanted or not.
    pub(super) tcp_streams: u64,
    held: Vec<Finding>,
    wanted_tcp: Bits,
}

impl<S: Sink> Chosen<S> {
    pub(super) fn new(selection: Selection, sink: S) -> Self {
        Self { selection, sink, worst: None, tcp_streams: 0, held: Vec::new(), wanted_tcp: Bits::default() }
    }

    /// Whether a packet is to be shown. Remembers its connection for findings that come later.
    pub(super) fn wants(&mut self, packet: &Packet<'_>, seen: &Seen<'_>) -> bool {
        let wanted = self.selection.wants(packet, seen);
        if let Seen::Tcp(tcp) = seen {
            self.tcp_streams = self.tcp_streams.max(tcp.stream + 1);
            if wanted && tcp.is_first && !self.selection.is_everything() {
                self.wanted_tcp.set(tcp.stream);
            }
        }
        wanted
    }

    /// Lets findings go that are about no conversation's end. Call after each packet, and when all is over.
    pub(super) fn settle(&mut self) {
        for finding in std::mem::take(&mut self.held) {
            let about = &finding.streams;
            if self.selection.is_everything() || about.iter().any(|&stream| self.wanted_tcp.has(stream)) {
                self.pass(finding);
            }
        }
    }

    fn release(&mut self, wanted: bool) {
        for finding in std::mem::take(&mut self.held) {
            if wanted {
                self.pass(finding);
            }
        }
    }

    fn pass(&mut self, finding: Finding) {
        self.worst = self.worst.max(Some(finding.severity));
        self.sink.finding(finding);
    }
}

impl<S: Sink> Sink for Chosen<S> {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        let wanted = self.selection.wants_connection(ended);
        self.release(wanted);
        if wanted {
            self.sink.connection(ended);
        }
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        let wanted = self.selection.wants_exchange(ended);
        self.release(wanted);
        if wanted {
            self.sink.exchange(ended);
        }
    }

    fn finding(&mut self, finding: Finding) {
        self.held.push(finding);
    }
}

/// A set of stream numbers, one bit each: numbers are dense, and a hundred million of them take twelve megabytes.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn set(&mut self, number: u64) {
        let at = (number / 64) as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, 0);
        }
        self.0[at] |= 1 << (number % 64);
    }

    fn has(&self, number: u64) -> bool {
        self.0.get((number / 64) as usize).is_some_and(|bits| bits >> (number % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft;
    use crate::decode::decode;
    use crate::finding::Code;
    use crate::packet::Timestamp;
    use crate::pipeline::Analyzer;

    #[derive(Default)]
    struct Told(Vec<String>);

    impl Sink for Told {
        fn connection(&mut self, ended: &EndedConnection<'_>) {
            self.0.push(format!("tcp {}", ended.stream));
        }

        fn exchange(&mut self, ended: &EndedExchange<'_>) {
            self.0.push(format!("udp {}", ended.stream));
        }

        fn finding(&mut self, finding: Finding) {
            self.0.push(format!("finding {:?}", finding.streams));
        }
    }

    fn finding(streams: &[u64]) -> Finding {
        Finding {
            code: Code::HalfOpen,
            severity: Severity::Warning,
            at: Timestamp::EPOCH,
            streams: streams.to_vec(),
            frames: Vec::new(),
            text: String::new(),
            evidence: Vec::new(),
        }
    }

    /// Two connections to ports 80 and 81, in this order; what a selection shows of them.
    fn shown(selection: Selection) -> (u64, Vec<String>) {
        let trace = craft::play(TWO_SERVERS).expect("the script is sound");
        let mut analyzer = Analyzer::default();
        let mut chosen = Chosen::new(selection, Told::default());
        let mut packets = 0;
        for frame in trace.frames() {
            let packet = decode(&frame);
            let seen = analyzer.observe(&packet, &mut chosen);
            packets += u64::from(chosen.wants(&packet, &seen));
            chosen.settle();
        }
        chosen.finding(finding(&[0]));
        chosen.finding(finding(&[1]));
        chosen.settle();
        analyzer.finish(&mut chosen);
        chosen.settle();
        let told = chosen.sink.0.into_iter().filter(|line| line != "finding []").collect();
        (packets, told)
    }

    #[test]
    fn without_a_selection_everything_is_shown() {
        let (packets, told) = shown(Selection::default());
        assert_eq!(packets, 2);
        assert!(["finding [0]", "finding [1]", "tcp 0", "tcp 1"].iter().all(|line| told.contains(&(*line).to_owned())));
    }

    #[test]
    fn a_port_selects_its_connection_and_findings_under_the_number_of_the_whole_capture() {
        let (packets, told) = shown(Selection { port: Some(81), ..Selection::default() });
        assert_eq!(packets, 1);
        assert!(told.contains(&"finding [1]".to_owned()) && told.contains(&"tcp 1".to_owned()), "{told:?}");
        assert!(!told.contains(&"finding [0]".to_owned()) && !told.contains(&"tcp 0".to_owned()), "{told:?}");
    }

    #[test]
    fn a_stream_selects_only_itself() {
        let (packets, told) = shown(Selection { stream: Some(0), ..Selection::default() });
        assert_eq!(packets, 1);
        assert!(told.contains(&"tcp 0".to_owned()) && !told.contains(&"tcp 1".to_owned()), "{told:?}");
    }

    #[test]
    fn bits_are_set_one_by_one() {
        let mut bits = Bits::default();
        bits.set(64);
        assert!(bits.has(64) && !bits.has(63) && !bits.has(0) && !bits.has(1 << 40));
    }

    const TWO_SERVERS: &str = "
        T = 10.0.0.2:81
        +0.000  C > S  S   1000:1000(0)  win 65535
        +0.001  C > T  S   2000:2000(0)  win 65535
    ";
}
