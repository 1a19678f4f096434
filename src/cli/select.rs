//! Which packets and conversations are shown. Everything is analysed, so that numbers stay those of the whole
//! capture; what nobody asked for is left out on the way to the sink.

use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;

use crate::cli::args::Fields;
use crate::cli::args::Only;
use crate::cli::bits::Bits;
use crate::cli::bits::PerProtocol;
use crate::cli::choices::Outcome;
use crate::cli::failure::Failure;
use crate::cli::say;
use crate::cli::values::Period;
use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Severity;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Endpoint;
use crate::packet::Frame;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::packet::Timestamp;
use crate::pipeline::Framed;
use crate::pipeline::Judging;
use crate::pipeline::Seen;
use crate::pipeline::Sink;
use crate::report::verdicts;
use crate::source::Filter;
use crate::tcp::framing::Framing;

/// What to show.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    port: Option<u16>,
    host: Option<IpAddr>,
    /// Any of these TCP streams; none for all.
    streams: Vec<u64>,
    filter: Option<Rc<Filter>>,
    /// Whether the filter passes the frame that was looked at last.
    passing: Cell<bool>,
    fields: Fields,
    period: Period,
    /// When the capture began.
    first: Option<Timestamp>,
}

impl Selection {
    pub(super) fn of(only: &Only, streams: impl IntoIterator<Item = u64>) -> Result<Self, Failure> {
        Ok(Self {
            port: only.port,
            host: only.host.map(|host| host.0),
            streams: streams.into_iter().collect(),
            filter: only.filter.as_deref().map(Filter::new).transpose()?.map(Rc::new),
            period: only.period(),
            ..Self::default()
        })
    }

    /// The same selection, narrowed by what was judged.
    pub(super) fn with_fields(self, fields: &Fields) -> Self {
        Self { fields: fields.clone(), ..self }
    }

    /// Where messages are looked for, if a rule for them was given.
    pub(super) fn framed(&self, framing: Option<Framing>) -> Option<Framed> {
        framing.map(|framing| Framed { framing, streams: self.streams.clone(), port: self.port, host: self.host })
    }

    /// How much must be judged for it, at least.
    pub(super) fn judging(&self, otherwise: Judging) -> Judging {
        if self.fields.is_everything() { otherwise } else { Judging::Everything }
    }

    /// The TCP streams asked for by number; none for all.
    pub(super) fn streams(&self) -> &[u64] {
        &self.streams
    }

    /// Whether the filter passes a frame as it was captured.
    pub(super) fn passes(&self, frame: &Frame<'_>) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.passes(frame))
    }

    /// Looks at a frame as it was captured; to be called before its packet is asked about.
    pub(super) fn look(&self, frame: &Frame<'_>) {
        if let Some(filter) = &self.filter {
            self.passing.set(filter.passes(frame));
        }
    }

    /// A packet has come: the first one is what times are counted from. Call before it is analysed.
    pub(super) fn begins(&mut self, at: Timestamp) {
        self.first.get_or_insert(at);
    }

    /// When a capture is over: says on which frames the filter had nothing to say; an error where those were all.
    pub(super) fn settle(&self) -> Result<(), Failure> {
        let Some(filter) = &self.filter else { return Ok(()) };
        for refusal in filter.refusals()? {
            say(&refusal);
        }
        Ok(())
    }

    fn is_everything(&self) -> bool {
        let by_conversation = self.port.is_some() || self.host.is_some() || !self.streams.is_empty();
        !by_conversation && self.filter.is_none() && self.period.is_unbounded()
    }

    fn wants_time(&self, at: Timestamp) -> bool {
        self.period.is_unbounded() || self.period.contains(at, self.first.unwrap_or(at))
    }

    /// Whether a conversation that lasted from one time to another has a part in the period.
    fn wants_life(&self, from: Timestamp, to: Timestamp) -> bool {
        let first = self.first.unwrap_or(from);
        let begins_early = self.period.until.is_none_or(|until| from < until.within(first));
        let ends_late = self.period.since.is_none_or(|since| to >= since.within(first));
        begins_early && ends_late
    }

    /// Whether a packet is wanted that was seen as `seen`.
    pub(super) fn wants(&self, packet: &Packet<'_>, seen: &Seen<'_>) -> bool {
        self.reaches(packet, seen) && self.fields.match_packet(seen)
    }

    /// The same, whatever was judged.
    fn reaches(&self, packet: &Packet<'_>, seen: &Seen<'_>) -> bool {
        let passes = self.filter.is_none() || self.passing.get();
        passes && self.wants_stream(seen) && self.wants_time(packet.meta.at) && self.wants_addresses(packet)
    }

    fn wants_stream(&self, seen: &Seen<'_>) -> bool {
        if self.streams.is_empty() {
            return true;
        }
        match seen {
            Seen::Tcp(tcp) => self.streams.contains(&tcp.stream),
            Seen::Unreachable { protocol: Protocol::Tcp, stream, .. } => self.streams.contains(stream),
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

    /// Whether a finding is wanted that names no stream: by its time, where nothing else was asked for.
    fn wants_finding_of_nobody(&self, finding: &Finding) -> bool {
        let by_conversation = self.port.is_some() || self.host.is_some() || !self.streams.is_empty();
        !by_conversation && self.filter.is_none() && self.wants_time(finding.at)
    }

    fn wants_ends(&self, one: Endpoint, other: Endpoint) -> bool {
        let port = self.port.is_none_or(|port| one.port == port || other.port == port);
        let host = self.host.is_none_or(|host| one.addr == host || other.addr == host);
        port && host
    }

    fn wants_connection(&self, ended: &EndedConnection<'_>) -> bool {
        let connection = ended.connection;
        (self.streams.is_empty() || self.streams.contains(&ended.stream))
            && self.wants_ends(ended.client, ended.server)
            && self.wants_life(connection.first.at, connection.last.at)
    }

    fn wants_exchange(&self, ended: &EndedExchange<'_>) -> bool {
        let exchange = ended.exchange;
        self.streams.is_empty()
            && self.wants_ends(ended.a, ended.b)
            && self.wants_life(exchange.first.at, exchange.last.at)
    }
}

impl Fields {
    fn is_everything(&self) -> bool {
        self.code.is_empty() && self.verdict.is_none()
    }

    /// One of the packet's verdicts has the code and the outcome. Without a code, only those count that are told of
    /// without being asked: nearly every segment keeps some rule.
    pub(super) fn match_packet(&self, seen: &Seen<'_>) -> bool {
        match seen {
            _ if self.is_everything() => true,
            Seen::Tcp(tcp) => tcp.judgements.iter().any(|judgement| {
                let known = if self.code.is_empty() { verdicts::is_told(judgement) } else { true };
                known && self.has_code(judgement.code) && self.verdict.is_none_or(|one| one.is(judgement.outcome()))
            }),
            &Seen::Unreachable { protocol, ends: true, .. } => {
                self.has_code(verdicts::code_of_icmp(protocol)) && self.verdict.is_none_or(|one| one.is("found"))
            }
            Seen::Unreachable { .. } | Seen::Udp(_) | Seen::Other => false,
        }
    }

    pub(super) fn has_code(&self, code: Code) -> bool {
        self.code.is_empty() || self.code.contains(&code)
    }
}

impl Outcome {
    fn is(self, outcome: &str) -> bool {
        match self {
            Self::Broken => matches!(outcome, "broken" | "found"),
            Self::Holds => matches!(outcome, "holds" | "ruled-out"),
            Self::CannotTell => outcome == "cannot-tell",
        }
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
    /// Conversations with a packet that the selection reaches, whatever was judged of it.
    reached: PerProtocol,
    /// Conversations with a packet of which was judged what was asked for.
    judged: PerProtocol,
    /// Streams asked for by number that were seen.
    present: Bits,
}

impl<S: Sink> Chosen<S> {
    pub(super) fn new(selection: Selection, sink: S) -> Self {
        Self {
            selection,
            sink,
            worst: None,
            tcp_streams: 0,
            held: Vec::new(),
            reached: PerProtocol::default(),
            judged: PerProtocol::default(),
            present: Bits::default(),
        }
    }

    /// Whether a packet is to be shown. Remembers its conversation for findings that come later.
    pub(super) fn wants(&mut self, packet: &Packet<'_>, seen: &Seen<'_>) -> bool {
        if let Seen::Tcp(tcp) = seen {
            self.tcp_streams = self.tcp_streams.max(tcp.stream + 1);
        }
        if self.selection.is_everything() && self.selection.fields.is_everything() {
            return true;
        }
        let reaches = self.selection.reaches(packet, seen);
        let judged = self.selection.fields.match_packet(seen);
        if let Seen::Tcp(tcp) = seen
            && self.selection.streams.contains(&tcp.stream)
        {
            self.present.set(tcp.stream);
        }
        if let Some((protocol, stream)) = stream_of(seen) {
            if reaches && !self.selection.is_everything() {
                self.reached.set(protocol, stream);
            }
            if judged && !self.selection.fields.is_everything() {
                self.judged.set(protocol, stream);
            }
        }
        reaches && judged
    }

    /// Whether a conversation is to be shown that is over, and may have been found fault with just now.
    fn wants_ended(&self, protocol: Protocol, stream: u64) -> bool {
        let fields = &self.selection.fields;
        let reached = self.selection.filter.is_none() || self.reached.has(protocol, stream);
        let found = !fields.code.is_empty() && self.held.iter().any(|finding| fields.code.contains(&finding.code));
        reached && (fields.is_everything() || found || self.judged.has(protocol, stream))
    }

    /// A stream that was asked for by number and did not come.
    pub(super) fn missing(&self) -> Option<u64> {
        self.selection.streams.iter().copied().find(|&stream| !self.present.has(stream))
    }

    /// Lets findings go that are about no conversation's end. Call after each packet, and when all is over.
    pub(super) fn settle(&mut self) {
        for finding in std::mem::take(&mut self.held) {
            let about = &finding.streams;
            let wanted = self.selection.is_everything()
                || about.is_empty() && self.selection.wants_finding_of_nobody(&finding)
                || about.iter().any(|&stream| self.reached.has(Protocol::Tcp, stream));
            if wanted {
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
        if !self.selection.fields.has_code(finding.code) {
            return;
        }
        self.worst = self.worst.max(Some(finding.severity));
        self.sink.finding(finding);
    }
}

impl<S: Sink> Sink for Chosen<S> {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        let wanted = self.selection.wants_connection(ended) && self.wants_ended(Protocol::Tcp, ended.stream);
        self.release(wanted);
        if wanted {
            self.sink.connection(ended);
        }
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        let wanted = self.selection.wants_exchange(ended) && self.wants_ended(Protocol::Udp, ended.stream);
        self.release(wanted);
        if wanted {
            self.sink.exchange(ended);
        }
    }

    fn finding(&mut self, finding: Finding) {
        self.held.push(finding);
    }
}

/// The conversation that a packet belongs to, or that an ICMP error is about.
pub(super) fn stream_of(seen: &Seen<'_>) -> Option<(Protocol, u64)> {
    match seen {
        Seen::Tcp(tcp) => Some((Protocol::Tcp, tcp.stream)),
        Seen::Udp(udp) => Some((Protocol::Udp, udp.stream)),
        Seen::Unreachable { protocol, stream, .. } => Some((*protocol, *stream)),
        Seen::Other => None,
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
            chosen.selection.look(&frame);
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
        let (packets, told) = shown(Selection { streams: vec![0], ..Selection::default() });
        assert_eq!(packets, 1);
        assert!(told.contains(&"tcp 0".to_owned()) && !told.contains(&"tcp 1".to_owned()), "{told:?}");
    }

    #[test]
    fn a_filter_selects_the_conversations_that_have_a_packet_which_passes() {
        let only = Only { filter: Some("dst port 81".to_owned()), ..Only::default() };
        let (packets, told) = shown(Selection::of(&only, None).expect("common words"));
        assert_eq!(packets, 1);
        assert!(told.contains(&"finding [1]".to_owned()) && told.contains(&"tcp 1".to_owned()), "{told:?}");
        assert!(!told.contains(&"finding [0]".to_owned()) && !told.contains(&"tcp 0".to_owned()), "{told:?}");
    }

    #[test]
    fn a_code_selects_its_findings_and_their_conversations() {
        let of = |code| Selection::default().with_fields(&Fields { code: vec![code], verdict: None });
        let (_, told) = shown(of(Code::NoAnswer));
        assert!(
            told.contains(&"tcp 0".to_owned()) && told.contains(&"tcp 1".to_owned()),
            "neither SYN was answered: {told:?}"
        );
        assert!(told.iter().filter(|line| line.starts_with("finding")).count() == 2, "{told:?}");
        let (packets, told) = shown(of(Code::FinAck));
        assert_eq!((packets, told), (0, Vec::new()), "nobody closed");
    }

    #[test]
    fn an_outcome_selects_packets_of_which_it_was_said() {
        let packets = |verdict| {
            let fields = Fields { code: Vec::new(), verdict: Some(verdict) };
            let trace = craft::play(WRONG_ACK).expect("the script is sound");
            let selection = Selection::default().with_fields(&fields);
            let mut analyzer = Analyzer::default().judging(selection.judging(Judging::Off));
            let mut wanted = Vec::new();
            for frame in trace.frames() {
                let packet = decode(&frame);
                let seen = analyzer.observe(&packet, &mut crate::cli::sinks::Nobody);
                wanted.extend(selection.wants(&packet, &seen).then_some(frame.meta.number));
            }
            wanted
        };
        assert_eq!(packets(Outcome::Holds), [2], "the SYN,ACK acknowledges J + 1");
        assert!(packets(Outcome::Broken).contains(&3), "the third acknowledges K + 2");
    }

    const WRONG_ACK: &str = "
        +0.000  C > S  S   1000:1000(0)            win 65535  <mss 1460>
        +0.020  S > C  S.  5000:5000(0)  ack 1001  win 65535  <mss 1400>
        +0.001  C > S  .   1001:1001(0)  ack 5002  win 502
    ";
    const TWO_SERVERS: &str = "
        T = 10.0.0.2:81
        +0.000  C > S  S   1000:1000(0)  win 65535
        +0.001  C > T  S   2000:2000(0)  win 65535
    ";
}
