//! Bilinear sampling of byte planes along a run of coordinates: the innermost loop of the frame path.
//!
//! Fractions have 8 bits, which is finer than a picture's own levels can show. The AVX2 form is picked at run time and
//! gives the same bytes as the portable one.

/// Bytes that a plane must have behind its last sample: the wide loads read, and ignore, so many.
pub(super) const PADDING: usize = 4;

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
        assert!(xs.len() == out.len() && ys.len() == out.len());
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            let whole = out.len() / 8 * 8;
            // SAFETY: AVX2 was detected; the runs have one length (asserted), a multiple of 8 here.
            unsafe { self.run_avx2(scale, shift, &xs[..whole], &ys[..whole], &mut out[..whole]) };
            self.run_portable(scale, shift, &xs[whole..], &ys[whole..], &mut out[whole..]);
            return;
        }
        self.run_portable(scale, shift, xs, ys, out);
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
    /// The processor must have AVX2. The three runs must have the same length, a multiple of 8.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    unsafe fn run_avx2(&self, scale: f32, shift: f32, xs: &[f32], ys: &[f32], out: &mut [u8]) {
        use std::arch::x86_64::*;
        let (w, h) = (self.width as i32, self.height as i32);
        let (scale, shift) = (_mm256_set1_ps(scale), _mm256_set1_ps(shift));
        let (zero, half, k256) = (_mm256_setzero_ps(), _mm256_set1_ps(0.5), _mm256_set1_ps(256.0));
        let (x_most, y_most) = (_mm256_set1_ps((w - 1) as f32), _mm256_set1_ps((h - 1) as f32));
        let (x_last, y_last) = (_mm256_set1_epi32(w - 2), _mm256_set1_epi32(h - 2));
        let (stride, byte) = (_mm256_set1_epi32(w), _mm256_set1_epi32(255));
        let one = _mm256_set1_epi32(256);
        let round = _mm256_set1_epi32(1 << 15);
        let fixed = |v: __m256, most: __m256| {
            let v = _mm256_add_ps(_mm256_mul_ps(v, scale), shift);
            let v = _mm256_min_ps(_mm256_max_ps(v, zero), most);
            _mm256_cvttps_epi32(_mm256_add_ps(_mm256_mul_ps(v, k256), half))
        };
        let across = |pair: __m256i, fx: __m256i| {
            let (a, b) = (_mm256_and_si256(pair, byte), _mm256_and_si256(_mm256_srli_epi32::<8>(pair), byte));
            _mm256_add_epi32(_mm256_mullo_epi32(a, _mm256_sub_epi32(one, fx)), _mm256_mullo_epi32(b, fx))
        };
        for i in (0..out.len()).step_by(8) {
            // SAFETY: i + 8 <= the length of both runs.
            let (x, y) = unsafe { (_mm256_loadu_ps(xs.as_ptr().add(i)), _mm256_loadu_ps(ys.as_ptr().add(i))) };
            let (x, y) = (fixed(x, x_most), fixed(y, y_most));
            let x0 = _mm256_min_epi32(_mm256_srli_epi32::<8>(x), x_last);
            let y0 = _mm256_min_epi32(_mm256_srli_epi32::<8>(y), y_last);
            let fx = _mm256_sub_epi32(x, _mm256_slli_epi32::<8>(x0));
            let fy = _mm256_sub_epi32(y, _mm256_slli_epi32::<8>(y0));
            let at = _mm256_add_epi32(_mm256_mullo_epi32(y0, stride), x0);
            // SAFETY: 0 <= x0 <= width - 2 and 0 <= y0 <= height - 2 (a NaN became 0 in the maximum), so that the
            // furthest load begins 2 samples before the plane's end and ends within the padding (asserted in `new`).
            let (top, bottom) = unsafe {
                let base = self.samples.as_ptr().cast::<i32>();
                (_mm256_i32gather_epi32::<1>(base, at), _mm256_i32gather_epi32::<1>(base, _mm256_add_epi32(at, stride)))
            };
            let (top, bottom) = (across(top, fx), across(bottom, fx));
            let v = _mm256_add_epi32(
                _mm256_mullo_epi32(top, _mm256_sub_epi32(one, fy)),
                _mm256_add_epi32(_mm256_mullo_epi32(bottom, fy), round),
            );
            let v = _mm256_srli_epi32::<16>(v);
            let v = _mm256_packus_epi16(_mm256_packus_epi32(v, v), v);
            let (low, high) = (_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v));
            let v = _mm_unpacklo_epi32(low, high);
            // SAFETY: i + 8 <= the length of the output.
            unsafe { _mm_storel_epi64(out.as_mut_ptr().add(i).cast(), v) };
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

    #[test]
    fn no_number_samples_the_corner() {
        let samples = [7; 4 * 4 + PADDING];
        let mut out = [0; 9];
        Plane::new(&samples, 4, 4).run(1.0, 0.0, &[f32::NAN; 9], &[f32::INFINITY; 9], &mut out);
        assert_eq!(out, [7; 9]);
    }
}
