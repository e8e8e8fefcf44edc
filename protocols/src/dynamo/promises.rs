//! What Dynamo promises, under which settings.
//!
//! | settings | promised | not promised |
//! |---|---|---|
//! | any | | linearizability, of reads or of writes: a write that reached too few shows now and then until read repair or hash trees have spread it, and two clients who write at the same time are not put in order |
//! | `conflicts = "siblings"` | every acknowledged write is among the versions that stay, or was replaced by somebody who had seen it, while fewer disks than w are lost and either hash trees are compared or, with strict quorums, r + w > n | the same once w disks are lost, records rot, or a disk lies and the power goes |
//! | … with `quorum = "sloppy"` | the same, while nobody is away for longer than `hint-window`: w nodes have it, though not the ones that read | that a read sees it at once, even with r + w > n |
//! | `conflicts = "last-write-wins"` | the same of writes one after the other, while wall clocks are right to the length of a request, and `clock-tick` is shorter than that | an acknowledged write beside another, or by a slow clock |
//! | … with `quorum = "strict"`, r + w > n | read your writes; with `read-repair = "blocking"` also monotonic reads | the same with sloppy quorums, or once a disk is lost |
//! | `anti-entropy` | copies become alike, once everything is well | |
//! | `hinted-handoff` | hints are handed over, once everything is well | the same for a node that is gone for good |
//! | `quorum = "strict"` | progress while r and w of the home nodes of each key are up and their coordinator reaches them | progress in a bridge or chain of nodes: a coordinator asks, it does not have others ask |
//! | `quorum = "sloppy"` | progress while any r and w nodes are | the same |
//!
//! Where it is hash trees that bring a write to all home nodes, it can be read after `anti-entropy` has come round, not at once.
//!
//! While nodes join, leave and are removed all of this holds, with three exceptions. A node that is removed has lost its disk, whatever
//! is on it: those that are removed before the others have fetched what it kept count together. A request under way when the ring
//! changes may find too few nodes, and a read of what a node has yet to fetch goes to the others: for progress, a node less. And a
//! deleted key can come back from a node that kept it once and was away when the others forgot it. A premise does not say
//! whether anything is ordered.
//!
//! Crashes take nothing: a node speaks of nothing that its disk does not hold. What does not read back is lost at one node and
//! others have it; so many of them as can be counted on are fewer than w.

use super::config::{DynamoConfig, Quorum, ReadRepair, Watching};
use super::ring::Circle;
use super::versions::Conflicts;
use history::Key;
use sim_core::promise::{Claim, Contact, Guarantee, Premise};
use sim_core::protocol::NodeId;
use sim_core::reach::Reach;
use sim_core::time::{HOUR, MILLISECOND, Nanos, format_duration};
use std::sync::OnceLock;

/// A premise does not say for how long nodes are away. It is taken not to be longer than this.
const AWAY_MAX: Nanos = HOUR;
/// No request is over sooner than the network has carried it there and back; stamps of one after the other must differ.
const TICK_MAX: Nanos = MILLISECOND / 10;

/// Whether this is promised where no more than this goes wrong. Flaws are not looked at.
///
/// # Errors
/// Why not.
pub fn promise(config: &DynamoConfig, claim: Claim, premise: &Premise) -> Result<(), String> {
    match claim {
        Claim::Linearizable => refuse(
            "dynamo puts nothing in order: a write that reached too few nodes can be seen by one read and not by the next, \
             and concurrent writes stand beside each other",
        ),
        Claim::LinearizableWrites => refuse(
            "dynamo puts nothing in order, writes neither: two that know nothing of each other both count, or the wall clock \
             decides",
        ),
        // A delete is a write, of a tombstone.
        Claim::NoLostWrites | Claim::NoResurrection => writes_last(config, premise),
        Claim::Converges => converges(config),
        Claim::Detects { .. } => Err(Claim::watches_nobody("dynamo")),
        Claim::HintsDelivered => hints_are_delivered(config, premise),
        Claim::Consistent(Guarantee::ReadYourWrites) => {
            quorums_meet(config, premise)?;
            writes_last(config, premise)
        }
        Claim::Consistent(Guarantee::MonotonicReads) => {
            quorums_meet(config, premise)?;
            reads_last(config)?;
            writes_last(config, premise)
        }
        Claim::Consistent(
            Guarantee::Sequential
            | Guarantee::CausalConvergence
            | Guarantee::CausalMemory
            | Guarantee::Causal
            | Guarantee::Pram
            | Guarantee::MonotonicWrites
            | Guarantee::WritesFollowReads,
        ) => refuse("dynamo keeps each key by itself, and says nothing of the order in which writes are seen"),
        Claim::Progress => progress(config, premise),
    }
}

fn refuse(reason: &str) -> Result<(), String> {
    Err(reason.to_owned())
}

fn writes_last(config: &DynamoConfig, premise: &Premise) -> Result<(), String> {
    copies_last(config, premise)?;
    copies_are_found(config, premise)?;
    last_write_is_last(config, premise)
}

/// Every R of those who are asked include one of every W.
fn quorums_meet(config: &DynamoConfig, premise: &Premise) -> Result<(), String> {
    let (n, r, w) = (config.n, config.r, config.w);
    if config.quorum == Quorum::Sloppy {
        return refuse(
            "with quorum = \"sloppy\" a write may be kept by nodes that stand in for others, and the next read may ask those",
        );
    }
    if r + w <= n {
        return Err(format!("r = {r} of n = {n} nodes that are asked need not be among the w = {w} that have a write"));
    }
    if premise.nodes_lost > 0 {
        return refuse("a node may lose its disk, and with it the copy that a read would have met");
    }
    Ok(())
}

/// What a read has returned, later ones return.
fn reads_last(config: &DynamoConfig) -> Result<(), String> {
    if config.read_repair == ReadRepair::Blocking {
        return Ok(());
    }
    refuse(
        "a read may return a write that has reached one node only, and the next read not meet it: only read-repair = \
         \"blocking\" puts it on w nodes first",
    )
}

fn converges(config: &DynamoConfig) -> Result<(), String> {
    if config.anti_entropy > 0 {
        return Ok(());
    }
    refuse("without anti-entropy nobody compares what home nodes have of keys that are not read")
}

fn hints_are_delivered(config: &DynamoConfig, premise: &Premise) -> Result<(), String> {
    if !config.hinted_handoff {
        return refuse("hinted-handoff is off");
    }
    if premise.nodes_lost > 0 && !premise.come_back_empty {
        return refuse("a node may be gone for good, and what is kept for it is kept until hint-window is over");
    }
    Ok(())
}

/// An acknowledged write is on W disks, and one of them keeps it.
fn copies_last(config: &DynamoConfig, premise: &Premise) -> Result<(), String> {
    if premise.lies_come_out() {
        return refuse(
            "dynamo trusts its disks, and here one says of records that they are safe when they are not, and loses its \
             power: it can be one of the w that have a write",
        );
    }
    if premise.records_rot {
        return refuse("records may rot here, on all of the w disks that have a write");
    }
    if premise.nodes_lost as usize >= config.w {
        let (lost, w) = (premise.nodes_lost, config.w);
        return Err(format!("an acknowledged write is on w = {w} disks, and {lost} may be lost for good"));
    }
    if config.quorum == Quorum::Sloppy && config.hint_window < AWAY_MAX {
        let window = format_duration(config.hint_window);
        return Err(format!(
            "with quorum = \"sloppy\" a write may be kept by those alone who stand in for others, and they drop it after \
             hint-window = {window}"
        ));
    }
    Ok(())
}

/// Where it is, a read will look: because every home node gets it in the end, or because every R of them include one of W.
/// Sloppy quorums need not meet: those who stand in for nodes that only seem to be down know nothing.
fn copies_are_found(config: &DynamoConfig, premise: &Premise) -> Result<(), String> {
    let is_spread = config.anti_entropy > 0;
    let is_met = config.quorum == Quorum::Strict && config.r + config.w > config.n && premise.nodes_lost == 0;
    if is_spread || is_met {
        return Ok(());
    }
    refuse(
        "without anti-entropy nobody brings a write to home nodes that missed it, and r nodes that are asked need not be \
         among the w that have it",
    )
}

/// Where stamps decide, the write that came later has the later one.
fn last_write_is_last(config: &DynamoConfig, premise: &Premise) -> Result<(), String> {
    if config.conflicts == Conflicts::Siblings {
        return Ok(());
    }
    if premise.wall_clocks_wrong || premise.clock_rate_error.numerator > 0 {
        return refuse(
            "conflicts = \"last-write-wins\" keeps the version with the later stamp, and here wall clocks are wrong: a write \
             by a slow one is acknowledged and lost",
        );
    }
    if config.clock_tick > TICK_MAX {
        let tick = format_duration(config.clock_tick);
        return Err(format!(
            "conflicts = \"last-write-wins\" with clock-tick = {tick} gives the same stamp to writes one after the other, and \
             keeps the greater value"
        ));
    }
    Ok(())
}

fn progress(config: &DynamoConfig, premise: &Premise) -> Result<(), String> {
    let needed = config.r.max(config.w);
    let (nodes, lost) = (premise.nodes as usize, premise.nodes_lost as usize);
    let from = if config.quorum == Quorum::Strict { config.n } else { nodes };
    if lost > 0 && !premise.come_back_empty && from.saturating_sub(lost) < needed {
        return Err(format!(
            "of {from} nodes that can answer {lost} may be lost for good, and {needed} have to: those left are too few"
        ));
    }
    if premise.contact != Contact::Direct {
        return refuse(
            "nodes or clients here may reach each other only over others, and a coordinator asks the nodes of a key itself",
        );
    }
    if premise.unheard {
        return refuse("some messages never arrive, however often they are sent");
    }
    let back = config.detection().saturating_add(config.request_timeout);
    if let Some(calm) = premise.calm.filter(|calm| *calm < back) {
        let (calm, back) = (format_duration(calm), format_duration(back));
        return Err(format!(
            "the network may be whole for {calm} at a time, and a node that seemed to be down can take {back} to be known \
             again and to answer ({} and request-timeout)",
            if config.watching == Watching::Answers { "probe" } else { "the longest silence that phi allows" }
        ));
    }
    Ok(())
}

/// Whether any store with these quorums could have done this to a key, on the ring as it was founded: strict ones need R or W
/// of its home nodes together, sloppy ones as many members as that.
pub fn can_serve(config: &DynamoConfig, key: Key, writes: bool, reach: &Reach<'_>) -> bool {
    let needed = if writes { config.w } else { config.r };
    let nodes = reach.nodes() as u32;
    let who: Vec<NodeId> = match config.quorum {
        Quorum::Strict => config.founded.homes_of(key, config, nodes),
        Quorum::Sloppy => config.founders((0..nodes).map(NodeId)).into_iter().collect(),
    };
    reach.groups().any(|group| group.iter().filter(|node| who.contains(node)).count() >= needed)
}

/// The circle of a new cluster, made when it is first asked for: the bound asks for every operation that was slow.
#[derive(Debug, Default)]
pub struct Founded(OnceLock<(u32, Circle)>);

impl Founded {
    /// Whose a key is in a new cluster of so many nodes.
    fn homes_of(&self, key: Key, config: &DynamoConfig, nodes: u32) -> Vec<NodeId> {
        let found = || Circle::of(config, &config.founders((0..nodes).map(NodeId)));
        let (known, circle) = self.0.get_or_init(|| (nodes, found()));
        if *known == nodes { circle.homes_of(key).to_vec() } else { found().homes_of(key).to_vec() }
    }
}

/// Settings may be changed in a copy, which then has another circle.
impl Clone for Founded {
    fn clone(&self) -> Self {
        Founded::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::dice::Ratio;
    use sim_core::fault::DiskFate;
    use sim_core::settings::Settings;
    use sim_core::time::{MINUTE, SECOND};

    const ALL: [Claim; 4] = [Claim::Linearizable, Claim::LinearizableWrites, Claim::NoLostWrites, Claim::Progress];
    const USUAL: &[Claim] = &[Claim::NoLostWrites, Claim::Progress];
    const SAFE: &[Claim] = &[Claim::NoLostWrites];
    const LIVE: &[Claim] = &[Claim::Progress];
    const CALM: Premise = Premise { nodes: 5, ..Premise::CALM };

    fn strict() -> DynamoConfig {
        DynamoConfig { quorum: Quorum::Strict, ..DynamoConfig::defaults() }
    }

    fn promised(config: &DynamoConfig, premise: Premise) -> Vec<Claim> {
        ALL.into_iter().filter(|claim| promise(config, *claim, &premise).is_ok()).collect()
    }

    #[test]
    fn no_order_is_promised_and_no_loss_whatever_crashes_do_to_honest_disks() {
        let torn = Premise { disk: Some(DiskFate::Torn), disk_errors: true, one_way_cuts: true, ..CALM };
        assert_eq!(promised(&DynamoConfig::defaults(), torn), USUAL);
        assert_eq!(promised(&strict(), torn), USUAL);
        let lies = Premise { flushes_lie: true, disk: Some(DiskFate::LoseUnsynced), ..CALM };
        assert_eq!(promised(&strict(), lies), LIVE);
        assert_eq!(promised(&strict(), Premise { records_rot: true, ..CALM }), LIVE);
    }

    #[test]
    fn a_write_outlives_fewer_disks_than_it_is_on() {
        let lost = |nodes_lost| Premise { nodes_lost, come_back_empty: true, ..CALM };
        assert_eq!((promised(&strict(), lost(1)), promised(&strict(), lost(2))), (USUAL.to_vec(), LIVE.to_vec()));
        let once = DynamoConfig { w: 1, ..strict() };
        assert_eq!(promised(&once, lost(1)), LIVE);
    }

    #[test]
    fn without_hash_trees_quorums_have_to_meet() {
        let alone = DynamoConfig { anti_entropy: 0, ..strict() };
        assert_eq!(promised(&alone, CALM), USUAL);
        assert_eq!(promised(&DynamoConfig { quorum: Quorum::Sloppy, ..alone.clone() }, CALM), LIVE);
        assert_eq!(promised(&alone, Premise { nodes_lost: 1, ..CALM }), LIVE, "of those that met, one is gone");
        assert_eq!(promised(&DynamoConfig { r: 1, ..alone.clone() }, CALM), LIVE);
        assert_eq!(promised(&DynamoConfig { r: 1, ..strict() }, CALM), USUAL);
    }

    #[test]
    fn guarantees_of_reads_need_quorums_that_meet() {
        let promises = |config: &DynamoConfig, premise: Premise| {
            [Guarantee::ReadYourWrites, Guarantee::MonotonicReads, Guarantee::Causal]
                .map(|guarantee| promise(config, Claim::Consistent(guarantee), &premise).is_ok())
        };
        let blocking = DynamoConfig { read_repair: ReadRepair::Blocking, ..strict() };
        assert_eq!(promises(&strict(), CALM), [true, false, false]);
        assert_eq!(promises(&blocking, CALM), [true, true, false]);
        assert_eq!(promises(&DynamoConfig { quorum: Quorum::Sloppy, ..blocking.clone() }, CALM), [false; 3]);
        assert_eq!(promises(&DynamoConfig { r: 1, ..blocking.clone() }, CALM), [false; 3]);
        assert_eq!(promises(&blocking, Premise { nodes_lost: 1, come_back_empty: true, ..CALM }), [false; 3]);
    }

    #[test]
    fn copies_become_alike_by_anti_entropy_and_hints_find_who_is_left() {
        let promises = |config: &DynamoConfig, premise: Premise| {
            [Claim::Converges, Claim::HintsDelivered, Claim::NoResurrection]
                .map(|claim| promise(config, claim, &premise).is_ok())
        };
        assert_eq!(promises(&strict(), CALM), [true; 3]);
        assert_eq!(promises(&DynamoConfig { anti_entropy: 0, ..strict() }, CALM), [false, true, true]);
        assert_eq!(promises(&DynamoConfig { hinted_handoff: false, ..strict() }, CALM), [true, false, true]);
        assert_eq!(promises(&strict(), Premise { nodes_lost: 1, ..CALM }), [true, false, true]);
    }

    #[test]
    fn a_hint_that_is_dropped_early_may_be_all_there_is() {
        let window = |hint_window, quorum| DynamoConfig { hint_window, quorum, ..strict() };
        assert_eq!(promised(&window(MINUTE, Quorum::Sloppy), CALM), LIVE);
        assert_eq!(promised(&window(MINUTE, Quorum::Strict), CALM), USUAL);
    }

    #[test]
    fn the_last_write_wins_where_clocks_say_which_it_is() {
        let config = DynamoConfig { conflicts: Conflicts::LastWriteWins, ..strict() };
        assert_eq!(promised(&config, Premise { clock_rate_error: Ratio::new(0, 1000), ..CALM }), USUAL);
        assert_eq!(promised(&config, Premise { wall_clocks_wrong: true, ..CALM }), LIVE);
        assert_eq!(promised(&config, Premise { clock_rate_error: Ratio::new(1, 1000), ..CALM }), LIVE);
        assert_eq!(promised(&DynamoConfig { clock_tick: SECOND, ..config }, CALM), LIVE);
    }

    #[test]
    fn progress_needs_nodes_contact_and_time() {
        let gone = |nodes_lost| Premise { nodes_lost, ..CALM };
        let sloppy = DynamoConfig { r: 1, w: 3, ..DynamoConfig::defaults() };
        let live = |config: &DynamoConfig, premise| promise(config, Claim::Progress, &premise).is_ok();
        assert!(live(&strict(), gone(1)) && !live(&strict(), gone(2)));
        assert!(live(&sloppy, gone(2)) && !live(&sloppy, gone(3)));
        assert!(live(&strict(), Premise { come_back_empty: true, ..gone(2) }));
        for contact in [Contact::Joined, Contact::Indirect] {
            assert_eq!(promised(&strict(), Premise { contact, ..CALM }), SAFE);
        }
        assert_eq!(promised(&strict(), Premise { unheard: true, ..CALM }), SAFE);
        let calm = |ms: u64| Premise { calm: Some(ms * MILLISECOND), ..CALM };
        assert_eq!((promised(&strict(), calm(1000)).len(), promised(&strict(), calm(999)).len()), (2, 1));
    }

    #[test]
    fn strict_quorums_are_of_home_nodes_and_sloppy_ones_of_any() {
        let ring = super::super::ring::Ring::new(&strict(), (0..5).map(NodeId));
        let key = 3;
        let walk: Vec<NodeId> = ring.preference(key).collect();
        let serves = |config: &DynamoConfig, writes, groups: &[&[NodeId]]| {
            let groups: Vec<Vec<NodeId>> = groups.iter().map(|group| group.to_vec()).collect();
            can_serve(config, key, writes, &Reach::new(&groups, 5))
        };
        let (two_at_home, one_at_home) = ([walk[0], walk[2]], [walk[1], walk[3], walk[4]]);
        let sloppy = DynamoConfig::defaults();
        assert!(serves(&strict(), true, &[&two_at_home]) && serves(&strict(), false, &[&two_at_home]));
        assert!(!serves(&strict(), true, &[&one_at_home]) && serves(&sloppy, true, &[&one_at_home]));
        assert!(!serves(&sloppy, true, &[&[walk[0]], &[walk[1]]]), "those who answer have to be together");
        let uneven = DynamoConfig { r: 1, w: 3, ..strict() };
        assert!(serves(&uneven, false, &[&one_at_home]) && !serves(&uneven, true, &[&two_at_home]));
        let founded = DynamoConfig { initial_members: 3, ..DynamoConfig::defaults() };
        assert!(!serves(&founded, false, &[&[NodeId(0), NodeId(3), NodeId(4)]]), "guests keep nothing");
    }
}
