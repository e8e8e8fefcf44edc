//! A panic in a protocol's code is a finding about the protocol, with a witness; a panic in the engine is a bug of ours.

use history::{Data, Finding, Outcome, Purpose, Register, RegisterOp, RegisterRet, RunRecord, Verdict};
use scenarios::execute::Options;
use scenarios::systems::System;
use serde::Serialize;
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{
    About, Boot, Client, ClientBoot, ClientCtx, ClientId, Ctx, Never, NodeId, OpId, OrderKind, Protocol, Vocabulary,
    Why,
};
use sim_core::reach::Reach;
use sim_core::time::MILLISECOND;

/// Answers a few requests and then trips over its own feet. Once down it does not get up again.
#[derive(Clone)]
struct Clumsy {
    answered: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Ask;

impl Vocabulary for Clumsy {
    type Message = Never;
    type Timer = Ask;
    type Record = Never;
    type Reply = Ask;
}

impl Protocol for Clumsy {
    type Request = Ask;
    type Client = Asker;
    type Admin = Never;
    type Config = ();
    type Data = Register;
    type Laws = ();
    const ORDERS: &'static [OrderKind] = &[OrderKind { name: "dance", about: About::One, text: "Trips." }];

    fn order(_: &str, about: &[NodeId]) -> Never {
        panic!("cannot dance with {}", about[0])
    }
    fn start(boot: Boot<'_, Self>, _: &mut Ctx<'_, Self>) -> Self {
        assert_eq!(boot.why, Why::First, "cannot get up");
        Clumsy { answered: 0 }
    }
    fn on_message(&mut self, _: NodeId, message: Never, _: &mut Ctx<'_, Self>) {
        match message {}
    }
    fn on_timer(&mut self, _: Ask, _: &mut Ctx<'_, Self>) {}
    fn on_request(&mut self, client: ClientId, ask: Ask, ctx: &mut Ctx<'_, Self>) {
        self.answered += 1;
        assert!(self.answered < 100, "answered too much");
        ctx.tell(client, ask);
    }
    fn can_serve(_: &(), _: &RegisterOp, _: &Reach<'_>) -> bool {
        true
    }
    fn promises(_: &Self::Config, _: Claim, _: &Premise) -> Result<(), String> {
        Ok(())
    }
}

#[derive(Clone)]
struct Asker {
    node: NodeId,
    open: Option<OpId>,
}

impl Client<Clumsy> for Asker {
    type Timer = Ask;
    fn start(boot: ClientBoot<'_, Clumsy>, ctx: &mut ClientCtx<'_, Clumsy>) -> Self {
        ctx.arm(Ask, MILLISECOND);
        Asker { node: boot.nodes[0], open: None }
    }
    fn on_reply(&mut self, _: NodeId, _: Ask, ctx: &mut ClientCtx<'_, Clumsy>) {
        if let Some(op) = self.open.take() {
            ctx.complete(op, Outcome::Returned(RegisterRet::Value(history::Value::Nil)));
        }
    }
    fn on_timer(&mut self, ask: Ask, ctx: &mut ClientCtx<'_, Clumsy>) {
        if self.open.is_none() {
            self.open = Some(ctx.invoke(RegisterOp::Read, 100 * MILLISECOND, Purpose::Load));
            ctx.request(self.node, ask);
        }
        ctx.arm(ask, 10 * MILLISECOND);
    }
}

const CLUMSY: System = System::of::<Clumsy>("clumsy", "Trips.");

/// One of them and one client for so long, and whatever else is given.
fn run(duration: &str, rest: &str) -> RunRecord {
    let source = format!(
        r#"
scenario = 1
about = "A test."
duration = "{duration}"
[cluster]
nodes = 1
[protocol]
name = "clumsy"
[[load]]
clients = 1
{rest}
[expect]
must = ["linearizable", "availability >= 1%"]
"#
    );
    let (draft, _) = scenarios::parse(&source, "clumsy", &[], &[CLUMSY]).expect("well formed");
    let scenario = draft.resolve(1).expect("nothing is drawn");
    let mut options = Options { picture: true, ..Options::default() };
    scenarios::run(&scenario, 1, &[CLUMSY], &mut options).expect("the engine holds").record
}

fn finding<'a>(record: &'a RunRecord, check: &str) -> &'a Finding {
    record.findings.iter().find(|finding| finding.check == check).expect("a finding")
}

#[test]
fn a_protocol_that_panics_fails_with_a_witness() {
    let record = run("5s", "");
    assert_eq!(record.verdict, Verdict::Fail);
    let panic = finding(&record, "no panic");
    assert_eq!(panic.verdict, Verdict::Fail);
    assert!(panic.detail.contains("n1 panicked: answered too much"), "{}", panic.detail);
    assert_eq!(finding(&record, "availability >= 1%").verdict, Verdict::Unknown, "the run stopped early");
    assert_eq!(finding(&record, "progress after settle").verdict, Verdict::Unknown);
    assert_eq!(record.protocol, "clumsy");
    assert_eq!(Register::NAME, record.data);
    // Running it again to see how it came to that panics again.
    let moments = record.picture.expect("it was asked for").moments;
    let titles: Vec<&str> = moments.iter().map(|moment| &*moment.title).collect();
    assert_eq!(titles, ["How n1 came to panic"]);
    assert_eq!(moments[0].notes.last().map(|note| (&*note.machine, &*note.text)), Some(("n1", "panics")));
}

#[test]
fn a_protocol_that_panics_over_an_order_fails_with_a_witness() {
    let record = run("500ms", "[[fault]]\ndo = \"operate\"\nat = \"300ms\"\norder = \"dance\"\nabout = \"n1\"");
    let panic = finding(&record, "no panic");
    assert!(panic.detail.contains("n1 panicked: cannot dance with n1"), "{}", panic.detail);
}

/// What is still down when the load ends is restarted by healing, and that runs the protocol's code too.
#[test]
fn a_protocol_that_panics_while_everything_heals_fails_with_a_witness() {
    let record = run("500ms", "[[fault]]\ndo = \"crash\"\nat = \"300ms\"\ntarget = \"n1\"");
    assert_eq!(record.verdict, Verdict::Fail);
    let panic = finding(&record, "no panic");
    assert!(panic.detail.contains("n1 panicked") && panic.detail.contains("cannot get up"), "{}", panic.detail);
    assert_eq!(record.simulated_ns, 500 * MILLISECOND, "it ended where everything healed");
}
