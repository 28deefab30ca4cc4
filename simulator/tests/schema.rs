//! Every body validates against the vendor's `OpenAPI` document.

mod support;

use jsonschema::Validator;
use serde_json::{Value, json};
use simulator::{Faults, Settings};
use support::{KEY, Visitor};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

fn validator(schema: &str) -> Validator {
    let text = std::fs::read_to_string(DOCUMENT).unwrap_or_else(|error| panic!("{DOCUMENT}: {error}"));
    let document: Value = serde_json::from_str(&text).expect("the document is JSON");
    let root =
        json!({ "$ref": format!("#/components/schemas/{schema}"), "components": document["components"] });
    jsonschema::draft202012::new(&root).expect("the document is a schema")
}

fn assert_valid(validator: &Validator, body: &Value) {
    let problems: Vec<_> =
        validator.iter_errors(body).map(|error| format!("{}: {error:.300}", error.instance_path())).collect();
    let id = body.get("conversation_id").unwrap_or(&Value::Null);
    assert!(problems.is_empty(), "{id}: {problems:#?}");
}

#[tokio::test]
async fn every_detail_is_valid() {
    let visitor = Visitor::new(Settings { conversations: 400, agents: 5, ..Settings::default() }).await;
    let validator = validator("GetConversationResponseModel");
    for id in visitor.simulator.conversation_ids() {
        assert_valid(&validator, &visitor.detail(&id).await);
    }
}

#[tokio::test]
async fn details_of_calls_in_progress_and_of_emptied_ones_are_valid() {
    let faults = Faults { in_progress: 0.3, emptied: 0.5, ..Faults::default() };
    let visitor = Visitor::new(Settings { conversations: 200, faults, ..Settings::default() }).await;
    let validator = validator("GetConversationResponseModel");
    for id in visitor.simulator.conversation_ids() {
        assert_valid(&validator, &visitor.detail(&id).await);
    }
}

#[tokio::test]
async fn every_page_is_valid() {
    let faults = Faults { in_progress: 0.1, repeat: 0.5, ..Faults::default() };
    let visitor =
        Visitor::new(Settings { conversations: 300, agents: 5, faults, ..Settings::default() }).await;
    let validator = validator("GetConversationsPageResponseModel");
    for query in
        ["page_size=100", "page_size=100&summary_mode=include", "sort_direction=asc", "agent_id=agent_none"]
    {
        for page in visitor.pages(query).await {
            assert_valid(&validator, &page);
        }
    }
}

#[tokio::test]
async fn a_page_row_of_a_written_conversation_is_valid() {
    let visitor = Visitor::new(Settings { conversations: 20, ..Settings::default() }).await;
    for id in visitor.simulator.conversation_ids() {
        visitor.simulator.set_conversation(&id, |detail| detail["status"] = json!("processing"));
    }
    let validator = validator("GetConversationsPageResponseModel");
    for page in visitor.pages("summary_mode=include").await {
        assert_valid(&validator, &page);
    }
}

#[tokio::test]
async fn agents_are_valid() {
    let visitor = Visitor::new(Settings { conversations: 3, agents: 8, ..Settings::default() }).await;
    let page = visitor.get("/v1/convai/agents").await.json();
    assert_valid(&validator("GetAgentsPageResponseModel"), &page);
    let validator = validator("GetAgentResponseModel");
    for agent in page["agents"].as_array().unwrap() {
        let id = agent["agent_id"].as_str().unwrap();
        assert_valid(&validator, &visitor.get(&format!("/v1/convai/agents/{id}")).await.json());
    }
}

#[tokio::test]
async fn a_422_is_valid() {
    let visitor = Visitor::new(Settings::default()).await;
    let validator = validator("HTTPValidationError");
    for query in [
        "page_size=0",
        "page_size=101",
        "page_size=x",
        "sort_direction=up",
        "exclude_statuses=done&exclude_statuses=lost",
        "call_start_after_unix=yesterday&summary_mode=some",
    ] {
        let answer = visitor.get(&format!("/v1/convai/conversations?{query}")).await;
        assert_eq!(answer.status, 422, "{query}");
        assert_valid(&validator, &answer.json());
    }
    assert_eq!(KEY, visitor.key);
}
