//! A scenario: what its author meant. Ranges are still ranges, and `leader` is whoever leads when it matters; a seed turns
//! it into a plan.

use crate::layout::Layout;
use crate::nemesis::Nemesis;
use crate::sections::DELAY_MAX;
use crate::systems::DataKind;
use history::Draw;
use sim_core::dice::Ratio;
use sim_core::fault::{Event, FaultKind};
use sim_core::promise::Guarantee;
use sim_core::settings::{Flaws, Values};
use sim_core::time::{Nanos, SECOND};
use sim_core::workload::Scripted;
use std::collections::BTreeSet;

/// Everything that a scenario file says, or means by not saying it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What lists and reports call it.
    pub name: String,
    /// What one learns from it; may be empty.
    pub about: String,
    /// How long load and faults last.
    pub duration: Nanos,
    /// How long the quiet time after that lasts.
    pub settle: Nanos,
    /// The seed where the command line gives none.
    pub seed: u64,
    /// The machines.
    pub cluster: Cluster,
    /// Where they stand and what lies between.
    pub layout: Layout,
    /// The system under test.
    pub protocol: Protocol,
    /// Who asks for what. Clients are numbered through all loads, in this order.
    pub loads: Vec<Load>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What draws further faults; `None` if nothing does, or when they have been drawn.
    pub nemesis: Option<Nemesis>,
    /// What the run is judged by.
    pub expect: Expect,
    /// What the seed decided of it, in the order of the file.
    pub draws: Vec<Draw>,
}

/// The machines that run the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// By node, the number of its zone in [`Layout::zones`].
    pub zones: Vec<usize>,
    /// How wrong clocks are.
    pub clock: Clock,
    /// How long until written records are on disk.
    pub fsync: DelaySpec,
    /// How long a node works on one message.
    pub cpu: DelaySpec,
}

/// How wrong the nodes' clocks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Each clock's rate is drawn from 1 ± this.
    pub drift: Ratio,
    /// Each clock begins off by a time drawn from this range (both ends included), in nanoseconds.
    pub offset: (i64, i64),
}

/// A delay as its author describes it; [`crate::delay::table`] makes one that can be drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DelaySpec {
    /// Always the same.
    Fixed(Nanos),
    /// Uniform between the two, both included.
    Uniform {
        /// The shortest.
        min: Nanos,
        /// The longest.
        max: Nanos,
    },
    /// Exponential.
    Exp {
        /// Their average.
        mean: Nanos,
    },
    /// Log-normal.
    LogNormal {
        /// Half are shorter. Not 0.
        median: Nanos,
        /// 99 of 100 are shorter. At least the median.
        p99: Nanos,
    },
    /// A fat tail above a shortest delay, for a share of them; the rest is exponential.
    Pareto {
        /// The shortest of the tail.
        min: Nanos,
        /// How thin the tail is, in millionths.
        shape: u64,
        /// How many are of the tail, in millionths.
        share: u64,
        /// The average of the rest.
        mean: Nanos,
    },
}

/// The system under test and its settings.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// One of the systems the parser was given.
    pub name: &'static str,
    /// The role whose one holder serves the clients, if the system has one.
    pub serving: Option<&'static str>,
    /// Whether copies of its keys become alike only in time, and its nodes show what they keep.
    pub reveals: bool,
    /// A value for each of its keys; the system's own check has accepted them.
    pub values: Values,
    /// The mistakes switched on.
    pub flaws: Flaws,
}

/// A group of clients and what they ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// Its own name; no two are alike.
    pub name: String,
    /// What they operate on.
    pub data: DataKind,
    /// By client, the number of its zone in [`Layout::zones`].
    pub zones: Vec<usize>,
    /// When the next operation begins.
    pub model: Model,
    /// How often each function is asked for: (number in [`DataKind::functions`], weight above 0). Of a script, none.
    pub ops: Vec<(usize, u64)>,
    /// Which keys; one key for data without keys. Of a script, as many as there are up to the last that it names.
    pub keys: Keys,
    /// How long a client waits for an operation.
    pub timeout: Nanos,
    /// How long it waits for one answer before it asks again.
    pub retry: Nanos,
    /// When it begins.
    pub from: Nanos,
    /// When it ends; at most the scenario's duration.
    pub until: Nanos,
}

impl Load {
    /// The shape of the distances between the operations that each client of this load begins, if together they begin so
    /// many a second.
    pub fn gap(&self, per_second: Ratio, arrivals: Arrivals) -> DelaySpec {
        let second = u128::from(SECOND) * self.zones.len() as u128;
        let gap = second * u128::from(per_second.denominator) / u128::from(per_second.numerator);
        let gap = u64::try_from(gap).unwrap_or(u64::MAX).clamp(1, DELAY_MAX);
        match arrivals {
            Arrivals::Constant => DelaySpec::Fixed(gap),
            Arrivals::Poisson => DelaySpec::Exp { mean: gap },
        }
    }

    /// The keys that its clients ask for, in order.
    pub fn touched(&self) -> Vec<u32> {
        match &self.model {
            Model::Closed { .. } | Model::Open { .. } => (0..self.keys.count).collect(),
            Model::Script { operations } => {
                let keys: BTreeSet<u32> = operations.iter().map(|scripted| scripted.key).collect();
                keys.into_iter().collect()
            }
        }
    }
}

/// When the next operation begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Model {
    /// When the last was answered and the client has thought.
    Closed {
        /// How long it thinks.
        think: DelaySpec,
    },
    /// At a rate, answered or not.
    Open {
        /// Operations per second that all clients of the load begin together. Not 0.
        per_second: Ratio,
        /// At equal distances or by chance.
        arrivals: Arrivals,
    },
    /// At its own time, answered or not.
    Script {
        /// What is asked, in the order of time.
        operations: Vec<Scripted>,
    },
}

/// How an open load's operations follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// At equal distances.
    Constant,
    /// At exponential distances.
    Poisson,
}

/// How keys are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// How many.
    pub count: u32,
    /// The k-th has the weight 1 / k^skew; 0 makes all alike.
    pub skew: Ratio,
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its own name, or `<do>-<k>` with k counted within its kind from 1; no two are alike.
    pub name: String,
    /// What it is a part of, if it is: of such faults together one has to have an effect.
    pub part_of: Option<String>,
    /// Why it is there, in the author's words.
    pub why: Option<String>,
    /// What happens.
    pub action: Action,
    /// When.
    pub timing: Timing,
    /// How long it lasts, drawn between the two for each strike; to the end of the load if `None`. [`Timing::During`]
    /// says itself when it ends.
    pub length: Option<(Nanos, Nanos)>,
}

/// What a fault does, with delays as the author describes them.
pub type Action = FaultKind<DelaySpec>;

/// When a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Once, at an instant drawn between the two.
    At {
        /// At the earliest.
        from: Nanos,
        /// At the latest.
        to: Nanos,
    },
    /// Once, from then to then.
    During {
        /// When it begins.
        from: Nanos,
        /// When it ends.
        to: Nanos,
    },
    /// Again and again, as long as the scenario lasts.
    Every {
        /// It strikes at this time, at twice this time, …
        period: Nanos,
        /// … each drawn up to this much later …
        jitter: Nanos,
        /// … but no more than so many times.
        times: Option<u32>,
    },
    /// When something happens.
    Event {
        /// What.
        event: Event,
        /// It strikes this much later.
        after: Nanos,
        /// How many times at most.
        times: u32,
        /// Only then, and it ends with this.
        within: Option<(Nanos, Nanos)>,
    },
}

/// What a run is judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// What has to hold.
    pub must: Vec<Expectation>,
    /// What is reported and fails nothing.
    pub should: Vec<Expectation>,
    /// What has to happen for the run to count.
    pub reach: Vec<Goal>,
    /// The checks the scenario is made to violate: sentences of `must`, or laws of the system.
    pub shows: Vec<String>,
}

/// A sentence of `must` or `should`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// As the file writes it.
    pub text: String,
    /// What it means.
    pub check: Check,
    /// Whether the system promises it, in words; `None` where there is nothing to promise.
    pub promise: Option<String>,
}

/// What can be expected of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// `linearizable`
    Linearizable,
    /// `linearizable writes`
    LinearizableWrites,
    /// `no lost writes`
    NoLostWrites,
    /// `no resurrected deletes`
    NoResurrection,
    /// `sequential`, `read your writes`
    Consistent(Guarantee),
    /// `stale reads <= 5%`
    StaleReads {
        /// Their share of all reads.
        at_most: Ratio,
    },
    /// `siblings(max) <= 8`
    Siblings {
        /// How many a read returned.
        at_most: u64,
    },
    /// `converged`, `converged within 30s`
    Converged {
        /// How soon after everything healed; by the end if nothing is said.
        within: Option<Nanos>,
    },
    /// `hints delivered`, `hints delivered within 20s`
    HintsDelivered {
        /// Likewise.
        within: Option<Nanos>,
    },
    /// `availability >= 97%`
    Availability {
        /// The share of operations served in time.
        at_least: Ratio,
    },
    /// `recovery <= 2s`
    Recovery {
        /// The longest outage.
        at_most: Nanos,
    },
    /// `p99(read) <= 400ms`
    Latency {
        /// Which quantile, of one: `p99.9` is 999/1000, `max` is 1/1.
        quantile: Ratio,
        /// Of the operations of this function only.
        function: Option<String>,
        /// How long they took.
        at_most: Nanos,
    },
    /// `leader changes <= 3`
    RoleChanges {
        /// Which role.
        role: String,
        /// How often it changed hands.
        at_most: u64,
    },
    /// `detection <= 2s`
    Detection {
        /// How soon every node that is up takes a crashed one to be down.
        within: Nanos,
    },
    /// `mistakes <= 5`, `mistakes(healthy) <= 5`
    Mistakes {
        /// Only of and by nodes that no fault struck.
        healthy: bool,
        /// How often a node that is up is taken to be down.
        at_most: u64,
    },
    /// `query accuracy >= 99.9%`
    QueryAccuracy {
        /// For how much of the time a node that is up is taken to be up.
        at_least: Ratio,
    },
    /// `p99.9(read) in 640us..680us`, `fresh reads of 2 versions in 55%..56%`
    Figure(Figure),
}

/// A quantity and the range in which it should be, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figure {
    /// A time.
    Time(TimeOf, Nanos, Nanos),
    /// A share.
    Share(ShareOf, Ratio, Ratio),
    /// A number.
    Count(CountOf, u64, u64),
}

/// What is told of many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// Such as `p99`: which, of one.
    Quantile(Ratio),
    /// `mean`
    Mean,
}

/// Something that can be counted in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountOf {
    /// `mistakes`, `mistakes(healthy)`
    Mistakes {
        /// Only of and by nodes that no fault struck.
        healthy: bool,
    },
}

/// A time that can be measured of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeOf {
    /// `p99.9(read)`: a quantile of how long operations took.
    Latency {
        /// Which, of one.
        quantile: Ratio,
        /// Of the operations of this function only.
        function: Option<String>,
    },
    /// `visible(99.9%)`: how long after a write was acknowledged this share of reads returns it or a newer one.
    Visible {
        /// Of those asked for at that moment.
        share: Ratio,
    },
    /// `detection(p99)`, `first detection(mean)`: how long after a crash a node that is up takes the crashed one to be down.
    Detection {
        /// Of all of these times.
        statistic: Statistic,
        /// Of the first to do so after each crash only.
        is_first: bool,
    },
    /// `mistake recurrence`: the mean time from one mistake to the next.
    MistakeRecurrence,
    /// `mistake duration`: the mean time until a mistake is corrected.
    MistakeDuration,
}

/// A share of what happened in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareOf {
    /// `fresh reads within 5us`: of those asked for this soon after a write was acknowledged, those that return it or a newer
    /// one.
    FreshWithin {
        /// How soon.
        age: Nanos,
    },
    /// `query accuracy`: of the time, that in which a node that is up is taken to be up.
    QueryAccuracy,
    /// `fresh reads of 2 versions`: those that return one of so many writes acknowledged last, or a newer one.
    FreshOf {
        /// How many.
        versions: u64,
    },
}

/// A sentence of `reach`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// As the file writes it.
    pub text: String,
    /// What it means.
    pub goal: Reach,
}

/// What a run can be made to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// `leader elected >= 2 times`
    RoleTaken {
        /// Which role.
        role: String,
        /// How often, in terms not seen before.
        at_least: u64,
    },
    /// `every fault had an effect`
    EveryFaultHadAnEffect,
    /// `operations >= 500`
    Operations {
        /// How many were served.
        at_least: u64,
    },
}
