//! What a member makes of what it hears (SWIM, 4.2), of itself above all.

use super::members::{News, Standing, Status, Worth};
use super::{Message, Record, Swim, Timer, time_until};
use sim_core::protocol::{Ctx, NodeId, Observation};

/// It was suspected, or taken for dead, and said that it is alive.
pub(super) const REFUTED: &str = "suspicion refuted";

impl Swim {
    /// News that came along with a message.
    pub(super) fn hear(&mut self, from: NodeId, all: &[News], ctx: &mut Ctx<'_, Self>) {
        for news in all {
            if news.of == self.me {
                self.hear_of_self(from, news.standing, ctx);
            } else {
                self.learn(*news, ctx);
            }
        }
    }

    /// It makes news of its own if it is alive and others may think that it is not, and raises its incarnation for that.
    /// Whoever has not heard its last word yet is told it.
    fn hear_of_self(&mut self, from: NodeId, said: Standing, ctx: &mut Ctx<'_, Self>) {
        let own = Standing { incarnation: self.incarnation, status: Status::Alive };
        if said > own {
            if said.status == Status::Suspect {
                self.feel_worse(1);
            }
            ctx.observe(Observation::Recovered(REFUTED));
            self.speak_up(said.incarnation + 1, ctx);
        } else if said < own && said.status != Status::Alive {
            let news = vec![News { of: self.me, standing: own, by: self.me }];
            ctx.send_datagram(from, Message::Gossip { news });
        }
    }

    /// Its own word, by this incarnation: on disk before anybody hears it.
    pub(super) fn speak_up(&mut self, incarnation: u64, ctx: &mut Ctx<'_, Self>) {
        self.incarnation = incarnation;
        ctx.persist(Record::Own { incarnation, is_member: true });
        self.say(Status::Alive, ctx);
    }

    /// What it says of itself.
    pub(super) fn say(&mut self, status: Status, ctx: &mut Ctx<'_, Self>) {
        let standing = Standing { incarnation: self.incarnation, status };
        self.members.set(self.me, standing);
        self.pass_on(News { of: self.me, standing, by: self.me }, ctx);
    }

    /// News of somebody else.
    pub(super) fn learn(&mut self, news: News, ctx: &mut Ctx<'_, Self>) {
        if news.of == self.me || !self.everybody.contains(&news.of) {
            return;
        }
        match self.members.worth(&news) {
            Worth::New => self.believe(news, ctx),
            Worth::Same if news.standing.status == Status::Suspect => {
                if self.suspicions.confirm(news.of, news.by, self.members.living(), &self.config) {
                    self.pass_on(news, ctx);
                    self.arm_suspicion(ctx);
                }
            }
            Worth::Same | Worth::Old => {}
        }
    }

    fn believe(&mut self, news: News, ctx: &mut Ctx<'_, Self>) {
        let News { of, standing, by } = news;
        let was_living = self.members.set(of, standing).map(Standing::is_living);
        self.suspicions.end(of);
        if standing.status == Status::Suspect {
            self.suspicions.begin(of, by, self.members.living(), &self.config, ctx.now());
        }
        self.arm_suspicion(ctx);
        if standing.is_living() && was_living != Some(true) {
            let place = ctx.dice().below(self.probing.places());
            self.probing.add(of, place);
            ctx.observe(Observation::Deems { peer: of, is_down: false });
        }
        // Who leaves is not down, and whoever never was a member for us has never been up.
        if standing.status == Status::Dead && was_living == Some(true) {
            ctx.observe(Observation::Deems { peer: of, is_down: true });
        }
        self.pass_on(news, ctx);
    }

    pub(super) fn arm_suspicion(&self, ctx: &mut Ctx<'_, Self>) {
        match self.suspicions.next() {
            Some(at) => ctx.arm(Timer::Suspicion, time_until(at, ctx.now())),
            None => ctx.disarm(Timer::Suspicion),
        }
    }

    /// Who was suspected for long enough is taken for dead.
    pub(super) fn on_suspicion(&mut self, ctx: &mut Ctx<'_, Self>) {
        for of in self.suspicions.due(ctx.now()) {
            if let Some(known) = self.members.get(of) {
                let standing = Standing { status: Status::Dead, ..known };
                self.learn(News { of, standing, by: self.me }, ctx);
            }
        }
        self.arm_suspicion(ctx);
    }

    /// What goes along with a message: what is known of `first`, if anybody, and what was passed on least.
    pub(super) fn news(&mut self, first: Option<NodeId>) -> Vec<News> {
        let mut news = self.gossip.take(self.config.piggyback, self.config.transmissions(self.members.living()));
        if let Some(of) = first
            && let Some(standing) = self.members.get(of)
        {
            news.retain(|news| news.of != of);
            news.insert(0, News { of, standing, by: self.me });
        }
        news
    }

    /// Something to tell the others.
    fn pass_on(&mut self, news: News, ctx: &mut Ctx<'_, Self>) {
        if self.config.lambda == 0 {
            return;
        }
        self.gossip.put(news);
        if self.config.gossip > 0 && !self.is_gossiping {
            self.is_gossiping = true;
            ctx.arm(Timer::Gossip, self.config.gossip);
        }
    }

    /// News is sent by itself, as long as there is any.
    pub(super) fn on_gossip(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.tell_some(ctx);
        self.is_gossiping = !self.gossip.is_empty();
        if self.is_gossiping {
            ctx.arm(Timer::Gossip, self.config.gossip);
        }
    }

    /// To a few members, drawn by lot.
    pub(super) fn tell_some(&mut self, ctx: &mut Ctx<'_, Self>) {
        for to in self.some_living(self.config.gossip_fanout, self.me, ctx) {
            let news = self.news(None);
            if !news.is_empty() {
                ctx.send_datagram(to, Message::Gossip { news });
            }
        }
    }
}
