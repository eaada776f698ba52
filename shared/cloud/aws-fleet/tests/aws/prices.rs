//! The history of spot prices.

use super::rig::rig;
use mouthpiece_domain::time::{HOUR_MS, Wall};
use mouthpiece_ports::fleet::Fleet;

const T4: &str = "g4dn.xlarge";

#[tokio::test]
async fn each_pool_has_its_own_prices_over_time() {
    let rig = rig(0, 1).await;
    for (zone, hour, price) in [
        ("eu-central-1a", 1, "0.157000"),
        ("eu-central-1a", 4, "0.157000"),
        ("eu-central-1a", 6, "0.210000"),
        ("eu-central-1b", 2, "0.190000"),
        ("eu-central-1c", 2, "0.001000"),
    ] {
        rig.server.add_price(T4, zone, hour * HOUR_MS, price);
    }
    rig.server.add_price("p3.2xlarge", "eu-central-1a", HOUR_MS, "3.06");
    let pools = [format!("{T4}@eu-central-1a"), format!("{T4}@eu-central-1b"), T4.to_owned(), "local".to_owned()];
    let history = async |from: i64| {
        let prices = rig.fleet.prices(&pools, Wall(from * HOUR_MS)).await.unwrap();
        let short = |p: &mouthpiece_domain::cost::Price| {
            (p.instance_type.trim_start_matches(T4).to_owned(), p.from.0 / HOUR_MS, p.micro_usd_per_hour)
        };
        prices.iter().map(short).collect::<Vec<_>>()
    };
    let of = |zone: &str, hour, price| (format!("@eu-central-1{zone}"), hour, price);
    let all = [of("a", 1, 157_000), of("a", 6, 210_000), of("b", 2, 190_000)];
    assert_eq!(history(0).await, all, "changes only, of the pools that were asked for");
    let later = [of("a", 4, 157_000), of("a", 6, 210_000), of("b", 2, 190_000)];
    assert_eq!(history(5).await, later, "what held then is told, too");
}

#[tokio::test]
async fn many_prices_come_page_by_page() {
    let rig = rig(0, 1).await;
    for n in 0..25 {
        rig.server.add_price(T4, "eu-central-1a", n * HOUR_MS, &format!("0.{:06}", 100_000 + n));
    }
    rig.server.set_page(4);
    let pools = [format!("{T4}@eu-central-1a")];
    let prices = rig.fleet.prices(&pools, Wall(0)).await.unwrap();
    assert_eq!(prices.iter().map(|p| p.from.0 / HOUR_MS).collect::<Vec<_>>(), (0..25).collect::<Vec<_>>());
    assert_eq!(rig.server.asked("DescribeSpotPriceHistory"), 7);
}

#[tokio::test]
async fn a_history_without_end_is_read_up_to_a_bound() {
    let rig = rig(0, 1).await;
    for n in 0..80 {
        rig.server.add_price(T4, "eu-central-1a", n * HOUR_MS, &format!("0.{:06}", 100_000 + n));
    }
    rig.server.set_page(1);
    let prices = rig.fleet.prices(&[format!("{T4}@eu-central-1a")], Wall(0)).await.unwrap();
    assert_eq!(prices.len(), 50);
    assert_eq!(prices.last().map(|p| p.from.0 / HOUR_MS), Some(79), "the newest come first");
}
