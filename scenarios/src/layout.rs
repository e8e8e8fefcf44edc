//! Where machines can stand, and what lies between: zones in regions, and directed links between any two zones.

use crate::scenario::DelaySpec;
use sim_core::dice::Ratio;
use sim_core::fault::{Bandwidth, PlaceKind};

/// A layout, every link spelt out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The preset it comes from, if it is one.
    pub preset: Option<&'static str>,
    /// The zones; others name them by their number here.
    pub zones: Vec<Zone>,
    /// A link from every zone to every zone, itself included; first by `from`, then by `to`.
    pub links: Vec<Link>,
}

/// A machine room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Such as `us-east-a`; just `a` if there is only one region.
    pub name: String,
    /// Such as `us-east`.
    pub region: String,
    /// Who runs it, if the layout says so.
    pub provider: Option<String>,
}

impl Zone {
    /// The place of this kind that it is or is in.
    pub fn place(&self, kind: PlaceKind) -> Option<&str> {
        match kind {
            PlaceKind::Zones => Some(&self.name),
            PlaceKind::Regions => Some(&self.region),
            PlaceKind::Providers => self.provider.as_deref(),
        }
    }
}

/// A directed link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The number of the zone it leaves.
    pub from: usize,
    /// The number of the zone it reaches.
    pub to: usize,
    /// By which faults find it. All links from one region to another share a name, `us-east -> us-west`, as they share
    /// the fibre (unless the file describes the link between two zones); within a region it is `a -> b`.
    pub name: String,
    /// How long a message takes.
    pub delay: DelaySpec,
    /// How many are lost.
    pub loss: Ratio,
    /// How many arrive twice.
    pub duplicate: Ratio,
    /// How much passes; links of one name share it.
    pub bandwidth: Option<Bandwidth>,
}

impl Layout {
    /// The numbers of the zones that a name stands for: one zone, or all of a region; none if it is neither.
    pub fn zones_of(&self, place: &str) -> Vec<usize> {
        let named = |zone: &Zone| zone.name == place;
        match self.zones.iter().position(named) {
            Some(zone) => vec![zone],
            None => (0..self.zones.len()).filter(|&zone| self.zones[zone].region == place).collect(),
        }
    }

    /// The names of the regions, each once.
    pub fn regions(&self) -> Vec<&str> {
        self.named(PlaceKind::Regions)
    }

    /// The names of all places of a kind, each once.
    pub fn named(&self, kind: PlaceKind) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.zones.iter().filter_map(|zone| zone.place(kind)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The names of everything that a machine can stand in.
    pub(crate) fn places(&self) -> Vec<&str> {
        let mut places = self.regions();
        places.extend(self.zones.iter().map(|zone| zone.name.as_str()));
        places
    }

    /// Whether some link has this name.
    pub fn has_link(&self, name: &str) -> bool {
        self.links.iter().any(|link| link.name == name)
    }
}

/// A layout with a name, written as a scenario would write it.
#[derive(Debug)]
pub struct Preset {
    /// As `[cluster] layout` writes it.
    pub name: &'static str,
    /// What it is like.
    pub about: &'static str,
    /// What would stand in `[layout]`.
    pub text: &'static str,
}

/// The presets, the default first. One-way delays.
pub static PRESETS: &[Preset] = &[
    Preset {
        name: "small-lan",
        about: "One room, well below a millisecond.",
        text: r#"
            regions = { local = { zones = ["a"] } }
            links = { same-zone = { dist = "lognormal", median = "200us", p99 = "800us" } }
        "#,
    },
    Preset {
        name: "three-zones",
        about: "One region with three zones, a millisecond apart.",
        text: r#"
            regions = { local = { zones = ["a", "b", "c"] } }
            [links]
            same-zone = { dist = "lognormal", median = "200us", p99 = "800us" }
            same-region = { dist = "lognormal", median = "700us", p99 = "2ms" }
        "#,
    },
    Preset {
        name: "two-clouds",
        about: "Two providers next to each other, three zones and two.",
        text: r#"
            [regions]
            north = { zones = ["a", "b", "c"], provider = "alder" }
            south = { zones = ["a", "b"], provider = "birch" }
            [links]
            same-zone = { dist = "lognormal", median = "200us", p99 = "800us" }
            same-region = { dist = "lognormal", median = "700us", p99 = "2ms" }
            "north <-> south" = { dist = "lognormal", median = "2500us", p99 = "8ms" }
        "#,
    },
    Preset {
        name: "three-regions",
        about: "The two coasts of North America and Europe, a zone in each.",
        text: r#"
            [regions]
            us-east = { zones = ["a"] }
            us-west = { zones = ["a"] }
            eu-west = { zones = ["a"] }
            [links]
            same-zone = { dist = "lognormal", median = "200us", p99 = "800us" }
            "us-east <-> us-west" = { dist = "lognormal", median = "31ms", p99 = "45ms" }
            "us-east <-> eu-west" = { dist = "lognormal", median = "38ms", p99 = "60ms" }
            "us-west <-> eu-west" = { dist = "lognormal", median = "68ms", p99 = "95ms" }
        "#,
    },
];
