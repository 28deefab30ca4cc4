//! Numbers as the source writes them: an integer may come with a decimal point, and `null` means absent.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Any JSON number, as seconds; nothing else.
struct Number(f64);

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number")
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds; what f64 cannot hold is outside every calendar")]
    fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
        Ok(Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds; what f64 cannot hold is outside every calendar")]
    fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
        Ok(Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
        Ok(Number(value))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not `deserialize_any`: with `arbitrary_precision` serde_json would hand a fraction over as a map.
        deserializer.deserialize_f64(NumberVisitor)
    }
}

/// Seconds that may have a fraction.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<Number>::deserialize(deserializer)?.map(|number| number.0))
}

/// Whole seconds; a fraction is cut off, and what an `i64` cannot hold becomes its nearest bound.
pub(super) fn whole_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(seconds(deserializer)?.map(whole))
}

/// The whole part of a number of seconds, within the bounds of an `i64`.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is what the doc promises")]
pub(super) fn whole(seconds: f64) -> i64 {
    seconds as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Probe {
        #[serde(default, deserialize_with = "whole_seconds")]
        n: Option<i64>,
    }

    #[test]
    fn an_integer_may_have_a_decimal_point_and_null_means_absent() {
        for (json, expected) in [
            ("{}", None),
            (r#"{"n":null}"#, None),
            (r#"{"n":0}"#, Some(0)),
            (r#"{"n":-3}"#, Some(-3)),
            (r#"{"n":1714423232}"#, Some(1_714_423_232)),
            (r#"{"n":1714423232.0}"#, Some(1_714_423_232)),
            (r#"{"n":12.9}"#, Some(12)),
            (r#"{"n":1e300}"#, Some(i64::MAX)),
            (r#"{"n":123456789012345678901234567890}"#, Some(i64::MAX)),
        ] {
            assert_eq!(serde_json::from_str::<Probe>(json).expect(json).n, expected, "{json}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for json in [r#"{"n":"12"}"#, r#"{"n":true}"#, r#"{"n":[1]}"#, r#"{"n":{}}"#, r#"{"n":1e999}"#] {
            assert!(serde_json::from_str::<Probe>(json).is_err(), "{json}");
        }
    }
}
