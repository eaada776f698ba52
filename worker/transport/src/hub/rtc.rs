//! How str0m is set up for a viewer.

use crate::error::TransportError;
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::bwe::Bitrate;
use str0m::media::Mid;
use str0m::{Rtc, RtcConfig, crypto};

/// Reports of sender and receiver. Browsers sync sound and picture from the second pair on: half a second makes that one.
const REPORTS: Duration = Duration::from_millis(500);
/// A packet of the microphone that is missing is waited for so long. Later it would only delay what is said.
const REORDERING: Duration = Duration::from_millis(40);
/// Packets of the microphone behind a missing one, at most.
const REORDERED: usize = 2;
/// Video packets are kept so long for repeating: two or three round trips of a far viewer.
const KEPT: Duration = Duration::from_millis(1500);
/// And so many at most; about 0.7 MB a viewer.
const KEPT_PACKETS: usize = 600;
/// Repeated packets, at most this share of all that is sent.
const REPEATED: f32 = 0.25;
/// Data channels carry nothing here. Messages above this are refused.
const MESSAGE: u32 = 16 * 1024;

/// What all viewers have in common, the certificate among it: to make one is the dearest part of a connection.
///
/// # Errors
/// [`TransportError::Certificate`].
pub(super) fn common(lite: bool) -> Result<RtcConfig, TransportError> {
    let provider = Arc::new(crypto::from_feature_flags());
    let certificate = provider.dtls_provider.generate_certificate().ok_or(TransportError::Certificate)?;
    let mut config = RtcConfig::new()
        .set_crypto_provider(provider)
        .set_dtls_cert(certificate)
        .set_ice_lite(lite)
        .clear_codecs()
        .enable_opus(true, false)
        .set_rtcp_report_interval_audio(REPORTS)
        .set_rtcp_report_interval_video(REPORTS)
        .set_reordering_size_audio(REORDERED)
        .set_reordering_timeout_audio(Some(REORDERING))
        .set_sctp_max_message_size(MESSAGE);
    // Constrained baseline is what the encoders make; plain baseline decodes it as well. First here is first in the answer.
    config.codec_config().add_h264(108.into(), Some(109.into()), true, 0x42_e0_1f);
    config.codec_config().add_h264(127.into(), Some(121.into()), true, 0x42_00_1f);
    Ok(config)
}

/// One viewer's connection, assumed to bear `start` and wanted to bear `most`, bits a second.
pub(super) fn build(common: &RtcConfig, start: u64, most: u64, now: Instant) -> Rtc {
    let mut rtc = common.clone().enable_bwe(Some(Bitrate::bps(start))).build(now);
    rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::bps(most));
    rtc
}

/// Sets up the video that is sent.
///
/// It is not paced: a frame leaves as one burst, and sound does not wait behind it. Measured in memory, frame in to last
/// packet out: str0m's pacer keeps a key frame for 50 ms on a good path, and half of all frames for a second and more on one
/// of 1 Mbit/s, where without it the network's own queue kept them for 30 ms in the median.
pub(super) fn tune(rtc: &mut Rtc, video: Mid) {
    if let Some(stream) = rtc.direct_api().stream_tx_by_mid(video, None) {
        stream.set_unpaced(true);
        stream.set_rtx_cache(KEPT_PACKETS, KEPT, Some(REPEATED));
    }
}
