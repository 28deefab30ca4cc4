//! `GetConversationResponseModel`: one conversation with everything.

use serde::Serialize;
use serde_json::{Value, json};

use super::analysis::Analysis;
use super::metadata::Metadata;
use super::turn::TurnBody;
use super::{analysis, initiation, metadata, turn};
use crate::call::exchange::Exchange;
use crate::call::turns::Turn;
use crate::call::{Call, Kind, Private, Slots, turns};
use crate::condition::Condition;
use crate::ids;

/// What a detail is made of.
#[derive(Debug)]
pub(crate) struct Ingredients<'a> {
    pub(crate) call: &'a Call<'a>,
    pub(crate) condition: Condition,
    /// Has it values that the document does not allow?
    pub(crate) is_odd: bool,
    pub(crate) private: &'a Private,
    pub(crate) slots: &'a Slots,
    pub(crate) exchange: &'a Exchange,
    pub(crate) user_id: Option<&'a str>,
}

impl Ingredients<'_> {
    /// Is there anything to read yet, or still?
    pub(crate) fn has_transcript(&self) -> bool {
        self.call.has_transcript() && matches!(self.condition, Condition::Finished | Condition::NeedsReview)
    }

    pub(crate) fn is_in_progress(&self) -> bool {
        matches!(self.condition, Condition::InProgress(_))
    }

    pub(crate) fn duration(&self) -> u32 {
        if self.is_in_progress() { 0 } else { self.call.duration }
    }
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the API's own fields")]
struct Detail<'a> {
    agent_id: &'a str,
    agent_name: Option<&'a str>,
    conversation_product: &'a str,
    status: &'a str,
    user_id: Option<&'a str>,
    branch_id: Option<String>,
    version_id: Option<String>,
    metadata: Metadata<'a>,
    analysis: Option<Analysis<'a>>,
    visited_agents: [Value; 1],
    conversation_initiation_client_data: Value,
    environment: &'a str,
    conversation_id: String,
    has_audio: bool,
    has_user_audio: bool,
    has_response_audio: bool,
    has_auxiliary_audio: bool,
    transcript: Vec<TurnBody<'a>>,
    tag_ids: &'a [&'a str],
    otlp_traces: Option<()>,
    #[serde(flatten)]
    message_counts: Option<MessageCounts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_canary_release: Option<Value>,
}

/// Written by the newest versions only; null once the transcript is gone.
#[derive(Serialize)]
struct MessageCounts {
    user_message_count: Option<u32>,
    agent_message_count: Option<u32>,
}

/// The detail of `call`, as text.
pub(crate) fn write(call: &Call<'_>, condition: Condition, is_odd: bool) -> Vec<u8> {
    let private = Private::new(call);
    let slots = Slots::new(call);
    let exchange = Exchange::of(call);
    let user_id = call.user_id();
    let ingredients = Ingredients {
        call,
        condition,
        is_odd,
        private: &private,
        slots: &slots,
        exchange: &exchange,
        user_id: user_id.as_deref(),
    };
    let turns = if ingredients.has_transcript() { turns::turns(call, &slots, &exchange) } else { vec![] };
    let findings = analysis::findings(&ingredients);
    let has_audio = ingredients.has_transcript() && !call.every(4, 3);
    let detail = Detail {
        agent_id: &call.agent.id,
        agent_name: (!call.every(12, 5)).then_some(call.agent.name.as_str()),
        conversation_product: "agent",
        status: condition.status(call.kind == Kind::Failed),
        user_id: ingredients.user_id,
        branch_id: call.every(2, 0).then(|| call.agent.branch_id()),
        version_id: call.every(2, 0).then(|| call.agent.version_id()),
        metadata: metadata::metadata(&ingredients),
        analysis: analysis::analysis(&ingredients, &findings),
        visited_agents: [json!({ "agent_id": call.agent.id, "branch_id": null })],
        conversation_initiation_client_data: initiation::client_data(&ingredients, &turns),
        environment: "production",
        conversation_id: ids::write("conv_", call.key),
        has_audio,
        has_user_audio: has_audio,
        has_response_audio: has_audio,
        has_auxiliary_audio: false,
        message_counts: call.every(3, 1).then(|| message_counts(&turns, ingredients.has_transcript())),
        transcript: turns
            .iter()
            .enumerate()
            .map(|(position, t)| turn::body(&ingredients, position, t))
            .collect(),
        tag_ids: if call.every(10, 6) { &["tag_urgente"] } else { &[] },
        otlp_traces: None,
        x_canary_release: call.every(13, 8).then(|| json!({ "cohort": "b", "flags": [1, null, "x"] })),
    };
    let mut text = Vec::with_capacity(if call.kind == Kind::Huge { 256 << 10 } else { 16 << 10 });
    serde_json::to_writer(&mut text, &detail).expect("a detail has text keys only");
    text
}

fn message_counts(turns: &[Turn], has_transcript: bool) -> MessageCounts {
    let count = |is_agent| {
        let spoken = turns.iter().filter(|turn| turn.is_agent == is_agent && turn.message.is_some()).count();
        has_transcript.then_some(u32::try_from(spoken).unwrap_or(u32::MAX))
    };
    MessageCounts { user_message_count: count(false), agent_message_count: count(true) }
}
