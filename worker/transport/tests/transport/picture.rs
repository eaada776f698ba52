//! Encoded media that nobody decodes, with a number in it that survives the journey.

use bytes::Bytes;
use std::sync::Arc;

/// Bytes that cannot be taken for a start code.
fn digits(number: u64) -> [u8; 10] {
    std::array::from_fn(|i| 0x80 | (number >> (7 * i)) as u8 & 0x7f)
}

/// A frame of H.264, Annex B, of about so many bytes.
pub fn frame(number: u64, key: bool, size: usize) -> Bytes {
    let mut data = Vec::with_capacity(size + 64);
    if key {
        data.extend([0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40]);
        data.extend([0, 0, 0, 1, 0x68, 0xce, 0x3c, 0x80]);
    }
    data.extend([0, 0, 0, 1, if key { 0x65 } else { 0x41 }]);
    data.extend(digits(number));
    data.resize(size.max(data.len()), 0x55);
    data.into()
}

/// The number and kind of a frame that came whole.
pub fn read(data: &[u8]) -> Option<(u64, bool)> {
    let at = (0..data.len().saturating_sub(14))
        .find(|&i| data[i..].starts_with(&[0, 0, 1]) && matches!(data[i + 3] & 31, 1 | 5))?;
    let body = &data[at + 4..];
    let number = (0..10).map(|i| u64::from(body[i] & 0x7f) << (7 * i)).sum();
    body[10..].iter().all(|b| *b == 0x55).then_some((number, data[at + 3] & 31 == 5))
}

/// The number of a packet of sound that came whole.
pub fn heard(data: &[u8]) -> Option<u64> {
    let number = (0..10).map(|i| u64::from(data[1 + i] & 0x7f) << (7 * i)).sum();
    (*sound(number) == *data).then_some(number)
}

/// A packet of sound.
pub fn sound(number: u64) -> Arc<[u8]> {
    let mut data = vec![0xf8];
    data.extend(digits(number));
    data.resize(80, 0x55);
    data.into()
}
