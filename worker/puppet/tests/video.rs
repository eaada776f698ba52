//! The puppet with a video in which somebody speaks: the video's mouth is closed, its own mouths serve for ours.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../../../src/counting.rs"]
mod counting;

use counting::{Counting, allocations};
use mouthpiece_engine::{Engine, EngineTick, Expression};
use mouthpiece_media::face::{FaceFinder, Mesh, Runtime};
use mouthpiece_media::image::{I420, PortraitLimits, frame_to_rgb, load_portrait};
use mouthpiece_media::reference::{PrepareOptions, PreparedReference, Reference};
use mouthpiece_puppet::{MouthShape, Puppet, PuppetAvatar, PuppetSeat};
use std::convert::Infallible;
use std::path::Path;
use std::sync::OnceLock;

#[global_allocator]
static COUNTING: Counting = Counting;

/// Frames of the video.
const FRAMES: usize = 48;

fn finder() -> FaceFinder {
    FaceFinder::new(&Runtime::get().unwrap()).unwrap()
}

fn puppet() -> Puppet {
    static PUPPET: OnceLock<Puppet> = OnceLock::new();
    PUPPET.get_or_init(|| Puppet::load().unwrap()).clone()
}

fn speaking(jaw: f32) -> MouthShape {
    MouthShape { jaw, lower_lip_down: 0.35 * jaw, upper_lip_up: 0.3 * jaw, engaged: 1.0, ..MouthShape::default() }
}

/// What the person in the video says: the mouth opens twice, wider and wider, rounded once.
fn said(frame: usize) -> MouthShape {
    let t = frame as f32 / FRAMES as f32;
    let open = (std::f32::consts::TAU * 2.0 * t).sin().max(0.0) * (0.5 + 0.6 * t);
    MouthShape { wide: 0.3 * open, pucker: if t > 0.6 { 0.4 * open } else { 0.0 }, ..speaking(open) }
}

/// The second sample portrait, speaking: a video as a camera would have made it.
fn filmed() -> Reference {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/officer.jpg"));
    let picture = load_portrait(path, &PortraitLimits::default()).unwrap();
    let options = PrepareOptions { size: 400, ..PrepareOptions::default() };
    let still = PreparedReference::from_portrait(&picture, &mut finder(), &options).unwrap();
    let (mut engine, actor) = (puppet(), puppet().prepare(still.reference).unwrap());
    let mut seat = Puppet::seat(&actor);
    let mut film = Vec::new();
    for n in 0..FRAMES {
        draw(&mut engine, &actor, &mut seat, 0, said(n), Expression::default());
        film.push(Ok::<_, Infallible>(frame_to_rgb(Puppet::picture(&seat))));
    }
    PreparedReference::from_video(film, 25.0, &mut finder(), &options).unwrap().reference
}

fn reference() -> &'static Reference {
    static REFERENCE: OnceLock<Reference> = OnceLock::new();
    REFERENCE.get_or_init(filmed)
}

fn avatar() -> &'static PuppetAvatar {
    static AVATAR: OnceLock<PuppetAvatar> = OnceLock::new();
    AVATAR.get_or_init(|| puppet().prepare(reference().clone()).unwrap())
}

fn draw(
    engine: &mut Puppet,
    avatar: &PuppetAvatar,
    seat: &mut PuppetSeat,
    reference: usize,
    cue: MouthShape,
    expression: Expression,
) {
    engine.draw(&mut [EngineTick { avatar, seat, reference, cue: &cue, expression }]).unwrap();
}

fn mesh(frame: &I420) -> Mesh {
    let (mut finder, picture) = (finder(), frame_to_rgb(frame));
    let faces = finder.find(&picture).unwrap();
    finder.mesh(&picture, &faces[0]).unwrap()
}

/// Distance between the inner lips, in eye spans.
fn aperture(frame: &I420) -> f32 {
    let mesh = mesh(frame);
    let (a, b) = (mesh.points[13], mesh.points[14]);
    (a[0] - b[0]).hypot(a[1] - b[1]) / mesh.eye_span()
}

/// Mean luma around a place of the face between the lips of a frame.
fn difference(a: &I420, b: &I420, area: [usize; 4]) -> f32 {
    let [x0, y0, x1, y1] = area;
    let (mut sum, mut count) = (0_u32, 0);
    for y in y0..y1 {
        for x in x0..x1 {
            sum += u32::from(a.y[y * a.width() + x].abs_diff(b.y[y * b.width() + x]));
            count += 1;
        }
    }
    sum as f32 / count.max(1) as f32
}

#[test]
fn in_silence_the_mouth_is_the_most_closed_of_the_video() {
    let (mut engine, mut seat) = (puppet(), Puppet::seat(avatar()));
    let widest = (0..FRAMES).max_by(|&a, &b| said(a).jaw.total_cmp(&said(b).jaw)).unwrap();
    let filmed: Vec<f32> = reference().frames.iter().map(|f| aperture(&f.picture)).collect();
    assert!(filmed[widest] > 0.12, "the person speaks: {filmed:?}");
    assert!(said(avatar().home_frame()).jaw < 0.05, "frame {}", avatar().home_frame());
    for n in [0, 5, widest, 30, FRAMES - 1] {
        draw(&mut engine, avatar(), &mut seat, n, MouthShape::default(), Expression::default());
        let shown = aperture(Puppet::picture(&seat));
        assert!(shown < 0.02, "frame {n}: {shown} of {}", filmed[n]);
        Puppet::rest(avatar(), &mut seat, n, Expression::default()).unwrap();
        assert_eq!(Puppet::picture(&seat), &avatar().reference().frames[n].picture);
    }
    // The chin comes up with the lips.
    let chin = |frame: &I420| {
        let mesh = mesh(frame);
        (mesh.points[152][1] - mesh.points[2][1]) / mesh.eye_span()
    };
    let home = chin(&reference().frames[avatar().home_frame()].picture);
    let (talks, rests) =
        (chin(&reference().frames[widest].picture), chin(&avatar().reference().frames[widest].picture));
    assert!(talks - home > 0.05 && (rests - home).abs() < 0.4 * (talks - home), "{home} {talks} {rests}");
}

#[test]
fn above_the_mouth_the_video_is_as_it_was_filmed() {
    for (was, is) in reference().frames.iter().zip(&avatar().reference().frames) {
        let rows = (was.face.points[2][1] - 0.4 * was.face.eye_span()) as usize;
        let pixels = rows * was.picture.width();
        assert_eq!(was.picture.y[..pixels], is.picture.y[..pixels]);
    }
}

#[test]
fn the_mouth_is_ours_whatever_the_video_says() {
    let (mut engine, mut seat) = (puppet(), Puppet::seat(avatar()));
    let mut seen = |n: usize, jaw: f32| {
        draw(&mut engine, avatar(), &mut seat, n, speaking(jaw), Expression::default());
        aperture(Puppet::picture(&seat))
    };
    for n in [0, 3, 12, 30, 41] {
        let [shut, half, wide] = [0.0, 0.5, 1.0].map(|jaw| seen(n, jaw));
        assert!(shut < 0.02 && half > shut + 0.04 && wide > half + 0.04, "frame {n}: {shut} {half} {wide}");
    }
}

#[test]
fn between_the_lips_the_persons_own_mouth_is_seen() {
    assert!(avatar().mouths() >= 8, "{} mouths", avatar().mouths());
    // What was filmed with this shape, and what is drawn with it on another frame: the same teeth at the same place.
    let (mut engine, mut seat) = (puppet(), Puppet::seat(avatar()));
    let widest = (0..FRAMES).max_by(|&a, &b| said(a).jaw.total_cmp(&said(b).jaw)).unwrap();
    let mut marked = reference().clone();
    // The tongue of this person is white: no painted one is.
    for f in &mut marked.frames {
        let (a, b, w) = (f.face.points[13], f.face.points[14], f.picture.width());
        let reach = 0.08 * f.face.eye_span();
        for y in (a[1] + 3.0) as usize..(b[1] - 2.0).max(a[1] + 3.0) as usize {
            for x in (a[0] - reach) as usize..(a[0] + reach) as usize {
                f.picture.y[y * w + x] = 235;
            }
        }
    }
    let marked = puppet().prepare(marked).unwrap();
    let face = &reference().frames[widest].face;
    let (a, b) = (face.points[13], face.points[14]);
    let (x, y) = (a[0] as usize, (0.5 * (a[1] + b[1])) as usize);
    let area = [x - 3, y - 2, x + 4, y + 3];
    let shown = |avatar: &PuppetAvatar, engine: &mut Puppet, seat: &mut PuppetSeat| {
        for _ in 0..4 {
            draw(engine, avatar, seat, 2, said(widest), Expression::default());
        }
        Puppet::picture(seat).clone()
    };
    let plain = shown(avatar(), &mut engine, &mut seat);
    let mut seat = Puppet::seat(&marked);
    let white = shown(&marked, &mut engine, &mut seat);
    assert!(difference(&plain, &white, area) > 60.0, "{}", difference(&plain, &white, area));
    let filmed = &reference().frames[widest].picture;
    assert!(difference(&plain, filmed, area) < 22.0, "{}", difference(&plain, filmed, area));
}

#[test]
fn a_video_blinks_by_itself() {
    let (mut engine, mut seat) = (puppet(), Puppet::seat(avatar()));
    for n in [0, 7] {
        draw(
            &mut engine,
            avatar(),
            &mut seat,
            n,
            MouthShape::default(),
            Expression { blink: 1.0, ..Expression::default() },
        );
        assert_eq!(Puppet::picture(&seat), &avatar().reference().frames[n].picture);
    }
}

#[test]
fn the_steady_state_of_a_video_allocates_nothing() {
    let (mut engine, mut seat) = (puppet(), Puppet::seat(avatar()));
    let mut round = || {
        for n in 0..FRAMES {
            draw(&mut engine, avatar(), &mut seat, n, said((n + 9) % FRAMES), Expression::default());
        }
    };
    round();
    let before = allocations();
    round();
    assert_eq!(allocations() - before, 0);
}

#[test]
fn what_was_kept_makes_the_same_avatar_and_damage_is_made_good() {
    let engine = puppet();
    let kept = Puppet::keep(avatar());
    assert!(engine.kept_version().is_some() && engine.can_use(reference(), &kept));
    assert!(!engine.can_use(reference(), &kept[..kept.len() - 1]));
    let mut shorter = reference().clone();
    shorter.frames.truncate(FRAMES - 1);
    assert!(!engine.can_use(&shorter, &kept));
    let mut damaged = kept.clone();
    damaged[100] ^= 1;
    for (kept, mouths) in [(&kept, avatar().mouths()), (&damaged, avatar().mouths())] {
        let again = engine.prepare_kept(reference().clone(), kept).unwrap();
        assert_eq!(again.mouths(), mouths);
        assert_eq!(Puppet::keep(&again), Puppet::keep(avatar()));
        let (mut a, mut b) = (Puppet::seat(avatar()), Puppet::seat(&again));
        for n in [4, 21] {
            draw(&mut engine.clone(), avatar(), &mut a, n, said(5), Expression::default());
            draw(&mut engine.clone(), &again, &mut b, n, said(5), Expression::default());
            assert_eq!(Puppet::picture(&a), Puppet::picture(&b));
        }
    }
}

#[test]
fn nothing_is_kept_of_a_still_and_no_bank_is_made_of_a_silent_video() {
    let mut still = reference().clone();
    still.frames.truncate(1);
    let still = puppet().prepare(still).unwrap();
    assert!(Puppet::keep(&still).is_empty() && still.mouths() == 0);
    let mut silent = reference().clone();
    let home = silent.frames[avatar().home_frame()].clone();
    silent.frames.fill(home);
    assert_eq!(puppet().prepare(silent).unwrap().mouths(), 0);
}
