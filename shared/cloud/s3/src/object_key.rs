//! Keys of blobs as keys of objects.

use mouthpiece_domain::session::BlobKey;

/// What all keys of objects begin with: empty, or ending with a slash.
#[derive(Debug, Clone)]
pub(crate) struct Prefix(String);

impl Prefix {
    pub(crate) fn new(prefix: &str) -> Self {
        Self(if prefix.is_empty() { String::new() } else { format!("{prefix}/") })
    }

    /// The object of a blob.
    pub(crate) fn object(&self, key: &BlobKey) -> String {
        format!("{}{key}", self.0)
    }

    /// What the objects of the blobs below a folder begin with.
    pub(crate) fn folder(&self, folder: &BlobKey) -> String {
        format!("{}{folder}/", self.0)
    }

    /// The object that readiness is judged by. No blob can be there: no part of a key starts with a dot.
    pub(crate) fn trifle(&self) -> String {
        format!("{}.readiness", self.0)
    }

    /// The blob of an object; `None` for what this program did not put there.
    pub(crate) fn blob(&self, object: &str) -> Option<BlobKey> {
        BlobKey::new(object.strip_prefix(&self.0)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_and_objects_name_each_other() {
        let key = BlobKey::new("a/b.mp4").unwrap();
        for (prefix, object) in [("", "a/b.mp4"), ("farm/one", "farm/one/a/b.mp4")] {
            let prefix = Prefix::new(prefix);
            assert_eq!(prefix.object(&key), object);
            assert_eq!(prefix.blob(object), Some(key.clone()));
            assert_eq!(prefix.blob(&prefix.trifle()), None);
        }
        let prefix = Prefix::new("farm");
        assert_eq!(prefix.folder(&key), "farm/a/b.mp4/");
        assert_eq!(prefix.blob("other/a"), None);
        assert_eq!(prefix.blob("farm/UPPER"), None);
    }
}
