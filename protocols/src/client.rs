//! The client that most systems share: it knows the nodes, not who among them serves.
//!
//! Think of somebody ringing round an office. He calls whoever helped him last, else the nearest. "Not me, ask her": he
//! calls her at once, though not for ever, since two may each think it is the other. "Not me, nobody knows who": he waits
//! a moment and tries the next. No answer at all is the hard case. A question he may ask somebody else. An order he must
//! not repeat: perhaps it was carried out and only the answer was lost, and nobody here keeps a list of orders done (there
//! are no sessions yet), so twice would be twice. He waits as long as he has patience, and then does not know.
//!
//! How an operation ends, then:
//! - `Returned`: a node said so.
//! - `Refused`: it certainly did not happen: a node said so, or every node that got it turned it away.
//! - `Unknown`: a node may have accepted it, and the answer never came, or was that nobody knows.
//!
//! All times are by the client's own clock. It keeps two alarms whatever the number of operations: for the next one to
//! begin, and for the earliest thing due among those under way.

use history::{Data, Outcome, Purpose, Value};
use serde::Serialize;
use sim_core::Clock;
use sim_core::protocol::{Client, ClientBoot, ClientCtx, ClientId, NodeId, OpId, Protocol};
use sim_core::time::{LocalTime, MICROSECOND, MILLISECOND, Nanos};
use sim_core::workload::{Pace, Workload};
use std::collections::VecDeque;
use std::sync::Arc;

/// A system that [`RoutingClient`] can talk to.
pub trait Service: Protocol<Client = RoutingClient<Self>> {
    /// The request in the system's own words.
    fn request(request: Request<OpOf<Self>>) -> Self::Request;

    /// What a reply says, in the client's words.
    fn answer(reply: Self::Reply) -> Answer<RetOf<Self>>;
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
    pub op: Op,
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
    /// It was accepted, and what became of it will not be known.
    Unknown,
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
    /// How many clients there are in the run: values are counted off among them.
    clients: u32,
    /// All nodes, the nearest first.
    nodes: Vec<NodeId>,
    workload: Arc<Workload>,
    /// The serial number of the next operation.
    serial: u64,
    /// By key: what this client last knew it to hold.
    seen: Vec<Value>,
    /// Who served last, or is said to serve.
    favourite: Option<NodeId>,
    /// Whom to try when there is no favourite: a position in `nodes`.
    next_node: usize,
    /// Begun and not ended, in the order of their serial numbers.
    pending: VecDeque<Pending<P>>,
    /// For final reads: the next key.
    next_key: u32,
}

/// Alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Timer {
    /// The next operation begins.
    Next,
    /// Something is due among the operations under way.
    Wake,
}

/// An operation begun and not ended.
#[derive(Clone)]
struct Pending<P: Protocol> {
    serial: u64,
    id: OpId,
    op: OpOf<P>,
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

/// What a client will do about an operation if nothing happens until it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Ask a node; the latest attempt, if there was one, was turned away.
    Ask,
    /// Stop believing that this node will answer.
    Doubt(NodeId),
    /// Nothing but lose patience.
    GiveUp,
}

impl<P: Service> Client<P> for RoutingClient<P> {
    type Timer = Timer;

    fn start(boot: ClientBoot<'_, P>, ctx: &mut ClientCtx<'_, P>) -> Self {
        let client = RoutingClient {
            me: boot.me,
            clients: boot.clients,
            nodes: boot.nodes.to_vec(),
            workload: Arc::clone(boot.workload),
            serial: u64::from(boot.incarnation) << LIFE_BITS,
            seen: vec![Value::Nil; boot.workload.keys.count() as usize],
            favourite: None,
            next_node: 0,
            pending: VecDeque::new(),
            next_key: 0,
        };
        let early = (Clock::EPOCH + boot.workload.from).since(ctx.now());
        let pause = client.pause(ctx);
        ctx.arm(Timer::Next, early + pause);
        client
    }

    fn on_reply(&mut self, from: NodeId, reply: P::Reply, ctx: &mut ClientCtx<'_, P>) {
        let Answer { serial, attempt, response } = P::answer(reply);
        // An answer to an operation that has ended, or that an earlier life of this client began.
        let Ok(at) = self.pending.binary_search_by_key(&serial, |pending| pending.serial) else { return };
        ctx.answered(self.pending[at].id, from);
        match response {
            Response::Returned(ret) => self.on_returned(at, from, ret, ctx),
            Response::Redirect(to) => self.on_redirect(at, attempt, from, to, ctx),
            Response::Refused => self.end(at, Outcome::Refused, ctx),
            Response::Unknown => self.end(at, Outcome::Unknown, ctx),
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
    /// The pause before the next operation begins, counted from now.
    fn pause(&self, ctx: &mut ClientCtx<'_, P>) -> Nanos {
        match &self.workload.pace {
            Pace::Closed { think: pause } | Pace::Open { gap: pause } => pause.draw(ctx.dice()).max(MICROSECOND),
            Pace::FinalReads { .. } => 0,
        }
    }

    /// It is time for the next operation. All draws come first, in a fixed order.
    fn on_next(&mut self, ctx: &mut ClientCtx<'_, P>) {
        let workload = Arc::clone(&self.workload);
        match workload.pace {
            Pace::Closed { .. } => self.begin_drawn(&workload, ctx),
            Pace::Open { .. } => {
                let gap = self.pause(ctx);
                self.begin_drawn(&workload, ctx);
                if self.may_begin(ctx.now()) {
                    ctx.arm(Timer::Next, gap);
                }
            }
            Pace::FinalReads { window } => self.read_finally(window as usize, ctx),
        }
    }

    fn may_begin(&self, now: LocalTime) -> bool {
        now.since(Clock::EPOCH) < self.workload.until
    }

    /// Begins an operation of the workload's mix.
    fn begin_drawn(&mut self, workload: &Workload, ctx: &mut ClientCtx<'_, P>) {
        let (function, key) = workload.draw(ctx.dice());
        if self.may_begin(ctx.now()) {
            self.begin(function, key, Purpose::Load, ctx);
        }
    }

    /// Fills the window with reads of the keys not yet read.
    fn read_finally(&mut self, window: usize, ctx: &mut ClientCtx<'_, P>) {
        let Some(read) = P::Data::FUNCTIONS.iter().position(|function| !function.writes) else { return };
        let keys = if P::Data::KEYED { self.workload.keys.count() } else { 1 };
        while self.pending.len() < window && self.next_key < keys && self.may_begin(ctx.now()) {
            let key = self.next_key;
            self.next_key += 1;
            self.begin(read, key, Purpose::FinalRead, ctx);
        }
    }

    fn begin(&mut self, function: usize, key: u32, purpose: Purpose, ctx: &mut ClientCtx<'_, P>) {
        let serial = self.serial;
        self.serial += 1;
        let fresh = serial * u64::from(self.clients) + u64::from(self.me.0) + 1;
        let fresh = Value::Int(i64::try_from(fresh).expect("a run has fewer than 2^63 values"));
        let op = P::Data::make(function, key, fresh, &self.seen[key as usize]);
        let patience = self.workload.patience;
        let id = ctx.invoke(op.clone(), patience, purpose);
        let deadline = match purpose {
            Purpose::Load => Some(ctx.now() + patience),
            Purpose::FinalRead => None,
        };
        let (next, due) = (Next::Ask, ctx.now());
        self.pending.push_back(Pending {
            serial,
            id,
            op,
            attempts: 0,
            was_doubted: false,
            hops: 0,
            next,
            due,
            deadline,
        });
        self.ask(self.pending.len() - 1, ctx);
    }

    /// Sends the operation to whoever is most likely to serve it.
    fn ask(&mut self, at: usize, ctx: &mut ClientCtx<'_, P>) {
        let node = self.favourite.unwrap_or(self.nodes[self.next_node]);
        self.ask_node(at, node, ctx);
    }

    fn ask_node(&mut self, at: usize, node: NodeId, ctx: &mut ClientCtx<'_, P>) {
        let pending = &mut self.pending[at];
        let request = Request { serial: pending.serial, attempt: pending.attempts, op: pending.op.clone() };
        pending.attempts += 1;
        pending.next = Next::Doubt(node);
        pending.due = ctx.now() + self.workload.retry_after;
        ctx.request(node, P::request(request));
    }

    fn on_returned(&mut self, at: usize, from: NodeId, ret: RetOf<P>, ctx: &mut ClientCtx<'_, P>) {
        self.favourite = Some(from);
        let op = &self.pending[at].op;
        if let Some(value) = P::Data::learnt(op, &ret) {
            self.seen[P::Data::key(op) as usize] = value;
        }
        self.end(at, Outcome::Returned(ret), ctx);
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
        if self.nodes[self.next_node] == node {
            self.next_node = (self.next_node + 1) % self.nodes.len();
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
            Next::GiveUp => {}
        }
    }

    /// The node has not answered in time. What only reads is asked again elsewhere; what writes is not, since this node
    /// may have accepted it.
    fn doubt(&mut self, at: usize, node: NodeId, ctx: &mut ClientCtx<'_, P>) {
        self.turn_away_from(node);
        let pending = &mut self.pending[at];
        if P::Data::FUNCTIONS[P::Data::function(&pending.op)].writes {
            pending.next = Next::GiveUp;
        } else {
            pending.was_doubted = true;
            pending.hops = 0;
            self.ask(at, ctx);
        }
    }

    fn lose_patience(&mut self, at: usize, ctx: &mut ClientCtx<'_, P>) {
        let outcome = match self.pending[at].next {
            Next::Ask if !self.pending[at].was_doubted => Outcome::Refused,
            Next::Ask | Next::GiveUp => Outcome::Unknown,
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
        ctx.complete(pending.id, outcome);
        match self.workload.pace {
            Pace::Closed { .. } => {
                let think = self.pause(ctx);
                ctx.arm(Timer::Next, think);
            }
            Pace::Open { .. } => {}
            Pace::FinalReads { .. } => ctx.arm(Timer::Next, 0),
        }
    }

    /// Sets the alarm for the earliest thing due.
    fn arm_wake(&self, ctx: &mut ClientCtx<'_, P>) {
        match self.pending.iter().map(Pending::due).min() {
            Some(due) => ctx.arm(Timer::Wake, due.since(ctx.now())),
            None => ctx.disarm(Timer::Wake),
        }
    }
}

impl<P: Protocol> Pending<P> {
    /// When something is to be done about it.
    fn due(&self) -> LocalTime {
        match (self.next, self.deadline) {
            (Next::GiveUp, Some(deadline)) => deadline,
            (Next::Ask | Next::Doubt(_) | Next::GiveUp, None) => self.due,
            (Next::Ask | Next::Doubt(_), Some(deadline)) => self.due.min(deadline),
        }
    }
}
