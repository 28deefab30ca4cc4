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
use super::roles::{self, Standing};
use super::{Database, DatabaseError, fitness};

/// diesel's migrations take no lock of their own: two at once would both find the same ones pending. The number is ours
/// alone; it says 089 twice. Waiting for it, and completing a large table, may take longer than any other statement.
const LOCK: &str = "SET statement_timeout = 0; SELECT pg_advisory_lock(89089)";
const UNLOCK: &str = "RESET ROLE; SELECT pg_advisory_unlock(89089); SET statement_timeout = '60s'";

/// A schema that is being migrated is waited for this long.
const MIGRATION: Duration = Duration::from_mins(1);

/// Until nobody migrates.
const AWAIT: &str = "SELECT pg_advisory_lock_shared(89089); SELECT pg_advisory_unlock_shared(89089)";

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
    /// The login does not own the tables, and the group that does would not have it.
    #[error(
        "the login {login} may not migrate: the tables belong to backend089_migrador; \
         in DATABASE_URL give a login of that group"
    )]
    NotOwner {
        /// Who tried.
        login: String,
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
/// Tables that were made by hand are mended where nothing can be lost by it; what is left is warned of.
///
/// In a database with the groups of `10-roles.sql` it does so as the owner of the tables, and says anew who may do what
/// with them.
///
/// # Errors
/// [`SchemaError::Newer`], [`SchemaError::NotOwner`], or what the database says.
pub async fn migrate(database: &Database) -> Result<Vec<String>, SchemaError> {
    match check_schema(database).await {
        Ok(()) | Err(SchemaError::Older { .. }) => {}
        Err(error) => return Err(error),
    }
    database
        .run_for_long(|connection| {
            connection.batch_execute(LOCK)?;
            let outcome = migrate_alone(connection);
            connection.batch_execute(UNLOCK)?;
            Ok(outcome)
        })
        .await?
}

fn migrate_alone(connection: &mut PgConnection) -> Result<Vec<String>, SchemaError> {
    let is_owner = match roles::standing(connection).map_err(DatabaseError::from)? {
        Standing::Single => false,
        Standing::Owner => true,
        Standing::Other { login } => return Err(SchemaError::NotOwner { login }),
    };
    if is_owner {
        roles::own(connection).map_err(DatabaseError::from)?;
    }
    let applied = connection
        .run_pending_migrations(MIGRATIONS)
        .map(|versions| versions.iter().map(ToString::to_string).collect())
        .map_err(|error| DatabaseError::from_migration("migration", error.as_ref(), is_owner))?;
    let (mended, left) = fitness::mend(connection).map_err(DatabaseError::from)?;
    for misfit in mended {
        log::warn!("{}: mended", misfit.finding);
    }
    for misfit in left {
        log::warn!("{}: {}", misfit.finding, misfit.remedy);
    }
    if is_owner {
        roles::grant(connection)
            .map_err(|error| DatabaseError::from_migration("grants", &error, is_owner))?;
    }
    Ok(applied)
}

/// Whether the schema is the one this binary was built with.
///
/// # Errors
/// [`SchemaError`] when it is not, or cannot be looked at.
pub async fn check_schema(database: &Database) -> Result<(), SchemaError> {
    let applied = once_granted(database, applied_versions).await?;
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

/// Runs diesel code that a right may be missing for. A migration grants last what it has made: one that is under way is
/// waited for, and then the code has another try.
///
/// # Errors
/// As [`Database::run`].
pub async fn once_granted<T, F>(database: &Database, work: F) -> Result<T, DatabaseError>
where
    T: Send + 'static,
    F: Fn(&mut PgConnection) -> Result<T, Error> + Clone + Send + 'static,
{
    match database.run(work.clone()).await {
        Err(DatabaseError::Forbidden { .. }) => {
            database.run(|connection| connection.batch_execute(AWAIT)).await?;
            database.run(work).await
        }
        outcome => outcome,
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
    fn from_migration(what: &str, error: &(dyn std::error::Error + 'static), is_owner: bool) -> Self {
        // What was restored, or made by hand, after the roles were belongs to somebody else.
        let remedy = if is_owner {
            "; if a right is missing, run deploy/postgres/10-roles.sql once more as superuser"
        } else {
            ""
        };
        Self::Statement { kind: format!("{what}: {error}{remedy}") }
    }
}
