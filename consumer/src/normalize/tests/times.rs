use chrono_tz::Tz;
use serde_json::{Value, json};
use shared::config::ReportConfig;
use shared::database::rows::ConversationRow;

use super::{conversation, rows};

fn row(start: &Value, duration: &Value) -> ConversationRow {
    let metadata = json!({"start_time_unix_secs": start, "call_duration_secs": duration});
    rows(&json!({"conversation_id": "conv_1", "metadata": metadata})).conversation
}

/// 2026-11-22 12:00:00 UTC, 06:00:00 in Mexico City.
const NOON: i64 = 1_795_348_800;

#[test]
fn day_and_time_of_day_are_local() {
    let row = row(&json!(NOON), &json!(95));
    assert_eq!(row.fecha.map(|day| day.to_string()).as_deref(), Some("2026-11-22"));
    assert_eq!(row.hora_inicio.map(|time| time.to_string()).as_deref(), Some("06:00:00"));
    assert_eq!(row.hora_fin.map(|time| time.to_string()).as_deref(), Some("06:01:35"));
    assert_eq!(row.inicio.map(|at| at.timestamp()), Some(NOON));
    assert_eq!(row.fin.map(|at| at.timestamp()), Some(NOON + 95));
    assert_eq!(row.duracion.as_deref(), Some("95 seconds"));
    assert_eq!(row.duracion_segundos, Some(95));
}

#[test]
fn the_day_is_the_starts_and_the_end_may_be_past_midnight() {
    let call = conversation(&json!({"conversation_id": "conv_1",
        "metadata": {"start_time_unix_secs": NOON - 1, "call_duration_secs": 3.0}}));
    for (timezone, day, start, end) in [
        (Tz::Pacific__Auckland, "2026-11-23", "00:59:59", "01:00:02"),
        (Tz::Etc__GMTMinus12, "2026-11-22", "23:59:59", "00:00:02"),
        (Tz::UTC, "2026-11-22", "11:59:59", "12:00:02"),
    ] {
        let config = ReportConfig { timezone, ..ReportConfig::default() };
        let row = super::super::normalize(&call, &config).conversation;
        let texts = (row.fecha.map(|d| d.to_string()), row.hora_inicio.map(|t| t.to_string()));
        assert_eq!(texts, (Some(day.into()), Some(start.into())), "{timezone}");
        assert_eq!(row.hora_fin.map(|t| t.to_string()).as_deref(), Some(end), "{timezone}");
    }
}

#[test]
fn without_a_start_there_are_no_times_but_a_duration() {
    for start in [json!(null), json!(0), json!(-7), json!(253_402_300_800_i64), json!(i64::MAX), json!(1e300)]
    {
        let row = row(&start, &json!(5));
        assert_eq!((row.fecha, row.hora_inicio, row.hora_fin), (None, None, None), "{start}");
        assert_eq!((row.inicio, row.fin), (None, None), "{start}");
        assert_eq!((row.duracion.as_deref(), row.duracion_segundos), (Some("5 seconds"), Some(5)), "{start}");
    }
}

#[test]
fn without_a_positive_duration_there_is_no_end() {
    for (duration, seconds) in [
        (json!(null), None),
        (json!(0), Some(0)),
        (json!(0.9), Some(0)),
        (json!(-3), None),
        (json!(2_147_483_648_i64), None),
        (json!(i64::MIN), None),
        (json!(1e300), None),
    ] {
        let row = row(&json!(NOON), &duration);
        assert_eq!(row.duracion_segundos, seconds, "{duration}");
        assert_eq!((row.duracion, row.hora_fin, row.fin), (None, None, None), "{duration}");
        assert!(row.inicio.is_some() && row.hora_inicio.is_some(), "{duration}");
    }
}

#[test]
fn the_last_second_that_counts_is_no_panic() {
    for timezone in [Tz::Pacific__Kiritimati, Tz::Etc__GMTPlus12] {
        let call = conversation(&json!({"conversation_id": "conv_1",
            "metadata": {"start_time_unix_secs": 4_102_444_799_i64, "call_duration_secs": i32::MAX}}));
        let config = ReportConfig { timezone, ..ReportConfig::default() };
        let row = super::super::normalize(&call, &config).conversation;
        assert!(row.inicio.is_some() && row.fin.is_some() && row.fecha.is_some());
    }
}
