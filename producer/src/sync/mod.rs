//! `producer sync`: one pass.
//!
//! list → publish → record a page at a time, and the cursor last: a crash between two of these steps loses nothing, and
//! publishes at most one page twice.

mod agents;
mod discover;
mod pass;
mod publish;

use serde::Serialize;
use shared::config::{AmqpConfig, DatabaseConfig, ElevenLabsConfig, Environment, SyncConfig};
use shared::exit::Exit;
use shared::shutdown::Shutdown;

use crate::lease::Lease;
use crate::{open, output};
use pass::Pass;

/// The scope of all agents' conversations.
const ALL_AGENTS: &str = "*";

/// What can be said of a pass.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Print the counts as one JSON object
    #[arg(long)]
    json: bool,
}

/// What a pass did.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Conversations that the API showed.
    pub listed: u64,
    /// Jobs published, confirmed and recorded.
    pub published: u64,
    /// Stored in a final state, or asked for already.
    pub known: u64,
    /// Jobs that could not be published, and items without a usable id.
    pub failed: u64,
}

impl Options {
    /// Makes one pass.
    ///
    /// # Errors
    /// What keeps the pass from being made: a dependency, or a setting.
    pub async fn run(self, environment: &Environment, shutdown: &Shutdown) -> anyhow::Result<Exit> {
        let (elevenlabs, database, amqp, config) =
            environment.read::<(ElevenLabsConfig, DatabaseConfig, AmqpConfig, SyncConfig)>()?;
        let client = elevenlabs.client()?;
        let database = open::database(&database).await?;
        let broker = open::broker(&amqp).await?;
        let scope = elevenlabs.agent_id.as_ref().map_or(ALL_AGENTS, |agent_id| agent_id.as_str());
        let lease = match Lease::take(&database, scope).await? {
            Ok(lease) => lease,
            Err(another) => {
                log::error!("{another}");
                return Ok(Exit::TryLater);
            }
        };
        let pass = Pass { client, database: database.clone(), broker, agent_id: elevenlabs.agent_id, config };
        let outcome = pass.run(&lease, shutdown).await;
        let given_back = lease.give_back().await;
        let summary = outcome?;
        given_back?;
        if self.json {
            output::json(&summary)?;
        } else {
            let Summary { listed, published, known, failed } = &summary;
            output::line(&format!("{listed} listed, {published} published, {known} known, {failed} failed"))?;
        }
        Ok(if summary.failed == 0 { Exit::Done } else { Exit::Failed })
    }
}
