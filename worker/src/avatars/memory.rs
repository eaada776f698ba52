//! The avatars that are held in memory: the least recently used give way.

use super::Key;
use std::sync::Arc;

/// At most so many bytes of values, most recently used first.
#[derive(Debug)]
pub(super) struct Memory<V> {
    most: usize,
    bytes: usize,
    held: Vec<(Key, usize, Arc<V>)>,
}

impl<V> Memory<V> {
    /// Holds at most `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { most, bytes: 0, held: Vec::new() }
    }

    /// A value, which becomes the most recently used.
    pub(super) fn get(&mut self, key: &Key) -> Option<Arc<V>> {
        let at = self.held.iter().position(|(k, ..)| k == key)?;
        self.held[..=at].rotate_right(1);
        Some(Arc::clone(&self.held[0].2))
    }

    /// Keeps a value of so many bytes; one that is larger than all the room is not kept.
    pub(super) fn put(&mut self, key: Key, bytes: usize, value: Arc<V>) {
        if let Some(at) = self.held.iter().position(|(k, ..)| *k == key) {
            self.bytes -= self.held.remove(at).1;
        }
        if bytes > self.most {
            return;
        }
        while self.bytes + bytes > self.most {
            let Some((_, freed, _)) = self.held.pop() else { break };
            self.bytes -= freed;
        }
        self.bytes += bytes;
        self.held.insert(0, (key, bytes, value));
    }

    /// Content hashes, most recently used first, each once, at most `most`.
    pub(super) fn contents(&self, most: usize) -> Vec<String> {
        let mut contents: Vec<String> = Vec::new();
        for (key, ..) in &self.held {
            if contents.len() < most && !contents.contains(&key.content) {
                contents.push(key.content.clone());
            }
        }
        contents
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_domain::frame::Framing;
    use proptest::prelude::*;

    fn key(n: u32) -> Key {
        Key {
            content: format!("c{}", n / 2),
            face: 0,
            size: 100 + n % 2,
            fps: 0,
            background: None,
            framing: Framing::default(),
        }
    }

    #[test]
    fn the_least_recently_used_gives_way() {
        let mut memory = Memory::new(10);
        memory.put(key(0), 4, Arc::new(0));
        memory.put(key(2), 4, Arc::new(2));
        assert_eq!(memory.get(&key(0)).as_deref(), Some(&0));
        memory.put(key(4), 4, Arc::new(4));
        assert!(memory.get(&key(2)).is_none());
        assert_eq!(memory.contents(64), ["c2", "c0"]);
        memory.put(key(5), 11, Arc::new(5));
        assert!(memory.get(&key(5)).is_none(), "larger than all the room");
        assert_eq!(memory.contents(1), ["c2"]);
    }

    proptest! {
        #[test]
        fn the_bound_holds(steps in proptest::collection::vec((0_u32..12, 0_usize..30, any::<bool>()), 0..60)) {
            let mut memory = Memory::new(50);
            for (n, bytes, put) in steps {
                if put {
                    memory.put(key(n), bytes, Arc::new(n));
                    let got = memory.get(&key(n));
                    prop_assert_eq!(got.as_deref(), if bytes <= 50 { Some(&n) } else { None });
                } else if let Some(value) = memory.get(&key(n)) {
                    prop_assert_eq!(*value, n);
                }
                prop_assert!(memory.bytes <= 50);
                prop_assert_eq!(memory.bytes, memory.held.iter().map(|h| h.1).sum::<usize>());
            }
        }
    }
}
