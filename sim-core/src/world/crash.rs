//! How processes die, at once or in the middle of a step, and come back.

use super::deliver::Tag;
use super::strike::{Down, Undo};
use super::target::Scope;
use super::{Event, Passage, RoleChange, World};
use crate::dice::{Dice, scale};
use crate::fault::{DiskFate, Moment, Target};
use crate::machine::MachineId;
use crate::network::StrikeId;
use crate::protocol::{ClientId, Effect, NodeId, Protocol};
use crate::time::Nanos;
use crate::trace::What;
use std::collections::BTreeSet;

/// Why what a dead process had not read, and what was on its way to it, is lost.
const WENT_DOWN: &str = "its machine went down";

/// A node is to die in the middle of its next step that leaves a mark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doom {
    strike: StrikeId,
    disk: DiskFate,
    /// How long it will be down.
    length: Option<Nanos>,
    /// Where in the step, of 2^64: drawn before anybody knows what the step will ask for.
    lot: u64,
}

impl Doom {
    /// After how many of a step's marks it strikes.
    fn after(&self, marks: usize) -> usize {
        scale(self.lot, marks as u64) as usize
    }
}

/// Whether somebody or something could tell later that this was done.
pub(super) fn leaves_mark<P: Protocol>(effect: &Effect<P>) -> bool {
    match effect {
        Effect::Send(..) | Effect::Tell(..) | Effect::Persist(_) | Effect::PersistLater(..) | Effect::Snapshot(_) => {
            true
        }
        Effect::Truncate(_)
        | Effect::Arm(..)
        | Effect::Disarm(_)
        | Effect::Observe(_)
        | Effect::TookEffect(..)
        | Effect::Halt(_) => false,
    }
}

impl<P: Protocol> World<P> {
    pub(super) fn crash_all(
        &mut self,
        id: StrikeId,
        target: &[Target],
        (disk, moment): (DiskFate, Moment),
        length: Option<Nanos>,
        dice: &mut Dice,
    ) -> Undo {
        let machines = self.resolve(id, target, Scope::Nodes, &BTreeSet::new(), dice);
        let until = length.map_or(Nanos::MAX, |length| self.queue.now().saturating_add(length));
        let (mut downs, mut effects) = (Vec::new(), 0);
        for &machine in &machines {
            match (moment, self.node_at(machine)) {
                (Moment::Within, Some(node)) => {
                    let doom = Doom { strike: id, disk, length, lot: dice.bits() };
                    self.nodes[node.0 as usize].dooms.push(doom);
                }
                (Moment::Between, _) | (Moment::Within, None) => {
                    effects += self.crash(machine, disk, "");
                    downs.push(Down { machine, until });
                }
            }
        }
        self.name_struck(id, &machines, effects);
        Undo::Crash(downs)
    }

    /// How many of these effects that leave a mark are done before the node dies, if it is to die in this step.
    #[inline]
    pub(super) fn last_marks(&self, node: NodeId, effects: &[Effect<P>]) -> Option<usize> {
        let doom = self.nodes[node.0 as usize].dooms.first()?;
        let marks = effects.iter().filter(|effect| leaves_mark(effect)).count();
        (marks > 0).then(|| doom.after(marks))
    }

    /// A node dies in the middle of a step, after so many marks.
    pub(super) fn die_within(&mut self, node: NodeId, marks: usize) {
        let doom = self.nodes[node.0 as usize].dooms.remove(0);
        let machine = MachineId(node.0);
        let effects = self.crash(machine, doom.disk, &format!("within a step, after {marks} of its effects: "));
        let until = doom.length.map_or(Nanos::MAX, |length| self.queue.now().saturating_add(length));
        let strike = self.strike_mut(doom.strike);
        strike.effects += effects;
        let Undo::Crash(downs) = &mut strike.undo else { panic!("a crash is undone as one") };
        downs.push(Down { machine, until });
        if doom.length.is_some() {
            self.queue.push(until, Event::Mend(doom.strike));
        }
        self.record_epoch();
    }

    /// Spares whom a crash has still to kill, and takes those from it whose time is over.
    pub(super) fn due_for_restart(&mut self, id: StrikeId) -> Vec<MachineId> {
        let (now, healed) = (self.queue.now(), self.faults.healed);
        let Undo::Crash(downs) = &mut self.strike_mut(id).undo else { return Vec::new() };
        let (due, rest): (Vec<Down>, Vec<Down>) = downs.iter().partition(|down| healed || down.until <= now);
        *downs = rest;
        for node in &mut self.nodes {
            node.dooms.retain(|doom| doom.strike != id);
        }
        due.into_iter().map(|down| down.machine).collect()
    }

    /// Whether a crash keeps somebody down.
    pub(super) fn keeps_down(&mut self, id: StrikeId) -> bool {
        matches!(&self.strike_mut(id).undo, Undo::Crash(downs) if !downs.is_empty())
    }

    /// A process dies. How much that did: the process itself if it was alive, and every record lost with it.
    ///
    /// `how` is for the trace.
    pub(super) fn crash(&mut self, machine: MachineId, disk: DiskFate, how: &str) -> u64 {
        let Some(node) = self.node_at(machine) else { return self.crash_client(self.client_at(machine)) };
        let index = node.0 as usize;
        let host = &mut self.nodes[index];
        host.machine.downs += 1;
        if host.machine.downs > 1 {
            return 0;
        }
        let unread = host.machine.crash();
        host.outbox.clear();
        host.role = None;
        let records = host.journal.crash(disk, &mut host.disk_dice);
        self.processes[index] = None;
        self.roles.push(RoleChange { at: self.queue.now(), node, role: None });
        self.passages.push(Passage { at: self.queue.now(), node, is_up: false });
        self.stamp(Tag::Crash, machine.0, records as u32);
        self.row(What::Crash, |_| (node.to_string(), String::new(), format!("{how}{records} records lost")));
        for (input, from) in unread.iter().filter_map(|input| Some((input, input.sender()?))) {
            self.row(What::Lost, |_| (from, node.to_string(), format!("{}: {WENT_DOWN}", input.text())));
        }
        self.cut_off(machine);
        1 + records
    }

    fn crash_client(&mut self, client: ClientId) -> u64 {
        let host = &mut self.clients[client.0 as usize];
        host.machine.downs += 1;
        if host.machine.downs > 1 {
            return 0;
        }
        let unread = host.machine.crash();
        host.process = None;
        let machine = host.machine.id;
        self.stamp(Tag::Crash, machine.0, 0);
        self.row(What::Crash, |_| (client.to_string(), String::new(), String::new()));
        for (input, from) in unread.iter().filter_map(|input| Some((input, input.sender()?))) {
            self.row(What::Lost, |_| (from, client.to_string(), format!("{}: {WENT_DOWN}", input.text())));
        }
        self.cut_off(machine);
        1
    }

    /// What was on its way to a dead process is lost, and what waited to leave its machine.
    fn cut_off(&mut self, machine: MachineId) {
        let machines = (self.nodes.len() + self.clients.len()) as u32;
        (0..machines).for_each(|other| self.disconnect(MachineId(other), machine, WENT_DOWN));
        let waited = self.stalls.keys().filter(|(from, _)| *from == machine).copied().collect::<Vec<_>>();
        waited.into_iter().for_each(|(from, to)| self.disconnect(from, to, WENT_DOWN));
    }

    pub(super) fn restart(&mut self, machine: MachineId) {
        let downs = self.host_mut(machine).downs();
        *downs -= 1;
        if *downs == 0 {
            self.boot(machine, self.why_back(machine));
        } else {
            self.faults.count_kept_down(machine);
        }
    }
}
