//! Where a run parts from a recorded one of the same scenario and seed.
//!
//! A record holds what the fingerprint was after each second. The first that differs names the second in which the two went
//! apart; what happened in it now can be shown by running it again.

use crate::execute::{Options, Row, What};
use crate::record::run;
use crate::scenario::Scenario;
use crate::systems::System;
use history::RunRecord;
use sim_core::time::SECOND;

/// How many events of the second are shown.
const ROWS: usize = 20;

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
    let agree = |(found, recorded): (&String, &&str)| found.starts_with(recorded);
    let agreed = found.checkpoints.iter().zip(recorded).take_while(|pair| agree(*pair)).count();
    if agreed == found.checkpoints.len() && agreed == recorded.len() {
        return None;
    }
    let second = agreed as u64;
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
