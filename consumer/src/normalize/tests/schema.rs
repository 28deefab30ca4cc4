//! Bodies as the API's own document describes them.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

/// Any JSON, a few levels deep.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("\u{0}")),
        Just(json!(i64::MAX)),
        Just(json!("")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

fn turn() -> impl Strategy<Value = Value> {
    (prop_oneof![Just("user"), Just("agent")], option::of("\\PC{0,60}"), 0..7200_i64).prop_map(
        |(role, message, secs)| json!({"role": role, "message": message, "time_in_call_secs": secs}),
    )
}

fn item() -> impl Strategy<Value = Value> {
    (any_json(), "\\PC{0,20}", any::<bool>()).prop_map(|(value, rationale, has_value)| {
        let mut item = json!({"data_collection_id": "x", "rationale": rationale, "json_schema": null});
        if has_value {
            item["value"] = value;
        }
        item
    })
}

fn result() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("success"), Just("failure"), Just("unknown")]
}

fn analysis() -> impl Strategy<Value = Value> {
    let criterion =
        result().prop_map(|result| json!({"criteria_id": "x", "result": result, "rationale": "…"}));
    let id = prop_oneof![
        Just("id_extorsion".to_owned()),
        Just("modo".to_owned()),
        Just("lugar".to_owned()),
        "\\PC{1,10}",
    ];
    (result(), "\\PC{0,60}", btree_map(id, item(), 0..6), btree_map("[a-z]{1,6}", criterion, 0..3)).prop_map(
        |(call_successful, summary, items, criteria)| {
            json!({"call_successful": call_successful, "transcript_summary": summary,
                "data_collection_results": items, "evaluation_criteria_results": criteria})
        },
    )
}

fn metadata() -> impl Strategy<Value = Value> {
    let phone_call = "\\+?[0-9]{3,15}".prop_map(|number| {
        json!({"type": "twilio", "direction": "inbound", "phone_number_id": "p", "agent_number": "+52089",
            "external_number": number, "call_sid": "c", "stream_sid": "s"})
    });
    (any::<i64>(), any::<i64>(), option::of("[a-z]{2}"), option::of(phone_call)).prop_map(
        |(start, duration, language, phone_call)| {
            json!({"start_time_unix_secs": start, "call_duration_secs": duration, "cost_fiat": null,
                "main_language": language, "phone_call": phone_call})
        },
    )
}

/// Bodies of `GetConversationResponseModel`.
pub(super) fn body() -> impl Strategy<Value = Value> {
    let status = prop::sample::select(vec!["initiated", "in-progress", "processing", "done", "failed"]);
    let client_data = btree_map("[a-z_]{1,12}", any_json(), 0..3)
        .prop_map(|variables| json!({"user_id": null, "dynamic_variables": variables}));
    let parts = (
        status,
        metadata(),
        option::of(analysis()),
        vec(turn(), 0..8),
        client_data,
        option::of("\\PC{0,16}"),
    );
    parts.prop_map(|(status, metadata, analysis, transcript, client_data, user_id)| {
        json!({"conversation_id": "conv_1", "agent_id": "agent_1", "status": status, "metadata": metadata,
            "analysis": analysis, "transcript": transcript, "user_id": user_id, "has_audio": true,
            "has_user_audio": true, "has_response_audio": true, "has_auxiliary_audio": false,
            "conversation_initiation_client_data": client_data})
    })
}

/// The vendor's document.
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../simulator/openapi.json");

#[test]
fn the_bodies_made_here_are_what_the_api_documents() {
    let document = std::fs::read(DOCUMENT).expect("the document is in the checkout");
    let document: Value = serde_json::from_slice(&document).expect("a document");
    let root = json!({"$ref": "#/components/schemas/GetConversationResponseModel",
        "components": document["components"]});
    let validator = jsonschema::draft202012::new(&root).expect("a schema");
    let mut runner = TestRunner::deterministic();
    for _ in 0..32 {
        let body = body().new_tree(&mut runner).expect("a body").current();
        let errors: Vec<String> = validator.iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {body}");
    }
}
