//! The kinds of `[[fault]]` and their keys.

use super::network::{DROP, LINK, OUTAGE, PARTITION};
use super::{CHANCE, FLAG, LENGTH, LENGTHS, MOMENTS, STRIKES_MAX, WAIT, count, may, needs, with, word};
use crate::text::entry::{Entry, Listed, Section, Takes};

pub(super) const FAULT: &[Entry] = &[
    needs(
        "do",
        word(&["partition", "crash", "pause", "link", "clock", "cpu", "disk", "lose", "operate", "drop", "outage"]),
        "What happens.",
    ),
    may("name", Takes::Text, "<do>-<k>", "Its own name: its random numbers are drawn by it.").eg(r#""cut-leader""#),
    may("at", MOMENTS, "see `every`, `when`", "When it strikes; within a range, drawn for each seed.").eg(r#""10s""#),
    may("every", LENGTH, "see `at`, `when`", "It strikes again and again, first after this time.").eg(r#""8s""#),
    may("jitter", WAIT, "none", "With `every`: each strike is up to this much later.").eg(r#""2s""#),
    may(
        "when",
        Takes::Name(Listed::Events),
        "see `at`, `every`",
        "What sets it off: `leader elected`, `500 operations`.",
    ),
    may("after", WAIT, "none", "With `when`: it strikes this much later.").eg(r#""500ms""#),
    may(
        "within",
        MOMENTS,
        "any time",
        "With `when`: only what happens then sets it off, and at the end of it it is over.",
    )
    .eg(r#""20s..30s""#),
    may("times", count(1, STRIKES_MAX), "1 with `when`, no limit with `every`", "How many times at most.").eg("3"),
    may("why", Takes::Text, "nothing", "What it is there for, in a few words: pages and plans show it.")
        .eg(r#""the fibre is cut""#),
    CHANCE,
    may("part-of", Takes::Text, "nothing", "What it is a part of: it is enough that one of the parts had an effect.")
        .eg(r#""storm""#),
];

/// Of a fault that lasts.
pub(super) const LASTING: &[Entry] = &[
    may("during", MOMENTS, "see `at`, `every`, `when`", "From when to when.").eg(r#""20s..50s""#),
    may("for", LENGTHS, "to the end of `duration`", "How long it lasts; within a range, drawn for each strike.")
        .eg(r#""5s..10s""#),
];

const TARGET: Entry = needs("target", Takes::Targets, "Whom it strikes.").eg(r#""one of all""#);
pub(super) const ONE_WAY: Entry = with("one-way", FLAG, "false", "Only what the first send to the others.").eg("true");

pub(super) const DISK_FATE: Entry = with(
    "disk",
    word(&["keep", "lose-unsynced", "torn"]),
    "keep",
    "What is left of records not yet on disk: all, none, or some with the last one torn.",
)
.eg(r#""lose-unsynced""#);

/// `[[fault]]` with `do = "crash"`.
pub static CRASH: Section = Section {
    title: "a `crash` fault",
    text: "Processes stop dead and start again when the fault ends.",
    example: r#"do = "crash"
every = "10s"
for = "1s..3s"
target = "one of all"
disk = "lose-unsynced""#,
    parts: &[
        FAULT,
        LASTING,
        &[
            TARGET,
            DISK_FATE,
            with("mid-step", FLAG, "false", "They die in the middle of their next step that leaves a mark.").eg("true"),
        ],
    ],
};

/// `[[fault]]` with `do = "pause"`.
pub static PAUSE: Section = Section {
    title: "a `pause` fault",
    text: "Processes freeze, as in a long garbage collection; nothing is lost.",
    example: r#"do = "pause"
at = "10s"
for = "3s"
target = "any""#,
    parts: &[
        FAULT,
        LASTING,
        &[
            TARGET,
            with(
                "messages-only",
                FLAG,
                "false",
                "Their alarms ring all the same, and they go on by them; what they send and what they are sent waits.",
            )
            .eg("true"),
        ],
    ],
};

/// `[[fault]]` with `do = "clock"`.
pub static CLOCK_FAULT: Section = Section {
    title: "a `clock` fault",
    text: "Clocks jump, run fast or slow, or stand still.",
    example: r#"do = "clock"
at = "10s"
for = "10s"
target = "any"
rate = "+5%""#,
    parts: &[
        FAULT,
        LASTING,
        &[
            TARGET,
            may(
                "step",
                Takes::Step,
                "none",
                "How far they jump: \"-5s\" is back; the end of the fault leaves them there.",
            ),
            may("rate", Takes::Drift, "none", "What they gain while it lasts: \"+5%\", \"-200ppm\"."),
            with("freeze", FLAG, "false", "They show the same as long as it lasts, and go on from there.").eg("true"),
            with(
                "which",
                word(&["wall", "monotonic", "both"]),
                "both",
                "Which of a machine's two: what can be set, what processes wait by (a real one jumps only with its machine: \
                 a VM that was suspended), or both alike.",
            )
            .eg(r#""wall""#),
        ],
    ],
};

/// `[[fault]]` with `do = "cpu"`.
pub static CPU: Section = Section {
    title: "a `cpu` fault",
    text: "CPUs are slow: a noisy neighbour, a cooling that failed. Whatever a node handles takes longer.",
    example: r#"do = "cpu"
at = "10s"
for = "10s"
target = "leader"
slower = 500"#,
    parts: &[
        FAULT,
        LASTING,
        &[
            TARGET,
            may("slower", Takes::Decimal, "1", "So many times as long as usual; `cluster.cpu` says what is usual.")
                .eg("10"),
            may("extra", Takes::AddedDelay, "none", "So much longer, beside `slower`: \"+5ms\".").eg(r#""+5ms""#),
        ],
    ],
};

/// `[[fault]]` with `do = "lose"`.
pub static LOSE: Section = Section {
    title: "a `lose` fault",
    text: "Machines are lost for good, and their disks with them. What an operator does about it is another fault: \
           `operate`.",
    example: r#"do = "lose"
at = "10s"
target = "one of follower""#,
    parts: &[
        FAULT,
        &[
            TARGET,
            may(
                "during",
                MOMENTS,
                "see `at`, `every`, `when`",
                "From when they are lost to when empty machines take their places.",
            ),
            may(
                "for",
                LENGTHS,
                "for good: nothing takes its place, also when everything else heals",
                "After so long an empty machine takes its place, under the same name.",
            )
            .eg(r#""5s""#),
        ],
    ],
};

/// `[[fault]]` with `do = "disk"`.
pub static DISK_FAULT: Section = Section {
    title: "a `disk` fault",
    text: "Disks are slow, fill up, fail, lie or rot. A process that hears of an error stops, unless its system knows better.",
    example: r#"do = "disk"
during = "10s..20s"
target = "one of all"
latency = "+20ms"
error = "flush"
error-share = "1%""#,
    parts: &[
        FAULT,
        LASTING,
        &[
            TARGET,
            may("latency", Takes::AddedDelay, "none", "Added to every flush: \"+20ms\"."),
            with("stall", FLAG, "false", "No flush ends while it lasts.").eg("true"),
            with("full", FLAG, "false", "Writes fail while it lasts: there is no space.").eg("true"),
            with("read-only", FLAG, "false", "Writes fail while it lasts: the disk can only be read.").eg("true"),
            may(
                "error",
                word(&["flush", "write"]),
                "none",
                "The next one fails (EIO), once on each disk. What a failed flush was to write, no later one writes.",
            ),
            may("error-share", Takes::Share, "it fails once", "With `error`: this share fails while it lasts."),
            may("lie", Takes::Share, "none", "This share of flushes says it is done and is not; a power cut shows it.")
                .eg(r#""100%""#),
            may(
                "lose",
                Takes::Share,
                "none",
                "This share of records never gets to the disk, and no flush says so; a power cut shows it.",
            ),
            may(
                "misdirect",
                Takes::Share,
                "none",
                "This share of records is written over others, which then are corrupt.",
            ),
            may("rot", count(1, 1_000_000), "none", "So many records on disk become corrupt, at once and for good.")
                .eg("2"),
        ],
    ],
};

/// `[[fault]]` with `do = "operate"`.
pub static OPERATE: Section = Section {
    title: "an `operate` fault",
    text: "An operator orders nodes to do something; `list protocols` shows what a system can be told.",
    example: "",
    parts: &[
        FAULT,
        &[
            needs("order", Takes::Name(Listed::Orders), "What, by the system's own name for it."),
            may("about", Takes::Targets, "nobody, for an order that needs nobody", "The nodes that it is about.")
                .eg(r#""n3""#),
            may("to", Takes::Targets, "leader; any, for a system without one", "Who is told.").eg(r#""any""#),
            may("for", LENGTHS, "it is given once", "For so long it is repeated until somebody takes it up.")
                .eg(r#""5s""#),
        ],
    ],
};

/// The kinds of `[[fault]]`.
pub static FAULTS: &[&Section] =
    &[&PARTITION, &CRASH, &PAUSE, &LINK, &CLOCK_FAULT, &CPU, &DISK_FAULT, &LOSE, &OPERATE, &DROP, &OUTAGE];

/// What `do` calls a kind of fault.
pub fn fault_name(fault: &Section) -> &'static str {
    fault.title.split('`').nth(1).expect("the title of a kind of fault quotes its name")
}
