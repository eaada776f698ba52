//! How long this machine was up before the worker began, where it was started for that.

use std::io;
use std::path::Path;
use std::time::Duration;

/// Seconds since the kernel began, and seconds of idling.
const UPTIME: &str = "/proc/uptime";
/// A number that each start of the machine has for itself.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// In the data folder: the start for which a worker counted the time already.
const COUNTED: &str = "boot_counted";

/// The machine's time up to now, once a start of it; nothing for a worker that is not the first since then, or where it
/// cannot be told.
pub fn up_before(data: &Path) -> Duration {
    let counted = data.join(COUNTED);
    match first_since(Path::new(BOOT_ID), &counted).and_then(|first| Ok(first.then_some(uptime(Path::new(UPTIME))?))) {
        Ok(up) => up.unwrap_or_default(),
        Err(error) => {
            tracing::warn!(%error, "when this machine started is not known: the worker's time counts from now");
            Duration::ZERO
        }
    }
}

/// Whether this start of the machine is a new one; it is noted.
fn first_since(boot_id: &Path, counted: &Path) -> io::Result<bool> {
    let this = std::fs::read_to_string(boot_id)?;
    let is_new = std::fs::read_to_string(counted).ok().is_none_or(|noted| noted != this);
    if is_new {
        std::fs::write(counted, this)?;
    }
    Ok(is_new)
}

fn uptime(path: &Path) -> io::Result<Duration> {
    let text = std::fs::read_to_string(path)?;
    let seconds = text.split_ascii_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    let span = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    span.ok_or_else(|| io::Error::other(format!("'{}' does not begin with seconds", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_counted_once() {
        let folder = tempfile::tempdir().unwrap();
        let [boot_id, counted] = ["boot_id", "counted"].map(|name| folder.path().join(name));
        assert!(first_since(&boot_id, &counted).is_err(), "not every system tells");
        for (id, first) in [("a", true), ("a", false), ("b", true), ("b", false)] {
            std::fs::write(&boot_id, id).unwrap();
            assert_eq!(first_since(&boot_id, &counted).unwrap(), first);
        }
    }

    #[test]
    fn the_first_number_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("uptime");
        for (text, told) in [("12.34 56.78\n", Some(12_340)), ("", None), ("-1 2", None), ("soon", None)] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(uptime(&path).ok(), told.map(Duration::from_millis), "{text:?}");
        }
    }
}
