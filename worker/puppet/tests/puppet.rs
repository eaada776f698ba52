//! The puppet engine on the sample portrait: what it must change, and what it must leave alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "../../../src/counting.rs"]
mod counting;

use counting::{Counting, allocations};
use mouthpiece_engine::{Artist, Engine, EngineError, EngineTick, Expression, Gaze, HeadPose, OwnEngine};
use mouthpiece_media::face::{FaceFinder, Iris, Mesh, Runtime};
use mouthpiece_media::image::{I420, PortraitLimits, frame_to_rgb, load_portrait};
use mouthpiece_media::reference::{PrepareOptions, PreparedReference, Reference};
use mouthpiece_puppet::{MouthShape, Puppet, PuppetAvatar, PuppetSeat};
use proptest::prelude::*;
use std::path::Path;
use std::sync::{Arc, OnceLock};

#[global_allocator]
static COUNTING: Counting = Counting;

fn finder() -> FaceFinder {
    FaceFinder::new(&Runtime::get().unwrap()).unwrap()
}

/// A puppet; all of them share what was loaded.
fn puppet() -> Puppet {
    static PUPPET: OnceLock<Puppet> = OnceLock::new();
    PUPPET.get_or_init(|| Puppet::load().unwrap()).clone()
}

fn avatar() -> &'static PuppetAvatar {
    static AVATAR: OnceLock<PuppetAvatar> = OnceLock::new();
    AVATAR.get_or_init(|| {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/portrait.png"));
        let picture = load_portrait(path, &PortraitLimits::default()).unwrap();
        let prepared = PreparedReference::from_portrait(&picture, &mut finder(), &PrepareOptions::default()).unwrap();
        puppet().prepare(prepared.reference).unwrap()
    })
}

fn face() -> &'static Mesh {
    &avatar().reference().frames[0].face
}

fn portrait() -> &'static I420 {
    &avatar().reference().frames[0].picture
}

/// One session of the sample avatar.
struct Session {
    engine: Puppet,
    seat: PuppetSeat,
}

impl Session {
    fn new() -> Self {
        let engine = puppet();
        Self { seat: Puppet::seat(avatar()), engine }
    }

    fn draw(&mut self, cue: MouthShape, expression: Expression) -> &I420 {
        let tick = EngineTick { avatar: avatar(), seat: &mut self.seat, reference: 0, cue: &cue, expression };
        self.engine.draw(&mut [tick]).unwrap();
        Puppet::picture(&self.seat)
    }
}

fn speaking(jaw: f32) -> MouthShape {
    MouthShape { jaw, lower_lip_down: 0.2, upper_lip_up: 0.2, engaged: 1.0, ..MouthShape::default() }
}

fn moved() -> Expression {
    Expression {
        head: HeadPose { dx: 0.02, dy: -0.01, roll: 0.05, yaw: 0.08, pitch: 0.04 },
        brow: 0.5,
        breath: 0.7,
        gaze: Gaze { x: 0.08, y: -0.02 },
        ..Expression::default()
    }
}

/// The mesh and the irises of a drawn frame.
fn seen(frame: &I420) -> (Mesh, [Iris; 2]) {
    let mut finder = finder();
    let picture = frame_to_rgb(frame);
    let faces = finder.find(&picture).unwrap();
    let mesh = finder.mesh(&picture, &faces[0]).unwrap();
    let irises = finder.irises(&picture, &mesh).unwrap();
    (mesh, irises)
}

/// Distance between the inner lips of a drawn frame, in eye spans, as the face mesh sees it.
fn aperture(frame: &I420) -> f32 {
    let (mesh, _) = seen(frame);
    let (a, b) = (mesh.points[13], mesh.points[14]);
    (a[0] - b[0]).hypot(a[1] - b[1]) / mesh.eye_span()
}

/// The pixels whose luma differs from the portrait's, as (x, y).
fn changed(frame: &I420) -> Vec<(usize, usize)> {
    let w = frame.width();
    let y = frame.y.iter().zip(&portrait().y).enumerate().filter(|(_, (a, b))| a != b).map(|(i, _)| (i % w, i / w));
    let chroma = |a: &[u8], b: &[u8]| -> Vec<(usize, usize)> {
        let differ = a.iter().zip(b).enumerate().filter(|(_, (a, b))| a != b);
        differ.map(|(i, _)| (i % (w / 2) * 2, i / (w / 2) * 2)).collect()
    };
    y.chain(chroma(&frame.u, &portrait().u)).chain(chroma(&frame.v, &portrait().v)).collect()
}

#[test]
fn at_rest_the_frame_is_the_portrait() {
    assert_eq!(Session::new().draw(MouthShape::default(), Expression::default()), portrait());
}

#[test]
fn with_the_head_still_nothing_outside_the_lower_face_changes() {
    let (points, d) = (&face().points, face().eye_span());
    let (nose, chin, mouth) = (points[4][1], points[152][1], (points[78][0] + points[308][0]) / 2.0);
    let mut session = Session::new();
    for shape in [
        speaking(1.2),
        MouthShape { pucker: 1.0, jaw: 0.5, engaged: 1.0, ..MouthShape::default() },
        MouthShape { wide: 1.0, press: 1.0, tuck: 1.0, engaged: 1.0, ..MouthShape::default() },
    ] {
        let touched = changed(session.draw(shape, Expression::default()));
        assert!(touched.len() > 500, "the mouth moved");
        for (x, y) in touched {
            let (x, y) = (x as f32, y as f32);
            assert!(y > nose - 0.25 * d && y < chin + 0.7 * d && (x - mouth).abs() < 0.95 * d, "({x}, {y})");
        }
    }
}

#[test]
fn after_speaking_the_portrait_comes_back_exactly() {
    let mut session = Session::new();
    session.draw(speaking(1.0), Expression { blink: 1.0, ..moved() });
    session.draw(speaking(0.3), Expression { blink: 0.4, ..Expression::default() });
    assert_eq!(session.draw(MouthShape::default(), Expression::default()), portrait());
}

#[test]
fn a_blink_touches_only_the_eyes() {
    let points = &face().points;
    let d = face().eye_span();
    let mut session = Session::new();
    let frame = session.draw(MouthShape::default(), Expression { blink: 1.0, ..Expression::default() });
    for (x, y) in changed(frame) {
        let near = [[33, 133], [362, 263]].iter().any(|&[a, b]| {
            let (x0, x1) = (points[a][0].min(points[b][0]), points[a][0].max(points[b][0]));
            let middle = (points[a][1] + points[b][1]) / 2.0;
            x as f32 > x0 - 0.12 * d && (x as f32) < x1 + 0.12 * d && (y as f32 - middle).abs() < 0.2 * d
        });
        assert!(near, "({x}, {y})");
    }
    // The dark of the pupil is gone.
    let eye = |f: &I420| f.y[points[159][1] as usize * f.width() + 3 * f.width() + points[159][0] as usize];
    assert!(eye(frame) > eye(portrait()).saturating_add(40), "{} over {}", eye(frame), eye(portrait()));
}

#[test]
fn eyes_look_aside_and_nothing_else_moves() {
    let mut session = Session::new();
    let d = face().eye_span();
    let aside = |x| Expression { gaze: Gaze { x, y: 0.0 }, ..Expression::default() };
    let [left, right] = [-0.18, 0.18].map(|x| {
        let frame = session.draw(MouthShape::default(), aside(x));
        for (x, y) in changed(frame) {
            let eye = |[a, b]: [usize; 2]| {
                let (a, b) = (face().points[a], face().points[b]);
                (x as f32) > a[0] - 2.0 && (x as f32) < b[0] + 2.0 && (y as f32 - (a[1] + b[1]) / 2.0).abs() < 0.12 * d
            };
            assert!(eye([33, 133]) || eye([362, 263]), "({x}, {y})");
        }
        seen(frame).1
    });
    for (left, right) in left.iter().zip(right) {
        let way = (right.centre[0] - left.centre[0]) / d;
        assert!((0.02..0.06).contains(&way), "{way}");
    }
}

#[test]
fn a_smile_lifts_the_corners_and_a_serious_mouth_lowers_them() {
    let mut session = Session::new();
    let corners = |frame: &I420| {
        let (mesh, _) = seen(frame);
        (mesh.points[61][1] + mesh.points[291][1]) / 2.0
    };
    let with = |smile| Expression { smile, ..Expression::default() };
    let rest = corners(portrait());
    let up = corners(session.draw(MouthShape::default(), with(0.9)));
    let down = corners(session.draw(MouthShape::default(), with(-0.9)));
    let d = face().eye_span();
    assert!(rest - up > 0.012 * d && down - rest > 0.012 * d, "{up} {rest} {down}");
}

#[test]
fn the_head_turns_as_it_is_told_to_and_the_background_stays() {
    let mut session = Session::new();
    let reference = &avatar().reference().frames[0];
    let coverage = &reference.matte.as_ref().expect("the sample's person is told from the background").coverage;
    let (w, h) = (portrait().width(), portrait().height());
    let turned = Expression { head: HeadPose { roll: 0.09, yaw: 0.1, ..HeadPose::default() }, ..Expression::default() };
    let frame = session.draw(MouthShape::default(), turned).clone();
    let angle = |mesh: &Mesh| {
        let (a, b) = (mesh.points[33], mesh.points[263]);
        (b[1] - a[1]).atan2(b[0] - a[0])
    };
    let roll = angle(&seen(&frame).0) - angle(face());
    assert!((0.06..0.11).contains(&roll), "{roll}");
    // What lies further from the person than the head moves is as it was.
    let reach = (0.45 * face().eye_span()) as usize;
    let away = |x: usize, y: usize| {
        let columns = x.saturating_sub(reach)..(x + reach + 1).min(w);
        (y.saturating_sub(reach)..(y + reach + 1).min(h))
            .step_by(3)
            .all(|y| columns.clone().step_by(3).all(|x| coverage[y * w + x] == 0))
    };
    let far = (0..h).step_by(5).flat_map(|y| (0..w).step_by(5).map(move |x| (x, y))).filter(|&(x, y)| away(x, y));
    let mut checked = 0;
    for (x, y) in far {
        assert_eq!(frame.y[y * w + x], portrait().y[y * w + x], "({x}, {y})");
        checked += 1;
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn shoulders_rise_with_the_breath() {
    let mut session = Session::new();
    let breathing = Expression { breath: 1.0, ..Expression::default() };
    let chin = face().points[152][1] as usize;
    let below = changed(session.draw(MouthShape::default(), breathing)).iter().filter(|&&(_, y)| y > chin).count();
    assert!(below > 1000, "{below}");
}

#[test]
fn a_moving_head_leaves_the_border_alone() {
    let mut session = Session::new();
    let frame = session.draw(speaking(0.7), moved());
    let (w, h) = (frame.width(), frame.height());
    assert!(changed(frame).len() > 20_000);
    let at_border: Vec<_> =
        changed(frame).into_iter().filter(|&(x, y)| (x < 2 || x >= w - 2) && y < h * 7 / 10 || y < 2).collect();
    // Shoulders reach the border, and go along.
    assert!(at_border.is_empty(), "{} of {w}x{h}: {:?}", at_border.len(), &at_border[..at_border.len().min(40)]);
}

#[test]
fn the_jaw_opens_the_mouth_and_closing_closes_it() {
    let mut session = Session::new();
    let own = aperture(portrait());
    let apertures: Vec<f32> = [0.0, 0.35, 0.7, 1.05]
        .map(|jaw| {
            aperture(session.draw(MouthShape { jaw, engaged: 1.0, ..MouthShape::default() }, Expression::default()))
        })
        .to_vec();
    assert!(own > 0.1, "the sample smiles with its teeth: {own}");
    assert!(apertures[0] < 0.5 * own, "engaged, the smile closes: {apertures:?} of {own}");
    assert!(apertures.windows(2).all(|p| p[1] > p[0] + 0.02), "{apertures:?}");
    let press = MouthShape { press: 0.85, pucker: 0.05, engaged: 1.0, ..MouthShape::default() };
    assert!(aperture(session.draw(press, Expression::default())) < 0.5 * own);
}

#[test]
fn two_sessions_of_one_avatar_draw_the_same() {
    let (mut a, mut b) = (Session::new(), Session::new());
    a.draw(speaking(0.9), Expression { blink: 0.7, ..moved() });
    for shape in [speaking(0.2), speaking(0.8)] {
        assert_eq!(a.draw(shape, moved()), b.draw(shape, moved()));
    }
}

#[test]
fn the_steady_state_allocates_nothing() {
    let mut session = Session::new();
    for (jaw, blink) in [(1.2, 1.0), (0.0, 0.0), (0.6, 0.5)] {
        session.draw(speaking(jaw), Expression { blink, ..moved() });
        session.draw(speaking(jaw), Expression::default());
    }
    let before = allocations();
    for i in 0..40 {
        let t = i as f32 / 40.0;
        let expression = if i % 2 == 0 { moved() } else { Expression::default() };
        session.draw(speaking(1.2 * t), Expression { blink: 1.0 - t, ..expression });
    }
    assert_eq!(allocations() - before, 0);
}

#[test]
fn rest_is_the_picture_of_the_default_cue() {
    let (mut resting, mut drawing) = (Session::new(), Session::new());
    let lids = |blink| Expression { blink, ..Expression::default() };
    let expressions = [Expression::default(), moved(), lids(0.6), Expression { blink: 1.0, ..moved() }, lids(0.0)];
    for (i, expression) in expressions.into_iter().enumerate() {
        // What was said before leaves no trace.
        resting.draw(speaking(0.3 * i as f32), moved());
        Puppet::rest(avatar(), &mut resting.seat, 0, expression).unwrap();
        assert_eq!(Puppet::picture(&resting.seat), drawing.draw(MouthShape::default(), expression), "{expression:?}");
    }
    let before = allocations();
    for expression in [moved(), lids(0.5), Expression::default()] {
        Puppet::rest(avatar(), &mut resting.seat, 0, expression).unwrap();
    }
    assert_eq!(allocations() - before, 0);
    let missing = Puppet::rest(avatar(), &mut resting.seat, 1, moved());
    assert!(matches!(missing, Err(EngineError::NoSuchFrame { asked: 1, held: 1 })));
}

#[test]
fn alone_rests_without_a_tick() {
    let mine = Arc::new(puppet().prepare(avatar().reference().clone()).unwrap());
    let [mut a, mut b] = [(); 2].map(|()| OwnEngine::new(puppet(), Arc::clone(&mine)));
    a.draw(0, speaking(1.0), moved()).unwrap();
    assert_eq!(a.rest(0, moved()).unwrap(), b.draw(0, MouthShape::default(), moved()).unwrap());
    assert!(matches!(a.rest(3, moved()), Err(EngineError::NoSuchFrame { asked: 3, held: 1 })));
}

#[test]
fn a_frame_that_the_avatar_lacks_is_refused() {
    let engine = &mut puppet();
    let mut seat = Puppet::seat(avatar());
    let (cue, expression) = (MouthShape::default(), Expression::default());
    let tick = EngineTick { avatar: avatar(), seat: &mut seat, reference: 1, cue: &cue, expression };
    assert!(matches!(engine.draw(&mut [tick]), Err(EngineError::NoSuchFrame { asked: 1, held: 1 })));
}

#[test]
fn impossible_faces_are_refused() {
    let engine = puppet();
    let with = |change: &dyn Fn(&mut Mesh)| {
        let mut reference = avatar().reference().clone();
        change(&mut reference.frames[0].face);
        engine.prepare(reference).unwrap_err()
    };
    assert!(matches!(with(&|m| m.points.truncate(10)), EngineError::ImpossibleFace { frame: 0, .. }));
    assert!(matches!(with(&|m| m.points[7][1] = f32::NAN), EngineError::ImpossibleFace { .. }));
    assert!(matches!(with(&|m| m.points.fill([5.0, 5.0, 0.0])), EngineError::ImpossibleFace { .. }));
    let empty = Reference { frames: Vec::new(), frames_per_second: 0.0 };
    assert!(matches!(engine.prepare(empty), Err(EngineError::EmptyReference)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_shape_can_be_drawn(mouth in prop::array::uniform9(-1.5_f32..3.0), head in prop::array::uniform9(-1.0_f32..1.0)) {
        let [jaw, lower_lip_down, upper_lip_up, wide, pucker, press, tuck, tongue, engaged] = mouth;
        let shape = MouthShape { jaw, lower_lip_down, upper_lip_up, wide, pucker, press, tuck, tongue, engaged };
        let [dx, dy, roll, yaw, pitch, blink, brow, smile, breath] = head;
        let pose = HeadPose { dx: dx * 0.3, dy: dy * 0.3, roll, yaw, pitch };
        let mut session = Session::new();
        let gaze = Gaze { x: yaw, y: pitch };
        session.draw(shape, Expression { blink, brow, smile, breath, gaze, head: pose });
        prop_assert_eq!(session.draw(MouthShape::default(), Expression::default()), portrait());
    }
}

#[test]
fn several_ticks_at_once_draw_what_each_would_alone() {
    let shapes = [speaking(0.2), speaking(0.9), MouthShape { pucker: 1.0, engaged: 1.0, ..MouthShape::default() }];
    let engine = &mut puppet();
    let mut seats = [(); 3].map(|()| Puppet::seat(avatar()));
    for _ in 0..3 {
        let ticks = seats.iter_mut().zip(&shapes);
        let ticks =
            ticks.map(|(seat, cue)| EngineTick { avatar: avatar(), seat, reference: 0, cue, expression: moved() });
        engine.draw(&mut ticks.collect::<Vec<_>>()).unwrap();
    }
    for (seat, shape) in seats.iter().zip(shapes) {
        assert_eq!(Puppet::picture(seat), Session::new().draw(shape, moved()));
    }
}

#[test]
fn an_avatar_knows_its_size() {
    let (frame, bytes) = (portrait(), Puppet::bytes(avatar()));
    let pixels = frame.width() * frame.height();
    assert!((pixels * 5..pixels * 16).contains(&bytes), "{bytes} bytes for {pixels} pixels");
}
