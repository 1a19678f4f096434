//! The mirror of `decode`: one line of text per packet → header fields → bytes.
//!
//! Feeds tests, fixtures and floods with traces that a stranger can draw, in the alphabet of tcpdump and packetdrill.
//! The script language is described in [`script`]. Lengths, offsets and checksums are right unless a line lies on
//! purpose; the sums are etherparse's, so that `decode`'s own have somebody to disagree with.

pub mod build;
pub mod error;
pub mod script;
pub mod step;
pub mod traffic;

mod options;
mod packet_line;
mod trace;
mod words;
mod wrap;

pub use error::Fault;
pub use error::ScriptError;
pub use trace::Trace;

/// Plays a script: every packet line becomes a frame.
///
/// # Errors
/// The first line that cannot be read, by number, and why.
pub fn play(text: &str) -> Result<Trace, ScriptError> {
    let script = script::parse(text)?;
    Ok(Trace::of(&script))
}
