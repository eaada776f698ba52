//! ICE: candidates that come later, sessions begun again, and tags that are out of date.

use crate::client::{Client, Wish};
use crate::world::{STREAM, World};
use mouthpiece_transport::hub::HubSettings;
use mouthpiece_transport::{SignalError, StreamEvent};
use std::time::Duration;

/// The credentials of a description or a fragment, as lines.
fn credentials(text: &str) -> (String, String) {
    let line = |start| text.lines().find(|line| line.starts_with(start)).unwrap().trim().to_owned();
    (line("a=ice-ufrag:"), line("a=ice-pwd:"))
}

/// What the page does on a restart: an offer of its own, of which only the ICE part is sent.
fn fragment(offer: &str) -> String {
    let (ufrag, pass) = credentials(offer);
    let candidates: String =
        offer.lines().filter(|l| l.starts_with("a=candidate")).map(|l| format!("{}\r\n", l.trim())).collect();
    format!("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n{ufrag}\r\n{pass}\r\n{candidates}a=end-of-candidates\r\n")
}

/// The first answer with the ICE part of the new one.
fn answer(old: &str, fragment: &str) -> String {
    let ((ufrag, pass), (old_ufrag, old_pass)) = (credentials(fragment), credentials(old));
    old.replace(&old_ufrag, &ufrag).replace(&old_pass, &pass)
}

fn restart(world: &mut World, c: usize) -> Result<(), SignalError> {
    let offer = world.clients[c].offer_again();
    let name = world.clients[c].name;
    let restarted = world.hub.restart(world.now, STREAM, name, &fragment(&offer))?;
    let client = &mut world.clients[c];
    let text = answer(&client.answer, &restarted.fragment);
    assert_ne!(client.tag, restarted.tag);
    client.tag = restarted.tag;
    client.accept(&text);
    client.work(world.now);
    world.flush();
    Ok(())
}

#[test]
fn media_goes_on_while_ice_begins_again() {
    for lite in [false, true] {
        let mut world = World::with(1, HubSettings { lite, max_viewers: 10, max_viewers_per_stream: 10 });
        let c = world.join(Wish::SPEAKER);
        world.clients[c].speaks_from = Some(world.now);
        world.connect(c);
        world.run(Duration::from_secs(2));
        for _ in 0..3 {
            let tag = world.clients[c].tag.clone();
            restart(&mut world, c).unwrap();
            world.run(Duration::from_secs(12));
            assert!(world.clients[c].rtc.is_connected());
            let stale = world.hub.trickle(world.now, STREAM, 0, &tag, "a=end-of-candidates\r\n");
            assert_eq!(stale, Err(SignalError::StaleTag));
        }
        assert_eq!(world.events_of(|e| matches!(e, StreamEvent::Left { .. })), 0, "lite {lite}");
        let client = &world.clients[c];
        assert!(client.frames.windows(2).all(|pair| pair[1].number == pair[0].number + 1), "lite {lite}");
        assert!(client.sounds.windows(2).all(|pair| pair[1].1 == pair[0].1 + 960));
        assert!(world.events_of(|e| matches!(e, StreamEvent::Microphone { .. })) > 1700);
        assert_eq!(world.hub.counts().noise, 0);
    }
}

#[test]
fn a_viewer_whose_address_changed_comes_back_by_a_restart() {
    for lite in [false, true] {
        let mut world = World::with(2, HubSettings { lite, max_viewers: 10, max_viewers_per_stream: 10 });
        let c = world.join(Wish::BOTH);
        world.connect(c);
        world.run(Duration::from_secs(2));
        // Another network: what goes to the old address is lost.
        let moved = "203.0.113.50:7000".parse().unwrap();
        let client = &mut world.clients[c];
        client.addr = moved;
        client.rtc.add_local_candidate(str0m::Candidate::host(moved, "udp").unwrap());
        let before = client.frames.len();
        world.run(Duration::from_secs(1));
        restart(&mut world, c).unwrap();
        world.run(Duration::from_secs(4));
        let client = &world.clients[c];
        assert!(client.frames.len() > before + 60, "lite {lite}: {} frames more", client.frames.len() - before);
        assert_eq!(world.events_of(|e| matches!(e, StreamEvent::Left { .. })), 0);
    }
}

#[test]
fn candidates_may_come_later() {
    let mut world = World::new(3);
    let mut client = Client::new(world.now, 0, "198.51.0.0:4000".parse().unwrap());
    let offer = client.offer(Wish::BOTH);
    let bare: String = offer.lines().filter(|l| !l.starts_with("a=candidate")).map(|l| format!("{l}\n")).collect();
    let answered = world.hub.offer(world.now, STREAM, 0, &bare).unwrap();
    let mine: String = offer.lines().filter(|l| l.starts_with("a=candidate")).map(|l| format!("{l}\n")).collect();
    let (ufrag, pass) = credentials(&offer);
    let trickled =
        format!("{ufrag}\n{pass}\nm=video 9 X 0\na=mid:0\n{mine}a=candidate:9 1 udp 1 9f3.local 9 typ host\n");
    world.hub.trickle(world.now, STREAM, 0, &answered.tag, &trickled).unwrap();
    world.hub.trickle(world.now, STREAM, 0, &answered.tag, "a=end-of-candidates\n").unwrap();
    let foreign = trickled.replace(&ufrag, "a=ice-ufrag:elsewhere");
    let refused = world.hub.trickle(world.now, STREAM, 0, &answered.tag, &foreign);
    assert!(matches!(refused, Err(SignalError::Unprocessable(_))));
    assert_eq!(world.hub.trickle(world.now, STREAM, 0, "old", &trickled), Err(SignalError::StaleTag));
    assert_eq!(world.hub.trickle(world.now, STREAM, 5, &answered.tag, &trickled), Err(SignalError::NoViewer));
    let junk = world.hub.trickle(world.now, STREAM, 0, &answered.tag, "junk");
    assert!(matches!(junk, Err(SignalError::Malformed(_))));
    // The hub alone can begin: it knows where the viewer is, and asks first.
    let datagram = world.hub.pop().or_else(|| {
        world.hub.tick(world.now + Duration::from_millis(100));
        world.hub.pop()
    });
    assert_eq!(datagram.unwrap().to, "198.51.0.0:4000".parse().unwrap());
}

#[test]
fn a_restart_needs_news() {
    let mut world = World::new(4);
    let c = world.join(Wish::BOTH);
    world.connect(c);
    let offer = world.clients[c].offer_again();
    let told = |world: &mut World, text: &str| world.hub.restart(world.now, STREAM, 0, text);
    assert!(matches!(told(&mut world, "a=end-of-candidates\r\n"), Err(SignalError::Unprocessable(_))));
    assert!(matches!(told(&mut world, "nonsense"), Err(SignalError::Malformed(_))));
    let fresh = fragment(&offer);
    told(&mut world, &fresh).unwrap();
    assert!(matches!(told(&mut world, &fresh), Err(SignalError::Unprocessable(_))), "the same twice");
    assert_eq!(world.hub.restart(world.now, STREAM, 7, &fresh), Err(SignalError::NoViewer));
}
