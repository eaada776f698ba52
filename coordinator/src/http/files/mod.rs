//! Files from callers: uploaded or fetched, staged, recognised by their content, stored under their hash.

pub mod address;
pub mod fetch;
pub mod form;
pub mod stage;

pub use fetch::Fetcher;
pub use form::{Form, media_type, read_form, read_json, read_text};
pub use stage::{Staged, clear_staging, keep};
