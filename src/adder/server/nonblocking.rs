//! Non-blocking I/O: one thread asks every socket in turn and sleeps a little when none had anything.
//!
//! What one does without help from the kernel: each round costs a system call per client, and an idle server
//! still wakes. The pause doubles from [`SHORTEST_PAUSE`] to [`LONGEST_PAUSE`] while nothing moves, so that a busy
//! server answers at once and an idle one costs little.

use std::io;
use std::net::TcpListener;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use socket2::SockRef;

use crate::adder::server::GRACE;
use crate::adder::server::Server;
use crate::adder::server::Shared;
use crate::adder::server::datagram;
use crate::adder::server::roster::Roster;
use crate::adder::server::socket;

/// Starts the one thread.
pub(super) fn start(server: &mut Server, tcp: Option<TcpListener>, udp: Option<UdpSocket>) -> io::Result<()> {
    tcp.as_ref().map_or(Ok(()), |listener| listener.set_nonblocking(true))?;
    udp.as_ref().map_or(Ok(()), |socket| socket.set_nonblocking(true))?;
    let shared = Arc::clone(&server.shared);
    server.spawn("adder-poll", move || run(tcp, udp, &shared))
}

fn run(listener: Option<TcpListener>, socket: Option<UdpSocket>, shared: &Shared) {
    let mut roster = Roster::new();
    let mut buffer = vec![0; datagram::BUFFER_SIZE];
    let mut pause = SHORTEST_PAUSE;
    while !shared.stopping() {
        let now = Instant::now();
        let mut moved = listener.as_ref().is_some_and(|listener| accept_all(listener, &mut roster, now, shared));
        if let Some(socket) = &socket {
            moved |= datagram::answer_waiting(socket, &mut buffer, &shared.tally) > 0;
        }
        moved |= roster.turn_all(now, shared);
        roster.expire(now, shared);
        if moved {
            pause = SHORTEST_PAUSE;
        } else {
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
    drop(listener);
    if let Some(socket) = socket {
        datagram::answer_waiting(&socket, &mut buffer, &shared.tally);
    }
    let until = Instant::now() + GRACE;
    while !roster.drain(Instant::now(), shared) && Instant::now() < until {
        std::thread::sleep(LONGEST_PAUSE);
    }
}

/// Seats everyone who waits. Whether there was anyone.
fn accept_all(listener: &TcpListener, roster: &mut Roster<TcpStream>, now: Instant, shared: &Shared) -> bool {
    let mut moved = false;
    // Any error ends the round: either nobody waits, or the next round may find more free descriptors.
    while let Ok((stream, _)) = listener.accept() {
        moved = true;
        let ready = stream.set_nonblocking(true).and_then(|()| socket::prepare(SockRef::from(&stream)));
        if ready.is_ok() {
            roster.seat(stream, now, shared);
        }
    }
    moved
}

/// First pause after a round in which nothing moved.
const SHORTEST_PAUSE: Duration = Duration::from_micros(50);
/// Pause of an idle server; also the most that it adds to an answer.
const LONGEST_PAUSE: Duration = Duration::from_millis(5);
