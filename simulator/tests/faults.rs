//! Every knob does what it says.

mod support;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use simulator::{Faults, Settings};
use support::{Answer, Visitor};

const LIST: &str = "/v1/convai/conversations";

async fn with(faults: Faults) -> Visitor {
    Visitor::new(Settings { conversations: 150, seed: 7, faults, ..Settings::default() }).await
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.detail("code"))
}

#[tokio::test]
async fn without_a_key_with_a_wrong_one_and_without_scope_the_401s_differ() {
    let mut visitor = with(Faults::default()).await;
    let url = format!("{}{LIST}", visitor.simulator.base_url());
    let body: Value =
        serde_json::from_slice(&visitor.client.get(&url).send().await.unwrap().bytes().await.unwrap())
            .unwrap();
    assert_eq!(body["detail"]["status"], "needs_authorization");
    let bearer = visitor.client.get(&url).bearer_auth("k").send().await.unwrap();
    assert_eq!(bearer.status(), 401);
    let body: Value = serde_json::from_slice(&bearer.bytes().await.unwrap()).unwrap();
    assert_eq!(body["detail"]["status"], "invalid_authorization_header");
    visitor.simulator.update_faults(|faults| faults.scope_missing = true);
    assert_eq!(visitor.get(LIST).await.detail("status"), "missing_permissions");
    visitor.simulator.update_faults(|faults| faults.refuse_key = true);
    assert_eq!(visitor.get(LIST).await.detail("status"), "invalid_api_key");
    visitor.simulator.set_faults(Faults::default());
    visitor.key = "other".to_owned();
    let answer = visitor.get(LIST).await;
    assert_eq!((answer.status, answer.detail("status").as_str()), (401, "invalid_api_key"));
    assert_eq!(answer.headers["x-trace-id"], answer.detail("request_id").as_str());
    assert_eq!(
        visitor.get(&format!("{LIST}?page_size=101")).await.status,
        422,
        "parameters come before the key"
    );
    assert_eq!(visitor.simulator.served().status_401, 5);
}

#[tokio::test]
async fn unknown_ids_and_routes_are_404s_of_their_own() {
    let visitor = with(Faults::default()).await;
    for id in ["conv_0000000000000000000000000000", "nonsense", "%20"] {
        assert_eq!(code(&visitor.detail_answer(id).await), (404, "conversation_not_found".to_owned()));
    }
    assert_eq!(visitor.get("/v1/convai/nothing").await.json(), json!({ "detail": "Not Found" }));
    let id = visitor.simulator.conversation_ids().remove(0);
    let audio = visitor.get(&format!("{LIST}/{id}/audio")).await;
    assert_eq!((audio.status, audio.detail("status").as_str()), (404, "missing_conversation_audio"));
    let served = visitor.simulator.served();
    assert_eq!((served.detail, served.other, served.status_404), (3, 2, 5));
    assert_eq!(served.details_by_id["nonsense"], 1);
}

#[tokio::test]
async fn missing_ids_are_listed_and_answer_404_until_the_knob_is_cleared() {
    let visitor = with(Faults { missing: 0.1, ..Faults::default() }).await;
    let missing: HashSet<_> = visitor.simulator.ids_missing().into_iter().collect();
    assert!((5..40).contains(&missing.len()));
    for id in visitor.ids("page_size=100").await {
        let expected = if missing.contains(&id) { 404 } else { 200 };
        assert_eq!(visitor.detail_answer(&id).await.status, expected);
    }
    visitor.simulator.update_faults(|faults| faults.missing = 0.0);
    let id = missing.iter().next().unwrap();
    assert_eq!(visitor.detail_answer(id).await.status, 200);
    assert_eq!(visitor.simulator.served().details_by_id[id], 2);
}

#[tokio::test]
async fn malformed_ids_answer_200_with_no_conversation() {
    let visitor = with(Faults { malformed: 0.2, ..Faults::default() }).await;
    let malformed = visitor.simulator.ids_malformed();
    let mut lengths = HashSet::new();
    for id in &malformed {
        let answer = visitor.detail_answer(id).await;
        assert_eq!(answer.status, 200);
        assert!(!serde_json::from_slice::<Value>(&answer.body).is_ok_and(|body| body.is_object()));
        assert_eq!(answer.body, visitor.detail_answer(id).await.body, "it stays broken in the same way");
        lengths.insert(answer.body.len().min(30));
    }
    assert_eq!(lengths.len(), 3, "empty, a list, and long ones");
    assert_eq!(visitor.simulator.served().malformed, 2 * malformed.len() as u64);
}

#[tokio::test]
async fn calls_in_progress_are_empty_and_finish_when_told_to() {
    let visitor = with(Faults { in_progress: 0.2, ..Faults::default() }).await;
    let ids = visitor.simulator.ids_in_progress();
    let mut statuses = HashSet::new();
    for id in &ids {
        let detail = visitor.detail(id).await;
        assert_eq!(
            (&detail["transcript"], &detail["metadata"]["call_duration_secs"]),
            (&json!([]), &json!(0))
        );
        assert!(detail["analysis"].is_null());
        statuses.insert(detail["status"].as_str().unwrap().to_owned());
    }
    assert_eq!(statuses, ["initiated", "in-progress", "processing"].map(str::to_owned).into());
    let unfinished = "exclude_statuses=done&exclude_statuses=failed&page_size=100";
    assert_eq!(visitor.ids(unfinished).await.len(), ids.len());
    visitor.simulator.finish_in_progress();
    assert!(visitor.simulator.ids_in_progress().is_empty());
    assert!(visitor.ids(unfinished).await.is_empty());
    assert!(ids.len() > 10);
}

/// A time that no test waits for.
const LONG: Duration = Duration::from_hours(1);
/// A time that a test waits for, and may be late for.
const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn calls_in_progress_finish_by_themselves_after_finish_after() {
    let visitor = with(Faults { in_progress: 1.0, finish_after: Some(LONG), ..Faults::default() }).await;
    assert_eq!(visitor.simulator.ids_in_progress().len(), 150);
    let turned = Instant::now();
    visitor.simulator.update_faults(|faults| faults.finish_after = Some(SHORT));
    while !visitor.simulator.ids_in_progress().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(turned.elapsed() >= SHORT);
    let id = visitor.simulator.conversation_ids().remove(0);
    assert_ne!(visitor.detail(&id).await["status"], "in-progress");
}

#[tokio::test]
async fn late_calls_are_listed_only_after_late_after() {
    let visitor = with(Faults { late: 0.3, late_after: Some(LONG), ..Faults::default() }).await;
    let late = visitor.simulator.ids_late();
    let listed = visitor.ids("page_size=100").await;
    assert_eq!(listed.len() + late.len(), 150);
    assert_eq!(visitor.detail_answer(&late[0]).await.status, 200);
    let turned = Instant::now();
    visitor.simulator.update_faults(|faults| faults.late_after = Some(SHORT));
    while !visitor.simulator.ids_late().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(turned.elapsed() >= SHORT);
    assert_eq!(visitor.ids("page_size=100").await.len(), 150);
}

#[tokio::test]
async fn a_repeated_id_ends_a_page_and_begins_the_next() {
    let visitor = with(Faults { repeat: 1.0, ..Faults::default() }).await;
    let pages = visitor.pages("page_size=10").await;
    for pair in pages.windows(2) {
        assert_eq!(pair[0]["conversations"].as_array().unwrap().last(), pair[1]["conversations"].get(0));
    }
    let ids = visitor.ids("page_size=10").await;
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 150);
    assert!(ids.len() > 150);
    assert_eq!(
        visitor.ids("page_size=1").await.len(),
        150,
        "a page of one cannot repeat, or it would never end"
    );
}

#[tokio::test]
async fn emptied_calls_have_no_transcript_and_say_when_it_went() {
    let visitor = with(Faults { emptied: 0.1, ..Faults::default() }).await;
    for id in visitor.simulator.ids_emptied() {
        let detail = visitor.detail(&id).await;
        assert_eq!(detail["transcript"], json!([]));
        assert!(detail["metadata"]["deletion_settings"]["deleted_transcript_at_time_unix_secs"].is_number());
        assert!(detail["user_message_count"].is_null());
    }
}

#[tokio::test]
async fn what_no_document_knows_comes_only_with_its_knob() {
    let visitor = with(Faults { unknown_status: 0.1, off_document: 0.1, ..Faults::default() }).await;
    for id in visitor.simulator.ids_unknown_status() {
        assert_eq!(visitor.detail(&id).await["status"], "needs_review");
    }
    let (mut seen, nobodys) = (0, visitor.simulator.ids_of_nobody());
    for id in visitor.simulator.ids_off_document() {
        let detail = visitor.detail(&id).await;
        let source = &detail["metadata"]["conversation_initiation_source"];
        assert_eq!(source == "zendesk_voice", !nobodys.contains(&id), "{id}: {source}");
        seen += i32::from(detail["transcript"][1]["source_medium"] == "dtmf");
    }
    assert!(seen > 3);
}

#[tokio::test]
async fn an_outage_is_503_everywhere_and_only_details_spares_lists() {
    let visitor = with(Faults { outage: true, ..Faults::default() }).await;
    assert_eq!(code(&visitor.get(LIST).await), (503, "service_unavailable".to_owned()));
    assert_eq!(visitor.get("/v1/convai/agents").await.status, 503);
    visitor.simulator.update_faults(|faults| faults.only_details = true);
    assert_eq!(visitor.get(LIST).await.status, 200);
    let id = visitor.simulator.conversation_ids().remove(0);
    assert_eq!(visitor.detail_answer(&id).await.status, 503);
    visitor.simulator.update_faults(|faults| faults.legacy_errors = true);
    let keys = visitor.detail_answer(&id).await.json()["detail"].as_object().unwrap().len();
    assert_eq!(keys, 2, "status and message");
}

#[tokio::test]
async fn a_share_of_5xx_and_html_is_about_that_share() {
    let visitor = with(Faults { error_5xx: 0.3, html: 0.2, ..Faults::default() }).await;
    let mut statuses = HashSet::new();
    for _ in 0..300 {
        let answer = visitor.get(LIST).await;
        let is_html = answer.headers["content-type"].to_str().unwrap().starts_with("text/html");
        assert_eq!(is_html, answer.body.starts_with(b"<!DOCTYPE html>"));
        statuses.insert((answer.status, is_html));
    }
    let served = visitor.simulator.served();
    assert!((90..170).contains(&served.status_5xx), "{served:?}");
    assert!((20..90).contains(&served.html), "{served:?}");
    let expected =
        [(200, false), (200, true), (500, false), (502, false), (502, true), (503, false), (504, false)];
    assert_eq!(statuses, expected.into());
}

#[tokio::test]
async fn dropped_connections_break_before_or_within_the_answer() {
    let visitor = with(Faults { dropped: 1.0, ..Faults::default() }).await;
    for _ in 0..20 {
        assert!(visitor.try_get(LIST).await.is_err());
    }
    let served = visitor.simulator.served();
    assert!(served.dropped >= 20, "{served:?}");
    assert_eq!(served.status_2xx, 0);
    visitor.simulator.set_faults(Faults::default());
    assert_eq!(visitor.get(LIST).await.status, 200);
}

#[tokio::test]
async fn a_slow_body_takes_its_time_and_arrives_whole() {
    let slow = Duration::from_millis(600);
    let visitor = with(Faults { slow_body: 1.0, slow_body_for: slow, ..Faults::default() }).await;
    let before = Instant::now();
    let page = visitor.get(LIST).await.json();
    assert_eq!(page["conversations"].as_array().unwrap().len(), 30);
    assert!(before.elapsed() > slow / 2, "{:?}", before.elapsed());
    assert_eq!(visitor.simulator.served().slow, 1);
}

#[tokio::test]
async fn details_that_are_held_wait_until_they_are_let_go() {
    let visitor = with(Faults::default()).await;
    let ids = visitor.simulator.conversation_ids();
    visitor.simulator.hold(&ids[..1]);
    let (held, free) =
        (format!("/v1/convai/conversations/{}", ids[0]), format!("/v1/convai/conversations/{}", ids[1]));
    let mut waiting = std::pin::pin!(visitor.get(&held));
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("it was held"),
        answer = visitor.get(&free) => assert_eq!(answer.status, 200),
    }
    visitor.simulator.hold([]);
    assert_eq!(waiting.await.status, 200);
}

#[tokio::test]
async fn latency_holds_every_answer() {
    let latency = Duration::from_millis(80);
    let visitor = with(Faults { latency, latency_jitter: latency, ..Faults::default() }).await;
    let before = Instant::now();
    visitor.get(LIST).await;
    assert!(before.elapsed() >= latency);
}

#[tokio::test]
async fn above_the_rate_comes_a_429_with_and_without_retry_after() {
    // One at once, and the next in a quarter of an hour.
    let visitor = with(Faults { rate_limit: Some(0.001), ..Faults::default() }).await;
    assert_eq!(visitor.get(LIST).await.status, 200);
    let refused = visitor.get(LIST).await;
    assert_eq!((refused.status, refused.detail("code")), (429, "rate_limit_exceeded".to_owned()));
    assert!(!refused.headers.contains_key("retry-after"));
    visitor.simulator.update_faults(|faults| faults.retry_after = Some(Duration::from_millis(1500)));
    let refused = visitor.get(LIST).await;
    assert_eq!((refused.status, &refused.headers["retry-after"]), (429, &HeaderValue::from_static("2")));
    // A second's worth may be used at once.
    visitor.simulator.update_faults(|faults| faults.rate_limit = Some(1000.0));
    while visitor.get(LIST).await.status == 429 {}
}

#[tokio::test]
async fn as_many_as_the_burst_may_be_made_at_once() {
    let slow = Faults { rate_limit: Some(0.001), rate_burst: Some(3), ..Faults::default() };
    let visitor = with(slow).await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(visitor.get(LIST).await.status);
    }
    assert_eq!(answers, [200, 200, 200, 429]);
}

#[tokio::test]
async fn above_the_concurrency_limit_comes_a_429_and_the_most_at_once_is_counted() {
    let visitor = with(Faults { concurrency_limit: Some(2), ..Faults::default() }).await;
    let id = visitor.simulator.conversation_ids().remove(0);
    visitor.simulator.hold([&id]);
    let let_go = async {
        while visitor.simulator.served().in_flight < 5 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        visitor.simulator.hold([]);
    };
    let ask = || visitor.detail_answer(&id);
    let (first, second, third, fourth, fifth, ()) = tokio::join!(ask(), ask(), ask(), ask(), ask(), let_go);
    let answers = [first, second, third, fourth, fifth];
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert_eq!(refused.len(), 3);
    assert_eq!(refused[0].detail("code"), "concurrent_limit_exceeded");
    assert_eq!(refused[0].detail("status"), "too_many_concurrent_requests");
    let served = visitor.simulator.served();
    assert_eq!(served.max_in_flight, 5);
    assert_eq!((served.in_flight, served.status_2xx, served.status_429), (0, 2, 3));
}

#[tokio::test]
async fn gzip_is_for_clients_that_take_it() {
    let visitor = with(Faults::default()).await;
    let id = visitor.simulator.conversation_ids().remove(0);
    let url = format!("{}{LIST}/{id}", visitor.simulator.base_url());
    // one that does not unpack by itself, and so shows what came
    let client = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    let ask = |coding: &'static str| {
        client.get(&url).header("xi-api-key", "k").header("accept-encoding", coding).send()
    };
    let compressed = ask("gzip").await.unwrap();
    assert_eq!(compressed.headers()["content-encoding"], "gzip");
    assert_eq!(compressed.headers()["server"], "uvicorn");
    assert!(compressed.headers().contains_key("date"));
    let compressed = compressed.bytes().await.unwrap().len();
    let plain = ask("identity").await.unwrap();
    assert!(!plain.headers().contains_key("content-encoding"));
    let plain = plain.bytes().await.unwrap().len();
    assert!(compressed * 2 < plain, "{compressed} of {plain}");
}

#[tokio::test]
async fn stopping_closes_the_door() {
    let visitor = with(Faults::default()).await;
    visitor.get(LIST).await;
    let url = format!("{}{LIST}", visitor.simulator.base_url());
    visitor.simulator.stop().await;
    assert!(visitor.client.get(url).send().await.is_err());
}

#[tokio::test]
async fn a_share_above_one_does_not_start() {
    let faults = Faults { html: 1.5, ..Faults::default() };
    let error = simulator::Simulator::start(Settings { faults, ..Settings::default() }).await.unwrap_err();
    assert!(error.to_string().starts_with("html: 1.5"), "{error}");
}
