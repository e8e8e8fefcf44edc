//! Everything that happened, one row each, for those who ask. Nobody pays for it otherwise.

use crate::time::Nanos;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When, in true time.
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
    /// A message, request or reply was lost.
    Lost,
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
            What::Message => "message",
            What::Request => "request",
            What::Reply => "reply",
            What::Timer => "timer",
            What::OnDisk => "on-disk",
            What::Admin => "admin",
            What::Start => "start",
            What::Crash => "crash",
            What::Lost => "lost",
            What::Role => "role",
            What::Fault => "fault",
            What::Heal => "heal",
        }
    }
}
