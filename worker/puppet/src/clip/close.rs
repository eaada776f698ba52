//! A frame of a video with the mouth brought to that of the home frame: what the person says in it is taken back.
//!
//! Two steps. The face below the nose is warped so that its landmarks come to lie where the home frame's would: lips close, the
//! chin rises, the corners come to rest. What no warp can give is the home frame's own, in the frame's light: the lips always (they may have
//! been stretched over teeth, rolled in for an m or pushed forward for an o, and in silence they must stand still), and the skin around them
//! by as much as speech had moved it.

use super::affine::Affine;
use super::pose::FaceCamera;
use super::spread::Spread;
use crate::curves::smoothstep;
use crate::fields::Reach;
use crate::frame::FaceFrame;
use crate::grid::Grid;
use crate::mouth::Mouth;
use crate::source::Source;
use mouthpiece_frame::{I420, LightFit, LightPlanes, Mesh, POINTS, Rect};
use mouthpiece_media::face::topology::LIPS_OUTER;

/// The lips but for their outer border: what moves there is not seen.
#[rustfmt::skip]
const WITHIN_LIPS: [usize; 60] = [
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
];
/// Points above this height are held by the skull, those below the second move freely; in eye spans from the mouth.
const HELD: (f32, f32) = (-0.42, -0.20);
/// So far to the sides points move freely, and from there on not at all: a turned head's outline is another part of the cheek
/// than the home frame's, and speech hardly moves it.
const SIDES: (f32, f32) = (0.42, 0.60);
/// And over this range what moves comes to rest.
const BESIDE: (f32, f32) = (0.56, 0.74);
/// How far beyond the lips the home frame's own replace a frame's, in eye spans.
const MARGIN: f32 = 0.05;
/// There and a little further out the light of both is compared.
const RING: [f32; 2] = [1.15, 1.45];
/// Skin around the mouth that has to be moved so far (root of the mean square, in eye spans) gives way to the home frame's too:
/// speech has stretched it, and put shadows on it that a warp takes along.
const STRETCHED: (f32, f32) = (0.018, 0.055);
/// Where: from so far below the nose to so far above the tip of the chin, and so far to the sides, in eye spans.
const BELOW_NOSE: f32 = 0.03;
const ABOVE_CHIN: f32 = 0.10;
const TO_SIDES: f32 = 0.50;
/// From this share of the way from its middle to its end on, less and less.
const SKIN_ENDS: f32 = 0.55;
/// And there where skin gives way, in shares of the way from its middle to its end.
const SKIN_LIGHT: [f32; 2] = [0.75, 0.95];
/// How much slopes of it are held back: a shadow on one side is no light from there.
const LIGHT_HELD: f64 = 0.0125;

/// Nodes of the warp lie so far from one another, in eye spans.
const NODES: f32 = 1.0 / 16.0;
/// What is moved by less, in pixels, is where it is.
const STILL: f32 = 0.03;

/// One landmark and where it is to go, in the face frame of the home frame.
#[derive(Debug, Clone, Copy)]
struct Control {
    point: usize,
    rest: [f32; 2],
    /// How far it follows, 0..=1.
    free: f32,
    /// It is brought to where the frame's head would show it; points of the lips are brought to `rest`.
    is_skin: bool,
}

/// Closes the mouths of a video's frames.
#[derive(Debug)]
pub(super) struct LipCloser<'a> {
    face: &'a Mesh,
    frame: FaceFrame,
    home: &'a Source,
    /// Nodes in pixels of the home frame, and how far what they say counts.
    grid: Grid,
    window: Vec<f32>,
    controls: Vec<Control>,
    spread: Spread,
    /// Where lips give way, and where skin does.
    lips: Ellipse,
    skin: Ellipse,
}

/// What one frame is drawn with.
struct Drawn<'a> {
    closer: &'a LipCloser<'a>,
    source: &'a Source,
    pose: Affine,
    /// Displacement of the nodes in pixels of the home frame.
    moved: Vec<[f32; 2]>,
    /// How far the home frame's skin around the lips shows, 0..=1.
    stretched: f32,
    /// What the home frame needs to be in this frame's light.
    light: LightPlanes,
}

impl<'a> LipCloser<'a> {
    /// Brings mouths to `mouth`, that of `face` in the picture `home`.
    pub(super) fn new(face: &'a Mesh, frame: FaceFrame, mouth: &Mouth, home: &'a Source) -> Self {
        let points = frame.landmarks(face);
        let reach = Reach::of(mouth);
        let area = reach.pixels(frame, home.width, home.height);
        let grid = Grid::over(area, ((frame.unit * NODES).round() as usize).max(1));
        let places: Vec<[f32; 2]> = (0..grid.rows)
            .flat_map(|r| (0..grid.cols).map(move |c| (c, r)))
            .map(|(c, r)| frame.to_face(grid.place(c, r)))
            .collect();
        let beside = |x: f32| 1.0 - smoothstep(BESIDE.0, BESIDE.1, x.abs());
        let window = places.iter().map(|p| reach.window(*p) * beside(p[0])).collect();
        let controls = controls(&points, &reach);
        let rests: Vec<[f32; 2]> = controls.iter().map(|c| c.rest).collect();
        let (left, right) = (points[61][0], points[291][0]);
        let lips = Ellipse::over([left - MARGIN, right + MARGIN], [points[0][1] - MARGIN, points[17][1] + MARGIN]);
        let (middle, ends) = (lips.middle[0], [points[2][1] + BELOW_NOSE, points[152][1] - ABOVE_CHIN]);
        let skin = Ellipse::over([middle - TO_SIDES, middle + TO_SIDES], ends);
        let spread = Spread::new(&rests, &places);
        Self { face, frame, home, grid, window, controls, spread, lips, skin }
    }

    /// Closes the mouth of `face` in `picture`, which lies to the home frame as `pose` says.
    pub(super) fn close(&self, face: &Mesh, pose: Affine, picture: &mut I420) {
        let Some(back) = pose.inverse() else { return };
        let source = Source::new(picture);
        let moves = self.moves(face, back);
        let stretched = self.stretched(&moves);
        let mut moved = vec![[0.0; 2]; self.grid.len()];
        self.spread.apply(&moves, &mut moved);
        for (node, window) in moved.iter_mut().zip(&self.window) {
            *node = self.frame.vector_to_px([node[0] * window, node[1] * window]);
        }
        let mut drawn = Drawn { closer: self, source: &source, pose, moved, stretched, light: LightPlanes::default() };
        drawn.light = drawn.compare_light();
        let area = pose.bounds(&self.grid, picture.width(), picture.height());
        drawn.paint(back, area, picture);
    }

    /// How far each landmark of a frame lies from where it is to go, in the face frame of the home frame.
    fn moves(&self, face: &Mesh, back: Affine) -> Vec<[f32; 2]> {
        let camera = FaceCamera::find(self.face, face);
        let at_home = |p: [f32; 2]| self.frame.to_face(back.at(p));
        let one = |c: &Control| {
            let [x, y, _] = face.points[c.point];
            let [x, y] = at_home([x, y]);
            let shown = camera.filter(|_| c.is_skin).map(|camera| at_home(camera.at(self.face.points[c.point])));
            let rest = shown.unwrap_or(c.rest);
            [(x - rest[0]) * c.free, (y - rest[1]) * c.free]
        };
        self.controls.iter().map(one).collect()
    }

    /// How far the skin around the mouth gives way when the landmarks move by `moves`.
    fn stretched(&self, moves: &[[f32; 2]]) -> f32 {
        let (mut sum, mut count) = (0.0, 0);
        for (control, [dx, dy]) in self.controls.iter().zip(moves) {
            if control.is_skin && self.skin.out(control.rest) < 1.0 {
                sum += dx * dx + dy * dy;
                count += 1;
            }
        }
        smoothstep(STRETCHED.0, STRETCHED.1, (sum / count.max(1) as f32).sqrt())
    }
}

/// A part of the home frame's face.
#[derive(Debug, Clone, Copy)]
struct Ellipse {
    middle: [f32; 2],
    half: [f32; 2],
}

impl Ellipse {
    fn over([left, right]: [f32; 2], [top, bottom]: [f32; 2]) -> Self {
        let half = |a: f32, b: f32| ((b - a) / 2.0).max(0.02);
        Self { middle: [(left + right) / 2.0, (top + bottom) / 2.0], half: [half(left, right), half(top, bottom)] }
    }

    /// 0 in its middle, 1 on its border.
    fn out(&self, [x, y]: [f32; 2]) -> f32 {
        let (x, y) = ((x - self.middle[0]) / self.half[0], (y - self.middle[1]) / self.half[1]);
        (x * x + y * y).sqrt()
    }

    /// Places around it, `times` as far out as the border.
    fn around(&self, times: f32) -> impl Iterator<Item = [f32; 2]> {
        let Self { middle: [x, y], half: [a, b] } = *self;
        (0..24).map(move |k| {
            let (sin, cos) = (std::f32::consts::TAU * k as f32 / 24.0).sin_cos();
            [x + times * a * cos, y + times * b * sin]
        })
    }
}

/// What holds the warp: the skin, and the outer border of the lips.
fn controls(points: &[[f32; 3]], reach: &Reach) -> Vec<Control> {
    let control = |point: usize| {
        let [x, y, _] = points[point];
        let free = smoothstep(HELD.0, HELD.1, y) * (1.0 - smoothstep(SIDES.0, SIDES.1, x.abs()));
        Control { point, rest: [x, y], free, is_skin: !LIPS_OUTER.contains(&point) }
    };
    let is_held = |i: &usize| !WITHIN_LIPS.contains(i) && reach.window([points[*i][0], points[*i][1]]) > 0.0;
    (0..POINTS).filter(is_held).map(control).collect()
}

/// Where one pixel's colour comes from.
#[derive(Debug, Clone, Copy)]
struct Origin {
    /// In pixels of the frame.
    own: [f32; 2],
    /// How far the home frame shows, and where.
    home: f32,
    at_home: [f32; 2],
    face: [f32; 2],
}

impl Drawn<'_> {
    /// What is drawn at the place `t` of the home frame; `None` where nothing changes.
    fn origin(&self, t: [f32; 2]) -> Option<Origin> {
        let closer = self.closer;
        let [dx, dy] = closer.grid.sample(&self.moved, t);
        let face = closer.frame.to_face(t);
        let (lips, skin) = (closer.lips.out(face), closer.skin.out(face));
        let lips = 1.0 - smoothstep(1.0, RING[1], lips);
        let skin = self.stretched * (1.0 - smoothstep(SKIN_ENDS, 1.0, skin));
        let home = 1.0 - (1.0 - lips) * (1.0 - skin);
        let changes = home > 0.0 || dx.abs() > STILL || dy.abs() > STILL;
        changes.then(|| Origin { own: self.pose.at([t[0] + dx, t[1] + dy]), home, at_home: t, face })
    }

    /// One of Y, U, V at an origin. `sample` looks the channel up.
    fn value(&self, o: &Origin, channel: usize, sample: impl Fn(&Source, [f32; 2]) -> f32) -> f32 {
        if o.home <= 0.0 {
            return sample(self.source, o.own);
        }
        let home = sample(self.closer.home, o.at_home) + self.light.channel_at(channel, o.face);
        if o.home >= 1.0 {
            return home;
        }
        let own = sample(self.source, o.own);
        own + (home - own) * o.home
    }

    /// By how much the frame's light differs from the home frame's where one goes over into the other.
    fn compare_light(&self) -> LightPlanes {
        let closer = self.closer;
        let lips =
            RING.into_iter().flat_map(|times| closer.lips.around(times)).map(|face| (face, 1.0 - self.stretched));
        let skin =
            SKIN_LIGHT.into_iter().flat_map(|times| closer.skin.around(times)).map(|face| (face, self.stretched));
        let places: Vec<([f32; 2], f32)> = lips.chain(skin).filter(|(_, weight)| *weight > 0.0).collect();
        let differences = places.iter().map(|&(face, weight)| {
            let t = closer.frame.to_px(face);
            let own = self.source.yuv_at(self.origin(t).map_or_else(|| self.pose.at(t), |o| o.own));
            let home = closer.home.yuv_at(t);
            (face, weight, [0, 1, 2].map(|channel| own[channel] - home[channel]))
        });
        LightFit::of(places.iter().copied(), LIGHT_HELD).planes(differences)
    }

    fn paint(&self, back: Affine, area: Rect, picture: &mut I420) {
        let (width, half) = (picture.width(), picture.width() / 2);
        let byte = |v: f32| (v + 0.5).clamp(0.0, 255.0) as u8;
        for y in area.y0..area.y1 {
            for x in area.x0..area.x1 {
                let t = back.at([x as f32, y as f32]);
                if let Some(o) = self.covers(t).then(|| self.origin(t)).flatten() {
                    picture.y[y * width + x] = byte(self.value(&o, 0, |s, p| s.luma_at(p)));
                }
            }
        }
        for y in area.y0 / 2..area.y1 / 2 {
            for x in area.x0 / 2..area.x1 / 2 {
                let t = back.at([2.0 * x as f32 + 0.5, 2.0 * y as f32 + 0.5]);
                if let Some(o) = self.covers(t).then(|| self.origin(t)).flatten() {
                    picture.u[y * half + x] = byte(self.value(&o, 1, |s, p| s.chroma_at(0, p)));
                    picture.v[y * half + x] = byte(self.value(&o, 2, |s, p| s.chroma_at(1, p)));
                }
            }
        }
    }

    /// Whether the grid says anything of a place.
    fn covers(&self, [x, y]: [f32; 2]) -> bool {
        let grid = &self.closer.grid;
        let (right, down) = (x - grid.x0 as f32, y - grid.y0 as f32);
        right >= 0.0
            && down >= 0.0
            && right <= ((grid.cols - 1) * grid.step) as f32
            && down <= ((grid.rows - 1) * grid.step) as f32
    }
}
