//! Transactions over lists and registers, after Elle (Kingsbury and Alvaro, "Elle: inferring isolation anomalies from
//! experimental observations", 2020) and Adya ("Weak consistency", 1999).
//!
//! 1. [`script`]: micro-operations, typed. 2. [`lists`], [`registers`]: who read whose version, and what is wrong with
//!    single reads. 3. [`infer`], [`causal`]: who has to come before whom. 4. [`graph`]: cycles, which rule levels out.
//! 5. [`order`], [`exhaust`]: an order that explains every read, which proves a level. 6. [`tell`]: the argument.
//!
//! **What is decided.** Read uncommitted, read committed, read atomic and causal consistency are decided either way: no
//! cycle means that some order of versions satisfies the level (Biswas and Enea 2019). From snapshot isolation upward a
//! cycle rules a level out, and an order that replays right proves it. Lists tell the order of versions, so one of the two
//! always comes out but for what nobody saw. For registers that is NP-complete: few transactions are tried in every order,
//! more of them may end in UNKNOWN.
//!
//! **Records of sessions** (AWDIT's) know no real time, and values are unique, the first included. Every level keeps the
//! order of each session there, and read committed is that of Biswas and Enea; elsewhere it is Adya's.

mod causal;
mod exhaust;
mod flaw;
mod graph;
mod infer;
mod lists;
mod order;
mod registers;
mod run;
mod saturate;
mod script;
mod tell;

use crate::{Budget, Consistency, Judgement, Model, Question, Rung, Unfit};
use exhaust::{Puzzle, Tried};
use flaw::{Basis, Direct, Flaw, Kind, Layer};
use graph::{Edges, Graph, Moments, Why};
use history::figures::counted;
use history::{History, Value, Verdict};
use infer::{Sessions, Sight};
use run::{Lists, Run};
use script::{Fate, Script, items};
use std::collections::BTreeMap;

/// What a record is.
#[derive(Clone, Copy)]
struct Rules {
    is_complete: bool,
    is_of_sessions: bool,
}

/// What to make of a value that several can have written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Nothing: what is wrong then is wrong.
    Certain,
    /// Take one of them: what is right then is right.
    Guessed,
}

/// The levels that transactions are judged by, the strongest first.
pub(crate) const LEVELS: [Consistency; 9] = [
    Consistency::StrictSerializable,
    Consistency::StrongSessionSerializable,
    Consistency::Serializable,
    Consistency::RepeatableRead,
    Consistency::SnapshotIsolation,
    Consistency::Causal,
    Consistency::ReadAtomic,
    Consistency::ReadCommitted,
    Consistency::ReadUncommitted,
];

/// Judges transactions at the level demanded: strict serializability if nothing is, or as much of it as a record without
/// real time can show.
pub(crate) fn judge(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Judgement, Unfit> {
    let levels = levels(question);
    let level = question.level.unwrap_or(levels[0]);
    if !levels.contains(&level) {
        return Err(unknown(question, level, levels));
    }
    let mut bench = Bench::new(history, question, budget)?;
    let found = bench.decide(level);
    let detail = match found.verdict {
        Verdict::Pass => bench.size(),
        Verdict::Vacuous | Verdict::Unknown => found.reason.clone(),
        Verdict::Fail => format!("{}; {}", tally(&found.flaws), bench.size()),
    };
    let witness = found.flaws.first().map(|flaw| tell::witness(bench.told(), flaw));
    Ok(Judgement {
        verdict: found.verdict,
        detail,
        witness,
        operations: history.len(),
        states: bench.states(),
        methods: vec![found.method.to_owned()],
        notes: bench.notes(),
    })
}

/// All levels in one table.
pub(crate) fn ladder(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Vec<Rung>, Unfit> {
    let mut bench = Bench::new(history, question, budget)?;
    let mut known: Vec<(Consistency, Found)> = Vec::new();
    for &level in levels(question) {
        let proof = known.iter().find(|(other, found)| found.verdict == Verdict::Pass && implies(*other, level));
        let found = match proof {
            Some((stronger, _)) => Found::pass(format!("as {} holds", stronger.name()), "a stronger level holds"),
            None => bench.decide(level),
        };
        known.push((level, found));
    }
    let mut rungs = Vec::new();
    for at in 0..known.len() {
        let (level, found) = &known[at];
        // What a weaker level rules out no stronger one allows.
        let weaker = known.iter().find(|(other, found)| found.verdict == Verdict::Fail && implies(*level, *other));
        let found = weaker.map_or(found, |(_, weaker)| if found.verdict == Verdict::Fail { found } else { weaker });
        let detail = match found.verdict {
            Verdict::Pass if found.reason.is_empty() => bench.size(),
            Verdict::Pass | Verdict::Vacuous | Verdict::Unknown => found.reason.clone(),
            Verdict::Fail => tally(&found.flaws),
        };
        let witness = found.flaws.first().map(|flaw| tell::witness(bench.told(), flaw));
        rungs.push(Rung { name: level.name(), verdict: found.verdict, detail, witness });
    }
    Ok(rungs)
}

fn levels(question: &Question<'_>) -> &'static [Consistency] {
    if question.has_real_time { &LEVELS } else { &LEVELS[1..] }
}

fn unknown(question: &Question<'_>, level: Consistency, levels: &[Consistency]) -> Unfit {
    let names: Vec<&str> = levels.iter().map(|level| level.name()).collect();
    let names = names.join(", ");
    let (model, level) = (question.model.name(), level.name());
    Unfit::Question(if level == Consistency::StrictSerializable.name() {
        format!("{level} is about real time, and this record tells none; it can be judged by {names}")
    } else {
        format!("a history of {model} cannot be judged by {level}; it can be by {names}")
    })
}

/// Whether whatever satisfies the one level satisfies the other. With items for keys, and no predicates, repeatable read
/// (PL-2.99) rules out the same cycles as serializability.
fn implies(strong: Consistency, weak: Consistency) -> bool {
    let place = |level: Consistency| LEVELS.iter().position(|other| *other == level);
    let (Some(strong_place), Some(weak_place)) = (place(strong), place(weak)) else { return false };
    match (strong, weak) {
        (Consistency::RepeatableRead, Consistency::Serializable) => true,
        // Causality keeps the order of processes, which nothing between the two does.
        (
            Consistency::Serializable | Consistency::RepeatableRead | Consistency::SnapshotIsolation,
            Consistency::Causal,
        ) => false,
        _ => strong_place <= weak_place,
    }
}

/// `G-single-item, 2 lost-update`.
fn tally(flaws: &[Flaw<'_>]) -> String {
    let mut counts: BTreeMap<(Kind, String), u64> = BTreeMap::new();
    for flaw in flaws {
        *counts.entry((flaw.kind(), flaw.name())).or_default() += 1;
    }
    let texts: Vec<String> = counts.iter().map(|((_, name), count)| format!("{count} {name}")).collect();
    texts.join(", ")
}

/// What was found about a level.
struct Found<'h> {
    verdict: Verdict,
    /// In words, unless it failed.
    reason: String,
    method: &'static str,
    /// The worst first.
    flaws: Vec<Flaw<'h>>,
}

impl Found<'_> {
    fn interrupted() -> Self {
        let reason = "interrupted before all dependencies were looked at; a larger budget of time would help";
        Found { verdict: Verdict::Unknown, reason: reason.to_owned(), method: "dependencies", flaws: Vec::new() }
    }

    fn pass(reason: String, method: &'static str) -> Self {
        Found { verdict: Verdict::Pass, reason, method, flaws: Vec::new() }
    }
}

/// A history and all that is known of it so far: as it is certain, and as one may guess where values are not unique.
struct Bench<'h, 'b> {
    certain: Case<'h, 'b>,
    guessed: Option<Case<'h, 'b>>,
}

impl<'h, 'b> Bench<'h, 'b> {
    fn new(history: &'h History, question: &Question<'_>, budget: &'b Budget<'b>) -> Result<Self, Unfit> {
        let certain = Case::new(history, question, Reading::Certain, budget)?;
        let is_clear = certain.run.unclear == 0 || certain.run.is_lists;
        let guessed = if is_clear { None } else { Some(Case::new(history, question, Reading::Guessed, budget)?) };
        Ok(Bench { certain, guessed })
    }

    fn decide(&mut self, level: Consistency) -> Found<'h> {
        let found = self.certain.decide(level);
        if found.verdict != Verdict::Pass || self.certain.run.unclear == 0 {
            return found;
        }
        match self.guessed.as_mut().map(|guessed| guessed.decide(level)) {
            Some(found) if found.verdict == Verdict::Pass => found,
            _ => {
                let unclear = counted(self.certain.run.unclear as u64, "read");
                let reason = format!("{unclear} can have met several writes of one value; write each value once");
                Found { verdict: Verdict::Unknown, reason, method: found.method, flaws: Vec::new() }
            }
        }
    }

    /// Flaws are found in what is certain only.
    fn told(&self) -> &Run<'h> {
        &self.certain.run
    }

    fn states(&self) -> u64 {
        self.certain.states + self.guessed.as_ref().map_or(0, |guessed| guessed.states)
    }

    fn size(&self) -> String {
        let (txns, keys) = (self.certain.run.count(), self.certain.run.script.keys.len());
        format!("{}, {}", counted(u64::from(txns), "transaction"), counted(keys as u64, "key"))
    }

    fn notes(&self) -> Vec<String> {
        let run = &self.certain.run;
        let mut notes = Vec::new();
        if run.foreign > 0 {
            let what = if run.is_lists { "element" } else { "read" };
            let foreign = counted(run.foreign as u64, what);
            notes.push(format!("{foreign} left out of account: nobody in the record wrote the value"));
        }
        notes
    }
}

/// A history, understood in one way.
struct Case<'h, 'b> {
    run: Run<'h>,
    rules: Rules,
    readers: Lists,
    sessions: Sessions,
    budget: &'b Budget<'b>,
    states: u64,
}

impl<'h, 'b> Case<'h, 'b> {
    fn new(
        history: &'h History,
        question: &Question<'_>,
        reading: Reading,
        budget: &'b Budget<'b>,
    ) -> Result<Self, Unfit> {
        let script = Script::read(history, question.model)?;
        let rules = Rules { is_complete: question.is_complete, is_of_sessions: !question.has_real_time };
        let initial = question.initial.clone().unwrap_or_default();
        let mut run = if question.model == Model::ListAppend {
            if items(&initial).is_none_or(|items| !items.is_empty()) {
                return Err(Unfit::Question(format!(
                    "lists begin empty, not as {initial}; leave the initial value out"
                )));
            }
            lists::run(script, rules)
        } else {
            registers::run(script, &initial, rules, reading)
        };
        let readers = run.readers();
        lose_updates(&mut run, &readers);
        let sessions = Sessions::new(&run);
        Ok(Case { run, rules, readers, sessions, budget, states: 0 })
    }

    fn decide(&mut self, level: Consistency) -> Found<'h> {
        let run = &self.run;
        if !run.txns().any(|txn| run.script.fate(txn) == Fate::Committed) {
            let reason = format!("none of {} committed", counted(u64::from(run.count()), "transaction"));
            return Found { verdict: Verdict::Vacuous, reason, method: "nothing to judge", flaws: Vec::new() };
        }
        let mut flaws: Vec<Flaw<'h>> = Vec::new();
        let direct = run.flaws.iter().filter(|direct| implies(level, direct.kind.weakest()));
        flaws.extend(direct.map(|direct| Flaw::Direct(*direct)));
        if !(self.budget.keep_going)() && flaws.is_empty() {
            return Found::interrupted();
        }
        flaws.extend(self.cycles(level));
        let top = top(level);
        let is_bounded = top < Layer::Snapshot;
        if flaws.is_empty() && is_bounded {
            return Found::pass(String::new(), "a graph of dependencies without a cycle");
        }
        if flaws.is_empty() {
            return self.prove(level, top);
        }
        flaws.sort_by_key(|flaw| flaw.kind());
        Found { verdict: Verdict::Fail, reason: String::new(), method: "cycles of dependencies", flaws }
    }

    /// Cycles that rule a level out. Where a knot holds a cycle of a weaker kind already, the stronger ones are left out: they
    /// would tell of the same.
    fn cycles(&self, level: Consistency) -> Vec<Flaw<'h>> {
        let top = top(level);
        if self.knots(top, |_, knots| knots.is_empty()) {
            return Vec::new();
        }
        let weaker: &[Layer] = match top {
            Layer::Writes | Layer::Flow | Layer::Atomic | Layer::Causal => {
                &[Layer::Writes, Layer::Flow, Layer::Atomic, Layer::Causal]
            }
            Layer::Snapshot | Layer::Serial | Layer::Session | Layer::Strict => {
                &[Layer::Writes, Layer::Flow, Layer::Snapshot, Layer::Serial, Layer::Session, Layer::Strict]
            }
        };
        let mut cycles: Vec<Vec<graph::Edge>> = Vec::new();
        let mut flaws = Vec::new();
        // Where there is no time, what is known to be there is enough.
        let is_looked_at = |layer: &&Layer| **layer == top || **layer < top && (self.budget.keep_going)();
        for &layer in weaker.iter().filter(is_looked_at) {
            let found = self.knots(layer, |graph, knots| {
                let mut knot_of = vec![graph::NONE; self.run.count() as usize];
                for (number, knot) in (0..).zip(&knots) {
                    knot.iter().filter_map(|node| graph.txn(*node)).for_each(|txn| knot_of[txn as usize] = number);
                }
                let mut is_told = vec![false; knots.len()];
                for cycle in &cycles {
                    let number = knot_of[cycle[0].from as usize];
                    if number != graph::NONE && cycle.iter().all(|edge| knot_of[edge.from as usize] == number) {
                        is_told[number as usize] = true;
                    }
                }
                let untold = knots.iter().zip(is_told).filter(|(_, is_told)| !is_told);
                graph.cycles(untold.map(|(knot, _)| knot), self.budget.keep_going)
            });
            flaws.extend(found.iter().map(|edges| Flaw::Cycle(Kind::Cycle(layer), edges.clone())));
            cycles.extend(found);
        }
        flaws
    }

    fn knots<T>(&self, layer: Layer, then: impl FnOnce(&Graph<'_>, Vec<Vec<usize>>) -> T) -> T {
        let edges = self.edges(layer);
        let graph = Graph::new(self.run.count(), edges.hubs, &edges.list, moments(layer));
        let knots = graph.knots();
        then(&graph, knots)
    }

    /// All that a layer knows of who comes before whom.
    fn edges(&self, layer: Layer) -> Edges {
        let (run, readers) = (&self.run, &self.readers);
        let mut edges = infer::flow(run);
        let keeps_sessions =
            self.rules.is_of_sessions || matches!(layer, Layer::Causal | Layer::Session | Layer::Strict);
        if keeps_sessions && layer != Layer::Writes {
            edges.append(self.sessions.edges(run));
        }
        match layer {
            Layer::Writes => edges.list.retain(|edge| edge.why == Why::Ww),
            Layer::Flow if self.rules.is_of_sessions => edges.append(infer::visible(run, Sight::SoFar)),
            Layer::Flow => {}
            Layer::Atomic => {
                edges.append(infer::visible(run, Sight::Whole));
                if keeps_sessions {
                    edges.append(infer::own(run));
                }
            }
            Layer::Causal => edges.append(causal::causal(run, &self.sessions)),
            Layer::Snapshot | Layer::Serial | Layer::Session | Layer::Strict => {
                edges.append(infer::anti(run, readers));
                if !run.is_lists {
                    edges.append(infer::visible(run, Sight::Whole));
                    if keeps_sessions {
                        edges.append(infer::session(run, readers));
                    }
                }
                if layer == Layer::Strict {
                    edges.append(infer::real_time(run));
                    if !run.is_lists {
                        edges.append(infer::strict(run, readers));
                    }
                }
            }
        }
        edges
    }

    /// The same and what follows from it, where processes keep their order and lists do not tell it anyway.
    fn saturated(&self, layer: Layer) -> Edges {
        let mut edges = self.edges(layer);
        let basis = match layer {
            Layer::Strict => Basis::RealTime,
            Layer::Session => Basis::Process,
            Layer::Serial if self.rules.is_of_sessions => Basis::Process,
            Layer::Writes | Layer::Flow | Layer::Atomic | Layer::Causal | Layer::Snapshot | Layer::Serial => {
                return edges;
            }
        };
        if !self.run.is_lists {
            saturate::saturate(&self.run, &self.readers, &self.sessions, &mut edges, basis, self.budget.keep_going);
        }
        edges
    }

    /// The order that a level demands, without anything inferred.
    fn demands(&self, layer: Layer) -> Edges {
        let mut edges = infer::flow(&self.run);
        if self.rules.is_of_sessions || matches!(layer, Layer::Session | Layer::Strict) {
            edges.append(self.sessions.edges(&self.run));
        }
        if layer == Layer::Strict {
            edges.append(infer::real_time(&self.run));
        }
        edges
    }

    /// Looks for an order that explains every read.
    fn prove(&mut self, level: Consistency, top: Layer) -> Found<'h> {
        const METHOD: &str = "dependencies, and an order that explains every read";
        let run = &self.run;
        // An order that keeps more is as good, and real time is a good guide.
        let mut attempts = vec![(top, moments(top))];
        if !self.rules.is_of_sessions && top != Layer::Strict {
            attempts.push((Layer::Strict, Moments::One));
        }
        if top == Layer::Snapshot {
            attempts.push((Layer::Serial, Moments::One));
        }
        let mut best = order::Placed { placed: 0, of: 0 };
        for (layer, moments) in attempts {
            if !(self.budget.keep_going)() {
                return Found::interrupted();
            }
            let edges = self.saturated(layer);
            let graph = Graph::new(run.count(), edges.hubs, &edges.list, moments);
            let knots = if run.is_lists || layer != top { Vec::new() } else { graph.knots() };
            if !knots.is_empty() {
                let kind = Kind::Cycle(layer);
                let cycles = graph.cycles(&knots, self.budget.keep_going);
                let flaws = cycles.into_iter().map(|cycle| Flaw::Cycle(kind, cycle)).collect();
                return Found {
                    verdict: Verdict::Fail,
                    reason: String::new(),
                    method: "cycles of dependencies",
                    flaws,
                };
            }
            let placed = order::order(run, &graph, moments, self.budget.keep_going);
            if placed.placed == placed.of {
                return Found::pass(String::new(), METHOD);
            }
            best = if best.placed < placed.placed { placed } else { best };
        }
        if implies(level, Consistency::Causal) {
            let flaws = self.cycles(Consistency::Causal);
            if !flaws.is_empty() {
                let method = "cycles of dependencies";
                return Found { verdict: Verdict::Fail, reason: String::new(), method, flaws };
            }
        }
        self.exhaust(top, &best)
    }

    fn exhaust(&mut self, top: Layer, best: &order::Placed) -> Found<'h> {
        const METHOD: &str = "every order";
        let run = &self.run;
        let edges = self.demands(top);
        let graph = Graph::new(run.count(), edges.hubs, &edges.list, moments(top));
        let mut states = self.budget.states;
        let puzzle = Puzzle::new(run, &graph, moments(top));
        let tried =
            puzzle.as_ref().map_or(Tried::GaveUp, |puzzle| puzzle.solve(puzzle.all(), &mut states, self.budget));
        self.states += self.budget.states - states;
        match (tried, puzzle) {
            (Tried::Ordered, _) => Found::pass(String::new(), METHOD),
            (Tried::Impossible, Some(puzzle)) => {
                let flaws = vec![Flaw::Unordered(puzzle.least(&mut states, self.budget))];
                Found { verdict: Verdict::Fail, reason: String::new(), method: METHOD, flaws }
            }
            (Tried::Impossible | Tried::GaveUp, is_few) => {
                let tried = if is_few.is_some() {
                    format!("and {} were too few to try every order", counted(self.budget.states, "configuration"))
                } else {
                    format!("and every order is tried of {} transactions at most", exhaust::TXNS_MAX)
                };
                let reason = format!(
                    "no cycle of dependencies, but no order found either: {} of {} placed, {tried}; lists instead of \
                     registers, or reads before writes, would tell the order of versions",
                    best.placed,
                    counted(best.of as u64, "transaction"),
                );
                Found { verdict: Verdict::Unknown, reason, method: METHOD, flaws: Vec::new() }
            }
        }
    }
}

/// The graph whose cycles rule a level out.
fn top(level: Consistency) -> Layer {
    match level {
        Consistency::ReadUncommitted => Layer::Writes,
        Consistency::ReadCommitted => Layer::Flow,
        Consistency::ReadAtomic => Layer::Atomic,
        Consistency::Causal => Layer::Causal,
        Consistency::SnapshotIsolation => Layer::Snapshot,
        Consistency::RepeatableRead | Consistency::Serializable => Layer::Serial,
        Consistency::StrongSessionSerializable => Layer::Session,
        Consistency::StrictSerializable
        | Consistency::Linearizable
        | Consistency::Sequential
        | Consistency::CausalConvergence
        | Consistency::CausalMemory
        | Consistency::Pram
        | Consistency::ReadYourWrites
        | Consistency::MonotonicReads
        | Consistency::MonotonicWrites
        | Consistency::WritesFollowReads => Layer::Strict,
    }
}

fn moments(layer: Layer) -> Moments {
    if layer == Layer::Snapshot { Moments::Two } else { Moments::One }
}

/// Finds versions that several read and replaced.
fn lose_updates(run: &mut Run<'_>, readers: &Lists) {
    for version in 0..run.versions_count() as u32 {
        let key = run.key(version);
        let mut replacing = readers.get(version).iter().copied().filter(|reader| run.version(*reader, key).is_some());
        let (Some(first), Some(second)) = (replacing.next(), replacing.next()) else { continue };
        let read = run.reads(second).iter().find(|read| read.version == version).copied();
        if let Some(read) = read {
            let value: &Value = run.script.micro(second, read.micro).value;
            let (kind, micro) = (Kind::LostUpdate, read.micro);
            run.flaws.push(Direct { kind, txn: second, micro, other: first, value });
        }
    }
}
