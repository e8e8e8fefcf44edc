//! Laws: what must hold after every step, checked while the system runs.
//!
//! A protocol's laws are an object that looks on. After each step it is shown the node that changed and may look at
//! the others. It keeps whatever it wants to remember (who led in which term, how far a node had committed), so it can
//! hold both laws of one state and laws between two states, and it does little work per step: what changed is known.

use crate::protocol::{NodeId, Protocol};
use std::fmt::Debug;

/// Read access to the processes that are up.
pub struct Nodes<'a, P> {
    pub(crate) processes: &'a [Option<P>],
}

impl<'a, P> Nodes<'a, P> {
    /// Looks at these processes, by node id; `None` is a node that is down.
    pub fn new(processes: &'a [Option<P>]) -> Self {
        Nodes { processes }
    }

    /// The process on this node, unless it is down.
    pub fn get(&self, node: NodeId) -> Option<&'a P> {
        self.processes[node.0 as usize].as_ref()
    }

    /// Every process that is up.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &'a P)> + use<'a, P> {
        self.processes.iter().enumerate().filter_map(|(i, p)| p.as_ref().map(|p| (NodeId(i as u32), p)))
    }

    /// How many nodes there are, up or down.
    pub fn count(&self) -> usize {
        self.processes.len()
    }
}

/// A law that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The law, such as `election safety`.
    pub law: &'static str,
    /// Who broke it, how.
    pub detail: String,
}

/// A protocol's laws, and what they remember.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are no laws for `{P}`",
    note = "a protocol without laws of its own says `type Laws = ();`"
)]
pub trait Laws<P: Protocol>: Clone + Debug {
    /// The names of the laws, as findings show them.
    const NAMES: &'static [&'static str];

    /// Nothing has happened yet.
    fn new(nodes: usize) -> Self;

    /// `node` has begun (or begun again, with what its journal kept).
    ///
    /// # Errors
    /// The first law that does not hold.
    fn after_start(&mut self, node: NodeId, nodes: &Nodes<'_, P>) -> Result<(), Breach>;

    /// `node` has handled a message, a timer or a request.
    ///
    /// # Errors
    /// The first law that does not hold.
    fn after_step(&mut self, node: NodeId, nodes: &Nodes<'_, P>) -> Result<(), Breach>;
}

/// For a protocol that has none.
impl<P: Protocol> Laws<P> for () {
    const NAMES: &'static [&'static str] = &[];
    fn new(_: usize) -> Self {}
    fn after_start(&mut self, _: NodeId, _: &Nodes<'_, P>) -> Result<(), Breach> {
        Ok(())
    }
    fn after_step(&mut self, _: NodeId, _: &Nodes<'_, P>) -> Result<(), Breach> {
        Ok(())
    }
}
