//! What a decoder delivers.

use ffmpeg_next::ffi::{self, AVChannelLayout, AVChannelOrder, AVSampleFormat};

/// What the decoder delivers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shape {
    /// Sample format, planar or packed.
    pub format: AVSampleFormat,
    /// Samples a second.
    pub rate: i32,
    /// Channels, at least 1.
    pub channels: i32,
    /// Which speakers they belong to, as FFmpeg's mask; 0 when that is unknown.
    pub mask: u64,
}

impl Shape {
    /// As FFmpeg's resampler takes it.
    pub fn layout(&self) -> AVChannelLayout {
        // SAFETY: all-zero is a valid layout; the default one of a count holds no pointer.
        unsafe {
            let mut layout: AVChannelLayout = std::mem::zeroed();
            // One and two channels are mono and stereo whatever a file calls them.
            if self.mask != 0 && self.channels > 2 {
                layout.order = AVChannelOrder::AV_CHANNEL_ORDER_NATIVE;
                layout.nb_channels = self.channels;
                layout.u.mask = self.mask;
            } else {
                ffi::av_channel_layout_default(&mut layout, self.channels);
            }
            layout
        }
    }
}
