//! The settings of SWIM and Lifeguard.

use super::flaws::{FLAWS, NO_LOCAL_HEALTH};
use super::logarithm::{ceil_ln, log2};
use sim_core::protocol::NodeId;
use sim_core::settings::{Flaw, Flaws, Key, Kind, Rejected, Settings, Values};
use sim_core::time::{HOUR, MILLISECOND, Nanos, format_duration};
use std::collections::BTreeSet;

/// Whom a member pings next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probing {
    /// Everybody in turn, in an order that is shuffled anew after each round (SWIM, 4.3).
    RoundRobin,
    /// Somebody, drawn by lot (SWIM, 3.1).
    Random,
}

/// The settings of [`Swim`](super::Swim).
#[derive(Clone, Debug)]
pub struct SwimConfig {
    /// T': how often a member pings another.
    pub period: Nanos,
    /// How long it waits for the answer before it asks others to try.
    pub probe_timeout: Nanos,
    /// k: how many others it asks.
    pub indirect: usize,
    /// Whom it pings.
    pub probing: Probing,
    /// Whether periods begin at whole multiples of `period` by each member's clock.
    pub in_step: bool,
    /// Whether who does not answer is suspected at first; else it is taken for dead at once.
    pub suspicion: bool,
    /// α: the shortest time for which somebody is suspected is so many periods, times log10 n.
    pub alpha: u64,
    /// β: the longest is so many times the shortest.
    pub beta: u64,
    /// K: so many others who suspect the same make the longest the shortest.
    pub k: u64,
    /// LHA-Probe: who is slow himself pings less often and waits longer.
    pub lha_probe: bool,
    /// LHA-Suspicion: a suspicion that nobody shares lasts longer.
    pub lha_suspicion: bool,
    /// Buddy system: who pings somebody suspected tells him so.
    pub buddy: bool,
    /// S: the local health multiplier is never higher.
    pub health_max: u64,
    /// λ: a member passes a piece of news on so many times, times ln n.
    pub lambda: u64,
    /// So many pieces of news go with a message at most.
    pub piggyback: usize,
    /// How often news is sent by itself; 0 means never.
    pub gossip: Nanos,
    /// To how many.
    pub gossip_fanout: usize,
    /// How often a member compares all it knows with another; 0 means only when it joins.
    pub sync: Nanos,
    /// So many nodes, the first, are asked by who joins; all if 0.
    pub seeds: usize,
    /// So many nodes, the first, are members at first; all if 0.
    pub initial_members: usize,
    /// The mistakes switched on.
    pub flaws: Flaws,
}

impl SwimConfig {
    /// The members of a new group of these nodes.
    pub fn founders(&self, nodes: impl IntoIterator<Item = NodeId>) -> BTreeSet<NodeId> {
        nodes.into_iter().take(or_all(self.initial_members)).collect()
    }

    /// Whom somebody who joins can ask.
    pub fn contacts(&self, nodes: impl IntoIterator<Item = NodeId>) -> Vec<NodeId> {
        nodes.into_iter().take(or_all(self.seeds)).collect()
    }

    /// How often a piece of news is passed on in a group of so many (SWIM, 4.1: λ log n).
    pub fn transmissions(&self, members: u64) -> u64 {
        self.lambda * ceil_ln(members + 1)
    }

    /// For how long somebody is suspected whom so many others suspect too, in a group of so many (Lifeguard, IV.B):
    /// max(Min, Max − (Max − Min) · log(C+1) / log(K+1)).
    pub fn suspected_for(&self, confirmations: u64, members: u64) -> Nanos {
        let shortest = self.suspicion_min(members);
        // Where there are not enough members to confirm anything, nobody waits for them.
        let k = self.k.min(members.saturating_sub(2));
        if !self.lha_suspicion || k == 0 {
            return shortest;
        }
        let longest = shortest.saturating_mul(self.beta);
        let share = u128::from(longest - shortest) * u128::from(log2(confirmations + 1)) / u128::from(log2(k + 1));
        longest.saturating_sub(Nanos::try_from(share).unwrap_or(Nanos::MAX)).max(shortest)
    }

    /// α · log10 n periods, where the logarithm is at least 1.
    fn suspicion_min(&self, members: u64) -> Nanos {
        let periods = u128::from(self.alpha) * u128::from(self.period);
        let scaled = periods * u128::from(log2(members.max(10))) / u128::from(log2(10));
        Nanos::try_from(scaled).unwrap_or(Nanos::MAX)
    }
}

fn or_all(count: usize) -> usize {
    if count == 0 { usize::MAX } else { count }
}

const PERIOD: &str = "period";
const PROBE_TIMEOUT: &str = "probe-timeout";
const INDIRECT: &str = "indirect";
const PROBING: &str = "probing";
const IN_STEP: &str = "in-step";
const SUSPICION: &str = "suspicion";
const SUSPICION_ALPHA: &str = "suspicion-alpha";
const SUSPICION_BETA: &str = "suspicion-beta";
const SUSPICION_K: &str = "suspicion-k";
const LHA_PROBE: &str = "lha-probe";
const LHA_SUSPICION: &str = "lha-suspicion";
const BUDDY: &str = "buddy";
const HEALTH_MAX: &str = "health-max";
const GOSSIP_LAMBDA: &str = "gossip-lambda";
const PIGGYBACK: &str = "piggyback";
const GOSSIP: &str = "gossip";
const GOSSIP_FANOUT: &str = "gossip-fanout";
const SYNC: &str = "sync";
const SEEDS: &str = "seeds";
const INITIAL_MEMBERS: &str = "initial-members";

/// No group has more nodes.
const NODES_MAX: u64 = 10_000;

impl Settings for SwimConfig {
    const KEYS: &'static [Key] = &[
        Key {
            name: PERIOD,
            kind: Kind::Duration { min: MILLISECOND, max: HOUR },
            default: "1s",
            text: "The protocol period: how often a member pings another (SWIM, 3.1).",
        },
        Key {
            name: PROBE_TIMEOUT,
            kind: Kind::Duration { min: MILLISECOND, max: HOUR },
            default: "500ms",
            text: "Who does not answer a ping for so long is tried by others; shorter than the period, in which they have to \
                   answer.",
        },
        Key {
            name: INDIRECT,
            kind: Kind::Count { min: 0, max: NODES_MAX },
            default: "3",
            text: "How many others are asked to ping somebody who does not answer (the paper's k).",
        },
        Key {
            name: PROBING,
            kind: Kind::Word(&["round-robin", "random"]),
            default: "round-robin",
            text: "Whom a member pings: all in turn, in an order that is shuffled after each round (SWIM, 4.3), or somebody drawn \
                   by lot (3.1).",
        },
        Key {
            name: IN_STEP,
            kind: Kind::Flag,
            default: "false",
            text: "Whether periods begin at whole multiples of the period by each member's clock, at once for all, as in the \
                   paper's analysis; else each member begins at an instant of its own.",
        },
        Key {
            name: SUSPICION,
            kind: Kind::Flag,
            default: "true",
            text: "Whether who does not answer is suspected before it is taken for dead, and can say that it is not (SWIM, 4.2).",
        },
        Key {
            name: SUSPICION_ALPHA,
            kind: Kind::Count { min: 1, max: 1000 },
            default: "5",
            text: "Who is suspected is taken for dead after so many periods, times log10 of how many members there are (at least \
                   1).",
        },
        Key {
            name: SUSPICION_BETA,
            kind: Kind::Count { min: 1, max: 1000 },
            default: "6",
            text: "With lha-suspicion: so many times longer if nobody else suspects the same.",
        },
        Key {
            name: SUSPICION_K,
            kind: Kind::Count { min: 1, max: 1000 },
            default: "3",
            text: "With lha-suspicion: so many others who suspect the same make it the shorter time.",
        },
        Key {
            name: LHA_PROBE,
            kind: Kind::Flag,
            default: "true",
            text: "Lifeguard's first part: who misses answers takes himself to be slow, pings less often and waits longer; whoever \
                   tries for another tells also that he has heard nothing.",
        },
        Key {
            name: LHA_SUSPICION,
            kind: Kind::Flag,
            default: "true",
            text: "Lifeguard's second part: a suspicion lasts longer the fewer share it.",
        },
        Key {
            name: BUDDY,
            kind: Kind::Flag,
            default: "true",
            text: "Lifeguard's third part: a ping to somebody suspected says so before anything else.",
        },
        Key {
            name: HEALTH_MAX,
            kind: Kind::Count { min: 0, max: 1000 },
            default: "8",
            text: "With lha-probe: period and timeout grow to so many times more than they are, at most.",
        },
        Key {
            name: GOSSIP_LAMBDA,
            kind: Kind::Count { min: 0, max: 100 },
            default: "3",
            text: "Each member passes news on so many times, times the natural logarithm of how many there are, rounded up (SWIM, \
                   4.1); 0 means never.",
        },
        Key {
            name: PIGGYBACK,
            kind: Kind::Count { min: 1, max: 1000 },
            default: "10",
            text: "So many pieces of news go with a message at most; those passed on least go first.",
        },
        Key {
            name: GOSSIP,
            kind: Kind::Duration { min: 0, max: HOUR },
            default: "200ms",
            text: "How often a member that has news sends it by itself; 0 means that news only travels with pings and their \
                   answers, as in the paper.",
        },
        Key {
            name: GOSSIP_FANOUT,
            kind: Kind::Count { min: 1, max: NODES_MAX },
            default: "3",
            text: "To how many others news is sent at a time.",
        },
        Key {
            name: SYNC,
            kind: Kind::Duration { min: 0, max: HOUR },
            default: "30s",
            text: "How often a member exchanges all it knows with another, who may be one that it takes for dead: so groups that \
                   were cut apart find each other again. 0 means only when it joins.",
        },
        Key {
            name: SEEDS,
            kind: Kind::Count { min: 0, max: NODES_MAX },
            default: "0",
            text: "So many nodes, the first, are asked by who joins or comes back; 0 means all.",
        },
        Key {
            name: INITIAL_MEMBERS,
            kind: Kind::Count { min: 0, max: NODES_MAX },
            default: "0",
            text: "So many nodes, the first, are members at first; the others can be told to join. 0 means all.",
        },
    ];
    const FLAWS: &'static [Flaw] = FLAWS;

    fn build(values: &Values, flaws: Flaws) -> Result<Self, Rejected> {
        let count = |key| values.count(key) as usize;
        let (period, probe_timeout) = (values.duration(PERIOD), values.duration(PROBE_TIMEOUT));
        if probe_timeout >= period {
            let message = format!(
                "others who are asked to try have to answer within the period of {}: probe-timeout has to be shorter",
                format_duration(period)
            );
            return Err(Rejected { key: PROBE_TIMEOUT, message });
        }
        // The mistake F01: nobody looks at himself.
        let lifeguard = |key| values.flag(key) && !flaws.has(&NO_LOCAL_HEALTH);
        Ok(SwimConfig {
            period,
            probe_timeout,
            indirect: count(INDIRECT),
            probing: if values.word(PROBING) == "random" { Probing::Random } else { Probing::RoundRobin },
            in_step: values.flag(IN_STEP),
            suspicion: values.flag(SUSPICION),
            alpha: values.count(SUSPICION_ALPHA),
            beta: values.count(SUSPICION_BETA),
            k: values.count(SUSPICION_K),
            lha_probe: lifeguard(LHA_PROBE),
            lha_suspicion: lifeguard(LHA_SUSPICION),
            buddy: lifeguard(BUDDY),
            health_max: values.count(HEALTH_MAX),
            lambda: values.count(GOSSIP_LAMBDA),
            piggyback: count(PIGGYBACK),
            gossip: values.duration(GOSSIP),
            gossip_fanout: count(GOSSIP_FANOUT),
            sync: values.duration(SYNC),
            seeds: count(SEEDS),
            initial_members: count(INITIAL_MEMBERS),
            flaws,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::time::SECOND;

    #[test]
    fn suspicions_last_as_in_the_paper() {
        let config = SwimConfig::defaults();
        let seconds = |confirmations, members| config.suspected_for(confirmations, members).div_ceil(SECOND / 10);
        assert_eq!(
            (seconds(0, 100), seconds(3, 100), seconds(9, 100)),
            (600, 100, 100),
            "alpha 5, beta 6, 100 members"
        );
        assert_eq!(seconds(1, 100), 350, "half way, as log 2 is half of log 4");
        assert_eq!(seconds(2, 100), 204);
        assert_eq!((seconds(0, 3), seconds(1, 3)), (300, 50), "one other at most can confirm");
        assert_eq!(seconds(0, 2), 50, "nobody can");
        let swim = SwimConfig { lha_suspicion: false, ..config };
        assert_eq!(swim.suspected_for(0, 1000), 15 * SECOND);
    }

    #[test]
    fn news_is_passed_on_more_often_in_a_larger_group() {
        let config = SwimConfig::defaults();
        assert_eq!([1, 7, 100, 1000].map(|members| config.transmissions(members)), [3, 9, 15, 21]);
        assert_eq!(SwimConfig { lambda: 0, ..config }.transmissions(1000), 0);
    }

    #[test]
    fn a_timeout_leaves_time_for_others_to_try() {
        let mut values = Values::defaults(SwimConfig::KEYS);
        let timeout = SwimConfig::KEYS.iter().find(|key| key.name == PROBE_TIMEOUT).expect("it is there");
        values.set(timeout, timeout.kind.parse("1s").expect("a time"));
        let rejected = SwimConfig::build(&values, Flaws::default()).expect_err("no time is left");
        assert_eq!(rejected.key, PROBE_TIMEOUT);
    }
}
