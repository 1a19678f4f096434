//! Blocking I/O: a thread per TCP client, ten workers on one UDP socket.
//!
//! The simplest to read, and the dearest: every client costs a stack. Threads are woken for a stop by shutting
//! their sockets down for reading; what had arrived before is still read and answered.

use std::collections::HashMap;
use std::io;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use socket2::SockRef;

use crate::adder::server::GRACE;
use crate::adder::server::LINGER;
use crate::adder::server::MAX_REFUSED;
use crate::adder::server::Server;
use crate::adder::server::Shared;
use crate::adder::server::Waker;
use crate::adder::server::datagram;
use crate::adder::server::dialogue::Dialogue;
use crate::adder::server::dialogue::READ_SIZE;
use crate::adder::server::socket;
use crate::adder::server::totals::count;

/// Starts the accepting thread and the UDP workers.
pub(super) fn start(server: &mut Server, tcp: Option<TcpListener>, udp: Option<UdpSocket>) -> io::Result<()> {
    if let Some(listener) = tcp {
        server.wakers.push(Waker::Socket(SockRef::from(&listener).try_clone()?));
        let shared = Arc::clone(&server.shared);
        server.spawn("adder-accept", move || accept_all(&listener, &shared))?;
    }
    if let Some(socket) = udp {
        socket.set_read_timeout(Some(STOP_CHECK))?;
        server.wakers.push(Waker::Socket(SockRef::from(&socket).try_clone()?));
        let socket = Arc::new(socket);
        for _ in 0..UDP_WORKERS {
            let socket = Arc::clone(&socket);
            let shared = Arc::clone(&server.shared);
            server.spawn("adder-udp", move || answer_datagrams(&socket, &shared))?;
        }
    }
    Ok(())
}

fn accept_all(listener: &TcpListener, shared: &Arc<Shared>) {
    let clients = Arc::new(Clients::default());
    while !shared.stopping() {
        match listener.accept() {
            Ok((stream, _)) => admit(stream, shared, &clients),
            Err(_) if shared.stopping() => break,
            // Too many open files, or a client gone before it was accepted: neither is the listener's end.
            Err(_) => std::thread::sleep(ACCEPT_PAUSE),
        }
    }
    clients.close(GRACE);
}

/// Gives the client its thread, or the refusal its thread.
fn admit(stream: TcpStream, shared: &Arc<Shared>, clients: &Arc<Clients>) {
    let Some(seat) = clients.seat(stream, shared.max_clients) else {
        count(&shared.tally.refused);
        return;
    };
    count(if seat.refused { &shared.tally.refused } else { &shared.tally.clients });
    let shared = Arc::clone(shared);
    let work = move || {
        // A client that vanishes ends its own talk only; there is nobody left to tell.
        let _ = if seat.refused { refuse(&seat.stream, &shared) } else { converse(&seat.stream, &shared) };
    };
    // Without a thread the seat is dropped with the closure, which closes the connection.
    let _ = std::thread::Builder::new().name("adder-tcp".to_owned()).spawn(work);
}

fn converse(mut stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    socket::prepare(SockRef::from(stream))?;
    stream.set_read_timeout(Some(shared.idle_timeout))?;
    stream.set_write_timeout(Some(shared.idle_timeout))?;
    let mut dialogue = Dialogue::default();
    let mut octets = [0; READ_SIZE];
    loop {
        match stream.read(&mut octets) {
            // Our own stop ends the stream too; then a half message is nobody's mistake.
            Ok(0) if shared.stopping() => return Ok(()),
            Ok(0) => {
                dialogue.hear_end(&shared.tally);
                return stream.write_all(dialogue.to_say());
            }
            Ok(read) => {
                dialogue.hear(&octets[..read], &shared.tally);
                let answers = dialogue.to_say().len();
                stream.write_all(dialogue.to_say()).inspect_err(|error| tally_stall(error, shared))?;
                dialogue.said(answers);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                tally_stall(&error, shared);
                return Err(error);
            }
        }
        if dialogue.is_lost() {
            return linger(stream);
        }
    }
}

fn refuse(mut stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_write_timeout(Some(LINGER))?;
    stream.write_all(&shared.refusal())?;
    linger(stream)
}

/// Ends our side, then reads what still comes: closing over unread octets would send a RST, and a RST can take
/// from the client the answer that it has not read yet.
fn linger(mut stream: &TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    let until = Instant::now() + LINGER;
    let mut octets = [0; READ_SIZE];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        stream.set_read_timeout(Some(left))?;
        if stream.read(&mut octets)? == 0 {
            return Ok(());
        }
    }
}

fn tally_stall(error: &io::Error, shared: &Shared) {
    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
        count(&shared.tally.idle);
    }
}

fn answer_datagrams(socket: &UdpSocket, shared: &Shared) {
    let mut octets = vec![0; datagram::BUFFER_SIZE];
    loop {
        match socket.recv_from(&mut octets) {
            // A socket that was shut down reads as empty, once its queue is.
            Ok((0, _)) if shared.stopping() => return,
            Ok((read, peer)) => {
                if let Some(answer) = datagram::answer(&octets[..read], &shared.tally)
                    && socket.send_to(&answer, peer).is_err()
                {
                    count(&shared.tally.unanswered);
                }
            }
            Err(_) if shared.stopping() => return,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(_) => std::thread::sleep(ACCEPT_PAUSE),
        }
    }
}

/// Who is connected, so that a stop reaches every thread. Bounded by `max_clients` and [`MAX_REFUSED`].
#[derive(Default)]
struct Clients {
    seats: Mutex<Seats>,
    left: Condvar,
}

#[derive(Default)]
struct Seats {
    next: u64,
    taken: HashMap<u64, Arc<TcpStream>>,
    refused: usize,
}

impl Clients {
    /// A place for the client: to be served, to be refused, or none.
    fn seat(self: &Arc<Self>, stream: TcpStream, max_clients: usize) -> Option<Seat> {
        let mut seats = self.lock();
        let refused = seats.taken.len() - seats.refused >= max_clients;
        if refused && seats.refused >= MAX_REFUSED {
            return None;
        }
        seats.refused += usize::from(refused);
        let number = seats.next;
        seats.next += 1;
        let stream = Arc::new(stream);
        seats.taken.insert(number, Arc::clone(&stream));
        Some(Seat { number, stream, refused, clients: Arc::clone(self) })
    }

    /// Ends every client's reading, waits `grace` for the last answers, then ends their writing as well.
    fn close(&self, grace: Duration) {
        for (how, grace) in [(Shutdown::Read, grace), (Shutdown::Both, grace / 4)] {
            let seats = self.lock();
            for stream in seats.taken.values() {
                // Fails when the client closed first, which is as good.
                let _ = stream.shutdown(how);
            }
            let waited = self.left.wait_timeout_while(seats, grace, |seats| !seats.taken.is_empty());
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One client's place, given back when its thread ends, however it ends.
struct Seat {
    number: u64,
    stream: Arc<TcpStream>,
    refused: bool,
    clients: Arc<Clients>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.clients.lock();
        seats.taken.remove(&self.number);
        seats.refused -= usize::from(self.refused);
        self.clients.left.notify_all();
    }
}

/// How many threads read the one UDP socket; the kernel hands each datagram to one of them.
const UDP_WORKERS: usize = 10;
/// Read deadline of the UDP workers, for systems where a shutdown does not wake them.
const STOP_CHECK: Duration = Duration::from_secs(1);
/// Pause after a failed accept or receive, so that a lasting fault does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
