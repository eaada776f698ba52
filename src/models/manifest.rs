//! The manifest: what each file of weights is, where it is from, and who may use it how. Nothing is read or fetched here.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use thiserror::Error;
use url::{Host, Url};

/// The manifest that this program was built with.
pub const BUILT_IN: &str = include_str!("../../models/manifest.toml");

/// What stands for a hash that nobody has written down yet.
pub const ON_FIRST_FETCH: &str = "recorded on first fetch";

/// A file larger than this is no model of ours.
const MOST_BYTES: u64 = 64 << 30;

/// A manifest that cannot be used.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum ManifestError {
    /// It is not TOML, or a field is missing, unknown or of another type.
    #[error("the manifest cannot be read: {reason}")]
    Unreadable {
        /// What the parser says.
        reason: String,
    },
    /// One entry cannot be used.
    #[error("the manifest's entry '{name}': {reason}")]
    Entry {
        /// The entry's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// The networks that are in the repository, and the files that are fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Built into the program.
    pub shipped: Vec<ShippedModel>,
    /// Fetched when they are asked for.
    pub weights: Vec<WeightsFile>,
}

/// A network that is built into the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippedModel {
    /// What it is called.
    pub name: String,
    /// Its licence, an SPDX expression.
    pub licence: String,
    /// Whether it may be used commercially.
    pub commercial_use: bool,
    /// What it is used for.
    pub used_by: String,
}

/// A file of weights that is fetched.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightsFile {
    /// What it is called on the command line: small letters, digits and hyphens.
    pub name: String,
    /// Where it lies below the folder of models, and on mirrors.
    pub file: PathBuf,
    /// Where it is published.
    pub url: Url,
    /// What it must be; `None`: recorded when it is fetched for the first time.
    pub sha256: Option<Sha256Hex>,
    /// About how large it is, in bytes; a source that offers a quarter more or less has another file.
    pub about_bytes: u64,
    /// Its licence, an SPDX expression.
    pub licence: String,
    /// Whether it may be used commercially.
    pub commercial_use: bool,
    /// What is to be known about the licence beyond its name; may be empty.
    pub terms: String,
    /// What it is used for.
    pub purpose: String,
}

impl WeightsFile {
    /// True for a size that this file may have.
    pub fn may_have(&self, bytes: u64) -> bool {
        let slack = self.about_bytes / 4 + 1024;
        (self.about_bytes.saturating_sub(slack)..=self.about_bytes.saturating_add(slack)).contains(&bytes)
    }

    /// More than this is not read from any source.
    pub fn most_bytes(&self) -> u64 {
        self.about_bytes.saturating_add(self.about_bytes / 4 + 1024)
    }
}

/// A SHA-256 in 64 small hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sha256Hex(String);

impl Sha256Hex {
    /// Reads it.
    pub fn parse(text: &str) -> Option<Self> {
        let fine = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        fine.then(|| Self(text.to_owned()))
    }

    /// Of a finished digest.
    pub fn of(digest: &[u8]) -> Self {
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestText {
    #[serde(default)]
    model: Vec<ModelText>,
    #[serde(default)]
    weights: Vec<WeightsText>,
    /// Brought by scripts of their own.
    #[serde(default, rename = "library")]
    _library: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelText {
    name: String,
    #[serde(rename = "path")]
    _path: String,
    sha256: String,
    licence: String,
    commercial_use: bool,
    #[serde(rename = "source")]
    _source: String,
    used_by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WeightsText {
    name: String,
    file: String,
    url: String,
    sha256: String,
    about_bytes: u64,
    licence: String,
    commercial_use: bool,
    #[serde(default)]
    terms: String,
    purpose: String,
}

/// Reads and judges a manifest.
///
/// # Errors
/// [`ManifestError`] for the first thing that is wrong.
pub fn parse(text: &str) -> Result<Manifest, ManifestError> {
    let text: ManifestText = toml::from_str(text)
        .map_err(|e| ManifestError::Unreadable { reason: e.to_string().trim_end().replace('\n', " ") })?;
    let mut seen = BTreeSet::new();
    let mut new_name = |name: &str| match seen.insert(name.to_owned()) {
        true => Ok(()),
        false => Err(wrong(name, "its name is used twice")),
    };
    let mut shipped = Vec::new();
    for model in text.model {
        new_name(&model.name)?;
        if Sha256Hex::parse(&model.sha256).is_none() {
            return Err(wrong(&model.name, "sha256 is not 64 hexadecimal digits"));
        }
        let ModelText { name, licence, commercial_use, used_by, .. } = model;
        shipped.push(ShippedModel { name, licence, commercial_use, used_by });
    }
    let mut weights = Vec::new();
    let mut files = BTreeSet::new();
    for entry in text.weights {
        new_name(&entry.name)?;
        let entry = judged(entry)?;
        if !files.insert(entry.file.clone()) {
            return Err(wrong(&entry.name, "another entry has the same file"));
        }
        weights.push(entry);
    }
    Ok(Manifest { shipped, weights })
}

fn wrong(name: &str, reason: &str) -> ManifestError {
    ManifestError::Entry { name: name.to_owned(), reason: reason.to_owned() }
}

fn judged(text: WeightsText) -> Result<WeightsFile, ManifestError> {
    let wrong = |reason: &str| wrong(&text.name, reason);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.name.is_empty() || !text.name.chars().all(plain) {
        return Err(wrong("its name may have small letters, digits and hyphens only"));
    }
    let file = Path::new(&text.file);
    let inside = file.components().all(|part| matches!(part, Component::Normal(_)));
    // The other end of a mirror's address, too: nothing in it may need escaping.
    let simple = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if text.file.is_empty() || !inside || !text.file.chars().all(simple) || text.file.ends_with(['/', '.']) {
        return Err(wrong("file must be a path inside the folder of models, of letters, digits and -_./"));
    }
    let sha256 =
        match text.sha256.as_str() {
            ON_FIRST_FETCH => None,
            digits => Some(Sha256Hex::parse(digits).ok_or_else(|| {
                wrong("sha256 is neither 64 small hexadecimal digits nor \"recorded on first fetch\"")
            })?),
        };
    let url = Url::parse(&text.url).map_err(|e| wrong(&format!("url: {e}")))?;
    if !may_be_fetched(&url, sha256.is_some()) {
        return Err(wrong("url must be https, or http where the hash is known, without a name or a password"));
    }
    if !(1..=MOST_BYTES).contains(&text.about_bytes) {
        return Err(wrong("about_bytes must be from 1 to 64 GiB"));
    }
    if text.licence.trim().is_empty() || text.purpose.trim().is_empty() {
        return Err(wrong("licence and purpose must be told"));
    }
    let WeightsText { name, about_bytes, licence, commercial_use, terms, purpose, .. } = text;
    let file = PathBuf::from(text.file);
    Ok(WeightsFile { name, file, url, sha256, about_bytes, licence, commercial_use, terms, purpose })
}

/// What comes over an open line can be anything: without a hash it may come from this machine only.
pub fn may_be_fetched(url: &Url, hash_known: bool) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return false,
    };
    let scheme = url.scheme() == "https" || url.scheme() == "http" && (hash_known || here);
    scheme && url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(change: &[(&str, &str)]) -> String {
        let mut fields = vec![
            ("name", "'a-net'"),
            ("file", "'a/net.bin'"),
            ("url", "'https://example.org/net.bin'"),
            ("sha256", "'recorded on first fetch'"),
            ("about_bytes", "1000"),
            ("licence", "'MIT'"),
            ("commercial_use", "true"),
            ("purpose", "'to test'"),
        ];
        for (key, value) in change {
            fields.retain(|(known, _)| known != key);
            fields.push((key, value));
        }
        fields.iter().fold("[[weights]]\n".to_owned(), |text, (key, value)| format!("{text}{key} = {value}\n"))
    }

    fn refused(change: &[(&str, &str)]) -> String {
        parse(&entry(change)).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_manifest_can_be_used_and_engines_need_permissive_licences_only() {
        let manifest = parse(BUILT_IN).unwrap();
        assert!(manifest.shipped.len() >= 3 && manifest.weights.len() >= 4);
        let none = crate::models::licence::AllowedLicences::default();
        let refused = |weights: &&WeightsFile| !none.allows(&weights.licence) || !weights.commercial_use;
        let refused: Vec<&str> = manifest.weights.iter().filter(refused).map(|weights| weights.name.as_str()).collect();
        // It judges films, and nothing of it gets into them.
        assert_eq!(refused, ["syncnet"]);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        assert!(parse(&entry(&[])).is_ok());
        for (key, value, told) in [
            ("name", "'A net'", "its name may have"),
            ("file", "'../net.bin'", "file must be a path inside"),
            ("file", "'/net.bin'", "file must be a path inside"),
            ("file", "'a net.bin'", "file must be a path inside"),
            ("url", "'net.bin'", "url: relative URL without a base"),
            ("url", "'http://example.org/net.bin'", "url must be https"),
            ("url", "'file:///etc/passwd'", "url must be https"),
            ("url", "'https://me:secret@example.org/net.bin'", "url must be https"),
            ("sha256", "'ABC'", "sha256 is neither"),
            ("about_bytes", "0", "about_bytes must be"),
            ("licence", "' '", "licence and purpose"),
            ("size", "1", "unknown field `size`"),
            ("commercial_use", "'yes'", "invalid type"),
        ] {
            let sentence = refused(&[(key, value)]);
            assert!(sentence.contains(told), "{key} = {value}: {sentence}");
        }
        let twice = parse(&entry(&[]).repeat(2)).unwrap_err().to_string();
        assert_eq!(twice, "the manifest's entry 'a-net': its name is used twice");
    }

    #[test]
    fn an_open_line_needs_a_hash_unless_it_stays_on_this_machine() {
        let digits = format!("'{}'", "0a".repeat(32));
        let open = ("url", "'http://example.org/net.bin'");
        assert!(parse(&entry(&[open, ("sha256", &digits)])).is_ok());
        for here in ["'http://127.0.0.1:8000/net.bin'", "'http://localhost/net.bin'", "'http://[::1]/net.bin'"] {
            assert!(parse(&entry(&[("url", here)])).is_ok(), "{here}");
        }
    }

    #[test]
    fn a_file_may_be_a_quarter_larger_or_smaller_than_told() {
        let file = &parse(&entry(&[("about_bytes", "100_000")])).unwrap().weights[0];
        assert!(file.may_have(100_000) && file.may_have(80_000) && file.may_have(120_000));
        assert!(!file.may_have(70_000) && !file.may_have(130_000) && file.most_bytes() < 130_000);
    }
}
