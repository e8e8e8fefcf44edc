//! Changing who takes part ("Reconfiguring a State Machine", Lamport, Malkhi & Zhou 2010, sections 3 and 4): members come and
//! go, leadership is handed over.
//!
//! An operator names the acceptors that there shall be. New ones first listen until they have nearly everything, or else a
//! quorum might have to wait for somebody who has nothing. Then the leader proposes the change like any command, for slot s
//! say; it is in force from slot s+α on ([`members`](super::members)), and the leader fills the slots before that with no-ops.
//!
//! For the new members' slots it needs a phase 1 of its own, in the ballot in which it leads: what an earlier leader proposed
//! there was accepted by them, and the old ones may know nothing of it. Until a quorum of them has promised it proposes
//! nothing there. As it learns of them α slots ahead, this costs no time.
//!
//! *Who is out.* Whoever decides no open slot does not try to lead. But he may not know: what put him out was chosen without him,
//! and when he hears from nobody he asks for promises. Whoever has executed more, and knows from it that he is out, promises
//! nothing and tells him what he lacks instead; then he knows too. That costs no progress: every open slot that those who
//! answer so know of is for others to decide, and they may lead. An acceptor that is behind cannot tell, so it promises:
//! whoever asks may be a new member that it has not heard of. At worst that raises ballots, once or twice.

use super::{Command, Membership, Message, MultiPaxos, Order, Promise, Role, Slot};
use history::Object;
use sim_core::protocol::{Ctx, NodeId};
use sim_core::time::{LocalTime, Nanos};

/// After so many rounds of catching up the leader gives new acceptors up, as too slow; and after as many times the shortest
/// patience without a word.
const ROUNDS_MAX: u32 = 10;

/// New acceptors on their way.
#[derive(Clone, Debug)]
pub(super) struct Joining {
    /// The members that there shall be.
    target: Membership,
    /// Those among them who are new.
    newcomers: Vec<Newcomer>,
    /// The round ends when they have executed this slot, the last one that the leader had when it began …
    goal: Slot,
    /// … which was then.
    round_began: LocalTime,
    /// How many rounds there have been.
    rounds: u32,
}

/// Somebody who listens in order to become an acceptor.
#[derive(Clone, Debug)]
struct Newcomer {
    id: NodeId,
    /// So far it has come, if it has said.
    executed: Option<Slot>,
    /// When it was last heard.
    heard: LocalTime,
}

impl<O: Object> MultiPaxos<O> {
    /// An operator's order. Whether we take it up.
    pub(super) fn obey(&mut self, order: Order, ctx: &mut Ctx<'_, Self>) -> bool {
        let now = || self.members.latest().1.acceptors.clone();
        match order {
            Order::Add(nodes) => self.change_members([now(), nodes].concat(), ctx),
            Order::Remove(nodes) => {
                self.change_members(now().into_iter().filter(|id| !nodes.contains(id)).collect(), ctx)
            }
            Order::Members(nodes) => self.change_members(nodes, ctx),
            Order::Transfer(to) => self.hand_over(to, ctx),
            Order::Snapshot => self.take_snapshot(ctx),
        }
    }

    /// These acceptors there shall be.
    fn change_members(&mut self, acceptors: Vec<NodeId>, ctx: &mut Ctx<'_, Self>) -> bool {
        let target = Membership::of(acceptors);
        if !self.may_change(&target) {
            return false;
        }
        let (heard, goal) = (ctx.now(), self.executed.slot);
        let new = target.acceptors.iter().copied().filter(|id| !self.members.includes(*id));
        let newcomers: Vec<_> = new.map(|id| Newcomer { id, executed: None, heard }).collect();
        let is_ready = newcomers.is_empty();
        for newcomer in &newcomers {
            self.send_sign_of_life(newcomer.id, ctx);
        }
        let Role::Leader(leadership) = &mut self.role else { return false };
        if is_ready {
            leadership.waiting.push_back(Command::Members(Box::new(target)));
            self.fill_window(ctx);
        } else {
            leadership.joining = Some(Joining { target, newcomers, goal, round_began: heard, rounds: 1 });
        }
        true
    }

    /// One change at a time, until it is in force. Safety does not need it: no two memberships share a slot. But whoever adds or
    /// removes somebody means the members that he sees.
    fn may_change(&self, target: &Membership) -> bool {
        let Role::Leader(leadership) = &self.role else { return false };
        let (first, latest) = self.members.latest();
        let is_under_way = |command: &Command<O::Op>| matches!(command, Command::Members(_));
        let is_pending = *first > self.first_open()
            || leadership.joining.is_some()
            || leadership.will_change_members()
            || self.log.from(self.first_open()).any(|(_, entry)| is_under_way(&entry.value.command));
        let is_possible = !target.acceptors.is_empty() && self.config.quorums.fits(target.acceptors.len()).is_ok();
        !is_pending && is_possible && target != latest
    }

    /// Somebody who decides nothing has come so far. Perhaps a round of catching up is over. If it was a short one the change is
    /// proposed, as Raft does it (dissertation 4.2.1).
    pub(super) fn on_executed(&mut self, from: NodeId, slot: Slot, ctx: &mut Ctx<'_, Self>) {
        let (now, executed, patience) = (ctx.now(), self.executed.slot, self.config.patience.0);
        let Role::Leader(leadership) = &mut self.role else { return };
        let Some(joining) = &mut leadership.joining else { return };
        for newcomer in joining.newcomers.iter_mut().filter(|newcomer| newcomer.id == from) {
            (newcomer.executed, newcomer.heard) = (newcomer.executed.max(Some(slot)), now);
        }
        if joining.newcomers.iter().any(|newcomer| newcomer.executed < Some(joining.goal)) {
            return;
        }
        if now.since(joining.round_began) < patience {
            let target = std::mem::take(&mut joining.target);
            leadership.joining = None;
            leadership.waiting.push_back(Command::Members(Box::new(target)));
            self.fill_window(ctx);
        } else if joining.rounds < ROUNDS_MAX {
            (joining.goal, joining.round_began, joining.rounds) = (executed, now, joining.rounds + 1);
        } else {
            leadership.joining = None;
        }
    }

    /// Nothing else can change while the leader waits for new acceptors that are not there.
    pub(super) fn lose_patience_with_newcomers(&mut self, ctx: &Ctx<'_, Self>) {
        let patience = self.config.patience.0 * Nanos::from(ROUNDS_MAX);
        let Role::Leader(leadership) = &mut self.role else { return };
        let is_gone = |newcomer: &Newcomer| ctx.now().since(newcomer.heard) > patience;
        if leadership.joining.as_ref().is_some_and(|joining| joining.newcomers.iter().any(is_gone)) {
            leadership.joining = None;
        }
    }

    /// Everybody else who takes part: who decides an open slot, and, if we lead, those who shall.
    pub(super) fn audience(&self) -> Vec<NodeId> {
        let joining = match &self.role {
            Role::Follower | Role::Candidate(_) => None,
            Role::Leader(leadership) => leadership.joining.as_ref(),
        };
        let newcomers = joining.iter().flat_map(|joining| &joining.newcomers).map(|newcomer| newcomer.id);
        self.members.everybody().iter().copied().chain(newcomers).filter(|&id| id != self.me).collect()
    }

    /// Something was executed, and there may be other members by now. Whoever is out hears one last word, from which he learns
    /// it. If we are out ourselves we led as long as we decided, and another takes over.
    pub(super) fn attend_to_members(&mut self, ctx: &mut Ctx<'_, Self>) {
        let (everybody, latest) = (self.members.everybody(), self.members.latest().0);
        let Role::Leader(leadership) = &mut self.role else { return };
        if leadership.circle.1 == latest && leadership.circle.0 == everybody {
            return;
        }
        let (before, _) = std::mem::replace(&mut leadership.circle, (everybody.to_vec(), latest));
        for &id in before.iter().filter(|&&id| id != self.me && !self.members.includes(id)) {
            self.send_sign_of_life(id, ctx);
        }
        if self.members.includes(self.me) {
            return self.ask_for_lacking_promises(ctx);
        }
        if let Some(&heir) = self.members.everybody().first() {
            self.hand_over(heir, ctx);
        }
        self.resign(ctx);
    }

    /// Phase 1 for new members, while we lead: until a quorum of each membership has promised, whoever has not is asked.
    pub(super) fn ask_for_lacking_promises(&self, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &self.role else { return };
        if self.members.answered_up_to(|node| leadership.promised().contains(&node)) < Slot::MAX {
            self.send_prepare(leadership.promised(), ctx);
        }
    }

    /// The last slot that a leader can decide as things stand: of a membership that it belongs to, and a quorum of which has
    /// promised.
    pub(super) fn leads_up_to(&self) -> Slot {
        let Role::Leader(leadership) = &self.role else { return 0 };
        let answered = self.members.answered_up_to(|node| leadership.promised().contains(&node));
        answered.min(self.members.last_slot_of(self.me))
    }

    /// A new acceptor has promised. If slots are gone from it for which we have not proposed anything, others have
    /// led the new members before us: we have to learn what they did there.
    pub(super) fn on_promise_to_leader(&mut self, from: NodeId, promise: Promise<O::Op>, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let answered = self.members.answered_up_to(|node| leadership.promised().contains(&node));
        let is_known = leadership.promised().contains(&from);
        if promise.ballot != self.ballot || is_known || answered == Slot::MAX {
            return;
        }
        if promise.truncated > answered {
            self.resign(ctx);
            return self.ask(from, ctx);
        }
        leadership.hear(from, promise, answered, &self.config.flaws);
        self.fill_window(ctx);
    }

    /// Somebody knows of so many slots that they were chosen. If that is all that a leader can decide, others have led on
    /// without it.
    pub(super) fn resign_if_outrun(&mut self, chosen: Slot, ctx: &mut Ctx<'_, Self>) {
        if self.is_leader() && chosen > self.executed.slot && chosen >= self.leads_up_to() {
            self.resign(ctx);
        }
    }

    /// Whoever says that `slot` is his first open one wants to lead. If we know that he is out he learns it instead.
    pub(super) fn turns_away(&mut self, from: NodeId, slot: Slot, ctx: &mut Ctx<'_, Self>) -> bool {
        if slot >= self.first_open() || self.members.includes(from) {
            return false;
        }
        self.on_learn(from, slot, (0, 0), ctx);
        true
    }

    /// We decide nothing that we know of, and nobody leads that we hear. It may be for us to lead by now: those who decided that
    /// may be out themselves.
    pub(super) fn ask_anybody(&mut self, ctx: &mut Ctx<'_, Self>) {
        let audience = self.audience();
        let lot = ctx.dice().below(audience.len().max(1) as u64) as usize;
        if let Some(&to) = audience.get(lot) {
            self.ask(to, ctx);
        }
    }

    /// Asks another to lead. We go on until its higher ballot is here: its phase 1 finds whatever is in flight.
    fn hand_over(&mut self, to: NodeId, ctx: &mut Ctx<'_, Self>) -> bool {
        if to == self.me || !self.members.includes(to) {
            return false;
        }
        let Role::Leader(leadership) = &mut self.role else { return false };
        leadership.reads.give_up_lease();
        self.send_sign_of_life(to, ctx);
        self.send(to, Message::TakeOver { ballot: self.ballot }, ctx);
        true
    }

    /// The leader wants us to lead.
    pub(super) fn on_take_over(&mut self, ballot: super::Ballot, ctx: &mut Ctx<'_, Self>) {
        if ballot == self.promised && matches!(self.role, Role::Follower) && self.members.includes(self.me) {
            self.start_phase1(ctx);
        }
    }
}
