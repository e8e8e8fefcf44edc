//! News that goes along with messages (SWIM, 4.1: infection-style dissemination).
//!
//! Each member passes a piece of news on λ log n times, and then takes it for known. What was passed on least goes first, so
//! that nothing new waits behind what everybody has heard.

use super::members::News;
use sim_core::protocol::NodeId;
use std::collections::BTreeMap;

/// What a member still passes on: the latest about each.
#[derive(Clone, Debug, Default)]
pub struct Gossip {
    news: BTreeMap<NodeId, (u64, News)>,
}

impl Gossip {
    /// Something new, which takes the place of what was said of the same member.
    pub fn put(&mut self, news: News) {
        self.news.insert(news.of, (0, news));
    }

    /// Whether there is nothing to pass on.
    pub fn is_empty(&self) -> bool {
        self.news.is_empty()
    }

    /// So much for one message, each piece at most `transmissions` times in all.
    pub fn take(&mut self, most: usize, transmissions: u64) -> Vec<News> {
        self.news.retain(|_, (sent, _)| *sent < transmissions);
        if self.news.is_empty() {
            return Vec::new();
        }
        let mut least: Vec<(u64, NodeId)> = self.news.iter().map(|(of, (sent, _))| (*sent, *of)).collect();
        if least.len() > most {
            least.select_nth_unstable(most);
            least.truncate(most);
        }
        least.sort_unstable();
        least.iter().filter_map(|(_, of)| self.news.get_mut(of).map(passed_on)).collect()
    }
}

fn passed_on((sent, news): &mut (u64, News)) -> News {
    *sent += 1;
    *news
}

#[cfg(test)]
mod tests {
    use super::super::members::{Standing, Status};
    use super::*;

    fn news(of: u32, incarnation: u64) -> News {
        News { of: NodeId(of), standing: Standing { incarnation, status: Status::Alive }, by: NodeId(of) }
    }

    fn taken(gossip: &mut Gossip, most: usize) -> Vec<u32> {
        gossip.take(most, 3).iter().map(|news| news.of.0).collect()
    }

    #[test]
    fn what_was_passed_on_least_goes_first_and_so_often_and_no_more() {
        let mut gossip = Gossip::default();
        (0..3).for_each(|of| gossip.put(news(of, 1)));
        assert_eq!(taken(&mut gossip, 2), [0, 1]);
        assert_eq!(taken(&mut gossip, 2), [2, 0]);
        gossip.put(news(3, 1));
        assert_eq!(taken(&mut gossip, 2), [3, 1]);
        assert_eq!((0..4).map(|_| taken(&mut gossip, 9).len()).collect::<Vec<_>>(), [4, 2, 0, 0]);
        assert!(gossip.is_empty());
    }

    #[test]
    fn the_latest_about_somebody_is_passed_on_anew() {
        let mut gossip = Gossip::default();
        gossip.put(news(0, 1));
        assert_eq!(gossip.take(9, 1), [news(0, 1)]);
        gossip.put(news(0, 2));
        assert_eq!(gossip.take(9, 1), [news(0, 2)]);
        gossip.put(news(0, 3));
        assert!(gossip.take(9, 0).is_empty(), "where nothing is passed on");
    }
}
