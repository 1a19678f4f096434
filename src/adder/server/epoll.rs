//! Multiplexed I/O: one thread sleeps in epoll(7), by way of mio, until the kernel names the sockets that are ready.
//!
//! mio reports edges: a socket is named once when it becomes ready, not while it stays so. Hence every turn goes
//! on until the socket would block; a turn that was cut for fairness is remembered here and taken again.

use std::io;
use std::net::TcpListener;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use mio::Events;
use mio::Interest;
use mio::Poll;
use mio::Token;
use socket2::SockRef;

use crate::adder::server::GRACE;
use crate::adder::server::Server;
use crate::adder::server::Shared;
use crate::adder::server::Waker;
use crate::adder::server::datagram;
use crate::adder::server::datagram::DATAGRAMS_PER_TURN;
use crate::adder::server::roster::Roster;
use crate::adder::server::session::Turn;
use crate::adder::server::socket;

/// Registers the sockets and starts the one thread.
pub(super) fn start(server: &mut Server, tcp: Option<TcpListener>, udp: Option<UdpSocket>) -> io::Result<()> {
    let poll = Poll::new()?;
    let mut listener = None;
    if let Some(tcp) = tcp {
        tcp.set_nonblocking(true)?;
        let tcp = listener.insert(mio::net::TcpListener::from_std(tcp));
        poll.registry().register(tcp, LISTENER, Interest::READABLE)?;
    }
    let mut socket = None;
    if let Some(udp) = udp {
        udp.set_nonblocking(true)?;
        let udp = socket.insert(mio::net::UdpSocket::from_std(udp));
        poll.registry().register(udp, DATAGRAMS, Interest::READABLE)?;
    }
    server.wakers.push(Waker::Poll(mio::Waker::new(poll.registry(), WAKER)?));
    let shared = Arc::clone(&server.shared);
    let reactor = Reactor {
        poll,
        listener,
        socket,
        roster: Roster::new(),
        buffer: vec![0; datagram::BUFFER_SIZE],
        again: Vec::new(),
        accept_again: None,
        next_expiry: None,
        shared,
    };
    server.spawn("adder-epoll", move || reactor.run())
}

struct Reactor {
    poll: Poll,
    listener: Option<mio::net::TcpListener>,
    socket: Option<mio::net::UdpSocket>,
    roster: Roster<mio::net::TcpStream>,
    buffer: Vec<u8>,
    /// Turns that were cut for fairness.
    again: Vec<Token>,
    /// When to try again after a failed accept: its edge will not come back.
    accept_again: Option<Instant>,
    /// No client's time is up before this.
    next_expiry: Option<Instant>,
    shared: Arc<Shared>,
}

impl Reactor {
    fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        while !self.shared.stopping() {
            let timeout = self.timeout(Instant::now());
            if let Err(error) = self.poll.poll(&mut events, timeout)
                && error.kind() != io::ErrorKind::Interrupted
            {
                // Only a broken descriptor gets here; sleeping keeps the thread alive for the stop.
                std::thread::sleep(ACCEPT_PAUSE);
            }
            let now = Instant::now();
            let cut = std::mem::take(&mut self.again);
            for token in cut.into_iter().chain(events.iter().map(|event| event.token())) {
                self.serve(token, now);
            }
            if self.accept_again.is_some_and(|at| at <= now) {
                self.accept_all(now);
            }
            if self.next_expiry.is_some_and(|at| at <= now) {
                self.next_expiry = self.roster.expire(now, &self.shared);
            }
        }
        self.finish();
    }

    /// How long the kernel may let us sleep.
    fn timeout(&self, now: Instant) -> Option<Duration> {
        if !self.again.is_empty() {
            return Some(Duration::ZERO);
        }
        let next = [self.next_expiry, self.accept_again].into_iter().flatten().min()?;
        Some(next.saturating_duration_since(now))
    }

    fn serve(&mut self, token: Token, now: Instant) {
        match token {
            LISTENER => self.accept_all(now),
            WAKER => {}
            DATAGRAMS => {
                let Some(socket) = &self.socket else { return };
                if datagram::answer_waiting(socket, &mut self.buffer, &self.shared.tally) == DATAGRAMS_PER_TURN {
                    self.again.push(token);
                }
            }
            Token(client) => self.turn(client - FIRST_CLIENT, now),
        }
    }

    fn turn(&mut self, key: usize, now: Instant) {
        if self.roster.turn(key, now, &self.shared) == Turn::More {
            self.again.push(Token(key + FIRST_CLIENT));
        }
        // Activity moves a deadline back, lingering moves it forward: the earliest known stays a lower bound.
        self.next_expiry = self.next_expiry.into_iter().chain(self.roster.deadline(key)).min();
    }

    /// Seats everyone who waits, and gives each a first turn.
    fn accept_all(&mut self, now: Instant) {
        self.accept_again = None;
        let Some(listener) = &self.listener else { return };
        let mut seated = self.roster.next_key();
        loop {
            match listener.accept() {
                Ok((mut stream, _)) => {
                    let token = Token(self.roster.next_key() + FIRST_CLIENT);
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    let ready = socket::prepare(SockRef::from(&stream))
                        .and_then(|()| self.poll.registry().register(&mut stream, token, interest));
                    if ready.is_ok() {
                        self.roster.seat(stream, now, &self.shared);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.accept_again = Some(now + ACCEPT_PAUSE);
                    break;
                }
            }
        }
        while seated < self.roster.next_key() {
            self.turn(seated, now);
            seated += 1;
        }
    }

    /// The stop: answers what has arrived, for at most [`GRACE`].
    fn finish(mut self) {
        self.listener = None;
        if let Some(socket) = &self.socket {
            datagram::answer_waiting(socket, &mut self.buffer, &self.shared.tally);
        }
        let until = Instant::now() + GRACE;
        while !self.roster.drain(Instant::now(), &self.shared) && Instant::now() < until {
            std::thread::sleep(ACCEPT_PAUSE);
        }
    }
}

const LISTENER: Token = Token(0);
const DATAGRAMS: Token = Token(1);
const WAKER: Token = Token(2);
/// Clients' tokens are their roster keys from here on.
const FIRST_CLIENT: usize = 3;
/// Sockets named in one wake-up; more wait for the next.
const EVENTS: usize = 256;
/// Pause after a failed accept, so that a lasting fault does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
