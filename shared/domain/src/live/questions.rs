//! What coordinators ask of running live sessions.
//!
//! Each question is a type that says what its answer is ([`TypedQuestion`]). They are carried as one enum each way, since a
//! bus carries messages and knows no types.

use super::LiveStatus;
use crate::hold::Hold;
use crate::ids::ViewerId;
use serde::{Deserialize, Serialize};

/// A question of one kind. Whoever asks it gets its answer, or is [`Declined`].
pub trait TypedQuestion: Into<LiveQuestion> {
    /// What is answered.
    type Answer: AnswerPart;
    /// The word in metrics.
    const NAME: &'static str;
}

/// What a question can be answered with.
pub trait AnswerPart: Sized {
    /// As it is carried.
    fn carried(self) -> LiveAnswer;

    /// What was carried; `None` for the answer to a question of another kind.
    fn read(answer: LiveAnswer) -> Option<Self>;
}

/// What is asked of a running live session, as it is carried. Answered by exactly one [`LiveAnswer`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LiveAsk {
    /// Which session, by which right: a worker that runs it under another fence says [`NotDone::NotHere`].
    pub hold: Hold,
    /// The question itself.
    pub what: LiveQuestion,
}

/// A viewer's offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferToWatch {
    /// The viewer's id, made by the coordinator; unguessable.
    pub viewer: ViewerId,
    /// The offer, SDP (RFC 8866).
    pub sdp: String,
}

/// Candidates of a viewer's own (`application/trickle-ice-sdpfrag`, RFC 8840).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrickleIce {
    /// The viewer's connection.
    pub viewer: ViewerId,
    /// The entity tag that the viewer holds: its ICE session.
    pub tag: String,
    /// The fragment.
    pub fragment: String,
}

/// A viewer restarts ICE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartIce {
    /// The viewer's connection.
    pub viewer: ViewerId,
    /// The fragment with the viewer's new credentials.
    pub fragment: String,
}

/// A viewer is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HangUp {
    /// The viewer's connection.
    pub viewer: ViewerId,
}

/// The face falls silent at once, and what waits to be said is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterruptSpeech;

/// Somebody still needs the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepSessionAlive;

/// How the session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLiveStatus;

/// A question as it is carried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveQuestion {
    /// See [`OfferToWatch`].
    Offer(OfferToWatch),
    /// See [`TrickleIce`].
    Trickle(TrickleIce),
    /// See [`RestartIce`].
    Restart(RestartIce),
    /// See [`HangUp`].
    HangUp(HangUp),
    /// See [`InterruptSpeech`].
    Interrupt,
    /// See [`KeepSessionAlive`].
    KeepAlive,
    /// See [`ReadLiveStatus`].
    Status,
}

/// The answer to an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SdpAnswer {
    /// SDP.
    pub sdp: String,
    /// The ICE session's entity tag, without quotes.
    pub tag: String,
}

/// ICE starts anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartedIce {
    /// The fragment with the worker's new credentials and its candidates.
    pub fragment: String,
    /// The new tag, without quotes.
    pub tag: String,
}

/// An answer as it is carried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveAnswer {
    /// To an offer.
    Answer(SdpAnswer),
    /// To a restart of ICE.
    Restarted(RestartedIce),
    /// It is done.
    Done,
    /// How it is.
    Status(Box<LiveStatus>),
    /// It is not done.
    Declined(Declined),
}

/// A question was understood, and what it asks for is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    /// The reason that there is no answer.
    pub why: NotDone,
    /// A sentence for the caller.
    pub detail: String,
}

/// Why something was not done. Each is one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotDone {
    /// The session does not run here under this fence (409, and come back).
    NotHere,
    /// No such viewer (404).
    NoViewer,
    /// Not SDP, or not an offer that can be answered (400).
    Malformed,
    /// Nothing that can be sent is understood (406).
    NoCodec,
    /// The tag is not that of the current ICE session (412).
    StaleTag,
    /// Well formed, but it cannot be processed (422).
    Unprocessable,
    /// As many viewers as allowed watch already (503, and come back).
    Full,
}

impl TypedQuestion for OfferToWatch {
    type Answer = SdpAnswer;
    const NAME: &'static str = "offer";
}

impl From<OfferToWatch> for LiveQuestion {
    fn from(offer: OfferToWatch) -> Self {
        Self::Offer(offer)
    }
}

impl TypedQuestion for TrickleIce {
    type Answer = ();
    const NAME: &'static str = "trickle";
}

impl From<TrickleIce> for LiveQuestion {
    fn from(trickle: TrickleIce) -> Self {
        Self::Trickle(trickle)
    }
}

impl TypedQuestion for RestartIce {
    type Answer = RestartedIce;
    const NAME: &'static str = "restart";
}

impl From<RestartIce> for LiveQuestion {
    fn from(restart: RestartIce) -> Self {
        Self::Restart(restart)
    }
}

impl TypedQuestion for HangUp {
    type Answer = ();
    const NAME: &'static str = "hang_up";
}

impl From<HangUp> for LiveQuestion {
    fn from(hang_up: HangUp) -> Self {
        Self::HangUp(hang_up)
    }
}

impl TypedQuestion for InterruptSpeech {
    type Answer = ();
    const NAME: &'static str = "interrupt";
}

impl From<InterruptSpeech> for LiveQuestion {
    fn from(InterruptSpeech: InterruptSpeech) -> Self {
        Self::Interrupt
    }
}

impl TypedQuestion for KeepSessionAlive {
    type Answer = ();
    const NAME: &'static str = "keep_alive";
}

impl From<KeepSessionAlive> for LiveQuestion {
    fn from(KeepSessionAlive: KeepSessionAlive) -> Self {
        Self::KeepAlive
    }
}

impl TypedQuestion for ReadLiveStatus {
    type Answer = LiveStatus;
    const NAME: &'static str = "status";
}

impl From<ReadLiveStatus> for LiveQuestion {
    fn from(ReadLiveStatus: ReadLiveStatus) -> Self {
        Self::Status
    }
}

impl AnswerPart for SdpAnswer {
    fn carried(self) -> LiveAnswer {
        LiveAnswer::Answer(self)
    }

    fn read(answer: LiveAnswer) -> Option<Self> {
        if let LiveAnswer::Answer(answer) = answer { Some(answer) } else { None }
    }
}

impl AnswerPart for RestartedIce {
    fn carried(self) -> LiveAnswer {
        LiveAnswer::Restarted(self)
    }

    fn read(answer: LiveAnswer) -> Option<Self> {
        if let LiveAnswer::Restarted(restarted) = answer { Some(restarted) } else { None }
    }
}

impl AnswerPart for () {
    fn carried(self) -> LiveAnswer {
        LiveAnswer::Done
    }

    fn read(answer: LiveAnswer) -> Option<Self> {
        matches!(answer, LiveAnswer::Done).then_some(())
    }
}

impl AnswerPart for LiveStatus {
    fn carried(self) -> LiveAnswer {
        LiveAnswer::Status(Box::new(self))
    }

    fn read(answer: LiveAnswer) -> Option<Self> {
        if let LiveAnswer::Status(status) = answer { Some(*status) } else { None }
    }
}
