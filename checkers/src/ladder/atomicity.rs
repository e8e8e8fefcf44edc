//! k-atomicity: is there an order within everybody's intervals in which each read returns one of the k values written
//! last? The least such k says by how many versions a store lags behind; 1 is linearizable.
//!
//! Whether 2 will do is decided as in Golab, Li and Shah, "Analyzing consistency properties for fun and profit" (PODC 2011,
//! "limited backtracking"): build the order from its end. Choose a write to be the last. Reads that began after it was over,
//! and got another value, must all have got one and the same: the write before it is that one's. So each choice forces a
//! chain of writes, until nothing is forced any more. A chain that ends well takes whole clusters (a write with all its reads)
//! away, so it is never taken back; only its first write is chosen, among those open at once. O(n log n) for the most part.
//!
//! For larger k there are bounds. From below: a read that is certainly j versions behind needs k = j + 1. From above: put
//! the writes in the order in which they were over, and each read as early as it can be. With compare-and-set only 1 is decided.

use hashbrown::HashMap;
use history::figures::counted;
use history::{Outcome, Register, RegisterOp, Value, Verdict};
use std::collections::BTreeSet;
use std::hash::BuildHasherDefault;

use super::staleness::{self, met, over};
use crate::hash::Mixer;
use crate::judgement::Watch;
use crate::model::{Call, Part};
use crate::{Budget, Rung};

/// The measure, given whether the history is linearizable.
pub(super) fn rung(parts: &[Part<'_, Register>], initial: &Value, linearizable: Verdict, budget: &Budget<'_>) -> Rung {
    let (verdict, detail) = match linearizable {
        Verdict::Pass => (Verdict::Pass, "k = 1: linearizable".to_owned()),
        Verdict::Vacuous => (Verdict::Vacuous, "nothing was read".to_owned()),
        Verdict::Fail | Verdict::Unknown => measure(parts, initial, linearizable == Verdict::Fail, budget),
    };
    Rung { name: "k-atomicity", verdict, detail, witness: None }
}

fn measure(parts: &[Part<'_, Register>], initial: &Value, is_over_one: bool, budget: &Budget<'_>) -> (Verdict, String) {
    let mut watch = Watch::new(budget);
    let (mut least, mut most) = (1 + u64::from(is_over_one), 1);
    for part in parts {
        let at = part.key.map(|key| format!(" at key {key}")).unwrap_or_default();
        let register = match Timed::of(part, initial) {
            Ok(register) => register,
            Err(Trouble::Unclear(why)) => return (Verdict::Unknown, format!("{why}{at}")),
            Err(Trouble::Impossible(why)) => return (Verdict::Fail, format!("no k will do: {why}{at}")),
        };
        let upper = register.upper();
        let is_two = if upper <= 2 { Some(true) } else { register.is_two_atomic(&mut watch) };
        let Some(is_two) = is_two else {
            return (Verdict::Unknown, format!("interrupted{at}; a larger budget of time would help"));
        };
        least = least.max(if is_two { 1 } else { lower(part, initial).max(3) });
        most = most.max(if is_two { upper.min(2) } else { upper });
    }
    let keys = counted(parts.len() as u64, "key");
    match most.max(least) {
        k if k == least => (Verdict::Pass, format!("k = {k}, {keys}")),
        // Every key is within two, and not every one within one, unless that is unknown.
        k => (Verdict::Pass, format!("k is from {least} to {k}, {keys}; exact tests are for 1 and 2")),
    }
}

/// A k below which none will do.
fn lower(part: &Part<'_, Register>, initial: &Value) -> u64 {
    staleness::measure(std::slice::from_ref(part), initial).versions_max + 1
}

enum Trouble {
    Unclear(String),
    Impossible(String),
}

/// From when to when an operation may have taken effect; positions count from 1, so that the first value can be older.
#[derive(Clone, Copy)]
struct Interval {
    start: u64,
    end: u64,
}

/// One key: each write with its reads.
struct Timed {
    /// Writes, the first value among them, in the order of their ends. A write is over at the latest when a read of it is.
    writes: Vec<Interval>,
    /// The reads and the numbers of their writes, by start.
    reads: Vec<(Interval, usize)>,
}

impl Timed {
    fn of(part: &Part<'_, Register>, initial: &Value) -> Result<Timed, Trouble> {
        let span = |call: &Call<'_, Register>| Interval {
            start: call.source.invoked.index.saturating_add(1),
            end: over(call).index.saturating_add(1),
        };
        let mut writes = vec![Interval { start: 0, end: 0 }];
        // How many wrote each value, and the last of them.
        let mut writers: HashMap<&Value, (u32, usize), BuildHasherDefault<Mixer>> = HashMap::default();
        writers.insert(initial, (1, 0));
        for call in part.calls.iter().filter(|call| call.outcome != Outcome::Refused) {
            match &call.op {
                RegisterOp::Read => {}
                RegisterOp::Write(value) => {
                    let writer = writers.entry(value).or_default();
                    *writer = (writer.0 + 1, writes.len());
                    writes.push(span(call));
                }
                RegisterOp::Cas { .. } | RegisterOp::Append(_) => {
                    let why = format!("`{}` occurs, with which only k = 1 is decided,", call.source.f);
                    return Err(Trouble::Unclear(why));
                }
            }
        }
        let mut reads: Vec<(Interval, usize)> = Vec::new();
        let mut is_met = vec![false; writes.len()];
        for call in &part.calls {
            let (Some(value), read) = (met(call), span(call)) else { continue };
            let Some(&(count, number)) = writers.get(value) else {
                return Err(Trouble::Impossible(format!("nobody wrote {value}, which was read,")));
            };
            if count > 1 {
                let why = format!("nobody can tell which of {count} writes of {value} was read");
                return Err(Trouble::Unclear(why));
            }
            let write = &mut writes[number];
            if read.end < write.start {
                return Err(Trouble::Impossible(format!("{value} was read before it was written")));
            }
            write.end = write.end.min(read.end);
            is_met[number] = true;
            reads.push((read, number));
        }
        // What nobody met and nobody heard of may never have happened.
        let mut order: Vec<usize> = (0..writes.len()).filter(|n| is_met[*n] || writes[*n].end != u64::MAX).collect();
        order.sort_by_key(|number| (writes[*number].end, writes[*number].start));
        let mut place = vec![0; writes.len()];
        order.iter().enumerate().for_each(|(at, number)| place[*number] = at);
        reads.iter_mut().for_each(|(_, write)| *write = place[*write]);
        reads.sort_by_key(|(read, _)| (read.start, read.end));
        Ok(Timed { writes: order.into_iter().map(|number| writes[number]).collect(), reads })
    }

    /// How many writes are certainly over before `position`.
    fn over_before(&self, position: u64) -> usize {
        self.writes.partition_point(|write| write.end < position)
    }

    /// A k that will do: with the writes in the order of their ends, and each read as early as it can be.
    fn upper(&self) -> u64 {
        let lag = |(read, write): &(Interval, usize)| self.over_before(read.start).saturating_sub(write + 1);
        self.reads.iter().map(lag).max().unwrap_or_default() as u64 + 1
    }

    /// Whether 2 will do; `None` if there is no time to find out.
    fn is_two_atomic(&self, watch: &mut Watch<'_>) -> Option<bool> {
        let mut rest = Rest::new(self);
        while let Some(last) = rest.writes.last().map(|(start, _)| *start) {
            // Whoever is the last was not over when another began.
            let candidates: Vec<usize> =
                rest.ends.iter().rev().take_while(|(end, _)| *end >= last).map(|(_, w)| *w).collect();
            // All candidates go a few steps, then all twice as many: a long way that fails costs no more than the one taken.
            let mut steps = 4;
            let end = loop {
                let ways: Vec<Way> =
                    candidates.iter().map(|first| rest.follow(*first, steps, watch)).collect::<Option<_>>()?;
                if let Some(chain) =
                    ways.iter().find_map(|way| if let Way::Ends(chain) = way { Some(chain) } else { None })
                {
                    break chain.clone();
                }
                if ways.iter().all(|way| matches!(way, Way::Fails)) {
                    return Some(false);
                }
                steps *= 2;
            };
            end.into_iter().for_each(|write| rest.remove(write));
        }
        Some(true)
    }
}

/// What became of a choice.
enum Way {
    /// These writes come last, the last one first.
    Ends(Vec<usize>),
    Fails,
    /// Not known yet.
    GoesOn,
}

/// What is not in order yet.
struct Rest<'a> {
    timed: &'a Timed,
    reads_of: Vec<Vec<usize>>,
    /// By start.
    writes: BTreeSet<(u64, usize)>,
    /// By end.
    ends: BTreeSet<(u64, usize)>,
    /// By start.
    reads: BTreeSet<(u64, usize)>,
}

impl<'a> Rest<'a> {
    fn new(timed: &'a Timed) -> Self {
        let mut reads_of = vec![Vec::new(); timed.writes.len()];
        for (number, (_, write)) in timed.reads.iter().enumerate() {
            reads_of[*write].push(number);
        }
        let writes = || timed.writes.iter().enumerate();
        Rest {
            timed,
            reads_of,
            writes: writes().map(|(number, write)| (write.start, number)).collect(),
            ends: writes().map(|(number, write)| (write.end, number)).collect(),
            reads: timed.reads.iter().enumerate().map(|(number, (read, _))| (read.start, number)).collect(),
        }
    }

    fn remove(&mut self, write: usize) {
        let Interval { start, end } = self.timed.writes[write];
        self.writes.remove(&(start, write));
        self.ends.remove(&(end, write));
        for read in &self.reads_of[write] {
            self.reads.remove(&(self.timed.reads[*read].0.start, *read));
        }
    }

    /// Puts `first` last, then what that forces, for some steps; `None` if there is no time.
    fn follow(&self, first: usize, steps: usize, watch: &mut Watch<'_>) -> Option<Way> {
        let mut chain: BTreeSet<usize> = BTreeSet::new();
        let mut order = Vec::new();
        let mut write = first;
        for _ in 0..steps {
            let end = self.timed.writes[write].end;
            // Those in the chain are looked at again in each step, and so are their reads.
            if !watch.goes_on(256 + 32 * chain.len()) {
                return None;
            }
            let mut later = self.writes.range((end.saturating_add(1), 0)..).map(|(_, write)| *write);
            if later.any(|other| !chain.contains(&other)) {
                return Some(Way::Fails);
            }
            chain.insert(write);
            order.push(write);
            let mut forced = self.reads.range((end.saturating_add(1), 0)..).map(|(_, read)| self.timed.reads[*read].1);
            let mut forced = forced.by_ref().filter(|write| !chain.contains(write));
            let Some(before) = forced.next() else { return Some(Way::Ends(order)) };
            if forced.any(|write| write != before) {
                return Some(Way::Fails);
            }
            write = before;
        }
        Some(Way::GoesOn)
    }
}
