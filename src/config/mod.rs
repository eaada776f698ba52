//! The configuration: typed, read from the defaults, a file, the environment and flags, and judged as a whole.

pub mod command;
mod farm;
mod ice;
mod layers;
mod prices;
mod print;
mod read;
mod stores;
mod typed;
mod values;

pub use farm::{BucketAccess, BucketEncryption, CallerAccess, FarmSecret, FarmSettings, MachineAccess};
pub use layers::{DEFAULTS, Sources};
pub use prices::Prices;
#[cfg(any(feature = "cloud", test))]
pub use stores::ServerUrl;
pub use stores::{ServerKind, StoreUrl};
#[cfg(feature = "loadtest")]
pub use values::MicroUsd;
pub use values::SettingValue;

use figment::Figment;
use figment::value::Value;
use layers::Layer;
use mouthpiece_coordinator::http::HttpSettings;
use mouthpiece_domain::control::ControlSettings;
use mouthpiece_worker_settings::WorkerSettings;
use read::Reader;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that is wrong with the settings.
#[derive(Debug)]
pub struct ConfigError {
    problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problems[..] {
            [only] => write!(f, "the configuration cannot be used: {only}"),
            several => {
                write!(f, "the configuration cannot be used:")?;
                several.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for ConfigError {}

impl From<Vec<String>> for ConfigError {
    fn from(problems: Vec<String>) -> Self {
        Self { problems }
    }
}

/// The settings.
#[derive(Debug)]
pub struct Config {
    /// The HTTP side. Where uploads are staged is not set here: it depends on the data folder.
    pub http: HttpSettings,
    /// Where things are kept.
    pub stores: StoreSettings,
    /// How the coordinator decides.
    pub control: ControlSettings,
    /// The worker in this process. Where it works is not set here: that depends on the data folder.
    #[cfg_attr(not(feature = "worker"), allow(dead_code, reason = "settings mean the same in every build"))]
    pub worker: WorkerSettings,
    /// A worker's time counts from its machine's start.
    #[cfg_attr(
        not(all(feature = "cloud", feature = "worker")),
        allow(dead_code, reason = "settings mean the same in every build")
    )]
    pub counts_from_boot: bool,
    /// How long sessions may go on when the process is asked to end, before they are handed over.
    pub grace: Duration,
    /// What the first API key is called.
    pub first_key_name: String,
    /// The log.
    pub log: LogSettings,
    /// Weights.
    #[cfg_attr(not(feature = "neural"), allow(dead_code, reason = "settings mean the same in every build"))]
    pub models: ModelSettings,
    /// What machines cost.
    pub prices: Prices,
    /// What a farm of several processes needs.
    #[cfg_attr(not(feature = "cloud"), allow(dead_code, reason = "settings mean the same in every build"))]
    pub farm: FarmSettings,
}

/// Where things are kept.
#[derive(Debug)]
pub struct StoreSettings {
    /// The data folder; none was named if it is empty.
    pub data: PathBuf,
    pub records: StoreUrl,
    pub bus: StoreUrl,
    pub pool: StoreUrl,
    pub blobs: StoreUrl,
    pub fleet: StoreUrl,
}

/// Where weights are kept and had from, as it stands in the settings.
#[derive(Debug)]
#[cfg_attr(not(feature = "neural"), allow(dead_code, reason = "settings mean the same in every build"))]
pub struct ModelSettings {
    /// The folder; none was named if it is empty.
    pub folder: PathBuf,
    pub mirrors: Vec<String>,
    pub allow_licences: Vec<String>,
}

/// The log.
#[derive(Debug)]
pub struct LogSettings {
    pub level: String,
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Lines for people to read.
    #[default]
    Text,
    /// For machines.
    Json,
}

impl SettingValue for LogFormat {
    fn read(value: &Value) -> Result<Self, String> {
        match String::read(value)?.as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(format!("\"{other}\" is neither \"text\" nor \"json\"")),
        }
    }
}

/// The settings and where they come from.
pub struct Loaded {
    /// Every setting, checked and with its default.
    pub config: Config,
    keys: Vec<&'static str>,
    figment: Figment,
}

/// Reads the settings.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut problems = Vec::new();
    let defaults = Layer::defaults().map_err(|problem| vec![problem])?;
    let given = layers::given(sources, &mut problems);
    let figment = layers::merged(&defaults, &given);
    let mut reader = Reader::new(&figment, problems);
    let config = typed::config(&mut reader);
    let Reader { known, mut problems, .. } = reader;
    read::refuse_unknown(&given, &known, &mut problems);
    if problems.is_empty() { Ok(Loaded { config, keys: known, figment }) } else { Err(problems.into()) }
}

impl Loaded {
    /// The settings in effect as TOML, each with where it comes from, secrets hidden.
    pub fn printed(&self) -> String {
        print::printed(&self.keys, &self.figment)
    }
}

#[cfg(test)]
mod tests;
