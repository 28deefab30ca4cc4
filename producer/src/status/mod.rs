//! `producer status`: how it goes, on one screen, and whether that is well.
//!
//! It only looks: the book for what was asked for, the queues' own counts for what waits. What cannot be looked at is said,
//! and the rest shown.

mod queues;
mod screen;
mod verdict;

use serde::Serialize;
use shared::config::{AmqpConfig, DatabaseConfig, Environment, ReportConfig, WorkerConfig};
use shared::database::SchemaError;
use shared::exit::Exit;

use crate::records::overview::{self, Overview};
use crate::{open, output};
use queues::Queues;
use verdict::Problem;

/// What to print.
#[derive(Debug, clap::Args)]
#[command(after_help = RULES)]
pub struct Options {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const RULES: &str = "\
Not well, exit code 1, is any of these:
  - database or broker cannot be reached or used; what the other says is shown
  - passes have been made, and none completed within the last hour; not while one runs
  - the last pass that ended did not complete
  - there are dead letters that nobody has replayed or discarded
  - jobs wait in a lane that has no consumer
  - jobs are without an answer after the whole retry ladder and an hour more, and they
    are more than the queues and the consumers hold
Only when neither database nor broker says anything, the exit code is that of the database's
failure: 64, 69 or 75. It is well when no pass has ever been made.

A warning changes neither verdict nor exit code: fields of the last day's calls that came in
another form than is documented, a day on which no analysis had an item of a report, and of the
newest 1,000 calls more than a tenth whose caller is not known, or any with a mask that is no person's.

Nothing is declared, consumed or locked. Without AMQP_MANAGEMENT_URL it is unknown how many
jobs consumers hold; and a worker with much to do is several consumers, each of which counts.";

/// Everything there is to say. What could not be looked at is `null`, and among the problems.
#[derive(Debug, Serialize)]
struct Status {
    is_well: bool,
    problems: Vec<Problem>,
    /// What somebody should look at; it is well nevertheless.
    warnings: Vec<Problem>,
    database: Option<Overview>,
    broker: Option<Queues>,
}

impl Options {
    /// Looks, and says what it sees.
    ///
    /// # Errors
    /// When nothing could be looked at.
    pub async fn run(self, environment: &Environment) -> anyhow::Result<Exit> {
        let (database, amqp, report, worker) =
            environment.read::<(DatabaseConfig, AmqpConfig, ReportConfig, WorkerConfig)>()?;
        let overdue = verdict::overdue_after(&amqp.retry_delays);
        let look_at_book = async {
            let database = open::database(&database).await?;
            let secs = overdue.as_secs_f64();
            let sources = report.excluded_sources.clone();
            let overview =
                database.run(move |connection| overview::overview(connection, secs, &sources)).await;
            overview.map_err(SchemaError::from)
        };
        let (book, queues) = tokio::join!(look_at_book, queues::look(&amqp, worker.prefetch));
        let problems = verdict::problems(&book, &queues, overdue);
        let book = match (book, &queues) {
            (Err(error), Err(broker)) => {
                log::error!("{broker}");
                return Err(error.into());
            }
            (book, _) => book.ok(),
        };
        let warnings = book.as_ref().map(verdict::warnings).unwrap_or_default();
        let status =
            Status { is_well: problems.is_empty(), problems, warnings, database: book, broker: queues.ok() };
        if self.json {
            output::json(&status)?;
        } else {
            screen::print(&status, report.timezone)?;
        }
        Ok(if status.is_well { Exit::Done } else { Exit::Failed })
    }
}
