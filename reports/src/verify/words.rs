//! What models, levels and formats are called, and what they mean, in a sentence or two for `list`, `explain` and pages.

use checkers::{Consistency, Model};

/// What a history of this model is, and how its operations are written.
pub fn of_model(model: Model) -> &'static str {
    match model {
        Model::CasRegister => {
            "One register with compare-and-set: `write 3`, `read` → 3, `cas [3,4]`, which fails where it finds another value."
        }
        Model::Register => "One register: `write 3`, `read` → 3.",
        Model::Kv => {
            "A register for each key: `write [k,3]`, `read [k,null]` → [k,3], `cas`, `append`; a text store too."
        }
        Model::Queue => "A queue, first in, first out: `enqueue 3`, `dequeue` → 3.",
        Model::Stack => "A stack, last in, first out: `push 3`, `pop` → 3.",
        Model::Set => "A set that only grows: `add 3`, `read` → all that is in it.",
        Model::SetFull => "A set that only grows, and when each element became visible and whether it stayed.",
        Model::Mutex => "A lock, which at most one process holds: `acquire`, `release`.",
        Model::Counter => "A counter: `add 3`, `read` → the sum.",
        Model::Bank => "Accounts whose total never changes: `transfer`, `read` → all balances.",
        Model::ListAppend => {
            "Transactions on lists: `txn [[append k 3] [r k [1 2 3]]]`, each element appended once (Elle)."
        }
        Model::RwRegister => {
            "Transactions on registers: `txn [[w k 3] [r k 3]]`, each value written once (Elle, AWDIT)."
        }
        Model::LongFork => {
            "Transactions that write one key or read several: two reads may not see two writes in opposite orders."
        }
        Model::UniqueIds => "Identifiers: `generate` → each at most once.",
        Model::Decree => {
            "A decree for each key, decided once: `propose [k,3]` → [k,what was decided], `read [k,null]` → the same, or null before."
        }
        Model::Siblings => {
            "Versions side by side at each key: `write [k,[3,[1,2]]]` replaces 1 and 2, `blind [k,3]`, `delete [k,[3]]`, `read` → [k,[3,4]]."
        }
        Model::Cart => {
            "A shopping cart at each key, merged by its clients: `add [k,3]`, `remove [k,3]`, `read` → [k,[[1,3],[2]]]."
        }
    }
}

/// What a history keeps or breaks, as a noun: the level demanded, or what the model itself demands.
pub fn demand(model: Model, level: Option<Consistency>) -> &'static str {
    match (level.or(model.usual_level()), model) {
        (Some(level), _) => noun(level),
        (None, Model::SetFull) => "the promise that what was added stays",
        (None, Model::Bank) => "the total of all accounts",
        (None, Model::LongFork) => "one order of all writes",
        (None, Model::UniqueIds) => "the promise that no identifier comes twice",
        (None, Model::Siblings) => "the promise that nothing is lost, and nothing deleted comes back",
        (None, Model::Cart) => "the promise that no item is lost",
        (
            None,
            Model::CasRegister
            | Model::Register
            | Model::Kv
            | Model::Queue
            | Model::Stack
            | Model::Set
            | Model::Mutex
            | Model::Counter
            | Model::ListAppend
            | Model::RwRegister
            | Model::Decree,
        ) => "its specification",
    }
}

fn noun(level: Consistency) -> &'static str {
    match level {
        Consistency::Linearizable => "linearizability",
        Consistency::Sequential => "sequential consistency",
        Consistency::CausalConvergence => "causal convergence",
        Consistency::CausalMemory => "causal memory",
        Consistency::Causal => "causal consistency",
        Consistency::Pram => "PRAM consistency",
        Consistency::ReadYourWrites => "read-your-writes",
        Consistency::MonotonicReads => "monotonic reads",
        Consistency::MonotonicWrites => "monotonic writes",
        Consistency::WritesFollowReads => "writes-follow-reads",
        Consistency::StrictSerializable => "strict serializability",
        Consistency::StrongSessionSerializable => "strong session serializability",
        Consistency::Serializable => "serializability",
        Consistency::SnapshotIsolation => "snapshot isolation",
        Consistency::RepeatableRead => "repeatable read",
        Consistency::ReadAtomic => "read atomic",
        Consistency::ReadCommitted => "read committed",
        Consistency::ReadUncommitted => "read uncommitted",
    }
}

/// What a level demands.
pub fn of_level(level: Consistency) -> &'static str {
    match level {
        Consistency::Linearizable => {
            "Every operation can be put at one instant between its call and its answer, so that the results are those of one copy."
        }
        Consistency::Sequential => {
            "One order of all operations explains every result and keeps the order of each process; real time does not count."
        }
        Consistency::CausalConvergence => {
            "Causal, and all processes agree on one order of conflicting writes, so that they end up with the same."
        }
        Consistency::CausalMemory => {
            "Causal, and each process's own reads and writes fit one order of what it has seen."
        }
        Consistency::Causal => "Nobody sees an effect without its cause: who sees a write sees what came before it.",
        Consistency::Pram => "Everybody sees each process's writes in the order in which it made them.",
        Consistency::ReadYourWrites => "A process sees what it wrote itself, or something later.",
        Consistency::MonotonicReads => "A process that saw something never sees anything older.",
        Consistency::MonotonicWrites => "A process's writes are seen in the order in which it made them.",
        Consistency::WritesFollowReads => "What a process writes after a read is seen after what it had read.",
        Consistency::StrictSerializable => {
            "As if one transaction ran after the other, in an order that real time allows."
        }
        Consistency::StrongSessionSerializable => {
            "As if one transaction ran after the other, in an order that keeps that of each process."
        }
        Consistency::Serializable => "As if one transaction ran after the other, in whatever order.",
        Consistency::SnapshotIsolation => {
            "Each transaction reads one state of the past, and of two at once that write the same only one commits."
        }
        Consistency::RepeatableRead => "No cycle of dependencies between items that transactions read and wrote.",
        Consistency::ReadAtomic => "Of each transaction, others see all or nothing.",
        Consistency::ReadCommitted => {
            "Nobody reads what was aborted or was not final, and information does not flow in circles."
        }
        Consistency::ReadUncommitted => "The writes of transactions do not form cycles; of reads nothing is demanded.",
    }
}

/// What a format of `--input` is, by its name; nothing for one that needs no words.
pub fn of_format(name: &str) -> &'static str {
    const FORMATS: [(&str, &str); 10] = [
        ("auto", "Whichever the file looks like."),
        ("jsonl", "JSON Lines, one event a line, in the Jepsen shape: what `stormglass run` writes as history.jsonl."),
        ("porcupine", "The logs that porcupine reads: Jepsen's of etcd, and its own of string stores."),
        ("edn", "Jepsen's, Elle's, Knossos's and Maelstrom's histories in EDN: one map a line, or one list of maps."),
        (
            "jepsen",
            "Jepsen's, Elle's, Knossos's and Maelstrom's histories in EDN: one map a line, or one list of maps.",
        ),
        ("json", "Jepsen's histories as one JSON array."),
        ("jepsen-json", "Jepsen's histories as one JSON array."),
        (
            "violin",
            "Violin's histories of concurrent objects: `# @object atomic-queue`, `[1] call add(3)`, `[1] return`.",
        ),
        ("awdit", "AWDIT's transactions: `r KEY VALUE` and `w KEY VALUE`, parted by lines of dashes."),
        ("maelstrom", "Maelstrom's histories, in EDN."),
    ];
    FORMATS.iter().find(|(known, _)| *known == name).map_or("", |(_, about)| about)
}

/// What a model or a level is, by its name.
pub fn explained(word: &str) -> Option<(&'static str, &'static str)> {
    let model = Model::from_name(word).map(|model| ("a model of `verify`", of_model(model)));
    let level = || Consistency::from_name(word).map(|level| ("a level of `verify`", of_level(level)));
    let format = || Some(("a format of `verify --input`", of_format(word))).filter(|(_, about)| !about.is_empty());
    model.or_else(level).or_else(format)
}
