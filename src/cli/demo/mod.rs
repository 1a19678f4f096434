//! `synscope demo`: a server, a client, and what passed between them, on one screen.

mod scene;

use std::io;
use std::io::Write;

use crate::cli::Verdict;
use crate::cli::demo::scene::Scene;
use crate::cli::drive::Taker;
use crate::cli::drive::Until;
use crate::cli::drive::drive;
use crate::cli::failure::Failure;
use crate::cli::out::Out;
use crate::cli::say;
use crate::cli::screen::Screen;
use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::flow::EndedExchange;
use crate::packet::Control;
use crate::packet::Packet;
use crate::packet::Span;
use crate::pipeline::Analyzer;
use crate::pipeline::Seen;
use crate::pipeline::Sink;
use crate::report::style::Style;
use crate::report::text;
use crate::report::trace::TraceWriter;
use crate::source::FileSource;
use crate::source::Flow;
use crate::source::Source;
use crate::tcp::CloseKind;
use crate::tcp::Side;

pub(super) fn run(screen: Screen) -> Result<Verdict, Failure> {
    let style = screen.style(false);
    let mut out = Out::stdout();
    match scene::play()? {
        Scene::Live(mut source) => {
            writeln!(
                out,
                "{}",
                style.dim("An adder answers {\"A\":7,\"B\":4} with {\"Sum\":11}; this passed on lo just now.")
            )?;
            tell(&mut source, &mut out, style)?;
        }
        Scene::NotAllowed(why) => {
            say(&format!("{why}; here is a recording instead"));
            writeln!(
                out,
                "{}",
                style.dim("An adder answers {\"A\":7,\"B\":4} with {\"Sum\":11}; this is a recording of it.")
            )?;
            tell(&mut FileSource::from_bytes("adder-demo.pcap", RECORDING)?, &mut out, style)?;
        }
    }
    out.flush()?;
    Ok(Verdict::Clean)
}

/// Shows every packet under the heading of its act, then what it came to.
fn tell(source: &mut dyn Source, out: &mut dyn Write, style: Style) -> Result<(), Failure> {
    let mut story = Story {
        analyzer: Analyzer::default(),
        writer: TraceWriter::new(style),
        out,
        style,
        act: Act::Before,
        ends: Ends::default(),
    };
    drive(source, &Until::default(), &mut story)?;
    story.analyzer.finish(&mut story.ends);
    story.verdict()?;
    Ok(())
}

/// Where the story stands. Acts follow each other and never come back.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Act {
    Before,
    Opening,
    Messages,
    Closing,
    Datagrams,
}

impl Act {
    fn heading(self) -> &'static str {
        match self {
            Self::Before => "",
            Self::Opening => "Opening: each side acknowledges the other's first number plus one",
            Self::Messages => "Messages: three questions, three answers, every octet acknowledged",
            Self::Closing => "Closing: each side says that it is done, and hears it acknowledged",
            Self::Datagrams => "The same over UDP: no opening, no closing, just datagrams",
        }
    }

    /// The act that a packet begins or goes on with.
    fn of(packet: &Packet<'_>, seen: &Seen<'_>) -> Option<Self> {
        match seen {
            Seen::Tcp(tcp) if tcp.connection.teardown.fin.iter().any(Option::is_some) => Some(Self::Closing),
            Seen::Tcp(_) => {
                let segment = packet.tcp()?;
                let opens = matches!(segment.flags.control(), Control::Syn | Control::SynAck);
                Some(if opens || segment.len == 0 { Self::Opening } else { Self::Messages })
            }
            Seen::Udp(_) => Some(Self::Datagrams),
            Seen::Unreachable { .. } | Seen::Other => None,
        }
    }
}

struct Story<'a> {
    analyzer: Analyzer,
    writer: TraceWriter,
    out: &'a mut dyn Write,
    style: Style,
    act: Act,
    ends: Ends,
}

impl Taker for Story<'_> {
    fn packet(&mut self, packet: &Packet<'_>) -> Result<Flow, Failure> {
        let seen = self.analyzer.observe(packet, &mut self.ends);
        if let Some(act) = Act::of(packet, &seen).filter(|act| *act > self.act) {
            self.act = act;
            writeln!(self.out, "\n{}", self.style.bold(act.heading()))?;
        }
        self.writer.packet(self.out, packet, &seen)?;
        Ok(Flow::Continue)
    }
}

impl Story<'_> {
    fn verdict(&mut self) -> io::Result<()> {
        writeln!(self.out, "\n{}", self.style.bold("Verdict"))?;
        for line in &self.ends.lines {
            writeln!(self.out, "{line}")?;
        }
        let findings = match self.ends.findings.len() {
            0 => self.style.good("findings: none".to_owned()),
            _ => self.style.warn(format!("findings: {}", self.ends.findings.join("; "))),
        };
        writeln!(self.out, "{findings}")
    }
}

/// What is told at the end.
#[derive(Debug, Default)]
struct Ends {
    lines: Vec<String>,
    findings: Vec<String>,
}

impl Sink for Ends {
    fn connection(&mut self, ended: &EndedConnection<'_>) {
        let connection = ended.connection;
        let took = connection.handshake.rtt().map_or_else(String::new, |rtt| format!(" in {}", text::span(rtt)));
        let closed = match (connection.close_kind(), connection.teardown.first_by()) {
            (CloseKind::Open, _) | (_, None) => "still open".to_owned(),
            (kind, Some(side)) => format!("{} close by the {}", kind.name(), side.name()),
        };
        let answers = connection.turns.answers;
        let mean = connection.turns.mean().unwrap_or(Span::ZERO);
        self.lines.push(format!(
            "TCP  {}{took}, {answers} answers, {} each, {closed}",
            connection.outcome().name(),
            text::span(mean),
        ));
        if let Some(sum) = connection.effective_mss(Side::Client) {
            let largest = connection.side(Side::Client).largest_segment;
            self.lines.push(format!("MSS  {}; the largest segment had {largest}", sum.one_line()));
        }
    }

    fn exchange(&mut self, ended: &EndedExchange<'_>) {
        let exchange = ended.exchange;
        let mean = exchange.mean_latency().map_or_else(String::new, |mean| format!(", {} each", text::span(mean)));
        self.lines.push(format!("UDP  {} of {} datagrams answered{mean}", exchange.pairs, exchange.packets[0]));
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.push(format!("{} ({})", finding.code, finding.text));
    }
}

/// Recorded by the test `the_recording_can_be_made_anew`.
const RECORDING: &[u8] = include_bytes!("../../../fixtures/pcap/adder-demo.pcap");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::craft::Trace;
    use crate::packet::Clock;
    use crate::packet::FrameMeta;
    use crate::packet::LinkType;

    fn told(source: &mut dyn Source) -> String {
        let mut out = Vec::new();
        tell(source, &mut out, Style::plain(100)).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_recording_shows_every_act_and_ends_without_findings() {
        let text = told(&mut FileSource::from_bytes("recording", RECORDING).expect("a capture"));
        let headings = [Act::Opening, Act::Messages, Act::Closing, Act::Datagrams].map(Act::heading);
        let places: Vec<_> = headings.iter().map(|heading| text.find(heading)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
        assert!(text.contains("TCP  established in ") && text.contains("3 answers"), "{text}");
        assert!(text.contains("close by the client"), "{text}");
        assert!(text.contains("UDP  3 of 3 datagrams answered"), "{text}");
        assert!(text.contains("findings: none"), "{text}");
    }

    #[test]
    #[ignore = "needs CAP_NET_RAW, and writes fixtures/pcap/adder-demo.pcap: run it to record anew"]
    fn the_recording_can_be_made_anew() {
        let Ok(Scene::Live(mut source)) = scene::play() else { panic!("capturing is not allowed") };
        let mut trace = Trace::default();
        source
            .poll(&mut |frame| {
                let meta = FrameMeta { clock: Clock::File, link_type: LinkType::ETHERNET, ..frame.meta };
                trace.frames.push((meta, frame.bytes.to_vec()));
                Flow::Continue
            })
            .expect("memory can be read");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/pcap/adder-demo.pcap");
        std::fs::write(path, trace.to_pcap()).expect("the fixture can be written");
        assert!(told(&mut FileSource::open(path).expect("a capture")).contains("findings: none"));
    }
}
