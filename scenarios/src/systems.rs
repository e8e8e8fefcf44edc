//! The systems under test: one row a system. Its words feed the parser, the manual and the lists; its function pointers
//! run it, and hide its types.

use crate::execute::{EngineFault, Finished, Options, execute};
use crate::plan::Plan;
use history::{Data, Function, Kv, Object, Register};
use protocols::raft::{Raft, RaftConfig, RaftLaws};
use sim_core::laws::Laws;
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{OrderKind, Protocol};
use sim_core::settings::{Flaw, Flaws, Key, Rejected, Settings, Values};

/// Every system that scenarios can name.
pub static SYSTEMS: &[System] = &[System {
    name: Raft::<Kv>::NAME,
    about: Raft::<Kv>::ABOUT,
    keys: RaftConfig::KEYS,
    flaws: RaftConfig::FLAWS,
    roles: &["leader", "follower", "candidate"],
    serving: Some("leader"),
    orders: <Raft<Kv> as Protocol>::ORDERS,
    laws: <RaftLaws<Kv> as Laws<Raft<Kv>>>::NAMES,
    data: &[DataKind::object::<Kv>(), DataKind::object::<Register>()],
    check: fits::<RaftConfig>,
    promises: promises::<Raft<Kv>>,
    runner: |data| match data {
        Kv::NAME => execute::<Raft<Kv>>,
        Register::NAME => execute::<Raft<Register>>,
        other => panic!("raft offers no data called {other}"),
    },
}];

/// Runs a plan to its end.
pub type Runner = fn(&Plan, &mut Options<'_>) -> Result<Finished, EngineFault>;

/// Whether settings that each fit their key also fit together.
fn fits<C: Settings>(values: &Values, flaws: Flaws) -> Result<(), Rejected> {
    C::build(values, flaws).map(|_| ())
}

/// Whether a protocol promises something. Flaws break promises and make none, so it is asked about its settings without them.
fn promises<P: Protocol>(values: &Values, claim: Claim, premise: &Premise) -> Result<(), String> {
    match P::Config::build(values, Flaws::default()) {
        Ok(config) => P::promises(&config, claim, premise),
        // Some flaw is to accept what nobody should.
        Err(rejected) => Err(format!("without its flaws it refuses these settings: {}", rejected.message)),
    }
}

/// A system that scenarios can name.
#[derive(Clone, Copy, Debug)]
pub struct System {
    /// As `[protocol] name` writes it.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Its own keys below `[protocol]`.
    pub keys: &'static [Key],
    /// The mistakes that can be switched on.
    pub flaws: &'static [Flaw],
    /// The roles that its nodes report, such as `leader`: targets and triggers of faults.
    pub roles: &'static [&'static str],
    /// The role whose one holder serves the clients; `None` if every node does.
    pub serving: Option<&'static str>,
    /// What an operator can order its nodes to do: `operate` faults.
    pub orders: &'static [OrderKind],
    /// Its laws, as findings show them.
    pub laws: &'static [&'static str],
    /// What its clients can operate on, the usual one first.
    pub data: &'static [DataKind],
    /// Whether settings that each fit their key also fit together.
    pub check: fn(&Values, Flaws) -> Result<(), Rejected>,
    /// Whether, with these settings and where no more than this goes wrong, it promises this; if not, why not.
    pub promises: fn(&Values, Claim, &Premise) -> Result<(), String>,
    /// How to run it on one of its kinds of data, by name.
    pub runner: fn(data: &str) -> Runner,
}

/// A kind of data that a system offers its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataKind {
    /// As `[[load]] data` writes it.
    pub name: &'static str,
    /// What clients can ask for.
    pub functions: &'static [Function],
    /// Whether operations name a key.
    pub keyed: bool,
    /// Whether it has a sequential specification, without which nothing can be linearizable.
    pub linearizable: bool,
}

impl DataKind {
    /// A kind of data with a sequential specification.
    pub const fn object<D: Object>() -> Self {
        DataKind { linearizable: true, ..DataKind::data::<D>() }
    }

    /// A kind of data without one.
    pub const fn data<D: Data>() -> Self {
        DataKind { name: D::NAME, functions: D::FUNCTIONS, keyed: D::KEYED, linearizable: false }
    }
}
