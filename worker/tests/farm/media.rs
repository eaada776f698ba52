//! Embedded stores, and uploads in them.

use bytes::Bytes;
use mouthpiece_domain::fleet::{Assignment, Hold};
use mouthpiece_domain::frame::{FrameRate, FrameSize};
use mouthpiece_domain::session::{BlobKey, RenderPreset, SessionKind, SessionSpec};
use mouthpiece_embedded::{Directory, MemoryBus, MemoryLines, MemoryPool};
use mouthpiece_ports::blobs::Blobs;
use mouthpiece_ports::farm_ports::WorkerPorts;
use mouthpiece_worker::metrics::WorkerMetrics;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;

pub const SAMPLE: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/portrait.png"));

/// Metrics in a registry of their own.
pub fn metrics() -> Arc<WorkerMetrics> {
    Arc::new(WorkerMetrics::new(&prometheus::Registry::new()).unwrap())
}

pub async fn ports(folder: &Path) -> WorkerPorts {
    let blobs = Directory::open(&folder.join("blobs")).unwrap();
    let bus = Arc::new(MemoryBus::new());
    WorkerPorts {
        bus: Arc::clone(&bus) as _,
        questions: bus,
        pool: Arc::new(MemoryPool::new()),
        blobs: Arc::new(blobs),
        lines: Arc::new(MemoryLines::new()),
    }
}

/// 16 kHz, 16 bits: a voice-like tone that comes and goes.
pub fn wav(seconds: f64) -> Bytes {
    let samples = (seconds * 16_000.0) as u32;
    let mut wav = Vec::with_capacity(44 + 2 * samples as usize);
    wav.extend_from_slice(b"RIFF");
    wav.extend((36 + 2 * samples).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(32_000_u32.to_le_bytes());
    wav.extend_from_slice(b"\x02\0\x10\0data");
    wav.extend((2 * samples).to_le_bytes());
    for n in 0..samples {
        let t = f64::from(n) / 16_000.0;
        let voice = (t * 880.0).sin() + 0.5 * (t * 1760.0).sin() + 0.3 * (t * 5000.0).sin();
        wav.extend(((voice * (t * 9.0).sin() * 8000.0) as i16).to_le_bytes());
    }
    wav.into()
}

/// Uploads a portrait and some speech; what a session of them is.
pub async fn upload(blobs: &dyn Blobs, portrait: &[u8], speech: Bytes) -> SessionSpec {
    let content: String = Sha256::digest(portrait).iter().map(|b| format!("{b:02x}")).collect();
    let (at, said) = (key(&format!("uploads/{content}")), key("uploads/speech"));
    blobs.put(&at, Bytes::copy_from_slice(portrait)).await.unwrap();
    blobs.put(&said, speech).await.unwrap();
    SessionSpec {
        portrait: at,
        content,
        face: None,
        speech: Some(said),
        size: FrameSize::new(128).unwrap(),
        fps: FrameRate::Fps25,
        preset: RenderPreset::Fast,
        seed: 7,
        head: true,
        blinks: true,
        background: None,
        framing: mouthpiece_domain::frame::Framing::default(),
        manner: mouthpiece_domain::manner::Manner::default(),
        live: None,
    }
}

pub fn key(text: &str) -> BlobKey {
    BlobKey::new(text).unwrap()
}

pub fn render(hold: Hold, spec: &SessionSpec) -> Assignment {
    Assignment { hold, kind: SessionKind::Render, spec: Arc::new(spec.clone()), lease: crate::farm::calm() }
}

pub fn prepare(hold: Hold, spec: &SessionSpec) -> Assignment {
    Assignment { kind: SessionKind::Prepare, ..render(hold, &SessionSpec { speech: None, ..spec.clone() }) }
}
