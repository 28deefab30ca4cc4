//! What a session consumes: both lanes, the fresh one first, or at the beginning of a cautious one a single job at a time.

use shared::queue::{Broker, Delivery, Lane, QueueError, Subscription};

use crate::fetch::Fetcher;
use crate::job::Caution;

/// The lanes of a session.
#[derive(Debug)]
pub struct Lanes {
    /// One job at a time, of one lane: at first all that a cautious session consumes. Afterwards it is kept, cancelled, for
    /// the answer to the last that it delivered.
    alone: Option<(Lane, Subscription)>,
    /// That last one, as long as it has not been taken.
    last: Option<(Lane, Delivery)>,
    both: Option<[Subscription; 2]>,
}

impl Lanes {
    /// Begins to consume both lanes, holding at most `prefetch` deliveries of each; or one job at a time, of the lane that
    /// has any, the fresh one first. With no job there is nothing to be cautious of.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn open(broker: &Broker, caution: Caution, prefetch: u16) -> Result<Self, QueueError> {
        let mut lanes = Self { alone: None, last: None, both: None };
        if caution == Caution::Alone {
            for lane in [Lane::Fetch, Lane::Backfill] {
                if broker.has_jobs(lane).await? {
                    lanes.alone = Some((lane, broker.subscribe(lane, 1).await?));
                    return Ok(lanes);
                }
            }
        }
        lanes.widen(broker, prefetch).await?;
        Ok(lanes)
    }

    /// Whether only one job at a time is consumed.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.both.is_none()
    }

    /// Begins to consume both lanes. Nothing more is consumed alone: of two consumers of one queue, the one whose channel
    /// the broker closes last is given what the other held, and one death would count twice.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn widen(&mut self, broker: &Broker, prefetch: u16) -> Result<(), QueueError> {
        if let Some((lane, alone)) = &mut self.alone {
            alone.cancel().await?;
            // What had come before the broker knew; then its stream ends.
            self.last = alone.next().await.ok().map(|delivery| (*lane, delivery));
        }
        let fetch = broker.subscribe(Lane::Fetch, prefetch).await?;
        self.both = Some([fetch, broker.subscribe(Lane::Backfill, prefetch).await?]);
        Ok(())
    }

    /// The next delivery: a fresh call first, an old one when one may be begun.
    pub async fn next(&mut self, fetcher: &Fetcher) -> (Lane, Result<Delivery, QueueError>) {
        if let Some((lane, delivery)) = self.last.take() {
            return (lane, Ok(delivery));
        }
        match (&mut self.both, &mut self.alone) {
            (Some([fetch, backfill]), _) => tokio::select! {
                biased;
                delivery = fetch.next() => (Lane::Fetch, delivery),
                delivery = next_old(backfill, fetcher) => (Lane::Backfill, delivery),
            },
            (None, Some((Lane::Fetch, alone))) => (Lane::Fetch, alone.next().await),
            (None, Some((Lane::Backfill, alone))) => (Lane::Backfill, next_old(alone, fetcher).await),
            (None, None) => unreachable!("lanes are opened with one or with both"),
        }
    }

    /// All that consumes.
    pub fn each(&mut self) -> impl Iterator<Item = &mut Subscription> {
        let alone = self.alone.as_mut().filter(|_| self.both.is_none());
        alone.into_iter().map(|(_, subscription)| subscription).chain(self.both.iter_mut().flatten())
    }
}

async fn next_old(subscription: &mut Subscription, fetcher: &Fetcher) -> Result<Delivery, QueueError> {
    fetcher.may_backfill().await;
    subscription.next().await
}
