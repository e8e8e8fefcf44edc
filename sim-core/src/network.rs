//! What becomes of a message between two machines.
//!
//! Every ordered pair of machines has a *path*: the dice thrown for its messages, the partitions that cut it and the
//! faults that spoil it. Each message costs exactly one draw, whatever comes of it: 64 bits that say how long it takes and,
//! scrambled (and scrambled again), whether it is lost, doubled or overtaken. Draw first, branch after.
//!
//! A *stream* is TCP as far as a protocol can tell: in order; a loss shows as the time its retransmission takes; while a
//! path is cut, what was sent waits, and is tried again at growing intervals; after a while the connection is reset and
//! what waited is lost. A *datagram* is lost, doubled and overtaken.
//!
//! Where bandwidth is limited (`network/pipe.rs`), a message also waits for those before it. Nobody asks for a message's size
//! where it is not.

mod pipe;
#[cfg(test)]
mod tests;

use crate::dice::{Dice, Ratio, StreamName, Streams};
use crate::fault::Spoil;
use crate::machine::{MachineId, Pairs};
use crate::protocol::Transport;
use crate::strain::{LONG, Spans};
use crate::time::{MILLISECOND, Nanos, SECOND};
use crate::topology::{Topology, ZoneId, either};
use petgraph::graph::EdgeIndex;
use pipe::{Passage, Pipe};
use std::collections::BTreeMap;

/// How streams behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// The first retransmission comes after this long, each further one after twice as long as the last.
    pub retransmit_after: Nanos,
    /// A connection over which nothing passed for this long is reset.
    pub reset_after: Nanos,
}

impl Default for Tcp {
    /// Linux retransmits after 200 ms at the least. Its own patience is a quarter of an hour; systems that care set a
    /// user timeout of a few seconds, as this does.
    fn default() -> Self {
        Tcp { retransmit_after: 200 * MILLISECOND, reset_after: 3 * SECOND }
    }
}

/// Names one time that a fault struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StrikeId(pub(crate) u32);

/// One ordered pair of machines.
#[derive(Clone, Debug, Default)]
struct Path {
    dice: Option<Box<Dice>>,
    cuts: Vec<StrikeId>,
    spoils: Vec<(StrikeId, Box<Spoil>)>,
    /// What faults leave of its bandwidth.
    pipes: Vec<(StrikeId, Pipe)>,
    last_arrival: Nanos,
    /// Counts the connections; what was sent on an earlier one does not arrive.
    connection: u32,
}

impl Path {
    /// A new connection begins.
    fn reset(&mut self) {
        self.connection += 1;
        self.last_arrival = 0;
    }
}

/// What becomes of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives then, on this connection.
    Arrives { at: Nanos, connection: u32 },
    /// It arrives twice (datagrams only).
    ArrivesTwice { at: Nanos, again: Nanos, connection: u32 },
    /// It is on a stream whose path is cut: it would arrive then, and waits to be retransmitted.
    Stalls { at: Nanos, connection: u32 },
    /// It is gone, for this reason.
    Lost(&'static str),
    /// It would be held up for so long that its connection is given up, and what is under way on it.
    TimesOut,
}

/// What befalls a message beside the usual delay.
#[derive(Clone, Copy, Debug, Default)]
struct Harm {
    /// Shares of 2^32.
    loss: u64,
    duplicate: u64,
    /// How much longer it takes.
    held_up: Nanos,
    /// Datagrams only: how much later this one comes, and its second copy.
    overtaken: Nanos,
    copy_later: Nanos,
    /// It is damaged, and its checksum tells.
    is_damaged: bool,
}

impl Harm {
    /// Adds what faults do to a message with these bits. Apart from the usual way, which most messages go.
    #[inline(never)]
    fn add(
        &mut self,
        spoils: &[(StrikeId, Box<Spoil>)],
        transport: Transport,
        quantile: u64,
        kind: impl Fn() -> &'static str,
        effects: &mut Vec<StrikeId>,
    ) {
        let chance = scrambled(quantile);
        let order = scrambled(chance);
        let is_datagram = transport == Transport::Datagram;
        let mut reorder = 0;
        for (strike, spoil) in spoils.iter().filter(|(_, spoil)| spoil.means(&kind)) {
            let more = spoil.delay.at(quantile);
            let loses = takes(&mut self.loss, spoil.loss, low(chance));
            let damages = takes(&mut self.loss, spoil.corrupt, low(chance));
            let doubles = takes(&mut self.duplicate, spoil.duplicate, high(chance)) && is_datagram;
            let reorders = takes(&mut reorder, spoil.reorder, low(order)) && is_datagram;
            let kept_back = if reorders { spoil.reorder_by.at(scrambled(order)) } else { 0 };
            if more > 0 || loses || damages || doubles || kept_back > 0 {
                effects.push(*strike);
            }
            if doubles {
                self.copy_later = spoil.duplicate_after.at(scrambled(!order));
            }
            self.held_up += more;
            self.overtaken += kept_back;
            self.is_damaged |= damages;
        }
    }
}

/// All paths, over a topology.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    topology: Topology,
    zones: Vec<ZoneId>,
    names: Vec<StreamName>,
    pairs: Pairs,
    /// By the number of the pair.
    paths: Vec<Path>,
    /// By the number of the pair: when something was later than its links alone would have made it.
    late: Vec<Spans>,
    link: StreamName,
    streams: Streams,
    pub(crate) tcp: Tcp,
    /// By number, what links of one name share where their bandwidth is limited.
    pipes: Vec<Pipe>,
    /// Link cuts in force.
    link_cuts: Vec<(StrikeId, Vec<EdgeIndex>)>,
    /// Whose cuts lie on the usual way between two zones, for those asked about since links were last cut or healed.
    diverted: BTreeMap<(ZoneId, ZoneId), Vec<StrikeId>>,
    /// Effects of faults since they were last collected: one entry a message and fault.
    pub(crate) effects: Vec<StrikeId>,
    /// Whether the last message with an effect was damaged.
    pub(crate) damaged: bool,
}

impl Network {
    pub(crate) fn new(
        topology: Topology,
        machines: Vec<(ZoneId, StreamName)>,
        pairs: Pairs,
        tcp: Tcp,
        streams: Streams,
    ) -> Self {
        let paths = vec![Path::default(); pairs.count()];
        let late = vec![Spans::default(); pairs.count()];
        let (zones, names) = machines.into_iter().unzip();
        let link = StreamName::new(&["link"]);
        let pipes = topology.pipes().map(Pipe::new).collect();
        Network {
            topology,
            zones,
            names,
            pairs,
            paths,
            late,
            link,
            streams,
            tcp,
            pipes,
            link_cuts: Vec::new(),
            diverted: BTreeMap::new(),
            effects: Vec::new(),
            damaged: false,
        }
    }

    fn index(&self, from: MachineId, to: MachineId) -> usize {
        self.pairs.index(from, to).expect("clients talk to nodes only")
    }

    /// A message is sent now. Its size in bytes and its kind are asked for only where they matter.
    #[inline]
    pub(crate) fn send(
        &mut self,
        from: MachineId,
        to: MachineId,
        transport: Transport,
        now: Nanos,
        size: impl FnOnce() -> u64,
        kind: impl Fn() -> &'static str,
    ) -> Fate {
        let index = self.index(from, to);
        if !self.paths[index].cuts.is_empty() || !self.link_cuts.is_empty() {
            self.count_cuts(from, to);
        }
        let (zone_from, zone_to) = (self.zones[from.0 as usize], self.zones[to.0 as usize]);
        let (names, link, streams) = (&self.names, self.link, self.streams);
        let path = &mut self.paths[index];
        let dice = path
            .dice
            .get_or_insert_with(|| Box::new(streams.dice(link.between(names[from.0 as usize], names[to.0 as usize]))));
        let quantile = dice.bits();
        let chance = scrambled(quantile);
        let route = self.topology.route(zone_from, zone_to);
        let cut = !path.cuts.is_empty() || route.is_none();
        let connection = path.connection;
        if cut && transport == Transport::Datagram {
            return Fate::Lost("cut off");
        }
        let Some(route) = route else {
            return Fate::Stalls { at: now.max(path.last_arrival), connection };
        };
        let mut delay: Nanos = route.delays.iter().map(|delay| delay.at(quantile)).sum();
        let mut harm = Harm { loss: route.loss, duplicate: route.duplicate, ..Harm::default() };
        if !path.spoils.is_empty() {
            harm.add(&path.spoils, transport, quantile, kind, &mut self.effects);
            self.damaged = harm.is_damaged;
        }
        if !(cut || route.pipes.is_empty() && path.pipes.is_empty()) {
            let shared = Shared { pipes: &mut self.pipes, route: &route.pipes };
            match squeezed(path, shared, (transport, now, self.tcp), size(), &mut self.effects) {
                Passage::Takes(time) => harm.held_up += time,
                Passage::Full if transport == Transport::Datagram => return Fate::Lost("no room in the queue"),
                Passage::Full => harm.held_up = self.tcp.reset_after,
            }
        }
        let Harm { loss, duplicate, held_up, overtaken, copy_later, is_damaged } = harm;
        let undisturbed = delay;
        delay += held_up + overtaken;
        match transport {
            Transport::Datagram if is_damaged => Fate::Lost("its checksum is wrong"),
            Transport::Datagram if low(chance) < loss => Fate::Lost("lost on the way"),
            Transport::Datagram if high(chance) < duplicate => {
                let usual = route.delays.iter().map(|d| d.at(quantile.rotate_left(32))).sum::<Nanos>();
                let again = now + delay + usual + copy_later;
                Fate::ArrivesTwice { at: now + delay, again, connection }
            }
            Transport::Datagram => Fate::Arrives { at: now + delay, connection },
            Transport::Stream => {
                let again = retransmission(low(chance), loss, self.tcp);
                if held_up + again >= self.tcp.reset_after {
                    self.late[index].note(now, now + self.tcp.reset_after);
                    return Fate::TimesOut;
                }
                let at = path.last_arrival.max(now + delay + again);
                path.last_arrival = at;
                // Links differ by themselves, and a message waits behind a slow one: half again as long is no strain.
                let expected = now + undisturbed + undisturbed / 2;
                if at >= expected + LONG {
                    self.late[index].note(expected, at);
                }
                if cut { Fate::Stalls { at, connection } } else { Fate::Arrives { at, connection } }
            }
        }
    }

    /// Whether messages pass from one machine to another right now.
    pub(crate) fn is_live(&mut self, from: MachineId, to: MachineId) -> bool {
        let path = &self.paths[self.index(from, to)];
        path.cuts.is_empty() && self.topology.route(self.zones[from.0 as usize], self.zones[to.0 as usize]).is_some()
    }

    /// Whether a message that arrives now on `connection` gets through: `None` if its connection is gone.
    #[inline]
    pub(crate) fn arrives(&mut self, from: MachineId, to: MachineId, connection: u32) -> Option<bool> {
        let is_there = self.paths[self.index(from, to)].connection == connection;
        is_there.then(|| self.passes(from, to))
    }

    /// Whether a message that arrives now, on whichever connection or none, gets through.
    #[inline]
    pub(crate) fn passes(&mut self, from: MachineId, to: MachineId) -> bool {
        let is_whole = self.paths[self.index(from, to)].cuts.is_empty() && self.link_cuts.is_empty();
        is_whole || self.is_live(from, to)
    }

    /// A message meets the cuts on its way, when it is sent or when it arrives: their effect.
    #[cold]
    pub(crate) fn count_cuts(&mut self, from: MachineId, to: MachineId) {
        self.effects.extend(&self.paths[self.index(from, to)].cuts);
        if self.link_cuts.is_empty() {
            return;
        }
        let (from, to) = (self.zones[from.0 as usize], self.zones[to.0 as usize]);
        let (topology, cuts) = (&self.topology, &self.link_cuts);
        let met = || cuts_on_usual_way(topology, cuts, from, to);
        self.effects.extend(&*self.diverted.entry((from, to)).or_insert_with(met));
    }

    /// Something waited to be sent again.
    pub(crate) fn note_late(&mut self, from: MachineId, to: MachineId, since: Nanos, until: Nanos) {
        let index = self.index(from, to);
        self.late[index].note(since, until);
    }

    /// When something was late, by the number of the pair.
    pub(crate) fn late(&self) -> impl Iterator<Item = &Spans> {
        self.late.iter()
    }

    /// The connection is gone, and what is under way on it.
    pub(crate) fn reset(&mut self, from: MachineId, to: MachineId) {
        if let Some(index) = self.pairs.index(from, to) {
            self.paths[index].reset();
        }
    }

    pub(crate) fn cut(&mut self, strike: StrikeId, from: MachineId, to: MachineId) {
        let Some(index) = self.pairs.index(from, to) else { return };
        if !self.paths[index].cuts.contains(&strike) {
            self.paths[index].cuts.push(strike);
        }
    }

    pub(crate) fn spoil(&mut self, strike: StrikeId, from: MachineId, to: MachineId, spoil: Spoil) {
        let Some(index) = self.pairs.index(from, to) else { return };
        if self.paths[index].spoils.iter().all(|(other, _)| *other != strike) {
            self.paths[index].pipes.extend(spoil.bandwidth.map(|bandwidth| (strike, Pipe::new(bandwidth))));
            self.paths[index].spoils.push((strike, Box::new(spoil)));
        }
    }

    /// Takes back what a fault did to paths.
    pub(crate) fn mend(&mut self, strike: StrikeId) {
        for path in &mut self.paths {
            path.cuts.retain(|cut| *cut != strike);
            path.spoils.retain(|(spoil, _)| *spoil != strike);
            path.pipes.retain(|(pipe, _)| *pipe != strike);
        }
    }

    /// Cuts all links of these names.
    pub(crate) fn cut_links(&mut self, strike: StrikeId, names: &[String]) {
        let named = |name: &String| {
            let links = self.topology.named(name);
            assert!(!links.is_empty(), "no link is named {name}: scenarios are checked against their layout");
            links
        };
        let links = names.iter().flat_map(named).collect();
        self.cut_edges(strike, links);
    }

    /// Cuts all links from and to these zones.
    pub(crate) fn cut_zones(&mut self, strike: StrikeId, zones: &[ZoneId]) {
        self.cut_edges(strike, self.topology.touching(zones));
    }

    fn cut_edges(&mut self, strike: StrikeId, links: Vec<EdgeIndex>) {
        self.topology.cut(&links);
        self.link_cuts.push((strike, links));
        self.diverted.clear();
    }

    /// Takes back what a fault did to links.
    pub(crate) fn heal_links(&mut self, strike: StrikeId) {
        let (healed, rest) = std::mem::take(&mut self.link_cuts).into_iter().partition(|(other, _)| *other == strike);
        self.link_cuts = rest;
        let healed: Vec<(StrikeId, Vec<EdgeIndex>)> = healed;
        healed.iter().for_each(|(_, links)| self.topology.heal(links));
        self.diverted.clear();
    }

    /// Median delay between two machines, if a route joins them.
    pub(crate) fn distance(&mut self, from: MachineId, to: MachineId) -> Option<Nanos> {
        self.topology.distance(self.zones[from.0 as usize], self.zones[to.0 as usize])
    }

    pub(crate) fn zone(&self, machine: MachineId) -> &crate::topology::Zone {
        self.topology.zone_at(self.zone_of(machine))
    }

    pub(crate) fn zone_of(&self, machine: MachineId) -> ZoneId {
        self.zones[machine.0 as usize]
    }

    pub(crate) fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Continues with the streams of another future.
    pub(crate) fn rekey(&mut self, streams: Streams) {
        self.streams = streams;
        for dice in self.paths.iter_mut().filter_map(|path| path.dice.as_mut()) {
            dice.rekey(streams);
        }
    }
}

/// A message whose way would lead over a cut link is lost or goes another way: that is these cuts' effect.
fn cuts_on_usual_way(
    topology: &Topology,
    cuts: &[(StrikeId, Vec<EdgeIndex>)],
    from: ZoneId,
    to: ZoneId,
) -> Vec<StrikeId> {
    let usual = topology.usual_links(from, to);
    let meets = |links: &[EdgeIndex]| usual.iter().any(|edge| links.contains(edge));
    cuts.iter().filter(|(_, links)| meets(links)).map(|(strike, _)| *strike).collect()
}

/// The pipes of the topology, and which of them a message goes through.
struct Shared<'a> {
    pipes: &'a mut [Pipe],
    route: &'a [usize],
}

/// A message is through a fault's pipe this much later before that counts as an effect: else every message had one.
const NOTICED: Nanos = MILLISECOND;

/// A message goes through pipes that it shares with others, and through those that faults left of its path.
#[cold]
#[inline(never)]
fn squeezed(
    path: &mut Path,
    shared: Shared<'_>,
    (transport, now, tcp): (Transport, Nanos, Tcp),
    payload: u64,
    effects: &mut Vec<StrikeId>,
) -> Passage {
    let bytes = pipe::with_headers(payload, transport);
    let holds_up = |pipe: &Pipe| {
        pipe.through(bytes, now) - now >= NOTICED || (transport == Transport::Datagram && pipe.is_full(now))
    };
    for (strike, _) in path.pipes.iter().filter(|(_, pipe)| holds_up(pipe)) {
        // The effects of each message are collected before the next: this fault may have done another thing to this one.
        if !effects.contains(strike) {
            effects.push(*strike);
        }
    }
    let own = path.pipes.iter_mut().map(|(_, pipe)| pipe);
    let route = shared.route;
    let shared = shared.pipes.iter_mut().enumerate().filter(|(number, _)| route.contains(number)).map(|(_, pipe)| pipe);
    pipe::pass(own.chain(shared), bytes, transport, now, tcp.reset_after)
}

/// Adds a fault's share to what has befallen a message so far, by luck or by other faults. Whether it is this share that the
/// bits fall into: each message is spoilt in one way by one fault.
fn takes(so_far: &mut u64, share: Ratio, bits: u64) -> bool {
    let before = *so_far;
    *so_far = either([before, share.threshold_32()].into_iter());
    (before..*so_far).contains(&bits)
}

/// Other bits, as good as independent of these: the finalizer of SplitMix64 (Steele, Lea & Flood 2014).
#[inline]
fn scrambled(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn low(bits: u64) -> u64 {
    bits & 0xffff_ffff
}

fn high(bits: u64) -> u64 {
    bits >> 32
}

/// How much later a message arrives because it and perhaps its retransmissions were lost: each loss doubles the wait.
fn retransmission(chance: u64, loss: u64, tcp: Tcp) -> Nanos {
    let mut waited = 0;
    let mut wait = tcp.retransmit_after;
    let mut still_lost = loss;
    while chance < still_lost && waited < tcp.reset_after {
        waited += wait;
        wait *= 2;
        still_lost = ((u128::from(still_lost) * u128::from(loss)) >> 32) as u64;
    }
    waited
}
