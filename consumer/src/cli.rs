//! The command line, and what a process of it does.

use std::time::Duration;

use clap::{Parser, Subcommand};
use shared::config::Environment;
use shared::exit::Exit;
use shared::pulse;
use shared::shutdown::Shutdown;

use crate::drain::Drain;
use crate::worker::{Worker, stopped};

/// How long a stop may take: what is held must be answered by then. Container runtimes and systemd should allow more.
const GRACE: Duration = Duration::from_secs(25);

/// Fetches the calls that `producer sync` asked for, and stores them in PostgreSQL.
///
/// Works until SIGTERM or SIGINT, then finishes what it holds within 25 s; a second signal ends it at once, and its jobs
/// go back to the queue. Any number of workers may run at once. Configured by environment variables or a .env file:
/// see .env.example.
#[derive(Debug, Parser)]
#[command(name = "consumer", version, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    verb: Option<Verb>,

    /// Work until there is nothing left to do, then end; calls that are not finished at their source are not waited for
    #[arg(long)]
    drain: bool,

    /// With --drain: wait for retries that are due sooner than this, and let no pause last longer
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = humantime::parse_duration, requires = "drain")]
    wait: Duration,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Is a worker on this machine, or in this container, consuming? For health checks: exits 0 when one is, 1 otherwise
    Health,
}

const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  failed; with --drain: stopped before the end; with health: no worker here is consuming
  64  wrong usage or configuration, a refused login, or a database newer than this program
  69  broker or database away for 5 min; with --drain for longer than --wait, also the API, or a
      broker that takes no answers
  75  database not migrated within 60 s; with --drain also throttled, for longer than --wait
  77  with --drain: the API key is refused";

impl Options {
    /// Works, and says how the process ends.
    ///
    /// # Errors
    /// Whatever keeps it from working.
    pub async fn run(self) -> anyhow::Result<Exit> {
        if let Some(Verb::Health) = self.verb {
            return Ok(pulse::health("consumer")?);
        }
        let environment = Environment::load()?;
        shared::logging::init(&environment)?;
        let config = environment.read()?;
        let shutdown = Shutdown::on_signals(GRACE)?;
        let drain = self.drain.then(|| Drain::new(self.wait));
        tokio::select! {
            biased;
            () = shutdown.soft().cancelled() => Ok(stopped(self.drain)),
            worker = Worker::open(config, drain) => worker?.run(&shutdown).await,
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
        assert!(Options::try_parse_from(["consumer", "--drain", "--wait", "5m"]).is_ok());
        assert!(Options::try_parse_from(["consumer", "--wait", "5m"]).is_err());
        assert!(Options::try_parse_from(["consumer", "health"]).is_ok());
        assert!(Options::try_parse_from(["consumer", "--drain", "health"]).is_err());
    }
}
