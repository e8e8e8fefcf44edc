//! Each law is seen to bite: nodes made by hand that break it, and the breach named.

use super::*;
use crate::machine::Machine;
use crate::raft::log::Position;
use crate::raft::membership::Membership;
use crate::raft::progress::Leadership;
use crate::raft::snapshots::Snapshot;
use crate::raft::{RaftLaws, Role};
use crate::snapshots::Bytes;
use sim_core::laws::{Breach, Laws, Nodes};
use sim_core::time::LocalTime;

/// Five nodes under observation.
struct Watch {
    nodes: Vec<Option<Node>>,
    laws: RaftLaws<Register>,
}

impl Watch {
    fn new() -> Self {
        let mut watch = Watch { nodes: vec![None; 5], laws: RaftLaws::new(5) };
        for node in [N1, N2, N3, N4, N5] {
            watch.starts(node, 0, &[]).expect("lawful");
        }
        watch
    }

    /// The node begins with what its disk held.
    fn starts(&mut self, node: NodeId, term: Term, log: &[Term]) -> Result<(), Breach> {
        self.nodes[node.0 as usize] = Some(made(node, term, log));
        self.laws.after_start(node, &Nodes::new(&self.nodes))
    }

    /// A step leaves the node like this.
    fn step(&mut self, node: NodeId, change: impl FnOnce(&mut Node)) -> Result<(), Breach> {
        change(self.nodes[node.0 as usize].as_mut().expect("up"));
        self.laws.after_step(node, &Nodes::new(&self.nodes))
    }

    fn lawful(&mut self, node: NodeId, change: impl FnOnce(&mut Node)) {
        self.step(node, change).expect("lawful");
    }
}

fn made(me: NodeId, term: Term, log: &[Term]) -> Node {
    let mut desk = Desk::new(me, 1);
    boot(me, 5, &plain(), &journal(term, None, log), &mut desk)
}

/// The node comes to lead a term with this log.
fn leads(raft: &mut Node, term: Term, log: &[Term]) {
    raft.term = term;
    raft.log.append(&noops(&log[raft.log.last_index() as usize..]));
    let members = raft.members.latest();
    raft.role = Role::Leader(Box::new(Leadership::new(raft.me, members, raft.log.last_index(), (LocalTime(0), 0))));
}

fn grows(raft: &mut Node, terms: &[Term]) {
    raft.log.append(&noops(terms));
}

fn commits(raft: &mut Node, index: Index) {
    (raft.commit, raft.applied) = (index, index);
}

fn breached(result: Result<(), Breach>) -> &'static str {
    result.expect_err("a law is broken").law
}

#[test]
fn two_leaders_in_a_term() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| leads(raft, 2, &[2]));
    watch.lawful(N2, |raft| leads(raft, 3, &[3]));
    assert_eq!(breached(watch.step(N3, |raft| leads(raft, 2, &[2]))), "election safety");
}

/// The first leader need not be there any more.
#[test]
fn two_leaders_in_a_term_one_after_the_other() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| leads(raft, 2, &[2]));
    watch.nodes[0] = None;
    assert_eq!(breached(watch.step(N3, |raft| leads(raft, 2, &[2]))), "election safety");
}

#[test]
fn a_leader_that_cuts_its_log() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| leads(raft, 2, &[1, 2]));
    watch.lawful(N1, |raft| grows(raft, &[2]));
    assert_eq!(breached(watch.step(N1, |raft| raft.log.cut(3))), "leader append-only");
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| leads(raft, 2, &[1, 2]));
    let replace = |raft: &mut Node| {
        raft.log.cut(2);
        grows(raft, &[2, 2]);
    };
    assert_eq!(breached(watch.step(N1, replace)), "leader append-only");
}

/// A follower may cut.
#[test]
fn a_follower_may_cut_its_log() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| grows(raft, &[1, 1, 1]));
    watch.lawful(N1, |raft| {
        raft.log.cut(2);
        grows(raft, &[2]);
    });
}

#[test]
fn the_same_index_and_term_with_another_command() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| grows(raft, &[1, 2]));
    let command = Command::Operation { client: CLIENT, serial: 1, attempt: 0, session: None, op: write(1) };
    let other = move |raft: &mut Node| {
        grows(raft, &[1]);
        raft.log.append(&[Entry { term: 2, time: 0, command }]);
    };
    assert_eq!(breached(watch.step(N2, other)), "log matching");
}

#[test]
fn the_same_index_and_term_behind_another_entry() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| grows(raft, &[1, 1, 3]));
    watch.lawful(N2, |raft| grows(raft, &[1, 2]));
    assert_eq!(breached(watch.step(N2, |raft| grows(raft, &[3]))), "log matching");
}

/// What a restart brings back is looked at too.
#[test]
fn a_disk_that_holds_another_past() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| grows(raft, &[1, 1, 3]));
    assert_eq!(breached(watch.starts(N1, 3, &[2, 2, 3])), "log matching");
}

#[test]
fn a_leader_without_a_committed_entry() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| leads(raft, 2, &[1, 2]));
    watch.lawful(N1, |raft| commits(raft, 2));
    assert_eq!(breached(watch.step(N2, |raft| leads(raft, 3, &[1, 3]))), "leader completeness");
    assert_eq!(breached(watch.step(N3, |raft| leads(raft, 4, &[4]))), "leader completeness");
    watch.step(N4, |raft| leads(raft, 5, &[1, 2, 5])).expect("it has both");
}

/// A leader of an *earlier* term, late to learn that it won, need not have it.
#[test]
fn a_late_leader_of_an_earlier_term_may_lack_it() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| leads(raft, 3, &[3]));
    watch.lawful(N1, |raft| commits(raft, 1));
    watch.lawful(N2, |raft| leads(raft, 2, &[2]));
}

/// The leader was there before the commit.
#[test]
fn an_entry_committed_that_a_later_leader_lacks() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| leads(raft, 2, &[2]));
    watch.lawful(N2, |raft| leads(raft, 3, &[3]));
    assert_eq!(breached(watch.step(N1, |raft| commits(raft, 1))), "leader completeness");
}

#[test]
fn two_nodes_commit_different_entries() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| {
        grows(raft, &[1, 2]);
        commits(raft, 2);
    });
    let other = |raft: &mut Node| {
        grows(raft, &[1, 3]);
        commits(raft, 2);
    };
    assert_eq!(breached(watch.step(N2, other)), "state machine safety");
}

/// Whoever had it may have crashed; and the node that replaces it may have had it, too.
#[test]
fn a_committed_entry_is_replaced_after_everybody_crashed() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| {
        grows(raft, &[1, 2]);
        commits(raft, 2);
    });
    watch.starts(N1, 2, &[1]).expect("its disk had less: lost, but nothing else is in its place yet");
    watch.lawful(N1, |raft| grows(raft, &[3]));
    assert_eq!(breached(watch.step(N1, |raft| commits(raft, 2))), "state machine safety");
}

#[test]
fn a_committed_entry_is_replaced_in_place() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| {
        grows(raft, &[1, 2, 2]);
        commits(raft, 2);
    });
    let replace = |raft: &mut Node| {
        raft.log.cut(2);
        grows(raft, &[3, 3]);
    };
    assert_eq!(breached(watch.step(N1, replace)), "state machine safety");
}

#[test]
fn a_commit_index_that_falls() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| {
        grows(raft, &[1, 1]);
        commits(raft, 2);
    });
    assert_eq!(breached(watch.step(N1, |raft| commits(raft, 1))), "commit never retreats");
    watch.starts(N1, 1, &[1, 1]).expect("a restart may begin again");
}

#[test]
fn a_term_that_falls() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| raft.term = 5);
    assert_eq!(breached(watch.step(N1, |raft| raft.term = 4)), "term never falls");
    watch.starts(N1, 3, &[]).expect("memory runs ahead of the disk");
}

#[test]
fn a_next_index_not_above_the_match_index() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| leads(raft, 2, &[1, 2]));
    let wrong = |match_index, next_index| {
        move |raft: &mut Node| {
            let Role::Leader(leadership) = &mut raft.role else { panic!("leads") };
            (leadership.peers[3].match_index, leadership.peers[3].next_index) = (match_index, next_index);
        }
    };
    watch.lawful(N1, wrong(2, 3));
    assert_eq!(breached(watch.step(N1, wrong(2, 2))), "next above match");
    assert_eq!(breached(watch.step(N1, wrong(2, 4))), "next above match");
}

#[test]
fn a_commit_index_beyond_the_log() {
    let mut watch = Watch::new();
    assert_eq!(breached(watch.step(N1, |raft| commits(raft, 1))), "commit within log");
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| grows(raft, &[1]));
    assert_eq!(breached(watch.step(N1, |raft| raft.applied = 1)), "commit within log");
}

#[test]
fn entries_applied_and_taken_back() {
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| grows(raft, &[1, 1]));
    watch.lawful(N1, |raft| commits(raft, 2));
    assert_eq!(breached(watch.step(N1, |raft| raft.applied = 1)), "applied never retreats");
}

#[test]
fn a_snapshot_of_another_state() {
    let written = |raft: &mut Node| {
        let command = Command::Operation { client: CLIENT, serial: 1, attempt: 0, session: None, op: write(1) };
        raft.log.append(&[Entry { term: 1, time: 0, command: Command::Noop }, Entry { term: 1, time: 0, command }]);
        commits(raft, 2);
    };
    let snapshot = |index: Index, value: Option<i64>| {
        move |raft: &mut Node| {
            let data = value.map_or(Value::Nil, Value::from);
            let machine = Machine::<Register> { data, ..Machine::default() };
            let (last, members) = (Position { index, term: 1, time: 0 }, raft.members.latest().clone());
            raft.snapshot = Some(Snapshot { last, members, contents: Bytes::write(&machine) });
        }
    };
    for (index, value, is_lawful) in [(2, Some(1), true), (1, None, true), (2, None, false), (1, Some(1), false)] {
        let mut watch = Watch::new();
        watch.lawful(N1, written);
        let step = watch.step(N1, snapshot(index, value));
        assert_eq!(step.is_ok(), is_lawful, "{index} {value:?}");
        assert!(is_lawful || breached(step) == "snapshot is the state");
    }
}

#[test]
fn members_that_are_not_in_the_log() {
    let entry = || Entry { term: 1, time: 0, command: Command::Members(Box::new(Membership::of([N1, N2]))) };
    let mut watch = Watch::new();
    watch.lawful(N1, |raft| {
        raft.log.append(&[entry()]);
        raft.members.learn(1, &[entry()]);
    });
    assert_eq!(breached(watch.step(N1, |raft| raft.log.cut(1))), "members are the log's latest");
    let mut watch = Watch::new();
    let unheeded = |raft: &mut Node| {
        raft.log.append(&[entry()]);
    };
    assert_eq!(breached(watch.step(N1, unheeded)), "members are the log's latest");
}

/// Every law has a test above.
#[test]
fn no_law_is_forgotten() {
    let names = <RaftLaws<Register> as Laws<Node>>::NAMES;
    let bitten = include_str!("laws.rs");
    assert!(names.iter().all(|name| bitten.contains(&format!("\"{name}\""))));
}
