//! `producer migrate`.

use shared::config::{DatabaseConfig, Environment};
use shared::exit::Exit;

use crate::{open, output};

/// Applies the migrations that are missing; any number may run at once.
///
/// # Errors
/// The database cannot be reached, is newer than this program, or refuses a migration.
pub async fn run(environment: &Environment) -> anyhow::Result<Exit> {
    let config: DatabaseConfig = environment.read()?;
    let database = open::any_database(&config).await?;
    let applied = shared::database::migrate(&database).await?;
    for version in &applied {
        output::line(&format!("applied {version}"))?;
    }
    output::line(if applied.is_empty() {
        "the schema is up to date"
    } else {
        "the schema is up to date now"
    })?;
    Ok(Exit::Done)
}
