//! What a machine is told of itself, and before it is taken away.

use mouthpiece_aws_fleet::{MachineMetadata, MachineNotice, MachineWatch, MetadataError};
use mouthpiece_servers::MetadataServer;
use std::time::Duration;
use tokio::time::timeout;

const EVERY: Duration = Duration::from_millis(10);
/// The longest that what must come is waited for.
const BOUND: Duration = Duration::from_secs(30);

async fn spot() -> (MetadataServer, MachineMetadata) {
    let server = MetadataServer::spot("i-0123456789abcdef0", "g4dn.xlarge", "eu-central-1a").await.unwrap();
    let metadata = MachineMetadata::at(Some(&server.endpoint())).unwrap();
    (server, metadata)
}

#[tokio::test]
async fn a_machine_knows_what_it_is() {
    let (server, metadata) = spot().await;
    let machine = metadata.identity().await.unwrap();
    assert_eq!(machine.id.0, "i-0123456789abcdef0");
    assert_eq!(machine.priced_as(), "g4dn.xlarge@eu-central-1a");
    server.set("instance-life-cycle", "on-demand");
    assert_eq!(metadata.identity().await.unwrap().priced_as(), "g4dn.xlarge", "a spot price is for spot machines");
}

#[tokio::test]
async fn what_is_not_a_machines_metadata_is_told() {
    let server = MetadataServer::start(&[("instance-id", "<html>")]).await.unwrap();
    let metadata = MachineMetadata::at(Some(&server.endpoint())).unwrap();
    assert!(matches!(metadata.identity().await, Err(MetadataError::Odd(_))));
    let nobody = MachineMetadata::at(Some("http://127.0.0.1:9")).unwrap();
    let told = nobody.identity().await.unwrap_err().to_string();
    assert!(told.contains("EC2 instance") && told.contains("hop limit"), "{told}");
    for bad in ["127.0.0.1", "https://host", "http://key:hush@host"] {
        assert_eq!(MachineMetadata::at(Some(bad)).unwrap_err(), MetadataError::Endpoint);
    }
}

#[tokio::test]
async fn notices_are_told_once_each_and_the_last_is_the_last() {
    let (server, metadata) = spot().await;
    let mut watch = MachineWatch::new(metadata, EVERY);
    let mut next = async || timeout(BOUND, watch.next(|e, _| panic!("{e}"))).await.unwrap();
    server.set("events/recommendations/rebalance", r#"{"noticeTime": "2026-01-31T12:00:00Z"}"#);
    assert_eq!(next().await, MachineNotice::AtRisk);
    // Long past, whatever the clock here says.
    server.interrupt("2026-01-31T12:02:00Z");
    assert_eq!(next().await, MachineNotice::Taken { left: Duration::ZERO });
    assert!(timeout(EVERY * 5, watch.next(|_, _| ())).await.is_err(), "nothing more is told");
}

#[tokio::test]
async fn without_a_notice_nothing_is_told_and_trouble_passes() {
    let (mut server, metadata) = spot().await;
    let mut watch = MachineWatch::new(metadata, EVERY);
    let mut troubles = Vec::new();
    let mut note = |error: &MetadataError, is_first: bool| troubles.push((error.clone(), is_first));
    {
        let mut waiting = Box::pin(watch.next(&mut note));
        let mut looked = async |times: u64| {
            let seen = async {
                while server.asked("spot/instance-action") < times {
                    tokio::time::sleep(EVERY).await;
                }
            };
            tokio::select! {
                notice = &mut waiting => panic!("{notice:?}"),
                seen = timeout(BOUND, seen) => seen.unwrap(),
            }
        };
        looked(3).await;
        // Tokens may be forgotten at any time: another is asked for.
        server.forget_tokens();
        let before = server.asked("spot/instance-action");
        looked(before + 3).await;
        server.stop().await;
        tokio::select! {
            notice = &mut waiting => panic!("{notice:?}"),
            () = tokio::time::sleep(EVERY * 10) => {}
        }
        server.start_again().await.unwrap();
        server.interrupt("2999-01-01T00:00:00Z");
        let notice = timeout(BOUND, waiting).await.unwrap();
        assert_eq!(notice, MachineNotice::Taken { left: Duration::from_secs(120) });
    }
    assert!(troubles.iter().filter(|(_, is_first)| *is_first).count() <= 2, "{troubles:?}");
}
