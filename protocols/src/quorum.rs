//! Quorums: which members can answer for all of them.
//!
//! A decision rests on two kinds of question. *Phase 1* asks what may have been decided; *phase 2* decides. What phase 2
//! decided must come to light in every phase 1 after it, so **each phase 1 quorum has to share a member with each phase 2
//! quorum**, and that is all: two phase 2 quorums need not meet (Howard, Malkhi & Spiegelman, *Flexible Paxos*, 2016, sections 3
//! and 4). Majorities are the simplest that do; deciding is quicker and survives more with few in phase 2, and a new leader
//! pays for it in phase 1.

use serde::Serialize;
use sim_core::protocol::NodeId;

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

#[cfg(test)]
mod tests {
    use super::*;

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
