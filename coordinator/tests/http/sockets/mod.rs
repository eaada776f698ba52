//! Audio sockets, through real connections.

mod lost;

use crate::rig::{Answer, BOUND, Rig, eventually};
use crate::script::WORKER;
use crate::stage::{Stage, hold, obliging};
use crate::ws::{BINARY, Frame, PING, PONG, Ws, head};
use mouthpiece_coordinator::office::{KeyScope, LiveSettings, SocketTimeouts};
use mouthpiece_domain::ids::{SessionId, WorkerId};
use mouthpiece_domain::live::{BegunUtterance, CallerIntroduction, EventPosition, FaceMood, LineInput, LineOutput};
use mouthpiece_domain::session::{EndReason, Fence, SessionEnd};
use mouthpiece_ports::lines::{IncomingLine, Lines};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

const MS: Duration = Duration::from_millis(1);

/// A session that runs, its worker, a socket to it and the worker's end of its line.
struct Talk {
    rig: Rig,
    stage: Stage,
    id: SessionId,
    path: String,
    ws: Ws,
    called: IncomingLine,
    /// What the line said first when it was heard last.
    introduction: Option<LineInput>,
}

/// What a worker hears next on a line, but for who calls.
async fn heard(called: &mut IncomingLine) -> Option<LineInput> {
    loop {
        match timeout(BOUND, called.up.recv()).await.expect("nothing was heard") {
            Some(LineInput::Identify(_)) => {}
            heard => return heard,
        }
    }
}

impl Talk {
    async fn begin() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut SocketTimeouts)) -> Self {
        let mut live = LiveSettings::default();
        change(&mut live.sockets);
        let rig = Rig::with(|s| s.live = live).await;
        let (id, body) = rig.running().await;
        let stage = Stage::set(&rig, obliging).await;
        let token = body["live"]["token"].as_str().unwrap();
        let path = format!("{}?token={token}", body["live"]["audio_url"].as_str().unwrap());
        let ws = Ws::open(&rig, &path, "").await.unwrap();
        let mut talk = Self { called: Self::none(&rig, id).await, rig, stage, id, path, ws, introduction: None };
        talk.called = talk.stage.called().await;
        assert_eq!(talk.called.hold, hold(id));
        assert_eq!(talk.ws.event().await, json!({"type": "session.state_updated", "state": "live"}));
        talk
    }

    /// A line to nobody, to have something until the real one comes.
    async fn none(rig: &Rig, id: SessionId) -> IncomingLine {
        let nobody = WorkerId(99);
        let mut calls = rig.lines.calls(nobody).await.unwrap();
        let hold = mouthpiece_domain::fleet::Hold { worker: nobody, ..hold(id) };
        let _line = rig.lines.open(&hold).await.unwrap();
        calls.next().await.unwrap()
    }

    /// What the worker hears next; who calls is kept apart.
    async fn hears(&mut self) -> LineInput {
        loop {
            let heard = timeout(BOUND, self.called.up.recv()).await.expect("nothing was heard");
            match heard.expect("the line ended") {
                who @ LineInput::Identify(_) => self.introduction = Some(who),
                heard => return heard,
            }
        }
    }

    async fn says(&self, down: LineOutput) {
        timeout(BOUND, self.called.down.send(down)).await.unwrap().unwrap();
    }

    fn metric(&self, line: &str) -> bool {
        self.rig.api.metrics.render().lines().any(|shown| shown == line)
    }
}

#[actix_web::test]
async fn what_is_said_is_heard_and_answered() {
    let mut talk = Talk::begin().await;
    talk.ws.text(r#"{"type":"agent.speak","audio":"AQD+/w==","event_id":"e1","sample_rate":16000}"#).await;
    talk.ws.send(BINARY, &[1, 0, 0xfe, 0xff]).await;
    talk.ws.text(r#"{"type":"agent.speak_end","event_id":"e1"}"#).await;
    for verb in ["agent.start_listening", "agent.stop_listening", "session.keep_alive", "agent.interrupt"] {
        talk.ws.text(&format!(r#"{{"type":"{verb}","event_id":"{verb}"}}"#)).await;
    }
    let speech =
        |event: Option<&str>, rate| LineInput::Speak { event: event.map(Into::into), rate, samples: vec![1, -2] };
    for wanted in [
        speech(Some("e1"), 16_000),
        speech(None, 24_000),
        LineInput::SpeakEnd { event: Some("e1".into()) },
        LineInput::StartListening { event: Some("agent.start_listening".into()) },
        LineInput::StopListening { event: Some("agent.stop_listening".into()) },
        LineInput::KeepAlive { event: Some("session.keep_alive".into()) },
        LineInput::Interrupt { event: Some("agent.interrupt".into()) },
    ] {
        assert_eq!(talk.hears().await, wanted);
    }
    talk.says(LineOutput::Mood { mood: FaceMood::Talking, event: None }).await;
    talk.says(LineOutput::Mood { mood: FaceMood::Idle, event: Some("i".into()) }).await;
    talk.says(LineOutput::Kept { event: Some("k".into()) }).await;
    talk.says(LineOutput::Started { event: Some("e1".into()) }).await;
    talk.says(LineOutput::Interrupted { event: Some("e1".into()), played_ms: 40 }).await;
    talk.says(LineOutput::Buffer { buffered_ms: 1, limit_ms: 2 }).await;
    talk.says(LineOutput::Refused { number: 1, event: None, retry_after_ms: 250, detail: "no room".into() }).await;
    for wanted in [
        json!({"type": "agent.state_updated", "state": "talking"}),
        json!({"type": "agent.state_updated", "state": "idle", "event_id": "i"}),
        json!({"type": "session.state_updated", "state": "live", "event_id": "k"}),
        json!({"type": "agent.speak_started", "event_id": "e1"}),
        json!({"type": "agent.speak_interrupted", "event_id": "e1", "played_ms": 40}),
        json!({"type": "agent.buffer", "buffered_ms": 1, "limit_ms": 2}),
        json!({"type": "error", "code": "no_room", "message": "no room", "retry_after_ms": 250}),
    ] {
        assert_eq!(talk.ws.event().await, wanted);
    }
    assert!(talk.metric("mouthpiece_live_audio_sockets 1"));
    assert!(talk.metric("mouthpiece_live_refused_messages_total{code=\"no_room\"} 1"));
    // Two samples at each of two rates.
    let seconds = 2.0 / 16_000.0 + 2.0 / 24_000.0;
    assert!(talk.metric(&format!("mouthpiece_live_audio_received_seconds_total {seconds}")));
    talk.says(LineOutput::Over { reason: "completed".into() }).await;
    let over = json!({"type": "session.state_updated", "state": "ended", "reason": "completed"});
    assert_eq!(talk.ws.event().await, over);
    let (code, reason) = talk.ws.closed().await;
    assert_eq!((code, reason.as_str()), (1000, "the session has ended: completed"));
    eventually("the socket is given back", || talk.metric("mouthpiece_live_audio_sockets 0").then_some(())).await;
}

#[actix_web::test]
async fn who_asks_for_it_is_told_how_much_was_played() {
    let talk = Talk::begin().await;
    let mut stage = talk.stage;
    let begun = |played_ms| Some(BegunUtterance { event: Some("e".into()), played_ms });
    for (query, tells) in [("&progress=true", true), ("&progress=false", false)] {
        let mut ws = Ws::open(&talk.rig, &format!("{}{query}", talk.path), "").await.unwrap();
        let called = stage.called().await;
        assert_eq!(ws.event().await["state"], "live");
        for down in [
            LineOutput::Settled { through: 0, begun: begun(40), of_next_ms: 40 },
            LineOutput::Settled { through: 1, begun: None, of_next_ms: 0 },
            LineOutput::Kept { event: None },
        ] {
            called.down.send(down).await.unwrap();
        }
        if tells {
            let progress = json!({"type": "agent.speak_progress", "event_id": "e", "played_ms": 40});
            assert_eq!(ws.event().await, progress);
        }
        assert_eq!(ws.event().await["state"], "live", "{query}");
    }
    let path = format!("{}&progress=1", talk.path);
    Answer::of(talk.rig.bare(Method::GET, &path)).await.blames("progress");
}

#[actix_web::test]
async fn the_query_says_the_rate_of_binary_messages() {
    let mut talk = Talk::begin().await;
    let mut ws = Ws::open(&talk.rig, &format!("{}&sample_rate=48000", talk.path), "").await.unwrap();
    let mut called = talk.stage.called().await;
    ws.send(BINARY, &[5, 0]).await;
    let speech = LineInput::Speak { event: None, rate: 48_000, samples: vec![5] };
    assert_eq!(heard(&mut called).await, Some(speech));
    for bad in ["7999", "48001", "0", "x", "22050.5", ""] {
        let path = talk.path.replace("?token", &format!("?sample_rate={bad}&token"));
        let told = Answer::of(talk.rig.bare(Method::GET, &path)).await.blames("sample_rate");
        assert_eq!(told["detail"], "sample_rate must be a whole number from 8000 to 48000");
    }
    for rate in [8_000, 11_025, 22_050, 32_000, 44_100] {
        let mut ws = Ws::open(&talk.rig, &format!("{}&sample_rate={rate}", talk.path), "").await.unwrap();
        let mut called = talk.stage.called().await;
        ws.send(BINARY, &[5, 0]).await;
        let speech = LineInput::Speak { event: None, rate, samples: vec![5] };
        assert_eq!(heard(&mut called).await, Some(speech));
    }
}

#[actix_web::test]
async fn speech_that_is_cut_anywhere_is_heard_whole() {
    let mut talk = Talk::begin().await;
    let samples: Vec<i16> = (0..500).map(|n| n * 60 - 15_000).collect();
    let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let (mut left, mut heard) = (&bytes[..], Vec::new());
    for piece in [1, 7, 0, 2, 33].into_iter().cycle() {
        let (now, later) = left.split_at(left.len().min(piece));
        talk.ws.send(BINARY, now).await;
        left = later;
        if left.is_empty() {
            break;
        }
    }
    while heard.len() < samples.len() {
        let LineInput::Speak { samples, .. } = talk.hears().await else { panic!("no speech") };
        heard.extend(samples);
    }
    assert_eq!(heard, samples);
    // A half that nothing follows belongs to nothing, and is no mistake.
    talk.ws.send(BINARY, &[1]).await;
    talk.ws.text(r#"{"type":"agent.speak_end"}"#).await;
    assert_eq!(talk.hears().await, LineInput::SpeakEnd { event: None });
    talk.ws.send(BINARY, &[2, 0, 9]).await;
    assert_eq!(talk.hears().await, LineInput::Speak { event: None, rate: 24_000, samples: vec![2] });
    talk.says(LineOutput::Refused { number: 1, event: None, retry_after_ms: 1, detail: "no room".into() }).await;
    assert_eq!(talk.ws.event().await["code"], "no_room");
    talk.ws.send(BINARY, &[3, 0]).await;
    assert_eq!(talk.hears().await, LineInput::Speak { event: None, rate: 24_000, samples: vec![3] });
}

#[actix_web::test]
async fn a_message_that_cannot_be_used_is_refused_and_the_socket_stays() {
    let mut talk = Talk::begin().await;
    for (message, code, part) in [
        ("{", "malformed", "JSON"),
        (r#"{"type":"agent.sing"}"#, "unknown_type", "agent.speak_end"),
        (r#"{"type":"agent.speak","audio":"%%%","event_id":"e9"}"#, "invalid_field", "base64"),
        (r#"{"type":"agent.speak","audio":"AQD+","sample_rate":7999}"#, "invalid_field", "from 8000 to 48000"),
        (r#"{"type":"agent.speak","audio":"AQD+","sample_rate":96000}"#, "invalid_field", "from 8000 to 48000"),
        (r#"{"type":"agent.interrupt","now":true}"#, "unknown_field", "'now'"),
    ] {
        talk.ws.text(message).await;
        let told = talk.ws.event().await;
        assert_eq!((&told["type"], &told["code"]), (&json!("error"), &json!(code)), "{told}");
        assert!(told["message"].as_str().unwrap().contains(part), "{told}");
        assert_eq!(told["event_id"], if message.contains("e9") { json!("e9") } else { Value::Null });
    }
    // Nothing is nothing, and no mistake.
    talk.ws.send(BINARY, &[]).await;
    talk.ws.text(r#"{"type":"agent.speak","audio":""}"#).await;
    talk.ws.text(r#"{"type":"agent.interrupt"}"#).await;
    assert_eq!(talk.hears().await, LineInput::Interrupt { event: None });
    assert!(talk.metric("mouthpiece_live_refused_messages_total{code=\"invalid_field\"} 3"));
}

#[actix_web::test]
async fn twenty_mistakes_in_a_row_are_too_many() {
    let mut talk = Talk::begin().await;
    for _ in 0..19 {
        talk.ws.text("?").await;
        assert_eq!(talk.ws.event().await["type"], "error");
    }
    // One that is none, and the counting begins anew.
    talk.ws.text(r#"{"type":"session.keep_alive"}"#).await;
    assert_eq!(talk.hears().await, LineInput::KeepAlive { event: None });
    for _ in 0..20 {
        talk.ws.text("?").await;
    }
    let (code, reason) = talk.ws.closed().await;
    assert!(code == 1008 && reason.starts_with("20 messages in a row"), "{code} {reason}");
    assert_eq!(heard(&mut talk.called).await, None, "the line ends with the socket");
}

#[actix_web::test]
async fn what_is_too_large_or_no_websocket_closes_it() {
    let text = |bytes: &[u8]| [&head(1, bytes.len() as u64)[..], bytes].concat();
    let fragment = |first: u8, length: usize| {
        let mut bytes = [&head(2, length as u64)[..], &vec![0; length]].concat();
        bytes[0] = first;
        bytes
    };
    let megabyte = 1024 * 1024;
    for (bytes, code) in [
        // Only its head comes, and that is enough.
        (head(2, 1 << 40), 1009),
        (head(2, megabyte as u64 + 1), 1009),
        ([fragment(2, megabyte - 1), fragment(0, 1), fragment(0x80, 1)].concat(), 1009),
        (text(b"\"\xff\""), 1007),
        (vec![0x80 | 3, 0x80, 0, 0, 0, 0], 1002),
        (vec![0x80 | 1, 1, b'x'], 1002),
    ] {
        let mut talk = Talk::begin().await;
        let start = bytes[..bytes.len().min(20)].to_vec();
        talk.ws.raw(&bytes).await;
        let (closed, reason) = talk.ws.closed().await;
        assert_eq!(closed, code, "{start:?}: {reason}");
        assert!(!reason.is_empty());
    }
    // The largest that is taken, in one piece and in several.
    let mut talk = Talk::begin().await;
    talk.ws.send(BINARY, &vec![0; megabyte]).await;
    talk.ws.raw(&[fragment(2, megabyte - 2), fragment(0x80, 2)].concat()).await;
    for _ in 0..2 {
        let LineInput::Speak { samples, .. } = talk.hears().await else { panic!("no speech") };
        assert_eq!(samples.len(), megabyte / 2);
    }
}

#[actix_web::test]
async fn pings_are_answered_and_asked_back() {
    let mut talk = Talk::with(|p| p.ping = 20 * MS).await;
    talk.ws.send(PING, b"there?").await;
    assert_eq!(talk.ws.next().await, Frame::Pong(b"there?".to_vec()));
    talk.ws.polite = false;
    for _ in 0..5 {
        assert_eq!(talk.ws.next().await, Frame::Ping(Vec::new()));
        talk.ws.send(PONG, b"").await;
    }
    // Whoever is silent is closed; the pings that it did not answer came before.
    let mut talk = Talk::with(|p| (p.ping, p.silence) = (20 * MS, 100 * MS)).await;
    talk.ws.polite = false;
    let (code, reason) = talk.ws.closed().await;
    assert!(code == 1008 && reason.starts_with("pings were not answered"), "{code} {reason}");
    talk.ws.until_cut().await;
}

#[actix_web::test]
async fn a_caller_that_does_not_read_is_closed() {
    let mut talk = Talk::with(|p| p.read = 100 * MS).await;
    let detail = "x".repeat(60_000);
    let flood = async {
        loop {
            let down = LineOutput::Refused { number: 1, event: None, retry_after_ms: 1, detail: detail.clone() };
            if talk.called.down.send(down).await.is_err() {
                return;
            }
        }
    };
    timeout(BOUND, flood).await.unwrap();
    eventually("the socket is given back", || talk.metric("mouthpiece_live_audio_sockets 0").then_some(())).await;
    // Nothing of it is left, though what was sent last was never read.
    talk.ws.until_cut().await;
}

#[actix_web::test]
async fn a_session_that_takes_nothing_closes_it() {
    let mut talk = Talk::with(|p| p.room = 100 * MS).await;
    // The worker listens to nothing; the caller does not stop.
    let mut sent = 0;
    let (code, reason) = loop {
        talk.ws.send(BINARY, &[0; 2]).await;
        sent += 1;
        assert!(sent < 100_000);
        if let Ok(Frame::Close(code, reason)) = timeout(MS / 10, talk.ws.next()).await {
            break (code, reason);
        }
    };
    assert!(code == 1013 && reason.contains("try again later"), "{code} {reason}");
    // Nothing was lost of what was taken.
    let mut taken = 0;
    while heard(&mut talk.called).await.is_some() {
        taken += 1;
    }
    assert!(taken >= 63, "{taken}");
}

#[actix_web::test]
async fn an_interruption_is_read_while_there_is_no_room() {
    let mut talk = Talk::begin().await;
    for _ in 0..70 {
        talk.ws.send(BINARY, &[0; 2]).await;
    }
    talk.ws.text(r#"{"type":"agent.interrupt"}"#).await;
    // A refusal can only come when everything before it was read.
    talk.ws.text("?").await;
    assert_eq!(talk.ws.event().await["type"], "error");
    for _ in 0..70 {
        assert!(matches!(talk.hears().await, LineInput::Speak { .. }));
    }
    assert_eq!(talk.hears().await, LineInput::Interrupt { event: None });
}

#[actix_web::test]
async fn sockets_end_when_the_server_stops_and_when_the_caller_goes() {
    let mut talk = Talk::begin().await;
    let mut other = Ws::open(&talk.rig, &talk.path, "").await.unwrap();
    let mut of_other = talk.stage.called().await;
    other.send(8, &1000_u16.to_be_bytes()).await;
    assert_eq!(other.closed().await.0, 1000);
    assert_eq!(heard(&mut of_other).await, None);
    // One that just goes.
    let gone = Ws::open(&talk.rig, &talk.path, "").await.unwrap();
    let mut of_gone = talk.stage.called().await;
    drop(gone);
    assert_eq!(heard(&mut of_gone).await, None);
    let Talk { rig, mut ws, called: _called, stage: _stage, .. } = talk;
    let (closed, stopped) = tokio::join!(ws.closed(), timeout(BOUND, rig.stop()));
    stopped.unwrap();
    assert_eq!((closed.0, closed.1.as_str()), (1001, "the server is about to stop: connect again"));
}

#[actix_web::test]
async fn a_socket_ends_with_its_key() {
    let mut talk = Talk::with(|p| p.ping = 20 * MS).await;
    let key = talk.rig.memory.kept().keys[0].clone();
    talk.rig.key(&KeyScope::ALL, |_| {}); // another one that manages keys
    talk.rig.delete(&format!("/v1/keys/{}", key.id)).await.is(204);
    let (code, reason) = talk.ws.closed().await;
    assert!(code == 1008 && reason.contains("revoked"), "{code} {reason}");
}

#[actix_web::test]
async fn a_socket_ends_with_its_page() {
    let mut talk = Talk::with(|p| p.ping = 20 * MS).await;
    let (rig, cookie) = (&talk.rig, talk.rig.cookie().await);
    let path = talk.path.split('?').next().unwrap();
    let own = format!("cookie: {cookie}\r\norigin: {}\r\n", rig.address);
    talk.ws = Ws::open(rig, path, &own).await.unwrap();
    let close = rig.bare(Method::DELETE, "/v1/page/session").header("cookie", cookie).header("origin", &rig.address);
    Answer::of(close).await.is(204);
    let (code, _) = talk.ws.closed().await;
    assert_eq!(code, 1008);
}

#[actix_web::test]
async fn a_socket_is_refused_before_the_upgrade() {
    let talk = Talk::begin().await;
    let (rig, path) = (&talk.rig, talk.path.split('?').next().unwrap());
    let key = format!("authorization: Bearer {}\r\n", rig.secret);
    let refused = async |path: &str, headers: &str, status: u16| {
        let Err(head) = Ws::open(rig, path, headers).await else { panic!("{path} was opened") };
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{head}");
        assert!(head.contains("content-type: application/problem+json"), "{head}");
        head
    };
    refused(path, "", 401).await;
    refused(&format!("{path}?token=mps_x"), "", 401).await;
    refused(&format!("{path}?token={}", rig.secret), "", 401).await;
    refused(&format!("{}&more=1", talk.path), "", 422).await;
    refused("/v1/sessions/ses_1/audio", &key, 404).await;
    refused(&format!("/v1/sessions/ses_{}/audio", "0".repeat(32)), &key, 404).await;
    let (other, _) = rig.running().await;
    refused(&talk.path.replace(&talk.id.to_string(), &other.to_string()), "", 403).await;
    let looks_only = rig.key(&[KeyScope::Farm], |_| {});
    refused(path, &format!("authorization: Bearer {looks_only}\r\n"), 403).await;
    refused(&format!("/v1/sessions/{}/audio", rig.render().await), &key, 409).await;
    // No WebSocket at all.
    Answer::of(rig.ask(Method::GET, path)).await.problem(400, "bad-request");
    // With a key it is opened; with the page's cookie from its own site only.
    Ws::open(rig, path, &key).await.unwrap();
    let cookie = format!("cookie: {}\r\n", rig.cookie().await);
    Ws::open(rig, path, &format!("{cookie}origin: {}\r\n", rig.address)).await.unwrap();
    for elsewhere in ["origin: https://elsewhere.example\r\n", "sec-fetch-site: cross-site\r\n", ""] {
        refused(path, &format!("{cookie}{elsewhere}"), 403).await;
    }
}

#[actix_web::test]
async fn sockets_are_bounded() {
    let talk = Talk::begin().await;
    let mut more = Vec::new();
    for _ in 0..7 {
        more.push(Ws::open(&talk.rig, &talk.path, "").await.unwrap());
    }
    let Err(refused) = Ws::open(&talk.rig, &talk.path, "").await else { panic!("a ninth socket was opened") };
    assert!(refused.starts_with("http/1.1 429 ") && refused.contains("retry-after: 2"), "{refused}");
    drop(more.pop());
    let opened = async {
        loop {
            if let Ok(ws) = Ws::open(&talk.rig, &talk.path, "").await {
                return ws;
            }
            tokio::time::sleep(5 * MS).await;
        }
    };
    timeout(BOUND, opened).await.unwrap();
    let few = Rig::with(|s| s.live.max_sockets = 0).await;
    let (_, body) = few.running().await;
    let path =
        format!("{}?token={}", body["live"]["audio_url"].as_str().unwrap(), body["live"]["token"].as_str().unwrap());
    let Err(refused) = Ws::open(&few, &path, "").await else { panic!("one too many was opened") };
    assert!(refused.starts_with("http/1.1 503 "), "{refused}");
}

#[actix_web::test]
async fn a_socket_waits_for_the_session_to_start() {
    let rig = Rig::start().await;
    let mut stage = Stage::set(&rig, obliging).await;
    let body = rig.live("").await;
    let id: SessionId = body["id"].as_str().unwrap().parse().unwrap();
    let path =
        format!("{}?token={}", body["live"]["audio_url"].as_str().unwrap(), body["live"]["token"].as_str().unwrap());
    let start = async {
        eventually("a watcher", || (rig.farm.watchers() > 0).then_some(())).await;
        rig.farm.run(id, 0, 0);
    };
    let (ws, ()) = tokio::join!(Ws::open(&rig, &path, ""), start);
    let mut ws = ws.unwrap();
    assert_eq!(stage.called().await.hold, hold(id));
    assert_eq!(ws.event().await["state"], "live");
    // Or it is told to come back, like a viewer.
    let rig = Rig::with(|s| s.live.whep_wait = 20 * MS).await;
    let body = rig.live("").await;
    let path =
        format!("{}?token={}", body["live"]["audio_url"].as_str().unwrap(), body["live"]["token"].as_str().unwrap());
    let Err(refused) = Ws::open(&rig, &path, "").await else { panic!("it was opened") };
    assert!(refused.starts_with("http/1.1 409 ") && refused.contains("retry-after: 1"), "{refused}");
    // And when there is no way to its worker.
    rig.farm.run(body["id"].as_str().unwrap().parse().unwrap(), 0, 0);
    let Err(refused) = Ws::open(&rig, &path, "").await else { panic!("it was opened") };
    assert!(refused.starts_with("http/1.1 503 "), "{refused}");
}
