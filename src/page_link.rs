//! `mouthpiece page-link`

use crate::config::load;
use crate::data::DataFolder;
use crate::keys::WhereArgs;
use crate::up::reachable;
use crate::{say, wiring};
use clap::Args;
use mouthpiece_coordinator::office::{LINK_HOURS, new_page_link};
use thiserror::Error;

/// Print a link that opens the page, once.
#[derive(Debug, Args)]
#[command(
    after_help = "The link lets one browser in, as the oldest key that may do most, and is used up with that. It takes the \
                  place of the link that was printed before.\n\n\
                  Example: mouthpiece page-link --data ./farm"
)]
pub struct PageLinkArgs {
    #[command(flatten)]
    place: WhereArgs,
}

/// A link stands for a key.
#[derive(Debug, Error)]
#[error(
    "there is no valid key that a link could stand for: `mouthpiece up` makes the first, `mouthpiece keys create` others"
)]
pub struct NoKeyAtAll;

/// Runs the command.
pub fn run(args: &PageLinkArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(print(args))
}

async fn print(args: &PageLinkArgs) -> anyhow::Result<()> {
    let config = load(&args.place.sources())?.config;
    let data = DataFolder::existing(&config.stores.data)?;
    let books = wiring::books(&config.stores, &data).await?;
    let link = new_page_link(books.records.as_ref(), books.passes.as_ref()).await?.ok_or(NoKeyAtAll)?;
    let served = data.served_at();
    if served.is_none() {
        say::aside("nothing serves this data folder just now: start `mouthpiece up` on it before you open the link");
    }
    let public = || config.http.public_url.as_ref().map(ToString::to_string);
    let base = public().or(served).unwrap_or_else(|| format!("http://{}/", reachable(config.http.bind)));
    say::aside(format_args!("good once, within {LINK_HOURS} hours:"));
    say::result(link.below(&base))
}
