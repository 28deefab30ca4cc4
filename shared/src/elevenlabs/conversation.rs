//! One conversation, as it leaves the parser: only fields on the list, and the caller's line for masking them.
//!
//! Everything else is skipped while parsing and never allocated: tool calls, rationales, prices, the copy of the whole
//! transcript that stands among the variables. Absent, `null` and the default are the same thing here. A body that has
//! the documented form is read at once ([`Wire`]); any other is given that form first, field by field, as far as it goes
//! ([`lenient`]). Only what is no JSON at all, or has no id, is no conversation.

use std::fmt;

use chrono::{DateTime, Utc};

use super::analysis::Analysis;
use super::body;
use super::caller_line::CallerLine;
use super::error::ApiError;
use super::lenient;
use super::oddities::Oddities;
use super::status::Status;
use super::wire::Wire;
use crate::ids::{AgentId, ConversationId};

/// A conversation, reduced to what may leave the process that fetched it, and to what masking needs.
pub struct Conversation {
    /// Its id.
    pub conversation_id: ConversationId,
    /// Who took the call; `None` also when the record's text cannot be an id.
    pub agent_id: Option<AgentId>,
    /// How far it has come.
    pub status: Status,
    /// What was said, in order.
    pub transcript: Vec<Turn>,
    /// When, how long, in which language.
    pub metadata: Metadata,
    /// What the source made of it; `None` before the analysis, and when it failed.
    pub analysis: Option<Analysis>,
    /// Who called: to be masked, never to be kept.
    pub caller_line: CallerLine,
    /// What had another form than is documented.
    pub oddities: Oddities,
}

/// One turn of the transcript.
pub struct Turn {
    /// Who spoke: `user`, `agent`.
    pub role: Option<String>,
    /// What was said; `None` on turns that only call tools.
    pub message: Option<String>,
    /// Since the beginning of the call; `None` also for a time that no call has.
    pub time_in_call_secs: Option<f64>,
}

/// What the record says of the call itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Metadata {
    /// When it started; `None` also for a start that no call can have had.
    pub start_time_unix_secs: Option<i64>,
    /// How long it was.
    pub call_duration_secs: Option<i64>,
    /// The language most of it was in, a code such as `es`.
    pub main_language: Option<String>,
    /// Where it began, in the source's own word: `twilio`, `widget`, `subagent_tool`.
    pub initiation_source: Option<String>,
}

impl Conversation {
    /// Parses a record of `GET /v1/convai/conversations/{conversation_id}`.
    ///
    /// # Errors
    /// [`ApiError::NotJson`] or, without an id, [`ApiError::Malformed`].
    pub fn parse(json: &[u8]) -> Result<Self, ApiError> {
        let documented = body::as_documented::<Wire<'_>>(json)
            .filter(|wire| !wire.has_unknown_turns())
            .and_then(|wire| wire.conversation(Oddities::default(), CallerLine::default()).ok());
        documented.map_or_else(|| lenient::conversation(json), Ok)
    }

    /// Whether there is something to store: a turn with text, or an analysis.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.analysis.is_some() || self.transcript.iter().any(Turn::has_text)
    }

    /// When the call started; `None` when the record has no start, or one that cannot be.
    #[must_use]
    pub fn started_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.metadata.start_time_unix_secs?, 0)
    }
}

impl Turn {
    /// Whether anything was said.
    #[must_use]
    pub fn has_text(&self) -> bool {
        self.message.as_deref().is_some_and(|text| !text.is_empty())
    }
}

impl fmt::Debug for Conversation {
    /// The id, the status and counts: nothing that was said.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Conversation")
            .field("conversation_id", &self.conversation_id)
            .field("status", &self.status)
            .field("turns", &self.transcript.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "tests/conversation.rs"]
mod tests;
