//! What a session consumes: both lanes, the fresh one first, and no more of them than it has use for. What is held when a
//! worker dies has been delivered once more than it should.

use shared::queue::{Broker, Delivery, Lane, QueueError, Subscription};

use crate::fetch::Fetcher;
use crate::job::Caution;
use crate::pace::Backfill;

/// The lanes of a session.
#[derive(Debug)]
pub struct Lanes {
    fetch: Option<Subscription>,
    backfill: Option<Subscription>,
    /// Deliveries that are held of each lane, at most; more as the session widens …
    prefetch: u16,
    /// … from this, once it is not cautious any more …
    first: u16,
    /// … up to this.
    most: u16,
}

impl Lanes {
    /// Begins to consume. With all caution that is one job at a time, of the lane that has any, the fresh one first; with no
    /// job there is nothing to be cautious of. A trial holds of each lane what can be asked for at once, `at_once`; who sifts
    /// holds one of each. Others hold twice as many, and in the end up to `most`.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn open(
        broker: &Broker,
        caution: Caution,
        at_once: u16,
        most: u16,
    ) -> Result<Self, QueueError> {
        let first = match caution {
            Caution::Full | Caution::Alone => at_once.saturating_mul(2),
            Caution::Trial => at_once,
            Caution::Sift => 1,
        };
        let mut lanes = Self { fetch: None, backfill: None, prefetch: 1, first: first.min(most), most };
        if matches!(caution, Caution::Alone | Caution::Sift) {
            for lane in [Lane::Fetch, Lane::Backfill] {
                if broker.has_jobs(lane).await? {
                    *lanes.of(lane) = Some(broker.subscribe(lane, 1).await?);
                    return Ok(lanes);
                }
            }
        }
        lanes.widen(broker).await?;
        Ok(lanes)
    }

    /// Whether only one lane is consumed, one job at a time.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.fetch.is_none() || self.backfill.is_none()
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
        let prefetch = self.prefetch;
        for lane in [Lane::Fetch, Lane::Backfill] {
            match self.of(lane) {
                Some(subscription) => subscription.widen(prefetch).await?,
                subscription => *subscription = Some(broker.subscribe(lane, prefetch).await?),
            }
        }
        Ok(())
    }

    fn of(&mut self, lane: Lane) -> &mut Option<Subscription> {
        match lane {
            Lane::Fetch => &mut self.fetch,
            Lane::Backfill => &mut self.backfill,
        }
    }

    /// The next delivery: a fresh call first, an old one when one may be begun.
    pub async fn next(&mut self, fetcher: &Fetcher) -> (Option<Backfill>, Result<Delivery, QueueError>) {
        let old = async {
            let right = fetcher.backfill().await;
            (Some(right), next_of(&mut self.backfill).await)
        };
        tokio::select! {
            biased;
            delivery = next_of(&mut self.fetch) => (None, delivery),
            next = old => next,
        }
    }

    /// Whether the broker knows consumers of each.
    ///
    /// # Errors
    /// [`QueueError::Lost`].
    pub async fn are_consuming(&self) -> Result<bool, QueueError> {
        for subscription in self.fetch.iter().chain(&self.backfill) {
            if !subscription.is_consuming().await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks for no more; returns what was delivered and nobody has taken.
    pub async fn end(&mut self) -> Vec<Delivery> {
        let mut left = Vec::new();
        for subscription in self.fetch.iter_mut().chain(&mut self.backfill) {
            match subscription.end().await {
                Ok(deliveries) => left.extend(deliveries),
                Err(error) => log::debug!("cancelling a consumer failed: {error}"),
            }
        }
        left
    }
}

async fn next_of(subscription: &mut Option<Subscription>) -> Result<Delivery, QueueError> {
    match subscription {
        Some(subscription) => subscription.next().await,
        None => std::future::pending().await,
    }
}
