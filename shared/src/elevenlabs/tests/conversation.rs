use serde_json::json;

use super::super::caller_line::Source;
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

/// The fields that were odd.
fn odd(conversation: &Conversation) -> Vec<&str> {
    conversation.oddities.iter().map(|(field, _)| field).collect()
}

fn parsed(body: &str) -> Conversation {
    Conversation::parse(body.as_bytes()).expect(body)
}

/// Found by the fuzz target `normalize`: of a turn without a role one reader took other fields for what was said.
#[test]
fn both_readers_take_the_same_for_a_turn() {
    for (turn, said) in [
        (json!({"time_in_call_secs": 49, "tool_results": [], "source_medium": "audio"}), None),
        (json!({"role": "agent", "tool_calls": [{"tool_name": "x"}], "source_medium": "audio"}), None),
        (json!({"role": null, "message": null, "tool_results": []}), None),
        (json!({}), None),
        (json!({"turn": {"role": "user", "message": "hola"}}), Some("hola")),
        (json!({"x": [{"y": {"message": "hola"}}]}), Some("hola")),
    ] {
        let body = json!({"conversation_id": "c", "transcript": [turn]}).to_string();
        for body in [body.clone(), format!("\u{feff}{body}")] {
            let conversation = Conversation::parse(body.as_bytes()).expect("a conversation");
            let found: Vec<_> =
                conversation.transcript.iter().filter_map(|turn| turn.message.as_deref()).collect();
            assert_eq!(found, Vec::from_iter(said), "{body}");
        }
    }
}

#[test]
fn a_line_of_an_unexpected_shape_is_known_by_its_texts() {
    for (body, field) in [
        (r#"{"conversation_id":"c","user_id":{"a":["+525512345678"]}}"#, "user_id"),
        (r#"{"conversation_id":"c","metadata":{"phone_call":"+525512345678"}}"#, "metadata.phone_call"),
        (r#"{"conversation_id":"c","metadata":["x","+525512345678"]}"#, "metadata"),
        (
            r#"{"conversation_id":"c","metadata":{"phone_call":{"external_number":["+525512345678",true]}}}"#,
            "metadata.phone_call.external_number",
        ),
        (r#"{"conversation_id":"c","user_id":"+525512345678","user_id":null}"#, "(repetido)"),
        (
            r#"{"conversation_id":"c","conversation_initiation_client_data":{"dynamic_variables":[{"a":"+525512345678"}]}}"#,
            "conversation_initiation_client_data.dynamic_variables",
        ),
    ] {
        let conversation = parsed(body);
        assert!(conversation.caller_line.identifiers().eq(["+525512345678"]), "{body}");
        assert!(odd(&conversation).contains(&field), "{body}: {:?}", odd(&conversation));
    }
    let nobody = parsed(r#"{"conversation_id":"c","user_id":false,"transcript":[{"user_identifier":true}]}"#);
    assert!(nobody.caller_line.is_empty(), "a yes or no is no identifier");
}

#[test]
fn variables_headers_and_recipients_say_who_called_and_the_line_that_was_called_is_kept_apart() {
    let conversation = conversation(&json!({"conversation_id": "conv_1",
        "metadata": {"initiator_id": "i-1",
            "phone_call": {"external_number": "sip:anonymous@anonymous.invalid", "agent_number": "+525500890089",
                "sip_header_dynamic_variables": {"sip_contact_uri": "sip:+525512345678@10.0.0.1", "x": 789, "y": 7}},
            "whatsapp": {"whatsapp_user_id": "w-1", "recipient": {"phone": "+5215512345678", "bsuid": "b-1"}}},
        "conversation_initiation_client_data": {"dynamic_variables": {
            "system__called_number": "+525500890089", "nombre": "Juan Pérez", "otro": "55 1234 5678",
            "system__conversation_history": "{\"caller\": \"5599999999\"}", "largo": "5".repeat(50)}}}));
    let found: Vec<_> = conversation.caller_line.sourced().collect();
    assert_eq!(
        found,
        [
            (Source::Line, "sip:anonymous@anonymous.invalid"),
            (Source::Line, "sip:+525512345678@10.0.0.1"),
            (Source::Line, "789"),
            (Source::Line, "w-1"),
            (Source::Line, "+5215512345678"),
            (Source::Line, "b-1"),
            (Source::Name, "i-1"),
            (Source::Name, "Juan Pérez"),
            (Source::Variable, "55 1234 5678"),
        ]
    );
    assert!(conversation.caller_line.own_lines().eq(["+525500890089"]));
    assert!(conversation.oddities.is_empty());
}

#[test]
fn a_number_with_a_point_or_an_exponent_is_its_digits() {
    for number in ["5512345678.0", "5.512345678e9", "\"5512345678.0\""] {
        let body = format!(
            r#"{{"conversation_id":"c","conversation_initiation_client_data":{{"dynamic_variables":{{"system__caller_id":{number}}}}}}}"#
        );
        assert!(parsed(&body).caller_line.identifiers().eq(["5512345678"]), "{number}");
    }
}

#[test]
fn only_what_has_no_id_is_malformed() {
    for body in [
        "[]",
        "7",
        "{}",
        r#"{"conversation_id":null}"#,
        r#"{"conversation_id":"a b"}"#,
        r#"{"conversation_id":["c"]}"#,
    ] {
        assert!(matches!(fails(body), ApiError::Malformed { .. }), "{body}: {:?}", fails(body));
    }
}

#[test]
fn a_field_of_another_type_is_read_as_far_as_it_goes_and_named() {
    let plain = parsed(
        r#"{"conversation_id":"c","metadata":{"start_time_unix_secs":"1795836000","call_duration_secs":["60"]}}"#,
    );
    assert_eq!(plain.started_at().map(|at| at.timestamp()), Some(1_795_836_000));
    assert_eq!(plain.metadata.call_duration_secs, Some(60));
    assert_eq!(odd(&plain), ["metadata.call_duration_secs", "metadata.start_time_unix_secs"]);
    let nothing = parsed(
        r#"{"conversation_id":"c","agent_id":5,"status":5,"metadata":{"main_language":5,"call_duration_secs":"long"},
            "analysis":{"call_successful":true,"data_collection_results":[]}}"#,
    );
    assert_eq!((nothing.agent_id.as_ref(), nothing.status.as_str()), (None, ""));
    assert_eq!((nothing.metadata.main_language.as_ref(), nothing.metadata.call_duration_secs), (None, None));
    assert_eq!(
        odd(&nothing),
        [
            "agent_id",
            "analysis.call_successful",
            "analysis.data_collection_results",
            "metadata.call_duration_secs",
            "metadata.main_language",
            "status"
        ]
    );
    let listed = parsed(
        r#"{"conversation_id":"c","analysis":{"data_collection_results":[{"data_collection_id":"lugar","value":1e999},
            {"id":7,"value":2},5],"evaluation_criteria_results":{"trato":{"result":5}}}}"#,
    );
    let analysis = listed.analysis.as_ref().expect("an analysis");
    assert_eq!(analysis.collected("lugar").map(|(_, item)| item.value.clone()), Some(json!("1e+999")));
    assert_eq!(analysis.collected("7").map(|(_, item)| item.value.clone()), Some(json!(2)));
    assert_eq!(odd(&listed), ["analysis.data_collection_results", "analysis.evaluation_criteria_results"]);
    let none = parsed(r#"{"conversation_id":"c","analysis":false,"transcript":7,"metadata":"x"}"#);
    assert!(none.analysis.is_none() && none.transcript.is_empty());
}

#[test]
fn what_is_almost_json_is_read() {
    let nested = format!(
        r#"{{"conversation_id":"c","transcript":[{{"message":{0}"hola"{1}}}],"analysis":{{"data_collection_results":{{"a":{0}{1}}}}}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let nested = parsed(&nested);
    assert_eq!(nested.transcript[0].message.as_deref(), Some("hola"));
    let value = nested
        .analysis
        .as_ref()
        .and_then(|found| found.collected("a"))
        .map(|(_, item)| item.value.to_string());
    assert!(value.as_deref().is_some_and(|value| value.contains("[omitido: ")), "{value:?}");
    for (body, field) in [
        (r#"{"conversation_id":"c","transcript":[{"message":"soy testigo \ud83d"}]}"#, "transcript.message"),
        (r#"{"conversation_id":"c","metadata":{"call_duration_secs":NaN}}"#, "metadata.call_duration_secs"),
        (
            r#"{"conversation_id":"c","status":"done","status":"failed","user_id":"u","user_id":"v"}"#,
            "(repetido)",
        ),
    ] {
        assert_eq!(odd(&parsed(body)), [field], "{body}");
    }
    let lone = parsed(r#"{"conversation_id":"c","transcript":[{"message":"soy testigo \ud83d"}]}"#);
    assert_eq!(lone.transcript[0].message.as_deref(), Some("soy testigo \u{fffd}"));
    assert!(parsed("\u{feff}{\"conversation_id\":\"c\"}").oddities.is_empty());
}

#[test]
fn several_voices_are_one_message() {
    let body = json!({"conversation_id": "c", "transcript": [
        {"role": "agent", "message": null, "multivoice_message": {"parts": [
            {"text": "Bienvenido.", "voice_label": "Ana"}, null, {"text": ""}, {"text": "¿Qué desea?"}]}},
        {"role": "agent", "message": "Lo dicho.", "multivoice_message": {"parts": [{"text": "Otra."}]}},
        {"role": "agent", "message": "", "multivoice_message": {"parts": null}}]});
    let conversation = conversation(&body);
    let messages: Vec<_> = conversation.transcript.iter().map(|turn| turn.message.as_deref()).collect();
    assert_eq!(messages, [Some("Bienvenido. ¿Qué desea?"), Some("Lo dicho."), None]);
}

#[test]
fn an_error_quotes_nothing_of_the_body() {
    for body in [r#"{"conversation_id":"a 5512345678"}"#, r#"{"conversation_id":"c","user_id":"5512345678"#] {
        let error = fails(body);
        assert!(!format!("{error} {error:?}").contains("5512345678"), "{error}");
    }
}

#[test]
fn what_is_no_json_is_told_apart_from_json_of_another_shape() {
    for body in [
        "",
        " ",
        "<html></html>",
        "{",
        r#"{"conversation_id":"c","#,
        "{} {}",
        "\u{feff}{",
        r#"{"conversation_id":nada}"#,
    ] {
        assert_eq!(fails(body), ApiError::NotJson { bytes: body.len() }, "{body}");
    }
}

#[test]
fn fields_of_no_interest_may_be_anything() {
    let conversation = conversation(
        &json!({"conversation_id": "conv_1", "agent_id": "agent_1", "status": "done",
        "has_audio": "perhaps", "otlp_traces": 5, "metadata": {"charging": [], "start_time_unix_secs": 1_795_836_000.5},
        "transcript": [{"role": "agent", "message": null, "tool_calls": null, "time_in_call_secs": 3}]}),
    );
    assert_eq!(conversation.started_at().map(|start| start.timestamp()), Some(1_795_836_000));
    assert_eq!(conversation.transcript[0].time_in_call_secs, Some(3.0));
    assert!(!conversation.has_content());
}

#[test]
fn a_start_that_cannot_be_is_none() {
    for (start, is_sane) in [
        (json!(null), false),
        (json!(0), false),
        (json!(-1), false),
        (json!(1), false),
        (json!(1_420_070_401), true),
        (json!(4_102_444_799_i64), true),
        (json!(4_102_444_800_i64), false),
        (json!(253_402_300_799_i64), false),
        (json!(100_000_000_000_i64), false),
        (json!(1_795_348_800_000_i64), true),
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
