//! The client that most systems share: it knows the nodes, not who among them serves.
//!
//! Think of somebody ringing round an office. He calls whoever helped him last, else the nearest. "Not me, ask her": he
//! calls her at once, though not for ever, since two may each think it is the other. "Not me, nobody knows who": he waits
//! a moment and tries the next. No answer at all is the hard case. A question he may ask somebody else. An order he may
//! repeat only if the office keeps a list of what it has done for him, a *session* ([`crate::sessions`]): perhaps it was
//! carried out and only the answer was lost. Where there are no sessions he waits as long as he has patience, and then does
//! not know.
//!
//! How an operation ends, then:
//! - `Returned`: a node said so.
//! - `Refused`: it certainly did not happen: a node said so, or every node that got it turned it away.
//! - `Unknown`: a node may have accepted it, and the answer never came, or was that nobody knows.
//!
//! All times are by the client's own clock. It keeps two alarms whatever the number of operations: for the next one to
//! begin, and for the earliest thing due among those under way.

use crate::sessions::{InSession, SessionId};
use history::{Data, Outcome, Purpose, Value};
use serde::Serialize;
use sim_core::Clock;
use sim_core::protocol::{Client, ClientBoot, ClientCtx, ClientId, NodeId, OpId, Protocol, Vocabulary};
use sim_core::time::{LocalTime, MICROSECOND, MILLISECOND, Nanos};
use sim_core::workload::{Pace, Scripted, Workload};
use std::collections::VecDeque;
use std::sync::Arc;

/// A system that [`RoutingClient`] can talk to: its requests are made from the client's, and its replies turn into answers
/// to them. The simplest has no words of its own: its requests are [`Request`]s and its replies [`Answer`]s.
pub trait Service:
    Protocol<Client = RoutingClient<Self>, Request: From<Request<OpOf<Self>>>>
    + Vocabulary<Reply: Into<Answer<RetOf<Self>>>>
{
    /// Whether clients open sessions, and so may repeat what writes. Without, they send once what writes.
    fn keeps_sessions(config: &Self::Config) -> bool {
        let _ = config;
        false
    }

    /// Whether it does no harm if what writes arrives twice, without any session: to decide something a second time, say.
    fn repeats_writes(config: &Self::Config) -> bool {
        let _ = config;
        false
    }

    /// By key, of so many: the nodes that serve it best, the best first. Nothing if a client does not know, or if it makes no
    /// difference: then it asks whoever served last, or the nearest.
    fn homes(config: &Self::Config, nodes: &[NodeId], keys: u32) -> Vec<Vec<NodeId>> {
        let _ = (config, nodes, keys);
        Vec::new()
    }

    /// Whether any node answers what only reads. If so, a client asks the nearest; else the one that it asks to write.
    fn reads_anywhere(config: &Self::Config) -> bool {
        let _ = config;
        false
    }
}

/// What clients of a system ask.
pub type OpOf<P> = <<P as Protocol>::Data as Data>::Op;

/// What they are told.
pub type RetOf<P> = <<P as Protocol>::Data as Data>::Ret;

/// A client asks a node. The client, its serial number and the attempt name the request among all of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request<Op> {
    /// The client's number for the operation.
    pub serial: u64,
    /// Which of its attempts this is, from 0.
    pub attempt: u32,
    /// What is asked.
    pub ask: Ask<Op>,
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Ask<Op> {
    /// A session.
    Register,
    /// An operation.
    Operation {
        /// The session in which it is to be done once; without, it is done as often as it arrives.
        session: Option<InSession>,
        /// Which.
        op: Op,
    },
}

/// A node answers a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer<Ret> {
    /// Of the request.
    pub serial: u64,
    /// Of the request.
    pub attempt: u32,
    /// What it says.
    pub response: Response<Ret>,
}

/// What a node says to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Response<Ret> {
    /// Done, with this result.
    Returned(Ret),
    /// Not done and not going to be, at least not here; perhaps this node knows where.
    Redirect(Option<NodeId>),
    /// Not done and not going to be, anywhere.
    Refused,
    /// It was accepted, and this node will not learn what becomes of it.
    Unknown,
    /// This session is open.
    Registered(SessionId),
    /// The session is closed; whether this was done in it before, nobody knows.
    SessionClosed,
}

impl<Op> Request<Op> {
    /// The answer to it.
    pub fn answer<Ret>(&self, response: Response<Ret>) -> Answer<Ret> {
        Answer { serial: self.serial, attempt: self.attempt, response }
    }
}

/// So many times in a row a client follows a hint at once; an election's two or three candidates fit in, a circle does not.
const HOPS_MAX: u32 = 4;

/// The shortest and longest time for which a client leaves the system alone when nobody knows who serves. About as long as
/// an election takes, so that it does not try many times in vain.
const BACKOFF: (Nanos, Nanos) = (10 * MILLISECOND, 50 * MILLISECOND);

/// A client that crashed remembers nothing, its serial numbers neither; so each life has numbers of its own, as many as
/// nobody uses up.
const LIFE_BITS: u32 = 32;

/// A client that looks for the node that serves.
#[derive(Clone)]
pub struct RoutingClient<P: Protocol> {
    me: ClientId,
    /// Its number among those who share the workload.
    index: u32,
    /// How many clients there are in the run: values are counted off among them.
    clients: u32,
    /// All nodes, the nearest first.
    nodes: Vec<NodeId>,
    workload: Arc<Workload>,
    session: Session,
    /// By key: who serves it best.
    homes: Vec<Vec<NodeId>>,
    reads_anywhere: bool,
    repeats_writes: bool,
    /// The serial number of the next request.
    serial: u64,
    /// By key: what this client last knew it to hold.
    seen: Vec<Value>,
    /// Who served last, or is said to serve.
    favourite: Option<NodeId>,
    /// Whom to try when there is no favourite: a position in `nodes`.
    next_node: usize,
    /// Whom to ask what any node can answer: likewise.
    next_reader: usize,
    /// Begun and not ended, in the order of their serial numbers.
    pending: VecDeque<Pending<P>>,
    /// For final reads: which of the keys is next. For a script: the operation before which nothing is left to begin.
    next: usize,
}

/// How a client stands with the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Session {
    /// The system keeps none.
    Unknown,
    /// It has none, and has not asked for one.
    None,
    /// It has asked.
    Requested,
    /// It has this one.
    Open(SessionId),
}

/// Alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Timer {
    /// The next operation begins.
    Next,
    /// Something is due among the operations under way.
    Wake,
}

/// A request begun and not ended.
#[derive(Clone)]
struct Pending<P: Protocol> {
    serial: u64,
    task: Task<P>,
    /// The session in which it was first sent; it must stay in it.
    session: Option<SessionId>,
    /// The number of the next attempt.
    attempts: u32,
    /// Whether an attempt before the latest got no answer.
    was_doubted: bool,
    /// How many hints in a row have been followed.
    hops: u32,
    next: Next,
    /// When `next` is due.
    due: LocalTime,
    /// When the client loses patience; never with a final read.
    deadline: Option<LocalTime>,
}

/// What a request is for.
#[derive(Clone)]
enum Task<P: Protocol> {
    /// A session.
    Register,
    /// An operation of the workload.
    Operate { id: OpId, op: OpOf<P> },
}

/// What a client will do about a request if nothing happens until it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Ask a node; the latest attempt, if there was one, was turned away.
    Ask,
    /// Stop believing that this node will answer.
    Doubt(NodeId),
    /// Nothing: it goes on when there is a session.
    AwaitSession,
    /// Nothing but lose patience.
    GiveUp,
}

impl<P: Service> Client<P> for RoutingClient<P> {
    type Timer = Timer;

    fn start(boot: ClientBoot<'_, P>, ctx: &mut ClientCtx<'_, P>) -> Self {
        let mut client = RoutingClient {
            me: boot.me,
            index: boot.index,
            clients: boot.clients,
            nodes: boot.nodes.to_vec(),
            workload: Arc::clone(boot.workload),
            session: if P::keeps_sessions(boot.config) { Session::None } else { Session::Unknown },
            homes: P::homes(boot.config, boot.nodes, boot.workload.keys.count()),
            reads_anywhere: P::reads_anywhere(boot.config),
            repeats_writes: P::repeats_writes(boot.config),
            serial: u64::from(boot.incarnation) << LIFE_BITS,
            seen: vec![Value::Nil; boot.workload.keys.count() as usize],
            favourite: None,
            next_node: 0,
            next_reader: 0,
            pending: VecDeque::new(),
            next: 0,
        };
        client.arm_first(ctx);
        client
    }

    fn on_reply(&mut self, from: NodeId, reply: P::Reply, ctx: &mut ClientCtx<'_, P>) {
        let Answer { serial, attempt, response } = reply.into();
        // An answer to an operation that has ended, or that an earlier life of this client began.
        let Ok(at) = self.pending.binary_search_by_key(&serial, |pending| pending.serial) else { return };
        if let Task::Operate { id, .. } = self.pending[at].task {
            ctx.answered(id, from);
        }
        match response {
            Response::Returned(ret) => self.on_returned(at, from, ret, ctx),
            Response::Redirect(to) => self.on_redirect(at, attempt, from, to, ctx),
            Response::Refused => self.end(at, Outcome::Refused, ctx),
            Response::Unknown => self.on_unknown(at, attempt, from, ctx),
            Response::Registered(session) => self.on_registered(at, from, session, ctx),
            Response::SessionClosed => self.on_session_closed(at, ctx),
        }
        self.arm_wake(ctx);
    }

    fn on_timer(&mut self, timer: Timer, ctx: &mut ClientCtx<'_, P>) {
        match timer {
            Timer::Next => self.on_next(ctx),
            Timer::Wake => self.on_wake(ctx),
        }
        self.arm_wake(ctx);
    }
}

impl<P: Service> RoutingClient<P> {
    /// Sets the alarm for the first operation of this life.
    fn arm_first(&mut self, ctx: &mut ClientCtx<'_, P>) {
        match &self.workload.pace {
            Pace::Closed { .. } | Pace::Open { .. } => {
                let early = (Clock::EPOCH + self.workload.from).since(ctx.now());
                let pause = self.pause(ctx);
                self.arm_next(early + pause, ctx);
            }
            Pace::Script { operations } => {
                // What it was to ask for while it was down, nobody asks for.
                self.next = operations.partition_point(|scripted| Clock::EPOCH + scripted.at < ctx.now());
                self.arm_scripted(ctx);
            }
            Pace::FinalReads { .. } => ctx.arm(Timer::Next, (Clock::EPOCH + self.workload.from).since(ctx.now())),
        }
    }

    /// The pause before the next operation begins, counted from now; none where no dice are thrown for it.
    fn pause(&self, ctx: &mut ClientCtx<'_, P>) -> Nanos {
        match &self.workload.pace {
            Pace::Closed { think: pause } | Pace::Open { gap: pause } => {
                pause.draw(ctx.workload_dice()).max(MICROSECOND)
            }
            Pace::Script { .. } | Pace::FinalReads { .. } => 0,
        }
    }

    /// Sets the alarm for the next operation, unless the workload is over by then.
    fn arm_next(&self, pause: Nanos, ctx: &mut ClientCtx<'_, P>) {
        if self.may_begin(ctx.now() + pause) {
            ctx.arm(Timer::Next, pause);
        }
    }

    /// Sets the alarm for the next of its operations in the script.
    fn arm_scripted(&self, ctx: &mut ClientCtx<'_, P>) {
        let Pace::Script { operations } = &self.workload.pace else { return };
        let mut left = operations[self.next..].iter();
        if let Some(next) = left.find(|scripted| scripted.client == self.index) {
            ctx.arm(Timer::Next, (Clock::EPOCH + next.at).since(ctx.now()));
        }
    }

    /// It is time for the next operation. All draws come first, in a fixed order.
    fn on_next(&mut self, ctx: &mut ClientCtx<'_, P>) {
        let workload = Arc::clone(&self.workload);
        match &workload.pace {
            Pace::Closed { .. } => self.begin_drawn(&workload, ctx),
            Pace::Open { .. } => {
                let gap = self.pause(ctx);
                self.begin_drawn(&workload, ctx);
                self.arm_next(gap, ctx);
            }
            Pace::Script { operations } => self.begin_scripted(operations, ctx),
            Pace::FinalReads { window, keys } => self.read_finally(*window as usize, keys, ctx),
        }
    }

    fn may_begin(&self, now: LocalTime) -> bool {
        now.since(Clock::EPOCH) < self.workload.until
    }

    /// Begins an operation of the workload's mix.
    fn begin_drawn(&mut self, workload: &Workload, ctx: &mut ClientCtx<'_, P>) {
        let (function, key) = workload.draw(ctx.workload_dice());
        if self.may_begin(ctx.now()) {
            self.begin(self.made(function, key), Purpose::Load, ctx);
        }
    }

    /// Begins what is due of a script. After a pause of the machine that can be several.
    fn begin_scripted(&mut self, operations: &[Scripted], ctx: &mut ClientCtx<'_, P>) {
        let is_due = |scripted: &&Scripted| Clock::EPOCH + scripted.at <= ctx.now();
        let (due, me) = (operations[self.next..].iter().take_while(is_due), self.index);
        let own: Vec<&Scripted> = due.clone().filter(|scripted| scripted.client == me).collect();
        self.next += due.count();
        for scripted in own {
            let seen = &self.seen[scripted.key as usize];
            let op = P::Data::written(scripted.function, scripted.key, &scripted.arguments, seen);
            self.begin(op, Purpose::Load, ctx);
        }
        self.arm_scripted(ctx);
    }

    /// Fills the window with reads of the keys not yet read.
    fn read_finally(&mut self, window: usize, keys: &[u32], ctx: &mut ClientCtx<'_, P>) {
        let Some(read) = P::Data::FUNCTIONS.iter().position(|function| !function.writes) else { return };
        while self.pending.len() < window && self.next < keys.len() && self.may_begin(ctx.now()) {
            let key = keys[self.next];
            self.next += 1;
            self.begin(self.made(read, key), Purpose::FinalRead, ctx);
        }
    }

    /// An operation with a value that nobody else writes.
    fn made(&self, function: usize, key: u32) -> OpOf<P> {
        let fresh = self.serial * u64::from(self.clients) + u64::from(self.me.0) + 1;
        let fresh = Value::Int(i64::try_from(fresh).expect("a run has fewer than 2^63 values"));
        P::Data::make(function, key, fresh, &self.seen[key as usize])
    }

    fn begin(&mut self, op: OpOf<P>, purpose: Purpose, ctx: &mut ClientCtx<'_, P>) {
        let patience = self.workload.patience;
        let id = ctx.invoke(op.clone(), patience, purpose);
        ctx.numbered(id, self.serial);
        let deadline = match purpose {
            Purpose::Load => Some(ctx.now() + patience),
            Purpose::FinalRead => None,
        };
        self.take_on(Task::Operate { id, op }, deadline, ctx);
    }

    /// Begins a request, under the next serial number.
    fn take_on(&mut self, task: Task<P>, deadline: Option<LocalTime>, ctx: &mut ClientCtx<'_, P>) {
        let serial = self.serial;
        self.serial += 1;
        self.pending.push_back(Pending {
            serial,
            task,
            session: None,
            attempts: 0,
            was_doubted: false,
            hops: 0,
            next: Next::Ask,
            due: ctx.now(),
            deadline,
        });
        self.ask(self.pending.len() - 1, ctx);
    }

    /// Sends the request to whoever is most likely to serve it.
    fn ask(&mut self, at: usize, ctx: &mut ClientCtx<'_, P>) {
        let belongs_in_session = self.session != Session::Unknown && self.pending[at].writes();
        if belongs_in_session && self.pending[at].session.is_none() {
            let Session::Open(session) = self.session else { return self.await_session(at, ctx) };
            self.pending[at].session = Some(session);
        }
        if let Some(home) = self.home(at) {
            return self.ask_node(at, home, ctx);
        }
        let node = match self.favourite {
            _ if self.reads_anywhere && self.pending[at].reads() => self.nodes[self.next_reader],
            Some(favourite) => favourite,
            None => self.nodes[self.next_node],
        };
        self.ask_node(at, node, ctx);
    }

    /// Who serves the key of an operation best, if the client knows: at each attempt the next of them.
    fn home(&self, at: usize) -> Option<NodeId> {
        let Pending { task: Task::Operate { op, .. }, attempts, .. } = &self.pending[at] else { return None };
        let homes = self.homes.get(P::Data::key(op) as usize).filter(|homes| !homes.is_empty())?;
        Some(homes[*attempts as usize % homes.len()])
    }

    /// What writes is to be done in a session, and there is none yet.
    fn await_session(&mut self, at: usize, ctx: &mut ClientCtx<'_, P>) {
        self.pending[at].next = Next::AwaitSession;
        if self.session == Session::None {
            self.session = Session::Requested;
            self.take_on(Task::Register, None, ctx);
        }
    }

    fn ask_node(&mut self, at: usize, node: NodeId, ctx: &mut ClientCtx<'_, P>) {
        let settled = self.pending[0].serial;
        let pending = &mut self.pending[at];
        let ask = match &pending.task {
            Task::Register => Ask::Register,
            Task::Operate { op, .. } => {
                let session = pending.session.map(|id| InSession { id, settled });
                Ask::Operation { session, op: op.clone() }
            }
        };
        let request = Request { serial: pending.serial, attempt: pending.attempts, ask };
        pending.attempts += 1;
        pending.next = Next::Doubt(node);
        pending.due = ctx.now() + self.workload.retry_after;
        if let Task::Operate { id, .. } = pending.task {
            ctx.asks(id, node);
        }
        ctx.request(node, request.into());
    }

    fn on_returned(&mut self, at: usize, from: NodeId, ret: RetOf<P>, ctx: &mut ClientCtx<'_, P>) {
        let Task::Operate { op, .. } = &self.pending[at].task else { return };
        if !(self.reads_anywhere && self.pending[at].reads()) {
            self.favourite = Some(from);
        }
        if let Some(value) = P::Data::learnt(op, &ret) {
            self.seen[P::Data::key(op) as usize] = value;
        }
        self.end(at, Outcome::Returned(ret), ctx);
    }

    /// The session is there: what waited for it goes on.
    fn on_registered(&mut self, at: usize, from: NodeId, session: SessionId, ctx: &mut ClientCtx<'_, P>) {
        self.favourite = Some(from);
        self.session = Session::Open(session);
        self.pending.remove(at);
        for waiting in 0..self.pending.len() {
            if self.pending[waiting].next == Next::AwaitSession {
                self.ask(waiting, ctx);
            }
        }
    }

    /// The session was closed, for want of use. What was sent only once was certainly not done, and is sent in a new one;
    /// of what was sent more than once nobody knows.
    fn on_session_closed(&mut self, at: usize, ctx: &mut ClientCtx<'_, P>) {
        let closed = self.pending[at].session.take();
        if closed.is_some_and(|closed| self.session == Session::Open(closed)) {
            self.session = Session::None;
        }
        match self.pending[at].attempts {
            0 | 1 => self.ask(at, ctx),
            _ => self.end(at, Outcome::Unknown, ctx),
        }
    }

    /// A node had accepted the attempt and lost it from sight. In a session it may be asked for again.
    fn on_unknown(&mut self, at: usize, attempt: u32, from: NodeId, ctx: &mut ClientCtx<'_, P>) {
        if !self.may_repeat(at) {
            return self.end(at, Outcome::Unknown, ctx);
        }
        self.pending[at].was_doubted = true;
        if attempt + 1 == self.pending[at].attempts {
            self.back_off(at, from, ctx);
        }
    }

    /// A node turned the attempt away: it has not accepted it and never will.
    fn on_redirect(&mut self, at: usize, attempt: u32, from: NodeId, to: Option<NodeId>, ctx: &mut ClientCtx<'_, P>) {
        let pending = &mut self.pending[at];
        if attempt + 1 < pending.attempts || pending.next == Next::Ask {
            // A later attempt is under way already, or will be.
            return;
        }
        pending.hops += 1;
        let hops = pending.hops;
        if let Task::Operate { id, .. } = pending.task {
            ctx.turned_away(id);
        }
        match to {
            Some(leader) if leader != from && hops <= HOPS_MAX => {
                self.favourite = Some(leader);
                self.ask_node(at, leader, ctx);
            }
            Some(_) | None => self.back_off(at, from, ctx),
        }
    }

    /// Nobody knows who serves, or everybody says that it is somebody else.
    fn back_off(&mut self, at: usize, from: NodeId, ctx: &mut ClientCtx<'_, P>) {
        let pause = ctx.dice().between(BACKOFF.0, BACKOFF.1);
        self.turn_away_from(from);
        if self.pending[at].hops > 1 {
            // Whoever began the chain of hints is out of date.
            self.next_node = (self.next_node + 1) % self.nodes.len();
        }
        let pending = &mut self.pending[at];
        pending.hops = 0;
        pending.next = Next::Ask;
        pending.due = ctx.now() + pause;
    }

    /// This node was of no help: forget it if it was the favourite, and try another one next.
    fn turn_away_from(&mut self, node: NodeId) {
        if self.favourite == Some(node) {
            self.favourite = None;
        }
        for next in [&mut self.next_node, &mut self.next_reader] {
            if self.nodes[*next] == node {
                *next = (*next + 1) % self.nodes.len();
            }
        }
    }

    /// Does everything that is due.
    fn on_wake(&mut self, ctx: &mut ClientCtx<'_, P>) {
        let now = ctx.now();
        // From the last to the first, so that those that end do not move those still to be looked at.
        for at in (0..self.pending.len()).rev() {
            if self.pending[at].deadline.is_some_and(|deadline| deadline <= now) {
                self.lose_patience(at, ctx);
            } else if self.pending[at].due <= now {
                self.on_due(at, ctx);
            }
        }
    }

    fn on_due(&mut self, at: usize, ctx: &mut ClientCtx<'_, P>) {
        match self.pending[at].next {
            Next::Ask => self.ask(at, ctx),
            Next::Doubt(node) => self.doubt(at, node, ctx),
            Next::AwaitSession | Next::GiveUp => {}
        }
    }

    /// The node has not answered in time. What may be repeated is asked again elsewhere; else it may have been accepted
    /// here, and all one can do is wait.
    fn doubt(&mut self, at: usize, node: NodeId, ctx: &mut ClientCtx<'_, P>) {
        self.turn_away_from(node);
        if !self.may_repeat(at) {
            self.pending[at].next = Next::GiveUp;
            return;
        }
        self.pending[at].was_doubted = true;
        self.pending[at].hops = 0;
        self.ask(at, ctx);
    }

    /// Whether it does no harm if this request arrives twice.
    fn may_repeat(&self, at: usize) -> bool {
        self.repeats_writes || self.session != Session::Unknown || self.pending[at].reads()
    }

    fn lose_patience(&mut self, at: usize, ctx: &mut ClientCtx<'_, P>) {
        let outcome = match self.pending[at].next {
            Next::Ask | Next::AwaitSession if !self.pending[at].was_doubted => Outcome::Refused,
            Next::Ask | Next::AwaitSession | Next::GiveUp => Outcome::Unknown,
            Next::Doubt(node) => {
                self.turn_away_from(node);
                Outcome::Unknown
            }
        };
        self.end(at, outcome, ctx);
    }

    /// The operation has ended; perhaps the next one begins.
    fn end(&mut self, at: usize, outcome: Outcome<RetOf<P>>, ctx: &mut ClientCtx<'_, P>) {
        let pending = self.pending.remove(at).expect("the caller has found it");
        // What asks for a session is asked until it is answered, and has no outcome.
        let Task::Operate { id, .. } = pending.task else { return };
        ctx.complete(id, outcome);
        match self.workload.pace {
            Pace::Closed { .. } => {
                let think = self.pause(ctx);
                self.arm_next(think, ctx);
            }
            Pace::Open { .. } | Pace::Script { .. } => {}
            Pace::FinalReads { .. } => ctx.arm(Timer::Next, 0),
        }
    }

    /// Sets the alarm for the earliest thing due.
    fn arm_wake(&self, ctx: &mut ClientCtx<'_, P>) {
        match self.pending.iter().filter_map(Pending::due).min() {
            Some(due) => ctx.arm(Timer::Wake, due.since(ctx.now())),
            None => ctx.disarm(Timer::Wake),
        }
    }
}

impl<P: Protocol> Pending<P> {
    /// When something is to be done about it; `None` while it waits for a session and has all the time in the world.
    fn due(&self) -> Option<LocalTime> {
        match self.next {
            Next::AwaitSession => self.deadline,
            Next::GiveUp => Some(self.deadline.unwrap_or(self.due)),
            Next::Ask | Next::Doubt(_) => Some(self.deadline.map_or(self.due, |deadline| deadline.min(self.due))),
        }
    }

    /// Whether it is an operation that can change the data.
    fn writes(&self) -> bool {
        match &self.task {
            Task::Register => false,
            Task::Operate { op, .. } => P::Data::FUNCTIONS[P::Data::function(op)].writes,
        }
    }

    /// Whether it is an operation that cannot.
    fn reads(&self) -> bool {
        matches!(self.task, Task::Operate { .. }) && !self.writes()
    }
}
