//! The named alarms of one process.
//!
//! The obvious way to move an alarm, pushing a new event and ignoring the old one, doubles the cost of a run: an election
//! timeout is moved by every message and almost never rings. So an alarm is a *deadline*, and at most one event per
//! alarm is under way to look at it. Moved later, it costs nothing: when the event comes early, it goes back to sleep until
//! the deadline. By a clock that stands still no deadline comes nearer, so then there is no event at all, until the clock
//! is started again.

use crate::clock::Clock;
use crate::time::{LocalTime, Nanos};

/// Names one wake-up call; a call that is no longer expected is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call(u32);

#[derive(Clone, Debug)]
struct Slot<T> {
    timer: T,
    deadline: Option<LocalTime>,
    /// The call under way for it, and when it comes.
    call: Option<(Call, Nanos)>,
}

/// What a call found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Woken<T> {
    /// Nobody waits for this call any more, or the clock stands still.
    Stale,
    /// The deadline has moved: call again then.
    Again(Call, Nanos),
    /// This alarm is due.
    Due(T),
}

/// All alarms of one process.
#[derive(Clone, Debug)]
pub(crate) struct Alarms<T> {
    slots: Vec<Slot<T>>,
    calls: u32,
}

impl<T: Copy + Eq> Alarms<T> {
    pub(crate) fn new() -> Self {
        Alarms { slots: Vec::new(), calls: 0 }
    }

    fn next_call(&mut self) -> Call {
        self.calls = self.calls.wrapping_add(1);
        Call(self.calls)
    }

    /// Sets or moves an alarm. The call to make, if one is needed.
    pub(crate) fn arm(&mut self, timer: T, deadline: LocalTime, clock: Clock) -> Option<(Call, Nanos)> {
        let slot = match self.slots.iter().position(|slot| slot.timer == timer) {
            Some(slot) => slot,
            None => {
                self.slots.push(Slot { timer, deadline: None, call: None });
                self.slots.len() - 1
            }
        };
        self.slots[slot].deadline = Some(deadline);
        let at = clock.true_time(deadline)?;
        if self.slots[slot].call.is_some_and(|(_, comes)| comes <= at) {
            return None;
        }
        let call = (self.next_call(), at);
        self.slots[slot].call = Some(call);
        Some(call)
    }

    /// The clock has been set, started again, or runs at another rate. The calls to make for alarms that would be looked at too late: those
    /// due earlier now, and those that were due when the process was busy and are not any more.
    pub(crate) fn look_again(&mut self, clock: Clock, now: Nanos) -> Vec<(Call, Nanos)> {
        let mut calls = Vec::new();
        for i in 0..self.slots.len() {
            let Some(deadline) = self.slots[i].deadline else { continue };
            let Some(at) = clock.true_time(deadline).map(|at| at.max(now)) else { continue };
            if self.slots[i].call.is_none_or(|(_, comes)| comes > at) {
                let call = (self.next_call(), at);
                self.slots[i].call = Some(call);
                calls.push(call);
            }
        }
        calls
    }

    /// Takes an alarm back.
    pub(crate) fn disarm(&mut self, timer: T) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.timer == timer) {
            slot.deadline = None;
        }
    }

    /// A call has come.
    pub(crate) fn wake(&mut self, call: Call, now: Nanos, clock: Clock) -> Woken<T> {
        let expected = |slot: &Slot<T>| slot.call.is_some_and(|(expected, _)| expected == call);
        let Some(i) = self.slots.iter().position(expected) else { return Woken::Stale };
        self.slots[i].call = None;
        let Some(deadline) = self.slots[i].deadline else {
            self.slots.swap_remove(i);
            return Woken::Stale;
        };
        if clock.local(now) >= deadline {
            return Woken::Due(self.slots[i].timer);
        }
        let Some(at) = clock.true_time(deadline) else { return Woken::Stale };
        let call = self.next_call();
        self.slots[i].call = Some((call, at));
        Woken::Again(call, at)
    }

    /// The process is about to be told of `timer`. False if it has meanwhile moved or taken back the alarm.
    pub(crate) fn ring(&mut self, timer: T, local: LocalTime) -> bool {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.timer == timer) else { return false };
        let due = slot.deadline.is_some_and(|deadline| deadline <= local);
        if due {
            slot.deadline = None;
        }
        due
    }

    /// The process is gone, and its alarms with it. Calls under way will be stale.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Clock = Clock::RIGHT;

    fn at(now: Nanos) -> LocalTime {
        CLOCK.local(now)
    }

    #[test]
    fn moving_an_alarm_later_makes_no_new_call() {
        let mut alarms = Alarms::new();
        let (call, comes) = alarms.arm('e', at(10), CLOCK).expect("the first call");
        assert_eq!(comes, 10);
        assert_eq!(alarms.arm('e', at(30), CLOCK), None);
        let Woken::Again(call, 30) = alarms.wake(call, 10, CLOCK) else { panic!("too early") };
        assert_eq!(alarms.wake(call, 30, CLOCK), Woken::Due('e'));
        assert!(alarms.ring('e', at(30)));
        assert!(!alarms.ring('e', at(30)), "it rings once");
    }

    #[test]
    fn moving_an_alarm_earlier_makes_the_old_call_stale() {
        let mut alarms = Alarms::new();
        let (old, _) = alarms.arm('e', at(30), CLOCK).expect("a call");
        let (new, comes) = alarms.arm('e', at(10), CLOCK).expect("an earlier call");
        assert_eq!(comes, 10);
        assert_eq!(alarms.wake(new, 10, CLOCK), Woken::Due('e'));
        assert!(alarms.ring('e', at(10)));
        assert_eq!(alarms.wake(old, 30, CLOCK), Woken::Stale);
    }

    /// A busy process hears of an alarm late; if it has moved it by then, it does not hear of it at all.
    #[test]
    fn an_alarm_moved_while_the_process_was_busy_does_not_ring() {
        let mut alarms = Alarms::new();
        let (call, _) = alarms.arm('e', at(10), CLOCK).expect("a call");
        assert_eq!(alarms.wake(call, 10, CLOCK), Woken::Due('e'));
        let again = alarms.arm('e', at(50), CLOCK);
        assert_eq!(again.map(|(_, comes)| comes), Some(50));
        assert!(!alarms.ring('e', at(12)));
    }

    #[test]
    fn a_clock_set_forwards_brings_alarms_forward_and_one_set_back_does_not_lose_them() {
        let mut alarms = Alarms::new();
        let (late, _) = alarms.arm('e', at(100), CLOCK).expect("a call");
        alarms.arm('f', at(500), CLOCK).expect("a call");
        let ahead = CLOCK.stepped(20, 60);
        let [(call, 40), (other, 440)] = alarms.look_again(ahead, 20)[..] else { panic!("60 ns earlier, each") };
        assert_eq!(alarms.wake(call, 40, ahead), Woken::Due('e'));
        // The process was busy, and the clock is set back before it hears of it.
        let back = ahead.stepped(40, -30);
        let [(again, 70)] = alarms.look_again(back, 40)[..] else {
            panic!("the other alarm's call comes early enough")
        };
        assert!(!alarms.ring('e', back.local(45)), "it is not due any more");
        assert_eq!(alarms.wake(again, 70, back), Woken::Due('e'));
        assert!(alarms.ring('e', back.local(70)));
        assert_eq!(alarms.wake(late, 100, back), Woken::Stale);
        let Woken::Again(last, 470) = alarms.wake(other, 440, back) else { panic!("30 ns later") };
        let [(_, 450)] = alarms.look_again(back.stepped(450, 900), 450)[..] else { panic!("long due") };
        assert_eq!(alarms.wake(last, 470, back), Woken::Stale);
    }

    /// However often a process sets its alarms meanwhile, there is one call for each when the clock goes on.
    #[test]
    fn by_a_clock_that_stands_still_nothing_becomes_due() {
        let mut alarms = Alarms::new();
        let (early, _) = alarms.arm('e', at(30), CLOCK).expect("a call");
        let still = CLOCK.stopped(10);
        assert_eq!(alarms.look_again(still, 10), []);
        assert_eq!(alarms.wake(early, 30, still), Woken::Stale, "its time has not come");
        for _ in 0..3 {
            assert_eq!(alarms.arm('f', still.local(40) + 5, still), None);
        }
        let goes_on = still.released(50);
        let [(e, 70), (f, 55)] = alarms.look_again(goes_on, 50)[..] else { panic!("20 ns and 5 ns are left") };
        assert_eq!(alarms.wake(f, 55, goes_on), Woken::Due('f'));
        assert_eq!(alarms.wake(e, 70, goes_on), Woken::Due('e'));
    }

    #[test]
    fn a_disarmed_alarm_is_silent() {
        let mut alarms = Alarms::new();
        let (call, _) = alarms.arm('e', at(10), CLOCK).expect("a call");
        alarms.disarm('e');
        assert_eq!(alarms.wake(call, 10, CLOCK), Woken::Stale);
        assert!(alarms.slots.is_empty());
    }
}
