//! What every artifact store must do.

use super::sample::key as blob;

use crate::blobs::{BlobError, Blobs, LinkHeaders};
use bytes::Bytes;
use mouthpiece_domain::session::BlobKey;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

type Subject = Arc<dyn Blobs>;

/// A reader's pieces are at most so large.
const PIECE: usize = 256 * 1024;

/// Runs the suite. `scratch` is an empty folder for the checks' own files.
pub async fn blobs<A: Blobs + 'static>(scratch: &Path, fresh: impl AsyncFn() -> Arc<A>) {
    let fresh = async || fresh().await as Subject;
    each!(fresh:
        what_is_put_is_read, what_is_missing_is_said, too_large_is_refused, ranges_end_where_the_blob_ends,
        a_later_content_replaces_the_earlier, readers_mix_nothing, deleted_is_gone, folders_are_no_blobs,
        a_folder_lists_what_is_below_it,
        writers_at_once_leave_one_whole_content, an_abandoned_write_is_whole_or_not_there,
        a_link_is_an_address_of_its_own, it_can_be_used,
    );
    files_go_in_and_out(fresh().await, scratch).await;
}

/// Content in which no two places look alike.
fn content(length: usize, salt: u32) -> Bytes {
    (0..length.div_ceil(4))
        .flat_map(|n| (u32::try_from(n).unwrap_or(0) ^ (salt << 24)).wrapping_mul(2_654_435_761).to_le_bytes())
        .take(length)
        .collect()
}

async fn pieces(blobs: &Subject, key: &BlobKey, start: u64, length: u64) -> Vec<u8> {
    let mut reader = blobs.read(key, start, length).await.unwrap();
    let mut all = Vec::new();
    while let Some(piece) = reader.next().await.unwrap() {
        rule!(piece.is_empty() || piece.len() > PIECE, false, "a piece has 1 byte to 256 KiB, not {}", piece.len());
        all.extend_from_slice(&piece);
    }
    rule!(reader.next().await.unwrap(), None, "after the end a reader says so again");
    all
}

async fn what_is_put_is_read(blobs: Subject) {
    for (n, length) in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 17].into_iter().enumerate() {
        let (key, bytes) = (blob(&format!("deep/er/{n}/blob_{n}.bin")), content(length, 1));
        rule!(blobs.size(&key).await, Ok(None), "what was not put has no size");
        rule!(blobs.put(&key, bytes.clone()).await, Ok(()), "{length} bytes are put");
        rule!(blobs.size(&key).await, Ok(Some(length as u64)), "the size is the content's");
        let found = blobs.get(&key, length as u64).await.unwrap();
        rule!(found == bytes, true, "{length} bytes are got as they were put; exactly what is allowed is allowed");
        rule!(pieces(&blobs, &key, 0, u64::MAX).await == bytes, true, "{length} bytes are read as they were put");
    }
}

async fn what_is_missing_is_said(blobs: Subject) {
    let key = blob("not/there");
    let missing = BlobError::Missing(key.clone());
    rule!(blobs.get(&key, 10).await, Err(missing.clone()), "a blob that is not there is named");
    rule!(blobs.read(&key, 0, 1).await.err(), Some(missing.clone()), "a blob that is not there is not read");
    rule!(blobs.local(&key, &std::env::temp_dir()).await, Err(missing), "a blob that is not there has no file");
    rule!(blobs.size(&key).await, Ok(None), "a blob that is not there has no size");
    rule!(blobs.delete(&key).await, Ok(false), "a blob that is not there is not deleted");
}

async fn too_large_is_refused(blobs: Subject) {
    let key = blob("large");
    blobs.put(&key, content(1000, 1)).await.unwrap();
    for allowed in [0, 999] {
        let wanted = BlobError::TooLarge { key: key.clone(), bytes: 1000, allowed };
        rule!(blobs.get(&key, allowed).await, Err(wanted), "a blob larger than allowed is refused with its size");
    }
    rule!(blobs.get(&key, u64::MAX).await.unwrap().len(), 1000, "a bound far above the size is no bound");
}

async fn ranges_end_where_the_blob_ends(blobs: Subject) {
    let (key, all) = (blob("range"), content(2 * PIECE + 100, 2));
    blobs.put(&key, all.clone()).await.unwrap();
    let (end, piece) = (all.len() as u64, PIECE as u64);
    let ranges = [
        (0, 0),
        (0, 1),
        (5, 10),
        (piece - 1, 2),
        (piece, piece),
        (1, piece),
        (0, 2 * piece),
        (end - 3, 3),
        (end - 3, 100),
        (end - 1, u64::MAX),
        (end, 1),
        (end, 0),
        (end + 1, 10),
        (u64::MAX, 1),
        (u64::MAX, u64::MAX),
        (end, u64::MAX),
    ];
    for (start, length) in ranges {
        let from = start.min(end) as usize;
        let to = start.saturating_add(length).min(end) as usize;
        let found = pieces(&blobs, &key, start, length).await;
        rule!(found.len(), to - from, "{length} bytes from {start} of {end}: less at the end, nothing beyond it");
        rule!(found == all[from..to], true, "{length} bytes from {start} of {end} are the bytes of that place");
    }
    let empty = blob("empty");
    blobs.put(&empty, Bytes::new()).await.unwrap();
    rule!(pieces(&blobs, &empty, 0, 10).await.len(), 0, "an empty blob is there and has nothing to read");
}

async fn a_later_content_replaces_the_earlier(blobs: Subject) {
    let key = blob("again");
    for (length, salt) in [(3 * PIECE, 1), (10, 2), (0, 3), (PIECE + 5, 4), (PIECE + 5, 4)] {
        let bytes = content(length, salt);
        rule!(blobs.put(&key, bytes.clone()).await, Ok(()), "a key may be written again");
        rule!(blobs.size(&key).await, Ok(Some(length as u64)), "the size is the later content's");
        rule!(blobs.get(&key, u64::MAX).await.unwrap() == bytes, true, "nothing of an earlier content is left");
    }
}

async fn readers_mix_nothing(blobs: Subject) {
    let (key, old, new) = (blob("mix"), content(4 * PIECE, 1), content(4 * PIECE, 2));
    blobs.put(&key, old.clone()).await.unwrap();
    let mut reader = blobs.read(&key, 0, u64::MAX).await.unwrap();
    let mut found = reader.next().await.unwrap().unwrap_or_default().to_vec();
    blobs.put(&key, new.clone()).await.unwrap();
    // A store may refuse to go on; it may not go on with something else.
    while let Ok(Some(piece)) = reader.next().await {
        found.extend_from_slice(&piece);
    }
    let whole = old.starts_with(&found) || new.starts_with(&found);
    rule!(whole, true, "a reader never goes on with a content that replaced the one it began with");
}

async fn deleted_is_gone(blobs: Subject) {
    let (key, other) = (blob("a/b"), blob("a/c"));
    blobs.put(&key, content(10, 1)).await.unwrap();
    blobs.put(&other, content(10, 2)).await.unwrap();
    rule!(blobs.delete(&key).await, Ok(true), "a blob is deleted");
    rule!(blobs.get(&key, 10).await, Err(BlobError::Missing(key.clone())), "a deleted blob is missing");
    rule!(blobs.size(&key).await, Ok(None), "a deleted blob has no size");
    rule!(blobs.delete(&key).await, Ok(false), "a blob is deleted once");
    rule!(blobs.size(&other).await, Ok(Some(10)), "deleting touches no other blob");
    rule!(blobs.put(&key, content(5, 3)).await, Ok(()), "a deleted key may be written again");
    rule!(blobs.get(&key, 5).await.unwrap() == content(5, 3), true, "a deleted key may be written again");
}

async fn folders_are_no_blobs(blobs: Subject) {
    blobs.put(&blob("folder/file"), content(10, 1)).await.unwrap();
    let key = blob("folder");
    rule!(blobs.size(&key).await, Ok(None), "the first part of a key is not a blob");
    rule!(blobs.get(&key, 10).await, Err(BlobError::Missing(key.clone())), "the first part of a key is not a blob");
    rule!(blobs.delete(&key).await, Ok(false), "the first part of a key is not deleted");
    rule!(blobs.size(&blob("folder/file")).await, Ok(Some(10)), "a blob under it stays");
    let below = blob("folder/file/deeper");
    rule!(blobs.size(&below).await, Ok(None), "there is nothing below a blob");
    rule!(blobs.delete(&below).await, Ok(false), "there is nothing below a blob");
}

async fn a_folder_lists_what_is_below_it(blobs: Subject) {
    let folder = blob("folder");
    rule!(blobs.list(&folder, 10).await, Ok(vec![]), "nothing lies below what is not there");
    let below: Vec<_> = (1..=4).map(|n| (blob(&format!("folder/{n}/file")), n)).collect();
    for (key, length) in below.iter().chain(&[(blob("folders/1"), 7), (blob("other/folder/1"), 8)]) {
        blobs.put(key, content(*length, 1)).await.unwrap();
    }
    let sized = |found: &[(BlobKey, usize)]| found.iter().map(|(k, n)| (k.clone(), *n as u64)).collect::<Vec<_>>();
    let mut found = blobs.list(&folder, 10).await.unwrap();
    found.sort();
    rule!(found, sized(&below), "a folder lists the blobs below it with their sizes, and no others");
    let some = blobs.list(&folder, 3).await.unwrap();
    rule!(some.len(), 3, "no more are listed than are wanted");
    rule!(some.iter().all(|one| found.contains(one)), true, "a part of the list is of the list");
    rule!(blobs.list(&folder, 0).await, Ok(vec![]), "none are listed when none are wanted");
    rule!(blobs.list(&below[0].0, 10).await, Ok(vec![]), "nothing lies below a blob");
    for (key, _) in &below {
        blobs.delete(key).await.unwrap();
    }
    rule!(blobs.list(&folder, 10).await, Ok(vec![]), "what was deleted is not listed");
}

async fn writers_at_once_leave_one_whole_content(blobs: Subject) {
    let key = blob("busy/one");
    let contents: Vec<Bytes> = (0..8).map(|n| content(PIECE + 1000 * n as usize, n)).collect();
    blobs.put(&key, contents[0].clone()).await.unwrap();
    let writers: Vec<_> = contents
        .iter()
        .map(|bytes| {
            let (blobs, key, bytes) = (Arc::clone(&blobs), key.clone(), bytes.clone());
            tokio::spawn(async move {
                for _ in 0..3 {
                    blobs.put(&key, bytes.clone()).await.unwrap();
                }
            })
        })
        .collect();
    let reader = {
        let (blobs, key, contents) = (Arc::clone(&blobs), key.clone(), contents.clone());
        tokio::spawn(async move {
            for _ in 0..20 {
                let found = blobs.get(&key, u64::MAX).await.unwrap();
                rule!(contents.contains(&found), true, "a reader sees one whole content while others write");
            }
        })
    };
    for task in writers.into_iter().chain([reader]) {
        task.await.unwrap();
    }
    let last = blobs.get(&key, u64::MAX).await.unwrap();
    rule!(contents.contains(&last), true, "writers at once leave one whole content");
}

async fn an_abandoned_write_is_whole_or_not_there(blobs: Subject) {
    for n in 0..10 {
        let (key, bytes) = (blob(&format!("abandoned/{n}")), content(2 * PIECE, n));
        let _ = super::at_once(blobs.put(&key, bytes.clone())).await;
        match blobs.get(&key, u64::MAX).await {
            Ok(found) => rule!(found == bytes, true, "an abandoned write is whole when it is seen"),
            Err(e) => rule!(e, BlobError::Missing(key), "an abandoned write is whole or not there"),
        }
    }
}

async fn a_link_is_an_address_of_its_own(blobs: Subject) {
    let headers = LinkHeaders { media_type: "video/mp4".to_owned(), disposition: None };
    let link = async |key: &BlobKey| blobs.link(key, Duration::from_secs(60), &headers).await.unwrap();
    let (one, other) = (blob("links/one"), blob("links/other"));
    blobs.put(&one, content(10, 1)).await.unwrap();
    blobs.put(&other, content(10, 2)).await.unwrap();
    let (one, other, nothing) = (link(&one).await, link(&other).await, link(&blob("links/none")).await);
    rule!(one.is_some(), other.is_some(), "a store gives links, or it does not");
    rule!(one.is_some(), nothing.is_some(), "whether a blob is there is not looked at for its link");
    let Some(one) = one else { return };
    rule!(one.starts_with("http://") || one.starts_with("https://"), true, "a link is a web address");
    rule!(Some(one) == other, false, "every blob has a link of its own");
}

async fn it_can_be_used(blobs: Subject) {
    for _ in 0..3 {
        rule!(blobs.check().await, Ok(()), "a store that works passes its check");
    }
}

async fn files_go_in_and_out(blobs: Subject, scratch: &Path) {
    for (n, length) in [0, 1, 2 * PIECE + 3].into_iter().enumerate() {
        let (key, bytes, file) = (blob(&format!("files/{n}")), content(length, 7), scratch.join(format!("source-{n}")));
        std::fs::write(&file, &bytes).unwrap();
        rule!(blobs.put_file(&key, &file).await, Ok(()), "a file is put");
        rule!(std::fs::read(&file).unwrap() == bytes, true, "a file that was put stays as it is");
        std::fs::remove_file(&file).unwrap();
        rule!(blobs.get(&key, length as u64).await.unwrap() == bytes, true, "a file's content is got as it was put");
        let folder = scratch.join(format!("copies-{n}"));
        std::fs::create_dir(&folder).unwrap();
        for _ in 0..2 {
            let local = blobs.local(&key, &folder).await.unwrap();
            rule!(
                std::fs::read(local).unwrap() == bytes,
                true,
                "a blob is made available as a file, as often as wanted"
            );
        }
        rule!(blobs.size(&key).await, Ok(Some(length as u64)), "making a blob available leaves it in the store");
    }
    let (key, nowhere) = (blob("files/none"), scratch.join("nowhere"));
    let refused = blobs.put_file(&key, &nowhere).await;
    let named = matches!(&refused, Err(BlobError::Local { path, .. }) if *path == nowhere);
    rule!(named, true, "the caller's file that cannot be read is named: {refused:?}");
    rule!(blobs.size(&key).await, Ok(None), "a file that cannot be read leaves nothing under the key");
    let folder = scratch.join("a-folder");
    std::fs::create_dir(&folder).unwrap();
    let refused = blobs.put_file(&key, &folder).await;
    rule!(refused.is_err(), true, "a folder is not a file: {refused:?}");
    rule!(blobs.size(&key).await, Ok(None), "a file that cannot be read leaves nothing under the key");
}
