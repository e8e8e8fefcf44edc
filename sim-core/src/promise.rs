//! What a system promises, and on which condition.
//!
//! Whoever calls a system broken has to say which promise it broke. A read that returns an old value is a bug in one
//! system and the documented price of speed in another; the same system may promise more under other settings, or less
//! once clocks go wrong. So each system answers for itself ([`Protocol::promises`](crate::protocol::Protocol::promises)):
//! with these settings, and with so much going wrong, is this *claim* promised?
//!
//! The [`Premise`] holds what a scenario lets go wrong, as far as some promise depends on it: not every crash and cut, which
//! every system here is made to live with, but the conditions that the fine print of real systems names.

use crate::dice::Ratio;
use crate::fault::DiskFate;
use crate::time::Nanos;

/// Something that can be promised, and that some check demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Every operation takes effect at one instant between its invocation and its completion.
    Linearizable,
    /// The same of operations that can change the data; reads may lag.
    LinearizableWrites,
    /// A write that was acknowledged can be read until it is overwritten.
    NoLostWrites,
    /// Operations are served again when they can be
    /// ([`Protocol::can_serve`](crate::protocol::Protocol::can_serve)); how soon is not part of it.
    Progress,
    /// Operations keep to this guarantee, which is weaker than linearizability.
    Consistent(Guarantee),
    /// Once nothing goes wrong any more, all copies of a key become the same.
    Converges,
    /// Once nothing goes wrong any more, nodes hand over what they keep for others.
    HintsDelivered,
    /// What an acknowledged delete took away stays away.
    NoResurrection,
    /// A node that went down is taken to be down within so many nanoseconds by every node that is up, and for as long as it
    /// stays down: strong completeness (Chandra and Toueg 1996) with a bound.
    Detects {
        /// Counted from when it went down, and only while the node that detects it does not stand still.
        within: Nanos,
    },
}

/// A guarantee below linearizability, for stores that promise less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// One order of all operations that keeps the order of each process (Lamport 1979).
    Sequential,
    /// Causal, and one order of conflicting writes for all (Bouajjani et al. 2017, CCv).
    CausalConvergence,
    /// Causal memory (Ahamad et al. 1995).
    CausalMemory,
    /// Nobody sees an effect without its cause.
    Causal,
    /// Everybody sees each process's writes in its order (Lipton and Sandberg 1988).
    Pram,
    /// Who wrote sees that or later (Terry et al. 1994, as the next three).
    ReadYourWrites,
    /// Who saw something never sees anything older.
    MonotonicReads,
    /// A process's writes are seen in its order.
    MonotonicWrites,
    /// What follows a read is seen after what was read.
    WritesFollowReads,
}

impl Claim {
    /// Why nobody promises to detect who watches nobody: half a sentence about `system`.
    pub fn watches_nobody(system: &str) -> String {
        format!("{system} tells nobody whom it takes to be down")
    }

    /// Why nobody promises this who keeps no copies that could differ and no hints: half a sentence about `system`.
    pub fn not_offered(system: &str) -> String {
        format!("{system} keeps one order of all writes: it has no siblings, hints or copies of its own to speak of")
    }
}

/// What may go wrong in a run, as far as promises depend on it: the worst that its scenario asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Premise {
    /// The largest share by which the rate of a node's monotonic clock is wrong, either way.
    pub clock_rate_error: Ratio,
    /// Whether monotonic clocks jump.
    pub clocks_step: bool,
    /// Whether monotonic clocks stand still.
    pub clocks_freeze: bool,
    /// Whether wall clocks do not show the same at the beginning, are set, stand still, or run at another rate than they began
    /// with.
    pub wall_clocks_wrong: bool,
    /// The worst that a crash does to records not yet on disk; `None` if nothing crashes.
    pub disk: Option<DiskFate>,
    /// Whether some disk says of records that they are safe when they are not.
    pub flushes_lie: bool,
    /// Whether records that were on disk may not read back: rot, and writes that were lost or went astray.
    pub records_rot: bool,
    /// Whether some disk reports errors, or takes no writes.
    pub disk_errors: bool,
    /// Whether some machine may be heard by others that it cannot hear.
    pub one_way_cuts: bool,
    /// How many nodes there are …
    pub nodes: u32,
    /// … and how many of them are lost for good with their disks, in all of the run.
    pub nodes_lost: u32,
    /// Whether empty machines take the places of lost ones, under their names.
    pub come_back_empty: bool,
    /// How much nodes that are up and can reach each other at all depend on others for it.
    pub contact: Contact,
    /// The shortest time for which the network is whole between two cuts, if cuts come and go.
    pub calm: Option<Nanos>,
    /// Whether some messages never arrive, however often they are sent again, while others between the same machines do.
    pub unheard: bool,
    /// How long messages can take.
    pub transit: Transit,
}

/// How long it can take until a message is heard, if it is: bounds on a network that is slow, not on one that loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transit {
    /// At most, in nanoseconds, from when it could be sent until its receiver has dealt with it; the largest number where
    /// nobody can say.
    pub longest: Nanos,
    /// For so long of it, at most, a node leaves a message or alarm waiting behind others.
    pub handling: Nanos,
    /// Whether nodes stand still besides, or messages to and from them wait, while their clocks run on.
    pub stalls: bool,
}

impl Transit {
    /// No time at all.
    pub const NONE: Transit = Transit { longest: 0, handling: 0, stalls: false };
}

/// How nodes and clients that can reach each other at all do so; the later ones are worse. A bound on what is possible lets
/// protocols pass messages on ([`Reach`](crate::reach::Reach)); few do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contact {
    /// Directly, whatever goes wrong.
    Direct,
    /// Some nodes only over others. But every node exchanges messages with a majority, or with a node that does, and nothing
    /// else goes wrong in the meantime.
    Joined,
    /// Perhaps only over others.
    Indirect,
}

impl Premise {
    /// Nothing goes wrong.
    pub const CALM: Premise = Premise {
        clock_rate_error: Ratio::ZERO,
        clocks_step: false,
        clocks_freeze: false,
        wall_clocks_wrong: false,
        disk: None,
        flushes_lie: false,
        records_rot: false,
        disk_errors: false,
        one_way_cuts: false,
        nodes: 0,
        nodes_lost: 0,
        come_back_empty: false,
        contact: Contact::Direct,
        calm: None,
        unheard: false,
        transit: Transit::NONE,
    };

    /// Whether a record can be gone of which a flush said that it is safe, and nothing tells: a flush lied, and the power
    /// went.
    pub fn lies_come_out(&self) -> bool {
        self.flushes_lie && (self.disk.is_some_and(|fate| fate > DiskFate::Keep) || self.disk_errors)
    }

    /// Whether monotonic clocks never jump or stand still, and none runs faster or slower than right by more than this share.
    pub fn clocks_keep_to(&self, rate_error_max: Ratio) -> bool {
        let scaled = |of: Ratio, by: Ratio| u128::from(of.numerator) * u128::from(by.denominator);
        let (error, most) = (self.clock_rate_error, rate_error_max);
        !self.clocks_step && !self.clocks_freeze && scaled(error, most) <= scaled(most, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_keep_to_a_bound_up_to_it_and_not_beyond() {
        let drifting = |numerator| Premise { clock_rate_error: Ratio::new(numerator, 1_000_000), ..Premise::CALM };
        let bound = Ratio::new(1, 100);
        assert!(Premise::CALM.clocks_keep_to(Ratio::ZERO));
        assert!(drifting(10_000).clocks_keep_to(bound));
        assert!(!drifting(10_001).clocks_keep_to(bound));
        assert!(!Premise { clocks_step: true, ..Premise::CALM }.clocks_keep_to(bound));
        assert!(!Premise { clocks_freeze: true, ..Premise::CALM }.clocks_keep_to(bound));
        assert!(
            Premise { wall_clocks_wrong: true, ..Premise::CALM }.clocks_keep_to(bound),
            "they say nothing of these"
        );
    }

    #[test]
    fn contact_gets_worse() {
        assert!(Contact::Direct < Contact::Joined && Contact::Joined < Contact::Indirect);
    }

    #[test]
    fn a_torn_disk_is_worse_than_a_forgetful_one() {
        assert!(DiskFate::Keep < DiskFate::LoseUnsynced && DiskFate::LoseUnsynced < DiskFate::Torn);
    }
}
