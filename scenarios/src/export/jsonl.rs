//! `trace.jsonl`: a JSON object a line. What one looks for first stands first; fields are only ever added.
//! What each means is in `manual.rs`.

use super::Export;
use serde_json::{Value, json};
use sim_core::time::Nanos;
use sim_core::trace::{Row, What};

pub(super) struct Jsonl;

impl Export for Jsonl {
    fn row(&mut self, row: &Row, out: &mut Vec<u8>) {
        let [what, from, to, text] = [row.what.name(), &row.from, &row.to, &row.text].map(Value::from);
        let (time, step) = (row.at, row.step);
        let message = row.letter.map_or(String::new(), |letter| format!(",\"message\":{}", letter.number));
        let takes =
            if (1..Nanos::MAX).contains(&row.takes) { format!(",\"takes\":{}", row.takes) } else { String::new() };
        let line = format!(
            "{{\"time\":{time},\"step\":{step},\"what\":{what},\"from\":{from},\"to\":{to},\"text\":{text}{message}{takes}}}\n"
        );
        out.extend(line.bytes());
    }
}

/// Why a line is no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// Where in the line, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

/// Reads a line of `trace.jsonl`. Fields that are not known are left alone, so that lines of other versions can be read.
///
/// # Errors
/// If it is none.
pub fn read(line: &str) -> Result<Row, Misread> {
    let object: Value = serde_json::from_str(line).map_err(|error| {
        let what = error.to_string();
        let what = what.rsplit_once(" at line ").map_or(&*what, |(what, _)| what).to_owned();
        Misread { column: error.column().max(1), what }
    })?;
    let misread = |what: String| Misread { column: 1, what };
    let number = |name: &str| {
        object.get(name).and_then(Value::as_u64).ok_or_else(|| misread(format!("`{name}` is not there as a number")))
    };
    let text = |name: &str| {
        let text = object.get(name).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| misread(format!("`{name}` is not there as a text")))
    };
    let what = text("what")?;
    let Some(what) = What::ALL.into_iter().find(|known| known.name() == what) else {
        return Err(misread(format!("nothing that happens is called {}", json!(what))));
    };
    let takes = number("takes").unwrap_or(0);
    let (from, to, text) = (text("from")?, text("to")?, text("text")?);
    Ok(Row { at: number("time")?, step: number("step")?, what, from, to, text, takes, letter: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::trace::Letter;

    fn written(row: &Row) -> String {
        let mut out = Vec::new();
        Jsonl.row(row, &mut out);
        String::from_utf8(out).expect("it is text")
    }

    #[test]
    fn what_is_written_can_be_read() {
        let letter = Some(Letter { number: 7, under_way: 0 });
        let row = Row {
            at: 5,
            step: 2,
            what: What::Message,
            from: "n1".to_owned(),
            to: "n2".to_owned(),
            text: "Say { \"x\" }\n".to_owned(),
            takes: 9,
            letter,
        };
        let line = written(&row);
        assert!(line.starts_with(r#"{"time":5,"step":2,"what":"message","from":"n1","to":"n2","text":"Say"#), "{line}");
        assert!(line.ends_with(",\"message\":7,\"takes\":9}\n") && line.lines().count() == 1, "{line}");
        let object: Value = serde_json::from_str(&line).expect("an object");
        let mut told: Vec<&str> = super::super::manual::FIELDS.iter().map(|(name, _)| *name).collect();
        told.sort_unstable();
        assert!(object.as_object().expect("an object").keys().eq(told), "the manual tells of each field");
        assert_eq!(read(&line), Ok(Row { letter: None, ..row.clone() }));
        let plain = Row { takes: 0, letter: None, ..row };
        assert!(written(&plain).ends_with("\"}\n"));
        for what in What::ALL {
            let row = Row { what, ..plain.clone() };
            assert_eq!(read(&written(&row)), Ok(row));
        }
    }

    #[test]
    fn what_is_no_row_is_told_where() {
        let whole = r#"{"time":5,"step":2,"what":"role","from":"n1","to":"","text":"leader"}"#;
        for (line, column, what) in [
            (&whole[..30], 30, "EOF while parsing"),
            ("", 1, "EOF"),
            ("[]", 1, "`what` is not there"),
            (r#"{"time":5,"step":2,"what":"dance","from":"n1","to":"","text":""}"#, 1, "is called \"dance\""),
            (
                r#"{"time":-5,"step":2,"what":"role","from":"n1","to":"","text":""}"#,
                1,
                "`time` is not there as a number",
            ),
            (r#"{"time":5,"step":2,"what":"role","from":1,"to":"","text":""}"#, 1, "`from` is not there as a text"),
        ] {
            let misread = read(line).expect_err(line);
            assert!(misread.column == column && misread.what.contains(what), "{line}: {misread:?}");
        }
        assert!(read(whole).is_ok());
    }
}
