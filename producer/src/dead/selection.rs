//! Which dead letters a verb means.

use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{TimeDelta, Utc};
use shared::database::Database;
use shared::database::dead_letters::{self, DeadLetter, Selection};

/// Narrows what is meant; without any of these, all dead letters are.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Filter {
    /// Conversation ids
    #[arg(value_name = "ID")]
    ids: Vec<String>,

    /// Only of this class: malformed, timeout, unfinished, …
    #[arg(long)]
    class: Option<String>,

    /// Only those set aside longer ago than this: 30m, 2d, …
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    older_than: Option<Duration>,

    /// At most so many, the oldest first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    limit: Option<i64>,
}

impl Filter {
    /// Whether it narrows at all.
    pub(super) fn is_everything(&self) -> bool {
        self.ids.is_empty() && self.class.is_none() && self.older_than.is_none() && self.limit.is_none()
    }

    /// Reads what is meant from the book. An id that is not among it is an error: nothing is done by half.
    pub(super) async fn select(
        &self,
        database: &Database,
        discarded: bool,
    ) -> anyhow::Result<Vec<DeadLetter>> {
        let died_before = match self.older_than {
            #[expect(clippy::disallowed_methods, reason = "the clock is read once a verb")]
            Some(age) => {
                let age = TimeDelta::from_std(age).ok();
                Some(
                    age.and_then(|age| Utc::now().checked_sub_signed(age))
                        .context("--older-than: longer than time itself")?,
                )
            }
            None => None,
        };
        let selection = Selection {
            conversation_ids: self.ids.clone(),
            class: self.class.clone(),
            died_before,
            limit: self.limit,
            discarded,
            marked: false,
        };
        let letters = database.run(move |connection| dead_letters::select(connection, &selection)).await?;
        let narrowed_by_id_only = self.class.is_none() && self.older_than.is_none() && self.limit.is_none();
        let missing: Vec<&str> = self
            .ids
            .iter()
            .map(String::as_str)
            .filter(|id| letters.iter().all(|letter| letter.conversation_id != *id))
            .collect();
        if narrowed_by_id_only && !missing.is_empty() {
            let what = if discarded { "discarded" } else { "a dead letter" };
            bail!(
                "not {what}: {}; nothing was done (`producer dead list` shows those there are)",
                missing.join(", ")
            );
        }
        Ok(letters)
    }
}

/// The ids of these letters, for a statement.
pub(super) fn ids(letters: &[DeadLetter]) -> Vec<String> {
    letters.iter().map(|letter| letter.conversation_id.clone()).collect()
}
