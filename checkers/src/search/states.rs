//! States by number, so that what may be the case is a few words of memory however large the data are.

use hashbrown::HashTable;
use std::hash::{Hash, Hasher};

use crate::hash::Mixer;

/// Every state seen, by number in the order of appearance.
pub(super) struct States<State> {
    states: Vec<State>,
    numbers: HashTable<u32>,
}

impl<State: Hash + Eq> States<State> {
    pub fn new() -> Self {
        States { states: Vec::new(), numbers: HashTable::new() }
    }

    pub fn get(&self, number: u32) -> &State {
        &self.states[number as usize]
    }

    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// The number of a state.
    pub fn number(&mut self, state: State) -> u32 {
        let hash = hash(&state);
        if let Some(number) = self.numbers.find(hash, |number| self.states[*number as usize] == state) {
            return *number;
        }
        let number = u32::try_from(self.states.len()).expect("fewer than 2^32 states: each takes 8 bytes at least");
        self.states.push(state);
        let states = &self.states;
        self.numbers.insert_unique(hash, number, |number| self::hash(&states[*number as usize]));
        number
    }
}

fn hash(state: &impl Hash) -> u64 {
    let mut mixer = Mixer::default();
    state.hash(&mut mixer);
    mixer.finish()
}
