//! Bilinear sampling of byte planes along a run of coordinates: the innermost loop of the frame path.
//!
//! Fractions have 8 bits, which is finer than a picture's own levels can show. The AVX2 form is picked at run time and
//! gives the same bytes as the portable one. Neighbours in a run lie beside each other in the plane too, so it loads whole
//! stretches of rows and picks from them: a gather would fetch each pair of samples by itself.

/// Bytes that a plane must have behind its last sample: the wide loads read, and ignore, so many.
pub(super) const PADDING: usize = 16;

/// A plane of samples with [`PADDING`] behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plane<'a> {
    samples: &'a [u8],
    width: usize,
    height: usize,
}

impl<'a> Plane<'a> {
    /// `samples` must hold `width * height` samples, at least 2 by 2, and the padding.
    pub(super) fn new(samples: &'a [u8], width: usize, height: usize) -> Self {
        assert!(width >= 2 && height >= 2 && samples.len() >= width * height + PADDING && samples.len() < 1 << 30);
        Self { samples, width, height }
    }

    /// The sample at fractional coordinates, edges repeated.
    #[inline]
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        let w = self.width;
        let x = x.clamp(0.0, (w - 1) as f32);
        let y = y.clamp(0.0, (self.height - 1) as f32);
        let (x0, y0) = ((x as usize).min(w - 2), (y as usize).min(self.height - 2));
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let p = &self.samples[y0 * w + x0..][..w + 2];
        let top = f32::from(p[0]) + (f32::from(p[1]) - f32::from(p[0])) * fx;
        let bottom = f32::from(p[w]) + (f32::from(p[w + 1]) - f32::from(p[w])) * fx;
        top + (bottom - top) * fy
    }

    /// Samples at `coordinate * scale + shift` for each pair of `xs` and `ys`; edges repeated, rounded.
    pub(super) fn run(&self, scale: f32, shift: f32, xs: &[f32], ys: &[f32], out: &mut [u8]) {
        Self::run_all([*self], scale, shift, xs, ys, [out]);
    }

    /// The same of several planes of one size, each into its own run: where to look is worked out once.
    pub(super) fn run_all<const N: usize>(
        planes: [Self; N],
        scale: f32,
        shift: f32,
        xs: &[f32],
        ys: &[f32],
        mut outs: [&mut [u8]; N],
    ) {
        let count = xs.len();
        assert!(ys.len() == count && outs.iter().all(|out| out.len() == count));
        assert!(planes.iter().all(|p| (p.width, p.height) == (planes[0].width, planes[0].height)));
        #[cfg(target_arch = "x86_64")]
        let from = if std::arch::is_x86_feature_detected!("avx2") {
            let whole = count / 8 * 8;
            // SAFETY: AVX2 was detected; planes have one size and runs one length (asserted), a multiple of 8 here.
            unsafe { Self::run_avx2(&planes, scale, shift, &xs[..whole], &ys[..whole], &mut outs) };
            whole
        } else {
            0
        };
        #[cfg(not(target_arch = "x86_64"))]
        let from = 0;
        for (plane, out) in planes.iter().zip(outs) {
            plane.run_portable(scale, shift, &xs[from..], &ys[from..], &mut out[from..]);
        }
    }

    fn run_portable(&self, scale: f32, shift: f32, xs: &[f32], ys: &[f32], out: &mut [u8]) {
        let w = self.width;
        let (x_most, y_most) = ((w - 1) as f32, (self.height - 1) as f32);
        for ((&x, &y), to) in xs.iter().zip(ys).zip(out) {
            let x = ((x * scale + shift).max(0.0).min(x_most) * 256.0 + 0.5) as usize;
            let y = ((y * scale + shift).max(0.0).min(y_most) * 256.0 + 0.5) as usize;
            let (x0, y0) = ((x >> 8).min(w - 2), (y >> 8).min(self.height - 2));
            let (fx, fy) = ((x - (x0 << 8)) as u32, (y - (y0 << 8)) as u32);
            let p = &self.samples[y0 * w + x0..][..w + 2];
            let top = u32::from(p[0]) * (256 - fx) + u32::from(p[1]) * fx;
            let bottom = u32::from(p[w]) * (256 - fx) + u32::from(p[w + 1]) * fx;
            *to = ((top * (256 - fy) + bottom * fy + (1 << 15)) >> 16) as u8;
        }
    }

    /// # Safety
    /// The processor must have AVX2. The planes must have one size; both runs of coordinates the same length, a multiple of 8,
    /// and each run of `outs` at least that.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn run_avx2<const N: usize>(
        planes: &[Self; N],
        scale: f32,
        shift: f32,
        xs: &[f32],
        ys: &[f32],
        outs: &mut [&mut [u8]; N],
    ) {
        use std::arch::x86_64::*;
        let (w, h) = (planes[0].width as i32, planes[0].height as i32);
        let (scale, shift) = (_mm256_set1_ps(scale), _mm256_set1_ps(shift));
        let (zero, half, k256) = (_mm256_setzero_ps(), _mm256_set1_ps(0.5), _mm256_set1_ps(256.0));
        let (x_most, y_most) = (_mm256_set1_ps((w - 1) as f32), _mm256_set1_ps((h - 1) as f32));
        let (x_last, y_last) = (_mm256_set1_epi32(w - 2), _mm256_set1_epi32(h - 2));
        let stride = _mm256_set1_epi32(w);
        let round = _mm256_set1_epi32(1 << 15);
        let fixed = |v: __m256, most: __m256| {
            let v = _mm256_add_ps(_mm256_mul_ps(v, scale), shift);
            let v = _mm256_min_ps(_mm256_max_ps(v, zero), most);
            _mm256_cvttps_epi32(_mm256_add_ps(_mm256_mul_ps(v, k256), half))
        };
        let least_of_four = |v: __m256i| {
            let v = _mm256_min_epi32(v, _mm256_shuffle_epi32::<0x4E>(v));
            _mm256_min_epi32(v, _mm256_shuffle_epi32::<0xB1>(v))
        };
        for i in (0..xs.len()).step_by(8) {
            // SAFETY: i + 8 <= the length of both runs.
            let (x, y) = unsafe { (_mm256_loadu_ps(xs.as_ptr().add(i)), _mm256_loadu_ps(ys.as_ptr().add(i))) };
            let (x, y) = (fixed(x, x_most), fixed(y, y_most));
            let x0 = _mm256_min_epi32(_mm256_srli_epi32::<8>(x), x_last);
            let y0 = _mm256_min_epi32(_mm256_srli_epi32::<8>(y), y_last);
            let fx = _mm256_sub_epi32(x, _mm256_slli_epi32::<8>(x0));
            let fy = _mm256_sub_epi32(y, _mm256_slli_epi32::<8>(y0));
            // 256 - fx for a sample, fx for its right neighbour.
            let across = _mm256_add_epi32(_mm256_sub_epi32(_mm256_slli_epi32::<16>(fx), fx), _mm256_set1_epi32(256));
            // What the samples above and below a place, with their right neighbours, 16 bits each, make of it.
            let blend = |top: __m256i, bottom: __m256i| {
                let (top, bottom) = (_mm256_madd_epi16(top, across), _mm256_madd_epi16(bottom, across));
                let down = _mm256_mullo_epi32(_mm256_sub_epi32(bottom, top), fy);
                let v = _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32::<8>(top), round), down);
                let v = _mm256_srli_epi32::<16>(v);
                let v = _mm256_packus_epi16(_mm256_packus_epi32(v, v), v);
                let (low, high) = (_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v));
                _mm_unpacklo_epi32(low, high)
            };
            // SAFETY: i + 8 <= the length of each output.
            let mut put = |n: usize, v: __m128i| unsafe { _mm_storel_epi64(outs[n].as_mut_ptr().add(i).cast(), v) };

            // Four samples each are near each other: within 16 bytes of a row, and in it or in the next.
            let (x_from, y_from) = (least_of_four(x0), least_of_four(y0));
            let (dx, dy) = (_mm256_sub_epi32(x0, x_from), _mm256_sub_epi32(y0, y_from));
            let (wide, tall) = (_mm256_set1_epi32(14), _mm256_set1_epi32(1));
            let far = _mm256_or_si256(_mm256_cmpgt_epi32(dx, wide), _mm256_cmpgt_epi32(dy, tall));
            if _mm256_movemask_epi8(far) != 0 {
                let at = _mm256_add_epi32(_mm256_mullo_epi32(y0, stride), x0);
                let pair = |v: __m256i| {
                    let (a, b) = (_mm256_set1_epi32(0xFF), _mm256_set1_epi32(0xFF_0000));
                    _mm256_or_si256(_mm256_and_si256(v, a), _mm256_and_si256(_mm256_slli_epi32::<8>(v), b))
                };
                for (n, plane) in planes.iter().enumerate() {
                    // SAFETY: 0 <= x0 <= width - 2 and 0 <= y0 <= height - 2 (a NaN became 0 in the maximum), so that the
                    // furthest load begins 2 samples before the plane's end and ends within the padding (asserted in `new`).
                    let (top, bottom) = unsafe {
                        let base = plane.samples.as_ptr().cast::<i32>();
                        let below = _mm256_add_epi32(at, stride);
                        (_mm256_i32gather_epi32::<1>(base, at), _mm256_i32gather_epi32::<1>(base, below))
                    };
                    put(n, blend(pair(top), pair(bottom)));
                }
                continue;
            }
            // For each: the bytes dx and dx + 1, and zeros between.
            let pick = _mm256_add_epi32(
                _mm256_or_si256(dx, _mm256_slli_epi32::<16>(dx)),
                _mm256_set1_epi32(0x8001_8000_u32.cast_signed()),
            );
            let both = |at: __m256i| {
                let (a, b) = (_mm256_cvtsi256_si32(at), _mm_cvtsi128_si32(_mm256_extracti128_si256::<1>(at)));
                [a as usize, b as usize]
            };
            let at = _mm256_add_epi32(_mm256_mullo_epi32(y_from, stride), x_from);
            // Some may stand in the next row; the other four may then stand above the last, where a third is not used.
            let next = _mm256_cmpgt_epi32(dy, _mm256_setzero_si256());
            let last = _mm256_add_epi32(_mm256_set1_epi32((h - 1) * w), x_from);
            let third = _mm256_min_epi32(_mm256_add_epi32(at, _mm256_slli_epi32::<1>(stride)), last);
            let ([a, b], thirds) = (both(at), both(third));
            let in_one_row = _mm256_movemask_epi8(next) == 0;
            for (n, plane) in planes.iter().enumerate() {
                let row = |[a, b]: [usize; 2]| {
                    // SAFETY: both begin at samples of the plane; 16 bytes from there end within the padding (asserted in `new`).
                    let (a, b) = unsafe {
                        let base = plane.samples.as_ptr();
                        (_mm_loadu_si128(base.add(a).cast()), _mm_loadu_si128(base.add(b).cast()))
                    };
                    _mm256_shuffle_epi8(_mm256_set_m128i(b, a), pick)
                };
                // y0 <= height - 2: the row below is there.
                let (top, bottom) = (row([a, b]), row([a + plane.width, b + plane.width]));
                put(
                    n,
                    if in_one_row {
                        blend(top, bottom)
                    } else {
                        blend(_mm256_blendv_epi8(top, bottom, next), _mm256_blendv_epi8(bottom, row(thirds), next))
                    },
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_forms_give_the_same_bytes(
            places in prop::collection::vec((-9.0_f32..45.0, -9.0_f32..40.0), 1..70),
            seed: u8,
        ) {
            let samples: Vec<u8> = (0..37 * 29 + PADDING).map(|i| (i as u8).wrapping_mul(97).wrapping_add(seed)).collect();
            let plane = Plane::new(&samples, 37, 29);
            let (xs, ys): (Vec<f32>, Vec<f32>) = places.into_iter().unzip();
            let (mut a, mut b) = (vec![0; xs.len()], vec![0; xs.len()]);
            plane.run(0.5, -0.25, &xs, &ys, &mut a);
            plane.run_portable(0.5, -0.25, &xs, &ys, &mut b);
            prop_assert_eq!(a, b);
        }
    }

    proptest! {
        /// As a moving head does: steps of about a pixel along a line that rises or falls, to all edges.
        #[test]
        fn they_do_along_lines_too(
            from in (-6.0_f32..24.0, -4.0_f32..18.0), step in (-2.5_f32..2.5, -0.9_f32..0.9), seed: u8,
        ) {
            let samples: Vec<u8> = (0..37 * 29 + PADDING).map(|i| (i as u8).wrapping_mul(89).wrapping_add(seed)).collect();
            let plane = Plane::new(&samples, 37, 29);
            let (xs, ys): (Vec<f32>, Vec<f32>) =
                (0..40).map(|i| i as f32).map(|i| (from.0 + i * step.0, from.1 + i * step.1)).unzip();
            let (mut a, mut b) = (vec![0; xs.len()], vec![0; xs.len()]);
            plane.run(2.0, 0.0, &xs, &ys, &mut a);
            plane.run_portable(2.0, 0.0, &xs, &ys, &mut b);
            prop_assert_eq!(a, b);
        }
    }

    #[test]
    fn no_number_samples_the_corner() {
        let samples = [7; 4 * 4 + PADDING];
        let mut out = [0; 9];
        Plane::new(&samples, 4, 4).run(1.0, 0.0, &[f32::NAN; 9], &[f32::INFINITY; 9], &mut out);
        assert_eq!(out, [7; 9]);
    }
}
