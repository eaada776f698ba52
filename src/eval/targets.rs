//! What a film must reach. Pure.

use mouthpiece_media::quality::{FrechetInception, LipSyncError, Measured};
use std::cmp::Ordering;
use thiserror::Error;

/// What a film must reach; what was not measured because nobody asked for it has no target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QualityTargets {
    /// LSE-D must be below.
    pub lse_d_max: f64,
    /// LSE-C must be above.
    pub lse_c_min: f64,
    /// FID must be below, where that was said.
    pub fid_max: Option<f64>,
}

/// A film that does not reach them.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("not as good as asked for: {0}")]
pub struct TargetsMissed(String);

impl QualityTargets {
    /// Compares what was asked for with them.
    ///
    /// # Errors
    /// [`TargetsMissed`] with each that is missed; what was asked for and could not be measured is.
    pub fn check(
        &self,
        lse: Option<Measured<LipSyncError>>,
        fid: Option<Measured<FrechetInception>>,
    ) -> Result<(), TargetsMissed> {
        let judge = |name: &str, value: Measured<f64>, side: &str, limit: f64, fine: Ordering| match value {
            Err(why) => Some(format!("{name} has no value ({why})")),
            Ok(value) if value.partial_cmp(&limit) == Some(fine) => None,
            Ok(value) => Some(format!("{name} is {value:.3}, which is not {side} {limit}")),
        };
        let below = |name, value, limit| judge(name, value, "below", limit, Ordering::Less);
        let above = |name, value, limit| judge(name, value, "above", limit, Ordering::Greater);
        let missed: Vec<String> = [
            lse.and_then(|lse| below("LSE-D", lse.map(|l| l.distance), self.lse_d_max)),
            lse.and_then(|lse| above("LSE-C", lse.map(|l| l.confidence), self.lse_c_min)),
            fid.zip(self.fid_max).and_then(|(fid, limit)| below("FID", fid.map(|f| f.distance), limit)),
        ]
        .into_iter()
        .flatten()
        .collect();
        if missed.is_empty() { Ok(()) } else { Err(TargetsMissed(missed.join("; "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_media::quality::Unmeasured;

    const SEED: QualityTargets = QualityTargets { lse_d_max: 7.0, lse_c_min: 6.5, fid_max: None };

    fn lse(distance: f64, confidence: f64) -> Option<Measured<LipSyncError>> {
        Some(Ok(LipSyncError { distance, confidence, shift: 0, windows: 100 }))
    }

    fn missed(targets: QualityTargets, lse: Option<Measured<LipSyncError>>, fid: Option<f64>) -> String {
        let fid = fid.map(|distance| Ok(FrechetInception { distance, frames: 9, of_reference: 9 }));
        targets.check(lse, fid).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_film_is_fine_below_and_above_but_not_at_its_targets() {
        assert_eq!(missed(SEED, lse(6.99, 6.51), None), "");
        let told = missed(SEED, lse(7.0, 6.5), None);
        assert_eq!(
            told,
            "not as good as asked for: LSE-D is 7.000, which is not below 7; LSE-C is 6.500, which is not above 6.5"
        );
        assert_eq!(missed(SEED, None, Some(300.0)), "", "without a target everything is fine");
        let strict = QualityTargets { fid_max: Some(20.0), ..SEED };
        assert_eq!(missed(strict, None, Some(20.5)), "not as good as asked for: FID is 20.500, which is not below 20");
        let nan = QualityTargets { fid_max: Some(f64::NAN), ..SEED };
        assert!(!missed(nan, None, Some(1.0)).is_empty(), "no number is no target that is met");
    }

    #[test]
    fn what_was_asked_for_and_has_no_value_is_missed() {
        let told = missed(SEED, Some(Err(Unmeasured::NoSound)), None);
        assert!(told.contains("LSE-D has no value (the video has no sound)"), "{told}");
        assert_eq!(missed(SEED, None, None), "", "nobody asked");
    }
}
