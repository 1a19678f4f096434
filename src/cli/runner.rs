//! `--exec`: a command of the user's own per change of an incident, which never holds up the capture.
//!
//! A thread of its own runs one command after the other. Changes wait in a queue of bounded length; what finds no room is
//! counted and told of, never waited for. A command that takes too long is ended.

use std::io;
use std::io::Write;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use crate::cli::say;

/// Runs a command with each line on its standard input.
#[derive(Debug)]
pub(super) struct Runner {
    lines: SyncSender<String>,
    thread: JoinHandle<()>,
    missed: u64,
}

impl Runner {
    /// For `command`, as `sh -c` takes it.
    pub(super) fn new(command: String) -> Self {
        let (lines, queue) = mpsc::sync_channel(WAITING);
        let thread = thread::spawn(move || work(&queue, &command));
        Self { lines, thread, missed: 0 }
    }

    /// Hands over one line. Never waits.
    pub(super) fn run(&mut self, line: String) {
        self.missed += u64::from(self.lines.try_send(line).is_err());
    }

    /// Waits, but not for long, until all commands have been run.
    pub(super) fn finish(self) {
        drop(self.lines);
        let deadline = Instant::now() + PATIENCE + PATIENCE / 2;
        while !self.thread.is_finished() && Instant::now() < deadline {
            thread::sleep(LOOK_AGAIN);
        }
        if !self.thread.is_finished() {
            say(&"--exec: the command is too slow: some changes at the end were not handed to it");
        }
        if self.missed > 0 {
            say(&format!("--exec: {} changes found no room in the queue of {WAITING}: make it faster", self.missed));
        }
    }
}

fn work(queue: &Receiver<String>, command: &str) {
    for line in queue {
        if let Err(error) = one(command, &line) {
            say(&format!("--exec: {error}"));
        }
    }
}

fn one(command: &str, line: &str) -> io::Result<()> {
    // Standard output is for our data; what the command says goes where our talk goes.
    let mut child =
        Command::new("sh").arg("-c").arg(command).stdin(Stdio::piped()).stdout(Stdio::from(io::stderr())).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A line is shorter than a pipe's buffer, so this does not wait; a command may well not read it.
        let _ = input.write_all(line.as_bytes());
    }
    wait(&mut child)
}

fn wait(child: &mut Child) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(io::Error::other(format!("the command ended with {status}"))),
            None if Instant::now() >= deadline => {
                child.kill()?;
                child.wait()?;
                return Err(io::Error::other(format!("the command took over {} s and was ended", PATIENCE.as_secs())));
            }
            None => thread::sleep(LOOK_AGAIN),
        }
    }
}

/// Changes that wait at most.
const WAITING: usize = 64;
/// What one command may take.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
