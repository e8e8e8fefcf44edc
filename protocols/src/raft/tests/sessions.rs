//! One test for each claim of the dissertation's 6.3 (section 8 of the paper): what a client asks for is done once.

use super::*;
use crate::machine::Machine;
use crate::raft::flaws::{NO_SESSIONS, SNAPSHOT_WITHOUT_SESSIONS};
use crate::sessions::{InSession, SessionId};

const DONE: Response<RegisterRet> = Response::Returned(RegisterRet::Done);
const MISMATCH: Response<RegisterRet> = Response::Returned(RegisterRet::Mismatch);

/// From nothing to 1: what fails when it is done twice.
fn set_once(session: Option<InSession>) -> Ask<RegisterOp> {
    Ask::Operation { session, op: RegisterOp::Cas { from: Value::Nil, to: Value::Int(1) } }
}

fn writes(session: InSession, value: i64) -> Ask<RegisterOp> {
    Ask::Operation { session: Some(session), op: write(value) }
}

fn within(settled: u64) -> InSession {
    InSession { id: SessionId(2), settled }
}

/// A leader alone in its cluster with session 2 open: what it is asked is done as soon as its disk has it.
struct Alone(Solo);

impl Alone {
    fn new(config: RaftConfig) -> Self {
        let mut alone = Alone(solo(1, config));
        let elected = alone.0.times_out();
        alone.0.lands(&elected);
        assert_eq!(alone.asks(0, 0, Ask::Register), [Response::Registered(SessionId(2))]);
        alone
    }

    fn asks(&mut self, serial: u64, attempt: u32, ask: Ask<RegisterOp>) -> Vec<Response<RegisterRet>> {
        let effects = self.0.gets(serial, attempt, ask);
        self.0.lands(&effects).told()
    }
}

/// 6.3, figure 6.2: the request was done and the answer got lost; without a session the repetition is done again.
#[test]
fn without_a_session_a_repetition_is_done_again() {
    let mut alone = Alone::new(plain());
    assert_eq!(alone.asks(1, 0, set_once(None)), [DONE]);
    assert_eq!(alone.asks(1, 1, set_once(None)), [MISMATCH]);
}

/// 6.3: "if a server receives a command whose serial number has already been executed, it responds immediately without
/// re-executing the request".
#[test]
fn in_a_session_a_repetition_is_answered_as_before() {
    let mut alone = Alone::new(plain());
    assert_eq!(alone.asks(1, 0, set_once(Some(within(1)))), [DONE]);
    assert_eq!(alone.asks(1, 1, set_once(Some(within(1)))), [DONE]);
    assert_eq!(alone.asks(2, 0, set_once(Some(within(1)))), [MISMATCH], "another request with the same words");
}

/// The mistake R10, seen at its one rule.
#[test]
fn the_flaw_no_sessions_does_it_again() {
    let mut alone = Alone::new(flawed(&NO_SESSIONS));
    assert_eq!(alone.asks(1, 0, set_once(Some(within(1)))), [DONE]);
    assert_eq!(alone.asks(1, 1, set_once(Some(within(1)))), [MISMATCH]);
}

/// 6.3, figure 6.1: RegisterClient is an entry of the log; applying it opens the session, and the client is told its
/// identifier, the index of that entry.
#[test]
fn a_session_is_opened_by_an_entry_and_named_after_it() {
    let mut node = solo(3, plain());
    node.leads();
    assert_eq!(node.gets(0, 0, Ask::Register).order(), ["persist", "send"]);
    assert_eq!(node.hears(N2, matched(1, 0, 2)).told(), [Response::Registered(SessionId(2))]);
}

/// 6.3: sessions are part of the state machine, so a repetition is recognized whoever leads.
#[test]
fn another_leader_knows_what_was_done() {
    let mut table = Table::new(3, plain());
    table.elect(N1);
    table.gets(N1, 0, 0, Ask::Register);
    table.settle();
    table.gets(N1, 1, 0, set_once(Some(within(1))));
    table.settle();
    table.crash(N1);
    table.elect(N2);
    table.gets(N2, 1, 1, set_once(Some(within(1))));
    table.settle();
    let told: Vec<_> = table.told.iter().map(|answer| answer.response.clone()).collect();
    assert_eq!(told, [Response::Registered(SessionId(2)), DONE, DONE]);
}

/// 6.3: "this approach also generalizes to allow concurrent requests from a single client": a set of serial numbers, not
/// only the latest.
#[test]
fn requests_of_a_session_may_overtake_each_other() {
    let mut alone = Alone::new(plain());
    assert_eq!(alone.asks(2, 0, writes(within(1), 2)), [DONE]);
    assert_eq!(alone.asks(1, 0, writes(within(1), 1)), [DONE], "later, and not a repetition");
    assert_eq!(alone.0.value(), Value::Int(1));
    assert_eq!(alone.asks(2, 1, writes(within(1), 2)), [DONE]);
    assert_eq!(alone.0.value(), Value::Int(1), "not done again");
}

/// 6.3: "with each request, the client includes the lowest sequence number for which it has not yet received a response,
/// and the state machine then discards all responses for lower sequence numbers". And what comes still later is never
/// done: nobody waits for it.
#[test]
fn what_the_client_has_settled_is_forgotten_and_not_done_late() {
    let mut alone = Alone::new(plain());
    assert_eq!(alone.asks(1, 0, writes(within(1), 1)), [DONE]);
    assert_eq!(alone.asks(3, 0, writes(within(3), 3)), [DONE]);
    assert_eq!(alone.asks(1, 1, writes(within(1), 1)), [], "an old copy");
    assert_eq!(alone.asks(2, 0, writes(within(1), 2)), [], "given up, and never done before");
    assert_eq!(alone.0.value(), Value::Int(3));
}

/// 6.3: a session that is not used for long enough is closed, and its client told so instead of being served twice.
#[test]
fn an_unused_session_is_closed_and_the_client_told() {
    let mut alone = Alone::new(plain());
    let lifetime = alone.0.raft.config.session_timeout;
    assert_eq!(alone.asks(1, 0, set_once(Some(within(1)))), [DONE]);
    alone.0.waits(lifetime * 3 / 4);
    assert_eq!(alone.asks(2, 0, writes(within(1), 2)), [DONE], "used in time");
    alone.0.waits(lifetime * 3 / 4);
    assert_eq!(alone.asks(2, 1, writes(within(1), 2)), [DONE], "a repetition is a use too");
    alone.0.waits(lifetime);
    assert_eq!(alone.asks(1, 2, writes(within(1), 7)), [Response::SessionClosed]);
    assert_eq!(alone.0.value(), Value::Int(2), "not done");
}

/// 6.3: "if a state machine encounters a command with no record of the session, it does not process the command and instead
/// returns an error to the client".
#[test]
fn a_session_nobody_opened_is_closed() {
    let mut alone = Alone::new(plain());
    let stranger = InSession { id: SessionId(77), settled: 0 };
    assert_eq!(alone.asks(1, 0, writes(stranger, 9)), [Response::SessionClosed]);
    assert_eq!(alone.0.value(), Value::Nil);
}

/// 6.3: "servers must agree on when to expire a client's session". Time is what the leader wrote on the entry, and it
/// never falls along the log, though the next leader's clock be behind.
#[test]
fn system_time_is_the_leaders_and_never_falls() {
    let entry = |time| Entry { time, ..noops(&[1]).remove(0) };
    let found = vec![Slot::Ok(Record::Entries { prev: 0, entries: vec![entry(5), entry(90 * SECOND)] })];
    let mut node = restarted(3, plain(), found);
    assert!(node.desk.now.since(Default::default()) < 90 * SECOND);
    node.times_out();
    node.hears(N2, granted(1));
    let time = |node: &Solo, index| node.raft.log.get(index).expect("there").time;
    assert_eq!(time(&node, 3), 90 * SECOND);
    node.waits(2 * SECOND);
    node.is_asked(1, write(1));
    assert_eq!(time(&node, 4), 92 * SECOND, "from then on its own clock says how much more");
    node.desk.now = Default::default();
    node.is_asked(2, write(2));
    assert_eq!(time(&node, 5), 92 * SECOND, "a clock set back");
}

/// Replicas that applied the same entries have the same sessions, whatever their clocks say.
#[test]
fn replicas_close_sessions_at_the_same_entry() {
    let mut table = Table::new(3, config(|c| (c.pre_vote, c.session_timeout) = (false, 10 * SECOND)));
    table.elect(N1);
    table.gets(N1, 0, 0, Ask::Register);
    table.settle();
    table.wait(9 * SECOND);
    table.crash(N1);
    table.elect(N2);
    table.wait(9 * SECOND);
    table.ask(N2, write(1));
    table.settle();
    table.heartbeat(N2);
    table.settle();
    let sessions = |node| table.raft(node).machine.sessions.count();
    assert_eq!((sessions(N2), sessions(N3)), (1, 1), "time passes only while somebody leads");
    table.wait(9 * SECOND);
    table.ask(N2, write(2));
    table.settle();
    table.heartbeat(N2);
    table.settle();
    let sessions = |node| table.raft(node).machine.sessions.count();
    assert_eq!((sessions(N2), sessions(N3)), (0, 0));
}

/// R11: sessions are in the snapshot, so a repetition is recognized after a restart from it.
#[test]
fn a_snapshot_remembers_what_was_done() {
    let config = || config(|c| (c.pre_vote, c.snapshot_every) = (false, 3));
    let mut alone = Alone::new(config());
    let effects = alone.0.gets(1, 0, set_once(Some(within(1))));
    let landed = alone.0.lands(&effects);
    let records = landed.snapshot_records();
    assert_eq!(alone.0.raft.snapshot_index(), 3);
    let mut again = Alone(restarted(1, config(), records.into_iter().map(Slot::Ok).collect()));
    assert_eq!(again.0.raft.machine, Machine { ..alone.0.raft.machine.clone() });
    let elected = again.0.times_out();
    again.0.lands(&elected);
    assert_eq!(again.asks(1, 1, set_once(Some(within(1)))), [DONE]);
}

/// The mistake R11: the data is in the snapshot, and nobody knows any more what was done for whom.
#[test]
fn the_flaw_snapshot_without_sessions_forgets() {
    let config = || RaftConfig { pre_vote: false, snapshot_every: 3, ..flawed(&SNAPSHOT_WITHOUT_SESSIONS) };
    let mut alone = Alone::new(config());
    let effects = alone.0.gets(1, 0, set_once(Some(within(1))));
    let records = alone.0.lands(&effects).snapshot_records();
    let mut again = Alone(restarted(1, config(), records.into_iter().map(Slot::Ok).collect()));
    assert_eq!(again.0.value(), Value::Int(1));
    let elected = again.0.times_out();
    again.0.lands(&elected);
    assert_eq!(again.asks(1, 1, set_once(Some(within(1)))), [Response::SessionClosed], "though it was done");
}
