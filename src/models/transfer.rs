//! One file from one address, in as many connections as it takes.

use super::folder::{FolderError, make, written};
use super::manifest::WeightsFile;
use mouthpiece_domain::backoff::Backoff;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode};
use std::error::Error as StdError;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use url::Url;

/// To connect, and between two pieces of an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a connection that brought nothing is tried again. One that brought something starts the count anew.
pub const RETRIES: Backoff =
    Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(10), again: Some(3) };

/// Why a source did not give a file.
#[derive(Debug, Error)]
pub enum TransferError {
    /// No connection could be made.
    #[error("it cannot be reached ({0})")]
    Unreachable(String),
    /// It answered that it does not have the file, or will not give it.
    #[error("it answered {0}")]
    Status(StatusCode),
    /// It broke off again and again.
    #[error("it broke off after {got} bytes and brought no more ({reason})")]
    BrokeOff {
        /// What is there by now, and is gone on with the next time.
        got: u64,
        /// What the client says.
        reason: String,
    },
    /// What it offers is too large or too small to be the file.
    #[error("it serves another file: {offered} bytes, where about {about} are expected")]
    OtherSize {
        /// The size that it tells.
        offered: u64,
        /// What the manifest tells.
        about: u64,
    },
    /// The folder cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// What is told while a file comes.
pub trait Watcher {
    /// `got` bytes are there, of `total` if that is known.
    fn at(&mut self, got: u64, total: Option<u64>);
}

/// The client that files are fetched with. It follows redirects and the environment's proxies.
///
/// # Errors
/// When the system's certificates cannot be read.
pub fn client() -> Result<Client, reqwest::Error> {
    let agent = concat!("mouthpiece/", env!("CARGO_PKG_VERSION"));
    Client::builder().user_agent(agent).connect_timeout(PATIENCE).read_timeout(PATIENCE).build()
}

/// Fetches `url` into `part`, which may hold the beginning of the same file from before. What is whole there was only counted,
/// not hashed.
///
/// # Errors
/// [`TransferError`]. What came stays in `part`, unless it cannot belong to the file.
pub async fn transfer(
    client: &Client,
    url: &Url,
    file: &WeightsFile,
    part: &Path,
    retries: Backoff,
    watcher: &mut impl Watcher,
) -> Result<(), TransferError> {
    if let Some(folder) = part.parent() {
        make(folder)?;
    }
    let mut download = Download::resume(url, file, part);
    let mut failures = 0;
    loop {
        let before = download.got;
        let reason = match download.connection(client, watcher).await? {
            Outcome::Whole => return Ok(()),
            Outcome::BrokeOff(reason) => reason,
        };
        if download.got > before {
            failures = 0;
        }
        let Some(wait) = retries.wait(failures) else {
            return Err(match (download.got, download.answered) {
                (_, false) => TransferError::Unreachable(reason),
                (got, true) => TransferError::BrokeOff { got, reason },
            });
        };
        failures += 1;
        tokio::time::sleep(wait).await;
    }
}

enum Outcome {
    Whole,
    BrokeOff(String),
}

struct Download<'a> {
    url: &'a Url,
    file: &'a WeightsFile,
    part: &'a Path,
    /// Bytes of `part` that are of this file.
    got: u64,
    /// Which version of the file they are of, as the source calls it.
    version: Option<String>,
    /// Some connection led to an answer.
    answered: bool,
}

impl<'a> Download<'a> {
    /// What is there is gone on with when it came from the same address, in a version that the source names.
    fn resume(url: &'a Url, file: &'a WeightsFile, part: &'a Path) -> Self {
        let note = fs::read_to_string(note(part)).unwrap_or_default();
        let version =
            note.split_once('\n').filter(|(from, _)| *from == url.as_str()).map(|(_, version)| version.to_owned());
        let got = version.as_ref().and_then(|_| fs::metadata(part).ok()).map_or(0, |part| part.len());
        Self { url, file, part, got, version, answered: false }
    }

    async fn connection(&mut self, client: &Client, watcher: &mut impl Watcher) -> Result<Outcome, TransferError> {
        let mut request = client.get(self.url.clone());
        if let (Some(version), 1..) = (&self.version, self.got) {
            request = request.header(RANGE, format!("bytes={}-", self.got)).header(IF_RANGE, version);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(e) => return Ok(Outcome::BrokeOff(root(&e))),
        };
        self.answered = true;
        match answer.status() {
            StatusCode::OK => {
                self.restart()?;
                let total = answer.content_length();
                self.receive(answer, total, watcher).await
            }
            StatusCode::PARTIAL_CONTENT => match range(answer.headers()) {
                Some((from, total)) if from == self.got => self.receive(answer, total, watcher).await,
                _ => {
                    self.restart()?;
                    Ok(Outcome::BrokeOff("it answered with another part than was asked for".to_owned()))
                }
            },
            StatusCode::RANGE_NOT_SATISFIABLE if self.got > 0 => {
                // Whole already, or of another version: only the source's size tells.
                if whole_size(answer.headers()) == Some(self.got) {
                    return Ok(Outcome::Whole);
                }
                self.restart()?;
                Ok(Outcome::BrokeOff("what was there was not of this file".to_owned()))
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Ok(Outcome::BrokeOff(format!("it answered {status}")))
            }
            status => Err(TransferError::Status(status)),
        }
    }

    /// Forgets what is there.
    fn restart(&mut self) -> Result<(), TransferError> {
        File::create(self.part).map_err(written(self.part))?;
        (self.got, self.version) = (0, None);
        Ok(())
    }

    async fn receive(
        &mut self,
        mut answer: Response,
        total: Option<u64>,
        watcher: &mut impl Watcher,
    ) -> Result<Outcome, TransferError> {
        let other = |offered| TransferError::OtherSize { offered, about: self.file.about_bytes };
        if let Some(total) = total.filter(|total| !self.file.may_have(*total)) {
            return Err(other(total));
        }
        self.note(answer.headers())?;
        let mut part = OpenOptions::new().append(true).create(true).open(self.part).map_err(written(self.part))?;
        watcher.at(self.got, total);
        loop {
            match answer.chunk().await {
                Ok(Some(piece)) => {
                    if self.got + piece.len() as u64 > self.file.most_bytes() {
                        return Err(other(self.got + piece.len() as u64));
                    }
                    part.write_all(&piece).map_err(written(self.part))?;
                    self.got += piece.len() as u64;
                    watcher.at(self.got, total);
                }
                // Without a length an end may be anything; the hash will tell.
                Ok(None) if total.is_none_or(|total| total == self.got) => break,
                Ok(None) => return Ok(Outcome::BrokeOff("the answer ended early".to_owned())),
                Err(e) => return Ok(Outcome::BrokeOff(root(&e))),
            }
        }
        part.sync_all().map_err(written(self.part))?;
        match self.file.may_have(self.got) {
            true => Ok(Outcome::Whole),
            false => Err(other(self.got)),
        }
    }

    /// Writes down where the beginning is from, so that only the same file is gone on with. A weak tag names no bytes.
    fn note(&mut self, headers: &HeaderMap) -> Result<(), TransferError> {
        if self.got > 0 {
            return Ok(());
        }
        let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).filter(|tag| tag.starts_with('"'));
        self.version = tag.map(str::to_owned);
        let path = note(self.part);
        let text = self.version.as_ref().map(|version| format!("{}\n{version}", self.url)).unwrap_or_default();
        fs::write(&path, text).map_err(written(&path))?;
        Ok(())
    }
}

/// Removes what is there of a file that is not whole.
pub fn forget(part: &Path) {
    // What is not there need not be removed, and what cannot be is overwritten the next time.
    for path in [note(part), part.to_owned()] {
        let _ = fs::remove_file(path);
    }
}

fn note(part: &Path) -> PathBuf {
    let mut name = part.as_os_str().to_owned();
    name.push("-from");
    name.into()
}

/// `bytes 5-9/10`: where it begins, and the whole size.
fn range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let told = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (span, total) = told.split_once('/')?;
    Some((span.split_once('-')?.0.parse().ok()?, total.parse().ok()))
}

/// `bytes */10`
fn whole_size(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes */")?.parse().ok()
}

/// The innermost cause: what the client wraps around it names the address once more.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn StdError = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
