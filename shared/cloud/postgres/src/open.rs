//! Opening the records.

use crate::errors::{Place, told};
use crate::migrations;
use crate::pool::Pool;
use crate::settings::PostgresSettings;
use crate::{Postgres, url};
use log::LevelFilter;
use mouthpiece_domain::backoff::Backoff;
use mouthpiece_ports::records::RecordsError;
use mouthpiece_ports::retry::scattered;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};
use tokio::time::sleep;

/// The oldest server that this is made for: 13.
const OLDEST: i32 = 130_000;

impl Postgres {
    /// Opens the records at `url` (`postgres://USER:PASSWORD@HOST:PORT/DATABASE`) and brings their schema up to date, while
    /// no other program does.
    ///
    /// With `sslmode=verify-full` the server's certificate must be good; `sslrootcert` names the file of an authority of
    /// one's own (PEM), beside the public ones. What the URL lacks comes from libpq's variables, as `PGPASSWORD`.
    ///
    /// # Errors
    /// [`RecordsError::Unavailable`]: the server is not there, or not ready; later it may be. [`RecordsError::Broken`], with
    /// what to do: the URL, role, password, database or certificate is wrong, rights are missing, or the schema is of a newer or
    /// another program. No error shows the password.
    pub async fn open(url: &str, settings: PostgresSettings) -> Result<Self, RecordsError> {
        let slow = settings.slow_query;
        let options = url::parse(url)?.log_statements(LevelFilter::Off).log_slow_statements(LevelFilter::Warn, slow);
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name("mouthpiece"),
        };
        let pool = Pool::new(Place::new(&options), options, settings);
        let mut connection = pool.connect().await?;
        look(&pool.place, &mut connection).await?;
        migrations::migrate(&pool.place, &mut connection).await?;
        // Its limits are those of migrations, and it may hold their lock.
        if let Err(error) = connection.close().await {
            tracing::debug!(%error, "closing the connection that migrated");
        }
        Ok(Self { pool })
    }

    /// The same, as often as `backoff` says while the server is not there: for a coordinator that starts before it.
    ///
    /// # Errors
    /// As [`Postgres::open`]: at once what does not get better by waiting, the last error when the repetitions are used up.
    pub async fn open_when_up(url: &str, settings: PostgresSettings, backoff: Backoff) -> Result<Self, RecordsError> {
        let mut tries = 0;
        loop {
            let error = match Self::open(url, settings.clone()).await {
                Ok(records) => return Ok(records),
                Err(error) => error,
            };
            let Some(wait) = backoff.wait(tries).filter(|_| error.is_retryable()) else { return Err(error) };
            tracing::warn!(%error, tries, "the records were not opened, trying again");
            sleep(scattered(wait)).await;
            tries += 1;
        }
    }

    /// Closes the connections that nobody uses. Nothing depends on it: what was answered is durable.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Whether this server can hold the records at all.
async fn look(place: &Place, c: &mut PgConnection) -> Result<(), RecordsError> {
    let query = "SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS standby, \
        current_setting('server_version') AS named, current_setting('server_encoding') AS encoding";
    let row = sqlx::query(query).fetch_one(c).await.map_err(|e| told(place, &e))?;
    let broken = |what: String| Err(RecordsError::Broken(format!("{place} {what}")));
    let read = || {
        let (version, standby) = (row.try_get("version")?, row.try_get("standby")?);
        Ok((version, standby, row.try_get("named")?, row.try_get("encoding")?))
    };
    let (version, standby, named, encoding): (i32, bool, String, String) =
        read().map_err(|e: sqlx::Error| told(place, &e))?;
    if version < OLDEST {
        return broken(format!("is of version {named}: version {} or later is needed", OLDEST / 10_000));
    }
    if encoding != "UTF8" {
        return broken(format!("has the encoding {encoding}: make one with CREATE DATABASE ... ENCODING 'UTF8'"));
    }
    if standby {
        return Err(RecordsError::Unavailable(format!(
            "{place} is a standby: name the server that may write, or wait until this one does"
        )));
    }
    Ok(())
}
