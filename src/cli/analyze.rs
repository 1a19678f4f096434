//! `synscope analyze`: every connection of a capture, and what is wrong with it.

use std::io;
use std::io::Write;

use crate::cli::Verdict;
use crate::cli::args::AnalyzeArgs;
use crate::cli::choices::CsvTable;
use crate::cli::choices::Shape;
use crate::cli::drive::Until;
use crate::cli::failure::Failure;
use crate::cli::failure::input_name;
use crate::cli::follow::Follow;
use crate::cli::input::Capture;
use crate::cli::input::Opened;
use crate::cli::out::Out;
use crate::cli::say;
use crate::cli::screen::Screen;
use crate::cli::select::Selection;
use crate::cli::sinks::Objects;
use crate::cli::sinks::Rows;
use crate::cli::sinks::Show;
use crate::cli::sinks::WithTables;
use crate::cli::states;
use crate::cli::stop::Stop;
use crate::cli::talk;
use crate::detect::syn_flood::Thresholds;
use crate::finding::Severity;
use crate::packet::Protocol;
use crate::pipeline::Limits;
use crate::report::capture;
use crate::report::capture::Whole;
use crate::report::connection::Details;
use crate::report::csv::Sheet;
use crate::report::csv::Table;
use crate::report::messages::MessageTable;
use crate::report::order::Sort;
use crate::report::ranking::Ranking;
use crate::report::servers::Servers;
use crate::report::style::Style;
use crate::report::summary::Keep;
use crate::report::summary::Summary;
use crate::source::Source;
use crate::tcp::life::Course;

pub(super) fn run(args: AnalyzeArgs, screen: Screen) -> Result<Verdict, Failure> {
    check(&args)?;
    thresholds(&args)?;
    let captures = Capture::all(&args.files, args.reading)?;
    let stop = Stop::on_signals()?;
    let job = Job { until: Until { stop, deadline: None }, style: screen.style(false), captures, args };
    let detailed = !job.args.stream.is_empty();
    let tally = match (job.args.format, job.args.worst) {
        (Shape::Table | Shape::Markdown, _) if job.args.states => job.states()?,
        (Shape::Table | Shape::Markdown, _) if detailed => job.details()?,
        (Shape::Table, Some(worst)) => job.ranking(worst)?,
        (Shape::Table | Shape::Markdown, _) => job.tables()?,
        (Shape::Jsonl, _) => job.objects()?,
        (Shape::Csv, _) => job.rows()?,
    };
    Ok(match job.args.fail_on.threshold() {
        _ if tally.unread > 0 => Verdict::Incomplete,
        Some(least) if tally.worst >= Some(least) => Verdict::Found,
        _ => Verdict::Clean,
    })
}

/// Those of the flood detector, with what was asked for.
fn thresholds(args: &AnalyzeArgs) -> Result<Thresholds, Failure> {
    let mut thresholds = Thresholds::holding(args.max_attempts.unwrap_or(Limits::default().half_open));
    let set = args.flood.iter().try_for_each(|pair| thresholds.set(pair));
    set.and_then(|()| thresholds.check()).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(thresholds)
}

/// Options that have nothing to say together.
fn check(args: &AnalyzeArgs) -> Result<(), Failure> {
    let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
    let chosen = !args.stream.is_empty() || args.only.port.is_some() || args.only.host.is_some();
    if args.messages.framing.is_some() && !chosen {
        return usage("--framing is the rule of one service: choose its connections with --port, --host or --stream");
    }
    match args.format {
        Shape::Csv if args.messages.framing.is_some() => {
            usage("messages are no table of --format csv: try --format jsonl")
        }
        Shape::Jsonl if args.all_findings => {
            usage("--format jsonl tells all findings anyway: leave --all-findings out")
        }
        Shape::Csv if args.all_findings => usage("--all-findings is about pages for people: try --table findings"),
        Shape::Csv if args.table == Some(CsvTable::Findings) && (args.sort.is_some() || args.worst.is_some()) => {
            usage("findings stand in the order of time: leave --sort and --worst out")
        }
        Shape::Table | Shape::Jsonl | Shape::Markdown if args.table.is_some() => {
            usage("--table chooses the one table of --format csv: the other formats hold them all")
        }
        Shape::Table | Shape::Markdown if !args.stream.is_empty() && (args.sort.is_some() || args.limit.is_some()) => {
            usage("--stream tells each connection whole, by number: leave --sort and --limit out")
        }
        Shape::Table | Shape::Markdown if args.states && args.stream.len() != 1 => {
            usage("--states shows one connection: add --stream N, or --format jsonl for all")
        }
        Shape::Csv if args.states => usage("--states is a page or a list: leave --format csv out"),
        Shape::Table | Shape::Jsonl | Shape::Csv | Shape::Markdown => Ok(()),
    }
}

struct Job {
    args: AnalyzeArgs,
    captures: Vec<Capture>,
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
    /// What stands first, where that was asked for.
    fn sort(&self) -> Option<Sort> {
        self.args.worst.map(|_| Sort::Worst).or(self.args.sort.map(Sort::from))
    }

    /// Conversations at most, 0 for all: pages for people end, streams for programs do not, but what is put in order
    /// has to be kept until the end.
    fn limit(&self) -> usize {
        let unasked = match self.args.format {
            Shape::Table | Shape::Markdown => ROWS,
            Shape::Jsonl | Shape::Csv if self.args.sort.is_some() => SORTED_ROWS,
            Shape::Jsonl | Shape::Csv => 0,
        };
        self.args.worst.or(self.args.limit).unwrap_or(unasked)
    }

    fn tables(&self) -> Result<Tally, Failure> {
        let examples = if self.args.all_findings { usize::MAX } else { EXAMPLES };
        let keep = Keep { rows: self.limit(), sort: self.sort().unwrap_or_default(), examples };
        self.pages(
            || Summary::new(keep),
            |summary, out, whole| match self.args.format {
                Shape::Markdown => summary.write_markdown(out, whole),
                Shape::Table | Shape::Jsonl | Shape::Csv => summary.write(out, whole, &self.style),
            },
        )
    }

    fn ranking(&self, worst: usize) -> Result<Tally, Failure> {
        self.pages(|| Ranking::new(worst), |ranking, out, whole| ranking.write(out, whole, &self.style))
    }

    /// Each connection told whole: who names a few wants to read all of them.
    fn details(&self) -> Result<Tally, Failure> {
        let markdown = self.args.format == Shape::Markdown;
        let style = if markdown { Style::default() } else { self.style };
        self.pages(
            || Details::new(style),
            |details, out, whole| {
                if markdown {
                    capture::write_markdown(out, whole)?;
                    return details.write_markdown(out);
                }
                capture::write(out, whole, &style)?;
                details.write(out)
            },
        )
    }

    /// A page for each capture, written when it is over.
    fn pages<S: Show>(
        &self,
        mut sink: impl FnMut() -> S,
        mut write: impl FnMut(S, &mut dyn Write, &Whole<'_>) -> io::Result<()>,
    ) -> Result<Tally, Failure> {
        let mut out = Out::stdout();
        let mut tally = Tally::default();
        let mut between = false;
        for capture in &self.captures {
            self.each(capture, &mut tally, |source| {
                if std::mem::replace(&mut between, true) {
                    writeln!(out)?;
                }
                let servers = (self.args.worst.is_none() && self.args.stream.is_empty()).then(Servers::default);
                let sink = WithTables { pages: sink(), messages: self.messages(), servers };
                let (follow, worst) = self.follow(capture, source, sink)?;
                let dropped = source.stats().dropped;
                let trial = follow.analyzer.trial_of(source.info(), dropped);
                let whole = Whole {
                    info: source.info(),
                    trial: &trial,
                    facts: follow.analyzer.facts(),
                    pressure: follow.analyzer.pressure(),
                };
                let WithTables { pages, messages, servers } = follow.chosen.sink;
                write(pages, &mut out, &whole)?;
                let markdown = self.args.format == Shape::Markdown;
                if let Some(servers) = servers.filter(|_| !markdown) {
                    servers.write(&mut out, self.limit(), &self.style)?;
                }
                if let Some(messages) = messages {
                    messages.write(&mut out, follow.analyzer.without_messages(), markdown, &self.style)?;
                }
                out.flush()?;
                Ok(worst)
            })?;
        }
        Ok(tally)
    }

    fn messages(&self) -> Option<MessageTable> {
        self.args.messages.framing.map(|framing| MessageTable::new(framing, self.limit()))
    }

    /// The states of one connection instead of tables.
    fn states(&self) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        for capture in &self.captures {
            self.each(capture, &mut tally, |source| {
                let stream = self.args.stream.first().copied().unwrap_or_default();
                states::show(&capture.name, source, stream, self.style, &self.until).map(|()| None)
            })?;
        }
        Ok(tally)
    }

    fn objects(&self) -> Result<Tally, Failure> {
        let mut objects = Some(Objects::new(Out::stdout()).in_order(self.sort(), self.limit()));
        let mut tally = Tally::default();
        for capture in &self.captures {
            self.each(capture, &mut tally, |source| {
                let mut sink = objects.take().expect("each capture gives its sink back");
                sink.begin(&capture.name);
                let (follow, worst) = self.follow(capture, source, sink)?;
                objects = Some(follow.chosen.sink);
                Ok(worst)
            })?;
        }
        if let Some(mut objects) = objects {
            objects.finish()?;
        }
        Ok(tally)
    }

    fn rows(&self) -> Result<Tally, Failure> {
        let table = self.args.table.map(Table::from).unwrap_or_default();
        let mut rows = Some(Rows::new(Sheet::new(Out::stdout(), table, self.sort(), self.limit())?));
        let mut tally = Tally::default();
        for capture in &self.captures {
            self.each(capture, &mut tally, |source| {
                let mut sink = rows.take().expect("each capture gives its sink back");
                sink.begin(&capture.name);
                let (follow, worst) = self.follow(capture, source, sink)?;
                rows = Some(follow.chosen.sink);
                Ok(worst)
            })?;
        }
        let left_out = rows.map_or(0, |rows| rows.left_out());
        if left_out > 0 && self.args.limit.is_none() && self.args.worst.is_none() {
            talk(&format!("{left_out} more rows: --limit 0 writes all, and holds all until the end"));
        }
        Ok(tally)
    }

    /// Opens a file and works on it. One that cannot be read is told of, and the next one's turn comes.
    fn each(
        &self,
        capture: &Capture,
        tally: &mut Tally,
        work: impl FnOnce(&mut dyn Source) -> Result<Option<Severity>, Failure>,
    ) -> Result<(), Failure> {
        match capture.open("analyze") {
            Ok(Opened { mut source, .. }) => {
                let worst = work(source.as_mut())?;
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
        capture: &Capture,
        source: &mut dyn Source,
        sink: S,
    ) -> Result<(Follow<S>, Option<Severity>), Failure> {
        let limits = Limits {
            connections: self.args.max_connections.unwrap_or(Limits::default().connections),
            half_open: self.args.max_attempts.unwrap_or(Limits::default().half_open),
            ..Limits::default()
        };
        let selection = Selection::of(&self.args.only, self.args.stream.iter().copied())?;
        let framed = selection.framed(self.args.messages.framing);
        let mut follow = Follow::new(limits, selection.with_fields(&self.args.fields), sink);
        if !capture.is_followed {
            follow.analyzer = follow.analyzer.patient();
        }
        follow.analyzer = follow.analyzer.finding_messages(framed).reading(self.args.read_size);
        follow.eager = capture.is_followed;
        if !self.args.flood.is_empty() {
            follow.analyzer = follow.analyzer.with_thresholds(thresholds(&self.args)?);
        }
        let detailed = !self.args.stream.is_empty();
        let (needs_ledger, course) = match self.args.format {
            _ if self.args.states => (true, Some(Course::States)),
            Shape::Table | Shape::Markdown if detailed => (true, Some(Course::RoundTrips)),
            Shape::Table | Shape::Markdown => (false, Some(Course::Time)),
            Shape::Jsonl => (true, Some(Course::RoundTrips)),
            Shape::Csv => (false, None),
        };
        if let Some(course) = course {
            follow.analyzer = follow.analyzer.keeping_life(course);
        }
        if needs_ledger {
            let snaplen = source.info().interfaces.first().map(|interface| interface.snaplen);
            follow.analyzer = follow.analyzer.keeping_ledger(snaplen.filter(|&snaplen| snaplen > 0));
        }
        follow.run(source, &self.until)?;
        match follow.chosen.missing() {
            Some(wanted) => Err(Failure::NoStream {
                file: input_name(&capture.name),
                protocol: Protocol::Tcp,
                streams: follow.chosen.tcp_streams,
                wanted,
            }),
            None => {
                let worst = follow.chosen.worst;
                Ok((follow, worst))
            }
        }
    }
}

/// Findings of a kind in words, unless all are asked for.
const EXAMPLES: usize = 5;
/// Conversations on a page for people, unless another number is asked for.
const ROWS: usize = 50;
/// Conversations that are kept for an order, unless another number is asked for.
const SORTED_ROWS: usize = 10_000;
