//! A pass: page after page until the list ends, then the names, then the cursor.

use std::collections::{BTreeSet, HashSet};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use shared::config::SyncConfig;
use shared::database::{Database, book};
use shared::elevenlabs::{Client, ListItem, Page};
use shared::ids::{AgentId, ConversationId};
use shared::progress;
use shared::queue::{Broker, Publisher};
use shared::shutdown::Shutdown;

use super::discover::Discover;
use super::{Summary, agents, publish};
use crate::lease::Lease;
use crate::records::{self, Counts};

const STOPPED: &str = "stopped in the middle of a pass; the next one begins where this one did";

/// What a pass needs.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) client: Client,
    pub(super) database: Database,
    pub(super) broker: Broker,
    pub(super) agent_id: Option<AgentId>,
    pub(super) config: SyncConfig,
}

/// What a pass has seen so far; a page at most is held of it.
#[derive(Debug, Default)]
struct Seen {
    counts: Counts,
    /// Jobs that the broker did not take: these keep the cursor back.
    unpublished: usize,
    agents: BTreeSet<AgentId>,
    /// The newest start that is not after the pass's own: a clock gone wrong must not hide what comes later.
    newest: Option<DateTime<Utc>>,
    /// By the API's clock, when it began.
    began_at: Option<DateTime<Utc>>,
    /// The ids of the page before: the API may repeat one across pages.
    last_page: HashSet<ConversationId>,
}

impl Pass {
    /// Makes the pass, and enters how it ended.
    pub(super) async fn run(
        &self,
        lease: &Lease,
        shutdown: &Shutdown,
        page_taken: &(dyn Fn() + Sync),
    ) -> anyhow::Result<Summary> {
        let scope = lease.scope().to_owned();
        let run_id =
            self.database.run(move |connection| records::begin_run(connection, &scope, "sync")).await?;
        let mut seen = Seen::default();
        let outcome = self.list(lease, shutdown, &run_id, &mut seen, page_taken).await;
        let counts = seen.counts;
        let result = match (&outcome, counts.failed) {
            (Ok(()), 0) => "completa",
            (Ok(()), _) => "incompleta",
            (Err(_), _) => "interrumpida",
        };
        self.database.run(move |connection| records::end_run(connection, &run_id, counts, result)).await?;
        outcome?;
        if let Err(error) = crate::dead::book_crashed(&self.broker, &self.database, shutdown).await {
            log::warn!("the dead letters could not be looked through: {error:#}");
        }
        let Counts { listed, published, known, failed } = counts;
        Ok(Summary { listed, published, known, failed })
    }

    async fn list(
        &self,
        lease: &Lease,
        shutdown: &Shutdown,
        run_id: &str,
        seen: &mut Seen,
        page_taken: &(dyn Fn() + Sync),
    ) -> anyhow::Result<()> {
        let publisher = self.broker.publisher().await?;
        let overlap = chrono::TimeDelta::from_std(self.config.overlap)?;
        let since = lease.turn().listed_until.map(|until| until - overlap).max(self.config.since);
        let mut discover = Discover::new(self.client.clone(), self.agent_id.clone(), since);
        let line = progress::line();
        // A page is held, and then finished and recorded, only once it is here: until then, a stop ends the pass at once.
        while let Some(page) =
            shutdown.soft().run_until_cancelled(discover.next()).await.context(STOPPED)??
        {
            let is_cut_short = page.is_cut_short;
            if self.take(page, &publisher, run_id, seen).await? {
                page_taken();
            }
            if is_cut_short {
                bail!("the API says that there are more conversations, and not where; the cursor stays");
            }
            let Counts { listed, published, .. } = seen.counts;
            line.set_message(format!("{listed} listed, {published} published"));
            if lease.lost().is_cancelled() {
                bail!("another pass has taken over; this one gave no sign for too long");
            }
        }
        line.finish_and_clear();
        if let Err(error) =
            agents::refresh(&self.client, &self.database, std::mem::take(&mut seen.agents)).await
        {
            log::warn!("the agents' names could not be brought up to date: {error:#}");
        }
        self.move_cursor(lease, seen).await
    }

    /// One page: what is new of it is published and recorded. `false` when some of it could not be.
    async fn take(
        &self,
        page: Page,
        publisher: &Publisher,
        run_id: &str,
        seen: &mut Seen,
    ) -> anyhow::Result<bool> {
        #[expect(clippy::disallowed_methods, reason = "the clock is read once a page")]
        let now = Utc::now();
        let began_at = *seen.began_at.get_or_insert(page.served_at.unwrap_or(now));
        let items = seen.enter(page, began_at);
        let ids: Vec<String> = items.iter().map(|item| item.conversation_id.to_string()).collect();
        let known = self.database.run(move |connection| book::known(connection, &ids)).await?;
        let known: HashSet<String> = known.into_iter().collect();
        let new: Vec<ListItem> =
            items.into_iter().filter(|item| !known.contains(item.conversation_id.as_str())).collect();
        let confirmed = publish::publish(publisher, &new, run_id, now).await;
        let count = confirmed.len();
        let failed = new.len() - count;
        let run_id = run_id.to_owned();
        self.database.run(move |connection| book::record(connection, &run_id, &confirmed)).await?;
        seen.counts.known += known.len() as u64;
        seen.counts.published += count as u64;
        seen.counts.failed += failed as u64;
        seen.unpublished += failed;
        // A page with nothing new is what a schedule mostly meets.
        let level = if new.is_empty() { log::Level::Debug } else { log::Level::Info };
        log::log!(
            level, published = count, known = known.len(), failed;
            "page taken: {count} published, {} known, {failed} failed", known.len()
        );
        Ok(failed == 0)
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
    /// Counts a page of a pass that began then, and returns its conversations once each.
    fn enter(&mut self, page: Page, began_at: DateTime<Utc>) -> Vec<ListItem> {
        if page.unusable > 0 {
            log::error!("{} items of a page name no conversation that could be asked for", page.unusable);
            self.counts.failed += page.unusable as u64;
        }
        let mut this_page = HashSet::with_capacity(page.items.len());
        let mut items = page.items;
        items.retain(|item| {
            let is_new = this_page.insert(item.conversation_id.clone());
            is_new && !self.last_page.contains(&item.conversation_id)
        });
        self.last_page = this_page;
        self.counts.listed += items.len() as u64;
        for item in &items {
            self.newest = self.newest.max(item.start.filter(|&start| start <= began_at));
            self.agents.extend(item.agent_id.clone());
        }
        items
    }
}
