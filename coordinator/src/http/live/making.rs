//! What a caller may say about a live session.

use crate::http::fields::Fields;
use crate::http::options;
use crate::http::problem::Problem;
use crate::office::options::SessionOptions;
use crate::office::{LiveSettings, SessionBounds};
use mouthpiece_domain::frame::{FrameSize, Framing};
use mouthpiece_domain::live::LiveTerms;
use std::time::Duration;

/// The fields that only live sessions have.
pub const FIELDS: [&str; 5] =
    ["idle_timeout_s", "absent_timeout_s", "left_timeout_s", "video_kbps_min", "video_kbps_max"];
/// The fields that they have in common with renders.
pub const COMMON: [&str; 11] = [
    "fps",
    "size",
    "crop",
    "seed",
    "head",
    "motion",
    "expression",
    "blinks",
    "queue_timeout_s",
    "max_duration_s",
    "metadata",
];

/// Reads options and terms, defaults filled in.
///
/// # Errors
/// 422 for a field that cannot be used.
pub fn read(
    fields: &Fields,
    bounds: &SessionBounds,
    live: &LiveSettings,
) -> Result<(SessionOptions, LiveTerms), Problem> {
    fields.number32("size", FrameSize::LIVE_BOUNDS)?;
    let mut options = options::read(fields, bounds)?;
    options.framing.size_up_to = options.framing.size_up_to.map(|_| Framing::LARGEST_LIVE);
    if !fields.has("queue_timeout_s") {
        options.queue_timeout = live.queue_timeout.min(bounds.longest_queue_timeout);
    }
    Ok((options, terms(fields)?))
}

fn terms(fields: &Fields) -> Result<LiveTerms, Problem> {
    let usual = LiveTerms::default();
    let seconds = |name, range| fields.number(name, range).map(|s| s.map(Duration::from_secs));
    let kbps = |name| fields.number32(name, 100..=8000).map(|k| k.map(|k| 1000 * k));
    let (given_least, given_most) = (kbps("video_kbps_min")?, kbps("video_kbps_max")?);
    // Who says one of them shall not have to know the default of the other.
    let most = given_most.unwrap_or_else(|| usual.bitrate[1].max(given_least.unwrap_or_default()));
    let least = given_least.unwrap_or_else(|| usual.bitrate[0].min(most));
    if least > most {
        let detail = "video_kbps_min must not be more than video_kbps_max";
        return Err(Problem::invalid("video_kbps_min", detail));
    }
    Ok(LiveTerms {
        idle_timeout: seconds("idle_timeout_s", 1..=86_400)?.unwrap_or(usual.idle_timeout),
        absent_timeout: seconds("absent_timeout_s", 1..=3600)?.unwrap_or(usual.absent_timeout),
        left_timeout: seconds("left_timeout_s", 0..=3600)?.unwrap_or(usual.left_timeout),
        bitrate: [least, most],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::office::submission::canonical_terms as canonical;

    fn read_all(body: &str) -> Result<(SessionOptions, LiveTerms), Problem> {
        let known: Vec<_> = FIELDS.into_iter().chain(COMMON).collect();
        let fields = Fields::json(body.as_bytes(), &known)?;
        read(&fields, &SessionBounds::default(), &LiveSettings::default())
    }

    #[test]
    fn what_is_not_said_is_usual() {
        let (options, terms) = read_all("{}").unwrap();
        assert_eq!((options.queue_timeout, options.max_duration), (Duration::from_secs(20), Duration::from_secs(3600)));
        assert_eq!(terms, LiveTerms::default());
        let said = r#"{"idle_timeout_s":300,"absent_timeout_s":60,"left_timeout_s":30,"video_kbps_min":200,"video_kbps_max":1500}"#;
        assert_eq!(canonical(&read_all(said).unwrap().1), canonical(&terms));
    }

    #[test]
    fn one_bound_of_the_video_is_enough() {
        let bitrate = |body: &str| read_all(body).unwrap().1.bitrate;
        assert_eq!(bitrate(r#"{"video_kbps_max":150}"#), [150_000, 150_000]);
        assert_eq!(bitrate(r#"{"video_kbps_min":3000}"#), [3_000_000, 3_000_000]);
        assert_eq!(bitrate(r#"{"video_kbps_min":100,"video_kbps_max":8000}"#), [100_000, 8_000_000]);
        let (options, terms) = read_all(r#"{"left_timeout_s":0,"queue_timeout_s":600,"size":1024}"#).unwrap();
        assert_eq!(
            (terms.left_timeout, options.queue_timeout.as_secs(), options.size.pixels()),
            (Duration::ZERO, 600, 1024)
        );
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        for (body, field) in [
            (r#"{"size":1025}"#, "size"),
            (r#"{"size":63}"#, "size"),
            (r#"{"idle_timeout_s":0}"#, "idle_timeout_s"),
            (r#"{"idle_timeout_s":86401}"#, "idle_timeout_s"),
            (r#"{"absent_timeout_s":0}"#, "absent_timeout_s"),
            (r#"{"left_timeout_s":3601}"#, "left_timeout_s"),
            (r#"{"video_kbps_min":99}"#, "video_kbps_min"),
            (r#"{"video_kbps_max":"100"}"#, "video_kbps_max"),
            (r#"{"video_kbps_min":2000,"video_kbps_max":1000}"#, "video_kbps_min"),
        ] {
            assert_eq!(read_all(body).unwrap_err().field.as_deref(), Some(field), "{body}");
        }
    }
}
