//! `synscope analyze --states`: the states of both ends of one connection, beside its packets.

use std::io::Write;

use crate::cli::drive::Taker;
use crate::cli::drive::Until;
use crate::cli::drive::drive;
use crate::cli::failure::Failure;
use crate::cli::failure::input_name;
use crate::cli::out::Out;
use crate::cli::say;
use crate::cli::sinks::Nobody;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::pipeline::Analyzer;
use crate::pipeline::Seen;
use crate::report::states::States;
use crate::report::style::Style;
use crate::source::Flow;
use crate::source::Source;

/// Shows the TCP connection of this number.
pub(super) fn show(
    file: &str,
    source: &mut dyn Source,
    stream: u64,
    style: Style,
    until: &Until,
) -> Result<(), Failure> {
    let states = States::new(style, stream);
    let mut showing = Showing { analyzer: Analyzer::default().patient(), states, out: Out::stdout(), streams: 0 };
    drive(source, until, &mut showing)?;
    if let Some(problem) = &source.info().problem {
        say(&format!("{}: {problem}", input_name(file)));
    }
    if showing.states.packets() == 0 {
        let (protocol, streams) = (Protocol::Tcp, showing.streams);
        return Err(Failure::NoStream { file: input_name(file), protocol, streams, wanted: stream });
    }
    showing.states.finish(&mut showing.out)?;
    Ok(showing.out.flush()?)
}

struct Showing {
    analyzer: Analyzer,
    states: States,
    out: Out,
    /// Connections so far.
    streams: u64,
}

impl Taker for Showing {
    fn packet(&mut self, packet: &Packet<'_>) -> Result<Flow, Failure> {
        let seen = self.analyzer.observe(packet, &mut Nobody);
        if let Seen::Tcp(tcp) = &seen {
            self.streams = self.streams.max(tcp.stream + 1);
        }
        self.states.packet(&mut self.out, packet, &seen)?;
        Ok(Flow::Continue)
    }
}
