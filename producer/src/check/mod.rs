//! `producer check`: every dependency and setting is tried, a line each, with the remedy below what fails. One that fails
//! keeps no other from being tried.

mod api;
mod broker;
mod clock;
mod configuration;
mod database;
mod mapping;
mod older;
mod reading;
mod report;
mod tables;

use shared::config::Environment;
use shared::exit::Exit;

use report::Report;

/// What to print.
#[derive(Debug, clap::Args)]
#[command(after_help = MARKS)]
pub struct Options {
    /// Print one JSON object: the findings, and how many failed
    #[arg(long)]
    json: bool,
}

const MARKS: &str = "\
Marks: ✓ good, ! warning, ✗ failed, - not looked at.
The exit code is 0 when nothing failed, and otherwise that of the first failure.
Each dependency is tried once, without waiting for one that is away. Queues that are missing
are declared, as every other verb does; nothing else is written: a call of no value is taken back. Of a call that is fetched to
try the key's scope, nothing is kept or shown.";

impl Options {
    /// Tries everything, in the order in which a call meets it.
    ///
    /// # Errors
    /// When standard output is closed.
    pub async fn run(self, environment: &Environment) -> anyhow::Result<Exit> {
        let mut report = Report::new(self.json);
        let settings = configuration::check(environment, &mut report);
        let api = api::check(settings.elevenlabs.as_ref(), &mut report).await;
        let database = database::check(settings.database.as_ref(), &mut report).await;
        tables::check(database.as_ref(), &mut report).await;
        clock::check(
            &[
                ("the API's", api.as_ref().and_then(|api| api.ahead)),
                ("PostgreSQL's", database.as_ref().map(|database| database.ahead)),
            ],
            &mut report,
        );
        broker::check(settings.amqp.as_ref(), &mut report).await;
        mapping::check(api.as_ref(), &settings, environment, &mut report).await;
        reading::check(database.as_ref(), settings.report.as_ref(), &mut report).await;
        older::check(database.as_ref(), settings.report.as_ref(), &mut report).await;
        Ok(report.finish()?)
    }
}
