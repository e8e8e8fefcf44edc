//! When, in an outage, somebody could have been served.

use super::spans::clipped;
use crate::execute::OpFact;
use sim_core::protocol::ClientId;
use sim_core::strain::Span;
use std::collections::BTreeMap;

/// The stretches in which, as far as anybody knows, somebody could have been served. To a client whose operation could have
/// been served until it gave up, and whose next could be served at once, it was possible in between as well, though
/// nobody waited: so a stretch ends only where somebody sees that it does.
pub(super) fn chances(waiting: &[&OpFact], outage: Span) -> Vec<Span> {
    let mut by_client: BTreeMap<ClientId, Vec<&OpFact>> = BTreeMap::new();
    for op in waiting {
        by_client.entry(op.client).or_default().push(op);
    }
    let of_one = |ops: Vec<&OpFact>| {
        let waits = clipped(ops.iter().map(|op| (op.invoked, op.waited_until())), outage);
        let mut stretches: Vec<Span> = Vec::new();
        for (begins, ends) in clipped(ops.iter().flat_map(|op| op.possible.iter().copied()), outage) {
            match stretches.last_mut() {
                Some(last) if clipped(waits.iter().copied(), (last.1, begins)).is_empty() => last.1 = ends,
                Some(_) | None => stretches.push((begins, ends)),
            }
        }
        stretches
    };
    clipped(by_client.into_values().flat_map(of_one), outage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{Outcome, Purpose};
    use sim_core::time::Nanos;

    fn op(client: u32, invoked: Nanos, deadline: Nanos, possible: &[Span]) -> OpFact {
        OpFact {
            function: 0,
            client: ClientId(client),
            invoked,
            deadline,
            completed: None,
            outcome: Outcome::Unknown,
            served: None,
            possible: possible.to_vec(),
            why: Vec::new(),
            purpose: Purpose::Load,
        }
    }

    fn chances_of(ops: &[OpFact]) -> Vec<Span> {
        chances(&ops.iter().collect::<Vec<_>>(), (0, 100))
    }

    #[test]
    fn a_client_that_thinks_between_two_attempts_ends_no_stretch() {
        assert_eq!(chances_of(&[op(0, 0, 10, &[(0, 10)]), op(0, 12, 22, &[(12, 22)])]), [(0, 22)]);
        // Another that is cut off meanwhile knows nothing of it.
        let cut_off = op(1, 5, 15, &[]);
        assert_eq!(chances_of(&[op(0, 0, 10, &[(0, 10)]), cut_off, op(0, 12, 22, &[(12, 22)])]), [(0, 22)]);
    }

    #[test]
    fn a_stretch_ends_where_a_client_can_no_longer_be_served() {
        assert_eq!(chances_of(&[op(0, 0, 10, &[(0, 8)]), op(0, 12, 22, &[(12, 22)])]), [(0, 8), (12, 22)]);
        assert_eq!(chances_of(&[op(0, 0, 30, &[(0, 10), (20, 30)])]), [(0, 10), (20, 30)], "it flaps");
        assert_eq!(chances_of(&[op(0, 0, 10, &[(0, 8)]), op(1, 5, 15, &[(5, 15)])]), [(0, 15)], "not to all");
        assert_eq!(chances_of(&[op(0, 0, 10, &[])]), []);
    }
}
