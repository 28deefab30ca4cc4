//! What the source made of a conversation: the collected values and the evaluation, without the rationales, which
//! quote the caller and are skipped while parsing.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The analysis of a conversation.
#[derive(Clone, Default, PartialEq)]
pub struct Analysis {
    /// The evaluation as a whole: `success`, `failure`, `unknown`.
    pub call_successful: Option<String>,
    /// What the call was about, in a few sentences.
    pub transcript_summary: Option<String>,
    /// What was collected, by item id: any JSON, `null` when nothing was found.
    pub data_collection_results: BTreeMap<String, Value>,
    /// How each criterion was met, by criterion id; `None` when the result is no text.
    pub evaluation_criteria_results: BTreeMap<String, Option<String>>,
}

#[derive(serde::Deserialize)]
pub(super) struct AnalysisWire {
    #[serde(default)]
    call_successful: Option<String>,
    #[serde(default)]
    transcript_summary: Option<String>,
    #[serde(default)]
    data_collection_results: Option<BTreeMap<String, Item<DataItem>>>,
    #[serde(default)]
    data_collection_results_list: Option<Vec<Item<DataItem>>>,
    #[serde(default)]
    evaluation_criteria_results: Option<BTreeMap<String, Item<Criterion>>>,
    #[serde(default)]
    evaluation_criteria_results_list: Option<Vec<Item<Criterion>>>,
}

impl From<AnalysisWire> for Analysis {
    fn from(wire: AnalysisWire) -> Self {
        let data = by_id(wire.data_collection_results, wire.data_collection_results_list);
        let evaluation = by_id(wire.evaluation_criteria_results, wire.evaluation_criteria_results_list);
        let result = |value| if let Value::String(text) = value { Some(text) } else { None };
        Self {
            call_successful: wire.call_successful,
            transcript_summary: wire.transcript_summary,
            data_collection_results: data.collect(),
            evaluation_criteria_results: evaluation.map(|(id, value)| (id, result(value))).collect(),
        }
    }
}

/// The values by id: from the map, or from the list that newer records hold beside it when the map is empty.
fn by_id<S>(
    map: Option<BTreeMap<String, Item<S>>>,
    list: Option<Vec<Item<S>>>,
) -> impl Iterator<Item = (String, Value)> {
    let map = map.unwrap_or_default();
    let list = if map.is_empty() { list.unwrap_or_default() } else { Vec::new() };
    let listed = list.into_iter().filter_map(|item| Some((item.id?, item.value)));
    map.into_iter().map(|(id, item)| (id, item.value)).chain(listed)
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
    value: Value,
    shape: PhantomData<S>,
}

impl<S> Item<S> {
    fn bare(value: impl Into<Value>) -> Self {
        Self { id: None, value: value.into(), shape: PhantomData }
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
                Key::Other(_) if envelope.is_some() => {
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Other(key) => {
                    bare.insert(key, map.next_value()?);
                }
            }
        }
        Ok(envelope.unwrap_or_else(|| Item::bare(bare)))
    }
}

fn enter<S>(envelope: &mut Option<Item<S>>) -> &mut Item<S> {
    envelope.get_or_insert(Item { id: None, value: Value::Null, shape: PhantomData })
}

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
