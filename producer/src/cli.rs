//! The command line: verbs to modules.

use std::time::Duration;

use clap::{Parser, Subcommand};
use shared::config::Environment;
use shared::exit::Exit;
use shared::pulse;
use shared::shutdown::Shutdown;

use crate::{backfill, check, dead, migrate, reconcile, status, sync, watch};

/// How long a stop may take: pages that are being published are finished and recorded.
const GRACE: Duration = Duration::from_secs(25);

/// Asks ElevenLabs which calls there are, and has the new ones fetched; looks after those that failed.
///
/// Configured by environment variables or a .env file: see .env.example.
#[derive(Debug, Parser)]
#[command(name = "producer", version, after_help = EXIT_CODES)]
pub struct Options {
    #[command(subcommand)]
    verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  failed: some calls could not be asked for, what was begun is not complete, or it is not well
  64  wrong usage or configuration, a refused login, or a database newer than this program
  69  API, broker or database cannot be reached; with watch: broker or database away for 5 min
  75  try later: another pass runs, the API throttles, or the database is not migrated (with watch: within 60 s)
  77  the API key is refused";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Bring the database's schema up to date; an older system's tables are adopted with every row
    Migrate,
    /// One pass: list the calls since the last one, and ask for those that are new
    Sync(sync::Options),
    /// A pass every so often, until SIGTERM or SIGINT; never beside another one. Goes on through every outage of the API
    Watch(watch::Options),
    /// Is a `watch` on this machine, or in this container, well? For health checks: exits 0 when one is, 1 otherwise
    Health,
    /// Ask for the calls of a stretch of history; stopped, the same command goes on where it was
    Backfill(backfill::Options),
    /// Compare the book with the queues, the database and the API, and ask again for what is missing or changed
    Reconcile(reconcile::Options),
    /// What was set aside: list, show, replay, discard
    #[command(subcommand)]
    Dead(dead::Verb),
    /// How it goes, on one screen: freshness, queues, dead letters, last passes; whether that is well
    Status(status::Options),
    /// Try every dependency and setting, and say what to do about those that fail
    Check(check::Options),
}

impl Options {
    /// Does what the verb says, and says how the process ends.
    ///
    /// # Errors
    /// Whatever keeps the verb from being done.
    pub async fn run(self) -> anyhow::Result<Exit> {
        let environment = Environment::load()?;
        match (shared::logging::init(&environment), &self.verb) {
            // It says so itself, beside whatever else is wrong.
            (Err(_), Verb::Check(_)) => {}
            (outcome, _) => outcome?,
        }
        let shutdown = Shutdown::on_signals(GRACE)?;
        let work = async {
            match self.verb {
                Verb::Migrate => migrate::run(&environment).await,
                Verb::Sync(options) => options.run(&environment, &shutdown).await,
                Verb::Watch(options) => options.run(&environment, &shutdown).await,
                Verb::Health => Ok(pulse::health("producer")?),
                Verb::Backfill(options) => options.run(&environment, &shutdown).await,
                Verb::Reconcile(options) => options.run(&environment, &shutdown).await,
                Verb::Dead(verb) => verb.run(&environment, &shutdown).await,
                Verb::Status(options) => options.run(&environment).await,
                Verb::Check(options) => options.run(&environment).await,
            }
        };
        tokio::select! {
            outcome = work => outcome,
            () = shutdown.hard().cancelled() => anyhow::bail!("stopped before it was done"),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }
}
