//! Opening the page in the user's browser.
//!
//! What a program is started with can be read by everybody on the machine, so the link is not handed over in the open: the
//! browser is given a file that only its owner can read, and that leads on.

use crate::say;
use anyhow::Context;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The file, in the data folder.
const FILE: &str = "open.html";
/// A browser that has not read it within this will not.
const READ_WITHIN: Duration = Duration::from_secs(60);
/// The program that knows the user's browser.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

/// The file that leads to the page; dropping it removes it.
struct Lead(PathBuf);

impl Drop for Lead {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Lead {
    fn write(folder: &Path, link: &str) -> anyhow::Result<Self> {
        let file = Self(folder.join(FILE));
        // What a killed process left may not be one's own alone.
        match std::fs::remove_file(&file.0) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e).context("an old file cannot be removed"),
            _ => {}
        }
        let mut options = std::fs::OpenOptions::new();
        let mut written = options.write(true).create_new(true).mode(0o600).open(&file.0)?;
        // A link has no character that means something in HTML.
        writeln!(
            written,
            "<!doctype html><meta charset=\"utf-8\"><title>Mouthpiece</title><meta name=\"referrer\" content=\"no-referrer\">\
             <meta http-equiv=\"refresh\" content=\"0;url={link}\"><a href=\"{link}\">Mouthpiece</a>"
        )?;
        Ok(file)
    }
}

/// Opens the link, as far as that is possible here. That it is not is no failure: the link was printed.
pub fn open(folder: &Path, link: &str) {
    let lead = match Lead::write(folder, link) {
        Ok(lead) => lead,
        Err(error) => return not_opened(&format!("{error:#}")),
    };
    let mut command = Command::new(OPENER);
    command.arg(&lead.0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // It may go on for as long as the browser does: nobody waits for this thread.
    std::thread::spawn(move || match command.status() {
        Ok(status) if status.success() => {}
        Ok(status) => not_opened(&format!("{OPENER} ended with {status}")),
        Err(error) => not_opened(&format!("{OPENER}: {error}")),
    });
    // When the process ends before that, so does this.
    actix_rt::spawn(async move {
        tokio::time::sleep(READ_WITHIN).await;
        drop(lead);
    });
}

fn not_opened(why: &str) {
    say::aside(format_args!("no browser could be opened ({why}): open the link above yourself"));
}
