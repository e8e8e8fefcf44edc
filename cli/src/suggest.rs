//! What a history seems to be a history of, for whoever did not say.
//!
//! A guess for a message, never for a judgement: `add` and `read` may be a set or a counter, and a verdict on the wrong one
//! would mean nothing.

use checkers::Model;
use history::{Completion, History, Operation, Outcome, Value};

/// So many operations tell what the rest is.
const LOOKED_AT: usize = 1_000;

/// The model that its operations sound like.
pub fn model(history: &History) -> Option<Model> {
    let operations = || history.operations.iter().take(LOOKED_AT);
    let asks = |names: &[&str]| operations().any(|op| names.contains(&&*op.f));
    let is_keyed = operations().filter(|op| op.f != "cas").all(|op| op.input.as_pair().is_some());
    let steps: Vec<&str> = operations().flat_map(|op| steps(&op.input)).collect();
    let has_lists = || {
        operations()
            .any(|op| matches!(&op.outcome, Outcome::Returned(Completion::Ok(Value::List(_)))) && op.f == "read")
    };
    Some(match () {
        () if steps.contains(&"append") => Model::ListAppend,
        () if steps.contains(&"w") => Model::RwRegister,
        () if asks(&["enqueue", "dequeue", "poll", "send"]) => Model::Queue,
        () if asks(&["push", "pop"]) => Model::Stack,
        () if asks(&["acquire", "release", "lock", "unlock"]) => Model::Mutex,
        () if asks(&["transfer"]) => Model::Bank,
        () if asks(&["propose"]) => Model::Decree,
        () if asks(&["generate"]) => Model::UniqueIds,
        () if asks(&["add"]) && is_keyed => Model::Cart,
        () if asks(&["add"]) && has_lists() => Model::Set,
        () if asks(&["add"]) => Model::Counter,
        () if asks(&["blind"]) || is_keyed && operations().any(replaces) => Model::Siblings,
        () if asks(&["get", "put", "append"]) => Model::Kv,
        () if asks(&["read", "write", "cas"]) && is_keyed => Model::Kv,
        () if asks(&["cas"]) => Model::CasRegister,
        () if asks(&["read", "write"]) => Model::Register,
        () => return None,
    })
}

/// Whether it says what it replaces: `write [k [3 [1 2]]]`.
fn replaces(operation: &Operation) -> bool {
    let argument = operation.input.as_pair().and_then(|(_, argument)| argument.as_pair());
    operation.f == "write" && matches!(argument, Some((_, Value::List(_))))
}

/// What the steps of a transaction do: the words of `[[append 4 2] [r 3 nil]]`.
fn steps(input: &Value) -> impl Iterator<Item = &str> {
    let steps = match input {
        Value::List(steps) => &steps[..],
        Value::Nil | Value::Int(_) | Value::Text(_) => &[],
    };
    steps.iter().filter_map(|step| match step {
        Value::List(words) => match words.first() {
            Some(Value::Text(word)) => Some(&**word),
            Some(Value::Nil | Value::Int(_) | Value::List(_)) | None => None,
        },
        Value::Nil | Value::Int(_) | Value::Text(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::jsonl;

    fn of(events: &[(&str, &str)]) -> Option<Model> {
        let line = |(i, (f, value)): (usize, &(&str, &str))| {
            let event = |kind: &str| format!(r#"{{"process":{i},"type":"{kind}","f":"{f}","value":{value}}}"#);
            format!("{}\n{}\n", event("invoke"), event("ok"))
        };
        let text: String = events.iter().enumerate().map(line).collect();
        model(&jsonl::read(&text).expect("well formed"))
    }

    #[test]
    fn a_history_sounds_like_what_it_is() {
        assert_eq!(of(&[("write", "1"), ("read", "1")]), Some(Model::Register));
        assert_eq!(of(&[("write", "1"), ("cas", "[1,2]")]), Some(Model::CasRegister));
        assert_eq!(of(&[("write", r#"["k",1]"#), ("read", r#"["k",1]"#)]), Some(Model::Kv));
        assert_eq!(of(&[("put", r#"["k","x"]"#)]), Some(Model::Kv));
        assert_eq!(of(&[("txn", r#"[["append",1,2],["r",1,[2]]]"#)]), Some(Model::ListAppend));
        assert_eq!(of(&[("txn", r#"[["r",1,null]]"#), ("txn", r#"[["w",1,2]]"#)]), Some(Model::RwRegister));
        assert_eq!(of(&[("enqueue", "1"), ("dequeue", "1")]), Some(Model::Queue));
        assert_eq!(of(&[("acquire", "null")]), Some(Model::Mutex));
        assert_eq!(of(&[("add", "1"), ("read", "[1]")]), Some(Model::Set));
        assert_eq!(of(&[("add", "1"), ("read", "1")]), Some(Model::Counter));
        assert_eq!(of(&[("write", r#"["k",[2,[1]]]"#), ("read", r#"["k",[2]]"#)]), Some(Model::Siblings));
        assert_eq!(of(&[("add", r#"["k",1]"#), ("read", r#"["k",[[1]]]"#)]), Some(Model::Cart));
        assert_eq!(of(&[("dance", "1")]), None);
        assert_eq!(of(&[]), None);
    }
}
