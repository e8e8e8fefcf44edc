//! Whether the system served.
//!
//! No system serves without the nodes and links it needs, so it can only be asked to serve where it could: an operation was
//! *possible* if at some instant between its invocation and its deadline the nodes that its client could reach would have
//! been enough for some protocol of this kind ([`sim_core::protocol::Protocol::can_serve`]). A demand is measured
//! against that. Where it never was possible, nothing was tested, and the verdict is VACUOUS with the reason.

use super::{Judge, Ruling};
use crate::execute::OpFact;
use crate::outage::Gap;
use history::figures::{counted, grouped, measured, percent};
use history::{Availability, LatencySummary, Purpose, Verdict};
use sim_core::dice::Ratio;
use sim_core::time::{Nanos, format_duration};

/// Of the load's operations.
#[derive(Clone, Copy)]
pub(super) struct Tally {
    /// How many there were.
    pub all: u64,
    /// How many were served in time.
    pub served: u64,
    /// How many could have been.
    pub possible: u64,
}

/// `whole` is not 0.
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

impl Judge<'_> {
    pub(super) fn progress(&self) -> Ruling {
        if !self.finished.whole {
            return self.unfinished();
        }
        let reads = self.finished.facts.iter().filter(|op| op.purpose == Purpose::FinalRead);
        let mut asked: Vec<&OpFact> = reads.collect();
        // There may be more keys than time: only those begun in the first half of the time must be answered.
        let last = asked.iter().map(|op| op.invoked).min().unwrap_or(0).midpoint(self.finished.end);
        asked.retain(|op| op.served.is_some() || op.invoked <= last);
        let demanded = asked.iter().filter(|op| op.was_possible()).count();
        let answered = asked.iter().filter(|op| op.served.is_some()).count();
        let settle = format_duration(self.scenario.settle);
        if demanded == 0 && !asked.is_empty() {
            let detail = format!("premise not met: nobody could have served the reader in the {settle} of settle");
            return Ruling::new(Verdict::Vacuous, detail);
        }
        if answered < demanded || asked.is_empty() {
            let reads = counted(demanded as u64, "final read");
            let detail = format!("{answered} of {reads} answered, {settle} after everything healed");
            return Ruling::new(Verdict::Fail, detail);
        }
        let healed = self.scenario.duration;
        let all = self.finished.facts.iter().filter_map(|op| op.served);
        let first = all.filter(|served| *served >= healed).min().unwrap_or(self.finished.end);
        let after = measured(first - healed);
        let reads = counted(answered as u64, "final read");
        let detail = format!("served within {after} of everything healing, {reads} answered");
        Ruling::new(Verdict::Pass, detail)
    }

    pub(super) fn tally(&self) -> Tally {
        self.load().fold(Tally { all: 0, served: 0, possible: 0 }, |tally, op| Tally {
            all: tally.all + 1,
            served: tally.served + u64::from(op.served.is_some()),
            possible: tally.possible + u64::from(op.was_possible()),
        })
    }

    pub(super) fn availability(&self) -> Option<Availability> {
        let Tally { all, served, possible } = self.tally();
        (all > 0).then(|| Availability { achieved: share(served, all), possible: share(possible, all) })
    }

    pub(super) fn recovery(&self, at_most: Nanos) -> Ruling {
        let vacuous = |detail: &str| Ruling::new(Verdict::Vacuous, detail);
        if self.finished.strikes.is_empty() {
            return vacuous("no fault struck, so there was nothing to recover from");
        }
        if self.load().next().is_none() {
            return vacuous("no operations");
        }
        let struck = self.finished.strikes.iter().map(|strike| strike.from).min();
        if self.load().all(|op| Some(op.waited_until()) <= struck) {
            return vacuous("nobody asked for anything after the first fault struck");
        }
        recovered(self.gaps, at_most)
    }

    /// How long these took. One that was not served took at least until its client gave up.
    fn latencies<'a>(ops: impl Iterator<Item = &'a OpFact>) -> Vec<Nanos> {
        ops.map(|op| op.waited_until() - op.invoked).collect()
    }

    pub(super) fn latency(&self) -> Option<LatencySummary> {
        let mut latencies = Self::latencies(self.load());
        let mut at = |numerator, denominator| quantile(&mut latencies, Ratio::new(numerator, denominator));
        Some(LatencySummary { p50_ns: at(1, 2)?, p99_ns: at(99, 100)?, max_ns: at(1, 1)? })
    }

    pub(super) fn latency_within(&self, at: Ratio, function: Option<&str>, at_most: Nanos) -> Ruling {
        let functions = self.scenario.loads.first().map_or(&[][..], |load| load.data.functions);
        let wanted = |op: &&OpFact| function.is_none_or(|name| functions[op.function].name == name);
        let asked = self.load().filter(wanted).count();
        let mut latencies = Self::latencies(self.load().filter(wanted).filter(|op| op.was_possible()));
        let Some(took) = quantile(&mut latencies, at) else {
            let detail = match asked {
                0 => "no operations".to_owned(),
                _ => format!("premise not met: of {} none could be served", counted(asked as u64, "operation")),
            };
            return Ruling::new(Verdict::Vacuous, detail);
        };
        let barred = match asked - latencies.len() {
            0 => String::new(),
            barred => format!("; {} more could not be served", grouped(barred as u64)),
        };
        let detail = format!("{}   (of {}{barred})", measured(took), grouped(latencies.len() as u64));
        Ruling::decided(took <= at_most, detail)
    }
}

/// Whether so large a share of all operations was served.
///
/// The demand is of *all*, for that is what users get. If fewer were possible, no system could have met it, and the run is
/// no test of it: VACUOUS, never a silent PASS. But nobody hides behind a network that allowed little: who did not serve that
/// share even of what was possible fails.
pub(super) fn available(tally: Tally, at_least: Ratio) -> Ruling {
    let Tally { all, served, possible } = tally;
    if all == 0 {
        return Ruling::new(Verdict::Vacuous, "no operations");
    }
    let is_enough = |part: u64, whole: u64| {
        u128::from(part) * u128::from(at_least.denominator) >= u128::from(whole) * u128::from(at_least.numerator)
    };
    let (achieved, bound) = (percent(share(served, all)), percent(share(possible, all)));
    if is_enough(served, all) || is_enough(possible, all) {
        return Ruling::decided(is_enough(served, all), format!("{achieved}   (best possible {bound})"));
    }
    if possible == 0 {
        let detail = format!("premise not met: of {} none could be served", counted(all, "operation"));
        return Ruling::new(Verdict::Vacuous, detail);
    }
    let of_possible = percent(share(served, possible));
    let verdict = if is_enough(served, possible) { Verdict::Vacuous } else { Verdict::Fail };
    Ruling::new(verdict, format!("{achieved}   (more than {bound} was not possible; {of_possible} of that was served)"))
}

/// Whether, each time that it was possible to serve again, somebody was served within this time.
fn recovered(gaps: &[Gap], at_most: Nanos) -> Ruling {
    let Some(worst) = gaps.iter().max_by_key(|gap| gap.chance) else {
        return Ruling::new(Verdict::Pass, "no outage");
    };
    if worst.chance == 0 {
        return Ruling::new(Verdict::Vacuous, "premise not met: in no outage could anybody have served");
    }
    let told = |gap: &Gap| {
        let (chance, outage) = (measured(gap.chance), &gap.outage);
        match gap.barred {
            0 => format!("{chance}   (outage {outage})"),
            barred => {
                let (took, barred) = (measured(outage.length_ns()), measured(barred));
                format!("{chance}   (of {took} {outage}; for {barred} nobody could have served)")
            }
        }
    };
    if worst.chance > at_most {
        return Ruling::new(Verdict::Fail, told(worst));
    }
    // One that the run cut short might have lasted.
    match gaps.iter().find(|gap| gap.chance > 0 && !gap.is_over) {
        Some(open) => Ruling::new(Verdict::Vacuous, format!("{}, not over when the run ended", told(open))),
        None => Ruling::new(Verdict::Pass, told(worst)),
    }
}

/// The smallest value that a share of all are not above (nearest rank). Puts them in another order.
pub(crate) fn quantile(values: &mut [Nanos], share: Ratio) -> Option<Nanos> {
    let rank = (values.len() as u128 * u128::from(share.numerator)).div_ceil(u128::from(share.denominator));
    let place = (rank as usize).saturating_sub(1);
    (place < values.len()).then(|| *values.select_nth_unstable(place).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{Cause, Outage, Who};
    use sim_core::time::SECOND;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let mut values = [30, 10, 40, 20];
        let mut at = |numerator, denominator| quantile(&mut values, Ratio::new(numerator, denominator));
        assert_eq!((at(1, 2), at(99, 100), at(1, 1), at(1, 4)), (Some(20), Some(40), Some(40), Some(10)));
        assert_eq!(quantile(&mut [], Ratio::new(1, 2)), None);
    }

    #[test]
    fn availability_is_of_all_operations_and_a_demand_beyond_the_possible_tests_nothing() {
        let judged = |all, served, possible| {
            let ruling = available(Tally { all, served, possible }, Ratio::new(97, 100));
            (ruling.verdict, ruling.detail)
        };
        assert_eq!(judged(100, 97, 98), (Verdict::Pass, "97.00 %   (best possible 98.00 %)".to_owned()));
        assert_eq!(judged(100, 96, 98).0, Verdict::Fail, "97 of 100 could be had, though 96 of 98 is 98 %");
        let (verdict, detail) = judged(100, 61, 62);
        assert_eq!(verdict, Verdict::Vacuous);
        assert_eq!(detail, "61.00 %   (more than 62.00 % was not possible; 98.38 % of that was served)");
        assert_eq!(judged(100, 30, 62).0, Verdict::Fail, "half of what was possible");
        assert_eq!(judged(100, 0, 0).0, Verdict::Vacuous);
        assert_eq!(judged(0, 0, 0).0, Verdict::Vacuous);
    }

    #[test]
    fn recovery_counts_only_the_time_in_which_service_was_possible() {
        let gap = |chance, barred, is_over| Gap {
            outage: Outage {
                from_ns: 10 * SECOND,
                to_ns: 10 * SECOND + chance + barred,
                who: Who::All,
                cause: Cause::NoLeader,
                causes: Vec::new(),
                faults: vec!["crash-1".to_owned()],
                avoidable_ns: chance,
                missed: 1,
                takeover: None,
            },
            chance,
            barred,
            is_over,
        };
        let judged = |gaps: &[Gap]| {
            let ruling = recovered(gaps, 2 * SECOND);
            (ruling.verdict, ruling.detail)
        };
        assert_eq!(judged(&[]).0, Verdict::Pass);
        let (verdict, detail) = judged(&[gap(SECOND, 5 * SECOND, true), gap(SECOND / 2, 0, true)]);
        assert_eq!(verdict, Verdict::Pass);
        assert_eq!(detail, "1s   (of 6s from 10s, during crash-1: no leader; for 5s nobody could have served)");
        assert_eq!(judged(&[gap(SECOND, 0, true), gap(3 * SECOND, 0, true)]).0, Verdict::Fail);
        assert_eq!(judged(&[gap(0, 9 * SECOND, false)]).0, Verdict::Vacuous, "nobody could have served");
        assert_eq!(judged(&[gap(SECOND, 0, true), gap(0, 9 * SECOND, false)]).0, Verdict::Pass);
        assert_eq!(judged(&[gap(SECOND, 0, false)]).0, Verdict::Vacuous, "who knows how long it would have lasted");
        assert_eq!(judged(&[gap(3 * SECOND, 0, false)]).0, Verdict::Fail, "too long already");
    }
}
