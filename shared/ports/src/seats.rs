//! Places that are bounded for one and in all, and given back when they are left.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatsFull {
    /// This one has as many as it may have.
    One {
        /// How many may be taken at a time.
        most: usize,
    },
    /// All are taken.
    All,
}

/// Places of many; `N` names whose they are.
#[derive(Debug)]
pub struct BoundedSeats<N> {
    taken: Arc<Mutex<HashMap<N, usize>>>,
    most_of_one: usize,
    most: usize,
}

/// A place, taken until this is dropped.
pub struct BoundedSeat<N: Hash + Eq>(Arc<Mutex<HashMap<N, usize>>>, N);

impl<N: Hash + Eq + Clone> BoundedSeats<N> {
    /// None is taken yet; never more than `most` in all, and `most_of_one` of one.
    pub fn new(most_of_one: usize, most: usize) -> Self {
        Self { taken: Arc::default(), most_of_one, most }
    }

    /// Takes a place for `name`.
    ///
    /// # Errors
    /// [`SeatsFull`].
    pub fn take(&self, name: N) -> Result<BoundedSeat<N>, SeatsFull> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.get(&name).is_some_and(|n| *n >= self.most_of_one) {
            return Err(SeatsFull::One { most: self.most_of_one });
        }
        if taken.values().sum::<usize>() >= self.most {
            return Err(SeatsFull::All);
        }
        *taken.entry(name.clone()).or_default() += 1;
        Ok(BoundedSeat(Arc::clone(&self.taken), name))
    }
}

impl<N: Hash + Eq> Drop for BoundedSeat<N> {
    fn drop(&mut self) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = taken.get_mut(&self.1) {
            *n -= 1;
            if *n == 0 {
                taken.remove(&self.1);
            }
        }
    }
}

impl<N: Hash + Eq + fmt::Debug> fmt::Debug for BoundedSeat<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seat").field(&self.1).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_bounded_and_given_back() {
        let seats = BoundedSeats::new(8, 10);
        let mut taken: Vec<_> = (0..8).map(|_| seats.take(1).unwrap()).collect();
        assert_eq!(seats.take(1).unwrap_err(), SeatsFull::One { most: 8 });
        taken.extend((0..2).map(|_| seats.take(2).unwrap()));
        assert_eq!(seats.take(2).unwrap_err(), SeatsFull::All);
        taken.remove(0);
        assert!(seats.take(1).is_ok());
        drop(taken);
        assert!(seats.taken.lock().unwrap().is_empty());
    }
}
