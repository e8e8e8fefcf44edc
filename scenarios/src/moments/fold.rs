//! Many messages drawn as one, where the second says nothing that the first has not said.

use super::story::{Message, Remark, Tie};
use sim_core::time::Nanos;
use std::collections::BTreeMap;

/// What may be drawn as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Messages that follow each other on their path and are alike but for numbers, or matter for nothing.
    Alike,
    /// All of a kind on a path, but what the moment is about one by one.
    Kind,
    /// All of a kind on a path: what the moment is about is itself more than can be drawn, as where a client that waits asks
    /// for much else meanwhile.
    All,
}

/// Messages that are drawn as one, by time of sending.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    pub(super) messages: Vec<&'a Message<'a>>,
    /// The best reason of any of them.
    pub(super) tie: Tie,
}

impl<'a> Group<'a> {
    fn first(&self) -> &'a Message<'a> {
        self.messages[0]
    }

    fn last(&self) -> &'a Message<'a> {
        self.messages[self.messages.len() - 1]
    }

    pub(super) fn is_cause(&self) -> bool {
        self.messages.iter().any(|message| message.is_cause)
    }

    /// When the first of them arrived or was lost. They are drawn where it is: an arrow to where the last arrived would cross
    /// whatever happened meanwhile, at a slope that no message has.
    pub(super) fn ended(&self) -> Nanos {
        self.first().ended
    }
}

/// Folds messages, given by time of sending. Nothing is folded over a remark that the messages before it can have caused, or
/// that can have caused those after it.
pub(super) fn fold<'a>(messages: &[&'a Message<'a>], remarks: &[&Remark], depth: Depth) -> Vec<Group<'a>> {
    let mut noted: BTreeMap<&str, Vec<Nanos>> = BTreeMap::new();
    remarks.iter().for_each(|remark| noted.entry(&remark.note.machine).or_default().push(remark.note.at_ns));
    let is_noted = |machine: &str, from: Nanos, to: Nanos| {
        noted.get(machine).is_some_and(|times| times.iter().any(|at| (from..=to).contains(at)))
    };
    let mut groups: Vec<Group<'a>> = Vec::new();
    // By path: which groups the next message may join, the newest last.
    let mut open: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for &message in messages {
        let open = open.entry((message.from, message.to)).or_default();
        let joins = |group: &usize| {
            let last = groups[*group].last();
            is_like(last, message, depth)
                && !is_noted(message.from, last.sent, message.sent)
                && (message.lost.is_some() || !is_noted(message.to, last.ended, message.ended))
        };
        let candidates = match depth {
            Depth::Alike => &open[open.len().saturating_sub(1)..],
            Depth::Kind | Depth::All => &open[..],
        };
        if let Some(&group) = candidates.iter().rev().find(|group| joins(group)) {
            groups[group].messages.push(message);
            groups[group].tie = groups[group].tie.min(message.tie);
        } else {
            open.push(groups.len());
            groups.push(Group { messages: vec![message], tie: message.tie });
        }
    }
    groups.sort_by_key(|group| group.first().sent);
    groups
}

/// Whether the second says nothing new. What makes a moment is told one by one as long as there is room.
fn is_like(a: &Message<'_>, b: &Message<'_>, depth: Depth) -> bool {
    let is_told_apart = |tie: Tie| match depth {
        Depth::Alike => tie <= Tie::Value,
        Depth::Kind => tie <= Tie::Role,
        Depth::All => tie == Tie::Role,
    };
    let says_the_same = match depth {
        Depth::Alike if a.tie.min(b.tie) < Tie::Other => a.text == b.text || skeleton(a.text).eq(skeleton(b.text)),
        Depth::Alike | Depth::Kind | Depth::All => a.label() == b.label(),
    };
    let carry_alike = (a.tie == Tie::Value) == (b.tie == Tie::Value);
    a.lost == b.lost && !is_told_apart(a.tie) && !is_told_apart(b.tie) && carry_alike && says_the_same
}

/// A text without its numbers.
fn skeleton(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moments::story::Story;
    use crate::moments::{Deed, Prefer, Wanted};
    use sim_core::trace::{Row, What};

    /// Each takes one unit of time, and is a cause of what comes after it at n2.
    fn counts(sent: &[(Nanos, &str)], role_at: Option<Nanos>, depth: Depth) -> Vec<usize> {
        counts_of(Vec::new(), "n2", sent, role_at, depth)
    }

    fn counts_of(
        deeds: Vec<Deed>,
        end_at: &str,
        sent: &[(Nanos, &str)],
        role_at: Option<Nanos>,
        depth: Depth,
    ) -> Vec<usize> {
        let row = |at, what, text: &str| {
            let text = text.to_owned();
            Row { at, step: at, what, from: "n1".to_owned(), to: "n2".to_owned(), text, takes: 0, letter: None }
        };
        let ends = sent.iter().flat_map(|(at, text)| [row(*at, What::Sent, text), row(at + 1, What::Message, text)]);
        let mut rows: Vec<Row> = ends.chain(role_at.map(|at| row(at, What::Role, "leader, term 1"))).collect();
        rows.sort_by_key(|row| row.at);
        let wanted = Wanted {
            title: String::new(),
            starts: vec![0],
            prefer: Prefer::Early,
            to: 1_000,
            end_at: Some(end_at.to_owned()),
            ends_with: None,
            deeds,
        };
        let story = Story::new(&rows, &wanted);
        let (messages, remarks) = (story.messages.iter().collect::<Vec<_>>(), story.remarks.iter().collect::<Vec<_>>());
        fold(&messages, &remarks, depth).iter().map(|group| group.messages.len()).collect()
    }

    #[test]
    fn what_differs_in_numbers_only_is_folded() {
        let beats = [(10, "Beat { at: 9 }"), (20, "Beat { at: 10 }"), (30, "Beat { at: 1, full: [] }")];
        assert_eq!(counts(&beats, None, Depth::Alike), [2, 1]);
        assert_eq!(counts(&beats, None, Depth::Kind), [3]);
    }

    #[test]
    fn what_matters_for_nothing_is_folded_by_kind() {
        let beats = [(10, "Beat { at: 9 }"), (20, "Beat { full: [] }"), (30, "Vote"), (40, "Beat { at: 9 }")];
        assert_eq!(counts_of(Vec::new(), "n3", &beats, None, Depth::Alike), [2, 1, 1]);
    }

    #[test]
    fn what_the_moment_is_about_is_folded_only_in_need() {
        let deed = Deed {
            client: "n1".to_owned(),
            invoked: 0,
            completed: None,
            asked: String::new(),
            heard: String::new(),
            values: Vec::new(),
        };
        let asked = [(10, "Request(1)"), (20, "Request(2)"), (30, "Request(3)")];
        let counts = |depth| counts_of(vec![deed.clone()], "n2", &asked, None, depth);
        assert_eq!([Depth::Alike, Depth::Kind, Depth::All].map(counts), [vec![1, 1, 1], vec![1, 1, 1], vec![3]]);
    }

    #[test]
    fn what_does_not_follow_is_folded_only_if_it_must_be() {
        let beats = [(10, "Beat(1)"), (20, "Vote(1)"), (30, "Beat(2)"), (40, "Vote(2)")];
        assert_eq!(counts(&beats, None, Depth::Alike), [1, 1, 1, 1]);
        assert_eq!(counts(&beats, None, Depth::Kind), [2, 2]);
    }

    #[test]
    fn nothing_is_folded_over_what_happened_in_between() {
        let beats = [(10, "Beat(1)"), (20, "Beat(2)"), (30, "Beat(3)"), (40, "Beat(4)")];
        // The first after it is told on its own: it is what its sender said in its new role.
        assert_eq!(counts(&beats, Some(25), Depth::Alike), [2, 1, 1]);
        assert_eq!(counts(&beats, Some(25), Depth::Kind), [2, 1, 1]);
    }
}
