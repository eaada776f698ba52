//! What only a directory can go through: links, leftovers, other processes, names that are taken.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use bytes::Bytes;
use mouthpiece_domain::session::BlobKey;
use mouthpiece_embedded::Directory;
use mouthpiece_ports::blobs::{BlobError, Blobs};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use tempfile::tempdir;

fn key(text: &str) -> BlobKey {
    BlobKey::new(text).unwrap()
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[tokio::test]
async fn a_key_is_a_path() {
    let root = tempdir().unwrap();
    let blobs = Directory::open(&root.path().join("made/for/it")).unwrap();
    blobs.put(&key("a/b/c.mp4"), bytes("film")).await.unwrap();
    let file = blobs.local(&key("a/b/c.mp4"), Path::new("/nowhere")).await.unwrap();
    assert_eq!(file, root.path().canonicalize().unwrap().join("made/for/it/a/b/c.mp4"), "its own file, not a copy");
    assert_eq!(fs::read(file).unwrap(), b"film");
    assert_eq!(blobs.delete(&key("a/b/c.mp4")).await, Ok(true));
    assert!(!root.path().join("made/for/it/a").exists(), "folders that are empty go");
}

#[tokio::test]
async fn leftovers_are_swept_and_nothing_else() {
    let root = tempdir().unwrap();
    let blobs = Directory::open(root.path()).unwrap();
    blobs.put(&key("a.part"), bytes("kept")).await.unwrap();
    let incoming = root.path().join(".incoming");
    fs::write(incoming.join("crashed.part"), "hal").unwrap();
    fs::write(incoming.join("notes.txt"), "somebody's").unwrap();
    fs::write(incoming.join("busy.part"), "hal").unwrap();
    // Another process is still writing it.
    let busy = File::open(incoming.join("busy.part")).unwrap();
    busy.lock().unwrap();
    let blobs = Directory::open(root.path()).unwrap();
    let left = |name: &str| incoming.join(name).exists();
    assert_eq!([left("crashed.part"), left("notes.txt"), left("busy.part")], [false, true, true]);
    assert_eq!(blobs.get(&key("a.part"), 10).await.unwrap(), "kept");
    drop(busy);
    Directory::open(root.path()).unwrap();
    assert!(!left("busy.part"));
}

#[tokio::test]
async fn a_failed_write_leaves_nothing() {
    let root = tempdir().unwrap();
    let blobs = Directory::open(root.path()).unwrap();
    let source = root.path().join("gone");
    assert!(matches!(blobs.put_file(&key("x"), &source).await, Err(BlobError::Local { path, .. }) if path == source));
    assert!(blobs.put_file(&key("x"), root.path()).await.is_err());
    assert_eq!(blobs.size(&key("x")).await, Ok(None));
    assert_eq!(fs::read_dir(root.path().join(".incoming")).unwrap().count(), 0);
}

#[tokio::test]
async fn links_lead_nowhere() {
    let (root, outside) = (tempdir().unwrap(), tempdir().unwrap());
    let blobs = Directory::open(root.path()).unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    symlink(outside.path(), root.path().join("folder")).unwrap();
    symlink(outside.path().join("secret"), root.path().join("file")).unwrap();
    symlink(root.path().join("own"), root.path().join("alias")).unwrap();
    blobs.put(&key("own"), bytes("own")).await.unwrap();

    for through in ["folder/secret", "folder/new", "folder/deep/new"] {
        let through = key(through);
        assert!(blobs.put(&through, bytes("evil")).await.is_err(), "{through}");
        assert!(blobs.get(&through, 100).await.is_err(), "{through}");
        assert!(blobs.local(&through, outside.path()).await.is_err(), "{through}");
        assert!(!matches!(blobs.delete(&through).await, Ok(true)), "{through}");
    }
    assert!(blobs.list(&key("folder"), 10).await.is_err(), "a folder elsewhere is not listed");
    fs::create_dir(root.path().join("mixed")).unwrap();
    symlink(outside.path(), root.path().join("mixed/folder")).unwrap();
    symlink(outside.path().join("secret"), root.path().join("mixed/file")).unwrap();
    fs::write(root.path().join("mixed/No Key"), "").unwrap();
    blobs.put(&key("mixed/blob"), bytes("four")).await.unwrap();
    assert_eq!(blobs.list(&key("mixed"), 10).await, Ok(vec![(key("mixed/blob"), 4)]), "links are not listed");
    for link in ["file", "alias"] {
        let link = key(link);
        assert_eq!(blobs.get(&link, 100).await, Err(BlobError::Missing(link.clone())), "a link is no blob");
        assert_eq!(blobs.size(&link).await, Ok(None));
        assert_eq!(blobs.delete(&link).await, Ok(false));
    }
    assert_eq!(blobs.put(&key("file"), bytes("mine")).await, Ok(()), "a link is replaced, not followed");
    assert_eq!(blobs.get(&key("file"), 100).await.unwrap(), "mine");
    assert_eq!(blobs.get(&key("own"), 100).await.unwrap(), "own");
    assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "secret");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "nothing was made outside");
}

#[tokio::test]
async fn a_name_that_is_taken_is_told() {
    let root = tempdir().unwrap();
    let blobs = Directory::open(root.path()).unwrap();
    blobs.put(&key("a"), bytes("a")).await.unwrap();
    blobs.put(&key("b/c"), bytes("c")).await.unwrap();
    for taken in ["a/b", "b"] {
        let error = blobs.put(&key(taken), bytes("x")).await.unwrap_err();
        assert!(matches!(&error, BlobError::Unavailable(said) if said.contains(taken)), "{error}");
    }
    assert_eq!(blobs.get(&key("a"), 1).await.unwrap(), "a");
    assert_eq!(blobs.get(&key("b/c"), 1).await.unwrap(), "c");
    assert_eq!(fs::read_dir(root.path().join(".incoming")).unwrap().count(), 0);
}

#[tokio::test]
async fn places_that_cannot_be_used_are_told() {
    let root = tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    for (place, folder) in [(file.clone(), file.clone()), (file.join("below"), file.join("below"))] {
        let error = Directory::open(&place).unwrap_err();
        assert!(matches!(&error, BlobError::Local { path, .. } if *path == folder), "{error}");
        assert!(error.to_string().contains("name a folder"), "{error}");
    }
    // Not even the superuser makes files here.
    #[cfg(target_os = "linux")]
    assert!(Directory::open(Path::new("/proc/blobs")).unwrap_err().to_string().contains("/proc/blobs"));
}

#[tokio::test]
async fn a_store_that_went_away_fails_its_check() {
    let root = tempdir().unwrap();
    let blobs = Directory::open(root.path()).unwrap();
    assert_eq!(blobs.check().await, Ok(()));
    fs::remove_dir_all(root.path()).unwrap();
    let error = blobs.check().await.unwrap_err();
    assert!(error.to_string().contains(root.path().to_str().unwrap()), "{error}");
    assert!(matches!(blobs.put(&key("a"), bytes("a")).await, Err(BlobError::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn folders_that_come_and_go_disturb_no_writer() {
    let root = tempdir().unwrap();
    let tasks: Vec<_> = (0..4)
        .map(|n| {
            let blobs = Directory::open(root.path()).unwrap();
            tokio::spawn(async move {
                let key = key(&format!("shared/folder/{n}"));
                for _ in 0..50 {
                    blobs.put(&key, bytes("here")).await.unwrap();
                    assert_eq!(blobs.get(&key, 4).await.unwrap(), "here");
                    assert_eq!(blobs.delete(&key).await, Ok(true));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(!root.path().join("shared").exists());
}
