//! The numbers of all problems a scenario file can have, and what each means: the manual behind `explain S0102`.

use crate::diagnostics::Severity;

/// A kind of problem.
#[derive(Debug)]
pub struct Code {
    /// Its number, such as `S0102`.
    pub id: &'static str,
    /// Whether a scenario that has it can run.
    pub severity: Severity,
    /// What it means, why it matters and what to do.
    pub text: &'static str,
}

macro_rules! codes {
    ($($name:ident = $id:literal $severity:ident $text:literal)*) => {
        $(
            #[doc = concat!($id, ".")]
            pub static $name: Code = Code { id: $id, severity: Severity::$severity, text: $text };
        )*
        /// All of them, by number.
        pub static ALL: &[&Code] = &[$(&$name),*];
    };
}

// The hundreds: the file as such, keys and values, the system and its surroundings, faults, expectations, loose ends, sweeps.
codes! {
    SYNTAX = "S0001" Error "The file is not TOML. Texts stand in quotes, lists in [ ], and every key has one value: \
        `duration = \"60s\"`."
    TOO_LARGE = "S0002" Error "A scenario is a page of text that somebody reads; a file beyond 1 MiB is something else, \
        perhaps a recorded history."
    TOO_DEEP = "S0003" Error "Nothing in a scenario nests this deep; a bracket or brace is probably missing."
    VERSION = "S0004" Error "The first line of a scenario says which format it is written in: `scenario = 1`. This \
        version of stormglass reads format 1 only."
    BAD_OVERRIDE = "S0005" Error "`--set KEY=VALUE` names a key by its path: `cluster.nodes=5`, `protocol.pre-vote=false`, \
        `load.0.clients=3` (the first load is number 0), `fault.crash-1.at=5s`. It can add a key, but not a load or a fault."
    TOO_MANY = "S0006" Error "One mistake near the top can make much of what follows look wrong, so only the first problems \
        are shown."

    MISSING_KEY = "S0101" Error "A key that has no default is missing. Without it nobody knows what to simulate."
    UNKNOWN_KEY = "S0102" Error "No key of this name exists here. It is an error, not ignored, because a misspelt fault \
        that never strikes would make every check pass."
    WRONG_TYPE = "S0103" Error "The key takes another type of value: a text in quotes, a bare number, `true` or `false`, \
        a list in [ ] or a table in { }."
    BAD_VALUE = "S0104" Error "The value cannot be read, or lies outside its bounds. Quantities carry their unit: times \
        `150ms`, shares `97%`, rates `300/s`, ranges `1ms..10ms`."
    UNKNOWN_WORD = "S0105" Error "The key takes one of a few words, and this is none of them."
    CONFLICT = "S0106" Error "These keys do not go together, or one that they need is missing: a fault has exactly one of \
        `at`, `during`, `every` and `when`; a partition has exactly one of `groups`, `shape` and `links`."
    MISPLACED_KEY = "S0107" Error "The key exists, but elsewhere. In TOML every key after a [header] belongs to that header, \
        up to the next one: top-level keys stand above the first header, and `must = [..]` needs its [expect] above it."
    DUPLICATE_NAME = "S0108" Error "Two loads or two faults have the same name. Each draws its random numbers from a stream \
        of that name, so names must differ."
    BAD_DRAW = "S0109" Error "A value can be left to the seed: `{ choose = [3, 5, 7] }` takes one of these, each as likely, and \
        `{ draw = \"30s..2m\" }` a length of time, number, share or rate between the two. Nothing else stands in the braces, \
        and there are not more alternatives than can all be tried when the scenario is read."
    FIXED_KEY = "S0110" Error "What the file is and how its seeds are chosen is the same for every seed, and so are the names \
        of loads and faults, which random numbers are drawn by. The other keys can be chosen or drawn, and `chance` makes a \
        load or a fault exist in a share of the seeds."

    UNKNOWN_SYSTEM = "S0201" Error "`[protocol] name` names the system under test; `stormglass list protocols` shows them."
    UNKNOWN_FLAW = "S0202" Error "The system has no flaw of this name; `stormglass list flaws` shows the mistakes that can be \
        switched on."
    REJECTED = "S0203" Error "Each setting is fine by itself, but the system cannot run with all of them together, or \
        not on so many nodes."
    UNKNOWN_DATA = "S0204" Error "The system does not offer this kind of data to its clients."
    UNKNOWN_FUNCTION = "S0205" Error "`ops` gives each function of the data a weight, and the data has no function of this \
        name, or none is left with a weight above zero."
    NOT_KEYED = "S0206" Error "This kind of data is one object; its operations name no key, so `keys` means nothing."
    UNKNOWN_LAYOUT = "S0207" Error "The layout is neither one of the presets (`stormglass list layouts`) nor described in \
        [layout.regions] and [layout.links]."
    UNKNOWN_PLACE = "S0208" Error "The layout has no zone or region of this name. Zones are called `region-zone` where there \
        are several regions, and by their own name where there is one."
    BAD_PLACE = "S0209" Error "`place` says how many nodes stand where; together they must be as many as `nodes`."
    BAD_LINKS = "S0210" Error "[layout.links] must say how long a message takes between any two zones: `same-zone`, \
        `same-region`, and one entry for every two regions (`\"a <-> b\"`, or `\"a -> b\"` for each way)."
    MIXED_DATA = "S0211" Error "All loads of a scenario operate on the same store, so they name the same kind of data."
    BAD_SIZE = "S0212" Error "The system does not run on so many nodes: a pair is two."
    BAD_SCRIPT = "S0213" Error "A line of a `script` says who asks for what and when: `c1 at 1.2s: write k3 17`. Clients count \
        from c1 within their load; the time is on the client's clock, within the load, and no earlier than that of the line \
        above. Then come a function of the data, a key `k0`, `k1`, .. if the data has keys, and a value for each thing that \
        the function takes: a number, a word, `nil`, or what does not look like these in JSON."

    NO_TRAFFIC = "S0301" Warning "The fault strikes when every load has ended, so no client will notice it."
    UNKNOWN_TARGET = "S0302" Error "A target is a role of the system (`leader`), a place (`zone:a`, `region:us-east`, \
        `provider:north`), a node (`n3`), `any`, `all`, `others`, `minority`, `majority`, `clients` or a client (`client:c2`), \
        perhaps after `one of`, `2 of` or `half of`; an outage strikes a place, or `one of zones`, `regions` or `providers`. \
        This one is not a target, or does not exist in this cluster."
    EMPTY_TARGET = "S0303" Error "The target asks for more machines than there can be, or for none at all. The fault would \
        strike nobody."
    BAD_GROUPS = "S0304" Error "A partition splits machines into at least two groups. Who is named in two of them hears both, so \
        a group needs somebody of its own; `others`, whoever is in no other group, makes sense only there, once. A shape takes \
        at least three nodes."
    OUTSIDE = "S0305" Error "The fault would strike at or after the end of the run, or so often that the run would be nothing \
        else. (One that ends after `duration` is fine: `settle` heals everything.)"
    UNKNOWN_TRIGGER = "S0306" Error "`when` knows two kinds of event: a role of the system is taken (`leader elected`), and so \
        many operations were served (`500 operations`)."
    UNKNOWN_LINK = "S0307" Error "The layout has no link of this name. Links between regions are called by the regions, links \
        within a region by the zones: `us-east <-> us-west`, or `us-east -> us-west` for one way."
    UNKNOWN_ORDER = "S0308" Error "The system has no order of this name; `stormglass list protocols` shows what an operator \
        can tell it."
    UNKNOWN_MESSAGE = "S0309" Error "`messages` names the kinds of messages that are dropped, by the system's own names for them; \
        `stormglass explain fault.drop.messages` shows them."

    UNKNOWN_SENTENCE = "S0401" Error "Expectations are sentences of a fixed form; this is not one of them. The same text is \
        shown with the result of a run."
    UNANSWERABLE = "S0402" Error "The sentence is fine, but not here: it stands in the wrong list, or it asks for something \
        that this system or its data do not have, such as linearizability where no sequential specification exists."
    UNKNOWN_CHECK = "S0403" Error "`shows` lists the checks that this scenario is made to violate: sentences that stand in \
        `must`, or laws of the protocol."
    BEYOND_PROMISE = "S0404" Error "The sentence demands what the system does not promise with these settings, or where so much \
        goes wrong; a violation would say nothing against it. A scenario made to show the violation lists the sentence in \
        `shows` too. Flaws play no part: what is demanded is what the system would do without them."

    NO_ABOUT = "S0501" Warning "`about` says in a sentence what one learns from the scenario. Lists and reports show it."
    NO_LOAD = "S0502" Warning "Without a [[load]] no client asks for anything, so most checks have nothing to judge."
    NO_EXPECTATION = "S0503" Warning "Without [expect] a run can only break the protocol's own laws."
    UNPROMISED = "S0504" Warning "The sentence under `should` demands what the system does not promise with these settings, or \
        where so much goes wrong."

    BAD_MATRIX = "S0601" Error "`matrix` holds, for keys as `--set` takes them, lists of the values that a sweep combines: \
        `matrix = { \"protocol.pre-vote\" = [true, false], \"cluster.nodes\" = [3, 5] }` are four variants. No key and no value \
        stands there twice, each combination must be a scenario that can run, and there are at most 256."
    BAD_EXCLUDE = "S0602" Error "Each table of `exclude` drops the combinations of `matrix` that have all of its values. It names \
        keys and values of the matrix, so that one that has come to match nothing is not overlooked, and something is left to run."
}

/// The code of this number.
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_are_found() {
        assert!(ALL.is_sorted_by(|a, b| a.id < b.id));
        assert!(find("s0102").is_some_and(|code| code.text.contains("misspelt")));
        assert!(find("S9999").is_none());
    }
}
