//! `synscope trace`: one line per event, live or from a file.

use std::time::Instant;

use crate::cli::Verdict;
use crate::cli::args::Format;
use crate::cli::args::TraceArgs;
use crate::cli::drive::Until;
use crate::cli::failure::Failure;
use crate::cli::failure::input_name;
use crate::cli::follow::Follow;
use crate::cli::input;
use crate::cli::input::Meant;
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
    let meant = input::meant(&args.input)?;
    if args.stream.is_some() && matches!(meant, Meant::Interface(_)) {
        let text = "--stream is for files: on an interface, give --port or --host instead";
        return Err(Failure::Usage(text.to_owned()));
    }
    if !args.only.period().is_unbounded() && matches!(meant, Meant::Interface(_)) {
        let text = "--since and --until are for files: on an interface, give --duration instead";
        return Err(Failure::Usage(text.to_owned()));
    }
    // Before the capture begins, so that no Ctrl-C is missed.
    let stop = Stop::on_signals()?;
    let (mut source, live) = open(&meant, &args)?;
    let deadline = args.duration.filter(|_| live).map(|length| Instant::now() + length.by_clock());
    let until = Until { stop, deadline };
    match args.format {
        Format::Table => {
            let lines = Lines::new(Out::stdout(), screen.style(args.absolute));
            follow(&args, source.as_mut(), live, lines, &until)?;
        }
        Format::Jsonl => {
            let mut objects = Objects::new(Out::stdout());
            objects.begin(&args.input);
            follow(&args, source.as_mut(), live, objects, &until)?.finish()?;
        }
    }
    Ok(Verdict::Clean)
}

fn open(meant: &Meant, args: &TraceArgs) -> Result<(Box<dyn Source>, bool), Failure> {
    match meant {
        Meant::Interface(name) => {
            let source = input::interface(name, &args.only)?;
            talk(&format!("capturing on {name} (Ctrl-C to stop)"));
            Ok((source, true))
        }
        Meant::File(name) => Ok((Box::new(input::file(name, "trace")?), false)),
    }
}

fn follow<S: Show>(
    args: &TraceArgs,
    source: &mut dyn Source,
    live: bool,
    sink: S,
    until: &Until,
) -> Result<S, Failure> {
    let selection = Selection::of(&args.only, args.stream)?;
    let framed = selection.framed(args.messages.framing);
    let mut follow = Follow::new(Limits::default(), selection, sink);
    follow.analyzer = follow.analyzer.finding_messages(framed);
    follow.count = args.count;
    follow.span = args.duration.filter(|_| !live).map(|length| length.by_trace());
    follow.eager = live || args.input == "-";
    let ended = follow.run(source, until);
    if live {
        let dropped = source.stats().dropped.unwrap_or(0);
        talk(&format!("{} packets captured, {dropped} dropped by the kernel", follow.shown));
    }
    ended?;
    if let Some(problem) = &source.info().problem {
        say(&format!("{}: {problem}", input_name(&args.input)));
    }
    match follow.chosen.missing() {
        Some(wanted) => Err(Failure::NoStream {
            file: input_name(&args.input),
            protocol: Protocol::Tcp,
            streams: follow.chosen.tcp_streams,
            wanted,
        }),
        None => Ok(follow.chosen.sink),
    }
}
