//! What one process may expect of its own reads (Terry et al., "Session guarantees for weakly consistent replicated data",
//! 1994), for registers with unique values.
//!
//! Each guarantee says which writes a read has to *reflect*. A read of x by process q reflects a write of x if it returns
//! that or anything not certainly older.
//!
//! | guarantee | a read by q reflects |
//! |---|---|
//! | read your writes | what q wrote before |
//! | monotonic reads | what q read before |
//! | monotonic writes | what the writer of anything that q read before had written before that |
//! | writes follow reads | what the writer of anything that q read before had read before that |
//!
//! Nobody sees in which order the stores put the writes. *Certainly older* than a write w, for q, is
//! - what the key held at first,
//! - what the process that wrote w wrote before w,
//! - and if w is q's own: what q had read before it wrote w, and what the writer of that had written before.
//!
//! All of these are part of the causal order, so each guarantee follows from causal consistency; and all but the last
//! rest on the order of processes and what q itself read, so they follow from PRAM.
//!
//! One pass over each process, with the latest write to reflect of each key and writer: O(n s) for s sessions.

use super::account::{Account, Act, Event, Record, Source};
use super::proof::{Link, Proof, source};
use hashbrown::HashMap;
use history::{History, Register, Value};
use std::hash::BuildHasherDefault;

use crate::hash::Mixer;
use crate::model::parts;
use crate::{Consistency, Model, Unfit};

/// How many reads break each session guarantee.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionGuarantees {
    /// Reads looked at. They returned something that is known to have been written, or to have been there at first.
    pub reads: u64,
    /// Of these: older than what their process had written.
    pub read_your_writes: u64,
    /// Older than what their process had read.
    pub monotonic_reads: u64,
    /// Older than what a process had written before something that theirs had read.
    pub monotonic_writes: u64,
    /// Older than what a process had read before it wrote something that theirs had read.
    pub writes_follow_reads: u64,
    /// Why nothing can be said, if values do not tell which write was read; all counts are 0 then.
    pub unclear: Option<String>,
}

/// Counts the reads of `history`, of registers, that break each session guarantee.
///
/// # Errors
/// If an operation is none of the model's.
pub fn session_guarantees(history: &History, model: Model, initial: &Value) -> Result<SessionGuarantees, Unfit> {
    let parts = parts::<Register>(history, model)?;
    let record = Record::of(&parts, initial);
    if record.ambiguous.is_some() {
        return Ok(SessionGuarantees { unclear: record.ambiguous, ..SessionGuarantees::default() });
    }
    let account = record.account();
    let [read_your_writes, monotonic_reads, monotonic_writes, writes_follow_reads] = breaches(&account).counts;
    let reads = account.entries.iter().filter(|entry| entry.act != Act::Write).count() as u64;
    Ok(SessionGuarantees {
        reads,
        read_your_writes,
        monotonic_reads,
        monotonic_writes,
        writes_follow_reads,
        unclear: None,
    })
}

type Table<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;

/// In the order of the table.
const LEVELS: [(Consistency, &str); 4] = [
    (Consistency::ReadYourWrites, "ReadYourWrites"),
    (Consistency::MonotonicReads, "MonotonicReads"),
    (Consistency::MonotonicWrites, "MonotonicWrites"),
    (Consistency::WritesFollowReads, "WritesFollowReads"),
];

const OWN_WRITE: usize = 0;
const OWN_READ: usize = 1;
const WRITTEN_BEFORE: usize = 2;
const READ_BEFORE: usize = 3;

/// The reads that break each guarantee, counted, and why the first does.
#[derive(Default)]
pub(crate) struct Breaches {
    pub counts: [u64; 4],
    firsts: [Option<Proof>; 4],
}

impl Breaches {
    /// Of one guarantee.
    pub fn of(mut self, level: Consistency) -> (u64, Option<Proof>) {
        let at = LEVELS.iter().position(|(other, _)| *other == level).expect("a session guarantee");
        (self.counts[at], self.firsts[at].take())
    }
}

/// A write to reflect.
#[derive(Clone, Copy)]
struct Demand {
    write: Event,
    /// What the process did that makes it expect the write.
    by: Event,
    /// What the writer of that had read before.
    via: Event,
}

/// The writes that a process has to reflect for one guarantee.
#[derive(Default)]
struct Demands {
    /// The latest, by key and writer.
    latest: Table<(u32, u32), Demand>,
    /// Any, by key.
    any: Table<u32, Demand>,
}

impl Demands {
    fn add(&mut self, account: &Account, demand: Demand) {
        let entry = account.at(demand.write);
        let latest = self.latest.entry((entry.key, entry.session)).or_insert(demand);
        // Of one session, later events have larger numbers.
        if latest.write < demand.write {
            *latest = demand;
        }
        self.any.entry(entry.key).or_insert(demand);
    }
}

/// One process, read from its beginning.
struct Reader<'a> {
    account: &'a Account,
    session: u32,
    demands: [Demands; 4],
    /// Of each session: its events up to which are accounted for, since something behind them was read.
    heard: Table<u32, Event>,
    /// Of each session: what was the latest read of it, after which own place.
    known: Table<u32, Vec<(Event, Event)>>,
}

/// Examines every process.
pub(crate) fn breaches(account: &Account) -> Breaches {
    let mut breaches = Breaches::default();
    for session in 0..account.sessions() {
        let mut reader = Reader {
            account,
            session: session as u32,
            demands: Default::default(),
            heard: Table::default(),
            known: Table::default(),
        };
        for event in account.session(session) {
            reader.go_on(event, &mut breaches);
        }
    }
    breaches
}

impl Reader<'_> {
    fn go_on(&mut self, event: Event, breaches: &mut Breaches) {
        match self.account.at(event).act {
            Act::Write => self.demands[OWN_WRITE].add(self.account, Demand { write: event, by: event, via: event }),
            Act::Read(source) => {
                for guarantee in 0..LEVELS.len() {
                    let Some((demand, older)) = self.ignored(guarantee, event, source) else { continue };
                    breaches.counts[guarantee] += 1;
                    breaches.firsts[guarantee].get_or_insert_with(|| self.proof(guarantee, event, demand, older));
                }
                if let Source::Write(write) = source {
                    self.hear(event, write);
                }
            }
        }
    }

    /// The write that a read should reflect and does not, and the links by which what it got is older.
    fn ignored(&self, guarantee: usize, event: Event, source: Source) -> Option<(Demand, Vec<Link>)> {
        let entry = self.account.at(event);
        let demands = &self.demands[guarantee];
        let Source::Write(got) = source else { return demands.any.get(&entry.key).map(|demand| (*demand, Vec::new())) };
        let writer = self.account.at(got).session;
        let latest = |session: u32| demands.latest.get(&(entry.key, session)).copied();
        if let Some(demand) = latest(writer).filter(|demand| demand.write > got) {
            return Some((demand, vec![Link::Program(got, demand.write)]));
        }
        let demand = latest(self.session)?;
        let known = self.known.get(&writer)?;
        let before = &known[..known.partition_point(|(own, _)| *own < demand.write)];
        let &(own, newest) = before.last().filter(|(_, newest)| *newest >= got)?;
        let mut older = Vec::new();
        if newest > got {
            older.push(Link::Program(got, newest));
        }
        older.extend([Link::Read(newest, own), Link::Program(own, demand.write)]);
        Some((demand, older))
    }

    /// Takes in what `write`, which `event` read, tells of its writer.
    fn hear(&mut self, event: Event, write: Event) {
        let account = self.account;
        let writer = account.at(write).session;
        let known = self.known.entry(writer).or_default();
        if known.last().is_none_or(|(_, newest)| *newest < write) {
            known.push((event, write));
        }
        self.demands[OWN_READ].add(account, Demand { write, by: event, via: event });
        let start = account.session(writer as usize).start;
        let heard = self.heard.entry(writer).or_insert(start);
        for before in *heard..write {
            match account.at(before).act {
                Act::Write => {
                    self.demands[WRITTEN_BEFORE].add(account, Demand { write: before, by: event, via: before })
                }
                Act::Read(Source::Write(read)) => {
                    self.demands[READ_BEFORE].add(account, Demand { write: read, by: event, via: before });
                }
                Act::Read(Source::Initial) => {}
            }
        }
        *heard = write.max(*heard);
    }

    fn proof(&self, guarantee: usize, reader: Event, demand: Demand, older: Vec<Link>) -> Proof {
        let Demand { write, by, via } = demand;
        let mut links = older;
        let heard = source(self.account, by).and_then(|source| match source {
            Source::Write(heard) => Some(heard),
            Source::Initial => None,
        });
        match (guarantee, heard) {
            (OWN_READ, _) => links.push(Link::Read(write, by)),
            (WRITTEN_BEFORE, Some(heard)) => links.extend([Link::Program(write, heard), Link::Read(heard, by)]),
            (READ_BEFORE, Some(heard)) => {
                links.extend([Link::Read(write, via), Link::Program(via, heard), Link::Read(heard, by)]);
            }
            _ => {}
        }
        links.push(Link::Program(by, reader));
        links.push(match source(self.account, reader) {
            Some(Source::Write(to)) => Link::Hidden { from: write, to, reader },
            Some(Source::Initial) | None => Link::Unwritten { write, reader },
        });
        Proof { why: LEVELS[guarantee].1, links }
    }
}
