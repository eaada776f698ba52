//! `mouthpiece models build`: TensorRT's engines, so that no worker builds while somebody waits.

use super::BuildArgs;
use crate::config::{Sources, load};
use crate::say;
use mouthpiece_worker::engines::build_engines;

/// Runs the command.
pub fn build(args: &BuildArgs) -> anyhow::Result<()> {
    let graphs = args.graphs.as_ref().map(|folder| folder.display().to_string());
    let sources = Sources::here(args.config.clone()).flag("neural.graphs", "--graphs", graphs);
    let neural = load(&sources.flag("neural.device", "--device", args.device))?.config.worker.neural;
    let mut said = Ok(());
    build_engines(&neural, &mut |line| {
        // A line that cannot be written is no reason to stop a build.
        let told = say::result(line);
        if said.is_ok() {
            said = told;
        }
    })?;
    said
}
