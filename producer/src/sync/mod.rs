//! `producer sync`: one pass.
//!
//! list → publish → record a page at a time, and the cursor last: a crash between two of these steps loses nothing, and
//! publishes at most the two pages in hand twice. When `RECONCILE_EVERY` has passed, the reconciliation follows.

mod agents;
mod pass;

use std::fmt;

use anyhow::bail;
use serde::Serialize;
use shared::config::{
    AmqpConfig, DatabaseConfig, ElevenLabsConfig, Environment, ReconcileConfig, SyncConfig,
};
use shared::database::Database;
use shared::elevenlabs::Client;
use shared::exit::Exit;
use shared::shutdown::Shutdown;

use crate::lease::{AnotherPass, Lease, scope};
use crate::records::Counts;
use crate::{open, output, reconcile};
use pass::Pass;

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
    /// What became of what was listed.
    #[serde(flatten)]
    pub(crate) counts: Counts,
    /// What the reconciliation found, if it was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciled: Option<reconcile::Summary>,
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.counts)?;
        match &self.reconciled {
            Some(reconciled) => write!(formatter, "; reconciled: {reconciled}"),
            None => Ok(()),
        }
    }
}

impl Options {
    /// Makes one pass.
    ///
    /// # Errors
    /// What keeps the pass from being made: a dependency, or a setting.
    pub async fn run(self, environment: &Environment, shutdown: &Shutdown) -> anyhow::Result<Exit> {
        let (elevenlabs, database, amqp, config, reconcile) =
            environment
                .read::<(ElevenLabsConfig, DatabaseConfig, AmqpConfig, SyncConfig, ReconcileConfig)>()?;
        let client = elevenlabs.client()?;
        let database = open::database(&database).await?;
        let client = open::budgeted(client, elevenlabs.rate_limit, &database);
        let passes = Passes { client, database, amqp, elevenlabs, config, reconcile };
        let summary = match passes.make_one(shutdown, &|| ()).await? {
            Ok(summary) => summary,
            Err(another) => {
                log::error!("{another}");
                return Ok(Exit::TryLater);
            }
        };
        if self.json {
            output::json(&summary)?;
        } else {
            output::line(&summary.to_string())?;
        }
        Ok(summary.exit())
    }
}

impl Summary {
    /// How a process ends that made this pass.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let failed = self.counts.failed + self.reconciled.as_ref().map_or(0, |reconciled| reconciled.failed);
        if failed == 0 { Exit::Done } else { Exit::Failed }
    }
}

/// What passes are made with, one after the other. The broker is connected for each: between two of them there is nothing
/// to keep alive, and nothing to repair.
#[derive(Debug)]
pub(crate) struct Passes {
    pub(crate) client: Client,
    pub(crate) database: Database,
    pub(crate) amqp: AmqpConfig,
    pub(crate) elevenlabs: ElevenLabsConfig,
    pub(crate) config: SyncConfig,
    pub(crate) reconcile: ReconcileConfig,
}

impl Passes {
    /// Makes one pass, unless another holds the turn; `beat` is called for each page of which nothing failed, and for each
    /// dead letter that is looked at. The turn is given back however it ends.
    pub(crate) async fn make_one(
        &self,
        shutdown: &Shutdown,
        beat: &(dyn Fn() + Sync),
    ) -> anyhow::Result<Result<Summary, AnotherPass>> {
        let Some(broker) = shutdown.soft().run_until_cancelled(open::broker(&self.amqp)).await else {
            bail!("stopped before the pass began");
        };
        let broker = broker?;
        let agent_id = self.elevenlabs.agent_id.clone();
        let (client, database, config) = (self.client.clone(), self.database.clone(), self.config.clone());
        let reconcile = self.reconcile.clone();
        let pass = Pass { client, database, broker, agent_id, config, reconcile };
        let make = async |lease: &Lease| pass.run(lease, shutdown, beat).await;
        let outcome = Lease::during(&self.database, scope(pass.agent_id.as_ref()), make).await;
        pass.broker.close().await;
        outcome
    }
}
