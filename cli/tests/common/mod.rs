//! The words that the stories of these tests are told in.
#![allow(dead_code, reason = "every file of tests uses a part of it")]

use std::collections::BTreeMap;
use std::fs;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Three nodes, three clients, two seconds, and nothing goes wrong. It ends within `[expect]`, and more can follow.
pub const CALM: &str = r#"scenario = 1
about = "A calm sea."
duration = "2s"
settle = "2s"
[cluster]
nodes = 3
[protocol]
name = "raft"
[[load]]
clients = 3
data = "kv"
keys = { count = 5 }
ops = { read = 50, write = 50 }
[expect]
must = ["linearizable", "no lost writes"]
"#;

/// To follow it: for half a second the leader is cut off. What is expected holds all the same.
pub const CUT: &str = r#"[[fault]]
do = "partition"
at = "1s"
for = "500ms"
groups = [["leader"], ["others"]]
"#;

/// A leader that is cut off answers reads from what it remembers, and clients see old values.
pub const STALE_READS: &str = r#"scenario = 1
about = "A deposed leader answers reads."
duration = "4s"
settle = "2s"
[cluster]
nodes = 5
[protocol]
name = "raft"
check-quorum = false
flaws = ["read-without-quorum"]
[[load]]
name = "readers"
clients = 5
data = "kv"
ops = { read = 1 }
keys = { count = 3 }
timeout = "500ms"
[[load]]
name = "writers"
clients = 5
data = "kv"
ops = { write = 1 }
keys = { count = 3 }
timeout = "500ms"
[[fault]]
do = "partition"
at = "2s"
for = "1s"
groups = [["leader"], ["others"]]
[expect]
must = ["linearizable"]
"#;

/// A directory of a test's own, empty at first.
pub struct Scratch {
    dir: PathBuf,
}

impl Scratch {
    /// Named by the line that asks for it, so that no two tests share one.
    #[track_caller]
    pub fn new() -> Self {
        let asked = Location::caller();
        let stem = Path::new(asked.file()).file_stem().expect("a source file has a name");
        let name = format!("{}-{}-{}", stem.to_string_lossy(), asked.line(), asked.column());
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir).expect("an earlier test's directory can be removed");
        }
        fs::create_dir_all(&dir).expect("the target directory can be written to");
        Scratch { dir }
    }

    /// With this scenario in it, as `storm.toml`.
    #[track_caller]
    pub fn with(scenario: &str) -> Self {
        let scratch = Scratch::new();
        scratch.write("storm.toml", scenario);
        scratch
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file stands in a directory")).expect("it can be made");
        fs::write(path, content).expect("the scratch directory can be written to");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The command, about to run here: in UTF-8, without colours, and with nothing of this machine's own taste.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
        command.current_dir(&self.dir).args(args).env("LC_ALL", "C.UTF-8");
        for name in ["LC_CTYPE", "LANG", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM", "COLUMNS"] {
            command.env_remove(name);
        }
        command
    }

    pub fn stormglass(&self, args: &[&str]) -> Told {
        Told::by(self.command(args))
    }

    /// What `run --format json` prints of a scenario here; nothing else is printed.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> serde_json::Value {
        let told = self.stormglass(&[&["run"], args, &["--format", "json"]].concat());
        assert_eq!(told.out.lines().count(), 1, "one object, on one line: {told:?}");
        serde_json::from_str(&told.out).unwrap_or_else(|e| panic!("{e}: {told:?}"))
    }

    #[track_caller]
    pub fn fingerprint(&self, args: &[&str]) -> String {
        self.run(args)["fingerprint"].as_str().expect("a fingerprint is a text").to_owned()
    }

    /// Runs what is wrong: exit code 2, one message on standard error, nothing on standard output, and no file made,
    /// changed or removed. Gives the message.
    #[track_caller]
    pub fn refused(&self, args: &[&str]) -> String {
        let before = self.files();
        let told = self.stormglass(args);
        assert_eq!(told.code, 2, "{args:?}: {told:?}");
        assert_eq!(told.out, "", "{args:?}: {told:?}");
        let errors = told.err.lines().filter(|line| line.starts_with("error")).count();
        assert_eq!(errors, 1, "one message: {args:?}: {told:?}");
        assert!(!told.err.contains('\u{1b}') && !told.err.contains("panicked"), "{args:?}: {told:?}");
        assert!(told.err.len() < 2000, "a message that can be read: {} bytes of {args:?}", told.err.len());
        assert_eq!(self.files().keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{args:?}");
        assert!(self.files() == before, "{args:?} changed a file");
        told.err
    }

    /// Every file and directory below, with what is in it.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.dir.clone()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).expect("the scratch directory can be read") {
                let path = entry.expect("the scratch directory can be read").path();
                if path.is_dir() {
                    open.push(path.clone());
                    found.insert(path, Vec::new());
                } else {
                    let content = fs::read(&path).expect("it can be read");
                    found.insert(path, content);
                }
            }
        }
        found
    }
}

/// What a command answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Told {
    pub fn by(mut command: Command) -> Self {
        Told::of(command.output().expect("the command starts"))
    }

    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is printed is text");
        let code = output.status.code().expect("it ended by itself");
        Told { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// The words after `name` on the line that begins with it.
    #[track_caller]
    pub fn line(&self, name: &str) -> &str {
        let mut lines = self.out.lines().filter_map(|line| line.trim_start().strip_prefix(name));
        lines.next().unwrap_or_else(|| panic!("no line begins with `{name}`: {self:?}")).trim()
    }
}

/// The text holds all of these.
#[track_caller]
pub fn assert_tells(text: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(text.contains(wanted), "`{wanted}` is missing in:\n{text}");
    }
}
