//! Is there an order of one object's operations that explains every result? The search that finds out.
//!
//! Picture the record as beads on a string: each operation has a bead where it was invoked and one where it
//! completed. Somewhere between its two beads it took effect. Walk along the string with the object's state in hand.
//! Every invocation bead you pass before the first completion bead belongs to an operation that may be next: pick one
//! whose result agrees with the state, apply it, and take both its beads off the string. When you stand before a
//! completion bead whose operation fits nowhere, your past choices were wrong: put beads back on and choose again. When
//! no bead is left, the order in which you took them is the proof.
//!
//! This is Wing and Gong's algorithm (1993) with Lowe's improvement (*Testing for linearizability*, 2017, section 3):
//! what the future can bring depends only on *which* operations have been taken and on the state, so that pair, a
//! configuration, need never be explored twice. Four more things make it fast:
//!
//! - **Configurations are hashes.** Every operation has a 128-bit code; the set's code is the exclusive or of its
//!   members' and costs one instruction to keep. 16 bytes a configuration, however long the history. Two
//!   configurations sharing a code would hide one of them: for a billion configurations, odds of about 1 in 10^20.
//! - **Who only observes goes first.** A read that agrees with the state can be taken at once and need never be put
//!   back for another choice: in any order that works, it could be moved here without anybody noticing.
//! - **Unknown outcomes go last.** They have no completion bead, so nobody must take them. They are tried where
//!   nothing else fits, only if they change the state, and of equals only the earliest invoked.
//! - **No leaving behind.** Somebody still has to meet the present state, and nobody is left who could bring it back:
//!   then moving on is a dead end, seen now instead of many choices later.
//!
//! Long histories are ordinary, so nothing here recurses.

use hashbrown::{HashMap, HashSet};
use history::Outcome;
use std::hash::BuildHasherDefault;

use crate::Budget;
use crate::hash::{Mixer, Uniform, digest};
use crate::model::{Call, Checked, Needs, Part};

/// What a search found.
#[derive(Clone, Copy)]
pub(crate) enum Decision {
    /// There is an order.
    Explained,
    /// There is none.
    Contradiction,
    /// The grant is used up.
    OutOfStates,
    /// [`Budget::keep_going`] said no.
    Stopped,
}

/// A finished or abandoned search.
pub(crate) struct Found<State> {
    pub decision: Decision,
    /// How many configurations it kept.
    pub states: u64,
    /// The most completed operations that it could order.
    pub ordered: usize,
    /// Out of so many.
    pub completed: usize,
    /// No order got beyond this completion: a record up to an earlier one has an order.
    pub stuck: u64,
    /// If a call is blamed: what it could have met.
    pub met: Met<State>,
}

/// What a call met in all that the search tried.
pub(crate) struct Met<State> {
    /// States in which it may have been next, and did not fit; the first few, in the order found.
    pub states: Vec<State>,
    /// Whether it did fit somewhere.
    pub fits: bool,
}

/// How many distinct states a [`Met`] lists.
pub(crate) const STATES_MAX: usize = 6;

/// What to search, and how.
#[derive(Clone, Copy)]
pub(crate) struct Scope {
    /// The record is read up to this position; what completes later counts as unknown.
    pub until: u64,
    /// How many configurations may be kept.
    pub grant: u64,
    /// A call to report on. The search does not look ahead to what it needs, and so sees every state that the others
    /// let it meet.
    pub blamed: Option<usize>,
    /// Whether dead ends are seen early. One that does not look ahead gets as far as the record goes before it contradicts
    /// itself: slower, but it ends where the contradiction is, and not long before.
    pub looks_ahead: bool,
}

/// Searches an order for `part`, starting from `start`.
pub(crate) fn search<O: Checked>(
    part: &Part<'_, O>,
    start: &O::State,
    scope: Scope,
    budget: &Budget<'_>,
) -> Found<O::State> {
    let mut search = Search::new(part, start, scope);
    let decision = search.run(scope.grant, budget);
    let completed = search.completed.len();
    let states = search.seen.len() as u64;
    Found { decision, states, ordered: completed - search.left_min, completed, stuck: search.stuck, met: search.met }
}

/// No number.
const NONE: u32 = u32::MAX;

/// An operation as the search sees it.
struct Bead<'a, O: Checked> {
    op: &'a O::Op,
    /// `None` if nobody knows.
    ret: Option<&'a O::Ret>,
    invoked: u64,
    /// `u64::MAX` if nobody knows.
    completed: u64,
    observes: bool,
    /// The state that it must meet, by number, or [`NONE`].
    meets: u32,
    /// The state that it can bring about, by number, or [`NONE`].
    makes: u32,
    code: u128,
}

/// By number in [`Search::completed`] or in [`Search::unknown`].
#[derive(Clone, Copy)]
enum Who {
    Completed(u32),
    Unknown(u32),
}

/// One operation taken, and what it takes to put it back.
struct Taken<State> {
    who: Who,
    state_before: State,
    state_number_before: u32,
    /// Whether it was taken without a choice.
    is_observation: bool,
}

struct Search<'a, O: Checked> {
    completed: Vec<Bead<'a, O>>,
    unknown: Vec<Bead<'a, O>>,
    /// For each unknown operation the last one before it that asked for the same, or [`NONE`].
    twins: Vec<u32>,
    /// Of the unknown ones.
    is_taken: Vec<bool>,
    /// The string: event 2i invokes the i-th completed operation, event 2i + 1 completes it.
    events: Ring,
    /// The unknown operations not yet taken.
    spare: Ring,

    state: O::State,
    /// The state's number in `demand`.
    state_number: u32,
    /// The code of everything taken.
    set: u128,
    /// Completed operations not yet taken: now, and at best.
    left: usize,
    left_min: usize,
    /// The furthest completion that an attempt to find a next operation looked up to.
    stuck: u64,
    taken: Vec<Taken<O::State>>,
    seen: HashSet<u128, BuildHasherDefault<Uniform>>,
    demand: Demand,

    /// What to try next in this configuration: first invocations on the string, then unknown operations.
    next_event: u32,
    next_spare: u32,

    /// The blamed operation's invocation, or [`NONE`].
    blamed: u32,
    met: Met<O::State>,
}

impl<'a, O: Checked> Search<'a, O> {
    fn new(part: &'a Part<'_, O>, start: &'a O::State, scope: Scope) -> Self {
        let is_idle = O::is_idle(part);
        let mut tally = Tally::new(start);
        tally.is_open = scope.looks_ahead;
        let (mut completed, mut unknown) = (Vec::new(), Vec::new());
        let mut blamed = NONE;
        for (number, call) in part.calls.iter().enumerate() {
            if call.source.invoked.index > scope.until || call.outcome == Outcome::Refused {
                continue;
            }
            let bead = Bead::new(number, call, scope.until);
            match bead.ret {
                Some(_) if scope.blamed == Some(number) => {
                    blamed = 2 * completed.len() as u32;
                    completed.push(bead);
                }
                Some(_) => completed.push(bead.counted(&mut tally)),
                None if is_idle(bead.op) => {}
                None => unknown.push(bead.counted(&mut tally)),
            }
        }
        let events = Ring::of(&order_of_events(&completed));
        let spare = Ring::of(&(0..unknown.len() as u32).collect::<Vec<u32>>());
        Search {
            twins: twins(&unknown),
            is_taken: vec![false; unknown.len()],
            state: start.clone(),
            state_number: 0,
            set: 0,
            left: completed.len(),
            left_min: completed.len(),
            stuck: 0,
            taken: Vec::with_capacity(completed.len()),
            seen: HashSet::default(),
            demand: tally.demand,
            next_event: events.first(),
            next_spare: spare.first(),
            blamed,
            met: Met { states: Vec::new(), fits: false },
            completed,
            unknown,
            events,
            spare,
        }
    }

    fn run(&mut self, grant: u64, budget: &Budget<'_>) -> Decision {
        /// From one question whether to keep going to the next.
        const STEPS: u32 = 4096;
        let mut steps = STEPS;
        if self.demand.is_hopeless() {
            return Decision::Contradiction;
        }
        self.observe();
        while self.left > 0 {
            steps -= 1;
            if steps == 0 {
                if !(budget.keep_going)() {
                    return Decision::Stopped;
                }
                steps = STEPS;
            }
            let Some(who) = self.candidate() else {
                if self.put_back() {
                    continue;
                }
                return Decision::Contradiction;
            };
            let Some(next) = self.state_after(who) else { continue };
            let configuration = self.set ^ self.bead(who).code ^ digest(&next);
            if self.leaves_behind(who) || self.seen.contains(&configuration) {
                continue;
            }
            if self.seen.len() as u64 >= grant {
                return Decision::OutOfStates;
            }
            self.seen.insert(configuration);
            self.take(who, next, false);
            self.observe();
        }
        Decision::Explained
    }

    fn bead(&self, who: Who) -> &Bead<'a, O> {
        match who {
            Who::Completed(i) => &self.completed[i as usize],
            Who::Unknown(i) => &self.unknown[i as usize],
        }
    }

    /// Takes every observation that may be next and agrees with the state; what to try then starts afresh.
    fn observe(&mut self) {
        let mut event = self.events.first();
        while is_invocation(event) && event != self.events.end() {
            let bead = &self.completed[event as usize / 2];
            if bead.observes && agrees(&mut self.state.clone(), bead) {
                // If its completion closed the window, the window is wider without it: go on from the bead before.
                let before = self.events.before(event);
                self.take(Who::Completed(event / 2), self.state.clone(), true);
                event = self.events.after(before);
            } else {
                event = self.events.after(event);
            }
        }
        self.next_event = self.events.first();
        self.next_spare = self.spare.first();
        if self.blamed != NONE {
            self.report();
        }
    }

    /// If the blamed operation may be next, it meets the present state and does not fit.
    fn report(&mut self) {
        let mut event = self.events.first();
        while is_invocation(event) && event != self.events.end() && event != self.blamed {
            event = self.events.after(event);
        }
        let states = &mut self.met.states;
        if event == self.blamed && states.len() <= STATES_MAX && !states.contains(&self.state) {
            states.push(self.state.clone());
        }
    }

    /// The next operation to try in this configuration; `None` when all have been.
    fn candidate(&mut self) -> Option<Who> {
        while is_invocation(self.next_event) {
            let i = self.next_event / 2;
            self.next_event = self.events.after(self.next_event);
            // Observations that agree have been taken already; the others do not fit.
            if !self.completed[i as usize].observes {
                return Some(Who::Completed(i));
            }
        }
        let window_end = self.completed[self.next_event as usize / 2].completed;
        self.stuck = self.stuck.max(window_end);
        while self.next_spare != self.spare.end() && self.unknown[self.next_spare as usize].invoked < window_end {
            let i = self.next_spare;
            self.next_spare = self.spare.after(i);
            let twin = self.twins[i as usize];
            if twin == NONE || self.is_taken[twin as usize] {
                return Some(Who::Unknown(i));
            }
        }
        None
    }

    /// The state after `who`, if it can be next.
    fn state_after(&self, who: Who) -> Option<O::State> {
        let bead = self.bead(who);
        let mut next = self.state.clone();
        let fits = agrees(&mut next, bead) && (bead.ret.is_some() || next != self.state);
        fits.then_some(next)
    }

    /// Whether after `who` somebody could never again meet the present state.
    fn leaves_behind(&self, who: Who) -> bool {
        let bead = self.bead(who);
        self.demand.is_unmet_after(self.state_number, bead.meets, bead.makes)
    }

    fn take(&mut self, who: Who, next: O::State, is_observation: bool) {
        let bead = self.bead(who);
        let (code, meets, makes) = (bead.code, bead.meets, bead.makes);
        let state_before = std::mem::replace(&mut self.state, next);
        let state_number_before = self.state_number;
        self.taken.push(Taken { who, state_before, state_number_before, is_observation });
        if !is_observation {
            self.state_number = makes;
        }
        self.set ^= code;
        self.demand.take(meets, makes);
        match who {
            Who::Completed(i) => {
                self.met.fits |= 2 * i == self.blamed;
                self.events.remove(2 * i);
                self.events.remove(2 * i + 1);
                self.left -= 1;
                self.left_min = self.left_min.min(self.left);
            }
            Who::Unknown(i) => {
                self.spare.remove(i);
                self.is_taken[i as usize] = true;
            }
        }
    }

    /// Puts back the last choice and the observations taken since, to go on with what comes after it; `false` if no
    /// choice is left.
    fn put_back(&mut self) -> bool {
        while let Some(taken) = self.taken.pop() {
            let bead = self.bead(taken.who);
            let (code, meets, makes) = (bead.code, bead.meets, bead.makes);
            self.state = taken.state_before;
            self.state_number = taken.state_number_before;
            self.set ^= code;
            self.demand.put_back(meets, makes);
            match taken.who {
                Who::Completed(i) => {
                    self.events.restore(2 * i + 1);
                    self.events.restore(2 * i);
                    self.left += 1;
                    self.next_event = self.events.after(2 * i);
                    self.next_spare = self.spare.first();
                }
                Who::Unknown(i) => {
                    self.spare.restore(i);
                    self.is_taken[i as usize] = false;
                    self.next_event = self.first_completion();
                    self.next_spare = self.spare.after(i);
                }
            }
            if !taken.is_observation {
                return true;
            }
        }
        false
    }

    /// The bead that closes the window; there is one while any operation is left.
    fn first_completion(&self) -> u32 {
        let mut event = self.events.first();
        while is_invocation(event) {
            event = self.events.after(event);
        }
        event
    }
}

impl<'a, O: Checked> Bead<'a, O> {
    fn new(number: usize, call: &'a Call<'_, O>, until: u64) -> Self {
        let completed = call.source.completed.map(|mark| mark.index).filter(|index| *index <= until);
        let ret = match (&call.outcome, completed) {
            (Outcome::Returned(ret), Some(_)) => Some(ret),
            (Outcome::Returned(_) | Outcome::Refused | Outcome::Unknown, _) => None,
        };
        Bead {
            op: &call.op,
            ret,
            invoked: call.source.invoked.index,
            completed: completed.unwrap_or(u64::MAX),
            observes: ret.is_some_and(|ret| O::observes(&call.op, ret)),
            meets: NONE,
            makes: NONE,
            code: digest(&("operation", number)),
        }
    }

    fn counted(mut self, tally: &mut Tally<'a, O::State>) -> Self {
        (self.meets, self.makes) = tally.add(O::needs(self.op, self.ret));
        self
    }
}

/// Applies the operation and says whether it returned what its client heard.
fn agrees<O: Checked>(state: &mut O::State, bead: &Bead<'_, O>) -> bool {
    let ret = O::apply(state, bead.op);
    bead.ret.is_none_or(|heard| ret == *heard)
}

/// For each operation the last earlier one that asks for the same.
fn twins<O: Checked>(unknown: &[Bead<'_, O>]) -> Vec<u32> {
    let mut last: HashMap<&O::Op, u32, BuildHasherDefault<Mixer>> = HashMap::default();
    (0..).zip(unknown).map(|(i, bead)| last.insert(bead.op, i).unwrap_or(NONE)).collect()
}

/// All events, by position in the record. Calls come by invocation, so this merges two nearly sorted runs.
fn order_of_events<O: Checked>(completed: &[Bead<'_, O>]) -> Vec<u32> {
    let count = u32::try_from(completed.len()).ok().filter(|count| *count < u32::MAX / 2);
    let count = count.expect("fewer than 2^31 operations: each takes 100 bytes");
    let mut order: Vec<u32> = (0..count).map(|i| 2 * i).chain((0..count).map(|i| 2 * i + 1)).collect();
    order.sort_by_key(|event| {
        let bead = &completed[*event as usize / 2];
        if is_invocation(*event) { bead.invoked } else { bead.completed }
    });
    order
}

fn is_invocation(event: u32) -> bool {
    event.is_multiple_of(2)
}

/// Numbers on a string that can be taken off and, in reverse order, put back in constant time (Knuth's dancing
/// links). The string is closed by one more bead, [`Ring::end`].
struct Ring {
    next: Vec<u32>,
    previous: Vec<u32>,
}

impl Ring {
    /// A string of all numbers below `order.len()`, in that order.
    fn of(order: &[u32]) -> Ring {
        let mut ring = Ring { next: vec![0; order.len() + 1], previous: vec![0; order.len() + 1] };
        let end = order.len() as u32;
        let mut last = end;
        for &bead in order.iter().chain([&end]) {
            ring.next[last as usize] = bead;
            ring.previous[bead as usize] = last;
            last = bead;
        }
        ring
    }

    fn end(&self) -> u32 {
        self.next.len() as u32 - 1
    }

    fn first(&self) -> u32 {
        self.after(self.end())
    }

    fn after(&self, bead: u32) -> u32 {
        self.next[bead as usize]
    }

    fn before(&self, bead: u32) -> u32 {
        self.previous[bead as usize]
    }

    fn remove(&mut self, bead: u32) {
        let (previous, next) = (self.before(bead), self.after(bead));
        self.next[previous as usize] = next;
        self.previous[next as usize] = previous;
    }

    fn restore(&mut self, bead: u32) {
        let (previous, next) = (self.before(bead), self.after(bead));
        self.next[previous as usize] = bead;
        self.previous[next as usize] = bead;
    }
}

/// For each state, who is left that must meet it and who could bring it about.
#[derive(Default)]
struct Demand {
    /// By number of the state. Empty if any state can come back at any time.
    states: Vec<Supply>,
}

#[derive(Clone, Copy, Default)]
struct Supply {
    meeting: u32,
    making: u32,
}

impl Demand {
    fn take(&mut self, meets: u32, makes: u32) {
        if let Some(state) = self.states.get_mut(meets as usize) {
            state.meeting -= 1;
        }
        if let Some(state) = self.states.get_mut(makes as usize) {
            state.making -= 1;
        }
    }

    fn put_back(&mut self, meets: u32, makes: u32) {
        if let Some(state) = self.states.get_mut(meets as usize) {
            state.meeting += 1;
        }
        if let Some(state) = self.states.get_mut(makes as usize) {
            state.making += 1;
        }
    }

    /// Whether someone must meet a state that nobody can bring about and that is not the first one.
    fn is_hopeless(&self) -> bool {
        self.states.iter().skip(1).any(|supply| supply.meeting > 0 && supply.making == 0)
    }

    /// Whether, once an operation that meets and makes these states is taken, someone still has to meet `present`
    /// though it is gone for good.
    fn is_unmet_after(&self, present: u32, meets: u32, makes: u32) -> bool {
        let Some(supply) = self.states.get(present as usize) else { return false };
        supply.meeting > u32::from(meets == present) && supply.making == 0 && makes != present
    }
}

/// Gives states their numbers while the demand is being counted. The starting state is number 0.
struct Tally<'a, State> {
    numbers: HashMap<&'a State, u32, BuildHasherDefault<Mixer>>,
    demand: Demand,
    is_open: bool,
}

impl<'a, State: std::hash::Hash + Eq> Tally<'a, State> {
    fn new(start: &'a State) -> Self {
        let mut tally = Tally { numbers: HashMap::default(), demand: Demand::default(), is_open: true };
        tally.number(start);
        tally
    }

    fn number(&mut self, state: &'a State) -> u32 {
        let states = &mut self.demand.states;
        *self.numbers.entry(state).or_insert_with(|| {
            states.push(Supply::default());
            states.len() as u32 - 1
        })
    }

    /// The numbers of the states that an operation must meet and can make.
    fn add(&mut self, needs: Needs<'a, State>) -> (u32, u32) {
        if !self.is_open {
            return (NONE, NONE);
        }
        let (meets, makes) = match needs {
            Needs::Meets(state) => (self.number(state), NONE),
            Needs::Makes(state) => (NONE, self.number(state)),
            Needs::Turns(from, to) => (self.number(from), self.number(to)),
            Needs::Nothing => (NONE, NONE),
            Needs::MakesAnything => {
                self.is_open = false;
                self.demand.states.clear();
                (NONE, NONE)
            }
        };
        self.demand.put_back(meets, makes);
        (meets, makes)
    }
}
