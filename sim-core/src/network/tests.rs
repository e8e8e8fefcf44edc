use super::*;
use crate::delay::Delay;
use crate::fault::Bandwidth;

const A: MachineId = MachineId(0);
const B: MachineId = MachineId(1);

const HARMLESS: Spoil = Spoil::NONE;

fn network(loss: Ratio, duplicate: Ratio) -> Network {
    let mut topology = Topology::new();
    let zone = topology.zone("a", "a");
    let delay = Delay::Uniform { min: MILLISECOND, max: 10 * MILLISECOND };
    topology.link(zone, zone, "lan", delay, loss, duplicate);
    let machines = vec![(zone, StreamName::new(&["node", "n1"])), (zone, StreamName::new(&["node", "n2"]))];
    Network::new(topology, machines, Pairs::new(2, 0), Tcp::default(), Streams::new(1))
}

impl Network {
    /// Something without a payload is sent.
    fn sent(&mut self, from: MachineId, to: MachineId, transport: Transport, now: Nanos) -> Fate {
        self.send(from, to, transport, now, || 0, || "value")
    }
}

#[test]
fn a_stream_keeps_order_and_a_datagram_does_not() {
    for (transport, ordered) in [(Transport::Stream, true), (Transport::Datagram, false)] {
        let mut net = network(Ratio::ZERO, Ratio::ZERO);
        let arrivals: Vec<Nanos> = (0..100)
            .map(|i| {
                let Fate::Arrives { at, .. } = net.sent(A, B, transport, i * 1000) else { panic!("it arrives") };
                at
            })
            .collect();
        assert_eq!(arrivals.is_sorted(), ordered, "{transport:?}");
    }
}

#[test]
fn a_loss_is_a_delay_on_a_stream_and_a_hole_among_datagrams() {
    let mut net = network(Ratio::new(1, 4), Ratio::new(1, 8));
    let (mut lost, mut twice) = (0, 0);
    for _ in 0..8000 {
        match net.sent(A, B, Transport::Datagram, 0) {
            Fate::Lost(_) => lost += 1,
            Fate::ArrivesTwice { .. } => twice += 1,
            Fate::Arrives { .. } => {}
            Fate::Stalls { .. } | Fate::TimesOut => panic!("datagrams do not wait"),
        }
    }
    assert!((1800..2200).contains(&lost), "{lost}");
    assert!((650..850).contains(&twice), "{twice}: an eighth of the rest");
    assert_eq!(retransmission(0, 0, Tcp::default()), 0);
    let quarter = 1 << 30;
    assert_eq!(retransmission(quarter, quarter, Tcp::default()), 0);
    assert_eq!(retransmission(quarter - 1, quarter, Tcp::default()), 200 * MILLISECOND);
    assert_eq!(retransmission(quarter / 4 - 1, quarter, Tcp::default()), 600 * MILLISECOND);
}

#[test]
fn a_cut_loses_datagrams_stalls_streams_and_counts_both() {
    let mut net = network(Ratio::ZERO, Ratio::ZERO);
    net.cut(StrikeId(3), A, B);
    assert_eq!(net.sent(A, B, Transport::Datagram, 0), Fate::Lost("cut off"));
    assert!(matches!(net.sent(A, B, Transport::Stream, 0), Fate::Stalls { .. }));
    assert!(matches!(net.sent(B, A, Transport::Stream, 0), Fate::Arrives { .. }), "one way");
    assert_eq!(net.effects, [StrikeId(3), StrikeId(3)]);
    assert!(!net.is_live(A, B) && net.is_live(B, A));
    net.mend(StrikeId(3));
    assert!(net.is_live(A, B));
}

#[test]
fn a_fault_can_be_meant_for_some_kinds_of_messages() {
    let mut net = network(Ratio::ZERO, Ratio::ZERO);
    let delay = Delay::Fixed(80 * MILLISECOND);
    net.spoil(StrikeId(0), A, B, Spoil { delay, kinds: vec!["Vote".to_owned()], ..HARMLESS });
    let mut arrives = |kind: &'static str| {
        let fate = net.send(A, B, Transport::Datagram, 0, || 0, || kind);
        let Fate::Arrives { at, .. } = fate else { panic!("{fate:?}") };
        at
    };
    assert!(arrives("Append") < 80 * MILLISECOND && arrives("Vote") >= 80 * MILLISECOND);
    assert_eq!(net.effects, [StrikeId(0)]);
}

#[test]
fn a_spoiled_path_is_slower_and_counts_each_message() {
    let spoil = || Spoil { delay: Delay::Fixed(80 * MILLISECOND), ..HARMLESS };
    let (mut plain, mut spoiled) = (network(Ratio::ZERO, Ratio::ZERO), network(Ratio::ZERO, Ratio::ZERO));
    spoiled.spoil(StrikeId(0), A, B, spoil());
    for now in 0..10 {
        let (Fate::Arrives { at: usual, .. }, Fate::Arrives { at: late, .. }) =
            (plain.sent(A, B, Transport::Datagram, now), spoiled.sent(A, B, Transport::Datagram, now))
        else {
            panic!("both arrive")
        };
        assert_eq!(late, usual + 80 * MILLISECOND, "the same draw, and 80 ms more");
    }
    assert_eq!(spoiled.effects.len(), 10);
}

#[test]
fn a_share_of_datagrams_is_held_up_and_the_others_come_as_ever() {
    let by = Delay::Uniform { min: 100 * MILLISECOND, max: 500 * MILLISECOND };
    let spoil = Spoil { reorder: Ratio::new(1, 10), reorder_by: by, ..HARMLESS };
    let (mut plain, mut spoiled) = (network(Ratio::ZERO, Ratio::ZERO), network(Ratio::ZERO, Ratio::ZERO));
    spoiled.spoil(StrikeId(7), A, B, spoil);
    let mut late = Vec::new();
    for now in 0..8000 {
        let (Fate::Arrives { at: usual, .. }, Fate::Arrives { at, .. }) =
            (plain.sent(A, B, Transport::Datagram, now), spoiled.sent(A, B, Transport::Datagram, now))
        else {
            panic!("both arrive")
        };
        late.extend((at > usual).then_some(at - usual));
    }
    assert!((700..900).contains(&late.len()), "{}", late.len());
    assert!(late.iter().all(|late| (100 * MILLISECOND..=500 * MILLISECOND).contains(late)));
    let mean = late.iter().sum::<Nanos>() / late.len() as u64;
    assert!(mean.abs_diff(300 * MILLISECOND) < 15 * MILLISECOND, "uniform, whoever it is: {mean}");
    assert_eq!(spoiled.effects, vec![StrikeId(7); late.len()]);
}

#[test]
fn the_second_copy_of_a_datagram_can_come_much_later() {
    let copies = |after: Delay| {
        let mut net = network(Ratio::ZERO, Ratio::ZERO);
        net.spoil(StrikeId(0), A, B, Spoil { duplicate: Ratio::new(1, 2), duplicate_after: after, ..HARMLESS });
        let fates = (0..1000).map(|now| net.sent(A, B, Transport::Datagram, now)).collect::<Vec<_>>();
        let doubled = fates.iter().filter(|fate| matches!(fate, Fate::ArrivesTwice { .. })).count();
        assert_eq!(net.effects.len(), doubled, "one each");
        fates
    };
    let mut differences = Vec::new();
    for (soon, late) in copies(Delay::NONE).into_iter().zip(copies(Delay::Uniform { min: 0, max: 2 * SECOND })) {
        match (soon, late) {
            (Fate::ArrivesTwice { at, again, .. }, Fate::ArrivesTwice { at: same, again: later, .. }) => {
                assert_eq!(at, same);
                differences.push(later - again);
            }
            _ => assert_eq!(soon, late),
        }
    }
    let mean = differences.iter().sum::<Nanos>() / differences.len() as u64;
    assert!(differences.len() > 400 && mean.abs_diff(SECOND) < 100 * MILLISECOND, "{mean}");
}

#[test]
fn streams_know_nothing_of_what_befalls_datagrams() {
    let (mut plain, mut spoiled) = (network(Ratio::ZERO, Ratio::ZERO), network(Ratio::ZERO, Ratio::ZERO));
    let (all, late) = (Ratio::new(1, 1), Delay::Fixed(SECOND));
    let spoil = Spoil { duplicate: all, duplicate_after: late.clone(), reorder: all, reorder_by: late, ..HARMLESS };
    spoiled.spoil(StrikeId(0), A, B, spoil);
    for now in 0..100 {
        assert_eq!(plain.sent(A, B, Transport::Stream, now), spoiled.sent(A, B, Transport::Stream, now));
    }
    assert_eq!(spoiled.effects, []);
}

/// A connection that is held up for too long is given up, so a fault that is over does not go on delaying.
#[test]
fn a_stream_slower_than_its_patience_is_reset() {
    let mut net = network(Ratio::ZERO, Ratio::ZERO);
    let slow = Spoil { delay: Delay::Fixed(30 * SECOND), ..HARMLESS };
    net.spoil(StrikeId(0), A, B, slow);
    assert_eq!(net.sent(A, B, Transport::Stream, 0), Fate::TimesOut);
    net.reset(A, B);
    net.mend(StrikeId(0));
    let Fate::Arrives { at, .. } = net.sent(A, B, Transport::Stream, 0) else { panic!("it arrives") };
    assert!(at <= 10 * MILLISECOND);
}

#[test]
fn what_was_on_a_reset_connection_does_not_arrive() {
    let mut net = network(Ratio::ZERO, Ratio::ZERO);
    let Fate::Arrives { connection, .. } = net.sent(A, B, Transport::Stream, 0) else { panic!("it arrives") };
    assert_eq!(net.arrives(A, B, connection), Some(true));
    net.reset(A, B);
    assert_eq!(net.arrives(A, B, connection), None);
}

/// On a stream the damaged segment is sent again, as TCP does; the application sees that it comes late.
#[test]
fn what_is_damaged_is_dropped_and_counted() {
    let spoil = || Spoil { corrupt: Ratio::new(1, 10), ..HARMLESS };
    let mut net = network(Ratio::ZERO, Ratio::ZERO);
    net.spoil(StrikeId(4), A, B, spoil());
    let mut damaged = 0;
    for now in 0..1000 {
        let fate = net.sent(A, B, Transport::Datagram, now);
        assert_eq!(fate == Fate::Lost("its checksum is wrong"), net.damaged);
        damaged += usize::from(net.damaged);
    }
    assert!((70..130).contains(&damaged), "{damaged}");
    assert_eq!(net.effects, vec![StrikeId(4); damaged]);
    let (mut plain, mut spoilt) = (network(Ratio::ZERO, Ratio::ZERO), network(Ratio::ZERO, Ratio::ZERO));
    spoilt.spoil(StrikeId(4), A, B, spoil());
    for now in (0..100).map(|i| i * 20 * SECOND) {
        let fates = [&mut plain, &mut spoilt].map(|net| net.sent(A, B, Transport::Stream, now));
        let [Fate::Arrives { at: usual, .. }, Fate::Arrives { at, .. }] = fates else { panic!("{fates:?}") };
        assert_eq!(at >= usual + 200 * MILLISECOND, spoilt.damaged, "{at} instead of {usual}");
    }
    assert!(!spoilt.effects.is_empty());
}

#[test]
fn a_narrow_path_holds_up_whatever_has_a_size() {
    let mut net = network(Ratio::ZERO, Ratio::ZERO);
    let bandwidth = Some(Bandwidth { bytes_per_second: 1_000_000, queue: 4000 });
    net.spoil(StrikeId(0), A, B, Spoil { bandwidth, ..HARMLESS });
    let mut effects = Vec::new();
    let mut at = |transport, size| {
        let fate = net.send(A, B, transport, 0, || size, || "value");
        effects.append(&mut net.effects);
        fate
    };
    let Fate::Arrives { at: first, .. } = at(Transport::Stream, 5000) else { panic!("it arrives") };
    assert!((6 * MILLISECOND..16 * MILLISECOND).contains(&first), "5 ms, and 1-10 ms on the way");
    assert_eq!(at(Transport::Datagram, 10), Fate::Lost("no room in the queue"));
    assert_eq!(at(Transport::Stream, 3_000_000), Fate::TimesOut, "3 s");
    assert_eq!(effects, [StrikeId(0); 3]);
    assert!(
        matches!(net.send(B, A, Transport::Datagram, 0, || 5000, || "value"), Fate::Arrives { .. }),
        "the other way is wide"
    );
    net.mend(StrikeId(0));
    assert!(matches!(net.send(A, B, Transport::Datagram, 0, || 5000, || "value"), Fate::Arrives { .. }));
}

/// And nobody asks how large a message is where that does not matter.
#[test]
fn links_of_one_name_share_their_bandwidth() {
    let mut topology = Topology::new();
    let zones = ["a", "b", "c"].map(|name| topology.zone(name, name));
    let fibre = |topology: &mut Topology, to: ZoneId| {
        topology.link(zones[0], to, "fibre", Delay::Fixed(MILLISECOND), Ratio::ZERO, Ratio::ZERO);
    };
    zones[1..].iter().for_each(|&to| fibre(&mut topology, to));
    topology.link(zones[1], zones[0], "back", Delay::Fixed(MILLISECOND), Ratio::ZERO, Ratio::ZERO);
    topology.limit("fibre", Bandwidth { bytes_per_second: 1_000_000, queue: 1_000_000 });
    let machines = zones.map(|zone| (zone, StreamName::new(&["node", &format!("{zone:?}")]))).to_vec();
    let mut net = Network::new(topology, machines, Pairs::new(3, 0), Tcp::default(), Streams::new(1));
    let c = MachineId(2);
    let arrives = |fate: Fate| {
        let Fate::Arrives { at, .. } = fate else { panic!("{fate:?}") };
        at / MILLISECOND
    };
    assert_eq!(arrives(net.send(A, B, Transport::Stream, 0, || 10_000, || "value")), 11);
    assert_eq!(arrives(net.send(A, c, Transport::Stream, 0, || 10_000, || "value")), 21, "behind what is for b");
    assert_eq!(arrives(net.send(B, A, Transport::Stream, 0, || panic!("nobody asks"), || "value")), 1);
    assert_eq!(net.effects, [], "no fault did that");
}
