//! Portraits in other colours than sRGB's. `SKIN` and greys are put into each of them by the published matrices.

use std::io::Cursor;

use image::{
    DynamicImage, ExtendedColorType, GrayImage, ImageBuffer, ImageEncoder, ImageFormat, Luma, Rgb, RgbImage, Rgba,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
};
use moxcms::ColorProfile;

use super::super::{Background, Portrait, PortraitError, PortraitLimits, read_portrait};

const SKIN: [u8; 3] = [224, 172, 145];
/// From linear sRGB to linear Display P3.
const TO_P3: [[f64; 3]; 3] =
    [[0.822_462, 0.177_538, 0.0], [0.033_194, 0.966_806, 0.0], [0.017_083, 0.072_397, 0.910_520]];
/// From linear sRGB to linear ProPhoto RGB.
const TO_PROPHOTO: [[f64; 3]; 3] =
    [[0.529_317, 0.330_092, 0.140_588], [0.098_368, 0.873_465, 0.028_169], [0.016_879, 0.117_663, 0.865_457]];

fn linear(v: u8) -> f64 {
    let v = f64::from(v) / 255.0;
    if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

fn srgb(v: f64) -> f64 {
    if v <= 0.003_130_8 { v * 12.92 } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 }
}

/// `SKIN` by the numbers of another space, 0..=1.
fn skin_in(matrix: &[[f64; 3]; 3], curve: impl Fn(f64) -> f64) -> [f64; 3] {
    matrix.map(|row| curve(row.iter().zip(SKIN).map(|(m, v)| m * linear(v)).sum()))
}

fn bytes(colour: [f64; 3]) -> [u8; 3] {
    colour.map(|v| (v * 255.0).round() as u8)
}

fn read(file: &[u8]) -> Result<Portrait, PortraitError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portrait");
    std::fs::write(&path, file).unwrap();
    read_portrait(&path, &PortraitLimits::default(), &Background::default())
}

/// The middle pixel and the warnings.
fn seen(file: &[u8]) -> ([u8; 3], Vec<String>) {
    let Portrait { picture, warnings, .. } = read(file).unwrap();
    (picture.get_pixel(8, 8).0, warnings)
}

fn near(got: [u8; 3], want: [u8; 3], most: u8) -> bool {
    got.iter().zip(want).all(|(g, w)| g.abs_diff(w) <= most)
}

fn encoded(picture: &DynamicImage, icc: Option<Vec<u8>>, format: ImageFormat) -> Vec<u8> {
    let mut file = Vec::new();
    let (w, h, kind) = (picture.width(), picture.height(), ExtendedColorType::from(picture.color()));
    let pixels = picture.as_bytes();
    let icc = icc.unwrap_or_default();
    match format {
        ImageFormat::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(&mut file, 98);
            encoder.set_icc_profile(icc).unwrap();
            encoder.write_image(pixels, w, h, kind).unwrap();
        }
        ImageFormat::WebP => {
            let mut encoder = WebPEncoder::new_lossless(&mut file);
            encoder.set_icc_profile(icc).unwrap();
            encoder.write_image(pixels, w, h, kind).unwrap();
        }
        _ => {
            let mut encoder = PngEncoder::new(Cursor::new(&mut file));
            encoder.set_icc_profile(icc).unwrap();
            encoder.write_image(pixels, w, h, kind).unwrap();
        }
    }
    file
}

fn solid(colour: [u8; 3]) -> DynamicImage {
    RgbImage::from_pixel(16, 16, Rgb(colour)).into()
}

/// A PNG with a chunk more, after its header.
fn with_chunk(png: &[u8], kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let chunk = [&kind[..], data].concat();
    let crc = !chunk.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    });
    [&png[..33], &(data.len() as u32).to_be_bytes(), &chunk, &crc.to_be_bytes(), &png[33..]].concat()
}

#[test]
fn embedded_profiles_are_followed_in_every_format() {
    let p3 = bytes(skin_in(&TO_P3, srgb));
    let prophoto = bytes(skin_in(&TO_PROPHOTO, |v| v.powf(1.0 / 1.8)));
    assert!(!near(p3, SKIN, 4) && !near(prophoto, SKIN, 12), "{p3:?} {prophoto:?}");
    for (profile, colour) in [(ColorProfile::new_display_p3(), p3), (ColorProfile::new_pro_photo_rgb(), prophoto)] {
        let icc = profile.encode().unwrap();
        for (format, most) in [(ImageFormat::Png, 2), (ImageFormat::Jpeg, 4), (ImageFormat::WebP, 2)] {
            let (got, warnings) = seen(&encoded(&solid(colour), Some(icc.clone()), format));
            assert!(near(got, SKIN, most), "{format:?}: {got:?}");
            assert_eq!(warnings, [""; 0]);
        }
    }
}

#[test]
fn every_kind_of_pixel_is_converted() {
    let (icc, p3) = (ColorProfile::new_display_p3().encode().unwrap(), skin_in(&TO_P3, srgb));
    let deep = p3.map(|v| (v * 65_535.0).round() as u16);
    let deep = ImageBuffer::from_pixel(16, 16, Rgb(deep));
    assert!(near(seen(&encoded(&deep.into(), Some(icc.clone()), ImageFormat::Png)).0, SKIN, 1));
    let [r, g, b] = bytes(p3);
    let clear = image::RgbaImage::from_fn(16, 16, |_, y| Rgba([r, g, b, if y == 8 { 255 } else { 0 }]));
    let portrait = read(&encoded(&clear.into(), Some(icc.clone()), ImageFormat::Png)).unwrap();
    assert!(near(portrait.picture.get_pixel(8, 8).0, SKIN, 2) && portrait.showed_background);
    assert_eq!(portrait.picture.get_pixel(8, 2).0, [255; 3]);
    // Linear light: half of it is 188 of 255.
    let grey = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
    let (got, warnings) =
        seen(&encoded(&GrayImage::from_pixel(16, 16, Luma([128])).into(), Some(grey), ImageFormat::Png));
    assert!(near(got, [188; 3], 2), "{got:?} {warnings:?}");
    // A grey picture in an RGB space stays grey.
    let (got, _) = seen(&encoded(&GrayImage::from_pixel(16, 16, Luma([128])).into(), Some(icc), ImageFormat::Png));
    assert!(near(got, [128; 3], 1), "{got:?}");
}

#[test]
fn srgb_stays_as_it_is() {
    let icc = ColorProfile::new_srgb().encode().unwrap();
    let picture = RgbImage::from_fn(64, 64, |x, y| Rgb([(x * 4) as u8, (y * 4) as u8, ((x * y) % 256) as u8]));
    let file = encoded(&picture.clone().into(), Some(icc), ImageFormat::Png);
    assert_eq!(read(&file).unwrap().picture, picture);
}

#[test]
fn what_a_png_says_beside_a_profile_is_followed() {
    let plain = |colour| encoded(&solid(colour), None, ImageFormat::Png);
    let (got, _) = seen(&with_chunk(&plain(bytes(skin_in(&TO_P3, srgb))), b"cICP", &[12, 13, 0, 1]));
    assert!(near(got, SKIN, 2), "{got:?}");
    let (got, _) = seen(&with_chunk(&plain([128; 3]), b"gAMA", &100_000_u32.to_be_bytes()));
    assert!(near(got, [188; 3], 2), "{got:?}");
    let (got, _) = seen(&with_chunk(&plain([128; 3]), b"gAMA", &45_455_u32.to_be_bytes()));
    assert_eq!(got, [128; 3]);
    let refused = read(&with_chunk(&plain(SKIN), b"cICP", &[9, 16, 0, 1])).unwrap_err();
    assert!(refused.to_string().ends_with("is an HDR picture (PQ or HLG): save it for ordinary screens (SDR, sRGB)"));
    let absurd = "the picture's colours are taken as sRGB: what it says of its colours is not known here";
    for (kind, data) in
        [(b"cICP", &[2, 2, 0, 1][..]), (b"cICP", &[255, 255, 0, 1]), (b"gAMA", &[0xFF; 4]), (b"gAMA", &[0; 4])]
    {
        assert_eq!(seen(&with_chunk(&plain(SKIN), kind, data)), (SKIN, vec![absurd.to_owned()]), "{kind:?} {data:?}");
    }
}

#[test]
fn a_damaged_profile_is_ignored_with_a_warning() {
    let damaged = "the picture's colours are taken as sRGB: its colour profile is damaged";
    let good = ColorProfile::new_display_p3().encode().unwrap();
    for bad in [good[..good.len() / 2].to_vec(), b"this is no profile".to_vec(), vec![0; 200], vec![7; 5 << 20]] {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let (got, warnings) = seen(&encoded(&solid(SKIN), Some(bad.clone()), format));
            assert!(near(got, SKIN, 2), "{format:?}: {got:?}");
            assert_eq!(warnings, [damaged], "{format:?}, {} bytes", bad.len());
        }
    }
    // Compressed data that is none.
    let (got, warnings) = seen(&with_chunk(&encoded(&solid(SKIN), None, ImageFormat::Png), b"iCCP", b"p3\0\0garbage"));
    assert_eq!((got, warnings), (SKIN, vec![damaged.to_owned()]));
}

/// 1,000 damaged forms of a profile. A test each, so that they run beside each other: making a transform takes 10 ms.
fn no_damage_panics(profile: &[u8]) {
    let mut state = 1_u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below.max(1)
    };
    for _ in 0..1000 {
        let mut bytes = profile.to_vec();
        for _ in 0..=random(6) {
            let at = random(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random(256) as u8;
            }
        }
        bytes.truncate(bytes.len() - random(bytes.len()) * usize::from(random(4) == 0));
        let _ = super::to_srgb(&mut solid(SKIN), &super::Colours::Icc(bytes));
    }
}

#[test]
fn no_damaged_profile_of_a_screen_panics() {
    no_damage_panics(&ColorProfile::new_display_p3().encode().unwrap());
}

#[test]
fn no_damaged_grey_profile_panics() {
    no_damage_panics(&ColorProfile::new_gray_with_gamma(2.2).encode().unwrap());
}

#[test]
fn no_damaged_profile_of_hdr_panics() {
    no_damage_panics(&ColorProfile::new_bt2020_pq().encode().unwrap());
}

#[test]
fn no_damaged_lab_profile_panics() {
    no_damage_panics(&ColorProfile::new_lab().encode().unwrap_or_default());
}
