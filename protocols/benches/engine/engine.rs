//! The same work under the engine: fingerprint, a stream a link, fault checks and the journal's barrier all on.

use crate::work::{HEARTBEAT_NS, Message, Outside, Site, w1, w2};
use history::{Register, RegisterOp};
use sim_core::delay::Delay;
use sim_core::promise::{Claim, Premise};
use sim_core::protocol::{Boot, Client, ClientBoot, ClientCtx, ClientId, Ctx, Never, NodeId, Protocol, Vocabulary};
use sim_core::reach::Reach;
use sim_core::setup::Setup;
use sim_core::time::MILLISECOND;
use sim_core::world::World;

/// A site as a protocol: W1 or W2.
#[derive(Clone)]
pub struct Bench<const WORK: u8>(Site);

fn sites(work: u8) -> Vec<Site> {
    if work == 1 { w1() } else { w2() }
}

impl<const WORK: u8> Vocabulary for Bench<WORK> {
    type Message = Message;
    type Timer = ();
    type Record = Never;
    type Reply = Never;
}

struct At<'a, 'b, const WORK: u8>(&'a mut Ctx<'b, Bench<WORK>>);

impl<const WORK: u8> Outside for At<'_, '_, WORK> {
    #[inline]
    fn below(&mut self, n: u64) -> u64 {
        self.0.dice().below(n)
    }
    #[inline]
    fn send(&mut self, to: u32, message: Message) {
        self.0.send_datagram(NodeId(to), message);
    }
}

impl<const WORK: u8> Protocol for Bench<WORK> {
    type Request = Never;
    type Client = Nobody;
    type Admin = Never;
    type Config = ();
    type Data = Register;
    type Laws = ();

    fn start(boot: Boot<'_, Self>, ctx: &mut Ctx<'_, Self>) -> Self {
        let mut site = sites(WORK).swap_remove(boot.me.0 as usize);
        if let Site::Leader { .. } = site {
            ctx.arm((), HEARTBEAT_NS);
        }
        site.start(&mut At(ctx));
        Bench(site)
    }

    #[inline]
    fn on_message(&mut self, from: NodeId, message: Message, ctx: &mut Ctx<'_, Self>) {
        self.0.on_message(from.0, message, &mut At(ctx));
    }

    fn on_timer(&mut self, (): (), ctx: &mut Ctx<'_, Self>) {
        ctx.arm((), HEARTBEAT_NS);
        self.0.on_heartbeat(&mut At(ctx));
    }

    fn on_request(&mut self, _: ClientId, request: Never, _: &mut Ctx<'_, Self>) {
        match request {}
    }

    fn can_serve(_: &(), _: &RegisterOp, _: &Reach<'_>) -> bool {
        true
    }
    fn promises(_: &Self::Config, _: Claim, _: &Premise) -> Result<(), String> {
        Ok(())
    }
}

/// These systems have no clients outside.
#[derive(Clone)]
pub struct Nobody;

impl<const WORK: u8> Client<Bench<WORK>> for Nobody {
    type Timer = ();
    fn start(_: ClientBoot<'_, Bench<WORK>>, _: &mut ClientCtx<'_, Bench<WORK>>) -> Self {
        Nobody
    }
    fn on_reply(&mut self, _: NodeId, reply: Never, _: &mut ClientCtx<'_, Bench<WORK>>) {
        match reply {}
    }
    fn on_timer(&mut self, (): (), _: &mut ClientCtx<'_, Bench<WORK>>) {}
}

/// Runs until `messages` were delivered or `commits` were made; how many messages that was.
pub fn run<const WORK: u8>(seed: u64, messages: u64, commits: u64) -> u64 {
    let nodes = sites(WORK).len() as u32;
    let delay = Delay::Uniform { min: MILLISECOND, max: 10 * MILLISECOND };
    let mut setup = Setup::<Bench<WORK>>::in_one_zone(seed, nodes, (), delay);
    setup.nodes.iter_mut().for_each(|node| node.cpu = Delay::NONE);
    setup.laws = false;
    let mut world = World::new(setup);
    while world.messages() < messages && world.processes().get(NodeId(0)).is_none_or(|p| p.0.committed() < commits) {
        world.step(u64::MAX);
    }
    world.messages()
}
