//! A dead letter's message, made anew from the book.

use anyhow::{Context, bail};
use shared::database::dead_letters::DeadLetter;
use shared::ids::{AgentId, ConversationId};
use shared::job::FetchConversation;
use shared::queue::Message;

/// The job, with as many replays as the book says. The content of a broken message is not in the book.
pub(super) fn message(letter: &DeadLetter) -> anyhow::Result<Message> {
    let name = &letter.conversation_id;
    let lost = || format!("{name} was a broken message; its content is gone, so it can only be discarded");
    if letter.class == "broken_message" {
        bail!(lost());
    }
    let job = FetchConversation {
        conversation_id: ConversationId::parse(name).with_context(lost)?,
        agent_id: letter.agent_id.as_deref().and_then(|id| AgentId::parse(id).ok()),
        run_id: letter.run_id.clone(),
    };
    let replays = u32::try_from(letter.replays).unwrap_or(0);
    Ok(Message::new(&job).replayed(replays))
}
