//! Do the same numbers carry the same octets each time? Only the first ones are compared: enough to see an injection.

use crate::finding::Code;
use crate::finding::Gap;
use crate::tcp::verdict::Judgement;
use crate::tcp::verdict::Said;
use crate::tcp::verdict::Segment;
use crate::tcp::verdict::sent::Sent;
use crate::tcp::verdict::tcb::print;

/// The same numbers with other octets: injection, or a middlebox that rewrites.
pub(super) fn check(segment: &Segment<'_>, known: Option<&Sent>, said: &mut Said<'_>) {
    let Some(sent) = known.filter(|sent| sent.seq == segment.tcp.seq && segment.tcp.len > 0) else { return };
    if sent.end != segment.tcp.end() {
        return;
    }
    let now = print(segment);
    let judgement = match (sent.print, now) {
        (0, _) | (_, 0) => Judgement::cannot_tell(Code::OverlapDiffers, Gap::Snapped),
        (before, now) => Judgement::of(Code::OverlapDiffers, before != now),
    };
    said.say(judgement.seq("seq", sent.seq).seq("end", sent.end).on(sent.first.frame));
}
