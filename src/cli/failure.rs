//! Why a command could not run or go on: one line each, with the cure.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::adder::client::CallError;
use crate::adder::server::ServeError;
use crate::cli::craft::CraftFailure;
use crate::cli::values::NoFrames;
use crate::packet::Protocol;
use crate::source::SourceError;

/// Ends a command.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Whoever read our output has seen enough. Success.
    #[error("the reader of the output went away")]
    ReaderGone,
    /// The output cannot be written.
    #[error("cannot write the output: {0}; is the disk full?")]
    Output(io::Error),
    /// The arguments cannot be understood; the text says which.
    #[error("{0}")]
    Usage(String),
    /// A script cannot be played.
    #[error(transparent)]
    Craft(#[from] CraftFailure),
    /// The input cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A name that is neither an interface nor a file.
    #[error("{name} is neither an interface (there are: {exist}) nor a file: check the name, or give the file's path")]
    NeitherNor { name: String, exist: String },
    /// An interface where only files make sense.
    #[error(
        "{name} is an interface, and {command} reads files: synscope trace {name} watches it, tcpdump -i {name} -w FILE records it"
    )]
    OnlyFiles { name: String, command: &'static str },
    /// Standard input is a keyboard.
    #[error("standard input is a terminal: pipe a capture into it (tcpdump -U -w - | synscope ... -) or name a file")]
    Keyboard,
    /// Standard input named twice.
    #[error("- stands there {times} times: standard input can be read only once")]
    StdinTwice { times: usize },
    /// A frame range that cannot be.
    #[error(transparent)]
    NoFrames(#[from] NoFrames),
    /// A frame that the file does not have.
    #[error("{file} has {frames} frame{}: there is no frame {wanted}", plural(*.frames))]
    FrameBeyond { file: String, frames: u64, wanted: u64 },
    /// A stream that the file does not have.
    #[error("{file} has {}: there is no {} stream {wanted}; synscope analyze lists them", numbered(*.protocol, *.streams), .protocol.name())]
    NoStream { file: String, protocol: Protocol, streams: u64, wanted: u64 },
    /// An MTU that IP does not work over.
    #[error("an MTU of {mtu} is too small for IPv{version}: at least {least} octets ({rfc})")]
    MtuTooSmall { mtu: u32, version: u8, least: u32, rfc: &'static str },
    /// An MTU beyond what a datagram can fill.
    #[error("an MTU of {mtu} is too large: {most} octets at most, a longer IP packet would be a jumbogram")]
    MtuTooLarge { mtu: u32, most: u32 },
    /// A file for lines cannot be written to.
    #[error("cannot write to {}: {error}; --out takes a file that can be appended to", shown(&.path.display().to_string()))]
    Lines { path: PathBuf, error: io::Error },
    /// Nobody can be answered for metrics.
    #[error(
        "cannot answer for metrics at {addr}: {error}; --metrics takes a free address and port, as in 127.0.0.1:9500"
    )]
    Metrics { addr: SocketAddr, error: io::Error },
    /// A capture cannot be written.
    #[error("cannot write the capture {path}: {error}")]
    Capture { path: String, error: io::Error },
    /// Ctrl-C while a file was written.
    #[error("interrupted: nothing was written")]
    Interrupted,
    /// Signals cannot be caught.
    #[error("cannot watch for Ctrl-C: {0}")]
    Signals(io::Error),
    /// The demonstration's server did not start.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The demonstration's client found no server.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The demonstration did not work out.
    #[error("the demonstration {what}; try it again")]
    Demo { what: &'static str },
}

/// A failed write to the output: the end of it where the reader left.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Output(error),
        }
    }
}

/// Text from outside as it may stand in a message of one line.
pub(super) fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// What a command calls its input in messages.
pub(super) fn input_name(name: &str) -> String {
    if name == "-" { "standard input".to_owned() } else { shown(name) }
}

fn plural(number: u64) -> &'static str {
    if number == 1 { "" } else { "s" }
}

fn numbered(protocol: Protocol, number: u64) -> String {
    let what = match protocol {
        Protocol::Tcp => "TCP connection",
        Protocol::Udp => "UDP conversation",
    };
    match number {
        0 => format!("no {what}"),
        1 => format!("1 {what} (number 0)"),
        _ => format!("{number} {what}s (0 to {})", number - 1),
    }
}
