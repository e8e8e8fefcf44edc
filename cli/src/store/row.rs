//! A run as a row: what is kept of one of many.

use history::{OperationCounts, Outage, RunRecord, Verdict, Who};
use reports::sweep::{Measured, Reads, Seen, Sort};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Statement, ToSql};
use scenarios::{Returns, Run, Staleness};
use serde_json::{Map, json};
use std::collections::BTreeMap;

/// A seed as the database holds it.
///
/// SQLite's integers end at 2^63 - 1. What is larger is a text of twenty digits: nothing is lost, the usual seeds are plain numbers,
/// and the order is right, since SQLite sorts every text behind every number, and texts of one length as their digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// From a column; `None` if it holds no seed.
    pub fn of(value: ValueRef<'_>) -> Option<u64> {
        match value {
            ValueRef::Integer(number) => u64::try_from(number).ok(),
            ValueRef::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
            ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => None,
        }
    }
}

impl ToSql for Seed {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = i64::try_from(self.0).map_or_else(|_| Value::Text(format!("{:020}", self.0)), Value::Integer);
        Ok(ToSqlOutput::Owned(value))
    }
}

/// What is kept of a run.
pub struct Row {
    pub seed: u64,
    pub verdict: Verdict,
    /// The check that tells most of why it did not pass.
    pub finding: Option<String>,
    detail: Option<String>,
    signature: Option<String>,
    version: String,
    name: String,
    fingerprint: String,
    protocol: String,
    numbers: Numbers,
    draws: String,
    faults: String,
    roles: String,
    recoveries: String,
}

struct Numbers {
    operations: Option<OperationCounts>,
    availability: Option<(f64, f64)>,
    outages: [u64; 5],
    recovery: Option<u64>,
    latency: Option<(u64, u64)>,
    handovers: Option<u64>,
    staleness: Option<Staleness>,
    events: u64,
    simulated_ns: u64,
}

/// In the order of the columns.
pub const INSERT: &str = "INSERT INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, \
    ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35)";

impl Row {
    pub fn of(run: Run) -> Self {
        let staleness = run.staleness();
        let Run { record, recovery, handovers, returns, recoveries: told, .. } = run;
        let principal = record.principal().map(|finding| (finding.check.clone(), finding.detail.clone()));
        let (finding, detail) = principal.unzip();
        Row {
            seed: record.seed,
            verdict: record.verdict,
            finding,
            detail,
            signature: record.signature(),
            numbers: Numbers {
                operations: record.operations,
                availability: record.availability.map(|share| (share.achieved, share.possible)),
                outages: outages(&record.outages),
                recovery,
                latency: record.latency.map(|latency| (latency.p50_ns, latency.p99_ns)),
                handovers,
                staleness,
                events: record.events,
                simulated_ns: record.simulated_ns,
            },
            draws: draws(&record),
            faults: faults(&record),
            roles: roles(&record),
            recoveries: recoveries(&record, (returns, &told), handovers.is_some()),
            version: record.version,
            name: record.scenario,
            fingerprint: record.fingerprint,
            protocol: record.protocol,
        }
    }

    pub fn simulated_ns(&self) -> u64 {
        self.numbers.simulated_ns
    }

    /// By [`INSERT`].
    pub fn insert(&self, scenario: &str, variant: &str, insert: &mut Statement<'_>) -> rusqlite::Result<()> {
        let Numbers {
            operations,
            availability,
            outages,
            recovery,
            latency,
            handovers,
            staleness,
            events,
            simulated_ns,
        } = &self.numbers;
        let stale = |of: fn(&Staleness) -> u64| staleness.as_ref().map(|found| whole(of(found)));
        let operations = operations.as_ref();
        let [count, total, longest, avoidable, partial] = outages.map(whole);
        insert.execute(rusqlite::params![
            scenario,
            self.version,
            variant,
            Seed(self.seed),
            self.name,
            self.verdict.to_string(),
            self.fingerprint,
            self.signature,
            self.finding,
            self.detail,
            self.protocol,
            operations.map(|operations| whole(operations.ok)),
            operations.map(|operations| whole(operations.refused)),
            operations.map(|operations| whole(operations.unknown)),
            availability.map(|(achieved, _)| achieved),
            availability.map(|(_, possible)| possible),
            count,
            total,
            longest,
            avoidable,
            partial,
            recovery.map(whole),
            latency.map(|(p50, _)| whole(p50)),
            latency.map(|(_, p99)| whole(p99)),
            handovers.map(whole),
            stale(|found| found.reads),
            stale(|found| found.stale),
            stale(|found| found.nanos_p99),
            stale(|found| found.nanos_max),
            whole(*events),
            whole(*simulated_ns),
            self.draws,
            self.faults,
            self.roles,
            self.recoveries,
        ])?;
        Ok(())
    }
}

/// A row as a page needs it, from what [`super::Store::measured`] asks for; `None` if no sweep has written it.
pub fn measured(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Measured>> {
    let text = |column| row.get::<_, Option<String>>(column).map(Option::unwrap_or_default);
    let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(i64::unsigned_abs));
    let (Some(seed), Some(verdict)) = (Seed::of(row.get_ref(0)?), super::verdict(&text(1)?)) else { return Ok(None) };
    let [draws, faults, roles, recoveries] = [text(11)?, text(12)?, text(13)?, text(14)?];
    let Some(draws) = object(&draws) else { return Ok(None) };
    let draws = draws.into_iter().map(|(key, value)| (key, value.as_str().unwrap_or_default().to_owned())).collect();
    let mut events = Vec::new();
    for (sort, text) in [(Sort::Role, roles), (Sort::Recovery, recoveries)] {
        let Some(object) = object(&text) else { return Ok(None) };
        events.extend(object.into_iter().map(|(what, times)| (sort, what, times.as_u64().unwrap_or(0))));
    }
    let Some(faults) = object(&faults) else { return Ok(None) };
    let fault = |fault: &serde_json::Value| (fault["do"].as_str().map(str::to_owned), fault["effects"].as_u64());
    events.extend(faults.values().filter_map(|own| {
        let (kind, effects) = fault(own);
        Some((Sort::Fault, kind?, effects.unwrap_or(0)))
    }));
    let reads = match (number(8)?, number(9)?, number(10)?) {
        (Some(all), Some(stale), Some(max_ns)) => Some(Reads { all, stale, max_ns }),
        (Some(_) | None, Some(_) | None, Some(_) | None) => None,
    };
    let seen = Seen {
        seed,
        verdict,
        signature: text(2)?,
        check: text(3)?,
        detail: text(4)?,
        simulated_ns: number(5)?.unwrap_or(0),
    };
    Ok(Some(Measured { seen, unavailable_ns: number(6)?, recovery_ns: number(7)?, reads, draws, events }))
}

fn object(text: &str) -> Option<Map<String, serde_json::Value>> {
    serde_json::from_str(text).ok()
}

/// No run counts so far.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Of all clients at once: how many, their sum, the longest, what was avoidable; and how many of some clients.
fn outages(outages: &[Outage]) -> [u64; 5] {
    let all = || outages.iter().filter(|outage| outage.who == Who::All);
    let lengths = || all().map(Outage::length_ns);
    let count = all().count() as u64;
    let avoidable = all().map(|outage| outage.avoidable_ns).sum();
    [count, lengths().sum(), lengths().max().unwrap_or(0), avoidable, outages.len() as u64 - count]
}

fn draws(record: &RunRecord) -> String {
    let draws = record.draws.iter().map(|draw| (draw.key.clone(), draw.value.clone().into()));
    serde_json::Value::Object(draws.collect::<Map<_, _>>()).to_string()
}

/// By fault, what all of its strikes did.
fn faults(record: &RunRecord) -> String {
    let mut faults = Map::new();
    for fault in &record.faults {
        let before = faults.get(&fault.name).and_then(|known: &serde_json::Value| known["effects"].as_u64());
        let effects = before.unwrap_or(0) + fault.effects;
        faults.insert(fault.name.clone(), json!({ "do": fault.kind, "effects": effects }));
    }
    serde_json::Value::Object(faults).to_string()
}

/// By role, how often a node took it.
fn roles(record: &RunRecord) -> String {
    let mut taken: BTreeMap<&str, u64> = BTreeMap::new();
    for span in &record.roles {
        *taken.entry(&span.role).or_default() += 1;
    }
    json!(taken).to_string()
}

/// By way, how often something came back. All ways are there: what never happened is worth knowing.
fn recoveries(record: &RunRecord, (returns, told): (Returns, &BTreeMap<&str, u64>), has_leader: bool) -> String {
    let Returns { whole, spoilt, replaced } = returns;
    let takeovers = record.outages.iter().filter_map(|outage| outage.takeover?.clients_ns).count();
    let mut ways = json!({
        "restart with journal": whole,
        "restart with spoilt journal": spoilt,
        "machine replaced": replaced,
    });
    if has_leader {
        ways["takeover"] = takeovers.into();
    }
    for (way, times) in told {
        ways[*way] = (*times).into();
    }
    ways.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn every_seed_is_kept_and_found_in_its_order() {
        let seeds =
            [0, 1, 9, 10, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, 9_999_999_999_999_999_999, u64::MAX - 1, u64::MAX];
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE TABLE runs (seed NOT NULL, PRIMARY KEY (seed)) WITHOUT ROWID").unwrap();
        for seed in seeds.into_iter().rev() {
            db.execute("INSERT INTO runs VALUES (?1)", [Seed(seed)]).unwrap();
        }
        let found = |from: u64, to: u64| -> Vec<u64> {
            let mut all = db.prepare("SELECT seed FROM runs WHERE seed BETWEEN ?1 AND ?2 ORDER BY seed").unwrap();
            let rows = all.query_map([Seed(from), Seed(to)], |row| Ok(Seed::of(row.get_ref(0)?).unwrap())).unwrap();
            rows.map(Result::unwrap).collect()
        };
        assert_eq!(found(0, u64::MAX), seeds);
        assert_eq!(found(2, 1 << 63), seeds[2..6]);
        assert_eq!(found((1 << 63) + 1, u64::MAX - 1), seeds[6..9]);
        let is_known = "SELECT count(*) FROM runs WHERE seed = 10 OR seed = '18446744073709551615'";
        assert_eq!(db.query_row(is_known, [], |row| row.get::<_, i64>(0)), Ok(2), "as one would ask for them by hand");
    }

    #[test]
    fn what_is_no_seed_is_not_taken_for_one() {
        assert_eq!(Seed::of(ValueRef::Integer(-1)), None);
        assert_eq!(Seed::of(ValueRef::Text(b"18446744073709551616")), None);
        assert_eq!(Seed::of(ValueRef::Real(1.0)), None);
    }
}
