//! What can go wrong: a closed list of kinds, whom they strike and when.
//!
//! A [`Fault`] is *decided* (its instants are numbers) but not yet *resolved*: `leader` stands for whoever leads when it
//! strikes. Where it has to choose, it throws dice of its own, named after it and the number of the strike, so that taking one
//! fault out of a run leaves the others as they were.

mod network;

pub use network::{Bandwidth, Flap, Pick, Place, PlaceKind, Shape, Spoil};

use crate::delay::Delay;
use crate::dice::Ratio;
use crate::harm::DiskHarm;
use crate::protocol::{ClientId, NodeId};
use crate::time::Nanos;
use std::fmt;

/// One fault of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its own name, or `<do>-<k>` with k counted within its kind. No two are alike.
    pub name: String,
    /// What it does.
    pub kind: FaultKind,
    /// When it strikes.
    pub when: When,
}

/// What a fault does. `D` is how delays are given: to the world as distributions to draw from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind<D = Delay> {
    /// Cuts every pair of machines in different groups. Machines in no group talk to everybody. A target that stands in two
    /// groups is meant to be on both sides, and hears both; who is met by different targets stays with the first.
    Partition {
        /// Who stays together.
        groups: Vec<Vec<Target>>,
        /// Only what the first group sends is lost; it still hears the others.
        one_way: bool,
        /// Whether it comes and goes.
        flap: Option<Flap>,
    },
    /// Cuts nodes off from each other so that some hear others that do not hear each other. Clients talk to every node.
    Shape {
        /// Who hears whom, by position.
        shape: Shape,
        /// Who stands first; the others follow in an order drawn by lot.
        order: Vec<Target>,
        /// Whether it comes and goes.
        flap: Option<Flap>,
    },
    /// Cuts links of the topology, by name (`us-east -> us-west`); traffic takes another route where there is one.
    CutLinks {
        /// The names of directed links.
        links: Vec<String>,
        /// Whether it comes and goes.
        flap: Option<Flap>,
    },
    /// Stops a process dead; its machine comes back, with what `disk` leaves of its journal, when the fault ends.
    Crash {
        /// Whose.
        target: Vec<Target>,
        /// What becomes of records that were not yet on disk.
        disk: DiskFate,
        /// When exactly.
        moment: Moment,
    },
    /// Freezes a process, as a long garbage collection does: nothing is lost, everything waits. Its clock runs on.
    Pause {
        /// Whose.
        target: Vec<Target>,
        /// Whether its alarms ring all the same, and it goes on by them, while whatever it sends and is sent waits.
        messages_only: bool,
    },
    /// Makes clocks wrong.
    Clock {
        /// Whose.
        target: Vec<Target>,
        /// In what way.
        harm: ClockHarm,
    },
    /// Makes CPUs slow: everything that a node handles takes longer.
    Cpu {
        /// Whose.
        target: Vec<Target>,
        /// So many times as long …
        slower: Ratio,
        /// … and this much more.
        extra: D,
    },
    /// Loses machines for good, with their disks. When the fault ends, an empty one takes the place of each under its name;
    /// without an end nobody does, also when everything else heals.
    Lose {
        /// Which.
        target: Vec<Target>,
    },
    /// Something is wrong with disks.
    Disk {
        /// Whose.
        target: Vec<Target>,
        /// What.
        harm: DiskHarm<D>,
    },
    /// Orders nodes to do something, as an operator would. With a length, the operator repeats the order for so long until
    /// somebody takes it up; without, it is given once. What comes of it is the system's business.
    Operate {
        /// The name of one of the system's orders.
        order: String,
        /// Who is told. Clients among them are not.
        to: Vec<Target>,
        /// Which nodes it is about; of several that an order about one could mean, one is drawn by lot.
        about: Vec<Target>,
    },
    /// Spoils the traffic between two sets of machines.
    Link {
        /// From one of these …
        from: Vec<Target>,
        /// … to one of these …
        to: Vec<Target>,
        /// … and, unless set, back.
        one_way: bool,
        /// What becomes of it.
        spoil: Box<Spoil<D>>,
        /// Whether it comes and goes.
        flap: Option<Flap>,
    },
    /// Picks messages, requests and replies out and drops them. On a stream the message alone vanishes and the connection
    /// lives, as with a proxy or a peer that has a mistake.
    Drop {
        /// From one of these machines, or from any if there are none …
        from: Vec<Target>,
        /// … to one of these, likewise.
        to: Vec<Target>,
        /// Which.
        pick: Pick,
    },
    /// Power and network of some places are gone: their nodes die, and every link from and to them is cut. Their clients go on
    /// asking, and nobody hears them.
    Outage {
        /// Which.
        places: Vec<Place>,
        /// What becomes of records that were not yet on disk.
        disk: DiskFate,
    },
}

impl<D> FaultKind<D> {
    /// The same fault, with its delays given in another way.
    pub fn with_delays<E>(self, convert: impl Fn(D) -> E) -> FaultKind<E> {
        match self {
            FaultKind::Partition { groups, one_way, flap } => FaultKind::Partition { groups, one_way, flap },
            FaultKind::Shape { shape, order, flap } => FaultKind::Shape { shape, order, flap },
            FaultKind::CutLinks { links, flap } => FaultKind::CutLinks { links, flap },
            FaultKind::Crash { target, disk, moment } => FaultKind::Crash { target, disk, moment },
            FaultKind::Pause { target, messages_only } => FaultKind::Pause { target, messages_only },
            FaultKind::Clock { target, harm } => FaultKind::Clock { target, harm },
            FaultKind::Cpu { target, slower, extra } => FaultKind::Cpu { target, slower, extra: convert(extra) },
            FaultKind::Lose { target } => FaultKind::Lose { target },
            FaultKind::Disk { target, harm } => FaultKind::Disk { target, harm: harm.with_delays(convert) },
            FaultKind::Operate { order, to, about } => FaultKind::Operate { order, to, about },
            FaultKind::Link { from, to, one_way, spoil, flap } => {
                FaultKind::Link { from, to, one_way, spoil: Box::new(spoil.with_delays(convert)), flap }
            }
            FaultKind::Drop { from, to, pick } => FaultKind::Drop { from, to, pick },
            FaultKind::Outage { places, disk } => FaultKind::Outage { places, disk },
        }
    }

    /// Whether it comes and goes.
    pub fn flap(&self) -> Option<Flap> {
        match self {
            FaultKind::Partition { flap, .. }
            | FaultKind::Shape { flap, .. }
            | FaultKind::CutLinks { flap, .. }
            | FaultKind::Link { flap, .. } => *flap,
            FaultKind::Crash { .. } | FaultKind::Pause { .. } | FaultKind::Clock { .. } => None,
            FaultKind::Cpu { .. } | FaultKind::Disk { .. } | FaultKind::Lose { .. } => None,
            FaultKind::Operate { .. } | FaultKind::Drop { .. } | FaultKind::Outage { .. } => None,
        }
    }

    /// Its name in scenario files.
    pub fn name(&self) -> &'static str {
        match self {
            FaultKind::Partition { .. } | FaultKind::Shape { .. } | FaultKind::CutLinks { .. } => "partition",
            FaultKind::Crash { .. } => "crash",
            FaultKind::Pause { .. } => "pause",
            FaultKind::Clock { .. } => "clock",
            FaultKind::Cpu { .. } => "cpu",
            FaultKind::Lose { .. } => "lose",
            FaultKind::Disk { .. } => "disk",
            FaultKind::Operate { .. } => "operate",
            FaultKind::Link { .. } => "link",
            FaultKind::Drop { .. } => "drop",
            FaultKind::Outage { .. } => "outage",
        }
    }
}

/// What a fault does to a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockHarm {
    /// Which of a machine's two.
    pub which: Which,
    /// How far it jumps when the fault strikes, in nanoseconds; its end does not take that back.
    pub step: i64,
    /// What it gains (or loses) in a second, in nanoseconds, beside what it gains anyway, while the fault lasts.
    pub rate_ppb: i64,
    /// Whether it stands still while the fault lasts; then it goes on from there.
    pub freeze: bool,
}

impl ClockHarm {
    /// None, to both.
    pub const NONE: ClockHarm = ClockHarm { which: Which::Both, step: 0, rate_ppb: 0, freeze: false };
}

/// Which of a machine's clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// What says what time it is, and can be set.
    Wall,
    /// By what processes wait.
    Monotonic,
    /// Both alike.
    Both,
}

/// When exactly a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// At once, and so between two steps.
    Between,
    /// In the middle of its next step that asks for something which leaves a mark (a message, a reply, a record, a
    /// snapshot), after so many of them, drawn by lot: none, or some, never all. The fault's length counts from then; if it has
    /// passed before there was such a step, nothing has happened. A client writes nothing down, and dies at once.
    Within,
}

/// What a crash leaves of the records that were written but not yet on disk; the later ones are worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiskFate {
    /// All of them: only the process died, the operating system wrote them out.
    Keep,
    /// None: the power went.
    LoseUnsynced,
    /// Some of them, the last of which does not read back: the power went in the middle of a write.
    Torn,
}

impl fmt::Display for DiskFate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DiskFate::Keep => "keep",
            DiskFate::LoseUnsynced => "lose-unsynced",
            DiskFate::Torn => "torn",
        })
    }
}

/// When a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// At these instants, in order.
    At(Vec<Strike>),
    /// When something happens.
    Event {
        /// What.
        event: Event,
        /// It strikes this much later.
        after: Nanos,
        /// How long it lasts; to the end of the load if `None`.
        length: Option<Nanos>,
        /// How many times at most.
        times: u32,
        /// What happens before the first instant or from the second on sets nothing off, and at the second it is over.
        within: Option<(Nanos, Nanos)>,
    },
}

/// One time that a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// When, in true time.
    pub at: Nanos,
    /// How long it lasts; to the end of the load if `None`.
    pub length: Option<Nanos>,
}

/// Something that can set off a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A node takes this role in a term not seen before: `leader elected`.
    RoleTaken(String),
    /// This many operations have returned, and again as many, and again.
    Served(u64),
}

/// Some machines, by who or where they are when it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// How many of them.
    pub count: Count,
    /// Of whom.
    pub who: Who,
}

/// How many of those a [`Who`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// All of them.
    All,
    /// This many, drawn by lot: `2 of`.
    Some(u32),
    /// Half of them, rounded down, drawn by lot.
    Half,
}

/// Whom a target means. For faults of the network a place stands for everything in it, clients too; for faults of
/// processes, and wherever some of it are drawn by lot, for the nodes in it. Everything else stands for nodes, unless it says
/// client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Every node.
    All,
    /// One node, drawn by lot.
    Any,
    /// Fewer than half of the nodes, as many as that allows, drawn by lot.
    Minority,
    /// More than half of the nodes, as few as that allows, drawn by lot.
    Majority,
    /// In a list of groups: whoever is in no other group.
    Others,
    /// Whoever holds this role. Of a role that no two nodes hold in one term (`leader`), the one with the highest term.
    Role(String),
    /// A node.
    Node(NodeId),
    /// A zone.
    Zone(String),
    /// A region.
    Region(String),
    /// Everything of one provider.
    Provider(String),
    /// Every client.
    Clients,
    /// A client.
    Client(ClientId),
}

impl Who {
    /// Whether it is a place, in which both nodes and clients may stand.
    pub fn is_place(&self) -> bool {
        match self {
            Who::Zone(_) | Who::Region(_) | Who::Provider(_) => true,
            Who::All | Who::Any | Who::Minority | Who::Majority | Who::Others => false,
            Who::Role(_) | Who::Node(_) | Who::Clients | Who::Client(_) => false,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            Count::All => {}
            Count::Some(1) => f.write_str("one of ")?,
            Count::Some(n) => write!(f, "{n} of ")?,
            Count::Half => f.write_str("half of ")?,
        }
        match &self.who {
            Who::All => f.write_str("all"),
            Who::Any => f.write_str("any"),
            Who::Minority => f.write_str("minority"),
            Who::Majority => f.write_str("majority"),
            Who::Others => f.write_str("others"),
            Who::Role(role) => f.write_str(role),
            Who::Node(node) => node.fmt(f),
            Who::Zone(zone) => write!(f, "zone:{zone}"),
            Who::Region(region) => write!(f, "region:{region}"),
            Who::Provider(provider) => write!(f, "provider:{provider}"),
            Who::Clients => f.write_str("clients"),
            Who::Client(client) => write!(f, "client:{client}"),
        }
    }
}
