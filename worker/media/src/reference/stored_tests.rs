use super::*;
use proptest::prelude::*;

fn prepared(frames: usize, warnings: &[&str]) -> PreparedReference {
    let frame = |n: usize| {
        let mut picture = I420::new(6, 4).unwrap();
        picture.y.iter_mut().enumerate().for_each(|(i, y)| *y = (16 + 7 * i + n) as u8);
        picture.u.fill(90 + n as u8);
        picture.v.fill(160 - n as u8);
        let point = |i: usize| [i as f32 * 0.37 - 5.0, n as f32 + 1.0 / (i + 1) as f32, -0.0];
        let face = Mesh { points: (0..POINTS).map(point).collect(), presence: 0.87 };
        // Stills have more than videos.
        let irises = (frames == 1).then(|| [1.0, 2.0].map(|x| Iris { centre: [x, 3.5], radius: 0.75 }));
        let matte = (frames == 1).then(|| Matte { coverage: (0..24).map(|i| i * 10).collect() });
        ReferenceFrame { picture, face, irises, matte }
    };
    let bounds = FaceBox { x0: -1.5, y0: 2.0, x1: 100.25, y1: 130.0 };
    let report = FaceReport {
        faces: vec![bounds, FaceBox::default()],
        chosen: 1,
        bounds,
        score: 0.93,
        presence: 0.87,
        pose: HeadPose { yaw_deg: -12.5, pitch_deg: 3.0, roll_deg: 0.1 },
        eye_span_px: 61.7,
        native_size: [1200, 800],
        frame: ChosenFrame {
            crop: PortraitCrop::Bust,
            area: [100, 0, 900, 600],
            output: [6, 4],
            eyes_px: 3.5,
            reason: SizeReason::Native,
        },
        warnings: warnings.iter().map(|&w| w.to_owned()).collect(),
    };
    let frames_per_second = if frames > 1 { 25.0 } else { 0.0 };
    PreparedReference { reference: Reference { frames: (0..frames).map(frame).collect(), frames_per_second }, report }
}

fn same(a: &PreparedReference, b: &PreparedReference) -> bool {
    let pairs = a.reference.frames.iter().zip(&b.reference.frames);
    a.report == b.report
        && a.reference.frames_per_second == b.reference.frames_per_second
        && a.reference.frames.len() == b.reference.frames.len()
        && pairs
            .into_iter()
            .all(|(a, b)| a.picture == b.picture && a.face == b.face && a.irises == b.irises && a.matte == b.matte)
}

#[test]
fn a_round_trip_is_exact() {
    for (frames, warnings) in [(1, &[][..]), (3, &["the head is turned 30 degrees", "ä"][..])] {
        let before = prepared(frames, warnings);
        assert!(same(&before, &PreparedReference::from_bytes(&before.to_bytes()).unwrap()));
    }
}

#[test]
fn too_many_words_are_cut_at_a_letter() {
    let long = "ä".repeat(5000);
    let before = prepared(1, &vec![&long[..]; 100]);
    let after = PreparedReference::from_bytes(&before.to_bytes()).unwrap();
    assert_eq!((after.report.warnings.len(), after.report.warnings[0].len()), (64, 4096));
}

#[test]
fn refusals_say_what_is_wrong() {
    let refused = |bytes: &[u8]| PreparedReference::from_bytes(bytes).unwrap_err();
    assert_eq!(refused(b""), StoredError::Foreign);
    assert_eq!(refused(b"\x89PNG and more"), StoredError::Foreign);
    let good = prepared(1, &[]).to_bytes();
    let with = |at: usize, value: u32| {
        let mut bytes = good.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        refused(&bytes)
    };
    assert_eq!(with(8, 1), StoredError::Version(1));
    assert!(matches!(with(12, 0x4000_0000), StoredError::OutOfRange { what: "a width", .. }));
    assert!(matches!(with(16, 5), StoredError::OutOfRange { what: "a height", got: 5, .. }));
    assert!(matches!(with(20, 0), StoredError::OutOfRange { what: "a frame count", .. }));
    assert_eq!(with(20, 2), StoredError::Damaged("its length is not what its header says"));
    assert_eq!(with(24, f32::NAN.to_bits()), StoredError::Damaged("it holds what is no number"));
    assert!(matches!(with(28, u32::MAX), StoredError::OutOfRange { what: "a face count", .. }));
    let last = good.len() - DIGEST - 4;
    assert_eq!(with(last, 0), StoredError::Damaged("its digest differs"));
}

proptest! {
    #[test]
    fn noise_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600), magic: bool) {
        let head: &[u8] = if magic { b"MOUTHREF\x04\0\0\0" } else { b"" };
        prop_assert!(PreparedReference::from_bytes(&[head, &bytes].concat()).is_err());
    }

    #[test]
    fn whatever_is_cut_off_or_changed_is_noticed(cut in 0.0_f64..1.0, at in 0.0_f64..1.0, change in 1_u8..) {
        let good = prepared(2, &["a warning"]).to_bytes();
        prop_assert!(PreparedReference::from_bytes(&good[..(good.len() as f64 * cut) as usize]).is_err());
        let mut bad = good.clone();
        bad[(good.len() as f64 * at) as usize] ^= change;
        prop_assert!(PreparedReference::from_bytes(&bad).is_err());
        bad.clone_from(&good);
        bad.push(change);
        prop_assert!(PreparedReference::from_bytes(&bad).is_err());
    }
}
