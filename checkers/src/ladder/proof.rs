//! Why there is no order: what must come before what, one link after another, until something comes before itself.

use super::account::{Account, Act, Event, Source};
use hashbrown::HashMap;
use std::collections::{BTreeSet, VecDeque};
use std::hash::BuildHasherDefault;

use crate::hash::Mixer;

/// One step of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// The first came before the second: their process did one after the other.
    Program(Event, Event),
    /// The first came before the second, which read what it wrote.
    Read(Event, Event),
    /// `from` came before `reader`, which got its value from `to`: so `from` came before `to`.
    Hidden { from: Event, to: Event, reader: Event },
    /// `write` came before `to`, which replaced what it wrote, and `reader` got it all the same: so `reader` came before
    /// `to`.
    Replacing { reader: Event, to: Event, write: Event },
    /// `reader` found the key as it was at first: so it came before `to`, which wrote it.
    First { reader: Event, to: Event },
    /// `write` came before `reader`, which found the key as it was at first.
    Unwritten { write: Event, reader: Event },
}

/// A contradiction: links in an order in which each follows from those before it. The last closes a circle.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    /// Its kind, in the words of the papers.
    pub why: &'static str,
    pub links: Vec<Link>,
}

impl Proof {
    /// Every event that it names.
    pub fn events(&self) -> BTreeSet<Event> {
        let named = self.links.iter().flat_map(|link| match *link {
            Link::Program(a, b) | Link::Read(a, b) => [a, b, b],
            Link::Hidden { from, to, reader } => [from, to, reader],
            Link::Replacing { reader, to, write } => [reader, to, write],
            Link::Unwritten { write, reader } => [write, reader, reader],
            Link::First { reader, to } => [reader, to, to],
        });
        named.collect()
    }
}

/// Links found out, besides the order of each process and what was read, in the order in which they were found.
pub(crate) struct Derived<'a> {
    pub account: &'a Account,
    /// Whose reads count: everybody's, or one session's.
    pub observer: Option<usize>,
    /// Whether links rest on those found earlier; if not, on causality alone.
    is_layered: bool,
    links: Vec<Link>,
    from: HashMap<Event, Vec<usize>, BuildHasherDefault<Mixer>>,
}

impl<'a> Derived<'a> {
    pub fn new(account: &'a Account, observer: Option<usize>, is_layered: bool) -> Self {
        Derived { account, observer, is_layered, links: Vec::new(), from: HashMap::default() }
    }

    pub fn link(&self, number: usize) -> Link {
        self.links[number]
    }

    pub fn push(&mut self, link: Link) {
        if let Link::Hidden { from, .. } | Link::Replacing { reader: from, .. } | Link::First { reader: from, .. } =
            link
        {
            self.from.entry(from).or_default().push(self.links.len());
        }
        self.links.push(link);
    }

    pub fn count(&self) -> usize {
        self.links.len()
    }

    /// The proof that ends in `circle`, which uses no other links than these.
    pub fn proof(&self, why: &'static str, circle: Vec<Link>) -> Proof {
        let number = |link: &Link| self.links.iter().position(|other| other == link);
        let mut wanted: BTreeSet<usize> = circle.iter().filter_map(number).collect();
        let mut premises: Vec<(usize, Vec<Link>)> = Vec::new();
        while let Some(last) = wanted.pop_last() {
            let path = self.premise(last);
            wanted.extend(path.iter().filter_map(number));
            premises.push((last, path));
        }
        let mut links: Vec<Link> = Vec::new();
        let mut say = |link: Link| {
            if !links.contains(&link) {
                links.push(link);
            }
        };
        for (last, path) in premises.into_iter().rev() {
            path.into_iter().for_each(&mut say);
            say(self.links[last]);
        }
        circle.into_iter().for_each(&mut say);
        Proof { why, links }
    }

    /// What a link rests on: the path that its rule is about.
    fn premise(&self, number: usize) -> Vec<Link> {
        let (a, b) = match self.links[number] {
            Link::Hidden { from, reader, .. } => (from, reader),
            Link::Replacing { to, write, .. } => (write, to),
            Link::Unwritten { write, reader } => (write, reader),
            Link::Program(..) | Link::Read(..) | Link::First { .. } => return Vec::new(),
        };
        self.path(a, b, if self.is_layered { number } else { 0 }).unwrap_or_default()
    }

    /// How one gets from `a` to `b` by what processes did and read, and by the first so many links: in as few steps as
    /// possible, with one step for a stretch of one process.
    pub fn path(&self, a: Event, b: Event, links: usize) -> Option<Vec<Link>> {
        let mut came: HashMap<Event, Option<Link>, BuildHasherDefault<Mixer>> = HashMap::default();
        came.insert(a, None);
        let mut queue = VecDeque::from([a]);
        while let Some(event) = queue.pop_front() {
            if event == b {
                return Some(self.walk_back(&came, b));
            }
            let mut reach = |to: Event, link: Link| {
                if !came.contains_key(&to) {
                    came.insert(to, Some(link));
                    queue.push_back(to);
                }
            };
            let is_seen =
                |reader: &&Event| self.observer.is_none_or(|s| self.account.at(**reader).session as usize == s);
            for &reader in self.account.readers(event).iter().filter(is_seen) {
                reach(reader, Link::Read(event, reader));
            }
            for &number in self.from.get(&event).into_iter().flatten().filter(|number| **number < links) {
                if let Link::Hidden { to, .. } | Link::Replacing { to, .. } | Link::First { to, .. } =
                    self.links[number]
                {
                    reach(to, self.links[number]);
                }
            }
            if let Some(next) = self.account.next(event) {
                reach(next, Link::Program(event, next));
            }
        }
        None
    }

    fn walk_back(&self, came: &HashMap<Event, Option<Link>, BuildHasherDefault<Mixer>>, b: Event) -> Vec<Link> {
        let (mut path, mut at): (Vec<Link>, Event) = (Vec::new(), b);
        while let Some(link) = came[&at] {
            at = match link {
                Link::Program(from, _) | Link::Read(from, _) => from,
                Link::Hidden { from, .. } => from,
                Link::Replacing { reader, .. } | Link::First { reader, .. } => reader,
                Link::Unwritten { write, .. } => write,
            };
            match (link, path.last_mut()) {
                (Link::Program(from, to), Some(Link::Program(joint, _))) if *joint == to => *joint = from,
                (link, _) => path.push(link),
            }
        }
        path.reverse();
        path
    }
}

/// Where a read got its value from, if it is one.
pub(crate) fn source(account: &Account, event: Event) -> Option<Source> {
    match account.at(event).act {
        Act::Read(source) => Some(source),
        Act::Write => None,
    }
}
