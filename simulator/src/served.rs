//! What was served, counted.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// What was served since the start or the last reset; requests to `/control` are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Served {
    /// Requests for a page of conversations.
    pub list: u64,
    /// Requests for one conversation.
    pub detail: u64,
    /// Requests for a page of agents.
    pub agents_list: u64,
    /// Requests for one agent.
    pub agent_detail: u64,
    /// Requests to any other route.
    pub other: u64,
    /// Answers with a status 2xx, broken ones included.
    pub status_2xx: u64,
    /// Answers with status 400.
    pub status_400: u64,
    /// Answers with status 401.
    pub status_401: u64,
    /// Answers with status 404 or 405.
    pub status_404: u64,
    /// Answers with status 422.
    pub status_422: u64,
    /// Answers with status 429.
    pub status_429: u64,
    /// Answers with a status 5xx.
    pub status_5xx: u64,
    /// Connections cut on purpose; they count under no status.
    pub dropped: u64,
    /// Broken bodies sent.
    pub malformed: u64,
    /// HTML pages sent.
    pub html: u64,
    /// Bodies that dripped.
    pub slow: u64,
    /// Ids put on two pages.
    pub repeated: u64,
    /// Requests being answered now.
    pub in_flight: u32,
    /// Most requests that were being answered at once.
    pub max_in_flight: u32,
    /// When the first request for a page of conversations came, in microseconds of Unix time.
    pub first_list_unix_us: Option<u64>,
    /// When the last answer to one was ready, likewise.
    pub last_list_unix_us: Option<u64>,
    /// When the first request for one conversation came, likewise.
    pub first_detail_unix_us: Option<u64>,
    /// When the last answer to one was ready, likewise.
    pub last_detail_unix_us: Option<u64>,
    /// Requests for each conversation's detail, by id; ids that do not exist are counted too.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub details_by_id: BTreeMap<String, u64>,
}

impl Served {
    /// Requests of every kind.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.list + self.detail + self.agents_list + self.agent_detail + self.other
    }

    pub(crate) fn count_list(&mut self) {
        self.list += 1;
        self.first_list_unix_us.get_or_insert_with(unix_us);
    }

    pub(crate) fn count_detail(&mut self) {
        self.detail += 1;
        self.first_detail_unix_us.get_or_insert_with(unix_us);
    }

    pub(crate) fn answered_list(&mut self) {
        self.last_list_unix_us = Some(unix_us());
    }

    pub(crate) fn answered_detail(&mut self) {
        self.last_detail_unix_us = Some(unix_us());
    }

    pub(crate) fn count_status(&mut self, status: u16) {
        let counter = match status {
            200..=299 => &mut self.status_2xx,
            401 => &mut self.status_401,
            404 | 405 => &mut self.status_404,
            422 => &mut self.status_422,
            429 => &mut self.status_429,
            500..=599 => &mut self.status_5xx,
            _ => &mut self.status_400,
        };
        *counter += 1;
    }
}

/// Unix time, microseconds.
fn unix_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
