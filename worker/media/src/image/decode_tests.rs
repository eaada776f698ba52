//! Kinds that libheif and FFmpeg decode. All show orange on the left and blue on the right. FFmpeg makes them on the spot;
//! `testdata/halves.heic` was made by libheif's own `heif-enc -q 70`, since FFmpeg writes none.

use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};

use super::{
    super::{Background, Portrait, PortraitError, PortraitLimits, read_portrait},
    *,
};
use crate::mux::fixtures::ffmpeg;

const HEIC: &[u8] = include_bytes!("testdata/halves.heic");
const ORANGE: [u8; 3] = [200, 100, 40];
const BLUE: [u8; 3] = [40, 60, 200];

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let halves = RgbImage::from_fn(64, 48, |x, _| Rgb(if x < 32 { ORANGE } else { BLUE }));
        halves.save(folder.0.path().join("halves.png")).unwrap();
        folder
    }

    /// What FFmpeg makes of the halves.
    fn made(&self, args: &[&str], name: &str) -> PathBuf {
        let source = self.0.path().join("halves.png");
        ffmpeg(self.0.path(), &[&["-i", source.to_str().unwrap()], args].concat(), name)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn load(&self, name: &str, bytes: &[u8]) -> Result<Portrait, PortraitError> {
        read(&self.file(name, bytes))
    }

    fn refusal(&self, name: &str, bytes: &[u8]) -> String {
        let text = self.load(name, bytes).unwrap_err().to_string();
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn read(path: &Path) -> Result<Portrait, PortraitError> {
    read_portrait(path, &PortraitLimits::default(), &Background::Colour([0, 177, 64]))
}

fn near(got: &Rgb<u8>, want: [u8; 3]) -> bool {
    got.0.iter().zip(want).all(|(g, w)| g.abs_diff(w) <= 10)
}

fn is_halves(picture: &RgbImage) -> bool {
    picture.dimensions() == (64, 48) && near(picture.get_pixel(10, 20), ORANGE) && near(picture.get_pixel(54, 20), BLUE)
}

#[test]
fn every_kind_is_read() {
    let folder = Folder::new();
    for (args, name) in [
        (&["-c:v", "bmp"][..], "a.bmp"),
        (&["-c:v", "bmp", "-pix_fmt", "pal8", "-vf", "split[a][b];[a]palettegen[p];[b][p]paletteuse"], "palette.bmp"),
        (&[], "a.tiff"),
        (&["-pix_fmt", "rgb48le", "-compression_algo", "deflate"], "deep.tiff"),
        (&["-vf", "split[a][b];[a]palettegen[p];[b][p]paletteuse"], "a.gif"),
        (&["-c:v", "libaom-av1", "-still-picture", "1", "-crf", "10"], "a.avif"),
        (&["-c:v", "libaom-av1", "-still-picture", "1", "-crf", "10", "-pix_fmt", "yuv420p10le"], "ten-bits.avif"),
    ] {
        let portrait = read(&folder.made(args, name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(is_halves(&portrait.picture), "{name}: {:?}", portrait.picture.get_pixel(10, 20));
        assert_eq!((portrait.showed_background, portrait.warnings), (false, vec![]), "{name}");
    }
    // Their names do not matter.
    assert!(is_halves(&folder.load("photo.jpg", HEIC).unwrap().picture));
}

#[test]
fn without_libheif_ffmpeg_reads_avif_and_heic_is_refused_with_a_remedy() {
    let folder = Folder::new();
    let avif = folder.made(&["-c:v", "libaom-av1", "-still-picture", "1", "-crf", "10"], "a.avif");
    let bytes = std::fs::read(&avif).unwrap();
    let decoded = still::decode(&avif, FileKind::Avif, &bytes, &PortraitLimits::default()).unwrap();
    assert!(is_halves(&decoded.pixels.into_rgb8()));
    let heic = Path::new("a.heic");
    let refused = still::decode(heic, FileKind::Heic, HEIC, &PortraitLimits::default()).err().unwrap();
    let refused = refused.told(heic, FileKind::Heic, &PortraitLimits::default()).to_string();
    assert!(refused.starts_with("'a.heic' is a HEIC picture (an iPhone's) that cannot be decoded here"), "{refused}");
    assert!(refused.contains("libheif is missing") && refused.contains("JPEG"), "{refused}");
}

#[test]
fn an_hdr_picture_comes_out_as_an_ordinary_screen_shows_it() {
    let folder = Folder::new();
    let filter = "zscale=pin=bt709:tin=bt709:min=gbr:rin=full:p=bt2020:t=smpte2084:m=bt2020nc:r=limited:npl=203,\
                  format=yuv420p10le";
    let codec = ["-vf", filter, "-c:v", "libaom-av1", "-still-picture", "1", "-crf", "10"];
    let tags = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"];
    let path = folder.made(&[&codec[..], &tags].concat(), "pq.avif");
    let portrait = read(&path).unwrap();
    assert!(is_halves(&portrait.picture), "{:?}", portrait.picture.get_pixel(10, 20));
}

#[test]
fn what_is_transparent_shows_the_background() {
    let folder = Folder::new();
    let clear = "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='if(lt(X,32),0,255)'";
    let palette = format!("{clear},split[a][b];[a]palettegen=reserve_transparent=1[p];[b][p]paletteuse");
    for (args, name) in [(["-vf", &palette], "clear.gif"), (["-vf", clear], "clear.tiff")] {
        let portrait = read(&folder.made(&args, name)).unwrap();
        assert!(portrait.showed_background, "{name}");
        assert!(near(portrait.picture.get_pixel(10, 20), [0, 177, 64]), "{name}");
        assert!(near(portrait.picture.get_pixel(54, 20), BLUE), "{name}");
    }
}

#[test]
fn of_an_animation_the_first_picture_is_taken_and_that_is_said() {
    let folder = Folder::new();
    let later = "loop=9:1,drawbox=enable='gt(n,0)':c=black:t=fill";
    let palette = format!("{later},split[a][b];[a]palettegen[p];[b][p]paletteuse");
    for (args, name) in [
        (&["-vf", &palette][..], "moving.gif"),
        (&["-vf", later, "-plays", "0", "-f", "apng"], "moving.png"),
        (&["-vf", later, "-c:v", "libwebp_anim", "-quality", "95"], "moving.webp"),
        (&["-vf", later, "-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "10"], "moving.avif"),
    ] {
        let portrait = read(&folder.made(args, name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(is_halves(&portrait.picture), "{name}: {:?}", portrait.picture.get_pixel(10, 20));
        let [warning] = &portrait.warnings[..] else { panic!("{name}: {:?}", portrait.warnings) };
        assert!(warning.starts_with("the picture is animated: only its first one is used"), "{name}: {warning}");
    }
}

#[test]
fn a_tiff_comes_upright() {
    let folder = Folder::new();
    // Stored with its left side on top: 8 says that the first row is the left side, from below.
    let (w, h) = (48_u32, 64_u32);
    let pixels: Vec<u8> = (0..h).flat_map(|y| if y < 32 { ORANGE } else { BLUE }.repeat(w as usize)).collect();
    let data = 8 + 2 + 10 * 12 + 4 + 6;
    let lines: [(u16, u16, u32, u32); 10] = [
        (256, 4, 1, w),
        (257, 4, 1, h),
        (258, 3, 3, data - 6),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, data),
        (274, 3, 1, 8),
        (277, 3, 1, 3),
        (278, 4, 1, h),
        (279, 4, 1, w * h * 3),
    ];
    let line = |(tag, kind, count, value): (u16, u16, u32, u32)| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let lines: Vec<u8> = lines.into_iter().flat_map(line).collect();
    let tiff = [b"II*\0\x08\0\0\0\x0a\0", &lines[..], &[0; 4], &[8, 0, 8, 0, 8, 0], &pixels].concat();
    assert!(is_halves(&folder.load("lying.tiff", &tiff).unwrap().picture));
}

#[test]
fn sizes_are_refused_by_the_header() {
    let folder = Folder::new();
    let large = 20_000_u32;
    let mut gif = std::fs::read(folder.made(&[], "a.gif")).unwrap();
    gif[6..10].copy_from_slice(&[0x20, 0x4E, 0x20, 0x4E]);
    let mut bmp = std::fs::read(folder.made(&[], "a.bmp")).unwrap();
    bmp[18..22].copy_from_slice(&large.to_le_bytes());
    bmp[22..26].copy_from_slice(&large.to_le_bytes());
    let entry = |tag: u8| [&[tag, 1, 4, 0, 1, 0, 0, 0][..], &large.to_le_bytes()].concat();
    let tiff = [b"II*\0\x08\0\0\0\x02\0".to_vec(), entry(0), entry(1), vec![0; 4]].concat();
    for (name, bytes) in [("a.gif", gif), ("a.bmp", bmp), ("a.tiff", tiff)] {
        let refused = folder.refusal(name, &bytes);
        assert_eq!(
            refused,
            format!("{name} has 20000x20000 pixels, more than 8192 a side or 40 megapixels: give a smaller picture")
        );
    }
    let ispe = HEIC.windows(4).position(|w| w == b"ispe").unwrap() + 8;
    let mut heic = HEIC.to_vec();
    heic[ispe..ispe + 8].copy_from_slice(&[large.to_be_bytes(), large.to_be_bytes()].concat());
    assert!(folder.load("a.heic", &heic).is_err());
}

#[test]
fn damaged_files_are_refused_in_own_words_and_never_panic() {
    let folder = Folder::new();
    let avif = std::fs::read(folder.made(&["-c:v", "libaom-av1", "-still-picture", "1"], "a.avif")).unwrap();
    let gif = std::fs::read(folder.made(&[], "a.gif")).unwrap();
    let bmp = std::fs::read(folder.made(&[], "a.bmp")).unwrap();
    let tiff = std::fs::read(folder.made(&[], "a.tiff")).unwrap();
    for (name, whole, is) in [
        ("a.heic", HEIC, "is a HEIC picture (an iPhone's)"),
        ("a.avif", &avif[..], "is an AVIF picture"),
        ("a.gif", &gif, "is a GIF"),
        ("a.bmp", &bmp, "is a BMP picture"),
        ("a.tiff", &tiff, "is a TIFF or camera raw picture"),
    ] {
        let refused = folder.refusal(name, &whole[..whole.len().min(40)]);
        assert!(
            refused.starts_with(&format!("'{name}' {is}")) && refused.contains("save it again as PNG or JPEG"),
            "{refused}"
        );
        for at in (12..whole.len()).step_by(1 + whole.len() / 61) {
            let mut damaged = whole.to_vec();
            damaged[at] ^= 0x5A;
            let _ = folder.load(name, &damaged);
            let _ = folder.load(name, &whole[..at]);
        }
    }
}
