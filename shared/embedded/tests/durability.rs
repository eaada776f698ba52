//! Killed in the middle of anything: what was answered is there, and nothing is there by halves.
//!
//! The test starts itself again as a child, which writes and says what was answered; then the child is killed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use bytes::Bytes;
use mouthpiece_domain::fleet::Hold;
use mouthpiece_domain::ids::{KeyId, SessionId, WorkerId};
use mouthpiece_domain::ledger::{Idempotency, LedgerWrite, WriteOutcome};
use mouthpiece_domain::session::{BlobKey, Fence, FrameProgress, Phase, SlotIndex};
use mouthpiece_domain::time::Wall;
use mouthpiece_embedded::{Directory, Sqlite};
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_ports::contract::sample_session;
use mouthpiece_ports::records::{SessionLedger, UsageBooks};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::tempdir;

/// Where the child finds its folder and its first number.
const FOLDER: &str = "MOUTHPIECE_TEST_DURABILITY_FOLDER";
const FIRST: &str = "MOUTHPIECE_TEST_DURABILITY_FIRST";
/// The child says this before each number.
const ANSWERED: &str = "answered ";
/// Sessions a batch.
const BATCH: u128 = 7;
/// More than a child gets to in a round.
const ROUND: u128 = 1_000_000;

fn token(id: u128) -> String {
    format!("token {id}")
}

/// Creates, assigns and books: a batch is three writes a session.
fn batch(first: u128) -> Vec<LedgerWrite> {
    let one = |id: u128| {
        let hold = Hold { session: SessionId(id), fence: Fence::FIRST, worker: WorkerId(1), slot: SlotIndex(0) };
        let idempotency = Some(Idempotency { key: KeyId(1), token: token(id), fingerprint: "0".repeat(64) });
        [
            LedgerWrite::Create { session: Box::new(sample_session(id)), idempotency },
            LedgerWrite::Assign { hold, at: Wall(1) },
            LedgerWrite::Advance {
                hold,
                phase: Phase::Running,
                progress: FrameProgress { done: 1, total: 2 },
                delivered: Duration::from_millis(40),
                at: Wall(2),
            },
        ]
    };
    (first..first + BATCH).flat_map(one).collect()
}

fn key(n: u128) -> BlobKey {
    BlobKey::new(format!("kept/{}/{n}", n % 16)).unwrap()
}

/// Large enough that a child is killed while it writes one.
fn content(n: u128) -> Bytes {
    let seed = (n as u32).wrapping_mul(2_654_435_761);
    (0..100_000u32).flat_map(|i| (i ^ seed).to_le_bytes()).collect()
}

fn database(folder: &Path) -> PathBuf {
    folder.join("farm.db")
}

/// Starts this program again for one of its ignored tests.
fn child(test: &str, folder: &Path, first: u128) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

fn told() -> Option<(PathBuf, u128)> {
    Some((std::env::var_os(FOLDER)?.into(), std::env::var(FIRST).ok()?.parse().unwrap()))
}

fn say(n: u128) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{ANSWERED}{n}").unwrap();
    out.flush().unwrap();
}

/// Lets a child answer some times, kills it after a further moment, and returns all that it said.
fn killed(mut child: Child, at_least: usize) -> BTreeSet<u128> {
    let mut answered = BTreeSet::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut dice = [0; 2];
    getrandom::fill(&mut dice).unwrap();
    let enough = at_least + usize::from(dice[0]) % 16;
    let mut read = |answered: &mut BTreeSet<u128>| {
        let Some(line) = lines.next() else { return false };
        if let Some(n) = line.unwrap().strip_prefix(ANSWERED) {
            answered.insert(n.parse().unwrap());
        }
        true
    };
    while answered.len() < enough {
        assert!(read(&mut answered), "the child stopped by itself after {} answers", answered.len());
    }
    // Anywhere within what follows: the kill is not in step with the answers.
    std::thread::sleep(Duration::from_micros(u64::from(dice[1]) * 40));
    child.kill().unwrap();
    while read(&mut answered) {}
    child.wait().unwrap();
    answered
}

#[tokio::test]
#[ignore = "the child of records_survive_a_kill"]
async fn child_that_records() {
    let Some((folder, first)) = told() else { return };
    let records = Sqlite::open(&database(&folder)).await.unwrap();
    for n in 0.. {
        let first = first + n * BATCH;
        let outcomes = records.write(&batch(first)).await.unwrap();
        assert!(outcomes.iter().all(|o| *o == WriteOutcome::Applied), "{outcomes:?}");
        (first..first + BATCH).for_each(say);
    }
}

#[tokio::test]
#[ignore = "the child of blobs_survive_a_kill"]
async fn child_that_stores() {
    let Some((folder, first)) = told() else { return };
    let blobs = Arc::new(Directory::open(&folder).unwrap());
    // Three at once, so that a kill finds files in every state.
    let tasks: Vec<_> = (0..3)
        .map(|lane| {
            let blobs = Arc::clone(&blobs);
            tokio::spawn(async move {
                for n in 0.. {
                    let n = first + 3 * n + lane;
                    blobs.put(&key(n), content(n)).await.unwrap();
                    say(n);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn records_survive_a_kill() {
    let folder = tempdir().unwrap();
    let mut answered = BTreeSet::new();
    for round in 0..5 {
        let new = killed(child("child_that_records", folder.path(), round * ROUND), 20);
        assert!(new.iter().all(|id| id / ROUND == round));
        answered.extend(new);

        // Opening looks the whole file through.
        let records = Sqlite::open(&database(folder.path())).await.unwrap();
        let found = records.open_sessions().await.unwrap();
        let ids: BTreeSet<u128> = found.iter().map(|s| s.id.0).collect();
        let lost: Vec<_> = answered.difference(&ids).collect();
        assert!(lost.is_empty(), "answered and lost: {lost:?}");
        assert_eq!(ids.len() % BATCH as usize, 0, "a batch is there by halves");
        for one in &found {
            assert_eq!((one.phase, one.progress.done), (Phase::Running, 1), "{}: a batch is there by halves", one.id);
            let made = records.repeated(KeyId(1), &token(one.id.0)).await.unwrap();
            assert_eq!(made.map(|(_, id)| id), Some(one.id), "its token is there");
        }
        let delivered = records.delivered_since(KeyId(1), Wall(0)).await.unwrap();
        assert_eq!(delivered, Duration::from_millis(40 * ids.len() as u64), "usage is booked once a session");
        // And it goes on.
        let more = records.write(&batch(round * ROUND + ROUND / 2)).await.unwrap();
        assert!(more.iter().all(|o| *o == WriteOutcome::Applied), "{more:?}");
        answered.extend(round * ROUND + ROUND / 2..round * ROUND + ROUND / 2 + BATCH);
    }
}

#[tokio::test]
async fn blobs_survive_a_kill() {
    let folder = tempdir().unwrap();
    let mut answered = BTreeSet::new();
    let (mut left_over, mut round) = (0, 0);
    // At least until a kill met a file that was being written.
    while round < 5 || left_over == 0 {
        assert!(round < 100, "no kill ever met a file that was being written");
        answered.extend(killed(child("child_that_stores", folder.path(), round * ROUND), 10));
        left_over += std::fs::read_dir(folder.path().join(".incoming")).unwrap().count();
        let blobs = Directory::open(folder.path()).unwrap();
        let left = std::fs::read_dir(folder.path().join(".incoming")).unwrap().count();
        assert_eq!(left, 0, "what was half written is swept");
        for n in &answered {
            let found = blobs.get(&key(*n), u64::MAX).await.unwrap();
            assert!(found == content(*n), "answered and not whole: {n}");
        }
        // What was not answered may be there, but whole.
        for n in (round * ROUND..).take(answered.len() + 6).filter(|n| !answered.contains(n)) {
            if let Some(size) = blobs.size(&key(n)).await.unwrap() {
                assert!(blobs.get(&key(n), size).await.unwrap() == content(n), "there by halves: {n}");
            }
        }
        round += 1;
    }
}
