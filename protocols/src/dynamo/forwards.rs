//! Requests that are passed on to who coordinates their key (4.6).
//!
//! Any home node will do, and the one that was heard of last is the likeliest to be there (the paper chooses who answered fastest
//! before, for another reason; 5); only if none seems to be up, one who stands in. He may not know that he does: so he is told
//! for whom.
//!
//! Whoever is passed a request says so at once, and answers the client itself. If it does not say so it seems to be down. A
//! read is then passed on to the next; of a write nobody knows whether it has arrived, and the client is told that before long,
//! unless the other has answered by then.
//!
//! A request is passed on over a connection, whatever `transport` says of other messages, as clients ask over one. All others
//! may come twice and change nothing; a put that comes twice would be numbered twice, and its second version stand again
//! after the first was replaced or deleted.

use super::coordinator::{Place, Query, RequestId, answer};
use super::data::{Asked, Versioned};
use super::{Dynamo, Message, Timer};
use crate::client::Response;
use sim_core::protocol::{Ctx, NodeId};
use sim_core::time::LocalTime;

/// So often a request is passed on before it is turned away: nodes can disagree for a while about who is up.
const HOPS_MAX: u32 = 2;

/// A request that was passed on.
#[derive(Clone, Debug)]
pub(super) struct Forwarded<Op> {
    query: Query<Op>,
    hops: u32,
    to: NodeId,
    since: LocalTime,
}

impl<D: Versioned> Dynamo<D> {
    /// Passes a request on to one of those who fill the places of its key.
    pub(super) fn pass_on(&mut self, query: Query<D::Op>, hops: u32, places: &[Place], ctx: &mut Ctx<'_, Self>) {
        let homes = places.iter().filter(|place| place.stands_in_for.is_none()).map(|place| place.node);
        let home = self.peers.freshest(homes).map(|node| Place { node, stands_in_for: None });
        let Some(Place { node: to, stands_in_for }) = home.or(places.first().copied()).filter(|_| hops < HOPS_MAX)
        else {
            return answer(&query, Response::Redirect(None), ctx);
        };
        let request = self.request_id();
        // Over a stream, whatever the setting: a request that came twice would be done twice.
        ctx.send(to, Message::Forward { request, query: query.clone(), hops: hops + 1, stands_in_for });
        self.forwarded.insert(request, Forwarded { query, hops, to, since: ctx.now() });
        ctx.arm(Timer::Forwarded(request), self.config.replica_timeout);
    }

    /// Who was passed a request has it.
    pub(super) fn on_taken_up(&mut self, request: RequestId, ctx: &mut Ctx<'_, Self>) {
        if self.forwarded.remove(&request).is_some() {
            ctx.disarm(Timer::Forwarded(request));
        }
    }

    /// Who was passed a request says nothing.
    pub(super) fn on_forward_due(&mut self, request: RequestId, ctx: &mut Ctx<'_, Self>) {
        let Some(Forwarded { query, hops, to, since }) = self.forwarded.remove(&request) else { return };
        self.missed(to, since, ctx);
        if D::asks(&query.op) == Some(Asked::Get) {
            return self.take_up(query, hops + 1, None, ctx);
        }
        let waited = ctx.now().since(since);
        if waited >= self.config.request_timeout {
            return answer(&query, Response::Unknown, ctx);
        }
        self.forwarded.insert(request, Forwarded { query, hops, to, since });
        ctx.arm(Timer::Forwarded(request), self.config.request_timeout - waited);
    }
}
