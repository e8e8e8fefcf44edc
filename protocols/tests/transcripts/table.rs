//! Nodes round a table, a network moved by hand, and the story of what happened.

use super::node::{Disk, Fate, Leaving, Node, Seat};
use super::words::{self, Words};
use history::{Register, RegisterOp, RegisterRet};
use protocols::client::{Answer, Ask, Request, Response};
use protocols::raft::{Order, Raft, RaftConfig, RaftLaws, Record, Timer};
use protocols::sessions::{InSession, SessionId};
use sim_core::desk::Desk;
use sim_core::laws::{Laws, Nodes};
use sim_core::protocol::{Boot, ClientId, Effect, Member, NodeId, Observation, Protocol, Slot, Ticket, Why};
use sim_core::settings::Flaw;
use sim_core::time::{Nanos, SECOND};
use std::collections::{BTreeMap, BTreeSet};

/// Messages that beget messages for ever are noticed after so many.
const DELIVERIES_MAX: usize = 10_000;

const CLIENT: ClientId = ClientId(0);

/// Everything a script moves.
#[derive(Default)]
pub struct Table {
    /// The mistakes that the next cluster will have.
    pub flaws: Vec<&'static Flaw>,
    cluster: Option<Cluster>,
    story: Vec<String>,
}

/// The cluster of a script.
pub struct Cluster {
    pub config: RaftConfig,
    rafts: Vec<Option<Node>>,
    seats: Vec<Seat>,
    laws: RaftLaws<Register>,
    is_lawful: bool,
    wire: Vec<Packet>,
    held: BTreeSet<(NodeId, NodeId)>,
    cut: BTreeSet<(NodeId, NodeId)>,
    client: Caller,
    story: Vec<String>,
}

/// A message under way.
#[derive(Clone)]
struct Packet {
    from: NodeId,
    to: NodeId,
    message: Words,
}

/// The client: what it has asked for, and its session.
#[derive(Default)]
struct Caller {
    serial: u64,
    asked: BTreeMap<u64, (u32, Ask<RegisterOp>)>,
    unanswered: BTreeSet<u64>,
    session: Option<SessionId>,
}

/// From whom to whom; nobody named means everybody.
#[derive(Clone, Copy)]
pub struct Link {
    pub from: Option<NodeId>,
    pub to: Option<NodeId>,
}

impl Link {
    fn has(&self, from: NodeId, to: NodeId) -> bool {
        self.from.is_none_or(|id| id == from) && self.to.is_none_or(|id| id == to)
    }
}

/// Which of the messages under way on a link.
#[derive(Clone, Copy)]
pub enum Which {
    All,
    First,
    Kind(&'static str),
}

impl Table {
    pub fn take_story(&mut self) -> Vec<String> {
        if let Some(cluster) = &mut self.cluster {
            self.story.append(&mut cluster.story);
        }
        std::mem::take(&mut self.story)
    }

    pub fn cluster(&mut self) -> Result<&mut Cluster, String> {
        self.cluster.as_mut().ok_or_else(|| "there are no nodes yet; begin with: cluster 3".to_owned())
    }

    pub fn has_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    /// New nodes sit down, in place of those that were there.
    pub fn begin(&mut self, nodes: u32, config: RaftConfig) {
        let kept = self.take_story();
        let mut cluster = Cluster::new(nodes, config);
        for id in cluster.ids() {
            cluster.start(id);
        }
        cluster.story = vec![format!("{} start", words::nodes(&cluster.ids()))];
        self.story = kept;
        self.cluster = Some(cluster);
    }
}

impl Cluster {
    fn new(nodes: u32, config: RaftConfig) -> Self {
        let seat = |id| {
            let mut desk = Desk::new(NodeId(id), 1);
            desk.now = desk.now + SECOND;
            Seat { desk, disk: Disk::default(), has_started: false }
        };
        Cluster {
            config,
            rafts: (0..nodes).map(|_| None).collect(),
            seats: (0..nodes).map(seat).collect(),
            laws: RaftLaws::new(nodes as usize),
            is_lawful: true,
            wire: Vec::new(),
            held: BTreeSet::new(),
            cut: BTreeSet::new(),
            client: Caller::default(),
            story: Vec::new(),
        }
    }

    pub fn ids(&self) -> Vec<NodeId> {
        (0..self.seats.len() as u32).map(NodeId).collect()
    }

    pub fn tell(&mut self, words: String) {
        self.story.push(words);
    }

    fn also(&mut self, words: &str) {
        self.tell(format!("  {words}"));
    }

    fn seat(&mut self, id: NodeId) -> &mut Seat {
        &mut self.seats[id.0 as usize]
    }

    pub fn up(&self, id: NodeId) -> Result<&Node, String> {
        self.rafts[id.0 as usize].as_ref().ok_or_else(|| format!("{id} is down; bring it up with: restart {id}"))
    }

    /// The process begins with what its disk holds.
    fn start(&mut self, id: NodeId) {
        let members: Vec<Member> = self.ids().into_iter().map(|id| Member { id, role: "node" }).collect();
        let seat = &mut self.seats[id.0 as usize];
        let why = if seat.has_started { Why::Restart } else { Why::First };
        seat.has_started = true;
        let (config, journal) = (&self.config, &seat.disk.slots[..]);
        let boot = Boot { me: id, role: "node", members: &members, config, why, journal, flushed: journal.len() };
        self.rafts[id.0 as usize] = Some(Raft::start(boot, &mut seat.desk.ctx()));
        self.carry_out(id, Vec::new());
        let lawful = self.laws.after_start(id, &Nodes::new(&self.rafts));
        self.note_breach(lawful.err());
    }

    pub fn restart(&mut self, id: NodeId) -> Result<(), String> {
        if self.up(id).is_ok() {
            return Err(format!("{id} is up; first: crash {id}"));
        }
        self.tell(format!("{id} starts again"));
        self.start(id);
        Ok(())
    }

    pub fn crash(&mut self, id: NodeId, fate: Fate) -> Result<(), String> {
        self.up(id)?;
        self.rafts[id.0 as usize] = None;
        self.seat(id).disk.crash(fate);
        self.tell(format!("{id} crashes{}", if fate == Fate::LoseUnsynced { ", its power fails" } else { "" }));
        Ok(())
    }

    /// The node starts again with these on its disk.
    pub fn has_on_disk(&mut self, id: NodeId, records: Vec<Record<RegisterOp>>) {
        self.seat(id).disk = Disk::default();
        records.into_iter().for_each(|record| self.seat(id).disk.write(record));
        self.seat(id).disk.flush();
        let found: Vec<String> = self.seats[id.0 as usize].disk.slots.iter().filter_map(said).collect();
        self.tell(format!("{id} starts with {}", found.join("; ")));
        self.start(id);
    }

    pub fn slow_disk(&mut self, id: NodeId) {
        self.seat(id).disk.is_slow = true;
    }

    pub fn flush(&mut self, id: NodeId) -> Result<(), String> {
        self.up(id)?;
        if !self.seat(id).disk.has_unflushed() {
            return Err(format!("the disk of {id} has everything already"));
        }
        self.tell(format!("{id} has everything on disk"));
        self.flush_quietly(id);
        Ok(())
    }

    fn flush_quietly(&mut self, id: NodeId) {
        let (landed, leaving) = self.seat(id).disk.flush();
        for leaving in leaving {
            self.leave(id, leaving);
        }
        for ticket in landed {
            self.land(id, ticket);
        }
    }

    fn land(&mut self, id: NodeId, ticket: Ticket) {
        self.step(id, |raft, desk| raft.on_disk(ticket, &mut desk.ctx()));
    }

    /// A step of a node, what it asked for, and whether all is lawful.
    fn step(&mut self, id: NodeId, run: impl FnOnce(&mut Node, &mut Desk<Node>)) {
        let Some(raft) = &mut self.rafts[id.0 as usize] else { return };
        let (commit, members) = (raft.commit_index(), raft.membership().clone());
        run(raft, &mut self.seats[id.0 as usize].desk);
        let (committed, now, leads) = (raft.commit_index(), raft.membership().clone(), raft.is_leader());
        let mut came_to = Vec::new();
        if now != members {
            came_to.push(format!("  goes by members {}", words::membership(&now)));
        }
        if committed != commit {
            came_to.push(format!("  commits up to {committed}"));
        }
        // A leader commits, and therefore writes and answers; a follower writes, and therefore commits.
        if leads {
            self.story.append(&mut came_to);
        }
        self.carry_out(id, came_to);
        let lawful = self.laws.after_step(id, &Nodes::new(&self.rafts));
        self.note_breach(lawful.err());
    }

    /// The first law that is broken; what comes after follows from it.
    fn note_breach(&mut self, breach: Option<sim_core::laws::Breach>) {
        if let Some(breach) = breach.filter(|_| self.is_lawful) {
            self.is_lawful = false;
            self.tell(format!("!! {} is broken: {}", breach.law, breach.detail));
        }
    }

    /// Does what the process asked for; `came_to` is told behind what it wrote.
    fn carry_out(&mut self, id: NodeId, mut came_to: Vec<String>) {
        let effects = self.seat(id).desk.take();
        let mut sent: Vec<(&'static str, Vec<NodeId>)> = Vec::new();
        for effect in effects {
            if matches!(effect, Effect::Send(..) | Effect::Tell(..) | Effect::Snapshot(_)) {
                self.story.append(&mut came_to);
            }
            if let Effect::Send(to, message, _) = effect {
                let kind = words::kind(&message);
                match sent.last_mut().filter(|(last, _)| *last == kind) {
                    Some((_, all)) => all.push(to),
                    None => sent.push((kind, vec![to])),
                }
                self.leave_in_turn(id, Leaving::Message(to, message));
                continue;
            }
            self.tell_sent(id, &mut sent);
            self.carry_out_one(id, effect);
        }
        self.tell_sent(id, &mut sent);
        self.story.append(&mut came_to);
        if !self.seat(id).disk.is_slow {
            self.flush_quietly(id);
        }
    }

    fn carry_out_one(&mut self, id: NodeId, effect: Effect<Node>) {
        match effect {
            Effect::Send(..) => unreachable!("the caller has sent it"),
            Effect::Tell(_, answer) => {
                self.also(&format!("tells c1: {}{}", words::answer(&answer), self.delay(id)));
                self.leave_in_turn(id, Leaving::Answer(answer));
            }
            Effect::Persist(record) => {
                self.also(&format!("writes {}", words::record(&record)));
                self.seat(id).disk.write(record);
            }
            Effect::PersistLater(record, ticket) => {
                self.also(&format!("writes {}, and does not wait", words::record(&record)));
                self.seat(id).disk.write_later(record, ticket);
            }
            Effect::Snapshot(records) => {
                let said: Vec<String> = records.iter().map(words::record).collect();
                self.also(&format!("writes, in place of everything: {}", said.join("; ")));
                self.seat(id).disk.replace(records);
            }
            Effect::Truncate(from) => {
                self.also(&format!("drops what its disk holds from slot {from} on"));
                self.seat(id).disk.slots.truncate(from);
            }
            Effect::Observe(Observation::Role { role, term }) => self.also(&format!("is {role} in term {term}")),
            Effect::Observe(Observation::Deems { peer, is_down }) => {
                self.also(&format!("takes {peer} to be {}", if is_down { "down" } else { "up" }));
            }
            Effect::Observe(Observation::Recovered(way)) => self.also(way),
            Effect::Halt(why) => self.also(&format!("refuses to serve: {why}")),
            Effect::Arm(..) | Effect::Disarm(_) | Effect::TookEffect(..) => {}
        }
    }

    fn tell_sent(&mut self, id: NodeId, sent: &mut Vec<(&'static str, Vec<NodeId>)>) {
        for (kind, to) in sent.drain(..) {
            let delay = self.delay(id);
            self.also(&format!("sends {kind} to {}{delay}", words::nodes(&to)));
        }
    }

    fn delay(&self, id: NodeId) -> &'static str {
        let disk = &self.seats[id.0 as usize].disk;
        if disk.is_slow && disk.holds_back() { ", once its disk has that" } else { "" }
    }

    /// Something leaves the node, behind what its disk holds back.
    fn leave_in_turn(&mut self, id: NodeId, leaving: Leaving) {
        let disk = &mut self.seat(id).disk;
        if disk.holds_back() {
            disk.waiting.push(leaving);
        } else {
            self.leave(id, leaving);
        }
    }

    fn leave(&mut self, from: NodeId, leaving: Leaving) {
        match leaving {
            Leaving::Message(to, message) => self.wire.push(Packet { from, to, message }),
            Leaving::Answer(answer) => self.client.hears(&answer),
        }
    }
}

fn said(slot: &Slot<Record<RegisterOp>>) -> Option<String> {
    match slot {
        Slot::Ok(record) => Some(words::record(record)),
        Slot::Corrupt => None,
    }
}

impl Cluster {
    /// All clocks go on.
    pub fn wait(&mut self, time: Nanos) {
        for seat in &mut self.seats {
            seat.desk.now = seat.desk.now + time;
        }
    }

    pub fn alarm(&mut self, id: NodeId, timer: Timer) -> Result<(), String> {
        self.up(id)?;
        let what = match timer {
            Timer::Election => "times out",
            Timer::Heartbeat => "is due to let itself be heard",
        };
        self.tell(format!("{id} {what}"));
        self.step(id, |raft, desk| raft.on_timer(timer, &mut desk.ctx()));
        Ok(())
    }

    pub fn order(&mut self, id: NodeId, order: Order, words: &str) -> Result<(), String> {
        self.up(id)?;
        self.tell(format!("{id} is ordered to {words}"));
        let mut is_taken = false;
        self.step(id, |raft, desk| is_taken = raft.on_admin(order, &mut desk.ctx()));
        if !is_taken {
            self.also("does not");
        }
        Ok(())
    }

    /// The client asks for something new.
    pub fn ask(&mut self, id: NodeId, op: Option<RegisterOp>) -> Result<(), String> {
        self.up(id)?;
        let ask = self.client.ask(op);
        self.request(id, self.client.serial, ask);
        Ok(())
    }

    /// The client asks again; it says exactly what it said before.
    pub fn repeat(&mut self, id: NodeId, serial: Option<u64>) -> Result<(), String> {
        self.up(id)?;
        let serial = serial.unwrap_or(self.client.serial);
        let Some((attempt, ask)) = self.client.asked.get_mut(&serial) else {
            return Err(format!("c1 has asked for nothing under #{serial}"));
        };
        *attempt += 1;
        let ask = ask.clone();
        self.request(id, serial, ask);
        Ok(())
    }

    fn request(&mut self, id: NodeId, serial: u64, ask: Ask<RegisterOp>) {
        let attempt = self.client.asked[&serial].0;
        let (again, what) = (if attempt > 0 { " again" } else { "" }, said_ask(&ask));
        self.tell(format!("c1 -> {id} #{serial}{again} {what}"));
        let request = Request { serial, attempt, ask };
        self.step(id, |raft, desk| raft.on_request(CLIENT, request, &mut desk.ctx()));
    }

    pub fn status(&mut self, ids: &[NodeId]) {
        for &id in ids {
            let words = match &self.rafts[id.0 as usize] {
                Some(raft) => status_of(raft),
                None => "is down".to_owned(),
            };
            self.tell(format!("{id} {words}"));
        }
    }
}

fn status_of(raft: &Node) -> String {
    let role = if raft.is_leader() { "leads" } else { "is in" };
    let log = raft.log();
    let gone = if log.base() > 0 { format!(" (..{})", log.base()) } else { String::new() };
    let terms: String = log.after(log.base()).iter().map(|entry| format!(" {}", entry.term)).collect();
    let members = words::membership(raft.membership());
    let (term, commit, value) = (raft.term(), raft.commit_index(), raft.state());
    format!("{role} term {term}, log{gone}{terms}, commit {commit}, value {value}, members {members}")
}

fn said_ask(ask: &Ask<RegisterOp>) -> String {
    match ask {
        Ask::Register => "register".to_owned(),
        Ask::Operation { session: None, op } => words::op(op),
        Ask::Operation { session: Some(within), op } => {
            format!("{}, in session {}, settled below #{}", words::op(op), within.id.0, within.settled)
        }
    }
}

impl Caller {
    fn ask(&mut self, op: Option<RegisterOp>) -> Ask<RegisterOp> {
        self.serial += 1;
        self.unanswered.insert(self.serial);
        let settled = *self.unanswered.first().expect("just put in");
        let session = self.session.map(|id| InSession { id, settled });
        let ask = match op {
            Some(op) => Ask::Operation { session: session.filter(|_| op != RegisterOp::Read), op },
            None => Ask::Register,
        };
        self.asked.insert(self.serial, (0, ask.clone()));
        ask
    }

    fn hears(&mut self, answer: &Answer<RegisterRet>) {
        match answer.response {
            Response::Registered(session) => self.session = Some(session),
            Response::Returned(_) => {}
            Response::Redirect(_) | Response::Refused | Response::Unknown | Response::SessionClosed => return,
        }
        self.unanswered.remove(&answer.serial);
    }

    fn gives_up(&mut self, serial: u64) {
        self.unanswered.remove(&serial);
    }
}

impl Cluster {
    /// The client stops waiting for an answer.
    pub fn give_up(&mut self, serial: u64) {
        self.client.gives_up(serial);
    }

    fn choose(&self, link: Link, which: Which) -> Result<Vec<usize>, String> {
        let is_on = |packet: &Packet| link.has(packet.from, packet.to);
        let is_kind = |packet: &Packet| match which {
            Which::All | Which::First => true,
            Which::Kind(kind) => words::kind(&packet.message) == kind,
        };
        let mut chosen: Vec<usize> = self
            .wire
            .iter()
            .enumerate()
            .filter(|(_, packet)| is_on(packet) && is_kind(packet))
            .map(|(i, _)| i)
            .collect();
        if let Which::First = which {
            chosen.truncate(1);
        }
        if chosen.is_empty() {
            let name = |id: Option<NodeId>| id.map_or("*".to_owned(), |id| id.to_string());
            let under_way: BTreeSet<String> = self.wire.iter().map(|p| format!("{}->{}", p.from, p.to)).collect();
            let under_way = under_way.into_iter().collect::<Vec<_>>().join(" ");
            let (from, to) = (name(link.from), name(link.to));
            return Err(format!("nothing of that is under way on {from}->{to}; there is something on: {under_way}"));
        }
        Ok(chosen)
    }

    fn take(&mut self, link: Link, which: Which) -> Result<Vec<Packet>, String> {
        let chosen = self.choose(link, which)?;
        let mut packets: Vec<Packet> = chosen.iter().rev().map(|&at| self.wire.remove(at)).collect();
        packets.reverse();
        Ok(packets)
    }

    pub fn deliver(&mut self, link: Link, which: Which) -> Result<(), String> {
        for packet in self.take(link, which)? {
            self.arrive(packet);
        }
        Ok(())
    }

    pub fn drop(&mut self, link: Link, which: Which) -> Result<(), String> {
        for packet in self.take(link, which)? {
            self.lose(&packet);
        }
        Ok(())
    }

    /// What is chosen arrives twice: once more behind everything under way.
    pub fn duplicate(&mut self, link: Link, which: Which) -> Result<(), String> {
        for at in self.choose(link, which)? {
            let copy = self.wire[at].clone();
            self.wire.push(copy);
        }
        Ok(())
    }

    pub fn hold(&mut self, link: Link) {
        self.held.extend(self.pairs(link));
    }

    pub fn release(&mut self, link: Link) {
        for pair in self.pairs(link) {
            self.held.remove(&pair);
        }
    }

    fn pairs(&self, link: Link) -> Vec<(NodeId, NodeId)> {
        let ids = self.ids();
        let all = ids.iter().flat_map(|&from| ids.iter().map(move |&to| (from, to)));
        all.filter(|&(from, to)| link.has(from, to)).collect()
    }

    /// Nothing gets from these to the others, or back.
    pub fn isolate(&mut self, these: &[NodeId]) {
        let pairs = self.pairs(Link { from: None, to: None });
        self.cut.extend(pairs.into_iter().filter(|(from, to)| these.contains(from) != these.contains(to)));
    }

    pub fn heal(&mut self) {
        self.cut.clear();
    }

    /// Delivers everything that is not held, and what comes of it, until nothing is left.
    pub fn stabilize(&mut self) -> Result<(), String> {
        for _ in 0..DELIVERIES_MAX {
            let is_free = |packet: &Packet| !self.held.contains(&(packet.from, packet.to));
            let Some(at) = self.wire.iter().position(is_free) else { return Ok(()) };
            let packet = self.wire.remove(at);
            self.arrive(packet);
        }
        Err(format!("after {DELIVERIES_MAX} messages there is still no end"))
    }

    fn arrive(&mut self, packet: Packet) {
        let Packet { from, to, ref message } = packet;
        let is_up = self.rafts[to.0 as usize].is_some();
        if self.cut.contains(&(from, to)) || !is_up {
            return self.lose(&packet);
        }
        self.tell(format!("{from} -> {to} {}", words::message(message)));
        self.step(to, |raft, desk| raft.on_message(from, packet.message, &mut desk.ctx()));
    }

    fn lose(&mut self, packet: &Packet) {
        let Packet { from, to, message } = packet;
        self.tell(format!("{from} -> {to} lost: {}", words::message(message)));
    }

    /// What is under way, oldest first.
    pub fn list_under_way(&mut self) {
        let lines: Vec<String> = self
            .wire
            .iter()
            .map(|p| format!("under way: {} -> {} {}", p.from, p.to, words::message(&p.message)))
            .collect();
        self.story.extend(lines);
    }
}
