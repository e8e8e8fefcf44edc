//! What a system of one's own is written with: `use stormglass::prelude::*;`.
//!
//! Messages, records, requests, replies and alarms derive [`Serialize`]. Where `serde` is no dependency of yours, say where it
//! is: `#[serde(crate = "stormglass::serde")]`.

// The system: what it says, what it is told, what it promises.
pub use sim_core::dice::{Dice, Ratio};
pub use sim_core::promise::{Claim, Contact, Premise};
pub use sim_core::protocol::{
    About, Boot, ClientId, Ctx, Embed, Member, Never, NodeId, Observation, OrderKind, Protocol, Slot, Ticket,
    Transport, Vocabulary, Why,
};
pub use sim_core::reach::Reach;
pub use sim_core::serde::Serialize;
pub use sim_core::time::{HOUR, LocalTime, MICROSECOND, MILLISECOND, MINUTE, Nanos, SECOND};

// Its settings, and the mistakes it can be given.
pub use sim_core::settings::{Flaw, Flaws, Key, Kind, Rejected, Settings, Values};

// What must hold after every step, if anything.
pub use sim_core::laws::{Breach, Laws, Nodes};

// What clients operate on.
pub use history::{Data, Function, Kv, KvOp, Object, Register, RegisterOp, RegisterRet, Value};

// A client that finds whoever serves …
pub use protocols::client::{Answer, Ask, Request, Response, RoutingClient, Service};
pub use protocols::sessions::InSession;
// … or one of one's own.
pub use history::{Outcome, Purpose};
pub use sim_core::protocol::{Client, ClientBoot, ClientCtx, OpId};
pub use sim_core::workload::{Pace, Workload};

// Its row in the table of systems.
pub use scenarios::execute::execute;
pub use scenarios::systems::{DataKind, System};
