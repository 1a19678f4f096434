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
        let clauses = judgement.code.sum().split("; ");
        clauses.filter_map(|clause| self.clause(clause, judgement)).collect::<Vec<_>>().join("; ")
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

    fn clause(&self, clause: &str, judgement: &Judgement) -> Option<String> {
        let mut filled = String::new();
        let mut rest = clause;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}')?;
            let number = judgement.input(name)?;
            filled.push_str(before);
            match (judgement.code, number) {
                (Code::BadChecksum, Number::Count(field)) => filled.push_str(&format!("{field:#06x}")),
                _ => filled.push_str(&self.number(judgement.code, number)),
            }
            rest = behind;
        }
        filled.push_str(rest);
        Some(filled)
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
