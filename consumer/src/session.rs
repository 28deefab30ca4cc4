//! One stay at the broker: deliveries are taken, worked side by side and answered, until something ends it.
//!
//! Nothing of a session outlives it: what it could not answer goes back to its queue when its connection closes.

use std::sync::Arc;
use std::time::Duration;

use shared::pulse::Pulse;
use shared::queue::{Broker, Delivery, QueueError};
use shared::shutdown::Shutdown;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::drain::{Drain, LOOK_EVERY};
use crate::job::{Caution, Ended, Stations, may_kill, work};
use crate::lanes::Lanes;
use crate::pace::{Backfill, Permit};
use crate::tally::Tally;
use crate::verdict::Interruption;

/// How often the broker is asked whether it still knows this worker …
const PULSE_EVERY: Duration = Duration::from_secs(10);

/// … and how long its answer holds for `consumer health`.
const CONSUMING_FOR: Duration = Duration::from_secs(30);

/// A job that is worked alone, and is no suspect, keeps the others waiting no longer than this: what kills a worker does
/// so sooner.
const ALONE_FOR: Duration = Duration::from_secs(3);

/// Why a session ended.
#[derive(Debug)]
pub enum End {
    /// It was asked to stop, and has answered or given back all it held.
    Stopped,
    /// `--drain` found nothing left to do.
    Drained,
    /// Something that is no job's fault is in the way.
    Paused(Interruption),
    /// A trial has shown that nothing is in the way any more: the next one holds as much as it may.
    Proven,
    /// The broker was lost.
    Lost(QueueError),
}

/// A stay at the broker.
#[derive(Debug)]
pub struct Session {
    broker: Broker,
    lanes: Lanes,
    stations: Arc<Stations>,
    jobs: JoinSet<Ended>,
    /// Cancelled when nothing new is begun.
    ending: CancellationToken,
}

impl Session {
    /// Begins to consume, and will hold at most `prefetch` deliveries of each lane.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn open(broker: Broker, stations: Arc<Stations>, prefetch: u16) -> Result<Self, QueueError> {
        let unreadable = broker.unreadable();
        let lanes = tokio::select! {
            lanes = Lanes::open(&broker, stations.caution, stations.fetcher.most(), prefetch) => lanes,
            () = unreadable.cancelled() => Err(QueueError::Unreadable),
        };
        let lanes = match lanes {
            Ok(lanes) => lanes,
            Err(error) => return Err(broker.reason(error).await),
        };
        let (jobs, ending) = (JoinSet::new(), CancellationToken::new());
        Ok(Self { broker, lanes, stations, jobs, ending })
    }

    /// How much is held, for a person.
    #[must_use]
    pub fn beginning(&self) -> &'static str {
        match self.stations.caution {
            Caution::Trial => ", few jobs at first",
            Caution::Alone | Caution::Sift if self.lanes.is_alone() => ", one job at first",
            Caution::Alone | Caution::Sift | Caution::Full => "",
        }
    }

    /// Works until something ends it, and then until what is held is answered or given back.
    pub async fn run(
        mut self,
        shutdown: &Shutdown,
        mut drain: Option<Drain>,
        tally: &Tally,
        pulse: &Pulse,
    ) -> End {
        let unreadable = self.broker.unreadable();
        let work = async {
            let mut end = tokio::select! {
                end = self.take(shutdown, drain.as_mut(), tally, pulse) => end,
                () = unreadable.cancelled() => End::Lost(QueueError::Unreadable),
            };
            if let End::Lost(error) = end {
                end = End::Lost(self.broker.reason(error).await);
            }
            if matches!(end, End::Paused(_)) {
                self.stations.pausing.cancel();
            }
            self.ending.cancel();
            self.finish(end, tally).await
        };
        let end = tokio::select! {
            end = work => end,
            () = shutdown.hard().cancelled() => {
                log::warn!("{} jobs go back to their queue unanswered", self.jobs.len());
                self.jobs.shutdown().await;
                End::Stopped
            }
        };
        self.broker.close().await;
        end
    }

    /// Takes deliveries, the fresh ones first, as permits for requests come free.
    async fn take(
        &mut self,
        shutdown: &Shutdown,
        mut drain: Option<&mut Drain>,
        tally: &Tally,
        pulse: &Pulse,
    ) -> End {
        let mut pulse_due = interval(PULSE_EVERY);
        pulse_due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut permit: Option<Permit> = None;
        // One that came and waits until nothing else is under way, and whether one is under way.
        let mut suspect: Option<(Option<Backfill>, Delivery)> = None;
        let mut is_suspect = false;
        let mut alone_until = Instant::now() + ALONE_FOR;
        loop {
            let is_alone = self.lanes.is_alone();
            is_suspect &= !self.jobs.is_empty();
            if self.jobs.is_empty()
                && permit.is_some()
                && let Some((right, delivery)) = suspect.take()
            {
                log::warn!(
                    "a job came back {} times without an answer: it is worked alone",
                    delivery.deliveries
                );
                is_suspect = true;
                self.begin(right, delivery, permit.take(), tally);
                continue;
            }
            let takes_more = permit.is_some() && suspect.is_none() && !is_suspect;
            let delivery = tokio::select! {
                biased;
                () = shutdown.soft().cancelled() => return End::Stopped,
                // Before all that a loaded worker always finds ready.
                _ = pulse_due.tick() => {
                    match self.is_consuming().await {
                        Ok(true) if self.broker.is_in_need() => {
                            log::warn!("the broker takes no messages (memory or disk): {} jobs wait", self.jobs.len());
                            pulse.beat("consuming; the broker takes no messages", CONSUMING_FOR);
                        }
                        Ok(true) => pulse.beat("consuming", CONSUMING_FOR),
                        Ok(false) => log::warn!("the broker knows no consumer of a lane"),
                        Err(error) => return End::Lost(error),
                    }
                    continue;
                }
                Some(ended) = self.jobs.join_next() => {
                    if is_suspect {
                        alone_until = Instant::now() + ALONE_FOR;
                    }
                    let done_before = tally.done();
                    if let Some(end) = reap(ended, tally) {
                        return end;
                    }
                    let is_proof = tally.done() > done_before && !is_suspect;
                    if is_proof && self.stations.caution == Caution::Trial {
                        return End::Proven;
                    }
                    // Those that wait for others to be written are no reason: only where one ended may another begin.
                    let is_short = permit.is_some() && self.lanes.is_short(self.jobs.len() + 1);
                    if is_proof && (is_alone || is_short) && let Err(error) = self.lanes.widen(&self.broker).await {
                        return End::Lost(error);
                    }
                    continue;
                }
                // It takes its time, or others have taken what there was.
                () = sleep_until(alone_until), if is_alone && !is_suspect => {
                    if let Err(error) = self.lanes.widen(&self.broker).await {
                        return End::Lost(error);
                    }
                    continue;
                }
                free = self.stations.fetcher.permit(), if permit.is_none() => {
                    permit = Some(free);
                    continue;
                }
                delivery = self.lanes.next(&self.stations.fetcher), if takes_more => delivery,
                _ = look.tick(), if drain.is_some() => {
                    if let Some(drain) = drain.as_deref_mut() {
                        let is_idle = self.jobs.is_empty() && permit.is_some() && suspect.is_none();
                        match drain.is_done(&self.broker, is_idle).await {
                            Ok(true) => return End::Drained,
                            Ok(false) => {}
                            Err(error) => return End::Lost(error),
                        }
                    }
                    continue;
                }
            };
            match delivery {
                (right, Ok(delivery)) if may_kill(&delivery) => suspect = Some((right, delivery)),
                (right, Ok(delivery)) => self.begin(right, delivery, permit.take(), tally),
                (_, Err(error)) => return End::Lost(error),
            }
        }
    }

    async fn is_consuming(&mut self) -> Result<bool, QueueError> {
        self.broker.check_publishing()?;
        self.lanes.are_consuming().await
    }

    fn begin(&mut self, right: Option<Backfill>, delivery: Delivery, permit: Option<Permit>, tally: &Tally) {
        let mut permit = permit.expect("deliveries are only taken with a permit");
        if let Some(right) = right {
            permit.for_backfill(right);
        }
        tally.count_begun();
        self.jobs.spawn(work(delivery, permit, Arc::clone(&self.stations), self.ending.clone()));
    }

    /// Asks for no more, and waits for what is under way. Deliveries that were never begun go back by themselves; those of a
    /// trial that failed are put back, since such trials may follow each other. Without a broker nothing can be answered,
    /// and waiting would only keep the worker from another.
    async fn finish(&mut self, end: End, tally: &Tally) -> End {
        if matches!(end, End::Lost(_)) {
            self.jobs.shutdown().await;
            return end;
        }
        let mut lost = None;
        let is_pause = matches!(end, End::Paused(_));
        for delivery in self.lanes.end().await.iter().filter(|it| is_pause && self.stations.puts_back(it)) {
            lost = self.stations.settler.put_back(delivery).await.err();
            if lost.is_some() {
                break;
            }
        }
        while let Some(ended) = self.jobs.join_next().await {
            if let Some(End::Lost(error)) = reap(ended, tally) {
                lost = Some(error);
            }
        }
        match (end, lost) {
            (End::Drained | End::Paused(_) | End::Proven, Some(error)) => End::Lost(error),
            (end, _) => end,
        }
    }
}

/// Counts a job that ended, and says whether it ends the session.
fn reap(ended: Result<Ended, tokio::task::JoinError>, tally: &Tally) -> Option<End> {
    match ended {
        Ok(Ended { settled, interruption, broker }) => {
            if let Some(settled) = settled {
                tally.count(settled);
            }
            broker
                .map(End::Lost)
                .or(interruption.filter(|&why| why != Interruption::Stopping).map(End::Paused))
        }
        // Only a panic outside of the job's own way, or an abort: its delivery is unanswered, so it comes again.
        Err(error) => Some(End::Lost(QueueError::Lost { reason: format!("a task failed: {error}") })),
    }
}
