//! Small files, made on the spot.

use image::{DynamicImage, Rgb, RgbImage, imageops};

pub const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/portrait.png");
const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/speech.wav");
/// Samples a second of the sample recording: 16-bit, mono.
const RATE: u32 = 24_000;
/// Where its second sentence begins, in seconds.
const FROM: f64 = 3.2;

/// The sample portrait.
pub fn portrait() -> RgbImage {
    image::open(SAMPLE).unwrap().into_rgb8()
}

/// The sample portrait at `times` its size.
pub fn scaled(times: f32) -> RgbImage {
    let sample = portrait();
    let side = |side: u32| (side as f32 * times) as u32;
    imageops::resize(&sample, side(sample.width()), side(sample.height()), imageops::FilterType::CatmullRom)
}

/// The middle of the sample portrait: wider than high.
pub fn wide() -> RgbImage {
    let sample = portrait();
    let height = sample.height() * 3 / 4;
    imageops::crop_imm(&sample, 0, 10, sample.width(), height).to_image()
}

/// Two people side by side: the left one smaller.
pub fn two_people() -> RgbImage {
    let (left, right) = (scaled(0.8), portrait());
    let mut both = RgbImage::from_pixel(left.width() + right.width(), right.height(), Rgb([120; 3]));
    imageops::replace(&mut both, &left, 0, 20);
    imageops::replace(&mut both, &right, i64::from(left.width()), 0);
    both
}

/// A file of the given kind.
pub fn encoded(picture: &RgbImage, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::from(picture.clone()).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// `seconds` of the sample recording as a WAV file.
pub fn speech(seconds: f64) -> Vec<u8> {
    let file = std::fs::read(SPEECH).unwrap();
    let data = file.windows(4).position(|w| w == b"data").unwrap() + 8;
    let bytes = |s: f64| (s * f64::from(RATE)).round() as usize * 2;
    wav(RATE, 1, &file[data + bytes(FROM)..][..bytes(seconds)])
}

/// A mono WAV file around samples: of 16-bit integers (`format` 1) or of 32-bit floats (`format` 3).
pub fn wav(rate: u32, format: u16, data: &[u8]) -> Vec<u8> {
    let sample: u16 = if format == 1 { 2 } else { 4 };
    let length = data.len() as u32;
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    for field in [format, 1] {
        file.extend(field.to_le_bytes());
    }
    for field in [rate, rate * u32::from(sample)] {
        file.extend(field.to_le_bytes());
    }
    for field in [sample, sample * 8] {
        file.extend(field.to_le_bytes());
    }
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file
}

/// A PNG whose header promises `width` x `height` pixels, and that holds hardly any.
pub fn empty_png(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", &header[..]), (b"IDAT", b"\x78\x9c\x03\0\0\0\0\x01"), (b"IEND", b"")] {
        let chunk = [kind, data].concat();
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(&chunk);
        file.extend(crc32(&chunk).to_be_bytes());
    }
    file
}

/// The checksum of PNG chunks.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}
