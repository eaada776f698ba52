//! One viewer speaks; the others are not heard until it leaves.

use crate::client::Wish;
use crate::world::World;
use mouthpiece_transport::StreamEvent;
use std::time::Duration;

fn words(world: &World, viewer: u128) -> Vec<(u64, bool)> {
    let word = |event: &StreamEvent| match event {
        StreamEvent::Microphone { viewer: v, time, contiguous, .. } if *v == viewer => Some((*time, *contiguous)),
        _ => None,
    };
    world.events.iter().filter_map(|(.., event)| word(event)).collect()
}

#[test]
fn what_is_said_arrives_with_its_time_and_soon() {
    let mut world = World::new(1);
    let c = world.join(Wish::SPEAKER);
    world.clients[c].speaks_from = Some(world.now + Duration::from_millis(500));
    world.connect(c);
    world.run(Duration::from_secs(3));
    let said = words(&world, 0);
    assert!(said.len() > 120);
    assert!(said.windows(2).all(|pair| pair[1].0 == pair[0].0 + 960 && pair[1].1));
    for (at, _, event) in &world.events {
        if let StreamEvent::Microphone { data, time, arrived, .. } = event {
            let number = time / 960;
            assert_eq!(data[..], crate::picture::sound(number)[..]);
            let spoken = world.start + Duration::from_millis(500 + 20 * number);
            assert!(*at - spoken < Duration::from_millis(12) && at == arrived, "10 ms are the network's");
        }
    }
}

#[test]
fn a_missing_packet_is_not_waited_for_long() {
    let mut world = World::new(2);
    let c = world.join(Wish::SPEAKER);
    world.clients[c].speaks_from = Some(world.now);
    world.connect(c);
    world.run(Duration::from_secs(1));
    let good = std::mem::replace(&mut world.up, crate::network::Link::cut());
    world.run(Duration::from_millis(20));
    world.up = good;
    let since = world.events.len();
    world.run(Duration::from_secs(1));
    let first = world.events[since..].iter().find_map(|(at, _, event)| match event {
        StreamEvent::Microphone { arrived, contiguous: false, .. } => Some(*at - *arrived),
        _ => None,
    });
    assert!(first.unwrap() <= Duration::from_millis(45), "{first:?}");
}

#[test]
fn the_next_one_speaks_when_the_first_leaves() {
    let mut world = World::new(3);
    for _ in 0..3 {
        let c = world.join(if world.clients.len() == 1 { Wish::BOTH } else { Wish::SPEAKER });
        world.clients[c].speaks_from = (c != 1).then_some(world.now);
        world.connect(c);
    }
    world.run(Duration::from_secs(1));
    assert!(words(&world, 0).len() > 40 && words(&world, 2).is_empty());
    let now = world.now;
    world.clients[0].hang_up(now);
    world.flush();
    world.run(Duration::from_secs(1));
    assert_eq!(world.events_of(|e| matches!(e, StreamEvent::MicrophoneGone { viewer: 0 })), 1);
    assert!(words(&world, 2).len() > 40);
}

#[test]
fn who_only_speaks_is_welcome() {
    let mut world = World::new(4);
    let c = world.join(Wish { video: false, audio: false, microphone: true, data: false });
    world.clients[c].speaks_from = Some(world.now);
    world.connect(c);
    world.run(Duration::from_secs(1));
    assert!(words(&world, 0).len() > 40);
    assert!(world.clients[c].frames.is_empty() && world.clients[c].sounds.is_empty());
}
