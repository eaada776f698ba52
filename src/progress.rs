//! Progress for people: a bar on a terminal, plain lines when piped.

use crate::say;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// Shows how far frames are, on standard error.
pub struct FrameBar {
    bar: Option<ProgressBar>,
    quiet: bool,
    total: u64,
    started: Instant,
    said: Instant,
}

impl FrameBar {
    /// Nothing is shown when `quiet`.
    pub fn new(quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
                .with_style(ProgressStyle::default_spinner());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        let now = Instant::now();
        Self { bar, quiet, total: 0, started: now, said: now }
    }

    /// Says what is being done before frames are drawn.
    pub fn doing(&mut self, what: &str) {
        match &self.bar {
            Some(bar) => {
                if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                    bar.set_style(style);
                }
                bar.set_message(what.to_owned());
            }
            None if !self.quiet && self.said.elapsed() >= LINE_EVERY => self.line(what),
            None => {}
        }
    }

    /// Prints a line beside the progress.
    pub fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say::aside(line)),
            None if !self.quiet => say::aside(line),
            None => {}
        }
    }

    /// From now on `total` frames are drawn.
    pub fn start(&mut self, total: u64) {
        self.total = total;
        self.started = Instant::now();
        self.said = self.started;
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.reset();
            let template = "{bar:32} {pos}/{len} frames  {per_sec:.0}  {eta} left";
            let template = template.replace("{per_sec:.0}", "{msg}");
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style.progress_chars("━╸─"));
            }
        }
    }

    /// `frames` are done.
    pub fn at(&mut self, frames: u64) {
        let rate = frames as f64 / self.started.elapsed().as_secs_f64().max(1e-3);
        if let Some(bar) = &self.bar {
            bar.set_position(frames);
            bar.set_message(format!("{rate:.0} fps"));
        } else if !self.quiet && self.said.elapsed() >= LINE_EVERY {
            let left = self.total.saturating_sub(frames) as f64 / rate.max(1e-3);
            let share = 100 * frames / self.total.max(1);
            self.line(&format!("{frames}/{} frames ({share}%), {rate:.0} fps, {left:.0} s left", self.total));
        }
    }

    /// Clears the bar.
    pub fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&mut self, line: &str) {
        self.note(line);
        self.said = Instant::now();
    }
}
