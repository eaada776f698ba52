//! One outgoing stream: who watches, who speaks, and what it was told.

use super::Key;
use super::bitrate::Told;
use super::held::HeldPackets;
use super::keyframes::KeyFrames;
use crate::media::{AudioPacket, VideoFrame};
use crate::settings::StreamParams;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

/// Frames whose last packet may still be on its way to the socket.
const FRAMES: usize = 64;

/// Media that waits for its time.
#[derive(Debug)]
pub(super) enum Early {
    Video(VideoFrame),
    Audio(AudioPacket),
}

/// One stream.
#[derive(Debug)]
pub(super) struct Channel {
    pub params: StreamParams,
    /// In the order in which they were answered.
    pub viewers: Vec<Key>,
    /// Who speaks.
    pub microphone: Option<Key>,
    pub key_frames: KeyFrames,
    pub held: HeldPackets<Early>,
    pub told: Told,
    /// Bytes that its viewers were sent.
    pub sent_bytes: Arc<AtomicU64>,
    /// RTP and media times of frames of which no last packet was sent yet.
    frames: VecDeque<(u32, Duration)>,
}

impl Channel {
    pub fn new(params: StreamParams) -> Self {
        Self {
            params,
            viewers: Vec::new(),
            microphone: None,
            key_frames: KeyFrames::default(),
            held: HeldPackets::default(),
            told: Told::new(params.bitrate),
            sent_bytes: Arc::default(),
            frames: VecDeque::new(),
        }
    }

    /// A frame goes to at least one viewer.
    pub fn frame(&mut self, time: u32, pts: Duration) {
        if self.frames.len() >= FRAMES {
            self.frames.pop_front();
        }
        self.frames.push_back((time, pts));
    }

    /// The last packet of a frame was sent; its media time, if it was the first such packet.
    pub fn sent(&mut self, time: u32) -> Option<Duration> {
        let at = self.frames.iter().position(|(other, _)| *other == time)?;
        self.frames.remove(at).map(|(_, pts)| pts)
    }

    /// When it has something to do.
    pub fn due(&self) -> Option<Instant> {
        self.held.due().into_iter().chain(self.key_frames.due()).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_sent_once() {
        let mut channel = Channel::new(StreamParams { fps: 25, bitrate: [1, 2] });
        channel.frame(3600, Duration::from_millis(40));
        assert_eq!(channel.sent(7200), None);
        assert_eq!(channel.sent(3600), Some(Duration::from_millis(40)));
        assert_eq!(channel.sent(3600), None);
        (0..1000).for_each(|n| channel.frame(n, Duration::ZERO));
        assert_eq!(channel.frames.len(), FRAMES);
    }
}
