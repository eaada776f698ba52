//! How a head moves from one frame to the next, seen in its pixels.
//!
//! A mesh tells where a face is to a pixel or two, and in each frame anew: what is laid onto the face by it alone trembles. What changed
//! between two frames that follow each other is seen far better in the pixels of nose and cheeks themselves (Lucas and Kanade, "An
//! iterative image registration technique", 1981): steps are right over some frames, the mesh is right on average. So the steps are
//! walked, and how the walk lies to the mesh is averaged over time.

use super::affine::{Affine, least_squares};
use crate::draw_pool::DrawPool;
use crate::frame::FaceFrame;
use mouthpiece_frame::{I420, Mesh, ReferenceFrame};

/// The part that is looked at: so far to either side of the nose, in eye spans, and so much of the way from its base to the eyes.
const TO_SIDES: f32 = 0.30;
const TOWARDS_EYES: f32 = 0.66;
/// Places that are compared lie so far from one another, in eye spans.
const APART: f32 = 1.0 / 60.0;
/// How soft the pictures are looked at, first and last: in shares of the eye span.
const SOFTNESS: [f32; 2] = [1.0 / 24.0, 1.0 / 70.0];
/// So many times each.
const ROUNDS: usize = 4;
/// The mesh is not wrong by more, in eye spans: what is found further off is something else.
const FURTHEST: f32 = 0.06;
/// Pictures that still differ by so much (mean of the luma) show no step: a cut, or too much blur.
const UNLIKE: f32 = 14.0;
/// Standard deviation of the average over time, in seconds.
const AVERAGED_S: f32 = 0.20;

/// `poses` (from the home frame to each frame, by the mesh) as steady as the pixels say. `home`: the home frame's face, `frame` its frame.
pub(super) fn steadied(
    frames: &[ReferenceFrame],
    poses: &[Affine],
    home: &Mesh,
    frame: FaceFrame,
    frames_per_second: f32,
    crew: &DrawPool,
) -> Vec<Affine> {
    let places = places(home, frame);
    let pairs = frames.windows(2).zip(poses.windows(2));
    let mut steps: Vec<_> = pairs.map(|(frames, poses)| (frames, poses, None)).collect();
    crew.each(&mut steps, |(frames, poses, step)| {
        let at_home = [poses[0], poses[1]];
        *step = find([&frames[0].picture, &frames[1].picture], at_home, &places, frame.unit);
    });
    let steps: Vec<Option<Affine>> = steps.into_iter().map(|(.., step)| step).collect();
    walk(poses, &steps, AVERAGED_S * frames_per_second)
}

/// The places of the home frame that are looked at, in its pixels.
fn places(home: &Mesh, frame: FaceFrame) -> Vec<[f32; 2]> {
    let at = |i: usize| frame.to_face([home.points[i][0], home.points[i][1]]);
    let (nose, eyes) = (at(2), [at(33), at(263)]);
    let eyes = 0.5 * (eyes[0][1] + eyes[1][1]);
    let top = nose[1] + TOWARDS_EYES * (eyes - nose[1]);
    let count = |length: f32| (length / APART).max(2.0) as usize;
    let (cols, rows) = (count(2.0 * TO_SIDES), count(nose[1] - top));
    let place = |c: usize, r: usize| {
        let (x, y) = (c as f32 / (cols - 1) as f32, r as f32 / (rows - 1) as f32);
        frame.to_px([nose[0] + TO_SIDES * (2.0 * x - 1.0), top + (nose[1] - top) * y])
    };
    (0..rows).flat_map(|r| (0..cols).map(move |c| (c, r))).map(|(c, r)| place(c, r)).collect()
}

/// The step from one picture to the next, as a map between their pixels. `poses`: where the mesh says the home frame's `places` are in
/// each. `None` where the pictures do not show it.
fn find([before, after]: [&I420; 2], poses: [Affine; 2], places: &[[f32; 2]], unit: f32) -> Option<Affine> {
    let places: Vec<[f32; 2]> = places.iter().map(|p| poses[0].at(*p)).collect();
    let count = places.len().max(1) as f32;
    let centre = places.iter().fold([0.0; 2], |sum, p| [sum[0] + p[0] / count, sum[1] + p[1] / count]);
    let guess = poses[1].after(&poses[0].inverse()?).turn_about(centre);
    let scale = poses[0].size();
    let mut step = guess;
    let mut unlike = f32::MAX;
    for soft in SOFTNESS.map(|share| (share * unit * scale).max(0.7)) {
        let was: Vec<f32> = places.iter().map(|p| look(before, *p, soft)).collect();
        let slopes: Vec<[f32; 2]> = places
            .iter()
            .map(|&[x, y]| {
                let across = look(before, [x + soft, y], soft) - look(before, [x - soft, y], soft);
                let down = look(before, [x, y + soft], soft) - look(before, [x, y - soft], soft);
                [across, down].map(|d| d / (2.0 * soft))
            })
            .collect();
        let mut spread = f32::MAX;
        for _ in 0..ROUNDS {
            let apart: Vec<f32> =
                places.iter().zip(&was).map(|(p, was)| look(after, step.at(*p), soft) - was).collect();
            let (mut rows, mut values) = (Vec::with_capacity(apart.len()), Vec::with_capacity(apart.len()));
            for (((&[x, y], [gx, gy]), was), apart) in places.iter().zip(&slopes).zip(&was).zip(&apart) {
                let (dx, dy) = ((x - centre[0]) / unit, (y - centre[1]) / unit);
                // What differs much is a glint or hair that hangs before the face.
                let weight = 1.0 / (1.0 + (apart / spread).powi(2));
                let row = [*gx, *gy, gx * dx + gy * dy, gy * dx - gx * dy, 0.02 * (was - 128.0), 1.0];
                rows.push(row.map(|v| f64::from(v * weight)));
                values.push(f64::from(apart * weight));
            }
            let [tx, ty, grown, turned, ..] = least_squares(&rows, &values, &[1e-3; 6])?.map(|v| v as f32);
            // It is further than it was looked for by this: the step goes so much less far before.
            let (g, t) = (grown / unit, turned / unit);
            let back = Affine::from_coefficients([
                1.0 - g,
                t,
                -tx + g * centre[0] - t * centre[1],
                -t,
                1.0 - g,
                -ty + g * centre[1] + t * centre[0],
            ]);
            step = step.after(&back);
            unlike = apart.iter().map(|v| v.abs()).sum::<f32>() / count;
            spread = (2.0 * unlike).max(2.0);
        }
    }
    let (a, b) = (step.at(centre), guess.at(centre));
    let is_near = (a[0] - b[0]).hypot(a[1] - b[1]) < FURTHEST * unit * scale;
    (is_near && unlike < UNLIKE).then_some(step)
}

/// Luma around a place, as soft as a tent so many pixels wide to either side.
fn look(picture: &I420, [x, y]: [f32; 2], soft: f32) -> f32 {
    let by = 0.5 * soft;
    [[-by, -by], [by, -by], [-by, by], [by, by]].map(|[dx, dy]| bilinear(picture, x + dx, y + dy)).iter().sum::<f32>()
        * 0.25
}

fn bilinear(picture: &I420, x: f32, y: f32) -> f32 {
    let (w, h) = (picture.width(), picture.height());
    let (x, y) = (x.clamp(0.0, (w - 2) as f32), y.clamp(0.0, (h - 2) as f32));
    let (x0, y0) = (x as usize, y as usize);
    let (fx, fy) = (x - x0 as f32, y - y0 as f32);
    let at = |i: usize| f32::from(picture.y[i]);
    let i = y0 * w + x0;
    let (top, bottom) = (at(i) + (at(i + 1) - at(i)) * fx, at(i + w) + (at(i + w + 1) - at(i + w)) * fx);
    top + (bottom - top) * fy
}

/// Walks the steps; over each run of them how `poses` lie to the walk is averaged with a Gaussian of `sigma` frames.
fn walk(poses: &[Affine], steps: &[Option<Affine>], sigma: f32) -> Vec<Affine> {
    let mut steadied = poses.to_vec();
    let mut from = 0;
    while from < poses.len() {
        let run = 1 + steps[from.min(steps.len())..].iter().take_while(|s| s.is_some()).count();
        let mut walked = vec![Affine::IDENTITY];
        for step in steps.iter().skip(from).take(run - 1).flatten() {
            let last = walked[walked.len() - 1];
            walked.push(step.after(&last));
        }
        // Where the walk began, this is the pose.
        let began: Option<Vec<[f32; 6]>> = walked
            .iter()
            .zip(&poses[from..])
            .map(|(walked, pose)| Some(walked.inverse()?.after(pose).coefficients()))
            .collect();
        if let Some(began) = began {
            for (now, walked) in walked.iter().enumerate() {
                let (mut sum, mut weights) = ([0.0; 6], 0.0);
                for (at, began) in began.iter().enumerate() {
                    let weight = (-0.5 * ((at as f32 - now as f32) / sigma).powi(2)).exp();
                    if weight > 1e-4 {
                        sum.iter_mut().zip(began).for_each(|(s, v)| *s += weight * v);
                        weights += weight;
                    }
                }
                steadied[from + now] = walked.after(&Affine::from_coefficients(sum.map(|v| v / weights)));
            }
        }
        from += run;
    }
    steadied
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A face's worth of spots, moved.
    fn picture(by: Affine) -> I420 {
        let mut picture = I420::new(160, 120).unwrap();
        let back = by.inverse().unwrap();
        for y in 0..120 {
            for x in 0..160 {
                let [u, v] = back.at([x as f32, y as f32]);
                picture.y[y * 160 + x] = (120.0 + 40.0 * (u * 0.21).sin() * (v * 0.17).cos() + 0.2 * u) as u8;
            }
        }
        picture
    }

    fn near(a: [f32; 2], b: [f32; 2], by: f32) -> bool {
        (a[0] - b[0]).hypot(a[1] - b[1]) < by
    }

    #[test]
    fn a_step_is_found_to_a_tenth_of_a_pixel_whatever_the_mesh_says() {
        let moved = Affine::from_coefficients([1.01, -0.02, 4.3, 0.02, 1.01, -2.6]);
        let places: Vec<[f32; 2]> =
            (0..400).map(|i| [50.0 + 3.0 * (i % 20) as f32, 35.0 + 2.5 * (i / 20) as f32]).collect();
        let pictures = [picture(Affine::IDENTITY), picture(moved)];
        let mesh = [Affine::IDENTITY, moved.shifted([1.6, -1.3])];
        let step = find([&pictures[0], &pictures[1]], mesh, &places, 90.0).unwrap();
        for p in [[60.0, 45.0], [100.0, 80.0], [80.0, 110.0]] {
            assert!(near(step.at(p), moved.at(p), 0.15), "{:?} {:?}", step.at(p), moved.at(p));
        }
        let mut other = picture(moved);
        other.y.iter_mut().enumerate().for_each(|(i, v)| *v = if i / 160 % 16 < 8 { 20 } else { 220 });
        assert_eq!(find([&pictures[0], &other], mesh, &places, 90.0), None, "a cut");
    }

    #[test]
    fn a_walk_is_as_steady_as_its_steps_and_as_right_as_the_mesh() {
        let truth: Vec<Affine> =
            (0..40).map(|i| Affine::IDENTITY.shifted([3.0 * i as f32, (i as f32 * 0.7).sin()])).collect();
        let shaken: Vec<Affine> =
            truth.iter().enumerate().map(|(i, t)| t.shifted([if i % 2 == 0 { 0.8 } else { -0.8 }, 0.5])).collect();
        let mut steps: Vec<Option<Affine>> =
            truth.windows(2).map(|w| Some(w[1].after(&w[0].inverse().unwrap()))).collect();
        let found = walk(&shaken, &steps, 4.0);
        for (found, truth) in found.iter().zip(&truth) {
            let (a, b) = (found.at([50.0, 50.0]), truth.at([50.0, 50.0]));
            assert!(near(a, [b[0], b[1] + 0.5], 0.25), "{a:?} {b:?}");
        }
        // Over a cut nothing is averaged, and a frame between two cuts is where the mesh says.
        (steps[19], steps[20]) = (None, None);
        assert_eq!(walk(&shaken, &steps, 4.0)[20], shaken[20]);
        assert!(walk(&[], &[], 4.0).is_empty());
    }
}
