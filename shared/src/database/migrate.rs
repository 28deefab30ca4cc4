//! The schema's version: bringing it up to date, and looking whether it is.

use std::collections::BTreeSet;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::{Pg, PgConnection};
use diesel::result::Error;
use diesel::sql_types::Text;
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, sql_query};
use diesel_migrations::MigrationHarness;
use tokio::time::Instant;

use super::migrations::MIGRATIONS;
use super::{Database, DatabaseError};

/// diesel's migrations take no lock of their own: two at once would both find the same ones pending. The number is ours
/// alone; it says 089 twice. Waiting for it, and completing a large table, may take longer than any other statement.
const LOCK: &str = "SET statement_timeout = 0; SELECT pg_advisory_lock(89089)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(89089); SET statement_timeout = '60s'";

/// A schema that is being migrated is waited for this long.
const MIGRATION: Duration = Duration::from_mins(1);

/// A schema that this binary cannot work with.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SchemaError {
    /// A later release has migrated it.
    #[error(
        "the database is newer than this program (it has migration {version}): install the release that made it"
    )]
    Newer {
        /// The first migration that this binary does not know.
        version: String,
    },
    /// Migrations are missing.
    #[error(
        "the database is older than this program (migration {version} is missing): run `producer migrate`"
    )]
    Older {
        /// The first one missing.
        version: String,
    },
    /// It could not be looked at.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Applies what is missing, under an advisory lock; returns the names of what was applied.
///
/// # Errors
/// [`SchemaError::Newer`], or what the database says.
pub async fn migrate(database: &Database) -> Result<Vec<String>, SchemaError> {
    match check_schema(database).await {
        Ok(()) | Err(SchemaError::Older { .. }) => {}
        Err(error) => return Err(error),
    }
    let applied = database
        .run(|connection| {
            connection.batch_execute(LOCK)?;
            let applied = connection
                .run_pending_migrations(MIGRATIONS)
                .map(|versions| versions.iter().map(ToString::to_string).collect::<Vec<_>>());
            connection.batch_execute(UNLOCK)?;
            Ok(applied.map_err(|error| DatabaseError::from_migration(error.as_ref())))
        })
        .await??;
    Ok(applied)
}

/// Whether the schema is the one this binary was built with.
///
/// # Errors
/// [`SchemaError`] when it is not, or cannot be looked at.
pub async fn check_schema(database: &Database) -> Result<(), SchemaError> {
    let applied = database.run(applied_versions).await?;
    let embedded = embedded_versions();
    if let Some(version) = applied.iter().find(|version| !embedded.contains(*version)) {
        return Err(SchemaError::Newer { version: version.clone() });
    }
    if let Some(version) = embedded.into_iter().find(|version| !applied.contains(version)) {
        return Err(SchemaError::Older { version });
    }
    Ok(())
}

/// As [`check_schema`], for a process that stays: migrations that are missing are waited for, a minute.
///
/// # Errors
/// As [`check_schema`].
pub async fn wait_for_schema(database: &Database) -> Result<(), SchemaError> {
    let began = Instant::now();
    loop {
        match check_schema(database).await {
            Err(error @ SchemaError::Older { .. }) if began.elapsed() < MIGRATION => {
                log::warn!("{error}; waiting for it");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            outcome => return outcome,
        }
    }
}

/// What diesel's own book says; reading it needs no right to create it.
fn applied_versions(connection: &mut PgConnection) -> Result<BTreeSet<String>, Error> {
    let table = "SELECT name::text AS version FROM to_regclass('__diesel_schema_migrations') AS name WHERE name IS NOT NULL";
    if sql_query(table).get_result::<Version>(connection).optional()?.is_none() {
        return Ok(BTreeSet::new());
    }
    let versions = sql_query("SELECT version FROM __diesel_schema_migrations").load::<Version>(connection)?;
    Ok(versions.into_iter().map(|row| row.version).collect())
}

fn embedded_versions() -> BTreeSet<String> {
    let migrations: Vec<Box<dyn Migration<Pg>>> =
        MIGRATIONS.migrations().expect("the embedded migrations were read when this was built");
    migrations.iter().map(|migration| migration.name().version().to_string()).collect()
}

impl DatabaseError {
    /// A migration that failed: which statement is in PostgreSQL's log; our files hold no private data.
    fn from_migration(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Statement { kind: format!("migration: {error}") }
    }
}
