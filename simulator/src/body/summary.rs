//! `ConversationSummaryResponseModel`: one row of a list.

use serde::Serialize;
use serde_json::Value;

use super::analysis;
use super::detail::Ingredients;
use crate::call::exchange::Exchange;
use crate::call::{Call, Kind, Private, Slots};
use crate::condition::Condition;
use crate::ids;

/// One row of a list.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "the API's own fields")]
pub(crate) struct Summary {
    pub(crate) agent_id: String,
    branch_id: Option<String>,
    version_id: Option<String>,
    agent_name: Option<String>,
    pub(crate) conversation_id: String,
    pub(crate) start_time_unix_secs: i64,
    pub(crate) call_duration_secs: u64,
    message_count: u64,
    pub(crate) status: String,
    termination_reason: String,
    pub(crate) call_successful: String,
    call_success_score: Option<f64>,
    transcript_summary: Option<String>,
    call_summary_title: Option<String>,
    main_language: Option<String>,
    conversation_initiation_source: Option<String>,
    tool_names: Option<Vec<String>>,
    direction: Option<String>,
    rating: Option<u64>,
    sentiment_analysis: Option<()>,
    data_collection_results: Option<()>,
    evaluation_criteria_results: Option<()>,
    tag_ids: Vec<String>,
    #[serde(skip)]
    pub(crate) user_id: Option<String>,
}

impl Summary {
    /// The row of `call`; the summary's text only if `has_text`.
    pub(crate) fn of_call(call: &Call<'_>, condition: Condition, is_odd: bool, has_text: bool) -> Self {
        let is_over = !matches!(condition, Condition::InProgress(_));
        let is_analysed = is_over && call.kind != Kind::Failed;
        let has_turns = matches!(condition, Condition::Finished | Condition::NeedsReview);
        let (text, title) = if has_text && is_analysed { texts(call, condition) } else { (None, None) };
        Self {
            agent_id: call.agent.id.clone(),
            agent_name: (!call.every(12, 5)).then(|| call.agent.name.clone()),
            conversation_id: ids::write("conv_", call.key),
            start_time_unix_secs: call.start,
            call_duration_secs: if is_over { call.duration.into() } else { 0 },
            message_count: if has_turns { call.spoken.into() } else { 0 },
            status: condition.status(call.kind == Kind::Failed).to_owned(),
            termination_reason: if is_over { call.termination_reason() } else { String::new() },
            call_successful: if is_analysed { call.success } else { "unknown" }.to_owned(),
            transcript_summary: text,
            call_summary_title: title,
            main_language: call.language().filter(|_| is_over).map(str::to_owned),
            conversation_initiation_source: Some(call.source_word(is_odd).to_owned()),
            tool_names: Some(vec![]),
            direction: call.is_phone().then(|| call.direction().to_owned()),
            rating: call.every(11, 2).then(|| u64::from(call.number % 5 + 1)),
            user_id: call.user_id(),
            ..Self::default()
        }
    }

    /// The row that belongs to a detail which somebody wrote.
    pub(crate) fn of_detail(detail: &Value, has_text: bool) -> Self {
        let text = |pointer: &str| detail.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let turns = detail["transcript"].as_array().map_or(&[][..], Vec::as_slice);
        let spoken =
            turns.iter().filter(|turn| turn["message"].as_str().is_some_and(|text| !text.is_empty()));
        Self {
            agent_id: text("/agent_id").unwrap_or_default(),
            branch_id: text("/branch_id"),
            version_id: text("/version_id"),
            agent_name: text("/agent_name"),
            conversation_id: text("/conversation_id").unwrap_or_default(),
            start_time_unix_secs: detail["metadata"]["start_time_unix_secs"].as_i64().unwrap_or(0),
            call_duration_secs: detail["metadata"]["call_duration_secs"].as_u64().unwrap_or(0),
            message_count: spoken.count() as u64,
            status: text("/status").unwrap_or_default(),
            termination_reason: text("/metadata/termination_reason").unwrap_or_default(),
            call_successful: text("/analysis/call_successful").unwrap_or_else(|| "unknown".to_owned()),
            transcript_summary: text("/analysis/transcript_summary").filter(|_| has_text),
            call_summary_title: text("/analysis/call_summary_title").filter(|_| has_text),
            main_language: text("/metadata/main_language"),
            conversation_initiation_source: text("/metadata/conversation_initiation_source"),
            direction: text("/metadata/phone_call/direction"),
            user_id: text("/user_id"),
            ..Self::default()
        }
    }
}

fn texts(call: &Call<'_>, condition: Condition) -> (Option<String>, Option<String>) {
    let (slots, private, exchange) = (Slots::new(call), Private::new(call), Exchange::of(call));
    let from = Ingredients {
        call,
        condition,
        is_odd: false,
        private: &private,
        slots: &slots,
        exchange: &exchange,
        user_id: None,
    };
    let text = if condition == Condition::Emptied { String::new() } else { analysis::summary(&from) };
    (Some(text), analysis::title(&from))
}
