//! `mouthpiece config`

use super::{DEFAULTS, Sources, load};
use crate::say;
use clap::Args;
use std::path::PathBuf;

/// Show the settings in effect and where each comes from.
#[derive(Debug, Args)]
#[command(after_help = "Settings come from the defaults, then mouthpiece.toml, then the environment\n\
                        (MOUTHPIECE_HTTP__PORT=9000), then flags; the later goes before the earlier.\n\n\
                        Example: mouthpiece config --defaults > mouthpiece.toml")]
pub struct ConfigArgs {
    /// Read this file; mouthpiece.toml in this folder, if it is there, when none is named
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the defaults, with a comment for each
    #[arg(long)]
    defaults: bool,
}

/// Runs the command.
pub fn run(args: &ConfigArgs) -> anyhow::Result<()> {
    if args.defaults {
        return say::result(DEFAULTS.trim_end());
    }
    let loaded = load(&Sources::here(args.config.clone()))?;
    say::result(loaded.printed())
}
