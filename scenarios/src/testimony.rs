//! Who was behind the operations of a witness: a checker knows processes and results, the run knows clients and nodes.

use crate::execute::Finished;
use history::{Holder, Server, Witness};
use sim_core::time::Nanos;
use sim_core::world::RoleChange;
use std::collections::BTreeMap;

/// Names the clients, and on what authority each node answered, and tells the argument again.
pub(crate) fn name(witness: &mut Witness, finished: &Finished) {
    for op in &mut witness.operations {
        op.client = finished.facts[op.index].client.to_string();
        if let (Some(server), Some(heard)) = (&mut op.server, op.completed) {
            *server = standing(&finished.roles, &server.node, heard.time);
        }
    }
    witness.tell();
}

/// What `node` was when a client heard its answer, and who was that by then in a later term.
fn standing(changes: &[RoleChange], node: &str, at: Nanos) -> Server {
    let mut roles: BTreeMap<String, (&str, u64, Nanos)> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.at <= at) {
        match change.role {
            Some((role, term)) => roles.insert(change.node.to_string(), (role, term, change.at)),
            None => roles.remove(&change.node.to_string()),
        };
    }
    let Some(&(role, term, _)) = roles.get(node) else {
        return Server { node: node.to_owned(), role: None, superseded: None };
    };
    let peers = || roles.iter().filter(|(_, (other, ..))| *other == role);
    // Of a role that many hold side by side nobody is the rightful holder.
    let is_shared = peers().any(|(peer, (_, same, _))| peer != node && *same == term);
    let newest =
        peers().filter(|(_, (_, newer, _))| *newer > term && !is_shared).max_by_key(|(_, (_, newer, _))| *newer);
    let superseded = newest.map(|(peer, &(_, term, from_ns))| Holder { node: peer.clone(), term, from_ns });
    Server { node: node.to_owned(), role: Some((role.to_owned(), term)), superseded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::protocol::NodeId;

    fn change(at: Nanos, node: u32, role: Option<(&'static str, u64)>) -> RoleChange {
        RoleChange { at, node: NodeId(node), role }
    }

    #[test]
    fn a_leader_that_does_not_know_is_named_with_the_one_that_leads() {
        let changes = [
            change(0, 0, Some(("leader", 1))),
            change(0, 2, Some(("follower", 1))),
            change(5, 1, Some(("leader", 2))),
            change(5, 2, Some(("follower", 2))),
            change(9, 0, Some(("follower", 2))),
            change(12, 0, None),
        ];
        let at = |node: &str, at| standing(&changes, node, at);
        let role = |name: &str, term| Some((name.to_owned(), term));
        assert_eq!((at("n1", 4).role, at("n1", 4).superseded), (role("leader", 1), None));
        let newer = Holder { node: "n2".to_owned(), term: 2, from_ns: 5 };
        assert_eq!((at("n1", 8).role, at("n1", 8).superseded), (role("leader", 1), Some(newer)));
        assert_eq!((at("n2", 8).role, at("n2", 8).superseded), (role("leader", 2), None));
        assert_eq!((at("n3", 11).role, at("n3", 11).superseded), (role("follower", 2), None));
        assert_eq!((at("n1", 12).role, at("n7", 12).role), (None, None));
    }
}
