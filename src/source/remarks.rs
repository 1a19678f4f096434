//! What people and programs wrote into a pcapng file beside its frames: comments, names, who captured.

use std::cell::RefCell;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::rc::Rc;

use crate::source::order::Order;
use crate::source::pcapng::options;

/// Remarks on a capture as a whole. The first ones are kept; how many there are follows no file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Remarks {
    /// Comments on sections and interfaces.
    pub comments: Vec<String>,
    /// Names of addresses (name resolution blocks).
    pub names: Vec<(IpAddr, String)>,
    /// What captured: hardware, system, program.
    pub made_by: Vec<String>,
    /// Remarks beyond those that are kept.
    pub left_out: u64,
    /// Blocks of a kind that says nothing to us, secrets among them.
    pub passed_over: u64,
}

impl Remarks {
    /// The options of a section header.
    #[cold]
    pub(super) fn section(&mut self, order: Order, list: &[u8]) {
        for (code, value) in options(order, list) {
            match code {
                COMMENT => self.comment(value),
                SHB_HARDWARE..=SHB_USERAPPL if self.made_by.len() < MOST => {
                    let words = text(value);
                    if !words.is_empty() && !self.made_by.contains(&words) {
                        self.made_by.push(words);
                    }
                }
                SHB_HARDWARE..=SHB_USERAPPL => self.left_out += 1,
                _ => {}
            }
        }
    }

    /// Those of another capture behind these.
    pub(super) fn append(&mut self, other: Self) {
        let beyond = |kept: usize, more: usize| (kept + more).saturating_sub(MOST) as u64;
        self.left_out += other.left_out
            + beyond(self.comments.len(), other.comments.len())
            + beyond(self.names.len(), other.names.len())
            + beyond(self.made_by.len(), other.made_by.len());
        self.comments.extend(other.comments);
        self.names.extend(other.names);
        self.made_by.extend(other.made_by);
        self.comments.truncate(MOST);
        self.names.truncate(MOST);
        self.made_by.truncate(MOST);
        self.passed_over += other.passed_over;
    }

    pub(super) fn comment(&mut self, value: &[u8]) {
        if self.comments.len() < MOST { self.comments.push(text(value)) } else { self.left_out += 1 }
    }

    /// A name resolution block: records of (kind, length, address and names) up to one of kind 0.
    #[cold]
    pub(super) fn names(&mut self, order: Order, mut records: &[u8]) {
        while let Some((head, behind)) = records.split_at_checked(4) {
            let (kind, len) = (order.u16(head, 0), usize::from(order.u16(head, 2)));
            let Some(value) = behind.get(..len).filter(|_| kind != 0) else { return };
            records = behind.get(len.next_multiple_of(4)..).unwrap_or_default();
            let (addr, names): (IpAddr, _) = match (kind, value) {
                (NAME_OF_V4, [a, b, c, d, names @ ..]) => (Ipv4Addr::new(*a, *b, *c, *d).into(), names),
                (NAME_OF_V6, value) => match value.split_first_chunk::<16>() {
                    Some((addr, names)) => (Ipv6Addr::from(*addr).into(), names),
                    None => continue,
                },
                _ => continue,
            };
            for name in names.split(|octet| *octet == 0).filter(|name| !name.is_empty()) {
                if self.names.len() < MOST { self.names.push((addr, text(name))) } else { self.left_out += 1 }
            }
        }
    }
}

/// Remarks on one packet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Notes {
    /// Comments.
    pub comments: Vec<String>,
    /// `inbound` or `outbound`, where the capture tells.
    pub direction: Option<&'static str>,
    /// Packets that the capture lost since the one before, where it tells.
    pub dropped: Option<u64>,
}

impl Notes {
    /// Nothing was remarked.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where the notes on the frame at hand stand. Shared with the source: look while the frame is there.
#[derive(Clone, Debug, Default)]
pub struct Margin(Rc<RefCell<Notes>>);

impl Margin {
    /// The notes on the frame that was handed over last.
    pub fn latest(&self) -> Notes {
        self.0.borrow().clone()
    }

    pub(super) fn set(&self, notes: Notes) {
        *self.0.borrow_mut() = notes;
    }

    /// From the options behind a packet.
    pub(super) fn read(&self, order: Order, list: &[u8], dropped: Option<u64>) {
        let mut notes = Notes { dropped, ..Notes::default() };
        for (code, value) in options(order, list) {
            match code {
                COMMENT if notes.comments.len() < MOST => notes.comments.push(text(value)),
                FLAGS if value.len() == 4 => {
                    notes.direction = match order.u32(value, 0) & 3 {
                        1 => Some("inbound"),
                        2 => Some("outbound"),
                        _ => None,
                    };
                }
                _ => {}
            }
        }
        self.set(notes);
    }
}

/// Text of a file, cut to a bearable length.
fn text(value: &[u8]) -> String {
    let shown = &value[..value.len().min(LONGEST)];
    String::from_utf8_lossy(shown).trim_end_matches('\0').to_owned()
}

/// Remarks of a kind that are kept.
const MOST: usize = 256;
/// Octets of one that are kept.
const LONGEST: usize = 1024;

const COMMENT: u16 = 1;
const SHB_HARDWARE: u16 = 2;
const SHB_USERAPPL: u16 = 4;
/// `epb_flags` and `pack_flags`.
const FLAGS: u16 = 2;
const NAME_OF_V4: u16 = 1;
const NAME_OF_V6: u16 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Flow;
    use crate::source::Poll;
    use crate::source::Source;
    use crate::source::handmade::Ink;
    use crate::source::handmade::drain;

    fn remarked(big: bool) -> Ink {
        Ink::new(big)
            .block(0x0a0d_0d0a, |b| {
                let b = b.u32(0x1a2b_3c4d).u16(1).u16(0).u64(u64::MAX);
                b.options(&[(1, b"of the lab"), (2, b"a card"), (4, b"dumper 1"), (1, b"\xe9t\xe9")])
            })
            .interface(1, 0, &[(1, b"an uplink"), (2, b"eth0"), (3, b"to the world")])
            .block(4, |b| {
                let b = b.u16(1).u16(14).raw(&[10, 0, 0, 1]).raw(b"gate\0door\0").pad();
                b.u16(2).u16(19).raw(&[0; 15]).raw(&[1]).raw(b"me\0").pad().u16(9).u16(1).raw(b"?").pad().u32(0)
            })
            .block(6, |b| {
                let b = b.u32(0).u64(0).u32(1).u32(1).raw(b"x").pad();
                b.u16(1).u16(4).raw(b"mark").u16(2).u16(4).u32(2).u16(4).u16(8).u64(3).u32(0)
            })
            .enhanced(0, 1, 1, b"y")
            .block(10, |b| b.u32(1).u32(0))
    }

    #[test]
    fn comments_names_and_makers_are_told_in_both_byte_orders() {
        for big in [false, true] {
            let mut source = remarked(big).open();
            drain(&mut source);
            let remarks = &source.info().remarks;
            assert_eq!(remarks.comments, ["of the lab", "\u{fffd}t\u{fffd}", "an uplink"]);
            assert_eq!(remarks.made_by, ["a card", "dumper 1"]);
            let names: Vec<_> = remarks.names.iter().map(|(addr, name)| format!("{addr} {name}")).collect();
            assert_eq!(names, ["10.0.0.1 gate", "10.0.0.1 door", "::1 me"]);
            assert_eq!((remarks.left_out, remarks.passed_over), (0, 1));
            assert_eq!(source.info().interfaces[0].description.as_deref(), Some("to the world"));
        }
    }

    #[test]
    fn notes_on_a_packet_are_there_while_it_is_and_gone_with_it() {
        let mut source = remarked(true).open();
        let margin = source.margin().expect("files have one");
        let mut notes = Vec::new();
        while source
            .poll(&mut |_| {
                notes.push(margin.latest());
                Flow::Continue
            })
            .expect("readable")
            != Poll::End
        {}
        let expected = Notes { comments: vec!["mark".to_owned()], direction: Some("outbound"), dropped: Some(3) };
        assert_eq!(notes, [expected, Notes::default()]);
        assert!(notes[1].is_empty());
    }

    #[test]
    fn a_flood_of_remarks_is_cut_and_counted() {
        let mut remarks = Remarks::default();
        for _ in 0..1_000 {
            remarks.comment(&[b'x'; 60_000]);
        }
        assert_eq!((remarks.comments.len(), remarks.comments[0].len(), remarks.left_out), (256, 1024, 744));
    }
}
