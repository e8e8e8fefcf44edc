//! Clusters: all that has to do with one value, and whether they can be put in a row.

use std::collections::{BTreeMap, BTreeSet};

use super::misses::{Miss, have_room};
use super::rows::{Act, NEVER, NONE, Reader, Row};

/// A value's writer and all who met it, in a few numbers.
#[derive(Clone, Copy)]
struct Cluster {
    key: u32,
    /// The value that its writer met, if that was a compare-and-set.
    from: u32,
    /// The value that replaced it by compare-and-set.
    next: u32,
    /// When its writer was asked; [`NEVER`] if there is none.
    begun: u64,
    /// The first completion of all, and the last invocation.
    first_end: u64,
    last_start: u64,
    /// Whether the writer is known to have happened.
    is_sure: bool,
    is_met: bool,
    is_placed: bool,
}

impl Cluster {
    /// Whether it has a place in the row. A write of unknown outcome whose value nobody met may never have happened.
    fn counts(&self) -> bool {
        self.is_sure || self.is_met
    }

    fn widen(&mut self, invoked: u64, completed: u64) {
        self.first_end = self.first_end.min(completed);
        self.last_start = self.last_start.max(invoked);
    }
}

/// Why clusters cannot be put in a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clash {
    /// A value was met that nobody made, or not in time.
    Unmade(u32),
    /// A value was replaced twice: by the first, and by the second.
    Twice(u32, u32),
    /// This value stems from itself.
    Circle(u32),
    /// A value was there for certain before one earlier in its chain was gone.
    Backwards(u32),
    /// Two chains, by their heads, each of which must come before the other.
    Crossed(u32, u32),
    /// A value was certainly there for all of the time of a miss, given by its number, that did not find it.
    Held(u32, usize),
}

/// A chain of clusters as a whole.
pub(super) struct Block {
    key: u32,
    pub head: u32,
    pub first_end: u64,
    pub last_start: u64,
}

impl Block {
    /// Whether its values were certainly there for a while: in a forward zone.
    pub fn is_forward(&self) -> bool {
        self.first_end < self.last_start
    }
}

/// All clusters of a record, or of its beginning.
pub(super) struct Clusters {
    all: Vec<Cluster>,
    /// The record is read up to this position; what completes later is unknown.
    until: u64,
    /// Those made by a compare-and-set of unknown outcome.
    open: Vec<u32>,
    has_chains: bool,
    /// In the order of their invocations.
    misses: Vec<Miss>,
    /// By key and first end, once judged.
    blocks: Vec<Block>,
    clashes: BTreeMap<u32, Clash>,
}

impl Clusters {
    /// None yet, of what will probably be `count`.
    pub fn new(count: usize, until: u64) -> Self {
        Clusters {
            all: Vec::with_capacity(count),
            until,
            open: Vec::new(),
            has_chains: false,
            misses: Vec::new(),
            blocks: Vec::new(),
            clashes: BTreeMap::new(),
        }
    }

    /// So many of one key, of which the first is what it holds at first, and none of their operations yet.
    pub fn of_one_key(count: usize, until: u64) -> Self {
        let mut clusters = Clusters::new(count, until);
        (0..count).for_each(|number| clusters.begin(0, number == 0));
        clusters
    }

    /// Begins those that a reader has met since.
    pub fn begin_new(&mut self, reader: &Reader<'_>) {
        for number in self.all.len()..reader.named.len() {
            let key = reader.named[number].key;
            self.begin(key, reader.keys[key as usize].first as usize == number);
        }
    }

    /// Begins one; clusters come by their numbers. `is_first` if it is what the object holds at first.
    fn begin(&mut self, key: u32, is_first: bool) {
        let (begun, first_end) = if is_first { (0, 0) } else { (NEVER, NEVER) };
        self.all.push(Cluster {
            key,
            from: NONE,
            next: NONE,
            begun,
            first_end,
            last_start: 0,
            is_sure: is_first,
            is_met: false,
            is_placed: false,
        });
    }

    /// Adds an operation that was invoked within the record.
    pub fn add(&mut self, row: &Row) {
        let is_known = row.completed <= self.until && row.completed < NEVER;
        match row.act {
            Act::Met(value) if is_known => {
                let cluster = &mut self.all[value as usize];
                cluster.is_met = true;
                cluster.widen(row.invoked, row.completed);
            }
            Act::Made(value) => self.made(value, row, is_known),
            Act::Turned(from, to) => {
                self.has_chains = true;
                self.made(to, row, is_known);
                self.all[to as usize].from = from;
                if is_known {
                    self.link(to);
                } else {
                    self.open.push(to);
                }
            }
            Act::Missed(value) if is_known => {
                let Row { invoked, completed, .. } = *row;
                self.misses.push(Miss { key: self.all[value as usize].key, value, invoked, completed });
            }
            Act::Met(_) | Act::Missed(_) => {}
        }
    }

    fn made(&mut self, value: u32, row: &Row, is_known: bool) {
        let cluster = &mut self.all[value as usize];
        cluster.begun = row.invoked;
        cluster.is_sure = is_known;
        cluster.widen(row.invoked, if is_known { row.completed } else { NEVER });
    }

    /// Ties a value to the one that its writer met.
    fn link(&mut self, value: u32) {
        let Cluster { key, from, .. } = self.all[value as usize];
        let met = &mut self.all[from as usize];
        met.is_met = true;
        if met.next == NONE {
            met.next = value;
        } else {
            let other = met.next;
            self.clashes.entry(key).or_insert(Clash::Twice(other, value));
        }
    }

    /// Whoever met what a compare-and-set of unknown outcome made shows that it happened, and so what it met itself.
    fn settle(&mut self) {
        for mut value in std::mem::take(&mut self.open) {
            while self.all[value as usize].is_met && !self.all[value as usize].is_sure {
                self.all[value as usize].is_sure = true;
                let from = self.all[value as usize].from;
                if from == NONE {
                    break;
                }
                self.link(value);
                value = from;
            }
        }
    }

    pub fn is_met(&self, value: u32) -> bool {
        self.all[value as usize].is_met
    }

    /// Why not, for each key whose clusters cannot be put in a row.
    pub fn judge(&mut self) -> BTreeMap<u32, Clash> {
        self.settle();
        let mut blocks = Vec::with_capacity(self.all.len());
        for number in 0..self.all.len() as u32 {
            let cluster = self.all[number as usize];
            if !cluster.counts() {
                continue;
            }
            if cluster.begun == NEVER || cluster.first_end < cluster.begun {
                self.clashes.entry(cluster.key).or_insert(Clash::Unmade(number));
            }
            if cluster.from == NONE {
                blocks.push(self.block(number));
            }
        }
        if self.has_chains {
            self.find_circles();
        }
        blocks.sort_unstable_by_key(|block| (block.key, block.first_end));
        self.find_crossed(&blocks);
        self.find_held();
        self.blocks = blocks;
        std::mem::take(&mut self.clashes)
    }

    /// Keys, judged to be without a clash, with misses for which no room was found.
    pub fn crowded(&mut self) -> BTreeSet<u32> {
        let mut misses = std::mem::take(&mut self.misses);
        misses.sort_by_key(|miss| miss.key);
        let is_crowded = |misses: &&[Miss]| {
            let key = misses[0].key;
            let first = self.blocks.partition_point(|block| block.key < key);
            let end = self.blocks.partition_point(|block| block.key <= key);
            !have_room(self, &self.blocks[first..end], misses)
        };
        let of_a_key = misses.chunk_by(|one, other| one.key == other.key);
        let crowded = of_a_key.filter(is_crowded).map(|misses| misses[0].key).collect();
        // Those of an only key stand where they stood, so a clash still names the right one.
        self.misses = misses;
        crowded
    }

    /// The first completion in a cluster.
    pub fn first_end(&self, value: u32) -> u64 {
        self.all[value as usize].first_end
    }

    /// The value that replaced this one by compare-and-set.
    pub fn next(&self, value: u32) -> Option<u32> {
        Some(self.all[value as usize].next).filter(|next| *next != NONE)
    }

    /// The value that this one replaced by compare-and-set.
    pub fn from(&self, value: u32) -> Option<u32> {
        Some(self.all[value as usize].from).filter(|from| *from != NONE)
    }

    /// The links of a chain that tie a value to a later one, as few as show that the later was there before the earlier
    /// was gone.
    pub fn backwards(&self, later: u32) -> Vec<u32> {
        let ended = self.first_end(later);
        let mut links = vec![later];
        let mut value = later;
        while let Some(from) = self.from(value) {
            links.push(from);
            value = from;
            if self.last_start(from) > ended {
                break;
            }
        }
        links
    }

    /// As few links of two chains, by their heads, as still must come both before and after the others.
    pub fn crossed(&self, one: u32, other: u32) -> (Vec<u32>, Vec<u32>) {
        let (one, other): (Vec<u32>, Vec<u32>) = (self.chain(one).collect(), self.chain(other).collect());
        let one = self.tight(&one, self.zone(&other));
        let other = self.tight(&other, self.zone(&one));
        (one, other)
    }

    /// All values of a chain, from the first on.
    pub fn chain(&self, head: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(head), |value| self.next(*value))
    }

    /// When the writer of a value was asked; [`NEVER`] if there is none.
    pub fn begun(&self, value: u32) -> u64 {
        self.all[value as usize].begun
    }

    /// The last invocation in a cluster.
    pub fn last_start(&self, value: u32) -> u64 {
        self.all[value as usize].last_start
    }

    pub fn miss(&self, number: usize) -> Miss {
        self.misses[number]
    }

    /// The first completion and the last invocation in some clusters.
    pub fn zone(&self, values: &[u32]) -> (u64, u64) {
        let all = || values.iter().map(|value| &self.all[*value as usize]);
        let (first_end, last_start) = (all().map(|one| one.first_end).min(), all().map(|one| one.last_start).max());
        (first_end.unwrap_or(NEVER), last_start.unwrap_or(0))
    }

    /// The shortest stretch of a chain that must come before and after the zone of another.
    fn tight(&self, chain: &[u32], (first_end, last_start): (u64, u64)) -> Vec<u32> {
        let (mut before, mut after, mut best) = (None, None, 0..chain.len());
        for (place, value) in chain.iter().enumerate() {
            let cluster = &self.all[*value as usize];
            if cluster.first_end < last_start {
                before = Some(place);
            }
            if first_end < cluster.last_start {
                after = Some(place);
            }
            if let (Some(before), Some(after)) = (before, after)
                && before.max(after) + 1 - before.min(after) < best.len()
            {
                best = before.min(after)..before.max(after) + 1;
            }
        }
        chain[best].to_vec()
    }

    /// The chain that begins with `head`.
    fn block(&mut self, head: u32) -> Block {
        let Cluster { key, mut first_end, mut last_start, mut next, .. } = self.all[head as usize];
        while next != NONE {
            let cluster = &mut self.all[next as usize];
            cluster.is_placed = true;
            first_end = first_end.min(cluster.first_end);
            if cluster.first_end < last_start {
                self.clashes.entry(key).or_insert(Clash::Backwards(next));
            }
            last_start = last_start.max(cluster.last_start);
            next = cluster.next;
        }
        Block { key, head, first_end, last_start }
    }

    /// What no chain from a head leads to stems from itself, or from what was replaced twice.
    fn find_circles(&mut self) {
        for number in 0..self.all.len() as u32 {
            let cluster = self.all[number as usize];
            if cluster.counts() && cluster.from != NONE && !cluster.is_placed {
                self.clashes.entry(cluster.key).or_insert(Clash::Circle(number));
            }
        }
    }

    /// Values that were there before a miss of them began and after it was over.
    fn find_held(&mut self) {
        for (number, miss) in self.misses.iter().enumerate() {
            let cluster = &self.all[miss.value as usize];
            let gone = self.next(miss.value).map_or(0, |next| self.begun(next)).max(cluster.last_start);
            if cluster.counts() && cluster.first_end < miss.invoked && miss.completed < gone {
                self.clashes.entry(miss.key).or_insert(Clash::Held(miss.value, number));
            }
        }
    }

    /// Two of which each must come before the other. `blocks` come by their first ends.
    ///
    /// Of those that end first before some block does and begin last after that, which is to say, that cover the moment
    /// of its first end, only one can be about, or two of them would have clashed already: the one that covers most.
    fn find_crossed(&mut self, blocks: &[Block]) {
        let mut cover: Option<&Block> = None;
        for block in blocks {
            if let Some(before) = cover.filter(|before| before.key == block.key) {
                if before.first_end < block.last_start && block.first_end < before.last_start {
                    self.cross(block.key, before.head, block.head);
                }
                if before.last_start >= block.last_start {
                    continue;
                }
            }
            cover = Some(block);
        }
    }

    /// Of several pairs the last is the one to tell of: a reader asks what was there instead, not what had been before.
    fn cross(&mut self, key: u32, before: u32, after: u32) {
        let crossed = Clash::Crossed(before, after);
        let known = self.clashes.entry(key).or_insert(crossed);
        if matches!(known, Clash::Crossed(..)) {
            *known = crossed;
        }
    }
}
