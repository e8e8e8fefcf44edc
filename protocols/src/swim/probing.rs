//! The failure detector: pings, and pings by others (SWIM, 3.1), whom to ping (4.3), and how far to trust oneself (Lifeguard,
//! IV.A).
//!
//! | what happens | the local health multiplier |
//! |---|---|
//! | whoever was asked answered, or others heard it | falls by 1 |
//! | it did not | rises by 1 |
//! | … and of those who were to try, some did not even say that they have heard nothing | rises by 1 more |
//! | one hears that one is suspected oneself | rises by 1 |
//!
//! Period and timeout are as long as they should be, times the multiplier plus 1.

use super::config::Probing as Choice;
use super::members::{News, Standing, Status};
use super::{Message, Swim, Timer, time_until};
use sim_core::protocol::{Ctx, NodeId};
use sim_core::time::{LocalTime, Nanos};
use std::collections::{BTreeSet, VecDeque};

/// Of the timeout for a ping, who tries for another waits so much before it says that it has heard nothing: its word is to
/// come in time.
const NACK_AFTER: (u64, u64) = (4, 5);

/// What a member has under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Probing {
    /// Whom it pings in this round, and how many of them it has.
    round: Vec<NodeId>,
    next: usize,
    /// The number it gave its last question.
    asked: u64,
    current: Option<Probe>,
    /// Whom it pings for others, the oldest first.
    errands: VecDeque<Errand>,
    /// The local health multiplier.
    pub(super) health: u64,
}

/// A ping of this period.
#[derive(Clone, Debug)]
struct Probe {
    number: u64,
    target: NodeId,
    is_answered: bool,
    /// Who was asked to try too and has said nothing yet.
    helpers: BTreeSet<NodeId>,
}

/// A ping for somebody else.
#[derive(Clone, Debug)]
struct Errand {
    number: u64,
    /// Who asked for it, and under which number.
    asker: NodeId,
    probe: u64,
    until: LocalTime,
    /// Whether it was told that nothing was heard yet.
    is_told: bool,
}

impl Probing {
    /// Somebody is to be pinged as well: at a place in the round drawn by lot (4.3).
    pub(super) fn add(&mut self, member: NodeId, place: u64) {
        if !self.round.contains(&member) {
            self.round.insert(place as usize, member);
            self.next += usize::from((place as usize) < self.next);
        }
    }

    /// In how many places of the round somebody could be put.
    pub(super) fn places(&self) -> u64 {
        self.round.len() as u64 + 1
    }

    fn number(&mut self) -> u64 {
        self.asked += 1;
        self.asked
    }
}

impl Swim {
    /// Begins to ping, at an instant of its own or with everybody.
    pub(super) fn begin_probing(&mut self, ctx: &mut Ctx<'_, Self>) {
        let period = self.config.period;
        let after = if self.config.in_step { period - ctx.now().0 % period } else { ctx.dice().below(period) };
        ctx.arm(Timer::Period, after);
    }

    /// Pings no more.
    pub(super) fn end_probing(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.probing = Probing::default();
        [Timer::Period, Timer::Timeout, Timer::Nack].into_iter().for_each(|timer| ctx.disarm(timer));
    }

    /// Stretched by how slow one is oneself.
    fn stretched(&self, time: Nanos) -> Nanos {
        time.saturating_mul(self.probing.health + 1)
    }

    pub(super) fn feel_worse(&mut self, by: u64) {
        if self.config.lha_probe {
            self.probing.health = (self.probing.health + by).min(self.config.health_max);
        }
    }

    /// The last period is over, and the next begins.
    pub(super) fn on_period(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.conclude(ctx);
        let wait = self.stretched(self.config.period);
        let late = if self.config.in_step { ctx.now().0 % self.config.period } else { 0 };
        ctx.arm(Timer::Period, wait - late);
        if let Some(target) = self.next_target(ctx) {
            let number = self.probing.number();
            self.probing.current = Some(Probe { number, target, is_answered: false, helpers: BTreeSet::new() });
            self.ping(target, number, ctx);
            ctx.arm(Timer::Timeout, self.stretched(self.config.probe_timeout));
        }
    }

    /// Who has not answered by the end of the period, to nobody, is suspected.
    fn conclude(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Some(probe) = self.probing.current.take().filter(|probe| !probe.is_answered) else { return };
        let is_unheard = self.config.lha_probe && !probe.helpers.is_empty();
        self.feel_worse(1 + u64::from(is_unheard));
        if let Some(known) = self.members.get(probe.target).filter(|known| known.is_living()) {
            let status = if self.config.suspicion { Status::Suspect } else { Status::Dead };
            let standing = Standing { incarnation: known.incarnation, status };
            self.learn(News { of: probe.target, standing, by: self.me }, ctx);
        }
    }

    fn next_target(&mut self, ctx: &mut Ctx<'_, Self>) -> Option<NodeId> {
        if self.config.probing == Choice::Random {
            return self.some_living(1, self.me, ctx).first().copied();
        }
        // Once round: whoever is in the list has failed or left, or is to be pinged.
        for _ in 0..2 {
            while let Some(target) = self.probing.round.get(self.probing.next).copied() {
                self.probing.next += 1;
                if self.members.is_living(target) {
                    return Some(target);
                }
            }
            let mut round = self.others(|_| true);
            let all = round.len();
            ctx.dice().draw_to_front(&mut round, all);
            (self.probing.round, self.probing.next) = (round, 0);
        }
        None
    }

    /// All other members, or those that this is true of.
    pub(super) fn others(&self, is_wanted: impl Fn(NodeId) -> bool) -> Vec<NodeId> {
        let is_other = |node: NodeId, known: Standing| known.is_living() && node != self.me && is_wanted(node);
        self.members.iter().filter(|(node, known)| is_other(*node, *known)).map(|(node, _)| node).collect()
    }

    /// So many other members, drawn by lot, but for this one.
    pub(super) fn some_living(&self, count: usize, but: NodeId, ctx: &mut Ctx<'_, Self>) -> Vec<NodeId> {
        let mut others = self.others(|node| node != but);
        ctx.dice().draw_to_front(&mut others, count);
        others.truncate(count);
        others
    }

    /// A ping. With the buddy system who is suspected hears that first (Lifeguard, IV.C).
    fn ping(&mut self, target: NodeId, probe: u64, ctx: &mut Ctx<'_, Self>) {
        let is_suspected = self.members.get(target).is_some_and(|known| known.status == Status::Suspect);
        let first = (self.config.buddy && is_suspected).then_some(target);
        let news = self.news(first);
        ctx.send_datagram(target, Message::Ping { probe, news });
    }

    /// Whoever is taken for dead and is not hears it with the answer: nobody pings it any more.
    pub(super) fn on_ping(&mut self, from: NodeId, probe: u64, ctx: &mut Ctx<'_, Self>) {
        let is_gone = self.members.get(from).is_some_and(|known| !known.is_living());
        let news = self.news(is_gone.then_some(from));
        ctx.send_datagram(from, Message::Ack { probe, news });
    }

    /// It has not answered: others shall try.
    pub(super) fn on_timeout(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Some((number, target)) = self.probing.current.as_ref().filter(|probe| !probe.is_answered).map(Probe::asks)
        else {
            return;
        };
        let helpers = self.some_living(self.config.indirect, target, ctx);
        for helper in &helpers {
            let news = self.news(None);
            ctx.send_datagram(*helper, Message::PingReq { probe: number, target, news });
        }
        if let Some(probe) = &mut self.probing.current {
            probe.helpers = helpers.into_iter().collect();
        }
    }

    pub(super) fn on_ping_req(&mut self, asker: NodeId, probe: u64, target: NodeId, ctx: &mut Ctx<'_, Self>) {
        let number = self.probing.number();
        let (share, of) = NACK_AFTER;
        let now = ctx.now();
        let until = LocalTime(now.0.saturating_add(self.config.probe_timeout * share / of));
        // Whoever asked longer ago than this waits no more.
        let period = self.config.period;
        self.probing.errands.retain(|errand| now.0 <= errand.until.0.saturating_add(period));
        self.probing.errands.push_back(Errand { number, asker, probe, until, is_told: !self.config.lha_probe });
        self.arm_nack(ctx);
        self.ping(target, number, ctx);
    }

    /// Whoever was asked for is there. An answer that comes after the period counts no more.
    pub(super) fn on_ack(&mut self, number: u64, ctx: &mut Ctx<'_, Self>) {
        if let Some(probe) = self.probing.current.as_mut().filter(|probe| probe.number == number) {
            if !std::mem::replace(&mut probe.is_answered, true) {
                self.probing.health = self.probing.health.saturating_sub(1);
                ctx.disarm(Timer::Timeout);
            }
            return;
        }
        let errand = self.probing.errands.iter().position(|errand| errand.number == number);
        if let Some(Errand { asker, probe, .. }) = errand.and_then(|at| self.probing.errands.remove(at)) {
            let news = self.news(None);
            ctx.send_datagram(asker, Message::Ack { probe, news });
        }
    }

    /// Whoever was to try is there at least, and heard us.
    pub(super) fn on_nack(&mut self, from: NodeId, number: u64) {
        if let Some(probe) = self.probing.current.as_mut().filter(|probe| probe.number == number) {
            probe.helpers.remove(&from);
        }
    }

    /// Somebody pinged for another has not answered in time; it may still.
    pub(super) fn on_nack_due(&mut self, ctx: &mut Ctx<'_, Self>) {
        let now = ctx.now();
        let is_due = |errand: &&mut Errand| !errand.is_told && errand.until <= now;
        let mut askers = Vec::new();
        for errand in self.probing.errands.iter_mut().filter(is_due) {
            errand.is_told = true;
            askers.push((errand.asker, errand.probe));
        }
        for (asker, probe) in askers {
            let news = self.news(None);
            ctx.send_datagram(asker, Message::Nack { probe, news });
        }
        self.arm_nack(ctx);
    }

    fn arm_nack(&self, ctx: &mut Ctx<'_, Self>) {
        if let Some(errand) = self.probing.errands.iter().find(|errand| !errand.is_told) {
            ctx.arm(Timer::Nack, time_until(errand.until, ctx.now()));
        }
    }
}

impl Probe {
    fn asks(&self) -> (u64, NodeId) {
        (self.number, self.target)
    }
}
