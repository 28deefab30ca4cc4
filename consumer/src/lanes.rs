//! What a session consumes: both lanes, the fresh one first, and no more of them than it has use for. What is held when a
//! worker dies has been delivered once more than it should.

use std::collections::VecDeque;

use shared::queue::{Broker, Delivery, Lane, QueueError, Subscription};

use crate::fetch::Fetcher;
use crate::job::Caution;

/// The lanes of a session.
#[derive(Debug)]
pub struct Lanes {
    fetch: Feed,
    backfill: Feed,
    /// Deliveries that are held of each lane, at most; more as the session widens …
    prefetch: u16,
    /// … from this, once it is not cautious any more …
    first: u16,
    /// … up to this.
    most: u16,
}

/// One lane.
#[derive(Debug)]
struct Feed {
    lane: Lane,
    consumer: Option<Subscription>,
    /// Consumers of before. They deliver nothing any more, and are kept for the answers to what they delivered.
    past: Vec<Subscription>,
    /// What they had delivered, and nobody has taken yet.
    left: VecDeque<Delivery>,
}

impl Lanes {
    /// Begins to consume. With all caution that is one job at a time, of the lane that has any, the fresh one first; with no
    /// job there is nothing to be cautious of. A trial holds of each lane what can be asked for at once, `at_once`. Others
    /// hold twice as many, and in the end up to `most`.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn open(
        broker: &Broker,
        caution: Caution,
        at_once: u16,
        most: u16,
    ) -> Result<Self, QueueError> {
        let first = if caution == Caution::Trial { at_once } else { at_once.saturating_mul(2) };
        let (fetch, backfill) = (Feed::new(Lane::Fetch), Feed::new(Lane::Backfill));
        let mut lanes = Self { fetch, backfill, prefetch: 0, first: first.min(most), most };
        if caution != Caution::Alone || !lanes.begin_alone(broker).await? {
            lanes.widen(broker).await?;
        }
        Ok(lanes)
    }

    /// Begins with the lane that has jobs, if one has.
    async fn begin_alone(&mut self, broker: &Broker) -> Result<bool, QueueError> {
        for feed in [&mut self.fetch, &mut self.backfill] {
            if broker.has_jobs(feed.lane).await? {
                feed.consume(broker, 1).await?;
                self.prefetch = 1;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether only one lane is consumed, one job at a time.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.fetch.consumer.is_none() || self.backfill.consumer.is_none()
    }

    /// Whether a session with so many jobs under way that could begin another is short of deliveries.
    #[must_use]
    pub fn is_short(&self, under_way: usize) -> bool {
        self.prefetch < self.most && under_way >= usize::from(self.prefetch)
    }

    /// Consumes both lanes, and holds more of them: twice as many as before.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn widen(&mut self, broker: &Broker) -> Result<(), QueueError> {
        self.prefetch =
            if self.is_alone() { self.first } else { self.prefetch.saturating_mul(2).min(self.most) };
        self.fetch.consume(broker, self.prefetch).await?;
        self.backfill.consume(broker, self.prefetch).await
    }

    /// The next delivery: a fresh call first, an old one when one may be begun.
    pub async fn next(&mut self, fetcher: &Fetcher) -> (Lane, Result<Delivery, QueueError>) {
        let old = async {
            fetcher.may_backfill().await;
            self.backfill.next().await
        };
        tokio::select! {
            biased;
            delivery = self.fetch.next() => (Lane::Fetch, delivery),
            delivery = old => (Lane::Backfill, delivery),
        }
    }

    /// Whether the broker knows all consumers.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn are_consuming(&self) -> Result<bool, QueueError> {
        for consumer in self.fetch.consumer.iter().chain(&self.backfill.consumer) {
            if !consumer.is_consuming().await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks for no more; returns what was delivered and nobody has taken.
    pub async fn end(&mut self) -> Vec<Delivery> {
        let mut left = Vec::new();
        for feed in [&mut self.fetch, &mut self.backfill] {
            if let Err(error) = feed.stop().await {
                log::debug!("cancelling a consumer failed: {error}");
            }
            left.extend(feed.left.drain(..));
        }
        left
    }
}

impl Feed {
    fn new(lane: Lane) -> Self {
        Self { lane, consumer: None, past: Vec::new(), left: VecDeque::new() }
    }

    /// A new consumer, instead of the one there is: of two of one queue, the one whose channel the broker closes last is
    /// given what the other held, and one death would count twice.
    async fn consume(&mut self, broker: &Broker, prefetch: u16) -> Result<(), QueueError> {
        self.stop().await?;
        self.consumer = Some(broker.subscribe(self.lane, prefetch).await?);
        Ok(())
    }

    async fn stop(&mut self) -> Result<(), QueueError> {
        let Some(mut consumer) = self.consumer.take() else { return Ok(()) };
        consumer.cancel().await?;
        // Its stream ends with what had come before the broker knew.
        while let Ok(delivery) = consumer.next().await {
            self.left.push_back(delivery);
        }
        self.past.push(consumer);
        Ok(())
    }

    async fn next(&mut self) -> Result<Delivery, QueueError> {
        match (self.left.pop_front(), &mut self.consumer) {
            (Some(delivery), _) => Ok(delivery),
            (None, Some(consumer)) => consumer.next().await,
            (None, None) => std::future::pending().await,
        }
    }
}
