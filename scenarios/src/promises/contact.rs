//! Whether whoever can reach each other at all does so directly.
//!
//! The bound asks what is possible for a protocol that passes messages on. Most pass none on, and where some nodes hear each
//! other only over a third they may rightly stand still. Which scenarios can lead there is read off its faults: a split into
//! camps cannot, if everybody is in one of them; what leaves somebody between the camps can.

use crate::layout::Layout;
use crate::scenario::{Action, Cluster, Fault, Timing};
use sim_core::fault::{Count, Pick, PlaceKind, Target, Who};
use sim_core::promise::Contact;
use std::collections::BTreeSet;

/// The worst that these faults can do to the contact between machines.
pub(super) fn contact(cluster: &Cluster, layout: Option<&Layout>, faults: &[Fault]) -> Contact {
    let is_alone = faults.len() == 1;
    let of = |fault: &Fault| match &fault.action {
        Action::Partition { groups, .. } if splits_cleanly(groups, cluster, layout) => Contact::Direct,
        Action::Partition { .. } => Contact::Indirect,
        Action::Shape { shape, flap, .. } => {
            let nodes = cluster.zones.len();
            let is_steady = is_alone && flap.is_none() && !may_overlap(fault);
            let joins = is_steady && shape.leaves_majorities(nodes) && !shape.is_one_way(nodes);
            if joins { Contact::Joined } else { Contact::Indirect }
        }
        // Routes lead over other zones, so what is reached at all is reached. Only the inside of a zone has no other way.
        Action::CutLinks { links, .. } if links.iter().all(|link| link.contains(" -> ")) => Contact::Direct,
        Action::CutLinks { .. } => Contact::Indirect,
        // Who is cut off from all is alone.
        Action::Link { from, to, spoil, .. } if !spoil.is_cut() || is_everybody(from) || is_everybody(to) => {
            Contact::Direct
        }
        Action::Link { .. } => Contact::Indirect,
        Action::Cpu { .. } | Action::Disk { .. } | Action::Lose { .. } => Contact::Direct,
        Action::Crash { .. } | Action::Pause { .. } | Action::Clock { .. } | Action::Operate { .. } => Contact::Direct,
        // What is dropped is another question, and whoever is in a place that is gone reaches nobody.
        Action::Drop { .. } | Action::Outage { .. } => Contact::Direct,
    };
    faults.iter().map(of).max().unwrap_or(Contact::Direct)
}

/// Whether what this picks out never arrives.
pub(super) fn is_unheard(pick: &Pick) -> bool {
    pick.count.is_none() && pick.share.numerator >= pick.share.denominator
}

/// Whether two strikes of a fault can be in force at once.
pub(super) fn may_overlap(fault: &Fault) -> bool {
    match fault.timing {
        Timing::At { .. } | Timing::During { .. } => false,
        Timing::Every { period, jitter, times } => {
            let lasts = fault.length.map_or(u64::MAX, |(_, max)| max);
            times != Some(1) && lasts.saturating_add(jitter) > period
        }
        Timing::Event { times, .. } => times > 1,
    }
}

fn is_everybody(targets: &[Target]) -> bool {
    targets.iter().any(|target| target.count == Count::All && target.who == Who::All)
}

/// Whether nobody stands between the groups: nobody is in two of them, and no node in none if there are nodes or clients that
/// could miss it.
fn splits_cleanly(groups: &[Vec<Target>], cluster: &Cluster, layout: Option<&Layout>) -> bool {
    let is_twice = |i: usize, target: &Target| groups[..i].iter().any(|earlier| earlier.contains(target));
    let is_shared = groups.iter().enumerate().any(|(i, group)| group.iter().any(|target| is_twice(i, target)));
    let sides = groups.iter().filter(|group| group.iter().any(is_node)).count();
    let has_clients = groups.iter().flatten().any(|target| !is_node(target) || target.who.is_place());
    let is_harmless = sides == 0 || (sides == 1 && !has_clients);
    !is_shared && (is_harmless || cover_all(groups, cluster, layout))
}

/// Whether it may stand for nodes.
fn is_node(target: &Target) -> bool {
    !matches!(target.who, Who::Clients | Who::Client(_))
}

/// Whether every node is in one of these groups, whoever is drawn.
fn cover_all(groups: &[Vec<Target>], cluster: &Cluster, layout: Option<&Layout>) -> bool {
    let whole: Vec<&Who> =
        groups.iter().flatten().filter(|target| target.count == Count::All).map(|target| &target.who).collect();
    let has = |who: &Who| whole.contains(&who);
    if has(&Who::All) || has(&Who::Others) || (has(&Who::Minority) && has(&Who::Majority)) {
        return true;
    }
    let mut covered = BTreeSet::new();
    for (node, zone) in cluster.zones.iter().enumerate() {
        let stands_in = |kind: PlaceKind| layout.and_then(|layout| layout.zones[*zone].place(kind));
        let is_meant = |who: &&&Who| match who {
            Who::Node(named) => named.0 as usize == node,
            Who::Zone(name) => stands_in(PlaceKind::Zones) == Some(name),
            Who::Region(name) => stands_in(PlaceKind::Regions) == Some(name),
            Who::Provider(name) => stands_in(PlaceKind::Providers) == Some(name),
            Who::All | Who::Any | Who::Minority | Who::Majority | Who::Others => false,
            Who::Role(_) | Who::Clients | Who::Client(_) => false,
        };
        if whole.iter().any(|who| is_meant(&who)) {
            covered.insert(node);
        }
    }
    covered.len() == cluster.zones.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;
    use crate::parse::tests::TOY;

    /// Of five nodes in three regions.
    fn contact_of(faults: &[&str]) -> Contact {
        let mut source = "scenario = 1\nduration = \"60s\"\n[protocol]\nname = \"toy\"\n[[load]]\n\
                          [cluster]\nnodes = 5\nlayout = \"three-regions\"\n"
            .to_owned();
        faults.iter().for_each(|fault| source.push_str(&format!("[[fault]]\n{fault}\n")));
        let (draft, _) = parse(&source, "x", &[], &[TOY]).unwrap_or_else(|found| panic!("{source}: {found:?}"));
        let scenario = draft.resolve(1).expect("nothing is drawn");
        contact(&scenario.cluster, Some(&scenario.layout), &scenario.faults)
    }

    const AT: &str = "at = \"1s\"\nfor = \"1s\"\n";

    fn groups(groups: &str) -> Contact {
        contact_of(&[&format!("{AT}do = \"partition\"\ngroups = {groups}")])
    }

    #[test]
    fn camps_leave_direct_contact_if_everybody_is_in_one() {
        for clean in [
            r#"[["leader"], ["others"]]"#,
            r#"[["minority"], ["majority"]]"#,
            r#"[["n1", "n2", "client:c1"], ["n3", "n4", "n5"]]"#,
            r#"[["region:us-east", "region:eu-west"], ["region:us-west"]]"#,
            r#"[["client:c1"], ["all"]]"#,
            r#"[["client:c1"], ["client:c2"]]"#,
        ] {
            assert_eq!(groups(clean), Contact::Direct, "{clean}");
        }
        for between in [
            r#"[["n1"], ["n2"]]"#,
            r#"[["leader"], ["follower"]]"#,
            r#"[["leader"], ["clients"]]"#,
            r#"[["n1", "n2", "n3"], ["n3", "n4", "n5"]]"#,
            r#"[["one of minority"], ["majority"]]"#,
            r#"[["region:us-east"], ["region:us-west"]]"#,
        ] {
            assert_eq!(groups(between), Contact::Indirect, "{between}");
        }
    }

    #[test]
    fn a_shape_joins_if_nothing_else_goes_wrong() {
        let bridge = format!("{AT}do = \"partition\"\nshape = \"bridge\"");
        let pause = "do = \"pause\"\ntarget = \"any\"\nat = \"50s\"";
        assert_eq!(contact_of(&[&bridge]), Contact::Joined);
        assert_eq!(contact_of(&[&bridge, pause]), Contact::Indirect);
        assert_eq!(contact_of(&[&format!("{bridge}\nflap = {{ up = \"1s\", down = \"1s\" }}")]), Contact::Indirect);
        let every = |length: &str| format!("do = \"partition\"\nshape = \"ring\"\nevery = \"5s\"\nfor = \"{length}\"");
        assert_eq!(contact_of(&[&every("1s..5s")]), Contact::Joined);
        assert_eq!(contact_of(&[&every("1s..6s")]), Contact::Indirect, "two at once");
    }

    #[test]
    fn links_that_lose_everything_leave_somebody_between() {
        let link =
            |between: &str, loss: &str| contact_of(&[&format!("{AT}do = \"link\"\nbetween = {between}\n{loss}")]);
        assert_eq!(link(r#"["n1", "n2"]"#, "loss = \"99%\""), Contact::Direct);
        assert_eq!(link(r#"["n1", "n2"]"#, "loss = \"100%\""), Contact::Indirect);
        assert_eq!(link(r#"["n1", "n2"]"#, "corrupt = \"100%\""), Contact::Indirect);
        assert_eq!(link(r#"["n1", "all"]"#, "loss = \"100%\""), Contact::Direct);
        let cut = |links: &str| contact_of(&[&format!("{AT}do = \"partition\"\nlinks = {links}")]);
        assert_eq!(cut(r#"["us-east <-> us-west"]"#), Contact::Direct, "there is another way");
        assert_eq!(cut(r#"["us-east-a"]"#), Contact::Indirect);
    }
}
