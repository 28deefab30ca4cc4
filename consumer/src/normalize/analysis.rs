//! What was collected and evaluated: the report's four values, `datos` and `evaluacion`.

use std::collections::BTreeMap;

use serde_json::Value;
use shared::config::{DataItems, ReportItems};
use shared::database::rows::ReportRow;
use shared::elevenlabs::Analysis;

use super::mask::Mask;
use super::token;

/// Values by item id, without the caller's line.
pub(super) type Values<'a> = BTreeMap<&'a str, Value>;

/// The report: for each column the first of its items that has a value.
pub(super) fn report(values: &Values, items: &ReportItems) -> ReportRow {
    let first = |ids: &[String]| ids.iter().find_map(|id| text(values.get(id.as_str())?));
    ReportRow {
        id_extorsion: first(&items.id_extorsion),
        modo: first(&items.modo),
        tiempo: first(&items.tiempo),
        lugar: first(&items.lugar),
    }
}

/// A value as a text column holds it: text as it is, numbers and booleans as JSON writes them, the rest as compact
/// JSON; `None` for `null` and the empty text.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

/// All values that are kept, by item id; `None` when there are none.
pub(super) fn datos(values: &Values, kept: &DataItems, mask: &Mask) -> Option<Value> {
    object(values.iter().filter(|(id, _)| kept.keeps(id)).map(|(id, value)| (*id, value.clone())), mask)
}

/// All results by criterion id; `None` when there are none.
pub(super) fn evaluacion(analysis: &Analysis, mask: &Mask) -> Option<Value> {
    let results = analysis.evaluation_criteria_results.iter();
    let token = |result: &Option<String>| token(result.as_deref(), mask).map_or(Value::Null, Value::String);
    object(results.map(|(id, result)| (id.as_str(), token(result))), mask)
}

fn object<'a>(entries: impl Iterator<Item = (&'a str, Value)>, mask: &Mask) -> Option<Value> {
    let sorted = mask.keys(entries);
    (!sorted.is_empty()).then(|| Value::Object(sorted.into_iter().collect()))
}
