//! What clients did: the typed form of the history, as the engine writes it.

use crate::protocol::{ClientId, NodeId, OpId};
use crate::time::Nanos;
use history::{Completion, Data, History, Mark, Operation, Outcome, Purpose, Value};
use std::collections::{BTreeMap, BTreeSet};

/// One operation of a run.
#[derive(Clone, Debug)]
pub struct LoggedOp<D: Data> {
    /// Who asked.
    pub client: ClientId,
    /// For what.
    pub op: D::Op,
    /// When, in true time.
    pub invoked: Mark,
    /// By when the client wants it done, in true time.
    pub deadline: Nanos,
    /// When the client heard or gave up.
    pub completed: Option<Mark>,
    /// What it heard.
    pub outcome: Outcome<D::Ret>,
    /// Why it asked.
    pub purpose: Purpose,
    /// Under which number nodes know it.
    serial: Option<u64>,
    /// Whom it asked at once, as it said.
    asked: Option<NodeId>,
    /// Who answered last, if anybody did.
    pub answered_by: Option<NodeId>,
}

impl<D: Data> LoggedOp<D> {
    /// When it was served, if it returned before its deadline.
    pub fn served(&self) -> Option<Nanos> {
        let time = self.completed?.time;
        (matches!(self.outcome, Outcome::Returned(_)) && time <= self.deadline).then_some(time)
    }
}

/// A client asks a node for an operation, or is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// For which.
    pub op: OpId,
    /// When, in true time.
    pub at: Nanos,
    /// Whom it asks; `None` if the one it asked last turned it away.
    pub node: Option<NodeId>,
}

/// All operations of a run, in the order of their invocations.
#[derive(Clone, Debug)]
pub struct OpLog<D: Data> {
    ops: Vec<LoggedOp<D>>,
    /// What clients said later of whom they ask, in the order of time. Few operations are asked for twice.
    asked_later: Vec<Asked>,
    /// What took effect, as nodes said so.
    effects: Vec<(ClientId, u64)>,
    marks: u64,
    returned: u64,
}

impl<D: Data> OpLog<D> {
    pub(crate) fn new() -> Self {
        OpLog { ops: Vec::new(), asked_later: Vec::new(), effects: Vec::new(), marks: 0, returned: 0 }
    }

    fn mark(&mut self, time: Nanos) -> Mark {
        let mark = Mark { index: self.marks, time };
        self.marks += 1;
        mark
    }

    pub(crate) fn invoke(
        &mut self,
        client: ClientId,
        op: D::Op,
        now: Nanos,
        patience: Nanos,
        purpose: Purpose,
    ) -> OpId {
        let invoked = self.mark(now);
        let id = OpId(u32::try_from(self.ops.len()).expect("a run has fewer than 2^32 operations"));
        let outcome = Outcome::Unknown;
        let deadline = now.saturating_add(patience);
        self.ops.push(LoggedOp {
            client,
            op,
            invoked,
            deadline,
            completed: None,
            outcome,
            purpose,
            serial: None,
            asked: None,
            answered_by: None,
        });
        id
    }

    pub(crate) fn complete(&mut self, id: OpId, outcome: Outcome<D::Ret>, now: Nanos) {
        let mark = self.mark(now);
        let op = &mut self.ops[id.0 as usize];
        assert!(op.completed.is_none(), "an operation completes once");
        op.completed = Some(mark);
        self.returned += u64::from(matches!(outcome, Outcome::Returned(_)));
        op.outcome = outcome;
    }

    pub(crate) fn asks(&mut self, asked: Asked) {
        let op = &mut self.ops[asked.op.0 as usize];
        if op.asked.is_none() && op.invoked.time == asked.at {
            op.asked = asked.node;
        } else {
            self.asked_later.push(asked);
        }
    }

    /// Whom clients asked, as far as they have said: operation by operation, each in the order of time.
    pub fn asked(&self) -> Vec<Asked> {
        let at_once = |(op, logged): (OpId, &LoggedOp<D>)| {
            logged.asked.map(|node| Asked { op, at: logged.invoked.time, node: Some(node) })
        };
        let mut asked: Vec<Asked> = (0..).map(OpId).zip(&self.ops).filter_map(at_once).collect();
        asked.extend(&self.asked_later);
        asked.sort_by_key(|asked| asked.op);
        asked
    }

    pub(crate) fn numbered(&mut self, id: OpId, serial: u64) {
        self.ops[id.0 as usize].serial = Some(serial);
    }

    #[inline]
    pub(crate) fn took_effect(&mut self, client: ClientId, serial: u64) {
        self.effects.push((client, serial));
    }

    /// The operations that can change the data, in the order in which nodes said that they took effect, by their numbers
    /// in [`OpLog::history`]. What nobody spoke of is not in it.
    pub fn order(&self) -> Vec<usize> {
        let mut numbered: Vec<Vec<(u64, usize)>> = Vec::new();
        for (number, op) in self.ops.iter().enumerate() {
            if let Some(serial) = op.serial.filter(|_| D::FUNCTIONS[D::function(&op.op)].writes) {
                let client = op.client.0 as usize;
                numbered.resize_with(numbered.len().max(client + 1), Vec::new);
                numbered[client].push((serial, number));
            }
        }
        let meant = |(client, serial): &(ClientId, u64)| {
            let own = numbered.get(client.0 as usize)?;
            let at = own.binary_search_by_key(serial, |(serial, _)| *serial).ok()?;
            Some(own[at].1)
        };
        let mut is_taken = vec![false; self.ops.len()];
        let is_first = |number: &usize| !std::mem::replace(&mut is_taken[*number], true);
        self.effects.iter().filter_map(meant).filter(is_first).collect()
    }

    pub(crate) fn answered(&mut self, id: OpId, from: NodeId) {
        self.ops[id.0 as usize].answered_by = Some(from);
    }

    /// How many operations have returned a result.
    pub(crate) fn returned(&self) -> u64 {
        self.returned
    }

    /// The operations.
    pub fn ops(&self) -> &[LoggedOp<D>] {
        &self.ops
    }

    /// As a plain history. A client is as many processes as it needs: one asks one thing at a time and is not used again
    /// after an unknown outcome.
    pub fn history(&self, clients: u64) -> History {
        let mut lanes = Lanes { clients, free: BTreeMap::new(), made: BTreeMap::new() };
        let mut names = Names(BTreeMap::new());
        let operations = self.ops.iter().map(|logged| {
            let (input, outcome) = names.written(logged);
            Operation {
                process: lanes.assign(logged),
                f: D::FUNCTIONS[D::function(&logged.op)].name.into(),
                input,
                invoked: logged.invoked,
                completed: logged.completed,
                outcome,
                purpose: logged.purpose,
                node: logged.answered_by.map(|node| node.to_string().into()),
            }
        });
        History { operations: operations.collect() }
    }
}

/// The names of keys, and what is written of a key and nothing else, as reads are asked for. Each is made once: a history is
/// smaller, and whoever reads it sees at a glance that two of them are the same.
struct Names(BTreeMap<u32, (Value, Value)>);

impl Names {
    /// What was asked and what was heard. What is said again is shared, too.
    fn written<D: Data>(&mut self, logged: &LoggedOp<D>) -> (Value, Outcome<Completion>) {
        let argument = D::input(&logged.op);
        let input = self.at_key::<D>(&logged.op, argument.clone());
        let outcome = match &logged.outcome {
            Outcome::Returned(ret) => Outcome::Returned(match D::completion(&logged.op, ret) {
                Completion::Ok(value) if value == argument => Completion::Ok(input.clone()),
                Completion::Ok(value) => Completion::Ok(self.at_key::<D>(&logged.op, value)),
                Completion::Mismatch => Completion::Mismatch,
            }),
            Outcome::Refused => Outcome::Refused,
            Outcome::Unknown => Outcome::Unknown,
        };
        (input, outcome)
    }

    fn at_key<D: Data>(&mut self, op: &D::Op, value: Value) -> Value {
        if !D::KEYED {
            return value;
        }
        let (name, alone) = self.0.entry(D::key(op)).or_insert_with_key(|key| {
            let name = D::key_name(*key);
            (name.clone(), Value::pair(name, Value::Nil))
        });
        if value.is_nil() { alone.clone() } else { Value::pair(name.clone(), value) }
    }
}

/// Which process numbers of each client are free, and from when.
struct Lanes {
    clients: u64,
    /// By client: (mark index from which it is free, lane), the first to be free first. Those of unknown outcomes never
    /// are, and not in it.
    free: BTreeMap<ClientId, BTreeSet<(u64, u64)>>,
    /// How many lanes each client has.
    made: BTreeMap<ClientId, u64>,
}

impl Lanes {
    fn assign<D: Data>(&mut self, op: &LoggedOp<D>) -> u64 {
        let free = self.free.entry(op.client).or_default();
        let lane = match free.first() {
            Some(&(from, lane)) if from < op.invoked.index => {
                free.pop_first();
                lane
            }
            Some(_) | None => {
                let made = self.made.entry(op.client).or_default();
                *made += 1;
                *made - 1
            }
        };
        match (&op.outcome, op.completed) {
            (Outcome::Unknown, _) | (_, None) => {}
            (Outcome::Returned(_) | Outcome::Refused, Some(mark)) => {
                free.insert((mark.index, lane));
            }
        }
        u64::from(op.client.0) + lane * self.clients
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{Register, RegisterOp, RegisterRet};

    #[test]
    fn a_client_with_unknown_or_overlapping_operations_is_several_processes() {
        let mut log = OpLog::<Register>::new();
        let client = ClientId(1);
        let ask = |log: &mut OpLog<Register>| log.invoke(client, RegisterOp::Read, 0, 10, Purpose::Load);
        let first = ask(&mut log);
        log.complete(first, Outcome::Returned(RegisterRet::Done), 1);
        let second = ask(&mut log);
        let third = ask(&mut log);
        log.answered(second, NodeId(0));
        log.answered(second, NodeId(2));
        log.complete(second, Outcome::Unknown, 2);
        log.complete(third, Outcome::Refused, 3);
        ask(&mut log);
        let history = log.history(4);
        let processes: Vec<u64> = history.operations.iter().map(|op| op.process).collect();
        assert_eq!(processes, [1, 1, 5, 5]);
        let nodes: Vec<Option<&str>> = history.operations.iter().map(|op| op.node.as_deref()).collect();
        assert_eq!(nodes, [None, Some("n3"), None, None]);
        assert_eq!(history::jsonl::read(&history::jsonl::write(&history)), Ok(history));
    }

    #[test]
    fn what_took_effect_is_told_once_and_by_number() {
        let mut log = OpLog::<Register>::new();
        let write = RegisterOp::Write(Value::Int(1));
        for (client, serial, op) in
            [(0, 7, write.clone()), (2, 7, write.clone()), (0, 8, RegisterOp::Read), (0, 9, write.clone())]
        {
            let id = log.invoke(ClientId(client), op, 0, 10, Purpose::Load);
            log.numbered(id, serial);
        }
        log.invoke(ClientId(0), write, 0, 10, Purpose::Load);
        for (client, serial) in [(0, 9), (2, 7), (0, 9), (0, 8), (1, 7), (3, 7), (0, 6), (2, 7)] {
            log.took_effect(ClientId(client), serial);
        }
        assert_eq!(log.order(), [3, 1], "the first time counts, and neither reads nor what is unheard of");
    }

    #[test]
    fn whom_a_client_asked_is_told_in_order() {
        let mut log = OpLog::<Register>::new();
        let ask = |log: &mut OpLog<Register>| log.invoke(ClientId(0), RegisterOp::Read, 5, 10, Purpose::Load);
        let (first, second, silent) = (ask(&mut log), ask(&mut log), ask(&mut log));
        let asked = |op, at, node: Option<u32>| Asked { op, at, node: node.map(NodeId) };
        let told =
            [asked(first, 5, Some(0)), asked(second, 5, Some(1)), asked(second, 7, None), asked(second, 7, Some(2))];
        let later = asked(first, 9, Some(1));
        told.into_iter().chain([later]).for_each(|asked| log.asks(asked));
        assert_eq!(log.asked(), [told[0], later, told[1], told[2], told[3]]);
        assert!(log.asked().iter().all(|asked| asked.op != silent));
    }
}
