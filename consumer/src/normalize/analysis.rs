//! What was collected and evaluated: the report's four values, `datos` and `evaluacion`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shared::config::{DataItems, ReportItems};
use shared::database::rows::{ReportRow, Retained};
use shared::elevenlabs::Analysis;

use super::mask::Mask;
use super::token;

/// Values by item id, without the caller's line.
pub(super) type Values<'a> = BTreeMap<&'a str, Value>;

/// The report: for each column the first of its items that has a value.
pub(super) fn report(analysis: &Analysis, values: &Values, items: &ReportItems) -> ReportRow {
    let first = |ids: &[String]| ids.iter().find_map(|id| text(values.get(analysis.collected(id)?.0)?));
    ReportRow {
        id_extorsion: first(&items.id_extorsion),
        modo: first(&items.modo),
        tiempo: first(&items.tiempo),
        lugar: first(&items.lugar),
    }
}

/// Whether any item that fills a report was collected, with a value or without.
pub(super) fn is_mapped(analysis: &Analysis, items: &ReportItems) -> bool {
    let ReportItems { id_extorsion, modo, tiempo, lugar } = items;
    [id_extorsion, modo, tiempo, lugar].into_iter().flatten().any(|id| analysis.collected(id).is_some())
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

/// All values that are kept, by the item's name where it has one of its own, and else by its id; `None` when there are
/// none.
pub(super) fn datos(analysis: &Analysis, mut values: Values, kept: &DataItems, mask: &Mask) -> Option<Value> {
    let items = &analysis.data_collection_results;
    let is_kept = |id: &str, name: Option<&str>| kept.keeps(id) || name.is_some_and(|name| kept.keeps(name));
    let mut names = BTreeSet::new();
    let kept = items.iter().filter(|(id, item)| is_kept(id, item.name.as_deref())).map(|(id, item)| {
        // Of two items of one name, neither may hide the other.
        let own = item.name.as_ref().filter(|name| !items.contains_key(*name));
        let key = own.filter(|name| names.insert(name.as_str())).unwrap_or(id);
        (key.as_str(), values.remove(id.as_str()).unwrap_or_default())
    });
    object(kept, mask)
}

/// All results by criterion id; `None` when there are none.
pub(super) fn evaluacion(analysis: &Analysis, mask: &Mask) -> Option<Value> {
    let results = analysis.evaluation_criteria_results.iter();
    let token = |result: &Option<String>| token(result.as_deref(), mask).map_or(Value::Null, Value::String);
    object(results.map(|(id, result)| (id.as_str(), token(result))), mask)
}

/// Which of the values that are stored already stay: those of kept items, and none whose id the mask has changed. Asked
/// when [`datos`] and [`evaluacion`] are there.
pub(super) fn retained(analysis: Option<&Analysis>, kept: &DataItems, mask: &Mask) -> Retained {
    let items = || analysis.into_iter().flat_map(|found| &found.data_collection_results);
    let listed = match kept {
        DataItems::All => None,
        DataItems::Listed(ids) => {
            // An item that is listed by its id stands under its name.
            let names =
                items().filter(|(id, _)| ids.contains(*id)).filter_map(|(_, item)| item.name.as_ref());
            Some(ids.iter().chain(names).map(|id| mask.text(id)).collect())
        }
    };
    // Of the other ids, the mask has said what it changes.
    let unasked = items().filter(|(id, item)| item.name.is_some() || !kept.keeps(id));
    let unasked = unasked.flat_map(|(id, item)| [Some(id), item.name.as_ref()]).flatten();
    let hidden = unasked.filter(|id| mask.hides(id)).cloned();
    Retained { listed, unmasked: mask.changed_keys().into_iter().chain(hidden).collect() }
}

fn object<'a>(entries: impl Iterator<Item = (&'a str, Value)>, mask: &Mask) -> Option<Value> {
    let sorted = mask.keys(entries);
    (!sorted.is_empty()).then_some(Value::Object(sorted))
}
