//! Checkers for one kind of data each, near linear where a search would be exponential.

pub(crate) mod counter;
pub(crate) mod mutex;
pub(crate) mod numbers;
pub(crate) mod set;
pub(crate) mod set_full;
pub(crate) mod sightings;
