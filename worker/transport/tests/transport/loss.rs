//! Bad networks: what is lost comes again, what cannot come again is replaced, and sound goes on.

use crate::client::Wish;
use crate::network::Link;
use crate::world::World;
use mouthpiece_transport::StreamEvent;
use std::time::Duration;

#[test]
fn loss_and_reordering_both_ways_are_repaired() {
    for (seed, loss) in [(1, 0.02), (2, 0.05), (3, 0.05), (4, 0.1), (5, 0.1), (6, 0.1)] {
        let mut world = World::new(seed);
        (world.up, world.down) = (Link::lossy(loss), Link::lossy(loss));
        let c = world.join(Wish::SPEAKER);
        world.clients[c].speaks_from = Some(world.now);
        world.connect(c);
        world.run(Duration::from_secs(20));
        let client = &world.clients[c];
        let frames = client.frames.len() as f64;
        let whole = frames / f64::from(20 * 25);
        assert!(whole > 1.0 - loss, "seed {seed}: {whole} of the frames at {loss} loss of packets");
        let missing =
            client.frames.windows(2).filter(|pair| pair[1].number != pair[0].number + 1 && !pair[1].key).count();
        assert!(missing as f64 <= frames * loss / 4.0, "seed {seed}: {missing} gaps without a key frame");
        let heard = client.sounds.len() as f64 / f64::from(20 * 50);
        assert!(heard > 1.0 - loss * 1.8, "seed {seed}: {heard} of the sound");
        let said = world.events_of(|e| matches!(e, StreamEvent::Microphone { .. })) as f64 / f64::from(20 * 50);
        assert!(said > 1.0 - loss * 1.8, "seed {seed}: {said} of what was said");
    }
}

#[test]
fn a_gap_that_stays_is_closed_by_a_key_frame() {
    let mut world = World::new(7);
    let c = world.join(Wish::BOTH);
    world.connect(c);
    world.run(Duration::from_secs(2));
    let good = std::mem::replace(&mut world.down, Link::cut());
    world.run(Duration::from_secs(3));
    world.down = good;
    let back = world.now;
    world.run(Duration::from_secs(4));
    let frames = &world.clients[c].frames;
    let key = frames.iter().find(|f| f.at > back && f.key).unwrap();
    assert!(key.at - back < Duration::from_secs(2), "{:?}", key.at - back);
    let after: Vec<_> = frames.iter().filter(|f| f.at > key.at).collect();
    assert!(after.len() > 40 && after.windows(2).all(|pair| pair[1].number == pair[0].number + 1));
    assert!(world.clients[c].sounds.iter().filter(|(at, _)| *at > back).count() > 180);
}

#[test]
fn one_bad_path_leaves_the_others_alone() {
    let mut world = World::new(8);
    let good = world.join(Wish::BOTH);
    world.connect(good);
    world.run(Duration::from_secs(1));
    let bad = world.join(Wish::BOTH);
    world.connect(bad);
    world.run(Duration::from_secs(1));
    // The second stops answering, and everything that it sends is lost.
    world.clients[bad].deadline += Duration::from_secs(3600);
    let addr = world.clients[bad].addr;
    world.clients[bad].addr = "203.0.113.77:1".parse().unwrap();
    world.run(Duration::from_secs(5));
    world.clients[bad].addr = addr;
    let frames = &world.clients[good].frames;
    assert!(frames.windows(2).all(|pair| pair[1].number == pair[0].number + 1));
}
