//! Publishing: persistent, mandatory, confirmed. Both the confirm and a returned message are looked at: lapin answers an
//! unroutable message with an ack that carries it.

use std::pin::pin;
use std::time::Duration;

use lapin::options::BasicPublishOptions;
use lapin::{Confirmation, ConnectionStatus, PublisherConfirm};
use tokio::time::{Instant, timeout};

use super::{Destination, Message, QueueError, Topology};

/// How long a confirm may take: a quorum queue fsyncs, and elects a new leader within seconds.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// How long it may take while the broker says that it is in need: giving up earlier would only cost what is held its
/// deliveries. Far below the broker's 30 minutes for an answer.
const LONGEST_NEED: Duration = Duration::from_mins(10);

/// A channel that publishes with confirms; clones share it.
#[derive(Clone, Debug)]
pub struct Publisher {
    channel: lapin::Channel,
    connection: ConnectionStatus,
    topology: Topology,
}

/// A message on its way; only [`Pending::confirmed`] says that it arrived.
#[derive(Debug)]
#[must_use = "a message counts as published only when it is confirmed"]
pub struct Pending {
    confirm: PublisherConfirm,
    connection: ConnectionStatus,
    queue: String,
}

impl Publisher {
    pub(super) fn new(channel: lapin::Channel, connection: ConnectionStatus, topology: Topology) -> Self {
        Self { channel, connection, topology }
    }

    /// The names on its connection.
    #[must_use]
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Sends a message; many may be on their way at once.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn send(&self, message: &Message, to: Destination) -> Result<Pending, QueueError> {
        let (exchange, routing_key) = self.topology.address(to);
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        let properties = message.properties();
        let confirm = self
            .channel
            .basic_publish(exchange.into(), routing_key.into(), options, message.body(), properties)
            .await?;
        Ok(Pending { confirm, connection: self.connection.clone(), queue: self.topology.queue(to) })
    }

    /// Sends a message and waits until the broker has it.
    ///
    /// # Errors
    /// As [`Pending::confirmed`].
    pub async fn publish(&self, message: &Message, to: Destination) -> Result<(), QueueError> {
        // Sending may wait as long as a confirm: a broker in need takes nothing from publishers.
        match patiently(&self.connection, self.send(message, to)).await {
            Some(pending) => pending?.confirmed().await,
            None => Err(QueueError::Unconfirmed { queue: self.topology.queue(to) }),
        }
    }
}

impl Pending {
    /// Waits until the broker has the message.
    ///
    /// # Errors
    /// [`QueueError::Nacked`], [`QueueError::Returned`], [`QueueError::Unconfirmed`] or [`QueueError::Lost`]: the
    /// message may or may not have arrived, and must count as not published.
    pub async fn confirmed(self) -> Result<(), QueueError> {
        let Self { confirm, connection, queue } = self;
        match patiently(&connection, confirm).await {
            Some(Err(error)) => Err(error.into()),
            Some(Ok(Confirmation::Ack(None))) => Ok(()),
            Some(Ok(Confirmation::Ack(Some(_)))) => Err(QueueError::Returned { queue }),
            Some(Ok(Confirmation::Nack(_))) => Err(QueueError::Nacked { queue }),
            None | Some(Ok(Confirmation::NotRequested)) => Err(QueueError::Unconfirmed { queue }),
        }
    }
}

/// Waits as long as a confirm may take, and longer while the broker is in need; `None` when that was not long enough.
async fn patiently<T>(connection: &ConnectionStatus, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    let began = Instant::now();
    loop {
        match timeout(CONFIRM_TIMEOUT, &mut call).await {
            Ok(outcome) => return Some(outcome),
            Err(_) if connection.blocked() && began.elapsed() < LONGEST_NEED => {}
            Err(_) => return None,
        }
    }
}
