use serde_json::json;

use super::*;

fn analysis(json: &Value) -> Analysis {
    let json = json.to_string();
    let wire: AnalysisWire<'_> = serde_json::from_str(&json).expect("an analysis");
    Analysis::new(wire, &mut Oddities::default()).expect("an analysis")
}

/// The value that an item with this JSON has.
fn value_of(item: &str) -> Value {
    let body = format!(r#"{{"data_collection_results":{{"lugar":{item}}}}}"#);
    let wire: AnalysisWire<'_> = serde_json::from_str(&body).expect(item);
    let mut analysis = Analysis::new(wire, &mut Oddities::default()).expect(item);
    analysis.data_collection_results.remove("lugar").expect(item).value
}

#[test]
fn a_value_stands_bare_or_in_its_envelope() {
    for (item, expected) in [
        ("null", "null"),
        ("true", "true"),
        (r#""Puebla""#, r#""Puebla""#),
        ("12", "12"),
        ("-1.50", "-1.50"),
        ("1e400", r#""1e+400""#),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        (r#"["a",1.0,null]"#, r#"["a",1.0,null]"#),
        ("{}", "{}"),
        (r#"{"calle":"5","n":2}"#, r#"{"calle":"5","n":2}"#),
        (r#"{"value":"Puebla"}"#, r#""Puebla""#),
        (r#"{"value":7.10}"#, "7.10"),
        (r#"{"value":{"calle":"5"},"rationale":"he said"}"#, r#"{"calle":"5"}"#),
        (r#"{"data_collection_id":"lugar","rationale":"he said"}"#, "null"),
        (r#"{"rationale":"he said"}"#, "null"),
        (r#"{"json_schema":{"type":"string"},"value":null}"#, "null"),
        (r#"{"extra":1,"value":"x","more":2}"#, r#""x""#),
    ] {
        assert_eq!(value_of(item).to_string(), expected, "{item}");
    }
}

#[test]
fn the_list_speaks_only_when_the_map_is_empty() {
    let list = json!([{"data_collection_id": "modo", "value": "llamada", "rationale": "x"}, {"value": 1}, 5]);
    for map in [json!(null), json!({})] {
        let found = analysis(&json!({"data_collection_results": map, "data_collection_results_list": list}));
        assert_eq!(found.collected("modo").map(|(_, item)| &item.value), Some(&json!("llamada")));
        assert_eq!(found.data_collection_results.len(), 1);
    }
    let map = json!({"lugar": {"value": "Puebla"}});
    let found = analysis(&json!({"data_collection_results": map, "data_collection_results_list": list}));
    assert_eq!(found.collected("lugar").map(|(_, item)| &item.value), Some(&json!("Puebla")));
    assert_eq!(found.data_collection_results.len(), 1);
}

#[test]
fn a_criterion_is_its_result() {
    let found = analysis(&json!({"call_successful": "success", "transcript_summary": "…",
        "evaluation_criteria_results": {
            "a": {"criteria_id": "a", "result": "success", "rationale": "x", "score": 1},
            "b": {"result": 5}, "c": "failure", "d": null}}));
    let expected = [("a", Some("success")), ("b", None), ("c", Some("failure")), ("d", None)];
    let expected = expected.map(|(id, result)| (id.to_owned(), result.map(String::from)));
    assert_eq!(found.evaluation_criteria_results, BTreeMap::from(expected));
    assert_eq!(found.call_successful.as_deref(), Some("success"));
}

#[test]
fn what_poses_as_a_number_is_an_error_and_not_a_panic() {
    let body = r#"{"data_collection_results":{"a":{"$serde_json::private::Number":"no"}}}"#;
    assert!(serde_json::from_str::<AnalysisWire>(body).is_err());
}

#[test]
fn an_item_is_known_by_its_id_and_then_by_its_name() {
    let found = analysis(&json!({"data_collection_results": {
        "anlit_1": {"data_collection_id": "anlit_1", "name": "lugar", "value": "Puebla"},
        "anlit_2": {"value": 2, "name": "modo"}, "modo": {"value": 1},
        "bare": {"name": "Juan", "calle": "5"}}}));
    let value = |known_as: &str| found.collected(known_as).map(|(_, item)| item.value.clone());
    assert_eq!(value("lugar"), Some(json!("Puebla")));
    assert_eq!(value("anlit_1"), Some(json!("Puebla")));
    assert_eq!(value("modo"), Some(json!(1)), "the id comes first");
    assert_eq!(value("bare"), Some(json!({"name": "Juan", "calle": "5"})));
    assert_eq!(value("Juan"), None, "what was collected is no name of an item");
}

#[test]
fn what_several_agents_found_counts_where_the_whole_has_nothing() {
    let scoped = json!([
        {"scope": "agent", "data_collection_results": {"lugar": {"value": "Puebla"}, "modo": {"value": 1}}},
        null,
        {"scope": "agent", "data_collection_results": {"lugar": {"value": "Toluca"}},
            "evaluation_criteria_results": {"trato": {"result": "success"}}}]);
    let found = analysis(&json!({"data_collection_results": {}, "scoped": scoped}));
    assert_eq!(found.collected("lugar").map(|(_, item)| &item.value), Some(&json!("Puebla")));
    assert_eq!(found.evaluation_criteria_results.len(), 1);
    let whole = json!({"lugar": {"value": "Metepec"}});
    let found = analysis(&json!({"data_collection_results": whole, "scoped": scoped}));
    assert_eq!(found.data_collection_results.len(), 1);
}
