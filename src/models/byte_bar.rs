//! How far a file is: a bar on a terminal, plain lines when piped.

use super::transfer::Watcher;
use crate::say;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows how much of a file is there, on standard error.
pub struct ByteBar {
    name: String,
    bar: Option<ProgressBar>,
    said: Instant,
}

impl ByteBar {
    /// For one file.
    pub fn new(name: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            match ProgressStyle::with_template("{msg} {bar:32} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left") {
                Ok(style) => bar.with_style(style.progress_chars("━╸─")).with_message(name.to_owned()),
                Err(_) => bar,
            }
        });
        Self { name: name.to_owned(), bar, said: Instant::now() }
    }

    /// Clears the bar.
    pub fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Watcher for ByteBar {
    fn at(&mut self, got: u64, total: Option<u64>) {
        if let Some(bar) = &self.bar {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(got);
        } else if self.said.elapsed() >= LINE_EVERY {
            let of = total.map(|total| format!(" of {}", size(total))).unwrap_or_default();
            say::aside(format_args!("{}: {}{of}", self.name, size(got)));
            self.said = Instant::now();
        }
    }
}

/// `3.4 GB`
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.0} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
