//! Who calls, and what they may do.
//!
//! A key's secret is 32 random bytes; records hold its SHA-256 only. Whoever has a secret sends it as a bearer token; the
//! page is let in by a link and has a cookie then, which stands for a key ([`pages`]). Whoever shall only watch or speak in one live session gets
//! that session's token ([`token`]).

pub mod cache;
pub mod caller;
pub mod pages;
pub mod secret;
pub mod site;
pub mod token;
pub mod visitor;

pub use caller::{Caller, Scope};
pub use pages::{LINK_HOURS, PageLink, new_page_link};
pub use secret::{KeyError, create_first_key, new_secret, secret_hash};
pub use token::SessionToken;
pub use visitor::{LinkedVisitor, Visitor};
