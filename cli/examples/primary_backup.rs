//! A system of one's own: one register, kept by a primary and its backup.
//!
//! Think of a shop with two tills and one ledger each. The first (n1, the *primary*) serves; whatever it writes into its
//! ledger it reads out to the second (n2, the *backup*), and it hands out no receipt before the second has said "I have it".
//! If the second hears nothing for a while, it takes over, alone and for good: the first can serve nobody any more, since
//! the second will never again say "I have it". So nobody ever serves beside the other, dead, cut off or only slow.
//! What two machines cannot do is said in [`PrimaryBackup::can_serve`] and [`PrimaryBackup::promises`].
//!
//!     cargo run --example primary_backup -- run cli/examples/primary_backup.toml

use std::collections::VecDeque;
use std::process::ExitCode;
use stormglass::prelude::*;

/// The whole command, for this system instead of those that ship.
fn main() -> ExitCode {
    stormglass::main(&SYSTEMS)
}

static SYSTEMS: [System; 1] =
    [System::of::<PrimaryBackup>("primary-backup", "One register, kept by a primary (n1) and its backup (n2).")
        .nodes(2, 2)
        .roles(&["primary", "backup", "retired"])
        .serving("primary")];

const PRIMARY: NodeId = NodeId(0);
const BACKUP: NodeId = NodeId(1);

/// The primary lets itself be heard this often, which is also how soon it repeats what got lost.
const HEARTBEAT: Nanos = 50 * MILLISECOND;

/// A node. What is not in its [`Record`] is gone after a crash.
#[derive(Clone)]
struct PrimaryBackup {
    config: Config,
    kept: Record,
    /// The primary's messages to the backup are numbered; so many were sent. A crash begins anew, and resets the connections
    /// with it: no answer to an earlier life arrives.
    sent: u64,
    /// Answers that wait until the backup has confirmed a message, in the order of its number.
    waiting: VecDeque<(u64, ClientId, Answer<RegisterRet>)>,
}

/// What a node writes down: everything it must not forget. The latest record counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(crate = "stormglass::serde")]
struct Record {
    role: Role,
    value: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(crate = "stormglass::serde")]
enum Role {
    /// Serves, with the backup's consent.
    Primary,
    /// Keeps a copy.
    Backup,
    /// Was the backup, and serves alone.
    Successor,
    /// Was the primary.
    Retired,
}

/// Node to node.
#[derive(Clone, Debug, Serialize)]
#[serde(crate = "stormglass::serde")]
enum Message {
    /// "This is what I have." The register is small, so it always travels whole.
    Copy { number: u64, value: Value },
    /// "I have it too."
    Have { number: u64 },
    /// "It is me who serves now."
    TookOver,
}

/// The one alarm: the primary is to be heard again, or the backup has heard nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(crate = "stormglass::serde")]
struct Wake;

impl PrimaryBackup {
    fn take_role(&mut self, role: Role, ctx: &mut Ctx<'_, Self>) {
        self.kept.role = role;
        ctx.persist(self.kept.clone());
        self.begin_role(ctx);
    }

    /// Lets the outside see the role, and sets its alarm.
    fn begin_role(&mut self, ctx: &mut Ctx<'_, Self>) {
        let (role, term) = match self.kept.role {
            Role::Primary => ("primary", 1),
            Role::Backup => ("backup", 1),
            Role::Successor => ("primary", 2),
            Role::Retired => ("retired", 2),
        };
        ctx.observe(Observation::Role { role, term });
        match self.kept.role {
            Role::Primary => self.send_copy(ctx),
            Role::Backup => ctx.arm(Wake, self.config.takeover),
            Role::Successor | Role::Retired => {}
        }
    }

    fn send_copy(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.sent += 1;
        ctx.send(BACKUP, Message::Copy { number: self.sent, value: self.kept.value.clone() });
        ctx.arm(Wake, HEARTBEAT);
    }
}

impl Vocabulary for PrimaryBackup {
    type Message = Message;
    type Timer = Wake;
    type Record = Record;
    type Reply = Answer<RegisterRet>;
}

impl Protocol for PrimaryBackup {
    type Request = Request<RegisterOp>;
    type Client = RoutingClient<Self>; // asks around until somebody serves
    type Admin = Never; // there is nothing to order
    type Config = Config;
    type Data = Register;
    type Laws = (); // what must hold after every step: nothing beyond what clients see
    const KINDS: &'static [&'static str] = &["Copy", "Have", "TookOver", "Request", "Answer"]; // what `drop` faults can name

    /// A process begins, the first time or after a crash, with what its journal kept.
    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        let fresh = Record { role: if boot.me == PRIMARY { Role::Primary } else { Role::Backup }, value: Value::Nil };
        let latest = boot.journal.iter().rev().find_map(|slot| match slot {
            Slot::Ok(record) => Some(record.clone()),
            Slot::Corrupt => None, // it was being written, so nobody was told of it (on a disk that can be trusted)
        });
        let kept = latest.unwrap_or(fresh);
        let mut node = PrimaryBackup { config: boot.config.clone(), kept, sent: 0, waiting: VecDeque::new() };
        node.begin_role(ctx);
        node
    }

    fn on_request(&mut self, client: ClientId, request: Self::Request, ctx: &mut Ctx<'_, Self>) {
        let not_me = |ask| request.answer(Response::Redirect(Some(ask)));
        match self.kept.role {
            Role::Backup => return ctx.tell(client, not_me(PRIMARY)),
            Role::Retired => return ctx.tell(client, not_me(BACKUP)),
            Role::Primary | Role::Successor => {}
        }
        let Ask::Operation { op, .. } = &request.ask else { return }; // nobody asks for a session
        let before = self.kept.value.clone();
        let answer = request.answer(Response::Returned(Register::apply(&mut self.kept.value, op)));
        if self.kept.value != before {
            // Whatever is sent or told from here on leaves this node when the record is on disk.
            ctx.persist(self.kept.clone());
        }
        if self.kept.role == Role::Successor || self.config.flaws.has(&ACK_BEFORE_BACKUP) {
            ctx.tell(client, answer);
        } else {
            // Reads wait too: the backup may have taken over, and then this value may be an old one.
            self.waiting.push_back((self.sent + 1, client, answer));
        }
        if self.kept.role == Role::Primary {
            self.send_copy(ctx);
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, ctx: &mut Ctx<'_, Self>) {
        match (message, self.kept.role) {
            (Message::Copy { number, value }, Role::Backup) => {
                if value != self.kept.value {
                    self.kept.value = value;
                    ctx.persist(self.kept.clone());
                }
                ctx.send(from, Message::Have { number });
                ctx.arm(Wake, self.config.takeover);
            }
            (Message::Copy { .. }, Role::Successor) => ctx.send(from, Message::TookOver),
            (Message::Have { number }, Role::Primary) => {
                let confirmed = self.waiting.partition_point(|(needed, ..)| *needed <= number);
                for (_, client, answer) in self.waiting.drain(..confirmed) {
                    ctx.tell(client, answer);
                }
            }
            (Message::TookOver, Role::Primary) => {
                // Nobody knows what the backup had of these, so their clients get no answer.
                self.waiting.clear();
                self.take_role(Role::Retired, ctx);
            }
            (Message::Copy { .. } | Message::Have { .. } | Message::TookOver, _) => {}
        }
    }

    fn on_timer(&mut self, _: Wake, ctx: &mut Ctx<'_, Self>) {
        match self.kept.role {
            Role::Primary => self.send_copy(ctx),
            Role::Backup => self.take_role(Role::Successor, ctx),
            Role::Successor | Role::Retired => {}
        }
    }

    /// What no such system could do better: the primary needs the backup, the backup can do without the primary. With n2 gone
    /// nobody serves.
    fn can_serve(_: &Config, _: &RegisterOp, reach: &Reach<'_>) -> bool {
        reach.groups().any(|group| group.contains(&BACKUP))
    }

    /// What it may be held to. Who takes the backup for dead because nothing arrives is wrong now and then; that it is safe all
    /// the same rests on the primary's waiting, not on any clock.
    fn promises(_: &Config, claim: Claim, premise: &Premise) -> Result<(), String> {
        let trusted = !premise.records_rot && !premise.lies_come_out();
        let safe = trusted.then_some(()).ok_or_else(|| "it trusts its disk".to_owned());
        match claim {
            Claim::Linearizable | Claim::Consistent(_) | Claim::LinearizableWrites | Claim::NoLostWrites => safe,
            Claim::Converges | Claim::HintsDelivered | Claim::NoResurrection => Err(Claim::not_offered("it")),
            Claim::Detects { .. } => Err(Claim::watches_nobody("it")),
            Claim::Progress if premise.one_way_cuts => Err("a primary that does not hear is not replaced".into()),
            Claim::Progress if premise.contact > Contact::Direct || premise.unheard => Err("no detours".into()),
            Claim::Progress => Ok(()),
        }
    }
}

/// The client needs to know nothing more: no sessions, so it never sends a write twice.
impl Service for PrimaryBackup {}

/// The keys below `[protocol]`.
#[derive(Clone, Debug)]
struct Config {
    takeover: Nanos,
    flaws: Flaws,
}

const ACK_BEFORE_BACKUP: Flaw = Flaw {
    name: "ack-before-backup",
    id: "PB1",
    text: "The primary answers before the backup has what it answers; the backup then takes over without it.",
};

impl Settings for Config {
    const KEYS: &'static [Key] = &[Key {
        name: "takeover",
        kind: Kind::Duration { min: 2 * HEARTBEAT, max: MINUTE },
        default: "1s",
        text: "The backup takes over when it has not heard of the primary for so long.",
    }];
    const FLAWS: &'static [Flaw] = &[ACK_BEFORE_BACKUP];

    fn build(values: &Values, flaws: Flaws) -> Result<Self, Rejected> {
        Ok(Config { takeover: values.duration("takeover"), flaws })
    }
}
