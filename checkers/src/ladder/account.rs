//! What a history of registers says, once times are left aside: who wrote and read what, in whose order.
//!
//! All levels below linearizability look at three things only: the order of each process, which write each read got its
//! value from, and which writes are of one key. An [`Account`] holds just these, laid out so that they are found fast.
//!
//! - **Sessions** are processes. A session ends where an operation is not over before the next of its process begins
//!   (its outcome is unknown, or the record is odd): what follows counts as another process. So whatever is
//!   linearizable is in order here too.
//! - **Unknown outcomes**: a write counts only if its value was met, since then it did happen. Taken out of any
//!   explanation, one that nobody met leaves everybody's results alone.
//! - **Compare-and-set** that succeeded is a read and, next in its process, a write. That nothing comes between is
//!   demanded by [`super::sequential`] only: below, it is no matter of causality or of sessions. One that found another
//!   value is left out of account: "not this" names no write. So with such, no one order is claimed either.
//! - **Values written twice** at one key, and met, or put together by appends: nobody can tell which write was read, so
//!   nothing is said ([`Record::ambiguous`]).

use hashbrown::HashMap;
use history::{Outcome, Register, RegisterOp, RegisterRet, Value};
use std::hash::BuildHasherDefault;
use std::ops::Range;

use crate::hash::Mixer;
use crate::model::{Call, Part};

type Table<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;

/// A written or met value of a key, by number.
type Met = u32;

/// An operation that certainly happened.
pub(crate) struct Deed<'a> {
    pub call: &'a Call<'a, Register>,
    pub session: u32,
    pub key: u32,
    met: Option<Met>,
    made: Option<Met>,
}

/// Everything a history says, before anything is judged.
pub(crate) struct Record<'a> {
    /// By number, which is the order of their invocations.
    pub deeds: Vec<Deed<'a>>,
    pub keys: Vec<Option<&'a Value>>,
    sessions: usize,
    /// Whether a value is the initial one of its key, by number of the value.
    is_initial: Vec<bool>,
    /// By key: whether values are put together of what was appended, so that one may be met that nobody wrote as a whole.
    has_appends: Vec<bool>,
    /// The deed that read what nobody can have written, or only its own process, later.
    pub nowhere: Option<usize>,
    /// Why nobody can tell who read what.
    pub ambiguous: Option<String>,
    /// Compare-and-sets that found another value.
    pub mismatches: usize,
    /// Compare-and-sets that succeeded.
    pub swaps: usize,
    /// Processes that go on although an operation of theirs was not over.
    pub torn: usize,
    /// Whether any operation returned anything.
    pub is_constrained: bool,
}

impl<'a> Record<'a> {
    pub fn of(parts: &'a [Part<'a, Register>], initial: &Value) -> Record<'a> {
        let mut record = Record {
            deeds: Vec::new(),
            keys: parts.iter().map(|part| part.key).collect(),
            sessions: 0,
            is_initial: Vec::new(),
            has_appends: vec![false; parts.len()],
            nowhere: None,
            ambiguous: None,
            mismatches: 0,
            swaps: 0,
            torn: 0,
            is_constrained: false,
        };
        for (key, part) in (0..).zip(parts) {
            record.add(key, part, initial);
        }
        record.deeds.sort_by_key(|deed| deed.call.number);
        record.part_by_session();
        record.find_nowhere();
        record
    }

    fn add(&mut self, key: u32, part: &'a Part<'a, Register>, initial: &Value) {
        let mut numbers: Table<&Value, Met> = Table::default();
        let first = self.is_initial.len() as Met;
        self.is_initial.push(true);
        let mut number = |value: &'a Value| -> Met {
            if value == initial {
                return first;
            }
            *numbers.entry(value).or_insert_with(|| {
                self.is_initial.push(false);
                self.is_initial.len() as Met - 1
            })
        };
        let mut open: Vec<Deed<'a>> = Vec::new();
        let begin = self.deeds.len();
        for call in &part.calls {
            self.is_constrained |= matches!(call.outcome, Outcome::Returned(_));
            let (met, made) = match (&call.op, &call.outcome) {
                (_, Outcome::Refused) | (RegisterOp::Read, Outcome::Unknown) => continue,
                (RegisterOp::Append(_), _) => {
                    self.has_appends[key as usize] = true;
                    self.ambiguous.get_or_insert_with(|| {
                        format!("operation {} appends, so values have no single write", call.number)
                    });
                    continue;
                }
                (RegisterOp::Cas { .. }, Outcome::Returned(RegisterRet::Mismatch)) => {
                    self.mismatches += 1;
                    continue;
                }
                (RegisterOp::Read, Outcome::Returned(RegisterRet::Value(value))) => (Some(number(value)), None),
                // Reads return values; that one does not cannot be parsed.
                (RegisterOp::Read, Outcome::Returned(_)) => continue,
                (RegisterOp::Write(value), _) => (None, Some(number(value))),
                (RegisterOp::Cas { from, to }, _) => (Some(number(from)), Some(number(to))),
            };
            let deed = Deed { call, session: 0, key, met, made };
            if call.outcome == Outcome::Unknown { open.push(deed) } else { self.deeds.push(deed) }
        }
        self.settle(begin, first, open, part.key);
    }

    /// Decides which operations of unknown outcome happened, and whether all values met have one write.
    fn settle(&mut self, begin: usize, first: Met, mut open: Vec<Deed<'a>>, key: Option<&Value>) {
        let count = self.is_initial.len() - first as usize;
        let mut is_met = vec![false; count];
        let mut writes = vec![0u32; count];
        writes[0] = 1;
        let local = |met: Met| (met - first) as usize;
        self.deeds[begin..].iter().filter_map(|deed| deed.met).for_each(|met| is_met[local(met)] = true);
        // A compare-and-set that happened has met something, which may be the work of another such.
        loop {
            let happened = |deed: &mut Deed<'_>| deed.made.is_some_and(|made| is_met[local(made)]);
            let happened: Vec<Deed<'a>> = open.extract_if(.., happened).collect();
            if happened.is_empty() {
                break;
            }
            happened.iter().filter_map(|deed| deed.met).for_each(|met| is_met[local(met)] = true);
            self.deeds.extend(happened);
        }
        self.deeds[begin..].iter().filter_map(|deed| deed.made).for_each(|made| writes[local(made)] += 1);
        self.swaps += self.deeds[begin..].iter().filter(|deed| deed.met.is_some() && deed.made.is_some()).count();
        let Some(twice) = (0..count).find(|value| is_met[*value] && writes[*value] > 1) else { return };
        let value = self.deeds[begin..].iter().find(|deed| deed.made.is_some_and(|made| local(made) == twice));
        let written = value.and_then(|deed| made(deed.call)).unwrap_or(&Value::Nil);
        let at = key.map(|key| format!(" at key {key}")).unwrap_or_default();
        let why = match twice {
            0 => format!("value {written} was there{at} at first and was written again"),
            _ => format!("value {written} was written {} times{at}", writes[twice]),
        };
        self.ambiguous.get_or_insert_with(|| format!("{why}, so nobody can tell which write was read"));
    }

    fn part_by_session(&mut self) {
        let mut current: Table<u64, (u32, u64)> = Table::default();
        let mut sessions = 0;
        for deed in &mut self.deeds {
            let source = deed.call.source;
            let over = match (&deed.call.outcome, source.completed) {
                (Outcome::Returned(_), Some(mark)) => mark.index,
                (Outcome::Returned(_) | Outcome::Refused | Outcome::Unknown, _) => u64::MAX,
            };
            let open = current.entry(source.process).or_insert_with(|| {
                sessions += 1;
                (sessions - 1, 0)
            });
            if open.1 > source.invoked.index {
                open.0 = sessions;
                sessions += 1;
                self.torn += 1;
            }
            deed.session = open.0;
            open.1 = over;
        }
        self.sessions = sessions as usize;
    }

    fn find_nowhere(&mut self) {
        let mut writers: Vec<(u32, usize)> = self.is_initial.iter().map(|is| (u32::from(*is), usize::MAX)).collect();
        for (number, deed) in self.deeds.iter().enumerate() {
            if let Some(made) = deed.made {
                let (count, last) = &mut writers[made as usize];
                (*count, *last) = (*count + 1, number);
            }
        }
        // Where several may have written what was met, one of unknown outcome need not have happened.
        let is_sure = |deed: &Deed<'_>| self.ambiguous.is_none() || deed.call.outcome != Outcome::Unknown;
        let is_nowhere = |number: usize, deed: &Deed<'_>| match deed.met.map(|met| writers[met as usize]) {
            None | Some((2.., _)) | Some((1, usize::MAX)) => false,
            Some(_) if self.has_appends[deed.key as usize] || !is_sure(deed) => false,
            Some((0, _)) => true,
            Some((1, writer)) => writer >= number && self.deeds[writer].session == deed.session,
        };
        self.nowhere = (0..self.deeds.len()).find(|number| is_nowhere(*number, &self.deeds[*number]));
    }

    /// All of it.
    pub fn account(&self) -> Account {
        Account::of(self, 0..self.deeds.len())
    }
}

/// What an operation leaves behind.
pub(crate) fn made<'a>(call: &'a Call<'_, Register>) -> Option<&'a Value> {
    match &call.op {
        RegisterOp::Write(value) | RegisterOp::Cas { to: value, .. } => Some(value),
        RegisterOp::Read | RegisterOp::Append(_) => None,
    }
}

/// By number in an account; those of a session follow each other.
pub(crate) type Event = u32;

/// Where a read got its value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Initial,
    Write(Event),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Read(Source),
    Write,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub session: u32,
    /// Counted from 0 within the session.
    pub place: u32,
    pub key: u32,
    pub act: Act,
    /// By number in the record. The two events of a compare-and-set have the same.
    pub deed: u32,
}

/// Sessions of reads and writes, every read with its write.
pub(crate) struct Account {
    pub entries: Vec<Entry>,
    /// Where each session begins, and the end of the last.
    starts: Vec<u32>,
    reader_starts: Vec<u32>,
    readers: Vec<Event>,
    /// Of each session: key and place of each write, in order.
    writes: Vec<Vec<(u32, u32)>>,
    /// Of each key: the sessions that write it.
    writers: Vec<Vec<u32>>,
}

impl Account {
    /// Some of a record's deeds, in the order given there. A read whose write is not among them is left out.
    pub fn of(record: &Record<'_>, deeds: impl Iterator<Item = usize> + Clone) -> Account {
        let mut starts = vec![0u32; record.sessions + 1];
        let mut written = vec![u32::MAX; record.is_initial.len()];
        for deed in deeds.clone() {
            if let Some(made) = record.deeds[deed].made {
                written[made as usize] = 0;
            }
        }
        let is_known = |met: &Met| record.is_initial[*met as usize] || written[*met as usize] == 0;
        let mut kept: Vec<(u32, Option<Met>, Option<Met>)> = Vec::with_capacity(deeds.size_hint().0);
        for number in deeds {
            let deed = &record.deeds[number];
            let met = deed.met.filter(is_known);
            starts[deed.session as usize + 1] += u32::from(met.is_some()) + u32::from(deed.made.is_some());
            kept.push((number as u32, met, deed.made));
        }
        for session in 0..record.sessions {
            starts[session + 1] += starts[session];
        }
        let nothing = Entry { session: 0, place: 0, key: 0, act: Act::Write, deed: 0 };
        let mut entries = vec![nothing; starts[record.sessions] as usize];
        let mut values = vec![Met::MAX; entries.len()];
        let mut next = starts.clone();
        for (deed, met, made) in kept {
            let Deed { session, key, .. } = record.deeds[deed as usize];
            let acts = met.map(|met| (met, Act::Read(Source::Initial))).into_iter();
            for (value, act) in acts.chain(made.map(|made| (made, Act::Write))) {
                let event = next[session as usize];
                let place = event - starts[session as usize];
                entries[event as usize] = Entry { session, place, key, act, deed };
                values[event as usize] = value;
                if act == Act::Write {
                    written[value as usize] = event;
                }
                next[session as usize] += 1;
            }
        }
        let mut account = Account {
            entries,
            starts,
            reader_starts: Vec::new(),
            readers: Vec::new(),
            writes: vec![Vec::new(); record.sessions],
            writers: vec![Vec::new(); record.keys.len()],
        };
        account.link(&values, &written, &record.is_initial);
        account
    }

    fn link(&mut self, values: &[Met], written: &[Event], is_initial: &[bool]) {
        self.reader_starts = vec![0; self.entries.len() + 1];
        for (entry, value) in self.entries.iter_mut().zip(values) {
            match entry.act {
                Act::Write => self.writes[entry.session as usize].push((entry.key, entry.place)),
                Act::Read(_) if is_initial[*value as usize] => {}
                Act::Read(_) => {
                    let write = written[*value as usize];
                    entry.act = Act::Read(Source::Write(write));
                    self.reader_starts[write as usize + 1] += 1;
                }
            }
        }
        for (session, writes) in (0..).zip(&mut self.writes) {
            writes.sort_unstable();
            for of_key in writes.chunk_by(|a, b| a.0 == b.0) {
                self.writers[of_key[0].0 as usize].push(session);
            }
        }
        for event in 0..self.entries.len() {
            self.reader_starts[event + 1] += self.reader_starts[event];
        }
        let mut next = self.reader_starts.clone();
        self.readers = vec![0; self.reader_starts[self.entries.len()] as usize];
        for (event, entry) in (0..).zip(&self.entries) {
            if let Act::Read(Source::Write(write)) = entry.act {
                self.readers[next[write as usize] as usize] = event;
                next[write as usize] += 1;
            }
        }
    }

    pub fn at(&self, event: Event) -> &Entry {
        &self.entries[event as usize]
    }

    pub fn sessions(&self) -> usize {
        self.writes.len()
    }

    pub fn keys(&self) -> usize {
        self.writers.len()
    }

    /// The sessions that write a key.
    pub fn writers(&self, key: u32) -> impl ExactSizeIterator<Item = usize> + use<'_> {
        self.writers[key as usize].iter().map(|session| *session as usize)
    }

    /// The events of a session.
    pub fn session(&self, session: usize) -> Range<Event> {
        self.starts[session]..self.starts[session + 1]
    }

    pub fn event(&self, session: usize, place: u32) -> Event {
        self.starts[session] + place
    }

    /// The next event of the same session.
    pub fn next(&self, event: Event) -> Option<Event> {
        let session = self.at(event).session as usize;
        Some(event + 1).filter(|next| *next < self.starts[session + 1])
    }

    /// Who read what an event wrote.
    pub fn readers(&self, event: Event) -> &[Event] {
        let (from, until) = (self.reader_starts[event as usize], self.reader_starts[event as usize + 1]);
        &self.readers[from as usize..until as usize]
    }

    /// The last write of `key` among the first `count` events of a session.
    pub fn last_write(&self, session: usize, key: u32, count: u32) -> Option<Event> {
        if count == 0 {
            return None;
        }
        let writes = &self.writes[session];
        let end = writes.partition_point(|write| *write < (key, count));
        let &(found, place) = writes[..end].last()?;
        (found == key).then(|| self.event(session, place))
    }
}
