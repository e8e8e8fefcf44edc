//! What must hold after every step.
//!
//! The laws look on from outside. They remember what each member knew, and the highest incarnation that each has ever given
//! itself. They read one flaw: where old good news is to clear suspicions (F02), that views go back by it is no news, and the run
//! goes on, so that what it comes to can be seen.

use super::Swim;
use super::members::{Standing, Status};
use sim_core::laws::{Breach, Laws, Nodes};
use sim_core::protocol::NodeId;
use std::collections::BTreeMap;

const INCARNATIONS_ARE_OWN: &str = "incarnations are their owners'";
const DEAD_STAYS_DEAD: &str = "who is dead stays dead";
const VIEWS_GO_FORWARD: &str = "views go forward";

/// SWIM's laws, and what they remember.
#[derive(Clone, Debug)]
pub struct SwimLaws {
    /// By node id: the highest incarnation it ever had by itself.
    own: Vec<u64>,
    /// By node id: what its process knew when last looked at.
    knew: Vec<BTreeMap<NodeId, Standing>>,
}

impl Laws<Swim> for SwimLaws {
    const NAMES: &'static [&'static str] = &[INCARNATIONS_ARE_OWN, DEAD_STAYS_DEAD, VIEWS_GO_FORWARD];

    fn new(nodes: usize) -> Self {
        SwimLaws { own: vec![0; nodes], knew: vec![BTreeMap::new(); nodes] }
    }

    /// A process knows nothing of what the one before it knew.
    fn after_start(&mut self, node: NodeId, nodes: &Nodes<'_, Swim>) -> Result<(), Breach> {
        self.knew[node.0 as usize].clear();
        self.after_step(node, nodes)
    }

    #[inline]
    fn after_step(&mut self, node: NodeId, nodes: &Nodes<'_, Swim>) -> Result<(), Breach> {
        let Some(swim) = nodes.get(node) else { return Ok(()) };
        let own = &mut self.own[node.0 as usize];
        *own = (*own).max(swim.incarnation);
        swim.members.changed().iter().try_for_each(|of| self.look(swim, *of))
    }
}

impl SwimLaws {
    /// Looks at what a member knows of another.
    fn look(&mut self, swim: &Swim, of: NodeId) -> Result<(), Breach> {
        let Some(now) = swim.members.get(of) else { return Ok(()) };
        let before = self.knew[swim.me.0 as usize].insert(of, now);
        let breach = |law, what: String| Err(Breach { law, detail: format!("{} {what}", swim.me) });
        let own = self.own[of.0 as usize];
        if now.incarnation > own {
            let what =
                format!("knows of incarnation {} of {of}, which has given itself {own} at most", now.incarnation);
            return breach(INCARNATIONS_ARE_OWN, what);
        }
        let is_forward = |before: Standing| before <= now || swim.members.lets_clear(now, before);
        let Some(before) = before.filter(|before| !is_forward(*before)) else { return Ok(()) };
        let what = format!("took {of} for {} and now takes it for {}", told(before), told(now));
        if !before.is_living() && now.is_living() {
            return breach(DEAD_STAYS_DEAD, what);
        }
        breach(VIEWS_GO_FORWARD, what)
    }
}

fn told(standing: Standing) -> String {
    let status = match standing.status {
        Status::Alive => "alive",
        Status::Suspect => "suspect",
        Status::Dead => "dead",
        Status::Left => "gone",
    };
    format!("{status} by incarnation {}", standing.incarnation)
}
