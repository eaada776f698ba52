//! What every fleet must do.

use crate::fleet::Fleet;
use mouthpiece_domain::ids::WorkerId;
use std::sync::Arc;

/// Checks a fleet; `fresh` makes one that may start and stop machines as it likes.
///
/// # Panics
/// When a rule is broken.
pub async fn fleet<F: Fleet + 'static>(fresh: impl AsyncFn() -> Arc<F>) {
    let fresh = async || fresh().await as Arc<dyn Fleet>;
    each!(fresh: wishes_may_be_repeated, a_machine_may_be_given_back_twice);
}

async fn wishes_may_be_repeated(fleet: Arc<dyn Fleet>) {
    for workers in [0, 3, 3, 1, 0] {
        rule!(fleet.desire(workers).await, Ok(()), "a number of workers may be asked for at any time, and again");
    }
}

async fn a_machine_may_be_given_back_twice(fleet: Arc<dyn Fleet>) {
    for _ in 0..2 {
        rule!(
            fleet.retire(WorkerId(7)).await,
            Ok(()),
            "a goodbye that comes twice, or of an unknown worker, is no error"
        );
    }
}
