//! Quorums: which members can answer for all of them.
//!
//! A decision rests on two kinds of question. *Phase 1* asks what may have been decided; *phase 2* decides. What phase 2
//! decided must come to light in every phase 1 after it, so **each phase 1 quorum has to share a member with each phase 2
//! quorum**, and that is all: two phase 2 quorums need not meet (Howard, Malkhi & Spiegelman, *Flexible Paxos*, 2016, sections 3
//! and 4). Majorities are the simplest that do; deciding is quicker and survives more with few in phase 2, and a new leader
//! pays for it in phase 1.

use serde::Serialize;
use sim_core::protocol::NodeId;
use sim_core::settings::Values;

/// The setting that says of which kind quorums are: `majority`, `sizes` or `grid`.
pub const QUORUM: &str = "quorum";
/// With sizes: how many in phase 1.
pub const PHASE1_QUORUM: &str = "phase1-quorum";
/// With sizes: how many in phase 2.
pub const PHASE2_QUORUM: &str = "phase2-quorum";
/// With a grid: how many stand in a row.
pub const GRID_COLUMNS: &str = "grid-columns";

/// So many of `members` that any two such sets share one.
pub const fn majority(members: usize) -> usize {
    members / 2 + 1
}

/// Which sets of members are quorums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Quorums {
    /// Any majority, in both phases.
    Majority,
    /// Any so many ("simple quorums", section 5.1).
    Sizes {
        /// In phase 1.
        phase1: usize,
        /// In phase 2.
        phase2: usize,
    },
    /// Members stand in rows of so many, in the order of their list: phase 1 asks a whole row, phase 2 a whole column
    /// ("grid quorums", section 5.2). The last row must be full.
    Grid {
        /// How many stand in a row.
        columns: usize,
    },
}

impl Quorums {
    /// As the settings of a system say that has those named above.
    pub fn chosen(values: &Values) -> Self {
        let count = |key| values.count(key) as usize;
        match values.word(QUORUM) {
            "sizes" => Quorums::Sizes { phase1: count(PHASE1_QUORUM), phase2: count(PHASE2_QUORUM) },
            "grid" => Quorums::Grid { columns: count(GRID_COLUMNS) },
            _ => Quorums::Majority,
        }
    }

    /// Whether among so many members each phase 1 quorum meets each phase 2 quorum.
    ///
    /// # Errors
    /// Why not, with what would do.
    pub fn fits(self, members: usize) -> Result<(), String> {
        match self {
            Quorums::Majority => Ok(()),
            Quorums::Sizes { phase1, phase2 } => {
                if phase1 == 0 || phase2 == 0 || phase1 > members || phase2 > members {
                    return Err(format!("of {members} members, a quorum has between 1 and {members}"));
                }
                if phase1 + phase2 > members {
                    return Ok(());
                }
                let (least1, least2) = (meeting(members, phase2), meeting(members, phase1));
                Err(format!(
                    "of {members} members, {phase1} in phase 1 and {phase2} in phase 2 can miss each other, and two values be \
                     decided; take at least {least1} in phase 1 or {least2} in phase 2"
                ))
            }
            Quorums::Grid { columns } if columns > 0 && members.is_multiple_of(columns) => Ok(()),
            Quorums::Grid { columns } => Err(format!(
                "{members} members do not stand in full rows of {columns}, so a row and a column can miss each other"
            )),
        }
    }

    /// Whether both phases still have a quorum, whichever so many of the members are lost.
    pub fn survives(self, members: usize, lost: usize) -> bool {
        let left = members.saturating_sub(lost);
        match self {
            Quorums::Majority => left >= majority(members),
            Quorums::Sizes { phase1, phase2 } => left >= phase1.max(phase2),
            // One from each row leaves no row whole, one from each column no column.
            Quorums::Grid { columns } => columns > 0 && lost < columns.min(members / columns),
        }
    }

    /// Whether those who answered are enough for phase 1.
    pub fn is_phase1(self, members: &[NodeId], answered: impl Fn(NodeId) -> bool) -> bool {
        match self {
            Quorums::Majority => count(members, answered) >= majority(members.len()),
            Quorums::Sizes { phase1, .. } => count(members, answered) >= phase1,
            Quorums::Grid { columns } => members.chunks(columns).any(|row| row.iter().all(|member| answered(*member))),
        }
    }

    /// Whether those who answered are enough for phase 2.
    pub fn is_phase2(self, members: &[NodeId], answered: impl Fn(NodeId) -> bool) -> bool {
        match self {
            Quorums::Majority => count(members, answered) >= majority(members.len()),
            Quorums::Sizes { phase2, .. } => count(members, answered) >= phase2,
            Quorums::Grid { columns } => {
                (0..columns).any(|column| members.iter().skip(column).step_by(columns).all(|member| answered(*member)))
            }
        }
    }
}

fn count(members: &[NodeId], answered: impl Fn(NodeId) -> bool) -> usize {
    members.iter().filter(|member| answered(**member)).count()
}

/// The fewest of `members` that share one with every set of `others` of them.
pub const fn meeting(members: usize, others: usize) -> usize {
    members - others + 1
}

/// Half of `members`, rounded up: with [`meeting`] so many, such a set is as small as one can be that asks no more than a
/// majority of the other phase.
pub const fn half(members: usize) -> usize {
    members.div_ceil(2)
}

/// How TigerBeetle sizes the quorums of Viewstamped Replication: the fewest replicas that a command has to reach for speed, and
/// as many in a view change as it takes to meet them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicationSizes {
    /// So many have a command before it is committed (phase 2).
    pub replication: usize,
    /// So many take part in a view change (phase 1).
    pub view_change: usize,
    /// So many that say "never had it" prove that a command was not committed.
    pub nack: usize,
}

impl ReplicationSizes {
    /// Half of the replicas have a command. Of two both have it, though one would do, since one copy is none.
    pub const fn of(replicas: usize) -> Self {
        let replication = if replicas == 2 { 2 } else { half(replicas) };
        let view_change = if replicas == 2 { 2 } else { meeting(replicas, replication) };
        ReplicationSizes { replication, view_change, nack: meeting(replicas, replication) }
    }
}

/// How many replicas, its leader among them, agree on a command's dependencies before EPaxos commits it at once: `F + (F + 1) / 2`
/// where `F` of `2F + 1` may fail (Moraru, Andersen & Kaminsky, *There Is More Consensus in Egalitarian Parliaments*, 2013,
/// section 4.4).
pub const fn fast_quorum(replicas: usize) -> usize {
    let failures = (replicas - 1) / 2;
    failures + failures.div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sets of so many of `count`.
    fn sets_of(size: usize, count: u32) -> impl Iterator<Item = u32> {
        sets(count).filter(move |set| set.count_ones() as usize == size)
    }

    /// The fewest that a set of so many and a set of so many others share.
    fn least_shared(one: usize, other: usize, count: u32) -> usize {
        let shared =
            sets_of(one, count).flat_map(|one| sets_of(other, count).map(move |other| (one & other).count_ones()));
        shared.min().expect("there are such sets") as usize
    }

    /// What commits a command meets what changes the view, and what denies that there was one, in one replica or more.
    #[test]
    fn replication_sizes_are_tigerbeetles_and_meet() {
        let known = [(1, 1, 1), (2, 2, 1), (2, 2, 2), (2, 3, 3), (3, 3, 3), (3, 4, 4)];
        for (replicas, (replication, view_change, nack)) in (1..).zip(known) {
            let sizes = ReplicationSizes::of(replicas);
            assert_eq!(sizes, ReplicationSizes { replication, view_change, nack }, "{replicas}");
            let count = replicas as u32;
            assert!(least_shared(replication, view_change, count) > 0 && least_shared(replication, nack, count) > 0);
            assert!(nack == 1 || least_shared(replication, nack - 1, count) == 0, "{replicas}: no fewer would do");
            assert!(Quorums::Sizes { phase1: view_change, phase2: replication }.fits(replicas).is_ok());
        }
    }

    /// *Flexible Paxos*, section 5.1: ten acceptors, three in phase 2.
    #[test]
    fn the_other_phase_needs_as_many_as_meet() {
        assert_eq!(meeting(10, 3), 8);
        for count in 1..=7 {
            for others in 1..=count {
                let least = meeting(count, others);
                assert!(least_shared(least, others, count as u32) == 1);
            }
        }
    }

    /// Whichever majority is left, `(F + 1) / 2` of it at least (rounded down) were in a fast quorum, its leader counted.
    #[test]
    fn fast_quorums_are_epaxoss_and_leave_enough_to_recover() {
        assert_eq!([3, 5, 7].map(fast_quorum), [2, 3, 5]);
        for (replicas, failures) in [(3, 1), (5, 2), (7, 3), (9, 4)] {
            let fast = fast_quorum(replicas);
            assert!(fast >= majority(replicas));
            assert!(least_shared(fast, majority(replicas), replicas as u32) >= usize::div_ceil(failures, 2));
        }
    }

    /// With so many lost, whoever they are, both phases have a quorum; and not if it says otherwise.
    #[test]
    fn what_survives_has_a_quorum_for_each_phase() {
        for count in 1..=6u32 {
            let all = members(count);
            let sizes =
                (1..=count as usize).map(|phase2| Quorums::Sizes { phase1: meeting(count as usize, phase2), phase2 });
            let grids = (1..=count as usize).filter(|columns| (count as usize).is_multiple_of(*columns));
            let grids = grids.map(|columns| Quorums::Grid { columns });
            for quorums in sizes.chain(grids).chain([Quorums::Majority]) {
                for lost in 0..=count as usize {
                    let is_left = |set: u32| move |node: NodeId| set >> node.0 & 1 == 0;
                    let serves = |set| quorums.is_phase1(&all, is_left(set)) && quorums.is_phase2(&all, is_left(set));
                    let survives = sets_of(lost, count).all(serves);
                    assert_eq!(quorums.survives(count as usize, lost), survives, "{quorums:?}, {lost} of {count}");
                }
            }
        }
    }

    fn members(count: u32) -> Vec<NodeId> {
        (0..count).map(NodeId).collect()
    }

    /// Every set of members as a bit mask.
    fn sets(count: u32) -> impl Iterator<Item = u32> {
        0..1 << count
    }

    /// Section 3: what `fits` accepts meets, and what it refuses can miss; every set against every other.
    #[test]
    fn quorums_that_fit_meet_and_others_can_miss() {
        for count in 1..=6 {
            let all = members(count);
            let sizes = (1..=count as usize)
                .flat_map(|phase1| (1..=count as usize).map(move |phase2| Quorums::Sizes { phase1, phase2 }));
            let grids = (1..=count as usize).map(|columns| Quorums::Grid { columns });
            for quorums in sizes.chain(grids).chain([Quorums::Majority]) {
                let in_set = |set: u32| move |node: NodeId| set >> node.0 & 1 == 1;
                let firsts = sets(count).filter(|set| quorums.is_phase1(&all, in_set(*set)));
                let seconds: Vec<u32> = sets(count).filter(|set| quorums.is_phase2(&all, in_set(*set))).collect();
                let meet = firsts.into_iter().all(|first| seconds.iter().all(|second| first & second != 0));
                let fits = quorums.fits(count as usize).is_ok();
                match quorums {
                    Quorums::Majority | Quorums::Sizes { .. } => assert_eq!(meet, fits, "{quorums:?} of {count}"),
                    // A grid with a ragged last row may meet by luck.
                    Quorums::Grid { .. } => assert!(meet || !fits, "{quorums:?} of {count}"),
                }
            }
        }
    }

    #[test]
    fn a_refusal_says_what_would_do() {
        let refused = Quorums::Sizes { phase1: 2, phase2: 2 }.fits(4).unwrap_err();
        assert!(refused.contains("at least 3 in phase 1 or 3 in phase 2"), "{refused}");
    }
}
