//! One test for each claim about leases (*Paxos Made Live* 5.2), and for what could break one.

use super::reads::{confirm, confirmed};
use super::*;
use crate::multipaxos::ReadMode;
use crate::multipaxos::flaws::{LEASE_BY_WALL_CLOCK, LEASE_IGNORES_DRIFT};
use history::RegisterOp::Read;
use sim_core::dice::Ratio;
use sim_core::promise::{Claim, Premise};
use sim_core::settings::Values;
use sim_core::time::{LocalTime, MILLISECOND, Nanos};

const NIL: Response<RegisterRet> = Response::Returned(RegisterRet::Value(Datum::Nil));

/// For how long an acceptor is bound.
const GRANTED: Nanos = 250 * MILLISECOND;
/// For how long the leader counts on it, on a clock that is slow by 1 % while the others are fast by it.
const LEASE: Nanos = GRANTED * 99 / 101;

fn leased() -> MultiPaxosConfig {
    config(|c| (c.reads, c.lease, c.clock_drift_bound) = (ReadMode::Lease, GRANTED, Ratio::new(1, 100)))
}

fn wait(node: &mut Solo, time: Nanos) {
    node.desk.now = node.desk.now + time;
}

/// It leads three and has let itself be heard; so much later n2 has confirmed it.
fn leader(config: MultiPaxosConfig, answered_after: Nanos) -> Solo {
    let mut node = solo(3, config);
    node.leads();
    renew(&mut node, answered_after);
    node
}

/// Its heartbeat is due; so much later n2 confirms it.
fn renew(node: &mut Solo, answered_after: Nanos) {
    let ballot = node.node.ballot;
    let sent = node.wakes(Timer::Heartbeat).sent();
    let answers = |round: &u64| sent.contains(&(N2, confirm(ballot, *round)));
    let round = (1..100).find(answers).expect("a round");
    wait(node, answered_after);
    node.hears(N2, confirmed(ballot, round));
}

#[test]
fn under_a_lease_a_read_is_answered_at_once() {
    assert_eq!(leader(leased(), 0).is_asked(1, Read).order(), ["tell"]);
}

/// It begins when the leader asked, not when it was answered, and ends before any acceptor is free.
#[test]
fn a_lease_is_counted_from_when_the_leader_asked() {
    for answered_after in [0, 100 * MILLISECOND] {
        let mut node = leader(leased(), answered_after);
        wait(&mut node, LEASE - answered_after - 1);
        assert_eq!(node.is_asked(1, Read).told(), [NIL]);
        wait(&mut node, 2);
        let effects = node.is_asked(2, Read);
        assert_eq!((effects.told().len(), effects.sent().len()), (0, 2), "over: it asks");
    }
    assert_eq!(leader(leased(), LEASE + 1).is_asked(1, Read).told(), [], "the answer came too late to be of use");
}

#[test]
fn heartbeats_extend_the_lease() {
    let mut node = leader(leased(), 0);
    for serial in 1..=9 {
        wait(&mut node, LEASE / 2);
        renew(&mut node, 0);
        assert_eq!(node.is_asked(serial, Read).told(), [NIL]);
    }
}

/// One of four others is no quorum, and saying so twice makes no second.
#[test]
fn a_lease_needs_a_quorum() {
    let mut node = solo(5, leased());
    node.times_out();
    let ballot = node.node.ballot;
    for acceptor in [N2, N3] {
        node.hears(acceptor, promise(ballot, vec![]));
    }
    for _ in 0..2 {
        node.hears(N2, confirmed(ballot, 1));
    }
    assert_eq!(node.is_asked(1, Read).told(), []);
    assert_eq!(node.hears(N3, confirmed(ballot, 1)).told(), [], "this read came after that round");
    assert_eq!(node.is_asked(2, Read).told(), [NIL]);
}

/// It keeps others from leading; what earlier leaders had chosen it must have executed all the same.
#[test]
fn a_lease_is_of_no_use_before_what_phase_1_brought_is_executed() {
    let mut node = solo(3, leased());
    node.leads_after(vec![held(1, b(0, N2), 7)]);
    renew(&mut node, 0);
    assert_eq!(node.is_asked(1, Read).told(), []);
}

/// Whoever has confirmed a leader answers nobody else for the time of a lease, whatever it hears in between; the leader itself
/// it answers.
#[test]
fn an_acceptor_is_bound_for_the_time_of_a_lease() {
    let preempted = Message::Preempted { promised: b(5, N3) };
    for between in [prepare(b(3, N3), 1), preempted, confirm(b(0, N3), 1)] {
        let mut node = solo(3, leased());
        node.hears(N2, confirm(b(1, N2), 1));
        node.hears(N3, between.clone());
        wait(&mut node, GRANTED - 1);
        assert_eq!(node.hears(N3, prepare(b(6, N3), 1)).order(), [""; 0], "after {between:?}");
        assert_eq!(node.wakes(Timer::Patience).sent(), [], "nor does it promise itself anything");
        wait(&mut node, 1);
        assert_eq!(node.hears(N3, prepare(b(6, N3), 1)).reply(), promise(b(6, N3), vec![]));
    }
    let mut node = solo(3, leased());
    node.hears(N2, confirm(b(1, N2), 1));
    assert_eq!(node.hears(N2, prepare(b(2, N2), 1)).reply(), promise(b(2, N2), vec![]));
    let mut unleased = solo(3, plain());
    unleased.hears(N2, confirm(b(1, N2), 1));
    assert_eq!(
        unleased.hears(N3, prepare(b(2, N3), 1)).reply(),
        promise(b(2, N3), vec![]),
        "nobody reads under a lease"
    );
}

/// What it has promised a lease to is not on its disk: it keeps quiet for as long as it could be bound.
#[test]
fn an_acceptor_that_restarts_is_bound_to_whomever_it_was() {
    let journal = || vec![super::Read::Ok(Record::Promised(b(1, N2)))];
    let mut node = restarted(3, leased(), journal());
    for candidate in [N2, N3] {
        assert_eq!(node.hears(candidate, prepare(b(2, candidate), 1)).order(), [""; 0]);
    }
    assert_eq!(node.wakes(Timer::Patience).sent(), []);
    wait(&mut node, GRANTED);
    assert_eq!(node.hears(N3, prepare(b(2, N3), 1)).reply(), promise(b(2, N3), vec![]));
    let mut without = restarted(3, plain(), journal());
    assert_eq!(
        without.hears(N3, prepare(b(2, N3), 1)).reply(),
        promise(b(2, N3), vec![]),
        "nobody reads under a lease"
    );
}

/// A clock that was set back does not bind it until the old time comes again.
#[test]
fn a_clock_set_back_binds_nobody_for_ever() {
    let mut node = solo(3, leased());
    wait(&mut node, 100 * GRANTED);
    node.hears(N2, confirm(b(1, N2), 1));
    node.desk.now = LocalTime::default();
    assert_eq!(node.hears(N3, prepare(b(2, N3), 1)).order(), [""; 0]);
    wait(&mut node, GRANTED);
    assert_eq!(node.hears(N3, prepare(b(2, N3), 1)).reply(), promise(b(2, N3), vec![]));
}

/// Who no longer leads has no lease, though the others are bound to it yet.
#[test]
fn a_leader_that_gives_way_has_no_lease() {
    let mut node = leader(leased(), 0);
    node.hears(N3, prepare(b(2, N3), 1));
    assert_eq!(node.is_asked(1, Read).told(), [Response::Redirect(None)]);
}

/// The mistake P13: the lease is as long as the others are bound, by a clock that may be slow.
#[test]
fn the_flaw_lease_ignores_drift_holds_it_too_long() {
    let mut node = leader(leased(), 0);
    wait(&mut node, LEASE + 1);
    assert_eq!(node.is_asked(1, Read).told(), []);
    node.node.config.flaws = Flaws::new([&LEASE_IGNORES_DRIFT]);
    assert_eq!(node.is_asked(2, Read).told(), [NIL]);
}

/// The mistake P14: somebody sets the clock back by which the lease is measured, and it begins again.
#[test]
fn the_flaw_lease_by_wall_clock_can_be_set_back() {
    let is_answered = |flaws| {
        let mut node = leader(MultiPaxosConfig { flaws, ..leased() }, 0);
        wait(&mut node, LEASE + 1);
        node.desk.wall = LocalTime::default();
        !node.is_asked(1, Read).told().is_empty()
    };
    assert!(!is_answered(Flaws::default()));
    assert!(is_answered(Flaws::new([&LEASE_BY_WALL_CLOCK])));
}

/// A lease that no heartbeat can renew in time, or that outlasts patience, is refused; and so are its mistakes without one.
#[test]
fn leases_that_do_not_fit_are_refused_with_the_key_to_change() {
    let build = |changes: &[(&str, &str)], flaws| {
        let mut values = Values::defaults(MultiPaxosConfig::KEYS);
        for (name, text) in changes {
            let key = MultiPaxosConfig::KEYS.iter().find(|key| key.name == *name).expect("a key");
            values.set(key, key.kind.parse(text).expect("a value"));
        }
        MultiPaxosConfig::build(&values, flaws).map(|_| ()).map_err(|rejected| rejected.key)
    };
    let with_lease = |lease| build(&[("reads", "lease"), ("lease", lease)], Flaws::default());
    assert_eq!((with_lease("301ms"), with_lease("300ms")), (Err("lease"), Ok(())));
    assert_eq!((with_lease("76ms"), with_lease("77ms")), (Err("lease"), Ok(())), "the heartbeat is 75ms");
    assert_eq!(build(&[("lease", "10s")], Flaws::default()), Ok(()), "nobody reads under it");
    for flaw in [&LEASE_IGNORES_DRIFT, &LEASE_BY_WALL_CLOCK] {
        assert_eq!(build(&[], Flaws::new([flaw])), Err("reads"));
    }
}

#[test]
fn a_lease_is_as_good_as_the_clocks_and_local_reads_promise_what_is_not_a_read() {
    let promised = |config: &MultiPaxosConfig, premise| {
        let all = [Claim::Linearizable, Claim::LinearizableWrites, Claim::NoLostWrites, Claim::Progress];
        all.map(|claim| <Node as Protocol>::promises(config, claim, &premise).is_ok())
    };
    let drifting = |permille| Premise { clock_rate_error: Ratio::new(permille, 1000), ..Premise::CALM };
    assert_eq!(promised(&leased(), drifting(10)), [true; 4]);
    for wrong in [drifting(11), Premise { clocks_step: true, ..Premise::CALM }] {
        assert_eq!(promised(&leased(), wrong), [false, true, true, true]);
        assert_eq!(promised(&plain(), wrong), [true; 4], "nobody reads a clock");
    }
    assert_eq!(promised(&leased(), Premise { wall_clocks_wrong: true, ..Premise::CALM }), [true; 4]);
    assert_eq!(promised(&config(|c| c.reads = ReadMode::Local), Premise::CALM), [false, true, true, true]);
}
