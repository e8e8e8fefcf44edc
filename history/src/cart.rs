//! Shopping carts, each under a key, which their clients merge.
//!
//! The store keeps whole carts and knows nothing of items. Whoever adds an item puts everything together that he last saw, adds
//! the item, and writes the whole, in the place of what he saw. So no item that was added gets lost, and one that was taken
//! out may come back, out of a sibling that still had it.
//! Source: DeCandia et al., Dynamo (SOSP 2007), sections 4.4 and 6.

use crate::siblings::Seen;
use crate::{Completion, Data, Function, Key, SiblingsRet, Value};
use serde::Serialize;
use std::collections::BTreeSet;

/// A store of shopping carts.
#[derive(Clone, Debug)]
pub struct Cart;

/// An operation and the cart it goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CartOp {
    /// Which cart.
    pub key: Key,
    /// What to do with it.
    pub ask: CartAsk,
}

/// What one asks of a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum CartAsk {
    /// Returns all siblings, each a whole cart.
    Read,
    /// Puts a whole cart in the place of those that the client has seen.
    Put {
        /// What this is for.
        change: Change,
        /// Which item is added or removed.
        item: Value,
        /// The new cart, as one version: a list of items, the smallest first.
        cart: Value,
        /// What it replaces.
        seen: Seen,
    },
}

/// What becomes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Change {
    /// It is put into the cart.
    Add,
    /// It is taken out.
    Remove,
}

/// The items of all these carts, each once.
fn merged(carts: &[Value]) -> BTreeSet<Value> {
    let items = |cart: &Value| match cart {
        Value::List(items) => items.to_vec(),
        Value::Nil | Value::Int(_) | Value::Text(_) => Vec::new(),
    };
    carts.iter().flat_map(items).collect()
}

impl CartAsk {
    fn put(change: Change, item: Value, seen: Seen) -> Self {
        let mut cart = merged(&seen.values);
        match change {
            Change::Add => cart.insert(item.clone()),
            Change::Remove => cart.remove(&item),
        };
        CartAsk::Put { change, item, cart: cart.into(), seen }
    }
}

impl Data for Cart {
    type Op = CartOp;
    type Ret = SiblingsRet;

    const NAME: &'static str = "cart";
    const FUNCTIONS: &'static [Function] = &[
        Function { name: "add", writes: true, takes: &["item"], notes: &[] },
        Function { name: "remove", writes: true, takes: &["item"], notes: &[] },
        Function { name: "read", writes: false, takes: &[], notes: &[] },
    ];
    const KEYED: bool = true;

    /// What is removed is the first item that the client has seen; `fresh`, which is nowhere, if it has seen none.
    fn make(function: usize, key: Key, fresh: Value, seen: &Value) -> CartOp {
        match function {
            1 => {
                let item = merged(&Seen::of(seen).values).pop_first().unwrap_or(fresh);
                Self::written(function, key, &[item], seen)
            }
            2 => Self::written(function, key, &[], seen),
            _ => Self::written(function, key, &[fresh], seen),
        }
    }

    fn written(function: usize, key: Key, arguments: &[Value], seen: &Value) -> CartOp {
        let put = |change, item: &Value| CartAsk::put(change, item.clone(), Seen::of(seen));
        let ask = match (function, arguments) {
            (0, [item]) => put(Change::Add, item),
            (1, [item]) => put(Change::Remove, item),
            (2, []) => CartAsk::Read,
            _ => panic!("a cart has no function number {function} that takes {} values", arguments.len()),
        };
        CartOp { key, ask }
    }

    fn function(op: &CartOp) -> usize {
        match op.ask {
            CartAsk::Put { change: Change::Add, .. } => 0,
            CartAsk::Put { change: Change::Remove, .. } => 1,
            CartAsk::Read => 2,
        }
    }

    fn key(op: &CartOp) -> Key {
        op.key
    }

    fn learnt(_op: &CartOp, ret: &SiblingsRet) -> Option<Value> {
        Some(ret.to_value())
    }

    fn input(op: &CartOp) -> Value {
        match &op.ask {
            CartAsk::Put { item, .. } => item.clone(),
            CartAsk::Read => Value::Nil,
        }
    }

    fn completion(op: &CartOp, ret: &SiblingsRet) -> Completion {
        Completion::Ok(match op.ask {
            CartAsk::Put { .. } => Self::input(op),
            CartAsk::Read => ret.told(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cart(items: &[i64]) -> Value {
        Value::List(items.iter().map(|item| Value::Int(*item)).collect())
    }

    fn saw(carts: &[Value]) -> Value {
        Seen { values: carts.to_vec(), context: Value::text("token") }.to_value()
    }

    fn put(op: CartOp) -> (Value, Value) {
        match op.ask {
            CartAsk::Put { item, cart, .. } => (item, cart),
            CartAsk::Read => panic!("this puts nothing"),
        }
    }

    #[test]
    fn whoever_changes_a_cart_merges_what_he_saw() {
        let seen = saw(&[cart(&[2, 3]), cart(&[1, 3])]);
        assert_eq!(put(Cart::make(0, 0, 9.into(), &seen)), (9.into(), cart(&[1, 2, 3, 9])));
        assert_eq!(put(Cart::make(1, 0, 9.into(), &seen)), (1.into(), cart(&[2, 3])));
        assert_eq!(put(Cart::make(1, 0, 9.into(), &Value::Nil)), (9.into(), cart(&[])), "there is none to remove");
        assert_eq!(put(Cart::written(1, 0, &[3.into()], &seen)), (3.into(), cart(&[1, 2])));
        let CartAsk::Put { seen: replaced, .. } = Cart::make(0, 0, 9.into(), &seen).ask else { panic!("it puts") };
        assert_eq!(replaced, Seen::of(&seen));
    }

    #[test]
    fn an_operation_can_be_written_down() {
        let seen = saw(&[cart(&[4])]);
        for (number, function) in Cart::FUNCTIONS.iter().enumerate() {
            let op = Cart::make(number, 5, 7.into(), &seen);
            let arguments = function.arguments(&Cart::input(&op));
            assert_eq!(Cart::written(number, 5, &arguments, &seen), op, "{}", function.name);
            assert_eq!((Cart::function(&op), Cart::key(&op)), (number, 5));
        }
    }

    #[test]
    fn a_read_returns_carts_and_a_change_its_item() {
        let ret = Seen::of(&saw(&[cart(&[1, 2]), cart(&[])]));
        let told = |function| Cart::completion(&Cart::make(function, 0, 7.into(), &Value::Nil), &ret);
        assert_eq!(told(0), Completion::Ok(7.into()));
        assert_eq!(told(2), Completion::Ok(Value::List([cart(&[1, 2]), cart(&[])].into())));
    }
}
