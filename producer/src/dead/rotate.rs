//! One turn of `089.dead`: every message that lay there at the start is taken once, and goes where the book says. It is
//! published before it is acked, to its lane or to the queue's own tail, and never rejected or merely looked at: both would
//! count against it. At the end, what is to be asked for again and was not there is made anew from the book.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::database::Database;
use shared::database::book::{self, Death};
use shared::database::dead_letters::{self, Selection, Standing};
use shared::exit::Exit;
use shared::progress::{self, ProgressBar};
use shared::queue::{Broker, Delivery, Destination, Lane, Message, Publisher};
use shared::shutdown::Shutdown;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::letters::{Letters, Next};
use super::message::message;
use super::{Queue, at_queue};

/// Jobs a second that a turn puts back, unless its verb says otherwise.
pub(super) const RATE: NonZeroU32 = NonZeroU32::new(100).expect("more than none");

/// What a turn came to.
#[derive(Debug, Default, Serialize)]
pub(super) struct Rotation {
    /// Back in their lanes.
    pub(super) replayed: u64,
    /// Dropped: stored, discarded, or a second copy.
    pub(super) dropped: u64,
    /// Still dead.
    pub(super) kept: u64,
    /// Entered in the book only now: jobs that killed their worker.
    pub(super) crashed: u64,
    /// It was stopped before its end; the next one does the rest.
    pub(super) is_partial: bool,
    /// A message came that cannot be read; what is behind it is out of reach.
    #[serde(skip)]
    is_blocked: bool,
    /// Dead letters that cannot be asked for again; they are named in the log.
    #[serde(skip)]
    refused: u64,
    /// The conversations whose messages it met.
    #[serde(skip)]
    met: HashSet<String>,
}

impl Rotation {
    /// A turn that did not come round is a failure to be repeated.
    pub(super) fn exit(&self) -> Exit {
        if self.is_partial || self.is_blocked || self.refused > 0 { Exit::Failed } else { Exit::Done }
    }
}

/// Enters in the book what the broker itself dead-lettered, when the queue holds more than the book says, and finishes a
/// replay that was interrupted. Another that is at the queue already does the same.
///
/// With `is_thorough`, it also looks when the queue holds no more: the book may name some whose messages are gone, and as
/// many that killed their worker would not be noticed.
///
/// Before that, it takes the death from what is stored all the same. `beat` is called for each message.
///
/// # Errors
/// What the broker or the database says.
pub async fn book_crashed(
    broker: &Broker,
    database: &Database,
    shutdown: &Shutdown,
    is_thorough: bool,
    beat: &(dyn Fn() + Sync),
) -> anyhow::Result<()> {
    database.run(dead_letters::revive_stored).await?;
    let depth = broker.depth(&broker.topology().queue(Destination::Dead)).await?;
    let booked: i64 =
        database.run(dead_letters::count_by_class).await?.into_iter().map(|(_, count)| count).sum();
    let is_pending = database.run(dead_letters::is_replay_pending).await?;
    let is_known = depth == 0 || (!is_thorough && i64::from(depth) <= booked);
    if is_known && !is_pending {
        return Ok(());
    }
    let rotate = async |queue: Queue<'_>| queue.rotate(RATE, beat).await;
    let rotation = at_queue(broker, database, shutdown, rotate).await?;
    let Ok(Rotation { replayed, crashed, dropped, .. }) = rotation else { return Ok(()) };
    if replayed + crashed + dropped > 0 {
        log::warn!(
            replayed, crashed, dropped;
            "dead letters looked through: {crashed} crashed jobs entered, {dropped} copies dropped, \
             {replayed} asked for again, as somebody began to"
        );
    }
    Ok(())
}

impl Queue<'_> {
    /// Turns the queue once; at most `rate` replays a second. `beat` is called for each message.
    pub(super) async fn rotate(self, rate: NonZeroU32, beat: &(dyn Fn() + Sync)) -> anyhow::Result<Rotation> {
        let count = self.broker.depth(&self.broker.topology().queue(Destination::Dead)).await?;
        let publisher = self.broker.publisher();
        let mut letters = Letters::of(self.broker).await?;
        let mut pace = interval(Duration::from_secs(1) / rate.get());
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut turn = Turn { queue: self, publisher, pace, rotation: Rotation::default() };
        let bar = progress::bar(count.into());
        for _ in 0..count {
            if self.is_over() {
                turn.rotation.is_partial = true;
                break;
            }
            let delivery = match letters.next().await? {
                Next::Letter(delivery) => delivery,
                Next::Nothing => break,
                Next::Unreadable => {
                    turn.rotation.is_blocked = true;
                    break;
                }
            };
            turn.take(&delivery).await?;
            bar.inc(1);
            beat();
        }
        if !turn.rotation.is_partial {
            turn.remake(&bar, beat).await?;
        }
        bar.finish_and_clear();
        letters.close().await;
        Ok(turn.rotation)
    }
}

/// What becomes of one message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Replay,
    Drop,
    Keep,
    /// Keep, and enter its death.
    Enter,
}

/// What the book's standing of a message's conversation means for it; `replays` are those that the message has had. Dead
/// letters count by id, so a second copy is one too many.
fn fate(standing: Option<&Standing>, replays: u32, was_met: bool) -> Fate {
    if was_met || standing.is_some_and(|standing| standing.is_settled) {
        return Fate::Drop;
    }
    match standing {
        Some(standing) if standing.is_dead && standing.is_marked => Fate::Replay,
        Some(standing) if standing.is_dead => Fate::Keep,
        // A copy from before its replay, which is on its way.
        Some(standing) if i64::from(replays) < i64::from(standing.replays) => Fate::Drop,
        _ => Fate::Enter,
    }
}

struct Turn<'a> {
    queue: Queue<'a>,
    publisher: Publisher,
    pace: Interval,
    rotation: Rotation,
}

impl Turn<'_> {
    async fn take(&mut self, delivery: &Delivery) -> anyhow::Result<()> {
        #[expect(clippy::disallowed_methods, reason = "the clock is read once a message")]
        let now = Utc::now();
        let message = &delivery.message;
        let id = message.book_id();
        let key = id.clone();
        let standing =
            self.queue.database.run(move |connection| dead_letters::standing(connection, &key)).await?;
        let was_met = !self.rotation.met.insert(id);
        let fate = fate(standing.as_ref(), message.replays, was_met);
        match fate {
            Fate::Replay => {
                let standing = standing.expect("only the book marks");
                self.replay(message, standing.replays, standing.started_at, standing.died_at, now).await?;
            }
            Fate::Keep => {
                self.publisher.publish(message, Destination::Dead).await?;
                self.rotation.kept += 1;
            }
            Fate::Enter if self.enter(message, now).await? => {
                self.rotation.crashed += 1;
                self.rotation.kept += 1;
            }
            // One that is stored is not entered.
            Fate::Drop | Fate::Enter => self.rotation.dropped += 1,
        }
        delivery.ack().await?;
        Ok(())
    }

    /// What is marked in the book and was not met: its message is gone, with the broker's volume or by a purge. One that
    /// cannot be made anew stays dead.
    async fn remake(&mut self, bar: &ProgressBar, beat: &(dyn Fn() + Sync)) -> anyhow::Result<()> {
        let marked = Selection { marked: true, ..Selection::default() };
        let mut gone =
            self.queue.database.run(move |connection| dead_letters::select(connection, &marked)).await?;
        gone.retain(|letter| !self.rotation.met.contains(&letter.conversation_id));
        bar.inc_length(gone.len() as u64);
        for letter in gone {
            if self.queue.is_over() {
                self.rotation.is_partial = true;
                break;
            }
            #[expect(clippy::disallowed_methods, reason = "the clock is read once a message")]
            let now = Utc::now();
            match message(&letter) {
                Ok(message) => {
                    self.replay(&message, letter.replays, letter.started_at, Some(letter.died_at), now)
                        .await?;
                }
                Err(refusal) => {
                    log::error!("{refusal}");
                    let id = letter.conversation_id;
                    self.queue.database.run(move |connection| dead_letters::unmark(connection, &id)).await?;
                    self.rotation.refused += 1;
                }
            }
            bar.inc(1);
            beat();
        }
        Ok(())
    }

    /// Puts a job back in its lane, when it is time for one, and enters that.
    async fn replay(
        &mut self,
        message: &Message,
        replays: i32,
        started_at: Option<DateTime<Utc>>,
        died_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        self.pace.tick().await;
        let again = message.clone().replayed(u32::try_from(replays).unwrap_or(0) + 1);
        self.publisher.publish(&again, Destination::Work(Lane::of(started_at, now))).await?;
        let conversation_id = message.book_id();
        self.queue
            .database
            .run(move |connection| dead_letters::mark_replayed(connection, &conversation_id, died_at))
            .await?;
        self.rotation.replayed += 1;
        Ok(())
    }

    /// A job that killed its worker again and again never got a verdict: the broker moved it here. One that a worker put
    /// here, and that the book does not know, comes from before the book was restored. `false`: it is settled already.
    async fn enter(&self, message: &Message, now: DateTime<Utc>) -> anyhow::Result<bool> {
        let failure = message.failure.as_ref().filter(|_| !message.was_moved_by_broker);
        let class = failure.map_or("crashed", |failure| failure.class.as_str()).to_owned();
        let http_status = failure.and_then(|failure| failure.http_status);
        let job = message.job().ok();
        let death = Death {
            conversation_id: message.book_id(),
            agent_id: job.as_ref().and_then(|job| job.agent_id.as_ref()).map(ToString::to_string),
            run_id: job.and_then(|job| job.run_id),
            lane: Lane::Fetch.as_str(),
            class: class.clone(),
            http_status,
            attempts: message.attempt,
            replays: message.replays,
        };
        if !self.queue.database.transaction(move |connection| book::record_death(connection, &death)).await? {
            return Ok(false);
        }
        let named = message.clone().failed(&class, http_status, false, now);
        self.publisher.publish(&named, Destination::Dead).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_says_where_a_dead_letter_goes() {
        let standing = |is_dead, is_marked, is_settled, replays| Standing {
            is_dead,
            is_marked,
            is_settled,
            replays,
            started_at: None,
            died_at: None,
        };
        assert_eq!(fate(None, 0, false), Fate::Enter);
        assert_eq!(fate(Some(&standing(true, false, false, 0)), 0, false), Fate::Keep);
        assert_eq!(fate(Some(&standing(true, false, false, 0)), 0, true), Fate::Drop);
        assert_eq!(fate(Some(&standing(false, false, true, 0)), 0, false), Fate::Drop);
        assert_eq!(fate(Some(&standing(true, true, false, 0)), 0, false), Fate::Replay);
        assert_eq!(fate(Some(&standing(false, false, false, 1)), 0, false), Fate::Drop);
        assert_eq!(fate(Some(&standing(false, false, false, 1)), 1, false), Fate::Enter);
    }
}
