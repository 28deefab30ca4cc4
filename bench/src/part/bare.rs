//! The steps as the reference does them.

use std::sync::Arc;

use anyhow::Context;
use futures_util::StreamExt;
use secrecy::ExposeSecret;
use shared::testing::{TestBroker, TestDatabase};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::{Clock, Options, Part, Took};
use crate::bare::{Acks, Api, BATCH, Queue, Store, parse};

/// Deliveries that are acked together, and so many more are held.
const ACKED_TOGETHER: u16 = 100;

impl Options {
    /// The step as the reference does it.
    pub(super) async fn bare(&self) -> anyhow::Result<Took> {
        match self.part {
            Part::List => {
                let clock = Clock::start();
                clock.stop(self.ids().await?.len())
            }
            Part::Publish | Part::Consume => self.queue_bare().await,
            Part::Fetch => self.fetch_bare().await,
            Part::Normalize => {
                let bodies = self.bodies().await?;
                let clock = Clock::start();
                for body in &bodies {
                    std::hint::black_box(parse(body)?);
                }
                clock.stop(bodies.len())
            }
            Part::Persist => self.persist_bare().await,
        }
    }

    async fn queue_bare(&self) -> anyhow::Result<Took> {
        let (test, ids) = (TestBroker::new(), self.ids().await?);
        let name = format!("{}.bare", test.config().namespace);
        let queue = Queue::open(test.config().url.expose_secret(), &name).await?;
        let clock = Clock::start();
        let mut publisher = queue.publisher().await?;
        for id in &ids {
            publisher.publish(id.as_bytes()).await?;
        }
        publisher.confirmed().await?;
        let publishing = clock.stop(ids.len())?;
        let clock = Clock::start();
        let (mut acks, mut held) = (Acks::default(), Vec::new());
        let mut deliveries = queue.consume(2 * ACKED_TOGETHER).await?;
        for count in 1..=ids.len() {
            let delivery = deliveries.next().await.context("the consumer goes on")??;
            held.push(delivery.delivery_tag);
            if held.len() == usize::from(ACKED_TOGETHER) || count == ids.len() {
                let tag = acks.done(held.drain(..)).context("deliveries come in their order")?;
                queue.ack_up_to(tag).await?;
            }
        }
        let consuming = clock.stop(ids.len())?;
        queue.cancel(&deliveries).await?;
        queue.delete().await?;
        Ok(if self.part == Part::Publish { publishing } else { consuming })
    }

    async fn fetch_bare(&self) -> anyhow::Result<Took> {
        let (api, ids) = (Api::new(&self.api)?, self.ids().await?);
        let slots = Arc::new(Semaphore::new(self.concurrency));
        let clock = Clock::start();
        let (count, mut requests) = (ids.len(), JoinSet::new());
        for id in ids {
            let (api, slot) = (api.clone(), Arc::clone(&slots).acquire_owned().await?);
            requests.spawn(async move {
                let body = api.detail(&id).await;
                drop(slot);
                body.map(drop)
            });
        }
        requests.join_all().await.into_iter().collect::<anyhow::Result<()>>()?;
        clock.stop(count)
    }

    async fn persist_bare(&self) -> anyhow::Result<Took> {
        let (test, bodies) = (TestDatabase::migrated(), self.bodies().await?);
        let calls = bodies.iter().map(parse).collect::<anyhow::Result<Vec<_>>>()?;
        let (count, (given, rows)) = (calls.len(), mpsc::channel(BATCH));
        let (written, mut stored) = mpsc::unbounded_channel();
        let store = Store::start(&test.url(), rows, written, BATCH)?;
        let clock = Clock::start();
        for call in calls {
            given.send((0, call)).await.ok().context("the store goes on")?;
        }
        drop(given);
        while stored.recv().await.is_some() {}
        let took = clock.stop(count);
        store.finished()?;
        took
    }
}
