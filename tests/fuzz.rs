//! The fuzz targets without a fuzzer: every seed, and a few thousand mutations of them, the same ones each time.
//!
//! `SYNSCOPE_FUZZ_ROUNDS=100000 cargo test --release --test fuzz` goes on for longer; `SYNSCOPE_FUZZ_SEED` begins with
//! another number. `fuzz/README.md` says how to run the same targets under libFuzzer.

#![allow(clippy::print_stderr, reason = "a failure names the case that it can be played again with")]

#[path = "../fuzz/seeds.rs"]
mod seeds;
#[path = "../fuzz/targets.rs"]
mod targets;

use std::env;
use std::panic;

use seeds::Dice;

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Plays the seeds of a target, then `rounds` mutations; a failure names the case.
fn play(name: &str, rounds: u64) {
    let (_, target) = targets::TARGETS.iter().find(|(other, _)| *other == name).expect("a target");
    let seeds = seeds::seeds(name);
    assert!(!seeds.is_empty(), "{name} has nothing to begin with");
    for (index, seed) in seeds.iter().enumerate() {
        if let Err(cause) = panic::catch_unwind(|| target(seed)) {
            eprintln!("{name}: seed {index} as it is");
            panic::resume_unwind(cause);
        }
    }
    let first = setting("SYNSCOPE_FUZZ_SEED", 1);
    for round in first..first + setting("SYNSCOPE_FUZZ_ROUNDS", rounds) {
        let mut dice = Dice(round);
        let index = dice.below(seeds.len());
        let mut octets = seeds[index].clone();
        dice.wound(&mut octets);
        if let Err(cause) = panic::catch_unwind(|| target(&octets)) {
            eprintln!("{name}: SYNSCOPE_FUZZ_SEED={round} SYNSCOPE_FUZZ_ROUNDS=1, seed {index}: {octets:02x?}");
            panic::resume_unwind(cause);
        }
    }
}

#[test]
fn container_takes_any_octets() {
    play("container", 600);
}

#[test]
fn decode_takes_any_octets() {
    play("decode", 800);
}

#[test]
fn options_takes_any_octets() {
    play("options", 500);
}

#[test]
fn reassembly_takes_any_octets() {
    play("reassembly", 2000);
}

#[test]
fn analyzer_takes_any_octets() {
    play("analyzer", 100);
}

/// A target that finds nothing wrong with nonsense would find nothing at all.
#[test]
fn a_claim_that_does_not_hold_is_noticed() {
    let broken: fn(&[u8]) = |octets| assert!(octets.len() < 3, "three octets or more");
    let mut dice = Dice(1);
    let noticed = (0..100).any(|_| {
        let mut octets = vec![1, 2];
        dice.wound(&mut octets);
        octets.len() >= 3 && panic::catch_unwind(|| broken(&octets)).is_err()
    });
    assert!(noticed);
}
