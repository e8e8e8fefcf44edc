//! Laws of their own: what must hold of data for which no order of all operations need be found.

pub(crate) mod bank;
pub(crate) mod long_fork;
pub(crate) mod siblings;
pub(crate) mod unique_ids;
