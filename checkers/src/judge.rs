//! Which checker answers which question.

use crate::laws::{bank::bank, long_fork::long_fork, unique_ids::unique_ids};
use crate::linearizability::by_hint;
use crate::monitors::{counter::counter, decree::decree, mutex::mutex, set::set, set_full::set_full};
use crate::{Budget, Consistency, Judgement, Model, Question, Rung, Unfit, linearizable, monitors, transactions};
use history::{History, Queue, Register, Stack};

/// Judges `history`.
///
/// # Errors
/// If an operation is none of the model's, or the level demanded is none that the model knows.
pub fn judge(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Judgement, Unfit> {
    match (question.model, question.level) {
        (Model::CasRegister | Model::Register | Model::Kv, None | Some(Consistency::Linearizable)) => {
            if let Some(order) = question.hint {
                let start = question.initial.clone().unwrap_or_default();
                if let Some(judgement) = by_hint::<Register>(history, question.model, &start, order)? {
                    return Ok(judgement);
                }
            }
            linearizable(history, question.model, question.initial.clone(), budget)
        }
        (Model::CasRegister | Model::Register | Model::Kv, Some(level)) => {
            crate::ladder::judge(history, question, level, budget)
        }
        (Model::ListAppend | Model::RwRegister, _) => transactions::judge(history, question, budget),
        (Model::Queue, None | Some(Consistency::Linearizable)) => monitors::judge::<Queue>(history, question, budget),
        (Model::Stack, None | Some(Consistency::Linearizable)) => monitors::judge::<Stack>(history, question, budget),
        (Model::Set, None | Some(Consistency::Linearizable)) => set(history, question),
        (Model::SetFull, None | Some(Consistency::Linearizable)) => set_full(history, question),
        (Model::Mutex | Model::Counter, _) if !question.is_complete => {
            let model = question.model.name();
            Err(Unfit::Question(format!("what happened to a {model} beside the record could explain anything")))
        }
        (Model::Mutex, None | Some(Consistency::Linearizable)) => mutex(history),
        (Model::Counter, None | Some(Consistency::Linearizable)) => counter(history, question, budget),
        (Model::Decree, None | Some(Consistency::Linearizable)) => decree(history, question),
        (Model::Bank, None) => bank(history, question),
        (Model::LongFork, None) => long_fork(history),
        (Model::UniqueIds, None) => unique_ids(history),
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
            | Model::Decree,
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
