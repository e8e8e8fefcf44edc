//! A trace for Perfetto: packets of its `TrackEvent`s, as <https://perfetto.dev/docs/reference/synthetic-track-event> asks for
//! them; the numbers of fields are those of `protos/perfetto/trace/` there.
//!
//! - A track for each node: its steps are slices, what it sends and what is lost on the way from it are instants. Below it one
//!   for the flushes of its disk and one for its roles.
//! - A track for each client, which takes no time for anything, so all is an instant.
//! - Arrows (*flows*) lead from each sending to what became of it.
//! - Tracks for faults, for who serves the clients, and for how many messages are under way.
//!
//! Slices of one track must lie within each other. Steps of a node and flushes of a disk never overlap; faults of one name and
//! leaders can, so each that is going on has a track to itself, of the same name.

use super::Export;
use super::protobuf::Message;
use sim_core::time::{MILLISECOND, Nanos};
use sim_core::trace::{Row, What};
use std::collections::{BTreeMap, BTreeSet};

/// Characters of a message that go with its event. `trace.jsonl` has all of it.
const TEXT_MAX: usize = 1000;

/// Characters of a name.
const NAME_MAX: usize = 100;

/// All packets come from one writer.
const SEQUENCE: u64 = 1;

/// The track that is there by itself, which all others are below.
const ROOT: u64 = 0;

/// Kinds of events (`TrackEvent.Type`).
#[derive(Clone, Copy)]
enum Kind {
    Begin = 1,
    End,
    Instant,
    Counter,
}

/// How a message goes through an event.
#[derive(Clone, Copy)]
enum Flow {
    /// It goes on.
    Through(u64),
    /// It has come to its end.
    Ends(u64),
}

/// In which order tracks are shown.
#[derive(Clone, Copy)]
enum Rank {
    Faults,
    Serving,
    Machines,
    Network,
}

pub(super) struct Perfetto {
    serving: Option<&'static str>,
    has_begun: bool,
    /// By the track above and the name; and how many there are of it where slices overlap.
    tracks: BTreeMap<(u64, String, usize), u64>,
    /// Slices whose end is known: when, and on which track.
    ends: BTreeSet<(Nanos, u64)>,
    /// Slices that are going on, by name of the track: whose, or `None` for a track that is free.
    lanes: BTreeMap<String, Vec<Option<String>>>,
    /// Nodes that hold a role.
    holders: BTreeSet<String>,
    /// Nodes that are down.
    down: BTreeSet<String>,
    /// The numbers of messages under way.
    under_way: BTreeSet<u64>,
    /// When it was last told how many these are, and how many that were.
    counted: (Nanos, usize),
}

impl Perfetto {
    pub(super) fn new(serving: Option<&'static str>) -> Self {
        Perfetto {
            serving,
            has_begun: false,
            tracks: BTreeMap::new(),
            ends: BTreeSet::new(),
            lanes: BTreeMap::new(),
            holders: BTreeSet::new(),
            down: BTreeSet::new(),
            under_way: BTreeSet::new(),
            counted: (0, 0),
        }
    }
}

impl Export for Perfetto {
    fn row(&mut self, row: &Row, out: &mut Vec<u8>) {
        self.begin(out);
        self.end_before(row.at, out);
        let flow = self.flow(row);
        match row.what {
            What::Sent => self.instant(row, &row.from, &format!("send {}", label(&row.text)), flow, out),
            What::Lost => self.instant(row, &row.from, &format!("lost {}", label(&row.text)), flow, out),
            What::Corrupt => self.instant(row, &row.from, &format!("corrupt {}", label(&row.text)), None, out),
            What::Message | What::Request | What::Reply => self.step(row, label(&row.text), flow, out),
            What::Timer | What::OnDisk | What::Admin => {
                self.step(row, &format!("{} {}", row.what.name(), label(&row.text)), flow, out);
            }
            What::Flush => self.flush(row, out),
            What::Start => {
                self.down.remove(&row.from);
                self.instant(row, &row.from, "start", None, out);
            }
            What::Crash => self.crash(row, out),
            What::Role => self.role(row, out),
            What::Opinion => self.instant(row, &row.from, &format!("{} {}", row.to, row.text), None, out),
            What::Recovery => self.instant(row, &row.from, &row.text, None, out),
            What::Fault => self.fault(row, out),
            What::Heal => self.heal(row, out),
        }
        self.count(row.at, out);
    }

    fn end(&mut self, end: Nanos, out: &mut Vec<u8>) {
        self.begin(out);
        self.end_before(end, out);
        for (_, track) in std::mem::take(&mut self.ends) {
            event(end, Kind::End, track, None, out);
        }
        while let Some(node) = self.holders.first().cloned() {
            self.leave_role(end, &node, out);
        }
        for (name, lanes) in std::mem::take(&mut self.lanes) {
            for lane in (0..lanes.len()).filter(|lane| lanes[*lane].is_some()) {
                let track = self.lane_track(&name, lane, out);
                event(end, Kind::End, track, None, out);
            }
        }
    }
}

impl Perfetto {
    fn begin(&mut self, out: &mut Vec<u8>) {
        if self.has_begun {
            return;
        }
        self.has_begun = true;
        // `SEQ_INCREMENTAL_STATE_CLEARED`: nothing came before. The tracks below are in the order of their ranks (`EXPLICIT`).
        let root = Message::default().number(1, ROOT).number(11, 3);
        packet(Message::default().message(60, &root).number(13, 1), out);
    }

    /// The track of some name below another.
    fn track(&mut self, above: u64, rank: Rank, name: &str, lane: usize, out: &mut Vec<u8>) -> u64 {
        let key = (above, name.to_owned(), lane);
        if let Some(track) = self.tracks.get(&key) {
            return *track;
        }
        let track = self.tracks.len() as u64 + 1;
        self.tracks.insert(key, track);
        let mut descriptor = Message::default().number(1, track).text(2, limited(name, NAME_MAX));
        if above != ROOT {
            descriptor = descriptor.number(5, above);
        }
        if let Rank::Network = rank {
            descriptor = descriptor.message(8, &Message::default());
        }
        // Nodes before clients, the second before the tenth.
        let number: u64 = name.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0);
        let is_client = u64::from(name.starts_with('c'));
        let within = if let Rank::Machines = rank { (is_client << 24 | number) & 0xFFF_FFFF } else { 0 };
        packet(Message::default().message(60, &descriptor.number(12, (rank as u64) << 28 | within)), out);
        track
    }

    fn machine(&mut self, name: &str, out: &mut Vec<u8>) -> u64 {
        self.track(ROOT, Rank::Machines, name, 0, out)
    }

    /// The track of a part of a machine.
    fn part(&mut self, machine: &str, part: &str, out: &mut Vec<u8>) -> u64 {
        let machine = self.machine(machine, out);
        self.track(machine, Rank::Machines, part, 0, out)
    }

    fn lane_track(&mut self, name: &str, lane: usize, out: &mut Vec<u8>) -> u64 {
        let rank = if name == SERVING { Rank::Serving } else { Rank::Faults };
        self.track(ROOT, rank, name, lane, out)
    }

    /// How the message that a row tells of goes through it, if it was sent where it could be seen.
    fn flow(&mut self, row: &Row) -> Option<Flow> {
        let letter = row.letter?;
        // A flow has any number but 0.
        let number = letter.number + 1;
        if row.what == What::Sent {
            self.under_way.insert(number);
            return Some(Flow::Through(number));
        }
        let is_over = letter.under_way == 0;
        let was_seen = if is_over { self.under_way.remove(&number) } else { self.under_way.contains(&number) };
        was_seen.then_some(if is_over { Flow::Ends(number) } else { Flow::Through(number) })
    }

    /// Ends the slices whose time was over before an instant. What is sent at the end of a step is still within it.
    fn end_before(&mut self, at: Nanos, out: &mut Vec<u8>) {
        let later = self.ends.split_off(&(at, 0));
        for (end, track) in std::mem::replace(&mut self.ends, later) {
            event(end, Kind::End, track, None, out);
        }
    }

    /// Ends what is going on on a track.
    fn cut_short(&mut self, at: Nanos, track: u64, out: &mut Vec<u8>) {
        if let Some(found) = self.ends.iter().find(|(_, other)| *other == track).copied() {
            self.ends.remove(&found);
            event(at, Kind::End, track, None, out);
        }
    }

    fn instant(&mut self, row: &Row, machine: &str, name: &str, flow: Option<Flow>, out: &mut Vec<u8>) {
        let track = self.machine(machine, out);
        event(row.at, Kind::Instant, track, Some((name, row, flow)), out);
    }

    /// Something that a process is told.
    fn step(&mut self, row: &Row, name: &str, flow: Option<Flow>, out: &mut Vec<u8>) {
        let track = self.machine(&row.to, out);
        self.slice(row, track, name, flow, out);
    }

    fn flush(&mut self, row: &Row, out: &mut Vec<u8>) {
        // A node that died as a step ended had asked for a flush that never was.
        if !self.down.contains(&row.from) {
            let track = self.part(&row.from, "disk", out);
            self.slice(row, track, "flush", None, out);
        }
    }

    fn slice(&mut self, row: &Row, track: u64, name: &str, flow: Option<Flow>, out: &mut Vec<u8>) {
        if row.takes == 0 {
            event(row.at, Kind::Instant, track, Some((name, row, flow)), out);
            return;
        }
        self.cut_short(row.at, track, out);
        event(row.at, Kind::Begin, track, Some((name, row, flow)), out);
        self.ends.insert((row.at.saturating_add(row.takes), track));
    }

    fn crash(&mut self, row: &Row, out: &mut Vec<u8>) {
        let node = &row.from;
        self.down.insert(node.clone());
        self.leave_role(row.at, node, out);
        let machine = self.machine(node, out);
        self.cut_short(row.at, machine, out);
        if let Some(disk) = self.tracks.get(&(machine, "disk".to_owned(), 0)).copied() {
            self.cut_short(row.at, disk, out);
        }
        self.instant(row, node, "crash", None, out);
    }

    fn role(&mut self, row: &Row, out: &mut Vec<u8>) {
        let node = &row.from;
        self.leave_role(row.at, node, out);
        self.holders.insert(node.clone());
        let track = self.part(node, "role", out);
        event(row.at, Kind::Begin, track, Some((&row.text, row, None)), out);
        let term = self.serving.and_then(|serving| row.text.strip_prefix(serving)?.strip_prefix(", "));
        if let Some(term) = term {
            let name = format!("{node}, {term}");
            self.begin_lane(SERVING, node, &name, row, out);
        }
    }

    fn leave_role(&mut self, at: Nanos, node: &str, out: &mut Vec<u8>) {
        if self.holders.remove(node) {
            let track = self.part(node, "role", out);
            event(at, Kind::End, track, None, out);
        }
        self.end_lane(SERVING, at, |lanes| holds(lanes, node), out);
    }

    fn fault(&mut self, row: &Row, out: &mut Vec<u8>) {
        let track_name = format!("fault {}", row.from);
        let name = format!("{} {}", row.text, row.to);
        if row.takes == 0 {
            let track = self.lane_track(&track_name, 0, out);
            event(row.at, Kind::Instant, track, Some((&name, row, None)), out);
        } else {
            self.begin_lane(&track_name, &row.to, &name, row, out);
        }
    }

    fn heal(&mut self, row: &Row, out: &mut Vec<u8>) {
        // Whom it struck can have changed meanwhile; then it is one of those going on.
        let struck =
            |lanes: &[Option<String>]| holds(lanes, &row.to).or_else(|| lanes.iter().position(Option::is_some));
        self.end_lane(&format!("fault {}", row.from), row.at, struck, out);
    }

    /// Begins a slice on a track that has none going on.
    fn begin_lane(&mut self, track: &str, whose: &str, name: &str, row: &Row, out: &mut Vec<u8>) {
        let lanes = self.lanes.entry(track.to_owned()).or_default();
        let lane = lanes.iter().position(Option::is_none).unwrap_or(lanes.len());
        lanes.resize(lanes.len().max(lane + 1), None);
        lanes[lane] = Some(whose.to_owned());
        let track = self.lane_track(track, lane, out);
        event(row.at, Kind::Begin, track, Some((name, row, None)), out);
    }

    fn end_lane(
        &mut self,
        track: &str,
        at: Nanos,
        which: impl Fn(&[Option<String>]) -> Option<usize>,
        out: &mut Vec<u8>,
    ) {
        let Some(lanes) = self.lanes.get_mut(track) else { return };
        let Some(lane) = which(lanes) else { return };
        lanes[lane] = None;
        let track = self.lane_track(track, lane, out);
        event(at, Kind::End, track, None, out);
    }

    /// How many messages are under way, every millisecond at most.
    fn count(&mut self, at: Nanos, out: &mut Vec<u8>) {
        let (last, count) = (self.counted, self.under_way.len());
        if count != last.1 && at >= last.0 + MILLISECOND {
            self.counted = (at, count);
            let track = self.track(ROOT, Rank::Network, "messages under way", 0, out);
            let value = Message::default().number(9, Kind::Counter as u64).number(11, track).number(30, count as u64);
            packet(Message::default().number(8, at).message(11, &value), out);
        }
    }
}

/// The track of who serves the clients.
const SERVING: &str = "serving";

/// Which of the lanes is somebody's.
fn holds(lanes: &[Option<String>], whose: &str) -> Option<usize> {
    lanes.iter().position(|lane| lane.as_deref() == Some(whose))
}

/// The first word of a message's text.
fn label(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// No more than so many characters.
fn limited(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}

/// Something on a track; an end needs no more said of it.
fn event(at: Nanos, kind: Kind, track: u64, told: Option<(&str, &Row, Option<Flow>)>, out: &mut Vec<u8>) {
    let mut event = Message::default().number(9, kind as u64).number(11, track);
    if let Some((name, row, flow)) = told {
        let annotation = |name: &str, text: &str| Message::default().text(10, name).text(6, limited(text, TEXT_MAX));
        event = event.text(23, limited(name, NAME_MAX)).message(4, &annotation("text", &row.text));
        if !row.to.is_empty() && row.to != row.from {
            event = event.message(4, &annotation("from", &row.from)).message(4, &annotation("to", &row.to));
        }
        event = match flow {
            None => event,
            Some(Flow::Through(number)) => event.fixed(47, number),
            Some(Flow::Ends(number)) => event.fixed(48, number),
        };
    }
    packet(Message::default().number(8, at).message(11, &event), out);
}

/// A packet of the trace.
fn packet(packet: Message, out: &mut Vec<u8>) {
    out.extend(Message::default().message(1, &packet.number(10, SEQUENCE)).bytes());
}
