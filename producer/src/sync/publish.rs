//! The second step: a job for each conversation, all of a page on their way at once, each confirmed.

use chrono::{DateTime, Utc};
use shared::database::book::Asked;
use shared::elevenlabs::ListItem;
use shared::job::FetchConversation;
use shared::queue::{Destination, Lane, Message, Publisher, QueueError};

/// Publishes a page's jobs; returns those that were confirmed. The others have been logged, and count as failed.
pub(super) async fn publish(
    publisher: &Publisher,
    items: &[ListItem],
    run_id: &str,
    now: DateTime<Utc>,
) -> Vec<Asked> {
    let mut sent = Vec::with_capacity(items.len());
    for item in items {
        let job = FetchConversation {
            conversation_id: item.conversation_id.clone(),
            agent_id: item.agent_id.clone(),
            run_id: Some(run_id.to_owned()),
        };
        let lane = Lane::of(item.start, now);
        sent.push((item, lane, publisher.send(&Message::new(&job), Destination::Work(lane)).await));
    }
    let mut asked = Vec::with_capacity(items.len());
    let mut was_returned = false;
    for (item, lane, pending) in sent {
        let confirmed = match pending {
            Ok(pending) => pending.confirmed().await,
            Err(error) => Err(error),
        };
        let conversation_id = &item.conversation_id;
        match confirmed {
            Ok(()) => asked.push(Asked {
                conversation_id: conversation_id.to_string(),
                agent_id: item.agent_id.as_ref().map(ToString::to_string),
                start: item.start,
                lane: lane.as_str(),
            }),
            Err(error) => {
                was_returned |= matches!(error, QueueError::Returned { .. });
                log::error!(conversation_id:%; "{conversation_id} could not be asked for: {error}");
            }
        }
    }
    if was_returned {
        // lapin tells in which order messages came back, not which: none of this page's counts, and all are asked again.
        asked.clear();
    }
    asked
}
