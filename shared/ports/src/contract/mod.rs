//! What every adapter must do: a suite a port, over the trait object.
//!
//! An adapter's test calls [`records`], [`passes`], [`retention`], [`bus`], [`questions`], [`lines`], [`pool`], [`blobs`] or
//! [`fleet`] with a function that makes a fresh, empty store each time it is called:
//!
//! ```ignore
//! contract::records(async || Arc::new(MyRecords::new().await)).await;
//! ```
//! A failure names the rule that is broken. What must come is waited for with a generous bound; nothing depends on how long
//! something takes. The suites want a runtime with several threads.
#![allow(clippy::unwrap_used, reason = "suites are tests, though they are compiled as a library")]

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Fails with the rule's text unless both sides are equal.
macro_rules! rule {
    ($left:expr, $right:expr, $($rule:tt)+) => {
        match (&$left, &$right) {
            (left, right) => assert!(
                *left == *right,
                "rule broken: {}\n   found: {left:?}\n  wanted: {right:?}",
                format_args!($($rule)+)
            ),
        }
    };
}

/// Runs checks, each on a store of its own.
macro_rules! each {
    ($fresh:ident: $($check:path),+ $(,)?) => {
        $($check($fresh().await).await;)+
    };
}

mod at_once;
mod blobs;
mod bus;
mod drafts;
mod fleet;
mod lines;
mod passes;
mod pool;
mod questions;
mod records;
mod retention;
mod sample;
mod writes;

pub use sample::session as sample_session;

pub use blobs::blobs;
pub use bus::bus;
pub use fleet::fleet;
pub use lines::lines;
pub use passes::passes;
pub use pool::pool;
pub use questions::{bus_with_questions, questions};
pub use records::records;
pub use retention::retention;

/// The longest that anything is waited for.
const BOUND: Duration = Duration::from_secs(30);

/// Waits for what must come.
async fn comes<T>(rule: &str, future: impl Future<Output = T>) -> T {
    match timeout(BOUND, future).await {
        Ok(value) => value,
        Err(_) => panic!("rule broken: {rule} (waited {BOUND:?})"),
    }
}

/// Looks again and again until something is seen.
async fn eventually<T>(rule: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    comes(rule, async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            sleep(Duration::from_millis(2)).await;
        }
    })
    .await
}

/// What is ready by now or within a few turns; the rest is dropped where it is.
async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    for _ in 0..8 {
        if let Poll::Ready(value) = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
            return Some(value);
        }
        tokio::task::yield_now().await;
    }
    None
}
