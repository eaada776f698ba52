//! Frames: begun when their turn comes, handed over as soon as they are made, seen leaving.

use super::{Live, Made, UNDERWAY};
use crate::error::RenderError;
use crate::live::beat::Turn;
use crate::live::mood;
use crate::live::stages::StageName;
use crate::live::voice;
use crate::metrics::Missed;
use bytes::Bytes;
use mouthpiece_engine::{Artist, Cue};
use mouthpiece_transport::VideoFrame;
use std::time::{Duration, Instant};

/// So much voice in the microphone counts as speech.
const SPEECH: f32 = 0.12;

impl<A: Artist> Live<'_, A> {
    /// Draws and encodes the frame whose turn it is.
    pub(super) fn frame(&mut self) -> Result<(), RenderError> {
        let begun = Instant::now();
        let Turn::Frame { number, skipped } = self.beat.turn(begun) else { return Ok(()) };
        let watched = self.endings.viewers() > 0;
        if watched {
            self.missed(Missed::Late, skipped);
        }
        self.place(self.beat.heard_for(number, self.listener.need()), begun);
        self.path.skip_to(number);
        let middle = self.path.next_middle();
        let heard = self.listener.cue(middle);
        let listened = std::mem::take(&mut self.listening) + begun.elapsed();
        if let Some(heard) = &heard
            && heard.voice > SPEECH
            && self.voice.is_microphone(mood::place(middle))
        {
            self.follower.heard(mood::place(middle));
        }
        if !watched {
            self.key_wanted = true; // whoever comes needs one
            return Ok(());
        }
        self.took(StageName::Features, listened);
        let Some(heard) = heard else {
            self.missed(Missed::Sound, 1);
            return Ok(());
        };
        // Nothing is asked of the mouth: the frame can be drawn without the engine.
        let calm = heard.cue.is_rest();
        let drawing = Instant::now();
        let (stage, picture) = if calm {
            (StageName::Compose, self.path.rest()?)
        } else {
            (StageName::Generation, self.path.draw(heard)?)
        };
        let drawn = Instant::now();
        let (mut data, mut key) = (Bytes::new(), false);
        self.encoder.encode(picture, number as i64, self.key_wanted, &mut |packet| {
            data = Bytes::copy_from_slice(packet.data);
            key = packet.key;
        })?;
        self.key_wanted &= !key;
        let encoded = Instant::now();
        self.took(stage, drawn - drawing);
        self.took(StageName::Encode, encoded - drawn);
        self.beat.took(encoded - begun, calm && !self.voice.is_speaking());
        let pts = self.beat.shown(number);
        let captured = self.beat.leaves(pts);
        // It leaves when its time comes: the transport holds it until then.
        if !self.stream.video(VideoFrame { data, key, pts, captured }) {
            self.key_wanted = true; // what follows makes no sense without this one
            self.missed(Missed::Transport, 1);
            return Ok(());
        }
        if self.underway.len() == UNDERWAY {
            self.underway.pop_front();
        }
        self.underway.push_back(Made { pts, key, at: encoded });
        Ok(())
    }

    /// A frame's last packet went out.
    pub(super) fn left(&mut self, pts: Duration, at: Instant) {
        while let Some(made) = self.underway.pop_front_if(|made| made.pts <= pts) {
            if made.pts < pts {
                continue;
            }
            let leaves = self.beat.leaves(pts);
            let late = at.saturating_duration_since(leaves);
            self.took(StageName::Send, at.saturating_duration_since(made.at.max(leaves)));
            self.metrics.skew(late.as_secs_f64() - self.sound_late.as_secs_f64());
            if let Some(arrived) = self.voice.arrived(voice::samples(pts)) {
                self.took(StageName::Total, at.saturating_duration_since(arrived));
            }
            if made.key
                && let Some(joined) = self.joined.take()
            {
                self.metrics.first_frame(at.saturating_duration_since(joined));
            }
        }
        self.sent += 1;
        self.metrics.sent();
        self.board.made(self.sent, self.setting.fps);
        self.recent.push_back(at);
        while self.recent.front().is_some_and(|then| at.saturating_duration_since(*then) > Duration::from_secs(2)) {
            self.recent.pop_front();
        }
    }

    fn missed(&mut self, why: Missed, count: u64) {
        self.missed += count;
        self.metrics.missed(why, count);
    }
}
