//! Threads that help to draw the ticks of several sessions at once.

use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::OnceLock;
use std::thread::available_parallelism;

/// No more helpers than this, however many cores there are: a worker has a few slots.
const MOST: usize = 7;

/// Helpers, called when they are first needed. A single tick never needs them, so one session alone stays on one core.
#[derive(Debug, Default)]
pub(super) struct DrawPool {
    helpers: OnceLock<Option<ThreadPool>>,
}

impl DrawPool {
    /// Does `work` on each item, several at a time where there are several items and cores; returns when all are done.
    /// The calling thread takes a part itself. Allocates nothing for a single item.
    pub(super) fn each<T: Send>(&self, items: &mut [T], work: impl Fn(&mut T) + Sync) {
        let several = items.len() > 1;
        let helpers = several.then(|| self.helpers.get_or_init(hire).as_ref()).flatten();
        let (Some(helpers), Some((first, rest))) = (helpers, items.split_first_mut()) else {
            items.iter_mut().for_each(work);
            return;
        };
        helpers.in_place_scope(|scope| {
            for item in rest {
                let work = &work;
                scope.spawn(move |_| work(item));
            }
            work(first);
        });
    }
}

/// One helper for each core but the caller's; none where there is one core, or where no thread can be started.
fn hire() -> Option<ThreadPool> {
    let helpers = available_parallelism().map_or(1, usize::from).saturating_sub(1).min(MOST);
    let name = |n| format!("puppet-{n}");
    (helpers > 0).then(|| ThreadPoolBuilder::new().num_threads(helpers).thread_name(name).build().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_done_once() {
        let crew = DrawPool::default();
        for count in [0, 1, 2, 9] {
            let mut items = vec![0; count];
            crew.each(&mut items, |i| *i += 1);
            assert_eq!(items, vec![1; count]);
        }
    }
}
