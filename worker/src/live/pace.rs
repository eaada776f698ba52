//! The frame rate that all live sessions of a worker share: what they report, second by second, to the policy that decides.

use crate::metrics::WorkerMetrics;
use mouthpiece_domain::frame_pace::{FramePace, PaceWindow};
use mouthpiece_domain::ids::SessionId;
use mouthpiece_engine::DrawnTicks;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::warn;

/// How long is looked at before it is decided.
const WINDOW: Duration = Duration::from_secs(1);
/// A shorter time within the engine says nothing of what it holds.
const SHORTEST: Duration = Duration::from_millis(20);

/// What the sessions of one worker share.
#[derive(Debug)]
pub struct PaceKeeper {
    shared: Mutex<PaceState>,
    metrics: Arc<WorkerMetrics>,
}

#[derive(Debug)]
struct PaceState {
    pace: FramePace,
    began: Option<Instant>,
    /// Who talked in this window, and what they asked for.
    talked: Vec<(SessionId, u32)>,
    drawn: u32,
    late: u32,
    /// What the engine had drawn when the window began.
    before: Option<DrawnTicks>,
}

/// What a session did since it reported last.
#[derive(Debug, Clone, Copy)]
pub struct PaceReport {
    /// Which.
    pub session: SessionId,
    /// Frames a second that it asked for.
    pub asked: u32,
    /// Frames that the engine drew for it.
    pub drawn: u32,
    /// Frames that it skipped while it talked, since their turn was over.
    pub late: u32,
}

impl PaceKeeper {
    /// Everybody has what they asked for.
    pub fn new(metrics: Arc<WorkerMetrics>) -> Self {
        let (talked, pace) = (Vec::new(), FramePace::default());
        let shared = Mutex::new(PaceState { pace, began: None, talked, drawn: 0, late: 0, before: None });
        Self { shared, metrics }
    }

    /// Takes what a session did, and says how many frames a second it is to have. `engine` is what the engine drew so far, all
    /// sessions together.
    pub fn report(&self, report: PaceReport, engine: DrawnTicks, now: Instant) -> u32 {
        // It is whole between any two statements.
        let mut state = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *state;
        let began = *state.began.get_or_insert(now);
        let before = *state.before.get_or_insert(engine);
        if now.saturating_duration_since(began) >= WINDOW {
            let asked: Vec<u32> = state.talked.iter().map(|(_, asked)| *asked).collect();
            let window =
                PaceWindow { asked: &asked, drawn: state.drawn, late: state.late, capacity: capacity(before, engine) };
            if let Some(most) = state.pace.window(&window) {
                warn!(
                    most,
                    talking = asked.len(),
                    capacity = window.capacity,
                    late = window.late,
                    "another frame rate"
                );
                self.metrics.frame_rate_limit(most);
            }
            (state.began, state.before, state.drawn, state.late) = (Some(now), Some(engine), 0, 0);
            state.talked.clear();
        }
        let PaceReport { session, asked, drawn, late } = report;
        if drawn + late > 0 && !state.talked.iter().any(|(other, _)| *other == session) {
            state.talked.push((session, asked));
        }
        state.drawn += drawn;
        state.late += late;
        state.pace.rate(asked)
    }
}

/// How many frames a second the engine can draw, by what it drew between two looks. Sessions that draw with helpers of their own
/// do not depend on it: what the machine holds is seen by frames that come late, then.
fn capacity(before: DrawnTicks, after: DrawnTicks) -> Option<f32> {
    let (ticks, busy) = (after.ticks.checked_sub(before.ticks)?, after.busy.checked_sub(before.busy)?);
    (after.helped == before.helped && busy >= SHORTEST).then(|| ticks as f32 / busy.as_secs_f32())
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::Registry;

    const MS: Duration = Duration::from_millis(1);

    /// Sessions that talk through an engine which takes so long for two frames at once.
    struct Scene {
        keeper: PaceKeeper,
        engine: DrawnTicks,
        now: Instant,
        a_frame: Duration,
    }

    impl Scene {
        fn new(a_frame: Duration) -> Self {
            let metrics = Arc::new(WorkerMetrics::new(&Registry::new()).unwrap());
            let engine = DrawnTicks { calls: 0, ticks: 0, helped: 0, busy: Duration::ZERO };
            Self { keeper: PaceKeeper::new(metrics), engine, now: Instant::now(), a_frame }
        }

        /// So many sessions talk for so many seconds at what they are given; what they have at the end.
        fn talk(&mut self, sessions: u128, seconds: u32) -> Vec<u32> {
            let mut rates = vec![30; sessions as usize];
            for _ in 0..seconds {
                let wanted: u32 = rates.iter().sum();
                let held = (Duration::from_secs(1).as_nanos() / self.a_frame.as_nanos()) as u32;
                let drawn = wanted.min(held);
                self.engine.ticks += u64::from(drawn);
                self.engine.busy += self.a_frame * drawn;
                self.now += 1000 * MS;
                for (n, rate) in rates.iter_mut().enumerate() {
                    let of = drawn / sessions as u32;
                    let report = PaceReport {
                        session: SessionId(n as u128),
                        asked: 30,
                        drawn: of,
                        late: rate.saturating_sub(of),
                    };
                    *rate = self.keeper.report(report, self.engine, self.now);
                }
            }
            rates
        }
    }

    #[test]
    fn two_that_talk_at_once_get_the_same_lower_rate_and_one_alone_all_again() {
        let mut scene = Scene::new(18 * MS);
        assert_eq!(scene.talk(1, 10), [30]);
        assert_eq!(scene.talk(2, 4), [25, 25], "55 frames a second are held");
        assert_eq!(scene.talk(2, 30), [25, 25]);
        assert_eq!(scene.talk(1, 10), [30]);
        scene.a_frame = 24 * MS;
        assert_eq!(scene.talk(2, 4), [20, 20]);
    }

    #[test]
    fn an_engine_that_is_fast_enough_changes_nothing() {
        assert_eq!(Scene::new(2 * MS).talk(8, 30), [30; 8]);
    }

    #[test]
    fn what_helpers_draw_says_nothing_of_the_engine() {
        let before = DrawnTicks { calls: 1, ticks: 1, helped: 0, busy: 10 * MS };
        let after = DrawnTicks { calls: 11, ticks: 21, helped: 0, busy: 110 * MS };
        assert_eq!(capacity(before, after), Some(200.0));
        assert_eq!(capacity(before, DrawnTicks { helped: 3, ..after }), None);
        assert_eq!(capacity(before, DrawnTicks { busy: 11 * MS, ..after }), None, "too short a time");
    }
}
