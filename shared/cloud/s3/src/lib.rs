//! The latent and artifact store in S3, or in anything that speaks its protocol.
//!
//! [`S3`] is the adapter of the port `Blobs`. A key's object is complete or not there, since S3 shows nothing else. Large
//! contents go up in parts; a reader that is cut off goes on where it was, with the same object or not at all; a worker
//! keeps what it fetched in a bounded cache ([`CacheSettings`]).

mod cache;
mod failure;
mod link;
mod local;
mod object_key;
mod reader;
mod settings;
mod store;
mod upload;

pub use settings::{CacheSettings, Encryption, OpenError, S3Settings};
pub use store::S3;
