//! How a session is run, as far as a caller may say.

use super::settings::SessionBounds;
use mouthpiece_domain::colour::Colour;
use mouthpiece_domain::frame::{FrameRate, FrameSize, Framing};
use mouthpiece_domain::manner::Manner;
use mouthpiece_domain::session::RenderPreset;
use mouthpiece_domain::time::as_millis;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is behind a portrait where nothing else is asked for.
const WHITE: Colour = Colour([255; 3]);

/// Options, defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionOptions {
    /// Frames a second.
    pub fps: FrameRate,
    /// Longer side of the video.
    pub size: FrameSize,
    /// Which part of the portrait is shown, and how large it may become for the sake of the face.
    pub framing: Framing,
    /// Speed against size of the file.
    pub preset: RenderPreset,
    /// Determines blinks and head movement.
    pub seed: u64,
    /// The head moves.
    pub head: bool,
    /// The lids close now and then.
    pub blinks: bool,
    /// How the face moves beside its mouth.
    pub manner: Manner,
    /// What transparent parts of the portrait are laid on; white if none is named.
    pub background: Option<Colour>,
    /// How long it may wait for a slot.
    pub queue_timeout: Duration,
    /// How long it may hold a slot.
    pub max_duration: Duration,
    /// The caller's own words.
    pub metadata: BTreeMap<String, String>,
}

impl SessionOptions {
    /// What is done when nothing is said.
    pub fn new(bounds: &SessionBounds) -> Self {
        Self {
            fps: FrameRate::default(),
            size: FrameSize::USUAL,
            framing: Framing { size_up_to: Some(Framing::LARGEST_FILE), ..Framing::default() },
            preset: RenderPreset::default(),
            seed: 1,
            head: true,
            blinks: true,
            manner: Manner::default(),
            background: None,
            queue_timeout: bounds.queue_timeout,
            max_duration: bounds.max_duration,
            metadata: BTreeMap::new(),
        }
    }

    /// For the fingerprint of a request: the same whether a default was said or not.
    pub fn canonical(&self) -> Value {
        json!({
            "fps": self.fps,
            "size": self.size,
            "framing": self.framing,
            "preset": format!("{:?}", self.preset),
            "seed": self.seed,
            "head": self.head,
            "blinks": self.blinks,
            "manner": self.manner,
            "background": self.background.unwrap_or(WHITE).to_string(),
            "queue_timeout_ms": as_millis(self.queue_timeout),
            "max_duration_ms": as_millis(self.max_duration),
            "metadata": self.metadata,
        })
    }
}
