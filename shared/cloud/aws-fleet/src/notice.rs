//! What a spot machine is told before it is taken away.

use crate::machine::{MachineMetadata, MetadataError};
use chrono::DateTime;
use serde::Deserialize;
use std::time::{Duration, SystemTime};
use tokio::time::sleep;

/// A machine is told two minutes before; nothing is believed to be further away, whatever this machine's clock says.
const LONGEST: Duration = Duration::from_secs(120);

/// A machine is about to be taken away, or may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineNotice {
    /// It is likely to be: other machines should be found (EC2's rebalance recommendation). When is not said.
    AtRisk,
    /// It is, after so long (EC2's interruption notice).
    Taken {
        /// From now on, at most two minutes.
        left: Duration,
    },
}

impl MachineNotice {
    /// All names.
    pub const NAMES: [&'static str; 2] = ["rebalance", "interruption"];

    /// For metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::AtRisk => Self::NAMES[0],
            Self::Taken { .. } => Self::NAMES[1],
        }
    }
}

#[derive(Debug, Deserialize)]
struct InstanceAction {
    /// `terminate`, `stop` or `hibernate`: the worker goes in any case.
    action: String,
    time: String,
}

impl MachineMetadata {
    /// What the machine is told now.
    async fn notice(&self) -> Result<Option<MachineNotice>, MetadataError> {
        if let Some(text) = self.look("spot/instance-action").await? {
            return taken(&text, SystemTime::now()).map(Some);
        }
        let at_risk = self.look("events/recommendations/rebalance").await?;
        Ok(at_risk.map(|_| MachineNotice::AtRisk))
    }
}

fn taken(text: &str, now: SystemTime) -> Result<MachineNotice, MetadataError> {
    let odd = MetadataError::Odd("the interruption notice has no action and time");
    let told: InstanceAction = serde_json::from_str(text).map_err(|_| odd.clone())?;
    let at: SystemTime = DateTime::parse_from_rfc3339(&told.time).map_err(|_| odd)?.into();
    let left = at.duration_since(now).unwrap_or_default().min(LONGEST);
    tracing::debug!(action = told.action, time = told.time, "an interruption notice");
    Ok(MachineNotice::Taken { left })
}

/// Looks for notices again and again. Each is told once, and none after the last.
#[derive(Debug)]
pub struct MachineWatch {
    metadata: MachineMetadata,
    every: Duration,
    told: Option<MachineNotice>,
    trouble: bool,
}

impl MachineWatch {
    /// Looks this often; EC2 recommends 5 s.
    pub fn new(metadata: MachineMetadata, every: Duration) -> Self {
        Self { metadata, every, told: None, trouble: false }
    }

    /// Waits for the next notice. After [`MachineNotice::Taken`] there is none: it waits for ever. `failed` hears of every look
    /// that came to nothing, and whether it is the first after one that did not.
    pub async fn next(&mut self, mut failed: impl FnMut(&MetadataError, bool)) -> MachineNotice {
        loop {
            if matches!(self.told, Some(MachineNotice::Taken { .. })) {
                std::future::pending::<()>().await;
            }
            match self.metadata.notice().await {
                Ok(notice) => {
                    self.trouble = false;
                    if let Some(notice) = notice.filter(|notice| self.is_news(*notice)) {
                        self.told = Some(notice);
                        return notice;
                    }
                }
                Err(error) => failed(&error, !std::mem::replace(&mut self.trouble, true)),
            }
            sleep(self.every).await;
        }
    }

    fn is_news(&self, notice: MachineNotice) -> bool {
        self.told.is_none_or(|told| told.name() != notice.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_bounded_whatever_the_clock_says() {
        // 2026-01-31T12:02:00Z
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_769_860_920);
        let text = r#"{"action": "terminate", "time": "2026-01-31T12:02:00Z"}"#;
        let left = |now| {
            taken(text, now).map(|notice| match notice {
                MachineNotice::Taken { left } => left.as_secs(),
                MachineNotice::AtRisk => u64::MAX,
            })
        };
        let seconds = Duration::from_secs;
        assert_eq!([left(at - seconds(90)), left(at + seconds(5)), left(at - seconds(7200))], [Ok(90), Ok(0), Ok(120)]);
        for bad in ["", "{}", r#"{"action":"stop","time":"soon"}"#] {
            assert!(taken(bad, at).is_err(), "{bad}");
        }
    }
}
