//! A run as JSON: the record as it is, and on the command line the time it took.

use history::RunRecord;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io::{Result, Write};

/// The text of `run.json`. The same run gives the same text: a line for each field, and where that is a list, for each of
/// its elements.
pub fn record(record: &RunRecord) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, Lines::default());
    record.serialize(&mut serializer).expect("plain data serializes");
    text.push(b'\n');
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// One line for `run --format json`: what was found, and at its end how long the run took on this machine. What a page
/// draws, and the whole scenario, are in `run.json` only.
///
/// # Panics
/// Never: a record is an object.
pub fn line(record: &RunRecord, wall_ns: u64) -> String {
    let mut record = RunRecord { picture: None, ..record.clone() };
    if let Some(source) = &mut record.source {
        source.resolved.clear();
    }
    // Put together as text: an object of `serde_json` would forget the order of the fields.
    let object = serde_json::to_string(&record).expect("plain data serializes");
    let fields = object.strip_suffix('}').expect("a record is an object");
    format!("{fields},\"wall_ns\":{wall_ns}}}")
}

/// Lays out an object so that one can read it, and so that a thousand numbers do not take a thousand lines.
#[derive(Default)]
struct Lines {
    /// How many lists and objects are open.
    depth: u32,
    /// Whether the one that ends now held anything.
    has_value: bool,
}

impl Lines {
    /// In the object, in a list that is one of its fields.
    const FIELDS: u32 = 1;
    const ELEMENTS: u32 = 2;

    fn open<W: Write + ?Sized>(&mut self, out: &mut W, bracket: &[u8]) -> Result<()> {
        self.depth += 1;
        self.has_value = false;
        out.write_all(bracket)
    }

    fn close<W: Write + ?Sized>(&mut self, out: &mut W, bracket: &[u8], laid_out: u32) -> Result<()> {
        self.depth -= 1;
        if self.depth + 1 == laid_out && self.has_value {
            self.new_line(out)?;
        }
        self.has_value = true;
        out.write_all(bracket)
    }

    fn next<W: Write + ?Sized>(&self, out: &mut W, first: bool, laid_out: u32) -> Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        if self.depth == laid_out { self.new_line(out) } else { Ok(()) }
    }

    fn new_line<W: Write + ?Sized>(&self, out: &mut W) -> Result<()> {
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Lines {
    fn begin_object<W: Write + ?Sized>(&mut self, out: &mut W) -> Result<()> {
        self.open(out, b"{")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> Result<()> {
        self.next(out, first, Self::FIELDS)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> Result<()> {
        out.write_all(if self.depth == Self::FIELDS { b": " } else { b":" })
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn end_object<W: Write + ?Sized>(&mut self, out: &mut W) -> Result<()> {
        self.close(out, b"}", Self::FIELDS)
    }

    fn begin_array<W: Write + ?Sized>(&mut self, out: &mut W) -> Result<()> {
        self.open(out, b"[")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> Result<()> {
        self.next(out, first, Self::ELEMENTS)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn end_array<W: Write + ?Sized>(&mut self, out: &mut W) -> Result<()> {
        self.close(out, b"]", Self::ELEMENTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{
        DetectionSummary, Dot, Fate, LatencySummary, OperationCounts, Picture, Source, Strip, TimeBucket, Verdict,
    };

    fn sample() -> RunRecord {
        let bucket = |from_ns| TimeBucket { from_ns, invoked: 2, achieved: 1, possible: 2 };
        let strip = Strip {
            place: "a".to_owned(),
            function: "read".to_owned(),
            invoked: vec![2, 2],
            achieved: vec![1, 1],
            possible: vec![2, 2],
        };
        let latency = history::Latency {
            cloud: history::Cloud::Dots(vec![Dot { at_us: 1, took_us: 2, fate: Fate::Unknown }]),
            p50_ns: vec![None, Some(7)],
            ..history::Latency::default()
        };
        RunRecord {
            schema: "stormglass/run@1".to_owned(),
            version: "0.1.0".to_owned(),
            scenario: "quoted \" and {broken,\n".to_owned(),
            about: String::new(),
            protocol: "raft".to_owned(),
            flaws: vec!["one".to_owned(), "two, or [three]".to_owned()],
            data: "kv".to_owned(),
            nodes: 3,
            places: 1,
            duration_ns: 9,
            seed: u64::MAX,
            fingerprint: "0123456789abcdef".to_owned(),
            checkpoints: Vec::new(),
            verdict: Verdict::Pass,
            findings: Vec::new(),
            operations: Some(OperationCounts { ok: 1, refused: 0, unknown: 3 }),
            availability: None,
            latency: None,
            detection: None,
            outages: Vec::new(),
            faults: Vec::new(),
            roles: Vec::new(),
            events: 5,
            simulated_ns: 10,
            buckets: vec![bucket(0), bucket(5)],
            config: Vec::new(),
            draws: Vec::new(),
            interrupted: false,
            source: Some(Source {
                program: "stormglass".to_owned(),
                file: "f.toml".to_owned(),
                set: vec!["a=1".to_owned()],
                resolved: "x\ny".to_owned(),
            }),
            picture: Some(Picture { service: vec![strip], latency, moments: Vec::new() }),
        }
    }

    #[test]
    fn a_record_is_laid_out_by_field_and_element() {
        let text = record(&sample());
        let expected = r#"  "flaws": [
    "one",
    "two, or [three]"
  ],
"#;
        assert!(text.contains(expected), "{text}");
        let lines = [
            "{",
            r#"  "scenario": "quoted \" and {broken,\n","#,
            r#"  "checkpoints": [],"#,
            r#"  "operations": {"ok":1,"refused":0,"unknown":3},"#,
            r#"    {"from_ns":0,"invoked":2,"achieved":1,"possible":2},"#,
            r#"    {"from_ns":5,"invoked":2,"achieved":1,"possible":2}"#,
            r#"  "source": {"program":"stormglass","file":"f.toml","set":["a=1"],"resolved":"x\ny"},"#,
            "}",
        ];
        for line in lines {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn a_run_in_which_nobody_watched_has_no_detection() {
        let watched = DetectionSummary {
            pairs: 20,
            crashes: 1,
            time: Some(LatencySummary { p50_ns: 1, p99_ns: 2, max_ns: 3 }),
            missed: 0,
            mistakes: 2,
            mistakes_of_healthy: 1,
            mistakes_per_pair_hour: Some(0.5),
            mistake_duration_ns: None,
            query_accuracy: Some(0.875),
            messages_per_node_second: 7.25,
        };
        let watched = RunRecord { detection: Some(watched), ..sample() };
        let (text, none) = (record(&watched), record(&sample()));
        let expected = concat!(
            r#"  "detection": {"pairs":20,"crashes":1,"time":{"p50_ns":1,"p99_ns":2,"max_ns":3},"missed":0,"mistakes":2,"#,
            r#""mistakes_of_healthy":1,"mistakes_per_pair_hour":0.5,"mistake_duration_ns":null,"query_accuracy":0.875,"#,
            r#""messages_per_node_second":7.25},"#,
        );
        assert!(text.lines().any(|line| line == expected), "{text}");
        assert_eq!(serde_json::from_str::<RunRecord>(&text).expect("it is a record"), watched);
        let none_line = "  \"detection\": null,\n";
        assert!(none.contains(none_line), "{none}");
        let older = none.replace(none_line, "");
        assert_eq!(serde_json::from_str::<RunRecord>(&older).expect("one of before is read too"), sample());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = record(&sample());
        assert_eq!(serde_json::from_str::<RunRecord>(&text).expect("it is a record"), sample());
        let laid_out: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(laid_out, serde_json::to_value(sample()).expect("plain data"), "only the layout is our own");
    }

    #[test]
    fn a_line_is_what_was_found_and_then_the_time_it_took() {
        let line = line(&sample(), 77);
        assert!(line.starts_with(r#"{"schema":"#) && line.ends_with(r#","wall_ns":77}"#), "{line}");
        assert!(!line.contains('\n') && !line.contains("resolved"), "{line}");
        let mut object: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
        object.as_object_mut().expect("an object").remove("wall_ns");
        let mut expected = RunRecord { picture: None, ..sample() };
        expected.source.as_mut().expect("it has one").resolved.clear();
        assert_eq!(serde_json::from_value::<RunRecord>(object).expect("it is a record"), expected);
    }
}
