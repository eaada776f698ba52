//! What happens to leases when the server loses its data.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod rig;

use mouthpiece_domain::ids::WorkerId;
use mouthpiece_ports::pool::Pool as _;
use mouthpiece_servers::RedisServer;
use rig::{heartbeat, hold, options, pool, until};
use std::time::Duration;

/// The longest lease of these tests, and so the grace.
const GRACE: Duration = Duration::from_secs(4);
/// Their heartbeats last so long.
const HEARD: Duration = Duration::from_secs(60);

/// A lease is held while the data are lost: its holder keeps it, and nobody else gets the slot or a free one in the grace.
async fn survives(server: &mut RedisServer, lose: impl AsyncFnOnce(&mut RedisServer)) {
    let (worker, coordinator, stranger) = (pool(server, GRACE), pool(server, GRACE), pool(server, GRACE));
    let (mine, other, free) = (hold(1, 1, 1, 0), hold(2, 1, 1, 0), hold(3, 1, 1, 1));
    worker.announce(&heartbeat(1), HEARD).await.unwrap();
    assert_eq!(coordinator.claim(&mine, GRACE).await, Ok(true), "a new worker takes its first session at once");
    assert_eq!(worker.renew(&mine, GRACE).await, Ok(true));
    lose(server).await;
    // The first call may find the broken connection, later ones a new one.
    until(async || coordinator.check().await.is_ok()).await;
    assert_eq!(
        coordinator.claim(&free, GRACE).await,
        Ok(false),
        "nothing is granted on a worker of which nothing is known"
    );
    assert!(coordinator.remaining(&mine).await.unwrap().is_some(), "it is not known to be gone");
    assert_eq!(stranger.renew(&mine, GRACE).await, Ok(false), "it was never granted to this process");
    until(async || worker.renew(&mine, GRACE).await == Ok(true)).await;
    worker.announce(&heartbeat(1), HEARD).await.unwrap();
    assert_eq!(coordinator.workers().await, Ok(vec![heartbeat(1)]), "it is listed again");
    // Until the free slot is granted again, which is after the grace, the held one is granted to nobody.
    until(async || {
        assert_eq!(worker.renew(&mine, GRACE).await, Ok(true), "the holder keeps its slot by renewing");
        assert_eq!(coordinator.claim(&other, GRACE).await, Ok(false), "a held slot is granted to nobody");
        worker.announce(&heartbeat(1), HEARD).await.unwrap();
        coordinator.claim(&free, GRACE).await == Ok(true)
    })
    .await;
    assert_eq!(coordinator.claim(&other, GRACE).await, Ok(false), "nor after the grace");
    assert_eq!(worker.renew(&hold(9, 1, 1, 5), GRACE).await, Ok(false), "after the grace nothing is asserted");
    assert_eq!(worker.release(&mine).await, Ok(true));
    assert_eq!(coordinator.claim(&other, GRACE).await, Ok(true), "what is given back is free");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_lease_survives_a_flush() {
    let mut server = RedisServer::start().await.unwrap();
    survives(&mut server, async |server| server.flush_all().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_lease_survives_a_restart_without_data() {
    let mut server = RedisServer::start().await.unwrap();
    survives(&mut server, async |server| {
        server.kill();
        server.start_again().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_lease_survives_a_restart_with_all_data() {
    let mut server = RedisServer::start_append_only().await.unwrap();
    survives(&mut server, async |server| {
        server.kill();
        server.start_again().await.unwrap();
    })
    .await;
}

/// As a server with snapshots has it: what was saved last knows the worker, but not who holds its slot now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_copy_of_the_data_gives_no_slot_away() {
    let mut server = RedisServer::start_with(&["--save", "3600", "1"]).await.unwrap();
    let (worker, coordinator) = (pool(&server, GRACE), pool(&server, GRACE));
    let (mine, other) = (hold(1, 1, 1, 0), hold(2, 1, 1, 0));
    worker.announce(&heartbeat(1), HEARD).await.unwrap();
    assert_eq!(server.command(&["SAVE"]).await.unwrap(), "OK");
    assert_eq!(coordinator.claim(&mine, GRACE).await, Ok(true));
    assert_eq!(worker.renew(&mine, GRACE).await, Ok(true));
    server.kill();
    server.start_again().await.unwrap();
    assert!(
        server.command(&["EXISTS", &format!("mouthpiece:{{{}}}", WorkerId(1))]).await.unwrap() == "1",
        "an old copy"
    );
    until(async || coordinator.check().await.is_ok()).await;
    assert_eq!(coordinator.claim(&other, GRACE).await, Ok(false));
    until(async || worker.renew(&mine, GRACE).await == Ok(true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_nobody_asserts_is_gone_after_the_grace() {
    let server = RedisServer::start().await.unwrap();
    let (worker, coordinator) = (pool(&server, GRACE), pool(&server, GRACE));
    let (mine, other) = (hold(1, 1, 1, 0), hold(2, 1, 1, 0));
    worker.announce(&heartbeat(1), HEARD).await.unwrap();
    assert_eq!(coordinator.claim(&mine, GRACE).await, Ok(true));
    server.flush_all().await.unwrap();
    assert!(coordinator.remaining(&mine).await.unwrap().is_some_and(|left| left <= GRACE));
    until(async || coordinator.remaining(&mine).await == Ok(None)).await;
    assert_eq!(coordinator.claim(&other, GRACE).await, Ok(true), "the slot is free then");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_worker_asserts_nothing() {
    let server = RedisServer::start().await.unwrap();
    let (worker, coordinator) = (pool(&server, GRACE), pool(&server, GRACE));
    let mine = hold(1, 1, 1, 0);
    worker.announce(&heartbeat(1), HEARD).await.unwrap();
    assert_eq!(coordinator.claim(&mine, GRACE).await, Ok(true));
    assert_eq!(worker.renew(&mine, GRACE).await, Ok(true));
    server.flush_all().await.unwrap();
    coordinator.forget(WorkerId(1)).await.unwrap();
    assert_eq!(worker.renew(&mine, GRACE).await, Ok(false), "its sessions are placed again elsewhere");
    assert_eq!(coordinator.remaining(&mine).await, Ok(None));
}

#[tokio::test]
async fn a_lease_longer_than_the_grace_is_refused() {
    let server = RedisServer::start().await.unwrap();
    let pool = pool(&server, GRACE);
    for asked in [pool.claim(&hold(1, 1, 1, 0), GRACE * 2).await, pool.renew(&hold(1, 1, 1, 0), GRACE * 2).await] {
        assert!(asked.unwrap_err().to_string().contains("shorten `lease.expiry`"));
    }
}

/// The scripts are sent again when the server has dropped them.
#[tokio::test]
async fn a_server_that_forgot_the_scripts_is_sent_them_again() {
    let server = RedisServer::start().await.unwrap();
    let pool = pool(&server, GRACE);
    pool.announce(&heartbeat(1), HEARD).await.unwrap();
    assert_eq!(server.command(&["SCRIPT", "FLUSH"]).await.unwrap(), "OK");
    assert_eq!(pool.claim(&hold(1, 1, 1, 0), GRACE).await, Ok(true));
    assert_eq!(options(&server).prefix, "mouthpiece:");
}
