//! The clients of a server whose sockets never block: who gets a seat, whose turn it is, whose time is up.

use std::collections::HashMap;
use std::time::Instant;

use crate::adder::server::MAX_REFUSED;
use crate::adder::server::Shared;
use crate::adder::server::session::Session;
use crate::adder::server::session::Stream;
use crate::adder::server::session::Turn;
use crate::adder::server::totals::count;

/// Sessions by key. Bounded by `max_clients` served and [`MAX_REFUSED`] turned away.
#[derive(Debug)]
pub(super) struct Roster<S> {
    sessions: HashMap<usize, Session<S>>,
    refused: usize,
    next: usize,
}

impl<S: Stream> Roster<S> {
    /// Nobody yet.
    pub(super) fn new() -> Self {
        Self { sessions: HashMap::new(), refused: 0, next: 0 }
    }

    /// The key that the next seat gets.
    pub(super) fn next_key(&self) -> usize {
        self.next
    }

    /// Gives the client a seat to be served or to be turned away; beyond both it is dropped, which closes it.
    pub(super) fn seat(&mut self, stream: S, now: Instant, shared: &Shared) {
        let refused = self.sessions.len() - self.refused >= shared.max_clients;
        if refused && self.refused >= MAX_REFUSED {
            count(&shared.tally.refused);
            return;
        }
        self.refused += usize::from(refused);
        self.sessions.insert(self.next, Session::new(stream, refused, now, shared));
        self.next += 1;
    }

    /// One client's turn; a session that is over leaves.
    pub(super) fn turn(&mut self, key: usize, now: Instant, shared: &Shared) -> Turn {
        let Some(session) = self.sessions.get_mut(&key) else { return Turn::Over };
        let turn = session.turn(now, shared);
        if turn == Turn::Over {
            self.refused -= usize::from(session.refused);
            self.sessions.remove(&key);
        }
        turn
    }

    /// When the client's time is up; `None` when it has left.
    pub(super) fn deadline(&self, key: usize) -> Option<Instant> {
        self.sessions.get(&key).map(Session::deadline)
    }

    /// Everyone's turn. Whether anything moved.
    pub(super) fn turn_all(&mut self, now: Instant, shared: &Shared) -> bool {
        let mut moved = false;
        self.retain(|session| {
            let turn = session.turn(now, shared);
            moved |= turn != Turn::Quiet;
            turn != Turn::Over
        });
        moved
    }

    /// Closes whose time is up. The earliest time that somebody else's could be.
    pub(super) fn expire(&mut self, now: Instant, shared: &Shared) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        self.retain(|session| {
            let deadline = session.deadline();
            if deadline <= now {
                session.expire(shared);
                return false;
            }
            next = Some(next.map_or(deadline, |next| next.min(deadline)));
            true
        });
        next
    }

    /// Part of a stop: answers what has arrived, closes who has all answers. Whether everybody left.
    pub(super) fn drain(&mut self, now: Instant, shared: &Shared) -> bool {
        self.retain(|session| match session.turn(now, shared) {
            Turn::Over => false,
            Turn::Quiet | Turn::Moved => !session.is_settled(),
            Turn::More => true,
        });
        self.sessions.is_empty()
    }

    fn retain(&mut self, mut keep: impl FnMut(&mut Session<S>) -> bool) {
        let refused = &mut self.refused;
        self.sessions.retain(|_, session| {
            let kept = keep(session);
            if !kept {
                *refused -= usize::from(session.refused);
            }
            kept
        });
    }
}
