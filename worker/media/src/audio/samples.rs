//! The samples of one decoded frame.

use ffmpeg_next::ffi::{self, AVChannelOrder, AVFrame, AVSampleFormat};

use super::shape::Shape;

/// Most channels that are taken; swresample's own limit.
pub(super) const MAX_CHANNELS: usize = 64;

/// A view of a decoded audio frame whose shape was checked.
pub(super) struct Samples<'a> {
    frame: &'a AVFrame,
    planar: bool,
    bytes: usize,
    channels: usize,
}

/// Why a frame's shape is refused: the property, its value, its range.
pub(super) type Refusal = (&'static str, i64, &'static str);

/// The shape of a frame: format, rate and channels within what is taken.
pub(super) fn shape_of(frame: &AVFrame) -> Result<Shape, Refusal> {
    let (rate, channels) = (frame.sample_rate, frame.ch_layout.nb_channels);
    if !(4_000..=384_000).contains(&rate) {
        return Err(("a sample rate", i64::from(rate), "from 4000 to 384000 a second"));
    }
    if !(1..=MAX_CHANNELS as i32).contains(&channels) {
        return Err(("a channel count", i64::from(channels), "from 1 to 64"));
    }
    let known = frame.ch_layout.order == AVChannelOrder::AV_CHANNEL_ORDER_NATIVE;
    // SAFETY: the union holds the mask in the native order.
    let mask = if known { unsafe { frame.ch_layout.u.mask } } else { 0 };
    // SAFETY: FFmpeg sets an audio frame's format to a value of this enumeration; others are refused here.
    let format = unsafe {
        if ffi::av_get_bytes_per_sample(std::mem::transmute::<i32, AVSampleFormat>(frame.format)) <= 0 {
            return Err(("a sample format", i64::from(frame.format), "one that FFmpeg knows"));
        }
        std::mem::transmute::<i32, AVSampleFormat>(frame.format)
    };
    Ok(Shape { format, rate, channels, mask })
}

impl<'a> Samples<'a> {
    /// The samples of `frame`, whose shape is `shape`.
    pub(super) fn new(frame: &'a AVFrame, shape: &Shape) -> Self {
        // SAFETY: lookups in FFmpeg's static tables.
        let (planar, bytes) = unsafe {
            (ffi::av_sample_fmt_is_planar(shape.format) != 0, ffi::av_get_bytes_per_sample(shape.format) as usize)
        };
        Self { frame, planar, bytes, channels: shape.channels as usize }
    }

    /// Samples a channel.
    pub(super) fn len(&self) -> usize {
        self.frame.nb_samples.max(0) as usize
    }

    fn plane_count(&self) -> usize {
        if self.planar { self.channels } else { 1 }
    }

    /// One pointer a plane, at sample `at`, from which `count` samples may be read.
    pub(super) fn planes_from(&self, at: usize, count: usize) -> [*const u8; MAX_CHANNELS] {
        assert!(at + count <= self.len(), "a slice lies within its frame");
        let step = if self.planar { self.bytes } else { self.bytes * self.channels };
        let mut planes = [std::ptr::null(); MAX_CHANNELS];
        for (i, plane) in planes.iter_mut().enumerate().take(self.plane_count()) {
            // SAFETY: FFmpeg gives one plane a channel (planar) or one in all, each of `len` samples.
            *plane = unsafe { (*self.frame.extended_data.add(i)).add(at * step).cast_const() };
        }
        planes
    }

    /// The first sample that is no finite 32-bit float: its index in its channel, and what it is.
    pub(super) fn first_not_finite(&self) -> Option<(usize, &'static str)> {
        let count = if self.planar { self.len() } else { self.len() * self.channels };
        let per_sample = if self.planar { 1 } else { self.channels };
        let planes = self.planes_from(0, self.len());
        let found = planes[..self.plane_count()].iter().filter_map(|&plane| {
            match self.bytes {
                4 => {
                    // SAFETY: each plane holds `count` samples of this size, aligned by FFmpeg.
                    first_bad(unsafe { std::slice::from_raw_parts(plane.cast::<f32>(), count) }, |x| f64::from(*x))
                }
                8 => {
                    // SAFETY: as above.
                    first_bad(unsafe { std::slice::from_raw_parts(plane.cast::<f64>(), count) }, |x| *x)
                }
                _ => None,
            }
        });
        found.min_by_key(|(at, _)| *at).map(|(at, what)| (at / per_sample, what))
    }
}

fn first_bad<T>(samples: &[T], value: impl Fn(&T) -> f64) -> Option<(usize, &'static str)> {
    // Blocks without a branch inside, so that the compiler vectorises the usual case.
    const BLOCK: usize = 64;
    let bad = |x: f64| x.is_nan() | (x.abs() > f64::from(f32::MAX));
    for (i, block) in samples.chunks(BLOCK).enumerate() {
        if block.iter().fold(false, |any, x| any | bad(value(x))) {
            let (at, x) = block.iter().map(&value).enumerate().find(|(_, x)| bad(*x))?;
            return Some((i * BLOCK + at, if x.is_nan() { "not a number" } else { "infinite" }));
        }
    }
    None
}

/// True for formats that can hold what is no number.
pub(super) fn is_float(format: AVSampleFormat) -> bool {
    use AVSampleFormat::{AV_SAMPLE_FMT_DBL, AV_SAMPLE_FMT_DBLP, AV_SAMPLE_FMT_FLT, AV_SAMPLE_FMT_FLTP};
    matches!(format, AV_SAMPLE_FMT_FLT | AV_SAMPLE_FMT_FLTP | AV_SAMPLE_FMT_DBL | AV_SAMPLE_FMT_DBLP)
}
