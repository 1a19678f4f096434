//! `synscope analyze`: every connection of a capture, and what is wrong with it.

use std::io::Write;

use crate::cli::Verdict;
use crate::cli::args::AnalyzeArgs;
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
use crate::cli::stop::Stop;
use crate::detect::syn_flood::Thresholds;
use crate::finding::Severity;
use crate::packet::Protocol;
use crate::pipeline::Limits;
use crate::report::style::Style;
use crate::report::summary::Keep;
use crate::report::summary::Summary;
use crate::report::summary::Whole;
use crate::source::Source;

pub(super) fn run(args: AnalyzeArgs, screen: Screen) -> Result<Verdict, Failure> {
    if args.all_findings && args.format == Format::Jsonl {
        return Err(Failure::Usage("--format jsonl tells all findings anyway: leave --all-findings out".to_owned()));
    }
    let mut thresholds = Thresholds::default();
    let set = args.flood.iter().try_for_each(|pair| thresholds.set(pair));
    set.and_then(|()| thresholds.check()).map_err(|error| Failure::Usage(error.to_string()))?;
    input::stdin_once(&args.files)?;
    let stop = Stop::on_signals()?;
    let job = Job { until: Until { stop, deadline: None }, style: screen.style(false), thresholds, args };
    let tally = match job.args.format {
        Format::Table => job.tables()?,
        Format::Jsonl => job.objects()?,
    };
    Ok(match job.args.fail_on.threshold() {
        _ if tally.unread > 0 => Verdict::Incomplete,
        Some(least) if tally.worst >= Some(least) => Verdict::Found,
        _ => Verdict::Clean,
    })
}

struct Job {
    args: AnalyzeArgs,
    until: Until,
    style: Style,
    thresholds: Thresholds,
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
                let (follow, worst) = self.follow(file, source, Summary::new(keep))?;
                let dropped = source.stats().dropped;
                let whole = Whole {
                    info: source.info(),
                    dropped,
                    facts: follow.analyzer.facts(),
                    tables: follow.analyzer.tables(),
                };
                follow.chosen.sink.write(&mut out, &whole, &self.style)?;
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
        let mut follow = Follow::new(limits, Selection::of(&self.args.only, self.args.stream), sink);
        follow.analyzer = follow.analyzer.patient();
        if !self.args.flood.is_empty() {
            follow.analyzer = follow.analyzer.with_thresholds(self.thresholds.clone());
        }
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

/// Findings of a kind in words, unless all are asked for.
const EXAMPLES: usize = 5;
