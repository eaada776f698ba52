//! Files that cannot be used are told by name, with what to do about it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use mouthpiece_domain::ids::KeyId;
use mouthpiece_domain::time::Wall;
use mouthpiece_embedded::Sqlite;
use mouthpiece_ports::records::{ApiKey, KeyRegister, RecordsError, SessionLedger};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use std::fs;
use std::path::Path;
use tempfile::tempdir;

/// A connection of another program.
async fn stranger(file: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(file).create_if_missing(true).connect().await.unwrap()
}

fn key(id: u128) -> ApiKey {
    ApiKey {
        id: KeyId(id),
        name: "x".repeat(200),
        secret_hash: format!("{id:064x}"),
        scopes: vec!["sessions".into()],
        max_open: 1,
        minutes_per_day: None,
        created: Wall(0),
        revoked: None,
    }
}

/// The file is refused for good, in a sentence that has its name and these words.
async fn refused(file: &Path, words: &[&str]) {
    let error = Sqlite::open(file).await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    let said = error.to_string();
    for word in words.iter().chain([&file.file_name().unwrap().to_str().unwrap()]) {
        assert!(said.contains(word), "'{word}' is missing in: {said}");
    }
    assert!(!said.contains('\n'), "{said}");
}

#[tokio::test]
async fn what_is_no_database_is_refused_and_left_alone() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    let text = "Dear diary, ".repeat(1000);
    fs::write(&file, &text).unwrap();
    refused(&file, &["not a database", "move it away"]).await;
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn another_programs_database_is_refused_and_left_alone() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("theirs.db");
    let mut theirs = stranger(&file).await;
    sqlx::query("CREATE TABLE diary (day TEXT)").execute(&mut theirs).await.unwrap();
    refused(&file, &["another program", "name another file"]).await;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut theirs).await.unwrap();
    assert_eq!(tables, 1);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("farm.db");
    Sqlite::open(&file).await.unwrap().close().await;
    let mut newer = stranger(&file).await;
    let insert = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                  VALUES (9999, 'of tomorrow', TRUE, x'00', 0)";
    sqlx::query(insert).execute(&mut newer).await.unwrap();
    newer.close().await.unwrap();
    refused(&file, &["newer program", "9999", "update this one"]).await;
}

type Damage<'a> = &'a dyn Fn(&mut Vec<u8>);

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("farm.db");
    let records = Sqlite::open(&file).await.unwrap();
    for id in 0..500 {
        records.add_key(&key(id)).await.unwrap();
    }
    records.close().await;
    let good = fs::read(&file).unwrap();
    let pages = good.len() / 4096;
    assert!(pages > 20, "{pages} pages");
    let damage: [(&str, Damage<'_>); 4] = [
        ("pages overwritten", &|bytes| bytes[10 * 4096..].fill(0xa5)),
        ("cut off", &|bytes| bytes.truncate(pages / 2 * 4096)),
        ("the schema overwritten", &|bytes| bytes[100..4096].fill(0)),
        ("the header overwritten", &|bytes| bytes[..100].fill(0x20)),
    ];
    for (what, damage) in damage {
        let mut bytes = good.clone();
        damage(&mut bytes);
        fs::write(&file, &bytes).unwrap();
        refused(&file, &["damaged", "restore a copy"]).await;
        assert!(fs::read(&file).unwrap() == bytes, "{what}: the file is left as it is");
    }
    fs::write(&file, &good).unwrap();
    assert_eq!(Sqlite::open(&file).await.unwrap().keys().await.unwrap().len(), 500);
}

#[tokio::test]
async fn places_that_hold_no_file_are_refused() {
    let folder = tempdir().unwrap();
    refused(&folder.path().join("no/such/farm.db"), &["does not exist", "make it"]).await;
    assert!(!folder.path().join("no").exists(), "folders are not made");
    fs::create_dir(folder.path().join("farm.db")).unwrap();
    refused(&folder.path().join("farm.db"), &["is a folder", "name a file"]).await;
    fs::write(folder.path().join("file"), "").unwrap();
    let error = Sqlite::open(&folder.path().join("file/farm.db")).await.unwrap_err().to_string();
    assert!(error.contains("is not a folder"), "{error}");
}

/// Not even the superuser makes files here.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_that_cannot_be_written_is_refused() {
    refused(Path::new("/proc/farm.db"), &["cannot be opened", "may be written"]).await;
}

#[tokio::test]
async fn a_lock_is_waited_for_then_told_and_nothing_is_lost() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("farm.db");
    let records = Sqlite::open(&file).await.unwrap();
    records.add_key(&key(1)).await.unwrap();
    let mut other = stranger(&file).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    for error in [records.add_key(&key(2)).await, records.check().await, records.write(&[]).await.map(|_| ())] {
        let error = error.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        let said = error.to_string();
        assert!(said.contains("farm.db") && said.contains("is locked by another program"), "{said}");
    }
    assert_eq!(records.keys().await.unwrap(), [key(1)], "reading goes on");
    sqlx::query("COMMIT").execute(&mut other).await.unwrap();
    records.add_key(&key(2)).await.unwrap();
    assert_eq!(records.check().await, Ok(()));
    assert_eq!(records.keys().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_file_that_another_has_to_itself_is_told() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("farm.db");
    Sqlite::open(&file).await.unwrap().close().await;
    let mut other = stranger(&file).await;
    for query in ["PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE"] {
        sqlx::query(query).execute(&mut other).await.unwrap();
    }
    let error = Sqlite::open(&file).await.unwrap_err();
    assert!(matches!(&error, RecordsError::Unavailable(_)), "{error}");
    assert!(error.to_string().contains("is locked by another program"), "{error}");
    other.close().await.unwrap();
    Sqlite::open(&file).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_file_may_be_opened_by_many_at_once() {
    let folder = tempdir().unwrap();
    for round in 0..4 {
        let file = folder.path().join(format!("{round}.db"));
        let opening: Vec<_> = (0..4u128)
            .map(|id| {
                let file = file.clone();
                tokio::spawn(async move {
                    let records = Sqlite::open(&file).await.unwrap();
                    records.add_key(&key(id)).await.unwrap();
                    records
                })
            })
            .collect();
        for one in opening {
            assert_eq!(one.await.unwrap().check().await, Ok(()));
        }
        assert_eq!(Sqlite::open(&file).await.unwrap().keys().await.unwrap().len(), 4);
    }
}
