//! The rate follows what the network bears, down and up, within its bounds.

use crate::client::Wish;
use crate::network::Link;
use crate::world::{BOUNDS, World};
use mouthpiece_transport::StreamEvent;
use std::time::{Duration, Instant};

fn rates(world: &World, since: Instant) -> Vec<u32> {
    let rate = |event: &StreamEvent| if let StreamEvent::Bitrate(rate) = event { Some(*rate) } else { None };
    world.events.iter().filter(|(at, ..)| *at > since).filter_map(|(.., event)| rate(event)).collect()
}

#[test]
fn a_good_path_bears_the_most_within_a_second() {
    let mut world = World::new(1);
    let c = world.join(Wish::BOTH);
    world.connect(c);
    assert!(world.wait(Duration::from_secs(1), |w| w.shows[0].bitrate == BOUNDS[1]));
    let since = world.now;
    world.run(Duration::from_secs(30));
    assert!(rates(&world, since).is_empty(), "and then there is no news");
}

#[test]
fn a_narrow_path_lowers_it_and_a_wide_one_raises_it_again() {
    let mut world = World::new(2);
    world.shows[0].key_weight = 2.0;
    let c = world.join(Wish::BOTH);
    world.connect(c);
    world.run(Duration::from_secs(5));
    world.down = Link::narrow(600_000);
    assert!(world.wait(Duration::from_secs(8), |w| w.shows[0].bitrate < 550_000), "{}", world.shows[0].bitrate);
    let since = world.now;
    world.run(Duration::from_secs(30));
    let within = rates(&world, since);
    assert!(within.iter().all(|rate| *rate < 800_000), "{within:?}");
    let late = |f: &&crate::client::Frame| f.at - (world.start + crate::world::video_pts(f.number));
    let settled: Vec<_> = world.clients[c].frames.iter().filter(|f| f.at > since + Duration::from_secs(10)).collect();
    let mut delays: Vec<_> = settled.iter().map(late).collect();
    delays.sort();
    assert!(delays[delays.len() / 2] < Duration::from_millis(200), "the queue in the network stays short");
    world.down = Link::good();
    assert!(world.wait(Duration::from_secs(60), |w| w.shows[0].bitrate > 1_400_000), "{}", world.shows[0].bitrate);
    world.run(Duration::from_secs(10));
    assert!(world.shows[0].bitrate > 1_300_000);
}

#[test]
fn the_least_of_all_viewers_counts_and_leaves_with_its_viewer() {
    let mut world = World::new(3);
    let wide = world.join(Wish::BOTH);
    world.connect(wide);
    world.run(Duration::from_secs(2));
    let since = world.now;
    let newcomer = world.join(Wish::BOTH);
    world.connect(newcomer);
    world.run(Duration::from_secs(2));
    assert!(rates(&world, since).is_empty(), "a newcomer with a good path changes nothing: {:?}", rates(&world, since));
    // A receiver's own word (REMB) counts as well.
    world.clients[newcomer].limit(500_000);
    assert!(world.wait(Duration::from_secs(3), |w| w.shows[0].bitrate < 450_000));
    let now = world.now;
    world.clients[newcomer].hang_up(now);
    assert!(world.wait(Duration::from_secs(1), |w| w.shows[0].bitrate == BOUNDS[1]));
}
