//! Cisco's OpenH264, compiled in from its crate: for deployments whose FFmpeg has no x264.

use std::ffi::c_int;

use openh264::{
    OpenH264API, Timestamp,
    encoder::{
        BitRate, ColorPrimaries, Complexity, Encoder as Cisco, EncoderConfig, FrameRate, FrameType, IntraFramePeriod,
        Profile, QpRange, RateControlMode, TransferCharacteristics, UsageType, VuiConfig,
    },
    formats::YUVSlices,
};

use super::encoder::{EncodeError, EncodedPacket, PacketSink, VideoEncoder, check_size};
use super::settings::{EncoderQuality, EncoderSettings, FilePreset};
use crate::image::I420;

const NAME: &str = "openh264";

/// `ENCODER_OPTION_TRACE_LEVEL` of OpenH264's API: how much it prints.
const TRACE_LEVEL: c_int = 25;

/// `ENCODER_OPTION_BITRATE` and `ENCODER_OPTION_MAX_BITRATE`, and what they take (`SBitrateInfo`).
const BITRATE: c_int = 5;
const MAX_BITRATE: c_int = 6;

#[repr(C)]
struct Rate {
    layer: c_int,
    bits: c_int,
}

/// `SPATIAL_LAYER_0` and `SPATIAL_LAYER_ALL`. There is but one layer; the bound is that of the layer.
const FIRST_LAYER: c_int = 0;
const ALL_LAYERS: c_int = 4;

/// The encoder and the buffer that its bytes are gathered in.
pub(super) struct Encoder {
    cisco: Cisco,
    bytes: Vec<u8>,
    settings: EncoderSettings,
    started: bool,
    finished: bool,
    last_pts: i64,
}

impl Encoder {
    pub(super) fn open(settings: &EncoderSettings) -> Result<Self, EncodeError> {
        let remedy = "it takes frames of at most 3840x2160 pixels";
        let (long, short) = (settings.width.max(settings.height), settings.width.min(settings.height));
        if long > 3840 || short > 2160 {
            let reason = format!("{}x{} pixels are too many for it", settings.width, settings.height);
            return Err(EncodeError::Missing { name: NAME, reason, remedy });
        }
        let mut cisco = Cisco::with_api_config(OpenH264API::from_source(), config(settings))
            .map_err(|e| EncodeError::Missing { name: NAME, reason: e.to_string(), remedy })?;
        let mut quiet: c_int = 0;
        // SAFETY: the option takes a pointer to an int, which it reads during the call; it may be set before the first
        // frame initialises the encoder, which is when it would print a warning about its own rate control.
        unsafe { cisco.raw_api().set_option(TRACE_LEVEL, (&raw mut quiet).cast()) };
        Ok(Self { cisco, bytes: Vec::new(), settings: *settings, started: false, finished: false, last_pts: 0 })
    }
}

fn config(settings: &EncoderSettings) -> EncoderConfig {
    let fps = settings.fps.0 as f32 / settings.fps.1 as f32;
    let pixels_a_second = settings.width as f32 * settings.height as f32 * fps;
    let colours = VuiConfig::bt601()
        .color_primaries(ColorPrimaries::Bt709)
        .transfer_characteristics(TransferCharacteristics::Bt709);
    let base = EncoderConfig::new()
        .max_frame_rate(FrameRate::from_hz(fps))
        .usage_type(UsageType::CameraVideoRealTime)
        .intra_frame_period(IntraFramePeriod::from_num_frames(settings.gop_frames))
        .skip_frames(false)
        .scene_change_detect(false)
        .num_threads(1)
        .vui(colours);
    match settings.quality {
        // Its rate control has no constant quality: a narrow range of quantisers under a generous rate comes close.
        EncoderQuality::File { preset } => base
            .rate_control_mode(RateControlMode::Quality)
            .bitrate(BitRate::from_bps((pixels_a_second * 0.5).clamp(500_000.0, 100_000_000.0) as u32))
            .qp(QpRange::new(16, 24))
            .complexity(if preset == FilePreset::Fast { Complexity::Low } else { Complexity::Medium }),
        EncoderQuality::Realtime { bitrate_bps } => base
            .rate_control_mode(RateControlMode::Bitrate)
            .bitrate(BitRate::from_bps(bitrate_bps))
            // No better than a file: a still face would else be polished with all of the rate.
            .qp(QpRange::new(18, 51))
            .profile(Profile::Baseline)
            .complexity(Complexity::Low),
    }
}

impl VideoEncoder for Encoder {
    fn name(&self) -> &str {
        NAME
    }

    fn encode(
        &mut self,
        frame: &I420,
        pts: i64,
        force_key: bool,
        sink: &mut PacketSink<'_>,
    ) -> Result<(), EncodeError> {
        if self.finished {
            return Err(EncodeError::Finished { name: NAME });
        }
        check_size(frame, self.settings.width, self.settings.height)?;
        if force_key && self.started {
            self.cisco.force_intra_frame();
        }
        self.started = true;
        self.last_pts = pts;
        let (num, den) = self.settings.fps;
        let millis = pts.max(0).saturating_mul(1000).saturating_mul(i64::from(den)) / i64::from(num);
        let (w, h) = (frame.width(), frame.height());
        let source = YUVSlices::new((&frame.y, &frame.u, &frame.v), (w, h), (w, w / 2, w / 2));
        let stream = self
            .cisco
            .encode_at(&source, Timestamp::from_millis(millis as u64))
            .map_err(|e| EncodeError::Failed { name: NAME, pts, reason: e.to_string() })?;
        let key = matches!(stream.frame_type(), FrameType::IDR);
        self.bytes.clear();
        stream.write_vec(&mut self.bytes);
        if self.bytes.is_empty() {
            let reason = "it dropped the frame".to_owned();
            return Err(EncodeError::Failed { name: NAME, pts, reason });
        }
        sink(EncodedPacket { data: &self.bytes, pts, key });
        Ok(())
    }

    fn set_bitrate(&mut self, bits_per_second: u32) -> Result<(), EncodeError> {
        let settings = self.settings.with_bitrate(bits_per_second)?;
        if !self.started {
            // Before its first frame it has no options that could be changed.
            *self = Self::open(&settings)?;
            return Ok(());
        }
        // The bound first when the rate rises, last when it falls: a rate above its bound is refused.
        let bits = bits_per_second as c_int;
        let [bound, target] = [(MAX_BITRATE, FIRST_LAYER), (BITRATE, ALL_LAYERS)];
        let rises = self.settings.bitrate() < settings.bitrate();
        for (option, layer) in if rises { [bound, target] } else { [target, bound] } {
            let mut rate = Rate { layer, bits };
            // SAFETY: the encoder is initialised (a frame went through it); the option takes a pointer to this struct,
            // which it reads during the call.
            let code = unsafe { self.cisco.raw_api().set_option(option, (&raw mut rate).cast()) };
            if code != 0 {
                let reason = format!("it refuses {bits_per_second} bits a second (code {code})");
                return Err(EncodeError::Failed { name: NAME, pts: self.last_pts, reason });
            }
        }
        self.settings = settings;
        Ok(())
    }

    fn finish(&mut self, _sink: &mut PacketSink<'_>) -> Result<(), EncodeError> {
        self.finished = true;
        Ok(())
    }
}
