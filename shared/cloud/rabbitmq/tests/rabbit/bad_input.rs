//! What is wrong is said in a sentence that says what to do, and shows no secret.

use super::{fresh, open, shared, unavailable, until};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use mouthpiece_ports::bus::{Bus, BusError};
use mouthpiece_rabbitmq::{RabbitBus, RabbitOptions};
use mouthpiece_servers::free_port;
use tokio::net::TcpListener;

async fn refusal(options: RabbitOptions) -> String {
    match RabbitBus::open(options).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_are_named() {
    let server = shared().await;
    let mut options = fresh(&server);
    options.url = server.url_of("guest", "hushhush", "%2f");
    let said = refusal(options).await;
    let place = format!("127.0.0.1:{}", server.port());
    let wanted =
        format!("the broker at {place} refused the user 'guest': correct name and password in the broker's address");
    assert_eq!(said, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_virtual_host_is_named() {
    let server = shared().await;
    let mut options = fresh(&server);
    options.url = server.url_of("guest", "guest", "nowhere");
    let said = refusal(options).await;
    assert!(said.contains("has no virtual host 'nowhere': make it") && said.contains("add_vhost"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_rights_is_named() {
    let server = shared().await;
    let mut options = fresh(&server);
    options.url = server.url_of("stranger", "stranger", "%2f");
    let said = refusal(options).await;
    assert!(said.contains("'stranger' may not use the virtual host '/'") && said.contains("set_permissions"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_with_other_arguments_is_named() {
    let server = shared().await;
    let options = fresh(&server);
    let other = Connection::connect(&server.url(), ConnectionProperties::default()).await.unwrap();
    let channel = other.create_channel().await.unwrap();
    let events = format!("{}.events", options.prefix);
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(events.as_str().into(), durable, FieldTable::default()).await.unwrap();
    let said = refusal(options).await;
    assert!(said.contains(&events) && said.contains("remove it when it is empty, or choose another prefix"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_s_queue_with_other_arguments_is_named() {
    let server = shared().await;
    let options = fresh(&server);
    let bus = open(options.clone()).await;
    drop(bus.commands(super::WORKER, 1).await.unwrap());
    let other = open(RabbitOptions { deliveries: 9, ..options }).await;
    let error = other.commands(super::WORKER, 1).await.err().unwrap();
    assert!(
        unavailable(&error).contains("exists on the broker") && error.to_string().contains("another prefix"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_down_is_no_failure_to_open() {
    let place = free_port().unwrap();
    let bus = open(RabbitOptions::new(format!("amqp://guest:hushhush@127.0.0.1:{place}/%2f"))).await;
    let error = bus.check().await.unwrap_err();
    let said = unavailable(&error);
    assert!(said.contains("cannot be reached") && said.contains("is it running"), "{said}");
    assert!(!said.contains("hush"), "{said}");
    let command = mouthpiece_domain::fleet::WorkerCommand::Drain;
    assert!(matches!(bus.send(super::WORKER, &command).await, Err(BusError::Unavailable(_))));
    assert!(matches!(bus.events().await.err(), Some(BusError::Unavailable(_))));
}

/// What accepts and says nothing costs no more than the bound, and leaves no thread behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    let silent = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            held.push(socket);
        }
    });
    let mut options = RabbitOptions::new(format!("amqp://guest:guest@{place}/%2f"));
    options.connect_patience = std::time::Duration::from_millis(200);
    let bus = open(options).await;
    assert!(unavailable(&bus.check().await.unwrap_err()).contains("did not answer within 200ms"));
    drop(bus);
    // The library's threads are named; other tests have theirs, so it is this test's connections that are counted.
    until(async || connections_to(place.port()) == 0).await;
    silent.abort();
}

/// Established connections of this process's side to a port, as the kernel lists them.
fn connections_to(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let (suffix, established) = (format!(":{port:04X}"), "01");
    let fields = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    fields.filter(|f| f[2].ends_with(&suffix) && f[3] == established).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_with_an_authority_of_one_s_own() {
    let server = shared().await;
    let mut options = fresh(&server);
    options.url = server.tls_url();
    let said = refusal(options.clone()).await;
    assert!(said.contains("no TLS with the broker") && said.contains("authorities"), "{said}");
    options.ca_file = Some(server.authority());
    let bus = open(options).await;
    assert_eq!(bus.check().await, Ok(()));
}
