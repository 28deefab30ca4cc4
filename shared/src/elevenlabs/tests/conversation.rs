use serde_json::json;

use super::*;

fn conversation(json: &serde_json::Value) -> Conversation {
    Conversation::parse(json.to_string().as_bytes()).expect("a conversation")
}

fn fails(body: &str) -> ApiError {
    Conversation::parse(body.as_bytes()).expect_err(body)
}

#[test]
fn absent_null_and_default_are_the_same() {
    let absent = json!({"conversation_id": "conv_1"});
    let null = json!({"conversation_id": "conv_1", "agent_id": null, "status": null, "user_id": null,
        "transcript": null, "metadata": null, "analysis": null, "conversation_initiation_client_data": null});
    let hollow = json!({"conversation_id": "conv_1", "transcript": [], "metadata": {"phone_call": null},
        "conversation_initiation_client_data": {"dynamic_variables": null}});
    for json in [absent, null, hollow] {
        let conversation = conversation(&json);
        assert_eq!(conversation.metadata, Metadata::default());
        assert_eq!(conversation.status, Status::default());
        assert!(conversation.agent_id.is_none() && conversation.analysis.is_none());
        assert!(conversation.transcript.is_empty() && conversation.caller_line.is_empty());
        assert!(!conversation.has_content());
    }
}

#[test]
fn everything_that_identifies_the_line_is_found_and_nothing_of_it_is_printed() {
    let conversation = conversation(&json!({"conversation_id": "conv_1", "user_id": "u-1",
        "metadata": {"phone_call": {"type": "twilio", "external_number": "+525512345678", "agent_number": "+52089"},
            "whatsapp": {"whatsapp_user_id": "w-1"}, "sms": {"sms_user_phone_number": "s-1"},
            "batch_call": {"batch_call_id": "b", "batch_call_recipient_id": "r-1"}},
        "conversation_initiation_client_data": {"user_id": "u-1", "dynamic_variables": {
            "system__caller_id": 525_512_345_678_u64, "system__conversation_history": "{…}", "x": [1]}},
        "transcript": [{"role": "user", "message": "hola", "user_identifier": "t-1"}, null]}));
    let line: Vec<_> = conversation.caller_line.identifiers().collect();
    assert_eq!(line, ["+525512345678", "w-1", "s-1", "r-1", "525512345678", "u-1", "t-1"]);
    let printed = format!("{conversation:?} {:?}", conversation.caller_line);
    assert!(line.iter().all(|identifier| !printed.contains(identifier)), "{printed}");
    assert!(!printed.contains("hola"), "{printed}");
}

#[test]
fn a_line_that_cannot_be_read_fails_the_record() {
    for body in [
        r#"{"conversation_id":"c","user_id":{}}"#,
        r#"{"conversation_id":"c","metadata":{"phone_call":"+525512345678"}}"#,
        r#"{"conversation_id":"c","metadata":{"phone_call":{"external_number":["+525512345678"]}}}"#,
    ] {
        assert!(matches!(fails(body), ApiError::Malformed { .. }), "{body}");
    }
}

#[test]
fn a_needed_field_of_another_type_is_malformed() {
    for body in [
        "[]",
        "7",
        "{}",
        r#"{"conversation_id":null}"#,
        r#"{"conversation_id":"a b"}"#,
        r#"{"conversation_id":"c","status":5}"#,
        r#"{"conversation_id":"c","transcript":{}}"#,
        r#"{"conversation_id":"c","transcript":["hola"]}"#,
        r#"{"conversation_id":"c","transcript":[{"message":5}]}"#,
        r#"{"conversation_id":"c","transcript":[{"time_in_call_secs":"5"}]}"#,
        r#"{"conversation_id":"c","metadata":{"start_time_unix_secs":"5"}}"#,
        r#"{"conversation_id":"c","metadata":7}"#,
        r#"{"conversation_id":"c","analysis":"none"}"#,
        r#"{"conversation_id":"c","analysis":{"data_collection_results":[]}}"#,
        r#"{"conversation_id":"c","analysis":{"transcript_summary":{}}}"#,
        "{\"conversation_id\":\"c\",\"transcript\":[{\"message\":\"\\ud800\"}]}",
    ] {
        assert!(matches!(fails(body), ApiError::Malformed { .. }), "{body}: {:?}", fails(body));
    }
    let nested = format!(
        r#"{{"conversation_id":"c","analysis":{{"data_collection_results":{{"a":{}{}}}}}}}"#,
        "[".repeat(5000),
        "]".repeat(5000)
    );
    assert!(matches!(fails(&nested), ApiError::Malformed { .. }));
}

#[test]
fn an_error_quotes_nothing_of_the_body() {
    let error =
        fails(r#"{"conversation_id":"c","status":"done","metadata":{"call_duration_secs":"5512345678"}}"#);
    assert!(!format!("{error} {error:?}").contains("5512345678"));
    assert!(error.to_string().ends_with("at line 1 column 84"), "{error}");
}

#[test]
fn what_is_no_json_is_told_apart_from_json_of_another_shape() {
    for body in ["", " ", "<html></html>", "{", r#"{"conversation_id":"c","#, "{} {}", "\u{feff}{}"] {
        assert_eq!(fails(body), ApiError::NotJson { bytes: body.len() }, "{body}");
    }
}

#[test]
fn fields_of_no_interest_may_be_anything() {
    let conversation =
        conversation(&json!({"conversation_id": "conv_1", "agent_id": "agent_1", "status": "done",
        "has_audio": "perhaps", "otlp_traces": 5, "metadata": {"charging": [], "start_time_unix_secs": 5.0},
        "transcript": [{"role": "agent", "message": null, "tool_calls": null, "time_in_call_secs": 3}]}));
    assert_eq!(conversation.started_at().map(|start| start.timestamp()), Some(5));
    assert_eq!(conversation.transcript[0].time_in_call_secs, Some(3.0));
    assert!(!conversation.has_content());
}

#[test]
fn a_start_outside_the_calendar_is_none() {
    for (start, is_sane) in [
        (json!(null), false),
        (json!(0), false),
        (json!(-1), false),
        (json!(1), true),
        (json!(253_402_300_799_i64), true),
        (json!(253_402_300_800_i64), false),
        (json!(1_795_348_800_000_i64), false),
        (json!(i64::MAX), false),
        (json!(u64::MAX), false),
    ] {
        let json = json!({"conversation_id": "c", "metadata": {"start_time_unix_secs": start}});
        assert_eq!(conversation(&json).started_at().is_some(), is_sane, "{start}");
    }
}

#[test]
fn a_turn_with_text_or_an_analysis_is_content() {
    for (json, has_content) in [
        (json!({"conversation_id": "c", "transcript": [{"message": ""}, {"message": null}]}), false),
        (json!({"conversation_id": "c", "transcript": [{"message": ""}, {"message": "sí"}]}), true),
        (json!({"conversation_id": "c", "analysis": {}}), true),
    ] {
        assert_eq!(conversation(&json).has_content(), has_content, "{json}");
    }
}
