//! `synscope flood`: flood or popularity? Live or from files, one incident per attack.

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::time::Instant;

use crate::cli::Verdict;
use crate::cli::args::FloodArgs;
use crate::cli::args::Only;
use crate::cli::choices::Format;
use crate::cli::drive::Taker;
use crate::cli::drive::Until;
use crate::cli::drive::drive;
use crate::cli::failure::Failure;
use crate::cli::failure::input_name;
use crate::cli::input;
use crate::cli::input::Meant;
use crate::cli::metrics::Metrics;
use crate::cli::out::Out;
use crate::cli::runner::Runner;
use crate::cli::say;
use crate::cli::screen::Screen;
use crate::cli::stop::Stop;
use crate::cli::talk;
use crate::detect::syn_flood::Incident;
use crate::detect::syn_flood::Phase;
use crate::finding::Severity;
use crate::finding::Value;
use crate::packet::Packet;
use crate::packet::Span;
use crate::packet::Timestamp;
use crate::pipeline::Pressure;
use crate::pipeline::Watch;
use crate::report::flood;
use crate::report::json;
use crate::report::json_attempts;
use crate::report::style::Style;
use crate::source::Flow;
use crate::source::Source;

pub(super) fn run(args: FloodArgs, screen: Screen) -> Result<Verdict, Failure> {
    args.thresholds.0.check().map_err(|error| Failure::Usage(error.to_string()))?;
    input::stdin_once(&args.inputs)?;
    let live = match &args.inputs[..] {
        [name] => match input::meant(name)? {
            Meant::Interface(name) => Some(name),
            Meant::File(_) => None,
        },
        _ => None,
    };
    let stop = Stop::on_signals()?;
    let metrics = args.metrics.map(Metrics::serve).transpose()?;
    let mut teller = Teller::new(&args, screen.style(false))?;
    teller.metrics = metrics;
    let unread = match &live {
        Some(name) => {
            let mut source = input::interface(name, &Only { port: args.port, ..Only::default() })?;
            talk(&format!("watching {name} (Ctrl-C to stop)"));
            watch(&args, name, source.as_mut(), true, &stop, &mut teller)?;
            0
        }
        None => files(&args, &stop, &mut teller)?,
    };
    let worst = teller.finish()?;
    Ok(match args.fail_on.threshold() {
        _ if unread > 0 => Verdict::Incomplete,
        Some(least) if worst >= Some(least) => Verdict::Found,
        _ => Verdict::Clean,
    })
}

/// One file after the other; how many could not be read.
fn files(args: &FloodArgs, stop: &Stop, teller: &mut Teller) -> Result<usize, Failure> {
    let mut unread = 0;
    for name in &args.inputs {
        match input::file(name, "flood") {
            Ok(mut source) => watch(args, name, &mut source, false, stop, teller)?,
            Err(failure) => {
                say(&failure);
                unread += 1;
            }
        }
    }
    Ok(unread)
}

fn watch(
    args: &FloodArgs,
    name: &str,
    source: &mut dyn Source,
    live: bool,
    stop: &Stop,
    teller: &mut Teller,
) -> Result<(), Failure> {
    name.clone_into(&mut teller.file);
    teller.dropped = None;
    if args.inputs.len() > 1 && args.format == Format::Table {
        writeln!(teller.out, "{}", input_name(name))?;
    }
    let deadline = args.duration.filter(|_| live).map(|length| Instant::now() + length.by_clock());
    let until = Until { stop: stop.clone(), deadline };
    let span = args.duration.filter(|_| !live).map(|length| length.by_trace());
    let mut watching = Watching {
        watch: Watch::new(args.thresholds.0.clone()),
        teller,
        port: args.port,
        span,
        first: None,
        latest: None,
        fresh: false,
    };
    if live {
        watching.teller.dropped = Some(0);
    }
    let ended = drive(source, &until, &mut watching);
    let Watching { mut watch, teller, .. } = watching;
    teller.dropped = source.stats().dropped;
    watch.finish(&mut |incident| teller.tell(&incident));
    teller.over(source, &watch)?;
    if live {
        let dropped = teller.dropped.unwrap_or(0);
        talk(&format!("{} packets captured, {dropped} dropped by the kernel", watch.facts().frames));
    }
    if let Some(problem) = &source.info().problem {
        say(&format!("{}: {problem}", input_name(name)));
    }
    ended
}

/// A watch over one source.
struct Watching<'a> {
    watch: Watch,
    teller: &'a mut Teller,
    port: Option<u16>,
    span: Option<Span>,
    first: Option<Timestamp>,
    /// Latest stamp, and when it arrived here.
    latest: Option<(Timestamp, Instant)>,
    /// It came with the poll that is under way.
    fresh: bool,
}

impl Watching<'_> {
    fn count(&self) {
        if let Some(metrics) = &self.teller.metrics {
            metrics.update(self.watch.facts(), self.watch.detector());
        }
    }

    fn wants(&self, packet: &Packet<'_>) -> bool {
        // An ICMP error is about a packet that may have had the port.
        let Some(port) = self.port else { return true };
        packet.endpoints().is_none_or(|(_, src, dst)| src.port == port || dst.port == port)
    }
}

impl Taker for Watching<'_> {
    fn packet(&mut self, packet: &Packet<'_>) -> Result<Flow, Failure> {
        let at = packet.meta.at;
        let first = *self.first.get_or_insert(at);
        if self.span.is_some_and(|span| at.since(first) > span) {
            return Ok(Flow::Stop);
        }
        // One look at the clock per batch is enough, see `pause`.
        self.latest = Some((at, self.latest.map_or_else(Instant::now, |(_, since)| since)));
        self.fresh = true;
        if self.wants(packet) {
            self.watch.observe(packet, &mut |incident| self.teller.tell(&incident));
        }
        Ok(Flow::Continue)
    }

    fn pause(&mut self) -> Result<(), Failure> {
        if let Some((_, since)) = self.latest.as_mut().filter(|_| self.fresh) {
            *since = Instant::now();
        }
        self.fresh = false;
        self.count();
        self.teller.check()
    }

    fn lost(&mut self, dropped: u64) {
        self.teller.dropped = Some(dropped);
        if let Some(metrics) = &self.teller.metrics {
            metrics.dropped(dropped);
        }
    }

    /// Nothing comes: time passes all the same, as long as the source's own clock would have gone on.
    fn idle(&mut self) -> Result<(), Failure> {
        if let Some((at, since)) = self.latest {
            let silent =
                Span(i64::try_from(since.elapsed().as_nanos()).unwrap_or(i64::MAX).saturating_sub(UNDER_WAY.0));
            if silent > Span::ZERO {
                self.watch.on_time(at.plus(silent), &mut |incident| self.teller.tell(&incident));
            }
        }
        self.teller.check()
    }
}

/// Where incidents go: the screen, a file, a command.
struct Teller {
    out: Out,
    format: Format,
    style: Style,
    lines: Option<File>,
    runner: Option<Runner>,
    file: String,
    dropped: Option<u64>,
    worst: Option<Severity>,
    failed: Option<io::Error>,
    metrics: Option<Metrics>,
}

impl Teller {
    fn new(args: &FloodArgs, style: Style) -> Result<Self, Failure> {
        let lines = match &args.out {
            Some(path) => Some(
                OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(path)
                    .map_err(|error| Failure::Lines { path: path.clone(), error })?,
            ),
            None => None,
        };
        let mut teller = Self {
            out: Out::stdout(),
            format: args.format,
            style,
            lines,
            runner: args.exec.clone().map(Runner::new),
            file: String::new(),
            dropped: None,
            worst: None,
            failed: None,
            metrics: None,
        };
        if args.format == Format::Jsonl {
            json::header(&mut teller.out)?;
        }
        Ok(teller)
    }

    /// An incident starts, goes on or ends.
    fn tell(&mut self, incident: &Incident) {
        if incident.phase == Phase::End && incident.merged_into.is_none() {
            self.worst = self.worst.max(Some(incident.code().severity()));
        }
        if self.failed.is_none() {
            self.failed = self.write(incident).err();
        }
    }

    fn write(&mut self, incident: &Incident) -> io::Result<()> {
        let wants_line = self.format == Format::Jsonl || self.lines.is_some() || self.runner.is_some();
        let mut line = Vec::new();
        if wants_line {
            let mut finding = incident.to_finding();
            if let Some(dropped) = self.dropped {
                finding.evidence.push(("capture_drops", Value::Number(dropped)));
            }
            json::finding(&mut line, &self.file, &finding)?;
        }
        if let Some(file) = &mut self.lines {
            file.write_all(&line)?;
        }
        match self.format {
            Format::Jsonl => self.out.write_all(&line)?,
            Format::Table => flood::incident(&mut self.out, incident, self.dropped, &self.style)?,
        }
        if let Some(runner) = &mut self.runner {
            runner.run(String::from_utf8_lossy(&line).into_owned());
        }
        // Whoever is on call reads it now.
        self.out.flush()
    }

    fn check(&mut self) -> Result<(), Failure> {
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// The last word about one capture.
    fn over(&mut self, source: &dyn Source, watch: &Watch) -> Result<(), Failure> {
        self.check()?;
        match self.format {
            Format::Jsonl => {
                let pressure = Pressure { doorway: watch.detector().attempt_stats(), ..Pressure::default() };
                json::capture(&mut self.out, source.info(), watch.facts(), self.dropped, &pressure, &[])?;
                json_attempts::attempts(&mut self.out, &self.file, watch.detector())?;
            }
            Format::Table => flood::over(&mut self.out, watch.detector(), &self.style)?,
        }
        Ok(self.out.flush()?)
    }

    fn finish(mut self) -> Result<Option<Severity>, Failure> {
        self.out.flush()?;
        if let Some(runner) = self.runner {
            runner.finish();
        }
        Ok(self.worst)
    }
}

/// A frame may be so long under way from its stamp to us.
const UNDER_WAY: Span = Span::from_millis(100);
