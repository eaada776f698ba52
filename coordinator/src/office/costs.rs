//! What sessions cost: gathered from the books.

use super::StoreUnavailable;
use super::refusal::refuses_when_unavailable;
use mouthpiece_domain::cost::{CostAccount, CostGroup, CostReport, GroupBy};
use mouthpiece_domain::ids::{AvatarId, KeyId};
use mouthpiece_domain::time::{HOUR_MS, Wall};
use mouthpiece_ports::records::{AvatarRegister, KeyRegister, Period, UsageBooks};
use std::collections::HashMap;
use std::sync::Arc;

/// Records are read in pieces of this length, so that a year of them is never in memory at once.
const PIECE_MS: i64 = 7 * 24 * HOUR_MS;
/// A report with more rows than this is refused.
pub const MOST_ROWS: usize = 20_000;
/// Avatars whose names are looked up, the newest first; the rows of others show their ids.
const NAMES: u32 = 500;

/// Why there is no report.
#[derive(Debug)]
pub enum CostRefusal {
    /// It would have more than [`MOST_ROWS`] rows.
    TooManyRows,
    /// The books cannot be read just now.
    Unavailable(StoreUnavailable),
}

refuses_when_unavailable!(CostRefusal);

/// The names that a report's rows are shown with.
#[derive(Debug, Clone, Default)]
pub struct ReportNames {
    /// Of avatars.
    pub avatars: HashMap<AvatarId, String>,
    /// Of keys.
    pub keys: HashMap<KeyId, String>,
}

/// Reads the books.
pub struct CostBooks {
    books: Arc<dyn UsageBooks>,
    avatars: Arc<dyn AvatarRegister>,
    keys: Arc<dyn KeyRegister>,
    /// Millionths of a US dollar a gigabyte that viewers are sent.
    egress_price: u64,
}

impl CostBooks {
    pub(super) fn new(
        books: Arc<dyn UsageBooks>,
        avatars: Arc<dyn AvatarRegister>,
        keys: Arc<dyn KeyRegister>,
        egress_price: u64,
    ) -> Self {
        Self { books, avatars, keys, egress_price }
    }

    /// What a period cost, and the names that its rows need.
    ///
    /// # Errors
    /// [`CostRefusal`].
    pub async fn report(&self, period: Period, by: GroupBy) -> Result<(CostReport, ReportNames), CostRefusal> {
        let report = self.gather(period, by).await?;
        let names = self.names(&report).await?;
        Ok((report, names))
    }

    async fn gather(&self, period: Period, by: GroupBy) -> Result<CostReport, CostRefusal> {
        let mut books = CostAccount::new(by, &self.books.prices().await?).with_egress(self.egress_price);
        let mut from = period.from;
        while from < period.to {
            let to = Wall(from.0 + PIECE_MS).min(period.to);
            let piece = Period { from, to };
            books.add(&self.books.usage(piece).await?, &self.books.machines(piece).await?);
            if books.rows() > MOST_ROWS {
                return Err(CostRefusal::TooManyRows);
            }
            from = to;
        }
        Ok(books.close())
    }

    async fn names(&self, report: &CostReport) -> Result<ReportNames, CostRefusal> {
        let mut names = ReportNames::default();
        let any = |is: fn(&CostGroup) -> bool| report.rows.iter().any(|(group, _)| is(group));
        if any(|g| matches!(g, CostGroup::Avatar(_))) {
            names.avatars = self.avatars.avatars(None, NAMES).await?.into_iter().map(|a| (a.id, a.name)).collect();
        }
        if any(|g| matches!(g, CostGroup::Key(_))) {
            names.keys = self.keys.keys().await?.into_iter().map(|k| (k.id, k.name)).collect();
        }
        Ok(names)
    }
}
