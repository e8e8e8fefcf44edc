//! Registers: a read meets the version whose value it returned, if only one write can have left that behind.

use super::flaw::{Direct, Kind};
use super::graph::NONE;
use super::run::{Desk, Read, Run};
use super::script::{Fate, Map, Script};
use super::{Reading, Rules};
use history::Value;

/// Who writes a value to a key.
#[derive(Clone, Copy)]
struct Source {
    /// Who may have left it behind; `NONE` if only aborted transactions.
    writer: u32,
    /// Whether somebody else may have, too.
    is_shared: bool,
    /// Whether the writer did not overwrite it itself.
    is_final: bool,
    aborted: u32,
}

/// What a transaction knows of a key.
#[derive(Clone, Copy, Default)]
enum Known<'h> {
    #[default]
    Nothing,
    Wrote(&'h Value),
    Read(&'h Value),
}

enum Met {
    Version(u32),
    Nothing,
}

/// Understands a history of registers that hold `initial` at first.
pub(super) fn run<'h>(script: Script<'h>, initial: &Value, rules: Rules, reading: Reading) -> Run<'h> {
    let sources = sources(&script);
    let mut is_in: Vec<bool> = script.txns.iter().map(|txn| txn.fate == Fate::Committed).collect();
    let solve = |txn: u32, key: u32, value: &Value| solve(&sources, (txn, key, value), initial, rules, reading);
    for txn in script.numbers().filter(|txn| script.fate(*txn) == Fate::Committed) {
        for micro in script.micros(txn).iter().filter(|micro| micro.is_read) {
            if let Solved::By(source) = solve(txn, micro.key, micro.value) {
                is_in[source.writer as usize] = true;
            }
        }
    }
    let mut run = Run::new(script, is_in, false);
    let mut desk: Desk<Known<'h>> = Desk::new(run.script.keys.len());
    for txn in run.script.numbers() {
        if run.is_committed(txn) {
            read(&mut run, txn, &mut desk, rules, &solve);
        }
        run.end_of_txn();
    }
    for version in 0..run.writes.len() as u32 {
        let key = run.key(version);
        run.loose[key as usize].push(version);
    }
    run
}

fn sources<'h>(script: &Script<'h>) -> Map<(u32, &'h Value), Source> {
    let mut sources: Map<(u32, &Value), Source> = Map::default();
    let mut finals: Desk<bool> = Desk::new(script.keys.len());
    for txn in script.numbers() {
        let is_aborted = script.fate(txn) == Fate::Aborted;
        for micro in script.micros(txn).iter().rev().filter(|micro| !micro.is_read) {
            let is_final = finals.get(txn, micro.key).is_none();
            finals.set(txn, micro.key, true);
            let unknown = Source { writer: NONE, is_shared: false, is_final: false, aborted: NONE };
            let source = sources.entry((micro.key, micro.value)).or_insert(unknown);
            if is_aborted {
                source.aborted = source.aborted.min(txn);
            } else if source.writer == NONE {
                (source.writer, source.is_final) = (txn, is_final);
            } else if source.writer != txn {
                source.is_shared = true;
            }
        }
    }
    sources
}

enum Solved {
    Initial,
    By(Source),
    Aborted(u32),
    /// Several can have written it, and nobody shall guess.
    Unclear,
    Nobody,
}

fn solve(
    sources: &Map<(u32, &Value), Source>,
    (txn, key, value): (u32, u32, &Value),
    initial: &Value,
    rules: Rules,
    reading: Reading,
) -> Solved {
    let source = sources.get(&(key, value)).copied();
    let written = source.filter(|source| source.writer != NONE);
    // In records of sessions values are unique, the first included: who writes it was the first.
    let may_be_initial = value == initial && (written.is_none() || !rules.is_of_sessions);
    match (written, source) {
        (Some(source), _) => match reading {
            Reading::Certain if source.is_shared || may_be_initial => Solved::Unclear,
            Reading::Guessed if may_be_initial && source.writer == txn => Solved::Initial,
            Reading::Certain | Reading::Guessed => Solved::By(source),
        },
        (None, _) if may_be_initial => Solved::Initial,
        (None, Some(source)) => Solved::Aborted(source.aborted),
        (None, None) => Solved::Nobody,
    }
}

fn read<'h>(
    run: &mut Run<'h>,
    txn: u32,
    desk: &mut Desk<Known<'h>>,
    rules: Rules,
    solve: &impl Fn(u32, u32, &Value) -> Solved,
) {
    for at in 0..run.script.micros(txn).len() as u32 {
        let micro = run.script.micro(txn, at);
        let (key, value) = (micro.key, micro.value);
        if !micro.is_read {
            desk.set(txn, key, Known::Wrote(value));
            continue;
        }
        let flaw = |kind, other| Direct { kind, txn, micro: at, other, value };
        match desk.get(txn, key).unwrap_or_default() {
            Known::Wrote(own) => {
                if own != value {
                    run.flaws.push(flaw(Kind::Internal, txn));
                }
                continue;
            }
            Known::Read(before) if before != value => run.flaws.push(flaw(Kind::Fuzzy, txn)),
            Known::Read(_) | Known::Nothing => {}
        }
        desk.set(txn, key, Known::Read(value));
        let met = match solve(txn, key, value) {
            Solved::Initial => Met::Version(run.first(key)),
            Solved::By(source) if source.writer == txn => {
                run.flaws.push(flaw(Kind::Future, txn));
                Met::Nothing
            }
            Solved::By(source) => {
                if !source.is_final {
                    run.flaws.push(flaw(Kind::Intermediate, source.writer));
                }
                Met::Version(run.version(source.writer, key).expect("a source took place, and wrote that key"))
            }
            Solved::Aborted(aborted) => {
                run.flaws.push(flaw(Kind::Aborted, aborted));
                Met::Nothing
            }
            Solved::Unclear => {
                run.unclear += 1;
                Met::Nothing
            }
            Solved::Nobody => {
                if rules.is_complete {
                    run.flaws.push(flaw(Kind::Garbage, txn));
                } else {
                    run.foreign += 1;
                }
                Met::Nothing
            }
        };
        if let Met::Version(version) = met {
            run.reads.push(Read { txn, key, micro: at, version });
        }
    }
}
