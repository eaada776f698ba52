//! What a stream hears of its viewers.

use bytes::Bytes;
use std::time::{Duration, Instant};

/// Something that happened to a stream. Told on the transport's thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEvent {
    /// A viewer is connected and receives from now on.
    Joined {
        /// The viewer's id.
        viewer: u128,
        /// So long after its offer came.
        after: Duration,
    },
    /// A viewer is gone. Told once for everyone whose offer was answered, connected or not.
    Left {
        /// The viewer's id.
        viewer: u128,
        /// What made it leave.
        why: LeftWhy,
    },
    /// Somebody can show nothing until a key frame comes. At most one in 500 ms.
    KeyFrameWanted,
    /// What the network bears of video, bits a second: the least over the viewers, within the stream's bounds. Told when it
    /// changes by more than 5%.
    Bitrate(u32),
    /// One packet of Opus from the viewer who speaks.
    Microphone {
        /// The viewer's id.
        viewer: u128,
        /// Opus.
        data: Bytes,
        /// RTP time of its first sample at 48 kHz, unwrapped.
        time: u64,
        /// False when something before it is missing.
        contiguous: bool,
        /// When it came off the network.
        arrived: Instant,
    },
    /// The viewer who spoke is gone.
    MicrophoneGone {
        /// The viewer's id.
        viewer: u128,
    },
    /// The last packet of a video frame was handed to the network, for the first viewer that it went to. Once a frame.
    Sent {
        /// The frame's time in the stream.
        pts: Duration,
        /// When it was sent, by this process's clock.
        at: Instant,
    },
}

/// How a viewer went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeftWhy {
    /// It said goodbye, or was sent away.
    HungUp,
    /// Nothing came from it any more.
    Gone,
    /// It had an answer, and did not connect within 30 s.
    NeverCame,
    /// Its connection broke by an error.
    Failed,
}
