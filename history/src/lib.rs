//! The words every other crate shares.
//!
//! A *client* asks a system to do an *operation*; the operation begins with an *invocation* and, if the client ever
//! hears of it again, ends with a *completion*. All of them together are a [`History`], which is what a checker reads.
//!
//! - [`Value`]: what operations carry, in the shape JSON gives it.
//! - [`Data`] and [`Object`]: a kind of data, its operations and, where there is one, its sequential specification.
//!   The same [`Object::apply`] is replicated by a protocol and used by the checkers: one definition of truth.
//! - [`History`] and [`jsonl`]: recorded operations and the file they are kept in; [`input`], [`assembler`] and
//!   [`Words`]: what readers of such files share.
//! - [`Witness`]: a violation as an argument, in data and in words.
//! - [`RunRecord`]: the plain data of a finished run (`run.json`), with its [`Finding`]s and their [`Verdict`]s.
//!
//! Nothing here knows an engine, a protocol or a checker.

mod argument;
pub mod assembler;
mod cart;
mod counter;
pub mod data;
mod decree;
pub mod figures;
pub mod input;
pub mod jsonl;
mod kv;
mod mutex;
mod operation;
mod outage;
mod picture;
mod queue;
mod record;
mod register;
mod set;
mod siblings;
mod signature;
mod stack;
mod value;
mod verdict;
mod witness;
mod words;

pub use argument::Clock;
pub use cart::{Cart, CartAsk, CartOp, Change};
pub use counter::{Counter, CounterOp, CounterRet};
pub use data::{Data, Function, Object};
pub use decree::{Decided, Decree, DecreeAsk, DecreeOp};
pub use kv::{Key, Kv, KvOp};
pub use mutex::{Mutex, MutexOp, MutexRet};
pub use operation::{Completion, History, Mark, Operation, Outcome, Purpose};
pub use outage::{Cause, CauseSpan, Outage, Takeover, Who};
pub use picture::{Arrow, Cell, Cloud, Dot, Fate, Latency, Moment, Note, Picture, Source, Strip};
pub use queue::{Queue, QueueOp, QueueRet};
pub use record::{
    Availability, ConfigLine, DetectionSummary, Draw, FaultRecord, LatencySummary, OperationCounts, RoleSpan,
    RunRecord, TimeBucket,
};
pub use register::{Register, RegisterOp, RegisterRet};
pub use set::{Set, SetOp, SetRet};
pub use siblings::{Seen, Siblings, SiblingsAsk, SiblingsOp, SiblingsRet};
pub use signature::{principal, signature};
pub use stack::{Stack, StackOp, StackRet};
pub use value::Value;
pub use verdict::{Finding, Level, Measured, NO_PANIC, PROGRESS, Quantity, Verdict, merged};
pub use witness::{Ended, Holder, Part, Reason, Server, Step, Testimony, Witness};
pub use words::Words;
