use super::*;
use crate::image::I420;
use crate::mux::fixtures::{picture, settings};

fn usable() -> Vec<EncoderChoice> {
    available().into_iter().filter(|a| a.reason.is_none()).map(|a| a.choice).collect()
}

#[test]
fn every_frame_comes_out_at_once_and_key_frames_carry_their_parameter_sets() {
    let realtime = EncoderSettings { quality: EncoderQuality::Realtime { bitrate_bps: 500_000 }, ..settings(128, 96) };
    let balanced =
        EncoderSettings { quality: EncoderQuality::File { preset: FilePreset::Balanced }, ..settings(128, 96) };
    assert!(usable().contains(&EncoderChoice::OpenH264));
    for choice in usable() {
        for settings in [settings(128, 96), realtime, balanced] {
            let mut encoder = open(choice, &settings).unwrap();
            for t in 0..60 {
                let mut packets = 0;
                encoder
                    .encode(&picture(128, 96, t), t as i64, t == 7, &mut |p| {
                        packets += 1;
                        assert_eq!(p.pts, t as i64);
                        assert_eq!(p.key, [0, 7, 57].contains(&t), "{choice} {settings:?} frame {t}");
                        let kinds: Vec<u8> = nal_kinds(p.data);
                        assert_eq!(kinds.contains(&7) && kinds.contains(&8), p.key, "{kinds:?}");
                        assert_eq!(kinds.contains(&5), p.key, "{kinds:?}");
                    })
                    .unwrap();
                assert_eq!(packets, 1, "{choice} frame {t}");
            }
            let mut late = 0;
            encoder.finish(&mut |_| late += 1).unwrap();
            encoder.finish(&mut |_| late += 1).unwrap();
            assert_eq!(late, 0);
            let after = encoder.encode(&picture(128, 96, 0), 60, false, &mut |_| {});
            assert!(matches!(after, Err(EncodeError::Finished { .. })));
        }
    }
}

#[test]
fn realtime_is_constrained_baseline_near_its_rate() {
    for choice in usable() {
        let settings =
            EncoderSettings { quality: EncoderQuality::Realtime { bitrate_bps: 400_000 }, ..settings(320, 240) };
        let mut encoder = open(choice, &settings).unwrap();
        let mut bytes = 0;
        for t in 0..100 {
            encoder
                .encode(&picture(320, 240, t), t as i64, false, &mut |p| {
                    bytes += p.data.len();
                    if let Some(at) = p.data.windows(5).position(|w| w[..4] == [0, 0, 0, 1] && w[4] & 0x1f == 7) {
                        let (profile, constraints) = (p.data[at + 5], p.data[at + 6]);
                        assert_eq!((profile, constraints & 0x40), (66, 0x40), "{choice}");
                    }
                })
                .unwrap();
        }
        let bits = bytes as f64 * 8.0 / 4.0;
        assert!(bits < 600_000.0, "{choice}: {bits} bits a second");
    }
}

/// A picture that is hard to encode and moves, as bits are needed to tell rates apart.
fn busy(t: usize) -> I420 {
    let mut frame = picture(320, 240, t);
    for (i, y) in frame.y.iter_mut().enumerate() {
        let (x, row) = ((i % 320 + 3 * t) as u32, (i / 320 + t) as u32);
        // What scrolls can be predicted, what is new in every frame cannot.
        let new = if i < 320 * 60 { (t as u32).wrapping_mul(0x0100_0193) } else { 0 };
        let hash = (x / 2).wrapping_mul(0x9E37_79B9) ^ (row / 2).wrapping_mul(0x85EB_CA6B) ^ new;
        *y = y.saturating_add(((hash ^ (hash >> 15)).wrapping_mul(0x2C1B_3C6D) >> 26) as u8);
    }
    frame
}

#[test]
fn the_rate_follows_and_no_frame_outgrows_the_buffer() {
    for choice in usable() {
        let settings =
            EncoderSettings { quality: EncoderQuality::Realtime { bitrate_bps: 1_500_000 }, ..settings(320, 240) };
        let mut encoder = open(choice, &EncoderSettings { gop_frames: 10_000, ..settings }).unwrap();
        let mut t = 0;
        for (bits, seconds) in [(1_500_000, 4), (300_000, 6), (1_000_000, 6)] {
            encoder.set_bitrate(bits).unwrap();
            let mut sizes = Vec::new();
            for n in 0..25 * seconds {
                let key = n == 25 * seconds / 2;
                let mut sink = |p: EncodedPacket<'_>| {
                    assert_eq!(p.key, key || t == 0, "{choice} frame {t}");
                    sizes.push(p.data.len() * 8);
                };
                encoder.encode(&busy(t), t as i64, key, &mut sink).unwrap();
                t += 1;
            }
            let last: usize = sizes[sizes.len() - 50..].iter().sum();
            let got = last as f64 / 2.0 / f64::from(bits);
            assert!((got - 1.0).abs() < 0.2, "{choice}: {got:.2} of {bits} bits a second");
            let largest = *sizes[25..].iter().max().unwrap() as f64 / f64::from(bits);
            println!("{choice} at {bits}: {got:.3} of the rate, the largest frame takes {:.0} ms of it", largest * 1e3);
            assert!(largest < 0.5, "{choice}: a frame of {largest:.2} s at {bits} bits a second");
        }
    }
}

#[test]
fn only_a_live_encoder_takes_another_rate_and_only_a_sensible_one() {
    for choice in usable() {
        let mut file = open(choice, &settings(128, 96)).unwrap();
        let message = file.set_bitrate(300_000).unwrap_err().to_string();
        assert_eq!(message, "the encoder's bit rate is 300000: it must be left alone in a file of constant quality");
        let live = EncoderSettings { quality: EncoderQuality::Realtime { bitrate_bps: 300_000 }, ..settings(128, 96) };
        let mut live = open(choice, &live).unwrap();
        assert!(live.set_bitrate(1_000).unwrap_err().to_string().contains("from 50000 to 100000000"));
        live.set_bitrate(200_000).unwrap();
        let mut packets = 0;
        for t in 0..10 {
            live.set_bitrate(200_000 + 10_000 * t as u32).unwrap();
            live.encode(&picture(128, 96, t), t as i64, false, &mut |_| packets += 1).unwrap();
        }
        assert_eq!(packets, 10, "{choice}: before the first frame and between any two");
    }
}

#[test]
fn the_same_frames_make_the_same_bytes() {
    for choice in usable() {
        let run = || {
            let mut bytes = Vec::new();
            let mut encoder = open(choice, &settings(128, 96)).unwrap();
            for t in 0..20 {
                let sink = &mut |p: EncodedPacket<'_>| bytes.extend_from_slice(p.data);
                encoder.encode(&picture(128, 96, t), t as i64, false, sink).unwrap();
            }
            bytes
        };
        assert!(run() == run(), "{choice}");
    }
}

#[test]
fn frames_of_another_size_are_refused() {
    for choice in usable() {
        let mut encoder = open(choice, &settings(128, 96)).unwrap();
        let error = encoder.encode(&picture(96, 128, 0), 0, false, &mut |_| {}).unwrap_err();
        assert_eq!(error.to_string(), "a frame of 96x128 pixels was given to an encoder for 128x96");
        let mut cut = picture(128, 96, 0);
        cut.u.pop();
        assert!(encoder.encode(&cut, 0, false, &mut |_| {}).is_err());
    }
}

#[test]
fn a_row_stride_wider_than_the_frame_is_honoured() {
    for choice in usable() {
        let mut encoder = open(choice, &settings(98, 66)).unwrap();
        let mut bytes = 0;
        encoder.encode(&picture(98, 66, 0), 0, false, &mut |p| bytes += p.data.len()).unwrap();
        assert!(bytes > 0);
    }
}

#[test]
fn bad_settings_are_named() {
    let message = |s: EncoderSettings| open(EncoderChoice::Auto, &s).err().unwrap().to_string();
    let good = settings(128, 96);
    assert!(message(EncoderSettings { width: 127, ..good }).starts_with("the encoder's frame width is 127"));
    assert!(message(EncoderSettings { height: 8, ..good }).contains("frame height is 8"));
    assert!(message(EncoderSettings { fps: (25, 0), ..good }).contains("frame rate is 25/0"));
    assert!(message(EncoderSettings { fps: (1, 2), ..good }).contains("frame rate"));
    assert!(message(EncoderSettings { gop_frames: 0, ..good }).contains("key frame distance is 0"));
    let slow = EncoderQuality::Realtime { bitrate_bps: 1 };
    assert!(message(EncoderSettings { quality: slow, ..good }).contains("bit rate is 1"));
}

#[test]
fn a_forced_encoder_that_is_missing_says_what_to_install() {
    for missing in available().into_iter().filter(|a| a.reason.is_some()) {
        let message = open(missing.choice, &settings(256, 256)).err().unwrap().to_string();
        assert!(message.contains("cannot be used here") && message.contains("or choose another encoder"), "{message}");
    }
    assert!(open(EncoderChoice::Auto, &settings(256, 256)).is_ok());
}

#[test]
fn choices_are_written_as_they_are_read() {
    for choice in EncoderChoice::ALL {
        assert_eq!(choice.to_string().to_uppercase().parse(), Ok(choice));
    }
    let error = "h265".parse::<EncoderChoice>().unwrap_err();
    assert_eq!(error, "'h265' is not an encoder: choose auto, nvenc, x264 or openh264");
}

/// What an encoder costs at the size of a session: `cargo test --release -p mouthpiece-media cost -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn cost_of_a_frame() {
    for choice in usable() {
        for preset in [FilePreset::Fast, FilePreset::Balanced] {
            let settings = EncoderSettings { quality: EncoderQuality::File { preset }, ..settings(512, 512) };
            let frames: Vec<I420> = (0..50).map(|t| picture(512, 512, t)).collect();
            let mut encoder = open(choice, &settings).unwrap();
            let (mut bytes, start) = (0, std::time::Instant::now());
            for t in 0..500 {
                encoder.encode(&frames[t % 50], t as i64, false, &mut |p| bytes += p.data.len()).unwrap();
            }
            let millis = start.elapsed().as_secs_f64() * 1e3 / 500.0;
            println!("{choice} {preset:?}: {millis:.3} ms a frame, {} kbit/s", bytes * 8 * 25 / 500 / 1000);
        }
    }
}

fn nal_kinds(data: &[u8]) -> Vec<u8> {
    data.windows(4).filter(|w| w[..3] == [0, 0, 1]).map(|w| w[3] & 0x1f).collect()
}
