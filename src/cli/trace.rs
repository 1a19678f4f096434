//! `synscope trace`: one line per event, live or from a file.

use std::time::Instant;

use crate::cli::Verdict;
use crate::cli::args::TraceArgs;
use crate::cli::choices::Format;
use crate::cli::drive::Until;
use crate::cli::failure::Failure;
use crate::cli::failure::input_name;
use crate::cli::follow::Follow;
use crate::cli::input;
use crate::cli::input::Capture;
use crate::cli::input::Meant;
use crate::cli::metrics::Metrics;
use crate::cli::out::Out;
use crate::cli::say;
use crate::cli::screen::Screen;
use crate::cli::select::Selection;
use crate::cli::sinks::Lines;
use crate::cli::sinks::Objects;
use crate::cli::sinks::Show;
use crate::cli::stop::Stop;
use crate::cli::talk;
use crate::packet::Protocol;
use crate::pipeline::Limits;
use crate::source::Source;

pub(super) fn run(args: TraceArgs, screen: Screen) -> Result<Verdict, Failure> {
    if args.absolute && args.format == Format::Jsonl {
        let text = "--absolute is about lines for people, --format jsonl writes none: leave one of them out";
        return Err(Failure::Usage(text.to_owned()));
    }
    let meant = meant(&args)?;
    if args.stream.is_some() && matches!(meant, Meant::Interface(_)) {
        let text = "--stream is for files: on an interface, give --port or --host instead";
        return Err(Failure::Usage(text.to_owned()));
    }
    if !args.only.period().is_unbounded() && matches!(meant, Meant::Interface(_)) {
        let text = "--since and --until are for files: on an interface, give --duration instead";
        return Err(Failure::Usage(text.to_owned()));
    }
    let metrics = args.metrics.map(Metrics::serve).transpose()?;
    // Before the capture begins, so that no Ctrl-C is missed.
    let stop = Stop::on_signals()?;
    let captures = match meant {
        Meant::Interface(name) => vec![Input::Live(name)],
        Meant::File(_) => Capture::all(&args.inputs, args.reading)?.into_iter().map(Input::Capture).collect(),
    };
    let mut objects = (args.format == Format::Jsonl).then(|| Objects::new(Out::stdout()));
    for input in captures {
        let mut source = input.open(&args)?;
        let deadline = args.duration.filter(|_| input.is_live()).map(|length| Instant::now() + length.by_clock());
        let until = Until { stop: stop.clone(), deadline };
        match objects.take() {
            None => {
                let lines = Lines::new(Out::stdout(), screen.style(args.absolute));
                follow(&args, &input, source.as_mut(), lines, &until, metrics.clone())?;
            }
            Some(mut sink) => {
                sink.begin(input.name());
                objects = Some(follow(&args, &input, source.as_mut(), sink, &until, metrics.clone())?);
            }
        }
    }
    objects.map_or(Ok(()), |mut objects| objects.finish())?;
    Ok(Verdict::Clean)
}

/// One name may be an interface; several are files.
fn meant(args: &TraceArgs) -> Result<Meant, Failure> {
    let first = &args.inputs[0];
    if args.inputs.len() > 1 {
        return Ok(Meant::File(first.clone()));
    }
    let meant = input::meant(first)?;
    if args.reading.follow && matches!(meant, Meant::Interface(_)) {
        let text = "--follow is for files that grow: an interface is followed anyway";
        return Err(Failure::Usage(text.to_owned()));
    }
    Ok(meant)
}

/// What is traced.
enum Input {
    Live(String),
    Capture(Capture),
}

impl Input {
    const fn is_live(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    fn name(&self) -> &str {
        match self {
            Self::Live(name) => name,
            Self::Capture(capture) => &capture.name,
        }
    }

    /// Packets are shown as they come.
    fn is_awaited(&self) -> bool {
        match self {
            Self::Live(_) => true,
            Self::Capture(capture) => capture.is_awaited(),
        }
    }

    fn open(&self, args: &TraceArgs) -> Result<Box<dyn Source>, Failure> {
        match self {
            Self::Live(name) => {
                let source = input::interface(name, &args.only)?;
                talk(&format!("capturing on {name} (Ctrl-C to stop)"));
                Ok(source)
            }
            Self::Capture(capture) => Ok(capture.open("trace")?.source),
        }
    }
}

fn follow<S: Show>(
    args: &TraceArgs,
    input: &Input,
    source: &mut dyn Source,
    sink: S,
    until: &Until,
    metrics: Option<Metrics>,
) -> Result<S, Failure> {
    let live = input.is_live();
    let selection = Selection::of(&args.only, args.stream)?;
    let framed = selection.framed(args.messages.framing);
    let mut follow = Follow::new(Limits::default(), selection, sink);
    follow.analyzer = follow.analyzer.finding_messages(framed);
    follow.count = args.count;
    follow.metrics = metrics;
    follow.span = args.duration.filter(|_| !live).map(|length| length.by_trace());
    follow.eager = input.is_awaited();
    let ended = follow.run(source, until);
    if live {
        let dropped = source.stats().dropped.unwrap_or(0);
        talk(&format!("{} packets captured, {dropped} dropped by the kernel", follow.shown));
    }
    ended?;
    if let Some(problem) = &source.info().problem {
        say(&format!("{}: {problem}", input_name(input.name())));
    }
    match follow.chosen.missing() {
        Some(wanted) => Err(Failure::NoStream {
            file: input_name(input.name()),
            protocol: Protocol::Tcp,
            streams: follow.chosen.tcp_streams,
            wanted,
        }),
        None => Ok(follow.chosen.sink),
    }
}
