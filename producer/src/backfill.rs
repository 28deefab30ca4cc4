//! `producer backfill`: the calls of a stretch of history that were never asked for.

use shared::config::{AmqpConfig, DatabaseConfig, ElevenLabsConfig, Environment, ReportConfig};
use shared::exit::Exit;
use shared::shutdown::Shutdown;

use crate::history::{Choice, History};
use crate::period::Period;

/// What to ask for.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The first day, such as 2026-01-31, in TIMEZONE; or an instant, such as 2026-01-31T06:00:00Z
    #[arg(long, value_name = "DATE")]
    from: String,

    /// The last day, all of it; or the instant at which to end
    #[arg(long, value_name = "DATE")]
    to: String,

    /// Print the counts as one JSON object
    #[arg(long)]
    json: bool,
}

impl Options {
    /// Asks for what is not known, without moving the cursor of a pass.
    ///
    /// # Errors
    /// What keeps it from being done: a dependency, or a setting.
    pub async fn run(self, environment: &Environment, shutdown: &Shutdown) -> anyhow::Result<Exit> {
        let (elevenlabs, database, amqp, report) =
            environment.read::<(ElevenLabsConfig, DatabaseConfig, AmqpConfig, ReportConfig)>()?;
        let Some(period) = Period::read(&self.from, &self.to, report.timezone) else {
            return Ok(Exit::Usage);
        };
        let history = History {
            client: elevenlabs.client()?,
            rate_limit: elevenlabs.rate_limit,
            agent_id: elevenlabs.agent_id,
            period,
            choice: Choice::Unknown,
            is_rehearsal: false,
        };
        history.ask(&database, &amqp, self.json, shutdown).await
    }
}
