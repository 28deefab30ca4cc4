//! What the source made of a conversation: the collected values and the evaluation, without the rationales, which
//! quote the caller and are skipped while parsing.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::bounds;
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

#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct AnalysisWire {
    call_successful: Option<String>,
    transcript_summary: Option<String>,
    data_collection_results: Option<BTreeMap<String, Item<DataItem>>>,
    data_collection_results_list: Option<Vec<Item<DataItem>>>,
    evaluation_criteria_results: Option<BTreeMap<String, Item<Criterion>>>,
    evaluation_criteria_results_list: Option<Vec<Item<Criterion>>>,
    scoped: Option<Vec<Option<ScopedWire>>>,
}

/// What one of several agents made of its part of the conversation.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct ScopedWire {
    data_collection_results: Option<BTreeMap<String, Item<DataItem>>>,
    evaluation_criteria_results: Option<BTreeMap<String, Item<Criterion>>>,
}

impl Analysis {
    pub(super) fn new(wire: AnalysisWire, oddities: &mut Oddities) -> Self {
        let (mut scoped_data, mut scoped_evaluation) = (Vec::new(), Vec::new());
        for scope in wire.scoped.unwrap_or_default().into_iter().flatten() {
            scoped_data.extend(scope.data_collection_results.unwrap_or_default());
            scoped_evaluation.extend(scope.evaluation_criteria_results.unwrap_or_default());
        }
        let data = by_id(wire.data_collection_results, wire.data_collection_results_list, scoped_data);
        let mut data_collection_results = BTreeMap::new();
        for (id, mut item) in data {
            if bounds::bound(&mut item.value) {
                oddities.note("analysis.data_collection_results");
            }
            data_collection_results.insert(id, Collected { name: item.name, value: item.value });
        }
        let evaluation =
            by_id(wire.evaluation_criteria_results, wire.evaluation_criteria_results_list, scoped_evaluation);
        let mut evaluation_criteria_results = BTreeMap::new();
        for (id, item) in evaluation {
            let result = if let Value::String(text) = item.value {
                Some(text)
            } else {
                if !item.value.is_null() {
                    oddities.note("analysis.evaluation_criteria_results");
                }
                None
            };
            evaluation_criteria_results.insert(id, result);
        }
        Self {
            call_successful: wire.call_successful,
            transcript_summary: wire.transcript_summary,
            data_collection_results,
            evaluation_criteria_results,
        }
    }
}

/// The items by id: from the map; when that is empty, from the list that newer records hold beside it; when that is empty
/// too, from what several agents found each, the first of which wins.
fn by_id<S>(
    map: Option<BTreeMap<String, Item<S>>>,
    list: Option<Vec<Item<S>>>,
    scoped: Vec<(String, Item<S>)>,
) -> impl Iterator<Item = (String, Item<S>)> {
    let map = map.unwrap_or_default();
    let list = if map.is_empty() { list.unwrap_or_default() } else { Vec::new() };
    let listed: Vec<_> =
        list.into_iter().filter_map(|mut item| Some((item.id.take().or(item.name.clone())?, item))).collect();
    let scoped = if map.is_empty() && listed.is_empty() { scoped } else { Vec::new() };
    map.into_iter().chain(listed).chain(scoped.into_iter().rev())
}

/// Which keys make an object the envelope of a value.
trait Shape {
    const ID: &'static str;
    const VALUE: &'static str;
    const IGNORED: &'static [&'static str];
}

struct DataItem;

impl Shape for DataItem {
    const ID: &'static str = "data_collection_id";
    const VALUE: &'static str = "value";
    const IGNORED: &'static [&'static str] = &["rationale", "json_schema"];
}

struct Criterion;

impl Shape for Criterion {
    const ID: &'static str = "criteria_id";
    const VALUE: &'static str = "result";
    const IGNORED: &'static [&'static str] = &["rationale", "scoring_mode", "score", "max_score"];
}

/// A value, bare or out of its envelope. An object without any key of an envelope is a bare value.
struct Item<S> {
    id: Option<String>,
    name: Option<String>,
    value: Value,
    shape: PhantomData<S>,
}

impl<S> Item<S> {
    fn bare(value: impl Into<Value>) -> Self {
        Self { id: None, name: None, value: value.into(), shape: PhantomData }
    }
}

impl<'de, S: Shape> Deserialize<'de> for Item<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor(PhantomData))
    }
}

struct ItemVisitor<S>(PhantomData<S>);

impl<'de, S: Shape> Visitor<'de> for ItemVisitor<S> {
    type Value = Item<S>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value or its envelope")
    }

    fn visit_unit<E>(self) -> Result<Item<S>, E> {
        Ok(Item::bare(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Item<S>, E> {
        Ok(Item::bare(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Item<S>, E> {
        Ok(Item::bare(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Item<S>, E> {
        Ok(Item::bare(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Item<S>, E> {
        Ok(Item::bare(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Item<S>, A::Error> {
        Ok(Item::bare(Value::deserialize(SeqAccessDeserializer::new(seq))?))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item<S>, A::Error> {
        let mut bare = Map::new();
        let mut envelope: Option<Item<S>> = None;
        while let Some(key) = map.next_key::<Key<S>>()? {
            match key {
                Key::Number => {
                    let digits: String = map.next_value()?;
                    return Ok(Item::bare(digits.parse::<Number>().map_err(A::Error::custom)?));
                }
                Key::Id => enter(&mut envelope).id = map.next_value::<Value>()?.as_str().map(Into::into),
                Key::Value => enter(&mut envelope).value = map.next_value()?,
                Key::Ignored(_) => {
                    enter(&mut envelope);
                    map.next_value::<IgnoredAny>()?;
                }
                // Only what is in an envelope has a name; a bare object may well hold somebody's.
                Key::Other(key) if key == NAME => {
                    bare.insert(key, map.next_value()?);
                }
                Key::Other(_) if envelope.is_some() => {
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Other(key) => {
                    bare.insert(key, map.next_value()?);
                }
            }
        }
        Ok(match envelope {
            Some(item) => Item { name: bare.get(NAME).and_then(Value::as_str).map(Into::into), ..item },
            None => Item::bare(bare),
        })
    }
}

fn enter<S>(envelope: &mut Option<Item<S>>) -> &mut Item<S> {
    envelope.get_or_insert(Item { id: None, name: None, value: Value::Null, shape: PhantomData })
}

/// What people call an item, in newer records.
const NAME: &str = "name";

/// With `arbitrary_precision`, `serde_json` hands a number that is no 64-bit integer over as a map with this one key; a
/// test notices when it does not any more.
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

enum Key<S> {
    Number,
    Id,
    Value,
    Ignored(PhantomData<S>),
    Other(String),
}

impl<'de, S: Shape> Deserialize<'de> for Key<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor(PhantomData))
    }
}

struct KeyVisitor<S>(PhantomData<S>);

impl<S: Shape> Visitor<'_> for KeyVisitor<S> {
    type Value = Key<S>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<S>, E> {
        Ok(match key {
            NUMBER_TOKEN => Key::Number,
            _ if key == S::ID => Key::Id,
            _ if key == S::VALUE => Key::Value,
            _ if S::IGNORED.contains(&key) => Key::Ignored(PhantomData),
            _ => Key::Other(key.into()),
        })
    }
}

#[cfg(test)]
#[path = "tests/analysis.rs"]
mod tests;
