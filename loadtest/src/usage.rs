//! What processes use of the machine, as the kernel tells (Linux, `/proc`).

use crate::{LoadError, setup};
use serde::Serialize;
use std::fs;
use std::time::{Duration, Instant};

/// A process to be measured.
#[derive(Debug, Clone)]
pub(crate) struct MeteredProcess {
    pub name: String,
    pub id: u32,
    /// Those that it started count as well.
    pub with_children: bool,
}

/// What a process used over a time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProcessUse {
    /// Which process.
    pub name: String,
    /// Share of one core, 1.0 is all of it.
    pub cpu: f64,
    /// Resident memory at the end, MiB.
    pub resident_mib: f64,
    /// The most that it ever was, MiB.
    pub peak_mib: f64,
}

/// A measurement under way.
pub(crate) struct UsageMeter {
    begun: Instant,
    processes: Vec<(MeteredProcess, Duration)>,
}

impl UsageMeter {
    pub(crate) fn begin(processes: Vec<MeteredProcess>) -> Result<Self, LoadError> {
        let with_cpu = |process: MeteredProcess| Ok((process.clone(), cpu(&process)?));
        Ok(Self {
            begun: Instant::now(),
            processes: processes.into_iter().map(with_cpu).collect::<Result<_, LoadError>>()?,
        })
    }

    /// What was used since.
    pub(crate) fn end(&self) -> Result<Vec<ProcessUse>, LoadError> {
        let span = self.begun.elapsed().as_secs_f64().max(1e-9);
        let used = |(process, before): &(MeteredProcess, Duration)| {
            let used = cpu(process)?.saturating_sub(*before);
            let [resident_mib, peak_mib] = memory(process)?;
            Ok(ProcessUse { name: process.name.clone(), cpu: used.as_secs_f64() / span, resident_mib, peak_mib })
        };
        self.processes.iter().map(used).collect()
    }
}

/// The process, and those whose parent or group it is if they count.
fn family(process: &MeteredProcess) -> Result<Vec<Stat>, LoadError> {
    let all = fs::read_dir("/proc").map_err(|e| setup(format!("/proc cannot be read: {e}")))?.flatten();
    let stats = all.filter_map(|entry| {
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        // One that has just ended is nobody's any more.
        let is_child = |stat: &Stat| process.with_children && [stat.parent, stat.group].contains(&process.id);
        Stat::read(id).filter(|stat| stat.id == process.id || is_child(stat))
    });
    let family: Vec<_> = stats.collect();
    if family.iter().any(|stat| stat.id == process.id) {
        Ok(family)
    } else {
        Err(setup(format!("{} has ended by itself", process.name)))
    }
}

/// Processor time that was used so far.
fn cpu(process: &MeteredProcess) -> Result<Duration, LoadError> {
    Ok(family(process)?.iter().map(|stat| stat.cpu).sum())
}

/// Resident memory in MiB, now and at its most. What Postgres' processes share counts for each.
fn memory(process: &MeteredProcess) -> Result<[f64; 2], LoadError> {
    let of = |id: u32, field: &str| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':').map(str::to_owned));
        line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
    };
    let family = family(process)?;
    let sum = |field: &str| family.iter().map(|stat| of(stat.id, field)).sum();
    Ok([sum("VmRSS"), sum("VmHWM")])
}

/// The part of `/proc/ID/stat` that is needed.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    id: u32,
    parent: u32,
    group: u32,
    cpu: Duration,
}

impl Stat {
    fn read(id: u32) -> Option<Self> {
        // SAFETY: sysconf has no preconditions.
        let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
        Self::parse(id, &fs::read_to_string(format!("/proc/{id}/stat")).ok()?, u64::try_from(ticks).ok()?)
    }

    fn parse(id: u32, text: &str, ticks_a_second: u64) -> Option<Self> {
        // After the name, which may hold anything: state, parent, group, and from the 12th field on user and system time.
        let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let (parent, group) = (u32::try_from(number(1)?).ok()?, u32::try_from(number(2)?).ok()?);
        let ticks = number(11)? + number(12)?;
        Some(Self { id, parent, group, cpu: Duration::from_millis(ticks * 1000 / ticks_a_second.max(1)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let text = "7 (a) S (b) R 1 42 42 0 -1 4194304 1 2 3 4 150 50 7 8 20 0 1 0 99";
        let read = Stat::parse(7, text, 100);
        assert_eq!(read, Some(Stat { id: 7, parent: 1, group: 42, cpu: Duration::from_secs(2) }));
        assert_eq!(Stat::parse(7, "7 (a) R 1", 100), None);
    }

    #[test]
    fn this_process_uses_something() {
        let this = MeteredProcess { name: "this".to_owned(), id: std::process::id(), with_children: true };
        let meter = UsageMeter::begin(vec![this]).unwrap();
        let used = meter.end().unwrap();
        assert!(used[0].resident_mib > 1.0 && used[0].peak_mib >= used[0].resident_mib, "{used:?}");
        let gone = MeteredProcess { name: "nobody".to_owned(), id: u32::MAX, with_children: false };
        assert!(UsageMeter::begin(vec![gone]).is_err());
    }
}
