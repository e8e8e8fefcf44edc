//! Outages: when somebody waited and was not served, who, and why.
//!
//! Two successes of any clients enclose a gap. It is an outage if some operation waited in it for long, a tenth of its
//! patience or more: so the pauses of a load that asks for little are none, and neither is the usual time that an
//! operation takes. The part of an outage in which some waiting operation *could* have been served, by some protocol of
//! this kind over the links that were live, was avoidable.
//!
//! While some are served others may not be: a region is cut off, a client keeps asking a node that is gone. Two successes
//! of one client enclose a gap of its own, and from when it first waited in it, that is a *partial* outage: if it waited in
//! vain, and if what of it lies outside the outages of everybody is longer than its patience. Those of several clients that
//! lie mostly in the same time are told as one.
//!
//! - here: the gaps; `cause.rs`: why an operation waits; `spans.rs`: from the causes of operations to those of the
//!   outage; `chance.rs`: when somebody could have been served; `takeover.rs`: how another node came to serve.

pub mod cause;
mod chance;
mod spans;
mod takeover;

use crate::execute::{Finished, OpFact, SLOW_SHARE};
use crate::plan::Plan;
use chance::chances;
use history::{Cause, Outage, Purpose, Who};
use sim_core::protocol::ClientId;
use sim_core::strain::Span;
use sim_core::time::Nanos;
use spans::{cause_spans, clipped, length};
use std::collections::{BTreeMap, BTreeSet};
use takeover::{Silence, takeover};

/// An outage of everybody, and what it says of the system.
#[derive(Clone, Debug)]
pub struct Gap {
    /// What the record tells of it.
    pub outage: Outage,
    /// The longest stretch in which somebody who waited could have been served, and was not.
    pub chance: Nanos,
    /// How long somebody waited whom nobody could have served.
    pub barred: Nanos,
    /// Whether a success ended it, and not the run.
    pub is_over: bool,
}

/// The outages of everybody in a run, in order. `end` is when the load ended; one that lasts beyond it ends with the next
/// success.
pub fn gaps(plan: &Plan, finished: &Finished, all: &Asking<'_>, end: Nanos) -> Vec<Gap> {
    // Final reads are successes too.
    let late = invoked_since(finished, end.saturating_sub(all.longest));
    let back = late.iter().filter_map(|op| op.served).filter(|served| *served >= end).min();
    let report = Report { plan, finished };
    let gap = |span: Span| report.gap(all, span, span.1 < end || back.is_some());
    all.gaps(end, back.unwrap_or(end)).into_iter().filter_map(gap).collect()
}

/// All outages of a run, in order: these of everybody, and those of some while others were served.
pub fn outages(plan: &Plan, finished: &Finished, all: &Asking<'_>, end: Nanos, whole: Vec<Gap>) -> Vec<Outage> {
    let mut outages: Vec<Outage> = whole.into_iter().map(|gap| gap.outage).collect();
    let whole: Vec<Span> = outages.iter().map(|outage| (outage.from_ns, outage.to_ns)).collect();
    outages.extend(Report { plan, finished }.partial(all, &whole, end));
    outages.sort_by_key(|outage| (outage.from_ns, outage.to_ns));
    outages
}

/// What was asked for from some instant on, final reads included.
fn invoked_since(finished: &Finished, at: Nanos) -> &[OpFact] {
    &finished.facts[finished.facts.partition_point(|op| op.invoked < at)..]
}

/// The operations of some clients, by invocation.
pub struct Asking<'a> {
    ops: Vec<&'a OpFact>,
    /// When operations were served, in the same order.
    served: Vec<Nanos>,
    /// Nobody is more patient than this.
    longest: Nanos,
    /// How long the least patient operation would wait.
    shortest: Nanos,
}

impl<'a> Asking<'a> {
    fn nobody() -> Self {
        Asking { ops: Vec::new(), served: Vec::new(), longest: 0, shortest: Nanos::MAX }
    }

    fn add(&mut self, op: &'a OpFact) {
        let patience = op.deadline - op.invoked;
        self.longest = self.longest.max(patience);
        self.shortest = self.shortest.min(patience);
        self.ops.push(op);
        self.served.extend(op.served);
    }

    /// Everybody who asked for something, final reads aside.
    pub fn load(finished: &'a Finished) -> Self {
        let mut load = Asking::nobody();
        for op in &finished.facts {
            match op.purpose {
                Purpose::Load => load.add(op),
                Purpose::FinalRead => load.longest = load.longest.max(op.deadline - op.invoked),
            }
        }
        load
    }

    /// Whoever is the least patient waits for this long before it counts.
    fn grace(&self) -> Nanos {
        self.shortest / SLOW_SHARE
    }

    /// The gaps between successes that began before `end`, and are long enough for somebody to wait in; the last one lasts
    /// until `back`.
    fn gaps(&self, end: Nanos, back: Nanos) -> Vec<Span> {
        let Some(first) = self.ops.first().map(|op| op.invoked) else { return Vec::new() };
        let mut marks = vec![first];
        marks.extend(self.bursts().into_iter().flat_map(|(from, to)| [from, to]));
        marks.push(back.max(first));
        marks.sort_unstable();
        let is_gap = |(from, to): &Span| to > from && to - from >= self.grace() && *from < end;
        marks.windows(2).map(|pair| (pair[0], pair[1])).filter(is_gap).collect()
    }

    /// From when to when there were successes, less than the grace apart. There are far fewer of these than successes.
    fn bursts(&self) -> Vec<Span> {
        let grace = self.grace().max(1);
        let mut bursts: Vec<Span> = Vec::new();
        for served in self.served.iter().copied() {
            match bursts.last_mut() {
                Some((from, to)) if served.max(*to) - served.min(*from) < grace => {
                    (*from, *to) = (served.min(*from), served.max(*to));
                }
                Some(_) | None => bursts.push((served, served)),
            }
        }
        bursts
    }

    /// The operations that waited for long in some stretch of time: those that can have began before it ended.
    fn waiting(&self, (from, to): Span) -> Vec<&'a OpFact> {
        if to - from < self.grace() {
            return Vec::new();
        }
        let begin = self.ops.partition_point(|op| op.invoked < from.saturating_sub(self.longest));
        let after = self.ops.partition_point(|op| op.invoked < to);
        let waited = |op: &&&OpFact| {
            let waited = op.waited_until().min(to).saturating_sub(op.invoked.max(from));
            waited > 0 && waited * SLOW_SHARE >= op.deadline - op.invoked
        };
        self.ops[begin..after].iter().filter(waited).copied().collect()
    }

    /// What is left of a gap from when somebody waited in it, if somebody waited in vain.
    fn missed(&self, (from, to): Span) -> Option<Span> {
        let waiting = self.waiting((from, to));
        let first = waiting.iter().map(|op| op.invoked).min()?;
        waiting.iter().any(|op| op.served.is_none()).then_some((from.max(first), to))
    }
}

struct Report<'a> {
    plan: &'a Plan,
    finished: &'a Finished,
}

/// Some clients that were out at about the same time.
struct Cluster {
    /// Of the first of them.
    seed: Span,
    span: Span,
    clients: BTreeSet<ClientId>,
}

impl Report<'_> {
    /// What a gap says of the system, if somebody waited in it.
    fn gap(&self, all: &Asking<'_>, span: Span, is_over: bool) -> Option<Gap> {
        let outage = self.outage(all, span, Who::All)?;
        let waiting = all.waiting(span);
        let chances = chances(&waiting, span);
        let possible = || waiting.iter().flat_map(|op| op.possible.iter().copied());
        let chance = chances.iter().map(|chance| length(&clipped(possible(), *chance))).max();
        let waits = waiting.iter().map(|op| (op.invoked, op.waited_until()));
        let barred = length(&clipped(waits.chain(chances.iter().copied()), span)) - length(&chances);
        Some(Gap { outage, chance: chance.unwrap_or(0), barred, is_over })
    }

    /// What there is to tell of a gap, if somebody waited in it.
    fn outage(&self, asking: &Asking<'_>, (from, to): Span, who: Who) -> Option<Outage> {
        let waiting = asking.waiting((from, to));
        if waiting.is_empty() {
            return None;
        }
        let causes = cause_spans(waiting.iter().flat_map(|op| &op.why), (from, to), asking.grace());
        let possible = waiting.iter().flat_map(|op| op.possible.iter().copied());
        let (cause, _) = Cause::shares(&causes)[0];
        let mut clients: Vec<ClientId> = waiting.iter().map(|op| op.client).collect();
        clients.sort_unstable();
        clients.dedup();
        let silence = Silence { from, to, grace: asking.grace(), longest: asking.longest, clients: &clients };
        let is_whole = who == Who::All;
        Some(Outage {
            from_ns: from,
            to_ns: to,
            who,
            cause,
            causes,
            faults: self.faults((from, to)),
            avoidable_ns: length(&clipped(possible, (from, to))),
            missed: waiting.iter().filter(|op| op.served.is_none()).count() as u64,
            takeover: is_whole.then(|| takeover(self.plan, self.finished, &silence)).flatten(),
        })
    }

    /// The faults in force in some stretch of time.
    fn faults(&self, (from, to): Span) -> Vec<String> {
        let struck = self.finished.strikes.iter().filter(|strike| strike.from < to && strike.to > from);
        let mut faults: Vec<String> = struck.map(|strike| self.plan.faults[strike.fault].name.clone()).collect();
        faults.sort_unstable();
        faults.dedup();
        faults
    }

    /// The outages of some clients while others were served.
    fn partial(&self, all: &Asking<'_>, whole: &[Span], end: Nanos) -> Vec<Outage> {
        let mut by_client: Vec<Asking<'_>> = self.plan.clients.iter().map(|_| Asking::nobody()).collect();
        all.ops.iter().for_each(|op| by_client[op.client.0 as usize].add(op));
        let by_client = (0..).map(ClientId).zip(by_client).filter(|(_, asking)| !asking.ops.is_empty());
        let by_client: BTreeMap<ClientId, Asking<'_>> = by_client.collect();
        let everybody: BTreeSet<ClientId> = by_client.keys().copied().collect();
        if everybody.len() < 2 {
            return Vec::new();
        }
        let mut out: Vec<(Span, ClientId)> = Vec::new();
        for (client, asking) in &by_client {
            let missed = asking.gaps(end, end).into_iter().filter_map(|gap| asking.missed(gap));
            // The time in which everybody was out is told already.
            let alone = |gap: &Span| gap.1 - gap.0 - length(&clipped(whole.iter().copied(), *gap));
            out.extend(missed.filter(|gap| alone(gap) > asking.shortest).map(|gap| (gap, *client)));
        }
        out.sort_unstable();
        clusters(out).into_iter().filter_map(|cluster| self.partial_outage(&by_client, &everybody, cluster)).collect()
    }

    fn partial_outage(
        &self,
        by_client: &BTreeMap<ClientId, Asking<'_>>,
        everybody: &BTreeSet<ClientId>,
        cluster: Cluster,
    ) -> Option<Outage> {
        let mut ops: Vec<&OpFact> = cluster.clients.iter().flat_map(|client| &by_client[client].ops).copied().collect();
        ops.sort_by_key(|op| op.invoked);
        let mut asking = Asking::nobody();
        ops.into_iter().for_each(|op| asking.add(op));
        self.outage(&asking, cluster.span, self.who(&cluster.clients, everybody))
    }

    /// Some clients, by the name of the place that holds all of them and nobody else.
    fn who(&self, clients: &BTreeSet<ClientId>, everybody: &BTreeSet<ClientId>) -> Who {
        let zone = |client: &ClientId| self.plan.topology.zone_at(self.plan.clients[client.0 as usize].zone);
        let first = clients.first().map(zone).expect("somebody was out");
        for (place, is_there) in [
            (&first.region, &(|client: &ClientId| zone(client).region == first.region) as &dyn Fn(&ClientId) -> bool),
            (&first.name, &|client: &ClientId| zone(client).name == first.name),
        ] {
            let there: BTreeSet<ClientId> = everybody.iter().filter(|client| is_there(client)).copied().collect();
            if there == *clients && there != *everybody {
                return Who::Place(place.clone());
            }
        }
        Who::Clients(clients.iter().map(ClientId::to_string).collect())
    }
}

/// Puts together the gaps, in order, that share most of their time.
fn clusters(out: Vec<(Span, ClientId)>) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = Vec::new();
    for (gap, client) in out {
        match clusters.iter_mut().rev().find(|cluster| overlap_mostly(cluster.seed, gap)) {
            Some(cluster) => {
                cluster.span = (cluster.span.0.min(gap.0), cluster.span.1.max(gap.1));
                cluster.clients.insert(client);
            }
            None => clusters.push(Cluster { seed: gap, span: gap, clients: BTreeSet::from([client]) }),
        }
    }
    clusters
}

/// Whether two stretches share more than half of the longer one.
fn overlap_mostly(a: Span, b: Span) -> bool {
    let shared = a.1.min(b.1).saturating_sub(a.0.max(b.0));
    shared * 2 > (a.1 - a.0).max(b.1 - b.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::Outcome;
    use sim_core::dice::{Dice, StreamName, Streams};

    /// Served some time after it was asked for, out of turn; every tenth not at all.
    fn drawn(dice: &mut Dice, count: u64) -> Vec<OpFact> {
        let mut invoked = 0;
        let fact = |_| {
            invoked += dice.below(20) * dice.below(3);
            let served = Some(invoked + dice.below(90)).filter(|_| dice.below(10) > 0);
            OpFact {
                function: 0,
                client: ClientId(0),
                invoked,
                deadline: invoked + 100 + dice.below(200),
                completed: served,
                outcome: served.map_or(Outcome::Unknown, |_| Outcome::Returned(())),
                served,
                possible: Vec::new(),
                why: Vec::new(),
                purpose: Purpose::Load,
            }
        };
        (0..count).map(fact).collect()
    }

    /// All gaps that count, by looking at every success.
    fn gaps_of_all(facts: &[OpFact], grace: Nanos, end: Nanos, back: Nanos) -> Vec<Span> {
        let mut marks: Vec<Nanos> = facts.iter().filter_map(|op| op.served).collect();
        marks.extend([facts[0].invoked, back.max(facts[0].invoked)]);
        marks.sort_unstable();
        let spans = marks.windows(2).map(|pair| (pair[0], pair[1]));
        spans.filter(|(from, to)| to - from >= grace.max(1) && *from < end).collect()
    }

    #[test]
    fn bursts_hide_no_gap() {
        let mut found = 0;
        for seed in 0..2_000 {
            let mut dice = Streams::new(seed).dice(StreamName::new(&["gaps"]));
            let count = 1 + dice.below(60);
            let facts = drawn(&mut dice, count);
            let mut asking = Asking::nobody();
            facts.iter().for_each(|op| asking.add(op));
            let end = dice.below(600);
            let back = end + dice.below(50);
            let gaps = asking.gaps(end, back);
            assert_eq!(gaps, gaps_of_all(&facts, asking.grace(), end, back), "seed {seed}");
            found += gaps.len();
        }
        assert!(found > 1_000, "there were gaps: {found}");
    }
}
