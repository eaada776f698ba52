//! Bringing a picture's colours to sRGB, by what its file says of them.

use image::DynamicImage;
use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace, Layout, MatrixCoefficients,
    RenderingIntent, ToneReprCurve, TransferCharacteristics, TransformExecutor, TransformOptions,
};
use thiserror::Error;

/// A larger profile is none that a camera or an editor writes.
const MAX_PROFILE: usize = 4 << 20;
/// Gammas that files state within this of sRGB's 1/2.2 mean sRGB.
const GAMMA_STEP: f32 = 0.01;

/// What a file says of its colours.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Colours {
    /// An embedded ICC profile.
    Icc(Vec<u8>),
    /// Code points of ITU-T H.273: primaries and transfer.
    Codes {
        /// Such as 1 for BT.709, 9 for BT.2020, 12 for Display P3.
        primaries: u8,
        /// Such as 13 for sRGB.
        transfer: u8,
    },
    /// An exponent, and the primaries if the file states some other than sRGB's.
    Gamma {
        /// Of the file, such as 1/2.2.
        exponent: f32,
        /// White, red, green and blue, each by its chromaticity `[x, y]`.
        primaries: Option<[[f32; 2]; 4]>,
    },
}

/// Why what is said of the colours is not followed; to be put after "the picture's colours are taken as sRGB: ".
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum ProfileError {
    /// It cannot be read.
    #[error("its colour profile is damaged")]
    Damaged,
    /// It is for ink, or another number of channels.
    #[error("its colour profile is not for RGB or grey")]
    OtherSpace,
    /// It says nothing that can be calculated with.
    #[error("what it says of its colours is not known here")]
    Unknown,
}

impl Colours {
    /// True for the transfers of HDR.
    pub(super) fn is_hdr(&self) -> bool {
        matches!(self, Self::Codes { transfer: 16 | 18, .. })
    }

    /// The same as a profile.
    fn profile(&self) -> Result<ColorProfile, ProfileError> {
        match self {
            Self::Icc(bytes) if bytes.len() > MAX_PROFILE => Err(ProfileError::Damaged),
            Self::Icc(bytes) => usable(ColorProfile::new_from_slice(bytes).map_err(|_| ProfileError::Damaged)?),
            Self::Codes { primaries, transfer } => {
                let read = || {
                    let color_primaries = CicpColorPrimaries::try_from(*primaries).ok()?;
                    let transfer_characteristics = TransferCharacteristics::try_from(*transfer).ok()?;
                    let matrix_coefficients = MatrixCoefficients::Identity;
                    let known = ColorPrimaries::try_from(color_primaries).is_ok()
                        && ToneReprCurve::try_from(transfer_characteristics).is_ok();
                    known.then_some(CicpProfile {
                        color_primaries,
                        transfer_characteristics,
                        matrix_coefficients,
                        full_range: true,
                    })
                };
                read().map(ColorProfile::new_from_cicp).ok_or(ProfileError::Unknown)
            }
            Self::Gamma { exponent, primaries } => with_gamma(*exponent, *primaries).ok_or(ProfileError::Unknown),
        }
    }
}

/// A profile for RGB: one for grey says how light each step is, which is all that is needed of it.
fn usable(profile: ColorProfile) -> Result<ColorProfile, ProfileError> {
    match profile.color_space {
        DataColorSpace::Rgb => Ok(profile),
        DataColorSpace::Gray => {
            let curve = profile.gray_trc.ok_or(ProfileError::Damaged)?;
            Ok(with_curve(ColorProfile::new_srgb(), &curve))
        }
        _ => Err(ProfileError::OtherSpace),
    }
}

fn with_curve(mut profile: ColorProfile, curve: &ToneReprCurve) -> ColorProfile {
    // Else its curve would be taken from there.
    profile.cicp = None;
    for own in [&mut profile.red_trc, &mut profile.green_trc, &mut profile.blue_trc] {
        *own = Some(curve.clone());
    }
    profile
}

fn with_gamma(exponent: f32, primaries: Option<[[f32; 2]; 4]>) -> Option<ColorProfile> {
    if !(0.1..=2.0).contains(&exponent) {
        return None;
    }
    let mut profile = ColorProfile::new_srgb();
    if let Some(all) = primaries {
        if all.iter().any(|[x, y]| !(0.0..=1.0).contains(x) || !(0.01..=1.0).contains(y)) {
            return None;
        }
        let [white, red, green, blue] = all.map(|[x, y]| moxcms::Chromaticity { x, y });
        profile.update_rgb_colorimetry(white.to_xyyb(), ColorPrimaries { red, green, blue });
    }
    if (exponent - 1.0 / 2.2).abs() > GAMMA_STEP {
        profile = with_curve(profile, &ToneReprCurve::Parametric(vec![1.0 / exponent]));
    }
    Some(profile)
}

/// Brings the colours of `picture` to sRGB. One whose profile is sRGB's, or near it, stays as it is, bit for bit.
///
/// # Errors
/// [`ProfileError`]; the picture is as it was.
pub(super) fn to_srgb(picture: &mut DynamicImage, colours: &Colours) -> Result<(), ProfileError> {
    let profile = colours.profile()?;
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions { rendering_intent: RenderingIntent::RelativeColorimetric, ..Default::default() };
    let layout = if picture.color().has_alpha() { Layout::Rgba } else { Layout::Rgb };
    let damaged = |_| ProfileError::Damaged;
    let narrow = |layout| profile.create_transform_8bit(layout, &srgb, layout, options).map_err(damaged);
    if changes_nothing(&*narrow(Layout::Rgb)?) {
        return Ok(());
    }
    let (narrow, wide) = (narrow(layout)?, profile.create_transform_16bit(layout, &srgb, layout, options));
    let (wide, width) = (wide.map_err(damaged)?, picture.width() as usize);
    make_rgb(picture);
    match picture {
        DynamicImage::ImageRgb8(p) => by_rows(&*narrow, p, width * 3),
        DynamicImage::ImageRgba8(p) => by_rows(&*narrow, p, width * 4),
        DynamicImage::ImageRgb16(p) => by_rows(&*wide, p, width * 3),
        DynamicImage::ImageRgba16(p) => by_rows(&*wide, p, width * 4),
        _ => {}
    }
    Ok(())
}

/// Grey becomes RGB; depth and alpha stay.
fn make_rgb(picture: &mut DynamicImage) {
    *picture = match std::mem::take(picture) {
        p @ DynamicImage::ImageLuma8(_) => p.into_rgb8().into(),
        p @ DynamicImage::ImageLumaA8(_) => p.into_rgba8().into(),
        p @ DynamicImage::ImageLuma16(_) => p.into_rgb16().into(),
        p @ DynamicImage::ImageLumaA16(_) => p.into_rgba16().into(),
        rgb => rgb,
    };
}

/// Converts in place, a row of `width` values at a time.
fn by_rows<V: Copy + Default>(converter: &(dyn TransformExecutor<V> + Send + Sync), pixels: &mut [V], width: usize) {
    let mut before = vec![V::default(); width];
    for row in pixels.chunks_exact_mut(width.max(1)) {
        before.copy_from_slice(row);
        // It refuses only slices of different lengths.
        let _ = converter.transform(&before, row);
    }
}

/// True when no colour moves by more than rounding does.
fn changes_nothing(converter: &(dyn TransformExecutor<u8> + Send + Sync)) -> bool {
    let step = |i: usize| (i * 51) as u8;
    let before: Vec<u8> = (0..216).flat_map(|i| [step(i / 36), step(i / 6 % 6), step(i % 6)]).collect();
    let mut after = vec![0; before.len()];
    converter.transform(&before, &mut after).is_ok() && before.iter().zip(&after).all(|(b, a)| b.abs_diff(*a) <= 1)
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
