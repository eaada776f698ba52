//! The light of two pictures of a face, compared where both show the same skin: for each of Y, U and V a plane, which is an offset and a
//! slope across and down. That is all that light does over a face, and it follows no shadow, lip or jaw. Pure.

/// What fits planes to differences at places that are known in advance.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LightFit {
    /// The inverse of the fit's normal matrix: symmetric, [11 12 13 22 23 33].
    inverse: [f64; 6],
}

/// By how much one picture differs from another in Y, U and V: an offset each, and slopes across and down.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LightPlanes(pub [[f32; 3]; 3]);

impl LightFit {
    /// For these places with their weights. Slopes are held back by `held`, a share of all weights, so that places on a line can be fitted,
    /// and a shadow on one side is no light from there.
    pub fn of(places: impl IntoIterator<Item = ([f32; 2], f32)>, held: f64) -> Self {
        let (mut m, mut weights) = ([0.0_f64; 6], 0.0);
        for (at, weight) in places {
            let ([u, v], w) = (at.map(f64::from), f64::from(weight));
            for (sum, term) in m.iter_mut().zip([1.0, u, v, u * u, u * v, v * v]) {
                *sum += w * term;
            }
            weights += w;
        }
        if weights <= 0.0 {
            return Self::default();
        }
        let [a, b, c, d, e, f] = [m[0], m[1], m[2], m[3] + held * weights, m[4], m[5] + held * weights];
        let (p, q, r) = (d * f - e * e, c * e - b * f, b * e - c * d);
        let determinant = a * p + b * q + c * r;
        Self { inverse: [p, q, r, a * f - c * c, b * c - a * e, a * d - b * b].map(|v| v / determinant) }
    }

    /// The planes nearest to these differences in Y, U and V, at the places and with the weights that it was made for.
    pub fn planes(&self, differences: impl IntoIterator<Item = ([f32; 2], f32, [f32; 3])>) -> LightPlanes {
        let mut sums = [[0.0_f64; 3]; 3];
        for ([u, v], weight, apart) in differences {
            for (sum, apart) in sums.iter_mut().zip(apart) {
                sum.iter_mut().zip([1.0, u, v]).for_each(|(s, term)| *s += f64::from(apart * weight * term));
            }
        }
        let [a, b, c, d, e, f] = self.inverse;
        LightPlanes(sums.map(|[x, y, z]| {
            [a * x + b * y + c * z, b * x + d * y + e * z, c * x + e * y + f * z].map(|value| value as f32)
        }))
    }
}

impl LightPlanes {
    /// By how much the pictures differ at a place in Y, U and V.
    pub fn at(&self, place: [f32; 2]) -> [f32; 3] {
        [0, 1, 2].map(|channel| self.channel_at(channel, place))
    }

    /// The same of one of the three.
    ///
    /// # Panics
    /// When there is no such channel.
    pub fn channel_at(&self, channel: usize, [u, v]: [f32; 2]) -> f32 {
        let [offset, across, down] = self.0[channel];
        offset + across * u + down * v
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Around a circle.
    fn places() -> impl Iterator<Item = ([f32; 2], f32)> + Clone {
        (0..24).map(|k| {
            let (sin, cos) = (std::f32::consts::TAU * k as f32 / 24.0).sin_cos();
            ([cos, sin], 1.0 + cos * cos)
        })
    }

    fn light([u, v]: [f32; 2]) -> [f32; 3] {
        [12.0 + 6.0 * u - 3.0 * v, u - 4.0, 5.0 - 2.0 * v]
    }

    #[test]
    fn light_is_found_where_it_was_not_looked_at() {
        let found = LightFit::of(places(), 0.0).planes(places().map(|(at, weight)| (at, weight, light(at))));
        for at in [[0.0, 0.0], [0.5, -0.2], [2.0, 2.0]] {
            for (found, wanted) in found.at(at).into_iter().zip(light(at)) {
                assert!((found - wanted).abs() < 1e-4, "{at:?}: {found} of {wanted}");
            }
        }
    }

    #[test]
    fn a_slope_is_held_back_and_an_offset_is_not() {
        let apart =
            |held| LightFit::of(places(), held).planes(places().map(|(at, weight)| (at, weight, light(at)))).0[0];
        let (free, held) = (apart(0.0), apart(0.5));
        assert!((held[0] - free[0]).abs() < 1e-4 && held[1] < 0.7 * free[1] && held[1] > 0.0, "{free:?} {held:?}");
    }

    #[test]
    fn places_on_a_line_or_none_at_all_say_what_they_can() {
        let line = || (0..9).map(|i| ([0.1 * i as f32, 0.0], 1.0));
        let found = LightFit::of(line(), 0.01).planes(line().map(|(at, weight)| (at, weight, [7.0; 3])));
        assert!((found.at([0.4, 0.0])[0] - 7.0).abs() < 0.5, "{found:?}");
        assert_eq!(LightFit::of([], 0.01).planes([([0.0; 2], 1.0, [9.0; 3])]), LightPlanes::default());
    }
}
