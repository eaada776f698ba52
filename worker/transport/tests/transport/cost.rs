//! What streams cost. Measured when asked for: `cargo test -p mouthpiece-transport -- --ignored --nocapture cost`.

use crate::client::Wish;
use crate::loopback::{Caller, Session, drive, settings};
use mouthpiece_transport::Transport;
use std::time::{Duration, Instant};

const TIME: Duration = Duration::from_secs(20);

/// Ticks of 10 ms that a thread of this process has used.
fn ticks(name: &str) -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let stats = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
    let stat = stats.into_iter().find(|stat| stat.contains(&format!("({name})"))).unwrap();
    let fields: Vec<i64> = stat.rsplit(')').next().unwrap().split(' ').filter_map(|f| f.parse().ok()).collect();
    (fields[10] + fields[11]).cast_unsigned()
}

/// KiB of memory of this process.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn measure(streams: usize, viewers: usize) {
    let transport = Transport::start(settings()).unwrap();
    let mut sessions: Vec<_> = (0..streams).map(|_| Session::open(&transport, 800_000)).collect();
    let mut callers = Vec::new();
    for session in &sessions {
        for _ in 0..viewers {
            callers.push(Caller::call(&transport, session, callers.len() as u128, Wish::BOTH));
        }
    }
    drive(&mut sessions, &mut callers, |_, callers| callers.iter().all(|c| c.client.frames.len() > 10));
    let (start, before, counts) = (Instant::now(), ticks("transport"), transport.counts());
    drive(&mut sessions, &mut callers, |_, _| start.elapsed() > TIME);
    let (used, after) = (ticks("transport") - before, transport.counts());
    let each = used as f64 * 10.0 / TIME.as_secs_f64() / callers.len() as f64;
    println!(
        "{streams} streams, {viewers} viewers each: {:.1}% of a core, {each:.2} ms a viewer-second, {:.0} packets/s out, {} KiB in all",
        used as f64 / TIME.as_secs_f64(),
        (after.packets_out - counts.packets_out) as f64 / TIME.as_secs_f64(),
        memory(),
    );
    assert_eq!((after.unsent, after.dropped), (0, 0));
}

#[test]
#[ignore = "takes a minute and says nothing about right or wrong"]
fn cost_of_streams_and_viewers() {
    for (streams, viewers) in [(0, 0), (1, 1), (16, 1), (1, 16)] {
        if streams == 0 {
            let transport = Transport::start(settings()).unwrap();
            let before = ticks("transport");
            std::thread::sleep(Duration::from_secs(3));
            println!("idle: {} ms in 3 s", (ticks("transport") - before) * 10);
            drop(transport);
        } else {
            measure(streams, viewers);
        }
    }
}
