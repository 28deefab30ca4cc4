//! The knobs and counts at run time, over HTTP and without a key.

mod support;

use reqwest::Method;
use serde_json::json;
use simulator::{Faults, Settings};
use support::Visitor;

async fn visitor() -> Visitor {
    let faults = Faults { in_progress: 0.5, ..Faults::default() };
    Visitor::new(Settings { conversations: 50, faults, ..Settings::default() }).await
}

#[tokio::test]
async fn a_patch_changes_the_given_knobs_only() {
    let visitor = visitor().await;
    let patch =
        r#"{"error_5xx": 0.25, "latency": "5ms", "retry_after": "2s", "rate_limit": "100/s", "html": 0}"#;
    let answer = visitor.control(Method::PATCH, "faults", patch).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["error_5xx"], json!(0.25));
    assert_eq!(answer.json()["in_progress"], json!(0.5));
    assert_eq!(answer.json()["latency"], json!("5ms"));
    let faults = visitor.simulator.faults();
    assert_eq!(faults.rate_limit, Some(100.0));
    assert_eq!(faults.retry_after, Some(std::time::Duration::from_secs(2)));
    let answer =
        visitor.control(Method::PATCH, "faults", r#"{"retry_after": null, "rate_limit": null}"#).await;
    assert_eq!((&answer.json()["retry_after"], &answer.json()["rate_limit"]), (&json!(null), &json!(null)));
    assert_eq!(visitor.control(Method::GET, "faults", "").await.json(), answer.json());
}

#[tokio::test]
async fn a_patch_that_is_wrong_is_a_422_that_names_the_field_and_changes_nothing() {
    let visitor = visitor().await;
    let before = visitor.simulator.faults();
    for (patch, name) in [
        (r#"{"outage": true, "eror_5xx": 0.5}"#, "eror_5xx"),
        (r#"{"outage": true, "error_5xx": 2}"#, "error_5xx"),
        (r#"{"outage": "yes"}"#, "outage"),
        (r#"{"latency": 5}"#, "latency"),
        ("[]", "object"),
        ("{", "JSON"),
    ] {
        let answer = visitor.control(Method::PATCH, "faults", patch).await;
        assert_eq!(answer.status, 422, "{patch}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(name), "{:?}", answer.json());
    }
    assert_eq!(visitor.simulator.faults(), before);
}

#[tokio::test]
async fn conversations_are_added_on_top_and_finish_when_told_to() {
    let visitor = visitor().await;
    let added = visitor.control(Method::POST, "conversations?n=10", "").await.json();
    let newest = &visitor.ids("page_size=10").await[..10];
    let mut added: Vec<_> =
        added["conversation_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    added.reverse();
    assert_eq!(*newest, added);
    assert!(!visitor.simulator.ids_in_progress().is_empty());
    assert_eq!(visitor.control(Method::POST, "finish", "").await.status, 204);
    assert!(visitor.simulator.ids_in_progress().is_empty());
    assert_eq!(visitor.control(Method::POST, "conversations?n=x", "").await.status, 422);
}

#[tokio::test]
async fn requests_are_counted_by_route_status_and_id_and_reset() {
    let visitor = visitor().await;
    let ids = visitor.ids("page_size=50").await;
    visitor.detail(&ids[3]).await;
    visitor.detail(&ids[3]).await;
    visitor.get("/v1/convai/agents").await;
    visitor.get(&format!("/v1/convai/agents/{}", visitor.simulator.agent_ids()[0])).await;
    let served = visitor.control(Method::GET, "served?ids=true", "").await.json();
    let counts =
        ["list", "detail", "agents_list", "agent_detail", "status_2xx", "max_in_flight", "in_flight"];
    assert_eq!(counts.map(|name| served[name].as_u64().unwrap()), [1, 2, 1, 1, 5, 1, 0]);
    assert_eq!(served["details_by_id"], json!({ ids[3].clone(): 2 }));
    assert!(visitor.control(Method::GET, "served", "").await.json().get("details_by_id").is_none());
    assert_eq!(visitor.simulator.served().details_by_id[&ids[3]], 2);
    assert_eq!(visitor.control(Method::POST, "reset-counts", "").await.status, 204);
    assert_eq!(visitor.simulator.served(), simulator::Served::default());
}
