//! `mouthpiece avatar`

use crate::look::FramingArgs;
use crate::say;
use clap::{Args, Subcommand};
use image::RgbImage;
use mouthpiece_domain::file_kind::{FileFamily, FileUse};
use mouthpiece_media::face::{FaceFinder, Runtime};
use mouthpiece_media::file_kind;
use mouthpiece_media::image::{Background, PortraitLimits, read_portrait};
use mouthpiece_media::reference::{Analysis, FaceReport, ReferenceError};
use mouthpiece_worker::{OutputFile, PortraitOptions, RenderError, load_reference};
use std::path::PathBuf;

/// Frames a second at which a video is looked at, as a render does if not told otherwise.
const VIDEO_FPS: u32 = 25;

/// Look at portraits.
#[derive(Debug, Args)]
pub struct AvatarArgs {
    #[command(subcommand)]
    command: AvatarCommand,
}

#[derive(Debug, Subcommand)]
enum AvatarCommand {
    /// Draw what is found in a portrait: the face's box, its mesh, the region that speech moves
    Inspect(InspectArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Example: mouthpiece avatar inspect me.jpg -o me-inspect.png")]
struct InspectArgs {
    #[arg(help = format!("The person: {}; of a video the first frame with the face is drawn", FileUse::Portrait.taken()))]
    portrait: PathBuf,
    /// Where to write the drawing; the portrait's name with `-inspect.png` in this folder if not given
    #[arg(short, long, value_name = "FILE.png")]
    output: Option<PathBuf>,
    /// Which face, if there are several: 1 is the largest
    #[arg(long, value_name = "N")]
    face: Option<usize>,
    #[command(flatten)]
    framing: FramingArgs,
}

/// Runs the command.
pub fn run(args: &AvatarArgs) -> anyhow::Result<()> {
    let AvatarCommand::Inspect(args) = &args.command;
    let output = args.output.clone().unwrap_or_else(|| {
        let stem = args.portrait.file_stem().unwrap_or_default().to_string_lossy();
        PathBuf::from(format!("{stem}-inspect.png"))
    });
    let (report, seen) = look(args)?;
    let drawing = OutputFile::reserve(&output, &[&args.portrait])?;
    seen.save_with_format(drawing.path(), image::ImageFormat::Png)
        .map_err(|e| RenderError::Output { file: output.as_path().into(), reason: e.to_string() })?;
    drawing.publish()?;
    print(&report, &output)
}

/// What is found, and a drawing of it: of a picture at its own size, of a video's first frame at output size.
fn look(args: &InspectArgs) -> Result<(FaceReport, RgbImage), RenderError> {
    let no_face = |source| RenderError::Reference { file: args.portrait.as_path().into(), source };
    let options = PortraitOptions {
        size: args.framing.size().pixels(),
        framing: args.framing.framing(),
        face: args.face,
        fps: VIDEO_FPS,
        background: None,
    };
    // A file that cannot be opened is left to the picture reader, whose errors name the reason.
    if file_kind(&args.portrait).ok().is_none_or(|kind| kind.family() == FileFamily::Picture) {
        let portrait = read_portrait(&args.portrait, &PortraitLimits::default(), &Background::default())?;
        let mut finder = FaceFinder::new(&Runtime::get()?)?;
        let mut analysis = Analysis::of(&portrait.picture, &mut finder, &options.prepare()).map_err(no_face)?;
        analysis.report.warnings.extend(portrait.warnings);
        let drawing = analysis.draw(&portrait.picture);
        return Ok((analysis.report, drawing));
    }
    let mut finder = FaceFinder::new(&Runtime::get()?)?;
    let prepared = load_reference(&args.portrait, options, &mut finder)?;
    let drawing = prepared.draw().ok_or_else(|| no_face(ReferenceError::NoFrames))?;
    Ok((prepared.report, drawing))
}

fn print(r: &FaceReport, output: &std::path::Path) -> anyhow::Result<()> {
    let [w, h] = r.native_size;
    let (b, pose) = (&r.bounds, &r.pose);
    let mut lines = vec![
        format!("picture     {w}x{h}"),
        format!("video       {}", r.frame),
        format!("faces       {} found, number {} (by size) taken", r.faces.len(), r.chosen),
        format!("box         {:.0}x{:.0} at ({:.0}, {:.0})", b.width(), b.height(), b.x0, b.y0),
        format!("certainty   detector {:.2}, mesh {:.2}", r.score, r.presence),
        format!("eye span    {:.1} px", r.eye_span_px),
        format!("pose        yaw {:+.0}°, pitch {:+.0}°, roll {:+.0}°", pose.yaw_deg, pose.pitch_deg, pose.roll_deg),
    ];
    lines.extend(r.warnings.iter().map(|warning| format!("note        {warning}")));
    lines.push(format!("drawing     {}", output.display()));
    say::result(lines.join("\n"))
}
