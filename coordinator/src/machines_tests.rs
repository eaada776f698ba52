//! Which machines are protected, and when prices are asked for.

use super::*;
use async_trait::async_trait;
use mouthpiece_domain::control::WorkerView;
use mouthpiece_domain::cost::Price;
use mouthpiece_domain::fleet::{Capability, DepartedWorker};
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_embedded::Sqlite;
use mouthpiece_ports::fleet::{Fleet, FleetError};
use mouthpiece_ports::records::UsageBooks;
use std::sync::Mutex;

const NOW: Wall = Wall(1_000 * HOUR_MS);

/// Notes what it is asked; fails as long as it is told to.
#[derive(Default)]
struct Notes {
    protected: Mutex<Vec<Vec<MachineUse>>>,
    priced: Mutex<Vec<(Vec<String>, Wall)>>,
    fails: Mutex<bool>,
}

impl Notes {
    fn answer<T>(&self, answer: T) -> Result<T, FleetError> {
        if *self.fails.lock().unwrap() { Err(FleetError::Unavailable("away".to_owned())) } else { Ok(answer) }
    }
}

#[async_trait]
impl Fleet for Notes {
    async fn desire(&self, _: u32) -> Result<(), FleetError> {
        Ok(())
    }

    async fn retire(&self, _: &DepartedWorker) -> Result<(), FleetError> {
        Ok(())
    }

    async fn protect(&self, machines: &[MachineUse]) -> Result<(), FleetError> {
        self.protected.lock().unwrap().push(machines.to_vec());
        self.answer(())
    }

    async fn prices(&self, types: &[String], since: Wall) -> Result<Vec<Price>, FleetError> {
        self.priced.lock().unwrap().push((types.to_vec(), since));
        let price = |name: &String| Price { instance_type: name.clone(), from: since, micro_usd_per_hour: 157_000 };
        self.answer(types.iter().map(price).collect())
    }
}

struct Rig {
    notes: Arc<Notes>,
    books: Arc<Sqlite>,
    keeper: MachineKeeper,
    _folder: tempfile::TempDir,
}

async fn rig() -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let books = Arc::new(Sqlite::open(&folder.path().join("farm.db")).await.unwrap());
    let notes = Arc::new(Notes::default());
    let ports = MachinePorts { fleet: Arc::clone(&notes) as _, books: Arc::clone(&books) as _ };
    let keeper = MachineKeeper::new(ports, Arc::new(Metrics::new().unwrap()));
    Rig { notes, books, keeper, _folder: folder }
}

fn worker(machine: Option<&str>, pool: &str, state: WorkerState) -> WorkerView {
    WorkerView {
        id: WorkerId(1),
        capability: Capability {
            name: "a".to_owned(),
            engine: "none/1".to_owned(),
            instance_type: pool.to_owned(),
            machine: machine.map(|machine| MachineId(machine.to_owned())),
            slots: 2,
            frames_per_second: 1,
            impaired: None,
        },
        state,
        up: Duration::ZERO,
        seen_ago: Duration::ZERO,
        slots: Vec::new(),
        resident: Vec::new(),
    }
}

fn farm(workers: Vec<WorkerView>) -> FarmView {
    FarmView { workers, ..FarmView::default() }
}

#[tokio::test]
async fn what_has_sessions_is_protected_and_said_when_it_changes() {
    let mut rig = rig().await;
    let view = farm(vec![
        worker(Some("i-1"), "a", WorkerState::Busy),
        worker(Some("i-2"), "a", WorkerState::Idle),
        worker(Some("i-3"), "a", WorkerState::Draining),
        worker(Some("i-4"), "a", WorkerState::Lost),
        // Two on one machine: it is taken away with both.
        worker(Some("i-2"), "a", WorkerState::Busy),
        worker(None, "local", WorkerState::Busy),
    ]);
    for _ in 0..3 {
        rig.keeper.round(&view, NOW).await;
    }
    let said = |machine: &str, busy| MachineUse { machine: MachineId(machine.to_owned()), busy };
    let first = vec![said("i-1", true), said("i-2", true), said("i-3", true)];
    assert_eq!(*rig.notes.protected.lock().unwrap(), [first], "once, as nothing changed");
    let later = farm(vec![worker(Some("i-1"), "a", WorkerState::Idle)]);
    rig.keeper.round(&later, NOW).await;
    assert_eq!(rig.notes.protected.lock().unwrap().last(), Some(&vec![said("i-1", false)]));
}

#[tokio::test]
async fn what_failed_is_said_again_and_what_did_not_change_now_and_then() {
    let mut rig = rig().await;
    *rig.notes.fails.lock().unwrap() = true;
    let view = farm(vec![worker(Some("i-1"), "a", WorkerState::Busy)]);
    rig.keeper.round(&view, NOW).await;
    rig.keeper.round(&view, NOW).await;
    assert_eq!(rig.notes.protected.lock().unwrap().len(), 2);
    assert_eq!(rig.notes.priced.lock().unwrap().len(), 2, "no price is known yet");
    let failures = rig.keeper.metrics.render();
    assert!(failures.contains(r#"call="protect",port="fleet"} 2"#), "{failures}");
    *rig.notes.fails.lock().unwrap() = false;
    for _ in 0..REPEAT {
        rig.keeper.round(&view, NOW).await;
    }
    assert_eq!(rig.notes.protected.lock().unwrap().len(), 4, "once more, and once after a minute");
}

#[tokio::test]
async fn prices_of_the_clouds_machines_are_recorded() {
    let mut rig = rig().await;
    let pool = "g4dn.xlarge@eu-central-1a";
    let view = farm(vec![worker(Some("i-1"), pool, WorkerState::Busy), worker(None, "local", WorkerState::Busy)]);
    rig.keeper.round(&view, NOW).await;
    rig.keeper.round(&view, NOW).await;
    let first = (vec![pool.to_owned()], Wall(NOW.0 - FIRST_MS));
    assert_eq!(*rig.notes.priced.lock().unwrap(), [first], "once, for machines of the cloud");
    let prices = rig.books.prices().await.unwrap();
    assert_eq!(prices.iter().map(|p| p.instance_type.as_str()).collect::<Vec<_>>(), [pool]);
    // A new type is asked for at once, together with what is known.
    let more = farm(vec![worker(Some("i-2"), "other@b", WorkerState::Idle)]);
    rig.keeper.round(&more, NOW).await;
    assert_eq!(rig.notes.priced.lock().unwrap().len(), 2);
    // What is known is asked for again after five minutes, from a while before on.
    while !rig.keeper.rounds.is_multiple_of(PRICES) {
        rig.keeper.round(&more, NOW).await;
    }
    rig.keeper.round(&more, Wall(NOW.0 + 1)).await;
    assert_eq!(rig.notes.priced.lock().unwrap().last(), Some(&(vec!["other@b".to_owned()], Wall(NOW.0 - OVERLAP_MS))));
}
