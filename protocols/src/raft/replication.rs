//! The leader dictates (5.3), and what a majority has written down is a fact (5.4).
//!
//! Every AppendEntries says "the entry before these is number 7 of term 3". A follower that has that very entry has, by
//! induction, the same log up to it, so it may take over the rest; one that has not refuses, and the leader goes back
//! until they agree. From then on the leader does not wait for answers: it presumes that what it sent arrives, in order,
//! and sends the next entries behind it (a pipeline over an ordered stream). If something was lost after all, the next
//! message finds a gap, is refused, and the leader goes back to asking.
//!
//! The awkward cases are old messages. An acknowledgement or refusal may have been under way while things moved on, so
//! both say what they are about: `match_index` only rises, a refusal of something already matched, or of something other
//! than what is being asked, is ignored. And a follower's acknowledgement speaks only of the entries the message named:
//! what lies behind them in its log may be another leader's and about to go.

use super::config::ACK_BEFORE_FSYNC;
use super::log::{Command, Entry, Index, Log, Term};
use super::reads::Reads;
use super::{Append, AppendResult, Appended, Conflict, Message, Raft, Record, Role, Timer};
use crate::client::{Answer, Request, Response};
use history::Object;
use sim_core::protocol::{ClientId, Ctx, NodeId};
use sim_core::time::Nanos;

/// At most so many entries go in one message, so that a follower far behind does not get its whole past at once.
pub(super) const BATCH: u64 = 64;

/// At most so many entries are under way to one follower unacknowledged; at a round trip of 10 ms still 100,000 a second.
pub(super) const WINDOW: u64 = 1024;

/// What a leader keeps in mind while it leads ("volatile state on leaders", Figure 2).
#[derive(Clone, Debug)]
pub(super) struct Leadership<Op> {
    pub peers: Vec<Progress>,
    pub reads: Reads<Op>,
}

/// What a leader knows of a follower.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    pub id: NodeId,
    /// The logs are known to agree up to here. Only rises.
    pub match_index: Index,
    /// The next entry to send. Invariant: `match_index < next_index <= last_index + 1`. What lies between the two is under
    /// way, or presumed to be.
    pub next_index: Index,
    /// Where the logs agree is not known yet. One message has asked at `next_index`, heartbeats repeat the question, and
    /// nothing else is sent until there is an answer.
    pub is_probed: bool,
    /// The latest round of asking whether we lead that it has answered.
    pub round: u64,
    /// For how long it has not been heard, in whole heartbeats.
    pub silence: Nanos,
}

impl<Op> Leadership<Op> {
    /// "Initialized to leader last log index + 1", and match to 0 (Figure 2).
    pub fn new(peers: &[NodeId], last_index: Index) -> Self {
        let progress = |&id: &NodeId| Progress {
            id,
            match_index: 0,
            next_index: last_index + 1,
            is_probed: true,
            round: 0,
            silence: 0,
        };
        Leadership { peers: peers.iter().map(progress).collect(), reads: Reads::default() }
    }
}

impl Progress {
    /// The logs agree up to `index`. Returns whether that is news.
    fn acknowledge(&mut self, index: Index) -> bool {
        self.is_probed = false;
        if index <= self.match_index {
            return false;
        }
        self.match_index = index;
        self.next_index = self.next_index.max(index + 1);
        true
    }

    /// The logs do not agree at `conflict.prev_log_index`. Returns whether to ask again, further back.
    fn refuse<Op: Clone>(&mut self, conflict: &Conflict, log: &Log<Op>) -> bool {
        let refused = conflict.prev_log_index;
        let is_stale = refused <= self.match_index || (self.is_probed && refused + 1 != self.next_index);
        if is_stale {
            return false;
        }
        self.next_index = fall_back(conflict, log).clamp(self.match_index + 1, refused);
        self.is_probed = true;
        true
    }
}

/// Where the leader should try next after a refusal (end of 5.3): one step back for each term in conflict, not for each
/// entry. If the leader has the follower's term too, they may agree as far as the leader's entries of it go; else none of
/// the follower's entries of that term will stay.
fn fall_back<Op: Clone>(conflict: &Conflict, log: &Log<Op>) -> Index {
    match conflict.term.and_then(|term| log.last_of_term(term)) {
        Some(last) => last + 1,
        None => conflict.first_index,
    }
}

impl<O: Object> Raft<O> {
    /// "If command received from client: append entry to local log, respond after entry applied to state machine"
    /// (Figure 2).
    pub(super) fn propose(&mut self, client: ClientId, request: Request<O::Op>, ctx: &mut Ctx<'_, Self>) {
        let Request { serial, attempt, op } = request;
        self.append_own(Command::Operation { client, serial, attempt, op }, ctx);
        self.replicate_all(ctx);
        // A majority of one has it already.
        self.advance_commit(ctx);
    }

    /// Puts an entry of our own term into our log. What is sent from now on waits until it is on our disk.
    pub(super) fn append_own(&mut self, command: Command<O::Op>, ctx: &mut Ctx<'_, Self>) {
        let prev = self.log.last_index();
        let entries = vec![Entry { term: self.term, command }];
        self.log.append(&entries);
        ctx.persist(Record::Entries { prev, entries });
    }

    /// Sends everybody what is new to them.
    fn replicate_all(&mut self, ctx: &mut Ctx<'_, Self>) {
        for peer in 0..self.peers.len() {
            self.replicate(peer, ctx);
        }
    }

    /// "If last log index >= nextIndex for a follower: send AppendEntries RPC with log entries starting at nextIndex"
    /// (Figure 2), presuming that it arrives.
    fn replicate(&mut self, peer: usize, ctx: &mut Ctx<'_, Self>) {
        let last = self.log.last_index();
        let Role::Leader(leadership) = &mut self.role else { return };
        let round = leadership.reads.round();
        let progress = &mut leadership.peers[peer];
        while !progress.is_probed && progress.next_index <= last && progress.next_index - progress.match_index <= WINDOW
        {
            let entries = self.log.batch_after(progress.next_index - 1, BATCH);
            let sent = entries.len() as u64;
            let append = append_at(&self.log, progress.next_index, entries, self.term, self.commit, round);
            ctx.send(progress.id, append);
            progress.next_index += sent;
        }
    }

    /// Asks everybody whether the logs agree before `next_index`, and sends what follows in case they do.
    pub(super) fn probe_all(&mut self, ctx: &mut Ctx<'_, Self>) {
        for peer in 0..self.peers.len() {
            self.probe(peer, ctx);
        }
    }

    fn probe(&self, peer: usize, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &self.role else { return };
        let Progress { id, next_index, .. } = leadership.peers[peer];
        let entries = self.log.batch_after(next_index - 1, BATCH);
        ctx.send(id, append_at(&self.log, next_index, entries, self.term, self.commit, leadership.reads.round()));
    }

    /// Lets everybody hear that we lead: AppendEntries without entries (5.2). It carries the commit index and the round,
    /// and its answer tells whether something was lost on the way.
    pub(super) fn send_heartbeats(&self, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &self.role else { return };
        let round = leadership.reads.round();
        for progress in &leadership.peers {
            let append = append_at(&self.log, progress.next_index, Vec::new(), self.term, self.commit, round);
            ctx.send(progress.id, append);
        }
    }

    /// "Upon election: send initial empty AppendEntries RPCs (heartbeat) to each server; repeat during idle periods to
    /// prevent election timeouts" (Figure 2).
    pub(super) fn on_heartbeat_alarm(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        for peer in &mut leadership.peers {
            peer.silence += self.config.heartbeat;
        }
        self.check_quorum(ctx);
        if self.is_leader() {
            self.send_heartbeats(ctx);
            ctx.arm(Timer::Heartbeat, self.config.heartbeat);
        }
    }

    /// AppendEntries, receiver implementation (Figure 2); the numbers are its rules.
    pub(super) fn on_append_entries(&mut self, from: NodeId, append: Append<O::Op>, ctx: &mut Ctx<'_, Self>) {
        self.see_term(append.term, Some(from), ctx);
        let round = append.round;
        if append.term < self.term {
            // 1. A leader of the past; our term tells it so.
            let result = AppendResult::Conflict(self.conflict_at(append.prev_log_index));
            return ctx.send(from, Message::AppendEntriesReply(Appended { term: self.term, round, result }));
        }
        if self.is_leader() {
            // Two leaders in one term. Election safety is broken already; its law says so, and we add nothing.
            return;
        }
        self.follow(from, ctx);
        // 2. "Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm".
        let result = if self.log.term_at(append.prev_log_index) == Some(append.prev_log_term) {
            self.accept(append, ctx)
        } else {
            AppendResult::Conflict(self.conflict_at(append.prev_log_index))
        };
        ctx.send(from, Message::AppendEntriesReply(Appended { term: self.term, round, result }));
    }

    /// Somebody leads our term. "If the leader's term is at least as large as the candidate's current term, then the
    /// candidate recognizes the leader as legitimate and returns to follower state" (5.2).
    fn follow(&mut self, leader: NodeId, ctx: &mut Ctx<'_, Self>) {
        if !matches!(self.role, Role::Follower) {
            self.become_follower(self.term, Some(leader), ctx);
        }
        self.leader = Some(leader);
        self.heard_leader = Some(ctx.now());
        self.put_off_election(ctx);
    }

    /// The logs agree before the entries of `append`. Takes over what is new, and says up to where they agree now.
    fn accept(&mut self, append: Append<O::Op>, ctx: &mut Ctx<'_, Self>) -> AppendResult {
        let Append { prev_log_index: prev, mut entries, leader_commit, .. } = append;
        let last_verified = prev + entries.len() as Index;
        // 3. "If an existing entry conflicts with a new one (same index but different terms), delete the existing entry
        // and all that follow it". Only then: an old message must not cut off what later ones have brought.
        let is_known = |(i, entry): (usize, &Entry<O::Op>)| self.log.term_at(prev + 1 + i as Index) == Some(entry.term);
        let known = entries.iter().enumerate().take_while(|&new| is_known(new)).count();
        if known < entries.len() {
            let prev = prev + known as Index;
            if prev < self.log.last_index() {
                self.log.cut(prev + 1);
            }
            // 4. "Append any new entries not already in the log".
            entries.drain(..known);
            self.log.append(&entries);
            let record = Record::Entries { prev, entries };
            if self.config.flaws.has(&ACK_BEFORE_FSYNC) {
                // The mistake R05: the acknowledgement does not wait for the disk.
                ctx.persist_later(record);
            } else {
                ctx.persist(record);
            }
        }
        // 5. "If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)". Not of our
        // last entry: what lies behind the last one verified may not be the leader's.
        self.commit = self.commit.max(leader_commit.min(last_verified));
        self.apply_committed(ctx);
        AppendResult::Matched { index: last_verified }
    }

    /// "When rejecting an AppendEntries request, the follower can include the term of the conflicting entry and the first
    /// index it stores for that term" (end of 5.3).
    fn conflict_at(&self, prev_log_index: Index) -> Conflict {
        let term = self.log.term_at(prev_log_index);
        Conflict { prev_log_index, term, first_index: self.log.first_of_term_at(prev_log_index) }
    }

    pub(super) fn on_append_entries_reply(&mut self, from: NodeId, appended: Appended, ctx: &mut Ctx<'_, Self>) {
        self.see_term(appended.term, None, ctx);
        let Role::Leader(leadership) = &mut self.role else { return };
        if appended.term < self.term {
            return;
        }
        let Some(peer) = leadership.peers.iter().position(|peer| peer.id == from) else { return };
        let progress = &mut leadership.peers[peer];
        progress.silence = 0;
        // Whether it agreed or refused, it took us for the leader when it was asked in this round.
        progress.round = progress.round.max(appended.round);
        match appended.result {
            AppendResult::Matched { index } => {
                if progress.acknowledge(index) && index > self.commit {
                    self.advance_commit(ctx);
                }
                self.replicate(peer, ctx);
            }
            AppendResult::Conflict(conflict) => {
                if progress.refuse(&conflict, &self.log) {
                    self.probe(peer, ctx);
                }
            }
        }
        self.finish_round(ctx);
    }

    /// "If there exists an N such that N > commitIndex, a majority of matchIndex[i] >= N, and log[N].term ==
    /// currentTerm: set commitIndex = N" (5.3, 5.4.2).
    ///
    /// The term matters (Figure 8): an entry of an earlier term on a majority can still be overwritten by a leader whose
    /// log ends with a later term. Once an entry of our own term is on a majority no such leader can be elected, and
    /// everything before it is committed with it.
    ///
    /// Our own copy counts although our memory runs ahead of our disk. Others acknowledge an entry only after we sent it,
    /// and it was not sent before it was on our disk, nor were the entries before it. And a majority of one answers
    /// nobody before its disk has it.
    pub(super) fn advance_commit(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &self.role else { return };
        let own = self.log.last_index();
        let n = quorum_index(own, &leadership.peers);
        if n > self.commit && self.log.term_at(n) == Some(self.term) {
            self.commit = n;
            self.apply_committed(ctx);
            self.start_round(ctx);
        }
    }

    /// "If commitIndex > lastApplied: increment lastApplied, apply log[lastApplied] to state machine" (5.3). A leader
    /// answers whoever asked: entries of its own term are those it took from clients itself.
    fn apply_committed(&mut self, ctx: &mut Ctx<'_, Self>) {
        let is_leader = self.is_leader();
        while self.applied < self.commit {
            let Some(entry) = self.log.get(self.applied + 1) else { return };
            self.applied += 1;
            let Command::Operation { client, serial, attempt, op } = &entry.command else { continue };
            let ret = O::apply(&mut self.state, op);
            if is_leader && entry.term == self.term {
                let response = Response::Returned(ret);
                ctx.tell(*client, Answer { serial: *serial, attempt: *attempt, response });
            }
        }
    }
}

/// AppendEntries with the entries from `next_index` on.
fn append_at<Op: Clone>(
    log: &Log<Op>,
    next_index: Index,
    entries: Vec<Entry<Op>>,
    term: Term,
    leader_commit: Index,
    round: u64,
) -> Message<Op> {
    let prev_log_index = next_index - 1;
    let prev_log_term = log.term_at(prev_log_index).expect("next <= last + 1: a leader's log never shrinks");
    Message::AppendEntries(Append { term, prev_log_index, prev_log_term, entries, leader_commit, round })
}

/// The largest index that a majority has, when we have everything up to `own`.
fn quorum_index(own: Index, peers: &[Progress]) -> Index {
    let majority = peers.len().div_ceil(2) + 1;
    let has = |index: Index| 1 + peers.iter().filter(|peer| peer.match_index >= index).count();
    let candidates = peers.iter().map(|peer| peer.match_index);
    if majority == 1 {
        return own;
    }
    candidates.filter(|&index| has(index) >= majority).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clever count against the obvious one.
    #[test]
    fn the_quorum_index_is_the_middle_of_the_sorted_ones() {
        let mut bits = 1u64;
        for round in 0..2000 {
            let peers = round % 7;
            let mut next = || {
                bits = bits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (bits >> 33) % 9
            };
            let mut leadership = Leadership::<u8>::new(&(0..peers).map(NodeId).collect::<Vec<_>>(), 0);
            leadership.peers.iter_mut().for_each(|peer| peer.match_index = next());
            let own = leadership.peers.iter().map(|peer| peer.match_index).max().unwrap_or(0) + next();
            let mut sorted: Vec<Index> = leadership.peers.iter().map(|peer| peer.match_index).chain([own]).collect();
            sorted.sort_unstable();
            let naive = sorted[(sorted.len() - 1) / 2];
            assert_eq!(quorum_index(own, &leadership.peers), naive, "{sorted:?}");
        }
    }
}
