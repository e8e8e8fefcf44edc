//! Everything that happened, one row each, for those who ask. Nobody pays for it otherwise.

use crate::time::Nanos;

/// All the time there is: `from` and `to` of a trace without gaps.
pub const ALWAYS: (Nanos, Nanos) = (0, Nanos::MAX);

/// The rows of the stretches of time that somebody wants to see.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    /// From when to when, both included.
    stretches: Vec<(Nanos, Nanos)>,
    /// By time. The last of them may still be to come: a step is told of at its beginning, and what it asks for leaves at
    /// its end.
    rows: Vec<Row>,
}

impl Trace {
    pub(crate) fn new(stretches: Vec<(Nanos, Nanos)>) -> Self {
        Trace { stretches, rows: Vec::new() }
    }

    /// Whether somebody wants to see what happens now.
    #[inline]
    pub(crate) fn is_on(&self, now: Nanos) -> bool {
        !self.stretches.is_empty() && self.stretches.iter().any(|(from, to)| (*from..=*to).contains(&now))
    }

    /// Adds what happens now, or soon.
    pub(crate) fn add(&mut self, row: Row) {
        let place = self.first_after(row.at);
        // What comes later comes after this step too.
        self.rows[place..].iter_mut().for_each(|later| later.step = row.step);
        self.rows.insert(place, row);
    }

    /// What has happened by now and was not taken before.
    pub(crate) fn take(&mut self, now: Nanos) -> Vec<Row> {
        let later = self.rows.split_off(self.first_after(now));
        std::mem::replace(&mut self.rows, later)
    }

    /// The few that are still to come stand at the end.
    fn first_after(&self, at: Nanos) -> usize {
        self.rows.len() - self.rows.iter().rev().take_while(|row| row.at > at).count()
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When, in true time. Rows are in the order of time.
    pub at: Nanos,
    /// How many events had been delivered by then, this one included.
    pub step: u64,
    /// What.
    pub what: What,
    /// Who caused it: a machine (`n1`, `c3`) or a fault.
    pub from: String,
    /// Whom it befell; empty if nobody.
    pub to: String,
    /// The message, timer or reason.
    pub text: String,
}

/// Kinds of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A message, request or reply left a machine. Its `from`, `to` and `text` are those of the row that tells what became
    /// of it: it arrived, twice if it was doubled, or was lost.
    Sent,
    /// A process was told of a message from a peer.
    Message,
    /// A process was told of a request from a client.
    Request,
    /// A client was told of a reply.
    Reply,
    /// An alarm rang.
    Timer,
    /// A record asked for with `persist_later` is on disk.
    OnDisk,
    /// An order from the operator.
    Admin,
    /// A process began.
    Start,
    /// A process died.
    Crash,
    /// A message, request or reply was lost; why stands after its text and a colon.
    Lost,
    /// A message, request or reply was damaged on its way over a stream, and is sent again.
    Corrupt,
    /// A process took a role.
    Role,
    /// A fault began.
    Fault,
    /// A fault ended.
    Heal,
}

impl What {
    /// Its name in `trace.jsonl`.
    pub fn name(self) -> &'static str {
        match self {
            What::Sent => "sent",
            What::Message => "message",
            What::Request => "request",
            What::Reply => "reply",
            What::Timer => "timer",
            What::OnDisk => "on-disk",
            What::Admin => "admin",
            What::Start => "start",
            What::Crash => "crash",
            What::Lost => "lost",
            What::Corrupt => "corrupt",
            What::Role => "role",
            What::Fault => "fault",
            What::Heal => "heal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: Nanos, step: u64) -> Row {
        Row { at, step, what: What::Sent, from: String::new(), to: String::new(), text: String::new() }
    }

    #[test]
    fn what_is_to_come_waits_for_its_time() {
        let mut trace = Trace::new(vec![ALWAYS]);
        let rows = [row(10, 1), row(15, 1), row(12, 2), row(15, 3), row(15, 3), row(14, 4)];
        rows.into_iter().for_each(|row| trace.add(row));
        let told = |rows: Vec<Row>| rows.iter().map(|row| (row.at, row.step)).collect::<Vec<_>>();
        assert_eq!(told(trace.take(14)), [(10, 1), (12, 2), (14, 4)]);
        assert_eq!(told(trace.take(14)), []);
        trace.add(row(15, 5));
        assert_eq!(told(trace.take(15)), [(15, 4), (15, 4), (15, 4), (15, 5)]);
    }

    #[test]
    fn a_trace_is_on_in_its_stretches() {
        let trace = Trace::new(vec![(5, 7), (7, 9), (20, 20)]);
        assert_eq!([4, 5, 7, 9, 10, 20, 21].map(|now| trace.is_on(now)), [false, true, true, true, false, true, false]);
        assert!(!Trace::new(Vec::new()).is_on(0));
    }
}
