//! What a worker says of itself in its log, as events.

use super::history::{Happening, Placement};
use serde::Deserialize;

/// The words of a worker's log that tell of placements, as `worker/src/actors` writes them.
#[derive(Debug, Deserialize)]
struct LogLine {
    message: String,
    session_id: String,
    fence: u32,
    slot: u8,
    #[serde(default)]
    delivered_ms: u64,
    #[serde(default)]
    ended: bool,
    /// What it is taken up for; to serve if it does not say.
    #[serde(default)]
    duty: Option<String>,
}

/// The event that a line of a worker's log (JSON) tells of, if it is one.
pub fn happening(worker: &str, line: &str) -> Option<Happening> {
    // Most lines are others; those without a placement are not read at all.
    if !line.contains("\"session_id\"") || !line.contains("\"slot\"") {
        return None;
    }
    let LogLine { message, session_id, fence, slot, delivered_ms, ended, duty } = serde_json::from_str(line).ok()?;
    let place = Placement { worker: worker.to_owned(), session: session_id, fence, slot };
    match message.as_str() {
        // It waits for a session that is about to be moved here.
        "taken up" if duty.as_deref() == Some("Waits") => Some(Happening::Prepares { place }),
        "taken up" | "moved here" => Some(Happening::Serves { place }),
        "moved away" => Some(Happening::HandsOver { place }),
        "let go" => Some(Happening::LetGo { place, delivered_ms }),
        // A heartbeat counts what a report does, and may be believed where that was lost.
        "reports" | "counts" => Some(Happening::Reports { place, delivered_ms }),
        "reported" => Some(Happening::Reported { place, delivered_ms, ended }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workers_words_are_understood() {
        let line = r#"{"timestamp":"2026-11-29T21:00:00Z","level":"INFO","message":"let go","session_id":"ses_1","fence":2,"slot":0,"delivered_ms":40}"#;
        let place = Placement { worker: "worker-0#1".to_owned(), session: "ses_1".to_owned(), fence: 2, slot: 0 };
        assert_eq!(happening("worker-0#1", line), Some(Happening::LetGo { place, delivered_ms: 40 }));
        let place = || Placement { worker: "worker-0#1".to_owned(), session: "ses_1".to_owned(), fence: 2, slot: 0 };
        for (words, what) in [
            ("taken up", Happening::Serves { place: place() }),
            ("taken up\",\"duty\":\"Serves", Happening::Serves { place: place() }),
            ("taken up\",\"duty\":\"Waits", Happening::Prepares { place: place() }),
            ("moved here", Happening::Serves { place: place() }),
            ("moved away", Happening::HandsOver { place: place() }),
        ] {
            assert_eq!(happening("worker-0#1", &line.replace("let go", words)), Some(what), "{words}");
        }
        let other = line.replace("let go", "stopped");
        for line in [other.as_str(), "", "not JSON", r#"{"message":"let go"}"#] {
            assert_eq!(happening("worker-0#1", line), None, "{line}");
        }
    }
}
