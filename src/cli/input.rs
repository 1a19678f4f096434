//! From the name on the command line to the source behind it.

use std::fs;
use std::io;
use std::io::IsTerminal;
use std::path::Path;

use crate::cli::args::Only;
use crate::cli::args::Reading;
use crate::cli::failure::Failure;
use crate::cli::failure::shown;
use crate::cli::say;
use crate::source;
use crate::source::FileSource;
use crate::source::FollowSource;
use crate::source::Interface;
use crate::source::LiveConfig;
use crate::source::LiveSource;
use crate::source::MergedSource;
use crate::source::Origin;
use crate::source::Source;

/// What a name means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Meant {
    /// An interface of this machine.
    Interface(String),
    /// A file, or `-`.
    File(String),
}

/// Reads a name as an interface, if there is one, or as a file. A `/` in it makes it a file.
pub(super) fn meant(name: &str) -> Result<Meant, Failure> {
    if name == "-" || name.contains('/') {
        return Ok(Meant::File(name.to_owned()));
    }
    let all = interfaces();
    let is_file = fs::symlink_metadata(Path::new(name)).is_ok();
    if all.iter().any(|interface| interface.name == name) {
        if is_file {
            say(&format!("{} is an interface and a file: taking the interface, ./{0} is the file", shown(name)));
        }
        return Ok(Meant::Interface(name.to_owned()));
    }
    if is_file {
        return Ok(Meant::File(name.to_owned()));
    }
    if name == ANY {
        return Ok(Meant::Interface(name.to_owned()));
    }
    let exist = all.iter().map(|interface| interface.name.as_str()).collect::<Vec<_>>().join(", ");
    Err(Failure::NeitherNor { name: shown(name), exist: if exist.is_empty() { "none".to_owned() } else { exist } })
}

/// Opens a capture file or standard input, for a command that reads files only.
pub(super) fn file(name: &str, command: &'static str) -> Result<FileSource, Failure> {
    if name == "-" {
        if io::stdin().is_terminal() {
            return Err(Failure::Keyboard);
        }
        return Ok(FileSource::stdin()?);
    }
    FileSource::open(name).map_err(|error| match error {
        source::SourceError::NotFound { .. } if interfaces().iter().any(|interface| interface.name == name) => {
            Failure::OnlyFiles { name: shown(name), command }
        }
        error => Failure::Source(error),
    })
}

/// A capture to be read: a file, a file that grows, or several files as one.
#[derive(Clone, Debug)]
pub(super) struct Capture {
    /// As it was typed; of several files, with ` + ` between.
    pub(super) name: String,
    files: Vec<String>,
    pub(super) is_followed: bool,
}

/// A capture that is open.
pub(super) struct Opened {
    pub(super) source: Box<dyn Source>,
    /// Where frames come from, for several files read as one.
    pub(super) origin: Option<Origins>,
}

/// Names beside numbers.
pub(super) struct Origins {
    names: Vec<String>,
    latest: Origin,
}

impl Origins {
    /// File and number there of the frame at hand.
    pub(super) fn latest(&self) -> (&str, u64) {
        let (file, number) = self.latest.latest();
        (&self.names[file], number)
    }
}

impl Capture {
    /// The captures that `names` are to be read as.
    pub(super) fn all(names: &[String], reading: Reading) -> Result<Vec<Self>, Failure> {
        stdin_once(names)?;
        let Reading { merge, follow } = reading;
        if follow && (names.len() != 1 || names[0] == "-") {
            let text = "--follow watches one file that grows: name it alone (standard input is followed anyway)";
            return Err(Failure::Usage(text.to_owned()));
        }
        let one = |files: &[String]| Self { name: files.join(" + "), files: files.to_vec(), is_followed: follow };
        Ok(if merge && names.len() > 1 { vec![one(names)] } else { names.chunks(1).map(one).collect() })
    }

    pub(super) fn open(&self, command: &'static str) -> Result<Opened, Failure> {
        let opened = |source: Box<dyn Source>| Opened { source, origin: None };
        Ok(match &self.files[..] {
            [file] if self.is_followed => opened(Box::new(FollowSource::open(file)?)),
            [name] => opened(Box::new(file(name, command)?)),
            names => {
                let source = merged(names, command)?;
                let origin = Origins { names: names.to_vec(), latest: source.origin() };
                Opened { source: Box::new(source), origin: Some(origin) }
            }
        })
    }

    /// Whether it can be read twice and is the same.
    pub(super) fn stays(&self) -> bool {
        !self.is_followed && self.files.iter().all(|name| Path::new(name).is_file())
    }

    /// Whether somebody may be waiting for each packet.
    pub(super) fn is_awaited(&self) -> bool {
        self.is_followed || self.files.iter().any(|name| name == "-")
    }
}

/// Opens capture files that are read as one, in time order.
pub(super) fn merged(names: &[String], command: &'static str) -> Result<MergedSource, Failure> {
    let files = names.iter().map(|name| file(name, command)).collect::<Result<_, _>>()?;
    Ok(MergedSource::new(files))
}

/// Opens an interface.
pub(super) fn interface(name: &str, only: &Only) -> Result<Box<dyn Source>, Failure> {
    let config = LiveConfig { port: only.port, filter: only.filter.clone(), ..LiveConfig::new(name) };
    Ok(Box::new(LiveSource::open(&config)?))
}

/// Standard input may be named once.
pub(super) fn stdin_once(names: &[String]) -> Result<(), Failure> {
    match names.iter().filter(|name| *name == "-").count() {
        0 | 1 => Ok(()),
        times => Err(Failure::StdinTwice { times }),
    }
}

/// The interfaces, none in a build without live capture.
pub(super) fn interfaces() -> Vec<Interface> {
    source::interfaces().unwrap_or_default()
}

/// Libpcap's name for all interfaces: the source explains why not.
const ANY: &str = "any";
