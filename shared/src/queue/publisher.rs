//! Publishing: persistent, mandatory, confirmed. Both the confirm and a returned message are looked at: lapin answers an
//! unroutable message with an ack that carries it. On which of the acks that come next it lays it is open, so messages
//! whose fates are told apart must not share a channel while they are on their way.

use std::borrow::Borrow;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation, Connection};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::{Destination, Message, QueueError, Topology};

/// How long confirms may take: a quorum queue fsyncs, and elects a new leader within seconds.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// How long it may take while the broker says that it is in need: giving up earlier would only cost what is held its
/// deliveries. Far below the broker's 30 minutes for an answer.
const LONGEST_NEED: Duration = Duration::from_mins(10);

/// Channels at most: so many groups of messages are on their way at once. A quorum queue fsyncs for all of them together.
const CHANNELS: usize = 64;

/// Publishes with confirms; clones share its channels.
#[derive(Clone, Debug)]
pub struct Publisher {
    connection: Arc<Connection>,
    topology: Topology,
    places: Arc<Semaphore>,
    /// Channels on which nothing is on its way.
    idle: Arc<Mutex<Vec<Channel>>>,
}

impl Publisher {
    pub(super) fn new(connection: Arc<Connection>, topology: Topology) -> Self {
        Self { connection, topology, places: Arc::new(Semaphore::new(CHANNELS)), idle: Arc::default() }
    }

    /// The names on its connection.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Sends a message and waits until the broker has it.
    ///
    /// # Errors
    /// [`QueueError::Nacked`], [`QueueError::Returned`], [`QueueError::Unconfirmed`] or [`QueueError::Lost`]: the
    /// message may or may not have arrived, and must count as not published.
    pub async fn publish(&self, message: &Message, to: Destination) -> Result<(), QueueError> {
        self.publish_all(&[(message, to)]).await.swap_remove(0)
    }

    /// Sends messages, all on their way at once, and waits until the broker has them. What became of each is told in their
    /// order, as [`Self::publish`] does. When any is returned, or not all are answered in time, none counts as published.
    pub async fn publish_all(
        &self,
        messages: &[(impl Borrow<Message>, Destination)],
    ) -> Vec<Result<(), QueueError>> {
        if let Some(outcomes) = self.patiently(self.on_a_channel(messages)).await {
            return outcomes;
        }
        let unconfirmed = |to| Err(QueueError::Unconfirmed { queue: self.topology.queue(to) });
        messages.iter().map(|&(_, to)| unconfirmed(to)).collect()
    }

    /// The same for as long as it takes: a broker in need gives no channel to publishers, and takes nothing from them.
    async fn on_a_channel(
        &self,
        messages: &[(impl Borrow<Message>, Destination)],
    ) -> Vec<Result<(), QueueError>> {
        let each = |error: &QueueError| messages.iter().map(|_| Err(error.clone())).collect();
        // The semaphore is never closed.
        let _place = self.places.acquire().await;
        let channel = match self.channel().await {
            Ok(channel) => channel,
            Err(error) => return each(&error.into()),
        };
        let sent = messages.iter().map(|(message, to)| self.send(&channel, message.borrow(), *to));
        let outcomes = join_all(sent).await;
        if let Some(Err(returned)) =
            outcomes.iter().find(|outcome| matches!(outcome, Err(QueueError::Returned { .. })))
        {
            return each(returned);
        }
        // Of a channel with anything else than good answers some may still come, and it is closed. So it is when this is
        // given up half-way.
        if outcomes.iter().all(Result::is_ok) {
            self.idle().push(channel);
        }
        outcomes
    }

    /// A channel of one's own, with confirms.
    pub(super) async fn channel(&self) -> lapin::Result<Channel> {
        let idle = self.idle().pop();
        if let Some(channel) = idle {
            return Ok(channel);
        }
        let channel = self.connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Channel>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, channel: &Channel, message: &Message, to: Destination) -> Result<(), QueueError> {
        let (exchange, routing_key) = self.topology.address(to);
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        let (body, properties) = (message.body(), message.properties());
        let sent =
            channel.basic_publish(exchange.into(), routing_key.into(), options, body, properties).await?;
        let queue = || self.topology.queue(to);
        match sent.await? {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message)) => {
                let (exchange, routing_key) = (message.exchange.as_str(), message.routing_key.as_str());
                Err(QueueError::Returned { queue: self.topology.queue_at(exchange, routing_key) })
            }
            Confirmation::Nack(None) => Err(QueueError::Nacked { queue: queue() }),
            Confirmation::NotRequested => Err(QueueError::Unconfirmed { queue: queue() }),
        }
    }

    /// Waits as long as confirms may take, and longer while the broker is in need; `None` when that was not long enough.
    async fn patiently<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        let mut call = pin!(call);
        let began = Instant::now();
        loop {
            match timeout(CONFIRM_TIMEOUT, &mut call).await {
                Ok(outcome) => return Some(outcome),
                Err(_) if self.connection.status().blocked() && began.elapsed() < LONGEST_NEED => {}
                Err(_) => return None,
            }
        }
    }
}
