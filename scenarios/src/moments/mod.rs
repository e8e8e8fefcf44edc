//! The moments that matter of a run: who told whom what when a client came to read what it should not have, when a law
//! broke, when another node took over.
//!
//! A run keeps no messages, since few are ever looked at. But it is a function of its plan, so what was said in a stretch of
//! time can be had by running it again with a trace of that stretch.
//!
//! - here: which moments these are;
//! - `story.rs`: from the rows of a trace to messages with both their ends, and what caused what;
//! - `fold.rs`: which of them are drawn as one; `draw.rs`: which are drawn.

mod draw;
mod fold;
mod story;

use crate::execute::Finished;
use crate::outage::cause::Reign;
use crate::plan::Plan;
use history::figures::shown;
use history::{Ended, Finding, Moment, Outage, Part, Reason, Testimony, Verdict, Who, Witness};
use sim_core::time::{MILLISECOND, Nanos, SECOND};
use sim_core::trace::{Row, What};
use story::Message;

/// Moments of one run.
const MOMENTS_MAX: usize = 3;

/// The longest moment. Longer ones hold more than one can draw, and cost more than they tell.
const LONGEST: Nanos = 3 * SECOND;

/// So much earlier a trace begins, to know when what arrives was sent.
const LEAD: Nanos = 300 * MILLISECOND;

/// How long before its last event a moment may begin, if nothing tells where the story begins.
const BEFORE: [Nanos; 8] = [
    LONGEST,
    SECOND,
    300 * MILLISECOND,
    100 * MILLISECOND,
    30 * MILLISECOND,
    10 * MILLISECOND,
    3 * MILLISECOND,
    MILLISECOND,
];

/// A moment to be drawn.
struct Wanted {
    title: String,
    /// When it may begin, the earliest first.
    starts: Vec<Nanos>,
    prefer: Prefer,
    /// When it ends.
    to: Nanos,
    /// At which machine its last event is; `None` for the last of all.
    end_at: Option<String>,
    /// What that event was, if it is not told otherwise.
    ends_with: Option<String>,
    /// What it is about. Of all clients, only these are drawn.
    deeds: Vec<Deed>,
}

/// Which of the moments that hold few enough events is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefer {
    /// The one that begins first, even if much of it is folded or left out: a story has a beginning.
    Early,
    /// The one in which the least is folded.
    Sharp,
}

/// An operation in a moment.
#[derive(Clone, Debug)]
struct Deed {
    client: String,
    invoked: Nanos,
    completed: Option<Nanos>,
    /// Such as `write 8070`.
    asked: String,
    /// Such as `read -> 8096`.
    heard: String,
    /// By which messages that carry it are known: its values, if they are too long for a coincidence.
    values: Vec<String>,
}

/// The moments of a finished run. `retrace` runs it again and gives its trace from some instants to others.
pub(crate) fn moments(
    plan: &Plan,
    (findings, outages): (&[Finding], &[Outage]),
    finished: &Finished,
    retrace: impl FnOnce(&[(Nanos, Nanos)], &dyn Fn(&Row) -> bool) -> Vec<Row>,
) -> Vec<Moment> {
    let wanted = wanted(plan, findings, outages, finished);
    if wanted.is_empty() {
        return Vec::new();
    }
    // What is sent in a moment may be lost long after it.
    let fate = plan.tcp.reset_after + SECOND;
    let begins = |wanted: &Wanted| wanted.starts[0].saturating_sub(LEAD);
    let stretches: Vec<(Nanos, Nanos)> = wanted.iter().map(|wanted| (begins(wanted), wanted.to + fate)).collect();
    let is_wanted = |row: &Row| {
        row.what == What::Lost || wanted.iter().any(|wanted| (begins(wanted)..=wanted.to).contains(&row.at))
    };
    let rows = retrace(&stretches, &is_wanted);
    let draw = |(wanted, (from, to)): (&Wanted, &(Nanos, Nanos))| {
        let within = rows.partition_point(|row| row.at < *from)..rows.partition_point(|row| row.at <= *to);
        draw::draw(wanted, &rows[within], plan.nodes.len())
    };
    wanted.iter().zip(&stretches).filter_map(draw).collect()
}

fn wanted(plan: &Plan, findings: &[Finding], outages: &[Outage], finished: &Finished) -> Vec<Wanted> {
    let failed = findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
    let witnesses = failed.filter_map(|finding| finding.witness.as_ref());
    let mut wanted: Vec<Wanted> = Vec::new();
    for moment in witnesses.filter_map(|witness| of_witness(witness, finished)).chain(of_end(finished)) {
        // Two checks can fail for one reason.
        if wanted.iter().all(|other| other.title != moment.title) {
            wanted.push(moment);
        }
    }
    if wanted.is_empty() {
        wanted.extend(of_takeover(outages, finished).or_else(|| of_election(plan, finished)));
    }
    wanted.truncate(MOMENTS_MAX);
    wanted
}

/// How the last of a witness's operations came to its result.
fn of_witness(witness: &Witness, finished: &Finished) -> Option<Wanted> {
    // When a write was lost nobody knows; but it was not safe when it was acknowledged.
    let lost = if let Reason::Lost { write, .. } = witness.reason { Some(write) } else { None };
    let offender = &witness.operations[lost.or(witness.offender)?];
    let to = finished.facts.get(offender.index)?.waited_until().min(finished.end);
    let before = |op: &&Testimony| op.invoked.time <= offender.invoked.time;
    let mut begun: Vec<Nanos> = witness.operations.iter().filter(before).map(|op| op.invoked.time).collect();
    begun.sort_unstable();
    // The story of three operations if it can be told, else of two, else of this one.
    let starts: Vec<Nanos> = begun.iter().rev().take(3).rev().map(|at| somewhat_before(*at, to)).collect();
    let deeds: Vec<Deed> = witness.operations.iter().filter(|op| op.invoked.time <= to).map(of_testimony).collect();
    let client = &offender.client;
    let title = match (lost, offender.met()) {
        (Some(_), _) => format!("How {client}'s {} was acknowledged", asked(offender)),
        (None, Some(value)) => format!("How {client} came to {} {}", offender.f, shown(value)),
        (None, None) => format!("How {client}'s {} came to its end", asked(offender)),
    };
    let (starts, end_at) = (bounded(starts, to), Some(client.clone()));
    Some(Wanted { title, starts, prefer: Prefer::Early, to, end_at, ends_with: None, deeds })
}

/// How a law broke, or the system's own code.
fn of_end(finished: &Finished) -> Option<Wanted> {
    let (title, end_at, ends_with) = match (&finished.breach, &finished.panic) {
        (Some(breach), _) => (format!("How “{}” broke", breach.law), None, format!("breaks {}", breach.law)),
        (None, Some(panic)) => {
            let who = panic.split(' ').next().unwrap_or_default();
            (format!("How {who} came to panic"), Some(who.to_owned()), "panics".to_owned())
        }
        (None, None) => return None,
    };
    let to = finished.end;
    let before =
        |since: Nanos| BEFORE.iter().map(move |before| to.saturating_sub(*before)).filter(move |at| *at > since);
    // From what last went wrong, if that was not long ago: it laid bare what had been wrong before.
    let struck = finished.strikes.iter().map(|strike| strike.from).filter(|from| from + LONGEST > to).max();
    let (starts, prefer) = match struck.map(|from| from.saturating_sub(100 * MILLISECOND)) {
        Some(from) => (std::iter::once(from).chain(before(from)).collect(), Prefer::Early),
        None => (before(0).collect(), Prefer::Sharp),
    };
    let (starts, ends_with) = (bounded(starts, to), Some(ends_with));
    Some(Wanted { title, starts, prefer, to, end_at, ends_with, deeds: Vec::new() })
}

/// How another node came to serve, in the longest outage of all clients in which one did.
fn of_takeover(outages: &[Outage], finished: &Finished) -> Option<Wanted> {
    let is_takeover = |outage: &&Outage| outage.who == Who::All && outage.takeover.is_some();
    let outage = outages.iter().filter(is_takeover).max_by_key(|outage| outage.to_ns - outage.from_ns)?;
    let reigns = finished.reigns.as_deref()?;
    let begun = || reigns.iter().filter(|reign| (outage.from_ns..=outage.to_ns).contains(&reign.from));
    let answers = |reign: &&Reign| first_answer(finished, reign).is_some_and(|at| at <= outage.to_ns);
    let new = begun().find(answers).or(begun().next())?;
    let old =
        reigns.iter().filter(|old| old.from < outage.from_ns && old.term < new.term).max_by_key(|old| old.term)?;
    let served = |at: Nanos| finished.facts.iter().position(|op| op.served == Some(at));
    let (before, after) = (served(outage.from_ns), served(outage.to_ns));
    let to = outage.to_ns;
    Some(Wanted {
        title: match old.node == new.node {
            true => format!("{} takes over again", new.node),
            false => format!("{} takes over from {}", new.node, old.node),
        },
        starts: bounded([outage.from_ns, candidacy(finished, new)].map(|at| somewhat_before(at, to)).to_vec(), to),
        prefer: Prefer::Early,
        to,
        ends_with: None,
        end_at: Some(after.map_or_else(|| new.node.to_string(), |op| finished.facts[op].client.to_string())),
        deeds: before.into_iter().chain(after).map(|op| of_fact(finished, op)).collect(),
    })
}

/// The first election after which another node, or the same again, took over from one that served; else the first of all.
fn of_election(plan: &Plan, finished: &Finished) -> Option<Wanted> {
    let reigns = finished.reigns.as_deref()?;
    let reign = reigns.get(1).or(reigns.first())?;
    let soon = reign.from..=reign.from + SECOND;
    let served = |op: &usize| finished.facts[*op].served.is_some_and(|at| soon.contains(&at));
    let first = (0..finished.facts.len()).filter(served).min_by_key(|op| finished.facts[*op].served);
    let to = first.and_then(|op| finished.facts[op].served).unwrap_or(reign.from);
    let candidacy = candidacy(finished, reign);
    let fell = reigns[0].to.filter(|fell| *fell < candidacy && reigns.len() > 1);
    Some(Wanted {
        title: format!("{} becomes {} of term {}", reign.node, plan.serving?, reign.term),
        starts: bounded(fell.into_iter().chain([candidacy]).map(|at| somewhat_before(at, to)).collect(), to),
        prefer: Prefer::Early,
        to,
        ends_with: None,
        end_at: Some(first.map_or_else(|| reign.node.to_string(), |op| finished.facts[op].client.to_string())),
        deeds: first.into_iter().map(|op| of_fact(finished, op)).collect(),
    })
}

/// When a node first took a role in the term in which it came to reign.
fn candidacy(finished: &Finished, reign: &Reign) -> Nanos {
    let is_step =
        |node, role: Option<(&str, u64)>| node == reign.node && role.is_some_and(|(_, term)| term == reign.term);
    let step = finished.roles.iter().find(|change| is_step(change.node, change.role));
    step.map_or(reign.from, |change| change.at)
}

fn first_answer(finished: &Finished, reign: &Reign) -> Option<Nanos> {
    let answers = finished.first_answers.iter().filter(|(_, node)| *node == reign.node);
    answers.map(|(at, _)| *at).find(|at| reign.holds(*at))
}

/// A moment does not begin with the first thing that matters in it.
fn somewhat_before(at: Nanos, to: Nanos) -> Nanos {
    at.saturating_sub(to.saturating_sub(at) / 20)
}

/// Starts that are not too long before `to`.
fn bounded(mut starts: Vec<Nanos>, to: Nanos) -> Vec<Nanos> {
    let earliest = to.saturating_sub(LONGEST);
    let last = starts.last().map_or(earliest, |last| (*last).max(earliest));
    starts.retain(|start| *start >= earliest);
    starts.push(last);
    starts.dedup();
    starts
}

impl Deed {
    /// Whether a message is between its client and a node, while it lasts.
    fn exchanges(&self, message: &Message<'_>) -> bool {
        (message.from == self.client || message.to == self.client) && self.is_at(message.sent)
    }

    /// Whether a message carries one of its values, while it lasts.
    fn is_carried_by(&self, message: &Message<'_>) -> bool {
        let carries = |value: &String| message.text.contains(&**value) && words(message.text).any(|word| word == value);
        self.is_at(message.sent) && self.values.iter().any(carries)
    }

    fn is_at(&self, at: Nanos) -> bool {
        self.invoked <= at && self.completed.is_none_or(|completed| at <= completed)
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn of_testimony(op: &Testimony) -> Deed {
    let asked = asked(op);
    let heard = match (op.ended, op.part, &op.returned) {
        (Ended::Ok, Part::Met | Part::Both, Some(value)) => format!("{asked} -> {}", shown(value)),
        (Ended::Ok, ..) => format!("{asked} -> ok"),
        (Ended::Mismatch, ..) => format!("{asked} -> another value"),
        (Ended::Fail, ..) => format!("{asked} -> refused"),
        (Ended::Info, ..) => format!("{asked} -> gives up"),
    };
    let texts = [op.input.to_string(), op.returned.as_ref().map(ToString::to_string).unwrap_or_default()];
    let values = texts.iter().flat_map(|text| words(text)).filter(|word| word.len() > 1 && *word != "nil");
    Deed {
        client: op.client.clone(),
        invoked: op.invoked.time,
        completed: op.completed.map(|mark| mark.time),
        asked,
        heard,
        values: values.map(str::to_owned).collect(),
    }
}

fn asked(op: &Testimony) -> String {
    if op.input.is_nil() { op.f.clone() } else { format!("{} {}", op.f, shown(&op.input)) }
}

/// An operation that is there for its client only.
fn of_fact(finished: &Finished, op: usize) -> Deed {
    let (fact, asked) = (&finished.facts[op], finished.history.operations[op].f.to_string());
    Deed {
        client: fact.client.to_string(),
        invoked: fact.invoked,
        completed: fact.completed,
        heard: format!("{asked} answered"),
        asked,
        values: Vec::new(),
    }
}
