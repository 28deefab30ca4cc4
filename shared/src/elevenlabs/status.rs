//! How far a conversation has come at the source.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A conversation's status; the source may invent new ones, so the list is open.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(from = "String", into = "String")]
pub enum Status {
    /// The call is being set up.
    Initiated,
    /// The call goes on; nothing of it can be read yet.
    InProgress,
    /// The call has ended, its analysis has not.
    Processing,
    /// All there will be is there.
    Done,
    /// The call failed, or never connected.
    Failed,
    /// A status that is not documented, as it was written; empty when there was none.
    Other(String),
}

impl Status {
    /// The status as the source writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Initiated => "initiated",
            Self::InProgress => "in-progress",
            Self::Processing => "processing",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Other(text) => text,
        }
    }

    /// Whether the status is one of the two that do not change any more.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }

    /// Whether the source itself says that the conversation is not finished. An unknown status says neither.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        matches!(self, Self::Initiated | Self::InProgress | Self::Processing)
    }
}

impl Default for Status {
    /// What a record without a status has.
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl From<String> for Status {
    fn from(text: String) -> Self {
        match text.as_str() {
            "initiated" => Self::Initiated,
            "in-progress" => Self::InProgress,
            "processing" => Self::Processing,
            "done" => Self::Done,
            "failed" => Self::Failed,
            _ => Self::Other(text),
        }
    }
}

impl From<&str> for Status {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl FromStr for Status {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        match status {
            Status::Other(text) => text,
            known => known.as_str().into(),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_written_as_it_was_read() {
        for text in ["initiated", "in-progress", "processing", "done", "failed", "paused", ""] {
            assert_eq!(Status::from(text).to_string(), text);
        }
    }

    #[test]
    fn an_unknown_status_is_neither_final_nor_unfinished() {
        for (text, is_final, is_unfinished) in [
            ("initiated", false, true),
            ("in-progress", false, true),
            ("processing", false, true),
            ("done", true, false),
            ("failed", true, false),
            ("in_progress", false, false),
        ] {
            let status = Status::from(text);
            assert_eq!((status.is_final(), status.is_unfinished()), (is_final, is_unfinished), "{text}");
        }
    }
}
