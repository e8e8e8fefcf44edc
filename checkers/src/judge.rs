//! Which checker answers which question.

use crate::laws::{bank::bank, long_fork::long_fork, siblings, unique_ids::unique_ids};
use crate::linearizability::registers;
use crate::monitors::{counter::counter, decree::decree, mutex::mutex, set::set, set_full::set_full};
use crate::{Budget, Consistency, Judgement, Model, Question, Rung, Unfit, monitors, transactions};
use history::{Completion, History, Operation, Outcome, Queue, Stack, Value, Verdict};

/// Judges `history`.
///
/// VACUOUS if nothing returned. If something did, and could not have told of anything wrong (writes that nobody read), the
/// history passes, and the detail says so.
///
/// # Errors
/// If an operation is none of the model's, or the level demanded is none that the model knows.
pub fn judge(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Judgement, Unfit> {
    let judgement = judge_strictly(history, question, budget)?;
    let is_untold = match judgement.verdict {
        Verdict::Vacuous => true,
        Verdict::Pass => !history.operations.iter().any(|operation| tells(operation, question.model)),
        Verdict::Fail | Verdict::Unknown => false,
    };
    let has_returned = || history.operations.iter().any(|operation| matches!(operation.outcome, Outcome::Returned(_)));
    if !is_untold || !has_returned() {
        return Ok(judgement);
    }
    let detail = format!("{}; but nothing that returned could have told otherwise", judgement.detail);
    Ok(Judgement { verdict: Verdict::Pass, detail, ..judgement })
}

/// Whether an operation returned something that tells what it met.
fn tells(operation: &Operation, model: Model) -> bool {
    let Outcome::Returned(completion) = &operation.outcome else { return false };
    let is_read = |step: &Value| match step {
        Value::List(words) => matches!(words.first(), Some(Value::Text(f)) if matches!(&**f, "r" | "read")),
        Value::Nil | Value::Int(_) | Value::Text(_) => false,
    };
    match (model, completion) {
        (Model::ListAppend | Model::RwRegister, Completion::Ok(Value::List(steps))) => steps.iter().any(is_read),
        (_, _) => !model.is_blind(&operation.f),
    }
}

/// The same for whoever made the history and chose what to ask for: VACUOUS, too, where nothing that returned could have told
/// otherwise. Another workload would have.
///
/// # Errors
/// As for [`judge`].
pub fn judge_strictly(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Judgement, Unfit> {
    match (question.model, question.level) {
        (Model::CasRegister | Model::Register | Model::Kv, None | Some(Consistency::Linearizable)) => {
            registers(history, question, budget)
        }
        (Model::CasRegister | Model::Register | Model::Kv, Some(level)) => {
            crate::ladder::judge(history, question, level, budget)
        }
        (Model::ListAppend | Model::RwRegister, _) => transactions::judge(history, question, budget),
        (Model::Queue, None | Some(Consistency::Linearizable)) => monitors::judge::<Queue>(history, question, budget),
        (Model::Stack, None | Some(Consistency::Linearizable)) => monitors::judge::<Stack>(history, question, budget),
        (Model::Set, None | Some(Consistency::Linearizable)) => set(history, question, budget),
        (Model::SetFull, None | Some(Consistency::Linearizable)) => set_full(history, question, budget),
        (Model::Mutex | Model::Counter | Model::Siblings | Model::Cart, _) if !question.is_complete => {
            let model = question.model.name();
            Err(Unfit::Question(format!("what happened to a {model} beside the record could explain anything")))
        }
        (Model::Mutex | Model::LongFork | Model::UniqueIds | Model::Siblings | Model::Cart, _)
            if question.initial.as_ref().is_some_and(|v| !v.is_nil()) =>
        {
            let model = question.model.name();
            Err(Unfit::Question(format!("a {model} has no initial value to choose; leave it out")))
        }
        (Model::Mutex, None | Some(Consistency::Linearizable)) => mutex(history),
        (Model::Counter, None | Some(Consistency::Linearizable)) => counter(history, question, budget),
        (Model::Decree, None | Some(Consistency::Linearizable)) => decree(history, question),
        (Model::Bank, None) => bank(history, question),
        (Model::LongFork, None) => long_fork(history),
        (Model::UniqueIds, None) => unique_ids(history),
        (Model::Siblings | Model::Cart, None) => siblings::siblings(history, question.model),
        (Model::Siblings | Model::Cart, Some(level)) if question.model.knows(level) => {
            siblings::session(history, question.model, level)
        }
        (
            Model::Queue
            | Model::Stack
            | Model::Set
            | Model::SetFull
            | Model::Mutex
            | Model::Counter
            | Model::Bank
            | Model::LongFork
            | Model::UniqueIds
            | Model::Decree
            | Model::Siblings
            | Model::Cart,
            Some(_),
        ) => Err(unknown(question)),
    }
}

/// The same history at every level that its model knows, the strongest first.
///
/// # Errors
/// If an operation is none of the model's.
pub fn ladder(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Vec<Rung>, Unfit> {
    match question.model {
        Model::CasRegister | Model::Register | Model::Kv => crate::ladder::table(history, question, budget),
        Model::ListAppend | Model::RwRegister => transactions::ladder(history, question, budget),
        Model::Siblings | Model::Cart => {
            // Whatever cannot be judged is told here.
            judge_strictly(history, question, budget)?;
            siblings::table(history, question.model)
        }
        Model::Queue
        | Model::Stack
        | Model::Set
        | Model::SetFull
        | Model::Mutex
        | Model::Counter
        | Model::Bank
        | Model::LongFork
        | Model::UniqueIds
        | Model::Decree => {
            let Judgement { verdict, detail, witness, .. } = judge(history, question, budget)?;
            Ok(vec![Rung { name: law(question.model), verdict, detail, witness }])
        }
    }
}

/// What a history of a model is judged by.
fn law(model: Model) -> &'static str {
    match model {
        Model::SetFull => "no element lost",
        Model::Bank => "total kept",
        Model::LongFork => "no long fork",
        Model::UniqueIds => "unique",
        Model::Siblings | Model::Cart => "no lost writes",
        Model::CasRegister
        | Model::Register
        | Model::Kv
        | Model::Queue
        | Model::Stack
        | Model::Set
        | Model::Mutex
        | Model::Counter
        | Model::ListAppend
        | Model::RwRegister
        | Model::Decree => model.usual_level().map_or("its own law", Consistency::name),
    }
}

fn unknown(question: &Question<'_>) -> Unfit {
    let (model, level) = (question.model.name(), question.level.map_or("its own level", Consistency::name));
    Unfit::Question(format!("a history of a {model} cannot be judged by {level}"))
}
