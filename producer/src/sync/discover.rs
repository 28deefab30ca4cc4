//! The first step: asks the API which conversations there are, a page at a time.

use chrono::{DateTime, TimeDelta, Utc};
use shared::elevenlabs::{ApiError, Client, ListQuery, MAX_PAGE_SIZE, Page};
use shared::ids::AgentId;
use tokio::time::Instant;

use crate::open::{AGAIN, PATIENCE};

/// Whether `call_start_after_unix` includes its second is documented nowhere.
const BEFORE: TimeDelta = TimeDelta::seconds(1);

/// A listing that is under way.
#[derive(Debug)]
pub(super) struct Discover {
    client: Client,
    query: ListQuery,
    is_done: bool,
}

impl Discover {
    /// A listing of what began after `since`, or of everything.
    pub(super) fn new(client: Client, agent_id: Option<AgentId>, since: Option<DateTime<Utc>>) -> Self {
        let query = ListQuery {
            agent_id,
            call_start_after_unix: since.map(|since| (since - BEFORE).timestamp().max(0)),
            call_start_before_unix: None,
            cursor: None,
            page_size: MAX_PAGE_SIZE,
        };
        Self { client, query, is_done: false }
    }

    /// The next page; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, ApiError> {
        if self.is_done {
            return Ok(None);
        }
        let page = ask(|| self.client.list_conversations(&self.query)).await?;
        self.query.cursor.clone_from(&page.next_cursor);
        self.is_done = page.next_cursor.is_none();
        Ok(Some(page))
    }
}

/// Asks again what may pass, for as long as a one-shot verb waits; a Retry-After beyond that is not sat out.
pub(super) async fn ask<T>(request: impl AsyncFn() -> Result<T, ApiError>) -> Result<T, ApiError> {
    let began = Instant::now();
    let mut failures = 0;
    loop {
        let error = match request().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        failures += 1;
        let wait = match &error {
            ApiError::Throttled { retry_after: Some(retry_after), .. } if !retry_after.is_zero() => {
                *retry_after
            }
            ApiError::Throttled { .. } => AGAIN.delay(failures, rand::random()),
            error if error.is_service_level() => AGAIN.delay(failures, rand::random()),
            _ => return Err(error),
        };
        if began.elapsed() + wait > PATIENCE {
            return Err(error);
        }
        log::debug!("asking again in {} ms: {error}", wait.as_millis());
        tokio::time::sleep(wait).await;
    }
}
