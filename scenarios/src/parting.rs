//! Where two runs of the same scenario and seed part: a run and a record of it, or two that should be the same.
//!
//! A record holds what the fingerprint was after each second. The first that differs names the second in which the two went
//! apart; what happened in it now can be shown by running it again. Where both runs can be told event by event, because one
//! left a trace or because both can be run again, [`Comparison`] finds the first event that differs.

use crate::execute::{Options, Row, What};
use crate::record::run;
use crate::scenario::Scenario;
use crate::systems::System;
use history::RunRecord;
use sim_core::time::SECOND;
use std::collections::VecDeque;

/// How many events of the second are shown.
const ROWS: usize = 20;

/// How many events are shown before the first that differs …
const BEFORE: usize = 5;

/// … and how many of each run from it on.
const FROM: usize = 4;

/// How often two runs that parted are run again to see them part.
const TRIES: usize = 3;

/// The second in which two runs parted, and how it begins now.
#[derive(Clone, Debug)]
pub struct Parting {
    /// Counted from 0.
    pub second: u64,
    /// Its first events.
    pub rows: Vec<Row>,
}

/// Compares a run with the recorded checkpoints of another (or the first digits of them). `None` if they never part.
pub fn parting(scenario: &Scenario, found: &RunRecord, recorded: &[&str], systems: &[System]) -> Option<Parting> {
    let second = parted_in(&found.checkpoints, recorded)?;
    let mut rows = Vec::new();
    let mut sink = |more: Vec<Row>| {
        let within = more.into_iter().filter(|row| row.at >= second * SECOND && row.what != What::Sent);
        rows.extend(within.take(ROWS.saturating_sub(rows.len())));
    };
    let mut options = Options { trace: Some(&mut sink), ..Options::default() };
    // It has run before, so it runs again; if not, there is nothing to show.
    let _ = run(scenario, found.seed, systems, &mut options);
    Some(Parting { second, rows })
}

/// The second in which two runs part, by what their fingerprints were after each.
fn parted_in(found: &[String], recorded: &[impl AsRef<str>]) -> Option<u64> {
    let agree = |(found, recorded): (&String, &_)| found.starts_with(AsRef::<str>::as_ref(recorded));
    let agreed = found.iter().zip(recorded).take_while(|pair| agree(*pair)).count();
    (agreed < found.len() || agreed < recorded.len()).then_some(agreed as u64)
}

/// Two runs that should have been the same.
#[derive(Clone, Debug)]
pub struct Rift {
    /// The second in which they parted, counted from 0.
    pub second: u64,
    /// How they parted when they were run once more, if they did again.
    pub fork: Option<Fork>,
}

/// Looks for where two runs of one seed parted, by running both again with a trace of that second alone. What does not depend
/// on the seed may part another time elsewhere, and is followed there.
pub fn rift(scenario: &Scenario, one: &RunRecord, other: &RunRecord, systems: &[System]) -> Rift {
    let last = one.checkpoints.len() as u64;
    let mut second = parted_in(&one.checkpoints, &other.checkpoints).unwrap_or(last);
    for _ in 0..TRIES {
        let (first, again) = (told(scenario, one.seed, second, systems), told(scenario, one.seed, second, systems));
        let mut comparison = Comparison::new(first.0.into_iter().map(Ok::<Row, ()>));
        again.0.into_iter().for_each(|row| comparison.push(row));
        if let Compared::Forked(fork) = comparison.finish() {
            return Rift { second, fork: Some(fork) };
        }
        match parted_in(&first.1, &again.1) {
            Some(parted) if parted != second => second = parted,
            Some(_) | None => break,
        }
    }
    Rift { second, fork: None }
}

/// What happens in a second, and the checkpoints up to then.
fn told(scenario: &Scenario, seed: u64, second: u64, systems: &[System]) -> (Vec<Row>, Vec<String>) {
    let mut rows = Vec::new();
    let mut sink = |more: Vec<Row>| rows.extend(more);
    let stretches = [(second * SECOND, (second + 1) * SECOND)];
    let mut options = Options { trace: Some(&mut sink), stretches: Some(&stretches), ..Options::default() };
    let checkpoints = run(scenario, seed, systems, &mut options).map(|run| run.record.checkpoints);
    (rows, checkpoints.unwrap_or_default())
}

/// How two runs part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The last events that are the same in both.
    pub before: Vec<Row>,
    /// What comes then in the one that was there first; nothing if it ends there.
    pub recorded: Vec<Row>,
    /// What comes then in the other; likewise.
    pub found: Vec<Row>,
}

/// What came of comparing two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared<E> {
    /// Nothing differs, in so many events.
    Same(u64),
    /// They part.
    Forked(Fork),
    /// They do not differ as far as the first can be read: so many events.
    Unread(u64, E),
}

/// Compares the rows of a run, as they come, with those of another.
#[derive(Debug)]
pub struct Comparison<I, E> {
    recorded: I,
    same: u64,
    before: VecDeque<Row>,
    outcome: Option<Compared<E>>,
}

impl<E, I: Iterator<Item = Result<Row, E>>> Comparison<I, E> {
    /// Begins to compare with these.
    pub fn new(recorded: I) -> Self {
        Comparison { recorded, same: 0, before: VecDeque::new(), outcome: None }
    }

    /// Whether further rows can change nothing.
    pub fn is_over(&self) -> bool {
        match &self.outcome {
            None => false,
            Some(Compared::Forked(fork)) => fork.found.len() >= FROM,
            Some(Compared::Same(_) | Compared::Unread(..)) => true,
        }
    }

    /// Takes the next row.
    pub fn push(&mut self, row: Row) {
        match &mut self.outcome {
            Some(Compared::Forked(fork)) if fork.found.len() < FROM => fork.found.push(row),
            Some(_) => {}
            None => match self.recorded.next() {
                Some(Err(error)) => self.outcome = Some(Compared::Unread(self.same, error)),
                Some(Ok(recorded)) if is_same(&recorded, &row) => {
                    self.same += 1;
                    if self.before.len() == BEFORE {
                        self.before.pop_front();
                    }
                    self.before.push_back(row);
                }
                recorded => {
                    let first = recorded.and_then(Result::ok);
                    self.fork(first, vec![row]);
                }
            },
        }
    }

    /// There are no further rows.
    pub fn finish(mut self) -> Compared<E> {
        if self.outcome.is_none() {
            match self.recorded.next() {
                None => return Compared::Same(self.same),
                Some(Err(error)) => return Compared::Unread(self.same, error),
                Some(Ok(first)) => self.fork(Some(first), Vec::new()),
            }
        }
        self.outcome.unwrap_or(Compared::Same(self.same))
    }

    fn fork(&mut self, first: Option<Row>, found: Vec<Row>) {
        let mut recorded: Vec<Row> = first.into_iter().collect();
        if !recorded.is_empty() {
            recorded.extend(self.recorded.by_ref().map_while(Result::ok).take(FROM - 1));
        }
        let before = std::mem::take(&mut self.before).into();
        self.outcome = Some(Compared::Forked(Fork { before, recorded, found }));
    }
}

/// Whether two rows tell of the same event. What else they say is how a trace is written.
fn is_same(one: &Row, other: &Row) -> bool {
    (one.at, one.step, one.what, &one.from, &one.to, &one.text)
        == (other.at, other.step, other.what, &other.from, &other.to, &other.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: u64) -> Row {
        let (from, to, text) = ("n1".to_owned(), String::new(), "leader".to_owned());
        Row { at, step: at, what: What::Role, from, to, text, takes: 0, letter: None }
    }

    fn compared(recorded: Vec<Result<Row, &'static str>>, found: &[u64]) -> Compared<&'static str> {
        let mut comparison = Comparison::new(recorded.into_iter());
        found.iter().for_each(|at| comparison.push(row(*at)));
        comparison.finish()
    }

    fn rows(ats: &[u64]) -> Vec<Row> {
        ats.iter().map(|at| row(*at)).collect()
    }

    #[test]
    fn the_first_event_that_differs_is_found_with_its_neighbours() {
        let recorded = |ats: &[u64]| rows(ats).into_iter().map(Ok).collect();
        let fork = |before: &[u64], recorded: &[u64], found: &[u64]| {
            Compared::Forked(Fork { before: rows(before), recorded: rows(recorded), found: rows(found) })
        };
        assert_eq!(compared(recorded(&[1, 2, 3]), &[1, 2, 3]), Compared::Same(3));
        assert_eq!(compared(recorded(&[]), &[]), Compared::Same(0));
        assert_eq!(compared(recorded(&[1, 2, 3]), &[1, 4, 5]), fork(&[1], &[2, 3], &[4, 5]));
        assert_eq!(compared(recorded(&[1]), &[1, 2]), fork(&[1], &[], &[2]), "the first ends");
        assert_eq!(compared(recorded(&[1, 2]), &[1]), fork(&[1], &[2], &[]), "the other ends");
        let long: Vec<u64> = (1..100).collect();
        let other: Vec<u64> = (1..50).chain(1000..1050).collect();
        assert_eq!(
            compared(recorded(&long), &other),
            fork(&[45, 46, 47, 48, 49], &[50, 51, 52, 53], &[1000, 1001, 1002, 1003])
        );
    }

    #[test]
    fn what_cannot_be_read_differs_from_nothing() {
        assert_eq!(compared(vec![Ok(row(1)), Err("torn")], &[1, 2, 3]), Compared::Unread(1, "torn"));
        assert_eq!(compared(vec![Err("torn")], &[]), Compared::Unread(0, "torn"));
    }

    #[test]
    fn a_second_is_named_by_the_first_checkpoint_that_differs() {
        let found = ["aa11", "bb22", "cc33"].map(str::to_owned);
        assert_eq!(parted_in(&found, &["aa11", "bb22", "cc33"]), None);
        assert_eq!(parted_in(&found, &["aa", "bb", "cc"]), None, "their first digits do");
        assert_eq!(parted_in(&found, &["aa11", "0000", "cc33"]), Some(1));
        assert_eq!(parted_in(&found, &["aa11", "bb22"]), Some(2), "one is longer");
        assert_eq!(parted_in(&found[..1], &["aa11", "bb22"]), Some(1));
    }
}
