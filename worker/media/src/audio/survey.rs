//! One pass over a whole recording before it is used: how long, how loud, is there anything at all.

use std::path::Path;

use super::{
    AudioError, Mix, SPEECH_RATE, SpeechBlock, SpeechInfo, SpeechLimits, SpeechReader, SpeechWarning, levels::Levels,
};

/// How far below the loud frames a frame still counts as speech, in dB.
const ACTIVE_RANGE_DB: f64 = 35.0;

/// What a whole recording is like. Levels are of the 16 kHz mono form, in dB of full scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// What the file says of itself.
    pub info: SpeechInfo,
    /// Samples of the 16 kHz form.
    pub samples_16k: u64,
    /// Length in seconds.
    pub seconds: f64,
    /// Root mean square of the parts where somebody speaks: 20 ms frames within 35 dB of the 95th percentile.
    pub active_rms: f32,
    /// Largest absolute sample, 0..=1.
    pub peak: f32,
    /// 95th percentile of the levels of 10 ms frames, in dB; -120 for digital silence.
    pub level_95_db: f32,
    /// Level of the loudest 100 ms (of all, if that is less), in dB; -120 for digital silence.
    pub loudest_db: f32,
    /// How its channels are listened to: so were they for all of the above.
    pub mix: Mix,
    /// What is wrong with the file although it could be read.
    pub warnings: Vec<SpeechWarning>,
}

/// Reads the whole file once, or a second time where its channels cancel one another, in constant memory. `progress` is
/// told the seconds read, once for each second of sound, and stops the pass by returning false.
///
/// # Errors
/// Every [`AudioError`]; [`AudioError::Cancelled`] when `progress` said so.
pub fn survey(path: &Path, limits: &SpeechLimits, progress: &mut dyn FnMut(f64) -> bool) -> Result<Survey, AudioError> {
    let found = listen(path, limits, Mix::Both, progress)?;
    match found.1 {
        Mix::Both => Ok(found.0),
        better => listen(path, limits, better, progress).map(|(survey, _)| survey),
    }
}

/// One pass, and which mix would be best.
fn listen(
    path: &Path,
    limits: &SpeechLimits,
    mix: Mix,
    progress: &mut dyn FnMut(f64) -> bool,
) -> Result<(Survey, Mix), AudioError> {
    let mut reader = SpeechReader::open_with(path, limits, mix)?;
    let mut block = SpeechBlock::default();
    let mut coarse = Levels::new(SPEECH_RATE as usize / 50);
    let mut fine = Levels::new(SPEECH_RATE as usize / 100);
    // About as long as a syllable: a click is no speech.
    let mut long = Levels::new(SPEECH_RATE as usize / 10);
    let (mut samples_16k, mut peak, mut told) = (0_u64, 0.0_f32, 0_u64);
    while reader.read(&mut block)? {
        samples_16k += block.speech.len() as u64;
        peak = block.speech.iter().fold(peak, |peak, x| peak.max(x.abs()));
        coarse.push(&block.speech);
        fine.push(&block.speech);
        long.push(&block.speech);
        if samples_16k - told >= u64::from(SPEECH_RATE) {
            told = samples_16k;
            if !progress(reader.seconds()) {
                return Err(AudioError::Cancelled { file: path.into() });
            }
        }
    }
    coarse.finish();
    fine.finish();
    long.finish();
    let survey = Survey {
        info: reader.info().clone(),
        samples_16k,
        seconds: reader.seconds(),
        active_rms: coarse.rms_above(coarse.percentile(0.95) - ACTIVE_RANGE_DB) as f32,
        peak,
        level_95_db: fine.percentile(0.95) as f32,
        loudest_db: long.loudest() as f32,
        mix,
        warnings: reader.warnings(),
    };
    Ok((survey, reader.best_mix()))
}
