//! The reference: what the same machine does when it keeps no promise.
//!
//! One durable job per call on a quorum queue, windows of confirms, `multiple` acks after the commit, rows by `UNNEST` on
//! two connections. It fetches the same bodies and fills the same columns, but looks for nothing, retries nothing and checks
//! nothing: a call twice, a body out of shape or a lost connection ends it.

mod api;
mod queue;
mod record;
mod store;

use std::sync::Arc;

use anyhow::Context;
use futures_util::StreamExt;
use shared::database::rows::CallRows;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

pub(crate) use api::{Api, KEY};
pub(crate) use queue::{Acks, Queue};
pub(crate) use record::parse;
use store::Batch;
pub(crate) use store::Store;

/// Confirms that may be outstanding.
pub(crate) const WINDOW: usize = 500;

/// Most rows of a transaction.
pub(crate) const BATCH: usize = 100;

/// How much of the job a process of the reference does.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Share {
    /// Lists, publishes, consumes, fetches, stores.
    Whole,
    /// Lists and publishes.
    Publish,
    /// Consumes, fetches, stores.
    Consume,
    /// Lists, fetches, stores: no queue, so nothing survives a crash.
    NoQueue,
}

/// Makes ring the cryptography of TLS connections; a second call changes nothing.
pub(crate) fn install_tls_provider() {
    rustls::crypto::ring::default_provider().install_default().ok();
}

/// Where the reference works.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How much of the job it does
    #[arg(long, value_enum)]
    share: Share,
    /// Base URL of the simulator
    #[arg(long)]
    api: String,
    /// URL of the broker
    #[arg(long)]
    amqp: String,
    /// Its queue
    #[arg(long)]
    queue: String,
    /// URL of the database
    #[arg(long)]
    database: String,
    /// Calls after which it ends
    #[arg(long)]
    calls: usize,
    /// Requests in flight
    #[arg(long)]
    concurrency: usize,
}

impl Options {
    /// Does it.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let api = Api::new(&self.api)?;
        let (Share::Whole | Share::Publish | Share::Consume) = self.share else {
            return self.without_queue(api).await;
        };
        let queue = Queue::open(&self.amqp, &self.queue).await?;
        let publishing =
            async { if self.share == Share::Consume { Ok(()) } else { publish(&api, &queue).await } };
        let consuming =
            async { if self.share == Share::Publish { Ok(()) } else { self.consume(&api, &queue).await } };
        tokio::try_join!(publishing, consuming)?;
        queue.close().await
    }

    async fn consume(&self, api: &Api, queue: &Queue) -> anyhow::Result<()> {
        // As many as are fetched, and three batches that are being written.
        let prefetch = u16::try_from(self.concurrency + 3 * BATCH)?;
        let mut deliveries = queue.consume(prefetch).await?;
        let (fetched, rows) = mpsc::channel(BATCH);
        let (written, mut stored) = mpsc::unbounded_channel();
        let store = Store::start(&self.database, rows, written, BATCH)?;
        let acking = async {
            let mut acks = Acks::default();
            let mut count = 0;
            while count < self.calls {
                let batch: Batch = stored.recv().await.context("the store goes on")?;
                count += batch.len();
                if let Some(tag) = acks.done(batch.into_iter().map(|(tag, _)| tag)) {
                    queue.ack_up_to(tag).await?;
                }
            }
            anyhow::Ok(())
        };
        let fetching = async {
            let (slots, mut calls) = (Arc::new(Semaphore::new(self.concurrency)), JoinSet::new());
            for _ in 0..self.calls {
                let slot = Arc::clone(&slots).acquire_owned().await?;
                let delivery = deliveries.next().await.context("the consumer goes on")??;
                let conversation_id = String::from_utf8(delivery.data)?;
                calls.spawn(call(api.clone(), conversation_id, delivery.delivery_tag, slot, fetched.clone()));
                reap(&mut calls)?;
            }
            calls.join_all().await.into_iter().collect::<anyhow::Result<()>>()
        };
        tokio::try_join!(fetching, acking)?;
        queue.cancel(&deliveries).await?;
        drop(fetched);
        store.finished()
    }

    async fn without_queue(&self, api: Api) -> anyhow::Result<()> {
        let (fetched, rows) = mpsc::channel(BATCH);
        let (written, mut stored) = mpsc::unbounded_channel();
        let store = Store::start(&self.database, rows, written, BATCH)?;
        let (listed, mut ids) = mpsc::channel(4);
        let source = api.clone();
        let listing = tokio::spawn(async move { source.list(listed).await });
        let (slots, mut calls) = (Arc::new(Semaphore::new(self.concurrency)), JoinSet::new());
        while let Some(page) = ids.recv().await {
            for conversation_id in page {
                let slot = Arc::clone(&slots).acquire_owned().await?;
                calls.spawn(call(api.clone(), conversation_id, 0, slot, fetched.clone()));
                reap(&mut calls)?;
            }
        }
        calls.join_all().await.into_iter().collect::<anyhow::Result<()>>()?;
        listing.await??;
        drop(fetched);
        let mut count = 0;
        while let Some(batch) = stored.recv().await {
            count += batch.len();
        }
        anyhow::ensure!(count == self.calls, "{count} calls were stored");
        store.finished()
    }
}

/// One call: fetched, and handed to the store.
async fn call(
    api: Api,
    conversation_id: String,
    tag: u64,
    slot: OwnedSemaphorePermit,
    fetched: mpsc::Sender<(u64, CallRows)>,
) -> anyhow::Result<()> {
    let body = api.detail(&conversation_id).await?;
    drop(slot);
    fetched.send((tag, parse(&body)?)).await.ok().context("the store goes on")
}

/// What failed ends it.
fn reap(calls: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(ended) = calls.try_join_next() {
        ended??;
    }
    Ok(())
}

/// Lists and publishes, each page while the next one is on its way.
async fn publish(api: &Api, queue: &Queue) -> anyhow::Result<()> {
    let (listed, mut pages) = mpsc::channel::<Vec<String>>(4);
    let publishing = async {
        let mut publisher = queue.publisher().await?;
        while let Some(page) = pages.recv().await {
            for conversation_id in page {
                publisher.publish(conversation_id.as_bytes()).await?;
            }
        }
        publisher.confirmed().await
    };
    tokio::try_join!(api.list(listed), publishing)?;
    Ok(())
}
