//! What the log is for: the state machine, and with it the list of what each client has had done.

use super::log::{Command, Entry, Index};
use crate::client::{Answer, Response};
use crate::sessions::{Admission, Repeated, SessionId, Sessions};
use history::Object;
use serde::{Deserialize, Serialize};
use sim_core::protocol::ClientId;
use sim_core::time::Nanos;

/// All that applying the log makes, and so all that a snapshot has to keep.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Machine<O: Object> {
    /// What clients operate on.
    pub data: O::State,
    /// What each of them has had done.
    pub sessions: Sessions<O::Ret>,
}

/// Rules that every replica must share, or they part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A session not used for so much system time is closed.
    pub session_lifetime: Nanos,
    /// What happens to a request that has been done already.
    pub repeated: Repeated,
}

impl<O: Object> PartialEq for Machine<O> {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data && self.sessions == other.sessions
    }
}

impl<O: Object> Default for Machine<O> {
    fn default() -> Self {
        Machine { data: O::State::default(), sessions: Sessions::default() }
    }
}

impl<O: Object> Machine<O> {
    /// Applies the entry at this index. Returns whom to answer, and what.
    pub fn apply(&mut self, index: Index, entry: &Entry<O::Op>, rules: Rules) -> Option<(ClientId, Answer<O::Ret>)> {
        self.sessions.expire(entry.time, rules.session_lifetime);
        let (client, serial, attempt, response) = match &entry.command {
            Command::Noop | Command::Members(_) => return None,
            Command::Register { client, serial, attempt } => {
                let id = SessionId(index);
                self.sessions.open(id, entry.time);
                (*client, *serial, *attempt, Response::Registered(id))
            }
            Command::Operation { client, serial, attempt, session: None, op } => {
                (*client, *serial, *attempt, Response::Returned(O::apply(&mut self.data, op)))
            }
            Command::Operation { client, serial, attempt, session: Some(within), op } => {
                let Machine { data, sessions } = self;
                let response = match sessions.once(within, *serial, entry.time, rules.repeated, || O::apply(data, op)) {
                    Admission::Done(ret) => Response::Returned(ret),
                    Admission::Settled => return None,
                    Admission::Closed => Response::SessionClosed,
                };
                (*client, *serial, *attempt, response)
            }
        };
        Some((client, Answer { serial, attempt, response }))
    }
}
