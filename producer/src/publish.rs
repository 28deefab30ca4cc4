//! The second step: a job for each conversation, all of a page on their way at once, each confirmed.

use chrono::{DateTime, Utc};
use shared::database::book::Asked;
use shared::elevenlabs::ListItem;
use shared::ids::{AgentId, ConversationId};
use shared::job::FetchConversation;
use shared::queue::{Destination, Lane, Message, Publisher};

/// A conversation to be asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) conversation_id: ConversationId,
    pub(crate) agent_id: Option<AgentId>,
    pub(crate) start: Option<DateTime<Utc>>,
}

impl From<ListItem> for Wanted {
    fn from(item: ListItem) -> Self {
        Self { conversation_id: item.conversation_id, agent_id: item.agent_id, start: item.start }
    }
}

/// Publishes a page's jobs; returns those that were confirmed. The others have been logged, and count as failed.
pub(crate) async fn publish(
    publisher: &Publisher,
    wanted: &[Wanted],
    run_id: &str,
    now: DateTime<Utc>,
) -> Vec<Asked> {
    let lane = |call: &Wanted| Lane::of(call.start, now);
    let jobs: Vec<_> = wanted.iter().map(|call| (job(call, run_id), Destination::Work(lane(call)))).collect();
    let mut asked = Vec::with_capacity(wanted.len());
    for (call, confirmed) in wanted.iter().zip(publisher.publish_all(&jobs).await) {
        let conversation_id = &call.conversation_id;
        match confirmed {
            Ok(()) => asked.push(Asked {
                conversation_id: conversation_id.to_string(),
                agent_id: call.agent_id.as_ref().map(ToString::to_string),
                start: call.start,
                lane: lane(call).as_str(),
            }),
            Err(error) => {
                log::error!(conversation_id:%; "{conversation_id} could not be asked for: {error}");
            }
        }
    }
    asked
}

fn job(call: &Wanted, run_id: &str) -> Message {
    Message::new(&FetchConversation {
        conversation_id: call.conversation_id.clone(),
        agent_id: call.agent_id.clone(),
        run_id: Some(run_id.to_owned()),
    })
}
