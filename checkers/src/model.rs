//! Models: what the operations of a plain history mean.
//!
//! A history is words: `f`, an argument, a result. A model turns them into typed operations of a [`history::Object`],
//! whose `apply` is the same specification that protocols replicate. To add one: implement [`Checked`] for its
//! object, and add it to [`Model`] and to the `match` in [`crate::linearizable`].
//!
//! **Locality** (Herlihy and Wing 1990, section 3.1): a history over many objects is linearizable if and only if its
//! part at each object is. So a keyed history falls apart into one [`Part`] per key, each judged by itself.

use hashbrown::HashMap;
use history::{Completion, History, Object, Operation, Outcome, Register, RegisterOp, RegisterRet, Value};
use std::fmt;
use std::hash::{BuildHasherDefault, Hash};

use crate::hash::Mixer;

/// A kind of data that histories can be judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// One register with compare-and-set.
    CasRegister,
    /// One register.
    Register,
    /// One register per key; arguments and results are `[key, …]`.
    Kv,
}

impl Model {
    /// All of them.
    pub const ALL: [Model; 3] = [Model::CasRegister, Model::Register, Model::Kv];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Model::CasRegister => "cas-register",
            Model::Register => "register",
            Model::Kv => "kv",
        }
    }

    /// The model of that name.
    pub fn from_name(name: &str) -> Option<Model> {
        Model::ALL.into_iter().find(|model| model.name() == name)
    }

    /// Whether a function changes the data and returns the same whatever they held, so that its results tell nothing.
    pub fn is_blind(self, f: &str) -> bool {
        match self {
            Model::CasRegister | Model::Register | Model::Kv => matches!(f, "write" | "put" | "append"),
        }
    }

    /// Whether operations name a key.
    pub const fn is_keyed(self) -> bool {
        match self {
            Model::CasRegister | Model::Register => false,
            Model::Kv => true,
        }
    }
}

/// An operation that the model has no meaning for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The position of its invocation in the record.
    pub index: u64,
    /// Who asked.
    pub process: u64,
    /// What was asked.
    pub f: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}, process {}, `{}`: {}", self.index, self.process, self.f, self.message)
    }
}

impl std::error::Error for Unfit {}

/// A kind of data whose operations can be read back from a plain history.
pub(crate) trait Checked: Object<Op: Hash + Eq, State: Hash + Eq + Into<Value>> {
    /// The operation asked for.
    fn parse(f: &str, argument: &Value) -> Result<Self::Op, String>;

    /// What it returned.
    fn returned(op: &Self::Op, completion: Answer<'_>) -> Result<Self::Ret, String>;

    /// Whether, having returned that, it cannot have changed anything.
    fn observes(op: &Self::Op, ret: &Self::Ret) -> bool;

    /// The operations of unknown outcome that may as well never have happened.
    fn is_idle(part: &Part<'_, Self>) -> impl Fn(&Self::Op) -> bool;

    /// Which states an operation needs and can bring about, having returned `ret` (`None` if nobody knows).
    fn needs<'a>(op: &'a Self::Op, ret: Option<&'a Self::Ret>) -> Needs<'a, Self::State>;

    /// What an operation tells of the state that it met, having returned `ret` (`None` if nobody knows: if it took
    /// effect at all).
    fn sight<'a>(op: &'a Self::Op, ret: Option<&'a Self::Ret>) -> Sight<'a, Self::State>;

    /// What it left behind, if it took effect.
    fn deed<'a>(op: &'a Self::Op, ret: Option<&'a Self::Ret>) -> Deed<'a, Self::State>;

    /// The operation that leaves the same behind, whatever it meets.
    fn made_only(op: &Self::Op) -> Self::Op;

    /// The operation that meets the same, and its result, and leaves nothing behind.
    fn met_only(op: &Self::Op, ret: &Self::Ret) -> (Self::Op, Self::Ret);

    /// Whether what was `made` may have a part in a state that was `met`, where states are put together of pieces.
    fn is_part(made: &Self::State, met: &Self::State) -> bool;
}

/// Which states an operation depends on, for seeing dead ends early.
#[derive(Clone, Copy)]
pub(crate) enum Needs<'a, State> {
    /// It must meet this state, and leaves it as it is.
    Meets(&'a State),
    /// It can bring about this state.
    Makes(&'a State),
    /// It must meet the first state and brings about the second.
    Turns(&'a State, &'a State),
    /// It can bring about states that only running it would tell.
    MakesAnything,
    /// None of this.
    Nothing,
}

/// What an operation tells of the state that it met.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight<'a, State> {
    /// Nothing.
    Nothing,
    /// It was this.
    Is(&'a State),
    /// It was anything but this.
    IsNot(&'a State),
}

impl<State> Sight<'_, State> {
    pub fn is_something(&self) -> bool {
        match self {
            Sight::Nothing => false,
            Sight::Is(_) | Sight::IsNot(_) => true,
        }
    }
}

/// What an operation leaves behind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed<'a, State> {
    /// Nothing.
    Nothing,
    /// This, whatever was there.
    Replaces(&'a State),
    /// What was there and this.
    Extends(&'a State),
}

impl<State> Deed<'_, State> {
    pub fn is_something(&self) -> bool {
        match self {
            Deed::Nothing => false,
            Deed::Replaces(_) | Deed::Extends(_) => true,
        }
    }
}

/// A completion without its key.
#[derive(Clone, Copy)]
pub(crate) enum Answer<'a> {
    /// It worked, and returned this.
    Ok(&'a Value),
    /// [`Completion::Mismatch`].
    Mismatch,
}

/// One operation, typed.
pub(crate) struct Call<'h, O: Object> {
    pub op: O::Op,
    pub outcome: Outcome<O::Ret>,
    /// Its position in the history.
    pub number: usize,
    pub source: &'h Operation,
}

/// All operations on one object, in the order of their invocations.
pub(crate) struct Part<'h, O: Object> {
    /// Its key, if the model has keys.
    pub key: Option<&'h Value>,
    pub calls: Vec<Call<'h, O>>,
}

/// Types every operation and parts them by key, keys in order of appearance.
pub(crate) fn parts<O: Checked>(history: &History, model: Model) -> Result<Vec<Part<'_, O>>, Unfit> {
    assert!(
        history.operations.is_sorted_by_key(|operation| operation.invoked),
        "a history lists its operations by invocation"
    );
    let mut parts: Vec<Part<O>> = Vec::new();
    let mut part_of: HashMap<Option<&Value>, usize, BuildHasherDefault<Mixer>> = HashMap::default();
    for (number, source) in history.operations.iter().enumerate() {
        let (key, call) = read::<O>(number, source, model).map_err(|message| Unfit {
            index: source.invoked.index,
            process: source.process,
            f: source.f.clone().into_owned(),
            message,
        })?;
        let part = *part_of.entry(key).or_insert_with(|| {
            parts.push(Part { key, calls: Vec::new() });
            parts.len() - 1
        });
        parts[part].calls.push(call);
    }
    Ok(parts)
}

fn read<O: Checked>(number: usize, source: &Operation, model: Model) -> Result<(Option<&Value>, Call<'_, O>), String> {
    let (key, argument) = match (model.is_keyed(), source.input.as_pair()) {
        (false, _) => (None, &source.input),
        (true, Some((key, argument))) => (Some(key), argument),
        (true, None) => {
            let model = model.name();
            return Err(format!("the argument is {}, but model {model} wants [key, argument]", source.input));
        }
    };
    let op = O::parse(&source.f, argument)?;
    let outcome = match &source.outcome {
        Outcome::Returned(Completion::Ok(value)) => {
            Outcome::Returned(O::returned(&op, Answer::Ok(without_key(key, value)?))?)
        }
        Outcome::Returned(Completion::Mismatch) => Outcome::Returned(O::returned(&op, Answer::Mismatch)?),
        Outcome::Refused => Outcome::Refused,
        Outcome::Unknown => Outcome::Unknown,
    };
    Ok((key, Call { op, outcome, number, source }))
}

fn without_key<'a>(key: Option<&Value>, value: &'a Value) -> Result<&'a Value, String> {
    let Some(key) = key else { return Ok(value) };
    match value.as_pair() {
        Some((same, value)) if same == key => Ok(value),
        Some((other, _)) => Err(format!("it was asked of key {key} and answered for key {other}")),
        None => Err(format!("it returned {value}, but a keyed model wants [key, value]")),
    }
}

impl Checked for Register {
    fn parse(f: &str, argument: &Value) -> Result<RegisterOp, String> {
        match f {
            "read" | "get" => match argument.as_pair() {
                Some((_, Value::Nil)) => Err(format!(
                    "a read takes no argument, this one has {argument}; keyed histories are judged as `kv`"
                )),
                _ => Ok(RegisterOp::Read),
            },
            "write" | "put" => Ok(RegisterOp::Write(argument.clone())),
            "append" => Ok(RegisterOp::Append(argument.clone())),
            "cas" => match argument.as_pair() {
                Some((from, to)) => Ok(RegisterOp::Cas { from: from.clone(), to: to.clone() }),
                None => Err(format!("a compare-and-set takes [from, to], this one has {argument}")),
            },
            _ => Err("a register knows `read` or `get`, `write` or `put`, `cas`, `append`".to_owned()),
        }
    }

    fn returned(op: &RegisterOp, completion: Answer<'_>) -> Result<RegisterRet, String> {
        match (op, completion) {
            (RegisterOp::Read, Answer::Ok(value)) => Ok(RegisterRet::Value(value.clone())),
            (RegisterOp::Write(_) | RegisterOp::Cas { .. } | RegisterOp::Append(_), Answer::Ok(_)) => {
                Ok(RegisterRet::Done)
            }
            (RegisterOp::Cas { .. }, Answer::Mismatch) => Ok(RegisterRet::Mismatch),
            (RegisterOp::Read | RegisterOp::Write(_) | RegisterOp::Append(_), Answer::Mismatch) => {
                Err("only a compare-and-set can find another value".to_owned())
            }
        }
    }

    fn observes(op: &RegisterOp, ret: &RegisterRet) -> bool {
        *op == RegisterOp::Read || *ret == RegisterRet::Mismatch
    }

    /// A write of unknown outcome whose value nobody ever met explains nothing: taken out of a linearization, it
    /// leaves everybody else's results alone. But it may be *why* a compare-and-set found another value, and an
    /// append makes its value part of another; where either occurs, nothing is left out.
    fn is_idle(part: &Part<'_, Register>) -> impl Fn(&RegisterOp) -> bool {
        let mut met: HashMap<&Value, (), BuildHasherDefault<Mixer>> = HashMap::default();
        let mut any_value_matters = false;
        for call in &part.calls {
            match (&call.op, &call.outcome) {
                (_, Outcome::Refused) => {}
                (_, Outcome::Returned(RegisterRet::Value(value))) => _ = met.insert(value, ()),
                (_, Outcome::Returned(RegisterRet::Mismatch)) | (RegisterOp::Append(_), _) => any_value_matters = true,
                (RegisterOp::Cas { from, .. }, _) => _ = met.insert(from, ()),
                (RegisterOp::Read | RegisterOp::Write(_), Outcome::Returned(RegisterRet::Done) | Outcome::Unknown) => {}
            }
        }
        move |op| match op {
            RegisterOp::Read => true,
            RegisterOp::Write(value) | RegisterOp::Cas { to: value, .. } => {
                !any_value_matters && !met.contains_key(value)
            }
            RegisterOp::Append(_) => false,
        }
    }

    fn needs<'a>(op: &'a RegisterOp, ret: Option<&'a RegisterRet>) -> Needs<'a, Value> {
        match (op, ret) {
            (RegisterOp::Read, Some(RegisterRet::Value(value))) => Needs::Meets(value),
            (RegisterOp::Write(value), _) | (RegisterOp::Cas { to: value, .. }, None) => Needs::Makes(value),
            (RegisterOp::Cas { from, to }, Some(RegisterRet::Done)) => Needs::Turns(from, to),
            (RegisterOp::Append(_), _) => Needs::MakesAnything,
            (RegisterOp::Read | RegisterOp::Cas { .. }, _) => Needs::Nothing,
        }
    }

    fn sight<'a>(op: &'a RegisterOp, ret: Option<&'a RegisterRet>) -> Sight<'a, Value> {
        match (op, ret) {
            (RegisterOp::Read, Some(RegisterRet::Value(value))) => Sight::Is(value),
            (RegisterOp::Cas { from, .. }, Some(RegisterRet::Mismatch)) => Sight::IsNot(from),
            (RegisterOp::Cas { from, .. }, _) => Sight::Is(from),
            (RegisterOp::Read | RegisterOp::Write(_) | RegisterOp::Append(_), _) => Sight::Nothing,
        }
    }

    fn deed<'a>(op: &'a RegisterOp, ret: Option<&'a RegisterRet>) -> Deed<'a, Value> {
        match op {
            RegisterOp::Cas { .. } if ret == Some(&RegisterRet::Mismatch) => Deed::Nothing,
            RegisterOp::Write(value) | RegisterOp::Cas { to: value, .. } => Deed::Replaces(value),
            RegisterOp::Append(text) => Deed::Extends(text),
            RegisterOp::Read => Deed::Nothing,
        }
    }

    fn made_only(op: &RegisterOp) -> RegisterOp {
        match op {
            RegisterOp::Cas { to, .. } => RegisterOp::Write(to.clone()),
            RegisterOp::Read | RegisterOp::Write(_) | RegisterOp::Append(_) => op.clone(),
        }
    }

    fn met_only(op: &RegisterOp, ret: &RegisterRet) -> (RegisterOp, RegisterRet) {
        match (op, ret) {
            (RegisterOp::Cas { from, .. }, RegisterRet::Done) => (RegisterOp::Read, RegisterRet::Value(from.clone())),
            (RegisterOp::Read | RegisterOp::Write(_) | RegisterOp::Append(_) | RegisterOp::Cas { .. }, _) => {
                (op.clone(), ret.clone())
            }
        }
    }

    /// What is written first and appended next stands in the whole as it was; nothing at all is the empty text.
    fn is_part(made: &Value, met: &Value) -> bool {
        made == met || made.is_nil() || met.to_string().contains(&made.to_string())
    }
}
