//! Publishing: persistent, mandatory, confirmed. Both the confirm and a returned message are looked at: lapin answers an
//! unroutable message with an ack that carries it.

use std::time::Duration;

use lapin::options::BasicPublishOptions;
use lapin::{Confirmation, PublisherConfirm};

use super::{Destination, Message, QueueError, Topology};

/// How long a confirm may take: a quorum queue fsyncs, and elects a new leader within seconds.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// A channel that publishes with confirms; clones share it.
#[derive(Clone, Debug)]
pub struct Publisher {
    channel: lapin::Channel,
    topology: Topology,
}

/// A message on its way; only [`Pending::confirmed`] says that it arrived.
#[derive(Debug)]
#[must_use = "a message counts as published only when it is confirmed"]
pub struct Pending {
    confirm: PublisherConfirm,
    queue: String,
}

impl Publisher {
    pub(super) fn new(channel: lapin::Channel, topology: Topology) -> Self {
        Self { channel, topology }
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
        Ok(Pending { confirm, queue: self.topology.queue(to) })
    }

    /// Sends a message and waits until the broker has it.
    ///
    /// # Errors
    /// As [`Pending::confirmed`].
    pub async fn publish(&self, message: &Message, to: Destination) -> Result<(), QueueError> {
        // Sending may wait as long as a confirm: a broker in need takes nothing from publishers.
        match tokio::time::timeout(CONFIRM_TIMEOUT, self.send(message, to)).await {
            Ok(pending) => pending?.confirmed().await,
            Err(_) => Err(QueueError::Unconfirmed { queue: self.topology.queue(to) }),
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
        let Self { confirm, queue } = self;
        match tokio::time::timeout(CONFIRM_TIMEOUT, confirm).await {
            Ok(Err(error)) => Err(error.into()),
            Ok(Ok(Confirmation::Ack(None))) => Ok(()),
            Ok(Ok(Confirmation::Ack(Some(_)))) => Err(QueueError::Returned { queue }),
            Ok(Ok(Confirmation::Nack(_))) => Err(QueueError::Nacked { queue }),
            Err(_) | Ok(Ok(Confirmation::NotRequested)) => Err(QueueError::Unconfirmed { queue }),
        }
    }
}
