//! A connection to the broker.

use std::time::Duration;

use lapin::options::{BasicQosOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use secrecy::ExposeSecret;
use url::Url;

use super::{Lane, Publisher, QueueError, Subscription, Topology};
use crate::config::AmqpConfig;
use crate::queue::Destination;

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Seconds between heartbeats, unless `AMQP_URL` says otherwise: a dead network is noticed within two.
const HEARTBEAT_SECS: &str = "30";

/// A connection to the broker, on which everything is declared.
#[derive(Debug)]
pub struct Broker {
    connection: Connection,
    topology: Topology,
}

impl Broker {
    /// Connects once and declares what is missing. `name` is what the management pages show.
    ///
    /// # Errors
    /// [`QueueError::Unreachable`], [`QueueError::LoginRefused`] or [`QueueError::Topology`].
    pub async fn connect(config: &AmqpConfig, name: &str) -> Result<Self, QueueError> {
        crate::install_tls_provider();
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let url = with_heartbeat(config.url.expose_secret());
        let connection = tokio::time::timeout(CONNECT_TIMEOUT, Connection::connect(&url, properties))
            .await
            .map_err(|_| QueueError::Unreachable { reason: "no answer in 10 s".to_owned() })?
            .map_err(|error| QueueError::connecting(&error))?;
        let broker = Self { connection, topology: Topology::new(config) };
        broker.topology.declare(&broker.channel().await?).await?;
        Ok(broker)
    }

    /// The names on it.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Whether the connection stands, as far as we know.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connection.status().connected()
    }

    pub(super) async fn channel(&self) -> Result<lapin::Channel, QueueError> {
        Ok(self.connection.create_channel().await?)
    }

    /// A publisher, on a channel of its own with confirms.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn publisher(&self) -> Result<Publisher, QueueError> {
        let channel = self.channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Publisher::new(channel, self.topology.clone()))
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
        let channel = self.channel().await?;
        // Before basic.consume: RabbitMQ applies it to consumers that begin afterwards.
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        Subscription::open(channel, queue).await
    }

    /// How many messages lie ready in a queue. Those that a consumer holds are not counted.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn depth(&self, queue: &str) -> Result<u32, QueueError> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let queue = self.channel().await?.queue_declare(queue.into(), passive, FieldTable::default()).await?;
        Ok(queue.message_count())
    }

    /// Closes the connection; deliveries without an answer go back to their queues.
    pub async fn close(self) {
        // A connection that is lost already is as closed as it gets.
        self.connection.close(200, "bye".into()).await.ok();
    }
}

fn with_heartbeat(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return url.to_owned() };
    if parsed.query_pairs().all(|(name, _)| name != "heartbeat") {
        parsed.query_pairs_mut().append_pair("heartbeat", HEARTBEAT_SECS);
    }
    parsed.into()
}
