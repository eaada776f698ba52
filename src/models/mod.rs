//! `mouthpiece models`

mod build;
mod byte_bar;
mod child;
mod export;
mod fetch;
mod folder;
mod licence;
mod manifest;
mod python;
mod scripts;
mod settings;
mod sources;
mod transfer;
mod wanted;

pub use manifest::ManifestError;
pub use python::PythonError;

use crate::config::{Sources, load};
use crate::say;
use anyhow::Context;
use byte_bar::ByteBar;
use clap::{Args, Subcommand};
use export::ExportArgs;
use fetch::{Fetched, fetch};
use folder::{FileState, ModelsFolder};
use manifest::{Manifest, WeightsFile};
use settings::ModelsSettings;
use std::env;
use std::path::PathBuf;
use thiserror::Error;

/// List, fetch and verify the weights that engines need, and make what engines run of them.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
enum ModelsCommand {
    /// List what there is: name, size, licence, whether it is here, what it is for
    List(WhereArgs),
    /// Fetch files that are not here yet
    Fetch(FetchArgs),
    /// Read files again and compare their hashes
    Verify(VerifyArgs),
    /// Make graphs of the fetched weights: those that the neural engine runs, that judge films, that restore mouths
    Export(ExportArgs),
    /// Build TensorRT's engines of the graphs that draw, for the GPU of this machine
    Build(BuildArgs),
}

/// Where the files are kept.
#[derive(Debug, Args)]
struct WhereArgs {
    /// The folder of models; models.folder of the settings if not given
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Another manifest than the one built in
    #[arg(long, value_name = "FILE.toml")]
    manifest: Option<PathBuf>,
    /// Read settings from this file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: mouthpiece models fetch whisper-tiny tiny-vae")]
struct FetchArgs {
    /// Names as `mouthpiece models list` shows them; all that are not here if none is given
    names: Vec<String>,
    #[command(flatten)]
    place: WhereArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: mouthpiece models verify")]
struct VerifyArgs {
    /// Names as `mouthpiece models list` shows them; all that are here if none is given
    names: Vec<String>,
    /// Put the hash of a file that was copied here by hand on record
    #[arg(long, requires = "names")]
    record: bool,
    #[command(flatten)]
    place: WhereArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: mouthpiece models build --device 0")]
struct BuildArgs {
    /// The folder of graphs; `neural.graphs` of the settings if not given
    #[arg(long, value_name = "DIR")]
    graphs: Option<PathBuf>,
    /// Which GPU, from 0; `neural.device` of the settings if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=63))]
    device: Option<u16>,
    /// Read settings from this file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What was asked for cannot be done with the files that there are.
#[derive(Debug, Error)]
pub enum ModelsError {
    /// A name that is not in the manifest.
    #[error("there is no '{asked}' in the manifest: it has {known}")]
    NoSuchName {
        /// What was asked for.
        asked: String,
        /// The names that there are.
        known: String,
    },
    /// A licence that nobody allowed.
    #[error(
        "'{name}' is licensed as {licence}, which is not a permissive licence known here: nothing was fetched. \
         Read it, and if you accept it, add \"{licence}\" to models.allow_licences"
    )]
    Licence {
        /// The entry.
        name: String,
        /// Its licence.
        licence: String,
    },
    /// A graph that is not made here.
    #[error("there is no graph '{asked}': there are {known}")]
    NoSuchGraph {
        /// What was asked for.
        asked: String,
        /// The names that there are.
        known: String,
    },
    /// Weights that a graph is made of are not here.
    #[error("not in {}: {}. Run 'mouthpiece models fetch {}'", folder.display(), names.join(", "), names.join(" "))]
    NoWeights {
        /// Their names.
        names: Vec<String>,
        /// Where they would be.
        folder: PathBuf,
    },
    /// The user ended it.
    #[error("interrupted: graphs that were finished are kept, nothing half-made is left; the next call goes on")]
    Interrupted,
    /// Some files are not what they must be, or not there.
    #[error("{} not right: {}", if names.len() == 1 { "one file is" } else { "these files are" }, names.join(", "))]
    NotRight {
        /// Their names.
        names: Vec<String>,
    },
}

impl ModelsError {
    /// True when other words on the command line or in the settings would help.
    pub fn is_input(&self) -> bool {
        matches!(self, Self::NoSuchName { .. } | Self::Licence { .. } | Self::NoSuchGraph { .. })
    }
}

/// The manifest, the folder and the settings of one call.
struct Models {
    manifest: Manifest,
    folder: ModelsFolder,
    settings: ModelsSettings,
    /// Where engines look for graphs; empty: in the user's cache.
    graphs: PathBuf,
}

/// Runs the command.
pub fn run(args: &ModelsArgs) -> anyhow::Result<()> {
    match &args.command {
        ModelsCommand::List(place) => list(&Models::open(place)?),
        ModelsCommand::Fetch(args) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let models = Models::open(&args.place)?;
            runtime.block_on(fetch_all(&models, &args.names))
        }
        ModelsCommand::Verify(args) => verify(&Models::open(&args.place)?, args),
        ModelsCommand::Export(args) => export::export(args),
        ModelsCommand::Build(args) => build::build(args),
    }
}

impl Models {
    fn open(place: &WhereArgs) -> anyhow::Result<Self> {
        let folder = place.folder.as_ref().map(|folder| folder.display().to_string());
        let sources = Sources::here(place.config.clone()).flag("models.folder", "--folder", folder);
        let config = load(&sources)?.config;
        let settings = ModelsSettings::new(config.models)?;
        let manifest = match &place.manifest {
            None => manifest::parse(manifest::BUILT_IN)?,
            Some(file) => {
                let told = file.display();
                let text = std::fs::read_to_string(file).with_context(|| format!("'{told}' cannot be read"))?;
                manifest::parse(&text)?
            }
        };
        let folder = ModelsFolder::new(&settings.folder, |name| env::var_os(name).map(PathBuf::from))?;
        Ok(Self { manifest, folder, settings, graphs: config.worker.neural.graphs })
    }

    /// The entries of these names, or all.
    fn named(&self, names: &[String]) -> Result<Vec<&WeightsFile>, ModelsError> {
        let all = &self.manifest.weights;
        let find = |asked: &String| {
            all.iter().find(|file| file.name == *asked).ok_or_else(|| ModelsError::NoSuchName {
                asked: asked.clone(),
                known: all.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", "),
            })
        };
        if names.is_empty() { Ok(all.iter().collect()) } else { names.iter().map(find).collect() }
    }
}

fn list(models: &Models) -> anyhow::Result<()> {
    let use_of = |commercial| if commercial { "commercial use" } else { "no commercial use" };
    for model in &models.manifest.shipped {
        let (name, licence) = (&model.name, &model.licence);
        say::result(format_args!(
            "{name:26} built in  {licence}, {}: {}",
            use_of(model.commercial_use),
            model.used_by
        ))?;
    }
    for file in &models.manifest.weights {
        let place = models.folder.file(file);
        let here = if place.is_file() { "here    " } else { "absent  " };
        let (name, licence) = (&file.name, &file.licence);
        say::result(format_args!("{name:26} {here}  {licence}, {}: {}", use_of(file.commercial_use), file.purpose))?;
        let hash = file.sha256.as_ref().map_or(manifest::ON_FIRST_FETCH, |hash| hash.as_str());
        say::result(format_args!("    about {}, SHA-256 {hash}", byte_bar::size(file.about_bytes)))?;
        say::result(format_args!("    from {}", file.url))?;
        say::result(format_args!("    to {}", place.display()))?;
        if !file.terms.is_empty() {
            say::result(format_args!("    {}", file.terms))?;
        }
    }
    Ok(())
}

async fn fetch_all(models: &Models, names: &[String]) -> anyhow::Result<()> {
    let files = models.named(names)?;
    // Before anything is fetched: half of what was asked for is of no use.
    for file in &files {
        if !models.settings.allowed.allows(&file.licence) {
            return Err(ModelsError::Licence { name: file.name.clone(), licence: file.licence.clone() }.into());
        }
    }
    let _lock = models.folder.lock()?;
    let client = transfer::client()?;
    for file in files {
        let sources = sources::sources(file, &models.settings.mirrors);
        let mut bar = ByteBar::new(&file.name);
        let done = fetch(&client, &models.folder, file, &sources, transfer::RETRIES, &mut bar).await;
        bar.done();
        let place = models.folder.file(file);
        let told = match done? {
            Fetched::There => format!("{}: here, and right", file.name),
            Fetched::Checked { from } => format!("{}: fetched from {from}, and right: {}", file.name, place.display()),
            Fetched::Recorded { from, sha256 } => format!(
                "{}: fetched from {from}: {}. Its SHA-256 is {}; from now on it must be that",
                file.name,
                place.display(),
                sha256.as_str()
            ),
        };
        say::result(told)?;
    }
    Ok(())
}

fn verify(models: &Models, args: &VerifyArgs) -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    for file in models.named(&args.names)? {
        let (name, place) = (&file.name, models.folder.file(file));
        let told = match models.folder.state(file)? {
            FileState::Absent if args.names.is_empty() => format!("{name}: absent"),
            FileState::Absent => {
                wrong.push(name.clone());
                format!("{name}: absent: run `mouthpiece models fetch {name}`")
            }
            FileState::Right { pinned: true } => format!("{name}: right"),
            FileState::Right { pinned: false } => format!("{name}: as it was recorded"),
            FileState::Unknown { found } if args.record => {
                let _lock = models.folder.lock()?;
                models.folder.put_on_record(file, &found)?;
                format!("{name}: its SHA-256 is {}; from now on it must be that", found.as_str())
            }
            FileState::Unknown { found } => {
                wrong.push(name.clone());
                format!(
                    "{name}: nobody knows what it must be (SHA-256 {}): `--record {name}` if you trust it",
                    found.as_str()
                )
            }
            FileState::Other { wanted, found } => {
                wrong.push(name.clone());
                let (found, wanted) = (found.as_str(), wanted.as_str());
                format!("{name}: {} is another file (SHA-256 {found}, wanted {wanted})", place.display())
            }
        };
        say::result(told)?;
    }
    if wrong.is_empty() { Ok(()) } else { Err(ModelsError::NotRight { names: wrong }.into()) }
}
