use super::*;

struct Rig {
    folder: tempfile::TempDir,
    out: tempfile::TempDir,
    cache: Arc<FileCache>,
}

fn settings(folder: &Path, bytes: u64) -> CacheSettings {
    CacheSettings { folder: folder.to_owned(), bytes, keep: Duration::from_secs(3600) }
}

fn rig(bytes: u64) -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let cache = Arc::new(FileCache::open(&settings(folder.path(), bytes), "store").unwrap());
    Rig { folder, out: tempfile::tempdir().unwrap(), cache }
}

fn name(key: &str) -> CopyName {
    CopyName::new(&BlobKey::new(key).unwrap(), "etag")
}

impl Rig {
    /// Takes in a copy; false when there is no room.
    fn add(&self, key: &str, bytes: usize) -> bool {
        let Some(room) = self.cache.room(bytes as u64) else { return false };
        let file = self.cache.incoming().unwrap();
        fs::write(file.path(), vec![7; bytes]).unwrap();
        self.cache.keep(name(key), file, room).unwrap();
        true
    }

    /// Hands a copy out; `None` when there is none.
    fn take(&self, key: &str) -> Option<PathBuf> {
        let target = self.out.path().join(key);
        self.cache.hand_out(&name(key), &target).unwrap().then_some(target)
    }

    fn use_briefly(&self, key: &str) {
        fs::remove_file(self.take(key).unwrap()).unwrap();
    }

    fn kept(&self) -> u64 {
        let files = fs::read_dir(&self.cache.folder).unwrap().map(|e| e.unwrap().metadata().unwrap().len());
        files.sum()
    }
}

#[test]
fn the_least_recently_used_goes_first() {
    let rig = rig(30);
    assert!(rig.add("a", 10) && rig.add("b", 10) && rig.add("c", 10));
    rig.use_briefly("a");
    assert!(rig.add("d", 10));
    assert!(rig.take("b").is_none(), "b was not used for longest");
    assert!(rig.take("a").is_some() && rig.take("c").is_some() && rig.take("d").is_some());
    assert_eq!(rig.kept(), 30);
}

#[test]
fn what_is_in_use_is_never_removed_and_the_bound_holds() {
    let rig = rig(20);
    assert!(rig.add("a", 10) && rig.add("b", 10));
    let (a, b) = (rig.take("a").unwrap(), rig.take("b").unwrap());
    assert!(!rig.add("c", 10), "there is no room while both are in use");
    assert_eq!(rig.kept(), 20);
    fs::remove_file(b).unwrap();
    assert!(rig.add("c", 10));
    assert_eq!((rig.kept(), fs::read(a).unwrap().len()), (20, 10));
    assert!(rig.take("a").is_some() && rig.take("b").is_none());
    assert!(!rig.add("large", 21), "what is larger than the cache is not kept");
}

#[test]
fn room_that_is_promised_is_taken() {
    let rig = rig(20);
    let room = rig.cache.room(15).unwrap();
    assert!(!rig.add("a", 10), "the rest is promised");
    drop(room);
    assert!(rig.add("a", 10));
}

#[test]
fn a_later_process_finds_the_copies_and_one_store_does_not_see_anothers() {
    let Rig { folder, out, cache } = rig(20);
    let rig = Rig { folder, out, cache };
    assert!(rig.add("a", 10));
    let refusal = FileCache::open(&settings(rig.folder.path(), 20), "store").unwrap_err();
    assert!(refusal.to_string().contains("another process"), "{refusal}");
    let Rig { folder, out, cache } = rig;
    drop(cache);
    let open = |store: &str, bytes| Arc::new(FileCache::open(&settings(folder.path(), bytes), store).unwrap());
    let again = open("store", 20);
    assert!(again.hand_out(&name("a"), &out.path().join("found")).unwrap());
    fs::remove_file(out.path().join("found")).unwrap();
    drop(again);
    let smaller = open("store", 5);
    assert!(!smaller.hand_out(&name("a"), &out.path().join("found")).unwrap(), "a smaller bound holds from the start");
    drop(smaller);
    let other = open("other", 20);
    assert_eq!(other.any_of(&BlobKey::new("a").unwrap()), None);
}

#[test]
fn what_is_gone_or_old_is_removed() {
    let rig = rig(100);
    assert!(rig.add("a", 10) && rig.add("b", 10));
    rig.cache.forget(&BlobKey::new("a").unwrap());
    assert!(rig.take("a").is_none());
    rig.cache.expire(SystemTime::now());
    assert!(rig.take("b").is_some());
    rig.cache.expire(SystemTime::now() + Duration::from_secs(3700));
    assert!(rig.take("b").is_none());
    assert_eq!(rig.kept(), 0);
}

#[test]
fn a_file_that_somebody_cleared_away_is_fetched_anew() {
    let rig = rig(10);
    assert!(rig.add("a", 10));
    fs::remove_file(rig.cache.path(&name("a"))).unwrap();
    assert!(rig.take("a").is_none());
    assert!(rig.add("b", 10), "what is not there takes no room");
}
