//! What the farm's process uses, second by second.

use super::report::{FarmUse, UseLine};
use crate::LoadError;
use crate::usage::{MeteredProcess, UsageMeter};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A process that is looked at every second until it is told to stop.
pub(super) struct UseSampling {
    stop: Sender<()>,
    sampler: JoinHandle<Result<Sampled, LoadError>>,
}

struct Sampled {
    cpu: f64,
    before_mib: f64,
    seconds: Vec<UseLine>,
}

impl UseSampling {
    /// From now on.
    pub(super) fn begin(process: u32) -> Self {
        let (stop, stopped) = channel::<()>();
        let sampler = std::thread::spawn(move || {
            let meter = || {
                UsageMeter::begin(vec![MeteredProcess {
                    name: "the farm".to_owned(),
                    id: process,
                    with_children: true,
                }])
            };
            let all = meter()?;
            let before_mib = all.end()?.first().map_or(0.0, |used| used.resident_mib);
            let mut seconds = Vec::new();
            let mut this = meter()?;
            // Whoever let go of the other end wants no more either.
            while stopped.recv_timeout(SECOND) == Err(RecvTimeoutError::Timeout) {
                if let Some(used) = this.end()?.first() {
                    seconds.push(UseLine { cpu: used.cpu, resident_mib: used.resident_mib });
                }
                this = meter()?;
            }
            let cpu = all.end()?.first().map_or(0.0, |used| used.cpu);
            Ok(Sampled { cpu, before_mib, seconds })
        });
        Self { stop, sampler }
    }

    /// What was used since, by so many sessions at a time.
    pub(super) fn end(self, sessions: u32) -> Result<FarmUse, LoadError> {
        drop(self.stop);
        let sampled = self.sampler.join().map_err(|_| LoadError::Setup("the sampler died".to_owned()))??;
        let Sampled { cpu, before_mib, seconds } = sampled;
        let most_mib = seconds.iter().map(|line| line.resident_mib).fold(before_mib, f64::max);
        let each = f64::from(sessions.max(1));
        Ok(FarmUse {
            cpu,
            resident_before_mib: before_mib,
            resident_most_mib: most_mib,
            cpu_per_session: cpu / each,
            mib_per_session: (most_mib - before_mib) / each,
            seconds,
        })
    }
}
