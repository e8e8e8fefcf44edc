//! `stormglass schema`: the key table for editors.

use crate::exit::{Done, Exit};
use crate::screen;
use history::Verdict;
use scenarios::systems::System;

pub fn schema(systems: &'static [System]) -> Done {
    screen::print(&format!("{:#}\n", scenarios::schema::schema(systems)))?;
    Ok(Exit::Judged(Verdict::Pass))
}
