//! How often what was found or broken on one connection: its verdicts by code, and the first frames of each.
//!
//! Bounded by the number of codes; nothing is kept where nothing was found.

use arrayvec::ArrayVec;

use crate::finding::Code;
use crate::packet::Span;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Number;

/// First frames kept of each code.
const MAX_EXAMPLES: usize = 3;

/// One code on one connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    /// Which.
    pub code: Code,
    /// Segments of which it was said.
    pub count: u32,
    /// The first of them.
    pub frames: ArrayVec<u64, MAX_EXAMPLES>,
    /// Time that they waited, all together, where the code is about waiting.
    pub waited: Span,
    /// What was said of the first.
    pub first: Judgement,
}

/// All codes of one connection.
#[derive(Clone, Debug, Default)]
pub(in crate::tcp) struct Counts(Vec<Count>);

impl Counts {
    /// Nothing was found.
    pub(in crate::tcp) const NONE: Self = Self(Vec::new());

    /// In the order of the first time.
    pub(in crate::tcp) fn all(&self) -> &[Count] {
        &self.0
    }

    /// Counts what was said of one segment.
    pub(in crate::tcp) fn add(&mut self, frame: u64, said: &[Judgement]) {
        for judgement in said.iter().filter(|judgement| judgement.is_broken()) {
            self.add_one(frame, judgement);
        }
    }

    fn add_one(&mut self, frame: u64, judgement: &Judgement) {
        let known = self.0.iter_mut().position(|count| count.code == judgement.code);
        let at = known.unwrap_or_else(|| {
            self.0.push(Count {
                code: judgement.code,
                count: 0,
                frames: ArrayVec::new(),
                waited: Span::ZERO,
                first: judgement.clone(),
            });
            self.0.len() - 1
        });
        let count = &mut self.0[at];
        count.count = count.count.saturating_add(1);
        let _ = count.frames.try_push(frame);
        if let Some(Number::Span(span)) = judgement.input("waited").or(judgement.input("since")) {
            count.waited = Span(count.waited.0.saturating_add(span.0.max(0)));
        }
    }
}
