//! An engine as small as one can be: it paints how loud the sound is as a bar.
//!
//! Its cue is a window of sound, which is neither copied nor compared: what the puppet's few weights do not show.

mod ear;

use ear::{BarEar, Window};
use mouthpiece_engine::{DeviceMemory, Engine, EngineError, EngineRecovery, EngineTick, Expression, SpeechLevel};
use mouthpiece_media::image::I420;
use mouthpiece_media::reference::Reference;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// Width of the bar in pixels, at the left edge.
pub const WIDTH: usize = 16;
const PAPER: u8 = 16;
const INK: u8 = 235;
/// What it keeps of a frame.
const KEPT: u8 = 42;

/// The engine; its clones count together.
#[derive(Clone, Default)]
pub struct Bar {
    spoken: Arc<AtomicU64>,
    prepared: Arc<AtomicU64>,
    /// What it takes of a device, if it is said to run on one.
    memory: Option<DeviceMemory>,
    /// Whether no face is good enough for it.
    takes_no_face: bool,
    /// While there is one it draws nothing, until it hears how it was mended, if it was.
    fault: Arc<Mutex<Option<Receiver<Option<EngineRecovery>>>>>,
}

impl Bar {
    /// One whose device has failed, and who mends it: `None` says that nobody can.
    pub fn that_fails() -> (Self, Sender<Option<EngineRecovery>>) {
        let ((mend, mends), bar) = (channel(), Self::default());
        *bar.fault.lock().unwrap() = Some(mends);
        (bar, mend)
    }

    /// One on a device, of whose memory each of its frames takes so much.
    pub fn on_a_device(buffers_a_frame: u64) -> Self {
        let memory = DeviceMemory { weights: 1 << 30, contexts: 1 << 28, buffers_a_frame, batches: &[1, 2, 4, 8] };
        Self { memory: Some(memory), ..Self::default() }
    }

    /// One that can use no avatar.
    pub fn that_takes_no_face() -> Self {
        Self { takes_no_face: true, ..Self::default() }
    }

    /// Avatars that it prepared so far without what was kept of them.
    pub fn prepared(&self) -> u64 {
        self.prepared.load(Ordering::Relaxed)
    }

    /// Frames with a bar in them that it drew so far.
    pub fn spoken(&self) -> u64 {
        self.spoken.load(Ordering::Relaxed)
    }
}

impl Engine for Bar {
    type Avatar = Reference;
    type Cue = Window;
    type Seat = I420;
    type Ear = BarEar;

    fn id(&self) -> &'static str {
        "bar/1"
    }

    fn prepare(&self, reference: Reference) -> Result<Reference, EngineError> {
        self.prepared.fetch_add(1, Ordering::Relaxed);
        if self.takes_no_face {
            return Err(EngineError::ImpossibleFace { frame: 0, reason: "it is not the one of this test" });
        }
        if reference.frames.is_empty() { Err(EngineError::EmptyReference) } else { Ok(reference) }
    }

    fn kept_version(&self) -> Option<String> {
        Some("7".to_owned())
    }

    fn keep(avatar: &Reference) -> Vec<u8> {
        vec![KEPT; avatar.frames.len()]
    }

    fn can_use(&self, reference: &Reference, kept: &[u8]) -> bool {
        kept == Self::keep(reference)
    }

    fn prepare_kept(&self, reference: Reference, _: &[u8]) -> Result<Reference, EngineError> {
        Ok(reference)
    }

    fn bytes(avatar: &Reference) -> usize {
        avatar.frames.iter().map(|frame| frame.picture.y.len() * 3 / 2).sum()
    }

    fn seat(avatar: &Reference) -> I420 {
        avatar.frames[0].picture.clone()
    }

    fn ear(&self, _: SpeechLevel) -> BarEar {
        BarEar::default()
    }

    fn live_ear(&self) -> BarEar {
        BarEar::default()
    }

    fn draw(&mut self, ticks: &mut [EngineTick<'_, Self>]) -> Result<(), EngineError> {
        if self.fault.lock().unwrap().is_some() {
            return Err(EngineError::Device("as the test wants".into()));
        }
        for tick in ticks {
            let rows = paint(tick.avatar, tick.seat, tick.reference, tick.cue.loudness())?;
            self.spoken.fetch_add(u64::from(rows > 0), Ordering::Relaxed);
        }
        Ok(())
    }

    fn device_memory(&self) -> Option<DeviceMemory> {
        self.memory
    }

    fn recover(&mut self) -> Result<EngineRecovery, EngineError> {
        let mends = self.fault.lock().unwrap().take().ok_or(EngineError::Broken)?;
        let how = mends.recv_timeout(crate::farm::SOON).unwrap();
        how.ok_or(EngineError::Broken)
    }

    fn rest(avatar: &Reference, seat: &mut I420, reference: usize, _: Expression) -> Result<(), EngineError> {
        paint(avatar, seat, reference, 0.0).map(drop)
    }

    fn picture(seat: &I420) -> &I420 {
        seat
    }
}

/// The reference frame with a bar of `share` of its height; how many rows that is.
fn paint(avatar: &Reference, seat: &mut I420, reference: usize, share: f32) -> Result<usize, EngineError> {
    let missing = EngineError::NoSuchFrame { asked: reference, held: avatar.frames.len() };
    let frame = avatar.frames.get(reference).ok_or(missing)?;
    seat.clone_from(&frame.picture);
    let (width, height) = (seat.width(), seat.height());
    let rows = ((share * height as f32) as usize).min(height);
    for (y, row) in seat.y.chunks_exact_mut(width).enumerate() {
        row[..WIDTH].fill(if y + rows < height { PAPER } else { INK });
    }
    for plane in [&mut seat.u, &mut seat.v] {
        plane.chunks_exact_mut(width / 2).for_each(|row| row[..WIDTH / 2].fill(128));
    }
    Ok(rows)
}
