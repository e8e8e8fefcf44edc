//! Outages, as a run's record tells them: who waited, from when to when, and why.

use crate::figures::{counted, measured};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A time in which operations waited and were not served. All times are true nanoseconds since the run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// The last success before it, or the first invocation; for some clients, when the first of them waited.
    pub from_ns: u64,
    /// The first success after it, or the end of the load.
    pub to_ns: u64,
    /// Who was out.
    pub who: Who,
    /// What most of it was due to.
    pub cause: Cause,
    /// From which moment on it was due to what: consecutive, from its beginning to its end.
    pub causes: Vec<CauseSpan>,
    /// The faults in force in it, by name.
    pub faults: Vec<String>,
    /// How much of it some protocol of this kind could have avoided.
    pub avoidable_ns: u64,
    /// Operations that waited in it and were not served in time.
    pub missed: u64,
    /// How another node came to serve, if everybody was out because a fault had struck the one that did or its links.
    pub takeover: Option<Takeover>,
}

/// Who was out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// Every client.
    All,
    /// Every client of a region or zone, while others were served.
    Place(String),
    /// These clients, while others were served.
    Clients(Vec<String>),
}

/// Why operations wait. Each is computed from what nodes, links and clients really did, the first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cause {
    /// Nobody could have served: the nodes and links left did not allow it.
    #[serde(rename = "no quorum possible")]
    NoQuorum,
    /// A quorum was possible, but no node within the client's reach held the serving role in the newest term, with a
    /// quorum of its own.
    #[serde(rename = "no leader")]
    NoLeader,
    /// Some node served, and the client was not asking it.
    #[serde(rename = "wrong node asked")]
    WrongNode,
    /// The serving node, or so many others that its quorum was incomplete, had no CPU or disk to spare.
    #[serde(rename = "overload")]
    Overload,
    /// Requests, replies or what the serving node needed of others were under way for longer than usual.
    #[serde(rename = "slow link")]
    SlowLink,
    /// Requests, replies or what the serving node needed of others were picked out and dropped, though links were whole.
    #[serde(rename = "messages dropped")]
    Dropped,
    /// The client's own machine was paused or down.
    #[serde(rename = "client paused")]
    ClientPaused,
}

/// A part of an outage that is due to one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseSpan {
    /// From when.
    pub from_ns: u64,
    /// Until when.
    pub to_ns: u64,
    /// Why.
    pub cause: Cause,
}

/// From the fault that struck the serving node to clients that are served by another: four stages, one after the other.
/// `None`: it did not come to that in this outage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Takeover {
    /// From the fault to the first node that entered a later term.
    pub detect_ns: Option<u64>,
    /// Until a node had the serving role.
    pub elect_ns: Option<u64>,
    /// Until it gave its first answer, to anybody.
    pub catch_up_ns: Option<u64>,
    /// Until half of the clients that had waited were served; the others may have found it before that or long after.
    pub clients_ns: Option<u64>,
}

impl Cause {
    /// All of them.
    pub const ALL: [Cause; 7] = [
        Cause::NoQuorum,
        Cause::NoLeader,
        Cause::WrongNode,
        Cause::Overload,
        Cause::SlowLink,
        Cause::Dropped,
        Cause::ClientPaused,
    ];

    /// Every cause among some spans and how long it was one, the longest first.
    pub fn shares(spans: &[CauseSpan]) -> Vec<(Cause, u64)> {
        let of = |cause| {
            let spans = spans.iter().filter(|span| span.cause == cause);
            spans.fold(0u64, |sum, span| sum.saturating_add(span.to_ns.saturating_sub(span.from_ns)))
        };
        let mut shares: Vec<(Cause, u64)> = Cause::ALL.into_iter().map(|cause| (cause, of(cause))).collect();
        shares.retain(|(_, length)| *length > 0);
        shares.sort_by_key(|(_, length)| std::cmp::Reverse(*length));
        shares
    }
}

impl Outage {
    /// How long it lasted.
    pub fn length_ns(&self) -> u64 {
        self.to_ns.saturating_sub(self.from_ns)
    }
}

impl Takeover {
    /// The stages by name, in their order, as far as it came.
    pub fn stages(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let stages = [
            ("detect", self.detect_ns),
            ("elect", self.elect_ns),
            ("catch up", self.catch_up_ns),
            ("clients", self.clients_ns),
        ];
        stages.into_iter().filter_map(|(name, length)| Some((name, length?)))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Cause::NoQuorum => "no quorum possible",
            Cause::NoLeader => "no leader",
            Cause::WrongNode => "wrong node asked",
            Cause::Overload => "overload",
            Cause::SlowLink => "slow link",
            Cause::Dropped => "messages dropped",
            Cause::ClientPaused => "client paused",
        })
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More names than this are counted.
        const NAMED: usize = 3;
        f.pad(&match self {
            Who::All => "all clients".to_owned(),
            Who::Place(place) => format!("those in {place}"),
            Who::Clients(clients) if clients.len() <= NAMED => clients.join(" "),
            Who::Clients(clients) => counted(clients.len() as u64, "client"),
        })
    }
}

/// Within a sentence: from when, during which faults, why.
impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {}, ", measured(self.from_ns))?;
        match &self.faults[..] {
            [] => f.write_str("no fault in force")?,
            faults => write!(f, "during {}", faults.join(", "))?,
        }
        write!(f, ": {}", self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_cause_comes_first() {
        let span = |from_ns, to_ns, cause| CauseSpan { from_ns, to_ns, cause };
        let spans = [
            span(0, 4, Cause::WrongNode),
            span(4, 9, Cause::NoLeader),
            span(9, 11, Cause::WrongNode),
            span(11, 12, Cause::NoQuorum),
        ];
        assert_eq!(Cause::shares(&spans), [(Cause::WrongNode, 6), (Cause::NoLeader, 5), (Cause::NoQuorum, 1)]);
        assert!(Cause::shares(&[]).is_empty());
    }

    #[test]
    fn json_calls_causes_as_texts_do() {
        for cause in Cause::ALL {
            assert_eq!(serde_json::to_string(&cause).expect("it has a name"), format!("\"{cause}\""));
        }
        assert_eq!(serde_json::to_string(&Who::All).expect("it has a name"), "\"all\"");
    }
}
