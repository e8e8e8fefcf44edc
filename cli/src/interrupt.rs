//! Ctrl-C. The first one ends a run, a test, a sweep or a comparison in order: what is under way comes to a stop, and what exists is judged, printed
//! and written. The second one, and the first where there is nothing to save, ends the process at once. Neither leaves a
//! half-written file.

use crate::exit::Exit;
use crate::{files, screen};
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// What the first Ctrl-C does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// The command looks at [`asked`] and ends by itself.
    EndsInOrder,
    /// It ends the process.
    EndsAtOnce,
}

/// From now on, Ctrl-C is for us. Where the system does not let us have it, it does what it always does.
pub fn listen(first: First) {
    let _ = ctrlc::set_handler(move || {
        let is_first = !ASKED.swap(true, Ordering::Relaxed);
        if is_first && first == First::EndsInOrder {
            // A terminal has written ^C, perhaps behind a bar.
            let gap = if screen::draws_on_stderr() { "\n" } else { "" };
            screen::complain(&format!("{gap}ending in order; Ctrl-C again ends at once"));
        } else {
            files::abandon();
            std::process::exit(Exit::Interrupted.code().into());
        }
    });
}

/// Whether somebody wants us to end.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
