//! What other programs would have written down about it, in their words and by their rules.

use crate::report::completeness::BITS;
use crate::report::connection::Section;
use crate::report::connection::Told;
use crate::report::line::Facts;
use crate::report::page::Page;
use crate::report::style::Ink;
use crate::report::text;

/// Keeps nothing: ledger and completeness come with the end.
#[derive(Debug)]
pub(super) struct Observers;

impl Section for Observers {
    fn tell(&self, told: &Told<'_>, page: &mut Page<'_>) {
        page.section("zeek", &zeek(told));
        page.section("tcptrace", &tcptrace(told));
        page.section("wireshark", &wireshark(told));
    }
}

fn zeek(told: &Told<'_>) -> Facts {
    let mut facts = Facts::default();
    let Some(ledger) = told.ended.ledger else { return facts };
    let log = ledger.zeek.conn_log();
    facts.plain(format!("conn_state {}", log.conn_state));
    if let Some(history) = log.history {
        facts.plain(format!("history {history}"));
    }
    facts.plain(format!("originator {}", told.ended.endpoint(log.originator)));
    let [orig, resp] = log.packets;
    match log.bytes {
        Some([sent, got]) => {
            facts.plain(format!("{orig}+{resp} packets, {}+{}", text::octets(sent), text::octets(got)))
        }
        None => facts.plain(format!("{orig}+{resp} packets")),
    }
    match log.missed_bytes {
        Some(0) | None => {}
        Some(missed) => facts.say(Ink::Warn, format!("{} missed", text::octets(missed))),
    }
    facts
}

fn tcptrace(told: &Told<'_>) -> Facts {
    let mut facts = Facts::default();
    if let Some(ledger) = told.ended.ledger {
        facts.plain(format!("complete: {}", ledger.tcptrace.report(told.ended.until).complete));
    }
    facts
}

/// `completeness 31 = 1 SYN + 2 SYN,ACK + 4 ACK + 8 data + 16 FIN`.
fn wireshark(told: &Told<'_>) -> Facts {
    let mut facts = Facts::default();
    if let Some(sum) = told.completeness {
        let terms = BITS.iter().filter(|(bit, _)| sum & bit != 0);
        let terms: Vec<_> = terms.map(|(bit, what)| format!("{bit} {what}")).collect();
        let terms = if terms.is_empty() { String::new() } else { format!(" = {}", terms.join(" + ")) };
        facts.plain(format!("completeness {sum}{terms}"));
    }
    facts
}
