//! `run --twice`: a system that is no function of its seed is found out, and where.
//!
//! A system of one's own can break the promise that one seed gives one run: by a static counter, a clock on the wall, an address.
//! This file is also the command of such a system: started by its own tests, it is `stormglass` with it.
#![allow(clippy::disallowed_methods, reason = "tests of the command touch files, as it does")]

mod common;

use common::{Scratch, Told, assert_tells};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use stormglass::prelude::*;

const AS_COMMAND: &str = "STORMGLASS_TEST_AS_COMMAND";

fn main() -> ExitCode {
    if std::env::var_os(AS_COMMAND).is_some() {
        return stormglass::main(&SYSTEMS);
    }
    for test in [
        what_differs_is_shown_side_by_side as fn(),
        what_differs_once_is_not_hidden,
        what_differs_in_the_record_alone_is_named,
        one_seed_is_one_run,
    ] {
        test();
    }
    ExitCode::SUCCESS
}

static SYSTEMS: [System; 1] = [System::of::<Forgetful>("forgetful", "Counts what it should not remember.")];

/// How often a run has come to where it matters: not in the node, where it belongs, but beside all nodes of all runs.
static VISITS: AtomicU64 = AtomicU64::new(0);

/// Two nodes: n1 tells n2 something every 10 ms.
#[derive(Clone)]
struct Forgetful {
    config: Config,
    value: Value,
    ticks: u64,
}

#[derive(Clone, Debug)]
struct Config {
    leaks: String,
}

impl Settings for Config {
    const KEYS: &'static [Key] = &[Key {
        name: "leaks",
        kind: Kind::Word(&["nothing", "always", "once", "words"]),
        default: "nothing",
        text: "What else than the seed enters a run, after 2.5 s.",
    }];
    const FLAWS: &'static [Flaw] = &[];

    fn build(values: &Values, _: Flaws) -> Result<Self, Rejected> {
        Ok(Config { leaks: values.word("leaks").to_owned() })
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(crate = "stormglass::serde")]
struct Word {
    to: NodeId,
    heard: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(crate = "stormglass::serde")]
struct Tick;

impl Vocabulary for Forgetful {
    type Message = Word;
    type Timer = Tick;
    type Record = Never;
    type Reply = Answer<RegisterRet>;
}

impl Protocol for Forgetful {
    type Request = Request<RegisterOp>;
    type Client = RoutingClient<Self>;
    type Admin = Never;
    type Config = Config;
    type Data = Register;
    type Laws = ();

    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        if boot.me == NodeId(0) {
            ctx.arm(Tick, 10 * MILLISECOND);
        }
        Forgetful { config: boot.config.clone(), value: Value::Nil, ticks: 0 }
    }

    fn on_timer(&mut self, tick: Tick, ctx: &mut Ctx<'_, Self>) {
        self.ticks += 1;
        let leak = if self.ticks == 250 { self.leak() } else { 0 };
        let other = NodeId(1);
        ctx.send(other, Word { to: other, heard: leak });
        ctx.arm(tick, 10 * MILLISECOND);
    }

    fn on_message(&mut self, _: NodeId, _: Word, _: &mut Ctx<'_, Self>) {}

    fn on_request(&mut self, client: ClientId, request: Self::Request, ctx: &mut Ctx<'_, Self>) {
        let Ask::Operation { op, .. } = &request.ask else { return };
        ctx.tell(client, request.answer(Response::Returned(Register::apply(&mut self.value, op))));
    }

    fn can_serve(_: &Config, _: &RegisterOp, _: &Reach<'_>) -> bool {
        true
    }

    fn promises(_: &Config, _: Claim, _: &Premise) -> Result<(), String> {
        Ok(())
    }
}

impl Service for Forgetful {}

impl Forgetful {
    fn leak(&self) -> u64 {
        let visits = VISITS.fetch_add(1, Ordering::Relaxed);
        match self.config.leaks.as_str() {
            "always" => visits,
            "once" => u64::from(visits == 1),
            "words" => {
                assert!(visits > 1_000_000, "visit {visits}");
                0
            }
            _ => 0,
        }
    }
}

const SCENARIO: &str = r#"scenario = 1
about = "One run, or two."
duration = "4s"
settle = "1s"
[cluster]
nodes = 2
[protocol]
name = "forgetful"
[[load]]
clients = 1
data = "register"
[expect]
must = ["availability >= 1%"]
"#;

fn twice(leaks: &str, more: &[&str]) -> Told {
    let here = Scratch::with(SCENARIO);
    let set = format!("protocol.leaks={leaks}");
    let args = [&["run", "storm.toml", "--twice", "--set", &set], more].concat();
    let ours = here.command(&args);
    let mut command = Command::new(std::env::current_exe().expect("a test has a path"));
    command.args(&args).current_dir(here.path("")).env(AS_COMMAND, "1").env("LC_ALL", "C.UTF-8");
    ours.get_envs().filter(|(_, value)| value.is_none()).for_each(|(name, _)| _ = command.env_remove(name));
    Told::by(command)
}

fn one_seed_is_one_run() {
    let told = twice("nothing", &[]);
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{told:?}");
    assert_tells(&told.out, &["\nSAME  twice: fingerprint ", ", 5 checkpoints, history and record\n"]);
    let told = twice("nothing", &["--format", "json"]);
    assert_eq!((told.code, told.out.lines().count()), (0, 1), "{told:?}");
    assert!(told.err.starts_with("SAME  twice"), "{told:?}");
}

/// Runs number 3 and 4 are shown, since those are traced.
fn what_differs_is_shown_side_by_side() {
    let told = twice("always", &[]);
    assert_eq!(told.code, 5, "{told:?}");
    let (_, shown) = told.out.split_once("DIFFERENT  seed 1 gave ").unwrap_or_else(|| panic!("{told:?}"));
    assert_tells(
        shown,
        &[
            "something else than the seed enters",
            "they part in the second from 2s on",
            "the last events that are the same:\n",
            "           then in one run, at step ",
            "Word { to: n2, heard: 2 }\n",
            "           and in the other, at step ",
            "Word { to: n2, heard: 3 }\n",
        ],
    );
    let of = |heard: &str| shown.lines().find(|line| line.contains(heard)).expect("it is shown").to_owned();
    assert_eq!(of("heard: 2").replace("heard: 2", "heard: 3"), of("heard: 3"), "nothing else differs");
    assert!(of("heard: 2").trim_start().starts_with("2.50"), "{shown}");
}

fn what_differs_once_is_not_hidden() {
    let told = twice("once", &[]);
    assert_eq!(told.code, 5, "{told:?}");
    assert_tells(&told.out, &["they part in the second from 2s on", "not seen every time"]);
}

/// What a panic says is in no event.
fn what_differs_in_the_record_alone_is_named() {
    let told = twice("words", &[]);
    assert_eq!(told.code, 5, "{told:?}");
    assert_tells(&told.out, &["gave the same events twice, and two records: see `findings`"]);
}
