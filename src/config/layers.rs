//! Where settings come from, from the weakest to the strongest: the defaults compiled in, a file, the environment, flags.

use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use std::path::{Path, PathBuf};

/// The defaults, with a comment for each.
pub const DEFAULTS: &str = include_str!("default.toml");
/// The file that is read when none is named, if it is there.
pub const USUAL_FILE: &str = "mouthpiece.toml";
/// What the environment's variables for settings begin with.
const PREFIX: &str = "MOUTHPIECE_";
/// A settings file larger than this is not one.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// What the settings are made of.
#[derive(Debug, Default)]
pub struct Sources {
    /// A file that the user named; it must be there.
    pub file: Option<PathBuf>,
    /// The environment: variables and their values.
    pub environment: Vec<(String, String)>,
    /// Flags: the key that each sets, the flag as typed, the value.
    pub flags: Vec<(&'static str, &'static str, Value)>,
}

impl Sources {
    /// This process's environment, with a file and flags.
    pub fn here(file: Option<PathBuf>) -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        };
        Self { file, environment: std::env::vars_os().filter_map(text).collect(), flags: Vec::new() }
    }

    /// Adds a flag, if it was given.
    #[must_use]
    pub fn flag(mut self, key: &'static str, flag: &'static str, value: Option<impl Into<Value>>) -> Self {
        self.flags.extend(value.map(|v| (key, flag, v.into())));
        self
    }
}

/// One source's values and its name for people.
pub struct Layer {
    name: String,
    values: Dict,
}

impl Layer {
    /// What the defaults file says.
    pub fn defaults() -> Result<Self, String> {
        Self::parse("default".to_owned(), DEFAULTS)
    }

    fn parse(name: String, text: &str) -> Result<Self, String> {
        match toml::from_str(text) {
            Ok(values) => Ok(Self { name, values }),
            Err(e) => Err(format!("'{name}' is not TOML: {}", e.to_string().trim_end())),
        }
    }

    /// The user's file: the named one, or the usual one where it exists.
    fn file(named: Option<&Path>) -> Result<Option<Self>, String> {
        let path = named.unwrap_or_else(|| Path::new(USUAL_FILE));
        let name = path.display().to_string();
        let cannot = |e: std::io::Error| format!("'{name}' cannot be read: {e}");
        match std::fs::metadata(path) {
            Err(e) if named.is_none() && e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(cannot(e)),
            Ok(file) if file.len() > MAX_FILE_BYTES => {
                return Err(format!("'{name}' has {} bytes: a settings file has at most {MAX_FILE_BYTES}", file.len()));
            }
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(path).map_err(cannot)?;
        Self::parse(name, &text).map(Some)
    }

    /// One value for one key, `section.key`.
    fn single(name: String, key: &str, value: Value) -> Self {
        let nested = key.rsplit('.').fold(value, |inner, part| Map::from([(part.to_owned(), inner)]).into());
        let values = match nested {
            Value::Dict(_, values) => values,
            _ => Dict::new(),
        };
        Self { name, values }
    }

    /// A setting from the environment: two underscores stand between a section and a key, so that other variables that
    /// begin alike (`MOUTHPIECE_ONNXRUNTIME`) are left alone.
    fn variable(name: &str, value: &str) -> Option<Self> {
        let key = name.strip_prefix(PREFIX).filter(|key| key.contains("__"))?;
        let key = key.to_ascii_lowercase().replace("__", ".");
        // Numbers, booleans and lists are told from plain text the way TOML tells them. It cannot fail.
        let value = value.parse().unwrap_or_else(|never: std::convert::Infallible| match never {});
        Some(Self::single(format!("environment {name}"), &key, value))
    }

    /// The full names of its keys. A list is one key.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        flatten("", &self.values, &mut keys);
        keys
    }

    /// Its name for people.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn flatten(prefix: &str, values: &Dict, keys: &mut Vec<String>) {
    for (key, value) in values {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Dict(_, inner) => flatten(&name, inner, keys),
            _ => keys.push(name),
        }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

/// All layers above the defaults, the strongest last. What cannot be read is added to `problems`.
pub fn given(sources: &Sources, problems: &mut Vec<String>) -> Vec<Layer> {
    let mut layers = Vec::new();
    match Layer::file(sources.file.as_deref()) {
        Ok(file) => layers.extend(file),
        Err(problem) => problems.push(problem),
    }
    let mut variables: Vec<_> = sources.environment.iter().collect();
    variables.sort();
    layers.extend(variables.into_iter().filter_map(|(name, value)| Layer::variable(name, value)));
    layers.extend(sources.flags.iter().map(|(key, flag, value)| Layer::single((*flag).to_owned(), key, value.clone())));
    layers
}

/// The layers on top of each other.
pub fn merged(defaults: &Layer, given: &[Layer]) -> Figment {
    given.iter().fold(Figment::from(defaults), |figment, layer| figment.merge(layer))
}
