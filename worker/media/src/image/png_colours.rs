//! What the chunks of a PNG say of its colours, beside an ICC profile.

use super::profile::Colours;

/// White, red, green and blue of sRGB.
const SRGB: [[f32; 2]; 4] = [[0.3127, 0.3290], [0.64, 0.33], [0.30, 0.60], [0.15, 0.06]];
/// Chromaticities within this of sRGB's are sRGB's.
const STEP: f32 = 0.005;
/// Gammas within this of 1/2.2 are sRGB's.
const GAMMA_STEP: f32 = 0.01;

/// Which of the chunks counts, by the specification's order: cICP, then iCCP (given as `icc`), then sRGB, then gAMA
/// with cHRM. None where it is sRGB, or nothing is said.
pub(super) fn colours(bytes: &[u8], icc: Option<Vec<u8>>) -> Option<Colours> {
    let chunk = |kind: &[u8; 4]| header_chunks(bytes).find(|(k, _)| *k == kind).map(|(_, data)| data);
    if let Some(&[primaries, transfer, ..]) = chunk(b"cICP") {
        return Some(Colours::Codes { primaries, transfer });
    }
    // A profile that could not be unpacked is there all the same: it is said to be damaged.
    if let Some(icc) = icc.or_else(|| chunk(b"iCCP").map(|_| Vec::new())) {
        return Some(Colours::Icc(icc));
    }
    if chunk(b"sRGB").is_some() {
        return None;
    }
    let exponent = numbers::<1>(chunk(b"gAMA")?)?[0];
    let primaries = chunk(b"cHRM").and_then(numbers::<8>);
    let primaries = primaries.map(|[wx, wy, rx, ry, gx, gy, bx, by]| [[wx, wy], [rx, ry], [gx, gy], [bx, by]]);
    let far = |a: &[f32; 2], b: &[f32; 2]| (a[0] - b[0]).abs() > STEP || (a[1] - b[1]).abs() > STEP;
    let primaries = primaries.filter(|all| all.iter().zip(&SRGB).any(|(a, b)| far(a, b)));
    let usual = (exponent - 1.0 / 2.2).abs() <= GAMMA_STEP;
    (!usual || primaries.is_some()).then_some(Colours::Gamma { exponent, primaries })
}

/// Kind and data of each chunk before the pixels.
pub(super) fn header_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let (data, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = after.get(4..)?;
        (kind != b"IDAT").then_some((kind, data))
    })
}

/// `N` numbers in hundred thousandths.
fn numbers<const N: usize>(data: &[u8]) -> Option<[f32; N]> {
    let (all, []) = data.as_chunks::<4>() else { return None };
    let all: Vec<f32> = all.iter().map(|n| (f64::from(u32::from_be_bytes(*n)) / 1e5) as f32).collect();
    all.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG's beginning with these chunks.
    fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, data) in chunks {
            out.extend((data.len() as u32).to_be_bytes());
            out.extend([&kind[..], data, &[0; 4]].concat());
        }
        out
    }

    fn parts(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
    }

    #[test]
    fn the_first_of_the_specifications_order_counts() {
        let (cicp, gamma) = ((b"cICP", &[12, 13, 0, 1][..]), parts(&[100_000]));
        let linear = (b"gAMA", &gamma[..]);
        assert_eq!(colours(&png(&[]), None), None);
        assert_eq!(colours(&png(&[]), Some(vec![1])), Some(Colours::Icc(vec![1])));
        let codes = Some(Colours::Codes { primaries: 12, transfer: 13 });
        assert_eq!(colours(&png(&[linear, cicp]), Some(vec![1])), codes);
        assert_eq!(colours(&png(&[linear, (b"sRGB", &[0])]), None), None);
        assert_eq!(colours(&png(&[linear]), None), Some(Colours::Gamma { exponent: 1.0, primaries: None }));
        assert_eq!(colours(&png(&[(b"IDAT", b""), linear]), None), None);
    }

    #[test]
    fn what_means_srgb_is_nothing_to_follow() {
        let usual = parts(&[45_455]);
        let srgb = parts(&[31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000]);
        let wide = parts(&[31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000]);
        assert_eq!(colours(&png(&[(b"gAMA", &usual), (b"cHRM", &srgb)]), None), None);
        let of = colours(&png(&[(b"gAMA", &usual), (b"cHRM", &wide)]), None);
        assert!(matches!(of, Some(Colours::Gamma { primaries: Some([_, [x, _], ..]), .. }) if x == 0.68), "{of:?}");
    }

    #[test]
    fn damaged_chunks_say_nothing() {
        assert_eq!(colours(&png(&[(b"gAMA", b"\0\0\0")]), None), None);
        assert_eq!(colours(&png(&[(b"cICP", b"\x09")]), None), None);
        assert_eq!(colours(b"\x89PNG\r\n\x1a\n\xFF\xFF\xFF\xFFgAMA", None), None);
        assert_eq!(colours(b"", None), None);
    }
}
