//! Each law is seen to bite: nodes made by hand that break it, and the breach named.

use super::*;
use crate::machine::Machine;
use crate::multipaxos::leading::Leadership;
use crate::multipaxos::reports::Reports;
use crate::multipaxos::snapshots::{Position, Snapshot};
use crate::multipaxos::{MultiPaxosLaws, Role};
use crate::snapshots::Bytes;
use sim_core::laws::{Breach, Laws, Nodes};
use sim_core::time::LocalTime;

/// Three nodes under observation.
struct Watch {
    nodes: Vec<Option<Node>>,
    laws: MultiPaxosLaws<Register>,
}

impl Watch {
    fn new() -> Self {
        let mut watch = Watch { nodes: vec![None; 3], laws: MultiPaxosLaws::new(3) };
        for me in [N1, N2, N3] {
            watch.nodes[me.0 as usize] = Some(Node { me, ..solo(3, plain()).node });
            watch.laws.after_start(me, &Nodes::new(&watch.nodes)).expect("lawful");
        }
        watch
    }

    /// A step leaves the node like this.
    fn step(&mut self, node: NodeId, change: impl FnOnce(&mut Node)) -> Result<(), Breach> {
        change(self.nodes[node.0 as usize].as_mut().expect("up"));
        self.laws.after_step(node, &Nodes::new(&self.nodes))
    }

    fn lawful(&mut self, node: NodeId, change: impl FnOnce(&mut Node)) {
        self.step(node, change).expect("lawful");
    }

    /// The law that this step breaks.
    fn breach(&mut self, node: NodeId, change: impl FnOnce(&mut Node)) -> &'static str {
        self.step(node, change).expect_err("a breach").law
    }

    /// n1 and n2 have accepted it in ballot 1 to write 7 in slot 1, and n1 has executed it.
    fn chosen() -> Self {
        let mut watch = Watch::new();
        for node in [N1, N2] {
            watch.lawful(node, |node| accepts(node, 1, b(1, N1), 7));
        }
        watch.lawful(N1, executes);
        watch
    }
}

fn accepts(node: &mut Node, slot: Slot, ballot: Ballot, written: i64) {
    node.promised = node.promised.max(ballot);
    node.log.put(slot, entry(ballot, written));
}

fn executes(node: &mut Node) {
    node.execute_next(&mut Desk::new(node.me, 1).ctx());
}

fn leads(node: &mut Node, ballot: Ballot) {
    (node.promised, node.ballot) = (ballot, ballot);
    leads_from(node, node.first_open(), Reports::default());
}

/// It leads, everybody has promised, and this is what they reported.
fn leads_from(node: &mut Node, next: Slot, reported: Reports<RegisterOp>) {
    let promised = vec![N1, N2, N3];
    node.role = Role::Leader(Box::new(Leadership::new(next, promised, reported, (LocalTime(0), 0))));
}

fn keeps(node: &mut Node, slot: Slot, written: i64) {
    let contents = Bytes::write(&Machine::<Register> { data: int(written), ..Machine::default() });
    let members = node.members.known().clone();
    node.snapshot = Some(Snapshot { last: Position { slot, time: 0 }, members, contents });
}

#[test]
fn nobody_executes_what_another_did_not() {
    let mut watch = Watch::chosen();
    assert_eq!(watch.breach(N3, |node| (accepts(node, 1, b(2, N3), 8), executes(node)).1), "agreement");
    let mut watch = Watch::chosen();
    watch.lawful(N2, executes);
}

#[test]
fn what_is_executed_a_quorum_has_accepted_in_one_ballot() {
    let mut watch = Watch::new();
    watch.lawful(N1, |node| accepts(node, 1, b(1, N1), 7));
    watch.lawful(N2, |node| accepts(node, 1, b(2, N2), 7));
    assert_eq!(watch.breach(N1, executes), "chosen by a quorum");
}

/// It was accepted before the crash, so it counts after it.
#[test]
fn what_was_accepted_counts_whatever_became_of_the_acceptor() {
    let mut watch = Watch::new();
    watch.lawful(N1, |node| accepts(node, 1, b(1, N1), 7));
    watch.lawful(N2, |node| accepts(node, 1, b(1, N1), 7));
    watch.nodes[1] = None;
    watch.lawful(N1, executes);
}

#[test]
fn a_ballot_has_one_command_a_slot() {
    let mut watch = Watch::new();
    watch.lawful(N1, |node| accepts(node, 1, b(1, N1), 7));
    assert_eq!(watch.breach(N2, |node| accepts(node, 1, b(1, N1), 8)), "one command a ballot");
}

#[test]
fn a_ballot_has_one_leader() {
    let mut watch = Watch::new();
    watch.lawful(N1, |node| leads(node, b(1, N1)));
    assert_eq!(watch.breach(N2, |node| leads(node, b(1, N1))), "one leader a ballot");
}

#[test]
fn a_leader_has_what_was_chosen_before() {
    let mut watch = Watch::chosen();
    assert_eq!(watch.breach(N3, |node| leads(node, b(2, N3))), "leader completeness");
    let mut watch = Watch::chosen();
    let mut reported = Reports::default();
    reported.hear(N1, Held { slot: 1, entry: entry(b(1, N1), 7) }, &Flaws::default());
    watch.lawful(N3, |node| {
        leads(node, b(2, N3));
        leads_from(node, 1, reported);
    });
}

/// A leader of a lower ballot need not know what a later one had chosen.
#[test]
fn a_leader_may_lack_what_was_chosen_after_it() {
    let mut watch = Watch::chosen();
    watch.lawful(N3, |node| leads(node, Ballot { round: 0, node: N3 }));
}

#[test]
fn nothing_falls_while_a_process_lives() {
    let mut watch = Watch::chosen();
    assert_eq!(watch.breach(N1, |node| node.promised = Ballot::ZERO), "promise never falls");
    let mut watch = Watch::chosen();
    assert_eq!(watch.breach(N1, |node| node.executed.slot = 0), "executed never retreats");
}

#[test]
fn what_is_accepted_was_promised() {
    let mut watch = Watch::new();
    assert_eq!(watch.breach(N1, |node| node.log.put(1, entry(b(1, N1), 7))), "accepted within promise");
}

#[test]
fn what_is_gone_a_snapshot_stands_for() {
    let mut watch = Watch::chosen();
    assert_eq!(watch.breach(N1, |node| node.log.truncate(1)), "truncated within snapshot");
}

#[test]
fn nothing_is_proposed_behind_the_window() {
    let mut watch = Watch::new();
    let beyond = |node: &mut Node| {
        leads(node, b(1, N1));
        leads_from(node, 258, Reports::default());
    };
    assert_eq!(watch.breach(N1, beyond), "within the window");
}

#[test]
fn a_snapshot_is_what_the_slots_make() {
    let mut watch = Watch::chosen();
    watch.lawful(N1, |node| keeps(node, 1, 7));
    assert_eq!(watch.breach(N2, |node| (executes(node), keeps(node, 1, 8)).1), "snapshot is the state");
}

/// Who executes a slot and drops it in one step is judged by what was accepted there.
#[test]
fn what_is_dropped_as_it_is_executed_is_known_all_the_same() {
    let mut watch = Watch::new();
    for node in [N1, N2] {
        watch.lawful(node, |node| accepts(node, 1, b(1, N1), 7));
    }
    watch.lawful(N1, |node| {
        executes(node);
        keeps(node, 1, 7);
        node.log.truncate(1);
    });
    assert_eq!(watch.breach(N3, |node| (accepts(node, 1, b(2, N3), 8), executes(node)).1), "agreement");
}
