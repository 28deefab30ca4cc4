//! `producer dead discard`, and taking it back.

use chrono::Utc;
use shared::config::Environment;
use shared::database::dead_letters::{self, DeadLetter};
use shared::exit::Exit;
use shared::progress;
use shared::queue::{Destination, Message};
use shared::shutdown::Shutdown;

use super::message::message;
use super::rotate::RATE;
use super::selection::{Filter, ids};
use super::{Queue, by_hand, open_database};
use crate::output;

/// Messages that are on their way to the broker at once.
const PAGE: usize = 100;

/// What to set aside for good.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "independent flags of a command line")]
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

    /// Print the count as one JSON object
    #[arg(long)]
    json: bool,
}

impl Options {
    pub(super) async fn run(self, environment: &Environment, shutdown: &Shutdown) -> anyhow::Result<Exit> {
        if self.filter.is_everything() != self.all {
            log::error!("say which: ids, --class, --older-than or --limit, or --all for all of them");
            return Ok(Exit::Usage);
        }
        let done = if self.undo { "dead letters again" } else { "discarded" };
        if self.dry_run {
            let letters = self.filter.select(&open_database(environment).await?, self.undo).await?;
            output::line(&format!("{} would be {done}", letters.len()))?;
            return Ok(Exit::Done);
        }
        let work = async |queue: Queue<'_>| {
            let letters = self.filter.select(queue.database, self.undo).await?;
            match self.reason {
                Some(reason) => queue.discard(&letters, reason).await,
                None => queue.undo(&letters).await,
            }
        };
        let Some((count, exit)) = by_hand(environment, shutdown, work).await? else {
            return Ok(Exit::TryLater);
        };
        if self.json {
            output::json(&serde_json::json!({ "count": count, "undone": self.undo }))?;
        } else {
            output::line(&format!("{count} {done}"))?;
        }
        Ok(exit)
    }
}

impl Queue<'_> {
    async fn discard(&self, letters: &[DeadLetter], reason: String) -> anyhow::Result<(usize, Exit)> {
        let selected = ids(letters);
        let marked = self
            .database
            .transaction(move |connection| dead_letters::mark_discarded(connection, &selected, &reason))
            .await?;
        Ok((marked, self.rotate(RATE, &|| ()).await?.exit()))
    }

    /// Makes each message anew from the book, and marks the book when the broker has them: a crash between leaves messages
    /// too many, which the next rotation drops.
    async fn undo(&self, letters: &[DeadLetter]) -> anyhow::Result<(usize, Exit)> {
        #[expect(clippy::disallowed_methods, reason = "the clock is read once a verb")]
        let now = Utc::now();
        let anew = |letter: &DeadLetter| {
            let status = letter.http_status.and_then(|status| u16::try_from(status).ok());
            Ok(message(letter)?.failed(&letter.class, status, false, now))
        };
        // All of them before the first is published: nothing is done by half.
        let messages: Vec<Message> = letters.iter().map(anew).collect::<anyhow::Result<_>>()?;
        let publisher = self.broker.publisher();
        let bar = progress::bar(messages.len() as u64);
        for page in messages.chunks(PAGE) {
            if self.is_over() {
                return Ok((0, Exit::Failed));
            }
            let sent: Vec<_> = page.iter().map(|message| (message, Destination::Dead)).collect();
            for confirmed in publisher.publish_all(&sent).await {
                confirmed?;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        let selected = ids(letters);
        let unmark = move |connection: &mut _| dead_letters::mark_undiscarded(connection, &selected);
        Ok((self.database.transaction(unmark).await?, Exit::Done))
    }
}
