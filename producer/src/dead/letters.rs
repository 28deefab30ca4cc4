//! The messages of `089.dead` as they come, on a connection of their own: one that cannot be read ends it.

use std::time::Duration;

use shared::queue::{Broker, Delivery, Destination, QueueError, Subscription};
use tokio::time::timeout;

/// Deliveries held at once: of each that is held when its connection ends a copy would have been published, and its own
/// not be answered.
const PREFETCH: u16 = 1;

/// A message that was there at the start and does not come: another consumer took it.
const MISSING_AFTER: Duration = Duration::from_secs(30);

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    /// A message.
    Letter(Box<Delivery>),
    /// None any more.
    Nothing,
    /// One that cannot be read, and whatever is behind it. That has been said.
    Unreadable,
}

/// The messages of the queue.
#[derive(Debug)]
pub(super) struct Letters {
    subscription: Subscription,
    broker: Broker,
}

impl Letters {
    /// Connects to the same broker once more, and begins.
    ///
    /// # Errors
    /// [`QueueError`].
    pub(super) async fn of(broker: &Broker) -> Result<Self, QueueError> {
        let broker = broker.again().await?;
        let subscription = broker.subscribe_to_dead(PREFETCH).await?;
        Ok(Self { subscription, broker })
    }

    /// The next one, once the one before it is answered.
    ///
    /// # Errors
    /// [`QueueError`].
    pub(super) async fn next(&mut self) -> Result<Next, QueueError> {
        let unreadable = self.broker.unreadable();
        let next = tokio::select! {
            next = timeout(MISSING_AFTER, self.subscription.next()) => next,
            () = unreadable.cancelled() => Ok(Err(QueueError::Unreadable)),
        };
        let Ok(delivery) = next else { return Ok(Next::Nothing) };
        match delivery {
            Ok(delivery) => Ok(Next::Letter(Box::new(delivery))),
            Err(error) => match self.broker.reason(error).await {
                error @ QueueError::Unreadable => {
                    let queue = self.broker.topology().queue(Destination::Dead);
                    log::error!(
                        "{error}. Those behind it are out of reach. Purge {queue} on RabbitMQ's management page: what is \
                         dead is in the book, and what is asked for again is made anew from there"
                    );
                    Ok(Next::Unreadable)
                }
                error => Err(error),
            },
        }
    }

    /// Closes the connection.
    pub(super) async fn close(self) {
        self.broker.close().await;
    }
}
