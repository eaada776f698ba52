//! Films that measurements make.

use mouthpiece_media::audio::Converter;
use mouthpiece_media::encode::{self, EncoderChoice, EncoderQuality, EncoderSettings, FilePreset, VideoEncoder};
use mouthpiece_media::image::I420;
use mouthpiece_media::mux::{AudioParams, Mp4Writer, VideoParams};
use std::path::Path;

/// A film of 25 frames a second in the making, with 16 kHz speech.
pub struct TestFilm {
    encoder: Box<dyn VideoEncoder>,
    writer: Mp4Writer,
    converter: Converter,
    sound: Vec<f32>,
    frames: i64,
}

impl TestFilm {
    /// Of pictures as large as `picture`, with a key frame each `gop_frames`.
    pub fn create(file: &Path, picture: &I420, gop_frames: u32) -> Self {
        let (width, height) = (picture.width() as u32, picture.height() as u32);
        let quality = EncoderQuality::File { preset: FilePreset::Balanced };
        let settings = EncoderSettings { width, height, fps: (25, 1), quality, gop_frames };
        let video = VideoParams { width, height, fps: (25, 1) };
        Self {
            encoder: encode::open(EncoderChoice::X264, &settings).unwrap(),
            writer: Mp4Writer::create(file, video, Some(AudioParams { channels: 1 })).unwrap(),
            converter: Converter::new(16_000, 48_000).unwrap(),
            sound: Vec::new(),
            frames: 0,
        }
    }

    /// The next picture and its sound.
    pub fn push(&mut self, picture: &I420, samples: &[f32]) {
        let writer = &mut self.writer;
        self.encoder.encode(picture, self.frames, false, &mut |p| writer.push_video(&p).unwrap()).unwrap();
        self.frames += 1;
        self.sound.clear();
        self.converter.push(samples, &mut self.sound);
        self.writer.push_audio(&self.sound).unwrap();
    }

    /// Writes what is left.
    pub fn finish(mut self) {
        let writer = &mut self.writer;
        self.encoder.finish(&mut |p| writer.push_video(&p).unwrap()).unwrap();
        self.sound.clear();
        self.converter.finish(&mut self.sound);
        self.writer.push_audio(&self.sound).unwrap();
        self.writer.finish().unwrap();
    }
}
