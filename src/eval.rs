//! `mouthpiece eval`

mod targets;

pub use targets::TargetsMissed;

use crate::config::{Sources, load};
use crate::progress::FrameBar;
use crate::say;
use clap::Args;
use mouthpiece_graph::GraphFolder;
use mouthpiece_media::quality::{EvaluationExtras, Judges, Measured, QualityReport, SeriesMatch, Unmeasured, evaluate};
use serde_json::{Map, Value, json};
use std::io::IsTerminal;
use std::path::PathBuf;
use targets::QualityTargets;

/// Measure how well a finished video follows its sound.
#[derive(Debug, Args)]
#[command(after_help = "Examples: mouthpiece eval hello.mp4 --portrait me.jpg --json\n          \
    mouthpiece eval hello.mp4 --lse --fid --reference filmed.mp4\n\n\
    Exit code 3: measured, and not as good as asked for.")]
pub struct EvalArgs {
    /// The video, with its sound
    video: PathBuf,
    /// Labelled visemes of the speech: start and end in seconds and a name (PP for p, b, m), separated by tabs
    #[arg(long, value_name = "FILE.tsv")]
    labels: Option<PathBuf>,
    /// The picture that the video was made from: its mouth is what silence should look like
    #[arg(long, value_name = "PICTURE")]
    portrait: Option<PathBuf>,
    /// Also measure LSE-D and LSE-C, by SyncNet; needs its graphs
    #[arg(long)]
    lse: bool,
    /// With --lse: LSE-D must be below this
    #[arg(long, value_name = "N", default_value_t = 7.0, requires = "lse")]
    lse_d_max: f64,
    /// With --lse: LSE-C must be above this
    #[arg(long, value_name = "N", default_value_t = 6.5, requires = "lse")]
    lse_c_min: f64,
    /// Also measure FID against the frames of --reference, by Inception; needs its graph
    #[arg(long, requires = "reference")]
    fid: bool,
    /// With --fid: a video that shows what the frames should look like
    #[arg(long, value_name = "VIDEO", requires = "fid")]
    reference: Option<PathBuf>,
    /// With --fid: FID must be below this
    #[arg(long, value_name = "N", requires = "fid")]
    fid_max: Option<f64>,
    /// The folder of graphs for --lse and --fid; neural.graphs of the settings if not given
    #[arg(long, value_name = "DIR")]
    graphs: Option<PathBuf>,
    /// Print JSON; what has no value is null, and why is said under "unmeasured"
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// [`mouthpiece_media::quality::QualityError`], [`TargetsMissed`] once the report is printed, or standard output that is closed.
pub fn run(args: &EvalArgs) -> anyhow::Result<()> {
    let mut progress = FrameBar::new(args.json || !std::io::stderr().is_terminal());
    let mut started = false;
    let graphs = args.judges_graphs()?;
    let judges = graphs.as_ref().map(|folder| Judges {
        graphs: &folder.0,
        lip_sync: args.lse,
        reference: args.reference.as_deref(),
    });
    let extras = EvaluationExtras { labels: args.labels.as_deref(), portrait: args.portrait.as_deref(), judges };
    let report = evaluate(&args.video, extras, &mut |at| {
        if !started {
            progress.start(at.of_frames.unwrap_or(0));
            started = true;
        }
        progress.at(at.frames);
    });
    progress.done();
    let report = report?;
    let text = if args.json { format!("{:#}", to_json(&report)) } else { to_table(&report) };
    say::result(text.trim_end())?;
    Ok(args.targets().check(report.lip_sync_error, report.frechet)?)
}

impl EvalArgs {
    /// Where the networks lie that are to judge; none if none is.
    fn judges_graphs(&self) -> anyhow::Result<Option<GraphFolder>> {
        if !self.lse && !self.fid {
            return Ok(None);
        }
        let named = self.graphs.as_ref().map(|folder| folder.display().to_string());
        let neural = load(&Sources::here(None).flag("neural.graphs", "--graphs", named))?.config.worker.neural;
        Ok(Some(GraphFolder::named_or_cached(&neural.graphs)?))
    }

    fn targets(&self) -> QualityTargets {
        QualityTargets { lse_d_max: self.lse_d_max, lse_c_min: self.lse_c_min, fid_max: self.fid_max }
    }
}

/// Every key is always there.
fn to_json(r: &QualityReport) -> Value {
    let mut reasons = Map::new();
    let mut or_null = |name: &str, value: Measured<Value>| {
        value.unwrap_or_else(|why| {
            reasons.insert(name.to_owned(), why.to_string().into());
            Value::Null
        })
    };
    let (clip, a, s) = (&r.clip, &r.apertures, &r.sharpness);
    let mut report = json!({
        "video": {
            "width_px": clip.width, "height_px": clip.height, "frames": clip.frames, "seconds": clip.seconds,
            "frames_per_second": clip.frames_per_second, "frames_without_face": clip.frames_without_face,
            "eye_span_px": clip.eye_span_px,
            "face_px": [clip.face.x0, clip.face.y0, clip.face.x1, clip.face.y1], "truncated": clip.truncated,
        },
        "sound": or_null("sound", r.sound.map(|s| json!({
            "seconds": s.seconds, "speech_seconds": s.speech_seconds, "silence_seconds": s.silence_seconds,
            "threshold_dbfs": s.threshold_db,
        }))),
        "lips_and_sound": or_null("lips_and_sound", r.sync.map(|s| json!({
            "in_speech": match_to_json(&s.in_speech), "with_pauses": match_to_json(&s.with_pauses),
            "speech_seconds": s.seconds,
        }))),
        "lse": r.lip_sync_error.map_or(Value::Null, |lse| or_null("lse", lse.map(|l| json!({
            "d": l.distance, "c": l.confidence, "shift_ms": 40 * l.shift, "windows": l.windows,
        })))),
        "fid": r.frechet.map_or(Value::Null, |fid| or_null("fid", fid.map(|f| json!({
            "distance": f.distance, "frames": f.frames, "reference_frames": f.of_reference,
        })))),
        "aperture": {
            "speech": or_null("aperture.speech", a.speech.map(Value::from)),
            "silence": or_null("aperture.silence", a.silence.map(Value::from)),
            "portrait": or_null("aperture.portrait", a.portrait.map(Value::from)),
            "silence_over_portrait":
                or_null("aperture.silence_over_portrait", a.silence_over_portrait().map(Value::from)),
            "least": a.least,
        },
        "closure": or_null("closure", r.closure.map(|c| json!({
            "rate": c.rate(), "closed": c.closed, "segments": c.segments,
            "rest": c.rest, "open": c.open, "threshold": c.threshold,
        }))),
        "living": or_null("living", r.living.map(|l| json!({
            "blinks": l.blinks, "blink_ratio": l.blink_ratio, "eyes_shut_at_s": l.shut_at, "mouth_width_range": l.width_range,
            "upper_lip_range": l.upper_lip_range, "roll_range_deg": l.roll_range_deg,
            "teeth_brightness": l.teeth.map(|t| t.brightness), "teeth_saturation": l.teeth.map(|t| t.saturation),
        }))),
        "key_frame_jump": or_null("key_frame_jump", r.key_frame_jump.map(Value::from)),
        "jitter": or_null("jitter", r.jitter.map(|j| json!({
            "all_permille": j.all, "lips_permille": j.lips, "eyes_permille": j.eyes, "triples": j.triples,
        }))),
        "cpbd": {
            "mouth": or_null("cpbd.mouth", s.mouth.map(Value::from)),
            "frame": or_null("cpbd.frame", s.frame.map(Value::from)),
            "portrait_mouth": or_null("cpbd.portrait_mouth", s.portrait_mouth.map(Value::from)),
            "portrait_frame": or_null("cpbd.portrait_frame", s.portrait_frame.map(Value::from)),
        },
        "outside": or_null("outside", r.outside.map(|c| json!({
            "mean": c.mean, "worst_frame_mean": c.worst_frame_mean, "p999": c.p999, "max": c.max,
            "psnr_db": c.psnr_db, "ssim": c.ssim, "share": c.share, "frames": c.frames,
        }))),
        "warnings": r.warnings,
    });
    report["unmeasured"] = reasons.into();
    report
}

fn match_to_json(m: &SeriesMatch) -> Value {
    json!({
        "correlation": m.correlation, "best_offset_ms": m.best_offset_ms, "best_offset_at_limit": m.at_limit(),
        "correlation_at_zero": m.correlation_at_zero,
    })
}

/// Name, value and meaning of each measure, in columns.
fn to_table(r: &QualityReport) -> String {
    let mut rows: Vec<[String; 3]> = Vec::new();
    let mut row = |name: &str, value: Measured<String>, meaning: &str| {
        let [value, meaning] = match value {
            Ok(value) => [value, meaning.to_owned()],
            Err(why) => ["-".to_owned(), why.to_string()],
        };
        rows.push([name.to_owned(), value, meaning]);
    };
    let number = |value: Measured<f64>| value.map(|v| format!("{v:.3}"));
    let clip = &r.clip;
    row(
        "video",
        Ok(format!("{}x{}, {:.2} s", clip.width, clip.height, clip.seconds)),
        &format!(
            "{} frames, {:.2} a second; {} without a face; eyes {:.0} px apart",
            clip.frames, clip.frames_per_second, clip.frames_without_face, clip.eye_span_px
        ),
    );
    row(
        "sound",
        r.sound.map(|s| format!("{:.2} s", s.seconds)),
        &r.sound.map_or(String::new(), |s| {
            format!("{:.2} s of speech, {:.2} s well inside pauses", s.speech_seconds, s.silence_seconds)
        }),
    );
    for (name, which, meaning) in [
        (
            "lips and sound",
            r.sync.map(|s| s.in_speech),
            "highest correlation (-1 to 1) of lip aperture and loudness in speech, and where; + is the mouth after the sound",
        ),
        (
            "  with pauses",
            r.sync.map(|s| s.with_pauses),
            "the same with half a second of pause around; says nothing of a portrait whose mouth rests open",
        ),
    ] {
        let limit = if which.is_ok_and(|m| m.at_limit()) { "; the limit of the search: no clear offset" } else { "" };
        let value = which.map(|m| format!("{:.3} at {:+} ms", m.correlation, m.best_offset_ms));
        row(name, value, &format!("{meaning}{limit}"));
        row("  at 0 ms", number(which.map(|m| m.correlation_at_zero)), "the same as it is seen");
    }
    if let Some(lse) = r.lip_sync_error {
        row(
            "LSE-D",
            number(lse.map(|l| l.distance)),
            "SyncNet's distance of mouth and voice at the best shift; the lower the better",
        );
        row(
            "LSE-C",
            number(lse.map(|l| l.confidence)),
            &lse.map_or(String::new(), |l| {
                let (shift, windows) = (40 * l.shift, l.windows);
                format!("by how much it beats the median shift; the best is {shift:+} ms, of {windows} windows")
            }),
        );
    }
    if let Some(fid) = r.frechet {
        row(
            "FID",
            number(fid.map(|f| f.distance)),
            &fid.map_or(String::new(), |f| {
                format!(
                    "how far {} frames are from {} of the reference, by Inception; 0 is the same",
                    f.frames, f.of_reference
                )
            }),
        );
    }
    let a = &r.apertures;
    row("aperture, speech", number(a.speech), "mean distance of the inner lips, in distances of the outer eye corners");
    row("aperture, silence", number(a.silence), "the same in pauses: near the portrait's, or the mouth does not rest");
    row("aperture, portrait", number(a.portrait), "the same of the picture at the same size");
    row("aperture, least", number(Ok(a.least)), "what the most closed twentieth of the frames stays below");
    row(
        "silence / portrait",
        number(a.silence_over_portrait()),
        "1 is a mouth that rests as in the picture; the aim is at most 1.1",
    );
    row(
        "closure",
        r.closure.map(|c| format!("{:.0}% of {}", 100.0 * c.rate(), c.segments)),
        &r.closure.map_or(String::new(), |c| {
            format!("labelled p, b, m in which the aperture falls below {:.3}", c.threshold)
        }),
    );
    let living = r.living;
    row(
        "blinks",
        living
            .and_then(|l| l.blink_ratio.map(|ratio| format!("{ratio:.2} of {}", l.blinks)).ok_or(Unmeasured::NoBlink)),
        "least height of the eyes in a blink over their usual one, and how many; people: .1 to .3",
    );
    row(
        "mouth, width",
        number(living.map(|l| l.width_range)),
        "how far the distance of its corners ranges, in eye distances; people who talk: .11 to .19",
    );
    row(
        "mouth, upper lip",
        number(living.map(|l| l.upper_lip_range)),
        "the same of the upper lip's height; people: .04 to .05",
    );
    let teeth = living.and_then(|l| l.teeth.ok_or(Unmeasured::NoTeeth));
    row(
        "teeth, brightness",
        teeth.map(|t| format!("{:.2}", t.brightness)),
        "brightest twelfth between the lips over the cheeks; people: 1.03 to 1.56",
    );
    row(
        "teeth, saturation",
        teeth.map(|t| format!("{:.2}", t.saturation)),
        "the same pixels' colour; people: 0 to .16",
    );
    row("head, roll", living.map(|l| format!("{:.1} degrees", l.roll_range_deg)), "how far it ranges; people: 5 to 13");
    row(
        "key frames",
        r.key_frame_jump.map(|v| format!("{v:.2} of 255")),
        "how much more the picture changes at the worst key frame than from frame to frame, outside the face",
    );
    row(
        "jitter, lips",
        r.jitter.map(|j| format!("{:.2} ‰", j.lips)),
        "shaking in silence: rms second difference, in thousandths of the eye distance, the head's motion removed",
    );
    row(
        "jitter, eyes",
        r.jitter.map(|j| format!("{:.2} ‰", j.eyes)),
        "the same of the eye corners; blinks add a little",
    );
    let s = &r.sharpness;
    row("CPBD, mouth", number(s.mouth), "sharpness around the lips, 0 (blurred) to 1 (sharp)");
    row("CPBD, frame", number(s.frame), "the same of the whole frame");
    row("CPBD, portrait", number(s.portrait_mouth), "the same of the portrait's mouth: what could be reached");
    row("CPBD, picture", number(s.portrait_frame), "the same of the whole portrait");
    row(
        "outside, mean",
        r.outside.map(|c| format!("{:.2} of 255", c.mean)),
        "change of luma against the first frame, outside the face: background that swims, a head that moves, coding",
    );
    row(
        "outside, worst",
        r.outside.map(|c| format!("{:.2} of 255", c.worst_frame_mean)),
        &r.outside.map_or(String::new(), |c| {
            format!("the same of the worst frame; 99.9% of the pixels change by at most {}, one by {}", c.p999, c.max)
        }),
    );
    let psnr = r.outside.map(|c| c.psnr_db.map_or_else(|| "identical".to_owned(), |v| format!("{v:.1} dB")));
    row("outside, PSNR", psnr, "the same as a ratio: the higher the better, above 40 dB it is hard to see");
    let ssim = number(r.outside.and_then(|c| c.ssim.ok_or(Unmeasured::NothingOutside)));
    row("outside, SSIM", ssim, "structural similarity to the first frame there, 1 is the same");
    rows.extend(r.warnings.iter().map(|w| ["note".to_owned(), String::new(), w.clone()]));
    rows.iter().map(|[name, value, meaning]| format!("{name:<19} {value:<18} {meaning}\n")).collect()
}
