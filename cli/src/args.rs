//! The command line's words.

use crate::seeds::{Seeds, Shard, seed};
use checkers::formats::Input;
use checkers::{Consistency, Model};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use reports::compare::Metric;
use std::path::PathBuf;

/// A deterministic simulator of distributed systems: is the system correct, how available was it beside the best
/// possible, and which seed shows the bug. One seed gives one run, bit for bit, on any machine.
#[derive(Parser, Debug)]
#[command(name = "stormglass", version, propagate_version = true, after_help = EXITS)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXITS: &str = "Examples:
  stormglass new first && stormglass run first.toml    write a scenario, and run it
  stormglass explain fault.crash                       what a word of a scenario means
  stormglass explain out/first-1                       why a run ended as it did
  stormglass test scenarios/files --seeds 100          scenarios as a test suite

Exit codes: 0 PASS, 1 FAIL, 2 bad usage or input, 3 UNKNOWN, 4 VACUOUS (nothing was tested),
5 not reproducible, 101 a bug of stormglass, 130 interrupted";

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Runs a scenario once and judges it
    #[command(after_help = RUN_EXAMPLES)]
    Run(Run),
    /// Reads scenarios and says what is wrong with them; runs nothing
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
    /// Judges a recorded history, ours or another tool's
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Verify),
    /// Runs scenarios as a test suite: each against its own expectations
    #[command(after_help = TEST_EXAMPLES)]
    Test(Test),
    /// Runs scenarios on many seeds into one database, and goes on where it ended
    #[command(after_help = SWEEP_EXAMPLES, after_long_help = SWEEP_LONG)]
    Sweep(Sweep),
    /// Runs systems through the same storms and says how far they are apart
    #[command(after_help = COMPARE_EXAMPLES, after_long_help = COMPARE_LONG)]
    Compare(Compare),
    /// Joins the databases of sweeps
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(Merge),
    /// Runs a scenario again, showing everything that happens
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay(Replay),
    /// Finds the smallest scenario that fails as a seed does
    #[command(after_help = SHRINK_EXAMPLES)]
    Shrink(Shrink),
    /// Draws the page of a run, or of a sweep, again from what is saved of it
    #[command(after_help = REPORT_EXAMPLES)]
    Report(Report),
    /// Lists what there is
    #[command(after_help = LIST_EXAMPLES)]
    List(List),
    /// Explains a word of a scenario or a report, or why a run ended as it did
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Explain),
    /// Writes a first scenario, which runs at once and explains itself
    #[command(after_help = NEW_EXAMPLES, alias = "init")]
    New(New),
    /// Prints what a scenario can hold as a JSON Schema, for editors
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema,
    /// Prints a script that completes commands and options in a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Prints the manual page of stormglass or of a command
    #[command(after_help = MAN_EXAMPLES)]
    Man(Man),
}

const RUN_EXAMPLES: &str = "Examples:
  stormglass run scenarios/files/raft/leader-partition.toml
  stormglass run leader-partition.toml --seed 42 --set protocol.pre-vote=false
  stormglass run leader-partition.toml --format json --trace jsonl --out out/look
  stormglass run leader-partition.toml --trace perfetto,shiviz
  stormglass run leader-partition.toml --twice";
const CHECK_EXAMPLES: &str = "Examples:
  stormglass check leader-partition.toml
  stormglass check scenarios/files/raft/*.toml
  stormglass check leader-partition.toml --plan --seed 42    what this seed will do, before it does
  stormglass check swarm.toml --resolved --seed 42    the same, as a file with nothing left to draw";
const VERIFY_EXAMPLES: &str = "Examples:
  stormglass verify out/leader-partition-1/history.jsonl --model kv
  stormglass verify etcd_000.log --model cas-register --out etcd_000
  stormglass verify history.edn --model list-append --level snapshot-isolation
  stormglass verify history.jsonl --model register --initial 0 --ladder --format json";
const TEST_EXAMPLES: &str = "Examples:
  stormglass test scenarios/files
  stormglass test leader-partition.toml --seeds 0..1000
  stormglass test scenarios/files --junit junit.xml";
const SWEEP_EXAMPLES: &str = "Examples:
  stormglass sweep leader-partition.toml --seeds 10000
  stormglass sweep swarm.toml --time 10m --max-failures 20
  stormglass sweep swarm.toml --seeds 0..1000000 --shard 2/8 --db shard-2.db";
const SWEEP_LONG: &str = concat!(
    "The database is one SQLite file. It holds one version and, under each name and variant, one scenario; a row of `runs` is \
     a function of version, scenario and seed, and holds no wall time, host or path. application_id is 0x53676c73, \
     user_version 2.\n\n",
    include_str!("store/tables.sql"),
    "
  sqlite3 out/swarm.db \"SELECT signature, count(*), min(seed) FROM runs WHERE verdict = 'FAIL' GROUP BY 1\"

Examples:
  stormglass sweep leader-partition.toml --seeds 10000
  stormglass sweep swarm.toml --time 10m --max-failures 20
  stormglass sweep swarm.toml --seeds 0..1000000 --shard 2/8 --db shard-2.db"
);
const COMPARE_EXAMPLES: &str = "Examples:
  stormglass compare raft.toml multi-paxos.toml --seeds 500
  stormglass compare scenarios/compare/three-regions/*.toml --seeds 0..500 --out out/three-regions
  stormglass compare three-regions/*.toml --metric availability,p99,stale --format json";
const COMPARE_LONG: &str = "The first scenario is the baseline. Every seed has to be the same storm for all: duration, machines and their clocks, \
links, faults, and who asks how often for which keys; where it is not, nothing is run, and it is said what differs. \
The protocol, its settings and flaws, the kind of data, and what is expected may differ. The variants of a [sweep] \
are compared as files are. `leader` means whoever leads in each system.

Differences are those of averages over the seeds that all have run: means, and medians of longest outages and response \
times. The interval is that of the percentile bootstrap over seeds, pairs staying together (Efron and Tibshirani, 1993).

Exit code: 0 if there was something to compare, whatever the runs came to; 4 if no seed was run by all; 130 if interrupted.

Examples:
  stormglass compare raft.toml multi-paxos.toml --seeds 500
  stormglass compare scenarios/compare/three-regions/*.toml --seeds 0..500 --out out/three-regions
  stormglass compare three-regions/*.toml --metric availability,p99,stale --format json";
const MERGE_EXAMPLES: &str = "Examples:
  stormglass merge whole.db shard-1.db shard-2.db shard-3.db
  stormglass merge out/swarm.db shard-*.db    adds to what is in out/swarm.db
  stormglass merge whole.db shard-*.db --format json";
const REPLAY_EXAMPLES: &str = "Examples:
  stormglass replay leader-partition.toml --seed 42 --from 9.9s --until 11s --node n1
  stormglass replay leader-partition.toml --seed 42 --until 2s | less
  stormglass replay out/leader-partition-42 --from 9.9s --node n1,n2
  stormglass replay out/leader-partition-42 --from 9s --until 11s --format perfetto > cut.pftrace
  stormglass replay leader-partition.toml --seed 42 --verify 9f31c2d0a1b2e07a
  stormglass replay leader-partition.toml --seed 42 --verify out/leader-partition-42";
const SHRINK_EXAMPLES: &str = "Examples:
  stormglass shrink swarm.toml --seed 118    writes swarm-118.min.toml
  stormglass shrink swarm.toml --seed 118 --set protocol.reads=lease --out stale-read.toml
  stormglass shrink swarm.toml --seed 118 --time 10m

Fails in the same way means: the same check, for the same kind of reason. The file holds one seed and, as far as the
failure survives it, nothing that is drawn. A file that is there is overwritten only if `shrink` wrote it.

Exit code: 0 if a file was written; if the run does not fail, that of the run, and nothing is written.";
const REPORT_EXAMPLES: &str = "Examples:
  stormglass report out/leader-partition-1
  stormglass report out/leader-partition-1 --out page.html
  stormglass report out/swarm.db    writes out/swarm.html";

const LIST_EXAMPLES: &str = "Examples:
  stormglass list              which lists there are
  stormglass list scenarios    those that ship, or those below this directory
  stormglass list checks       what [expect] can ask for; `explain` says more of each
  stormglass list models       what `verify` judges histories as; also levels, formats
  stormglass list flaws --format json";

const EXPLAIN_EXAMPLES: &str = "Examples:
  stormglass explain protocol.pre-vote      a key; also pre-vote alone
  stormglass explain crash                  a fault, a layout, a flaw, a system
  stormglass explain S0102                  the number of an error
  stormglass explain no lost writes         a check
  stormglass explain trace.jsonl            a file that `run --trace` writes
  stormglass explain out/leader-partition-1";
const NEW_EXAMPLES: &str = "Examples:
  stormglass new first                  writes first.toml
  stormglass new first --protocol NAME  for this system: see `stormglass list protocols`
  stormglass new first --out tests/first.toml";
const SCHEMA_EXAMPLES: &str = "Examples:
  stormglass schema > stormglass.schema.json    then top a scenario with #:schema and its path
  stormglass schema | jq '.definitions.\"fault.crash.disk\"'
  stormglass schema | less";
const COMPLETIONS_EXAMPLES: &str = "Examples:
  stormglass completions bash > ~/.local/share/bash-completion/completions/stormglass
  stormglass completions fish > ~/.config/fish/completions/stormglass.fish
  stormglass completions zsh > \"${fpath[1]}/_stormglass\"";
const MAN_EXAMPLES: &str = "Examples:
  stormglass man | man -l -
  stormglass man run | man -l -
  stormglass man --dir ~/.local/share/man/man1";

#[derive(Args, Debug)]
pub struct Run {
    /// The scenario
    pub file: PathBuf,
    /// The seed, decimal or 0x..; the scenario's own (usually 1) if not given
    #[arg(long, value_parser = seed, allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// Changes a key of the scenario, as in protocol.pre-vote=false
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Where to write report.html, its pictures, run.json and history.jsonl [default: out/NAME-SEED]
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Also write everything that happens, in one format or several (jsonl,perfetto)
    #[arg(long, value_enum, value_name = "FORMAT", value_delimiter = ',')]
    pub trace: Vec<Trace>,
    /// Run it twice and compare: exit code 5 and the first event that differs, if one does
    #[arg(long)]
    pub twice: bool,
    /// How to show how far it has come, if it takes longer than a second
    #[arg(long, value_enum, default_value_t)]
    pub progress: Progress,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Human,
    Json,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// trace.jsonl: a JSON object for each event; `explain trace.jsonl` says what is in it
    Jsonl,
    /// run.shiviz.log: who can have known of what, with vector clocks, for ShiViz
    Shiviz,
    /// run.pftrace: steps, flushes, messages, roles and faults over time, for ui.perfetto.dev
    Perfetto,
}

/// How a replay is told.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Told {
    /// A line for each event
    #[default]
    Text,
    /// A JSON object for each event, as in trace.jsonl
    Jsonl,
    /// A log for ShiViz
    Shiviz,
    /// A trace for ui.perfetto.dev; redirect it into a file
    Perfetto,
}

#[derive(Args, Debug)]
pub struct Check {
    /// The scenarios
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Print what the seed decides: drawn values, clocks, instants
    #[arg(long, group = "shown")]
    pub plan: bool,
    /// Print the scenario as the seed makes it, with nothing left to draw: a file that gives the same run
    #[arg(long, group = "shown")]
    pub resolved: bool,
    /// For which seed
    #[arg(long, value_parser = seed, allow_hyphen_values = true, requires = "shown")]
    pub seed: Option<u64>,
    /// Changes a key of the scenarios
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
}

/// How long `verify` searches if nothing is said.
pub const USUAL_BUDGET: &str = "60s";

/// How much memory it takes for that.
pub const USUAL_MEMORY: &str = "2GiB";

#[derive(Args, Debug)]
pub struct Verify {
    /// The history; `-` is what is piped in
    pub history: PathBuf,
    /// What it is a history of; `list models` says what each is
    #[arg(long, value_parser = names(Model::ALL, Model::name))]
    pub model: Option<Model>,
    /// What is demanded of it, as far as its model knows that [default: as much as the model can promise]; see `list levels`
    #[arg(long, value_parser = names(Consistency::ALL, Consistency::name), hide_possible_values = true)]
    pub level: Option<Consistency>,
    /// Also judge it at every level that its model knows, in one table
    #[arg(long)]
    pub ladder: bool,
    /// How it is written; `list formats` says what each is
    #[arg(long, default_value = "auto", value_parser = names(Input::ALL, Input::name))]
    pub input: Input,
    /// What objects hold at first, as JSON; else as the format has it
    #[arg(long, value_name = "VALUE")]
    pub initial: Option<String>,
    /// How long to search before the answer is UNKNOWN
    #[arg(long, default_value = USUAL_BUDGET, value_name = "DURATION", value_parser = duration)]
    pub budget: u64,
    /// How much a search may keep in mind before the answer is UNKNOWN
    #[arg(long, default_value = USUAL_MEMORY, value_name = "SIZE", value_parser = size)]
    pub memory: u64,
    /// Where to write report.html, its pictures, verify.json, and the operations of a violation as minimal.jsonl
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Args, Debug)]
pub struct Test {
    /// Scenarios, or directories with scenarios
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Seeds A..B (B excluded), or N for 0..N; else each scenario's own seed
    #[arg(long, value_parser = Seeds::parse_few)]
    pub seeds: Option<Seeds>,
    /// How many runs at once [default: one for each core]
    #[arg(long)]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// Also write the results as JUnit XML
    #[arg(long)]
    pub junit: Option<PathBuf>,
    /// Also lay what was measured over what papers published (each published.toml in the directories), as a page
    #[arg(long, value_name = "FILE.html")]
    pub figures: Option<PathBuf>,
    /// How to show how far it has come
    #[arg(long, value_enum, default_value_t)]
    pub progress: Progress,
}

#[derive(Args, Debug)]
pub struct Sweep {
    /// The scenarios
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Seeds A..B (B excluded), or N for 0..N; else as many as the scenario's [sweep] says, else 1000
    #[arg(long, value_parser = Seeds::parse)]
    pub seeds: Option<Seeds>,
    /// How many runs at once [default: one for each core]
    #[arg(long)]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// Where the runs go; those that are there are not run again [default: out/NAME.db; of several files out/sweep.db]
    #[arg(long, value_name = "FILE.db")]
    pub db: Option<PathBuf>,
    /// Only a part of the seeds of every variant: those that leave the remainder I - 1 when divided by N
    #[arg(long, value_name = "I/N", value_parser = Shard::parse)]
    pub shard: Option<Shard>,
    /// End after so many more runs have failed
    #[arg(long, value_name = "K")]
    pub max_failures: Option<std::num::NonZeroU64>,
    /// End after so long
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub time: Option<u64>,
    /// Changes a key of the scenarios; a key of a matrix is then no longer varied
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// How to show how far it has come
    #[arg(long, value_enum, default_value_t)]
    pub progress: Progress,
}

#[derive(Args, Debug)]
pub struct Compare {
    /// The scenarios, the baseline first; of one with a [sweep] its variants
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Seeds A..B (B excluded), or N for 0..N
    #[arg(long, value_parser = Seeds::parse_few, default_value = "500")]
    pub seeds: Seeds,
    /// How many runs at once [default: one for each core]
    #[arg(long)]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// Where the runs go; those that are there are not run again
    #[arg(long, value_name = "FILE.db", default_value = "out/compare.db")]
    pub db: PathBuf,
    /// Also write compare.html and its pictures to this directory
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// By these alone
    #[arg(long, value_name = "METRIC", value_delimiter = ',', value_parser = names(Metric::ALL, Metric::name))]
    pub metric: Vec<Metric>,
    /// Changes a key of all scenarios
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// How to show how far it has come
    #[arg(long, value_enum, default_value_t)]
    pub progress: Progress,
}

#[derive(Args, Debug)]
pub struct Merge {
    /// What the others are joined into; if it is there, it is added to
    #[arg(value_name = "OUT.db")]
    pub out: PathBuf,
    /// What is joined
    #[arg(required = true, value_name = "SHARD.db")]
    pub shards: Vec<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// All of it is on standard error.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// A bar on a terminal, lines elsewhere
    #[default]
    Auto,
    /// A bar, if there is a terminal to draw it on
    Bar,
    /// A line after 1 s, 2 s, 5 s, 10 s, and then every 30 s
    Plain,
    /// Nothing
    None,
}

#[derive(Args, Debug)]
pub struct Replay {
    /// The scenario, or the directory of a run: then it is that run which is shown, and compared with its record
    #[arg(value_name = "FILE|RUNDIR")]
    pub file: PathBuf,
    /// The seed; the scenario's own, or the run's, if not given
    #[arg(long, value_parser = seed, allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// Changes a key of the scenario
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Show nothing before this time
    #[arg(long, value_parser = duration)]
    pub from: Option<u64>,
    /// Show nothing after this time
    #[arg(long, value_parser = duration)]
    pub until: Option<u64>,
    /// Show only what concerns this node, client or fault, such as n1 or c3; several: n1,c3
    #[arg(long, value_delimiter = ',')]
    pub node: Vec<String>,
    /// How to show it
    #[arg(long, value_enum, default_value_t)]
    pub format: Told,
    /// Compare with an earlier run, by its fingerprint or its directory; alone, nothing is shown but the answer
    #[arg(long, value_name = "FINGERPRINT|RUNDIR")]
    pub verify: Option<String>,
}

#[derive(Args, Debug)]
pub struct Shrink {
    /// The scenario
    pub file: PathBuf,
    /// The seed that fails; the scenario's own if not given
    #[arg(long, value_parser = seed, allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// Changes a key of the scenario
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Where to write it [default: NAME-SEED.min.toml]
    #[arg(long, value_name = "MIN.toml")]
    pub out: Option<PathBuf>,
    /// How long to try at most
    #[arg(long, default_value = "60s", value_parser = duration)]
    pub time: u64,
    /// How to show how far it has come
    #[arg(long, value_enum, default_value_t)]
    pub progress: Progress,
}

#[derive(Args, Debug)]
pub struct Report {
    /// The directory of a run, or its run.json; or the database of a sweep
    #[arg(value_name = "RUNDIR|FILE.db")]
    pub run: PathBuf,
    /// Write the page here, and no pictures beside it [default: report.html and the pictures into RUNDIR; of FILE.db FILE.html]
    #[arg(long, value_name = "F.html")]
    pub out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct List {
    /// Of what; without it, which lists there are
    #[arg(value_enum)]
    pub kind: Option<Kind>,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Args, Debug)]
pub struct Explain {
    /// A key, a section, a code, a check, a flaw, a fault, a layout, a system, or a run's directory
    #[arg(value_name = "KEY|CODE|RUNDIR")]
    pub word: Vec<String>,
}

#[derive(Args, Debug)]
pub struct New {
    /// What the scenario is called; it goes to NAME.toml
    pub name: String,
    /// The system that it runs [default: the first of `list protocols`]
    #[arg(long)]
    pub protocol: Option<String>,
    /// Where it goes instead
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Completions {
    /// For which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub struct Man {
    /// The command
    pub command: Option<String>,
    /// Write all pages to this directory
    #[arg(long, conflicts_with = "command")]
    pub dir: Option<PathBuf>,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Protocols,
    Faults,
    Flaws,
    Checks,
    Layouts,
    Scenarios,
    Models,
    Levels,
    Formats,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, as in protocol.pre-vote=false")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

fn duration(text: &str) -> Result<u64, String> {
    scenarios::parse_duration(text)
}

fn size(text: &str) -> Result<u64, String> {
    scenarios::parse_size(text)
}

/// Takes the names of these and nothing else, lists them in help and errors, and lets shells complete them.
fn names<T, const N: usize>(all: [T; N], name: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.map(name))
        .map(move |text| all.into_iter().find(|one| name(*one) == text).expect("clap lets through what is on the list"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_words_fit_together() {
        Cli::command().debug_assert();
    }
}
