//! A first scenario for a system: it runs at once, passes, and explains itself.
//!
//! It is made from what the system says of itself, so it works for one that we have never heard of: who serves is cut off and
//! somebody is crashed, and of what clients can demand it demands what is promised. Where there are no clients, nodes are there to
//! watch each other: somebody crashes, and the others have to find out.

use crate::manual::{lines_of, weights_of};
use crate::sections::{FAULTS, fault_name};
use crate::systems::{DataKind, System};
use crate::text::entry::Entry;
use sim_core::fault::DiskFate;
use sim_core::promise::{Claim, Premise};
use sim_core::settings::Values;
use sim_core::time::{Nanos, SECOND, format_duration};

/// Where comments begin.
const COMMENT_COLUMN: usize = 46;
/// Where lines end.
const WIDTH: usize = 112;

/// What is promised where partitions heal and processes come back as they went: what the scenario lets go wrong.
const PREMISE: Premise = Premise { disk: Some(DiskFate::Keep), ..Premise::CALM };

/// How soon a crash may be demanded to be found out: the first of these that is promised.
const BOUNDS: [Nanos; 9] =
    [SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, 60 * SECOND, 120 * SECOND, 180 * SECOND, 300 * SECOND];

/// The text of a scenario for this system; `command` is what the reader calls stormglass.
pub fn template(system: &System, command: &str) -> String {
    let (cluster, protocol) = (cluster(system), protocol(system, command));
    let parts = match system.data.first() {
        Some(data) => vec![
            head(system, command),
            cluster,
            protocol,
            load(system, data),
            faults(system, command),
            expect(system, data, command),
        ],
        None => vec![
            head_of_watchers(system, command),
            cluster,
            protocol,
            faults_of_watchers(system, command),
            expect_of_watchers(system, command),
        ],
    };
    parts.join("\n")
}

fn head(system: &System, command: &str) -> String {
    let struck = system.serving.map_or("a node".to_owned(), |role| format!("the {role}"));
    let about = format!(
        "Cut {struck} off for 5 s, then crash a node: the others serve on, and nothing that was promised is broken."
    );
    let duration = line("duration = \"30s\"", "how long load and faults last");
    let settle = line("settle = \"10s\"", "then everything heals, and what survived is read back");
    headed(&about, &(duration + &settle), command)
}

fn head_of_watchers(system: &System, command: &str) -> String {
    let about =
        "A node crashes and comes back, again and again: the others find out, and nobody else is taken to be down.";
    let duration = line("duration = \"6m\"", "how long faults last");
    let settle = if agrees(system) {
        line("settle = \"60s\"", "then everything heals, and all come to know the same")
    } else {
        line("settle = \"0s\"", "for how long everything heals after that; here nobody looks")
    };
    headed(about, &(duration + &settle), command)
}

fn headed(about: &str, times: &str, command: &str) -> String {
    let mut text = format!(
        "# A scenario. `{command} run THIS` runs it, `{command} check THIS` says what is wrong with it,\n\
         # `{command} explain KEY` says more of a key: cluster.nodes, fault.crash, expect.must.\n"
    );
    text.push_str(&line("scenario = 1", "the format of this file"));
    text.push_str(&format!("about = \"{about}\"\n{times}"));
    text.push_str(&line("# seed = 1", "the same seed gives the same run; `--seed N` gives others"));
    text
}

/// How many nodes it begins with.
fn nodes(system: &System) -> u32 {
    let (fewest, most) = system.nodes;
    5.clamp(fewest, most)
}

/// Whether it is promised, and can be seen, that nodes come to know the same.
fn agrees(system: &System) -> bool {
    system.reveals && is_promised(system, Claim::Converges)
}

fn is_promised(system: &System, claim: Claim) -> bool {
    let premise = Premise { nodes: nodes(system), ..PREMISE };
    (system.promises)(&Values::defaults(system.keys), claim, &premise).is_ok()
}

fn cluster(system: &System) -> String {
    let mut text = "[cluster]\n".to_owned();
    let (fewest, most) = system.nodes;
    let choices: Vec<String> = [3, 5, 7].iter().filter(|n| (fewest..=most).contains(n)).map(u32::to_string).collect();
    let left = match &choices[..] {
        [] | [_] => "how many machines run the system".to_owned(),
        _ => format!("or left to the seed: {{ choose = [{}] }}", choices.join(", ")),
    };
    text.push_str(&line(&format!("nodes = {}", nodes(system)), &left));
    text.push_str(&line("layout = \"three-zones\"", "or small-lan, three-regions; or a [layout] of your own"));
    text.push_str(&line("# place = { a = 3, b = 1, c = 1 }", "who stands where"));
    text.push_str(&line("# disk = { fsync = \"500us..2ms\" }", "how long until what was written is safe"));
    text.push_str(&line("# clock = { drift = \"200ppm\" }", "how wrong clocks are"));
    text
}

/// The system's keys as comments, each at its default.
fn protocol(system: &System, command: &str) -> String {
    let mut text = "[protocol]\n".to_owned();
    text.push_str(&line(&format!("name = \"{}\"", system.name), "the system under test; its settings, as they are:"));
    for entry in system.keys.iter().map(Entry::from_key) {
        text.push_str(&line(&format!("# {} = {}", entry.name, entry.value()), entry.text));
    }
    if let Some(flaw) = system.flaws.first() {
        let said = format!("a mistake to switch on; `{command} list flaws` shows all");
        text.push_str(&line(&format!("# flaws = [\"{}\"]", flaw.name), &said));
    }
    text
}

fn load(system: &System, data: &DataKind) -> String {
    let names = |names: Vec<&str>| names.join(", ");
    let mut text = "[[load]]\n".to_owned();
    let others = names(system.data.iter().map(|kind| kind.name).collect());
    text.push_str(&line(&format!("data = \"{}\"", data.name), &format!("what clients operate on: {others}")));
    text.push_str(&line("clients = 9", "or { count = 9, place = \"a\" }"));
    let open = "or { open = { rate = \"300/s\" } }";
    text.push_str(&line("model = { closed = { think = \"20ms\" } }", open));
    let functions = names(data.functions.iter().map(|function| function.name).collect());
    text.push_str(&line(&format!("ops = {{ {} }}", weights_of(data)), &format!("how often which of: {functions}")));
    if data.keyed {
        text.push_str(&line(
            &format!("keys = {{ count = {} }}", data.keys),
            "few keys make clients meet; or dist = \"zipf\"",
        ));
    }
    text.push_str(&line("timeout = \"1s\"", "so long a client waits, then it gives up"));
    text
}

/// Two faults, and all other kinds as comments.
fn faults(system: &System, command: &str) -> String {
    let who = system.serving.unwrap_or("any");
    let mut text = "[[fault]]\n".to_owned();
    text.push_str(&line("do = \"partition\"", "who is in different groups does not hear each other"));
    text.push_str(&line("at = \"8s\"", "or a range; or every = \"5s\"; or when = \"500 operations\""));
    text.push_str("for = \"5s\"\n");
    text.push_str(&line(&format!("groups = [[\"{who}\"], [\"others\"]]"), "found out when it strikes"));
    text.push_str("\n[[fault]]\n");
    text.push_str(&line("do = \"crash\"", "the process stops, and starts again after `for`"));
    text.push_str("at = \"18s..20s\"\nfor = \"3s\"\n");
    text.push_str(&line("target = \"any\"", "or minority, n3, zone:a, one of ..."));
    text + &others(&["partition", "crash"], system, command)
}

/// One fault that has to be found out, and all other kinds as comments.
fn faults_of_watchers(system: &System, command: &str) -> String {
    let mut text = "[[fault]]\n".to_owned();
    text.push_str(&line("do = \"crash\"", "the process stops, and starts again after `for`"));
    text.push_str(&line("every = \"100s\"", "or at = \"20s\", once; or a range: at = \"20s..30s\""));
    text.push_str("for = \"60s\"\n");
    text.push_str(&line("target = \"any\"", "or minority, n3, zone:a, one of ..."));
    text + &others(&["crash"], system, command)
}

/// The kinds of faults that are not used yet.
fn others(used: &[&str], system: &System, command: &str) -> String {
    let mut text = format!("\n# Others: `{command} list faults`, and `{command} explain fault` for their keys.\n");
    for fault in FAULTS.iter().filter(|fault| !used.contains(&fault_name(fault))) {
        let example = at_home(lines_of(fault, std::slice::from_ref(system)), system);
        if example.lines().count() > 1 {
            let lines: String = example.lines().map(|line| format!("# {line}\n")).collect();
            text.push_str(&format!("# [[fault]]\n{lines}#\n"));
        }
    }
    text.trim_end_matches("#\n").to_owned()
}

/// An example, of which the manual has one for all systems, with nobody in it whom this one does not have.
fn at_home(example: String, system: &System) -> String {
    let strange = ["leader", "follower"].into_iter().filter(|role| !system.roles.contains(role));
    strange.fold(example, |example, role| {
        example.replace(&format!("\"one of {role}\""), "\"any\"").replace(&format!("\"{role}\""), "\"any\"")
    })
}

/// What is promised of the data has to hold; how fast it comes is reported.
fn expect(system: &System, data: &DataKind, command: &str) -> String {
    let promised = |claim| is_promised(system, claim);
    let mut must = Vec::new();
    let orders = [(Claim::Linearizable, "linearizable"), (Claim::LinearizableWrites, "linearizable writes")];
    must.extend(orders.iter().find(|(claim, _)| data.linearizable && promised(*claim)).map(|(_, sentence)| *sentence));
    must.extend(promised(Claim::NoLostWrites).then_some("no lost writes"));
    must.extend((system.reveals && promised(Claim::Converges)).then_some("converged"));
    let should: &[&str] = if promised(Claim::Progress) { &["recovery <= 5s", "p99 <= 500ms"] } else { &[] };
    let mut text = expected(&must, should, command);
    text.push_str(&line("reach = [\"operations >= 100\"]", "or else nothing was tested"));
    if promised(Claim::Progress) {
        text.push_str("# once you know what to ask for: must = [.., \"availability >= 97%\", \"recovery <= 2s\"]\n");
    }
    text
}

/// Crashes have to be found out as soon as is promised. Of who promises no time one can demand that few others are suspected.
fn expect_of_watchers(system: &System, command: &str) -> String {
    let bound = BOUNDS.into_iter().find(|within| is_promised(system, Claim::Detects { within: *within }));
    let few = "mistakes(of healthy) <= 20";
    let mut must = vec![bound.map_or(few.to_owned(), |within| format!("detection <= {}", format_duration(within)))];
    must.extend(agrees(system).then(|| "converged".to_owned()));
    let should = if bound.is_some() { few } else { "detection(p99) in 0s..5s" };
    let must: Vec<&str> = must.iter().map(String::as_str).collect();
    let mut text = expected(&must, &[should, "query accuracy >= 99.9%"], command);
    text.push_str(
        "# as figures, too: should = [.., \"detection(p99) in 100ms..2s\", \"mistake duration in 0s..1s\"]\n",
    );
    text
}

fn expected(must: &[&str], should: &[&str], command: &str) -> String {
    let list = |name: &str, sentences: &[&str]| format!("{name} = {sentences:?}");
    let must = line(&list("must", must), &format!("what has to hold; `{command} list checks` shows all"));
    format!("[expect]\n{must}{}", line(&list("should", should), "what is reported, and fails nothing"))
}

/// A line, and beside it what it means; a long comment goes on below.
fn line(code: &str, comment: &str) -> String {
    let room = WIDTH - COMMENT_COLUMN - 2;
    let mut lines: Vec<String> = vec![String::new()];
    for word in comment.split(' ') {
        match lines.last_mut() {
            Some(last) if last.is_empty() => last.push_str(word),
            Some(last) if last.chars().count() + 1 + word.chars().count() <= room => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let first =
        if code.chars().count() < COMMENT_COLUMN { format!("{code:<COMMENT_COLUMN$}") } else { format!("{code} ") };
    let more = lines.split_off(1).into_iter().map(|line| format!("{:<COMMENT_COLUMN$}# {line}\n", "#"));
    format!("{first}# {}\n{}", lines[0], more.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse;
    use crate::parse::tests::TOY;
    use crate::systems::System;

    #[track_caller]
    fn clean(system: System) -> String {
        let text = template(&system, "stormglass");
        let (_, warnings) = parse(&text, "first", &[], &[system]).unwrap_or_else(|found| panic!("{found:?}\n{text}"));
        assert!(warnings.is_empty(), "{warnings:?}\n{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
        text
    }

    #[test]
    fn a_system_of_somebody_elses_gets_one_too() {
        let text = clean(TOY);
        for line in [
            "must = [\"linearizable\", \"no lost writes\"]",
            "groups = [[\"any\"], [\"others\"]]",
            "ops = { read = 70, write = 30 }",
            "# batch = 8 ",
            "# flaws = [\"forget-vote\"]",
            "# order = \"remove\"",
        ] {
            assert!(text.contains(line), "`{line}` is missing in:\n{text}");
        }
        assert!(clean(System { serving: Some("leader"), ..TOY }).contains("groups = [[\"leader\"], [\"others\"]]"));
        let bare = System {
            keys: &[],
            flaws: &[],
            orders: &[],
            kinds: &[],
            roles: &[],
            check: |_, _, _| Ok(()),
            promises: |_, _, _| Ok(()),
            ..TOY
        };
        assert!(!clean(bare).contains("do = \"operate\""));
    }

    /// Everything that stands in it as a comment can be switched on, and all of it at once.
    #[test]
    fn what_is_offered_can_be_taken() {
        let switched_on = |line: &str| {
            let code = line.strip_prefix("# ").unwrap_or(line);
            let is_key = code.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
            if is_key || code == "[[fault]]" { format!("{code}\n") } else { format!("{line}\n") }
        };
        for system in crate::systems::SYSTEMS.iter().chain([&TOY]) {
            let text = template(system, "stormglass");
            let whole: String = text.lines().map(switched_on).collect();
            // Nobody can order anything of a system without orders.
            let offered = FAULTS.len() - usize::from(system.orders.is_empty());
            assert_eq!(whole.matches("\n[[fault]]").count(), offered, "{whole}");
            let mut found = parse(&whole, "first", &[], std::slice::from_ref(system)).err().unwrap_or_default();
            // With all of it at once nobody promises to detect anything: that is told, and the reader chooses.
            found.retain(|problem| problem.code != "S0404" || !system.data.is_empty());
            assert!(found.is_empty(), "{found:?}\n{whole}");
        }
    }

    #[test]
    fn it_demands_what_is_promised_and_no_more() {
        let may_lag = System {
            promises: |_, claim, _| if claim == Claim::Linearizable { Err("it lags".to_owned()) } else { Ok(()) },
            ..TOY
        };
        assert!(clean(may_lag).contains("must = [\"linearizable writes\", \"no lost writes\"]"));
        let nothing = System { promises: |_, _, _| Err("no".to_owned()), ..TOY };
        let text = clean(nothing);
        assert!(text.contains("must = [] ") && text.contains("should = [] "), "{text}");
        // Carts have no sequential specification.
        let carts = System { data: &TOY.data[2..], ..TOY };
        let text = clean(carts);
        assert!(
            text.contains("must = [\"no lost writes\"]") && text.contains("ops = { read = 70, add = 30 }"),
            "{text}"
        );
    }

    #[test]
    fn of_those_who_serve_nobody_it_demands_that_crashes_are_found_out() {
        let watchers = System { data: &[], promises: |_, _, _| Err("no".to_owned()), ..TOY };
        let text = clean(watchers);
        assert!(text.contains("must = [\"mistakes(of healthy) <= 20\"]") && !text.contains("[[load]]"), "{text}");
        assert!(text.contains("# do = \"partition\""), "{text}");
        let prompt: fn(&Values, Claim, &Premise) -> Result<(), String> = |_, claim, premise| {
            let is_promised = matches!(claim, Claim::Detects { within } if within >= 4 * SECOND && premise.nodes == 5);
            if is_promised { Ok(()) } else { Err("no".to_owned()) }
        };
        assert!(clean(System { promises: prompt, ..watchers }).contains("must = [\"detection <= 5s\"]"));
    }
}
