//! Values by number: 0, 1, 2, … in the order in which they were first met.

use hashbrown::HashMap;
use history::Value;
use std::hash::BuildHasherDefault;

use crate::hash::Mixer;

/// Finds a value's number. Small whole numbers, which is what most workloads use, are looked up in a table and not
/// hashed.
pub(crate) struct Numbers<'a> {
    /// By value; [`NONE`] if it has no number.
    small: Vec<u32>,
    small_max: usize,
    others: HashMap<&'a Value, u32, BuildHasherDefault<Mixer>>,
    count: u32,
}

const NONE: u32 = u32::MAX;

impl<'a> Numbers<'a> {
    /// For about so many values.
    pub fn new(expected: usize) -> Self {
        let small_max = expected.saturating_mul(4).saturating_add(64);
        Numbers { small: Vec::new(), small_max, others: HashMap::default(), count: 0 }
    }

    /// The value's number, and whether it has only now got it.
    pub fn number(&mut self, value: &'a Value) -> (u32, bool) {
        let number = match value {
            Value::Int(small) if usize::try_from(*small).is_ok_and(|small| small < self.small_max) => {
                let small = *small as usize;
                if self.small.len() <= small {
                    self.small.resize((2 * small).max(64), NONE);
                }
                &mut self.small[small]
            }
            Value::Int(_) | Value::Text(_) | Value::List(_) | Value::Nil => self.others.entry(value).or_insert(NONE),
        };
        let is_new = *number == NONE;
        if is_new {
            *number = self.count;
            self.count = self.count.checked_add(1).expect("fewer than 2^32 values: each takes 24 bytes");
        }
        (*number, is_new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_one_number() {
        let values = [Value::Int(3), Value::text("3"), Value::Int(-3), Value::Int(0), Value::Int(i64::MAX), Value::Nil];
        let mut numbers = Numbers::new(1);
        for (number, value) in (0..).zip(&values) {
            assert_eq!(numbers.number(value), (number, true));
        }
        for (number, value) in (0..).zip(&values) {
            assert_eq!(numbers.number(value), (number, false));
        }
    }
}
