//! `synscope explain`: why one packet was sent, what is noteworthy on one connection, what a code means.

use std::io::Write;

use crate::cli::Verdict;
use crate::cli::args::ExplainArgs;
use crate::cli::choices::Format;
use crate::cli::drive::Taker;
use crate::cli::drive::Until;
use crate::cli::drive::drive;
use crate::cli::failure::Failure;
use crate::cli::failure::input_name;
use crate::cli::failure::shown;
use crate::cli::input;
use crate::cli::out::Out;
use crate::cli::say;
use crate::cli::screen::Screen;
use crate::cli::sinks::Nobody;
use crate::cli::stop::Stop;
use crate::cli::values::Frames;
use crate::finding::Code;
use crate::packet::Packet;
use crate::packet::Protocol;
use crate::pipeline::Analyzer;
use crate::pipeline::Judging;
use crate::report::explain::Explainer;
use crate::report::explain::catalogue;
use crate::report::explain::stream::StreamExplainer;
use crate::report::style::Style;
use crate::source::Flow;
use crate::source::Source;
use crate::tcp::dialect::Dialect;

pub(super) fn run(args: ExplainArgs, screen: Screen) -> Result<Verdict, Failure> {
    let style = screen.style(args.absolute);
    let wanted = wanted(&args)?;
    let mut out = Out::stdout();
    match wanted {
        Wanted::Catalogue => catalogue::page(&mut out)?,
        Wanted::Code(code) => catalogue::code(&mut out, code, &style)?,
        Wanted::Frame { file, frame } => explain_frame(file, frame, style, &args, &mut out)?,
        Wanted::Stream { file, stream } => explain_stream(file, stream, style, args.format, &mut out)?,
    }
    out.flush()?;
    Ok(Verdict::Clean)
}

enum Wanted<'a> {
    Catalogue,
    Code(Code),
    Frame { file: &'a str, frame: u64 },
    Stream { file: &'a str, stream: u64 },
}

fn wanted(args: &ExplainArgs) -> Result<Wanted<'_>, Failure> {
    let about_codes = args.catalogue || args.code.is_some();
    if about_codes
        && (args.file.is_some() || args.stream.is_some() || args.state || args.absolute || args.format == Format::Jsonl)
    {
        return usage("--code and --catalogue are about codes, not about a capture: leave the rest out");
    }
    match &args.code {
        Some(all) if all == "all" => return Ok(Wanted::Catalogue),
        Some(name) => return code(name).map(Wanted::Code),
        None if args.catalogue => return Ok(Wanted::Catalogue),
        None => {}
    }
    let Some(file) = &args.file else {
        return usage("name a capture and a frame (explain FILE FRAME), FILE --stream N, or --code CODE");
    };
    match (&args.frame, args.stream) {
        (Some(_), Some(_)) => usage("a frame or a whole stream: give FRAME or --stream N, not both"),
        (None, Some(_)) if args.state => usage("--state is taken after one frame: give FRAME with it, not --stream"),
        (None, Some(stream)) => Ok(Wanted::Stream { file, stream }),
        (Some(frame), None) => Ok(Wanted::Frame { file, frame: single(frame)? }),
        (None, None) => usage("which frame? explain FILE FRAME, or explain FILE --stream N for a whole connection"),
    }
}

fn single(text: &str) -> Result<u64, Failure> {
    match Frames::read(text) {
        Some(Ok(Frames { from, to })) if from == to => Ok(from),
        Some(Ok(_)) => usage("one frame at a time: synscope headers takes ranges"),
        Some(Err(error)) => Err(error.into()),
        None => usage(&format!("'{}' is no frame number", shown(text))),
    }
}

fn code(name: &str) -> Result<Code, Failure> {
    Code::named(name).ok_or_else(|| {
        let near: Vec<_> = catalogue::nearest(name).into_iter().map(Code::as_str).collect();
        let near = near.join(", ");
        Failure::Usage(format!("there is no code '{}': did you mean {near}? (--code all lists them)", shown(name)))
    })
}

fn usage<T>(text: &str) -> Result<T, Failure> {
    Err(Failure::Usage(text.to_owned()))
}

fn explain_frame(file: &str, frame: u64, style: Style, args: &ExplainArgs, out: &mut Out) -> Result<(), Failure> {
    let mut taker = OneFrame {
        analyzer: Analyzer::default().judging(Judging::Everything),
        dialect: Dialect::new(),
        explainer: Explainer::new(style, frame, args.state),
        frames: 0,
    };
    follow(file, &mut taker)?;
    let frames = taker.frames;
    let there = match args.format {
        Format::Table => taker.explainer.finish(out)?,
        Format::Jsonl => taker.explainer.finish_object(out, file)?,
    };
    if !there {
        return Err(Failure::FrameBeyond { file: input_name(file), frames, wanted: frame });
    }
    Ok(())
}

fn explain_stream(file: &str, stream: u64, style: Style, format: Format, out: &mut Out) -> Result<(), Failure> {
    let mut taker = OneStream {
        analyzer: Analyzer::default().judging(Judging::Everything),
        explainer: StreamExplainer::new(style, stream),
    };
    follow(file, &mut taker)?;
    taker.analyzer.finish(&mut taker.explainer);
    let streams = taker.explainer.streams;
    let there = match format {
        Format::Table => taker.explainer.finish(out)?,
        Format::Jsonl => taker.explainer.finish_object(out, file)?,
    };
    if !there {
        return Err(Failure::NoStream { file: input_name(file), protocol: Protocol::Tcp, streams, wanted: stream });
    }
    Ok(())
}

fn follow(file: &str, taker: &mut dyn Taker) -> Result<(), Failure> {
    let mut source = input::file(file, "explain")?;
    let until = Until { stop: Stop::on_signals()?, deadline: None };
    drive(&mut source, &until, taker)?;
    if let Some(problem) = &source.info().problem {
        say(&format!("{}: {problem}", input_name(file)));
    }
    Ok(())
}

struct OneFrame {
    analyzer: Analyzer,
    dialect: Dialect,
    explainer: Explainer,
    frames: u64,
}

impl Taker for OneFrame {
    fn packet(&mut self, packet: &Packet<'_>) -> Result<Flow, Failure> {
        self.frames = packet.meta.number;
        let seen = self.analyzer.observe(packet, &mut Nobody);
        let tags = self.dialect.observe(packet);
        self.explainer.packet(packet, &seen, tags.as_ref());
        Ok(if self.explainer.has_enough() { Flow::Stop } else { Flow::Continue })
    }

    fn lost(&mut self, total: u64) {
        self.analyzer.capture_lost(total);
    }
}

struct OneStream {
    analyzer: Analyzer,
    explainer: StreamExplainer,
}

impl Taker for OneStream {
    fn packet(&mut self, packet: &Packet<'_>) -> Result<Flow, Failure> {
        let seen = self.analyzer.observe(packet, &mut self.explainer);
        self.explainer.packet(packet, &seen);
        Ok(Flow::Continue)
    }

    fn lost(&mut self, total: u64) {
        self.analyzer.capture_lost(total);
    }
}
