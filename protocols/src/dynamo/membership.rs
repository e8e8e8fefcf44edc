//! Who is on the ring: a view, gossip about it, and the operator's orders (4.8).
//!
//! The picture: a village notice board of which everybody has a copy. By each name stands what its bearer is up to, and the
//! number of the notice. Only the bearer pins a new one by his name, with the next number; or, when he has died, a neighbour who is
//! told to. Who meets compares copies, and of two notices the one with the higher number stays. So it does not matter who meets
//! whom in which order, and whoever has heard of the same notices has the same board.
//!
//! "An administrator issues the membership change to a node, which writes it and its time of issue to persistent store"
//! (4.8.1): times are not what decides here, as no two clocks agree.
//!
//! **One change at a time is carried out, though any number may be asked for.** Of those who are joining or leaving the one
//! with the lowest id is helped first ([`View::changing`]), and everybody who has the same view helps the same one. Two who do not
//! have it yet may both finish: then home nodes miss what `transfer` fetches for them.

use super::data::Versioned;
use super::ring::Ring;
use super::{Dynamo, Message, Record, Timer, flaws};
use crate::hashing::Hash64;
use serde::Serialize;
use sim_core::protocol::{Ctx, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// What a member is up to. Of two notices with one number the later of these stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Status {
    /// It fetches what it will keep.
    Joining,
    /// It keeps what the ring says.
    Normal,
    /// It keeps what the ring says until others have fetched it.
    Leaving,
    /// It is on the ring no more.
    Gone,
}

/// What is known of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Raised by the member itself, or by whoever removes it.
    pub version: u64,
    /// What it is up to.
    pub status: Status,
    /// The wall clock of whoever said so last, in nanoseconds; nothing may depend on it.
    pub said: u64,
}

impl Standing {
    fn rank(self) -> (u64, Status) {
        (self.version, self.status)
    }
}

/// What a node knows of who is on the ring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct View(BTreeMap<NodeId, Standing>);

/// Whose word counts when two views disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Believes {
    /// The member's own, the latest.
    Member,
    /// That of whoever spoke last, by his clock.
    Clock,
}

impl View {
    /// How a cluster begins.
    pub fn founding(members: &BTreeSet<NodeId>) -> Self {
        View(members.iter().map(|member| (*member, Standing { version: 1, status: Status::Normal, said: 0 })).collect())
    }

    /// What a node is up to, if it was ever heard of.
    pub fn status(&self, node: NodeId) -> Option<Status> {
        self.0.get(&node).map(|standing| standing.status)
    }

    /// A new notice by this name.
    pub fn raise(&mut self, node: NodeId, status: Status, said: u64) {
        let version = self.0.get(&node).map_or(1, |standing| standing.version + 1);
        self.0.insert(node, Standing { version, status, said });
    }

    /// Takes over what another knows better. Whether that was anything.
    pub fn merge(&mut self, other: &View, believes: Believes) -> bool {
        let mut has_changed = false;
        for (node, theirs) in &other.0 {
            let is_news = self.0.get(node).is_none_or(|ours| match believes {
                Believes::Member => theirs.rank() > ours.rank(),
                Believes::Clock => theirs.said > ours.said && theirs.rank() != ours.rank(),
            });
            if is_news {
                self.0.insert(*node, *theirs);
                has_changed = true;
            }
        }
        has_changed
    }

    /// Of whom something older is known than was before.
    pub(super) fn went_back_on(&self, before: &View) -> Option<NodeId> {
        let is_older = |(node, was): &(&NodeId, &Standing)| self.0.get(node).is_none_or(|now| now.rank() < was.rank());
        before.0.iter().find(is_older).map(|(node, _)| *node)
    }

    /// The same, all of it said now.
    pub(super) fn said_at(&self, said: u64) -> View {
        View(self.0.iter().map(|(node, standing)| (*node, Standing { said, ..*standing })).collect())
    }

    /// Whether both know the same.
    fn agrees(&self, other: &View) -> bool {
        self.digest() == other.digest()
    }

    /// A hash of what is known, but for who said it when.
    pub fn digest(&self) -> u64 {
        let entry = |(node, standing): (&NodeId, &Standing)| {
            let mut bytes = Vec::with_capacity(size_of::<u32>() + size_of::<u64>() + 1);
            bytes.extend(node.0.to_le_bytes());
            bytes.extend(standing.version.to_le_bytes());
            bytes.push(standing.status as u8);
            bytes
        };
        let bytes: Vec<u8> = self.0.iter().flat_map(entry).collect();
        Hash64::new(0).key(&bytes)
    }

    fn with(&self, wanted: impl Fn(Status) -> bool) -> BTreeSet<NodeId> {
        self.0.iter().filter(|(_, standing)| wanted(standing.status)).map(|(node, _)| *node).collect()
    }

    /// Who is on the ring as it is.
    pub fn now(&self) -> BTreeSet<NodeId> {
        self.with(|status| matches!(status, Status::Normal | Status::Leaving))
    }

    /// Who joins or leaves next: of those who could the one with the lowest id. A key has `n` home nodes, so nobody leaves a
    /// ring that has no more.
    pub fn changing(&self, n: usize) -> Option<NodeId> {
        let has_spare = self.now().len() > n;
        let could = |status| status == Status::Joining || (status == Status::Leaving && has_spare);
        self.0.iter().find(|(_, standing)| could(standing.status)).map(|(node, _)| *node)
    }

    /// Who is on the ring as it will be.
    pub fn next(&self, n: usize) -> BTreeSet<NodeId> {
        let mut members = self.now();
        if let Some(node) = self.changing(n)
            && !members.remove(&node)
        {
            members.insert(node);
        }
        members
    }
}

/// What the operator wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Order {
    /// These nodes shall join the ring.
    Join(Vec<NodeId>),
    /// These nodes shall hand over what they keep, and leave.
    Leave(Vec<NodeId>),
    /// These nodes are dead and will not come back; others shall take their place.
    Remove(Vec<NodeId>),
}

/// What a node knows of the ring, and of what others know.
#[derive(Clone, Debug)]
pub struct Membership {
    view: View,
    digest: u64,
    /// A hash of what each was last heard to know; of others, `founding`.
    known: BTreeMap<NodeId, u64>,
    founding: u64,
    /// Whether it may have said more about itself than it knows: its disk was lost or spoilt, and it has heard nobody.
    is_stranger: bool,
    everybody: Vec<NodeId>,
}

impl Membership {
    /// That of a node that begins.
    pub fn new(founding: &View, view: Option<View>, is_stranger: bool, everybody: Vec<NodeId>) -> Self {
        let view = view.unwrap_or_else(|| founding.clone());
        let digest = view.digest();
        Membership { view, digest, known: BTreeMap::new(), founding: founding.digest(), is_stranger, everybody }
    }

    /// A hash of what it knows.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// All nodes but this one, members or not.
    pub fn others(&self, me: NodeId) -> impl Iterator<Item = NodeId> {
        self.everybody.iter().copied().filter(move |node| *node != me)
    }

    /// What it knows.
    pub fn view(&self) -> &View {
        &self.view
    }
}

impl<D: Versioned> Dynamo<D> {
    fn believes(&self) -> Believes {
        // The mistake D12: the later clock is right.
        if self.config.flaws.has(&flaws::RING_BY_CLOCK) { Believes::Clock } else { Believes::Member }
    }

    /// Asks somebody, drawn by lot, whether he knows the same (4.8.1: "each node contacts a peer chosen at random").
    pub(super) fn gossip(&mut self, ctx: &mut Ctx<'_, Self>) {
        let mut others: Vec<NodeId> = self.membership.others(self.me).collect();
        ctx.dice().draw_to_front(&mut others, 1);
        if self.believes() == Believes::Clock {
            self.membership.view = self.membership.view.said_at(ctx.wall().0);
        }
        if let Some(node) = others.first() {
            self.send(*node, Message::Gossip { digest: self.membership.digest }, ctx);
        }
        self.plan_gossip(false, ctx);
    }

    /// Sets the alarm for the next time; for the first one at any time within a period: not everybody at the same instant.
    pub(super) fn plan_gossip(&self, is_first: bool, ctx: &mut Ctx<'_, Self>) {
        let period = self.config.gossip;
        let after = if is_first { ctx.dice().below(period) } else { period };
        ctx.arm(Timer::Gossip, after);
    }

    pub(super) fn on_gossip(&mut self, from: NodeId, digest: u64, ctx: &mut Ctx<'_, Self>) {
        self.membership.known.insert(from, digest);
        if digest != self.membership.digest {
            self.tell_view(from, ctx);
        } else {
            self.acquainted(ctx);
        }
    }

    fn tell_view(&mut self, to: NodeId, ctx: &mut Ctx<'_, Self>) {
        let view = self.membership.view.said_at(ctx.wall().0);
        self.send(to, Message::View { view }, ctx);
    }

    /// Tells a node that may know of an older ring about this one, ahead of whatever else it is told. Where messages arrive in
    /// order it never counts an answer by a ring that is older than that of who answered.
    pub(super) fn tell_view_first(&mut self, to: NodeId, ctx: &mut Ctx<'_, Self>) {
        let known = self.membership.known.get(&to).copied().unwrap_or(self.membership.founding);
        if known != self.membership.digest {
            self.tell_view(to, ctx);
        }
    }

    pub(super) fn on_view(&mut self, from: NodeId, view: &View, ctx: &mut Ctx<'_, Self>) {
        self.membership.known.insert(from, view.digest());
        self.acquainted(ctx);
        let believes = self.believes();
        if self.membership.view.merge(view, believes) {
            self.view_changed(ctx);
        }
        if self.membership.view.agrees(view) {
            self.send(from, Message::Gossip { digest: self.membership.digest }, ctx);
        } else {
            self.tell_view(from, ctx);
        }
    }

    /// It has heard somebody.
    fn acquainted(&mut self, ctx: &mut Ctx<'_, Self>) {
        if std::mem::take(&mut self.membership.is_stranger) {
            self.write(Record::Ring { view: self.membership.view.clone() }, ctx);
        }
    }

    fn view_changed(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.membership.digest = self.membership.view.digest();
        self.write(Record::Ring { view: self.membership.view.clone() }, ctx);
        let (now, next) = (self.membership.view.now(), self.membership.view.next(self.config.n));
        if !self.ring.is_of(&now, &next) {
            self.ring = Ring::of(&self.config, &now, &next);
            self.ring_changed(ctx);
        }
    }

    /// A new notice by a node's name.
    pub(super) fn announce(&mut self, node: NodeId, status: Status, ctx: &mut Ctx<'_, Self>) {
        self.membership.view.raise(node, status, ctx.wall().0);
        self.view_changed(ctx);
    }

    /// Takes an order up as far as it is about this node, and passes it on to the others whom it is about. Whether anybody will
    /// have taken it up.
    pub(super) fn take_order(&mut self, order: Order, ctx: &mut Ctx<'_, Self>) -> bool {
        let (status, nodes) = match order {
            Order::Remove(nodes) => return self.remove(&nodes, ctx),
            Order::Join(nodes) => (Status::Joining, nodes),
            Order::Leave(nodes) => (Status::Leaving, nodes),
        };
        let mut is_taken = true;
        for node in nodes {
            if node == self.me {
                is_taken &= self.go_towards(status, ctx);
            } else if status == Status::Joining {
                self.send(node, Message::Ordered { order: Order::Join(vec![node]) }, ctx);
            } else {
                self.send(node, Message::Ordered { order: Order::Leave(vec![node]) }, ctx);
            }
        }
        is_taken
    }

    /// Begins to join or to leave, if that is not under way or behind it.
    fn go_towards(&mut self, wanted: Status, ctx: &mut Ctx<'_, Self>) -> bool {
        if self.membership.is_stranger {
            return false;
        }
        let joins = wanted == Status::Joining;
        let status = match self.membership.view.status(self.me) {
            None | Some(Status::Gone) if joins => Status::Joining,
            // Nobody has dropped anything yet because of it.
            Some(Status::Leaving) if joins => Status::Normal,
            Some(Status::Joining) if !joins => Status::Gone,
            Some(Status::Normal) if !joins && self.ring.members().len() > self.config.n => Status::Leaving,
            Some(Status::Normal) if !joins => return false,
            None | Some(Status::Joining | Status::Normal | Status::Leaving | Status::Gone) => return true,
        };
        self.announce(self.me, status, ctx);
        true
    }

    /// Any member can say of others that they are dead, as long as enough are left for a quorum.
    fn remove(&mut self, nodes: &[NodeId], ctx: &mut Ctx<'_, Self>) -> bool {
        let view = &self.membership.view;
        let left = view.now().iter().filter(|node| !nodes.contains(node)).count();
        let may =
            view.status(self.me) == Some(Status::Normal) && !nodes.contains(&self.me) && !self.membership.is_stranger;
        if !may || left < self.config.r.max(self.config.w) {
            return false;
        }
        for node in nodes {
            if self.membership.view.status(*node).is_some_and(|status| status != Status::Gone) {
                self.announce(*node, Status::Gone, ctx);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn views() -> impl Strategy<Value = View> {
        let status =
            prop_oneof![Just(Status::Joining), Just(Status::Normal), Just(Status::Leaving), Just(Status::Gone)];
        let entry = (0u32..4, 1u64..4, status, 0u64..9);
        prop::collection::vec(entry, 0..6).prop_map(|entries| {
            let entry = |(node, version, status, said)| (NodeId(node), Standing { version, status, said });
            View(entries.into_iter().map(entry).collect())
        })
    }

    proptest! {
        /// "The same in whatever order it is heard", and however often.
        #[test]
        fn what_is_heard_in_another_order_makes_the_same_view(heard in prop::collection::vec(views(), 1..6), seed in any::<u64>()) {
            let merged = |views: &[View]| {
                let mut all = View::default();
                for view in views {
                    all.merge(view, Believes::Member);
                }
                all.digest()
            };
            let mut other = [heard.clone(), heard.clone()].concat();
            let len = other.len();
            for i in 0..len {
                other.swap(i, (seed.rotate_left(i as u32 * 7) % len as u64) as usize);
            }
            other.extend(heard.iter().cloned());
            prop_assert_eq!(merged(&heard), merged(&other));
        }
    }

    fn of(entries: &[(u32, u64, Status)]) -> View {
        View(entries.iter().map(|&(n, version, status)| (NodeId(n), Standing { version, status, said: 0 })).collect())
    }

    #[test]
    fn who_is_removed_stays_removed_whatever_the_clocks_say() {
        let gone = of(&[(0, 2, Status::Gone)]);
        let late = of(&[(0, 1, Status::Normal)]).said_at(1_000_000);
        let mut view = gone.clone();
        assert!(!view.merge(&late, Believes::Member));
        assert!(view.merge(&late, Believes::Clock), "D12");
        assert_eq!(view.status(NodeId(0)), Some(Status::Normal));
    }

    #[test]
    fn one_change_at_a_time_and_nobody_leaves_a_ring_of_n() {
        let view =
            of(&[(0, 1, Status::Normal), (1, 2, Status::Leaving), (2, 1, Status::Normal), (3, 1, Status::Joining)]);
        assert_eq!(view.now().len(), 3);
        assert_eq!(view.changing(3), Some(NodeId(3)), "first somebody has to come");
        assert_eq!(view.changing(2), Some(NodeId(1)));
        assert_eq!(view.next(3).len(), 4);
        assert_eq!(view.next(2), [NodeId(0), NodeId(2)].into());
    }
}
