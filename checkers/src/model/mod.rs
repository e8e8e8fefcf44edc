//! Models: what the operations of a plain history mean.
//!
//! A history is words: `f`, an argument, a result. A model turns them into typed operations of a [`history::Object`],
//! whose `apply` is the same specification that protocols replicate. To add one: implement [`Checked`] for its
//! object, and add it to [`Model`] and to the `match` in [`crate::judge`].
//!
//! **Locality** (Herlihy and Wing 1990, section 3.1): a history over many objects is linearizable if and only if its
//! part at each object is. So a keyed history falls apart into one [`Part`] per key, each judged by itself.

use hashbrown::HashMap;
use history::{Completion, History, Object, Operation, Outcome, Value, Witness};
use std::fmt;
use std::hash::{BuildHasherDefault, Hash};

mod counter;
mod queue;
mod register;
mod stack;

use crate::hash::Mixer;
use crate::search::Found;
use crate::{Budget, Consistency};

/// A kind of data that histories can be judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// One register with compare-and-set.
    CasRegister,
    /// One register.
    Register,
    /// One register per key; arguments and results are `[key, …]`.
    Kv,
    /// A first-in, first-out queue: `enqueue`, `dequeue`.
    Queue,
    /// A last-in, first-out stack: `push`, `pop`.
    Stack,
    /// A set that only grows: `add`, and `read`s of the whole.
    Set,
    /// The same, where what matters is when each element became, and stayed, visible.
    SetFull,
    /// A lock: `acquire`, `release`.
    Mutex,
    /// A counter: `add`, and `read`s of the sum.
    Counter,
    /// Accounts whose total never changes: `transfer`, and `read`s of all balances.
    Bank,
    /// Transactions that append to lists and read them whole.
    ListAppend,
    /// Transactions that write registers, each value once, and read them.
    RwRegister,
    /// Transactions that write one key each, or read several: is there one order of the writes?
    LongFork,
    /// Identifiers: `generate` returns each at most once.
    UniqueIds,
    /// Decrees, one for each key: `propose` a value, be told which was decided; `read` it.
    Decree,
    /// Keys with versions side by side: `read`, `write` what replaces what one saw, `blind`, `delete`.
    Siblings,
    /// Carts that their clients merge: `add`, `remove`, `read`.
    Cart,
}

impl Model {
    /// All of them.
    pub const ALL: [Model; 17] = [
        Model::CasRegister,
        Model::Register,
        Model::Kv,
        Model::Queue,
        Model::Stack,
        Model::Set,
        Model::SetFull,
        Model::Mutex,
        Model::Counter,
        Model::Bank,
        Model::ListAppend,
        Model::RwRegister,
        Model::LongFork,
        Model::UniqueIds,
        Model::Decree,
        Model::Siblings,
        Model::Cart,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Model::CasRegister => "cas-register",
            Model::Register => "register",
            Model::Kv => "kv",
            Model::Queue => "queue",
            Model::Stack => "stack",
            Model::Set => "set",
            Model::SetFull => "set-full",
            Model::Mutex => "mutex",
            Model::Counter => "counter",
            Model::Bank => "bank",
            Model::ListAppend => "list-append",
            Model::RwRegister => "rw-register",
            Model::LongFork => "long-fork",
            Model::UniqueIds => "unique-ids",
            Model::Decree => "decree",
            Model::Siblings => "siblings",
            Model::Cart => "cart",
        }
    }

    /// The model of that name.
    pub fn from_name(name: &str) -> Option<Model> {
        Model::ALL.into_iter().find(|model| model.name() == name)
    }

    /// What is demanded of its histories where nothing else is asked for; `None` if that is a law of its own.
    pub const fn usual_level(self) -> Option<Consistency> {
        match self {
            Model::CasRegister
            | Model::Register
            | Model::Kv
            | Model::Queue
            | Model::Stack
            | Model::Set
            | Model::Mutex
            | Model::Counter
            | Model::Decree => Some(Consistency::Linearizable),
            Model::ListAppend | Model::RwRegister => Some(Consistency::StrictSerializable),
            Model::SetFull | Model::Bank | Model::LongFork | Model::UniqueIds | Model::Siblings | Model::Cart => None,
        }
    }

    /// Whether a function changes the data and returns the same whatever they held, so that its results tell nothing.
    pub fn is_blind(self, f: &str) -> bool {
        match self {
            Model::CasRegister | Model::Register | Model::Kv => matches!(f, "write" | "put" | "append"),
            Model::Queue | Model::Stack => matches!(f, "enqueue" | "push" | "add" | "put" | "send" | "offer"),
            Model::Set | Model::SetFull => matches!(f, "add" | "broadcast"),
            Model::Counter => f == "add",
            Model::Bank => f == "transfer",
            Model::LongFork => f == "write",
            Model::Siblings => matches!(f, "write" | "blind" | "delete"),
            Model::Cart => matches!(f, "add" | "remove"),
            Model::Mutex | Model::ListAppend | Model::RwRegister | Model::UniqueIds | Model::Decree => false,
        }
    }

    /// Whether its histories can be judged by this level.
    pub fn knows(self, level: Consistency) -> bool {
        match self {
            Model::CasRegister | Model::Register | Model::Kv => crate::ladder::LEVELS.contains(&level),
            Model::Siblings | Model::Cart => {
                matches!(level, Consistency::ReadYourWrites | Consistency::MonotonicReads)
            }
            Model::ListAppend | Model::RwRegister => crate::transactions::LEVELS.contains(&level),
            Model::Queue
            | Model::Stack
            | Model::Set
            | Model::SetFull
            | Model::Mutex
            | Model::Counter
            | Model::Bank
            | Model::LongFork
            | Model::UniqueIds
            | Model::Decree => self.usual_level() == Some(level),
        }
    }

    /// Whether operations name a key.
    pub const fn is_keyed(self) -> bool {
        match self {
            Model::Kv | Model::Decree | Model::Siblings | Model::Cart => true,
            Model::CasRegister
            | Model::Register
            | Model::Queue
            | Model::Stack
            | Model::Set
            | Model::SetFull
            | Model::Mutex
            | Model::Counter
            | Model::Bank
            | Model::ListAppend
            | Model::RwRegister
            | Model::LongFork
            | Model::UniqueIds => false,
        }
    }
}

/// Why a history cannot be judged as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The model has no meaning for an operation.
    Operation {
        /// The position of its invocation in the record.
        index: u64,
        /// Who asked.
        process: u64,
        /// What was asked.
        f: String,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// Nobody can answer such a question; and which could be answered.
    Question(String),
}

impl Unfit {
    /// An operation that the model has no meaning for: what is wrong, and what would be right.
    pub(crate) fn operation(source: &Operation, message: impl Into<String>) -> Unfit {
        let (index, process, f) = (source.invoked.index, source.process, source.f.clone().into_owned());
        Unfit::Operation { index, process, f, message: message.into() }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Operation { index, process, f: asked, message } => {
                write!(f, "event {index}, process {process}, `{asked}`: {message}")
            }
            Unfit::Question(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Unfit {}

/// A kind of data whose operations can be read back from a plain history, and searched for an order.
pub(crate) trait Checked: Object<Op: Hash + Eq, State: Hash + Eq + Into<Value>> {
    /// The operation asked for.
    fn parse(f: &str, argument: &Value) -> Result<Self::Op, String>;

    /// What it returned.
    fn returned(op: &Self::Op, completion: Answer<'_>) -> Result<Self::Ret, String>;

    /// Whether, having returned that, it cannot have changed anything.
    fn observes(op: &Self::Op, ret: &Self::Ret) -> bool;

    /// Whether it returns the same whatever state it meets. One that is blind and [`Needs::Makes`] a state always makes it.
    fn is_blind(_op: &Self::Op) -> bool {
        false
    }

    /// The operations of unknown outcome that may as well never have happened.
    fn is_idle(part: &Part<'_, Self>) -> impl Fn(&Self::Op) -> bool;

    /// Which states an operation needs and can bring about, having returned `ret` (`None` if nobody knows).
    fn needs<'a>(op: &'a Self::Op, ret: Option<&'a Self::Ret>) -> Needs<'a, Self::State>;

    /// Why `part` has no order, which is what the search `found`.
    fn explain(part: &Part<'_, Self>, start: &Self::State, found: &Found<Self::State>, budget: &Budget<'_>) -> Witness;
}

/// A kind of data of which each operation tells whole states: what it met, and what it left behind. So arguments can be made as
/// small as [`crate::minimal`] makes them.
pub(crate) trait Told: Checked {
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
    /// It must meet the first state and brings about the second; of unknown outcome: or nothing happens.
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
    parts_of(history, model, |_| true, |_| true)
}

/// The same of some operations and some keys only.
pub(crate) fn parts_of<O: Checked>(
    history: &History,
    model: Model,
    is_wanted: impl Fn(&Operation) -> bool,
    is_key_wanted: impl Fn(Option<&Value>) -> bool,
) -> Result<Vec<Part<'_, O>>, Unfit> {
    let mut parts: Vec<Part<O>> = Vec::new();
    let mut part_of: HashMap<Option<&Value>, usize, BuildHasherDefault<Mixer>> = HashMap::default();
    let mut last = 0;
    for (number, source) in in_order(history).filter(|(_, source)| is_wanted(source)) {
        let (key, call) = read::<O>(number, source, model)?;
        if !is_key_wanted(key) {
            continue;
        }
        // Few keys are common, and then the next operation is often on the same one.
        if parts.get(last).is_none_or(|part| part.key != key) {
            last = *part_of.entry(key).or_insert_with(|| {
                parts.push(Part { key, calls: Vec::new() });
                parts.len() - 1
            });
        }
        parts[last].calls.push(call);
    }
    Ok(parts)
}

/// All operations with their numbers.
///
/// # Panics
/// If they are not in the order of their invocations.
pub(crate) fn in_order(history: &History) -> impl Iterator<Item = (usize, &Operation)> {
    let mut before = None;
    history.operations.iter().enumerate().inspect(move |(_, operation)| {
        let invoked = Some(operation.invoked);
        assert!(before <= invoked, "a history lists its operations by invocation");
        before = invoked;
    })
}

/// The key and the type of an operation.
///
/// # Errors
/// If it is none of the model's: what is wrong, and what would be right.
pub(crate) fn read<O: Checked>(
    number: usize,
    source: &Operation,
    model: Model,
) -> Result<(Option<&Value>, Call<'_, O>), Unfit> {
    typed(number, source, model).map_err(|message| Unfit::operation(source, message))
}

fn typed<O: Checked>(number: usize, source: &Operation, model: Model) -> Result<(Option<&Value>, Call<'_, O>), String> {
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
