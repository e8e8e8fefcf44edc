//! How another node came to serve: the four stages from a fault to clients that are served again.

use super::cause::Reign;
use super::invoked_since;
use crate::execute::Finished;
use crate::plan::Plan;
use history::Takeover;
use sim_core::fault::FaultKind;
use sim_core::protocol::{ClientId, NodeId};
use sim_core::time::Nanos;
use std::collections::BTreeMap;

/// An outage, as far as a takeover asks.
pub(super) struct Silence<'a> {
    pub(super) from: Nanos,
    pub(super) to: Nanos,
    /// The fault can have struck this much before the last success: an answer may have been on its way.
    pub(super) grace: Nanos,
    /// No operation was waited for longer.
    pub(super) longest: Nanos,
    /// The clients that waited in it.
    pub(super) clients: &'a [ClientId],
}

/// The takeover within an outage, if a fault struck the serving node or its links and another node noticed.
pub(super) fn takeover(plan: &Plan, finished: &Finished, silence: &Silence<'_>) -> Option<Takeover> {
    let reigns = finished.reigns.as_deref()?;
    let since = silence.from.saturating_sub(silence.grace);
    let old = Reign::current(reigns, since)?;
    let after = |from: Nanos| move |at: &Nanos| from <= *at && *at <= silence.to;
    let later_terms = || finished.roles.iter().filter(|change| change.role.is_some_and(|(_, term)| term > old.term));
    let detected = later_terms().map(|change| change.at).find(after(since));
    let detected = detected?;
    let lost_touch = lost_touch(plan, finished, old.node, since, detected);
    // A spoilt link is not a lost one; but since the others noticed, it was spoilt enough.
    let struck = lost_touch.or_else(|| link_spoilt(plan, finished, since, detected))?;
    let new: Vec<&Reign> = reigns.iter().filter(|new| new.term > old.term && after(detected)(&new.from)).collect();
    // Of several, the one that came to serve: the others fell before they did.
    let serving = new.iter().find_map(|new| Some((*new, first_answer(finished, new).filter(after(new.from))?)));
    let elected = serving.map(|(new, _)| new).or(new.first().copied());
    let answered = serving.map(|(_, at)| at);
    Some(Takeover {
        detect_ns: Some(detected - struck),
        elect_ns: elected.map(|new| new.from - detected),
        catch_up_ns: elected.zip(answered).map(|(new, at)| at - new.from),
        clients_ns: answered.and_then(|at| Some(half_served(finished, silence, at)? - at)),
    })
}

/// When the node lost touch with another or with a client, the last time between two instants.
fn lost_touch(plan: &Plan, finished: &Finished, node: NodeId, since: Nanos, until: Nanos) -> Option<Nanos> {
    let reach = &finished.reach;
    let clients = || (0..plan.clients.len() as u32).map(ClientId);
    let loses = |at: &Nanos| {
        let before = at - 1;
        let touches = |client, at| reach.contacts(client, at).contains(&node);
        reach.peers(node, before).iter().any(|peer| !reach.peers(node, *at).contains(peer))
            || clients().any(|client| touches(client, before) && !touches(client, *at))
    };
    reach.changes(since, until).filter(loses).last()
}

/// When links were spoilt, the last time between two instants.
fn link_spoilt(plan: &Plan, finished: &Finished, since: Nanos, until: Nanos) -> Option<Nanos> {
    let is_link = |fault: usize| matches!(plan.faults[fault].kind, FaultKind::Link { .. } | FaultKind::Drop { .. });
    let mut spoilt = finished.strikes.iter().filter(|strike| is_link(strike.fault)).map(|strike| strike.from);
    spoilt.rfind(|at| (since..until).contains(at))
}

/// When the holder of a reign first answered in it.
fn first_answer(finished: &Finished, reign: &Reign) -> Option<Nanos> {
    let answers = finished.first_answers.iter().filter(|(_, node)| *node == reign.node);
    answers.map(|(at, _)| *at).find(|at| reign.holds(*at))
}

/// When half of the clients had been served again, from `at` on.
fn half_served(finished: &Finished, silence: &Silence<'_>, at: Nanos) -> Option<Nanos> {
    let half = silence.clients.len().div_ceil(2);
    let mut first: BTreeMap<ClientId, Nanos> = BTreeMap::new();
    for op in invoked_since(finished, at.saturating_sub(silence.longest)) {
        // Whoever asks later is served later.
        if first.len() >= half && first.values().filter(|served| **served <= op.invoked).count() >= half {
            break;
        }
        if let Some(served) = op.served.filter(|served| *served >= at)
            && silence.clients.contains(&op.client)
        {
            let first = first.entry(op.client).or_insert(served);
            *first = served.min(*first);
        }
    }
    let mut served: Vec<Nanos> = first.into_values().collect();
    served.sort_unstable();
    served.get(half.checked_sub(1)?).copied()
}
