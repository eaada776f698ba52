//! What a caller may say about how a session is run.

use super::dto::session::{CROPS, EXPRESSIONS, PRESETS};
use super::fields::Fields;
use super::problem::Problem;
use crate::office::SessionBounds;
use crate::office::options::SessionOptions;
use mouthpiece_domain::colour::Colour;
use mouthpiece_domain::frame::{FrameRate, FrameSize, Framing};
use mouthpiece_domain::manner::{Manner, MotionShare};
use std::time::Duration;

/// The fields that these options are read from.
pub const FIELDS: [&str; 13] = [
    "fps",
    "size",
    "crop",
    "preset",
    "seed",
    "head",
    "motion",
    "expression",
    "blinks",
    "background",
    "queue_timeout_s",
    "max_duration_s",
    "metadata",
];
/// Faces of a portrait that can be named.
pub const FACES: u32 = 16;
/// Characters of a colour.
const COLOUR_CHARS: usize = 16;
/// Seeds are exact in every JSON library up to this.
const LARGEST_SEED: u64 = (1 << 53) - 1;

/// Reads what was said.
///
/// # Errors
/// 422 for a field that cannot be used.
pub fn read(fields: &Fields, bounds: &SessionBounds) -> Result<SessionOptions, Problem> {
    let usual = SessionOptions::new(bounds);
    let size = fields.number32("size", FrameSize::BOUNDS)?.and_then(|pixels| FrameSize::new(pixels).ok());
    let seconds =
        |name, longest: Duration| fields.number(name, 1..=longest.as_secs().max(1)).map(|s| s.map(Duration::from_secs));
    let motion = fields.number32("motion", MotionShare::BOUNDS)?.and_then(|m| u8::try_from(m).ok());
    Ok(SessionOptions {
        fps: rate(fields)?.unwrap_or(usual.fps),
        size: size.unwrap_or(usual.size),
        framing: Framing {
            crop: fields.word("crop", &CROPS)?.unwrap_or(usual.framing.crop),
            // Who names a size gets it.
            size_up_to: if size.is_some() { None } else { usual.framing.size_up_to },
        },
        preset: fields.word("preset", &PRESETS)?.unwrap_or(usual.preset),
        seed: fields.number("seed", 0..=LARGEST_SEED)?.unwrap_or(usual.seed),
        head: fields.flag("head")?.unwrap_or(usual.head),
        blinks: fields.flag("blinks")?.unwrap_or(usual.blinks),
        manner: Manner {
            motion: motion.map_or(usual.manner.motion, MotionShare::from),
            demeanour: fields.word("expression", &EXPRESSIONS)?.unwrap_or(usual.manner.demeanour),
        },
        background: background(fields)?,
        queue_timeout: seconds("queue_timeout_s", bounds.longest_queue_timeout)?.unwrap_or(usual.queue_timeout),
        max_duration: seconds("max_duration_s", bounds.longest_duration)?.unwrap_or(usual.max_duration),
        metadata: fields.metadata("metadata")?,
    })
}

/// Reads the frame rate.
fn rate(fields: &Fields) -> Result<Option<FrameRate>, Problem> {
    if !fields.has("fps") {
        return Ok(None);
    }
    let given = fields.number32("fps", 0..=u32::MAX).ok().flatten().and_then(|fps| FrameRate::new(fps).ok());
    given.map(Some).ok_or_else(|| Problem::invalid("fps", format!("fps must be {}", FrameRate::CHOICE)))
}

/// Reads what is to be behind the portrait.
fn background(fields: &Fields) -> Result<Option<Colour>, Problem> {
    let Some(text) = fields.text("background", COLOUR_CHARS)? else { return Ok(None) };
    let refused = |e| Problem::invalid("background", format!("background is no colour: {e}"));
    text.parse().map(Some).map_err(refused)
}

/// Reads which face is meant.
///
/// # Errors
/// 422.
pub fn face(fields: &Fields) -> Result<Option<u32>, Problem> {
    fields.number32("face", 1..=FACES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_domain::frame::Crop;
    use mouthpiece_domain::manner::Demeanour;

    fn read_all(body: &str) -> Result<SessionOptions, Problem> {
        read(&Fields::json(body.as_bytes(), &FIELDS)?, &SessionBounds::default())
    }

    #[test]
    fn defaults_said_or_not_are_the_same_request() {
        let said = r##"{"fps":25,"preset":"balanced","seed":1,"head":true,"blinks":true,"background":"#fff","crop":"none",
            "motion":100.0,"expression":"neutral",
            "queue_timeout_s":600,"max_duration_s":3600,"metadata":{}}"##;
        assert_eq!(read_all(said).unwrap().canonical(), read_all("{}").unwrap().canonical());
        assert_ne!(read_all(r#"{"background":"black"}"#).unwrap().canonical(), read_all("{}").unwrap().canonical());
        assert_ne!(read_all(r#"{"seed":2}"#).unwrap().canonical(), read_all("{}").unwrap().canonical());
    }

    #[test]
    fn who_names_a_size_gets_it_and_who_does_not_gets_what_the_face_needs() {
        let asked = read_all(r#"{"size":512,"crop":"bust"}"#).unwrap();
        assert_eq!((asked.size.pixels(), asked.framing.size_up_to), (512, None));
        assert_eq!(asked.framing.crop, Crop::Bust);
        let usual = read_all("{}").unwrap();
        assert_eq!((usual.size, usual.framing.size_up_to), (FrameSize::USUAL, Some(Framing::LARGEST_FILE)));
        assert_ne!(read_all(r#"{"size":512}"#).unwrap().canonical(), usual.canonical());
    }

    #[test]
    fn the_manner_is_read() {
        let manner = read_all(r#"{"motion":30,"expression":"friendly"}"#).unwrap().manner;
        assert_eq!(manner, Manner { motion: MotionShare::from(30), demeanour: Demeanour::Friendly });
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        for (body, field) in [
            (r#"{"fps":24}"#, "fps"),
            (r#"{"fps":"25"}"#, "fps"),
            (r#"{"size":63}"#, "size"),
            (r#"{"size":2049}"#, "size"),
            (r#"{"preset":"slow"}"#, "preset"),
            (r#"{"seed":9007199254740992}"#, "seed"),
            (r#"{"head":"true"}"#, "head"),
            (r#"{"blinks":1}"#, "blinks"),
            (r#"{"motion":101}"#, "motion"),
            (r#"{"motion":-1}"#, "motion"),
            (r#"{"expression":"angry"}"#, "expression"),
            (r#"{"crop":"feet"}"#, "crop"),
            (r##"{"background":"#12"}"##, "background"),
            (r#"{"background":7}"#, "background"),
            (r#"{"queue_timeout_s":0}"#, "queue_timeout_s"),
            (r#"{"max_duration_s":86401}"#, "max_duration_s"),
            (r#"{"metadata":{"a":1}}"#, "metadata"),
            (r#"{"quality":1}"#, "quality"),
        ] {
            let refused = read_all(body).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some(field), "{body}");
            assert!(refused.detail.contains(field), "{refused}");
        }
    }
}
