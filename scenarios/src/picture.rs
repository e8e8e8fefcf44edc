//! What a page draws of a run over time: who was served where and for what, and how long it took.

use crate::execute::{Finished, OpFact};
use crate::judge::quantile;
use crate::layout::Layout;
use crate::plan::Plan;
use crate::record::Grid;
use crate::scenario::Scenario;
use history::{Cell, Cloud, Dot, Fate, Latency, Outcome, Strip};
use sim_core::dice::Ratio;
use sim_core::time::{MICROSECOND, Nanos};

/// More dots than this would lie on top of each other, and make a page slow.
const DOTS_MAX: usize = 10_000;

/// The load's operations by where they were asked and for what: places in the order of the layout, functions in that of the
/// data. Together they are the record's buckets.
pub(crate) fn service(scenario: &Scenario, plan: &Plan, finished: &Finished, grid: Grid) -> Vec<Strip> {
    let places = places(&scenario.layout);
    let functions = scenario.loads.first().map_or(&[][..], |load| load.data.functions);
    let empty = || vec![0; grid.count];
    let strip = |place: &&str, function: &str| Strip {
        place: (*place).to_owned(),
        function: function.to_owned(),
        invoked: empty(),
        achieved: empty(),
        possible: empty(),
    };
    let named = places.names.iter().flat_map(|place| functions.iter().map(|function| strip(place, function.name)));
    let mut strips: Vec<Strip> = named.collect();
    for op in finished.due() {
        let Some(bucket) = grid.bucket(op.invoked) else { continue };
        let place = places.of_zone[plan.clients[op.client.0 as usize].zone.0 as usize];
        let strip = &mut strips[place * functions.len() + op.function];
        strip.invoked[bucket] += 1;
        strip.achieved[bucket] += u64::from(op.served.is_some());
        strip.possible[bucket] += u64::from(op.was_possible());
    }
    strips.retain(|strip| strip.invoked.iter().any(|invoked| *invoked > 0));
    strips
}

/// What a page calls places: regions, or zones where there is one region.
struct Places<'a> {
    names: Vec<&'a str>,
    of_zone: Vec<usize>,
}

fn places(layout: &Layout) -> Places<'_> {
    let regions = layout.regions();
    if regions.len() == 1 {
        let names = layout.zones.iter().map(|zone| zone.name.as_str()).collect();
        return Places { names, of_zone: (0..layout.zones.len()).collect() };
    }
    let region = |name: &str| regions.iter().position(|region| *region == name).expect("regions are those of zones");
    let of_zone = layout.zones.iter().map(|zone| region(&zone.region)).collect();
    Places { names: regions, of_zone }
}

/// How long the load's operations took.
pub(crate) fn latency(finished: &Finished, grid: Grid) -> Latency {
    let mut served: Vec<Vec<Nanos>> = vec![Vec::new(); grid.count];
    for op in finished.due() {
        if let (Some(at), Some(bucket)) = (op.served, grid.bucket(op.invoked)) {
            served[bucket].push(at - op.invoked);
        }
    }
    let mut at = |numerator, denominator| {
        let share = Ratio::new(numerator, denominator);
        served.iter_mut().map(|bucket| quantile(bucket, share)).collect()
    };
    Latency { p50_ns: at(1, 2), p99_ns: at(99, 100), max_ns: at(1, 1), cloud: cloud(finished, grid, DOTS_MAX) }
}

/// Each operation, or with more than so many of them, how many were alike.
fn cloud(finished: &Finished, grid: Grid, dots_max: usize) -> Cloud {
    let shown = || finished.due().filter(|op| grid.bucket(op.invoked).is_some());
    if shown().count() <= dots_max {
        return Cloud::Dots(shown().map(dot).collect());
    }
    let kind = |op: &OpFact| {
        let Dot { took_us, fate, .. } = dot(op);
        Some((grid.bucket(op.invoked)?, Cell::row_of(took_us), fate))
    };
    let mut kinds: Vec<(usize, u32, Fate)> = finished.due().filter_map(kind).collect();
    kinds.sort_unstable();
    let cell = |alike: &[(usize, u32, Fate)]| {
        let (bucket, row, fate) = alike[0];
        Cell { bucket, row, fate, count: alike.len() as u64 }
    };
    Cloud::Cells(kinds.chunk_by(|a, b| a == b).map(cell).collect())
}

fn dot(op: &OpFact) -> Dot {
    let fate = match (&op.outcome, op.served) {
        (_, Some(_)) => Fate::Served,
        (Outcome::Returned(()), None) => Fate::Late,
        (Outcome::Refused, None) => Fate::Refused,
        (Outcome::Unknown, None) => Fate::Unknown,
    };
    let waited = op.completed.unwrap_or(op.deadline) - op.invoked;
    Dot { at_us: op.invoked / MICROSECOND, took_us: waited / MICROSECOND, fate }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::Options;
    use crate::systems::SYSTEMS;
    use history::{Picture, RunRecord};

    /// Clients in three regions, of which one is cut off for longer than they wait, on a network that loses answers.
    const CUT: &str = r#"
        scenario = 1
        about = "A test."
        duration = "10s"
        settle = "2s"
        [cluster]
        nodes = 3
        layout = "three-regions"
        [protocol]
        name = "raft"
        [[load]]
        data = "kv"
        clients = 6
        model = { closed = { think = "20ms" } }
        ops = { read = 50, write = 50 }
        timeout = "1s"
        [[fault]]
        do = "partition"
        at = "4s"
        for = "3s"
        groups = [["region:eu-west"], ["others"]]
        [expect]
        must = ["no lost writes"]
    "#;

    fn drawn(source: &str) -> (RunRecord, Picture) {
        let (draft, _) = crate::parse(source, "test", &[], SYSTEMS).expect("well formed");
        let scenario = draft.resolve(1).expect("it fits together");
        let mut options = Options { picture: true, ..Options::default() };
        let record = crate::run(&scenario, 1, SYSTEMS, &mut options).expect("the engine holds").record;
        let picture = record.picture.clone().expect("it was asked for");
        (record, picture)
    }

    #[test]
    fn strips_add_up_to_the_buckets() {
        let (record, picture) = drawn(CUT);
        let named: Vec<(&str, &str)> = picture.service.iter().map(|strip| (&*strip.place, &*strip.function)).collect();
        let places = ["us-east", "us-west", "eu-west"];
        assert_eq!(named, places.map(|place| [(place, "read"), (place, "write")]).concat(), "nobody asked for `cas`");
        let sum = |i: usize, of: fn(&Strip) -> &Vec<u64>| picture.service.iter().map(|strip| of(strip)[i]).sum::<u64>();
        for (i, bucket) in record.buckets.iter().enumerate() {
            let sums = [sum(i, |s| &s.invoked), sum(i, |s| &s.achieved), sum(i, |s| &s.possible)];
            assert_eq!(sums, [bucket.invoked, bucket.achieved, bucket.possible], "bucket {i}");
        }
        let lacked = |place: &str| {
            let strips = picture.service.iter().filter(|strip| strip.place == place);
            strips.map(|strip| strip.invoked.iter().sum::<u64>() - strip.achieved.iter().sum::<u64>()).sum::<u64>()
        };
        assert_eq!(places.map(|place| lacked(place) > 0), [false, false, true]);
    }

    #[test]
    fn one_region_is_told_by_its_zones() {
        let (_, picture) = drawn(&CUT.replace("three-regions", "three-zones").replace("region:eu-west", "zone:c"));
        let places: Vec<&str> = picture.service.iter().map(|strip| &*strip.place).collect();
        assert_eq!(places, ["a", "a", "b", "b", "c", "c"]);
    }

    #[test]
    fn every_operation_is_a_dot_and_the_slowest_served_is_the_maximum_of_its_bucket() {
        let (record, picture) = drawn(CUT);
        let Cloud::Dots(dots) = &picture.latency.cloud else { panic!("there are few") };
        let count = |fate: Fate| dots.iter().filter(|dot| dot.fate == fate).count() as u64;
        let operations = record.operations.expect("there was a load");
        assert_eq!(count(Fate::Served) + count(Fate::Late), operations.ok);
        assert_eq!((count(Fate::Refused), count(Fate::Unknown)), (operations.refused, operations.unknown));
        assert!(operations.unknown > 0, "{operations:?}");
        assert!(dots.iter().filter(|dot| dot.fate == Fate::Unknown).all(|dot| dot.took_us == 1_000_000));
        let slowest = dots.iter().filter(|dot| dot.fate == Fate::Served).map(|dot| dot.took_us).max();
        let maximum = picture.latency.max_ns.iter().flatten().max().map(|max| max / MICROSECOND);
        assert_eq!(slowest, maximum);
        let Latency { p50_ns, p99_ns, max_ns, .. } = &picture.latency;
        for (i, bucket) in record.buckets.iter().enumerate() {
            assert_eq!(p50_ns[i].is_some(), bucket.achieved > 0, "bucket {i}");
            assert!(p50_ns[i] <= p99_ns[i] && p99_ns[i] <= max_ns[i], "bucket {i}");
        }
    }

    /// Cells hold what dots would have shown.
    #[test]
    fn too_many_dots_become_cells_that_count_the_same() {
        let scenario = crate::parse(CUT, "test", &[], SYSTEMS).expect("well formed").0.resolve(1).expect("it fits");
        let plan = Plan::draw(&scenario, 1);
        let finished = (SYSTEMS[0].runner)("kv")(&plan, &mut Options::default()).expect("the engine holds");
        let grid = Grid::new(scenario.duration);
        let all = finished.due().count();
        let Cloud::Dots(dots) = cloud(&finished, grid, all) else { panic!("just as many as may be") };
        let Cloud::Cells(cells) = cloud(&finished, grid, all - 1) else { panic!("one too many") };
        assert!(cells.len() < dots.len() && cells.is_sorted_by_key(|cell| (cell.bucket, cell.row, cell.fate)));
        let row = |row: u32| {
            let alike = dots.iter().filter(|dot| Cell::row_of(dot.took_us) == row).count() as u64;
            let counted: u64 = cells.iter().filter(|cell| cell.row == row).map(|cell| cell.count).sum();
            (alike, counted)
        };
        assert!((0..252).map(row).all(|(alike, counted)| alike == counted));
    }
}
