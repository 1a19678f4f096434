//! Where a capture is written: standard output, or a file that is there whole or not at all.
//!
//! A file is written beside its place under another name and moved there when it is complete; whatever ends the program
//! before, the old file stays and no half one is left.

use std::fs;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use tempfile::NamedTempFile;

use crate::cli::failure::Failure;
use crate::cli::failure::shown;
use crate::source::Format;
use crate::source::Packer;
use crate::source::Packing;

/// An output that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    /// As it was typed.
    name: String,
    pub(super) format: Format,
    packing: Packing,
}

/// A capture on its way there.
pub(super) struct Draft {
    packer: Packer<BufWriter<Box<dyn Write>>>,
    place: Option<Place>,
}

struct Place {
    temporary: NamedTempFile,
    path: PathBuf,
}

impl Destination {
    /// By its name: `.pcap` and `.cap` are pcap, everything else pcapng; `.gz`, `.zst`, `.lz4` behind it pack.
    pub(super) fn of(name: &str) -> Self {
        let path = Path::new(name);
        let ending =
            |path: &Path| path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_ascii_lowercase();
        let packing = Packing::of_ending(&ending(path));
        let inner = if packing == Packing::Plain {
            ending(path)
        } else {
            ending(Path::new(path.file_stem().unwrap_or_default()))
        };
        let format = if matches!(inner.as_str(), "pcap" | "cap") { Format::Pcap } else { Format::Pcapng };
        Self { name: name.to_owned(), format, packing }
    }

    pub(super) fn is_stdout(&self) -> bool {
        self.name == "-"
    }

    /// Refuses to write onto one of `inputs`, by whatever name.
    pub(super) fn must_differ_from(&self, inputs: &[String]) -> Result<(), Failure> {
        let Ok(own) = fs::canonicalize(&self.name) else { return Ok(()) };
        let onto = inputs.iter().filter(|name| *name != "-").find(|name| is_same(&own, name));
        match onto {
            Some(name) if own.is_file() => Err(Failure::Usage(format!(
                "{} would be written onto its own input {}: name another file with -o",
                shown(&self.name),
                shown(name)
            ))),
            Some(_) | None => Ok(()),
        }
    }

    /// Begins to write.
    pub(super) fn begin(&self) -> Result<Draft, Failure> {
        let (out, place): (Box<dyn Write>, _) = if self.is_stdout() {
            (Box::new(io::stdout().lock()), None)
        } else if fs::metadata(&self.name).is_ok_and(|there| !there.is_file()) {
            // A pipe or a device is written into, not replaced.
            let open = OpenOptions::new().write(true).open(&self.name);
            (Box::new(open.map_err(|error| self.failed(error))?), None)
        } else {
            let (file, place) = self.beside().map_err(|error| self.failed(error))?;
            (Box::new(file), Some(place))
        };
        Ok(Draft { packer: Packer::new(BufWriter::with_capacity(BUFFER, out), self.packing), place })
    }

    fn beside(&self) -> io::Result<(File, Place)> {
        // A link stays a link, and what it leads to is replaced.
        let path = fs::canonicalize(&self.name).unwrap_or_else(|_| PathBuf::from(&self.name));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix(".synscope-");
        #[cfg(unix)]
        let builder = {
            use std::os::unix::fs::PermissionsExt;

            // As any program creates files: the user's mask decides.
            builder.permissions(fs::Permissions::from_mode(0o666))
        };
        let temporary = builder.tempfile_in(folder)?;
        let file = temporary.reopen()?;
        Ok((file, Place { temporary, path }))
    }

    /// Why it cannot be written.
    pub(super) fn failed(&self, error: io::Error) -> Failure {
        if self.is_stdout() {
            return error.into();
        }
        Failure::Capture { path: shown(&self.name), error }
    }
}

impl Write for Draft {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.packer.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.packer.flush()
    }
}

impl Draft {
    /// All is written: moves the file to its place.
    pub(super) fn finish(self) -> io::Result<()> {
        self.packer.finish()?;
        match self.place {
            Some(Place { temporary, path }) => temporary.persist(path).map(drop).map_err(|error| error.error),
            None => Ok(()),
        }
    }
}

fn is_same(own: &Path, name: &str) -> bool {
    fs::canonicalize(name).is_ok_and(|path| path == own) || has_same_inode(own, Path::new(name))
}

/// A second name of the same file.
#[cfg(unix)]
fn has_same_inode(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let inode = |path: &Path| fs::metadata(path).map(|there| (there.dev(), there.ino()));
    matches!((inode(one), inode(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(not(unix))]
fn has_same_inode(_one: &Path, _other: &Path) -> bool {
    false
}

const BUFFER: usize = 1 << 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_how_to_write() {
        let of = |name: &str| {
            let Destination { format, packing, .. } = Destination::of(name);
            (format, packing)
        };
        assert_eq!(of("a.pcap"), (Format::Pcap, Packing::Plain));
        assert_eq!(of("a.CAP.gz"), (Format::Pcap, Packing::Gzip));
        assert_eq!(of("a.pcapng.zst"), (Format::Pcapng, Packing::Zstd));
        assert_eq!(of("a.lz4"), (Format::Pcapng, Packing::Lz4));
        assert_eq!(of("-"), (Format::Pcapng, Packing::Plain));
    }
}
