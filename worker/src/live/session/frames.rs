//! Frames: begun when their turn comes, handed over as soon as they are made, seen leaving.

use super::{CallerChoice, FrameOrder, FrameTurn, FrameWork, HeardVoice, LiveSession};
use crate::live::beat::TickOutcome;
use crate::live::listener::Hears;
use crate::live::mood;
use crate::live::pace::PaceReport;
use crate::live::voice;
use crate::metrics::MissedTicks;
use bytes::Bytes;
use mouthpiece_domain::live::{LineOutput, LiveStage};
use mouthpiece_transport::VideoFrame;
use std::time::{Duration, Instant};
use tracing::info;

/// So much voice in the microphone counts as speech.
const SPEECH: f32 = 0.12;
/// Frames that were handed over and not yet seen leaving, at most.
const UNDERWAY: usize = 64;

/// A frame on its way.
pub(super) struct MadeFrame {
    pts: Duration,
    /// How long it is shown.
    lasts: Duration,
    key: bool,
    /// When it was encoded.
    at: Instant,
}

impl LiveSession {
    /// The frame whose turn it is, if it is any one's. The ear has heard what there is for it then.
    pub(super) fn next_frame(&mut self, now: Instant, ear: &mut dyn Hears) -> Option<FrameTurn> {
        let TickOutcome::Frame { number, shown, skipped } = self.beat.turn(now) else { return None };
        if self.audience.is_watching() {
            self.measures.missed(MissedTicks::Late, skipped);
        }
        self.place(self.beat.heard_for(shown, ear.need()), now, ear);
        let middle = (shown + self.beat.lasts() / 2).as_secs_f64();
        Some(FrameTurn { number, shown, middle, skipped, begun: now })
    }

    /// What the ear heard for a frame, if it had heard enough, and the time that it took for that since the last frame. The
    /// frame is to be drawn where that is answered.
    pub fn heard(&mut self, turn: &FrameTurn, heard: Option<HeardVoice>, took: Duration) -> Option<FrameOrder> {
        let place = mood::place(turn.middle);
        if heard.is_some_and(|heard| heard.voice > SPEECH) && self.speech.voice.is_microphone(place) {
            self.speech.follower.heard(place);
        }
        if !self.audience.is_watching() {
            self.audience.key_wanted = true; // whoever comes needs one
            return None;
        }
        self.measures.took(LiveStage::Features, took);
        let Some(HeardVoice { is_calm, .. }) = heard else {
            self.measures.missed(MissedTicks::Sound, 1);
            return None;
        };
        let FrameTurn { number, shown, begun, .. } = *turn;
        let due = self.beat.drawn_by(shown);
        Some(FrameOrder { number, shown, key: self.audience.key_wanted, is_calm, begun, due })
    }

    /// A frame was drawn and encoded: what is handed to the transport, which holds it until its time comes.
    pub fn made(&mut self, order: &FrameOrder, work: FrameWork, data: Bytes, key: bool) -> VideoFrame {
        let FrameWork { drawing, drawn, encoded } = work;
        self.audience.key_wanted &= !key;
        let stage = if order.is_calm { LiveStage::Compose } else { LiveStage::Generation };
        self.measures.took(stage, drawn - drawing);
        self.measures.took(LiveStage::Encode, encoded - drawn);
        self.beat.took(encoded - order.begun, order.is_calm && !self.speech.voice.is_speaking());
        let (pts, lasts) = (order.shown, self.beat.lasts());
        if self.underway.len() == UNDERWAY {
            self.underway.pop_front();
        }
        self.underway.push_back(MadeFrame { pts, lasts, key, at: encoded });
        VideoFrame { data, key, pts, captured: self.beat.leaves(pts) }
    }

    /// That a frame was drawn for it, for who decides on its frame rate.
    pub fn drew_one(&self) -> PaceReport {
        PaceReport { session: self.setting.session, asked: self.setting.fps, drawn: 1, late: 0 }
    }

    /// Shows so many frames a second from now on, at most as many as were asked for: the engine cannot hold more, or can again.
    /// Everybody is told.
    pub fn set_pace(&mut self, fps: u32) {
        if self.beat.set_pace(fps) {
            let fps = fps.min(self.setting.fps);
            info!(session_id = %self.setting.session, fps, asked = self.setting.fps, "another frame rate");
            self.measures.metrics.paced();
            self.tell_everybody(CallerChoice::All, LineOutput::FrameRate { fps, asked: self.setting.fps });
        }
    }

    /// The frame that is being made shows the mouth at rest, since the engine draws nothing just now.
    pub fn undrawn(&mut self) {
        self.measures.metrics.undrawn();
    }

    /// The transport did not take the frame that was made last.
    pub fn refused(&mut self) {
        self.underway.pop_back();
        self.audience.key_wanted = true; // what follows makes no sense without this one
        self.measures.missed(MissedTicks::Transport, 1);
    }

    /// A frame's last packet went out.
    pub(super) fn left(&mut self, pts: Duration, at: Instant) {
        let mut lasts = self.beat.lasts();
        while let Some(made) = self.underway.pop_front_if(|made| made.pts <= pts) {
            if made.pts < pts {
                continue;
            }
            lasts = made.lasts;
            let leaves = self.beat.leaves(pts);
            let late = at.saturating_duration_since(leaves);
            self.measures.took(LiveStage::Send, at.saturating_duration_since(made.at.max(leaves)));
            self.measures.metrics.skew(late.as_secs_f64() - self.sound_late.as_secs_f64());
            if let Some(arrived) = self.speech.voice.arrived(voice::samples(pts)) {
                self.measures.took(LiveStage::Total, at.saturating_duration_since(arrived));
            }
            if made.key
                && let Some(came) = self.audience.newcomer.take()
            {
                self.measures.metrics.first_frame(at.saturating_duration_since(came));
            }
        }
        self.measures.sent(at, lasts);
    }
}
