//! What a process may expect of its own reads (Terry et al. 1994), where values stand side by side.
//!
//! Only the newest counts: once a process writes over what it had written, whoever covers the new covers the old; and a read
//! that covers what the last one returned covers what that covered.

use super::account::{Act, Deed, Key, Past};
use super::{ruled, taken_away, witness};
use crate::evidence::Violation;
use crate::{Consistency, Judgement, Model};
use history::figures::counted;
use history::{History, Verdict};
use std::collections::BTreeMap;

/// What one process has done with one key, as far as its next read is bound by it.
#[derive(Default)]
struct Session {
    /// What it wrote or read last, and by which operation.
    expects: Vec<(u32, usize)>,
    /// Its deletes.
    deletes: Vec<usize>,
}

pub(super) fn judge(history: &History, keys: &[Key<'_>], model: Model, level: Consistency) -> Judgement {
    let (mut reads, mut bound, mut broken, mut first) = (0, 0, 0, None);
    for key in keys {
        let mut sessions: BTreeMap<u64, Session> = BTreeMap::new();
        let (mut past, mut deleted) = (Past::default(), Past::default());
        for (at, deed) in key.deeds.iter().enumerate() {
            let session = sessions.entry(deed.source.process).or_default();
            if let Some((values, told)) = deed.read() {
                reads += 1;
                bound += u64::from(!session.expects.is_empty() || !session.deletes.is_empty());
                key.past_of(values, &mut past);
                let missed = session.expects.iter().find(|(value, by)| {
                    key.deeds[*by].is_done_before(deed.began()) && !key.is_accounted_for(*value, &past, told)
                });
                let violation = match missed {
                    Some((value, by)) => Some(missing(key, *by, at, *value, level)),
                    None => returned_own(key, session, at, values, &mut deleted),
                };
                if let Some(violation) = violation {
                    broken += 1;
                    first.get_or_insert_with(|| witness(history, key, violation));
                }
            }
            session.go_on(key, at, deed, model, level, &mut past);
        }
    }
    let all = counted(reads, "read");
    let (verdict, detail) = match &first {
        Some(first) => (Verdict::Fail, format!("{}; {broken} of {all} like it in all", first.headline())),
        None if bound == 0 => (Verdict::Vacuous, format!("{all}, none of which had to show anything")),
        None => (Verdict::Pass, format!("{all}, {bound} of which had to show something, and did")),
    };
    ruled(history, verdict, detail, first)
}

impl Session {
    fn go_on(&mut self, key: &Key<'_>, at: usize, deed: &Deed<'_>, model: Model, level: Consistency, past: &mut Past) {
        let is_about_writes = level == Consistency::ReadYourWrites;
        match &deed.act {
            Act::Read(Some(values)) if !is_about_writes && deed.done().is_some() => {
                self.expects = values.iter().map(|value| (*value, at)).collect();
            }
            Act::Write(value) if is_about_writes && deed.done().is_some() => {
                key.past_of(&[*value], past);
                self.expects.retain(|(older, _)| !past.has(*older));
                self.expects.push((*value, at));
            }
            // Removed items of a cart may come back.
            Act::Delete(_) if is_about_writes && model == Model::Siblings && deed.done().is_some() => {
                self.deletes.push(at);
            }
            Act::Read(_) | Act::Write(_) | Act::Delete(_) => {}
        }
    }
}

/// If a read returned what its own process had deleted.
fn returned_own(key: &Key<'_>, session: &Session, read: usize, values: &[u32], past: &mut Past) -> Option<Violation> {
    let began = key.deeds[read].began();
    if session.deletes.is_empty() {
        return None;
    }
    let own = |value: &u32| {
        let delete = taken_away(key, *value, began, past, |at| session.deletes.contains(&at))?;
        Some((*value, delete))
    };
    let (value, delete) = values.iter().find_map(own)?;
    let shown = key.shown(value);
    let headline = format!("a read of {} returned {shown}, which its own process had deleted", key.name);
    let because = vec![format!("(1) had taken {shown} away, and (2) returned it all the same.")];
    Some(key.violation("ReadYourWrites", headline, because, &[delete, read]))
}

fn missing(key: &Key<'_>, by: usize, read: usize, value: u32, level: Consistency) -> Violation {
    let (shown, name) = (key.shown(value), key.name);
    let is_own = level == Consistency::ReadYourWrites;
    let (why, did) = if is_own { ("ReadYourWrites", "written") } else { ("MonotonicReads", "read") };
    let because = vec![
        format!("(1) had {did} {shown}."),
        "Nothing that (2) returned replaces it, directly or through others, and no delete can have taken it away."
            .to_owned(),
    ];
    key.violation(
        why,
        format!("a read of {name} misses {shown}, which its own process had {did}"),
        because,
        &[by, read],
    )
}
