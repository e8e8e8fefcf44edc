//! What clients ask of a key-value store that knows of nothing but keys, values and versions.

use history::{
    Cart, CartAsk, CartOp, Data, Kv, KvOp, RegisterOp, RegisterRet, Seen, Siblings, SiblingsAsk, SiblingsOp,
    SiblingsRet, Value,
};

/// What an operation asks of the store (DeCandia et al. 2007, 4.1: `get(key)`, `put(key, context, object)`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `get`.
    Get,
    /// `put`; of [`Value::Nil`] it deletes.
    Put {
        /// What to store.
        value: Value,
        /// The token that came with what the client has seen; [`Value::Nil`] if it has seen nothing.
        context: Value,
    },
}

/// Data whose operations come down to a get or a put.
pub trait Versioned: Data {
    /// What the operation asks; `None` if a store without order cannot do it.
    fn asks(op: &Self::Op) -> Option<Asked>;

    /// What the client is told: the values that stand now, and the token that covers them.
    fn told(op: &Self::Op, values: Vec<Value>, context: Value) -> Self::Ret;
}

impl Versioned for Kv {
    fn asks(op: &KvOp) -> Option<Asked> {
        match &op.op {
            RegisterOp::Read => Some(Asked::Get),
            RegisterOp::Write(value) => Some(Asked::Put { value: value.clone(), context: Value::Nil }),
            RegisterOp::Cas { .. } | RegisterOp::Append(_) => None,
        }
    }

    fn told(op: &KvOp, values: Vec<Value>, _: Value) -> RegisterRet {
        match &op.op {
            RegisterOp::Read => RegisterRet::Value(values.into_iter().next_back().unwrap_or_default()),
            RegisterOp::Write(_) | RegisterOp::Cas { .. } | RegisterOp::Append(_) => RegisterRet::Done,
        }
    }
}

impl Versioned for Siblings {
    fn asks(op: &SiblingsOp) -> Option<Asked> {
        let put = |value: &Value, context: &Value| Asked::Put { value: value.clone(), context: context.clone() };
        Some(match &op.ask {
            SiblingsAsk::Read => Asked::Get,
            SiblingsAsk::Write { value, seen } => put(value, &seen.context),
            SiblingsAsk::Blind { value } => put(value, &Value::Nil),
            SiblingsAsk::Delete { seen } => put(&Value::Nil, &seen.context),
        })
    }

    fn told(_: &SiblingsOp, values: Vec<Value>, context: Value) -> SiblingsRet {
        Seen { values, context }
    }
}

impl Versioned for Cart {
    fn asks(op: &CartOp) -> Option<Asked> {
        Some(match &op.ask {
            CartAsk::Read => Asked::Get,
            CartAsk::Put { cart, seen, .. } => Asked::Put { value: cart.clone(), context: seen.context.clone() },
        })
    }

    fn told(_: &CartOp, values: Vec<Value>, context: Value) -> SiblingsRet {
        Seen { values, context }
    }
}
