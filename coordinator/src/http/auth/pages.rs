//! The page's sessions: a random cookie that stands for a key, so that the page's scripts never hold a secret.

use super::secret::random_token;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The cookie's name.
pub const COOKIE: &str = "mp_page";
/// A page that asked for nothing for so long is forgotten.
const IDLE: Duration = Duration::from_secs(12 * 3600);
/// Pages that are remembered; beyond that the one that was idle longest goes.
const MOST: usize = 1000;

#[derive(Debug)]
struct Page {
    secret_hash: String,
    seen: Instant,
}

/// Cookies and the keys that they stand for, in memory.
#[derive(Debug, Default)]
pub struct PageSessions(Mutex<HashMap<String, Page>>);

impl PageSessions {
    /// A new cookie value for the key with this secret hash.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn open(&self, secret_hash: String) -> Result<String, getrandom::Error> {
        let token = random_token()?;
        self.pages(|pages| {
            if pages.len() >= MOST {
                pages.retain(|_, page| page.seen.elapsed() < IDLE);
            }
            if pages.len() >= MOST
                && let Some(oldest) = pages.iter().min_by_key(|(_, p)| p.seen).map(|(token, _)| token.clone())
            {
                pages.remove(&oldest);
            }
            pages.insert(token.clone(), Page { secret_hash, seen: Instant::now() });
        });
        Ok(token)
    }

    /// The secret hash of the key that a cookie value stands for.
    pub fn find(&self, token: &str) -> Option<String> {
        self.pages(|pages| {
            let page = pages.get_mut(token).filter(|p| p.seen.elapsed() < IDLE)?;
            page.seen = Instant::now();
            Some(page.secret_hash.clone())
        })
    }

    /// Forgets a cookie value.
    pub fn close(&self, token: &str) {
        self.pages(|pages| pages.remove(token));
    }

    fn pages<T>(&self, with: impl FnOnce(&mut HashMap<String, Page>) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_stands_for_its_key_until_it_is_closed() {
        let pages = PageSessions::default();
        let (a, b) = (pages.open("a".into()).unwrap(), pages.open("b".into()).unwrap());
        assert_eq!((pages.find(&a).as_deref(), pages.find(&b).as_deref()), (Some("a"), Some("b")));
        pages.close(&a);
        assert_eq!((pages.find(&a), pages.find("")), (None, None));
    }

    #[test]
    fn pages_are_bounded_and_the_idlest_goes_first() {
        let pages = PageSessions::default();
        let first = pages.open("first".into()).unwrap();
        let second = pages.open("second".into()).unwrap();
        for n in 2..MOST {
            pages.open(n.to_string()).unwrap();
        }
        assert!(pages.find(&first).is_some()); // seen just now
        pages.open("one more".into()).unwrap();
        assert_eq!(pages.pages(|p| p.len()), MOST);
        assert!(pages.find(&first).is_some() && pages.find(&second).is_none());
    }
}
