//! A filter in the tcpdump language: which frames pass, for files as for live capture.
//!
//! The program depends on the link type, so each link type of a capture gets its own, made when its first frame comes.
//! libpcap compiles it where the machine has one; without, the common words are understood all the same. A filter looks
//! at single frames: it knows no conversation, and a later fragment has no ports.

use std::cell::RefCell;

use crate::packet::Frame;
use crate::packet::LinkType;
use crate::source::SourceError;
use crate::source::libpcap::Libpcap;
use crate::source::libpcap::NAMED_BY;
use crate::source::libpcap::NAMES;
use crate::source::machine::Instruction;
use crate::source::machine::Program;
use crate::source::words;

/// An expression, and what it became for each link type so far.
#[derive(Debug)]
pub struct Filter {
    expression: String,
    /// `None` for a link type of whose frames the expression cannot speak, and the reason.
    programs: RefCell<Vec<(LinkType, Result<Program, String>)>>,
}

impl Filter {
    /// Reads an expression; an empty one passes every frame.
    ///
    /// # Errors
    /// When it makes sense on no link type; without libpcap also when it needs more than the common words.
    pub fn new(expression: &str) -> Result<Self, SourceError> {
        let mut first = None;
        for link_type in TRIED {
            match compile(expression, link_type) {
                Ok(_) => return Ok(Self { expression: expression.to_owned(), programs: RefCell::default() }),
                Err(reason) => _ = first.get_or_insert(reason),
            }
        }
        Err(refused(expression, first.unwrap_or_default()))
    }

    /// Whether a frame passes. None does on a link type of which the expression cannot speak:
    /// see [`Filter::refusals`].
    pub fn passes(&self, frame: &Frame<'_>) -> bool {
        let mut programs = self.programs.borrow_mut();
        let link_type = frame.meta.link_type;
        let at = programs.iter().position(|(known, _)| *known == link_type).unwrap_or_else(|| {
            programs.push((link_type, compile(&self.expression, link_type).and_then(|code| checked(&code))));
            programs.len() - 1
        });
        programs[at].1.as_ref().is_ok_and(|program| program.passes(frame.bytes, frame.meta.origlen))
    }

    /// When a capture is over: a line for each of its link types of which the expression cannot speak.
    ///
    /// # Errors
    /// When that were all of them.
    pub fn refusals(&self) -> Result<Vec<String>, SourceError> {
        let programs = self.programs.borrow();
        if let Some((_, Err(reason))) = programs.first()
            && programs.iter().all(|(_, program)| program.is_err())
        {
            return Err(refused(&self.expression, reason.clone()));
        }
        let refused = programs.iter().filter_map(|(link_type, program)| Some((link_type, program.as_ref().err()?)));
        let told = refused.map(|(link_type, reason)| {
            let name = link_type.name().map_or_else(|| link_type.0.to_string(), str::to_owned);
            format!("the filter '{}' passes no frame of link type {name}: {reason}", shown(&self.expression))
        });
        Ok(told.collect())
    }
}

/// A program for the kernel, which is to cut no frame that passes.
///
/// # Errors
/// When the expression cannot be compiled for this link type.
#[cfg(all(target_os = "linux", feature = "live"))]
pub(super) fn for_kernel(expression: &str, link_type: LinkType) -> Result<Vec<Instruction>, SourceError> {
    const RETURN_K: u16 = 0x06;
    let mut code = compile(expression, link_type).map_err(|reason| refused(expression, reason))?;
    checked(&code).map_err(|reason| refused(expression, reason))?;
    // The value returned is how many octets are kept: of what passes, all.
    for instruction in code.iter_mut().filter(|instruction| instruction.code == RETURN_K && instruction.k != 0) {
        instruction.k = u32::MAX;
    }
    Ok(code)
}

fn compile(expression: &str, link_type: LinkType) -> Result<Vec<Instruction>, String> {
    match Libpcap::find() {
        Some(libpcap) => libpcap.compile(expression, link_type),
        None => words::compile(expression, link_type),
    }
}

fn checked(code: &[Instruction]) -> Result<Program, String> {
    Program::checked(code).ok_or_else(|| "its program is none that can be run".to_owned())
}

fn refused(expression: &str, reason: String) -> SourceError {
    let expression = shown(expression);
    match Libpcap::find() {
        Some(libpcap) => SourceError::Filter { expression, reason, by: libpcap.version.clone() },
        None => SourceError::NoLibpcap { expression, reason, names: NAMES[..2].join(", "), variable: NAMED_BY },
    }
}

/// An expression as it may stand in a message of one line.
fn shown(expression: &str) -> String {
    expression.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Link types on which an expression is tried before the first frame: what makes sense on none of them is a mistake.
const TRIED: [LinkType; 6] = [
    LinkType::ETHERNET,
    LinkType::RAW,
    LinkType::LINUX_SLL2,
    LinkType::IEEE802_11_RADIOTAP,
    LinkType::PFLOG,
    LinkType::PPP_PPPD,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::FrameMeta;
    use crate::packet::Timestamp;

    fn frame(link_type: LinkType, bytes: &[u8], origlen: u32) -> Frame<'_> {
        let whole = FrameMeta::whole(1, Timestamp::EPOCH, link_type, bytes.len() as u32);
        Frame { meta: FrameMeta { origlen, ..whole }, bytes }
    }

    /// A UDP datagram from port 7 to port 9.
    fn datagram() -> Vec<u8> {
        let head = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        [&head[..], &[0, 7, 0, 9, 0, 8, 0, 0]].concat()
    }

    #[test]
    fn each_link_type_of_a_capture_gets_its_own_program() {
        let filter = Filter::new("udp port 9").expect("common words");
        let over_ethernet = [&[0; 12][..], &[8, 0], &datagram()].concat();
        assert!(filter.passes(&frame(LinkType::RAW, &datagram(), 28)));
        assert!(filter.passes(&frame(LinkType::ETHERNET, &over_ethernet, 42)));
        assert!(!filter.passes(&frame(LinkType::ETHERNET, &datagram(), 28)), "no EtherType where one should be");
        assert_eq!(filter.refusals().expect("both make sense"), Vec::<String>::new());
        let other = Filter::new("tcp").expect("a common word");
        assert!(!other.passes(&frame(LinkType::RAW, &datagram(), 28)));
    }

    #[test]
    fn an_empty_filter_passes_every_frame() {
        let filter = Filter::new("").expect("nothing is asked");
        assert!(filter.passes(&frame(LinkType::RAW, &[], 0)));
    }

    #[test]
    fn an_expression_that_makes_no_sense_is_quoted_in_one_line_with_the_cure() {
        let error = Filter::new("tcp\nprt 80").expect_err("no such word").to_string();
        assert!(error.contains("'tcp prt 80'") && !error.contains('\n'), "{error}");
    }

    #[test]
    fn a_link_type_that_the_expression_cannot_speak_of_is_named_and_passes_nothing() {
        if Libpcap::find().is_none() {
            return eprintln!("no libpcap on this machine: not tried");
        }
        let filter = Filter::new("ether host 02:00:00:00:00:01").expect("it makes sense on Ethernet");
        assert!(!filter.passes(&frame(LinkType::RAW, &datagram(), 28)));
        assert!(filter.refusals().is_err_and(|error| error.to_string().contains("'ether host 02:00:00:00:00:01'")));
        filter.passes(&frame(LinkType::ETHERNET, &datagram(), 28));
        let refusals = filter.refusals().expect("Ethernet has addresses");
        assert!(refusals.len() == 1 && refusals[0].contains("link type RAW"), "{refusals:?}");
    }

    #[test]
    fn the_length_is_that_on_the_wire_also_of_a_frame_that_was_cut() {
        if Libpcap::find().is_none() {
            return eprintln!("no libpcap on this machine: not tried");
        }
        let filter = Filter::new("greater 1000").expect("a length");
        assert!(filter.passes(&frame(LinkType::RAW, &datagram(), 1500)));
        assert!(!filter.passes(&frame(LinkType::RAW, &datagram(), 28)));
    }
}
