//! Bandwidth: messages go through a pipe one after the other, each for as long as its bytes take.
//!
//! A message that needs several pipes waits for all of them at once, from the moment it is sent, and is through when the
//! slowest lets it: as water flows through hoses of different width. (To let it reach the second pipe only when it has left
//! the first would mean to keep a place free there for the time to come, and those who are there earlier would wait for
//! nothing.)

use crate::fault::Bandwidth;
use crate::protocol::Transport;
use crate::time::Nanos;

/// What every packet carries beside its payload, in bytes: Ethernet 14, IPv4 20, and TCP with timestamps 32 or UDP 8; and
/// how much payload fits in a packet on an Ethernet of 1500 bytes.
const STREAM: (u64, u64) = (66, 1448);
const DATAGRAM: (u64, u64) = (42, 1472);

/// How many bytes of the network a message takes.
pub(super) fn with_headers(payload: u64, transport: Transport) -> u64 {
    let (header, room) = match transport {
        Transport::Stream => STREAM,
        Transport::Datagram => DATAGRAM,
    };
    payload + header * payload.div_ceil(room).max(1)
}

/// Something of limited bandwidth.
#[derive(Clone, Debug)]
pub(super) struct Pipe {
    bandwidth: Bandwidth,
    /// When everything in it is through.
    busy_until: Nanos,
}

/// What becomes of a message that comes to some pipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// It is through so much later.
    Takes(Nanos),
    /// There is no room for it.
    Full,
}

impl Pipe {
    pub(super) fn new(bandwidth: Bandwidth) -> Self {
        Pipe { bandwidth, busy_until: 0 }
    }

    /// When so many bytes that come now are through.
    pub(super) fn through(&self, bytes: u64, now: Nanos) -> Nanos {
        self.busy_until.max(now).saturating_add(self.bandwidth.takes(bytes))
    }

    /// Whether something that comes now finds more waiting than there is room for.
    pub(super) fn is_full(&self, now: Nanos) -> bool {
        self.busy_until.saturating_sub(now) > self.bandwidth.takes(self.bandwidth.queue)
    }

    fn enter(&mut self, bytes: u64, now: Nanos) {
        self.busy_until = self.through(bytes, now);
    }
}

/// A message of so many bytes goes through all of these pipes, unless that takes as long as `patience`; a datagram is not
/// let in where the queue is full.
pub(super) fn pass<'a>(
    pipes: impl Iterator<Item = &'a mut Pipe>,
    bytes: u64,
    transport: Transport,
    now: Nanos,
    patience: Nanos,
) -> Passage {
    let pipes: Vec<&mut Pipe> = pipes.collect();
    let through = pipes.iter().map(|pipe| pipe.through(bytes, now)).max().unwrap_or(now);
    let is_full = match transport {
        Transport::Datagram => pipes.iter().any(|pipe| pipe.is_full(now)),
        Transport::Stream => through - now >= patience,
    };
    if is_full {
        return Passage::Full;
    }
    pipes.into_iter().for_each(|pipe| pipe.enter(bytes, now));
    Passage::Takes(through - now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{MILLISECOND, SECOND};

    /// A byte a microsecond; room for `queue` milliseconds.
    fn pipe(queue: u64) -> Pipe {
        Pipe::new(Bandwidth { bytes_per_second: 1_000_000, queue: queue * 1000 })
    }

    fn send(pipes: &mut [Pipe], bytes: u64, transport: Transport, now: Nanos) -> Passage {
        pass(pipes.iter_mut(), bytes, transport, now, 3 * SECOND)
    }

    const KILO: u64 = 1000;

    #[test]
    fn one_waits_for_the_other() {
        let mut pipes = [pipe(1000)];
        let mut takes = |now| send(&mut pipes, 2 * KILO, Transport::Stream, now * MILLISECOND);
        let ms = |ms: u64| Passage::Takes(ms * MILLISECOND);
        assert_eq!([0, 0, 1, 10].map(&mut takes), [ms(2), ms(4), ms(5), ms(2)]);
    }

    #[test]
    fn the_narrowest_pipe_decides_and_all_are_filled() {
        let mut pipes = [pipe(1000), Pipe::new(Bandwidth { bytes_per_second: 500_000, queue: KILO })];
        assert_eq!(send(&mut pipes, KILO, Transport::Stream, 0), Passage::Takes(2 * MILLISECOND));
        assert_eq!((pipes[0].busy_until, pipes[1].busy_until), (MILLISECOND, 2 * MILLISECOND));
    }

    #[test]
    fn a_datagram_finds_room_or_is_dropped_and_a_stream_waits() {
        let mut pipes = [pipe(2)];
        let mut at = |transport| send(&mut pipes, 1500, transport, 0);
        let taken = |halves: u64| Passage::Takes(halves * MILLISECOND / 2);
        assert_eq!([Transport::Datagram; 3].map(&mut at), [taken(3), taken(6), Passage::Full], "2 ms fit in");
        assert_eq!(at(Transport::Stream), taken(9));
        let long = send(&mut pipes, 3_000_000, Transport::Stream, 0);
        assert_eq!((long, pipes[0].busy_until), (Passage::Full, 9 * MILLISECOND / 2), "what is given up takes no room");
    }

    #[test]
    fn headers_count_for_every_packet() {
        assert_eq!(with_headers(0, Transport::Stream), 66);
        assert_eq!(with_headers(1448, Transport::Stream), 1514);
        assert_eq!(with_headers(1449, Transport::Stream), 1449 + 132);
        assert_eq!(with_headers(100, Transport::Datagram), 142);
    }
}
