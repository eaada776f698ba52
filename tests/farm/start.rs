//! What must be there before it starts, and how it says that it is ready.

use std::net::TcpListener;

use crate::farm::Place;

#[tokio::test]
async fn it_is_alive_and_ready() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    assert!(farm.api.address().starts_with("http://127.0.0.1:"), "{}", farm.api.address());
    assert_eq!(farm.api.get("/healthz").await.is(200).json()["status"], "ok");
    let ready = farm.api.get("/readyz").await.is(200).json();
    assert_eq!(ready["status"], "ready");
    for store in ["records", "bus", "pool", "blobs"] {
        assert_eq!(ready["checks"][store], "ok", "{ready}");
    }
    let metrics = farm.api.metrics().await;
    assert!(metrics.keys().any(|name| name.starts_with("mouthpiece_")), "{metrics:?}");
    let page = farm.api.get("/").await.is(200);
    assert!(page.header("content-type").starts_with("text/html"));
    let described = farm.api.get("/openapi.json").await.is(200).json();
    assert!(described["paths"]["/v1/renders"]["post"].is_object());
    for (sample, kind) in [("portrait.png", "image/png"), ("speech.wav", "audio/")] {
        let answer = farm.api.get(&format!("/assets/samples/{sample}")).await.is(200);
        assert!(answer.header("content-type").starts_with(kind), "{:?}", answer.headers);
    }
}

#[tokio::test]
async fn a_second_one_on_the_same_data_is_refused() {
    let mut place = Place::new(&[]);
    let farm = place.up();
    let second = place.run(&["up", "--port", "0"]);
    assert_eq!(second.code, Some(2), "{second:?}");
    assert!(second.stderr.contains("is used by another mouthpiece"), "{second:?}");
    farm.api.get("/healthz").await.is(200);
}

#[test]
fn a_taken_port_is_named_with_the_remedy() {
    let place = Place::new(&[]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = place.run(&["up", "--port", &port]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains(&port) && run.stderr.contains("--port"), "{run:?}");
}

#[test]
fn a_damaged_database_is_named_and_left_alone() {
    let place = Place::new(&[]);
    std::fs::create_dir_all(place.path("")).unwrap();
    let noise = b"this was a database once".repeat(1000);
    std::fs::write(place.path("mouthpiece.sqlite"), &noise).unwrap();
    let run = place.run(&["up", "--port", "0"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("mouthpiece.sqlite") && !run.stderr.contains("panicked"), "{run:?}");
    assert_eq!(std::fs::read(place.path("mouthpiece.sqlite")).unwrap(), noise);
    assert!(!run.stdout.contains("mp_"), "{run:?}");
}

#[test]
fn a_missing_runtime_is_told_with_the_remedy() {
    let place = Place::new(&[]);
    let run = place.command(&["up", "--port", "0"]).env("MOUTHPIECE_ONNXRUNTIME", "/nowhere.so").output().unwrap();
    let told = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{told}");
    assert!(told.contains("/nowhere.so") && told.contains("make onnxruntime"), "{told}");
}

#[test]
fn settings_that_cannot_be_used_stop_it() {
    for (key, value, words) in [
        ("http.prot", "1", "did you mean http.port?"),
        ("stores.records", "redis://me:hunter2@db/1", "stores.records: nothing of this kind can be kept there"),
        ("stores.fleet", "aws:workers", "stores.fleet: "),
        ("stores.records", "memory:", "stores.records"),
        ("stores.bus", "amqp://broker", "stores.bus and stores.pool go together"),
        ("lease.renew", "1h", "lease times must grow"),
    ] {
        let run = Place::new(&[(key, value)]).run(&["up", "--port", "0"]);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.contains(words) && !run.stderr.contains("hunter2"), "{words}: {run:?}");
    }
}
