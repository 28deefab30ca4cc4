//! Batches by size and age; knows no SQL. The age counts from a batch's first row, and a batch waits only for rows that are
//! on their way. Several batches are written at once, on as many connections as the pool has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use shared::config::WorkerConfig;
use shared::database::rows::CallRows;
use shared::database::{Database, DatabaseError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::upsert::{Written, upsert};
use crate::read::Rows;

type Outcome = Result<Written, DatabaseError>;

#[derive(Debug)]
struct Item {
    rows: CallRows,
    /// Held until they are written.
    room: Option<OwnedSemaphorePermit>,
    done: oneshot::Sender<Outcome>,
}

/// Takes rows one by one, and writes them many at a time; clones share the batches.
#[derive(Clone, Debug)]
pub struct Writer {
    items: mpsc::Sender<Item>,
    coming: Arc<Coming>,
}

/// The place of a job that may bring rows: as long as batches wait, they wait for it.
#[derive(Debug)]
pub struct Place(Writer);

/// How many places are taken.
#[derive(Debug, Default)]
struct Coming {
    count: AtomicUsize,
    none: Notify,
}

impl Writer {
    /// Starts writing, with at most `connections` batches at once. It ends, its last batch written, when every clone is
    /// dropped.
    #[must_use]
    pub fn start(database: Database, config: &WorkerConfig, connections: u32) -> Self {
        let (items, received) = mpsc::channel(config.batch_size);
        let coming = Arc::<Coming>::default();
        let (size, delay) = (config.batch_size, config.batch_delay);
        tokio::spawn(collect(received, Arc::clone(&coming), database, size, delay, connections));
        Self { items, coming }
    }

    /// Takes a place, for a job that begins.
    #[must_use]
    pub fn place(&self) -> Place {
        self.coming.count.fetch_add(1, Ordering::AcqRel);
        Place(self.clone())
    }
}

impl Place {
    /// Writes the rows of its job, and waits until they are committed.
    ///
    /// # Errors
    /// What the database says of these rows, or of all of it.
    ///
    /// # Panics
    /// When the writing task panicked.
    pub async fn write(self, rows: impl Into<Rows>) -> Result<Written, DatabaseError> {
        let (done, outcome) = oneshot::channel();
        let Rows { rows, room } = rows.into();
        self.0
            .items
            .send(Item { rows, room, done })
            .await
            .expect("the writing task lives as long as a writer");
        drop(self);
        outcome.await.expect("the writing task answers every item")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let coming = &self.0.coming;
        if coming.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            coming.none.notify_waiters();
        }
    }
}

impl Coming {
    /// Waits until no job may bring rows.
    async fn none(&self) {
        loop {
            let none = self.none.notified();
            if self.count.load(Ordering::Acquire) == 0 {
                return;
            }
            none.await;
        }
    }
}

async fn collect(
    mut items: mpsc::Receiver<Item>,
    coming: Arc<Coming>,
    database: Database,
    batch_size: usize,
    batch_delay: Duration,
    connections: u32,
) {
    let connections = Arc::new(Semaphore::new(connections as usize));
    while let Some(first) = items.recv().await {
        let flush_at = Instant::now() + batch_delay;
        let mut batch = vec![first];
        while batch.len() < batch_size {
            let item = tokio::select! {
                biased;
                item = items.recv() => item,
                () = coming.none() => break,
                () = tokio::time::sleep_until(flush_at) => break,
            };
            let Some(item) = item else { break };
            batch.push(item);
        }
        // While every connection is busy the batch waits here, and what comes meanwhile in the channel: bounded both.
        let connection =
            Arc::clone(&connections).acquire_owned().await.expect("this semaphore is never closed");
        tokio::spawn(write(batch, database.clone(), connection));
    }
}

async fn write(batch: Vec<Item>, database: Database, _connection: OwnedSemaphorePermit) {
    let began = Instant::now();
    // Sorted and once each: writers lock in one order, and a statement meets no row twice. A later copy wins.
    let mut calls = BTreeMap::new();
    let mut waiting: BTreeMap<String, Vec<oneshot::Sender<Outcome>>> = BTreeMap::new();
    let mut rooms = Vec::with_capacity(batch.len());
    for Item { rows, room, done } in batch {
        rooms.push(room);
        let conversation_id = rows.conversation.conversation_id.to_string();
        waiting.entry(conversation_id.clone()).or_default().push(done);
        calls.insert(conversation_id, rows);
    }
    let outcomes = write_calls(calls, &database).await;
    drop(rooms);
    let count = |wanted| {
        outcomes.values().filter(|outcome| matches!(outcome, Ok(written) if *written == wanted)).count()
    };
    let (inserted, updated, unchanged) =
        (count(Written::Inserted), count(Written::Updated), count(Written::Unchanged));
    let failed = outcomes.values().filter(|outcome| outcome.is_err()).count();
    let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    log::info!(
        inserted, updated, unchanged, failed, elapsed_ms;
        "batch written: {inserted} inserted, {updated} updated, {unchanged} unchanged, {failed} failed in {elapsed_ms} ms"
    );
    for (conversation_id, outcome) in outcomes {
        for done in waiting.remove(&conversation_id).into_iter().flatten() {
            // Nobody waits any more when the job was dropped; the row is written all the same.
            done.send(outcome.clone()).ok();
        }
    }
}

/// All in one transaction; when that fails for the sake of a row, one by one, so that only the guilty one fails.
async fn write_calls(calls: BTreeMap<String, CallRows>, database: &Database) -> BTreeMap<String, Outcome> {
    let (ids, rows): (Vec<_>, Vec<_>) = calls.into_iter().unzip();
    let rows = Arc::new(rows);
    let all = Arc::clone(&rows);
    match database.transaction(move |connection| upsert(connection, &all)).await {
        Ok(written) => ids.into_iter().zip(written.into_iter().map(Ok)).collect(),
        Err(error) if error.is_outage() => {
            ids.into_iter().map(|conversation_id| (conversation_id, Err(error.clone()))).collect()
        }
        Err(error) => {
            log::debug!("a batch failed, writing its rows one by one: {error}");
            one_by_one(ids, rows, database).await
        }
    }
}

async fn one_by_one(
    ids: Vec<String>,
    rows: Arc<Vec<CallRows>>,
    database: &Database,
) -> BTreeMap<String, Outcome> {
    let mut outcomes = BTreeMap::new();
    let mut is_well = false;
    let mut outage: Option<DatabaseError> = None;
    for (index, conversation_id) in ids.into_iter().enumerate() {
        if let Some(outage) = &outage {
            outcomes.insert(conversation_id, Err(outage.clone()));
            continue;
        }
        let rows = Arc::clone(&rows);
        let one = move |connection: &mut _| upsert(connection, &rows[index..=index]);
        let mut outcome = database.transaction(one).await.map(|written| written[0]);
        match &outcome {
            Ok(_) => is_well = true,
            // A full disk fails every row, and so does a table of another shape; that is none's fault, and no other row can
            // be written either.
            Err(DatabaseError::Refused { .. } | DatabaseError::Statement { .. }) if !is_well => {
                match takes_calls(database).await {
                    Ok(()) => is_well = true,
                    Err(error) => outcome = Err(outage.insert(error).clone()),
                }
            }
            Err(DatabaseError::Refused { .. } | DatabaseError::Statement { .. }) => {}
            Err(error) => outage = Some(error.clone()),
        }
        outcomes.insert(conversation_id, outcome);
    }
    outcomes
}

/// Whether a row that failed is alone in that.
async fn takes_calls(database: &Database) -> Result<(), DatabaseError> {
    database.probe().await?;
    database.try_call().await.map(drop)
}
