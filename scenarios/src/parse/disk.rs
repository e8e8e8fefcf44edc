//! `do = "disk"`: what is wrong with disks.

use super::Scene;
use super::delays;
use super::fault::struck;
use crate::codes;
use crate::scenario::{Action, DelaySpec};
use crate::text::entry::quoted;
use crate::text::reader::Reader;
use sim_core::dice::Ratio;
use sim_core::fault::{Target, Who};
use sim_core::harm::{DiskHarm, Failing, Failure, Refusal};

/// What can be wrong; at least one of these is.
const HARMS: [&str; 9] = ["latency", "stall", "full", "read-only", "error", "lie", "lose", "misdirect", "rot"];

pub(super) fn disk(reader: &Reader<'_>, scene: &Scene<'_>) -> Option<Action> {
    if !HARMS.iter().any(|key| reader.has(key)) {
        let message = format!("this `disk` fault does nothing; it needs one of {}", quoted(&HARMS));
        reader.tell(&codes::CONFLICT, "do", message);
    }
    let share = |key: &str| if reader.has(key) { reader.share(key) } else { Some(Ratio::ZERO) };
    let latency = reader.has("latency").then(|| delays::delay(reader, "latency", scene.problems));
    let rot = if reader.has("rot") { reader.count("rot") } else { Some(0) };
    let (refusal, error) = (refusal(reader), error(reader));
    let (lie, lose, misdirect) = (share("lie"), share("lose"), share("misdirect"));
    let target = struck(reader, scene).filter(|target| are_nodes(reader, target));
    let harm = DiskHarm {
        latency: match latency {
            Some(delay) => Some(delay?),
            None => None,
        },
        stall: reader.flag("stall")?,
        refusal: refusal?,
        error: error?,
        lie: lie?,
        lose: lose?,
        misdirect: misdirect?,
        rot: u32::try_from(rot?).expect("the table of keys has a limit"),
    };
    lasts_as_said(reader, &harm);
    Some(Action::Disk { target: target?, harm })
}

fn refusal(reader: &Reader<'_>) -> Option<Option<Refusal>> {
    let (full, read_only) = (reader.flag("full")?, reader.flag("read-only")?);
    if full && read_only {
        reader.tell(&codes::CONFLICT, "full", "a disk is `full` or `read-only`: either way it takes no writes");
    }
    Some(if full { Some(Refusal::Full) } else { read_only.then_some(Refusal::ReadOnly) })
}

fn error(reader: &Reader<'_>) -> Option<Option<Failure>> {
    let share = if reader.has("error-share") { Some(reader.share("error-share")?) } else { None };
    if !reader.has("error") {
        if share.is_some() {
            reader.tell(&codes::CONFLICT, "error-share", "`error-share` goes with `error`");
        }
        return Some(None);
    }
    let of = match reader.word("error")? {
        "flush" => Failing::Flush,
        _ => Failing::Write,
    };
    Some(Some(Failure { of, share }))
}

/// Rot is done at once, and nothing of it lasts.
fn lasts_as_said(reader: &Reader<'_>, harm: &DiskHarm<DelaySpec>) {
    for key in ["for", "during"].iter().filter(|key| reader.has(key)) {
        if harm.rot > 0 && !harm.lasts() {
            let message = format!("records rot at an instant, and stay rotten; `{key}` does not go with `rot` alone");
            reader.tell(&codes::CONFLICT, key, message);
        }
    }
}

fn are_nodes(reader: &Reader<'_>, targets: &[Target]) -> bool {
    let client = targets.iter().find(|target| matches!(target.who, Who::Clients | Who::Client(_)));
    if let Some(client) = client {
        reader.tell(&codes::EMPTY_TARGET, "target", format!("clients have no disks; `{client}` is none of the nodes"));
    }
    client.is_none()
}
