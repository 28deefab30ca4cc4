//! `ConversationHistoryAnalysisCommonModel`: what was made of a call after it ended.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};

use super::collected::{self, Item};
use super::detail::Ingredients;
use crate::call::Kind;
use crate::call::turns::spoken_number;
use crate::condition::Condition;

#[derive(Serialize)]
pub(crate) struct Analysis<'a> {
    #[serde(serialize_with = "criteria_by_id")]
    evaluation_criteria_results: &'a [Criterion],
    #[serde(serialize_with = "items_by_id")]
    data_collection_results: &'a [Item],
    evaluation_criteria_results_list: &'a [Criterion],
    data_collection_results_list: &'a [Item],
    call_successful: &'static str,
    call_success_score: Option<f64>,
    transcript_summary: String,
    call_summary_title: Option<String>,
    scoped: [(); 0],
}

/// What an analysis found.
#[derive(Default)]
pub(crate) struct Findings {
    criteria: Vec<Criterion>,
    items: Vec<Item>,
}

#[derive(Serialize)]
struct Criterion {
    criteria_id: &'static str,
    result: &'static str,
    rationale: String,
    scoring_mode: &'static str,
    score: Option<()>,
    max_score: Option<()>,
}

// the parameter's form is serde's
fn criteria_by_id<S: Serializer>(criteria: &&[Criterion], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(criteria.iter().map(|criterion| (criterion.criteria_id, criterion)))
}

fn items_by_id<S: Serializer>(items: &&[Item], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(items.iter().map(|item| (item.data_collection_id, item)))
}

/// What is found in a call: nothing in one that failed or goes on.
pub(crate) fn findings(from: &Ingredients<'_>) -> Findings {
    if !is_analysed(from) {
        return Findings::default();
    }
    Findings {
        criteria: evaluation(from).into(),
        items: if from.call.spoken > 1 { collected::items(from) } else { vec![] },
    }
}

fn is_analysed(from: &Ingredients<'_>) -> bool {
    !from.is_in_progress() && from.call.kind != Kind::Failed
}

/// The analysis that tells the findings.
pub(crate) fn analysis<'a>(from: &Ingredients<'_>, findings: &'a Findings) -> Option<Analysis<'a>> {
    let call = from.call;
    let has_lists = call.every(8, 2);
    is_analysed(from).then(|| Analysis {
        evaluation_criteria_results: &findings.criteria,
        data_collection_results: &findings.items,
        evaluation_criteria_results_list: if has_lists { &findings.criteria } else { &[] },
        data_collection_results_list: if has_lists { &findings.items } else { &[] },
        call_successful: call.success,
        call_success_score: call.every(4, 0).then_some(if call.success == "success" { 1.0 } else { 0.0 }),
        transcript_summary: if from.condition == Condition::Emptied { String::new() } else { summary(from) },
        call_summary_title: title(from),
        scoped: [],
    })
}

/// The summary of a call.
pub(crate) fn summary(from: &Ingredients<'_>) -> String {
    let call = from.call;
    if call.spoken < 2 {
        return "La persona colgó sin decir nada.".to_owned();
    }
    let mut summary = from.slots.fill(call.story.summary);
    if call.is_reading_number() && call.every(12, 1) {
        summary.push_str(" Llama desde el número ");
        summary.push_str(&spoken_number(call));
        summary.push('.');
    }
    if let Some(told) = &from.exchange.in_summary {
        write!(summary, " Se le puede llamar al {told}.").expect("writing to a String cannot fail");
    }
    if let Some(stranger) = &from.exchange.stranger {
        write!(summary, " La llamaron del {}.", stranger.kept).expect("writing to a String cannot fail");
    }
    summary
}

/// The title of a call, which few records lack.
pub(crate) fn title(from: &Ingredients<'_>) -> Option<String> {
    let call = from.call;
    (call.spoken > 1 && !call.every(10, 9)).then(|| from.slots.fill(call.story.title))
}

fn evaluation(from: &Ingredients<'_>) -> [Criterion; 3] {
    let name = &from.private.name;
    [
        ("reporte_completo", from.call.success, format!("{name} dio lugar, forma y tiempo de los hechos.")),
        ("trato_respetuoso", "success", format!("La agente fue cordial con {name} en todo momento.")),
        (
            "sin_pago",
            if from.call.every(5, 3) { "unknown" } else { "success" },
            format!("{name} dice no haber pagado."),
        ),
    ]
    .map(|(criteria_id, result, rationale)| Criterion {
        criteria_id,
        result,
        rationale,
        scoring_mode: "binary",
        score: None,
        max_score: None,
    })
}
