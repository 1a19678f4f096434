//! A cable between two interfaces that spoils what passes, on purpose and repeatably.
//!
//! Network namespaces are tied together by it where the kernel has no `netem`, and where a case needs *this* segment lost
//! and no other: frames are chosen by their place among those that carry TCP data, or by a seeded generator.
//!
//! ```text
//! cable LEFT RIGHT [--delay MS] [--seed N]            both ways; the seed decides which frames the percentages hit
//!       [--loss %] [--duplicate %] [--late % MS]      frames with TCP data from LEFT to RIGHT
//!       [--drop N,N…] [--hold N=MS,…]                 by place, from 1, every copy counts
//!       [--from N MS MS]                              from place N on, MS more delay for a time of MS
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use pnet::datalink;
use pnet::datalink::Channel;
use pnet::datalink::DataLinkReceiver;
use pnet::datalink::DataLinkSender;
use synscope::decode::decode;
use synscope::packet::Frame;
use synscope::packet::FrameMeta;
use synscope::packet::LinkType;
use synscope::packet::Timestamp;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cable: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let (left, right) = (next(&mut words)?, next(&mut words)?);
    let mut plan = Plan::default();
    while let Some(option) = words.next() {
        plan.take(&option, &mut words)?;
    }
    let back = Plan { delay: plan.delay, ..Plan::default() };
    let (left_out, left_in) = open(&left)?;
    let (right_out, right_in) = open(&right)?;
    println!("cable {left} {right}");
    thread::scope(|scope| {
        scope.spawn(|| carry(left_in, right_out, plan));
        scope.spawn(|| carry(right_in, left_out, back));
    });
    Ok(())
}

/// What happens to the frames of one direction.
#[derive(Default)]
struct Plan {
    delay: Duration,
    random: Random,
    loss: f64,
    duplicate: f64,
    late: (f64, Duration),
    drop: Vec<u64>,
    hold: Vec<(u64, Duration)>,
    slow: Option<Slow>,
    /// Frames with data so far.
    place: u64,
}

/// A stretch in which everything takes longer.
struct Slow {
    from: u64,
    by: Duration,
    lasts: Duration,
    until: Option<Instant>,
}

impl Plan {
    fn take(&mut self, option: &str, words: &mut impl Iterator<Item = String>) -> Result<(), Box<dyn Error>> {
        match option {
            "--delay" => self.delay = millis(&next(words)?)?,
            "--seed" => self.random = Random(number::<u64>(&next(words)?)?.max(1)),
            "--loss" => self.loss = number(&next(words)?)?,
            "--duplicate" => self.duplicate = number(&next(words)?)?,
            "--late" => self.late = (number(&next(words)?)?, millis(&next(words)?)?),
            "--drop" => self.drop = next(words)?.split(',').map(number).collect::<Result<_, _>>()?,
            "--hold" => {
                for pair in next(words)?.split(',') {
                    let (place, by) = pair.split_once('=').ok_or("--hold takes PLACE=MS")?;
                    self.hold.push((number(place)?, millis(by)?));
                }
            }
            "--from" => {
                let from = number(&next(words)?)?;
                let (by, lasts) = (millis(&next(words)?)?, millis(&next(words)?)?);
                self.slow = Some(Slow { from, by, lasts, until: None });
            }
            other => return Err(format!("what is {other}?").into()),
        }
        Ok(())
    }

    /// When the frame leaves, and when its copy does.
    fn decide(&mut self, now: Instant, frame: &[u8]) -> [Option<Instant>; 2] {
        let leaves = now + self.delay;
        if !has_tcp_data(frame) {
            return [Some(leaves), None];
        }
        self.place += 1;
        let place = self.place;
        let (lost, twice, late) = (self.hits(self.loss), self.hits(self.duplicate), self.hits(self.late.0));
        if lost || self.drop.contains(&place) {
            return [None, None];
        }
        let held = self.hold.iter().find(|(held, _)| *held == place).map_or(Duration::ZERO, |(_, by)| *by);
        let late = if late { self.late.1 } else { Duration::ZERO };
        let leaves = leaves + held + late + self.slowness(now);
        [Some(leaves), twice.then_some(leaves)]
    }

    fn hits(&mut self, percent: f64) -> bool {
        percent > 0.0 && self.random.percent() < percent
    }

    fn slowness(&mut self, now: Instant) -> Duration {
        let Some(slow) = self.slow.as_mut().filter(|slow| slow.from <= self.place) else { return Duration::ZERO };
        let until = *slow.until.get_or_insert(now + slow.lasts);
        if now < until { slow.by } else { Duration::ZERO }
    }
}

/// Marsaglia's xorshift: the same seed hits the same frames.
struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl Random {
    fn percent(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64 * 100.0
    }
}

/// Frames on their way: by time of leaving, then in order of arrival.
type Queue = BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>;

/// One direction: a thread that takes frames up and this one that lets them go when their time has come.
fn carry(mut from: Box<dyn DataLinkReceiver>, mut to: Box<dyn DataLinkSender>, mut plan: Plan) {
    let shared = (Mutex::new(Queue::new()), Condvar::new());
    let (queue, arrived) = &shared;
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut number = 0;
            while let Ok(frame) = from.next() {
                let times = plan.decide(Instant::now(), frame);
                let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                for at in times.into_iter().flatten() {
                    number += 1;
                    queue.push(Reverse((at, number, frame.to_vec())));
                }
                arrived.notify_one();
            }
        });
        let mut held = queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let wait = held.peek().map(|Reverse((at, ..))| at.saturating_duration_since(Instant::now()));
            match wait {
                Some(Duration::ZERO) => {
                    let Some(Reverse((_, _, frame))) = held.pop() else { continue };
                    drop(held);
                    if let Some(Err(error)) = to.send_to(&frame, None) {
                        eprintln!("cable: {error}");
                    }
                    held = queue.lock().unwrap_or_else(PoisonError::into_inner);
                }
                Some(wait) => held = arrived.wait_timeout(held, wait).unwrap_or_else(PoisonError::into_inner).0,
                None => held = arrived.wait(held).unwrap_or_else(PoisonError::into_inner),
            }
        }
    });
}

fn has_tcp_data(bytes: &[u8]) -> bool {
    let meta = FrameMeta::whole(1, Timestamp::EPOCH, LinkType::ETHERNET, bytes.len() as u32);
    decode(&Frame { meta, bytes }).tcp().is_some_and(|tcp| tcp.len > 0)
}

/// Both ways of one interface.
type Ways = (Box<dyn DataLinkSender>, Box<dyn DataLinkReceiver>);

fn open(name: &str) -> Result<Ways, Box<dyn Error>> {
    let mut interfaces = datalink::interfaces().into_iter();
    let interface = interfaces.find(|interface| interface.name == name).ok_or(format!("no interface {name}"))?;
    match datalink::channel(&interface, datalink::Config::default())? {
        Channel::Ethernet(out, incoming) => Ok((out, incoming)),
        _ => Err(format!("{name} is no Ethernet").into()),
    }
}

fn next(words: &mut impl Iterator<Item = String>) -> Result<String, Box<dyn Error>> {
    Ok(words.next().ok_or("one word more, please: cable LEFT RIGHT [OPTION VALUE…]")?)
}

fn number<T: FromStr>(word: &str) -> Result<T, Box<dyn Error>> {
    word.parse().map_err(|_| format!("{word} is no number").into())
}

fn millis(word: &str) -> Result<Duration, Box<dyn Error>> {
    Ok(Duration::from_secs_f64(number::<f64>(word)? / 1e3))
}
