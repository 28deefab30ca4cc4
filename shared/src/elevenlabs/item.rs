//! A collected or evaluated value as it stands in an analysis: bare, or in an envelope whose rationale quotes the caller and
//! is skipped while parsing.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// Which keys make an object the envelope of a value.
pub(super) trait Shape {
    const ID: &'static str;
    const VALUE: &'static str;
    const IGNORED: &'static [&'static str];
}

/// What was collected.
pub(super) struct DataItem;

impl Shape for DataItem {
    const ID: &'static str = "data_collection_id";
    const VALUE: &'static str = "value";
    const IGNORED: &'static [&'static str] = &["rationale", "json_schema"];
}

/// What was evaluated.
pub(super) struct Criterion;

impl Shape for Criterion {
    const ID: &'static str = "criteria_id";
    const VALUE: &'static str = "result";
    const IGNORED: &'static [&'static str] = &["rationale", "scoring_mode", "score", "max_score"];
}

/// A value, bare or out of its envelope. An object without any key of an envelope is a bare value.
pub(super) struct Item<'a, S> {
    /// As JSON, since few need it.
    id: Option<&'a RawValue>,
    pub(super) name: Option<String>,
    pub(super) value: Value,
    shape: PhantomData<S>,
}

impl<S> Item<'_, S> {
    /// Its own word for its id.
    pub(super) fn id(&self) -> Option<String> {
        self.id.and_then(|id| serde_json::from_str(id.get()).ok())
    }

    fn bare(value: impl Into<Value>) -> Self {
        Self { id: None, name: None, value: value.into(), shape: PhantomData }
    }
}

impl<'de: 'a, 'a, S: Shape> Deserialize<'de> for Item<'a, S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor(PhantomData))
    }
}

struct ItemVisitor<S>(PhantomData<S>);

impl<'de, S: Shape> Visitor<'de> for ItemVisitor<S> {
    type Value = Item<'de, S>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value or its envelope")
    }

    fn visit_unit<E>(self) -> Result<Item<'de, S>, E> {
        Ok(Item::bare(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Item<'de, S>, E> {
        Ok(Item::bare(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Item<'de, S>, E> {
        Ok(Item::bare(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Item<'de, S>, E> {
        Ok(Item::bare(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Item<'de, S>, E> {
        Ok(Item::bare(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Item<'de, S>, A::Error> {
        Ok(Item::bare(Value::deserialize(SeqAccessDeserializer::new(seq))?))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item<'de, S>, A::Error> {
        let mut bare = Map::new();
        let mut name = None;
        let mut envelope: Option<Item<'de, S>> = None;
        while let Some(key) = map.next_key::<Key<'de, S>>()? {
            match key {
                Key::Number => {
                    let digits: String = map.next_value()?;
                    return Ok(Item::bare(digits.parse::<Number>().map_err(A::Error::custom)?));
                }
                Key::Id => enter(&mut envelope).id = Some(map.next_value()?),
                Key::Value => enter(&mut envelope).value = map.next_value()?,
                Key::Ignored(_) => {
                    enter(&mut envelope);
                    map.next_value::<IgnoredAny>()?;
                }
                // Only what is in an envelope has a name; a bare object may well hold somebody's.
                Key::Name => name = Some(map.next_value::<Value>()?),
                Key::Other(_) if envelope.is_some() => {
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Other(key) => {
                    bare.insert(key.into_owned(), map.next_value()?);
                }
            }
        }
        let Some(item) = envelope else {
            bare.extend(name.map(|name| (NAME.to_owned(), name)));
            return Ok(Item::bare(bare));
        };
        let name = if let Some(Value::String(name)) = name { Some(name) } else { None };
        Ok(Item { name, ..item })
    }
}

fn enter<'a, 'de, S>(envelope: &'a mut Option<Item<'de, S>>) -> &'a mut Item<'de, S> {
    envelope.get_or_insert(Item { id: None, name: None, value: Value::Null, shape: PhantomData })
}

/// What people call an item, in newer records.
const NAME: &str = "name";

/// With `arbitrary_precision`, `serde_json` hands a number that is no 64-bit integer over as a map with this one key; a
/// test notices when it does not any more.
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

enum Key<'a, S> {
    Number,
    Id,
    Value,
    Name,
    Ignored(PhantomData<S>),
    Other(Cow<'a, str>),
}

impl<'de: 'a, 'a, S: Shape> Deserialize<'de> for Key<'a, S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor(PhantomData))
    }
}

impl<S: Shape> Key<'_, S> {
    fn known(key: &str) -> Option<Self> {
        Some(match key {
            _ if key == S::VALUE => Key::Value,
            _ if key == S::ID => Key::Id,
            _ if S::IGNORED.contains(&key) => Key::Ignored(PhantomData),
            NAME => Key::Name,
            NUMBER_TOKEN => Key::Number,
            _ => return None,
        })
    }
}

struct KeyVisitor<S>(PhantomData<S>);

impl<'de, S: Shape> Visitor<'de> for KeyVisitor<S> {
    type Value = Key<'de, S>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de, S>, E> {
        Ok(Key::known(key).unwrap_or(Key::Other(Cow::Borrowed(key))))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de, S>, E> {
        Ok(Key::known(key).unwrap_or_else(|| Key::Other(Cow::Owned(key.to_owned()))))
    }
}
