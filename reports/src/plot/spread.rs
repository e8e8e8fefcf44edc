//! An axis of time on which a microsecond and a minute both have a place.
//!
//! To scale where that can be. A gap in which nothing happens for long takes no more room than `most`, and is drawn as
//! broken; moments that are close to each other stand `least` apart.

/// What a gap between two moments looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// In pixels.
    pub room: f64,
    /// Whether it is much longer than it looks.
    pub is_broken: bool,
}

/// How much room each gap gets, so that together they take about `room`.
pub fn spread(gaps: &[u64], room: f64, least: f64, most: f64) -> Vec<Gap> {
    let total: f64 = gaps.iter().map(|&gap| gap as f64).sum();
    let sum = |scale: f64| gaps.iter().map(|&gap| (gap as f64 * scale).clamp(least, most)).sum::<f64>();
    let mut scale = room / total.max(1.0);
    // Each round shows a quarter more of what is short, until the room is full or nothing is left to be shown larger.
    for _ in 0..ROUNDS {
        if sum(scale) >= room {
            break;
        }
        scale *= 1.25;
    }
    let gap = |&gap: &u64| {
        let wanted = gap as f64 * scale;
        Gap { room: wanted.clamp(least, most), is_broken: wanted > most * BROKEN }
    };
    gaps.iter().map(gap).collect()
}

/// From nanoseconds to minutes.
const ROUNDS: usize = 120;

/// A gap this many times as long as it looks is marked.
const BROKEN: f64 = 1.5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_wait_is_broken_and_short_ones_are_to_scale() {
        let gaps = spread(&[1_000, 2_000, 1_000_000_000, 1_000], 300.0, 10.0, 120.0);
        assert_eq!(gaps.iter().map(|gap| gap.is_broken).collect::<Vec<_>>(), [false, false, true, false]);
        assert_eq!(gaps[2].room, 120.0);
        assert!((gaps[1].room / gaps[0].room - 2.0).abs() < 1e-9, "{gaps:?}");
    }

    #[test]
    fn odd_gaps_have_room_all_the_same() {
        for gaps in [vec![], vec![0], vec![0, 0, 0], vec![u64::MAX, 0, u64::MAX]] {
            for gap in spread(&gaps, 300.0, 10.0, 120.0) {
                assert!((10.0..=120.0).contains(&gap.room), "{gap:?}");
            }
        }
    }
}
