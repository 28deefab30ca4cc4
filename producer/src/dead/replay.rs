//! `producer dead replay`.

use std::collections::HashSet;
use std::num::NonZeroU32;

use chrono::Utc;
use shared::config::Environment;
use shared::database::Database;
use shared::database::book::{self, DeadLetter, Death};
use shared::exit::Exit;
use shared::queue::{Broker, Destination, Lane};
use shared::shutdown::Shutdown;

use super::message::message;
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
            let letters = self.filter.select(&database, false).await?;
            let selected = ids(&letters);
            database.transaction(move |connection| book::mark_replayed(connection, &selected)).await?;
            let mut rotation = rotate(&broker, &database, Some(self.rate), shutdown).await?;
            if !rotation.is_partial {
                rotation.replayed += remake(&broker, &database, &letters, &rotation.met).await?;
            }
            anyhow::Ok(rotation)
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

/// A dead letter whose message is gone, with the broker's volume or by a purge, is made anew from the book. One that cannot
/// be stays dead: it was not asked for.
async fn remake(
    broker: &Broker,
    database: &Database,
    letters: &[DeadLetter],
    met: &HashSet<String>,
) -> anyhow::Result<u64> {
    #[expect(clippy::disallowed_methods, reason = "the clock is read once a verb")]
    let now = Utc::now();
    let publisher = broker.publisher().await?;
    let (mut remade, mut refusal) = (0, None);
    for letter in letters.iter().filter(|letter| !met.contains(&letter.conversation_id)) {
        let replays = u32::try_from(letter.replays).unwrap_or(0) + 1;
        let lane = Lane::of(letter.started_at, now);
        match message(letter) {
            Ok(message) => {
                publisher.publish(&message.replayed(replays), Destination::Work(lane)).await?;
                remade += 1;
            }
            Err(error) => {
                let death = death(letter, lane);
                database.transaction(move |connection| book::record_death(connection, &death)).await?;
                refusal = Some(error);
            }
        }
    }
    refusal.map_or(Ok(remade), Err)
}

/// What the book said of it.
fn death(letter: &DeadLetter, lane: Lane) -> Death {
    Death {
        conversation_id: letter.conversation_id.clone(),
        agent_id: letter.agent_id.clone(),
        run_id: letter.run_id.clone(),
        lane: lane.as_str(),
        class: letter.class.clone(),
        http_status: letter.http_status.and_then(|status| u16::try_from(status).ok()),
        attempts: u32::try_from(letter.attempts).unwrap_or(0),
        replays: u32::try_from(letter.replays).unwrap_or(0),
    }
}
