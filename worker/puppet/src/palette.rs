//! Colours of what the portrait does not show: teeth, tongue and the inside of the mouth, all taken from the portrait.
//!
//! There is no red of its own here: flesh is as much redder than white as the portrait's lips are, white is what the light
//! makes of the eyes' whites. In a grey photograph the mouth is grey, in a blue one it is blue.

use super::curves::smoothstep;
use super::frame::EYES;
use mouthpiece_frame::{I420, Mesh};

/// A colour `[Y - 16, U - 128, V - 128]`: black is zero, and a shadow is a factor of all three.
pub(super) type Tint = [f32; 3];

/// Black in `[Y, U, V]`.
pub(super) const BLACK: Tint = [16.0, 128.0, 128.0];

/// The colours of one mouth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub(super) lip: Tint,
    pub(super) tooth: Tint,
    pub(super) tongue: Tint,
    pub(super) cavity: Tint,
    /// What shade between flesh adds to a colour: chroma alone.
    pub(super) blush: Tint,
    /// No tooth is more saturated.
    most_coloured: f32,
    /// Luma of the cheeks.
    pub(super) light: f32,
}

/// Cheeks, away from nose and beard.
const SKIN: [usize; 6] = [50, 280, 205, 425, 101, 330];
/// Middle of the lower lip.
const LIP: [usize; 5] = [16, 85, 315, 180, 404];
/// The brightest front tooth over the cheek; photographs of people show 1.03 to 1.56.
const TOOTH_LUMA: f32 = 1.36;
/// Teeth are so much less coloured than the skin in the same light, but no more and no less than this: those in photographs of
/// people have a saturation of 0 to .16, and in an orange painting grey ones would look blue.
const TOOTH_SATURATION: f32 = 0.2;
const WHITE: [f32; 2] = [0.09, 0.34];
/// Under old varnish, or in yellow light, the eyes' whites are far from white, and so are teeth: by this share.
const CAST_SATURATION: f32 = 0.72;
/// Nothing painted is brighter than this: a window in the picture may be.
const BRIGHTEST: f32 = 216.0;

impl Palette {
    pub(super) fn of(picture: &I420, mesh: &Mesh) -> Self {
        let skin = median_around(picture, mesh, &SKIN);
        let lip = median_around(picture, mesh, &LIP);
        let light = skin[0].max(12.0);
        let cast = cast_of_white(picture, mesh).unwrap_or([0.3 * skin[1], 0.3 * skin[2]]);
        // How much redder flesh is than white under this light; lipstick is not what a tongue wears.
        let flesh = |c: usize| {
            let limit = 26.0 * (light / 170.0).clamp(0.3, 1.2);
            (0.65 * (lip[c] - cast[c - 1]) + 0.35 * 1.3 * (skin[c] - cast[c - 1])).clamp(-limit, limit)
        };
        let flesh = [flesh(1), flesh(2)];
        // As warm as flesh is against white: nothing in a grey picture.
        let warmth = (flesh[1] / 12.0).clamp(0.0, 1.0);
        let tooth = (TOOTH_LUMA * light).clamp(30.0, BRIGHTEST);
        let of_eyes = CAST_SATURATION * saturation([tooth, cast[0], cast[1]]);
        let white = (TOOTH_SATURATION * saturation(skin)).max(of_eyes).clamp(WHITE[0], WHITE[1]);
        let tongue = 0.25 * lip[0].min(light) + 0.34 * light;
        // Where no sun comes flesh is less yellow than skin, and redder.
        let inner = [0.8 * flesh[0], 1.2 * flesh[1]];
        let tinted = |luma: f32, of_cast: f32, of_flesh: f32| -> Tint {
            [luma, of_cast * cast[0] + of_flesh * inner[0], of_cast * cast[1] + of_flesh * inner[1]]
        };
        // Eyes have a cast of their own; what the light does to skin it does to teeth, a little.
        let ivory = |c: usize, own: f32| 0.6 * cast[c - 1] + 0.12 * skin[c] + own * warmth;
        Self {
            lip,
            tooth: whitened([tooth, ivory(1, -2.5), ivory(2, 0.5)], white),
            tongue: tinted(tongue, 0.5, 0.95),
            cavity: tinted(0.125 * light, 0.15, 0.50),
            blush: [0.0, flesh[0], flesh[1]],
            most_coloured: white,
            light,
        }
    }

    /// What the portrait shows between its lips, its teeth no more coloured than teeth are; gums and tongue stay.
    #[inline]
    pub(super) fn seen_inside(&self, tint: Tint) -> Tint {
        let bright = smoothstep(0.5, 0.78, tint[0] / self.light);
        if bright <= 0.0 {
            return tint;
        }
        let tooth = bright * (1.0 - smoothstep(0.35, 0.8, self.redness(tint)));
        let white = self.white(tint);
        std::array::from_fn(|i| tint[i] + (white[i] - tint[i]) * tooth)
    }

    /// Where a colour lies between a tooth's (0) and flesh (1).
    #[inline]
    pub(super) fn redness(&self, tint: Tint) -> f32 {
        let white = tint[0] / self.tooth[0];
        let [u, v] = [1, 2].map(|c| tint[c] - white * self.tooth[c]);
        let [fu, fv] = [self.blush[1], self.blush[2]];
        (u * fu + v * fv) / (fu * fu + fv * fv).max(1.0)
    }

    /// `tint` no more coloured than a tooth is.
    #[inline]
    pub(super) fn white(&self, tint: Tint) -> Tint {
        whitened(tint, self.most_coloured)
    }
}

/// By how much the strongest of red, green and blue differs from grey, and from the weakest (ITU-R BT.601, studio range).
#[inline]
fn beyond_grey([u, v]: [f32; 2]) -> [f32; 2] {
    let beyond = [1.596 * v, -0.392 * u - 0.813 * v, 2.017 * u];
    let most = beyond[0].max(beyond[1]).max(beyond[2]);
    [most, most - beyond[0].min(beyond[1]).min(beyond[2])]
}

/// What the strongest of red, green and blue has over the weakest, over the strongest.
fn saturation([luma, u, v]: Tint) -> f32 {
    let [most, spread] = beyond_grey([u, v]);
    spread / (1.164 * luma + most).max(1.0)
}

/// `tint` with its chroma held back to a saturation of at most `limit`.
#[inline]
pub(super) fn whitened([luma, u, v]: Tint, limit: f32) -> Tint {
    let [most, spread] = beyond_grey([u, v]);
    let room = limit * 1.164 * luma.max(0.0);
    let excess = spread - limit * most;
    let keep = if excess > room { room / excess } else { 1.0 };
    [luma, u * keep, v * keep]
}

/// `[Y - 16, U - 128, V - 128]` of a pixel, the nearest of the picture.
pub(super) fn pixel(picture: &I420, x: isize, y: isize) -> Tint {
    let px = x.clamp(0, picture.width() as isize - 1) as usize;
    let py = y.clamp(0, picture.height() as isize - 1) as usize;
    let c = (py / 2) * (picture.width() / 2) + px / 2;
    let [y, u, v] = [picture.y[py * picture.width() + px], picture.u[c], picture.v[c]].map(f32::from);
    [y - 16.0, u - 128.0, v - 128.0]
}

/// Chroma of the eyes' whites: of the brighter pixels between the lids the least coloured. `None` when the eyes are too
/// small to show any.
fn cast_of_white(picture: &I420, mesh: &Mesh) -> Option<[f32; 2]> {
    let mut seen: Vec<Tint> = Vec::new();
    for eye in &EYES {
        let bounds = mesh.bounds(&[&eye.upper[..], &eye.lower[..]].concat());
        let upper = |x: f32| height(mesh, &eye.upper, x);
        let lower = |x: f32| height(mesh, &eye.lower, x);
        for x in bounds.x0.ceil() as isize..=bounds.x1.floor() as isize {
            let (from, to) = (upper(x as f32), lower(x as f32));
            let inset = 0.18 * (to - from);
            for y in (from + inset).ceil() as isize..=(to - inset).floor() as isize {
                seen.push(pixel(picture, x, y));
            }
        }
    }
    if seen.len() < 24 {
        return None;
    }
    // The brightest few are the reflex of a lamp.
    seen.sort_by(|a, b| b[0].total_cmp(&a[0]));
    let bright = &mut seen[..];
    let (from, to) = (bright.len() / 50, bright.len() / 4);
    let bright = &mut bright[from..to];
    bright.sort_by(|a, b| a[1].hypot(a[2]).total_cmp(&b[1].hypot(b[2])));
    let few = &bright[..bright.len().div_ceil(2)];
    Some([1, 2].map(|c| few.iter().map(|p| p[c]).sum::<f32>() / few.len() as f32))
}

/// Height of a line through mesh points (in the order of x) at `x`, in pixels.
fn height(mesh: &Mesh, line: &[usize], x: f32) -> f32 {
    let place = |i: usize| mesh.points[line[i]];
    let after = (1..line.len() - 1).find(|&i| place(i)[0] >= x).unwrap_or(line.len() - 1);
    let (a, b) = (place(after - 1), place(after));
    a[1] + (b[1] - a[1]) * ((x - a[0]) / (b[0] - a[0]).max(1e-3)).clamp(0.0, 1.0)
}

/// The median colour of small squares around some landmarks.
fn median_around(picture: &I420, mesh: &Mesh, ids: &[usize]) -> Tint {
    let reach = (mesh.eye_span() * 0.026).round().max(1.0) as isize;
    let square = || (-reach..=reach).flat_map(move |dy| (-reach..=reach).map(move |dx| [dx, dy]));
    median(ids.iter().flat_map(|&i| {
        let [x, y, _] = mesh.points[i];
        square().map(move |[dx, dy]| pixel(picture, x as isize + dx, y as isize + dy))
    }))
}

/// The median of each channel of one colour or more.
pub(super) fn median(of: impl IntoIterator<Item = Tint>) -> Tint {
    let mut channels: [Vec<f32>; 3] = Default::default();
    for tint in of {
        for (channel, v) in channels.iter_mut().zip(tint) {
            channel.push(v);
        }
    }
    channels.map(|mut c| {
        c.sort_by(f32::total_cmp);
        c[c.len() / 2]
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A face of one colour and a luma of 160; eyes are 20 pixels wide.
    pub(in super::super) fn face(u: u8, v: u8) -> Palette {
        let mut picture = I420::new(128, 128).unwrap();
        picture.y.fill(160);
        picture.u.fill(u);
        picture.v.fill(v);
        let mut mesh = Mesh { points: vec![[64.0, 64.0, 0.0]; mouthpiece_frame::POINTS], presence: 1.0 };
        for (eye, left) in EYES.iter().zip([20.0, 88.0]) {
            for (line, side) in [(&eye.upper, -1.0), (&eye.lower, 1.0)] {
                for (k, &point) in line.iter().enumerate() {
                    let k = k as f32;
                    mesh.points[point] = [left + 2.5 * k, 40.0 + side * 6.0 * (1.0 - (k / 4.0 - 1.0).powi(2)), 0.0];
                }
            }
        }
        Palette::of(&picture, &mesh)
    }

    #[test]
    fn a_grey_picture_has_a_grey_mouth() {
        let p = face(128, 128);
        for tint in [p.lip, p.tooth, p.tongue, p.cavity, p.blush] {
            assert_eq!(tint[1..], [0.0, 0.0], "{p:?}");
        }
        assert!(p.tooth[0] > 1.1 * p.light && p.cavity[0] < 0.2 * p.light);
    }

    #[test]
    fn white_is_hardly_coloured() {
        for tint in [[150.0, 20.0, -6.0], [150.0, -30.0, 12.0], [90.0, 3.0, 25.0]] {
            assert!(saturation(tint) > 0.2 && (saturation(whitened(tint, 0.13)) - 0.13).abs() < 1e-3, "{tint:?}");
        }
        assert_eq!(whitened([150.0, 3.0, 1.0], 0.13), [150.0, 3.0, 1.0]);
    }

    #[test]
    fn in_blue_light_teeth_are_blue_and_nothing_is_red() {
        let p = face(150, 110);
        assert!(p.tooth[1] > 6.0 && p.tooth[2] < -4.0, "{p:?}");
        for tint in [p.tongue, p.cavity] {
            assert!(tint[2] <= 0.0, "{p:?}");
        }
    }
}
