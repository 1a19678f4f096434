//! How far Wireshark hears the options of a segment, where they are cut off or malformed.
//!
//! An option of impossible length ends its walk and nothing else. But some too short for their kind, and any that the
//! capture cut off, make it give up on the whole packet: what stood before was heard, and what a SYN without the
//! window scale would have said is not.

/// What was heard.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Heard {
    /// Window scale, the last one.
    pub(super) window_scale: Option<u8>,
    /// Octets in the first SACK blocks.
    pub(super) sacked: u32,
    /// It gave up on the packet.
    pub(super) gave_up: bool,
}

/// Walks `options`, of which `declared` octets should be there.
pub(super) fn hear(options: &[u8], declared: usize) -> Heard {
    let mut heard = Heard::default();
    let mut rest = options;
    let mut left = declared;
    loop {
        let (kind, len) = match *rest {
            [] => {
                heard.gave_up = left > 0;
                return heard;
            }
            [0, ..] => return heard,
            [1, ..] => (1, 1),
            [kind, len, ..] => (kind, usize::from(len)),
            [_] => {
                heard.gave_up = left > 1;
                return heard;
            }
        };
        if kind != 1 && (len < 2 || len > left) {
            return heard;
        }
        let Some(option) = rest.get(..len) else {
            heard.gave_up = true;
            return heard;
        };
        match kind {
            3 if len == 3 => heard.window_scale = Some(option[2]),
            SACK if len >= SHORTEST_SACK => heard.sacked = sacked(&option[2..]),
            SACK => heard.gave_up = true,
            MPTCP if len < SHORTEST_MPTCP => heard.gave_up = true,
            _ => {}
        }
        if heard.gave_up {
            return heard;
        }
        rest = &rest[len..];
        left -= len;
    }
}

/// Octets in the first three blocks, by their edges.
fn sacked(blocks: &[u8]) -> u32 {
    let edge = |at: usize, block: &[u8]| u32::from_be_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
    let octets = |block: &[u8]| edge(4, block).wrapping_sub(edge(0, block));
    blocks.chunks_exact(8).take(SACK_BLOCKS).map(octets).fold(0, u32::wrapping_add)
}

/// SACK blocks that Wireshark keeps of one segment.
pub(super) const SACK_BLOCKS: usize = 3;

const SACK: u8 = 5;
const MPTCP: u8 = 30;
const SHORTEST_SACK: usize = 10;
const SHORTEST_MPTCP: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_scale_before_the_cut_is_heard_and_one_behind_it_is_not() {
        let options = [2, 4, 5, 180, 3, 3, 7, 1, 4, 2, 1, 1];
        let cut = |captured: usize| hear(&options[..captured], options.len());
        assert_eq!(cut(6), Heard { gave_up: true, ..Heard::default() });
        assert_eq!(cut(7), Heard { window_scale: Some(7), gave_up: true, sacked: 0 });
        assert_eq!(cut(12), Heard { window_scale: Some(7), gave_up: false, sacked: 0 });
    }

    #[test]
    fn an_impossible_length_ends_the_walk_and_a_sack_without_a_block_the_packet() {
        assert_eq!(hear(&[2, 0, 3, 3, 7, 0], 6), Heard::default());
        assert_eq!(hear(&[2, 9, 3, 3, 7, 0], 6), Heard::default());
        assert!(hear(&[5, 4, 0, 0, 3, 3, 7, 0], 8).gave_up);
        assert!(hear(&[30, 3, 0, 3, 3, 7, 0, 0], 8).gave_up);
    }

    #[test]
    fn octets_behind_the_last_whole_block_are_left_alone() {
        let options = [5, 12, 0, 0, 0, 1, 0, 0, 0, 11, 9, 9];
        assert_eq!(hear(&options, 12), Heard { sacked: 10, ..Heard::default() });
    }
}
