//! What a system under test is to the engine: a state machine that is told things and asks for things.
//!
//! A [`Protocol`] never does anything itself. It is told of a message, a timer, a request, and writes what it wants
//! into its [`Ctx`]: send this, write that down, wake me in 50 ms. The engine carries the wishes out, in order, and may
//! crash the node between any two of them.
//!
//! **Write before you answer is the order of two lines.** Whatever leaves a node (messages, replies) leaves in the order
//! it was asked for, and a [`Ctx::persist`] holds back everything behind it, of this step and of later ones, until the
//! record is on disk:
//!
//! ```ignore
//! ctx.persist(Record::Vote { term, candidate });        // "updated on stable storage …
//! ctx.send(candidate, Message::VoteGranted { term });   //  … before responding" (Raft, figure 2)
//! ```
//!
//! The process itself does not wait: it goes on handling messages with its memory ahead of its disk, and records asked
//! for meanwhile share the next flush (group commit). A protocol that wants to run further ahead uses
//! [`Ctx::persist_later`], which holds nothing back and reports with [`Protocol::on_disk`].
//!
//! **A disk that fails stops the process.** A write that is refused and a flush that fails are told with
//! [`Protocol::on_disk_error`], and what waited for them never leaves. What to do about it is decided there; who decides
//! nothing dies, as etcd and PostgreSQL do, since nobody can know what of it is on disk. A process whose journal is spoilt,
//! and who would have to forget what it promised, can refuse to serve ([`Ctx::halt`]).
//!
//! A protocol that is part of another (a detector inside a store, Raft under a lock service) is a plain struct whose
//! methods take a `Ctx` of its own [`Vocabulary`]; the host lends it one with [`Ctx::nested`].

use crate::dice::Dice;
use crate::holding::Holding;
use crate::laws::Laws;
use crate::promise::{Claim, Premise};
use crate::reach::Reach;
use crate::settings::Settings;
use crate::time::{LocalTime, Nanos};
use crate::wire::Wire;
use history::Data;
use serde::Serialize;
use std::fmt::{self, Debug};

/// A node: a machine that runs one process of the system.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct NodeId(pub u32);

/// A client: a machine outside the system that asks it for things.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ClientId(pub u32);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("n{}", self.0 + 1))
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("c{}", self.0 + 1))
    }
}

/// A message that names a node is shown in traces as it is debugged, and there a node is called what it is called everywhere.
impl Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The name of an alarm that a process sets for itself.
pub trait Alarm: Copy + Eq + Debug + Serialize + 'static {}
impl<T: Copy + Eq + Debug + Serialize + 'static> Alarm for T {}

/// For a vocabulary that has no word of some kind, such as a detector without replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Never {}

/// The words of a state machine: what it says to its peers, its disk, its own future and those who ask.
pub trait Vocabulary: Sized + 'static {
    /// Node to node.
    type Message: Wire;
    /// Alarms it sets for itself.
    type Timer: Alarm;
    /// What it writes down and what survives a crash.
    type Record: Wire;
    /// Node to client.
    type Reply: Wire;
}

/// An order that an operator can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderKind {
    /// As scenario files write it, such as `remove`.
    pub name: &'static str,
    /// How many nodes it is about.
    pub about: About,
    /// What it does, in a sentence.
    pub text: &'static str,
}

/// How many nodes an order is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// None: `compact`.
    Nobody,
    /// One: `remove n3`.
    One,
    /// One or more: `members n1 n2 n3`.
    Some,
}

/// A system under test.
pub trait Protocol: Vocabulary + Clone {
    /// Client to node.
    type Request: Wire;
    /// Who asks.
    type Client: Client<Self>;
    /// What an operator can order a node to do: change the membership, hand over leadership.
    type Admin: Wire;
    /// Its settings.
    type Config: Settings;
    /// What its clients operate on.
    type Data: Data;
    /// What must hold at every step.
    type Laws: Laws<Self>;
    /// The kinds of node in the system; most have one.
    const ROLES: &'static [&'static str] = &["node"];
    /// What an operator can order, by the names that scenario files use.
    const ORDERS: &'static [OrderKind] = &[];

    /// The kinds of its messages, requests and replies, as [`wire::kind`](crate::wire::kind) names them: by these a fault drops
    /// some and not others. A system that lists none can only be made to lose messages of all kinds.
    const KINDS: &'static [&'static str] = &[];

    /// The ways in which its nodes come back to what others know, as they [tell](Observation::Recovered): a sweep counts how often
    /// each was taken, and names those that never were.
    const RECOVERIES: &'static [&'static str] = &[];

    /// The order of this name (one of [`Protocol::ORDERS`]) about these nodes.
    fn order(name: &str, about: &[NodeId]) -> Self::Admin {
        let _ = about;
        unreachable!("nobody asks for the order `{name}` of a system without ORDERS")
    }

    /// A process begins: the first time, or again after a crash, with what its journal kept.
    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self;
    /// A message from a peer.
    fn on_message(&mut self, from: NodeId, message: Self::Message, ctx: &mut Ctx<'_, Self>);
    /// An alarm it had set.
    fn on_timer(&mut self, timer: Self::Timer, ctx: &mut Ctx<'_, Self>);
    /// A request from a client. It may be answered at once, later, often or never.
    fn on_request(&mut self, client: ClientId, request: Self::Request, ctx: &mut Ctx<'_, Self>);
    /// A record asked for with [`Ctx::persist_later`] is on disk.
    fn on_disk(&mut self, ticket: Ticket, ctx: &mut Ctx<'_, Self>) {
        let _ = (ticket, ctx);
    }
    /// The disk reports an error. Of records asked for since the last flush that succeeded nobody knows which are on disk;
    /// a record that was refused is nowhere, and neither is what was asked for after it in the same step.
    ///
    /// Who goes on has what is left flushed again, hears that this succeeds, and may have lost it all the same: the
    /// operating system marks pages clean when they could not be written (fsyncgate, 2018).
    fn on_disk_error(&mut self, error: DiskError, ctx: &mut Ctx<'_, Self>) -> AfterError {
        let _ = (error, ctx);
        AfterError::Stop
    }
    /// An order from the operator. Whether the node took it up; an order that nobody takes up had no effect.
    fn on_admin(&mut self, order: Self::Admin, ctx: &mut Ctx<'_, Self>) -> bool {
        let _ = (order, ctx);
        false
    }

    /// Whether it [reveals](Protocol::reveal) anything: scenarios can then demand that nodes end up with the same.
    const REVEALS: bool = false;

    /// What this node keeps of the data it is home to. It is asked only after everything has healed, and only looked at.
    fn reveal(&self) -> Option<Holding> {
        None
    }

    /// Could *any* protocol of this kind have served `op`, given which nodes are up and which links are live? The bound
    /// beside which availability is shown.
    fn can_serve(config: &Self::Config, op: &<Self::Data as Data>::Op, reach: &Reach<'_>) -> bool;

    /// Whether, with these settings and where no more than this goes wrong, it promises this. Flaws are not looked at: what is
    /// promised is what the system would do without them.
    ///
    /// # Errors
    /// Why not, in half a sentence that names the setting or the condition: "reads = local answers from …".
    fn promises(config: &Self::Config, claim: Claim, premise: &Premise) -> Result<(), String>;
}

/// Who asks: a process outside the system, with a clock and dice of its own. It can be paused, crashed and cut off.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a client of `{P}`",
    note = "`RoutingClient<Self>` is, of every protocol that implements `Service`; nothing in that has to be written"
)]
pub trait Client<P: Protocol>: Clone {
    /// Alarms it sets for itself.
    type Timer: Alarm;
    /// It begins, at the start of the run or after a crash (it then remembers nothing).
    fn start(boot: ClientBoot<'_, P>, ctx: &mut ClientCtx<'_, P>) -> Self;
    /// A reply from a node, to whichever request; perhaps to one it has given up, perhaps unasked.
    fn on_reply(&mut self, from: NodeId, reply: P::Reply, ctx: &mut ClientCtx<'_, P>);
    /// An alarm it had set.
    fn on_timer(&mut self, timer: Self::Timer, ctx: &mut ClientCtx<'_, P>);
}

/// Why a process begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The cluster is new.
    First,
    /// It crashed, and its machine is up again.
    Restart,
    /// Its machine is gone for good, and its disk with it; this is another in its place, and the journal is empty. Whatever
    /// its predecessor promised under its name, it knows nothing of it. It is told so again each time it begins, until it has
    /// something in its journal.
    Replacement,
}

/// One node as its peers know it from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub id: NodeId,
    /// One of [`Protocol::ROLES`].
    pub role: &'static str,
}

/// One slot of a journal as it reads back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot<R> {
    /// What was written.
    Ok(R),
    /// Something was written here, or should have been, and it does not read back (its checksum is wrong): a torn write, a
    /// lost one, or rot. [`Boot::flushed`] tells them apart.
    Corrupt,
}

/// What a process knows when it begins.
pub struct Boot<'a, P: Protocol> {
    /// Itself.
    pub me: NodeId,
    /// One of [`Protocol::ROLES`].
    pub role: &'static str,
    /// All nodes, itself included, in the order of their ids.
    pub members: &'a [Member],
    /// Its settings.
    pub config: &'a P::Config,
    /// Why it begins.
    pub why: Why,
    /// What its journal kept. Everything in it is on disk: a process flushes what it finds before it relies on it.
    pub journal: &'a [Slot<P::Record>],
    /// So many of these slots, the first, were on disk before: every flush ends with a mark that counts the slots before
    /// it, and this is the last mark found. A slot before it that does not read back has been spoilt since, and somebody
    /// may have been told what was in it. One behind it was being written, and nobody was.
    pub flushed: usize,
}

/// What a client knows when it begins.
pub struct ClientBoot<'a, P: Protocol> {
    /// Itself.
    pub me: ClientId,
    /// All nodes, the nearest first.
    pub nodes: &'a [NodeId],
    /// The settings of the system it talks to.
    pub config: &'a P::Config,
    /// What it is to ask for.
    pub workload: &'a std::sync::Arc<crate::workload::Workload>,
    /// A number of its own among those who share the workload, from 0.
    pub index: u32,
    /// How many clients there are in the whole run.
    pub clients: u32,
    /// How often it has crashed before.
    pub incarnation: u32,
    /// Why it begins.
    pub why: Why,
}

/// Names a record on its way to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ticket(pub u64);

/// What a disk can report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum DiskError {
    /// A flush failed (`EIO`).
    Flush,
    /// A record could not be written (`EIO`).
    Write,
    /// There is no room for a record (`ENOSPC`).
    Full,
    /// The disk can only be read (`EROFS`).
    ReadOnly,
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DiskError::Flush => "a flush failed",
            DiskError::Write => "a write failed",
            DiskError::Full => "the disk is full",
            DiskError::ReadOnly => "the disk is read-only",
        })
    }
}

/// What becomes of a process whose disk has reported an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterError {
    /// It dies at once, without doing anything it asked for. It is started again a second later, or when its disk takes
    /// writes again if that is later, and finds what the disk has: not what the operating system still shows.
    Stop,
    /// It goes on, and what is not on disk yet is flushed again.
    GoOn,
}

/// What a process lets the outside see of itself: for timelines, and for faults that strike a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// It now holds this role in this term (ballot, view, epoch). Roles of a higher term are believed over lower ones.
    Role {
        /// Such as `leader`.
        role: &'static str,
        /// Its term.
        term: u64,
    },
    /// It now takes a peer to be down, or up. Who begins to watch a peer says at once that it is up, so that whoever watches
    /// nobody can be told from one who is never wrong.
    Deems {
        /// Whom.
        peer: NodeId,
        /// Down, or up.
        is_down: bool,
    },
    /// It has come back to what others know, in this way: one of [`Protocol::RECOVERIES`].
    Recovered(&'static str),
}

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Like TCP: in order per pair; loss shows as delay; a cut stalls the connection and in the end resets it, and what
    /// was on it is lost.
    Stream,
    /// Like UDP: may be lost, doubled or overtaken.
    Datagram,
}

/// Something a process asks for.
#[derive(Clone, Debug)]
pub enum Effect<V: Vocabulary> {
    /// A message to a peer.
    Send(NodeId, V::Message, Transport),
    /// A reply to a client.
    Tell(ClientId, V::Reply),
    /// A record; what leaves the node after it waits for the disk.
    Persist(V::Record),
    /// A record; nothing waits for it.
    PersistLater(V::Record, Ticket),
    /// Records that replace everything written before them; what leaves the node after them waits for the disk.
    Snapshot(Vec<V::Record>),
    /// Drops every journal slot from this one on.
    Truncate(usize),
    /// Sets an alarm, or sets it anew.
    Arm(V::Timer, Nanos),
    /// Takes an alarm back.
    Disarm(V::Timer),
    /// Lets the outside see something.
    Observe(Observation),
    /// A client's request, by its number, has taken effect.
    TookEffect(ClientId, u64),
    /// Stops for good, for this reason.
    Halt(String),
}

/// Where a process writes its wishes. See the module's text for their order.
pub struct Ctx<'a, V: Vocabulary> {
    pub(crate) me: NodeId,
    pub(crate) now: LocalTime,
    pub(crate) wall: LocalTime,
    pub(crate) dice: &'a mut Dice,
    pub(crate) next_ticket: &'a mut u64,
    pub(crate) effects: &'a mut Vec<Effect<V>>,
}

impl<V: Vocabulary> Ctx<'_, V> {
    /// This node.
    pub fn me(&self) -> NodeId {
        self.me
    }

    /// This node's own monotonic clock, which may be wrong: what to measure time with, and what alarms go by. Nobody sets it.
    pub fn now(&self) -> LocalTime {
        self.now
    }

    /// This node's own wall clock, which may be wrong, and may be set while one looks: good for what people shall read, and
    /// for little else.
    pub fn wall(&self) -> LocalTime {
        self.wall
    }

    /// This node's own dice.
    pub fn dice(&mut self) -> &mut Dice {
        self.dice
    }

    /// Sends to a peer over this transport.
    pub fn send_over(&mut self, transport: Transport, to: NodeId, message: V::Message) {
        self.effects.push(Effect::Send(to, message, transport));
    }

    /// Sends to a peer, in order and without loss while the connection lives.
    pub fn send(&mut self, to: NodeId, message: V::Message) {
        self.effects.push(Effect::Send(to, message, Transport::Stream));
    }

    /// Sends to a peer; it may be lost, doubled or overtaken.
    pub fn send_datagram(&mut self, to: NodeId, message: V::Message) {
        self.effects.push(Effect::Send(to, message, Transport::Datagram));
    }

    /// Tells a client something; any number of times, asked or unasked.
    pub fn tell(&mut self, client: ClientId, reply: V::Reply) {
        self.effects.push(Effect::Tell(client, reply));
    }

    /// Writes a record down. Nothing asked for after it leaves this node before it is on disk.
    pub fn persist(&mut self, record: V::Record) {
        self.effects.push(Effect::Persist(record));
    }

    /// Writes a record down and goes on; [`Protocol::on_disk`] is told when it is on disk.
    pub fn persist_later(&mut self, record: V::Record) -> Ticket {
        let ticket = Ticket(*self.next_ticket);
        *self.next_ticket += 1;
        self.effects.push(Effect::PersistLater(record, ticket));
        ticket
    }

    /// Writes records down that replace everything written so far. They are appended as a group; once all of them are on
    /// disk, every slot before them is dropped, in one go (write beside, then rename). Until then the old slots stay, and a
    /// crash finds them, and possibly some or all of the new ones behind them: a record has to say itself that a snapshot
    /// begins and ends with it. Like [`Ctx::persist`] it holds back what leaves the node after it; what is persisted after
    /// it lies behind it.
    pub fn snapshot(&mut self, records: Vec<V::Record>) {
        self.effects.push(Effect::Snapshot(records));
    }

    /// Drops every journal slot from number `from` on, such as a torn tail found at the start: numbers count the slots
    /// of [`Boot::journal`], before anything else is written.
    pub fn truncate(&mut self, from: usize) {
        self.effects.push(Effect::Truncate(from));
    }

    /// Wakes this process with `timer` in `after` nanoseconds of its own clock; an alarm already set under that name
    /// is moved.
    pub fn arm(&mut self, timer: V::Timer, after: Nanos) {
        self.effects.push(Effect::Arm(timer, after));
    }

    /// Takes the alarm named `timer` back, if it is set.
    pub fn disarm(&mut self, timer: V::Timer) {
        self.effects.push(Effect::Disarm(timer));
    }

    /// Lets the outside see something of this process.
    pub fn observe(&mut self, observation: Observation) {
        self.effects.push(Effect::Observe(observation));
    }

    /// Notes that a client's request, by the number that the client [gave it](ClientCtx::numbered), has taken effect just
    /// now: later than all that was noted before, by whomever. Nothing happens by it: a checker tries the order of these
    /// notes before it looks for one.
    ///
    /// All replicas apply what one applied; it is enough if the first says so, and if several do, the first note counts.
    /// What only reads leaves no mark and needs no note. A note may be wrong, or missing: a checker believes none of
    /// them, and searches if they do not explain what clients heard.
    pub fn took_effect(&mut self, client: ClientId, serial: u64) {
        self.effects.push(Effect::TookEffect(client, serial));
    }

    /// Refuses to serve: this process ends here, and what it asks for after this is not done. Nobody starts it again: who
    /// does that finds the same disk. Why is for whoever reads the trace.
    pub fn halt(&mut self, why: impl Into<String>) {
        self.effects.push(Effect::Halt(why.into()));
    }

    /// Lends a part of this process a context in its own words; what it asks for is said in the host's.
    ///
    /// There is one journal. A part that shares it with the host or other parts must not ask for [`Ctx::snapshot`] or
    /// [`Ctx::truncate`] by itself, which would drop their records with its own: it hands its records to the host, which
    /// writes one snapshot of them all.
    pub fn nested<W: Vocabulary, R>(&mut self, run: impl FnOnce(&mut Ctx<'_, W>) -> R) -> R
    where
        V: Embed<W>,
    {
        let mut inner = Vec::new();
        let result = run(&mut Ctx {
            me: self.me,
            now: self.now,
            wall: self.wall,
            dice: self.dice,
            next_ticket: self.next_ticket,
            effects: &mut inner,
        });
        self.effects.extend(inner.into_iter().map(embed::<V, W>));
        result
    }
}

/// How a host says the words of a part of it.
pub trait Embed<W: Vocabulary>: Vocabulary {
    /// A message of the part as a message of the host.
    fn message(message: W::Message) -> Self::Message;
    /// An alarm of the part as an alarm of the host.
    fn timer(timer: W::Timer) -> Self::Timer;
    /// A record of the part as a record of the host.
    fn record(record: W::Record) -> Self::Record;
    /// A reply of the part as a reply of the host.
    fn reply(reply: W::Reply) -> Self::Reply;
}

fn embed<V: Embed<W>, W: Vocabulary>(effect: Effect<W>) -> Effect<V> {
    match effect {
        Effect::Send(to, message, transport) => Effect::Send(to, V::message(message), transport),
        Effect::Tell(client, reply) => Effect::Tell(client, V::reply(reply)),
        Effect::Persist(record) => Effect::Persist(V::record(record)),
        Effect::PersistLater(record, ticket) => Effect::PersistLater(V::record(record), ticket),
        Effect::Snapshot(records) => Effect::Snapshot(records.into_iter().map(V::record).collect()),
        Effect::Truncate(from) => Effect::Truncate(from),
        Effect::Arm(timer, after) => Effect::Arm(V::timer(timer), after),
        Effect::Disarm(timer) => Effect::Disarm(V::timer(timer)),
        Effect::Observe(observation) => Effect::Observe(observation),
        Effect::TookEffect(client, serial) => Effect::TookEffect(client, serial),
        Effect::Halt(why) => Effect::Halt(why),
    }
}

/// Something a client asks for.
#[derive(Clone, Debug)]
pub(crate) enum ClientEffect<R, T> {
    Request(NodeId, R),
    Arm(T, Nanos),
    Disarm(T),
}

/// The effects of this protocol's clients.
pub(crate) type ClientEffectOf<P> =
    ClientEffect<<P as Protocol>::Request, <<P as Protocol>::Client as Client<P>>::Timer>;

/// Where a client writes its wishes.
pub struct ClientCtx<'a, P: Protocol> {
    pub(crate) me: ClientId,
    pub(crate) now: LocalTime,
    pub(crate) wall: LocalTime,
    pub(crate) true_now: Nanos,
    pub(crate) dice: &'a mut Dice,
    pub(crate) workload_dice: &'a mut Dice,
    pub(crate) log: &'a mut crate::oplog::OpLog<P::Data>,
    pub(crate) effects: &'a mut Vec<ClientEffectOf<P>>,
}

/// Names an operation in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct OpId(pub u32);

impl<P: Protocol> ClientCtx<'_, P> {
    /// This client.
    pub fn me(&self) -> ClientId {
        self.me
    }

    /// This client's own monotonic clock, which may be wrong. Nobody sets it.
    pub fn now(&self) -> LocalTime {
        self.now
    }

    /// This client's own wall clock, which may be wrong, and may be set while one looks.
    pub fn wall(&self) -> LocalTime {
        self.wall
    }

    /// This client's own dice, for what it decides itself: how long it waits before it asks again, say.
    pub fn dice(&mut self) -> &mut Dice {
        self.dice
    }

    /// The dice for what the workload leaves open: when the next operation begins, which function, which key. They are
    /// apart, so that a client which is told these things throws the same dice for everything else.
    pub fn workload_dice(&mut self) -> &mut Dice {
        self.workload_dice
    }

    /// Sends a request to a node.
    pub fn request(&mut self, to: NodeId, request: P::Request) {
        self.effects.push(ClientEffect::Request(to, request));
    }

    /// Writes into the history that this client begins an operation, which it would like to see done within `patience`
    /// nanoseconds.
    pub fn invoke(&mut self, op: <P::Data as Data>::Op, patience: Nanos, purpose: history::Purpose) -> OpId {
        self.log.invoke(self.me, op, self.true_now, patience, purpose)
    }

    /// Notes the number under which nodes know the operation, so that they can say when it [took
    /// effect](Ctx::took_effect). A client's numbers rise.
    pub fn numbered(&mut self, op: OpId, serial: u64) {
        self.log.numbered(op, serial);
    }

    /// Notes that this client now asks a node for the operation. Nothing happens by it: reports tell from it why an
    /// operation took long.
    pub fn asks(&mut self, op: OpId, node: NodeId) {
        self.log.asks(crate::oplog::Asked { op, at: self.true_now, node: Some(node) });
    }

    /// Notes, likewise, that the node asked last will not do it.
    pub fn turned_away(&mut self, op: OpId) {
        self.log.asks(crate::oplog::Asked { op, at: self.true_now, node: None });
    }

    /// Writes into the history how the operation ended, as far as this client knows.
    pub fn complete(&mut self, op: OpId, outcome: history::Outcome<<P::Data as Data>::Ret>) {
        self.log.complete(op, outcome, self.true_now);
    }

    /// Notes that a node answered the operation; of several answers, the last counts. No verdict depends on it, but whoever
    /// reads of a violation wants to know who gave the wrong answer.
    pub fn answered(&mut self, op: OpId, from: NodeId) {
        self.log.answered(op, from);
    }

    /// Wakes this client with `timer` in `after` nanoseconds of its own clock; an alarm already set under that name is
    /// moved.
    pub fn arm(&mut self, timer: <P::Client as Client<P>>::Timer, after: Nanos) {
        self.effects.push(ClientEffect::Arm(timer, after));
    }

    /// Takes the alarm named `timer` back, if it is set.
    pub fn disarm(&mut self, timer: <P::Client as Client<P>>::Timer) {
        self.effects.push(ClientEffect::Disarm(timer));
    }
}
