//! Who calls, by the headers of a request. What that means is the office's ([`crate::office::access`]).

mod credential;
mod extract;
pub mod site;

pub use credential::{page_cookies, token_in_query};
pub use extract::LinkedVisitor;

pub use crate::office::{Caller, KeyScope, Visitor};
