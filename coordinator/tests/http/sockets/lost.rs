//! Lines that are lost, and what is told and said again.

use super::*;

#[actix_web::test]
async fn a_session_that_moves_is_followed() {
    let mut talk = Talk::begin().await;
    let elsewhere = WorkerId(8);
    let mut there = Stage::on(&talk.rig, elsewhere, obliging).await;
    talk.rig.requeued(talk.id);
    talk.called = Talk::none(&talk.rig, talk.id).await; // the worker is lost
    assert_eq!(talk.ws.event().await, json!({"type": "session.state_updated", "state": "reconnecting"}));
    // What is said meanwhile waits.
    talk.ws.text(r#"{"type":"session.keep_alive"}"#).await;
    let moved = talk.rig.moved(talk.id, elsewhere);
    talk.called = there.called().await;
    assert_eq!(talk.called.hold, moved);
    assert_eq!(talk.hears().await, LineInput::KeepAlive { event: None });
    talk.says(LineOutput::Mood { mood: FaceMood::Idle, event: None }).await;
    assert_eq!(talk.ws.event().await, json!({"type": "session.state_updated", "state": "live"}));
    assert_eq!(talk.ws.event().await, json!({"type": "agent.state_updated", "state": "idle"}));
}

#[actix_web::test]
async fn a_broken_way_to_the_same_worker_is_mended() {
    let mut talk = Talk::with(|p| p.again = 10 * MS).await;
    talk.called = Talk::none(&talk.rig, talk.id).await;
    assert_eq!(talk.ws.event().await["state"], "reconnecting");
    talk.called = talk.stage.called().await;
    talk.says(LineOutput::Mood { mood: FaceMood::Idle, event: None }).await;
    assert_eq!(talk.ws.event().await["state"], "live");
}

#[actix_web::test]
async fn what_was_missed_while_the_line_was_lost_is_told_once() {
    let mut talk = Talk::with(|p| p.again = 10 * MS).await;
    let position = |number| EventPosition { fence: Fence(1), number };
    let started = |n: u64| LineOutput::Started { event: Some(n.to_string()) };
    let told_start = |n: u64| json!({"type": "agent.speak_started", "event_id": n.to_string()});
    let told_position = |n: u64| json!({"type": "session.position", "position": format!("1-{n}")});
    talk.says(started(4)).await;
    talk.says(LineOutput::Position { position: position(4) }).await;
    talk.says(LineOutput::Position { position: position(4) }).await;
    assert_eq!(talk.ws.event().await, told_start(4));
    assert_eq!(talk.ws.event().await, told_position(4), "told once");
    for (seen, now) in [(4, 6), (6, 8)] {
        talk.called = Talk::none(&talk.rig, talk.id).await;
        assert_eq!(talk.ws.event().await["state"], "reconnecting");
        talk.ws.text(r#"{"type":"session.keep_alive"}"#).await;
        talk.called = talk.stage.called().await;
        assert_eq!(talk.hears().await, LineInput::KeepAlive { event: None });
        let Some(LineInput::Identify(CallerIntroduction { after, .. })) = talk.introduction.take() else {
            panic!("nobody called")
        };
        assert_eq!(after, Some(position(seen)));
        talk.says(LineOutput::Settled { through: u64::MAX, begun: None, of_next_ms: 0 }).await;
        // What comes before the answer comes again after it.
        talk.says(LineOutput::Mood { mood: FaceMood::Idle, event: None }).await;
        talk.says(started(now)).await;
        talk.says(LineOutput::Position { position: position(now) }).await;
        talk.says(LineOutput::Resumed { complete: true }).await;
        talk.says(started(now - 1)).await;
        talk.says(started(now)).await;
        talk.says(LineOutput::Position { position: position(now) }).await;
        assert_eq!(talk.ws.event().await["state"], "live");
        assert_eq!(talk.ws.event().await, told_start(now - 1));
        assert_eq!(talk.ws.event().await, told_start(now));
        assert_eq!(talk.ws.event().await, told_position(now));
    }
}

#[actix_web::test]
async fn what_was_pushed_and_not_played_is_said_where_the_session_goes_on() {
    let mut talk = Talk::with(|p| p.again = 10 * MS).await;
    let speech = |samples: Vec<i16>| LineInput::Speak { event: None, rate: 24_000, samples };
    for sample in 1..=3_i16 {
        let samples: Vec<u8> = [sample; 2400].into_iter().flat_map(i16::to_le_bytes).collect();
        talk.ws.send(BINARY, &samples).await;
        assert_eq!(talk.hears().await, speech(vec![sample; 2400]));
    }
    talk.ws.text(r#"{"type":"agent.speak_end","event_id":"a"}"#).await;
    talk.hears().await;
    let Some(LineInput::Identify(CallerIntroduction { caller, next: 1, after: None, .. })) = talk.introduction.take()
    else {
        panic!("nobody called")
    };
    talk.says(LineOutput::Refused { number: 3, event: None, retry_after_ms: 1, detail: "no room".into() }).await;
    assert_eq!(talk.ws.event().await["code"], "no_room");
    let begun = BegunUtterance { event: Some("a".into()), played_ms: 150 };
    talk.says(LineOutput::Settled { through: 1, begun: Some(begun.clone()), of_next_ms: 50 }).await;
    talk.says(LineOutput::Kept { event: None }).await;
    assert_eq!(talk.ws.event().await["state"], "live", "what is settled is not the caller's");

    // Only the way broke: all is said, and the worker knows what it had.
    talk.called = Talk::none(&talk.rig, talk.id).await;
    assert_eq!(talk.ws.event().await["state"], "reconnecting");
    talk.called = talk.stage.called().await;
    assert_eq!(talk.hears().await, speech(vec![2; 2400]));
    assert_eq!(talk.hears().await, LineInput::KeepAlive { event: None }, "in place of what was refused");
    assert_eq!(talk.hears().await, LineInput::SpeakEnd { event: Some("a".into()) });
    let who = |begun| LineInput::Identify(CallerIntroduction { caller, next: 2, after: None, listening: false, begun });
    assert_eq!(talk.introduction.take(), Some(who(Some(begun.clone()))));

    // The worker is lost: what it had played is not said again.
    let elsewhere = WorkerId(8);
    let mut there = Stage::on(&talk.rig, elsewhere, obliging).await;
    talk.rig.requeued(talk.id);
    talk.called = Talk::none(&talk.rig, talk.id).await;
    talk.rig.moved(talk.id, elsewhere);
    talk.called = there.called().await;
    assert_eq!(talk.hears().await, speech(vec![2; 1200]));
    assert_eq!(talk.hears().await, LineInput::KeepAlive { event: None });
    assert_eq!(talk.hears().await, LineInput::SpeakEnd { event: Some("a".into()) });
    assert_eq!(talk.introduction.take(), Some(who(Some(begun.clone()))));
    talk.says(LineOutput::Continued { utterance: begun }).await;
    assert_eq!(talk.ws.event().await["state"], "live");
    let resumed = json!({"type": "agent.speak_resumed", "event_id": "a", "from_ms": 150});
    assert_eq!(talk.ws.event().await, resumed);
}

#[actix_web::test]
async fn who_lost_its_socket_hears_what_came_since() {
    let talk = Talk::begin().await;
    let mut again = Ws::open(&talk.rig, &format!("{}&after=1-7", talk.path), "").await.unwrap();
    let mut stage = talk.stage;
    let mut called = stage.called().await;
    let Ok(Some(LineInput::Identify(CallerIntroduction { after, .. }))) = timeout(BOUND, called.up.recv()).await else {
        panic!("nobody called")
    };
    assert_eq!(after, Some(EventPosition { fence: Fence(1), number: 7 }));
    for down in [LineOutput::Kept { event: None }, LineOutput::Resumed { complete: false }] {
        called.down.send(down).await.unwrap();
    }
    assert_eq!(again.event().await["state"], "live");
    assert_eq!(again.event().await, json!({"type": "session.resumed", "complete": false}));
    for bad in ["7", "1-", "one", "-1-1", ""] {
        let path = talk.path.replace("?token", &format!("?after={bad}&token"));
        Answer::of(talk.rig.bare(Method::GET, &path)).await.blames("after");
    }
}

#[actix_web::test]
async fn a_session_that_is_nowhere_is_given_up() {
    // It waits for a slot; or its worker takes every line and leads none anywhere; or takes none.
    for way in 0..3 {
        let mut talk = Talk::with(|p| (p.elsewhere, p.again) = (150 * MS, 10 * MS)).await;
        match way {
            0 => talk.rig.requeued(talk.id),
            1 => {}
            _ => drop(talk.rig.lines.calls(WORKER).await.unwrap()),
        }
        talk.called = Talk::none(&talk.rig, talk.id).await;
        assert_eq!(talk.ws.event().await["state"], "reconnecting");
        let hang_up = async {
            loop {
                if way == 1 {
                    drop(talk.stage.called().await);
                } else {
                    std::future::pending::<()>().await;
                }
            }
        };
        let (code, reason) = tokio::select! {
            closed = talk.ws.closed() => closed,
            () = hang_up => unreachable!(),
        };
        assert!(code == 1011 && reason.contains("ran nowhere else"), "{way}: {code} {reason}");
    }
}

#[actix_web::test]
async fn a_session_that_ended_with_its_worker_is_told() {
    let mut talk = Talk::begin().await;
    talk.rig.farm.end(talk.id, SessionEnd::new(EndReason::Lost, None));
    talk.called = Talk::none(&talk.rig, talk.id).await;
    assert_eq!(talk.ws.event().await["state"], "reconnecting");
    let over = json!({"type": "session.state_updated", "state": "ended", "reason": "lost"});
    assert_eq!(talk.ws.event().await, over);
    assert_eq!(talk.ws.closed().await.0, 1000);
}
