//! `producer dead discard`, and taking it back.

use anyhow::{Context, bail};
use chrono::Utc;
use shared::config::Environment;
use shared::database::Database;
use shared::database::book::{self, DeadLetter};
use shared::exit::Exit;
use shared::ids::{AgentId, ConversationId};
use shared::job::FetchConversation;
use shared::queue::{Broker, Destination, Message};
use shared::shutdown::Shutdown;

use super::rotate::rotate;
use super::selection::{Filter, ids};
use super::{open_database, open_queue};
use crate::output;

/// What to set aside for good.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    filter: Filter,

    /// All of them
    #[arg(long)]
    all: bool,

    /// Why; kept in the book
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["undo", "dry_run"])]
    reason: Option<String>,

    /// Take the discard back: they are dead letters again
    #[arg(long, conflicts_with = "reason")]
    undo: bool,

    /// Say how many it would be, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Options {
    pub(super) async fn run(self, environment: &Environment, shutdown: &Shutdown) -> anyhow::Result<Exit> {
        if self.filter.is_everything() != self.all {
            bail!("say which: ids, --class, --older-than or --limit, or --all for all of them");
        }
        let done = if self.undo { "dead letters again" } else { "discarded" };
        if self.dry_run {
            let letters = self.filter.select(&open_database(environment).await?, self.undo).await?;
            output::line(&format!("{} would be {done}", letters.len()))?;
            return Ok(Exit::Done);
        }
        let Some((database, broker, lease)) = open_queue(environment).await? else {
            return Ok(Exit::TryLater);
        };
        let outcome = async {
            let letters = self.filter.select(&database, self.undo).await?;
            match self.reason {
                Some(reason) => discard(&broker, &database, &letters, reason, shutdown).await,
                None => undo(&broker, &database, &letters).await,
            }
        }
        .await;
        lease.give_back().await?;
        let (count, exit) = outcome?;
        broker.close().await;
        output::line(&format!("{count} {done}"))?;
        Ok(exit)
    }
}

async fn discard(
    broker: &Broker,
    database: &Database,
    letters: &[DeadLetter],
    reason: String,
    shutdown: &Shutdown,
) -> anyhow::Result<(usize, Exit)> {
    let selected = ids(letters);
    let marked =
        database.transaction(move |connection| book::mark_discarded(connection, &selected, &reason)).await?;
    let rotation = rotate(broker, database, None, shutdown).await?;
    Ok((marked, rotation.exit()))
}

/// Makes each message anew from the book, and marks the book when the broker has it: a crash between leaves a message too
/// many, which the next rotation drops.
async fn undo(broker: &Broker, database: &Database, letters: &[DeadLetter]) -> anyhow::Result<(usize, Exit)> {
    let publisher = broker.publisher().await?;
    for letter in letters {
        publisher.publish(&message(letter)?, Destination::Dead).await?;
    }
    let selected = ids(letters);
    let marked =
        database.transaction(move |connection| book::mark_undiscarded(connection, &selected)).await?;
    Ok((marked, Exit::Done))
}

fn message(letter: &DeadLetter) -> anyhow::Result<Message> {
    let name = &letter.conversation_id;
    let lost = || format!("{name} was a broken message; its content was discarded with it");
    if letter.class == "broken_message" {
        bail!(lost());
    }
    let job = FetchConversation {
        conversation_id: ConversationId::parse(name).with_context(lost)?,
        agent_id: letter.agent_id.as_deref().and_then(|id| AgentId::parse(id).ok()),
        run_id: letter.run_id.clone(),
    };
    #[expect(clippy::disallowed_methods, reason = "the clock is read once a message")]
    let now = Utc::now();
    let status = letter.http_status.and_then(|status| u16::try_from(status).ok());
    let replays = u32::try_from(letter.replays).unwrap_or(0);
    Ok(Message::new(&job).replayed(replays).failed(&letter.class, status, false, now))
}
