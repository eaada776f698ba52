//! Sessions: what one is, what states it goes through, how it ends.
//!
//! ```text
//! requested -> assigned -> preparing -> running -> draining -> ended(reason)
//!      ^           |            |           |
//!      +-----------+------------+-----------+   requeued: the fence grows, everything older is refused
//!                                      +-+      moved: running under the next fence, at another place
//! ```
//! A session's version is the pair (fence, phase): it only ever grows, and the record store refuses what does not grow it.

use crate::colour::Colour;
use crate::frame::{FrameRate, FrameSize, Framing};
use crate::hold::Hold;
use crate::ids::{AvatarId, KeyId, SessionId, WorkerId};
use crate::live::LiveTerms;
use crate::manner::Manner;
use crate::time::{Wall, millis};
use crate::words::one_line;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// What a session does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// A recording and an avatar become an MP4.
    Render,
    /// Audio streams in, video streams out, until somebody ends it.
    Live,
    /// A portrait is analysed and stored as an avatar's prepared data. Made by the farm itself when an avatar is added.
    Prepare,
}

impl SessionKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Render, Self::Live, Self::Prepare];

    /// The word in records and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Render => "render",
            Self::Live => "live",
            Self::Prepare => "prepare",
        }
    }
}

/// How far a session is. The order is the rank: within one fence a phase is only ever followed by a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Accepted and recorded; waits for a slot.
    Requested,
    /// Has a slot; its worker has not taken it up yet.
    Assigned,
    /// Its worker holds the lease and gets avatar and inputs.
    Preparing,
    /// Frames are made.
    Running,
    /// No more frames; what is made is being stored.
    Draining,
    /// Over, with a reason.
    Ended,
}

impl Phase {
    /// All phases by rank.
    pub const ALL: [Self; 6] =
        [Self::Requested, Self::Assigned, Self::Preparing, Self::Running, Self::Draining, Self::Ended];

    /// 0 for requested to 5 for ended.
    pub fn rank(self) -> u8 {
        self as u8
    }

    /// The phase of a rank.
    pub fn from_rank(rank: u8) -> Option<Self> {
        Self::ALL.get(usize::from(rank)).copied()
    }

    /// The word in records and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Assigned => "assigned",
            Self::Preparing => "preparing",
            Self::Running => "running",
            Self::Draining => "draining",
            Self::Ended => "ended",
        }
    }

    /// True while a slot is held.
    pub fn holds_slot(self) -> bool {
        !matches!(self, Self::Requested | Self::Ended)
    }
}

/// Grows with each placement of a session; whatever carries an older one is refused. 1 for a new session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fence(pub u32);

impl Fence {
    /// Of a session that was never requeued.
    pub const FIRST: Self = Self(1);

    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A slot of one worker, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SlotIndex(pub u8);

/// Frames made of all that will be made; 0 of 0 until that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FrameProgress {
    /// Frames made.
    pub done: u64,
    /// Frames in all.
    pub total: u64,
}

impl FrameProgress {
    /// The larger of each number: what is reported is cumulative, and a report may come late.
    #[must_use]
    pub fn at_least(self, reported: Self) -> Self {
        Self { done: self.done.max(reported.done), total: self.total.max(reported.total) }
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// All was done.
    Completed,
    /// The caller wanted no more.
    Cancelled,
    /// What was given cannot be used: no face, a damaged recording.
    BadInput,
    /// No slot became free before its queue deadline.
    NoCapacity,
    /// It ran longer than its `max_duration`.
    MaxDuration,
    /// It was lost with its workers as often as allowed.
    Lost,
    /// Something failed that the caller cannot mend.
    Failed,
    /// A live session to which nobody said anything for its `idle_timeout`.
    IdleTimeout,
    /// A live session that nobody came to watch.
    ParticipantAbsent,
    /// A live session whose last viewer went and did not come back.
    ParticipantLeft,
}

impl EndReason {
    /// All reasons.
    pub const ALL: [Self; 10] = [
        Self::Completed,
        Self::Cancelled,
        Self::BadInput,
        Self::NoCapacity,
        Self::MaxDuration,
        Self::Lost,
        Self::Failed,
        Self::IdleTimeout,
        Self::ParticipantAbsent,
        Self::ParticipantLeft,
    ];

    /// True where a session is ended by order while its worker still runs it: what that delivered meanwhile comes later.
    pub fn is_by_order(self) -> bool {
        matches!(self, Self::Cancelled | Self::MaxDuration)
    }

    /// The word in records and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::BadInput => "bad_input",
            Self::NoCapacity => "no_capacity",
            Self::MaxDuration => "max_duration",
            Self::Lost => "lost",
            Self::Failed => "failed",
            Self::IdleTimeout => "idle_timeout",
            Self::ParticipantAbsent => "participant_absent",
            Self::ParticipantLeft => "participant_left",
        }
    }
}

/// What a finished session left.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SessionOutput {
    /// Where the result lies: an MP4 of a render, a preview picture of a prepared avatar. None after it was removed.
    pub blob: Option<BlobKey>,
    /// When the result was removed because of its age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Wall>,
    /// Size of that in bytes.
    pub bytes: u64,
    /// Frames of video; of a prepared avatar, its reference frames.
    pub frames: u64,
    /// Length of the video; zero for a still avatar.
    #[serde(with = "millis")]
    pub length: Duration,
    /// `[width, height]` in pixels.
    pub size: [u32; 2],
    /// Which part of the portrait is shown, how large, and why: a sentence. Absent in what older programs wrote.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub framing: String,
    /// Sentences that the user should read.
    pub warnings: Vec<String>,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEnd {
    /// One stable word, for programs.
    pub reason: EndReason,
    /// A sentence for the user, where there is more to say.
    pub detail: Option<String>,
    /// What it left. Apart, because most ends leave nothing, and open sessions have none yet.
    pub output: Option<Box<SessionOutput>>,
}

impl SessionEnd {
    /// An end without output, told in one line.
    pub fn new(reason: EndReason, detail: impl Into<Option<String>>) -> Self {
        Self { reason, detail: detail.into().map(one_line), output: None }
    }

    /// The end of a session that made what was asked of it.
    pub fn completed(output: SessionOutput) -> Self {
        Self { reason: EndReason::Completed, detail: None, output: Some(Box::new(output)) }
    }
}

/// A text that cannot be a blob's key.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error(
    "a blob key is 1 to 200 characters of a-z, 0-9, '.', '_', '-' in parts separated by '/', no part starting with '.'"
)]
pub struct BlobKeyError;

/// Where a blob (an upload, a result, prepared avatar data) lies in the latent and artifact store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobKey(String);

impl BlobKey {
    /// A checked key.
    ///
    /// # Errors
    /// [`BlobKeyError`]: the rules are such that a key is a safe relative path and a safe object name.
    pub fn new(text: impl Into<String>) -> Result<Self, BlobKeyError> {
        let text = text.into();
        let part = |p: &str| {
            !p.is_empty()
                && !p.starts_with('.')
                && p.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
        };
        if text.len() <= 200 && text.split('/').all(part) { Ok(Self(text)) } else { Err(BlobKeyError) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for BlobKey {
    type Error = BlobKeyError;

    fn try_from(text: String) -> Result<Self, BlobKeyError> {
        Self::new(text)
    }
}

impl From<BlobKey> for String {
    fn from(key: BlobKey) -> Self {
        key.0
    }
}

impl FromStr for BlobKey {
    type Err = BlobKeyError;

    fn from_str(text: &str) -> Result<Self, BlobKeyError> {
        Self::new(text)
    }
}

/// Size of a render's file against its speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RenderPreset {
    /// Fastest; files about twice as large.
    Fast,
    /// About half the speed, smaller files.
    #[default]
    Balanced,
}

/// What a worker must know to run a session. The brain carries it and does not look inside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionSpec {
    /// The portrait as it was uploaded.
    pub portrait: BlobKey,
    /// SHA-256 of the portrait, 64 hexadecimal digits: prepared data is stored under it.
    pub content: String,
    /// Which face, 1 being the largest; the largest if none is named.
    pub face: Option<u32>,
    /// What is said; a [`SessionKind::Render`] only.
    pub speech: Option<BlobKey>,
    /// Longer side of the video.
    pub size: FrameSize,
    /// Frames a second.
    pub fps: FrameRate,
    /// Speed against size of the file.
    pub preset: RenderPreset,
    /// Determines blinks and head movement.
    pub seed: u64,
    /// The head and brows move.
    pub head: bool,
    /// The lids close now and then.
    pub blinks: bool,
    /// How the face moves beside its mouth. Absent in what older programs wrote, and where it is the usual one.
    #[serde(default, skip_serializing_if = "Manner::is_usual")]
    pub manner: Manner,
    /// Which part of the portrait is shown, and how large it may grow. Absent in what older programs wrote, and where
    /// all of it is shown at the asked size.
    #[serde(default, skip_serializing_if = "Framing::is_as_asked")]
    pub framing: Framing,
    /// What transparent parts of the portrait are laid on; white if none is named. Absent in what older programs wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<Colour>,
    /// Bounds of a [`SessionKind::Live`]; none for the others. Absent in what older programs wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveTerms>,
}

/// A session's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What it does.
    pub kind: SessionKind,
    /// Whose it is.
    pub key: KeyId,
    /// The avatar that is drawn.
    pub avatar: AvatarId,
    /// What the worker must know.
    pub spec: Arc<SessionSpec>,
    /// The caller's own words, returned as they were given.
    pub metadata: BTreeMap<String, String>,
    /// How long it may wait for a slot.
    #[serde(with = "millis")]
    pub queue_timeout: Duration,
    /// How long it may hold a slot. What was delivered in earlier placements counts.
    #[serde(with = "millis")]
    pub max_duration: Duration,
    /// Counts placements; see [`Fence`].
    pub fence: Fence,
    /// How far it is.
    pub phase: Phase,
    /// Where it runs, if it holds a slot (or where it ran last, if it ended there).
    pub place: Option<(WorkerId, SlotIndex)>,
    /// Where it was moved from to where it is: that worker may still tell what it delivered under the fence before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<(WorkerId, SlotIndex)>,
    /// How many of its placements were moves: nothing was lost with the one before them.
    #[serde(default)]
    pub moves: u32,
    /// How many of its placements were lost: their workers stopped, crashed or could not keep the lease. Those that were given up
    /// by agreement, or never got to their workers, do not count.
    #[serde(default)]
    pub losses: u32,
    /// What was delivered in earlier placements, as far as it is booked.
    #[serde(with = "millis", default)]
    pub delivered_before: Duration,
    /// Frames made.
    pub progress: FrameProgress,
    /// How it ended.
    pub end: Option<SessionEnd>,
    /// When it was accepted.
    pub created: Wall,
    /// When its phase was last changed.
    pub updated: Wall,
}

impl Session {
    /// (fence, phase): grows with everything that happens to it.
    pub fn version(&self) -> (Fence, Phase) {
        (self.fence, self.phase)
    }

    /// How often it was placed from the queue: the first time, and each time that its place was lost or given up.
    pub fn placements(&self) -> u32 {
        self.fence.0.saturating_sub(self.moves)
    }

    /// The placement that it was moved from, if it was.
    pub fn handed_over(&self) -> Option<Hold> {
        let (worker, slot) = self.moved_from?;
        Some(Hold { session: self.id, fence: Fence(self.fence.0.checked_sub(1)?), worker, slot })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_phases_agree() {
        for (rank, phase) in Phase::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(phase.rank()), rank);
            assert_eq!(Phase::from_rank(phase.rank()), Some(phase));
            assert_eq!(serde_json::to_string(&phase).unwrap(), format!("\"{}\"", phase.name()));
        }
        assert_eq!(Phase::from_rank(6), None);
    }

    #[test]
    fn a_blob_key_is_a_safe_path() {
        for good in ["a", "uploads/0f/x.mp4", "avatars/ab-c/puppet_1.bin"] {
            assert!(BlobKey::new(good).is_ok(), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "../a", "a/../b", "a/.b", "A", "a b", "ä", "a\\b", "a\0", &"a".repeat(201)]
        {
            assert!(BlobKey::new(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<BlobKey>("\"a/../b\"").is_err());
    }
}
