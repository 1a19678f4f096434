//! Why a script line cannot be read.

use thiserror::Error;

/// A fault and the line it stands on.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("line {line}: {fault}")]
pub struct ScriptError {
    /// 1-based.
    pub line: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What may be wrong with a line.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Fault {
    /// The line ends too early.
    #[error("{what} is missing")]
    Missing {
        /// What should have come.
        what: &'static str,
    },
    /// A word that does not read as what has to stand there.
    #[error("`{word}` is not {what}")]
    NotA {
        /// What has to stand there.
        what: &'static str,
        /// What does.
        word: String,
    },
    /// A name that no line before has given an address.
    #[error("nobody is called `{name}` yet: write `{name} = 10.0.0.3:1234` above")]
    UnknownName {
        /// The name.
        name: String,
    },
    /// A quotation mark or an angle bracket without its partner.
    #[error("`{open}` is never closed")]
    Unclosed {
        /// The opening sign.
        open: char,
    },
    /// An escape that a literal does not know.
    #[error("`\\{escape}` is no escape; there are \\\" \\\\ \\n \\r \\t \\0 \\x00")]
    Escape {
        /// The character behind the backslash.
        escape: char,
    },
    /// `seq:end(len)` that does not add up.
    #[error("{seq}:{end}({len}) does not add up: {seq} + {len} = {sum}", sum = seq.wrapping_add(*len))]
    Sequence {
        /// First sequence number.
        seq: u32,
        /// One past the last.
        end: u32,
        /// Octets between them.
        len: u32,
    },
    /// A literal whose size is not the one stated.
    #[error("the literal has {literal} octets, the segment {len}")]
    LiteralLength {
        /// Octets in quotes.
        literal: usize,
        /// Octets stated.
        len: u32,
    },
    /// More options than a header holds.
    #[error("{octets} octets of options, a TCP header holds 40")]
    TooManyOptions {
        /// Octets, padding included.
        octets: usize,
    },
    /// The packet would not fit into an IP length field.
    #[error("{octets} octets do not fit into one IP packet")]
    TooLong {
        /// Octets of header and payload.
        octets: usize,
    },
    /// One end speaks IPv4, the other IPv6.
    #[error("one end has an IPv4 address, the other an IPv6 address")]
    MixedFamilies,
    /// A trace has one link type.
    #[error("the link type has to be given before the first packet")]
    LinkTooLate,
    /// An ICMP error with nothing to quote.
    #[error("the receiver of this error has sent nothing that it could quote")]
    NothingToQuote,
}
