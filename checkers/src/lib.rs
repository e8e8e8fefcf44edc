//! History in, verdict out.
//!
//! A checker reads what clients asked and heard (a [`history::History`]) and answers with a [`Judgement`]: PASS, FAIL
//! with an argument in words, UNKNOWN with the reason, or VACUOUS where nothing was really tested. It never sees
//! messages, nodes or files.
//!
//! - [`judge`]: whatever is asked of whatever model;
//! - [`ladder`]: the same history at every level of consistency, in one table;
//! - [`linearizable`]: is there one order of all operations, within their intervals, that explains every result?
//! - [`no_lost_writes`]: can every acknowledged write still be read after the system healed, or has it been
//!   overwritten since?
//! - [`no_resurrected_deletes`], [`most_siblings`]: for stores that keep concurrent versions side by side;
//! - [`session_guarantees`], [`staleness`], [`convergence`]: numbers, for stores that promise less;
//! - [`formats`]: readers for our own histories and for other tools'.
//!
//! Which operations a history holds is said by a [`Model`]; a history that does not speak its language is
//! [`Unfit`].

mod evidence;
pub mod formats;
mod hash;
mod hint;
mod judge;
mod judgement;
mod ladder;
mod laws;
mod linearizability;
mod lost_writes;
mod minimal;
mod model;
mod monitors;
mod question;
mod search;
mod text;
mod transactions;
mod witness;
mod zones;

pub use judge::{judge, judge_strictly, ladder};
pub use judgement::{Budget, Judgement, Rung};
pub use ladder::{Convergence, SessionGuarantees, Staleness, convergence, session_guarantees, staleness};
pub use laws::siblings::{SiblingCount, most_siblings, no_resurrected_deletes};
pub use linearizability::linearizable;
pub use lost_writes::no_lost_writes;
pub use model::{Model, Unfit};
pub use question::{Consistency, Question};
