//! What a library says of a caller's message, in our words.

pub use mouthpiece_domain::words::one_line;
use serde_json::error::Category;

/// What is wrong with JSON, without a full stop.
pub fn json(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof => "it ends too early".to_owned(),
        Category::Syntax | Category::Data => format!("line {line}, column {column} cannot be read"),
        Category::Io => "it cannot be read".to_owned(),
    }
}

/// A message is too large.
pub fn too_large() -> String {
    format!("a message may have at most {} bytes: send smaller ones", crate::LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn json_is_told_where_it_breaks() {
        let told = |text: &[u8]| json(&serde_json::from_slice::<Value>(text).unwrap_err());
        assert_eq!(told(b"{\"a\":"), "it ends too early");
        assert_eq!(told(b""), "it ends too early");
        assert_eq!(told(b"{\n\"a\":x}"), "line 2, column 5 cannot be read");
        assert_eq!(told(b"\"\xff\""), "line 1, column 2 cannot be read");
        assert!(told("[".repeat(10_000).as_bytes()).contains("cannot be read"));
    }
}
