//! What a page needs of many runs, beside what a summary counts: their numbers, what the seeds decided, and what happened.

use super::factors::{Factor, Separates, VALUES_MAX, risks};
use super::{Seen, Swept};
use history::Verdict;
use std::collections::BTreeMap;

/// More settings than this are not compared, nor more values of one: a file may hold anything.
const KEYS_MAX: usize = 1_000;

/// More kinds of fault, roles and ways to come back are not counted.
const EVENTS_MAX: usize = 200;

/// A run, as the page of a sweep sees it.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What a summary sees of it.
    pub seen: Seen,
    /// For how long nobody was served, in nanoseconds; `None` without clients.
    pub unavailable_ns: Option<u64>,
    /// The longest stretch in which an outage was avoidable, in nanoseconds; `None` without an outage.
    pub recovery_ns: Option<u64>,
    /// How far reads lagged behind; `None` where nobody can tell.
    pub reads: Option<Reads>,
    /// What the seed decided: key and value.
    pub draws: Vec<(String, String)>,
    /// What happened, or could have: of which sort, what, and how often.
    pub events: Vec<(Sort, String, u64)>,
}

/// How far the reads of a run lagged behind what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reads {
    /// Of which anybody can tell.
    pub all: u64,
    /// Those that returned what had been replaced.
    pub stale: u64,
    /// For how long the stalest had been, in nanoseconds.
    pub max_ns: u64,
}

/// Sorts of what happens in a run and shows that something was tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A kind of fault, and how much it changed.
    Fault,
    /// A node took a role.
    Role,
    /// Something came back.
    Recovery,
}

/// How often something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Covered {
    /// In so many runs it could have happened.
    pub planned: u64,
    /// In so many it did.
    pub met: u64,
    /// So often, in all of them.
    pub times: u64,
}

/// A scenario in all its variants, with the numbers of each run.
#[derive(Clone, Debug)]
pub struct Study {
    /// What they came to.
    pub swept: Swept,
    pub(super) runs: Vec<Numbers>,
    keys: Vec<Key>,
    key_numbers: BTreeMap<String, usize>,
    covered: BTreeMap<(Sort, String), Covered>,
}

/// The numbers of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub variant: usize,
    pub verdict: Verdict,
    pub unavailable_ns: Option<u64>,
    pub recovery_ns: Option<u64>,
    pub reads: Option<Reads>,
}

impl Numbers {
    /// `None` of a run that was not decided.
    pub fn is_failed(&self) -> Option<bool> {
        match self.verdict {
            Verdict::Pass => Some(false),
            Verdict::Fail => Some(true),
            Verdict::Unknown | Verdict::Vacuous => None,
        }
    }
}

/// A setting that seeds decide.
#[derive(Clone, Debug)]
struct Key {
    name: String,
    numbers: BTreeMap<String, u32>,
    /// By run, as far as there are any.
    of: Vec<Option<u32>>,
}

impl Study {
    /// Of a scenario of which nothing was seen yet.
    pub fn of(swept: Swept) -> Self {
        let (keys, key_numbers) = (Vec::new(), BTreeMap::new());
        Study { swept, runs: Vec::new(), keys, key_numbers, covered: BTreeMap::new() }
    }

    /// Counts a run of the variant of this number. Those of one variant come in the order of their seeds.
    pub fn add(&mut self, variant: usize, measured: Measured) {
        let Measured { seen, unavailable_ns, recovery_ns, reads, draws, events } = measured;
        let verdict = seen.verdict;
        self.swept.add(variant, seen);
        for (key, value) in draws {
            self.draw(key, value);
        }
        self.runs.push(Numbers { variant, verdict, unavailable_ns, recovery_ns, reads });
        let mut met: BTreeMap<(Sort, String), u64> = BTreeMap::new();
        for (sort, what, times) in events {
            let all = met.entry((sort, what)).or_default();
            *all = all.saturating_add(times);
        }
        for (what, times) in met {
            if self.covered.len() < EVENTS_MAX || self.covered.contains_key(&what) {
                let covered = self.covered.entry(what).or_default();
                covered.planned += 1;
                covered.met += u64::from(times > 0);
                covered.times = covered.times.saturating_add(times);
            }
        }
    }

    /// Notes what the seed of the run that comes next decided.
    fn draw(&mut self, key: String, value: String) {
        let number = match self.key_numbers.get(&key) {
            Some(number) => *number,
            None if self.keys.len() >= KEYS_MAX => return,
            None => {
                self.keys.push(Key { name: key.clone(), numbers: BTreeMap::new(), of: Vec::new() });
                self.key_numbers.insert(key, self.keys.len() - 1);
                self.keys.len() - 1
            }
        };
        let run = self.runs.len();
        let key = &mut self.keys[number];
        let next = key.numbers.len() as u32;
        let value = *key.numbers.entry(value).or_insert(next);
        key.of.resize(run, None);
        key.of.push(Some(value));
    }

    /// What happened in its runs and what could have, in the order of its sort and name.
    pub(super) fn covered(&self) -> impl Iterator<Item = (Sort, &str, Covered)> {
        self.covered.iter().map(|((sort, what), covered)| (*sort, &**what, *covered))
    }

    /// Settings of which runs have different values: those of the matrix, then those that seeds decide.
    pub(super) fn factors(&self) -> Vec<Factor> {
        let drawn = self.keys.iter().map(|key| {
            let mut of = key.of.clone();
            of.resize(self.runs.len(), None);
            let mut values = vec![String::new(); key.numbers.len()];
            for (value, number) in &key.numbers {
                values[*number as usize].clone_from(value);
            }
            sorted(Factor { key: key.name.clone(), values, of, is_varied: false })
        });
        self.varied().into_iter().chain(drawn).filter(|factor| factor.values.len() > 1).collect()
    }

    /// What goes with failing; `None` if nothing failed.
    pub fn separates(&self) -> Option<Separates> {
        let failed: Vec<Option<bool>> = self.runs.iter().map(Numbers::is_failed).collect();
        failed.contains(&Some(true)).then(|| risks(&self.factors(), &failed))
    }

    /// What the matrix varied.
    fn varied(&self) -> Vec<Factor> {
        let mut keys: Vec<&str> = Vec::new();
        for (key, _) in self.swept.variants.iter().flat_map(|variant| &variant.source.set) {
            if !keys.contains(&&**key) {
                keys.push(key);
            }
        }
        let factor = |key: &str| {
            let mut values: Vec<String> = Vec::new();
            let of_variant: Vec<Option<u32>> = self
                .swept
                .variants
                .iter()
                .map(|variant| {
                    let (_, value) = variant.source.set.iter().find(|(set, _)| set == key)?;
                    let known = values.iter().position(|known| known == value);
                    let number = known.unwrap_or_else(|| {
                        values.push(value.clone());
                        values.len() - 1
                    });
                    Some(number as u32)
                })
                .collect();
            let of = self.runs.iter().map(|run| of_variant[run.variant]).collect();
            Factor { key: key.to_owned(), values, of, is_varied: true }
        };
        keys.into_iter().map(factor).collect()
    }
}

/// With its values in their order, where they are few.
fn sorted(factor: Factor) -> Factor {
    let Factor { key, values, of, is_varied } = factor;
    if values.len() > VALUES_MAX {
        return Factor { key, values, of, is_varied };
    }
    let mut order: Vec<usize> = (0..values.len()).collect();
    let size = |value: &usize| super::factors::size(&values[*value]);
    order.sort_by(|a, b| match size(a).zip(size(b)) {
        Some((one, other)) => one.total_cmp(&other),
        None => values[*a].cmp(&values[*b]),
    });
    let mut places = vec![0u32; values.len()];
    for (place, value) in (0..).zip(&order) {
        places[*value] = place;
    }
    let of = of.into_iter().map(|value| value.map(|value| places[value as usize])).collect();
    Factor { values: order.iter().map(|value| values[*value].clone()).collect(), key, of, is_varied }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::{Source, Variant, page};

    /// Forty seeds of each variant: who reads on a lease fails where clocks drift.
    fn study(name: &str, runs: u64) -> Study {
        let mut swept = Swept::named(name);
        for reads in ["lease", "log"] {
            let set = vec![("protocol.reads".to_owned(), format!("\"{reads}\""))];
            let source = Source { program: "stormglass".to_owned(), file: "<b>.toml".to_owned(), set };
            swept.variants.push(Variant { name: format!("protocol.reads={reads}"), source, ..Variant::default() });
        }
        let mut study = Study::of(swept);
        for seed in 0..runs {
            for variant in 0..2 {
                study.add(variant, measured(seed, variant));
            }
        }
        study
    }

    fn measured(seed: u64, variant: usize) -> Measured {
        let drift = if seed.is_multiple_of(4) { "2%" } else { "0ppm" };
        let is_bad = variant == 0 && seed.is_multiple_of(4);
        let (verdict, signature) =
            if is_bad { (Verdict::Fail, "linearizable: <replaced>") } else { (Verdict::Pass, "") };
        let seen = Seen {
            seed,
            verdict,
            signature: signature.to_owned(),
            check: String::new(),
            detail: if is_bad { "c1 read 1 after <script> \u{1b}".to_owned() } else { String::new() },
            simulated_ns: 1_000_000_000,
        };
        Measured {
            seen,
            unavailable_ns: Some(seed * 10_000_000),
            recovery_ns: (seed > 0).then_some(seed * 5_000_000),
            reads: Some(Reads { all: 100, stale: u64::from(is_bad), max_ns: u64::from(is_bad) * seed * 1_000_000 }),
            draws: vec![("cluster.clock.drift".to_owned(), drift.to_owned())],
            events: vec![
                (Sort::Fault, "crash".to_owned(), seed),
                (Sort::Fault, "pause".to_owned(), 0),
                (Sort::Recovery, "takeover".to_owned(), 1),
            ],
        }
    }

    #[test]
    fn a_page_says_what_failed_what_goes_with_it_and_what_was_never_met() {
        let page = page("1", &[study("storm", 200)]);
        let page = page.replace('\u{202f}', " ");
        for told in [
            "<title>FAIL · storm · 400 runs</title>",
            "50 of 400 runs failed",
            "Never had an effect, in any run: <strong>pause</strong>",
            "stormglass shrink &#39;&lt;b&gt;.toml&#39; --seed 0",
            "linearizable: &lt;replaced&gt;",
            "cluster.clock.drift = 2%",
            "50 of 100",
            "reads=lease",
            "Share of runs that fail",
            "Median unavailable time",
            "Share of stale reads as a table",
            "✗ never",
        ] {
            assert!(page.contains(told) || page.contains(&told.replace("&#39;", "'")), "{told}");
        }
        assert!(!page.contains("after <script>") && !page.contains('\u{1b}'), "nothing breaks out");
        assert_eq!(
            page.matches("http").count(),
            page.matches("http-equiv").count() + page.matches("http://www.w3.org/2000/svg").count()
        );
    }

    #[test]
    fn a_page_of_very_many_runs_is_small_and_always_the_same() {
        let studies = [study("one", 10_000), study("two", 10_000)];
        let whole = page("1", &studies);
        assert!(whole.len() < 1_000_000, "{} bytes", whole.len());
        assert!(whole.contains("dots are drawn, evenly"));
        assert!(whole == page("1", &studies));
        assert!(page("1", &[]).contains("nothing was run"));
    }
}
