//! The way of one job: fetch → normalize → persist → settle.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use chrono::Utc;
use futures_util::FutureExt;
use shared::queue::Delivery;
use tokio_util::sync::CancellationToken;

use crate::fetch::Fetcher;
use crate::pace::Permit;
use crate::persist::{Writer, Written};
use crate::settle::{Settled, Settler, Unsettled};
use crate::verdict::{Cause, Interruption, Unstored, Verdict};

/// What a job needs on its way.
#[derive(Debug)]
pub struct Stations {
    /// Where it is fetched, and becomes rows.
    pub fetcher: Fetcher,
    /// Where its rows are written.
    pub writer: Writer,
    /// Where it is answered.
    pub settler: Settler,
    /// How much this session dares.
    pub caution: Caution,
    /// Cancelled when something that is no job's fault ends the session, before anything else is told.
    pub pausing: CancellationToken,
}

impl Stations {
    /// Whether a delivery that was not worked, since the session fails, is put back at no cost: in a trial. What a suspect
    /// has cost so far must not be forgotten.
    #[must_use]
    pub fn puts_back(&self, delivery: &Delivery) -> bool {
        self.caution == Caution::Trial && !may_kill(delivery)
    }
}

/// How much a session dares to hold: what a worker holds when it dies costs each of it a delivery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Caution {
    /// As much as it may.
    Full,
    /// Nothing has shown yet that what was in the way of the last session is over: as many jobs are held as can be begun,
    /// and what cannot be done is put back at no cost.
    Trial,
    /// What killed the last worker may be the next job: one at a time, until one has gone well.
    Alone,
    /// What ended the last session is the next message of a lane: one at a time, then one of each lane, and only then more.
    Sift,
}

/// A job that came back so often without an answer may be what kills its workers: it is worked while nothing else is, and
/// a worker that begins after one has died holds nothing beside it. So the others do not reach the broker's limit of 20
/// with it.
const SUSPECT: u64 = 10;

/// Whether it may be what kills its workers.
#[must_use]
pub fn may_kill(delivery: &Delivery) -> bool {
    delivery.deliveries >= SUSPECT
}

/// How a job ended.
#[derive(Debug)]
pub struct Ended {
    /// What the answer came to; `None` when it was given back unanswered.
    pub settled: Option<Settled>,
    /// What stops the worker, if this job met it.
    pub interruption: Option<Interruption>,
    /// The answer could not be given: the connection to the broker is of no use any more.
    pub broker: Option<shared::queue::QueueError>,
}

/// Works one job to its end. A delivery without a verdict is left unanswered, except in a trial that fails: it goes back to
/// its queue when the channel closes, which an interruption always leads to.
pub async fn work(
    delivery: Delivery,
    permit: Permit,
    stations: Arc<Stations>,
    ending: CancellationToken,
) -> Ended {
    let way = AssertUnwindSafe(store(&delivery, permit, &stations, &ending)).catch_unwind();
    let unstored = match way.await {
        Ok(Ok(written)) => {
            log::debug!("job done: {written:?}");
            Verdict::Stored.into()
        }
        Ok(Err(unstored)) => unstored,
        // Where it was is on standard error.
        Err(_) => Verdict::Retry(Cause::PANIC).into(),
    };
    let Unstored { verdict, mut interruption } = unstored;
    let (mut settled, mut broker) = (None, None);
    if let Some(verdict) = verdict {
        #[expect(clippy::disallowed_methods, reason = "the clock is read here, for all that settles")]
        let now = Utc::now();
        match stations.settler.settle(&delivery, verdict, now).await {
            Ok(answer) => settled = Some(answer),
            Err(Unsettled::Queue(error)) => broker = Some(error),
            Err(Unsettled::Database(error)) => {
                log::warn!("the book cannot be written: {error}");
                interruption = Some(Interruption::Database);
            }
        }
    }
    let is_undone = settled.is_none() && broker.is_none();
    let is_pause = interruption != Some(Interruption::Stopping) || stations.pausing.is_cancelled();
    if is_undone && is_pause && stations.puts_back(&delivery) {
        broker = stations.settler.put_back(&delivery).await.err();
    }
    Ended { settled, interruption, broker }
}

async fn store(
    delivery: &Delivery,
    permit: Permit,
    stations: &Stations,
    ending: &CancellationToken,
) -> Result<Written, Unstored> {
    let place = stations.writer.place();
    let job = delivery.message.job().map_err(|error| {
        log::warn!("a message is set aside: {error}");
        Verdict::Dead(Cause::BROKEN_MESSAGE)
    })?;
    let rows = stations.fetcher.fetch(&job.conversation_id, permit, ending).await?;
    Ok(place.write(rows).await?)
}
