//! Bodies of requests: JSON, text, forms with files.

mod form;

pub use form::{media_type, read_form, read_json, read_text};
