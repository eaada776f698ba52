//! Live sessions against a running farm: callers that push speech, viewers that watch, everything measured from outside.
//!
//! What is measured is what a viewer sees on its own socket: when a sound that was pushed arrives as RTP, when the frame
//! that shows it does, whether both declare the same time, how many frames are missing. Caller and viewer share a clock,
//! since both are in this process.

mod detail;
mod http;
mod media;
mod session;
mod sound;
mod speaker;
mod viewer;

use crate::latency::{Latency, StageTimes};
use crate::{LoadError, setup};
pub(crate) use detail::LiveDetail;
pub use detail::{SecondLine, SessionLine};
use media::ViewerTrace;
use mouthpiece_domain::frame::{FrameRate, FrameSize};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep_until;

/// How speech is pushed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SpeechPush {
    /// As it is spoken, in pieces of 20 ms.
    RealTime {
        /// How much faster than nominal the speaker's clock runs, parts per million.
        ppm: i32,
        /// Each piece is late by up to so many milliseconds.
        jitter_ms: u32,
    },
    /// All of an utterance at once, as a speech engine does.
    AtOnce,
}

/// What to load.
#[derive(Debug, Clone)]
pub struct LiveOptions {
    /// Where the farm is, for example `http://127.0.0.1:8000`.
    pub url: String,
    /// An API key's secret.
    pub key: String,
    /// Whose face, prepared before anything is measured.
    pub portrait: PathBuf,
    /// What is said, again and again.
    pub speech: PathBuf,
    /// Sessions at a time.
    pub sessions: u32,
    /// Viewers of each.
    pub viewers: u32,
    /// For how long.
    pub time: Duration,
    /// How speech is pushed.
    pub push: SpeechPush,
    /// Interrupt each utterance of this number: 3 is every third; 0: none.
    pub interrupt_every: u32,
    /// The share of the time in which is spoken, up to 0.85; `None`: a pause of 0.9 s after each utterance.
    pub talk_ratio: Option<f64>,
    /// Sessions are not asked for at once but evenly within so long.
    pub arrival: Duration,
    /// What goes wrong on the viewers' side.
    pub faults: LiveFaults,
    /// Longer side of the video, pixels.
    pub size: FrameSize,
    /// Frames a second.
    pub fps: FrameRate,
}

/// What goes wrong on the viewers' side.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LiveFaults {
    /// The share of datagrams that each viewer loses, up to 0.5.
    pub loss: f64,
    /// Viewers go so often, and come back at once.
    pub rejoin_every: Option<Duration>,
}

/// A difference between video and sound as a viewer sees it, milliseconds; positive: video is late.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LipSkew {
    /// Median after 1 s.
    pub at_start: f64,
    /// Median of the last 10 s.
    pub at_end: f64,
    /// 99% of all frames are within this.
    pub p99: f64,
    /// The largest.
    pub most: f64,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LiveReport {
    /// Sessions that ran to the end.
    pub sessions: u32,
    /// From a viewer's offer to a connection over which media can come.
    pub join_ms: Latency,
    /// From asking for a session to its first decodable frame.
    pub first_frame_ms: Latency,
    /// From the first sound of an utterance being pushed to its arrival as RTP.
    pub voice_ms: Latency,
    /// The same to the arrival of the frame that shows it.
    pub lips_ms: Latency,
    /// From an interruption to the last sound.
    pub silence_ms: Latency,
    /// Frames that came, of all viewers.
    pub frames: u64,
    /// Frames that should have come and did not, as a share.
    pub missing: f64,
    /// Frames a second of one viewer.
    pub fps: f64,
    /// Bits a second of one viewer's video.
    pub bits_per_second: f64,
    /// Video against sound, the worst session's.
    pub skew_ms: Option<LipSkew>,
    /// Ticks that the farm says it missed, as a share.
    pub ticks_missed: f64,
    /// Stages as the farm tells them, the worst session's p50 and p99 in milliseconds.
    pub stages: Vec<(String, f32, f32)>,
}

/// Runs the load.
///
/// # Errors
/// [`LoadError`] when the farm refuses, or no session comes to be watched.
pub fn live(options: &LiveOptions) -> Result<LiveReport, LoadError> {
    if options.sessions == 0 || options.viewers == 0 || options.time < Duration::from_secs(2) {
        return Err(LoadError::Options("sessions and viewers from 1, time from 2 s"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(setup)?;
    runtime.block_on(run(options)).map(|(report, _)| report)
}

/// The same with what each session and each second was like; `begun` is called when the load begins.
pub(crate) fn live_in_detail(
    options: &LiveOptions,
    begun: impl FnOnce(),
) -> Result<(LiveReport, LiveDetail), LoadError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(setup)?;
    runtime.block_on(run_from(options, begun))
}

/// Opens and closes `count` sessions one after the other, each watched until its first decodable frame: how long those took
/// from asking.
///
/// # Errors
/// As [`live`].
pub fn live_in_turn(options: &LiveOptions, count: u32) -> Result<Latency, LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(setup)?;
    runtime.block_on(async {
        let api = http::Api::new(&options.url, &options.key)?;
        let avatar = api.avatar(&options.portrait).await?;
        let mut times = StageTimes::new()?;
        for _ in 0..count {
            times.add(session::in_turn(&api, &avatar, options).await?);
        }
        Ok(times.latency())
    })
}

async fn run(options: &LiveOptions) -> Result<(LiveReport, LiveDetail), LoadError> {
    run_from(options, || ()).await
}

async fn run_from(options: &LiveOptions, begun: impl FnOnce()) -> Result<(LiveReport, LiveDetail), LoadError> {
    let sound = Arc::new(sound::read(&options.speech)?);
    let api = Arc::new(http::Api::new(&options.url, &options.key)?);
    let avatar = api.avatar(&options.portrait).await?;
    begun();
    let origin = Instant::now();
    let mut running = Vec::new();
    for n in 0..options.sessions {
        let (api, sound, avatar, options) = (Arc::clone(&api), Arc::clone(&sound), avatar.clone(), options.clone());
        let asks_at = origin + options.arrival.mul_f64(f64::from(n) / f64::from(options.sessions));
        running.push(tokio::spawn(async move {
            sleep_until(asks_at.into()).await;
            session::run(&api, &avatar, &sound, &options, n, origin).await
        }));
    }
    let mut all = Vec::new();
    for session in running {
        all.push(session.await.map_err(setup)??);
    }
    Ok((report(&all, options)?, LiveDetail::of(&all, origin, options.fps.per_second())))
}

fn report(all: &[session::SessionOutcome], options: &LiveOptions) -> Result<LiveReport, LoadError> {
    let empty = StageTimes::new()?;
    let mut times: [StageTimes; 5] = std::array::from_fn(|_| empty.clone());
    let (mut frames, mut expected, mut bytes, mut seconds) = (0, 0.0, 0, 0.0);
    let mut skew: Option<LipSkew> = None;
    let mut stages: Vec<(String, f32, f32)> = Vec::new();
    let (mut ticks, mut missed) = (0, 0);
    for outcome in all {
        times[0].add(outcome.first_frame);
        for viewer in &outcome.viewers {
            viewer.voice.iter().for_each(|t| times[1].add(*t));
            viewer.lips.iter().for_each(|t| times[2].add(*t));
            viewer.silence.iter().for_each(|t| times[3].add(*t));
            viewer.joins.iter().for_each(|t| times[4].add(*t));
            frames += viewer.frames;
            bytes += viewer.bytes;
            seconds += viewer.span().as_secs_f64();
            expected += viewer.span().as_secs_f64() * f64::from(options.fps.per_second()) + 1.0;
            if let Some(of_this) = ViewerTrace::skew(viewer)
                && skew.is_none_or(|worst| of_this.p99 > worst.p99)
            {
                skew = Some(of_this);
            }
        }
        ticks += outcome.status.ticks;
        missed += outcome.status.missed;
        for stage in &outcome.status.stages {
            match stages.iter_mut().find(|(name, ..)| *name == stage.stage.name()) {
                Some((_, p50, p99)) => (*p50, *p99) = (p50.max(stage.p50_ms), p99.max(stage.p99_ms)),
                None => stages.push((stage.stage.name().to_owned(), stage.p50_ms, stage.p99_ms)),
            }
        }
    }
    let [first_frame, voice, lips, silence, join] = &times;
    Ok(LiveReport {
        sessions: u32::try_from(all.len()).unwrap_or(u32::MAX),
        join_ms: join.latency(),
        first_frame_ms: first_frame.latency(),
        voice_ms: voice.latency(),
        lips_ms: lips.latency(),
        silence_ms: silence.latency(),
        frames,
        missing: (1.0 - frames as f64 / f64::max(expected, 1.0)).max(0.0),
        fps: frames as f64 / f64::max(seconds, 0.001),
        bits_per_second: bytes as f64 * 8.0 / f64::max(seconds, 0.001),
        skew_ms: skew,
        ticks_missed: missed as f64 / f64::max(ticks as f64, 1.0),
        stages,
    })
}
