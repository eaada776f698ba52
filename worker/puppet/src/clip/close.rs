//! A frame of a video with the mouth brought to that of the home frame: what the person says in it is taken back.
//!
//! Two steps. The face below the nose is warped so that its landmarks come to lie where the home frame's would: lips close, the
//! chin rises, the corners come to rest. What the warp cannot give, lips that were stretched over teeth and the line
//! between closed ones, is the home frame's own, laid over the lips by as much as the frame's own were apart, in the frame's light.

use super::affine::Affine;
use super::home::MouthReading;
use super::pose::FaceCamera;
use super::spread::Spread;
use crate::curves::{Profile, smoothstep};
use crate::fields::Reach;
use crate::frame::{FaceFrame, LOWER_INNER, UPPER_INNER};
use crate::grid::Grid;
use crate::mouth::Mouth;
use crate::source::Source;
use mouthpiece_frame::{I420, LightFit, LightPlanes, Mesh, POINTS, Rect};

/// The upper lip but for its inner border and the corners, and the lower one: outer border and the rings between.
#[rustfmt::skip]
const UPPER_LIP: [usize; 27] = [
    185, 40, 39, 37, 0, 267, 269, 270, 409, 184, 74, 73, 72, 11, 302, 303, 304, 408, 183, 42, 41, 38, 12, 268, 271, 272, 407,
];
#[rustfmt::skip]
const LOWER_LIP: [usize; 27] = [
    146, 91, 181, 84, 17, 314, 405, 321, 375, 77, 90, 180, 85, 16, 315, 404, 320, 307, 96, 89, 179, 86, 15, 316, 403, 319, 325,
];
/// The corners belong to both.
const CORNERS: [usize; 8] = [61, 291, 76, 306, 62, 292, 78, 308];
/// Points above this height are held by the skull, those below the second move freely; in eye spans from the mouth.
const HELD: (f32, f32) = (-0.42, -0.20);
/// So far to the sides points move freely, and from there on not at all: a turned head's outline is another part of the cheek
/// than the home frame's, and speech hardly moves it.
const SIDES: (f32, f32) = (0.42, 0.60);
/// And over this range what moves comes to rest.
const BESIDE: (f32, f32) = (0.56, 0.74);
/// A lip's inner border is taken from so far inside it once lips are apart, so that no tooth comes along.
const INSET: [f32; 2] = [-0.003, 0.005];
/// Lips this far apart show none of their own line any more.
const PARTED: (f32, f32) = (0.008, 0.025);
/// And over this range they give way to the home frame's.
const GIVES_WAY: (f32, f32) = (0.010, 0.050);
/// How far beyond the lips they do, in eye spans.
const MARGIN: f32 = 0.05;
/// There and a little further out the light of both is compared.
const RING: [f32; 2] = [1.15, 1.45];
/// How much slopes of it are held back: a shadow on one side is no light from there.
const LIGHT_HELD: f64 = 0.0125;

/// One landmark and where it is to go, in the face frame of the home frame.
#[derive(Debug, Clone, Copy)]
struct Control {
    point: usize,
    rest: [f32; 2],
    /// How far it follows, 0..=1.
    free: f32,
    /// It is brought to where the frame's head would show it; points of the lips are brought to `rest`.
    is_skin: bool,
    /// How far from the landmark the lip is taken, in Y: from closed lips, from parted ones.
    inset: [f32; 2],
}

/// One half of the lower face: above the line between the lips, or below.
#[derive(Debug)]
struct Half {
    controls: Vec<Control>,
    spread: Spread,
}

/// Closes the mouths of a video's frames.
#[derive(Debug)]
pub(super) struct LipCloser<'a> {
    face: &'a Mesh,
    frame: FaceFrame,
    mouth: &'a Mouth,
    gap: f32,
    home: &'a Source,
    /// Nodes in pixels of the home frame, and how far what they say counts.
    grid: Grid,
    window: Vec<f32>,
    halves: [Half; 2],
    /// Middle and half sides of the ellipse in which lips give way.
    ellipse: [[f32; 2]; 2],
}

/// What one frame is drawn with.
struct Drawn<'a> {
    closer: &'a LipCloser<'a>,
    source: &'a Source,
    pose: Affine,
    /// Displacement of the nodes in pixels of the home frame: upper half, lower half.
    moved: [Vec<[f32; 2]>; 2],
    /// How far the home frame's lips show.
    gives_way: f32,
    /// What they need to be in this frame's light.
    light: LightPlanes,
}

impl<'a> LipCloser<'a> {
    /// Brings mouths to `mouth`, that of `face` in the picture `home`.
    pub(super) fn new(face: &'a Mesh, frame: FaceFrame, mouth: &'a Mouth, home: &'a Source) -> Self {
        let points = frame.landmarks(face);
        let reach = Reach::of(mouth);
        let area = reach.pixels(frame, home.width, home.height);
        let grid = Grid::over(area, ((frame.unit / 30.0).round() as usize).max(1));
        let places: Vec<[f32; 2]> = (0..grid.rows)
            .flat_map(|r| (0..grid.cols).map(move |c| (c, r)))
            .map(|(c, r)| frame.to_face(grid.place(c, r)))
            .collect();
        let beside = |x: f32| 1.0 - smoothstep(BESIDE.0, BESIDE.1, x.abs());
        let window = places.iter().map(|p| reach.window(*p) * beside(p[0])).collect();
        let pixel = 1.0 / frame.unit;
        let halves = [
            (UPPER_INNER, UPPER_LIP, &mouth.upper, INSET[0] - 0.7 * pixel),
            (LOWER_INNER, LOWER_LIP, &mouth.lower, INSET[1] + 0.7 * pixel),
        ]
        .map(|(inner, lip, line, inset)| {
            let controls = controls(&points, &reach, &inner, &lip, line, inset);
            let rests: Vec<[f32; 2]> = controls.iter().map(|c| c.rest).collect();
            Half { spread: Spread::new(&rests, &places), controls }
        });
        let (top, bottom) = (points[0][1], points[17][1]);
        let (left, right) = (points[61][0], points[291][0]);
        let ellipse = [
            [(left + right) / 2.0, (top + bottom) / 2.0],
            [(right - left) / 2.0 + MARGIN, (bottom - top) / 2.0 + MARGIN],
        ];
        Self { face, frame, mouth, gap: MouthReading::of(face).gap, home, grid, window, halves, ellipse }
    }

    /// Closes the mouth of `face` in `picture`, which lies to the home frame as `pose` says.
    pub(super) fn close(&self, face: &Mesh, pose: Affine, picture: &mut I420) {
        let Some(back) = pose.inverse() else { return };
        let source = Source::new(picture);
        let gap = MouthReading::of(face).gap;
        let camera = FaceCamera::find(self.face, face);
        let parted = smoothstep(PARTED.0, PARTED.1, gap);
        let moved = self.halves.each_ref().map(|half| half.moved(face, back, parted, camera, self));
        let gives_way = smoothstep(GIVES_WAY.0, GIVES_WAY.1, gap - self.gap);
        let mut drawn = Drawn { closer: self, source: &source, pose, moved, gives_way, light: LightPlanes::default() };
        drawn.light = drawn.compare_light();
        let area = pose.bounds(&self.grid, picture.width(), picture.height());
        drawn.paint(back, area, picture);
    }

    /// 0 at the middle of the lips, 1 on the ellipse around them.
    fn beyond_lips(&self, [x, y]: [f32; 2]) -> f32 {
        let [[cx, cy], [a, b]] = self.ellipse;
        ((x - cx) / a).hypot((y - cy) / b)
    }
}

/// What holds one half: its lip, the corners, and the skin of both halves.
fn controls(
    points: &[[f32; 3]],
    reach: &Reach,
    inner: &[usize; 11],
    lip: &[usize; 27],
    line: &Profile,
    inset: f32,
) -> Vec<Control> {
    let at = |i: usize| [points[i][0], points[i][1]];
    let is_lip = |i: &usize| {
        [&UPPER_INNER[..], &LOWER_INNER, &UPPER_LIP, &LOWER_LIP, &CORNERS].iter().any(|ids| ids.contains(i))
    };
    let plain = |i: usize| {
        let [x, y] = at(i);
        let free = smoothstep(HELD.0, HELD.1, y) * (1.0 - smoothstep(SIDES.0, SIDES.1, x.abs()));
        Control { point: i, rest: [x, y], free, is_skin: !is_lip(&i), inset: [0.0; 2] }
    };
    let skin = (0..POINTS).filter(|i| !is_lip(i) && reach.window(at(*i)) > 0.0);
    let edge = inner[1..10].iter().map(|&i| {
        let rest = [points[i][0], line.at(points[i][0])];
        // Of closed lips the line lies where it lies to the home frame's landmarks.
        Control { point: i, rest, free: 1.0, is_skin: false, inset: [rest[1] - points[i][1], inset] }
    });
    skin.chain(CORNERS).chain(lip.iter().copied()).map(plain).chain(edge).collect()
}

impl Half {
    /// The displacement of the nodes in pixels of the home frame.
    fn moved(
        &self,
        face: &Mesh,
        back: Affine,
        parted: f32,
        camera: Option<FaceCamera>,
        closer: &LipCloser<'_>,
    ) -> Vec<[f32; 2]> {
        let at_home = |p: [f32; 2]| closer.frame.to_face(back.at(p));
        let moves: Vec<[f32; 2]> = self
            .controls
            .iter()
            .map(|c| {
                let [x, y, _] = face.points[c.point];
                let [x, y] = at_home([x, y]);
                let inset = c.inset[0] + (c.inset[1] - c.inset[0]) * parted;
                let rest = camera
                    .filter(|_| c.is_skin)
                    .map_or(c.rest, |camera| at_home(camera.at(closer.face.points[c.point])));
                [(x - rest[0]) * c.free, (y + inset - rest[1]) * c.free]
            })
            .collect();
        let mut nodes = vec![[0.0; 2]; closer.grid.len()];
        self.spread.apply(&moves, &mut nodes);
        for (node, window) in nodes.iter_mut().zip(&closer.window) {
            *node = closer.frame.vector_to_px([node[0] * window, node[1] * window]);
        }
        nodes
    }
}

/// Where one pixel's colour comes from.
#[derive(Debug, Clone, Copy)]
struct Origin {
    /// Through either half, in pixels of the frame.
    halves: [[f32; 2]; 2],
    /// How far the lower half shows.
    lower: f32,
    /// How far the home frame shows, and where.
    home: f32,
    at_home: [f32; 2],
    face: [f32; 2],
}

impl Drawn<'_> {
    /// What is drawn at the place `t` of the home frame.
    fn origin(&self, t: [f32; 2]) -> Origin {
        let closer = self.closer;
        let halves = self.moved.each_ref().map(|nodes| {
            let [dx, dy] = closer.grid.sample(nodes, t);
            self.pose.at([t[0] + dx, t[1] + dy])
        });
        let face = closer.frame.to_face(t);
        let mouth = closer.mouth;
        let (above, below) = (mouth.above(face), mouth.below(face));
        // Between the corners the halves meet in a line, beyond them they are one.
        let beyond = (face[0].abs() - 0.97 * mouth.half_width).max(0.0);
        let width = 0.5 + 0.6 * beyond * closer.frame.unit;
        let lower = ((below - above) * 0.5 * closer.frame.unit / (2.0 * width) + 0.5).clamp(0.0, 1.0);
        let around = closer.beyond_lips(face);
        let hole = (-above.max(below) * closer.frame.unit + 0.5).clamp(0.0, 1.0);
        let hole = if mouth.open && beyond == 0.0 { hole } else { 0.0 };
        let home = (self.gives_way * (1.0 - smoothstep(1.0, RING[1], around))).max(hole);
        Origin { halves, lower, home, at_home: t, face }
    }

    /// One of Y, U, V at an origin. `own` and `home` sample the channel.
    fn value(&self, o: &Origin, channel: usize, sample: impl Fn(&Source, [f32; 2]) -> f32) -> f32 {
        let own = || match o.lower {
            l if l <= 0.0 => sample(self.source, o.halves[0]),
            l if l >= 1.0 => sample(self.source, o.halves[1]),
            l => {
                let (a, b) = (sample(self.source, o.halves[0]), sample(self.source, o.halves[1]));
                a + (b - a) * l
            }
        };
        if o.home <= 0.0 {
            return own();
        }
        let home = sample(self.closer.home, o.at_home) + self.light.channel_at(channel, o.face);
        if o.home >= 1.0 {
            return home;
        }
        let own = own();
        own + (home - own) * o.home
    }

    /// By how much the frame's light differs from the home frame's around the lips.
    fn compare_light(&self) -> LightPlanes {
        let [[cx, cy], [a, b]] = self.closer.ellipse;
        let mut differences = Vec::new();
        for k in 0..24 {
            let (sin, cos) = (std::f32::consts::TAU * k as f32 / 24.0).sin_cos();
            for r in RING {
                let face = [cx + r * a * cos, cy + r * b * sin];
                let t = self.closer.frame.to_px(face);
                let o = self.origin(t);
                let own = self.source.yuv_at(o.halves[usize::from(o.lower > 0.5)]);
                let home = self.closer.home.yuv_at(t);
                differences.push((face, 1.0, [0, 1, 2].map(|channel| own[channel] - home[channel])));
            }
        }
        LightFit::of(differences.iter().map(|(face, weight, _)| (*face, *weight)), LIGHT_HELD).planes(differences)
    }

    fn paint(&self, back: Affine, area: Rect, picture: &mut I420) {
        let (width, half) = (picture.width(), picture.width() / 2);
        let byte = |v: f32| (v + 0.5).clamp(0.0, 255.0) as u8;
        for y in area.y0..area.y1 {
            for x in area.x0..area.x1 {
                let t = back.at([x as f32, y as f32]);
                if self.covers(t) {
                    picture.y[y * width + x] = byte(self.value(&self.origin(t), 0, |s, p| s.luma_at(p)));
                }
            }
        }
        for y in area.y0 / 2..area.y1 / 2 {
            for x in area.x0 / 2..area.x1 / 2 {
                let t = back.at([2.0 * x as f32 + 0.5, 2.0 * y as f32 + 0.5]);
                if self.covers(t) {
                    let o = self.origin(t);
                    picture.u[y * half + x] = byte(self.value(&o, 1, |s, p| s.chroma_at(p)[0]));
                    picture.v[y * half + x] = byte(self.value(&o, 2, |s, p| s.chroma_at(p)[1]));
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
