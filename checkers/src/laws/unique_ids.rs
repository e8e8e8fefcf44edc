//! Identifiers: no two of them are the same, whoever asked and when.

use history::{History, Verdict};

use crate::evidence::{Violation, judgement, returned};
use crate::monitors::numbers::Numbers;
use crate::{Judgement, Unfit};
use history::figures::{counted, shown};

/// Judges whether every identifier was given once.
///
/// VACUOUS if none was given.
///
/// # Errors
/// If an operation is no `generate`, or returned nothing.
pub(crate) fn unique_ids(history: &History) -> Result<Judgement, Unfit> {
    let mut numbers = Numbers::new(history.len());
    // By number of the identifier.
    let mut given: Vec<usize> = Vec::new();
    let (mut ids, mut repeated, mut first_repeated) = (0, 0, None);
    for (number, operation) in history.operations.iter().enumerate() {
        if operation.f != "generate" {
            return Err(Unfit::operation(operation, "identifiers know `generate`"));
        }
        let Some(id) = returned(operation)? else { continue };
        if id.is_nil() {
            return Err(Unfit::operation(operation, "it returned nil, and should have returned an identifier"));
        }
        ids += 1;
        let (known_as, is_new) = numbers.number(id);
        if is_new {
            given.push(number);
        } else {
            repeated += 1;
            first_repeated.get_or_insert((id, given[known_as as usize], number));
        }
    }
    let count = counted(ids, "identifier");
    let Some((id, first, again)) = first_repeated else {
        let verdict = if ids == 0 { Verdict::Vacuous } else { Verdict::Pass };
        return Ok(told(judgement(history, verdict, format!("{count}, each given once"), None)));
    };
    let id = shown(id);
    let violation = Violation {
        why: "given twice",
        headline: format!("identifier {id} was given twice"),
        because: vec!["An identifier is given once, whoever asks and whenever.".to_owned()],
        operations: vec![first, again],
        offender: Some(again),
    };
    let detail = format!("{}; {repeated} of {count} had been given before", violation.headline);
    Ok(told(judgement(history, Verdict::Fail, detail, Some(violation.witness(history, "the identifiers")))))
}

fn told(judgement: Judgement) -> Judgement {
    Judgement { methods: vec!["every identifier looked up".to_owned()], ..judgement }
}
