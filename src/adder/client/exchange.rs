//! Who waits for which answer: workers put questions on the shared wire, one reader hands the answers out.
//!
//! Writing a request and queueing for its answer happen under one lock, so that the queue has the order of the wire.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::adder::client::Call;
use crate::adder::client::CallError;
use crate::adder::client::Loss;
use crate::adder::client::Outcome;
use crate::adder::client::Round;
use crate::adder::client::Summary;
use crate::adder::client::Transport;
use crate::adder::client::wire::Wire;
use crate::adder::framer::Framer;
use crate::adder::framer::sole_value;
use crate::adder::protocol::Answer;
use crate::adder::protocol::Fault;
use crate::adder::protocol::Request;

/// How an exchange ended.
pub(super) enum Ending {
    /// Requests were answered, or not.
    Came(Summary),
    /// Over UDP the first news was that nobody listens. No round was reported: another address may be tried.
    NobodyThere,
}

/// Runs every round of the call over `wire`, then says goodbye.
pub(super) fn run(
    call: &Call,
    wire: &Wire,
    each: &mut dyn FnMut(&Round) -> ControlFlow<()>,
) -> Result<Ending, CallError> {
    let exchange = Exchange { call, wire, state: Mutex::default(), changed: Condvar::new() };
    let mut summary = Summary { asked: u64::from(call.rounds) * u64::from(call.workers), ..Summary::default() };
    let nobody_there = thread::scope(|scope| {
        let rounds = exchange.begin(scope).inspect_err(|_| {
            exchange.end(Loss::Closed);
            wire.end();
        })?;
        let nobody_there = exchange.report(rounds, &mut summary, each);
        summary.ended = exchange.lock().over;
        exchange.say_goodbye();
        Ok::<bool, CallError>(nobody_there)
    })?;
    if nobody_there {
        return Ok(Ending::NobodyThere);
    }
    let strays = exchange.lock().strays;
    summary.missing = summary.asked - summary.right - summary.wrong;
    match wire.transport() {
        // A stream copies nothing: the server answered what was not asked.
        Transport::Tcp => summary.wrong += strays,
        Transport::Udp => summary.strays = strays,
    }
    Ok(Ending::Came(summary))
}

struct Exchange<'a> {
    call: &'a Call,
    wire: &'a Wire,
    state: Mutex<State>,
    /// `state.over` or `state.reader_gone` changed.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Who waits, in the order of sending. At most one ticket per worker, and over TCP the one that gave up.
    waiting: VecDeque<Ticket>,
    sent: u64,
    strays: u64,
    /// No more answers are to be expected, and why.
    over: Option<Loss>,
    /// Every worker has ended: the end of the stream is what we wait for.
    done: bool,
    reader_gone: bool,
}

struct Ticket {
    number: u64,
    expected: Option<i64>,
    reply: mpsc::Sender<Outcome>,
}

impl<'a> Exchange<'a> {
    /// Starts the reader and the workers; their rounds come out of the channel, which ends when all have ended.
    fn begin<'s>(&'s self, scope: &'s thread::Scope<'s, '_>) -> Result<mpsc::Receiver<Round>, CallError> {
        let (report, rounds) = mpsc::channel();
        thread::Builder::new().spawn_scoped(scope, || self.read())?;
        for worker in 0..self.call.workers {
            let report = report.clone();
            thread::Builder::new().spawn_scoped(scope, move || self.work(worker, &report))?;
        }
        Ok(rounds)
    }

    /// Counts and reports rounds until all workers have ended or the call is broken off. Whether all news was that
    /// nobody listens; then nothing was reported.
    fn report(
        &self,
        rounds: mpsc::Receiver<Round>,
        summary: &mut Summary,
        each: &mut dyn FnMut(&Round) -> ControlFlow<()>,
    ) -> bool {
        let refused = Outcome::Missing(Loss::Broken(io::ErrorKind::ConnectionRefused));
        // Held back until it is known whether anybody was ever there; at most one per worker.
        let mut held_back = Vec::new();
        let mut reported = false;
        let mut tell = |round: Round| {
            match &round.outcome {
                Outcome::Right(_) => summary.right += 1,
                Outcome::Missing(_) => {}
                Outcome::Wrong(_) | Outcome::Refused(_) | Outcome::Unreadable(_) => summary.wrong += 1,
            }
            let goes_on = each(&round);
            if !round.is_right() {
                summary.first_fault.get_or_insert(round);
            }
            goes_on
        };
        for round in rounds {
            if self.wire.transport() == Transport::Udp && round.outcome == refused {
                held_back.push(round);
                continue;
            }
            reported = true;
            if tell(round).is_break() {
                self.end(Loss::Closed);
                return false;
            }
        }
        if !reported {
            return !held_back.is_empty();
        }
        let _ = held_back.into_iter().try_for_each(tell);
        false
    }

    fn work(&self, worker: u32, report: &mpsc::Sender<Round>) {
        let (a, b) = operands(self.call, worker);
        for round in 0..self.call.rounds {
            if round > 0 && self.is_over_within(self.call.interval) {
                return;
            }
            let Some(round) = self.ask(Request { a, b }) else { return };
            // A stream whose answer did not come is stuck: all that follows would wait behind it. A datagram was
            // lost by itself.
            if round.outcome == Outcome::Missing(Loss::TimedOut) && self.wire.transport() == Transport::Tcp {
                self.lock().over.get_or_insert(Loss::TimedOut);
                self.changed.notify_all();
            }
            if report.send(round).is_err() {
                return;
            }
        }
    }

    /// One round; `None` when the exchange is over before it began.
    fn ask(&self, request: Request) -> Option<Round> {
        let mut octets = Vec::new();
        request.write(&mut octets);
        if self.wire.transport() == Transport::Tcp {
            octets.push(b'\n');
        }
        let (reply, answer) = mpsc::channel();
        let number = {
            let mut state = self.lock();
            if state.over.is_some() {
                return None;
            }
            state.sent += 1;
            let number = state.sent;
            state.waiting.push_back(Ticket { number, expected: request.sum().ok(), reply });
            if let Err(error) = self.wire.send(&octets) {
                state.end(Loss::Broken(error.kind()));
                self.changed.notify_all();
            }
            number
        };
        let outcome = answer.recv_timeout(self.call.timeout).unwrap_or_else(|_| self.give_up(number, &answer));
        Some(Round { number, a: request.a, b: request.b, outcome })
    }

    /// The outcome of a round whose answer did not come.
    fn give_up(&self, number: u64, answer: &mpsc::Receiver<Outcome>) -> Outcome {
        let mut state = self.lock();
        // It may have come between the end of the wait and the lock.
        if let Ok(outcome) = answer.try_recv() {
            return outcome;
        }
        // A stream's queue keeps the ticket: the late answer, if it comes, is still this one's.
        if self.wire.transport() == Transport::Udp {
            state.waiting.retain(|ticket| ticket.number != number);
        }
        Outcome::Missing(state.over.unwrap_or(Loss::TimedOut))
    }

    fn read(&self) {
        let loss = match self.wire.transport() {
            Transport::Tcp => self.read_stream(),
            Transport::Udp => self.read_datagrams(),
        };
        let mut state = self.lock();
        state.end(loss);
        state.reader_gone = true;
        self.changed.notify_all();
    }

    fn read_stream(&self) -> Loss {
        let mut framer = Framer::default();
        let mut octets = [0; READ_SIZE];
        loop {
            match self.wire.receive(&mut octets) {
                Ok(0) => {
                    if let Some(framed) = framer.finish() {
                        self.deliver(framed.and_then(Answer::read));
                    }
                    return Loss::Closed;
                }
                Ok(read) => {
                    let mut fresh = &octets[..read];
                    while let Some(framed) = framer.next(&mut fresh) {
                        self.deliver(framed.and_then(Answer::read));
                    }
                    if framer.is_lost() {
                        return Loss::Broken(io::ErrorKind::InvalidData);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Loss::Broken(error.kind()),
            }
        }
    }

    fn read_datagrams(&self) -> Loss {
        let mut octets = [0; READ_SIZE];
        loop {
            match self.wire.receive(&mut octets) {
                // Our own goodbye reads as empty.
                Ok(0) if self.is_over_within(Duration::ZERO) => return Loss::Closed,
                Ok(read) => self.deliver(sole_value(&octets[..read]).and_then(Answer::read)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Loss::Broken(error.kind()),
            }
        }
    }

    /// Hands an answer to whom it belongs; the module's head has the rule.
    fn deliver(&self, answer: Result<Answer, Fault>) {
        let mut state = self.lock();
        let at = match (self.wire.transport(), &answer) {
            (Transport::Udp, Ok(Answer::Sum(sum))) => {
                let own = state.waiting.iter().position(|ticket| ticket.expected == Some(*sum));
                // A sum that some worker could have asked for, but none waits for, is late or a copy.
                if own.is_none() && is_asked_for(self.call, *sum) { None } else { own.or(Some(0)) }
            }
            _ => Some(0),
        };
        let Some(ticket) = at.and_then(|at| state.waiting.remove(at)) else {
            state.strays += 1;
            return;
        };
        let outcome = match answer {
            Ok(Answer::Sum(sum)) if ticket.expected == Some(sum) => Outcome::Right(sum),
            Ok(Answer::Sum(sum)) => Outcome::Wrong(sum),
            Ok(Answer::Error(why)) => Outcome::Refused(why),
            Err(fault) => Outcome::Unreadable(fault.to_string()),
        };
        // Fails over TCP when the worker gave this round up; it has reported it as missing.
        let _ = ticket.reply.send(outcome);
    }

    /// Ends our side, gives the server a moment to end its own, then closes.
    fn say_goodbye(&self) {
        let mut state = self.lock();
        let broken = state.over.is_some();
        state.done = true;
        drop(state);
        if broken {
            self.wire.end();
        }
        self.wire.end_sending();
        let patience = self.call.timeout.min(FAREWELL);
        let waited = self.changed.wait_timeout_while(self.lock(), patience, |state| !state.reader_gone);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        self.wire.end();
    }

    fn end(&self, loss: Loss) {
        self.lock().end(loss);
        self.changed.notify_all();
    }

    /// Waits `pause`, or less if the exchange ends first; whether it has.
    fn is_over_within(&self, pause: Duration) -> bool {
        let goes_on = |state: &mut State| state.over.is_none() && !state.done;
        let waited = self.changed.wait_timeout_while(self.lock(), pause, goes_on);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !goes_on(&mut state)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// No more answers: whoever waits learns it now.
    fn end(&mut self, loss: Loss) {
        self.over.get_or_insert(loss);
        self.waiting.clear();
    }
}

/// What a worker asks for: the call's own numbers for the first, one step further for each next one, in the
/// direction in which the sums stay integers.
fn operands(call: &Call, worker: u32) -> (i64, i64) {
    let last = i64::from(call.workers) - 1;
    let upward = call.a.checked_add(last).is_some_and(|a| a.checked_add(call.b).is_some());
    let step = i64::from(worker);
    (if upward { call.a.saturating_add(step) } else { call.a.saturating_sub(step) }, call.b)
}

/// Whether some worker of the call expects this sum.
fn is_asked_for(call: &Call, sum: i64) -> bool {
    (0..call.workers).any(|worker| {
        let (a, b) = operands(call, worker);
        a.checked_add(b) == Some(sum)
    })
}

/// Octets read at a time; an answer in a datagram is shorter.
const READ_SIZE: usize = 4096;
/// How long the server may take to close after us.
const FAREWELL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_workers_expect_the_same_sum_even_at_the_ends_of_the_integers() {
        for (a, b) in [(7, 4), (i64::MAX, 0), (i64::MIN, 0), (i64::MAX - 2, 1), (0, i64::MAX), (i64::MIN, i64::MAX)] {
            let call = Call { a, b, workers: 10, ..Call::default() };
            let mut sums: Vec<i64> = (0..10)
                .map(|worker| operands(&call, worker))
                .map(|(a, b)| a.checked_add(b).expect("the sum fits"))
                .collect();
            assert_eq!(sums[0], a + b);
            sums.sort_unstable();
            sums.dedup();
            assert_eq!(sums.len(), 10, "{a} + {b}");
            assert!(sums.iter().all(|sum| is_asked_for(&call, *sum)));
            assert!(!is_asked_for(&call, sums[0].wrapping_sub(1)));
        }
    }
}
