//! Snapshots on their way: a state machine as bytes, which travel in pieces and are put together again.

use crate::machine::Machine;
use history::Object;
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// A run of bytes, cheap to copy.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes(Arc<[u8]>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

/// As text, since that is what machines are written as.
impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl Bytes {
    /// A machine as bytes.
    pub fn write<O: Object>(machine: &Machine<O>) -> Self {
        let bytes = serde_json::to_vec(machine).expect("data, results and sessions are plain values");
        Bytes(bytes.into())
    }

    /// The machine that these bytes say.
    pub fn read<O: Object>(&self) -> Machine<O> {
        serde_json::from_slice(&self.0).expect("a machine was written, and disks and wires tell what they spoil")
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// The piece at an offset, of so many bytes or what is left.
    pub(crate) fn piece(&self, offset: u64, length: u64) -> Self {
        let end = (offset + length).min(self.len());
        Bytes(self.0[offset as usize..end as usize].into())
    }
}

/// A snapshot of which some pieces have arrived; its label says which one.
#[derive(Clone, Debug)]
pub struct Arriving<L> {
    under_way: Option<(L, Vec<u8>)>,
}

/// What a piece made of what was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// So many bytes are there, the first.
    Part(u64),
    /// All of it.
    Whole(Bytes),
}

impl<L> Default for Arriving<L> {
    fn default() -> Self {
        Arriving { under_way: None }
    }
}

impl<L: PartialEq> Arriving<L> {
    /// Puts a piece to those before it, if it is the next. A piece of another snapshot begins anew: what was there of the
    /// other is dropped. `length` is that of the whole.
    pub fn take_in(&mut self, label: L, offset: u64, data: &Bytes, length: u64) -> Taken {
        let (label, mut bytes) = match self.under_way.take() {
            Some((of, bytes)) if of == label => (of, bytes),
            Some(_) | None => (label, Vec::new()),
        };
        if bytes.len() as u64 == offset {
            bytes.extend_from_slice(&data.0);
        }
        let has = bytes.len() as u64;
        if has < length {
            self.under_way = Some((label, bytes));
            return Taken::Part(has);
        }
        Taken::Whole(Bytes(bytes.into()))
    }
}
