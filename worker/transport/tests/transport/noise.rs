//! Datagrams of nobody, of liars, and of those who pretend to be somebody.

use crate::client::Wish;
use crate::network::Dice;
use crate::world::{STREAM, World, server};
use mouthpiece_transport::StreamEvent;
use proptest::prelude::*;
use std::net::SocketAddr;
use std::time::Duration;

fn stranger(dice: &mut Dice) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, dice.roll() as u8], dice.roll() as u16 | 1))
}

/// Random bytes that look like each kind of packet.
fn noise(dice: &mut Dice) -> Vec<u8> {
    let length = dice.roll() as usize % 1400;
    let mut data: Vec<u8> = (0..length).map(|_| dice.roll() as u8).collect();
    if let Some(first) = data.first_mut() {
        *first = [0, 1, 22, 20, 0x80, 0x90, 0xff, 2][dice.roll() as usize % 8];
    }
    if data.len() > 20 && dice.roll().is_multiple_of(2) {
        data[4..8].copy_from_slice(&0x2112_a442_u32.to_be_bytes());
    }
    data
}

#[test]
fn strangers_are_counted_and_harm_nobody() {
    let mut world = World::new(1);
    let c = world.join(Wish::SPEAKER);
    world.clients[c].speaks_from = Some(world.now);
    world.connect(c);
    let mut dice = Dice(99);
    for _ in 0..100 {
        for _ in 0..50 {
            let (from, data) = (stranger(&mut dice), noise(&mut dice));
            world.hub.receive(world.now, from, &data);
        }
        world.flush();
        world.run(Duration::from_millis(40));
    }
    assert_eq!(world.hub.counts().noise, 5000);
    let client = &world.clients[c];
    assert!(client.frames.windows(2).all(|pair| pair[1].number == pair[0].number + 1));
    assert!(client.frames.len() > 95 && world.events_of(|e| matches!(e, StreamEvent::Microphone { .. })) > 190);
}

#[test]
fn a_viewers_address_is_no_proof() {
    let mut world = World::new(2);
    let c = world.join(Wish::SPEAKER);
    world.clients[c].speaks_from = Some(world.now);
    world.connect(c);
    let (addr, mut dice) = (world.clients[c].addr, Dice(7));
    for _ in 0..100 {
        for _ in 0..20 {
            let data = noise(&mut dice);
            world.hub.receive(world.now, addr, &data);
        }
        world.flush();
        world.run(Duration::from_millis(40));
    }
    assert_eq!(world.events_of(|e| matches!(e, StreamEvent::Left { .. })), 0);
    let client = &world.clients[c];
    assert!(client.frames.windows(2).all(|pair| pair[1].number == pair[0].number + 1));
    assert!(client.frames.len() > 95);
    assert!(client.rtc.is_connected());
}

#[test]
fn a_name_without_the_secret_steals_nothing() {
    let mut world = World::new(3);
    let c = world.join(Wish::BOTH);
    world.connect(c);
    world.run(Duration::from_secs(1));
    // A binding request that names the viewer's session, sealed with a wrong password.
    let ours = world.clients[c].tag.clone();
    let name = format!("{ours}:abcd");
    let mut forged = vec![0, 1, 0, 0];
    forged.extend(0x2112_a442_u32.to_be_bytes());
    forged.extend([1; 12]);
    forged.extend([0, 6, 0, name.len() as u8]);
    forged.extend(name.bytes());
    forged.resize(forged.len().next_multiple_of(4), 0);
    forged.extend([0, 0x24, 0, 4, 0, 0, 0, 1, 0, 8, 0, 20]);
    forged.extend([7; 20]);
    let length = (forged.len() - 20) as u16;
    forged[2..4].copy_from_slice(&length.to_be_bytes());
    let before = world.hub.counts().noise;
    let thief: SocketAddr = "203.0.113.66:6666".parse().unwrap();
    for _ in 0..100 {
        world.hub.receive(world.now, thief, &forged);
    }
    assert_eq!(world.hub.counts().noise, before + 100);
    while let Some(datagram) = world.hub.pop() {
        assert_ne!(datagram.to, thief);
    }
    world.run(Duration::from_secs(1));
    assert!(world.clients[c].frames.windows(2).all(|pair| pair[1].number == pair[0].number + 1));
}

#[test]
fn damaged_packets_on_the_way_are_survived_on_both_sides() {
    let mut world = World::new(4);
    let c = world.join(Wish::BOTH);
    world.connect(c);
    let (addr, mut dice) = (world.clients[c].addr, Dice(5));
    for _ in 0..500 {
        world.run(Duration::from_millis(10));
        // Own packets, one bit off, sent back and forth.
        let mut data = vec![0x80 | (dice.roll() as u8 & 0x10), [96, 111, 200, 201, 205, 206][dice.roll() as usize % 6]];
        data.extend((0..dice.roll() % 200).map(|_| dice.roll() as u8));
        world.hub.receive(world.now, addr, &data);
        let now = world.now;
        world.clients[c].receive(now, server(), &data);
        world.flush();
    }
    assert!(world.clients[c].frames.len() > 110);
    assert_eq!(world.hub.counts().viewers, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_sequence_of_datagrams_breaks_a_hub(packets in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..200)), 0..40)) {
        let mut world = World::new(5);
        world.shows[0].started = None;
        let c = world.join(Wish::SPEAKER);
        let addr = world.clients[c].addr;
        for (known, data) in packets {
            let from = if known { addr } else { "203.0.113.1:1".parse().unwrap() };
            world.hub.receive(world.now, from, &data);
        }
        world.flush();
        world.connect(c);
        world.hub.close(world.now, STREAM);
        prop_assert_eq!(world.hub.traces(), 0);
    }
}
