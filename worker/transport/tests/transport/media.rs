//! What goes to viewers arrives, in order, with its time, and in sync.

use crate::client::{Client, Wish};
use crate::picture;
use crate::world::{STREAM, World, audio_pts, video_pts};
use bytes::Bytes;
use mouthpiece_transport::{AudioPacket, StreamEvent, VideoFrame};
use std::time::{Duration, SystemTime};

/// Frames from a key frame on, without a gap, each with its time.
fn check_frames(client: &Client) {
    assert!(client.frames[0].key, "it begins with a key frame");
    for frame in &client.frames {
        assert_eq!(frame.time, frame.number * 3600);
    }
    for pair in client.frames.windows(2) {
        assert_eq!(pair[1].number, pair[0].number + 1);
    }
}

fn check_sounds(client: &Client) {
    assert!(client.sounds.windows(2).all(|pair| pair[1].1 == pair[0].1 + 960));
}

/// When the media time 0 was, by each report of one medium.
fn origins(client: &Client, video: bool) -> Vec<SystemTime> {
    let clock = if video { 90_000.0 } else { 48_000.0 };
    let of = client.reports.iter().filter(|r| r.video == video);
    of.map(|r| r.wall - Duration::from_secs_f64(r.time as f64 / clock)).collect()
}

fn apart(a: SystemTime, b: SystemTime) -> Duration {
    a.duration_since(b).unwrap_or_else(|e| e.duration())
}

#[test]
fn video_and_audio_arrive_in_order_with_their_time() {
    let mut world = World::new(1);
    let c = world.join(Wish::BOTH);
    world.connect(c);
    world.run(Duration::from_secs(4));
    let client = &world.clients[c];
    check_frames(client);
    check_sounds(client);
    assert!(client.frames.len() > 95 && client.sounds.len() > 190);
    let late = client.frames.iter().map(|f| f.at - (world.start + video_pts(f.number))).max().unwrap();
    assert!(late < Duration::from_millis(12), "10 ms are the network's: {late:?}");
}

#[test]
fn each_frame_is_told_as_sent_once() {
    let mut world = World::new(2);
    for _ in 0..3 {
        world.join(Wish::BOTH);
    }
    world.connect(2);
    world.run(Duration::from_secs(2));
    let told: Vec<_> = world.sent.iter().map(|(pts, _)| *pts).collect();
    assert!(told.len() > 40);
    assert!(told.windows(2).all(|pair| pair[1] == pair[0] + Duration::from_millis(40)));
    let slowest = world.sent.iter().map(|(pts, at)| *at - (world.start + *pts)).max().unwrap();
    assert!(slowest < Duration::from_millis(1), "nothing holds a frame back: {slowest:?}");
}

#[test]
fn reports_come_early_and_declare_the_true_sync() {
    let mut world = World::new(3);
    let c = world.join(Wish::BOTH);
    world.connect(c);
    let since = world.now;
    world.run(Duration::from_secs(4));
    let client = &world.clients[c];
    for video in [true, false] {
        let second = client.reports.iter().filter(|r| r.video == video).nth(1).unwrap();
        assert!(second.at - since < Duration::from_millis(1500), "two pairs of each are needed for sync");
    }
    let (video, audio) = (origins(client, true), origins(client, false));
    assert!(video.iter().chain(&audio).all(|o| apart(*o, video[0]) < Duration::from_millis(1)), "{video:?} {audio:?}");
}

#[test]
fn lateness_is_not_hidden_by_the_reports() {
    let mut world = World::new(4);
    world.shows[0].late = Duration::from_millis(300);
    let c = world.join(Wish::BOTH);
    world.connect(c);
    world.run(Duration::from_secs(4));
    let client = &world.clients[c];
    let origins: Vec<_> = origins(client, true).into_iter().chain(origins(client, false)).collect();
    assert!(origins.len() > 10);
    assert!(origins.iter().all(|o| apart(*o, origins[0]) < Duration::from_millis(1)));
    let real = SystemTime::now() - world.start.elapsed();
    assert!(
        apart(origins[0], real) < Duration::from_millis(50),
        "time 0 is when the session began, not when it was handed in"
    );
}

#[test]
fn no_report_tells_of_media_that_has_not_begun() {
    let mut world = World::new(5);
    world.run(Duration::from_secs(100));
    world.shows[0].video = false;
    let c = world.join(Wish::BOTH);
    world.connect(c);
    world.run(Duration::from_secs(3));
    assert!(world.clients[c].sounds.len() > 140, "sound does not wait for pictures");
    assert!(world.clients[c].reports.is_empty());
    world.shows[0].frames = 2600;
    world.shows[0].video = true;
    world.run(Duration::from_secs(6));
    let client = &world.clients[c];
    let (video, audio) = (origins(client, true), origins(client, false));
    assert!(video.len() > 2 && audio.len() > 2);
    assert!(video.iter().chain(&audio).all(|o| apart(*o, audio[0]) < Duration::from_millis(1)));
}

#[test]
fn who_comes_later_starts_at_a_key_frame_of_its_own() {
    let mut world = World::new(6);
    let first = world.join(Wish::BOTH);
    world.connect(first);
    world.run(Duration::from_secs(3));
    let wanted = |w: &World| w.events_of(|e| *e == StreamEvent::KeyFrameWanted);
    let before = wanted(&world);
    let second = world.join(Wish::BOTH);
    world.connect(second);
    world.run(Duration::from_secs(2));
    assert_eq!(wanted(&world), before + 1);
    let late = &world.clients[second];
    check_frames(late);
    check_sounds(late);
    let waited = late.frames[0].at - late.connected.unwrap();
    assert!(waited < Duration::from_millis(100), "{waited:?}");
    assert!(late.sounds[0].0 - late.connected.unwrap() < Duration::from_millis(40), "sound comes at once");
    check_frames(&world.clients[first]);
    assert_eq!(world.clients[first].frames.iter().filter(|f| f.key).count(), 2);
}

#[test]
fn a_lost_request_for_a_key_frame_is_made_again() {
    let mut world = World::new(7);
    let c = world.join(Wish::BOTH);
    world.connect(c);
    world.shows[0].key_wanted = false; // as if the message had been lost
    world.run(Duration::from_secs(3));
    check_frames(&world.clients[c]);
    assert!(world.clients[c].frames.len() > 40);
}

#[test]
fn after_a_frame_that_never_came_in_there_is_nothing_until_a_key_frame() {
    let mut world = World::new(8);
    let c = world.join(Wish::BOTH);
    world.connect(c);
    world.run(Duration::from_secs(1));
    world.shows[0].frames += 1;
    world.hub.torn(world.now, STREAM);
    world.flush();
    world.run(Duration::from_secs(1));
    let frames = &world.clients[c].frames;
    let gap = frames.windows(2).position(|pair| pair[1].number != pair[0].number + 1).unwrap();
    assert!(frames[gap + 1].key);
    assert_eq!(world.clients[c].requests, 0, "nothing had to be asked for by the viewer");
}

#[test]
fn requests_of_many_viewers_are_one_in_half_a_second() {
    let mut world = World::new(9);
    for _ in 0..8 {
        world.join(Wish::BOTH);
    }
    world.connect(7);
    world.run(Duration::from_secs(1));
    let before = world.events_of(|e| *e == StreamEvent::KeyFrameWanted);
    for _ in 0..20 {
        for client in &mut world.clients {
            client.ask();
        }
        world.shows[0].key_wanted = false;
        world.run(Duration::from_millis(100));
    }
    let asked = world.events_of(|e| *e == StreamEvent::KeyFrameWanted) - before;
    assert!((4..=5).contains(&asked), "{asked} in two seconds");
}

#[test]
fn what_comes_before_its_time_leaves_at_its_time() {
    let mut world = World::new(10);
    world.shows[0].started = None;
    let c = world.join(Wish::BOTH);
    world.connect(c);
    let start = world.now;
    for n in 0..10 {
        let (pts, data) = (video_pts(n), picture::frame(n, n == 0, 2000));
        world.hub.video(world.now, STREAM, VideoFrame { data, key: n == 0, pts, captured: start + pts });
    }
    for n in 0..20 {
        let (pts, data) = (audio_pts(n), Bytes::copy_from_slice(&picture::sound(n)));
        world.hub.audio(world.now, STREAM, AudioPacket { data, pts, captured: start + pts });
    }
    world.flush();
    world.run(Duration::from_secs(1));
    let client = &world.clients[c];
    check_frames(client);
    check_sounds(client);
    assert_eq!((client.frames.len(), client.sounds.len()), (10, 20));
    let off = client.frames.iter().map(|f| f.at - (start + video_pts(f.number))).max().unwrap();
    assert!(off < Duration::from_millis(12), "{off:?}");
}

#[test]
fn only_video_and_only_audio_are_fine() {
    let mut world = World::new(11);
    let seer = world.join(Wish { audio: false, ..Wish::BOTH });
    let hearer = world.join(Wish { video: false, ..Wish::BOTH });
    let third = world.join(Wish { data: true, ..Wish::BOTH });
    for c in [seer, hearer, third] {
        world.connect(c);
    }
    world.run(Duration::from_secs(2));
    check_frames(&world.clients[seer]);
    check_sounds(&world.clients[hearer]);
    check_frames(&world.clients[third]);
    assert!(world.clients[seer].sounds.is_empty() && world.clients[hearer].frames.is_empty());
    assert!(world.clients[seer].reports.iter().all(|r| r.video) && !world.clients[seer].reports.is_empty());
    assert!(world.clients[hearer].reports.iter().all(|r| !r.video) && !world.clients[hearer].reports.is_empty());
}

#[test]
fn hours_change_nothing() {
    let mut world = World::new(12);
    // As if it had run for 40 hours: both RTP clocks have wrapped.
    let hours = Duration::from_secs(40 * 3600);
    world.shows[0].frames = hours.as_secs() * 25;
    world.shows[0].packets = hours.as_secs() * 50;
    world.shows[0].started = Some(world.now - hours);
    let c = world.join(Wish::BOTH);
    world.connect(c);
    world.run(Duration::from_secs(2));
    let client = &world.clients[c];
    assert!(client.frames.len() > 40 && client.sounds.len() > 80);
    for frame in &client.frames {
        assert_eq!(frame.time as u32, (frame.number * 3600) as u32);
    }
    let started = world.shows[0].started.unwrap();
    assert!(client.reports.len() >= 6);
    for report in &client.reports {
        let clock = if report.video { 90_000 } else { 48_000 };
        let sent = report.at - Duration::from_millis(10) - started;
        let expected = (sent.as_micros() * clock / 1_000_000) as u32;
        let off = (report.time as u32).wrapping_sub(expected).cast_signed();
        assert!(off.unsigned_abs() < 90, "1 ms: {off}");
    }
}
