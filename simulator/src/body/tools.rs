//! Tool calls and their results, with the credentials and private data that real ones carry.

use serde_json::{Value, json};

use super::detail::Ingredients;
use crate::call::turns::Tool;

/// The calls and results of one turn.
pub(crate) fn used(
    from: &Ingredients<'_>,
    position: usize,
    time: u32,
    tool: Tool,
) -> (Option<Vec<Value>>, Vec<Value>) {
    let request_id = format!("{}-{position}", from.private.initiator);
    let (call, result) = match tool {
        Tool::Webhook => (webhook_call(from, &request_id), webhook_result(from, &request_id, time)),
        Tool::EndCall => (end_call(from, &request_id), end_result(&request_id)),
        Tool::Client => (client_call(from, &request_id), client_result(&request_id)),
    };
    (Some(vec![call]), vec![result])
}

fn webhook_call(from: &Ingredients<'_>, request_id: &str) -> Value {
    let private = from.private;
    let params = json!({ "nombre": private.name, "domicilio": private.address }).to_string();
    json!({
        "type": "webhook",
        "request_id": request_id,
        "tool_name": "buscar_reporte",
        "params_as_json": params,
        "tool_has_been_called": true,
        "tool_details": {
            "type": "webhook",
            "method": "POST",
            "url": "https://reportes.example/buscar",
            "headers": { "Authorization": format!("Bearer {}", private.tool_token), "Content-Type": "application/json" },
            "path_params": {},
            "query_params": { "telefono": from.call.external_number() },
            "body": params,
        },
    })
}

fn webhook_result(from: &Ingredients<'_>, request_id: &str, time: u32) -> Value {
    let has_failed = from.call.every(9, 3);
    let updated_at = from.call.start + i64::from(time);
    json!({
        "request_id": request_id,
        "tool_name": "buscar_reporte",
        "result_value": json!({ "encontrado": !has_failed, "titular": from.private.name }).to_string(),
        "is_error": has_failed,
        "is_blocked": false,
        "tool_has_been_called": true,
        "tool_latency_secs": 0.412,
        "error_type": if has_failed { "timeout" } else { "" },
        "raw_error_message": "",
        "dynamic_variable_updates": [{
            "variable_name": "titular",
            "old_value": null,
            "new_value": from.private.name,
            "updated_at": updated_at,
            "tool_name": "buscar_reporte",
            "tool_request_id": request_id,
        }],
        "type": "webhook",
    })
}

fn end_call(from: &Ingredients<'_>, request_id: &str) -> Value {
    json!({
        "type": if from.is_odd { "architect" } else { "system" },
        "request_id": request_id,
        "tool_name": "end_call",
        "params_as_json": "{\"reason\": \"El reporte quedó registrado.\"}",
        "tool_has_been_called": true,
        "tool_details": null,
    })
}

fn end_result(request_id: &str) -> Value {
    json!({
        "request_id": request_id,
        "tool_name": "end_call",
        "result_value": "{\"status\":\"success\"}",
        "is_error": false,
        "is_blocked": false,
        "tool_has_been_called": true,
        "tool_latency_secs": 0,
        "error_type": "",
        "raw_error_message": "",
        "dynamic_variable_updates": [],
        "type": "system",
        "result": { "result_type": "end_call_success", "status": "success", "reason": null, "message": null },
    })
}

fn client_call(from: &Ingredients<'_>, request_id: &str) -> Value {
    let parameters = json!({ "para": from.private.name }).to_string();
    json!({
        "type": "client",
        "request_id": request_id,
        "tool_name": "mostrar_folio",
        "params_as_json": parameters,
        "tool_has_been_called": false,
        "tool_details": { "type": "client", "parameters": parameters },
    })
}

fn client_result(request_id: &str) -> Value {
    json!({
        "request_id": request_id,
        "tool_name": "mostrar_folio",
        "result_value": "",
        "is_error": true,
        "is_blocked": false,
        "tool_has_been_called": false,
        "tool_latency_secs": 0,
        "error_type": "",
        "raw_error_message": "Client tool with name mostrar_folio is not defined on client",
        "dynamic_variable_updates": [],
        "type": "client",
    })
}
