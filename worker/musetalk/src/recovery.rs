//! What is tried when what runs the networks fails. Pure.

use crate::graph::Provider;
use mouthpiece_engine::EngineRecovery;

/// What was tried so far: networks are loaded again once by what ran them, then once by the next provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecoveryPlan {
    restarted: bool,
    fell_back: bool,
}

impl RecoveryPlan {
    /// By what networks are to be loaded next, after `running` failed; none when nothing is left to try. `known` is what may
    /// work here, fastest first.
    ///
    /// From a GPU nothing falls back to the processor: a frame takes seconds there, and a session that is moved to another
    /// worker is served better.
    pub fn next(&mut self, running: Provider, known: &[Provider]) -> Option<(Provider, EngineRecovery)> {
        if !std::mem::replace(&mut self.restarted, true) {
            return Some((running, EngineRecovery::Restarted { on: running.name() }));
        }
        let slower = known.iter().skip_while(|provider| **provider != running).skip(1);
        let next = *slower.into_iter().find(|provider| provider.is_gpu() == running.is_gpu())?;
        if std::mem::replace(&mut self.fell_back, true) {
            return None;
        }
        Some((next, EngineRecovery::FellBack { from: running.name(), to: next.name(), makes: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Provider::{Cpu, Cuda, TensorRt};

    /// All that is tried, one after the other, when everything fails.
    fn tried(mut running: Provider, known: &[Provider]) -> Vec<Provider> {
        let mut plan = RecoveryPlan::default();
        let mut tried = Vec::new();
        while let Some((provider, _)) = plan.next(running, known) {
            tried.push(provider);
            running = provider;
            assert!(tried.len() <= 2, "it comes to an end: {tried:?}");
        }
        tried
    }

    #[test]
    fn networks_are_restarted_once_then_run_by_the_next_provider_once() {
        assert_eq!(tried(TensorRt, &[TensorRt, Cuda, Cpu]), [TensorRt, Cuda]);
        assert_eq!(tried(Cuda, &[TensorRt, Cuda, Cpu]), [Cuda], "never to the processor");
        assert_eq!(tried(TensorRt, &[TensorRt]), [TensorRt], "what an operator named is not replaced");
        assert_eq!(tried(Cpu, &[Cpu]), [Cpu]);
    }

    #[test]
    fn what_is_done_is_said() {
        let mut plan = RecoveryPlan::default();
        let known = [TensorRt, Cuda];
        let mut told = || plan.next(TensorRt, &known).map(|(_, how)| how.to_string());
        assert_eq!(told().unwrap(), "tensorrt failed and was started again");
        assert_eq!(told().unwrap(), "tensorrt failed: cuda draws from now on");
        assert_eq!(told(), None);
    }
}
