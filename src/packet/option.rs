//! TCP options: known, unknown and malformed alike, and the digest of them that trackers need.
//!
//! RFC 9293 §3.1–3.2 (space, EOL, NOP, MSS), RFC 7323 (window scale, timestamps), RFC 2018 and 2883 (SACK),
//! RFC 7413 (Fast Open), RFC 8684 (MPTCP), RFC 5925 (AO), RFC 2385 (MD5), RFC 5482 (user timeout), RFC 9768 (AccECN),
//! RFC 6994 (experiments). The walk over the bytes is `decode::options`, the only one in the house.

use arrayvec::ArrayVec;

use crate::packet::seq::SeqNumber;

/// One option as it stands in the header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TcpOption<'a> {
    /// Kind 0: what follows is padding.
    EndOfList,
    /// Kind 1: one octet of padding.
    NoOp,
    /// Kind 2: the largest segment its sender is willing to receive.
    Mss(u16),
    /// Kind 3: shift count as sent; hosts use at most 14 (RFC 7323 §2.3).
    WindowScale(u8),
    /// Kind 4.
    SackPermitted,
    /// Kind 5: the blocks as raw octets, eight each.
    Sack(&'a [u8]),
    /// Kind 8.
    Timestamps {
        /// The sender's clock.
        value: u32,
        /// The peer's latest value, echoed.
        echo: u32,
    },
    /// Kind 34: Fast Open; empty is a request for a cookie.
    FastOpen(&'a [u8]),
    /// Kind 30: the octets after kind and length, subtype in the first four bits.
    Mptcp(&'a [u8]),
    /// Kind 19: MD5 digest.
    Md5(&'a [u8]),
    /// Kind 29: authentication option.
    Ao(&'a [u8]),
    /// Kind 28: user timeout, granularity bit and fifteen bits of time.
    UserTimeout(u16),
    /// Kinds 172 and 174: accurate ECN counters.
    AccEcn {
        /// 172 (order 0) or 174 (order 1).
        kind: u8,
        /// The counters.
        data: &'a [u8],
    },
    /// Kinds 253 and 254: shared experiments, told apart by their first two octets.
    Experiment {
        /// 253 or 254.
        kind: u8,
        /// Experiment identifier and its data.
        data: &'a [u8],
    },
    /// A kind we have no name for, of sound length.
    Unknown {
        /// The kind.
        kind: u8,
        /// What follows kind and length.
        data: &'a [u8],
    },
    /// A length of 0 or 1, past the header's end, or not the kind's own. A length under 2 or past the end stops the
    /// walk: nothing tells where the next option would begin.
    Malformed {
        /// The kind.
        kind: u8,
        /// The length octet; absent when the header ends before it.
        declared: Option<u8>,
        /// What is there of it after kind and length.
        data: &'a [u8],
    },
}

/// One SACK block (RFC 2018 §3): octets from `left` up to, not including, `right`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SackBlock {
    /// First octet held.
    pub left: SeqNumber,
    /// First octet after it.
    pub right: SeqNumber,
}

/// What the options of one segment said, last occurrence first heard. Filled by the one walk in `decode`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OptionSummary {
    /// MSS option.
    pub mss: Option<u16>,
    /// Window scale shift as sent, not yet limited to 14.
    pub window_scale: Option<u8>,
    /// SACK permitted.
    pub sack_permitted: bool,
    /// TSval and TSecr.
    pub timestamps: Option<(u32, u32)>,
    /// SACK blocks in the order sent. Forty octets of options hold at most four.
    pub sack: ArrayVec<SackBlock, 4>,
    /// Octets of a Fast Open cookie; 0 is a request for one. Also the experimental form 254 + 0xF989.
    pub fast_open: Option<u8>,
    /// A fingerprint of the MPTCP suboptions present, 0 when there are none: bit n for subtype n.
    pub mptcp: u16,
    /// The walk met a malformed option.
    pub malformed: bool,
}
