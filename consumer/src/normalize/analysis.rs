//! What was collected and evaluated: the report's four values, `datos` and `evaluacion`.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::config::{DataItems, ReportItems};
use shared::database::rows::ReportRow;
use shared::elevenlabs::Analysis;

use super::mask::Mask;
use super::token;

/// The report: for each column the first of its items that has a value.
pub(super) fn report(analysis: &Analysis, items: &ReportItems, mask: &Mask) -> ReportRow {
    let first =
        |ids: &[String]| ids.iter().find_map(|id| text(analysis.data_collection_results.get(id)?, mask));
    ReportRow {
        id_extorsion: first(&items.id_extorsion),
        modo: first(&items.modo),
        tiempo: first(&items.tiempo),
        lugar: first(&items.lugar),
    }
}

/// A value as a text column holds it: text as it is, numbers and booleans as JSON writes them, the rest as compact
/// JSON; `None` for `null` and the empty text.
fn text(value: &Value, mask: &Mask) -> Option<String> {
    let text = match mask.value(value) {
        Value::Null => return None,
        Value::String(text) => text,
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

/// All values that are kept, by item id; `None` when there are none.
pub(super) fn datos(analysis: &Analysis, kept: &DataItems, mask: &Mask) -> Option<Value> {
    let values = analysis.data_collection_results.iter();
    object(values.filter(|(id, _)| kept.keeps(id)).map(|(id, value)| (mask.text(id), mask.value(value))))
}

/// All results by criterion id; `None` when there are none.
pub(super) fn evaluacion(analysis: &Analysis, mask: &Mask) -> Option<Value> {
    let results = analysis.evaluation_criteria_results.iter();
    object(results.map(|(id, result)| {
        (mask.text(id), token(result.as_deref(), mask).map_or(Value::Null, Value::String))
    }))
}

fn object(entries: impl Iterator<Item = (String, Value)>) -> Option<Value> {
    let sorted: BTreeMap<String, Value> = entries.collect();
    (!sorted.is_empty()).then(|| Value::Object(sorted.into_iter().collect()))
}
