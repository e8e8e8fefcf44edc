//! The ways not to pass, and how to see each again.

use super::{Page, Part, ROWS_MAX, text, variant_name};
use crate::page::{command, scrolling, tone};
use crate::sweep::{Failed, Group, Swept};
use crate::words::{self, count, counted, sign};
use history::Verdict;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// More ways are counted and not told.
const GROUPS_MAX: usize = 20;

/// So many seeds of a way are named.
const SEEDS_MAX: usize = 12;

impl Page<'_> {
    pub(super) fn failures(&self) -> Part {
        let content = self.each(|_, study| {
            let groups = study.swept.groups();
            (!groups.is_empty()).then(|| ways(&study.swept, &groups))
        })?;
        Some(("failures", "Ways not to pass", content))
    }
}

fn ways(swept: &Swept, groups: &[&Group]) -> Markup {
    let hidden = groups.iter().skip(GROUPS_MAX).map(|group| group.count).sum::<u64>() + swept.ungrouped;
    html! {
        @for group in groups.iter().take(GROUPS_MAX) { (way(swept, group)) }
        @if hidden > 0 { p.muted.after { (counted(hidden, "more run")) " did not pass, in other ways; all are in the database." } }
        (listed(swept))
    }
}

fn way(swept: &Swept, group: &Group) -> Markup {
    let Group { count: runs, by_variant, first, detail } = group;
    let same = |failed: &&Failed| failed.signature == first.signature;
    let seeds: BTreeSet<u64> = swept.listed.iter().filter(same).map(|failed| failed.seed).collect();
    let others: Vec<String> = seeds.iter().map(u64::to_string).take(SEEDS_MAX + 1).collect();
    html! {
        div.failed.(tone(first.verdict)) {
            h3 { span.sign { (sign(first.verdict)) " " (first.verdict) } " " (text(&first.signature)) }
            p {
                strong { (counted(*runs, "run")) } ", first seed " (first.seed)
                @if by_variant.len() > 1 {
                    ": "
                    @for (i, (variant, count)) in by_variant.iter().take(ROWS_MAX).enumerate() {
                        @if i > 0 { ", " } (words::count(*count)) " of " (variant_name(swept, &swept.variants[*variant]))
                    }
                }
                "."
                @if others.len() > 1 {
                    " Seeds " (others[..others.len().min(SEEDS_MAX)].join(", "))
                    @if others.len() > SEEDS_MAX { ", …" } @else { "." }
                }
            }
            @if !detail.is_empty() { p.why { (words::told(&text(detail))) } }
            (command(&swept.command("run", first)))
            @if first.verdict == Verdict::Fail {
                (command(&swept.command("replay", first)))
                (command(&swept.command("shrink", first)))
            }
        }
    }
}

/// Failing seeds one by one.
fn listed(swept: &Swept) -> Markup {
    let has_variants = swept.variants.len() > 1;
    html! {
        @if !swept.listed.is_empty() {
            details {
                summary { "Failing seeds as a table" }
                div.tall {
                    (scrolling("Table: failing seeds", html! {
                        table {
                            thead {
                                tr {
                                    th.number scope="col" { "seed" }
                                    @if has_variants { th scope="col" { "variant" } }
                                    th scope="col" { "what failed" }
                                }
                            }
                            tbody {
                                @for failed in swept.listed.iter().take(ROWS_MAX) {
                                    tr {
                                        th.number scope="row" { (failed.seed) }
                                        @if has_variants { td.text { (variant_name(swept, &swept.variants[failed.variant])) } }
                                        td.text { (text(&failed.signature)) }
                                    }
                                }
                            }
                        }
                    }))
                }
                @let failed = swept.tally().failed;
                @if failed > ROWS_MAX as u64 {
                    p.muted { "The first " (count(ROWS_MAX as u64)) " of " (count(failed)) "; all are in the database." }
                }
            }
        }
    }
}
