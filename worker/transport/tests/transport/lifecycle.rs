//! Viewers come and go in all ways, and nothing of them stays.

use crate::client::Wish;
use crate::network::Link;
use crate::world::{STREAM, World};
use mouthpiece_transport::hub::HubSettings;
use mouthpiece_transport::{LeftWhy, SignalError, StreamEvent, StreamId, StreamParams};
use std::time::Duration;

fn left(world: &World, viewer: u128) -> Option<LeftWhy> {
    world.events.iter().find_map(|(.., event)| match event {
        StreamEvent::Left { viewer: v, why } if *v == viewer => Some(*why),
        _ => None,
    })
}

#[test]
fn who_vanishes_is_freed_within_seconds() {
    for lite in [false, true] {
        let mut world = World::with(1, HubSettings { lite, max_viewers: 10, max_viewers_per_stream: 10 });
        let c = world.join(Wish::SPEAKER);
        world.clients[c].speaks_from = Some(world.now);
        world.connect(c);
        world.run(Duration::from_secs(10));
        assert_eq!(left(&world, 0), None);
        (world.up, world.down) = (Link::cut(), Link::cut());
        let since = world.now;
        assert!(world.wait(Duration::from_secs(12), |w| left(w, 0).is_some()));
        assert_eq!(left(&world, 0), Some(LeftWhy::Gone));
        assert!(world.now - since > Duration::from_secs(5), "a short silence is nothing");
        assert_eq!(world.events_of(|e| matches!(e, StreamEvent::MicrophoneGone { viewer: 0 })), 1);
        assert_eq!((world.hub.traces(), world.hub.deadline()), (0, None), "nothing to wake up for");
    }
}

#[test]
fn who_says_goodbye_is_gone_at_once() {
    let mut world = World::new(2);
    let c = world.join(Wish::BOTH);
    world.connect(c);
    world.run(Duration::from_secs(1));
    let now = world.now;
    world.clients[c].hang_up(now);
    world.flush();
    assert!(world.wait(Duration::from_millis(100), |w| left(w, 0) == Some(LeftWhy::HungUp)));
    assert_eq!(world.hub.traces(), 0);
}

#[test]
fn who_is_sent_away_hears_it() {
    let mut world = World::new(3);
    let c = world.join(Wish::BOTH);
    world.connect(c);
    world.run(Duration::from_secs(1));
    world.hub.hang_up(world.now, STREAM, 0).unwrap();
    world.flush();
    assert!(world.wait(Duration::from_millis(100), |w| w.clients[0].closed));
    assert_eq!(left(&world, 0), Some(LeftWhy::HungUp));
    assert_eq!(world.hub.hang_up(world.now, STREAM, 0), Err(SignalError::NoViewer));
    assert_eq!(world.hub.traces(), 0);
}

#[test]
fn a_stream_that_ends_says_goodbye_to_all() {
    let mut world = World::new(4);
    for _ in 0..5 {
        world.join(Wish::BOTH);
    }
    world.connect(4);
    world.run(Duration::from_secs(1));
    world.hub.close(world.now, STREAM);
    world.flush();
    assert!(world.wait(Duration::from_millis(100), |w| w.clients.iter().all(|c| c.closed)));
    assert_eq!(world.events_of(|e| matches!(e, StreamEvent::Left { why: LeftWhy::HungUp, .. })), 5);
    assert_eq!((world.hub.traces(), world.hub.counts().streams), (0, 0));
    assert_eq!(world.try_join(STREAM, Wish::BOTH).unwrap_err(), SignalError::NoStream);
}

#[test]
fn who_never_connects_is_forgotten() {
    let mut world = World::new(5);
    (world.up, world.down) = (Link::cut(), Link::cut());
    world.join(Wish::BOTH);
    world.run(Duration::from_secs(29));
    assert_eq!(left(&world, 0), None);
    world.run(Duration::from_secs(2));
    assert_eq!(left(&world, 0), Some(LeftWhy::NeverCame));
    assert_eq!(world.events_of(|e| matches!(e, StreamEvent::Joined { .. })), 0);
    assert_eq!(world.hub.traces(), 0);
}

#[test]
fn rooms_are_full_at_their_bounds_and_have_room_again() {
    let mut world = World::with(6, HubSettings { lite: true, max_viewers: 3, max_viewers_per_stream: 2 });
    world.hub.open(StreamId(2), StreamParams { fps: 25, bitrate: [1000, 2000] });
    world.join(Wish::BOTH);
    world.join(Wish::BOTH);
    assert_eq!(world.try_join(STREAM, Wish::BOTH).unwrap_err(), SignalError::Full);
    world.try_join(StreamId(2), Wish::BOTH).unwrap();
    assert_eq!(world.try_join(StreamId(2), Wish::BOTH).unwrap_err(), SignalError::Full);
    world.hub.hang_up(world.now, STREAM, 0).unwrap();
    assert!(world.try_join(StreamId(2), Wish::BOTH).is_ok());
}

#[test]
fn a_name_is_taken_once() {
    let mut world = World::new(7);
    world.join(Wish::BOTH);
    let mut other = crate::client::Client::new(world.now, 0, "198.51.100.9:4000".parse().unwrap());
    let offer = other.offer(Wish::BOTH);
    assert!(matches!(world.hub.offer(world.now, STREAM, 0, &offer), Err(SignalError::Unprocessable(_))));
    assert_eq!(world.hub.offer(world.now, StreamId(9), 1, &offer), Err(SignalError::NoStream));
}

#[test]
fn a_thousand_viewers_leave_nothing() {
    let mut world = World::with(8, HubSettings { lite: true, max_viewers: 8, max_viewers_per_stream: 8 });
    for round in 0..1000 {
        let c = world.join(if round % 3 == 0 { Wish::SPEAKER } else { Wish::BOTH });
        assert!(world.wait(Duration::from_secs(5), |w| w.clients[c].connected.is_some()));
        let now = world.now;
        if round % 2 == 0 {
            world.clients[c].hang_up(now);
            world.flush();
        } else {
            let name = world.clients[c].name;
            world.hub.hang_up(now, STREAM, name).unwrap();
        }
        world.flush();
        world.run(Duration::from_millis(30));
        assert_eq!(world.hub.traces(), 0, "round {round}");
        world.forget();
    }
    let counts = world.hub.counts();
    assert_eq!((counts.answered, counts.joined, counts.viewers), (1000, 1000, 0));
    assert_eq!(world.events_of(|e| matches!(e, StreamEvent::Left { .. })), 1000);
}
