//! Who is suspected, since when, and by whom (SWIM, 4.2; Lifeguard, IV.B).

use super::config::SwimConfig;
use sim_core::protocol::NodeId;
use sim_core::time::{LocalTime, Nanos};
use std::collections::{BTreeMap, BTreeSet};

/// A suspicion under way.
#[derive(Clone, Debug)]
struct Suspicion {
    since: LocalTime,
    /// Who was heard to suspect it, the first included.
    by: BTreeSet<NodeId>,
    /// When it is taken for dead.
    until: LocalTime,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Suspicions(BTreeMap<NodeId, Suspicion>);

impl Suspicions {
    /// Somebody is suspected from now on.
    pub fn begin(&mut self, of: NodeId, by: NodeId, members: u64, config: &SwimConfig, now: LocalTime) {
        let until = later(now, config.suspected_for(0, members));
        self.0.insert(of, Suspicion { since: now, by: BTreeSet::from([by]), until });
    }

    /// Somebody else suspects the same. Whether that was news, and one of the first K such, which are worth passing on.
    pub fn confirm(&mut self, of: NodeId, by: NodeId, members: u64, config: &SwimConfig) -> bool {
        let Some(suspicion) = self.0.get_mut(&of) else { return false };
        let confirmations = suspicion.by.len() as u64;
        if !config.lha_suspicion || confirmations > config.k || !suspicion.by.insert(by) {
            return false;
        }
        suspicion.until = later(suspicion.since, config.suspected_for(confirmations, members));
        true
    }

    /// It is suspected no more.
    pub fn end(&mut self, of: NodeId) {
        self.0.remove(&of);
    }

    /// When the next of them is taken for dead.
    pub fn next(&self) -> Option<LocalTime> {
        self.0.values().map(|suspicion| suspicion.until).min()
    }

    /// Who was suspected for long enough.
    pub fn due(&self, now: LocalTime) -> Vec<NodeId> {
        self.0.iter().filter(|(_, suspicion)| suspicion.until <= now).map(|(of, _)| *of).collect()
    }
}

fn later(at: LocalTime, by: Nanos) -> LocalTime {
    LocalTime(at.0.saturating_add(by))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::settings::Settings;
    use sim_core::time::SECOND;

    const BEN: NodeId = NodeId(1);

    fn until(suspicions: &Suspicions) -> u64 {
        suspicions.next().map_or(0, |at| at.0.div_ceil(SECOND))
    }

    #[test]
    fn the_more_suspect_it_the_shorter_it_lasts() {
        let config = SwimConfig::defaults();
        let mut suspicions = Suspicions::default();
        suspicions.begin(BEN, NodeId(0), 100, &config, LocalTime(0));
        assert_eq!(until(&suspicions), 60);
        let mut confirm = |by| (suspicions.confirm(BEN, NodeId(by), 100, &config), until(&suspicions));
        assert_eq!(confirm(0), (false, 60), "it is the same who says so again");
        assert_eq!([2, 3, 4, 5].map(&mut confirm), [(true, 35), (true, 21), (true, 10), (false, 10)]);
        assert!(suspicions.due(LocalTime(9 * SECOND)).is_empty());
        assert_eq!(suspicions.due(LocalTime(10 * SECOND)), [BEN]);
        suspicions.end(BEN);
        assert_eq!(suspicions.next(), None);
    }

    #[test]
    fn without_lifeguard_it_does_not_matter_who_shares_it() {
        let config = SwimConfig { lha_suspicion: false, ..SwimConfig::defaults() };
        let mut suspicions = Suspicions::default();
        suspicions.begin(BEN, NodeId(0), 100, &config, LocalTime(0));
        assert!(!suspicions.confirm(BEN, NodeId(2), 100, &config));
        assert_eq!(until(&suspicions), 10);
    }
}
