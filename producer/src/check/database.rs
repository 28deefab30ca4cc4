//! PostgreSQL: the server, the schema, this role's rights, and what the server's own log would quote.

use std::time::Duration;

use chrono::TimeDelta;
use shared::config::DatabaseConfig;
use shared::database::{Database, DatabaseError, SchemaError, check_schema};
use shared::exit::Exit;
use shared::process;

use super::api::now;
use super::report::Report;
use crate::records::inspection::{self, Server};

const CHECK: &str = "database";

/// PostgreSQL 15.
const OLDEST: i32 = 150_000;

/// What must be set for no private word to reach the server's log: it quotes rows that it refuses, and parameters.
const LOG_SETTINGS: [(&str, &[&str], &str); 4] = [
    ("log_error_verbosity", &["terse"], "terse"),
    ("log_parameter_max_length", &["0"], "0"),
    ("log_parameter_max_length_on_error", &["0"], "0"),
    ("log_statement", &["none", "ddl"], "none"),
];

/// A database that answers.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) database: Database,
    /// By how much its clock is ahead of ours.
    pub(super) ahead: TimeDelta,
    /// It has this release's schema, and this role may read it.
    pub(super) is_current: bool,
}

pub(super) async fn check(config: Option<&DatabaseConfig>, report: &mut Report) -> Option<Reached> {
    let Some(config) = config else {
        report.skipped(CHECK, "not tried: its settings cannot be read");
        return None;
    };
    let reached = async {
        let database = Database::open(config, &process::name("producer"), Duration::ZERO).await?;
        let before = now();
        let server = database.run(inspection::server).await?;
        let ahead = server.now - (before + (now() - before) / 2);
        Ok::<_, DatabaseError>((database, server, ahead))
    };
    let (database, server, ahead) = match reached.await {
        Ok(reached) => reached,
        Err(error) => {
            // The error's own text tells the remedy.
            let exit = Exit::of(&error);
            report.failed(CHECK, exit, error.to_string(), "set DATABASE_URL, or start PostgreSQL");
            return None;
        }
    };
    of_server(&server, config, report);
    let mut is_current = false;
    match rights(&database, &server, report).await {
        Ok(()) => is_current = schema(&database, report).await,
        Err(error) => failed(&error, report),
    }
    if let Err(error) = logging(&database, report).await {
        failed(&error, report);
    }
    Some(Reached { database, ahead, is_current })
}

fn failed(error: &DatabaseError, report: &mut Report) {
    report.failed(CHECK, Exit::of(error), error.to_string(), "see PostgreSQL's log");
}

fn of_server(server: &Server, config: &DatabaseConfig, report: &mut Report) {
    let Server { version, role, database, timezone, .. } = server;
    if server.version_number < OLDEST {
        let finding = format!("PostgreSQL {version} is too old");
        report.failed(CHECK, Exit::Failed, finding, "upgrade it to 15 or later");
    } else {
        report.good(
            CHECK,
            format!("PostgreSQL {version} lets {role} into {database}; its time zone is {timezone}"),
        );
    }
    if server.encoding != "UTF8" {
        let finding = format!("{database} is encoded in {}: not every text can be stored", server.encoding);
        let remedy = "make the database anew (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0), and restore into it";
        report.failed(CHECK, Exit::Failed, finding, remedy);
    }
    let free = i64::from(server.max_connections) - server.connections;
    let pool = config.pool_size;
    let counts = format!("{} of {} connections are taken", server.connections, server.max_connections);
    // This process has one of its own by now; a producer and a consumer are the least there is.
    if free + 1 < 2 * i64::from(pool) {
        let finding = format!("{counts}; a process of ours takes up to {pool}");
        report.warning(CHECK, finding, "raise max_connections, or set a smaller DATABASE_POOL_SIZE");
    } else {
        report.good(CHECK, format!("{counts}; a process of ours takes up to {pool}"));
    }
}

async fn rights(database: &Database, server: &Server, report: &mut Report) -> Result<(), DatabaseError> {
    let role = server.role.replace('"', "\"\"");
    if server.schema.is_none() {
        let finding = format!("{} may use no schema: it sees no table", server.role);
        report.failed(CHECK, Exit::Usage, finding, format!("GRANT USAGE ON SCHEMA public TO \"{role}\""));
        return Ok(());
    }
    let missing = database.run(inspection::missing_rights).await?;
    for (table, rights) in &missing {
        let finding = format!("{} lacks {rights} on {table}", server.role);
        report.failed(CHECK, Exit::Usage, finding, format!("GRANT {rights} ON {table} TO \"{role}\""));
    }
    if missing.is_empty() {
        report.good(CHECK, format!("{} has the rights that a producer needs", server.role));
    }
    Ok(())
}

/// Whether the schema is this release's.
async fn schema(database: &Database, report: &mut Report) -> bool {
    let error = match check_schema(database).await {
        Ok(()) => {
            report.good(CHECK, "the schema is this release's");
            return true;
        }
        Err(error) => error,
    };
    let remedy = match &error {
        SchemaError::Older { .. } => "producer migrate",
        SchemaError::Newer { .. } => "install the release that migrated it",
        SchemaError::NotOwner { .. } => "give a login of the group backend089_migrador",
        SchemaError::Database(_) => "see the rights above, and PostgreSQL's log",
    };
    report.failed(CHECK, Exit::of(&error), error.to_string(), remedy);
    false
}

async fn logging(database: &Database, report: &mut Report) -> Result<(), DatabaseError> {
    let settings = database.run(inspection::log_settings).await?;
    let wrong: Vec<_> = LOG_SETTINGS
        .into_iter()
        .filter_map(|(name, allowed, wanted)| {
            let (_, value) = settings.iter().find(|(set, _)| set == name)?;
            (!allowed.contains(&value.as_str())).then_some((name, value, wanted))
        })
        .collect();
    if wrong.is_empty() {
        report.good(CHECK, "its own log quotes no row and no parameter");
        return Ok(());
    }
    let found: Vec<_> = wrong.iter().map(|(name, value, _)| format!("{name} = {value}")).collect();
    let remedy: Vec<_> =
        wrong.iter().map(|(name, _, wanted)| format!("ALTER SYSTEM SET {name} = {wanted};")).collect();
    report.warning(
        CHECK,
        format!("its own log may quote what callers said: {}", found.join(", ")),
        format!("{} SELECT pg_reload_conf();", remedy.join(" ")),
    );
    Ok(())
}
