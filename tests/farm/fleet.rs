//! A farm on the machines of an Auto Scaling group: real Postgres, RabbitMQ and Redis, and stand-ins for AWS and for the
//! machine's metadata.

use chrono::{Duration, Utc};
use mouthpiece_servers::{AwsServer, MetadataServer};
use serde_json::Value;

use crate::{
    api::Api,
    farm::eventually,
    processes::{Servers, WorkerProcess, has_workers},
    render::long,
};

const TYPE: &str = "g4dn.xlarge";
const ZONE: &str = "eu-central-1a";
const POOL: &str = "g4dn.xlarge@eu-central-1a";

async fn the_worker(api: &Api) -> Value {
    api.farm().await["workers"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_are_started_protected_priced_and_given_back() {
    let aws = AwsServer::start("workers", 0, 3).await.unwrap();
    let began = Utc::now() - Duration::days(3);
    aws.add_price(TYPE, ZONE, began.timestamp_millis(), "0.157000");
    let servers = Servers::start().await;
    let (endpoint, keys) = (
        aws.endpoint(),
        aws.credentials_file(AwsServer::ACCESS_KEY, AwsServer::SECRET_KEY).unwrap().display().to_string(),
    );
    let fleet = [
        ("stores.fleet", "aws:workers"),
        ("aws.region", AwsServer::REGION),
        ("aws.credentials_file", keys.as_str()),
        ("aws.autoscaling_endpoint", endpoint.as_str()),
        ("aws.ec2_endpoint", endpoint.as_str()),
        ("coordinator.book_every", "1s"),
        // As many as the group allows.
        ("coordinator.max_workers", "3"),
    ];
    let mut place = servers.place(&fleet);
    let farm = servers.coordinator(&mut place);
    let api = &farm.api;

    // Nobody asked for anything yet: the reserve is started.
    let machine = eventually("a machine is started", async || aws.group().machines.into_keys().next()).await;
    let metadata = MetadataServer::spot(&machine, TYPE, ZONE).await.unwrap();
    let at = metadata.endpoint();
    let of_worker =
        [("aws.metadata_endpoint", at.as_str()), ("aws.watch_every", "100ms"), ("worker.drain_timeout", "1s")];
    let mut worker = WorkerProcess::start_with(&servers, &[&fleet[..], &of_worker].concat());
    has_workers(api, 1).await;
    let known = the_worker(api).await;
    assert_eq!((known["machine"].as_str(), known["instance_type"].as_str()), (Some(machine.as_str()), Some(POOL)));

    // A session protects its machine, and asks for another one in reserve.
    // The film takes longer to make than all that follows.
    let id = api.accepted(&long(900), &[]).await;
    api.rendering(&id).await;
    let is_protected = async || (aws.group().machines.get(&machine) == Some(&true)).then_some(());
    eventually("the machine with the session is protected", is_protected).await;
    eventually("another is started in reserve", async || (aws.group().machines.len() >= 2).then_some(())).await;

    // What the machine costs is known from EC2's history.
    let priced = async || {
        let report = api.get("/v1/reports/cost?group_by=instance_type").await.is(200).json();
        let price = report["prices"].as_array().unwrap().iter().find(|price| price["instance_type"] == POOL).cloned();
        price.filter(|_| report["unpriced"].as_array().unwrap().is_empty())
    };
    let price = eventually("its machine time is priced", priced).await;
    assert_eq!(price["usd_per_hour"], 0.157, "{price}");

    // EC2 wants it back: the worker hands its session over and leaves, and the machine goes, protected or not.
    metadata.interrupt(&(Utc::now() + Duration::seconds(120)).to_rfc3339());
    assert_eq!(worker.ended().await, Some(0));
    let given_back = async || (!aws.group().machines.contains_key(&machine)).then_some(());
    eventually("the machine is given back", given_back).await;
    let session = api.session(&id).await;
    assert_ne!(session["state"], "ended", "it waits for the next machine: {session}");
    let others = async || (aws.group().desired >= 1 && !aws.group().machines.contains_key(&machine)).then_some(());
    eventually("others are there for it", others).await;
    let failures = api.metrics().await;
    let of_fleet: Vec<_> = failures.iter().filter(|(name, _)| name.contains(r#"port="fleet""#)).collect();
    assert!(of_fleet.is_empty(), "{of_fleet:?}");
}

/// A fleet that is away is told, and holds up nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_is_away_holds_up_no_session() {
    let mut aws = AwsServer::start("workers", 0, 3).await.unwrap();
    let servers = Servers::start().await;
    let (endpoint, keys) = (
        aws.endpoint(),
        aws.credentials_file(AwsServer::ACCESS_KEY, AwsServer::SECRET_KEY).unwrap().display().to_string(),
    );
    aws.stop().await;
    let fleet = [
        ("stores.fleet", "aws:workers"),
        ("aws.region", AwsServer::REGION),
        ("aws.credentials_file", keys.as_str()),
        ("aws.autoscaling_endpoint", endpoint.as_str()),
        ("aws.ec2_endpoint", endpoint.as_str()),
    ];
    let mut place = servers.place(&fleet);
    let farm = servers.coordinator(&mut place);
    let api = &farm.api;
    // A machine of one's own beside the fleet.
    let _worker = WorkerProcess::start_with(&servers, &[("worker.name", "own")]);
    has_workers(api, 1).await;
    api.get("/readyz").await.is(200);
    let id = api.accepted(&long(1), &[]).await;
    api.ended(&id, "completed").await;
    let counted = async || {
        let metrics = api.metrics().await;
        metrics.iter().any(|(name, n)| name.contains(r#"call="desire",port="fleet""#) && *n > 0.0).then_some(())
    };
    eventually("its failures are counted", counted).await;
    let is_said = async || farm.log().contains("nobody listens there").then_some(());
    eventually("the log says why", is_said).await;
    aws.start_again().await.unwrap();
    eventually("machines are asked for when it is back", async || (aws.group().desired > 0).then_some(())).await;
}
