//! A job as it travels: its body, and our own headers. They are the authority on attempts: brokers count differently, and
//! nothing that a broker wrote (`x-death`, `x-delivery-count`) is ever published again, since RabbitMQ 3.10 drops a
//! message that it believes to run in a circle.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use sha2::{Digest, Sha256};

use crate::ids::{self, ConversationId};
use crate::job::{FetchConversation, MESSAGE_TYPE, UndecodableJob};

const ATTEMPT: &str = "x-089-attempt";
const ERROR_CLASS: &str = "x-089-error-class";
const HTTP_STATUS: &str = "x-089-http-status";
const FIRST_FAILED_AT: &str = "x-089-first-failed-at";
const LAST_FAILED_AT: &str = "x-089-last-failed-at";
const REPLAYS: &str = "x-089-replays";

/// AMQP's delivery mode of a message that survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// Which of the two work queues a job goes through; the routing key, and `trabajos.carril`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Lane {
    /// Calls that started less than 24 h ago.
    Fetch,
    /// Older ones, which yield to the fresh.
    Backfill,
}

impl Lane {
    /// Both, the preferred one first.
    pub const ALL: [Self; 2] = [Self::Fetch, Self::Backfill];

    /// The lane of a call that started at `start`; one that does not say is taken for fresh.
    #[must_use]
    pub fn of(start: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        match start {
            Some(start) if now - start >= chrono::TimeDelta::hours(24) => Self::Backfill,
            _ => Self::Fetch,
        }
    }

    /// Its routing key.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Backfill => "backfill",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A text that names no lane.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no such lane: expected fetch or backfill")]
pub struct UnknownLane;

impl FromStr for Lane {
    type Err = UnknownLane;

    fn from_str(text: &str) -> Result<Self, UnknownLane> {
        Self::ALL.into_iter().find(|lane| lane.as_str() == text).ok_or(UnknownLane)
    }
}

/// Why a job failed, as its headers say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// The class of the error: `timeout`, `not_found`, …
    pub class: String,
    /// The API's answer, if there was one.
    pub http_status: Option<u16>,
    /// When it failed first, RFC 3339.
    pub first_failed_at: String,
    /// When it failed last, RFC 3339.
    pub last_failed_at: String,
}

/// A job and its history.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    body: Vec<u8>,
    id: Option<String>,
    /// Failed attempts so far, since it was asked for or last replayed.
    pub attempt: u32,
    /// How often it was replayed from the dead letters.
    pub replays: u32,
    /// Its last failure.
    pub failure: Option<Failure>,
    /// The broker itself moved it here from another queue: of what it writes, only that is looked at.
    pub was_moved_by_broker: bool,
}

impl Message {
    /// A job that nothing has happened to yet.
    #[must_use]
    pub fn new(job: &FetchConversation) -> Self {
        let id = Some(job.conversation_id.to_string());
        Self { body: job.encode(), id, attempt: 0, replays: 0, failure: None, was_moved_by_broker: false }
    }

    /// The job inside.
    ///
    /// # Errors
    /// [`UndecodableJob`] when there is none that this release understands.
    pub fn job(&self) -> Result<FetchConversation, UndecodableJob> {
        FetchConversation::decode(&self.body)
    }

    /// The conversation this is about: from the body, or else from the message's own id.
    #[must_use]
    pub fn conversation_id(&self) -> Option<ConversationId> {
        let from_body = self.job().ok().map(|job| job.conversation_id);
        from_body.or_else(|| ConversationId::parse(self.id.as_deref()?).ok())
    }

    /// What the book calls it: the conversation, or for a message that names none a name made of its content's hash, so
    /// that it can be counted, shown and discarded like any other.
    #[must_use]
    pub fn book_id(&self) -> String {
        self.conversation_id().map_or_else(
            || {
                let hash = Sha256::digest(&self.body);
                hash.iter().take(8).fold("broken_".to_owned(), |name, byte| format!("{name}{byte:02x}"))
            },
            |conversation_id| conversation_id.to_string(),
        )
    }

    /// The same job after one more failure; `spent` says whether it cost an attempt.
    #[must_use]
    pub fn failed(mut self, class: &str, http_status: Option<u16>, spent: bool, now: DateTime<Utc>) -> Self {
        let now = now.to_rfc3339_opts(SecondsFormat::Millis, true);
        let first_failed_at = self.failure.map_or_else(|| now.clone(), |failure| failure.first_failed_at);
        // A stranger's header may say that it is as many as there are.
        self.attempt = self.attempt.saturating_add(u32::from(spent));
        self.failure =
            Some(Failure { class: class.to_owned(), http_status, first_failed_at, last_failed_at: now });
        self
    }

    /// The same job, asked for anew: no attempt is spent, one more replay.
    #[must_use]
    pub fn replayed(mut self, replays: u32) -> Self {
        self.attempt = 0;
        self.replays = replays;
        self.failure = None;
        self
    }

    /// The body, as it is.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn properties(&self) -> BasicProperties {
        let mut headers = FieldTable::default();
        headers.insert(ATTEMPT.into(), AMQPValue::LongUInt(self.attempt));
        headers.insert(REPLAYS.into(), AMQPValue::LongUInt(self.replays));
        if let Some(failure) = &self.failure {
            headers.insert(ERROR_CLASS.into(), AMQPValue::LongString(failure.class.as_str().into()));
            headers.insert(
                FIRST_FAILED_AT.into(),
                AMQPValue::LongString(failure.first_failed_at.as_str().into()),
            );
            headers
                .insert(LAST_FAILED_AT.into(), AMQPValue::LongString(failure.last_failed_at.as_str().into()));
            if let Some(status) = failure.http_status {
                headers.insert(HTTP_STATUS.into(), AMQPValue::LongUInt(status.into()));
            }
        }
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/json".into())
            .with_type(MESSAGE_TYPE.into())
            .with_headers(headers);
        match &self.id {
            Some(message_id) => properties.with_message_id(message_id.as_str().into()),
            None => properties,
        }
    }

    /// Reads what arrived. Headers of another type or an impossible value count as absent: a stranger's message is no
    /// reason to stop.
    pub(super) fn received(body: Vec<u8>, properties: &BasicProperties) -> Self {
        let headers = properties.headers().as_ref();
        let value = |name| headers.and_then(|headers: &FieldTable| headers.inner().get(name));
        let number = |name| value(name).and_then(AMQPValue::as_long_uint);
        let text = |name| match value(name) {
            Some(AMQPValue::LongString(text)) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
            _ => None,
        };
        let failure = text(ERROR_CLASS).filter(|class| ids::is_id(class)).map(|class| Failure {
            class,
            http_status: number(HTTP_STATUS).and_then(|status| u16::try_from(status).ok()),
            first_failed_at: text(FIRST_FAILED_AT).unwrap_or_default(),
            last_failed_at: text(LAST_FAILED_AT).unwrap_or_default(),
        });
        let id = properties.message_id().as_ref().map(ToString::to_string);
        Self {
            body,
            id,
            attempt: number(ATTEMPT).unwrap_or(0),
            replays: number(REPLAYS).unwrap_or(0),
            failure,
            was_moved_by_broker: value("x-death").is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_survive_the_way_and_strangers_are_left_behind() {
        let now = DateTime::UNIX_EPOCH;
        let job = FetchConversation::decode(br#"{"v":1,"conversation_id":"conv_1"}"#).expect("a job");
        let failed = Message::new(&job).failed("timeout", None, true, now).failed(
            "server_error",
            Some(503),
            true,
            now,
        );
        assert_eq!(failed.attempt, 2);
        let mut properties = failed.properties();
        let mut headers = properties.headers().clone().expect("our headers");
        headers.insert("x-death".into(), AMQPValue::LongUInt(1));
        properties = properties.with_headers(headers);
        let received = Message::received(failed.body.clone(), &properties);
        assert_eq!(received, Message { was_moved_by_broker: true, ..failed.clone() });
        let again = received.properties();
        assert!(!again.headers().as_ref().expect("our headers").inner().contains_key("x-death"));
        assert_eq!(received.conversation_id().map(|id| id.to_string()).as_deref(), Some("conv_1"));
        assert_eq!(received.replayed(1).attempt, 0);
    }

    #[test]
    fn a_strangers_headers_are_read_as_none() {
        let mut headers = FieldTable::default();
        headers.insert(ATTEMPT.into(), AMQPValue::LongString("many".into()));
        let message = Message::received(vec![0xff], &BasicProperties::default().with_headers(headers));
        assert_eq!((message.attempt, message.failure.clone(), message.conversation_id()), (0, None, None));
        assert!(message.job().is_err());
    }

    #[test]
    fn a_strangers_attempts_may_be_as_many_as_there_are() {
        let mut headers = FieldTable::default();
        headers.insert(ATTEMPT.into(), AMQPValue::LongUInt(u32::MAX));
        let message = Message::received(Vec::new(), &BasicProperties::default().with_headers(headers));
        assert_eq!(message.failed("timeout", None, true, DateTime::UNIX_EPOCH).attempt, u32::MAX);
    }

    #[test]
    fn a_call_of_a_day_ago_is_backfill() {
        let now = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(9);
        let ago = |hours| Some(now - chrono::TimeDelta::hours(hours));
        assert_eq!(Lane::of(ago(23), now), Lane::Fetch);
        assert_eq!(Lane::of(ago(24), now), Lane::Backfill);
        assert_eq!(Lane::of(None, now), Lane::Fetch);
    }
}
