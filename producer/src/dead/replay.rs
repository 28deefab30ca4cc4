//! `producer dead replay`.

use std::num::NonZeroU32;

use shared::config::Environment;
use shared::database::Database;
use shared::database::dead_letters::{self, DeadLetter, Selection};
use shared::exit::Exit;
use shared::queue::Broker;
use shared::shutdown::Shutdown;

use super::rotate::{RATE, Rotation};
use super::selection::{Filter, ids};
use super::{Queue, at_queue, by_hand, open_database};
use crate::output;

/// What to ask for again.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    filter: Filter,

    /// Jobs a second, so that the API sees no burst
    #[arg(long, value_name = "N", default_value = "100")]
    rate: NonZeroU32,

    /// Say how many it would be, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// Print the counts as one JSON object
    #[arg(long)]
    json: bool,
}

impl Options {
    pub(super) async fn run(self, environment: &Environment, shutdown: &Shutdown) -> anyhow::Result<Exit> {
        if self.dry_run {
            let letters = self.filter.select(&open_database(environment).await?, false).await?;
            output::line(&format!("{} would be asked for again", letters.len()))?;
            return Ok(Exit::Done);
        }
        let replay = async |queue: Queue<'_>| {
            queue.replay(&self.filter.select(queue.database, false).await?, self.rate, &|| ()).await
        };
        let Some(rotation) = by_hand(environment, shutdown, replay).await? else {
            return Ok(Exit::TryLater);
        };
        if self.json {
            output::json(&rotation)?;
        } else {
            let Rotation { replayed, kept, .. } = &rotation;
            output::line(&format!("{replayed} asked for again, {kept} stay"))?;
        }
        Ok(rotation.exit())
    }
}

impl Queue<'_> {
    /// Asks for these again.
    async fn replay(
        &self,
        letters: &[DeadLetter],
        rate: NonZeroU32,
        beat: &(dyn Fn() + Sync),
    ) -> anyhow::Result<Rotation> {
        let selected = ids(letters);
        self.database
            .transaction(move |connection| dead_letters::mark_for_replay(connection, &selected))
            .await?;
        self.rotate(rate, beat).await
    }
}

/// Asks for the dead letters of these conversations again, as `producer dead replay` does. Returns how many are on their
/// way; `None` when another is at the queue. `beat` is called for each dead letter.
///
/// # Errors
/// What the broker or the database says.
pub async fn replay_conversations(
    broker: &Broker,
    database: &Database,
    conversation_ids: Vec<String>,
    shutdown: &Shutdown,
    beat: &(dyn Fn() + Sync),
) -> anyhow::Result<Option<u64>> {
    if conversation_ids.is_empty() {
        // A selection of no ids is one of all.
        return Ok(Some(0));
    }
    let replay = async |queue: Queue<'_>| {
        let selection = Selection { conversation_ids, ..Selection::default() };
        let letters = database.run(move |connection| dead_letters::select(connection, &selection)).await?;
        queue.replay(&letters, RATE, beat).await
    };
    Ok(at_queue(broker, database, shutdown, replay).await?.ok().map(|rotation| rotation.replayed))
}
