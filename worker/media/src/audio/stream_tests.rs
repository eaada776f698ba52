use super::*;
use crate::mux::fixtures::{click, loudest, tone};
use proptest::prelude::*;
use std::f64::consts::TAU;

/// Rates that have few places in common, and many.
const ODD: [(u32, u32); 8] = [
    (8_000, 48_000),
    (8_001, 48_000),
    (11_025, 48_000),
    (22_050, 48_000),
    (32_000, 48_000),
    (44_100, 48_000),
    (44_101, 48_000),
    (48_000, 11_025),
];

const PAIRS: [(u32, u32); 7] = [
    (16_000, 48_000),
    (24_000, 48_000),
    (48_000, 16_000),
    (48_000, 24_000),
    (16_000, 24_000),
    (24_000, 16_000),
    (48_000, 48_000),
];

fn convert(from: u32, to: u32, samples: &[f32], piece: usize) -> Vec<f32> {
    let mut converter = Converter::new(from, to).unwrap();
    let mut out = Vec::new();
    for piece in samples.chunks(piece) {
        converter.push(piece, &mut out);
    }
    converter.finish(&mut out);
    out
}

/// Power of what is left of `samples` after the sine of `hertz` that fits them best, in dB of that sine.
pub(crate) fn left_over(samples: &[f32], rate: f64, hertz: f64) -> f64 {
    let turn = |i: usize| TAU * hertz * i as f64 / rate;
    let (mut cc, mut ss, mut cs, mut xc, mut xs) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (i, x) in samples.iter().enumerate() {
        let ((s, c), x) = (turn(i).sin_cos(), f64::from(*x));
        (cc, ss, cs, xc, xs) = (cc + c * c, ss + s * s, cs + c * s, xc + x * c, xs + x * s);
    }
    let whole = cc * ss - cs * cs;
    let (a, b) = ((xc * ss - xs * cs) / whole, (xs * cc - xc * cs) / whole);
    let rest: f64 = samples
        .iter()
        .enumerate()
        .map(|(i, x)| {
            let (s, c) = turn(i).sin_cos();
            (f64::from(*x) - a * c - b * s).powi(2)
        })
        .sum();
    10.0 * (rest / samples.len() as f64 / ((a * a + b * b) / 2.0)).log10()
}

#[test]
fn a_click_stays_where_it_is_to_the_sample() {
    for (from, to) in PAIRS {
        let out = convert(from, to, &click(from, 1, 0.5, 0.25), 163);
        assert_eq!(out.len(), to as usize / 2, "{from} to {to}");
        assert_eq!(loudest(&out), to as usize / 4, "{from} to {to}");
    }
}

#[test]
fn the_voice_and_what_the_ear_hears_stay_aligned() {
    // A sweep from 200 to 3,000 Hz: only at the true offset do the phases agree everywhere.
    let at = |rate: f64, n: usize| {
        let t = n as f64 / rate;
        (0.4 * (TAU * (200.0 * t + 1400.0 * t * t)).sin()) as f32
    };
    for rate in [8_000_u32, 11_025, 16_000, 22_050, 24_000, 44_100] {
        let pushed: Vec<f32> = (0..rate as usize).map(|n| at(f64::from(rate), n)).collect();
        let voice = convert(rate, 48_000, &pushed, 317);
        let heard = convert(48_000, 16_000, &voice, 960);
        for (n, sample) in heard.iter().enumerate().take(15_800).skip(200) {
            assert!((sample - at(16_000.0, n)).abs() < 2e-3, "{rate}: sample {n}");
        }
    }
}

#[test]
fn tones_pass_unharmed_and_what_does_not_fit_is_taken_away() {
    for (from, to) in PAIRS.into_iter().chain(ODD) {
        let lower = f64::from(from.min(to));
        for hertz in [100.0, 1_000.0, lower * 0.4] {
            let out = convert(from, to, &tone(from, 1, 1.0, hertz), 480);
            let inside = &out[to as usize / 10..to as usize * 9 / 10];
            let left = left_over(inside, f64::from(to), hertz);
            assert!(left < -60.0, "{from} to {to}: {hertz} Hz leaves {left:.1} dB");
            let level = (inside.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / inside.len() as f64).sqrt();
            assert!((level - 0.5 / 2.0_f64.sqrt()).abs() < 0.003, "{from} to {to}: {hertz} Hz at {level}");
        }
    }
    for hertz in [9_500.0, 13_000.0, 20_000.0] {
        let out = convert(48_000, 16_000, &tone(48_000, 1, 0.5, hertz), 480);
        let most = out[1_000..7_000].iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        assert!(most < 1e-3, "{hertz} Hz leaves {most}");
    }
}

#[test]
fn a_sample_comes_out_as_soon_as_its_latency_allows() {
    for (from, to) in PAIRS.into_iter().chain(ODD) {
        let mut converter = Converter::new(from, to).unwrap();
        let (mut out, latency) = (Vec::new(), converter.latency_samples() as u64);
        let lower = u64::from(from.min(to));
        assert!(latency * 1000 <= u64::from(from) || latency * lower <= 16 * u64::from(from), "no more than it must");
        for pushed in 1..3_000_u64 {
            converter.push(&[0.1], &mut out);
            // Output m lies at m * from / to input samples.
            let due = pushed.saturating_sub(latency) * u64::from(to);
            assert_eq!(out.len() as u64, due.div_ceil(u64::from(from)), "{from} to {to} after {pushed}");
        }
    }
}

#[test]
fn a_constant_has_no_ripple_and_a_new_sound_hears_nothing_of_the_last() {
    for (from, to) in PAIRS.into_iter().chain(ODD) {
        let mut converter = Converter::new(from, to).unwrap();
        let mut out = Vec::new();
        converter.push(&[0.5; 3_000], &mut out);
        for x in &out[400.min(out.len())..] {
            assert!((x - 0.5).abs() < 1e-6, "{from} to {to}: {x}");
        }
        converter.finish(&mut out);
        out.clear();
        converter.push(&[0.0; 3_000], &mut out);
        assert!(out.iter().all(|x| *x == 0.0), "{from} to {to}");
    }
}

#[test]
fn in_the_steady_state_no_memory_grows() {
    let mut converter = Converter::new(24_000, 48_000).unwrap();
    let mut out = Vec::new();
    (0..2).for_each(|_| converter.push(&[0.0; 480], &mut out));
    let room = converter.held.capacity();
    for _ in 0..10_000 {
        out.clear();
        converter.push(&[0.0; 480], &mut out);
    }
    assert_eq!(converter.held.capacity(), room);
}

#[test]
fn other_rates_are_refused() {
    let message = Converter::new(7_999, 48_000).unwrap_err().to_string();
    assert_eq!(message, "sound of 7999 samples a second cannot be converted to 48000: give 8000 to 48000");
    assert!(Converter::new(48_000, 0).is_err() && Converter::new(48_001, 48_000).is_err());
}

#[test]
fn minutes_at_any_rate_neither_lose_nor_gain_a_sample() {
    for (from, to) in ODD {
        let mut converter = Converter::new(from, to).unwrap();
        let (mut out, mut given, mut fed) = (Vec::new(), 0_u64, 0_u64);
        // Pieces of 20 ms as a program cuts them: now and then one sample more.
        for n in 1..=9_000_u64 {
            let due = n * u64::from(from) / 50;
            converter.push(&vec![0.0; (due - fed) as usize], &mut out);
            fed = due;
            given += out.len() as u64;
            out.clear();
        }
        converter.finish(&mut out);
        assert_eq!(given + out.len() as u64, (fed * u64::from(to)).div_ceil(u64::from(from)), "{from} to {to}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn it_does_not_matter_how_the_sound_arrives(
        pair in 0..PAIRS.len() + ODD.len(),
        samples in prop::collection::vec(-1.0_f32..1.0, 0..2_000),
        piece in 1_usize..700,
    ) {
        let (from, to) = *PAIRS.iter().chain(&ODD).nth(pair).unwrap();
        let whole = convert(from, to, &samples, 5_000);
        prop_assert_eq!(whole.len() as u64, (samples.len() as u64 * u64::from(to)).div_ceil(u64::from(from)));
        prop_assert_eq!(whole, convert(from, to, &samples, piece));
    }
}
