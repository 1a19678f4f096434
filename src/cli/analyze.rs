//! `synscope analyze`: every connection of a capture, and what is wrong with it.

use std::io::Write;

use crate::cli::Verdict;
use crate::cli::args::AnalyzeArgs;
use crate::cli::args::FailOn;
use crate::cli::args::Format;
use crate::cli::drive::Until;
use crate::cli::failure::Failure;
use crate::cli::failure::input_name;
use crate::cli::follow::Follow;
use crate::cli::input;
use crate::cli::out::Out;
use crate::cli::say;
use crate::cli::screen::Screen;
use crate::cli::select::Selection;
use crate::cli::sinks::Objects;
use crate::cli::sinks::Show;
use crate::cli::sinks::Tables;
use crate::cli::stop::Stop;
use crate::finding::Severity;
use crate::packet::Protocol;
use crate::pipeline::Limits;
use crate::report::messages::MessageTable;
use crate::report::style::Style;
use crate::report::summary::Keep;
use crate::report::summary::Summary;
use crate::report::summary::Whole;
use crate::source::Source;

pub(super) fn run(args: AnalyzeArgs, screen: Screen) -> Result<Verdict, Failure> {
    if args.all_findings && args.format == Format::Jsonl {
        return Err(Failure::Usage("--format jsonl tells all findings anyway: leave --all-findings out".to_owned()));
    }
    let chosen = args.stream.is_some() || args.only.port.is_some() || args.only.host.is_some();
    if args.messages.framing.is_some() && !chosen {
        let text = "--framing is the rule of one service: choose its connections with --port, --host or --stream";
        return Err(Failure::Usage(text.to_owned()));
    }
    input::stdin_once(&args.files)?;
    let stop = Stop::on_signals()?;
    let job = Job { until: Until { stop, deadline: None }, style: screen.style(false), args };
    let tally = match job.args.format {
        Format::Table => job.tables()?,
        Format::Jsonl => job.objects()?,
    };
    Ok(match threshold(job.args.fail_on) {
        _ if tally.unread > 0 => Verdict::Incomplete,
        Some(least) if tally.worst >= Some(least) => Verdict::Found,
        _ => Verdict::Clean,
    })
}

struct Job {
    args: AnalyzeArgs,
    until: Until,
    style: Style,
}

/// What the exit code depends on.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    worst: Option<Severity>,
    unread: usize,
}

impl Job {
    fn tables(&self) -> Result<Tally, Failure> {
        let mut out = Out::stdout();
        let keep = Keep { rows: self.args.limit, examples: if self.args.all_findings { usize::MAX } else { EXAMPLES } };
        let mut tally = Tally::default();
        let mut between = false;
        for file in &self.args.files {
            self.each(file, &mut tally, |source| {
                if std::mem::replace(&mut between, true) {
                    writeln!(out)?;
                }
                let framing = self.args.messages.framing;
                let messages = framing.map(|framing| MessageTable::new(framing, self.args.limit));
                let sink = Tables { summary: Summary::new(keep), messages };
                let (follow, worst) = self.follow(file, source, sink)?;
                let dropped = source.stats().dropped;
                let whole = Whole {
                    info: source.info(),
                    dropped,
                    facts: follow.analyzer.facts(),
                    tables: follow.analyzer.tables(),
                };
                let Tables { summary, messages } = follow.chosen.sink;
                summary.write(&mut out, &whole, &self.style)?;
                if let Some(messages) = messages {
                    messages.write(&mut out, follow.analyzer.without_messages(), &self.style)?;
                }
                out.flush()?;
                Ok(worst)
            })?;
        }
        Ok(tally)
    }

    fn objects(&self) -> Result<Tally, Failure> {
        let mut objects = Some(Objects::new(Out::stdout()));
        let mut tally = Tally::default();
        for file in &self.args.files {
            self.each(file, &mut tally, |source| {
                let mut sink = objects.take().expect("each capture gives its sink back");
                sink.begin(file);
                let (follow, worst) = self.follow(file, source, sink)?;
                objects = Some(follow.chosen.sink);
                Ok(worst)
            })?;
        }
        if let Some(mut objects) = objects {
            objects.finish()?;
        }
        Ok(tally)
    }

    /// Opens a file and works on it. One that cannot be read is told of, and the next one's turn comes.
    fn each(
        &self,
        file: &str,
        tally: &mut Tally,
        work: impl FnOnce(&mut dyn Source) -> Result<Option<Severity>, Failure>,
    ) -> Result<(), Failure> {
        match input::file(file, "analyze") {
            Ok(mut source) => {
                let worst = work(&mut source)?;
                // A capture that ends badly is a finding about the capture.
                let bad_end = source.info().problem.as_ref().map(|_| Severity::Warning);
                tally.worst = tally.worst.max(worst).max(bad_end);
            }
            Err(failure) => {
                say(&failure);
                tally.unread += 1;
            }
        }
        Ok(())
    }

    fn follow<S: Show>(
        &self,
        file: &str,
        source: &mut dyn Source,
        sink: S,
    ) -> Result<(Follow<S>, Option<Severity>), Failure> {
        let limits = Limits {
            connections: self.args.max_connections.unwrap_or(Limits::default().connections),
            ..Limits::default()
        };
        let selection = Selection::of(&self.args.only, self.args.stream);
        let mut follow = Follow::new(limits, selection, sink);
        let framed = selection.framed(self.args.messages.framing);
        follow.analyzer = follow.analyzer.patient().finding_messages(framed);
        if self.args.format == Format::Jsonl {
            let snaplen = source.info().interfaces.first().map(|interface| interface.snaplen);
            follow.analyzer = follow.analyzer.keeping_ledger(snaplen.filter(|&snaplen| snaplen > 0));
        }
        follow.run(source, &self.until)?;
        match self.args.stream {
            Some(wanted) if follow.shown == 0 => Err(Failure::NoStream {
                file: input_name(file),
                protocol: Protocol::Tcp,
                streams: follow.chosen.tcp_streams,
                wanted,
            }),
            _ => {
                let worst = follow.chosen.worst;
                Ok((follow, worst))
            }
        }
    }
}

fn threshold(fail_on: FailOn) -> Option<Severity> {
    match fail_on {
        FailOn::Note => Some(Severity::Note),
        FailOn::Warning => Some(Severity::Warning),
        FailOn::Error => Some(Severity::Error),
        FailOn::Never => None,
    }
}

/// Findings of a kind in words, unless all are asked for.
const EXAMPLES: usize = 5;
