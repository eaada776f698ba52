//! The engine behind the seam.

use crate::twins::{avatar, engine, folder, reference, settings};
use mouthpiece_engine::{Artist, Cue, Ear, Engine, EngineError, EngineTick, Expression, OwnEngine, SpeechLevel};
use mouthpiece_frame::I420;
use mouthpiece_media::face::Runtime;
use mouthpiece_media::reference::Reference;
use mouthpiece_musetalk::{Blender, MouthGenerator, MuseTalk, Provider, SIDE, SOUND, SoundClip};

/// Sound that looks like features.
fn clip(seed: u32) -> SoundClip {
    SoundClip::new((0..SOUND).map(|i| ((i as f32 * 0.37 + seed as f32) * (1.0 + seed as f32)).sin() * 2.0).collect())
}

fn draw(reference: usize, cue: SoundClip) -> Result<I420, EngineError> {
    let mut own = OwnEngine::new(engine(), avatar());
    own.draw(reference, cue, Expression::default()).cloned()
}

/// The box of all pixels whose brightness differs: left, top, right, bottom.
fn changed(a: &I420, b: &I420) -> Option<[usize; 4]> {
    let at = |i: usize| [i % a.width(), i / a.width()];
    let places = (0..a.y.len()).filter(|&i| a.y[i] != b.y[i]).map(at);
    places.fold(None, |found: Option<[usize; 4]>, [x, y]| {
        let [x0, y0, x1, y1] = found.unwrap_or([x, y, x, y]);
        Some([x0.min(x), y0.min(y), x1.max(x), y1.max(y)])
    })
}

#[test]
fn the_mouth_changes_with_the_sound_and_nothing_else_does() {
    let still = &reference().frames[0];
    let (one, other) = (draw(0, clip(1)).unwrap(), draw(0, clip(2)).unwrap());
    let face = &still.face;
    let mouth: Vec<usize> = vec![61, 291, 13, 14];
    for (name, a, b) in [("the portrait", &still.picture, &one), ("another sound", &one, &other)] {
        let [x0, y0, x1, y1] = changed(a, b).unwrap_or_else(|| panic!("{name}: nothing changed"));
        let lips = face.bounds(&mouth);
        let around = x0 as f32 <= lips.x0 && x1 as f32 >= lips.x1 && y0 as f32 <= lips.y0 && y1 as f32 >= lips.y1;
        assert!(around, "{name}: the lips {lips:?} are not within {:?}", [x0, y0, x1, y1]);
        let (eyes, whole) = (face.bounds(&[33, 263, 145, 374]), face.bounds(&[]));
        assert!(y0 as f32 > eyes.y1, "{name}: the eyes end at {}, changes begin at {y0}", eyes.y1);
        let margin = whole.width() * 0.1;
        assert!(
            x0 as f32 > whole.x0 - margin && (x1 as f32) < whole.x1 + margin && (y1 as f32) < whole.y1 + margin,
            "{name}"
        );
    }
    assert!(changed(&one, &draw(0, clip(1)).unwrap()).is_none(), "the same sound, the same picture");
}

#[test]
fn rest_is_the_picture_of_the_default_cue() {
    let mut own = OwnEngine::new(engine(), avatar());
    own.draw(0, clip(3), Expression::default()).unwrap();
    let resting = own.rest(0, Expression::default()).unwrap().clone();
    assert_eq!(resting, reference().frames[0].picture, "what was said before leaves no trace");
    own.draw(0, clip(3), Expression::default()).unwrap();
    assert_eq!(*own.draw(0, SoundClip::silence(), Expression::default()).unwrap(), resting);
}

#[test]
fn several_ticks_at_once_draw_what_each_would_alone() {
    let (mut engine, avatar) = (engine(), avatar());
    let cues = [clip(1), SoundClip::silence(), clip(2), clip(5)];
    let mut seats: Vec<_> = cues.iter().map(|_| MuseTalk::seat(&avatar)).collect();
    let tick =
        |(seat, cue)| EngineTick { avatar: &*avatar, seat, reference: 0, cue, expression: Expression::default() };
    let mut ticks: Vec<_> = seats.iter_mut().zip(&cues).map(tick).collect();
    engine.draw(&mut ticks).unwrap();
    drop(ticks);
    for (seat, cue) in seats.iter().zip([clip(1), SoundClip::silence(), clip(2), clip(5)]) {
        let alone = draw(0, cue).unwrap();
        let together = MuseTalk::picture(seat);
        let apart = alone.y.iter().zip(&together.y).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>();
        assert!(apart / (alone.y.len() as f64) < 0.05, "{apart}");
    }
}

#[test]
fn a_reference_of_several_frames_is_shown_frame_by_frame() {
    let mut several = reference();
    let mut dark = several.frames[0].clone();
    dark.picture.y.iter_mut().for_each(|y| *y = *y / 2 + 8);
    several.frames.push(dark);
    let pictures: Vec<_> = several.frames.iter().map(|f| f.picture.clone()).collect();
    let mut own = OwnEngine::new(engine(), engine().prepare(several).unwrap().into());
    for (frame, cue) in [(0, clip(1)), (1, clip(2)), (0, clip(4))] {
        let drawn = own.draw(frame, cue, Expression::default()).unwrap();
        assert_eq!(drawn.y[..512], pictures[frame].y[..512], "the first row of frame {frame}");
        assert_eq!(own.rest(1 - frame, Expression::default()).unwrap(), &pictures[1 - frame]);
    }
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    assert!(matches!(draw(1, clip(1)), Err(EngineError::NoSuchFrame { asked: 1, held: 1 })));
    let none = Reference { frames: Vec::new(), frames_per_second: 0.0 };
    assert!(matches!(engine().prepare(none), Err(EngineError::EmptyReference)));
    for change in
        [|p: &mut [f32; 3]| *p = [0.0; 3], |p: &mut [f32; 3]| p[0] = f32::NAN, |p: &mut [f32; 3]| p[0] += 9000.0]
    {
        let mut broken = reference();
        broken.frames[0].face.points.iter_mut().for_each(change);
        assert!(matches!(engine().prepare(broken), Err(EngineError::ImpossibleFace { frame: 0, .. })));
    }
}

#[test]
fn sound_moves_the_mouth_through_the_ear() {
    let mut ear = engine().ear(SpeechLevel::of_recording(0.1, -20.0));
    // A voice-like buzz that rises and falls.
    let buzz = |n: usize| ((n % 130) as f32 / 65.0 - 1.0) * 0.3 * (0.6 + 0.4 * (n as f32 / 2500.0).sin());
    ear.hear(&(0..48_000).map(buzz).collect::<Vec<_>>());
    ear.finish();
    let mut own = OwnEngine::new(engine(), avatar());
    let still = reference().frames[0].picture.clone();
    let mut before: Option<I420> = None;
    for i in 20..26 {
        let cue = ear.cue((f64::from(i) + 0.5) / 25.0).unwrap().cue;
        assert!(!cue.is_rest());
        let drawn = own.draw(0, cue, Expression::default()).unwrap();
        assert!(changed(&still, drawn).is_some());
        assert!(
            before.as_ref().is_none_or(|before| changed(before, drawn).is_some()),
            "frame {i} is as the one before"
        );
        before = Some(drawn.clone());
    }
}

#[test]
fn an_avatar_is_prepared_from_kept_latents_without_looking_at_its_face_again() {
    let mut darker = reference();
    darker.frames[0].picture.y.iter_mut().for_each(|y| *y = *y / 2 + 8);
    let [light, dark] = [reference(), darker].map(|reference| MuseTalk::keep(&engine().prepare(reference).unwrap()));
    assert_ne!(light, dark);
    assert!(engine().can_use(&reference(), &dark) && !engine().can_use(&reference(), &dark[1..]));
    // Another face's latents are taken as they are: nothing was computed.
    let avatar = engine().prepare_kept(reference(), &dark).unwrap();
    assert_eq!(MuseTalk::keep(&avatar), dark);
    // What cannot be used is made again.
    let avatar = engine().prepare_kept(reference(), b"damaged").unwrap();
    assert_eq!(MuseTalk::keep(&avatar), light);
}

#[test]
fn latents_are_kept_under_the_weights_and_the_box_that_made_them() {
    let version = |margin| {
        let mut settings = settings(&folder());
        settings.crop.extra_margin = margin;
        MuseTalk::load(settings).unwrap().kept_version().unwrap()
    };
    let (usual, wider) = (version(10.0), version(20.0));
    assert!(usual.len() == 16 && usual.bytes().all(|b| b.is_ascii_hexdigit()) && usual != wider, "{usual} {wider}");
    assert_eq!(usual, engine().kept_version().unwrap());
}

/// How far the edge of a drawn face shows, mean steps of luma of 255, with the colours as they were drawn and matched:
/// `cargo test -p mouthpiece-musetalk --test engine seam -- --nocapture` prints both.
#[test]
fn matched_colours_leave_less_of_a_seam() {
    let (avatar, still) = (avatar(), &reference().frames[0].picture);
    let frame = avatar.frame(0).unwrap();
    let networks = settings(&folder()).networks;
    let mut generator = MouthGenerator::load(&Runtime::get().unwrap(), &networks, Provider::Cpu).unwrap();
    let (mut plain, mut matched) = (Vec::new(), Vec::new());
    for seed in 1..5 {
        let sound = clip(seed);
        let pair = [(frame.latents.as_slice(), sound.values().unwrap())];
        generator
            .draw(&pair, |_, face| {
                for (blender, steps) in
                    [(Blender::with_plain_colours(), &mut plain), (Blender::default(), &mut matched)]
                {
                    let (mut blender, mut picture) = (blender, still.clone());
                    blender.blend(&mut picture, &frame.patch, face, SIDE);
                    steps.push(frame.patch.seam_step(&picture, still));
                }
            })
            .unwrap();
    }
    let mean = |steps: &[f32]| steps.iter().sum::<f32>() / steps.len() as f32;
    let (plain, matched) = (mean(&plain), mean(&matched));
    println!("the seam on twins: {plain:.2} steps of luma as drawn, {matched:.2} matched");
    assert!(matched < plain * 0.7, "{plain} {matched}");
}
