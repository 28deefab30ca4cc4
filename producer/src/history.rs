//! A stretch of history, asked for a day at a time, the oldest first. How far it is stands in `cursores`, under a scope of
//! its own: stopped or killed, the same command goes on with the day it was at. Its turn is not that of a pass, so that
//! passes go on meanwhile.
//!
//! What it publishes is not bounded by what the queues hold: a job is some 300 bytes on the broker's disk, 200,000 of
//! them are 60 MB, and old calls have a lane of their own that yields to the fresh.

use std::cmp::min;
use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use shared::config::{AmqpConfig, DatabaseConfig};
use shared::database::{Database, book, reconciliation};
use shared::elevenlabs::{Client, ListItem};
use shared::exit::Exit;
use shared::ids::AgentId;
use shared::progress;
use shared::queue::Broker;
use shared::shutdown::Shutdown;

use crate::discover::Discover;
use crate::lease::Lease;
use crate::period::Period;
use crate::publish::Wanted;
use crate::records::{self, Counts};
use crate::run::Run;
use crate::{open, output};

/// What is listed whole, or begun again.
const SLICE: TimeDelta = TimeDelta::days(1);

/// Which of the calls listed are asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Choice {
    /// Those that are neither stored nor asked for: a backfill.
    Unknown,
    /// All but those that are on their way, dead, discarded or forgotten.
    Everything,
}

/// What is to be asked for.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) client: Client,
    pub(crate) rate_limit: Option<Duration>,
    pub(crate) agent_id: Option<AgentId>,
    pub(crate) period: Period,
    pub(crate) choice: Choice,
    pub(crate) is_rehearsal: bool,
}

impl History {
    /// Asks for it, as the verb that it is of.
    ///
    /// # Errors
    /// What keeps it from being done.
    pub(crate) async fn ask(
        mut self,
        database: &DatabaseConfig,
        amqp: &AmqpConfig,
        json: bool,
        shutdown: &Shutdown,
    ) -> anyhow::Result<Exit> {
        let database = open::database(database).await?;
        self.client = open::budgeted(self.client, self.rate_limit, &database);
        let broker = open::broker(amqp).await?;
        let counts = if self.is_rehearsal {
            let mut counts = Counts::default();
            let run = Run::rehearse(&database);
            self.walk(&database, &broker, &run, None, &mut counts, shutdown).await?;
            counts
        } else {
            let run = async |lease: &Lease| self.run(&database, &broker, lease, shutdown).await;
            match Lease::during(&database, &self.scope(), run).await? {
                Ok(counts) => counts,
                Err(another) => {
                    log::error!("{another}");
                    return Ok(Exit::TryLater);
                }
            }
        };
        broker.close().await;
        if json {
            output::json(&counts)?;
        } else if self.is_rehearsal {
            output::line(&format!("nothing was done; it would be {counts}"))?;
        } else {
            output::line(&counts.to_string())?;
        }
        Ok(if counts.failed == 0 { Exit::Done } else { Exit::Failed })
    }

    fn scope(&self) -> String {
        let name = match self.choice {
            Choice::Unknown => "backfill",
            Choice::Everything => "refetch",
        };
        let agent = self.agent_id.as_ref().map(|agent_id| format!("{agent_id}:")).unwrap_or_default();
        let instant = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!("{name}:{agent}{}/{}", instant(self.period.from), instant(self.period.to))
    }

    async fn run(
        &self,
        database: &Database,
        broker: &Broker,
        lease: &Lease,
        shutdown: &Shutdown,
    ) -> anyhow::Result<Counts> {
        let verb = match self.choice {
            Choice::Unknown => "backfill",
            Choice::Everything => "reconcile",
        };
        let run = Run::begin(database, broker, lease, verb).await?;
        let mut counts = Counts::default();
        let outcome = self.walk(database, broker, &run, Some(lease), &mut counts, shutdown).await;
        run.end(counts, outcome.is_ok()).await?;
        outcome?;
        Ok(counts)
    }

    /// Day after day, until the end or a day of which something could not be published.
    async fn walk(
        &self,
        database: &Database,
        broker: &Broker,
        run: &Run<'_>,
        lease: Option<&Lease>,
        counts: &mut Counts,
        shutdown: &Shutdown,
    ) -> anyhow::Result<()> {
        #[expect(clippy::disallowed_methods, reason = "the clock is read once a verb")]
        let to = min(self.period.to, Utc::now());
        let mut day = self.period.from;
        if let Some(done) = lease.and_then(|lease| lease.turn().listed_until) {
            log::info!("going on at {done}; what is before was asked for");
            day = done;
        }
        let line = progress::line();
        while day < to {
            let next = min(day + SLICE, to);
            let mut discover =
                Discover::new(self.client.clone(), self.agent_id.clone(), Some(day), Some(next));
            while let Some(page) = discover.next().await? {
                counts.listed += page.items.len() as u64;
                counts.failed += page.unusable as u64;
                let listed = page.items.len();
                let wanted = self.wanted(database, broker, page.items).await?;
                let count = run.ask(&wanted).await?;
                counts.known += (listed - wanted.len()) as u64;
                counts.published += count as u64;
                counts.failed += (wanted.len() - count) as u64;
                line.set_message(format!(
                    "{}: {} listed, {} published",
                    day.date_naive(),
                    counts.listed,
                    counts.published
                ));
                if count < wanted.len() {
                    log::error!(
                        "not all of {} could be asked for: run this again when the broker takes them",
                        day.date_naive()
                    );
                    return Ok(());
                }
                run.go_on(shutdown)?;
            }
            if let Some(lease) = lease {
                self.done(database, lease, (next < to).then_some(next)).await?;
            }
            day = next;
        }
        line.finish_and_clear();
        Ok(())
    }

    async fn wanted(
        &self,
        database: &Database,
        broker: &Broker,
        items: Vec<ListItem>,
    ) -> anyhow::Result<Vec<Wanted>> {
        let ids: Vec<String> = items.iter().map(|item| item.conversation_id.to_string()).collect();
        let left_out: HashSet<String> = match self.choice {
            Choice::Unknown => {
                database.run(move |connection| book::known(connection, &ids)).await?.into_iter().collect()
            }
            Choice::Everything => {
                let secs = broker.topology().ladder_span().as_secs_f64();
                let standings =
                    database.run(move |connection| reconciliation::standings(connection, &ids, secs)).await?;
                let is_left_out = |standing: &reconciliation::Standing| {
                    standing.is_barred
                        || standing.dead_class.is_some()
                        || (standing.is_booked && !standing.is_stored)
                };
                standings.into_iter().filter(is_left_out).map(|standing| standing.conversation_id).collect()
            }
        };
        let is_wanted = |wanted: &Wanted| !left_out.contains(wanted.conversation_id.as_str());
        Ok(items.into_iter().map(Wanted::from).filter(is_wanted).collect())
    }

    /// Enters how far it is; when all is done, nowhere: asked for once more, it begins anew.
    async fn done(
        &self,
        database: &Database,
        lease: &Lease,
        until: Option<DateTime<Utc>>,
    ) -> anyhow::Result<()> {
        let (scope, fence) = (lease.scope().to_owned(), lease.turn().fence);
        let is_ours = database
            .run(move |connection| match until {
                Some(until) => records::move_cursor(connection, &scope, fence, until),
                None => records::reset_cursor(connection, &scope, fence),
            })
            .await?;
        anyhow::ensure!(is_ours, "another has taken over; how far this is, is its to say");
        Ok(())
    }
}
