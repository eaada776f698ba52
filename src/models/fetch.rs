//! A file from the first source that has the right one.

use super::folder::{FileState, FolderError, ModelsFolder, sha256};
use super::manifest::{Sha256Hex, WeightsFile};
use super::transfer::{TransferError, Watcher, forget, transfer};
use mouthpiece_domain::backoff::Backoff;
use reqwest::Client;
use std::fmt::Write;
use thiserror::Error;
use url::Url;

/// What became of a file that was to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// It was there already.
    There,
    /// It came, and is what the manifest or the record tells.
    Checked {
        /// Where it came from.
        from: Url,
    },
    /// It came for the first time, and its hash is on record from now on.
    Recorded {
        /// Where it came from.
        from: Url,
        /// What it is.
        sha256: Sha256Hex,
    },
}

/// No source gave the file.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// There is another file in its place.
    #[error(
        "{} is not the right file (SHA-256 {}, wanted {}): move it away, then fetch again",
        path.display(), found.as_str(), wanted.as_str()
    )]
    InTheWay {
        /// The file.
        path: std::path::PathBuf,
        /// What it must be.
        wanted: Sha256Hex,
        /// What it is.
        found: Sha256Hex,
    },
    /// A file was put there by hand, and nobody knows what it must be.
    #[error(
        "{} was there before, and the manifest does not tell its SHA-256 (it is {}): run `mouthpiece models verify --record {name}` \
         if you trust it, or move it away", path.display(), found.as_str()
    )]
    NotOnRecord {
        /// The file.
        path: std::path::PathBuf,
        /// The entry.
        name: String,
        /// What it is.
        found: Sha256Hex,
    },
    /// No source gave it.
    #[error("'{name}' was not fetched{reasons}{remedy}")]
    NoSource {
        /// The entry.
        name: String,
        /// A line for each source.
        reasons: String,
        /// What can be done, where no source could be reached at all.
        remedy: String,
    },
}

/// One source's failure.
enum Refused {
    Transfer(TransferError),
    OtherFile { wanted: Sha256Hex, found: Sha256Hex },
}

/// Fetches a file unless it is there, from the first of `sources` that has the right one.
///
/// # Errors
/// [`FetchError`]. What came of a file that broke off is gone on with the next time.
pub async fn fetch(
    client: &Client,
    folder: &ModelsFolder,
    file: &WeightsFile,
    sources: &[Url],
    retries: Backoff,
    watcher: &mut impl Watcher,
) -> Result<Fetched, FetchError> {
    match folder.state(file)? {
        FileState::Absent => {}
        FileState::Right { .. } => return Ok(Fetched::There),
        FileState::Other { wanted, found } => {
            return Err(FetchError::InTheWay { path: folder.file(file), wanted, found });
        }
        FileState::Unknown { found } => {
            return Err(FetchError::NotOnRecord { path: folder.file(file), name: file.name.clone(), found });
        }
    }
    let wanted = folder.wanted(file)?.map(|(wanted, _)| wanted);
    let mut refusals = Vec::new();
    for url in sources {
        match from_source(client, folder, file, url, wanted.as_ref(), retries, watcher).await? {
            Ok(_) if wanted.is_some() => return Ok(Fetched::Checked { from: url.clone() }),
            Ok(sha256) => return Ok(Fetched::Recorded { from: url.clone(), sha256 }),
            Err(refused) => refusals.push((url, refused)),
        }
    }
    Err(no_source(folder, file, &refusals))
}

async fn from_source(
    client: &Client,
    folder: &ModelsFolder,
    file: &WeightsFile,
    url: &Url,
    wanted: Option<&Sha256Hex>,
    retries: Backoff,
    watcher: &mut impl Watcher,
) -> Result<Result<Sha256Hex, Refused>, FetchError> {
    let part = folder.part(file);
    match transfer(client, url, file, &part, retries, watcher).await {
        Ok(()) => {}
        Err(TransferError::Folder(e)) => return Err(e.into()),
        Err(error) => {
            if matches!(error, TransferError::OtherSize { .. }) {
                forget(&part);
            }
            return Ok(Err(Refused::Transfer(error)));
        }
    }
    let Some(found) = sha256(&part)? else {
        let gone = TransferError::BrokeOff { got: 0, reason: "what came was removed meanwhile".to_owned() };
        return Ok(Err(Refused::Transfer(gone)));
    };
    if let Some(wanted) = wanted.filter(|wanted| **wanted != found) {
        forget(&part);
        return Ok(Err(Refused::OtherFile { wanted: wanted.clone(), found }));
    }
    folder.keep(file, &found)?;
    forget(&part);
    Ok(Ok(found))
}

fn no_source(folder: &ModelsFolder, file: &WeightsFile, refusals: &[(&Url, Refused)]) -> FetchError {
    let mut reasons = String::new();
    for (url, refused) in refusals {
        let reason = match refused {
            Refused::Transfer(error) => error.to_string(),
            Refused::OtherFile { wanted, found } => {
                format!("it serves another file (SHA-256 {}, wanted {})", found.as_str(), wanted.as_str())
            }
        };
        // Writing to text cannot fail.
        let _ = write!(reasons, "\n  {url}: {reason}");
    }
    let offline =
        refusals.iter().all(|(_, refused)| matches!(refused, Refused::Transfer(TransferError::Unreachable(_))));
    let remedy = match offline {
        true => format!(
            "\nthis machine seems to be offline. Name a mirror that it can reach in models.mirrors, or fetch on another \
             machine and copy {} from its folder of models to {}, with recorded.toml beside it",
            file.file.display(),
            folder.path().display()
        ),
        false => String::new(),
    };
    FetchError::NoSource { name: file.name.clone(), reasons, remedy }
}
