//! What ElevenLabs says, and the client that asks.
//!
//! - [`Client`]: five reading requests, bounded in time and size, that follow no redirect.
//! - [`Page`] and [`ListItem`]: which conversations there are.
//! - [`Conversation`]: one of them, reduced while it is parsed to the fields that may leave the process, and to
//!   the [`CallerLine`] that must not.
//! - [`Agent`] and [`AgentsPage`]: who took the call.
//! - [`ApiError`]: why there is no answer, in classes and machine codes, never in the words of a body.
//!
//! Nothing here knows of queues or tables.

mod agent;
mod analysis;
mod body;
mod bounds;
mod caller_line;
mod client;
mod conversation;
mod error;
mod item;
mod key;
mod lenient;
mod number;
mod oddities;
mod page;
mod refusal;
mod status;
mod transport;
mod variable;
mod wire;

pub use agent::{Agent, AgentsPage};
pub use analysis::{Analysis, Collected};
pub use caller_line::{CallerLine, Source};
pub use client::{Client, ClientSettings, ConversationBody, Leave, NoLeave};
pub use conversation::{Conversation, Metadata, Turn};
pub use error::{ApiError, Detail, Phase};
pub use key::{ApiKey, KeyError};
pub use oddities::Oddities;
pub use page::{ListItem, ListQuery, MAX_PAGE_SIZE, Page};
pub use status::Status;
pub use transport::ClientError;
pub(crate) use transport::is_loopback;
