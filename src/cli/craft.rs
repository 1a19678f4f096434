//! `synscope craft SCRIPT OUT.pcap`: plays a script into a capture file.
//!
//! Text in, octets out, and the same octets every time: a capture in `fixtures/` is never edited, only its script is.
//! [`crate::craft`] describes the language.

use std::fs;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use crate::craft;
use crate::craft::ScriptError;

/// Why a script did not become a capture file.
#[derive(Debug, thiserror::Error)]
pub(super) enum CraftFailure {
    /// The script cannot be read.
    #[error("cannot read the script {}: {error}", shown(.path))]
    Script { path: PathBuf, error: io::Error },
    /// A line of it says nothing that can be played.
    #[error("{}, {fault}", shown(.path))]
    Line { path: PathBuf, fault: ScriptError },
    /// It would overwrite its own script.
    #[error("{} is the script itself: name another file for the capture", shown(.path))]
    Onto { path: PathBuf },
    /// The capture cannot be written.
    #[error("cannot write the capture {}: {error}", shown(.path))]
    Capture { path: PathBuf, error: io::Error },
}

/// Plays `script` into the pcap file `out`; `-` is standard input and standard output.
///
/// # Errors
/// The script cannot be read or does not read as one, or the file cannot be written. Nothing is written then.
pub(super) fn run(script: &Path, out: &Path) -> Result<(), CraftFailure> {
    let text = text_of(script).map_err(|error| CraftFailure::Script { path: script.to_owned(), error })?;
    let trace = craft::play(&text).map_err(|fault| CraftFailure::Line { path: script.to_owned(), fault })?;
    if !is_standard(out) && is_same(script, out) {
        return Err(CraftFailure::Onto { path: out.to_owned() });
    }
    write(out, &trace.to_pcap()).map_err(|error| CraftFailure::Capture { path: out.to_owned(), error })
}

fn text_of(script: &Path) -> io::Result<String> {
    if !is_standard(script) {
        return fs::read_to_string(script);
    }
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}

fn write(out: &Path, octets: &[u8]) -> io::Result<()> {
    if !is_standard(out) {
        return fs::write(out, octets);
    }
    let mut stdout = io::stdout().lock();
    match stdout.write_all(octets).and_then(|()| stdout.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        // What does not exist yet is nobody's script.
        _ => false,
    }
}

/// A path as it may stand in a message of one line.
fn shown(path: &Path) -> String {
    path.to_string_lossy().chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::LinkType;
    use crate::source::FileSource;
    use crate::source::Source;

    const SYN: &str = "link raw\n+0.000  C > S  S  1000:1000(0)\n";

    fn folder_with(script: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.pkt");
        fs::write(&path, script).expect("a script");
        (folder, path)
    }

    #[test]
    fn a_script_becomes_a_capture_that_can_be_opened() {
        let (folder, script) = folder_with(SYN);
        let out = folder.path().join("a.pcap");
        run(&script, &out).expect("it plays");
        let mut source = FileSource::open(&out).expect("a capture");
        let mut links = Vec::new();
        while source
            .poll(&mut |frame| {
                links.push(frame.meta.link_type);
                crate::source::Flow::Continue
            })
            .expect("it reads")
            != crate::source::Poll::End
        {}
        assert_eq!(links, [LinkType::RAW]);
    }

    #[test]
    fn a_line_that_does_not_read_is_told_by_file_and_number_and_nothing_is_written() {
        let (folder, script) = folder_with("link raw\n+0.000  C > S  S  1000:1001(0)\n");
        let out = folder.path().join("a.pcap");
        let failure = run(&script, &out).expect_err("it does not add up").to_string();
        assert!(failure.ends_with("a.pkt, line 2: 1000:1001(0) does not add up: 1000 + 0 = 1000"), "{failure}");
        assert!(!out.exists());
    }

    #[test]
    fn a_capture_does_not_replace_its_own_script() {
        let (_folder, script) = folder_with(SYN);
        assert!(matches!(run(&script, &script), Err(CraftFailure::Onto { .. })));
        assert_eq!(fs::read_to_string(&script).expect("it is still there"), SYN);
    }
}
