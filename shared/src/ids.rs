//! The names the source gives to conversations and agents: parsed once at the edge, trusted inside.
//!
//! Ids are opaque; today's look like `conv_` or `agent_` and 28 letters and digits, older agents have 20 without a
//! prefix (`api.md` §1). What is checked is what must hold for an id to be safe in a URL, a log line and a message.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest id taken, in bytes; the longest seen has 35.
pub const MAX_LENGTH: usize = 128;

/// A text that is no id: empty, longer than [`MAX_LENGTH`], or with other characters than ASCII letters, digits, `_`
/// and `-`. The text itself is not repeated: it may be anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an id: expected 1 to {MAX_LENGTH} ASCII letters, digits, '_' or '-'")]
pub struct InvalidId;

/// Whether a text can be an id, of whatever.
pub(crate) fn is_id(text: &str) -> bool {
    let is_id_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_id_byte)
}

fn parse(text: &str) -> Result<Box<str>, InvalidId> {
    if is_id(text) { Ok(text.into()) } else { Err(InvalidId) }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Parses an id.
            ///
            /// # Errors
            /// [`InvalidId`] when the text cannot be one.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }

            /// The id as the source writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }
    };
}

id! {
    /// A conversation, as the source names it; `conversaciones.id_eleven`.
    ConversationId
}

id! {
    /// An agent, as the source names it; `agentes.id_agente`.
    AgentId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_every_known_shape_parse() {
        for text in ["conv_7401k5m9x2p8ec3rqv6dtnhb0fzw", "21m00Tcm4TlvDq8ikWAM", "seng_x-1"] {
            assert_eq!(ConversationId::parse(text).expect("an id").as_str(), text);
        }
    }

    #[test]
    fn what_could_break_a_url_or_a_log_line_is_no_id() {
        let long = "x".repeat(MAX_LENGTH + 1);
        for text in ["", "a/b", "a b", "a\nb", "ñ", "conv?x=1", &long] {
            assert_eq!(AgentId::parse(text), Err(InvalidId));
        }
        assert!(serde_json::from_str::<ConversationId>("\"a b\"").is_err());
    }
}
