//! What nodes keep of the data they are home to, and whether they agree on it.
//!
//! A store that takes writes wherever it can lets its copies differ, and promises that they become the same once nothing
//! goes wrong any more ("eventual consistency"; DeCandia et al., Dynamo, SOSP 2007, sections 2.3 and 4.7). No client can see
//! whether they do: whoever reads hears one coordinator. So each node [reveals](crate::protocol::Protocol::reveal) what it
//! holds, and [`agreement`] compares.
//!
//! All of this is only looked at after everything has healed: before, copies may differ.

use crate::protocol::NodeId;
use std::collections::BTreeMap;

/// What a node keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Of each key that it has anything of and believes itself to be a home node of.
    pub copies: Vec<Copy>,
    /// How many copies it keeps for other nodes until they can take them.
    pub hints: u64,
    /// How many it ever kept for others, as far as it remembers.
    pub hints_made: u64,
}

/// What a node keeps of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The key's number.
    pub key: u64,
    /// The same number wherever the same is kept, and as good as never otherwise: no matter in which order it came.
    pub digest: u64,
    /// Who this node believes the home nodes to be, itself among them.
    pub owners: Vec<NodeId>,
}

/// A node, when copies are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is up, and reveals this.
    Up(Holding),
    /// It is down, though it should not be.
    Down,
    /// Its machine is lost for good, and its disk with it: nobody can blame it.
    Lost,
}

/// How far nodes agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// How many keys there are.
    pub keys: u64,
    /// Those whose home nodes do not all keep the same.
    pub differing: Vec<Difference>,
    /// How many copies are kept for others.
    pub hints: u64,
    /// How many ever were, as far as anybody remembers.
    pub hints_made: u64,
}

/// A key on which home nodes do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key's number.
    pub key: u64,
    /// What each of those that are home nodes of it by anybody's account keeps of it, in the order of their names.
    pub kept: Vec<(NodeId, Kept)>,
}

/// What a home node keeps of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// What has this digest.
    This(u64),
    /// Nothing.
    Nothing,
    /// Nobody knows: it is down.
    Unknown,
}

/// Compares what nodes keep; by node id.
///
/// The home nodes of a key agree if they name the same home nodes, and each of those keeps the same. One that is lost for
/// good is excused; one that is down is not.
pub fn agreement(nodes: &[Standing]) -> Agreement {
    let mut found = Agreement::default();
    let mut copies: BTreeMap<u64, Vec<(NodeId, &Copy)>> = BTreeMap::new();
    for (node, standing) in (0..).map(NodeId).zip(nodes) {
        let Standing::Up(holding) = standing else { continue };
        found.hints += holding.hints;
        found.hints_made += holding.hints_made.max(holding.hints);
        holding.copies.iter().for_each(|copy| copies.entry(copy.key).or_default().push((node, copy)));
    }
    found.keys = copies.len() as u64;
    found.differing = copies.into_iter().filter_map(|(key, copies)| difference(key, &copies, nodes)).collect();
    found
}

fn difference(key: u64, copies: &[(NodeId, &Copy)], nodes: &[Standing]) -> Option<Difference> {
    let kept = |node: NodeId| match nodes.get(node.0 as usize) {
        Some(Standing::Up(_)) | None => {
            let own = copies.iter().find(|(holder, _)| *holder == node);
            Some((node, own.map_or(Kept::Nothing, |(_, copy)| Kept::This(copy.digest))))
        }
        Some(Standing::Down) => Some((node, Kept::Unknown)),
        Some(Standing::Lost) => None,
    };
    let (_, first) = copies.first()?;
    let is_one_list = copies.iter().all(|(_, copy)| copy.owners == first.owners);
    let mut homes: Vec<NodeId> = copies.iter().flat_map(|(_, copy)| copy.owners.iter().copied()).collect();
    homes.extend(copies.iter().map(|(holder, _)| *holder));
    homes.sort_unstable();
    homes.dedup();
    let kept: Vec<(NodeId, Kept)> = homes.into_iter().filter_map(kept).collect();
    let is_same = kept.iter().all(|(_, kept)| *kept == Kept::This(first.digest));
    (!is_one_list || !is_same).then_some(Difference { key, kept })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(key: u64, digest: u64, owners: &[u32]) -> Copy {
        Copy { key, digest, owners: owners.iter().copied().map(NodeId).collect() }
    }

    fn up(copies: Vec<Copy>) -> Standing {
        Standing::Up(Holding { copies, hints: 0, hints_made: 0 })
    }

    fn kept(nodes: &[Standing]) -> Vec<Vec<(NodeId, Kept)>> {
        agreement(nodes).differing.into_iter().map(|difference| difference.kept).collect()
    }

    #[test]
    fn home_nodes_agree_if_each_keeps_the_same() {
        let same = up(vec![copy(7, 1, &[0, 1])]);
        let nodes = [same.clone(), same.clone(), up(Vec::new())];
        let found = agreement(&nodes);
        assert_eq!((found.keys, found.differing.len()), (1, 0));
        let other = up(vec![copy(7, 2, &[0, 1])]);
        assert_eq!(
            kept(&[same.clone(), other, up(Vec::new())]),
            [[(NodeId(0), Kept::This(1)), (NodeId(1), Kept::This(2))]]
        );
        assert_eq!(
            kept(&[same, up(Vec::new()), up(Vec::new())]),
            [[(NodeId(0), Kept::This(1)), (NodeId(1), Kept::Nothing)]]
        );
        assert_eq!(agreement(&[up(Vec::new())]), Agreement::default());
    }

    #[test]
    fn who_is_lost_for_good_is_excused_and_who_is_down_is_not() {
        let same = up(vec![copy(7, 1, &[0, 1, 2])]);
        assert!(kept(&[same.clone(), same.clone(), Standing::Lost]).is_empty());
        let down = kept(&[same.clone(), same, Standing::Down]);
        assert_eq!(down[0][2], (NodeId(2), Kept::Unknown));
    }

    #[test]
    fn two_accounts_of_who_is_at_home_are_a_difference() {
        let nodes = [up(vec![copy(7, 1, &[0, 1])]), up(vec![copy(7, 1, &[1, 0])])];
        assert_eq!(agreement(&nodes).differing.len(), 1);
        let moved = [up(vec![copy(7, 1, &[0])]), up(vec![copy(7, 1, &[0])])];
        assert!(kept(&moved).is_empty(), "a guest that keeps the same does no harm");
    }

    #[test]
    fn hints_are_counted_over_all_nodes() {
        let holding = |hints, hints_made| Standing::Up(Holding { copies: Vec::new(), hints, hints_made });
        let found = agreement(&[holding(2, 5), holding(1, 0), Standing::Down]);
        assert_eq!((found.hints, found.hints_made), (3, 6));
    }
}
