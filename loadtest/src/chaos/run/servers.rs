//! The servers of a run: started beside it, harmed, gone with it.

use crate::chaos::plan::{ChaosFault, ChaosServer, LinkHarm};
use crate::{LoadError, setup};
use mouthpiece_servers::{Harm, HarmfulProxy, PostgresServer, RabbitServer, RedisServer, S3Server};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

/// What the connections of one process to the servers go through.
pub(super) struct Links(BTreeMap<ChaosServer, HarmfulProxy>);

impl Links {
    pub(super) fn harm(&self, server: ChaosServer, harm: LinkHarm) {
        if let Some(proxy) = self.0.get(&server) {
            proxy.set(match harm {
                LinkHarm::Cut => Harm::Cut,
                LinkHarm::Stall => Harm::Stall,
                LinkHarm::Delay(ms) => Harm::Delay(Duration::from_millis(ms.into())),
                LinkHarm::Silence => Harm::AcceptThenSilence,
            });
        }
    }

    /// Whatever was done to them, new connections go through. Those that fell silent stay so: who has them must find out.
    pub(super) fn mend(&self, server: ChaosServer) {
        if let Some(proxy) = self.0.get(&server) {
            proxy.set(Harm::Pass);
        }
    }
}

/// All servers.
pub(super) struct Servers {
    postgres: Mutex<PostgresServer>,
    rabbit: Mutex<RabbitServer>,
    redis: Mutex<RedisServer>,
    bucket: Mutex<S3Server>,
    ports: BTreeMap<ChaosServer, u16>,
    /// Settings of all processes, with the servers' own addresses.
    settings: Vec<(&'static str, String)>,
}

impl Servers {
    /// Starts all of them.
    pub(super) async fn start() -> Result<Self, LoadError> {
        let (postgres, rabbit, redis, bucket) =
            tokio::join!(PostgresServer::start(), RabbitServer::start(), RedisServer::start(), S3Server::start());
        let missing = |error| {
            setup(format!(
                "{error:#}. A fault run needs the Debian packages postgresql, rabbitmq-server, redis-server and openssl"
            ))
        };
        let (postgres, rabbit) = (postgres.map_err(missing)?, rabbit.map_err(missing)?);
        let (redis, bucket) = (redis.map_err(missing)?, bucket.map_err(missing)?);
        let credentials = bucket.credentials_file(S3Server::ACCESS_KEY, S3Server::SECRET_KEY).map_err(setup)?;
        let endpoint = bucket.endpoint();
        let of_bucket = endpoint.rsplit(':').next().and_then(|port| port.parse().ok());
        let ports = [
            (ChaosServer::Postgres, postgres.port()),
            (ChaosServer::RabbitMq, rabbit.port()),
            (ChaosServer::Redis, redis.port()),
            (ChaosServer::S3, of_bucket.ok_or_else(|| setup(format!("an S3 server without a port: {endpoint}")))?),
        ];
        let settings = vec![
            ("stores.records", postgres.database().map_err(setup)?),
            ("stores.bus", rabbit.url()),
            ("stores.pool", redis.url()),
            ("stores.blobs", format!("s3://{}/farm", bucket.bucket().map_err(setup)?)),
            ("s3.endpoint", endpoint),
            ("s3.region", "us-east-1".to_owned()),
            ("s3.path_style", "true".to_owned()),
            ("s3.credentials_file", credentials.display().to_string()),
        ];
        Ok(Self {
            postgres: Mutex::new(postgres),
            rabbit: Mutex::new(rabbit),
            redis: Mutex::new(redis),
            bucket: Mutex::new(bucket),
            ports: ports.into(),
            settings,
        })
    }

    /// The way of one process to all servers, and the settings that lead there.
    pub(super) async fn links(&self) -> Result<(Links, Vec<(String, String)>), LoadError> {
        let mut proxies = BTreeMap::new();
        let mut settings: Vec<_> = self.settings.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        for (server, port) in &self.ports {
            let direct = format!("127.0.0.1:{port}");
            let proxy = HarmfulProxy::start(direct.clone()).await.map_err(setup)?;
            for (_, value) in &mut settings {
                *value = value.replace(&direct, &proxy.address());
            }
            proxies.insert(*server, proxy);
        }
        Ok((Links(proxies), settings))
    }

    /// Breaks a server for so long. False when it was not done.
    pub(super) async fn break_one(
        &self,
        fault: ChaosFault,
        lasts: Duration,
        workers: &[String],
    ) -> Result<bool, LoadError> {
        match fault {
            ChaosFault::FlushPool => self.redis.lock().await.flush_all().await.map_err(setup)?,
            ChaosFault::KillServer(ChaosServer::Postgres) => {
                let mut postgres = self.postgres.lock().await;
                postgres.end(libc::SIGKILL);
                sleep(lasts).await;
                postgres.start_again().await.map_err(setup)?;
            }
            ChaosFault::PauseServer(ChaosServer::Postgres) => {
                let postgres = self.postgres.lock().await;
                postgres.signal(libc::SIGSTOP);
                sleep(lasts).await;
                postgres.signal(libc::SIGCONT);
            }
            ChaosFault::KillServer(ChaosServer::RabbitMq) => {
                let mut rabbit = self.rabbit.lock().await;
                if !has_written(&rabbit, workers).await {
                    return Ok(false);
                }
                rabbit.kill();
                sleep(lasts).await;
                rabbit.start_again().await.map_err(setup)?;
            }
            ChaosFault::PauseServer(ChaosServer::RabbitMq) => {
                let rabbit = self.rabbit.lock().await;
                rabbit.pause();
                sleep(lasts).await;
                rabbit.resume();
            }
            ChaosFault::KillServer(ChaosServer::Redis) => {
                let mut redis = self.redis.lock().await;
                redis.kill();
                sleep(lasts).await;
                redis.start_again().await.map_err(setup)?;
            }
            ChaosFault::PauseServer(ChaosServer::Redis) => {
                let redis = self.redis.lock().await;
                redis.pause();
                sleep(lasts).await;
                redis.resume();
            }
            ChaosFault::KillServer(ChaosServer::S3) => {
                let mut bucket = self.bucket.lock().await;
                bucket.stop().await;
                sleep(lasts).await;
                bucket.start_again().await.map_err(setup)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// A broker of version 3.10 that is killed before its list of quorum queues is on disk starts again with queues that never answer, which
/// is no fault of the farm's: waits until the queues of these workers are listed. False when they are not in time.
async fn has_written(rabbit: &RabbitServer, workers: &[String]) -> bool {
    for _ in 0..100 {
        let listed = |id: &String| rabbit.is_listed_on_disk(id).unwrap_or(false);
        if workers.iter().all(listed) {
            return true;
        }
        sleep(Duration::from_millis(100)).await;
    }
    false
}
