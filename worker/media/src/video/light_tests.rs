//! HDR and wide gamuts: colours of an ordinary screen, put into such a video, must come out as they were.

use std::{fs, path::Path};

use image::RgbImage;

use super::*;
use crate::mux::fixtures::ffmpeg;

/// White, a wall, greys; light and dark skin; two strong colours. White is HDR's reference white.
const PATCHES: [[u8; 3]; 10] = [
    [255, 255, 255],
    [225, 225, 225],
    [180, 180, 180],
    [118, 118, 118],
    [60, 60, 60],
    [20, 20, 20],
    [224, 172, 145],
    [141, 85, 60],
    [200, 30, 30],
    [30, 60, 200],
];
/// Pixels a side.
const PATCH: usize = 64;
/// From BT.709 to BT.2020, both linear (ITU-R BT.2087).
const TO_2020: [[f64; 3]; 3] = [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]];

/// Light of a patch in nits, BT.2020.
fn nits(rgb: [u8; 3]) -> [f64; 3] {
    let linear = rgb.map(|v| (f64::from(v) / 255.0).powf(2.4));
    TO_2020.map(|row| 203.0 * row.iter().zip(linear).map(|(m, v)| m * v).sum::<f64>())
}

/// The signal of SMPTE ST 2084.
fn pq(nits: [f64; 3]) -> [f64; 3] {
    nits.map(|n| {
        let y = (n / 10_000.0).powf(2610.0 / 16384.0);
        let (c1, c2, c3) = (3424.0 / 4096.0, 2413.0 / 128.0, 2392.0 / 128.0);
        ((c1 + c2 * y) / (1.0 + c3 * y)).powf(2523.0 / 32.0)
    })
}

/// The signal of HLG for a screen of 1000 nits (ITU-R BT.2100).
fn hlg(nits: [f64; 3]) -> [f64; 3] {
    let shown = nits.map(|n| n / 1000.0);
    let luma = 0.2627 * shown[0] + 0.678 * shown[1] + 0.0593 * shown[2];
    shown.map(|v| {
        let scene = v * luma.max(1e-9).powf(-0.2 / 1.2);
        let (a, b, c) = (0.178_832_77, 0.284_668_92, 0.559_910_73);
        if scene <= 1.0 / 12.0 { (3.0 * scene).sqrt() } else { a * (12.0 * scene - b).ln() + c }
    })
}

/// A video of the patches side by side, 10 bits, limited range, BT.2020.
fn hdr(dir: &Path, transfer: &str, signal: fn([f64; 3]) -> [f64; 3], codec: &[&str], name: &str) -> std::path::PathBuf {
    let mut planes = [Vec::new(), Vec::new(), Vec::new()];
    for rgb in PATCHES {
        let [r, g, b] = signal(nits(rgb));
        let y = 0.2627 * r + 0.678 * g + 0.0593 * b;
        let codes = [64.0 + 876.0 * y, 512.0 + 896.0 * (b - y) / 1.8814, 512.0 + 896.0 * (r - y) / 1.4746];
        for (plane, (code, width)) in planes.iter_mut().zip(codes.iter().zip([PATCH, PATCH / 2, PATCH / 2])) {
            plane.extend((code.round() as u16).to_le_bytes().repeat(width));
        }
    }
    let [y, u, v] = planes;
    let frame = [y.repeat(PATCH), u.repeat(PATCH / 2), v.repeat(PATCH / 2)].concat();
    let raw = dir.join("raw.yuv");
    fs::write(&raw, frame.repeat(3)).unwrap();
    let size = format!("{}x{PATCH}", PATCH * PATCHES.len());
    let input = ["-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-s", &size, "-r", "25", "-i", raw.to_str().unwrap()];
    let tags = ["-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_trc", transfer];
    ffmpeg(dir, &[&input[..], codec, &tags].concat(), name)
}

/// The middle of each patch in the first frame.
fn patches(path: &Path, max_side: Option<u32>) -> Vec<[u8; 3]> {
    let options = VideoOptions { max_side, ..VideoOptions::default() };
    let (mut reader, mut frame) = (VideoReader::open_with(path, options).unwrap(), RgbImage::new(0, 0));
    reader.next_frame(&mut frame).unwrap().unwrap();
    let step = frame.width() / PATCHES.len() as u32;
    (0..PATCHES.len() as u32).map(|i| frame.get_pixel(i * step + step / 2, frame.height() / 2).0).collect()
}

#[test]
fn hdr_comes_out_as_an_ordinary_screen_shows_it() {
    let dir = tempfile::tempdir().unwrap();
    let x265 =
        |transfer: &str| format!("log-level=error:crf=8:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc");
    let (of_hlg, of_pq) = (x265("arib-std-b67"), x265("smpte2084"));
    let vp9 = &["-c:v", "libvpx-vp9", "-profile:v", "2", "-crf", "8", "-b:v", "0", "-deadline", "realtime"][..];
    for (transfer, signal, codec, name) in [
        ("arib-std-b67", hlg as fn([f64; 3]) -> [f64; 3], &["-c:v", "libx265", "-x265-params", &of_hlg][..], "hlg.mp4"),
        ("smpte2084", pq, &["-c:v", "libx265", "-x265-params", &of_pq], "pq.mov"),
        ("arib-std-b67", hlg, vp9, "hlg.webm"),
        ("smpte2084", pq, vp9, "pq.mkv"),
    ] {
        let path = hdr(dir.path(), transfer, signal, codec, name);
        for max_side in [None, Some(320)] {
            let shown = patches(&path, max_side);
            assert!((231..=241).contains(&shown[0][0]), "{name}: white {shown:?}");
            for (patch, (got, want)) in shown.iter().zip(PATCHES).enumerate() {
                let most = if patch == 0 { 24 } else { 5 };
                assert!(got.iter().zip(want).all(|(g, w)| g.abs_diff(w) <= most), "{name}: {got:?} for {want:?}");
            }
            let greys = &shown[..6];
            assert!(greys.windows(2).all(|pair| pair[0][1] > pair[1][1] + 10), "{name}: {greys:?}");
            assert!(greys.iter().all(|[r, g, b]| r.abs_diff(*g) <= 2 && b.abs_diff(*g) <= 2), "{name}: {greys:?}");
            assert!(shown[6..8].iter().all(|[r, g, b]| r > g && g > b), "{name}: skin {shown:?}");
        }
    }
}

#[test]
fn a_portrait_video_in_hdr_comes_upright_too() {
    let dir = tempfile::tempdir().unwrap();
    let params = "log-level=error:crf=8:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc";
    let lying = hdr(dir.path(), "arib-std-b67", hlg, &["-c:v", "libx265", "-x265-params", params], "lying.mp4");
    let args = ["-i", lying.to_str().unwrap(), "-c", "copy", "-metadata:s:v:0", "rotate=90"];
    let path = ffmpeg(dir.path(), &args, "upright.mp4");
    let (mut reader, mut frame) = (VideoReader::open(&path).unwrap(), RgbImage::new(0, 0));
    assert_eq!(reader.size(), (64, 640));
    reader.next_frame(&mut frame).unwrap().unwrap();
    let ends = [frame.get_pixel(32, 32).0[0], frame.get_pixel(32, 608).0[0]];
    assert!(ends.iter().any(|v| *v > 230) && ends.iter().any(|v| *v < 40), "{ends:?}");
}

#[test]
fn wide_gamuts_keep_their_colours() {
    let dir = tempfile::tempdir().unwrap();
    let source = "color=c=0xC86428:s=96x64:r=25:d=0.2,format=gbrp";
    for (name, convert, tags) in [
        ("2020.mp4", "p=bt2020:m=bt2020nc:t=bt709", ["bt2020", "bt2020nc"]),
        ("p3.mp4", "p=smpte432:m=bt709:t=bt709", ["smpte432", "bt709"]),
    ] {
        let filter = format!("zscale=pin=bt709:tin=bt709:min=gbr:rin=full:{convert}:r=limited,format=yuv420p");
        let tags = ["-color_primaries", tags[0], "-colorspace", tags[1], "-color_trc", "bt709"];
        let args = [&["-f", "lavfi", "-i", source, "-vf", &filter, "-c:v", "libx264", "-crf", "8"][..], &tags].concat();
        let path = ffmpeg(dir.path(), &args, name);
        let (mut reader, mut frame) = (VideoReader::open(&path).unwrap(), RgbImage::new(0, 0));
        reader.next_frame(&mut frame).unwrap().unwrap();
        let got = frame.get_pixel(40, 30).0;
        assert!(got.iter().zip([0xC8, 0x64, 0x28_u8]).all(|(g, w)| g.abs_diff(w) <= 4), "{name}: {got:?}");
        assert!(reader.warnings().is_empty());
    }
}

#[test]
fn a_missing_filter_is_named() {
    let error = VideoError::Hdr { file: Path::new("a.mov").into(), light: Light::Hlg, filter: "zscale" };
    assert_eq!(
        error.to_string(),
        "'a.mov' is HDR video (HLG), and this FFmpeg has no zscale filter to bring it to ordinary light: \
         convert it to SDR (BT.709)"
    );
}
