//! Files made to hurt, by the thousand, in one process: captures cut anywhere, single octets changed; and what the
//! program needs of memory for each capture of a folder.
//!
//!   hostile prefixes FILES CUTS SEED FOLDER    FILES captures, each cut at CUTS places
//!   hostile mutations COUNT SEED [FORMAT]      COUNT changes of one octet for each container format, of our fixtures
//!   hostile memory PROGRAM FOLDER              what PROGRAM needs for each capture, beyond its size
//!   hostile seeds FOLDER                       what the fuzz targets begin with, one folder per target
//!   hostile wounds COUNT SEED [FORMAT]         the same with a few larger changes in each case
//!   hostile targets COUNT SEED                 COUNT cases with such changes for each fuzz target, of its own seeds
//!
//! No case may panic, take longer than 5 s or have more than 256 MiB allocated at once. Prints what was done and what
//! the worst case was; exit 1 if any claim does not hold, with the case and its seed. `scripts/hostile.sh` runs them all.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that says what it did")]

#[path = "../fuzz/seeds.rs"]
mod seeds;
#[path = "../fuzz/targets.rs"]
mod targets;

use std::alloc::GlobalAlloc;
use std::alloc::Layout;
use std::alloc::System;
use std::env;
use std::fs;
use std::panic;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::ExitCode;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use seeds::Dice;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    panic::set_hook(Box::new(|info| eprintln!("{info}")));
    thread::spawn(|| watch(Instant::now()));
    let holds = match args[..] {
        ["prefixes", files, cuts, seed, folder] => match (number(files), number(cuts), number(seed)) {
            (Some(files), Some(cuts), Some(seed)) => prefixes(files as usize, cuts, seed, Path::new(folder)),
            _ => return usage(),
        },
        [kind @ ("mutations" | "wounds"), count, seed, ref format @ ..] => match (number(count), number(seed)) {
            (Some(count), Some(seed)) if format.len() < 2 => mutations(kind, count, seed, format.first().copied()),
            _ => return usage(),
        },
        ["targets", count, seed] => match (number(count), number(seed)) {
            (Some(count), Some(seed)) => targets(count, seed),
            _ => return usage(),
        },
        ["memory", program, folder] => memory(program, Path::new(folder)),
        ["seeds", folder] => write_seeds(Path::new(folder)),
        _ => return usage(),
    };
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> ExitCode {
    eprintln!("hostile prefixes FILES CUTS SEED FOLDER | mutations COUNT SEED [FORMAT] | wounds COUNT SEED [FORMAT]");
    eprintln!("hostile targets COUNT SEED | memory PROGRAM FOLDER | seeds FOLDER");
    ExitCode::from(2)
}

fn prefixes(count: usize, cuts: u64, seed: u64, folder: &Path) -> bool {
    let files: Vec<_> = seeds::files(folder, LARGEST).into_iter().filter(|(_, octets)| is_capture(octets)).collect();
    // Evenly spread over the folder.
    let chosen: Vec<_> =
        (0..count.min(files.len())).map(|index| &files[index * files.len() / count.min(files.len())]).collect();
    let mut book = Book::open();
    for (name, octets) in &chosen {
        let mut dice = Dice(seed ^ octets.len() as u64);
        for cut in 0..cuts {
            let at = dice.below(octets.len() + 1);
            book.case(format!("{name} cut at {at} (cut {cut}, seed {seed})"), &octets[..at]);
        }
    }
    book.close(&format!("prefixes: {} files of {} × {cuts} cuts, seed {seed}", chosen.len(), files.len()))
}

fn mutations(kind: &str, count: u64, seed: u64, only: Option<&str>) -> bool {
    let fixtures: Vec<_> = seeds::fixtures().into_iter().filter(|(_, octets)| octets.len() < 8 << 10).collect();
    let mut holds = true;
    for format in seeds::FORMATS.into_iter().filter(|format| only.is_none_or(|only| only == *format)) {
        let files: Vec<_> = fixtures.iter().map(|(name, octets)| (name, seeds::container(format, octets))).collect();
        let mut dice = Dice(seed);
        let mut book = Book::open();
        for round in 0..count {
            let (name, octets) = &files[dice.below(files.len())];
            let mut octets = octets.clone();
            let what = if kind == "wounds" {
                dice.wound(&mut octets);
                "wounded".to_owned()
            } else {
                let at = dice.below(octets.len());
                // Any value but the one that was there.
                octets[at] = octets[at].wrapping_add(1 + dice.below(255) as u8);
                format!("octet {at} = {:#04x}", octets[at])
            };
            book.case(format!("{name} as {format}, {what} (round {round}, seed {seed})"), &octets);
        }
        holds &= book.close(&format!("{kind}: {count} of {} files as {format}, seed {seed}", files.len()));
    }
    holds
}

fn targets(count: u64, seed: u64) -> bool {
    let mut holds = true;
    for (name, target) in targets::TARGETS {
        let seeds = seeds::seeds(name);
        let mut book = Book::open();
        for round in seed..seed + count {
            let mut dice = Dice(round);
            let index = dice.below(seeds.len());
            let mut octets = seeds[index].clone();
            dice.wound(&mut octets);
            book.play(format!("{name}, seed {index}, wounded (round {round})"), || target(&octets));
        }
        holds &= book.close(&format!("target {name}: {count} of {} seeds", seeds.len()));
    }
    holds
}

fn is_capture(octets: &[u8]) -> bool {
    synscope::source::FileSource::from_bytes("x", octets.to_vec()).is_ok()
}

/// What the cases of one batch came to.
struct Book {
    cases: u64,
    failed: u64,
    longest: (Duration, String),
    most: (usize, String),
}

impl Book {
    fn open() -> Self {
        Self { cases: 0, failed: 0, longest: Default::default(), most: Default::default() }
    }

    /// A capture, read and analysed.
    fn case(&mut self, name: String, octets: &[u8]) {
        self.play(name, || {
            targets::container(octets);
            targets::analyzer(octets);
        });
    }

    fn play(&mut self, name: String, body: impl FnOnce() + panic::UnwindSafe) {
        if let Ok(mut running) = RUNNING.lock() {
            *running = Some((Instant::now(), name.clone()));
        }
        let before = HELD.load(Relaxed);
        MOST.store(before, Relaxed);
        let begun = Instant::now();
        let went_well = panic::catch_unwind(body);
        let (took, most) = (begun.elapsed(), MOST.load(Relaxed).saturating_sub(before));
        if let Ok(mut running) = RUNNING.lock() {
            *running = None;
        }
        self.cases += 1;
        if went_well.is_err() || most > MEMORY {
            eprintln!("fails: {name}: {most} octets at once");
            self.failed += 1;
        }
        if took > self.longest.0 {
            self.longest = (took, name.clone());
        }
        if most > self.most.0 {
            self.most = (most, name);
        }
    }

    fn close(self, what: &str) -> bool {
        println!("{what}: {} cases, {} failed", self.cases, self.failed);
        println!("  longest {:.3} s: {}", self.longest.0.as_secs_f64(), self.longest.1);
        println!("  most memory {:.1} MiB: {}", self.most.0 as f64 / f64::from(1 << 20), self.most.1);
        self.cases > 0 && self.failed == 0
    }
}

/// Ends the process when a case hangs: nothing else can.
fn watch(begun: Instant) {
    loop {
        thread::sleep(Duration::from_millis(100));
        let hangs =
            RUNNING.lock().ok().and_then(|running| running.clone()).filter(|(since, _)| since.elapsed() > PATIENCE);
        if let Some((_, name)) = hangs {
            eprintln!("hangs: {name}, {} s after the beginning", begun.elapsed().as_secs());
            std::process::exit(1);
        }
    }
}

/// The largest resident memory of `program` for each capture, by the kernel's account of that process.
fn memory(program: &str, folder: &Path) -> bool {
    let (mut worst, mut files, mut over) = ((0, String::new()), 0, 0);
    let mut paths = Vec::new();
    walk(folder, &mut paths);
    paths.sort();
    for path in &paths {
        let size = fs::metadata(path).map_or(0, |meta| meta.len());
        let Some(peak) = peak_of(program, path) else { continue };
        files += 1;
        let beyond = peak.saturating_sub(size);
        if beyond > BEYOND {
            eprintln!("too much: {}: {peak} octets for a file of {size}", path.display());
            over += 1;
        }
        if beyond > worst.0 {
            worst = (beyond, path.display().to_string());
        }
    }
    println!("memory: {files} files, {over} of them need more than {} MiB beyond their size", BEYOND >> 20);
    println!("  most beyond its size {:.1} MiB: {}", worst.0 as f64 / f64::from(1 << 20), worst.1);
    files > 0 && over == 0
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { walk(&path, paths) } else { paths.push(path) }
    }
}

/// Octets of resident memory at most, `None` where the program could not run.
#[allow(unsafe_code)]
#[cfg(unix)]
fn peak_of(program: &str, path: &Path) -> Option<u64> {
    let mut command = Command::new(program);
    command.args(["analyze", "--format", "jsonl"]).arg(path).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().ok()?;
    let (mut status, pid) = (0, child.id() as i32);
    // SAFETY: all zero is a valid rusage; wait4 writes into the two places only, and nobody else waits for this child.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        if libc::wait4(pid, &raw mut status, 0, &raw mut usage) != pid {
            return None;
        }
        usage
    };
    if libc::WIFSIGNALED(status) {
        eprintln!("{}: ended by signal {}", path.display(), libc::WTERMSIG(status));
    }
    Some(usage.ru_maxrss as u64 * 1024)
}

#[cfg(not(unix))]
fn peak_of(_: &str, _: &Path) -> Option<u64> {
    None
}

fn write_seeds(folder: &Path) -> bool {
    for (target, _) in targets::TARGETS {
        let folder = folder.join(target);
        let seeds = seeds::seeds(target);
        for (index, octets) in seeds.iter().enumerate() {
            let written =
                fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join(format!("seed-{index}")), octets));
            if let Err(error) = written {
                eprintln!("{}: {error}", folder.display());
                return false;
            }
        }
        println!("{}: {} seeds", folder.display(), seeds.len());
    }
    true
}

/// The case that runs, and since when.
static RUNNING: Mutex<Option<(Instant, String)>> = Mutex::new(None);
static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// Counts what is allocated.
struct Counting;

#[allow(unsafe_code)]
// SAFETY: every call is handed on unchanged to the system's allocator; counting touches two numbers only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

fn count(octets: usize) {
    let held = HELD.fetch_add(octets, Relaxed) + octets;
    MOST.fetch_max(held, Relaxed);
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// No case takes longer.
const PATIENCE: Duration = Duration::from_secs(5);
/// No case has more allocated at once.
const MEMORY: usize = 256 << 20;
/// No capture needs more beyond its size.
const BEYOND: u64 = 64 << 20;
/// Larger files are left to the memory check.
const LARGEST: u64 = 2 << 20;
