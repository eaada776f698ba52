//! Bodies that are taken, as they are documented. They are read field by field ([`crate::http::fields`]), so that every
//! refusal names its field; these types are what /openapi.json says of them.

use mouthpiece_domain::file_kind::FileUse;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa::openapi::schema::{KnownFormat, Object, SchemaFormat, Type};

/// Asks for a session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// `render` or `live`.
    #[schema(pattern = "^(render|live)$", example = "render")]
    pub kind: String,
    /// Whose face: an avatar of one's own.
    #[schema(pattern = "^avt_[0-9a-f]{32}$", example = "avt_0197b2c4d5e67f8091a2b3c4d5e6f708")]
    pub avatar_id: String,
    /// Of a render, and needed there: where the recording is; http or https, at a public address.
    #[schema(max_length = 2000, example = "https://example.com/hello.mp3")]
    pub speech_url: Option<String>,
    /// Frames a second: 25 or 30. Default: 25.
    #[schema(minimum = 25, maximum = 30, multiple_of = 5)]
    pub fps: Option<u32>,
    /// Longer side of the video in pixels; a smaller portrait is not enlarged, unless its face has fewer than 64 pixels. At
    /// most 1024 for a live session. Default: chosen from the face: 512, or up to 1080 (720 for a live session) until the
    /// eyes are 120 pixels apart.
    #[schema(minimum = 64, maximum = 2048)]
    pub size: Option<u32>,
    /// Which part of a picture is shown: `none` (all of it), `bust` or `head`. Default: `none`.
    #[schema(pattern = "^(none|bust|head)$")]
    pub crop: Option<String>,
    /// Of a render: `fast` or `balanced`, speed against size of the file. Default: `balanced`.
    #[schema(pattern = "^(fast|balanced)$")]
    pub preset: Option<String>,
    /// Determines blinks and head movement: the same seed makes the same video. Default: 1.
    #[schema(minimum = 0, maximum = 9007199254740991_u64)]
    pub seed: Option<u64>,
    /// The head moves, and with it gaze, brows and shoulders. Default: true.
    pub head: Option<bool>,
    /// How much they move, in hundredths. Default: 100.
    #[schema(minimum = 0, maximum = 100)]
    pub motion: Option<u32>,
    /// The air that the face has: `neutral`, `friendly` or `serious`. Default: `neutral`.
    #[schema(pattern = "^(neutral|friendly|serious)$")]
    pub expression: Option<String>,
    /// The lids close now and then. Default: true.
    pub blinks: Option<bool>,
    /// What transparent parts of the portrait are laid on: `#rrggbb`, `#rgb`, or white, black, grey, red, green, lime,
    /// blue. Default: white.
    #[schema(max_length = 16, example = "#00b140")]
    pub background: Option<String>,
    /// How long it may wait for a slot, in seconds. Default: 600; for a live session 20.
    #[schema(minimum = 1)]
    pub queue_timeout_s: Option<u64>,
    /// How long it may hold a slot, in seconds. Default: 3600.
    #[schema(minimum = 1)]
    pub max_duration_s: Option<u64>,
    /// Of a live session: it ends when for so long nothing was said and nobody kept it alive, in seconds. Default: 300.
    #[schema(minimum = 1, maximum = 86_400)]
    pub idle_timeout_s: Option<u64>,
    /// Of a live session: it ends when nobody came to watch within so long, in seconds. Default: 60.
    #[schema(minimum = 1, maximum = 3600)]
    pub absent_timeout_s: Option<u64>,
    /// Of a live session: it ends when the last viewer has been gone for so long, in seconds. Default: 30.
    #[schema(minimum = 0, maximum = 3600)]
    pub left_timeout_s: Option<u64>,
    /// Of a live session: the least that the video is squeezed to, kilobits a second. Default: 200.
    #[schema(minimum = 100, maximum = 8000)]
    pub video_kbps_min: Option<u32>,
    /// Of a live session: the most that the video takes, kilobits a second. Default: 1500.
    #[schema(minimum = 100, maximum = 8000)]
    pub video_kbps_max: Option<u32>,
    /// Own words that come back with the session: at most 16 pairs.
    pub metadata: Option<BTreeMap<String, String>>,
}

/// Asks for a render by upload: `portrait` or `avatar_id`, and `speech`.
#[derive(Debug, ToSchema)]
pub struct RenderForm {
    /// The person.
    #[schema(schema_with = portrait_file)]
    pub portrait: Option<Vec<u8>>,
    /// An avatar of one's own, instead of a portrait.
    #[schema(pattern = "^avt_[0-9a-f]{32}$")]
    pub avatar_id: Option<String>,
    /// What is said.
    #[schema(schema_with = speech_file)]
    pub speech: Vec<u8>,
    /// 25 or 30.
    #[schema(minimum = 25, maximum = 30, multiple_of = 5)]
    pub fps: Option<u32>,
    /// Longer side of the video in pixels; chosen from the face if not given.
    #[schema(minimum = 64, maximum = 2048)]
    pub size: Option<u32>,
    /// Which part of a picture is shown.
    #[schema(pattern = "^(none|bust|head)$")]
    pub crop: Option<String>,
    /// `fast` or `balanced`.
    #[schema(pattern = "^(fast|balanced)$")]
    pub preset: Option<String>,
    /// Determines blinks and head movement.
    #[schema(minimum = 0, maximum = 9007199254740991_u64)]
    pub seed: Option<u64>,
    /// The head moves.
    pub head: Option<bool>,
    /// How much head, gaze, brows and shoulders move, in hundredths.
    #[schema(minimum = 0, maximum = 100)]
    pub motion: Option<u32>,
    /// `neutral`, `friendly` or `serious`.
    #[schema(pattern = "^(neutral|friendly|serious)$")]
    pub expression: Option<String>,
    /// The lids close now and then.
    pub blinks: Option<bool>,
    /// What transparent parts of the portrait are laid on: `#rrggbb`, `#rgb`, or white, black, grey, red, green, lime, blue.
    #[schema(max_length = 16, example = "#00b140")]
    pub background: Option<String>,
    /// Which face of the portrait, 1 being the largest.
    #[schema(minimum = 1, maximum = 16)]
    pub face: Option<u32>,
    /// How long it may wait for a slot, in seconds.
    #[schema(minimum = 1)]
    pub queue_timeout_s: Option<u64>,
    /// How long it may hold a slot, in seconds.
    #[schema(minimum = 1)]
    pub max_duration_s: Option<u64>,
    /// A JSON object of texts.
    pub metadata: Option<String>,
}

/// Registers a portrait by upload.
#[derive(Debug, ToSchema)]
pub struct AvatarForm {
    /// The person.
    #[schema(schema_with = portrait_file)]
    pub image: Vec<u8>,
    /// A name for people.
    #[schema(max_length = 100)]
    pub name: Option<String>,
    /// Which face, 1 being the largest.
    #[schema(minimum = 1, maximum = 16)]
    pub face: Option<u32>,
}

/// Registers a portrait by address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AvatarRequest {
    /// Where it is: http or https, at a public address.
    #[schema(max_length = 2000, example = "https://example.com/me.jpg")]
    pub url: String,
    /// A name for people.
    #[schema(max_length = 100)]
    pub name: Option<String>,
    /// Which face, 1 being the largest.
    #[schema(minimum = 1, maximum = 16)]
    pub face: Option<u32>,
}

/// Asks for a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    /// A name for people.
    #[schema(min_length = 1, max_length = 100, example = "the shop")]
    pub name: String,
    /// Some of `sessions`, `farm`, `reports`, `keys`; none that the caller lacks.
    #[schema(min_items = 1, max_items = 4, example = json!(["sessions"]))]
    pub scopes: Vec<String>,
    /// Sessions that it may have open at a time. Default: 16.
    #[schema(minimum = 1, maximum = 100_000)]
    pub max_open: Option<u32>,
    /// Minutes of video that it may have made a UTC day. Default: no bound.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub minutes_per_day: Option<u32>,
}

/// Opens a page's session: `key` or `link`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PageSessionRequest {
    /// An API key's secret.
    #[schema(example = "mp_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG")]
    pub key: Option<String>,
    /// What stands behind `#open=` in a link that opens the page. It is good once.
    #[schema(max_length = 200)]
    pub link: Option<String>,
}

fn portrait_file() -> Object {
    file(format!("The person, seen from the front: {}.", FileUse::Portrait.taken()))
}

fn speech_file() -> Object {
    file(format!("What is said: {}.", FileUse::Speech.taken()))
}

/// A file's content.
fn file(description: String) -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::Binary);
    Object::builder().schema_type(Type::String).format(Some(format)).description(Some(description)).build()
}
