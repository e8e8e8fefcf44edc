//! The format, example by example: a whole scenario here, what is left to the seed in [`draws`], every mistake in
//! [`mistakes`], and in [`garbage`] what no text may do.

mod draws;
mod garbage;
mod mistakes;
mod sweep;
mod toy;

use super::parse;
use crate::diagnostics::{Diagnostic, render};
use crate::scenario::{Action, Arrivals, Check, Clock, DelaySpec, Fault, Keys, Load, Model, Reach, Scenario, Timing};
use sim_core::dice::Ratio;
use sim_core::fault::{ClockHarm, Count, DiskFate, Event, Moment, Spoil, Target, Which, Who};
use sim_core::protocol::{ClientId, NodeId};
use sim_core::time::{MILLISECOND, Nanos, SECOND};
pub(crate) use toy::TOY;

/// What a scenario of some size looks like.
const STORM: &str = r#"
scenario = 1
about = "Five nodes in three regions under all that can go wrong."
duration = "60s"
fault = [
    { do = "partition", during = "20s..50s", groups = [["region:eu-west", "client:c2"], "others"] },
    { do = "crash", at = "30s", for = "1s..15s", target = "2 of follower", disk = "torn" },
    { do = "crash", at = "30s..40s", target = ["leader", "n3"] },
    { do = "pause", every = "8s", jitter = "500ms", times = 3, for = "6s", target = "half of all" },
    { do = "link", when = "leader elected", after = "1s", between = ["region:us-east", ["leader", "clients"]],
      delay = "+80ms", duplicate = "0.01%" },
    { do = "partition", name = "fibre", at = "5s", links = ["us-east <-> us-west", "eu-west -> us-east"] },
]

[cluster]
nodes = 5
layout = "three-regions"
place = { us-west = 2, us-east = 2, eu-west = 1 }
clock = { drift = "200ppm", offset = "-50ms..50ms" }
disk = { fsync = { dist = "exp", mean = "1ms" } }

[protocol]
name = "toy"
election-timeout = "300ms..600ms"
pre-vote = false
reads = "log"
flaws = ["forget-vote"]

[[load]]
clients = 4
ops = { read = 70, write = 25, cas = 5, append = 0 }
keys = { count = 50, dist = "zipf", skew = 1.1 }

[[load]]
data = "kv"
clients = { count = 2, place = "eu-west" }
model = { open = { rate = "300/s" } }
timeout = "500ms"
at = "10s"
for = "20s"

[expect]
must = ["no lost writes", "availability >= 97%", "p99(read) <= 400ms"]
should = ["leader changes <= 3"]
reach = ["leader elected >= 2 times"]
shows = ["no lost writes", "election safety"]

[sweep]
seeds = 500
"#;

fn read(source: &str) -> Result<(Scenario, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (draft, warnings) = parse(source, "storm", &[], &[TOY])?;
    Ok((draft.resolve(1)?, warnings))
}

fn one(who: Who) -> Target {
    Target { count: Count::All, who }
}

#[test]
fn a_scenario_means_what_it_says() {
    let (scenario, warnings) = read(STORM).unwrap_or_else(|found| panic!("{}", render(&found, "storm", STORM, false)));
    assert_eq!(warnings, []);
    assert_eq!((scenario.name.as_str(), scenario.seed), ("storm", 1), "the file's name and seed 1 unless it says more");
    assert_eq!((scenario.duration, scenario.settle), (60 * SECOND, 10 * SECOND));

    // Nodes are numbered in the order of `place`: n1 and n2 in us-west.
    let zone = |name: &str| scenario.layout.zones_of(name)[0];
    let zones = ["us-west", "us-west", "us-east", "us-east", "eu-west"].map(zone);
    assert_eq!(scenario.cluster.zones, zones);
    assert_eq!(scenario.cluster.clock, Clock { drift: Ratio::new(200, 1_000_000), offset: (-50_000_000, 50_000_000) });
    assert_eq!(scenario.cluster.fsync, DelaySpec::Exp { mean: MILLISECOND });
    assert_eq!(scenario.cluster.cpu, DelaySpec::Fixed(10_000));

    let values = &scenario.protocol.values;
    assert_eq!((values.flag("pre-vote"), values.word("reads"), values.count("batch")), (false, "log", 8));
    assert_eq!(scenario.protocol.flaws.names(), ["forget-vote"]);
}

#[test]
fn loads_mean_what_they_say() {
    let scenario = read(STORM).unwrap().0;
    let [first, second] = scenario.loads.as_slice() else { panic!("two loads") };
    let eu_west = scenario.layout.zones_of("eu-west")[0];
    assert_eq!(
        *first,
        Load {
            name: "load".to_owned(),
            data: TOY.data[0],
            zones: vec![0, 1, 2, 0],
            model: Model::Closed { think: DelaySpec::Fixed(10 * MILLISECOND) },
            ops: vec![(0, 70), (1, 25), (2, 5)],
            keys: Keys { count: 50, skew: Ratio::new(11, 10) },
            timeout: SECOND,
            retry: 250 * MILLISECOND,
            from: 0,
            until: 60 * SECOND,
        }
    );
    assert_eq!(
        *second,
        Load {
            name: "load-2".to_owned(),
            data: TOY.data[0],
            zones: vec![eu_west; 2],
            model: Model::Open { per_second: Ratio::new(300, 1), arrivals: Arrivals::Poisson },
            ops: vec![(0, 50), (1, 50)],
            keys: Keys { count: 10, skew: Ratio::ZERO },
            timeout: 500 * MILLISECOND,
            retry: 125 * MILLISECOND,
            from: 10 * SECOND,
            until: 30 * SECOND,
        }
    );
    // 300 a second by two clients: each waits 6.67 ms on average.
    let Model::Open { per_second, arrivals } = second.model else { panic!("{:?}", second.model) };
    assert_eq!(second.gap(per_second, arrivals), DelaySpec::Exp { mean: 6_666_666 });
}

#[test]
fn faults_mean_what_they_say() {
    let scenario = read(STORM).unwrap().0;
    let role = |role: &str| Who::Role(role.to_owned());
    let region = |region: &str| one(Who::Region(region.to_owned()));
    let at = |from: Nanos, to: Nanos| Timing::At { from: from * SECOND, to: to * SECOND };
    let fault = |name: &str, action, timing, length: Option<(Nanos, Nanos)>| Fault {
        name: name.to_owned(),
        part_of: None,
        why: None,
        action,
        timing,
        length: length.map(|(min, max)| (min * SECOND, max * SECOND)),
    };
    let groups = vec![vec![region("eu-west"), one(Who::Client(ClientId(1)))], vec![one(Who::Others)]];
    let two_followers = Target { count: Count::Some(2), who: role("follower") };
    let link = Action::Link {
        from: vec![region("us-east")],
        to: vec![one(role("leader")), one(Who::Clients)],
        one_way: false,
        spoil: Box::new(Spoil {
            delay: DelaySpec::Fixed(80 * MILLISECOND),
            loss: Ratio::ZERO,
            corrupt: Ratio::ZERO,
            duplicate: Ratio::new(1, 10_000),
            duplicate_after: DelaySpec::Fixed(0),
            reorder: Ratio::ZERO,
            reorder_by: DelaySpec::Uniform { min: 0, max: 500 * MILLISECOND },
            bandwidth: None,
            kinds: Vec::new(),
        }),
        flap: None,
    };
    let fibre = ["us-east -> us-west", "us-west -> us-east", "eu-west -> us-east"].map(str::to_owned).to_vec();
    let elected = Timing::Event { event: Event::RoleTaken("leader".to_owned()), after: SECOND, times: 1, within: None };
    assert_eq!(
        scenario.faults,
        [
            fault(
                "partition-1",
                Action::Partition { groups, one_way: false, flap: None },
                Timing::During { from: 20 * SECOND, to: 50 * SECOND },
                None
            ),
            fault(
                "crash-1",
                Action::Crash { target: vec![two_followers], disk: DiskFate::Torn, moment: Moment::Between },
                at(30, 30),
                Some((1, 15))
            ),
            fault(
                "crash-2",
                Action::Crash {
                    target: vec![one(role("leader")), one(Who::Node(NodeId(2)))],
                    disk: DiskFate::Keep,
                    moment: Moment::Between
                },
                at(30, 40),
                None
            ),
            fault(
                "pause-1",
                Action::Pause { target: vec![Target { count: Count::Half, who: Who::All }], messages_only: false },
                Timing::Every { period: 8 * SECOND, jitter: 500 * MILLISECOND, times: Some(3) },
                Some((6, 6))
            ),
            fault("link-1", link, elected, None),
            fault("fibre", Action::CutLinks { links: fibre, flap: None }, at(5, 5), None),
        ]
    );
}

/// The actions of the faults that these lines describe.
fn actions(faults: &[&str]) -> Vec<Action> {
    let mut source = "scenario = 1\nabout = \"x\"\nduration = \"60s\"\nprotocol.name = \"toy\"\n".to_owned();
    source.push_str("expect.must = [\"linearizable\"]\n[[load]]\n");
    faults.iter().for_each(|fault| source.push_str(&format!("[[fault]]\nat = \"5s\"\n{fault}\n")));
    let read = read(&source).unwrap_or_else(|found| panic!("{}", render(&found, "x.toml", &source, false)));
    read.0.faults.into_iter().map(|fault| fault.action).collect()
}

#[test]
fn a_crash_is_between_steps_unless_it_says_more() {
    let crash = |moment| Action::Crash { target: vec![one(Who::Any)], disk: DiskFate::Torn, moment };
    let source = "do = \"crash\"\ntarget = \"any\"\ndisk = \"torn\"\n";
    let within = format!("{source}mid-step = true");
    assert_eq!(actions(&[source, &within]), [crash(Moment::Between), crash(Moment::Within)]);
}

#[test]
fn links_mix_up_datagrams_as_they_are_told() {
    let link = |duplicate, after, reorder, max| Action::Link {
        from: vec![one(Who::Any)],
        to: vec![one(Who::All)],
        one_way: false,
        spoil: Box::new(Spoil {
            delay: DelaySpec::Fixed(0),
            loss: Ratio::ZERO,
            corrupt: Ratio::ZERO,
            duplicate,
            duplicate_after: after,
            reorder,
            reorder_by: DelaySpec::Uniform { min: 0, max },
            bandwidth: None,
            kinds: Vec::new(),
        }),
        flap: None,
    };
    let fault = |keys: &str| format!("do = \"link\"\nbetween = [\"any\", \"all\"]\n{keys}");
    let faults = [
        "reorder = \"10%\"",
        "reorder = \"10%\"\nreorder-by = \"0ms..2s\"",
        "duplicate = \"5%\"\nduplicate-after = \"0ms..2s\"",
    ]
    .map(fault);
    let (none, half, two) = (DelaySpec::Fixed(0), SECOND / 2, 2 * SECOND);
    assert_eq!(
        actions(&faults.each_ref().map(String::as_str)),
        [
            link(Ratio::ZERO, none, Ratio::new(10, 100), half),
            link(Ratio::ZERO, none, Ratio::new(10, 100), two),
            link(Ratio::new(5, 100), DelaySpec::Uniform { min: 0, max: two }, Ratio::ZERO, half),
        ]
    );
}

#[test]
fn clocks_jump_and_run_as_they_are_told() {
    let clock = |step, rate_ppb| Action::Clock {
        target: vec![one(Who::Any)],
        harm: ClockHarm { step, rate_ppb, ..ClockHarm::NONE },
    };
    let fault = |keys: &str| format!("do = \"clock\"\ntarget = \"any\"\n{keys}");
    let faults =
        ["step = \"-5s\"", "rate = \"+5%\"", "step = \"58m\"\nrate = \"-200ppm\"", "step = \"-58m\""].map(fault);
    let minutes = 58 * 60 * 1_000_000_000;
    assert_eq!(
        actions(&faults.each_ref().map(String::as_str)),
        [clock(-5_000_000_000, 0), clock(0, 50_000_000), clock(minutes, -200_000), clock(-minutes, 0)]
    );
}

#[test]
fn a_clock_can_stand_still_and_be_wrong_without_the_other() {
    let clock = |which, step, freeze| Action::Clock {
        target: vec![one(Who::Any)],
        harm: ClockHarm { which, step, freeze, ..ClockHarm::NONE },
    };
    let fault = |keys: &str| format!("do = \"clock\"\ntarget = \"any\"\n{keys}");
    let faults =
        ["freeze = true", "which = \"wall\"\nstep = \"-5s\"", "which = \"monotonic\"\nstep = \"5s\"\nfreeze = true"];
    let seconds = 5_000_000_000;
    assert_eq!(
        actions(&faults.map(fault).each_ref().map(String::as_str)),
        [clock(Which::Both, 0, true), clock(Which::Wall, -seconds, false), clock(Which::Monotonic, seconds, true),]
    );
}

#[test]
fn machines_get_slow_and_lost() {
    let cpu = |slower, extra| Action::Cpu { target: vec![one(Who::Any)], slower, extra };
    let (none, five) = (DelaySpec::Fixed(0), DelaySpec::Fixed(5_000_000));
    assert_eq!(
        actions(&[
            "do = \"cpu\"\ntarget = \"any\"\nslower = 10",
            "do = \"cpu\"\ntarget = \"any\"\nslower = 2.5\nextra = \"+5ms\"",
            "do = \"cpu\"\ntarget = \"any\"\nextra = \"0ms..5ms\"",
            "do = \"lose\"\ntarget = \"any\"",
        ]),
        [
            cpu(Ratio::new(10, 1), none),
            cpu(Ratio::new(25, 10), five),
            cpu(Ratio::new(1, 1), DelaySpec::Uniform { min: 0, max: 5_000_000 }),
            Action::Lose { target: vec![one(Who::Any)] },
        ]
    );
}

#[test]
fn orders_mean_what_they_say() {
    let role = |role: &str| one(Who::Role(role.to_owned()));
    let operate = |order: &str, to, about| Action::Operate { order: order.to_owned(), to: vec![to], about };
    let a_follower = Target { count: Count::Some(1), ..role("follower") };
    assert_eq!(
        actions(&[
            "do = \"operate\"\norder = \"remove\"\nabout = \"one of follower\"\nto = \"n2\"",
            "do = \"operate\"\norder = \"remove\"\nabout = \"leader\"",
            "do = \"operate\"\norder = \"members\"\nabout = [\"n1\", \"n2\"]",
            "do = \"operate\"\norder = \"compact\"\nto = \"all\"",
        ]),
        [
            operate("remove", one(Who::Node(NodeId(1))), vec![a_follower]),
            operate("remove", role("leader"), vec![role("leader")]),
            operate("members", role("leader"), vec![one(Who::Node(NodeId(0))), one(Who::Node(NodeId(1)))]),
            operate("compact", one(Who::All), vec![]),
        ]
    );
}

#[test]
fn expectations_keep_their_text() {
    let expect = read(STORM).unwrap().0.expect;
    let texts: Vec<&str> = expect.must.iter().map(|expectation| expectation.text.as_str()).collect();
    assert_eq!(texts, ["no lost writes", "availability >= 97%", "p99(read) <= 400ms"]);
    assert_eq!(expect.should[0].check, Check::RoleChanges { role: "leader".to_owned(), at_most: 3 });
    assert_eq!(expect.reach[0].goal, Reach::RoleTaken { role: "leader".to_owned(), at_least: 2 });
    assert_eq!(expect.shows, ["no lost writes", "election safety"]);
}

#[test]
fn overrides_are_read_like_the_file() {
    let set = |key: &str, value: &str| {
        let found = parse(STORM, "storm", &[(key.to_owned(), value.to_owned())], &[TOY]);
        found.and_then(|(draft, _)| draft.resolve(1)).map_err(|found| render(&found, "storm.toml", STORM, false))
    };
    assert!(set("protocol.pre-vote", "true").unwrap().protocol.values.flag("pre-vote"));
    assert_eq!(set("load.0.clients", "9").unwrap().loads[0].zones.len(), 9);
    assert_eq!(set("duration", "2m").unwrap().duration, 120 * SECOND);
    assert_eq!(set("fault.1.disk", "keep").unwrap().faults.len(), 6);
    assert_eq!(set("load.load-2.clients", "9").unwrap().loads[1].zones.len(), 9, "by name");
    assert_eq!(
        set("fault.crash-2.at", "7s").unwrap().faults[2].timing,
        Timing::At { from: 7 * SECOND, to: 7 * SECOND }
    );
    assert_eq!(
        set("protocol.pre-vote", "yes").unwrap_err(),
        "error[S0103]: in --set protocol.pre-vote: `pre-vote` takes `true` or `false`, without quotes; this is a text\n\n"
    );
    assert!(set("protocol.prevote", "true").unwrap_err().contains("S0102]: in --set protocol.prevote: unknown key"));
    assert!(set("load.2.clients", "1").unwrap_err().contains("error[S0005]: in --set load.2.clients"));
    assert!(set("fault.crash-3.at", "1s").unwrap_err().contains("`fault` is a list of 6, and `crash-3` is none of"));
}

/// Every section is read, whatever is wrong with the one before; the file's order is the order of the problems.
#[test]
fn all_mistakes_are_told_at_once() {
    let source = STORM
        .replace("duration = \"60s\"", "duration = 60")
        .replace("\"toy\"", "\"tory\"")
        .replace("\"2 of follower\"", "\"9 of all\"")
        .replace("seeds = 500", "seed = 500")
        .replace("clients = 4", "clients = \"4\"");
    let found = read(&source).unwrap_err();
    let codes: Vec<&str> = found.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["S0104", "S0303", "S0201", "S0103", "S0107"]);
}

#[test]
fn only_the_first_problems_are_shown() {
    let source = format!("{STORM}{}", "[[load]]\nclients = true\n".repeat(500));
    let found = read(&source).unwrap_err();
    assert_eq!(found.len(), 21);
    assert!(found.iter().any(|problem| problem.code == "S0006" && problem.message.contains("480 more")));
}

#[test]
fn the_network_breaks_as_it_is_told() {
    use sim_core::fault::{Bandwidth, Flap, Pick, Place, PlaceKind, Shape};
    let leader = || vec![one(Who::Role("leader".to_owned()))];
    let shape = |shape, order, flap| Action::Shape { shape, order, flap };
    let flap = Some(Flap { up: (200 * MILLISECOND, SECOND), down: (2 * SECOND, 2 * SECOND) });
    let pick =
        |kinds: &[&str], share, count| Pick { kinds: kinds.iter().map(|k| (*k).to_owned()).collect(), share, count };
    let outage = |place| Action::Outage { places: vec![place], disk: DiskFate::Keep };
    assert_eq!(
        actions(&[
            "do = \"partition\"\nshape = \"bridge\"",
            "do = \"partition\"\nshape = \"star\"\norder = \"leader\"\nflap = { up = \"200ms..1s\", down = \"2s\" }",
            "do = \"drop\"",
            "do = \"drop\"\nmessages = [\"Append\", \"Ask\"]\nfrom = \"leader\"\nshare = \"30%\"\ncount = 3",
            "do = \"outage\"\nplace = \"zone:a\"",
            "do = \"outage\"\nplace = \"one of regions\"",
        ]),
        [
            shape(Shape::Bridge, vec![], None),
            shape(Shape::Star, leader(), flap),
            Action::Drop { from: vec![], to: vec![], pick: pick(&[], Ratio::new(100, 100), None) },
            Action::Drop { from: leader(), to: vec![], pick: pick(&["Append", "Ask"], Ratio::new(30, 100), Some(3)) },
            outage(Place::Zone("a".to_owned())),
            outage(Place::Drawn(1, PlaceKind::Regions)),
        ]
    );
    let narrow = actions(&["do = \"link\"\nbetween = [\"n1\", \"n2\"]\nbandwidth = \"1MB/s\"\ncorrupt = \"1%\""]);
    let [Action::Link { spoil, .. }] = &narrow[..] else { panic!("{narrow:?}") };
    assert_eq!(spoil.bandwidth, Some(Bandwidth { bytes_per_second: 1_000_000, queue: 64_000 }));
    assert_eq!((spoil.corrupt, spoil.loss), (Ratio::new(1, 100), Ratio::ZERO));
    let slow = "do = \"link\"\nbetween = [\"n1\", \"n2\"]\nmessages = [\"Append\"]";
    let delayed = actions(&[&format!("{slow}\ndelay = \"+80ms\"")]);
    let [Action::Link { spoil, .. }] = &delayed[..] else { panic!("{delayed:?}") };
    assert_eq!(spoil.kinds, ["Append"]);
}
