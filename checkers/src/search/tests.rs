//! However narrow the crowd, whether it looks ahead or not, and whoever is blamed: the search finds the same.

use super::*;
use crate::Model;
use crate::model::parts;
use history::{Register, Value};
use random::{has_order, history, recording};

#[allow(dead_code, reason = "the twins of whole judgements use the rest")]
#[path = "../../tests/random/mod.rs"]
mod random;

#[test]
fn every_way_of_searching_agrees_with_trying_every_order() {
    let (mut good, mut bad) = (0, 0);
    for seed in 0..60_000 {
        let calls = recording(seed);
        let history = history(&calls);
        let parts = parts::<Register>(&history, Model::CasRegister).expect("a register");
        let expected = has_order(&calls, &Value::Nil);
        let blamed = parts[0].calls.len() / 2;
        for (width, looks_ahead, blamed) in
            [(1, true, None), (2, true, None), (1, false, None), (1, true, Some(blamed))]
        {
            let scope = Scope { until: u64::MAX, grant: 100_000, blamed, looks_ahead };
            let found = search_by(width, &parts[0], &Value::Nil, scope, &Budget::states(0));
            match found.decision {
                Decision::Explained => assert!(expected, "seed {seed}: {history:#?}"),
                Decision::Contradiction => assert!(!expected, "seed {seed}: {history:#?}"),
                Decision::OutOfStates | Decision::Stopped => panic!("seed {seed}: undecided"),
            }
        }
        if expected { good += 1 } else { bad += 1 }
    }
    assert!(good > 10_000 && bad > 10_000, "{good} good, {bad} bad");
}
