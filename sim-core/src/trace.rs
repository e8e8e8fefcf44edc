//! Everything that happened, one row each, for those who ask. Nobody pays for it otherwise.

use crate::time::Nanos;
use std::collections::BTreeMap;

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
    post: Post,
}

impl Trace {
    pub(crate) fn new(stretches: Vec<(Nanos, Nanos)>) -> Self {
        Trace { stretches, rows: Vec::new(), post: Post::default() }
    }

    /// Whether somebody wants to see what happens now.
    #[inline]
    pub(crate) fn is_on(&self, now: Nanos) -> bool {
        !self.stretches.is_empty() && self.stretches.iter().any(|(from, to)| (*from..=*to).contains(&now))
    }

    /// Adds what happens now, or soon.
    pub(crate) fn add(&mut self, mut row: Row) {
        row.letter = self.post.letter(&row);
        let place = self.first_after(row.at);
        // What comes later comes after this step too.
        self.rows[place..].iter_mut().for_each(|later| later.step = row.step);
        self.rows.insert(place, row);
    }

    /// What was last sent between two machines comes to the end of its way at these instants, once for each copy.
    pub(crate) fn due(&mut self, from: &str, to: &str, due: &[Nanos]) {
        self.post.due(from, to, due);
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

/// What is under way, to know of what arrives which of the things sent it is.
///
/// The engine gives messages no names, since only a trace would use them. So they are known here by sender, receiver and
/// text; of those alike in every word the first is the one that comes first to the end of its way, since whatever holds up
/// messages after that (a cut, an inbox) keeps them in order.
#[derive(Clone, Debug, Default)]
struct Post {
    /// How many were sent.
    sent: u64,
    /// By sender and receiver.
    under_way: BTreeMap<(String, String), Vec<Parcel>>,
}

/// Something under way.
#[derive(Clone, Debug)]
struct Parcel {
    number: u64,
    text: String,
    /// When it comes to the end of its way; not at all if it is lost at once.
    due: Nanos,
}

impl Parcel {
    /// Whether a row tells what became of it.
    fn ends_in(&self, row: &Row) -> bool {
        let after = row.text.strip_prefix(&self.text);
        after.is_some_and(|after| after.is_empty() || (row.what == What::Lost && after.starts_with(": ")))
    }
}

impl Post {
    /// The letter that a row tells of, if it tells of one that was sent within the trace.
    fn letter(&mut self, row: &Row) -> Option<Letter> {
        let path = (row.from.clone(), row.to.clone());
        match row.what {
            What::Sent => {
                let number = self.sent;
                self.sent += 1;
                self.under_way.entry(path).or_default().push(Parcel {
                    number,
                    text: row.text.clone(),
                    due: Nanos::MAX,
                });
                Some(Letter { number, under_way: 1 })
            }
            What::Message | What::Request | What::Reply | What::Lost => {
                let on_path = self.under_way.get_mut(&path)?;
                let alike = on_path.iter().enumerate().filter(|(_, parcel)| parcel.ends_in(row));
                let first = |(_, parcel): &(usize, &Parcel)| {
                    let ends_here = row.what == What::Lost && [row.at, Nanos::MAX].contains(&parcel.due);
                    (!ends_here, parcel.due, parcel.number)
                };
                let (place, _) = alike.min_by_key(first)?;
                let number = on_path.remove(place).number;
                let under_way = on_path.iter().filter(|parcel| parcel.number == number).count() as u32;
                Some(Letter { number, under_way })
            }
            What::Timer | What::OnDisk | What::Flush | What::Admin | What::Start | What::Crash => None,
            What::Role | What::Opinion | What::Recovery | What::Fault | What::Heal | What::Corrupt => None,
        }
    }

    fn due(&mut self, from: &str, to: &str, due: &[Nanos]) {
        let Some(on_path) = self.under_way.get_mut(&(from.to_owned(), to.to_owned())) else { return };
        let Some(last) = on_path.pop() else { return };
        on_path.extend(due.iter().map(|due| Parcel { due: *due, ..last.clone() }));
    }
}

/// Which of the messages, requests and replies a row tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Counted from 0 over the whole trace.
    pub number: u64,
    /// How many copies of it are still under way after this row; of a doubled one that is just sent, only one is known of.
    pub under_way: u32,
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
    /// How long it takes: a step its node's CPU, a flush its disk, unless the node dies before; a fault until it ends
    /// ([`Nanos::MAX`]: with the load). 0 for what is over at once.
    pub takes: Nanos,
    /// Which message, request or reply it tells of, if it does and that was sent within the trace.
    pub letter: Option<Letter>,
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
    /// A node's disk began to flush.
    Flush,
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
    /// A process changed its mind of whether a peer is down.
    Opinion,
    /// A process came back to what others know.
    Recovery,
    /// A fault began.
    Fault,
    /// A fault ended.
    Heal,
}

impl What {
    /// All there are.
    pub const ALL: [What; 17] = [
        What::Sent,
        What::Message,
        What::Request,
        What::Reply,
        What::Timer,
        What::OnDisk,
        What::Flush,
        What::Admin,
        What::Start,
        What::Crash,
        What::Lost,
        What::Corrupt,
        What::Role,
        What::Opinion,
        What::Recovery,
        What::Fault,
        What::Heal,
    ];

    /// Its name in `trace.jsonl`.
    pub fn name(self) -> &'static str {
        match self {
            What::Sent => "sent",
            What::Message => "message",
            What::Request => "request",
            What::Reply => "reply",
            What::Timer => "timer",
            What::OnDisk => "on-disk",
            What::Flush => "flush",
            What::Admin => "admin",
            What::Start => "start",
            What::Crash => "crash",
            What::Lost => "lost",
            What::Corrupt => "corrupt",
            What::Role => "role",
            What::Opinion => "opinion",
            What::Recovery => "recovery",
            What::Fault => "fault",
            What::Heal => "heal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: Nanos, step: u64) -> Row {
        told(at, step, What::Role, "leader")
    }

    fn told(at: Nanos, step: u64, what: What, text: &str) -> Row {
        let (from, to, text) = ("n1".to_owned(), "n2".to_owned(), text.to_owned());
        Row { at, step, what, from, to, text, takes: 0, letter: None }
    }

    /// What the rows say of letters, in the order in which they are added: (number, copies under way). Rows of what is sent
    /// say when it comes to the end of its way.
    fn letters(rows: &[(Nanos, What, &str, &[Nanos])]) -> Vec<Option<(u64, u32)>> {
        let mut trace = Trace::new(vec![ALWAYS]);
        for (at, what, text, due) in rows {
            trace.add(told(*at, 1, *what, text));
            if !due.is_empty() {
                trace.due("n1", "n2", due);
            }
        }
        trace.take(Nanos::MAX).iter().map(|row| row.letter.map(|letter| (letter.number, letter.under_way))).collect()
    }

    #[test]
    fn what_arrives_is_known_to_be_what_was_sent() {
        let rows: [(Nanos, What, &str, &[Nanos]); 9] = [
            (1, What::Sent, "a", &[6]),
            (2, What::Sent, "b: c", &[4]),
            (3, What::Sent, "a", &[5]),
            (4, What::Message, "b: c", &[]),
            (5, What::Message, "a", &[]),
            (6, What::Lost, "a: cut off", &[]),
            (7, What::Message, "a", &[]),
            (8, What::Timer, "a", &[]),
            (9, What::Sent, "a", &[10]),
        ];
        let expected = [
            Some((0, 1)),
            Some((1, 1)),
            Some((2, 1)),
            Some((1, 0)),
            Some((2, 0)),
            Some((0, 0)),
            None,
            None,
            Some((3, 1)),
        ];
        assert_eq!(letters(&rows), expected, "the second `a` overtook the first");
    }

    #[test]
    fn what_is_lost_is_what_ends_there_and_what_is_doubled_ends_twice() {
        let at_once: [(Nanos, What, &str, &[Nanos]); 4] = [
            (1, What::Sent, "a", &[4]),
            (3, What::Sent, "a", &[]),
            (3, What::Lost, "a: lost on the way", &[]),
            (4, What::Reply, "a", &[]),
        ];
        assert_eq!(letters(&at_once), [Some((0, 1)), Some((1, 1)), Some((1, 0)), Some((0, 0))]);
        // The first waits in an inbox while the second is cut off.
        let cut: [(Nanos, What, &str, &[Nanos]); 4] = [
            (1, What::Sent, "a", &[4]),
            (2, What::Sent, "a", &[6]),
            (6, What::Lost, "a: cut off", &[]),
            (7, What::Message, "a", &[]),
        ];
        assert_eq!(letters(&cut), [Some((0, 1)), Some((1, 1)), Some((1, 0)), Some((0, 0))]);
        let twice: [(Nanos, What, &str, &[Nanos]); 4] = [
            (1, What::Sent, "a", &[2, 9]),
            (2, What::Request, "a", &[]),
            (9, What::Request, "a", &[]),
            (9, What::Request, "a", &[]),
        ];
        assert_eq!(letters(&twice), [Some((0, 1)), Some((0, 1)), Some((0, 0)), None]);
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
