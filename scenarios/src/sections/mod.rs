//! Every key that a scenario file can hold: its kind, its default and a sentence about it.
//!
//! These tables are the manual and the parser's only list of keys. A protocol adds its own below `[protocol]`
//! ([`crate::systems::System::keys`]). What a key takes is what it takes once the seed has decided: before, the file may say
//! `{ choose = [..] }` or `{ draw = ".." }` of it.

mod faults;
mod nemesis;
mod network;

pub use faults::*;
pub use nemesis::*;
pub use network::*;

use crate::text::entry::{Absent, Entry, Listed, Section, Takes};
use sim_core::settings::Kind;
use sim_core::time::{HOUR, MILLISECOND, Nanos};

/// No run is longer: 41 days.
const RUN_MAX: Nanos = 1000 * HOUR;
/// No delay is longer.
pub(crate) const DELAY_MAX: Nanos = 24 * HOUR;
/// More strikes of one fault are no longer a scenario.
pub(crate) const STRIKES_MAX: u64 = 10_000;

const LENGTH: Takes = Takes::Setting(Kind::Duration { min: MILLISECOND, max: RUN_MAX });
const WAIT: Takes = Takes::Setting(Kind::Duration { min: 0, max: RUN_MAX });
const MOMENTS: Takes = Takes::Setting(Kind::DurationRange { min: 0, max: RUN_MAX });
const LENGTHS: Takes = Takes::Setting(Kind::DurationRange { min: 1, max: RUN_MAX });
const DELAY: Takes = Takes::Setting(Kind::Duration { min: 0, max: DELAY_MAX });
const FLAG: Takes = Takes::Setting(Kind::Flag);

const fn count(min: u64, max: u64) -> Takes {
    Takes::Setting(Kind::Count { min, max })
}

const fn word(words: &'static [&'static str]) -> Takes {
    Takes::Setting(Kind::Word(words))
}

const fn needs(name: &'static str, takes: Takes, text: &'static str) -> Entry {
    Entry { name, takes, absent: Absent::Error, text, example: None }
}

const fn with(name: &'static str, takes: Takes, default: &'static str, text: &'static str) -> Entry {
    Entry { name, takes, absent: Absent::Is(default), text, example: None }
}

const fn may(name: &'static str, takes: Takes, means: &'static str, text: &'static str) -> Entry {
    Entry { name, takes, absent: Absent::Means(means), text, example: None }
}

/// What stands above the first header.
pub static TOP: Section = Section {
    title: "the scenario",
    text: "What is simulated, for how long.",
    example: "",
    parts: &[&[
        needs("scenario", count(0, u64::MAX), "The format of the file; this version reads 1.").eg("1"),
        may("name", Takes::Text, "the name of the file", "What lists and reports call it.").eg(r#""leader-partition""#),
        may("about", Takes::Text, "nothing", "What one learns from it, in a sentence.")
            .eg(r#""Cut the leader off for 10 s. Nothing may be lost.""#),
        needs("duration", LENGTH, "How long the load and the faults last.").eg(r#""60s""#),
        with("settle", WAIT, "10s", "Then: heal everything, start nothing new, read back what survived."),
        with("seed", count(0, u64::MAX), "1", "The seed where the command line gives none."),
        may("cluster", Takes::Table(&CLUSTER), "three nodes in one room", "The machines."),
        may("layout", Takes::Table(&LAYOUT), "the preset in `[cluster] layout`", "A layout of one's own."),
        needs("protocol", Takes::Table(&PROTOCOL), "The system under test."),
        may("load", Takes::Tables(&[&LOAD]), "no clients", "Groups of clients and what they ask for."),
        may("fault", Takes::Tables(FAULTS), "no faults", "What goes wrong, when."),
        may("nemesis", Takes::Table(&NEMESIS), "no further faults", "Faults that each seed draws for itself."),
        may("expect", Takes::Table(&EXPECT), "the protocol's own laws", "What the run is judged by."),
        may("sweep", Takes::Table(&SWEEP), "what the command line says", "How `sweep` runs it."),
    ]],
};

/// `[cluster]`.
pub static CLUSTER: Section = Section {
    title: "[cluster]",
    text: "The machines: how many, where, how good.",
    example: r#"nodes = 5
layout = "three-zones"
disk = { fsync = "500us..2ms" }"#,
    parts: &[&[
        may("nodes", count(1, 1000), "the sum of `place`, else 3", "How many nodes.").eg("5"),
        may(
            "layout",
            Takes::Name(Listed::Layouts),
            "[layout.regions] if there is one, else small-lan",
            "Where nodes stand: a preset.",
        )
        .eg(r#""three-regions""#),
        may("place", Takes::Counts, "one zone after the other", "How many nodes stand in each region or zone.")
            .eg("{ us-east = 2, us-west = 2, eu-west = 1 }"),
        may("clock", Takes::Table(&CLOCK), "clocks are right", "How wrong the nodes' clocks are.")
            .eg(r#"{ drift = "200ppm", offset = "-50ms..50ms" }"#),
        may("disk", Takes::Table(&DISK), "as its keys say", "How fast the nodes' disks are.")
            .eg(r#"{ fsync = "500us..2ms" }"#),
        with("cpu", Takes::Delay, "10us", "How long a node works on one message."),
    ]],
};

/// `clock = { .. }`.
pub static CLOCK: Section = Section {
    title: "`clock`",
    text: "How wrong clocks are; every node draws its own error.",
    example: "",
    parts: &[&[
        with("drift", Takes::Share, "0ppm", "Each clock's rate is wrong by up to this share, either way.")
            .eg(r#""200ppm""#),
        with("offset", Takes::Offset, "0ms..0ms", "Each clock begins this far off.").eg(r#""-50ms..50ms""#),
    ]],
};

/// `disk = { .. }`.
pub static DISK: Section = Section {
    title: "`disk`",
    text: "How fast disks are.",
    example: "",
    parts: &[&[with("fsync", Takes::Delay, "500us..2ms", "How long until written records are safe.")]],
};

/// `[layout]`.
pub static LAYOUT: Section = Section {
    title: "[layout]",
    text: "A layout of one's own, instead of a preset.",
    example: r#"regions = { us-east = { zones = ["a", "b"] }, eu-west = { zones = ["a"] } }
links = { same-zone = "250us", same-region = "1ms", "us-east <-> eu-west" = "38ms..60ms" }"#,
    parts: &[&[
        needs(
            "regions",
            Takes::Named(&REGION),
            "The regions and the zones in each: us-east = { zones = [\"a\", \"b\"] }.",
        )
        .eg(r#"{ us-east = { zones = ["a", "b"] }, eu-west = { zones = ["a"] } }"#),
        needs(
            "links",
            Takes::Links,
            "How long messages take: `same-zone`, `same-region`, \"a <-> b\" for both ways, \"a -> b\" for one.",
        )
        .eg(r#"{ same-zone = "250us", same-region = "1ms", "us-east <-> eu-west" = "38ms..60ms" }"#),
    ]],
};

/// One of `[layout.regions]`.
pub static REGION: Section = Section {
    title: "a region",
    text: "A region is a name for some zones.",
    example: "",
    parts: &[&[
        needs("zones", Takes::Texts, "Its zones; elsewhere `a` in `us-east` is called `us-east-a`.")
            .eg(r#"["a", "b"]"#),
        may("provider", Takes::Text, "nobody's", "Who runs it: `outage` faults can strike all that a provider runs.")
            .eg(r#""north""#),
    ]],
};

/// `[protocol]`; the system's own keys are added to it.
pub static PROTOCOL: Section = Section {
    title: "[protocol]",
    text: "The system under test and its settings.",
    example: "",
    parts: &[&[
        needs("name", Takes::Name(Listed::Systems), "Which system."),
        may(
            "flaws",
            Takes::Names(Listed::Flaws),
            "none",
            "Historically real mistakes to switch on, to see the checks bite.",
        ),
    ]],
};

/// `[[load]]`.
pub static LOAD: Section = Section {
    title: "[[load]]",
    text: "A group of clients and what they ask for.",
    example: r#"clients = 15
model = { closed = { think = "20ms" } }
timeout = "1s""#,
    parts: &[&[
        may("name", Takes::Text, "load, load-2, ..", "Its own name: its clients' random numbers are drawn by it.")
            .eg(r#""readers""#),
        may("data", Takes::Name(Listed::Data), "the first that the system offers", "The kind of data."),
        with("clients", Takes::CountOr(&CLIENTS), "5", "How many clients.").eg("15"),
        may("model", Takes::Table(&MODEL), "closed, think = 10ms", "When the next operation begins.")
            .eg(r#"{ open = { rate = "300/s" } }"#),
        may("ops", Takes::Counts, "read = 50, write = 50", "How often each function of the data is asked for.")
            .eg("{ read = 70, write = 30 }"),
        may("keys", Takes::Table(&KEYS), "as its keys say", "Which keys, for data that has keys.")
            .eg(r#"{ count = 50, dist = "zipf" }"#),
        may(
            "script",
            Takes::Texts,
            "as `model`, `ops` and `keys` say",
            "Instead of these three: who asks for what and when, in the order of time. Nobody waits for an answer before he \
             asks again.",
        )
        .eg(r#"["c1 at 1.2s: write k3 17", "c2 at 1.31s: read k3", "c1 at 1.4s: cas k3 17 18"]"#),
        with("timeout", LENGTH, "1s", "How long a client waits for an operation before it gives up."),
        may("retry", LENGTH, "a quarter of `timeout`", "How long it waits for one answer before it asks again.")
            .eg(r#""250ms""#),
        with("at", WAIT, "0", "When it begins.").eg(r#""5s""#),
        may("for", LENGTH, "to the end of `duration`", "How long it lasts.").eg(r#""30s""#),
        CHANCE,
    ]],
};

/// How many clients a load can have.
pub(crate) const CLIENT_COUNT: Kind = Kind::Count { min: 1, max: 10_000 };

/// `clients = { .. }`.
pub static CLIENTS: Section = Section {
    title: "`clients`",
    text: "How many clients, and where.",
    example: "",
    parts: &[&[
        needs("count", Takes::Setting(CLIENT_COUNT), "How many.").eg("15"),
        may("place", Takes::Text, "one zone after the other", "The region or zone they stand in.").eg(r#""us-east""#),
    ]],
};

/// `model = { .. }`.
pub static MODEL: Section = Section {
    title: "`model`",
    text: "When the next operation begins: `closed` or `open`.",
    example: "",
    parts: &[&[
        may("closed", Takes::Table(&CLOSED), "not so", "Each client asks again when it was answered and has thought.")
            .eg(r#"{ think = "20ms" }"#),
        may("open", Takes::Table(&OPEN), "not so", "Operations begin at a rate, answered or not.")
            .eg(r#"{ rate = "300/s", arrivals = "poisson" }"#),
    ]],
};

/// `closed = { .. }`.
pub static CLOSED: Section = Section {
    title: "`closed`",
    text: "Clients that wait for their answers.",
    example: "",
    parts: &[&[with("think", Takes::Delay, "10ms", "How long a client thinks after an answer.")]],
};

/// `open = { .. }`.
pub static OPEN: Section = Section {
    title: "`open`",
    text: "Clients that do not wait.",
    example: "",
    parts: &[&[
        needs("rate", Takes::Rate, "How many operations all clients of the load begin together."),
        with("arrivals", word(&["constant", "poisson"]), "poisson", "At equal distances, or by chance."),
    ]],
};

/// `keys = { .. }`.
pub static KEYS: Section = Section {
    title: "`keys`",
    text: "How keys are chosen.",
    example: "",
    parts: &[&[
        with("count", count(1, 1_000_000), "10", "How many keys."),
        with("dist", word(&["uniform", "zipf"]), "uniform", "All alike, or some much more often than others.")
            .eg(r#""zipf""#),
        may("skew", Takes::Decimal, "0.99 for zipf", "How much more often: the k-th key has the weight 1 / k^skew."),
    ]],
};

const CHANCE: Entry =
    may("chance", Takes::Share, "it always exists", "It exists in this share of seeds.").eg(r#""50%""#);

/// `[expect]`.
pub static EXPECT: Section = Section {
    title: "[expect]",
    text: "What the run is judged by.",
    example: r#"must = ["linearizable", "no lost writes"]
should = ["recovery <= 2s"]
reach = ["operations >= 500"]"#,
    parts: &[&[
        may("must", Takes::Names(Listed::Checks), "nothing", "What has to hold.")
            .eg(r#"["linearizable", "no lost writes"]"#),
        may("should", Takes::Names(Listed::Checks), "nothing", "What is reported, and fails nothing.")
            .eg(r#"["recovery <= 2s", "p99 <= 400ms"]"#),
        may(
            "reach",
            Takes::Names(Listed::Goals),
            "nothing",
            "What has to happen for the run to count: else it is VACUOUS.",
        )
        .eg(r#"["operations >= 500"]"#),
        may("shows", Takes::Texts, "nothing", "The checks that the scenario is made to violate.")
            .eg(r#"["linearizable"]"#),
    ]],
};

/// `[sweep]`.
pub static SWEEP: Section = Section {
    title: "[sweep]",
    text: "How `sweep` runs the scenario.",
    example: "seeds = 1000\nmatrix = { \"cluster.nodes\" = [3, 5] }",
    parts: &[&[
        may("seeds", count(1, u64::MAX), "1000", "How many seeds, from 0, if the command line does not say.")
            .eg("1000"),
        may(
            "matrix",
            Takes::Matrix,
            "the file as it is",
            "Variants: every combination of these values, by keys as `--set` takes them.",
        )
        .eg(r#"{ "cluster.nodes" = [3, 5] }"#),
        may(
            "exclude",
            Takes::Combinations,
            "nothing",
            "Combinations of the matrix to leave out: those that match all of some keys.",
        )
        .eg(r#"[{ "cluster.nodes" = 5 }]"#),
        may("stop-after", Takes::Table(&STOP_AFTER), "all seeds are run", "When to end before all is run.")
            .eg(r#"{ failures = 20, time = "10m" }"#),
    ]],
};

/// `stop-after = { .. }`.
pub static STOP_AFTER: Section = Section {
    title: "`stop-after`",
    text: "When a sweep ends before all is run.",
    example: "",
    parts: &[&[
        may("failures", count(1, u64::MAX), "no limit", "After so many runs that fail.").eg("20"),
        may("time", LENGTH, "no limit", "After so long, on the clock on the wall.").eg(r#""10m""#),
    ]],
};

const DIST: Entry = needs("dist", word(&["uniform", "exp", "lognormal", "pareto"]), "Its shape.");

/// A delay as a table, with `dist = "uniform"`.
pub static UNIFORM: Section = Section {
    title: "a `uniform` delay",
    text: "Every delay between two is as likely as any other.",
    example: r#"dist = "uniform"
min = "1ms"
max = "10ms""#,
    parts: &[&[
        DIST,
        needs("min", DELAY, "The shortest.").eg(r#""1ms""#),
        needs("max", DELAY, "The longest.").eg(r#""10ms""#),
    ]],
};

/// A delay as a table, with `dist = "exp"`.
pub static EXP: Section = Section {
    title: "an `exp` delay",
    text: "Exponential: as the time between two events that know nothing of each other.",
    example: r#"dist = "exp"
mean = "5ms""#,
    parts: &[&[DIST, needs("mean", DELAY, "Their average.").eg(r#""5ms""#)]],
};

/// A delay as a table, with `dist = "lognormal"`.
pub static LOGNORMAL: Section = Section {
    title: "a `lognormal` delay",
    text: "Most are near the median, few are much longer: what networks do.",
    example: r#"dist = "lognormal"
median = "31ms"
p99 = "45ms""#,
    parts: &[&[
        DIST,
        needs("median", DELAY, "Half are shorter.").eg(r#""31ms""#),
        needs("p99", DELAY, "99 of 100 are shorter.").eg(r#""45ms""#),
    ]],
};

/// A delay as a table, with `dist = "pareto"`.
pub static PARETO: Section = Section {
    title: "a `pareto` delay",
    text: "A fat tail: of those twice as long there are fewer by one and the same factor. What was measured of stores is often a \
           part of this and an exponential rest (Bailis et al. 2012).",
    example: r#"dist = "pareto"
min = "1.05ms"
shape = 1.51
share = "38%"
mean = "5.5ms""#,
    parts: &[&[
        DIST,
        needs("min", DELAY, "The shortest of the tail.").eg(r#""1.05ms""#),
        needs("shape", Takes::Decimal, "How thin the tail is: the share above x falls as 1 / x^shape.").eg("1.51"),
        with("share", Takes::Share, "100%", "How many are of this tail; the rest is exponential.").eg(r#""38%""#),
        may("mean", DELAY, "no rest", "The average of the exponential rest.").eg(r#""5.5ms""#),
    ]],
};

/// A link as a table without `dist`.
pub static PLAIN_LINK: Section = Section {
    title: "a link",
    text: "A link of any delay.",
    example: "",
    parts: &[&[needs("delay", Takes::Delay, "How long a message takes.").eg(r#""38ms..60ms""#)]],
};

/// What a link's table takes beside its delay.
pub static LINK_LOSSES: &[Entry] = &[
    with("loss", Takes::Share, "0%", "The share that is lost.").eg(r#""1%""#),
    with("duplicate", Takes::Share, "0%", "The share that arrives twice.").eg(r#""1%""#),
    LINK_BANDWIDTH[0],
    LINK_BANDWIDTH[1],
];

/// Every section with a header of its own.
fn headers() -> impl Iterator<Item = &'static Section> {
    let others = [&TOP, &CLUSTER, &LAYOUT, &PROTOCOL, &LOAD, &NEMESIS, &EXPECT, &SWEEP];
    others.into_iter().chain(FAULTS.iter().copied())
}

/// The sections with a header of their own that take this key.
pub(crate) fn homes(key: &str) -> Vec<&'static Section> {
    headers().filter(|section| section.entry(key).is_some()).collect()
}

/// Whether this is the title of a kind of fault.
pub(crate) fn is_fault(title: &str) -> bool {
    FAULTS.iter().any(|section| section.title == title)
}

/// How to bring a top-level key back to the top level.
pub(crate) fn cure_for_top_level(key: &str) -> String {
    match TOP.entry(key).map(|entry| entry.takes) {
        Some(Takes::Table(_)) => format!("give it a header of its own, [{key}]"),
        Some(Takes::Tables(_)) => format!("give each a header of its own, [[{key}]]"),
        _ => "move it above the first [header]".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `do` takes is what there are sections for.
    #[test]
    fn every_kind_of_fault_has_a_section() {
        let Takes::Setting(Kind::Word(words)) = PARTITION.entry("do").expect("a fault does something").takes else {
            panic!("`do` takes a word")
        };
        assert_eq!(FAULTS.iter().map(|fault| fault_name(fault)).collect::<Vec<_>>(), words);
    }

    #[test]
    fn no_key_stands_twice_in_a_section() {
        for section in headers() {
            let names: Vec<&str> = section.entries().map(|entry| entry.name).collect();
            for (i, name) in names.iter().enumerate() {
                assert!(!names[..i].contains(name), "{} has `{name}` twice", section.title);
            }
        }
    }
}
