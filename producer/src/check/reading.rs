//! How the calls of the last day were read, as `status` says it too.

use shared::config::ReportConfig;
use shared::exit::Exit;

use super::database::Reached;
use super::report::Report;
use crate::records::reading;

const CHECK: &str = "calls";

pub(super) async fn check(reached: Option<&Reached>, config: Option<&ReportConfig>, report: &mut Report) {
    let (Some(reached), Some(config)) = (reached.filter(|reached| reached.is_current), config) else {
        return report.skipped(CHECK, "not looked at: it takes a database that is up to date, and REPORT_*");
    };
    let sources = config.excluded_sources.clone();
    let reading = match reached.database.run(move |connection| reading::reading(connection, &sources)).await {
        Ok(reading) => reading,
        Err(error) => {
            let exit = Exit::of(&error);
            return report.failed(
                CHECK,
                exit,
                error.to_string(),
                "see the rights above, and PostgreSQL's log",
            );
        }
    };
    let warnings = reading.warnings();
    if warnings.is_empty() {
        report.good(CHECK, "those of the last day were as documented");
    }
    for (_, what, remedy) in warnings {
        report.warning(CHECK, what, remedy);
    }
}
