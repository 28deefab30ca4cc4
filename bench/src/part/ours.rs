//! The steps by `shared` and `consumer`, used as the programs use them.

use std::sync::Arc;

use anyhow::Context;
use consumer::normalize::normalize;
use consumer::persist::Writer;
use futures_util::{StreamExt, TryStreamExt, stream};
use shared::config::{DatabaseConfig, ElevenLabsConfig, Environment, ReportConfig, WorkerConfig};
use shared::elevenlabs::{Client, Conversation, ListQuery, MAX_PAGE_SIZE};
use shared::ids::ConversationId;
use shared::job::FetchConversation;
use shared::queue::{Broker, Destination, Lane, Message, Publisher};
use shared::testing::{TestBroker, TestDatabase};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Clock, Options, Part, Took};
use crate::bare::KEY;

impl Options {
    /// The step by our code.
    pub(super) async fn ours(&self) -> anyhow::Result<Took> {
        match self.part {
            Part::List => list(&self.client()?).await,
            Part::Publish => self.publish().await,
            Part::Consume => self.consume().await,
            Part::Fetch => self.fetch().await,
            Part::Normalize => {
                let (bodies, config) = (self.bodies().await?, ReportConfig::default());
                let clock = Clock::start();
                for body in &bodies {
                    std::hint::black_box(normalize(&Conversation::parse(body)?, &config));
                }
                clock.stop(bodies.len())
            }
            Part::Persist => self.persist().await,
        }
    }

    fn client(&self) -> anyhow::Result<Client> {
        let environment =
            Environment::from_pairs([("ELEVENLABS_API_KEY", KEY), ("ELEVENLABS_BASE_URL", &self.api)]);
        Ok(environment.read::<ElevenLabsConfig>()?.client()?)
    }

    async fn conversation_ids(&self) -> anyhow::Result<Vec<ConversationId>> {
        let ids = self.ids().await?;
        Ok(ids.iter().map(|id| ConversationId::parse(id)).collect::<Result<_, _>>()?)
    }

    async fn publish(&self) -> anyhow::Result<Took> {
        let (test, ids) = (TestBroker::new(), self.conversation_ids().await?);
        let broker = test.connect().await;
        let publisher = broker.publisher();
        let clock = Clock::start();
        publish(&publisher, &ids).await?;
        let took = clock.stop(ids.len());
        broker.close().await;
        took
    }

    async fn consume(&self) -> anyhow::Result<Took> {
        let (test, ids) = (TestBroker::new(), self.conversation_ids().await?);
        let broker: Broker = test.connect().await;
        publish(&broker.publisher(), &ids).await?;
        let prefetch = Environment::default().read::<WorkerConfig>()?.prefetch;
        let clock = Clock::start();
        let mut subscription = broker.subscribe(Lane::Fetch, prefetch).await?;
        for _ in 0..ids.len() {
            let delivery = subscription.next().await?;
            delivery.message.job()?;
            delivery.ack().await?;
        }
        let took = clock.stop(ids.len());
        drop(subscription);
        broker.close().await;
        took
    }

    async fn fetch(&self) -> anyhow::Result<Took> {
        let (client, ids) = (self.client()?, self.conversation_ids().await?);
        let slots = Arc::new(Semaphore::new(self.concurrency));
        let clock = Clock::start();
        let (count, mut requests) = (ids.len(), JoinSet::new());
        for id in ids {
            let (client, slot) = (client.clone(), Arc::clone(&slots).acquire_owned().await?);
            requests.spawn(async move {
                let conversation = client.conversation(&id).await;
                drop(slot);
                conversation.map(drop)
            });
        }
        requests.join_all().await.into_iter().collect::<Result<(), _>>()?;
        clock.stop(count)
    }

    async fn persist(&self) -> anyhow::Result<Took> {
        let (test, config) = (TestDatabase::migrated(), ReportConfig::default());
        let bodies = self.bodies().await?;
        let rows = bodies.iter().map(|body| Ok(normalize(&Conversation::parse(body)?, &config)));
        let rows = rows.collect::<anyhow::Result<Vec<_>>>()?;
        let url = test.url();
        let environment = Environment::from_pairs([("DATABASE_URL", url.as_str())]);
        let (worker, database) = environment.read::<(WorkerConfig, DatabaseConfig)>()?;
        // As the worker does: one connection stays free for the book.
        let connections = (database.pool_size - 1).max(1);
        let writer = Writer::start(test.open().await, &worker, connections);
        let (count, held) = (rows.len(), usize::from(worker.prefetch));
        let clock = Clock::start();
        let written = stream::iter(rows).map(|rows| writer.place().write(rows)).buffer_unordered(held);
        written.try_for_each(|_| std::future::ready(Ok(()))).await?;
        clock.stop(count)
    }
}

async fn list(client: &Client) -> anyhow::Result<Took> {
    let mut query = ListQuery { page_size: MAX_PAGE_SIZE, ..ListQuery::default() };
    let (clock, mut count) = (Clock::start(), 0);
    loop {
        let page = client.list_conversations(&query).await?;
        count += page.items.len();
        if page.next_cursor.is_none() {
            return clock.stop(count);
        }
        query.cursor = page.next_cursor;
    }
}

/// A page at a time, as the producer does.
async fn publish(publisher: &Publisher, ids: &[ConversationId]) -> anyhow::Result<()> {
    for page in ids.chunks(usize::from(MAX_PAGE_SIZE)) {
        let job = |conversation_id: &ConversationId| {
            let conversation_id = conversation_id.clone();
            let job = FetchConversation { conversation_id, agent_id: None, run_id: None };
            (Message::new(&job), Destination::Work(Lane::Fetch))
        };
        let jobs: Vec<_> = page.iter().map(job).collect();
        for confirmed in publisher.publish_all(&jobs).await {
            confirmed.context("the broker takes it")?;
        }
    }
    Ok(())
}
