//! What a worker's networks take of a GPU's memory, against what they may.
//!
//! Memory that runs out does so in the middle of somebody's sentence. So it is counted before anybody is let in: weights and
//! contexts are there once, buffers for each frame that is drawn at once, that is for each slot. A worker that has too little
//! offers fewer slots; one that has not even enough for one says what is wrong with which setting.

use thiserror::Error;

/// What may be taken of a GPU's memory, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GpuBudget {
    /// All that it has, or that is left to this worker.
    pub total: u64,
    /// For the driver, and whoever else is there.
    pub system: u64,
    /// For weights, and for what runs them.
    pub models: u64,
    /// For what goes through them.
    pub buffers: u64,
}

/// What networks take, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GpuNeed {
    /// Weights.
    pub weights: u64,
    /// What runs them, whatever they are: libraries, kernels, scratch room.
    pub contexts: u64,
    /// What goes through them, for each frame that is drawn at once.
    pub buffers_a_frame: u64,
}

/// There is too little memory.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum GpuShortage {
    /// The parts are more than the whole.
    #[error(
        "neural.memory is {} but neural.memory_system, memory_models and memory_buffers are {} together: make them fit the GPU",
        gib(*total), gib(*parts)
    )]
    Budget {
        /// All that there is.
        total: u64,
        /// What its parts add up to.
        parts: u64,
    },
    /// The weights do not fit.
    #[error(
        "the networks take {} of the GPU's memory, and neural.memory_models is {}: take the tiny decoder (neural.decoder), a larger \
         GPU, or raise it",
        gib(*needed), gib(*allowed)
    )]
    Models {
        /// What they take.
        needed: u64,
        /// What they may.
        allowed: u64,
    },
    /// Not even one frame fits.
    #[error(
        "a frame takes {} of the GPU's memory, and neural.memory_buffers is {}: take the tiny decoder (neural.decoder), a larger GPU, \
         or raise it",
        gib(*needed), gib(*allowed)
    )]
    Buffers {
        /// What it takes.
        needed: u64,
        /// What it may.
        allowed: u64,
    },
}

impl GpuBudget {
    /// How many of `wanted` slots fit: at least one. Frames are drawn in batches of `batches`, ascending, and each batch is as
    /// large as its memory, however few frames are in it.
    ///
    /// # Errors
    /// [`GpuShortage`], with the setting.
    pub fn slots(&self, need: &GpuNeed, batches: &[usize], wanted: u8) -> Result<u8, GpuShortage> {
        let parts = self.system.saturating_add(self.models).saturating_add(self.buffers);
        if parts > self.total {
            return Err(GpuShortage::Budget { total: self.total, parts });
        }
        let needed = need.weights.saturating_add(need.contexts);
        if needed > self.models {
            return Err(GpuShortage::Models { needed, allowed: self.models });
        }
        let fits = |slots: u8| need.buffers(batches, slots) <= self.buffers;
        let fitting = (1..=wanted.max(1)).rev().find(|slots| fits(*slots));
        fitting.ok_or(GpuShortage::Buffers { needed: need.buffers(batches, 1), allowed: self.buffers })
    }
}

impl GpuNeed {
    /// What goes through the networks when so many slots are drawn at once.
    pub fn buffers(&self, batches: &[usize], slots: u8) -> u64 {
        let slots = usize::from(slots);
        // More than the largest batch are drawn one batch after the other.
        let batch = batches.iter().find(|batch| **batch >= slots).or(batches.last()).map_or(slots, |batch| *batch);
        self.buffers_a_frame.saturating_mul(batch as u64)
    }
}

/// Bytes for people.
fn gib(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / (1_u64 << 30) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: u64 = 1 << 20;
    const BATCHES: [usize; 4] = [1, 2, 4, 8];

    /// 16 GiB as they are laid out by default.
    fn budget() -> GpuBudget {
        GpuBudget { total: 16 << 30, system: 1536 * MIB, models: 4608 * MIB, buffers: 4096 * MIB }
    }

    #[test]
    fn slots_are_as_many_as_their_batch_fits() {
        let need = |buffers_a_frame| GpuNeed { weights: 2000 * MIB, contexts: 600 * MIB, buffers_a_frame };
        let slots = |a_frame, wanted| budget().slots(&need(a_frame), &BATCHES, wanted);
        assert_eq!(slots(300 * MIB, 2), Ok(2));
        assert_eq!(slots(300 * MIB, 64), Ok(64), "more than eight are drawn eight at a time");
        assert_eq!(slots(600 * MIB, 64), Ok(4), "five would be drawn as eight");
        assert_eq!(slots(1500 * MIB, 4), Ok(2));
        assert_eq!(slots(3000 * MIB, 4), Ok(1));
    }

    #[test]
    fn too_little_is_refused_with_the_setting_and_the_remedy() {
        let told = |budget: GpuBudget, need| budget.slots(&need, &BATCHES, 2).unwrap_err().to_string();
        let usual = GpuNeed { weights: 2000 * MIB, contexts: 600 * MIB, buffers_a_frame: 5000 * MIB };
        let few = told(budget(), usual);
        assert!(few.contains("neural.memory_buffers is 4.00 GiB") && few.contains("4.88 GiB"), "{few}");
        let heavy = told(budget(), GpuNeed { weights: 4500 * MIB, ..usual });
        assert!(heavy.contains("neural.memory_models is 4.50 GiB") && heavy.contains("tiny decoder"), "{heavy}");
        let small = told(GpuBudget { total: 8 << 30, ..budget() }, usual);
        assert!(small.starts_with("neural.memory is 8.00 GiB"), "{small}");
    }

    proptest! {
        #[test]
        fn what_is_offered_fits_and_one_more_would_not(
            weights in 0_u64..6000, a_frame in 1_u64..5000, wanted in 0_u8..=64, buffers in 0_u64..9000,
        ) {
            let budget = GpuBudget { buffers: buffers * MIB, ..budget() };
            let need = GpuNeed { weights: weights * MIB, contexts: 0, buffers_a_frame: a_frame * MIB };
            match budget.slots(&need, &BATCHES, wanted) {
                Ok(slots) => {
                    prop_assert!(slots >= 1 && slots <= wanted.max(1));
                    prop_assert!(need.buffers(&BATCHES, slots) <= budget.buffers && need.weights <= budget.models);
                    prop_assert!(slots >= wanted || need.buffers(&BATCHES, slots + 1) > budget.buffers);
                }
                Err(GpuShortage::Models { .. }) => prop_assert!(need.weights > budget.models),
                Err(GpuShortage::Buffers { .. }) => prop_assert!(need.buffers_a_frame > budget.buffers),
                Err(GpuShortage::Budget { .. }) => {
                    prop_assert!(budget.system + budget.models + budget.buffers > budget.total);
                }
            }
        }
    }
}
