//! `producer reconcile`: the proof that nothing is missing.
//!
//! Two comparisons. `lost`: what the book says was asked for, and neither a queue nor the database has. `compare`: what
//! the API lists, beside the book and what is stored. What differs is asked for again; the worker writes only what is new.

mod compare;
mod lost;
mod summary;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::bail;
use chrono::{DateTime, TimeDelta, Utc};
use shared::config::{
    AmqpConfig, DatabaseConfig, ElevenLabsConfig, Environment, ReconcileConfig, ReportConfig, SyncConfig,
};
use shared::database::Database;
use shared::elevenlabs::Client;
use shared::exit::Exit;
use shared::ids::AgentId;
use shared::progress::{self, ProgressBar};
use shared::queue::Broker;
use shared::shutdown::Shutdown;

use crate::history::{Choice, History};
use crate::lease::{Lease, scope};
use crate::period::Period;
use crate::records::{self, Counts};
use crate::run::Run;
use crate::{dead, open, output};
pub use summary::{Reason, Summary};

/// What to compare.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Say what would be asked for and why, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// Ask again for every call that started from --from to --to, whatever is stored: after a corrected mapping, or when
    /// analyses were run again. Stopped, the same command goes on where it was
    #[arg(long, requires_all = ["from", "to"])]
    refetch: bool,

    /// With --refetch: the first day, such as 2026-01-31, in TIMEZONE; or an instant, such as 2026-01-31T06:00:00Z
    #[arg(long, value_name = "DATE", requires = "refetch")]
    from: Option<String>,

    /// With --refetch: the last day, all of it; or the instant at which to end
    #[arg(long, value_name = "DATE", requires = "refetch")]
    to: Option<String>,

    /// Print one JSON object; with --dry-run also the ids
    #[arg(long)]
    json: bool,
}

/// What a reconciliation needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reconciliation<'a> {
    pub(crate) client: &'a Client,
    pub(crate) database: &'a Database,
    pub(crate) broker: &'a Broker,
    pub(crate) agent_id: Option<&'a AgentId>,
    /// How far back the list is compared.
    pub(crate) window: Duration,
    /// Calls before this were never meant to be asked for.
    pub(crate) since: Option<DateTime<Utc>>,
}

impl Options {
    /// Compares, and asks for what is missing or changed.
    ///
    /// # Errors
    /// What keeps it from being done: a dependency, or a setting.
    pub async fn run(self, environment: &Environment, shutdown: &Shutdown) -> anyhow::Result<Exit> {
        let (elevenlabs, database, amqp, sync, (reconcile, report)) = environment.read::<(
            ElevenLabsConfig,
            DatabaseConfig,
            AmqpConfig,
            SyncConfig,
            (ReconcileConfig, ReportConfig),
        )>()?;
        if let (Some(from), Some(to)) = (&self.from, &self.to) {
            let Some(period) = Period::read(from, to, report.timezone) else { return Ok(Exit::Usage) };
            let history = History {
                client: elevenlabs.client()?,
                rate_limit: elevenlabs.rate_limit,
                agent_id: elevenlabs.agent_id,
                period,
                choice: Choice::Everything,
                is_rehearsal: self.dry_run,
            };
            return history.ask(&database, &amqp, self.json, shutdown).await;
        }
        let client = elevenlabs.client()?;
        let database = open::database(&database).await?;
        let client = open::budgeted(client, elevenlabs.rate_limit, &database);
        let broker = open::broker(&amqp).await?;
        let agent_id = elevenlabs.agent_id.as_ref();
        let reconciliation = Reconciliation {
            client: &client,
            database: &database,
            broker: &broker,
            agent_id,
            window: reconcile.window,
            since: sync.since,
        };
        let summary = if self.dry_run {
            reconciliation.rehearse(self.json, shutdown).await?
        } else {
            let run = async |lease: &Lease| reconciliation.run(lease, shutdown, &|| ()).await;
            match Lease::during(&database, scope(agent_id), run).await? {
                Ok(summary) => summary,
                Err(another) => {
                    log::error!("{another}");
                    return Ok(Exit::TryLater);
                }
            }
        };
        broker.close().await;
        if self.json {
            output::json(&summary)?;
        } else {
            output::line(&format!(
                "{}{summary}",
                if self.dry_run { "nothing was done; it would be " } else { "" }
            ))?;
        }
        Ok(if summary.failed == 0 { Exit::Done } else { Exit::Failed })
    }
}

impl Reconciliation<'_> {
    /// Reconciles when the last time is so long ago, or was never; `beat` is called for each page and each dead letter.
    pub(crate) async fn when_due(
        &self,
        every: Duration,
        lease: &Lease,
        shutdown: &Shutdown,
        beat: &(dyn Fn() + Sync),
    ) -> anyhow::Result<Option<Summary>> {
        let scope = lease.scope().to_owned();
        let is_due = self
            .database
            .run(move |connection| records::is_reconciliation_due(connection, &scope, every.as_secs_f64()))
            .await?;
        if !is_due || shutdown.soft().is_cancelled() {
            return Ok(None);
        }
        let summary = self.run(lease, shutdown, beat).await?;
        log::info!("reconciled: {summary}");
        Ok(Some(summary))
    }

    /// Reconciles, and enters when.
    async fn run(
        &self,
        lease: &Lease,
        shutdown: &Shutdown,
        beat: &(dyn Fn() + Sync),
    ) -> anyhow::Result<Summary> {
        let run = Run::begin(self.database, self.broker, lease, "reconcile").await?;
        let mut comparison = Comparison::new(*self, &run, shutdown, beat, Summary::default());
        let outcome = comparison.make().await;
        let summary = comparison.summary;
        let (asked, listed) = (summary.asked(), summary.listed);
        let known = listed.saturating_sub(asked - summary.lost);
        run.end(Counts { listed, published: asked, known, failed: summary.failed }, outcome.is_ok()).await?;
        outcome?;
        if summary.unpublished > 0 {
            log::error!("{} could not be asked for; the next pass reconciles again", summary.unpublished);
            return Ok(summary);
        }
        self.enter(lease).await?;
        Ok(summary)
    }

    /// Enters that it is done.
    pub(crate) async fn enter(&self, lease: &Lease) -> anyhow::Result<()> {
        let (scope, fence) = (lease.scope().to_owned(), lease.turn().fence);
        if !self.database.run(move |connection| records::mark_reconciled(connection, &scope, fence)).await? {
            bail!("another pass has taken over; it reconciles when it is due");
        }
        Ok(())
    }

    /// Says what would be asked for.
    async fn rehearse(&self, names: bool, shutdown: &Shutdown) -> anyhow::Result<Summary> {
        let summary = Summary { ids: names.then(BTreeMap::new), ..Summary::default() };
        let run = Run::rehearse(self.database);
        let mut comparison = Comparison::new(*self, &run, shutdown, &|| (), summary);
        comparison.make().await?;
        Ok(comparison.summary)
    }

    /// How long a job may be on its way: the whole ladder, and an hour.
    fn longest_way(&self) -> f64 {
        (self.broker.topology().ladder_span() + Duration::from_hours(1)).as_secs_f64()
    }

    /// Where the list begins.
    fn begins_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let window = TimeDelta::from_std(self.window).ok();
        window.and_then(|window| now.checked_sub_signed(window)).max(self.since)
    }
}

/// A reconciliation that is under way.
struct Comparison<'a> {
    of: Reconciliation<'a>,
    run: &'a Run<'a>,
    shutdown: &'a Shutdown,
    beat: &'a (dyn Fn() + Sync),
    summary: Summary,
    line: ProgressBar,
}

impl<'a> Comparison<'a> {
    fn new(
        of: Reconciliation<'a>,
        run: &'a Run<'a>,
        shutdown: &'a Shutdown,
        beat: &'a (dyn Fn() + Sync),
        summary: Summary,
    ) -> Self {
        Self { of, run, shutdown, beat, summary, line: progress::line() }
    }

    /// Makes both comparisons.
    async fn make(&mut self) -> anyhow::Result<()> {
        if !self.run.is_rehearsal() {
            // A job that killed its workers is dead, and not lost; only the broker knows of it yet.
            dead::book_crashed(self.of.broker, self.of.database, self.shutdown, true, self.beat).await?;
        }
        self.ask_for_lost().await?;
        self.compare_with_list().await?;
        self.line.finish_and_clear();
        Ok(())
    }

    /// Shows how far it is, and says whether to go on; asked once a page.
    fn go_on(&self) -> anyhow::Result<()> {
        self.line.set_message(self.summary.to_string());
        if self.summary.unpublished == 0 {
            (self.beat)();
        }
        self.run.go_on(self.shutdown)
    }
}
