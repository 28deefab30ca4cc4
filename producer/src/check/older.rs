//! Traces of the older system, which must have been stopped: two that write the same tables undo each other's work.

use shared::config::ReportConfig;
use shared::database::{Database, DatabaseError};
use shared::exit::Exit;

use super::database::Reached;
use super::report::Report;
use crate::records::inspection;

const CHECK: &str = "older system";

const REMEDY: &str = "if it is the older script, stop it: its calls are fetched by this program too";

/// Two traces are sound. A row without `huella` was not written by a worker; when its call began after the first migration,
/// it was not there before either. And nobody but a worker has a reason to write calls.
pub(super) async fn check(reached: Option<&Reached>, config: Option<&ReportConfig>, report: &mut Report) {
    let (Some(reached), Some(config)) = (reached.filter(|reached| reached.is_current), config) else {
        return report.skipped(CHECK, "not looked for: it takes a database that is up to date, and TIMEZONE");
    };
    if let Err(error) = look(&reached.database, config, report).await {
        let exit = Exit::of(&error);
        report.failed(CHECK, exit, error.to_string(), "see the rights above, and PostgreSQL's log");
    }
}

async fn look(database: &Database, config: &ReportConfig, report: &mut Report) -> Result<(), DatabaseError> {
    let timezone = config.timezone.name();
    let traces = database.run(|connection| inspection::traces(connection, timezone)).await?;
    let writers = database.run(inspection::foreign_writers).await?;
    if traces.written_since > 0 {
        let finding = format!(
            "{} calls that began after the migration were written by another program",
            traces.written_since
        );
        report.warning(CHECK, finding, REMEDY);
    }
    for (name, role) in &writers {
        let name = if name.is_empty() { "no name" } else { name };
        let finding = format!("a session of role {role} ({name}) is writing calls and is none of ours");
        report.warning(CHECK, finding, REMEDY);
    }
    if traces.written_since == 0 && writers.is_empty() {
        let adopted = match traces.adopted {
            0 => String::new(),
            count => format!("; {count} of its calls were not read again yet"),
        };
        report.good(CHECK, format!("no trace of one that still writes{adopted}"));
    }
    Ok(())
}
