//! `/control`: looking at the counts and turning the knobs while it runs; outside the API's namespace, without a key.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use axum::{Router, body::Bytes};
use serde_json::{Value, json};

use super::query::Parameters;
use crate::world::World;

/// Most conversations one request may add.
const MOST_ADDED: i64 = 100_000;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/control/served", get(served))
        .route("/control/faults", get(faults).patch(patch_faults))
        .route("/control/conversations", post(add_conversations))
        .route("/control/reset-counts", post(reset_counts))
        .route("/control/finish", post(finish))
}

/// The counts; `?ids=true` adds how often each conversation was asked for.
async fn served(State(world): State<Arc<World>>, uri: Uri) -> Response {
    let has_ids = Parameters::read(&uri).flag("ids").unwrap_or(false);
    Json(world.counts(has_ids)).into_response()
}

async fn faults(State(world): State<Arc<World>>) -> Response {
    Json(&world.knobs().faults).into_response()
}

/// Changes the given knobs only.
async fn patch_faults(State(world): State<Arc<World>>, body: Bytes) -> Response {
    let patch: Value = match serde_json::from_slice(&body) {
        Ok(patch) => patch,
        Err(error) => return refused(&format!("the body is not JSON: {error}")),
    };
    let mut knobs = world.knobs_mut();
    match knobs.faults.merged(&patch) {
        Ok(merged) => {
            knobs.set(merged);
            Json(&knobs.faults).into_response()
        }
        Err(reason) => refused(&reason),
    }
}

/// Adds `?n=10` conversations that start now, and tells their ids.
async fn add_conversations(State(world): State<Arc<World>>, uri: Uri) -> Response {
    let mut parameters = Parameters::read(&uri);
    let count = parameters.integer_within("n", 1, MOST_ADDED).unwrap_or(1);
    if !parameters.problems.is_empty() {
        return refused(&format!("n is not a number from 1 to {MOST_ADDED}"));
    }
    let ids = world.add_conversations(u32::try_from(count).expect("at most a hundred thousand"));
    Json(json!({ "conversation_ids": ids })).into_response()
}

async fn reset_counts(State(world): State<Arc<World>>) -> StatusCode {
    world.reset_counts();
    StatusCode::NO_CONTENT
}

async fn finish(State(world): State<Arc<World>>) -> StatusCode {
    world.finish_in_progress();
    StatusCode::NO_CONTENT
}

fn refused(reason: &str) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "detail": reason }))).into_response()
}
