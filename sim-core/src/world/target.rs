//! Whom a fault strikes: targets are resolved to machines when it does.

use super::World;
use crate::dice::Dice;
use crate::fault::{Count, Target, Who};
use crate::machine::MachineId;
use crate::network::StrikeId;
use crate::protocol::{NodeId, Protocol};
use std::collections::{BTreeMap, BTreeSet};

/// What a place stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything in it, for faults of the network.
    Machines,
    /// The nodes in it, for faults of processes.
    Nodes,
}

impl<P: Protocol> World<P> {
    /// The machines of every group of a partition.
    pub(super) fn resolve_groups(
        &mut self,
        id: StrikeId,
        groups: &[Vec<Target>],
        dice: &mut Dice,
    ) -> Vec<Vec<MachineId>> {
        let is_others = |target: &Target| target.who == Who::Others;
        let mut taken: BTreeSet<MachineId> = BTreeSet::new();
        let mut known: Vec<(&Target, Vec<MachineId>)> = Vec::new();
        let mut resolved: Vec<Vec<MachineId>> = Vec::new();
        for targets in groups {
            let (mut group, mut met) = (BTreeSet::new(), Vec::new());
            for target in targets.iter().filter(|target| !is_others(target)) {
                // Who is meant to be on two sides is, by the same target. Else nobody is: who is met by several stays with the
                // first, and lots are drawn among the rest.
                let machines = match known.iter().find(|(earlier, _)| *earlier == target) {
                    Some((_, machines)) => machines.clone(),
                    None => self.resolve(id, std::slice::from_ref(target), Scope::Machines, &taken, dice),
                };
                group.extend(&machines);
                met.push((target, machines));
            }
            known.extend(met);
            taken.extend(&group);
            resolved.push(group.into_iter().collect());
        }
        let placed = groups
            .iter()
            .flatten()
            .any(|target| target.who.is_place() || matches!(target.who, Who::Clients | Who::Client(_)));
        let machines = self.nodes.len() + if placed { self.clients.len() } else { 0 };
        for (group, targets) in resolved.iter_mut().zip(groups) {
            if let Some(others) = targets.iter().find(|target| is_others(target)) {
                let rest = (0..machines as u32).map(MachineId).filter(|machine| !taken.contains(machine));
                let rest: Vec<MachineId> = rest.collect();
                self.note_met(id, others, &rest);
                group.extend(rest);
            }
        }
        resolved
    }

    /// The machines that some targets stand for right now, in order. The strike remembers whom each of them met.
    pub(super) fn resolve(
        &mut self,
        id: StrikeId,
        targets: &[Target],
        scope: Scope,
        taken: &BTreeSet<MachineId>,
        dice: &mut Dice,
    ) -> Vec<MachineId> {
        let mut machines = BTreeSet::new();
        for target in targets {
            let scope = if target.count == Count::All { scope } else { Scope::Nodes };
            let mut candidates = self.candidates(&target.who, scope, taken, dice);
            let count = match target.count {
                Count::All => candidates.len(),
                Count::Some(count) => count as usize,
                Count::Half => candidates.len() / 2,
            };
            if count < candidates.len() {
                dice.draw_to_front(&mut candidates, count);
                candidates.truncate(count);
            }
            self.note_met(id, target, &candidates);
            machines.extend(candidates);
        }
        machines.into_iter().collect()
    }

    fn note_met(&mut self, id: StrikeId, target: &Target, machines: &[MachineId]) {
        let names = machines.iter().map(|&machine| self.machine_name(machine)).collect();
        self.strike_mut(id).met.push((target.clone(), names));
    }

    fn candidates(&self, who: &Who, scope: Scope, taken: &BTreeSet<MachineId>, dice: &mut Dice) -> Vec<MachineId> {
        let nodes = self.nodes.len();
        let all_nodes = || (0..nodes as u32).map(MachineId).collect::<Vec<_>>();
        let all_machines = || (0..(nodes + self.clients.len()) as u32).map(MachineId);
        let placed = || all_machines().take(if scope == Scope::Nodes { nodes } else { usize::MAX });
        let mut some_nodes = |count: usize| {
            let mut drawn = all_nodes();
            // The whole order is drawn, so that it costs as many draws whoever is taken.
            dice.draw_to_front(&mut drawn, nodes);
            drawn.retain(|machine| !taken.contains(machine));
            drawn.truncate(count);
            drawn
        };
        let mut found = match who {
            Who::All => all_nodes(),
            Who::Any => some_nodes(1),
            Who::Minority => some_nodes((nodes - 1) / 2),
            Who::Majority => some_nodes(nodes / 2 + 1),
            Who::Others => Vec::new(),
            Who::Role(role) => self.holders(role),
            Who::Node(NodeId(node)) => vec![MachineId(*node)],
            Who::Zone(zone) => placed().filter(|&machine| self.network.zone(machine).name == *zone).collect(),
            Who::Region(region) => placed().filter(|&machine| self.network.zone(machine).region == *region).collect(),
            Who::Provider(provider) => {
                placed().filter(|&machine| self.network.zone(machine).provider.as_ref() == Some(provider)).collect()
            }
            Who::Clients => (0..self.clients.len())
                .filter(|&c| !self.clients[c].setup.workload.reads_finally())
                .map(|c| self.clients[c].machine.id)
                .collect(),
            Who::Client(client) => vec![self.machine_of(*client)],
        };
        found.retain(|machine| !taken.contains(machine));
        found
    }

    /// The nodes that hold a role. Of a role that no two nodes have held in one term, such as leader, only the one with
    /// the highest term: others who still believe they hold it are behind the times.
    fn holders(&self, role: &str) -> Vec<MachineId> {
        let held = |node: &super::Node<P>| node.role.filter(|(held, _)| *held == role).map(|(_, term)| term);
        let highest = self.nodes.iter().filter_map(held).max();
        let is_sole = self.is_sole(role);
        let holds = |node: &&super::Node<P>| held(node).is_some() && (!is_sole || held(node) == highest);
        self.nodes.iter().filter(holds).map(|node| node.machine.id).collect()
    }

    /// Whether no two nodes have held this role in one term so far.
    fn is_sole(&self, role: &str) -> bool {
        let mut holders = BTreeMap::new();
        let mut taken = self.roles.iter().filter_map(|change| Some((change.node, change.role?)));
        taken.all(|(node, (held, term))| held != role || *holders.entry(term).or_insert(node) == node)
    }

    pub(super) fn names(&self, machines: &[MachineId]) -> String {
        if machines.is_empty() {
            return "nobody".to_owned();
        }
        let names: Vec<String> = machines.iter().map(|&machine| self.machine_name(machine)).collect();
        names.join(" ")
    }
}
