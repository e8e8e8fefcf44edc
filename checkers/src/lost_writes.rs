//! Lost writes: what a client was told is done must still be there after everything healed, or must have been
//! overwritten by something that may have come later.
//!
//! After settle every key is read once more. Say that read returned v, and W wrote v. A write w that was acknowledged
//! is *not* lost if it is W, or if some order of the record puts w before W. Only one thing forbids that order: W had
//! completed before w was even invoked.
//!
//! ```text
//! c1: |--w(1)--|                          the final read says 1:
//! c2:    |--w(2)--|                       2 may have come first and been overwritten: not lost
//! c3:                |--w(3)--|           3 cannot have come before 1: lost
//! ```
//!
//! The check is *sound*: what it calls lost is lost whatever happened. It is not complete, since it looks at one write
//! and the final read at a time and not at what others read in between; that is what linearizability is for.
//!
//! - A value written more than once: any of its writes may be W, and the most favourable one is taken.
//! - A W of unknown outcome may have struck at any time since: then nothing is lost to it.
//! - Appends: v begins with what the last plain write wrote, so W may be any write of a beginning of v, and where no
//!   write fits, all of v was appended. An appended text is lost only if v does not contain it and no plain write or
//!   compare-and-set can have come after it. Whether appends are there twice or in a wrong order is not asked.
//! - Siblings and carts have laws of their own, by what replaced what (`laws/siblings`).
//! - A decree ([`Model::Decree`]) is never overwritten: what somebody was told is decided, the final read must return.
//! - A write that had not completed when the last final read began is not claimed lost: the read may have come first.

use history::Part as Role;
use history::{
    History, Operation, Outcome, Purpose, Reason, Register, RegisterOp, RegisterRet, Value, Verdict, Witness,
};

use crate::laws::siblings::no_lost_versions;
use crate::minimal::latest;
use crate::model::{Call, Part, parts_of};
use crate::monitors::decree::no_lost_decisions;
use crate::witness::testimony;
use crate::{Judgement, Model, Unfit};
use history::figures::{counted, grouped};

/// Judges whether every acknowledged write of `history` was still readable after settle, or overwritten since.
///
/// Registers start as [`Value::Nil`]. VACUOUS if nothing was acknowledged; UNKNOWN if a key with acknowledged writes
/// was not read after them by a [`Purpose::FinalRead`].
///
/// # Errors
/// If an operation that it looks at is none of the model's.
pub fn no_lost_writes(history: &History, model: Model) -> Result<Judgement, Unfit> {
    if model == Model::Decree {
        return no_lost_decisions(history);
    }
    if matches!(model, Model::Siblings | Model::Cart) {
        return no_lost_versions(history, model);
    }
    let mut sum = Sum::default();
    for part in &parts_of(history, model, is_of_interest, |_| true)? {
        sum.add(part);
    }
    Ok(sum.judgement(history.len()))
}

/// What was found over all keys.
#[derive(Default)]
struct Sum {
    acknowledged: usize,
    lost: usize,
    keys: usize,
    keys_unread: usize,
    /// Of the first key that lost any.
    witness: Option<Witness>,
}

impl Sum {
    fn add(&mut self, part: &Part<'_, Register>) {
        let acknowledged = part.calls.iter().filter(|call| is_acknowledged_write(call)).count();
        if acknowledged == 0 {
            return;
        }
        self.acknowledged += acknowledged;
        self.keys += 1;
        let Some(last) = LastRead::of(part) else {
            self.keys_unread += 1;
            return;
        };
        let lost = last.lost(part);
        self.lost += lost.len();
        self.keys_unread += usize::from(!last.is_after_all_writes(part));
        if let (None, Some(newest)) = (&self.witness, lost.last()) {
            self.witness = Some(last.witness(part, newest));
        }
    }

    fn judgement(mut self, operations: usize) -> Judgement {
        let acknowledged = counted(self.acknowledged as u64, "acknowledged write");
        let (verdict, detail) = if self.lost > 0 {
            (Verdict::Fail, format!("{} of {acknowledged} lost", grouped(self.lost as u64)))
        } else if self.acknowledged == 0 {
            (Verdict::Vacuous, "no write was acknowledged".to_owned())
        } else if self.keys_unread > 0 {
            let keys = counted(self.keys as u64, "key");
            (Verdict::Unknown, format!("{} of {keys} could not be read after settle", grouped(self.keys_unread as u64)))
        } else {
            (Verdict::Pass, format!("{acknowledged}, all readable after settle or overwritten since"))
        };
        if let Some(Witness { reason: Reason::Lost { lost, .. }, .. }) = &mut self.witness {
            *lost = self.lost as u64;
        }
        self.witness.iter_mut().for_each(Witness::tell);
        Judgement {
            verdict,
            detail,
            witness: self.witness,
            operations,
            states: 0,
            methods: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// The last final read of a key, and what it returned.
struct LastRead<'a> {
    call: &'a Call<'a, Register>,
    value: &'a Value,
    text: String,
    began: u64,
    /// What can have written the value (or, with appends, its beginning).
    writers: Vec<&'a Call<'a, Register>>,
    /// The latest position at which one of them can have struck.
    written_until: Option<u64>,
    /// The latest position at which anything can have replaced the whole value before this read.
    replaced_until: Option<u64>,
}

impl<'a> LastRead<'a> {
    fn of(part: &'a Part<'_, Register>) -> Option<LastRead<'a>> {
        let (ended, call, value) = part.calls.iter().filter_map(final_read).max_by_key(|(ended, ..)| *ended)?;
        let text = value.to_string();
        let mut has_appends = false;
        let mut replacing: Vec<(&Call<Register>, &Value)> = Vec::new();
        for call in part.calls.iter().filter(|call| may_have_happened(call) && call.source.invoked.index < ended) {
            match &call.op {
                RegisterOp::Write(to) | RegisterOp::Cas { to, .. } => replacing.push((call, to)),
                RegisterOp::Append(_) => has_appends = true,
                RegisterOp::Read => {}
            }
        }
        let begins_it = |to: &Value| to.is_nil() || text.starts_with(&to.to_string());
        let replaced_until = replacing.iter().map(|(call, _)| latest(call)).max();
        replacing.retain(|(_, to)| *to == value || has_appends && begins_it(to));
        let writers: Vec<&Call<Register>> = replacing.into_iter().map(|(call, _)| call).collect();
        let written_until = writers.iter().map(|call| latest(call)).max();
        let began = call.source.invoked.index;
        Some(LastRead { call, value, text, began, writers, written_until, replaced_until })
    }

    /// The acknowledged writes that cannot be explained away.
    fn lost(&self, part: &'a Part<'_, Register>) -> Vec<&'a Call<'a, Register>> {
        let is_lost = |call: &&Call<Register>| match &call.op {
            RegisterOp::Append(text) => {
                let is_there = !self.value.is_nil() && self.text.contains(&text.to_string());
                !is_there && self.replaced_until < Some(call.source.invoked.index)
            }
            RegisterOp::Write(_) | RegisterOp::Cas { .. } | RegisterOp::Read => {
                self.written_until < Some(call.source.invoked.index)
            }
        };
        let must_show = |call: &&Call<Register>| is_acknowledged_write(call) && latest(call) < self.began;
        part.calls.iter().filter(must_show).filter(is_lost).collect()
    }

    fn is_after_all_writes(&self, part: &Part<'_, Register>) -> bool {
        part.calls.iter().filter(|call| is_acknowledged_write(call)).all(|call| latest(call) < self.began)
    }

    /// What is left and where it came from, and one write that should be there instead.
    fn witness(&self, part: &Part<'_, Register>, lost: &Call<'_, Register>) -> Witness {
        let source = self.writers.iter().max_by_key(|call| latest(call));
        let named = source.into_iter().map(|call| testimony(call, Role::Wrote));
        let named = named.chain([testimony(lost, Role::Wrote), testimony(self.call, Role::Met)]).collect::<Vec<_>>();
        let (write, read) = (named.len() - 2, named.len() - 1);
        Witness::new(part.key.cloned(), named, Some(read), Reason::Lost { write, lost: 1 })
    }
}

fn final_read<'a>(call: &'a Call<'a, Register>) -> Option<(u64, &'a Call<'a, Register>, &'a Value)> {
    match (&call.outcome, call.source.completed) {
        (Outcome::Returned(RegisterRet::Value(value)), Some(mark)) if call.source.purpose == Purpose::FinalRead => {
            Some((mark.index, call, value))
        }
        (Outcome::Returned(_) | Outcome::Refused | Outcome::Unknown, _) => None,
    }
}

/// What survived, and what could have: half of most loads reads, and takes no part in that.
fn is_of_interest(operation: &Operation) -> bool {
    operation.f != "read" || operation.purpose == Purpose::FinalRead
}

fn is_acknowledged_write(call: &Call<'_, Register>) -> bool {
    call.outcome == Outcome::Returned(RegisterRet::Done)
}

fn may_have_happened(call: &Call<'_, Register>) -> bool {
    is_acknowledged_write(call) || call.outcome == Outcome::Unknown
}
