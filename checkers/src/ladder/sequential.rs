//! Sequential consistency (Lamport 1979): one order of everything that keeps the order of each process, in which every
//! read returns what was written last.
//!
//! With unique values this is still NP-complete (Gibbons and Korach 1997), so a search it is, over how far each process has
//! come. What makes it bearable:
//!
//! - a read that can be next is taken at once: in any order it could be moved there;
//! - a value is never back once it was replaced, so it is replaced only when all who read it have;
//! - a write that nobody reads is taken as soon as it replaces nothing that is still wanted;
//! - nothing is taken before what must come before it, as [`super::saturation`] found;
//! - what was asked for first is tried first, since most histories are nearly in order of time;
//! - places that led nowhere are kept, by a digest.

use super::account::{Account, Act, Event, Source};
use super::causal::Past;
use super::proof::Proof;
use super::saturation::{Finding, Saturation, common_order};
use hashbrown::HashMap;
use std::hash::BuildHasherDefault;

use crate::Budget;
use crate::hash::{Uniform, digest};
use crate::judgement::Watch;
use std::cell::Cell;

/// Sequential consistency of a history that is CC; and how many steps and configurations that took.
pub(crate) fn sequential(account: &Account, past: &Past, grant: u64, budget: &Budget<'_>) -> (Finding, u64) {
    let (known, finding) = common_order(account, past, grant, budget);
    match finding {
        Finding::Holds => {
            let (finding, states) = search(account, &known, grant.saturating_sub(known.spent), budget);
            (finding, known.spent + states)
        }
        Finding::Broken(_) | Finding::TooLarge | Finding::OutOfSteps | Finding::Stopped => (finding, known.spent),
    }
}

/// A place where there was a choice.
struct Fork {
    /// How many events had been taken by then.
    taken: usize,
    /// The sessions that could go on, what to try first last.
    choices: Vec<usize>,
}

struct Walk<'a> {
    account: &'a Account,
    known: &'a Saturation<'a>,
    /// How many events of each session are taken.
    places: Vec<u32>,
    /// Who wrote each key last.
    current: Vec<Option<Event>>,
    /// Reads still to come, of each write.
    wanted: Vec<u32>,
    /// Reads still to come of what each key held at first.
    wanted_first: Vec<u32>,
    /// Events taken, and what they replaced.
    taken: Vec<(Event, Option<Event>)>,
    digest: u128,
    /// Of each session, one that its next event waited for when it was looked at last. Mostly it still does.
    waits_for: Vec<Cell<usize>>,
}

/// Looks for an order, and says how many states that took.
fn search(account: &Account, known: &Saturation<'_>, grant: u64, budget: &Budget<'_>) -> (Finding, u64) {
    let mut walk = Walk::new(account, known);
    let mut seen: HashMap<u128, (), BuildHasherDefault<Uniform>> = HashMap::default();
    let mut forks: Vec<Fork> = Vec::new();
    let mut watch = Watch::new(budget);
    loop {
        if !walk.advance(&mut watch) {
            return (Finding::Stopped, seen.len() as u64);
        }
        if walk.taken.len() == account.entries.len() {
            return (Finding::Holds, seen.len() as u64);
        }
        let states = seen.len() as u64;
        if seen.insert(walk.digest, ()).is_none() {
            if states >= grant {
                return (Finding::OutOfSteps, states);
            }
            forks.push(Fork { taken: walk.taken.len(), choices: walk.choices() });
        }
        loop {
            let Some(fork) = forks.last_mut() else {
                return (Finding::Broken(Proof { why: "NoOrder", links: Vec::new() }), seen.len() as u64);
            };
            walk.go_back(fork.taken);
            if let Some(session) = fork.choices.pop() {
                walk.take(session);
                break;
            }
            forks.pop();
        }
    }
}

impl<'a> Walk<'a> {
    fn new(account: &'a Account, known: &'a Saturation<'a>) -> Self {
        let mut wanted = vec![0; account.entries.len()];
        let mut wanted_first = vec![0; account.keys()];
        for entry in &account.entries {
            match entry.act {
                Act::Read(Source::Initial) => wanted_first[entry.key as usize] += 1,
                Act::Read(Source::Write(write)) => wanted[write as usize] += 1,
                Act::Write => {}
            }
        }
        let (places, current) = (vec![0; account.sessions()], vec![None; account.keys()]);
        let waits_for = vec![Cell::new(0); account.sessions()];
        Walk { account, known, places, current, wanted, wanted_first, taken: Vec::new(), digest: 0, waits_for }
    }

    fn next(&self, session: usize) -> Option<Event> {
        let events = self.account.session(session);
        Some(events.start + self.places[session]).filter(|event| *event < events.end)
    }

    /// Whether the event is a compare-and-set's reading, which its writing follows at once.
    fn is_swap(&self, event: Event) -> bool {
        let is_same = |next| self.account.at(next).deed == self.account.at(event).deed;
        self.account.next(event).is_some_and(is_same)
    }

    fn finds(&self, event: Event, source: Source) -> bool {
        let current = self.current[self.account.at(event).key as usize];
        match source {
            Source::Initial => current.is_none(),
            Source::Write(write) => current == Some(write),
        }
    }

    fn is_due(&self, event: Event) -> bool {
        let own = self.account.at(event).session as usize;
        let known = self.known.clocks(event);
        let waits = |session: &usize| *session != own && known(*session) > self.places[*session];
        let waits_for = &self.waits_for[own];
        if waits(&waits_for.get()) {
            return false;
        }
        let found = (0..self.places.len()).find(waits);
        found.iter().for_each(|session| waits_for.set(*session));
        found.is_none()
    }

    /// How many reads of what `key` holds are still to come.
    fn wanted(&self, key: u32) -> u32 {
        match self.current[key as usize] {
            Some(write) => self.wanted[write as usize],
            None => self.wanted_first[key as usize],
        }
    }

    /// Whether the next event of a session writes and can be taken.
    fn can_write(&self, event: Event) -> bool {
        let entry = self.account.at(event);
        match entry.act {
            Act::Write => self.wanted(entry.key) == 0 && self.is_due(event),
            Act::Read(source) => {
                self.is_swap(event)
                    && self.finds(event, source)
                    && self.wanted(entry.key) == 1
                    && self.is_due(event)
                    && self.is_due(event + 1)
            }
        }
    }

    /// Takes what can be taken without a choice; `false` if there is no time.
    fn advance(&mut self, watch: &mut Watch<'_>) -> bool {
        loop {
            let before = self.taken.len();
            // Each session is looked at, here and for a choice, and of each event taken all that it may wait for.
            if !watch.goes_on(256 + 16 * self.places.len()) {
                return false;
            }
            for session in 0..self.places.len() {
                while let Some(event) = self.next(session) {
                    let is_free = match self.account.at(event).act {
                        Act::Read(source) => !self.is_swap(event) && self.finds(event, source),
                        Act::Write => self.wanted[event as usize] == 0 && self.can_write(event),
                    };
                    if !is_free {
                        break;
                    }
                    self.take(session);
                }
            }
            let taken = self.taken.len() - before;
            if !watch.goes_on(taken.saturating_mul(16 * self.places.len())) {
                return false;
            }
            if taken == 0 {
                return true;
            }
        }
    }

    fn choices(&self) -> Vec<usize> {
        let can_go_on = |session: &usize| self.next(*session).is_some_and(|event| self.can_write(event));
        let mut choices: Vec<usize> = (0..self.places.len()).filter(can_go_on).collect();
        // Deeds are numbered in the order of their invocations.
        choices.sort_by_key(|session| std::cmp::Reverse(self.next(*session).map(|event| self.account.at(event).deed)));
        choices
    }

    /// Takes the next event of a session; both of a compare-and-set.
    fn take(&mut self, session: usize) {
        let Some(event) = self.next(session) else { return };
        let is_swap = matches!(self.account.at(event).act, Act::Read(_)) && self.is_swap(event);
        self.take_one(event);
        if is_swap {
            self.take_one(event + 1);
        }
    }

    fn take_one(&mut self, event: Event) {
        let entry = self.account.at(event);
        let replaced = self.current[entry.key as usize];
        match entry.act {
            Act::Read(Source::Initial) => self.wanted_first[entry.key as usize] -= 1,
            Act::Read(Source::Write(write)) => self.wanted[write as usize] -= 1,
            Act::Write => self.replace(entry.key, Some(event)),
        }
        self.places[entry.session as usize] += 1;
        self.digest ^= digest(&(0u32, event));
        self.taken.push((event, replaced));
    }

    fn replace(&mut self, key: u32, by: Option<Event>) {
        for write in [self.current[key as usize], by].into_iter().flatten() {
            self.digest ^= digest(&(1u32, write));
        }
        self.current[key as usize] = by;
    }

    fn go_back(&mut self, taken: usize) {
        while self.taken.len() > taken {
            let Some((event, replaced)) = self.taken.pop() else { return };
            let entry = self.account.at(event);
            match entry.act {
                Act::Read(Source::Initial) => self.wanted_first[entry.key as usize] += 1,
                Act::Read(Source::Write(write)) => self.wanted[write as usize] += 1,
                Act::Write => self.replace(entry.key, replaced),
            }
            self.places[entry.session as usize] -= 1;
            self.digest ^= digest(&(0u32, event));
        }
    }
}
