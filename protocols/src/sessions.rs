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
    /// This came out, now or the first time.
    Done(Ret),
    /// The client no longer waits for it.
    Settled,
    /// There is no such session, or no longer.
    Closed,
}

/// What happens to a request that has been done already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// It is answered as before.
    Answered,
    /// It is done again: the mistake R10.
    DoneAgain,
}

/// All open sessions of a replicated state machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions<Ret> {
    /// By their names, which rise: later ones are opened by later entries.
    open: Vec<(SessionId, Session<Ret>)>,
    /// System time of the latest search for sessions to close.
    searched: Nanos,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Session<Ret> {
    /// System time of its latest request.
    used: Nanos,
    /// The client waits for nothing below.
    settled: u64,
    /// The serial number done last, and what came out. Most clients ask one thing at a time and have no others.
    latest: Option<(u64, Ret)>,
    /// Those done before it, from `settled` on.
    earlier: Vec<(u64, Ret)>,
}

impl<Ret> Default for Sessions<Ret> {
    fn default() -> Self {
        Sessions { open: Vec::new(), searched: 0 }
    }
}

impl<Ret: Clone> Sessions<Ret> {
    /// Opens a session at a system time.
    pub fn open(&mut self, id: SessionId, now: Nanos) {
        debug_assert!(self.open.last().is_none_or(|(last, _)| *last < id), "names rise");
        self.open.push((id, Session { used: now, settled: 0, latest: None, earlier: Vec::new() }));
    }

    /// A request of a session is next in the log, at a system time: does it, unless it was done before or nobody waits for it.
    pub fn once(
        &mut self,
        within: &InSession,
        serial: u64,
        now: Nanos,
        repeated: Repeated,
        run: impl FnOnce() -> Ret,
    ) -> Admission<Ret> {
        let Ok(at) = self.open.binary_search_by_key(&within.id, |(id, _)| *id) else { return Admission::Closed };
        let session = &mut self.open[at].1;
        session.used = now;
        if session.settled < within.settled {
            session.settled = within.settled;
            session.earlier.retain(|(serial, _)| *serial >= within.settled);
        }
        if serial < session.settled {
            return Admission::Settled;
        }
        match session.latest.iter().chain(&session.earlier).find(|(done, _)| *done == serial) {
            Some((_, ret)) if repeated == Repeated::Answered => Admission::Done(ret.clone()),
            Some(_) | None => {
                let ret = run();
                let before = session.latest.replace((serial, ret.clone()));
                session.earlier.extend(before.filter(|(serial, _)| *serial >= session.settled));
                Admission::Done(ret)
            }
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
        self.open.retain(|(_, session)| now.saturating_sub(session.used) < lifetime);
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Admission::{Closed, Done, Settled};

    const ID: SessionId = SessionId(7);

    /// A request at a time, which would now return `ret`.
    fn ask(sessions: &mut Sessions<u8>, settled: u64, serial: u64, now: Nanos, ret: u8) -> Admission<u8> {
        sessions.once(&InSession { id: ID, settled }, serial, now, Repeated::Answered, || ret)
    }

    fn with_one_open() -> Sessions<u8> {
        let mut sessions = Sessions::default();
        sessions.open(ID, 0);
        sessions
    }

    #[test]
    fn a_request_is_done_once_and_answered_often() {
        let mut sessions = with_one_open();
        assert_eq!(ask(&mut sessions, 0, 3, 1, 30), Done(30));
        assert_eq!(ask(&mut sessions, 0, 3, 2, 31), Done(30));
        assert_eq!(ask(&mut sessions, 0, 2, 3, 20), Done(20), "an earlier one that comes later is another request");
        let other = InSession { id: SessionId(8), settled: 0 };
        assert_eq!(sessions.once(&other, 3, 4, Repeated::Answered, || 0), Closed);
        let again = InSession { id: ID, settled: 0 };
        assert_eq!(sessions.once(&again, 3, 5, Repeated::DoneAgain, || 32), Done(32), "the mistake");
    }

    #[test]
    fn what_the_client_has_settled_is_forgotten_and_never_done() {
        let mut sessions = with_one_open();
        assert_eq!(ask(&mut sessions, 0, 3, 1, 30), Done(30));
        assert_eq!(ask(&mut sessions, 4, 4, 1, 40), Done(40));
        assert_eq!(ask(&mut sessions, 0, 3, 2, 31), Settled, "though this copy of it was sent before");
        assert_eq!((&sessions.open[0].1.latest, sessions.open[0].1.earlier.len()), (&Some((4, 40)), 0));
    }

    #[test]
    fn a_session_lives_as_long_as_it_is_used() {
        const LIFETIME: Nanos = 100;
        let mut sessions = with_one_open();
        sessions.open(SessionId(8), 0);
        for now in [50, 99, 149] {
            sessions.expire(now, LIFETIME);
            assert_eq!(ask(&mut sessions, 0, now, now, 1), Done(1));
        }
        assert_eq!(sessions.count(), 1, "the other one was used last at 0");
        sessions.expire(249, LIFETIME);
        assert_eq!(ask(&mut sessions, 0, 300, 249, 1), Closed);
    }
}
