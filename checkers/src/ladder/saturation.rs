//! What must come before what, drawn out until nothing more follows.
//!
//! Say a process read x and got what `w` wrote, and another write `v` of x came before that read. Then `v` came before
//! `w`, in whatever order explains that process. From that more may follow. If something has to come before itself, there
//! is no order; if not, and all reads that count are one process's, there is one (Bouajjani et al. 2017, section 5: put the
//! reads in the order of the process, each right after all that must come before it). So this decides
//!
//! - **causal memory** for one observer: its reads count, on top of the causal order;
//! - **PRAM** for one observer: the same on top of the order of each process and of what it read itself;
//! - and is a strong necessary condition for **sequential consistency**, where everybody's reads count, and a write that
//!   comes after `w` also comes after the reads of `w`.
//!
//! Clocks say what comes before an event, as in [`super::causal`]. Those found out here lie on top of the first ones as
//! *steps*: from some place of a session on, at least so much comes before. What follows from a new step is followed
//! only as far as the session did not know it anyway, which is mostly not far.

use super::account::{Account, Act, Event, Source};
use super::causal::Past;
use super::proof::{Derived, Link, Proof};
use std::collections::{BTreeMap, VecDeque};

use crate::Budget;
use crate::judgement::Watch;

/// How an examination ended.
pub(crate) enum Finding {
    Holds,
    Broken(Proof),
    /// There is no room for the clocks.
    TooLarge,
    /// The budget was used up.
    OutOfSteps,
    /// The caller wished to stop.
    Stopped,
}

/// From a place of a session on, at least so much comes before.
struct Step {
    place: u32,
    clock: Vec<u32>,
}

pub(crate) struct Saturation<'a> {
    account: &'a Account,
    past: Option<&'a Past>,
    observer: Option<usize>,
    steps: Vec<Vec<Step>>,
    /// What comes after events of a session, by their places.
    outs: Vec<Vec<(u32, Event, Link)>>,
    derived: Derived<'a>,
    /// How many events of the observer have been taken up.
    active: u32,
    joins: Vec<(Event, Event, Link)>,
    checks: VecDeque<Event>,
    is_queued: Vec<bool>,
    pub spent: u64,
    /// What a step counts for: a clock takes the room of so many configurations.
    weight: u64,
}

/// Something comes before itself: `link` leads from the first event to the second, and the second comes before the first.
struct Circle(Event, Event, Link);

impl<'a> Saturation<'a> {
    fn new(account: &'a Account, past: Option<&'a Past>, observer: Option<usize>) -> Self {
        let sessions = account.sessions();
        Saturation {
            account,
            past,
            observer,
            steps: (0..sessions).map(|_| Vec::new()).collect(),
            outs: vec![Vec::new(); sessions],
            derived: Derived::new(account, observer.filter(|_| past.is_none()), true),
            active: u32::MAX,
            joins: Vec::new(),
            checks: VecDeque::new(),
            is_queued: vec![false; account.entries.len()],
            spent: 0,
            weight: sessions.div_ceil(8).max(1) as u64,
        }
    }

    /// How much of session `session` comes before `event`, itself included.
    fn clock(&self, event: Event, session: usize) -> u32 {
        self.clocks(event)(session)
    }

    /// How much of each session comes before `event`, itself included.
    pub fn clocks(&self, event: Event) -> impl Fn(usize) -> u32 {
        let entry = *self.account.at(event);
        let past = self.past.map(|past| past.of(event));
        let step = self.step(entry.session as usize, entry.place).map(|step| &step.clock[..]);
        move |session| {
            let own = if entry.session as usize == session { entry.place + 1 } else { 0 };
            let [past, step] = [past, step].map(|clock| clock.map_or(0, |clock| clock[session]));
            own.max(past).max(step)
        }
    }

    fn step(&self, session: usize, place: u32) -> Option<&Step> {
        let steps = &self.steps[session];
        steps[..steps.partition_point(|step| step.place <= place)].last()
    }

    /// Adds a link, and what follows.
    fn add(&mut self, from: Event, to: Event, link: Link) {
        let entry = self.account.at(from);
        let outs = &mut self.outs[entry.session as usize];
        let at = outs.partition_point(|(place, ..)| *place <= entry.place);
        outs.insert(at, (entry.place, to, link));
        if !matches!(link, Link::Read(..)) {
            self.derived.push(link);
        }
        self.joins.push((from, to, link));
    }

    /// Carries everything known before `from` over to `to`.
    fn join(&mut self, from: Event, to: Event, link: Link) -> Result<(), Circle> {
        let Account { entries, .. } = self.account;
        let (session, place) = (entries[to as usize].session as usize, entries[to as usize].place);
        let more: Vec<u32> = (0..self.account.sessions()).map(self.clocks(from)).collect();
        if more[session] > place {
            return Err(Circle(from, to, link));
        }
        self.spent += self.weight;
        let known = self.clocks(to);
        if (0..more.len()).all(|session| more[session] <= known(session)) {
            return Ok(());
        }
        drop(known);
        let until = self.known_from(session, place, &more).min(self.raise(session, place, &more));
        let outs = &self.outs[session];
        let first = outs.partition_point(|(at, ..)| *at < place);
        let after = outs[first..].iter().take_while(|(at, ..)| *at < until);
        let after: Vec<(Event, Event, Link)> =
            after.map(|(at, to, link)| (self.account.event(session, *at), *to, *link)).collect();
        self.joins.extend(after);
        if self.observer.is_none_or(|observer| observer == session) {
            for at in place..until.min(self.active) {
                self.queue(self.account.event(session, at));
            }
        }
        Ok(())
    }

    fn queue(&mut self, event: Event) {
        if !self.is_queued[event as usize] {
            self.is_queued[event as usize] = true;
            self.checks.push_back(event);
        }
    }

    /// From which place on a session knew all of `clock` anyway.
    fn known_from(&self, session: usize, place: u32, clock: &[u32]) -> u32 {
        let events = self.account.session(session);
        let length = events.end - events.start;
        let Some(past) = self.past else { return length };
        let knows =
            |at: u32| past.of(self.account.event(session, at)).iter().zip(clock).all(|(past, more)| past >= more);
        let (mut unknown, mut known) = (place, length);
        while known - unknown > 1 {
            let middle = unknown.midpoint(known);
            if knows(middle) { known = middle } else { unknown = middle }
        }
        known
    }

    /// Raises the steps of a session from `place` on, as far as they did not know; says how far that was.
    fn raise(&mut self, session: usize, place: u32, more: &[u32]) -> u32 {
        let sessions = self.account.sessions();
        let steps = &mut self.steps[session];
        let at = steps.partition_point(|step| step.place < place);
        if steps.get(at).is_none_or(|step| step.place != place) {
            let clock = if at == 0 { vec![0; sessions] } else { steps[at - 1].clock.clone() };
            steps.insert(at, Step { place, clock });
        }
        for step in &mut steps[at..] {
            if step.clock.iter().zip(more).all(|(known, more)| known >= more) {
                return step.place;
            }
            step.clock.iter_mut().zip(more).for_each(|(known, more)| *known = (*known).max(*more));
        }
        u32::MAX
    }

    /// Draws all conclusions. The same `watch` goes from one time to the next, or it would never be looked at.
    fn settle(&mut self, grant: u64, watch: &mut Watch<'_>) -> Result<(), Finding> {
        let sessions = self.account.sessions();
        loop {
            while let Some((from, to, link)) = self.joins.pop() {
                self.join(from, to, link).map_err(|circle| Finding::Broken(self.broken(circle)))?;
                if self.spent > grant {
                    return Err(Finding::OutOfSteps);
                }
                if !watch.goes_on(2 * sessions) {
                    return Err(Finding::Stopped);
                }
            }
            let Some(event) = self.checks.pop_front() else { return Ok(()) };
            self.is_queued[event as usize] = false;
            self.spent += self.weight;
            if self.spent > grant {
                return Err(Finding::OutOfSteps);
            }
            if !watch.goes_on(256 + sessions) {
                return Err(Finding::Stopped);
            }
            match self.account.at(event).act {
                Act::Read(Source::Write(write)) => self.check_read(event, write),
                Act::Read(Source::Initial) => self.check_initial(event).map_err(Finding::Broken)?,
                Act::Write if self.observer.is_none() => self.check_write(event),
                Act::Write => {}
            }
        }
    }

    fn check_read(&mut self, reader: Event, write: Event) {
        let key = self.account.at(reader).key;
        for session in self.account.writers(key) {
            let count = self.clock(reader, session);
            let Some(other) = self.account.last_write(session, key, count) else { continue };
            if other != write && self.clock(write, session) <= self.account.at(other).place {
                self.add(other, write, Link::Hidden { from: other, to: write, reader });
            }
        }
    }

    fn check_initial(&self, reader: Event) -> Result<(), Proof> {
        let key = self.account.at(reader).key;
        for session in self.account.writers(key) {
            let count = self.clock(reader, session);
            let Some(write) = self.account.last_write(session, key, count) else { continue };
            let mut circle = self.derived.path(write, reader, usize::MAX).unwrap_or_default();
            circle.push(Link::Unwritten { write, reader });
            return Err(self.derived.proof("WriteHBInitRead", circle));
        }
        Ok(())
    }

    /// What replaced a value came after all who read it.
    fn check_write(&mut self, to: Event) {
        let entry = *self.account.at(to);
        for session in self.account.writers(entry.key) {
            let is_own = session == entry.session as usize;
            let count = if is_own { entry.place } else { self.clock(to, session) };
            let Some(write) = self.account.last_write(session, entry.key, count) else { continue };
            for &reader in self.account.readers(write) {
                let seen = self.account.at(reader);
                if self.clock(to, seen.session as usize) <= seen.place {
                    self.add(reader, to, Link::Replacing { reader, to, write });
                }
            }
        }
    }

    fn broken(&self, Circle(from, to, link): Circle) -> Proof {
        let mut circle = self.derived.path(to, from, usize::MAX).unwrap_or_default();
        circle.push(link);
        self.derived.proof("CyclicHB", circle)
    }

    /// Every read's link to what it read.
    fn add_reads(&mut self) {
        for (event, entry) in (0..).zip(&self.account.entries) {
            if let Act::Read(Source::Write(write)) = entry.act {
                let from = self.account.at(write);
                self.outs[from.session as usize].push((from.place, event, Link::Read(write, event)));
            }
        }
        self.outs.iter_mut().for_each(|outs| outs.sort_by_key(|(place, ..)| *place));
    }

    /// Who found a key as it was at first did so before anybody wrote it.
    fn add_initial_reads(&mut self) {
        let mut last: BTreeMap<(u32, u32), Event> = BTreeMap::new();
        for (event, entry) in (0..).zip(&self.account.entries) {
            if entry.act == Act::Read(Source::Initial) {
                last.insert((entry.key, entry.session), event);
            }
        }
        let mut first: BTreeMap<(u32, u32), Event> = BTreeMap::new();
        for (event, entry) in (0..).zip(&self.account.entries) {
            if entry.act == Act::Write {
                first.entry((entry.key, entry.session)).or_insert(event);
            }
        }
        for ((key, _), reader) in last {
            for (_, &to) in first.range((key, 0)..=(key, u32::MAX)) {
                self.add(reader, to, Link::First { reader, to });
            }
        }
    }
}

/// Causal memory, CM, of a history that is CC; and how many steps that took.
pub(crate) fn causal_memory(account: &Account, past: &Past, grant: u64, budget: &Budget<'_>) -> (Finding, u64) {
    each(account, grant, budget, |observer, left, watch| {
        let mut saturation = Saturation::new(account, Some(past), Some(observer));
        saturation.add_reads();
        account.session(observer).for_each(|event| saturation.queue(event));
        let finding = saturation.settle(left, watch).err().unwrap_or(Finding::Holds);
        (finding, saturation.spent)
    })
}

/// PRAM; and how many steps that took.
pub(crate) fn pram(account: &Account, grant: u64, budget: &Budget<'_>) -> (Finding, u64) {
    each(account, grant, budget, |observer, left, watch| {
        let mut saturation = Saturation::new(account, None, Some(observer));
        saturation.active = 0;
        for event in account.session(observer) {
            saturation.active += 1;
            match account.at(event).act {
                Act::Read(Source::Write(write)) => saturation.add(write, event, Link::Read(write, event)),
                Act::Read(Source::Initial) | Act::Write => {}
            }
            saturation.queue(event);
            if let Err(finding) = saturation.settle(left, watch) {
                return (finding, saturation.spent);
            }
        }
        (Finding::Holds, saturation.spent)
    })
}

fn each(
    account: &Account,
    grant: u64,
    budget: &Budget<'_>,
    mut examine: impl FnMut(usize, u64, &mut Watch<'_>) -> (Finding, u64),
) -> (Finding, u64) {
    let mut watch = Watch::new(budget);
    let mut spent = 0;
    for observer in (0..account.sessions()).filter(|session| !account.session(*session).is_empty()) {
        if !watch.goes_on(account.entries.len()) {
            return (Finding::Stopped, spent);
        }
        let (finding, steps) = examine(observer, grant.saturating_sub(spent), &mut watch);
        spent += steps;
        match finding {
            Finding::Holds => {}
            Finding::Broken(_) | Finding::TooLarge | Finding::OutOfSteps | Finding::Stopped => return (finding, spent),
        }
    }
    (Finding::Holds, spent)
}

/// What any one order of everything has to respect, of a history that is CC; [`Finding::Holds`] if nothing contradicts
/// itself so far.
pub(crate) fn common_order<'a>(
    account: &'a Account,
    past: &'a Past,
    grant: u64,
    budget: &Budget<'_>,
) -> (Saturation<'a>, Finding) {
    let mut saturation = Saturation::new(account, Some(past), None);
    saturation.add_reads();
    saturation.add_initial_reads();
    (0..account.entries.len() as Event).for_each(|event| saturation.queue(event));
    let finding = saturation.settle(grant, &mut Watch::new(budget)).err().unwrap_or(Finding::Holds);
    (saturation, finding)
}
