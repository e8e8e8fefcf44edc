//! Expectations: sentences of a few fixed forms.

use crate::codes;
use crate::codes::Code;
use crate::diagnostics::{Diagnostic, Origin};
use crate::scenario::{Check, CountOf, Figure, Finding, Reach, ShareOf, Statistic, TimeOf, Whose};
use crate::text::entry::quoted;
use crate::text::quantity::{did_you_mean, parse_share};
use sim_core::dice::Ratio;
use sim_core::promise::Guarantee;
use sim_core::settings::parse_duration_range;
use sim_core::time::parse_duration;

/// What a sentence can say, for `must` and `should`.
pub const CHECKS: [(&str, &str); 38] = [
    ("linearizable", "Every operation took effect at one instant between its invocation and its completion."),
    (
        "linearizable writes",
        "The same of everything but reads; what `cas` found shows it, so give it a weight in `ops`.",
    ),
    ("no lost writes", "Every acknowledged write was read after settle, or overwritten by one that was."),
    (
        "no resurrected deletes",
        "Nothing that an acknowledged delete took away was read after settle. Of `siblings` only.",
    ),
    ("sequential", "One order of all operations explains every result and keeps the order of each process."),
    ("causal convergence", "Causal, and one order of conflicting writes for all."),
    ("causal memory", "Causal, and what each process did and read fits one order of what it has seen."),
    ("causal", "Nobody saw an effect without its cause."),
    ("pram", "Everybody saw each process's writes in the order in which it made them."),
    ("read your writes", "Who wrote something read that or something later. Of `siblings` and `cart`, too."),
    ("monotonic reads", "Who read something never read anything older. Of `siblings` and `cart`, too."),
    ("monotonic writes", "A process's writes were seen in the order in which it made them."),
    ("writes follow reads", "What a process wrote after a read was seen after what it had read."),
    (
        "stale reads <= 5%",
        "So few reads missed a write, or were older than one, that was acknowledged before they were asked for.",
    ),
    ("siblings(max) <= 8", "No read of `siblings` or `cart` returned more versions side by side."),
    (
        "converged within 30s",
        "So soon after everything healed, and from then on, all home nodes of each key held the same. `converged`: in the end.",
    ),
    (
        "hints delivered within 20s",
        "So soon after everything healed, and from then on, no node kept copies for others. `hints delivered`: in the end.",
    ),
    (
        "availability >= 97%",
        "So many operations were served before their clients gave up. VACUOUS if no system could have.",
    ),
    ("recovery <= 2s", "Once it was possible to serve again, somebody was served within this time."),
    ("p99 <= 400ms", "99 of 100 operations that could be served took no longer; also p50, p90, p99.9 and max."),
    ("p99(read) <= 400ms", "The same of one function only."),
    ("leader changes <= 3", "A role changed hands no more often."),
    (
        "detection <= 2s",
        "So soon after a node went down, every node that is up takes it to be down. VACUOUS if none is down for so long.",
    ),
    ("mistakes <= 5", "Nodes that were up were taken to be down no more often. VACUOUS if nobody watches anybody."),
    (
        "mistakes(healthy) <= 5",
        "The same of and by nodes only that no fault struck; `mistakes(of healthy)`: of those, by whomever.",
    ),
    ("query accuracy >= 99.9%", "For so much of the time in which two nodes were up, one took the other to be up."),
    (
        "detection(mean) in 1s..2s",
        "A figure: how long after a crash a node that is up takes the crashed one to be down; also p50, p90, p99, p99.9, max.",
    ),
    (
        "first detection(mean) in 1s..2s",
        "The same of the first to do so after each crash; `spread(p99)`: how much later than the first the others do.",
    ),
    (
        "mistake duration in 90ms..95ms",
        "How long it takes on average until a mistake is corrected; `mistake recurrence`: from one to the next of a pair.",
    ),
    (
        "query accuracy in 98%..99%",
        "A figure, as above; and `mistakes in 5..9`: how often nodes that were up were taken to be down.",
    ),
    (
        "p99.9(read) in 640us..680us",
        "A figure to reproduce: how long operations took; also min, p10, p25, p75 and mean. As for `p99(read) <= 400ms`.",
    ),
    (
        "takeover(p50) in 131ms..161ms",
        "How long nobody led: from when the node died whose role it is to serve until another came to hold that role.",
    ),
    (
        "served(write) in 97%..98%",
        "So many operations were served before their clients gave up, of all that were asked.",
    ),
    (
        "possible(write) in 97%..98%",
        "So many operations could have been served by some system of this kind before their clients gave up.",
    ),
    ("reads of 1 version in 99.90%..99.97%", "So many reads returned so many versions. Of `siblings` and `cart`."),
    (
        "visible(99.9%) in 1.8ms..2ms",
        "How long after a write was acknowledged so many of the reads asked for then return it or a newer one. Of `kv`.",
    ),
    (
        "fresh reads within 5us in 43%..44%",
        "Of the reads asked for this soon after a write was acknowledged, so many return it or a newer one. Of `kv`.",
    ),
    (
        "fresh reads of 2 versions in 55%..56%",
        "So many reads return one of so many writes acknowledged last, or a newer one. Of `kv`.",
    ),
];

/// What a sentence can say, for `reach`.
pub const GOALS: [(&str, &str); 3] = [
    ("leader elected >= 2 times", "A role was taken in so many terms."),
    ("every fault had an effect", "No fault struck in vain. (Checked in every run.)"),
    ("operations >= 500", "So many operations were served."),
];

/// The guarantees below linearizability, by name.
const GUARANTEES: [(&str, Guarantee); 9] = [
    ("sequential", Guarantee::Sequential),
    ("causal convergence", Guarantee::CausalConvergence),
    ("causal memory", Guarantee::CausalMemory),
    ("causal", Guarantee::Causal),
    ("pram", Guarantee::Pram),
    ("read your writes", Guarantee::ReadYourWrites),
    ("monotonic reads", Guarantee::MonotonicReads),
    ("monotonic writes", Guarantee::MonotonicWrites),
    ("writes follow reads", Guarantee::WritesFollowReads),
];

fn guarantee(words: &[&str]) -> Option<Guarantee> {
    let sentence = words.join(" ");
    GUARANTEES.iter().find(|(name, _)| *name == sentence).map(|(_, guarantee)| *guarantee)
}

/// What a sentence means.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    Check(Check),
    Goal(Reach),
}

/// What the sentence means. Whether the words in it (roles, functions) exist is the caller's question.
pub(super) fn read(text: &str, origin: &Origin) -> Result<Meaning, Diagnostic> {
    let bad = |code: &'static Code, message: String| Diagnostic::new(code, origin, message);
    let time = |text: &str| parse_duration(text).map_err(|message| bad(&codes::BAD_VALUE, message));
    let share = |text: &str| parse_share(text).map_err(|message| bad(&codes::BAD_VALUE, message));
    let count =
        |text: &str| text.parse::<u64>().map_err(|_| bad(&codes::BAD_VALUE, format!("`{text}` is not a whole number")));
    let spaced =
        ["<=", ">=", "(", ")"].iter().fold(text.to_owned(), |text, sign| text.replace(sign, &format!(" {sign} ")));
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let check = match words.as_slice() {
        ["linearizable"] => Check::Linearizable,
        ["linearizable", "writes"] => Check::LinearizableWrites,
        ["no", "lost", "writes"] => Check::NoLostWrites,
        ["no", "resurrected", "deletes"] => Check::NoResurrection,
        ["stale", "reads", "<=", most] => Check::StaleReads { at_most: share(most)? },
        ["siblings", "(", "max", ")", "<=", number] => Check::Siblings { at_most: count(number)? },
        ["converged"] => Check::Converged { within: None },
        ["converged", "within", length] => Check::Converged { within: Some(time(length)?) },
        ["detection", "<=", length] => Check::Detection { within: time(length)? },
        ["mistakes", rest @ .., "<=", number] if whose(rest).is_some() => {
            Check::Mistakes { whose: whose(rest).expect("it was just read"), at_most: count(number)? }
        }
        ["query", "accuracy", ">=", least] => Check::QueryAccuracy { at_least: share(least)? },
        ["hints", "delivered"] => Check::HintsDelivered { within: None },
        ["hints", "delivered", "within", length] => Check::HintsDelivered { within: Some(time(length)?) },
        ["availability", ">=", least] => Check::Availability { at_least: share(least)? },
        ["recovery", "<=", length] => Check::Recovery { at_most: time(length)? },
        [name, rest @ .., "<=", length] if latency(name, rest).is_some() => {
            let (quantile, function) = latency(name, rest).expect("it was just read");
            Check::Latency { quantile, function: function.map(str::to_owned), at_most: time(length)? }
        }
        [measure @ .., "in", range] => Check::Figure(figure(text, measure, range, &bad)?),
        words if guarantee(words).is_some() => Check::Consistent(guarantee(words).expect("it was just found")),
        [role, "changes", "<=", number] => Check::RoleChanges { role: (*role).to_owned(), at_most: count(number)? },
        [role, "elected", ">=", number, "times" | "time"] => {
            return Ok(Meaning::Goal(Reach::RoleTaken { role: (*role).to_owned(), at_least: count(number)? }));
        }
        ["every", "fault", "had", "an", "effect"] => return Ok(Meaning::Goal(Reach::EveryFaultHadAnEffect)),
        ["operations", ">=", number] => return Ok(Meaning::Goal(Reach::Operations { at_least: count(number)? })),
        _ => {
            let forms: Vec<&str> = CHECKS.iter().chain(&GOALS).map(|(sentence, _)| *sentence).collect();
            let problem = bad(&codes::UNKNOWN_SENTENCE, format!("`{text}` is not an expectation"));
            let help = format!(
                "`must` and `should` take {}; `reach` takes {}",
                quoted(&CHECKS.map(|(sentence, _)| sentence)),
                quoted(&GOALS.map(|(sentence, _)| sentence))
            );
            return Err(problem.label(did_you_mean(text, &forms)).help(help));
        }
    };
    Ok(Meaning::Check(check))
}

/// `p99.9(read)` or the like, and the range in which it should be.
fn figure(
    text: &str,
    measure: &[&str],
    range: &str,
    bad: &impl Fn(&'static Code, String) -> Diagnostic,
) -> Result<Figure, Diagnostic> {
    let wrong = |message: String| bad(&codes::BAD_VALUE, message);
    let time = |measure| {
        let (from, to) = parse_duration_range(range).map_err(wrong)?;
        Ok(Figure::Time(measure, from, to))
    };
    let share = |measure| {
        let (from, to) = range.split_once("..").unwrap_or((range, range));
        let (from, to) = (parse_share(from).map_err(wrong)?, parse_share(to).map_err(wrong)?);
        if from.exceeds(to) {
            return Err(wrong(format!("`{range}` runs backwards; write the smaller share first")));
        }
        Ok(Figure::Share(measure, from, to))
    };
    let count = |measure| {
        let (from, to) = range.split_once("..").unwrap_or((range, range));
        let number =
            |text: &str| text.parse::<u64>().map_err(|_| wrong(format!("`{text}` in `{range}` is not a whole number")));
        let (from, to) = (number(from)?, number(to)?);
        if from > to {
            return Err(wrong(format!("`{range}` runs backwards; write the smaller number first")));
        }
        Ok(Figure::Count(measure, from, to))
    };
    let number = |versions: &str| {
        let versions = versions.parse().ok().filter(|versions| *versions > 0);
        versions.ok_or_else(|| wrong("a number of versions is 1 or more".to_owned()))
    };
    match measure {
        ["mistakes", rest @ ..] if whose(rest).is_some() => {
            count(CountOf::Mistakes { whose: whose(rest).expect("it was just read") })
        }
        ["mistake", "recurrence"] => time(TimeOf::MistakeRecurrence),
        ["mistake", "duration"] => time(TimeOf::MistakeDuration),
        ["query", "accuracy"] => share(ShareOf::QueryAccuracy),
        ["detection", "(", name, ")"] if statistic(name).is_some() => {
            time(TimeOf::Detection { statistic: statistic(name).expect("it was just read"), by: Finding::Each })
        }
        ["spread", "(", name, ")"] if statistic(name).is_some() => {
            time(TimeOf::Detection { statistic: statistic(name).expect("it was just read"), by: Finding::Others })
        }
        ["first", "detection", "(", name, ")"] if statistic(name).is_some() => {
            time(TimeOf::Detection { statistic: statistic(name).expect("it was just read"), by: Finding::First })
        }
        ["takeover", "(", of, ")"] if statistic(of).is_some() => {
            time(TimeOf::Takeover { statistic: statistic(of).expect("it was just read") })
        }
        [what @ ("served" | "possible"), rest @ ..] if function(rest).is_some() => {
            let function = function(rest).expect("it was just read").map(str::to_owned);
            share(if *what == "served" { ShareOf::Served { function } } else { ShareOf::Possible { function } })
        }
        ["reads", "of", versions, "version" | "versions"] => share(ShareOf::ReadsOf { versions: number(versions)? }),
        ["visible", "(", of, ")"] => time(TimeOf::Visible { share: parse_share(of).map_err(wrong)? }),
        ["fresh", "reads", "within", age] => share(ShareOf::FreshWithin { age: parse_duration(age).map_err(wrong)? }),
        ["fresh", "reads", "of", versions, "version" | "versions"] => {
            share(ShareOf::FreshOf { versions: number(versions)? })
        }
        [name, rest @ ..] if statistic(name).is_some() && function(rest).is_some() => {
            let (statistic, function) = statistic(name).zip(function(rest)).expect("they were just read");
            time(TimeOf::Latency { statistic, function: function.map(str::to_owned) })
        }
        _ => {
            let help = "measures are `p99.9(read)`, `takeover(p50)`, `visible(99.9%)`, `fresh reads within 5us`, `fresh reads of 2 \
                        versions`, `reads of 1 version`, `served(write)`, `possible(write)`, `detection(p99)`, `first \
                        detection(mean)`, `mistakes`, `mistake duration`, `mistake recurrence`, `query accuracy`";
            Err(bad(&codes::UNKNOWN_SENTENCE, format!("`{text}` measures nothing known")).help(help))
        }
    }
}

/// What stands behind `mistakes`.
fn whose(rest: &[&str]) -> Option<Whose> {
    match rest {
        [] => Some(Whose::All),
        ["(", "healthy", ")"] => Some(Whose::Healthy),
        ["(", "of", "healthy", ")"] => Some(Whose::OfHealthy),
        _ => None,
    }
}

/// `p99`, `p99(read)`: the quantile and the function.
fn latency<'a>(name: &str, rest: &[&'a str]) -> Option<(Ratio, Option<&'a str>)> {
    let quantile = quantile(name)?;
    Some((quantile, function(rest)?))
}

/// `(read)`, or nothing.
fn function<'a>(rest: &[&'a str]) -> Option<Option<&'a str>> {
    match rest {
        [] => Some(None),
        ["(", function, ")"] => Some(Some(function)),
        _ => None,
    }
}

/// What a bound can be of many times.
fn quantile(name: &str) -> Option<Ratio> {
    match name {
        "p50" => Some(Ratio::new(50, 100)),
        "p90" => Some(Ratio::new(90, 100)),
        "p99" => Some(Ratio::new(99, 100)),
        "p99.9" => Some(Ratio::new(999, 1000)),
        "max" => Some(Ratio::new(1, 1)),
        _ => None,
    }
}

/// What a figure can be of many times: all that a bound can be, and more.
fn statistic(name: &str) -> Option<Statistic> {
    let quantile = match name {
        "mean" => return Some(Statistic::Mean),
        "min" => Ratio::new(0, 1),
        "p10" => Ratio::new(10, 100),
        "p25" => Ratio::new(25, 100),
        "p75" => Ratio::new(75, 100),
        _ => quantile(name)?,
    };
    Some(Statistic::Quantile(quantile))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(text: &str) -> Result<Meaning, (&'static str, String)> {
        read(text, &Origin::Whole).map_err(|problem| (problem.code, problem.label))
    }

    const MS: u64 = 1_000_000;

    #[test]
    fn every_form_means_something() {
        let role = || "leader".to_owned();
        for (text, check) in [
            ("linearizable", Check::Linearizable),
            ("linearizable writes", Check::LinearizableWrites),
            ("no lost writes", Check::NoLostWrites),
            ("no resurrected deletes", Check::NoResurrection),
            ("writes follow reads", Check::Consistent(Guarantee::WritesFollowReads)),
            ("causal", Check::Consistent(Guarantee::Causal)),
            ("stale reads<=0.5%", Check::StaleReads { at_most: Ratio::new(5, 1000) }),
            ("siblings (max) <= 8", Check::Siblings { at_most: 8 }),
            ("converged", Check::Converged { within: None }),
            ("converged within 2s", Check::Converged { within: Some(2000 * MS) }),
            ("hints delivered", Check::HintsDelivered { within: None }),
            ("hints delivered within 5ms", Check::HintsDelivered { within: Some(5 * MS) }),
            ("detection <= 2s", Check::Detection { within: 2000 * MS }),
            ("mistakes (healthy) <= 3", Check::Mistakes { whose: Whose::Healthy, at_most: 3 }),
            ("query accuracy >= 99.9%", Check::QueryAccuracy { at_least: Ratio::new(999, 1000) }),
            ("mistakes in 5..9", Check::Figure(Figure::Count(CountOf::Mistakes { whose: Whose::All }, 5, 9))),
            (
                "first detection(mean) in 1ms..2ms",
                Check::Figure(Figure::Time(
                    TimeOf::Detection { statistic: Statistic::Mean, by: Finding::First },
                    MS,
                    2 * MS,
                )),
            ),
            ("availability >= 97.5%", Check::Availability { at_least: Ratio::new(975, 1000) }),
            ("recovery<=2s", Check::Recovery { at_most: 2000 * MS }),
            ("p50 <= 5ms", Check::Latency { quantile: Ratio::new(50, 100), function: None, at_most: 5 * MS }),
            (
                "p99.9 (read) <= 5ms",
                Check::Latency { quantile: Ratio::new(999, 1000), function: Some("read".to_owned()), at_most: 5 * MS },
            ),
            ("max <= 5ms", Check::Latency { quantile: Ratio::new(1, 1), function: None, at_most: 5 * MS }),
            ("leader changes <= 3", Check::RoleChanges { role: role(), at_most: 3 }),
            (
                "fresh reads of 2 versions in 55%..56%",
                Check::Figure(Figure::Share(
                    ShareOf::FreshOf { versions: 2 },
                    Ratio::new(55, 100),
                    Ratio::new(56, 100),
                )),
            ),
            (
                "mean(read) in 1ms..2ms",
                Check::Figure(Figure::Time(
                    TimeOf::Latency { statistic: Statistic::Mean, function: Some("read".to_owned()) },
                    MS,
                    2 * MS,
                )),
            ),
            (
                "takeover(p50) in 131ms..161ms",
                Check::Figure(Figure::Time(
                    TimeOf::Takeover { statistic: Statistic::Quantile(Ratio::new(50, 100)) },
                    131 * MS,
                    161 * MS,
                )),
            ),
            (
                "served in 97%..98%",
                Check::Figure(Figure::Share(
                    ShareOf::Served { function: None },
                    Ratio::new(97, 100),
                    Ratio::new(98, 100),
                )),
            ),
            (
                "reads of 1 version in 99%..100%",
                Check::Figure(Figure::Share(
                    ShareOf::ReadsOf { versions: 1 },
                    Ratio::new(99, 100),
                    Ratio::new(100, 100),
                )),
            ),
            (
                "visible(99.9%) in 1.8ms..2ms",
                Check::Figure(Figure::Time(TimeOf::Visible { share: Ratio::new(999, 1000) }, MS * 9 / 5, 2 * MS)),
            ),
        ] {
            assert_eq!(meaning(text), Ok(Meaning::Check(check)), "{text}");
        }
        for (text, goal) in [
            ("leader elected >= 1 time", Reach::RoleTaken { role: role(), at_least: 1 }),
            ("every fault had an effect", Reach::EveryFaultHadAnEffect),
            ("operations >= 500", Reach::Operations { at_least: 500 }),
        ] {
            assert_eq!(meaning(text), Ok(Meaning::Goal(goal)), "{text}");
        }
        for (text, _) in CHECKS.iter().chain(&GOALS) {
            assert!(meaning(text).is_ok(), "the manual's own example `{text}`");
        }
    }

    #[test]
    fn other_sentences_are_refused() {
        assert_eq!(meaning("linearisable"), Err(("S0401", "did you mean `linearizable`?".to_owned())));
        assert_eq!(meaning("recovery < 2s"), Err(("S0401", "did you mean `recovery <= 2s`?".to_owned())));
        assert_eq!(meaning("p98 <= 2s").unwrap_err().0, "S0401");
        assert_eq!(meaning("recovery <= 2").unwrap_err().0, "S0104", "no unit");
        assert_eq!(meaning("fresh reads of 0 versions in 1%..2%").unwrap_err().0, "S0104");
        assert_eq!(meaning("fresh reads within 5us in 2%..1%").unwrap_err().0, "S0104");
        assert_eq!(meaning("mistakes in 9..5").unwrap_err().0, "S0104");
        assert_eq!(meaning("detection(p98) in 1s..2s").unwrap_err().0, "S0401");
        assert_eq!(meaning("luck in 1%..2%").unwrap_err().0, "S0401");
        assert_eq!(meaning("takeover(read) in 1s..2s").unwrap_err().0, "S0401");
        assert_eq!(meaning("takeover in 1s..2s").unwrap_err().0, "S0401");
        assert_eq!(meaning("reads of 0 versions in 1%..2%").unwrap_err().0, "S0104");
        assert_eq!(meaning("served(read, write) in 1%..2%").unwrap_err().0, "S0401");
        assert_eq!(meaning("mean <= 2s").unwrap_err().0, "S0401", "a figure, not a bound");
        assert_eq!(meaning("operations >= many").unwrap_err().0, "S0104");
        assert_eq!(meaning("").unwrap_err().0, "S0401");
    }
}
