//! W3: the real Raft, ten closed-loop clients, the network of W1.

use history::Kv;
use protocols::raft::{Raft, RaftConfig};
use sim_core::delay::Delay;
use sim_core::settings::Settings as _;
use sim_core::setup::Setup;
use sim_core::time::{MILLISECOND, Nanos, SECOND};
use sim_core::workload::{Keys, Pace, Workload};
use sim_core::world::World;

const NODES: u32 = 5;
const CLIENTS: u32 = 10;

/// Runs until `messages` were delivered.
pub fn run(seed: u64, messages: u64, laws: bool) -> u64 {
    let delay = Delay::Uniform { min: MILLISECOND, max: 10 * MILLISECOND };
    let workload = Workload {
        name: "load".to_owned(),
        pace: Pace::Closed { think: Delay::NONE },
        mix: vec![(0, 1), (1, 1)],
        keys: Keys::uniform(50),
        patience: SECOND,
        retry_after: SECOND / 4,
        from: 0,
        until: Nanos::MAX,
    };
    let mut setup = Setup::<Raft<Kv>>::in_one_zone(seed, NODES, RaftConfig::defaults(), delay);
    setup = setup.with_clients(CLIENTS, workload);
    setup.laws = laws;
    let mut world = World::new(setup);
    while world.messages() < messages && world.breach().is_none() {
        world.run_until(world.now() + SECOND);
    }
    assert!(world.breach().is_none(), "Raft keeps its laws");
    world.messages()
}
