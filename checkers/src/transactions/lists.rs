//! Lists: a read shows all versions up to the one it met, in their order. So the longest read of a key tells the order of
//! versions, and every other read has to be the beginning of it.

use super::flaw::{Direct, Kind};
use super::graph::NONE;
use super::run::{Desk, Read, Run, Succession};
use super::script::{Fate, Map, Micro, Script, items};
use super::Rules;
use history::Value;

/// Who appends an element to a key.
#[derive(Clone, Copy)]
struct Source {
    /// Who may have; `NONE` if only aborted transactions.
    writer: u32,
    /// How often it is appended by transactions that may have taken place.
    count: u32,
    is_final: bool,
    aborted: u32,
}

type Sources<'h> = Map<(u32, &'h Value), Source>;

/// The longest list that a key was read as.
#[derive(Clone, Copy)]
struct Longest<'h> {
    list: &'h [Value],
    txn: u32,
    micro: u32,
}

/// What a transaction knows of a key: what it read, without its own, and how many it appended since it began.
#[derive(Clone, Copy, Default)]
struct Known<'h> {
    read: Option<&'h [Value]>,
    own: usize,
}

/// Understands a history of lists.
pub(super) fn run<'h>(script: Script<'h>, rules: Rules) -> Run<'h> {
    let sources = sources(&script);
    let longest = longest(&script);
    let mut is_in: Vec<bool> = script.txns.iter().map(|txn| txn.fate == Fate::Committed).collect();
    for (key, longest) in (0..).zip(&longest) {
        for element in longest.iter().flat_map(|longest| longest.list) {
            if let Some(source) = sure(&sources, key, element) {
                is_in[source.writer as usize] = true;
            }
        }
    }
    let mut run = Run::new(script, is_in, true);
    let mut orders: Vec<Vec<u32>> = Vec::with_capacity(longest.len());
    for (key, longest) in (0..).zip(&longest) {
        orders.push(order(&mut run, key, longest.as_ref(), &sources, rules));
    }
    loosen(&mut run, &longest, &orders, &sources);
    let mut desk: Desk<Known<'h>> = Desk::new(run.script.keys.len());
    for txn in run.script.numbers() {
        if run.is_committed(txn) {
            read(&mut run, txn, &mut desk, &Shown { sources: &sources, longest: &longest, orders: &orders });
        }
        run.end_of_txn();
    }
    run
}

fn sources<'h>(script: &Script<'h>) -> Sources<'h> {
    let mut sources: Sources = Map::default();
    let mut finals: Desk<bool> = Desk::new(script.keys.len());
    for txn in script.numbers() {
        let is_aborted = script.fate(txn) == Fate::Aborted;
        for micro in script.micros(txn).iter().rev().filter(|micro| !micro.is_read) {
            let is_final = finals.get(txn, micro.key).is_none();
            finals.set(txn, micro.key, true);
            let unknown = Source { writer: NONE, count: 0, is_final: false, aborted: NONE };
            let source = sources.entry((micro.key, micro.value)).or_insert(unknown);
            if is_aborted {
                source.aborted = source.aborted.min(txn);
                continue;
            }
            source.count += 1;
            if source.writer == NONE {
                (source.writer, source.is_final) = (txn, is_final);
            }
        }
    }
    sources
}

/// The source of an element, if there is only one.
fn sure(sources: &Sources<'_>, key: u32, element: &Value) -> Option<Source> {
    sources.get(&(key, element)).copied().filter(|source| source.count == 1)
}

fn longest<'h>(script: &Script<'h>) -> Vec<Option<Longest<'h>>> {
    let mut longest: Vec<Option<Longest>> = vec![None; script.keys.len()];
    for txn in script.numbers().filter(|txn| script.fate(*txn) == Fate::Committed) {
        for (at, micro) in (0..).zip(script.micros(txn)).filter(|(_, micro)| micro.is_read) {
            let list = items(micro.value).unwrap_or_default();
            let best = &mut longest[micro.key as usize];
            if best.is_none_or(|best| best.list.len() < list.len()) {
                *best = Some(Longest { list, txn, micro: at });
            }
        }
    }
    longest
}

/// Tells the order of a key's versions, and what is wrong with its elements. Returns, by how many elements a read saw, which
/// version it met.
fn order<'h>(
    run: &mut Run<'h>,
    key: u32,
    longest: Option<&Longest<'h>>,
    sources: &Sources<'h>,
    rules: Rules,
) -> Vec<u32> {
    let mut met = vec![run.first(key)];
    let Some(Longest { list, txn: reader, micro }) = longest.copied() else { return met };
    let mut seen: Map<&Value, u32> = Map::default();
    let mut aborted: Option<Direct> = None;
    for element in list {
        let flaw = |kind, other| Direct { kind, txn: reader, micro, other, value: element };
        let last = *met.last().expect("it begins with the first version");
        let source = sources.get(&(key, element)).copied();
        let times = seen.entry(element).or_default();
        *times += 1;
        let mut next = last;
        match source {
            None if rules.is_complete => run.flaws.push(flaw(Kind::Garbage, reader)),
            None => run.foreign += 1,
            Some(source) if source.writer == NONE => {
                run.flaws.push(flaw(Kind::Aborted, source.aborted));
                aborted = Some(flaw(Kind::DirtyUpdate, source.aborted));
            }
            Some(source) if *times > source.count => run.flaws.push(flaw(Kind::Duplicate, source.writer)),
            Some(source) if source.count > 1 => run.unclear += 1,
            Some(source) => {
                if let Some(dirty) = aborted.take() {
                    run.flaws.push(Direct { other: source.writer, ..dirty });
                }
                next = run.version(source.writer, key).expect("a source took place, and wrote that key");
            }
        }
        if next != last {
            run.successions.push(Succession { earlier: last, later: next, seen_by: reader });
        }
        met.push(next);
    }
    run.last[key as usize] = *met.last().expect("it begins with the first version");
    met
}

/// Finds the versions that nobody saw: they come after all that were seen. One of which an element was seen that others
/// append, too, may be anywhere.
fn loosen<'h>(run: &mut Run<'h>, longest: &[Option<Longest<'h>>], orders: &[Vec<u32>], sources: &Sources<'h>) {
    let mut is_placed = vec![false; run.versions_count()];
    for version in orders.iter().flatten() {
        is_placed[*version as usize] = true;
    }
    let mut murky: Map<(u32, &Value), ()> = Map::default();
    for (key, longest) in (0..).zip(longest) {
        for element in longest.iter().flat_map(|longest| longest.list) {
            if sources.get(&(key, element)).is_some_and(|source| source.count > 1) {
                murky.insert((key, element), ());
            }
        }
    }
    for version in 0..run.writes.len() as u32 {
        let (txn, key) = (run.writes[version as usize].txn, run.key(version));
        let appended = || run.script.micros(txn).iter().filter(|micro| !micro.is_read && micro.key == key);
        let is_murky = || !murky.is_empty() && appended().any(|micro| murky.contains_key(&(key, micro.value)));
        if !is_placed[version as usize] && !is_murky() {
            run.loose[key as usize].push(version);
        }
    }
}

/// What the longest reads show.
struct Shown<'a, 'h> {
    sources: &'a Sources<'h>,
    longest: &'a [Option<Longest<'h>>],
    /// By key and number of elements seen: the version.
    orders: &'a [Vec<u32>],
}

fn read<'h>(run: &mut Run<'h>, txn: u32, desk: &mut Desk<Known<'h>>, shown: &Shown<'_, 'h>) {
    for at in 0..run.script.micros(txn).len() as u32 {
        let micro = run.script.micro(txn, at);
        let key = micro.key;
        let known = desk.get(txn, key).unwrap_or_default();
        if !micro.is_read {
            desk.set(txn, key, Known { own: known.own + 1, ..known });
            continue;
        }
        let flaw = |kind, other| Direct { kind, txn, micro: at, other, value: micro.value };
        let list = items(micro.value).unwrap_or_default();
        let longest = shown.longest[key as usize].expect("it is at least as long as this one");
        if !longest.list.starts_with(list) {
            run.flaws.push(flaw(Kind::Incompatible, longest.txn));
            continue;
        }
        let Some(others) = without_own(list, known.own, &run.script.micros(txn)[..at as usize], key) else {
            run.flaws.push(flaw(Kind::Internal, txn));
            continue;
        };
        if known.read.is_some_and(|before| before != others) {
            run.flaws.push(flaw(Kind::Fuzzy, txn));
        }
        desk.set(txn, key, Known { read: Some(others), ..known });
        let version = shown.orders[key as usize][others.len()];
        if run.writer(version) == Some(txn) {
            run.flaws.push(flaw(Kind::Future, txn));
            continue;
        }
        if let Some(last) = others.last()
            && let Some(source) = sure(shown.sources, key, last)
            && !source.is_final
        {
            run.flaws.push(Direct { value: last, ..flaw(Kind::Intermediate, source.writer) });
        }
        run.reads.push(Read { txn, key, micro: at, version });
    }
}

/// What others appended before the transaction's own elements, if these are all there and last.
fn without_own<'h>(list: &'h [Value], own: usize, before: &[Micro<'_>], key: u32) -> Option<&'h [Value]> {
    let others = &list[..list.len().checked_sub(own)?];
    let own = before.iter().filter(|micro| micro.key == key && !micro.is_read).map(|micro| micro.value);
    (own.eq(&list[others.len()..])).then_some(others)
}
