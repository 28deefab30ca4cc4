//! `ConversationHistoryMetadataCommonModel`: times, costs, and who was on the line.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Value, json};

use super::detail::Ingredients;
use super::initiation::AGENT_NUMBER;
use crate::call::{Channel, Kind, Source};
use crate::condition::Condition;

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the API's own fields")]
pub(crate) struct Metadata<'a> {
    start_time_unix_secs: i64,
    accepted_time_unix_secs: Option<i64>,
    call_duration_secs: u32,
    cost: Option<u32>,
    cost_fiat: Option<Value>,
    deletion_settings: Value,
    feedback: Value,
    authorization_method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    charging: Option<Value>,
    phone_call: Option<Value>,
    batch_call: Option<Value>,
    termination_reason: String,
    error: Option<Value>,
    warnings: Vec<String>,
    main_language: Option<&'static str>,
    rag_usage: Option<Value>,
    text_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    features_usage: Option<&'static Value>,
    eleven_assistant: Value,
    initiator_id: Option<&'a str>,
    conversation_initiation_source: &'static str,
    conversation_initiation_source_version: Option<()>,
    timezone: Option<&'static str>,
    async_metadata: Option<()>,
    whatsapp: Option<Value>,
    sms: Option<()>,
    agent_created_from: &'static str,
    agent_last_updated_from: &'static str,
    voice_rewards: [Value; 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    initiation_trigger: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_wait_secs: Option<f64>,
}

static FEATURES: LazyLock<Value> = LazyLock::new(|| {
    let (off, on) = (json!({ "enabled": false, "used": false }), json!({ "enabled": true, "used": false }));
    json!({
        "language_detection": on, "transfer_to_agent": off, "transfer_to_number": on, "multivoice": off,
        "dtmf_tones": off, "external_mcp_servers": off, "pii_zrm_workspace": false, "pii_zrm_agent": false,
        "tool_dynamic_variable_updates": off, "is_livekit": false, "voicemail_detection": off, "dtmf_input": off,
        "workflow": {
            "enabled": false, "tool_node": off, "standalone_agent_node": off, "phone_number_node": off, "end_node": off,
        },
        "agent_testing": {
            "enabled": false, "tests_ran_after_last_modification": false, "tests_ran_in_last_7_days": false,
        },
        "versioning": off, "file_input": off,
    })
});

pub(crate) fn metadata<'a>(from: &Ingredients<'a>) -> Metadata<'a> {
    let call = from.call;
    let duration = from.duration();
    let is_over = !from.is_in_progress();
    let has_failed = call.kind == Kind::Failed;
    // older records lack what was not yet accounted for
    let has_all = call.is_full() || call.every(4, 2);
    Metadata {
        start_time_unix_secs: call.start,
        accepted_time_unix_secs: (!has_failed).then_some(call.start),
        call_duration_secs: duration,
        cost: is_over.then_some(duration * 7),
        // an integer where nothing was spent: prices are not always written with a point
        cost_fiat: (is_over && !call.every(5, 2))
            .then(|| if duration == 0 { json!(0) } else { json!(f64::from(duration) / 600.0) }),
        deletion_settings: deletion(from),
        feedback: feedback(from),
        authorization_method: if call.is_phone() { "authorization_header" } else { "public" },
        charging: has_all.then(|| charging(duration)),
        phone_call: phone_call(from),
        batch_call: (call.direction() == "outbound").then(
            || json!({ "batch_call_id": "btcal_cobranza", "batch_call_recipient_id": from.private.batch_recipient }),
        ),
        termination_reason: if is_over { call.termination_reason() } else { String::new() },
        error: (has_failed && is_over).then(|| error(from)),
        warnings: warnings(from),
        main_language: call.language().filter(|_| is_over),
        rag_usage: call.every(16, 8).then(|| json!({ "usage_count": 1, "embedding_model": "e5_mistral_7b_instruct" })),
        text_only: call.channel == Channel::WhatsApp,
        features_usage: has_all.then_some(&*FEATURES),
        eleven_assistant: json!({ "is_eleven_assistant": false }),
        initiator_id: call.every(5, 1).then_some(from.private.initiator.as_str()),
        conversation_initiation_source: call.source_word(from.is_odd),
        conversation_initiation_source_version: None,
        timezone: call.every(2, 0).then_some("America/Mexico_City"),
        async_metadata: None,
        whatsapp: (call.channel == Channel::WhatsApp).then(|| whatsapp(from)),
        sms: None,
        agent_created_from: "ui",
        agent_last_updated_from: "api",
        voice_rewards: [],
        initiation_trigger: call.every(3, 0).then(|| json!({ "trigger_type": "default" })),
        queue_wait_secs: call.every(3, 1).then_some(0.25),
    }
}

fn phone_call(from: &Ingredients<'_>) -> Option<Value> {
    let call = from.call;
    // in some records only the platform's variables tell who called
    if !call.is_phone() || call.every(20, 12) {
        return None;
    }
    let mut phone_call = json!({
        "direction": call.direction(),
        "phone_number_id": "phnum_linea089",
        "agent_number": AGENT_NUMBER,
        "external_number": call.external_number(),
        "call_sid": from.private.call_sid,
    });
    match call.channel {
        Channel::Sip => {
            phone_call["type"] = json!("sip_trunking");
            phone_call["call_id"] = json!(from.private.stream_sid);
            phone_call["sip_header_dynamic_variables"] = sip_headers(from);
        }
        Channel::Exotel => {
            phone_call["type"] = json!("exotel");
            phone_call["stream_sid"] = json!(from.private.stream_sid);
        }
        _ => {
            phone_call["type"] = json!("twilio");
            phone_call["stream_sid"] = json!(from.private.stream_sid);
        }
    }
    Some(phone_call)
}

fn sip_headers(from: &Ingredients<'_>) -> Value {
    let call = from.call;
    let number = format!("+52{}", call.caller);
    if call.source_of_line() == Source::SipHeaders {
        return json!({
            "sip_x_caller_name": from.private.sip_name,
            "sip_contact_uri": format!("sip:{number}@10.0.0.1"),
            "sip_x_original_caller": number,
        });
    }
    let user = if call.is_reported() { call.external_number() } else { "anonymous".to_owned() };
    json!({
        "sip_x_caller_name": from.private.sip_name,
        "sip_p_asserted_identity": format!("sip:{user}@trunk.example"),
    })
}

fn whatsapp(from: &Ingredients<'_>) -> Value {
    let mut whatsapp = json!({
        "direction": "inbound", "whatsapp_phone_number_id": "wa_linea089",
        "whatsapp_user_id": from.private.whatsapp_user, "awaiting_first_user_message": null,
    });
    if from.call.source_of_line() == Source::WhatsApp {
        whatsapp["recipient"] = json!({
            "phone": format!("+521{}", from.call.caller),
            "bsuid": from.private.business_user,
        });
    }
    whatsapp
}

fn deletion(from: &Ingredients<'_>) -> Value {
    let start = from.call.start;
    let deleted_at = (from.condition == Condition::Emptied).then_some(start + 30 * 24 * 3600);
    json!({
        "deletion_time_unix_secs": start + 730 * 24 * 3600,
        "deleted_logs_at_time_unix_secs": null,
        "deleted_audio_at_time_unix_secs": deleted_at,
        "deleted_transcript_at_time_unix_secs": deleted_at,
        "delete_transcript_and_pii": deleted_at.is_some(),
        "delete_audio": deleted_at.is_some(),
    })
}

fn feedback(from: &Ingredients<'_>) -> Value {
    let is_rated = from.call.every(11, 2);
    json!({
        "type": is_rated.then_some("rating"),
        "overall_score": null,
        "likes": 0,
        "dislikes": 0,
        "rating": is_rated.then_some(from.call.number % 5 + 1),
        "comment": is_rated.then(|| format!("Me atendieron muy bien. Atte. {}", from.private.comment)),
    })
}

fn charging(duration: u32) -> Value {
    let none = json!({ "tokens": 0, "price": 0 });
    let usage = json!({
        "input": { "tokens": duration * 40, "price": f64::from(duration) * 0.000_012 },
        "input_cache_read": none, "input_cache_write": none,
        "output_total": { "tokens": duration * 3, "price": 0.000_187_5 },
    });
    json!({
        "dev_discount": false, "is_burst": false, "tier": "enterprise",
        "llm_usage": {
            "irreversible_generation": { "model_usage": { "gemini-2.5-flash": usage } },
            "initiated_generation": { "model_usage": {} },
        },
        "llm_price": 0.000_437_5, "llm_charge": duration / 20, "call_charge": duration * 6,
        "platform_charge": null, "platform_usage": { "category_usage": {} }, "platform_price": null,
        "free_minutes_consumed": 0.0, "free_llm_dollars_consumed": 0, "tts_usage": null, "asr_usage": null,
        "analysis": null,
    })
}

fn error(from: &Ingredients<'_>) -> Value {
    let reason = format!(
        "INVITE failed: sip status: 404: Not Found <sip:{}@trunk.example> ({})",
        from.call.external_number(),
        from.private.transferred_to
    );
    json!({ "code": 404, "reason": reason })
}

fn warnings(from: &Ingredients<'_>) -> Vec<String> {
    if from.call.every(21, 10) {
        vec![format!("dynamic variable not found for {}", from.private.transferred_to)]
    } else {
        vec![]
    }
}
