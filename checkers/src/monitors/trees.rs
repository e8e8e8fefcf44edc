//! Numbers of which any range can be asked about and changed in logarithmic time.

use super::container::NEVER;

/// Numbers, and the least of any range of them.
pub(crate) struct Tree {
    /// The number of leaves, a power of two; node n has the children 2n and 2n + 1.
    width: usize,
    least: Vec<u64>,
}

impl Tree {
    pub fn of(numbers: &[u64]) -> Tree {
        let width = numbers.len().next_power_of_two();
        let mut least = vec![NEVER; 2 * width];
        least[width..width + numbers.len()].copy_from_slice(numbers);
        for node in (1..width).rev() {
            least[node] = least[2 * node].min(least[2 * node + 1]);
        }
        Tree { width, least }
    }

    pub fn set(&mut self, at: usize, number: u64) {
        let mut node = self.width + at;
        self.least[node] = number;
        while node > 1 {
            node /= 2;
            self.least[node] = self.least[2 * node].min(self.least[2 * node + 1]);
        }
    }

    /// The least from `from` to before `to`.
    pub fn least(&self, from: usize, to: usize) -> u64 {
        let (mut from, mut to) = (from + self.width, to + self.width);
        let mut least = NEVER;
        while from < to {
            if !from.is_multiple_of(2) {
                least = least.min(self.least[from]);
                from += 1;
            }
            if !to.is_multiple_of(2) {
                to -= 1;
                least = least.min(self.least[to]);
            }
            (from, to) = (from / 2, to / 2);
        }
        least
    }

    /// One from `from` to before `to` that is below `limit`.
    pub fn below(&self, from: usize, to: usize, limit: u64) -> Option<usize> {
        let (mut from, mut to) = (from + self.width, to + self.width);
        while from < to {
            let node = match (from.is_multiple_of(2), to.is_multiple_of(2)) {
                (false, _) if self.least[from] < limit => Some(from),
                (_, false) if self.least[to - 1] < limit => Some(to - 1),
                _ => None,
            };
            if let Some(mut node) = node {
                while node < self.width {
                    node = if self.least[2 * node] < limit { 2 * node } else { 2 * node + 1 };
                }
                return Some(node - self.width);
            }
            (from, to) = (from.div_ceil(2), to / 2);
        }
        None
    }
}

/// How many spans lie over each place, lowered by ranges.
pub(crate) struct Cover {
    width: usize,
    /// By node: the least below it, less what was taken from nodes above.
    least: Vec<i32>,
    /// By node: what was taken from all below it.
    taken: Vec<i32>,
}

impl Cover {
    pub fn of(counts: &[i32]) -> Cover {
        let width = counts.len().next_power_of_two();
        let mut least = vec![i32::MAX / 2; 2 * width];
        least[width..width + counts.len()].copy_from_slice(counts);
        for node in (1..width).rev() {
            least[node] = least[2 * node].min(least[2 * node + 1]);
        }
        Cover { width, least, taken: vec![0; 2 * width] }
    }

    /// One less from `from` to before `to`.
    pub fn lower(&mut self, from: usize, to: usize) {
        let (first, last) = (from + self.width, to + self.width);
        let (mut left, mut right) = (first, last);
        while left < right {
            if !left.is_multiple_of(2) {
                self.take(left);
                left += 1;
            }
            if !right.is_multiple_of(2) {
                right -= 1;
                self.take(right);
            }
            (left, right) = (left / 2, right / 2);
        }
        self.settle(first);
        self.settle(last - 1);
    }

    fn take(&mut self, node: usize) {
        self.least[node] -= 1;
        self.taken[node] += 1;
    }

    /// What is above a leaf, anew.
    fn settle(&mut self, mut node: usize) {
        while node > 1 {
            node /= 2;
            self.least[node] = self.least[2 * node].min(self.least[2 * node + 1]) - self.taken[node];
        }
    }

    /// The first place, from this one on, over which nothing lies.
    pub fn first_free(&self, from: usize) -> Option<usize> {
        // What was taken from all nodes above, on the way up and down again.
        let above = |node: usize| {
            let mut taken = 0;
            let mut node = node / 2;
            while node > 0 {
                taken += self.taken[node];
                node /= 2;
            }
            taken
        };
        let mut node = from + self.width;
        let mut taken = above(node);
        while self.least[node] > taken {
            // To the next subtree on the right.
            while !node.is_multiple_of(2) {
                if node == 1 {
                    return None;
                }
                node /= 2;
                taken -= self.taken[node];
            }
            node += 1;
        }
        while node < self.width {
            taken += self.taken[node];
            node = if self.least[2 * node] <= taken { 2 * node } else { 2 * node + 1 };
        }
        Some(node - self.width)
    }
}
