//! The ladder: one history of registers at every level of consistency, in one table.
//!
//! ```text
//!                 linearizable
//!                      |
//!                  sequential
//!                 /          \
//!   causal convergence    causal memory
//!                 \      /           \
//!                  causal            PRAM
//!                 /      \          /
//!   writes follow reads   read your writes, monotonic reads, monotonic writes
//! ```
//!
//! What holds at a level holds below it, and what fails fails above: that saves work ([`Ladder::rung`]), and tests hold
//! all checkers to it. Below the levels stand measures: whether processes agree in the end ([`convergence`]), how many
//! versions ([`atomicity`]) and how long ([`staleness`]) reads lag behind.
//!
//! What a history says without its times is an [`account::Account`]; each level is a file with its paper; whatever is
//! wrong comes as a [`proof::Proof`], which [`argument`] makes small and puts into words.

mod account;
mod argument;
mod atomicity;
mod causal;
mod convergence;
mod proof;
mod saturation;
mod sequential;
mod sessions;
mod staleness;

use account::{Account, Record};
use history::figures::{counted, grouped};
use history::{History, Outcome, Part as Role, Reason, Register, Value, Verdict, Witness};
use proof::Proof;
use saturation::Finding;
use std::cell::OnceCell;

use crate::model::{Part, parts};
use crate::witness::testimony;
use crate::{Budget, Consistency, Judgement, Question, Rung, Unfit, linearizable};

pub use convergence::{Convergence, convergence};
pub use sessions::{SessionGuarantees, session_guarantees};
pub use staleness::{Staleness, staleness};

/// The levels, the strongest first.
pub(crate) const LEVELS: [Consistency; 10] = [
    Consistency::Linearizable,
    Consistency::Sequential,
    Consistency::CausalConvergence,
    Consistency::CausalMemory,
    Consistency::Causal,
    Consistency::Pram,
    Consistency::ReadYourWrites,
    Consistency::MonotonicReads,
    Consistency::MonotonicWrites,
    Consistency::WritesFollowReads,
];

/// What a verdict rests on.
fn method(level: Consistency) -> &'static str {
    match level {
        Consistency::Sequential => "what one order must respect, then a search over how far each process is",
        Consistency::CausalConvergence => "bad patterns: circles of causality and of the writes' order",
        Consistency::CausalMemory => "bad patterns: what each process must have seen before what",
        Consistency::Causal => "bad patterns by vector clocks",
        Consistency::Pram => "what each process must have seen before what, by the order of processes",
        Consistency::ReadYourWrites
        | Consistency::MonotonicReads
        | Consistency::MonotonicWrites
        | Consistency::WritesFollowReads => "one pass over each process",
        Consistency::Linearizable
        | Consistency::StrictSerializable
        | Consistency::StrongSessionSerializable
        | Consistency::Serializable
        | Consistency::SnapshotIsolation
        | Consistency::RepeatableRead
        | Consistency::ReadAtomic
        | Consistency::ReadCommitted
        | Consistency::ReadUncommitted => "",
    }
}

/// Whether what holds at `strong` holds at `weak`, as a matter of definition.
fn implies(strong: Consistency, weak: Consistency) -> bool {
    use Consistency::{
        Causal, CausalConvergence, CausalMemory, Linearizable, MonotonicReads, MonotonicWrites, Pram, ReadYourWrites,
        Sequential,
    };
    if strong == weak {
        return true;
    }
    if strong == Linearizable || strong == Sequential {
        return weak > strong;
    }
    if strong == CausalConvergence || strong == CausalMemory {
        return weak == Causal || implies(Causal, weak) || strong == CausalMemory && implies(Pram, weak);
    }
    if strong == Causal {
        return weak > Pram;
    }
    strong == Pram && [ReadYourWrites, MonotonicReads, MonotonicWrites].contains(&weak)
}

/// Judges `history` at one level.
///
/// # Errors
/// If an operation is none of the model's, or the level is none of registers.
pub(crate) fn judge(
    history: &History,
    question: &Question<'_>,
    level: Consistency,
    budget: &Budget<'_>,
) -> Result<Judgement, Unfit> {
    if !LEVELS.contains(&level) {
        let (model, level) = (question.model.name(), level.name());
        let known: Vec<&str> = LEVELS.iter().map(|level| level.name()).collect();
        let known = known.join(", ");
        return Err(Unfit::Question(format!("a history of a {model} cannot be judged by {level}, but by {known}")));
    }
    let initial = question.initial.clone().unwrap_or_default();
    let parts = parts::<Register>(history, question.model)?;
    let ladder = Ladder::new(history, question, &parts, &initial, budget);
    let Answer { verdict, detail, witness, states } = ladder.answer(level)?.clone();
    let (methods, notes) = (vec![method(level).to_owned()], ladder.notes());
    Ok(Judgement { verdict, detail, witness, operations: history.len(), states, methods, notes })
}

/// Every level of `history`, the strongest first, then the measures.
///
/// # Errors
/// If an operation is none of the model's.
pub(crate) fn table(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Vec<Rung>, Unfit> {
    /// What one hard level may take, as a share of the budget: whoever asks for it alone gives it all.
    const SHARE: u64 = 20;
    let budget = &Budget { states: budget.states / SHARE, ..*budget };
    let initial = question.initial.clone().unwrap_or_default();
    let parts = parts::<Register>(history, question.model)?;
    let ladder = Ladder::new(history, question, &parts, &initial, budget);
    // The strongest first: if it holds, all do. Then the weakest: it is found fast, and says most where it breaks.
    ladder.answer(Consistency::Linearizable)?;
    for level in LEVELS.into_iter().rev() {
        ladder.answer(level)?;
    }
    let mut rungs = Vec::new();
    for level in LEVELS {
        let Answer { verdict, detail, witness, .. } = ladder.answer(level)?.clone();
        rungs.push(Rung { name: level.name(), verdict, detail, witness });
    }
    rungs.push(convergence::rung(&parts));
    rungs.push(atomicity::rung(&parts, &initial, rungs[0].verdict, budget));
    rungs.push(staleness::rung(&parts, &initial));
    Ok(rungs)
}

/// What is known of one level.
#[derive(Clone)]
struct Answer {
    verdict: Verdict,
    detail: String,
    witness: Option<Witness>,
    states: u64,
}

/// A history on its way down the ladder; what was found out once is kept.
struct Ladder<'a> {
    history: &'a History,
    question: &'a Question<'a>,
    budget: &'a Budget<'a>,
    parts: &'a [Part<'a, Register>],
    record: Record<'a>,
    account: Account,
    past: Past,
    answers: [OnceCell<Answer>; LEVELS.len()],
}

/// The causal past, once it is asked for.
type Past = OnceCell<Result<causal::Past, Proof>>;

impl<'a> Ladder<'a> {
    fn new(
        history: &'a History,
        question: &'a Question<'a>,
        parts: &'a [Part<'a, Register>],
        initial: &Value,
        budget: &'a Budget<'a>,
    ) -> Self {
        let record = Record::of(parts, initial);
        let account = record.account();
        let (past, answers) = (OnceCell::new(), Default::default());
        Ladder { history, question, budget, parts, record, account, past, answers }
    }

    fn answer(&self, level: Consistency) -> Result<&Answer, Unfit> {
        let at = LEVELS.iter().position(|other| *other == level).expect("one of the levels");
        if let Some(answer) = self.answers[at].get() {
            return Ok(answer);
        }
        let answer = self.find(level)?;
        Ok(self.answers[at].get_or_init(|| answer))
    }

    fn find(&self, level: Consistency) -> Result<Answer, Unfit> {
        if level == Consistency::Linearizable {
            let initial = self.question.initial.clone();
            let found = linearizable(self.history, self.question.model, initial, self.budget)?;
            let Judgement { verdict, detail, witness, states, .. } = found;
            return Ok(Answer { verdict, detail, witness, states });
        }
        if !self.record.is_constrained {
            let detail = format!("none of {} returned anything", counted(self.history.len() as u64, "operation"));
            return Ok(Answer { verdict: Verdict::Vacuous, detail, witness: None, states: 0 });
        }
        if let Some(reader) = self.record.nowhere {
            let witness = self.out_of_nowhere(reader);
            let detail = witness.headline();
            return Ok(Answer { verdict: Verdict::Fail, detail, witness: Some(witness), states: 0 });
        }
        if level == Consistency::Sequential {
            self.answer(Consistency::Causal)?;
        }
        if level == Consistency::Sequential || self.record.ambiguous.is_some() {
            self.answer(Consistency::Linearizable)?;
        }
        Ok(self.by_others(level).unwrap_or_else(|| self.examine(level)))
    }

    /// What already follows from other levels.
    fn by_others(&self, level: Consistency) -> Option<Answer> {
        let known = || LEVELS.into_iter().zip(&self.answers).filter_map(|(level, answer)| Some((level, answer.get()?)));
        let stronger = known().find(|(other, found)| found.verdict == Verdict::Pass && implies(*other, level));
        if let Some((other, _)) = stronger {
            let detail = format!("{}; follows from {}", self.size(), other.name());
            return Some(Answer { verdict: Verdict::Pass, detail, witness: None, states: 0 });
        }
        let (other, found) = known().find(|(other, found)| found.verdict == Verdict::Fail && implies(level, *other))?;
        let detail = format!("{}; so not even {} holds", found.detail, other.name());
        Some(Answer { verdict: Verdict::Fail, detail, witness: found.witness.clone(), states: 0 })
    }

    fn examine(&self, level: Consistency) -> Answer {
        if let Some(why) = &self.record.ambiguous {
            let detail = format!("{why}; unique values would help");
            return Answer { verdict: Verdict::Unknown, detail, witness: None, states: 0 };
        }
        let (finding, states) = examine(level, &self.account, &self.past, self.budget.states, self.budget);
        let (verdict, detail, witness) = match finding {
            Finding::Holds if level == Consistency::Sequential && self.record.mismatches > 0 => {
                let swaps = counted(self.record.mismatches as u64, "compare-and-set");
                let why = format!(
                    "there is one order of all but {swaps} that found another value; where these can stand is not tried"
                );
                (Verdict::Unknown, why, None)
            }
            Finding::Holds => (Verdict::Pass, self.size(), None),
            Finding::Broken(proof) => {
                let witness = self.argue(level, proof, states);
                (Verdict::Fail, self.broken(level, &witness), Some(witness))
            }
            Finding::TooLarge => {
                let why = format!("{} is too much for the clocks of each; fewer processes would help", self.size());
                (Verdict::Unknown, why, None)
            }
            Finding::OutOfSteps => {
                let spent = counted(states, "configuration");
                (
                    Verdict::Unknown,
                    format!("gave up after {spent}; a larger budget or fewer processes would help"),
                    None,
                )
            }
            Finding::Stopped => {
                let spent = counted(states, "configuration");
                (Verdict::Unknown, format!("interrupted after {spent}; a larger budget of time would help"), None)
            }
        };
        Answer { verdict, detail, witness, states }
    }

    fn argue(&self, level: Consistency, proof: Proof, states: u64) -> Witness {
        let grant = states.saturating_mul(4).saturating_add(10_000);
        let check = |account: &Account| match examine(level, account, &Past::new(), grant, self.budget).0 {
            Finding::Broken(proof) => Some(proof),
            Finding::Holds | Finding::TooLarge | Finding::OutOfSteps | Finding::Stopped => None,
        };
        argument::argue(&self.record, level, self.record.account(), proof, &check, self.budget)
    }

    fn broken(&self, level: Consistency, witness: &Witness) -> String {
        let headline = witness.headline();
        if level < Consistency::ReadYourWrites {
            return headline;
        }
        match sessions::breaches(&self.account).of(level).0 {
            0 | 1 => headline,
            reads => format!("{headline}; {} like it in all", counted(reads, "read")),
        }
    }

    fn processes(&self) -> String {
        match self.account.sessions() {
            1 => "one process".to_owned(),
            processes => format!("{} processes", grouped(processes as u64)),
        }
    }

    /// `7 operations of 3 processes, 2 keys: 3 writes and 4 reads`.
    fn size(&self) -> String {
        let reads = self.account.entries.iter().filter(|entry| entry.act != account::Act::Write).count();
        let writes = self.account.entries.len() - reads;
        let operations = counted(self.record.deeds.len() as u64, "operation");
        let (processes, keys) = (self.processes(), counted(self.parts.len() as u64, "key"));
        let (reads, writes) = (counted(reads as u64, "read"), counted(writes as u64, "write"));
        let mut size = format!("{operations} of {processes}, {keys}: {writes} and {reads}");
        for note in self.notes() {
            size.push_str("; ");
            size.push_str(&note);
        }
        size
    }

    /// What was left out of account, and what a level does not ask.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let Record { mismatches, swaps, torn, .. } = self.record;
        if mismatches > 0 {
            let swaps = counted(mismatches as u64, "compare-and-set");
            notes.push(format!("left out of account: {swaps} that found another value"));
        }
        if swaps > 0 {
            let swaps = counted(swaps as u64, "compare-and-set");
            notes.push(format!(
                "{swaps} taken as a read and a write, with nothing between where one order is asked for"
            ));
        }
        if torn > 0 {
            let times = counted(torn as u64, "time");
            notes.push(format!(
                "{times} a process went on before its operation was over; what followed counts as another's"
            ));
        }
        notes
    }

    /// A read of what nobody can have written, or only its own process and later, breaks every level.
    fn out_of_nowhere(&self, reader: usize) -> Witness {
        let deed = &self.record.deeds[reader];
        let part = &self.parts[deed.key as usize];
        let mut operations = vec![testimony(deed.call, Role::Met)];
        let value = operations[0].met().cloned().unwrap_or_default();
        let writer =
            part.calls.iter().find(|call| call.number != deed.call.number && account::made(call) == Some(&value));
        operations.extend(writer.map(|call| testimony(call, Role::Shown)));
        let reason = match writer.map(|call| &call.outcome) {
            None => Reason::NobodyWrote { value },
            Some(Outcome::Refused) => Reason::NeverHappened { value, by: 1 },
            Some(Outcome::Returned(_) | Outcome::Unknown) => Reason::NotYetWritten { value, by: 1 },
        };
        Witness::new(part.key.cloned(), operations, Some(0), reason)
    }
}

/// Decides one level for reads whose writes are known, and says how many steps and configurations that took.
fn examine(level: Consistency, account: &Account, past: &Past, grant: u64, budget: &Budget<'_>) -> (Finding, u64) {
    match level {
        Consistency::Pram => return saturation::pram(account, grant, budget),
        Consistency::ReadYourWrites
        | Consistency::MonotonicReads
        | Consistency::MonotonicWrites
        | Consistency::WritesFollowReads => {
            return (finding(sessions::breaches(account).of(level).1), 0);
        }
        Consistency::Sequential
        | Consistency::CausalConvergence
        | Consistency::CausalMemory
        | Consistency::Causal
        | Consistency::Linearizable
        | Consistency::StrictSerializable
        | Consistency::StrongSessionSerializable
        | Consistency::Serializable
        | Consistency::SnapshotIsolation
        | Consistency::RepeatableRead
        | Consistency::ReadAtomic
        | Consistency::ReadCommitted
        | Consistency::ReadUncommitted => {}
    }
    if account.entries.len().saturating_mul(account.sessions()) > causal::CLOCKS_MAX {
        return (Finding::TooLarge, 0);
    }
    let past = match past.get_or_init(|| causal::Past::new(account)) {
        Ok(past) => past,
        Err(proof) => return (Finding::Broken(proof.clone()), 0),
    };
    match causal::weak(account, past, budget) {
        Finding::Holds => {}
        finding @ (Finding::Broken(_) | Finding::TooLarge | Finding::OutOfSteps | Finding::Stopped) => {
            return (finding, 0);
        }
    }
    match level {
        Consistency::CausalConvergence => (causal::convergence(account, past, budget), 0),
        Consistency::CausalMemory => saturation::causal_memory(account, past, grant, budget),
        Consistency::Sequential => sequential::sequential(account, past, grant, budget),
        Consistency::Causal
        | Consistency::Linearizable
        | Consistency::Pram
        | Consistency::ReadYourWrites
        | Consistency::MonotonicReads
        | Consistency::MonotonicWrites
        | Consistency::WritesFollowReads
        | Consistency::StrictSerializable
        | Consistency::StrongSessionSerializable
        | Consistency::Serializable
        | Consistency::SnapshotIsolation
        | Consistency::RepeatableRead
        | Consistency::ReadAtomic
        | Consistency::ReadCommitted
        | Consistency::ReadUncommitted => (Finding::Holds, 0),
    }
}

fn finding(proof: Option<Proof>) -> Finding {
    proof.map_or(Finding::Holds, Finding::Broken)
}
