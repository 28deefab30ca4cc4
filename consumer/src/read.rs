//! Reading what the API sent, on a thread of its own, while requests, batches and acks go on beside it.
//!
//! Unpacking, parsing and normalizing are two fifths of what a worker does for a call (docs/performance.md).

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

use chrono::{DateTime, Utc};
use shared::config::ReportConfig;
use shared::database::rows::CallRows;
use shared::elevenlabs::{ApiError, Conversation, ConversationBody};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::frequent::Frequent;
use crate::normalize::normalize_and_tell;

/// What was read and is not written yet may take so much memory, in bytes, beside the one that is being read: thousands of
/// ordinary calls, and the longest there is by itself.
const UNWRITTEN_BYTES: u32 = 32 * 1024 * 1024;

/// What is in a body.
#[derive(Debug)]
pub enum Reading {
    /// A call, ready to be stored.
    Rows(Box<Rows>),
    /// A call that goes on, or whose analysis is not there yet.
    Unfinished {
        /// When it started, if its source says.
        started_at: Option<DateTime<Utc>>,
    },
}

/// The rows of a call, and the room that they take until they are dropped.
#[derive(Debug)]
pub struct Rows {
    /// The rows.
    pub rows: CallRows,
    /// Given back when they are written; those that nobody read take none.
    pub room: Option<OwnedSemaphorePermit>,
}

impl From<CallRows> for Rows {
    fn from(rows: CallRows) -> Self {
        Self { rows, room: None }
    }
}

/// Room for what was read and is not written yet. Whoever holds some gives it back whatever happens to others: it waits for
/// the database and for nothing else, so a wait for room ends.
#[derive(Clone, Debug)]
struct Room {
    free: Arc<Semaphore>,
    most: u32,
    runtime: Handle,
}

impl Room {
    fn of(bytes: u32, runtime: Handle) -> Self {
        Self { free: Arc::new(Semaphore::new(bytes as usize)), most: bytes, runtime }
    }

    /// Waits until there is room for these; what is longer than all of it has it for itself.
    fn take(&self, rows: CallRows) -> Rows {
        let bytes = u32::try_from(rows.bytes()).unwrap_or(u32::MAX).min(self.most);
        let room = self.runtime.block_on(Arc::clone(&self.free).acquire_many_owned(bytes));
        // The semaphore is never closed.
        Rows { rows, room: room.ok() }
    }
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
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn start(report: ReportConfig, waiting: usize) -> std::io::Result<Self> {
        let (items, mut received) = mpsc::channel::<Item>(waiting);
        let room = Room::of(UNWRITTEN_BYTES, Handle::current());
        thread::Builder::new().name("reader".to_owned()).spawn(move || {
            let (mut odd_fields, mut frequent) = (HashSet::new(), Frequent::default());
            while let Some(Item { body, read }) = received.blocking_recv() {
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    body.parse().map(|call| {
                        tell_of_odd_fields(&call, &mut odd_fields);
                        reading(&call, &report, &mut frequent, &room)
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
fn reading(
    conversation: &Conversation,
    report: &ReportConfig,
    frequent: &mut Frequent,
    room: &Room,
) -> Reading {
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
    Reading::Rows(Box::new(room.take(rows)))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::Duration;

    use shared::elevenlabs::Conversation;

    use super::*;
    use crate::normalize::normalize;

    /// Rows of a call in which so much was said.
    fn rows(bytes: usize) -> CallRows {
        let said = "a".repeat(bytes);
        let body =
            format!(r#"{{"conversation_id":"conv_1","transcript":[{{"role":"user","message":"{said}"}}]}}"#);
        normalize(&Conversation::parse(body.as_bytes()).expect("a call"), &ReportConfig::default())
    }

    #[tokio::test]
    async fn room_is_waited_for_and_what_is_longer_than_all_of_it_passes_alone() {
        let room = Room::of(1000, Handle::current());
        let (taken, taking) = channel();
        let thread = thread::spawn(move || {
            for bytes in [300, 300, 5000, 5000, 1, 990] {
                taken.send(room.take(rows(bytes))).expect("the test goes on");
            }
        });
        let next = || taking.recv_timeout(Duration::from_mins(1)).expect("there is room");
        let nothing_comes = || {
            assert_eq!(taking.recv_timeout(Duration::from_millis(50)).err(), Some(RecvTimeoutError::Timeout));
        };
        let (first, second) = (next(), next());
        nothing_comes();
        drop(second);
        nothing_comes();
        drop(first);
        let longest = next();
        assert!(longest.rows.bytes() > 5000);
        nothing_comes();
        drop(longest);
        drop(next());
        let (small, other) = (next(), taking.recv_timeout(Duration::from_millis(50)));
        assert!(other.is_err(), "990 and what is written beside it have no room beside 1");
        drop(small);
        drop(next());
        thread.join().expect("it ended");
    }
}
