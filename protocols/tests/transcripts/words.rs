//! How messages, records and answers are written in a transcript: short, and with all that matters.

use history::{Register, RegisterOp, RegisterRet};
use protocols::client::{Answer, Response};
use protocols::raft::log::Position;
use protocols::raft::membership::Membership;
use protocols::raft::snapshots::{Has, Snapshot};
use protocols::raft::{
    Append, AppendResult, Appended, Candidacy, Command, Conflict, Entry, Index, Message, Record, Vote,
};
use sim_core::protocol::NodeId;

pub type Words = Message<RegisterOp>;

/// The kinds of messages, as scripts name them.
pub const KINDS: [&str; 11] = [
    "PreVote",
    "PreVoteReply",
    "RequestVote",
    "RequestVoteReply",
    "AppendEntries",
    "AppendEntriesReply",
    "InstallSnapshot",
    "InstallSnapshotReply",
    "TimeoutNow",
    "ReadIndex",
    "ReadIndexReply",
];

pub fn kind(message: &Words) -> &'static str {
    let position = match message {
        Message::PreVote(_) => 0,
        Message::PreVoteReply(_) => 1,
        Message::RequestVote(_) => 2,
        Message::RequestVoteReply(_) => 3,
        Message::AppendEntries(_) => 4,
        Message::AppendEntriesReply(_) => 5,
        Message::InstallSnapshot(_) => 6,
        Message::InstallSnapshotReply(_) => 7,
        Message::TimeoutNow { .. } => 8,
        Message::ReadIndex { .. } => 9,
        Message::ReadIndexReply { .. } => 10,
    };
    KINDS[position]
}

/// The message, its kind first.
pub fn message(message: &Words) -> String {
    let what = match message {
        Message::PreVote(candidacy) | Message::RequestVote(candidacy) => self::candidacy(candidacy),
        Message::PreVoteReply(vote) | Message::RequestVoteReply(vote) => self::vote(vote),
        Message::AppendEntries(append) => self::append(append),
        Message::AppendEntriesReply(appended) => self::appended(appended),
        Message::InstallSnapshot(piece) => {
            let bytes = format!("bytes from {} of {}", piece.offset, piece.length);
            format!("term {}, snapshot {}, {bytes}{}", piece.term, position(piece.last), round(piece.round))
        }
        Message::InstallSnapshotReply(received) => {
            let has = match received.has {
                Has::Bytes(bytes) => format!("{bytes} bytes"),
                Has::Everything => "everything".to_owned(),
            };
            format!("term {}, snapshot {}, has {has}{}", received.term, received.index, round(received.round))
        }
        Message::TimeoutNow { term } => format!("term {term}"),
        // The number of a question is drawn by lot; it says nothing.
        Message::ReadIndex { .. } => return kind(message).to_owned(),
        Message::ReadIndexReply { read_index, .. } => format!("{read_index}"),
    };
    format!("{} {what}", kind(message))
}

fn candidacy(candidacy: &Candidacy) -> String {
    let Candidacy { term, last_log_index, last_log_term, by_order } = candidacy;
    let order = if *by_order { ", by order" } else { "" };
    format!("term {term}, log ends at {last_log_index}:{last_log_term}{order}")
}

fn vote(vote: &Vote) -> String {
    format!("term {}, {}", vote.term, if vote.granted { "granted" } else { "refused" })
}

fn append(append: &Append<RegisterOp>) -> String {
    let Append { term, prev_log_index: prev, prev_log_term, leader_commit, .. } = append;
    let entries = if append.entries.is_empty() { "nothing".to_owned() } else { entries(*prev, &append.entries) };
    let round = round(append.round);
    format!("term {term}, behind {prev}:{prev_log_term} {entries}, commit {leader_commit}{round}")
}

fn appended(appended: &Appended) -> String {
    let result = match appended.result {
        AppendResult::Matched { index } => format!("matched up to {index}"),
        AppendResult::Conflict(Conflict { prev_log_index, term: None, first_index }) => {
            format!("no entry {prev_log_index}, the log ends before {first_index}")
        }
        AppendResult::Conflict(Conflict { prev_log_index, term: Some(term), first_index }) => {
            format!("not that entry {prev_log_index}, but one of term {term}, the first of which is {first_index}")
        }
    };
    format!("term {}, {result}{}", appended.term, round(appended.round))
}

fn round(round: u64) -> String {
    if round == 0 { String::new() } else { format!(", round {round}") }
}

/// `[4:2 write 7, 5:2 no-op]`: index, term, command.
fn entries(prev: Index, entries: &[Entry<RegisterOp>]) -> String {
    let each = (prev + 1..).zip(entries).map(|(index, entry)| format!("{index}:{} {}", entry.term, command(entry)));
    format!("[{}]", each.collect::<Vec<_>>().join(", "))
}

fn command(entry: &Entry<RegisterOp>) -> String {
    match &entry.command {
        Command::Noop => "no-op".to_owned(),
        Command::Register { .. } => "register".to_owned(),
        Command::Operation { serial, session: None, op: said, .. } => format!("{} #{serial}", op(said)),
        Command::Operation { serial, session: Some(session), op: said, .. } => {
            format!("{} #{serial} of session {}", op(said), session.id.0)
        }
        Command::Members(members) => format!("members {}", membership(members)),
    }
}

pub fn op(op: &RegisterOp) -> String {
    match op {
        RegisterOp::Read => "read".to_owned(),
        RegisterOp::Write(value) => format!("write {value}"),
        RegisterOp::Cas { from, to } => format!("cas {from} {to}"),
        RegisterOp::Append(value) => format!("append {value}"),
    }
}

/// `n1 n2 n3`, and whoever else takes part.
pub fn membership(members: &Membership) -> String {
    let mut text = nodes(&members.voters);
    for (name, ids) in [("outgoing", &members.outgoing), ("learning", &members.learners)] {
        if !ids.is_empty() {
            text.push_str(&format!(" ({name} {})", nodes(ids)));
        }
    }
    text
}

pub fn nodes(nodes: &[NodeId]) -> String {
    nodes.iter().map(NodeId::to_string).collect::<Vec<_>>().join(" ")
}

fn position(position: Position) -> String {
    format!("{}:{}", position.index, position.term)
}

pub fn record(record: &Record<RegisterOp>) -> String {
    match record {
        Record::Term { term, vote: None } => format!("term {term}, no vote"),
        Record::Term { term, vote: Some(vote) } => format!("term {term}, vote for {vote}"),
        Record::Entries { prev, entries: none } if none.is_empty() => format!("nothing behind {prev}"),
        Record::Entries { prev, entries: some } => entries(*prev, some),
        Record::Snapshot(snapshot) => self::snapshot(snapshot),
        Record::Contents(_) => "contents without a label".to_owned(),
    }
}

fn snapshot(snapshot: &Snapshot) -> String {
    let machine = snapshot.contents.read::<Register>();
    let sessions = match machine.sessions.count() {
        0 => String::new(),
        count => format!(", {count} sessions"),
    };
    let members = membership(&snapshot.members);
    format!("snapshot {} ({}{sessions}), members {members}", position(snapshot.last), machine.data)
}

pub fn answer(answer: &Answer<RegisterRet>) -> String {
    let response = match &answer.response {
        Response::Returned(RegisterRet::Value(value)) => format!("{value}"),
        Response::Returned(RegisterRet::Done) => "done".to_owned(),
        Response::Returned(RegisterRet::Mismatch) => "it is another value".to_owned(),
        Response::Redirect(Some(node)) => format!("ask {node}"),
        Response::Redirect(None) => "ask another".to_owned(),
        Response::Refused => "refused".to_owned(),
        Response::Unknown => "nobody knows".to_owned(),
        Response::Registered(session) => format!("session {} is open", session.0),
        Response::SessionClosed => "the session is closed".to_owned(),
    };
    format!("#{} {response}", answer.serial)
}
