//! Times how long it takes to read a recorded history, the median of five rounds:
//!
//! ```text
//! cargo run --release -p checkers --example reading -- FILE [ROUNDS]
//! ```
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "it measures real time")]
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use checkers::formats::{self, Input};
use std::fs::File;
use std::io::BufReader;
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("the file to read");
    let rounds: usize = arguments.next().map_or(5, |rounds| rounds.parse().expect("a number"));
    let mut times = Vec::new();
    for round in 0..rounds {
        let file = File::open(&path).expect("a file that can be read");
        let start = Instant::now();
        let recorded = formats::read(BufReader::with_capacity(1 << 18, file), Input::Auto).expect("a history");
        times.push(start.elapsed());
        if round == 0 {
            println!("{}: {} operations", recorded.format, recorded.history.len());
        }
    }
    times.sort_unstable();
    println!("median {:?}", times[times.len() / 2]);
}
