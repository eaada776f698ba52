use super::super::stream::tests::left_over;
use super::*;
use crate::mux::fixtures::tone;
use proptest::prelude::*;

fn steer(samples: &[f32], speed: f64) -> Vec<f32> {
    let (mut steer, mut out) = (Steer::new(), Vec::new());
    for piece in samples.chunks(480) {
        steer.push(piece, speed, &mut out);
    }
    out
}

#[test]
fn at_speed_one_the_sound_is_untouched() {
    let sound = tone(48_000, 1, 0.5, 700.0);
    assert_eq!(steer(&sound, 1.0), sound[..sound.len() - HALF]);
}

#[test]
fn after_another_speed_the_sound_is_soon_untouched_again() {
    for speed in [0.995, 1.0002, 1.004] {
        let sound: Vec<f32> = (0..20_000).map(|i| ((i * 7_919) % 4_001) as f32 / 4_001.0 - 0.5).collect();
        let (mut steer, mut out) = (Steer::new(), Vec::new());
        steer.push(&sound[..10_000], speed, &mut out);
        steer.push(&sound[10_000..12_000], 1.0, &mut out);
        out.clear();
        steer.push(&sound[12_000..], 1.0, &mut out);
        assert_eq!(out, sound[12_000 - HALF..20_000 - HALF], "{speed}");
    }
}

#[test]
fn a_steered_sine_stays_a_sine() {
    for speed in [0.995, 0.9998, 1.0002, 1.005] {
        for (hertz, most) in [(150.0, -90.0), (1_000.0, -90.0), (8_000.0, -80.0)] {
            let out = steer(&tone(48_000, 1, 2.0, hertz), speed);
            let left = left_over(&out[4_800..], 48_000.0, hertz * speed);
            assert!(left < most, "{hertz} Hz at {speed}: {left:.1} dB of distortion");
        }
    }
}

#[test]
fn a_change_of_speed_makes_no_step() {
    let sound = tone(48_000, 1, 1.0, 440.0);
    let (mut steer, mut out) = (Steer::new(), Vec::new());
    for (i, piece) in sound.chunks(960).enumerate() {
        steer.push(piece, [1.0, 1.005, 0.995, 1.0, 1.0002][i % 5], &mut out);
    }
    // The largest step of such a sine from one sample to the next, at its fastest.
    let steepest = 0.5 * std::f32::consts::TAU * 440.0 * 1.005 / 48_000.0;
    for pair in out.windows(2) {
        assert!((pair[1] - pair[0]).abs() <= steepest * 1.001);
    }
}

#[test]
fn drift_is_made_up_for_to_the_sample() {
    // The sound is not looked at, so its samples may all be the same.
    for speed in [1.0 - 200e-6, 1.0 + 200e-6] {
        let (mut steer, mut out, mut given) = (Steer::new(), Vec::new(), 0_usize);
        let piece = [0.0; 960];
        for minute in 1..=8 {
            for _ in 0..3_000 {
                out.clear();
                steer.push(&piece, speed, &mut out);
                given += out.len();
            }
            let due = f64::from(minute * 60 * 48_000 - HALF as i32) / speed;
            assert!((given as f64 - due).abs() <= 1.0, "{given} of {due} after {minute} minutes");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_speed_keeps_the_sound_in_bounds(
        speeds in prop::collection::vec(prop_oneof![Just(1.0), 0.9_f64..1.1, any::<f64>()], 1..20),
        piece in 0_usize..600,
    ) {
        let (mut steer, mut out) = (Steer::new(), Vec::new());
        let sound = vec![1.0; piece];
        for speed in speeds {
            out.clear();
            steer.push(&sound, speed, &mut out);
            prop_assert!(out.len() <= piece + piece / 50 + TAPS);
            prop_assert!(out.iter().all(|x| x.abs() < 1.3));
            prop_assert!(steer.held.len() < TAPS + 2);
        }
    }
}
