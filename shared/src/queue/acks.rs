//! The acks of one channel, as few as can be: one with `multiple` answers every delivery up to it. A quorum queue takes
//! several times as many so than one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lapin::options::BasicAckOptions;
use lapin::types::DeliveryTag;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::QueueError;

/// How long an answer may wait to be sent: a broker in need reads nothing.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a delivery that is done waits for the ones before it, mostly those of the batch before …
const LINGER: Duration = Duration::from_millis(100);

/// … and what part of the prefetch may wait so, since the broker sends no more for them.
const LINGERING_PART: usize = 2;

/// Where deliveries that are done say so; clones share the channel.
#[derive(Clone, Debug)]
pub(super) struct Acks {
    done: mpsc::UnboundedSender<Done>,
    /// How many may linger.
    most: Arc<AtomicUsize>,
}

/// Sends the acks of a channel for as long as it is kept.
#[derive(Debug)]
pub(super) struct Acknowledging(JoinHandle<()>);

#[derive(Debug)]
struct Done {
    tag: DeliveryTag,
    sent: oneshot::Sender<Result<(), QueueError>>,
}

impl Acks {
    /// Begins to answer what this channel delivers.
    pub(super) fn of(channel: lapin::Channel) -> (Self, Acknowledging) {
        let (done, received) = mpsc::unbounded_channel();
        let most = Arc::<AtomicUsize>::default();
        let acknowledging = tokio::spawn(acknowledge(channel, received, Arc::clone(&most)));
        (Self { done, most }, Acknowledging(acknowledging))
    }

    /// The channel's consumers hold at most `prefetch` deliveries from now on.
    pub(super) fn hold(&self, prefetch: u16) {
        self.most.store(usize::from(prefetch) / LINGERING_PART, Ordering::Relaxed);
    }

    /// Waits until the ack of this delivery is sent. `false`: its channel is gone, so it will be delivered again.
    pub(super) async fn ack(&self, tag: DeliveryTag) -> Result<bool, QueueError> {
        let (sent, answer) = oneshot::channel();
        if self.done.send(Done { tag, sent }).is_err() {
            return Ok(false);
        }
        match answer.await {
            Ok(sent) => sent.map(|()| true),
            Err(_) => Ok(false),
        }
    }
}

impl Drop for Acknowledging {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn acknowledge(
    channel: lapin::Channel,
    mut done: mpsc::UnboundedReceiver<Done>,
    most: Arc<AtomicUsize>,
) {
    let mut unsent = Unsent::default();
    let mut waiting = BTreeMap::new();
    let mut linger_until = None;
    loop {
        let due = async {
            match linger_until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        let next = tokio::select! {
            next = done.recv() => next,
            () = due => {
                answer(&channel, &mut waiting, unsent.stragglers()).await;
                linger_until = None;
                continue;
            }
        };
        let Some(next) = next else { return };
        for Done { tag, sent } in std::iter::once(next).chain(std::iter::from_fn(|| done.try_recv().ok())) {
            unsent.done(tag);
            waiting.insert(tag, sent);
        }
        answer(&channel, &mut waiting, unsent.row()).await;
        if unsent.len() > most.load(Ordering::Relaxed) {
            answer(&channel, &mut waiting, unsent.stragglers()).await;
        }
        linger_until = match linger_until {
            _ if unsent.len() == 0 => None,
            None => Some(Instant::now() + LINGER),
            until => until,
        };
    }
}

/// Sends acks, and says so to whom they are about.
async fn answer(
    channel: &lapin::Channel,
    waiting: &mut BTreeMap<DeliveryTag, oneshot::Sender<Result<(), QueueError>>>,
    acks: impl IntoIterator<Item = Ack>,
) {
    for Ack { tags, multiple } in acks {
        let Some(last) = tags.last() else { continue };
        let ack = channel.basic_ack(*last, BasicAckOptions { multiple });
        let sent = match timeout(ANSWER_TIMEOUT, ack).await {
            Ok(sent) => sent.map_err(QueueError::from),
            Err(_) => Err(QueueError::Lost { reason: "it takes no answers".to_owned() }),
        };
        for sender in tags.iter().filter_map(|tag| waiting.remove(tag)) {
            // Nobody waits any more when the job was dropped.
            sender.send(sent.clone()).ok();
        }
    }
}

/// One ack, and the deliveries that it answers, in order.
#[derive(Debug)]
struct Ack {
    tags: Vec<DeliveryTag>,
    multiple: bool,
}

/// Deliveries that are done and have no ack yet. Tags count from 1, each delivery of the channel one more.
#[derive(Debug, Default)]
struct Unsent {
    /// Every delivery up to this one has its ack.
    answered: DeliveryTag,
    /// Those beyond it that have theirs.
    singly: BTreeSet<DeliveryTag>,
    done: BTreeSet<DeliveryTag>,
}

impl Unsent {
    fn done(&mut self, tag: DeliveryTag) {
        self.done.insert(tag);
    }

    fn len(&self) -> usize {
        self.done.len()
    }

    /// Those before which nothing is unanswered: one ack is enough for them.
    fn row(&mut self) -> Option<Ack> {
        let mut tags = Vec::new();
        loop {
            let next = self.answered + 1;
            if self.done.remove(&next) {
                tags.push(next);
            } else if !self.singly.remove(&next) {
                break;
            }
            self.answered = next;
        }
        (!tags.is_empty()).then_some(Ack { tags, multiple: true })
    }

    /// The others, each with an ack of its own: before them something is still being worked on.
    fn stragglers(&mut self) -> Vec<Ack> {
        let done = std::mem::take(&mut self.done);
        self.singly.extend(&done);
        done.into_iter().map(|tag| Ack { tags: vec![tag], multiple: false }).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the broker takes for answered.
    fn covered(ack: &Ack, delivered: DeliveryTag) -> BTreeSet<DeliveryTag> {
        let last = *ack.tags.last().expect("an ack is of something");
        assert!(last <= delivered);
        if ack.multiple { (1..=last).collect() } else { BTreeSet::from([last]) }
    }

    proptest! {
        /// Whatever order deliveries are done in, and however long each waits for the ones before it.
        #[test]
        fn nothing_is_answered_that_is_not_done_and_everything_that_is_done_is_answered_once(
            order in Just((1..=60_u64).collect::<Vec<_>>()).prop_shuffle(),
            count in 0..=60_usize,
            looks in proptest::collection::vec(0..3_u8, 60),
        ) {
            let mut unsent = Unsent::default();
            let (mut done, mut answered, mut told) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
            let finish = std::iter::repeat_n(2, usize::from(count > 0));
            for (tag, look) in order[..count].iter().zip(looks[..count.saturating_sub(1)].iter().copied().chain(finish)) {
                unsent.done(*tag);
                done.insert(*tag);
                let mut acks = Vec::new();
                if look > 0 {
                    acks.extend(unsent.row());
                }
                if look > 1 {
                    acks.extend(unsent.stragglers());
                }
                for ack in acks {
                    let covered = covered(&ack, 60);
                    prop_assert!(covered.is_subset(&done), "{ack:?} answers what is not done");
                    // Of an ack whose last tag has its answer already the broker would say that it knows no such tag.
                    prop_assert!(!answered.contains(ack.tags.last().expect("one")), "{ack:?}");
                    answered.extend(covered);
                    told.extend(ack.tags);
                }
            }
            prop_assert_eq!(&answered, &done);
            told.sort_unstable();
            prop_assert_eq!(told, done.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(unsent.len(), 0);
        }
    }
}
