//! The words of the page, those that are on it.

use super::{Page, Part};
use crate::words::meaning;
use history::{Cause, Level, RunRecord, Verdict, Who};
use maud::html;

/// A word, what it means, and whether a page of this record uses it.
type Term = (&'static str, &'static str, fn(&RunRecord) -> bool);

const TERMS: &[Term] = &[
    ("availability", "The share of all operations that were answered before their client gave up.", has_operations),
    (
        "best possible",
        "The share that some system of this kind could have served: at some instant while the client waited, the nodes that \
         were up and the links that were live would have allowed it.",
        has_operations,
    ),
    (
        "detection time",
        "How long after a crash a node that watched came to the suspicion that lasted as long as the other was down.",
        watches,
    ),
    (
        "missed crash",
        "A node that watched had not found out by when the other was back, it died itself, or the time was up.",
        watches,
    ),
    ("pair", "A node that watches, and one that it watches.", watches),
    (
        "mistake",
        "A node that is up comes to be suspected. It is about a healthy node if no fault struck that. Its duration ends when it \
         is corrected.",
        watches,
    ),
    ("query accuracy", "The share of the time in which both of a pair are up and the one trusts the other.", watches),
    ("nines", "How many nines the availability begins with: 99.9 % has three.", |r| {
        r.availability.is_some_and(|availability| availability.achieved < 1.0)
    }),
    (
        "outage",
        "A gap between two successes in which somebody waited. Its avoidable part is where some waiting operation could have \
         been served.",
        |r| !r.outages.is_empty(),
    ),
    ("time to recover", "How long an outage of all clients lasted.", |r| r.outages.iter().any(|o| o.who == Who::All)),
    ("no leader", meaning(Cause::NoLeader), |r| has_cause(r, Cause::NoLeader)),
    ("no quorum possible", meaning(Cause::NoQuorum), |r| has_cause(r, Cause::NoQuorum)),
    ("wrong node asked", meaning(Cause::WrongNode), |r| has_cause(r, Cause::WrongNode)),
    ("overload", meaning(Cause::Overload), |r| has_cause(r, Cause::Overload)),
    ("slow disk", meaning(Cause::SlowDisk), |r| has_cause(r, Cause::SlowDisk)),
    ("disk failure", meaning(Cause::DiskFailure), |r| has_cause(r, Cause::DiskFailure)),
    ("slow link", meaning(Cause::SlowLink), |r| has_cause(r, Cause::SlowLink)),
    ("messages dropped", meaning(Cause::Dropped), |r| has_cause(r, Cause::Dropped)),
    ("client paused", meaning(Cause::ClientPaused), |r| has_cause(r, Cause::ClientPaused)),
    (
        "takeover",
        "How another node came to serve: a later term begins (detect), a node has the serving role (elect), it gives its first \
         answer (catch up), half of those who waited are served (clients).",
        |r| r.outages.iter().any(|outage| outage.takeover.is_some()),
    ),
    ("unknown", "An operation of which its client never heard again: it may have happened, or may happen yet.", |r| {
        r.operations.is_some_and(|operations| operations.unknown > 0)
    }),
    ("refused", "An operation that is known not to have happened.", |r| {
        r.operations.is_some_and(|operations| operations.refused > 0)
    }),
    (
        "linearizable",
        "Every operation can be put at one instant between its call and its answer, so that the results are those of one copy.",
        |r| r.findings.iter().any(|finding| finding.check.starts_with("linearizable")),
    ),
    ("lost write", "A write that was acknowledged and can no longer be read, though nothing overwrote it.", |r| {
        r.findings.iter().any(|finding| finding.check.contains("lost writes"))
    }),
    (
        "home nodes",
        "The nodes that are to keep a key: each of them a copy. Copies have converged when they are the same on all of them.",
        |r| is_demanded(r, "converged"),
    ),
    ("hint", "What a node keeps for a home node that seems to be down, to hand it over when that is back.", |r| {
        is_demanded(r, "hints delivered")
    }),
    (
        "sibling",
        "One of several versions of a key of which none was written with knowledge of the others; the next who has seen them \
         all replaces them all.",
        |r| is_demanded(r, "siblings"),
    ),
    ("stale read", "A read that missed a write which had been acknowledged before the read was asked for.", |r| {
        is_demanded(r, "stale reads")
    }),
    ("flaw", "A mistake that real systems made, switched on here to see it caught.", |r| !r.flaws.is_empty()),
    ("shows", "An expectation that the scenario is made to break.", |r| {
        r.findings.iter().any(|finding| finding.level == Level::Shows)
    }),
    ("effects", "How often a fault changed anything. One without effect tested nothing.", |r| !r.faults.is_empty()),
    ("VACUOUS", "Nothing was really tested: what the check reads was never observed.", |r| has(r, Verdict::Vacuous)),
    ("UNKNOWN", "A checker's budget ran out: shown neither right nor wrong.", |r| has(r, Verdict::Unknown)),
    ("settle", "The time at the end in which every fault is over, so that what survived can be read.", |r| {
        r.simulated_ns > r.duration_ns
    }),
    (
        "fingerprint",
        "A running hash of every event delivered. The same version, scenario and seed give the same one on any machine.",
        |_| true,
    ),
];

/// What a word of a page means.
pub fn explained(word: &str) -> Option<&'static str> {
    let term = TERMS.iter().find(|(term, _, _)| term.eq_ignore_ascii_case(word));
    term.map(|(_, meaning, _)| *meaning)
}

fn has_operations(record: &RunRecord) -> bool {
    record.availability.is_some()
}

fn watches(record: &RunRecord) -> bool {
    record.detection.is_some()
}

fn has_cause(record: &RunRecord, cause: Cause) -> bool {
    record.outages.iter().any(|outage| outage.cause == cause || outage.causes.iter().any(|span| span.cause == cause))
}

fn is_demanded(record: &RunRecord, check: &str) -> bool {
    record.findings.iter().any(|finding| finding.check.starts_with(check))
}

fn has(record: &RunRecord, verdict: Verdict) -> bool {
    record.verdict == verdict || record.findings.iter().any(|finding| finding.verdict == verdict)
}

impl Page<'_> {
    pub(super) fn glossary(&self) -> Part {
        let used = TERMS.iter().filter(|(_, _, is_used)| is_used(self.record));
        let content = html! {
            dl.glossary { @for (word, meaning, _) in used { div { dt { (word) } dd { (meaning) } } } }
        };
        Some(("words", "Words", content))
    }
}
