//! `producer dead replay`.

use std::num::NonZeroU32;

use shared::config::Environment;
use shared::database::book;
use shared::exit::Exit;
use shared::shutdown::Shutdown;

use super::rotate::{Rotation, rotate};
use super::selection::{Filter, ids};
use super::{open_database, open_queue};
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
        let Some((database, broker, lease)) = open_queue(environment).await? else {
            return Ok(Exit::TryLater);
        };
        let outcome = async {
            let selected = ids(&self.filter.select(&database, false).await?);
            database.transaction(move |connection| book::mark_replayed(connection, &selected)).await?;
            rotate(&broker, &database, Some(self.rate), shutdown).await
        }
        .await;
        lease.give_back().await?;
        let rotation = outcome?;
        broker.close().await;
        if self.json {
            output::json(&rotation)?;
        } else {
            let Rotation { replayed, kept, .. } = &rotation;
            output::line(&format!("{replayed} asked for again, {kept} stay"))?;
        }
        Ok(rotation.exit())
    }
}
