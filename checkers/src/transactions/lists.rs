//! Lists: a read shows all versions up to the one it met, in their order. So the longest read of a key tells the order of
//! versions, and every other read has to be the beginning of it.

use super::Rules;
use super::flaw::{Direct, Kind};
use super::graph::NONE;
use super::run::{Desk, Read, Run, Succession};
use super::script::{Fate, Map, Micro, Script, items};
use history::Value;

/// Who appends an element to a key.
#[derive(Clone, Copy)]
struct Source {
    /// Who may have; `NONE` if only aborted transactions.
    writer: u32,
    /// How often it is appended by transactions that may have taken place.
    count: u32,
    /// How often it is appended at all.
    total: u32,
    is_final: bool,
    /// How many elements the writer appended to the key before.
    place: u32,
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
    let mut totals: Desk<u32> = Desk::new(script.keys.len());
    let mut places: Desk<u32> = Desk::new(script.keys.len());
    for txn in script.numbers() {
        let is_aborted = script.fate(txn) == Fate::Aborted;
        let appends = || script.micros(txn).iter().filter(|micro| !micro.is_read);
        for micro in appends() {
            totals.set(txn, micro.key, totals.get(txn, micro.key).unwrap_or(0) + 1);
        }
        for micro in appends() {
            let place = places.get(txn, micro.key).unwrap_or(0);
            places.set(txn, micro.key, place + 1);
            let is_final = totals.get(txn, micro.key) == Some(place + 1);
            let unknown = Source { writer: NONE, count: 0, total: 0, is_final: false, place, aborted: NONE };
            let source = sources.entry((micro.key, micro.value)).or_insert(unknown);
            source.total += 1;
            if is_aborted {
                source.aborted = source.aborted.min(txn);
                continue;
            }
            source.count += 1;
            if source.writer == NONE {
                (source.writer, source.is_final, source.place) = (txn, is_final, place);
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
/// version it met; `NONE` after an element that several append, or nobody in the record.
fn order<'h>(
    run: &mut Run<'h>,
    key: u32,
    longest: Option<&Longest<'h>>,
    sources: &Sources<'h>,
    rules: Rules,
) -> Vec<u32> {
    let mut met = vec![run.first(key)];
    let Some(Longest { list, txn: reader, micro }) = longest.copied() else { return met };
    let mut last = run.first(key);
    let mut seen: Map<&Value, u32> = Map::default();
    // Writers in order of appearance, and how many elements of each were seen.
    let mut taken: Vec<(u32, u32)> = Vec::new();
    let mut place_of: Map<u32, usize> = Map::default();
    let mut aborted: Option<Direct> = None;
    for element in list {
        let flaw = |kind, other| Direct { kind, txn: reader, micro, other, value: element };
        let times = seen.entry(element).or_default();
        *times += 1;
        let source = match sources.get(&(key, element)).copied() {
            None => {
                if rules.is_complete {
                    run.flaws.push(flaw(Kind::Garbage, reader));
                }
                run.foreign += usize::from(!rules.is_complete);
                met.push(NONE);
                continue;
            }
            Some(source) if *times > source.total => {
                run.flaws.push(flaw(Kind::Duplicate, reader));
                met.push(last);
                continue;
            }
            Some(source) if source.writer == NONE => {
                run.flaws.push(flaw(Kind::Aborted, source.aborted));
                aborted = Some(flaw(Kind::DirtyUpdate, source.aborted));
                met.push(last);
                continue;
            }
            Some(source) if *times > source.count => {
                run.flaws.push(flaw(Kind::Aborted, source.aborted));
                met.push(last);
                continue;
            }
            Some(source) if source.count > 1 => {
                run.unclear += 1;
                met.push(NONE);
                continue;
            }
            Some(source) => source,
        };
        if let Some(dirty) = aborted.take() {
            run.flaws.push(Direct { other: source.writer, ..dirty });
        }
        let place = *place_of.entry(source.writer).or_insert_with(|| {
            taken.push((source.writer, 0));
            taken.len() - 1
        });
        if taken[place].1 != source.place {
            match is_plain(run, sources, source.writer, key) {
                true => run.flaws.push(flaw(Kind::Misordered, source.writer)),
                false => run.unclear += 1,
            }
        }
        taken[place].1 += 1;
        let next = run.version(source.writer, key).expect("a source took place, and wrote that key");
        if next != last {
            run.successions.push(Succession { earlier: last, later: next, seen_by: reader });
        }
        last = next;
        met.push(next);
    }
    run.last[key as usize] = last;
    // What somebody appended besides and nobody saw came after all that was seen, even if the rest of his was in between.
    for (writer, count) in taken {
        let version = run.version(writer, key).expect("a source took place, and wrote that key");
        let has_more = (count as usize) < appended(run, writer, key).count();
        if version != last && has_more {
            match is_plain(run, sources, writer, key) {
                true => run.successions.push(Succession { earlier: last, later: version, seen_by: reader }),
                false => run.unclear += 1,
            }
        }
    }
    met
}

/// What a transaction appended to a key.
fn appended<'h>(run: &Run<'h>, txn: u32, key: u32) -> impl Iterator<Item = &'h Value> {
    let micros = run.script.micros(txn).iter().filter(move |micro| !micro.is_read && micro.key == key);
    micros.map(|micro| micro.value)
}

/// Whether a transaction appended nothing to a key that others appended, too.
fn is_plain(run: &Run<'_>, sources: &Sources<'_>, txn: u32, key: u32) -> bool {
    appended(run, txn, key).all(|element| sure(sources, key, element).is_some())
}

/// Finds the versions that nobody saw: they come after all that were seen. One of which an element was seen that others
/// append, too, may be anywhere.
fn loosen<'h>(run: &mut Run<'h>, longest: &[Option<Longest<'h>>], orders: &[Vec<u32>], sources: &Sources<'h>) {
    let mut is_placed = vec![false; run.versions_count()];
    for version in orders.iter().flatten().filter(|version| **version != NONE) {
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
        let is_murky =
            || !murky.is_empty() && appended(run, txn, key).any(|element| murky.contains_key(&(key, element)));
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
        if version == NONE {
            continue;
        }
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
