//! What a program says over an audio socket, read: pure, and every refusal names the field and the remedy.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use mouthpiece_domain::live::Up;
use serde_json::{Map, Value};

/// Bytes of one message, at most.
pub const LARGEST: usize = 1024 * 1024;
/// Samples a second that are taken.
pub const RATES: [u32; 3] = [16_000, 24_000, 48_000];
/// Samples a second where nothing is said.
pub const USUAL_RATE: u32 = 24_000;
/// Characters of a caller's name for an utterance.
const EVENT_CHARS: usize = 200;
/// How much of what was sent is quoted in a refusal.
const QUOTED: usize = 60;

/// Padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Kinds of refusals: stable words, for programs and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Not a JSON object.
    Malformed,
    /// There is no such message.
    UnknownType,
    /// The message has no such field.
    UnknownField,
    /// The field's value cannot be used, or is missing.
    InvalidField,
}

impl Code {
    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownType => "unknown_type",
            Self::UnknownField => "unknown_field",
            Self::InvalidField => "invalid_field",
        }
    }
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind.
    pub code: Code,
    /// What is wrong, and the remedy.
    pub message: String,
    /// The caller's name for what was refused, where it could be read.
    pub event: Option<String>,
}

impl Refusal {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), event: None }
    }
}

/// Reads a text message.
///
/// # Errors
/// [`Refusal`].
pub fn text(text: &str) -> Result<Up, Refusal> {
    let malformed = |why: String| Refusal::new(Code::Malformed, why);
    let value: Value =
        serde_json::from_str(text).map_err(|e| malformed(format!("the message is not JSON ({e}): send an object")))?;
    let Value::Object(members) = value else {
        return Err(malformed("the message must be a JSON object with a type, like {\"type\":\"agent.speak\"}".into()));
    };
    let event = event(&members)?;
    verb(&members, event.clone()).map_err(|refusal| Refusal { event, ..refusal })
}

/// Reads a binary message: PCM16 little endian mono at the socket's rate.
///
/// # Errors
/// [`Refusal`].
pub fn binary(bytes: &[u8], rate: u32) -> Result<Up, Refusal> {
    let samples = pcm(bytes, "the binary message")?;
    Ok(Up::Speak { event: None, rate, samples })
}

/// True for a rate that is taken.
pub fn is_rate(rate: u32) -> bool {
    RATES.contains(&rate)
}

/// The rates for people.
pub const RATES_TOLD: &str = "16000, 24000 or 48000";

fn verb(members: &Map<String, Value>, event: Option<String>) -> Result<Up, Refusal> {
    let invalid = |message: &str| Refusal::new(Code::InvalidField, message);
    let verb = match members.get("type") {
        Some(Value::String(verb)) => verb.as_str(),
        Some(_) => return Err(invalid("type must be a text")),
        None => return Err(invalid("type is missing: say what is meant, for example agent.speak")),
    };
    let plain = |up: Up| known(members, verb, &["type", "event_id"]).map(|()| up);
    match verb {
        "agent.speak" => {
            known(members, verb, &["type", "event_id", "audio", "sample_rate"])?;
            speak(members, event)
        }
        "agent.speak_end" => plain(Up::SpeakEnd { event }),
        "agent.interrupt" => plain(Up::Interrupt),
        "agent.start_listening" => plain(Up::StartListening),
        "agent.stop_listening" => plain(Up::StopListening),
        "session.keep_alive" => plain(Up::KeepAlive),
        other => Err(Refusal::new(
            Code::UnknownType,
            format!(
                "type '{}' is not known: there are agent.speak, agent.speak_end, agent.interrupt, \
                 agent.start_listening, agent.stop_listening and session.keep_alive",
                shown(other)
            ),
        )),
    }
}

fn speak(members: &Map<String, Value>, event: Option<String>) -> Result<Up, Refusal> {
    let invalid = |message: String| Refusal::new(Code::InvalidField, message);
    let rate = match members.get("sample_rate") {
        None | Some(Value::Null) => USUAL_RATE,
        Some(value) => {
            let rate = value.as_f64().and_then(|rate| RATES.into_iter().find(|r| f64::from(*r) == rate));
            rate.ok_or_else(|| invalid(format!("sample_rate must be {RATES_TOLD}: resample before sending")))?
        }
    };
    let Some(Value::String(audio)) = members.get("audio") else {
        return Err(invalid("audio is missing: send PCM16 little endian mono as base64 text".into()));
    };
    let bytes = BASE64.decode(audio).map_err(|e| {
        invalid(format!("audio is not base64 ({e}): send PCM16 little endian mono in the standard alphabet"))
    })?;
    Ok(Up::Speak { event, rate, samples: pcm(&bytes, "audio")? })
}

fn pcm(bytes: &[u8], what: &str) -> Result<Vec<i16>, Refusal> {
    let wrong = match bytes.len() {
        0 => format!("{what} is empty: send samples, or agent.speak_end when there are no more"),
        n if n % 2 != 0 => format!("{what} has {n} bytes, an odd number: PCM16 has two bytes a sample, mono"),
        _ => return Ok(bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()),
    };
    Err(Refusal::new(Code::InvalidField, wrong))
}

fn event(members: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    match members.get("event_id") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(event)) if event.chars().count() <= EVENT_CHARS && !event.chars().any(char::is_control) => {
            Ok(Some(event.clone()))
        }
        Some(_) => {
            let message = format!("event_id must be a text of at most {EVENT_CHARS} characters, none for control");
            Err(Refusal::new(Code::InvalidField, message))
        }
    }
}

fn known(members: &Map<String, Value>, verb: &str, known: &[&str]) -> Result<(), Refusal> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let message = format!("'{}' is not a field of {verb}: there are {}", shown(name), known.join(", "));
            Err(Refusal::new(Code::UnknownField, message))
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD as PADDED;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(message: &Value) -> Result<Up, Refusal> {
        text(&message.to_string())
    }

    #[test]
    fn every_verb_is_understood() {
        let speak = |event: Option<&str>, rate| Up::Speak { event: event.map(Into::into), rate, samples: vec![1, -2] };
        let audio = "AQD+/w==";
        for (message, wanted) in [
            (json!({"type": "agent.speak", "audio": audio}), speak(None, 24_000)),
            (json!({"type": "agent.speak", "audio": "AQD+/w", "sample_rate": null}), speak(None, 24_000)),
            (
                json!({"type": "agent.speak", "audio": audio, "event_id": "e", "sample_rate": 16_000}),
                speak(Some("e"), 16_000),
            ),
            (
                json!({"type": "agent.speak", "audio": audio, "event_id": null, "sample_rate": 48_000.0}),
                speak(None, 48_000),
            ),
            (json!({"type": "agent.speak_end", "event_id": "e"}), Up::SpeakEnd { event: Some("e".into()) }),
            (json!({"type": "agent.speak_end"}), Up::SpeakEnd { event: None }),
            (json!({"type": "agent.interrupt", "event_id": "x"}), Up::Interrupt),
            (json!({"type": "agent.start_listening"}), Up::StartListening),
            (json!({"type": "agent.stop_listening"}), Up::StopListening),
            (json!({"type": "session.keep_alive"}), Up::KeepAlive),
        ] {
            assert_eq!(read(&message), Ok(wanted), "{message}");
        }
        assert_eq!(binary(&[1, 0, 0xfe, 0xff], 48_000), Ok(speak(None, 48_000)));
    }

    #[test]
    fn a_refusal_names_the_field_and_the_remedy() {
        for (message, code, parts) in [
            (json!([]), Code::Malformed, ["object", "type"]),
            (json!("agent.speak"), Code::Malformed, ["object", "type"]),
            (json!({}), Code::InvalidField, ["type is missing", "agent.speak"]),
            (json!({"type": 1}), Code::InvalidField, ["type", "text"]),
            (json!({"type": "agent.sing"}), Code::UnknownType, ["'agent.sing'", "agent.speak_end"]),
            (json!({"type": "agent.speak"}), Code::InvalidField, ["audio is missing", "base64"]),
            (json!({"type": "agent.speak", "audio": 5}), Code::InvalidField, ["audio", "base64"]),
            (json!({"type": "agent.speak", "audio": ""}), Code::InvalidField, ["audio is empty", "speak_end"]),
            (json!({"type": "agent.speak", "audio": "AQ=="}), Code::InvalidField, ["audio has 1 bytes", "two bytes"]),
            (json!({"type": "agent.speak", "audio": "a b"}), Code::InvalidField, ["audio is not base64", "PCM16"]),
            (
                json!({"type": "agent.speak", "audio": "AQD-_w=="}),
                Code::InvalidField,
                ["audio is not base64", "standard"],
            ),
            (
                json!({"type": "agent.speak", "audio": "AQD+", "sample_rate": 22_050}),
                Code::InvalidField,
                ["sample_rate", "24000"],
            ),
            (
                json!({"type": "agent.speak", "audio": "AQD+", "sample_rate": "24000"}),
                Code::InvalidField,
                ["sample_rate", "24000"],
            ),
            (json!({"type": "agent.speak", "audio": "AQD+", "rate": 1}), Code::UnknownField, ["'rate'", "sample_rate"]),
            (json!({"type": "agent.interrupt", "audio": ""}), Code::UnknownField, ["'audio'", "agent.interrupt"]),
            (json!({"type": "agent.interrupt", "event_id": 1}), Code::InvalidField, ["event_id", "200"]),
            (json!({"type": "agent.interrupt", "event_id": "\n"}), Code::InvalidField, ["event_id", "200"]),
            (json!({"type": "agent.interrupt", "event_id": "x".repeat(201)}), Code::InvalidField, ["event_id", "200"]),
        ] {
            let refused = read(&message).unwrap_err();
            assert_eq!(refused.code, code, "{message}");
            assert!(parts.iter().all(|p| refused.message.contains(p)), "{message}: {}", refused.message);
        }
        assert_eq!(text("{").unwrap_err().code, Code::Malformed);
        let empty = binary(&[], 24_000).unwrap_err();
        assert!(empty.message.starts_with("the binary message is empty"), "{}", empty.message);
        assert!(binary(&[1], 24_000).unwrap_err().message.contains("odd"));
    }

    #[test]
    fn a_refusal_tells_which_utterance_it_was() {
        let refused = read(&json!({"type": "agent.speak", "event_id": "e7", "audio": "?"})).unwrap_err();
        assert_eq!(refused.event.as_deref(), Some("e7"));
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let words = prop_oneof![
            Just("agent.speak".to_owned()),
            Just("agent.interrupt".to_owned()),
            Just("AQD+/w==".to_owned()),
            "[A-Za-z0-9+/=_-]{0,12}",
            ".{0,12}",
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            Just(json!(24_000)),
            words.prop_map(Value::from),
        ];
        let names = prop_oneof![
            Just("type".to_owned()),
            Just("audio".to_owned()),
            Just("event_id".to_owned()),
            Just("sample_rate".to_owned()),
            ".{0,6}",
        ];
        leaf.prop_recursive(3, 24, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(names.clone(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Whatever is taken is usable; whatever is refused says why, in one line.
    fn judge(read: Result<Up, Refusal>) -> Result<(), TestCaseError> {
        match read {
            Ok(Up::Speak { rate, samples, event }) => {
                prop_assert!(is_rate(rate) && !samples.is_empty());
                prop_assert!(event.is_none_or(|e| e.chars().count() <= EVENT_CHARS));
            }
            Ok(_) => {}
            Err(refusal) => {
                prop_assert!(refusal.message.len() > 10 && refusal.message.len() < 600);
                prop_assert!(!refusal.message.contains(char::is_control), "{}", refusal.message);
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn any_json_is_answered(value in json_value()) {
            judge(read(&value))?;
        }

        #[test]
        fn any_text_is_answered(said in ".{0,200}", broken in "\\{\"type\":\"agent.speak\",\"audio\":\"[ -~]{0,40}") {
            judge(text(&said))?;
            judge(text(&broken))?;
        }

        #[test]
        fn any_base64_is_answered(audio in "[A-Za-z0-9+/]{0,64}={0,3}") {
            judge(read(&json!({"type": "agent.speak", "audio": audio})))?;
        }

        #[test]
        fn samples_come_out_as_they_went_in(samples in proptest::collection::vec(any::<i16>(), 1..500), pad: bool) {
            let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
            let mut audio = PADDED.encode(&bytes);
            if !pad {
                audio.truncate(audio.trim_end_matches('=').len());
            }
            let wanted = |event: Option<String>| Up::Speak { event, rate: 16_000, samples: samples.clone() };
            let message = json!({"type": "agent.speak", "audio": audio, "sample_rate": 16_000, "event_id": "e"});
            prop_assert_eq!(read(&message), Ok(wanted(Some("e".into()))));
            prop_assert_eq!(binary(&bytes, 16_000), Ok(wanted(None)));
            prop_assert!(binary(&bytes[1..], 16_000).is_err());
        }
    }

    #[test]
    fn the_largest_message_is_read() {
        let bytes = vec![7; LARGEST];
        let Ok(Up::Speak { samples, .. }) = binary(&bytes, 48_000) else { panic!("it was refused") };
        assert_eq!(samples.len(), LARGEST / 2);
        let deep = "[".repeat(LARGEST);
        assert_eq!(text(&deep).unwrap_err().code, Code::Malformed);
    }
}
