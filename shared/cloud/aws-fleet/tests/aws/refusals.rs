//! What does not work is told with what to do; what passes is waited for.

use super::rig::{GROUP, fleet, fleet_at, left, rig, says};
use mouthpiece_domain::time::Wall;
use mouthpiece_ports::fleet::{Fleet, FleetError};
use mouthpiece_servers::{AwsFault, AwsServer};
use std::time::Duration;

fn refused(answer: Result<(), FleetError>) -> String {
    match answer {
        Err(FleetError::Refused(words)) => words,
        other => panic!("{other:?}"),
    }
}

fn away(answer: Result<(), FleetError>) -> String {
    match answer {
        Err(FleetError::Unavailable(words)) => words,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_group_that_is_not_there_is_told_with_its_region() {
    let server = AwsServer::start(GROUP, 0, 3).await.unwrap();
    let fleet = fleet(&server, "another", AwsServer::SECRET_KEY).await;
    for words in [
        refused(fleet.desire(1).await),
        refused(fleet.retire(&left("i-1")).await),
        refused(fleet.protect(&[says("i-1", true)]).await),
    ] {
        assert!(words.contains("no Auto Scaling group 'another' in eu-central-1"), "{words}");
        assert!(words.contains("stores.fleet") && words.contains("aws.region"), "{words}");
    }
}

#[tokio::test]
async fn wrong_keys_and_regions_are_told_without_a_secret() {
    let server = AwsServer::start(GROUP, 0, 3).await.unwrap();
    let words = refused(fleet(&server, GROUP, "hunter2hunter2").await.desire(1).await);
    assert!(words.contains("secret key does not fit") && !words.contains("hunter2"), "{words}");
    let stranger = server.credentials_file("AKIASTRANGER", "hunter2").unwrap();
    let words = refused(fleet_at(&server.endpoint(), GROUP, AwsServer::REGION, stranger).await.desire(1).await);
    assert!(words.contains("AWS_ACCESS_KEY_ID") && !words.contains("hunter2"), "{words}");
    let keys = server.credentials_file(AwsServer::ACCESS_KEY, AwsServer::SECRET_KEY).unwrap();
    let words = refused(fleet_at(&server.endpoint(), GROUP, "us-east-1", keys).await.desire(1).await);
    assert!(words.contains("another region's than us-east-1"), "{words}");
    assert_eq!(server.group().desired, 0);
    let fleet = fleet(&server, GROUP, AwsServer::SECRET_KEY).await;
    assert!(!format!("{fleet:?}").contains(AwsServer::SECRET_KEY), "{fleet:?}");
}

#[tokio::test]
async fn missing_rights_are_told_by_the_action_that_needs_them() {
    let rig = rig(0, 3).await;
    rig.server.plan("SetDesiredCapacity", &[AwsFault::Refused(403, "AccessDenied")]);
    assert!(refused(rig.fleet.desire(1).await).contains("allow autoscaling:SetDesiredCapacity"));
    rig.server.plan("DescribeSpotPriceHistory", &[AwsFault::Refused(403, "UnauthorizedOperation")]);
    let told = rig.fleet.prices(&["a@b".to_owned()], Wall(0)).await.unwrap_err();
    assert!(told.to_string().contains("allow ec2:DescribeSpotPriceHistory"), "{told}");
}

#[tokio::test]
async fn a_service_that_is_busy_is_asked_again() {
    let rig = rig(0, 3).await;
    rig.server.plan(
        "SetDesiredCapacity",
        &[AwsFault::Refused(400, "Throttling"), AwsFault::Busy(0), AwsFault::Refused(400, "ScalingActivityInProgress")],
    );
    rig.fleet.desire(2).await.unwrap();
    assert_eq!((rig.server.asked("SetDesiredCapacity"), rig.server.group().desired), (4, 2));
}

#[tokio::test]
async fn a_service_that_stays_busy_is_left_alone_after_a_few_times() {
    let rig = rig(0, 3).await;
    rig.server.plan("DescribeAutoScalingGroups", &[AwsFault::Busy(0); 9]);
    let words = away(rig.fleet.desire(2).await);
    assert!(words.contains("busy (RequestLimitExceeded)"), "{words}");
    assert_eq!(rig.server.asked("DescribeAutoScalingGroups"), 4);
}

#[tokio::test]
async fn a_request_without_an_answer_is_given_up_and_holds_up_no_other() {
    let rig = rig(0, 3).await;
    rig.server.plan("DescribeAutoScalingGroups", &[AwsFault::Silent]);
    let mut silent = Box::pin(rig.fleet.desire(1));
    let asked = async {
        while rig.server.asked("DescribeAutoScalingGroups") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        answer = &mut silent => panic!("{answer:?}"),
        () = asked => {}
    }
    rig.fleet.desire(2).await.unwrap();
    assert!(away(silent.await).contains("does not answer in time"));
}

#[tokio::test]
async fn a_service_that_is_away_is_told_and_found_again() {
    let mut rig = rig(0, 3).await;
    rig.server.stop().await;
    let words = away(rig.fleet.desire(1).await);
    assert!(words.contains("AWS in eu-central-1") && words.contains("nobody listens there"), "{words}");
    rig.server.start_again().await.unwrap();
    rig.fleet.desire(1).await.unwrap();
    assert_eq!(rig.server.group().desired, 1);
}
