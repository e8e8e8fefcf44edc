//! What must hold after every step: the five laws of Figure 3, and seven of our own.
//!
//! The laws look on from outside: no rule of the protocol reads them, and they read no flaw. They work by *registers*, as
//! a town clerk does, so that nothing has to be compared twice:
//!
//! - who led which term (election safety, leader completeness);
//! - every entry ever seen at (index, term), with the term of the entry before it. If no two nodes ever disagree on such
//!   a line, then by induction two logs that share an entry share everything before it: log matching;
//! - the term of the entry first seen committed at each index. With log matching, index and term name the entry, so a
//!   node that commits another term's entry there has broken state machine safety, however long ago the first one was and
//!   whoever has crashed since. So these lines are the one true log, and applying them makes the one true machine, with
//!   which every snapshot is compared (`truth`).
//!
//! Of each node they remember what it was like after its latest step. A step that changed none of it costs a few
//! comparisons; else only what is new is entered or compared. After a crash a node may have less than before, since its
//! memory runs ahead of its disk, so it is looked at as a new one; the registers stay.

use super::log::{Command, Entry, Index, Term};
use super::progress::Progress;
use super::{Raft, Role};
use crate::truth::Truth;
use history::Object;
use sim_core::laws::{Breach, Laws, Nodes};
use sim_core::protocol::NodeId;
use std::collections::BTreeMap;

const ELECTION_SAFETY: &str = "election safety";
const LEADER_APPEND_ONLY: &str = "leader append-only";
const LOG_MATCHING: &str = "log matching";
const LEADER_COMPLETENESS: &str = "leader completeness";
const STATE_MACHINE_SAFETY: &str = "state machine safety";
const COMMIT_NEVER_RETREATS: &str = "commit never retreats";
const TERM_NEVER_FALLS: &str = "term never falls";
const NEXT_ABOVE_MATCH: &str = "next above match";
const COMMIT_WITHIN_LOG: &str = "commit within log";
const APPLIED_NEVER_RETREATS: &str = "applied never retreats";
const SNAPSHOT_IS_THE_STATE: &str = "snapshot is the state";
const MEMBERS_OF_THE_LOG: &str = "members are the log's latest";

/// Raft's laws, and what they remember.
#[derive(Clone, Debug)]
pub struct RaftLaws<O: Object> {
    /// By node id: what it was like when last looked at.
    seen: Vec<Seen>,
    /// Who led each term.
    leaders: BTreeMap<Term, NodeId>,
    written: Written<O::Op>,
    /// Entry number `i` at position `i - 1`.
    committed: Vec<Committed>,
    truth: Truth<O>,
}

/// What the laws compare between two steps of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    term: Term,
    leads: bool,
    last: Index,
    cuts: u64,
    commit: Index,
    applied: Index,
    snapshot: Index,
    members: Index,
}

/// An entry seen committed.
#[derive(Clone, Copy, Debug)]
struct Committed {
    /// The term of the entry.
    term: Term,
    /// The term of the node on which it was first seen committed. That is the leader that committed it, so these rise
    /// along the log, as leaders of later terms commit later entries.
    by: Term,
}

impl Seen {
    #[inline]
    fn of<O: Object>(raft: &Raft<O>) -> Self {
        Seen {
            term: raft.term,
            leads: raft.is_leader(),
            last: raft.log.last_index(),
            cuts: raft.log.cuts(),
            commit: raft.commit,
            applied: raft.applied,
            snapshot: raft.snapshot_index(),
            members: raft.members.latest_index(),
        }
    }
}

impl<O: Object> Laws<Raft<O>> for RaftLaws<O> {
    const NAMES: &'static [&'static str] = &[
        ELECTION_SAFETY,
        LEADER_APPEND_ONLY,
        LOG_MATCHING,
        LEADER_COMPLETENESS,
        STATE_MACHINE_SAFETY,
        COMMIT_NEVER_RETREATS,
        TERM_NEVER_FALLS,
        NEXT_ABOVE_MATCH,
        COMMIT_WITHIN_LOG,
        APPLIED_NEVER_RETREATS,
        SNAPSHOT_IS_THE_STATE,
        MEMBERS_OF_THE_LOG,
    ];

    fn new(nodes: usize) -> Self {
        let (leaders, written) = (BTreeMap::new(), Written::default());
        RaftLaws {
            seen: vec![Seen::default(); nodes],
            leaders,
            written,
            committed: Vec::new(),
            truth: Truth::default(),
        }
    }

    fn after_start(&mut self, node: NodeId, nodes: &Nodes<'_, Raft<O>>) -> Result<(), Breach> {
        let cuts = nodes.get(node).map_or(0, |raft| raft.log.cuts());
        self.seen[node.0 as usize] = Seen { cuts, ..Seen::default() };
        self.after_step(node, nodes)
    }

    #[inline]
    fn after_step(&mut self, node: NodeId, nodes: &Nodes<'_, Raft<O>>) -> Result<(), Breach> {
        let Some(raft) = nodes.get(node) else { return Ok(()) };
        if let Role::Leader(leadership) = &raft.role {
            next_above_match(raft, &leadership.peers)?;
        }
        let before = self.seen[node.0 as usize];
        let now = Seen::of(raft);
        if now == before {
            return Ok(());
        }
        self.seen[node.0 as usize] = now;
        let step = Step { raft, before, now };
        step.term_never_falls()?;
        // A cause before its consequences: what falls behind what was applied fell.
        step.commit_never_retreats()?;
        step.commit_within_log()?;
        step.applied_never_retreats()?;
        step.members_are_the_logs_latest()?;
        step.leader_append_only()?;
        // A cause before its consequences: a second leader of a term writes a second entry in the same step.
        let comes_to_lead = now.leads && (!before.leads || before.term < now.term);
        if comes_to_lead {
            self.election_safety(&step)?;
        }
        self.log_matching(&step)?;
        self.state_machine_safety(&step, nodes)?;
        if now.snapshot != before.snapshot {
            self.snapshot_is_the_state(&step)?;
        }
        if comes_to_lead {
            self.leader_completeness(&step)?;
        }
        Ok(())
    }
}

/// A node before and after.
struct Step<'a, O: Object> {
    raft: &'a Raft<O>,
    before: Seen,
    now: Seen,
}

impl<O: Object> Step<'_, O> {
    fn breach(&self, law: &'static str, what: String) -> Breach {
        Breach { law, detail: format!("{} {what}", self.raft.me) }
    }

    /// The first index at which the log may differ from what it was.
    fn first_changed(&self) -> Index {
        match self.now.cuts - self.before.cuts {
            0 => self.before.last + 1,
            1 => self.raft.log.latest_cut(),
            // Several cuts in one step: no rule does that, but nothing is lost by looking at everything.
            _ => 1,
        }
    }

    /// `lastApplied <= commitIndex <= ` last index.
    fn commit_within_log(&self) -> Result<(), Breach> {
        let Seen { applied, commit, last, .. } = self.now;
        if applied <= commit && commit <= last {
            return Ok(());
        }
        let what = format!("has applied {applied} and committed {commit} of {last} entries");
        Err(self.breach(COMMIT_WITHIN_LOG, what))
    }

    /// "Current terms … increase monotonically" (5.1), while a process lives.
    fn term_never_falls(&self) -> Result<(), Breach> {
        if self.now.term >= self.before.term {
            return Ok(());
        }
        Err(self.breach(TERM_NEVER_FALLS, format!("fell from term {} to {}", self.before.term, self.now.term)))
    }

    /// `commitIndex` "increases monotonically" (Figure 2), while a process lives.
    fn commit_never_retreats(&self) -> Result<(), Breach> {
        if self.now.commit >= self.before.commit {
            return Ok(());
        }
        let what = format!("had committed {} entries and now {}", self.before.commit, self.now.commit);
        Err(self.breach(COMMIT_NEVER_RETREATS, what))
    }

    /// `lastApplied` "increases monotonically" (Figure 2), while a process lives.
    fn applied_never_retreats(&self) -> Result<(), Breach> {
        if self.now.applied >= self.before.applied {
            return Ok(());
        }
        let what = format!("had applied {} entries and now {}", self.before.applied, self.now.applied);
        Err(self.breach(APPLIED_NEVER_RETREATS, what))
    }

    /// "A server always uses the latest configuration in its log" (section 6).
    fn members_are_the_logs_latest(&self) -> Result<(), Breach> {
        let (log, members) = (&self.raft.log, &self.raft.members);
        let said = |entry: &Entry<O::Op>| match &entry.command {
            Command::Members(membership) => **membership == *members.latest(),
            Command::Noop | Command::Register { .. } | Command::Operation { .. } => false,
        };
        let is_there = members.latest_index() <= log.base() || log.get(members.latest_index()).is_some_and(said);
        let newer = log.after(self.now.members.max(self.first_changed() - 1));
        let is_latest = !newer.iter().any(|entry| matches!(entry.command, Command::Members(_)));
        if is_there && is_latest {
            return Ok(());
        }
        let what = format!("goes by the members of entry {}, which is not the latest in its log", self.now.members);
        Err(self.breach(MEMBERS_OF_THE_LOG, what))
    }

    /// "A leader never overwrites or deletes entries in its log; it only appends new entries" (Figure 3).
    fn leader_append_only(&self) -> Result<(), Breach> {
        let Step { before, now, .. } = self;
        let still_leads = before.leads && now.leads && before.term == now.term;
        if !still_leads || (before.cuts == now.cuts && before.last <= now.last) {
            return Ok(());
        }
        let what = format!("leads term {} and cut its log, from {} to {} entries", now.term, before.last, now.last);
        Err(self.breach(LEADER_APPEND_ONLY, what))
    }
}

impl<O: Object> RaftLaws<O> {
    /// "At most one leader can be elected in a given term" (Figure 3).
    fn election_safety(&mut self, step: &Step<'_, O>) -> Result<(), Breach> {
        let (me, term) = (step.raft.me, step.now.term);
        let first = *self.leaders.entry(term).or_insert(me);
        if first == me {
            return Ok(());
        }
        Err(step.breach(ELECTION_SAFETY, format!("leads term {term}, which {first} has led")))
    }

    /// "If two logs contain an entry with the same index and term, then the logs are identical in all entries up through
    /// the given index" (Figure 3).
    fn log_matching(&mut self, step: &Step<'_, O>) -> Result<(), Breach> {
        let log = &step.raft.log;
        let from = step.first_changed().max(log.base() + 1);
        let mut prev_term = log.term_at(from - 1).unwrap_or(0);
        for (index, entry) in (from..).zip(log.after(from - 1)) {
            if !self.written.agrees(index, prev_term, entry) {
                let what = format!("has another entry {index} of term {} than a node before it", entry.term);
                return Err(step.breach(LOG_MATCHING, what));
            }
            prev_term = entry.term;
        }
        Ok(())
    }

    /// "If a server has applied a log entry at a given index to its state machine, no other server will ever apply a
    /// different log entry for the same index" (Figure 3); nor will that one itself, nor have another in its place.
    fn state_machine_safety(&mut self, step: &Step<'_, O>, nodes: &Nodes<'_, Raft<O>>) -> Result<(), Breach> {
        let (unchanged, base) = (step.first_changed() - 1, step.raft.log.base());
        self.commit_what_is_gone(step, nodes)?;
        for index in (step.before.commit.min(unchanged) + 1).max(base.max(1))..=step.now.commit {
            let term = step.raft.log.term_at(index).expect("from the base to within the log, which was compared first");
            match self.committed.get(index as usize - 1) {
                Some(first) if first.term == term => {}
                Some(first) => {
                    let what = format!("committed entry {index} of term {term}; that of term {} was", first.term);
                    return Err(step.breach(STATE_MACHINE_SAFETY, what));
                }
                None => {
                    let by = step.now.term;
                    self.committed.push(Committed { term, by });
                    self.leaders_have(index, term, by, nodes)?;
                }
            }
        }
        Ok(())
    }

    /// A node may commit entries and drop them for a snapshot in one step. With log matching the last of them says what
    /// those before it were: each line names the term of the one before.
    fn commit_what_is_gone(&mut self, step: &Step<'_, O>, nodes: &Nodes<'_, Raft<O>>) -> Result<(), Breach> {
        let (log, by) = (&step.raft.log, step.now.term);
        let (known, base) = (self.committed.len() as Index, log.base());
        let mut term = log.term_at(base).expect("the base has a term");
        let mut terms = Vec::new();
        for index in (known + 1..=base).rev() {
            terms.push((index, term));
            let Some(line) = self.written.line(index, term) else { return Ok(()) };
            term = line.prev_term;
        }
        for (index, term) in terms.into_iter().rev() {
            self.committed.push(Committed { term, by });
            self.leaders_have(index, term, by, nodes)?;
        }
        Ok(())
    }

    /// "If a log entry is committed in a given term, then that entry will be present in the logs of the leaders for all
    /// higher-numbered terms" (Figure 3): looked at when somebody comes to lead. With log matching the last such entry
    /// answers for all before it.
    fn leader_completeness(&self, step: &Step<'_, O>) -> Result<(), Breach> {
        let earlier = self.committed.partition_point(|committed| committed.by < step.now.term);
        let Some(last) = earlier.checked_sub(1).map(|position| self.committed[position]) else { return Ok(()) };
        let log = &step.raft.log;
        if log.base() > earlier as Index || log.term_at(earlier as Index) == Some(last.term) {
            return Ok(());
        }
        let (term, by) = (step.now.term, last.by);
        let what = format!("leads term {term} without entry {earlier} of term {}, committed in term {by}", last.term);
        Err(step.breach(LEADER_COMPLETENESS, what))
    }

    /// The same law from the other side: an entry is committed while somebody leads a later term already.
    fn leaders_have(&self, index: Index, term: Term, by: Term, nodes: &Nodes<'_, Raft<O>>) -> Result<(), Breach> {
        for (&led, &leader) in self.leaders.range(by + 1..) {
            let Some(raft) = nodes.get(leader).filter(|raft| raft.is_leader() && raft.term == led) else { continue };
            if raft.log.base() <= index && raft.log.term_at(index) != Some(term) {
                let what = format!("leads term {led} without entry {index} of term {term}, committed in term {by}");
                return Err(Breach { law: LEADER_COMPLETENESS, detail: format!("{leader} {what}") });
            }
        }
        Ok(())
    }
}

impl<O: Object> RaftLaws<O> {
    /// A snapshot is what applying the log up to its last entry makes (5.1 of the dissertation), whoever took it and
    /// however it came here.
    fn snapshot_is_the_state(&mut self, step: &Step<'_, O>) -> Result<(), Breach> {
        let Some(snapshot) = &step.raft.snapshot else { return Ok(()) };
        let index = snapshot.last.index;
        let machine = snapshot.contents.read::<O>();
        let (written, committed) = (&self.written, &self.committed);
        let entry = |index: Index| {
            let entry = &written.line(index, committed.get(index as usize - 1)?.term)?.entry;
            Some((entry.time, &entry.command))
        };
        match self.truth.at(index, step.raft.rules(), entry) {
            Some(truth) if *truth == machine => Ok(()),
            Some(_) => {
                let what = format!("has a snapshot of entry {index} that is not what the log up to there makes");
                Err(step.breach(SNAPSHOT_IS_THE_STATE, what))
            }
            None => {
                let what = format!("has a snapshot of entry {index}, which was never seen committed");
                Err(step.breach(SNAPSHOT_IS_THE_STATE, what))
            }
        }
    }
}

/// `matchIndex < nextIndex <= ` last index + 1, for every follower of a leader.
#[inline]
fn next_above_match<O: Object>(raft: &Raft<O>, peers: &[Progress]) -> Result<(), Breach> {
    let last = raft.log.last_index();
    let Some(wrong) = peers.iter().find(|peer| peer.match_index >= peer.next_index || peer.next_index > last + 1)
    else {
        return Ok(());
    };
    let Progress { id, match_index, next_index, .. } = wrong;
    let detail = format!("{} has match {match_index} and next {next_index} of {last} entries for {id}", raft.me);
    Err(Breach { law: NEXT_ABOVE_MATCH, detail })
}

/// Every entry that a log was ever seen to hold.
#[derive(Clone, Debug)]
struct Written<Op> {
    /// By index: the line first entered there.
    first: Vec<Line<Op>>,
    /// Lines of other terms at the same index: what leaders wrote that never came to be, or came instead. Few.
    others: BTreeMap<(Index, Term), Line<Op>>,
}

#[derive(Clone, Debug)]
struct Line<Op> {
    prev_term: Term,
    entry: Entry<Op>,
}

impl<Op> Default for Written<Op> {
    fn default() -> Self {
        Written { first: Vec::new(), others: BTreeMap::new() }
    }
}

impl<Op: Clone + PartialEq> Written<Op> {
    /// Whether the entry agrees with what was entered for its index and term; a new one is entered.
    ///
    /// Logs are looked at from their first index on, or begin behind a snapshot of one that was; so an index has a line only
    /// if those before it have.
    fn agrees(&mut self, index: Index, prev_term: Term, entry: &Entry<Op>) -> bool {
        let line = || Line { prev_term, entry: entry.clone() };
        let known = match self.first.get(index as usize - 1) {
            Some(first) if first.entry.term == entry.term => first,
            Some(_) => self.others.entry((index, entry.term)).or_insert_with(line),
            None => {
                self.first.push(line());
                return true;
            }
        };
        known.prev_term == prev_term && known.entry == *entry
    }

    /// What was entered for this index and term.
    fn line(&self, index: Index, term: Term) -> Option<&Line<Op>> {
        let first = self.first.get(index as usize - 1).filter(|first| first.entry.term == term);
        first.or_else(|| self.others.get(&(index, term)))
    }
}
