//! `stormglass replay`: the same run again, with everything that happens.

use crate::args::Replay;
use crate::exit::{Done, Exit};
use crate::{load, screen};
use scenarios::execute::Options;
use scenarios::execute::Row;

pub fn replay(args: &Replay) -> Done {
    let scenario = load::scenario(&args.file, &args.set)?;
    let seed = args.seed.unwrap_or(scenario.seed);
    let chosen = args.from.is_some() || args.until.is_some() || args.node.is_some();
    let mut sink = |rows: Vec<Row>| {
        let text: String = rows.iter().filter(|row| is_wanted(args, row)).map(line).collect();
        screen::print(&text);
    };
    let mut options = Options::default();
    if chosen || args.verify.is_none() {
        options.trace = Some(&mut sink);
    }
    let run = scenarios::run(&scenario, seed, scenarios::systems::SYSTEMS, &mut options)?;
    let (record, found) = (&run.record, &run.record.fingerprint);
    match args.verify.map(|expected| format!("{expected:016x}")) {
        Some(expected) if expected != *found => {
            screen::print(&format!(
                "DIFFERENT  seed {seed} gave {found}, and {expected} was recorded\n           \
                 stormglass {} runs it now: another version, scenario file or --set makes another run\n",
                record.version
            ));
            Ok(Exit::Diverged)
        }
        Some(_) => {
            screen::print(&format!("SAME  seed {seed}, fingerprint {found}, {} events\n", record.events));
            Ok(Exit::Judged(history::Verdict::Pass))
        }
        None => {
            screen::print(&format!("{}  seed {seed}, fingerprint {found}\n", record.verdict));
            Ok(Exit::Judged(record.verdict))
        }
    }
}

fn is_wanted(args: &Replay, row: &Row) -> bool {
    args.from.is_none_or(|from| row.at >= from)
        && args.until.is_none_or(|until| row.at <= until)
        && args.node.as_ref().is_none_or(|node| row.from == *node || row.to == *node)
}

/// `  10.004213s  n1 -> n2  message  AppendEntries { .. }`
fn line(row: &Row) -> String {
    let seconds = format!("{}.{:06}s", row.at / 1_000_000_000, row.at % 1_000_000_000 / 1_000);
    let who =
        if row.to.is_empty() || row.to == row.from { row.from.clone() } else { format!("{} -> {}", row.from, row.to) };
    format!("{seconds:>12}  {who:<12} {:<8} {}\n", row.what.name(), row.text)
}
