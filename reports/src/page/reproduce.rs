//! How to get the same run again: commands, what the seed decided, settings, the scenario, and the numbers behind the picture.

use super::{Page, command, scrolling};
use crate::command::{again, explain, replay};
use crate::words::{count, exact};
use history::TimeBucket;
use maud::{Markup, html};

impl Page<'_> {
    pub(super) fn reproduce(&self) -> (&'static str, &'static str, Markup) {
        let r = self.record;
        let draws = r.draws.iter().map(|draw| (&*draw.key, &*draw.value));
        let config = r.config.iter().map(|line| (&*line.key, &*line.value));
        let word = r.flaws.first().unwrap_or(&r.protocol);
        let content = html! {
            @if let (Some(run), Some(replay)) = (again("run", r), replay(r, None)) {
                p { "In the directory of the scenario, with stormglass " (self.text(&r.version)) ":" }
                (command(&run))
                (command(&replay))
                (command(&explain(r, &self.text(word))))
                p.muted {
                    "The first judges it and writes this page, the second shows everything that happened. Both give the \
                     fingerprint " code { (self.text(&r.fingerprint)) } " on any machine. The third says what "
                    (self.text(word)) " is."
                }
            } @else {
                p { "This record does not say which scenario file it came from. Its fingerprint is " code { (self.text(&r.fingerprint)) } "." }
            }
            (self.pairs("What the seed decided", draws.collect()))
            (self.pairs("Settings of the system", config.collect()))
            @if self.room.has_data { (self.scenario()) (self.series()) }
        };
        ("reproduce", "Reproduce", content)
    }

    /// Keys and their values; nothing if there are none.
    fn pairs(&self, heading: &str, pairs: Vec<(&str, &str)>) -> Markup {
        html! {
            @if !pairs.is_empty() {
                div.pairs {
                    h3 { (heading) }
                    dl {
                        @for (key, value) in pairs.iter().take(self.room.rows) {
                            div { dt { (self.text(key)) } dd { (self.text(value)) } }
                        }
                    }
                    (self.more(pairs.len()))
                }
            }
        }
    }

    fn scenario(&self) -> Markup {
        let resolved = self.record.source.as_ref().map(|source| &*source.resolved).unwrap_or_default();
        html! {
            @if !resolved.is_empty() {
                details {
                    summary { "The scenario, with nothing left to draw" }
                    pre tabindex="0" { code { (self.text(resolved)) } }
                }
            }
        }
    }

    fn series(&self) -> Markup {
        let buckets = &self.record.buckets;
        html! {
            @if !buckets.is_empty() {
                details {
                    summary { "Availability over time as a table" }
                    div.tall {
                        (scrolling("Table: availability over time", html! {
                            table {
                                caption { "Operations by when they were asked for." }
                                thead {
                                    tr {
                                        th.number scope="col" { "from" } th.number scope="col" { "asked" }
                                        th.number scope="col" { "served in time" } th.number scope="col" { "possible" }
                                    }
                                }
                                tbody { @for bucket in buckets.iter().take(self.room.rows) { (row(bucket)) } }
                            }
                        }))
                    }
                    (self.more(buckets.len()))
                }
            }
        }
    }
}

fn row(bucket: &TimeBucket) -> Markup {
    html! {
        tr {
            th.number scope="row" { (exact(bucket.from_ns)) }
            td.number { (count(bucket.invoked)) }
            td.number { (count(bucket.achieved)) }
            td.number { (count(bucket.possible)) }
        }
    }
}
