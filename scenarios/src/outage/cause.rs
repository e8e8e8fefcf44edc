//! Why an operation waits: what was so, instant by instant, by what nodes, links and clients really did.
//!
//! Follow the operation on its way. Its client must be awake. Somebody must be able to serve it at all, by the links and
//! nodes that are left. One node must be the one that serves (for systems that have such a role), be in touch with its
//! quorum and with the client. The client must be asking that one. There, the operation waits for a CPU or a disk, there
//! or at those whose consent is needed; whatever is left of its time it is under way between machines, if a fault does not
//! drop what it sends. The first of
//! these that fails is the cause. If none does, the operation is on its usual way, and that has no cause of its own: what
//! made the outage is what came before.

use history::Cause;
use sim_core::Reachability;
use sim_core::oplog::Asked;
use sim_core::protocol::{ClientId, NodeId};
use sim_core::reach::Reach;
use sim_core::strain::{Span, Strain};
use sim_core::time::Nanos;
use sim_core::world::RoleChange;

/// A time in which a node held the role whose holder serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reign {
    /// Who.
    pub node: NodeId,
    /// In which term.
    pub term: u64,
    /// From when.
    pub from: Nanos,
    /// Until it took another role or died; `None` if it holds it still.
    pub to: Option<Nanos>,
}

/// The reigns of a run, in the order of their beginnings.
pub(crate) fn reigns(roles: &[RoleChange], serving: &str) -> Vec<Reign> {
    let reign = |(i, change): (usize, &RoleChange)| {
        let (_, term) = change.role.filter(|(role, _)| *role == serving)?;
        let next = roles[i + 1..].iter().find(|next| next.node == change.node);
        Some(Reign { node: change.node, term, from: change.at, to: next.map(|next| next.at) })
    };
    roles.iter().enumerate().filter_map(reign).collect()
}

impl Reign {
    pub(crate) fn holds(&self, at: Nanos) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// Who reigns at an instant: in the newest term of all that have begun, if that reign still lasts.
    pub(crate) fn current(reigns: &[Reign], at: Nanos) -> Option<&Reign> {
        let begun = reigns.iter().take_while(|reign| reign.from <= at);
        begun.max_by_key(|reign| reign.term).filter(|reign| reign.holds(at))
    }
}

/// A stretch of an operation's wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// From when.
    pub from: Nanos,
    /// Until when.
    pub to: Nanos,
    /// What it waited for; `None` while it was on its usual way.
    pub cause: Option<Cause>,
}

/// What really happened in a run, as far as it tells why somebody waited.
pub(crate) struct Ground<'a> {
    pub(crate) reach: &'a Reachability,
    pub(crate) strain: &'a Strain,
    /// `None` for a system in which every node serves.
    pub(crate) reigns: Option<&'a [Reign]>,
    /// When nodes died, in order: what they had been asked died with them.
    pub(crate) deaths: Vec<(Nanos, NodeId)>,
}

/// An operation that took long.
pub(crate) struct Wait<'a> {
    pub(crate) client: ClientId,
    /// From when to when it waited.
    pub(crate) span: Span,
    /// When it could have been served.
    pub(crate) possible: &'a [Span],
    /// Whom its client asked, in order; empty if its client does not say.
    pub(crate) asked: &'a [Asked],
    /// A machine that is busy for as long as this without an end is overloaded.
    pub(crate) long: Nanos,
}

/// Whether the stretch of time that begins now lies in one of these.
fn covers(spans: &[Span], at: Nanos) -> bool {
    covering(spans, at).is_some()
}

fn covering(spans: &[Span], at: Nanos) -> Option<Span> {
    let after = spans.partition_point(|(from, _)| *from <= at);
    spans[..after].last().copied().filter(|(_, to)| at < *to)
}

impl Ground<'_> {
    /// Why the operation waited, from the beginning of its wait to the end, given what it takes to serve it.
    pub(crate) fn why(&self, wait: &Wait<'_>, serves: &dyn Fn(&Reach<'_>) -> bool) -> Vec<Stretch> {
        let mut why: Vec<Stretch> = Vec::new();
        for pair in self.instants(wait).windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let cause = self.cause(wait, from, serves);
            match why.last_mut() {
                Some(last) if last.cause == cause => last.to = to,
                Some(_) | None => why.push(Stretch { from, to, cause }),
            }
        }
        why
    }

    /// The ends of its wait, and every instant in it at which the cause can change; in order.
    fn instants(&self, wait: &Wait<'_>) -> Vec<Nanos> {
        let (from, to) = wait.span;
        let mut instants: Vec<Nanos> = self.reach.changes(from, to).collect();
        instants.extend(wait.asked.iter().map(|asked| asked.at));
        let reigns = self.reigns.unwrap_or_default();
        instants.extend(reigns.iter().flat_map(|reign| [Some(reign.from), reign.to]).flatten());
        let nodes = || (0..self.reach.nodes() as u32).map(NodeId);
        let mut add = |spans: &[Span]| {
            let first = spans.partition_point(|(_, until)| *until <= from);
            let within = spans[first..].iter().take_while(|(since, _)| *since < to);
            instants.extend(within.flat_map(|(since, until)| [*since, *until]));
        };
        nodes().for_each(|node| add(self.strain.busy(node)));
        for node in self.may_serve(wait) {
            add(self.strain.late_for(wait.client, node));
            add(self.strain.dropped_for(wait.client, node));
            for peer in nodes().filter(|peer| *peer != node) {
                add(self.strain.late(node, peer));
                add(self.strain.dropped(node, peer));
            }
        }
        instants.retain(|at| from < *at && *at < to);
        instants.extend([from, to]);
        instants.sort_unstable();
        instants.dedup();
        instants
    }

    /// The nodes whose connections matter: those that it asked, or that served if its client does not say.
    fn may_serve(&self, wait: &Wait<'_>) -> Vec<NodeId> {
        let asked = wait.asked.iter().filter_map(|asked| asked.node);
        let reigned = self.reigns.unwrap_or_default().iter().map(|reign| reign.node);
        let mut nodes: Vec<NodeId> = if wait.asked.is_empty() { reigned.collect() } else { asked.collect() };
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    fn cause(&self, wait: &Wait<'_>, at: Nanos, serves: &dyn Fn(&Reach<'_>) -> bool) -> Option<Cause> {
        if !self.reach.is_well(wait.client, at) {
            return Some(Cause::ClientPaused);
        }
        if !covers(wait.possible, at) {
            return Some(Cause::NoQuorum);
        }
        let servers = self.servers(wait, at, serves);
        if servers.is_empty() && self.reigns.is_some() {
            return Some(Cause::NoLeader);
        }
        let open = self.open(wait, at);
        let is_silent = wait.asked.is_empty();
        if let Some(server) = servers.iter().find(|server| is_silent || open.contains(server)) {
            return self.held_up(wait, *server, at, serves);
        }
        // What another would say, that it does not serve and who does, can be held up like any answer.
        let asked = open.last().filter(|node| self.reach.contacts(wait.client, at).contains(node));
        let held_up = asked.and_then(|node| self.held_up(wait, *node, at, &|_| true));
        Some(held_up.unwrap_or(Cause::WrongNode))
    }

    /// The nodes that would serve the client if it asked them: they may, and are in touch with a quorum and with it.
    fn servers(&self, wait: &Wait<'_>, at: Nanos, serves: &dyn Fn(&Reach<'_>) -> bool) -> Vec<NodeId> {
        let reigning = self.reigns.map(|reigns| Reign::current(reigns, at).map(|reign| reign.node));
        let may_serve = |node: &NodeId| reigning.is_none_or(|reigning| reigning == Some(*node));
        let has_quorum = |node: &NodeId| {
            let peers = self.reach.peers(*node, at).to_vec();
            serves(&Reach::new(&[peers], self.reach.nodes()))
        };
        let contacts = self.reach.contacts(wait.client, at).iter().copied();
        contacts.filter(may_serve).filter(has_quorum).collect()
    }

    /// What keeps a node from answering, if something does: at the node, or at so many others that those left do not suffice.
    fn held_up(
        &self,
        wait: &Wait<'_>,
        node: NodeId,
        at: Nanos,
        suffices: &dyn Fn(&Reach<'_>) -> bool,
    ) -> Option<Cause> {
        let is_busy =
            |node: NodeId| covering(self.strain.busy(node), at).is_some_and(|(from, to)| to - from >= wait.long);
        let is_late = |peer: NodeId| peer != node && covers(self.strain.late(node, peer), at);
        let is_unheard = |peer: NodeId| peer != node && covers(self.strain.dropped(node, peer), at);
        let suffice_without = |is_out: &dyn Fn(NodeId) -> bool| {
            let left = self.reach.peers(node, at).iter().copied().filter(|peer| !is_out(*peer)).collect();
            suffices(&Reach::new(&[left], self.reach.nodes()))
        };
        if is_busy(node) || !suffice_without(&is_busy) {
            Some(Cause::Overload)
        } else if covers(self.strain.late_for(wait.client, node), at) || !suffice_without(&is_late) {
            Some(Cause::SlowLink)
        } else if covers(self.strain.dropped_for(wait.client, node), at) || !suffice_without(&is_unheard) {
            Some(Cause::Dropped)
        } else {
            None
        }
    }

    /// The nodes that still may answer: those asked and neither given up by their own word nor dead since.
    fn open(&self, wait: &Wait<'_>, at: Nanos) -> Vec<NodeId> {
        let mut open: Vec<(Nanos, NodeId)> = Vec::new();
        for asked in wait.asked.iter().take_while(|asked| asked.at <= at) {
            match asked.node {
                Some(node) => open.push((asked.at, node)),
                None => drop(open.pop()),
            }
        }
        let died = |(since, node): &(Nanos, NodeId)| {
            let first = self.deaths.partition_point(|(died, _)| died <= since);
            let deaths = self.deaths[first..].iter().take_while(|(died, _)| *died <= at);
            deaths.map(|(_, dead)| dead).any(|dead| dead == node)
        };
        open.retain(|asked| !died(asked));
        open.into_iter().map(|(_, node)| node).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reigned_in_an_older_term_does_not_count() {
        let change = |at, node, role| RoleChange { at, node: NodeId(node), role };
        let roles = [
            change(0, 0, Some(("follower", 0))),
            change(1, 0, Some(("leader", 1))),
            change(5, 1, Some(("leader", 2))),
            change(7, 1, None),
            change(9, 0, Some(("leader", 3))),
        ];
        let reigns = reigns(&roles, "leader");
        let current = |at| Reign::current(&reigns, at).map(|reign| reign.node.0);
        assert_eq!([0, 1, 4, 5, 6].map(current), [None, Some(0), Some(0), Some(1), Some(1)]);
        assert_eq!([7, 8].map(current), [None; 2], "n1 still believes in its own reign");
        assert_eq!(current(9), Some(0));
    }

    #[test]
    fn the_stretch_that_begins_now_counts() {
        let spans = [(2, 4), (6, 9)];
        assert_eq!([1, 2, 3, 4, 5, 6, 9].map(|at| covers(&spans, at)), [false, true, true, false, false, true, false]);
    }
}
