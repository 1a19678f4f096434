//! A rule's sentence with its numbers filled in.

use crate::finding::Code;
use crate::packet::SeqNumber;
use crate::report::style::Numbers;
use crate::report::style::Style;
use crate::report::text;
use crate::report::words;
use crate::tcp::Connection;
use crate::tcp::Side;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Number;

/// Whose numbers they are and how to write them.
#[derive(Clone, Copy)]
pub(super) struct Numbering<'a> {
    pub(super) connection: &'a Connection,
    /// Sender of the segment that was judged.
    pub(super) side: Side,
    pub(super) style: &'a Style,
}

impl Numbering<'_> {
    /// The sum of the judgement's code. Clauses whose numbers are not there are left out.
    pub(super) fn sum(&self, judgement: &Judgement) -> String {
        text::filled(judgement.code.sum(), |name| {
            Some(match (judgement.code, judgement.input(name)?) {
                (Code::BadChecksum, Number::Count(field)) => format!("{field:#06x}"),
                (code, number) => self.number(code, number),
            })
        })
        .join("; ")
    }

    /// One number, as text.
    pub(super) fn number(&self, code: Code, number: Number) -> String {
        match number {
            Number::Seq(seq) => self.seq(code, self.side, seq),
            Number::PeerSeq(seq) => self.seq(code, self.side.peer(), seq),
            Number::Count(count) => count.to_string(),
            Number::Span(span) => text::span(span),
            Number::Word(word) => word.to_owned(),
        }
    }

    fn seq(&self, code: Code, side: Side, seq: SeqNumber) -> String {
        words::number(
            self.connection,
            side,
            seq,
            if is_about_isns(code) { Numbers::Absolute } else { self.style.numbers },
        )
    }
}

/// Relative to the ISN itself an ISN is 0: the opening is told in the numbers of the wire.
const fn is_about_isns(code: Code) -> bool {
    matches!(
        code,
        Code::SynAckAck
            | Code::HandshakeAck
            | Code::Refused
            | Code::SynAckChanged
            | Code::SimultaneousOpen
            | Code::SynRetransmission
    )
}
