//! The recordings in a WAV file, and how long they say that they are.
//!
//! Speech engines that answer in pieces give each a header of its own, and who joins the pieces with `cat` has several
//! recordings in one file, of which FFmpeg reads the first. It also goes by the file's size, so that a cut recording looks
//! whole to it. Both are told here from the headers.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// Most recordings of one file that are read.
pub(super) const MOST_PARTS: usize = 4096;

/// Most chunks before a recording's sound.
const MOST_CHUNKS: usize = 64;

/// Bytes of a header that tell it: "RIFF", size, "WAVE", and the name of the first chunk.
const HEADER: usize = 16;

/// One recording of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    /// Its first byte, and the one past its last.
    pub start: u64,
    pub end: u64,
    /// How many times more sound than it holds its header counts; 1 unless it was cut.
    pub stated: f64,
}

/// The recordings of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parts {
    /// At most [`MOST_PARTS`].
    pub list: Vec<Part>,
    /// There are more.
    pub more: bool,
}

/// The recordings in the WAV file at `path`; `None` if it does not begin like one.
pub(super) fn parts(path: &Path) -> io::Result<Option<Parts>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    if !starts_a_recording(&bytes_at::<HEADER>(&mut file, 0)?.unwrap_or_default()) {
        return Ok(None);
    }
    let (mut list, mut next) = (Vec::new(), Some(0));
    while let Some(start) = next {
        if list.len() == MOST_PARTS {
            return Ok(Some(Parts { list, more: true }));
        }
        let sound = Sound::find(&mut file, start)?;
        // Also within sound that was counted: it may have been cut.
        next = find_next(&mut file, sound.start)?;
        let end = next.unwrap_or(length);
        let held = end.saturating_sub(sound.start).max(1) as f64;
        let stated = sound.stated_end.map_or(1.0, |stated| stated.saturating_sub(sound.start) as f64 / held).max(1.0);
        list.push(Part { start, end, stated });
    }
    Ok(Some(Parts { list, more: false }))
}

/// Where a recording's sound is.
struct Sound {
    start: u64,
    /// Where it ends by its header, unless that does not count.
    stated_end: Option<u64>,
}

impl Sound {
    /// Walks the chunks of the recording that begins at `start`.
    fn find(file: &mut File, start: u64) -> io::Result<Self> {
        let riff = bytes_at::<8>(file, start)?.map(|head| size_of(&head)).filter(|size| counts(*size));
        let riff_end = riff.map(|size| start + 8 + u64::from(size));
        let mut at = start + 12;
        for _ in 0..MOST_CHUNKS {
            let Some(head) = bytes_at::<8>(file, at)? else { break };
            let size = size_of(&head);
            at += 8;
            if head.starts_with(b"data") {
                let data_end = counts(size).then_some(at + u64::from(size));
                return Ok(Self { start: at, stated_end: data_end.or(riff_end) });
            }
            // Chunks begin at even places.
            at += u64::from(size) + u64::from(size % 2);
        }
        Ok(Self { start: start + HEADER as u64, stated_end: None })
    }
}

/// Whether a size was counted. Who writes into a pipe cannot know one, and puts a number that no file reaches: nothing,
/// the most that fits, or a round one, each with or without the header's few bytes.
fn counts(size: u32) -> bool {
    const MOST: u32 = 0x7fff_0000;
    const LARGE: u32 = 1 << 28;
    const A_HEADER: u32 = 64;
    let round = |step: u32| {
        let beyond = size % step;
        beyond.min(step - beyond) <= A_HEADER
    };
    size != 0 && size < MOST && !(size >= LARGE && (round(1 << 20) || round(1_000_000)))
}

fn size_of(head: &[u8; 8]) -> u32 {
    u32::from_le_bytes([head[4], head[5], head[6], head[7]])
}

fn starts_a_recording(head: &[u8]) -> bool {
    let Some(chunk) = head.get(12..HEADER) else { return false };
    let named = chunk.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    head.starts_with(b"RIFF") && &head[8..12] == b"WAVE" && named
}

/// The bytes at a place; `None` where the file ends before.
fn bytes_at<const N: usize>(file: &mut File, at: u64) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at))?;
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(e) => Err(e),
    }
}

/// Where the next recording begins, from `from` on.
fn find_next(file: &mut File, from: u64) -> io::Result<Option<u64>> {
    const AT_ONCE: usize = 1 << 20;
    file.seek(SeekFrom::Start(from))?;
    let (mut window, mut first) = (Vec::with_capacity(AT_ONCE + HEADER), from);
    loop {
        let before = window.len();
        file.take(AT_ONCE as u64).read_to_end(&mut window)?;
        if let Some(at) = window.windows(HEADER).position(starts_a_recording) {
            return Ok(Some(first + at as u64));
        }
        if window.len() == before {
            return Ok(None);
        }
        // One that began at the end is seen whole the next time.
        let done = window.len() - window.len().min(HEADER - 1);
        window.drain(..done);
        first += done as u64;
    }
}

#[cfg(test)]
#[path = "riff_tests.rs"]
mod tests;
