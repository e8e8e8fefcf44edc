//! What is wrong, in words: the transactions of a cycle, one sentence for each step of it, and the contradiction.

use super::flaw::{Basis, Direct, Flaw, Kind};
use super::graph::{Edge, NONE, Why};
use super::run::Run;
use super::script::{Fate, items};
use history::figures::shown;
use history::{Ended, Part, Reason, Server, Testimony, Value, Witness};

/// The argument for a flaw.
pub(super) fn witness(run: &Run<'_>, flaw: &Flaw<'_>) -> Witness {
    let name = flaw.name();
    let (cast, offender, because) = match flaw {
        Flaw::Direct(direct) => {
            let cast = if direct.other == direct.txn { vec![direct.txn] } else { vec![direct.other, direct.txn] };
            let tale = Tale { run, cast };
            let because = vec![tale.direct(direct)];
            let offender = Some(tale.cast.len() - 1);
            (tale.cast, offender, because)
        }
        Flaw::Cycle(_, edges) => {
            let edges = rotated(edges);
            let mut cast: Vec<u32> = edges.iter().map(|edge| edge.from).collect();
            for via in edges.iter().map(|edge| edge.via).filter(|via| *via != NONE) {
                if !cast.contains(&via) {
                    cast.push(via);
                }
            }
            let tale = Tale { run, cast };
            let mut because: Vec<String> = edges.iter().map(|edge| tale.edge(edge)).collect();
            because.push(format!("So T1 would have to come before itself: {name}."));
            (tale.cast, None, because)
        }
        Flaw::Unordered(txns) => {
            let because = "Every order of them was tried: in each, one of them reads what is not there.";
            (txns.clone(), None, vec![because.to_owned()])
        }
    };
    let headline = headline(run, flaw, &name, &cast);
    let told = cast.iter().map(|txn| testimony(run, *txn)).collect();
    Witness::new(None, told, offender, Reason::Told { why: name, headline, because }).about("the data")
}

fn headline(run: &Run<'_>, flaw: &Flaw<'_>, name: &str, cast: &[u32]) -> String {
    let keys = match flaw {
        Flaw::Direct(direct) => vec![run.script.micro(direct.txn, direct.micro).key],
        Flaw::Cycle(_, edges) => edges.iter().map(|edge| edge.key).filter(|key| *key != NONE).collect(),
        Flaw::Unordered(_) => Vec::new(),
    };
    let mut names: Vec<String> = keys.iter().map(|key| shown(run.script.keys[*key as usize])).collect();
    names.sort_unstable();
    names.dedup();
    let on = if names.is_empty() { String::new() } else { format!(" on {}", names.join(", ")) };
    match flaw {
        Flaw::Direct(_) => format!("{name}{on}"),
        Flaw::Cycle(_, edges) => format!("{name}: {} transactions in a cycle{on}", edges.len()),
        Flaw::Unordered(_) => format!("{name}: {} transactions that fit no order", cast.len()),
    }
}

/// The same cycle, so that an anti-dependency closes it if there is one: what comes last is what was missed.
fn rotated(edges: &[Edge]) -> Vec<Edge> {
    let mut edges = edges.to_vec();
    let last = edges.iter().rposition(|edge| edge.why == Why::Rw).map_or(0, |at| at + 1);
    edges.rotate_left(last);
    edges
}

struct Tale<'r, 'h> {
    run: &'r Run<'h>,
    /// The transactions that are named, T1 first.
    cast: Vec<u32>,
}

impl Tale<'_, '_> {
    fn name(&self, txn: u32) -> String {
        let at = self.cast.iter().position(|member| *member == txn);
        at.map_or_else(|| "another transaction".to_owned(), |at| format!("T{}", at + 1))
    }

    fn key(&self, key: u32) -> String {
        shown(self.run.script.keys[key as usize])
    }

    /// What a transaction read of a key, if anything.
    fn read(&self, txn: u32, key: u32) -> String {
        let reads = self.run.script.micros(txn).iter().filter(|micro| micro.is_read && micro.key == key);
        let read = reads.map(|micro| micro.value).max_by_key(|value| match value {
            Value::List(items) => items.len(),
            Value::Nil | Value::Int(_) | Value::Text(_) => 0,
        });
        read.map_or_else(|| "nothing".to_owned(), shown)
    }

    /// The last value that a transaction wrote to a key.
    fn wrote(&self, txn: u32, key: u32) -> String {
        let mut writes = self.run.script.micros(txn).iter().rev().filter(|micro| !micro.is_read && micro.key == key);
        writes.next().map_or_else(|| "nothing".to_owned(), |micro| shown(micro.value))
    }

    fn edge(&self, edge: &Edge) -> String {
        let (from, to, via) = (self.name(edge.from), self.name(edge.to), self.name(edge.via));
        if edge.key == NONE {
            return match edge.why {
                Why::Process => {
                    let process = self.run.script.txns[edge.from as usize].source.process;
                    format!("Process {process} asked for {from} before {to}.")
                }
                Why::RealTime | Why::Ww | Why::Wr | Why::Rw => format!("{from} was over before {to} began."),
            };
        }
        let key = self.key(edge.key);
        let (first, second) = (self.wrote(edge.from, edge.key), self.wrote(edge.to, edge.key));
        match (edge.why, edge.basis) {
            (Why::Wr, _) => {
                format!("{to} read {key} = {}, and so what {from} wrote ({first}).", self.read(edge.to, edge.key))
            }
            (Why::Rw, _) if edge.via != NONE => format!(
                "{from} read {key} = {}, which {via} wrote; {to} came after {via} and replaced it by {second}.",
                self.read(edge.from, edge.key)
            ),
            (Why::Rw, _) => format!(
                "{from} read {key} = {}, which does not show what {to} wrote ({second}).",
                self.read(edge.from, edge.key)
            ),
            (Why::Ww, _) if edge.via == NONE => {
                format!("{to}'s {second} was never seen in {key}, so it came after {from}'s {first}, which was.")
            }
            (Why::Ww, Basis::Data) if self.run.is_lists && self.shows(edge) => format!(
                "{to} appended {second} to {key} after {from}'s {first}, for {via} read {}.",
                self.read(edge.via, edge.key)
            ),
            (Why::Ww, basis) => {
                let why = match basis {
                    Basis::Data => format!("{via} saw {from}"),
                    Basis::Process => format!("{via} came after {from}, which it or its causes had seen"),
                    Basis::RealTime => format!("{via} began when {from} was over"),
                };
                format!("{why}, and yet read {key} = {second} from {to}: so {to} replaced {from}'s {first}.")
            }
            (Why::Process | Why::RealTime, _) => format!("{from} came before {to}."),
        }
    }

    /// Whether who is named as a witness read the versions of both.
    fn shows(&self, edge: &Edge) -> bool {
        let own = self.run.script.micros(edge.to).iter().filter(|micro| !micro.is_read && micro.key == edge.key);
        let own: Vec<&Value> = own.map(|micro| micro.value).collect();
        let reads = self.run.script.micros(edge.via).iter().filter(|micro| micro.is_read && micro.key == edge.key);
        reads.filter_map(|micro| items(micro.value)).any(|list| list.iter().any(|element| own.contains(&element)))
    }

    fn direct(&self, direct: &Direct<'_>) -> String {
        let (txn, other) = (self.name(direct.txn), self.name(direct.other));
        let micro = self.run.script.micro(direct.txn, direct.micro);
        let (key, value) = (self.key(micro.key), shown(direct.value));
        match direct.kind {
            Kind::Garbage => format!("{txn} read {value} in {key}, which nobody ever wrote."),
            Kind::Duplicate => format!("{txn} found {value} more than once in {key}, and it was appended once."),
            Kind::Incompatible => format!(
                "Neither of what {txn} and {other} read of {key} is the beginning of the other, so {key} had no one order."
            ),
            Kind::Misordered => format!(
                "{txn} read {key} = {}, and {other} had appended {value} neither as the next of its own nor as the first.",
                self.read(direct.txn, micro.key)
            ),
            Kind::Aborted => {
                format!("{txn} read {value} in {key}, which {other} had written and which never happened.")
            }
            Kind::DirtyUpdate => {
                format!("{other} took place, and its append to {key} stands upon {value}, which never happened.")
            }
            Kind::Intermediate => {
                format!("{txn} read {value} in {key}, which {other} wrote and then replaced before it ended.")
            }
            Kind::Internal => format!("{txn} read {key} = {value}, which misses what it had done to {key} itself."),
            Kind::Future => format!("{txn} read {key} = {value}, which it wrote itself, and only afterwards."),
            Kind::Fuzzy => format!("{txn} had read {key} before, did not change it, and then read {value}."),
            Kind::LostUpdate => {
                format!("{txn} and {other} both read {key} = {value} and both replaced it: one update was lost.")
            }
            Kind::Cycle(_) | Kind::NoOrder => String::new(),
        }
    }
}

fn testimony(run: &Run<'_>, txn: u32) -> Testimony {
    let source = run.script.txns[txn as usize].source;
    let ended = match run.script.fate(txn) {
        Fate::Committed => Ended::Ok,
        Fate::Unknown => Ended::Info,
        Fate::Aborted => Ended::Fail,
    };
    let f = |is_read: bool| match is_read {
        true => "r",
        false if run.is_lists => "append",
        false => "w",
    };
    let micros = run.script.micros(txn).iter().map(|micro| {
        let key = run.script.keys[micro.key as usize].clone();
        Value::List([Value::text(f(micro.is_read)), key, micro.value.clone()].into())
    });
    Testimony {
        index: txn as usize,
        client: format!("p{}", source.process),
        process: source.process,
        f: "txn".to_owned(),
        input: Value::List(micros.collect()),
        ended,
        returned: None,
        invoked: source.invoked,
        completed: source.completed.filter(|_| ended != Ended::Info),
        part: Part::Both,
        server: source.node.as_deref().map(|node| Server { node: node.to_owned(), role: None, superseded: None }),
    }
}
