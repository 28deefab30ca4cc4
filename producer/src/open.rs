//! Opening what a one-shot verb needs: it waits ten seconds for what does not answer, and no longer.

use std::sync::Arc;
use std::time::Duration;

use shared::backoff::Backoff;
use shared::config::{AmqpConfig, DatabaseConfig};
use shared::database::{Database, DatabaseError, RateBudget, SchemaError, check_schema};
use shared::elevenlabs::{Client, NoLeave};
use shared::process;
use shared::queue::{Broker, QueueError};
use tokio::time::Instant;

/// How long a one-shot verb waits for a dependency.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Between two attempts.
pub const AGAIN: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(2));

/// Opens the database, whatever its schema.
///
/// # Errors
/// [`DatabaseError`].
pub async fn any_database(config: &DatabaseConfig) -> Result<Database, DatabaseError> {
    Database::open(config, &process::name("producer"), PATIENCE).await
}

/// Opens the database, which must have this release's schema.
///
/// # Errors
/// [`SchemaError`].
pub async fn database(config: &DatabaseConfig) -> Result<Database, SchemaError> {
    let database = any_database(config).await?;
    check_schema(&database).await?;
    Ok(database)
}

/// The client, waiting before each request for its share of the rate that was set or found.
#[must_use]
pub fn budgeted(client: Client, spacing: Option<Duration>, database: &Database) -> Client {
    let budget = RateBudget::new(database.clone(), spacing);
    client.with_leave(Arc::new(move || {
        let budget = budget.clone();
        Box::pin(async move {
            budget.turn(1).await.map_err(|error| {
                log::warn!("no share of ELEVENLABS_RATE_LIMIT: {error}");
                NoLeave
            })
        })
    }))
}

/// Connects to the broker.
///
/// # Errors
/// [`QueueError`].
pub async fn broker(config: &AmqpConfig) -> Result<Broker, QueueError> {
    let began = Instant::now();
    let mut failures = 0;
    loop {
        match Broker::connect(config, &process::name("producer")).await {
            Err(QueueError::Unreachable { .. }) if began.elapsed() < PATIENCE => {
                failures += 1;
                tokio::time::sleep(AGAIN.delay(failures, rand::random())).await;
            }
            outcome => return outcome,
        }
    }
}
