//! What a session consumes: both lanes, the fresh one first, or at the beginning of a cautious one a single job at a time.

use shared::queue::{Broker, Delivery, Lane, QueueError, Subscription};

use crate::fetch::Fetcher;

/// The lanes of a session.
#[derive(Debug)]
pub struct Lanes {
    /// One job at a time, of one lane: at first all that a cautious session consumes.
    alone: Option<(Lane, Subscription)>,
    both: Option<[Subscription; 2]>,
}

impl Lanes {
    /// Begins to consume both lanes, holding at most `prefetch` deliveries of each.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn both(broker: &Broker, prefetch: u16) -> Result<Self, QueueError> {
        let mut lanes = Self { alone: None, both: None };
        lanes.widen(broker, prefetch).await?;
        Ok(lanes)
    }

    /// Begins to consume one job at a time, of the lane that has any, the fresh one first.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn alone(broker: &Broker) -> Result<Self, QueueError> {
        let lane = if broker.has_jobs(Lane::Fetch).await? { Lane::Fetch } else { Lane::Backfill };
        Ok(Self { alone: Some((lane, broker.subscribe(lane, 1).await?)), both: None })
    }

    /// Whether only one job at a time is consumed.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.both.is_none()
    }

    /// Begins to consume both lanes. What was consumed alone goes on: its delivery is still to be answered.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn widen(&mut self, broker: &Broker, prefetch: u16) -> Result<(), QueueError> {
        let fetch = broker.subscribe(Lane::Fetch, prefetch).await?;
        self.both = Some([fetch, broker.subscribe(Lane::Backfill, prefetch).await?]);
        Ok(())
    }

    /// The next delivery: a fresh call first, an old one when one may be begun.
    pub async fn next(&mut self, fetcher: &Fetcher) -> (Lane, Result<Delivery, QueueError>) {
        let Self { alone, both } = self;
        let (fetch, backfill) = match both {
            Some([fetch, backfill]) => (Some(fetch), Some(backfill)),
            None => (None, None),
        };
        let (lane, alone) = match alone {
            Some((lane, alone)) => (*lane, Some(alone)),
            None => (Lane::Fetch, None),
        };
        tokio::select! {
            biased;
            delivery = next_of(Lane::Fetch, fetch, fetcher) => (Lane::Fetch, delivery),
            delivery = next_of(lane, alone, fetcher) => (lane, delivery),
            delivery = next_of(Lane::Backfill, backfill, fetcher) => (Lane::Backfill, delivery),
        }
    }

    /// All that is consumed.
    pub fn each(&mut self) -> impl Iterator<Item = &mut Subscription> {
        let alone = self.alone.as_mut().map(|(_, subscription)| subscription);
        alone.into_iter().chain(self.both.iter_mut().flatten())
    }
}

async fn next_of(
    lane: Lane,
    subscription: Option<&mut Subscription>,
    fetcher: &Fetcher,
) -> Result<Delivery, QueueError> {
    let Some(subscription) = subscription else { return std::future::pending().await };
    if lane == Lane::Backfill {
        fetcher.may_backfill().await;
    }
    subscription.next().await
}
