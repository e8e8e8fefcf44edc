//! Which checker answers which question.

use crate::laws::{bank::bank, long_fork::long_fork, unique_ids::unique_ids};
use crate::monitors::{counter::counter, mutex::mutex, set::set, set_full::set_full};
use crate::{Budget, Consistency, Judgement, Model, Question, Rung, Unfit, linearizable};
use history::History;

/// Judges `history`.
///
/// # Errors
/// If an operation is none of the model's, or the level demanded is none that the model knows.
pub fn judge(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Judgement, Unfit> {
    match (question.model, question.level) {
        (Model::CasRegister | Model::Register | Model::Kv, None | Some(Consistency::Linearizable)) => {
            linearizable(history, question.model, question.initial.clone(), budget)
        }
        (Model::CasRegister | Model::Register | Model::Kv, Some(_)) => Err(unknown(question)),
        (Model::Queue, _) => Err(unknown(question)),
        (Model::Stack, _) => Err(unknown(question)),
        (Model::Set, None | Some(Consistency::Linearizable)) => set(history, question),
        (Model::Set, Some(_)) => Err(unknown(question)),
        (Model::SetFull, None | Some(Consistency::Linearizable)) => set_full(history, question),
        (Model::SetFull, Some(_)) => Err(unknown(question)),
        (Model::Mutex | Model::Counter, _) if !question.is_complete => {
            let model = question.model.name();
            Err(Unfit::Question(format!("what happened to a {model} beside the record could explain anything")))
        }
        (Model::Mutex, None | Some(Consistency::Linearizable)) => mutex(history),
        (Model::Mutex, Some(_)) => Err(unknown(question)),
        (Model::Counter, None | Some(Consistency::Linearizable)) => counter(history, question, budget),
        (Model::Counter, Some(_)) => Err(unknown(question)),
        (Model::Bank, None) => bank(history, question),
        (Model::Bank, Some(_)) => Err(unknown(question)),
        (Model::ListAppend, _) => Err(unknown(question)),
        (Model::RwRegister, _) => Err(unknown(question)),
        (Model::LongFork, None) => long_fork(history),
        (Model::LongFork, Some(_)) => Err(unknown(question)),
        (Model::UniqueIds, None) => unique_ids(history),
        (Model::UniqueIds, Some(_)) => Err(unknown(question)),
    }
}

/// The same history at every level that its model knows, the strongest first.
///
/// # Errors
/// If an operation is none of the model's.
pub fn ladder(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Vec<Rung>, Unfit> {
    let judgement = judge(history, question, budget)?;
    let Judgement { verdict, detail, witness, .. } = judgement;
    Ok(vec![Rung { name: Consistency::Linearizable.name(), verdict, detail, witness }])
}

fn unknown(question: &Question<'_>) -> Unfit {
    let (model, level) = (question.model.name(), question.level.map_or("its own level", Consistency::name));
    Unfit::Question(format!("a history of a {model} cannot be judged by {level}"))
}
