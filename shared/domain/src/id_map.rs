//! Maps by id. Ids are random, or count up, and are made by the farm itself: nobody outside can choose them so that they meet. A hash
//! that withstands such callers took a tenth of the brain's time.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map by an id.
pub(crate) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;
/// A set of ids.
pub(crate) type IdSet<K> = HashSet<K, BuildHasherDefault<IdHasher>>;

/// Mixes the 128 bits of an id.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct IdHasher(u64);

/// Odd, and without a pattern: the fraction of the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for IdHasher {
    fn write_u128(&mut self, id: u128) {
        self.write_u64(id as u64);
        self.write_u64((id >> 64) as u64);
    }

    fn write_u64(&mut self, part: u64) {
        let mixed = (self.0 ^ part).wrapping_mul(MIX);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SessionId;
    use std::hash::BuildHasher;

    #[test]
    fn ids_that_count_up_and_ids_of_one_time_are_spread_evenly() {
        let hasher = BuildHasherDefault::<IdHasher>::default();
        for step in [1, 1 << 32, 1 << 64, (1 << 80) + 1] {
            // A table looks at the low bits for the place and at the high ones for the mark.
            let (mut places, mut marks) = (vec![0; 256], vec![0; 128]);
            for n in 0..25_600_u128 {
                let hash = hasher.hash_one(SessionId(n * step));
                places[(hash & 255) as usize] += 1;
                marks[(hash >> 57) as usize] += 1;
            }
            assert!(places.iter().all(|n| (30..=220).contains(n)), "{step}: {places:?}");
            assert!(marks.iter().all(|n| (60..=440).contains(n)), "{step}: {marks:?}");
        }
    }
}
