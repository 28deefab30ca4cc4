//! `conversation_initiation_client_data`: what the client sent along, and the platform's own variables.

use serde_json::{Map, Value, json};

use super::detail::Ingredients;
use crate::call::turns::Turn;
use crate::call::{Call, Source};

/// The line's own number; not private.
pub(crate) const AGENT_NUMBER: &str = "+525500890089";

pub(crate) fn client_data(from: &Ingredients<'_>, turns: &[Turn]) -> Value {
    let call = from.call;
    let extra = if call.every(14, 6) { json!({ "correo": from.private.email }) } else { json!({}) };
    json!({
        "conversation_config_override": {
            "turn": null, "tts": null, "conversation": null, "asr": null,
            "agent": { "prompt": null, "first_message": null, "language": "es", "max_conversation_duration_message": null },
        },
        "custom_llm_extra_body": extra,
        "user_id": from.user_id,
        "source_info": { "source": call.source(), "version": null },
        "branch_id": null,
        "environment": null,
        "starting_workflow_node_id": null,
        "procedure_ids": null,
        "dynamic_variables": variables(from, turns),
    })
}

fn variables(from: &Ingredients<'_>, turns: &[Turn]) -> Map<String, Value> {
    let call = from.call;
    let mut variables = Map::new();
    let mut set = |name: &str, value: Value| variables.insert(name.to_owned(), value);
    set("system__agent_id", json!(call.agent.id));
    set("system__call_duration_secs", json!(from.duration()));
    set("system__is_text_only", json!(false));
    set("system__time_utc", json!(time(call.start)));
    set("system__timezone", json!("America/Mexico_City"));
    set("nombre_reportante", json!(from.private.name));
    set("intentos", json!(call.number % 4));
    if call.is_phone() {
        set("system__caller_id", caller_id(call));
        set("system__called_number", json!(AGENT_NUMBER));
        set("system__call_sid", json!(from.private.call_sid));
    }
    if call.source_of_line() == Source::Custom {
        let names = ["telefono_reportante", "caller_id", "customer_phone", "dato_7"];
        set(names[call.number as usize / 16 % names.len()], json!(format!("+52{}", call.caller)));
    }
    if !turns.is_empty() {
        set("system__conversation_history", Value::String(history(turns)));
    }
    variables
}

fn caller_id(call: &Call<'_>) -> Value {
    match call.source_of_line() {
        #[expect(clippy::cast_precision_loss, reason = "ten digits")]
        Source::Float => json!(call.caller as f64),
        _ => json!(call.external_number()),
    }
}

fn time(start: i64) -> String {
    chrono::DateTime::from_timestamp(start, 0).map_or_else(String::new, |time| time.to_rfc3339())
}

/// The copy of the transcript that the platform keeps as a text of JSON.
fn history(turns: &[Turn]) -> String {
    #[derive(serde::Serialize)]
    struct Entry<'a> {
        role: &'static str,
        message: Option<&'a str>,
    }
    #[derive(serde::Serialize)]
    struct History<'a> {
        entries: Vec<Entry<'a>>,
    }
    let entries = turns
        .iter()
        .map(|turn| Entry {
            role: if turn.is_agent { "agent" } else { "user" },
            message: turn.message.as_deref(),
        })
        .collect();
    serde_json::to_string(&History { entries }).expect("a history has text keys only")
}
