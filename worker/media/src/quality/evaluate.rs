//! From a file to a report.

use std::path::Path;

use image::RgbImage;

use super::{
    Apertures, FrechetInception, Inception, Labels, LipSyncError, Loudness, Luma, Measured, QualityError,
    QualityReport, Sharpness, SoundFacts, Stretch, SyncNet, Unmeasured, aperture,
    aperture::within,
    closure, cpbd,
    follow::Follower,
    frechet,
    frechet::SpreadFeatures,
    jitter, lip_sync_error, living, mean, mean_within, percentile, sync,
    watch::{Watched, mouth_box, watch},
};
use crate::{
    audio::{AudioError, Mix, SpeechBlock, SpeechReader},
    face::{FaceFinder, Runtime},
    image::{PortraitLimits, fit, load_portrait},
    video::VideoReader,
};

/// Neighbouring frames are at most this many frame periods apart.
const NEIGHBOURS: f64 = 2.5;

/// What may be given beside the video.
#[derive(Debug, Clone, Copy, Default)]
pub struct EvaluationExtras<'a> {
    /// Labelled visemes of the speech, see [`Labels::read`].
    pub labels: Option<&'a Path>,
    /// The picture that the video was made from.
    pub portrait: Option<&'a Path>,
    /// Networks that are to judge it.
    pub judges: Option<Judges<'a>>,
}

/// Networks that judge, as they are asked for: each takes longer than all other measures.
#[derive(Debug, Clone, Copy)]
pub struct Judges<'a> {
    /// The folder of graphs.
    pub graphs: &'a Path,
    /// LSE-D and LSE-C by SyncNet.
    pub lip_sync: bool,
    /// FID by Inception, against this video.
    pub reference: Option<&'a Path>,
}

/// Those, loaded.
struct Loaded<'a> {
    syncnet: Option<SyncNet>,
    inception: Option<(Inception, &'a Path)>,
}

/// What they say.
#[derive(Debug, Clone, Copy, Default)]
struct Judged {
    lip_sync_error: Option<Measured<LipSyncError>>,
    frechet: Option<Measured<FrechetInception>>,
}

/// How far the work is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvaluationProgress {
    /// Frames that were read.
    pub frames: u64,
    /// Frames in all, as the file's length suggests.
    pub of_frames: Option<u64>,
}

/// The portrait at its own size.
struct Portrait {
    picture: RgbImage,
    eye_span_px: f64,
}

/// The portrait, measured like a frame.
struct Still {
    aperture: f64,
    mouth: Option<f64>,
    frame: Option<f64>,
}

/// Measures a video. `progress` is called once a frame, before the frame is measured.
///
/// # Errors
/// [`QualityError`]; a video without sound is none, its measures of speech say [`Unmeasured::NoSound`].
pub fn evaluate(
    path: &Path,
    extras: EvaluationExtras<'_>,
    progress: &mut dyn FnMut(EvaluationProgress),
) -> Result<QualityReport, QualityError> {
    let labels = extras.labels.map(Labels::read).transpose()?;
    let mut video = VideoReader::open(path)?;
    let runtime = Runtime::get()?;
    // Before minutes are spent: nothing is printed without its network.
    let mut judges = extras.judges.map(|asked| Loaded::new(&runtime, asked)).transpose()?;
    let mut finder = FaceFinder::new(&runtime)?;
    let portrait = extras.portrait.map(|portrait| Portrait::load(portrait, &mut finder)).transpose()?;
    let Listened { sound, mut warnings } = listen(path)?;
    let passes = judges.as_ref().map_or(1, Loaded::passes);
    let mut read = EvaluationProgress { frames: 0, of_frames: None };
    let mut features =
        judges.as_ref().and_then(|judges| judges.inception.is_some().then(|| SpreadFeatures::of(&video)));
    let mut each = |picture: &RgbImage| {
        let net = judges.as_mut().and_then(|judges| judges.inception.as_mut());
        if let Some((features, (net, _))) = features.as_mut().zip(net) {
            features.push(net, picture)?;
        }
        Ok::<(), QualityError>(())
    };
    let watched = watch(&mut video, &mut finder, &mut each, &mut |at| {
        read = EvaluationProgress { of_frames: at.of_frames.map(|frames| frames * passes), ..at };
        progress(read);
    })?;
    let mut seen = || {
        read.frames += 1;
        progress(read);
    };
    let mix = sound.as_ref().map(|(_, mix)| *mix);
    let judged =
        judges.as_mut().map(|judges| judges.judge(path, mix, &watched, features.as_ref(), &mut seen)).transpose()?;
    let judged = judged.unwrap_or_default();
    if let Some(Ok(found)) = judged.frechet
        && found.frames.min(found.of_reference) < frechet::FRAMES
    {
        warnings.push(format!(
            "FID of fewer than {} frames comes out too high: compare it only with figures of as many",
            frechet::FRAMES
        ));
    }
    if watched.clip.seconds > lip_sync_error::MOST_SQUARES as f64 / 25.0 && judged.lip_sync_error.is_some() {
        warnings.push("LSE is of the first five minutes that the face is seen".to_owned());
    }
    let still = portrait.map(|portrait| portrait.look(watched.clip.eye_span_px, &mut finder)).transpose()?;
    if watched.clip.truncated {
        warnings.push("the video is damaged or ends before it should: only what could be read was measured".to_owned());
    }
    let sound = sound.map(|(sound, _)| sound);
    let report = report(&watched, sound.as_ref(), labels.as_ref(), still.as_ref(), warnings);
    Ok(QualityReport { lip_sync_error: judged.lip_sync_error, frechet: judged.frechet, ..report })
}

impl<'a> Loaded<'a> {
    fn new(runtime: &Runtime, asked: Judges<'a>) -> Result<Self, QualityError> {
        let syncnet = asked.lip_sync.then(|| SyncNet::load(runtime, asked.graphs)).transpose()?;
        let inception =
            asked.reference.map(|film| Ok::<_, QualityError>((Inception::load(runtime, asked.graphs)?, film)));
        Ok(Self { syncnet, inception: inception.transpose()? })
    }

    /// How often a video's frames are read: the film's once, and again by SyncNet, which must know the face's whole way before it looks;
    /// the reference's once.
    fn passes(&self) -> u64 {
        1 + u64::from(self.syncnet.is_some()) + u64::from(self.inception.is_some())
    }

    fn judge(
        &mut self,
        path: &Path,
        mix: Option<Mix>,
        watched: &Watched,
        features: Option<&SpreadFeatures>,
        seen: &mut dyn FnMut(),
    ) -> Result<Judged, QualityError> {
        let mut judged = Judged::default();
        if let Some(net) = &mut self.syncnet {
            judged.lip_sync_error = Some(match mix {
                None => Err(Unmeasured::NoSound),
                Some(mix) => lip_sync_error::judge(net, path, mix, &watched.faces, seen)?.ok_or(Unmeasured::NoTrack),
            });
        }
        if let Some(((net, reference), film)) = self.inception.as_mut().zip(features) {
            judged.frechet = Some(frechet::judge(net, film, reference, seen)?.ok_or(Unmeasured::NoFrames));
        }
        Ok(judged)
    }
}

/// A video's sound.
#[derive(Default)]
struct Listened {
    /// Its levels, and how it is best listened to; `None` of a file without sound.
    sound: Option<(Loudness, Mix)>,
    /// What is wrong with it.
    warnings: Vec<String>,
}

fn listen(path: &Path) -> Result<Listened, QualityError> {
    match measure(path, Mix::Both) {
        Err(AudioError::NoAudioStream { .. } | AudioError::NoSound { .. }) => Ok(Listened::default()),
        Err(other) => Err(other.into()),
        // Where its channels cancel one another a voice is heard in the louder one alone, as when it was rendered.
        Ok((reader, sound)) => {
            let better = reader.best_mix();
            let (reader, sound) = if better == Mix::Both { (reader, sound) } else { measure(path, better)? };
            let warnings = reader.warnings().iter().map(ToString::to_string).collect();
            Ok(Listened { sound: Some((sound, better)), warnings })
        }
    }
}

fn measure(path: &Path, mix: Mix) -> Result<(SpeechReader, Loudness), AudioError> {
    let mut reader = SpeechReader::open_mixed(path, mix)?;
    let mut sound = Loudness::new(reader.info().start_seconds);
    let mut block = SpeechBlock::default();
    while reader.read(&mut block)? {
        sound.push(&block.speech);
    }
    Ok((reader, sound))
}

impl Portrait {
    fn load(path: &Path, finder: &mut FaceFinder) -> Result<Self, QualityError> {
        let picture = load_portrait(path, &PortraitLimits::default())?;
        let mesh = Follower::new(finder).next(&picture)?.ok_or(QualityError::NoFaceInPortrait)?;
        Ok(Self { picture, eye_span_px: f64::from(mesh.eye_span()) })
    }

    /// Measures it at the size at which the eyes are as far apart as in the video, whose frames may be a part of it.
    fn look(self, eye_span_px: f64, finder: &mut FaceFinder) -> Result<Still, QualityError> {
        let longer = f64::from(self.picture.width().max(self.picture.height()));
        let picture = fit(&self.picture, (longer * eye_span_px / self.eye_span_px.max(1.0)).round() as u32)?.picture;
        let mesh = Follower::new(finder).next(&picture)?.ok_or(QualityError::NoFaceInPortrait)?;
        let luma = Luma::of(&picture);
        Ok(Still { aperture: aperture(&mesh), mouth: cpbd(&luma.crop(mouth_box(&mesh))), frame: cpbd(&luma) })
    }
}

fn report(
    watched: &Watched,
    sound: Option<&Loudness>,
    labels: Option<&Labels>,
    still: Option<&Still>,
    warnings: Vec<String>,
) -> QualityReport {
    let lips = &watched.apertures;
    let longest_gap = NEIGHBOURS / watched.clip.frames_per_second;
    let sound = sound.ok_or(Unmeasured::NoSound);
    let stretches = |which: fn(&Loudness) -> Vec<Stretch>| sound.map(which);
    let (speech, silences) = (stretches(Loudness::speech), stretches(Loudness::silences));
    let in_stretches = |stretches: &Measured<Vec<Stretch>>, none: Unmeasured| {
        mean_within(lips, stretches.as_ref().map_err(|e| *e)?).ok_or(none)
    };
    let all: Vec<f64> = lips.iter().map(|m| m.value).collect();
    let apertures = Apertures {
        speech: in_stretches(&speech, Unmeasured::NoSpeech),
        silence: in_stretches(&silences, Unmeasured::NoSilence),
        portrait: still.map(|s| s.aperture).ok_or(Unmeasured::NoPortrait),
        least: percentile(&all, 0.05).unwrap_or(0.0),
    };
    let closure = || {
        let (labels, sound) = (labels.ok_or(Unmeasured::NoLabels)?, sound?);
        let spoken: Vec<f64> = within(lips, speech.as_ref().map_err(|e| *e)?).collect();
        let rests: Vec<f64> = [apertures.portrait, apertures.silence].into_iter().flatten().collect();
        closure(lips, &spoken, &rests, labels, sound.start()).ok_or(Unmeasured::NoBilabials)
    };
    let jitter = || {
        let silences = silences.as_ref().map_err(|e| *e)?;
        jitter(&watched.placed, longest_gap, silences).ok_or(Unmeasured::NoSilence)
    };
    let total = |stretches: &Measured<Vec<Stretch>>| stretches.iter().flatten().map(Stretch::seconds).sum();
    let of_still = |of: fn(&Still) -> Option<f64>| {
        still.ok_or(Unmeasured::NoPortrait).and_then(|s| of(s).ok_or(Unmeasured::NoEdge))
    };
    QualityReport {
        clip: watched.clip,
        sound: sound.map(|s| SoundFacts {
            seconds: s.seconds(),
            speech_seconds: total(&speech),
            silence_seconds: total(&silences),
            threshold_db: s.threshold(),
        }),
        sync: sound.and_then(|s| sync(lips, longest_gap, s).ok_or(Unmeasured::NoSpeech)),
        lip_sync_error: None,
        frechet: None,
        apertures,
        closure: closure(),
        living: living(&watched.postures).ok_or(Unmeasured::NoFace),
        key_frame_jump: watched.keys.finish().ok_or(Unmeasured::NoKeyFrames),
        jitter: jitter(),
        sharpness: Sharpness {
            mouth: mean(watched.mouth.values().iter().copied()).ok_or(Unmeasured::NoEdge),
            frame: mean(watched.frame.values().iter().copied()).ok_or(Unmeasured::NoEdge),
            portrait_mouth: of_still(|s| s.mouth),
            portrait_frame: of_still(|s| s.frame),
        },
        outside: watched.outside.finish().ok_or(Unmeasured::NothingOutside),
        warnings,
    }
}
