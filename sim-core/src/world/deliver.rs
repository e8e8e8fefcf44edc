//! How a packet, an alarm or a flush reaches a process.

use super::{ClientInput, Event, Input, Load, Packet, Passage, Stall, World, workload_stream};
use crate::alarms::{Call, Woken};
use crate::dice::StreamName;
use crate::disk::Flush;
use crate::laws::{Breach, Laws, Nodes};
use crate::machine::{Host, MachineId};
use crate::protocol::{
    AfterError, Boot, Client, ClientBoot, ClientCtx, ClientId, Ctx, DiskError, NodeId, Protocol, Transport, Why,
};
use crate::time::Nanos;
use crate::trace::What;
use std::collections::VecDeque;

/// What a fingerprint says of an event, before its payload.
#[derive(Clone, Copy)]
pub(super) enum Tag {
    Message = 1,
    Request,
    Reply,
    Alarm,
    OnDisk,
    Admin,
    Start,
    Crash,
    Strike,
    Mend,
    DiskError,
    Flap,
}

impl<P: Protocol> World<P> {
    /// Begins an event's entry in the fingerprint.
    #[inline]
    pub(super) fn stamp(&mut self, tag: Tag, from: u32, to: u32) {
        self.steps += 1;
        self.fingerprint.word(self.queue.now());
        self.fingerprint.word((tag as u64) << 48 | u64::from(from) << 24 | u64::from(to));
    }

    /// A packet comes to the end of its way.
    #[inline]
    pub(super) fn arrive(&mut self, packet: Packet<P>) {
        let (from, to) = (packet.from, packet.to);
        match packet.transport {
            // On no connection, it outlives them all, and can find another process than it was sent to.
            Transport::Datagram if self.network.passes(from, to) => self.deliver(packet),
            Transport::Datagram => {
                self.network.count_cuts(from, to);
                self.count_network_effects();
                self.lost(&packet, self.now(), "cut off");
            }
            Transport::Stream => match self.network.arrives(from, to, packet.connection) {
                None => self.lost(&packet, self.now(), "its connection was reset"),
                Some(live)
                    if !live
                        || packet.stalled
                        || (!self.stalls.is_empty() && self.stalls.contains_key(&(from, to))) =>
                {
                    self.stall(packet);
                }
                Some(_) => self.deliver(packet),
            },
        }
    }

    #[inline]
    fn deliver(&mut self, packet: Packet<P>) {
        self.messages += 1;
        match packet.load {
            Load::Message(message) => self.input(NodeId(packet.to.0), Input::Message(NodeId(packet.from.0), message)),
            Load::Request(request) => {
                let client = self.client_at(packet.from);
                self.input(NodeId(packet.to.0), Input::Request(client, request));
            }
            Load::Reply(reply) => {
                let client = self.client_at(packet.to);
                self.client_input(client, ClientInput::Reply(NodeId(packet.from.0), reply));
            }
        }
    }

    /// A packet is lost at `at`, which is now or when it would have left.
    #[inline]
    pub(super) fn lost(&mut self, packet: &Packet<P>, at: Nanos, why: &str) {
        self.row_at(at, What::Lost, |world| {
            let text = format!("{}: {why}", packet.load.text());
            (world.machine_name(packet.from), world.machine_name(packet.to), text)
        });
    }

    /// A packet on a stream waits behind a cut, or behind others that do.
    fn stall(&mut self, mut packet: Packet<P>) {
        let (from, to, connection) = (packet.from, packet.to, packet.connection);
        if !packet.stalled {
            self.network.count_cuts(from, to);
            self.count_network_effects();
        }
        if !self.host(from).is_up() {
            // Nobody is left to send it again.
            self.lost(&packet, self.now(), "its sender is down");
            return;
        }
        packet.stalled = false;
        if let Some(stall) = self.stalls.get_mut(&(from, to)) {
            stall.waiting.push_back(packet);
            return;
        }
        let since = self.queue.now();
        self.stalls.insert((from, to), Stall { since, retries: 0, waiting: VecDeque::from([packet]) });
        let first = since + self.network.tcp.retransmit_after;
        self.queue.push(first, Event::Retry { from, to, connection });
    }

    /// A stalled connection tries again: it goes on, waits twice as long, or gives up.
    pub(super) fn retry(&mut self, from: MachineId, to: MachineId, connection: u32) {
        let Some(live) = self.network.arrives(from, to, connection) else { return };
        let Some(mut stall) = self.stalls.remove(&(from, to)) else { return };
        let now = self.queue.now();
        if live {
            self.network.note_late(from, to, stall.since, now);
            // Now, not as events of this instant: another packet may arrive in it, and must not overtake these.
            stall.waiting.into_iter().for_each(|packet| self.deliver(packet));
            return;
        }
        if now - stall.since >= self.network.tcp.reset_after {
            self.stalls.insert((from, to), stall);
            self.disconnect(from, to, "the connection timed out");
            return;
        }
        stall.retries += 1;
        let wait = self.network.tcp.retransmit_after << stall.retries;
        self.queue.push(now + wait, Event::Retry { from, to, connection });
        self.stalls.insert((from, to), stall);
    }

    /// A connection is gone, with what is under way on it and what waits to be sent again; nothing comes behind a hole.
    pub(super) fn disconnect(&mut self, from: MachineId, to: MachineId, why: &str) {
        self.network.reset(from, to);
        if let Some(stall) = self.stalls.remove(&(from, to)) {
            self.network.note_late(from, to, stall.since, self.queue.now());
            stall.waiting.iter().for_each(|packet| self.lost(packet, self.now(), why));
        }
    }

    /// Something for a node's process: now if it is free, else in its turn.
    #[inline]
    pub(super) fn input(&mut self, node: NodeId, input: Input<P>) {
        let now = self.queue.now();
        let machine = &mut self.nodes[node.0 as usize].machine;
        if !machine.is_up() {
            self.row(What::Lost, |_| {
                (input.sender().unwrap_or_default(), node.to_string(), format!("{}: the node is down", input.text()))
            });
            return;
        }
        if machine.is_free(now) {
            self.handle(node, input);
            return;
        }
        machine.queue(input, now);
        self.wait(MachineId(node.0));
    }

    /// Something for a client's process, likewise.
    fn client_input(&mut self, client: ClientId, input: ClientInput<P>) {
        let now = self.queue.now();
        let machine = &mut self.clients[client.0 as usize].machine;
        if !machine.is_up() {
            self.row(What::Lost, |_| {
                (
                    input.sender().unwrap_or_default(),
                    client.to_string(),
                    format!("{}: the client is down", input.text()),
                )
            });
            return;
        }
        if machine.is_free(now) {
            self.handle_client(client, input);
            return;
        }
        machine.queue(input, now);
        self.wait(self.machine_of(client));
    }

    /// Something waits in a machine's inbox.
    pub(super) fn wait(&mut self, machine: MachineId) {
        if !self.host(machine).is_well() {
            self.faults.count_pause(machine);
        }
        self.arrange_ready(machine);
    }

    /// Sees to it that a machine looks at its inbox.
    pub(super) fn arrange_ready(&mut self, machine: MachineId) {
        let now = self.queue.now();
        let host = self.host_mut(machine);
        let (at, incarnation) = (host.next_ready(now), host.incarnation());
        if let Some(at) = at {
            self.queue.push(at, Event::Ready { machine, incarnation });
        }
    }

    /// A machine looks at its inbox.
    pub(super) fn ready(&mut self, machine: MachineId, incarnation: u32) {
        let now = self.queue.now();
        match self.node_at(machine) {
            Some(node) => {
                let host = &mut self.nodes[node.0 as usize].machine;
                if host.incarnation != incarnation {
                    return;
                }
                host.ready = false;
                host.next(now).into_iter().for_each(|input| self.handle(node, input));
            }
            None => {
                let client = self.client_at(machine);
                let host = &mut self.clients[client.0 as usize].machine;
                if host.incarnation != incarnation {
                    return;
                }
                host.ready = false;
                host.next(now).into_iter().for_each(|input| self.handle_client(client, input));
            }
        }
        self.arrange_ready(machine);
    }

    /// A call to look at an alarm.
    pub(super) fn call(&mut self, machine: MachineId, call: Call) {
        let now = self.queue.now();
        let clock = self.host(machine).clocks().monotonic;
        match self.node_at(machine) {
            Some(node) => match self.nodes[node.0 as usize].machine.alarms.wake(call, now, clock) {
                Woken::Stale => {}
                Woken::Again(call, at) => self.queue.push(at, Event::Alarm { machine, call }),
                Woken::Due(timer) => self.input(node, Input::Alarm(timer)),
            },
            None => {
                let client = self.client_at(machine);
                match self.clients[client.0 as usize].machine.alarms.wake(call, now, clock) {
                    Woken::Stale => {}
                    Woken::Again(call, at) => self.queue.push(at, Event::Alarm { machine, call }),
                    Woken::Due(timer) => self.client_input(client, ClientInput::Alarm(timer)),
                }
            }
        }
    }

    /// A flush is done: what waited for it leaves, and the next one begins.
    pub(super) fn flushed(&mut self, node: NodeId, incarnation: u32) {
        let host = &mut self.nodes[node.0 as usize];
        if host.machine.incarnation != incarnation {
            return;
        }
        let how = if host.ills.is_well() { Some(Flush::Done) } else { self.how_flush_ends(node) };
        let Some(how) = how else { return };
        self.nodes[node.0 as usize].journal.end_flush(how);
        if how == Flush::Failed {
            return self.report(node, DiskError::Flush);
        }
        // First what was asked for first: hearing of the disk, the process may send more.
        self.release(node);
        while let Some(ticket) = self.nodes[node.0 as usize].journal.landed() {
            self.input(node, Input::OnDisk(ticket));
        }
        self.flush(node, self.queue.now());
    }

    /// A node's process is told something.
    fn handle(&mut self, node: NodeId, input: Input<P>) {
        let now = self.queue.now();
        let index = node.0 as usize;
        let host = &mut self.nodes[index];
        let local = host.machine.clocks.monotonic.local(now);
        let wall = host.machine.clocks.wall(local, now);
        if let Input::Alarm(timer) = &input
            && !host.machine.alarms.ring(*timer, local)
        {
            return;
        }
        let takes = host.cpu.draw_if_random(&mut host.cpu_dice);
        let takes = if host.slowed.is_empty() { takes } else { self.slow_down(node, takes) };
        let done = now + takes;
        let host = &mut self.nodes[index];
        host.machine.busy_until = done;
        if !host.machine.clock_faults.is_empty() {
            self.count_clock_faults(MachineId(node.0));
        }
        self.enter(node, &input, done - now);
        let host = &mut self.nodes[index];
        let mut effects = std::mem::take(&mut self.effects);
        let ctx = &mut Ctx {
            me: node,
            now: local,
            wall,
            dice: &mut host.machine.dice,
            next_ticket: &mut host.next_ticket,
            effects: &mut effects,
        };
        self.executing = Some(MachineId(node.0));
        let mut after_error = None;
        let process = self.processes[index].as_mut().expect("a node that is up runs a process");
        match input {
            Input::Message(from, message) => process.on_message(from, message, ctx),
            Input::Request(client, request) => process.on_request(client, request, ctx),
            Input::Alarm(timer) => process.on_timer(timer, ctx),
            Input::OnDisk(ticket) => process.on_disk(ticket, ctx),
            Input::DiskError(error) => after_error = Some((process.on_disk_error(error, ctx), error)),
            Input::Admin(order, strike) => {
                if process.on_admin(order, ctx) {
                    self.faults.count(strike);
                }
            }
        }
        self.executing = None;
        if let Some((AfterError::Stop, error)) = after_error {
            effects.clear();
            self.stop(node, error);
        }
        self.carry_out(node, &mut effects, local, done);
        self.effects = effects;
        if let Some((AfterError::GoOn, _)) = after_error {
            self.flush(node, done);
        }
        self.look(node, |laws, nodes| laws.after_step(node, nodes));
    }

    /// Enters what a node's process is told into the fingerprint, and the trace if there is one.
    #[inline]
    fn enter(&mut self, node: NodeId, input: &Input<P>, takes: Nanos) {
        let now = self.now();
        match input {
            Input::Message(from, message) => {
                self.stamp(Tag::Message, from.0, node.0);
                self.fingerprint.item(message);
                self.row_of(now, takes, What::Message, |_| {
                    (from.to_string(), node.to_string(), format!("{message:?}"))
                });
            }
            Input::Request(client, request) => {
                self.stamp(Tag::Request, client.0, node.0);
                self.fingerprint.item(request);
                self.row_of(now, takes, What::Request, |_| {
                    (client.to_string(), node.to_string(), format!("{request:?}"))
                });
            }
            Input::Alarm(timer) => {
                self.stamp(Tag::Alarm, node.0, node.0);
                self.fingerprint.item(timer);
                self.row_of(now, takes, What::Timer, |_| (node.to_string(), node.to_string(), format!("{timer:?}")));
            }
            Input::OnDisk(ticket) => {
                self.stamp(Tag::OnDisk, node.0, node.0);
                self.fingerprint.item(ticket);
                self.row_of(now, takes, What::OnDisk, |_| (node.to_string(), node.to_string(), format!("{ticket:?}")));
            }
            Input::DiskError(error) => {
                self.stamp(Tag::DiskError, node.0, node.0);
                self.fingerprint.item(error);
                self.row(What::OnDisk, |_| (node.to_string(), node.to_string(), error.to_string()));
            }
            Input::Admin(order, _) => {
                self.stamp(Tag::Admin, node.0, node.0);
                self.fingerprint.item(order);
                self.row_of(now, takes, What::Admin, |_| {
                    ("operator".to_owned(), node.to_string(), format!("{order:?}"))
                });
            }
        }
    }

    /// A client's process is told something.
    fn handle_client(&mut self, client: ClientId, input: ClientInput<P>) {
        let now = self.queue.now();
        let index = client.0 as usize;
        let machine = &mut self.clients[index].machine;
        let local = machine.clocks.monotonic.local(now);
        let wall = machine.clocks.wall(local, now);
        if let ClientInput::Alarm(timer) = &input
            && !machine.alarms.ring(*timer, local)
        {
            return;
        }
        if !machine.clock_faults.is_empty() {
            self.count_clock_faults(self.machine_of(client));
        }
        match &input {
            ClientInput::Reply(from, reply) => {
                self.stamp(Tag::Reply, from.0, client.0);
                self.fingerprint.item(reply);
                self.row(What::Reply, |_| (from.to_string(), client.to_string(), format!("{reply:?}")));
            }
            ClientInput::Alarm(timer) => {
                self.stamp(Tag::Alarm, self.nodes.len() as u32 + client.0, client.0);
                self.fingerprint.item(timer);
                self.row(What::Timer, |_| (client.to_string(), client.to_string(), format!("{timer:?}")));
            }
        }
        let host = &mut self.clients[index];
        let mut effects = std::mem::take(&mut self.client_effects);
        let ctx = &mut ClientCtx {
            me: client,
            now: local,
            wall,
            true_now: now,
            dice: &mut host.machine.dice,
            workload_dice: &mut host.workload_dice,
            log: &mut self.log,
            effects: &mut effects,
        };
        self.executing = Some(host.machine.id);
        let process = host.process.as_mut().expect("a client that is up runs a process");
        match input {
            ClientInput::Reply(from, reply) => process.on_reply(from, reply, ctx),
            ClientInput::Alarm(timer) => process.on_timer(timer, ctx),
        }
        self.executing = None;
        self.carry_out_client(client, &mut effects, local);
        self.client_effects = effects;
        self.served();
    }

    /// A process begins on a machine.
    pub(super) fn boot(&mut self, machine: MachineId, why: Why) {
        self.stamp(Tag::Start, machine.0, machine.0);
        self.row(What::Start, |world| (world.machine_name(machine), String::new(), format!("{why:?}")));
        match self.node_at(machine) {
            Some(node) => self.boot_node(node, why),
            None => self.boot_client(self.client_at(machine), why),
        }
    }

    fn boot_node(&mut self, node: NodeId, why: Why) {
        let index = node.0 as usize;
        let now = self.queue.now();
        self.passages.push(Passage { at: now, node, is_up: true });
        let host = &mut self.nodes[index];
        let local = host.machine.clocks.monotonic.local(now);
        let wall = host.machine.clocks.wall(local, now);
        let incarnation = host.machine.incarnation.to_string();
        host.machine.dice = self.streams.dice(StreamName::new(&["node", &node.to_string(), &incarnation]));
        let mut effects = std::mem::take(&mut self.effects);
        let boot = Boot {
            me: node,
            role: self.members[index].role,
            members: &self.members,
            config: &host.config,
            why,
            journal: host.journal.slots(),
            flushed: host.journal.flushed(),
        };
        let ctx = &mut Ctx {
            me: node,
            now: local,
            wall,
            dice: &mut host.machine.dice,
            next_ticket: &mut host.next_ticket,
            effects: &mut effects,
        };
        self.executing = Some(MachineId(node.0));
        self.processes[index] = Some(P::start(boot, ctx));
        self.executing = None;
        self.carry_out(node, &mut effects, local, now);
        self.effects = effects;
        self.look(node, |laws, nodes| laws.after_start(node, nodes));
    }

    /// Lets the laws look at what a node has changed. The first breach stays: one event can let several processes take a
    /// step. Who died in the middle of its step had in mind what it did not live to do, and is not looked at.
    #[inline]
    fn look(&mut self, node: NodeId, look: impl FnOnce(&mut P::Laws, &Nodes<'_, P>) -> Result<(), Breach>) {
        if let (None, Some(laws), Some(_)) = (&self.breach, &mut self.laws, &self.processes[node.0 as usize]) {
            self.breach = look(laws, &Nodes::new(&self.processes)).err();
        }
    }

    fn boot_client(&mut self, client: ClientId, why: Why) {
        let index = client.0 as usize;
        let now = self.queue.now();
        let clients = self.clients.len() as u32;
        let host = &mut self.clients[index];
        let local = host.machine.clocks.monotonic.local(now);
        let wall = host.machine.clocks.wall(local, now);
        if why != Why::First {
            let (workload, number) = (&host.setup.workload.name, host.setup.index.to_string());
            let incarnation = host.machine.incarnation.to_string();
            host.machine.dice = self.streams.dice(StreamName::new(&["client", workload, &number, &incarnation]));
            host.workload_dice = self.streams.dice(workload_stream(&host.setup, host.machine.incarnation));
        }
        let mut effects = std::mem::take(&mut self.client_effects);
        let boot = ClientBoot {
            me: client,
            nodes: &host.nearest,
            config: &self.nodes[0].config,
            workload: &host.setup.workload,
            index: host.setup.index,
            clients,
            incarnation: host.machine.incarnation,
            why,
        };
        let ctx = &mut ClientCtx {
            me: client,
            now: local,
            wall,
            true_now: now,
            dice: &mut host.machine.dice,
            workload_dice: &mut host.workload_dice,
            log: &mut self.log,
            effects: &mut effects,
        };
        self.executing = Some(host.machine.id);
        host.process = Some(P::Client::start(boot, ctx));
        self.executing = None;
        self.carry_out_client(client, &mut effects, local);
        self.client_effects = effects;
    }
}
