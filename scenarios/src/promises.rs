//! Which promise a check demands, and whether the system makes it: with its settings, under what the scenario lets go wrong.
//!
//! The system answers yes or no ([`System::promises`]). Which settings that rests on, and which other one would turn a no
//! into a yes, is found out by asking again with one setting changed.

mod contact;
mod transit;

use crate::layout::Layout;
use crate::scenario::{Action, Check, Cluster, Fault, Protocol, Timing};
use crate::systems::{Surroundings, System};
use sim_core::dice::Ratio;
use sim_core::fault::{ClockHarm, Count, PlaceKind, Target, Which, Who};
use sim_core::promise::{Claim, Premise};
use sim_core::settings::{Flaws, Key, Kind, Setting, Values};
use sim_core::time::Nanos;

/// What a check demands of the system; `None` if nobody promises such a thing.
pub fn claim(check: &Check) -> Option<Claim> {
    match check {
        Check::Linearizable => Some(Claim::Linearizable),
        Check::LinearizableWrites => Some(Claim::LinearizableWrites),
        Check::NoLostWrites => Some(Claim::NoLostWrites),
        Check::NoResurrection => Some(Claim::NoResurrection),
        Check::Consistent(guarantee) => Some(Claim::Consistent(*guarantee)),
        Check::Converged { .. } => Some(Claim::Converges),
        Check::HintsDelivered { .. } => Some(Claim::HintsDelivered),
        Check::Availability { .. } | Check::Recovery { .. } | Check::Latency { .. } => Some(Claim::Progress),
        Check::Detection { within } => Some(Claim::Detects { within: *within }),
        Check::RoleChanges { .. } | Check::StaleReads { .. } | Check::Siblings { .. } | Check::Figure(_) => None,
        Check::Mistakes { .. } | Check::QueryAccuracy { .. } => None,
    }
}

/// The worst that a scenario lets go wrong, but for what that leaves of the contact between machines
/// (`promises/contact.rs`) and how long messages take (`promises/transit.rs`). Every kind of fault says here what promises depend on.
pub fn premise(cluster: &Cluster, faults: &[Fault]) -> Premise {
    let rate_error = plus_ppb(cluster.clock.drift, worst_rate(faults));
    let nodes = cluster.zones.len() as u32;
    let are_apart = cluster.clock.offset != (0, 0);
    let mut premise = Premise { clock_rate_error: rate_error, wall_clocks_wrong: are_apart, nodes, ..Premise::CALM };
    for fault in faults {
        if let Some(flap) = fault.action.flap() {
            premise.calm = Some(premise.calm.map_or(flap.up.0, |calm| calm.min(flap.up.0)));
        }
        match &fault.action {
            Action::Crash { disk, .. } | Action::Outage { disk, .. } => premise.disk = premise.disk.max(Some(*disk)),
            Action::Partition { one_way, .. } => premise.one_way_cuts |= one_way,
            Action::Shape { shape, .. } => premise.one_way_cuts |= shape.is_one_way(cluster.zones.len()),
            Action::CutLinks { links, .. } => {
                premise.one_way_cuts |= links.iter().any(|link| !has_way_back(link, links));
            }
            Action::Link { one_way, spoil, .. } => premise.one_way_cuts |= *one_way && spoil.is_cut(),
            Action::Drop { pick, .. } => premise.unheard |= contact::is_unheard(pick),
            Action::Clock { harm, .. } => harm_clocks(&mut premise, harm),
            Action::Lose { target } => {
                premise.nodes_lost = premise.nodes_lost.saturating_add(lost(fault, target, nodes)).min(nodes);
                premise.come_back_empty |= fault.length.is_some() || matches!(fault.timing, Timing::During { .. });
            }
            Action::Disk { harm, .. } => crate::disks::worsen(&mut premise, harm),
            Action::Pause { .. } | Action::Cpu { .. } | Action::Operate { .. } => {}
        }
    }
    premise
}

/// The most that clock faults add to a clock's rate, either way, in billionths: the rates of those that may be there at one
/// time add up.
fn worst_rate(faults: &[Fault]) -> u64 {
    let rates: Vec<(Nanos, Nanos, u64)> = faults.iter().filter_map(rate).collect();
    let at = |instant: Nanos| {
        let there = rates.iter().filter(|(from, until, _)| (*from..*until).contains(&instant));
        there.map(|(_, _, ppb)| ppb).sum()
    };
    rates.iter().map(|(from, _, _)| at(*from)).max().unwrap_or(0)
}

/// Of a fault that changes the rate of clocks: from when to when it may be there, and by how many billionths.
fn rate(fault: &Fault) -> Option<(Nanos, Nanos, u64)> {
    let Action::Clock { harm, .. } = &fault.action else { return None };
    (harm.which != Which::Wall).then_some(())?;
    let longest = fault.length.map_or(Nanos::MAX, |(_, longest)| longest);
    let (from, until) = match fault.timing {
        Timing::At { from, to } => (from, to.saturating_add(longest)),
        Timing::During { from, to } => (from, to),
        Timing::Event { within: Some(within), .. } => within,
        Timing::Every { .. } | Timing::Event { within: None, .. } => (0, Nanos::MAX),
    };
    Some((from, until, harm.rate_ppb.unsigned_abs()))
}

fn harm_clocks(premise: &mut Premise, harm: &ClockHarm) {
    if harm.which != Which::Monotonic {
        premise.wall_clocks_wrong = true;
    }
    if harm.which != Which::Wall {
        premise.clocks_step |= harm.step != 0;
        premise.clocks_freeze |= harm.freeze;
    }
}

/// How many nodes a fault can meet in all its strikes, at most; all where that depends on more than the scenario says.
fn lost(fault: &Fault, target: &[Target], nodes: u32) -> u32 {
    let strikes = match fault.timing {
        Timing::At { .. } | Timing::During { .. } => 1,
        Timing::Every { times, .. } => times.unwrap_or(u32::MAX),
        Timing::Event { times, .. } => times,
    };
    let each = target.iter().map(|target| most(target, nodes, Some("leader"), |_, _| nodes));
    each.fold(0, u32::saturating_add).saturating_mul(strikes)
}

/// How many of so many nodes a target can be, where one node at a time holds the `sole` role and so many as `standing` says
/// stand in a place.
pub(crate) fn most(target: &Target, nodes: u32, sole: Option<&str>, standing: impl Fn(PlaceKind, &str) -> u32) -> u32 {
    let meant = match &target.who {
        Who::Any | Who::Node(_) => 1,
        Who::Role(role) if sole == Some(role) => 1,
        Who::Minority => nodes.saturating_sub(1) / 2,
        Who::Majority => nodes / 2 + 1,
        Who::All | Who::Others | Who::Role(_) => nodes,
        Who::Zone(name) => standing(PlaceKind::Zones, name),
        Who::Region(name) => standing(PlaceKind::Regions, name),
        Who::Provider(name) => standing(PlaceKind::Providers, name),
        Who::Clients | Who::Client(_) => 0,
    };
    match target.count {
        Count::All => meant,
        Count::Some(count) => meant.min(count),
        Count::Half => meant / 2,
    }
}

/// A share and some billionths more.
fn plus_ppb(share: Ratio, more: u64) -> Ratio {
    const BILLION: u64 = 1_000_000_000;
    let ppb = u128::from(share.numerator) * u128::from(BILLION) / u128::from(share.denominator);
    if more == 0 { share } else { Ratio::new(ppb as u64 + more, BILLION) }
}

/// Whether with `a -> b` goes `b -> a`. The link within a zone is its own way back.
fn has_way_back(link: &str, links: &[String]) -> bool {
    link.split_once(" -> ").is_none_or(|(from, to)| links.contains(&format!("{to} -> {from}")))
}

/// Asks a system for its promises.
pub struct Promises<'a> {
    system: &'a System,
    values: &'a Values,
    premise: Premise,
    /// What clients operate on, if that is known.
    data: Option<&'a str>,
}

/// Why something is not promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpromised {
    /// In the words of the system.
    pub reason: String,
    /// Settings each of which would make the difference, as the file would write them.
    pub cures: Vec<String>,
    /// A sentence that demands less and is promised.
    pub instead: Option<&'static str>,
}

impl<'a> Promises<'a> {
    /// Those of a scenario's system.
    pub fn new(
        system: &'a System,
        protocol: &'a Protocol,
        cluster: &Cluster,
        layout: Option<&Layout>,
        faults: &[Fault],
    ) -> Self {
        let contact = contact::contact(cluster, layout, faults);
        let transit = transit::transit(cluster, layout, faults);
        let premise = Premise { contact, transit, ..premise(cluster, faults) };
        Promises { system, values: &protocol.values, premise, data: None }
    }

    /// The same where clients operate on this kind of data: settings that do not suit it are no cure.
    pub fn on(self, data: Option<&'a str>) -> Self {
        Promises { data, ..self }
    }

    fn around(&self) -> Surroundings<'a> {
        Surroundings { nodes: Some(self.premise.nodes), data: self.data }
    }

    /// Whether it is promised.
    pub fn makes(&self, claim: Claim) -> bool {
        (self.system.promises)(self.values, claim, &self.premise).is_ok()
    }

    /// The words in which a report names the promise.
    ///
    /// # Errors
    /// If it is not made.
    pub fn of(&self, claim: Claim) -> Result<String, Unpromised> {
        if let Err(reason) = (self.system.promises)(self.values, claim, &self.premise) {
            return Err(Unpromised { reason, cures: self.cures(claim), instead: self.instead(claim) });
        }
        let name = self.system.name;
        let rests_on: Vec<String> = self.decisive(claim).into_iter().map(|(key, _)| self.setting(key)).collect();
        let with = if rests_on.is_empty() { String::new() } else { format!(" with {}", rests_on.join(", ")) };
        Ok(format!("{} by {name}{with}", promised(claim)))
    }

    fn instead(&self, claim: Claim) -> Option<&'static str> {
        let (weaker, sentence) = match claim {
            Claim::Linearizable => (Claim::LinearizableWrites, "linearizable writes"),
            Claim::LinearizableWrites
            | Claim::NoLostWrites
            | Claim::Progress
            | Claim::Consistent(_)
            | Claim::Converges
            | Claim::HintsDelivered
            | Claim::NoResurrection
            | Claim::Detects { .. } => return None,
        };
        (self.system.promises)(self.values, weaker, &self.premise).is_ok().then_some(sentence)
    }

    /// As the file writes it, but for quotes.
    fn setting(&self, key: &Key) -> String {
        let (name, setting) = self.values.iter().find(|(name, _)| *name == key.name).expect("every key has a value");
        format!("{name} = {setting}")
    }

    /// The first other value of each key that would make the difference.
    fn cures(&self, claim: Claim) -> Vec<String> {
        let written = |(key, setting): (&Key, Setting)| match setting {
            Setting::Word(word) => format!("{} = \"{word}\"", key.name),
            Setting::Flag(_) | Setting::Count(_) | Setting::Decimal(_) => format!("{} = {setting}", key.name),
            Setting::Duration(_) | Setting::DurationRange(..) | Setting::Share(_) => {
                format!("{} = \"{setting}\"", key.name)
            }
        };
        self.decisive(claim).into_iter().map(written).collect()
    }

    /// The keys that alone can turn the answer into the other one, and the first value that does.
    fn decisive(&self, claim: Claim) -> Vec<(&'a Key, Setting)> {
        let answer = |values: &Values| (self.system.promises)(values, claim, &self.premise).is_ok();
        let now = answer(self.values);
        let turns = |key: &Key, setting: Setting| {
            let mut values = self.values.clone();
            values.set(key, setting);
            (self.system.check)(&values, Flaws::default(), self.around()).is_ok() && answer(&values) != now
        };
        let keys = self.system.keys.iter();
        keys.filter_map(|key| Some((key, choices(key).into_iter().find(|setting| turns(key, *setting))?))).collect()
    }
}

/// What a key can be set to, its default first; nothing for quantities, of which there are too many.
fn choices(key: &Key) -> Vec<Setting> {
    let mut choices = match key.kind {
        Kind::Flag => vec![Setting::Flag(true), Setting::Flag(false)],
        Kind::Word(words) => words.iter().map(|word| Setting::Word(word)).collect(),
        Kind::Count { .. }
        | Kind::Decimal { .. }
        | Kind::Duration { .. }
        | Kind::DurationRange { .. }
        | Kind::Share { .. } => Vec::new(),
    };
    let default = key.kind.parse(key.default);
    choices.sort_by_key(|choice| default.as_ref() != Ok(choice));
    choices
}

/// That this is promised, but for by whom. How soon somebody is served is the scenario's own demand.
fn promised(claim: Claim) -> &'static str {
    match claim {
        Claim::Linearizable
        | Claim::LinearizableWrites
        | Claim::NoLostWrites
        | Claim::Consistent(_)
        | Claim::Converges
        | Claim::HintsDelivered
        | Claim::NoResurrection
        | Claim::Detects { .. } => "promised",
        Claim::Progress => "progress is promised",
    }
}

/// Which systems promise what a sentence of `must` demands, at their default settings and where nothing goes wrong; `None`
/// if the sentence demands nothing that can be promised.
pub fn promised_by(sentence: &str, systems: &[System]) -> Option<String> {
    let claim = claim(&crate::parse::check_of(sentence)?)?;
    let promises = |system: &&System| (system.promises)(&Values::defaults(system.keys), claim, &Premise::CALM).is_ok();
    let names: Vec<&str> = systems.iter().filter(promises).map(|system| system.name).collect();
    let names = if names.is_empty() { "no system".to_owned() } else { names.join(", ") };
    Some(format!("{} by {names}", promised(claim)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;
    use crate::parse::tests::TOY;
    use crate::scenario::Scenario;
    use sim_core::fault::DiskFate;

    fn premise_of(more: &str) -> Premise {
        let source = format!("scenario = 1\nduration = \"60s\"\n[protocol]\nname = \"toy\"\n{more}");
        let (draft, _) = parse(&source, "x", &[], &[TOY]).unwrap_or_else(|found| panic!("{found:?}"));
        let scenario = draft.resolve(1).expect("nothing is drawn");
        premise(&scenario.cluster, &scenario.faults)
    }

    #[test]
    fn the_premise_counts_the_machines_that_may_be_lost() {
        let lost = |more: &str| {
            let lose = |more: &str| format!("[[fault]]\ndo = \"lose\"\n{more}\n");
            let premise =
                premise_of(&format!("[cluster]\nnodes = 5\n{}", more.split(';').map(lose).collect::<String>()));
            (premise.nodes, premise.nodes_lost, premise.come_back_empty)
        };
        assert_eq!(premise_of("").nodes_lost, 0);
        assert_eq!(lost("at = \"1s\"\ntarget = \"n1\""), (5, 1, false));
        assert_eq!(lost("at = \"1s\"\ntarget = \"minority\"\nfor = \"1s\""), (5, 2, true));
        assert_eq!(lost("during = \"1s..2s\"\ntarget = \"leader\""), (5, 1, true));
        assert_eq!(lost("at = \"1s\"\ntarget = \"any\";at = \"2s\"\ntarget = [\"n1\", \"n2\"]"), (5, 3, false));
        assert_eq!(lost("every = \"1s\"\ntimes = 2\ntarget = \"2 of all\""), (5, 4, false));
        assert_eq!(lost("every = \"1s\"\ntarget = \"n1\""), (5, 5, false), "however often that is");
    }

    #[test]
    fn the_premise_is_the_worst_of_all_faults() {
        let disk = |more: &str| premise_of(more).disk;
        let torn = "[[fault]]\ndo = \"crash\"\nat = \"1s\"\ntarget = \"any\"\ndisk = \"torn\"\n";
        let kept = "[[fault]]\ndo = \"crash\"\nat = \"1s\"\ntarget = \"any\"\n";
        assert_eq!((disk(""), disk(kept)), (None, Some(DiskFate::Keep)));
        assert_eq!(disk(&format!("{torn}{kept}")), Some(DiskFate::Torn));
        // No two of these can be there at one time.
        let later = "[[fault]]\ndo = \"clock\"\nat = \"3s\"\nfor = \"1s\"\ntarget = \"any\"\nrate = \"+1%\"\n";
        let faster = "[[fault]]\ndo = \"clock\"\nat = \"1s\"\nfor = \"1s\"\ntarget = \"any\"\nrate = \"-1%\"\n";
        assert!(premise_of(faster).clocks_keep_to(Ratio::new(1, 100)) && !premise_of(faster).clocks_step);
        assert!(!premise_of(&format!("{faster}{faster}")).clocks_keep_to(Ratio::new(1, 100)));
        assert!(premise_of(&format!("{faster}{later}")).clocks_keep_to(Ratio::new(1, 100)));
        assert!(!premise_of(&format!("{faster}{later}").replace("3s", "1500ms")).clocks_keep_to(Ratio::new(1, 100)));
        assert!(premise_of(&faster.replace("rate = \"-1%\"", "step = \"5s\"")).clocks_step);
        assert!(premise_of(&faster.replace("rate = \"-1%\"", "freeze = true")).clocks_freeze);
        let wall = premise_of(&faster.replace("rate = \"-1%\"", "step = \"5s\"\nwhich = \"wall\""));
        assert!(wall.wall_clocks_wrong && !wall.clocks_step, "{wall:?}");
        let monotonic = premise_of(&faster.replace("rate = \"-1%\"", "step = \"5s\"\nwhich = \"monotonic\""));
        assert!(monotonic.clocks_step && !monotonic.wall_clocks_wrong, "{monotonic:?}");
        let drifting = premise_of("[cluster]\nclock = { drift = \"200ppm\" }");
        assert!(drifting.clocks_keep_to(Ratio::new(200, 1_000_000)));
        assert!(!drifting.clocks_keep_to(Ratio::new(199, 1_000_000)));
        assert!(premise_of("").clocks_keep_to(Ratio::ZERO));
    }

    #[test]
    fn what_disks_do_is_in_the_premise() {
        let disks = |harm: &str| {
            let premise = premise_of(&format!("[[fault]]\ndo = \"disk\"\nat = \"1s\"\ntarget = \"any\"\n{harm}"));
            (premise.flushes_lie, premise.records_rot, premise.disk_errors)
        };
        for slow in ["latency = \"5ms\"", "stall = true"] {
            assert_eq!(disks(slow), (false, false, false), "{slow}");
        }
        for error in ["full = true", "read-only = true", "error = \"flush\""] {
            assert_eq!(disks(error), (false, false, true), "{error}");
        }
        for rot in ["rot = 1", "lose = \"1%\"", "misdirect = \"1%\""] {
            assert_eq!(disks(rot), (false, true, false), "{rot}");
        }
        assert_eq!(disks("lie = \"1%\""), (true, false, false));
    }

    #[test]
    fn a_cut_is_one_way_if_only_one_side_is_not_heard() {
        let is_one_way = |fault: &str| {
            premise_of(&format!("[cluster]\nlayout = \"three-regions\"\n[[fault]]\nat = \"1s\"\n{fault}")).one_way_cuts
        };
        let partition = "do = \"partition\"\ngroups = [[\"n1\"], [\"others\"]]\n";
        assert!(!is_one_way(partition));
        assert!(is_one_way(&format!("{partition}one-way = true\n")));
        assert!(!is_one_way("do = \"partition\"\nlinks = [\"us-east <-> us-west\"]"));
        assert!(is_one_way("do = \"partition\"\nlinks = [\"us-east <-> us-west\", \"eu-west -> us-east\"]"));
        let link = "do = \"link\"\none-way = true\nbetween = [\"n1\", \"n2\"]\n";
        assert!(!is_one_way(&format!("{link}loss = \"99%\"")));
        assert!(is_one_way(&format!("{link}loss = \"100%\"")));
    }

    fn asked(reads: &str, claim: Claim) -> Result<String, Unpromised> {
        let source = format!("scenario = 1\nduration = \"60s\"\n[protocol]\nname = \"toy\"\nreads = \"{reads}\"");
        let (draft, _) = parse(&source, "x", &[], &[TOY]).unwrap_or_else(|found| panic!("{found:?}"));
        let scenario = draft.resolve(1).expect("nothing is drawn");
        let Scenario { protocol, cluster, layout, faults, .. } = &scenario;
        Promises::new(&TOY, protocol, cluster, Some(layout), faults).of(claim)
    }

    #[test]
    fn a_promise_names_the_settings_that_it_rests_on() {
        assert_eq!(asked("log", Claim::Linearizable).as_deref(), Ok("promised by toy with reads = log"));
        assert_eq!(asked("log", Claim::NoLostWrites).as_deref(), Ok("promised by toy"));
        assert_eq!(asked("local", Claim::Progress).as_deref(), Ok("progress is promised by toy"));
    }

    #[test]
    fn what_is_not_promised_has_a_reason_and_a_cure() {
        let unpromised = asked("local", Claim::Linearizable).expect_err("it may be stale");
        assert_eq!(unpromised.reason, "reads = local may lag");
        assert_eq!(unpromised.cures, ["reads = \"read-index\""], "the default before other cures");
        assert_eq!(unpromised.instead, Some("linearizable writes"));
    }

    #[test]
    fn a_check_is_promised_by_those_whose_defaults_do() {
        assert_eq!(promised_by("linearizable", &[TOY]).as_deref(), Some("promised by toy"));
        assert_eq!(promised_by("recovery <= 2s", &[TOY]).as_deref(), Some("progress is promised by toy"));
        let never: System = System { promises: |_, _, _| Err("no".to_owned()), ..TOY };
        assert_eq!(promised_by("linearizable", &[never]).as_deref(), Some("promised by no system"));
        assert_eq!(promised_by("leader changes <= 3", &[TOY]), None);
        assert_eq!(promised_by("every fault had an effect", &[TOY]), None);
    }
}
