//! A contradiction made small, and put into words.

use super::account::{Account, Event, Record, made};
use super::proof::{Link, Proof};
use history::figures::shown;
use history::{Ended, Part as Role, Reason, RegisterOp, Testimony, Value, Witness};
use std::cell::Cell;
use std::collections::BTreeSet;

use crate::model::Call;
use crate::witness::testimony;
use crate::{Budget, Consistency};

/// Decides a level for some deeds of a record: why they break it, if they do.
pub(crate) type Check<'c> = &'c dyn Fn(&Account) -> Option<Proof>;

/// Deeds that break a level, and why.
struct Core {
    deeds: Vec<usize>,
    account: Account,
    proof: Proof,
    is_minimal: bool,
}

/// So much may be looked at to make an argument smaller: events, by the sessions that each is held against.
const WORK_MAX: usize = 100_000_000;

/// More operations than that are no argument.
const OPERATIONS_MAX: usize = 40;

/// The least part of `record` that breaks `level`: none of its operations can be taken away.
///
/// That is sound because each level is closed under taking away reads, and writes together with their reads: what
/// explained the whole explains what is left.
pub(crate) fn argue(
    record: &Record<'_>,
    level: Consistency,
    account: Account,
    proof: Proof,
    check: Check<'_>,
    budget: &Budget<'_>,
) -> Witness {
    let deeds = (0..record.deeds.len()).collect();
    let core = minimal(record, Core { deeds, account, proof, is_minimal: false }, check, budget);
    Words::of(record, level, &core).witness()
}

fn minimal(record: &Record<'_>, mut core: Core, check: Check<'_>, budget: &Budget<'_>) -> Core {
    let work = Cell::new(0);
    let goes_on = || work.get() <= WORK_MAX && (budget.keep_going)();
    let attempt = |deeds: Vec<usize>| -> Option<Core> {
        let account = Account::of(record, deeds.iter().copied());
        work.set(work.get() + (account.entries.len() + 1).saturating_mul(account.sessions()));
        let proof = check(&account)?;
        Some(Core { deeds, account, proof, is_minimal: false })
    };
    core = attempt(named(&core)).unwrap_or(core);
    let mut size = core.deeds.len().div_ceil(2);
    loop {
        let before = core.deeds.len();
        let mut at = 0;
        while at < core.deeds.len() {
            if !goes_on() {
                return core;
            }
            let rest = [&core.deeds[..at], &core.deeds[(at + size).min(core.deeds.len())..]].concat();
            match attempt(rest) {
                Some(less) => core = less,
                None => at += size,
            }
        }
        if size == 1 && core.deeds.len() == before {
            core.is_minimal = attempt(core.deeds.clone()).is_some() && goes_on();
            return core;
        }
        size = (size / 2).max(1);
    }
}

/// The deeds that a proof names; all, if it says nothing but that there is no order.
fn named(core: &Core) -> Vec<usize> {
    if core.proof.links.is_empty() {
        return core.deeds.clone();
    }
    let deeds: BTreeSet<usize> =
        core.proof.events().into_iter().map(|event| core.account.at(event).deed as usize).collect();
    deeds.into_iter().collect()
}

/// A core in words.
struct Words<'a> {
    record: &'a Record<'a>,
    level: Consistency,
    core: &'a Core,
    /// The key that all of it is about, if it is one.
    key: Option<u32>,
}

impl<'a> Words<'a> {
    fn of(record: &'a Record<'a>, level: Consistency, core: &'a Core) -> Self {
        let mut keys = core.deeds.iter().map(|deed| record.deeds[*deed].key);
        let first = keys.next();
        Words { record, level, core, key: first.filter(|first| keys.all(|key| key == *first)) }
    }

    fn witness(&self) -> Witness {
        let Proof { why, links } = &self.core.proof;
        let key = self.key.and_then(|key| self.record.keys[key as usize]);
        let (headline, why) = (self.headline(), (*why).to_owned());
        if self.core.deeds.len() > OPERATIONS_MAX {
            let because = vec![format!("{headline}.")];
            let told = Reason::Told { why, headline, because };
            return Witness { is_minimal: false, ..Witness::new(key.cloned(), Vec::new(), None, told) };
        }
        let operations = self.core.deeds.iter().map(|deed| self.testimony(*deed)).collect();
        let mut because: Vec<String> = Vec::new();
        for (at, link) in links.iter().enumerate() {
            because.extend(self.sentence(link, at + 1 == links.len()));
        }
        because.push(self.conclusion());
        let offender = links.last().map(|link| self.position(offender(link)));
        let reason = Reason::Told { why, headline, because };
        let witness = Witness::new(key.cloned(), operations, offender, reason);
        let witness = if self.key.is_none() { witness.about("the store") } else { witness };
        Witness { is_minimal: self.core.is_minimal, ..witness }
    }

    fn testimony(&self, deed: usize) -> Testimony {
        let deed = &self.record.deeds[deed];
        let events = self.core.account.entries.iter().filter(|entry| self.call(entry.deed).number == deed.call.number);
        let role = match (&deed.call.op, events.count()) {
            (RegisterOp::Read, _) => Role::Met,
            (RegisterOp::Cas { .. }, 2) => Role::Both,
            (RegisterOp::Cas { .. } | RegisterOp::Write(_) | RegisterOp::Append(_), _) => Role::Wrote,
        };
        let told = testimony(deed.call, role);
        match (self.key, self.record.keys[deed.key as usize]) {
            (None, Some(key)) => with_key(told, key),
            (Some(_), _) | (None, None) => told,
        }
    }

    fn call(&self, deed: u32) -> &'a Call<'a, history::Register> {
        self.record.deeds[deed as usize].call
    }

    fn of_event(&self, event: Event) -> &'a Call<'a, history::Register> {
        self.call(self.core.account.at(event).deed)
    }

    fn position(&self, event: Event) -> usize {
        let deed = self.core.account.at(event).deed as usize;
        self.core.deeds.binary_search(&deed).unwrap_or_default()
    }

    /// As its sentence is numbered.
    fn name(&self, event: Event) -> String {
        format!("({})", self.position(event) + 1)
    }

    fn client(&self, event: Event) -> String {
        format!("p{}", self.of_event(event).source.process)
    }

    fn place(&self, event: Event) -> String {
        match self.record.keys[self.core.account.at(event).key as usize] {
            None => "the register".to_owned(),
            Some(key) => shown(key),
        }
    }

    fn made(&self, event: Event) -> String {
        made(self.of_event(event)).map(shown).unwrap_or_default()
    }

    fn sentence(&self, link: &Link, is_last: bool) -> Option<String> {
        let name = |event: Event| self.name(event);
        Some(match *link {
            Link::Program(a, b) if self.position(a) == self.position(b) => return None,
            Link::Program(a, b) => format!("{} did {} before {}.", self.client(a), name(a), name(b)),
            Link::Read(write, reader) => {
                format!("{} got what {} wrote, so {} came first.", name(reader), name(write), name(write))
            }
            Link::Hidden { from, to, reader } if is_last && self.is_between() => {
                let (from, to, reader) = (name(from), name(to), name(reader));
                format!("{reader} came after {from}, which came after {to}, and still got what {to} wrote.")
            }
            Link::Hidden { from, to, reader } => {
                let (from, to, reader) = (name(from), name(to), name(reader));
                format!("{from} came before {reader}, which still got what {to} wrote: so {from} came before {to}.")
            }
            Link::Replacing { reader, to, write } => {
                let (reader, to, write) = (name(reader), name(to), name(write));
                format!("{reader} got what {write} wrote, which {to} replaced: so {reader} came before {to}.")
            }
            Link::First { reader, to } => {
                let found = self.place(reader);
                format!("{} found {found} as it was at first, so it came before {}.", name(reader), name(to))
            }
            Link::Unwritten { write, reader } => {
                let found = self.place(reader);
                format!("{} came after {}, and still found {found} as it was at first.", name(reader), name(write))
            }
        })
    }

    /// Whether the argument is that of a read of something replaced, with nothing else to it.
    fn is_between(&self) -> bool {
        let is_direct = |link: &Link| matches!(link, Link::Program(..) | Link::Read(..));
        let links = &self.core.proof.links;
        links[..links.len().saturating_sub(1)].iter().all(is_direct) && self.core.proof.why != "CyclicHB"
    }

    fn conclusion(&self) -> String {
        let last = self.core.proof.links.last();
        let reader = last.map(|link| self.client(offender(link))).unwrap_or_default();
        match self.level {
            Consistency::Sequential if last.is_none() => {
                "All orders that keep the order of each process were tried, and in none of them is every result right."
                    .to_owned()
            }
            Consistency::Sequential => "No one order that keeps the order of each process explains that.".to_owned(),
            Consistency::CausalConvergence => match self.core.proof.why {
                "CyclicCF" => "So the writes are in no order that all could agree on.".to_owned(),
                _ => "What comes before an operation must be visible to it.".to_owned(),
            },
            Consistency::CausalMemory => match self.core.proof.why {
                "CyclicHB" | "WriteHBInitRead" => format!("So {reader} cannot have seen these writes in any order."),
                _ => "What comes before an operation must be visible to it.".to_owned(),
            },
            Consistency::Causal => match self.core.proof.why {
                "CyclicCO" => "So something came before itself.".to_owned(),
                _ => "What comes before an operation must be visible to it.".to_owned(),
            },
            Consistency::Pram => {
                format!("So {reader} cannot have seen these writes in an order that keeps each process's.")
            }
            Consistency::ReadYourWrites => {
                format!("Who reads his own writes would not: {reader} had written that itself.")
            }
            Consistency::MonotonicReads => format!("Who never goes back would not: {reader} had read that before."),
            Consistency::MonotonicWrites => {
                format!("Who sees what a process wrote must see what that had written before, and {reader} did not.")
            }
            Consistency::WritesFollowReads => {
                format!("Who sees what a process wrote must see what that had read before, and {reader} did not.")
            }
            Consistency::Linearizable
            | Consistency::StrictSerializable
            | Consistency::StrongSessionSerializable
            | Consistency::Serializable
            | Consistency::SnapshotIsolation
            | Consistency::RepeatableRead
            | Consistency::ReadAtomic
            | Consistency::ReadCommitted
            | Consistency::ReadUncommitted => String::new(),
        }
    }

    /// The violation in one line.
    fn headline(&self) -> String {
        let no_order = "no one order of all operations explains every result".to_owned();
        let Some(last) = self.core.proof.links.last() else { return no_order };
        let (reader, place) = (self.client(offender(last)), self.place(offender(last)));
        let (got, missed) = match *last {
            Link::Hidden { from, to, .. } => (self.made(to), self.made(from)),
            Link::Unwritten { write, .. } => ("its first value".to_owned(), self.made(write)),
            Link::Read(write, _) => (self.made(write), String::new()),
            Link::Program(..) | Link::Replacing { .. } | Link::First { .. } => Default::default(),
        };
        let met = format!("{reader} read {got} in {place}");
        match (self.core.proof.why, self.level) {
            ("CyclicCO", _) => format!("{met} out of its own future"),
            ("WriteCORead" | "WriteCOInitRead", _) => {
                format!("{met} though {missed} was among what it had seen, or heard of")
            }
            ("ReadYourWrites", _) => format!("{met} after it had written {missed}"),
            ("MonotonicReads", _) => format!("{met} after it had read {missed}"),
            ("MonotonicWrites", _) => format!("{met} after it had seen what followed the write of {missed}"),
            ("WritesFollowReads", _) => format!("{met} after it had seen what followed a read of {missed}"),
            ("CyclicCF", _) => "no one order of the writes agrees with what everybody had seen".to_owned(),
            (_, Consistency::Sequential) => no_order,
            _ => format!("no order of the writes explains what {reader} read"),
        }
    }
}

/// Whose result a link is about.
fn offender(link: &Link) -> Event {
    match *link {
        Link::Program(_, event) | Link::Read(_, event) => event,
        Link::Hidden { reader, .. }
        | Link::Replacing { reader, .. }
        | Link::First { reader, .. }
        | Link::Unwritten { reader, .. } => reader,
    }
}

/// An operation among those of other keys.
fn with_key(mut told: Testimony, key: &Value) -> Testimony {
    // A compare-and-set's argument is a pair already, and is told as what it replaces.
    if told.f == "cas" && told.ended == Ended::Ok {
        told.f = format!("cas at {}", shown(key));
        return told;
    }
    told.input = Value::pair(key.clone(), told.input);
    told.returned = told.returned.map(|returned| Value::pair(key.clone(), returned));
    told
}
