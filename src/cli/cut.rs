//! `synscope cut`: what was chosen of captures, written back with everything that belongs to it.
//!
//! Conversations are followed first, in a pass of their own, so that fragments which came before their datagram was known,
//! and frames before a code was found, are kept too; then the files are read again and written piece by piece.

use std::io::IsTerminal;
use std::io::stdout;

use crate::cli::Verdict;
use crate::cli::args::CutArgs;
use crate::cli::args::Fields;
use crate::cli::bits::Bits;
use crate::cli::destination::Destination;
use crate::cli::destination::Draft;
use crate::cli::drive::Until;
use crate::cli::failure::Failure;
use crate::cli::failure::input_name;
use crate::cli::input;
use crate::cli::keep;
use crate::cli::keep::Wanted;
use crate::cli::say;
use crate::cli::select::Selection;
use crate::cli::stop::Stop;
use crate::cli::talk;
use crate::cli::values::Frames;
use crate::packet::Frame;
use crate::packet::Timestamp;
use crate::source::CaptureWriter;
use crate::source::Flow;
use crate::source::Manner;
use crate::source::PieceSource;
use crate::source::Poll;
use crate::source::WriteError;

pub(super) fn run(args: CutArgs) -> Result<Verdict, Failure> {
    input::stdin_once(&args.files)?;
    let destination = Destination::of(&args.out);
    destination.must_differ_from(&args.files)?;
    if destination.is_stdout() && stdout().is_terminal() {
        return Err(Failure::Usage("the capture would go to the terminal: name a file with -o, or pipe it".to_owned()));
    }
    let job = Job {
        selection: Selection::of(&args.only, args.stream.iter().copied())?,
        frames: args.frames.unwrap_or(Frames::ALL),
        until: Until { stop: Stop::on_signals()?, deadline: None },
        args,
    };
    if job.is_by_conversation() && job.args.files.iter().any(|file| !std::path::Path::new(file).is_file()) {
        let text = "conversations are followed before they are written, so the capture is read twice: \
                    save it to a file first, or choose with --filter, --since, --until, --frames";
        return Err(Failure::Usage(text.to_owned()));
    }
    job.write(&destination)?;
    Ok(Verdict::Clean)
}

struct Job {
    args: CutArgs,
    selection: Selection,
    frames: Frames,
    until: Until,
}

/// How many frames there were, and how many were kept.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    seen: u64,
    kept: u64,
}

impl Job {
    /// Something is asked of conversations, not only of frames.
    fn is_by_conversation(&self) -> bool {
        let args = &self.args;
        !args.stream.is_empty()
            || !args.udp_stream.is_empty()
            || !args.code.is_empty()
            || args.only.port.is_some()
            || args.only.host.is_some()
    }

    fn is_selective(&self) -> bool {
        self.is_by_conversation()
            || self.args.only.filter.is_some()
            || !self.args.only.period().is_unbounded()
            || self.frames != Frames::ALL
    }

    fn write(&self, destination: &Destination) -> Result<(), Failure> {
        let manner = Manner { format: destination.format, merged: self.args.merge, selective: self.is_selective() };
        let mut tally = Tally::default();
        let mut writer = CaptureWriter::new(destination.begin()?, manner);
        for (index, files) in self.groups().into_iter().enumerate() {
            let wanted = self.wanted(files)?;
            let mut source = self.open(files)?;
            let failed = |error| self.failed(destination, error);
            self.copy(source.as_mut(), index, wanted.as_ref(), &mut writer, &mut tally).map_err(failed)?;
            if let Some(problem) = &source.info().problem {
                let name = if self.args.merge { String::new() } else { format!("{}: ", input_name(&files[0])) };
                say(&format!("{name}{problem}"));
            }
        }
        self.selection.settle()?;
        let lost = writer.lost();
        let draft: Draft = writer.finish().map_err(|error| self.failed(destination, Ended::Write(error)))?;
        draft.finish().map_err(|error| destination.failed(error))?;
        if !lost.is_empty() {
            talk(&format!("a pcap file cannot hold: {}; -o NAME.pcapng keeps them", lost.join(", ")));
        }
        let Tally { seen, kept } = tally;
        talk(&format!("{kept} of {seen} frames written"));
        Ok(())
    }

    /// Files that are read as one.
    fn groups(&self) -> Vec<&[String]> {
        if self.args.merge { vec![&self.args.files] } else { self.args.files.chunks(1).collect() }
    }

    fn open(&self, files: &[String]) -> Result<Box<dyn PieceSource>, Failure> {
        match files {
            [file] => Ok(Box::new(input::file(file, "cut")?)),
            files => Ok(Box::new(input::merged(files, "cut")?)),
        }
    }

    /// The frames of the conversations asked for; `None` where nothing is asked of conversations.
    fn wanted(&self, files: &[String]) -> Result<Option<Bits>, Failure> {
        if !self.is_by_conversation() {
            return Ok(None);
        }
        let fields = Fields { code: self.args.code.clone(), verdict: None };
        let mut wanted = Wanted::new(&self.selection, &self.args.udp_stream, &fields);
        for pass in wanted.passes() {
            keep::follow(self.open(files)?.as_mut(), &self.until, &mut wanted, pass)?;
        }
        let name = files.iter().map(|file| input_name(file)).collect::<Vec<_>>().join(" + ");
        wanted.frames(&name).map(Some)
    }

    fn copy(
        &self,
        source: &mut dyn PieceSource,
        index: usize,
        wanted: Option<&Bits>,
        writer: &mut CaptureWriter<Draft>,
        tally: &mut Tally,
    ) -> Result<(), Ended> {
        let mut first = None;
        let mut result = Ok(());
        loop {
            if self.until.stop.is_asked() {
                return Err(Ended::Stopped);
            }
            let poll = source.pieces(&mut |piece| {
                if let Some(frame) = &piece.frame {
                    tally.seen += 1;
                    let first = *first.get_or_insert(frame.meta.at);
                    if !self.keeps(frame, first, wanted) {
                        return Flow::Continue;
                    }
                    tally.kept += 1;
                }
                let file = if self.args.merge { piece.file } else { index };
                result = writer.piece(&crate::source::Piece { file, ..*piece });
                if result.is_ok() { Flow::Continue } else { Flow::Stop }
            });
            result?;
            result = Ok(());
            if poll.map_err(|error| Ended::Read(error.into()))? == Poll::End {
                return Ok(());
            }
        }
    }

    fn keeps(&self, frame: &Frame<'_>, first: Timestamp, wanted: Option<&Bits>) -> bool {
        self.frames.contains(frame.meta.number)
            && self.args.only.period().contains(frame.meta.at, first)
            && wanted.is_none_or(|wanted| wanted.has(frame.meta.number))
            && self.selection.passes(frame)
    }

    fn failed(&self, destination: &Destination, ended: Ended) -> Failure {
        match ended {
            Ended::Stopped => Failure::Interrupted,
            Ended::Read(failure) => failure,
            Ended::Write(WriteError::Output(error)) => destination.failed(error),
            Ended::Write(error) => Failure::Usage(format!("{error} (-o NAME.pcapng)")),
        }
    }
}

/// What ended a copy before its end.
enum Ended {
    Stopped,
    Read(Failure),
    Write(WriteError),
}

impl From<WriteError> for Ended {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}
