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

use super::flaws::{
    ACK_BEFORE_FSYNC, COMMIT_EARLIER_TERM, COMMIT_GOES_BACK, COUNTS_UNFLUSHED, STALE_REJECT_LOWERS_NEXT,
    TRUNCATE_ALWAYS,
};
use super::log::{Command, Entry, Index, Log, Term};
use super::progress::{Mode, Progress, StaleRefusal};
use super::{Append, AppendResult, Appended, Conflict, Message, Raft, ReadMode, Record, Role, Timer};
use crate::client::Response;
use history::Object;
use sim_core::protocol::{Ctx, NodeId, Observation};

/// A follower deleted entries that its leader does not have (rule 3 of AppendEntries).
pub(super) const CONFLICT: &str = "conflicting entries deleted";

impl<O: Object> Raft<O> {
    /// "If command received from client: append entry to local log, respond after entry applied to state machine"
    /// (Figure 2).
    pub(super) fn propose(&mut self, command: Command<O::Op>, ctx: &mut Ctx<'_, Self>) {
        self.append_own(command, ctx);
        self.replicate_all(ctx);
        // A majority of one has it already.
        self.advance_commit(ctx);
    }

    /// Puts an entry of our own term into our log. What is sent from now on waits until it is on our disk; unless our own
    /// copy does not count before it is there (dissertation 10.2.1: "the leader can write to its disk in parallel with
    /// replicating to the followers").
    pub(super) fn append_own(&mut self, command: Command<O::Op>, ctx: &mut Ctx<'_, Self>) {
        let (prev, before) = (self.log.last_index(), self.log.last().time);
        let Role::Leader(leadership) = &self.role else { return };
        let (began, time) = leadership.began;
        let time = before.max(time + ctx.now().since(began));
        let entries = vec![Entry { term: self.term, time, command }];
        self.log.append(&entries);
        self.members.learn(prev + 1, &entries);
        let record = Record::Entries { prev, entries };
        if self.own_copy_counts_late() {
            let ticket = ctx.persist_later(record);
            if let Role::Leader(leadership) = &mut self.role {
                leadership.own.begin(ticket, prev + 1);
            }
        } else {
            ctx.persist(record);
        }
    }

    /// Whether our own copy counts only once it is on our disk. If we are the only voter it must: nobody else's copy proves
    /// that ours was written.
    fn own_copy_counts_late(&self) -> bool {
        self.config.parallel_disk || self.members.latest().voters.len() == 1
    }

    /// Sends everybody what is new to them.
    pub(super) fn replicate_all(&mut self, ctx: &mut Ctx<'_, Self>) {
        for peer in 0..self.peers_count() {
            self.replicate(peer, ctx);
        }
    }

    /// Sends one what is new to it, if it is still somebody we send to: its own answer may have brought a change of members
    /// to its end.
    pub(super) fn replicate_to(&mut self, id: NodeId, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &self.role else { return };
        if let Some(peer) = leadership.position(id) {
            self.replicate(peer, ctx);
        }
    }

    /// "If last log index >= nextIndex for a follower: send AppendEntries RPC with log entries starting at nextIndex"
    /// (Figure 2), presuming that it arrives.
    fn replicate(&mut self, peer: usize, ctx: &mut Ctx<'_, Self>) {
        let (last, base) = (self.log.last_index(), self.log.base());
        let Role::Leader(leadership) = &mut self.role else { return };
        let round = leadership.reads.round();
        let progress = &mut leadership.peers[peer];
        let window = progress.window.min(self.config.window);
        while progress.mode == Mode::Replicate && progress.next_index <= last && progress.under_way() < window {
            if progress.next_index <= base {
                return self.probe(peer, ctx);
            }
            let room = window - progress.under_way();
            let entries = self.log.batch_after(progress.next_index - 1, self.config.batch.min(room));
            let sent = entries.len() as u64;
            let append = append_at(&self.log, progress.next_index, entries, self.term, self.commit, round);
            ctx.send_over(self.config.transport, progress.id, append);
            progress.next_index += sent;
        }
    }

    /// Asks everybody whether the logs agree before `next_index`, and sends what follows in case they do.
    pub(super) fn probe_all(&mut self, ctx: &mut Ctx<'_, Self>) {
        for peer in 0..self.peers_count() {
            self.probe(peer, ctx);
        }
    }

    fn peers_count(&self) -> usize {
        match &self.role {
            Role::Leader(leadership) => leadership.peers.len(),
            Role::Follower | Role::PreCandidate(_) | Role::Candidate(_) => 0,
        }
    }

    /// Asks one; or, if what would have to follow is gone, begins to send it our snapshot.
    pub(super) fn probe(&mut self, peer: usize, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let round = leadership.reads.round();
        let progress = &mut leadership.peers[peer];
        let Progress { id, next_index, .. } = *progress;
        let lacks_what_is_gone = next_index <= self.log.base();
        match (&progress.mode, &self.snapshot) {
            (Mode::Snapshot { .. }, _) => self.send_piece(peer, ctx),
            (Mode::Probe | Mode::Replicate, Some(snapshot)) if lacks_what_is_gone => {
                progress.begin_snapshot(snapshot);
                self.send_piece(peer, ctx);
            }
            (Mode::Probe | Mode::Replicate, _) => {
                let entries = self.log.batch_after(next_index - 1, self.config.batch.min(self.config.window));
                let append = append_at(&self.log, next_index, entries, self.term, self.commit, round);
                ctx.send_over(self.config.transport, id, append);
            }
        }
    }

    /// Lets everybody hear that we lead: AppendEntries without entries (5.2). It carries the commit index and the round,
    /// and its answer tells whether something was lost on the way.
    pub(super) fn send_heartbeats(&mut self, ctx: &mut Ctx<'_, Self>) {
        for peer in 0..self.peers_count() {
            let Role::Leader(leadership) = &self.role else { return };
            let Progress { id, next_index, ref mode, .. } = leadership.peers[peer];
            if matches!(mode, Mode::Snapshot { .. }) || next_index <= self.log.base() {
                self.probe(peer, ctx);
                continue;
            }
            let round = leadership.reads.round();
            let append = append_at(&self.log, next_index, Vec::new(), self.term, self.commit, round);
            ctx.send_over(self.config.transport, id, append);
        }
    }

    /// "Upon election: send initial empty AppendEntries RPCs (heartbeat) to each server; repeat during idle periods to
    /// prevent election timeouts" (Figure 2).
    pub(super) fn on_heartbeat_alarm(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &mut self.role else { return };
        for peer in &mut leadership.peers {
            peer.silence += self.config.heartbeat;
        }
        self.lose_patience_with_transfer();
        self.lose_patience_with_new_members();
        self.check_quorum(ctx);
        if self.is_leader() {
            match self.config.reads {
                ReadMode::Lease => self.renew_lease(ctx),
                ReadMode::Log | ReadMode::ReadIndex | ReadMode::Follower | ReadMode::Local => self.send_heartbeats(ctx),
            }
            ctx.arm(Timer::Heartbeat, self.config.heartbeat);
        }
    }

    /// AppendEntries, receiver implementation (Figure 2); the numbers are its rules.
    pub(super) fn on_append_entries(&mut self, from: NodeId, mut append: Append<O::Op>, ctx: &mut Ctx<'_, Self>) {
        self.see_term(append.term, Some(from), ctx);
        let round = append.round;
        if append.term < self.term {
            // 1. A leader of the past; our term tells it so. Its round is not echoed: it may lead our term by now, and would
            // take the number for one of this reign.
            let round = 0;
            let result = AppendResult::Conflict(self.conflict_at(append.prev_log_index));
            return self.reply_to_append(from, Appended { term: self.term, round, result }, ctx);
        }
        if self.is_leader() {
            // Two leaders in one term. Election safety is broken already; its law says so, and we add nothing.
            return;
        }
        self.follow(from, ctx);
        self.leave_out_what_is_gone(&mut append);
        // 2. "Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm".
        let result = if self.log.term_at(append.prev_log_index) == Some(append.prev_log_term) {
            self.accept(append, ctx)
        } else {
            AppendResult::Conflict(self.conflict_at(append.prev_log_index))
        };
        self.reply_to_append(from, Appended { term: self.term, round, result }, ctx);
    }

    fn reply_to_append(&self, to: NodeId, appended: Appended, ctx: &mut Ctx<'_, Self>) {
        ctx.send_over(self.config.transport, to, Message::AppendEntriesReply(appended));
    }

    /// Somebody leads our term. "If the leader's term is at least as large as the candidate's current term, then the
    /// candidate recognizes the leader as legitimate and returns to follower state" (5.2).
    pub(super) fn follow(&mut self, leader: NodeId, ctx: &mut Ctx<'_, Self>) {
        if !matches!(self.role, Role::Follower) {
            self.become_follower(self.term, Some(leader), ctx);
        }
        if self.leader != Some(leader) {
            self.leader = Some(leader);
            self.take_back_forwarded(ctx);
        }
        self.heard_leader = Some(ctx.now());
        self.put_off_election(ctx);
    }

    /// An old message may speak of entries that are gone from our log. Those are committed, so the leader has the same.
    fn leave_out_what_is_gone(&self, append: &mut Append<O::Op>) {
        let base = self.log.base();
        if append.prev_log_index >= base {
            return;
        }
        let gone = (base - append.prev_log_index).min(append.entries.len() as u64);
        append.entries.drain(..gone as usize);
        append.prev_log_index = base;
        append.prev_log_term = self.log.term_at(base).expect("the base has a term");
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
                ctx.observe(Observation::Recovered(CONFLICT));
                self.cut(prev + 1);
            }
            // 4. "Append any new entries not already in the log".
            entries.drain(..known);
            self.log.append(&entries);
            self.members.learn(prev + 1, &entries);
            let record = Record::Entries { prev, entries };
            if self.config.flaws.has(&ACK_BEFORE_FSYNC) {
                // The mistake R05: the acknowledgement does not wait for the disk.
                ctx.persist_later(record);
            } else {
                ctx.persist(record);
            }
        } else if last_verified < self.log.last_index() && self.config.flaws.has(&TRUNCATE_ALWAYS) {
            // The mistake R04: what lies behind the message's entries goes, in conflict or not.
            self.cut(last_verified + 1);
            ctx.persist(Record::Entries { prev: last_verified, entries: Vec::new() });
        }
        // 5. "If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)". Not of our
        // last entry: what lies behind the last one verified may not be the leader's.
        let named = leader_commit.min(last_verified);
        // The mistake R30: whatever the message says.
        self.commit = if self.config.flaws.has(&COMMIT_GOES_BACK) { named } else { self.commit.max(named) };
        self.apply_committed(ctx);
        AppendResult::Matched { index: last_verified }
    }

    fn cut(&mut self, from: Index) {
        self.log.cut(from);
        self.members.cut(from);
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
        let Some(peer) = leadership.position(from) else { return };
        let progress = &mut leadership.peers[peer];
        progress.hear(appended.round);
        match appended.result {
            AppendResult::Matched { index } => {
                if progress.acknowledge(index) {
                    self.on_progress(index, ctx);
                }
                self.replicate_to(from, ctx);
            }
            AppendResult::Conflict(conflict) => {
                let is_flawed = self.config.flaws.has(&STALE_REJECT_LOWERS_NEXT);
                let stale = if is_flawed { StaleRefusal::Believed } else { StaleRefusal::Ignored };
                if progress.refuse(&conflict, &self.log, stale) {
                    self.probe(peer, ctx);
                }
            }
        }
        self.finish_round(ctx);
    }

    /// A follower is known to have everything up to `index`, which it was not before.
    pub(super) fn on_progress(&mut self, index: Index, ctx: &mut Ctx<'_, Self>) {
        if index > self.commit {
            self.advance_commit(ctx);
        }
        self.go_on_catching_up(ctx);
        self.go_on_handing_over(ctx);
    }

    /// "If there exists an N such that N > commitIndex, a majority of matchIndex[i] >= N, and log[N].term ==
    /// currentTerm: set commitIndex = N" (5.3, 5.4.2).
    ///
    /// The term matters (Figure 8): an entry of an earlier term on a majority can still be overwritten by a leader whose
    /// log ends with a later term. Once an entry of our own term is on a majority no such leader can be elected, and
    /// everything before it is committed with it.
    ///
    /// Our own copy counts although our memory runs ahead of our disk. Others acknowledge an entry only after we sent it,
    /// and it was not sent before it was on our disk, nor were the entries before it. Where that is not so (see
    /// `append_own`), our copy counts when it is on disk.
    pub(super) fn advance_commit(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Role::Leader(leadership) = &self.role else { return };
        // Also when it need no longer count late, what was written late still does.
        let counts_late = self.own_copy_counts_late() || leadership.own.is_behind();
        // The mistake R31: it counts at once all the same.
        let waits = counts_late && !self.config.flaws.has(&COUNTS_UNFLUSHED);
        let own = if waits { leadership.own.durable() } else { self.log.last_index() };
        let n = leadership.quorum_index(own, self.commit);
        // The mistake R01: entries of earlier terms are committed by counting copies.
        let may_commit = self.log.term_at(n) == Some(self.term) || self.config.flaws.has(&COMMIT_EARLIER_TERM);
        if n > self.commit && may_commit {
            self.commit = n;
            self.apply_committed(ctx);
            self.start_round(ctx);
            self.go_on_changing(ctx);
        }
    }

    /// "If commitIndex > lastApplied: increment lastApplied, apply log[lastApplied] to state machine" (5.3). A leader
    /// answers whoever asked: entries of its own term are those it took from clients itself. It is also who applies an entry
    /// first, since the others learn from it that it is committed.
    fn apply_committed(&mut self, ctx: &mut Ctx<'_, Self>) {
        let is_leader = self.is_leader();
        let rules = self.rules();
        while self.applied < self.commit {
            let Some(entry) = self.log.get(self.applied + 1) else { return };
            self.applied += 1;
            let is_ours = is_leader && entry.term == self.term;
            if let Some((client, answer)) = self.machine.apply(self.applied, entry.time, &entry.command, rules) {
                if is_leader && matches!(answer.response, Response::Returned(_)) {
                    ctx.took_effect(client, answer.serial);
                }
                if is_ours {
                    ctx.tell(client, answer);
                }
            }
            self.snapshot_when_due(ctx);
        }
        self.answer_forwarded(ctx);
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
