//! Reading what the API sent, on a thread of its own, while requests, batches and acks go on beside it.
//!
//! Unpacking, parsing and normalizing are two fifths of what a worker does for a call (docs/performance.md).

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use chrono::{DateTime, Utc};
use shared::config::ReportConfig;
use shared::database::rows::CallRows;
use shared::elevenlabs::{ApiError, Conversation, ConversationBody};
use tokio::sync::{mpsc, oneshot};

use crate::frequent::Frequent;
use crate::normalize::normalize_and_tell;

/// What is in a body.
#[derive(Debug)]
pub enum Reading {
    /// A call, ready to be stored.
    Rows(Box<CallRows>),
    /// A call that goes on, or whose analysis is not there yet.
    Unfinished {
        /// When it started, if its source says.
        started_at: Option<DateTime<Utc>>,
    },
}

/// What came of it: `Err` of a thread is a panic.
type Outcome = thread::Result<Result<Reading, ApiError>>;

#[derive(Debug)]
struct Item {
    body: ConversationBody,
    read: oneshot::Sender<Outcome>,
}

/// Reads bodies one after the other. Its thread ends when every clone is dropped.
#[derive(Clone, Debug)]
pub struct Reader(mpsc::Sender<Item>);

impl Reader {
    /// Starts the thread, before which at most `waiting` bodies wait.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(report: ReportConfig, waiting: usize) -> std::io::Result<Self> {
        let (items, mut received) = mpsc::channel::<Item>(waiting);
        thread::Builder::new().name("reader".to_owned()).spawn(move || {
            let (mut odd_fields, mut frequent) = (HashSet::new(), Frequent::default());
            while let Some(Item { body, read }) = received.blocking_recv() {
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    body.parse().map(|call| {
                        tell_of_odd_fields(&call, &mut odd_fields);
                        reading(&call, &report, &mut frequent)
                    })
                }));
                // Nobody waits any more when the job was dropped.
                read.send(outcome).ok();
            }
        })?;
        Ok(Self(items))
    }

    /// Hands a body over; what comes of it is in the future that is returned then, which panics when reading did.
    ///
    /// # Panics
    /// When the thread has ended.
    pub async fn take(
        &self,
        body: ConversationBody,
    ) -> impl Future<Output = Result<Reading, ApiError>> + use<> {
        let (read, outcome) = oneshot::channel();
        self.0.send(Item { body, read }).await.expect("the thread lives as long as a reader");
        async {
            outcome.await.expect("the thread answers every item").unwrap_or_else(|panic| resume_unwind(panic))
        }
    }
}

/// A field that comes in another form than is documented is told of once: if the API has changed, all calls have it. How
/// many there are stands in their rows.
fn tell_of_odd_fields(conversation: &Conversation, told: &mut HashSet<String>) {
    for (field, _) in conversation.oddities.iter() {
        if !told.contains(field) {
            let conversation_id = &conversation.conversation_id;
            log::warn!(conversation_id:%, field; "{field} came in another form than is documented, in {conversation_id} \
                for the first time; it was read as far as it goes");
            told.insert(field.to_owned());
        }
    }
}

/// A call that goes on, or whose analysis is not there yet, is looked at later. An unknown status with content is taken
/// as it is; without, it is no news.
fn reading(conversation: &Conversation, report: &ReportConfig, frequent: &mut Frequent) -> Reading {
    let status = &conversation.status;
    let known_final = status.is_final();
    if status.is_unfinished() || !(known_final || conversation.has_content()) {
        return Reading::Unfinished { started_at: conversation.started_at() };
    }
    if !known_final {
        let conversation_id = &conversation.conversation_id;
        log::warn!(conversation_id:%; "{conversation_id} has a status that this release does not know; stored, not final");
    }
    let (mut rows, hidden) = normalize_and_tell(conversation, report);
    frequent.see(&hidden, &mut rows.conversation.tapado);
    Reading::Rows(Box::new(rows))
}
