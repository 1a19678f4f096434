//! `--metrics ADDR`: counters of a live watch for Prometheus, as OpenMetrics text over HTTP.
//!
//! The capture writes atomic numbers and never waits for a reader. A thread of its own answers one reader after the
//! other and gives each a bounded time and a bounded number of octets, so that one who dawdles keeps up nobody but the
//! next reader, and him for two seconds at most.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::cli::failure::Failure;
use crate::cli::talk;
use crate::detect::syn_flood::Class;
use crate::detect::syn_flood::Outcome;
use crate::detect::syn_flood::SynFlood;
use crate::pipeline::Facts;

/// Labels of a family: name and value.
type Labels = Vec<(&'static str, &'static str)>;

/// What is counted. Clones share their numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Metrics {
    packets: Counter,
    bytes: Counter,
    drops: Counter,
    syns: Counter,
    outcomes: [Counter; Outcome::COUNT],
    incidents: [Counter; Class::ALL.len()],
    open_incidents: Gauge,
    half_open: Gauge,
    half_open_peak: Gauge,
    attempts_held: Gauge,
    places_held: Gauge,
    sampling: Gauge,
    evicted: [Counter; 2],
    sampled_out: Counter,
    answers_left_out: Counter,
    widened: Counter,
    neglected: Counter,
}

impl Metrics {
    /// Counters that are answered for at `addr` from now on, until the program ends.
    pub(super) fn serve(addr: SocketAddr) -> Result<Self, Failure> {
        let (metrics, registry) = Self::new();
        let refused = |error| Failure::Metrics { addr, error };
        let listener = TcpListener::bind(addr).map_err(refused)?;
        let bound = listener.local_addr().map_err(refused)?;
        talk(&format!("metrics at http://{bound}/metrics"));
        thread::spawn(move || {
            for reader in listener.incoming() {
                match reader {
                    // Whoever went away meanwhile, did; that is his affair.
                    Ok(reader) => drop(answer(reader, &registry)),
                    Err(_) => thread::sleep(BREATH),
                }
            }
        });
        Ok(metrics)
    }

    fn new() -> (Self, Registry) {
        let (attempts, outcomes) = family("outcome", Outcome::NAMED.map(|(_, name)| name));
        let (incidents, by_class) = family("class", Class::ALL.map(Class::name));
        let (evictions, evicted) = family("state", ["judged", "unjudged"]);
        let metrics = Self { outcomes, incidents: by_class, evicted, ..Self::default() };
        let mut all = Registry::with_prefix("synscope");
        all.register("packets", "Packets captured", metrics.packets.clone());
        all.register("bytes", "Octets of them on the wire", metrics.bytes.clone());
        all.register("capture_drops", "Packets that the kernel threw away", metrics.drops.clone());
        all.register("syns", "SYNs that began or repeated an attempt", metrics.syns.clone());
        all.register("half_open", "SYN,ACKs of the last 63 s without acknowledgment", metrics.half_open.clone());
        all.register("half_open_peak", "Most of them at one port at once", metrics.half_open_peak.clone());
        all.register("attempts_held", "Attempts in the table", metrics.attempts_held.clone());
        all.register("places_held", "Ports, hosts and prefixes in the table", metrics.places_held.clone());
        all.register("sampling", "One in so many attempts is followed", metrics.sampling.clone());
        all.register("attempts_sampled_out", "Attempts not followed", metrics.sampled_out.clone());
        let left_out = metrics.answers_left_out.clone();
        all.register("answers_left_out", "SYN,ACKs without a SYN not followed in a full table", left_out);
        all.register("places_widened", "Attempts counted at a wider place", metrics.widened.clone());
        all.register("neglected", "Incidents, details, scanners without room", metrics.neglected.clone());
        all.register("incidents_open", "Incidents that go on", metrics.open_incidents.clone());
        all.register("attempts", "Attempts by outcome; verdicts may be taken back", attempts);
        all.register("incidents", "Incidents that are over, by class", incidents);
        all.register("attempts_evicted", "Attempts that left the full table", evictions);
        (metrics, all)
    }

    /// The numbers as they stand.
    pub(super) fn update(&self, facts: &Facts, detector: &SynFlood) {
        let (totals, table) = (detector.totals(), detector.attempt_stats());
        set(&self.packets, facts.frames);
        set(&self.bytes, facts.bytes);
        set(&self.syns, totals.syns);
        self.outcomes.iter().zip(totals.outcomes).for_each(|(counter, count)| set(counter, count));
        self.incidents.iter().zip(totals.incidents).for_each(|(counter, count)| set(counter, count));
        set(&self.evicted[0], table.evicted_judged);
        set(&self.evicted[1], table.evicted_unjudged);
        set(&self.sampled_out, table.sampled_out);
        set(&self.answers_left_out, table.answers_left_out);
        set(&self.widened, detector.place_stats().widened);
        set(&self.neglected, detector.neglected().iter().sum());
        self.open_incidents.set(detector.open_incidents() as i64);
        self.half_open.set(i64::try_from(totals.half_open).unwrap_or(i64::MAX));
        self.half_open_peak.set(totals.half_open_peak.into());
        self.attempts_held.set(detector.held() as i64);
        self.places_held.set(detector.places() as i64);
        self.sampling.set(1 << detector.sampling().min(62));
    }

    /// Packets dropped so far.
    pub(super) fn dropped(&self, dropped: u64) {
        set(&self.drops, dropped);
    }
}

fn set(counter: &Counter, value: u64) {
    counter.inner().store(value, Ordering::Relaxed);
}

/// One counter per value of a label. The capture keeps clones of them, which share their numbers: so it never touches the
/// family's lock.
fn family<const N: usize>(label: &'static str, names: [&'static str; N]) -> (Family<Labels, Counter>, [Counter; N]) {
    let family = Family::<Labels, Counter>::default();
    let counters = names.map(|name| family.get_or_create(&vec![(label, name)]).clone());
    (family, counters)
}

/// Answers one reader: a request line, some headers, one answer, and the end.
fn answer(mut reader: TcpStream, registry: &Registry) -> io::Result<()> {
    reader.set_read_timeout(Some(BREATH))?;
    reader.set_write_timeout(Some(BREATH))?;
    let deadline = Instant::now() + PATIENCE;
    let (mut request, mut filled) = ([0; LONGEST], 0);
    while !request[..filled].windows(4).any(|octets| octets == b"\r\n\r\n") {
        if filled == LONGEST || Instant::now() >= deadline {
            return Ok(());
        }
        match reader.read(&mut request[filled..]) {
            Ok(0) => return Ok(()),
            Ok(more) => filled += more,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
    let line = request.split(|&octet| octet == b'\r').next().unwrap_or_default();
    let (status, body) = match line {
        line if line.starts_with(b"GET /metrics ") || line.starts_with(b"GET / ") => {
            let mut body = String::new();
            match text::encode(&mut body, registry) {
                Ok(()) => ("200 OK", body),
                Err(_) => ("500 Internal Server Error", String::new()),
            }
        }
        line if line.starts_with(b"GET ") => ("404 Not Found", "the numbers are at /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // Shorter than any socket's buffer: it is taken at once or not at all.
    reader.write_all((head + &body).as_bytes())
}

/// What one reader may take, and one wait of his.
const PATIENCE: Duration = Duration::from_secs(2);
const BREATH: Duration = Duration::from_millis(200);
/// Longest request in octets.
const LONGEST: usize = 4096;
