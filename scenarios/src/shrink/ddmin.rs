//! Delta debugging: which of many things are needed for something to happen.
//!
//! After Zeller and Hildebrandt, *Simplifying and Isolating Failure-Inducing Input*, IEEE TSE 28(2), 2002: halves are tried
//! before quarters, what is left out before what is kept, and in the end no single thing can be left out.

/// The fewest of `items`, in their order, for which `still` says yes: none of those that are left can be left out alone.
/// Whoever calls knows that it says yes of all of them.
pub(super) fn ddmin<T: Clone>(items: &[T], still: &mut dyn FnMut(&[T]) -> bool) -> Vec<T> {
    let mut left = items.to_vec();
    if left.is_empty() || still(&[]) {
        return Vec::new();
    }
    let mut chunks = 2.min(left.len());
    while left.len() > 1 {
        let size = left.len().div_ceil(chunks);
        match without_some(&left, size, still) {
            Some(fewer) => {
                left = fewer;
                chunks = left.len().div_ceil(size).max(2).min(left.len());
            }
            None if size == 1 => break,
            None => chunks = (2 * chunks).min(left.len()),
        }
    }
    left
}

/// One walk over the chunks of this size, from the last to the first: what comes late more often has nothing to do with it.
/// `None` if every one of them is needed.
fn without_some<T: Clone>(items: &[T], size: usize, still: &mut dyn FnMut(&[T]) -> bool) -> Option<Vec<T>> {
    let mut left = items.to_vec();
    let mut end = left.len();
    while end > 0 {
        let start = end.saturating_sub(size);
        // That nothing at all is needed was tried first.
        if end - start < left.len() {
            let fewer: Vec<T> = left[..start].iter().chain(&left[end..]).cloned().collect();
            if still(&fewer) {
                left = fewer;
            }
        }
        end = start;
    }
    (left.len() < items.len()).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of `0..count`, and what was asked.
    fn shrunk(count: u32, is_enough: impl Fn(&[u32]) -> bool) -> (Vec<u32>, Vec<Vec<u32>>) {
        let items: Vec<u32> = (0..count).collect();
        let mut asked = Vec::new();
        let left = ddmin(&items, &mut |some| {
            asked.push(some.to_vec());
            is_enough(some)
        });
        (left, asked)
    }

    #[test]
    fn exactly_what_is_needed_is_left() {
        for needed in [&[][..], &[0], &[99], &[3, 4], &[0, 50, 99], &[7, 11, 13, 17, 19, 23]] {
            let (left, asked) = shrunk(100, |some| needed.iter().all(|item| some.contains(item)));
            assert_eq!(left, needed);
            assert!(asked.len() < 18 * needed.len() + 12, "{} tries for {needed:?}", asked.len());
        }
    }

    #[test]
    fn nothing_that_is_left_can_be_left_out_alone() {
        // Not monotone: an odd number of them, one of which is a multiple of ten.
        let is_enough = |some: &[u32]| some.len() % 2 == 1 && some.iter().any(|item| item % 10 == 0);
        let (left, _) = shrunk(31, is_enough);
        assert!(is_enough(&left));
        for i in 0..left.len() {
            let fewer: Vec<u32> = left.iter().copied().filter(|item| *item != left[i]).collect();
            assert!(!is_enough(&fewer), "{left:?} without {}", left[i]);
        }
    }

    #[test]
    fn where_all_are_needed_each_is_tried_and_the_order_is_always_the_same() {
        let all = |some: &[u32]| some.len() == 8;
        let (left, asked) = shrunk(8, all);
        assert_eq!(left.len(), 8);
        assert_eq!(asked.len(), 1 + 2 + 4 + 8, "nothing, halves, quarters, each");
        assert_eq!(asked[1], [0, 1, 2, 3], "the later half is left out first");
        assert_eq!(shrunk(8, all).1, asked);
    }
}
