//! The sound of a file, whose recordings follow one another: mostly one, several where WAV files were joined.

use std::path::{Path, PathBuf};

use ffmpeg_next::{ffi::AVFrame, media};
use mouthpiece_domain::file_kind::FileUse;

use super::{
    AudioError, SpeechWarning,
    riff::{self, MOST_PARTS, Part},
};
use crate::libav::{OpenFault, Track, TrackFault, open_input, open_piece, sentence};

/// The tracks of a file's recordings, read as if they were one.
pub(super) struct Joined {
    path: PathBuf,
    track: Track,
    /// What follows the present recording.
    parts: std::vec::IntoIter<Part>,
    /// How many times more sound than it holds the present one counts; `None` to ask its container.
    stated: Option<f64>,
    /// Seconds of the present one that were decoded.
    held: f64,
    /// Of those before: seconds that are missing, damaged packets.
    missing: f64,
    damaged: u64,
    /// One could not be opened, and with it all after it.
    broke_off: bool,
    /// More recordings than are read.
    more: bool,
    single: bool,
}

impl Joined {
    /// Opens a file that is taken as speech, at its first recording.
    pub fn open(path: &Path) -> Result<Self, AudioError> {
        let input = open_input(path, FileUse::Speech, None).map_err(|fault| open_error(path, fault))?;
        // What cannot be looked into is left to FFmpeg as it is.
        let found = riff::parts(path).ok().flatten();
        let more = found.as_ref().is_some_and(|parts| parts.more);
        let mut parts = found.map(|parts| parts.list).unwrap_or_default().into_iter();
        let (first, single) = (parts.next(), parts.len() == 0);
        let input = match &first {
            // Else the first goes on into the second when its header does not count.
            Some(part) if !single => open_piece(path, Some(&(part.start..part.end)), None),
            _ => Ok(input),
        };
        let input = input.map_err(|fault| open_error(path, fault))?;
        Ok(Self {
            path: path.to_owned(),
            track: Track::open(input, media::Type::Audio).map_err(|e| track_error(path, e, 0.0))?,
            parts,
            stated: first.map(|part| part.stated),
            held: 0.0,
            missing: 0.0,
            damaged: 0,
            broke_off: false,
            more,
            single,
        })
    }

    /// Decodes the next frame into [`Joined::frame`]; false at the end of the last recording.
    pub fn next_frame(&mut self) -> Result<bool, TrackFault> {
        loop {
            if self.track.next_frame()? {
                let frame = self.frame();
                self.held += f64::from(frame.nb_samples) / f64::from(frame.sample_rate.max(1));
                return Ok(true);
            }
            if !self.open_next() {
                return Ok(false);
            }
        }
    }

    fn open_next(&mut self) -> bool {
        let Some(part) = self.parts.next() else { return false };
        let opened = open_piece(&self.path, Some(&(part.start..part.end)), None).ok();
        let Some(track) = opened.and_then(|input| Track::open(input, media::Type::Audio).ok()) else {
            self.broke_off = true;
            self.parts = Vec::new().into_iter();
            return false;
        };
        self.missing += self.missing_now();
        self.damaged += self.track.damaged();
        (self.track, self.stated, self.held) = (track, Some(part.stated), 0.0);
        true
    }

    /// Seconds that the present recording states beyond those that it holds.
    fn missing_now(&self) -> f64 {
        let stated = self.stated.map(|times| self.held * times).or(self.track.stated_seconds());
        let missing = stated.map_or(0.0, |stated| stated - self.held);
        if missing > (0.02 * (self.held + missing)).max(0.25) { missing } else { 0.0 }
    }

    pub fn frame(&self) -> &AVFrame {
        self.track.frame()
    }

    /// The present recording's.
    pub fn track(&self) -> &Track {
        &self.track
    }

    /// Length in seconds as the file states it or its size suggests.
    pub fn estimated_seconds(&self) -> Option<f64> {
        self.track.estimated_seconds().filter(|_| self.single)
    }

    /// True when something could not be decoded.
    pub fn is_damaged(&self) -> bool {
        self.damaged + self.track.damaged() > 0 || self.broke_off || self.track.broke_off()
    }

    /// What is wrong with what was read, `got` seconds in all; `ended` when all was.
    pub fn warnings(&self, got: f64, ended: bool) -> Vec<SpeechWarning> {
        let mut warnings = Vec::new();
        let packets = self.damaged + self.track.damaged();
        if packets > 0 {
            warnings.push(SpeechWarning::Damaged { packets });
        }
        if !ended {
            return warnings;
        }
        let missing = self.missing + self.missing_now();
        if missing > 0.0 {
            warnings.push(SpeechWarning::CutShort { got, stated: got + missing });
        } else if self.broke_off || self.track.broke_off() {
            warnings.push(SpeechWarning::BrokeOff { got });
        }
        if self.more {
            warnings.push(SpeechWarning::LeftOut { most: MOST_PARTS });
        }
        warnings
    }
}

fn open_error(path: &Path, fault: OpenFault) -> AudioError {
    let file = path.into();
    match fault {
        OpenFault::CannotRead(reason) => AudioError::CannotRead { file, reason },
        OpenFault::NotTaken(not_taken) => AudioError::NotTaken { file, not_taken },
        // No side is asked for, so none is too long.
        OpenFault::TooLarge { .. } => AudioError::NoAudioStream { file },
        OpenFault::Unknown(reason) => AudioError::NotAudio { file, reason },
    }
}

/// A track that fails after so many seconds.
pub(super) fn track_error(path: &Path, fault: TrackFault, seconds: f64) -> AudioError {
    let file = path.into();
    match fault {
        TrackFault::NoStream => AudioError::NoAudioStream { file },
        TrackFault::NoDecoder(codec) => AudioError::NoDecoder { file, codec },
        TrackFault::Refused(e) => AudioError::NotAudio { file, reason: sentence(e) },
        TrackFault::TooDamaged => AudioError::Damaged { file, seconds },
    }
}
