//! Numbers as the source writes them: an integer may come with a decimal point, seconds as milliseconds, and `null` means
//! absent.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// 2015-01-01, unix seconds: no conversation can have started before; such a start is a fault of the record.
const EARLIEST_START: i64 = 1_420_070_400;

/// 2100-01-01, unix seconds: milliseconds taken for seconds land far beyond it.
const LATEST_START: i64 = 4_102_444_800;

/// A call of this many seconds has lasted four months: a time in it is none.
const LONGEST_CALL: f64 = 1e7;

/// Most digits of a number that stays one, written out: PostgreSQL writes them all.
const MAX_DIGITS: i64 = 40;

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

/// The start of a call in unix seconds, also if it was written in milli-, micro- or nanoseconds; `None` if no call can have
/// started then.
pub(super) fn start(written: i64) -> Option<i64> {
    [1, 1_000, 1_000_000, 1_000_000_000]
        .into_iter()
        .map(|parts| written / parts)
        .find(|secs| (EARLIEST_START + 1..LATEST_START).contains(secs))
}

/// Whether a call can have lasted so long.
pub(super) fn is_time_in_call(secs: f64) -> bool {
    (0.0..LONGEST_CALL).contains(&secs)
}

/// Whether a JSON number is one for PostgreSQL too: in the range of a float64, and not endless when written out.
pub(super) fn fits(written: &str) -> bool {
    let (mantissa, exponent) = parts(written);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let length = |digits: &str| i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let before = length(whole).saturating_add(exponent).max(1);
    let after = length(fraction).saturating_sub(exponent).max(0);
    before.saturating_add(after) <= MAX_DIGITS && length(whole).max(length(fraction)) <= MAX_DIGITS
}

/// A number that is whole, in digits alone: `5512345678.0` and `5.512345678e9` are `5512345678`. Any other text as it is.
pub(super) fn whole_digits(written: &str) -> Cow<'_, str> {
    if !written.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return written.into();
    }
    let (sign, unsigned) =
        written.strip_prefix(['+', '-']).map_or(("", written), |rest| (&written[..1], rest));
    let (mantissa, exponent) = parts(unsigned);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = !whole.is_empty()
        && [whole, fraction].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let shift = usize::try_from(exponent).ok().filter(|shift| *shift < 40);
    let kept = fraction.trim_end_matches('0');
    match shift {
        Some(shift) if is_number && kept.len() <= shift => {
            format!("{sign}{whole}{kept}{}", "0".repeat(shift - kept.len())).into()
        }
        _ => written.into(),
    }
}

/// What stands before the exponent, without the sign, and the exponent: 0 if there is none, a bound if it has no end.
fn parts(written: &str) -> (&str, i64) {
    let unsigned = written.strip_prefix('-').unwrap_or(written);
    let Some((mantissa, exponent)) = unsigned.split_once(['e', 'E']) else { return (unsigned, 0) };
    let is_negative = exponent.starts_with('-');
    let bound = if is_negative { i64::MIN / 4 } else { i64::MAX / 4 };
    (mantissa, exponent.parse().unwrap_or(bound).clamp(i64::MIN / 4, i64::MAX / 4))
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

    #[test]
    fn a_start_is_between_2015_and_2100_in_whatever_part_of_a_second() {
        for (written, expected) in [
            (1_795_836_000, Some(1_795_836_000)),
            (1_795_836_000_123, Some(1_795_836_000)),
            (1_795_836_000_123_456, Some(1_795_836_000)),
            (1_795_836_000_123_456_789, Some(1_795_836_000)),
            (0, None),
            (5, None),
            (1_420_070_400, None),
            (100_000_000_000, None),
            (253_402_300_799, None),
            (-1_795_836_000, None),
            (i64::MAX, None),
        ] {
            assert_eq!(start(written), expected, "{written}");
        }
    }

    #[test]
    fn what_postgresql_would_write_out_without_end_is_no_number() {
        for (written, is_number) in [
            ("0", true),
            ("-1.50", true),
            ("1e20", true),
            ("1e+39", true),
            ("1e40", false),
            ("123456789012345678901234567890", true),
            ("1e-20", true),
            ("1e-20000", false),
            ("1e131071", false),
            ("557236406134e62000323100", false),
            ("1e99999999999999999999999", false),
            ("1e-99999999999999999999999", false),
            ("0e99999999999", false),
        ] {
            assert_eq!(fits(written), is_number, "{written}");
        }
        assert!(!fits(&"9".repeat(41)) && !fits(&format!("0.{}e30", "0".repeat(41))));
    }

    #[test]
    fn a_whole_number_is_its_digits() {
        for (written, expected) in [
            ("5512345678", "5512345678"),
            ("5512345678.0", "5512345678"),
            ("5512345678.00", "5512345678"),
            ("5.512345678e9", "5512345678"),
            ("5.512345678E+9", "5512345678"),
            ("+52.1e3", "+52100"),
            ("-5.0", "-5"),
            ("5.5", "5.5"),
            ("5e-3", "5e-3"),
            ("55.1234.5678", "55.1234.5678"),
            ("1e99", "1e99"),
            ("sip:5.0", "sip:5.0"),
            ("e5", "e5"),
            ("", ""),
        ] {
            assert_eq!(whole_digits(written), expected, "{written}");
        }
    }
}
