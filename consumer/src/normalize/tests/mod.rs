//! Tests of the normalizer: tables of cases for each rule, one whole call as a snapshot, and properties.

mod masking;
mod odd;
mod properties;
mod schema;
mod spoken;
mod times;
mod values;
mod whole;

use serde_json::{Value, json};
use shared::config::ReportConfig;
use shared::database::rows::CallRows;
use shared::elevenlabs::Conversation;

/// The conversation in a body.
fn conversation(body: &Value) -> Conversation {
    Conversation::parse(body.to_string().as_bytes()).expect("a conversation")
}

/// The rows of a body, with the default configuration.
fn rows(body: &Value) -> CallRows {
    super::normalize(&conversation(body), &ReportConfig::default())
}

/// The rows of a call whose analysis collected these values.
fn rows_of_values(values: &Value) -> CallRows {
    rows(&json!({"conversation_id": "conv_1", "analysis": {"data_collection_results": values}}))
}
