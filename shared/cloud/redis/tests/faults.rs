//! Servers that are wrong, away or slow: each is said in a sentence, within a limit, without a secret.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod rig;

use mouthpiece_ports::pool::Pool as _;
use mouthpiece_redis::{RedisOptions, RedisPool};
use mouthpiece_servers::{Harm, HarmfulProxy, RedisServer, free_port};
use rig::{heartbeat, hold, options, pool, until};
use std::time::Duration;
use tokio::time::timeout;

const LEASE: Duration = Duration::from_secs(10);
/// Far more than any limit in here.
const BOUND: Duration = Duration::from_secs(30);

/// What the check says.
async fn said(pool: &RedisPool) -> String {
    let words = timeout(BOUND, pool.check()).await.expect("the check hangs").unwrap_err().to_string();
    assert!(!words.contains("hush-hush"), "{words}");
    words
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_and_found_when_it_comes() {
    let mut server = RedisServer::start().await.unwrap();
    server.kill();
    let pool = pool(&server, LEASE);
    let words = said(&pool).await;
    assert!(words.contains(&format!("Redis at 127.0.0.1:{} cannot be reached", server.port())), "{words}");
    // At once, without a new attempt for each.
    for _ in 0..100 {
        assert!(said(&pool).await.contains("cannot be reached"));
    }
    server.start_again().await.unwrap();
    until(async || pool.check().await.is_ok()).await;
    server.kill();
    assert!(said(&pool).await.contains("cannot be reached"), "the first check after a loss says so");
    assert!(pool.claim(&hold(1, 1, 1, 0), LEASE).await.is_err());
    server.start_again().await.unwrap();
    until(async || pool.announce(&heartbeat(1), LEASE).await.is_ok()).await;
    assert_eq!(pool.workers().await, Ok(vec![heartbeat(1)]));
}

#[tokio::test]
async fn a_wrong_password_is_said_and_never_shown() {
    let server = RedisServer::start_with(&["--requirepass", "right"]).await.unwrap();
    let with = |change: &dyn Fn(&mut RedisOptions)| {
        let mut options = options(&server);
        change(&mut options);
        RedisPool::open(&options).unwrap()
    };
    let url = |credentials: &str| format!("redis://{credentials}127.0.0.1:{}", server.port());
    for wrong in [
        with(&|_| ()),
        with(&|o| o.url = url(":hush-hush@")),
        with(&|o| o.url = url("amy:hush-hush@")),
        with(&|o| o.password = Some("hush-hush".into())),
    ] {
        let words = said(&wrong).await;
        assert!(words.contains("refuses the user or the password"), "{words}");
        assert!(!format!("{wrong:?}").contains("hush-hush"));
    }
    for right in [with(&|o| o.url = url(":right@")), with(&|o| o.password = Some("right".into()))] {
        assert_eq!(right.check().await, Ok(()));
    }
}

/// The rights that the sentence names are enough; fewer are not.
#[tokio::test]
async fn a_user_without_rights_is_told_which_it_needs() {
    let server = RedisServer::start().await.unwrap();
    let amy = "ACL SETUSER amy on >hush-hush ~mouthpiece:* -@all +@connection +@scripting +@read +@write +info +time";
    assert_eq!(server.command(&amy.split(' ').collect::<Vec<_>>()).await.unwrap(), "OK");
    let amy = |prefix: &str| {
        let mut options = options(&server);
        (options.user, options.password) = (Some("amy".into()), Some("hush-hush".into()));
        options.prefix = prefix.into();
        RedisPool::open(&options).unwrap()
    };
    let pool = amy("mouthpiece:");
    assert_eq!(pool.check().await, Ok(()));
    assert_eq!(pool.announce(&heartbeat(1), LEASE).await, Ok(()));
    assert_eq!(pool.claim(&hold(1, 1, 1, 0), LEASE).await, Ok(true));
    assert_eq!(pool.workers().await, Ok(vec![heartbeat(1)]));
    assert!(said(&amy("elsewhere:")).await.contains("on the keys `elsewhere:*`"));
    server.command(&["ACL", "SETUSER", "amy", "-info"]).await.unwrap();
    let words = said(&pool).await;
    assert!(words.contains("lacks rights: allow it"), "{words}");
}

#[tokio::test]
async fn a_replica_is_said() {
    let primary = RedisServer::start().await.unwrap();
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &primary.port().to_string()]).await.unwrap();
    let pool = pool(&replica, LEASE);
    until(async || said(&pool).await.contains("is a read-only replica: give the address of the primary")).await;
    let asked = pool.claim(&hold(1, 1, 1, 0), LEASE).await;
    assert!(asked != Ok(true), "{asked:?}");
    assert_eq!(replica.command(&["REPLICAOF", "NO", "ONE"]).await.unwrap(), "OK");
    assert_eq!(pool.check().await, Ok(()));
}

#[tokio::test]
async fn a_server_without_memory_is_said_and_slots_are_still_given_back() {
    let server = RedisServer::start().await.unwrap();
    let pool = pool(&server, LEASE);
    pool.announce(&heartbeat(1), LEASE).await.unwrap();
    assert_eq!(pool.claim(&hold(1, 1, 1, 0), LEASE).await, Ok(true));
    assert_eq!(server.command(&["CONFIG", "SET", "maxmemory", "1"]).await.unwrap(), "OK");
    assert!(said(&pool).await.contains("is out of memory: raise its `maxmemory`"));
    assert!(pool.claim(&hold(2, 1, 1, 1), LEASE).await.unwrap_err().to_string().contains("maxmemory"));
    assert_eq!(pool.release(&hold(1, 1, 1, 0)).await, Ok(true));
    assert_eq!(server.command(&["CONFIG", "SET", "maxmemory", "0"]).await.unwrap(), "OK");
    assert_eq!(pool.claim(&hold(2, 1, 1, 1), LEASE).await, Ok(true));
}

#[tokio::test]
async fn a_clusters_node_without_the_slots_is_said() {
    let server = RedisServer::start_with(&["--cluster-enabled", "yes"]).await.unwrap();
    assert!(said(&pool(&server, LEASE)).await.contains("is a node of a cluster that does not serve these keys"));
}

/// Every call.
async fn all_fail(pool: &RedisPool) {
    let one = hold(1, 1, 1, 0);
    let calls = async {
        assert!(pool.claim(&one, LEASE).await.is_err());
        assert!(pool.renew(&one, LEASE).await.is_err());
        assert!(pool.release(&one).await.is_err());
        assert!(pool.remaining(&one).await.is_err());
        assert!(pool.announce(&heartbeat(1), LEASE).await.is_err());
        assert!(pool.forget(one.worker).await.is_err());
        assert!(pool.workers().await.is_err());
        assert!(pool.check().await.is_err());
    };
    timeout(BOUND, calls).await.expect("a call has no limit");
}

/// Also a new connection is needed where the old one swallows everything and never breaks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_end_within_their_limit_whatever_the_network_does() {
    let server = RedisServer::start().await.unwrap();
    let proxy = HarmfulProxy::start(format!("127.0.0.1:{}", server.port())).await.unwrap();
    let mut options = RedisOptions::new(format!("redis://{}", proxy.address()));
    options.call_limit = Duration::from_millis(500);
    let pool = RedisPool::open(&options).unwrap();
    for harm in [Harm::Stall, Harm::Cut, Harm::AcceptThenClose, Harm::AcceptThenSilence] {
        until(async || pool.check().await.is_ok()).await;
        proxy.set(harm);
        all_fail(&pool).await;
        proxy.set(Harm::Pass);
    }
    until(async || pool.announce(&heartbeat(1), LEASE).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_server_is_silent_and_then_found_again() {
    let server = RedisServer::start().await.unwrap();
    let mut options = options(&server);
    options.call_limit = Duration::from_millis(500);
    let pool = RedisPool::open(&options).unwrap();
    until(async || pool.check().await.is_ok()).await;
    server.pause();
    assert!(said(&pool).await.contains("did not answer within 500ms"));
    all_fail(&pool).await;
    server.resume();
    until(async || pool.check().await.is_ok()).await;
}

#[tokio::test]
async fn nothing_listens_on_a_free_port() {
    let pool = RedisPool::open(&RedisOptions::new(format!("redis://127.0.0.1:{}", free_port().unwrap()))).unwrap();
    assert!(said(&pool).await.contains("cannot be reached"));
}
