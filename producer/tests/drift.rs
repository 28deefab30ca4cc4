//! Overnight the API changes the type of one field of each kind: no call dies, `status` and `check` name the fields, and
//! what could be read stands in the tables; once the fields can be read again, a refetch fills what was NULL.

mod support;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use simulator::Settings;
use support::{World, calls, exits, until};

/// Changes types as a careless release would.
fn drift(call: &mut Value) {
    let metadata = &mut call["metadata"];
    metadata["call_duration_secs"] = json!({"value": metadata["call_duration_secs"], "unit": "s"});
    metadata["main_language"] = json!([metadata["main_language"], {"confidence": 0.9}]);
    metadata["start_time_unix_secs"] =
        json!(metadata["start_time_unix_secs"].as_i64().map(|secs| secs * 1000));
    call["user_id"] = json!({"id": call["user_id"]});
    for turn in call["transcript"].as_array_mut().into_iter().flatten() {
        turn["time_in_call_secs"] = json!(turn["time_in_call_secs"].to_string());
        turn["message"] = turn["message"].as_str().map_or(Value::Null, |text| json!([text]));
    }
    if let Some(analysis) = call["analysis"].as_object_mut() {
        analysis.insert("call_successful".into(), json!(true));
        if let Some(items) = analysis["data_collection_results"].as_object() {
            let listed: Value = items.values().cloned().collect();
            analysis.insert("data_collection_results".into(), listed);
        }
    }
}

/// All calls, but what a drifted field leaves empty.
const READABLE: &str = "SELECT concat_ws('|', id_eleven, fecha, hora_inicio, inicio, estado, transcripcion, resumen, datos, \
    evaluacion, id_extorsion, modo, tiempo, lugar) FROM conversaciones JOIN reportes USING (id_conversacion)";

/// All that a drifted field does leave empty.
const UNREADABLE: &str = "SELECT concat_ws('|', id_eleven, fin, hora_fin, duracion, duracion_segundos, idioma, exito) \
    FROM conversaciones";

#[expect(clippy::disallowed_methods, reason = "the calls are of today, which status looks at")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

async fn world(count: u32) -> World {
    World::new(Settings { span: Duration::from_hours(12), ..calls(count) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_changes_overnight_costs_fields_and_no_call() {
    // Both have the same calls.
    let settings =
        Settings { newest_start: Some(now().timestamp()), span: Duration::from_hours(12), ..calls(30) };
    let plain = World::new(settings.clone()).await;
    plain.sync().await;
    plain.drain(1).await;
    let (readable, unreadable) = (plain.texts(READABLE), plain.texts(UNREADABLE));

    let drifted = World::new(settings).await;
    let whole: Vec<(String, Value)> = drifted
        .simulator
        .conversation_ids()
        .into_iter()
        .filter_map(|id| Some((id.clone(), drifted.simulator.conversation_json(&id)?)))
        .collect();
    for (id, _) in &whole {
        drifted.simulator.set_conversation(id, drift);
    }
    drifted.sync().await;
    drifted.drain(1).await;
    assert_eq!(drifted.letters().await.len(), 0, "no call dies");
    assert_eq!(drifted.texts(READABLE), readable);
    assert_eq!(drifted.count("conversaciones WHERE idioma IS NOT NULL OR exito IS NOT NULL"), 0);

    let told = exits(drifted.run("producer", &["status", "--json"]).await, 0).stdout;
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let warnings = told["warnings"].to_string();
    for field in [
        "metadata.call_duration_secs",
        "metadata.main_language",
        "metadata.start_time_unix_secs",
        "transcript.message",
        "transcript.time_in_call_secs",
        "analysis.call_successful",
        "analysis.data_collection_results",
        "user_id",
    ] {
        assert!(warnings.contains(field), "{field}: {told}");
    }
    let screen = exits(drifted.run("producer", &["status"]).await, 0).stdout;
    assert!(screen.contains("WARNING: fields in another form") && screen.ends_with("well\n"), "{screen}");
    assert!(!warnings.contains("no_report_item"), "what is listed is found: {told}");
    let checked = drifted.run("producer", &["check"]).await.stdout;
    assert!(checked.contains("fields in another form"), "{checked}");
    for canary in drifted.simulator.canaries() {
        assert!(!warnings.contains(&canary) && !screen.contains(&canary) && !checked.contains(&canary));
    }

    for (id, body) in whole {
        drifted.simulator.set_conversation(&id, |call| *call = body);
    }
    let day = |days| (now() - TimeDelta::days(days)).format("%Y-%m-%d").to_string();
    let (from, to) = (day(2), day(0));
    exits(drifted.run("producer", &["reconcile", "--refetch", "--from", &from, "--to", &to]).await, 0);
    drifted.drain(1).await;
    until("what was NULL is filled", async || drifted.texts(UNREADABLE) == unreadable).await;
    assert_eq!(drifted.texts(READABLE), readable, "and nothing else has changed");
    let odd = "SELECT concat_ws(' ', id_eleven, rarezas) FROM conversaciones";
    assert_eq!(drifted.texts(odd), plain.texts(odd), "nothing is odd any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_any_item_of_a_report_is_told_and_items_by_name_are_found() {
    let world = world(12).await;
    for id in world.simulator.conversation_ids() {
        world.simulator.set_conversation(&id, |call| {
            if call["analysis"].is_object() {
                call["analysis"]["data_collection_results"] =
                    json!({"anlit_1": {"data_collection_id": "anlit_1", "name": "otro", "value": "Toluca"}});
            }
        });
    }
    world.sync().await;
    world.drain(1).await;
    let screen = exits(world.run("producer", &["status"]).await, 0).stdout;
    assert!(screen.contains("no item of a report was found"), "{screen}");
    let id = world.texts("SELECT id_eleven FROM conversaciones WHERE exito IS NOT NULL").first().cloned();
    let id = id.expect("a call that was analysed");
    world.simulator.set_conversation(&id, |call| {
        call["analysis"]["data_collection_results"]["anlit_1"]["name"] = json!("lugar");
    });
    let day = |days| (now() - TimeDelta::days(days)).format("%Y-%m-%d").to_string();
    let (from, to) = (day(2), day(0));
    exits(world.run("producer", &["reconcile", "--refetch", "--from", &from, "--to", &to]).await, 0);
    world.drain(1).await;
    assert_eq!(world.count("reportes WHERE lugar = 'Toluca'"), 1);
    let screen = exits(world.run("producer", &["status"]).await, 0).stdout;
    assert!(!screen.contains("no item of a report was found"), "{screen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nobodys_call_is_stored_without_a_report_and_counted() {
    let world = world(6).await;
    let ids = world.simulator.conversation_ids();
    for (id, source) in ids.iter().zip(["subagent_tool", "template_preview", "subagent_tool"]) {
        world.simulator.set_conversation(id, |call| {
            call["metadata"]["conversation_initiation_source"] = json!(source);
        });
    }
    world.sync().await;
    world.drain(1).await;
    assert_eq!(world.stored().len(), 6);
    assert_eq!(world.count("reportes"), 3);
    assert_eq!(world.count("conversaciones WHERE origen = 'subagent_tool'"), 2);
    let screen = exits(world.run("producer", &["status"]).await, 0).stdout;
    assert!(screen.contains("without a report"), "{screen}");
    assert!(screen.contains("subagent_tool 2, template_preview 1"), "{screen}");
}
