//! How well nodes tell who is down, beside who was: the quality of service of failure detectors (Chen, Toueg and Aguilera,
//! IEEE Transactions on Computers 51, 2002, section 2).
//!
//! Taken of each pair of an observer and a subject while load and faults last:
//!
//! - *detection time* (their T_D): from a crash of the subject to the beginning of the suspicion that lasts as long as the
//!   subject is down; nothing if it was suspected already. What is promised of it leaves out for how long the observer stood
//!   still ([`Claim::Detects`](sim_core::promise::Claim::Detects)): no process suspects anybody while it is paused.
//! - a *mistake*: the observer comes to suspect a subject that is up. Its *duration* (T_M) ends when it is corrected, and
//!   *recurrence* (T_MR) is good time over the number of mistakes.
//! - *query accuracy* (P_A): the share of good time in which the subject is trusted.
//!
//! *Good time* of a pair is while both are up, from when the subject is first trusted in it: how long a node that came back is
//! still distrusted is no mistake about a node that is up, but slowness to see that it is.

use super::{Judge, Ruling, quantile};
use crate::scenario::{Action, Whose};
use history::figures::{counted, grouped, measured, percent};
use history::{DetectionSummary, LatencySummary, Verdict};
use sim_core::dice::Ratio;
use sim_core::protocol::NodeId;
use sim_core::time::{Nanos, SECOND};
use sim_core::world::{Opinion, Passage};
use std::collections::{BTreeMap, BTreeSet};

const HOUR: Nanos = 3600 * SECOND;

/// What came of watching.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Quality {
    /// How many pairs watched.
    pub watched: usize,
    /// For each crash and observer, how long until the suspicion that lasted.
    pub detections: Vec<Nanos>,
    /// For each crash that somebody detected, how long until the first did.
    pub firsts: Vec<Nanos>,
    /// For each crash and each observer but the first, how much later than the first it was.
    pub spreads: Vec<Nanos>,
    /// The same without the time for which the observer stood still.
    awake: Vec<Nanos>,
    /// For each crash and observer that did not suspect in the end, for how long it could have, also without that time.
    pub missed: Vec<Nanos>,
    /// How many.
    pub mistakes: u64,
    /// Those of and by nodes that no fault struck.
    pub healthy_mistakes: u64,
    /// Those of nodes that no fault struck, by whomever.
    pub mistakes_of_healthy: u64,
    /// How long those took that were corrected, and how many these are.
    corrected: (u128, u64),
    /// Of all pairs.
    good: u128,
    /// How much of it the subject was trusted.
    trusted: u128,
}

impl Quality {
    /// How many mistakes there were.
    pub(super) fn mistakes_of(&self, whose: Whose) -> u64 {
        match whose {
            Whose::All => self.mistakes,
            Whose::Healthy => self.healthy_mistakes,
            Whose::OfHealthy => self.mistakes_of_healthy,
        }
    }

    /// The mean time from one mistake of a pair to the next, and how many mistakes there were.
    pub(super) fn recurrence(&self) -> Option<(Nanos, usize)> {
        Some((self.good.checked_div(u128::from(self.mistakes))? as Nanos, self.mistakes as usize))
    }

    /// The mean time until a mistake was corrected, and how many were.
    pub(super) fn duration(&self) -> Option<(Nanos, usize)> {
        let (sum, count) = self.corrected;
        Some((sum.checked_div(u128::from(count))? as Nanos, count as usize))
    }

    /// The share of good time in which the subject was trusted, and how many pairs there were.
    pub(super) fn accuracy(&self) -> Option<(f64, usize)> {
        (self.good > 0).then(|| (self.trusted as f64 / self.good as f64, self.watched))
    }

    /// For a report; `None` if nobody watched anybody.
    fn summary(&self, messages_per_node_second: f64) -> Option<DetectionSummary> {
        let mut times = self.detections.clone();
        let mut time = |share| quantile(&mut times, share);
        let (half, most, all) = (time(Ratio::new(1, 2)), time(Ratio::new(99, 100)), time(Ratio::new(1, 1)));
        let hours = self.good as f64 / HOUR as f64;
        (self.watched > 0).then(|| DetectionSummary {
            pairs: self.watched as u64,
            crashes: self.firsts.len() as u64,
            time: half.zip(most).zip(all).map(|((p50_ns, p99_ns), max_ns)| LatencySummary { p50_ns, p99_ns, max_ns }),
            missed: self.missed.len() as u64,
            mistakes: self.mistakes,
            mistakes_of_healthy: self.mistakes_of_healthy,
            mistakes_per_pair_hour: (self.good > 0).then(|| self.mistakes as f64 / hours),
            mistake_duration_ns: self.duration().map(|(mean, _)| mean),
            query_accuracy: self.accuracy().map(|(share, _)| share),
            messages_per_node_second,
        })
    }
}

impl Judge<'_> {
    pub(super) fn quality(&self) -> Quality {
        let finished = self.finished;
        let struck = finished.strikes.iter().flat_map(|strike| &strike.met).flat_map(|(_, machines)| machines);
        let struck: BTreeSet<&str> = struck.map(String::as_str).collect();
        let end = self.scenario.duration.min(finished.end);
        let nodes = self.plan.nodes.len() as u32;
        let stalls: Vec<Vec<Span>> = (0..nodes).map(|node| self.stalls(&NodeId(node).to_string())).collect();
        let is_healthy = |node: NodeId| !struck.contains(&*node.to_string());
        quality(&finished.opinions, &finished.passages, &stalls, end, is_healthy)
    }

    /// When a node stood still, or its messages waited, in order and apart.
    fn stalls(&self, node: &str) -> Vec<Span> {
        let is_pause = |fault: usize| matches!(self.scenario.faults[fault].action, Action::Pause { .. });
        let pauses = self.finished.strikes.iter().filter(|strike| is_pause(strike.fault));
        let met = pauses.filter(|strike| strike.met.iter().any(|(_, machines)| machines.iter().any(|it| it == node)));
        apart(met.map(|strike| (strike.from, strike.to)).collect())
    }

    /// What watching came to, and what it cost.
    pub(super) fn detection(&self) -> Option<DetectionSummary> {
        let nodes = self.plan.nodes.len().max(1) as f64;
        let seconds = self.finished.end.max(1) as f64 / SECOND as f64;
        self.quality().summary(self.finished.messages as f64 / nodes / seconds)
    }

    pub(super) fn detected(&self, within: Nanos) -> Ruling {
        let quality = self.quality();
        let late = quality.awake.iter().filter(|time| **time > within).count();
        let missed = quality.missed.iter().filter(|could| **could > within).count();
        if quality.detections.is_empty() && missed == 0 {
            return Ruling::new(Verdict::Vacuous, "nobody who watched a node was up when it was down for so long");
        }
        let seen = counted(quality.detections.len() as u64, "detection");
        let slowest = quality.awake.iter().max().map(|slowest| format!(", the slowest {}", measured(*slowest)));
        let detail = format!(
            "{seen}{}, {} too late, {} missed{}",
            slowest.unwrap_or_default(),
            grouped(late as u64),
            grouped(missed as u64),
            if quality.awake == quality.detections { "" } else { "   (while the observer did not stand still)" }
        );
        Ruling::decided(late + missed == 0, detail)
    }

    pub(super) fn few_mistakes(&self, whose: Whose, at_most: u64) -> Ruling {
        let quality = self.quality();
        if quality.watched == 0 {
            return nobody_watched();
        }
        let mistakes = quality.mistakes_of(whose);
        let pairs = counted(quality.watched as u64, "pair");
        Ruling::decided(mistakes <= at_most, format!("{}   ({pairs} of nodes)", grouped(mistakes)))
    }

    pub(super) fn accurate(&self, at_least: Ratio) -> Ruling {
        let quality = self.quality();
        if quality.good == 0 {
            return nobody_watched();
        }
        // Shares of times that add up to far less than 2^96 nanoseconds.
        let enough =
            quality.trusted * u128::from(at_least.denominator) >= quality.good * u128::from(at_least.numerator);
        let share = percent(quality.trusted as f64 / quality.good as f64);
        Ruling::decided(enough, format!("{share}   ({})", counted(quality.mistakes, "mistake")))
    }
}

fn nobody_watched() -> Ruling {
    Ruling::new(Verdict::Vacuous, "no node watched another")
}

/// A stretch of time.
type Span = (Nanos, Nanos);

/// What an observer takes a subject to be, one stretch after the other.
type Beliefs = Vec<(Span, bool)>;

fn quality(
    opinions: &[Opinion],
    passages: &[Passage],
    stalls: &[Vec<Span>],
    end: Nanos,
    is_healthy: impl Fn(NodeId) -> bool,
) -> Quality {
    let ups: Vec<Vec<Span>> = (0..stalls.len() as u32).map(|node| up_times(passages, NodeId(node), end)).collect();
    let mut minds: BTreeMap<(NodeId, NodeId), Vec<&Opinion>> = BTreeMap::new();
    for opinion in opinions.iter().filter(|opinion| opinion.by != opinion.of && opinion.at < end) {
        minds.entry((opinion.of, opinion.by)).or_default().push(opinion);
    }
    let mut quality = Quality { watched: minds.len(), ..Quality::default() };
    let mut found: BTreeMap<(NodeId, Nanos), Vec<Nanos>> = BTreeMap::new();
    for ((of, by), opinions) in &minds {
        let beliefs = beliefs(opinions, &ups[by.0 as usize]);
        let awake = |(from, to): Span| to - from - overlap((from, to), &stalls[by.0 as usize]);
        for (down, back) in gaps(&ups[of.0 as usize], end) {
            match detection(&beliefs, (down, back)) {
                Some(Ok(time)) => {
                    quality.detections.push(time);
                    quality.awake.push(awake((down, down + time)));
                    found.entry((*of, down)).or_default().push(time);
                }
                Some(Err(could)) => quality.missed.push(awake((down, down + could))),
                None => {}
            }
        }
        let before = quality.mistakes;
        for up in &ups[of.0 as usize] {
            add_good_time(&mut quality, &beliefs, *up);
        }
        if is_healthy(*of) {
            let more = quality.mistakes - before;
            quality.mistakes_of_healthy += more;
            quality.healthy_mistakes += if is_healthy(*by) { more } else { 0 };
        }
    }
    for mut times in found.into_values() {
        times.sort_unstable();
        let first = times[0];
        quality.firsts.push(first);
        quality.spreads.extend(times[1..].iter().map(|time| time - first));
    }
    quality
}

/// The same time, in order and without overlaps.
fn apart(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut apart: Vec<Span> = Vec::new();
    for (from, to) in spans {
        match apart.last_mut().filter(|(_, last)| from <= *last) {
            Some((_, last)) => *last = to.max(*last),
            None => apart.push((from, to)),
        }
    }
    apart
}

/// How much of it is in these.
fn overlap((from, to): Span, spans: &[Span]) -> Nanos {
    spans.iter().map(|(begin, end)| (*end).min(to).saturating_sub((*begin).max(from))).sum()
}

/// When a node was up.
fn up_times(passages: &[Passage], node: NodeId, end: Nanos) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut since = None;
    for passage in passages.iter().filter(|passage| passage.node == node && passage.at < end) {
        match (passage.is_up, since) {
            (true, None) => since = Some(passage.at),
            (false, Some(from)) => {
                spans.push((from, passage.at));
                since = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    spans.extend(since.map(|from| (from, end)));
    spans
}

/// When it was down, but for before it first came up.
fn gaps(ups: &[Span], end: Nanos) -> impl Iterator<Item = Span> {
    let next = ups.iter().skip(1).map(|(from, _)| *from).chain([end]);
    ups.iter().map(|(_, to)| *to).zip(next).filter(|(from, to)| from < to)
}

/// Each opinion holds until the next, or until the observer dies.
fn beliefs(opinions: &[&Opinion], ups: &[Span]) -> Beliefs {
    let mut beliefs = Beliefs::new();
    for (i, opinion) in opinions.iter().enumerate() {
        let alive = ups.iter().find(|(from, to)| (*from..*to).contains(&opinion.at));
        let Some((_, dies)) = alive else { continue };
        let until = opinions.get(i + 1).map_or(*dies, |next| next.at.min(*dies));
        match beliefs.last_mut() {
            // It said the same again.
            Some(((_, to), is_down)) if *to == opinion.at && *is_down == opinion.is_down => *to = until,
            Some(_) | None => beliefs.push(((opinion.at, until), opinion.is_down)),
        }
    }
    beliefs
}

/// How long until an observer suspected for good who went down, or how long it could have if it did not; `None` if it did not
/// watch then.
fn detection(beliefs: &Beliefs, (down, back): Span) -> Option<Result<Nanos, Nanos>> {
    let at_crash = beliefs.partition_point(|((_, to), _)| *to <= down);
    beliefs.get(at_crash).filter(|((from, _), _)| *from <= down)?;
    let watching = beliefs[at_crash..].windows(2).take_while(|pair| pair[0].0.1 == pair[1].0.0 && pair[1].0.0 < back);
    let last = at_crash + watching.count();
    let ((from, to), is_down) = beliefs[last];
    Some(if is_down { Ok(from.saturating_sub(down)) } else { Err(to.min(back) - down) })
}

/// Adds what an observer took a subject to be while that was up.
fn add_good_time(quality: &mut Quality, beliefs: &Beliefs, (up, down): Span) {
    let first = beliefs.partition_point(|((_, to), _)| *to <= up);
    let (mut trusts, mut until) = (false, 0);
    let watching = beliefs.iter().enumerate().skip(first).take_while(|(_, ((from, _), _))| *from < down);
    for (i, ((from, to), is_down)) in watching {
        if *from > until {
            // It begins to watch, after it came back.
            trusts = false;
        }
        until = *to;
        trusts |= !is_down;
        if !trusts {
            continue;
        }
        let length = u128::from((*to).min(down) - (*from).max(up));
        quality.good += length;
        if !is_down {
            quality.trusted += length;
            continue;
        }
        quality.mistakes += 1;
        let is_corrected = *to < down && beliefs.get(i + 1).is_some_and(|((next, _), is_down)| next == to && !is_down);
        if is_corrected {
            quality.corrected = (quality.corrected.0 + length, quality.corrected.1 + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: NodeId = NodeId(0);
    const BEN: NodeId = NodeId(1);

    fn deems(at: Nanos, is_down: bool) -> Opinion {
        Opinion { at, by: ANN, of: BEN, is_down }
    }

    fn passes(at: Nanos, node: NodeId, is_up: bool) -> Passage {
        Passage { at, node, is_up }
    }

    fn of(opinions: &[Opinion], later: &[Passage]) -> Quality {
        while_ann_stalls(&[], opinions, later)
    }

    fn while_ann_stalls(stalls: &[Span], opinions: &[Opinion], later: &[Passage]) -> Quality {
        let passages: Vec<Passage> =
            [passes(0, ANN, true), passes(0, BEN, true)].into_iter().chain(later.iter().copied()).collect();
        quality(opinions, &passages, &[stalls.to_vec(), vec![]], 1000, |node| node == ANN)
    }

    #[test]
    fn what_is_promised_is_not_counted_while_the_observer_stands_still() {
        assert_eq!(apart(vec![(300, 400), (50, 110), (100, 200), (150, 160)]), [(50, 200), (300, 400)]);
        let (crash, stalls) = ([passes(100, BEN, false)], [(50, 200), (300, 400)]);
        let found = while_ann_stalls(&stalls, &[deems(0, false), deems(320, true)], &crash);
        assert_eq!((found.detections, found.awake), (vec![220], vec![100]));
        assert_eq!(while_ann_stalls(&stalls, &[deems(0, false)], &crash).missed, [700]);
    }

    #[test]
    fn a_crash_is_detected_by_the_suspicion_that_lasts() {
        let crash = [passes(100, BEN, false)];
        let found = of(&[deems(0, false), deems(130, true), deems(135, false), deems(150, true)], &crash);
        assert_eq!((found.detections, found.firsts, found.missed), (vec![50], vec![50], vec![]));
        let before = of(&[deems(0, false), deems(90, true)], &crash);
        assert_eq!((before.detections, before.mistakes), (vec![0], 1), "by a mistake that was right in the end");
        assert_eq!(of(&[deems(0, false)], &crash).missed, [900]);
        assert_eq!(of(&[], &crash), Quality::default(), "nobody watched");
    }

    #[test]
    fn whoever_is_down_itself_detects_nothing() {
        let both = [passes(100, BEN, false), passes(120, ANN, false), passes(300, ANN, true)];
        let found = of(&[deems(0, false), deems(300, false), deems(400, true)], &both);
        assert_eq!((found.detections.len(), found.missed), (0, vec![20]));
    }

    #[test]
    fn mistakes_are_counted_in_good_time_only() {
        let found = of(&[deems(0, false), deems(100, true), deems(160, false), deems(900, true)], &[]);
        assert_eq!((found.mistakes, found.healthy_mistakes), (2, 0), "one of the pair was struck");
        assert_eq!((found.good, found.trusted), (1000, 840));
        assert_eq!((found.recurrence(), found.duration()), (Some((500, 2)), Some((60, 1))));
        let back = [passes(100, BEN, false), passes(200, BEN, true)];
        let found = of(&[deems(0, false), deems(110, true), deems(250, false)], &back);
        assert_eq!((found.mistakes, found.good, found.trusted), (0, 850, 850), "slow to trust again");
        assert_eq!(found.detections, [10]);
    }

    #[test]
    fn a_summary_is_there_if_anybody_watched() {
        assert_eq!(of(&[], &[]).summary(7.0), None);
        let crash = [passes(700, BEN, false)];
        let opinions = [deems(0, false), deems(100, true), deems(170, false), deems(750, true)];
        let found = of(&opinions, &crash).summary(7.0).expect("they watched");
        let time = LatencySummary { p50_ns: 50, p99_ns: 50, max_ns: 50 };
        assert_eq!((found.pairs, found.crashes, found.time, found.missed), (1, 1, Some(time), 0));
        assert_eq!((found.mistakes, found.mistakes_of_healthy, found.mistake_duration_ns), (1, 0, Some(70)));
        assert_eq!((found.query_accuracy, found.messages_per_node_second), (Some(0.9), 7.0));
        assert_eq!(found.mistakes_per_pair_hour, Some(1.0 / (700.0 / HOUR as f64)));
        let blind = of(&[deems(0, false)], &crash).summary(7.0).expect("they watched");
        assert_eq!((blind.crashes, blind.time, blind.missed, blind.mistake_duration_ns), (0, None, 1, None));
        assert_eq!((blind.query_accuracy, blind.mistakes_per_pair_hour), (Some(1.0), Some(0.0)));
    }

    #[test]
    fn who_says_the_same_twice_says_it_once() {
        let found = of(&[deems(0, false), deems(100, true), deems(120, true), deems(160, false)], &[]);
        assert_eq!((found.mistakes, found.duration()), (1, Some((60, 1))));
    }
}
