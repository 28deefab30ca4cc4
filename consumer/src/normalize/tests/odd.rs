//! What is odd, nobody's, or known by another name.

use serde_json::{Value, json};
use shared::config::ReportConfig;
use shared::database::rows::CallRows;
use shared::elevenlabs::Conversation;

use super::super::{MASK, normalize};
use super::rows;

/// The rows of a body that is perhaps not JSON.
fn read(body: &str) -> CallRows {
    let conversation = Conversation::parse(body.as_bytes()).expect("a conversation");
    normalize(&conversation, &ReportConfig::default())
}

/// A call with these fields beside its id and its status.
fn with(fields: &Value) -> Value {
    let mut body = json!({"conversation_id": "conv_1", "status": "done"});
    for (field, value) in fields.as_object().expect("fields") {
        body[field] = value.clone();
    }
    body
}

#[test]
fn several_voices_are_one_turn() {
    let parts = json!([{"text": "Bienvenido a la línea 089.", "voice_label": "Ana", "time_in_call_secs": 0},
        {"text": "¿Qué desea reportar?", "voice_label": "Luis", "time_in_call_secs": 2}]);
    let turns = json!([{"role": "agent", "message": null, "multivoice_message": {"parts": parts}, "time_in_call_secs": 0}]);
    let transcript = rows(&with(&json!({"transcript": turns}))).conversation.transcripcion;
    assert_eq!(transcript, "[0.0s] AGENT: Bienvenido a la línea 089. ¿Qué desea reportar?");
}

#[test]
fn an_item_by_name_fills_the_report_and_stands_under_its_name() {
    let rows = rows(&with(&json!({"analysis": {"data_collection_results": {
        "anlit_1": {"data_collection_id": "anlit_1", "name": "lugar", "value": "Mercado de Ejemplo"},
        "anlit_2": {"data_collection_id": "anlit_2", "name": "otro", "value": 1},
        "anlit_3": {"data_collection_id": "anlit_3", "name": "otro", "value": 2}}}})));
    assert_eq!(rows.report.expect("a report").lugar.as_deref(), Some("Mercado de Ejemplo"));
    let datos = json!({"lugar": "Mercado de Ejemplo", "otro": 1, "anlit_3": 2});
    assert_eq!((rows.conversation.datos, rows.conversation.rarezas), (Some(datos), None));
}

#[test]
fn an_analysis_without_any_item_of_a_report_is_odd() {
    let odd = |analysis: Value| rows(&with(&json!({"analysis": analysis}))).conversation.rarezas;
    assert_eq!(odd(json!({"data_collection_results": {"x": {"value": 1}}})), Some(json!({"reporte": 1})));
    assert_eq!(odd(json!({})), Some(json!({"reporte": 1})));
    assert_eq!(odd(json!({"data_collection_results": {"lugar": {"value": null}}})), None);
    assert_eq!(odd(json!(null)), None);
}

#[test]
fn what_began_where_nobody_calls_has_no_report() {
    for (source, is_reported) in [
        (json!("subagent_tool"), false),
        (json!("template_preview"), false),
        (json!("twilio"), true),
        (json!("un origen"), true),
        (json!(null), true),
    ] {
        let rows =
            rows(&with(&json!({"metadata": {"conversation_initiation_source": source}, "analysis": {}})));
        assert_eq!(rows.report.is_some(), is_reported, "{source}");
        let token = source.as_str().filter(|source| !source.contains(' '));
        assert_eq!(rows.conversation.origen.as_deref(), token);
        assert_eq!(rows.conversation.rarezas.is_some(), is_reported, "nobody misses a report there");
    }
}

#[test]
fn types_that_drift_cost_the_field_and_not_the_call() {
    let rows = rows(&with(&json!({
        "transcript": [{"role": "user", "message": "me piden dinero", "time_in_call_secs": "3"}],
        "metadata": {"start_time_unix_secs": 1_795_836_000_000_i64, "call_duration_secs": "30", "main_language": 5},
        "analysis": {"call_successful": true, "data_collection_results": []}})));
    let row = rows.conversation;
    assert_eq!(row.transcripcion, "[3.0s] USER: me piden dinero");
    assert_eq!((row.inicio.map(|at| at.timestamp()), row.duracion_segundos), (Some(1_795_836_000), Some(30)));
    assert_eq!((row.idioma, row.exito, row.datos), (None, None, None));
    assert_eq!(
        row.rarezas,
        Some(json!({"analysis.call_successful": 1, "analysis.data_collection_results": 1,
            "metadata.call_duration_secs": 1, "metadata.main_language": 1, "metadata.start_time_unix_secs": 1,
            "reporte": 1, "transcript.time_in_call_secs": 1}))
    );
}

#[test]
fn how_a_call_was_read_is_no_content() {
    let plain = rows(&with(&json!({"metadata": {"call_duration_secs": 30}})));
    let odd = rows(&with(&json!({"metadata": {"call_duration_secs": "30"}})));
    assert_eq!(plain.huella, odd.huella);
    assert_ne!(plain.conversation.rarezas, odd.conversation.rarezas);
}

#[test]
fn a_lone_surrogate_a_number_without_end_and_a_time_that_no_call_has_are_read() {
    let lone = read(
        r#"{"conversation_id":"c","status":"done","transcript":[{"role":"user","message":"soy testigo \ud83d"}]}"#,
    );
    assert_eq!(lone.conversation.transcripcion, "[0.0s] USER: soy testigo \u{fffd}");
    let numbers = read(
        r#"{"conversation_id":"c","status":"done","analysis":{"data_collection_results":{
            "folio":{"value":557236406134e62000323100},"chico":{"value":1e-20000},"lugar":{"value":1e131071}}}}"#,
    );
    let datos = json!({"folio": "557236406134e+62000323100", "chico": "1e-20000", "lugar": "1e+131071"});
    assert_eq!(numbers.conversation.datos, Some(datos));
    for time in ["1e300", "-5", "1e999", "NaN"] {
        let body = format!(
            r#"{{"conversation_id":"c","transcript":[{{"message":"a","time_in_call_secs":{time}}}]}}"#
        );
        assert_eq!(read(&body).conversation.transcripcion, "[0.0s] UNKNOWN: a", "{time}");
    }
}

#[test]
fn headers_recipients_and_variables_are_masked() {
    for body in [
        json!({"metadata": {"phone_call": {"external_number": "sip:anonymous@anonymous.invalid",
            "sip_header_dynamic_variables": {"sip_x_original_caller": "+525512345678"}}}}),
        json!({"metadata": {"whatsapp": {"whatsapp_user_id": "MX.1349", "recipient": {"phone": "+5215512345678"}}}}),
        json!({"conversation_initiation_client_data": {"dynamic_variables": {"caller_id": "+525512345678"}}}),
        serde_json::from_str(r#"{"conversation_initiation_client_data": {"dynamic_variables": {"system__caller_id": 5512345678.0}}}"#)
            .expect("JSON"),
    ] {
        let mut body = with(&body);
        body["transcript"] = json!([{"role": "user", "message": "mi numero es 55 1234 5678"}]);
        let transcript = rows(&body).conversation.transcripcion;
        assert_eq!(transcript, format!("[0.0s] USER: mi numero es {MASK}"), "{body}");
    }
}
