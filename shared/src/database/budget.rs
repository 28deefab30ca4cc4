//! The rate that all processes share, `ELEVENLABS_RATE_LIMIT`: whoever wants to ask leases a few requests, by moving one
//! instant in `cuotas` forward. What one has leased nobody else has, so more workers never make more requests.

use std::time::Duration;

use diesel::pg::PgConnection;
use diesel::result::QueryResult;
use diesel::sql_types::{Double, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use tokio::time::Instant;

use super::{Database, DatabaseError};

/// Whom the requests are for; the key in `cuotas`.
const SCOPE: &str = "elevenlabs";

/// As much is leased at once as may be asked in this time, though always one request: a fresh call waits at most so long
/// behind each other worker's lease. Time that passed unused counts back as far, so that a lease may be late.
const CHUNK: Duration = Duration::from_millis(100);

/// A share of the rate, leased chunk by chunk.
#[derive(Clone, Debug)]
pub struct RateBudget {
    database: Database,
    spacing: Duration,
}

/// Requests that may be made: the first at an instant, each of the others so long after the one before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grant {
    /// When the first may be made.
    pub first_at: Instant,
    /// How many.
    pub count: u32,
    /// Between two of them.
    pub spacing: Duration,
}

#[derive(QueryableByName)]
struct Start {
    #[diesel(sql_type = Double)]
    secs: f64,
}

impl RateBudget {
    /// A budget of one request every `spacing`, kept in this database.
    #[must_use]
    pub fn new(database: Database, spacing: Duration) -> Self {
        Self { database, spacing }
    }

    /// Leases as many requests as are wanted now, at most a chunk and at least one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn lease(&self, wanted: u32) -> Result<Grant, DatabaseError> {
        let spacing = self.spacing;
        let chunk = u32::try_from(CHUNK.as_nanos() / spacing.as_nanos().max(1)).unwrap_or(u32::MAX);
        let count = wanted.min(chunk).max(1);
        let secs = self.database.run(move |connection| lease(connection, spacing * count)).await?;
        let now = Instant::now();
        let first_at = if secs > 0.0 {
            now + Duration::from_secs_f64(secs)
        } else {
            now.checked_sub(Duration::from_secs_f64(-secs)).unwrap_or(now)
        };
        Ok(Grant { first_at, count, spacing })
    }

    /// Waits until one more request may be made.
    ///
    /// # Errors
    /// What the database says.
    pub async fn one(&self) -> Result<(), DatabaseError> {
        tokio::time::sleep_until(self.lease(1).await?.first_at).await;
        Ok(())
    }
}

/// Leases this much time; returns in how many seconds it begins, by the database's clock.
fn lease(connection: &mut PgConnection, length: Duration) -> QueryResult<f64> {
    let start: Start = sql_query(
        "INSERT INTO cuotas AS kept (ambito, libre_desde) VALUES ($1, clock_timestamp() + make_interval(secs => $2)) \
         ON CONFLICT (ambito) DO UPDATE SET libre_desde = \
             greatest(kept.libre_desde, clock_timestamp() - make_interval(secs => $3)) + make_interval(secs => $2) \
         RETURNING extract(epoch FROM libre_desde - make_interval(secs => $2) - clock_timestamp())::double precision AS secs",
    )
    .bind::<Text, _>(SCOPE)
    .bind::<Double, _>(length.as_secs_f64())
    .bind::<Double, _>(CHUNK.as_secs_f64())
    .get_result(connection)?;
    Ok(start.secs)
}
