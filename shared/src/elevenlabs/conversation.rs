//! One conversation, as it leaves the parser: only fields on the list, and the caller's line for masking them.
//!
//! Everything else is skipped while parsing and never allocated: tool calls, `dynamic_variables` (they hold a copy of
//! the whole transcript), rationales, prices. Absent, `null` and the default are the same thing here; a field that is
//! needed and has another type makes the whole body malformed.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::analysis::{Analysis, AnalysisWire};
use super::body;
use super::caller_line::{CallerLine, Identifier};
use super::error::ApiError;
use super::number;
use super::status::Status;
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
}

/// One turn of the transcript.
pub struct Turn {
    /// Who spoke: `user`, `agent`.
    pub role: Option<String>,
    /// What was said; `None` on turns that only call tools.
    pub message: Option<String>,
    /// Since the beginning of the call.
    pub time_in_call_secs: Option<f64>,
}

/// What the record says of the call itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Metadata {
    /// When it started.
    pub start_time_unix_secs: Option<i64>,
    /// How long it was.
    pub call_duration_secs: Option<i64>,
    /// The language most of it was in, a code such as `es`.
    pub main_language: Option<String>,
}

impl Conversation {
    /// Parses a record of `GET /v1/convai/conversations/{conversation_id}`.
    ///
    /// # Errors
    /// [`ApiError::NotJson`] or [`ApiError::Malformed`].
    pub fn parse(json: &[u8]) -> Result<Self, ApiError> {
        body::parse::<Wire>(json).map(Self::from)
    }

    /// Whether there is something to store: a turn with text, or an analysis.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.analysis.is_some() || self.transcript.iter().any(Turn::has_text)
    }

    /// When the call started; `None` when the record has no start, zero for one, or one outside the calendar.
    #[must_use]
    pub fn started_at(&self) -> Option<DateTime<Utc>> {
        let unix_secs = self.metadata.start_time_unix_secs?;
        let is_sane = (1..=LATEST_UNIX_SECS).contains(&unix_secs);
        is_sane.then(|| DateTime::from_timestamp(unix_secs, 0)).flatten()
    }
}

impl Turn {
    /// Whether anything was said.
    #[must_use]
    pub fn has_text(&self) -> bool {
        self.message.as_deref().is_some_and(|text| !text.is_empty())
    }
}

/// The last second of the year 9999: milliseconds taken for seconds land beyond it.
const LATEST_UNIX_SECS: i64 = 253_402_300_799;

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

#[derive(Deserialize)]
struct Wire {
    conversation_id: ConversationId,
    #[serde(default)]
    agent_id: Option<String>,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default)]
    user_id: Identifier,
    #[serde(default)]
    transcript: Option<Vec<Option<TurnWire>>>,
    #[serde(default)]
    metadata: Option<MetadataWire>,
    #[serde(default)]
    analysis: Option<AnalysisWire>,
    #[serde(default)]
    conversation_initiation_client_data: Option<ClientDataWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TurnWire {
    role: Option<String>,
    message: Option<String>,
    #[serde(deserialize_with = "number::seconds")]
    time_in_call_secs: Option<f64>,
    user_identifier: Identifier,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MetadataWire {
    #[serde(deserialize_with = "number::whole_seconds")]
    start_time_unix_secs: Option<i64>,
    #[serde(deserialize_with = "number::whole_seconds")]
    call_duration_secs: Option<i64>,
    main_language: Option<String>,
    phone_call: Option<PhoneCallWire>,
    whatsapp: Option<WhatsAppWire>,
    sms: Option<SmsWire>,
    batch_call: Option<BatchCallWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PhoneCallWire {
    external_number: Identifier,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WhatsAppWire {
    whatsapp_user_id: Identifier,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SmsWire {
    sms_user_phone_number: Identifier,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BatchCallWire {
    batch_call_recipient_id: Identifier,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClientDataWire {
    user_id: Identifier,
    dynamic_variables: Option<DynamicVariablesWire>,
}

/// The one variable that identifies the caller; the others are skipped.
#[derive(Default, Deserialize)]
#[serde(default)]
struct DynamicVariablesWire {
    #[serde(rename = "system__caller_id")]
    caller_id: Identifier,
}

impl From<Wire> for Conversation {
    fn from(wire: Wire) -> Self {
        let metadata = wire.metadata.unwrap_or_default();
        let client_data = wire.conversation_initiation_client_data.unwrap_or_default();
        let mut line = vec![
            metadata.phone_call.unwrap_or_default().external_number,
            metadata.whatsapp.unwrap_or_default().whatsapp_user_id,
            metadata.sms.unwrap_or_default().sms_user_phone_number,
            metadata.batch_call.unwrap_or_default().batch_call_recipient_id,
            client_data.dynamic_variables.unwrap_or_default().caller_id,
            client_data.user_id,
            wire.user_id,
        ];
        let mut transcript = Vec::new();
        for turn in wire.transcript.unwrap_or_default().into_iter().flatten() {
            line.push(turn.user_identifier);
            let TurnWire { role, message, time_in_call_secs, .. } = turn;
            transcript.push(Turn { role, message, time_in_call_secs });
        }
        Self {
            conversation_id: wire.conversation_id,
            agent_id: wire.agent_id.and_then(|id| AgentId::parse(&id).ok()),
            status: wire.status.unwrap_or_default(),
            transcript,
            metadata: Metadata {
                start_time_unix_secs: metadata.start_time_unix_secs,
                call_duration_secs: metadata.call_duration_secs,
                main_language: metadata.main_language,
            },
            analysis: wire.analysis.map(Analysis::from),
            caller_line: line.into_iter().collect(),
        }
    }
}

#[cfg(test)]
#[path = "tests/conversation.rs"]
mod tests;
