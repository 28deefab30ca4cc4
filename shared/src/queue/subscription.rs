//! Consuming one queue.

use futures_util::stream::{self, Chain, Iter, Map, SelectAll, StreamExt};
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, DeliveryTag, FieldTable, ShortString};

use super::acks::{Acknowledging, Acks};
use super::connection::bounded;
use super::{Lane, Message, QueueError};

/// Consuming one queue on one channel. Dropping it closes the channel, and everything it delivered that has no answer yet
/// goes back.
///
/// It holds more by one consumer more, since RabbitMQ takes a prefetch for consumers that begin after it. All are on one
/// channel, so that they end at once: of two channels, the one that the broker closes last would be given what the other
/// held, and one death would count twice.
#[derive(Debug)]
pub struct Subscription {
    // Declared before the channel, so that they are dropped first.
    deliveries: SelectAll<Events>,
    tags: Vec<ShortString>,
    channel: lapin::Channel,
    acks: Acks,
    _acknowledging: Acknowledging,
    queue: String,
    prefetch: u16,
}

/// What a consumer has to say; at its end, nothing.
type Event = Option<lapin::Result<lapin::message::Delivery>>;
type Said = fn(lapin::Result<lapin::message::Delivery>) -> Event;
type Events = Chain<Map<lapin::Consumer, Said>, Iter<std::array::IntoIter<Event, 1>>>;

/// A message that arrived and waits for its answer. Without one it goes back to its queue when the channel closes.
#[derive(Debug)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// The lane it came through; dead letters of before have none.
    pub lane: Option<Lane>,
    /// How often it was delivered before and came back without an answer, as the broker counts.
    pub deliveries: u64,
    tag: DeliveryTag,
    acks: Acks,
}

impl Subscription {
    /// Begins to consume, holding at most `prefetch` deliveries. The channel is this subscription's own.
    pub(super) async fn open(
        channel: lapin::Channel,
        queue: &str,
        prefetch: u16,
    ) -> Result<Self, QueueError> {
        let (acks, acknowledging) = Acks::of(channel.clone());
        let mut subscription = Self {
            deliveries: SelectAll::new(),
            tags: Vec::new(),
            channel,
            acks,
            _acknowledging: acknowledging,
            queue: queue.to_owned(),
            prefetch: 0,
        };
        subscription.consume(prefetch).await?;
        Ok(subscription)
    }

    /// Holds `prefetch` deliveries from now on, if it has held fewer.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn widen(&mut self, prefetch: u16) -> Result<(), QueueError> {
        match prefetch.checked_sub(self.prefetch) {
            Some(more @ 1..) => bounded(self.consume(more)).await,
            _ => Ok(()),
        }
    }

    /// One consumer more, which holds so many.
    async fn consume(&mut self, prefetch: u16) -> Result<(), QueueError> {
        // Before basic.consume: RabbitMQ applies it to consumers that begin afterwards, each by itself.
        self.channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let (queue, options) = (self.queue.as_str().into(), BasicConsumeOptions::default());
        let consumer = self.channel.basic_consume(queue, "".into(), options, FieldTable::default()).await?;
        self.tags.push(consumer.tag());
        self.deliveries.push(consumer.map(Some as Said).chain(stream::iter([None])));
        self.prefetch += prefetch;
        self.acks.hold(self.prefetch);
        Ok(())
    }

    /// The next delivery.
    ///
    /// # Errors
    /// [`QueueError::Lost`], also when the broker cancels a consumer (its queue was deleted).
    pub async fn next(&mut self) -> Result<Delivery, QueueError> {
        let event = self.deliveries.next().await.flatten();
        let delivery = event.ok_or_else(|| QueueError::Lost { reason: "consumer cancelled".into() })??;
        Ok(self.received(delivery))
    }

    fn received(&self, delivery: lapin::message::Delivery) -> Delivery {
        let message = Message::received(delivery.data, &delivery.properties);
        let lane = delivery.routing_key.as_str().parse().ok();
        let headers = delivery.properties.headers().as_ref();
        let deliveries =
            headers.and_then(|headers| count(headers.inner().get("x-delivery-count")?)).unwrap_or(0);
        Delivery { message, lane, deliveries, tag: delivery.delivery_tag, acks: self.acks.clone() }
    }

    /// Whether the broker answers on this very channel, has the queue, and knows of a consumer of it. `false` may pass: a
    /// queue whose leader is being elected has none.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn is_consuming(&self) -> Result<bool, QueueError> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let queue = self.queue.as_str().into();
        let look = async { Ok(self.channel.queue_declare(queue, passive, FieldTable::default()).await?) };
        Ok(bounded(look).await?.consumer_count() > 0)
    }

    /// Asks for no more deliveries, and returns those that nobody has taken yet; all can still be answered.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn end(&mut self) -> Result<Vec<Delivery>, QueueError> {
        for tag in std::mem::take(&mut self.tags) {
            let cancel = async { Ok(self.channel.basic_cancel(tag, BasicCancelOptions::default()).await?) };
            bounded(cancel).await?;
        }
        let mut left = Vec::new();
        while let Some(event) = self.deliveries.next().await {
            if let Some(delivery) = event {
                left.push(self.received(delivery?));
            }
        }
        Ok(left)
    }
}

impl Delivery {
    /// Removes the message from its queue, together with others that are done. `false`: its channel is gone, so it will be
    /// delivered again.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn ack(&self) -> Result<bool, QueueError> {
        self.acks.ack(self.tag).await
    }
}

/// A number of whatever width the broker chose.
fn count(value: &AMQPValue) -> Option<u64> {
    match value {
        AMQPValue::LongLongInt(count) => u64::try_from(*count).ok(),
        AMQPValue::LongInt(count) => u64::try_from(*count).ok(),
        AMQPValue::LongUInt(count) => Some((*count).into()),
        AMQPValue::ShortInt(count) => u64::try_from(*count).ok(),
        AMQPValue::ShortShortInt(count) => u64::try_from(*count).ok(),
        AMQPValue::ShortShortUInt(count) => Some((*count).into()),
        AMQPValue::ShortUInt(count) => Some((*count).into()),
        _ => None,
    }
}
