//! What a script can command. Nodes are `n1 n2 …`, a link is `n1->n2`, `n1->*`, `*->n2` or `*`.
//!
//! | command | what it does |
//! |---|---|
//! | `cluster 5 [key=value …]` | five nodes start, with these settings |
//! | `flaw NAME` | the cluster that follows has this mistake |
//! | `on-disk n1 term=8 log=1,1,4` | the node starts again with a log of these terms, all no-ops |
//! | `times-out n1` | it hears nobody for a second, and stands |
//! | `wakes n1 election` | its alarm goes off (also `heartbeat`), and no time passes |
//! | `heartbeat n1` | a heartbeat's time passes, and it lets itself be heard |
//! | `wait 100ms` | all clocks go on |
//! | `deliver LINK [first\|KIND]` | what is under way there arrives; what comes of it is under way then |
//! | `drop LINK [first\|KIND]` | it is lost |
//! | `duplicate LINK [first\|KIND]` | it will arrive once more, behind all else |
//! | `hold LINK`, `release LINK` | `stabilize` leaves it alone |
//! | `isolate n1 n2`, `heal` | nothing passes between these and the others |
//! | `stabilize` | everything arrives, and what comes of it |
//! | `under-way` | lists what has not arrived |
//! | `propose n1 write 7` | the client asks for a write (also `cas 7 8`) |
//! | `read n1`, `register n1` | … for a read, for a session; what it proposes from then on is in it |
//! | `repeat n2 [#3]` | it asks again, the latest or the one of this number |
//! | `gives-up #3` | it no longer waits for that answer |
//! | `order n1 add n4` | the operator orders (also `remove`, `members`, `transfer`, `snapshot`) |
//! | `slow-disk n2`, `flush n2` | its writes wait until they are flushed |
//! | `crash n2 [lose-unsynced]`, `restart n2` | its process dies; or its power fails, and what was not flushed is lost |
//! | `status [n1 …]` | how nodes stand |

use super::node::{Fate, Node};
use super::table::{Cluster, Link, Table, Which};
use super::words::KINDS;
use history::{RegisterOp, Value};
use protocols::raft::{Command, Entry, RaftConfig, Record, Term, Timer};
use sim_core::protocol::{About, NodeId, Protocol};
use sim_core::settings::{Flaws, Settings, Values};
use sim_core::time::{SECOND, parse_duration};

const COMMANDS: &str = "cluster, flaw, on-disk, times-out, wakes, heartbeat, wait, deliver, drop, duplicate, hold, release, \
                        isolate, heal, stabilize, under-way, propose, read, register, repeat, gives-up, order, slow-disk, \
                        flush, crash, restart, status";

/// Carries out one line of a script.
pub fn carry_out(table: &mut Table, line: &str) -> Result<(), String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (name, rest) = words.split_first().expect("a command is not blank");
    match *name {
        "cluster" => return begin(table, rest),
        "flaw" => return add_flaw(table, rest),
        _ => {}
    }
    let cluster = table.cluster()?;
    match (*name, rest) {
        ("on-disk", [node, settings @ ..]) => on_disk(cluster, node, settings),
        ("times-out", [node]) => {
            let node = node_in(cluster, node)?;
            cluster.wait(SECOND);
            cluster.alarm(node, Timer::Election)
        }
        ("heartbeat", [node]) => {
            let node = node_in(cluster, node)?;
            cluster.wait(cluster.config.heartbeat);
            cluster.alarm(node, Timer::Heartbeat)
        }
        ("wakes", [node, "election"]) => cluster.alarm(node_in(cluster, node)?, Timer::Election),
        ("wakes", [node, "heartbeat"]) => cluster.alarm(node_in(cluster, node)?, Timer::Heartbeat),
        ("wait", [time]) => parse_duration(time).map(|time| cluster.wait(time)),
        ("deliver", [link, which @ ..]) => cluster.deliver(link_in(cluster, link)?, which_of(which)?),
        ("drop", [link, which @ ..]) => cluster.drop(link_in(cluster, link)?, which_of(which)?),
        ("duplicate", [link, which @ ..]) => cluster.duplicate(link_in(cluster, link)?, which_of(which)?),
        ("hold", [link]) => link_in(cluster, link).map(|link| cluster.hold(link)),
        ("release", [link]) => link_in(cluster, link).map(|link| cluster.release(link)),
        ("isolate", [_, ..]) => nodes_in(cluster, rest).map(|these| cluster.isolate(&these)),
        ("heal", []) => done(cluster, Cluster::heal),
        ("stabilize", []) => cluster.stabilize(),
        ("under-way", []) => done(cluster, Cluster::list_under_way),
        ("propose", [node, op @ ..]) => cluster.ask(node_in(cluster, node)?, Some(op_of(op)?)),
        ("read", [node]) => cluster.ask(node_in(cluster, node)?, Some(RegisterOp::Read)),
        ("register", [node]) => cluster.ask(node_in(cluster, node)?, None),
        ("repeat", [node]) => cluster.repeat(node_in(cluster, node)?, None),
        ("repeat", [node, serial]) => cluster.repeat(node_in(cluster, node)?, Some(serial_of(serial)?)),
        ("gives-up", [serial]) => serial_of(serial).map(|serial| cluster.give_up(serial)),
        ("order", [node, order, about @ ..]) => give_order(cluster, node, order, about),
        ("slow-disk", [node]) => node_in(cluster, node).map(|node| cluster.slow_disk(node)),
        ("flush", [node]) => cluster.flush(node_in(cluster, node)?),
        ("crash", [node]) => cluster.crash(node_in(cluster, node)?, Fate::Keep),
        ("crash", [node, "lose-unsynced"]) => cluster.crash(node_in(cluster, node)?, Fate::LoseUnsynced),
        ("restart", [node]) => cluster.restart(node_in(cluster, node)?),
        ("status", []) => done(cluster, |cluster| cluster.status(&cluster.ids())),
        ("status", nodes) => nodes_in(cluster, nodes).map(|nodes| cluster.status(&nodes)),
        _ => Err(format!("`{line}` is not a command as the table in commands.rs has it; there are: {COMMANDS}")),
    }
}

/// What cannot go wrong.
fn done(cluster: &mut Cluster, run: impl FnOnce(&mut Cluster)) -> Result<(), String> {
    run(cluster);
    Ok(())
}

fn begin(table: &mut Table, words: &[&str]) -> Result<(), String> {
    let count = words.first().and_then(|count| count.parse().ok()).filter(|count| (1..=9).contains(count));
    let Some(count) = count else { return Err("how many nodes, from 1 to 9? Such as: cluster 3".to_owned()) };
    let mut values = Values::defaults(RaftConfig::KEYS);
    for setting in &words[1..] {
        let (name, value) = setting.split_once('=').ok_or_else(|| format!("`{setting}` is not key=value"))?;
        let Some(key) = RaftConfig::KEYS.iter().find(|key| key.name == name) else {
            let known: Vec<&str> = RaftConfig::KEYS.iter().map(|key| key.name).collect();
            return Err(format!("there is no setting `{name}`; there are: {}", known.join(", ")));
        };
        values.set(key, key.kind.parse(value).map_err(|why| format!("{name}: {why}"))?);
    }
    let flaws = Flaws::new(table.flaws.drain(..));
    let config =
        RaftConfig::build(&values, flaws).map_err(|rejected| format!("{}: {}", rejected.key, rejected.message))?;
    table.begin(count, config);
    Ok(())
}

fn add_flaw(table: &mut Table, words: &[&str]) -> Result<(), String> {
    let known = || RaftConfig::FLAWS.iter().map(|flaw| flaw.name).collect::<Vec<_>>().join(", ");
    let [name] = words else { return Err(format!("which flaw? There are: {}", known())) };
    let Some(flaw) = RaftConfig::FLAWS.iter().find(|flaw| flaw.name == *name) else {
        return Err(format!("there is no flaw `{name}`; there are: {}", known()));
    };
    if table.has_cluster() {
        return Err("nodes learn no flaws once they have started; put it before `cluster`".to_owned());
    }
    table.flaws.push(flaw);
    Ok(())
}

/// `term=8 log=1,1,4`.
fn on_disk(cluster: &mut Cluster, node: &str, settings: &[&str]) -> Result<(), String> {
    let node = node_in(cluster, node)?;
    let example = || "what is on disk? Such as: on-disk n1 term=8 log=1,1,4".to_owned();
    let [term, log] = settings else { return Err(example()) };
    let term: Term = term.strip_prefix("term=").and_then(|term| term.parse().ok()).ok_or_else(example)?;
    let terms = log.strip_prefix("log=").ok_or_else(example)?.split(',').filter(|term| !term.is_empty());
    let terms: Result<Vec<Term>, _> = terms.map(str::parse).collect();
    let entry = |term| Entry { term, time: 0, command: Command::Noop };
    let entries = terms.map_err(|_| example())?.into_iter().map(entry).collect();
    cluster.has_on_disk(node, vec![Record::Term { term, vote: None }, Record::Entries { prev: 0, entries }]);
    Ok(())
}

fn node_in(cluster: &Cluster, name: &str) -> Result<NodeId, String> {
    let ids = cluster.ids();
    let found = ids.iter().find(|id| id.to_string() == name).copied();
    found.ok_or_else(|| format!("there is no node `{name}`; there are n1 to n{}", ids.len()))
}

fn nodes_in(cluster: &Cluster, names: &[&str]) -> Result<Vec<NodeId>, String> {
    names.iter().map(|name| node_in(cluster, name)).collect()
}

fn link_in(cluster: &Cluster, text: &str) -> Result<Link, String> {
    if text == "*" {
        return Ok(Link { from: None, to: None });
    }
    let Some((from, to)) = text.split_once("->") else {
        return Err(format!("`{text}` is not a link; write n1->n2, n1->*, *->n2 or *"));
    };
    let end = |name: &str| if name == "*" { Ok(None) } else { node_in(cluster, name).map(Some) };
    Ok(Link { from: end(from)?, to: end(to)? })
}

fn which_of(words: &[&str]) -> Result<Which, String> {
    match words {
        [] | ["all"] => Ok(Which::All),
        ["first"] => Ok(Which::First),
        [name] => {
            let kind = KINDS.iter().find(|kind| *kind == name).copied().map(Which::Kind);
            kind.ok_or_else(|| format!("there are no messages `{name}`; there are: {}, or `first`", KINDS.join(", ")))
        }
        _ => Err("one kind of message at a time".to_owned()),
    }
}

fn op_of(words: &[&str]) -> Result<RegisterOp, String> {
    let value = |text: &str| match text {
        "nil" => Ok(Value::Nil),
        _ => text.parse().map(Value::Int).map_err(|_| format!("`{text}` is no number; such as: write 7, cas nil 8")),
    };
    match words {
        ["write", to] => Ok(RegisterOp::Write(value(to)?)),
        ["cas", from, to] => Ok(RegisterOp::Cas { from: value(from)?, to: value(to)? }),
        _ => Err("what is proposed? Such as: propose n1 write 7, propose n1 cas 7 8".to_owned()),
    }
}

fn serial_of(text: &str) -> Result<u64, String> {
    let serial = text.strip_prefix('#').and_then(|serial| serial.parse().ok());
    serial.ok_or_else(|| format!("`{text}` is not the number of a request; write #3"))
}

fn give_order(cluster: &mut Cluster, node: &str, name: &str, about: &[&str]) -> Result<(), String> {
    let (node, ids) = (node_in(cluster, node)?, nodes_in(cluster, about)?);
    let Some(kind) = Node::ORDERS.iter().find(|kind| kind.name == name) else {
        let known: Vec<&str> = Node::ORDERS.iter().map(|kind| kind.name).collect();
        return Err(format!("there is no order `{name}`; there are: {}", known.join(", ")));
    };
    match (kind.about, ids.len()) {
        (About::Nobody, 0) | (About::One, 1) | (About::Some, 1..) => {}
        (About::Nobody, _) => return Err(format!("`{name}` is about no node")),
        (About::One, _) => return Err(format!("`{name}` is about one node")),
        (About::Some, _) => return Err(format!("`{name}` is about one node or more")),
    }
    let words = [&[name], about].concat().join(" ");
    cluster.order(node, Node::order(name, &ids), &words)
}
