//! From the rows of a trace to messages with both their ends, what else happened to the machines, and what of that can have
//! caused the last of it.
//!
//! A row that tells that a message was sent is joined with the first later one that tells of its end: same sender, same
//! receiver, same text. An end without a beginning is that of a copy, if there was a message like it.
//!
//! Causes are read off the order of things: whatever reached a machine it knew from then on, and whatever it sent later
//! may be due to that (Lamport 1978, *happened before*).

use super::{Deed, Wanted};
use history::Note;
use sim_core::time::Nanos;
use sim_core::trace::{Row, What};
use std::collections::{BTreeMap, BTreeSet};

/// What makes a message worth drawing, the best reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tie {
    /// Between the client of a deed and the nodes, while it lasted.
    Deed,
    /// It made a machine take a role, or is the first thing that it told another in it.
    Role,
    /// It carries a value of a deed, or answers one that does.
    Value,
    /// It never arrived.
    Lost,
    /// The last event could have been caused by it.
    Cause,
    /// None of these.
    Other,
}

/// A message and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Message<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) sent: Nanos,
    /// When it arrived or was lost.
    pub(super) ended: Nanos,
    pub(super) text: &'a str,
    /// Why it never arrived.
    pub(super) lost: Option<&'a str>,
    pub(super) tie: Tie,
    pub(super) is_cause: bool,
    /// The row that tells that it was sent, and the one that tells that it arrived.
    sent_row: usize,
    ended_row: Option<usize>,
}

/// Something that happened to a machine, and at which row.
#[derive(Clone, Debug)]
pub(super) struct Remark {
    pub(super) note: Note,
    row: usize,
}

impl Remark {
    fn new(row: usize, at_ns: Nanos, machine: &str, text: String) -> Self {
        Remark { row, note: Note { machine: machine.to_owned(), at_ns, text, is_cause: false } }
    }
}

/// What happened in some stretch of time.
pub(super) struct Story<'a> {
    pub(super) messages: Vec<Message<'a>>,
    pub(super) remarks: Vec<Remark>,
    /// How many messages were sent in it of which nobody knows yet what became of them: when.
    pub(super) under_way: Vec<Nanos>,
    /// The client whose request the last event is, if it is one.
    pub(super) asker: Option<&'a str>,
}

impl<'a> Story<'a> {
    /// What `rows` tell up to `to`. Those that come later only tell what else was lost.
    pub(super) fn new(rows: &'a [Row], wanted: &Wanted) -> Self {
        let now = rows.partition_point(|row| row.at <= wanted.to);
        let (messages, under_way) = pair(rows, now, wanted.to);
        let rows = &rows[..now];
        let mut story = Story { messages, remarks: remarks(rows, &wanted.deeds), under_way, asker: None };
        let is_last =
            |row: &Row| happens_to(row).is_some_and(|machine| wanted.end_at.as_ref().is_none_or(|end| end == machine));
        if let Some(last) = rows.iter().rposition(is_last) {
            story.asker = (rows[last].what == What::Request).then_some(rows[last].from.as_str());
            story.end(last, &rows[last], wanted);
            story.find_causes(rows, last);
        }
        story.find_ties(rows, &wanted.deeds);
        story
    }

    /// Says what the last event was, if nothing else does.
    fn end(&mut self, last: usize, row: &Row, wanted: &Wanted) {
        if let (Some(machine), Some(text)) = (happens_to(row), &wanted.ends_with) {
            let after = self.remarks.partition_point(|remark| remark.row <= last);
            self.remarks.insert(after, Remark::new(last, row.at, machine, text.clone()));
        }
    }

    /// Goes back from the last event: what a machine was told before it did something that matters, matters.
    fn find_causes(&mut self, rows: &[Row], last: usize) {
        let (mut sent, mut ended) = (BTreeMap::<usize, Vec<usize>>::new(), BTreeMap::new());
        for (i, message) in self.messages.iter().enumerate() {
            sent.entry(message.sent_row).or_default().push(i);
            message.ended_row.into_iter().for_each(|row| _ = ended.insert(row, i));
        }
        let mut remarks = self.remarks.iter_mut().rev().skip_while(|remark| remark.row > last).peekable();
        let mut involved = BTreeSet::from_iter(happens_to(&rows[last]));
        for row in (0..=last).rev() {
            while let Some(remark) = remarks.next_if(|remark| remark.row == row) {
                remark.note.is_cause = involved.contains(remark.note.machine.as_str());
            }
            if let Some(&message) = ended.get(&row) {
                let message = &mut self.messages[message];
                message.is_cause = message.lost.is_none() && involved.contains(message.to);
            }
            let sent = sent.get(&row).into_iter().flatten().map(|&message| &self.messages[message]);
            involved.extend(sent.filter(|message| message.is_cause).map(|message| message.from));
        }
    }

    fn find_ties(&mut self, rows: &[Row], deeds: &[Deed]) {
        for message in &mut self.messages {
            message.tie = match message {
                _ if deeds.iter().any(|deed| deed.exchanges(message)) => Tie::Deed,
                _ if deeds.iter().any(|deed| deed.is_carried_by(message)) => Tie::Value,
                Message { lost: Some(_), .. } => Tie::Lost,
                Message { is_cause: true, .. } => Tie::Cause,
                Message { .. } => Tie::Other,
            };
        }
        let carriers: Vec<usize> = (0..self.messages.len()).filter(|&i| self.messages[i].tie == Tie::Value).collect();
        for carrier in carriers {
            let (from, to, ended) =
                (self.messages[carrier].from, self.messages[carrier].to, self.messages[carrier].ended);
            self.raise_first(ended, Tie::Value, |message| (message.from, message.to) == (to, from));
        }
        for taken in rows.iter().filter(|row| row.what == What::Role) {
            let led = |message: &&mut Message<'_>| {
                message.to == taken.from && message.ended == taken.at && message.lost.is_none()
            };
            self.messages.iter_mut().filter(led).for_each(|message| message.tie = message.tie.min(Tie::Role));
            self.raise_first(taken.at, Tie::Role, |message| message.from == taken.from);
        }
    }

    /// Gives the first message of some kind that was sent from `at` on, and what was sent with it, a better reason.
    fn raise_first(&mut self, at: Nanos, tie: Tie, is_of_kind: impl Fn(&Message<'_>) -> bool) {
        let from = self.messages.partition_point(|message| message.sent < at);
        let mut of_kind = self.messages[from..].iter_mut().filter(|message| is_of_kind(message)).peekable();
        let first = of_kind.peek().map(|first| first.sent);
        let at_once = of_kind.take_while(|message| Some(message.sent) == first);
        at_once.for_each(|message| message.tie = message.tie.min(tie));
    }
}

/// The machine that something happened to, if it is not about what is on its way.
fn happens_to(row: &Row) -> Option<&str> {
    match row.what {
        What::Message | What::Request | What::Reply | What::Timer | What::OnDisk | What::Admin => Some(&row.to),
        What::Start | What::Crash | What::Role | What::Opinion | What::Recovery => Some(&row.from),
        What::Sent | What::Lost | What::Corrupt | What::Flush | What::Fault | What::Heal => None,
    }
}

/// Joins the two ends of each message sent before row `now`, which is the first after `to`; what is lost later counts as lost
/// at `to`. Also when those were sent of which nobody knows what became of them.
fn pair(rows: &[Row], now: usize, to: Nanos) -> (Vec<Message<'_>>, Vec<Nanos>) {
    let mut messages: Vec<Message<'_>> = Vec::new();
    // By path: what is still under way, and what has come to its end.
    let mut open: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    let mut closed: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (i, row) in rows.iter().enumerate() {
        let path = (row.from.as_str(), row.to.as_str());
        match row.what {
            What::Sent if i < now => {
                open.entry(path).or_default().push(messages.len());
                messages.push(Message::sent(i, row));
            }
            What::Message | What::Request | What::Reply | What::Lost if i < now || row.what == What::Lost => {
                let (open, closed) = (open.entry(path).or_default(), closed.entry(path).or_default());
                let is_end = |message: &usize| end(row, messages[*message].text).is_some();
                let message = if let Some(first) = open.iter().position(is_end) {
                    open.remove(first)
                } else if let Some(twin) = closed.iter().rposition(is_end) {
                    // Sent once, it arrives twice.
                    messages.push(messages[closed[twin]].clone());
                    messages.len() - 1
                } else {
                    // Sent before all this.
                    continue;
                };
                closed.push(message);
                let lost = end(row, messages[message].text).flatten();
                let message = &mut messages[message];
                (message.ended, message.lost, message.ended_row) = (row.at.min(to), lost, (i < now).then_some(i));
            }
            What::Sent | What::Message | What::Request | What::Reply | What::Lost => {}
            What::Timer | What::OnDisk | What::Flush | What::Admin | What::Start | What::Crash => {}
            What::Role | What::Opinion | What::Recovery | What::Fault | What::Heal | What::Corrupt => {}
        }
    }
    let under_way = open.into_values().flatten().map(|message| messages[message].sent).collect();
    messages.retain(|message| message.ended < Nanos::MAX);
    messages.sort_by_key(|message| message.sent);
    (messages, under_way)
}

/// Whether a row tells of the end of a message with this text, and if it was lost, why.
fn end<'a>(row: &'a Row, text: &str) -> Option<Option<&'a str>> {
    if row.what == What::Lost {
        return Some(Some(row.text.strip_prefix(text)?.strip_prefix(": ")?));
    }
    (row.text == text).then_some(None)
}

impl<'a> Message<'a> {
    /// One that has yet to arrive.
    fn sent(sent_row: usize, row: &'a Row) -> Self {
        Message {
            from: &row.from,
            to: &row.to,
            sent: row.at,
            ended: Nanos::MAX,
            text: &row.text,
            lost: None,
            tie: Tie::Other,
            is_cause: false,
            sent_row,
            ended_row: None,
        }
    }

    /// The first word of its text.
    pub(super) fn label(&self) -> &'a str {
        let end = self.text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.text.len());
        &self.text[..end]
    }
}

/// What happened to machines, by row, and what clients did.
fn remarks(rows: &[Row], deeds: &[Deed]) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        match row.what {
            What::Role => remarks.push(Remark::new(i, row.at, &row.from, role(&rows[..i], row))),
            What::Opinion => remarks.push(Remark::new(i, row.at, &row.from, format!("{} {}", row.to, row.text))),
            What::Recovery => remarks.push(Remark::new(i, row.at, &row.from, row.text.clone())),
            What::Crash => remarks.push(Remark::new(i, row.at, &row.from, crash(&row.text))),
            What::Start if row.at > 0 => remarks.push(Remark::new(i, row.at, &row.from, "restart".to_owned())),
            What::Fault | What::Heal if row.text != "crash" => {
                let struck = struck(&row.to).into_iter();
                remarks.extend(struck.map(|machine| Remark::new(i, row.at, machine, fault(row))));
            }
            What::Start | What::Fault | What::Heal => {}
            What::Sent | What::Message | What::Request | What::Reply | What::Lost | What::Corrupt => {}
            What::Timer | What::OnDisk | What::Flush | What::Admin => {}
        }
    }
    for deed in deeds {
        let begun = rows.partition_point(|row| row.at < deed.invoked);
        remarks.push(Remark::new(begun, deed.invoked, &deed.client, deed.asked.clone()));
        if let Some(completed) = deed.completed {
            let over = rows.partition_point(|row| row.at <= completed);
            remarks.push(Remark::new(over.saturating_sub(1), completed, &deed.client, deed.heard.clone()));
        }
    }
    remarks.retain(|remark| remark.row < rows.len());
    remarks.sort_by_key(|remark| (remark.row, remark.note.at_ns));
    remarks
}

/// `leader of term 2`, and which alarm made it so if one did.
fn role(before: &[Row], row: &Row) -> String {
    let taken = row.text.replacen(", term ", " of term ", 1);
    let same_step = before.iter().rev().take_while(|earlier| earlier.at == row.at);
    let mut alarms = same_step.filter(|earlier| earlier.what == What::Timer && earlier.to == row.from);
    alarms.next().map_or_else(|| taken.clone(), |alarm| format!("{taken} ({} rang)", alarm.text))
}

fn crash(text: &str) -> String {
    match text {
        "" | "0 records lost" => "crash".to_owned(),
        lost => format!("crash: {lost}"),
    }
}

/// `partition-1 begins: n1 | n2 n3`
fn fault(row: &Row) -> String {
    let does = match (row.what == What::Fault, &*row.text) {
        // It comes and goes as long as it lasts.
        (true, "flap") => "is back",
        (false, "flap") => "is away",
        (true, _) => "begins",
        (false, _) => "ends",
    };
    format!("{} {does}: {}", row.from, row.to)
}

/// At which machines to tell of a fault: each that it struck, but where it lies between some, the first of them.
fn struck(who: &str) -> Vec<&str> {
    let is_machine = |word: &&str| {
        let number = word.strip_prefix(['n', 'c']);
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let machines = who.split([' ', ':']).filter(is_machine);
    let is_between = who.contains(['|', '>', ':']) || who.contains(" - ");
    machines.take(if is_between { 1 } else { usize::MAX }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moments::Prefer;

    fn row(at: Nanos, what: What, from: &str, to: &str, text: &str) -> Row {
        Row {
            at,
            step: at,
            what,
            from: from.to_owned(),
            to: to.to_owned(),
            text: text.to_owned(),
            takes: 0,
            letter: None,
        }
    }

    fn wanted(to: Nanos, end_at: Option<&str>, deeds: Vec<Deed>) -> Wanted {
        let (title, ends_with) = ("a test".to_owned(), Some("stops".to_owned()));
        Wanted {
            title,
            starts: vec![0],
            prefer: Prefer::Early,
            to,
            end_at: end_at.map(str::to_owned),
            ends_with,
            deeds,
        }
    }

    #[test]
    fn both_ends_of_a_message_are_joined() {
        let rows = [
            row(1, What::Message, "n1", "n2", "Old"),
            row(2, What::Sent, "n1", "n2", "Same(1)"),
            row(3, What::Sent, "n1", "n2", "Same(1)"),
            row(3, What::Sent, "n2", "n1", "Same(1)"),
            row(4, What::Sent, "n1", "n2", "Gone"),
            row(5, What::Message, "n1", "n2", "Same(1)"),
            row(6, What::Lost, "n1", "n2", "Gone: cut off"),
            row(7, What::Message, "n1", "n2", "Same(1)"),
            row(8, What::Message, "n1", "n2", "Same(1)"),
            row(8, What::Sent, "n2", "n3", "Late"),
            row(9, What::Sent, "n2", "n3", "Later"),
            row(11, What::Message, "n2", "n1", "Same(1)"),
            row(12, What::Lost, "n2", "n3", "Late: timed out"),
        ];
        let story = Story::new(&rows, &wanted(10, None, Vec::new()));
        let told =
            |message: &Message<'_>| (message.sent, message.ended, message.label().to_owned(), message.lost.is_some());
        let same = |sent, ended| (sent, ended, "Same".to_owned(), false);
        let lost = |sent, ended, label: &str| (sent, ended, label.to_owned(), true);
        let expected = [same(2, 5), same(3, 7), same(3, 8), lost(4, 6, "Gone"), lost(8, 10, "Late")];
        assert_eq!(story.messages.iter().map(told).collect::<Vec<_>>(), expected, "the third arrival is a copy");
        assert_eq!(story.under_way, [3, 9], "what arrives later is not known yet");
    }

    /// n3 tells n2, n2 tells n1; n1 hears of n4 too late, and what n2 hears after it spoke does not matter.
    #[test]
    fn a_cause_was_known_before_what_it_caused() {
        let sent = |at, from, to, text| row(at, What::Sent, from, to, text);
        let heard = |at, from, to, text| row(at, What::Message, from, to, text);
        let rows = [
            sent(1, "n3", "n2", "A"),
            row(2, What::Role, "n4", "", "leader, term 1"),
            sent(2, "n4", "n2", "B"),
            heard(3, "n3", "n2", "A"),
            row(4, What::Role, "n2", "", "leader, term 7"),
            sent(4, "n2", "n1", "C"),
            sent(4, "n2", "n1", "D"),
            heard(5, "n4", "n2", "B"),
            row(5, What::Lost, "n2", "n1", "D: lost on the way"),
            heard(6, "n2", "n1", "C"),
            sent(7, "n4", "n3", "E"),
            heard(8, "n4", "n3", "E"),
        ];
        let story = Story::new(&rows, &wanted(10, Some("n1"), Vec::new()));
        let causes: Vec<&str> =
            story.messages.iter().filter(|message| message.is_cause).map(|message| message.text).collect();
        assert_eq!(causes, ["A", "C"]);
        let remarks: Vec<(&str, bool)> =
            story.remarks.iter().map(|remark| (&*remark.note.text, remark.note.is_cause)).collect();
        assert_eq!(remarks, [("leader of term 1", false), ("leader of term 7", true), ("stops", true)]);
        let ties: Vec<(&str, Tie)> = story.messages.iter().map(|message| (message.text, message.tie)).collect();
        let expected = [("A", Tie::Cause), ("B", Tie::Role), ("C", Tie::Role), ("D", Tie::Role), ("E", Tie::Other)];
        assert_eq!(ties, expected);
    }

    #[test]
    fn a_deed_is_known_by_its_client_its_values_and_what_answers_them() {
        let deed = Deed {
            client: "c1".to_owned(),
            invoked: 2,
            completed: Some(9),
            asked: "write 8070".to_owned(),
            heard: "write 8070 -> ok".to_owned(),
            values: vec!["8070".to_owned()],
        };
        let sent = |at, from, to, text| row(at, What::Sent, from, to, text);
        let heard = |at, what, from, to, text| row(at, what, from, to, text);
        let rows = [
            sent(1, "c1", "n1", "Ask(1)"),
            sent(2, "c1", "n1", "Ask(8070)"),
            heard(3, What::Request, "c1", "n1", "Ask(1)"),
            heard(3, What::Request, "c1", "n1", "Ask(8070)"),
            sent(4, "n1", "n2", "Copy(8070)"),
            sent(4, "n1", "n2", "Copy(80701)"),
            heard(5, What::Message, "n1", "n2", "Copy(8070)"),
            heard(5, What::Message, "n1", "n2", "Copy(80701)"),
            sent(6, "n2", "n1", "Copied"),
            heard(7, What::Message, "n2", "n1", "Copied"),
            sent(8, "n1", "c1", "Done"),
            heard(9, What::Reply, "n1", "c1", "Done"),
        ];
        let story = Story::new(&rows, &wanted(9, Some("c1"), vec![deed]));
        let ties: Vec<Tie> = story.messages.iter().map(|message| message.tie).collect();
        assert_eq!(ties, [Tie::Cause, Tie::Deed, Tie::Value, Tie::Cause, Tie::Value, Tie::Deed]);
        let notes: Vec<(Nanos, &str)> =
            story.remarks.iter().map(|remark| (remark.note.at_ns, &*remark.note.text)).collect();
        assert_eq!(notes, [(2, "write 8070"), (9, "write 8070 -> ok"), (9, "stops")]);
    }

    #[test]
    fn a_fault_is_told_where_it_strikes() {
        assert_eq!(struck("n1 | n2 n3"), ["n1"]);
        assert_eq!(struck("n2 n3"), ["n2", "n3"]);
        assert_eq!(struck("c2 <-> n10"), ["c2"]);
        assert_eq!(struck("n4: transfer n2"), ["n4"]);
        assert!(struck("us-east -> us-west").is_empty() && struck("nobody").is_empty());
    }

    #[test]
    fn a_role_names_the_alarm_that_led_to_it() {
        let rows = [
            row(3, What::Timer, "n1", "n1", "Early"),
            row(5, What::Timer, "n2", "n2", "Other"),
            row(5, What::Timer, "n1", "n1", "Election"),
            row(5, What::Role, "n1", "", "candidate, term 2"),
        ];
        assert_eq!(role(&rows[..3], &rows[3]), "candidate of term 2 (Election rang)");
        assert_eq!(role(&rows[..2], &rows[3]), "candidate of term 2");
    }
}
