//! What must hold after every step.
//!
//! The laws look on from outside, and what the papers say they compute anew, from scratch, with the settings that the process
//! goes by. A mistake that is made in those (F03, F04) breaks no law: what becomes of it is seen in how well nodes detect.
//!
//! - *news rises*: the newest heartbeat known of a peer never gets older, while a process lives.
//! - *patience*: nobody is suspected sooner after its last heartbeat than the paper trusts it.
//! - *only news revives*: who was suspected is trusted again by a heartbeat that was new and not too long on its way.
//!
//! That suspicion comes soon enough is no law of a step: it is checked at the end, against who was down.

use super::{Peer, Watch, Watched};
use sim_core::laws::{Breach, Laws, Nodes};
use sim_core::protocol::NodeId;
use sim_core::time::{LocalTime, format_duration};
use std::collections::BTreeMap;

const NEWS_RISES: &str = "news rises";
const PATIENCE: &str = "patience";
const ONLY_NEWS_REVIVES: &str = "only news revives";

/// What a process knew of a peer.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    newest: (u64, u64),
    is_down: bool,
}

/// The laws of detectors, and what they remember.
#[derive(Clone, Debug)]
pub struct WatchLaws {
    /// By node id.
    known: Vec<BTreeMap<NodeId, Known>>,
}

impl<E: Watched> Laws<Watch<E>> for WatchLaws {
    const NAMES: &'static [&'static str] = &[NEWS_RISES, PATIENCE, ONLY_NEWS_REVIVES];

    fn new(nodes: usize) -> Self {
        WatchLaws { known: vec![BTreeMap::new(); nodes] }
    }

    fn after_start(&mut self, node: NodeId, _: &Nodes<'_, Watch<E>>) -> Result<(), Breach> {
        self.known[node.0 as usize].clear();
        Ok(())
    }

    #[inline]
    fn after_step(&mut self, node: NodeId, nodes: &Nodes<'_, Watch<E>>) -> Result<(), Breach> {
        let Some(watch) = nodes.get(node) else { return Ok(()) };
        let Some((of, now)) = watch.latest else { return Ok(()) };
        let peer = &watch.peers[&of];
        let known = Known { newest: peer.newest, is_down: peer.is_down };
        let before = self.known[node.0 as usize].insert(of, known).unwrap_or_default();
        let broken = peer.broken(before, now, watch);
        broken.map_or(Ok(()), |(law, what)| Err(Breach { law, detail: format!("{} {what} {of}", watch.me) }))
    }
}

impl<E: Watched> Peer<E> {
    /// The law that this step broke, and how.
    fn broken(&self, before: Known, now: LocalTime, watch: &Watch<E>) -> Option<(&'static str, String)> {
        if self.newest < before.newest {
            return Some((NEWS_RISES, format!("took {:?} for news after {:?}, from", self.newest, before.newest)));
        }
        match (before.is_down, self.is_down) {
            (false, true) => {
                let (silent, least) = (self.trust.silence(now), self.estimator.least(&watch.config.estimator));
                let what = || {
                    let (silent, least) = (format_duration(silent), format_duration(least));
                    format!("suspects after {silent} of silence, and {least} is what is due to")
                };
                (silent < least).then(|| (PATIENCE, what()))
            }
            (true, false) if self.newest == before.newest => {
                Some((ONLY_NEWS_REVIVES, "trusts without news".to_owned()))
            }
            (true, false) => {
                let cutoff = watch.config.cutoff.filter(|cutoff| self.lateness > *cutoff)?;
                let (late, cutoff) = (format_duration(self.lateness), format_duration(cutoff));
                Some((ONLY_NEWS_REVIVES, format!("trusts by a heartbeat {late} late, and {cutoff} is the most, from")))
            }
            (false, false) | (true, true) => None,
        }
    }
}
