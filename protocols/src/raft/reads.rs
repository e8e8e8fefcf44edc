//! Reads that are not written into the log: ReadIndex (dissertation 6.4).
//!
//! A leader's state holds every committed write, so it could answer a read by itself, if only it knew that it still leads:
//! a leader that was cut off is the last to hear of its successor. So it asks. It notes its commit index, sends a
//! heartbeat, and once a majority has answered it knows that it still led *after* the question arrived: nobody else can
//! have committed anything by then. Then the state as of the noted index is new enough.
//!
//! 1. A new leader first waits until an entry of its own term is committed: before that its commit index may lag behind
//!    what its predecessor told clients.
//! 2. `read_index = commit_index`.
//! 3. A round of heartbeats. Each AppendEntries carries the number of the latest round and each reply echoes it, so a
//!    reply under way from an earlier round proves nothing.
//! 4. Wait until `read_index` is applied, then answer.
//!
//! One round at a time: reads that arrive while it is under way wait together for the next.

use super::config::READ_WITHOUT_QUORUM;
use super::log::Index;
use super::{Raft, Role};
use crate::client::{Request, Response};
use history::Object;
use sim_core::protocol::{ClientId, Ctx, NodeId};

/// The reads that wait for a leader.
#[derive(Clone, Debug)]
pub(super) struct Reads<Op> {
    /// Numbers the rounds of this leadership; 0 before the first.
    round: u64,
    /// While a round is under way: up to where the state must be applied for the reads in `asked`.
    read_index: Option<Index>,
    /// They wait for the round under way.
    asked: Vec<(ClientId, Request<Op>)>,
    /// They came too late for it and wait for the next.
    waiting: Vec<(ClientId, Request<Op>)>,
}

impl<Op> Default for Reads<Op> {
    fn default() -> Self {
        Reads { round: 0, read_index: None, asked: Vec::new(), waiting: Vec::new() }
    }
}

impl<Op> Reads<Op> {
    /// The latest round.
    pub fn round(&self) -> u64 {
        self.round
    }

    /// We no longer lead: they may ask elsewhere.
    pub fn redirect<O: Object<Op = Op>>(&mut self, leader: Option<NodeId>, ctx: &mut Ctx<'_, Raft<O>>) {
        for (client, request) in self.asked.drain(..).chain(self.waiting.drain(..)) {
            ctx.tell(client, request.answer(Response::Redirect(leader)));
        }
    }
}

impl<O: Object> Raft<O> {
    /// A client asks the leader to read.
    pub(super) fn read(&mut self, client: ClientId, request: Request<O::Op>, ctx: &mut Ctx<'_, Self>) {
        if self.config.flaws.has(&READ_WITHOUT_QUORUM) {
            // The mistake R06: whether we still lead is not asked.
            let ret = O::apply(&mut self.state, &request.op);
            return ctx.tell(client, request.answer(Response::Returned(ret)));
        }
        let Role::Leader(leadership) = &mut self.role else { return };
        leadership.reads.waiting.push((client, request));
        self.start_round(ctx);
    }

    /// Steps 1 to 3: asks for everybody who waits, unless a round is under way.
    pub(super) fn start_round(&mut self, ctx: &mut Ctx<'_, Self>) {
        let has_committed_own = self.log.term_at(self.commit) == Some(self.term);
        let Role::Leader(leadership) = &mut self.role else { return };
        let reads = &mut leadership.reads;
        if reads.read_index.is_some() || reads.waiting.is_empty() || !has_committed_own {
            return;
        }
        reads.round += 1;
        reads.read_index = Some(self.commit);
        std::mem::swap(&mut reads.asked, &mut reads.waiting);
        self.send_heartbeats(ctx);
        self.finish_round(ctx);
    }

    /// Step 4, once a majority has answered in this round.
    pub(super) fn finish_round(&mut self, ctx: &mut Ctx<'_, Self>) {
        let majority = self.majority();
        let Role::Leader(leadership) = &mut self.role else { return };
        let reads = &mut leadership.reads;
        let Some(read_index) = reads.read_index else { return };
        let confirmed = 1 + leadership.peers.iter().filter(|peer| peer.round >= reads.round).count();
        if confirmed < majority || self.applied < read_index {
            return;
        }
        reads.read_index = None;
        for (client, request) in reads.asked.drain(..) {
            let ret = O::apply(&mut self.state, &request.op);
            ctx.tell(client, request.answer(Response::Returned(ret)));
        }
        self.start_round(ctx);
    }
}
