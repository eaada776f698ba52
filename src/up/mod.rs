//! `mouthpiece up`: the whole farm in one process.

mod browser;
pub(crate) mod patience;
pub mod stop_signals;
#[cfg(feature = "worker")]
mod worker;

use crate::config::{Config, Sources, StoreUrl, load};
use crate::data::{DataFolder, DataFolderLock};
use crate::wiring;
use crate::{logging, say};
use actix_web::web;
use anyhow::Context;
use clap::Args;
use mouthpiece_coordinator::actors;
use mouthpiece_coordinator::farm::Farm;
use mouthpiece_coordinator::http::{self, Api, HttpSettings};
use mouthpiece_coordinator::metrics::Metrics;
use mouthpiece_coordinator::office::{LINK_HOURS, create_first_key, new_page_link, now};
use mouthpiece_domain::ids::SessionId;
use mouthpiece_domain::names;
use mouthpiece_domain::session::Fence;
use mouthpiece_ports::blobs::{Blobs, LinkHeaders};
use mouthpiece_ports::farm_ports::FarmPorts;
#[cfg(feature = "worker")]
use mouthpiece_worker_settings::WorkerSettings;
use patience::patiently;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use stop_signals::StopSignals;
use thiserror::Error;
use tokio::sync::{oneshot, watch};

/// Once the worker is gone, its last reports are waited for so long.
const LAST_REPORTS: Duration = Duration::from_secs(5);

/// Serve the page and the API, with a worker, in one process.
#[derive(Debug, Args)]
#[command(
    after_help = "It prints its address on standard output when it is ready, a link that opens the page in one browser, and the \
                  first API key once, when there is none. `mouthpiece page-link` prints another link at any time.\n\n\
                  Ctrl-C (or SIGTERM) ends it: what runs may finish within worker.grace, or is handed over to the next start. \
                  Once more ends it at once. All settings: mouthpiece config --defaults\n\n\
                  Example: mouthpiece up --port 9000 --data ./farm"
)]
pub struct UpArgs {
    /// The folder for everything that is kept [default: mouthpiece in $XDG_DATA_HOME or ~/.local/share]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The port to listen at, 0 for any free one [default: http.port of the settings, 8000]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// The address to listen at; 0.0.0.0 lets other machines in [default: http.bind of the settings, 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<IpAddr>,
    /// Read settings from this file; mouthpiece.toml in this folder, if it is there, when none is named
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Open the page in the default browser
    #[arg(long)]
    open: bool,
}

/// It cannot listen.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Somebody else does.
    #[error("port {} of {} is taken: stop what listens there, or give another with --port (0 takes a free one)", .0.port(), .0.ip())]
    Taken(SocketAddr),
    /// It may not, or there is no such address.
    #[error("{address} cannot be listened at: {reason}; give another --port or --bind")]
    Refused {
        /// The address that was to be listened at.
        address: SocketAddr,
        /// What the operating system said.
        reason: std::io::Error,
    },
}

/// What runs in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// Coordinator and worker.
    #[cfg(feature = "worker")]
    Both,
    /// The coordinator; workers are elsewhere.
    #[cfg(feature = "cloud")]
    CoordinatorOnly,
}

impl Parts {
    fn has_worker(self) -> bool {
        match self {
            #[cfg(feature = "worker")]
            Self::Both => true,
            #[cfg(feature = "cloud")]
            Self::CoordinatorOnly => false,
        }
    }
}

/// Runs the command.
#[cfg(feature = "worker")]
pub fn run(args: &UpArgs) -> anyhow::Result<()> {
    run_parts(args, Parts::Both, |_| Ok(()))
}

/// Runs a farm's coordinator, with or without a worker beside it, once `check` has nothing against the settings.
///
/// # Errors
/// What keeps it from starting, or the end of a part that nobody asked to end.
pub fn run_parts(args: &UpArgs, parts: Parts, check: impl FnOnce(&Config) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let data = args.data.as_ref().map(|data| data.display().to_string());
    let sources = Sources::here(args.config.clone())
        .flag("stores.data", "--data", data)
        .flag("http.port", "--port", args.port)
        .flag("http.bind", "--bind", args.bind.map(|bind| bind.to_string()));
    let config = load(&sources)?.config;
    wiring::check(&config.stores)?;
    check(&config)?;
    logging::start(&config.log)?;
    #[cfg(feature = "worker")]
    if parts == Parts::Both {
        worker::libraries_are_there()?;
    }
    let data = DataFolder::open(&config.stores.data)?;
    let mut held = data.hold()?;
    let listener = listen(config.http.bind)?;
    let front = Front::new(args, &config.http, &data, &listener, &mut held)?;
    match actix_rt::System::new().block_on(serve(config, parts, &data, listener, &front))? {
        End::InOrder => Ok(()),
        // Sessions that are cut off here are picked up by the next start, as after a crash.
        End::AtOnce => std::process::exit(0),
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).map_err(|reason| match reason.kind() {
        ErrorKind::AddrInUse => ListenError::Taken(address),
        _ => ListenError::Refused { address, reason },
    })
}

/// How it ended.
enum End {
    /// Everything was waited for.
    InOrder,
    /// It was asked twice.
    AtOnce,
}

/// How callers get here, in words for them.
struct Front {
    /// Where it listens.
    address: String,
    /// Where callers find it, with a slash at its end.
    base: String,
    /// The command that prints another link.
    page_link: String,
    /// Open the browser.
    open: bool,
}

impl Front {
    fn new(
        args: &UpArgs,
        settings: &HttpSettings,
        data: &DataFolder,
        listener: &TcpListener,
        held: &mut DataFolderLock,
    ) -> anyhow::Result<Self> {
        let address = format!("http://{}", reachable(listener.local_addr()?));
        let base = settings.public_url.as_ref().map_or_else(|| format!("{address}/"), ToString::to_string);
        held.serves_at(&base).context("the data folder cannot be written")?;
        let program = std::env::args().next().unwrap_or_else(|| "mouthpiece".to_owned());
        let config = args.config.as_ref().map(|file| format!(" --config {}", file.display())).unwrap_or_default();
        let page_link = format!("{program} page-link --data {}{config}", data.folder().display());
        Ok(Self { address, base, page_link, open: args.open })
    }

    /// Tells that it is ready: the first key once, the address, the link.
    async fn announce(
        &self,
        ports: &FarmPorts,
        data: &DataFolder,
        first_key: &str,
        max_open: u32,
    ) -> anyhow::Result<()> {
        let records = ports.records.as_ref();
        if let Some((key, secret)) = patiently(async || create_first_key(records, first_key, max_open).await).await? {
            tell_key(&key.name, &secret, &self.base)?;
        }
        say::result(format_args!("Mouthpiece is ready: {}", self.address))?;
        self.let_in(ports, data).await
    }

    /// Makes a link, prints it and opens it, as far as that was asked for.
    async fn let_in(&self, ports: &FarmPorts, data: &DataFolder) -> anyhow::Result<()> {
        let (records, passes) = (ports.records.as_ref(), ports.passes.as_ref());
        let Some(link) = patiently(async || new_page_link(records, passes).await).await? else { return Ok(()) };
        let link = link.below(&self.base);
        say::result(format_args!(
            "The page opens with this link, once, within {LINK_HOURS} hours: {link}\n  another one at any time: {}",
            self.page_link
        ))?;
        if self.open {
            browser::open(data.folder(), &link);
        }
        Ok(())
    }
}

/// Where links to results lead, as a page is told: `scheme://host[:port]`.
async fn link_origin(blobs: &dyn Blobs) -> anyhow::Result<String> {
    let headers = LinkHeaders { media_type: "video/mp4".to_owned(), disposition: None };
    let link = blobs.link(&names::result(SessionId(0), Fence::FIRST)?, Duration::from_secs(1), &headers).await?;
    let link = link.context("s3.links: only a bucket has links; leave it out, or set stores.blobs to s3://BUCKET")?;
    let (scheme, rest) = link.split_once("://").context("a link without a scheme")?;
    Ok(format!("{scheme}://{}", rest.split('/').next().unwrap_or_default()))
}

async fn serve(
    config: Config,
    parts: Parts,
    data: &DataFolder,
    listener: TcpListener,
    front: &Front,
) -> anyhow::Result<End> {
    let mut asked = StopSignals::listen()?;
    let metrics = Arc::new(Metrics::new()?);
    // A store that is not there is waited for; who comes meanwhile is told so.
    let waiting = http::serve_while_waiting(listener.try_clone()?, Arc::clone(&metrics))?;
    let stop_waiting = waiting.handle();
    let waiting = actix_rt::spawn(waiting);
    let ports = tokio::select! {
        ports = wiring::open(&config, data, metrics.registry(), parts.has_worker()) => ports?,
        () = asked.again() => return Ok(End::InOrder),
    };
    tokio::select! {
        added = patiently(async || ports.records.add_prices(&config.prices.0).await) => added.context("the prices cannot be recorded")?,
        () = asked.again() => return Ok(End::InOrder),
    }
    stop_waiting.stop(false).await;
    waiting.await.context("the server died")??;
    #[cfg(feature = "worker")]
    let registry = metrics.registry().clone();
    let farm = actors::start(ports.actors(), config.control, Arc::clone(&metrics));
    let _keeping = actors::keep(ports.retention(), config.http.retention, Arc::new(now), Arc::clone(&metrics));
    let machines = || actors::look_after(ports.machines(), Arc::new(farm.clone()), Arc::new(now), Arc::clone(&metrics));
    let _machines = (config.stores.fleet != StoreUrl::Nothing).then(machines);
    let link_origin = if config.farm.s3.links { Some(link_origin(ports.blobs.as_ref()).await?) } else { None };
    let settings = HttpSettings { staging: data.folder().join("staging"), link_origin, ..config.http };
    let max_open = settings.sessions.key_max_open;
    let api = web::Data::new(Api::new(Arc::new(farm.clone()), ports.office(), metrics, settings)?);
    let server = http::serve(listener, web::Data::clone(&api))?;
    let stop_server = server.handle();
    let mut serving = actix_rt::spawn(server);
    let (stop_worker, stopping) = watch::channel(false);
    let (began, has_begun) = oneshot::channel();
    let mut worker = match parts {
        #[cfg(feature = "worker")]
        Parts::Both => {
            let settings = WorkerSettings { scratch: data.folder().join("scratch"), ..config.worker };
            actix_rt::spawn(worker::keep(ports.worker(), settings, registry, config.grace, began, stopping))
        }
        #[cfg(feature = "cloud")]
        Parts::CoordinatorOnly => actix_rt::spawn(no_worker(began, stopping)),
    };
    let was_asked = tokio::select! {
        () = asked.again() => true,
        // What is told once is not told by a start that fails.
        begun = has_begun => {
            let announced = async {
                match begun {
                    Ok(_) => front.announce(&ports, data, &config.first_key_name, max_open).await,
                    Err(_) => Ok(()),
                }
            };
            tokio::select! {
                told = announced => { told?; false }
                () = asked.again() => true,
            }
        }
    };
    if !was_asked {
        tokio::select! {
            () = asked.again() => {}
            ended = &mut worker => { ended.context("the worker's keeper died")??; anyhow::bail!("the worker has ended by itself"); }
            ended = &mut serving => { ended.context("the server died")??; anyhow::bail!("the server has ended by itself"); }
        }
    }

    tracing::info!(grace_s = config.grace.as_secs(), "asked to end: taking nothing new; ask again to end at once");
    let in_order = async {
        api.close();
        stop_worker.send_replace(true);
        match worker.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the worker did not end in order"),
            Err(error) => tracing::error!(%error, "the worker's keeper died"),
        }
        ports.lines.send_callers_on(LAST_REPORTS).await;
        if tokio::time::timeout(LAST_REPORTS, nothing_runs(&farm)).await.is_err() {
            tracing::warn!("the worker's last reports did not come: the next start looks after its sessions");
        }
        stop_server.stop(true).await;
        farm.stop().await;
    };
    tokio::select! {
        () = in_order => { tracing::info!("ended"); Ok(End::InOrder) }
        () = asked.again() => { tracing::warn!("asked again: ending at once"); Ok(End::AtOnce) }
    }
}

/// Stands in for a worker where there is none: ready at once, and gone when it is told to stop.
#[cfg(feature = "cloud")]
async fn no_worker(began: oneshot::Sender<()>, mut stopping: watch::Receiver<bool>) -> anyhow::Result<()> {
    let _ = began.send(()); // nobody may wait for it any more
    let _ = stopping.wait_for(|stop| *stop).await; // a sender that is gone means the same
    Ok(())
}

/// Waits until no slot holds a session, as far as the brain knows.
async fn nothing_runs(farm: &actors::FarmHandle) {
    while let Ok(view) = farm.view().await {
        if view.workers.iter().flat_map(|worker| &worker.slots).all(|slot| slot.session.is_none()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An address that a browser on this machine can open.
pub fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}

fn tell_key(name: &str, secret: &str, base: &str) -> anyhow::Result<()> {
    say::result(format_args!(
        "API key \"{name}\", for programs, printed this once: {secret}\n  \
         curl -H 'Authorization: Bearer {secret}' -F portrait=@me.jpg -F speech=@hello.mp3 {base}v1/renders"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_can_be_opened() {
        for (bound, told) in [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.0.0.1:80", "10.0.0.1:80")] {
            assert_eq!(reachable(bound.parse().unwrap()).to_string(), told);
        }
    }
}
