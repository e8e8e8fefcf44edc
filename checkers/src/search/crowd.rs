//! Possibilities: what the world may look like at some point of the record.

/// Possibilities in one stretch of memory.
///
/// Each is a word for the state and two words, or pairs of words, with a bit for every open operation. *Used*: it took effect; its
/// effect cannot be had again. *Free*: nobody needs to wait for it any more, be it because it took effect, or because
/// it may have done so without leaving a trace, or because its outcome is unknown anyway. Used ones are free.
#[derive(Clone)]
pub(super) struct Crowd {
    words: Vec<u64>,
    width: usize,
}

/// On its way: something took effect since the last completion.
const ON_ITS_WAY: u64 = 1 << 32;
/// The last thing that took effect replaced the state, and nobody has seen it yet.
const UNSEEN: u64 = 1 << 33;
/// Only operations of unknown outcome are left to try.
const LATE: u64 = 1 << 34;

impl Crowd {
    /// Nobody yet; `width` words for the bits.
    pub fn new(width: usize) -> Self {
        Crowd { words: Vec::new(), width }
    }

    fn stride(&self) -> usize {
        1 + 2 * self.width
    }

    pub fn len(&self) -> usize {
        self.words.len() / self.stride()
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub fn clear(&mut self) {
        self.words.clear();
    }

    pub fn get(&self, number: usize) -> World<'_> {
        let stride = self.stride();
        World { words: &self.words[number * stride..(number + 1) * stride] }
    }

    pub fn get_mut(&mut self, number: usize) -> WorldMut<'_> {
        let stride = self.stride();
        WorldMut { words: &mut self.words[number * stride..(number + 1) * stride] }
    }

    /// One in which nothing has happened.
    pub fn push_new(&mut self, state: u32) {
        self.words.resize(self.words.len() + self.stride(), 0);
        let last = self.len() - 1;
        self.get_mut(last).set_state(state);
    }

    pub fn push(&mut self, world: World<'_>) {
        self.words.extend_from_slice(world.words);
    }

    pub fn extend(&mut self, others: &Crowd) {
        self.words.extend_from_slice(&others.words);
    }

    /// Puts a copy of `world` in the only place of this crowd.
    pub fn assign(&mut self, world: World<'_>) {
        self.words.clear();
        self.words.extend_from_slice(world.words);
    }

    /// Those from `number` on, taken out.
    pub fn split_off(&mut self, number: usize) -> Crowd {
        let words = self.words.split_off(number * self.stride());
        Crowd { words, width: self.width }
    }

    /// Adds `world` unless another can do all that it can, and drops those that can do no more than it. `false` if it was not
    /// added.
    pub fn push_best(&mut self, world: World<'_>) -> bool {
        if self.covers(world) {
            return false;
        }
        let mut other = 0;
        while other < self.len() {
            if world.covers(self.get(other)) {
                self.swap_remove(other);
            } else {
                other += 1;
            }
        }
        self.push(world);
        true
    }

    /// Whether one of the last few can do all that `world` can.
    pub fn covers(&self, world: World<'_>) -> bool {
        /// In a larger crowd it would cost more to find one than it saves.
        const COMPARED: usize = 256;
        let first = self.len().saturating_sub(COMPARED);
        (first..self.len()).any(|other| self.get(other).covers(world))
    }

    fn swap_remove(&mut self, number: usize) {
        let (stride, len) = (self.stride(), self.words.len());
        self.words.copy_within(len - stride.., number * stride);
        self.words.truncate(len - stride);
    }
}

/// One possibility.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    words: &'a [u64],
}

impl World<'_> {
    /// All there is to know of it.
    pub fn words(&self) -> &[u64] {
        self.words
    }

    pub fn state(&self) -> u32 {
        self.words[0] as u32
    }

    pub fn is_on_its_way(&self) -> bool {
        self.words[0] & ON_ITS_WAY != 0
    }

    pub fn is_unseen(&self) -> bool {
        self.words[0] & UNSEEN != 0
    }

    pub fn is_late(&self) -> bool {
        self.words[0] & LATE != 0
    }

    pub fn is_used(&self, slot: u32) -> bool {
        self.words[1 + slot as usize / 64] >> (slot % 64) & 1 != 0
    }

    pub fn is_free(&self, slot: u32) -> bool {
        self.words[1 + self.words.len() / 2 + slot as usize / 64] >> (slot % 64) & 1 != 0
    }

    /// Whether it can do all that `other` can: the state is the same, no more is used up, and no less is free.
    fn covers(&self, other: World<'_>) -> bool {
        let width = self.words.len() / 2;
        let (mine, theirs) = (&self.words[1..], &other.words[1..]);
        self.state() == other.state()
            && (!self.is_unseen() || other.is_unseen())
            && mine[..width].iter().zip(theirs).all(|(mine, theirs)| mine & !theirs == 0)
            && mine[width..].iter().zip(&theirs[width..]).all(|(mine, theirs)| theirs & !mine == 0)
    }
}

/// One possibility, to be changed.
pub(super) struct WorldMut<'a> {
    words: &'a mut [u64],
}

impl WorldMut<'_> {
    pub fn as_ref(&self) -> World<'_> {
        World { words: self.words }
    }

    pub fn set_state(&mut self, state: u32) {
        self.words[0] = u64::from(state);
    }

    /// Something took effect. If `is_unseen`, it replaced the state and nobody has seen it yet.
    pub fn set_on_its_way(&mut self, is_unseen: bool) {
        self.words[0] |= ON_ITS_WAY | if is_unseen { UNSEEN } else { 0 };
    }

    /// Only operations of unknown outcome are left to try.
    pub fn set_late(&mut self) {
        self.words[0] |= LATE;
    }

    /// It is at a completion, and has tried nothing.
    pub fn arrive(&mut self) {
        self.words[0] = u64::from(self.as_ref().state());
    }

    pub fn set_used(&mut self, slot: u32) {
        self.words[1 + slot as usize / 64] |= 1 << (slot % 64);
    }

    pub fn set_free(&mut self, slot: u32) {
        let width = self.words.len() / 2;
        self.words[1 + width + slot as usize / 64] |= 1 << (slot % 64);
    }

    /// Its operation is over.
    pub fn forget(&mut self, slot: u32) {
        let width = self.words.len() / 2;
        self.words[1 + slot as usize / 64] &= !(1 << (slot % 64));
        self.words[1 + width + slot as usize / 64] &= !(1 << (slot % 64));
    }
}
