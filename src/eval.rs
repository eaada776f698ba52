//! placeholder while it is written
#[derive(Debug, clap::Args)]
pub struct EvalArgs {}
pub fn run(_: &EvalArgs) -> anyhow::Result<()> { Ok(()) }
