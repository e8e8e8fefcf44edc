//! Faults of machines: clocks that go wrong, CPUs that get slow, machines that are lost with all they had.

use super::strike::Undo;
use super::target::Scope;
use super::{Event, World};
use crate::clock::Clock;
use crate::delay::Delay;
use crate::dice::{Dice, Ratio};
use crate::disk::Journal;
use crate::fault::{ClockHarm, DiskFate, Target, Which};
use crate::machine::MachineId;
use crate::network::StrikeId;
use crate::protocol::{NodeId, Protocol, Why};
use crate::time::Nanos;
use std::collections::BTreeSet;

/// What makes a node's CPU slow.
#[derive(Clone, Debug)]
pub(super) struct Slowness {
    strike: StrikeId,
    slower: Ratio,
    extra: Delay,
    /// For `extra` alone: what else is drawn on the node stays as it was.
    pub(super) dice: Dice,
}

impl Slowness {
    fn of(&mut self, takes: Nanos) -> Nanos {
        let longer = u128::from(takes) * u128::from(self.slower.numerator) / u128::from(self.slower.denominator);
        let longer = Nanos::try_from(longer).unwrap_or(Nanos::MAX);
        longer.saturating_add(self.extra.draw_if_random(&mut self.dice))
    }
}

impl<P: Protocol> World<P> {
    pub(super) fn harm_clocks(&mut self, id: StrikeId, target: &[Target], harm: ClockHarm, dice: &mut Dice) -> Undo {
        let machines = self.resolve(id, target, Scope::Nodes, &BTreeSet::new(), dice);
        let ClockHarm { which, step, rate_ppb, freeze } = harm;
        let now = self.queue.now();
        for &machine in &machines {
            self.host_mut(machine).clock_faults().push(id);
            self.change_clocks(machine, which, |clock| {
                let clock = clock.stepped(now, step).gaining(now, rate_ppb);
                if freeze { clock.stopped(now) } else { clock }
            });
        }
        self.name_struck(id, &machines, 0);
        Undo::Clock(machines, harm)
    }

    /// Takes back what the end of the fault takes back; where the clock stands then, it goes on from.
    pub(super) fn mend_clock(&mut self, id: StrikeId, machine: MachineId, harm: ClockHarm) {
        self.host_mut(machine).clock_faults().retain(|fault| *fault != id);
        let now = self.queue.now();
        self.change_clocks(machine, harm.which, |clock| {
            let clock = clock.gaining(now, -harm.rate_ppb);
            if harm.freeze { clock.released(now) } else { clock }
        });
    }

    fn change_clocks(&mut self, machine: MachineId, which: Which, change: impl Fn(Clock) -> Clock) {
        let now = self.queue.now();
        let host = self.host_mut(machine);
        let clocks = host.clocks().changed(which, change);
        for (call, at) in host.set_clocks(clocks, now) {
            self.queue.push(at, Event::Alarm { machine, call });
        }
    }

    /// A process took a step with a clock that these faults make wrong.
    pub(super) fn count_clock_faults(&mut self, machine: MachineId) {
        for fault in self.host_mut(machine).clock_faults().clone() {
            self.faults.count(Some(fault));
        }
    }

    /// Clients take no time to think of what comes next, and so none takes longer.
    pub(super) fn slow_cpus(
        &mut self,
        id: StrikeId,
        target: &[Target],
        (slower, extra): (Ratio, &Delay),
        dice: &mut Dice,
    ) -> Undo {
        let nodes = self.resolve_nodes(id, target, dice);
        for &node in &nodes {
            let dice = self.faults.dice_on(id, &node.to_string());
            let slowness = Slowness { strike: id, slower, extra: extra.clone(), dice };
            self.nodes[node.0 as usize].slowed.push(slowness);
        }
        let machines: Vec<MachineId> = nodes.iter().map(|node| MachineId(node.0)).collect();
        self.name_struck(id, &machines, 0);
        Undo::Cpu(nodes)
    }

    pub(super) fn mend_cpu(&mut self, id: StrikeId, node: NodeId) {
        self.nodes[node.0 as usize].slowed.retain(|slowness| slowness.strike != id);
    }

    /// How long a step takes on a slow CPU that takes so long as a rule. Of several faults the worst decides: multiplied
    /// they would make a step of minutes, which no end of a fault could take back.
    #[cold]
    pub(super) fn slow_down(&mut self, node: NodeId, takes: Nanos) -> Nanos {
        let now = self.queue.now();
        let host = &mut self.nodes[node.0 as usize];
        let takes = host.slowed.iter_mut().map(|slowness| slowness.of(takes)).max().unwrap_or(takes);
        host.machine.strained.note(now, now.saturating_add(takes));
        for slowness in &self.nodes[node.0 as usize].slowed {
            self.faults.count(Some(slowness.strike));
        }
        takes
    }

    /// Without a length, they are lost for good.
    pub(super) fn lose_all(&mut self, id: StrikeId, target: &[Target], length: Option<Nanos>, dice: &mut Dice) -> Undo {
        let machines = self.resolve(id, target, Scope::Nodes, &BTreeSet::new(), dice);
        let effects = machines.iter().map(|&machine| self.lose(machine)).sum();
        self.name_struck(id, &machines, effects);
        if length.is_some() { Undo::Replace(machines) } else { Undo::Gone(machines) }
    }

    /// A machine is lost. How much that did: the process, if it was alive, and every record on its disk.
    fn lose(&mut self, machine: MachineId) -> u64 {
        let killed = self.crash(machine, DiskFate::LoseUnsynced, "its disk is lost with it: ");
        let Some(node) = self.node_at(machine) else { return killed };
        let host = &mut self.nodes[node.0 as usize];
        let records = host.journal.slots().len() as u64;
        host.journal = Journal::new();
        host.lost_disk = true;
        self.lift_stop(node);
        killed + records
    }

    /// Why a process begins on a machine that is up again.
    pub(super) fn why_back(&self, machine: MachineId) -> Why {
        let is_empty = |node: NodeId| {
            let host = &self.nodes[node.0 as usize];
            host.lost_disk && host.journal.slots().is_empty()
        };
        if self.node_at(machine).is_some_and(is_empty) { Why::Replacement } else { Why::Restart }
    }
}
