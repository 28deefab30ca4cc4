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

/// How long a declaration or a look at a queue may take: one without a leader answers never.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// How long saying goodbye may take: a broker in need reads nothing.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

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
        bounded(async { broker.topology.declare(&broker.channel().await?).await }).await?;
        Ok(broker)
    }

    /// The names on it.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    pub(super) async fn channel(&self) -> Result<lapin::Channel, QueueError> {
        Ok(self.connection.create_channel().await?)
    }

    /// A publisher, on a channel of its own with confirms.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn publisher(&self) -> Result<Publisher, QueueError> {
        bounded(async {
            let channel = self.channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            Ok(Publisher::new(channel, self.topology.clone()))
        })
        .await
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
        bounded(async {
            let channel = self.channel().await?;
            // Before basic.consume: RabbitMQ applies it to consumers that begin afterwards.
            channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
            Subscription::open(channel, queue).await
        })
        .await
    }

    /// How many messages lie ready in a queue. Those that a consumer holds are not counted.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn depth(&self, queue: &str) -> Result<u32, QueueError> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        bounded(async {
            let channel = self.channel().await?;
            Ok(channel.queue_declare(queue.into(), passive, FieldTable::default()).await?.message_count())
        })
        .await
    }

    /// Closes the connection; deliveries without an answer go back to their queues.
    pub async fn close(self) {
        // A connection that is lost already is as closed as it gets.
        tokio::time::timeout(CLOSE_TIMEOUT, self.connection.close(200, "bye".into())).await.ok();
    }
}

/// A call that the broker must answer in time, or count as lost.
pub(super) async fn bounded<T>(call: impl Future<Output = Result<T, QueueError>>) -> Result<T, QueueError> {
    let lost = |_| QueueError::Lost { reason: format!("no answer in {} s", CALL_TIMEOUT.as_secs()) };
    tokio::time::timeout(CALL_TIMEOUT, call).await.map_err(lost)?
}

fn with_heartbeat(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return url.to_owned() };
    if parsed.query_pairs().all(|(name, _)| name != "heartbeat") {
        parsed.query_pairs_mut().append_pair("heartbeat", HEARTBEAT_SECS);
    }
    parsed.into()
}
