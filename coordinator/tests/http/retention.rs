//! What is old goes, over the stores that run in earnest. The calendar is the test's.

use crate::rig::{Answer, Form, PNG, Rig, WAV, eventually};
use bytes::Bytes;
use mouthpiece_coordinator::actors;
use mouthpiece_coordinator::metrics::Metrics;
use mouthpiece_coordinator::office::{new_id, now};
use mouthpiece_coordinator::retention::{RetentionSweeper, SweepStep};
use mouthpiece_domain::control::ControlSettings;
use mouthpiece_domain::ids::{AvatarId, SessionId};
use mouthpiece_domain::ledger::{LedgerWrite, WriteOutcome};
use mouthpiece_domain::names;
use mouthpiece_domain::retention::{RetentionAges, RetentionClass};
use mouthpiece_domain::session::{BlobKey, EndReason, Fence, SessionEnd, SessionOutput};
use mouthpiece_domain::time::{HOUR_MS, Wall};
use mouthpiece_embedded::{Directory, Sqlite, farm_ports};
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_ports::farm_ports::RetentionPorts;
use mouthpiece_ports::records::{AvatarRegister, SessionLedger};
use mouthpiece_ports::retention::Retention;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// A farm without workers on a file and a directory.
struct RetentionRig {
    rig: Rig,
    records: Arc<Sqlite>,
    blobs: Arc<Directory>,
    metrics: Arc<Metrics>,
    folder: TempDir,
}

impl RetentionRig {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let records = Arc::new(Sqlite::open(&folder.path().join("farm.sqlite")).await.unwrap());
        let blobs = Arc::new(Directory::open(&folder.path().join("blobs")).unwrap());
        let ports = farm_ports(Arc::clone(&records), Arc::clone(&blobs));
        let settings = ControlSettings { sweep_every: Duration::from_millis(50), ..ControlSettings::default() };
        let metrics = Arc::new(Metrics::new().unwrap());
        let farm = Arc::new(actors::start(ports.actors(), settings, Arc::clone(&metrics)));
        Self { rig: Rig::over(farm, ports.office(), |_| {}).await, records, blobs, metrics, folder }
    }

    fn ports(&self) -> RetentionPorts {
        RetentionPorts { ages: Arc::clone(&self.records) as _, blobs: Arc::clone(&self.blobs) as _ }
    }

    /// A process that begins to sweep: it knows nothing of earlier ones.
    fn sweeper(&self) -> RetentionSweeper {
        RetentionSweeper::new(self.ports(), RetentionAges::default(), Arc::clone(&self.metrics))
    }

    /// Removes what is old so many days from now.
    async fn sweep(&self, days: i64) {
        let mut sweeper = self.sweeper();
        while sweeper.step(later(days)).await.unwrap() == SweepStep::More {}
    }

    /// The same request with this token.
    async fn again(&self, token: &str) -> Answer {
        let form = Form::default().file("portrait", PNG).file("speech", WAV);
        Answer::of(self.rig.form("/v1/renders", &form).header("idempotency-key", token)).await
    }

    /// A new render; its id.
    async fn render(&self, token: &str) -> SessionId {
        self.again(token).await.is(202).id()
    }

    /// A worker elsewhere ends a session, and this coordinator gets to know it.
    async fn end(&self, session: SessionId, end: SessionEnd) {
        let (fence, end, at) = (Fence::FIRST, Box::new(end), now());
        let write = LedgerWrite::End { session, fence, end, progress: None, delivered: None, at };
        assert_eq!(self.records.write(&[write]).await.unwrap(), [WriteOutcome::Applied]);
        while self.session(session).await["state"] != "ended" {
            tokio::task::yield_now().await;
        }
    }

    /// Ends a render with a video.
    async fn finish(&self, session: SessionId) -> String {
        let blob = names::result(session, Fence::FIRST).unwrap();
        self.put(&blob).await;
        let output = SessionOutput { blob: Some(blob), bytes: 4, ..SessionOutput::default() };
        self.end(session, SessionEnd::completed(output)).await;
        format!("/v1/renders/{session}/result")
    }

    async fn session(&self, id: SessionId) -> serde_json::Value {
        self.rig.get(&format!("/v1/sessions/{id}")).await.is(200).json()
    }

    async fn put(&self, key: &BlobKey) {
        self.blobs.put(key, Bytes::from_static(b"four")).await.unwrap();
    }

    /// The keys below a folder.
    async fn below(&self, folder: &str) -> Vec<BlobKey> {
        let found = self.blobs.list(&BlobKey::new(folder).unwrap(), 1000).await.unwrap();
        found.into_iter().map(|(key, _)| key).collect()
    }

    async fn content(&self, key: &BlobKey) -> Option<Bytes> {
        self.blobs.get(key, 1000).await.ok()
    }

    async fn is_leaving(&self) -> usize {
        self.records.leaving(None, 1000).await.unwrap().len()
    }

    #[track_caller]
    fn shows(&self, line: &str) {
        let text = self.metrics.render();
        assert!(text.lines().any(|shown| shown == line), "no line {line} in\n{text}");
    }
}

fn later(days: i64) -> Wall {
    Wall(now().0 + days * 24 * HOUR_MS)
}

#[actix_web::test]
async fn everything_goes_in_its_time() {
    let place = RetentionRig::new().await;
    let first = place.render("a-token").await;
    let kept = place.records.session(first).await.unwrap().unwrap();
    let (portrait, speech) = (kept.spec.portrait.clone(), kept.spec.speech.clone().unwrap());
    let prepared = names::prepared(&kept.spec.content).unwrap();
    let pieces: Vec<_> = ["a.ref", "a.png"].map(|name| BlobKey::new(format!("{prepared}/{name}")).unwrap()).into();
    for piece in &pieces {
        place.put(piece).await;
    }
    let avatar = format!("/v1/avatars/{}", kept.avatar);

    // An open session needs all that it names, however old it is.
    place.sweep(1000).await;
    assert_eq!(place.below("uploads").await.len(), 2);
    assert_eq!(place.again("a-token").await.is(200).id(), first, "the token of an open session is kept");

    let url = place.finish(first).await;
    place.put(&names::result(first, Fence(2)).unwrap()).await; // of a placement that was lost
    place.sweep(0).await;
    assert_eq!(place.rig.get(&url).await.is(200).body, b"four");
    assert_eq!(place.below("results").await.len(), 2);

    // After a day the token is new.
    place.sweep(2).await;
    let second = place.render("a-token").await;
    assert_ne!(second, first);

    // After a week the video has gone, and is said to have; what the open session needs is there.
    place.sweep(8).await;
    let gone = place.rig.get(&url).await.problem(410, "gone");
    assert!(gone["detail"].as_str().unwrap().contains("7 days"), "{gone}");
    assert!(place.session(first).await["result"]["removed_at"].is_string());
    assert!(place.below("results").await.is_empty());
    assert_eq!(place.content(&speech).await.unwrap(), WAV);

    // The recording goes when nothing needs it; the avatar is kept with all that it needs.
    place.end(second, SessionEnd::new(EndReason::Cancelled, None)).await;
    place.sweep(8).await;
    assert_eq!(
        (place.content(&speech).await, place.content(&portrait).await.unwrap()),
        (None, Bytes::from_static(PNG))
    );
    assert_eq!(place.below(prepared.as_str()).await.len(), 2);
    place.rig.get(&avatar).await.is(200);

    // Unused for three months it goes, with its portrait and what was prepared.
    place.sweep(91).await;
    place.rig.get(&avatar).await.problem(404, "not-found");
    assert!(place.below("uploads").await.is_empty() && place.below("avatars").await.is_empty());
    assert_eq!(place.is_leaving().await, 0);
    for line in [
        "mouthpiece_removed_items_total{class=\"results\"} 2",
        "mouthpiece_removed_bytes_total{class=\"results\"} 8",
        "mouthpiece_removed_items_total{class=\"uploads\"} 2",
        &format!("mouthpiece_removed_bytes_total{{class=\"uploads\"}} {}", PNG.len() + WAV.len()),
        "mouthpiece_removed_items_total{class=\"avatars\"} 2",
    ] {
        place.shows(line);
    }

    // All of it may come again.
    let again = place.render("another-token").await;
    let spec = place.records.session(again).await.unwrap().unwrap().spec;
    assert_eq!(place.content(&spec.portrait).await.unwrap(), PNG);
    assert_eq!(place.content(spec.speech.as_ref().unwrap()).await.unwrap(), WAV);
    assert_ne!(spec.portrait, portrait, "the place that was given up is not used again");
}

#[actix_web::test]
async fn an_upload_that_returns_while_it_goes_is_not_lost() {
    let place = RetentionRig::new().await;
    let first = place.render("1").await;
    place.end(first, SessionEnd::new(EndReason::Cancelled, None)).await;
    // The sweep has let go of everything, and has deleted nothing yet.
    for class in [RetentionClass::Avatars, RetentionClass::Uploads] {
        assert!(place.records.let_go(class, later(100), later(100), 100).await.unwrap() > 0);
    }
    let second = place.render("2").await;
    place.sweep(0).await;
    let spec = place.records.session(second).await.unwrap().unwrap().spec;
    assert_eq!(place.content(&spec.portrait).await.unwrap(), PNG);
    assert_eq!(place.content(spec.speech.as_ref().unwrap()).await.unwrap(), WAV);
    assert_eq!((place.below("uploads").await.len(), place.is_leaving().await), (2, 0));
}

#[actix_web::test]
async fn a_crash_in_the_middle_heals() {
    let place = RetentionRig::new().await;
    let content = |n: u8| format!("{n:064x}");
    let mut keys = Vec::new();
    for n in 0..3 {
        let fresh = names::upload(&content(n), new_id()).unwrap();
        keys.push(place.records.use_upload(&content(n), &fresh, now()).await.unwrap());
        place.put(&keys[usize::from(n)]).await;
    }
    // It died after letting go; of one blob it died after deleting it, before that was on record.
    assert_eq!(place.records.let_go(RetentionClass::Uploads, later(1), later(1), 100).await.unwrap(), 3);
    assert!(place.blobs.delete(&keys[1]).await.unwrap());
    place.sweep(0).await;
    assert!(place.below("uploads").await.is_empty());
    assert_eq!(place.is_leaving().await, 0);
    place.shows("mouthpiece_removed_items_total{class=\"uploads\"} 2");

    // An upload died between the record and the store: the next one of the same content completes it.
    let fresh = names::upload(&content(9), new_id()).unwrap();
    place.records.use_upload(&content(9), &fresh, now()).await.unwrap();
    let again = names::upload(&content(9), new_id()).unwrap();
    assert_eq!(place.records.use_upload(&content(9), &again, now()).await.unwrap(), fresh);
    // If none comes, the record goes as if the blob were there.
    place.sweep(8).await;
    assert_eq!(place.is_leaving().await, 0);
}

#[actix_web::test]
async fn a_step_is_bounded_and_nothing_blocks_the_rest() {
    let place = RetentionRig::new().await;
    let folder = |n: u8| -> PathBuf { place.folder.path().join(format!("blobs/uploads/{n:02x}")) };
    for n in 0..=249u8 {
        let content = format!("{n:02x}").repeat(32);
        let fresh = names::upload(&content, new_id()).unwrap();
        let key = place.records.use_upload(&content, &fresh, now()).await.unwrap();
        place.put(&key).await;
        if n == 7 {
            for piece in 0..150 {
                place.put(&BlobKey::new(format!("{}/{piece}", names::prepared(&content).unwrap())).unwrap()).await;
            }
        }
    }
    // One that cannot be deleted: its folder leads elsewhere.
    std::fs::rename(folder(3), place.folder.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(place.folder.path().join("elsewhere"), folder(3)).unwrap();
    let blobs = async || place.below("uploads").await.len() + place.below("avatars").await.len();

    let (mut sweeper, mut left, mut swept) = (place.sweeper(), blobs().await, SweepStep::More);
    assert_eq!(left, 399, "what lies elsewhere is not listed");
    while swept == SweepStep::More {
        swept = sweeper.step(later(8)).await.unwrap();
        let now = blobs().await;
        assert!(left - now <= 100, "{left} to {now} in one step");
        left = now;
        if left == 0 {
            break;
        }
    }
    while sweeper.step(later(8)).await.unwrap() == SweepStep::More {}
    assert_eq!((left, place.is_leaving().await), (0, 1));
    assert!(place.metrics.render().contains("mouthpiece_port_errors_total{call=\"delete\",port=\"blobs\"}"));
    // As soon as it can be deleted it is.
    std::fs::remove_file(folder(3)).unwrap();
    std::fs::rename(place.folder.path().join("elsewhere"), folder(3)).unwrap();
    while sweeper.step(later(8)).await.unwrap() == SweepStep::More {}
    assert_eq!((blobs().await, place.is_leaving().await), (0, 0));
}

#[actix_web::test]
async fn a_person_is_removed_for_good() {
    let place = RetentionRig::new().await;
    let first = place.render("1").await;
    let kept = place.records.session(first).await.unwrap().unwrap();
    place.put(&kept.spec.portrait).await;
    let prepared = BlobKey::new(format!("{}/a.png", names::prepared(&kept.spec.content).unwrap())).unwrap();
    place.put(&prepared).await;
    let url = place.finish(first).await;
    let avatar = format!("/v1/avatars/{}", kept.avatar);
    place.rig.delete(&avatar).await.is(204);
    place.sweep(0).await;
    place.rig.get(&url).await.problem(410, "gone");
    assert!(place.below("results").await.is_empty(), "the video is gone, however young");
    // Who was about to use the portrait has had time to say so.
    let mut sweeper = place.sweeper();
    while sweeper.step(Wall(now().0 + HOUR_MS)).await.unwrap() == SweepStep::More {}
    assert_eq!(place.content(&kept.spec.portrait).await, None);
    assert!(place.below("avatars").await.is_empty(), "what was prepared is gone");
    assert_eq!(place.session(first).await["state"], "ended", "that there was a session stays for its age");
}

#[actix_web::test]
async fn a_video_is_removed_for_good() {
    let place = RetentionRig::new().await;
    let [first, second] = [place.render("1").await, place.render("2").await];
    let urls = [place.finish(first).await, place.finish(second).await];
    let told = place.rig.delete(&format!("/v1/renders/{first}")).await.is(200).json();
    assert_eq!(told["state"], "ended", "{told}");
    place.sweep(0).await;
    place.rig.get(&urls[0]).await.problem(410, "gone");
    place.rig.get(&urls[1]).await.is(200);
}

#[actix_web::test]
async fn what_is_kept_is_counted() {
    let place = RetentionRig::new().await;
    let first = place.render("1").await;
    place.finish(first).await;
    place.sweep(0).await;
    place.shows("mouthpiece_kept_items{class=\"results\"} 1");
    place.shows("mouthpiece_kept_bytes{class=\"results\"} 4");
    place.shows("mouthpiece_kept_items{class=\"tokens\"} 1");
}

#[actix_web::test]
async fn records_of_sessions_go_in_their_time() {
    let place = RetentionRig::new().await;
    let first = place.render("1").await;
    place.finish(first).await;
    place.sweep(89).await;
    place.session(first).await;
    // Its avatar was made then, and is used as little.
    place.sweep(91).await;
    place.rig.get(&format!("/v1/sessions/{first}")).await.problem(404, "not-found");
}

#[actix_web::test]
async fn the_keeper_goes_by_its_calendar() {
    let place = RetentionRig::new().await;
    let first = place.render("1").await;
    let url = place.finish(first).await;
    let time = Arc::new(AtomicI64::new(later(8).0));
    let calendar = Arc::clone(&time);
    let calendar: actors::RetentionCalendar = Arc::new(move || Wall(calendar.load(Ordering::SeqCst)));
    let keeping = actors::keep(place.ports(), RetentionAges::default(), calendar, Arc::clone(&place.metrics));
    let removed = "mouthpiece_removed_items_total{class=\"results\"} 1";
    eventually("the result is removed", || place.metrics.render().contains(removed).then_some(())).await;
    place.rig.get(&url).await.problem(410, "gone");
    drop(keeping);
}

#[actix_web::test]
async fn the_ages_are_told() {
    let rig = Rig::with(|settings| settings.retention.avatars = Duration::ZERO).await;
    let told = rig.get("/v1/retention").await.is(200).json();
    let expected = json!({"uploads_s": 604_800, "results_s": 604_800, "avatars_s": null, "idempotency_keys_s": 86_400,
        "sessions_s": 7_776_000, "usage_s": 34_560_000});
    assert_eq!(told, expected);
    let avatar: AvatarId = rig.avatar().await.parse().unwrap();
    assert!(rig.get(&format!("/v1/avatars/{avatar}")).await.json()["expires_at"].is_null());
    Answer::of(rig.bare(reqwest::Method::GET, "/v1/retention")).await.problem(401, "unauthorized");
}
