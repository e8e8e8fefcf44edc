//! How long messages can take.

use super::contact::may_overlap;
use crate::delay::table;
use crate::layout::{Layout, Link};
use crate::scenario::{Action, Cluster, DelaySpec, Fault};
use sim_core::dice::Ratio;
use sim_core::promise::Transit;
use sim_core::time::Nanos;

/// The worst that these faults leave of it. Where a queue may build up, in a narrow link, on a spoilt disk or before a slow
/// processor, nobody can say.
pub(super) fn transit(cluster: &Cluster, layout: Option<&Layout>, faults: &[Fault]) -> Transit {
    let nodes = cluster.zones.len() as u64;
    let slow_cpu = faults.iter().any(|fault| matches!(fault.action, Action::Cpu { .. }));
    // A word from everybody may be there before it.
    let handling = if slow_cpu { Nanos::MAX } else { longest(&cluster.cpu).saturating_mul(nodes) };
    let network = layout.map_or(0, slowest_route);
    let spoilt = faults.iter().map(spoils).fold(0, Nanos::saturating_add);
    // At both ends, and what a process says when it begins waits for its disk.
    let ends = handling.saturating_mul(2).saturating_add(longest(&cluster.fsync));
    let stalls = faults.iter().any(|fault| matches!(fault.action, Action::Pause { .. }));
    Transit { longest: network.saturating_add(spoilt).saturating_add(ends), handling, stalls }
}

/// The longest delay that can be drawn.
fn longest(delay: &DelaySpec) -> Nanos {
    table(delay).at(u64::MAX)
}

/// Over as many links as there can be on a way: routes are chosen by their medians, and change with what is cut.
fn slowest_route(layout: &Layout) -> Nanos {
    let of = |link: &Link| if link.bandwidth.is_some() { Nanos::MAX } else { longest(&link.delay) };
    let slowest = layout.links.iter().map(of).max().unwrap_or(0);
    slowest.saturating_mul(layout.zones.len().saturating_sub(1).max(1) as u64)
}

/// By how much a fault can hold messages up.
fn spoils(fault: &Fault) -> Nanos {
    match &fault.action {
        Action::Link { spoil, .. } => {
            let if_any = |share: Ratio, by: &DelaySpec| if share.numerator > 0 { longest(by) } else { 0 };
            let later = if_any(spoil.duplicate, &spoil.duplicate_after);
            let overtaken = if_any(spoil.reorder, &spoil.reorder_by);
            match longest(&spoil.delay).saturating_add(later).saturating_add(overtaken) {
                _ if spoil.bandwidth.is_some() => Nanos::MAX,
                0 => 0,
                _ if may_overlap(fault) => Nanos::MAX,
                most => most,
            }
        }
        Action::Disk { .. } => Nanos::MAX,
        Action::Partition { .. } | Action::Shape { .. } | Action::CutLinks { .. } | Action::Drop { .. } => 0,
        Action::Crash { .. } | Action::Outage { .. } | Action::Lose { .. } | Action::Operate { .. } => 0,
        Action::Pause { .. } | Action::Clock { .. } | Action::Cpu { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;
    use crate::parse::tests::TOY;
    use sim_core::time::{MICROSECOND, MILLISECOND};

    fn transit_of(more: &str) -> Transit {
        let source = format!(
            "scenario = 1\nduration = \"60s\"\n[protocol]\nname = \"toy\"\n[cluster]\nnodes = 5\ncpu = \"10us\"\n\
             disk = {{ fsync = \"1ms..2ms\" }}\n[layout]\nregions = {{ here = {{ zones = [\"a\"] }} }}\n\
             links = {{ same-zone = \"1ms..3ms\", same-region = \"1ms\" }}\n{more}"
        );
        let (draft, _) = parse(&source, "x", &[], &[TOY]).unwrap_or_else(|found| panic!("{found:?}"));
        let scenario = draft.resolve(1).expect("nothing is drawn");
        transit(&scenario.cluster, Some(&scenario.layout), &scenario.faults)
    }

    #[test]
    fn a_message_takes_as_long_as_the_slowest_of_all_that_may_hold_it_up() {
        let calm = Transit { longest: 5100 * MICROSECOND, handling: 50 * MICROSECOND, stalls: false };
        assert_eq!(transit_of(""), calm);
        let longest = |fault: &str| transit_of(&format!("[[fault]]\n{fault}\n")).longest - calm.longest;
        let link =
            |more: &str| longest(&format!("do = \"link\"\nduring = \"1s..2s\"\nbetween = [\"all\", \"all\"]\n{more}"));
        assert_eq!(link("loss = \"90%\""), 0, "what is lost never arrives");
        assert_eq!(link("delay = \"+5ms\""), 5 * MILLISECOND);
        assert_eq!(link("delay = \"0ms..7ms\"\nreorder = \"2%\"\nreorder-by = \"0ms..20ms\""), 27 * MILLISECOND);
        let twice = "[[fault]]\ndo = \"link\"\nat = \"1s\"\nbetween = [\"all\", \"all\"]\ndelay = \"+5ms\"\n".repeat(2);
        assert_eq!(transit_of(&twice).longest - calm.longest, 10 * MILLISECOND, "both at once");
        let unbounded = |fault: &str| transit_of(&format!("[[fault]]\n{fault}\n")).longest == Nanos::MAX;
        let every = "do = \"link\"\nevery = \"1s\"\nbetween = [\"all\", \"all\"]\n";
        assert!(unbounded(&format!("{every}for = \"2s\"\ndelay = \"+5ms\"")), "one upon the other");
        assert!(!unbounded(&format!("{every}for = \"1s\"\ndelay = \"+5ms\"")));
        assert!(unbounded(&format!("{every}for = \"1s\"\nbandwidth = \"1KB/s\"")));
        assert!(unbounded("do = \"disk\"\nat = \"1s\"\ntarget = \"any\"\nstall = true"));
        assert!(unbounded("do = \"cpu\"\nat = \"1s\"\ntarget = \"any\"\nslower = 3"));
        let paused = transit_of("[[fault]]\ndo = \"pause\"\nat = \"1s\"\nfor = \"1s\"\ntarget = \"any\"\n");
        assert_eq!(paused, Transit { stalls: true, ..calm });
    }
}
