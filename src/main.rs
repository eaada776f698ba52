//! `mouthpiece`: real-time talking avatars, self-hosted.

#[cfg(feature = "worker")]
mod avatar;
#[cfg(feature = "worker")]
mod bench;
#[cfg(feature = "cloud")]
mod cloud;
mod config;
#[cfg(feature = "worker")]
mod counting;
mod data;
#[cfg(feature = "worker")]
mod engine_args;
#[cfg(feature = "worker")]
mod eval;
mod failure;
#[cfg(feature = "worker")]
mod frame;
mod keys;
#[cfg(feature = "loadtest")]
mod loadtest;
mod logging;
#[cfg(feature = "worker")]
mod look;
#[cfg(feature = "neural")]
mod models;
mod page_link;
#[cfg(feature = "worker")]
mod progress;
#[cfg(feature = "worker")]
mod render;
mod say;
#[cfg(feature = "worker")]
mod stop_flag;
mod up;
mod wiring;

#[cfg(not(any(feature = "cloud", feature = "worker")))]
compile_error!("build with the feature `worker` (everything in one process), `cloud` (a coordinator), or both");

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Counts allocations, so that `bench` can show that the frame path makes none.
#[cfg(feature = "worker")]
#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// A portrait and speech become a talking face.
#[derive(Debug, Parser)]
#[command(name = "mouthpiece", version, about, long_about = None, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done; 1 something failed here; 2 what was given cannot be used; 3 not as good as asked for; 130 interrupted."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the page and the API, with a worker, in one process
    #[cfg(feature = "worker")]
    Up(up::UpArgs),
    /// Serve the page and the API, for workers in other processes
    #[cfg(feature = "cloud")]
    Coordinator(cloud::coordinator::CoordinatorArgs),
    /// Run one worker, for coordinators in other processes
    #[cfg(all(feature = "cloud", feature = "worker"))]
    Worker(cloud::worker::WorkerArgs),
    /// Make a talking-head video (MP4) of a portrait and a recording
    #[cfg(feature = "worker")]
    Render(render::RenderArgs),
    /// Look at portraits
    #[cfg(feature = "worker")]
    Avatar(avatar::AvatarArgs),
    /// Measure how well a finished video follows its sound
    #[cfg(feature = "worker")]
    Eval(eval::EvalArgs),
    /// Measure how fast frames are made on this machine
    #[cfg(feature = "worker")]
    Bench(bench::BenchArgs),
    /// List, fetch and verify the weights that engines need, and make their graphs
    #[cfg(feature = "neural")]
    Models(models::ModelsArgs),
    /// Show the settings in effect and where each comes from
    Config(config::command::ConfigArgs),
    /// Make, list and revoke API keys
    Keys(keys::KeysArgs),
    /// Print a link that opens the page, once
    PageLink(page_link::PageLinkArgs),
    /// Load the farm's control, without engines, and audit the books afterwards
    #[cfg(feature = "loadtest")]
    Loadtest(loadtest::LoadtestArgs),
}

#[cfg(feature = "worker")]
/// ONNX Runtime reports to its maker unless this is set before it is loaded; its switch comes after its first words.
fn silence_telemetry() {
    // SAFETY: nothing else runs yet that could read the environment.
    unsafe { std::env::set_var("ORT_DISABLE_TELEMETRY", "1") };
}

fn main() -> ExitCode {
    #[cfg(feature = "worker")]
    silence_telemetry();
    let done = match Cli::parse().command {
        #[cfg(feature = "worker")]
        Command::Up(args) => up::run(&args),
        #[cfg(feature = "cloud")]
        Command::Coordinator(args) => cloud::coordinator::run(&args),
        #[cfg(all(feature = "cloud", feature = "worker"))]
        Command::Worker(args) => cloud::worker::run(&args),
        #[cfg(feature = "worker")]
        Command::Render(args) => render::run(&args),
        #[cfg(feature = "worker")]
        Command::Avatar(args) => avatar::run(&args),
        #[cfg(feature = "worker")]
        Command::Eval(args) => eval::run(&args),
        #[cfg(feature = "worker")]
        Command::Bench(args) => bench::run(&args),
        #[cfg(feature = "neural")]
        Command::Models(args) => models::run(&args),
        Command::Config(args) => config::command::run(&args),
        Command::Keys(args) => keys::run(&args),
        Command::PageLink(args) => page_link::run(&args),
        #[cfg(feature = "loadtest")]
        Command::Loadtest(args) => loadtest::run(&args),
    };
    failure::exit_code(done)
}
