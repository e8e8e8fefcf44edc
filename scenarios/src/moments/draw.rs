//! From what happened to a diagram that one can take in at a glance.
//!
//! A second of a run is thousands of messages, and most of them say nothing new. So they are folded; if that is not enough,
//! what is neither a cause of the last event nor lost is left out; and if that is not enough, the diagram begins later, or
//! shows what matters most. Nothing here knows a protocol: a message is a text.

use super::fold::{Depth, Group, fold};
use super::story::{Message, Remark, Story, Tie};
use super::{Deed, Prefer, Wanted};
use history::{Arrow, Moment, Note};
use sim_core::time::Nanos;
use sim_core::trace::Row;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Arrows and notes in one diagram: more cannot be told apart.
const EVENTS_MAX: usize = 60;

/// Notes among them.
const NOTES_MAX: usize = 30;

/// Characters of a message's text: a batch of entries can be pages long.
const TEXT_MAX: usize = 400;

/// With more nodes than this, those to whom nothing happens are left out.
const NODES_MAX: usize = 9;

/// Draws a moment, given what happened in its time, somewhat before, and what was lost for some time after. `None` if nothing
/// happened.
pub(super) fn draw(wanted: &Wanted, rows: &[Row], nodes: usize) -> Option<Moment> {
    let story = Story::new(rows, wanted);
    let sketch = best(&story, wanted)?;
    let moment = sketch.moment(&story, wanted, nodes);
    (!moment.arrows.is_empty()).then_some(moment)
}

/// The best that can be drawn.
fn best<'a>(story: &'a Story<'a>, wanted: &Wanted) -> Option<Sketch<'a>> {
    let sketch = |from: &Nanos, depth| Sketch::new(story, wanted, *from, depth);
    let fitted = |from: &Nanos, depth| sketch(from, depth).fitted();
    let starts = || wanted.starts.iter();
    let best = match wanted.prefer {
        Prefer::Early => starts().find_map(|from| {
            let whole = fitted(from, Depth::Alike).or_else(|| fitted(from, Depth::Kind));
            whole.or_else(|| Some(sketch(from, Depth::Kind)).filter(Sketch::has_a_point).map(Sketch::cut))
        }),
        Prefer::Sharp => {
            let by_depth = [Depth::Alike, Depth::Kind].into_iter();
            by_depth
                .flat_map(|depth| starts().map(move |from| (from, depth)))
                .find_map(|(from, depth)| fitted(from, depth))
        }
    };
    let last = wanted.starts.last()?;
    best.or_else(|| fitted(last, Depth::All)).or_else(|| Some(sketch(last, Depth::All).cut()))
}

/// What could be drawn from some instant on.
struct Sketch<'a> {
    from: Nanos,
    groups: Vec<Group<'a>>,
    notes: Vec<&'a Note>,
}

impl<'a> Sketch<'a> {
    fn new(story: &'a Story<'a>, wanted: &Wanted, from: Nanos, depth: Depth) -> Self {
        let is_present =
            |client: &str, deed: &Deed| deed.client == client && deed.completed.is_none_or(|at| at >= from);
        let is_client = |machine: &str| wanted.deeds.iter().any(|deed| is_present(machine, deed));
        let is_drawn = |machine: &str| is_node(machine) || is_client(machine) || story.asker == Some(machine);
        let messages = story.messages.iter().filter(|message| message.sent >= from);
        let messages: Vec<&Message<'_>> =
            messages.filter(|message| is_drawn(message.from) && is_drawn(message.to)).collect();
        let remarks = story.remarks.iter().filter(|remark| remark.note.at_ns >= from);
        let remarks: Vec<&Remark> = remarks.filter(|remark| is_drawn(&remark.note.machine)).collect();
        let notes = remarks.iter().map(|remark| &remark.note).collect();
        Sketch { from, groups: fold(&messages, &remarks, depth), notes }
    }

    fn fits(&self) -> bool {
        self.notes.len() <= NOTES_MAX && self.groups.len() + self.notes.len() <= EVENTS_MAX
    }

    /// This, or what of it is a cause, lost, or of those whom it is about; `None` if that is still too much.
    fn fitted(mut self) -> Option<Self> {
        if !self.fits() {
            self.groups.retain(|group| group.tie < Tie::Other);
        }
        self.fits().then_some(self)
    }

    /// Whether what it is about fits, if little else does.
    fn has_a_point(&self) -> bool {
        let point = self.groups.iter().filter(|group| group.tie <= Tie::Value).count();
        self.notes.len() <= NOTES_MAX && point + self.notes.len() <= EVENTS_MAX
    }

    /// The best of it, and of what is as good, the latest.
    fn cut(mut self) -> Self {
        let early = self.notes.len().saturating_sub(NOTES_MAX);
        self.notes.drain(..early);
        self.groups.sort_by_key(|group| (group.tie, Reverse(group.messages[0].sent)));
        self.groups.truncate(EVENTS_MAX - self.notes.len());
        self.groups.sort_by_key(|group| group.messages[0].sent);
        self
    }

    fn moment(self, story: &Story<'_>, wanted: &Wanted, nodes: usize) -> Moment {
        let arrows: Vec<Arrow> = self.groups.iter().map(arrow).collect();
        let notes: Vec<Note> = self.notes.into_iter().cloned().collect();
        let shown: u64 = arrows.iter().map(|arrow| arrow.count).sum();
        let sent = story.messages.iter().map(|message| message.sent).chain(story.under_way.iter().copied());
        let left_out = sent.filter(|sent| *sent >= self.from).count() as u64 - shown;
        let machines = machines(&arrows, &notes, nodes);
        let (title, from_ns, to_ns) = (wanted.title.clone(), self.from, wanted.to);
        Moment { title, from_ns, to_ns, machines, arrows, notes, left_out }
    }
}

/// Machines are told by their names: `n1` is a node, `c1` a client.
fn is_node(machine: &str) -> bool {
    machine.starts_with('n')
}

fn arrow(group: &Group<'_>) -> Arrow {
    let first = group.messages[0];
    Arrow {
        from: first.from.to_owned(),
        to: first.to.to_owned(),
        sent_ns: first.sent,
        arrived_ns: group.ended(),
        label: first.label().to_owned(),
        text: cut(first.text),
        lost: first.lost.map(str::to_owned),
        count: group.messages.len() as u64,
        is_cause: group.is_cause(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The nodes, then the clients that take part, each in the order of their numbers.
fn machines(arrows: &[Arrow], notes: &[Note], nodes: usize) -> Vec<String> {
    let ends = arrows.iter().flat_map(|arrow| [&arrow.from, &arrow.to]);
    let mut taking_part: BTreeSet<String> = ends.chain(notes.iter().map(|note| &note.machine)).cloned().collect();
    if nodes <= NODES_MAX {
        taking_part.extend((1..=nodes).map(|node| format!("n{node}")));
    }
    let mut machines: Vec<String> = taking_part.into_iter().collect();
    // Nodes before clients, and 2 before 10.
    machines.sort_by_key(|machine| (!is_node(machine), machine.len()));
    machines
}
