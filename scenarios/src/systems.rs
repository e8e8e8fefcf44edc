//! The systems under test: one row a system. Its words feed the parser, the manual and the lists; its function pointers
//! run it, and hide its types.

use crate::execute::{EngineFault, Finished, Options, execute};
use crate::plan::Plan;
use history::{Cart, Data, Function, Kv, Object, Register, Siblings};
use protocols::detectors::chen::Chen;
use protocols::detectors::phi::Phi;
use protocols::detectors::timeout::Timeout;
use protocols::detectors::watch::{Watch, Watched};
use protocols::dynamo::Dynamo;
use protocols::multipaxos::MultiPaxos;
use protocols::paxos::Paxos;
use protocols::raft::Raft;
use protocols::swim::Swim;
use sim_core::idle::Nothing;
use sim_core::laws::Laws;
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{OrderKind, Protocol};
use sim_core::settings::{Flaw, Flaws, Key, Rejected, Settings, Values};
use std::marker::PhantomData;

/// Every system that ships.
pub static SYSTEMS: &[System] = &[
    System::on::<Raft<Kv>>(
        Raft::<Kv>::NAME,
        Raft::<Kv>::ABOUT,
        &[DataKind::object::<Kv>(), DataKind::object::<Register>()],
        |data| match data {
            Kv::NAME => execute::<Raft<Kv>>,
            Register::NAME => execute::<Raft<Register>>,
            other => panic!("raft offers no data called {other}"),
        },
    )
    .roles(&["leader", "follower", "candidate"])
    .serving("leader"),
    System::on::<MultiPaxos<Kv>>(
        MultiPaxos::<Kv>::NAME,
        MultiPaxos::<Kv>::ABOUT,
        &[DataKind::object::<Kv>(), DataKind::object::<Register>()],
        |data| match data {
            Kv::NAME => execute::<MultiPaxos<Kv>>,
            Register::NAME => execute::<MultiPaxos<Register>>,
            other => panic!("multi-paxos offers no data called {other}"),
        },
    )
    .roles(&["leader", "follower", "candidate"])
    .serving("leader"),
    System::on::<Dynamo<Siblings>>(
        Dynamo::<Siblings>::NAME,
        Dynamo::<Siblings>::ABOUT,
        &[DataKind::data::<Siblings>(), DataKind::data::<Cart>(), DataKind::object::<Kv>().only(2)],
        |data| match data {
            Siblings::NAME => execute::<Dynamo<Siblings>>,
            Cart::NAME => execute::<Dynamo<Cart>>,
            Kv::NAME => execute::<Dynamo<Kv>>,
            other => panic!("dynamo offers no data called {other}"),
        },
    ),
    System::of::<Paxos>(Paxos::NAME, Paxos::ABOUT).roles(&["proposer"]),
    System::silent::<Swim>(Swim::NAME, Swim::ABOUT),
    System::silent::<Watch<Timeout>>(Timeout::NAME, Timeout::ABOUT),
    System::silent::<Watch<Chen>>(Chen::NAME, Chen::ABOUT),
    System::silent::<Watch<Phi>>(Phi::NAME, Phi::ABOUT),
];

/// Runs a plan to its end.
pub type Runner = fn(&Plan, &mut Options<'_>) -> Result<Finished, EngineFault>;

/// What settings have to fit beside each other, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// How many nodes there are.
    pub nodes: Option<u32>,
    /// What clients operate on, by name.
    pub data: Option<&'a str>,
}

/// Whether settings that each fit their key also fit together, and what is around them.
fn fits<C: Settings>(values: &Values, flaws: Flaws, around: Surroundings<'_>) -> Result<(), Rejected> {
    let config = C::build(values, flaws)?;
    around.nodes.map_or(Ok(()), |nodes| config.fits_cluster(nodes))?;
    around.data.map_or(Ok(()), |data| config.fits_data(data))
}

/// Whether a protocol promises something. Flaws break promises and make none, so it is asked about its settings without them.
fn promises<P: Protocol>(values: &Values, claim: Claim, premise: &Premise) -> Result<(), String> {
    match P::Config::build(values, Flaws::default()) {
        Ok(config) => P::promises(&config, claim, premise),
        // Some flaw is to accept what nobody should.
        Err(rejected) => Err(format!("without its flaws it refuses these settings: {}", rejected.message)),
    }
}

/// Runs a protocol that has one kind of data.
fn only<P: Protocol>(_: &str) -> Runner {
    execute::<P>
}

/// A system that scenarios can name. Most of its row its protocol knows itself: begin with [`System::of`].
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
    /// How many nodes it runs on: the fewest and the most.
    pub nodes: (u32, u32),
    /// What an operator can order its nodes to do: `operate` faults.
    pub orders: &'static [OrderKind],
    /// The kinds of its messages, requests and replies: `drop` faults.
    pub kinds: &'static [&'static str],
    /// Its laws, as findings show them.
    pub laws: &'static [&'static str],
    /// Whether its nodes reveal what they keep, so that one can demand that they come to agree.
    pub reveals: bool,
    /// What its clients can operate on, the usual one first.
    pub data: &'static [DataKind],
    /// Whether settings that each fit their key also fit together, and what is around them.
    pub check: fn(&Values, Flaws, Surroundings<'_>) -> Result<(), Rejected>,
    /// Whether, with these settings and where no more than this goes wrong, it promises this; if not, why not.
    pub promises: fn(&Values, Claim, &Premise) -> Result<(), String>,
    /// How to run it on one of its kinds of data, by name.
    pub runner: fn(data: &str) -> Runner,
}

impl System {
    /// A protocol under the name that `[protocol] name` writes; `about` says what it is, in a sentence. Its nodes report no
    /// roles, and each of them serves: [`System::roles`] and [`System::serving`] say otherwise.
    pub const fn of<P: Protocol<Data: Object>>(name: &'static str, about: &'static str) -> Self {
        System::on::<P>(name, about, Sole::<P::Data>::KIND, only::<P>)
    }

    /// The same for a protocol that serves nobody: its scenarios have no load.
    pub const fn silent<P: Protocol<Data = Nothing>>(name: &'static str, about: &'static str) -> Self {
        System::on::<P>(name, about, &[], only::<P>)
    }

    /// The same for a protocol that runs on several kinds of data, or on one without a sequential specification: which they
    /// are, the usual one first, and how to run it on each. `P` is the protocol on any of them: settings, orders, laws and
    /// promises do not depend on it.
    pub const fn on<P: Protocol>(
        name: &'static str,
        about: &'static str,
        data: &'static [DataKind],
        runner: fn(data: &str) -> Runner,
    ) -> Self {
        System {
            name,
            about,
            keys: P::Config::KEYS,
            flaws: P::Config::FLAWS,
            roles: &[],
            serving: None,
            nodes: (1, u32::MAX),
            orders: P::ORDERS,
            kinds: P::KINDS,
            laws: P::Laws::NAMES,
            reveals: P::REVEALS,
            data,
            check: fits::<P::Config>,
            promises: promises::<P>,
            runner,
        }
    }

    /// The same with nodes that report these roles.
    pub const fn roles(self, roles: &'static [&'static str]) -> Self {
        System { roles, ..self }
    }

    /// The same for a protocol that runs on so many nodes only, from the fewest to the most.
    pub const fn nodes(self, fewest: u32, most: u32) -> Self {
        System { nodes: (fewest, most), ..self }
    }

    /// The same where the one holder of this role serves the clients: reports tell outages by it.
    pub const fn serving(self, role: &'static str) -> Self {
        System { serving: Some(role), ..self }
    }
}

/// A list of one, which lives as long as the program.
struct Sole<D>(PhantomData<D>);

impl<D: Object> Sole<D> {
    const KIND: &'static [DataKind] = &[DataKind::object::<D>()];
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
    /// How many keys a first workload is given.
    pub keys: u32,
    /// Whether it has a sequential specification, without which nothing can be linearizable.
    pub linearizable: bool,
}

impl DataKind {
    /// A kind of data with a sequential specification.
    pub const fn object<D: Object>() -> Self {
        DataKind { linearizable: true, ..DataKind::data::<D>() }
    }

    /// The first so many of its functions only, for a system that does not serve the others.
    pub const fn only(self, functions: usize) -> Self {
        DataKind { functions: self.functions.split_at(functions).0, ..self }
    }

    /// A kind of data without one.
    pub const fn data<D: Data>() -> Self {
        DataKind { name: D::NAME, functions: D::FUNCTIONS, keyed: D::KEYED, keys: D::KEYS, linearizable: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::tests::TOY;

    const FEW: &[DataKind] = &[DataKind::object::<Kv>().only(2)];

    #[test]
    fn a_system_may_offer_the_first_functions_of_its_data_only() {
        let few = System { data: FEW, ..TOY };
        let asking = |ops: &str| {
            let source = format!(
                "scenario = 1\nabout = \"x\"\nduration = \"9s\"\n[protocol]\nname = \"toy\"\n[[load]]\nops = {{ {ops} }}\n"
            );
            crate::parse::parse(&source, "x", &[], std::slice::from_ref(&few)).map(drop)
        };
        assert_eq!(asking("read = 1, write = 1"), Ok(()));
        let problems = asking("read = 1, cas = 1").expect_err("it is not offered");
        assert!(problems[0].message.contains("`cas`"), "{problems:?}");
    }
}
