use super::*;
use crate::mux::fixtures::{click, loudest, tone};
use proptest::prelude::*;

/// Packets of `samples`, each of 20 ms.
fn packets(bits: u32, samples: &[f32]) -> Vec<Vec<u8>> {
    let mut encoder = OpusEncoder::new(bits).unwrap();
    samples.chunks_exact(OPUS_FRAME).map(|pcm| encoder.encode(pcm).unwrap().to_vec()).collect()
}

/// Syllables, more or less: a buzz that swells.
fn voice(seconds: f64) -> Vec<f32> {
    let buzz = tone(48_000, 1, seconds, 140.0);
    let swell = |i: usize| (std::f32::consts::PI * 4.0 * i as f32 / 48_000.0).sin().powi(2);
    buzz.iter().enumerate().map(|(i, x)| swell(i) * (x * 2.0).powi(3) * 0.8).collect()
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|x| x * x).sum::<f32>() / samples.len().max(1) as f32).sqrt()
}

#[test]
fn a_voice_comes_back_later_by_what_the_encoder_says() {
    for bits in [24_000, 32_000, 64_000] {
        let delay = OpusEncoder::new(bits).unwrap().delay_samples();
        assert!((1..=480).contains(&delay), "{delay} samples");
        let (mut decoder, mut out) = (OpusDecoder::new().unwrap(), Vec::new());
        for packet in packets(bits, &click(48_000, 1, 1.0, 0.5)) {
            assert_eq!(decoder.decode(&packet, &mut out).unwrap(), OPUS_FRAME);
        }
        let off = loudest(&out).abs_diff(24_000 + delay);
        assert!(off <= 48, "{off} samples from where the click was ({bits} bits a second)");
    }
}

#[test]
fn the_rate_is_about_the_one_that_was_asked_for_and_silence_is_sent_too() {
    for bits in [32_000, 64_000] {
        let bytes: usize = packets(bits, &voice(4.0)).iter().map(Vec::len).sum();
        let got = bytes as f64 * 8.0 / 4.0;
        assert!(got < f64::from(bits) * 1.2, "{got} of {bits}");
        for packet in packets(bits, &vec![0.0; 48_000]) {
            assert!(packet.len() > 2, "no packet is left out");
        }
    }
}

#[test]
fn a_lost_packet_is_made_again_from_the_one_after_it() {
    let sound = voice(2.0);
    let packets = packets(48_000, &sound);
    let run = |with_next: bool| {
        let (mut decoder, mut out) = (OpusDecoder::new().unwrap(), Vec::new());
        let mut whole = OpusDecoder::new().unwrap();
        let mut error = 0.0;
        for (i, packet) in packets.iter().enumerate() {
            let mut right = Vec::new();
            whole.decode(packet, &mut right).unwrap();
            let from = out.len();
            if i % 6 == 4 {
                let next = packets.get(i + 1).filter(|_| with_next).map(Vec::as_slice);
                assert_eq!(decoder.conceal(next, OPUS_FRAME, &mut out).unwrap(), OPUS_FRAME);
                error += right.iter().zip(&out[from..]).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
            } else {
                decoder.decode(packet, &mut out).unwrap();
            }
        }
        assert!(rms(&out) > 0.5 * rms(&sound));
        error
    };
    let (copied, made_up) = (run(true), run(false));
    assert!(copied < 0.7 * made_up, "with the copy {copied}, without {made_up}");
}

#[test]
fn concealment_has_the_length_of_the_loss_and_an_end() {
    let (mut decoder, mut out) = (OpusDecoder::new().unwrap(), Vec::new());
    for packet in packets(32_000, &voice(0.5)) {
        decoder.decode(&packet, &mut out).unwrap();
    }
    for (lost, made) in [(0, 0), (1, 1), (120, 120), (961, 961), (5_760, 5_760), (1_000_000, OPUS_LONGEST)] {
        for next in [None, Some(&[][..]), Some(&[0xff; 40][..])] {
            out.clear();
            assert_eq!(decoder.conceal(next, lost, &mut out).unwrap(), made, "{lost} {next:?}");
            assert_eq!(out.len(), made);
        }
    }
    out.clear();
    for _ in 0..5 {
        decoder.conceal(None, OPUS_LONGEST, &mut out).unwrap();
    }
    assert!(rms(&out[out.len() - OPUS_LONGEST..]) < 0.01, "it fades away");
}

#[test]
fn stereo_and_other_lengths_are_understood() {
    let mut encoder = Encoder::new(Channels::Stereo, SampleRate::Hz48000, Application::Audio).unwrap();
    let (mut decoder, mut packet) = (OpusDecoder::new().unwrap(), vec![0; 4_000]);
    for samples in [120_u16, 240, 480, 960, 1_920, 2_880, 5_760] {
        let sides: Vec<f32> = tone(48_000, 1, f64::from(samples) / 48_000.0, 400.0);
        let sound: Vec<f32> = sides.iter().flat_map(|x| [*x, 0.0]).collect();
        let length = encoder.encode_float_to_slice(&sound, &mut packet).unwrap();
        let mut out = Vec::new();
        assert_eq!(decoder.decode(&packet[..length], &mut out).unwrap(), usize::from(samples));
        assert_eq!(out.len(), usize::from(samples));
    }
}

#[test]
fn what_makes_no_sense_is_refused_in_words() {
    let message = OpusEncoder::new(1_000).unwrap_err().to_string();
    assert_eq!(message, "an Opus bit rate of 1000 is refused: give from 6000 to 256000 bits a second");
    let message = OpusEncoder::new(32_000).unwrap().encode(&[0.0; 480]).unwrap_err().to_string();
    assert!(message.starts_with("480 samples were given to the Opus encoder"), "{message}");
    let mut decoder = OpusDecoder::new().unwrap();
    let message = decoder.decode(&[], &mut Vec::new()).unwrap_err().to_string();
    assert_eq!(message, "0 bytes are no Opus packet that can be decoded: it is empty");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn hostile_packets_harm_nobody(packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20)) {
        let (mut decoder, mut out) = (OpusDecoder::new().unwrap(), Vec::new());
        for packet in &packets {
            out.clear();
            let made = decoder.decode(packet, &mut out).unwrap_or(0);
            prop_assert!(made <= OPUS_LONGEST && out.len() == made);
            prop_assert!(out.iter().all(|x| (-1.0..=1.0).contains(x)));
            out.clear();
            let made = decoder.conceal(Some(packet), 1_000, &mut out).unwrap();
            prop_assert!(made == 1_000 && out.iter().all(|x| (-1.0..=1.0).contains(x)));
        }
    }

    #[test]
    fn damaged_packets_harm_nobody(at in 0_usize..40, bit in 0_u32..8, cut in 1_usize..200) {
        let (mut decoder, mut out) = (OpusDecoder::new().unwrap(), Vec::new());
        for mut packet in packets(32_000, &voice(0.3)) {
            let at = at % packet.len();
            packet[at] ^= 1 << bit;
            packet.truncate(cut);
            out.clear();
            let made = decoder.decode(&packet, &mut out).unwrap_or(0);
            prop_assert!(made <= OPUS_LONGEST && out.iter().all(|x| (-1.0..=1.0).contains(x)));
        }
    }

    #[test]
    fn any_sound_makes_a_packet(level in prop_oneof![Just(0.0_f32), Just(1.0), -8.0_f32..8.0, Just(f32::NAN), Just(f32::INFINITY)]) {
        let mut encoder = OpusEncoder::new(32_000).unwrap();
        let mut decoder = OpusDecoder::new().unwrap();
        for sign in [1.0, -1.0, 1.0] {
            let packet = encoder.encode(&[level * sign; OPUS_FRAME]).unwrap();
            prop_assert!(decoder.decode(packet, &mut Vec::new()).is_ok());
        }
    }
}

/// What a packet costs: `cargo test -p mouthpiece-media cost_of_a_packet -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn cost_of_a_packet() {
    let sound = voice(10.0);
    for (bits, complexity) in
        [(32_000, 1), (32_000, 3), (32_000, 5), (32_000, 10), (24_000, COMPLEXITY), (64_000, COMPLEXITY)]
    {
        let mut encoder = OpusEncoder::new(bits).unwrap();
        encoder.encoder.set_complexity(complexity).unwrap();
        let (mut bytes, mut all, mut best) = (0, Vec::new(), f64::MAX);
        for pcm in sound.chunks_exact(OPUS_FRAME).collect::<Vec<_>>().chunks(50) {
            let started = std::time::Instant::now();
            for pcm in pcm {
                all.push(encoder.encode(pcm).unwrap().to_vec());
            }
            best = best.min(started.elapsed().as_secs_f64() * 1e3 / pcm.len() as f64);
        }
        let (mut decoder, mut out) = (OpusDecoder::new().unwrap(), Vec::new());
        let started = std::time::Instant::now();
        for packet in &all {
            bytes += packet.len();
            out.clear();
            decoder.decode(packet, &mut out).unwrap();
        }
        let decoding = started.elapsed().as_secs_f64() * 1e3 / all.len() as f64;
        let rate = bytes * 8 / 10;
        // Bits 3 to 7 of the first byte: 12 to 15 are both of its kinds of coding together.
        let kind = all[all.len() / 2][0] >> 3;
        println!("{bits} at {complexity}: encode {best:.3} ms, decode {decoding:.3} ms, {rate} bit/s, kind {kind}");
    }
}
