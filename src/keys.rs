//! `mouthpiece keys`

use crate::config::{Sources, load};
use crate::data::{DataError, DataFolder};
use crate::{say, wiring};
use anyhow::bail;
use chrono::DateTime;
use clap::{Args, Subcommand, ValueEnum};
use mouthpiece_coordinator::office::keys::NewKey;
use mouthpiece_coordinator::office::{KeyScope, new_secret, now};
use mouthpiece_domain::ids::KeyId;
use mouthpiece_ports::records::ApiKey;
use std::path::PathBuf;
use thiserror::Error;

/// Make, list and revoke API keys.
#[derive(Debug, Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key and print its secret, this once
    Create(CreateArgs),
    /// List the keys, without their secrets
    List(WhereArgs),
    /// Revoke a key: what it began goes on, new requests are refused
    Revoke(RevokeArgs),
}

/// Where the keys are kept.
#[derive(Debug, Args)]
pub struct WhereArgs {
    /// The data folder, as given to `mouthpiece up`; it may be running
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Read settings from this file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: mouthpiece keys create --name billing --scope reports")]
struct CreateArgs {
    /// A name for people, 1 to 100 characters
    #[arg(long, value_parser = name)]
    name: String,
    /// What it may do; several, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sessions")]
    scope: Vec<ScopeName>,
    /// Sessions that it may have open at a time [default: keys.max_open of the settings]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_open: Option<u32>,
    /// Minutes of video that it may have made a day, UTC; unbounded if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    minutes_per_day: Option<u32>,
    #[command(flatten)]
    place: WhereArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: mouthpiece keys revoke key_0192f0c1a2b37c3d8e4f5a6b7c8d9e0f")]
struct RevokeArgs {
    /// The key's id, as `mouthpiece keys list` shows it
    key: KeyId,
    #[command(flatten)]
    place: WhereArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ScopeName {
    /// Make, read and cancel its own sessions, renders and avatars
    Sessions,
    /// See all sessions, faces, videos and workers, whoever's they are; drain workers
    Farm,
    /// Read cost reports
    Reports,
    /// Manage keys
    Keys,
}

impl From<ScopeName> for KeyScope {
    fn from(name: ScopeName) -> Self {
        match name {
            ScopeName::Sessions => Self::Sessions,
            ScopeName::Farm => Self::Farm,
            ScopeName::Reports => Self::Reports,
            ScopeName::Keys => Self::Keys,
        }
    }
}

/// There is no such key.
#[derive(Debug, Error)]
#[error("there is no valid key {0}: see `mouthpiece keys list`")]
pub struct NoSuchKey(KeyId);

fn name(text: &str) -> Result<String, String> {
    let fine = (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fine.then(|| text.to_owned()).ok_or_else(|| "it must have 1 to 100 characters, all printable".to_owned())
}

/// Runs the command.
pub fn run(args: &KeysArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match &args.command {
            KeysCommand::Create(args) => create(args).await,
            KeysCommand::List(place) => list(place).await,
            KeysCommand::Revoke(args) => revoke(args).await,
        }
    })
}

async fn create(args: &CreateArgs) -> anyhow::Result<()> {
    let loaded = load(&args.place.sources())?;
    let records = wiring::records(&loaded.config.stores).await?;
    let secret = new_secret().map_err(|e| anyhow::anyhow!("the system gives no random bytes: {e}"))?;
    let wanted = NewKey {
        name: args.name.clone(),
        scopes: args.scope.iter().map(|scope| KeyScope::from(*scope)).collect(),
        max_open: args.max_open,
        minutes_per_day: args.minutes_per_day,
    };
    let key = wanted.with_secret(&secret, loaded.config.http.sessions.key_max_open);
    records.add_key(&key).await?;
    say::aside(format_args!("key {} is made; its secret is printed this once:", key.id));
    say::result(secret)
}

async fn list(place: &WhereArgs) -> anyhow::Result<()> {
    let stores = load(&place.sources())?.config.stores;
    let keys = match DataFolder::existing(&stores.data) {
        Ok(data) => wiring::books(&stores, &data).await?.records.keys().await?,
        Err(none @ DataError::NoFarm(_)) => {
            say::aside(none);
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    if keys.is_empty() {
        say::aside("there are no keys yet: `mouthpiece up` makes the first, `mouthpiece keys create` others");
    }
    for key in keys {
        say::result(line(&key))?;
    }
    Ok(())
}

fn line(key: &ApiKey) -> String {
    let day = |at: mouthpiece_domain::time::Wall| {
        DateTime::from_timestamp_millis(at.0).map(|at| at.format("%Y-%m-%d").to_string()).unwrap_or_default()
    };
    let state = key.revoked.map_or_else(|| "valid".to_owned(), |at| format!("revoked {}", day(at)));
    let minutes = key.minutes_per_day.map_or_else(|| "any".to_owned(), |n| n.to_string());
    format!(
        "{}  made {}  {state}  open {}  minutes a day {minutes}  scopes {}  \"{}\"",
        key.id,
        day(key.created),
        key.max_open,
        key.scopes.join(","),
        key.name
    )
}

async fn revoke(args: &RevokeArgs) -> anyhow::Result<()> {
    let stores = load(&args.place.sources())?.config.stores;
    let records = wiring::books(&stores, &DataFolder::existing(&stores.data)?).await?.records;
    if !records.revoke_key(args.key, now()).await? {
        bail!(NoSuchKey(args.key));
    }
    say::result(format_args!("key {} is revoked", args.key))
}

impl WhereArgs {
    /// The settings with that.
    pub fn sources(&self) -> Sources {
        let data = self.data.as_ref().map(|data| data.display().to_string());
        Sources::here(self.config.clone()).flag("stores.data", "--data", data)
    }
}
