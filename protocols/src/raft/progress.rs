//! What a leader keeps in mind while it leads ("volatile state on leaders", Figure 2): of each follower how far it is, and
//! what follows from all of them.

use super::Conflict;
use super::changes::{CatchUp, Transfer};
use super::log::{Index, Log};
use super::membership::{Membership, Seat};
use super::reads::{Lease, Reads};
use super::snapshots::Snapshot;
use sim_core::protocol::{NodeId, Ticket};
use sim_core::time::{LocalTime, Nanos};
use std::collections::VecDeque;

/// What a leader keeps in mind.
#[derive(Clone, Debug)]
pub(super) struct Leadership<Op> {
    /// Everybody it sends the log to.
    pub peers: Vec<Progress>,
    /// How many seats each of the two majorities has, and which this node holds.
    seats: Seats,
    pub reads: Reads<Op>,
    pub lease: Lease,
    /// When it came to lead by its own clock, and the system time then.
    pub began: (LocalTime, Nanos),
    pub own: OwnDisk,
    /// A change of members for which new ones are catching up.
    pub catch_up: Option<CatchUp>,
    /// Leadership is being handed over.
    pub transfer: Option<Transfer>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seats {
    incoming: usize,
    outgoing: usize,
    own: Seat,
}

/// How far the leader's own disk is, where the leader does not wait for it before it sends (dissertation 10.2.1).
#[derive(Clone, Debug, Default)]
pub(super) struct OwnDisk {
    /// On disk up to here, at least.
    durable: Index,
    /// Writes under way, and up to where the log will be on disk then.
    writes: VecDeque<(Ticket, Index)>,
}

impl OwnDisk {
    /// A write began with which everything up to `index` will be on disk.
    pub fn begin(&mut self, ticket: Ticket, index: Index) {
        self.writes.push_back((ticket, index));
    }

    /// A write is done.
    pub fn finish(&mut self, ticket: Ticket) {
        while let Some((first, index)) = self.writes.front().copied().filter(|(first, _)| *first <= ticket) {
            debug_assert!(first <= ticket, "writes end in the order they began");
            self.durable = index;
            self.writes.pop_front();
        }
    }

    /// Whether something that was sent before it was on disk is still not there.
    pub fn is_behind(&self) -> bool {
        !self.writes.is_empty()
    }

    /// On disk up to here, at least.
    pub fn durable(&self) -> Index {
        self.durable
    }
}

/// What a leader knows of a follower.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    pub id: NodeId,
    /// Where it counts.
    pub seat: Seat,
    /// The logs are known to agree up to here. Only rises.
    pub match_index: Index,
    /// The next entry to send. Invariant: `match_index < next_index <= last_index + 1`. What lies between the two is under
    /// way, or presumed to be.
    pub next_index: Index,
    /// So many entries may be under way, and no more than the settings say. Halved when the stream breaks, and as many more as
    /// are acknowledged: over a network that overtakes, a whole window would be refused again and again.
    pub window: u64,
    pub mode: Mode,
    /// The latest round of asking whether we lead that it has answered.
    pub round: u64,
    /// For how long it has not been heard, in whole heartbeats.
    pub silence: Nanos,
}

/// How a follower is fed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Where the logs agree is not known yet. One message has asked at `next_index`, heartbeats repeat the question, and
    /// nothing else is sent until there is an answer.
    Probe,
    /// They agree: entries are sent as they come, without waiting for answers, up to a window.
    Replicate,
    /// The follower lacks entries that are gone. It gets this snapshot; the piece at `offset` is under way.
    Snapshot {
        /// Kept until it has arrived, though newer ones are taken meanwhile.
        snapshot: Box<Snapshot>,
        /// In bytes.
        offset: u64,
    },
}

impl<Op> Leadership<Op> {
    /// "Initialized to leader last log index + 1", and match to 0 (Figure 2).
    pub fn new(me: NodeId, membership: &Membership, last_index: Index, began: (LocalTime, Nanos)) -> Self {
        let mut leadership = Leadership {
            peers: Vec::new(),
            seats: Seats::default(),
            reads: Reads::default(),
            lease: Lease::default(),
            began,
            own: OwnDisk::default(),
            catch_up: None,
            transfer: None,
        };
        leadership.seat(me, membership, last_index);
        leadership
    }

    /// A membership comes into force. Who has lost its vote by it still gets the log, so that it hears of that, until the
    /// membership changes again; it may have been switched off by then.
    pub fn seat(&mut self, me: NodeId, membership: &Membership, last_index: Index) {
        let everybody = membership.everybody();
        self.peers.retain(|peer| everybody.contains(&peer.id) || peer.seat != Seat::default());
        for &id in everybody.iter().filter(|&&id| id != me) {
            if self.position(id).is_none() {
                self.peers.push(Progress::new(id, last_index));
            }
        }
        self.peers.sort_by_key(|peer| peer.id);
        for peer in &mut self.peers {
            peer.seat = membership.seat(peer.id);
        }
        let (incoming, outgoing) = (membership.voters.len(), membership.outgoing.len());
        self.seats = Seats { incoming, outgoing, own: membership.seat(me) };
    }

    /// Where a follower stands among `peers`.
    pub fn position(&self, id: NodeId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.id == id)
    }

    /// Whether the followers for which `says_yes` holds are a quorum together with this node, if `own` says yes.
    pub fn is_quorum(&self, own: Own, says_yes: impl Fn(&Progress) -> bool) -> bool {
        let Seats { incoming, outgoing, own: own_seat } = self.seats;
        let mut yes = match own {
            Own::Yes => (usize::from(own_seat.incoming), usize::from(own_seat.outgoing)),
            Own::No => (0, 0),
        };
        for peer in self.peers.iter().filter(|peer| says_yes(peer)) {
            yes.0 += usize::from(peer.seat.incoming);
            yes.1 += usize::from(peer.seat.outgoing);
        }
        yes.0 * 2 > incoming && (outgoing == 0 || yes.1 * 2 > outgoing)
    }

    /// The largest index above `commit` that a quorum has, when this node has everything up to `own`; `commit` if there is
    /// none.
    pub fn quorum_index(&self, own: Index, commit: Index) -> Index {
        let has = |index: Index| {
            self.is_quorum(if own >= index { Own::Yes } else { Own::No }, |peer| peer.match_index >= index)
        };
        let candidates = self.peers.iter().map(|peer| peer.match_index).chain([own]);
        candidates.filter(|&index| index > commit && has(index)).max().unwrap_or(commit)
    }
}

/// What this node itself says to a question of quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    Yes,
    No,
}

impl Progress {
    fn new(id: NodeId, last_index: Index) -> Self {
        Progress {
            id,
            seat: Seat::default(),
            match_index: 0,
            next_index: last_index + 1,
            window: u64::MAX,
            mode: Mode::Probe,
            round: 0,
            silence: 0,
        }
    }

    /// It was heard. Whether it agreed or refused, it took us for the leader when it was asked in this round.
    pub fn hear(&mut self, round: u64) {
        self.silence = 0;
        self.round = self.round.max(round);
    }

    /// The logs agree up to `index`. Returns whether that is news.
    ///
    /// A question is answered only by what agrees up to where it was asked: an old acknowledgement that set the stream going
    /// again would be followed by refusals, and those by questions, without end.
    pub fn acknowledge(&mut self, index: Index) -> bool {
        let is_news = index > self.match_index;
        self.window = self.window.saturating_add(index.saturating_sub(self.match_index));
        let has_what_it_was_asked = index + 1 >= self.next_index;
        self.match_index = self.match_index.max(index);
        self.next_index = self.next_index.max(index + 1);
        let goes_on = match &self.mode {
            Mode::Probe => has_what_it_was_asked,
            Mode::Replicate => true,
            Mode::Snapshot { snapshot, .. } => snapshot.last.index <= self.match_index,
        };
        if goes_on {
            self.mode = Mode::Replicate;
        }
        is_news
    }

    /// The logs do not agree at `conflict.prev_log_index`. Returns whether to ask again, further back.
    ///
    /// An old refusal says nothing: of what is known to match, or of something else than what is being asked.
    pub fn refuse<Op: Clone>(&mut self, conflict: &Conflict, log: &Log<Op>, stale: StaleRefusal) -> bool {
        let refused = conflict.prev_log_index;
        let is_stale = refused <= self.match_index || (self.mode == Mode::Probe && refused + 1 != self.next_index);
        if matches!(self.mode, Mode::Snapshot { .. }) || (is_stale && stale == StaleRefusal::Ignored) {
            return false;
        }
        if self.mode == Mode::Replicate {
            self.window = (self.under_way() / 2).max(1);
        }
        let least = if stale == StaleRefusal::Ignored { self.match_index + 1 } else { 1 };
        self.next_index = fall_back(conflict, log).clamp(least, refused.max(least));
        self.mode = Mode::Probe;
        true
    }

    /// How many entries are under way, or presumed to be.
    pub fn under_way(&self) -> u64 {
        self.next_index - self.match_index - 1
    }

    /// The follower lacks entries that are gone: from here on it gets this snapshot.
    pub fn begin_snapshot(&mut self, snapshot: &Snapshot) {
        self.mode = Mode::Snapshot { snapshot: Box::new(snapshot.clone()), offset: 0 };
    }

    /// It has so many bytes of the snapshot up to `index`. Whether the piece that begins there is to be sent: it is not
    /// under way yet.
    pub fn wants_piece_at(&mut self, index: Index, has: u64) -> bool {
        match &mut self.mode {
            Mode::Snapshot { snapshot, offset } if snapshot.last.index == index && *offset != has => {
                *offset = has;
                true
            }
            Mode::Snapshot { .. } | Mode::Probe | Mode::Replicate => false,
        }
    }
}

/// What a leader makes of a refusal that is out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StaleRefusal {
    /// Nothing.
    Ignored,
    /// The mistake R29: what it makes of any other.
    Believed,
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

#[cfg(test)]
mod tests {
    use super::*;

    const ME: NodeId = NodeId(0);

    /// The clever count against the obvious one.
    #[test]
    fn the_quorum_index_is_the_middle_of_the_sorted_ones() {
        let mut bits = 1u64;
        for round in 0..2000 {
            let nodes = 1 + round % 7;
            let mut next = || {
                bits = bits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (bits >> 33) % 9
            };
            let membership = Membership::of((0..nodes).map(NodeId));
            let mut leadership = Leadership::<u8>::new(ME, &membership, 0, (LocalTime(0), 0));
            leadership.peers.iter_mut().for_each(|peer| peer.match_index = next());
            let own = next();
            let mut sorted: Vec<Index> = leadership.peers.iter().map(|peer| peer.match_index).chain([own]).collect();
            sorted.sort_unstable();
            let naive = sorted[(sorted.len() - 1) / 2];
            assert_eq!(leadership.quorum_index(own, 0), naive, "{sorted:?}");
        }
    }

    /// Dissertation 4.2.2: a leader on its way out "does not count itself in majorities".
    #[test]
    fn a_leader_without_a_seat_does_not_count() {
        let membership = Membership::of([1, 2].map(NodeId));
        let mut leadership = Leadership::<u8>::new(ME, &membership, 9, (LocalTime(0), 0));
        leadership.peers[0].match_index = 5;
        assert_eq!(leadership.quorum_index(9, 0), 0);
        leadership.peers[1].match_index = 4;
        assert_eq!(leadership.quorum_index(9, 0), 4);
    }

    #[test]
    fn who_leaves_hears_of_it_and_is_forgotten_with_the_next_change() {
        let of = |ids: &[u32]| Membership::of(ids.iter().copied().map(NodeId));
        let ids = |leadership: &Leadership<u8>| leadership.peers.iter().map(|peer| peer.id.0).collect::<Vec<_>>();
        let mut leadership = Leadership::<u8>::new(ME, &of(&[0, 1, 2]), 9, (LocalTime(0), 0));
        leadership.seat(ME, &of(&[0, 1]), 10);
        assert_eq!((ids(&leadership), leadership.quorum_index(9, 0)), (vec![1, 2], 0), "and does not count");
        leadership.seat(ME, &of(&[0, 1, 3]), 11);
        assert_eq!(ids(&leadership), [1, 3]);
        leadership.seat(ME, &of(&[0, 3]).with_learners(&[NodeId(4)]), 12);
        leadership.seat(ME, &of(&[0]).with_learners(&[NodeId(4)]), 12);
        assert_eq!(ids(&leadership), [3, 4], "a learner stays");
    }
}
