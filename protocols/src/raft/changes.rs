//! Changing who takes part (section 6; dissertation 3.10 and chapter 4): members come and go, leadership is handed over.
//!
//! An operator names the voters that there shall be. New ones first listen as learners until they have nearly everything
//! (4.2.1), or else a quorum might have to wait for somebody who has nothing. Then the leader writes the joint membership
//! into the log, and when that is committed the settled one; in `single-server` mode, where only one may come or go at a
//! time, the settled one at once (4.1).
//!
//! Two rules keep it safe. *One change at a time*: the membership in force must be committed before the next is written,
//! else two steps at once might leave majorities that do not meet. And *own term first*: a leader changes nothing before
//! an entry of its own term is committed. Without that, single-server changes by rival leaders could part (the error in
//! 4.1 that Ongaro published in 2015): each believes its change follows the same old membership, and neither knows of the
//! other.

use super::election::Standing;
use super::flaws::{SINGLE_CHANGE_BEFORE_OWN_COMMIT, TWO_PENDING_CHANGES};
use super::log::{Command, Index};
use super::membership::Membership;
use super::progress::Progress;
use super::{Changes, Message, Order, Raft, Role};
use history::Object;
use sim_core::protocol::{Ctx, NodeId};
use sim_core::time::{LocalTime, Nanos};

/// After so many rounds of catching up the leader gives a new member up: it is too slow; and after as many election
/// timeouts of silence: it is not there (dissertation 4.2.1).
const ROUNDS_MAX: u32 = 10;

/// New members on their way to a vote.
#[derive(Clone, Debug)]
pub(super) struct CatchUp {
    /// The voters that there shall be.
    target: Vec<NodeId>,
    /// The round ends when they have this entry, the last one when it began …
    goal: Index,
    /// … which was then.
    round_began: LocalTime,
    /// How many rounds there have been.
    rounds: u32,
}

impl CatchUp {
    /// Those who shall vote and do not yet.
    fn awaited<'a>(&'a self, peers: &'a [Progress]) -> impl Iterator<Item = &'a Progress> {
        peers.iter().filter(|peer| self.target.contains(&peer.id) && !peer.seat.incoming)
    }
}

/// Leadership on its way to another node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    to: NodeId,
    /// If it has not happened in so much more time, it will not.
    patience: Nanos,
    /// Whether the other was told to stand.
    was_told: bool,
}

impl<O: Object> Raft<O> {
    /// An operator's order. Whether we take it up.
    pub(super) fn obey(&mut self, order: Order, ctx: &mut Ctx<'_, Self>) -> bool {
        let voters = || self.members.latest().voters.clone();
        match order {
            Order::Add(nodes) => self.change_voters([voters(), nodes].concat(), ctx),
            Order::Remove(nodes) => {
                self.change_voters(voters().into_iter().filter(|id| !nodes.contains(id)).collect(), ctx)
            }
            Order::Members(nodes) => self.change_voters(nodes, ctx),
            Order::Transfer(to) => self.hand_over(to, ctx),
            Order::Snapshot => self.take_snapshot(ctx),
        }
    }

    /// These voters there shall be.
    fn change_voters(&mut self, voters: Vec<NodeId>, ctx: &mut Ctx<'_, Self>) -> bool {
        let target = Membership::of(voters).voters;
        if !self.may_change(&target) {
            return false;
        }
        let now = self.members.latest();
        let new: Vec<NodeId> = target.iter().copied().filter(|id| !now.voters.contains(id)).collect();
        let unknown: Vec<NodeId> = new.iter().copied().filter(|id| !now.learners.contains(id)).collect();
        if new.is_empty() {
            self.propose_voters(&target, ctx);
            return true;
        }
        if !unknown.is_empty() {
            let membership = now.with_learners(&unknown);
            self.append_members(membership, ctx);
        }
        let (goal, round_began) = (self.log.last_index(), ctx.now());
        if let Role::Leader(leadership) = &mut self.role {
            leadership.catch_up = Some(CatchUp { target, goal, round_began, rounds: 1 });
        }
        // They may have everything, if they have been learners before.
        self.go_on_catching_up(ctx);
        true
    }

    fn may_change(&self, target: &[NodeId]) -> bool {
        let Role::Leader(leadership) = &self.role else { return false };
        let flaws = &self.config.flaws;
        let now = self.members.latest();
        // The mistake R17: single changes are begun before an entry of our own term is committed.
        let knows_commit = self.has_committed_own()
            || (self.config.changes == Changes::SingleServer && flaws.has(&SINGLE_CHANGE_BEFORE_OWN_COMMIT));
        let is_pending = self.members.latest_index() > self.commit || now.is_joint() || leadership.catch_up.is_some();
        // The mistake R18: a change under way is not noticed.
        let is_free = !is_pending || flaws.has(&TWO_PENDING_CHANGES);
        let differ = |a: &[NodeId], b: &[NodeId]| a.iter().filter(|id| !b.contains(id)).count();
        let moves = differ(target, &now.voters) + differ(&now.voters, target);
        let is_allowed = match self.config.changes {
            Changes::Joint => moves > 0,
            Changes::SingleServer => moves == 1,
        };
        knows_commit && is_free && is_allowed && !target.is_empty() && leadership.transfer.is_none()
    }

    /// Everybody who shall vote is ready for it.
    fn propose_voters(&mut self, voters: &[NodeId], ctx: &mut Ctx<'_, Self>) {
        let now = self.members.latest();
        let next = match self.config.changes {
            Changes::Joint => now.joint(voters),
            Changes::SingleServer => now.with_voters(voters),
        };
        self.append_members(next, ctx);
        self.advance_commit(ctx);
    }

    /// "The new configuration takes effect on each server as soon as it is added to that server's log" (dissertation 4.1).
    fn append_members(&mut self, membership: Membership, ctx: &mut Ctx<'_, Self>) {
        self.append_own(Command::Members(Box::new(membership)), ctx);
        let last = self.log.last_index();
        let Role::Leader(leadership) = &mut self.role else { return };
        let known: Vec<NodeId> = leadership.peers.iter().map(|peer| peer.id).collect();
        leadership.seat(self.me, self.members.latest(), last);
        let is_new = |peer: &Progress| !known.contains(&peer.id);
        let new: Vec<usize> = (0..leadership.peers.len()).filter(|&peer| is_new(&leadership.peers[peer])).collect();
        for peer in new {
            self.probe(peer, ctx);
        }
        self.replicate_all(ctx);
    }

    /// A follower has got further: perhaps a round of catching up is over. "If the last round lasts less than an election
    /// timeout, then the leader adds the new server to the cluster" (dissertation 4.2.1).
    pub(super) fn go_on_catching_up(&mut self, ctx: &mut Ctx<'_, Self>) {
        let last = self.log.last_index();
        let timeout = self.config.shortest_election_timeout();
        let Role::Leader(leadership) = &mut self.role else { return };
        let Some(catch_up) = &mut leadership.catch_up else { return };
        if catch_up.awaited(&leadership.peers).any(|peer| peer.match_index < catch_up.goal) {
            return;
        }
        if ctx.now().since(catch_up.round_began) < timeout {
            let target = std::mem::take(&mut catch_up.target);
            leadership.catch_up = None;
            self.propose_voters(&target, ctx);
        } else if catch_up.rounds < ROUNDS_MAX {
            (catch_up.goal, catch_up.round_began, catch_up.rounds) = (last, ctx.now(), catch_up.rounds + 1);
            // Where nothing was written meanwhile, the new round is over as it begins, and no news would end it later.
            self.go_on_catching_up(ctx);
        } else {
            leadership.catch_up = None;
        }
    }

    /// "The leader should also abort the change if the new server is unavailable" (dissertation 4.2.1): nothing else can
    /// change while it waits for one that is not there.
    pub(super) fn lose_patience_with_new_members(&mut self) {
        let patience = self.config.shortest_election_timeout() * Nanos::from(ROUNDS_MAX);
        let Role::Leader(leadership) = &mut self.role else { return };
        let Some(catch_up) = &leadership.catch_up else { return };
        if catch_up.awaited(&leadership.peers).any(|peer| peer.silence > patience) {
            leadership.catch_up = None;
        }
    }

    /// Something was committed: perhaps the membership in force. If it was the way between two, the new one follows; if it
    /// leaves us out, we step down: "a leader that is removed from the configuration steps down once the C_new entry is
    /// committed" (dissertation 4.2.2).
    pub(super) fn go_on_changing(&mut self, ctx: &mut Ctx<'_, Self>) {
        if !self.is_leader() || self.members.latest_index() > self.commit {
            return;
        }
        let now = self.members.latest();
        if now.is_joint() {
            let settled = now.settled();
            self.append_members(settled, ctx);
            self.advance_commit(ctx);
        } else if !now.votes(self.me) {
            // One last word, from which the others learn that it is committed.
            self.send_heartbeats(ctx);
            self.become_follower(self.term, None, ctx);
        }
    }

    /// Leadership transfer (dissertation 3.10): "1. the prior leader stops accepting new client requests; 2. the prior
    /// leader fully updates the target server's log to match its own, using the normal log replication mechanism; 3. the
    /// prior leader sends a TimeoutNow request to the target server".
    fn hand_over(&mut self, to: NodeId, ctx: &mut Ctx<'_, Self>) -> bool {
        let patience = self.config.shortest_election_timeout();
        let may_lead = to != self.me && self.members.latest().seat(to).incoming;
        let Role::Leader(leadership) = &mut self.role else { return false };
        if !may_lead || leadership.transfer.is_some() || leadership.catch_up.is_some() {
            return false;
        }
        leadership.transfer = Some(Transfer { to, patience, was_told: false });
        self.go_on_handing_over(ctx);
        true
    }

    /// Tells the target to stand once it has everything. From that word on our lease is worth nothing, even if nothing comes
    /// of it: the word may arrive much later.
    pub(super) fn go_on_handing_over(&mut self, ctx: &mut Ctx<'_, Self>) {
        let last = self.log.last_index();
        let Role::Leader(leadership) = &mut self.role else { return };
        let Some(transfer) = &mut leadership.transfer else { return };
        let to = transfer.to;
        let is_ready = leadership.peers.iter().any(|peer| peer.id == to && peer.match_index == last);
        if is_ready && !transfer.was_told {
            transfer.was_told = true;
            leadership.lease.end();
            ctx.send_over(self.config.transport, to, Message::TimeoutNow { term: self.term });
        }
    }

    /// "If leadership transfer does not complete after about an election timeout, the prior leader aborts the transfer and
    /// resumes accepting client requests" (3.10). Counted in heartbeats, like silence.
    pub(super) fn lose_patience_with_transfer(&mut self) {
        let heartbeat = self.config.heartbeat;
        let Role::Leader(leadership) = &mut self.role else { return };
        leadership.transfer = leadership.transfer.and_then(|transfer| {
            let patience = transfer.patience.saturating_sub(heartbeat);
            (patience > 0).then_some(Transfer { patience, ..transfer })
        });
    }

    /// Whether we take nothing new on because somebody else shall lead.
    pub(super) fn is_handing_over(&self) -> bool {
        match &self.role {
            Role::Leader(leadership) => leadership.transfer.is_some(),
            Role::Follower | Role::PreCandidate(_) | Role::Candidate(_) => false,
        }
    }

    /// The leader of our term wants us to stand, now. "The target server then starts a new election (incrementing its term
    /// and becoming a candidate)" (3.10).
    pub(super) fn on_timeout_now(&mut self, term: u64, ctx: &mut Ctx<'_, Self>) {
        if term == self.term && !self.is_leader() && self.members.may_lead(self.me, self.commit) {
            self.doubt_leader(ctx);
            self.start_election(Standing::Ordered, ctx);
        }
    }
}
