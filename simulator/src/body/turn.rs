//! `ConversationHistoryTranscriptResponseModel`: one turn.
//!
//! Most calls leave the rarer fields out, as older records do; one in eight writes them all, mostly null.

use serde::Serialize;
use serde_json::{Value, json};

use super::detail::Ingredients;
use super::tools;
use crate::call::turns::Turn;

#[derive(Serialize)]
pub(crate) struct TurnBody<'a> {
    role: &'static str,
    message: Option<&'a str>,
    tool_calls: Option<Vec<Value>>,
    tool_results: Vec<Value>,
    time_in_call_secs: u32,
    interrupted: bool,
    source_medium: Option<&'static str>,
    #[serde(flatten)]
    rare: Option<Rare<'a>>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the API's own fields")]
struct AgentMetadata<'a> {
    agent_id: &'a str,
    branch_id: Option<()>,
    workflow_node_id: Option<()>,
    version_id: Option<()>,
}

#[derive(Serialize)]
struct Rare<'a> {
    agent_metadata: Option<AgentMetadata<'a>>,
    multivoice_message: Option<()>,
    feedback: Option<Value>,
    llm_override: Option<()>,
    producing_llm: Option<&'static str>,
    conversation_turn_metrics: Option<Value>,
    rag_retrieval_info: Option<Value>,
    llm_usage: Option<Value>,
    ignored_as_backchannel: bool,
    original_message: Option<&'a str>,
    reasoning: [Value; 0],
    reasoned: bool,
    source_event_id: Option<usize>,
    used_static_kb_document_ids: [Value; 0],
    user_identifier: Option<&'a str>,
    id: Option<()>,
    triggered_guardrails: [Value; 0],
    file_input: Option<Value>,
    contextual_update_info: Option<()>,
}

/// The body of the turn at `position`.
pub(crate) fn body<'a>(from: &Ingredients<'a>, position: usize, turn: &'a Turn) -> TurnBody<'a> {
    let call = from.call;
    let (tool_calls, tool_results) = match turn.tool {
        Some(tool) => tools::used(from, position, turn.time, tool),
        // old records write null where new ones write an empty list
        None if from.is_odd => (None, vec![]),
        None => (Some(vec![]), vec![]),
    };
    TurnBody {
        role: if turn.is_agent { "agent" } else { "user" },
        message: turn.message.as_deref(),
        tool_calls,
        tool_results,
        time_in_call_secs: turn.time,
        interrupted: turn.is_interrupted,
        source_medium: match (turn.is_agent, from.is_odd) {
            (true, _) => None,
            (false, true) => Some("dtmf"),
            (false, false) => Some("audio"),
        },
        rare: call.is_full().then(|| rare(from, position, turn)),
    }
}

fn rare<'a>(from: &Ingredients<'a>, position: usize, turn: &'a Turn) -> Rare<'a> {
    let call = from.call;
    let is_second = position == 1;
    Rare {
        agent_metadata: turn.is_agent.then(|| AgentMetadata {
            agent_id: &call.agent.id,
            branch_id: None,
            workflow_node_id: None,
            version_id: None,
        }),
        multivoice_message: None,
        feedback: (is_second && call.every(24, 0))
            .then(|| json!({ "score": "like", "time_in_call_secs": turn.time })),
        llm_override: None,
        producing_llm: turn.is_agent.then_some("gemini-2.5-flash"),
        conversation_turn_metrics: turn.is_agent.then(|| metrics(position)),
        rag_retrieval_info: (position == 2 && call.every(16, 8)).then(|| retrieval(from)),
        llm_usage: None,
        ignored_as_backchannel: false,
        original_message: if turn.is_interrupted { turn.message.as_deref() } else { None },
        reasoning: [],
        reasoned: false,
        source_event_id: Some(position + 1),
        used_static_kb_document_ids: [],
        user_identifier: if turn.is_agent { None } else { from.user_id },
        id: None,
        triggered_guardrails: [],
        file_input: (is_second && call.every(32, 0)).then(|| file(from)),
        contextual_update_info: None,
    }
}

fn metrics(position: usize) -> Value {
    let millis = u32::try_from(position % 40).unwrap_or(0) * 13 + 212;
    json!({
        "metrics": {
            "convai_llm_service_ttfb": { "elapsed_time": f64::from(millis) / 1000.0 },
            "convai_tts_service_ttfb": { "elapsed_time": 0.151_234_5 },
        },
        "convai_asr_provider": null,
        "convai_tts_model": "eleven_flash_v2_5",
        "convai_tts_cascade": null,
    })
}

fn retrieval(from: &Ingredients<'_>) -> Value {
    json!({
        "chunks": [{ "document_id": "doc_protocolo", "chunk_id": "c1", "vector_distance": 0.2134 }],
        "embedding_model": "multilingual_e5_large_instruct",
        "retrieval_query": format!("reporte anterior de {}", from.private.query),
        "rag_latency_secs": 0.187,
        "used_chunk_ids": ["c1"],
    })
}

fn file(from: &Ingredients<'_>) -> Value {
    json!({
        "file_id": "file_captura",
        "original_filename": "captura de pantalla.png",
        "mime_type": "image/png",
        "file_url": format!("https://files.example/captura.png?firma={}", from.private.file_signature),
    })
}
