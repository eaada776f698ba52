//! Coordinators and workers as processes of their own, on real Postgres, RabbitMQ and Redis, and an S3 server.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use mouthpiece_servers::{PostgresServer, RabbitServer, RedisServer, S3Server};
use serde_json::json;

use crate::{
    api::Api,
    farm::{Farm, Place, eventually},
    film::probe,
    live::{Caller, Viewer, live, sees},
    render::long,
};

/// A place that a killed process held is given up fast.
const LEASE: [(&str, &str); 4] =
    [("lease.renew", "200ms"), ("lease.soft_stop", "1200ms"), ("lease.hard_stop", "1600ms"), ("lease.expiry", "2s")];

/// The servers of one farm, and what its processes are told of them.
pub struct Servers {
    pub rabbit: RabbitServer,
    pub redis: RedisServer,
    pub postgres: PostgresServer,
    pub bucket: S3Server,
    settings: Vec<(String, String)>,
}

impl Servers {
    pub async fn start() -> Self {
        let (postgres, rabbit, redis) =
            tokio::join!(PostgresServer::start(), RabbitServer::start(), RedisServer::start());
        let (postgres, rabbit, redis) = (postgres.unwrap(), rabbit.unwrap(), redis.unwrap());
        let bucket = S3Server::start().await.unwrap();
        let credentials = bucket.credentials_file(S3Server::ACCESS_KEY, S3Server::SECRET_KEY).unwrap();
        let own = [
            ("stores.records", postgres.database().unwrap()),
            ("stores.bus", rabbit.url()),
            ("stores.pool", redis.url()),
            ("stores.blobs", format!("s3://{}/farm", bucket.bucket().unwrap())),
            ("s3.endpoint", bucket.endpoint()),
            ("s3.region", "us-east-1".to_owned()),
            ("s3.path_style", "true".to_owned()),
            ("s3.credentials_file", credentials.display().to_string()),
            ("farm.secret", "a-secret-of-thirty-two-characters-or-more".to_owned()),
        ];
        let lease = LEASE.map(|(key, value)| (key, value.to_owned()));
        let settings = own.into_iter().chain(lease).map(|(key, value)| (key.to_owned(), value)).collect();
        Self { rabbit, redis, postgres, bucket, settings }
    }

    /// Where the pool listens.
    pub fn redis_address(&self) -> String {
        format!("127.0.0.1:{}", self.redis.port())
    }

    pub fn place(&self, more: &[(&str, &str)]) -> Place {
        let settings: Vec<_> = self.settings.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        Place::new(&[&settings, more].concat())
    }

    /// A coordinator; the key that the first one printed is given to the others.
    pub fn coordinator(&self, place: &mut Place) -> Farm {
        let command = place.command(&["coordinator", "--port", "0"]);
        place.start(command)
    }

    /// A second coordinator beside a first one.
    pub fn another(&self, first: &Farm) -> (Place, Farm) {
        let mut place = self.place(&[]);
        place.knows_key(first.api.key());
        let farm = self.coordinator(&mut place);
        (place, farm)
    }
}

/// One `mouthpiece worker`; dropping it kills it.
pub struct WorkerProcess {
    child: Child,
    pub health: String,
    _place: Place,
}

impl WorkerProcess {
    pub fn start(servers: &Servers, name: &str) -> Self {
        Self::start_with(servers, &[("worker.name", name)])
    }

    /// With settings of its own.
    pub fn start_with(servers: &Servers, settings: &[(&str, &str)]) -> Self {
        let place = servers.place(settings);
        let mut command = place.command(&["worker", "--health-port", "0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let health = line.trim().split("http://").nth(1).and_then(|a| a.strip_suffix("/readyz")).map(str::to_owned);
        Self { child, health: format!("http://{}", health.expect(&line)), _place: place }
    }

    /// Sends a signal, by its number.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub async fn ended(&mut self) -> Option<i32> {
        eventually("the worker ends", async || self.child.try_wait().unwrap()).await.code()
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until the farm has so many workers.
pub async fn has_workers(api: &Api, count: usize) {
    let all = async || (api.farm().await["workers"].as_array().unwrap().len() == count).then_some(());
    eventually("the workers are known", all).await;
}

/// The name of the worker that runs a session.
pub async fn runs_at(api: &Api, session: &str) -> String {
    eventually("it has a worker", async || {
        let farm = api.farm().await;
        let workers = farm["workers"].as_array().unwrap();
        let holds =
            |w: &&serde_json::Value| w["slots"].as_array().unwrap().iter().any(|slot| slot["session"]["id"] == session);
        workers.iter().find(holds).map(|w| w["name"].as_str().unwrap().to_owned())
    })
    .await
}

/// Both kinds of process show metrics of the same names as one process that is both.
fn assert_is_ours(measured: &str, name: &str) {
    assert!(measured.lines().any(|line| line.starts_with(name)), "no {name} in\n{measured}");
    for line in measured.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.starts_with("mouthpiece_") && !line.starts_with("mouthpiece_mouthpiece_"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_of_any_coordinator_reach_workers_elsewhere() {
    let mut servers = Servers::start().await;
    let mut place = servers.place(&[]);
    let first = servers.coordinator(&mut place);
    let (_place, second) = servers.another(&first);
    let worker = WorkerProcess::start(&servers, "one");
    has_workers(&first.api, 1).await;
    let ready = reqwest::get(format!("{}/readyz", worker.health)).await.unwrap();
    assert_eq!(ready.status(), 200, "{}", ready.text().await.unwrap());
    let measured = reqwest::get(format!("{}/metrics", worker.health)).await.unwrap().text().await.unwrap();
    assert_is_ours(&measured, "mouthpiece_live_av_skew_seconds_count");
    let measured = first.api.get("/metrics").await.is(200).text();
    assert_is_ours(&measured, "mouthpiece_slots");

    // A file: asked for here, fetched there.
    let id = first.api.accepted(&long(2), &[]).await;
    second.api.ended(&id, "completed").await;
    let film = second.api.get(&format!("/v1/renders/{id}/result")).await.is(200);
    let path = place.path("film.mp4");
    std::fs::write(&path, &film.body).unwrap();
    assert_eq!(probe(&path)["streams"][0]["nb_read_packets"], "250");

    // Live: asked for here, watched and spoken to there.
    let avatar = first.api.avatar().await;
    let (id, token) = live(&first.api, &avatar, json!({})).await;
    let viewer = Viewer::of(&second.api.with(&token), &id).await;
    sees(&viewer, 10).await;
    let mut caller = Caller::of(&second.api, &id, &token).await;
    caller.speak("one", 600).await;
    caller.say(json!({"type": "agent.speak_end", "event_id": "one"})).await;
    assert_eq!(caller.hears("agent.speak_ended").await["played_ms"], 600);

    // The broker dies and comes back: no voice and no picture stops, and joining goes on without it.
    servers.rabbit.kill();
    caller.speak("two", 600).await;
    caller.say(json!({"type": "agent.speak_end", "event_id": "two"})).await;
    caller.hears("agent.speak_ended").await;
    let late = Viewer::of(&first.api.with(&token), &id).await;
    sees(&late, 10).await;
    servers.rabbit.start_again().await.unwrap();
    let after = viewer.seen(|seen| seen.frames);
    sees(&viewer, after + 10).await;
    for coordinator in [&first, &second] {
        let ready = async || (coordinator.api.get("/readyz").await.status == 200).then_some(());
        eventually("the coordinator is ready again", ready).await;
    }
    let id = second.api.accepted(&long(1), &[]).await;
    first.api.ended(&id, "completed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_had_is_done_by_another() {
    let servers = Servers::start().await;
    let mut place = servers.place(&[]);
    let first = servers.coordinator(&mut place);
    let (_place, second) = servers.another(&first);
    let workers = ["one", "two"].map(|name| WorkerProcess::start(&servers, name));
    has_workers(&first.api, 2).await;
    // Reports reach one of the coordinators each: the film is long enough for either to have heard of frames before it is done.
    let id = first.api.accepted(&long(180), &[]).await;
    let at = runs_at(&first.api, &id).await;
    let frames = async |api: &Api| api.session(&id).await["progress"]["frames_done"].as_u64().unwrap();
    let made = async || (frames(&first.api).await.max(frames(&second.api).await) > 0).then_some(());
    eventually("frames are made", made).await;
    assert_ne!(second.api.session(&id).await["state"], "ended", "it was done before anything could be killed");
    let [one, two] = workers;
    let (victim, mut other) = if at == "one" { (one, two) } else { (two, one) };
    victim.kill();

    // The coordinator that accepted it dies, too.
    first.kill();
    let session = second.api.ended(&id, "completed").await;
    assert_eq!(session["fence"], 2, "{session}");
    let film = second.api.get(&format!("/v1/renders/{id}/result")).await.is(200);
    let path = place.path("film.mp4");
    std::fs::write(&path, &film.body).unwrap();
    assert_eq!(probe(&path)["streams"][0]["nb_read_packets"], "4500", "the film is whole");

    // A worker that is asked to end says goodbye.
    other.signal("TERM");
    assert_eq!(other.ended().await, Some(0));
    eventually("nobody offers slots", async || {
        let farm = second.api.farm().await;
        farm["workers"].as_array().unwrap().iter().all(|worker| worker["state"] == "lost").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_lost_its_data_costs_no_session() {
    let servers = Servers::start().await;
    let mut place = servers.place(&[]);
    let farm = servers.coordinator(&mut place);
    let _worker = WorkerProcess::start(&servers, "one");
    has_workers(&farm.api, 1).await;
    let (id, token) = live(&farm.api, &farm.api.avatar().await, json!({})).await;
    let viewer = Viewer::of(&farm.api.with(&token), &id).await;
    sees(&viewer, 10).await;
    servers.redis.flush_all().await.unwrap();
    let before = viewer.seen(|seen| seen.frames);
    // Well past the expiry of every lease.
    sees(&viewer, before + 100).await;
    assert_eq!(farm.api.session(&id).await["fence"], 1);
}

#[test]
fn what_cannot_be_shared_is_refused_with_a_remedy() {
    let place = Place::new(&[]);
    let refused = place.run(&["worker"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    for said in ["stores.bus is \"memory:\"", "amqp://", "stores.pool is \"memory:\"", "stores.blobs"] {
        assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
    }
    let shared = [
        ("stores.bus", "amqp://guest:hunter2@127.0.0.1:1/%2f"),
        ("stores.pool", "redis://:hunter2@127.0.0.1:1"),
        ("stores.blobs", "file:/tmp"),
    ];
    let refused = Place::new(&shared).run(&["coordinator", "--port", "0"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.stderr.contains("farm.secret is not set") && refused.stderr.contains("openssl rand"),
        "{refused:?}"
    );
    assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
}
