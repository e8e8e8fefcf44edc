//! How what a process asks for is carried out, in order.

use super::crash::leaves_mark;
use super::disks::Refused;
use super::{Event, Load, Outward, Packet, World};
use crate::machine::MachineId;
use crate::network::Fate;
use crate::protocol::{ClientEffect, ClientEffectOf, ClientId, Effect, NodeId, Protocol, Transport};
use crate::time::{LocalTime, Nanos, format_duration};
use crate::trace::What;

impl<P: Protocol> World<P> {
    /// Carries out what a node asked for in a step that began at `local` on its clock and ends at `done`. What leaves the
    /// node waits for the disk if something was to be persisted before it, in this step or an earlier one. If a crash waits
    /// for this step, the node dies in the middle of it.
    pub(super) fn carry_out(&mut self, node: NodeId, effects: &mut Vec<Effect<P>>, local: LocalTime, done: Nanos) {
        let mut writes = false;
        let last_marks = self.last_marks(node, effects);
        let mut marks = 0;
        let host = &self.nodes[node.0 as usize];
        let (is_well, from) = (host.ills.is_well(), host.journal.end());
        let (mut refused, mut halts) = (Refused::default(), None);
        for effect in effects.drain(..) {
            if leaves_mark(&effect) {
                if last_marks == Some(marks) {
                    break;
                }
                marks += 1;
            }
            if !is_well && self.is_refused(node, &effect, &mut refused) {
                continue;
            }
            match effect {
                Effect::Send(to, message, transport) => self.leave(node, Outward::Send(to, message, transport), done),
                Effect::Tell(client, reply) => self.leave(node, Outward::Tell(client, reply), done),
                Effect::Persist(record) => {
                    self.nodes[node.0 as usize].journal.append(record);
                    writes = true;
                }
                Effect::PersistLater(record, ticket) => {
                    self.nodes[node.0 as usize].journal.append_later(record, ticket);
                    writes = true;
                }
                Effect::Snapshot(records) => {
                    self.nodes[node.0 as usize].journal.snapshot(records);
                    writes = true;
                }
                Effect::Truncate(from) => self.nodes[node.0 as usize].journal.truncate(from),
                Effect::Arm(timer, after) => {
                    let machine = &mut self.nodes[node.0 as usize].machine;
                    if let Some((call, at)) = machine.alarms.arm(timer, local + after, machine.clocks.monotonic) {
                        let at = at.max(self.queue.now());
                        self.queue.push(at, Event::Alarm { machine: MachineId(node.0), call });
                    }
                }
                Effect::Disarm(timer) => self.nodes[node.0 as usize].machine.alarms.disarm(timer),
                Effect::Observe(observation) => self.observe(node, observation),
                Effect::TookEffect(client, serial) => self.log.took_effect(client, serial),
                Effect::Halt(why) => {
                    halts = Some(why);
                    break;
                }
            }
        }
        if last_marks.is_some() {
            self.die_within(node, marks);
            return;
        }
        if let Some(why) = halts {
            self.halt(node, &why);
            return;
        }
        if !is_well {
            self.misplace(node, from);
            refused.error.into_iter().for_each(|error| self.report(node, error));
        }
        // Once for all that the step wrote: its records share a flush.
        if writes {
            self.flush(node, done);
        }
    }

    #[inline]
    fn leave(&mut self, node: NodeId, outward: Outward<P>, done: Nanos) {
        let host = &mut self.nodes[node.0 as usize];
        match host.journal.held_back() {
            Some(needs) => host.outbox.push_back((needs, done, outward)),
            None if host.machine.holds > 0 => host.outbox.push_back((0, done, outward)),
            None => self.transmit_outward(node, outward, done),
        }
    }

    /// Lets go of what waited for the disk and need wait no longer, unless the process that would send it is frozen or its messages are
    /// kept back.
    pub(super) fn release(&mut self, node: NodeId) {
        let now = self.queue.now();
        let host = &self.nodes[node.0 as usize];
        if host.machine.pauses > 0 || host.machine.holds > 0 {
            return;
        }
        let durable = host.journal.durable();
        while self.nodes[node.0 as usize].outbox.front().is_some_and(|(needs, ..)| *needs <= durable) {
            let (_, done, outward) = self.nodes[node.0 as usize].outbox.pop_front().expect("just looked");
            self.transmit_outward(node, outward, done.max(now));
        }
    }

    #[inline]
    fn transmit_outward(&mut self, node: NodeId, outward: Outward<P>, at: Nanos) {
        match outward {
            Outward::Send(to, message, transport) => {
                self.transmit(MachineId(node.0), MachineId(to.0), transport, Load::Message(message), at);
            }
            Outward::Tell(client, reply) => {
                if !self.nodes[node.0 as usize].has_answered {
                    self.note_first_answer(node, at);
                }
                let to = self.machine_of(client);
                self.transmit(MachineId(node.0), to, Transport::Stream, Load::Reply(reply), at);
            }
        }
    }

    #[cold]
    fn note_first_answer(&mut self, node: NodeId, at: Nanos) {
        self.nodes[node.0 as usize].has_answered = true;
        self.first_answers.push((at, node));
    }

    /// Begins a flush of a node's disk at `at`, if something needs one.
    #[inline]
    pub(super) fn flush(&mut self, node: NodeId, at: Nanos) {
        let host = &mut self.nodes[node.0 as usize];
        if !host.journal.begin_flush() {
            return;
        }
        let mut takes = host.fsync.draw(&mut host.disk_dice);
        let incarnation = host.machine.incarnation;
        if !host.ills.is_well() {
            takes = takes.saturating_add(self.slowed(node));
        }
        self.nodes[node.0 as usize].ills.note_flush(at, at + takes);
        self.queue.push(at + takes, Event::Flushed { node, incarnation });
        self.row_of(at, takes, What::Flush, |_| (node.to_string(), node.to_string(), format_duration(takes)));
    }

    pub(super) fn carry_out_client(
        &mut self,
        client: ClientId,
        effects: &mut Vec<ClientEffectOf<P>>,
        local: LocalTime,
    ) {
        let from = self.machine_of(client);
        let now = self.queue.now();
        for effect in effects.drain(..) {
            match effect {
                ClientEffect::Request(to, request) => {
                    self.transmit(from, MachineId(to.0), Transport::Stream, Load::Request(request), now);
                }
                ClientEffect::Arm(timer, after) => {
                    let machine = &mut self.clients[client.0 as usize].machine;
                    if let Some((call, at)) = machine.alarms.arm(timer, local + after, machine.clocks.monotonic) {
                        self.queue.push(at.max(now), Event::Alarm { machine: from, call });
                    }
                }
                ClientEffect::Disarm(timer) => self.clients[client.0 as usize].machine.alarms.disarm(timer),
            }
        }
    }

    /// Tells the trace of something sent, and when it will have come to the end of its way.
    #[cold]
    #[inline(never)]
    fn keep_sent(&mut self, [from, to]: [MachineId; 2], load: &Load<P>, fate: &Fate, at: Nanos) {
        let [from, to] = [from, to].map(|machine| self.machine_name(machine));
        self.keep((at, 0), What::Sent, |_| (from.clone(), to.clone(), load.text()));
        match *fate {
            Fate::Arrives { at, .. } | Fate::Stalls { at, .. } => self.trace.due(&from, &to, &[at]),
            Fate::ArrivesTwice { at, again, .. } => self.trace.due(&from, &to, &[at, again]),
            Fate::Lost(_) | Fate::TimesOut => {}
        }
    }

    /// Puts something on the network at `at`.
    #[inline]
    fn transmit(&mut self, from: MachineId, to: MachineId, transport: Transport, load: Load<P>, at: Nanos) {
        let fate = self.network.send(from, to, transport, at, || load.size(), || load.kind());
        if self.trace.is_on(self.now()) {
            self.keep_sent([from, to], &load, &fate, at);
        }
        if !self.network.effects.is_empty() {
            self.spoilt(from, to, transport, &load, at);
        }
        let packet = |connection, stalled, load| Packet { from, to, transport, connection, stalled, load };
        // It vanishes at the far end: its connection lives, and what comes behind it comes when it would have come anyway.
        if self.faults.cuts.drop_some() && fate != Fate::TimesOut && self.drops(from, to, &load) {
            return self.lost(&packet(0, false, load), at, "dropped");
        }
        match fate {
            Fate::Arrives { at, connection } => self.queue.push(at, Event::Arrive(packet(connection, false, load))),
            Fate::ArrivesTwice { at, again, connection } => {
                self.queue.push(again, Event::Arrive(packet(connection, false, load.clone())));
                self.queue.push(at, Event::Arrive(packet(connection, false, load)));
            }
            Fate::Stalls { at, connection } => self.queue.push(at, Event::Arrive(packet(connection, true, load))),
            Fate::Lost(why) => self.lost(&packet(0, false, load), at, why),
            Fate::TimesOut => {
                self.disconnect(from, to, "the connection timed out");
                self.lost(&packet(0, false, load), at, "the connection timed out");
            }
        }
    }

    /// Faults did something to a message.
    #[cold]
    fn spoilt(&mut self, from: MachineId, to: MachineId, transport: Transport, load: &Load<P>, at: Nanos) {
        self.count_network_effects();
        if std::mem::take(&mut self.network.damaged) && transport == Transport::Stream {
            self.row_at(at, What::Corrupt, |world| (world.machine_name(from), world.machine_name(to), load.text()));
        }
    }
}
