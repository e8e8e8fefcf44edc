//! Faults of the network: their keys.

use super::faults::{FAULT, LASTING, ONE_WAY};
use super::{MILLISECOND, RUN_MAX, count, may, needs, with, word};
use crate::text::entry::{Entry, Listed, Section, Takes};
use sim_core::settings::Kind;

/// How long something that flaps stays as it is.
const SPELL: Takes = Takes::Setting(Kind::DurationRange { min: MILLISECOND, max: RUN_MAX });

/// `flap = { .. }`.
pub static FLAP: Section = Section {
    title: "`flap`",
    text: "While the fault lasts it comes and goes; it begins with being there.",
    example: "",
    parts: &[&[
        needs("up", SPELL, "How long the network is whole in between; within a range, drawn each time.")
            .eg(r#""200ms..1s""#),
        needs("down", SPELL, "How long it is not; within a range, drawn each time.").eg(r#""500ms..2s""#),
    ]],
};

const FLAPS: Entry = may("flap", Takes::Table(&FLAP), "it is there all the time", "Lets it come and go.")
    .eg(r#"{ up = "200ms..1s", down = "500ms..2s" }"#);

/// `[[fault]]` with `do = "partition"`.
pub static PARTITION: Section = Section {
    title: "a `partition` fault",
    text: "Machines in different groups do not hear each other, nodes hear some and not others, or links are cut.",
    example: r#"do = "partition"
at = "10s"
for = "5s"
groups = [["minority"], ["others"]]"#,
    parts: &[
        FAULT,
        LASTING,
        &[
            may(
                "groups",
                Takes::Groups,
                "see `shape`, `links`",
                "Who stays together. Who is in no group talks to everybody; whom the same target names in two groups hears both.",
            )
            .eg(r#"[["minority"], ["others"]]"#),
            may(
                "shape",
                word(&["bridge", "star", "chain", "ring"]),
                "see `groups`, `links`",
                "Nodes in an order. bridge: two halves that only the first joins; star: all hear the first only; chain: each \
                 its neighbours; ring: each a bare majority around it. Clients talk to all.",
            )
            .eg(r#""bridge""#),
            may("order", Takes::Targets, "all are drawn", "With `shape`: who stands first; the others are drawn behind.")
                .eg(r#""leader""#),
            may("links", Takes::Texts, "see `groups`, `shape`", "The links to cut, such as `us-east <-> us-west`.")
                .eg(r#"["us-east <-> us-west"]"#),
            ONE_WAY,
            FLAPS,
        ],
    ],
};

/// How much may wait for bandwidth where nobody says: as much as the buffer of a small switch holds for one port.
const QUEUE: &str = "64KB";
const QUEUE_TEXT: &str =
    "With `bandwidth`: a datagram that finds more waiting is dropped; what is said over a stream waits, in order.";

/// `[[fault]]` with `do = "link"`.
pub static LINK: Section = Section {
    title: "a `link` fault",
    text: "The traffic between two sets of machines is spoilt.",
    example: r#"do = "link"
during = "10s..15s"
between = ["any", "all"]
delay = "+80ms"
loss = "5%""#,
    parts: &[
        FAULT,
        LASTING,
        &[
            needs("between", Takes::Groups, "The two sides, each a target or a list of targets.").eg(r#"["n1", "n2"]"#),
            ONE_WAY,
            may(
                "messages",
                Takes::Names(Listed::Kinds),
                "all kinds",
                "Only these kinds of messages, requests and replies: the system's own names for them.",
            ),
            may("delay", Takes::AddedDelay, "none", "Added to every message: \"+80ms\"."),
            may("loss", Takes::Share, "none", "This share is lost.").eg(r#""5%""#),
            may(
                "corrupt",
                Takes::Share,
                "none",
                "This share is damaged. A checksum tells, so it is dropped, and on a stream sent again.",
            ),
            may(
                "duplicate",
                Takes::Share,
                "none",
                "This share of datagrams arrives twice; streams know nothing of it.",
            ),
            with(
                "duplicate-after",
                Takes::AddedDelay,
                "0ms",
                "With `duplicate`: the second copy comes this much later.",
            ),
            may(
                "reorder",
                Takes::Share,
                "none",
                "This share of datagrams is held up, and overtaken; streams keep their order.",
            ),
            with("reorder-by", Takes::AddedDelay, "0ms..500ms", "With `reorder`: for how long."),
            may("bandwidth", Takes::Bandwidth, "no limit", "So much passes from each machine to each other one."),
            with("queue", Takes::Size, QUEUE, QUEUE_TEXT),
            FLAPS,
        ],
    ],
};

/// What a link's table says of its bandwidth.
pub(super) const LINK_BANDWIDTH: [Entry; 2] = [
    may(
        "bandwidth",
        Takes::Bandwidth,
        "no limit",
        "So much passes one way. Links of one name share it: those between two regions, between two zones, within a zone.",
    ),
    with("queue", Takes::Size, QUEUE, QUEUE_TEXT),
];

/// `[[fault]]` with `do = "drop"`.
pub static DROP: Section = Section {
    title: "a `drop` fault",
    text: "Messages are picked out and dropped. On a stream the message alone vanishes, and the connection lives: a proxy's or \
           a peer's mistake, not the network's.",
    example: r#"do = "drop"
during = "10s..15s"
from = "leader"
share = "30%""#,
    parts: &[
        FAULT,
        LASTING,
        &[
            may(
                "messages",
                Takes::Names(Listed::Kinds),
                "all kinds",
                "Only these kinds of messages, requests and replies: the system's own names for them.",
            ),
            may("from", Takes::Targets, "anybody", "Only what these machines send.").eg(r#""leader""#),
            may("to", Takes::Targets, "anybody", "Only what is for these machines.").eg(r#"["n3", "clients"]"#),
            with("share", Takes::Share, "100%", "This share of them, each by lot.").eg(r#""30%""#),
            may("count", count(1, u64::MAX), "no limit", "No more than so many: the first.").eg("3"),
        ],
    ],
};

/// `[[fault]]` with `do = "outage"`.
pub static OUTAGE: Section = Section {
    title: "an `outage` fault",
    text: "Power and network of a place are gone: its nodes die, and every link from and to it is cut. Its clients go on asking \
           and are heard by nobody.",
    example: r#"do = "outage"
at = "10s"
for = "5s"
place = "one of zones"
disk = "lose-unsynced""#,
    parts: &[
        FAULT,
        LASTING,
        &[
            needs("place", Takes::Places, "A zone, region or provider, some of them drawn by lot, or a list.")
                .eg(r#""one of zones""#),
            super::faults::DISK_FATE,
        ],
    ],
};
