//! Who leads (5.2), and how not to disturb whoever does (dissertation 9.6, 6.2, 4.2.3).
//!
//! A node that hears no leader for a while opens a new term, votes for itself and asks the others. One vote a term and
//! node, and a majority to win: so no term has two winners. Timeouts are drawn at random, and anew each time, so that
//! usually one node is well ahead of the others and split votes do not repeat.
//!
//! The awkward cases are nodes that stand without need. One that was cut off keeps timing out; when it comes back with its
//! high term, everybody would drop a healthy leader for it. Hence *pre-vote*: ask first whether you could win, without
//! raising any term. And one that hears nobody but is heard (a one-way cut) would go on forever: hence voters that hear
//! a leader do not listen to candidates. That in turn would protect a leader who can speak but not hear, and commits
//! nothing: hence *check-quorum*, a leader that does not hear a majority steps down. Each is right without the other;
//! together they keep a cluster steady whose links are half broken.
//!
//! A voter's promise must survive its crash, so term and vote are on disk before the reply leaves.

use super::flaws::{CANDIDATE_GRANTS_VOTE, FORGETS_WAITING_CLIENTS, NO_PRE_VOTE, NO_QUORUM_CHECK, VOTE_BY_LENGTH};
use super::log::{Command, Record, Term};
use super::membership::Membership;
use super::progress::{Leadership, Own};
use super::{Candidacy, Message, Raft, Role, Timer, Vote, writes};
use crate::client::{Answer, Response};
use history::Object;
use sim_core::protocol::{Ctx, NodeId, Ticket};
use sim_core::time::{LocalTime, Nanos};

/// Who has said yes. A vote that arrives twice counts once.
#[derive(Clone, Debug, Default)]
pub(super) struct Poll {
    granted: Vec<NodeId>,
    /// Our own vote is on its way to the disk, and counts when it is there.
    own: Option<Ticket>,
}

impl Poll {
    /// Counts a voter, and says whether that makes a quorum.
    fn count(&mut self, voter: NodeId, members: &Membership) -> bool {
        if !self.granted.contains(&voter) {
            self.granted.push(voter);
        }
        members.is_quorum(|id| self.granted.contains(&id))
    }
}

/// Why a node stands for election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has heard no leader for long enough.
    TimedOut,
    /// The leader told it to.
    Ordered,
}

impl<O: Object> Raft<O> {
    /// A message says that its sender is in `term`. "If one server's current term is smaller than the other's, then it
    /// updates its current term to the larger value; if a candidate or leader discovers that its term is out of date, it
    /// immediately reverts to follower state" (5.1). Nobody else compares terms to step down.
    pub(super) fn see_term(&mut self, term: Term, leader: Option<NodeId>, ctx: &mut Ctx<'_, Self>) {
        if term > self.term {
            self.become_follower(term, leader, ctx);
        }
    }

    /// Follows in `term`, this one or a later one.
    pub(super) fn become_follower(&mut self, term: Term, leader: Option<NodeId>, ctx: &mut Ctx<'_, Self>) {
        let was_leader = self.is_leader();
        if was_leader {
            self.leave_clients(leader, ctx);
            ctx.disarm(Timer::Heartbeat);
        }
        let was_candidate = matches!(self.role, Role::Candidate(_));
        let is_news = was_leader || was_candidate || term > self.term;
        self.role = Role::Follower;
        if self.leader != leader {
            self.leader = leader;
            self.take_back_forwarded(ctx);
        }
        // When a leader was last heard stays: that it would not be voted against for a while was promised to that leader,
        // who may read under it, and nobody has told it of this term yet.
        if term > self.term {
            self.term = term;
            self.vote = None;
            self.persist_term(ctx);
        }
        if is_news {
            self.observe_role(ctx);
        }
        if was_leader {
            self.put_off_election(ctx);
        }
    }

    /// A leader steps down: those who wait for it must not wait in vain. Whether their writes will be committed is up to
    /// later leaders; their reads can be asked elsewhere.
    fn leave_clients(&mut self, leader: Option<NodeId>, ctx: &mut Ctx<'_, Self>) {
        if self.config.flaws.has(&FORGETS_WAITING_CLIENTS) {
            // The mistake R38: they do.
            return;
        }
        for entry in self.log.after(self.applied).iter().filter(|entry| entry.term == self.term) {
            match &entry.command {
                Command::Operation { client, serial, attempt, op, .. } => {
                    let response = if writes::<O>(op) { Response::Unknown } else { Response::Redirect(leader) };
                    ctx.tell(*client, Answer { serial: *serial, attempt: *attempt, response });
                }
                Command::Register { client, serial, attempt } => {
                    // If it is opened after all, nobody will use it.
                    let response = Response::Redirect(leader);
                    ctx.tell(*client, Answer { serial: *serial, attempt: *attempt, response });
                }
                Command::Noop | Command::Members(_) => {}
            }
        }
        if let Role::Leader(leadership) = &mut self.role {
            leadership.reads.redirect(leader, ctx);
        }
    }

    /// Draws a new election timeout, from now on.
    pub(super) fn put_off_election(&self, ctx: &mut Ctx<'_, Self>) {
        let (min, max) = self.config.election_timeout;
        let timeout = ctx.dice().between(min, max);
        ctx.arm(Timer::Election, timeout);
    }

    /// Rule for followers and candidates: "if election timeout elapses without receiving AppendEntries RPC from current
    /// leader or granting vote to candidate" (Figure 2).
    pub(super) fn on_election_alarm(&mut self, ctx: &mut Ctx<'_, Self>) {
        match self.role {
            Role::Leader(_) => {}
            // Who has no say waits until somebody calls.
            _ if !self.members.may_lead(self.me, self.commit) => {
                self.doubt_leader(ctx);
                self.put_off_election(ctx);
            }
            Role::Follower | Role::PreCandidate(_) | Role::Candidate(_) => self.stand(ctx),
        }
    }

    /// This node has waited long enough. It gives up its belief in a leader, too: two nodes that both refused to vote
    /// because each still remembered the dead leader (its clock may have gone back) would refuse each other forever.
    fn stand(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.doubt_leader(ctx);
        // The mistake R12: it disturbs the others without asking.
        if self.config.pre_vote && !self.config.flaws.has(&NO_PRE_VOTE) {
            self.start_pre_vote(ctx);
        } else {
            self.start_election(Standing::TimedOut, ctx);
        }
    }

    /// Nobody is sent to a leader of the past: "they must discard this information when starting a new election" (6.2).
    pub(super) fn doubt_leader(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.leader = None;
        self.heard_leader = None;
        self.take_back_forwarded(ctx);
    }

    /// "A candidate only increments its term if it first learns from a majority of the cluster that they would be willing to
    /// grant the candidate their votes" (9.6). Nothing is raised, nothing written down.
    fn start_pre_vote(&mut self, ctx: &mut Ctx<'_, Self>) {
        let was_candidate = matches!(self.role, Role::Candidate(_));
        self.role = Role::PreCandidate(Poll::default());
        if was_candidate {
            self.observe_role(ctx);
        }
        self.put_off_election(ctx);
        self.canvass(Message::PreVote(self.candidacy(self.term + 1, Standing::TimedOut)), ctx);
        self.count_pre_vote(self.me, ctx);
    }

    /// "On conversion to candidate, start election: increment currentTerm, vote for self, reset election timer, send
    /// RequestVote RPCs to all other servers" (Figure 2).
    pub(super) fn start_election(&mut self, why: Standing, ctx: &mut Ctx<'_, Self>) {
        self.term += 1;
        self.vote = Some(self.me);
        self.role = Role::Candidate(Poll::default());
        self.observe_role(ctx);
        self.put_off_election(ctx);
        if *self.members.latest().electorate() == [self.me] {
            // Nobody else's vote proves that ours is on disk. If we led before it is and crashed, we might lead the same term
            // twice, with another log.
            let own = Some(ctx.persist_later(Record::Term { term: self.term, vote: self.vote }));
            self.role = Role::Candidate(Poll { own, ..Poll::default() });
            return;
        }
        self.persist_term(ctx);
        self.canvass(Message::RequestVote(self.candidacy(self.term, why)), ctx);
        // Our own vote counts at once although it is not on disk yet. It needs others' votes to matter, and these answer
        // requests that leave only once it is. If we crash before, nobody has heard of this candidacy.
        self.count_vote(self.me, ctx);
    }

    /// Our own vote is on disk, if that was what was written.
    pub(super) fn on_own_vote(&mut self, ticket: Ticket, ctx: &mut Ctx<'_, Self>) {
        let Role::Candidate(poll) = &mut self.role else { return };
        if poll.own == Some(ticket) {
            self.count_vote(self.me, ctx);
        }
    }

    fn candidacy(&self, term: Term, why: Standing) -> Candidacy {
        let (last_log_index, last_log_term) = (self.log.last_index(), self.log.last_term());
        Candidacy { term, last_log_index, last_log_term, by_order: why == Standing::Ordered }
    }

    /// Sends this to everybody else who votes.
    fn canvass(&self, message: Message<O::Op>, ctx: &mut Ctx<'_, Self>) {
        for voter in self.members.latest().electorate().into_iter().filter(|&voter| voter != self.me) {
            ctx.send_over(self.config.transport, voter, message.clone());
        }
    }

    /// 9.6: grant a pre-vote exactly if the vote would be granted and no leader is heard. Neither term nor timer change,
    /// whatever comes of it.
    pub(super) fn on_pre_vote(&mut self, candidate: NodeId, candidacy: Candidacy, ctx: &mut Ctx<'_, Self>) {
        if self.hears_leader(ctx.now()) {
            return;
        }
        let granted = self.would_vote(candidate, &candidacy);
        // A refusal carries our own term, so that a candidate left behind learns of it; a grant speaks of the term asked
        // about, lest a candidate that is behind throw it away.
        let term = if granted { candidacy.term } else { self.term };
        ctx.send_over(self.config.transport, candidate, Message::PreVoteReply(Vote { term, granted }));
    }

    pub(super) fn on_pre_vote_reply(&mut self, voter: NodeId, vote: Vote, ctx: &mut Ctx<'_, Self>) {
        if !vote.granted {
            self.see_term(vote.term, None, ctx);
        } else if vote.term == self.term + 1 {
            self.count_pre_vote(voter, ctx);
        }
    }

    fn count_pre_vote(&mut self, voter: NodeId, ctx: &mut Ctx<'_, Self>) {
        let Role::PreCandidate(poll) = &mut self.role else { return };
        if poll.count(voter, self.members.latest()) {
            self.start_election(Standing::TimedOut, ctx);
        }
    }

    /// RequestVote, receiver implementation (Figure 2).
    pub(super) fn on_request_vote(&mut self, candidate: NodeId, candidacy: Candidacy, ctx: &mut Ctx<'_, Self>) {
        // "If a server receives a RequestVote request within the minimum election timeout of hearing from a current
        // leader, it does not update its term or grant its vote" (dissertation 4.2.3); unless that leader wants it so.
        if self.config.check_quorum && self.hears_leader(ctx.now()) && !candidacy.by_order {
            return;
        }
        self.see_term(candidacy.term, None, ctx);
        let granted = self.would_vote(candidate, &candidacy);
        if granted {
            self.vote = Some(candidate);
            self.put_off_election(ctx);
            self.persist_term(ctx);
        }
        ctx.send_over(self.config.transport, candidate, Message::RequestVoteReply(Vote { term: self.term, granted }));
    }

    /// Whether this node would vote for the candidate: it has not given its vote in that term to another, and the
    /// candidate's log is at least as up to date as its own (5.4.1).
    fn would_vote(&self, candidate: NodeId, candidacy: &Candidacy) -> bool {
        let is_free = match self.vote {
            None => true,
            Some(voted_for) if voted_for == candidate => true,
            // The mistake R33: a vote for oneself is forgotten when another asks.
            Some(voted_for) => voted_for == self.me && self.config.flaws.has(&CANDIDATE_GRANTS_VOTE),
        };
        let may_vote = candidacy.term > self.term || (candidacy.term == self.term && is_free);
        let is_up_to_date = if self.config.flaws.has(&VOTE_BY_LENGTH) {
            // The mistake R03: any end will do if it is late enough.
            candidacy.last_log_index >= self.log.last_index()
        } else {
            self.log.is_no_newer_than(candidacy.last_log_term, candidacy.last_log_index)
        };
        may_vote && is_up_to_date
    }

    pub(super) fn on_request_vote_reply(&mut self, voter: NodeId, vote: Vote, ctx: &mut Ctx<'_, Self>) {
        self.see_term(vote.term, None, ctx);
        if vote.granted && vote.term == self.term {
            self.count_vote(voter, ctx);
        }
    }

    /// "If votes received from majority of servers: become leader" (Figure 2).
    fn count_vote(&mut self, voter: NodeId, ctx: &mut Ctx<'_, Self>) {
        let Role::Candidate(poll) = &mut self.role else { return };
        if poll.count(voter, self.members.latest()) {
            self.become_leader(ctx);
        }
    }

    fn become_leader(&mut self, ctx: &mut Ctx<'_, Self>) {
        let last = self.log.last();
        let began = (ctx.now(), last.time);
        self.role = Role::Leader(Box::new(Leadership::new(self.me, self.members.latest(), last.index, began)));
        self.leader = Some(self.me);
        self.observe_role(ctx);
        ctx.disarm(Timer::Election);
        ctx.arm(Timer::Heartbeat, self.config.heartbeat);
        // "Each leader commit[s] a blank no-op entry into the log at the start of its term" (section 8): entries of
        // earlier terms become committed with it, and reads may be answered. It also announces the leader.
        self.append_own(Command::Noop, ctx);
        self.probe_all(ctx);
        self.advance_commit(ctx);
    }

    /// Whether this node has good reason to believe that a leader is there: it is one, or has heard one within the
    /// shortest election timeout.
    fn hears_leader(&self, now: LocalTime) -> bool {
        let lately = |heard: LocalTime| now.since(heard) < self.config.shortest_election_timeout();
        self.is_leader() || self.heard_leader.is_some_and(lately)
    }

    /// Check-quorum: "a leader in Raft steps down if an election timeout elapses without a successful round of heartbeats
    /// to a majority of its cluster; this allows clients to retry their requests with another server" (6.2).
    ///
    /// Silence is counted in heartbeats, not read from a clock, so that a clock set back does not hide it.
    pub(super) fn check_quorum(&mut self, ctx: &mut Ctx<'_, Self>) {
        let patience: Nanos = self.config.shortest_election_timeout();
        let Role::Leader(leadership) = &self.role else { return };
        // The mistake R16: it does not ask.
        let asks = self.config.check_quorum && !self.config.flaws.has(&NO_QUORUM_CHECK);
        if asks && !leadership.is_quorum(Own::Yes, |peer| peer.silence <= patience) {
            self.become_follower(self.term, None, ctx);
        }
    }
}
