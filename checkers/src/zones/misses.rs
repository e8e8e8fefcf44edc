//! Whether there is room for those who found another value.
//!
//! A mismatch changes nothing, so it can stand anywhere in a row of clusters but in the one of the value that it did not
//! find: no earlier than whoever was over before it began, no later than whoever began after it was over, and not before
//! a mismatch that was over when it began. Put each as early as it can stand, and they all find room, or there is none in
//! this row. There may be in another: so a row in which they do is an order, and one in which they do not proves nothing.
//!
//! Which rows to try? A cluster without a forward zone may stand anywhere between its last invocation and its first
//! completion. Late is mostly right, since what is put off can still be what somebody found instead. But who wants a value to be
//! gone wants it to have been early.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::clusters::{Block, Clusters};
use super::rows::NEVER;

/// Somebody who found another value than this one.
#[derive(Clone, Copy)]
pub(super) struct Miss {
    pub key: u32,
    pub value: u32,
    pub invoked: u64,
    pub completed: u64,
}

/// When clusters that are free to choose take their places.
#[derive(Clone, Copy)]
enum Taste {
    /// Late, but early if somebody wants them gone.
    Mixed,
    Late,
    Early,
}

/// Whether a row of `blocks`, those of one key by their first ends, is found with room for `misses`, which come by
/// their invocations. The blocks do not clash.
pub(super) fn have_room(clusters: &Clusters, blocks: &[Block], misses: &[Miss]) -> bool {
    let tastes = [Taste::Mixed, Taste::Late, Taste::Early];
    tastes.into_iter().any(|taste| is_room_in(&row(clusters, blocks, misses, taste), misses))
}

/// A place in a row.
struct Place {
    value: u32,
    /// Nobody here or later was over before this.
    first_end: u64,
    /// Nobody before this place, nor the writer here, began after this.
    last_start: u64,
}

/// All clusters in an order that works for all but the misses.
fn row(clusters: &Clusters, blocks: &[Block], misses: &[Miss], taste: Taste) -> Vec<Place> {
    let unwanted = misses.iter().filter(|miss| clusters.first_end(miss.value) < miss.invoked).map(|miss| miss.value);
    let unwanted: BTreeSet<u32> = unwanted.collect();
    let forward: Vec<&Block> = blocks.iter().filter(|block| block.is_forward()).collect();
    // Whoever would stand within a forward zone stands before or behind it.
    let covering = |at: u64| {
        let begun = forward.partition_point(|block| block.first_end < at);
        begun.checked_sub(1).map(|last| forward[last]).filter(|block| at < block.last_start)
    };
    let is_early = |block: &Block| match taste {
        Taste::Mixed => clusters.chain(block.head).any(|value| unwanted.contains(&value)),
        Taste::Late => false,
        Taste::Early => true,
    };
    let rank = |block: &Block| {
        let (first_end, last_start) = (block.first_end, block.last_start);
        match (block.is_forward(), is_early(block)) {
            (true, _) => (first_end, true, first_end, block.head),
            (false, true) => {
                let at = covering(last_start).map_or(last_start, |zone| zone.last_start);
                (at, false, last_start, block.head)
            }
            (false, false) => {
                let at = covering(first_end).map_or(first_end, |zone| zone.first_end);
                (at, false, first_end, block.head)
            }
        }
    };
    let mut order: Vec<(u64, bool, u64, u32)> = blocks.iter().map(rank).collect();
    order.sort_unstable();
    places(clusters, order.into_iter().flat_map(|(.., head)| clusters.chain(head)))
}

fn places(clusters: &Clusters, order: impl Iterator<Item = u32>) -> Vec<Place> {
    let mut last_start = 0;
    let mut places: Vec<Place> = Vec::new();
    for value in order {
        let begun = clusters.begun(value).max(last_start);
        places.push(Place { value, first_end: clusters.first_end(value), last_start: begun });
        last_start = begun.max(clusters.last_start(value));
    }
    let mut first_end = NEVER;
    for place in places.iter_mut().rev() {
        first_end = first_end.min(place.first_end);
        place.first_end = first_end;
    }
    places
}

fn is_room_in(places: &[Place], misses: &[Miss]) -> bool {
    let mut place_of: Vec<(u32, usize)> = places.iter().zip(0..).map(|(place, at)| (place.value, at)).collect();
    place_of.sort_unstable();
    // Misses that have found room, by completion; and of those over, the place furthest behind.
    let mut open: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let mut furthest = 0;
    for miss in misses {
        while let Some(Reverse((completed, at))) = open.peek().copied()
            && completed < miss.invoked
        {
            furthest = furthest.max(at);
            open.pop();
        }
        // Nobody behind it may have been over before it began.
        let earliest = places.partition_point(|place| place.first_end < miss.invoked).saturating_sub(1);
        let mut at = earliest.max(furthest);
        let own = place_of.binary_search_by_key(&miss.value, |(value, _)| *value);
        if own.is_ok_and(|own| place_of[own].1 == at) {
            at += 1;
        }
        if places.get(at).is_none_or(|place| place.last_start > miss.completed) {
            return false;
        }
        open.push(Reverse((miss.completed, at)));
    }
    true
}
