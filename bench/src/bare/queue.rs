//! One quorum queue, windows of confirms, `multiple` acks.

use std::collections::{BTreeSet, VecDeque};

use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, PublisherConfirm};

use super::WINDOW;

/// A durable message.
const PERSISTENT: u8 = 2;

/// A connection with a channel for each direction.
#[derive(Debug)]
pub(crate) struct Queue {
    connection: Connection,
    publishing: Channel,
    consuming: Channel,
    name: String,
}

impl Queue {
    /// Connects, and declares the queue.
    pub(crate) async fn open(url: &str, name: &str) -> anyhow::Result<Self> {
        super::install_tls_provider();
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let (publishing, consuming) =
            (connection.create_channel().await?, connection.create_channel().await?);
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        publishing.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await?;
        Ok(Self { connection, publishing, consuming, name: name.to_owned() })
    }

    /// Deletes the queue, and ends.
    pub(crate) async fn delete(self) -> anyhow::Result<()> {
        self.publishing.queue_delete(self.name.as_str().into(), QueueDeleteOptions::default()).await?;
        self.close().await
    }

    /// Ends, when everything was sent.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        Ok(self.connection.close(200, "bye".into()).await?)
    }

    /// Begins to publish.
    pub(crate) async fn publisher(&self) -> anyhow::Result<Publisher<'_>> {
        self.publishing.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Publisher { queue: self, pending: VecDeque::with_capacity(WINDOW) })
    }

    /// Begins to consume.
    pub(crate) async fn consume(&self, prefetch: u16) -> anyhow::Result<lapin::Consumer> {
        self.consuming.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let options = BasicConsumeOptions::default();
        Ok(self
            .consuming
            .basic_consume(self.name.as_str().into(), "".into(), options, FieldTable::default())
            .await?)
    }

    /// Asks for no more.
    pub(crate) async fn cancel(&self, consumer: &lapin::Consumer) -> anyhow::Result<()> {
        Ok(self.consuming.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await?)
    }

    /// Acks everything up to this delivery.
    pub(crate) async fn ack_up_to(&self, tag: u64) -> anyhow::Result<()> {
        Ok(self.consuming.basic_ack(tag, BasicAckOptions { multiple: true }).await?)
    }
}

/// Publishes with a window of confirms.
#[derive(Debug)]
pub(crate) struct Publisher<'a> {
    queue: &'a Queue,
    pending: VecDeque<PublisherConfirm>,
}

impl Publisher<'_> {
    /// Publishes one message; waits for the oldest confirm when the window is full.
    pub(crate) async fn publish(&mut self, body: &[u8]) -> anyhow::Result<()> {
        if self.pending.len() == WINDOW
            && let Some(oldest) = self.pending.pop_front()
        {
            taken(&oldest.await?)?;
        }
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        let (options, queue) = (BasicPublishOptions::default(), self.queue.name.as_str().into());
        let confirm =
            self.queue.publishing.basic_publish("".into(), queue, options, body, properties).await?;
        self.pending.push_back(confirm);
        Ok(())
    }

    /// Waits until the broker has everything.
    pub(crate) async fn confirmed(self) -> anyhow::Result<()> {
        for confirm in self.pending {
            taken(&confirm.await?)?;
        }
        Ok(())
    }
}

fn taken(confirmation: &Confirmation) -> anyhow::Result<()> {
    anyhow::ensure!(matches!(confirmation, Confirmation::Ack(None)), "the broker took a message");
    Ok(())
}

/// Which deliveries are done; they are done in any order, and acked in theirs.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    acked: u64,
    done: BTreeSet<u64>,
}

impl Acks {
    /// Enters deliveries that are done; returns up to which all are, if that has moved.
    pub(crate) fn done(&mut self, tags: impl IntoIterator<Item = u64>) -> Option<u64> {
        self.done.extend(tags);
        let before = self.acked;
        while self.done.remove(&(self.acked + 1)) {
            self.acked += 1;
        }
        (self.acked > before).then_some(self.acked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ack_never_covers_a_delivery_that_is_not_done() {
        let mut acks = Acks::default();
        assert_eq!(acks.done([2, 3]), None);
        assert_eq!(acks.done([1]), Some(3));
        assert_eq!(acks.done([5, 4]), Some(5));
    }
}
