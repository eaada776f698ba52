//! A scenario as it stands in a file.

use crate::live::{LiveFaults, LiveOptions, SpeechPush};
use mouthpiece_domain::frame::{FrameRate, FrameSize};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// A scenario that cannot be used. Each names the field, as `load.sessions`.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum ScenarioError {
    /// It is not TOML, or a field is missing, unknown or of another type.
    #[error("{place}: {reason}")]
    Unreadable {
        /// The line, or the file where that is not known.
        place: String,
        /// What the reader says.
        reason: String,
    },
    /// A value is out of its bounds.
    #[error("{field}: it must be {bounds}")]
    Bounds {
        /// The field with its section.
        field: String,
        /// What would do.
        bounds: &'static str,
    },
    /// There is nothing to judge the run by.
    #[error("targets: name at least one, for example first_frame_p99_ms = 1000")]
    NoTargets,
}

/// What is run, and what has to come of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called, 1 to 80 characters.
    pub name: String,
    /// What it is for, a sentence or two.
    #[serde(default)]
    pub about: String,
    /// Who comes.
    #[serde(default)]
    pub load: ScenarioLoad,
    /// What is said.
    #[serde(default)]
    pub speech: ScenarioSpeech,
    /// What is shown.
    #[serde(default)]
    pub video: ScenarioVideo,
    /// What goes wrong.
    #[serde(default)]
    pub faults: ScenarioFaults,
    /// What the machine costs.
    #[serde(default)]
    pub cost: ScenarioCost,
    /// What has to come of it.
    pub targets: ScenarioTargets,
}

/// Who comes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioLoad {
    /// Sessions, 1 to 1000.
    pub sessions: u32,
    /// Viewers of each, 1 to 100.
    pub viewers: u32,
    /// How long each lasts, seconds, 5 to 86,400.
    pub seconds: u64,
    /// They are asked for evenly within so many seconds, 0 to 3600; 0: all at once.
    pub arrival_s: f64,
}

impl Default for ScenarioLoad {
    fn default() -> Self {
        Self { sessions: 2, viewers: 1, seconds: 30, arrival_s: 0.0 }
    }
}

/// How speech is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PushStyle {
    /// As it is spoken, in pieces of 20 ms.
    #[default]
    RealTime,
    /// All of an utterance at once, as a speech engine does.
    AtOnce,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioSpeech {
    /// A recording, of which three seconds are said again and again.
    pub file: PathBuf,
    /// How it is pushed.
    pub push: PushStyle,
    /// The share of the time in which is spoken, 0.05 to 0.85.
    pub talk_ratio: f64,
    /// Each utterance of this number is interrupted, 0: none.
    pub interrupt_every: u32,
    /// The speaker's clock runs so much faster than nominal, parts per million, -10,000 to 10,000.
    pub ppm: i32,
    /// Pieces come late by up to so many milliseconds, 0 to 1000.
    pub jitter_ms: u32,
}

impl Default for ScenarioSpeech {
    fn default() -> Self {
        let file = PathBuf::from("samples/speech.wav");
        Self { file, push: PushStyle::RealTime, talk_ratio: 0.75, interrupt_every: 0, ppm: 0, jitter_ms: 0 }
    }
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioVideo {
    /// Whose face.
    pub portrait: PathBuf,
    /// The longer side in pixels.
    pub size: u32,
    /// Frames a second, 25 or 30.
    pub fps: u32,
}

impl Default for ScenarioVideo {
    fn default() -> Self {
        Self { portrait: PathBuf::from("samples/portrait.png"), size: 512, fps: 25 }
    }
}

/// What goes wrong, on the viewers' side.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioFaults {
    /// The share of datagrams that each viewer loses, 0 to 0.5.
    pub loss: f64,
    /// Viewers go after so many seconds and come back at once, again and again; 0: they stay. From 2 on.
    pub rejoin_every_s: f64,
}

/// What the machine costs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioCost {
    /// US dollars an hour; 0: not known.
    pub usd_per_hour: f64,
}

/// What has to come of it: each at most, except for the frames. Those that are not named are not judged.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioTargets {
    /// From a viewer's offer to its connection, 99% of them, milliseconds.
    pub join_p99_ms: Option<f64>,
    /// From asking for a session to its first decodable frame, 99% of them, milliseconds.
    pub first_frame_p99_ms: Option<f64>,
    /// From a sound that is pushed to its arrival, 99%, milliseconds.
    pub voice_p99_ms: Option<f64>,
    /// From a sound that is pushed to the arrival of the frame that shows it, 99%, milliseconds.
    pub lips_p99_ms: Option<f64>,
    /// From an interruption to the last sound, 99%, milliseconds.
    pub silence_p99_ms: Option<f64>,
    /// Frames that should have come and did not, percent.
    pub missing_percent: Option<f64>,
    /// Ticks that the farm says it missed, percent.
    pub ticks_missed_percent: Option<f64>,
    /// Video against sound, 99% of a session's frames, milliseconds.
    pub skew_p99_ms: Option<f64>,
    /// Frames a second that a viewer gets, at least.
    pub least_fps: Option<f64>,
    /// Cores that the farm uses for a session.
    pub cpu_per_session: Option<f64>,
    /// Memory that the farm uses for a session, MiB.
    pub mib_per_session: Option<f64>,
    /// What a delivered minute costs, US dollars.
    pub usd_per_minute: Option<f64>,
}

impl ScenarioTargets {
    /// Names and bounds, in the order of the report.
    pub(super) fn named(&self) -> [(&'static str, Option<f64>); 12] {
        [
            ("join_p99_ms", self.join_p99_ms),
            ("first_frame_p99_ms", self.first_frame_p99_ms),
            ("voice_p99_ms", self.voice_p99_ms),
            ("lips_p99_ms", self.lips_p99_ms),
            ("silence_p99_ms", self.silence_p99_ms),
            ("missing_percent", self.missing_percent),
            ("ticks_missed_percent", self.ticks_missed_percent),
            ("skew_p99_ms", self.skew_p99_ms),
            ("least_fps", self.least_fps),
            ("cpu_per_session", self.cpu_per_session),
            ("mib_per_session", self.mib_per_session),
            ("usd_per_minute", self.usd_per_minute),
        ]
    }
}

impl Scenario {
    /// Reads a scenario and judges its values.
    ///
    /// # Errors
    /// [`ScenarioError`].
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let place = line.map_or_else(|| "the scenario".to_owned(), |line| format!("line {line}"));
            ScenarioError::Unreadable { place, reason: error.message().to_owned() }
        })?;
        scenario.check()?;
        Ok(scenario)
    }

    fn check(&self) -> Result<(), ScenarioError> {
        let Self { load, speech, video, faults, cost, targets, .. } = self;
        for (is_good, field, bounds) in [
            ((1..=80).contains(&self.name.chars().count()), "name", "1 to 80 characters"),
            (self.about.chars().count() <= 1000, "about", "at most 1000 characters"),
            ((1..=1000).contains(&load.sessions), "load.sessions", "1 to 1000"),
            ((1..=100).contains(&load.viewers), "load.viewers", "1 to 100"),
            ((5..=86_400).contains(&load.seconds), "load.seconds", "5 to 86400"),
            ((0.0..=3600.0).contains(&load.arrival_s), "load.arrival_s", "0 to 3600"),
            ((0.05..=0.85).contains(&speech.talk_ratio), "speech.talk_ratio", "0.05 to 0.85"),
            ((-10_000..=10_000).contains(&speech.ppm), "speech.ppm", "-10000 to 10000"),
            (speech.jitter_ms <= 1000, "speech.jitter_ms", "0 to 1000"),
            (
                speech.push == PushStyle::RealTime || (speech.ppm, speech.jitter_ms) == (0, 0),
                "speech.push",
                "\"real-time\" where ppm or jitter_ms is given: what is pushed at once has no pace",
            ),
            (FrameSize::LIVE_BOUNDS.contains(&video.size), "video.size", "64 to 1024 pixels"),
            (rate(video.fps).is_some(), "video.fps", "25 or 30"),
            ((0.0..=0.5).contains(&faults.loss), "faults.loss", "a share from 0 to 0.5"),
            (
                faults.rejoin_every_s == 0.0 || (2.0..=86_400.0).contains(&faults.rejoin_every_s),
                "faults.rejoin_every_s",
                "2 to 86400, or 0 for never",
            ),
            ((0.0..=1000.0).contains(&cost.usd_per_hour), "cost.usd_per_hour", "0 to 1000"),
            (
                targets.usd_per_minute.is_none() || cost.usd_per_hour > 0.0,
                "cost.usd_per_hour",
                "more than 0 where targets.usd_per_minute is given",
            ),
            (
                targets.silence_p99_ms.is_none() || speech.interrupt_every > 0,
                "speech.interrupt_every",
                "1 or more where targets.silence_p99_ms is given: without interruptions nothing falls silent",
            ),
        ] {
            if !is_good {
                return Err(ScenarioError::Bounds { field: field.to_owned(), bounds });
            }
        }
        let mut named = targets.named().into_iter().filter_map(|(name, bound)| Some((name, bound?))).peekable();
        if named.peek().is_none() {
            return Err(ScenarioError::NoTargets);
        }
        match named.find(|(_, bound)| !bound.is_finite() || *bound < 0.0) {
            Some((name, _)) => Err(ScenarioError::Bounds { field: format!("targets.{name}"), bounds: "0 or more" }),
            None => Ok(()),
        }
    }

    /// As options of the load, against a farm.
    pub(super) fn options(&self, url: &str, key: &str) -> Result<LiveOptions, ScenarioError> {
        let Self { load, speech, video, faults, .. } = self;
        let wrong = |field: &str, bounds| ScenarioError::Bounds { field: field.to_owned(), bounds };
        Ok(LiveOptions {
            url: url.to_owned(),
            key: key.to_owned(),
            portrait: video.portrait.clone(),
            speech: speech.file.clone(),
            sessions: load.sessions,
            viewers: load.viewers,
            time: Duration::from_secs(load.seconds),
            push: match speech.push {
                PushStyle::RealTime => SpeechPush::RealTime { ppm: speech.ppm, jitter_ms: speech.jitter_ms },
                PushStyle::AtOnce => SpeechPush::AtOnce,
            },
            interrupt_every: speech.interrupt_every,
            talk_ratio: Some(speech.talk_ratio),
            arrival: Duration::from_secs_f64(load.arrival_s),
            faults: LiveFaults {
                loss: faults.loss,
                rejoin_every: (faults.rejoin_every_s > 0.0).then(|| Duration::from_secs_f64(faults.rejoin_every_s)),
            },
            size: FrameSize::new(video.size).map_err(|_| wrong("video.size", "64 to 1024 pixels"))?,
            fps: rate(video.fps).ok_or_else(|| wrong("video.fps", "25 or 30"))?,
        })
    }
}

fn rate(fps: u32) -> Option<FrameRate> {
    FrameRate::ALL.into_iter().find(|rate| rate.per_second() == fps)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "name = \"a\"\n[targets]\nleast_fps = 24\n";

    fn told(text: &str) -> String {
        Scenario::read(text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        let scenario = Scenario::read(LEAST).unwrap();
        assert_eq!((&scenario.load, &scenario.speech), (&ScenarioLoad::default(), &ScenarioSpeech::default()));
        let options = scenario.options("http://127.0.0.1:1", "k").unwrap();
        assert_eq!((options.sessions, options.faults, options.arrival), (2, LiveFaults::default(), Duration::ZERO));
        assert_eq!(options.size, FrameSize::USUAL);
    }

    #[test]
    fn what_is_unknown_is_named_with_its_line() {
        let unknown = told(&format!("{LEAST}[load]\nsesions = 3\n"));
        assert!(unknown.starts_with("line 5: unknown field `sesions`, expected one of `sessions`"), "{unknown}");
        assert!(told("[targets]\nleast_fps = 1\n").contains("missing field `name`"));
        assert!(told(&format!("{LEAST}[speech]\npush = \"fast\"\n")).contains("`real-time`"));
        assert!(told("name =").starts_with("line 1: "));
    }

    #[test]
    fn what_is_out_of_bounds_is_named_with_them() {
        for (more, field, bounds) in [
            ("[load]\nsessions = 0", "load.sessions", "1 to 1000"),
            ("[load]\nseconds = 1", "load.seconds", "5 to 86400"),
            ("[load]\narrival_s = nan", "load.arrival_s", "0 to 3600"),
            ("[speech]\ntalk_ratio = 1.5", "speech.talk_ratio", "0.05 to 0.85"),
            ("[speech]\npush = \"at-once\"\nppm = 9", "speech.push", "\"real-time\""),
            ("[video]\nfps = 24", "video.fps", "25 or 30"),
            ("[video]\nsize = 99999", "video.size", "pixels"),
            ("[faults]\nloss = 0.9", "faults.loss", "0.5"),
            ("[faults]\nrejoin_every_s = 1", "faults.rejoin_every_s", "2 to 86400"),
        ] {
            let told = told(&format!("{LEAST}{more}\n"));
            assert!(told.starts_with(&format!("{field}: it must be ")) && told.contains(bounds), "{told}");
        }
        assert!(told(&LEAST.replace("least_fps = 24", "usd_per_minute = 1")).starts_with("cost.usd_per_hour: "));
        assert!(told(&LEAST.replace("least_fps = 24", "silence_p99_ms = 1")).starts_with("speech.interrupt_every: "));
        assert!(told(&LEAST.replace("least_fps = 24", "least_fps = -1")).starts_with("targets.least_fps: "));
        assert!(told(&LEAST.replace("least_fps = 24", "")).starts_with("targets: name at least one"));
    }

    #[test]
    fn the_examples_can_be_read() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
        assert!(files.len() >= 4, "{files:?}");
        for file in files {
            let scenario = Scenario::read(&std::fs::read_to_string(&file).unwrap());
            let scenario = scenario.unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            assert!(!scenario.about.is_empty() && scenario.options("http://127.0.0.1:1", "k").is_ok());
        }
    }
}
