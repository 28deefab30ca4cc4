//! Pages of the list of conversations: what is asked, and what comes back.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::body;
use super::error::ApiError;
use super::lenient;
use super::number;
use super::status::Status;
use crate::ids::{AgentId, ConversationId};

/// The largest page the API gives.
pub const MAX_PAGE_SIZE: u8 = 100;

/// Which conversations are asked for: the parameters that the API has had since 2025-08, no newer ones.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListQuery {
    /// Only this agent's.
    pub agent_id: Option<AgentId>,
    /// Only those that started after this instant, unix seconds.
    pub call_start_after_unix: Option<i64>,
    /// Only those that started up to this instant, unix seconds.
    pub call_start_before_unix: Option<i64>,
    /// Where the page begins: the cursor of the page before it. The filters are sent again with it.
    pub cursor: Option<String>,
    /// How many at most, 1 to [`MAX_PAGE_SIZE`].
    pub page_size: u8,
}

impl Default for ListQuery {
    /// The first page, as large as can be, of everything.
    fn default() -> Self {
        Self {
            agent_id: None,
            call_start_after_unix: None,
            call_start_before_unix: None,
            cursor: None,
            page_size: MAX_PAGE_SIZE,
        }
    }
}

impl ListQuery {
    /// The query's parameters, in a fixed order.
    pub(super) fn parameters(&self) -> Vec<(&'static str, String)> {
        let page_size = self.page_size.clamp(1, MAX_PAGE_SIZE).to_string();
        [
            ("page_size", Some(page_size)),
            ("agent_id", self.agent_id.as_ref().map(ToString::to_string)),
            ("call_start_after_unix", self.call_start_after_unix.map(|instant| instant.to_string())),
            ("call_start_before_unix", self.call_start_before_unix.map(|instant| instant.to_string())),
            ("cursor", self.cursor.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

/// One page of the list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    /// The conversations with a usable id, newest first.
    pub items: Vec<ListItem>,
    /// How many items had no usable id.
    pub unusable: usize,
    /// Where the next page begins; `None` on the last.
    pub next_cursor: Option<String>,
    /// The API said that there is more, and not where: the list is not complete.
    pub is_cut_short: bool,
    /// When the API answered, by its own clock.
    pub served_at: Option<DateTime<Utc>>,
}

/// A conversation in the list. It needs nothing but an id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListItem {
    /// Its id.
    pub conversation_id: ConversationId,
    /// Who took the call.
    pub agent_id: Option<AgentId>,
    /// When the call started; `None` also for a start that cannot be.
    pub start: Option<DateTime<Utc>>,
    /// How far it has come.
    pub status: Status,
    /// How long it was, seconds.
    pub call_duration_secs: Option<i64>,
    /// The evaluation: `success`, `failure`, `unknown`.
    pub call_successful: Option<String>,
}

#[derive(Deserialize)]
struct Wire<'a> {
    // Each read on its own: one odd item must not sink the page.
    #[serde(borrow)]
    conversations: Vec<&'a RawValue>,
    #[serde(default)]
    has_more: Option<Value>,
    #[serde(default)]
    next_cursor: Option<Value>,
}

/// What is read of an item, each field whatever it is; the others, a summary among them, are skipped.
#[derive(Deserialize)]
struct ItemWire {
    conversation_id: Value,
    agent_id: Option<Value>,
    start_time_unix_secs: Option<Value>,
    status: Option<Value>,
    call_duration_secs: Option<Value>,
    call_successful: Option<Value>,
}

impl Page {
    /// Parses a page that was asked for with `query`.
    pub(super) fn parse(
        query: &ListQuery,
        body: &[u8],
        served_at: Option<DateTime<Utc>>,
    ) -> Result<Self, ApiError> {
        let mended;
        let wire: Wire<'_> = if let Some(wire) = body::as_documented(body) {
            wire
        } else {
            mended = lenient::json(body)?;
            body::of_shape(&mended)?
        };
        let has_more = wire.has_more.as_ref().and_then(flag);
        let items: Vec<ListItem> = wire.conversations.iter().copied().filter_map(ListItem::read).collect();
        let next_cursor =
            next_cursor(has_more, wire.next_cursor.as_ref().and_then(cursor), query.cursor.as_deref());
        let is_cut_short = has_more == Some(true) && next_cursor.is_none();
        Ok(Self {
            unusable: wire.conversations.len() - items.len(),
            items,
            next_cursor,
            is_cut_short,
            served_at,
        })
    }
}

impl ListItem {
    /// Reads an item as far as it goes: it needs nothing but its id.
    fn read(item: &RawValue) -> Option<Self> {
        let json = item.get();
        let documented = serde_json::from_str::<ItemWire>(json).ok();
        let item = documented.or_else(|| body::parse(json.as_bytes()).ok())?;
        let start = whole(item.start_time_unix_secs.as_ref()).and_then(number::start);
        Some(Self {
            conversation_id: ConversationId::parse(item.conversation_id.as_str()?).ok()?,
            agent_id: text(item.agent_id.as_ref()).and_then(|id| AgentId::parse(id).ok()),
            start: start.and_then(|unix_secs| DateTime::from_timestamp(unix_secs, 0)),
            status: text(item.status.as_ref()).map(Status::from).unwrap_or_default(),
            call_duration_secs: whole(item.call_duration_secs.as_ref()),
            call_successful: text(item.call_successful.as_ref()).map(Into::into),
        })
    }
}

/// A yes or no, also if it is written as a text.
pub(super) fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str()?.to_ascii_lowercase().parse().ok())
}

/// A cursor, also if it is a number.
pub(super) fn cursor(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A field's text, if it is one.
pub(super) fn text(field: Option<&Value>) -> Option<&str> {
    field?.as_str()
}

/// A field's number, whole, if it is one or a text that is one.
fn whole(field: Option<&Value>) -> Option<i64> {
    let value = field?;
    let written = || value.as_str()?.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    value.as_i64().or_else(|| value.as_f64().or_else(written).map(number::whole))
}

/// Where the next page begins. The list ends when the API says so, and also when it gives no cursor or the one it was
/// sent: following that would never end. A missing `has_more` leaves the word to the cursor.
pub(super) fn next_cursor(
    has_more: Option<bool>,
    next_cursor: Option<String>,
    sent: Option<&str>,
) -> Option<String> {
    next_cursor.filter(|next| has_more.unwrap_or(true) && !next.is_empty() && Some(next.as_str()) != sent)
}

#[cfg(test)]
#[path = "tests/page.rs"]
mod tests;
