use super::*;
use proptest::prelude::*;

/// Speech as an ear hears it: syllables four a second, a stressed one in five, a pause every four seconds.
fn speech(frame: u32) -> f32 {
    let seconds = f64::from(frame) / 25.0;
    if seconds % 4.0 > 3.2 {
        return 0.0;
    }
    let syllable = (seconds * 4.0) as u32;
    let loud = if syllable.is_multiple_of(5) { 1.0 } else { 0.55 };
    loud * (0.55 + 0.45 * (seconds * 4.0 * TAU).sin() as f32)
}

fn lived(seed: u64, liveliness: Liveliness, seconds: u32, voice: impl Fn(u32) -> f32) -> Vec<Expression> {
    let mut life = Life::new(seed, liveliness);
    (0..25 * seconds).map(|i| life.at(f64::from(i) / 25.0, voice(i))).collect()
}

/// From the smallest to the largest.
fn range(values: impl Iterator<Item = f32>) -> f32 {
    let (low, high) = values.fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)));
    high - low
}

proptest! {
    #[test]
    fn eyes_blink_ten_to_twenty_times_a_minute(seed: u64) {
        let lids = lived(seed, Liveliness::default(), 300, |_| 0.0);
        let shut: Vec<bool> = lids.iter().map(|e| e.blink > 0.5).collect();
        let blinks = shut.windows(2).filter(|w| w[1] && !w[0]).count();
        prop_assert!((50..=100).contains(&blinks), "{blinks} in five minutes");
    }

    #[test]
    fn nothing_goes_further_than_an_engine_can_draw(seed: u64, voices in prop::collection::vec(0.0_f32..1.0, 100)) {
        for demeanour in [Demeanour::Neutral, Demeanour::Friendly, Demeanour::Serious] {
            let mut life = Life::new(seed, Liveliness { demeanour, ..Liveliness::default() });
            for (i, v) in voices.iter().enumerate() {
                let e = life.at(i as f64 / 25.0, *v);
                prop_assert!(e.head.dx.abs() < 0.045 && e.head.dy.abs() < 0.04, "{e:?}");
                prop_assert!(e.head.roll.abs() < 0.12 && e.head.yaw.abs() < 0.16 && e.head.pitch.abs() < 0.16, "{e:?}");
                prop_assert!(e.gaze.x.abs() <= 0.21 && e.gaze.y.abs() <= 0.09, "{e:?}");
                prop_assert!((0.0..=1.0).contains(&e.blink) && (-1.0..=1.2).contains(&e.brow), "{e:?}");
                prop_assert!((-1.0..=1.0).contains(&e.smile) && (0.0..=1.0).contains(&e.breath), "{e:?}");
            }
        }
    }

    /// Real talkers' heads roll over 5 to 13 degrees in a clip; who watches one for long wants rather less.
    #[test]
    fn a_speakers_head_rolls_over_some_degrees_and_never_jerks(seed: u64) {
        let life = lived(seed, Liveliness::default(), 30, speech);
        let degrees = range(life.iter().map(|e| e.head.roll.to_degrees()));
        prop_assert!((3.0..=10.5).contains(&degrees), "{degrees}");
        let fastest = life.windows(2).map(|w| (w[1].head.roll - w[0].head.roll).abs()).fold(0.0, f32::max) * 25.0;
        prop_assert!(fastest.to_degrees() < 26.0, "{} degrees a second", fastest.to_degrees());
    }
}

#[test]
fn the_same_seed_gives_the_same_life() {
    let run = |seed| lived(seed, Liveliness::default(), 4, speech);
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn a_still_head_stands_exactly_as_in_the_picture() {
    let still = Liveliness { blinks: false, ..Liveliness::STILL };
    assert!(lived(1, still, 8, |_| 1.0).iter().all(|e| *e == Expression::default()));
}

#[test]
fn half_the_motion_is_half_as_far() {
    let rolls = |motion| {
        let life = lived(3, Liveliness { motion, ..Liveliness::default() }, 30, speech);
        range(life.iter().map(|e| e.head.roll))
    };
    assert!((rolls(0.5) / rolls(1.0) - 0.5).abs() < 0.02);
}

#[test]
fn who_speaks_nods_and_lifts_the_brows_more_than_who_listens() {
    let nods = |voice: &dyn Fn(u32) -> f32| {
        let life = lived(9, Liveliness::default(), 60, voice);
        let beats = life.windows(2).map(|w| (w[1].head.pitch - w[0].head.pitch).abs()).sum::<f32>();
        (beats, life.iter().filter(|e| e.brow > 0.4).count())
    };
    let (speaks, listens) = (nods(&speech), nods(&|_| 0.0));
    assert!(speaks.0 > 2.0 * listens.0 && speaks.1 > listens.1 + 50, "{speaks:?} {listens:?}");
}

#[test]
fn eyes_leave_and_come_back_and_keep_what_they_look_at_while_the_head_turns() {
    let life = lived(2, Liveliness::default(), 60, speech);
    let looks: Vec<f32> = life.iter().map(|e| e.gaze.x + 0.9 * e.head.yaw).collect();
    let away = looks.iter().filter(|x| x.abs() > 0.06).count();
    assert!((60..700).contains(&away), "{away} of {} frames", looks.len());
    // Between jumps the eyes rest.
    let resting = looks.windows(2).filter(|w| (w[1] - w[0]).abs() < 1e-4).count();
    assert!(resting > 1000, "{resting}");
}

#[test]
fn demeanours_differ_in_corners_and_brows() {
    let means = |demeanour| {
        let life = lived(4, Liveliness { demeanour, ..Liveliness::default() }, 40, speech);
        let n = life.len() as f32;
        [life.iter().map(|e| e.smile).sum::<f32>() / n, life.iter().map(|e| e.brow).sum::<f32>() / n]
    };
    let [serious, neutral, friendly] = [Demeanour::Serious, Demeanour::Neutral, Demeanour::Friendly].map(means);
    for part in 0..2 {
        assert!(serious[part] < neutral[part] - 0.05 && neutral[part] < friendly[part] - 0.05);
    }
}
