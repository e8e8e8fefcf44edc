//! Where machines stand, and what lies between them.
//!
//! A graph (petgraph) of *zones*: machine rooms in which the machines stand. Directed *links* join them, each with its
//! delay, loss and duplication; a zone's link to itself carries the traffic within it. Regions are names for sets of
//! zones, providers for sets of regions. A message takes the cheapest route whose links are live, cheapest by median delay, so cutting the fibre
//! between two regions sends their traffic round by a third, if there is one.

use crate::delay::Delay;
use crate::dice::Ratio;
use crate::fault::Bandwidth;
use crate::time::Nanos;
use petgraph::algo::astar;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::{EdgeFiltered, EdgeRef};

/// A zone of a [`Topology`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ZoneId(pub u32);

/// A machine room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its name, such as `us-east-a`.
    pub name: String,
    /// The region it is in.
    pub region: String,
    /// Who runs it, if that matters.
    pub provider: Option<String>,
}

/// A directed link.
#[derive(Clone, Debug)]
pub struct Link {
    /// By which faults find it, such as `us-east -> us-west`. Several links may share one: what they share is the fibre.
    pub name: String,
    /// How long a message takes.
    pub delay: Delay,
    /// How many are lost.
    pub loss: Ratio,
    /// How many arrive twice.
    pub duplicate: Ratio,
    /// Its pipe, if it has a bandwidth.
    pipe: Option<usize>,
    /// How many faults cut it right now.
    cuts: u32,
}

/// What a message meets on its way from one zone to another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Route {
    /// The delays of its links. All are asked for the same quantile, so that a message costs one draw whatever its route.
    pub(crate) delays: Vec<Delay>,
    /// The chance to be lost on the way, of 2^32.
    pub(crate) loss: u64,
    /// The chance to arrive twice, of 2^32.
    pub(crate) duplicate: u64,
    /// The numbers of the pipes that it goes through.
    pub(crate) pipes: Vec<usize>,
}

/// The graph, and the routes found in it so far.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    graph: DiGraph<Zone, Link>,
    /// What links of one name share, where that has a bandwidth.
    pipes: Vec<(String, Bandwidth)>,
    /// By `from * zones + to`, filled at first use and forgotten when a link is cut or healed.
    routes: Vec<Option<Option<Route>>>,
}

impl Topology {
    /// No zones yet.
    pub fn new() -> Self {
        Topology::default()
    }

    /// Adds a zone; without a link to itself, machines in it cannot talk to each other.
    pub fn zone(&mut self, name: impl Into<String>, region: impl Into<String>) -> ZoneId {
        let index = self.graph.add_node(Zone { name: name.into(), region: region.into(), provider: None });
        self.routes.clear();
        ZoneId(index.index() as u32)
    }

    /// Says who runs a zone.
    pub fn run_by(&mut self, zone: ZoneId, provider: impl Into<String>) {
        self.graph[vertex(zone)].provider = Some(provider.into());
    }

    /// Adds a directed link.
    pub fn link(
        &mut self,
        from: ZoneId,
        to: ZoneId,
        name: impl Into<String>,
        delay: Delay,
        loss: Ratio,
        duplicate: Ratio,
    ) {
        let link = Link { name: name.into(), delay, loss, duplicate, pipe: None, cuts: 0 };
        self.graph.add_edge(vertex(from), vertex(to), link);
        self.routes.clear();
    }

    /// Gives the links of this name a bandwidth, which they share as they share the fibre.
    pub fn limit(&mut self, name: &str, bandwidth: Bandwidth) {
        let pipe = self.pipes.len();
        self.pipes.push((name.to_owned(), bandwidth));
        let links = self.graph.edge_weights_mut().filter(|link| link.name == name);
        links.for_each(|link| link.pipe = Some(pipe));
        self.routes.clear();
    }

    /// The bandwidth of every pipe, by its number.
    pub(crate) fn pipes(&self) -> impl Iterator<Item = Bandwidth> + '_ {
        self.pipes.iter().map(|(_, bandwidth)| *bandwidth)
    }

    /// One zone in which every message takes `delay`.
    pub fn single_zone(delay: Delay) -> (Self, ZoneId) {
        let mut topology = Topology::new();
        let zone = topology.zone("a", "local");
        topology.link(zone, zone, "local", delay, Ratio::ZERO, Ratio::ZERO);
        (topology, zone)
    }

    /// The zone's names.
    pub fn zone_at(&self, zone: ZoneId) -> &Zone {
        &self.graph[vertex(zone)]
    }

    /// Every zone.
    pub fn zones(&self) -> impl Iterator<Item = (ZoneId, &Zone)> + '_ {
        self.graph.node_indices().map(|index| (ZoneId(index.index() as u32), &self.graph[index]))
    }

    /// Every link.
    pub fn links(&self) -> impl Iterator<Item = &Link> + '_ {
        self.graph.edge_weights()
    }

    /// The links of this name.
    pub(crate) fn named(&self, name: &str) -> Vec<EdgeIndex> {
        self.graph.edge_indices().filter(|&edge| self.graph[edge].name == name).collect()
    }

    /// The links that begin or end in these zones.
    pub(crate) fn touching(&self, zones: &[ZoneId]) -> Vec<EdgeIndex> {
        let is_in = |index: NodeIndex| zones.contains(&ZoneId(index.index() as u32));
        let touches = |edge: &EdgeIndex| {
            let (from, to) = self.graph.edge_endpoints(*edge).expect("a link has two ends");
            is_in(from) || is_in(to)
        };
        self.graph.edge_indices().filter(touches).collect()
    }

    /// Cuts these links once more.
    pub(crate) fn cut(&mut self, links: &[EdgeIndex]) {
        links.iter().for_each(|&link| self.graph[link].cuts += 1);
        self.routes.clear();
    }

    /// Takes one cut of these links back.
    pub(crate) fn heal(&mut self, links: &[EdgeIndex]) {
        for &link in links {
            let cuts = &mut self.graph[link].cuts;
            *cuts = cuts.checked_sub(1).expect("a link is healed as often as it was cut");
        }
        self.routes.clear();
    }

    /// The cheapest live route, if there is one.
    pub(crate) fn route(&mut self, from: ZoneId, to: ZoneId) -> Option<&Route> {
        let zones = self.graph.node_count();
        if self.routes.is_empty() {
            self.routes = vec![None; zones * zones];
        }
        let at = from.0 as usize * zones + to.0 as usize;
        if self.routes[at].is_none() {
            self.routes[at] = Some(self.find(from, to));
        }
        self.routes[at].as_ref().and_then(Option::as_ref)
    }

    fn find(&self, from: ZoneId, to: ZoneId) -> Option<Route> {
        self.cheapest(from, to, |link| link.cuts == 0).map(|edges| self.along(&edges))
    }

    /// The links a message would take if no link were cut.
    pub(crate) fn usual_links(&self, from: ZoneId, to: ZoneId) -> Vec<EdgeIndex> {
        self.cheapest(from, to, |_| true).unwrap_or_default()
    }

    /// The cheapest way over links that qualify.
    fn cheapest(&self, from: ZoneId, to: ZoneId, qualifies: fn(&Link) -> bool) -> Option<Vec<EdgeIndex>> {
        let (from, to) = (vertex(from), vertex(to));
        let fastest = |from, to| {
            let links = self.graph.edges_connecting(from, to).filter(|edge| qualifies(edge.weight()));
            links.min_by_key(|edge| (edge.weight().delay.median(), edge.id())).map(|edge| edge.id())
        };
        if from == to {
            return fastest(from, to).map(|edge| vec![edge]);
        }
        let usable = EdgeFiltered::from_fn(&self.graph, |edge| qualifies(edge.weight()));
        let cost = |edge: petgraph::graph::EdgeReference<'_, Link>| edge.weight().delay.median();
        let (_, path) = astar(&usable, from, |at| at == to, cost, |_| 0)?;
        Some(path.windows(2).map(|pair| fastest(pair[0], pair[1]).expect("the route uses such links")).collect())
    }

    fn along(&self, edges: &[EdgeIndex]) -> Route {
        let links = || edges.iter().map(|&edge| &self.graph[edge]);
        Route {
            delays: links().map(|link| link.delay.clone()).collect(),
            loss: either(links().map(|link| link.loss.threshold_32())),
            duplicate: either(links().map(|link| link.duplicate.threshold_32())),
            pipes: links().filter_map(|link| link.pipe).collect(),
        }
    }

    /// Median delay of the cheapest live route; clients use it to find the nearest node.
    pub(crate) fn distance(&mut self, from: ZoneId, to: ZoneId) -> Option<Nanos> {
        self.route(from, to).map(|route| route.delays.iter().map(Delay::median).sum())
    }
}

fn vertex(zone: ZoneId) -> NodeIndex {
    NodeIndex::new(zone.0 as usize)
}

/// The chance (of 2^32) that at least one of several independent things happens.
pub(crate) fn either(chances: impl Iterator<Item = u64>) -> u64 {
    let certain = 1u64 << 32;
    certain - chances.fold(certain, |none, chance| ((u128::from(none) * u128::from(certain - chance)) >> 32) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::MILLISECOND;

    /// Three regions in a row of cost 10, 10, and a direct link of cost 15 between the ends.
    fn triangle() -> (Topology, [ZoneId; 3]) {
        let mut t = Topology::new();
        let zones = ["a", "b", "c"].map(|name| t.zone(name, name));
        for (from, to, ms) in [(0, 1, 10), (1, 2, 10), (0, 2, 15)] {
            for (from, to) in [(from, to), (to, from)] {
                let name = format!("{} -> {}", ["a", "b", "c"][from], ["a", "b", "c"][to]);
                t.link(zones[from], zones[to], name, Delay::Fixed(ms * MILLISECOND), Ratio::new(1, 10), Ratio::ZERO);
            }
        }
        (t, zones)
    }

    fn cut(t: &mut Topology, name: &str) {
        t.cut(&t.named(name));
    }

    #[test]
    fn a_message_takes_the_cheapest_live_route() {
        let (mut t, [a, b, c]) = triangle();
        assert_eq!(t.distance(a, c), Some(15 * MILLISECOND));
        cut(&mut t, "a -> c");
        assert_eq!(t.distance(a, c), Some(20 * MILLISECOND), "round by b");
        assert_eq!(t.distance(c, a), Some(15 * MILLISECOND), "the way back is another link");
        cut(&mut t, "a -> b");
        assert_eq!(t.distance(a, c), None);
        cut(&mut t, "a -> b");
        t.heal(&t.named("a -> b"));
        assert_eq!(t.distance(a, b), None, "cut twice, healed once");
        t.heal(&t.named("a -> b"));
        assert_eq!(t.distance(a, c), Some(20 * MILLISECOND));
        assert_eq!(t.distance(a, a), None, "nothing joins a with itself here");
    }

    #[test]
    fn a_zone_that_is_gone_relays_nothing() {
        let (mut t, [a, b, c]) = triangle();
        cut(&mut t, "a -> c");
        assert_eq!(t.touching(&[b]).len(), 4, "two ways to each of two");
        t.cut(&t.touching(&[b]));
        assert_eq!((t.distance(a, c), t.distance(c, a), t.distance(c, b)), (None, Some(15 * MILLISECOND), None));
        t.heal(&t.touching(&[b]));
        assert_eq!(t.distance(a, c), Some(20 * MILLISECOND));
    }

    #[test]
    fn losses_add_up_along_a_route() {
        let (mut t, [a, _, c]) = triangle();
        cut(&mut t, "a -> c");
        let loss = t.route(a, c).expect("a route").loss;
        let expected = (1u64 << 32) * 19 / 100;
        assert!(loss.abs_diff(expected) < 4, "1 - 0.9 * 0.9 = 0.19, got {loss} of 2^32");
    }
}
