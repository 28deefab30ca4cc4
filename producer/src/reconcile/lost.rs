//! What was asked for and is nowhere: a purged queue, a lost broker, a restored database.
//!
//! Nobody can look into a queue without disturbing it, so which jobs it holds is not known, only how many: as many of the
//! longest waiting are asked for again as there are more jobs without an outcome than messages. That some of them are the
//! wrong ones while others wait is put right by the next time. What a worker holds at this moment is in no queue, so as many
//! of those that wait too long may be asked for twice: such a job is worked twice, and written once.

use std::cmp::min;

use shared::database::reconciliation::{self, Pending};
use shared::ids::{AgentId, ConversationId};
use shared::queue::{Destination, Lane};

use super::{Comparison, Reason};
use crate::publish::Wanted;

/// Rows of the book that are read at once.
const LOOK: usize = 5_000;

/// Jobs that are on their way to the broker at once.
const PAGE: usize = 100;

impl Comparison<'_> {
    /// Asks again for what is lost, the fresh calls first.
    pub(super) async fn ask_for_lost(&mut self) -> anyhow::Result<()> {
        let (broker, topology) = (self.of.broker, self.of.broker.topology());
        // The queues before the book: a job that is stored between the two looks is then no longer missed.
        let mut queued = 0;
        for queue in topology.waiting_queues() {
            queued += u64::from(broker.depth(&queue).await?);
        }
        let mut ready = [0; Lane::ALL.len()];
        for (lane, ready) in Lane::ALL.into_iter().zip(&mut ready) {
            *ready = u64::from(broker.depth(&topology.queue(Destination::Work(lane))).await?);
            queued += *ready;
        }
        let pending = self.of.database.run(reconciliation::count_pending).await?;
        let pending = |lane: Lane| -> u64 {
            let counts = pending.iter().filter(|(name, _)| name == lane.as_str());
            counts.map(|&(_, count)| u64::try_from(count).unwrap_or(0)).sum()
        };
        self.summary.pending = Lane::ALL.into_iter().map(pending).sum();
        self.summary.queued = queued;
        let mut missing = self.summary.pending.saturating_sub(queued);
        for (lane, ready) in Lane::ALL.into_iter().zip(ready) {
            let limit = min(missing, pending(lane).saturating_sub(ready));
            missing -= self.ask_for_lost_of(lane, limit).await?;
        }
        Ok(())
    }

    /// At most so many of one lane; returns how many there were.
    async fn ask_for_lost_of(&mut self, lane: Lane, limit: u64) -> anyhow::Result<u64> {
        let secs = self.of.longest_way();
        let mut found = 0;
        let mut last: Option<Pending> = None;
        while found < limit {
            let look = i64::try_from(min(limit - found, LOOK as u64)).unwrap_or(i64::MAX);
            let after = last.take();
            let overdue = move |connection: &mut _| {
                reconciliation::overdue(connection, lane.as_str(), secs, after.as_ref(), look)
            };
            let rows = self.of.database.run(overdue).await?;
            for page in rows.chunks(PAGE) {
                let wanted: Vec<Wanted> = page.iter().filter_map(wanted).collect();
                self.summary.name(Reason::Lost, wanted.iter().map(|wanted| wanted.conversation_id.as_str()));
                let asked = self.run.ask(&wanted).await?;
                self.summary.count(Reason::Lost, asked, page.len() - asked);
                self.go_on()?;
                if asked < page.len() {
                    return Ok(found);
                }
            }
            found += rows.len() as u64;
            if rows.len() < usize::try_from(look).unwrap_or(usize::MAX) {
                break;
            }
            last = rows.into_iter().next_back();
        }
        if found > 0 {
            log::warn!(lane:%, found; "{found} jobs of lane {lane} were asked for, and are nowhere: asked for again");
        }
        Ok(found)
    }
}

/// What the book names was an id when it was entered.
fn wanted(pending: &Pending) -> Option<Wanted> {
    Some(Wanted {
        conversation_id: ConversationId::parse(&pending.conversation_id).ok()?,
        agent_id: pending.agent_id.as_deref().and_then(|id| AgentId::parse(id).ok()),
        start: pending.started_at,
    })
}
