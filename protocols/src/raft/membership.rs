//! Who takes part (section 6; dissertation chapter 4).
//!
//! A membership says who votes. While it changes from one set of voters to another, both count: every decision, an election
//! or a commit, needs a majority of the old *and* a majority of the new (*joint consensus*). So there is no instant at
//! which the old could decide one thing and the new another. *Learners* get the log and have no say: that is how a new
//! machine catches up before anybody depends on it.
//!
//! Memberships are entries of the log. "A server always uses the latest configuration in its log, regardless of whether
//! the entry is committed" (section 6). So a node keeps those it might have to go back to: when the log is cut, the
//! membership before the cut is in force again.

use super::log::{Command, Entry, Index};
use serde::Serialize;
use sim_core::protocol::NodeId;

/// Who votes, and who only listens. Every list is sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// They decide.
    pub voters: Vec<NodeId>,
    /// While voters change: those from before, without whose majority nothing is decided either. Else empty.
    pub outgoing: Vec<NodeId>,
    /// They get the log and do not vote.
    pub learners: Vec<NodeId>,
}

/// In which of the two majorities a node counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seat {
    /// Among the voters.
    pub incoming: bool,
    /// Among the outgoing voters.
    pub outgoing: bool,
}

impl Membership {
    /// These vote, nobody else is there.
    pub fn of(voters: impl IntoIterator<Item = NodeId>) -> Self {
        Membership { voters: sorted(voters), ..Membership::default() }
    }

    /// On the way from these voters to others, both of whom count.
    pub fn joint(&self, voters: &[NodeId]) -> Self {
        Membership { outgoing: self.voters.clone(), ..self.with_voters(voters) }
    }

    /// With other voters, at once. Learners learn in order to vote: those that do not now were given up, and are forgotten.
    pub fn with_voters(&self, voters: &[NodeId]) -> Self {
        Membership::of(voters.iter().copied())
    }

    /// With more learners.
    pub fn with_learners(&self, more: &[NodeId]) -> Self {
        let learners = self.learners.iter().chain(more).copied();
        Membership { learners: sorted(learners), ..self.clone() }
    }

    /// The way is behind us: only the voters count.
    pub fn settled(&self) -> Self {
        Membership { outgoing: Vec::new(), ..self.clone() }
    }

    /// Whether two majorities are needed.
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Where a node counts.
    pub fn seat(&self, id: NodeId) -> Seat {
        Seat { incoming: self.voters.contains(&id), outgoing: self.outgoing.contains(&id) }
    }

    /// Whether a node has any say.
    pub fn votes(&self, id: NodeId) -> bool {
        self.seat(id) != Seat::default()
    }

    /// Everybody who votes or listens, once.
    pub fn everybody(&self) -> Vec<NodeId> {
        sorted(self.voters.iter().chain(&self.outgoing).chain(&self.learners).copied())
    }

    /// Everybody who votes, once.
    pub fn electorate(&self) -> Vec<NodeId> {
        sorted(self.voters.iter().chain(&self.outgoing).copied())
    }

    /// Whether the nodes for which `says_yes` holds are a majority of the voters, and of the outgoing voters if there are
    /// any.
    pub fn is_quorum(&self, says_yes: impl Fn(NodeId) -> bool) -> bool {
        let majority = |ids: &[NodeId]| ids.iter().filter(|&&id| says_yes(id)).count() * 2 > ids.len();
        majority(&self.voters) && (self.outgoing.is_empty() || majority(&self.outgoing))
    }
}

fn sorted(ids: impl IntoIterator<Item = NodeId>) -> Vec<NodeId> {
    let mut ids: Vec<NodeId> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The membership in force, and those before it that may come back.
#[derive(Clone, Debug)]
pub struct Members {
    /// With the indices of their entries, which rise. The first is committed, or was there before the log.
    known: Vec<(Index, Membership)>,
}

impl Members {
    /// This one was there before the entry behind `index`.
    pub fn new(index: Index, membership: Membership) -> Self {
        Members { known: vec![(index, membership)] }
    }

    /// The one in force.
    pub fn latest(&self) -> &Membership {
        &self.known.last().expect("the first is never dropped").1
    }

    /// The index of the entry that says so; 0 or less than the log's first if it was there before.
    pub fn latest_index(&self) -> Index {
        self.known.last().expect("the first is never dropped").0
    }

    /// The one in force at this entry.
    pub fn at(&self, index: Index) -> &Membership {
        let upto = self.known.partition_point(|(at, _)| *at <= index).max(1);
        &self.known[upto - 1].1
    }

    /// Whether a node has a say in the membership in force, or in one that may come back: "a server that is not part of its
    /// own latest configuration should still start new elections, as it might still be needed until the C_new entry is
    /// committed" (dissertation 4.2.2).
    pub fn may_lead(&self, id: NodeId, commit: Index) -> bool {
        let needed = self.known.partition_point(|(at, _)| *at <= commit).max(1) - 1;
        self.known[needed..].iter().any(|(_, membership)| membership.votes(id))
    }

    /// Entries were appended, the first of them at `from`.
    pub fn learn<Op>(&mut self, from: Index, entries: &[Entry<Op>]) {
        for (index, entry) in (from..).zip(entries) {
            if let Command::Members(membership) = &entry.command {
                self.known.push((index, (**membership).clone()));
            }
        }
    }

    /// The log was cut from this index on.
    pub fn cut(&mut self, from: Index) {
        let upto = self.known.partition_point(|(at, _)| *at < from).max(1);
        self.known.truncate(upto);
    }

    /// Nothing before this entry can come back: a snapshot stands for it.
    pub fn forget_before(&mut self, index: Index) {
        let upto = self.known.partition_point(|(at, _)| *at <= index).max(1);
        self.known.drain(..upto - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[u32]) -> Vec<NodeId> {
        numbers.iter().copied().map(NodeId).collect()
    }

    fn members(voters: &[u32], outgoing: &[u32]) -> Membership {
        Membership { voters: ids(voters), outgoing: ids(outgoing), learners: Vec::new() }
    }

    /// Section 6: "agreement requires separate majorities from both the old and new configurations".
    #[test]
    fn on_the_way_both_majorities_are_needed() {
        let joint = members(&[0, 1, 2], &[0]).settled().joint(&ids(&[2, 3, 4]));
        let says = |who: &[u32]| joint.is_quorum(|id| who.contains(&id.0));
        assert!(says(&[1, 2, 3]), "2 of (0 1 2) and 2 of (2 3 4)");
        assert!(!says(&[0, 1, 2]), "only one of the new");
        assert!(!says(&[2, 3, 4]), "only one of the old");
        assert!(joint.settled().is_quorum(|id| [3, 4].contains(&id.0)));
    }

    /// Any quorum before a step meets any quorum after it, by brute force over five nodes.
    #[test]
    fn quorums_of_neighbouring_memberships_meet() {
        let subsets = || (1u32..32).map(|bits| ids(&(0..5).filter(|i| bits >> i & 1 == 1).collect::<Vec<_>>()));
        let meet = |a: &Membership, b: &Membership| {
            let quorums = |m: &Membership| (0u32..32).filter(|bits| m.is_quorum(|id| bits >> id.0 & 1 == 1)).collect();
            let (a, b): (Vec<u32>, Vec<u32>) = (quorums(a), quorums(b));
            a.iter().all(|x| b.iter().all(|y| x & y != 0))
        };
        for old in subsets().map(Membership::of) {
            for new in subsets() {
                let joint = old.joint(&new);
                assert!(meet(&old, &joint) && meet(&joint, &joint.settled()), "{joint:?}");
                let differ = old.voters.iter().filter(|id| !new.contains(id)).count()
                    + new.iter().filter(|id| !old.voters.contains(id)).count();
                if differ == 1 {
                    assert!(meet(&old, &old.with_voters(&new)), "one server at a time needs no way between");
                }
            }
        }
        assert!(!meet(&Membership::of(ids(&[0, 1])), &Membership::of(ids(&[2, 3]))), "what all this is for");
    }

    #[test]
    fn a_membership_counts_while_its_entry_is_there() {
        let entry = |membership| Entry::<u8> { term: 1, time: 0, command: Command::Members(Box::new(membership)) };
        let mut members = Members::new(0, members(&[0], &[]));
        members.learn(4, &[entry(Membership::of(ids(&[0, 1]))), entry(Membership::of(ids(&[1])))]);
        assert_eq!((members.latest_index(), members.at(4).voters.len(), members.at(3).voters.len()), (5, 2, 1));
        assert!(members.may_lead(NodeId(0), 4), "the last may be taken back");
        assert!(!members.may_lead(NodeId(0), 5));
        members.cut(5);
        assert_eq!(members.latest().voters, ids(&[0, 1]));
        members.forget_before(7);
        members.cut(5);
        assert_eq!(members.latest_index(), 4, "what a snapshot stands for is not cut");
    }
}
