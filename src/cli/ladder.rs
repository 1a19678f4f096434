//! `synscope ladder`: one conversation as arrows between two sides.

use std::io::Write;

use crate::cli::Verdict;
use crate::cli::args::LadderArgs;
use crate::cli::args::Only;
use crate::cli::drive::Taker;
use crate::cli::drive::Until;
use crate::cli::drive::drive;
use crate::cli::failure::Failure;
use crate::cli::failure::input_name;
use crate::cli::input;
use crate::cli::out::Out;
use crate::cli::say;
use crate::cli::screen::Screen;
use crate::cli::select::Selection;
use crate::cli::sinks::Nobody;
use crate::cli::stop::Stop;
use crate::packet::Frame;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::pipeline::Analyzer;
use crate::pipeline::Seen;
use crate::report::ladder::Ladder;
use crate::source::Flow;
use crate::source::Source;

pub(super) fn run(args: LadderArgs, screen: Screen) -> Result<Verdict, Failure> {
    let mut source = input::file(&args.file, "ladder")?;
    let until = Until { stop: Stop::on_signals()?, deadline: None };
    let protocol = if args.udp { Protocol::Udp } else { Protocol::Tcp };
    let style = screen.style(args.absolute);
    let mut ladder = if args.udp { Ladder::udp(style, args.stream) } else { Ladder::new(style, args.stream) };
    if args.full {
        ladder.fold_after = u64::MAX;
    }
    let mut drawing = Drawing {
        analyzer: Analyzer::default(),
        ladder,
        out: Out::stdout(),
        protocol,
        stream: args.stream,
        selection: Selection::of(&Only { filter: args.filter, ..Only::default() }, None)?,
        streams: 0,
    };
    drive(&mut source, &until, &mut drawing)?;
    if let Some(problem) = &source.info().problem {
        say(&format!("{}: {problem}", input_name(&args.file)));
    }
    drawing.finish(&args.file)
}

struct Drawing {
    analyzer: Analyzer,
    ladder: Ladder,
    out: Out,
    protocol: Protocol,
    stream: u64,
    selection: Selection,
    /// Conversations of this protocol so far.
    streams: u64,
}

impl Drawing {
    fn finish(mut self, file: &str) -> Result<Verdict, Failure> {
        self.selection.settle()?;
        if self.ladder.drawn() == 0 {
            let (protocol, streams, wanted) = (self.protocol, self.streams, self.stream);
            return Err(Failure::NoStream { file: input_name(file), protocol, streams, wanted });
        }
        self.ladder.finish(&mut self.out)?;
        self.out.flush()?;
        Ok(Verdict::Clean)
    }
}

impl Taker for Drawing {
    fn frame(&mut self, frame: &Frame<'_>) {
        self.selection.look(frame);
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<Flow, Failure> {
        let seen = self.analyzer.observe(packet, &mut Nobody);
        let (protocol, stream) = match &seen {
            Seen::Tcp(tcp) => (Protocol::Tcp, tcp.stream),
            Seen::Udp(udp) => (Protocol::Udp, udp.stream),
            Seen::Unreachable { protocol, stream, .. } => (*protocol, *stream),
            Seen::Other => return Ok(Flow::Continue),
        };
        if protocol == self.protocol {
            self.streams = self.streams.max(stream + 1);
            if stream == self.stream && self.selection.wants(packet, &seen) {
                self.ladder.packet(&mut self.out, packet, &seen)?;
            }
        }
        Ok(Flow::Continue)
    }
}
