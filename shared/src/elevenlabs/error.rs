//! Why the API gave no answer: classes, statuses and machine codes.
//!
//! No variant can hold a word of a body, a header value or a URL, so no log line can either.

use std::fmt;
use std::io;
use std::time::Duration;

/// The machine-readable part of an error body: up to three short tokens. The source names the same fact in `type`,
/// `code` and the older `status`, not always alike, so all three are kept.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Detail {
    pub(super) tokens: [Option<Box<str>>; 3],
}

impl Detail {
    /// Whether `type`, `code` or `status` is this token.
    #[must_use]
    pub fn says(&self, token: &str) -> bool {
        self.tokens().any(|own| own == token)
    }

    /// The tokens there are, the most general first.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().flatten().map(AsRef::as_ref)
    }
}

impl fmt::Display for Detail {
    /// ` (authentication_error, unauthorized, invalid_api_key)`, or nothing.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, token) in self.tokens().enumerate() {
            write!(formatter, "{}{token}", if position == 0 { " (" } else { ", " })?;
        }
        formatter.write_str(if self.tokens().next().is_some() { ")" } else { "" })
    }
}

/// Where a connection was lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// No connection came about: name, route, port.
    Connect,
    /// The two sides could not agree on TLS, or the certificate is not trusted.
    Tls,
    /// The request was sent, no answer began.
    Answer,
    /// The answer broke off.
    Body,
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connect => "while connecting",
            Self::Tls => "while agreeing on TLS",
            Self::Answer => "before an answer",
            Self::Body => "in the middle of an answer",
        })
    }
}

/// Why a request to the API gave no usable answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ApiError {
    /// 429: too many requests; the source may say when to come back.
    #[error("throttled{detail}")]
    Throttled {
        /// How long to wait, at most a day.
        retry_after: Option<Duration>,
        /// What the body said.
        detail: Detail,
    },
    /// 401 or 403: the key is wrong, lacks a permission, or is not allowed from here.
    #[error("the API key is refused: status {status}{detail}")]
    KeyRefused {
        /// The HTTP status.
        status: u16,
        /// What the body said.
        detail: Detail,
    },
    /// 404 that says the conversation or the agent does not exist.
    #[error("not found{detail}")]
    NotFound {
        /// What the body said.
        detail: Detail,
    },
    /// Any other 404: what answers is not the API, or not this version of it.
    #[error("no such route{detail}")]
    RouteNotFound {
        /// What the body said.
        detail: Detail,
    },
    /// 400 or 422: this request will never be accepted.
    #[error("refused: status {status}{detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the body said.
        detail: Detail,
    },
    /// 5xx.
    #[error("server error: status {status}{detail}")]
    ServerError {
        /// The HTTP status.
        status: u16,
        /// What the body said.
        detail: Detail,
    },
    /// A redirect (never followed), 402, or another status that is no answer to the question.
    #[error("unexpected status {status}{detail}")]
    Service {
        /// The HTTP status.
        status: u16,
        /// What the body said.
        detail: Detail,
    },
    /// The whole request, body included, took longer than it may.
    #[error("no answer in time")]
    Timeout,
    /// It was not asked: no share of the common rate could be had.
    #[error(
        "not asked: the rate that all processes share (ELEVENLABS_RATE_LIMIT) is kept in PostgreSQL, which gave none"
    )]
    NoLeave,
    /// The connection was not made, or was lost.
    #[error("connection lost {phase}{}", reason(*kind))]
    Connection {
        /// Where it was lost.
        phase: Phase,
        /// The system's reason, if it gave one.
        kind: Option<io::ErrorKind>,
    },
    /// The status was 200, the body is not JSON: a proxy's page, a broken answer.
    #[error("a body of {bytes} bytes that is not JSON")]
    NotJson {
        /// The body's length.
        bytes: usize,
    },
    /// The body is JSON, but not what was asked for.
    #[error("a body of another shape than documented, at line {line} column {column}")]
    Malformed {
        /// Line of the body at which it was given up; 0 when the fault has no place.
        line: usize,
        /// Column in that line.
        column: usize,
    },
    /// The body is longer than any honest one.
    #[error("a body longer than {limit} bytes")]
    TooLarge {
        /// The most that is taken.
        limit: usize,
    },
}

/// `: connection refused`, in the standard library's words.
fn reason(kind: Option<io::ErrorKind>) -> String {
    kind.map_or_else(String::new, |kind| format!(": {kind}"))
}

impl ApiError {
    /// A body of the wrong shape whose fault has no place.
    pub(super) const MALFORMED: Self = Self::Malformed { line: 0, column: 0 };

    /// The class under which the error is counted, logged and kept.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "throttled",
            Self::KeyRefused { .. } => "key_refused",
            Self::NotFound { .. } => "not_found",
            Self::Refused { .. } => "refused",
            Self::ServerError { .. } => "server_error",
            Self::RouteNotFound { .. } | Self::Service { .. } => "service",
            Self::Timeout => "timeout",
            Self::NoLeave => "no_leave",
            Self::Connection { .. } => "connection",
            Self::NotJson { .. } | Self::Malformed { .. } => "malformed",
            Self::TooLarge { .. } => "too_large",
        }
    }

    /// The HTTP status of the answer, 200 when only its body was wrong; `None` when there was no answer.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        match self {
            Self::Throttled { .. } => Some(429),
            Self::NotFound { .. } | Self::RouteNotFound { .. } => Some(404),
            Self::KeyRefused { status, .. }
            | Self::Refused { status, .. }
            | Self::ServerError { status, .. }
            | Self::Service { status, .. } => Some(*status),
            Self::NotJson { .. } | Self::Malformed { .. } | Self::TooLarge { .. } => Some(200),
            Self::Timeout | Self::NoLeave | Self::Connection { .. } => None,
        }
    }

    /// Whether the error speaks about the service and not about the conversation asked for: several in a row are
    /// an outage.
    #[must_use]
    pub fn is_service_level(&self) -> bool {
        matches!(
            self,
            Self::RouteNotFound { .. }
                | Self::Service { .. }
                | Self::ServerError { .. }
                | Self::NotJson { .. }
                | Self::Timeout
                | Self::Connection { .. }
        )
    }

    /// The tokens of the error body, if the answer had one.
    #[must_use]
    pub fn detail(&self) -> Option<&Detail> {
        match self {
            Self::Throttled { detail, .. }
            | Self::KeyRefused { detail, .. }
            | Self::NotFound { detail }
            | Self::RouteNotFound { detail }
            | Self::Refused { detail, .. }
            | Self::ServerError { detail, .. }
            | Self::Service { detail, .. } => Some(detail),
            Self::Timeout
            | Self::NoLeave
            | Self::Connection { .. }
            | Self::NotJson { .. }
            | Self::Malformed { .. }
            | Self::TooLarge { .. } => None,
        }
    }
}
