//! How a worker's engine is.

use mouthpiece_engine::{EngineNews, EngineRecovery};

/// How a worker's engine is. It only gets worse: a worker that is to do all that it was made for is a new one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EngineCondition {
    /// It does what was measured at the start.
    #[default]
    Sound,
    /// It draws by other means than it was measured with.
    Impaired {
        /// Why, in a sentence without a full stop.
        why: String,
        /// Frames a second that it makes now, all sessions together, if that was measured.
        makes: Option<u32>,
    },
    /// It does not draw any more.
    Broken,
}

impl EngineCondition {
    /// How it is after such news.
    #[must_use]
    pub fn after(self, news: &EngineNews<'_>) -> Self {
        match (self, news) {
            (Self::Broken, _) | (_, EngineNews::Broken(_)) => Self::Broken,
            (_, EngineNews::Recovered(how @ EngineRecovery::FellBack { makes, .. })) => {
                Self::Impaired { why: how.to_string(), makes: *makes }
            }
            // It goes on as it was.
            (before, EngineNews::Failed(_) | EngineNews::Recovered(EngineRecovery::Restarted { .. })) => before,
        }
    }

    /// Why it is not sound, if it is not. For callers, too: what the device's driver said stands in the log.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Sound => None,
            Self::Impaired { why, .. } => Some(why),
            Self::Broken => Some("the engine failed and could not be started again: its worker hands over what it has"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mouthpiece_engine::EngineError;

    #[test]
    fn a_fallback_stays_to_be_seen_and_what_is_broken_stays_so() {
        let failure = EngineError::Device("launch failed".into());
        let restarted = EngineNews::Recovered(EngineRecovery::Restarted { on: "tensorrt" });
        let fell_back = EngineNews::Recovered(EngineRecovery::FellBack { from: "tensorrt", to: "cuda", makes: None });
        let mut now = EngineCondition::default();
        let mut told = |news: &EngineNews<'_>| {
            now = std::mem::take(&mut now).after(news);
            now.why().map(str::to_owned)
        };
        assert_eq!((told(&EngineNews::Failed(&failure)), told(&restarted)), (None, None));
        let why = Some("tensorrt failed: cuda draws from now on".to_owned());
        assert_eq!(
            (told(&fell_back), told(&EngineNews::Failed(&failure)), told(&restarted)),
            (why.clone(), why.clone(), why)
        );
        let broken = told(&EngineNews::Broken(&failure)).unwrap();
        assert!(broken.starts_with("the engine failed and could not be started again"), "{broken}");
        assert_eq!(told(&fell_back), Some(broken));
    }
}
