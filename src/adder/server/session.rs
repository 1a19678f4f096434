//! One TCP client on a socket that never blocks: how far it got, and until when it may stay.
//!
//! Shared by `nonblocking` and `epoll`, which differ only in how they learn that a turn is worth taking.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::time::Instant;

use crate::adder::server::LINGER;
use crate::adder::server::Shared;
use crate::adder::server::dialogue::Dialogue;
use crate::adder::server::dialogue::READ_SIZE;
use crate::adder::server::totals::count;

/// A connected stream, of the standard library or of mio.
pub(super) trait Stream: Read + Write {
    /// Sends our FIN and goes on reading.
    fn end_writing(&self) -> io::Result<()>;
}

impl Stream for std::net::TcpStream {
    fn end_writing(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Stream for mio::net::TcpStream {
    fn end_writing(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// What a turn came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Turn {
    /// Nothing moved.
    Quiet,
    /// Something moved; the socket has no more for now.
    Moved,
    /// Something moved and there may be more: others' turn first.
    More,
    /// It is over; drop the session.
    Over,
}

/// A client between two turns.
#[derive(Debug)]
pub(super) struct Session<S> {
    stream: S,
    dialogue: Dialogue,
    phase: Phase,
    deadline: Instant,
    /// Turned away instead of served.
    pub(super) refused: bool,
}

impl<S: Stream> Session<S> {
    /// A client to serve, or to turn away when `refused`.
    pub(super) fn new(stream: S, refused: bool, now: Instant, shared: &Shared) -> Self {
        count(if refused { &shared.tally.refused } else { &shared.tally.clients });
        let (dialogue, phase) = if refused {
            (Dialogue::with(shared.refusal()), Phase::LastWords { then_linger: true })
        } else {
            (Dialogue::default(), Phase::Open)
        };
        Self { stream, dialogue, phase, deadline: now + shared.idle_timeout, refused }
    }

    /// Sends what is to be said and hears what has come, until the socket would block or the turn is long enough.
    pub(super) fn turn(&mut self, now: Instant, shared: &Shared) -> Turn {
        match self.try_turn(now, shared) {
            Ok(turn) => turn,
            // The client vanished: nobody is left to tell.
            Err(_) => Turn::Over,
        }
    }

    /// When its time is up, unless something moves. Call [`Session::expire`] then.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Counts a time that is up.
    pub(super) fn expire(&self, shared: &Shared) {
        if self.phase == Phase::Open {
            count(&shared.tally.idle);
        }
    }

    /// Whether everything answered was sent, so that a stop may close it.
    pub(super) fn is_settled(&self) -> bool {
        self.dialogue.to_say().is_empty()
    }

    fn try_turn(&mut self, now: Instant, shared: &Shared) -> io::Result<Turn> {
        let mut turn = Turn::Quiet;
        for _ in 0..READS_PER_TURN {
            while !self.dialogue.to_say().is_empty() {
                let Some(sent) = unless_blocked(|| self.stream.write(self.dialogue.to_say()))? else {
                    return Ok(turn);
                };
                if sent == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                self.dialogue.said(sent);
                self.moved(now, shared, &mut turn);
            }
            if let Phase::LastWords { then_linger } = self.phase {
                if !then_linger {
                    return Ok(Turn::Over);
                }
                self.stream.end_writing()?;
                self.phase = Phase::Lingering;
                self.deadline = now + LINGER;
            }
            let mut octets = [0; READ_SIZE];
            let Some(read) = unless_blocked(|| self.stream.read(&mut octets))? else { return Ok(turn) };
            self.moved(now, shared, &mut turn);
            if self.phase == Phase::Lingering {
                if read == 0 {
                    return Ok(Turn::Over);
                }
            } else if read == 0 {
                self.dialogue.hear_end(&shared.tally);
                self.phase = Phase::LastWords { then_linger: false };
            } else {
                self.dialogue.hear(&octets[..read], &shared.tally);
                if self.dialogue.is_lost() {
                    self.phase = Phase::LastWords { then_linger: true };
                }
            }
        }
        Ok(Turn::More)
    }

    fn moved(&mut self, now: Instant, shared: &Shared, turn: &mut Turn) {
        *turn = Turn::Moved;
        if self.phase != Phase::Lingering {
            self.deadline = now + shared.idle_timeout;
        }
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// Hearing and answering.
    Open,
    /// Hearing no more; the last answers are on their way.
    LastWords {
        /// The client may still be sending: read on for a while, or a RST overtakes the answers.
        then_linger: bool,
    },
    /// Our FIN is sent; what comes is thrown away.
    Lingering,
}

/// `None` when the call would block.
fn unless_blocked(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<Option<usize>> {
    loop {
        match call() {
            Ok(octets) => return Ok(Some(octets)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads in one turn; a client that sends without pause must not starve the others.
const READS_PER_TURN: usize = 16;
