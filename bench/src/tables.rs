//! The tables, looked at while they fill: the only SQL of the benchmark beside the reference's.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::bail;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use shared::testing::TestDatabase;

/// A run in which nothing more is stored for so long will store no more.
const STUCK: Duration = Duration::from_mins(1);

/// A connection of a person who looks.
pub(crate) struct Tables(PgConnection);

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    words: String,
}

impl Tables {
    /// Of this database.
    pub(crate) fn of(database: &TestDatabase) -> Self {
        Self(database.connect())
    }

    /// The number that an expression comes to.
    pub(crate) fn number(&mut self, expression: &str) -> anyhow::Result<u64> {
        let query = format!("SELECT ({expression})::bigint AS number");
        Ok(u64::try_from(sql_query(query).get_result::<Number>(&mut self.0)?.number)?)
    }

    /// The text that an expression comes to.
    pub(crate) fn text(&mut self, expression: &str) -> anyhow::Result<String> {
        let query = format!("SELECT ({expression})::text AS words");
        Ok(sql_query(query).get_result::<Words>(&mut self.0)?.words)
    }

    /// Runs statements.
    pub(crate) fn execute(&mut self, sql: &str) -> anyhow::Result<()> {
        Ok(self.0.batch_execute(sql)?)
    }

    /// Calls that are stored and committed.
    pub(crate) fn stored(&mut self) -> anyhow::Result<u64> {
        self.number("SELECT count(*) FROM conversaciones")
    }

    /// Waits until so many calls are stored, looking so often; returns when, in microseconds of Unix time.
    ///
    /// Rows are numbered by a sequence, which costs nothing to look at however many there are; they are counted only when as
    /// many numbers were drawn.
    ///
    /// # Errors
    /// For a minute nothing more was stored.
    pub(crate) async fn reached(&mut self, calls: u64, look_every: Duration) -> anyhow::Result<u64> {
        const DRAWN: &str =
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM conversaciones_id_conversacion_seq";
        let (mut seen, mut seen_at) = (0, Instant::now());
        loop {
            let drawn = self.number(DRAWN)?;
            if drawn >= calls && self.stored()? >= calls {
                return Ok(unix_us(SystemTime::now()));
            }
            if drawn > seen {
                (seen, seen_at) = (drawn, Instant::now());
            }
            if seen_at.elapsed() > STUCK {
                bail!("{} of {calls} calls are stored, and for a minute there were no more", self.stored()?);
            }
            tokio::time::sleep(look_every).await;
        }
    }
}

/// Microseconds of Unix time.
pub(crate) fn unix_us(instant: SystemTime) -> u64 {
    let since = instant.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
