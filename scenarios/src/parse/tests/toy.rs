//! A system that exists only for tests of the parser: a bank of registers and carts with one chairman.

use crate::systems::{DataKind, Surroundings, System};
use history::{Function, Kv, Register, Siblings};
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{About, OrderKind};
use sim_core::settings::{Flaw, Flaws, Key, Kind, Rejected, Values};
use sim_core::time::{MILLISECOND, SECOND};

const CART: DataKind = DataKind {
    name: "cart",
    functions: &[
        Function { name: "add", writes: true, takes: &["element"], notes: &[] },
        Function { name: "remove", writes: true, takes: &["element"], notes: &[] },
        Function { name: "read", writes: false, takes: &[], notes: &[] },
    ],
    keyed: true,
    keys: 20,
    linearizable: false,
};

pub(crate) const TOY: System = System {
    name: "toy",
    about: "Elects a leader and keeps carts.",
    keys: &[
        Key {
            name: "election-timeout",
            kind: Kind::DurationRange { min: MILLISECOND, max: 60 * SECOND },
            default: "300ms..600ms",
            text: "How long a follower waits for its leader.",
        },
        Key {
            name: "heartbeat",
            kind: Kind::Duration { min: MILLISECOND, max: 10 * SECOND },
            default: "75ms",
            text: "How often a leader shows itself.",
        },
        Key { name: "pre-vote", kind: Kind::Flag, default: "true", text: "Ask before standing for election." },
        Key { name: "batch", kind: Kind::Count { min: 1, max: 100 }, default: "8", text: "Entries in a message." },
        Key {
            name: "reads",
            kind: Kind::Word(&["log", "read-index", "local"]),
            default: "read-index",
            text: "How reads are served.",
        },
    ],
    flaws: &[
        Flaw { name: "forget-vote", id: "T01", text: "A vote is not written down." },
        Flaw { name: "ack-before-fsync", id: "T02", text: "An answer does not wait for the disk." },
    ],
    roles: &["leader", "follower", "candidate"],
    nodes: (2, u32::MAX),
    serving: None,
    orders: &[
        OrderKind { name: "remove", about: About::One, text: "Takes a node out." },
        OrderKind { name: "members", about: About::Some, text: "Says who takes part." },
        OrderKind { name: "compact", about: About::Nobody, text: "Writes a snapshot." },
    ],
    kinds: &["Vote", "Append", "Ask", "Answer"],
    laws: &["election safety"],
    reveals: false,
    data: &[DataKind::object::<Kv>(), DataKind::object::<Register>(), CART, DataKind::data::<Siblings>()],
    check,
    promises,
    runner: |_| panic!("the toy is only read"),
};

fn check(values: &Values, _: Flaws, around: Surroundings<'_>) -> Result<(), Rejected> {
    if values.duration("heartbeat") >= values.duration_range("election-timeout").0 {
        let message = "a heartbeat as long as the election timeout unseats every leader".to_owned();
        return Err(Rejected { key: "heartbeat", message });
    }
    if values.count("batch") == 100 && around.nodes.is_some_and(|nodes| nodes > 9) {
        let message = "batches of 100 are too much for more than 9 nodes".to_owned();
        return Err(Rejected { key: "batch", message });
    }
    Ok(())
}

/// Its local reads lag.
fn promises(values: &Values, claim: Claim, _: &Premise) -> Result<(), String> {
    match claim {
        Claim::Linearizable | Claim::Consistent(_) if values.word("reads") == "local" => {
            Err("reads = local may lag".to_owned())
        }
        Claim::Linearizable
        | Claim::Consistent(_)
        | Claim::LinearizableWrites
        | Claim::NoLostWrites
        | Claim::NoResurrection
        | Claim::Progress => Ok(()),
        Claim::Converges | Claim::HintsDelivered => Err(Claim::not_offered("toy")),
        Claim::Detects { .. } => Err(Claim::watches_nobody("toy")),
    }
}
