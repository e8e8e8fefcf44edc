//! Client sessions: each operation takes effect once, however often it is asked for (dissertation 6.3).
//!
//! A client that hears nothing asks again, and perhaps it was only the answer that got lost. So the state machine keeps
//! a list: for each session, which serial numbers it has done and what it answered. A request that is on the list is
//! answered from it. The list is part of the replicated state, changed by log entries only and saved in snapshots, so
//! every replica has the same list at the same entry, and knows a repetition whoever leads.
//!
//! The list must not grow for ever, in two directions:
//!
//! - *Within a session*: every request says below which serial number the client has all its answers, or has stopped
//!   waiting. What is below is forgotten, and never done later: a request that comes so late is ignored.
//! - *Sessions*: one that was not used for a lifetime is closed. Replicas must agree on when that is, so time is not read
//!   from clocks here: every entry carries the time its leader wrote on it ("system time"), which never goes back, and
//!   that is all the time there is. A client whose session was closed is told so. It cannot know whether a request that
//!   it sent several times was done.

use serde::{Deserialize, Serialize};
use sim_core::time::Nanos;
use std::collections::{BTreeMap, VecDeque};

/// Names a session: the index of the entry that opened it, so no two are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionId(pub u64);

/// What a client says of its session with each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct InSession {
    /// Which.
    pub id: SessionId,
    /// The client waits for no answer to requests with serial numbers below this one.
    pub settled: u64,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission<Ret> {
    /// It has not been done: do it, and [`Sessions::record`] what comes out.
    New,
    /// It has been done, and this came out.
    Done(Ret),
    /// The client no longer waits for it.
    Settled,
    /// There is no such session, or no longer.
    Closed,
}

/// All open sessions of a replicated state machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions<Ret> {
    open: BTreeMap<SessionId, Session<Ret>>,
    /// System time of the latest search for sessions to close.
    searched: Nanos,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Session<Ret> {
    /// System time of its latest request.
    used: Nanos,
    /// The client waits for nothing below.
    settled: u64,
    /// Serial numbers done, from `settled` on, and what came out; in the order they were done.
    done: VecDeque<(u64, Ret)>,
}

impl<Ret> Default for Sessions<Ret> {
    fn default() -> Self {
        Sessions { open: BTreeMap::new(), searched: 0 }
    }
}

impl<Ret: Clone> Sessions<Ret> {
    /// Opens a session at a system time.
    pub fn open(&mut self, id: SessionId, now: Nanos) {
        let fresh = self.open.insert(id, Session { used: now, settled: 0, done: VecDeque::new() });
        debug_assert!(fresh.is_none(), "an entry opens one session");
    }

    /// A request of a session is next in the log, at a system time.
    pub fn admit(&mut self, within: &InSession, serial: u64, now: Nanos) -> Admission<Ret> {
        let Some(session) = self.open.get_mut(&within.id) else { return Admission::Closed };
        session.used = now;
        session.settled = session.settled.max(within.settled);
        let settled = session.settled;
        session.done.retain(|(serial, _)| *serial >= settled);
        if serial < settled {
            return Admission::Settled;
        }
        let known = session.done.iter().find(|(done, _)| *done == serial);
        known.map_or(Admission::New, |(_, ret)| Admission::Done(ret.clone()))
    }

    /// What came of a request that was new.
    pub fn record(&mut self, id: SessionId, serial: u64, ret: Ret) {
        if let Some(session) = self.open.get_mut(&id) {
            session.done.push_back((serial, ret));
        }
    }

    /// Closes what was not used for `lifetime`, at a system time. It searches only now and then, which is as good as always:
    /// all that matters is that every replica does the same at the same entry.
    pub fn expire(&mut self, now: Nanos, lifetime: Nanos) {
        const SEARCHES_PER_LIFETIME: u64 = 4;
        if now.saturating_sub(self.searched) < lifetime / SEARCHES_PER_LIFETIME {
            return;
        }
        self.searched = now;
        self.open.retain(|_, session| now.saturating_sub(session.used) < lifetime);
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Admission::{Closed, Done, New, Settled};

    const ID: SessionId = SessionId(7);

    fn within(settled: u64) -> InSession {
        InSession { id: ID, settled }
    }

    #[test]
    fn a_request_is_done_once_and_answered_often() {
        let mut sessions = Sessions::<u8>::default();
        sessions.open(ID, 0);
        assert_eq!(sessions.admit(&within(0), 3, 1), New);
        sessions.record(ID, 3, 30);
        assert_eq!(sessions.admit(&within(0), 3, 2), Done(30));
        assert_eq!(sessions.admit(&within(0), 2, 3), New, "an earlier one that comes later is another request");
        assert_eq!(sessions.admit(&InSession { id: SessionId(8), settled: 0 }, 3, 4), Closed);
    }

    #[test]
    fn what_the_client_has_settled_is_forgotten_and_never_done() {
        let mut sessions = Sessions::<u8>::default();
        sessions.open(ID, 0);
        sessions.record(ID, 3, 30);
        assert_eq!(sessions.admit(&within(4), 4, 1), New);
        assert_eq!(sessions.admit(&within(0), 3, 2), Settled, "though this copy of it was sent before");
        assert_eq!(sessions.open[&ID].done.len(), 0);
    }

    #[test]
    fn a_session_lives_as_long_as_it_is_used() {
        const LIFETIME: Nanos = 100;
        let mut sessions = Sessions::<u8>::default();
        sessions.open(ID, 0);
        sessions.open(SessionId(8), 0);
        for now in [50, 99, 149] {
            sessions.expire(now, LIFETIME);
            assert_eq!(sessions.admit(&within(0), now, now), New);
        }
        assert_eq!(sessions.count(), 1, "the other one was used last at 0");
        sessions.expire(249, LIFETIME);
        assert_eq!(sessions.admit(&within(0), 300, 249), Closed);
    }
}
