//! What a program says over an audio socket, read: pure, and every refusal names the field and the remedy.
//!
//! Speech is a stream of bytes: whoever pipes it through cuts it anywhere, also between the two bytes of a sample. So a
//! socket's messages are read by one reader, which keeps the half that came ([`crate::halves`]).

use crate::dialect::{MessageRefusal, RefusalCode};
use crate::halves::SampleHalves;
use crate::words;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use base64::{DecodeError, Engine};
use mouthpiece_domain::live::{LineInput, SPEECH_RATES};
use serde_json::{Map, Value};
use tokio::time::Instant;

/// Bytes of one message, at most.
pub const LARGEST: usize = 1024 * 1024;
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

/// Reads the messages of one socket, in their order.
#[derive(Debug)]
pub struct MessageReader {
    /// Samples a second of binary messages.
    rate: u32,
    halves: SampleHalves,
}

impl MessageReader {
    /// Of a socket whose binary messages have so many samples a second.
    pub fn new(rate: u32) -> Self {
        Self { rate, halves: SampleHalves::default() }
    }

    /// Reads a text message; `None` where it says nothing.
    ///
    /// # Errors
    /// [`MessageRefusal`].
    pub fn text(&mut self, text: &str, now: Instant) -> Result<Option<LineInput>, MessageRefusal> {
        let malformed = |why: String| MessageRefusal::new(RefusalCode::Malformed, why);
        let value: Value = serde_json::from_str(text)
            .map_err(|e| malformed(format!("the message is not JSON ({}): send an object", words::json(&e))))?;
        let Value::Object(members) = value else {
            return Err(malformed(
                "the message must be a JSON object with a type, like {\"type\":\"agent.speak\"}".into(),
            ));
        };
        let event = event(&members)?;
        self.verb(&members, event.clone(), now).map_err(|refusal| MessageRefusal { event, ..refusal })
    }

    /// Reads a binary message: PCM16 little endian mono at the socket's rate; `None` where it completes no sample.
    pub fn binary(&mut self, bytes: &[u8], now: Instant) -> Option<LineInput> {
        let rate = self.rate;
        let samples = self.halves.join(rate, bytes, now);
        (!samples.is_empty()).then_some(LineInput::Speak { event: None, rate, samples })
    }

    /// Speech that was read was not taken: what comes next begins with a whole sample.
    pub fn begin_anew(&mut self) {
        self.halves.drop_half();
    }

    fn verb(
        &mut self,
        members: &Map<String, Value>,
        event: Option<String>,
        now: Instant,
    ) -> Result<Option<LineInput>, MessageRefusal> {
        let invalid = |message: &str| MessageRefusal::new(RefusalCode::InvalidField, message);
        let verb = match members.get("type") {
            Some(Value::String(verb)) => verb.as_str(),
            Some(_) => return Err(invalid("type must be a text")),
            None => return Err(invalid("type is missing: say what is meant, for example agent.speak")),
        };
        if verb == "agent.speak" {
            known(members, verb, &["type", "event_id", "audio", "sample_rate"])?;
            return self.speak(members, event, now);
        }
        let up = match verb {
            "agent.speak_end" => LineInput::SpeakEnd { event },
            "agent.interrupt" => LineInput::Interrupt { event },
            "agent.start_listening" => LineInput::StartListening { event },
            "agent.stop_listening" => LineInput::StopListening { event },
            "session.keep_alive" => LineInput::KeepAlive { event },
            other => {
                return Err(MessageRefusal::new(
                    RefusalCode::UnknownType,
                    format!(
                        "type '{}' is not known: there are agent.speak, agent.speak_end, agent.interrupt, \
                         agent.start_listening, agent.stop_listening and session.keep_alive",
                        shown(other)
                    ),
                ));
            }
        };
        known(members, verb, &["type", "event_id"])?;
        if matches!(up, LineInput::SpeakEnd { .. } | LineInput::Interrupt { .. }) {
            self.halves.drop_half();
        }
        Ok(Some(up))
    }

    fn speak(
        &mut self,
        members: &Map<String, Value>,
        event: Option<String>,
        now: Instant,
    ) -> Result<Option<LineInput>, MessageRefusal> {
        let invalid = |message: String| MessageRefusal::new(RefusalCode::InvalidField, message);
        let rate = match members.get("sample_rate") {
            None | Some(Value::Null) => USUAL_RATE,
            Some(value) => rate(value).ok_or_else(|| invalid(format!("sample_rate must be {}", rates_told())))?,
        };
        let Some(Value::String(audio)) = members.get("audio") else {
            return Err(invalid("audio is missing: send PCM16 little endian mono as base64 text".into()));
        };
        let bytes = BASE64.decode(audio).map_err(|e| {
            let why = not_base64(&e);
            invalid(format!("audio is not base64 ({why}): send PCM16 little endian mono in the standard alphabet"))
        })?;
        let samples = self.halves.join(rate, &bytes, now);
        Ok((!samples.is_empty()).then_some(LineInput::Speak { event, rate, samples }))
    }
}

/// The rates for people.
fn rates_told() -> String {
    let (least, most) = SPEECH_RATES.into_inner();
    format!("a whole number of samples a second from {least} to {most}")
}

/// A rate as JSON, however the number is written.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked before
fn rate(value: &Value) -> Option<u32> {
    let number = value.as_f64().filter(|rate| rate.fract() == 0.0 && (0.0..1e9).contains(rate))?;
    Some(number as u32).filter(|rate| SPEECH_RATES.contains(rate))
}

/// What is wrong with it.
fn not_base64(error: &DecodeError) -> String {
    match error {
        DecodeError::InvalidByte(at, _) => format!("character {} does not belong there", at + 1),
        DecodeError::InvalidLastSymbol(..) => "its last character has bits that nothing is made of".to_owned(),
        DecodeError::InvalidLength(_) => "a character is missing at its end".to_owned(),
        DecodeError::InvalidPadding => "its padding is wrong".to_owned(),
    }
}

fn event(members: &Map<String, Value>) -> Result<Option<String>, MessageRefusal> {
    match members.get("event_id") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(event)) if event.chars().count() <= EVENT_CHARS && !event.chars().any(char::is_control) => {
            Ok(Some(event.clone()))
        }
        Some(_) => {
            let message = format!("event_id must be a text of at most {EVENT_CHARS} characters, none for control");
            Err(MessageRefusal::new(RefusalCode::InvalidField, message))
        }
    }
}

fn known(members: &Map<String, Value>, verb: &str, known: &[&str]) -> Result<(), MessageRefusal> {
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let message = format!("'{}' is not a field of {verb}: there are {}", shown(name), known.join(", "));
            Err(MessageRefusal::new(RefusalCode::UnknownField, message))
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(QUOTED).collect()
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
