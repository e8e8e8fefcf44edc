//! The barest loop that does the work: a heap of 16-byte keys, payloads at rest, one ChaCha8 stream, no engine. What an
//! engine costs is what it takes beyond this.

use crate::work::{Message, Outside, Site};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

struct Network {
    keys: BinaryHeap<Reverse<u128>>,
    slots: Vec<(u32, u32, Message)>,
    free: Vec<u32>,
    pushed: u64,
    rng: ChaCha8Rng,
    now: u64,
}

impl Network {
    fn send(&mut self, from: u32, to: u32, message: Message) {
        let at = self.now + 1_000_000 + below(&mut self.rng, 9_000_000);
        self.push(at, from, to, message);
    }

    fn push(&mut self, at: u64, from: u32, to: u32, message: Message) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = (from, to, message);
                slot
            }
            None => {
                self.slots.push((from, to, message));
                self.slots.len() as u32 - 1
            }
        };
        self.pushed += 1;
        self.keys.push(Reverse(u128::from(at) << 64 | u128::from(self.pushed << 24 | u64::from(slot))));
    }

    fn pop(&mut self) -> (u32, u32, Message) {
        let Reverse(key) = self.keys.pop().expect("never empty");
        self.now = (key >> 64) as u64;
        let slot = key as u32 & 0xff_ffff;
        self.free.push(slot);
        self.slots[slot as usize]
    }
}

fn below(rng: &mut ChaCha8Rng, n: u64) -> u64 {
    ((u128::from(rng.next_u64()) * u128::from(n)) >> 64) as u64
}

struct At<'a> {
    me: u32,
    net: &'a mut Network,
    chance: &'a mut ChaCha8Rng,
}

impl Outside for At<'_> {
    #[inline]
    fn below(&mut self, n: u64) -> u64 {
        below(self.chance, n)
    }
    #[inline]
    fn send(&mut self, to: u32, message: Message) {
        self.net.send(self.me, to, message);
    }
}

/// Runs until `enough` says so; how many messages were delivered.
pub fn run(seed: u64, mut sites: Vec<Site>, heartbeat: Option<u64>, enough: impl Fn(&[Site], u64) -> bool) -> u64 {
    let mut net = Network {
        keys: BinaryHeap::with_capacity(64),
        slots: Vec::with_capacity(64),
        free: Vec::with_capacity(64),
        pushed: 0,
        rng: ChaCha8Rng::seed_from_u64(seed),
        now: 0,
    };
    let mut chance = ChaCha8Rng::seed_from_u64(seed + 1);
    for (me, site) in (0..).zip(&mut sites) {
        site.start(&mut At { me, net: &mut net, chance: &mut chance });
    }
    if let Some(every) = heartbeat {
        net.push(every, 0, 0, Message::Heartbeat);
    }
    let mut delivered = 0;
    while !enough(&sites, delivered) {
        let (from, me, message) = net.pop();
        let site = &mut sites[me as usize];
        if let Message::Heartbeat = message {
            site.on_heartbeat(&mut At { me, net: &mut net, chance: &mut chance });
            let every = heartbeat.expect("only then is there one");
            net.push(net.now + every, 0, 0, Message::Heartbeat);
        } else {
            delivered += 1;
            site.on_message(from, message, &mut At { me, net: &mut net, chance: &mut chance });
        }
    }
    delivered
}
