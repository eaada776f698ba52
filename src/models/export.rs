//! `mouthpiece models export`: the graphs that the neural engine runs, made of the fetched weights by the scripts of models/export.

use super::child::{ChildError, run_to_end};
use super::folder::{FileState, ModelsFolder, sha256};
use super::python;
use super::scripts::write_scripts;
use super::wanted::{ExtraGraphs, GraphsWanted};
use super::{Models, ModelsError, WhereArgs};
use crate::say;
use crate::stop_flag::StopFlag;
use anyhow::Context;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How folders begin in which a graph is made (models/export/export.py).
const WORK: &str = ".export-";

#[derive(Debug, Args)]
#[command(after_help = "\
What happens: the weights are compared with their hashes; PyTorch and what else the scripts need are installed into the folder of models \
after you agreed, unless --python names a Python that has them; each graph is written with one file of weights beside it, compared with \
PyTorch (batches of 1 and 2), and only then put in its place. A graph that is there already, of the same weights, is not made again. \
Ctrl-C at any time: what is finished is kept, nothing half-made is left, and the next call goes on.

whisper, vae_encoder, unet, vae_decoder and tiny_decoder are the engine. syncnet (two graphs) and inception judge films \
(`mouthpiece eval --lse --fid`), restoration makes mouths sharper (neural.restoration), of real-esrgan-general if that is here, else of \
esrgan-slim; these are always in 32 bits, since a measure must be what its publishers would get.

Takes minutes and 10 GB of memory for the UNet. PyTorch comes from pip's index: pip's own settings (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, \
PIP_FIND_LINKS) name another, for example one whose build for processors alone is much smaller.

Examples:
  mouthpiece models fetch && mouthpiece models export
  mouthpiece models export unet tiny_decoder --yes
  mouthpiece models fetch inception real-esrgan-general && mouthpiece models export inception restoration
  mouthpiece models export --python ~/venv/bin/python --out /srv/graphs
  mouthpiece models export --random-weights --out graphs    # to measure speed without the published weights

Then: mouthpiece models build, on a GPU with TensorRT; mouthpiece render --engine musetalk ...")]
pub struct ExportArgs {
    /// Graphs to make: whisper, vae_encoder, unet, vae_decoder, tiny_decoder; syncnet, inception, restoration. If none is given: the first
    /// five, and of the others those whose weights are here
    graphs: Vec<String>,
    /// Floating point inside the engine's: fp16 for GPUs, fp32 for comparing
    #[arg(long, value_enum, default_value_t = Precision::Fp16)]
    precision: Precision,
    /// Where graphs go; neural.graphs of the settings if not given, else the folder `graphs` in that of models
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A Python (3.11 or newer) that has the packages; nothing is installed then
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Install the packages without asking
    #[arg(long)]
    yes: bool,
    /// Make graphs again that are there already
    #[arg(long)]
    again: bool,
    /// Draw weights at random instead of taking the published ones: as fast, and the mouth means nothing
    #[arg(long)]
    random_weights: bool,
    /// Weights have the twins' widths: for tests
    #[arg(long, hide = true)]
    twin: bool,
    #[command(flatten)]
    place: WhereArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Precision {
    Fp16,
    Fp32,
}

/// An entry of `graphs.json`.
#[derive(Debug, Deserialize)]
struct Written {
    graph: String,
    /// Empty where the graph holds them itself.
    weights: String,
}

/// Runs the command.
pub fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let models = Models::open(&args.place)?;
    // At random nothing is made that nobody named.
    let wanted = GraphsWanted::of(&args.graphs, |weights| !args.random_weights && is_here(&models, weights))?;
    let out = out_folder(args, &models);
    let _lock = models.folder.lock()?;
    if !args.random_weights {
        check_weights(&models, &wanted)?;
    }
    let stop = StopFlag::on_signals()?;
    let scripts = tempfile::tempdir().context("no folder for the scripts can be made")?;
    write_scripts(scripts.path())?;
    let python = match &args.python {
        Some(path) => python::named(path, scripts.path())?,
        None => python::own(&models.folder, scripts.path(), args.yes, &stop)?,
    };
    for mut command in commands(&python, scripts.path(), &models.folder, &out, args, &wanted) {
        let done = run_to_end(&mut command, &stop);
        remove_unfinished(&out);
        match done {
            Ok(()) => {}
            Err(ChildError::Interrupted) => return Err(ModelsError::Interrupted.into()),
            Err(error) => return Err(error.into()),
        }
    }
    check_graphs(&out, &wanted)?;
    if !is_looked_for(args, &models) {
        say::aside(format_args!("the engine finds them with --graphs, or neural.graphs = \"{}\"", out.display()));
    }
    Ok(())
}

fn out_folder(args: &ExportArgs, models: &Models) -> PathBuf {
    let named = args.out.as_ref().or(Some(&models.graphs)).filter(|folder| !folder.as_os_str().is_empty());
    named.cloned().unwrap_or_else(|| models.folder.path().join("graphs"))
}

/// True where an engine looks for graphs by itself.
fn is_looked_for(args: &ExportArgs, models: &Models) -> bool {
    args.out.is_none() && (!models.graphs.as_os_str().is_empty() || models.settings.folder.as_os_str().is_empty())
}

/// Whether there are weights of this name; whether they are right is seen later.
fn is_here(models: &Models, weights: &str) -> bool {
    models.named(&[weights.to_owned()]).is_ok_and(|files| files.iter().all(|file| models.folder.file(file).is_file()))
}

/// Reads the weights again that are needed, and says which are missing or others.
fn check_weights(models: &Models, wanted: &GraphsWanted) -> anyhow::Result<()> {
    let (mut absent, mut wrong) = (Vec::new(), Vec::new());
    for file in models.named(&wanted.weights())? {
        match models.folder.state(file)? {
            FileState::Right { .. } => {}
            FileState::Absent => absent.push(file.name.clone()),
            FileState::Unknown { .. } | FileState::Other { .. } => wrong.push(file.name.clone()),
        }
    }
    if !wrong.is_empty() {
        say::aside(format_args!("what they must be, and what they are: mouthpiece models verify {}", wrong.join(" ")));
        return Err(ModelsError::NotRight { names: wrong }.into());
    }
    if absent.is_empty() {
        return Ok(());
    }
    Err(ModelsError::NoWeights { names: absent, folder: models.folder.path().to_owned() }.into())
}

/// What makes the engine's graphs, and what makes the others: those of both that have something to do.
fn commands(
    python: &Path,
    scripts: &Path,
    folder: &ModelsFolder,
    out: &Path,
    args: &ExportArgs,
    wanted: &GraphsWanted,
) -> Vec<Command> {
    let script = |name: &str, graphs: &[&str]| {
        let mut command = Command::new(python);
        command.arg("-B").arg(scripts.join(name)).arg(folder.path()).arg("--out").arg(out);
        command.args(["--graphs", &graphs.join(",")]);
        let flags = [("--again", args.again), ("--random", args.random_weights)];
        command.args(flags.into_iter().filter_map(|(flag, given)| given.then_some(flag)));
        // Nothing is to be had from anywhere: the weights are here.
        command.envs([("PYTHONUNBUFFERED", "1"), ("HF_HUB_OFFLINE", "1"), ("HF_HUB_DISABLE_TELEMETRY", "1")]);
        command
    };
    let mut commands = Vec::new();
    let face: Vec<&str> = wanted.face.iter().map(|(graph, _)| *graph).collect();
    if !face.is_empty() {
        let mut command = script("export.py", &face);
        command.arg("--precision").arg(match args.precision {
            Precision::Fp16 => "fp16",
            Precision::Fp32 => "fp32",
        });
        command.args(args.twin.then_some("--twin"));
        commands.push(command);
    }
    let extras: Vec<&str> = wanted.extras.iter().map(|(ExtraGraphs { name, .. }, _)| *name).collect();
    if !extras.is_empty() {
        let mut command = script("extras.py", &extras);
        if let Some((_, weights)) = wanted.extras.iter().find(|(extra, _)| extra.name == "restoration") {
            command.args(["--restoration", weights]);
        }
        commands.push(command);
    }
    commands
}

/// What a script that was killed left behind.
fn remove_unfinished(out: &Path) {
    for entry in fs::read_dir(out).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(WORK)
            && let Err(e) = fs::remove_dir_all(entry.path())
        {
            say::aside(format_args!("{} cannot be removed: {e}", entry.path().display()));
        }
    }
}

/// Reads what was written again, and compares it with what the scripts say that they wrote.
fn check_graphs(out: &Path, wanted: &GraphsWanted) -> anyhow::Result<()> {
    let note = out.join("graphs.json");
    let text = fs::read(&note).with_context(|| format!("{} cannot be read", note.display()))?;
    let told: BTreeMap<String, Written> =
        serde_json::from_slice(&text).with_context(|| format!("{} cannot be understood", note.display()))?;
    let mut wrong = Vec::new();
    for name in wanted.graphs() {
        let (graph, weights) = (out.join(format!("{name}.onnx")), out.join(format!("{name}.onnx.data")));
        let found = (sha256(&graph)?, sha256(&weights)?);
        let beside = found.1.as_ref().map_or("", |hash| hash.as_str());
        match (told.get(name), found.0) {
            (Some(told), Some(a)) if told.graph == a.as_str() && told.weights == beside => {
                say::result(format_args!("{name}: right: {}", graph.display()))?;
            }
            _ => wrong.push(name.to_owned()),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(ModelsError::NotRight { names: wrong }.into()) }
}

#[cfg(test)]
mod tests {
    use crate::models::scripts::SCRIPTS;

    #[test]
    fn a_script_that_is_run_is_one_that_is_built_in() {
        for name in ["export.py", "extras.py", "packages.py"] {
            assert!(SCRIPTS.iter().any(|(known, _)| *known == name), "{name}");
        }
    }
}
