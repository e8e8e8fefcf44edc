//! Causality: what a process had read and written before it wrote something is part of what it wrote.
//!
//! The bad patterns of Bouajjani, Enea, Guerraoui and Hamza ("On verifying causal consistency", POPL 2017): a history with
//! unique values is causally consistent if and only if none of them occurs. The causal order is the order of each process
//! together with each write before the reads of it. It is kept as one clock an event: how many events of each session
//! come before it. What a read of x must be held against is then the last write of x in each session, found by bisection:
//! O(n s log n) for s sessions that write a key.
//!
//! - CC: the causal order has no circle (`CyclicCO`), no read returns what a write between had replaced
//!   (`WriteCORead`), or what was there at first (`WriteCOInitRead`);
//! - CCv: and no circle arises if a write that comes before a read of another write of its key is put before that
//!   (`CyclicCF`).

use super::account::{Account, Act, Event, Source};
use super::proof::{Derived, Link, Proof, source};
use super::saturation::Finding;
use crate::Budget;
use crate::judgement::Watch;
use std::collections::BTreeMap;

/// What comes before each event, itself included.
pub(crate) struct Past {
    sessions: usize,
    clocks: Vec<u32>,
}

/// More numbers than that (400 MB) are too many.
pub(crate) const CLOCKS_MAX: usize = 100_000_000;

impl Past {
    /// How many events of each session come before `event`.
    pub fn of(&self, event: Event) -> &[u32] {
        &self.clocks[event as usize * self.sessions..][..self.sessions]
    }

    /// Follows each session as far as what it read has been written.
    ///
    /// # Errors
    /// If the causal order has a circle.
    pub fn new(account: &Account) -> Result<Past, Proof> {
        let sessions = account.sessions();
        let mut past = Past { sessions, clocks: vec![0; account.entries.len() * sessions] };
        let mut next: Vec<Event> = (0..sessions).map(|session| account.session(session).start).collect();
        let mut waiting: BTreeMap<Event, Vec<usize>> = BTreeMap::new();
        let mut ready: Vec<usize> = (0..sessions).rev().collect();
        while let Some(session) = ready.pop() {
            while next[session] < account.session(session).end {
                let event = next[session];
                if let Some(Source::Write(write)) = source(account, event)
                    && next[account.at(write).session as usize] <= write
                {
                    waiting.entry(write).or_default().push(session);
                    break;
                }
                past.enter(account, event);
                ready.extend(waiting.remove(&event).unwrap_or_default());
                next[session] += 1;
            }
        }
        match (0..sessions).find(|session| next[*session] < account.session(*session).end) {
            None => Ok(past),
            Some(stuck) => Err(circle(account, &next, stuck)),
        }
    }

    fn enter(&mut self, account: &Account, event: Event) {
        let entry = account.at(event);
        let at = event as usize * self.sessions;
        if entry.place > 0 {
            self.clocks.copy_within(at - self.sessions..at, at);
        }
        if let Act::Read(Source::Write(write)) = entry.act {
            let from = write as usize * self.sessions;
            for session in 0..self.sessions {
                self.clocks[at + session] = self.clocks[at + session].max(self.clocks[from + session]);
            }
        }
        self.clocks[at + entry.session as usize] = entry.place + 1;
    }
}

/// Each session that is stuck waits for a write that stands behind another's wait.
fn circle(account: &Account, next: &[Event], stuck: usize) -> Proof {
    let mut waits: Vec<(usize, Event, Event)> = Vec::new();
    let mut session = stuck;
    while !waits.iter().any(|(seen, ..)| *seen == session) {
        let read = next[session];
        let Some(Source::Write(write)) = source(account, read) else { break };
        waits.push((session, read, write));
        session = account.at(write).session as usize;
    }
    let from = waits.iter().position(|(seen, ..)| *seen == session).unwrap_or_default();
    let mut links = Vec::new();
    for (_, read, write) in waits[from..].iter().rev() {
        let waits_before = next[account.at(*write).session as usize];
        links.push(Link::Program(waits_before, *write));
        links.push(Link::Read(*write, *read));
    }
    Proof { why: "CyclicCO", links }
}

/// Weak causal consistency, CC.
pub(crate) fn weak(account: &Account, past: &Past, budget: &Budget<'_>) -> Finding {
    let mut watch = Watch::new(budget);
    for (event, entry) in (0..).zip(&account.entries) {
        let Act::Read(source) = entry.act else { continue };
        if !watch.goes_on(16 * account.writers(entry.key).len()) {
            return Finding::Stopped;
        }
        for session in account.writers(entry.key) {
            let count = past.of(event)[session];
            let Some(later) = account.last_write(session, entry.key, count) else { continue };
            let derived = Derived::new(account, None, false);
            match source {
                Source::Initial => {
                    let mut links = derived.path(later, event, 0).unwrap_or_default();
                    links.push(Link::Unwritten { write: later, reader: event });
                    return Finding::Broken(Proof { why: "WriteCOInitRead", links });
                }
                Source::Write(write) if later != write && is_before(account, past, write, later) => {
                    let mut links = derived.path(write, later, 0).unwrap_or_default();
                    links.extend(derived.path(later, event, 0).unwrap_or_default());
                    links.push(Link::Hidden { from: later, to: write, reader: event });
                    return Finding::Broken(Proof { why: "WriteCORead", links });
                }
                Source::Write(_) => {}
            }
        }
    }
    Finding::Holds
}

pub(crate) fn is_before(account: &Account, past: &Past, a: Event, b: Event) -> bool {
    let entry = account.at(a);
    past.of(b)[entry.session as usize] > entry.place
}

/// Causal convergence, CCv, of a history that is CC.
pub(crate) fn convergence(account: &Account, past: &Past, budget: &Budget<'_>) -> Finding {
    let mut derived = Derived::new(account, None, false);
    let mut forced: Vec<(Event, Event)> = Vec::new();
    let mut watch = Watch::new(budget);
    for (event, entry) in (0..).zip(&account.entries) {
        let Act::Read(Source::Write(write)) = entry.act else { continue };
        if !watch.goes_on(16 * account.writers(entry.key).len()) {
            return Finding::Stopped;
        }
        for session in account.writers(entry.key) {
            let count = past.of(event)[session];
            let Some(other) = account.last_write(session, entry.key, count) else { continue };
            if other != write && !is_before(account, past, other, write) {
                forced.push((other, write));
                derived.push(Link::Hidden { from: other, to: write, reader: event });
            }
        }
    }
    let is_left = left_over(account, &forced);
    // Of the circles through some of the links, the shortest.
    const CIRCLES: usize = 16;
    let on_circle =
        (0..derived.count()).filter(|link| is_left[forced[*link].0 as usize] && is_left[forced[*link].1 as usize]);
    let circles = on_circle.filter_map(|link| {
        let (from, to) = forced[link];
        let mut circle = derived.path(to, from, usize::MAX)?;
        circle.push(derived.link(link));
        Some(circle)
    });
    match circles.take(CIRCLES).min_by_key(Vec::len) {
        Some(shortest) => Finding::Broken(derived.proof("CyclicCF", shortest)),
        None => Finding::Holds,
    }
}

/// The events that are on a circle, or between circles, if `forced` come on top of the causal order.
fn left_over(account: &Account, forced: &[(Event, Event)]) -> Vec<bool> {
    let count = account.entries.len();
    let mut befores = vec![0u32; count];
    let mut afters: Vec<(Event, Event)> = forced.to_vec();
    afters.sort_unstable();
    for (event, entry) in account.entries.iter().enumerate() {
        befores[event] += u32::from(entry.place > 0);
        befores[event] += u32::from(matches!(entry.act, Act::Read(Source::Write(_))));
    }
    afters.iter().for_each(|(_, to)| befores[*to as usize] += 1);
    let mut ready: Vec<Event> = (0..count as Event).filter(|event| befores[*event as usize] == 0).collect();
    let mut is_left = vec![true; count];
    while let Some(event) = ready.pop() {
        is_left[event as usize] = false;
        let from = afters.partition_point(|(from, _)| *from < event);
        let forced = afters[from..].iter().take_while(|(from, _)| *from == event).map(|(_, to)| *to);
        for after in account.next(event).into_iter().chain(account.readers(event).iter().copied()).chain(forced) {
            befores[after as usize] -= 1;
            if befores[after as usize] == 0 {
                ready.push(after);
            }
        }
    }
    is_left
}
