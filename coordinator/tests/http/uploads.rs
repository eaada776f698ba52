//! Uploads: bounded while they arrive, and gone when they fail.

use crate::rig::{Answer, BOUND, Form, PNG, Rig, WAV, eventually};
use mouthpiece_coordinator::office::KeyScope;
use std::process::Command;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection that a test writes to byte by byte.
struct Raw(TcpStream);

impl Raw {
    /// Sends the head of a form's request.
    async fn post(rig: &Rig, path: &str, length: &str) -> Self {
        let host = rig.address.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ncontent-type: {}\r\n{length}\r\n\r\n",
            rig.secret,
            Form::TYPE
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        Self(stream)
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The answer, up to the end of its body.
    async fn answer(&mut self) -> String {
        let mut text = Vec::new();
        let read = async {
            let mut piece = [0; 4096];
            loop {
                let n = self.0.read(&mut piece).await.unwrap_or(0);
                text.extend_from_slice(&piece[..n]);
                if n == 0 || text.ends_with(b"}") {
                    break;
                }
            }
        };
        timeout(BOUND, read).await.unwrap();
        String::from_utf8(text).unwrap()
    }
}

const LIMIT: u64 = 100_000;

async fn small() -> Rig {
    Rig::with(|s| {
        s.portrait_bytes = LIMIT;
        s.speech_bytes = LIMIT;
    })
    .await
}

#[actix_web::test]
async fn a_body_that_says_it_is_too_large_is_not_waited_for() {
    let rig = small().await;
    for path in ["/v1/renders", "/v1/avatars"] {
        let mut raw = Raw::post(&rig, path, "content-length: 99999999999").await;
        let answer = raw.answer().await;
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("/problems/too-large"), "{answer}");
    }
    let mut raw = Raw::post(&rig, "/v1/keys", "content-length: 99999999999").await;
    assert!(raw.answer().await.starts_with("HTTP/1.1 415 "));
}

#[actix_web::test]
async fn a_file_that_grows_too_large_is_refused_while_it_arrives() {
    let rig = small().await;
    let mut raw = Raw::post(&rig, "/v1/renders", "transfer-encoding: chunked").await;
    let start = Form::default().file("speech", WAV).broken_off();
    raw.send(format!("{:x}\r\n", start.len() - 2).as_bytes()).await;
    raw.send(&start[..start.len() - 2]).await; // without the line's end: the file goes on
    raw.send(b"\r\n").await;
    let piece = [b"2710\r\n", &[7; 10_000][..], b"\r\n"].concat();
    // Nothing says how much more comes; after the limit an answer comes although the body goes on.
    for _ in 0..11 {
        raw.send(&piece).await;
    }
    let answer = raw.answer().await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("\"field\":\"speech\""), "{answer}");
    assert!(answer.contains(&LIMIT.to_string()), "{answer}");
    eventually("nothing is left of it", || rig.staged().is_empty().then_some(())).await;
}

#[actix_web::test]
async fn just_the_limit_passes() {
    let rig = small().await;
    let mut speech = WAV.to_vec();
    speech.resize(usize::try_from(LIMIT).unwrap(), 1);
    let form = |speech: &[u8]| Form::default().file("portrait", PNG).file("speech", speech);
    Answer::of(rig.form("/v1/renders", &form(&speech))).await.is(202);
    speech.push(1);
    let problem = Answer::of(rig.form("/v1/renders", &form(&speech))).await.problem(413, "too-large");
    assert_eq!(problem["field"], "speech");
}

#[actix_web::test]
async fn a_wrong_type_is_refused_by_its_first_bytes() {
    let rig = small().await;
    let mut raw = Raw::post(&rig, "/v1/renders", "content-length: 90000").await;
    let start = Form::default().file("portrait", &b"%PDF-1.7, and so on".repeat(4)).broken_off();
    raw.send(&start).await;
    let answer = raw.answer().await;
    assert!(
        answer.starts_with("HTTP/1.1 415 ") && answer.contains("portrait is a PDF document: give a picture (PNG"),
        "{answer}"
    );
    // Files are told by their content: two that were confused are told apart.
    let form = Form::default().file("portrait", WAV).file("speech", PNG);
    let problem = Answer::of(rig.form("/v1/renders", &form)).await.problem(415, "unsupported-media");
    assert_eq!(problem["field"], "portrait");
    let form = Form::default().file("portrait", b"8BPS\0\x01").file("speech", WAV);
    let problem = Answer::of(rig.form("/v1/renders", &form)).await.problem(415, "unsupported-media");
    // The very words of the command.
    assert_eq!(problem["detail"], "portrait is a Photoshop file: export it as PNG or JPEG");
    let form = Form::default().file("portrait", PNG).file("speech", PNG);
    let problem = Answer::of(rig.form("/v1/renders", &form)).await.problem(415, "unsupported-media");
    assert!(problem["detail"].as_str().unwrap().contains("WAV, MP3, OGG, FLAC, M4A"), "{problem}");
    assert_eq!(rig.staged(), Vec::<String>::new());
}

/// What ffmpeg makes of a second of sound.
fn made(args: &str, name: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let input = "-hide_banner -loglevel error -nostdin -f lavfi -i sine=d=1".split(' ');
    let run = Command::new("ffmpeg").args(input).args(args.split_whitespace()).arg(&path).status();
    assert!(run.expect("the ffmpeg command is installed").success(), "{args} {name}");
    std::fs::read(path).unwrap()
}

#[actix_web::test]
async fn every_kind_of_recording_is_taken_as_speech() {
    let rig = Rig::start().await;
    let mp3 = made("-write_xing 0 -id3v2_version 0", "plain.mp3");
    let mut recordings = vec![
        ("MP3 behind zeros".to_owned(), [&[0; 9000][..], &mp3].concat()),
        ("MP3 from the midst of a stream".to_owned(), mp3[200..].to_vec()),
    ];
    for (args, name) in [
        ("", "a.wav"),
        ("", "a.mp3"),
        ("-c:a libvorbis", "a.ogg"),
        ("-c:a libopus", "a.opus"),
        ("", "a.flac"),
        ("", "a.m4a"),
        ("-c:a libopus", "a.webm"),
        ("-c:a flac", "a.mka"),
        ("", "a.aac"),
        ("-rf64 always -f wav", "a.rf64"),
        ("", "a.w64"),
        ("", "a.aiff"),
        ("-c:a pcm_alaw -f aiff", "a.aifc"),
        ("", "a.caf"),
        ("", "a.au"),
        ("", "a.mp2"),
        ("", "a.mov"),
        ("", "a.avi"),
        ("", "a.ts"),
    ] {
        recordings.push((name.to_owned(), made(args, name)));
    }
    for (name, bytes) in &recordings {
        let form = Form::default().file("portrait", PNG).file("speech", bytes);
        let answer = Answer::of(rig.form("/v1/renders", &form)).await;
        assert_eq!(answer.status, 202, "{name}: {}", answer.text());
    }
}

#[actix_web::test]
async fn where_it_is_given_decides_what_a_webm_is() {
    let rig = Rig::start().await;
    let webm = made("-f lavfi -i testsrc=d=1:s=64x64 -c:v libvpx -c:a libopus", "a.webm");
    let form = Form::default().file("portrait", &webm).file("speech", &webm);
    Answer::of(rig.form("/v1/renders", &form)).await.is(202);
    let media_types: Vec<_> = rig.memory.kept().avatars.values().map(|avatar| avatar.media_type.clone()).collect();
    assert_eq!(media_types, ["video/webm"]);
}

#[actix_web::test]
async fn nothing_is_left_of_an_upload_that_breaks_off() {
    let rig = small().await;
    let mut raw = Raw::post(&rig, "/v1/renders", "content-length: 90000").await;
    raw.send(&Form::default().file("portrait", PNG).broken_off()).await;
    raw.send(&Form::default().file("speech", WAV).broken_off()).await;
    eventually("both files arrive", || (rig.staged().len() == 2).then_some(())).await;
    drop(raw);
    eventually("both files are gone", || rig.staged().is_empty().then_some(())).await;
    assert!(rig.memory.kept().sessions.is_empty() && rig.memory.kept().blobs.is_empty());
}

#[actix_web::test]
async fn a_body_that_pauses_too_long_is_given_up() {
    let rig = Rig::with(|s| s.body_pause = Duration::from_millis(100)).await;
    let mut raw = Raw::post(&rig, "/v1/avatars", "content-length: 90000").await;
    raw.send(&Form::default().file("image", PNG).broken_off()).await;
    let answer = raw.answer().await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("no more of the body came"), "{answer}");
    assert_eq!(rig.staged(), Vec::<String>::new());
}

#[actix_web::test]
async fn uploads_at_a_time_are_bounded() {
    let mut rig = Rig::with(|s| s.max_uploads = 3).await;
    let one = rig.secret.clone();
    let other = rig.key(&[KeyScope::Sessions], |_| {});
    let form = Form::default().file("image", PNG);
    let begin = async |rig: &Rig, staged: usize| {
        let mut raw = Raw::post(rig, "/v1/avatars", "content-length: 90000").await;
        raw.send(&Form::default().file("image", PNG).broken_off()).await;
        eventually("it arrives", || (rig.staged().len() == staged).then_some(())).await;
        raw
    };
    let mut begun = vec![begin(&rig, 1).await, begin(&rig, 2).await];
    Answer::of(rig.form("/v1/avatars", &form)).await.problem(429, "over-quota");
    rig.secret = other;
    begun.push(begin(&rig, 3).await);
    Answer::of(rig.form("/v1/avatars", &form)).await.problem(503, "no-capacity");
    rig.secret = one;
    drop(begun);
    let next = async { while Answer::of(rig.form("/v1/avatars", &form)).await.status >= 400 {} };
    timeout(BOUND, next).await.unwrap();
    Answer::of(rig.form("/v1/avatars", &form)).await.is(200);
}

#[actix_web::test]
async fn malformed_forms_are_problems() {
    let rig = Rig::start().await;
    let post = async |kind: &str, body: &[u8]| {
        let request = rig.ask(reqwest::Method::POST, "/v1/renders").header("content-type", kind.to_owned());
        Answer::of(request.body(body.to_vec())).await
    };
    for kind in ["multipart/form-data", "multipart/form-data; boundary="] {
        post(kind, b"").await.is(400);
    }
    post("multipart/mixed; boundary=b", b"").await.problem(415, "unsupported-media");
    let form = Form::default().file("portrait", PNG);
    for body in [
        b"".to_vec(),
        b"nothing of a form".to_vec(),
        b"--b0undary".to_vec(),
        b"--b0undary\r\n\r\n".to_vec(),
        b"--b0undary\r\ncontent-disposition: form-data\r\n\r\nx\r\n--b0undary--".to_vec(),
        b"--b0undary\r\ncontent-disposition: attachment; name=\"fps\"\r\n\r\nx\r\n--b0undary--".to_vec(),
        b"--b0undary\r\n\xff\xff: x\r\n\r\nx\r\n--b0undary--".to_vec(),
        b"--b0undary\r\ncontent-disposition: form-data; name=\"fps\"\r\ncontent-type: multipart/mixed; boundary=c\r\n\r\nx".to_vec(),
        form.broken_off(),
    ] {
        let answer = post(Form::TYPE, &body).await;
        assert!([400, 422].contains(&answer.status), "{} for {}", answer.text(), String::from_utf8_lossy(&body));
    }
    post(Form::TYPE, b"--b0undary--\r\n").await.blames("portrait");
    assert_eq!(rig.staged(), Vec::<String>::new());
}
