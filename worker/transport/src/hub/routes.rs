//! Whose a datagram is, in constant time for any number of viewers.
//!
//! Binding requests name their receiver by its user fragment. Everything else is told by its source address, which is
//! learned from binding requests whose integrity was checked, and from the requests that we send.

use super::Key;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;

/// Addresses kept for one viewer, at most: the newest.
const ADDRESSES: usize = 16;

/// Where datagrams go.
#[derive(Debug, Default)]
pub(super) struct Routes {
    by_fragment: HashMap<String, Key>,
    by_address: HashMap<SocketAddr, Key>,
    known: HashMap<Key, Known>,
}

#[derive(Debug, Default)]
struct Known {
    fragment: String,
    addresses: Vec<SocketAddr>,
}

impl Routes {
    /// A viewer's ICE session has this user fragment from now on.
    pub fn named(&mut self, key: Key, fragment: &str) {
        let known = self.known.entry(key).or_default();
        self.by_fragment.remove(&known.fragment);
        fragment.clone_into(&mut known.fragment);
        self.by_fragment.insert(fragment.to_owned(), key);
    }

    /// The viewer is proven to be at this address, whoever was there before.
    pub fn proven(&mut self, key: Key, address: SocketAddr) {
        match self.by_address.insert(address, key) {
            Some(old) if old == key => return,
            Some(old) => self.forget_address(old, address),
            None => {}
        }
        self.remember(key, address);
    }

    /// The viewer may be at this address, unless somebody else is.
    pub fn tried(&mut self, key: Key, address: SocketAddr) {
        if let Entry::Vacant(vacant) = self.by_address.entry(address) {
            vacant.insert(key);
            self.remember(key, address);
        }
    }

    /// Whose user fragment it is.
    pub fn fragment(&self, fragment: &str) -> Option<Key> {
        self.by_fragment.get(fragment).copied()
    }

    /// Who is at an address.
    pub fn address(&self, address: SocketAddr) -> Option<Key> {
        self.by_address.get(&address).copied()
    }

    /// A viewer is gone.
    pub fn forget(&mut self, key: Key) {
        if let Some(Known { fragment, addresses }) = self.known.remove(&key) {
            self.by_fragment.remove(&fragment);
            for address in addresses {
                self.by_address.remove(&address);
            }
        }
    }

    /// Entries of all kinds; none when all viewers are gone.
    pub fn len(&self) -> usize {
        self.by_fragment.len() + self.by_address.len() + self.known.len()
    }

    fn remember(&mut self, key: Key, address: SocketAddr) {
        let addresses = &mut self.known.entry(key).or_default().addresses;
        addresses.push(address);
        if addresses.len() > ADDRESSES {
            let oldest = addresses.remove(0);
            self.by_address.remove(&oldest);
        }
    }

    fn forget_address(&mut self, key: Key, address: SocketAddr) {
        if let Some(known) = self.known.get_mut(&key) {
            known.addresses.retain(|other| *other != address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], n))
    }

    #[test]
    fn a_new_fragment_replaces_the_old() {
        let mut routes = Routes::default();
        routes.named(Key(1), "one");
        routes.named(Key(2), "two");
        routes.named(Key(1), "again");
        assert_eq!(
            (routes.fragment("one"), routes.fragment("again"), routes.fragment("two")),
            (None, Some(Key(1)), Some(Key(2)))
        );
    }

    #[test]
    fn proof_beats_a_guess() {
        let mut routes = Routes::default();
        routes.tried(Key(1), at(1));
        routes.tried(Key(2), at(1));
        assert_eq!(routes.address(at(1)), Some(Key(1)));
        routes.proven(Key(2), at(1));
        assert_eq!(routes.address(at(1)), Some(Key(2)));
        routes.forget(Key(1));
        assert_eq!(routes.address(at(1)), Some(Key(2)), "the address was not the first one's any more");
    }

    #[test]
    fn nothing_stays_and_nothing_grows() {
        let mut routes = Routes::default();
        routes.named(Key(1), "one");
        for n in 0..1000 {
            routes.proven(Key(1), at(n));
            routes.proven(Key(1), at(n));
        }
        assert_eq!(routes.len(), 2 + ADDRESSES);
        assert_eq!((routes.address(at(0)), routes.address(at(999))), (None, Some(Key(1))));
        routes.forget(Key(1));
        assert_eq!(routes.len(), 0);
    }
}
