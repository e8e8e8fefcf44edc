//! The record as the search sees it, and the place in it where the search stands.

use hashbrown::HashMap;
use history::Outcome;
use std::hash::BuildHasherDefault;
use std::ops::Range;

use super::Scope;
use super::crowd::{Crowd, World};
use super::states::States;
use crate::hash::Mixer;
use crate::model::{Call, Checked, Needs, Part};

/// No number.
pub(super) const NONE: u32 = u32::MAX;

/// What an operation does to the state, and when it fits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It fits in this state and leaves it as it is.
    Sees(u32),
    /// It fits anywhere and leaves this state.
    Replaces(u32),
    /// It fits in the first state and leaves the second.
    Turns(u32, u32),
    /// Only running it will tell.
    Runs,
}

/// An operation.
pub(super) struct Bead<'a, O: Checked> {
    pub op: &'a O::Op,
    /// `None` if nobody knows.
    pub ret: Option<&'a O::Ret>,
    /// `u64::MAX` if nobody knows.
    pub completed: u64,
    invoked: u64,
    pub effect: Effect,
    pub observes: bool,
    /// Whether it fits anywhere.
    pub is_blind: bool,
    /// The state that it must meet, and the one that it can bring about, by number or [`NONE`], as far as anybody is counting.
    pub meets: u32,
    pub makes: u32,
    /// Operations of the same group do the same and are told the same.
    group: u32,
    /// Where its bits are while it is open.
    pub slot: u32,
}

impl<O: Checked> Bead<'_, O> {
    pub fn is_unknown(&self) -> bool {
        self.ret.is_none()
    }
}

/// For a state, who is left that must meet it and who could bring it about.
#[derive(Clone, Default)]
struct Supply {
    /// How many of those not yet invoked.
    later_meeting: u32,
    later_making: u32,
    /// The open ones.
    meeting: Vec<u32>,
    making: Vec<u32>,
    /// Whether somebody of unknown outcome may have met it.
    is_wished: bool,
}

/// All operations, and which are open at the place where the search stands: just before some completion.
pub(super) struct Record<'a, O: Checked> {
    pub beads: Vec<Bead<'a, O>>,
    /// Those with a known outcome, by completion.
    completions: Vec<u32>,
    /// How many slots there are.
    slots: u32,
    /// The next completion.
    pub place: usize,
    /// How many have been invoked before it.
    invoked: usize,
    /// The open ones that may change the state, by group and in each by completion.
    pub changing: Vec<(u32, Vec<u32>)>,
    /// The open ones that only observe.
    pub observing: Vec<u32>,
    /// How many open ones may change the state without replacing it.
    pub conditional: u32,
    /// By number of the state. Empty if nobody is counting.
    supplies: Vec<Supply>,
    /// Whether every operation says which state it depends on, so that a state nobody is left to meet is of no use.
    is_told: bool,
}

impl<'a, O: Checked> Record<'a, O> {
    pub fn new(part: &'a Part<'_, O>, scope: Scope, states: &mut States<O::State>) -> (Self, Option<u32>) {
        let is_idle = O::is_idle(part);
        let mut beads: Vec<Bead<'a, O>> = Vec::new();
        let mut blamed = None;
        for (number, call) in part.calls.iter().enumerate() {
            if call.source.invoked.index > scope.until || call.outcome == Outcome::Refused {
                continue;
            }
            let bead = Bead::new(call, scope.until, states);
            if bead.is_unknown() && is_idle(bead.op) {
                continue;
            }
            if scope.blamed == Some(number) {
                blamed = Some(beads.len() as u32);
            }
            beads.push(bead);
        }
        group(&mut beads);
        let known = (0..).zip(&beads).filter(|(_, bead)| !bead.is_unknown());
        let mut completions: Vec<u32> = known.map(|(number, _): (u32, _)| number).collect();
        completions.sort_by_key(|number| beads[*number as usize].completed);
        let mut record = Record {
            is_told: scope.looks_ahead && beads.iter().all(|bead| bead.effect != Effect::Runs),
            supplies: Vec::new(),
            slots: 0,
            place: 0,
            invoked: 0,
            changing: Vec::new(),
            observing: Vec::new(),
            conditional: 0,
            beads,
            completions,
        };
        record.give_slots();
        if scope.looks_ahead {
            record.count(blamed, states);
        }
        (record, blamed)
    }

    /// Gives every operation a slot of its own while it is open.
    fn give_slots(&mut self) {
        let mut unused: Vec<u32> = Vec::new();
        let mut invoked = 0;
        for place in 0..=self.completions.len() {
            let until = self.end(place);
            while self.beads.get(invoked).is_some_and(|bead| bead.invoked <= until) {
                self.beads[invoked].slot = unused.pop().unwrap_or_else(|| {
                    self.slots += 1;
                    self.slots - 1
                });
                invoked += 1;
            }
            if let Some(over) = self.completions.get(place) {
                unused.push(self.beads[*over as usize].slot);
            }
        }
    }

    /// Counts who needs which state and who brings it about. Where somebody may bring about anything, there is no point.
    fn count(&mut self, blamed: Option<u32>, states: &mut States<O::State>) {
        let mut needs: Vec<(u32, u32)> = Vec::new();
        for bead in &self.beads {
            needs.push(match O::needs(bead.op, bead.ret) {
                Needs::Meets(state) => (states.number(state.clone()), NONE),
                Needs::Makes(state) => (NONE, states.number(state.clone())),
                Needs::Turns(from, to) => (states.number(from.clone()), states.number(to.clone())),
                Needs::Nothing => (NONE, NONE),
                Needs::MakesAnything => {
                    self.is_told = false;
                    return;
                }
            });
        }
        self.supplies = vec![Supply::default(); states.len()];
        for (number, (meets, makes)) in (0..).zip(needs) {
            let bead = &mut self.beads[number as usize];
            if blamed != Some(number) && !bead.is_unknown() {
                bead.meets = meets;
            } else if let Some(supply) = self.supplies.get_mut(meets as usize) {
                supply.is_wished = true;
            }
            bead.makes = makes;
            if let Some(supply) = self.supplies.get_mut(bead.meets as usize) {
                supply.later_meeting += 1;
            }
            if let Some(supply) = self.supplies.get_mut(makes as usize) {
                supply.later_making += 1;
            }
        }
    }

    /// No worlds, with room for what can be open at once.
    pub fn nobody(&self) -> Crowd {
        Crowd::new((self.slots as usize).div_ceil(64))
    }

    /// How many operations have a known outcome.
    pub fn completed(&self) -> usize {
        self.completions.len()
    }

    /// The operation that completes next.
    pub fn next(&self) -> Option<u32> {
        self.completions.get(self.place).copied()
    }

    /// Whether an operation is open.
    pub fn is_open(&self, number: u32) -> bool {
        (number as usize) < self.invoked && self.beads[number as usize].completed >= self.end(self.place)
    }

    /// The slots of the open operations that fit anywhere.
    pub fn blind(&self) -> impl Iterator<Item = u32> {
        let members = self.changing.iter().flat_map(|(_, members)| members);
        members.map(|number| &self.beads[*number as usize]).filter(|bead| bead.is_blind).map(|bead| bead.slot)
    }

    /// The position of a completion; the end of time after the last.
    pub fn end(&self, place: usize) -> u64 {
        self.completions.get(place).map_or(u64::MAX, |number| self.beads[*number as usize].completed)
    }

    /// Whether someone must meet a state other than the first that nobody can bring about. Asked at the beginning.
    pub fn is_hopeless(&self) -> bool {
        self.supplies.iter().skip(1).any(|supply| supply.later_meeting > 0 && supply.later_making == 0)
    }

    /// Opens what is invoked before the next completion, or where that is, and says which operations these are.
    pub fn open(&mut self) -> Range<u32> {
        let (begin, until) = (self.invoked, self.end(self.place));
        while self.beads.get(self.invoked).is_some_and(|bead| bead.invoked <= until) {
            let (meets, makes) = (self.beads[self.invoked].meets, self.beads[self.invoked].makes);
            if let Some(supply) = self.supplies.get_mut(meets as usize) {
                supply.later_meeting -= 1;
            }
            if let Some(supply) = self.supplies.get_mut(makes as usize) {
                supply.later_making -= 1;
            }
            self.enter(self.invoked as u32);
            self.invoked += 1;
        }
        begin as u32..self.invoked as u32
    }

    /// Goes on past the next completion.
    pub fn advance(&mut self) {
        self.leave(self.completions[self.place]);
        self.place += 1;
    }

    /// Goes back to an earlier place.
    pub fn go_back(&mut self, place: usize) {
        while self.place > place {
            self.place -= 1;
            let until = self.end(self.place);
            while self.invoked > 0 && self.beads[self.invoked - 1].invoked > until {
                self.invoked -= 1;
                self.leave(self.invoked as u32);
                let (meets, makes) = (self.beads[self.invoked].meets, self.beads[self.invoked].makes);
                if let Some(supply) = self.supplies.get_mut(meets as usize) {
                    supply.later_meeting += 1;
                }
                if let Some(supply) = self.supplies.get_mut(makes as usize) {
                    supply.later_making += 1;
                }
            }
            self.enter(self.completions[self.place]);
        }
    }

    fn enter(&mut self, number: u32) {
        let bead = &self.beads[number as usize];
        if let Some(supply) = self.supplies.get_mut(bead.meets as usize) {
            supply.meeting.push(number);
        }
        if let Some(supply) = self.supplies.get_mut(bead.makes as usize) {
            supply.making.push(number);
        }
        if bead.observes {
            self.observing.push(number);
            return;
        }
        self.conditional += u32::from(!matches!(bead.effect, Effect::Replaces(_)));
        let at = match self.changing.binary_search_by_key(&bead.group, |(group, _)| *group) {
            Ok(at) => at,
            Err(at) => {
                self.changing.insert(at, (bead.group, Vec::new()));
                at
            }
        };
        let members = &mut self.changing[at].1;
        let key = |number: u32| (self.beads[number as usize].completed, number);
        let place = members.partition_point(|member| key(*member) < key(number));
        members.insert(place, number);
    }

    fn leave(&mut self, number: u32) {
        let bead = &self.beads[number as usize];
        if let Some(supply) = self.supplies.get_mut(bead.meets as usize) {
            supply.meeting.retain(|other| *other != number);
        }
        if let Some(supply) = self.supplies.get_mut(bead.makes as usize) {
            supply.making.retain(|other| *other != number);
        }
        if bead.observes {
            self.observing.retain(|other| *other != number);
            return;
        }
        self.conditional -= u32::from(!matches!(bead.effect, Effect::Replaces(_)));
        let at = self.changing.binary_search_by_key(&bead.group, |(group, _)| *group).expect("its group is open");
        self.changing[at].1.retain(|other| *other != number);
        if self.changing[at].1.is_empty() {
            self.changing.remove(at);
        }
    }
}

/// Looking ahead.
impl<O: Checked> Record<'_, O> {
    /// Whether after `who` somebody could never again meet the present state, and must.
    pub fn leaves_behind(&self, world: World<'_>, who: u32) -> bool {
        let Some(supply) = self.supplies.get(world.state() as usize) else { return false };
        let slot = |number: &u32| self.beads[*number as usize].slot;
        let others_left = || supply.meeting.iter().any(|other| *other != who && !world.is_free(slot(other)));
        let comes_back = || supply.making.iter().any(|other| !world.is_used(slot(other)));
        (supply.later_meeting > 0 || others_left()) && supply.later_making == 0 && !comes_back()
    }

    /// Whether anybody may still want to meet this state, as far as one can tell.
    pub fn is_wanted(&self, world: World<'_>, state: u32) -> bool {
        match self.supplies.get(state as usize) {
            Some(supply) if self.is_told => {
                supply.later_meeting > 0 || supply.is_wished || self.is_wanted_now(world, state)
            }
            Some(_) | None => true,
        }
    }

    /// Whether an open operation may want to meet this state, as far as one can tell.
    pub fn is_wanted_now(&self, world: World<'_>, state: u32) -> bool {
        match self.supplies.get(state as usize) {
            Some(supply) if self.is_told => {
                let is_waiting = |number: &u32| !world.is_free(self.beads[*number as usize].slot);
                self.conditional > 0 || supply.meeting.iter().any(is_waiting)
            }
            Some(_) | None => true,
        }
    }

    /// Whether it matters to any open operation that is waited for which states there have been.
    pub fn is_watched(&self, world: World<'_>) -> bool {
        let bead = |number: &u32| &self.beads[*number as usize];
        let is_watching = |bead: &Bead<'_, O>| !bead.is_blind && !world.is_free(bead.slot);
        let changing = self.changing.iter().flat_map(|(_, members)| members);
        self.observing.iter().chain(changing).map(bead).any(is_watching)
    }

    /// The slots of the open observations, other than `except`, that can have been made in passing, just before the state is replaced: somebody open can put the state
    /// there, and nobody will want it after them.
    pub fn passing(&self, world: World<'_>, except: u32) -> impl Iterator<Item = u32> {
        let may_pass = move |number: &u32| {
            let bead = &self.beads[*number as usize];
            let Some(supply) = self.supplies.get(bead.meets as usize) else { return false };
            let bead_of = |number: &u32| &self.beads[*number as usize];
            let can_make = |maker: &u32| {
                matches!(bead_of(maker).effect, Effect::Replaces(_)) && !world.is_used(bead_of(maker).slot)
            };
            *number != except
                && !world.is_free(bead.slot)
                && supply.later_meeting == 0
                && !supply.is_wished
                && supply.meeting.iter().all(|other| bead_of(other).observes)
                && supply.making.iter().any(can_make)
        };
        let passing = self.observing.iter().filter(move |number| self.is_told && may_pass(number));
        passing.map(|number| self.beads[*number as usize].slot)
    }

    /// The open groups: those of known outcome, and the others.
    pub fn groups(&self) -> (Range<usize>, Range<usize>) {
        let known = self.changing.partition_point(|(_, members)| !self.beads[members[0] as usize].is_unknown());
        (0..known, known..self.changing.len())
    }

    /// The operations of an open group that may be next. Of those that do the same, the first to be over, for the others can wait
    /// longer; but one that nobody waits for is no substitute for one that somebody does.
    pub fn candidates(&self, world: World<'_>, group: usize) -> [Option<u32>; 2] {
        let members = &self.changing[group].1;
        let slot = |number: &&u32| self.beads[**number as usize].slot;
        let first = members.iter().find(|number| !world.is_used(slot(number)));
        let is_free = first.is_some_and(|number| world.is_free(slot(&number)));
        let waited_for = members.iter().find(|number| !world.is_free(slot(number)));
        [first.copied(), waited_for.filter(|_| is_free).copied()]
    }
}

impl<'a, O: Checked> Bead<'a, O> {
    fn new(call: &'a Call<'_, O>, until: u64, states: &mut States<O::State>) -> Self {
        let completed = call.source.completed.map(|mark| mark.index).filter(|index| *index <= until);
        let ret = match (&call.outcome, completed) {
            (Outcome::Returned(ret), Some(_)) => Some(ret),
            (Outcome::Returned(_) | Outcome::Refused | Outcome::Unknown, _) => None,
        };
        let observes = ret.is_some_and(|ret| O::observes(&call.op, ret));
        let is_blind = O::is_blind(&call.op);
        let mut number = |state: &O::State| states.number(state.clone());
        let effect = match O::needs(&call.op, ret) {
            Needs::Meets(state) if observes => Effect::Sees(number(state)),
            Needs::Makes(state) if is_blind => Effect::Replaces(number(state)),
            Needs::Turns(from, to) => Effect::Turns(number(from), number(to)),
            Needs::Meets(_) | Needs::Makes(_) | Needs::MakesAnything | Needs::Nothing => Effect::Runs,
        };
        Bead {
            op: &call.op,
            ret,
            invoked: call.source.invoked.index,
            completed: if ret.is_some() { completed.unwrap_or(u64::MAX) } else { u64::MAX },
            effect,
            observes,
            is_blind,
            meets: NONE,
            makes: NONE,
            group: NONE,
            slot: NONE,
        }
    }
}

/// Numbers the groups of those that may change the state, the unknown ones last.
fn group<O: Checked>(beads: &mut [Bead<'_, O>]) {
    /// Those that do the same and are told this many different things are not compared further.
    const RESULTS_MAX: usize = 4;
    let mut groups_of: HashMap<&O::Op, Vec<_>, BuildHasherDefault<Mixer>> = HashMap::default();
    let mut count = 0;
    for is_unknown in [false, true] {
        for bead in beads.iter_mut().filter(|bead| !bead.observes && bead.is_unknown() == is_unknown) {
            let groups = groups_of.entry(bead.op).or_default();
            let known = groups.iter().rev().take(RESULTS_MAX).find(|(ret, _)| *ret == bead.ret);
            bead.group = known.map_or(count, |(_, group)| *group);
            if bead.group == count {
                groups.push((bead.ret, count));
                count += 1;
            }
        }
    }
}
