//! Jepsen's events as JSON: a list of them, or one after another, over however many lines.
//!
//! ```json
//! [{"process": 0, "type": "invoke", "f": "read", "value": null},
//!  {"process": 0, "type": "ok", "f": "read", "value": {"0": 90, "1": 10}}]
//! ```

use history::assembler::Assembler;
use history::input::Unreadable;
use history::{History, jsonl};
use std::io::BufRead;

use super::forms::{Dialect, Forms};

pub(super) fn read(source: &mut dyn BufRead, lines_before: usize) -> Result<History, Unreadable> {
    let mut assembler = Assembler::default();
    let mut forms = Forms::new(source, lines_before, Dialect::Json);
    while let Some(form) = forms.next()? {
        jsonl::add(form.text, &mut assembler).map_err(|wrong| form.wrong(wrong))?;
    }
    Ok(assembler.finish())
}
