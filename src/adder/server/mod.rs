//! Answers requests until it is told to stop, by one of three ways of waiting for many sockets at once.
//!
//! | I/O | TCP | UDP |
//! |---|---|---|
//! | blocking | a thread per client, read deadline by `SO_RCVTIMEO` | ten workers share one socket |
//! | nonblocking | all sockets asked in turn, with a short pause when none had anything | asked in the same loop |
//! | epoll | one thread sleeps until the kernel names the sockets that are ready | the same thread |
//!
//! All three speak through `dialogue` and `datagram`, so that what is said cannot differ between them.
//! Clients beyond [`Config::max_clients`] read one error and a FIN. A client that is silent for
//! [`Config::idle_timeout`], or that takes no answers for so long, is closed without a word.

mod blocking;
mod datagram;
mod dialogue;
mod epoll;
mod nonblocking;
mod roster;
mod session;
mod socket;
mod totals;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error;

use crate::adder::DEFAULT_ADDR;
use crate::adder::protocol::Answer;

pub use totals::Totals;

/// How the server waits for its sockets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum IoMode {
    /// A thread per client.
    #[default]
    Blocking,
    /// One thread asks every socket in turn.
    NonBlocking,
    /// One thread, woken by the kernel.
    Epoll,
}

impl IoMode {
    /// Every mode, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Blocking, Self::NonBlocking, Self::Epoll];
}

impl fmt::Display for IoMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blocking => "blocking",
            Self::NonBlocking => "nonblocking",
            Self::Epoll => "epoll",
        })
    }
}

impl FromStr for IoMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|mode| mode.to_string() == text);
        found.ok_or_else(|| "the modes are blocking, nonblocking and epoll".to_owned())
    }
}

/// What to serve, and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// `HOST:PORT` to listen on over TCP; port 0 lets the system choose. `None`: no TCP.
    pub tcp: Option<String>,
    /// `HOST:PORT` to read from over UDP; port 0 lets the system choose. `None`: no UDP.
    pub udp: Option<String>,
    /// How to wait.
    pub io: IoMode,
    /// Silence after which a TCP client is closed; over zero.
    pub idle_timeout: Duration,
    /// TCP clients served at once; over zero.
    pub max_clients: usize,
}

impl Default for Config {
    /// Both protocols on [`DEFAULT_ADDR`], blocking, 30 s, 1000 clients (below the usual limit of 1024 open
    /// files, so that one client too many is told so).
    fn default() -> Self {
        Self {
            tcp: Some(DEFAULT_ADDR.to_owned()),
            udp: Some(DEFAULT_ADDR.to_owned()),
            io: IoMode::default(),
            idle_timeout: Duration::from_secs(30),
            max_clients: 1000,
        }
    }
}

/// Why a server could not start.
#[derive(Debug, Error)]
pub enum ServeError {
    /// An address cannot be listened on.
    #[error("cannot listen on {protocol} {addr}: {source}; {}", cure(.source, .protocol))]
    Listen {
        /// `tcp` or `udp`.
        protocol: &'static str,
        /// As configured.
        addr: String,
        /// What the system said.
        source: io::Error,
    },
    /// The configuration cannot be served.
    #[error("{0}")]
    Config(&'static str),
    /// The system refused a thread or a poll descriptor.
    #[error("cannot start: {0}; raise the limits of processes (ulimit -u) and files (ulimit -n)")]
    System(#[from] io::Error),
}

/// A running server. Dropping it stops it as [`Server::stop`] does.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    wakers: Vec<Waker>,
    threads: Vec<JoinHandle<()>>,
    tcp_addr: Option<SocketAddr>,
    udp_addr: Option<SocketAddr>,
    io: IoMode,
}

impl Server {
    /// Binds the sockets and starts answering. When this returns, clients can connect.
    ///
    /// # Errors
    /// [`ServeError`] when nothing is to be served, an address cannot be bound or a thread not be started.
    pub fn start(config: Config) -> Result<Self, ServeError> {
        if config.tcp.is_none() && config.udp.is_none() {
            return Err(ServeError::Config("nothing to serve: give a TCP or a UDP address"));
        }
        if config.idle_timeout.is_zero() || config.max_clients == 0 {
            return Err(ServeError::Config("the idle timeout and the number of clients must be over zero"));
        }
        let tcp = config.tcp.as_deref().map(socket::listen).transpose()?;
        let udp = config.udp.as_deref().map(socket::receive).transpose()?;
        let shared = Arc::new(Shared {
            stopping: AtomicBool::new(false),
            tally: totals::Tally::default(),
            idle_timeout: config.idle_timeout,
            max_clients: config.max_clients,
        });
        let mut server = Self {
            shared,
            wakers: Vec::new(),
            threads: Vec::new(),
            tcp_addr: tcp.as_ref().map(|listener| listener.local_addr()).transpose()?,
            udp_addr: udp.as_ref().map(|socket| socket.local_addr()).transpose()?,
            io: config.io,
        };
        match config.io {
            IoMode::Blocking => blocking::start(&mut server, tcp, udp)?,
            IoMode::NonBlocking => nonblocking::start(&mut server, tcp, udp)?,
            IoMode::Epoll => epoll::start(&mut server, tcp, udp)?,
        }
        Ok(server)
    }

    /// Where TCP clients connect, with the real port.
    pub fn tcp_addr(&self) -> Option<SocketAddr> {
        self.tcp_addr
    }

    /// Where UDP clients send, with the real port.
    pub fn udp_addr(&self) -> Option<SocketAddr> {
        self.udp_addr
    }

    /// How it waits.
    pub fn io(&self) -> IoMode {
        self.io
    }

    /// What it has done so far.
    pub fn totals(&self) -> Totals {
        self.shared.tally.totals()
    }

    /// Stops accepting, answers what has arrived, closes every client and waits for the threads. Takes little
    /// over a second at most, however the clients behave.
    pub fn stop(mut self) -> Totals {
        self.halt();
        self.totals()
    }

    fn halt(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Woken, not yet dropped: an eventfd that is closed leaves epoll, and takes its unread wake-up along.
        for waker in &self.wakers {
            waker.wake();
        }
        for thread in self.threads.drain(..) {
            // A thread that panicked has told so on stderr; the others are still worth waiting for.
            let _ = thread.join();
        }
        self.wakers.clear();
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work)?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.halt();
    }
}

/// What every thread of a server knows.
#[derive(Debug)]
struct Shared {
    stopping: AtomicBool,
    tally: totals::Tally,
    idle_timeout: Duration,
    max_clients: usize,
}

impl Shared {
    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// What a client reads that is one too many.
    fn refusal(&self) -> Vec<u8> {
        let text = format!("limit of {} clients reached, come back later", self.max_clients);
        dialogue::line(&Answer::Error(text))
    }
}

/// Ends the wait of a thread so that it sees the stop.
enum Waker {
    Socket(socket2::Socket),
    Poll(mio::Waker),
}

impl Waker {
    fn wake(&self) {
        // Neither can fail in a way that matters: what cannot be woken has ended.
        match self {
            // Linux wakes threads in accept(2) and recvfrom(2) when the socket is shut down under them, although
            // it calls an unconnected datagram socket ENOTCONN. Elsewhere the read deadline does.
            Self::Socket(socket) => drop(socket.shutdown(std::net::Shutdown::Both)),
            Self::Poll(waker) => drop(waker.wake()),
        }
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waker")
    }
}

fn cure(source: &io::Error, protocol: &str) -> String {
    match source.kind() {
        io::ErrorKind::AddrInUse => format!("is another server running? choose another port with --{protocol}"),
        io::ErrorKind::PermissionDenied => "ports under 1024 need root: choose a higher one".to_owned(),
        io::ErrorKind::AddrNotAvailable => "choose an address of this machine".to_owned(),
        _ => format!("check --{protocol}"),
    }
}

/// After a stop, how long clients may take to accept what is still to be said.
const GRACE: Duration = Duration::from_secs(1);
/// How long a closed connection goes on reading, so that no RST overtakes the last answer (RFC 9293 §3.6.1).
const LINGER: Duration = Duration::from_millis(500);
/// Refused clients that may linger at once beyond the served ones; further ones are closed at once.
const MAX_REFUSED: usize = 64;
