//! What the source made of a conversation: the collected values and the evaluation, without the rationales, which
//! quote the caller and are skipped while parsing.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::bounds;
use super::item::{Criterion, DataItem, Item, Shape};
use super::oddities::Oddities;

/// The analysis of a conversation.
#[derive(Clone, Default, PartialEq)]
pub struct Analysis {
    /// The evaluation as a whole: `success`, `failure`, `unknown`.
    pub call_successful: Option<String>,
    /// What the call was about, in a few sentences.
    pub transcript_summary: Option<String>,
    /// What was collected, by item id.
    pub data_collection_results: BTreeMap<String, Collected>,
    /// How each criterion was met, by criterion id; `None` when the result is no text.
    pub evaluation_criteria_results: BTreeMap<String, Option<String>>,
}

/// One collected item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collected {
    /// What people call it; newer records have an opaque id beside it.
    pub name: Option<String>,
    /// Any JSON, `null` when nothing was found.
    pub value: Value,
}

impl Analysis {
    /// The item that is known by this word, its id or its name, after its id.
    #[must_use]
    pub fn collected(&self, known_as: &str) -> Option<(&str, &Collected)> {
        let items = &self.data_collection_results;
        let by_name = || items.iter().find(|(_, item)| item.name.as_deref() == Some(known_as));
        items.get_key_value(known_as).or_else(by_name).map(|(id, item)| (id.as_str(), item))
    }
}

/// Of what stands there several times, all but the first is read only where the first is empty.
#[derive(Default, serde::Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct AnalysisWire<'a> {
    call_successful: Option<String>,
    transcript_summary: Option<String>,
    data_collection_results: Option<BTreeMap<String, Item<'a, DataItem>>>,
    data_collection_results_list: Option<&'a RawValue>,
    evaluation_criteria_results: Option<BTreeMap<String, Item<'a, Criterion>>>,
    evaluation_criteria_results_list: Option<&'a RawValue>,
    scoped: Option<&'a RawValue>,
}

/// What one of several agents made of its part of the conversation.
#[derive(Default, serde::Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct ScopedWire<'a> {
    data_collection_results: Option<BTreeMap<String, Item<'a, DataItem>>>,
    evaluation_criteria_results: Option<BTreeMap<String, Item<'a, Criterion>>>,
}

type Items<'a, S> = Vec<(String, Item<'a, S>)>;

impl Analysis {
    /// # Errors
    /// What is read of it has another form than is documented.
    pub(super) fn new(wire: AnalysisWire<'_>, oddities: &mut Oddities) -> serde_json::Result<Self> {
        let scoped = wire.scoped;
        let data = by_id(wire.data_collection_results, wire.data_collection_results_list, || {
            scopes(scoped, |scope| scope.data_collection_results)
        })?;
        let data = data.into_iter().map(|(id, mut item)| {
            if bounds::bound(&mut item.value) {
                oddities.note("analysis.data_collection_results");
            }
            (id, Collected { name: item.name, value: item.value })
        });
        let data_collection_results = data.collect();
        let evaluation =
            by_id(wire.evaluation_criteria_results, wire.evaluation_criteria_results_list, || {
                scopes(scoped, |scope| scope.evaluation_criteria_results)
            })?;
        let evaluation = evaluation.into_iter().map(|(id, item)| match item.value {
            Value::String(text) => (id, Some(text)),
            value => {
                if !value.is_null() {
                    oddities.note("analysis.evaluation_criteria_results");
                }
                (id, None)
            }
        });
        Ok(Self {
            evaluation_criteria_results: evaluation.collect(),
            call_successful: wire.call_successful,
            transcript_summary: wire.transcript_summary,
            data_collection_results,
        })
    }
}

/// The items by id: from the map; when that is empty, from the list that newer records hold beside it; when that is empty
/// too, from what several agents found each, the first of which wins.
fn by_id<'a, S: Shape>(
    map: Option<BTreeMap<String, Item<'a, S>>>,
    list: Option<&'a RawValue>,
    scoped: impl FnOnce() -> serde_json::Result<Items<'a, S>>,
) -> serde_json::Result<Items<'a, S>> {
    let map = map.unwrap_or_default();
    if !map.is_empty() {
        return Ok(map.into_iter().collect());
    }
    let list: Vec<Item<'a, S>> = list.map_or(Ok(Vec::new()), |list| serde_json::from_str(list.get()))?;
    let with_id = |item: Item<'a, S>| Some((item.id().or(item.name.clone())?, item));
    let listed: Items<'a, S> = list.into_iter().filter_map(with_id).collect();
    if listed.is_empty() { scoped() } else { Ok(listed) }
}

/// What several agents found each, the last of them first.
fn scopes<'a, S>(
    scoped: Option<&'a RawValue>,
    of: impl Fn(ScopedWire<'a>) -> Option<BTreeMap<String, Item<'a, S>>>,
) -> serde_json::Result<Items<'a, S>> {
    let found: Vec<Option<ScopedWire<'a>>> =
        scoped.map_or(Ok(Vec::new()), |scoped| serde_json::from_str(scoped.get()))?;
    let mut items: Items<'a, S> = found.into_iter().flatten().filter_map(of).flatten().collect();
    items.reverse();
    Ok(items)
}

#[cfg(test)]
#[path = "tests/analysis.rs"]
mod tests;
