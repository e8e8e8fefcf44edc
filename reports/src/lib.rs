//! A finished run as text and data.
//!
//! Pure functions from plain records to strings: nothing here knows a protocol, a type parameter, a file or a terminal.
//!
//! - [`terminal`]: what `stormglass run` prints.
//! - [`witness`]: a violation, drawn and argued.
//! - [`plot`]: the pictures of a run.
//! - [`draw`]: what pictures are made of.
//! - [`why`]: why a run ended as it did, in words: what `stormglass explain RUNDIR` prints.
//! - [`page`]: a run as a page.
//! - [`sweep`]: many runs in one answer, as text and as JSON; [`statistics`]: what counts say of what is true.
//! - [`compare`]: systems side by side under the same storms: what each came to, and how far they are apart.
//! - [`verify`]: a recorded history that was judged: its text, its data and its page.
//! - [`json`]: what `stormglass run --format json` prints and `run.json` holds.

pub mod command;
pub mod compare;
pub mod draw;
pub mod json;
pub mod page;
pub mod papers;
pub mod plot;
mod roles;
pub mod statistics;
mod struck;
pub mod sweep;
pub mod terminal;
pub mod verify;
pub mod why;
pub mod witness;
pub mod words;
