//! How long a WAV file says that it is: FFmpeg goes by the file's size, so that a cut one looks whole.

use std::{fs::File, io::Read, path::Path};

/// Sizes from here up are placeholders of programs that wrote to a pipe.
const PLACEHOLDER: u32 = 0x7fff_0000;

/// How many times longer than it is a WAV file says that it is; `None` unless it was cut.
pub(super) fn promised(path: &Path) -> Option<f64> {
    let mut file = File::open(path).ok()?;
    let mut head = [0; 12];
    file.read_exact(&mut head).ok()?;
    let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    if &head[..4] != b"RIFF" || &head[8..] != b"WAVE" || size >= PLACEHOLDER {
        return None;
    }
    let (stated, actual) = (u64::from(size) + 8, file.metadata().ok()?.len());
    (stated > actual).then(|| stated as f64 / actual as f64)
}
