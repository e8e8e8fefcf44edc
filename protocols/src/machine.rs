//! What a replicated log is for: the state machine, and with it the list of what each client has had done.
//!
//! Whoever agrees on a row of [`Command`]s, by whichever protocol, has a service if every replica applies them in order.

use crate::client::{Answer, Response};
use crate::sessions::{Admission, InSession, Repeated, SessionId, Sessions};
use history::Object;
use serde::{Deserialize, Serialize};
use sim_core::protocol::ClientId;
use sim_core::time::Nanos;

/// What is agreed on in one place of the log. `M` says who takes part, in the protocol's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Command<Op, M> {
    /// Nothing: the entry with which a leader begins its term, or fills a hole.
    Noop,
    /// Open a session, named after the place of this command in the log (Raft dissertation 6.3).
    Register {
        /// Who asked.
        client: ClientId,
        /// The client's number for the request.
        serial: u64,
        /// Which of its attempts this is.
        attempt: u32,
    },
    /// A client's operation.
    Operation {
        /// Who asked.
        client: ClientId,
        /// The client's number for the operation.
        serial: u64,
        /// Which of its attempts this is.
        attempt: u32,
        /// The session in which it is to be done once.
        session: Option<InSession>,
        /// What was asked.
        op: Op,
    },
    /// These are the members; from which entry on, the protocol says.
    Members(M),
}

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
    /// Applies the command in this place of the log, which has this system time. Returns whom to answer, and what.
    pub fn apply<M>(
        &mut self,
        index: u64,
        time: Nanos,
        command: &Command<O::Op, M>,
        rules: Rules,
    ) -> Option<(ClientId, Answer<O::Ret>)> {
        self.sessions.expire(time, rules.session_lifetime);
        let (client, serial, attempt, response) = match command {
            Command::Noop | Command::Members(_) => return None,
            Command::Register { client, serial, attempt } => {
                let id = SessionId(index);
                self.sessions.open(id, time);
                (*client, *serial, *attempt, Response::Registered(id))
            }
            Command::Operation { client, serial, attempt, session: None, op } => {
                (*client, *serial, *attempt, Response::Returned(O::apply(&mut self.data, op)))
            }
            Command::Operation { client, serial, attempt, session: Some(within), op } => {
                let Machine { data, sessions } = self;
                let response = match sessions.once(within, *serial, time, rules.repeated, || O::apply(data, op)) {
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
