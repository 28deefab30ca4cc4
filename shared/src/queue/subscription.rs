//! Consuming one queue.

use futures_util::StreamExt;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, DeliveryTag, FieldTable};

use super::acks::{Acknowledging, Acks};
use super::connection::bounded;
use super::{Lane, Message, QueueError};

/// A consumer of one queue. Dropping it closes its channel, and everything it delivered that has no answer yet goes back.
#[derive(Debug)]
pub struct Subscription {
    // Declared before the channel, so that it is dropped first.
    consumer: lapin::Consumer,
    channel: lapin::Channel,
    acks: Acks,
    _acknowledging: Acknowledging,
    queue: String,
}

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
    /// Begins to consume, holding at most `prefetch` deliveries. The channel is this consumer's own.
    pub(super) async fn open(
        channel: lapin::Channel,
        queue: &str,
        prefetch: u16,
    ) -> Result<Self, QueueError> {
        // Before basic.consume: RabbitMQ applies it to consumers that begin afterwards.
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let (acks, acknowledging) = Acks::of(channel.clone(), prefetch);
        let options = BasicConsumeOptions::default();
        let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
        Ok(Self { consumer, channel, acks, _acknowledging: acknowledging, queue: queue.to_owned() })
    }

    /// The next delivery.
    ///
    /// # Errors
    /// [`QueueError::Lost`], also when the broker cancels the consumer (its queue was deleted).
    pub async fn next(&mut self) -> Result<Delivery, QueueError> {
        let delivery = self
            .consumer
            .next()
            .await
            .ok_or_else(|| QueueError::Lost { reason: "consumer cancelled".into() })??;
        let message = Message::received(delivery.data, &delivery.properties);
        let lane = delivery.routing_key.as_str().parse().ok();
        let headers = delivery.properties.headers().as_ref();
        let deliveries =
            headers.and_then(|headers| count(headers.inner().get("x-delivery-count")?)).unwrap_or(0);
        Ok(Delivery { message, lane, deliveries, tag: delivery.delivery_tag, acks: self.acks.clone() })
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

    /// Asks for no more deliveries; those that are held can still be answered.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn cancel(&self) -> Result<(), QueueError> {
        bounded(async {
            Ok(self.channel.basic_cancel(self.consumer.tag(), BasicCancelOptions::default()).await?)
        })
        .await
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
