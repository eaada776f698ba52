//! Every kind of file that is read or refused. `testdata/` holds what the `image` crate cannot write: a palette PNG of
//! 2x1 pixels and a CMYK JPEG of 8x8 pixels in pure red.

use std::io::Cursor;

use image::{
    DynamicImage, ExtendedColorType, GrayImage, ImageEncoder, ImageFormat, Luma, LumaA, Rgb, Rgba,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
    metadata::Orientation,
};

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn load(&self, name: &str, bytes: &[u8]) -> Result<RgbImage, PortraitError> {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        load_portrait(&path, &PortraitLimits::default())
    }

    /// The message without the folder's name, which differs from run to run.
    fn refusal(&self, name: &str, bytes: &[u8]) -> String {
        let text = self.load(name, bytes).unwrap_err().to_string();
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// A smooth picture, larger in x than in y, so that turns show.
fn picture() -> RgbImage {
    RgbImage::from_fn(48, 32, |x, y| Rgb([(x * 5) as u8, (y * 7) as u8, 128]))
}

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn close(a: &RgbImage, b: &RgbImage, most: i32) -> bool {
    a.dimensions() == b.dimensions()
        && a.as_raw().iter().zip(b.as_raw()).all(|(a, b)| (i32::from(*a) - i32::from(*b)).abs() <= most)
}

/// A PNG whose header claims any size.
fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    let crc = |bytes: &[u8]| {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xEDB8_8320 } else { c >> 1 })
        })
    };
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    for (kind, data) in [(b"IHDR", &header[..]), (b"IDAT", &[][..]), (b"IEND", &[])] {
        let body = [&kind[..], data].concat();
        out.extend((data.len() as u32).to_be_bytes());
        out.extend(&body);
        out.extend(crc(&body).to_be_bytes());
    }
    out
}

#[test]
fn the_three_formats_load_whatever_their_name() {
    let folder = Folder::new();
    let original = picture();
    assert_eq!(folder.load("a.png", &encoded(original.clone(), ImageFormat::Png)).unwrap(), original);
    assert_eq!(folder.load("a.jpg", &encoded(original.clone(), ImageFormat::Png)).unwrap(), original);
    assert_eq!(folder.load("a.webp", &encoded(original.clone(), ImageFormat::WebP)).unwrap(), original);
    let jpeg = folder.load("no-name", &encoded(original.clone(), ImageFormat::Jpeg)).unwrap();
    assert!(close(&jpeg, &original, 24));
}

#[test]
fn every_exif_orientation_comes_out_upright() {
    let folder = Folder::new();
    // What a camera that was held otherwise would have stored.
    for code in 1..=8_u8 {
        let mut stored = DynamicImage::from(picture());
        let undo = match code {
            6 => 8,
            8 => 6,
            other => other,
        };
        stored.apply_orientation(Orientation::from_exif(undo).unwrap());
        let exif = [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", &[code, 0, 0, 0, 0, 0, 0, 0][..]].concat();
        let (w, h, raw) = (stored.width(), stored.height(), stored.as_bytes());
        let mut jpeg = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 95);
        encoder.set_exif_metadata(exif.clone()).unwrap();
        encoder.write_image(raw, w, h, ExtendedColorType::Rgb8).unwrap();
        assert!(close(&folder.load("turned.jpg", &jpeg).unwrap(), &picture(), 24), "JPEG, orientation {code}");
        let mut webp = Vec::new();
        let mut encoder = WebPEncoder::new_lossless(&mut webp);
        encoder.set_exif_metadata(exif.clone()).unwrap();
        encoder.write_image(raw, w, h, ExtendedColorType::Rgb8).unwrap();
        assert_eq!(folder.load("turned.webp", &webp).unwrap(), picture(), "WebP, orientation {code}");
        let mut png = Vec::new();
        let mut encoder = PngEncoder::new(&mut png);
        encoder.set_exif_metadata(exif).unwrap();
        encoder.write_image(raw, w, h, ExtendedColorType::Rgb8).unwrap();
        assert_eq!(folder.load("turned.png", &png).unwrap(), picture(), "PNG, orientation {code}");
    }
}

#[test]
fn every_kind_of_pixel_becomes_rgb() {
    let folder = Folder::new();
    let first = |name: &str, bytes: &[u8]| folder.load(name, bytes).unwrap().get_pixel(0, 0).0;
    let of = |picture: DynamicImage| encoded(picture, ImageFormat::Png);
    assert_eq!(first("grey.png", &of(GrayImage::from_pixel(3, 3, Luma([77])).into())), [77; 3]);
    let grey16 = image::ImageBuffer::from_pixel(3, 3, Luma([77_u16 * 257]));
    assert_eq!(first("grey16.png", &of(grey16.into())), [77; 3]);
    let rgb16 = image::ImageBuffer::from_pixel(3, 3, Rgb([10_u16 * 257, 20 * 257, 30 * 257]));
    assert_eq!(first("rgb16.png", &of(rgb16.into())), [10, 20, 30]);
    let clear = image::RgbaImage::from_pixel(3, 3, Rgba([90, 10, 0, 0]));
    assert_eq!(first("clear.png", &of(clear.clone().into())), [255; 3]);
    assert_eq!(first("clear.webp", &encoded(clear, ImageFormat::WebP)), [255; 3]);
    let half = image::RgbaImage::from_pixel(3, 3, Rgba([100, 0, 255, 128]));
    assert_eq!(first("half.png", &of(half.into())), [177, 127, 255]);
    let grey_alpha = image::ImageBuffer::from_pixel(3, 3, LumaA([0_u8, 255]));
    assert_eq!(first("grey-alpha.png", &of(grey_alpha.into())), [0; 3]);
    let palette = folder.load("palette.png", include_bytes!("testdata/palette.png")).unwrap();
    assert_eq!(palette.into_raw(), [200, 10, 20, 30, 40, 250]);
    let [r, g, b] = first("cmyk.jpg", include_bytes!("testdata/cmyk.jpg"));
    assert!(r > 240 && g < 15 && b < 15, "{r} {g} {b}");
}

#[test]
fn what_is_no_picture_is_named() {
    let folder = Folder::new();
    let give = "give a picture (PNG, JPEG, WebP";
    assert!(folder.refusal("notes.png", b"Dear diary,\n").starts_with(&format!("'notes.png' holds text: {give}")));
    assert!(folder.refusal("empty.jpg", b"").starts_with(&format!("'empty.jpg' is empty: {give}")));
    assert_eq!(
        folder.refusal("drawing.png", b"8BPS\0\x01"),
        "'drawing.png' is a Photoshop file: export it as PNG or JPEG"
    );
    let missing = load_portrait(&folder.0.path().join("missing.png"), &PortraitLimits::default()).unwrap_err();
    assert!(matches!(&missing, PortraitError::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound));
    let directory = load_portrait(folder.0.path(), &PortraitLimits::default()).unwrap_err();
    assert!(matches!(directory, PortraitError::NotAFile { .. }));
}

#[test]
fn a_picture_too_large_is_refused_by_its_header() {
    let folder = Folder::new();
    assert_eq!(
        folder.refusal("huge.png", &png_claiming(20_000, 20_000)),
        "huge.png has 20000x20000 pixels, more than 8192 a side or 40 megapixels: give a smaller picture"
    );
    assert!(folder.refusal("wide.png", &png_claiming(8193, 1)).contains("8193x1"));
    assert!(folder.refusal("bomb.png", &png_claiming(u32::MAX >> 1, u32::MAX >> 1)).starts_with("bomb.png"));
    assert!(folder.refusal("area.png", &png_claiming(8000, 8000)).contains("40 megapixels"));
    // Within the limits the header is believed, and the missing pixels are what is wrong.
    assert!(!folder.refusal("fits.png", &png_claiming(8000, 5000)).contains("megapixels"));
    let small = PortraitLimits { side: 40, ..PortraitLimits::default() };
    let path = folder.0.path().join("p.png");
    std::fs::write(&path, encoded(picture(), ImageFormat::Png)).unwrap();
    assert!(matches!(load_portrait(&path, &small), Err(PortraitError::TooManyPixels { width: 48, height: 32, .. })));
    let tiny = PortraitLimits { file_bytes: 100, ..PortraitLimits::default() };
    assert!(matches!(load_portrait(&path, &tiny), Err(PortraitError::TooManyBytes { most: 100, .. })));
}

#[test]
fn a_file_cut_anywhere_is_refused_and_never_panics() {
    let folder = Folder::new();
    for (name, format) in [("a.png", ImageFormat::Png), ("a.jpg", ImageFormat::Jpeg), ("a.webp", ImageFormat::WebP)] {
        let whole = encoded(picture(), format);
        for end in (12..whole.len() - 2).step_by(1 + whole.len() / 97) {
            let error = folder.load(name, &whole[..end]).unwrap_err();
            assert!(matches!(error, PortraitError::Truncated { .. }), "{name} cut at {end}: {error}");
        }
        let trailed = [&whole[..], b"something after it"].concat();
        assert!(folder.load(name, &trailed).is_ok(), "{name} with something after it");
    }
}

#[test]
fn a_damaged_file_is_an_error_or_a_picture_never_a_panic() {
    let folder = Folder::new();
    for (name, format) in [("a.png", ImageFormat::Png), ("a.jpg", ImageFormat::Jpeg), ("a.webp", ImageFormat::WebP)] {
        let whole = encoded(picture(), format);
        for at in (12..whole.len()).step_by(1 + whole.len() / 61) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x5A;
            let _ = folder.load(name, &damaged);
        }
    }
}
