//! What a member knows of the others, and which news counts (SWIM, 4.2).
//!
//! The picture: rumours about the people of a town, each with the number of the last word that the person gave of himself. He
//! alone gives a word with the next number, and a later word beats all that is said by earlier ones. By the same number bad
//! news beats good news: *alive*, then *suspect*, then *dead*, then *left*. So of two pieces of news about somebody one always
//! counts, whoever hears them in whichever order, and whoever has heard the same believes the same.
//!
//! The paper lets *confirm* beat everything for ever, and who comes back comes under another name. Here a member that was
//! taken for dead, rightly or not, comes back by a higher incarnation.

use serde::Serialize;
use sim_core::protocol::NodeId;
use std::collections::BTreeMap;

/// What is said of a member. By the same incarnation the later of these counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Status {
    /// It says so itself.
    Alive,
    /// Somebody has not heard of it when he should have.
    Suspect,
    /// It was suspected for so long that it is taken for dead (the paper's *confirm*).
    Dead,
    /// It says itself that it is a member no more.
    Left,
}

/// What is known of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Standing {
    /// The number of its own last word. Nobody else raises it.
    pub incarnation: u64,
    /// What has been said of it since.
    pub status: Status,
}

impl Standing {
    /// Whether it is a member, as far as one knows.
    pub fn is_living(self) -> bool {
        matches!(self.status, Status::Alive | Status::Suspect)
    }
}

/// A piece of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct News {
    /// Of whom.
    pub of: NodeId,
    /// What.
    pub standing: Standing,
    /// Who says so.
    pub by: NodeId,
}

/// What a piece of news is to somebody who hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It counts.
    New,
    /// He knew; but somebody else may have found the same.
    Same,
    /// He knows better.
    Old,
}

/// Everybody that a member has heard of, itself included.
#[derive(Clone, Debug, Default)]
pub struct Members {
    all: BTreeMap<NodeId, Standing>,
    living: u64,
    /// Of whom something else is known since the present step began.
    changed: Vec<NodeId>,
    /// Whether the mistake F02 is made.
    alive_overrides: bool,
}

impl Members {
    /// Nobody.
    pub fn new(alive_overrides: bool) -> Self {
        Members { alive_overrides, ..Members::default() }
    }

    /// What is known of somebody.
    pub fn get(&self, node: NodeId) -> Option<Standing> {
        self.all.get(&node).copied()
    }

    /// Everybody, by name.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, Standing)> + '_ {
        self.all.iter().map(|(node, standing)| (*node, *standing))
    }

    /// Whether somebody is a member, as far as one knows.
    pub fn is_living(&self, node: NodeId) -> bool {
        self.get(node).is_some_and(Standing::is_living)
    }

    /// How many are.
    pub fn living(&self) -> u64 {
        self.living
    }

    /// What a piece of news is worth.
    pub fn worth(&self, news: &News) -> Worth {
        let Some(known) = self.get(news.of) else { return Worth::New };
        if self.lets_clear(news.standing, known) {
            return Worth::New;
        }
        match news.standing.cmp(&known) {
            std::cmp::Ordering::Greater => Worth::New,
            std::cmp::Ordering::Equal => Worth::Same,
            std::cmp::Ordering::Less => Worth::Old,
        }
    }

    /// The mistake F02: good news counts although it is no newer than the suspicion.
    pub fn lets_clear(&self, theirs: Standing, ours: Standing) -> bool {
        let clears = theirs.status == Status::Alive && ours.status == Status::Suspect;
        self.alive_overrides && clears && theirs.incarnation == ours.incarnation
    }

    /// From now on this is known of somebody. What was known before.
    pub fn set(&mut self, node: NodeId, standing: Standing) -> Option<Standing> {
        let before = self.all.insert(node, standing);
        self.living += u64::from(standing.is_living());
        self.living -= u64::from(before.is_some_and(Standing::is_living));
        self.changed.push(node);
        before
    }

    /// A step begins.
    pub fn begin_step(&mut self) {
        self.changed.clear();
    }

    /// Of whom something else is known since it began.
    pub fn changed(&self) -> &[NodeId] {
        &self.changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: NodeId = NodeId(0);
    const BEN: NodeId = NodeId(1);
    const ALL: [Status; 4] = [Status::Alive, Status::Suspect, Status::Dead, Status::Left];

    fn news(status: Status, incarnation: u64) -> News {
        News { of: BEN, standing: Standing { incarnation, status }, by: ANN }
    }

    fn knowing(status: Status, incarnation: u64, alive_overrides: bool) -> Members {
        let mut members = Members::new(alive_overrides);
        members.set(BEN, news(status, incarnation).standing);
        members
    }

    /// SWIM, 4.2, line by line; in the last one *confirm* holds only for incarnations up to its own.
    #[test]
    fn news_counts_as_in_the_paper() {
        let counts = |status, i, over, j| knowing(over, j, false).worth(&news(status, i)) == Worth::New;
        for j in 0..4 {
            for i in 0..4 {
                assert_eq!(counts(Status::Alive, i, Status::Suspect, j), i > j);
                assert_eq!(counts(Status::Alive, i, Status::Alive, j), i > j);
                assert_eq!(counts(Status::Suspect, i, Status::Suspect, j), i > j);
                assert_eq!(counts(Status::Suspect, i, Status::Alive, j), i >= j);
                assert_eq!(counts(Status::Dead, i, Status::Alive, j), i >= j);
                assert_eq!(counts(Status::Dead, i, Status::Suspect, j), i >= j);
                assert_eq!(counts(Status::Alive, i, Status::Dead, j), i > j);
            }
        }
    }

    #[test]
    fn of_two_pieces_of_news_one_counts_in_whichever_order_they_come() {
        let hear = |all: [News; 2]| {
            let mut members = Members::new(false);
            for news in all.iter() {
                if members.worth(news) == Worth::New {
                    members.set(news.of, news.standing);
                }
            }
            members.get(BEN)
        };
        for (a, b, i, j) in ALL.into_iter().flat_map(|a| {
            ALL.into_iter().flat_map(move |b| (0..3).flat_map(move |i| (0..3).map(move |j| (a, b, i, j))))
        }) {
            let (one, other) = (news(a, i), news(b, j));
            assert_eq!(hear([one, other]), hear([other, one]));
        }
    }

    #[test]
    fn with_the_mistake_old_good_news_clears_a_suspicion_and_nothing_else() {
        let worth = |status, known| knowing(known, 1, true).worth(&news(status, 1));
        assert_eq!(worth(Status::Alive, Status::Suspect), Worth::New);
        assert_eq!(worth(Status::Alive, Status::Dead), Worth::Old);
        assert_eq!(knowing(Status::Suspect, 1, true).worth(&news(Status::Alive, 0)), Worth::Old);
    }

    #[test]
    fn the_living_are_counted() {
        let mut members = Members::new(false);
        let mut set = |status| {
            members.set(BEN, news(status, 0).standing);
            members.living()
        };
        assert_eq!(ALL.map(&mut set), [1, 1, 0, 0]);
        assert_eq!(set(Status::Alive), 1);
        assert_eq!(members.changed().len(), 5);
    }
}
