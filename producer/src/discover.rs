//! The first step: asks the API which conversations there are, a page at a time.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::bail;
use chrono::{DateTime, TimeDelta, Utc};
use shared::elevenlabs::{ApiError, Client, ListQuery, MAX_PAGE_SIZE, Page};
use shared::ids::{AgentId, ConversationId};
use tokio::time::Instant;

use crate::open::{AGAIN, PATIENCE};

/// Whether `call_start_after_unix` includes its second is documented nowhere.
const BEFORE: TimeDelta = TimeDelta::seconds(1);

/// A listing that is under way.
#[derive(Debug)]
pub(crate) struct Discover {
    client: Client,
    query: ListQuery,
    is_done: bool,
    is_cut_short: bool,
    /// The ids of the page before: the API may repeat one across pages.
    last_page: HashSet<ConversationId>,
}

impl Discover {
    /// A listing of what began between two instants; without one, from the beginning, or to the end.
    pub(crate) fn new(
        client: Client,
        agent_id: Option<AgentId>,
        since: Option<DateTime<Utc>>,
        before: Option<DateTime<Utc>>,
    ) -> Self {
        let query = ListQuery {
            agent_id,
            call_start_after_unix: since.map(|since| (since - BEFORE).timestamp().max(0)),
            call_start_before_unix: before.map(|before| before.timestamp()),
            cursor: None,
            page_size: MAX_PAGE_SIZE,
        };
        Self { client, query, is_done: false, is_cut_short: false, last_page: HashSet::new() }
    }

    /// The next page, with each conversation once; `None` after the last.
    /// A list that is cut short is an error once its last page was taken.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Page>> {
        if self.is_cut_short {
            bail!(
                "the API says that there are more conversations, and not where; the next time begins here again"
            );
        }
        if self.is_done {
            return Ok(None);
        }
        let mut page = ask(|| self.client.list_conversations(&self.query)).await?;
        self.query.cursor.clone_from(&page.next_cursor);
        self.is_done = page.next_cursor.is_none();
        self.is_cut_short = page.is_cut_short;
        let mut this_page = HashSet::with_capacity(page.items.len());
        page.items.retain(|item| {
            let is_new = this_page.insert(item.conversation_id.clone());
            is_new && !self.last_page.contains(&item.conversation_id)
        });
        self.last_page = this_page;
        if page.unusable > 0 {
            log::error!("{} items of a page name no conversation that could be asked for", page.unusable);
        }
        Ok(Some(page))
    }
}

/// So long a throttle is sat out, if no single wait is too long: whoever else asks may take what the API allows for a while.
const THROTTLED_FOR: Duration = Duration::from_mins(2);

/// Asks again what may pass, for as long as a one-shot verb waits; a Retry-After beyond that is not sat out, a throttle
/// that lasts is.
pub(crate) async fn ask<T>(request: impl AsyncFn() -> Result<T, ApiError>) -> Result<T, ApiError> {
    let began = Instant::now();
    let mut failures = 0;
    loop {
        let error = match request().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        failures += 1;
        let again = AGAIN.delay(failures, rand::random());
        let (wait, patience) = match &error {
            ApiError::Throttled { retry_after, .. } => {
                let wait = retry_after.filter(|wait| !wait.is_zero());
                // Those who were refused together do not come back together.
                let wait = wait.map_or(again, |wait| wait + again.min(wait) / 4);
                (wait, THROTTLED_FOR)
            }
            error if error.is_service_level() => (again, PATIENCE),
            _ => return Err(error),
        };
        if wait > PATIENCE || began.elapsed() + wait > patience {
            return Err(error);
        }
        log::debug!("asking again in {} ms: {error}", wait.as_millis());
        tokio::time::sleep(wait).await;
    }
}
