//! The keys of `[nemesis]`.

use super::{FLAG, LENGTHS, MOMENTS, count, may, with, word};
use crate::text::entry::{Section, Takes};

/// `[nemesis]`.
pub static NEMESIS: Section = Section {
    title: "[nemesis]",
    text: "Faults that nobody wrote down: each seed draws its own, as `check --plan` shows. What the system does not \
           promise to survive is not drawn. Together they have to have an effect, if there are any.",
    example: r#"swarm = true
weights = { partition = 4, crash = 3, pause = 2 }
gap = { dist = "exp", mean = "4s" }
hold = "200ms..10s"
targets = ["leader", "minority", "any"]
budget = { down-at-once = "minority", concurrent = 3, faulted-time = "60%" }"#,
    parts: &[&[
        with("swarm", FLAG, "false", "Each seed leaves out some kinds of fault, each as likely as not.").eg("true"),
        may("weights", Takes::Counts, "every kind 1", "How often each kind of fault is drawn; a kind not named, never.")
            .eg("{ partition = 4, crash = 3, pause = 2 }"),
        with("gap", Takes::Delay, "1s..7s", "From the beginning of one fault to that of the next.")
            .eg(r#"{ dist = "exp", mean = "4s" }"#),
        with("hold", LENGTHS, "200ms..5s", "How long a fault lasts."),
        may("targets", Takes::Targets, "any, minority; the role that serves", "Whom faults strike, each as likely.")
            .eg(r#"["leader", "minority", "any"]"#),
        with(
            "chase",
            Takes::Share,
            "0%",
            "This share of faults waits up to 2s for somebody to take a role (an election, for example), and strikes then.",
        )
        .eg(r#""20%""#),
        may("during", MOMENTS, "the whole `duration`", "From when to when there are faults.").eg(r#""5s..50s""#),
        may("budget", Takes::Table(&BUDGET), "its defaults", "How much goes wrong at once.")
            .eg(r#"{ down-at-once = "minority", concurrent = 3, faulted-time = "60%" }"#),
    ]],
};

/// `budget = { .. }`.
pub static BUDGET: Section = Section {
    title: "`budget`",
    text: "How much goes wrong at once: a run in which everything is down tests nothing.",
    example: "",
    parts: &[&[
        with(
            "down-at-once",
            word(&["one", "minority", "beyond"]),
            "minority",
            "So many nodes at most are down, frozen or cut off at once. `beyond` is any number: nobody is served \
             meanwhile, but nothing may be lost.",
        )
        .eg(r#""minority""#),
        with("concurrent", count(1, 100), "3", "So many faults at most are there at once."),
        with("faulted-time", Takes::Share, "60%", "For this share of the time at most there is a fault."),
    ]],
};
