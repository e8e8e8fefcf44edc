//! Two workloads as plain state machines, so that the bare loop and the engine run the very same code.
//!
//! *W1, ping-pong*: 5 sites, each keeps 8 requests in flight to random peers; every request is answered, every answer
//! sends the next. *W2, a fixed leader*: 5 servers and 10 closed-loop clients that are sites of their own; one entry per
//! append to four followers, commit on a majority, a heartbeat every 50 ms.

use serde::Serialize;

pub const SERVERS: u32 = 5;
pub const CLIENTS: u32 = 10;
pub const HEARTBEAT_NS: u64 = 50_000_000;
const WINDOW: u32 = 8;

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Entry {
    client: u32,
    op: u64,
    data: [u64; 2],
}

#[derive(Clone, Copy, Debug, Serialize)]
pub enum Message {
    Ping(u64),
    Pong(u64),
    Request(u64, [u64; 2]),
    Append {
        term: u64,
        index: u64,
        entry: Option<Entry>,
        commit: u64,
    },
    Ack(u64),
    Reply(u64),
    /// Only ever the leader's own alarm.
    Heartbeat,
}

/// What a site may do to the outside.
pub trait Outside {
    fn below(&mut self, n: u64) -> u64;
    fn send(&mut self, to: u32, message: Message);
}

#[derive(Clone)]
pub enum Site {
    Pinger { me: u32, next: u64 },
    Leader { log: Vec<Entry>, acks: Vec<u8>, commit: u64 },
    Follower { log: Vec<Option<Entry>>, commit: u64 },
    Client { me: u32, op: u64 },
}

pub fn w1() -> Vec<Site> {
    (0..SERVERS).map(|me| Site::Pinger { me, next: 0 }).collect()
}

pub fn w2() -> Vec<Site> {
    let leader = Site::Leader { log: Vec::new(), acks: Vec::new(), commit: 0 };
    let follower = || Site::Follower { log: Vec::new(), commit: 0 };
    let client = |me| Site::Client { me: SERVERS + me, op: 0 };
    [leader].into_iter().chain((1..SERVERS).map(|_| follower())).chain((0..CLIENTS).map(client)).collect()
}

impl Site {
    pub fn committed(&self) -> u64 {
        match self {
            Site::Leader { commit, .. } => *commit,
            Site::Pinger { .. } | Site::Follower { .. } | Site::Client { .. } => 0,
        }
    }

    pub fn start(&mut self, out: &mut impl Outside) {
        match self {
            Site::Pinger { me, next } => {
                for _ in 0..WINDOW {
                    ping(*me, next, out);
                }
            }
            Site::Client { me, op } => request(*me, op, out),
            Site::Leader { .. } | Site::Follower { .. } => {}
        }
    }

    #[inline]
    pub fn on_message(&mut self, from: u32, message: Message, out: &mut impl Outside) {
        match (self, message) {
            (Site::Pinger { .. }, Message::Ping(id)) => out.send(from, Message::Pong(id)),
            (Site::Pinger { me, next }, Message::Pong(_)) => ping(*me, next, out),
            (Site::Leader { log, acks, commit }, Message::Request(op, data)) => {
                let entry = Entry { client: from, op, data };
                log.push(entry);
                acks.push(1);
                let index = log.len() as u64;
                for follower in 1..SERVERS {
                    out.send(follower, Message::Append { term: 1, index, entry: Some(entry), commit: *commit });
                }
            }
            (Site::Leader { log, acks, commit }, Message::Ack(index)) if index > 0 => {
                acks[index as usize - 1] += 1;
                while acks.get(*commit as usize).is_some_and(|&acks| u32::from(acks) * 2 > SERVERS) {
                    let entry = log[*commit as usize];
                    out.send(entry.client, Message::Reply(entry.op));
                    *commit += 1;
                }
            }
            (Site::Leader { .. }, Message::Ack(_)) => {}
            (Site::Follower { log, commit }, Message::Append { index, entry, commit: leader_commit, .. }) => {
                if let Some(entry) = entry {
                    if log.len() < index as usize {
                        log.resize(index as usize, None);
                    }
                    log[index as usize - 1] = Some(entry);
                }
                *commit = leader_commit.max(*commit);
                out.send(from, Message::Ack(index));
            }
            (Site::Client { me, op }, Message::Reply(_)) => request(*me, op, out),
            (_, other) => panic!("nobody expects {other:?} here"),
        }
    }

    pub fn on_heartbeat(&mut self, out: &mut impl Outside) {
        let commit = self.committed();
        for follower in 1..SERVERS {
            out.send(follower, Message::Append { term: 1, index: 0, entry: None, commit });
        }
    }
}

fn ping(me: u32, next: &mut u64, out: &mut impl Outside) {
    let peer = out.below(u64::from(SERVERS - 1)) as u32;
    *next += 1;
    out.send(peer + u32::from(peer >= me), Message::Ping(*next));
}

fn request(me: u32, op: &mut u64, out: &mut impl Outside) {
    *op += 1;
    out.send(0, Message::Request(*op, [u64::from(me), *op]));
}
