//! The tables: whether those that were made by hand take what a worker writes.

use shared::database::{DatabaseError, misfits};
use shared::exit::Exit;

use super::database::Reached;
use super::report::Report;

const CHECK: &str = "database";

pub(super) async fn check(reached: Option<&Reached>, report: &mut Report) {
    // One that is not up to date has been told of.
    let Some(reached) = reached.filter(|reached| reached.is_current) else { return };
    if let Err(error) = look(reached, report).await {
        report.failed(
            CHECK,
            Exit::of(&error),
            error.to_string(),
            "see the rights above, and PostgreSQL's log",
        );
    }
}

async fn look(reached: &Reached, report: &mut Report) -> Result<(), DatabaseError> {
    let found = reached.database.run(misfits).await?;
    for misfit in &found {
        if misfit.is_fatal {
            report.failed(CHECK, Exit::Failed, &misfit.finding, &misfit.remedy);
        } else {
            report.warning(CHECK, &misfit.finding, &misfit.remedy);
        }
    }
    if found.iter().any(|misfit| misfit.is_fatal) {
        return Ok(());
    }
    match reached.database.try_call().await {
        Ok(true) => report.good(CHECK, "its tables take a call: one was written, and taken back"),
        Ok(false) => report.good(
            CHECK,
            "its tables are of a shape that calls fit; a worker, who may, tries one at its start",
        ),
        Err(DatabaseError::Unfit { reason }) => {
            let remedy = "drop what refuses it, such as a trigger or a constraint of your own";
            report.failed(CHECK, Exit::Failed, format!("no call can be written: {reason}"), remedy);
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
