//! Is there an order of one object's operations that explains every result? The search that finds out.
//!
//! Picture the record as a road, with a sign where an operation is invoked and a gate where it completes. A crowd of
//! *worlds* walks along it together. Each world is one way things may stand: the object's state, and which of the open
//! operations have taken effect. At a gate only those pass in whose world its operation has taken effect; where it has not,
//! it may do so now, after others that are open, in as many ways as there are, and the world becomes as many. When
//! everybody is stopped at one gate, there is no order; when somebody gets to the end of the road, there is one.
//!
//! This is Wing and Gong's question (1993) answered by Lowe's just-in-time linearization (*Testing for
//! linearizability*, 2017, section 5): nothing takes effect before somebody waits for it. What makes it fast is how few worlds
//! there are:
//!
//! - **What lies behind is forgotten.** A world knows the open operations only, some words of memory. Where none is open, it is
//!   a state and nothing else.
//! - **Who only observes goes first.** A read that agrees with the state is taken at once: in any order that works, it
//!   could be moved here without anybody noticing.
//! - **What is overwritten unseen need not happen in any order.** Just before a write, every other open one may have taken
//!   effect without leaving a trace. So from then on nobody waits for them: they are *free*, as those of unknown outcome always
//!   are. To write what the next write overwrites is worth trying only if somebody sees it in between.
//! - **Better worlds replace worse ones.** Of two in the same state, one may have used up less and owe less: it can do all
//!   that the other can.
//! - **Unknown outcomes go last**, where nothing else gets past, and of equal operations the one that is over first.
//! - **No leaving behind.** Somebody still has to meet the present state, and nobody is left who could bring it back:
//!   then moving on is a dead end, seen now instead of many gates later. What nobody is left to meet is no use.
//!
//! A crowd that grows too large leaves some of its worlds behind at the roadside; if it comes to nothing, those who were left
//! last go on from where they stand. They turn back where they meet a trail of worlds at least as good.
//!
//! Long histories are ordinary, so nothing here recurses.

use hashbrown::HashSet;
use std::hash::BuildHasherDefault;

mod crowd;
mod record;
mod states;
#[cfg(test)]
mod tests;

use crate::Budget;
use crate::hash::{Uniform, digest};
use crate::model::{Checked, Part};
use crowd::{Crowd, World};
use record::{Bead, Effect, Record};
use states::States;

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

/// How many worlds go on together. Enough to leave no way untried where the record is tame, so that nothing behind needs to be
/// remembered; few enough to find one way soon where it is not.
const WIDTH: usize = 64;

/// Searches an order for `part`, starting from `start`.
pub(crate) fn search<O: Checked>(
    part: &Part<'_, O>,
    start: &O::State,
    scope: Scope,
    budget: &Budget<'_>,
) -> Found<O::State> {
    search_by(WIDTH, part, start, scope, budget)
}

fn search_by<O: Checked>(
    width: usize,
    part: &Part<'_, O>,
    start: &O::State,
    scope: Scope,
    budget: &Budget<'_>,
) -> Found<O::State> {
    let mut search = Search::new(part, start, scope, width);
    let decision = search.run(budget);
    let (ordered, completed) = (search.furthest, search.record.completed());
    let stuck = if search.is_begun { search.record.end(ordered) } else { 0 };
    Found { decision, states: search.kept, ordered, completed, stuck, met: search.met }
}

struct Search<'a, O: Checked> {
    record: Record<'a, O>,
    states: States<O::State>,
    width: usize,
    grant: u64,
    /// How many worlds were kept so far, and whether it should have been more than granted.
    kept: u64,
    is_out: bool,
    is_begun: bool,
    /// The most completions that any world got past.
    furthest: usize,
    /// Those at the next completion, and those past it.
    crowd: Crowd,
    past: Crowd,
    /// Those at the next completion in which only operations of unknown outcome are left to try.
    late: Crowd,
    /// Those left at the roadside, by place.
    waiting: Vec<(usize, Crowd)>,
    /// While anybody waits: who got past which completion.
    trail: Vec<Crowd>,
    /// On its way from one completion to the next a world can become the same in many ways.
    seen: HashSet<u128, BuildHasherDefault<Uniform>>,
    /// The world being led on, and what becomes of it.
    present: Crowd,
    changed: Crowd,
    blamed: Option<u32>,
    met: Met<O::State>,
}

impl<'a, O: Checked> Search<'a, O> {
    fn new(part: &'a Part<'_, O>, start: &'a O::State, scope: Scope, width: usize) -> Self {
        let mut states = States::new();
        let start = states.number(start.clone());
        let (record, blamed) = Record::new(part, scope, &mut states);
        let nobody = record.nobody();
        let mut crowd = nobody.clone();
        crowd.push_new(start);
        Search {
            record,
            states,
            width,
            grant: scope.grant,
            kept: 0,
            is_out: false,
            is_begun: false,
            furthest: 0,
            crowd,
            past: nobody.clone(),
            late: nobody.clone(),
            waiting: Vec::new(),
            trail: Vec::new(),
            seen: HashSet::default(),
            present: nobody.clone(),
            changed: nobody,
            blamed,
            met: Met { states: Vec::new(), fits: false },
        }
    }

    fn run(&mut self, budget: &Budget<'_>) -> Decision {
        /// From one question whether to keep going to the next.
        const STEPS: u32 = 1024;
        if self.record.is_hopeless() {
            return Decision::Contradiction;
        }
        self.is_begun = true;
        self.open();
        let (mut led, mut steps) = (0, 0);
        while let Some(due) = self.record.next() {
            if led < self.crowd.len() && self.past.len() < self.width {
                steps += 1;
                if steps % STEPS == 0 && !(budget.keep_going)() {
                    return Decision::Stopped;
                }
                self.present.assign(self.crowd.get(led));
                self.lead(due);
                led += 1;
                if self.is_out {
                    return Decision::OutOfStates;
                }
                continue;
            }
            self.leave_some(led);
            led = 0;
            if !self.past.is_empty() {
                self.go_on();
            } else if let Some((place, crowd)) = self.waiting.pop() {
                self.record.go_back(place);
                self.crowd = crowd;
            } else {
                return Decision::Contradiction;
            }
        }
        Decision::Explained
    }

    /// Leaves those at the roadside that were not `led` on, the late ones under them.
    fn leave_some(&mut self, led: usize) {
        for rest in [self.late.split_off(0), self.crowd.split_off(led)] {
            if !rest.is_empty() {
                self.waiting.push((self.record.place, rest));
            }
        }
        self.crowd.clear();
    }

    /// Goes on past the next completion, with those who are past it.
    fn go_on(&mut self) {
        /// Emptying a set costs time by its capacity; that many cost next to nothing to keep.
        const KEPT: usize = 4096;
        if !self.waiting.is_empty() {
            if self.trail.len() <= self.record.place {
                self.trail.resize(self.record.place + 1, self.record.nobody());
            }
            self.trail[self.record.place].extend(&self.past);
        } else {
            self.trail.clear();
            if self.seen.len() > KEPT {
                self.seen = HashSet::default();
            }
        }
        std::mem::swap(&mut self.crowd, &mut self.past);
        self.record.advance();
        self.furthest = self.furthest.max(self.record.place);
        self.open();
    }

    /// Lets everybody begin what is invoked before the next completion.
    fn open(&mut self) {
        let opened = self.record.open();
        for number in 0..self.crowd.len() {
            let mut world = self.crowd.get_mut(number);
            let state = world.as_ref().state();
            for bead in &self.record.beads[opened.start as usize..opened.end as usize] {
                if bead.is_unknown() || bead.observes && fits(bead, state, &self.states) {
                    world.set_free(bead.slot);
                }
            }
            look(&self.record, self.blamed, self.crowd.get(number), &self.states, &mut self.met);
        }
    }

    /// Finds what the present world can become on its way past the completion of `due`.
    fn lead(&mut self, due: u32) {
        let (world, bead) = (self.present.get(0), &self.record.beads[due as usize]);
        let has_begun = world.is_on_its_way() || world.is_late();
        if !has_begun && (world.is_used(bead.slot) || world.is_free(bead.slot)) {
            let is_done = bead.observes || world.is_used(bead.slot) || !self.is_useful(bead.effect);
            self.changed.assign(world);
            self.arrive(due);
            if is_done {
                return;
            }
        }
        if self.is_terse()
            && matches!(self.record.beads[due as usize].effect, Effect::Replaces(_))
            && !self.record.is_watched(self.present.get(0))
        {
            return self.take(due, due);
        }
        let is_late = self.present.get(0).is_late();
        let (known, unknown) = self.record.groups();
        let may_be_late = !is_late && !unknown.is_empty();
        for group in if is_late { unknown } else { known } {
            for who in self.record.candidates(self.present.get(0), group).into_iter().flatten() {
                self.take(who, due);
            }
        }
        if may_be_late {
            self.present.get_mut(0).set_late();
            self.late.push(self.present.get(0));
        }
    }

    /// Whether what nobody waits for any more is worth doing as the last before it is over.
    fn is_useful(&self, effect: Effect) -> bool {
        match effect {
            Effect::Replaces(state) => !self.is_terse() || self.record.is_wanted(self.present.get(0), state),
            Effect::Sees(_) | Effect::Turns(..) | Effect::Runs => true,
        }
    }

    /// Whether worlds are left out that only differ in what nobody can tell. But a blamed operation is to meet every state that
    /// it can.
    fn is_terse(&self) -> bool {
        self.blamed.is_none()
    }

    /// Lets `who` take effect in the present world.
    fn take(&mut self, who: u32, due: u32) {
        let Some(next) = self.state_after(who, due) else { return };
        let (record, world) = (&self.record, self.present.get(0));
        if next != world.state() && record.leaves_behind(world, who) {
            return;
        }
        let bead = &record.beads[who as usize];
        let is_replacing = self.is_terse() && matches!(bead.effect, Effect::Replaces(_));
        self.changed.assign(world);
        let mut changed = self.changed.get_mut(0);
        if is_replacing {
            record.blind().chain(record.passing(world, due)).for_each(|slot| changed.set_free(slot));
        }
        changed.set_state(next);
        changed.set_free(bead.slot);
        let mut is_seen = false;
        for observer in record.observing.iter().map(|number| &record.beads[*number as usize]) {
            if !changed.as_ref().is_free(observer.slot) && fits(observer, next, &self.states) {
                changed.set_free(observer.slot);
                is_seen = true;
            }
        }
        // To use up what nobody wants is no loss.
        if !is_replacing || record.is_wanted(changed.as_ref(), next) {
            changed.set_used(bead.slot);
        }
        changed.set_on_its_way(is_replacing && !is_seen);
        look(record, self.blamed, changed.as_ref(), &self.states, &mut self.met);
        let waited_for = &record.beads[due as usize];
        if who == due || waited_for.observes && changed.as_ref().is_free(waited_for.slot) {
            self.arrive(due);
            return;
        }
        let changed = self.changed.get(0);
        if !self.crowd.covers(changed) && self.seen.insert(digest(&(record.place, changed.words()))) {
            self.crowd.push(changed);
            self.keep();
        }
    }

    /// The state after `who`, if it fits and may be of use.
    fn state_after(&mut self, who: u32, due: u32) -> Option<u32> {
        let bead = &self.record.beads[who as usize];
        let world = self.present.get(0);
        let state = world.state();
        match bead.effect {
            Effect::Replaces(next) => {
                let is_useful = !world.is_unseen() && (who == due || self.record.is_wanted_now(world, next));
                (is_useful || !self.is_terse()).then_some(next)
            }
            Effect::Turns(from, to) => (state == from && !(bead.is_unknown() && from == to)).then_some(to),
            Effect::Sees(same) => (state == same).then_some(same),
            Effect::Runs => {
                let mut next = self.states.get(state).clone();
                let ret = O::apply(&mut next, bead.op);
                if bead.ret.is_some_and(|heard| ret != *heard) {
                    return None;
                }
                let next = self.states.number(next);
                (!bead.is_unknown() || next != state).then_some(next)
            }
        }
    }

    /// The changed world gets past the completion of `due`.
    fn arrive(&mut self, due: u32) {
        let mut world = self.changed.get_mut(0);
        world.arrive();
        world.forget(self.record.beads[due as usize].slot);
        let world = world.as_ref();
        if !self.waiting.is_empty() {
            let is_trodden = self.trail.get(self.record.place).is_some_and(|trail| trail.covers(world));
            if is_trodden || !self.seen.insert(digest(&(self.record.place + 1, world.words()))) {
                return;
            }
        }
        if self.past.push_best(world) {
            self.keep();
        }
    }

    /// Counts one more world.
    fn keep(&mut self) {
        self.is_out |= self.kept == self.grant;
        self.kept += u64::from(!self.is_out);
    }
}

/// Reports what the blamed operation meets in a world.
fn look<O: Checked>(
    record: &Record<'_, O>,
    blamed: Option<u32>,
    world: World<'_>,
    states: &States<O::State>,
    met: &mut Met<O::State>,
) {
    let Some(blamed) = blamed.filter(|number| record.is_open(*number)) else { return };
    if world.is_free(record.beads[blamed as usize].slot) {
        met.fits = true;
        return;
    }
    let state = states.get(world.state());
    if met.states.len() <= STATES_MAX && !met.states.contains(state) {
        met.states.push(state.clone());
    }
}

/// Whether an observation agrees with a state.
fn fits<O: Checked>(bead: &Bead<'_, O>, state: u32, states: &States<O::State>) -> bool {
    match bead.effect {
        Effect::Sees(same) => state == same,
        Effect::Replaces(_) => true,
        Effect::Turns(from, _) => state == from,
        Effect::Runs => {
            let ret = O::apply(&mut states.get(state).clone(), bead.op);
            bead.ret.is_none_or(|heard| ret == *heard)
        }
    }
}
