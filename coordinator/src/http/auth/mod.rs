//! Who calls, and what they may do.
//!
//! A key's secret is 32 random bytes; records hold its SHA-256 only. Whoever has a secret sends it as a bearer token; the
//! page has a cookie instead, which stands for a key ([`pages`]).

pub mod cache;
pub mod caller;
pub mod pages;
pub mod secret;

pub use caller::{Caller, Scope};
pub use secret::{KeyError, create_first_key, new_secret, secret_hash};
