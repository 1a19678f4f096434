//! What a gap of the capture takes away from a finding about a connection.
//!
//! The catalogue lists for each code what it cannot be told without ([`Code::gaps`]). A finding that such a gap touches is
//! still said, as a note that names the gap: the facts stand, the accusation does not.

use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Gap;
use crate::finding::Severity;
use crate::flow::EndedConnection;
use crate::flow::Leaves;
use crate::packet::Span;
use crate::tcp::Connection;

/// The finding as it may be said of this capture.
pub(super) fn weakened(ended: &EndedConnection<'_>, mut finding: Finding) -> Finding {
    let Some(gap) = gap_of(ended, finding.code) else { return finding };
    finding.severity = Severity::Note;
    finding.text = format!("{}; whose doing it was cannot be told: {gap}", finding.text);
    finding.evidence.push(("verdict", "cannot-tell".into()));
    finding.evidence.push(("gap", gap.code().into()));
    finding
}

/// Of the gaps that would take this code's grounds away, the first that the capture has.
fn gap_of(ended: &EndedConnection<'_>, code: Code) -> Option<Gap> {
    let connection = ended.connection;
    // A single segment was found to be it, past all gaps.
    if connection.counts().iter().any(|count| count.code == code) {
        return None;
    }
    code.gaps().iter().copied().find(|gap| match gap {
        Gap::OneSided => ended.blind.one_sided,
        Gap::KernelDrops => connection.blemishes.lost || ended.blind.lost_since(connection.last.frame),
        Gap::ClockStepped => connection.blemishes.stepped,
        Gap::CaptureEnded => ended.why == Leaves::CaptureEnd && ends_at_once(ended),
        // Those are weighed where the code is said at all.
        Gap::NoHandshake
        | Gap::Snapped
        | Gap::NotCaptured
        | Gap::Fragmented
        | Gap::BadChecksum
        | Gap::NoRoundTrip
        | Gap::NoIdentity
        | Gap::OrderAtReceiver
        | Gap::ClockMayHaveWrapped
        | Gap::TooClose
        | Gap::SignsDisagree
        | Gap::NotTold
        | Gap::NoFullSegment
        | Gap::OnePlace
        | Gap::NothingSeen => false,
    })
}

/// Packets were captured twice and no segment was found to be sent again: the copies are all there is.
pub(super) fn only_copies(connection: &Connection) -> bool {
    let counted = |codes: &[Code]| connection.counts().iter().any(|count| codes.contains(&count.code));
    counted(&[Code::CaptureDuplicate]) && !counted(SENT_AGAIN)
}

/// The capture ended before anybody had to try again.
fn ends_at_once(ended: &EndedConnection<'_>) -> bool {
    ended.until.is_some_and(|until| until.since(ended.connection.last.at) < FIRST_RTO)
}

/// A host that hears nothing tries again after this long (RFC 6298 §2.1).
const FIRST_RTO: Span = Span::from_secs(1);

/// Causes of octets that come again on the wire.
const SENT_AGAIN: &[Code] = &[
    Code::SynRetransmission,
    Code::FastRetransmission,
    Code::TailLossProbe,
    Code::TimeoutRetransmission,
    Code::FinOnAck,
    Code::RetransmissionOfAcknowledged,
    Code::RetransmissionUnexplained,
];
