//! What is wrong with disks, and what comes of it.
//!
//! A healthy disk costs one look at an empty list. On a struck one every write and every flush is put to each fault in
//! turn, which throws dice of its own. What the journal makes of it stands in `disk.rs`; here is who hears of it.
//!
//! A process whose disk reports an error decides itself ([`Protocol::on_disk_error`]); most stop. Somebody watches over
//! them, as systemd would, and starts them again a second later, or when the disk takes writes again. What they find then
//! is what the disk has, and not what the operating system still shows: pages that could not be written are marked clean
//! and look as if they were safe, and a process that believed them would promise anew what is lost already (Rebello et
//! al., ATC 2020). A process that halts by itself stays down, since it would find the same disk again.

use super::strike::Undo;
use super::target::Scope;
use super::{Event, Input, World};
use crate::dice::{Dice, Ratio, Streams};
use crate::disk::Flush;
use crate::fault::{DiskFate, Target};
use crate::harm::{DiskHarm, Failing};
use crate::machine::MachineId;
use crate::network::StrikeId;
use crate::protocol::{DiskError, Effect, NodeId, Protocol};
use crate::strain::{Span, Spans};
use crate::time::{Nanos, SECOND};
use std::collections::BTreeSet;

/// So long after its disk has stopped it a process is started again, at the earliest.
const STARTED_AGAIN_AFTER: Nanos = SECOND;

/// Everything that is wrong with a node's disk, and what has come of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Ills {
    list: Vec<Ill>,
    /// The flush that a stall keeps from ending: since when, and whose it is.
    stuck: Option<(Nanos, u32)>,
    /// When flushes took long.
    slow: Spans,
    /// What keeps the process from being started again.
    stop: Option<Stop>,
    /// When a process was stopped, and until when; until now if `None`.
    stops: Vec<(Nanos, Option<Nanos>)>,
}

/// One fault on one disk.
#[derive(Clone, Debug)]
struct Ill {
    strike: StrikeId,
    harm: DiskHarm,
    dice: Dice,
    /// An error that comes once has come.
    is_spent: bool,
}

#[derive(Clone, Copy, Debug)]
enum Stop {
    /// The disk reported an error. It is not started again before this.
    ByDisk(Nanos),
    /// It refuses to serve.
    ForGood,
}

impl Ills {
    #[inline]
    pub(super) fn is_well(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether what is written now can get to the disk.
    pub(super) fn takes_writes(&self) -> bool {
        !self.list.iter().any(|ill| ill.harm.takes_nothing())
    }

    fn stalls(&self) -> bool {
        self.list.iter().any(|ill| ill.harm.stall)
    }

    pub(super) fn rekey(&mut self, streams: Streams) {
        self.list.iter_mut().for_each(|ill| ill.dice.rekey(streams));
    }

    /// A flush takes from then to then.
    #[inline]
    pub(super) fn note_flush(&mut self, from: Nanos, to: Nanos) {
        self.slow.note(from, to);
    }

    /// When its flushes took long, up to now.
    pub(super) fn slow(&self, now: Nanos) -> Vec<Span> {
        let mut slow = self.slow.clone();
        if let Some((since, _)) = self.stuck {
            slow.note(since, now);
        }
        slow.into_vec()
    }

    /// When it had stopped a process, up to now.
    pub(super) fn stopped(&self, now: Nanos) -> Vec<Span> {
        self.stops.iter().map(|(from, to)| (*from, to.unwrap_or(now))).collect()
    }
}

impl Ill {
    /// Whether this is one of the share that meets with it. Who meets none throws no dice.
    fn meets(&mut self, share: Ratio) -> bool {
        share != Ratio::ZERO && self.dice.chance(share)
    }

    /// Whether this one fails.
    fn fails(&mut self, what: Failing) -> bool {
        match self.harm.error.filter(|failure| failure.of == what).map(|failure| failure.share) {
            None => false,
            Some(Some(share)) => self.meets(share),
            Some(None) => !std::mem::replace(&mut self.is_spent, true),
        }
    }

    /// Why it takes no record just now.
    fn refuses(&mut self) -> Option<DiskError> {
        let fails = self.fails(Failing::Write).then_some(DiskError::Write);
        self.harm.refusal.map(|refusal| refusal.error()).or(fails)
    }
}

/// What the disk has refused of one step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Refused {
    /// Why; from then on the step writes nothing more.
    pub(super) error: Option<DiskError>,
    /// Something refused was to be on disk before anything leaves.
    holds: bool,
}

impl<P: Protocol> World<P> {
    pub(super) fn harm_disks(&mut self, id: StrikeId, target: &[Target], harm: &DiskHarm, dice: &mut Dice) -> Undo {
        let machines = self.resolve(id, target, Scope::Nodes, &BTreeSet::new(), dice);
        let nodes: Vec<NodeId> = machines.iter().filter_map(|machine| self.node_at(*machine)).collect();
        let mut rotten = 0;
        for node in &nodes {
            let mut dice = self.faults.dice_on(id, &node.to_string());
            let host = &mut self.nodes[node.0 as usize];
            if harm.rot > 0 {
                rotten += host.journal.rot(harm.rot, &mut dice);
            }
            if harm.lasts() {
                host.ills.list.push(Ill { strike: id, harm: harm.clone(), dice, is_spent: false });
            }
        }
        self.name_struck(id, &machines, rotten);
        if harm.lasts() { Undo::Disks(nodes) } else { Undo::Nothing }
    }

    pub(super) fn mend_disk(&mut self, id: StrikeId, node: NodeId) {
        let now = self.queue.now();
        let ills = &mut self.nodes[node.0 as usize].ills;
        ills.list.retain(|ill| ill.strike != id);
        if !ills.stalls()
            && let Some((since, incarnation)) = ills.stuck.take()
        {
            ills.slow.note(since, now);
            self.queue.push(now, Event::Flushed { node, incarnation });
        }
        self.supervise_from(node, now);
    }

    /// How much longer a flush that begins now takes.
    pub(super) fn slowed(&mut self, node: NodeId) -> Nanos {
        let mut more: Nanos = 0;
        for ill in &mut self.nodes[node.0 as usize].ills.list {
            if let Some(latency) = &ill.harm.latency {
                more = more.saturating_add(latency.draw(&mut ill.dice));
                self.faults.count(Some(ill.strike));
            }
        }
        more
    }

    /// How the flush that is due now ends; `None` if it does not.
    pub(super) fn how_flush_ends(&mut self, node: NodeId) -> Option<Flush> {
        let (now, host) = (self.queue.now(), &mut self.nodes[node.0 as usize]);
        if host.ills.stalls() {
            host.ills.stuck = Some((now, host.machine.incarnation));
            for ill in host.ills.list.iter().filter(|ill| ill.harm.stall) {
                self.faults.count(Some(ill.strike));
            }
            return None;
        }
        let mut how = Flush::Done;
        if !host.journal.flush_writes() {
            return Some(how);
        }
        for ill in &mut host.ills.list {
            let (fails, lies) = (ill.fails(Failing::Flush), ill.meets(ill.harm.lie));
            if fails || lies {
                self.faults.count(Some(ill.strike));
            }
            how = match (fails, lies, how) {
                (true, ..) | (_, _, Flush::Failed) => Flush::Failed,
                (_, true, _) | (_, _, Flush::Lied) => Flush::Lied,
                (false, false, Flush::Done) => Flush::Done,
            };
        }
        Some(how)
    }

    /// Whether a struck disk keeps this from being done: it does not take a record, or has not taken one that was to be on
    /// disk before this leaves.
    pub(super) fn is_refused(&mut self, node: NodeId, effect: &Effect<P>, refused: &mut Refused) -> bool {
        match effect {
            Effect::Persist(_) | Effect::PersistLater(..) | Effect::Snapshot(_) => {
                refused.error = refused.error.or_else(|| self.refusal(node));
                refused.holds |= refused.error.is_some() && !matches!(effect, Effect::PersistLater(..));
                refused.error.is_some()
            }
            Effect::Send(..) | Effect::Tell(..) => refused.holds,
            Effect::Truncate(_)
            | Effect::Arm(..)
            | Effect::Disarm(_)
            | Effect::Observe(_)
            | Effect::TookEffect(..)
            | Effect::Halt(_) => false,
        }
    }

    fn refusal(&mut self, node: NodeId) -> Option<DiskError> {
        let mut error = None;
        for ill in &mut self.nodes[node.0 as usize].ills.list {
            if let Some(refuses) = ill.refuses() {
                self.faults.count(Some(ill.strike));
                error = error.or(Some(refuses));
            }
        }
        error
    }

    /// Of the records that a step has written, from this position on, some get lost on their way to the disk, or end up on
    /// others.
    pub(super) fn misplace(&mut self, node: NodeId, from: usize) {
        let host = &mut self.nodes[node.0 as usize];
        for position in from..host.journal.end() {
            for ill in &mut host.ills.list {
                let (is_lost, strays) = (ill.meets(ill.harm.lose), ill.meets(ill.harm.misdirect));
                if is_lost || strays {
                    host.journal.lose(position);
                    self.faults.count(Some(ill.strike));
                }
                if strays && host.journal.overwrite(&mut ill.dice) {
                    self.faults.count(Some(ill.strike));
                }
            }
        }
    }

    /// Tells a process that its disk reports an error, before it hears of anything else.
    pub(super) fn report(&mut self, node: NodeId, error: DiskError) {
        let now = self.queue.now();
        self.nodes[node.0 as usize].machine.queue_first(Input::DiskError(error), now);
        self.wait(MachineId(node.0));
    }

    /// A process dies of its disk.
    pub(super) fn stop(&mut self, node: NodeId, error: DiskError) {
        let due = self.queue.now() + STARTED_AGAIN_AFTER;
        self.end(node, DiskFate::LoseUnsynced, &format!("{error}: "), Stop::ByDisk(due));
        self.queue.push(due, Event::Supervise(node));
    }

    /// A process refuses to serve.
    pub(super) fn halt(&mut self, node: NodeId, why: &str) {
        self.end(node, DiskFate::Keep, &format!("it refuses to serve, {why}: "), Stop::ForGood);
    }

    fn end(&mut self, node: NodeId, disk: DiskFate, how: &str, stop: Stop) {
        let now = self.queue.now();
        self.crash(MachineId(node.0), disk, how);
        let ills = &mut self.nodes[node.0 as usize].ills;
        ills.stop = Some(stop);
        ills.stops.push((now, None));
        self.record_epoch();
    }

    fn supervise_from(&mut self, node: NodeId, now: Nanos) {
        match self.nodes[node.0 as usize].ills.stop {
            Some(Stop::ByDisk(due)) => self.queue.push(due.max(now), Event::Supervise(node)),
            Some(Stop::ForGood) | None => {}
        }
    }

    /// Starts a process again that its disk has stopped, if it is time for that and the disk takes writes.
    pub(super) fn supervise(&mut self, node: NodeId) {
        let now = self.queue.now();
        let ills = &mut self.nodes[node.0 as usize].ills;
        match ills.stop {
            Some(Stop::ByDisk(due)) if due <= now && ills.takes_writes() => {}
            Some(Stop::ByDisk(_) | Stop::ForGood) | None => return,
        }
        self.end_stop(node);
        self.restart(MachineId(node.0));
        self.record_epoch();
    }

    /// What stopped the process is gone with the disk; only faults keep the machine down from now on.
    pub(super) fn lift_stop(&mut self, node: NodeId) {
        if self.end_stop(node) {
            self.nodes[node.0 as usize].machine.downs -= 1;
        }
    }

    /// Whether a stop was there to be ended.
    fn end_stop(&mut self, node: NodeId) -> bool {
        let now = self.queue.now();
        let ills = &mut self.nodes[node.0 as usize].ills;
        let was_stopped = ills.stop.take().is_some();
        if let Some((_, to)) = ills.stops.last_mut().filter(|_| was_stopped) {
            *to = Some(now);
        }
        was_stopped
    }
}
