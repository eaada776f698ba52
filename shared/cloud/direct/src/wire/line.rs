//! A line's messages: speech as binary, all else as JSON.
//!
//! Binary: one byte `1`; the rate, 4 bytes; the length of the caller's name for it in bytes, 2 bytes, `0xffff` where it has none;
//! the name, UTF-8; then the samples, signed 16 bit, mono. Numbers are little-endian, as the samples are.

use super::{LARGEST, WireError, WireRead, WireWrite, read_json, write_json};
use bytes::{BufMut as _, Bytes, BytesMut};
use mouthpiece_domain::live::{
    BegunUtterance, CallerIntroduction, EventPosition, FaceMood, LineInput, LineOutput, SPEECH_RATES,
};
use serde::{Deserialize, Serialize};
use tokio_tungstenite::tungstenite::Message;

/// The binary message that is speech.
const SPEECH: u8 = 1;
/// Bytes before the name.
const HEAD: usize = 7;
/// Bytes of a caller's name for something, at most: what a coordinator takes from its callers, 200 characters. Sessions keep them.
const LONGEST_NAME: usize = 800;
/// The length of a name that there is not.
const UNNAMED: u16 = u16::MAX;

/// [`LineInput`], but for speech.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum UpText {
    SpeakEnd {
        event: Option<String>,
    },
    Interrupt {
        event: Option<String>,
    },
    StartListening {
        event: Option<String>,
    },
    StopListening {
        event: Option<String>,
    },
    KeepAlive {
        event: Option<String>,
    },
    Identify(CallerIntroduction),
    #[serde(other)]
    Unknown,
}

/// [`LineOutput`].
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum DownText {
    Mood {
        mood: FaceMood,
        event: Option<String>,
    },
    Kept {
        event: Option<String>,
    },
    Started {
        event: Option<String>,
    },
    Continued {
        utterance: BegunUtterance,
    },
    Ended {
        event: Option<String>,
        played_ms: u64,
    },
    Interrupted {
        event: Option<String>,
        played_ms: u64,
    },
    Buffer {
        buffered_ms: u64,
        limit_ms: u64,
    },
    FrameRate {
        fps: u32,
        asked: u32,
    },
    Refused {
        number: u64,
        event: Option<String>,
        retry_after_ms: u64,
        detail: String,
    },
    Settled {
        through: u64,
        begun: Option<BegunUtterance>,
        of_next_ms: u64,
    },
    Resumed {
        complete: bool,
    },
    Position {
        position: EventPosition,
    },
    Over {
        reason: String,
    },
    #[serde(other)]
    Unknown,
}

impl WireWrite for LineInput {
    fn write(self) -> Result<Message, WireError> {
        write_json(&match self {
            Self::Speak { event, rate, samples } => return write_speech(event.as_deref(), rate, &samples),
            Self::SpeakEnd { event } => UpText::SpeakEnd { event },
            Self::Interrupt { event } => UpText::Interrupt { event },
            Self::StartListening { event } => UpText::StartListening { event },
            Self::StopListening { event } => UpText::StopListening { event },
            Self::KeepAlive { event } => UpText::KeepAlive { event },
            Self::Identify(who) => UpText::Identify(who),
        })
    }
}

impl WireRead for LineInput {
    fn read_text(text: &str) -> Result<Option<Self>, WireError> {
        let message = read_json(text)?;
        if let UpText::SpeakEnd { event: Some(event) }
        | UpText::Interrupt { event: Some(event) }
        | UpText::StartListening { event: Some(event) }
        | UpText::StopListening { event: Some(event) }
        | UpText::KeepAlive { event: Some(event) }
        | UpText::Identify(CallerIntroduction { begun: Some(BegunUtterance { event: Some(event), .. }), .. }) =
            &message
            && event.len() > LONGEST_NAME
        {
            return Err(WireError::Malformed(format!("an event of {} bytes: at most {LONGEST_NAME}", event.len())));
        }
        Ok(Some(match message {
            UpText::SpeakEnd { event } => Self::SpeakEnd { event },
            UpText::Interrupt { event } => Self::Interrupt { event },
            UpText::StartListening { event } => Self::StartListening { event },
            UpText::StopListening { event } => Self::StopListening { event },
            UpText::KeepAlive { event } => Self::KeepAlive { event },
            UpText::Identify(who) => Self::Identify(who),
            UpText::Unknown => return Ok(None),
        }))
    }

    fn read_binary(bytes: &[u8]) -> Result<Option<Self>, WireError> {
        if bytes.first().is_some_and(|kind| *kind != SPEECH) {
            return Ok(None);
        }
        read_speech(bytes).map(Some).ok_or_else(|| WireError::Malformed("speech that is none".to_owned()))
    }
}

impl WireWrite for LineOutput {
    fn write(self) -> Result<Message, WireError> {
        write_json(&match self {
            Self::Mood { mood, event } => DownText::Mood { mood, event },
            Self::Kept { event } => DownText::Kept { event },
            Self::Started { event } => DownText::Started { event },
            Self::Continued { utterance } => DownText::Continued { utterance },
            Self::Ended { event, played_ms } => DownText::Ended { event, played_ms },
            Self::Interrupted { event, played_ms } => DownText::Interrupted { event, played_ms },
            Self::Buffer { buffered_ms, limit_ms } => DownText::Buffer { buffered_ms, limit_ms },
            Self::FrameRate { fps, asked } => DownText::FrameRate { fps, asked },
            Self::Refused { number, event, retry_after_ms, detail } => {
                DownText::Refused { number, event, retry_after_ms, detail }
            }
            Self::Settled { through, begun, of_next_ms } => DownText::Settled { through, begun, of_next_ms },
            Self::Resumed { complete } => DownText::Resumed { complete },
            Self::Position { position } => DownText::Position { position },
            Self::Over { reason } => DownText::Over { reason },
        })
    }
}

impl WireRead for LineOutput {
    fn read_text(text: &str) -> Result<Option<Self>, WireError> {
        Ok(Some(match read_json(text)? {
            DownText::Mood { mood, event } => Self::Mood { mood, event },
            DownText::Kept { event } => Self::Kept { event },
            DownText::Started { event } => Self::Started { event },
            DownText::Continued { utterance } => Self::Continued { utterance },
            DownText::Ended { event, played_ms } => Self::Ended { event, played_ms },
            DownText::Interrupted { event, played_ms } => Self::Interrupted { event, played_ms },
            DownText::Buffer { buffered_ms, limit_ms } => Self::Buffer { buffered_ms, limit_ms },
            DownText::FrameRate { fps, asked } => Self::FrameRate { fps, asked },
            DownText::Refused { number, event, retry_after_ms, detail } => {
                Self::Refused { number, event, retry_after_ms, detail }
            }
            DownText::Settled { through, begun, of_next_ms } => Self::Settled { through, begun, of_next_ms },
            DownText::Resumed { complete } => Self::Resumed { complete },
            DownText::Position { position } => Self::Position { position },
            DownText::Over { reason } => Self::Over { reason },
            DownText::Unknown => return Ok(None),
        }))
    }
}

fn write_speech(event: Option<&str>, rate: u32, samples: &[i16]) -> Result<Message, WireError> {
    let name = event.unwrap_or_default().as_bytes();
    let bytes = HEAD + name.len() + 2 * samples.len();
    let length = if event.is_some() { u16::try_from(name.len()).ok().filter(|l| *l != UNNAMED) } else { Some(UNNAMED) };
    let Some(length) = length.filter(|_| bytes <= LARGEST) else { return Err(WireError::TooLarge(bytes)) };
    let mut message = BytesMut::with_capacity(bytes);
    message.put_u8(SPEECH);
    message.put_u32_le(rate);
    message.put_u16_le(length);
    message.put_slice(name);
    for sample in samples {
        message.put_i16_le(*sample);
    }
    Ok(Message::Binary(Bytes::from(message)))
}

fn read_speech(bytes: &[u8]) -> Option<LineInput> {
    let ([_, head @ ..], rest) = bytes.split_first_chunk::<HEAD>()?;
    let (rate, length) = head.split_first_chunk::<4>()?;
    let rate = Some(u32::from_le_bytes(*rate)).filter(|rate| SPEECH_RATES.contains(rate))?;
    let (event, sound) = match u16::from_le_bytes(*length.first_chunk()?) {
        UNNAMED => (None, rest),
        length => {
            let (name, sound) = rest.split_at_checked(usize::from(length)).filter(|_| length <= LONGEST_NAME as u16)?;
            (Some(std::str::from_utf8(name).ok()?.to_owned()), sound)
        }
    };
    let (samples, odd) = sound.as_chunks::<2>();
    if !odd.is_empty() {
        return None;
    }
    Some(LineInput::Speak { event, rate, samples: samples.iter().map(|sample| i16::from_le_bytes(*sample)).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back<T: WireRead>(message: &Message) -> Result<Option<T>, WireError> {
        match message {
            Message::Binary(bytes) => T::read_binary(bytes),
            Message::Text(text) => T::read_text(text),
            _ => panic!("neither text nor binary"),
        }
    }

    proptest! {
        #[test]
        fn speech_is_heard_as_it_was_said(
            event in proptest::option::of(".{0,40}"), rate in 8_000u32..=48_000, samples: Vec<i16>
        ) {
            let up = LineInput::Speak { event, rate, samples };
            prop_assert_eq!(back(&up.clone().write().unwrap()), Ok(Some(up)));
        }

        #[test]
        fn any_message_is_answered(bytes: Vec<u8>, text in ".*") {
            let _ = LineInput::read_binary(&bytes);
            let _ = LineInput::read_text(&text);
            let _ = LineOutput::read_text(&text);
            prop_assert!(LineOutput::read_binary(&bytes).is_err());
        }
    }

    #[test]
    fn what_is_not_known_is_passed_over_and_what_is_broken_is_refused() {
        assert_eq!(LineInput::read_text(r#"{"type":"sing","song":1}"#), Ok(None));
        assert_eq!(LineOutput::read_text(r#"{"type":"sung"}"#), Ok(None));
        assert_eq!(LineInput::read_binary(&[9, 1, 2]), Ok(None));
        let later = r#"{"type":"keep_alive","event":null,"added_later":1}"#;
        assert_eq!(LineInput::read_text(later), Ok(Some(LineInput::KeepAlive { event: None })));
        let good = [&[1][..], &16_000u32.to_le_bytes(), &1u16.to_le_bytes(), b"x", &[1, 0]].concat();
        let wanted = LineInput::Speak { event: Some("x".to_owned()), rate: 16_000, samples: vec![1] };
        assert_eq!(LineInput::read_binary(&good), Ok(Some(wanted)));
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            bytes
        };
        for bad in [good[..good.len() - 1].to_vec(), good[..6].to_vec(), vec![], with(2, 0), with(5, 99), with(7, 0xff)]
        {
            assert!(LineInput::read_binary(&bad).is_err(), "{bad:?}");
        }
        for bad in ["", "{}", "[]", r#"{"type":"mood","mood":"angry"}"#] {
            assert!(LineInput::read_text(bad).is_err() || LineOutput::read_text(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_that_a_session_would_keep_are_bounded() {
        let says = |bytes: usize| {
            let event = Some("x".repeat(bytes));
            let speech = LineInput::Speak { event: event.clone(), rate: 8000, samples: vec![] }.write().unwrap();
            [
                back::<LineInput>(&speech).is_ok(),
                back::<LineInput>(&LineInput::Interrupt { event }.write().unwrap()).is_ok(),
            ]
        };
        assert_eq!((says(LONGEST_NAME), says(LONGEST_NAME + 1)), ([true; 2], [false; 2]));
    }

    #[test]
    fn what_is_too_large_is_not_sent() {
        let say =
            |event: Option<String>, samples| LineInput::Speak { event, rate: 8000, samples: vec![0; samples] }.write();
        assert!(say(None, LARGEST / 2 - 4).is_ok());
        assert_eq!(say(None, LARGEST / 2), Err(WireError::TooLarge(LARGEST + HEAD)));
        assert!(say(Some("x".repeat(65_535)), 0).is_err());
        assert!(matches!(
            LineInput::KeepAlive { event: Some("x".repeat(LARGEST)) }.write(),
            Err(WireError::TooLarge(_))
        ));
    }
}
