//! The leader: phase 2, slot after slot (PMS 3; PMMC 2.3, 4.3).
//!
//! It proposes, for each slot in turn, what it has to: first what it heard of in phase 1, with "a special no-op command" (PMS
//! 3) in the holes between; then what clients ask. It does not wait for one slot before it proposes the next; but at most
//! `window` slots behind the last one that it knows to be chosen ("at most α commands", PMS 3), so that only so many can be open.
//!
//! Messages can be lost. What has not been answered for a heartbeat is sent again with the next: to accept twice is to accept.

use super::changes::Joining;
use super::flaws::{ACCEPTOR_IN_MEMORY, NO_NOOP_FILL};
use super::reads::Reads;
use super::reports::Reports;
use super::{
    Accept, Ballot, Command, Entry, Held, Message, MultiPaxos, Promise, Record, Role, Slot, Timer, Value, writes,
};
use crate::client::{Answer, Response};
use history::Object;
use sim_core::protocol::{Ctx, NodeId, Ticket};
use sim_core::settings::Flaws;
use sim_core::time::{LocalTime, Nanos};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// With each heartbeat an acceptor is sent so many runs of slots again at most, the first that it has not answered, and another
/// for each of them that it answers. If a link is slow all of them are still under way, and more of them would make it slower.
const RESENT_MAX: usize = 4;

/// What a leader keeps in mind.
#[derive(Clone, Debug)]
pub(super) struct Leadership<Op> {
    /// What clients have asked for and no slot is open for yet.
    pub waiting: VecDeque<Command<Op>>,
    /// What clients have asked for that takes no slot.
    pub reads: Reads<Op>,
    /// When it came to lead by its own clock, and the system time then.
    began: (LocalTime, Nanos),
    /// The first slot that it has proposed nothing for.
    next: Slot,
    /// Who has promised in phase 1 …
    promised: Vec<NodeId>,
    /// … and what that obliges it to propose. Behind it are its own clients' commands.
    adopted: Reports<Op>,
    /// The last slot that this was about, or the last it had executed when it came to lead.
    adopted_last: Slot,
    /// Its own clients' commands among what is open.
    own: BTreeSet<Slot>,
    /// New acceptors who catch up.
    pub joining: Option<Joining>,
    /// The members when last looked at: everybody, and the first slot of the latest membership.
    pub circle: (Vec<NodeId>, Slot),
    /// What it has proposed and does not know to be chosen, all before it included.
    open: BTreeMap<Slot, Tally>,
    /// What is open below this slot was sent before the latest heartbeat.
    resend_below: Slot,
    /// By peer: up to where it was sent what it had not answered again, since the latest heartbeat.
    resent: BTreeMap<NodeId, Slot>,
    /// The number of its latest heartbeat, if it sends any.
    beat: u64,
}

/// Who has accepted what we proposed for a slot, in our ballot.
#[derive(Clone, Debug, Default)]
struct Tally {
    accepted: Vec<NodeId>,
    /// Our own acceptance is on its way to the disk, and counts when it is there.
    own: Option<Ticket>,
}

impl<Op> Leadership<Op> {
    pub fn new(next: Slot, promised: Vec<NodeId>, adopted: Reports<Op>, began: (LocalTime, Nanos)) -> Self {
        let (open, own, waiting, circle) = (BTreeMap::new(), BTreeSet::new(), VecDeque::new(), (Vec::new(), 0));
        let adopted_last = adopted.last().unwrap_or(next - 1);
        let (reads, joining) = (Reads::default(), None);
        Leadership {
            waiting,
            reads,
            began,
            next,
            promised,
            adopted,
            adopted_last,
            own,
            joining,
            circle,
            open,
            resend_below: next,
            beat: 0,
            resent: BTreeMap::new(),
        }
    }

    /// So many intervals have passed since it leads; and never a number twice, though its clock be set back.
    pub fn next_beat(&mut self, now: LocalTime, interval: Nanos) -> u64 {
        self.beat = (self.beat + 1).max(now.since(self.began.0) / interval);
        self.beat
    }

    /// The last slot that it has proposed something for.
    pub fn proposed(&self) -> Slot {
        self.next - 1
    }

    /// The last slot for which phase 1 obliges it to propose something, or the last it had executed by then.
    pub fn adopted_last(&self) -> Slot {
        self.adopted_last
    }

    /// What phase 1 obliges it to propose for this slot, if it has not yet.
    pub fn adopted(&self, slot: Slot) -> Option<&Value<Op>> {
        self.adopted.get(slot)
    }

    /// Who has promised in phase 1.
    pub fn promised(&self) -> &[NodeId] {
        &self.promised
    }

    /// Whether something that it must propose, or that waits, changes the members.
    pub fn will_change_members(&self) -> bool {
        let is_change = |command: &Command<Op>| matches!(command, Command::Members(_));
        self.waiting.iter().any(is_change)
            || self.adopted.iter().any(|(_, report)| is_change(&report.entry.value.command))
    }

    /// An acceptor of new members has promised: it may have accepted something in their slots, which are those behind
    /// `answered`. For these we have proposed nothing yet.
    pub fn hear(&mut self, from: NodeId, promise: Promise<Op>, answered: Slot, flaws: &Flaws) {
        self.promised.push(from);
        for held in promise.held.into_iter().filter(|held| held.slot > answered) {
            self.adopted_last = self.adopted_last.max(held.slot);
            self.adopted.hear(from, held, flaws);
        }
    }

    /// The values for the next slots, and the slot of the first.
    fn next_run(&mut self, bounds: Bounds, now: LocalTime, holes: Holes) -> (Slot, Vec<Value<Op>>) {
        let (began, time) = self.began;
        let time = time + now.since(began);
        let noop = || Some(Value { time, command: Command::Noop });
        let mut run = Vec::new();
        while self.next <= bounds.end && (run.len() as u64) < bounds.count {
            let is_hole = !self.adopted.is_empty() && self.adopted.get(self.next).is_none();
            if is_hole && holes == Holes::Left {
                // The mistake P05: a slot of which nobody has heard is skipped.
                if !run.is_empty() {
                    break;
                }
                self.next += 1;
                continue;
            }
            let value = if !self.adopted.is_empty() {
                self.adopted.take(self.next).or_else(noop)
            } else if let Some(command) = self.waiting.pop_front() {
                self.own.insert(self.next);
                Some(Value { time, command })
            } else if self.next < bounds.filled {
                noop()
            } else {
                None
            };
            let Some(value) = value else { break };
            run.push(value);
            self.next += 1;
        }
        (self.next - run.len() as u64, run)
    }

    /// Of the slots that this peer was sent before the latest heartbeat and has not accepted, the next runs to be sent again, of
    /// so many slots each at most.
    fn next_resent(&mut self, peer: NodeId, runs_max: usize, count: u64) -> Vec<(Slot, u64)> {
        let after = self.resent.get(&peer).copied().unwrap_or_default();
        let mut runs: Vec<(Slot, u64)> = Vec::new();
        let sent = self.open.range(after + 1..self.resend_below.max(after + 1));
        for (&slot, _) in sent.filter(|(_, tally)| !tally.accepted.contains(&peer)) {
            let is_full = runs.len() == runs_max;
            match runs.last_mut() {
                Some((first, length)) if *first + *length == slot && *length < count => *length += 1,
                Some(_) | None if is_full => break,
                Some(_) | None => runs.push((slot, 1)),
            }
        }
        if let Some((first, length)) = runs.last() {
            self.resent.insert(peer, first + length - 1);
        }
        runs
    }
}

/// For which slots a leader may propose now.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// None behind this one.
    end: Slot,
    /// So many at once.
    count: u64,
    /// Those before this one even if nobody asks for anything.
    filled: Slot,
}

/// What becomes of slots for which phase 1 brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holes {
    Filled,
    Left,
}

impl<O: Object> MultiPaxos<O> {
    /// Proposes whatever there is for the slots that are open to proposals. Where members change there are no-ops if nothing else:
    /// "it can propose α no-ops" (Lamport, Malkhi & Zhou, 3), so that the new ones do not wait for clients.
    pub(super) fn fill_window(&mut self, ctx: &mut Ctx<'_, Self>) {
        let holes = if self.config.flaws.has(&NO_NOOP_FILL) { Holes::Left } else { Holes::Filled };
        let count = self.config.batch;
        loop {
            let (end, filled) = (self.may_propose_up_to(), self.members.latest().0);
            let Role::Leader(leadership) = &mut self.role else { return };
            let (first, values) = leadership.next_run(Bounds { end, count, filled }, ctx.now(), holes);
            if values.is_empty() {
                return;
            }
            self.propose(first, values, ctx);
        }
    }

    /// The last slot that this leader may propose for: within the window, and in memberships of its own that have answered its
    /// phase 1.
    pub(super) fn may_propose_up_to(&self) -> Slot {
        self.leads_up_to().min(self.executed.slot.saturating_add(self.config.window))
    }

    /// Phase 2a: "it sends … a request that the proposal be accepted" (PMS 2.2). We accept it ourselves first.
    fn propose(&mut self, first: Slot, values: Vec<Value<O::Op>>, ctx: &mut Ctx<'_, Self>) {
        let ballot = self.ballot;
        let entry = |(slot, value): (Slot, &Value<O::Op>)| Held { slot, entry: Entry { ballot, value: value.clone() } };
        let entries: Vec<_> = (first..).zip(&values).map(entry).collect();
        for Held { slot, entry } in &entries {
            self.log.put(*slot, entry.clone());
        }
        let tally = self.accept_oneself(first, Record::Accepted { entries, chosen: self.executed.slot }, ctx);
        let count = values.len() as u64;
        let Role::Leader(leadership) = &mut self.role else { return };
        leadership.open.extend((first..first + count).map(|slot| (slot, tally.clone())));
        self.send_all(&Message::Accept(Accept { ballot, first, values, chosen: self.executed.slot }), ctx);
        // With the mistake P01 our own acceptance may be enough, and no disk will report it.
        self.choose(ctx);
    }

    /// Our own acceptance counts at once although it is not on disk yet: others answer what leaves only once it is. If it is
    /// enough alone it counts when it is there.
    fn accept_oneself(&self, slot: Slot, record: Record<O::Op>, ctx: &mut Ctx<'_, Self>) -> Tally {
        let is_enough = self.quorum_of(slot).is_phase2(|node| node == self.me);
        if is_enough && !self.config.flaws.has(&ACCEPTOR_IN_MEMORY) {
            return Tally { accepted: Vec::new(), own: Some(ctx.persist_later(record)) };
        }
        self.write(record, ctx);
        Tally { accepted: vec![self.me], own: None }
    }

    /// Something that we have accepted is on disk.
    pub(super) fn on_own_acceptance(&mut self, ticket: Ticket, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        for tally in leadership.open.values_mut().filter(|tally| tally.own == Some(ticket)) {
            tally.accepted.push(self.me);
        }
        self.choose(ctx);
        self.fill_window(ctx);
        self.serve_reads(ctx);
    }

    /// An acceptor has accepted a run of slots in this ballot. What it accepted in another is not what we proposed.
    pub(super) fn on_accepted(
        &mut self,
        from: NodeId,
        ballot: Ballot,
        first: Slot,
        count: u64,
        ctx: &mut Ctx<'_, Self>,
    ) {
        let Role::Leader(leadership) = &mut self.role else { return };
        if ballot != self.ballot {
            return;
        }
        for tally in leadership.open.range_mut(first..first.saturating_add(count)).map(|(_, tally)| tally) {
            if !tally.accepted.contains(&from) {
                tally.accepted.push(from);
            }
        }
        if leadership.resent.get(&from).is_some_and(|resent| first <= *resent) {
            self.send_again(from, 1, ctx);
        }
        self.choose(ctx);
        self.fill_window(ctx);
        self.serve_reads(ctx);
    }

    /// "A value is chosen when … a large enough set of acceptors have accepted it" (PMS 2.1), in one ballot. They are executed in
    /// order, whenever they were chosen, and whoever asked is answered.
    fn choose(&mut self, ctx: &mut Ctx<'_, Self>) {
        loop {
            let slot = self.first_open();
            let Role::Leader(leadership) = &mut self.role else { return };
            let quorum = self.members.quorum_of(slot);
            let is_chosen = |tally: &Tally| quorum.is_phase2(|node| tally.accepted.contains(&node));
            if !leadership.open.get(&slot).is_some_and(is_chosen) {
                break;
            }
            let is_ours = leadership.own.remove(&slot);
            let answer = self.execute_next(ctx);
            if let Some((client, answer)) = answer.filter(|_| is_ours) {
                ctx.tell(client, answer);
            }
            let Role::Leader(leadership) = &mut self.role else { return };
            leadership.open.remove(&slot);
        }
        self.attend_to_members(ctx);
    }

    /// Time for a leader to let itself be heard, or for a candidate to ask again.
    pub(super) fn on_heartbeat_alarm(&mut self, ctx: &mut Ctx<'_, Self>) {
        match self.role {
            Role::Follower => {}
            Role::Candidate(_) => self.ask_for_promises_again(ctx),
            Role::Leader(_) => {
                self.send_heartbeats(ctx);
                self.send_beats(ctx);
                self.confirm_again(ctx);
                self.ask_for_lacking_promises(ctx);
                self.lose_patience_with_newcomers(ctx);
                ctx.arm(Timer::Heartbeat, self.config.heartbeat);
            }
        }
    }

    /// To each acceptor what it has not answered for a heartbeat; if there is nothing, a sign of life.
    pub(super) fn send_heartbeats(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        leadership.resent.clear();
        for to in self.audience() {
            if !self.send_again(to, RESENT_MAX, ctx) {
                self.send_sign_of_life(to, ctx);
            }
        }
        let Role::Leader(leadership) = &mut self.role else { return };
        leadership.resend_below = leadership.next;
    }

    /// Sends a peer the next of what it has not answered. Whether there was anything.
    fn send_again(&mut self, to: NodeId, runs_max: usize, ctx: &mut Ctx<'_, Self>) -> bool {
        let (ballot, chosen) = (self.ballot, self.executed.slot);
        let Role::Leader(leadership) = &mut self.role else { return false };
        let runs = leadership.next_resent(to, runs_max, self.config.batch);
        for &(first, count) in &runs {
            let values = (first..first + count).filter_map(|slot| self.log.get(slot).map(|entry| entry.value.clone()));
            self.send(to, Message::Accept(Accept { ballot, first, values: values.collect(), chosen }), ctx);
        }
        !runs.is_empty()
    }

    /// A message without values. It says what is chosen by now.
    pub(super) fn send_sign_of_life(&self, to: NodeId, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &self.role else { return };
        let (ballot, first, chosen) = (self.ballot, leadership.next, self.executed.slot);
        self.send(to, Message::Accept(Accept { ballot, first, values: Vec::new(), chosen }), ctx);
    }

    /// A leader gives way: those who wait for it must not wait in vain. Whether their writes will be chosen is up to later
    /// leaders; what was not proposed yet can be asked elsewhere, and so can reads.
    pub(super) fn leave_clients(&mut self, leader: Option<NodeId>, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let tell = |command: &Command<O::Op>, was_proposed: bool, ctx: &mut Ctx<'_, Self>| match command {
            Command::Operation { client, serial, attempt, op, .. } => {
                let is_doubtful = was_proposed && writes::<O>(op);
                let response = if is_doubtful { Response::Unknown } else { Response::Redirect(leader) };
                ctx.tell(*client, Answer { serial: *serial, attempt: *attempt, response });
            }
            Command::Register { client, serial, attempt } => {
                // If it is opened after all, nobody will use it.
                let response = Response::Redirect(leader);
                ctx.tell(*client, Answer { serial: *serial, attempt: *attempt, response });
            }
            Command::Noop | Command::Members(_) => {}
        };
        for entry in leadership.own.iter().filter_map(|slot| self.log.get(*slot)) {
            if entry.ballot == self.ballot {
                tell(&entry.value.command, true, ctx);
            }
        }
        for command in leadership.waiting.drain(..) {
            tell(&command, false, ctx);
        }
        leadership.reads.redirect(leader, ctx);
    }
}
