//! Findings on their way to the conversation that they are about: they come right before its end.

use crate::finding::Finding;
use crate::finding::Severity;

/// Findings since the last conversation ended.
#[derive(Debug, Default)]
pub(in crate::report) struct Fresh {
    marks: Vec<(u64, Severity)>,
}

/// What was found on one conversation.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(in crate::report) struct Found {
    pub(in crate::report) count: u64,
    pub(in crate::report) worst: Option<Severity>,
}

impl Fresh {
    pub(in crate::report) fn add(&mut self, finding: &Finding) {
        if let [stream] = finding.streams[..] {
            self.marks.push((stream, finding.severity));
        }
    }

    /// Number and gravity of the findings about a conversation that has just ended.
    pub(in crate::report) fn take(&mut self, stream: u64) -> Found {
        let mut found = Found::default();
        for (_, severity) in self.marks.drain(..).filter(|(about, _)| *about == stream) {
            found.count += 1;
            found.worst = found.worst.max(Some(severity));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Code;
    use crate::packet::Timestamp;

    fn finding(severity: Severity, stream: u64) -> Finding {
        Finding {
            code: Code::Refused,
            severity,
            at: Timestamp::EPOCH,
            streams: vec![stream],
            frames: Vec::new(),
            text: String::new(),
            evidence: Vec::new(),
        }
    }

    #[test]
    fn findings_count_for_the_conversation_that_ends_after_them() {
        let mut fresh = Fresh::default();
        fresh.add(&finding(Severity::Error, 3));
        fresh.add(&finding(Severity::Warning, 3));
        fresh.add(&finding(Severity::Note, 4));
        assert_eq!(fresh.take(3), Found { count: 2, worst: Some(Severity::Error) });
        assert_eq!(fresh.take(3), Found::default());
    }
}
