//! `producer dead list` and `show`: from the book.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use shared::config::Environment;
use shared::database::dead_letters::{self, DeadLetter};
use shared::exit::Exit;

use super::open_database;
use super::selection::Filter;
use crate::output;

/// What to list.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    filter: Filter,

    /// Those that were discarded instead
    #[arg(long)]
    discarded: bool,

    /// Print one JSON object: the letters, and the counts by class
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listing {
    letters: Vec<DeadLetter>,
    by_class: Vec<ClassCount>,
}

#[derive(Serialize)]
struct ClassCount {
    class: String,
    count: i64,
}

impl Options {
    pub(super) async fn run(self, environment: &Environment) -> anyhow::Result<Exit> {
        let database = open_database(environment).await?;
        let letters = self.filter.select(&database, self.discarded).await?;
        let by_class = database.run(dead_letters::count_by_class).await?;
        let by_class: Vec<_> =
            by_class.into_iter().map(|(class, count)| ClassCount { class, count }).collect();
        if self.json {
            output::json(&Listing { letters, by_class })?;
            return Ok(Exit::Done);
        }
        if !letters.is_empty() {
            output::line(&format!(
                "{:<36} {:<14} {:>4} {:>8} {:>7} {:<20}",
                "CONVERSATION", "CLASS", "HTTP", "ATTEMPTS", "REPLAYS", "SET ASIDE"
            ))?;
        }
        for letter in &letters {
            output::line(&row(letter))?;
        }
        let total: i64 = by_class.iter().map(|entry| entry.count).sum();
        let classes: Vec<_> =
            by_class.iter().map(|entry| format!("{} {}", entry.count, entry.class)).collect();
        let shown = if self.discarded { format!("{} discarded; ", letters.len()) } else { String::new() };
        output::line(&match classes.as_slice() {
            [] => format!("{shown}no dead letters"),
            classes => format!("{shown}{total} dead: {}", classes.join(", ")),
        })?;
        Ok(Exit::Done)
    }
}

fn row(letter: &DeadLetter) -> String {
    let status = letter.http_status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    format!(
        "{:<36} {:<14} {:>4} {:>8} {:>7} {:<20}",
        letter.conversation_id,
        letter.class,
        status,
        letter.attempts,
        letter.replays,
        instant(letter.died_at)
    )
}

fn instant(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// What to show.
#[derive(Debug, clap::Args)]
pub struct ShowOptions {
    #[command(flatten)]
    filter: Filter,

    /// Look among those that were discarded
    #[arg(long)]
    discarded: bool,

    /// Print one JSON object a letter, a line each
    #[arg(long)]
    json: bool,
}

impl ShowOptions {
    pub(super) async fn run(self, environment: &Environment) -> anyhow::Result<Exit> {
        let database = open_database(environment).await?;
        for letter in self.filter.select(&database, self.discarded).await? {
            if self.json {
                output::json(&letter)?;
            } else {
                show(&letter)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn show(letter: &DeadLetter) -> std::io::Result<()> {
    let optional = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let when = |at: Option<DateTime<Utc>>| at.map_or_else(|| "-".to_owned(), instant);
    output::line(&letter.conversation_id)?;
    for (name, value) in [
        ("class", letter.class.clone()),
        ("http status", letter.http_status.map_or_else(|| "-".to_owned(), |status| status.to_string())),
        ("attempts spent", letter.attempts.to_string()),
        ("replays", letter.replays.to_string()),
        ("call started", when(letter.started_at)),
        ("asked for", instant(letter.asked_at)),
        ("set aside", instant(letter.died_at)),
        ("agent", optional(&letter.agent_id)),
        ("asked for by pass", optional(&letter.run_id)),
        ("discarded", when(letter.discarded_at)),
        ("reason", optional(&letter.reason)),
    ] {
        output::line(&format!("  {name:<18} {value}"))?;
    }
    Ok(())
}
