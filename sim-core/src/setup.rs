//! What a world is made of, before anything has happened in it. Everything random about it has been decided.

use crate::clock::Clock;
use crate::delay::Delay;
use crate::fault::Fault;
use crate::network::Tcp;
use crate::protocol::Protocol;
use crate::time::{MICROSECOND, Nanos};
use crate::topology::{Topology, ZoneId};
use crate::workload::Workload;
use std::sync::Arc;

/// A world to be.
#[derive(Clone)]
pub struct Setup<P: Protocol> {
    /// From which all chance comes.
    pub seed: u64,
    /// Where machines stand.
    pub topology: Topology,
    /// The nodes, by id.
    pub nodes: Vec<NodeSetup<P>>,
    /// The clients, by id.
    pub clients: Vec<ClientSetup>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// How streams behave.
    pub tcp: Tcp,
    /// Whether the protocol's laws are checked after every step.
    pub laws: bool,
    /// From when to when a row is kept of everything that happens, both included; [`ALWAYS`](crate::trace::ALWAYS) for all
    /// of a run.
    pub trace: Vec<(Nanos, Nanos)>,
}

/// One node.
#[derive(Clone)]
pub struct NodeSetup<P: Protocol> {
    /// Where it stands.
    pub zone: ZoneId,
    /// One of [`Protocol::ROLES`].
    pub role: &'static str,
    /// Its settings; nodes may differ.
    pub config: P::Config,
    /// Its clock.
    pub clock: Clock,
    /// How long its CPU works on each message, timer or request.
    pub cpu: Delay,
    /// How long a flush of its disk takes.
    pub fsync: Delay,
}

/// One client.
#[derive(Clone, Debug)]
pub struct ClientSetup {
    /// Where it stands.
    pub zone: ZoneId,
    /// Its clock.
    pub clock: Clock,
    /// What it asks for.
    pub workload: Arc<Workload>,
    /// Its number among those who share the workload, from 0. Its dice are named after the workload and this number, so
    /// clients of other loads leave it alone.
    pub index: u32,
}

/// A flush of a good SSD. Never zero by default: that would hide every bug of persistence.
pub const USUAL_FSYNC: Delay = Delay::Uniform { min: 500 * MICROSECOND, max: 2_000 * MICROSECOND };

/// What a message costs a CPU that parses it, looks something up and answers.
pub const USUAL_CPU: Delay = Delay::Fixed(10 * MICROSECOND);

impl<P: Protocol> Setup<P> {
    /// `nodes` equal nodes in one zone whose messages take `delay`; no clients, no faults, laws checked.
    pub fn in_one_zone(seed: u64, nodes: u32, config: P::Config, delay: Delay) -> Self {
        let (topology, zone) = Topology::single_zone(delay);
        let role = P::ROLES[0];
        let node = NodeSetup { zone, role, config, clock: Clock::RIGHT, cpu: USUAL_CPU, fsync: USUAL_FSYNC };
        Setup {
            seed,
            topology,
            nodes: vec![node; nodes as usize],
            clients: Vec::new(),
            faults: Vec::new(),
            tcp: Tcp::default(),
            laws: true,
            trace: Vec::new(),
        }
    }

    /// Adds `count` clients that stand in the first zone and share `workload`.
    pub fn with_clients(mut self, count: u32, workload: Workload) -> Self {
        let workload = Arc::new(workload);
        let zone = ZoneId(0);
        self.clients.extend((0..count).map(|index| ClientSetup {
            zone,
            clock: Clock::RIGHT,
            workload: Arc::clone(&workload),
            index,
        }));
        self
    }

    /// Adds a fault.
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }
}
