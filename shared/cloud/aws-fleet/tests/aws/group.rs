//! Machines of the group: asked for, given back, protected.

use super::rig::{GROUP, left, rig, says};
use mouthpiece_domain::fleet::DepartedWorker;
use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::fleet::{Fleet, FleetError};
use mouthpiece_servers::AwsFault;

const TERMINATE: &str = "TerminateInstanceInAutoScalingGroup";

#[tokio::test]
async fn machines_are_asked_for_and_never_unasked() {
    let rig = rig(0, 10).await;
    for (wanted, there) in [(2, 2), (2, 2), (5, 5), (1, 5), (0, 5)] {
        rig.fleet.desire(wanted).await.unwrap();
        assert_eq!(rig.server.group().desired, there, "{wanted} wanted");
    }
    assert_eq!(rig.server.asked("SetDesiredCapacity"), 2, "what is there already is not asked for");
}

#[tokio::test]
async fn more_than_the_group_allows_says_which_setting_to_change() {
    let rig = rig(0, 3).await;
    let told = rig.fleet.desire(7).await.unwrap_err();
    let FleetError::Refused(words) = &told else { panic!("{told}") };
    assert!(
        words.contains("7 workers") && words.contains("allows 3") && words.contains("raise its maximum size"),
        "{words}"
    );
    assert!(words.contains("coordinator.max_workers"), "{words}");
    assert_eq!(rig.server.group().desired, 3, "what is allowed comes all the same");
}

#[tokio::test]
async fn the_victim_itself_is_given_back_and_no_other_comes() {
    let rig = rig(0, 5).await;
    rig.fleet.desire(3).await.unwrap();
    let machines = rig.machines();
    rig.fleet.protect(&[says(&machines[1], true)]).await.unwrap();
    for _ in 0..2 {
        rig.fleet.retire(&left(&machines[1])).await.unwrap();
        let group = rig.server.group();
        let rest: Vec<&String> = group.machines.keys().collect();
        assert_eq!((group.desired, rest), (2, vec![&machines[0], &machines[2]]));
    }
}

#[tokio::test]
async fn below_the_groups_minimum_another_machine_comes() {
    let rig = rig(1, 5).await;
    let before = rig.machines();
    rig.fleet.retire(&left(&before[0])).await.unwrap();
    let group = rig.server.group();
    assert_eq!((group.desired, group.machines.len()), (1, 1));
    assert_ne!(rig.machines(), before);
}

#[tokio::test]
async fn what_is_not_of_the_group_is_never_ended() {
    let rig = rig(1, 5).await;
    rig.fleet.retire(&left("i-somebody-elses")).await.unwrap();
    rig.fleet.retire(&DepartedWorker { worker: WorkerId(1), machine: None }).await.unwrap();
    assert_eq!(rig.server.asked(TERMINATE), 0);
}

#[tokio::test]
async fn a_machine_whose_end_was_not_answered_is_not_ended_twice() {
    let rig = rig(0, 5).await;
    rig.fleet.desire(3).await.unwrap();
    let machines = rig.machines();
    rig.server.plan(TERMINATE, &[AwsFault::AnswerLost]);
    rig.fleet.retire(&left(&machines[0])).await.unwrap();
    assert_eq!(rig.server.group().desired, 2, "asked for twice, done once");
    assert_eq!(rig.server.asked(TERMINATE), 2);
}

#[tokio::test]
async fn machines_with_sessions_are_protected_and_others_freed() {
    let rig = rig(0, 200).await;
    rig.fleet.desire(130).await.unwrap();
    let machines = rig.machines();
    let all = |busy: &dyn Fn(usize) -> bool| -> Vec<_> {
        machines.iter().enumerate().map(|(n, id)| says(id, busy(n))).chain([says("i-unknown", true)]).collect()
    };
    rig.fleet.protect(&all(&|_| true)).await.unwrap();
    assert_eq!(rig.protected(), machines);
    assert_eq!(rig.server.asked("SetInstanceProtection"), 3, "50 at a time");
    rig.fleet.protect(&all(&|n| n == 4)).await.unwrap();
    assert_eq!(rig.protected(), [machines[4].clone()]);
    let before = rig.server.asked("SetInstanceProtection");
    rig.fleet.protect(&all(&|n| n == 4)).await.unwrap();
    assert_eq!(rig.server.asked("SetInstanceProtection"), before, "what is so already is not asked for");
    assert!(GROUP.contains(' '), "names are encoded");
}
