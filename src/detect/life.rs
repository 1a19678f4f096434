//! What is rare in an opening or between two connections: halves that come apart, older connections, cookies, probes.
//!
//! Each rule is a function from the ended connection to at most one finding, whose text can be redone by hand. RFC 9293 §3.5,
//! §3.6.1; RFC 4987; RFC 5961 §4; RFC 6191; RFC 7413.

use crate::detect::Say;
use crate::detect::connection::finding;
use crate::detect::connection::with;
use crate::detect::weaken;
use crate::finding::Code;
use crate::finding::Finding;
use crate::finding::Severity;
use crate::flow::EndedConnection;
use crate::packet::Span;
use crate::tcp::Outcome;
use crate::tcp::Side;
use crate::tcp::handshake::FastOpen;
use crate::tcp::predecessor::TIME_WAIT_LINUX;
use crate::tcp::predecessor::TIME_WAIT_RFC;

/// Says what is to be said of a connection that is over.
pub fn judge(ended: &EndedConnection<'_>, say: Say<'_>) {
    for rule in RULES {
        if let Some(finding) = rule(ended) {
            say(weaken::weakened(ended, finding));
        }
    }
}

type Rule = fn(&EndedConnection<'_>) -> Option<Finding>;

const RULES: &[Rule] = &[split, rescue, probe, fast_open_ignored, cookies, reuse];

fn split(ended: &EndedConnection<'_>) -> Option<Finding> {
    let (split, side) = ended.connection.notable().split?;
    let text = format!(
        "{} acknowledged the SYN of {} first and sent a SYN of its own apart, in frame {}",
        ended.endpoint(side),
        ended.endpoint(side.peer()),
        split.frame
    );
    Some(finding(ended, Code::SplitHandshake, vec![split.frame], text))
}

fn rescue(ended: &EndedConnection<'_>) -> Option<Finding> {
    let notable = ended.connection.notable();
    let ((stray, ack), reset) = (notable.stray_ack?, notable.stray_reset?);
    let then = if ended.connection.outcome().is_open() { "and then opened anew" } else { "and did not get to open" };
    let text = format!(
        "{} held an older connection: it answered with ack {ack} in frame {}, {} reset that in frame {} {then}",
        ended.server, stray.frame, ended.client, reset.frame
    );
    Some(with(finding(ended, Code::SynRescue, vec![stray.frame, reset.frame], text), "ack", ack))
}

/// The kernel behind a scanner knows nothing of its SYN: it answers the SYN,ACK as a stranger's (RFC 9293 §3.10.7.1).
fn probe(ended: &EndedConnection<'_>) -> Option<Finding> {
    let connection = ended.connection;
    let (by, reset, _) = connection.teardown.reset?;
    let syn_ack = connection.handshake.syn_ack?;
    let after = reset.at.since(syn_ack.at);
    let bare = connection.notable().reset_form.is_none_or(|form| !form.acknowledges && form.answers);
    let at_once = connection.outcome() == Outcome::HalfOpen && by == Side::Client && after <= PROBE_WITHIN;
    if !at_once || !bare || connection.handshake.ack_check.is_some() {
        return None;
    }
    let text = format!(
        "{} learned that port {} of {} is open and reset, {} after the SYN,ACK",
        ended.client,
        ended.server.port,
        ended.server.addr,
        after.human()
    );
    Some(with(finding(ended, Code::HalfOpenProbe, vec![syn_ack.frame, reset.frame], text), "after", after))
}

fn fast_open_ignored(ended: &EndedConnection<'_>) -> Option<Finding> {
    let handshake = &ended.connection.handshake;
    if handshake.fast_open != Some(FastOpen::Ignored) {
        return None;
    }
    let (syn, syn_ack) = (handshake.syn?, handshake.syn_ack?);
    let octets = handshake.syn_data();
    let text = format!(
        "the SYN of {} carried {octets} octets (frame {}), the SYN,ACK of {} acknowledges J+1 alone (frame {})",
        ended.client, syn.frame, ended.server, syn_ack.frame
    );
    let ignored = finding(ended, Code::FastOpenIgnored, vec![syn.frame, syn_ack.frame], text);
    Some(with(ignored, "octets", octets))
}

fn cookies(ended: &EndedConnection<'_>) -> Option<Finding> {
    let connection = ended.connection;
    let (client, server) = (connection.side(Side::Client).offer, connection.side(Side::Server).offer);
    let offered = [client.wscale.is_some(), client.sack, client.timestamps];
    let granted = [server.wscale.is_some(), server.sack, server.timestamps];
    let all_withheld = offered.iter().filter(|offered| **offered).count() >= OFFERS && !granted.contains(&true);
    let syn_ack = connection.handshake.syn_ack?;
    if !client.seen || !server.seen || !all_withheld || connection.handshake.syn_ack_retries > 0 {
        return None;
    }
    let names = [("wscale", offered[0]), ("sack", offered[1]), ("timestamps", offered[2])];
    let names: Vec<_> = names.iter().filter(|(_, offered)| *offered).map(|(name, _)| *name).collect();
    let text = format!(
        "{} grants none of {} that {} offered (frame {}) and repeats nothing; a stack without these options does the same",
        ended.server,
        names.join(", "),
        ended.client,
        syn_ack.frame
    );
    Some(finding(ended, Code::SynCookiesSuspected, vec![syn_ack.frame], text))
}

fn reuse(ended: &EndedConnection<'_>) -> Option<Finding> {
    let before = ended.connection.notable().predecessor?;
    let past = before.next.distance_to(before.isn);
    let sum = format!("ISN {} − next unused {} = {past}", before.isn, before.next);
    let stamps = before.stamps.map(|(then, now)| format!("; timestamp {now}, {then} before")).unwrap_or_default();
    let verdict = match (past >= 0, before.is_younger()) {
        (true, _) => "above: acceptable",
        (false, true) => "below, but the timestamp is younger: acceptable",
        (false, false) => "below, and no younger timestamp: a challenge ACK is due",
    };
    let shorter = if before.since > TIME_WAIT_LINUX { " (over on Linux)" } else { "" };
    let text = format!(
        "{} used the ports again {} after the close of frame {}, within {}{shorter}; {sum}{stamps}: {verdict}",
        ended.client,
        before.since.human(),
        before.ended.frame,
        TIME_WAIT_RFC.human()
    );
    let mut reuse = finding(ended, Code::TimeWaitReuse, vec![before.ended.frame, ended.connection.first.frame], text);
    if !before.is_acceptable() {
        reuse.severity = Severity::Warning;
    }
    let acceptable = if before.is_acceptable() { "yes" } else { "no" };
    Some(with(with(reuse, "since", before.since), "acceptable", acceptable))
}

/// Of window scale, SACK and timestamps: a client that offers fewer shows too little.
const OFFERS: usize = 2;
/// No program is asked before such a reset.
const PROBE_WITHIN: Span = Span::from_secs(1);
