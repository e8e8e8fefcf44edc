//! Which checker answers which question.

use crate::{Budget, Consistency, Judgement, Model, Question, Rung, Unfit, linearizable, transactions};
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
        (Model::Set, _) => Err(unknown(question)),
        (Model::SetFull, _) => Err(unknown(question)),
        (Model::Mutex, _) => Err(unknown(question)),
        (Model::Counter, _) => Err(unknown(question)),
        (Model::Bank, _) => Err(unknown(question)),
        (Model::ListAppend | Model::RwRegister, _) => transactions::judge(history, question, budget),
        (Model::LongFork, _) => Err(unknown(question)),
        (Model::UniqueIds, _) => Err(unknown(question)),
    }
}

/// The same history at every level that its model knows, the strongest first.
///
/// # Errors
/// If an operation is none of the model's.
pub fn ladder(history: &History, question: &Question<'_>, budget: &Budget<'_>) -> Result<Vec<Rung>, Unfit> {
    if matches!(question.model, Model::ListAppend | Model::RwRegister) {
        return transactions::ladder(history, question, budget);
    }
    let judgement = judge(history, question, budget)?;
    let Judgement { verdict, detail, witness, .. } = judgement;
    Ok(vec![Rung { name: Consistency::Linearizable.name(), verdict, detail, witness }])
}

fn unknown(question: &Question<'_>) -> Unfit {
    let (model, level) = (question.model.name(), question.level.map_or("its own level", Consistency::name));
    Unfit::Question(format!("a history of a {model} cannot be judged by {level}"))
}
