//! Joining, leaving and coming back; and comparing all that one knows with another (anti-entropy).
//!
//! Who comes asks somebody who may be a member for all that he knows, again and again until he answers. Members do the same
//! now and then, with somebody drawn by lot from all they ever heard of: also from the dead, since only so do two groups find
//! each other that were cut apart for so long that each took the other for dead; and from those who left, since two who left
//! and came back without hearing of each other's return would else never meet.

use super::members::{News, Standing, Status};
use super::suspicions::Suspicions;
use super::{Message, Record, Swim, Timer};
use crate::hashing::Hash64;
use sim_core::holding::{Copy, Holding};
use sim_core::protocol::{Ctx, NodeId, Observation, Why};

/// Whether a node is a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Not one, and never was or left long ago.
    Outside,
    /// It has said that it leaves, and helps to spread the word.
    Leaving,
    /// It is one.
    Inside,
}

impl Swim {
    /// A process begins. `own` is what its journal says of itself.
    pub(super) fn begin(&mut self, why: Why, own: Option<(u64, bool)>, ctx: &mut Ctx<'_, Self>) {
        let founders = self.config.founders(self.everybody.iter().copied());
        let is_member = own.map_or(founders.contains(&self.me), |(_, is_member)| is_member);
        self.incarnation = own.map_or(0, |(incarnation, _)| incarnation);
        if !is_member {
            return;
        }
        if why != Why::First {
            let incarnation = self.incarnation + 1;
            return self.come(incarnation, ctx);
        }
        for node in founders {
            self.members.set(node, Standing { incarnation: 0, status: Status::Alive });
            if node != self.me {
                ctx.observe(Observation::Deems { peer: node, is_down: false });
            }
        }
        self.place = Place::Inside;
        self.begin_probing(ctx);
        self.plan_sync(ctx);
    }

    /// Whether it was no member before.
    pub(super) fn join(&mut self, ctx: &mut Ctx<'_, Self>) -> bool {
        if self.place == Place::Inside {
            return false;
        }
        self.come(self.incarnation + 1, ctx);
        true
    }

    /// It is a member from now on. Whom it knows from before it left it suspects anew: it was not there to hear them.
    fn come(&mut self, incarnation: u64, ctx: &mut Ctx<'_, Self>) {
        self.place = Place::Inside;
        self.speak_up(incarnation, ctx);
        self.begin_probing(ctx);
        let suspects = self.members.iter().filter(|(_, known)| known.status == Status::Suspect).map(|(of, _)| of);
        for of in suspects {
            self.suspicions.begin(of, self.me, self.members.living(), &self.config, ctx.now());
        }
        self.arm_suspicion(ctx);
        self.on_sync_due(ctx);
    }

    /// Whether it was a member. "I leave" goes to a few at once, who pass it on.
    pub(super) fn leave(&mut self, ctx: &mut Ctx<'_, Self>) -> bool {
        if self.place != Place::Inside {
            return false;
        }
        self.place = Place::Leaving;
        ctx.persist(Record::Own { incarnation: self.incarnation, is_member: false });
        self.say(Status::Left, ctx);
        self.tell_some(ctx);
        self.end_probing(ctx);
        self.suspicions = Suspicions::default();
        [Timer::Sync, Timer::Suspicion].into_iter().for_each(|timer| ctx.disarm(timer));
        true
    }

    /// Whether it has heard of anybody.
    fn is_acquainted(&self) -> bool {
        self.members.iter().any(|(node, _)| node != self.me)
    }

    fn plan_sync(&self, ctx: &mut Ctx<'_, Self>) {
        match self.config.sync {
            0 => {}
            sync => {
                let after = ctx.dice().between(sync / 2, sync.saturating_add(sync / 2));
                ctx.arm(Timer::Sync, after);
            }
        }
    }

    pub(super) fn on_sync_due(&mut self, ctx: &mut Ctx<'_, Self>) {
        let mut partners = if self.is_acquainted() {
            self.members.iter().map(|(node, _)| node).collect()
        } else {
            self.config.contacts(self.everybody.iter().copied())
        };
        partners.retain(|node| *node != self.me);
        ctx.dice().draw_to_front(&mut partners, 1);
        if let Some(to) = partners.first() {
            ctx.send_datagram(*to, Message::Sync { all: self.all(), is_answer: false });
        }
        if self.is_acquainted() {
            self.plan_sync(ctx);
        } else {
            ctx.arm(Timer::Sync, self.config.period);
        }
    }

    fn all(&self) -> Vec<News> {
        self.members.iter().map(|(of, standing)| News { of, standing, by: self.me }).collect()
    }

    /// Whoever is dead for another, and alive here, is only suspected: it may be that the two were cut apart, and it is there to
    /// say so.
    pub(super) fn on_sync(&mut self, from: NodeId, all: &[News], is_answer: bool, ctx: &mut Ctx<'_, Self>) {
        let is_first = !self.is_acquainted();
        let softened = |news: &News| {
            let is_doubtful = news.standing.status == Status::Dead && self.members.is_living(news.of);
            let status = if is_doubtful && self.config.suspicion { Status::Suspect } else { news.standing.status };
            News { standing: Standing { status, ..news.standing }, ..*news }
        };
        let all: Vec<News> = all.iter().map(softened).collect();
        self.hear(from, &all, ctx);
        if !is_answer {
            ctx.send_datagram(from, Message::Sync { all: self.all(), is_answer: true });
        }
        if is_first && self.is_acquainted() {
            self.plan_sync(ctx);
        }
    }

    /// For each member of whom it has heard, what; "at home" is whoever is a member, as far as it knows.
    pub(super) fn holding(&self) -> Holding {
        if self.place != Place::Inside {
            return Holding::default();
        }
        let owners: Vec<NodeId> =
            self.members.iter().filter(|(_, known)| known.is_living()).map(|(node, _)| node).collect();
        let copy = |(node, known): (NodeId, Standing)| {
            let said = known.incarnation << 2 | known.status as u64;
            Copy { key: u64::from(node.0), digest: Hash64::new(0).number(said), owners: owners.clone() }
        };
        Holding { copies: self.members.iter().map(copy).collect(), ..Holding::default() }
    }
}
