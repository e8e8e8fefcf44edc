//! Every mistake, by example.

mod network;

use super::read;
use crate::codes;
use crate::diagnostics::{Origin, render};

/// A sound scenario with `snippet` in one place; `«»` mark where the problem is.
fn document(place: &str, snippet: &str) -> String {
    let at = |wanted: &str| if place == wanted { format!("{snippet}\n") } else { String::new() };
    let header = |wanted: &str| if place == wanted { format!("[[{place}]]\n{snippet}\n") } else { String::new() };
    match place {
        "whole" => snippet.replacen("LOCAL", LOCAL, 1),
        _ => format!(
            "scenario = 1\nabout = \"x\"\nduration = \"60s\"\n{}[cluster]\n{}[protocol]\nname = \"toy\"\n{}\
             [[load]]\n{}{}[expect]\nmust = [\"linearizable\"]\n{}{}",
            at("top"),
            at("cluster"),
            at("protocol"),
            at("load"),
            header("fault"),
            at("expect"),
            at("end"),
        ),
    }
}

/// What a scenario without [expect] looks like whose system answers reads that may lag.
const LOCAL: &str =
    "scenario = 1\nabout = \"x\"\nduration = \"60s\"\n[[load]]\n[protocol]\nname = \"toy\"\nreads = \"local\"";

/// Place, snippet, code, and what its message, label or help says.
type Mistake = (&'static str, &'static str, &'static str, &'static str);

fn mistakes() -> impl Iterator<Item = &'static Mistake> {
    MISTAKES.iter().chain(network::MISTAKES)
}

const MISTAKES: &[Mistake] = &[
    ("end", "[[load]]\ndata = «\"register\"»", "S0211", "an earlier one for kv"),
    ("top", "name = «raft»", "S0001", "texts stand in quotes: \"raft\""),
    ("top", "seed = 1\n«seed» = 2", "S0001", "duplicate key"),
    ("top", "name = [[[[[[[[[[[[«[1]»]]]]]]]]]]]]", "S0003", "nests this deep"),
    ("whole", "duration = \"60s\"", "S0004", "begin it with `scenario = 1`"),
    ("whole", "scenario = «2»", "S0004", "format 2, and this version reads format 1"),
    ("whole", "scenario = «\"1\"»", "S0103", "write `scenario = 1`"),
    (
        "whole",
        "scenario = 1\nabout = \"x\"\n[protocol]\nname = \"toy\"\n[[load]]\n[expect]\nmust = [\"recovery <= 9s\"]",
        "S0101",
        "the scenario has no `duration`",
    ),
    ("load", "model = { open = «{ }» }", "S0101", "`open` has no `rate`"),
    ("fault", "do = \"crash\"\nat = \"5s\"", "S0101", "[[fault]] number 1 has no `target`"),
    ("load", "model = { closed = { think = «{ mean = \"1s\" }» } }", "S0101", "a table without `dist`"),
    ("load", "script = «[]»", "S0213", "nobody asks for anything"),
    ("load", "script = [«\"read k3\"»]", "S0213", "`c1 at 1.2s: write k3 17`"),
    ("load", "script = [\"c1 at 1s: read k3\", «\"c9 at 2s: read k3\"»]", "S0213", "the load has the clients c1 to c5"),
    ("load", "script = [\"c1 at 2s: read k3\", «\"c1 at 1s: read k3\"»]", "S0213", "1s is before the line above"),
    (
        "load",
        "at = \"9s\"\nscript = [«\"c1 at 1s: read k3\"»]",
        "S0213",
        "outside the load, which lasts from 9s to 60s",
    ),
    ("load", "script = [«\"c1 at 1s: raed k3\"»]", "S0205", "did you mean `read`?"),
    ("load", "script = [«\"c1 at 1s: cas k3 1\"»]", "S0213", "write `cas <key> <from> <to>`"),
    ("load", "script = [\"c1 at 1s: read k3\"]\nops = «{ read = 1 }»", "S0106", "says what is drawn"),
    ("end", "[«swep»]\nseeds = 5", "S0102", "did you mean `sweep`?"),
    ("cluster", "«node» = 5", "S0102", "did you mean `nodes`?"),
    ("cluster", "clock = { «drif» = \"1%\" }", "S0102", "`clock` takes `drift`, `offset`"),
    ("protocol", "«heartbeet» = \"5ms\"", "S0102", "did you mean `heartbeat`?"),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = \"any\"\n«groups» = []", "S0102", "a `partition` fault takes it"),
    ("cluster", "nodes = «\"5\"»", "S0103", "takes a whole number, without quotes; this is a text"),
    ("cluster", "cpu = «[]»", "S0103", "takes a delay: \"5ms\", \"1ms..10ms\""),
    ("protocol", "pre-vote = «\"true\"»", "S0103", "`true` or `false`, without quotes"),
    ("load", "ops = «[\"read\"]»", "S0103", "a table of whole numbers"),
    ("expect", "should = «\"linearizable\"»", "S0103", "a list of texts"),
    ("end", "«[fault]»\ndo = \"crash\"", "S0103", "write [[fault]]"),
    ("top", "settle = «150»", "S0104", "`150` has no unit; write `150ms` or `150s`"),
    ("top", "settle = «\"10 parsec\"»", "S0104", "has no unit"),
    ("top", "seed = «-1»", "S0104", "not a whole number"),
    ("top", "seed = «123456789012345678901234567890»", "S0104", "not a whole number"),
    ("cluster", "nodes = «1001»", "S0104", "from 1 to 1000"),
    ("cluster", "cpu = «\"9ms..1ms\"»", "S0104", "runs backwards"),
    (
        "cluster",
        "cpu = { dist = \"lognormal\", median = \"5ms\", p99 = «\"1ms\"» }",
        "S0104",
        "`p99` is below `median`",
    ),
    ("top", "name = «\"../../x\"»", "S0104", "a name is one word"),
    (
        "end",
        "[layout]\nregions = { «\"x -> y\"» = { zones = [\"a\"] } }\nlinks = { same-zone = \"1ms\" }",
        "S0104",
        "a name is",
    ),
    (
        "end",
        "[layout]\nregions = { x = { zones = [\"a\"] }, y = { zones = [\"a\"] } }\n\
         links = { same-zone = \"1ms\", \"x <-> y\" = \"2ms\", «\"y <-> x\"» = \"3ms\" }",
        "S0210",
        "another entry says the same",
    ),
    ("cluster", "nodes = «1»", "S0212", "toy runs on at least 2 nodes, and here is 1"),
    ("cluster", "clock = { drift = «\"51%\"» }", "S0104", "at most 50%"),
    ("cluster", "clock = { offset = «\"1h\"» }", "S0104", "at most 59m"),
    ("load", "model = { open = { rate = «300» } }", "S0104", "write it like \"300/s\""),
    ("load", "keys = { dist = \"zipf\", skew = «11» }", "S0104", "at most 10"),
    ("cluster", "cpu = { dist = «\"normal\"», mean = \"5ms\" }", "S0105", "`dist` takes `uniform`, `exp`, `lognormal`"),
    ("protocol", "reads = «\"lgo\"»", "S0105", "did you mean `log`?"),
    ("fault", "do = «\"crahs\"»", "S0105", "did you mean `crash`?"),
    ("fault", "do = «\"crash\"»\ntarget = \"any\"", "S0106", "exactly one of `at`, `during`, `every`, `when`"),
    ("fault", "do = \"pause\"\nat = \"1s\"\nduring = «\"1s..2s\"»\ntarget = \"any\"", "S0106", "exactly one of"),
    (
        "fault",
        "do = \"pause\"\nduring = \"1s..2s\"\nfor = «\"1s\"»\ntarget = \"any\"",
        "S0106",
        "`for` does not go with `during`",
    ),
    ("fault", "do = «\"link\"»\nat = \"1s\"\nbetween = [\"n1\", \"n2\"]", "S0106", "does nothing"),
    ("load", "model = «{ open = { rate = \"1/s\" }, closed = {} }»", "S0106", "either `open` or `closed`"),
    ("load", "keys = { skew = «1.1» }", "S0106", "`uniform` keys have no `skew`"),
    (
        "cluster",
        "layout = «\"small-lan\"»\n[layout]\nregions = { x = { zones = [\"a\"] } }\nlinks = { same-zone = \"1ms\" }",
        "S0106",
        "and there is a [layout] too",
    ),
    (
        "fault",
        "do = \"crash\"\nat = \"5s\"\ntarget = \"any\"\n«expect».must = []",
        "S0107",
        "inside [[fault]] number 1",
    ),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = \"any\"\n«settle» = \"1s\"", "S0107", "above the first [header]"),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = \"any\"\n«must» = []", "S0107", "belongs in [expect]"),
    ("top", "«nodes» = 5", "S0107", "belongs in [cluster]"),
    ("end", "[[load]]\nname = «\"load\"»", "S0108", "two called `load`"),
    ("cluster", "nodes = { choose = «[]» }", "S0109", "nothing to choose from"),
    ("cluster", "nodes = { choose = «5» }", "S0109", "takes a list of the values to choose from; this is a number"),
    ("cluster", "nodes = { choose = [3], «draw» = \"3..5\" }", "S0109", "`choose` stands alone in its braces"),
    ("cluster", "nodes = { draw = \"3..5\", «or» = 7 }", "S0109", "`or` cannot stand beside it"),
    ("cluster", "nodes = { draw = «\"5..3\"» }", "S0109", "`5..3` runs backwards"),
    ("cluster", "nodes = { draw = «\"5\"» }", "S0109", "`5` is not a range"),
    ("cluster", "nodes = { draw = «[3, 5]» }", "S0109", "`draw` takes a range in quotes; this is a list"),
    ("cluster", "nodes = { draw = «\"one..two\"» }", "S0109", "among words, { choose = [..] } chooses"),
    ("top", "settle = { draw = «\"1..2s\"» }", "S0109", "different units"),
    ("fault", "do = «{ choose = [\"crash\", \"pause\"] }»\nat = \"5s\"\ntarget = \"any\"", "S0109", "give it a `name`"),
    ("whole", "scenario = «{ choose = [1] }»", "S0110", "`scenario` is the same for every seed"),
    ("top", "name = «{ choose = [\"a\", \"b\"] }»", "S0110", "`name` is the same for every seed"),
    ("top", "seed = «{ draw = \"1..9\" }»", "S0110", "`seed` is the same for every seed"),
    ("load", "name = «{ choose = [\"a\", \"b\"] }»", "S0110", "can be neither chosen nor drawn"),
    ("end", "[sweep]\nseeds = «{ draw = \"1..9\" }»", "S0110", "`seeds` is the same for every seed"),
    ("end", "[sweep]\n«seedz» = 9", "S0102", "did you mean `seeds`?"),
    ("end", "[sweep]\nseeds = «0»", "S0104", ""),
    ("end", "[sweep]\nstop-after = { failures = «\"20\"» }", "S0103", "whole number"),
    ("end", "[sweep]\nmatrix = { \"cluster.nodes\" = «5» }", "S0601", "needs a list of the values to combine"),
    ("end", "[sweep]\nmatrix = { \"cluster.nodes\" = «[]» }", "S0601", "has no value"),
    ("end", "[sweep]\nmatrix = { \"cluster.nodes\" = [3, 5, «3»] }", "S0601", "the value 3 twice"),
    ("end", "[sweep]\nmatrix = { «seed» = [3, 5] }", "S0110", "`seed` is the same for every variant"),
    ("end", "[sweep]\nmatrix = { \"cluster.nodes\" = [3, «1001»] }", "S0104", "`1001`"),
    ("end", "[sweep]\nmatrix = { «\"cluster.node\"» = [3] }", "S0102", "did you mean `nodes`?"),
    ("end", "[sweep]\nmatrix = { «\"load.7.clients\"» = [3] }", "S0005", "`load` is a list of 1"),
    (
        "end",
        "[sweep]\nmatrix = { \"load.0.clients\" = [3], «\"load.load.clients\"» = [4] }",
        "S0601",
        "set by `load.load.clients` already",
    ),
    (
        "end",
        "[sweep]\nmatrix = { \"cluster.nodes\" = [3, 5] }\nexclude = [{ «\"cluster.node\"» = 5 }]",
        "S0602",
        "did you mean `cluster.nodes`?",
    ),
    (
        "end",
        "[sweep]\nmatrix = { \"cluster.nodes\" = [3, 5] }\nexclude = [{ \"cluster.nodes\" = «7» }]",
        "S0602",
        "`matrix` gives it 3, 5",
    ),
    (
        "end",
        "[sweep]\nmatrix = { \"cluster.nodes\" = [3, 5] }\nexclude = «[{ \"cluster.nodes\" = 3 }, { \"cluster.nodes\" = 5 }]»",
        "S0602",
        "every combination of the matrix is excluded",
    ),
    ("fault", "choose = [{ do = \"crash\" }]", "S0110", "a whole `fault` can be neither"),
    // What is wrong with one alternative is told where that stands.
    ("cluster", "nodes = { choose = [3, «0»] }", "S0104", "from 1 to 1000"),
    ("cluster", "nodes = { draw = «\"3..2000\"» }", "S0104", "from 1 to 1000"),
    ("top", "settle = { draw = «\"1..9\"» }", "S0104", "has no unit"),
    ("protocol", "reads = { choose = [\"log\", «\"leese\"»] }", "S0105", "is not a word that `reads` takes"),
    ("protocol", "pre-vote = { choose = [true, false, «\"maybe\"»] }", "S0103", "takes `true` or `false`"),
    ("load", "model = { choose = [{}, { open = { rate = { choose = [\"1/s\", «\"1\"»] } } }] }", "S0104", "not a rate"),
    ("load", "chance = «\"150%\"»", "S0104", "at most 100%"),
    ("load", "chance = «\"often\"»", "S0104", "is not a share"),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = «\"leeder\"»\nchance = \"1%\"", "S0302", "did you mean `leader`?"),
    ("load", "chance = { choose = [\"50%\", «50»] }", "S0104", "is not a share"),
    // And what it makes wrong elsewhere is told there, with what was drawn.
    (
        "fault",
        "do = \"crash\"\nat = { choose = [\"5s\", «\"61s\"»] }\ntarget = \"any\"",
        "S0305",
        "would strike at 61s, and the run ends at 60s\n",
    ),
    (
        "load",
        "[[fault]]\ndo = \"crash\"\nat = \"5s\"\ntarget = «\"client:c9\"»\n[[load]]\nclients = 5\nchance = \"50%\"",
        "S0302",
        "there is no client `c9` (with load.load-2 = off)",
    ),
    (
        "whole",
        "scenario = 1\nabout = \"x\"\nduration = \"1s\"\n[protocol]\nname = «\"toi\"»\n[[load]]\n[expect]\nmust = [\"recovery <= 9s\"]",
        "S0201",
        "did you mean `toy`?",
    ),
    ("protocol", "flaws = [\"forget-vote\", «\"ack\"»]", "S0202", "its flaws are `forget-vote`, `ack-before-fsync`"),
    ("protocol", "heartbeat = «\"400ms\"»", "S0203", "unseats every leader"),
    (
        "whole",
        "scenario = 1\nabout = \"x\"\nduration = \"1s\"\n[cluster]\nnodes = 10\n[protocol]\nname = \"toy\"\nbatch = «100»\n\
         [[load]]\n[expect]\nmust = [\"linearizable\"]",
        "S0203",
        "too much for more than 9 nodes",
    ),
    ("load", "data = «\"kvs\"»", "S0204", "did you mean `kv`?"),
    ("load", "ops = { «reed» = 1 }", "S0205", "did you mean `read`?"),
    ("load", "ops = «{ read = 0 }»", "S0205", "no function has a weight"),
    ("load", "data = \"register\"\nkeys = «{ count = 5 }»", "S0206", "a `register` has no keys"),
    ("cluster", "layout = «\"smal-lan\"»", "S0207", "did you mean `small-lan`?"),
    ("cluster", "place = { «zone-a» = 3 }", "S0208", "the layout has `local`, `a`"),
    ("load", "clients = { count = 2, place = «\"mars\"» }", "S0208", "no region or zone `mars`"),
    ("cluster", "nodes = 5\nplace = «{ a = 3 }»", "S0209", "`place` has 3 nodes, and `nodes` is 5"),
    (
        "end",
        "[layout]\nregions = { x = { zones = [\"a\"] }, y = { zones = [\"a\"] } }\nlinks = «{ same-zone = \"1ms\" }»",
        "S0210",
        "\"x <-> y\"",
    ),
    (
        "end",
        "[layout]\nregions = { x = { zones = [\"a\"] } }\nlinks = { same-zone = \"1ms\", «\"x <-> y\"» = \"2ms\" }",
        "S0210",
        "`y` is no region",
    ),
    (
        "end",
        "[layout]\nregions = { x = { zones = [\"a\"] } }\nlinks = { same-zone = \"1ms\", «same-zones» = \"2ms\" }",
        "S0210",
        "did you mean `same-zone`?",
    ),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = «\"leeder\"»", "S0302", "did you mean `leader`?"),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = «\"n4\"»", "S0302", "n1 to n3"),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = «\"zone:b\"»", "S0302", "there are `a`"),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = «\"client:c9\"»", "S0302", "c1 to c5"),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = «\"some of all\"»", "S0302", "not a number of targets"),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = «\"4 of all\"»", "S0303", "at most 3"),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = «\"4 of zone:a\"»", "S0303", "at most 3"),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = «\"half of n1\"»", "S0303", "at most 1"),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = «[]»", "S0303", "this is nobody"),
    ("fault", "do = \"crash\"\nat = \"5s\"\ntarget = «\"others\"»", "S0304", "only in the `groups` of a partition"),
    ("fault", "do = \"partition\"\nat = \"5s\"\ngroups = «[[\"leader\"]]»", "S0304", "at least two groups"),
    (
        "fault",
        "do = \"partition\"\nat = \"5s\"\ngroups = «[[\"n1\"], [\"n2\", \"n1\"]]»",
        "S0304",
        "`n1` is in two groups",
    ),
    (
        "fault",
        "do = \"crash\"\nat = «\"60s\"»\ntarget = \"any\"",
        "S0305",
        "would strike at 60s, and the run ends at 60s",
    ),
    ("fault", "do = \"crash\"\nat = «\"50s..70s\"»\ntarget = \"any\"", "S0305", "would strike at 70s"),
    ("fault", "do = \"crash\"\nevery = «\"1ms\"»\ntarget = \"any\"", "S0305", "60000 times"),
    ("load", "at = «\"60s\"»", "S0305", "would begin at or after the end"),
    ("fault", "do = \"crash\"\nwhen = «\"chief elected\"»\ntarget = \"any\"", "S0306", "`leader elected`"),
    ("fault", "do = \"partition\"\nat = \"5s\"\nlinks = [«\"a -> b\"»]", "S0307", "the links are `a`"),
    (
        "fault",
        "do = \"crash\"\nat = \"5s\"\ntarget = \"any\"\nmid-step = «\"yes\"»",
        "S0103",
        "`true` or `false`, without quotes",
    ),
    (
        "fault",
        "do = \"link\"\nat = \"5s\"\nbetween = [\"n1\", \"n2\"]\nloss = \"1%\"\nreorder-by = «\"1s\"»",
        "S0106",
        "`reorder-by` goes with `reorder`",
    ),
    (
        "fault",
        "do = \"link\"\nat = \"5s\"\nbetween = [\"n1\", \"n2\"]\nloss = \"1%\"\nduplicate-after = «\"1s\"»",
        "S0106",
        "`duplicate-after` goes with `duplicate`",
    ),
    (
        "fault",
        "do = \"link\"\nat = \"5s\"\nbetween = [\"n1\", \"n2\"]\nreorder = \"1%\"\nreorder-by = «\"2s..1s\"»",
        "S0104",
        "runs backwards",
    ),
    ("fault", "do = «\"clock\"»\nat = \"5s\"\ntarget = \"any\"", "S0106", "it needs one of `step`, `rate`, `freeze`"),
    (
        "fault",
        "do = \"clock\"\nat = \"5s\"\ntarget = \"any\"\nstep = «\"-1h\"»",
        "S0104",
        "`-1h` is too far off; at most 59m",
    ),
    ("fault", "do = \"clock\"\nat = \"5s\"\ntarget = \"any\"\nrate = «\"-51%\"»", "S0104", "at most 50%"),
    ("fault", "do = \"clock\"\nat = \"5s\"\ntarget = \"any\"\nrate = «\"5\"»", "S0104", "not a share"),
    (
        "fault",
        "do = \"clock\"\nat = \"5s\"\ntarget = \"any\"\nfreeze = true\nrate = «\"+5%\"»",
        "S0106",
        "leave it or `freeze` out",
    ),
    (
        "fault",
        "do = \"clock\"\nat = \"5s\"\ntarget = \"any\"\nfreeze = true\nwhich = «\"walls\"»",
        "S0105",
        "did you mean `wall`?",
    ),
    ("fault", "do = «\"cpu\"»\nat = \"5s\"\ntarget = \"any\"", "S0106", "it needs `slower` or `extra`"),
    ("fault", "do = \"cpu\"\nat = \"5s\"\ntarget = \"any\"\nslower = «1»", "S0104", "a number above 1"),
    ("fault", "do = \"cpu\"\nat = \"5s\"\ntarget = \"any\"\nslower = «1000001»", "S0104", "at most 1000000"),
    ("fault", "do = \"cpu\"\nat = \"5s\"\ntarget = «\"clients\"»\nslower = 2", "S0303", "`clients` is none"),
    ("fault", "do = \"lose\"\nat = \"5s\"\ntarget = «\"clients\"»", "S0303", "this is for nodes"),
    (
        "fault",
        "do = \"clock\"\nevery = \"1s\"\ntarget = \"any\"\nstep = «\"-1m\"»",
        "S0104",
        "could be 3600s behind, counting every strike; at most 59m",
    ),
    (
        "cluster",
        "clock = { offset = \"-59m..0\" }\n[[fault]]\ndo = \"clock\"\nat = \"5s\"\ntarget = \"any\"\nstep = «\"-1s\"»",
        "S0104",
        "at most 59m",
    ),
    ("fault", "do = \"operate\"\nat = \"5s\"\norder = «\"remov\"»", "S0308", "did you mean `remove`?"),
    ("fault", "do = \"operate\"\nat = \"5s\"", "S0101", "[[fault]] number 1 has no `order`"),
    ("fault", "do = \"operate\"\nat = \"5s\"\norder = «\"remove\"»", "S0106", "`remove` is about a node"),
    ("fault", "do = \"operate\"\nat = \"5s\"\norder = «\"members\"»", "S0106", "`members` is about some nodes"),
    (
        "fault",
        "do = \"operate\"\nat = \"5s\"\norder = \"compact\"\nabout = «\"n1\"»",
        "S0106",
        "`compact` is about nobody; leave `about` out",
    ),
    (
        "fault",
        "do = \"operate\"\nat = \"5s\"\norder = \"remove\"\nabout = «\"2 of follower\"»",
        "S0106",
        "`remove` is about one node",
    ),
    ("fault", "do = \"operate\"\nat = \"5s\"\norder = \"remove\"\nabout = «\"all\"»", "S0106", "`one of ..`"),
    (
        "fault",
        "do = \"operate\"\nat = \"5s\"\norder = \"members\"\nabout = «[\"n1\", \"clients\"]»",
        "S0303",
        "this is for nodes; `clients` is none",
    ),
    (
        "fault",
        "do = \"operate\"\nat = \"5s\"\norder = \"compact\"\nto = «\"client:c1\"»",
        "S0303",
        "`client:c1` is none",
    ),
    (
        "fault",
        "do = \"operate\"\nat = \"5s\"\norder = \"compact\"\n«target» = \"any\"",
        "S0102",
        "an `operate` fault takes `do`, `name`, `at`",
    ),
    ("fault", "do = «\"operate\"»\norder = \"compact\"", "S0106", "exactly one of `at`, `every`, `when`"),
    ("expect", "should = [«\"linearisable\"»]", "S0401", "did you mean `linearizable`?"),
    ("expect", "should = [«\"every fault had an effect\"»]", "S0402", "move it to `reach`"),
    ("expect", "reach = [«\"recovery <= 2s\"»]", "S0402", "move it to `must`"),
    ("expect", "should = [«\"leeder changes <= 2\"»]", "S0402", "did you mean `leader`?"),
    ("expect", "should = [«\"p99(reed) <= 2s\"»]", "S0402", "did you mean `read`?"),
    ("expect", "shows = [«\"no lost writes\"»]", "S0403", "add it to `must`"),
    ("expect", "shows = [«\"election safty\"»]", "S0403", "did you mean `election safety`?"),
    ("whole", "LOCAL\n[expect]\nmust = [\"no lost writes\", «\"linearizable\"»]", "S0404", "reads = local may lag"),
    (
        "whole",
        "LOCAL\n[expect]\nmust = [«\"linearizable\"»]",
        "S0404",
        "use `reads = \"read-index\"`, or demand `linearizable writes` instead, or list it in",
    ),
    (
        "whole",
        "LOCAL\nflaws = [\"forget-vote\"]\n[expect]\nmust = [«\"linearizable\"»]",
        "S0404",
        "reads = local may lag",
    ),
    // Warnings.
    ("whole", "LOCAL\n[expect]\nshould = [«\"linearizable\"»]", "S0504", "use `reads = \"read-index\"`"),
    (
        "whole",
        "scenario = 1\nduration = \"1s\"\n[protocol]\nname = \"toy\"\n[[load]]\n[expect]\nmust = [\"recovery <= 9s\"]",
        "S0501",
        "",
    ),
    (
        "whole",
        "scenario = 1\nabout = \"x\"\nduration = \"1s\"\n[protocol]\nname = \"toy\"\n[expect]\nmust = [\"recovery <= 9s\"]",
        "S0502",
        "",
    ),
    ("whole", "scenario = 1\nabout = \"x\"\nduration = \"1s\"\n[protocol]\nname = \"toy\"\n[[load]]", "S0503", ""),
    (
        "load",
        "for = \"10s\"\n[[fault]]\ndo = \"pause\"\nat = «\"40s\"»\ntarget = \"any\"",
        "S0301",
        "every load has ended at 10s",
    ),
];

/// The snippet's problem, its place in the text without marks, and the text.
fn marked(place: &str, snippet: &str) -> (String, Option<std::ops::Range<usize>>) {
    let text = document(place, snippet);
    let Some((before, rest)) = text.split_once('«') else { return (text, None) };
    let (marked, after) = rest.split_once('»').expect("marks come in pairs");
    let span = before.len()..before.len() + marked.len();
    (format!("{before}{marked}{after}"), Some(span))
}

#[test]
fn every_mistake_is_told_where_it_is() {
    let mut wrong = String::new();
    for (place, snippet, code, phrase) in mistakes() {
        let (source, span) = marked(place, snippet);
        let found = read(&source).map_or_else(|found| found, |(_, warnings)| warnings);
        let shown = render(&found, "x.toml", &source, false);
        let is_told = matches!(found.as_slice(), [problem] if problem.code == *code) && shown.contains(phrase);
        if !is_told || span.is_some_and(|span| found[0].origin != Origin::File(span)) {
            wrong += &format!("\n{snippet}\nis to be {code} there and say {phrase}, but is\n{shown}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_code_has_an_example() {
    let elsewhere = [&codes::TOO_LARGE, &codes::BAD_OVERRIDE, &codes::TOO_MANY].map(|code| code.id);
    for code in codes::ALL.iter().filter(|code| !elsewhere.contains(&code.id)) {
        assert!(mistakes().any(|(_, _, id, _)| *id == code.id), "{} has none", code.id);
    }
}

/// What a terminal shows.
#[test]
fn problems_look_like_rustcs() {
    let source = "scenario = 1\nabout = \"x\"\nduration = \"60s\"\n\n[protocol]\nname = \"toy\"\n\n[[load]]\n\n\
        [[fault]]\ndo = \"crash\"\nat = \"5s\"\ntarget = \"leeder\"\nexpect = { must = [\"linearizable\"] }\n";
    let shown = render(&read(source).unwrap_err(), "raft.toml", source, false);
    assert_eq!(shown, SHOWN, "{shown}");
}
const SHOWN: &str = r#"error[S0302]: `leeder` is not a target
  --> raft.toml:13:10
   |
13 | target = "leeder"
   |          ^^^^^^^^ did you mean `leader`?
   |
   = help: targets are `leader`, `follower`, `candidate`, `any`, `all`, `others`, `minority`, `majority`, `clients`, and n1, zone:.., region:.., provider:.., client:c1, each perhaps after `one of`, `2 of`, `half of`

error[S0107]: `expect` belongs at the top level, but this line is inside [[fault]] number 1
  --> raft.toml:14:1
   |
14 | expect = { must = ["linearizable"] }
   | ^^^^^^
   |
   = help: in TOML every key after a [header] belongs to it; give it a header of its own, [expect]

"#;
