//! `synscope headers`: every header field of every frame.

use std::fs;
use std::io::Write;

use crate::cli::Verdict;
use crate::cli::args::HeadersArgs;
use crate::cli::choices::Format;
use crate::cli::drive::Taker;
use crate::cli::drive::Until;
use crate::cli::drive::drive;
use crate::cli::failure::Failure;
use crate::cli::failure::input_name;
use crate::cli::input::Capture;
use crate::cli::input::Opened;
use crate::cli::input::Origins;
use crate::cli::out::Out;
use crate::cli::say;
use crate::cli::screen::Screen;
use crate::cli::select::Selection;
use crate::cli::sinks::Nobody;
use crate::cli::stop::Stop;
use crate::cli::values::Frames;
use crate::packet::Frame;
use crate::packet::Packet;
use crate::packet::Timestamp;
use crate::pipeline::Analyzer;
use crate::pipeline::Judging;
use crate::report::headers;
use crate::report::headers::Layout;
use crate::report::json_headers;
use crate::report::json_headers::Place;
use crate::report::style::Style;
use crate::source::Flow;
use crate::source::Margin;
use crate::tcp::dialect;

pub(super) fn run(args: HeadersArgs, screen: Screen) -> Result<Verdict, Failure> {
    let job = Job::of(args, screen)?;
    let mut out = Out::stdout();
    let (mut unread, mut is_first) = (0, true);
    for capture in &job.captures {
        match job.sources(capture) {
            Ok(sources) => job.show(&capture.name, sources, &mut out, &mut is_first)?,
            Err(failure) => {
                say(&failure);
                unread += 1;
            }
        }
    }
    job.selection.settle()?;
    Ok(if unread == 0 { Verdict::Clean } else { Verdict::Incomplete })
}

struct Job {
    captures: Vec<Capture>,
    frames: Frames,
    selection: Selection,
    shape: Shape,
    style: Style,
    until: Until,
    dialect: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shape {
    Page(Layout),
    Brief,
    Objects,
}

/// A capture, and its second opening for a dialect that reads twice.
type Sources = (Opened, Option<Opened>);

impl Job {
    fn of(args: HeadersArgs, screen: Screen) -> Result<Self, Failure> {
        let shape = shape(&args)?;
        if args.absolute && shape != Shape::Brief {
            return usage("--absolute belongs to --brief: tables and objects show the numbers of the wire anyway");
        }
        let mut files = args.names;
        let frames = match range(&files) {
            Some(range) => {
                files.pop();
                range?
            }
            None => Frames::ALL,
        };
        Ok(Self {
            captures: Capture::all(&files, args.reading)?,
            frames,
            selection: Selection::of(&args.only, args.stream)?.with_fields(&args.fields),
            shape,
            style: screen.style(args.absolute),
            until: Until { stop: Stop::on_signals()?, deadline: None },
            dialect: args.dialect.is_some(),
        })
    }

    fn sources(&self, capture: &Capture) -> Result<Sources, Failure> {
        let first = capture.open("headers")?;
        // A stream is read once: the dialect then tells what is known so far.
        // Only objects show what the second reading knows better.
        let again = self.dialect && self.shape == Shape::Objects && capture.stays();
        Ok((first, if again { Some(capture.open("headers")?) } else { None }))
    }

    fn show(
        &self,
        file: &str,
        (mut first, second): Sources,
        out: &mut Out,
        is_first: &mut bool,
    ) -> Result<(), Failure> {
        let (Opened { mut source, origin }, dialect) = match second {
            None => (first, self.dialect.then(dialect::Dialect::new)),
            Some(second) => {
                let mut learner = Learner(dialect::FirstPass::new());
                drive(first.source.as_mut(), &self.until, &mut learner)?;
                (second, Some(dialect::Dialect::second_pass(learner.0.finish())))
            }
        };
        let judging = if self.shape == Shape::Objects { Judging::Everything } else { Judging::Off };
        let analyzer = Analyzer::default().judging(self.selection.judging(judging));
        let selection = self.selection.clone();
        let margin = source.margin();
        let (base, frames) = (None, 0);
        let mut shower =
            Shower { job: self, margin, file, origin, out, analyzer, dialect, selection, is_first, base, frames };
        drive(source.as_mut(), &self.until, &mut shower)?;
        let frames = shower.frames;
        out.flush()?;
        if let Some(problem) = &source.info().problem {
            say(&format!("{}: {problem}", input_name(file)));
        }
        if self.frames.from > frames && self.frames != Frames::ALL {
            return Err(Failure::FrameBeyond { file: input_name(file), frames, wanted: self.frames.from });
        }
        if self.frames.to > frames && self.frames.to != u64::MAX {
            say(&format!("{} ends with frame {frames}", input_name(file)));
        }
        Ok(())
    }
}

/// What is to be written, where only one thing was asked for.
fn shape(args: &HeadersArgs) -> Result<Shape, Failure> {
    match (args.format, args.brief, args.ruler, args.hex) {
        (Format::Table, false, false, false) => Ok(Shape::Page(Layout::Table)),
        (Format::Table, true, false, false) => Ok(Shape::Brief),
        (Format::Table, false, true, false) => Ok(Shape::Page(Layout::Ruler)),
        (Format::Table, false, false, true) => Ok(Shape::Page(Layout::Hex)),
        (Format::Table, _, _, _) => usage("--brief, --ruler and --hex each lay out a packet their own way: choose one"),
        (Format::Jsonl, false, false, false) => Ok(Shape::Objects),
        (Format::Jsonl, true, _, _) => usage("--brief is a line for people, --format jsonl an object: leave one out"),
        (Format::Jsonl, false, _, _) => usage("--ruler and --hex are for people, --format jsonl is not: leave one out"),
    }
}

/// The frames asked for, where the last name reads as a range and is not the only one, nor a file.
fn range(names: &[String]) -> Option<Result<Frames, Failure>> {
    let [_, .., last] = names else { return None };
    if fs::symlink_metadata(last).is_ok() {
        return None;
    }
    Frames::read(last).map(|range| range.map_err(Failure::from))
}

fn usage<T>(text: &str) -> Result<T, Failure> {
    Err(Failure::Usage(text.to_owned()))
}

/// The first of two passes.
struct Learner(dialect::FirstPass);

impl Taker for Learner {
    fn packet(&mut self, packet: &Packet<'_>) -> Result<Flow, Failure> {
        self.0.observe(packet);
        Ok(Flow::Continue)
    }
}

struct Shower<'a> {
    job: &'a Job,
    file: &'a str,
    origin: Option<Origins>,
    margin: Option<Margin>,
    out: &'a mut Out,
    analyzer: Analyzer,
    dialect: Option<dialect::Dialect>,
    selection: Selection,
    /// No object was written so far: the first one bears the number of the schema.
    is_first: &'a mut bool,
    base: Option<Timestamp>,
    frames: u64,
}

impl Taker for Shower<'_> {
    fn frame(&mut self, frame: &Frame<'_>) {
        self.selection.look(frame);
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<Flow, Failure> {
        let job = self.job;
        let frame = packet.meta.number;
        self.frames = frame;
        let base = *self.base.get_or_insert(packet.meta.at);
        self.selection.begins(base);
        let seen = self.analyzer.observe(packet, &mut Nobody);
        let tags = self.dialect.as_mut().and_then(|dialect| dialect.observe(packet));
        if job.frames.contains(frame) && self.selection.wants(packet, &seen) {
            let tags = tags.as_ref();
            let origin = self.origin.as_ref().map(Origins::latest);
            let (file, number) = origin.unwrap_or((self.file, frame));
            let notes = self.margin.as_ref().map(Margin::latest).unwrap_or_default();
            let place = Place { file, number, merged: origin.map(|_| frame), notes: &notes, is_first: false };
            match job.shape {
                Shape::Page(layout) => {
                    if origin.is_some() {
                        writeln!(self.out, "{}:{number}", input_name(file))?;
                    }
                    headers::page(self.out, packet, &seen, &job.style, tags, layout)?;
                    headers::notes(self.out, &notes, &job.style)?;
                }
                Shape::Brief => {
                    if origin.is_some() {
                        write!(self.out, "{}:{number} ", input_name(file))?;
                    }
                    headers::brief(self.out, packet, &seen, &job.style, base, tags)?;
                    headers::notes(self.out, &notes, &job.style)?;
                }
                Shape::Objects => {
                    let is_first = std::mem::take(self.is_first);
                    json_headers::placed(self.out, Place { is_first, ..place }, packet, &seen, tags)?;
                }
            }
        }
        Ok(if frame >= job.frames.to { Flow::Stop } else { Flow::Continue })
    }

    fn pause(&mut self) -> Result<(), Failure> {
        Ok(self.out.flush()?)
    }
}
