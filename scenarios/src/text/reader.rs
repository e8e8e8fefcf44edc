//! A table read by its key table: unknown and missing keys are told at once, each key is then asked for by name.

use super::entry::{Absent, Entry, Section, Takes, quoted};
use super::quantity::{Given, did_you_mean};
use super::{Problems, Shape, Table, TableEntry, Value};
use crate::codes;
use crate::diagnostics::{Diagnostic, Origin};
use crate::sections;
use sim_core::dice::Ratio;
use sim_core::settings::{Kind, Setting};
use sim_core::time::Nanos;

/// Reads one table.
///
/// A getter gives the value of its key, or the default. It gives nothing only if the key has neither, or is broken and
/// has no default; what is broken has then been told.
pub(crate) struct Reader<'a> {
    table: &'a Table,
    entries: Vec<Entry>,
    problems: &'a Problems,
}

impl<'a> Reader<'a> {
    /// Reads `table` as this section.
    pub fn new(table: &'a Table, section: &Section, problems: &'a Problems) -> Self {
        Reader::numbered(table, section, section.title, problems)
    }

    /// Likewise; `place` says which of several tables it is, such as `[[fault]] number 2`.
    pub fn numbered(table: &'a Table, section: &Section, place: &str, problems: &'a Problems) -> Self {
        Reader::with_entries(table, section.title, section.entries().copied().collect(), place, problems)
    }

    /// Likewise, for keys that are known only now.
    pub fn with_entries(
        table: &'a Table,
        title: &str,
        entries: Vec<Entry>,
        place: &str,
        problems: &'a Problems,
    ) -> Self {
        let reader = Reader { table, entries, problems };
        reader.tell_unknown_keys(title, place);
        reader.tell_missing_keys(place);
        reader
    }

    fn tell_unknown_keys(&self, title: &str, place: &str) {
        let names: Vec<&str> = self.entries.iter().map(|entry| entry.name).collect();
        for written in self.table.entries.iter().filter(|written| !names.contains(&written.key.as_str())) {
            let key = &written.key;
            let problem = |code, message| Diagnostic::new(code, &written.key_origin, message);
            let homes = sections::homes(key);
            let kin = homes.iter().find(|home| sections::is_fault(title) && sections::is_fault(home.title));
            let diagnostic = match (kin, homes.first()) {
                (Some(kin), _) => problem(&codes::UNKNOWN_KEY, format!("unknown key `{key}` in {title}"))
                    .label(format!("{} takes it", kin.title))
                    .help(format!("{title} takes {}", quoted(&names))),
                (None, Some(home)) if home.title == sections::TOP.title => {
                    let message = format!("`{key}` belongs at the top level, but this line is inside {place}");
                    problem(&codes::MISPLACED_KEY, message).help(format!(
                        "in TOML every key after a [header] belongs to it; {}",
                        sections::cure_for_top_level(key)
                    ))
                }
                (None, Some(home)) => problem(&codes::MISPLACED_KEY, format!("`{key}` belongs in {}", home.title))
                    .label(format!("this is {place}"))
                    .help(format!("in TOML every key belongs to the [header] above it; write it below {}", home.title)),
                (None, None) => problem(&codes::UNKNOWN_KEY, format!("unknown key `{key}` in {title}"))
                    .label(did_you_mean(key, &names))
                    .help(format!("{title} takes {}", quoted(&names))),
            };
            self.problems.push(diagnostic);
        }
    }

    fn tell_missing_keys(&self, place: &str) {
        let required = self.entries.iter().filter(|entry| matches!(entry.absent, Absent::Error));
        for entry in required.filter(|entry| self.table.get(entry.name).is_none()) {
            let message = format!("{place} has no `{}`", entry.name);
            let help = format!("`{}` takes {}. {}", entry.name, entry.takes.noun(), entry.text);
            self.problems.push(Diagnostic::new(&codes::MISSING_KEY, &self.table.origin, message).help(help));
        }
    }

    fn entry(&self, key: &str) -> &Entry {
        self.entries.iter().find(|entry| entry.name == key).unwrap_or_else(|| panic!("the key table has no `{key}`"))
    }

    /// Whether the table takes this key.
    pub fn takes(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == key)
    }

    /// Whether the file sets this key.
    pub fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    /// Where the value of this key stands; its table, if it has none.
    pub fn origin(&self, key: &str) -> Origin {
        self.table.get(key).map_or(&self.table.origin, |value| &value.origin).clone()
    }

    /// The value of this key, if the file sets it.
    pub fn given(&self, key: &str) -> Option<Given<'a>> {
        let entry = *self.entry(key);
        self.table.get(key).map(|value| Given { key: entry.name, takes: entry.takes, value })
    }

    /// Tells a problem with the value of this key.
    pub fn tell(&self, code: &'static codes::Code, key: &str, message: impl Into<String>) {
        self.problems.push(Diagnostic::new(code, &self.origin(key), message));
    }

    /// The value of this key, however it is read.
    pub fn read<T>(&self, key: &str, read: impl Fn(&Given<'_>) -> Result<T, Diagnostic>) -> Option<T> {
        if let Some(value) = self.given(key).and_then(|given| self.problems.note(read(&given))) {
            return Some(value);
        }
        let entry = self.entry(key);
        let Absent::Is(default) = entry.absent else { return None };
        let value = default_value(default, entry.takes);
        let given = Given { key: entry.name, takes: entry.takes, value: &value };
        Some(read(&given).unwrap_or_else(|problem| panic!("the default of `{key}`: {}", problem.message)))
    }

    fn setting(&self, key: &str) -> Option<Setting> {
        let Takes::Setting(kind) = self.entry(key).takes else { panic!("`{key}` is not a setting") };
        self.read(key, |given| given.setting(kind))
    }

    /// The setting of a protocol's key.
    pub fn protocol_setting(&self, key: &str) -> Setting {
        self.setting(key).expect("every key of a protocol has a default")
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        let setting = self.setting(key)?;
        let Setting::Flag(flag) = setting else { mistyped(key, setting) };
        Some(flag)
    }

    pub fn count(&self, key: &str) -> Option<u64> {
        let setting = self.setting(key)?;
        let Setting::Count(count) = setting else { mistyped(key, setting) };
        Some(count)
    }

    pub fn time(&self, key: &str) -> Option<Nanos> {
        let setting = self.setting(key)?;
        let Setting::Duration(time) = setting else { mistyped(key, setting) };
        Some(time)
    }

    pub fn times(&self, key: &str) -> Option<(Nanos, Nanos)> {
        let setting = self.setting(key)?;
        let Setting::DurationRange(min, max) = setting else { mistyped(key, setting) };
        Some((min, max))
    }

    pub fn word(&self, key: &str) -> Option<&'static str> {
        let setting = self.setting(key)?;
        let Setting::Word(word) = setting else { mistyped(key, setting) };
        Some(word)
    }

    pub fn text(&self, key: &str) -> Option<String> {
        self.read(key, |given| given.text().map(str::to_owned))
    }

    pub fn name(&self, key: &str) -> Option<String> {
        self.read(key, |given| given.name().map(str::to_owned))
    }

    pub fn share(&self, key: &str) -> Option<Ratio> {
        self.read(key, |given| given.share())
    }

    /// The elements of a list of texts, each with where it stands; none if the key is not set.
    pub fn texts(&self, key: &str) -> Vec<(&'a str, &'a Origin)> {
        let Some(given) = self.given(key) else { return Vec::new() };
        let items = self.problems.note(given.list()).unwrap_or_default();
        let text = |item: &'a Value| self.problems.note(given.element(item).text()).map(|text| (text, &item.origin));
        items.iter().filter_map(text).collect()
    }

    /// The numbers of a table of counts, each with its name and where that stands; `None` if the key is not set.
    pub fn counts(&self, key: &str) -> Option<Vec<(&'a str, &'a Origin, u64)>> {
        const KIND: Kind = Kind::Count { min: 0, max: 1_000_000 };
        let table = self.problems.note(self.given(key)?.table())?;
        let count = |entry: &'a TableEntry| {
            let given = Given { key: &entry.key, takes: Takes::Setting(KIND), value: &entry.value };
            let Setting::Count(count) = self.problems.note(given.setting(KIND))? else { return None };
            Some((entry.key.as_str(), &entry.key_origin, count))
        };
        Some(table.entries.iter().filter_map(count).collect())
    }

    /// The table under this key, or an empty one.
    pub fn table(&self, key: &str) -> Option<&'a Table> {
        self.problems.note(self.given(key)?.table())
    }

    /// The tables under this key.
    pub fn tables(&self, key: &str) -> Vec<&'a Table> {
        let Some(given) = self.given(key) else { return Vec::new() };
        if let Shape::Table(table) = &given.value.shape {
            let message = format!("there can be several of `{key}`, so its header has two brackets");
            self.problems
                .push(Diagnostic::new(&codes::WRONG_TYPE, &table.origin, message).help(format!("write [[{key}]]")));
            return Vec::new();
        }
        let items = self.problems.note(given.list()).unwrap_or_default();
        items.iter().filter_map(|item| self.problems.note(given.element(item).table())).collect()
    }
}

/// A default as a value: what the key table writes without quotes, the file writes without quotes.
fn default_value(default: &str, takes: Takes) -> Value {
    let shape = if matches!(takes, Takes::Setting(Kind::Flag)) {
        Shape::Flag(default == "true")
    } else if takes.is_bare() {
        Shape::Number(default.to_owned())
    } else {
        Shape::Text(default.to_owned())
    };
    Value { shape, origin: Origin::Whole }
}

fn mistyped(key: &str, setting: Setting) -> ! {
    panic!("`{key}` holds {setting:?}: it is read as another kind than its key table says")
}
