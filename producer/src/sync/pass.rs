//! A pass: page after page until the list ends, then the names, then the cursor; and the reconciliation when it is due.

use std::collections::{BTreeSet, HashSet};
use std::pin::pin;

use anyhow::bail;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use shared::config::{ReconcileConfig, SyncConfig};
use shared::database::{Database, book};
use shared::elevenlabs::{Client, Page};
use shared::ids::AgentId;
use shared::progress;
use shared::queue::Broker;
use shared::shutdown::Shutdown;

use super::{Summary, agents};
use crate::dead;
use crate::discover::Discover;
use crate::lease::Lease;
use crate::publish::Wanted;
use crate::reconcile::Reconciliation;
use crate::records::{self, Counts};
use crate::run::Run;

/// Pages in hand at once: while one is being published and recorded, the next one is listed.
const PAGES_AT_ONCE: usize = 2;

/// What a pass needs.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) client: Client,
    pub(super) database: Database,
    pub(super) broker: Broker,
    pub(super) agent_id: Option<AgentId>,
    pub(super) config: SyncConfig,
    pub(super) reconcile: ReconcileConfig,
}

/// What a pass, or a page of it, has seen; not what the calls are.
#[derive(Debug, Default)]
struct Seen {
    counts: Counts,
    /// Jobs that the broker did not take: these keep the cursor back.
    unpublished: usize,
    agents: BTreeSet<AgentId>,
    /// The newest start that is not after the pass's own: a clock gone wrong must not hide what comes later.
    newest: Option<DateTime<Utc>>,
}

impl Pass {
    /// Makes the pass, and enters how it ended.
    pub(super) async fn run(
        &self,
        lease: &Lease,
        shutdown: &Shutdown,
        beat: &(dyn Fn() + Sync),
    ) -> anyhow::Result<Summary> {
        let run = Run::begin(&self.database, &self.broker, lease, "sync").await?;
        let mut seen = Seen::default();
        let outcome = self.list(lease, shutdown, &run, &mut seen, beat).await;
        run.end(seen.counts, outcome.is_ok()).await?;
        outcome?;
        let booked = dead::book_crashed(&self.broker, &self.database, shutdown, false, beat).await;
        if let Err(error) = booked {
            log::warn!("the dead letters could not be looked through: {error:#}");
        }
        let reconciled = if seen.unpublished > 0 {
            // What could not be asked for is asked for by the next pass, not a second time by this one.
            None
        } else if lease.turn().listed_until.is_none() && seen.counts.known == 0 && seen.counts.published > 0 {
            // A first pass that has asked for all that is listed: a comparison would only make the list once more. What other
            // verbs asked for and is lost is looked for the next time.
            self.reconciliation().enter(lease).await?;
            None
        } else {
            self.reconciliation().when_due(self.reconcile.every, lease, shutdown, beat).await?
        };
        Ok(Summary { counts: seen.counts, reconciled })
    }

    fn reconciliation(&self) -> Reconciliation<'_> {
        Reconciliation {
            client: &self.client,
            database: &self.database,
            broker: &self.broker,
            agent_id: self.agent_id.as_ref(),
            window: self.reconcile.window,
            since: self.config.since,
        }
    }

    async fn list(
        &self,
        lease: &Lease,
        shutdown: &Shutdown,
        run: &Run<'_>,
        seen: &mut Seen,
        beat: &(dyn Fn() + Sync),
    ) -> anyhow::Result<()> {
        let overlap = chrono::TimeDelta::from_std(self.config.overlap)?;
        let since = lease.turn().listed_until.map(|until| until - overlap).max(self.config.since);
        let discover = Discover::new(self.client.clone(), self.agent_id.clone(), since, None);
        let line = progress::line();
        // By the API's clock, when the pass began.
        let mut began_at = None;
        // A stop ends the list at once, a page that failed ends it too; the other page in hand is published and recorded all
        // the same: what is published and in no book is asked for twice.
        let listing = shutdown.soft().child_token();
        let pages = stream::unfold(discover, async |mut discover| {
            let page = listing.run_until_cancelled(discover.next()).await?.transpose()?;
            Some((page, discover))
        });
        let taken = pages
            .map(|page| {
                let page =
                    page.map(|page| (*began_at.get_or_insert(page.served_at.unwrap_or_else(now)), page));
                async move {
                    let (began_at, page) = page?;
                    self.take(page, began_at, run).await
                }
            })
            .buffered(PAGES_AT_ONCE);
        let mut taken = pin!(taken);
        let mut outcome = Ok(());
        while let Some(page) = taken.next().await {
            let page = page.and_then(|page| {
                if page.unpublished == 0 {
                    beat();
                }
                seen.add(page);
                let Counts { listed, published, .. } = seen.counts;
                line.set_message(format!("{listed} listed, {published} published"));
                run.go_on(shutdown)
            });
            if page.is_err() {
                listing.cancel();
            }
            outcome = outcome.and(page);
        }
        outcome?;
        run.go_on(shutdown)?;
        line.finish_and_clear();
        if let Err(error) =
            agents::refresh(&self.client, &self.database, std::mem::take(&mut seen.agents)).await
        {
            log::warn!("the agents' names could not be brought up to date: {error:#}");
        }
        self.move_cursor(lease, seen).await
    }

    /// One page: what is new of it is published and recorded.
    async fn take(&self, page: Page, began_at: DateTime<Utc>, run: &Run<'_>) -> anyhow::Result<Seen> {
        let mut seen = Seen::of(&page, began_at);
        let ids: Vec<String> = page.items.iter().map(|item| item.conversation_id.to_string()).collect();
        let known = self.database.run(move |connection| book::known(connection, &ids)).await?;
        let known: HashSet<String> = known.into_iter().collect();
        let is_new = |wanted: &Wanted| !known.contains(wanted.conversation_id.as_str());
        let new: Vec<Wanted> = page.items.into_iter().map(Wanted::from).filter(is_new).collect();
        let count = run.ask(&new).await?;
        let failed = new.len() - count;
        seen.counts.known = known.len() as u64;
        seen.counts.published = count as u64;
        seen.counts.failed += failed as u64;
        seen.unpublished = failed;
        // A page with nothing new is what a schedule mostly meets.
        let level = if new.is_empty() { log::Level::Debug } else { log::Level::Info };
        log::log!(
            level, published = count, known = known.len(), failed;
            "page taken: {count} published, {} known, {failed} failed", known.len()
        );
        Ok(seen)
    }

    /// Last of all, and only when nothing failed.
    async fn move_cursor(&self, lease: &Lease, seen: &Seen) -> anyhow::Result<()> {
        if seen.unpublished > 0 {
            log::error!(
                "{} could not be asked for; the cursor stays, so the next pass asks again",
                seen.unpublished
            );
            return Ok(());
        }
        let Some(listed_until) = seen.newest else { return Ok(()) };
        let (scope, fence) = (lease.scope().to_owned(), lease.turn().fence);
        let moved = self
            .database
            .run(move |connection| records::move_cursor(connection, &scope, fence, listed_until))
            .await?;
        if !moved {
            bail!("another pass has taken over; the cursor is its to move");
        }
        Ok(())
    }
}

impl Seen {
    /// What is seen in a page of a pass that began then.
    fn of(page: &Page, began_at: DateTime<Utc>) -> Self {
        let mut seen = Self::default();
        seen.counts.failed = page.unusable as u64;
        seen.counts.listed = page.items.len() as u64;
        for item in &page.items {
            seen.newest = seen.newest.max(item.start.filter(|&start| start <= began_at));
            seen.agents.extend(item.agent_id.clone());
        }
        seen
    }

    fn add(&mut self, page: Self) {
        self.counts += page.counts;
        self.unpublished += page.unpublished;
        self.agents.extend(page.agents);
        self.newest = self.newest.max(page.newest);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the clock is read here, for an API that does not tell the time"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
