//! Which checker answers which question.

use crate::linearizability::by_hint;
use crate::{Budget, Consistency, Judgement, Model, Question, Rung, Unfit, linearizable};
use history::{History, Register};

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
        (Model::CasRegister | Model::Register | Model::Kv, Some(_)) => Err(unknown(question)),
        (Model::Queue, _) => Err(unknown(question)),
        (Model::Stack, _) => Err(unknown(question)),
        (Model::Set, _) => Err(unknown(question)),
        (Model::SetFull, _) => Err(unknown(question)),
        (Model::Mutex, _) => Err(unknown(question)),
        (Model::Counter, _) => Err(unknown(question)),
        (Model::Bank, _) => Err(unknown(question)),
        (Model::ListAppend, _) => Err(unknown(question)),
        (Model::RwRegister, _) => Err(unknown(question)),
        (Model::LongFork, _) => Err(unknown(question)),
        (Model::UniqueIds, _) => Err(unknown(question)),
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
