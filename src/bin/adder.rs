//! The adder program: `adder serve` and `adder call`. Arguments, printing and exit codes; the work is in the library.

use std::io;
use std::io::Write;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::Parser;
use clap::Subcommand;
use clap::error::ErrorKind;
use signal_hook::consts::SIGINT;
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

use synscope::adder::DEFAULT_ADDR;
use synscope::adder::client;
use synscope::adder::client::Call;
use synscope::adder::client::Loss;
use synscope::adder::client::Outcome;
use synscope::adder::client::Summary;
use synscope::adder::client::Transport;
use synscope::adder::server::Config;
use synscope::adder::server::IoMode;
use synscope::adder::server::Server;

#[derive(Parser)]
#[command(name = "adder", version, about = "Adds two integers over TCP or UDP, in JSON", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer requests until SIGINT or SIGTERM
    #[command(after_help = SERVE_HELP)]
    Serve(ServeArgs),
    /// Ask for sums over one long connection and check them
    #[command(after_help = CALL_HELP)]
    Call(CallArgs),
}

#[derive(Args)]
struct ServeArgs {
    /// Listen here over TCP; port 0 lets the system choose [default: 127.0.0.1:5656, unless only --udp is given]
    #[arg(long, value_name = "HOST:PORT")]
    tcp: Option<String>,
    /// Read here over UDP; port 0 lets the system choose [default: 127.0.0.1:5656, unless only --tcp is given]
    #[arg(long, value_name = "HOST:PORT")]
    udp: Option<String>,
    /// How to wait for many sockets: blocking, nonblocking or epoll
    #[arg(long, value_name = "MODE", default_value_t)]
    io: IoMode,
    /// Close a TCP client that is silent for so long
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = positive_duration)]
    idle_timeout: Duration,
    /// Serve so many TCP clients at once; further ones are told to come back later
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = client_count)]
    max_clients: usize,
}

#[derive(Args)]
struct CallArgs {
    /// First summand
    #[arg(value_name = "A", allow_negative_numbers = true)]
    a: i64,
    /// Second summand
    #[arg(value_name = "B", allow_negative_numbers = true)]
    b: i64,
    /// Ask over UDP instead of TCP
    #[arg(long)]
    udp: bool,
    /// The server; every address of a name is tried in turn
    #[arg(long, value_name = "HOST:PORT", default_value = DEFAULT_ADDR)]
    addr: String,
    /// Requests of each worker, one after the other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Pause between an answer and the worker's next request
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    interval: Duration,
    /// Workers that share the one socket; worker k asks for A+k-1 + B, so that every answer can be checked
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(client::MAX_WORKERS)))]
    workers: u32,
    /// Longest wait for the connection and for each answer
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = positive_duration)]
    timeout: Duration,
}

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(Cli { command: Command::Serve(args) }) => serve(args),
        Ok(Cli { command: Command::Call(args) }) => call(&args),
        Err(error) => misuse(&error),
    }
}

/// Help on stdout, or what is wrong with the arguments in one line.
fn misuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A reader that left early has read what it wanted.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return could_not(&"serve or call? try `adder --help`");
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("Usage:"));
    let line = lines.map(|line| line.trim_start_matches("error: ")).collect::<Vec<_>>().join(" ");
    could_not(&line.replace(" For more information,", ";"))
}

fn serve(args: ServeArgs) -> ExitCode {
    let both = args.tcp.is_none() && args.udp.is_none();
    let default = || both.then(|| DEFAULT_ADDR.to_owned());
    let config = Config {
        tcp: args.tcp.or_else(default),
        udp: args.udp.or_else(default),
        io: args.io,
        idle_timeout: args.idle_timeout,
        max_clients: args.max_clients,
    };
    // Before the sockets: a signal between the two would end the program without a goodbye.
    let mut signals = match Signals::new([SIGINT, SIGTERM]) {
        Ok(signals) => signals,
        Err(error) => return could_not(&format!("cannot handle signals: {error}")),
    };
    let server = match Server::start(config) {
        Ok(server) => server,
        Err(error) => return could_not(&error),
    };
    for (protocol, addr) in [("tcp", server.tcp_addr()), ("udp", server.udp_addr())] {
        if let Some(addr) = addr {
            // Whoever started us and does not listen still wants to be served.
            let _ = say(&format!("{protocol} {addr} ({})", server.io()));
        }
    }
    signals.forever().next();
    // Whoever asks twice will not wait for the goodbyes.
    for signal in [SIGINT, SIGTERM] {
        let _ = signal_hook::flag::register_conditional_default(signal, std::sync::Arc::new(true.into()));
    }
    let totals = server.stop();
    let _ = say(&format!("stopped: {totals}"));
    ExitCode::SUCCESS
}

fn call(args: &CallArgs) -> ExitCode {
    let call = Call {
        addr: args.addr.clone(),
        transport: if args.udp { Transport::Udp } else { Transport::Tcp },
        a: args.a,
        b: args.b,
        rounds: args.rounds,
        interval: args.interval,
        workers: args.workers,
        timeout: args.timeout,
    };
    let mut unheard = None;
    let outcome = client::call(&call, &mut |round| {
        if !round.is_right() {
            return ControlFlow::Continue(());
        }
        match say(&round.to_string()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                unheard = Some(error);
                ControlFlow::Break(())
            }
        }
    });
    match (outcome, unheard) {
        (Err(error), _) => could_not(&error),
        (_, Some(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        (_, Some(error)) => could_not(&format!("cannot write to stdout: {error}")),
        (Ok(summary), None) if summary.all_right() => ExitCode::SUCCESS,
        (Ok(summary), None) => {
            complain(&faults(&summary));
            ExitCode::from(1)
        }
    }
}

/// What went wrong in a call, in one line, with what to try.
fn faults(summary: &Summary) -> String {
    let Summary { asked, missing, wrong, .. } = summary;
    let counts = format!("of {asked} answers {missing} missing, {wrong} wrong");
    let (first, outcome) = match (&summary.first_fault, summary.ended) {
        (Some(round), _) => (format!("first {round}"), Some(round.outcome.clone())),
        (None, Some(loss)) if *missing > 0 => (loss.to_string(), Some(Outcome::Missing(loss))),
        (None, _) => ("the server answered more than it was asked".to_owned(), None),
    };
    let cure = match outcome {
        None | Some(Outcome::Right(_) | Outcome::Wrong(_) | Outcome::Unreadable(_)) => "is that an adder at --addr?",
        Some(Outcome::Refused(_)) => "the server is there, change the request",
        Some(Outcome::Missing(Loss::TimedOut)) => "is the server busy? --timeout waits longer",
        Some(Outcome::Missing(Loss::Closed)) => "was it stopped, or is its --idle-timeout under our --interval?",
        Some(Outcome::Missing(Loss::Broken(_))) => "is `adder serve` still running?",
    };
    format!("{counts}; {first}; {cure}")
}

/// A line on stdout, at once: scripts wait for it.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// A line on stderr. When even that fails, the exit code has to do.
fn complain(what: &dyn std::fmt::Display) {
    let _ = writeln!(io::stderr(), "adder: {what}");
}

fn could_not(what: &dyn std::fmt::Display) -> ExitCode {
    complain(what);
    ExitCode::from(2)
}

/// `500ms`, `2s`, `1m`, `0`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit_millis = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "" if digits == "0" => 1,
        _ => return Err("give a whole number and ms, s or m, as in 500ms, 2s or 1m".to_owned()),
    };
    let count: u32 = digits.parse().map_err(|_| "give a whole number and ms, s or m, as in 500ms, 2s or 1m")?;
    Ok(Duration::from_millis(u64::from(count) * unit_millis))
}

fn positive_duration(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|time| if time.is_zero() { Err("it must be over zero".to_owned()) } else { Ok(time) })
}

fn client_count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "give a whole number over zero".to_owned())
}

const EXAMPLES: &str = "\
Examples:
  adder serve                        both protocols on 127.0.0.1:5656
  adder call 7 4                     prints: 1: 7 + 4 = 11
  adder call --rounds 5 --interval 1s -3 4
  printf '{\"A\":7,\"B\":4}' | nc -N 127.0.0.1 5656

Exit codes: 0 fine, 1 an answer was missing or wrong, 2 wrong use or no connection.";

const SERVE_HELP: &str = "\
Prints a line per socket once clients can connect, as in `tcp 127.0.0.1:5656 (blocking)`, and a line of totals
when stopped. With --tcp or --udp alone only that protocol is served.

Examples:
  adder serve --io epoll
  adder serve --tcp '[::1]:0'        TCP only, IPv6, a free port
  adder serve --udp localhost:5656 --tcp localhost:5656 --idle-timeout 2m";

const CALL_HELP: &str = "\
Prints a line per sum, as in `1: 7 + 4 = 11`; the number is the order of sending. Datagrams are not sent again.

Examples:
  adder call -3 4
  adder call --udp --workers 10 7 4  ten workers on one socket: 7 + 4, 8 + 4, … 16 + 4
  adder call --addr '[::1]:5656' --rounds 100 --timeout 500ms 1 2

Exit codes: 0 every answer came and was right, 1 one was missing or wrong, 2 wrong use or no connection.";
