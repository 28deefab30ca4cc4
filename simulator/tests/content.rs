//! What calls hold: sizes, oddities, private data, and that all of it can be repeated.

mod support;

use std::collections::HashSet;

use serde_json::{Value, json};
use simulator::Settings;
use support::Visitor;

const NOW: i64 = 1_795_000_000;

fn settings(seed: u64) -> Settings {
    Settings { conversations: 400, agents: 5, seed, newest_start: Some(NOW), ..Settings::default() }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bodies_and_another_seed_others() {
    let (one, two, other) =
        (Visitor::new(settings(7)).await, Visitor::new(settings(7)).await, Visitor::new(settings(8)).await);
    let ids = one.simulator.conversation_ids();
    assert_eq!(ids, two.simulator.conversation_ids());
    assert_ne!(ids, other.simulator.conversation_ids());
    for id in ids.iter().take(50) {
        assert_eq!(one.detail_answer(id).await.body, two.detail_answer(id).await.body);
        assert_eq!(one.simulator.conversation_json(id), Some(one.detail(id).await));
        assert_eq!(one.simulator.conversation_json("conv_none"), None);
    }
}

#[tokio::test]
async fn what_is_nobodys_call_says_so_and_no_other_does() {
    let visitor = Visitor::new(settings(7)).await;
    let nobodys: HashSet<String> = visitor.simulator.ids_of_nobody().into_iter().collect();
    let mut words = HashSet::new();
    for id in visitor.simulator.conversation_ids() {
        let source = visitor.detail(&id).await["metadata"]["conversation_initiation_source"].clone();
        let source = source.as_str().expect("a word").to_owned();
        let is_nobodys = ["subagent_tool", "template_preview"].contains(&source.as_str());
        assert_eq!(is_nobodys, nobodys.contains(&id), "{id}: {source}");
        words.extend(is_nobodys.then_some(source));
    }
    assert_eq!((nobodys.len(), words.len()), (6, 2));
}

#[tokio::test]
async fn details_are_of_believable_size() {
    let visitor = Visitor::new(settings(7)).await;
    let mut sizes = vec![];
    for id in visitor.simulator.conversation_ids() {
        sizes.push(visitor.detail_answer(&id).await.body.len());
    }
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2];
    assert!((6_000..12_000).contains(&median), "{median}");
    assert!(sizes[sizes.len() - 2] > 180_000, "{:?}", &sizes[sizes.len() - 5..]);
}

#[tokio::test]
async fn a_few_hundred_calls_show_every_oddity() {
    let visitor = Visitor::new(settings(7)).await;
    let mut seen = HashSet::new();
    let (mut recent, mut in_range) = (0, 0);
    for id in visitor.simulator.conversation_ids() {
        let text = String::from_utf8(visitor.detail_answer(&id).await.body).unwrap();
        let detail: Value = serde_json::from_str(&text).unwrap();
        let start = detail["metadata"]["start_time_unix_secs"].as_i64().unwrap();
        recent += i32::from(start > NOW - 24 * 3600);
        in_range += i32::from((NOW - 90 * 24 * 3600..=NOW).contains(&start));
        let turns = detail["transcript"].as_array().unwrap();
        let items = detail["analysis"]["data_collection_results"].as_object();
        let mut see = |what: &'static str, is_seen: bool| {
            if is_seen {
                seen.insert(what);
            }
        };
        see("failed, no analysis", detail["status"] == "failed" && detail["analysis"].is_null());
        see("error", detail["metadata"]["error"]["code"] == 404);
        see("silent", detail["status"] == "done" && turns.is_empty());
        see("zero seconds", !turns.is_empty() && detail["metadata"]["call_duration_secs"] == 0);
        see(
            "tool only",
            turns.iter().any(|turn| turn["message"].is_null() && turn["tool_calls"][0].is_object()),
        );
        see("interrupted", turns.iter().any(|turn| turn["interrupted"] == true));
        see(
            "newline",
            turns.iter().any(|turn| turn["message"].as_str().is_some_and(|text| text.contains('\n'))),
        );
        see("emoji", text.contains('🙏') || text.contains('😡'));
        see("quotes", text.contains("\\\"la cuota\\\""));
        see("NUL", text.contains("\\u0000"));
        see("unknown field", !detail["x_canary_release"].is_null());
        see("no user", detail["user_id"].is_null());
        see("no agent name", detail["agent_name"].is_null());
        see("beyond 64 bits", text.contains("\"value\":123456789012345678901234567890"));
        see("just beyond 64 bits", text.contains("\"value\":18446744073709551616"));
        see("forma", items.is_some_and(|items| items.contains_key("forma")));
        see("modo", items.is_some_and(|items| items.contains_key("modo")));
        see("missing item", items.is_some_and(|items| !items.is_empty() && !items.contains_key("tiempo")));
        for item in items.into_iter().flatten().map(|(_, item)| item) {
            assert!(item["rationale"].is_string() && item["json_schema"]["type"].is_string());
            see(
                match &item["value"] {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(number) if number.is_i64() => "integer",
                    Value::Number(_) => "number",
                    Value::String(text) if text.is_empty() => "empty",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                },
                true,
            );
        }
    }
    assert_eq!(seen.len(), 26, "{seen:?}");
    assert!((20..80).contains(&recent), "{recent} within a day");
    assert_eq!(in_range, 400);
}

/// The texts a consumer keeps: messages, summary, title, collected values.
fn kept(detail: &Value) -> String {
    let analysis = &detail["analysis"];
    let turns =
        detail["transcript"].as_array().expect("a list").iter().map(|turn| turn["message"].to_string());
    let values = analysis["data_collection_results"].as_object().into_iter().flatten();
    let values = values.map(|(_, item)| item["value"].to_string());
    let texts = [analysis["transcript_summary"].to_string(), analysis["call_summary_title"].to_string()];
    turns.chain(values).chain(texts).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn private_data_stands_everywhere_but_in_what_is_kept() {
    let visitor = Visitor::new(settings(7)).await;
    let ids = visitor.simulator.conversation_ids();
    let details: Vec<_> = ids.iter().map(|id| visitor.simulator.conversation_json(id).unwrap()).collect();
    let kept: String = details.iter().map(kept).collect();
    let all: String = details.iter().map(Value::to_string).collect();
    let aloud: HashSet<_> =
        visitor.simulator.caller_numbers().into_iter().chain(visitor.simulator.user_ids()).collect();
    let canaries = visitor.simulator.canaries();
    assert_eq!(canaries.iter().collect::<HashSet<_>>().len(), canaries.len(), "no canary is there twice");
    // looked up by their hexadecimal part, since searching for thousands of texts one by one takes minutes
    let (kept, planted) = (runs(&kept), runs(&all));
    for canary in canaries.iter().filter(|canary| !aloud.contains(*canary)) {
        assert!(!kept.contains(run(canary)), "{canary} stands in what is kept");
    }
    assert!(aloud.iter().take(100).all(|text| all.contains(text.as_str())));
    for prefix in [
        "Zutano-",
        "Calle Mengano-",
        "mengana.",
        "tok_",
        "firma",
        "CA",
        "MZ",
        "Fulano-",
        "Perengano-",
        "rcpt_",
        "init_",
        "Licenciada-",
        "Fulana-",
        "wa_",
    ] {
        let mut found =
            canaries.iter().filter(|canary| canary.starts_with(prefix) && planted.contains(run(canary)));
        assert!(found.next().is_some(), "no canary {prefix} is planted");
    }
}

/// All runs of hexadecimal characters in a text.
fn runs(text: &str) -> HashSet<&str> {
    text.split(|character: char| !character.is_ascii_hexdigit()).collect()
}

/// The longest of them.
fn run(text: &str) -> &str {
    runs(text).into_iter().max_by_key(|run| run.len()).expect("split gives one part at least")
}

#[tokio::test]
async fn callers_numbers_are_read_aloud_in_several_ways_in_calls_that_tell_them() {
    let visitor = Visitor::new(settings(7)).await;
    let mut ways = HashSet::new();
    let (mut in_summary, mut as_integer, mut in_values, mut user_ids) = (0, 0, 0, 0);
    let numbers: HashSet<_> = visitor.simulator.caller_numbers().into_iter().collect();
    for id in visitor.simulator.conversation_ids() {
        let detail = visitor.simulator.conversation_json(&id).unwrap();
        for turn in detail["transcript"].as_array().unwrap() {
            let message = turn["message"].as_str().unwrap_or_default();
            user_ids += i32::from(message.starts_with("Su clave de usuario es"));
            let Some(spoken) = message.strip_prefix("Le confirmo el número del que me llama: ") else {
                continue;
            };
            let spoken = spoken.strip_suffix(". ¿Es correcto?").unwrap();
            let digits: String = spoken.chars().filter(char::is_ascii_digit).collect();
            let national = digits[digits.len() - 10..].to_owned();
            assert!(numbers.contains(&national));
            let variables = &detail["conversation_initiation_client_data"]["dynamic_variables"];
            assert!(variables["system__caller_id"].as_str().unwrap().ends_with(&national));
            ways.insert(spoken.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>());
            let summary = detail["analysis"]["transcript_summary"].as_str().unwrap();
            in_summary += i32::from(summary.contains(spoken));
            match &detail["analysis"]["data_collection_results"]["telefono_contacto"]["value"] {
                Value::Number(number) => as_integer += i32::from(*number.to_string() == national),
                Value::String(text) => in_values += i32::from(text == spoken),
                other => panic!("{other}"),
            }
        }
    }
    assert!(ways.len() >= 5, "{ways:?}");
    assert!(in_summary > 0 && as_integer > 0 && in_values > 0 && user_ids > 0);
}

#[tokio::test]
async fn the_platforms_variables_hold_a_copy_of_the_transcript() {
    let visitor = Visitor::new(settings(7)).await;
    for id in visitor.simulator.conversation_ids().iter().take(40) {
        let detail = visitor.simulator.conversation_json(id).unwrap();
        let history = &detail["conversation_initiation_client_data"]["dynamic_variables"]["system__conversation_history"];
        let Some(history) = history.as_str() else {
            assert_eq!(detail["transcript"], json!([]));
            continue;
        };
        let copy: Value = serde_json::from_str(history).unwrap();
        assert_eq!(copy["entries"].as_array().unwrap().len(), detail["transcript"].as_array().unwrap().len());
    }
}

#[tokio::test]
async fn a_written_conversation_is_served_as_written_and_its_row_follows() {
    let visitor = Visitor::new(settings(7)).await;
    let oldest = visitor.simulator.conversation_ids().pop().unwrap();
    visitor.simulator.set_conversation(&oldest, |detail| {
        detail["status"] = json!("processing");
        detail["metadata"]["start_time_unix_secs"] = json!(NOW + 5);
        detail["metadata"]["call_duration_secs"] = json!(77);
        detail["transcript"] = json!([{ "role": "user", "message": "hola", "time_in_call_secs": 0 }]);
    });
    assert_eq!(visitor.detail(&oldest).await["status"], "processing");
    let row = &visitor.rows("").await[0];
    assert_eq!(row["conversation_id"], json!(oldest));
    assert_eq!((&row["status"], &row["call_duration_secs"]), (&json!("processing"), &json!(77)));
    assert_eq!((&row["message_count"], &row["start_time_unix_secs"]), (&json!(1), &json!(NOW + 5)));
    assert_eq!(visitor.ids("page_size=100").await.len(), 400);
}
