//! Opens TCP connections over 127.0.0.1 and closes each in its own way, so that there is something to recognise.
//!
//! ```text
//! goodbye                 every way, one connection each; says which port each used, and the way it was closed
//! goodbye WAY…            only these
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod ways;

use std::env;
use std::net::TcpListener;
use std::process::ExitCode;

use ways::Way;

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).collect();
    for (way, name) in WAYS.into_iter().filter(|(_, name)| wanted.is_empty() || wanted.iter().any(|word| word == name))
    {
        match TcpListener::bind("127.0.0.1:0").and_then(|listener| ways::part_at(&listener, way)) {
            Ok(ports) => println!("{name:<18} client {} server {}", ports.client, ports.server),
            Err(error) => {
                eprintln!("goodbye: {name}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::SUCCESS
}

const WAYS: [(Way, &str); 7] = [
    (Way::Together, "together"),
    (Way::Apart, "apart"),
    (Way::HalfClose, "half-close"),
    (Way::Simultaneous, "simultaneous"),
    (Way::Linger, "linger"),
    (Way::Unread, "unread"),
    (Way::WriteAfterClose, "write-after-close"),
];
