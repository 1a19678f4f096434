//! Acts on a stage: what is due next is done, what follows from it falls due later.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::craft::traffic::Act;
use crate::craft::traffic::Look;
use crate::craft::traffic::Manner;
use crate::craft::traffic::Random;
use crate::craft::traffic::Segment;
use crate::craft::traffic::World;
use crate::craft::traffic::act::Face;
use crate::craft::traffic::world::Answer;
use crate::packet::Endpoint;
use crate::packet::TcpFlags;

/// One client's wish to connect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dial {
    /// Who.
    pub client: Endpoint,
    /// Whom.
    pub server: Endpoint,
    /// Beyond the SYN.
    pub manner: Manner,
    /// Look of the SYN.
    pub look: Look,
    /// Seconds from the server's answer, here, to the client's, here.
    pub rtt: f64,
}

/// Everything that is going to happen.
#[derive(Clone, Debug)]
pub struct Scene {
    world: World,
    acts: Vec<Act>,
    dials: Vec<(f64, Dial)>,
    seed: u64,
    loss: f64,
    missed: f64,
    slowest: f64,
}

impl Scene {
    /// An empty stage.
    pub const fn new(seed: u64, world: World) -> Self {
        Self { world, acts: Vec::new(), dials: Vec::new(), seed, loss: 0.0, missed: 0.0, slowest: 0.25 }
    }

    /// One more act.
    #[must_use]
    pub fn with(mut self, act: Act) -> Self {
        self.acts.push(act);
        self
    }

    /// One dial at `at`.
    #[must_use]
    pub fn with_dial(mut self, at: f64, dial: Dial) -> Self {
        self.dials.push((at, dial));
        self
    }

    /// The path between clients and capture point loses this share of packets, both ways.
    #[must_use]
    pub const fn losing(mut self, share: f64) -> Self {
        self.loss = share;
        self
    }

    /// The capture misses this share of what passes.
    #[must_use]
    pub const fn missing(mut self, share: f64) -> Self {
        self.missed = share;
        self
    }

    /// The slowest client's round trip, in seconds; the fastest has a tenth of it.
    #[must_use]
    pub const fn with_slowest(mut self, rtt: f64) -> Self {
        self.slowest = rtt;
        self
    }

    /// Plays it, in order of time.
    pub fn play(&self) -> Play {
        let mut play = Play {
            world: self.world.clone(),
            acts: Vec::new(),
            queue: BinaryHeap::new(),
            random: Random::new(self.seed ^ 0x5eed),
            loss: self.loss,
            missed: self.missed,
            slowest: self.slowest,
            order: 0,
        };
        for (at, act) in self.acts.iter().enumerate() {
            // Chance of its own for each act, so that one more changes nothing of the others.
            let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(at as u64 + 1);
            play.acts.push((*act, Random::new(seed), 0));
            play.schedule(act.from, Due::Act(at));
        }
        for (at, dial) in &self.dials {
            let first = play.first_call(*dial);
            play.schedule(*at, first);
        }
        play
    }
}

/// A scene while it is played.
#[derive(Clone, Debug)]
pub struct Play {
    world: World,
    acts: Vec<(Act, Random, u64)>,
    queue: BinaryHeap<Entry>,
    random: Random,
    loss: f64,
    missed: f64,
    slowest: f64,
    order: u64,
}

impl Iterator for Play {
    type Item = Segment;

    fn next(&mut self) -> Option<Segment> {
        loop {
            let Entry { at, due, .. } = self.queue.pop()?;
            match due {
                Due::Act(act) => self.act(act, at),
                Due::Call(call) => self.call(*call, at),
                Due::Pass(segment) if self.random.hits(self.missed) => drop(segment),
                Due::Pass(segment) => return Some(*segment),
            }
        }
    }
}

/// An attempt and where it stands.
#[derive(Clone, Copy, Debug)]
struct Call {
    dial: Dial,
    face: Face,
    isn: u32,
    theirs: u32,
    tried: u8,
    /// Waits 1, 2, 4 seconds between its SYNs; otherwise one second each (Linux's `tcp_syn_linear_timeouts`).
    doubles: bool,
}

#[derive(Clone, Debug)]
enum Due {
    Act(usize),
    Call(Box<Call>),
    Pass(Box<Segment>),
}

#[derive(Clone, Debug)]
struct Entry {
    at: f64,
    order: u64,
    due: Due,
}

/// From the server's SYN,ACK to its SYN, in seconds.
const ANSWERS_AFTER: f64 = 50e-6;
/// SYNs of a client that nobody answers.
const MOST_SYNS: u8 = 6;

impl Play {
    fn schedule(&mut self, at: f64, due: Due) {
        self.order += 1;
        self.queue.push(Entry { at, order: self.order, due });
    }

    fn act(&mut self, index: usize, at: f64) {
        let slowest = self.slowest;
        let (act, random, nth) = &mut self.acts[index];
        if at >= act.to {
            return;
        }
        let mut next = at + random.pause(act.rate);
        let mut dials = true;
        if let Some((on, off)) = act.pulse {
            let phase = |at: f64| (at - act.from) % (on + off);
            dials = phase(at) < on;
            if phase(next) >= on {
                next += on + off - phase(next);
            }
        }
        let (act, number) = (*act, *nth);
        let client = act.sources.pick(number, act.targets.addr(), random);
        let server = act.targets.pick(number, random);
        let rtt = slowest * (0.1 + 0.9 * random.unit());
        *nth += 1;
        if dials {
            let dial = Dial { client, server, manner: act.manner, look: act.look, rtt };
            let first = self.first_call(dial);
            self.schedule(at, first);
        }
        self.schedule(next, Due::Act(index));
    }

    fn first_call(&mut self, dial: Dial) -> Due {
        Due::Call(Box::new(Call {
            dial,
            face: dial.look.of(dial.client.addr),
            isn: self.random.bits() as u32,
            theirs: self.random.bits() as u32,
            tried: 0,
            doubles: self.random.hits(0.4),
        }))
    }

    /// A client's SYN reaches the server.
    fn call(&mut self, mut call: Call, at: f64) {
        call.tried += 1;
        let manner = call.dial.manner;
        let honest = matches!(manner, Manner::Honest { .. });
        if honest && self.random.hits(self.loss) {
            self.call_again(call, at);
            return;
        }
        self.client_sends(&call, at, TcpFlags::SYN, 0, 0, 0);
        let holds = match manner {
            Manner::Honest { .. } | Manner::Resetting => call.dial.rtt,
            Manner::Silent | Manner::Resending | Manner::ForgedAck => f64::INFINITY,
        };
        match self.world.answer(at, call.dial.server, holds, &mut self.random) {
            Answer::Silence if honest => self.call_again(call, at),
            Answer::Silence => {}
            Answer::Rst => {
                self.server_sends(&call, at + ANSWERS_AFTER, TcpFlags::RST.with(TcpFlags::ACK), 0, 1, 0);
                self.dial_anew(&call, at);
            }
            Answer::SynAck { resends, heard, accepted } => self.answered(call, at, resends, heard, accepted),
        }
        if manner == Manner::Resending && call.tried == 1 {
            self.schedule(at + 1.0, Due::Call(Box::new(call)));
        }
    }

    fn answered(&mut self, call: Call, at: f64, resends: u8, heard: bool, accepted: bool) {
        let rtt = call.dial.rtt;
        self.syn_ack(&call, at + ANSWERS_AFTER);
        match call.dial.manner {
            Manner::Honest { .. } if !heard || self.random.hits(self.loss) => {
                if !heard || call.tried > 1 {
                    self.syn_acks_again(&call, at, resends.min(1));
                }
                self.call_again(call, at);
            }
            Manner::Honest { .. } => {
                if !accepted && resends > 0 {
                    self.syn_ack(&call, at + 1.0);
                    self.client_sends(&call, at + 1.0 + rtt, TcpFlags::ACK, 1, 1, 0);
                }
                self.talk(&call, at + rtt);
            }
            Manner::Silent | Manner::Resending => self.syn_acks_again(&call, at, resends),
            Manner::ForgedAck => {
                let wrong = 0x8000_0000 | self.random.bits() as u32 >> 2;
                self.client_sends(&call, at + rtt, TcpFlags::ACK, 1, wrong, 0);
                self.syn_acks_again(&call, at, resends);
            }
            Manner::Resetting => self.client_sends(&call, at + rtt, TcpFlags::RST, 1, 0, 0),
        }
    }

    /// Request, answer and both ends, from the acknowledgment of the server's SYN on.
    fn talk(&mut self, call: &Call, at: f64) {
        let (push, fin) = (TcpFlags::PSH.with(TcpFlags::ACK), TcpFlags::FIN.with(TcpFlags::ACK));
        let rtt = call.dial.rtt;
        if !self.random.hits(self.loss) {
            self.client_sends(call, at, TcpFlags::ACK, 1, 1, 0);
        }
        // What is lost of the data comes again.
        let late = if self.random.hits(self.loss) { 0.2 + rtt } else { 0.0 };
        let asks = at + 0.0005 + late;
        self.client_sends(call, asks, push, 1, 1, 100);
        self.server_sends(call, asks + 0.001, push, 1, 101, 200);
        self.client_sends(call, asks + 0.001 + rtt, TcpFlags::ACK, 101, 201, 0);
        self.client_sends(call, asks + 0.002 + rtt, fin, 101, 201, 0);
        self.server_sends(call, asks + 0.0021 + rtt, fin, 201, 102, 0);
        self.client_sends(call, asks + 0.0021 + 2.0 * rtt, TcpFlags::ACK, 102, 202, 0);
    }

    fn call_again(&mut self, call: Call, at: f64) {
        if call.tried < MOST_SYNS {
            let pause = if call.doubles { f64::from(1_u32 << (call.tried - 1)) } else { 1.0 };
            let late = 1.0 + 0.03 * self.random.unit();
            self.schedule(at + pause * late, Due::Call(Box::new(call)));
        }
    }

    /// After a refusal: another port, another first number.
    fn dial_anew(&mut self, call: &Call, at: f64) {
        if let Manner::Honest { again } = call.dial.manner
            && again > 0
        {
            let mut dial = call.dial;
            dial.manner = Manner::Honest { again: again - 1 };
            dial.client.port = 1_024 + self.random.below(60_000) as u16;
            let pause = 0.2 + self.random.unit();
            let first = self.first_call(dial);
            self.schedule(at + pause, first);
        }
    }

    fn syn_ack(&mut self, call: &Call, at: f64) {
        self.server_sends(call, at, TcpFlags::SYN.with(TcpFlags::ACK), 0, 1, 0);
    }

    fn syn_acks_again(&mut self, call: &Call, at: f64, resends: u8) {
        for nth in 1..=u32::from(resends) {
            self.syn_ack(call, at + ANSWERS_AFTER + f64::from((1_u32 << nth) - 1));
        }
    }

    fn client_sends(&mut self, call: &Call, at: f64, flags: TcpFlags, seq: u32, ack: u32, len: u16) {
        let is_syn = flags.has(TcpFlags::SYN);
        self.schedule(
            at,
            Due::Pass(Box::new(Segment {
                at,
                src: call.dial.client,
                dst: call.dial.server,
                flags,
                seq: call.isn.wrapping_add(seq),
                ack: if flags.has(TcpFlags::ACK) { call.theirs.wrapping_add(ack) } else { 0 },
                len,
                ttl: call.face.ttl,
                window: call.face.window,
                options: if is_syn { call.face.options } else { &[] },
            })),
        );
    }

    fn server_sends(&mut self, call: &Call, at: f64, flags: TcpFlags, seq: u32, ack: u32, len: u16) {
        let is_syn = flags.has(TcpFlags::SYN);
        let is_reset = flags.has(TcpFlags::RST);
        self.schedule(
            at,
            Due::Pass(Box::new(Segment {
                at,
                src: call.dial.server,
                dst: call.dial.client,
                flags,
                seq: if is_reset { 0 } else { call.theirs.wrapping_add(seq) },
                ack: call.isn.wrapping_add(ack),
                len,
                ttl: 64,
                window: if is_reset { 0 } else { 65_160 },
                options: if is_syn { super::MSS_OPTION } else { &[] },
            })),
        );
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The earliest is the greatest, as the heap wants it; what was scheduled first breaks ties.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.total_cmp(&self.at).then(other.order.cmp(&self.order))
    }
}
