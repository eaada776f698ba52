//! `mouthpiece models export`: the graphs that the neural engine runs, made of the fetched weights by the scripts of models/export.

use super::child::{ChildError, run_to_end};
use super::folder::{FileState, ModelsFolder, sha256};
use super::python;
use super::scripts::write_scripts;
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

/// Each graph, and the weights that it is made of.
const GRAPHS: [(&str, &str); 5] = [
    ("whisper", "whisper-tiny"),
    ("vae_encoder", "sd-vae-ft-mse"),
    ("unet", "musetalk-unet"),
    ("vae_decoder", "sd-vae-ft-mse"),
    ("tiny_decoder", "tiny-vae"),
];
/// How folders begin in which a graph is made (models/export/export.py).
const WORK: &str = ".export-";

#[derive(Debug, Args)]
#[command(after_help = "\
What happens: the weights are compared with their hashes; PyTorch and what else the scripts need are installed into the folder of models \
after you agreed, unless --python names a Python that has them; each graph is written with one file of weights beside it, compared with \
PyTorch (batches of 1 and 2), and only then put in its place. A graph that is there already, of the same weights, is not made again. \
Ctrl-C at any time: what is finished is kept, nothing half-made is left, and the next call goes on.

Takes minutes and 10 GB of memory for the UNet. PyTorch comes from pip's index: pip's own settings (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, \
PIP_FIND_LINKS) name another, for example one whose build for processors alone is much smaller.

Examples:
  mouthpiece models fetch && mouthpiece models export
  mouthpiece models export unet tiny_decoder --yes
  mouthpiece models export --python ~/venv/bin/python --out /srv/graphs
  mouthpiece models export --random-weights --out graphs    # to measure speed without the published weights

Then: mouthpiece models build, on a GPU with TensorRT; mouthpiece render --engine musetalk ...")]
pub struct ExportArgs {
    /// Graphs to make: whisper, vae_encoder, unet, vae_decoder, tiny_decoder; all if none is given
    graphs: Vec<String>,
    /// Floating point inside: fp16 for GPUs, fp32 for comparing
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
    weights: String,
}

/// Runs the command.
pub fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let models = Models::open(&args.place)?;
    let graphs = asked(&args.graphs)?;
    let out = out_folder(args, &models);
    let _lock = models.folder.lock()?;
    if !args.random_weights {
        check_weights(&models, &graphs)?;
    }
    let stop = StopFlag::on_signals()?;
    let scripts = tempfile::tempdir().context("no folder for the scripts can be made")?;
    write_scripts(scripts.path())?;
    let python = match &args.python {
        Some(path) => python::named(path, scripts.path())?,
        None => python::own(&models.folder, scripts.path(), args.yes, &stop)?,
    };
    let done = run_to_end(&mut command(&python, scripts.path(), &models.folder, &out, args, &graphs), &stop);
    remove_unfinished(&out);
    match done {
        Ok(()) => {}
        Err(ChildError::Interrupted) => return Err(ModelsError::Interrupted.into()),
        Err(error) => return Err(error.into()),
    }
    check_graphs(&out, &graphs)?;
    if !is_looked_for(args, &models) {
        say::aside(format_args!("the engine finds them with --graphs, or neural.graphs = \"{}\"", out.display()));
    }
    Ok(())
}

/// The graphs of these names with their weights, or all.
fn asked(names: &[String]) -> Result<Vec<(&'static str, &'static str)>, ModelsError> {
    let find = |name: &String| {
        GRAPHS.into_iter().find(|(graph, _)| graph == name).ok_or_else(|| ModelsError::NoSuchGraph {
            asked: name.clone(),
            known: GRAPHS.map(|(graph, _)| graph).join(", "),
        })
    };
    if names.is_empty() { Ok(GRAPHS.to_vec()) } else { names.iter().map(find).collect() }
}

fn out_folder(args: &ExportArgs, models: &Models) -> PathBuf {
    let named = args.out.as_ref().or(Some(&models.graphs)).filter(|folder| !folder.as_os_str().is_empty());
    named.cloned().unwrap_or_else(|| models.folder.path().join("graphs"))
}

/// True where an engine looks for graphs by itself.
fn is_looked_for(args: &ExportArgs, models: &Models) -> bool {
    args.out.is_none() && (!models.graphs.as_os_str().is_empty() || models.settings.folder.as_os_str().is_empty())
}

/// Reads the weights again that are needed, and says which are missing or others.
fn check_weights(models: &Models, graphs: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut names: Vec<String> = graphs.iter().map(|(_, weights)| (*weights).to_owned()).collect();
    names.sort();
    names.dedup();
    let (mut absent, mut wrong) = (Vec::new(), Vec::new());
    for file in models.named(&names)? {
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

fn command(
    python: &Path,
    scripts: &Path,
    folder: &ModelsFolder,
    out: &Path,
    args: &ExportArgs,
    graphs: &[(&str, &str)],
) -> Command {
    let names: Vec<&str> = graphs.iter().map(|(graph, _)| *graph).collect();
    let mut command = Command::new(python);
    command.arg("-B").arg(scripts.join("export.py")).arg(folder.path()).arg("--out").arg(out);
    command.args(["--graphs", &names.join(","), "--precision"]);
    command.arg(match args.precision {
        Precision::Fp16 => "fp16",
        Precision::Fp32 => "fp32",
    });
    let flags = [("--again", args.again), ("--random", args.random_weights), ("--twin", args.twin)];
    command.args(flags.into_iter().filter_map(|(flag, given)| given.then_some(flag)));
    // Nothing is to be had from anywhere: the weights are here.
    command.envs([("PYTHONUNBUFFERED", "1"), ("HF_HUB_OFFLINE", "1"), ("HF_HUB_DISABLE_TELEMETRY", "1")]);
    command
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
fn check_graphs(out: &Path, graphs: &[(&str, &str)]) -> anyhow::Result<()> {
    let note = out.join("graphs.json");
    let text = fs::read(&note).with_context(|| format!("{} cannot be read", note.display()))?;
    let told: BTreeMap<String, Written> =
        serde_json::from_slice(&text).with_context(|| format!("{} cannot be understood", note.display()))?;
    let mut wrong = Vec::new();
    for (name, _) in graphs {
        let (graph, weights) = (out.join(format!("{name}.onnx")), out.join(format!("{name}.onnx.data")));
        let found = (sha256(&graph)?, sha256(&weights)?);
        match (told.get(*name), found) {
            (Some(told), (Some(a), Some(b))) if told.graph == a.as_str() && told.weights == b.as_str() => {
                say::result(format_args!("{name}: right: {}", graph.display()))?;
            }
            _ => wrong.push((*name).to_owned()),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(ModelsError::NotRight { names: wrong }.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::manifest::{BUILT_IN, parse};
    use crate::models::scripts::SCRIPTS;

    #[test]
    fn the_scripts_look_where_the_manifest_puts_the_weights() {
        let manifest = parse(BUILT_IN).unwrap();
        let text = SCRIPTS.iter().find(|(name, _)| *name == "weights.py").unwrap().1;
        for (graph, weights) in GRAPHS {
            let file = manifest.weights.iter().find(|file| file.name == weights).unwrap();
            let line = format!("\"{graph}\": \"{}\"", file.file.display());
            assert!(text.contains(&line), "{line}");
        }
    }

    #[test]
    fn each_graph_is_known_once_and_others_are_refused() {
        assert_eq!(asked(&[]).unwrap().len(), 5);
        assert_eq!(asked(&["unet".to_owned()]).unwrap(), [("unet", "musetalk-unet")]);
        let refused = asked(&["vnet".to_owned()]).unwrap_err();
        assert!(refused.is_input() && refused.to_string().contains("there is no graph 'vnet'"), "{refused}");
    }

    #[test]
    fn a_script_that_is_run_is_one_that_is_built_in() {
        for name in ["export.py", "packages.py"] {
            assert!(SCRIPTS.iter().any(|(known, _)| *known == name), "{name}");
        }
    }
}
