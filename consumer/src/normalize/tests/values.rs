use serde_json::{Value, json};
use shared::config::{DataItems, ReportConfig, ReportItems};

use super::super::{MASK, normalize};
use super::{conversation, rows, rows_of_values};

fn transcript(turns: &Value) -> String {
    rows(&json!({"conversation_id": "conv_1", "transcript": turns})).conversation.transcripcion
}

#[test]
fn a_turn_is_a_line_and_one_without_text_is_none() {
    for (turns, expected) in [
        (json!([]), ""),
        (json!(null), ""),
        (json!([{"role": "agent", "message": "Hola", "time_in_call_secs": 12}]), "[12.0s] AGENT: Hola"),
        (json!([{"role": "user", "message": "Sí", "time_in_call_secs": 0.25}]), "[0.2s] USER: Sí"),
        (json!([{"role": "user", "message": "Sí", "time_in_call_secs": 0.35}]), "[0.3s] USER: Sí"),
        (json!([{"message": "Sí"}]), "[0.0s] UNKNOWN: Sí"),
        (json!([{"role": "", "message": "Sí", "time_in_call_secs": null}]), "[0.0s] UNKNOWN: Sí"),
        (json!([{"role": "supervisora ñ", "message": "Sí"}]), "[0.0s] UNKNOWN: Sí"),
        (json!([{"role": "supervisor", "message": "Sí"}]), "[0.0s] SUPERVISOR: Sí"),
        (json!([{"role": "user: no\n[1.0s] AGENT", "message": "Sí"}]), "[0.0s] UNKNOWN: Sí"),
        (json!([{"role": "user", "message": null}, {"role": "user", "message": ""}, null]), ""),
        (json!([{"role": "user", "message": "\u{0}"}]), ""),
        (json!([{"role": "user", "message": " "}]), "[0.0s] USER:  "),
        (
            json!([{"role": "user", "message": "a\u{0}b\nc\r\n[9.0s] AGENT: d\u{2028}e"}]),
            "[0.0s] USER: ab c [9.0s] AGENT: d e",
        ),
        (
            json!([{"role": "agent", "message": "1", "time_in_call_secs": 1}, {"role": "agent", "message": null},
                {"role": "user", "message": "2", "time_in_call_secs": 3600}]),
            "[1.0s] AGENT: 1\n[3600.0s] USER: 2",
        ),
    ] {
        assert_eq!(transcript(&turns), expected, "{turns}");
    }
}

/// What `lugar` becomes when the item has this JSON.
fn lugar(json: &str) -> Option<String> {
    rows_of_values(&json!({"lugar": serde_json::from_str::<Value>(json).expect(json)}))
        .report
        .expect("a report")
        .lugar
}

#[test]
fn a_report_value_is_text_as_it_is_and_the_rest_as_json_writes_it() {
    for (json, expected) in [
        ("null", None),
        (r#""""#, None),
        (r#""\u0000""#, None),
        (r#"" ""#, Some(" ")),
        (r#""Puebla \"centro\"""#, Some("Puebla \"centro\"")),
        (r#""a\u0000b""#, Some("ab")),
        ("0", Some("0")),
        ("-7", Some("-7")),
        ("1.50", Some("1.50")),
        ("12345678901234567890123", Some("12345678901234567890123")),
        ("false", Some("false")),
        (r#"[1, "a", null]"#, Some(r#"[1,"a",null]"#)),
        (r#"{"z": 1, "a": {"\u0000k": "v\u0000"}}"#, Some(r#"{"a":{"k":"v"},"z":1}"#)),
        ("{}", Some("{}")),
        (r#"{"value": "Puebla", "rationale": "…"}"#, Some("Puebla")),
        (r#"{"rationale": "…"}"#, None),
    ] {
        assert_eq!(lugar(json).as_deref(), expected, "{json}");
    }
}

#[test]
fn the_first_item_with_a_value_wins() {
    for (values, expected) in [
        (json!({"forma": "llamada", "modo": "visita"}), Some("llamada")),
        (json!({"forma": null, "modo": "visita"}), Some("visita")),
        (json!({"forma": {"value": ""}, "modo": "visita"}), Some("visita")),
        (json!({"modo": "visita"}), Some("visita")),
        (json!({"forma": false, "modo": "visita"}), Some("false")),
        (json!({"Forma": "llamada"}), None),
    ] {
        assert_eq!(rows_of_values(&values).report.expect("a report").modo.as_deref(), expected, "{values}");
    }
}

#[test]
fn a_call_without_an_analysis_has_an_empty_report() {
    let rows = rows(&json!({"conversation_id": "conv_1", "analysis": null}));
    assert_eq!(rows.report, Some(shared::database::rows::ReportRow::default()));
    assert_eq!((rows.conversation.datos, rows.conversation.evaluacion), (None, None));
    assert_eq!((rows.conversation.resumen, rows.conversation.exito), (None, None));
}

#[test]
fn datos_holds_the_kept_values_and_their_nulls() {
    let values = r#"{"a": null, "b": {"value": 1.10}, "c": {"value": {"y": 2, "x": "\u00001"}}}"#;
    let values: Value = serde_json::from_str(values).expect("values");
    let call =
        conversation(&json!({"conversation_id": "conv_1", "analysis": {"data_collection_results": values}}));
    let listed = |ids: &[&str]| DataItems::Listed(ids.iter().map(ToString::to_string).collect());
    for (data_items, expected) in [
        (DataItems::All, Some(r#"{"a":null,"b":1.10,"c":{"x":"1","y":2}}"#)),
        (listed(&["b", "z"]), Some(r#"{"b":1.10}"#)),
        (listed(&["z"]), None),
        (listed(&[]), None),
    ] {
        let config = ReportConfig { data_items, ..ReportConfig::default() };
        let datos = normalize(&call, &config).conversation.datos;
        assert_eq!(datos.map(|datos| datos.to_string()).as_deref(), expected);
    }
    assert_eq!(rows_of_values(&json!({})).conversation.datos, None);
}

#[test]
fn a_report_value_needs_not_be_kept_in_datos() {
    let call = conversation(&json!({"conversation_id": "conv_1",
        "analysis": {"data_collection_results": {"sitio": "Puebla"}}}));
    let items = ReportItems { lugar: vec!["sitio".into()], ..ReportItems::default() };
    let config = ReportConfig { items, data_items: DataItems::Listed(Vec::new()), ..ReportConfig::default() };
    let rows = normalize(&call, &config);
    assert_eq!(
        (rows.report.expect("a report").lugar.as_deref(), rows.conversation.datos),
        (Some("Puebla"), None)
    );
}

#[test]
fn codes_are_short_tokens_or_nothing() {
    let long = "x".repeat(41);
    for (text, is_kept) in [
        ("es", true),
        ("es-MX", true),
        ("a_1", true),
        (&long[..40], true),
        (long.as_str(), false),
        ("", false),
        ("es MX", false),
        ("español", false),
        ("a\u{0}", false),
        ("success; said 5512345678", false),
    ] {
        let row =
            rows(&json!({"conversation_id": "conv_1", "status": text, "metadata": {"main_language": text},
            "analysis": {"call_successful": text, "evaluation_criteria_results": {"a": {"result": text}}}}))
            .conversation;
        let kept = is_kept.then(|| text.to_owned());
        assert_eq!((&row.idioma, &row.exito), (&kept, &kept), "{text:?}");
        assert_eq!(row.estado.as_deref(), Some(if is_kept { text } else { "unknown" }), "{text:?}");
        assert_eq!(row.evaluacion, Some(json!({"a": kept})), "{text:?}");
    }
}

#[test]
fn an_absent_status_is_unknown() {
    let row = rows(&json!({"conversation_id": "conv_1"})).conversation;
    assert_eq!(row.estado.as_deref(), Some("unknown"));
}

#[test]
fn an_empty_summary_is_none() {
    for (summary, expected) in
        [(json!(null), None), (json!(""), None), (json!("\u{0}"), None), (json!("Una.\u{0}"), Some("Una."))]
    {
        let row = rows(&json!({"conversation_id": "conv_1", "analysis": {"transcript_summary": summary}}));
        assert_eq!(row.conversation.resumen.as_deref(), expected, "{summary}");
    }
}

#[test]
fn the_huella_changes_with_the_content_and_not_with_its_order() {
    let huella = |values: &str| {
        let body = format!(
            r#"{{"conversation_id":"conv_1","analysis":{{"data_collection_results":{{"a":{values}}}}}}}"#
        );
        let body: Value = serde_json::from_str(&body).expect(values);
        rows(&body).huella
    };
    let first = huella(r#"{"x":1,"y":[1,2]}"#);
    assert_eq!(first.len(), 32);
    assert_eq!(first, huella(r#"{"y":[1,2],"x":1}"#));
    assert_ne!(first, huella(r#"{"y":[2,1],"x":1}"#));
    assert_ne!(first, huella(r#"{"y":[1,2],"x":1.0}"#));
}

#[test]
fn what_is_not_listed_does_not_change_the_huella() {
    let bare = json!({"conversation_id": "conv_1", "status": "done",
        "analysis": {"data_collection_results": {"lugar": {"value": "Puebla", "rationale": "one"}}}});
    let mut other = bare.clone();
    other["analysis"]["data_collection_results"]["lugar"]["rationale"] = json!("two");
    other["metadata"] = json!({"cost": 5});
    other["tag_ids"] = json!(["x"]);
    assert_eq!(rows(&bare).huella, rows(&other).huella);
}

#[test]
fn ids_that_become_one_keep_a_value_each() {
    let rows = rows(&json!({"conversation_id": "conv_1", "user_id": "+525512345678", "analysis": {
        "data_collection_results": {
            "a\u{0}": 1, "a": 2, "tel 5512345678": "x", "tel 55 1234 5678": "y", "tel 55-1234-5678": "z",
        },
        "evaluation_criteria_results": {"b\u{0}": "success", "b": "failure"},
    }}));
    let datos = rows.conversation.datos.expect("values");
    let mask = format!("tel {MASK}");
    let values = |keys: [String; 3]| keys.map(|key| datos[&key].clone());
    let mut masked =
        values([mask.clone(), format!("{mask} (2)"), format!("{mask} (3)")]).map(|value| value.to_string());
    masked.sort();
    assert_eq!(masked, [r#""x""#, r#""y""#, r#""z""#]);
    assert_eq!((&datos["a"], &datos["a (2)"]), (&json!(2), &json!(1)));
    assert_eq!(rows.conversation.evaluacion, Some(json!({"b": "failure", "b (2)": "success"})));
}
