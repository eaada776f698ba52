//! What every fleet must do.

use crate::fleet::{Fleet, MachineUse};
use mouthpiece_domain::fleet::{DepartedWorker, MachineId};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_domain::time::Wall;
use std::sync::Arc;

/// Checks a fleet; `fresh` makes one that may start and stop up to three machines as it likes.
///
/// # Panics
/// When a rule is broken.
pub async fn fleet<F: Fleet + 'static>(fresh: impl AsyncFn() -> Arc<F>) {
    let fresh = async || fresh().await as Arc<dyn Fleet>;
    each!(fresh: wishes_may_be_repeated, a_machine_may_be_given_back_twice, protection_may_be_repeated, prices_are_in_order);
}

async fn wishes_may_be_repeated(fleet: Arc<dyn Fleet>) {
    for workers in [0, 3, 3, 1, 0] {
        rule!(fleet.desire(workers).await, Ok(()), "a number of workers may be asked for at any time, and again");
    }
}

async fn a_machine_may_be_given_back_twice(fleet: Arc<dyn Fleet>) {
    for machine in [None, Some(MachineId("i-00000000000000007".to_owned()))] {
        let left = DepartedWorker { worker: WorkerId(7), machine };
        for _ in 0..2 {
            rule!(
                fleet.retire(&left).await,
                Ok(()),
                "a goodbye that comes twice, or of an unknown worker, is no error"
            );
        }
    }
}

async fn protection_may_be_repeated(fleet: Arc<dyn Fleet>) {
    rule!(fleet.protect(&[]).await, Ok(()), "nothing is protected");
    let machine = MachineId("i-00000000000000007".to_owned());
    for busy in [true, true, false, false] {
        let machines = [MachineUse { machine: machine.clone(), busy }];
        rule!(fleet.protect(&machines).await, Ok(()), "an unknown machine is protected, and again, without an error");
    }
}

async fn prices_are_in_order(fleet: Arc<dyn Fleet>) {
    rule!(fleet.prices(&[], Wall(0)).await, Ok(vec![]), "nothing that is asked for has no price");
    let unknown = ["no such machine".to_owned(), String::new(), "x.y@z".to_owned(), "&=%".to_owned()];
    rule!(fleet.prices(&unknown, Wall(0)).await, Ok(vec![]), "an unknown machine has no price, and that is no error");
    let some = ["m5.large@us-east-1a".to_owned()];
    let prices = fleet.prices(&some, Wall(0)).await.unwrap();
    let keys: Vec<_> = prices.iter().map(|price| (&price.instance_type, price.from)).collect();
    let mut sorted = keys.clone();
    sorted.sort();
    sorted.dedup();
    rule!(keys, sorted, "prices come by type and start, one each");
    rule!(prices.iter().all(|p| some.contains(&p.instance_type)), true, "what was not asked for is not told");
}
