//! The walk over TCP options, the only one in the house (RFC 9293 §3.1, the kinds in [`TcpOption`]).
//!
//! Unknown kinds are stepped over by their length. A length under 2 or past the end leaves nothing to step by and ends
//! the walk; a length that is not its kind's own spoils that option only.

use crate::packet::DefectCode;
use crate::packet::OptionSummary;
use crate::packet::SackBlock;
use crate::packet::SeqNumber;
use crate::packet::TcpOption;

/// Steps through the octets behind the fixed twenty of a TCP header.
pub fn walk(options: &[u8]) -> Walk<'_> {
    Walk { options, at: 0, over: false }
}

/// What the options say. Of an option that occurs twice the last one counts, as hosts have it.
pub fn summarize(options: &[u8]) -> OptionSummary {
    read(options, true, |_| {})
}

/// The steps of [`walk`].
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    options: &'a [u8],
    at: usize,
    over: bool,
}

impl<'a> Walk<'a> {
    /// Octets stepped over so far: where the next option begins.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The octets that the walk has not reached: behind the end-of-list option they are padding.
    pub fn rest(&self) -> &'a [u8] {
        &self.options[self.at..]
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = TcpOption<'a>;

    fn next(&mut self) -> Option<TcpOption<'a>> {
        if self.over {
            return None;
        }
        let rest = self.rest();
        let (option, octets) = match *rest {
            [] => return None,
            [0, ..] => {
                self.over = true;
                (TcpOption::EndOfList, 1)
            }
            [1, ..] => (TcpOption::NoOp, 1),
            [kind] => {
                self.over = true;
                (TcpOption::Malformed { kind, declared: None, data: &[] }, 1)
            }
            [kind, len, ..] => match rest.get(2..usize::from(len)) {
                Some(data) => (sized(kind, len, data), usize::from(len)),
                None => {
                    self.over = true;
                    (TcpOption::Malformed { kind, declared: Some(len), data: &rest[2..] }, rest.len())
                }
            },
        };
        self.at += octets;
        Some(option)
    }
}

/// An option whose length lies within the header.
fn sized(kind: u8, len: u8, data: &[u8]) -> TcpOption<'_> {
    match (kind, data) {
        (2, &[high, low]) => TcpOption::Mss(u16::from_be_bytes([high, low])),
        (3, &[shift]) => TcpOption::WindowScale(shift),
        (4, []) => TcpOption::SackPermitted,
        (5, blocks) if !blocks.is_empty() && blocks.len() % 8 == 0 => TcpOption::Sack(blocks),
        (8, &[a, b, c, d, e, f, g, h]) => {
            TcpOption::Timestamps { value: u32::from_be_bytes([a, b, c, d]), echo: u32::from_be_bytes([e, f, g, h]) }
        }
        (19, digest) if digest.len() == 16 => TcpOption::Md5(digest),
        (28, &[high, low]) => TcpOption::UserTimeout(u16::from_be_bytes([high, low])),
        (29, keyed) if keyed.len() >= 2 => TcpOption::Ao(keyed),
        (30, data) if !data.is_empty() => TcpOption::Mptcp(data),
        // RFC 7413 §4.1.1: nothing, or a cookie of 4 to 16 octets, an even number of them.
        (34, cookie) if cookie.is_empty() || (4..=16).contains(&cookie.len()) && cookie.len() % 2 == 0 => {
            TcpOption::FastOpen(cookie)
        }
        // RFC 9768 §3.2.3: up to three counters of three octets.
        (172 | 174, counters) if counters.len() <= 9 && counters.len() % 3 == 0 => {
            TcpOption::AccEcn { kind, data: counters }
        }
        (253 | 254, data) => TcpOption::Experiment { kind, data },
        (2..=5 | 8 | 19 | 28..=30 | 34 | 172 | 174, data) => TcpOption::Malformed { kind, declared: Some(len), data },
        (kind, data) => TcpOption::Unknown { kind, data },
    }
}

/// What is wrong with one option.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Fault {
    /// What.
    pub(super) code: DefectCode,
    /// Octet of the options where it begins.
    pub(super) at: usize,
    /// The number found.
    pub(super) found: u32,
    /// The number that would have been right.
    pub(super) expected: u32,
}

/// Digests the options and tells each fault. With `whole` false the capture ends within them: then an option that
/// runs past the end was cut, which is no fault of its sender.
pub(super) fn read(options: &[u8], whole: bool, mut tell: impl FnMut(Fault)) -> OptionSummary {
    let mut said = OptionSummary::default();
    // Timestamps as nearly every segment carries them (RFC 7323 appendix A): most of all walks are this one.
    if let &[1, 1, 8, 10, a, b, c, d, e, f, g, h] = options {
        said.timestamps = Some((u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])));
        return said;
    }
    let mut walk = walk(options);
    loop {
        let at = walk.at();
        let Some(option) = walk.next() else { break };
        match option {
            TcpOption::NoOp | TcpOption::Unknown { .. } | TcpOption::Md5(_) | TcpOption::Ao(_) => {}
            TcpOption::UserTimeout(_) | TcpOption::AccEcn { .. } => {}
            TcpOption::EndOfList => {
                let strangers = walk.rest().iter().filter(|&&octet| octet != 0).count() as u32;
                if strangers > 0 {
                    tell(Fault { code: DefectCode::TcpOptionsAfterEnd, at, found: strangers, expected: 0 });
                }
            }
            TcpOption::Mss(mss) => said.mss = Some(mss),
            TcpOption::WindowScale(shift) => said.window_scale = Some(shift),
            TcpOption::SackPermitted => said.sack_permitted = true,
            TcpOption::Sack(blocks) => said.sack = sack_blocks(blocks).collect(),
            TcpOption::Timestamps { value, echo } => said.timestamps = Some((value, echo)),
            TcpOption::FastOpen(cookie) => said.fast_open = Some(cookie.len() as u8),
            TcpOption::Experiment { kind: 254, data: [0xf9, 0x89, cookie @ ..] } => {
                said.fast_open = Some(cookie.len() as u8);
            }
            TcpOption::Experiment { .. } => {}
            TcpOption::Mptcp(data) => said.mptcp |= 1 << (data[0] >> 4),
            TcpOption::Malformed { kind, declared, data } => {
                let remain = options.len() - at;
                if let Some(fault) = fault_of(kind, declared, data, remain, whole) {
                    said.malformed = true;
                    tell(Fault { at, ..fault });
                }
            }
        }
    }
    said
}

/// Blocks of a SACK option of sound length, four at most fit into a header.
pub fn sack_blocks(octets: &[u8]) -> impl Iterator<Item = SackBlock> {
    octets.chunks_exact(8).take(MAX_SACK_BLOCKS).map(|block| SackBlock {
        left: SeqNumber(u32::from_be_bytes([block[0], block[1], block[2], block[3]])),
        right: SeqNumber(u32::from_be_bytes([block[4], block[5], block[6], block[7]])),
    })
}

fn fault_of(kind: u8, declared: Option<u8>, data: &[u8], remain: usize, whole: bool) -> Option<Fault> {
    let impossible = |found| Fault { code: DefectCode::TcpOptionLength, at: 0, found, expected: remain as u32 };
    match declared {
        Some(len) if usize::from(len) == data.len() + 2 => {
            let expected = kind_size(kind);
            Some(Fault { code: DefectCode::TcpOptionSize, at: 0, found: u32::from(len), expected })
        }
        Some(len @ (0 | 1)) => Some(impossible(u32::from(len))),
        Some(len) => whole.then(|| impossible(u32::from(len))),
        None => whole.then(|| impossible(1)),
    }
}

/// The length, kind and length octets counted in, that a kind has, or its least.
fn kind_size(kind: u8) -> u32 {
    match kind {
        3 => 3,
        4 => 2,
        5 | 8 => 10,
        19 => 18,
        30 => 3,
        34 => 6,
        172 | 174 => 5,
        // MSS, user timeout, AO.
        _ => 4,
    }
}

const MAX_SACK_BLOCKS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// What was read, and the faults as `(code, at, found, expected)`.
    fn heard(options: &[u8]) -> (OptionSummary, Vec<(DefectCode, usize, u32, u32)>) {
        let mut faults = Vec::new();
        let said = read(options, true, |fault| faults.push((fault.code, fault.at, fault.found, fault.expected)));
        (said, faults)
    }

    #[test]
    fn a_linux_syn_says_mss_sack_timestamps_and_scale() {
        let (said, faults) = heard(&[2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 100, 0, 0, 0, 0, 1, 3, 3, 7]);
        assert_eq!((said.mss, said.window_scale), (Some(1460), Some(7)));
        assert_eq!((said.sack_permitted, said.timestamps), (true, Some((100, 0))));
        assert!(faults.is_empty() && !said.malformed);
    }

    #[test]
    fn timestamps_in_the_usual_place_say_what_they_say_elsewhere() {
        let stamps = [8, 10, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4];
        let usual = heard(&[&[1, 1], &stamps[..]].concat());
        assert_eq!(usual, heard(&[&stamps[..], &[1, 1]].concat()));
        assert_eq!(usual.0.timestamps, Some((0xdead_beef, 0x0102_0304)));
    }

    #[test]
    fn an_mss_behind_fast_open_is_heard() {
        let mut options = vec![34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1];
        options.extend([2, 4, 0x05, 0xb4]);
        let (said, faults) = heard(&options);
        assert_eq!((said.fast_open, said.mss), (Some(8), Some(1460)));
        assert!(faults.is_empty());
    }

    #[test]
    fn fast_open_asks_with_an_empty_cookie_in_both_of_its_forms() {
        assert_eq!(summarize(&[34, 2, 1, 1]).fast_open, Some(0));
        assert_eq!(summarize(&[254, 4, 0xf9, 0x89]).fast_open, Some(0));
        assert_eq!(summarize(&[254, 8, 0xf9, 0x89, 1, 2, 3, 4]).fast_open, Some(4));
        assert_eq!(summarize(&[254, 4, 0xf9, 0x88]).fast_open, None);
    }

    #[test]
    fn every_kind_with_a_name_is_told_by_it() {
        let options = [
            &[30, 4, 0x01, 0x81][..],
            &[28, 4, 0x80, 0x05],
            &[29, 4, 1, 2],
            &[172, 5, 0, 0, 1],
            &[253, 4, 0xaa, 0xbb],
            &[77, 3, 9],
            &[5, 10, 0, 0, 0, 1, 0, 0, 0, 2],
        ]
        .concat();
        let walked: Vec<_> = walk(&options).collect();
        assert_eq!(
            walked,
            [
                TcpOption::Mptcp(&[0x01, 0x81]),
                TcpOption::UserTimeout(0x8005),
                TcpOption::Ao(&[1, 2]),
                TcpOption::AccEcn { kind: 172, data: &[0, 0, 1] },
                TcpOption::Experiment { kind: 253, data: &[0xaa, 0xbb] },
                TcpOption::Unknown { kind: 77, data: &[9] },
                TcpOption::Sack(&[0, 0, 0, 1, 0, 0, 0, 2]),
            ]
        );
        let mut md5 = vec![19, 18];
        md5.extend([7; 16]);
        assert_eq!(walk(&md5).next(), Some(TcpOption::Md5(&[7; 16])));
    }

    #[test]
    fn sack_blocks_come_in_the_order_sent() {
        let options = [1, 1, 5, 18, 0, 0, 0, 9, 0, 0, 0, 12, 0, 0, 0, 3, 0, 0, 0, 5];
        let block = |left, right| SackBlock { left: SeqNumber(left), right: SeqNumber(right) };
        assert_eq!(summarize(&options).sack[..], [block(9, 12), block(3, 5)]);
    }

    #[test]
    fn mptcp_subtypes_are_a_set() {
        assert_eq!(summarize(&[30, 3, 0x01, 1, 30, 3, 0x20, 1]).mptcp, 0b101);
        assert_eq!(summarize(&[1, 1, 1, 1]).mptcp, 0);
    }

    #[test]
    fn of_an_option_sent_twice_the_last_counts() {
        assert_eq!(summarize(&[2, 4, 0, 100, 2, 4, 0, 200]).mss, Some(200));
    }

    #[test]
    fn a_length_of_zero_or_one_ends_the_walk() {
        for len in [0, 1] {
            let (said, faults) = heard(&[9, len, 2, 4, 5, 0xb4]);
            assert_eq!(said.mss, None);
            assert!(said.malformed);
            assert_eq!(faults, [(DefectCode::TcpOptionLength, 0, u32::from(len), 6)]);
        }
    }

    #[test]
    fn a_length_of_two_is_sound() {
        let (said, faults) = heard(&[9, 2, 2, 4, 5, 0xb4, 1, 1]);
        assert_eq!(said.mss, Some(1460));
        assert!(faults.is_empty());
    }

    #[test]
    fn a_length_past_the_end_ends_the_walk_unless_the_capture_cut_it() {
        let options = [1, 1, 8, 10, 0, 0];
        let (said, faults) = heard(&options);
        assert!(said.malformed);
        assert_eq!(faults, [(DefectCode::TcpOptionLength, 2, 10, 4)]);
        let said = read(&options, false, |fault| panic!("{fault:?}"));
        assert!(!said.malformed);
    }

    #[test]
    fn a_kind_without_its_length_is_malformed_unless_the_capture_cut_it() {
        let (said, faults) = heard(&[1, 1, 1, 2]);
        assert!(said.malformed);
        assert_eq!(faults, [(DefectCode::TcpOptionLength, 3, 1, 1)]);
        assert!(!read(&[1, 1, 1, 2], false, |_| {}).malformed);
    }

    #[test]
    fn a_known_kind_of_the_wrong_size_is_malformed_and_the_walk_goes_on() {
        let (said, faults) = heard(&[2, 3, 5, 3, 3, 7, 1, 1]);
        assert_eq!((said.mss, said.window_scale, said.malformed), (None, Some(7), true));
        assert_eq!(faults, [(DefectCode::TcpOptionSize, 0, 3, 4)]);
    }

    #[test]
    fn sizes_that_no_kind_has_are_malformed() {
        let wrong: [&[u8]; 9] = [
            &[3, 2],
            &[4, 3, 0],
            &[5, 2],
            &[5, 9, 0, 0, 0, 0, 0, 0, 0],
            &[8, 4, 0, 0],
            &[34, 5, 1, 2, 3],
            &[34, 3, 1],
            &[30, 2],
            &[172, 4, 0, 0],
        ];
        for options in wrong {
            let (said, faults) = heard(options);
            assert!(said.malformed, "{options:?}");
            assert_eq!(faults[0].0, DefectCode::TcpOptionSize, "{options:?}");
        }
    }

    #[test]
    fn the_end_of_the_list_ends_the_walk() {
        let (said, faults) = heard(&[0, 0, 0, 0]);
        assert_eq!((said, faults), (OptionSummary::default(), vec![]));
    }

    #[test]
    fn octets_behind_the_end_of_the_list_are_told_and_not_read() {
        let (said, faults) = heard(&[3, 3, 7, 0, 2, 4, 5, 0xb4]);
        assert_eq!((said.mss, said.malformed), (None, false));
        assert_eq!(faults, [(DefectCode::TcpOptionsAfterEnd, 3, 4, 0)]);
    }
}
