//! Asks an adder for sums over one long connection, and checks every one.
//!
//! Several workers share the one socket, each with one request under way. Worker *k* (from 0) asks for `A+k + B`, or
//! `A-k + B` near the end of the integers, so that no two expect the same sum and an answer that reaches the wrong
//! worker is a wrong answer, not a lucky one. Which worker an answer is for:
//! - **TCP** keeps order (RFC 9293 §3.1): requests enter a queue in the order in which they are written, under one
//!   lock, and every answer belongs to the head of that queue;
//! - **UDP** does not (RFC 768): a sum belongs to the worker that expects it; any other answer to the one that has
//!   waited longest, for which it is wrong.
//!
//! A datagram that is lost is not sent again: its answer is missing, and that is the result.

mod exchange;
mod wire;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use thiserror::Error;

use crate::adder::DEFAULT_ADDR;
use crate::adder::address::resolve;
use crate::adder::client::exchange::Ending;
use crate::adder::client::wire::Wire;

/// Which protocol carries the call.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Transport {
    /// One connection.
    #[default]
    Tcp,
    /// One connected socket.
    Udp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// What to ask, whom, and how often.
#[derive(Clone, Debug)]
pub struct Call {
    /// `HOST:PORT` of the server; its addresses are tried in turn.
    pub addr: String,
    /// TCP or UDP.
    pub transport: Transport,
    /// First summand.
    pub a: i64,
    /// Second summand.
    pub b: i64,
    /// Requests of each worker, one after the other.
    pub rounds: u32,
    /// Pause of a worker between an answer and its next request.
    pub interval: Duration,
    /// Workers that share the socket, from 1 to [`MAX_WORKERS`].
    pub workers: u32,
    /// Longest wait for a connection and for each answer; over zero.
    pub timeout: Duration,
}

impl Default for Call {
    /// `0 + 0`, once, by one worker, over TCP to [`DEFAULT_ADDR`], waiting up to 5 s.
    fn default() -> Self {
        Self {
            addr: DEFAULT_ADDR.to_owned(),
            transport: Transport::default(),
            a: 0,
            b: 0,
            rounds: 1,
            interval: Duration::ZERO,
            workers: 1,
            timeout: Duration::from_secs(5),
        }
    }
}

/// How one request ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The right sum.
    Right(i64),
    /// Another sum.
    Wrong(i64),
    /// The server said why it gives none.
    Refused(String),
    /// An answer that cannot be read.
    Unreadable(String),
    /// No answer, and why.
    Missing(Loss),
}

/// Why an answer is missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Loss {
    /// It did not come in time.
    TimedOut,
    /// The server closed the connection.
    Closed,
    /// The connection broke.
    Broken(io::ErrorKind),
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Closed => f.write_str("the server closed the connection"),
            Self::Broken(kind) => write!(f, "the connection broke: {kind}"),
        }
    }
}

/// One request and how it ended. Rounds are reported as they end, which may not be in order of number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Round {
    /// Number in the order of sending, from 1.
    pub number: u64,
    /// First summand.
    pub a: i64,
    /// Second summand.
    pub b: i64,
    /// How it ended.
    pub outcome: Outcome,
}

impl Round {
    /// Whether the right sum came.
    pub fn is_right(&self) -> bool {
        matches!(self.outcome, Outcome::Right(_))
    }
}

/// `1: 7 + 4 = 11`, or what went wrong: `1: 7 + 4: no answer in time`.
impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} + {}", self.number, self.a, self.b)?;
        match &self.outcome {
            Outcome::Right(sum) => write!(f, " = {sum}"),
            Outcome::Wrong(sum) => write!(f, ": wrong answer {sum}"),
            Outcome::Refused(why) => write!(f, ": the server says: {why}"),
            Outcome::Unreadable(why) => write!(f, ": the answer is unreadable: {why}"),
            Outcome::Missing(loss) => write!(f, ": {loss}"),
        }
    }
}

/// What a call came to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Requests that were to be sent.
    pub asked: u64,
    /// Right sums.
    pub right: u64,
    /// Wrong sums, errors of the server, unreadable answers, and over TCP answers to no request.
    pub wrong: u64,
    /// Rounds without an answer, begun or not.
    pub missing: u64,
    /// Datagrams that nobody waited for: late answers, or copies made under way.
    pub strays: u64,
    /// The first round that did not end right.
    pub first_fault: Option<Round>,
    /// Why the rounds that were not begun were not, if any were not.
    pub ended: Option<Loss>,
}

impl Summary {
    /// Whether every answer came and was right.
    pub fn all_right(&self) -> bool {
        self.right == self.asked && self.wrong == 0
    }
}

/// Why a call could not begin.
#[derive(Debug, Error)]
pub enum CallError {
    /// The server's address cannot be found.
    #[error("cannot resolve {addr}: {source}; give --addr HOST:PORT")]
    Resolve {
        /// As given.
        addr: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// No address behind the name could be connected to.
    #[error("cannot connect to {transport} {addr}: {source}; {}", cure(.source))]
    Connect {
        /// TCP or UDP.
        transport: Transport,
        /// The last address tried.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The call makes no sense.
    #[error("{0}")]
    Config(&'static str),
    /// The system refused a thread or a descriptor.
    #[error("cannot start: {0}; ask with fewer --workers")]
    System(#[from] io::Error),
}

/// Connects, asks, and reports every round through `each`, which may break the call off.
///
/// # Errors
/// [`CallError`] when no request could be sent at all; over UDP also when the first news of the server is that
/// nobody listens there. Whatever happens later is an [`Outcome`].
pub fn call(call: &Call, each: &mut dyn FnMut(&Round) -> ControlFlow<()>) -> Result<Summary, CallError> {
    if call.rounds == 0 || call.timeout.is_zero() {
        return Err(CallError::Config("rounds and timeout must be over zero"));
    }
    if call.workers == 0 || call.workers > MAX_WORKERS {
        return Err(CallError::Config("workers must be from 1 to 1024"));
    }
    let found = resolve(&call.addr).map_err(|source| CallError::Resolve { addr: call.addr.clone(), source })?;
    call_first_of(&found, call, each)
}

/// The call to the first of these addresses where somebody listens.
fn call_first_of(
    found: &[SocketAddr],
    call: &Call,
    each: &mut dyn FnMut(&Round) -> ControlFlow<()>,
) -> Result<Summary, CallError> {
    let mut last = CallError::Config("the name has no address");
    for &addr in found {
        let refused = match Wire::connect(call.transport, addr, call.timeout) {
            Ok(wire) => match exchange::run(call, &wire, each)? {
                Ending::Came(summary) => return Ok(summary),
                Ending::NobodyThere => io::ErrorKind::ConnectionRefused.into(),
            },
            Err(source) => source,
        };
        last = CallError::Connect { transport: call.transport, addr, source: refused };
    }
    Err(last)
}

fn cure(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::ConnectionRefused => "is `adder serve` running?",
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "is the host up, and no firewall between?",
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => "is there a route to it?",
        _ => "check --addr",
    }
}

/// Most workers of one call.
pub const MAX_WORKERS: u32 = 1024;

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::net::UdpSocket;

    use crate::adder::server::Config;
    use crate::adder::server::Server;

    use super::*;

    #[test]
    fn an_address_where_nobody_listens_gives_way_to_the_next_and_is_not_reported() {
        let local = || Some("127.0.0.1:0".to_owned());
        let server = Server::start(Config { tcp: local(), udp: local(), ..Config::default() }).expect("a port is free");
        let free_tcp = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let free_udp = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        for (transport, nobody, somebody) in
            [(Transport::Tcp, free_tcp, server.tcp_addr()), (Transport::Udp, free_udp, server.udp_addr())]
        {
            let nobody = nobody.expect("a port is free");
            let asked = Call { transport, a: 7, b: 4, workers: 3, rounds: 2, ..Call::default() };
            let mut reported = 0;
            let mut each = |round: &Round| {
                assert!(round.is_right(), "{round}");
                reported += 1;
                ControlFlow::Continue(())
            };
            let found = [nobody, somebody.expect("both are served")];
            let summary = call_first_of(&found, &asked, &mut each).expect("somebody listens");
            assert!(summary.all_right(), "{transport}: {summary:?}");
            let error = call_first_of(&[nobody], &asked, &mut each).expect_err("nobody listens");
            assert!(error.to_string().ends_with("is `adder serve` running?"), "{error}");
            assert_eq!(reported, 6, "{transport}");
        }
    }
}
