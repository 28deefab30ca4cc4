//! A connection to the broker.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{BasicPublishOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties, Event};
use secrecy::ExposeSecret;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::error::is_not_found;
use super::{Lane, Publisher, QueueError, Subscription, Topology};
use crate::config::AmqpConfig;
use crate::queue::Destination;

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a declaration or a look at a queue may take: one without a leader answers never.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// How long saying goodbye may take: a broker in need reads nothing.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long what ended a connection may take to be heard of.
const REASON_TIMEOUT: Duration = Duration::from_millis(100);

/// Seconds between heartbeats, unless `AMQP_URL` says otherwise: a dead network is noticed within two.
const HEARTBEAT_SECS: u32 = 30;

/// The longest frame that is read, in bytes, unless `AMQP_URL` says otherwise: the broker's own. The headers of a message
/// come in a single frame, however long, and what is longer ends the connection.
pub(super) const FRAME_MAX_BYTES: u32 = 131_072;

/// … and where nothing but our own messages travels, of some 300 bytes: lapin keeps room for 64 frames of each connection,
/// which at 128 KiB are 8 MiB.
const PUBLISHED_FRAME_MAX_BYTES: u32 = 16_384;

/// What can be seen of a queue without disturbing it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Look {
    /// Messages that lie ready; those that a consumer holds are not counted.
    pub messages: u32,
    /// Consumers.
    pub consumers: u32,
}

/// Two connections to the broker, on which everything is declared. A broker in need (memory, disk) stops reading from those
/// that publish: answers to deliveries must not wait behind.
#[derive(Debug)]
pub struct Broker {
    connection: Connection,
    publishing: Arc<Connection>,
    topology: Topology,
    unreadable: CancellationToken,
    config: AmqpConfig,
    name: String,
}

impl Broker {
    /// Connects once and declares what is missing. `name` is what the management pages show.
    ///
    /// # Errors
    /// [`QueueError::Unreachable`], [`QueueError::LoginRefused`] or [`QueueError::Topology`].
    pub async fn connect(config: &AmqpConfig, name: &str) -> Result<Self, QueueError> {
        let broker = Self::open(config, name).await?;
        bounded(async { broker.topology.declare(&broker.channel().await?).await }).await?;
        Ok(broker)
    }

    /// Connects once and declares nothing: for who only looks.
    ///
    /// # Errors
    /// [`QueueError::Unreachable`] or [`QueueError::LoginRefused`].
    pub async fn open(config: &AmqpConfig, name: &str) -> Result<Self, QueueError> {
        crate::install_tls_provider();
        let open =
            async |frame_max| open(&with_parameters(config.url.expose_secret(), frame_max), name).await;
        let (connection, publishing) =
            tokio::try_join!(open(FRAME_MAX_BYTES), open(PUBLISHED_FRAME_MAX_BYTES))?;
        let (topology, unreadable) = (Topology::new(config), watch_for_unreadable(&connection));
        let (publishing, config, name) = (Arc::new(publishing), config.clone(), name.to_owned());
        Ok(Self { connection, publishing, topology, unreadable, config, name })
    }

    /// Connects once more: for who may lose a connection that others need.
    ///
    /// # Errors
    /// [`QueueError::Unreachable`] or [`QueueError::LoginRefused`].
    pub async fn again(&self) -> Result<Self, QueueError> {
        Self::open(&self.config, &self.name).await
    }

    /// Cancelled when a message came that cannot be read: the connection has ended then, and some calls never return.
    #[must_use]
    pub fn unreadable(&self) -> CancellationToken {
        self.unreadable.clone()
    }

    /// What was the matter when a call failed: of a message that cannot be read some calls hear only that the connection
    /// ended, and sooner than what ended it.
    pub async fn reason(&self, error: QueueError) -> QueueError {
        let is_lost = matches!(error, QueueError::Lost { .. });
        let unreadable = timeout(REASON_TIMEOUT, self.unreadable.cancelled());
        if is_lost && unreadable.await.is_ok() { QueueError::Unreadable } else { error }
    }

    /// Declares what is missing, each queue on a channel of its own, so that every refusal is heard and not only the first;
    /// then sends a message to nowhere, for the right to publish.
    pub async fn refusals(&self) -> Vec<QueueError> {
        let mut refusals = Vec::new();
        for declaration in self.topology.declarations() {
            let declared = bounded(async { declaration.declare(&self.channel().await?).await });
            refusals.extend(declared.await.err());
        }
        if refusals.is_empty() {
            refusals.extend(bounded(self.publish_to_nowhere()).await.err());
        }
        refusals
    }

    /// No queue is bound to this routing key: the broker gives the message back, after it has looked at our rights.
    async fn publish_to_nowhere(&self) -> Result<(), QueueError> {
        let channel = self.publisher().channel().await?;
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        let exchange = self.topology.exchange().into();
        let sent =
            channel.basic_publish(exchange, "nowhere".into(), options, &[], BasicProperties::default());
        let answer = async { sent.await?.await };
        answer.await.map(drop).map_err(|error| QueueError::declaring(&error))
    }

    /// The names on it.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    pub(super) async fn channel(&self) -> Result<lapin::Channel, QueueError> {
        Ok(self.connection.create_channel().await?)
    }

    /// Whether the broker is in need, and takes no messages. It says so to whoever tries.
    #[must_use]
    pub fn is_in_need(&self) -> bool {
        self.publishing.status().blocked()
    }

    /// Whether messages could be published, if the broker is not in need.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub fn check_publishing(&self) -> Result<(), QueueError> {
        if self.publishing.status().connected() {
            return Ok(());
        }
        Err(QueueError::Lost { reason: "the connection for publishing ended".to_owned() })
    }

    /// A publisher, on channels of its own.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        Publisher::new(Arc::clone(&self.publishing), self.topology.clone())
    }

    /// Begins to consume a lane, on a channel of its own, holding at most `prefetch` deliveries.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn subscribe(&self, lane: Lane, prefetch: u16) -> Result<Subscription, QueueError> {
        self.consume(&self.topology.queue(Destination::Work(lane)), prefetch).await
    }

    /// Begins to consume the dead letters, to rotate them.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn subscribe_to_dead(&self, prefetch: u16) -> Result<Subscription, QueueError> {
        self.consume(&self.topology.queue(Destination::Dead), prefetch).await
    }

    async fn consume(&self, queue: &str, prefetch: u16) -> Result<Subscription, QueueError> {
        bounded(async { Subscription::open(self.channel().await?, queue, prefetch).await }).await
    }

    /// Whether jobs lie ready in a lane.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn has_jobs(&self, lane: Lane) -> Result<bool, QueueError> {
        Ok(self.depth(&self.topology.queue(Destination::Work(lane))).await? > 0)
    }

    /// How many messages lie ready in a queue. Those that a consumer holds are not counted.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn depth(&self, queue: &str) -> Result<u32, QueueError> {
        Ok(bounded(async { Ok(self.passive(queue).await?) }).await?.message_count())
    }

    /// What can be seen of a queue without disturbing it; `None` when there is no such queue.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn look(&self, queue: &str) -> Result<Option<Look>, QueueError> {
        bounded(async {
            match self.passive(queue).await {
                Ok(queue) => {
                    Ok(Some(Look { messages: queue.message_count(), consumers: queue.consumer_count() }))
                }
                Err(error) if is_not_found(&error) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// On a channel of its own, which a refusal would close.
    async fn passive(&self, queue: &str) -> lapin::Result<lapin::Queue> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let channel = self.connection.create_channel().await?;
        channel.queue_declare(queue.into(), passive, FieldTable::default()).await
    }

    /// Closes both connections; deliveries without an answer go back to their queues.
    pub async fn close(self) {
        // A connection that is lost already is as closed as it gets.
        let close = async |connection: &Connection| {
            timeout(CLOSE_TIMEOUT, connection.close(200, "bye".into())).await.ok();
        };
        tokio::join!(close(&self.connection), close(&self.publishing));
    }
}

fn watch_for_unreadable(connection: &Connection) -> CancellationToken {
    let token = CancellationToken::new();
    let (mut events, unreadable) = (Box::pin(connection.events_listener()), token.clone());
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let Event::Error(error) = event
                && matches!(QueueError::from(error), QueueError::Unreadable)
            {
                unreadable.cancel();
            }
        }
    });
    token
}

async fn open(url: &str, name: &str) -> Result<Connection, QueueError> {
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    timeout(CONNECT_TIMEOUT, Connection::connect(url, properties))
        .await
        .map_err(|_| QueueError::Unreachable { reason: "no answer in 10 s".to_owned() })?
        .map_err(|error| QueueError::connecting(&error))
}

/// A call that the broker must answer in time, or count as lost.
pub(super) async fn bounded<T>(call: impl Future<Output = Result<T, QueueError>>) -> Result<T, QueueError> {
    let lost = |_| QueueError::Lost { reason: format!("no answer in {} s", CALL_TIMEOUT.as_secs()) };
    timeout(CALL_TIMEOUT, call).await.map_err(lost)?
}

fn with_parameters(url: &str, frame_max: u32) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return url.to_owned() };
    for (parameter, value) in [("heartbeat", HEARTBEAT_SECS), ("frame_max", frame_max)] {
        if parsed.query_pairs().all(|(set, _)| set != parameter) {
            parsed.query_pairs_mut().append_pair(parameter, &value.to_string());
        }
    }
    parsed.into()
}
