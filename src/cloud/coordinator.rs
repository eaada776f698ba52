//! `mouthpiece coordinator`: the page and the API without a worker, for workers elsewhere.

use super::check_shared;
use crate::up::{Parts, UpArgs, run_parts};
use clap::Args;

/// Serve the page and the API, for workers in other processes.
#[derive(Debug, Args)]
#[command(
    after_help = "It needs stores.bus (amqp:), stores.pool (redis:), stores.blobs and farm.secret as the workers have them; see \
                  docs/several-processes.md. Several coordinators may share one Postgres (stores.records) behind a load balancer, \
                  each with a data folder of its own.\n\n\
                  Example: MOUTHPIECE_FARM__SECRET=... MOUTHPIECE_STORES__RECORDS=postgres://... mouthpiece coordinator --config farm.toml"
)]
pub struct CoordinatorArgs {
    #[command(flatten)]
    up: UpArgs,
}

/// Runs the command.
pub fn run(args: &CoordinatorArgs) -> anyhow::Result<()> {
    run_parts(&args.up, Parts::CoordinatorOnly, |config| Ok(check_shared(config)?))
}
