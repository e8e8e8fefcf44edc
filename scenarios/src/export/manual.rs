//! What there is to know of the files.

use super::Format;
use super::shiviz::EXPRESSION;
use crate::manual::Page;

/// The fields of a line of `trace.jsonl`. They stay as they are; more may come.
pub(super) const FIELDS: [(&str, &str); 8] = [
    ("time", "When: nanoseconds of true time since the run began. No line is earlier than the one before it."),
    ("step", "How many events had been delivered by then, this one included."),
    (
        "what",
        "The kind of event: sent, message, request, reply and lost of what is on its way; timer, on-disk, flush, admin, start, \
         crash and role of a machine; fault and heal.",
    ),
    ("from", "Who caused it: a node (n1), a client (c3), a fault by its name, or operator."),
    ("to", "Whom it befell; empty if nobody."),
    ("text", "The message, timer, role or reason; of what is lost, why stands after its text and a colon."),
    (
        "message",
        "Of what is on its way: its number, the same where it is sent and wherever a copy of it arrives or is lost. Left out \
         elsewhere.",
    ),
    (
        "takes",
        "For how many nanoseconds a step keeps its node's CPU busy, a flush its disk, or a fault lasts. Left out where it is 0, \
         or where a fault lasts to the end of the load.",
    ),
];

/// The page of a file that a run can be traced to, by the file's name.
pub fn manual(file: &str) -> Option<Page> {
    let format = Format::ALL.into_iter().find(|format| format.file() == file)?;
    let page = |text: &[&str], rows: &[(&str, &str)], example: &str| Page {
        title: file.to_owned(),
        kind: "a file of a run".to_owned(),
        text: text.iter().map(|text| (*text).to_owned()).collect(),
        rows: rows.iter().map(|(name, told)| ((*name).to_owned(), (*told).to_owned())).collect(),
        facts: vec![("written by", example.to_owned())],
        ..Page::default()
    };
    match format {
        Format::Text => None,
        Format::Jsonl => Some(page(
            &[
                "Everything that happened, a JSON object a line. `replay --verify` compares it with a run of today, event by \
                 event.",
            ],
            &FIELDS,
            "run FILE --trace jsonl, or a part of it: replay FILE --from 9s --until 11s --format jsonl",
        )),
        Format::Shiviz => Some(page(
            &[
                "Every event of a process with the vector clock of its host, from which ShiViz draws who can have known of what. \
                 Faults have no clock and are not in it; crashes, starts and messages that nobody receives are.",
                "Choose it as the file on ShiViz's page (bestchai.bitbucket.io/shiviz). Its first line is the regular expression \
                 by which it is read. A few hundred events are drawn at once, ten thousand are slow: rather replay a part.",
            ],
            &[("expression", EXPRESSION)],
            "run FILE --trace shiviz, or a part of it: replay FILE --from 9s --until 11s --format shiviz",
        )),
        Format::Perfetto => Some(page(
            &[
                "A trace that ui.perfetto.dev draws and searches; nothing is sent anywhere, the page reads the file in the browser.",
            ],
            &[
                (
                    "n1, n2, ..",
                    "The steps of a node's process, and what it sends; below it its disk's flushes and its roles.",
                ),
                ("c1, c2, ..", "What a client is told and asks."),
                ("arrows", "From where a message is sent to where it arrives or is known to be lost."),
                ("serving", "Which node holds the role that serves the clients."),
                ("fault ..", "When each fault struck, and whom."),
                ("messages under way", "How many there are at each instant."),
            ],
            "run FILE --trace perfetto, or a part of it: replay FILE --from 9s --until 11s --format perfetto > cut.pftrace",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_a_run_writes_has_a_page() {
        for format in Format::ALL {
            let page = manual(format.file());
            assert_eq!(page.is_some(), format != Format::Text, "{}", format.file());
        }
        assert_eq!(manual("run.json"), None);
    }
}
