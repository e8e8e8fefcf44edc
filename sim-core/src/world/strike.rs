//! How faults begin and end, and what they really did.
//!
//! Every kind of fault has its beginning in [`World::strike`] and its end in [`World::mend`]. Each time one strikes it
//! counts its effects: a cut between machines that say nothing to each other counts none, and a run can then say that
//! it tested nothing.

use super::cuts::Cuts;
use super::deliver::Tag;
use super::target::Scope;
use super::{Event, StrikeReport, World};
use crate::dice::{Dice, StreamName, Streams};
use crate::fault::{ClockHarm, Event as Trigger, Fault, FaultKind, Target, When};
use crate::machine::MachineId;
use crate::network::StrikeId;
use crate::protocol::{About, NodeId, Protocol};
use crate::time::{MILLISECOND, Nanos};
use crate::trace::What;
use std::collections::BTreeSet;

/// What must be taken back when a fault ends.
#[derive(Clone, Debug)]
pub(super) enum Undo {
    Paths,
    Links,
    Crash(Vec<Down>),
    Pause(Vec<MachineId>),
    Hold(Vec<MachineId>),
    Clock(Vec<MachineId>, ClockHarm),
    Cpu(Vec<NodeId>),
    Disks(Vec<NodeId>),
    /// Lost machines in whose places empty ones come.
    Replace(Vec<MachineId>),
    /// Lost machines that nothing brings back.
    Gone(Vec<MachineId>),
    /// The dice for the next time that the order is given.
    Order(Box<Dice>),
    /// It was over at once.
    Nothing,
}

/// So often an operator with patience repeats an order that nobody has taken up.
const OPERATOR_LOOKS_EVERY: Nanos = 50 * MILLISECOND;

/// A machine that a crash keeps down, and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Down {
    pub(super) machine: MachineId,
    pub(super) until: Nanos,
}

#[derive(Clone, Debug)]
pub(super) struct Strike {
    fault: usize,
    from: Nanos,
    to: Option<Nanos>,
    pub(super) effects: u64,
    pub(super) who: String,
    pub(super) met: Vec<(Target, Vec<String>)>,
    pub(super) places: Vec<Vec<String>>,
    pub(super) undo: Undo,
}

/// A fault that waits for something to happen.
#[derive(Clone, Debug)]
struct Waiting {
    fault: usize,
    event: Trigger,
    after: Nanos,
    length: Option<Nanos>,
    times: u32,
    within: (Nanos, Nanos),
    /// How often it has been set off.
    set_off: u32,
}

/// All faults of a run.
#[derive(Clone, Debug)]
pub(super) struct Faults {
    faults: Vec<Fault>,
    streams: Streams,
    waiting: Vec<Waiting>,
    strikes: Vec<Strike>,
    pub(super) cuts: Cuts,
    /// Roles and terms seen, for triggers.
    taken: BTreeSet<(&'static str, u64)>,
    served: u64,
    pub(super) healed: bool,
}

impl Faults {
    pub(super) fn new(faults: Vec<Fault>, streams: Streams) -> Self {
        let waiting = faults.iter().enumerate().filter_map(|(fault, f)| match &f.when {
            When::At(_) => None,
            When::Event { event, after, length, times, within } => {
                let (event, within) = (event.clone(), within.unwrap_or((0, Nanos::MAX)));
                Some(Waiting { fault, event, after: *after, length: *length, times: *times, within, set_off: 0 })
            }
        });
        let waiting = waiting.collect();
        let (strikes, cuts, taken) = (Vec::new(), Cuts::default(), BTreeSet::new());
        Faults { faults, streams, waiting, strikes, cuts, taken, served: 0, healed: false }
    }

    /// Dice for the next strike of a fault: each strike has its own, so that whom one finds does not shift the next.
    fn dice(&self, fault: usize) -> Dice {
        let struck = self.strikes.iter().filter(|strike| strike.fault == fault).count();
        self.streams.dice(StreamName::new(&["fault", &self.faults[fault].name, &struck.to_string()]))
    }

    /// Dice for what a strike goes on doing to one machine, likewise.
    pub(super) fn dice_on(&self, id: StrikeId, machine: &str) -> Dice {
        let strikes = &self.strikes[..id.0 as usize];
        let fault = self.strikes[id.0 as usize].fault;
        let before = strikes.iter().filter(|strike| strike.fault == fault).count().to_string();
        self.streams.dice(StreamName::new(&["fault", &self.faults[fault].name, &before, machine]))
    }

    /// When which fault strikes, as far as that is known before the run, and for how long.
    pub(super) fn scheduled(&self) -> Vec<(Nanos, usize, Option<Nanos>)> {
        let mut scheduled = Vec::new();
        for (fault, f) in self.faults.iter().enumerate() {
            match &f.when {
                When::At(strikes) => scheduled.extend(strikes.iter().map(|strike| (strike.at, fault, strike.length))),
                When::Event { .. } => {}
            }
        }
        scheduled
    }

    pub(super) fn rekey(&mut self, streams: Streams) {
        self.streams = streams;
        self.cuts.rekey(streams);
    }

    /// What the fault of a strike is called, and whom it struck.
    pub(super) fn named(&self, id: StrikeId) -> (String, String) {
        let strike = &self.strikes[id.0 as usize];
        (self.faults[strike.fault].name.clone(), strike.who.clone())
    }

    pub(super) fn reports(&self, now: Nanos) -> Vec<StrikeReport> {
        let report = |strike: &Strike| StrikeReport {
            fault: strike.fault,
            from: strike.from,
            to: strike.to.unwrap_or(now),
            effects: strike.effects,
            who: strike.who.clone(),
            met: strike.met.clone(),
            places: strike.places.clone(),
        };
        self.strikes.iter().map(report).collect()
    }

    /// A fault, if it was one, did something.
    pub(super) fn count(&mut self, strike: Option<StrikeId>) {
        if let Some(id) = strike {
            self.strikes[id.0 as usize].effects += 1;
        }
    }

    /// Something waits on a machine that pauses keep still.
    pub(super) fn count_pause(&mut self, machine: MachineId) {
        for strike in self.strikes.iter_mut().filter(|strike| strike.to.is_none()) {
            match &strike.undo {
                Undo::Pause(machines) | Undo::Hold(machines) if machines.contains(&machine) => strike.effects += 1,
                Undo::Pause(_)
                | Undo::Hold(_)
                | Undo::Paths
                | Undo::Links
                | Undo::Crash(_)
                | Undo::Clock(..)
                | Undo::Cpu(_)
                | Undo::Replace(_)
                | Undo::Gone(_)
                | Undo::Disks(_)
                | Undo::Order(_)
                | Undo::Nothing => {}
            }
        }
    }

    /// A machine would be back, but for the other faults that keep it down: that is their effect.
    pub(super) fn count_kept_down(&mut self, machine: MachineId) {
        for strike in self.strikes.iter_mut().filter(|strike| strike.to.is_none()) {
            match &strike.undo {
                Undo::Crash(downs) if downs.iter().any(|down| down.machine == machine) => strike.effects += 1,
                Undo::Replace(machines) | Undo::Gone(machines) if machines.contains(&machine) => strike.effects += 1,
                Undo::Crash(_)
                | Undo::Replace(_)
                | Undo::Gone(_)
                | Undo::Pause(_)
                | Undo::Hold(_)
                | Undo::Paths
                | Undo::Links
                | Undo::Clock(..)
                | Undo::Cpu(_)
                | Undo::Disks(_)
                | Undo::Order(_)
                | Undo::Nothing => {}
            }
        }
    }

    /// The faults that `event` sets off now: when they strike, and for how long.
    fn set_off(&mut self, now: Nanos, happened: impl Fn(&Waiting) -> bool) -> Vec<(Nanos, usize, Option<Nanos>)> {
        let mut set_off = Vec::new();
        for waiting in self.waiting.iter_mut().filter(|waiting| waiting.set_off < waiting.times && happened(waiting)) {
            let at = now + waiting.after;
            let (from, until) = waiting.within;
            if now < from || at >= until {
                continue;
            }
            waiting.set_off += 1;
            let longest = (until < Nanos::MAX).then(|| until - at);
            let length = [waiting.length, longest].into_iter().flatten().min();
            set_off.push((at, waiting.fault, length));
        }
        set_off
    }
}

impl<P: Protocol> World<P> {
    /// Counts what the network says faults did to its messages.
    pub(super) fn count_network_effects(&mut self) {
        for strike in self.network.effects.drain(..) {
            self.faults.strikes[strike.0 as usize].effects += 1;
        }
    }

    /// A node says it holds a role.
    pub(super) fn role_taken(&mut self, role: &'static str, term: u64) {
        if self.faults.waiting.is_empty() || !self.faults.taken.insert((role, term)) {
            return;
        }
        let set_off = self.faults.set_off(self.queue.now(), |waiting| match &waiting.event {
            Trigger::RoleTaken(awaited) => awaited == role,
            Trigger::Served(_) => false,
        });
        self.schedule(set_off);
    }

    /// A client may have been served.
    #[inline]
    pub(super) fn served(&mut self) {
        let served = self.log.returned();
        if self.faults.waiting.is_empty() || served == self.faults.served {
            return;
        }
        self.faults.served = served;
        let set_off = self.faults.set_off(self.queue.now(), |waiting| match &waiting.event {
            Trigger::Served(each) => served >= each * u64::from(waiting.set_off + 1),
            Trigger::RoleTaken(_) => false,
        });
        self.schedule(set_off);
    }

    fn schedule(&mut self, set_off: Vec<(Nanos, usize, Option<Nanos>)>) {
        for (at, fault, length) in set_off {
            self.queue.push(at, Event::Strike { fault, length });
        }
    }

    /// A fault begins.
    pub(super) fn strike(&mut self, fault: usize, length: Option<Nanos>) {
        if self.faults.healed {
            return;
        }
        let now = self.queue.now();
        let id = StrikeId(self.faults.strikes.len() as u32);
        let definition = self.faults.faults[fault].clone();
        let mut dice = self.faults.dice(fault);
        self.stamp(Tag::Strike, fault as u32, id.0);
        let who = String::new();
        let (met, places, undo) = (Vec::new(), Vec::new(), Undo::Paths);
        self.faults.strikes.push(Strike { fault, from: now, to: None, effects: 0, who, met, places, undo });
        let undo = match &definition.kind {
            FaultKind::Partition { groups, one_way, flap } => {
                let injury = self.partition(id, groups, *one_way, &mut dice);
                self.injure(id, injury, *flap, dice)
            }
            FaultKind::Shape { shape, order, flap } => {
                let injury = self.shape(id, *shape, order, &mut dice);
                self.injure(id, injury, *flap, dice)
            }
            FaultKind::CutLinks { links, flap } => {
                let injury = self.cut_links(id, links);
                self.injure(id, injury, *flap, dice)
            }
            FaultKind::Crash { target, disk, moment } => {
                self.crash_all(id, target, (*disk, *moment), length, &mut dice)
            }
            FaultKind::Pause { target, messages_only: false } => self.pause_all(id, target, &mut dice),
            FaultKind::Pause { target, messages_only: true } => self.hold_all(id, target, &mut dice),
            FaultKind::Clock { target, harm } => self.harm_clocks(id, target, *harm, &mut dice),
            FaultKind::Cpu { target, slower, extra } => self.slow_cpus(id, target, (*slower, extra), &mut dice),
            FaultKind::Lose { target } => self.lose_all(id, target, length, &mut dice),
            FaultKind::Disk { target, harm } => self.harm_disks(id, target, harm, &mut dice),
            FaultKind::Operate { order, to, about } => {
                self.order(id, order, [to, about], &mut dice);
                self.operator_waits(id, length, dice)
            }
            FaultKind::Link { from, to, one_way, spoil, flap } => {
                let injury = self.spoil(id, [from, to], *one_way, spoil, &mut dice);
                self.injure(id, injury, *flap, dice)
            }
            FaultKind::Drop { from, to, pick } => self.drop_picked(id, [from, to], pick, dice),
            FaultKind::Outage { places, disk } => self.outage(id, places, *disk, length, &mut dice),
        };
        let strike = self.strike_mut(id);
        let takes = if matches!(undo, Undo::Nothing) { 0 } else { length.unwrap_or(Nanos::MAX) };
        strike.to = matches!(undo, Undo::Nothing).then_some(now);
        strike.undo = undo;
        self.record_epoch();
        self.row_of(now, takes, What::Fault, |world| {
            (
                definition.name.clone(),
                world.faults.strikes[id.0 as usize].who.clone(),
                definition.kind.name().to_owned(),
            )
        });
        if let Some(length) = length {
            self.queue.push(now.saturating_add(length), Event::Mend(id));
        }
    }

    /// A fault ends.
    pub(super) fn mend(&mut self, id: StrikeId) {
        if self.strike_mut(id).to.is_some() {
            return;
        }
        let now = self.queue.now();
        let due = self.due_for_restart(id);
        if self.keeps_down(id) {
            // Those who died in the middle of a step did so at different times.
            due.into_iter().for_each(|machine| self.restart(machine));
            self.record_epoch();
            return;
        }
        self.stamp(Tag::Mend, id.0, 0);
        let strike = self.strike_mut(id);
        strike.to = Some(now);
        let (fault, undo) = (strike.fault, strike.undo.clone());
        self.faults.cuts.end(id, now);
        match undo {
            Undo::Paths => self.network.mend(id),
            Undo::Links => self.network.heal_links(id),
            Undo::Crash(_) => {
                // Where a whole place was gone, its links come back before its machines.
                self.network.heal_links(id);
                due.into_iter().for_each(|machine| self.restart(machine));
            }
            Undo::Pause(machines) => machines.into_iter().for_each(|machine| self.resume(machine)),
            Undo::Hold(machines) => machines.into_iter().for_each(|machine| self.let_through(machine)),
            Undo::Clock(machines, harm) => {
                machines.into_iter().for_each(|machine| self.mend_clock(id, machine, harm));
            }
            Undo::Cpu(nodes) => nodes.into_iter().for_each(|node| self.mend_cpu(id, node)),
            Undo::Replace(machines) => machines.into_iter().for_each(|machine| self.restart(machine)),
            Undo::Disks(nodes) => nodes.into_iter().for_each(|node| self.mend_disk(id, node)),
            Undo::Order(_) | Undo::Nothing | Undo::Gone(_) => {}
        }
        self.record_epoch();
        self.row(What::Heal, |world| {
            let definition = &world.faults.faults[fault];
            (
                definition.name.clone(),
                world.faults.strikes[id.0 as usize].who.clone(),
                definition.kind.name().to_owned(),
            )
        });
    }

    /// Ends every fault, and lets no further one begin. Machines lost for good stay away: what heals is not what never was to
    /// come back.
    pub fn heal(&mut self) {
        self.faults.healed = true;
        // The network first: what restarts or wakes up finds it whole.
        let open = self.faults.strikes.iter().enumerate().filter(|(_, strike)| strike.to.is_none());
        open.for_each(|(id, _)| self.network.heal_links(StrikeId(id as u32)));
        let is_process =
            |strike: &Strike| matches!(strike.undo, Undo::Crash(_) | Undo::Pause(_) | Undo::Hold(_) | Undo::Replace(_));
        let ends = |strike: &Strike| !matches!(strike.undo, Undo::Gone(_));
        for processes in [false, true] {
            for strike in 0..self.faults.strikes.len() {
                if ends(&self.faults.strikes[strike]) && is_process(&self.faults.strikes[strike]) == processes {
                    self.mend(StrikeId(strike as u32));
                }
            }
        }
    }

    pub(super) fn strike_mut(&mut self, id: StrikeId) -> &mut Strike {
        &mut self.faults.strikes[id.0 as usize]
    }

    pub(super) fn name_struck(&mut self, id: StrikeId, machines: &[MachineId], effects: u64) {
        let who = self.names(machines);
        let strike = self.strike_mut(id);
        (strike.who, strike.effects) = (who, strike.effects + effects);
    }

    fn pause_all(&mut self, id: StrikeId, target: &[Target], dice: &mut Dice) -> Undo {
        let machines = self.resolve(id, target, Scope::Nodes, &BTreeSet::new(), dice);
        let mut waiting = 0;
        for &machine in &machines {
            let host = self.host_mut(machine);
            *host.pauses() += 1;
            waiting += host.waiting();
        }
        self.name_struck(id, &machines, waiting as u64);
        Undo::Pause(machines)
    }

    /// What a client's process sends and hears is all that it does: it is as good as paused.
    fn hold_all(&mut self, id: StrikeId, target: &[Target], dice: &mut Dice) -> Undo {
        let machines = self.resolve(id, target, Scope::Nodes, &BTreeSet::new(), dice);
        for &machine in &machines {
            *self.kept_back(machine) += 1;
        }
        self.name_struck(id, &machines, 0);
        Undo::Hold(machines)
    }

    fn kept_back(&mut self, machine: MachineId) -> &mut u32 {
        let is_node = self.node_at(machine).is_some();
        let host = self.host_mut(machine);
        if is_node { host.holds() } else { host.pauses() }
    }

    /// Gives an order. Whether a node takes it up shows when it hears of it.
    fn order(&mut self, id: StrikeId, name: &str, [to, about]: [&Vec<Target>; 2], dice: &mut Dice) {
        let kind = P::ORDERS.iter().find(|kind| kind.name == name);
        let kind =
            kind.unwrap_or_else(|| panic!("no order is called {name}: scenarios are checked against the system"));
        let (mut about, mut to) = (self.resolve_nodes(id, about, dice), self.resolve_nodes(id, to, dice));
        if kind.about == About::One {
            dice.draw_to_front(&mut about, 1);
            about.truncate(1);
        }
        if kind.about != About::Nobody && about.is_empty() {
            // Nobody is left whom the order could be about, so there is nothing to be told.
            to.clear();
        }
        let machines = |nodes: &[NodeId]| nodes.iter().map(|node| MachineId(node.0)).collect::<Vec<_>>();
        let subject = if about.is_empty() { String::new() } else { format!(" {}", self.names(&machines(&about))) };
        self.strike_mut(id).who = format!("{}: {name}{subject}", self.names(&machines(&to)));
        for node in to {
            self.executing = Some(MachineId(node.0));
            let order = P::order(name, &about);
            self.executing = None;
            self.queue.push(self.queue.now(), Event::Admin(node, order, Some(id)));
        }
    }

    /// An operator with patience looks now and then whether somebody has taken the order up.
    fn operator_waits(&mut self, id: StrikeId, patience: Option<Nanos>, dice: Dice) -> Undo {
        if patience.is_none() {
            return Undo::Nothing;
        }
        self.queue.push(self.queue.now() + OPERATOR_LOOKS_EVERY, Event::Repeat(id));
        Undo::Order(Box::new(dice))
    }

    /// The operator looks. If nobody has taken the order up, it is given again, to and about whoever that means now.
    pub(super) fn repeat(&mut self, id: StrikeId) {
        let strike = self.strike_mut(id);
        if strike.to.is_some() {
            return;
        }
        if strike.effects > 0 {
            return self.mend(id);
        }
        let Undo::Order(mut dice) = strike.undo.clone() else { return };
        let fault = strike.fault;
        let FaultKind::Operate { order, to, about } = self.faults.faults[fault].kind.clone() else { return };
        self.stamp(Tag::Strike, fault as u32, id.0);
        self.order(id, &order, [&to, &about], &mut dice);
        self.strike_mut(id).undo = Undo::Order(dice);
        self.queue.push(self.queue.now() + OPERATOR_LOOKS_EVERY, Event::Repeat(id));
    }

    pub(super) fn resolve_nodes(&mut self, id: StrikeId, targets: &[Target], dice: &mut Dice) -> Vec<NodeId> {
        let machines = self.resolve(id, targets, Scope::Nodes, &BTreeSet::new(), dice);
        machines.into_iter().filter_map(|machine| self.node_at(machine)).collect()
    }

    fn let_through(&mut self, machine: MachineId) {
        let now = self.queue.now();
        *self.kept_back(machine) -= 1;
        self.host_mut(machine).let_in(now);
        if let Some(node) = self.node_at(machine) {
            self.release(node);
        }
        self.arrange_ready(machine);
    }

    fn resume(&mut self, machine: MachineId) {
        *self.host_mut(machine).pauses() -= 1;
        if let Some(node) = self.node_at(machine) {
            self.release(node);
        }
        self.arrange_ready(machine);
    }
}
