//! The live ear against the recorded one, in rooms, and with what no mouth should follow.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod sound;

use mouthpiece_engine::{Ear, HeardCue};
use mouthpiece_media::features::VisemeNet;
use mouthpiece_puppet::{MouthShape, PuppetEar};
use proptest::prelude::*;
use sound::{FPS, RATE, clicks, closures, gain, hum, noise, rms, speech};
use std::sync::{Arc, OnceLock};

fn net() -> Arc<VisemeNet> {
    static NET: OnceLock<Arc<VisemeNet>> = OnceLock::new();
    Arc::clone(NET.get_or_init(|| Arc::new(VisemeNet::shipped().unwrap())))
}

fn live() -> PuppetEar {
    PuppetEar::live(net())
}

/// What is heard in the middle of each frame, the samples arriving in pieces of `piece`.
fn listen(ear: &mut PuppetEar, samples: &[f32], piece: usize) -> Vec<HeardCue<MouthShape>> {
    let (mut heard, mut ready) = (Vec::new(), 0);
    for p in samples.chunks(piece) {
        ear.hear(p);
        ready += p.len();
        while let Some(h) = ear.cue((heard.len() as f64 + 0.5) / FPS) {
            heard.push(h);
        }
    }
    assert!(heard.len() as f64 >= (ready as f64 / RATE - ear.need()) * FPS - 1.0);
    heard
}

fn jaws(heard: &[HeardCue<MouthShape>]) -> Vec<f32> {
    heard.iter().map(|h| h.cue.jaw).collect()
}

/// The value that nine of ten do not exceed.
fn wide_open(heard: &[HeardCue<MouthShape>]) -> f32 {
    let mut jaws = jaws(heard);
    jaws.sort_by(f32::total_cmp);
    jaws[jaws.len() * 9 / 10]
}

fn moves(heard: &[HeardCue<MouthShape>]) -> usize {
    heard.iter().filter(|h| **h != HeardCue::default()).count()
}

/// `samples` with an active level of `db`.
fn at_level(samples: &[f32], db: f32) -> Vec<f32> {
    let active: Vec<f32> = samples.chunks(320).filter(|c| rms(c) > 0.005).flatten().copied().collect();
    gain(samples, 10.0_f32.powf(db / 20.0) / rms(&active))
}

#[test]
fn a_cue_comes_exactly_when_what_it_needs_was_heard() {
    let sound = speech().0;
    assert!(live().need() <= 0.05 + 1e-12, "{}", live().need());
    for frames in [25.0, 12.5, 50.0] {
        let (mut ear, mut fed) = (live(), 0);
        for n in 0..20 {
            let at = (f64::from(n) + 0.5) / frames;
            let needed = ((at + ear.need()) * RATE - 1e-6).ceil() as usize;
            ear.hear(&sound[fed..needed - 1]);
            assert_eq!(ear.cue(at), None, "{at} s: a sample too early");
            ear.hear(&sound[needed - 1..needed]);
            assert!(ear.cue(at).is_some(), "{at} s: not in time");
            fed = needed;
        }
    }
    // Times between two frames of analysis are answered up to 10 ms earlier, never later.
    for n in 0..200 {
        let (mut ear, at) = (live(), f64::from(n) / 130.0);
        let needed = ((at + ear.need()) * RATE).ceil() as usize;
        ear.hear(&sound[..needed.saturating_sub(161)]);
        assert_eq!(ear.cue(at), None, "{at} s");
        ear.hear(&sound[needed.saturating_sub(161)..needed]);
        assert!(ear.cue(at).is_some(), "{at} s");
    }
}

#[test]
fn cues_depend_neither_on_how_the_sound_arrives_nor_on_what_comes_later() {
    let sound = &speech().0[..80_000];
    let whole = listen(&mut live(), sound, 80_000);
    for piece in [1, 161, 640, 4_801] {
        assert!(listen(&mut live(), sound, piece) == whole, "pieces of {piece}");
    }
}

#[test]
fn it_follows_speech_nearly_as_well_as_if_it_were_recorded() {
    let (sound, level) = speech();
    let live = listen(&mut live(), &sound, 640);
    let mut ear = PuppetEar::new(net(), level, 200);
    ear.hear(&sound);
    let recorded = listen(&mut ear, &vec![0.0; 16_000], 640)[..live.len()].to_vec();
    let got = sound::compare(&jaws(&live), &jaws(&recorded));
    assert!(got.offset_ms.abs() <= 20.0 && got.correlation > 0.95, "{got:?}");
    let [a, b] = [&live, &recorded].map(|heard| closures(heard));
    assert!(a >= b - 0.05 && a > 0.85, "{a} of the closures live, {b} recorded");
    assert!((wide_open(&live) / wide_open(&recorded) - 1.0).abs() < 0.2);
}

#[test]
fn quiet_and_loud_speakers_open_the_mouth_alike_within_a_second() {
    let (sound, level) = speech();
    let sound = &sound[3 * 16_000..9 * 16_000];
    let usual = wide_open(&listen(&mut PuppetEar::new(net(), level, 0), sound, 640));
    for levels in [[-40.0, -12.0], [-12.0, -40.0], [-30.0, -20.0]] {
        let mut ear = live();
        let both: Vec<f32> = levels.iter().flat_map(|db| at_level(sound, *db)).collect();
        let heard = listen(&mut ear, &both, 640);
        for (db, heard) in levels.iter().zip(heard.chunks(150)) {
            let open = wide_open(&heard[35..]);
            assert!((open / usual - 1.0).abs() < 0.3, "{db} dB: {open} instead of {usual} ({levels:?})");
        }
    }
}

#[test]
fn rooms_do_not_move_the_lips() {
    for db in [-70.0, -60.0, -50.0] {
        for (name, room) in [
            ("white", noise(false, 6.0)),
            ("pink", noise(true, 6.0)),
            ("hum", hum(50.0, 6.0)),
            ("buzz", hum(120.0, 6.0)),
        ] {
            let mut sound = vec![0.0; 8_000];
            sound.extend(gain(&room, 10.0_f32.powf(db / 20.0) / rms(&room)));
            let heard = listen(&mut live(), &sound, 640);
            assert_eq!(moves(&heard), 0, "{name} at {db} dB");
        }
    }
}

#[test]
fn a_hum_after_a_quiet_speaker_is_soon_silence() {
    let spoken = at_level(&speech().0[..5 * 16_000], -35.0);
    for hertz in [50.0, 100.0] {
        let room = hum(hertz, 6.0);
        let mut sound = spoken.clone();
        sound.extend(gain(&room, 10.0_f32.powf(-50.0 / 20.0) / rms(&room)));
        let heard = listen(&mut live(), &sound, 640);
        // A second until it is known for a hum, three for a smile to come back.
        assert_eq!(moves(&heard[(5 + 4) * 25..]), 0, "{hertz} Hz");
    }
}

#[test]
fn keys_do_not_make_the_mouth_quiver() {
    let heard = listen(&mut live(), &clicks(-30.0, 5.0, 8.0), 640);
    assert_eq!(moves(&heard), 0);
}

#[test]
fn speech_comes_through_a_room_and_silence_after_it_is_exact() {
    let (sound, level) = speech();
    let sound = &sound[3 * 16_000..9 * 16_000];
    let usual = wide_open(&listen(&mut PuppetEar::new(net(), level, 0), sound, 640));
    let room = gain(&noise(true, 16.0), 0.003);
    let mut both = vec![0.0; 4 * 16_000];
    both.extend(at_level(sound, -22.0));
    both.resize(16 * 16_000, 0.0);
    both.iter_mut().zip(&room).for_each(|(s, n)| *s += n);
    let heard = listen(&mut live(), &both, 640);
    assert_eq!(moves(&heard[..95]), 0, "before anybody speaks");
    let open = wide_open(&heard[125..250]);
    assert!((open / usual - 1.0).abs() < 0.3, "{open} instead of {usual}");
    assert_eq!(moves(&heard[345..]), 0, "nearly four seconds after the last word");
}

#[test]
fn after_hours_of_silence_the_first_word_is_heard() {
    let (sound, _) = speech();
    let silence = vec![0.0; 16_000];
    let mut ear = live();
    let mut frame = 0_u32;
    let mut next = |ear: &mut PuppetEar| {
        let mut open = 0.0_f32;
        while let Some(h) = ear.cue((f64::from(frame) + 0.5) / FPS) {
            frame += 1;
            open = open.max(h.cue.jaw);
        }
        open
    };
    for _ in 0..3 * 3_600 {
        ear.hear(&silence);
        assert_eq!(next(&mut ear), 0.0);
    }
    ear.hear(&sound[3 * 16_000..4 * 16_000]);
    assert!(next(&mut ear) > 0.3);
    assert_eq!(frame, 3 * 3_600 * 25 + 24, "of the last second all but the frame that still needs sound");
}

#[test]
fn an_ear_that_nobody_asks_forgets() {
    let mut ear = live();
    (0..100).for_each(|_| ear.hear(&speech().0[..16_000]));
    assert_eq!(ear.cue(1.0), Some(HeardCue::default()), "long forgotten");
    assert!(ear.cue(99.7).is_some_and(|h| h.cue != MouthShape::default()));
}

/// What no microphone gives, but a program may.
fn odd() -> impl Strategy<Value = Vec<f32>> {
    let value = prop_oneof![
        Just(1.0_f32),
        Just(-1.0),
        Just(0.0),
        Just(f32::NAN),
        Just(f32::INFINITY),
        -1.0_f32..1.0,
        any::<f32>()
    ];
    (prop::collection::vec(value, 1..40), 1_usize..400).prop_map(|(values, each)| {
        let long = values.iter().flat_map(|v| std::iter::repeat_n(*v, each));
        long.cycle().take(24_000).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_is_heard_the_mouth_stays_in_its_range(sound in odd(), piece in 1_usize..2_000, square in 1_usize..400) {
        let wave: Vec<f32> = (0..24_000).map(|i| if i / square % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let mut ear = live();
        let mut all = sound;
        all.extend(wave);
        all.extend(&speech().0[..16_000]);
        for h in listen(&mut ear, &all, piece) {
            let s = h.cue;
            for value in [s.jaw, s.lower_lip_down, s.upper_lip_up, s.wide, s.pucker, s.press, s.tuck, s.tongue, s.engaged, h.voice] {
                prop_assert!((0.0..=1.6).contains(&value), "{h:?}");
            }
        }
    }
}
