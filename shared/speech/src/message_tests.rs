use super::*;
use base64::engine::general_purpose::STANDARD as PADDED;
use proptest::prelude::*;
use serde_json::json;

/// What one message says to a socket that heard nothing before.
fn text(text: &str) -> Result<Option<LineInput>, MessageRefusal> {
    MessageReader::new(24_000).text(text, Instant::now())
}

fn read(message: &Value) -> Result<Option<LineInput>, MessageRefusal> {
    text(&message.to_string())
}

#[test]
fn every_verb_is_understood() {
    let speak =
        |event: Option<&str>, rate| LineInput::Speak { event: event.map(Into::into), rate, samples: vec![1, -2] };
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
        (json!({"type": "agent.speak", "audio": audio, "sample_rate": 8_000}), speak(None, 8_000)),
        (json!({"type": "agent.speak", "audio": audio, "sample_rate": 11_025}), speak(None, 11_025)),
        (json!({"type": "agent.speak", "audio": audio, "sample_rate": 44_100}), speak(None, 44_100)),
        (json!({"type": "agent.speak_end", "event_id": "e"}), LineInput::SpeakEnd { event: Some("e".into()) }),
        (json!({"type": "agent.speak_end"}), LineInput::SpeakEnd { event: None }),
        (json!({"type": "agent.interrupt", "event_id": "x"}), LineInput::Interrupt { event: Some("x".into()) }),
        (json!({"type": "agent.start_listening"}), LineInput::StartListening { event: None }),
        (json!({"type": "agent.stop_listening"}), LineInput::StopListening { event: None }),
        (json!({"type": "session.keep_alive", "event_id": "k"}), LineInput::KeepAlive { event: Some("k".into()) }),
    ] {
        assert_eq!(read(&message), Ok(Some(wanted)), "{message}");
    }
    let binary = MessageReader::new(48_000).binary(&[1, 0, 0xfe, 0xff], Instant::now());
    assert_eq!(binary, Some(speak(None, 48_000)));
}

#[test]
fn a_refusal_names_the_field_and_the_remedy() {
    for (message, code, parts) in [
        (json!([]), RefusalCode::Malformed, ["object", "type"]),
        (json!("agent.speak"), RefusalCode::Malformed, ["object", "type"]),
        (json!({}), RefusalCode::InvalidField, ["type is missing", "agent.speak"]),
        (json!({"type": 1}), RefusalCode::InvalidField, ["type", "text"]),
        (json!({"type": "agent.sing"}), RefusalCode::UnknownType, ["'agent.sing'", "agent.speak_end"]),
        (json!({"type": "agent.speak"}), RefusalCode::InvalidField, ["audio is missing", "base64"]),
        (json!({"type": "agent.speak", "audio": 5}), RefusalCode::InvalidField, ["audio", "base64"]),
        (json!({"type": "agent.speak", "audio": "a b"}), RefusalCode::InvalidField, ["audio is not base64", "PCM16"]),
        (
            json!({"type": "agent.speak", "audio": "AQD-_w=="}),
            RefusalCode::InvalidField,
            ["audio is not base64", "standard"],
        ),
        (
            json!({"type": "agent.speak", "audio": "AQD+", "sample_rate": 7_999}),
            RefusalCode::InvalidField,
            ["sample_rate", "8000 to 48000"],
        ),
        (
            json!({"type": "agent.speak", "audio": "AQD+", "sample_rate": 22_050.5}),
            RefusalCode::InvalidField,
            ["sample_rate", "whole number"],
        ),
        (
            json!({"type": "agent.speak", "audio": "AQD+", "sample_rate": "24000"}),
            RefusalCode::InvalidField,
            ["sample_rate", "8000 to 48000"],
        ),
        (
            json!({"type": "agent.speak", "audio": "AQD+", "rate": 1}),
            RefusalCode::UnknownField,
            ["'rate'", "sample_rate"],
        ),
        (json!({"type": "agent.interrupt", "audio": ""}), RefusalCode::UnknownField, ["'audio'", "agent.interrupt"]),
        (json!({"type": "agent.interrupt", "event_id": 1}), RefusalCode::InvalidField, ["event_id", "200"]),
        (json!({"type": "agent.interrupt", "event_id": "\n"}), RefusalCode::InvalidField, ["event_id", "200"]),
        (
            json!({"type": "agent.interrupt", "event_id": "x".repeat(201)}),
            RefusalCode::InvalidField,
            ["event_id", "200"],
        ),
    ] {
        let refused = read(&message).unwrap_err();
        assert_eq!(refused.code, code, "{message}");
        assert!(parts.iter().all(|p| refused.message.contains(p)), "{message}: {}", refused.message);
    }
    assert_eq!(text("{").unwrap_err().code, RefusalCode::Malformed);
}

#[test]
fn a_sample_may_be_cut_between_messages_of_any_form() {
    let mut reader = MessageReader::new(24_000);
    let now = Instant::now();
    let speak = |samples: &[i16]| Some(LineInput::Speak { event: None, rate: 24_000, samples: samples.to_vec() });
    let json = |reader: &mut MessageReader, bytes: &[u8]| {
        let message = json!({"type": "agent.speak", "audio": PADDED.encode(bytes)});
        reader.text(&message.to_string(), now).unwrap()
    };
    assert_eq!(reader.binary(&[], now), None, "nothing is nothing");
    assert_eq!(json(&mut reader, &[]), None);
    assert_eq!(reader.binary(&[1], now), None, "half a sample says nothing yet");
    assert_eq!(json(&mut reader, &[2]), speak(&[0x201]));
    assert_eq!(json(&mut reader, &[3, 0, 4]), speak(&[3]));
    assert_eq!(reader.binary(&[0, 5, 0], now), speak(&[4, 5]));
    for end in ["agent.speak_end", "agent.interrupt"] {
        assert_eq!(reader.binary(&[6, 0, 7], now), speak(&[6]));
        reader.text(&json!({"type": end}).to_string(), now).unwrap();
        assert_eq!(reader.binary(&[8, 0], now), speak(&[8]), "after {end}");
    }
    assert_eq!(reader.binary(&[9, 0, 1], now), speak(&[9]));
    reader.begin_anew();
    assert_eq!(reader.binary(&[10, 0], now), speak(&[10]), "after speech that was not taken");
    for kept in ["agent.start_listening", "agent.stop_listening", "session.keep_alive"] {
        assert_eq!(reader.binary(&[11, 0, 12], now), speak(&[11]));
        reader.text(&json!({"type": kept}).to_string(), now).unwrap();
        assert_eq!(reader.binary(&[0], now), speak(&[12]), "after {kept}");
    }
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
fn judge(read: Result<Option<LineInput>, MessageRefusal>) -> Result<(), TestCaseError> {
    match read {
        Ok(Some(LineInput::Speak { rate, samples, event })) => {
            prop_assert!(SPEECH_RATES.contains(&rate) && !samples.is_empty());
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
        let wanted = |event: Option<String>| Some(LineInput::Speak { event, rate: 16_000, samples: samples.clone() });
        let message = json!({"type": "agent.speak", "audio": audio, "sample_rate": 16_000, "event_id": "e"});
        prop_assert_eq!(read(&message), Ok(wanted(Some("e".into()))));
        prop_assert_eq!(MessageReader::new(16_000).binary(&bytes, Instant::now()), wanted(None));
    }
}

#[test]
fn the_largest_message_is_read() {
    let bytes = vec![7; LARGEST];
    let Some(LineInput::Speak { samples, .. }) = MessageReader::new(48_000).binary(&bytes, Instant::now()) else {
        panic!("it says nothing")
    };
    assert_eq!(samples.len(), LARGEST / 2);
    let deep = "[".repeat(LARGEST);
    assert_eq!(text(&deep).unwrap_err().code, RefusalCode::Malformed);
}
