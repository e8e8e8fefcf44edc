//! What faults do to the network: shapes of cuts, spoilt links, messages picked out, places that are gone.

use crate::delay::Delay;
use crate::dice::{Dice, Ratio};
use crate::time::{Nanos, SECOND};
use std::fmt;

/// A way to cut nodes off from each other in which some hear others that do not hear each other. Positions count from 0
/// in an order of the nodes that each strike draws, or that the fault fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Two halves, which only the first node joins.
    Bridge,
    /// Everybody hears the first node, and nobody else.
    Star,
    /// A line: each hears its neighbours.
    Chain,
    /// A circle: each hears a bare majority, itself included, those that stand around it; no two the same one. If that is an
    /// even number of nodes, one more of those that stand before it than behind, so that not all cuts are both ways.
    Ring,
}

impl Shape {
    /// All of them.
    pub const ALL: [Shape; 4] = [Shape::Bridge, Shape::Star, Shape::Chain, Shape::Ring];

    /// Its name in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Bridge => "bridge",
            Shape::Star => "star",
            Shape::Chain => "chain",
            Shape::Ring => "ring",
        }
    }

    /// Whether, of `nodes`, the one at position `to` hears the other at `from`.
    pub fn hears(self, nodes: usize, to: usize, from: usize) -> bool {
        let half = |position: usize| position <= (nodes - 1) / 2;
        match self {
            Shape::Bridge => to == 0 || from == 0 || half(to) == half(from),
            Shape::Star => to == 0 || from == 0,
            Shape::Chain => to.abs_diff(from) == 1,
            Shape::Ring => {
                let others = nodes / 2;
                let (before, behind) = (others.div_ceil(2), others / 2);
                let back = (to + nodes - from) % nodes;
                back <= before || nodes - back <= behind
            }
        }
    }

    /// Whether, of so many, every node exchanges messages with a majority (itself included), or with a node that does.
    pub fn leaves_majorities(self, nodes: usize) -> bool {
        let both = |a: usize, b: usize| a == b || (self.hears(nodes, a, b) && self.hears(nodes, b, a));
        let has_majority = |node: usize| (0..nodes).filter(|&other| both(node, other)).count() * 2 > nodes;
        (0..nodes).all(|node| (0..nodes).any(|other| both(node, other) && has_majority(other)))
    }

    /// Whether some cut is of one way only.
    pub fn is_one_way(self, nodes: usize) -> bool {
        let differs = |a: usize, b: usize| a != b && self.hears(nodes, a, b) != self.hears(nodes, b, a);
        (0..nodes).any(|a| (0..a).any(|b| differs(a, b)))
    }

    /// The nodes of this order, as reports show who hears whom.
    pub fn drawn(self, order: &[String]) -> String {
        let Some((first, rest)) = order.split_first() else { return "nobody".to_owned() };
        match self {
            Shape::Bridge => {
                let (one, other) = rest.split_at(rest.len() / 2);
                format!("{} - {first} - {}", one.join(" "), other.join(" "))
            }
            Shape::Star => format!("{first} - {}", rest.join(" | ")),
            Shape::Chain => order.join(" - "),
            Shape::Ring => format!("{} - {first}", order.join(" - ")),
        }
    }
}

/// While it lasts, a fault of the network comes and goes. It begins with being there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flap {
    /// How long the network is whole in between: drawn between the two (included) each time.
    pub up: (Nanos, Nanos),
    /// How long it is not, likewise.
    pub down: (Nanos, Nanos),
}

impl Flap {
    /// How long until it changes again.
    pub(crate) fn next(&self, is_down: bool, dice: &mut Dice) -> Nanos {
        let (min, max) = if is_down { self.down } else { self.up };
        dice.between(min, max)
    }
}

/// What a fault does to the messages between two machines. `D` is how delays are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoil<D = Delay> {
    /// Added to every message.
    pub delay: D,
    /// Lost, in addition to what the link loses anyway.
    pub loss: Ratio,
    /// Damaged on the way: a checksum tells, and the message is dropped.
    pub corrupt: Ratio,
    /// Doubled, likewise (datagrams only).
    pub duplicate: Ratio,
    /// How much later than usual the second copy comes.
    pub duplicate_after: D,
    /// Held up, so that later ones overtake them (datagrams only).
    pub reorder: Ratio,
    /// For how long.
    pub reorder_by: D,
    /// How much passes from one machine to another.
    pub bandwidth: Option<Bandwidth>,
    /// To messages of these kinds ([`crate::wire::kind`]) only, but for the bandwidth; to all if there are none.
    pub kinds: Vec<String>,
}

impl Spoil {
    /// Does no harm.
    pub const NONE: Spoil = Spoil {
        delay: Delay::NONE,
        loss: Ratio::ZERO,
        corrupt: Ratio::ZERO,
        duplicate: Ratio::ZERO,
        duplicate_after: Delay::NONE,
        reorder: Ratio::ZERO,
        reorder_by: Delay::NONE,
        bandwidth: None,
        kinds: Vec::new(),
    };

    /// Whether it is meant for a message of this kind, which is asked for only where it matters.
    pub(crate) fn means(&self, kind: impl FnOnce() -> &'static str) -> bool {
        if self.kinds.is_empty() {
            return true;
        }
        let kind = kind();
        self.kinds.iter().any(|wanted| wanted == kind)
    }
}

impl<D> Spoil<D> {
    /// The same, with its delays given in another way.
    pub fn with_delays<E>(self, convert: impl Fn(D) -> E) -> Spoil<E> {
        let Spoil { delay, loss, corrupt, duplicate, duplicate_after, reorder, reorder_by, bandwidth, kinds } = self;
        let [delay, duplicate_after, reorder_by] = [delay, duplicate_after, reorder_by].map(convert);
        Spoil { delay, loss, corrupt, duplicate, duplicate_after, reorder, reorder_by, bandwidth, kinds }
    }

    /// Whether nothing gets through, however often it is sent again.
    pub fn is_cut(&self) -> bool {
        [self.loss, self.corrupt].into_iter().any(|share| share.numerator >= share.denominator)
    }
}

/// How much passes in a second, and how much may wait for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// Bytes in a second. Not 0.
    pub bytes_per_second: u64,
    /// In bytes. A datagram that finds more than this waiting, itself included, is dropped. The sender of a stream slows
    /// down instead: what it has to say waits, in order.
    pub queue: u64,
}

impl Bandwidth {
    /// How long so many bytes take.
    pub(crate) fn takes(self, bytes: u64) -> Nanos {
        let nanos = u128::from(bytes) * u128::from(SECOND) / u128::from(self.bytes_per_second);
        u64::try_from(nanos).unwrap_or(Nanos::MAX)
    }
}

/// Which messages are dropped, of those between two sets of machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Of these kinds ([`crate::wire::kind`]) only; of all kinds if there are none.
    pub kinds: Vec<String>,
    /// This share of them, each by lot.
    pub share: Ratio,
    /// No more than so many.
    pub count: Option<u64>,
}

/// Some places, by name or by lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A zone.
    Zone(String),
    /// A region.
    Region(String),
    /// Everything of one provider.
    Provider(String),
    /// So many places of this kind, drawn among those in which nodes stand.
    Drawn(u32, PlaceKind),
}

/// Kinds of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceKind {
    /// Machine rooms.
    Zones,
    /// What zones are in.
    Regions,
    /// Who runs regions.
    Providers,
}

impl PlaceKind {
    /// As scenario files write it after `one of`.
    pub fn name(self) -> &'static str {
        match self {
            PlaceKind::Zones => "zones",
            PlaceKind::Regions => "regions",
            PlaceKind::Providers => "providers",
        }
    }
}

impl Place {
    /// The place of this kind and name.
    pub(crate) fn named(kind: PlaceKind, name: String) -> Self {
        match kind {
            PlaceKind::Zones => Place::Zone(name),
            PlaceKind::Regions => Place::Region(name),
            PlaceKind::Providers => Place::Provider(name),
        }
    }

    /// Its name without its kind; of places to be drawn, what is to be drawn.
    pub(crate) fn name(&self) -> String {
        match self {
            Place::Zone(name) | Place::Region(name) | Place::Provider(name) => name.clone(),
            Place::Drawn(..) => self.to_string(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Zone(name) => write!(f, "zone:{name}"),
            Place::Region(name) => write!(f, "region:{name}"),
            Place::Provider(name) => write!(f, "provider:{name}"),
            Place::Drawn(1, kind) => write!(f, "one of {}", kind.name()),
            Place::Drawn(count, kind) => write!(f, "{count} of {}", kind.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who hears whom, a line for each node: `.` is nobody.
    fn heard(shape: Shape, nodes: usize) -> Vec<String> {
        let hears = |to: usize, from: usize| to != from && shape.hears(nodes, to, from);
        let mark = |to, from| if hears(to, from) { char::from(b'0' + from as u8) } else { '.' };
        (0..nodes).map(|to| (0..nodes).map(|from| mark(to, from)).collect()).collect()
    }

    #[test]
    fn a_bridge_joins_two_halves() {
        assert_eq!(heard(Shape::Bridge, 5), [".1234", "0.2..", "01...", "0...4", "0..3."]);
        assert_eq!(heard(Shape::Bridge, 4), [".123", "0...", "0..3", "0.2."]);
    }

    #[test]
    fn in_a_star_everybody_hears_the_first_and_in_a_chain_its_neighbours() {
        assert_eq!(heard(Shape::Star, 4), [".123", "0...", "0...", "0..."]);
        assert_eq!(heard(Shape::Chain, 4), [".1..", "0.2.", ".1.3", "..2."]);
    }

    #[test]
    fn in_a_ring_each_hears_a_majority_and_no_two_the_same_one() {
        assert_eq!(heard(Shape::Ring, 5), [".1..4", "0.2..", ".1.3.", "..2.4", "0..3."]);
        assert_eq!(heard(Shape::Ring, 3), ["..2", "0..", ".1."], "two of three: each hears the one before it");
        for nodes in 3..20 {
            let mut majorities: Vec<Vec<usize>> = Vec::new();
            for to in 0..nodes {
                let heard = (0..nodes).filter(|&from| to == from || Shape::Ring.hears(nodes, to, from));
                majorities.push(heard.collect());
            }
            assert!(majorities.iter().all(|heard| heard.len() == nodes / 2 + 1), "{nodes}: {majorities:?}");
            majorities.sort();
            majorities.dedup();
            assert_eq!(majorities.len(), nodes);
        }
    }

    #[test]
    fn shapes_know_what_they_leave() {
        let of = |nodes| Shape::ALL.map(|shape| (shape.leaves_majorities(nodes), shape.is_one_way(nodes)));
        let [whole, broken, one_way] = [(true, false), (false, false), (false, true)];
        assert_eq!(of(3), [whole, whole, whole, one_way]);
        assert_eq!(of(5), [whole; 4]);
        assert_eq!(of(6), [whole, whole, broken, one_way]);
    }

    #[test]
    fn bytes_take_their_time() {
        let bandwidth = Bandwidth { bytes_per_second: 1_000_000, queue: 0 };
        assert_eq!((bandwidth.takes(1), bandwidth.takes(1500)), (1000, 1_500_000));
        assert_eq!(Bandwidth { bytes_per_second: 1, queue: 0 }.takes(u64::MAX), Nanos::MAX);
    }
}
