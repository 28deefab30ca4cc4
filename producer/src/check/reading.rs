//! How the calls of the last day were read, as `status` says it too.

use chrono::NaiveDate;
use shared::config::ReportConfig;
use shared::exit::Exit;

use super::database::Reached;
use super::report::Report;
use crate::records::reading::{self, OlderRows, UNKNOWN_CALLERS};

const CHECK: &str = "calls";

pub(super) async fn check(reached: Option<&Reached>, config: Option<&ReportConfig>, report: &mut Report) {
    let (Some(reached), Some(config)) = (reached.filter(|reached| reached.is_current), config) else {
        return report.skipped(CHECK, "not looked at: it takes a database that is up to date, and REPORT_*");
    };
    let sources = config.excluded_sources.clone();
    let read = reached.database.run(move |connection| {
        Ok((reading::reading(connection, &sources)?, reading::older_rows(connection)?))
    });
    let (reading, older) = match read.await {
        Ok(read) => read,
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
    if !warnings.iter().any(|(rule, ..)| *rule == UNKNOWN_CALLERS) {
        report.good(CHECK, reading.masked.to_string());
    }
    for (_, what, remedy) in warnings {
        report.warning(CHECK, what, remedy);
    }
    tell_of_older(&older, report);
}

/// Rows of an older release are read again with their call; one that is gone at its source keeps what it has.
fn tell_of_older(older: &OlderRows, report: &mut Report) {
    if older.count == 0 {
        return report.good(CHECK, "none is as an older release has masked it");
    }
    let period = |day: Option<NaiveDate>| day.map_or("DAY".into(), |day| day.to_string());
    report.warning(
        CHECK,
        format!("{} are as an older release has masked them", older.count),
        format!(
            "producer reconcile --refetch --from {} --to {}; calls that are gone at ElevenLabs keep what they have",
            period(older.first),
            period(older.last)
        ),
    );
}
