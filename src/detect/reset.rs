//! A connection that was reset: by whom, and what most likely for. RFC 9293 §3.5.2, §3.6.1, §3.10.7.

use crate::detect::connection::finding;
use crate::detect::connection::with;
use crate::finding::Code;
use crate::finding::Finding;
use crate::flow::EndedConnection;
use crate::tcp::CloseKind;
use crate::tcp::reset::ResetCause;
use crate::tcp::teardown::ResetKind;

/// Says who reset it, with the evidence for the likeliest cause.
pub(super) fn judge(ended: &EndedConnection<'_>) -> Option<Finding> {
    let (side, mark, kind) = ended.connection.teardown.reset?;
    let code = match ended.connection.close_kind() {
        CloseKind::Abort => Code::Reset,
        CloseKind::ResetAfterFin => Code::ResetAfterFin,
        CloseKind::FourWay
        | CloseKind::ThreeSegment
        | CloseKind::Simultaneous
        | CloseKind::HalfClose
        | CloseKind::Open
        | CloseKind::NotSeen => return None,
    };
    let cause = ended.connection.reset_cause();
    let how = match (cause, kind) {
        (Some(cause), _) => because(ended, cause),
        (None, ResetKind::Abort) => "with ACK: closed with data unread, with linger 0, or ended hard".to_owned(),
        (None, ResetKind::NoConnection) => {
            "without ACK: it answers a segment that found no connection any more".to_owned()
        }
        (None, ResetKind::RefusesSyn) => "in answer to a SYN".to_owned(),
    };
    let text = format!(
        "{} reset the connection with {} in frame {}, {how}",
        ended.endpoint(side),
        ended.endpoint(side.peer()),
        mark.frame
    );
    let reset = with(finding(ended, code, vec![mark.frame], text), "by", side.name());
    Some(cause.map_or(reset.clone(), |cause| with(reset, "cause", cause.name())))
}

/// The evidence for what a reset came from, and what else would look the same.
fn because(ended: &EndedConnection<'_>, cause: ResetCause) -> String {
    let notable = ended.connection.notable();
    let Some(form) = notable.reset_form else { return String::new() };
    match cause {
        ResetCause::Refused => "in answer to a SYN".to_owned(),
        ResetCause::Injected => {
            let hops = form.ttl.1.map(|before| format!("TTL {}, {before} before", form.ttl.0)).unwrap_or_default();
            let goes_on = notable.after_reset.first.filter(|(_, by)| *by == form.by);
            let goes_on = goes_on.map(|(frame, _)| format!("; it goes on in frame {frame}")).unwrap_or_default();
            let stamp = if form.timestamp_missing { "; no timestamp, though agreed" } else { "" };
            format!("and perhaps did not: {hops}{stamp}{goes_on}. Somebody on the path may have sent it")
        }
        ResetCause::IdlePath => {
            let silence = form.silence.unwrap_or_default().human();
            format!(
                "after {silence} of silence: a NAT, firewall or host had forgotten it. Keep-alives more often would help"
            )
        }
        ResetCause::WriteAfterClose => {
            "after its own FIN, when more data came that nobody could read any more".to_owned()
        }
        ResetCause::AfterFin => "after its own FIN and without new data: it gave up waiting".to_owned(),
        ResetCause::NoConnection => {
            "without ACK: it answers a segment that found no connection any more (restarted, or moved)".to_owned()
        }
        ResetCause::UnreadData => {
            "with ACK, after data of the other side: closed with data unread; linger 0 or a hard end look the same"
                .to_owned()
        }
        ResetCause::Linger => {
            "with ACK, having spoken last: closed with linger 0, or ended hard; no data was waiting to be read"
                .to_owned()
        }
    }
}
